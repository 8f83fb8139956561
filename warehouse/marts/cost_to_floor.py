"""Cost to the floor: what lifting an amount a head to its standard would cost a place a year, and its budget's share.

Here: whose heads and budget belong to a figure (``cost_rules.csv`` of the catalogue), and the nation as the sum of its
provinces. Not here: the formula (``warehouse.measures``), which standard holds (``floors``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from warehouse.catalogue import Catalogue, CostRule
from warehouse.marts.coverage import COUNTS, Columns, grades, joined
from warehouse.marts.floors import Floors, Held
from warehouse.measures.sample import BoolArray, FloatArray, IntArray
from warehouse.measures.shortfall import cost_to_floor as cost_of
from warehouse.measures.shortfall import share_of_revenue
from warehouse.panels import AREA_KEYS, BREAK_RANK, ESTIMATED_RANK, NATION, Panel, RankArray, Slice, exists, in_slices

COST_COLUMNS = (
    "indicator_key",
    "period_key",
    "region_key",
    "area_key",
    "floor_kind",
    "value",
    "floor_value",
    "heads",
    "cost",
    "revenue",
    "revenue_region_key",
    "share_of_revenue",
    *COUNTS,
    "coverage",
    "grade",
    "status",
)
_KEYS = ["indicator_key", "period_key", "region_key", "area_key", "floor_kind"]
_NOBODY = -1
"""Region of a revenue that nobody has."""


def cost_to_floor(
    figures: pd.DataFrame,
    catalogue: Catalogue,
    slices: Collection[Slice] | None = None,
    *,
    warned: Collection[Slice] = (),
) -> pd.DataFrame:
    """One row a figure of an amount a head and each kind of standard in force for its place, and one for the nation.

    ``cost`` = (floor − value) · ``heads`` · times a year, in CNY a year, 0 at or above the floor. ``heads`` are the latest
    count at most two years old, ``revenue`` the latest general budget revenue so: the place's own or, where it has none,
    that of the place above it (``revenue_region_key``), never the nation's for a part of it. ``share_of_revenue`` is null where
    there is no revenue; the cost is kept.

    The nation's cost is the sum of its provinces', whose floors may differ (``floor_value`` is then null), and told only
    where every province that can have one has one; its share is of the nation's own revenue. So is a group's: sum it.

    ``units`` is how many regions the cost rests on, 1 but for the nation; ``status`` ``insufficient_coverage`` (nobody to
    count, or a province missing), ``undefined_zero_value`` (a floor that is not above 0), ``undefined_negative``, ``ok``.
    Returns the columns :data:`COST_COLUMNS`.
    """
    parts = [part for rule in catalogue.cost_rules.values() for part in _of_rule(figures, catalogue, rule, slices)]
    return _typed(parts, warned)


@dataclass(frozen=True, eq=False)
class _Costs:
    """Everything a cost is made of, all [slices × regions]; ``payers``: the region whose revenue it is, or -1."""

    held: Held
    floors: FloatArray
    heads: FloatArray
    cost: FloatArray
    revenue: FloatArray
    payers: IntArray
    ranks: RankArray
    """Weakest status of value, heads and revenue."""


def _of_rule(
    figures: pd.DataFrame, catalogue: Catalogue, rule: CostRule, slices: Collection[Slice] | None
) -> Iterator[Columns]:
    """The rows of one amount a head: a part for its regions and one for the nation, by kind of standard."""
    own = _figures_of(figures, catalogue, rule.indicator_code)
    own = own[in_slices(own, slices)]
    if own.empty:
        return
    above = _places_above(catalogue)
    regions = _with_those_above(own["region_key"].to_numpy(np.int64), above, catalogue)
    panel = Panel.of(own, regions)
    heads, head_ranks = _counted(
        panel, Panel.of(_figures_of(figures, catalogue, rule.heads_indicator), regions), catalogue, rule
    )
    budgets = Panel.of(_figures_of(figures, catalogue, rule.budget_indicator), regions)
    revenue, budget_ranks, payers = _budgets(panel, budgets, catalogue, rule, above)
    ranks = np.minimum.reduce([panel.ranks, head_ranks, budget_ranks])
    is_province = np.isin(regions, np.array([int(code) for code in catalogue.provinces], dtype=np.int64))
    can_exist = exists(_columns(panel, is_province), catalogue, is_county=False)
    for held in Floors(catalogue, regions).of(panel.indicator_keys, panel.period_keys, panel.area_keys):
        floors = held.values
        cost = cost_of(panel.values, floors, heads * rule.times_a_year, revenue).cost
        found = _Costs(held, floors, heads, np.where(panel.values >= 0, cost, np.nan), revenue, payers, ranks)
        yield _rows_of_regions(panel, found)
        yield _rows_of_nation(panel, found, is_province, can_exist)


def _columns(panel: Panel, is_kept: BoolArray) -> Panel:
    """The same slices over some of the regions; a slice in which none of those has a figure stays."""
    return Panel(
        panel.indicator_keys,
        panel.period_keys,
        panel.area_keys,
        panel.regions[is_kept],
        panel.values[:, is_kept],
        panel.ranks[:, is_kept],
    )


def _figures_of(figures: pd.DataFrame, catalogue: Catalogue, code: str) -> pd.DataFrame:
    is_own: BoolArray = figures["indicator_key"].to_numpy() == catalogue.indicators[code].indicator_key
    return figures.loc[is_own]


def _places_above(catalogue: Catalogue) -> Mapping[int, int]:
    """The region above each by key, where that is not the nation."""
    pairs = ((row.region_code, row.parent_code) for row in catalogue.region_rows if row.parent_code)
    return {int(code): int(parent) for code, parent in pairs if int(parent) != NATION}


def _with_those_above(region_keys: IntArray, above: Mapping[int, int], catalogue: Catalogue) -> IntArray:
    """These regions, the provinces, the nation, and all places that lie between: ascending."""
    found = {NATION, *(int(code) for code in catalogue.provinces), *region_keys.tolist()}
    found |= {above[key] for key in found if key in above}
    return np.array(sorted(found), dtype=np.int64)


def _counted(panel: Panel, heads_panel: Panel, catalogue: Catalogue, rule: CostRule) -> tuple[FloatArray, RankArray]:
    """Heads and their status by slice and region: the latest count, of the area type that the rule names."""
    heads = catalogue.indicators[rule.heads_indicator]
    found = [
        heads_panel.weight(heads, period, area if rule.heads_area is None else AREA_KEYS[rule.heads_area])
        for period, area in zip(panel.period_keys.tolist(), panel.area_keys.tolist(), strict=True)
    ]
    return np.array([values for values, _ in found]), np.array([ranks for _, ranks in found])


def _budgets(
    panel: Panel, budget_panel: Panel, catalogue: Catalogue, rule: CostRule, above: Mapping[int, int]
) -> tuple[FloatArray, RankArray, IntArray]:
    """Revenue, its status and whose it is, by slice and region: the place's own, else that of the place above, and so on."""
    budget = catalogue.indicators[rule.budget_indicator]
    found = [budget_panel.weight(budget, period, AREA_KEYS["total"]) for period in panel.period_keys.tolist()]
    revenue, ranks = np.array([values for values, _ in found]), np.array([each for _, each in found])
    payers = np.where(np.isnan(revenue), _NOBODY, panel.regions)
    known = set(panel.regions.tolist())
    upper = np.searchsorted(
        panel.regions, [above[key] if above.get(key) in known else key for key in panel.regions.tolist()]
    )
    for _ in range(2):  # from a county to its prefecture, and from there to the province
        gap = np.isnan(revenue)
        revenue, ranks = np.where(gap, revenue[:, upper], revenue), np.where(gap, ranks[:, upper], ranks)
        payers = np.where(gap, payers[:, upper], payers)
    return revenue, ranks, payers


