"""Trouble with platforms that was overcome, counted. Not here: trouble that was not (resources.errors)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from resources.errors import clean

INCIDENT_KINDS = (
    "unavailable",
    "too_many_requests",
    "timed_out",
    "truncated_body",
    "broken_answer",
    "slow",
    "renewed_token",
    "resumed_body",
    "redirected",
    "gzip_not_sent",
    "wrong_content_type",
    "circuit_open",
)
"""What can be overcome: by asking again, waiting, going on where an answer broke off, following, or leaving alone."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One kind of trouble with one platform since the client was made."""

    platform: str
    kind: str  # of INCIDENT_KINDS
    count: int
    first_at: datetime
    last_at: datetime
    message: str  # of the last one


class IncidentLog:
    """Counts by platform and kind; safe to share between threads."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str], Incident] = {}
        self._lock = threading.Lock()

    def note(self, platform: str, kind: str, message: str) -> None:
        """Count one more."""
        now, message = self._clock(), clean(message)
        with self._lock:
            known = self._known.get((platform, kind)) or Incident(platform, kind, 0, now, now, message)
            self._known[platform, kind] = replace(known, count=known.count + 1, last_at=now, message=message)

    def all(self) -> list[Incident]:
        """What was counted so far, by platform and kind."""
        with self._lock:
            return [self._known[key] for key in sorted(self._known)]

    def take(self) -> list[Incident]:
        """As :meth:`all`; what was taken is not counted again."""
        with self._lock:
            taken = [self._known[key] for key in sorted(self._known)]
            self._known.clear()
            return taken
