"""Which period's figure stands for a period: the one rule for rates, weights and their dependencies.

Here: pure arithmetic on period keys. Not here: figures.

*Exact*: where an indicator has periods of the wanted kind, its figure is the one of that very period. *Latest*: a stock
of another frequency (population, for a quarter or a school year) is the latest whose end is not after the period's
end and at most :data:`LOOK_BACK_YEARS` years older. A year's stock is the annual return's, never silently December's:
of two periods with one end the year comes first, and a year asks only years where the indicator has any.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache

from warehouse.catalogue import Indicator
from warehouse.periods import Period, PeriodKind, period_from_key

#: A stock older than this stands for nothing.
LOOK_BACK_YEARS = 2

_KINDS_OF_DERIVED: dict[str, frozenset[PeriodKind]] = {
    "A": frozenset({"year"}),
    "S": frozenset({"school_year"}),
    "Q": frozenset({"quarter", "cumulative", "year"}),
    "M": frozenset({"month", "cumulative", "year"}),
}


@cache
def _kinds(frequency: str, is_cumulative: bool, is_derived: bool) -> frozenset[PeriodKind]:
    kinds = _KINDS_OF_DERIVED[frequency]
    if is_derived or frequency in "AS":
        return kinds
    return kinds - ({"month", "quarter"} if is_cumulative else {"cumulative"})


def kinds_of(indicator: Indicator) -> frozenset[PeriodKind]:
    """The kinds of period an indicator has figures of: those of its frequency, and years from its annual return.

    A base flow is reported January-to-month, a base stock at the end of month or quarter; a derived indicator follows
    its numerator.
    """
    return _kinds(indicator.frequency, indicator.is_cumulative, indicator.kind == "derived")


@cache
def _ends(period_key: int) -> tuple[int, bool]:
    """Last day of a period as the number YYYYMMDD, and whether it is a year."""
    period: Period = period_from_key(period_key)
    return int(period.end.strftime("%Y%m%d")), period.kind == "year"


def _latest_first(kinds: frozenset[PeriodKind], period_key: int, known: Iterable[int]) -> list[int]:
    # A night asks the same of every mart; the hash of a frozen set is computed once.
    return list(_latest_known(kinds, period_key, known if isinstance(known, frozenset) else frozenset(known)))


@lru_cache(maxsize=50_000)
def _latest_known(kinds: frozenset[PeriodKind], period_key: int, known: frozenset[int]) -> tuple[int, ...]:
    wanted = period_from_key(period_key).kind
    kinds = frozenset({wanted}) if wanted in kinds else kinds
    end, _ = _ends(period_key)
    # On YYYYMMDD numbers two years are 2 00 00 (29 February is compared with the number 0229, which is right too).
    oldest = end - LOOK_BACK_YEARS * 10_000
    fitting = (key for key in known if period_from_key(key).kind in kinds and oldest <= _ends(key)[0] <= end)
    return tuple(sorted(fitting, key=_ends, reverse=True))


def part_periods(part: Indicator, period_key: int, known: Iterable[int]) -> list[int]:
    """Periods of a part of a rate that may stand for ``period_key``, best first; ``known`` are the part's periods."""
    if period_from_key(period_key).kind in kinds_of(part):
        return [period_key] if period_key in set(known) else []
    return _latest_first(kinds_of(part), period_key, known)


def weight_periods(weight: Indicator, period_key: int, known: Iterable[int]) -> list[int]:
    """Periods of a weight that may stand for ``period_key``, best first: always the latest, at most two years old."""
    return _latest_first(kinds_of(weight), period_key, known)
