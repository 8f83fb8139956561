"""A printed name, area label and unit to what a figure measures: indicator, area type, factor. Not here: where they stand.

Names are those of the catalogue, of the layout's aliases, and in tables of the statistics office (open layouts) the names
under which its indicators are published.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from returns.conform.texts import squash
from returns.conform.units import split_unit, unit_factor
from returns.layouts import Layout
from returns.reasons import CellReason
from warehouse.catalogue import Catalogue, Indicator

_PART_OF = re.compile(r"^(?:#|其中[:：]?|#其中[:：]?)+")


@dataclass(frozen=True, slots=True)
class Measure:
    """What a figure measures; ``factor`` × the printed figure is in the catalogue's unit."""

    indicator_code: str
    area_type: str
    factor: float
    is_percent: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """Why figures under a label cannot be used."""

    reason: CellReason
    explanation: str


@dataclass(frozen=True, slots=True)
class Named:
    """An indicator as a text names it; ``area_type`` where the name itself says which."""

    indicator: Indicator
    area_type: str | None


class MeasureReader:
    """Reads names and units of one layout after another; keeps the names of each."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._names: dict[str, dict[str, Named]] = {}
        self._units = {squash(printed) for printed, _ in catalogue.units} | {unit for _, unit in catalogue.units}

    def find(self, layout: Layout, printed: str, *, has_unit: bool = False) -> tuple[Named | None, str, str]:
        """(the indicator, its name as printed, its unit as printed) of a squashed header text.

        With ``has_unit`` the unit is stated elsewhere: then parentheses around anything but a unit belong to the name.
        """
        names = self._names_of(layout)
        text = _PART_OF.sub("", printed)
        if text in names:
            return names[text], text, ""
        name, unit = split_unit(text)
        if has_unit and unit and unit not in self._units:
            return None, text, ""
        return names.get(name), name, unit

    def find_any(
        self, layout: Layout, candidates: list[str], *, has_unit: bool = False
    ) -> tuple[Named | None, str, str]:
        """As :meth:`find`, of the first candidate that names an indicator; else of the first one."""
        tried = [self.find(layout, candidate, has_unit=has_unit) for candidate in candidates]
        return next((found for found in tried if found[0] is not None), tried[0])

    def measure(self, layout: Layout, named: Named, area_label: str, unit: str) -> Measure | Fault:
        """The measure of an indicator under an area label (``""``: none) and a unit as printed."""
        indicator = named.indicator
        area = self._area(layout, named, area_label)
        if area is None or area not in indicator.area_types:
            text = f"the area label {area_label!r} under {indicator.name_zh!r} is none of {', '.join(indicator.area_types)}"
            return Fault("unknown_indicator", text)
        unit = unit or layout.units.get(indicator.code, "")
        factor = unit_factor(unit, indicator, self.catalogue)
        if factor is None:
            text = f"the unit {unit!r} of {indicator.name_zh!r} is unknown for an indicator in {indicator.unit}"
            return Fault("unknown_unit", text)
        return Measure(indicator.code, area, factor, indicator.unit == "percent")

    def measure_twice(
        self, layout: Layout, named: Named, area_label: str, units: tuple[str, str], fallback: str
    ) -> Measure | Fault:
        """As :meth:`measure` where a unit may be stated in two places (its own cell, the name's parentheses), which must
        agree; in neither, ``fallback`` counts."""
        first, second = units
        measure = self.measure(layout, named, area_label, first or second or fallback)
        if first and second and isinstance(measure, Measure):
            other = self.measure(layout, named, area_label, second)
            if isinstance(other, Measure) and other.factor != measure.factor:
                text = f"{named.indicator.name_zh!r} is stated in {first!r} and in {second!r}"
                return Fault("unknown_unit", text)
        return measure

    def _area(self, layout: Layout, named: Named, label: str) -> str | None:
        """The area type: by label, by the name itself, else the only one there is.

        Where no header row is of areas a plain name is the total; where one is, a blank label is a lost one and not guessed.
        """
        if label:
            stated = layout.areas.by_label().get(label) if layout.areas else None
            return stated if named.area_type in (None, stated) else None
        if named.area_type is not None:
            return named.area_type
        kinds = named.indicator.area_types
        if len(kinds) == 1:
            return kinds[0]
        is_plain = layout.columns == "open" and "area" not in layout.header
        return "total" if is_plain and "total" in kinds else None

    def _names_of(self, layout: Layout) -> dict[str, Named]:
        if layout.label not in self._names:
            indicators = self.catalogue.indicators
            names: dict[str, Named] = {}
            if layout.columns == "open":
                names |= _published_names(self.catalogue)
            names |= {squash(row.name_zh): Named(row, None) for row in indicators.values()}
            for name, code in layout.aliases.items():
                code, _, area = code.partition("@")
                if (
                    code in indicators
                ):  # an alias to a code that the catalogue lacks stays unknown, and its column says so
                    names[squash(name)] = Named(indicators[code], area or None)
            self._names[layout.label] = names
        return self._names[layout.label]


def _published_names(catalogue: Catalogue) -> dict[str, Named]:
    """Names of published series: ``table/name/area`` of the catalogue's column ``published_source``."""
    names = {}
    for indicator in catalogue.indicators.values():
        for source in (indicator.published_source or "").split(";"):
            _, _, rest = source.partition("/")
            name, _, area = rest.rpartition("/")
            if name:
                names[squash(name)] = Named(indicator, area)
    return names
