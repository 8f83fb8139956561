"""Pace, waits asked for, the breaker, and that one platform's trouble is nobody else's."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.errors import CircuitOpen, DeliveryInvalid, PlatformUnavailable
from resources.platforms import Delivery, Failure, PlatformClient, collect, collect_listings
from resources.platforms.access import Access, Breaker, Pace
from resources.platforms.crew import Crew, Question
from resources.platforms.http import retry_after
from resources.platforms.manners import Bucket, CircuitBreaker, Lane
from tests.resources.platform_servers import (
    FETCHED,
    FILE,
    LISTING,
    XLSX,
    Answer,
    Server,
    offer,
    ok,
    register_of,
    row,
    serving,
)

EMPTY = ok({"total": 0, "rows": []})
FILE_ANSWER = (200, {"Content-Type": XLSX}, b"PK")


class Time:
    """A clock that goes on when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


def client_of(server: Server, tmp_path: Path, **keys: object) -> PlatformClient:
    return PlatformClient(register_of(tmp_path, **keys), server.template, clock=lambda: FETCHED)


def incidents(client: PlatformClient) -> dict[tuple[str, str], int]:
    return {(each.platform, each.kind): each.count for each in client.incidents()}


def test_a_bucket_lets_a_burst_through_and_then_keeps_the_pace():
    time = Time()
    bucket = Bucket(Pace(requests_per_second=4), time)
    assert [bucket.take() for _ in range(6)] == [0, 0, 0, 0, 0.25, 0.5]
    assert bucket.seconds_until_free() == 0.75
    time.now += 10
    assert [bucket.take() for _ in range(5)] == [0, 0, 0, 0, 0.25]


@given(rate=st.floats(0.1, 100), steps=st.lists(st.floats(0, 3), max_size=30))
def test_for_any_arrivals_no_more_go_out_than_pace_and_burst_allow(rate: float, steps: list[float]):
    time = Time()
    bucket = Bucket(Pace(requests_per_second=rate), time)
    sent = []
    for step in steps:
        time.now += step
        sent.append(time.now + bucket.take())
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            assert last - first + 1 <= rate * (sent[last] - sent[first]) + max(1.0, rate) + 1 + 1e-6


def test_a_breaker_opens_tries_once_and_closes_on_an_answer():
    time = Time()
    breaker = CircuitBreaker(Breaker(failures=2, open_seconds=10), time)
    assert [breaker.failed(), breaker.failed()] == [False, True]
    assert (breaker.state, breaker.lets_through()) == ("open", False)
    time.now += 10
    assert breaker.state == "half-open"
    assert [breaker.lets_through(), breaker.lets_through()] == [True, False]
    assert breaker.failed() is True
    assert breaker.state == "open"
    time.now += 10
    assert breaker.lets_through() is True
    breaker.succeeded()
    assert (breaker.state, breaker.lets_through()) == ("closed", True)


def test_an_answer_between_failures_keeps_a_breaker_closed():
    breaker = CircuitBreaker(Breaker(failures=2, open_seconds=10), Time())
    for _ in range(5):
        breaker.failed()
        breaker.succeeded()
    assert breaker.state == "closed"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7), (" 7 ", 7), ("Tue, 24 Nov 2026 10:00:30 GMT", 30), ("Tue, 24 Nov 2026 09:00:00 GMT", 0),
        ("soon", 0), ("-3", 0), (None, 0), ("9" * 400, 999_999_999),
    ],
    ids=["seconds", "blanks", "date", "past date", "word", "negative", "none", "endless"],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_and_as_a_date(text: str | None, seconds: float):
    assert retry_after(text, datetime(2026, 11, 24, 10, tzinfo=UTC)) == seconds


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("way", ["seconds", "date"])
def test_a_wait_that_was_asked_for_is_kept_and_counted(server: Server, tmp_path: Path, status: int, way: str):
    moments: list[datetime] = []

    def answer(*_: object) -> Answer:
        moments.append(datetime.now(UTC))
        if len(moments) > 1:
            return EMPTY
        # A date has whole seconds: two of them are between one and two away.
        wait = "1" if way == "seconds" else format_datetime(moments[0] + timedelta(seconds=2), usegmt=True)
        return status, {"Retry-After": wait}, b""

    server.answers[LISTING] = answer
    client = client_of(server, tmp_path)
    assert client.list_returns("510000", "health").rows == ()
    assert moments[1] - moments[0] >= timedelta(seconds=0.9)
    kind = "too_many_requests" if status == 429 else "unavailable"
    assert incidents(client) == {("510000/health", kind): 1}


