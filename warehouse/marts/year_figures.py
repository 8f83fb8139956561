"""The annual figures of provinces that a change of inequality is made of: numerators, denominators, weights, twice known.

Here: looking them up for years and school years, as known now and as first published, and what of them may be used. Not here:
the change (:mod:`warehouse.marts.change_attribution`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from warehouse.catalogue import Catalogue, Indicator
from warehouse.deriving import rate_parts
from warehouse.marts.inequality import MINIMUM_UNITS
from warehouse.measures import Sample
from warehouse.measures.sample import BoolArray, FloatArray, IntArray
from warehouse.panels import Panel, RankArray, is_published, weight_area

#: Bits of the states that Shapley's mean goes over.
NUMERATOR, DENOMINATOR, WEIGHT = 1, 2, 4


@dataclass(frozen=True, eq=False)
class YearFigures:
    """Numerators, denominators (1 where there is none) and weights of years, [slices × provinces], NaN where missing."""

    numerators: FloatArray
    denominators: FloatArray
    weights: FloatArray

    @cached_property
    def values(self) -> FloatArray:
        """Rates but for their multiplier, which no relative index sees."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.denominators != 0, self.numerators / self.denominators, np.nan)

    def take(self, rows: IntArray) -> YearFigures:
        """The figures of some slices."""
        return YearFigures(self.numerators[rows], self.denominators[rows], self.weights[rows])

    def changed(self, later: YearFigures, mask: int) -> YearFigures:
        """These figures with those of ``later`` where ``mask`` says so."""
        return YearFigures(
            later.numerators if mask & NUMERATOR else self.numerators,
            later.denominators if mask & DENOMINATOR else self.denominators,
            later.weights if mask & WEIGHT else self.weights,
        )


