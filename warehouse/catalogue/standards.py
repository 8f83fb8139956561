"""Which standard is in force where, and what a local one may not be. Not here: files, figures.

A national step is for the whole country or for a region group; a local one (``region_code``) for a place and all within
it. No division's standard may be lower than the national one (*Standardizing Public Services*, China Daily, 2023-12-06):
:func:`first_day_under` finds the first day on which a local step would be.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from warehouse.catalogue.models import AreaType, RegionGroup, Standard

_DAY = datetime.timedelta(days=1)

LAST_NATIONAL_KEY = 10_000
"""Numbers up to this one are the catalogue's own, those above are for local standards: neither takes the other's."""


class Undercut(NamedTuple):
    """A day on which a local step is under the national floor, and that floor."""

    day: datetime.date
    floor: Standard


def standard_in_force(standard: Standard, day: datetime.date) -> bool:
    """Whether a step of a standard is in force on ``day`` (both its dates included)."""
    return standard.valid_from <= day and (standard.valid_to is None or day <= standard.valid_to)


def sign_of(standard: Standard) -> float:
    """1 where more is better, -1 where less is: times this, the greater value is the stricter."""
    return 1.0 if standard.op == ">=" else -1.0


def precedence(standard: Standard) -> tuple[bool, bool, int]:
    """Of the steps of one issuer that are in force for a figure the least counts: its group's own, its area type's own,
    then the younger."""
    return standard.region_group is None, standard.area_type is None, -standard.valid_from.toordinal()


def first_day_under(
    local: Standard, floors: Sequence[Standard], group: RegionGroup | None, area_types: Iterable[AreaType]
) -> Undercut | None:
    """The first day of the validity of ``local`` on which it is weaker than the national floor; None: never.

    ``floors`` are the national floors of its indicator, ``group`` is its region's, ``area_types`` its indicator's.
    """
    areas = [local.area_type] if local.area_type else list(area_types)
    for day in _days_of_change(local, floors):
        for area in areas:
            floor = _national_floor(floors, day, group, area)
            if floor is not None and sign_of(floor) * (local.value - floor.value) < 0:
                return Undercut(day, floor)
    return None


def _days_of_change(local: Standard, floors: Sequence[Standard]) -> list[datetime.date]:
    """The first day of ``local``, and every day within its validity on which a national floor begins or has ended."""
    days = {local.valid_from, *(floor.valid_from for floor in floors)}
    days |= {floor.valid_to + _DAY for floor in floors if floor.valid_to is not None}
    return sorted(day for day in days if standard_in_force(local, day))


def _national_floor(
    floors: Sequence[Standard], day: datetime.date, group: RegionGroup | None, area: AreaType
) -> Standard | None:
    held = [
        floor
        for floor in floors
        if standard_in_force(floor, day) and floor.region_group in (None, group) and floor.area_type in (None, area)
    ]
    return min(held, key=precedence, default=None)
