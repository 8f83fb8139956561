"""What rests on what: from the slices a load changed to all that must be computed again, and back to what that needs.

Here: arithmetic on slices (indicator, period), from the catalogue's formulas and the one rule of which period stands
for which (``warehouse.stocks``). Not here: figures. When a denominator changes, all that rests on it belongs to the
changed set; when a weight changes, so do the means and inequalities it weighs.

``known_periods`` is, by indicator key, every period the warehouse has figures of *after* the load (base indicators
suffice: a derived one has the periods of its first numerator).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from warehouse.catalogue import Catalogue, Indicator
from warehouse.deriving import rate_parts
from warehouse.panels import AREA_KEYS, Slice
from warehouse.periods import period_from_key
from warehouse.stocks import kinds_of, part_periods, weight_periods

KnownPeriods = Mapping[int, Collection[int]]


class Dependents(NamedTuple):
    """What a change asks for: ``observations``, slices whose derived or national figures must be computed again, and
    ``metrics``, slices whose rows in the marts must (the changed ones among them)."""

    observations: frozenset[Slice]
    metrics: frozenset[Slice]


def dependent_slices(changed: Collection[Slice], catalogue: Catalogue, known_periods: KnownPeriods) -> Dependents:
    """Everything that rests on the changed slices.

    ``observations``: the changed slices that have a national row, rates with a changed part, weighted means with a
    changed weight. ``metrics``: the changed slices, those observations, and comparable indicators with a changed
    weight. A slice is named where it *may* change: a stock of 2022 may stand for 2024 where 2023 is blank.
    """
    altered = _by_indicator(changed)
    observations = {key for key in changed if catalogue.by_key[key[0]].aggregation != "none"}
    metrics = set(changed)
    for indicator in catalogue.indicators.values():
        for period in periods_of(indicator, catalogue, known_periods):
            key = (indicator.indicator_key, period)
            if key not in observations and _touches(altered, part_slices(key, catalogue, known_periods)):
                observations.add(key)
            if _touches(altered, weight_slices(key, catalogue, known_periods)):
                metrics.add(key)
                if indicator.aggregation == "weighted_mean":
                    observations.add(key)
    return Dependents(frozenset(observations), frozenset(metrics | observations))


def required_slices(targets: Collection[Slice], catalogue: Catalogue, known_periods: KnownPeriods) -> frozenset[Slice]:
    """The slices of figures to read in order to compute ``targets``, observations or metrics.

    The targets themselves, the parts of rates, and weights with their look-back; only what the warehouse knows.
    """
    needed: set[Slice] = set(targets)
    for key in targets:
        needed |= part_slices(key, catalogue, known_periods)
        needed |= weight_slices(key, catalogue, known_periods)
    return frozenset(needed)


def periods_of(indicator: Indicator, catalogue: Catalogue, known_periods: KnownPeriods) -> list[int]:
    """The periods an indicator has or can be computed for, ascending."""
    if indicator.kind == "base":
        return sorted(known_periods.get(indicator.indicator_key, ()))
    first = catalogue.indicators[indicator.terms("numerator")[0][0]]
    kinds = kinds_of(indicator)
    return [
        period for period in sorted(known_periods.get(first.indicator_key, ())) if period_from_key(period).kind in kinds
    ]


def _by_indicator(slices: Collection[Slice]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for indicator_key, period in slices:
        found.setdefault(indicator_key, set()).add(period)
    return found


def _touches(altered: Mapping[int, set[int]], needed: set[Slice]) -> bool:
    return any(period in altered.get(indicator_key, ()) for indicator_key, period in needed)


def part_slices(key: Slice, catalogue: Catalogue, known_periods: KnownPeriods) -> set[Slice]:
    """Slices a rate may take its parts from; none for a base indicator."""
    indicator = catalogue.by_key[key[0]]
    if indicator.kind == "base":
        return set()
    parts = {part.code: part for area in AREA_KEYS.values() for part, _ in rate_parts(catalogue, indicator, area) or ()}
    return {
        (part.indicator_key, period)
        for part in parts.values()
        for period in part_periods(part, key[1], known_periods.get(part.indicator_key, ()))
    }


def weight_slices(key: Slice, catalogue: Catalogue, known_periods: KnownPeriods) -> set[Slice]:
    """Slices that may weigh an indicator: where it is compared between places or averaged for the nation."""
    indicator = catalogue.by_key[key[0]]
    is_weighed = indicator.is_comparable or indicator.aggregation == "weighted_mean"
    if indicator.weight_indicator is None or not is_weighed:
        return set()
    weight = catalogue.indicators[indicator.weight_indicator]
    known = known_periods.get(weight.indicator_key, ())
    return {(weight.indicator_key, period) for period in weight_periods(weight, key[1], known)}
