"""Inequality between places: provinces of the nation, counties of the nation, counties of each province.

Here: which units a slice compares, their weights and groups, coverage, grade and status. Not here: the formulas
(``warehouse.measures``).

A slice is an (indicator, period, area type); all slices are computed at once, in chunks that bound the memory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from warehouse.catalogue import Catalogue
from warehouse.marts.coverage import MINIMUM_COVERAGE, UnitTable, count_units, grades, weights_of
from warehouse.marts.ordering import ORDERED_MEASURES, RANKED_BY, Ordering, unordered
from warehouse.marts.scopes import Layout, Units, county_units, province_units
from warehouse.measures import (
    Sample,
    dagum,
    mean_difference,
    mean_difference_from_best,
    measure_all,
    mld_decomposition,
    population_attributable_risk,
    theil_decomposition,
    theil_nested,
)
from warehouse.measures.sample import BoolArray, FloatArray, IntArray, order_of
from warehouse.measures.theil import TheilNested
from warehouse.panels import Panel, Slice, exists, in_slices

#: Columns that hold a measure; null where the row's status is not ``ok``.
INEQUALITY_MEASURES = (
    "mean",
    "cv",
    "gini",
    "theil_t",
    "theil_t_within",
    "theil_t_between",
    "max_min_ratio",
    "theil_l",
    "theil_l_within",
    "theil_l_between",
    "atkinson_05",
    "atkinson_1",
    "atkinson_2",
    "dagum_within",
    "dagum_between",
    "dagum_transvariation",
    "p90_p10_ratio",
    "max_min_difference",
    "mdmu",
    "mdmw",
    "mdbu",
    "mdbw",
    "idisu",
    "idisw",
    "bgv",
    "bgsd",
    "par",
    "paf",
    "mdru",
    "mdrw",
    *ORDERED_MEASURES,
    "theil_t_between_groups",
    "theil_t_between_provinces",
    "theil_t_within_provinces",
)

INEQUALITY_COLUMNS = (
    "indicator_key",
    "period_key",
    "area_key",
    "scope",
    "weighting",
    "units",
    "units_missing",
    "units_estimated",
    "coverage",
    *INEQUALITY_MEASURES,
    "sii_model",
    "ranking_period_key",
    "ranking_status",
    "grade",
    "status",
)

#: Fewer units than this make no inequality.
MINIMUM_UNITS = 3
#: The nation's capital region, from which mean differences from a reference unit are taken.
REFERENCE = 110_000
#: Slices computed together: 1,000 × 2,845 counties are 23 MB a table.
_CHUNK = 1_000

#: Measures that need no group and no better side.
_PLAIN = (
    "mean",
    "cv",
    "gini",
    "max_min_ratio",
    "theil_l",
    "atkinson_05",
    "atkinson_1",
    "atkinson_2",
    "p90_p10_ratio",
    "max_min_difference",
    "mdmu",
    "mdmw",
    "idisu",
    "idisw",
    "bgv",
    "bgsd",
)
_SIGNS = {"higher": 1, "lower": -1, "neutral": 0}


@dataclass(frozen=True, eq=False)
class _Slices(UnitTable):
    """A chunk of slices. By slice: ``directions`` (1 higher is better, -1 lower, 0 neither), ``by_value`` (its units, lowest
    value first), ``reference`` (the value of the unit of reference, NaN where the level has none). ``ordering`` None: nothing
    ranks the units."""

    directions: npt.NDArray[np.int8]
    by_value: IntArray
    reference: FloatArray
    ordering: Ordering | None


def inequality(
    figures: pd.DataFrame,
    catalogue: Catalogue,
    slices: Collection[Slice] | None = None,
    *,
    minimum_coverage: float = MINIMUM_COVERAGE,
    warned: Collection[Slice] = (),
) -> pd.DataFrame:
    """One row a comparable indicator, period, area type, scope and weighting.

    ``scope``: ``nation:province`` (groups: East, Central, West, Northeast), ``nation:county`` (groups: provinces),
    ``510000:county`` (groups: prefectures; within and between null where the province has one only). A level has rows
    where any of its units has a value; a province without figures among others that have them has its row, missing.

    ``weighting``: ``none``; ``population`` by the indicator's ``weight_indicator`` (same area type where both have one
    area definition, else its total; the latest at most two years old). ``figures`` must hold the weights.

    ``units`` the measures rest on, ``units_missing`` those that can exist and have no value (or, weighted, no weight;
    a unit of weight 0 has nobody and counts neither way), ``units_estimated`` those whose value or weight is an
    estimate. ``coverage`` is the share of units, weighted the share of the known weight.

    ``status``: ``too_few_units`` (fewer than :data:`MINIMUM_UNITS` exist), ``insufficient_coverage`` (under
    ``minimum_coverage`` of units or of weight), ``undefined_negative``, ``undefined_zero_mean``, ``ok``; a row that is
    not ``ok`` has null measures. Beside ``ok`` some are null: ``max_min_ratio``, ``theil_l`` and its parts where a value is 0,
    ``p90_p10_ratio`` where the first decile is, parts by group where there is one group, measures from the best unit
    where the indicator is neutral, ``theil_t_between_groups`` and its two fellows (which divide ``theil_t`` of the nation's
    counties into between groups of provinces, between provinces in them, and within provinces) in every other scope,
    ``mdru`` and ``mdrw`` where counties are compared or the capital region has no value. ``ranking_status`` says why the
    measures along income (:mod:`warehouse.marts.ordering`) are null. ``grade``: C
    resting on anything estimated, provisional or weaker, or with units missing; B where a check of the slice warned
    (``warned``); else A.

    ``slices`` limits the result to those (indicator, period) pairs; weights are looked up in all ``figures``.
    Returns the columns :data:`INEQUALITY_COLUMNS`.
    """
    comparable = [row for row in catalogue.indicators.values() if row.is_comparable]
    keys = np.array(sorted(row.indicator_key for row in comparable), dtype=np.int64)
    weight_codes = {row.weight_indicator for row in comparable if row.weight_indicator}
    weight_keys = np.array(sorted(catalogue.indicators[code].indicator_key for code in weight_codes), dtype=np.int64)
    indicator = figures["indicator_key"].to_numpy()
    targets = figures[np.isin(indicator, keys) & in_slices(figures, slices)]
    weights = figures[np.isin(indicator, weight_keys)]
    ranked_by = catalogue.indicators.get(RANKED_BY)
    incomes = figures[indicator == (ranked_by.indicator_key if ranked_by else 0)]
    parts = [
        part
        for units in (province_units(catalogue), county_units(catalogue))
        if units.region_keys.size
        for part in _level(targets, weights, incomes, units, catalogue, minimum_coverage)
    ]
    return _graded(parts, warned)


def _level(
    targets: pd.DataFrame,
    weighing: pd.DataFrame,
    ranking: pd.DataFrame,
    units: Units,
    catalogue: Catalogue,
    minimum_coverage: float,
) -> Iterator[pd.DataFrame]:
    """The rows of one level of units: every layout, unweighted and weighted, chunk by chunk."""
    panel, weight_panel = Panel.of(targets, units.region_keys), Panel.of(weighing, units.region_keys)
    incomes = None if units.is_county else Panel.of(ranking, units.region_keys)
    is_reference = units.region_keys == REFERENCE
    # Of the whole panel: whether a county is urban rests on the other side's slice, which may stand in another chunk.
    all_exist = exists(panel, catalogue, units.is_county)
    for first in range(0, panel.values.shape[0], _CHUNK):
        part = panel.chunk(first, first + _CHUNK)
        can_exist = all_exist[first : first + _CHUNK]
        weights, weight_ranks, is_weighted = weights_of(part, weight_panel, catalogue)
        signs = [_SIGNS[catalogue.by_key[key].direction] for key in part.indicator_keys.tolist()]
        directions = np.array(signs, dtype=np.int8)
        ordering = None if incomes is None else Ordering(part, incomes, catalogue)
        reference = part.values[:, is_reference].min(axis=1, initial=np.inf)
        reference = np.where(np.isfinite(reference), reference, np.nan)
        by_value = np.argsort(part.values, axis=1, kind="stable")
        plain = _Slices(part.values, part.ranks, can_exist, None, directions, by_value, reference, ordering)
        weighted = replace(plain, ranks=np.minimum(part.ranks, weight_ranks), weights=weights)
        for layout in units.layouts:
            for weighting, chunk in (("none", plain), ("population", weighted)):
                rows = _measured(chunk, layout, minimum_coverage)
                rows["weighting"] = weighting
                for name in ("indicator_key", "period_key", "area_key"):
                    rows[name] = np.repeat(getattr(part, f"{name}s"), len(layout.scopes))
                is_kept = rows.pop("expected") > 0
                if weighting == "population":
                    is_kept &= np.repeat(is_weighted, len(layout.scopes))
                yield rows[is_kept]


def _measured(chunk: _Slices, layout: Layout, minimum_coverage: float) -> pd.DataFrame:
    """Counts, measures and status of every slice and scope of a layout, [slices × scopes] unrolled."""
    is_used = chunk.is_used
    counted = count_units(chunk, layout)
    sample = _sample(chunk, layout, is_used)
    # One entry a slice for each of its scopes, as the sample has them.
    directions = np.repeat(chunk.directions, len(layout.scopes))
    reference = np.repeat(chunk.reference, len(layout.scopes))
    ordered = unordered(sample.count) if chunk.ordering is None else chunk.ordering.measured(is_used, chunk.weights)
    covered = counted.pop("covered")
    measures = _measures(sample, layout, is_used, directions, reference)
    rows = pd.concat([pd.DataFrame({**counted, **measures}), ordered], axis=1)
    rows["status"] = _status(sample, counted["expected"], covered, minimum_coverage)
    return _without_undefined(rows)


def _without_undefined(rows: pd.DataFrame) -> pd.DataFrame:
    """Measures are null where the row's status is not ok, those along income also where the ranking's is not."""
    is_undefined = rows["status"] != "ok"
    rows.loc[is_undefined, list(INEQUALITY_MEASURES)] = np.nan
    rows.loc[is_undefined, "ranking_status"] = rows.loc[is_undefined, "status"]
    is_unranked = rows["ranking_status"] != "ok"
    rows.loc[is_unranked, list(ORDERED_MEASURES)] = np.nan
    rows["sii_model"] = rows["sii_model"].where(~is_unranked, None)
    rows["ranking_period_key"] = rows["ranking_period_key"].mask(is_unranked)
    return rows


def _sample(chunk: _Slices, layout: Layout, is_used: BoolArray) -> Sample:
    """The units that count, by slice and scope, in each by ascending value."""
    row, place = np.nonzero(np.take_along_axis(is_used, chunk.by_value, axis=1))
    unit = chunk.by_value[row, place]
    slices = row * len(layout.scopes) + layout.scope_of_unit[unit]
    if len(layout.scopes) > 1:
        order = order_of(slices)
        row, unit, slices = row[order], unit[order], slices[order]
    return Sample.of(
        chunk.values[row, unit],
        None if chunk.weights is None else chunk.weights[row, unit],
        slices,
        layout.group_of_unit[unit],
        count=is_used.shape[0] * len(layout.scopes),
        is_ascending=True,
    )


def _nested(sample: Sample, layout: Layout) -> TheilNested:
    """Theil T in three layers where the layout's groups are themselves in groups; NaN where not."""
    if layout.upper_of is None:
        nothing = np.full(sample.count, np.nan)
        return TheilNested(nothing, nothing, nothing, nothing)
    assert sample.groups is not None
    return theil_nested(replace(sample, groups=layout.upper_of[sample.groups], subgroups=sample.groups))


