"""Ask many platforms at once, in bounded memory. One platform's trouble is a value, not an exception, and no one else's.

Here: many questions and their results. Not here: who asks what when (``crew``), how one question is asked (``asking``).
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from resources.errors import DeliveryInvalid, PlatformError
from resources.platforms.client import PlatformClient
from resources.platforms.crew import Crew, Question
from resources.platforms.model import Delivery, Listing, NotModified, Offer

# How often it is looked whether a thread hangs and another one should stand in for it.
WATCH_SECONDS = 0.1
# How long the end waits for threads in the middle of a request; they end with it, unheard.
FAREWELL_SECONDS = 1.0

log = logging.getLogger(__name__)

Asked = TypeVar("Asked")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Failure(Generic[Asked]):
    """What was asked for and did not come (an Offer, or province and sector), and why."""

    asked: Asked
    error: PlatformError


def collect(
    client: PlatformClient,
    offers: Iterable[Offer],
    threads: int = 8,
    etags: Mapping[tuple[str, str], str] | None = None,
) -> Iterator[Delivery | NotModified | Failure[Offer]]:
    """Fetch ``offers``; one result each, in the order in which they come.

    At most ``2 * threads`` deliveries are held at a time, and one more for each platform that hangs. Platforms take turns;
    one that hangs, or asks to be left alone, holds up nobody else. ``etags`` by (platform, return_id) ask conditionally.
    """
    known = etags or {}

    def ask(offer: Offer) -> Delivery | NotModified:
        return client.fetch(offer, known.get((offer.platform, offer.return_id)))

    questions = [Question(offer.province, offer.sector, offer) for offer in offers]
    return _ask_all(client, ask, questions, threads)


def collect_listings(
    client: PlatformClient,
    platforms: Sequence[tuple[str, str]],
    threads: int = 8,
    etags: Mapping[str, str] | None = None,
) -> Iterator[Listing | Failure[tuple[str, str]]]:
    """List the returns of each (province, sector); ``etags`` by platform name ask conditionally."""
    known = etags or {}

    def ask(platform: tuple[str, str]) -> Listing:
        province, sector = platform
        return client.list_returns(province, sector, known.get(f"{province}/{sector}"))

    questions = [Question(province, sector, (province, sector)) for province, sector in platforms]
    return _ask_all(client, ask, questions, threads)


def _ask_all(
    client: PlatformClient, ask: Callable[[Asked], Result], questions: list[Question[Asked]], threads: int
) -> Iterator[Result | Failure[Asked]]:
    """``ask`` each question by a crew of ``threads``; it stops when the caller stops taking."""
    results: queue.Queue[Result | Failure[Asked] | BaseException] = queue.Queue(maxsize=threads)
    stopped = threading.Event()

    def hand_over(result: Result | Failure[Asked] | BaseException) -> None:
        while not stopped.is_set():
            try:
                return results.put(result, timeout=0.2)
            except queue.Full:
                continue

    def answer(question: Question[Asked]) -> tuple[Callable[[], None], PlatformError | None]:
        try:
            result = ask(question.asked)
        except PlatformError as error:
            failure = Failure(question.asked, error)
            return (lambda: hand_over(failure)), error
        except Exception as error:  # nobody foresaw this answer: it is this platform's trouble and nobody else's
            log.exception("%s/%s gave an answer that nobody foresaw", question.province, question.sector)
            reason = f"gave an answer that nobody foresaw ({type(error).__name__}: {error})"
            unforeseen = DeliveryInvalid(f"{question.province}/{question.sector}", "", reason)
            failure = Failure(question.asked, unforeseen)
            return (lambda: hand_over(failure)), unforeseen
        except BaseException as error:  # the end of the program: raised again where the results are taken
            bug = error
            return (lambda: hand_over(bug)), None
        return (lambda: hand_over(result)), None

    crew = Crew(client.lane, answer, questions, threads)
    try:
        for _ in questions:
            result = _next(results, crew)
            if isinstance(result, BaseException):
                raise result
            yield result
    finally:
        stopped.set()
        crew.dismiss(time.monotonic() + FAREWELL_SECONDS)


def _next(results: queue.Queue[Result], crew: Crew[Asked]) -> Result:
    while True:
        crew.reinforce()
        try:
            return results.get(timeout=WATCH_SECONDS)
        except queue.Empty:
            continue
