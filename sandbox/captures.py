"""Published figures as they stood on the four days on which they were captured: real revisions, for nights that follow them.

What is here: `figures/captures.csv`, and printing a return as it was on a day. What is not here: figures that were
captured once (`published`), and faults.
"""

import csv
import dataclasses
import datetime as dt
import functools
from collections.abc import Sequence
from pathlib import Path

from sandbox.periods import SHANGHAI, ReturnPeriod
from sandbox.reference import FIGURES, Province, Series
from sandbox.tables import ReturnTable

Key = tuple[str, str, int]
"""(series label, province code, year)."""


@functools.cache
def load_captures(path: Path = FIGURES / "captures.csv") -> dict[Key, tuple[tuple[dt.date, str], ...]]:
    """(day, printed text) of each figure, oldest first: a day stands here where the figure was new or another."""
    found: dict[Key, list[tuple[dt.date, str]]] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines)
        years = [int(year) for year in next(reader)[5:]]
        for day, indicator_code, area_type, region_code, _, *printed in reader:
            for year, text in zip(years, printed, strict=True):
                if text:
                    key = (f"{indicator_code}@{area_type}", region_code, year)
                    found.setdefault(key, []).append((dt.date.fromisoformat(day), text))
    return {key: tuple(sorted(texts)) for key, texts in found.items()}


def captured_text(series: Series, province: Province, year: int, today: dt.date) -> tuple[dt.date, str] | None:
    """The newest capture of a figure by a day, and that day; None where it was not captured yet."""
    texts = load_captures().get((series.label, province.code, year), ())
    known = [capture for capture in texts if capture[0] <= today]
    return known[-1] if known else None


def print_as_captured(
    table: ReturnTable, columns: Sequence[Series], province: Province, period: ReturnPeriod, today: dt.date
) -> ReturnTable:
    """An annual return with the province's figures as they were captured by a day; any other return as it is."""
    if period.frequency != "A":
        return table
    first = list(table.rows[0])
    for place, series in enumerate(columns):
        capture = captured_text(series, province, period.year, today)
        if capture is not None:
            first[place] = capture[1]
    return dataclasses.replace(table, rows=(tuple(first), *table.rows[1:]))


def last_capture(
    columns: Sequence[Series], province: Province, period: ReturnPeriod, today: dt.date
) -> dt.datetime | None:
    """When the newest capture in an annual return was taken, at the end of that day; None where it has none by a day."""
    if period.frequency != "A":
        return None
    captures = [captured_text(series, province, period.year, today) for series in columns]
    days = [capture[0] for capture in captures if capture is not None]
    return dt.datetime.combine(max(days), dt.time(23), SHANGHAI) if days else None
