"""Answers that are not what they seem, each named; and bodies that break off and are gone on with."""

import gzip
import json
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from resources.errors import DeliveryInvalid, PlatformError, PlatformRefused, PlatformUnavailable
from resources.platforms import Platform, PlatformClient
from resources.platforms.hooks import Hooks
from resources.platforms.http import Answer as HttpAnswer
from resources.platforms.http import Request
from tests.resources.platform_servers import (
    CUT,
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

BYTES = bytes(range(256)) * 40
HTML, JSON = {"Content-Type": "text/html"}, {"Content-Type": "application/json"}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


@pytest.fixture
def client(server: Server, tmp_path: Path) -> PlatformClient:
    limits = {"max_bytes": 100_000, "max_expanded_bytes": 200_000}
    timeouts = {"connect": 2, "read": 0.4, "total": 1}
    return PlatformClient(
        register_of(tmp_path, limits=limits, timeouts=timeouts), server.template, clock=lambda: FETCHED
    )


def incidents(client: PlatformClient) -> dict[str, int]:
    return {each.kind: each.count for each in client.incidents()}


def breaking_off(parts: int, version: dict[str, str], *, changes: bool = False) -> object:
    """A platform whose connections end after a part of the file; it knows ranges. Changed: the file is another then."""
    size = len(BYTES) // parts + 1
    asked: list[str] = []

    def answer(request: BaseHTTPRequestHandler, _: bytes) -> Answer:
        wanted = request.headers.get("Range")
        asked.append(wanted or "")
        common = {"Content-Type": XLSX, "Accept-Ranges": "bytes"} | version
        if wanted and changes:
            return 200, common, b"PK another file"
        first = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        if wanted:
            assert request.headers["If-Range"] == next(iter(version.values()))
            common["Content-Range"] = f"bytes {first}-{len(BYTES) - 1}/{len(BYTES)}"
        cut = {CUT: "1"} if first + size < len(BYTES) else {}
        length = {"Content-Length": str(len(BYTES) - first)}
        return 206 if wanted else 200, common | length | cut, BYTES[first : first + size]

    return answer


@pytest.mark.parametrize(
    "version", [{"ETag": '"v1"'}, {"Last-Modified": "Wed, 26 Mar 2025 01:00:00 GMT"}], ids=["etag", "date"]
)
def test_a_body_that_breaks_off_is_gone_on_with(server: Server, client: PlatformClient, version: dict[str, str]):
    server.answers[FILE] = breaking_off(4, version)
    assert client.fetch(offer()).content == BYTES
    assert [dict(headers).get("Range") for _, headers, _ in server.requests] == [
        None, "bytes=2561-", "bytes=5122-", "bytes=7683-",
    ]  # fmt: skip
    assert incidents(client) == {"resumed_body": 1}


def test_a_file_that_changed_meanwhile_is_taken_whole(server: Server, client: PlatformClient):
    server.answers[FILE] = breaking_off(4, {"ETag": '"v1"'}, changes=True)
    assert client.fetch(offer()).content == b"PK another file"
    assert incidents(client) == {}


@pytest.mark.parametrize(
    "headers", [{"ETag": 'W/"v1"', "Accept-Ranges": "bytes"}, {"ETag": '"v1"'}], ids=["weak etag", "no ranges"]
)
def test_without_a_strong_version_or_ranges_all_is_asked_for_anew(
    server: Server, client: PlatformClient, headers: dict[str, str]
):
    cut = (200, headers | {"Content-Length": "1000", CUT: "1"}, b"PK")
    server.answers[FILE] = [cut, (200, {"Content-Type": XLSX}, b"PK whole")]
    assert client.fetch(offer()).content == b"PK whole"
    assert "Range" not in server.requests[1][1]
    assert incidents(client) == {"truncated_body": 1}


def test_a_range_from_another_place_is_refused(server: Server, client: PlatformClient):
    first = (200, {"ETag": '"v"', "Accept-Ranges": "bytes", "Content-Length": "100", CUT: "1"}, b"PK")
    server.answers[FILE] = [first, (206, {"Content-Range": "bytes 50-99/100"}, b"x" * 50)]
    with pytest.raises(DeliveryInvalid, match="without a complete body"):
        client.fetch(offer())


@pytest.mark.parametrize(
    "headers",
    [{"ETag": '"v2"', "Content-Range": "bytes 2-99/100"}, {"Content-Range": "bytes 2-59/100"}],
    ids=["another version", "not to the end"],
)
def test_two_versions_are_never_put_together(server: Server, client: PlatformClient, headers: dict[str, str]):
    first = (200, {"ETag": '"v1"', "Accept-Ranges": "bytes", "Content-Length": "100", CUT: "1"}, b"PK")
    server.answers[FILE] = [first, (206, headers, b"x" * 98)]
    with pytest.raises(DeliveryInvalid, match=r"another version|without a complete body"):
        client.fetch(offer())


def test_gzip_that_was_announced_and_not_sent_is_read_as_it_is(server: Server, client: PlatformClient):
    server.answers[FILE] = (200, {"Content-Type": XLSX, "Content-Encoding": "gzip"}, b"PK plain")
    assert client.fetch(offer()).content == b"PK plain"
    assert incidents(client) == {"gzip_not_sent": 1}


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("gzip", gzip.compress(b"PK")),
        ("gzip", gzip.compress(b"P") + gzip.compress(b"K")),
        ("gzip", gzip.compress(b"PK") + b"\0" * 8),
        ("deflate", zlib.compress(b"PK")),
        ("identity", b"PK"),
    ],
    ids=["gzip", "two members", "padding", "deflate", "identity"],
)
def test_each_encoding_is_opened(server: Server, client: PlatformClient, encoding: str, content: bytes):
    server.answers[FILE] = (200, {"Content-Type": XLSX, "Content-Encoding": encoding}, content)
    assert client.fetch(offer()).content == b"PK"