@dataclass(frozen=True, eq=False)
class Years:
    """The figures of every annual slice as known now and as first published, and what of them may be used."""

    keys: IntArray
    known: YearFigures
    first: YearFigures
    ranks: RankArray
    can_exist: BoolArray

    @cached_property
    def has_figure(self) -> BoolArray:
        """Whether value and weight are there, published or not; a weight of 0 weighs nobody."""
        return np.asarray(~np.isnan(self.known.values) & ~np.isnan(self.known.weights) & (self.known.weights != 0))

    @cached_property
    def is_used(self) -> BoolArray:
        """Whether a province's figures are there and published."""
        return np.asarray(self.has_figure & is_published(self.ranks))

    @cached_property
    def is_expected(self) -> BoolArray:
        """Whether a province counts: its figure can exist, and somebody lives there."""
        return np.asarray(self.can_exist & (self.known.weights != 0))

    @cached_property
    def coverage(self) -> FloatArray:
        """The lesser share, of provinces and of weight, by slice."""
        weights = np.where(self.is_expected, np.nan_to_num(self.known.weights), 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            units = self.is_used.sum(axis=1) / self.is_expected.sum(axis=1)
            weight = (weights * self.is_used).sum(axis=1) / weights.sum(axis=1)
        return np.asarray(np.nan_to_num(np.minimum(units, weight)))

    def status(self, minimum_coverage: float) -> np.ndarray:
        """Why a slice has no index, the first reason that holds; ``ok`` where it has one, both times it was told."""
        reasons = {
            "too_few_units": self.is_expected.sum(axis=1) < MINIMUM_UNITS,
            "insufficient_coverage": self.coverage < minimum_coverage,
            "undefined_negative": np.zeros(len(self.keys), dtype=bool),
            "undefined_zero_mean": np.zeros(len(self.keys), dtype=bool),
        }
        for figures in (self.known, self.first):
            sample = sample_of(figures, self.is_used)
            with np.errstate(invalid="ignore"):
                reasons["undefined_negative"] |= (sample.minimum < 0) | sample.has_negative_weight
                reasons["undefined_zero_mean"] |= ~(sample.mean > 0)
        return np.select(list(reasons.values()), list(reasons), "ok")


def sample_of(figures: YearFigures, is_used: BoolArray) -> Sample:
    """The used figures as a sample of one slice a row."""
    slices, provinces = is_used.shape
    return Sample.of(
        np.where(is_used, figures.values, np.nan).ravel(),
        figures.weights.ravel(),
        np.repeat(np.arange(slices), provinces),
        count=slices,
    )


def of_provinces(figures: pd.DataFrame, regions: IntArray) -> pd.DataFrame:
    """The figures of these regions."""
    return figures[np.isin(figures["region_key"].to_numpy(), regions)]


def as_first(panel: Panel, first_figures: pd.DataFrame) -> Panel:
    """The panel with the first published value of each figure that it has."""
    earlier = Panel.of(first_figures, panel.regions)
    values = panel.values.copy()
    for key, row in earlier.rows.items():
        place = panel.rows.get(key)
        if place is not None:
            is_known = ~np.isnan(earlier.values[row]) & ~np.isnan(values[place])
            values[place, is_known] = earlier.values[row, is_known]
    return replace(panel, values=values)


def annual_rows(panel: Panel, catalogue: Catalogue) -> IntArray:
    """Rows of the panel that are of comparable indicators and of years or school years."""
    comparable = [row.indicator_key for row in catalogue.indicators.values() if row.is_comparable]
    # A key ends in the span's months: 12 is a year or school year, a sum from January to December has 32.
    return np.flatnonzero(np.isin(panel.indicator_keys, comparable) & (panel.period_keys % 100 == 12))


def look_up_years(
    panel: Panel, first: Panel, rows: IntArray, can_exist: BoolArray, catalogue: Catalogue, weighting: str
) -> tuple[Years, BoolArray]:
    """The figures of the slices of ``rows``, and which of them have such a weighting."""
    keys = np.stack([panel.indicator_keys[rows], panel.period_keys[rows], panel.area_keys[rows]], axis=1)
    shape = (rows.size, panel.regions.size)
    is_weighted = np.ones(rows.size, dtype=bool)
    ranks = panel.ranks[rows].copy()
    made: list[YearFigures] = []
    for source in (panel, first):
        figures = YearFigures(source.values[rows].copy(), np.ones(shape), np.ones(shape))
        for place, (indicator_key, period, area) in enumerate(keys.tolist()):
            indicator = catalogue.by_key[indicator_key]
            _fill_parts(figures, place, source, indicator, period, area, catalogue)
            if weighting == "population":
                weight = _weight(source, indicator, period, area, catalogue)
                is_weighted[place] = weight is not None
                if weight is not None:
                    figures.weights[place] = weight[0]
                    ranks[place] = np.minimum(ranks[place], weight[1])
        made.append(figures)
        if first is panel:
            made.append(figures)
            break
    return Years(keys, made[0], _where_known(made[1], made[0]), ranks, can_exist), is_weighted


def _fill_parts(
    figures: YearFigures, place: int, panel: Panel, indicator: Indicator, period: int, area: int, catalogue: Catalogue
) -> None:
    """Numerator and denominator of a rate."""
    if indicator.kind != "derived":
        return
    looked_up = [
        panel.part(part, period, its_area)[0] for part, its_area in rate_parts(catalogue, indicator, area) or ()
    ]
    if looked_up:
        figures.numerators[place] = np.sum(looked_up[:-1], axis=0)
        figures.denominators[place] = looked_up[-1]


def _weight(
    panel: Panel, indicator: Indicator, period: int, area: int, catalogue: Catalogue
) -> tuple[FloatArray, RankArray] | None:
    if indicator.weight_indicator is None:
        return None
    weight = catalogue.indicators[indicator.weight_indicator]
    return panel.weight(weight, period, weight_area(indicator, weight, area))


def _where_known(first: YearFigures, known: YearFigures) -> YearFigures:
    """First figures, as known now where the first ones make no rate or weigh nothing."""
    is_made = ~np.isnan(first.values) & (first.weights > 0)
    return YearFigures(
        np.where(is_made, first.numerators, known.numerators),
        np.where(is_made, first.denominators, known.denominators),
        np.where(is_made, first.weights, known.weights),
    )
