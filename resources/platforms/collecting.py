"""Ask many platforms at once by threads, in bounded memory. One platform's trouble is a value, not an exception."""

from __future__ import annotations

import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Generic, TypeVar

from resources.errors import PlatformError, PlatformUnavailable
from resources.platforms.client import PlatformClient
from resources.platforms.model import Delivery, Listing, NotModified, Offer

# After so many returns of a platform that could not be had, each asked for three times, the rest is not asked for.
GIVE_UP_AFTER = 2

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

    At most ``2 * threads`` deliveries are held at a time. Platforms take turns, so that a slow one does not hold all
    threads. ``etags`` by (platform, return_id) ask conditionally.
    """
    known = etags or {}
    strikes: dict[str, PlatformUnavailable] = {}
    counts: dict[str, int] = defaultdict(int)

    def ask(offer: Offer) -> Delivery | NotModified:
        if counts[offer.platform] >= GIVE_UP_AFTER:
            raise strikes[offer.platform]
        try:
            return client.fetch(offer, known.get((offer.platform, offer.return_id)))
        except PlatformUnavailable as error:
            strikes[offer.platform] = error
            counts[offer.platform] += 1
            raise

    return _in_threads(ask, take_turns(offers), threads)


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

    return _in_threads(ask, platforms, threads)


def take_turns(offers: Iterable[Offer]) -> list[Offer]:
    """``offers`` so that platforms alternate; within a platform their order stays."""
    by_platform: dict[str, list[Offer]] = defaultdict(list)
    for offer in offers:
        by_platform[offer.platform].append(offer)
    rounds = zip_longest(*by_platform.values())
    return [offer for offer in chain.from_iterable(rounds) if offer is not None]


def _in_threads(
    ask: Callable[[Asked], Result], questions: Iterable[Asked], threads: int
) -> Iterator[Result | Failure[Asked]]:
    """``ask`` each question in ``threads`` threads; stops them when the caller stops taking."""
    waiting = iter(questions)
    lock = threading.Lock()
    stopped = threading.Event()
    results: queue.Queue[Result | Failure[Asked] | BaseException | None] = queue.Queue(maxsize=threads)

    def hand_over(result: Result | Failure[Asked] | BaseException | None) -> None:
        while not stopped.is_set():
            try:
                return results.put(result, timeout=0.2)
            except queue.Full:
                continue

    def work() -> None:
        while not stopped.is_set():
            with lock:
                question = next(waiting, None)
            if question is None:
                break
            try:
                hand_over(ask(question))
            except PlatformError as error:
                hand_over(Failure(question, error))
            except BaseException as error:  # a bug of ours: raised again where the results are taken
                hand_over(error)
                break
        hand_over(None)

    workers = [threading.Thread(target=work, name=f"collect-{number}", daemon=True) for number in range(threads)]
    for worker in workers:
        worker.start()
    try:
        working = threads
        while working:
            result = results.get()
            if result is None:
                working -= 1
            elif isinstance(result, BaseException):
                raise result
            else:
                yield result
    finally:
        stopped.set()
        for worker in workers:
            worker.join(timeout=1.0)  # one in the middle of a request ends with it, unheard