def test_a_wait_beyond_our_patience_is_told_without_asking_again(server: Server, tmp_path: Path):
    server.answers[LISTING] = (429, {"Retry-After": "3600"}, b"")
    client = client_of(server, tmp_path)
    for reason in ("asks for fewer requests", r"asks to be left alone for 3[56]\d\d s more"):
        with pytest.raises(PlatformUnavailable, match=reason) as caught:
            client.list_returns("510000", "health")
        assert caught.value.kind == "too_many_requests"
    assert server.asked()[LISTING] == 1


def test_the_wait_of_one_platform_is_not_that_of_another(server: Server, tmp_path: Path):
    server.answers[LISTING] = (429, {"Retry-After": "3600"}, b"")
    server.answers["/520000/health/returns"] = EMPTY
    client = client_of(server, tmp_path)
    with pytest.raises(PlatformUnavailable):
        client.list_returns("510000", "health")
    assert client.list_returns("520000", "health").rows == ()


def test_platforms_that_share_a_host_can_share_its_pace(server: Server, tmp_path: Path):
    client = client_of(server, tmp_path, pace={"requests_per_second": 5, "shared_host": True})
    assert client.lane("510000", "health").bucket is client.lane("520000", "health").bucket
    apart = client_of(server, tmp_path)
    assert apart.lane("510000", "health").bucket is not apart.lane("520000", "health").bucket


def test_a_platform_that_always_fails_is_left_alone_by_name(server: Server, tmp_path: Path):
    server.answers[LISTING] = (503, {}, b"")
    client = client_of(server, tmp_path, breaker={"failures": 3, "open_seconds": 600})
    with pytest.raises(PlatformUnavailable, match="is not available"):
        client.list_returns("510000", "health")
    with pytest.raises(
        CircuitOpen,
        match=r"left alone for 600 s after 3 failures in a row \(circuit open\); the last: is not available \(HTTP 503\)",
    ) as caught:
        client.list_returns("510000", "health")
    assert caught.value.kind == "circuit_open"
    assert server.asked()[LISTING] == 3
    assert incidents(client) == {("510000/health", "circuit_open"): 1}


def test_who_meets_the_trouble_that_opens_a_breaker_is_told_the_trouble(server: Server, tmp_path: Path):
    server.answers[LISTING] = (503, {}, b"")
    client = client_of(server, tmp_path, breaker={"failures": 2, "open_seconds": 600})
    with pytest.raises(PlatformUnavailable, match="is not available") as caught:
        client.list_returns("510000", "health")
    assert caught.value.kind == "unavailable"
    assert server.asked()[LISTING] == 2


def test_a_bug_of_ours_does_not_leave_a_breaker_half_open(server: Server, tmp_path: Path, monkeypatch):
    server.answers[LISTING] = (503, {}, b"")
    keys = {"breaker": {"failures": 1, "open_seconds": 0.01}, "retries": {"tries": 1}}
    client = client_of(server, tmp_path, **keys)
    with pytest.raises(PlatformUnavailable):
        client.list_returns("510000", "health")
    threading.Event().wait(0.02)
    with monkeypatch.context() as broken, pytest.raises(ZeroDivisionError):
        broken.setattr(client.asking, "_send", lambda *_: 1 / 0)
        client.list_returns("510000", "health")
    threading.Event().wait(0.02)
    server.answers[LISTING] = EMPTY
    assert client.list_returns("510000", "health").rows == ()


def test_a_platform_that_comes_back_is_asked_again(server: Server, tmp_path: Path):
    server.answers[LISTING] = [(503, {}, b""), EMPTY]
    keys = {"breaker": {"failures": 1, "open_seconds": 0.05}, "retries": {"tries": 3, "first_wait": 0.2}}
    client = client_of(server, tmp_path, **keys)
    assert client.list_returns("510000", "health").rows == ()
    assert client.lane("510000", "health").breaker.state == "closed"


