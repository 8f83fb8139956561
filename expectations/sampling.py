"""The few broken rows a person looks at first, as plain dicts. Not here: the complete list (an outcome's ``rows``)."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from expectations.model import Check

SAMPLE_SIZE = 5


def sample_rows(check: Check, broken: pd.DataFrame, identity: tuple[str, ...]) -> tuple[dict[str, Any], ...]:
    """At most five rows of ``broken``, of different returns first: identity, evidence and the reason in words."""
    if broken.empty:
        return ()
    if "arrival_id" in broken.columns:
        of_each_return = broken.index[~broken["arrival_id"].duplicated().to_numpy()][:SAMPLE_SIZE]
        others = broken.index[: 2 * SAMPLE_SIZE].difference(of_each_return, sort=False)
        chosen = [*of_each_return, *others][:SAMPLE_SIZE]
        broken = broken.loc[sorted(chosen)]
    return _describe_rows(check, broken.head(SAMPLE_SIZE), identity)


def first_findings(check: Check, broken: pd.DataFrame, identity: tuple[str, ...]) -> dict[int, str]:
    """The first broken row of every return in words: its address, then the reason."""
    if broken.empty or "arrival_id" not in broken.columns:
        return {}
    firsts = broken[~broken["arrival_id"].duplicated().to_numpy() & broken["arrival_id"].notna().to_numpy()]
    described = _describe_rows(check, firsts, identity)
    return {int(row["arrival_id"]): f"{row['address'] or 'no address'}: {row['reason']}" for row in described}


def _describe_rows(check: Check, rows: pd.DataFrame, identity: tuple[str, ...]) -> tuple[dict[str, Any], ...]:
    columns = [c for c in dict.fromkeys((*identity, *check.evidence)) if c in rows.columns]
    records = rows[columns].to_dict("records")
    return tuple(
        _describe(check, {str(name): _plain(value) for name, value in record.items()}, columns) for record in records
    )


def _describe(check: Check, record: dict[str, Any], columns: list[str]) -> dict[str, Any]:
    facts = {name: _Said(value) for name, value in record.items()}
    return {**{name: record[name] for name in columns}, "reason": check.reason.format(**facts)}


def _plain(value: Any) -> Any:
    """A value JSON knows: no numpy, no NaN; an infinity as its word."""
    if hasattr(value, "item"):
        value = value.item()
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return value if math.isfinite(value) else str(value)
    return value if isinstance(value, bool | int | str) else str(value)


class _Said:
    """A value in a sentence: null is said as "blank" under any number format."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __format__(self, spec: str) -> str:
        if self.value is None:
            return "blank"
        return format(self.value, spec) if isinstance(self.value, int | float) else str(self.value)

    def __str__(self) -> str:
        return format(self, "")