def _rows_of_regions(panel: Panel, found: _Costs) -> Columns:
    """A row a figure of a region that a standard holds for; the nation's stands apart."""
    is_shown = found.held.is_under & ~np.isnan(panel.values) & (panel.regions != NATION)
    row, column = np.nonzero(is_shown)
    value, floor, cost = panel.values[is_shown], found.floors[is_shown], found.cost[is_shown]
    heads, ranks = found.heads[is_shown], found.ranks[is_shown]
    has_cost = ~np.isnan(cost)
    return {
        **_slices(panel, row, found.held),
        "region_key": panel.regions[column],
        "value": value,
        "floor_value": floor,
        "heads": heads,
        "cost": cost,
        "revenue": found.revenue[is_shown],
        "revenue_region_key": found.payers[is_shown],
        "units": has_cost.astype(np.int64),
        "units_missing": (~has_cost).astype(np.int64),
        "units_estimated": (has_cost & (ranks == ESTIMATED_RANK)).astype(np.int64),
        "is_weak": ranks < BREAK_RANK,
        "status": np.select(
            [~(floor > 0), (value < 0) | (heads < 0), ~has_cost],
            ["undefined_zero_value", "undefined_negative", "insufficient_coverage"],
            "ok",
        ).astype(object),
    }


def _rows_of_nation(panel: Panel, found: _Costs, is_province: BoolArray, can_exist: BoolArray) -> Columns:
    """A row a slice that a standard holds for in some province: the sum of its provinces'."""
    under = found.held.is_under[:, is_province]
    is_shown = (under & ~np.isnan(panel.values[:, is_province])).any(axis=1)
    row = np.flatnonzero(is_shown)
    floor = np.where(under, found.floors[:, is_province], np.nan)[row]
    cost, heads = found.cost[:, is_province][row], found.heads[:, is_province][row]
    expected = (under & can_exist)[row]
    is_used = expected & ~np.isnan(cost)
    ranks, nation = found.ranks[:, is_province][row], np.searchsorted(panel.regions, NATION)
    missing = expected.sum(axis=1) - is_used.sum(axis=1)
    least, greatest = np.fmin.reduce(floor, axis=1), np.fmax.reduce(floor, axis=1)
    return {
        **_slices(panel, row, found.held),
        "region_key": np.full(row.size, NATION),
        "value": panel.values[row, nation],
        "floor_value": np.where(least == greatest, least, np.nan),
        "heads": np.where(missing == 0, np.where(is_used, heads, 0.0).sum(axis=1), np.nan),
        "cost": np.where(missing == 0, np.where(is_used, cost, 0.0).sum(axis=1), np.nan),
        "revenue": found.revenue[row, nation],
        "revenue_region_key": found.payers[row, nation],
        "units": is_used.sum(axis=1),
        "units_missing": missing,
        "units_estimated": (is_used & (ranks == ESTIMATED_RANK)).sum(axis=1),
        "is_weak": (is_used & (ranks < BREAK_RANK)).any(axis=1),
        "status": np.select(
            [~(least > 0), missing > 0], ["undefined_zero_value", "insufficient_coverage"], "ok"
        ).astype(object),
    }


