"""Faults of the way, each as it shows on the wire; the words of which one names it stand in the table of faults."""

import email.utils
import time

import pytest
import requests

from tests.sandbox.conftest import Client

PLATFORM, RETURN_ID = "510000/health", "health_annual-2024"
RETURN = f"/{PLATFORM}/returns/{RETURN_ID}"
LISTING = f"/{PLATFORM}/returns"
EMPLOYMENT = "510000/employment"
PAGES = f"/{EMPLOYMENT}/returns/employment_annual-2024"


def statuses(client: Client, path: str, times: int) -> list[int]:
    return [client.get(path).status_code for _ in range(times)]


def test_the_first_requests_are_too_many_and_say_when_to_come_back_in_seconds(client: Client) -> None:
    client.set_fault(PLATFORM, "rate_limited_seconds")
    first = client.get(LISTING)
    assert (first.status_code, first.headers["Retry-After"]) == (429, "1")
    assert client.get(LISTING).status_code == 200


def test_they_say_it_as_a_date(client: Client) -> None:
    client.set_fault(PLATFORM, "rate_limited_date")
    first = client.get(LISTING)
    moment = email.utils.parsedate_to_datetime(first.headers["Retry-After"]).timestamp()
    assert first.status_code == 429
    assert moment - time.time() == pytest.approx(0, abs=10)
    assert client.get(LISTING).status_code == 200


def test_they_say_nothing(client: Client) -> None:
    client.set_fault(PLATFORM, "rate_limited_bare")
    first = client.get(LISTING)
    assert (first.status_code, "Retry-After" in first.headers) == (429, False)
    assert client.get(LISTING).status_code == 200


def test_strength_is_how_many_requests_fail(client: Client) -> None:
    client.ask_faults(platform=PLATFORM, fault="unavailable_first", strength=3)
    assert statuses(client, LISTING, 5) == [503, 503, 503, 200, 200]


def test_set_again_a_counting_fault_counts_anew(client: Client) -> None:
    for _ in range(2):
        client.set_fault(PLATFORM, "unavailable_first")
        assert statuses(client, LISTING, 2) == [503, 200]


def test_a_slow_answer_comes_after_its_seconds(client: Client) -> None:
    client.ask_faults(platform=PLATFORM, fault="slow", return_id=RETURN_ID, strength=0.3)
    assert client.get(RETURN).elapsed.total_seconds() >= 0.3


def test_a_dribbling_body_begins_at_once_and_ends_late_and_whole(client: Client) -> None:
    whole = client.get(RETURN).content
    client.ask_faults(platform=PLATFORM, fault="dribble", return_id=RETURN_ID, strength=0.5)
    began = time.monotonic()
    answer = client.get(RETURN, stream=True)
    content = b"".join(answer.iter_content(1024))
    assert content == whole
    assert time.monotonic() - began >= 0.45
    assert answer.headers["Content-Length"] == str(len(whole))


@pytest.mark.parametrize("path", [RETURN, PAGES], ids=["file", "page"])
def test_a_cut_body_is_shorter_than_announced_every_time(client: Client, path: str) -> None:
    platform, _, return_id = path.strip("/").partition("/returns/")
    bearer = client.bearer(EMPLOYMENT)
    client.set_fault(platform, "cut_body", return_id)
    for _ in range(2):
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
            client.get(path, headers=bearer)


@pytest.mark.parametrize("fault", ["cut_body_once", "cut_chunked_once"])
def test_a_body_cut_once_is_whole_the_second_time(client: Client, fault: str) -> None:
    whole = client.get(RETURN).content
    client.set_fault(PLATFORM, fault, RETURN_ID)
    answer = client.get(RETURN, stream=True)
    assert ("Content-Length" in answer.headers) is (fault == "cut_body_once")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        _ = answer.content
    assert client.get(RETURN).content == whole


def test_what_is_missing_of_a_cut_body_can_be_asked_for(client: Client) -> None:
    whole = client.get(RETURN)
    headers = {"Range": "bytes=1000-", "If-Range": whole.headers["ETag"]}
    rest = client.get(RETURN, headers=headers)
    assert (rest.status_code, rest.content) == (206, whole.content[1000:])
    assert rest.headers["Content-Range"] == f"bytes 1000-{len(whole.content) - 1}/{len(whole.content)}"
    assert client.get(RETURN, headers=headers | {"If-Range": '"another"'}).content == whole.content


def test_a_return_that_moved_within_the_host_is_found_there(client: Client) -> None:
    whole = client.get(RETURN).content
    client.set_fault(PLATFORM, "redirected", RETURN_ID)
    first = client.get(RETURN, allow_redirects=False)
    assert first.status_code == 302
    assert first.headers["Location"].startswith("/")
    assert client.get(RETURN).content == whole


