"""How a resource gathers on land and about people, province by province: HRAD, PAD and their quotient.

Here: which provinces make the whole, population and area beside the resource. Not here: the formula
(``warehouse.measures.agglomeration``), which resources (``resources.csv`` of the catalogue).
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from warehouse.catalogue import Catalogue
from warehouse.marts.coverage import MINIMUM_COVERAGE
from warehouse.marts.inequality import MINIMUM_UNITS
from warehouse.measures import hrad_pad
from warehouse.measures.sample import BoolArray, FloatArray
from warehouse.panels import (
    AREA_KEYS,
    BREAK_RANK,
    ESTIMATED_RANK,
    Panel,
    RankArray,
    Slice,
    exists,
    in_slices,
    status_letters,
)

POPULATION = "POP_RESIDENT"

AGGLOMERATION_COLUMNS = (
    "indicator_key",
    "period_key",
    "region_key",
    "value",
    "population",
    "area_km2",
    "hrad",
    "pad",
    "hrad_pad",
    "obs_status",
    "units",
    "units_missing",
    "units_estimated",
    "coverage",
    "grade",
    "status",
)

#: Columns that are null where the row's status is not ``ok``.
MEASURES = ("hrad", "pad", "hrad_pad")


def resource_agglomeration(
    figures: pd.DataFrame,
    catalogue: Catalogue,
    slices: Collection[Slice] | None = None,
    *,
    warned: Collection[Slice] = (),
) -> pd.DataFrame:
    """One row a resource, period and province, where any province has a figure of the resource and one of its residents.

    ``hrad`` = (share of the resource)/(share of the land), ``pad`` = (share of the people)/(share of the land), ``hrad_pad``
    their quotient: above 1 there is more than the people would call for. Shares are of the provinces that have both
    figures (``units``); ``units_missing`` are the others that can have them. ``population`` is the latest at most two years
    old, ``area_km2`` the catalogue's rounded one. ``obs_status`` is the weaker of the two figures, null where both lack.

    ``status``: ``not_applicable``, ``too_few_units``, ``insufficient_coverage`` (of the slice, or the place lacks one),
    ``undefined_negative`` (some figure of the slice is), ``undefined_zero_value`` (nothing of the resource anywhere, or
    nobody here), ``ok``; a row that is not ``ok`` has no measure. ``grade`` is the slice's, since all shares rest on it.

    Returns the columns :data:`AGGLOMERATION_COLUMNS`, sorted by keys.
    """
    resources = {catalogue.indicators[row.indicator_code].indicator_key for row in catalogue.resources}
    regions = np.array(sorted(int(code) for code in catalogue.provinces), dtype=np.int64)
    indicator = figures["indicator_key"].to_numpy()
    is_total = (figures["area_key"] == AREA_KEYS["total"]).to_numpy()
    is_of_province = np.isin(figures["region_key"].to_numpy(), regions) & is_total
    is_resource = is_of_province & np.isin(indicator, np.array(sorted(resources), dtype=np.int64))
    panel = Panel.of(figures[is_resource & in_slices(figures, slices)], regions)
    weight = catalogue.indicators[POPULATION]
    people = Panel.of(figures[is_of_province & (indicator == weight.indicator_key)], regions)
    by_period = {
        period: people.weight(weight, period, AREA_KEYS["total"]) for period in np.unique(panel.period_keys).tolist()
    }
    if not by_period:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in AGGLOMERATION_COLUMNS})
    population, ranks = (
        np.array([by_period[period][part] for period in panel.period_keys.tolist()]) for part in (0, 1)
    )
    rows = _rows(panel, population, ranks, exists(panel, catalogue, is_county=False), catalogue, warned)
    return rows.reset_index(drop=True)[list(AGGLOMERATION_COLUMNS)]


def _rows(
    panel: Panel,
    population: FloatArray,
    ranks: RankArray,
    can_exist: BoolArray,
    catalogue: Catalogue,
    warned: Collection[Slice],
) -> pd.DataFrame:
    """The rows of all slices, [slices × provinces] unrolled; a slice that no province is complete in has none."""
    count, places = panel.values.shape
    area = np.array([catalogue.provinces[f"{region:06d}"].area_km2 for region in panel.regions.tolist()])
    is_complete = ~np.isnan(panel.values) & ~np.isnan(population) & can_exist
    resource = np.where(is_complete, panel.values, np.nan)
    measured = hrad_pad(resource.ravel(), np.tile(area, count), population.ravel(), np.repeat(np.arange(count), places))
    weakest = np.minimum(panel.ranks, ranks)
    units, expected = is_complete.sum(axis=1), can_exist.sum(axis=1)
    is_weak = ((weakest < BREAK_RANK) & is_complete).any(axis=1) | (units < expected)
    coverage = units / np.maximum(expected, 1)
    values = {"hrad": measured.hrad, "pad": measured.pad, "hrad_pad": measured.ratio}
    status = _status(panel.values, population, is_complete, can_exist, np.array(list(values.values())))
    letters = np.asarray(status_letters(weakest.ravel()), dtype=object)
    letters[(np.isnan(panel.values) & np.isnan(population)).ravel()] = None
    rows = pd.DataFrame({name: np.where(status == "ok", part, np.nan) for name, part in values.items()}).assign(
        indicator_key=np.repeat(panel.indicator_keys, places).astype(np.int16),
        period_key=np.repeat(panel.period_keys, places).astype(np.int32),
        region_key=np.tile(panel.regions, count).astype(np.int32),
        value=panel.values.ravel(),
        population=population.ravel(),
        area_km2=np.tile(area, count),
        obs_status=letters,
        units=np.repeat(units, places).astype(np.int32),
        units_missing=np.repeat(expected - units, places).astype(np.int32),
        units_estimated=np.repeat(((weakest == ESTIMATED_RANK) & is_complete).sum(axis=1), places).astype(np.int32),
        coverage=np.repeat(coverage, places),
        status=status,
    )
    has_warning = in_slices(rows, warned) if warned else np.zeros(len(rows), dtype=bool)
    rows["grade"] = np.select([np.repeat(is_weak, places), has_warning], ["C", "B"], "A")
    return rows[rows["units"] > 0]


def _status(
    values: FloatArray, population: FloatArray, is_complete: BoolArray, can_exist: BoolArray, measures: FloatArray
) -> np.ndarray:
    """Why a row has no measures, the first reason that holds, unrolled; ``ok`` where it has them."""
    units, expected = is_complete.sum(axis=1, keepdims=True), can_exist.sum(axis=1, keepdims=True)
    is_negative = (is_complete & ((values < 0) | (population < 0))).any(axis=1, keepdims=True)
    reasons = {
        "not_applicable": ~can_exist,
        "too_few_units": expected < MINIMUM_UNITS,
        "insufficient_coverage": ~is_complete | (units < MINIMUM_COVERAGE * expected),
        "undefined_negative": is_negative,
        "undefined_zero_value": np.isnan(measures).any(axis=0).reshape(values.shape),
    }
    whole = [np.broadcast_to(reason, values.shape) for reason in reasons.values()]
    found: np.ndarray = np.select(whole, list(reasons), "ok").ravel()
    return found
