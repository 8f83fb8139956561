"""Breaks of definition: of an indicator, and of a derived one through its parts. Nothing is compared across one.

Here: which breaks an indicator has, whether a comparison crosses one, and since when figures are comparable. Not here: any
comparison.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

import numpy as np

from warehouse.catalogue import Break, Catalogue, Indicator
from warehouse.catalogue.models import SIDES
from warehouse.measures.sample import BoolArray, IntArray
from warehouse.panels import AREA_KEYS, years_of


@dataclass(frozen=True)
class DefinitionBreak:
    """Figures of ``first_year`` and later mean something else than earlier ones; no region or area type: all of them.

    ``part_code``: the part of a derived indicator whose definition changed; None: its own did.
    """

    indicator_code: str
    region_code: str | None
    area_type: str | None
    first_year: int
    what_changed: str
    part_code: str | None


def definition_breaks(catalogue: Catalogue) -> list[DefinitionBreak]:
    """The catalogue's breaks, each followed by those of the derived indicators that it is part of."""
    found: dict[DefinitionBreak, None] = {}  # a part may stand on both sides
    for row in catalogue.breaks:
        found[_broken(row.indicator_code, row, row.area_type, None)] = None
        for indicator in catalogue.indicators.values():
            for area_type in _areas_reached(indicator, row):
                found[_broken(indicator.code, row, area_type, row.indicator_code)] = None
    return list(found)


def crosses_break(
    breaks: list[DefinitionBreak], indicator_code: str, area_type: str, years: tuple[int, int], regions: Container[str]
) -> bool:
    """Whether a break of any of ``regions`` lies between the two ``years``: in force in the later, not in the earlier."""
    first, last = years
    return any(
        broken.indicator_code == indicator_code
        and (broken.region_code is None or broken.region_code in regions)
        and broken.area_type in (None, area_type)
        and first < broken.first_year <= last
        for broken in breaks
    )


def first_comparable_years(
    catalogue: Catalogue, indicator_keys: IntArray, area_keys: IntArray, period_keys: IntArray, region_keys: IntArray
) -> IntArray:
    """By row: the first year from which figures of its indicator, area type and region mean what the row's figure means.

    That is the year of the latest break at or before the year of the row's period; 0 where there is none. A break of a
    province is one of every place in it, a break of no named region one of all; the nation has only those of all and
    its own. A comparison of several regions begins at the greatest of their years.
    """
    first = np.zeros(indicator_keys.shape, dtype=np.int64)
    years = years_of(np.asarray(period_keys, dtype=np.int64))
    present = set(np.unique(indicator_keys).tolist())
    for broken in definition_breaks(catalogue):
        key = catalogue.indicators[broken.indicator_code].indicator_key
        if key not in present:
            continue
        is_reached = (indicator_keys == key) & (years >= broken.first_year) & (first < broken.first_year)
        if broken.area_type is not None:
            is_reached &= area_keys == AREA_KEYS[broken.area_type]
        if broken.region_code is not None:
            is_reached &= _is_within(region_keys, int(broken.region_code))
        first[is_reached] = broken.first_year
    return first


def _is_within(region_keys: IntArray, region_key: int) -> BoolArray:
    """Which regions are the one of ``region_key`` or lie in it, by the grammar of codes; only itself is in the nation."""
    for size in (10_000, 100):
        if region_key and region_key % size == 0:
            return np.asarray(region_keys // size == region_key // size)
    return np.asarray(region_keys == region_key)


def _areas_reached(indicator: Indicator, row: Break) -> Iterator[str | None]:
    """Area types of ``indicator`` that rest on the part that ``row`` breaks; None: all of them."""
    if indicator.kind != "derived":
        return
    for side in SIDES:
        for code, from_area in indicator.terms(side):
            if code == row.indicator_code and from_area is None:
                yield row.area_type
            elif code == row.indicator_code and row.area_type in (None, from_area):
                yield None  # CODE@area is part of every area type


def _broken(code: str, row: Break, area_type: str | None, part_code: str | None) -> DefinitionBreak:
    return DefinitionBreak(
        code, row.region_code, area_type, row.first_year_of_new_definition, row.what_changed, part_code
    )
