"""The weights behind the composite indices, and the figures of each member that they were fitted on.

Not here: scores and ranks (``composite_index``), what is pooled (``indices``).
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from warehouse.catalogue import Catalogue
from warehouse.marts.indices import PooledIndex, index_codes, pooled_indices
from warehouse.panels import AREA_KEYS, ESTIMATED_RANK, Slice, in_slices
from warehouse.periods import year

INDEX_WEIGHT_COLUMNS = (
    "indicator_key",
    "period_key",
    "member_key",
    "area_key",
    "weight_entropy",
    "weight_critic",
    "weight_equal",
    "low",
    "high",
    "first_year",
    "last_year",
    "pooled_units",
    "units",
    "units_missing",
    "units_estimated",
    "grade",
    "status",
)

#: Columns that are null where the row's status is not ``ok``.
WEIGHTS = ("weight_entropy", "weight_critic", "weight_equal", "low", "high")


def index_weight(
    figures: pd.DataFrame,
    catalogue: Catalogue,
    slices: Collection[Slice] | None = None,
    *,
    warned: Collection[Slice] = (),
) -> pd.DataFrame:
    """One row an index, year and member.

    Weights are those of all pooled years together (``first_year`` to ``last_year``, ``pooled_units`` provinces and years),
    so they are the same in every year; ``low`` and ``high`` are what the member's figures are scaled between. ``units``,
    ``units_missing`` and ``units_estimated`` are of the member in that year, over the provinces in which the whole index
    can exist. ``grade`` and ``status`` are the year's, as in ``composite_index``; a year that is not pooled has no weights
    of its own. CRITIC's are null beside ``ok`` where all members are perfectly correlated.

    Returns the columns :data:`INDEX_WEIGHT_COLUMNS`, sorted by keys.
    """
    codes = index_codes(catalogue, slices)
    parts = [_rows(pool, warned) for pool in pooled_indices(figures, catalogue, codes).values()]
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in INDEX_WEIGHT_COLUMNS})
    rows = pd.concat(parts, ignore_index=True)
    keys = ["indicator_key", "period_key", "member_key", "area_key"]
    rows = rows[in_slices(rows, slices)].sort_values(keys, kind="stable")
    return rows.reset_index(drop=True)[list(INDEX_WEIGHT_COLUMNS)]


def _rows(pool: PooledIndex, warned: Collection[Slice]) -> pd.DataFrame:
    """The rows of one index: years, members varying fastest."""
    years, members = pool.years.size, len(pool.members)
    is_pooled = ~np.isnan(pool.panel).any(axis=1)
    pooled_years = pool.years[pool.year_status == "ok"]
    status = np.repeat(_year_status(pool), members)
    known = ~np.isnan(pool.values) & pool.can_exist[:, :, None]
    units = known.sum(axis=1).ravel()
    estimated = (known & (pool.ranks == ESTIMATED_RANK)).sum(axis=1).ravel()
    fitted = {f"weight_{way}": weights for way, weights in pool.weights.items()}
    if is_pooled.any():
        fitted |= {"low": np.nanmin(pool.panel, axis=0), "high": np.nanmax(pool.panel, axis=0)}
    else:
        fitted |= dict.fromkeys(("low", "high"), np.full(members, np.nan))
    rows = pd.DataFrame(
        {name: np.where(status == "ok", np.tile(values, years), np.nan) for name, values in fitted.items()}
    )
    span = (int(pooled_years.min()), int(pooled_years.max())) if pooled_years.size else (None, None)
    return rows.assign(
        indicator_key=np.int16(pool.index.index_key),
        period_key=np.repeat(np.array([year(number).key for number in pool.years.tolist()], dtype=np.int32), members),
        member_key=np.tile([member.indicator.indicator_key for member in pool.members], years).astype(np.int16),
        area_key=np.tile([AREA_KEYS[member.area_type] for member in pool.members], years).astype(np.int16),
        first_year=pd.array([span[0]] * len(rows), dtype="Int16"),
        last_year=pd.array([span[1]] * len(rows), dtype="Int16"),
        pooled_units=np.int32(is_pooled.sum()),
        units=units.astype(np.int32),
        units_missing=(np.repeat(pool.expected, members) - units).astype(np.int32),
        units_estimated=estimated.astype(np.int32),
        grade=np.repeat(pool.grades(warned), members),
        status=status,
    )


def _year_status(pool: PooledIndex) -> np.ndarray:
    """By year ``ok``, or why it has no weights."""
    is_flat = (pool.year_status == "ok") & np.isnan(pool.weights["entropy"]).any()
    return np.where(is_flat, "undefined_zero_value", pool.year_status)