def test_a_page_that_moved_keeps_its_number(client: Client) -> None:
    client.set_fault(EMPLOYMENT, "redirected", "employment_annual-2024")
    bearer = client.bearer(EMPLOYMENT)
    assert client.get(f"{PAGES}?page=2&size=100", headers=bearer).json()["data"]["page"] == 2


def test_a_return_that_is_said_to_be_elsewhere_names_another_host(client: Client) -> None:
    client.set_fault(PLATFORM, "redirected_away", RETURN_ID)
    first = client.get(RETURN, allow_redirects=False)
    assert (first.status_code, first.headers["Location"]) == (302, "http://portal.invalid/login")


def test_a_login_page_comes_with_status_200(client: Client) -> None:
    client.set_fault(PLATFORM, "login_page", RETURN_ID)
    answer = client.get(RETURN)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert 'type="password"' in answer.text.replace("'", '"')


def test_tokens_die_once_in_the_middle(client: Client) -> None:
    client.set_fault(EMPLOYMENT, "expired_token")
    bearer = client.bearer(EMPLOYMENT)
    listing = f"/{EMPLOYMENT}/returns"
    assert [client.get(listing, headers=bearer).status_code for _ in range(4)] == [200, 200, 401, 401]
    renewed = client.bearer(EMPLOYMENT)
    assert [client.get(listing, headers=renewed).status_code for _ in range(4)] == [200] * 4


def test_the_first_token_is_dead_when_it_comes(client: Client) -> None:
    client.set_fault(EMPLOYMENT, "token_expires_at_once")
    listing = f"/{EMPLOYMENT}/returns"
    assert client.get(listing, headers=client.bearer(EMPLOYMENT)).status_code == 401
    assert client.get(listing, headers=client.bearer(EMPLOYMENT)).status_code == 200


def test_the_right_bytes_come_as_a_web_page(client: Client) -> None:
    whole = client.get(RETURN).content
    client.set_fault(PLATFORM, "wrong_content_type", RETURN_ID)
    answer = client.get(RETURN)
    assert (answer.content, answer.headers["Content-Type"]) == (whole, "text/html; charset=utf-8")


def test_gzip_is_announced_to_whoever_takes_it_and_not_sent(client: Client) -> None:
    whole = client.get(RETURN).content
    client.set_fault(PLATFORM, "gzip_not_sent", RETURN_ID)
    with pytest.raises(requests.exceptions.ContentDecodingError):
        client.get(RETURN)
    assert client.get(RETURN, headers={"Accept-Encoding": "identity"}).content == whole


def listed(client: Client) -> list[dict[str, str]]:
    return list(client.get(f"{LISTING}?form=health_annual").json()["data"]["rows"])


def test_an_early_return_is_listed_and_there_before_its_day(client: Client) -> None:
    assert client.set_fault(PLATFORM, "early", "health_annual-2026").status_code == 200
    assert listed(client)[-1]["id"] == "health_annual-2026"
    assert client.get(f"{LISTING}/health_annual-2026").status_code == 200
    [verdict] = client.verdicts()
    assert (verdict["return_id"], verdict["outcome"]) == ("health_annual-2026", "read_right")


def test_a_return_is_listed_twice_in_the_same_words(client: Client) -> None:
    client.set_fault(PLATFORM, "listed_twice", RETURN_ID)
    rows = [row for row in listed(client) if row["id"] == RETURN_ID]
    assert len(rows) == 2
    assert rows[0] == rows[1]


def test_the_same_bytes_come_under_two_ids(client: Client) -> None:
    client.set_fault(PLATFORM, "same_bytes_twice", RETURN_ID)
    first, second = (row for row in listed(client) if row["period"] == "2024")
    assert (first["etag"], first["modified"]) == (second["etag"], second["modified"])
    assert client.get(f"{LISTING}/{first['id']}").content == client.get(f"{LISTING}/{second['id']}").content


def test_a_quiet_correction_has_the_old_time_and_another_tag(client: Client) -> None:
    before = next(row for row in listed(client) if row["id"] == RETURN_ID)
    client.set_fault(PLATFORM, "quiet_revision", RETURN_ID)
    after = next(row for row in listed(client) if row["id"] == RETURN_ID)
    assert after["modified"] == before["modified"]
    assert after["etag"] != before["etag"]


def test_a_missing_row_is_counted_all_the_same(client: Client) -> None:
    platform = "330000/health"
    client.set_fault(platform, "page_missing", RETURN_ID)
    data = client.get(f"/{platform}/returns/{RETURN_ID}").json()["data"]
    assert len(data["rows"]) == data["total"] - 1
