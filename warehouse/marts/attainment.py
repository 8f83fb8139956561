"""Attainment: each figure against the standard in force. Not here: shortfall over a population, cost to the floor."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
import pandas as pd

from warehouse.catalogue import Catalogue
from warehouse.marts.floors import Floors
from warehouse.measures.sample import BoolArray, IntArray
from warehouse.measures.shortfall import AT_FLOOR
from warehouse.panels import Slice, in_slices

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


_KEYS = ["indicator_key", "period_key", "region_key", "area_key"]


def attainment(figures: pd.DataFrame, catalogue: Catalogue, slices: Collection[Slice] | None = None) -> pd.DataFrame:
    """One row a figure with a value and each kind of standard of its indicator in force: ``floor``, ``target``,
    ``reference``; without a standard there is no row. Which one is in force: :mod:`warehouse.marts.floors`.

    ``margin`` = (value − floor) / floor, where lower is better (floor − value) / floor; ``attained`` is margin ≥ 0,
    at the floor included (within :data:`AT_FLOOR`). ``standard_key`` is the catalogue's.

    Returns the columns :data:`ATTAINMENT_COLUMNS`, sorted by keys. Source: the policy's rule that no division's
    standard is under the national one (China Daily, 2023-12-06).
    """
    keys = {catalogue.indicators[standard.indicator_code].indicator_key for standard in catalogue.standards}
    is_judged = np.isin(figures["indicator_key"].to_numpy(), np.array(sorted(keys), dtype=np.int64))
    is_judged &= figures["value"].notna().to_numpy() & in_slices(figures, slices)
    judged = figures.loc[is_judged, [*_KEYS, "value", "obs_status"]].reset_index(drop=True)
    regions, columns = np.unique(judged["region_key"].to_numpy(np.int64), return_inverse=True)
    floors = Floors(catalogue, regions)
    parts = [
        part
        for key in judged["indicator_key"].unique().tolist()
        for part in _of_indicator(judged, columns, floors, judged["indicator_key"].to_numpy() == key)
    ]
    if not parts:
        return _empty(figures)
    rows = pd.concat(parts, ignore_index=True).assign(floor_kind=lambda made: made["floor_kind"].astype("str"))
    return rows.sort_values([*_KEYS, "floor_kind"], kind="stable").reset_index(drop=True)[list(ATTAINMENT_COLUMNS)]


def _of_indicator(judged: pd.DataFrame, columns: IntArray, floors: Floors, is_own: BoolArray) -> Iterator[pd.DataFrame]:
    """The rows of one indicator, a frame a kind of standard; ``columns`` is where each figure's region stands."""
    own, column = judged[is_own], columns[is_own]
    keys = own["period_key"].to_numpy(np.int64) << 2 | own["area_key"].to_numpy(np.int64)
    slices, row = np.unique(keys, return_inverse=True)
    indicator_keys = np.full(slices.size, own["indicator_key"].iloc[0], dtype=np.int64)
    for held in floors.of(indicator_keys, slices >> 2, slices & 3):
        is_under = held.is_under[row, column]
        rows, place = own[is_under], (row[is_under], column[is_under])
        floor = held.values[place]
        sign = np.where(held.is_favourable, 1.0, -1.0)[place[0]]
        margin = sign * (rows["value"].to_numpy(np.float64) - floor) / np.abs(floor)
        margin = np.where(np.abs(margin) <= AT_FLOOR, 0.0, margin)
        yield rows.assign(
            standard_key=held.keys[place].astype(np.int32),
            floor_value=floor,
            floor_kind=held.kind,
            margin=margin,
            attained=margin >= 0,
        )


def _empty(figures: pd.DataFrame) -> pd.DataFrame:
    rows = figures.iloc[:0][[*_KEYS, "value", "obs_status"]]
    return rows.assign(
        standard_key=pd.Series(dtype=np.int32),
        floor_value=pd.Series(dtype=np.float64),
        floor_kind=pd.Series(dtype="str"),
        margin=pd.Series(dtype=np.float64),
        attained=pd.Series(dtype=bool),
    )[list(ATTAINMENT_COLUMNS)]
