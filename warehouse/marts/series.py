"""Annual figures as series: what trend, convergence and bounds look back over. Not here: any measure, any verdict.

A finding over years rests on figures that were reported: status A, P or B, never an estimate. Years and school years are
series of their own, and no series goes back behind a break of definition.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from warehouse.breaks import first_comparable_years
from warehouse.catalogue import Catalogue
from warehouse.measures.sample import BoolArray, FloatArray, IntArray
from warehouse.panels import STATUSES, Panel, Slice, in_slices, status_ranks, years_of
from warehouse.periods import period_from_key

#: Statuses of the figures that findings rest on: normal, provisional, and the first of a new definition.
FIRM = "APB"
_FIRM_RANKS = np.array(sorted(STATUSES.index(status) for status in FIRM))
_KINDS = ("year", "school_year")

NO_ROW = -1


def firm_figures(figures: pd.DataFrame, indicator_keys: Collection[int]) -> pd.DataFrame:
    """The figures of years and school years of these indicators that have a value and a status of :data:`FIRM`."""
    annual = [key for key in np.unique(figures["period_key"].to_numpy()).tolist() if _kind_of(key) is not None]
    is_kept = np.isin(figures["period_key"].to_numpy(), np.array(annual, dtype=np.int64))
    is_kept &= np.isin(figures["indicator_key"].to_numpy(), np.array(sorted(indicator_keys), dtype=np.int64))
    is_kept &= ~np.isnan(figures["value"].to_numpy(np.float64))
    kept = figures[is_kept]
    return kept[np.isin(status_ranks(kept["obs_status"]), _FIRM_RANKS)]


@dataclass(frozen=True, eq=False)
class Windows:
    """Of each wanted slice of a panel the rows of its years, ascending, the slice itself last; a month or quarter is alone.

    ``targets`` are rows of ``panel``; ``rows`` is [targets × years], :data:`NO_ROW` where a series is shorter; ``years`` are
    their years.
    """

    panel: Panel
    targets: IntArray
    rows: IntArray

    @classmethod
    def of(cls, panel: Panel, slices: Collection[Slice] | None) -> Windows:
        """The windows of the panel's slices that are among ``slices``; None: of all."""
        keys = pd.DataFrame({"indicator_key": panel.indicator_keys, "period_key": panel.period_keys})
        targets = np.flatnonzero(in_slices(keys, slices))
        series: dict[tuple[int, int, str | int], list[int]] = {}
        place: dict[int, tuple[list[int], int]] = {}
        for (indicator, period, area), row in panel.rows.items():  # ascending by indicator and period
            own = series.setdefault((indicator, area, _kind_of(period) or period), [])
            own.append(row)
            place[row] = (own, len(own))
        width = max((place[row][1] for row in targets.tolist()), default=0)
        rows = np.full((targets.size, width), NO_ROW, dtype=np.int64)
        for number, row in enumerate(targets.tolist()):
            own, count = place[row]
            rows[number, width - count :] = own[:count]
        return cls(panel, targets, rows)

    @property
    def years(self) -> IntArray:
        """Year of each row, [targets × years]; 0 where there is none."""
        return np.where(self.rows == NO_ROW, 0, years_of(self.panel.period_keys)[self.rows])

    def part(self, chosen: IntArray) -> Windows:
        """Some of the targets."""
        return Windows(self.panel, self.targets[chosen], self.rows[chosen])

    def last(self, count: int) -> Windows:
        """The last ``count`` rows of each."""
        return Windows(self.panel, self.targets, self.rows[:, -count:])

    def values(self, columns: IntArray | slice, is_counted: BoolArray | None = None) -> FloatArray:
        """Values of some regions in these years, [targets × regions × years]; NaN where there is none or not counted."""
        found = self.panel.values[:, columns][self.rows].transpose(0, 2, 1)
        is_there = self.rows != NO_ROW if is_counted is None else is_counted
        return np.where(is_there[:, None, :], found, np.nan)

    def first_years(self, catalogue: Catalogue) -> IntArray:
        """Since when the figures mean what the target's mean, [targets × regions] (0: as long as there are any)."""
        shape = (self.targets.size, self.panel.regions.size)
        keys = (self.panel.indicator_keys, self.panel.area_keys, self.panel.period_keys)
        indicators, areas, periods = (np.broadcast_to(key[self.targets][:, None], shape).ravel() for key in keys)
        regions = np.broadcast_to(self.panel.regions, shape).ravel()
        return first_comparable_years(catalogue, indicators, areas, periods, regions).reshape(shape)


def chunks_of(count: int, cells_each: int, at_once: int) -> list[npt.NDArray[np.int64]]:
    """The numbers 0 … count − 1 in parts whose cells do not exceed ``at_once`` (one number a part at least)."""
    size = max(1, at_once // max(1, cells_each))
    return [np.arange(first, min(first + size, count)) for first in range(0, count, size)]


def _kind_of(period_key: int) -> str | None:
    kind = period_from_key(period_key).kind
    return kind if kind in _KINDS else None