TRANSIENT = {
    "gzip cut": ((200, {"Content-Encoding": "gzip"}, gzip.compress(BYTES)[:-20]), "compressed body ends too early"),
    "body cut": ((200, {"Content-Length": "1000", CUT: "1"}, b"PK"), "the body was cut off"),
    "json cut": ((200, JSON, b'{"code":0,"data":{"total":1,"rows":[{"id":"a'), "its JSON was cut off"),
    "json cut in a letter": ((200, JSON, '{"code":0,"msg":"四'.encode()[:-1]), "its JSON was cut off"),
}


@pytest.mark.parametrize("name", TRANSIENT)
def test_what_is_cut_off_is_asked_for_again_and_named(server: Server, client: PlatformClient, name: str):
    answer, reason = TRANSIENT[name]
    path = LISTING if name.startswith("json") else FILE
    server.answers[path] = answer
    with pytest.raises(PlatformUnavailable, match=reason) as caught:
        client.list_returns("510000", "health") if path == LISTING else client.fetch(offer())
    assert (caught.value.kind, caught.value.is_retry_useful) == ("truncated_body", True)
    assert server.asked()[path] == 3


def test_a_listing_that_was_cut_once_is_read_the_second_time(server: Server, client: PlatformClient):
    whole = ok({"total": 1, "rows": [row()]})
    server.answers[LISTING] = [(200, JSON, whole[2][:-5]), whole]
    assert len(client.list_returns("510000", "health").rows) == 1
    assert incidents(client) == {"truncated_body": 1}


PERMANENT = {
    "login page": ((200, HTML, LOGIN_PAGE), "login page instead of the file", "login_page"),
    "web page": ((200, HTML, b"<html>maintenance"), "web page instead of the file", "wrong_content_type"),
    "json": ((200, JSON, b'{"code":0,"data":{}}'), f"JSON instead of {XLSX}", "wrong_content_type"),
    "json error": ((200, JSON, b'{"code":7,"msg":"no"}'), "answers with code 7: no", "refused"),
    "no bytes": ((200, {"Content-Type": XLSX}, b""), "no bytes", "broken_answer"),
    "lying length": ((200, {"Content-Length": "2147483648", CUT: "1"}, b"PK"), "announces 2,147,483,648", "too_large"),
    "too many bytes": ((200, {}, b"0" * 100_001), "announces 100,001 bytes", "too_large"),
    "gzip bomb": (
        (200, {"Content-Encoding": "gzip"}, gzip.compress(b"0" * 50_000_000)), "more than max_expanded_bytes", "too_large",
    ),
    "broken gzip": ((200, {"Content-Encoding": "gzip"}, b"\x1f\x8b and no gzip after it"), "cannot be decompressed", "broken_answer"),
    "unknown encoding": ((200, {"Content-Encoding": "br"}, b"??"), "encoded as br", "broken_answer"),
    "other host": ((302, {"Location": "http://example.org/"}, b""), "to another host", "redirected"),
    "circle": ((302, {"Location": FILE}, b""), "redirects more than 3 times", "redirected"),
    "gone": ((410, {}, b""), "no longer offers this", "refused"),
    "forbidden": ((403, {}, b""), "refuses access", "refused"),
}  # fmt: skip


