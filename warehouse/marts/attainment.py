"""Attainment: each figure against the standard in force. Not here: shortfall over a population, cost to the floor."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from warehouse.catalogue import Catalogue, Standard
from warehouse.catalogue.standards import precedence, sign_of, standard_in_force
from warehouse.measures.sample import BoolArray, FloatArray, IntArray
from warehouse.panels import AREA_KEYS, NATION, Slice, in_slices
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
    """One row a figure with a value and each kind of standard of its indicator in force: ``floor``, ``target``,
    ``reference``; without a standard there is no row.

    In force is judged on the period's last day, for a school year on its 1 September. A national standard for a region
    group is for the places of that group alone (the nation has none) and stands there before a general one. Of the
    national standard and those of the place itself and of the places above it, the strictest counts.

    ``margin`` = (value − floor) / floor, where lower is better (floor − value) / floor; ``attained`` is margin ≥ 0,
    at the floor included (within :data:`AT_FLOOR`). ``standard_key`` is the catalogue's.

    Returns the columns :data:`ATTAINMENT_COLUMNS`, sorted by keys. Source: the policy's rule that no division's
    standard is under the national one (China Daily, 2023-12-06).
    """
    keys = {catalogue.indicators[standard.indicator_code].indicator_key for standard in catalogue.standards}
    is_judged = np.isin(figures["indicator_key"].to_numpy(), np.array(sorted(keys), dtype=np.int64))
    is_judged &= figures["value"].notna().to_numpy() & in_slices(figures, slices)
    judged = figures.loc[is_judged, [*_KEYS, "value", "obs_status"]].reset_index(drop=True)
    places = dict(tuple(judged.groupby("indicator_key", sort=False)))
    groups = _region_groups(catalogue)
    parts = []
    for standard in catalogue.standards:
        rows = places.get(catalogue.indicators[standard.indicator_code].indicator_key)
        if rows is None:
            continue
        is_under = _under_standard(rows, groups, catalogue, standard)
        if is_under.any():
            parts.append(_against(rows[is_under], standard))
    if not parts:
        return _empty(figures)
    return _strictest(pd.concat(parts, ignore_index=True), catalogue)


def _region_groups(catalogue: Catalogue) -> dict[int, str | None]:
    return {int(region.region_code): region.region_group for region in catalogue.region_rows}


def _under_standard(
    rows: pd.DataFrame, groups: dict[int, str | None], catalogue: Catalogue, standard: Standard
) -> BoolArray:
    """Which figures of the standard's indicator it is for: period, area type, region group, and place."""
    periods = rows["period_key"].to_numpy()
    in_force = [
        int(key) for key in np.unique(periods) if standard_in_force(standard, period_from_key(int(key)).standard_date)
    ]
    is_under: BoolArray = np.isin(periods, np.array(in_force, dtype=np.int64))
    if standard.area_type is not None:
        is_under &= rows["area_key"].to_numpy() == AREA_KEYS[standard.area_type]
    if standard.region_group is not None:
        is_under &= (rows["region_key"].map(groups) == standard.region_group).to_numpy()
    if standard.region_code is not None:
        is_under &= np.isin(rows["region_key"].to_numpy(), _places_of(standard.region_code, catalogue))
    return is_under


def _places_of(region_code: str, catalogue: Catalogue) -> IntArray:
    """Regions a local standard is for: its own and those within it; what the nation plans is for the nation alone."""
    codes = catalogue.within(region_code) if int(region_code) != NATION else [region_code]
    return np.array([int(code) for code in codes], dtype=np.int64)


def _margin(values: FloatArray, standard: Standard) -> FloatArray:
    margin = sign_of(standard) * (values - standard.value) / abs(standard.value)
    return np.where(np.abs(margin) <= AT_FLOOR, 0.0, margin)


def _against(rows: pd.DataFrame, standard: Standard) -> pd.DataFrame:
    margin = _margin(rows["value"].to_numpy(np.float64), standard)
    return rows.assign(
        standard_key=np.int32(standard.standard_key),
        floor_value=standard.value,
        floor_kind=standard.kind,
        margin=margin,
        attained=margin >= 0,
    )[list(ATTAINMENT_COLUMNS)]


def _strictest(rows: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """One row a figure and kind: of each issuer the step that counts, of those the strictest (the national at a tie)."""
    steps = sorted(catalogue.standards, key=precedence)
    rank = {standard.standard_key: place for place, standard in enumerate(steps)}
    issuer = {standard.standard_key: standard.region_code or "" for standard in steps}
    sign = {standard.standard_key: sign_of(standard) for standard in steps}
    keys = [*_KEYS, "floor_kind"]
    rows = rows.assign(rank=rows["standard_key"].map(rank), issuer=rows["standard_key"].map(issuer))
    rows = rows.sort_values([*keys, "issuer", "rank"], kind="stable").drop_duplicates([*keys, "issuer"])
    if (rows["issuer"] != "").any():
        rows = rows.assign(weakness=-rows["standard_key"].map(sign) * rows["floor_value"])
        rows = rows.sort_values([*keys, "weakness", "issuer"], kind="stable").drop_duplicates(keys)
    return rows[list(ATTAINMENT_COLUMNS)].reset_index(drop=True)


def _empty(figures: pd.DataFrame) -> pd.DataFrame:
    rows = figures.iloc[:0][[*_KEYS, "value", "obs_status"]]
    return rows.assign(
        standard_key=pd.Series(dtype=np.int32),
        floor_value=pd.Series(dtype=np.float64),
        floor_kind=pd.Series(dtype="str"),
        margin=pd.Series(dtype=np.float64),
        attained=pd.Series(dtype=bool),
    )[list(ATTAINMENT_COLUMNS)]
