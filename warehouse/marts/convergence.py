"""Convergence: whether places draw together over the years. Not here: how far apart they are (inequality), one place's way
(trend).

σ asks whether their spread shrinks, β whether the low ones grow faster; β does not imply σ (Galton's fallacy). Both on the
same places and years, so that no change of who reports looks like convergence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from warehouse.catalogue import Catalogue
from warehouse.marts.coverage import MINIMUM_COVERAGE
from warehouse.marts.inequality import MINIMUM_UNITS
from warehouse.marts.scopes import Units, county_units, province_units
from warehouse.marts.series import NO_ROW, Windows, chunks_of, firm_figures
from warehouse.measures import beta_convergence, sigma_convergence
from warehouse.measures.sample import BoolArray, FloatArray, IntArray
from warehouse.panels import BREAK_RANK, Panel, Slice, exists, in_slices

CONVERGENCE_COLUMNS = (
    "indicator_key",
    "period_key",
    "area_key",
    "scope",
    "first_period_key",
    "years",
    "units",
    "units_missing",
    "coverage",
    "cv_first",
    "cv_last",
    "cv_slope",
    "sd_log_slope",
    "beta",
    "speed",
    "half_life",
    "convergence",
    "grade",
    "status",
)
CONVERGENCE_MEASURES = ("cv_first", "cv_last", "cv_slope", "sd_log_slope", "beta", "speed", "half_life")

Columns = dict[str, npt.NDArray[Any]]
"""Rows, column by column."""

#: Years under which there is no slope (a line through two points says nothing of its fit).
FEWEST_YEARS = 3
#: A fitted change of the CV over all years by less than this share of its mean is no finding: figures are printed with
#: three digits or so.
NOTABLE = 0.01
#: Cells of [slices × units × years] computed together: 4,000,000 are 32 MB a table.
_AT_ONCE = 4_000_000


@dataclass(frozen=True, eq=False)
class _Usable:
    """Of the targets of a scope: years that count [targets × years], units of the balanced panel [targets × units], and how
    many units exist."""

    is_year: BoolArray
    is_kept: BoolArray
    expected: IntArray


def convergence(
    figures: pd.DataFrame,
    catalogue: Catalogue,
    slices: Collection[Slice] | None = None,
    *,
    minimum_coverage: float = MINIMUM_COVERAGE,
    warned: Collection[Slice] = (),
) -> pd.DataFrame:
    """One row a comparable indicator, year or school year, area type and scope that has a usable figure in it.

    Scopes are those of inequality; units count as equals. Usable are figures of status A, P and B, since the last break of
    definition of any unit of the scope. A year in which fewer than ``minimum_coverage`` of the scope's units have one is
    left out; of the others only units with a figure in *all* of them count (balanced panel): ``units``. Where the row's own
    year is left out, or the balanced panel falls under ``minimum_coverage``: ``insufficient_coverage``; fewer than
    :data:`FEWEST_YEARS` years: ``too_few_years``; the CV undefined: ``undefined_zero_mean``.

    ``cv_slope`` and ``sd_log_slope`` a year (σ; the latter null where a value is 0), ``cv_first`` and ``cv_last`` the
    spread in the first and in this year; ``beta``, ``speed``, ``half_life`` from the first to this year (null where starts
    do not differ or the speed is not positive). ``convergence``: ``converging`` or ``diverging`` where both slopes (where
    there are both) have that sign and the fitted change of the CV is at least :data:`NOTABLE` of its mean, else ``none``.

    ``grade``: C with a provisional figure or units missing, B where a check of one of its years warned (``warned``), else A.
    Returns the columns :data:`CONVERGENCE_COLUMNS`, sorted by keys. Source: Barro & Sala-i-Martin 1992; Quah 1993.
    """
    compared = {row.indicator_key for row in catalogue.indicators.values() if row.is_comparable}
    usable = firm_figures(figures, compared)
    parts = [
        part
        for units in (province_units(catalogue), county_units(catalogue))
        if units.region_keys.size
        for part in _level(usable, units, catalogue, slices, minimum_coverage, warned)
    ]
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in CONVERGENCE_COLUMNS})
    joined = {name: np.concatenate([part[name] for part in parts]) for name in CONVERGENCE_COLUMNS}
    rows = pd.DataFrame(joined).astype(
        {
            "indicator_key": np.int16,
            "period_key": np.int32,
            "area_key": np.int8,
            "first_period_key": np.int32,
            "years": np.int32,
            "units": np.int32,
            "units_missing": np.int32,
            "convergence": "str",
        }
    )
    keys = ["indicator_key", "period_key", "area_key", "scope"]
    return rows.sort_values(keys, kind="stable").reset_index(drop=True)[list(CONVERGENCE_COLUMNS)]


def _level(
    usable: pd.DataFrame,
    units: Units,
    catalogue: Catalogue,
    slices: Collection[Slice] | None,
    minimum_coverage: float,
    warned: Collection[Slice],
) -> Iterator[Columns]:
    """The rows of one level of units, scope by scope, chunk by chunk."""
    panel = Panel.of(usable, units.region_keys)
    windows = Windows.of(panel, slices)
    if not windows.targets.size:
        return
    can_exist = exists(panel, catalogue, units.is_county)
    since = windows.first_years(catalogue)
    keys = pd.DataFrame({"indicator_key": panel.indicator_keys, "period_key": panel.period_keys})
    has_warning = in_slices(keys, warned) if warned else np.zeros(len(keys), dtype=bool)
    for layout in units.layouts:
        for number, scope in enumerate(layout.scopes):
            columns = layout.order[layout.scope_of == number]
            told = np.flatnonzero(~np.all(np.isnan(panel.values[windows.targets][:, columns]), axis=1))
            for chosen in chunks_of(told.size, columns.size * windows.rows.shape[1], _AT_ONCE):
                first_years = since[told[chosen]][:, columns].max(axis=1)
                used = _usable(windows.part(told[chosen]), columns, can_exist, first_years, minimum_coverage)
                rows = _scope(windows.part(told[chosen]), columns, used, minimum_coverage, has_warning)
                yield {**rows, "scope": np.full(chosen.size, scope, dtype=object)}


def _scope(
    windows: Windows, columns: IntArray, used: _Usable, minimum_coverage: float, has_warning: BoolArray
) -> Columns:
    """A row a target, of the units in ``columns``."""
    panel = windows.panel
    values = np.where(used.is_kept[:, :, None], windows.values(columns, used.is_year), np.nan)
    years = np.where(used.is_year, windows.years, np.nan)
    count = used.is_year.sum(axis=1)
    first = np.argmax(used.is_year, axis=1)  # of a target without years the first column: its rows are null
    sigma = sigma_convergence(values, years)
    measured = {
        "cv_first": _at(sigma.cv, first),
        "cv_last": sigma.cv[:, -1],
        "cv_slope": sigma.cv_slope,
        "sd_log_slope": sigma.sd_log_slope,
        **_growth(values, years, first),
    }
    units = used.is_kept.sum(axis=1)
    status = _status(used, units, count, sigma.cv, minimum_coverage)
    is_ok = status == "ok"
    with np.errstate(invalid="ignore", divide="ignore"):
        coverage = np.where(used.expected > 0, units / used.expected, 0.0)
    words = _words(sigma.cv, sigma.cv_slope, sigma.sd_log_slope, years).astype(object)
    words[~is_ok] = None
    return {
        "indicator_key": panel.indicator_keys[windows.targets],
        "period_key": panel.period_keys[windows.targets],
        "area_key": panel.area_keys[windows.targets],
        "first_period_key": panel.period_keys[np.where(count > 0, _at(windows.rows, first), windows.targets)],
        "years": count,
        "units": units,
        "units_missing": used.expected - units,
        "coverage": coverage,
        **{name: np.where(is_ok, numbers, np.nan) for name, numbers in measured.items()},
        "convergence": words,
        "grade": _grades(windows, columns, used, used.expected > units, has_warning),
        "status": status,
    }


def _usable(
    windows: Windows, columns: IntArray, can_exist: BoolArray, since: IntArray, minimum_coverage: float
) -> _Usable:
    """Years with enough units that are not before ``since``, and the units that have a figure in all of these."""
    has_value = ~np.isnan(windows.values(columns))
    exist = can_exist[:, columns].sum(axis=1)
    is_year = (windows.rows != NO_ROW) & (windows.years >= since[:, None])
    is_year &= has_value.sum(axis=1) >= np.maximum(minimum_coverage * exist[windows.rows], 1)
    is_kept = np.all(has_value | ~is_year[:, None, :], axis=2) & np.any(is_year, axis=1)[:, None]
    return _Usable(is_year, is_kept, exist[windows.targets])


def _status(used: _Usable, units: IntArray, years: IntArray, cv: FloatArray, minimum_coverage: float) -> np.ndarray:
    """Why a row has no measures, the first reason that holds."""
    reasons = {
        "too_few_units": used.expected < MINIMUM_UNITS,
        "insufficient_coverage": ~used.is_year[:, -1] | (units < np.maximum(minimum_coverage * used.expected, 1)),
        "too_few_years": years < FEWEST_YEARS,
        "undefined_zero_mean": np.any(np.isnan(cv) & used.is_year, axis=1),
    }
    return np.select(list(reasons.values()), list(reasons), "ok")


def _growth(values: FloatArray, years: FloatArray, first: IntArray) -> dict[str, FloatArray]:
    """β, speed and half-life from the first to the last year."""
    targets, regions, _ = values.shape
    start = np.take_along_axis(values, first[:, None, None], axis=2)[:, :, 0]
    found = beta_convergence(
        start.ravel(),
        values[:, :, -1].ravel(),
        np.nan_to_num(years[:, -1] - _at(years, first)),
        np.repeat(np.arange(targets), regions),
        targets,
    )
    return {"beta": found.slope, "speed": found.speed, "half_life": found.half_life}


def _words(cv: FloatArray, cv_slope: FloatArray, sd_log_slope: FloatArray, years: FloatArray) -> np.ndarray:
    """``converging``, ``diverging`` or ``none`` by row."""
    second = np.where(np.isnan(sd_log_slope), cv_slope, sd_log_slope)
    count = np.maximum((~np.isnan(cv)).sum(axis=1), 1)
    with np.errstate(invalid="ignore"):
        span = np.fmax.reduce(years, axis=1) - np.fmin.reduce(years, axis=1)
        is_notable = np.abs(cv_slope) * span >= NOTABLE * np.nansum(cv, axis=1) / count
        falls, rises = (cv_slope < 0) & (second < 0), (cv_slope > 0) & (second > 0)
    return np.select([is_notable & falls, is_notable & rises], ["converging", "diverging"], "none")


def _grades(
    windows: Windows, columns: IntArray, used: _Usable, has_missing: BoolArray, has_warning: BoolArray
) -> np.ndarray:
    is_weak = (windows.panel.ranks[:, columns] < BREAK_RANK)[windows.rows].transpose(0, 2, 1)
    is_weak &= used.is_kept[:, :, None] & used.is_year[:, None, :]
    is_warned = np.any(has_warning[windows.rows] & used.is_year, axis=1)
    return np.select([np.any(is_weak, axis=(1, 2)) | has_missing, is_warned], ["C", "B"], "A")


def _at(table: npt.NDArray[Any], column: IntArray) -> npt.NDArray[Any]:
    """The entry of each row at its column."""
    return table[np.arange(table.shape[0]), column]
