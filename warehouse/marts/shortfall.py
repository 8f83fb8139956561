"""Shortfall: how many places are under their standard, how far, and how many people live there.

Here: which units a slice judges, by which floor, coverage, grade and status. Not here: the formula
(``warehouse.measures``), which standard holds (``floors``), what a single place makes of it (``attainment``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
import pandas as pd

from warehouse.catalogue import Catalogue
from warehouse.marts.coverage import (
    COUNTS,
    MINIMUM_COVERAGE,
    Columns,
    UnitTable,
    count_units,
    grades,
    joined,
    weights_of,
)
from warehouse.marts.floors import Floors, Held
from warehouse.marts.scopes import Layout, Units, county_units, province_units
from warehouse.measures import Sample, fgt_shortfall
from warehouse.measures.sample import FloatArray, IntArray
from warehouse.panels import Panel, Slice, exists, in_slices

SHORTFALL_MEASURES = ("p0", "p1", "p2", "population_below", "units_below")

SHORTFALL_COLUMNS = (
    "indicator_key",
    "period_key",
    "area_key",
    "floor_kind",
    "scope",
    "weighting",
    "floor_value",
    *SHORTFALL_MEASURES,
    *COUNTS,
    "coverage",
    "grade",
    "status",
)

_KEYS = ["indicator_key", "period_key", "area_key", "floor_kind", "scope", "weighting"]
#: Slices computed together: 400 × 2,845 counties are 9 MB a table.
_CHUNK = 400


def shortfall(
    figures: pd.DataFrame,
    catalogue: Catalogue,
    slices: Collection[Slice] | None = None,
    *,
    minimum_coverage: float = MINIMUM_COVERAGE,
    warned: Collection[Slice] = (),
) -> pd.DataFrame:
    """One row a comparable indicator, period, area type, kind of standard in force, scope and weighting.

    Scopes, weightings and coverage are those of :func:`warehouse.marts.inequality.inequality`; the units are those a
    standard of the kind holds for, each measured against its own (x / floor against 1), so one unit is enough.
    ``floor_value`` is the floor where all of them have one and the same, else null. ``p0``, ``p1``, ``p2``: share below,
    mean gap, mean squared gap, as shares of the floor; ``units_below`` their number, ``population_below``, where
    weighted, how many people (recipients, pupils: whom the weight counts) belong to the units below, not how many are
    worse off themselves. At the floor is not below.

    ``status``: ``insufficient_coverage``, ``undefined_zero_value`` (a floor that is not above 0), ``undefined_negative``,
    ``ok``; a row that is not ``ok`` has null measures. Returns the columns :data:`SHORTFALL_COLUMNS`.
    """
    judged = {standard.indicator_code for standard in catalogue.standards}
    rows = [catalogue.indicators[code] for code in judged if catalogue.indicators[code].is_comparable]
    keys = np.array(sorted(row.indicator_key for row in rows), dtype=np.int64)
    weight_codes = {row.weight_indicator for row in rows if row.weight_indicator}
    weight_keys = np.array(sorted(catalogue.indicators[code].indicator_key for code in weight_codes), dtype=np.int64)
    indicator = figures["indicator_key"].to_numpy()
    targets = figures[np.isin(indicator, keys) & in_slices(figures, slices)]
    weights = figures[np.isin(indicator, weight_keys)]
    parts = [
        part
        for units in (province_units(catalogue), county_units(catalogue))
        if units.region_keys.size and len(targets)
        for part in _level(targets, weights, units, catalogue, minimum_coverage)
    ]
    return _typed(parts, warned)


def _level(
    targets: pd.DataFrame, weighing: pd.DataFrame, units: Units, catalogue: Catalogue, minimum_coverage: float
) -> Iterator[Columns]:
    """The rows of one level of units: every kind of standard, layout and weighting, chunk by chunk."""
    panel, weight_panel = Panel.of(targets, units.region_keys), Panel.of(weighing, units.region_keys)
    floors = Floors(catalogue, units.region_keys)
    # Of the whole panel: whether a county is urban rests on the other side's slice, which may stand in another chunk.
    all_exist = exists(panel, catalogue, units.is_county)
    for first in range(0, panel.values.shape[0], _CHUNK):
        part = panel.chunk(first, first + _CHUNK)
        can_exist = all_exist[first : first + _CHUNK]
        weights, weight_ranks, is_weighted = weights_of(part, weight_panel, catalogue)
        for held in floors.of(part.indicator_keys, part.period_keys, part.area_keys):
            is_judged = can_exist & held.is_under
            plain = UnitTable(part.values, part.ranks, is_judged, None)
            weighted = UnitTable(part.values, np.minimum(part.ranks, weight_ranks), is_judged, weights)
            for layout in units.layouts:
                for table in (plain, weighted):
                    rows = _measured(table, held, layout, minimum_coverage)
                    for name in ("indicator_key", "period_key", "area_key"):
                        rows[name] = np.repeat(getattr(part, f"{name}s"), len(layout.scopes))
                    is_kept = is_weighted if table is weighted else np.ones_like(is_weighted)
                    kept = (rows.pop("expected") > 0) & np.repeat(is_kept, len(layout.scopes))
                    yield {name: column[kept] for name, column in rows.items()}


def _measured(table: UnitTable, held: Held, layout: Layout, minimum_coverage: float) -> Columns:
    """Counts, measures and status of every slice and scope of a layout, [slices × scopes] unrolled."""
    rows = count_units(table, layout)
    floor_values = np.where(table.can_exist, held.values, np.nan)
    least, greatest = layout.extremes(floor_values)
    sample = _sample(table, floor_values, layout)
    found = fgt_shortfall(sample, 1.0, np.repeat(held.is_favourable, len(layout.scopes)))
    covered = rows.pop("covered")
    with np.errstate(invalid="ignore"):
        reasons = {
            # A scope without any unit is uncovered even where the minimum is 0.
            "insufficient_coverage": ~(covered >= minimum_coverage) | (sample.units == 0),
            "undefined_zero_value": ~(least > 0),
            "undefined_negative": (sample.minimum < 0) | sample.has_negative_weight,
        }
    is_ok = ~np.any(list(reasons.values()), axis=0)
    is_weighted = table.weights is not None
    measures = {
        "p0": found.p0,
        "p1": found.p1,
        "p2": found.p2,
        "population_below": found.weight_below if is_weighted else np.full(is_ok.size, np.nan),
        "units_below": found.units_below.astype(np.float64),
    }
    return {
        **rows,
        **{name: np.where(is_ok, measure, np.nan) for name, measure in measures.items()},
        "floor_kind": np.full(is_ok.size, held.kind, dtype=object),
        "weighting": np.full(is_ok.size, "population" if is_weighted else "none", dtype=object),
        "floor_value": np.where(least == greatest, least, np.nan),
        "status": np.select(list(reasons.values()), list(reasons), "ok").astype(object),
    }


def _sample(table: UnitTable, floor_values: FloatArray, layout: Layout) -> Sample:
    """The figures as shares of their own floors, a slice a scope."""
    row, column = np.nonzero(table.is_used[:, layout.order])
    unit: IntArray = layout.order[column]
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = table.values[row, unit] / floor_values[row, unit]
    return Sample.of(
        relative,
        None if table.weights is None else table.weights[row, unit],
        row * len(layout.scopes) + layout.scope_of[column],
        count=table.values.shape[0] * len(layout.scopes),
    )


def _typed(parts: list[Columns], warned: Collection[Slice]) -> pd.DataFrame:
    """The parts as one typed frame with grades, sorted by keys."""
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in SHORTFALL_COLUMNS})
    rows = joined(parts)
    is_low = rows.pop("is_weak").to_numpy(dtype=bool) | (rows["units_missing"] > 0).to_numpy()
    rows["grade"] = grades(rows, is_low, warned)
    keys = {"indicator_key": np.int16, "period_key": np.int32, "area_key": np.int8}
    rows = rows.astype(keys | dict.fromkeys(COUNTS, np.int32)).astype({"units_below": "Int32"})
    return rows.sort_values(_KEYS, kind="stable").reset_index(drop=True)[list(SHORTFALL_COLUMNS)]