@pytest.mark.parametrize("name", PERMANENT)
def test_what_is_no_file_is_named_and_not_asked_for_again(server: Server, client: PlatformClient, name: str):
    answer, reason, kind = PERMANENT[name]
    server.answers[FILE] = answer
    with pytest.raises(PlatformError, match=reason) as caught:
        client.fetch(offer())
    assert (caught.value.kind, caught.value.is_retry_useful) == (kind, False)
    assert server.asked()[FILE] == (4 if name == "circle" else 1)


def test_a_web_page_with_a_table_is_a_file_as_offices_know_it(server: Server, client: PlatformClient):
    server.answers[FILE] = (200, HTML, b"<html><TABLE><tr><td>1</td></tr></TABLE>")
    assert b"<TABLE>" in client.fetch(offer()).content


@pytest.mark.parametrize("label", ["text/html; charset=utf-8", "application/json"])
def test_a_file_under_a_wrong_label_is_taken_for_what_it_is(server: Server, client: PlatformClient, label: str):
    server.answers[FILE] = (200, {"Content-Type": label}, b"PK\x03\x04")
    delivery = client.fetch(offer())
    assert (delivery.content, delivery.media_type) == (b"PK\x03\x04", XLSX)
    assert incidents(client) == {"wrong_content_type": 1}


def test_chunks_that_end_without_an_end_are_a_body_that_was_cut_off(server: Server, client: PlatformClient):
    def cut(request: BaseHTTPRequestHandler, _: bytes) -> Answer:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nPK123\r\n")
        raise ConnectionAbortedError

    server.answers[FILE] = [cut, (200, {"Content-Type": XLSX}, b"PK whole")]
    assert client.fetch(offer()).content == b"PK whole"
    assert incidents(client) == {"truncated_body": 1}


def test_a_bomb_costs_no_memory(server: Server, client: PlatformClient):
    server.answers[FILE] = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"\0" * 90_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(DeliveryInvalid, match="expands to more"):
            client.fetch(offer())
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_body_without_an_announced_length_ends_at_the_limit(server: Server, client: PlatformClient):
    def endless(request: BaseHTTPRequestHandler, _: bytes) -> Answer:
        request.send_response_only(200)
        request.send_header("Connection", "close")
        request.end_headers()
        for _ in range(100):
            request.wfile.write(b"0" * 100_000)
        raise ConnectionAbortedError

    server.answers[FILE] = endless
    with pytest.raises(DeliveryInvalid, match="sends more than max_bytes 100,000") as caught:
        client.fetch(offer())
    assert caught.value.kind == "too_large"