def test_a_refusal_is_a_sign_of_life(server: Server, tmp_path: Path):
    server.answers[LISTING] = [(503, {}, b""), (404, {}, b"")]
    client = client_of(server, tmp_path, breaker={"failures": 2, "open_seconds": 600})
    for _ in range(4):
        with pytest.raises(Exception, match="does not know this address"):
            client.list_returns("510000", "health")
    assert client.lane("510000", "health").breaker.state == "closed"


def test_no_more_are_asked_at_a_time_than_the_platform_allows(server: Server, tmp_path: Path):
    lock, most, now = threading.Lock(), [0], [0]

    def answer(*_: object) -> Answer:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        threading.Event().wait(0.02)
        with lock:
            now[0] -= 1
        return FILE_ANSWER

    offers = [offer(f"r{number}") for number in range(20)]
    for each in offers:
        server.answers[f"/{each.platform}/returns/{each.return_id}"] = answer
    client = client_of(server, tmp_path, pace={"requests_per_second": 1000, "concurrency": 3})
    assert len(list(collect(client, offers, threads=8))) == 20
    assert most[0] <= 3


def test_platforms_that_hang_do_not_delay_20_others(server: Server, tmp_path: Path):
    """They hang until all others are done: with threads that wait in them this would never end."""
    release = threading.Event()

    def hang(*_: object) -> Answer:
        release.wait(60)
        return EMPTY

    hanging = [f"{number}0000" for number in range(11, 17)]
    others = [f"{number}0000" for number in range(30, 50)]
    for province in hanging:
        server.answers[f"/{province}/health/returns"] = hang
    for province in others:
        server.answers[f"/{province}/health/returns"] = EMPTY
    client = client_of(server, tmp_path)
    answers = collect_listings(client, [(province, "health") for province in [*hanging, *others]], threads=2)
    assert {next(answers).province for _ in others} == set(others)
    release.set()
    assert {each.province for each in answers} == set(hanging)


def test_a_slow_answer_is_counted(server: Server, tmp_path: Path):
    server.answers[LISTING] = lambda *_: threading.Event().wait(0.1) or EMPTY
    client = client_of(server, tmp_path, timeouts={"slow": 0.05})
    client.list_returns("510000", "health")
    assert incidents(client) == {("510000/health", "slow"): 1}


def test_while_one_platform_wants_a_wait_the_others_are_asked_by_a_single_thread(server: Server, tmp_path: Path):
    others_done = threading.Event()
    waited: list[bool] = []

    def busy(*_: object) -> Answer:
        waited.append(others_done.is_set())
        return (429, {"Retry-After": "2"}, b"") if len(waited) == 1 else FILE_ANSWER

    offers = [offer("r0", province="110000"), *(offer(f"r{number}", province="120000") for number in range(15))]
    server.answers["/110000/health/returns/r0"] = busy
    for each in offers[1:]:
        server.answers[f"/{each.platform}/returns/{each.return_id}"] = FILE_ANSWER
    results = collect(client_of(server, tmp_path), offers, threads=1)
    assert [next(results).offer.province for _ in offers[1:]] == ["120000"] * 15
    others_done.set()
    assert [each.offer.province for each in results] == ["110000"]
    assert waited == [False, True]


def test_of_a_platform_that_is_down_only_a_few_questions_are_asked(server: Server, tmp_path: Path):
    offers = [offer(f"r{number}") for number in range(40)]
    for each in offers:
        server.answers[f"/{each.platform}/returns/{each.return_id}"] = (503, {}, b"")
    results = list(collect(client_of(server, tmp_path), offers))
    assert {type(result) for result in results} == {Failure}
    assert len(results) == 40
    assert len(server.requests) == 6


def test_what_nobody_foresaw_is_the_trouble_of_one_platform(server: Server, tmp_path: Path, monkeypatch, caplog):
    client = client_of(server, tmp_path)
    monkeypatch.setattr(client, "fetch", lambda *_: 1 / 0)
    (failure,) = collect(client, [offer()])
    assert isinstance(failure, Failure)
    assert "nobody foresaw (ZeroDivisionError" in str(failure.error)
    assert "Traceback" in caplog.text  # a bug of ours is not swallowed: its trace is in the log


# --- answers that a review found to stop everybody ---


