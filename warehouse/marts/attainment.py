"""Attainment: each figure against the standard in force. Not here: shortfall over a population, cost to the floor."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from warehouse.catalogue import Catalogue, Standard, standard_in_force
from warehouse.measures.sample import BoolArray, FloatArray
from warehouse.panels import Slice, in_slices
from warehouse.periods import period_from_key

ATTAINMENT_COLUMNS = (
    "indicator_key",
    "period_key",
    "region_key",
    "area_key",
    "standard_key",
    "value",
    "obs_status",
    "floor_value",
    "floor_kind",
    "margin",
    "attained",
)

#: A figure this close to the floor, relative to it, stands at the floor: figures have 12 significant digits, rates
#: carry the rounding of their multiplier (1/12 as 0.083333333333), and at the floor is attained.
AT_FLOOR = 1e-9

_KEYS = ["indicator_key", "period_key", "region_key", "area_key"]


def attainment(figures: pd.DataFrame, catalogue: Catalogue, slices: Collection[Slice] | None = None) -> pd.DataFrame:
    """One row a figure with a value and a standard of its indicator in force.

    In force is judged on the period's last day, for a school year on its 1 September. A standard for a region group is
    for the places of that group alone (the nation has none) and stands there before a general one of the same kind.
    ``floor``, ``target`` and ``reference`` are rows of their own; without a standard there is no row.

    ``margin`` = (value − floor) / floor, where lower is better (floor − value) / floor; ``attained`` is margin ≥ 0,
    at the floor included (within :data:`AT_FLOOR`). ``standard_key`` is the catalogue's.

    Returns the columns :data:`ATTAINMENT_COLUMNS`, sorted by keys. Source: the policy's rule that no division's
    standard is under the national one (China Daily, 2023-12-06).
    """
    keys = {catalogue.indicators[standard.indicator_code].indicator_key for standard in catalogue.standards}
    is_judged = np.isin(figures["indicator_key"].to_numpy(), np.array(sorted(keys), dtype=np.int64))
    is_judged &= figures["value"].notna().to_numpy() & in_slices(figures, slices)
    judged = figures.loc[is_judged, [*_KEYS, "value", "obs_status"]].reset_index(drop=True)
    groups = judged["region_key"].map(_region_groups(catalogue))
    parts = []
    for standard in catalogue.standards:
        rows = _under_standard(judged, groups, catalogue, standard)
        if rows.any():
            parts.append(_against(judged[rows], standard))
    if not parts:
        return _empty(figures)
    return _prefer_own_group(pd.concat(parts, ignore_index=True), catalogue)


def _region_groups(catalogue: Catalogue) -> dict[int, str | None]:
    return {int(region.region_code): region.region_group for region in catalogue.region_rows}


def _under_standard(
    judged: pd.DataFrame, groups: pd.Series[str], catalogue: Catalogue, standard: Standard
) -> BoolArray:
    """Rows of the standard's indicator, in a period it is in force for, in its region group."""
    is_under: BoolArray = (
        judged["indicator_key"].to_numpy() == catalogue.indicators[standard.indicator_code].indicator_key
    )
    periods = judged["period_key"].to_numpy()
    in_force = [
        int(key)
        for key in np.unique(periods[is_under])
        if standard_in_force(standard, period_from_key(int(key)).standard_date)
    ]
    is_under &= np.isin(periods, np.array(in_force, dtype=np.int64))
    if standard.region_group is not None:
        is_under &= (groups == standard.region_group).to_numpy()
    return is_under


def _margin(values: FloatArray, standard: Standard) -> FloatArray:
    sign = 1.0 if standard.op == ">=" else -1.0
    margin = sign * (values - standard.value) / abs(standard.value)
    return np.where(np.abs(margin) <= AT_FLOOR, 0.0, margin)


def _against(rows: pd.DataFrame, standard: Standard) -> pd.DataFrame:
    margin = _margin(rows["value"].to_numpy(np.float64), standard)
    return rows.assign(
        standard_key=np.int16(standard.standard_key),
        floor_value=standard.value,
        floor_kind=standard.kind,
        margin=margin,
        attained=margin >= 0,
    )[list(ATTAINMENT_COLUMNS)]


def _prefer_own_group(rows: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Of two standards of one kind for one figure the group's own stands, then the younger."""
    order = sorted(catalogue.standards, key=lambda s: (s.region_group is None, -s.valid_from.toordinal()))
    precedence = {standard.standard_key: place for place, standard in enumerate(order)}
    rows = rows.assign(precedence=rows["standard_key"].map(precedence))
    rows = rows.sort_values([*_KEYS, "floor_kind", "precedence"], kind="stable")
    rows = rows.drop_duplicates([*_KEYS, "floor_kind"])
    return rows[list(ATTAINMENT_COLUMNS)].reset_index(drop=True)


def _empty(figures: pd.DataFrame) -> pd.DataFrame:
    rows = figures.iloc[:0][[*_KEYS, "value", "obs_status"]]
    return rows.assign(
        standard_key=pd.Series(dtype=np.int16),
        floor_value=pd.Series(dtype=np.float64),
        floor_kind=pd.Series(dtype="str"),
        margin=pd.Series(dtype=np.float64),
        attained=pd.Series(dtype=bool),
    )[list(ATTAINMENT_COLUMNS)]