def test_a_body_that_drips_in_is_given_up(server: Server, client: PlatformClient):
    """Each byte comes within the read timeout, all of them never do."""

    def drip(request: BaseHTTPRequestHandler, _: bytes) -> Answer:
        request.send_response_only(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        for _ in range(50):
            request.wfile.write(b"0")
            time.sleep(0.1)
        raise ConnectionAbortedError

    server.answers[FILE] = drip
    with pytest.raises(PlatformUnavailable, match="sends too slowly") as caught:
        client.fetch(offer())
    assert caught.value.kind == "timed_out"


def test_a_head_that_drips_in_is_given_up(server: Server, client: PlatformClient):
    """A read timeout begins anew with each byte: only the total one ends this."""

    def drip(request: BaseHTTPRequestHandler, _: bytes) -> Answer:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        for _ in range(100):
            request.wfile.write(b"0")
            time.sleep(0.1)
        raise ConnectionAbortedError

    server.answers[FILE] = drip
    began = time.monotonic()
    with pytest.raises(PlatformUnavailable, match="no whole answer within 1 s") as caught:
        client.fetch(offer())
    assert caught.value.kind == "timed_out"
    assert time.monotonic() - began < 9  # without a deadline each of three tries would take ten


def test_no_answer_is_a_time_out_by_name(server: Server, client: PlatformClient):
    server.answers[FILE] = lambda *_: time.sleep(0.8) or (200, {}, b"late")
    with pytest.raises(PlatformUnavailable, match=r"no answer within 0\.4 s") as caught:
        client.fetch(offer())
    assert caught.value.kind == "timed_out"


def test_a_redirect_that_was_followed_is_counted(server: Server, client: PlatformClient):
    server.answers[FILE] = (302, {"Location": "/moved?key=s3cret"}, b"")
    server.answers["/moved"] = (200, {"Content-Type": XLSX}, b"PK")
    assert client.fetch(offer()).content == b"PK"
    (incident,) = client.incidents()
    assert (incident.kind, incident.count, incident.first_at) == ("redirected", 1, FETCHED)
    assert "s3cret" not in incident.message


def test_a_platform_without_etags_is_asked_by_date(server: Server, client: PlatformClient):
    date = "Wed, 26 Mar 2025 01:00:00 GMT"
    server.answers[LISTING] = [ok({"total": 0, "rows": []}, **{"Last-Modified": date}), (304, {}, b"")]
    etag = client.list_returns("510000", "health").etag
    assert etag == date
    assert client.list_returns("510000", "health", etag).not_modified
    assert server.requests[1][1]["If-Modified-Since"] == date


def test_an_envelope_that_says_try_later_is_asked_again(server: Server, client: PlatformClient):
    server.answers[LISTING] = [(200, JSON, b'{"code":429,"msg":"busy"}'), ok({"total": 0, "rows": []})]
    assert client.list_returns("510000", "health").rows == ()
    assert incidents(client) == {"too_many_requests": 1}


def test_hooks_translate_a_listing_in_pinyin(server: Server, tmp_path: Path):
    listed = {
        "bianhao": "a-1", "biaoming": "health_annual", "shiqi": "2024", "wenjianming": "表.xlsx",
        "gengxinshijian": "2025-03-26 09:00:00",
    }  # fmt: skip
    server.answers[LISTING] = ok({"zongshu": 1, "liebiao": [listed]})
    client = PlatformClient(register_of(tmp_path, hooks="pinyin_listing"), server.template)
    (found,) = client.list_returns("510000", "health").rows
    assert (found.return_id, found.form, found.period_code, found.file_name) == (
        "a-1",
        "health_annual",
        "2024",
        "表.xlsx",
    )
    assert found.modified_at.isoformat() == "2025-03-26T09:00:00+08:00"


def test_hooks_change_requests_and_answers_before_anything_else_sees_them(
    server: Server, client: PlatformClient, monkeypatch: pytest.MonkeyPatch
):
    class Wrapping(Hooks):
        def request(self, platform: Platform, request: Request) -> Request:
            return request.changed(params=dict(request.params) | {"office": platform.province})

        def response(self, platform: Platform, answer: HttpAnswer) -> HttpAnswer:
            return replace(answer, content=answer.content.removeprefix(b"callback(").removesuffix(b")"))

    monkeypatch.setattr(client.asking, "hooks", lambda _: Wrapping())
    server.answers[LISTING] = (200, JSON, b'callback({"code":0,"data":{"total":0,"rows":[]}})')
    assert client.list_returns("510000", "health").rows == ()
    assert server.requests[0][0] == f"{LISTING}?office=510000"


def test_hooks_leave_a_usual_listing_to_the_transport(server: Server, tmp_path: Path):
    client = PlatformClient(register_of(tmp_path, hooks="pinyin_listing"), server.template)
    server.answers[LISTING] = ok({"total": 0})
    with pytest.raises(DeliveryInvalid, match="no rows"):
        client.list_returns("510000", "health")


def test_hooks_that_do_not_exist_are_named(server: Server, tmp_path: Path):
    client = PlatformClient(register_of(tmp_path, hooks="nobody_wrote_it"), server.template)
    with pytest.raises(PlatformRefused, match=r"no file resources/platforms/hooks/nobody_wrote_it\.py") as caught:
        client.list_returns("510000", "health")
    assert caught.value.kind == "not_configured"


def test_pages_are_asked_for_by_the_platforms_own_names(server: Server, tmp_path: Path):
    paging = {"page_size": 2, "page_parameter": "yeshu", "size_parameter": "tiaoshu"}
    client = PlatformClient(register_of(tmp_path, transport="paged_json", paging=paging), server.template)
    server.answers[FILE] = [ok({"total": 3, "rows": [1, 2]}), ok({"total": 3, "rows": [3]})]
    pages = [json.loads(line)["data"]["rows"] for line in client.fetch(offer()).content.split(b"\n")]
    assert pages == [[1, 2], [3]]
    assert [path.partition("?")[2] for path, _, _ in server.requests] == ["yeshu=1&tiaoshu=2", "yeshu=2&tiaoshu=2"]


def test_pages_that_are_too_many_bytes_together_are_refused(server: Server, tmp_path: Path):
    limits = {"max_bytes": 2000, "max_expanded_bytes": 2000}
    client = PlatformClient(register_of(tmp_path, transport="paged_json", limits=limits), server.template)
    server.answers[FILE] = ok({"total": 9, "rows": ["x" * 1500]})
    with pytest.raises(DeliveryInvalid, match="more than max_expanded_bytes 2,000") as caught:
        client.fetch(offer())
    assert caught.value.kind == "too_large"
