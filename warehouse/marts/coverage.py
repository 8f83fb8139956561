"""What a metric over units rests on: their weights, how many there are and are missing, the share they cover, its grade.

Here: the counting that all marts over scopes share. Not here: which units there are (``scopes``), any measure.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from warehouse.catalogue import Catalogue
from warehouse.marts.scopes import Layout
from warehouse.measures.sample import BoolArray, FloatArray
from warehouse.panels import BREAK_RANK, ESTIMATED_RANK, STATUSES, Panel, RankArray, Slice, in_slices, weight_area

#: Share of units, and of weight, under which nothing is published (docs/architecture.md).
MINIMUM_COVERAGE = 0.8

#: Columns of a table to be, by name, of one length.
Columns = dict[str, npt.NDArray[Any]]

#: Columns of :func:`count_units` that are counts.
COUNTS = ("units", "units_missing", "units_estimated")


@dataclass(frozen=True, eq=False)
class UnitTable:
    """Slices over the units of a level, all [slices × units]; ``weights`` None: units as equals."""

    values: FloatArray
    ranks: RankArray
    can_exist: BoolArray
    weights: FloatArray | None

    @property
    def is_used(self) -> BoolArray:
        """Which figures measures rest on: those that can exist and have a value, and a weight that is not 0 where weighted."""
        has_value = self.can_exist & ~np.isnan(self.values)
        return has_value if self.weights is None else has_value & ~np.isnan(self.weights) & (self.weights != 0)


def weights_of(panel: Panel, weight_panel: Panel, catalogue: Catalogue) -> tuple[FloatArray, RankArray, BoolArray]:
    """Weight and its status by slice and unit, and which slices have a weight indicator at all."""
    weights = np.full(panel.values.shape, np.nan)
    ranks = np.full(panel.values.shape, len(STATUSES) - 1, dtype=np.int8)
    is_weighted = np.zeros(panel.values.shape[0], dtype=bool)
    looked_up: dict[tuple[str, int, int], tuple[FloatArray, RankArray]] = {}
    for (indicator_key, period, area), row in panel.rows.items():
        indicator = catalogue.by_key[indicator_key]
        if indicator.weight_indicator is None:
            continue
        weight = catalogue.indicators[indicator.weight_indicator]
        key = (weight.code, period, weight_area(indicator, weight, area))
        if key not in looked_up:
            looked_up[key] = weight_panel.weight(weight, *key[1:])
        weights[row], ranks[row] = looked_up[key]
        is_weighted[row] = True
    return weights, ranks, is_weighted


def count_units(table: UnitTable, layout: Layout) -> Columns:
    """By slice and scope, [slices × scopes] unrolled: ``scope``; ``expected``, units that can exist (of weight 0 there is
    nobody, who counts neither way); ``units`` used, ``units_missing``, ``units_estimated``; ``is_weak``, whether it rests on
    anything estimated, provisional or weaker; ``coverage``, the share of units, weighted the share of the known weight;
    ``covered``, the lesser of the two shares (NaN where there is none)."""
    weights, can_exist, is_used = table.weights, table.can_exist, table.is_used
    if weights is not None:
        can_exist = can_exist & (weights != 0)
    expected, units = layout.count(can_exist), layout.count(is_used)
    with np.errstate(divide="ignore", invalid="ignore"):
        unit_share = units / expected
        coverage = unit_share
        if weights is not None:
            known = np.where(can_exist, np.nan_to_num(weights), 0.0)
            coverage = np.nan_to_num(layout.total(np.where(is_used, known, 0.0)) / layout.total(known))
    return {
        "scope": np.tile(np.array(layout.scopes, dtype=object), table.values.shape[0]),
        "expected": expected,
        "units": units,
        "units_missing": expected - units,
        "units_estimated": layout.count(is_used & (table.ranks == ESTIMATED_RANK)),
        "is_weak": layout.count(is_used & (table.ranks < BREAK_RANK)) > 0,
        "coverage": coverage,
        "covered": np.minimum(unit_share, coverage),
    }


def joined(parts: Collection[Columns]) -> pd.DataFrame:
    """Parts with the same columns, one below the other: a frame at the end costs less than one a part."""
    names = next(iter(parts))
    return pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in names})


def grades(rows: pd.DataFrame, is_weak: npt.ArrayLike, warned: Collection[Slice]) -> npt.NDArray[np.str_]:
    """Grade of each row: C resting on anything weak or with units missing, B where a check of its slice warned, else A."""
    has_warning = in_slices(rows, warned) if warned else np.zeros(len(rows), dtype=bool)
    return np.select([np.asarray(is_weak, dtype=bool), has_warning], ["C", "B"], "A")