def _measures(
    sample: Sample, layout: Layout, is_used: BoolArray, directions: npt.NDArray[np.int8], reference: FloatArray
) -> dict[str, FloatArray]:
    """Every measure that needs no order, by column, [slices × scopes] unrolled; ``directions`` and ``reference`` by slice and
    scope."""
    is_grouped = np.tile(layout.is_grouped, is_used.shape[0])
    has_best, is_favourable = directions != 0, directions > 0
    values, _ = measure_all(sample, list(_PLAIN))
    theil, deviation, parts = theil_decomposition(sample), mld_decomposition(sample), dagum(sample)
    from_best = mean_difference_from_best(sample, is_favourable)
    risk = population_attributable_risk(sample, is_favourable)
    from_reference, nested = mean_difference(sample, reference), _nested(sample, layout)
    return {
        **values,
        "theil_t": theil.total,
        "theil_t_within": np.where(is_grouped, theil.within, np.nan),
        "theil_t_between": np.where(is_grouped, theil.between, np.nan),
        "theil_l_within": np.where(is_grouped, deviation.within, np.nan),
        "theil_l_between": np.where(is_grouped, deviation.between, np.nan),
        "dagum_within": np.where(is_grouped, parts.within, np.nan),
        "dagum_between": np.where(is_grouped, parts.net_between, np.nan),
        "dagum_transvariation": np.where(is_grouped, parts.transvariation, np.nan),
        "mdbu": np.where(has_best, from_best.unweighted, np.nan),
        "mdbw": np.where(has_best, from_best.weighted, np.nan),
        "par": np.where(has_best, risk.risk, np.nan),
        "paf": np.where(has_best, risk.fraction, np.nan),
        "mdru": from_reference.unweighted,
        "mdrw": from_reference.weighted,
        "theil_t_between_groups": nested.between_groups,
        "theil_t_between_provinces": nested.between_provinces,
        "theil_t_within_provinces": nested.within_provinces,
    }


