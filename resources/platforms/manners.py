"""When a platform may be asked: its pace, the waits it asked for, and the breaker that leaves it alone.

Here: state and arithmetic of time, with the clock handed in, and the one place where a thread sleeps. Not here: HTTP.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

from resources.platforms.access import Access, Breaker, Pace

# How many requests a platform that was not asked for a while may get at once, in seconds' worth of its pace.
BURST_SECONDS = 1.0

parking: ContextVar[Callable[[bool], None] | None] = ContextVar("parking", default=None)
"""Told True by a thread that begins to wait for a platform and False when it goes on, so that whoever runs the threads
can put another to work meanwhile."""


@contextmanager
def parked() -> Iterator[None]:
    """While a thread waits: whoever runs it knows."""
    tell = parking.get()
    if tell is None:
        yield
        return
    tell(True)
    try:
        yield
    finally:
        tell(False)


def sleep_parked(seconds: float) -> None:
    """Sleep, parked."""
    if seconds > 0:
        with parked():
            time.sleep(seconds)


class Bucket:
    """A token bucket: ``requests_per_second``, with a burst of one second's worth (at least one request).

    It hands out moments rather than tokens: each request is told how long to wait, and keeps its place.
    """

    def __init__(self, pace: Pace, now: Callable[[], float] = time.monotonic) -> None:
        self._interval = 1.0 / pace.requests_per_second
        self._burst = max(1.0, pace.requests_per_second * BURST_SECONDS)
        self._now = now
        self._next = now() - self._burst * self._interval  # when the bucket would be full
        self._lock = threading.Lock()

    def take(self) -> float:
        """Take a place; seconds until it is there."""
        with self._lock:
            now = self._now()
            self._next = max(self._next, now - self._burst * self._interval) + self._interval
            return max(0.0, self._next - now)

    def seconds_until_free(self) -> float:
        """Seconds until a place would be free at once; nothing is taken."""
        with self._lock:
            return max(0.0, self._next + self._interval - self._now())


class CircuitBreaker:
    """Closed: asked. Open after ``failures`` transient failures in a row: not asked for ``open_seconds``.

    Half-open after that: one question goes through; its answer closes the breaker, its failure opens it again.
    """

    def __init__(self, settings: Breaker, now: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._now = now
        self._failures = 0
        self._opened_at: float | None = None
        self._is_tried = False
        self._lock = threading.Lock()

    @property
    def state(self) -> Literal["closed", "open", "half-open"]:
        """What would happen to a question now."""
        with self._lock:
            return self._state()

    @property
    def failures(self) -> int:
        """Transient failures in a row."""
        return self._failures

    def lets_through(self) -> bool:
        """Whether a question may go; where half-open, the one that is told True is the trial."""
        with self._lock:
            state = self._state()
            if state == "half-open" and not self._is_tried:
                self._is_tried = True
                return True
            return state == "closed"

    def succeeded(self) -> None:
        """An answer came: close."""
        with self._lock:
            self._failures, self._opened_at, self._is_tried = 0, None, False

    def failed(self) -> bool:
        """A transient failure; True where it has opened the breaker just now."""
        with self._lock:
            self._failures += 1
            if self._failures < self._settings.failures:
                return False
            was_open = self._opened_at is not None and not self._is_tried
            self._opened_at, self._is_tried = self._now(), False
            return not was_open

    def _state(self) -> Literal["closed", "open", "half-open"]:
        if self._opened_at is None:
            return "closed"
        return "half-open" if self._now() >= self._opened_at + self._settings.open_seconds else "open"


class Lane:
    """All that is remembered of the way to one platform: pace, penalty, breaker, how many may ask at once."""

    def __init__(self, access: Access, bucket: Bucket | None = None) -> None:
        pace = access.pace
        self.bucket = bucket or Bucket(pace)
        self.breaker = CircuitBreaker(access.breaker)
        self.concurrency = pace.concurrency
        self.patience = access.retries.patience
        self._gate = threading.BoundedSemaphore(pace.concurrency)
        self._not_before = 0.0
        self.last_trouble = ""  # in words, for who is told that the breaker is open

    def penalise(self, seconds: float) -> None:
        """Ask nothing for so long: the platform said so."""
        self._not_before = max(self._not_before, time.monotonic() + seconds)

    def penalty_seconds(self) -> float:
        """Seconds of the penalty that are left."""
        return max(0.0, self._not_before - time.monotonic())

    def seconds_until_ready(self) -> float:
        """Seconds until a question would go out at once. An open breaker is ready: it answers at once, with no."""
        if self.breaker.state == "open":
            return 0.0
        return max(self.penalty_seconds(), self.bucket.seconds_until_free())

    @contextmanager
    def place(self) -> Iterator[None]:
        """One of the places to ask at a time; waits for it."""
        if not self._gate.acquire(blocking=False):
            with parked():
                self._gate.acquire()
        try:
            yield
        finally:
            self._gate.release()
