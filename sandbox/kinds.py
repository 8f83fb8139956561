"""What may go wrong, as data: `nights/faults.csv` read into frozen records, and the presets of `nights/presets.csv`.

What is here: each fault's family, where it applies and what a right reader does about it. What is not here: which faults
are on (`faults`), what they do (`spoiling`, `printing`, `transport`), where a preset puts them (`presets`).
"""

import dataclasses
import functools
from pathlib import Path

from sandbox.reference import read_rows

NIGHTS = Path(__file__).resolve().parent / "nights"
FAMILIES = ("transport", "carrier", "structure", "figures")
LEVELS = ("answer", "listing", "bytes")
SCOPES = ("platform", "return", "next")
OUTCOMES = ("not_collected", "quarantined_whole", "cells_quarantined", "figures_wrong", "overcome", "read_right")
"""What becomes of a return, the gravest first: of several faults the gravest decides."""


@dataclasses.dataclass(frozen=True)
class FaultKind:
    """One fault: a row of `nights/faults.csv`."""

    name: str
    family: str
    level: str
    """`answer`: how the server answers; `listing`: what is listed; `bytes`: the return itself, with another ETag."""
    scope: str
    """Where a preset puts it: on a `platform`, on a `return`, or on a form's `next` one, not published yet."""
    carriers: tuple[str, ...]
    sectors: tuple[str, ...]
    """Empty: all."""
    outcomes: tuple[str, ...]
    """What a right reader does; after the first, what it may do as well."""
    reasons: tuple[str, ...]
    """Words of which one names it: failure, incident, or quarantine reason. Empty where there is nothing to name."""
    strength: float
    """Requests, or seconds, as `meaning` says; 0 where there is no more or less of it."""
    meaning: str

    def applies(self, carrier: str, sector: str) -> bool:
        """Whether a platform of this carrier and sector can have it."""
        return carrier in self.carriers and (not self.sectors or sector in self.sectors)


def _read_kind(row: dict[str, str]) -> FaultKind:
    outcomes = tuple(row["outcomes"].split())
    for column, value, known in [
        ("family", (row["family"],), FAMILIES),
        ("level", (row["level"],), LEVELS),
        ("scope", (row["scope"],), SCOPES),
        ("outcomes", outcomes, OUTCOMES),
    ]:
        if not value or not set(value) <= set(known):
            raise ValueError(f"nights/faults.csv: {row['name']}: {column} {value} is not among {', '.join(known)}")
    return FaultKind(
        name=row["name"],
        family=row["family"],
        level=row["level"],
        scope=row["scope"],
        carriers=tuple(row["carriers"].split()),
        sectors=tuple(row["sectors"].split()),
        outcomes=outcomes,
        reasons=tuple(row["reasons"].split()),
        strength=float(row["strength"] or 0),
        meaning=row["meaning"],
    )


@functools.cache
def load_kinds() -> dict[str, FaultKind]:
    """All faults by name, in the order of the file; raises `ValueError` where a row is wrong."""
    kinds = [_read_kind(row) for row in read_rows(NIGHTS / "faults.csv")]
    return {kind.name: kind for kind in kinds}


@functools.cache
def load_presets() -> dict[str, dict[str, int]]:
    """Presets by name: fault → in how many places; raises `ValueError` where a fault is unknown."""
    presets: dict[str, dict[str, int]] = {}
    for row in read_rows(NIGHTS / "presets.csv"):
        if row["fault"] not in load_kinds():
            raise ValueError(f"nights/presets.csv: no fault is called {row['fault']}")
        presets.setdefault(row["preset"], {})[row["fault"]] = int(row["places"])
    return presets
