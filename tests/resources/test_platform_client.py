"""The client against a real HTTP server on loopback that misbehaves in every way an office's has."""

import gzip
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from resources.errors import DeliveryInvalid, PlatformRefused, PlatformUnavailable
from resources.platforms import (
    Delivery,
    Failure,
    NotModified,
    PlatformClient,
    collect,
    collect_listings,
    load_register,
)
from tests.resources.platform_servers import (
    FETCHED,
    FILE,
    LISTING,
    LOGIN_PAGE,
    XLSX,
    Answer,
    Server,
    offer,
    ok,
    register_of,
    row,
    serving,
)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


@pytest.fixture
def client(server: Server) -> Iterator[PlatformClient]:
    with PlatformClient(load_register(), server.template, "junheng", "s3cret", clock=lambda: FETCHED) as made:
        yield made


PAGED = "/510000/employment/returns/employment_annual-2024"
TOKEN = "/510000/employment/token"


def paged(rows: int, *, total: int | None = None, ignore_after: int = 10**9) -> Callable[..., Answer]:
    """A platform that answers page by page, with nothing after ``ignore_after`` rows."""

    def answer(request: BaseHTTPRequestHandler, _: bytes) -> Answer:
        query = parse_qs(urlsplit(request.path).query)
        page, size = int(query["page"][0]), int(query["size"][0])
        some = [{"region_code": str(i)} for i in range((page - 1) * size, min(page * size, rows, ignore_after))]
        return ok({"total": rows if total is None else total, "page": page, "size": size, "rows": some}, ETag='"p"')

    return answer


def test_a_listing_becomes_offers(server: Server, client: PlatformClient):
    server.answers[LISTING] = ok({"total": 1, "rows": [row()]}, ETag='"list-1"')
    listing = client.list_returns("510000", "health")
    assert listing.etag == '"list-1"'
    assert listing.not_modified is False
    (found,) = listing.rows
    assert found.platform == "510000/health"
    assert found.period_code == "2024"
    assert found.modified_at == datetime(2025, 3, 26, 9, tzinfo=timezone(timedelta(hours=8)))


def test_a_return_that_is_listed_twice_over_is_one_offer(server: Server, client: PlatformClient):
    server.answers[LISTING] = ok({"total": 3, "rows": [row(), row(), row(etag='"other"')]})
    assert [found.etag for found in client.list_returns("510000", "health").rows] == ['"abc"', '"other"']


def test_an_unchanged_listing_is_not_sent_again(server: Server, client: PlatformClient):
    def answer(request: BaseHTTPRequestHandler, _: bytes) -> Answer:
        assert request.headers["If-None-Match"] == '"list-1"'
        return 304, {"ETag": '"list-1"'}, b""

    server.answers[LISTING] = answer
    listing = client.list_returns("510000", "health", etag='"list-1"')
    assert listing.not_modified is True
    assert listing.rows == ()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"total": 2, "rows": [row()]}, "lists 1 returns of 2"),
        ({"total": 1}, "no rows"),
        ({"total": 1, "rows": ["x"]}, "no object"),
        ({"total": 1, "rows": [row(period=None, id="")]}, "without id, period"),
        ({"total": 1, "rows": [row(modified="yesterday")]}, "modified time"),
        ([], "has no data"),
    ],
)
def test_a_broken_listing_is_named(server: Server, client: PlatformClient, data: object, reason: str):
    server.answers[LISTING] = ok(data)
    with pytest.raises(DeliveryInvalid, match=reason):
        client.list_returns("510000", "health")


def test_a_file_comes_with_its_facts(server: Server, client: PlatformClient):
    headers = {"Content-Type": XLSX, "ETag": '"v2"', "Last-Modified": "Wed, 26 Mar 2025 01:00:00 GMT"}
    server.answers[FILE] = (200, headers, b"PK\x03\x04")
    delivery = client.fetch(offer())
    assert isinstance(delivery, Delivery)
    assert delivery.content == b"PK\x03\x04"
    assert (delivery.etag, delivery.media_type, delivery.file_name) == ('"v2"', XLSX, "四川省2024年.xlsx")
    assert delivery.modified_at == datetime(2025, 3, 26, 9, tzinfo=timezone(timedelta(hours=8)))
    assert delivery.fetched_at == FETCHED


def test_an_unchanged_file_is_not_sent_again(server: Server, client: PlatformClient):
    server.answers[FILE] = (304, {}, b"")
    assert isinstance(client.fetch(offer(), etag='"abc"'), NotModified)
    assert server.requests[0][1]["If-None-Match"] == '"abc"'


