"""Bounds: between which values CV, Gini and Theil T lie when units are missing. Not here: the point values (inequality).

A mart of its own beside inequality, for it has rows only where something is missing, and looks back over years: a corrected
figure of 2019 then reaches these few rows of later years, and not all measures of all scopes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pandas as pd

from warehouse.catalogue import Catalogue
from warehouse.marts.coverage import weights_of
from warehouse.marts.inequality import MINIMUM_UNITS
from warehouse.marts.reach import is_annual as is_year
from warehouse.marts.scopes import Layout, Units, county_units, province_units
from warehouse.marts.series import NO_ROW, Windows, chunks_of
from warehouse.measures import bounds, box_of_last_year
from warehouse.measures.bounds import Measured
from warehouse.measures.sample import BoolArray, FloatArray, IntArray
from warehouse.panels import Panel, Slice, exists

_BOUNDED: tuple[Measured, ...] = ("cv", "gini", "theil_t")
_BOXES = ("", "_recent")
BOUNDS_MEASURES = tuple(f"{measure}_{end}{box}" for box in _BOXES for measure in _BOUNDED for end in ("low", "high"))
BOUNDS_COLUMNS = (
    "indicator_key",
    "period_key",
    "area_key",
    "scope",
    "weighting",
    "units",
    "units_missing",
    "coverage",
    "plausible_low",
    "plausible_high",
    *BOUNDS_MEASURES,
    "is_exact",
    "status",
    "status_recent",
)

#: Years before the period's that are looked back over.
OWN_YEARS = 5
#: Changes from year to year that make one usual.
FEWEST_CHANGES = 2
#: Missing units beyond which no interval is sought: it would be as wide as the scale, and the search take seconds.
MOST_MISSING = 200
#: How far outside of what was seen a missing figure may lie: from half the smallest to twice the largest.
OUTSIDE = 2.0
#: Cells of [slices × units × years] looked back over together: 4,000,000 are 32 MB a table.
_AT_ONCE = 4_000_000


@dataclass(frozen=True, eq=False)
class _Missing:
    """Slices with something missing over the units of a level, [slices × units] but for the first three.

    ``low``, ``high``: the plausible range by slice; ``is_annual`` by slice. ``recent_low``, ``recent_high``: NaN where a unit
    has no range of its own; ``is_broken``: its definition changed since last year. ``weights`` None: units as equals.
    """

    low: FloatArray
    high: FloatArray
    is_annual: BoolArray
    values: FloatArray
    can_exist: BoolArray
    recent_low: FloatArray
    recent_high: FloatArray
    is_broken: BoolArray
    weights: FloatArray | None

    def weighed(self, chosen: IntArray, weights: FloatArray) -> _Missing:
        """Some of the slices with the weights of their units; a unit of weight 0 has nobody and is not there."""
        part = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "weights"}
        taken = {name: table[chosen] for name, table in part.items()}
        return _Missing(**{**taken, "can_exist": taken["can_exist"] & (weights != 0)}, weights=weights)


def inequality_bounds(
    figures: pd.DataFrame, catalogue: Catalogue, slices: Collection[Slice] | None = None
) -> pd.DataFrame:
    """One row where some units of a row of inequality lack a value that others have: the interval of the measure of *all*.

    Also where inequality shows no value for want of coverage. Where nothing is missing there is no row: the interval is the
    value (and where no unit has a figure, or fewer than three exist, there is nothing to bound).
    Two assumptions on a missing figure:

    - *plausible*: from half the smallest to twice the largest figure of the indicator and area type that any unit of the
      level had in this or the five years before (months, quarters: in this period), kept within the catalogue's plausible
      range, which alone is often too wide to say anything;
    - ``_recent``, of years and school years: the unit's own last year ± twice its usual change (the mean of its changes from
      year to year in the five years before, two at least), kept within the catalogue's range.

    ``status``, ``status_recent``: ``insufficient_coverage`` where more than :data:`MOST_MISSING` units are missing or a unit
    lacks its weight (its part cannot be bounded), ``undefined_negative``, ``undefined_zero_mean``; recent also
    ``too_few_years``, ``across_break`` where the definition changed since last year, ``not_applicable`` to months and
    quarters. ``is_exact`` is false where the upper ends come from a search that may stop a little short.

    Returns the columns :data:`BOUNDS_COLUMNS`, sorted by keys. Source: Manski 2003.
    """
    comparable = [row for row in catalogue.indicators.values() if row.is_comparable]
    keys = np.array(sorted(row.indicator_key for row in comparable), dtype=np.int64)
    weight_codes = {row.weight_indicator for row in comparable if row.weight_indicator}
    weight_keys = np.array(sorted(catalogue.indicators[code].indicator_key for code in weight_codes), dtype=np.int64)
    indicator = figures["indicator_key"].to_numpy()
    compared, weighing = figures[np.isin(indicator, keys)], figures[np.isin(indicator, weight_keys)]
    parts = [
        part
        for units in (province_units(catalogue), county_units(catalogue))
        if units.region_keys.size
        for part in _level(compared, weighing, units, catalogue, slices)
    ]
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in BOUNDS_COLUMNS})
    rows = pd.concat(parts, ignore_index=True).astype(
        {"indicator_key": np.int16, "period_key": np.int32, "area_key": np.int8, "units": np.int32}
        | {"units_missing": np.int32}
    )
    order = ["indicator_key", "period_key", "area_key", "scope", "weighting"]
    return rows.sort_values(order, kind="stable").reset_index(drop=True)[list(BOUNDS_COLUMNS)]


def _level(
    compared: pd.DataFrame,
    weighing: pd.DataFrame,
    units: Units,
    catalogue: Catalogue,
    slices: Collection[Slice] | None,
) -> Iterator[pd.DataFrame]:
    """The rows of one level of units: every layout, unweighted and weighted, chunk by chunk."""
    panel, weight_panel = Panel.of(compared, units.region_keys), Panel.of(weighing, units.region_keys)
    can_exist = exists(panel, catalogue, units.is_county)
    windows = Windows.of(panel, slices)
    has_missing = np.any(can_exist[windows.targets] & np.isnan(panel.values[windows.targets]), axis=1)
    windows = windows.part(np.flatnonzero(has_missing)).last(OWN_YEARS + 1)
    for chunk in chunks_of(windows.targets.size, panel.regions.size * (OWN_YEARS + 1), _AT_ONCE):
        part = windows.part(chunk)
        missing = _missing(part, can_exist[part.targets], catalogue)
        weights, _, is_weighted = weights_of(panel.take(part.targets), weight_panel, catalogue)
        weighted = np.flatnonzero(is_weighted)
        kinds = (
            ("none", missing, part.targets),
            ("population", missing.weighed(weighted, weights[weighted]), part.targets[weighted]),
        )
        for layout in units.layouts:
            for weighting, one, targets in kinds:
                rows, number = _bounded(one, layout)
                rows["weighting"] = weighting
                for name in ("indicator_key", "period_key", "area_key"):
                    rows[name] = getattr(panel, f"{name}s")[targets[number]]
                yield rows


def _missing(windows: Windows, can_exist: BoolArray, catalogue: Catalogue) -> _Missing:
    """What is missing in the windows' own slices, and the ranges it is taken to lie in."""
    panel, targets = windows.panel, windows.targets
    indicators = [catalogue.by_key[key] for key in panel.indicator_keys[targets].tolist()]
    least = np.array([row.plausible_min or 0.0 for row in indicators])
    most = np.array([np.inf if row.plausible_max is None else row.plausible_max for row in indicators])
    year, since = windows.years[:, -1], windows.first_years(catalogue)
    is_near = (windows.rows != NO_ROW) & (windows.years >= year[:, None] - OWN_YEARS)
    is_counted = is_near[:, None, :] & (windows.years[:, None, :] >= since[:, :, None])
    seen = np.where(is_counted, windows.values(slice(None)), np.nan)
    smallest, largest = (end(seen, axis=(1, 2)) for end in (np.fmin.reduce, np.fmax.reduce))
    recent_low, recent_high = _recent(seen, windows.years, least, most)
    is_annual = np.array([is_year(key) for key in panel.period_keys[targets].tolist()], dtype=np.bool_)
    return _Missing(
        np.minimum(smallest, np.maximum(least, smallest / OUTSIDE)),
        np.maximum(largest, np.minimum(most, largest * OUTSIDE)),
        is_annual,
        panel.values[targets],
        can_exist,
        recent_low,
        recent_high,
        since == year[:, None],
        None,
    )


