"""What the rows of a mart rest on: which slices it has, and which slices of figures each needs besides its own.

Here: the few kinds of reach that marts have, as arithmetic on slices (indicator, period). Not here: figures. A mart whose
rows rest on more than its reach says is stale after a night; one that says too much is computed for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from warehouse.catalogue import Catalogue, Indicator
from warehouse.dependencies import KnownPeriods, part_slices, periods_of, weight_slices
from warehouse.panels import Slice
from warehouse.periods import PeriodKind, period_from_key
from warehouse.stocks import weight_periods

#: Kinds of period that a year has one of: what trends, convergence and ranks are made of.
ANNUAL_KINDS: frozenset[PeriodKind] = frozenset({"year", "school_year"})

SlicesOf = Callable[[Catalogue, KnownPeriods], set[Slice]]
RestsOn = Callable[[Slice, Catalogue, KnownPeriods], set[Slice]]


def is_annual(period_key: int) -> bool:
    """Whether a period is a year or a school year."""
    return period_from_key(period_key).kind in ANNUAL_KINDS


def slices_where(is_of_mart: Callable[[Indicator, Catalogue], bool], *, annual: bool = False) -> SlicesOf:
    """The slices of the indicators for which ``is_of_mart`` holds; ``annual``: of years and school years only."""

    def slices(catalogue: Catalogue, known: KnownPeriods) -> set[Slice]:
        return {
            (indicator.indicator_key, period)
            for indicator in catalogue.indicators.values()
            if is_of_mart(indicator, catalogue)
            for period in periods_of(indicator, catalogue, known)
            if not annual or is_annual(period)
        }

    return slices


def roster_slices(catalogue: Catalogue, known: KnownPeriods) -> set[Slice]:
    """The slices of rosters of schools, whose indicators are none of the catalogue's."""
    return {(key, period) for key in catalogue.school_keys for period in known.get(key, ())}


def has_standard(indicator: Indicator, catalogue: Catalogue) -> bool:
    """Whether a floor, target or reference is set for it."""
    return any(standard.indicator_code == indicator.code for standard in catalogue.standards)


def is_compared(indicator: Indicator, catalogue: Catalogue) -> bool:
    """Whether it may be compared between places."""
    return indicator.is_comparable


def any_indicator(indicator: Indicator, catalogue: Catalogue) -> bool:
    """Every indicator."""
    return True


def own_slice(key: Slice, catalogue: Catalogue, known: KnownPeriods) -> set[Slice]:
    """Nothing but its own figures."""
    return set()


def own_and_weights(key: Slice, catalogue: Catalogue, known: KnownPeriods) -> set[Slice]:
    """Its own figures and what weighs them."""
    return weight_slices(key, catalogue, known)


def own_parts_and_weights(key: Slice, catalogue: Catalogue, known: KnownPeriods) -> set[Slice]:
    """Its own figures, the parts of a rate, and what weighs them."""
    return part_slices(key, catalogue, known) | weight_slices(key, catalogue, known)


def own_history(key: Slice, catalogue: Catalogue, known: KnownPeriods) -> set[Slice]:
    """Its own figures of this and every earlier year (or school year)."""
    indicator = catalogue.by_key[key[0]]
    kind = period_from_key(key[1]).kind
    return {
        (key[0], period)
        for period in periods_of(indicator, catalogue, known)
        if period < key[1] and period_from_key(period).kind == kind
    }


def latest_of(codes: Iterable[str]) -> RestsOn:
    """Its own figures, and of each of these indicators the latest that may stand for its period (a stock, a budget)."""

    def rests_on(key: Slice, catalogue: Catalogue, known: KnownPeriods) -> set[Slice]:
        found: set[Slice] = set()
        for code in codes:
            other = catalogue.indicators[code]
            periods = weight_periods(other, key[1], periods_of(other, catalogue, known))
            found |= {(other.indicator_key, period) for period in periods}
        return found

    return rests_on


def all_of(*reaches: RestsOn) -> RestsOn:
    """What any of these rest on."""

    def rests_on(key: Slice, catalogue: Catalogue, known: KnownPeriods) -> set[Slice]:
        return {found for reach in reaches for found in reach(key, catalogue, known)}

    return rests_on


def touched(
    changed: Collection[Slice], slices: Iterable[Slice], rests_on: RestsOn, catalogue: Catalogue, known: KnownPeriods
) -> set[Slice]:
    """Of ``slices`` those that changed or rest on one that did."""
    altered = set(changed)
    return {key for key in slices if key in altered or not altered.isdisjoint(rests_on(key, catalogue, known))}


def needed(
    targets: Collection[Slice], rests_on: RestsOn, catalogue: Catalogue, known: Mapping[int, Collection[int]]
) -> set[Slice]:
    """The slices of figures to read in order to compute ``targets``."""
    return set(targets).union(*(rests_on(key, catalogue, known) for key in targets))