def test_a_compressed_body_is_opened(server: Server, client: PlatformClient):
    server.answers[FILE] = (200, {"Content-Type": XLSX, "Content-Encoding": "gzip"}, gzip.compress(b"PK" * 1000))
    assert client.fetch(offer()).content == b"PK" * 1000


def test_html_that_is_no_login_page_is_handed_on_for_quarantine(server: Server, client: PlatformClient):
    server.answers[FILE] = (200, {"Content-Type": XLSX}, b"<html>maintenance</html>")
    assert client.fetch(offer()).content == b"<html>maintenance</html>"


def test_pages_are_joined_one_a_line(server: Server, client: PlatformClient):
    server.answers[TOKEN] = ok({"access_token": "t", "expires_in": 3600})
    server.answers[PAGED] = paged(1201)
    delivery = client.fetch(offer("employment_annual-2024", "employment"))
    pages = [json.loads(line)["data"] for line in delivery.content.split(b"\n")]
    assert [len(page["rows"]) for page in pages] == [500, 500, 201]
    assert delivery.media_type == "application/json"
    assert server.asked()[TOKEN] == 1


def test_a_page_over_several_lines_is_still_one_line(server: Server, client: PlatformClient):
    data = {"code": 0, "data": {"total": 1, "page": 1, "rows": [{"name": "四\n川"}]}}
    server.answers[TOKEN] = ok({"access_token": "t", "expires_in": 3600})
    server.answers[PAGED] = (200, {}, json.dumps(data, indent=2).encode())
    content = client.fetch(offer("employment_annual-2024", "employment")).content
    assert b"\n" not in content
    assert json.loads(content) == data


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (paged(700, ignore_after=500), "page 2 is missing: 500 of 700 rows"),
        (paged(3, total=2), "sends 3 rows and announces 2"),
        ([ok({"total": 9, "page": 1, "rows": [1]}), ok({"total": 8, "page": 2, "rows": [1]})], "the page before 9"),
        (ok({"total": 2, "page": 2, "rows": [1]}), "answers with page 2 when asked for page 1"),
        (ok({"total": "2", "rows": [1]}), "announces no total"),
        ((200, {"Content-Type": "text/html"}, LOGIN_PAGE), "a login page instead of JSON"),
        ((200, {"Content-Type": "text/html"}, b"<html>hello"), "a web page instead of JSON"),
        ((200, {"Content-Type": "text/plain"}, b"hello"), r"no JSON \(text/plain\)"),
        ((200, {}, b"[" * 100_000), "no JSON"),
    ],
)
def test_a_paged_answer_that_is_not_whole_is_invalid(
    server: Server, client: PlatformClient, answer: object, reason: str
):
    server.answers[TOKEN] = ok({"access_token": "t", "expires_in": 3600})
    server.answers[PAGED] = answer
    with pytest.raises(DeliveryInvalid, match=reason) as caught:
        client.fetch(offer("employment_annual-2024", "employment"))
    assert caught.value.is_retry_useful is False


def test_a_platform_that_is_down_is_asked_three_times_within_three_seconds(server: Server, client: PlatformClient):
    server.answers[LISTING] = (503, {}, b"")
    start = time.monotonic()
    with pytest.raises(PlatformUnavailable, match=r"510000/health.*HTTP 503.*asking again later can help") as caught:
        client.list_returns("510000", "health")
    assert time.monotonic() - start < 3.0
    assert server.asked()[LISTING] == 3
    assert (caught.value.status, caught.value.is_retry_useful) == (503, True)


@pytest.mark.parametrize("first", [(503, {}, b""), (429, {"Retry-After": "1"}, b""), (200, {}, b'{"code":503}')])
def test_a_passing_trouble_is_outlasted(server: Server, client: PlatformClient, first: Answer):
    server.answers[LISTING] = [first, ok({"total": 0, "rows": []})]
    assert client.list_returns("510000", "health").rows == ()


def test_a_wait_longer_than_our_patience_is_not_begun(server: Server, client: PlatformClient):
    server.answers[LISTING] = (429, {"Retry-After": "3600"}, b"")
    start = time.monotonic()
    with pytest.raises(PlatformUnavailable, match="fewer requests"):
        client.list_returns("510000", "health")
    assert time.monotonic() - start < 0.5


def test_where_nobody_listens_the_systems_word_is_told(client: PlatformClient, server: Server):
    nowhere = PlatformClient(load_register(), "http://127.0.0.1:1/{province}/{sector}")
    start = time.monotonic()
    with pytest.raises(PlatformUnavailable, match="no connection \\(Connection refused\\)"):
        nowhere.list_returns("510000", "health")
    assert time.monotonic() - start < 3.0


