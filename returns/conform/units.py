"""A unit as printed and the factor to an indicator's unit. Not here: the table of units (catalogue).

What is not in the table is no unit of the indicator, and its figures are set aside: 人 under beds, ‰ under a percentage.
A caption of several units does not say which column has which: it counts as none.
"""

from __future__ import annotations

import re

from returns.conform.texts import squash
from warehouse.catalogue import Catalogue, Indicator

_LAST_PARENTHESES = re.compile(r"(?P<name>.+)\((?P<unit>[^()]+)\)")
_WRAPPED = re.compile(r"\((?P<unit>[^()]*)\)")
_SEPARATORS = re.compile("[、,;]")


def split_unit(header: str) -> tuple[str, str]:
    """A squashed header as (name, unit): the last parentheses hold the unit; without any, the unit is ``""``."""
    match = _LAST_PARENTHESES.fullmatch(header)
    return (match["name"], match["unit"]) if match else (header, "")


def caption_unit(text: str) -> str:
    """The unit that a caption states for all columns: ``""`` where it lists several."""
    units = [unit for unit in _SEPARATORS.split(_unwrap(squash(text))) if unit]
    return units[0] if len(units) == 1 else ""


def unit_factor(printed: str, indicator: Indicator, catalogue: Catalogue) -> float | None:
    """What a printed figure is multiplied by to be in ``indicator.unit``; None where the unit does not fit it."""
    label = _unwrap(squash(printed))
    if label in ("", indicator.unit):
        return 1.0 if label else None
    for (unit_as_printed, unit), factor in catalogue.units.items():
        if unit == indicator.unit and squash(unit_as_printed) == label:
            return factor
    return None


def _unwrap(label: str) -> str:
    """A unit without the parentheses around all of it: ``(%)`` is ``%``."""
    match = _WRAPPED.fullmatch(label)
    return match["unit"] if match else label
