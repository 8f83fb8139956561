"""One receipt as the archive remembers it: a line of a manifest. Not here: where manifests stand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from resources.errors import ArchiveError


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One receipt as the archive remembers it; times with zone."""

    platform: str  # 510000/health
    form: str
    region_code: str
    period_code: str
    sequence: int  # 1 for the first delivery of this platform, form and period
    sha256: str
    bytes: int
    file_name: str
    media_type: str
    modified_at: datetime | None  # as the platform says
    fetched_at: datetime
    etag: str | None
    recorded_at: datetime  # the moment of the refresh, used again by a rebuild
    refresh: str

    def to_json(self) -> str:
        """One line, without its end."""
        row = asdict(self) | {name: _iso(getattr(self, name)) for name in ("modified_at", "fetched_at", "recorded_at")}
        return json.dumps(row, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str) -> ManifestEntry:
        """The entry of a line; ValueError where it is none. Fields that a later version added are left out."""
        row = json.loads(line)
        if not isinstance(row, dict):
            raise ValueError("a line must be an object")
        lacking = ENTRY_FIELDS - row.keys()
        if lacking:
            raise ValueError(f"lacks {', '.join(sorted(lacking))}")
        known: dict[str, Any] = {name: row[name] for name in ENTRY_FIELDS}
        for name in ("modified_at", "fetched_at", "recorded_at"):
            known[name] = None if known[name] is None else datetime.fromisoformat(known[name])
        return cls(**known)


ENTRY_FIELDS = frozenset(field.name for field in fields(ManifestEntry))


def read_lines(lines: Iterable[str], where: str) -> Iterator[ManifestEntry]:
    """The entries of a manifest's lines, each with its line end.

    A last line that a crash cut off is passed over; any other line that cannot be read is an ArchiveError.
    """
    for number, line in enumerate(lines, start=1):
        if not line.endswith("\n"):
            return
        try:
            yield ManifestEntry.from_json(line)
        except (ValueError, TypeError) as error:
            raise ArchiveError(f"{where}, line {number}: no manifest entry ({error}); restore the file") from error


def latest_entries(entries: Iterable[ManifestEntry]) -> list[ManifestEntry]:
    """One entry a delivery, in the order in which they were recorded: what receipts are rebuilt from.

    The last line of a delivery counts: where a refresh broke off, the one that read what it left wrote another.
    """
    last: dict[tuple[str, str, str, int], ManifestEntry] = {}
    for entry in sorted(entries, key=lambda each: (each.recorded_at, each.refresh)):
        last[entry.platform, entry.form, entry.period_code, entry.sequence] = entry
    return sorted(
        last.values(), key=lambda each: (each.recorded_at, each.platform, each.form, each.period_code, each.sequence)
    )


def _iso(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ArchiveError(f"the time {moment} has no zone")
    return moment.isoformat()