def test_a_body_that_is_cut_off_is_asked_for_again(server: Server, client: PlatformClient):
    cut = (200, {"Content-Type": XLSX, "Content-Length": "1000", "X-Cut": "1"}, b"PK")
    server.answers[FILE] = [cut, (200, {"Content-Type": XLSX}, b"PK whole")]
    assert client.fetch(offer()).content == b"PK whole"


def test_a_body_that_is_always_cut_off_is_no_delivery(server: Server, client: PlatformClient):
    server.answers[FILE] = (200, {"Content-Length": "1000", "X-Cut": "1"}, b"PK")
    with pytest.raises(PlatformUnavailable, match="cut off"):
        client.fetch(offer())


def test_a_login_page_in_the_place_of_a_file_is_recognised(server: Server, client: PlatformClient):
    server.answers[FILE] = (200, {"Content-Type": "text/html; charset=utf-8"}, LOGIN_PAGE)
    with pytest.raises(DeliveryInvalid, match="login page"):
        client.fetch(offer())


def test_an_error_envelope_in_the_place_of_a_file_is_told(server: Server, client: PlatformClient):
    content = '{"code":1044,"msg":"报表未审核"}'.encode()
    server.answers[FILE] = (200, {"Content-Type": "application/json"}, content)
    with pytest.raises(PlatformRefused, match="code 1044: 报表未审核"):
        client.fetch(offer())


def test_a_redirect_within_the_host_is_followed(server: Server, client: PlatformClient):
    server.answers[FILE] = (302, {"Location": "/moved"}, b"")
    server.answers["/moved"] = (200, {"Content-Type": XLSX}, b"PK")
    assert client.fetch(offer()).content == b"PK"


@pytest.mark.parametrize("target", ["http://localhost:1/x", "//example.org/x", "https://127.0.0.1/x"])
def test_a_redirect_to_another_host_is_not_followed(server: Server, client: PlatformClient, target: str):
    server.answers[FILE] = (302, {"Location": target}, b"")
    with pytest.raises(PlatformRefused, match="another host"):
        client.fetch(offer())
    assert server.asked()[FILE] == 1


def test_a_circle_of_redirects_ends(server: Server, client: PlatformClient):
    server.answers[FILE] = (302, {"Location": FILE}, b"")
    with pytest.raises(PlatformRefused, match="more than 3 times"):
        client.fetch(offer())


def test_what_is_gone_is_not_asked_for_again(server: Server, client: PlatformClient):
    with pytest.raises(PlatformRefused, match="does not know this address") as caught:
        client.fetch(offer())
    assert server.asked()[FILE] == 1
    assert "asking again will not help" in str(caught.value)


def employment(server: Server, accepted: set[str]) -> None:
    """A platform that hands out token-1, token-2 … and takes those in ``accepted``."""
    handed = iter(range(1, 100))
    server.answers[TOKEN] = lambda *_: ok({"access_token": f"token-{next(handed)}", "expires_in": 3600})

    def listing(request: BaseHTTPRequestHandler, _: bytes) -> Answer:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return ok({"total": 0, "rows": []}) if token in accepted else (401, {}, b"")

    server.answers["/510000/employment/returns"] = listing


def test_a_token_is_asked_for_once_and_kept(server: Server, client: PlatformClient):
    employment(server, {"token-1"})
    client.list_returns("510000", "employment")
    client.list_returns("510000", "employment")
    assert server.asked()[TOKEN] == 1
    assert parse_qs(server.requests[0][2].decode()) == {"client_id": ["junheng"], "client_secret": ["s3cret"]}


def test_a_refused_token_is_renewed_once(server: Server, client: PlatformClient):
    employment(server, {"token-2"})
    client.list_returns("510000", "employment")
    assert server.asked()[TOKEN] == 2


def test_a_second_refusal_is_final_and_shows_no_secret(server: Server, client: PlatformClient):
    employment(server, set())
    with pytest.raises(PlatformRefused, match="refuses the credentials") as caught:
        client.list_returns("510000", "employment")
    assert server.asked()[TOKEN] == 2
    assert "s3cret" not in str(caught.value) + repr(client)
    assert "token-" not in str(caught.value)


def test_an_expired_token_is_renewed_before_use(server: Server, client: PlatformClient):
    employment(server, {"token-1", "token-2"})
    server.answers[TOKEN] = [
        ok({"access_token": "token-1", "expires_in": 0}),
        ok({"access_token": "token-2", "expires_in": 3600}),
    ]
    for _ in range(3):
        client.list_returns("510000", "employment")
    assert server.asked()[TOKEN] == 2