@pytest.mark.parametrize(
    "changes",
    [
        {"modified": "9999-12-31T23:59:59Z"}, {"modified": "0001-01-01T00:00:00+14:00"}, {"etag": ["a"]}, {"etag": 5},
        {"media_type": {"a": 1}},
    ],
    ids=["end of time", "begin of time", "etag a list", "etag a number", "type an object"],
)  # fmt: skip
def test_a_listing_that_cannot_be_recorded_is_refused_by_name(server: Server, tmp_path: Path, changes):
    server.answers[LISTING] = ok({"total": 1, "rows": [row(**changes)]})
    with pytest.raises(DeliveryInvalid, match="health_annual-2024"):
        client_of(server, tmp_path).list_returns("510000", "health")


def test_control_characters_of_a_listing_reach_no_record(server: Server, tmp_path: Path):
    server.answers[LISTING] = ok({"total": 1, "rows": [row(file_name="a\u0000b.xlsx", etag='"\u0007"')]})
    (offer,) = client_of(server, tmp_path).list_returns("510000", "health").rows
    assert (offer.file_name, offer.etag) == ("a␣b.xlsx", '"␣"')


def test_an_etag_that_no_header_can_carry_is_asked_without_condition(server: Server, tmp_path: Path):
    server.answers[FILE] = FILE_ANSWER
    assert isinstance(client_of(server, tmp_path).fetch(offer(), "报表-2"), Delivery)
    assert "If-None-Match" not in server.requests[-1][1]


def test_nothing_changed_without_having_been_asked_is_no_answer(server: Server, tmp_path: Path):
    server.answers[FILE] = (304, {}, b"")
    with pytest.raises(DeliveryInvalid, match="was not asked that"):
        client_of(server, tmp_path).fetch(offer())


@pytest.mark.parametrize(
    "text", ["²", "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 2024 00:00:00 +99999999999999999999"]
)
def test_a_retry_after_that_means_nothing_is_none(text: str):
    assert retry_after(text) == 0.0


def test_a_redirect_is_not_read_to_its_end(server: Server, tmp_path: Path):
    server.answers[FILE] = (302, {"Location": "/elsewhere", "Content-Encoding": "gzip"}, b"\x1f\x8b" + b"\0" * 1000)
    server.answers["/elsewhere"] = FILE_ANSWER
    assert isinstance(client_of(server, tmp_path).fetch(offer()), Delivery)


def test_who_stops_taking_stops_the_asking(server: Server, tmp_path: Path):
    offers = [offer(f"r{number}") for number in range(100)]
    for each in offers:
        server.answers[f"/{each.platform}/returns/{each.return_id}"] = FILE_ANSWER
    results = collect(client_of(server, tmp_path), offers, threads=2)
    assert isinstance(next(results), Delivery)
    results.close()
    assert len(server.requests) <= 6
    assert not [thread for thread in threading.enumerate() if thread.name == "collect"]


def test_a_request_tells_who_asks(server: Server, tmp_path: Path):
    server.answers[FILE] = FILE_ANSWER
    client_of(server, tmp_path, user_agent="junheng (statistics)", headers={"X-Office": "510"}).fetch(offer())
    sent = server.requests[0][1]
    assert (sent["User-Agent"], sent["X-Office"], sent["Accept-Encoding"]) == ("junheng (statistics)", "510", "gzip")


@given(counts=st.lists(st.integers(0, 6), min_size=1, max_size=6), threads=st.integers(1, 4))
def test_for_any_questions_each_is_asked_once_and_handed_over_once(counts: list[int], threads: int):
    questions = [Question(str(p), "health", (p, number)) for p, count in enumerate(counts) for number in range(count)]
    lanes = {str(p): Lane(Access(transport="listing", pace=Pace(requests_per_second=9999))) for p in range(len(counts))}
    handed: list[object] = []
    done = threading.Event()

    def answer(question: Question[object]):
        def hand_over() -> None:
            handed.append(question.asked)
            if len(handed) == len(questions):
                done.set()

        return hand_over, None

    crew = Crew(lambda province, _: lanes[province], answer, questions, threads)
    assert not questions or done.wait(10)
    crew.dismiss(time.monotonic() + 5)
    assert sorted(handed) == sorted(question.asked for question in questions)
