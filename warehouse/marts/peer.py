"""Each province beside those most like it in size, income and urban share: the best of them, and the distance to it.

Here: who is alike, which figures are compared, coverage, grade and status. Not here: the distance
(``warehouse.measures.peers``), counties: they have no figures of income, and their rows would be a hundred times as many.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from warehouse.catalogue import Catalogue
from warehouse.marts.coverage import MINIMUM_COVERAGE
from warehouse.marts.inequality import MINIMUM_UNITS
from warehouse.marts.reach import has_better_side, is_annual
from warehouse.measures import nearest_peers
from warehouse.measures.sample import BoolArray, FloatArray, IntArray
from warehouse.panels import (
    AREA_KEYS,
    BREAK_RANK,
    ESTIMATED_RANK,
    STATUSES,
    Panel,
    RankArray,
    Slice,
    exists,
    in_slices,
    status_letters,
)

#: How many peers a province has.
PEERS = 5
POPULATION, INCOME = "POP_RESIDENT", "INC_DISPOSABLE"

PEER_COLUMNS = (
    "indicator_key",
    "period_key",
    "region_key",
    "area_key",
    "value",
    "peers",
    "best_peer_key",
    "best_peer_value",
    "gap_to_best",
    "peers_mean",
    "rank",
    "obs_status",
    "units",
    "units_missing",
    "units_estimated",
    "coverage",
    "grade",
    "status",
)

#: Columns that are null where the row's status is not ``ok``.
MEASURES = ("best_peer_key", "best_peer_value", "gap_to_best", "peers_mean", "rank")


def peer(
    figures: pd.DataFrame,
    catalogue: Catalogue,
    slices: Collection[Slice] | None = None,
    *,
    warned: Collection[Slice] = (),
) -> pd.DataFrame:
    """One row a comparable indicator that has a better side, year or school year, area type and province with a figure.

    Peers are the :data:`PEERS` nearest of the other provinces by the logarithms of residents and of disposable income and
    by the urban share of residents, each as a standard score, the latest at most two years old; they are the same for all
    indicators of a period, nearest first. A province whose features are unknown has no peers and no row.

    ``gap_to_best`` = value − best peer's, in the good direction: negative where it is behind, 0 or more where none of its
    peers is ahead; in the indicator's unit. ``peers_mean`` is the plain mean of the peers, ``rank`` the province's among
    itself and its peers, 1 the best. ``units`` peers with a figure, ``units_missing`` those that can have one and have not,
    ``units_estimated`` of which it is an estimate; ``obs_status`` is the province's own. ``grade`` C where any figure
    compared is estimated, provisional or weaker, or one is missing.

    ``status``: ``too_few_units`` (of fewer than three peers the indicator can exist), ``insufficient_coverage``, ``ok``; a
    row that is not ``ok`` has its value and peers alone. Returns the columns :data:`PEER_COLUMNS`, sorted by keys.
    """
    keys = {row.indicator_key for row in catalogue.indicators.values() if has_better_side(row, catalogue)}
    regions = np.array(sorted(int(code) for code in catalogue.provinces), dtype=np.int64)
    of_provinces = figures[np.isin(figures["region_key"].to_numpy(), regions)]
    periods, place = np.unique(of_provinces["period_key"].to_numpy(), return_inverse=True)
    annual = np.array([is_annual(period) for period in periods.tolist()], dtype=bool)
    is_compared = np.isin(of_provinces["indicator_key"].to_numpy(), np.array(sorted(keys), dtype=np.int64))
    is_compared &= in_slices(of_provinces, slices) & (annual[place] if periods.size else True)
    panel = Panel.of(of_provinces[is_compared], regions)
    likeness = _Likeness(of_provinces, catalogue, regions, np.unique(panel.period_keys))
    rows = _rows(panel, likeness, exists(panel, catalogue, is_county=False), catalogue)
    if rows.empty:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in PEER_COLUMNS})
    has_warning = in_slices(rows, warned) if warned else np.zeros(len(rows), dtype=bool)
    rows["grade"] = np.select([rows.pop("is_weak").to_numpy(dtype=bool), has_warning], ["C", "B"], "A")
    rows = rows.sort_values(["indicator_key", "period_key", "region_key", "area_key"], kind="stable")
    return rows.reset_index(drop=True)[list(PEER_COLUMNS)]


class _Likeness:
    """The peers of each province by period: ``rows`` [periods × provinces × peers] of places among the provinces, −1 for none;
    ``names`` [periods × provinces] their codes."""

    def __init__(self, figures: pd.DataFrame, catalogue: Catalogue, regions: IntArray, periods: IntArray) -> None:
        self.periods = periods
        people, income = catalogue.indicators[POPULATION], catalogue.indicators[INCOME]
        is_feature = figures["indicator_key"].isin([people.indicator_key, income.indicator_key])
        panel = Panel.of(figures[is_feature], regions)
        total, urban = AREA_KEYS["total"], AREA_KEYS["urban"]
        self.rows = np.full((periods.size, regions.size, PEERS), -1, dtype=np.int64)
        for place, period in enumerate(periods.tolist()):
            size, _ = panel.weight(people, period, total)
            townspeople, _ = panel.weight(people, period, urban)
            earned, _ = panel.weight(income, period, total)
            with np.errstate(divide="ignore", invalid="ignore"):
                features = np.column_stack(
                    [_logarithm(size), _logarithm(earned), townspeople / np.where(size > 0, size, np.nan)]
                )
            self.rows[place] = nearest_peers(features, PEERS).rows
        codes = np.array([f"{region:06d}" for region in regions.tolist()], dtype=object)
        self.names = np.empty(self.rows.shape[:2], dtype=object)
        for place, of_period in enumerate(self.rows):
            self.names[place] = [";".join(codes[found[found >= 0]]) for found in of_period]


def _logarithm(values: FloatArray) -> FloatArray:
    return np.log(np.where(values > 0, values, np.nan))


def _rows(panel: Panel, likeness: _Likeness, can_exist: BoolArray, catalogue: Catalogue) -> pd.DataFrame:
    """The rows of all slices, [slices × provinces] unrolled, of provinces that have a figure and peers."""
    of_period = np.searchsorted(likeness.periods, panel.period_keys)
    found = likeness.rows[of_period]
    slices = np.arange(panel.values.shape[0])[:, None, None]
    is_peer = found >= 0
    others = np.where(is_peer, panel.values[slices, found], np.nan)
    ranks = np.where(is_peer, panel.ranks[slices, found], len(STATUSES) - 1).astype(np.int8)
    expected = (is_peer & can_exist[slices, found]).sum(axis=2)
    signs = np.array(
        [1.0 if catalogue.by_key[key].direction == "higher" else -1.0 for key in panel.indicator_keys.tolist()]
    )
    table = _measured(panel, others, found, signs)
    units = (~np.isnan(others)).sum(axis=2)
    is_weak, is_estimated = _weakness(panel, others, ranks)
    table |= {
        "value": panel.values,
        "units": units,
        "units_missing": expected - units,
        "units_estimated": is_estimated,
        "coverage": units / np.maximum(expected, 1),
        "is_weak": is_weak | (units < expected),
        "peers": likeness.names[of_period],
        "obs_status": np.asarray(status_letters(panel.ranks.ravel()), dtype=object).reshape(panel.values.shape),
        "indicator_key": np.broadcast_to(panel.indicator_keys[:, None], panel.values.shape),
        "period_key": np.broadcast_to(panel.period_keys[:, None], panel.values.shape),
        "area_key": np.broadcast_to(panel.area_keys[:, None], panel.values.shape),
        "region_key": np.broadcast_to(panel.regions, panel.values.shape),
    }
    is_kept = ~np.isnan(panel.values) & is_peer.any(axis=2)
    rows = pd.DataFrame({name: values[is_kept] for name, values in table.items()})
    is_short = (rows["coverage"] < MINIMUM_COVERAGE) | (rows["units"] == 0)
    few = rows["units"] + rows["units_missing"] < MINIMUM_UNITS
    rows["status"] = np.select([few, is_short], ["too_few_units", "insufficient_coverage"], "ok")
    rows.loc[rows["status"] != "ok", list(MEASURES)] = np.nan
    return rows.astype(
        {
            "indicator_key": "int16",
            "period_key": "int32",
            "region_key": "int32",
            "area_key": "int16",
            "best_peer_key": "Int32",
        }
        | {"rank": "Int16"}
        | dict.fromkeys(("units", "units_missing", "units_estimated"), "int32")
    )


def _measured(panel: Panel, others: FloatArray, found: IntArray, signs: FloatArray) -> dict[str, np.ndarray]:
    """Best, gap, mean and rank, [slices × provinces]; of equally good peers the nearest is the best."""
    good = np.where(np.isnan(others), -np.inf, others * signs[:, None, None])
    place = good.argmax(axis=2)[:, :, None]
    best = np.take_along_axis(others, place, axis=2)[:, :, 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        known = (~np.isnan(others)).sum(axis=2)
        return {
            "best_peer_key": panel.regions[np.take_along_axis(found, place, axis=2)[:, :, 0]].astype(np.float64),
            "best_peer_value": best,
            "gap_to_best": (panel.values - best) * signs[:, None],
            "peers_mean": np.nansum(others, axis=2) / np.where(known, known, np.nan),
            "rank": 1.0 + (good > (panel.values * signs[:, None])[:, :, None]).sum(axis=2),
        }


def _weakness(panel: Panel, others: FloatArray, ranks: RankArray) -> tuple[BoolArray, IntArray]:
    """Whether any figure compared is weaker than a break, and how many peers' are estimates, [slices × provinces]."""
    has_value = ~np.isnan(others)
    is_weak = ((ranks < BREAK_RANK) & has_value).any(axis=2) | (panel.ranks < BREAK_RANK)
    return is_weak, ((ranks == ESTIMATED_RANK) & has_value).sum(axis=2)