def _status(sample: Sample, expected: IntArray, coverage: FloatArray, minimum_coverage: float) -> np.ndarray:
    """Why a row has no measures, the first reason that holds; ``ok`` where it has them."""
    with np.errstate(invalid="ignore"):
        reasons = {
            "too_few_units": expected < MINIMUM_UNITS,
            # A slice without any unit is uncovered even where the minimum is 0.
            "insufficient_coverage": ~(coverage >= minimum_coverage) | (sample.units == 0),
            "undefined_negative": (sample.minimum < 0) | sample.has_negative_weight,
            "undefined_zero_mean": ~(sample.mean > 0),
        }
    return np.select(list(reasons.values()), list(reasons), "ok")


def _graded(parts: list[pd.DataFrame], warned: Collection[Slice]) -> pd.DataFrame:
    """The parts as one typed frame with grades, sorted by keys."""
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in INEQUALITY_COLUMNS})
    rows = pd.concat(parts, ignore_index=True)
    is_low = rows.pop("is_weak").to_numpy(dtype=bool) | (rows["units_missing"] > 0).to_numpy()
    rows["grade"] = grades(rows, is_low, warned)
    rows = rows.astype(
        {
            "indicator_key": np.int16,
            "period_key": np.int32,
            "area_key": np.int8,
            "units": np.int32,
            "units_missing": np.int32,
            "units_estimated": np.int32,
            "sii_model": "str",
        }
    )
    keys = ["indicator_key", "period_key", "area_key", "scope", "weighting"]
    return rows.sort_values(keys, kind="stable").reset_index(drop=True)[list(INEQUALITY_COLUMNS)]
