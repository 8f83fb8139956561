"""What the rows of a mart rest on: which slices it has, and which slices of figures each needs besides its own.

Here: the few kinds of reach that marts have, as arithmetic on slices (indicator, period). Not here: figures. A mart whose
rows rest on more than its reach says is stale after a night; one that says too much is computed for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from warehouse.catalogue import Catalogue, Indicator
from warehouse.catalogue.indices import Member
from warehouse.dependencies import KnownPeriods, part_slices, periods_of, weight_slices
from warehouse.panels import Slice
from warehouse.periods import PeriodKind, period_from_key, school_year, year
from warehouse.stocks import kinds_of, weight_periods

#: Kinds of period that a year has one of: what trends, convergence and ranks are made of.
ANNUAL_KINDS: frozenset[PeriodKind] = frozenset({"year", "school_year"})

#: Keys of all years and school years, so that those an indicator has are found at once.
_ANNUAL_KEYS: Mapping[PeriodKind, frozenset[int]] = {
    "year": frozenset(year(number).key for number in range(1900, 2100)),
    "school_year": frozenset(school_year(number).key for number in range(1900, 2100)),
}

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
    return indicator.code in catalogue.judged_codes


def is_compared(indicator: Indicator, catalogue: Catalogue) -> bool:
    """Whether it may be compared between places."""
    return indicator.is_comparable


def has_standard_of_comparison(indicator: Indicator, catalogue: Catalogue) -> bool:
    """Whether places are judged together by a standard for it: a floor of a count says nothing over several places."""
    return indicator.is_comparable and has_standard(indicator, catalogue)


def has_cost_rule(indicator: Indicator, catalogue: Catalogue) -> bool:
    """Whether it is an amount a head with a standard, and the catalogue says whom it is paid to."""
    return indicator.code in catalogue.cost_rules and has_standard(indicator, catalogue)


def has_better_side(indicator: Indicator, catalogue: Catalogue) -> bool:
    """Whether it may be compared between places, and more or less of it is better."""
    return indicator.is_comparable and indicator.direction != "neutral"


def is_resource(indicator: Indicator, catalogue: Catalogue) -> bool:
    """Whether its agglomeration is asked for."""
    return any(row.indicator_code == indicator.code for row in catalogue.resources)


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


def recent_years(years: int, each_on: RestsOn) -> RestsOn:
    """Its own figures of the ``years`` years (or school years) before, and of each what ``each_on`` says; of a month or quarter
    nothing more."""

    def rests_on(key: Slice, catalogue: Catalogue, known: KnownPeriods) -> set[Slice]:
        if not is_annual(key[1]):
            return set()
        # Starts of whole years are 10,000 apart in keys; a school year never has the key of a year.
        own = known.get(key[0]) or periods_of(catalogue.by_key[key[0]], catalogue, known)
        before = [(key[0], key[1] - 10_000 * number) for number in range(1, years + 1)]
        found = {slice_ for slice_ in before if slice_[1] in own}
        return found.union(*(each_on(slice_, catalogue, known) for slice_ in found))

    return rests_on


def latest_of(codes: Iterable[str]) -> RestsOn:
    """Its own figures, and of each of these indicators the latest that may stand for its period (a stock, a budget)."""

    def rests_on(key: Slice, catalogue: Catalogue, known: KnownPeriods) -> set[Slice]:
        found: set[Slice] = set()
        for code in codes:
            other = catalogue.indicators.get(code)
            if other is None:  # a catalogue may do without it: nothing rests on what is not there
                continue
            periods = weight_periods(other, key[1], periods_of(other, catalogue, known))
            found |= {(other.indicator_key, period) for period in periods}
        return found

    return rests_on


def own_and_cost_parts(key: Slice, catalogue: Catalogue, known: KnownPeriods) -> set[Slice]:
    """Its own figures, whom they are paid to, and the budgets."""
    rule = catalogue.cost_rules[catalogue.by_key[key[0]].code]
    return latest_of((rule.heads_indicator, rule.budget_indicator))(key, catalogue, known)


def index_slices(*, only_overall: bool = False) -> SlicesOf:
    """The slices of the composite indices (``only_overall``: over all sectors): years in which any member has figures."""

    def slices(catalogue: Catalogue, known: KnownPeriods) -> set[Slice]:
        return {
            (index.index_key, year(period // 10_000).key)
            for index in catalogue.indices.values()
            if index.sector == "overall" or not only_overall
            for member in catalogue.index_members[index.code]
            for period in _annual_periods(member, catalogue, known)
        }

    return slices


def members_of_all_years(key: Slice, catalogue: Catalogue, known: KnownPeriods) -> set[Slice]:
    """Of an index the figures of all members in all years: its weights and scale are fitted on them together."""
    index = catalogue.index_by_key[key[0]]
    return {
        (member.indicator.indicator_key, period)
        for member in catalogue.index_members[index.code]
        for period in _annual_periods(member, catalogue, known)
    }


def _annual_periods(member: Member, catalogue: Catalogue, known: KnownPeriods) -> frozenset[int]:
    """The years or school years a member has or can be computed for."""
    indicator = member.indicator
    source = indicator if indicator.kind == "base" else catalogue.indicators[indicator.terms("numerator")[0][0]]
    kind: PeriodKind = "school_year" if "school_year" in kinds_of(indicator) else "year"
    return _ANNUAL_KEYS[kind].intersection(known.get(source.indicator_key, ()))


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