def _slices(panel: Panel, row: IntArray, held: Held) -> dict[str, npt.NDArray[Any]]:
    return {
        "indicator_key": panel.indicator_keys[row],
        "period_key": panel.period_keys[row],
        "area_key": panel.area_keys[row],
        "floor_kind": np.full(row.size, held.kind, dtype=object),
    }


def _typed(parts: list[Columns], warned: Collection[Slice]) -> pd.DataFrame:
    """The parts as one typed frame with shares and grades, sorted by keys."""
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in COST_COLUMNS})
    rows = joined(parts)
    rows["share_of_revenue"] = share_of_revenue(rows["cost"], rows["revenue"])
    rows["coverage"] = rows["units"] / (rows["units"] + rows["units_missing"])
    rows["grade"] = grades(rows, rows.pop("is_weak") | (rows["units_missing"] > 0), warned)
    keys = {"indicator_key": np.int16, "period_key": np.int32, "region_key": np.int32, "area_key": np.int8}
    rows = rows.astype(keys | dict.fromkeys(COUNTS, np.int32))
    payer = rows["revenue_region_key"].astype("Int32")
    rows["revenue_region_key"] = payer.mask(payer == _NOBODY)
    return rows.sort_values(_KEYS, kind="stable").reset_index(drop=True)[list(COST_COLUMNS)]
