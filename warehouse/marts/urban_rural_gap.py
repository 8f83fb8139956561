"""The gap between town and country in each place. Not here: whether it closes (convergence)."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from warehouse.catalogue import Catalogue
from warehouse.measures import urban_rural_gap as gap_of
from warehouse.measures.sample import FloatArray
from warehouse.panels import AREA_KEYS, ESTIMATED_RANK, Slice, in_slices, status_letters, status_ranks

GAP_COLUMNS = (
    "indicator_key",
    "period_key",
    "region_key",
    "urban_value",
    "rural_value",
    "ratio",
    "difference",
    "disadvantaged",
    "obs_status",
    "is_estimated",
    "status",
)

_KEYS = ["indicator_key", "period_key", "region_key"]


def urban_rural_gap(
    figures: pd.DataFrame, catalogue: Catalogue, slices: Collection[Slice] | None = None
) -> pd.DataFrame:
    """One row a place and period where a comparable indicator has both sides.

    ratio = urban / rural, difference = urban − rural. Where rural ≤ 0 the ratio is null with status
    ``undefined_zero_value``; the difference stands. A place with one side only (a county under the administrative
    definition, a blank) has no row: nothing is compared. ``disadvantaged`` is the side the indicator's direction makes
    the worse off, ``none`` where equal or neutral. ``obs_status`` is the weaker of the two, ``is_estimated`` whether
    either is.

    Returns the columns :data:`GAP_COLUMNS`, sorted by keys.
    """
    directions = {
        indicator.indicator_key: indicator.direction
        for indicator in catalogue.indicators.values()
        if indicator.is_comparable and {"urban", "rural"} <= set(indicator.area_types)
    }
    is_compared = np.isin(figures["indicator_key"].to_numpy(), np.array(sorted(directions), dtype=np.int64))
    is_compared &= figures["value"].notna().to_numpy() & in_slices(figures, slices)
    compared = figures.loc[is_compared, [*_KEYS, "area_key", "value"]].assign(
        rank=status_ranks(figures.loc[is_compared, "obs_status"])
    )
    area = compared.pop("area_key")
    pairs = compared[area == AREA_KEYS["urban"]].merge(
        compared[area == AREA_KEYS["rural"]], on=_KEYS, suffixes=("_urban", "_rural")
    )
    urban, rural = pairs["value_urban"].to_numpy(np.float64), pairs["value_rural"].to_numpy(np.float64)
    difference, ratio = gap_of(urban, rural)
    ranks = np.minimum(pairs["rank_urban"].to_numpy(), pairs["rank_rural"].to_numpy())
    is_estimated = (pairs[["rank_urban", "rank_rural"]] == ESTIMATED_RANK).any(axis=1)
    rows = pairs[_KEYS].assign(
        urban_value=urban,
        rural_value=rural,
        ratio=ratio,
        difference=difference,
        disadvantaged=_worse_off(difference, pairs["indicator_key"].map(directions)),
        obs_status=status_letters(ranks, figures["obs_status"]),
        is_estimated=is_estimated.to_numpy(dtype=bool),
        status=np.where(np.isnan(ratio), "undefined_zero_value", "ok"),
    )
    return rows.sort_values(_KEYS).reset_index(drop=True)[list(GAP_COLUMNS)]


def _worse_off(difference: FloatArray, direction: pd.Series[str]) -> np.ndarray:
    """``urban``, ``rural`` or ``none`` by row."""
    sign = direction.map({"higher": 1, "lower": -1, "neutral": 0}).to_numpy(np.float64)
    return np.select([sign * difference < 0, sign * difference > 0], ["urban", "rural"], "none")