def _recent(seen: FloatArray, years: IntArray, least: FloatArray, most: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Range of each unit by its own last year and usual change, [slices × units]; NaN where it has no such past."""
    if seen.shape[2] < 2:
        nothing = np.full(seen.shape[:2], np.nan)
        return nothing, nothing
    last = np.where((years[:, -2] == years[:, -1] - 1)[:, None], seen[:, :, -2], np.nan)
    is_step = years[:, 1:-1] - years[:, :-2] == 1
    changes = np.where(is_step[:, None, :], np.abs(np.diff(seen[:, :, :-1], axis=2)), np.nan)
    count = (~np.isnan(changes)).sum(axis=2)
    usual = np.nansum(changes, axis=2) / np.where(count >= FEWEST_CHANGES, count, np.nan)
    low, high = box_of_last_year(last, usual)
    # A figure of last year beyond what the catalogue takes for plausible is still a figure.
    floor, ceiling = np.fmin(least[:, None], last), np.fmax(most[:, None], last)
    return np.maximum(low, floor), np.minimum(high, ceiling)


def _bounded(missing: _Missing, layout: Layout) -> tuple[pd.DataFrame, IntArray]:
    """The rows of a layout's scopes that lack a value, and which slice each is of."""
    is_lacking = missing.can_exist & np.isnan(missing.values)
    is_used, no_weight = ~np.isnan(missing.values), np.zeros_like(is_lacking)
    known = missing.can_exist.astype(np.float64)
    if missing.weights is not None:
        no_weight = missing.can_exist & np.isnan(missing.weights)
        is_used &= ~np.isnan(missing.weights) & (missing.weights != 0)
        known = np.where(missing.can_exist, np.nan_to_num(missing.weights), 0.0)
    expected, units, lacking = (layout.count(table) for table in (missing.can_exist, is_used, is_lacking))
    is_row = (lacking > 0) & (units > 0) & (expected >= MINIMUM_UNITS)
    is_told = is_row & (lacking <= MOST_MISSING) & (layout.count(no_weight) == 0)
    chosen, told = np.flatnonzero(is_row), np.flatnonzero(is_told)
    number, scope = np.divmod(chosen, len(layout.scopes))
    with np.errstate(invalid="ignore", divide="ignore"):
        coverage = layout.total(np.where(is_used, known, 0.0)) / layout.total(known)
    rows = pd.DataFrame(
        {
            "scope": np.array(layout.scopes, dtype=object)[scope],
            "units": units[chosen],
            "units_missing": (expected - units)[chosen],
            "coverage": np.nan_to_num(coverage[chosen]),
            "plausible_low": missing.low[number],
            "plausible_high": missing.high[number],
        }
    )
    found = _intervals(missing, layout, told, expected.size)
    for name, numbers in found.items():
        rows[name] = numbers[chosen]
    rows["is_exact"] = rows["is_exact"] == 1
    is_broken, is_short = (
        layout.count(is_lacking & table) > 0 for table in (missing.is_broken, np.isnan(missing.recent_low))
    )
    common = {"insufficient_coverage": ~is_told, "undefined_negative": layout.count(missing.values < 0) > 0}
    past = {
        "not_applicable": np.repeat(~missing.is_annual, len(layout.scopes)),
        "across_break": is_broken,
        "too_few_years": is_short,
    }
    rows["status"] = _status({**common, "undefined_zero_mean": np.isnan(found["gini_high"])})[chosen]
    rows["status_recent"] = _status({**past, **common, "undefined_zero_mean": np.isnan(found["gini_high_recent"])})[
        chosen
    ]
    return rows, number


def _status(reasons: dict[str, BoolArray]) -> npt.NDArray[np.str_]:
    """The first reason that holds, ``ok`` where none does."""
    return np.select(list(reasons.values()), list(reasons), "ok")


def _intervals(missing: _Missing, layout: Layout, told: IntArray, count: int) -> dict[str, FloatArray]:
    """:data:`BOUNDS_MEASURES` and ``is_exact`` (1 where proved) by slice and scope; NaN where not ``told``."""
    place = np.full(count, -1)
    place[told] = np.arange(told.size)
    row, column = np.nonzero(missing.can_exist[:, layout.order])
    inside = place[row * len(layout.scopes) + layout.scope_of[column]]
    row, unit, inside = row[inside >= 0], layout.order[column[inside >= 0]], inside[inside >= 0]
    values, weights = missing.values[row, unit], None if missing.weights is None else missing.weights[row, unit]
    boxes = (
        (missing.low[row], missing.high[row]),
        (missing.recent_low[row, unit], missing.recent_high[row, unit]),
    )
    found = {name: np.full(count, np.nan) for name in (*BOUNDS_MEASURES, "is_exact")}
    is_exact = np.ones(told.size, dtype=np.bool_)
    for box, (low, high) in zip(_BOXES, boxes, strict=True):
        for measure in _BOUNDED:
            interval = bounds(measure, values, low, high, weights, inside, told.size)
            found[f"{measure}_low{box}"][told], found[f"{measure}_high{box}"][told] = interval.low, interval.high
            is_exact &= interval.is_exact | np.isnan(interval.high)
    found["is_exact"][told] = is_exact
    return found
