"""Attainment: each figure against the standard in force. Not here: shortfall over a population, cost to the floor."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from warehouse.catalogue import Catalogue, Standard
from warehouse.catalogue.standards import precedence, sign_of, standard_in_force
from warehouse.measures.sample import FloatArray, IntArray
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

_NATIONAL = -1
"""Issuer of a national standard, before every region's."""

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
    by_indicator = {
        key: _Judged(judged[judged["indicator_key"] == key]) for key in judged["indicator_key"].unique().tolist()
    }
    groups = _region_groups(catalogue)
    held: list[tuple[IntArray, Standard]] = []
    for standard in catalogue.standards:
        of_indicator = by_indicator.get(catalogue.indicators[standard.indicator_code].indicator_key)
        places = None if of_indicator is None else _under_standard(of_indicator, groups, catalogue, standard)
        if places is not None and places.size:
            held.append((places, standard))
    if not held:
        return _empty(figures)
    return _strictest(_against(judged, held), catalogue)


class _Judged:
    """The figures of one indicator. Local standards may be thousands: what each of them asks for is found at once."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self.places = rows.index.to_numpy()
        self.regions = rows["region_key"].to_numpy()
        self.areas = rows["area_key"].to_numpy()
        periods, self.period_places = np.unique(rows["period_key"].to_numpy(), return_inverse=True)
        self.days = [period_from_key(int(key)).standard_date for key in periods]
        self._by_region = np.argsort(self.regions, kind="stable")
        self._regions_sorted = self.regions[self._by_region]

    def of_regions(self, regions: IntArray) -> IntArray:
        """Which of the figures are of these regions."""
        first = np.searchsorted(self._regions_sorted, regions, side="left")
        last = np.searchsorted(self._regions_sorted, regions, side="right")
        spans = [np.arange(a, b) for a, b in zip(first, last, strict=True) if a < b]
        return self._by_region[np.concatenate(spans)] if spans else np.empty(0, dtype=np.int64)


def _region_groups(catalogue: Catalogue) -> dict[int, str | None]:
    return {int(region.region_code): region.region_group for region in catalogue.region_rows}


def _under_standard(
    judged: _Judged, groups: dict[int, str | None], catalogue: Catalogue, standard: Standard
) -> IntArray:
    """Places in the frame of the figures that a standard is for: by period, area type, region group, and region."""
    in_force = np.array([standard_in_force(standard, day) for day in judged.days], dtype=bool)
    if not in_force.any():
        return np.empty(0, dtype=np.int64)
    if standard.region_code is None:
        chosen = np.arange(judged.regions.size)
    else:
        chosen = judged.of_regions(_places_of(standard.region_code, catalogue))
    is_under = in_force[judged.period_places[chosen]]
    if standard.area_type is not None:
        is_under &= judged.areas[chosen] == AREA_KEYS[standard.area_type]
    if standard.region_group is not None:
        is_under &= np.array(
            [groups.get(int(key)) == standard.region_group for key in judged.regions[chosen]], dtype=bool
        )
    places: IntArray = judged.places[chosen[is_under]]
    return places


def _places_of(region_code: str, catalogue: Catalogue) -> IntArray:
    """Regions a local standard is for: its own and those within it; what the nation plans is for the nation alone."""
    codes = catalogue.within(region_code) if int(region_code) != NATION else [region_code]
    return np.array([int(code) for code in codes], dtype=np.int64)


def _against(judged: pd.DataFrame, held: list[tuple[IntArray, Standard]]) -> pd.DataFrame:
    """A row a figure and standard it is under."""
    sizes = [places.size for places, _ in held]

    def of_each(values: list[float]) -> FloatArray:
        return np.repeat(np.array(values, dtype=np.float64), sizes)

    rows = judged.take(np.concatenate([places for places, _ in held])).reset_index(drop=True)
    floor = of_each([standard.value for _, standard in held])
    sign = of_each([sign_of(standard) for _, standard in held])
    margin = sign * (rows["value"].to_numpy(np.float64) - floor) / np.abs(floor)
    margin = np.where(np.abs(margin) <= AT_FLOOR, 0.0, margin)
    return rows.assign(
        standard_key=np.repeat(np.array([standard.standard_key for _, standard in held], dtype=np.int32), sizes),
        floor_value=floor,
        floor_kind=pd.Series(
            np.repeat(np.array([standard.kind for _, standard in held], dtype=object), sizes), dtype="str"
        ),
        margin=margin,
        attained=margin >= 0,
    )[list(ATTAINMENT_COLUMNS)]


def _strictest(rows: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """One row a figure and kind: of each issuer the step that counts, of those the strictest (the national at a tie)."""
    steps = sorted(catalogue.standards, key=precedence)
    rank = {standard.standard_key: place for place, standard in enumerate(steps)}
    issuer = {standard.standard_key: int(standard.region_code or _NATIONAL) for standard in steps}
    sign = {standard.standard_key: sign_of(standard) for standard in steps}
    keys = [*_KEYS, "floor_kind"]
    rows = rows.assign(rank=rows["standard_key"].map(rank), issuer=rows["standard_key"].map(issuer))
    rows = rows.sort_values([*keys, "issuer", "rank"], kind="stable").drop_duplicates([*keys, "issuer"])
    if (rows["issuer"] != _NATIONAL).any():
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
