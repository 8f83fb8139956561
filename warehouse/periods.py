"""Periods: one span of time has one code, one integer key and one pair of dates.

Here: the grammar of period codes and the arithmetic on them. Not here: what a text in a return means (returns room),
nor which periods are due (pipelines).

========== ============== =============================== ==========
code       kind           span                            key
========== ============== =============================== ==========
2024       year           calendar year                   20240112
2024-H1    half           half-year                       20240106
2024-Q2    quarter        quarter alone                   20240403
2024-03    month          month alone                     20240301
2024-M01-M03 cumulative   January to March                20240123
SY2024     school_year    1 September 2024 to 31 August   20240912
========== ============== =============================== ==========

The key is YYYYMM of the first month × 100 + months of the span (+ 20 for January-to-month sums), so that keys sort by
start and a range of keys is a range of starts (the fact table is partitioned by it).
"""

from __future__ import annotations

import calendar
import datetime
import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from warehouse.errors import PeriodError

PeriodKind = Literal["year", "half", "quarter", "month", "cumulative", "school_year"]

_CUMULATIVE_OFFSET = 20
_PATTERN = re.compile(
    r"(?P<school>SY)?(?P<year>(?:19|20)[0-9]{2})"
    r"(?:-(?:Q(?P<quarter>[1-4])|H(?P<half>[12])|M01-M(?P<until>[0-9]{2})|(?P<month>[0-9]{2})))?"
)


@dataclass(frozen=True, order=True)
class Period:
    """A span of whole months; ``year`` and ``month`` are of its first month, ``months`` its length."""

    year: int
    month: int
    months: int
    kind: PeriodKind

    @property
    def key(self) -> int:
        """Integer key: sorts by start, then by length (see the module's table)."""
        offset = _CUMULATIVE_OFFSET if self.kind == "cumulative" else 0
        return (self.year * 100 + self.month) * 100 + offset + self.months

    @property
    def code(self) -> str:
        """The pinned code, as marts show it."""
        match self.kind:
            case "year":
                return f"{self.year}"
            case "school_year":
                return f"SY{self.year}"
            case "half":
                return f"{self.year}-H{(self.month + 5) // 6}"
            case "quarter":
                return f"{self.year}-Q{(self.month + 2) // 3}"
            case "month":
                return f"{self.year}-{self.month:02d}"
            case "cumulative":
                return f"{self.year}-M01-M{self.months:02d}"

    @property
    def start(self) -> datetime.date:
        """First day."""
        return datetime.date(self.year, self.month, 1)

    @property
    def end(self) -> datetime.date:
        """Last day."""
        year, month0 = divmod(self.year * 12 + self.month - 1 + self.months - 1, 12)
        return datetime.date(year, month0 + 1, calendar.monthrange(year, month0 + 1)[1])

    @property
    def standard_date(self) -> datetime.date:
        """The day whose standards judge this period: the last, for a school year its 1 September."""
        return self.start if self.kind == "school_year" else self.end

    def cumulated(self) -> Period:
        """The January-to-month period that ends where this month or quarter ends."""
        return Period(self.year, 1, self.month + self.months - 1, "cumulative")

    def next(self) -> Period:
        """The following period of the same kind and length (for a cumulative one: one month longer)."""
        if self.kind == "cumulative":
            longer = self.months + 1
            return Period(self.year, 1, longer, self.kind) if longer <= 12 else Period(self.year + 1, 1, 1, self.kind)
        year, month0 = divmod(self.year * 12 + self.month - 1 + self.months, 12)
        return Period(year, month0 + 1, self.months, self.kind)


def year(number: int) -> Period:
    """The calendar year ``number``."""
    return Period(number, 1, 12, "year")


def school_year(number: int) -> Period:
    """The school year that begins on 1 September of ``number``."""
    return Period(number, 9, 12, "school_year")


def quarter(number: int, index: int) -> Period:
    """Quarter ``index`` (1 to 4) of the year ``number``."""
    return Period(number, 3 * index - 2, 3, "quarter")


def month(number: int, index: int) -> Period:
    """Month ``index`` (1 to 12) of the year ``number``."""
    return Period(number, index, 1, "month")


def cumulative(number: int, until: int) -> Period:
    """January to month ``until`` of the year ``number``."""
    return Period(number, 1, until, "cumulative")


@cache
def parse_period(text: str) -> Period:
    """The period of a code.

    Raises :class:`warehouse.errors.PeriodError` where ``text`` is no code of the module's table.
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise PeriodError(text)
    number = int(match["year"])
    detail = next((name for name in ("quarter", "half", "until", "month") if match[name]), None)
    if match["school"]:
        if detail:
            raise PeriodError(text)
        return school_year(number)
    if detail is None:
        return year(number)
    index = int(match[detail])
    if detail == "quarter":
        return quarter(number, index)
    if detail == "half":
        return Period(number, 6 * index - 5, 6, "half")
    if not 1 <= index <= 12:
        raise PeriodError(text)
    return cumulative(number, index) if detail == "until" else month(number, index)


@cache
def period_from_key(key: int) -> Period:
    """The period of an integer key.

    Raises :class:`warehouse.errors.PeriodError` where no period has that key.
    """
    start, span = divmod(int(key), 100)
    number, first = divmod(start, 100)
    if not 1 <= first <= 12:
        raise PeriodError(str(key))
    if span > _CUMULATIVE_OFFSET:
        period = Period(number, first, span - _CUMULATIVE_OFFSET, "cumulative")
    else:
        kinds: dict[int, PeriodKind] = {1: "month", 3: "quarter", 6: "half", 12: "year"}
        kind = "school_year" if span == 12 and first == 9 else kinds.get(span)
        if kind is None:
            raise PeriodError(str(key))
        period = Period(number, first, span, kind)
    if parse_period(period.code) != period:
        raise PeriodError(str(key))
    return period
