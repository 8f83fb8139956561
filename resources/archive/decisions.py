"""What people (and the policy) decided, as the archive remembers it: lines beside the manifests, so that a rebuild needs no
database. Not here: deciding.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from resources.errors import ArchiveError

DECISIONS = "decisions"
"""Name under which they stand among the manifests."""


@dataclass(frozen=True, slots=True)
class Decision:
    """``waive`` a check for bytes, or ``hold``, ``embargo``, ``approve``, ``refuse``, ``withdraw`` a release."""

    action: str
    operator: str
    why: str | None
    decided_at: datetime
    sha256: str | None = None
    """Bytes that a check lets pass."""
    check_id: str | None = None
    release_recorded_at: datetime | None = None
    """The release, by the moment its figures were recorded at: numbers are a database's own."""
    live_at: datetime | None = None

    def to_json(self) -> str:
        """One line, without its end."""
        row = {name: getattr(self, name) for name in _FIELDS}
        told = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str) -> Decision:
        """The decision of a line; ValueError where it is none."""
        row = json.loads(line)
        if not isinstance(row, dict) or not {"action", "operator", "decided_at"} <= row.keys():
            raise ValueError("a line must be an object with action, operator and decided_at")
        known: dict[str, Any] = {name: row.get(name) for name in _FIELDS}
        for name in _MOMENTS:
            known[name] = None if known[name] is None else datetime.fromisoformat(known[name])
        return cls(**known)


_MOMENTS = ("decided_at", "release_recorded_at", "live_at")
_FIELDS = ("action", "operator", "why", "decided_at", "sha256", "check_id", "release_recorded_at", "live_at")


def read_decision_lines(lines: Iterable[str], where: str) -> Iterator[Decision]:
    """The decisions of a file's lines; a last line that a crash cut off is passed over."""
    for number, line in enumerate(lines, start=1):
        if not line.endswith("\n"):
            return
        try:
            yield Decision.from_json(line)
        except (ValueError, TypeError) as error:
            raise ArchiveError(f"{where}, line {number}: no decision ({error}); restore the file") from error
