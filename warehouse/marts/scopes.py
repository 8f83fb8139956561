"""The units that metrics compare, and how they fall into scopes and groups. Not here: figures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from warehouse.catalogue import Catalogue
from warehouse.measures.sample import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Layout:
    """A way to cut the units of a level: each unit is in one scope and one group.

    ``order`` lists the units by scope; ``scope_of`` and ``group_of`` follow that order; ``starts`` is where each scope
    begins in it; ``is_grouped`` says which scopes have more than one group; ``upper_of`` is by group the group that it is
    itself in, None where groups are in none.
    """

    scopes: tuple[str, ...]
    order: IntArray
    scope_of: IntArray
    group_of: IntArray
    starts: IntArray
    is_grouped: BoolArray
    upper_of: IntArray | None = None

    @classmethod
    def of(cls, scopes: list[str], groups: list[str], upper_groups: list[str] | None = None) -> Layout:
        """The layout of units with these scopes, groups and groups of groups (one entry a unit)."""
        names, scope_of = np.unique(np.array(scopes), return_inverse=True)
        _, members, group_of = np.unique(np.array(groups), return_index=True, return_inverse=True)
        order = np.lexsort((group_of, scope_of))
        ordered, grouped = scope_of[order], group_of[order]
        starts = np.searchsorted(ordered, np.arange(names.size))
        group_counts = np.array([np.unique(grouped[ordered == scope]).size for scope in range(names.size)])
        upper = None if upper_groups is None else np.unique(np.array(upper_groups), return_inverse=True)[1][members]
        return cls(tuple(names.tolist()), order, ordered, grouped, starts, group_counts > 1, upper)

    @cached_property
    def scope_of_unit(self) -> IntArray:
        """Scope of each unit, in the units' own order."""
        return _by_unit(self.scope_of, self.order)

    @cached_property
    def group_of_unit(self) -> IntArray:
        """Group of each unit, in the units' own order."""
        return _by_unit(self.group_of, self.order)

    def count(self, table: BoolArray) -> IntArray:
        """Units of a [slices × units] table that are true, by scope, unrolled: scope varies fastest."""
        counts: IntArray = np.add.reduceat(table[:, self.order], self.starts, axis=1, dtype=np.int64)
        return counts.ravel()

    def total(self, table: FloatArray) -> FloatArray:
        """Sum of a [slices × units] table by scope, unrolled as :meth:`count`."""
        totals: FloatArray = np.add.reduceat(table[:, self.order], self.starts, axis=1)
        return totals.ravel()

    def extremes(self, table: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Smallest and largest entry by scope, unrolled as :meth:`count`; NaN is left out, but where there is nothing else."""
        ordered = table[:, self.order]
        least: FloatArray = np.fmin.reduceat(ordered, self.starts, axis=1)
        greatest: FloatArray = np.fmax.reduceat(ordered, self.starts, axis=1)
        return least.ravel(), greatest.ravel()


def _by_unit(ordered: IntArray, order: IntArray) -> IntArray:
    numbers = np.empty_like(ordered)
    numbers[order] = ordered
    return numbers


@dataclass(frozen=True, eq=False)
class Units:
    """The units of a level (keys ascending) and the layouts they are compared in."""

    region_keys: IntArray
    layouts: tuple[Layout, ...]
    is_county: bool


class _Known:
    """A catalogue as a key of a cache: itself, whatever is in it; it is immutable."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Known) and other.catalogue is self.catalogue

    def __hash__(self) -> int:
        return id(self.catalogue)


@lru_cache(maxsize=8)
def _units(rows: tuple[tuple[int, str, str, str], ...], layouts: tuple[str, ...], is_county: bool) -> Units:
    keys = np.array([key for key, *_ in rows], dtype=np.int64)
    own_scopes = [f"{key // 10_000 * 10_000:06d}:county" for key, *_ in rows]
    made = {
        "nation": lambda: Layout.of(
            ["nation:county" if is_county else "nation:province"] * len(rows),
            [group for _, group, _, _ in rows],
            [upper for _, _, _, upper in rows] if is_county else None,
        ),
        "province": lambda: Layout.of(own_scopes, [group for _, _, group, _ in rows]),
    }
    return Units(keys, tuple(made[name]() for name in layouts) if rows else (), is_county)


def province_units(catalogue: Catalogue) -> Units:
    """The 31 provinces in one scope, grouped by East, Central, West, Northeast."""
    rows = sorted((int(code), row.region_group, "", "") for code, row in catalogue.provinces.items())
    return _units(tuple(rows), ("nation",), False)


def county_units(catalogue: Catalogue) -> Units:
    """The county units in the nation (by province, provinces by region group) and in each province (by prefecture).

    A city without counties is its own prefecture; the directly administered places of a province share one group.
    """
    return _county_units(_Known(catalogue))


@lru_cache(maxsize=4)
def _county_units(known: _Known) -> Units:
    # Every mart of a night asks, and to go through all regions takes longer than to measure a slice of them.
    catalogue, rows = known.catalogue, []
    for region in catalogue.region_rows:
        if region.is_county_unit:
            is_city = region.region_level == "prefecture" or region.parent_code is None
            prefecture = region.region_code if is_city else str(region.parent_code)
            group = catalogue.provinces[f"{region.region_code[:2]}0000"].region_group
            rows.append((int(region.region_code), region.region_code[:2], prefecture, group))
    return _units(tuple(sorted(rows)), ("nation", "province"), True)
