"""What a text in a return says of time, and the period of a column. Not here: the grammar of codes (warehouse)."""

from __future__ import annotations

import re

from returns.conform.texts import squash
from warehouse.errors import PeriodError
from warehouse.periods import parse_period

_QUARTERS = {"一": 1, "二": 2, "三": 3, "四": 4, "1": 1, "2": 2, "3": 3, "4": 4}
_HALVES = {"上": 1, "下": 2}
_DASH = "[-—–~至]"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_MONTH = r"(?P<month>1[0-2]|0?[1-9])"

# In order: the first that fits the whole text, without white space, decides. ``2019A`` is left out on purpose: it is a
# quarter in one source and a year in another.
_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"{_YEAR}[/—–~-](?P<next>\d{{4}})学年(?:初|度)?"), "school_year"),
    (re.compile(rf"{_YEAR}年1{_DASH}{_MONTH}月份?"), "cumulative"),
    (re.compile(rf"{_YEAR}年?(?:第?(?P<quarter>[一二三四1-4])季度?|[Qq](?P<q>[1-4]))"), "quarter"),
    (re.compile(rf"{_YEAR}年(?P<half>[上下])半年"), "half"),
    (re.compile(rf"{_YEAR}年{_MONTH}月份?"), "month"),
    (re.compile(rf"{_YEAR}[-/.]{_MONTH}(?:[-/.]0?1)?"), "month"),
    (re.compile(rf"{_YEAR}(?P<month>0[1-9]|1[0-2])(?:MM)?"), "month"),
    (re.compile(rf"{_YEAR}(?:年度?|YY)?"), "year"),
)


def read_period(text: str) -> str | None:
    """The period code that ``text`` states, or None where it states none.

    ``2024年1-3月`` → ``2024-M01-M03``, ``2024年一季度`` → ``2024-Q1``, ``2023/2024学年初`` → ``SY2023``; a code of
    the warehouse is itself.
    """
    label = squash(text)
    for pattern, kind in _FORMS:
        if match := pattern.fullmatch(label):
            return _to_code(match, kind)
    try:
        return parse_period(label).code
    except PeriodError:
        return None


def _to_code(match: re.Match[str], kind: str) -> str | None:
    year, groups = int(match["year"]), match.groupdict()
    if kind == "school_year":
        return f"SY{year}" if int(match["next"]) == year + 1 else None
    if kind == "quarter":
        return f"{year}-Q{_QUARTERS[groups['quarter'] or groups['q']]}"
    if kind == "half":
        return f"{year}-H{_HALVES[match['half']]}"
    if kind == "year":
        return str(year)
    month = int(match["month"])
    return f"{year}-M01-M{month:02d}" if kind == "cumulative" else f"{year}-{month:02d}"


def states_period(title: str, expected: str) -> bool:
    """Whether a title's period is that of the return; a monthly return may name itself by its January-to-month sums."""
    stated = read_period(title)
    period = parse_period(expected)
    return stated is not None and stated in (expected, period.cumulated().code if period.kind == "month" else expected)


def column_period(return_period: str, *, is_cumulative: bool) -> str:
    """The period of a column: January to month for a flow that a monthly or quarterly return cumulates."""
    period = parse_period(return_period)
    if is_cumulative and period.kind in ("month", "quarter"):
        return period.cumulated().code
    return period.code


def owes_cumulative(return_period: str) -> bool:
    """Whether a return of that period carries cumulated columns: January's monthly one does not."""
    period = parse_period(return_period)
    return not (period.kind == "month" and period.month == 1)
