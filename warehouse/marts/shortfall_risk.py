"""Shortfall risk: when a place reaches its standard if it goes on so, and how likely it is short of it next time.

Here: which years stand for a place (usable ones, without a break between them), and by which standard it is judged. Not
here: the line and the probability (``warehouse.measures``), which standard holds (``floors``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from warehouse.breaks import first_comparable_years
from warehouse.catalogue import Catalogue
from warehouse.marts.coverage import Columns, grades, joined
from warehouse.marts.floors import Floors, Held
from warehouse.marts.reach import is_annual
from warehouse.measures import Sample, attainment_projection
from warehouse.measures import shortfall_risk as risk_of
from warehouse.measures.projection import FEWEST_YEARS_OF_RISK
from warehouse.measures.ranking import ranking_of
from warehouse.measures.sample import BoolArray, FloatArray, IntArray
from warehouse.panels import BREAK_RANK, STATUSES, Panel, RankArray, Slice, in_slices, years_of
from warehouse.periods import period_from_key

RISK_COLUMNS = (
    "indicator_key",
    "period_key",
    "region_key",
    "area_key",
    "floor_kind",
    "value",
    "floor_value",
    "years",
    "first_year",
    "slope",
    "attainment_status",
    "attainment_year",
    "next_value",
    "next_error",
    "next_floor_value",
    "probability",
    "band",
    "grade",
    "status",
)
_KEYS = ["indicator_key", "period_key", "region_key", "area_key", "floor_kind"]

#: The years a line is laid through are the last so many observed ones: older ones tell less about the next.
LAST_YEARS = 5
#: Fewer years than this make no line; the measure itself would take two.
FEWEST_YEARS_OF_LINE = 3
#: A figure that was not observed, or only guessed, says nothing about where a place is going.
USABLE = "APB"
_USABLE_RANKS = np.array([STATUSES.index(letter) for letter in USABLE], dtype=np.int8)


def shortfall_risk(
    figures: pd.DataFrame,
    catalogue: Catalogue,
    slices: Collection[Slice] | None = None,
    *,
    warned: Collection[Slice] = (),
) -> pd.DataFrame:
    """One row a usable figure (:data:`USABLE`) of a year or school year and each kind of standard in force for its place.

    The line goes through the last :data:`LAST_YEARS` usable years up to the period, none before a break of definition;
    ``years`` is how many there are, ``first_year`` the oldest. ``attainment_status`` is ``insufficient`` (fewer than
    :data:`FEWEST_YEARS_OF_LINE`), ``attained``, ``not_approaching``, ``beyond_horizon`` (over 100 years) or ``projected``,
    against the standard in force at the period; ``attainment_year`` is the first of these years at it, or where the line
    crosses it (2027.03: in the course of 2027).

    ``next_value`` is the line a period later, ``next_error`` its standard error, ``probability`` that the figure is then
    short of ``next_floor_value``: the standard already set for that day, or where none is that of the period; ``band`` is
    low, watch, high or severe. They are null where ``status`` is not ``ok``: ``too_few_years`` (fewer than four),
    ``across_break`` (fewer only because a break cuts them off).

    ``figures`` must hold the earlier years too. Returns the columns :data:`RISK_COLUMNS`.
    """
    judged = {catalogue.indicators[standard.indicator_code].indicator_key for standard in catalogue.standards}
    is_target = np.isin(figures["indicator_key"].to_numpy(), np.array(sorted(judged), dtype=np.int64))
    periods = figures["period_key"].unique().tolist()
    is_target &= np.isin(figures["period_key"].to_numpy(), [period for period in periods if is_annual(period)])
    panel = _usable(Panel.of(figures[is_target]))
    parts = [part for series in _series(panel, slices) for part in _judged(panel, series, catalogue)]
    return _typed(parts, warned)


def _usable(panel: Panel) -> Panel:
    """The panel without the figures that say nothing about the future."""
    values = np.where(np.isin(panel.ranks, _USABLE_RANKS), panel.values, np.nan)
    return Panel(panel.indicator_keys, panel.period_keys, panel.area_keys, panel.regions, values, panel.ranks)


@dataclass(frozen=True, eq=False)
class _Series:
    """The years of one indicator, area type and kind of period: ``rows`` of the panel, ascending, and which are asked for."""

    rows: IntArray
    is_wanted: BoolArray


def _series(panel: Panel, slices: Collection[Slice] | None) -> Iterator[_Series]:
    keys = pd.DataFrame({"indicator_key": panel.indicator_keys, "period_key": panel.period_keys})
    is_wanted = in_slices(keys, slices)
    # The last four digits of a period's key are its first month and length: years and school years apart.
    kind = np.stack([panel.indicator_keys, panel.area_keys, panel.period_keys % 10_000], axis=1)
    _, series_of = np.unique(kind, axis=0, return_inverse=True)
    for number in range(int(series_of.max(initial=-1)) + 1):
        rows = np.flatnonzero(series_of.ravel() == number)
        if is_wanted[rows].any():
            yield _Series(rows, is_wanted[rows])


@dataclass(frozen=True, eq=False)
class _History:
    """The figures asked for (``row`` of the panel, ``column``), and the years that stand for each as a sample of one slice a
    figure; ``ranks``: the weakest status among them; ``is_cut``: whether a break leaves too few."""

    row: IntArray
    column: IntArray
    sample: Sample
    ranks: RankArray
    is_cut: BoolArray


def _history(panel: Panel, series: _Series, catalogue: Catalogue) -> _History:
    """The last years of every figure asked for, period by period over all regions at once."""
    values, ranks = panel.values[series.rows], panel.ranks[series.rows]
    years = years_of(panel.period_keys[series.rows])
    at, column = np.nonzero(~np.isnan(values) & series.is_wanted[:, None])
    row = series.rows[at]
    first = np.zeros(values.shape, dtype=np.int64)
    first[at, column] = first_comparable_years(
        catalogue, panel.indicator_keys[row], panel.area_keys[row], panel.period_keys[row], panel.regions[column]
    )
    parts: list[tuple[FloatArray, IntArray, RankArray, IntArray]] = []
    is_cut = []
    for last in np.unique(at).tolist():
        columns = column[at == last]
        known = ~np.isnan(values[: last + 1, columns])
        is_comparable = known & (years[: last + 1, None] >= first[last, columns])
        # Counted from the figure backwards.
        is_used = is_comparable & (np.cumsum(is_comparable[::-1], axis=0)[::-1] <= LAST_YEARS)
        of_region, year = np.nonzero(is_used.T)
        used = (year, columns[of_region])
        parts.append((values[used], years[year], ranks[used], is_used.sum(axis=0)))
        is_cut.append((known.sum(axis=0) >= FEWEST_YEARS_OF_RISK) & (is_comparable.sum(axis=0) < FEWEST_YEARS_OF_RISK))
    lengths = np.concatenate([count for _, _, _, count in parts])
    sample = Sample.of(
        np.concatenate([each for each, _, _, _ in parts]),
        None,
        np.repeat(np.arange(lengths.size), lengths),
        count=lengths.size,
        ranking=np.concatenate([each for _, each, _, _ in parts]),
    )
    weakest = sample.least(np.concatenate([each for _, _, each, _ in parts]).astype(np.float64))
    return _History(row, column, sample, weakest.astype(np.int8), np.concatenate(is_cut))


def _judged(panel: Panel, series: _Series, catalogue: Catalogue) -> Iterator[Columns]:
    """The rows of a series, a part a kind of standard."""
    if not (~np.isnan(panel.values[series.rows]) & series.is_wanted[:, None]).any():
        return
    history = _history(panel, series, catalogue)
    rows = np.unique(history.row)
    floors = Floors(catalogue, panel.regions)
    keys = (panel.indicator_keys[rows], panel.period_keys[rows], panel.area_keys[rows])
    following = np.array([period_from_key(key).next().key for key in keys[1].tolist()], dtype=np.int64)
    coming = {held.kind: held.values for held in floors.of(keys[0], following, keys[2])}
    for held in floors.of(*keys):
        later = coming.get(held.kind, np.full(held.place.shape, np.nan))
        yield _rows(panel, history, held, later, np.searchsorted(rows, history.row))


def _rows(panel: Panel, history: _History, held: Held, later: FloatArray, place: IntArray) -> Columns:
    """The rows of one kind of standard; ``place`` is where the slice of each figure stands in the tables of standards."""
    sample, cell = history.sample, (place, history.column)
    floor = held.values[cell]
    next_floor = np.where(np.isnan(later[cell]), floor, later[cell])
    is_favourable = held.is_favourable[place]
    year = years_of(panel.period_keys[history.row])
    line = attainment_projection(sample, floor, is_favourable)
    risk = risk_of(sample, year + 1, next_floor, is_favourable)
    has_line = sample.units >= FEWEST_YEARS_OF_LINE
    is_told = ~np.isnan(risk.probability)
    columns = {
        "indicator_key": panel.indicator_keys[history.row],
        "period_key": panel.period_keys[history.row],
        "region_key": panel.regions[history.column],
        "area_key": panel.area_keys[history.row],
        "floor_kind": np.full(floor.size, held.kind, dtype=object),
        "value": panel.values[history.row, history.column],
        "floor_value": floor,
        "years": sample.units,
        "first_year": sample.least(ranking_of(sample)),
        "slope": np.where(has_line, line.slope, np.nan),
        "attainment_status": np.where(has_line, line.status, "insufficient").astype(object),
        "attainment_year": np.where(has_line, line.year, np.nan),
        "next_value": risk.expected,
        "next_error": risk.error,
        "next_floor_value": next_floor,
        "probability": risk.probability,
        "band": np.where(is_told, risk.band.astype(object), np.array(None)),
        "is_weak": history.ranks < BREAK_RANK,
        "status": np.select([is_told, history.is_cut], ["ok", "across_break"], "too_few_years").astype(object),
    }
    is_under = held.is_under[cell]
    return {name: column[is_under] for name, column in columns.items()}


def _typed(parts: list[Columns], warned: Collection[Slice]) -> pd.DataFrame:
    """The parts as one typed frame with grades, sorted by keys."""
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in RISK_COLUMNS})
    rows = joined(parts)
    rows["grade"] = grades(rows, rows.pop("is_weak"), warned)
    keys = {"indicator_key": np.int16, "period_key": np.int32, "region_key": np.int32, "area_key": np.int8}
    rows = rows.astype(keys | dict.fromkeys(("years", "first_year"), np.int16))
    return rows.sort_values(_KEYS, kind="stable").reset_index(drop=True)[list(RISK_COLUMNS)]