def test_without_client_id_the_variables_are_named(server: Server):
    bare = PlatformClient(load_register(), server.url + "/{province}/{sector}")
    with pytest.raises(PlatformRefused, match="JUNHENG_CLIENT_ID and JUNHENG_CLIENT_SECRET"):
        bare.list_returns("510000", "employment")


def small_register(tmp_path: Path):
    limits = {"max_bytes": 1000, "max_expanded_bytes": 1000}
    return register_of(tmp_path, limits=limits, timeouts={"connect": 2, "read": 0.3, "total": 5})


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((200, {"Content-Length": "2000000000"}, b""), "announces 2,000,000,000 bytes"),
        (
            (200, {"Content-Encoding": "gzip"}, gzip.compress(b"0" * 500_000)),
            "expands to more than max_expanded_bytes 1,000",
        ),
        ((200, {"Content-Encoding": "gzip"}, b"\x1f\x8bnot compressed"), "cannot be decompressed"),
        ((200, {}, b""), "no bytes"),
        ((206, {}, b"PK"), "without a complete body"),
    ],
)
def test_a_body_out_of_bounds_is_refused(server: Server, tmp_path: Path, answer: Answer, reason: str):
    client = PlatformClient(small_register(tmp_path), server.url + "/{province}/{sector}")
    server.answers[FILE] = answer
    with pytest.raises(DeliveryInvalid, match=reason):
        client.fetch(offer())


def test_a_platform_that_does_not_answer_is_given_up(server: Server, tmp_path: Path):
    client = PlatformClient(small_register(tmp_path), server.url + "/{province}/{sector}")
    server.answers[FILE] = lambda *_: time.sleep(1.0) or (200, {}, b"late")
    start = time.monotonic()
    with pytest.raises(PlatformUnavailable, match=r"no answer within 0\.3 s"):
        client.fetch(offer())
    assert time.monotonic() - start < 3.5


def test_no_query_stands_in_an_error(server: Server, client: PlatformClient):
    server.answers[TOKEN] = ok({"access_token": "t", "expires_in": 3600})
    with pytest.raises(PlatformRefused) as caught:
        client.fetch(offer("employment_annual-2024", "employment"))
    assert caught.value.url == server.url + PAGED


def test_collecting_yields_one_result_an_offer_and_failures_as_values(server: Server, client: PlatformClient):
    offers = [offer(f"r{number}", "health", province) for number in range(20) for province in ("510000", "520000")]
    for each in offers:
        server.answers[f"/{each.platform}/returns/{each.return_id}"] = (200, {"Content-Type": XLSX}, b"PK")
    server.answers["/510000/health/returns/r3"] = (404, {}, b"")
    results = list(collect(client, offers, threads=4))
    failures = [result for result in results if isinstance(result, Failure)]
    assert len(results) == len(offers)
    assert [failure.asked.return_id for failure in failures] == ["r3"]
    assert {r.offer for r in results if isinstance(r, Delivery)} == set(offers) - {failures[0].asked}


def test_a_platform_that_is_down_does_not_delay_the_others(server: Server, client: PlatformClient):
    down = [offer(f"r{number}", "health", "110000") for number in range(40)]
    up = [offer(f"r{number}", "health", "120000") for number in range(40)]
    for each in up:
        server.answers[f"/{each.platform}/returns/{each.return_id}"] = (200, {"Content-Type": XLSX}, b"PK")
    for each in down:
        server.answers[f"/{each.platform}/returns/{each.return_id}"] = (503, {}, b"")
    start = time.monotonic()
    results = list(collect(client, down + up))
    assert time.monotonic() - start < 6.0
    assert Counter(type(result) for result in results) == {Delivery: 40, Failure: 40}


def test_collecting_holds_no_more_than_its_threads_can_carry(server: Server, client: PlatformClient):
    offers = [offer(f"r{number}") for number in range(200)]
    for each in offers:
        server.answers[f"/{each.platform}/returns/{each.return_id}"] = (200, {"Content-Type": XLSX}, b"PK")
    results = collect(client, offers, threads=4)
    next(results)
    time.sleep(0.5)
    assert len(server.requests) <= 1 + 2 * 4
    results.close()


def test_listings_of_many_platforms_come_with_their_failures(server: Server, client: PlatformClient):
    server.answers[LISTING] = ok({"total": 1, "rows": [row()]})
    server.answers["/520000/health/returns"] = (403, {}, b"")
    results = list(collect_listings(client, [("510000", "health"), ("520000", "health")]))
    assert sum(len(result.rows) for result in results if not isinstance(result, Failure)) == 1
    (failure,) = [result for result in results if isinstance(result, Failure)]
    assert failure.asked == ("520000", "health")
    assert "refuses access" in str(failure.error)
