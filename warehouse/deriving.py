"""Figures computed from figures: derived indicators, and the nation from its provinces.

Here: rates (multiplier × Σ numerators / denominator) and national sums, ratios of sums and weighted means, both from
and to the frame of figures (``warehouse.panels.FIGURE_COLUMNS``). Not here: inequality and every other mart; reading
or writing the warehouse.

A computed figure is unrounded and carries the weakest ``obs_status`` of its parts (``warehouse.panels.STATUSES``: among
others estimated, provisional, break, normal). Where a part is missing there is no row, never a 0.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from warehouse.catalogue import Catalogue, Indicator
from warehouse.measures.sample import BoolArray, FloatArray, IntArray
from warehouse.panels import (
    AREA_KEYS,
    FIGURE_COLUMNS,
    NATION,
    Panel,
    RankArray,
    Slice,
    exists,
    status_letters,
    weight_area,
)
from warehouse.periods import period_from_key
from warehouse.stocks import kinds_of


@dataclass
class GatheredFigures:
    """Computed figures, gathered slice by slice."""

    keys: list[tuple[int, int, int]] = field(default_factory=list)
    regions: list[IntArray] = field(default_factory=list)
    values: list[FloatArray] = field(default_factory=list)
    ranks: list[RankArray] = field(default_factory=list)

    def add(self, key: tuple[int, int, int], regions: IntArray, values: FloatArray, ranks: RankArray) -> None:
        """One slice (indicator, period, area); regions whose value is NaN get no row."""
        is_there = ~np.isnan(values)
        if is_there.any():
            self.keys.append(key)
            self.regions.append(regions[is_there])
            self.values.append(values[is_there])
            self.ranks.append(ranks[is_there])

    def frame(self, like: pd.DataFrame) -> pd.DataFrame:
        """The frame of figures, typed as ``like``."""
        sizes = [part.size for part in self.values]
        keys = np.repeat(np.array(self.keys, dtype=np.int64).reshape(-1, 3), sizes, axis=0)
        ranks = np.concatenate(self.ranks) if sizes else np.empty(0, dtype=np.int8)
        frame = pd.DataFrame(
            {
                "indicator_key": keys[:, 0].astype(np.int16),
                "period_key": keys[:, 1].astype(np.int32),
                "region_key": (np.concatenate(self.regions) if sizes else np.empty(0)).astype(np.int32),
                "area_key": keys[:, 2].astype(np.int8),
                "value": np.concatenate(self.values) if sizes else np.empty(0),
                "obs_status": status_letters(ranks, like["obs_status"]),
            }
        )
        return frame[list(FIGURE_COLUMNS)]


@dataclass(frozen=True)
class _Rate:
    """Both sides of a derived indicator for one slice, by region of the panel."""

    key: tuple[int, int, int]
    numerator: FloatArray
    denominator: FloatArray
    ranks: RankArray


def derive_indicators(
    figures: pd.DataFrame, catalogue: Catalogue, slices: Collection[Slice] | None = None
) -> pd.DataFrame:
    """Every derived indicator of every region, period and area type that has all its parts.

    value = multiplier × Σ numerators / denominator, of the same region, period and area type (``CODE@area`` names
    another), under one area definition: where a part defines town and country differently, the rate has a total only.
    An annual indicator has years, a school-year one school years, a quarterly or monthly one what its numerator has;
    a part of another frequency is the latest stock, at most two years old (``warehouse.stocks``).

    No row where a part is missing or the denominator is 0 (a rate over nobody is undefined). National rows are made by
    :func:`aggregate_nation`. ``slices`` limits the result to those (indicator, period) pairs.
    """
    parts = figures[_is_part(figures, catalogue) & (figures["region_key"].to_numpy() != NATION)]
    panel = Panel.of(parts)
    derived = GatheredFigures()
    for indicator, rate in _rates(panel, catalogue, slices):
        with np.errstate(divide="ignore", invalid="ignore"):
            value = (indicator.multiplier or 1.0) * rate.numerator / rate.denominator
        derived.add(rate.key, panel.regions, np.where(rate.denominator == 0, np.nan, value), rate.ranks)
    return derived.frame(figures)


def aggregate_nation(
    figures: pd.DataFrame, catalogue: Catalogue, slices: Collection[Slice] | None = None
) -> pd.DataFrame:
    """The nation (region key 0) from its 31 provinces, by each indicator's aggregation.

    ``sum``; ``ratio_of_sums``: multiplier × Σ numerators / Σ denominators, of the base figures; ``weighted_mean``:
    Σ w x / Σ w with the ``weight_indicator`` (same area type where both have one area definition, else its total; the
    latest at most two years old); ``none``: no row. Only where every province that can have the figure has it, and its
    weight: 30 provinces are not the nation. County rows play no part. ``slices`` as in :func:`derive_indicators`.
    """
    provinces = np.array(sorted(int(code) for code in catalogue.provinces), dtype=np.int64)
    at_home = figures[np.isin(figures["region_key"].to_numpy(), provinces)]
    panel = Panel.of(at_home, provinces)
    nation = GatheredFigures()
    can_exist = exists(panel, catalogue, is_county=False)
    wanted = None if slices is None else set(slices)
    for key, row in panel.rows.items():
        indicator = catalogue.by_key[key[0]]
        if indicator.kind == "base" and (wanted is None or key[:2] in wanted):
            _add_base(nation, panel, catalogue, key, row, can_exist[row])
    rates = [found for found in _rates(panel, catalogue, slices) if found[0].aggregation == "ratio_of_sums"]
    for (indicator, rate), rate_exists in zip(rates, _rates_exist(panel, catalogue, rates), strict=True):
        _add_ratio(nation, indicator, rate, rate_exists)
    return nation.frame(figures)


def _is_part(figures: pd.DataFrame, catalogue: Catalogue) -> BoolArray:
    named = {
        catalogue.indicators[code].indicator_key
        for indicator in catalogue.indicators.values()
        if indicator.kind == "derived"
        for code, _ in indicator.terms("numerator") + indicator.terms("denominator")
    }
    return np.isin(figures["indicator_key"].to_numpy(), np.array(sorted(named), dtype=np.int64))


def rate_parts(catalogue: Catalogue, derived: Indicator, area_key: int) -> list[tuple[Indicator, int]] | None:
    """(part, area key it is taken from) of a rate: numerators, then the denominator.

    None where the rate has no such area type, or a part has another area definition (beds by city and county over
    population by town and country would turn the gap around).
    """
    area_of = {area: key for area, key in AREA_KEYS.items() if area in derived.area_types}
    if area_key not in area_of.values():
        return None
    parts: list[tuple[Indicator, int]] = []
    for code, named_area in derived.terms("numerator") + derived.terms("denominator"):
        part = catalogue.indicators[code]
        if named_area is not None:
            parts.append((part, AREA_KEYS[named_area]))
        elif area_key == AREA_KEYS["total"] or part.area_definition == derived.area_definition:
            parts.append((part, area_key))
        else:
            return None
    return parts


def _rates(panel: Panel, catalogue: Catalogue, slices: Collection[Slice] | None) -> list[tuple[Indicator, _Rate]]:
    wanted = None if slices is None else set(slices)
    found = []
    for derived in catalogue.indicators.values():
        if derived.kind != "derived":
            continue
        for area_key in AREA_KEYS.values():
            parts = rate_parts(catalogue, derived, area_key)
            if parts is None:
                continue
            first, first_area = parts[0]
            for period in panel.periods.get((first.indicator_key, first_area), []):
                is_wanted = wanted is None or (derived.indicator_key, period) in wanted
                if is_wanted and period_from_key(period).kind in kinds_of(derived):
                    found.append((derived, _rate(panel, (derived.indicator_key, period, area_key), parts)))
    return found


def _rate(panel: Panel, key: tuple[int, int, int], parts: list[tuple[Indicator, int]]) -> _Rate:
    looked_up = [panel.part(part, key[1], area) for part, area in parts]
    numerator = np.sum([values for values, _ in looked_up[:-1]], axis=0)
    denominator = looked_up[-1][0]
    is_whole = ~np.isnan(numerator) & ~np.isnan(denominator)
    weakest: RankArray = np.min([ranks for _, ranks in looked_up], axis=0)
    return _Rate(
        key,
        np.where(is_whole, numerator, np.nan),
        np.where(is_whole, denominator, np.nan),
        weakest,
    )


def _add_base(
    nation: GatheredFigures,
    panel: Panel,
    catalogue: Catalogue,
    key: tuple[int, int, int],
    row: int,
    can_exist: BoolArray,
) -> None:
    indicator = catalogue.by_key[key[0]]
    values, ranks = panel.values[row], panel.ranks[row]
    if indicator.aggregation == "sum":
        _add_whole(nation, key, float(np.sum(values[can_exist])), ranks[can_exist])
    elif indicator.aggregation == "weighted_mean" and indicator.weight_indicator:
        weight = catalogue.indicators[indicator.weight_indicator]
        weights, weight_ranks = panel.weight(weight, key[1], weight_area(indicator, weight, key[2]))
        total = float(np.sum(weights[can_exist]))
        if total > 0 and not np.any(weights[can_exist] < 0):
            mean = float(np.sum((weights * values)[can_exist])) / total
            _add_whole(nation, key, mean, np.minimum(ranks, weight_ranks)[can_exist])


def _rates_exist(panel: Panel, catalogue: Catalogue, rates: list[tuple[Indicator, _Rate]]) -> BoolArray:
    """[rates × provinces]: which provinces can have the rate."""
    if not rates:
        return np.ones((0, panel.regions.size), dtype=bool)
    keys = np.array([rate.key for _, rate in rates], dtype=np.int64)
    numerators = np.stack([rate.numerator for _, rate in rates])
    ranks = np.stack([rate.ranks for _, rate in rates])
    made = Panel(keys[:, 0], keys[:, 1], keys[:, 2], panel.regions, numerators, ranks)
    return exists(made, catalogue, is_county=False)


def _add_ratio(nation: GatheredFigures, indicator: Indicator, rate: _Rate, can_exist: BoolArray) -> None:
    total = float(np.sum(rate.denominator[can_exist]))
    if total != 0:
        ratio = (indicator.multiplier or 1.0) * float(np.sum(rate.numerator[can_exist])) / total
        _add_whole(nation, rate.key, ratio, rate.ranks[can_exist])


def _add_whole(nation: GatheredFigures, key: tuple[int, int, int], value: float, ranks: npt.NDArray[np.int8]) -> None:
    """A national figure; NaN (a province that should be there is not) and a nation without provinces give none."""
    if ranks.size:
        nation.add(key, np.array([NATION], dtype=np.int64), np.array([value]), np.array([ranks.min()], dtype=np.int8))
