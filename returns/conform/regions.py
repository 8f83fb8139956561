"""Region codes and names of rows to the catalogue's regions. Not here: which regions exist (catalogue).

A code that no list knows is never guessed from its name, and a name that is not the code's own is a sign of shifted
rows: both quarantine the row's cells.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from returns.conform.texts import shorten, squash
from returns.reasons import CellReason
from warehouse.catalogue import Catalogue

# 6, 9 or 12 digits; as a number in a workbook or a CSV made from one: 110000.0. Beyond the sixth digit only zeros may
# follow, since townships and villages are not loaded as counties.
_CODE = re.compile(r"(\d{6})(?:000)?(?:000)?(?:\.0+)?")
_PROVINCE_DIGITS = 2
_SHOWN_LENGTH = 60  # no region's name is longer, and the explanation stands at every cell of the row


@dataclass(frozen=True, slots=True)
class RegionFault:
    """Why a row's region cannot be used."""

    reason: CellReason
    explanation: str


class RegionResolver:
    """Resolves (code, name) as printed; keeps what it resolved, since the same rows return month after month."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._names: dict[str, set[str]] = {
            region.region_code: {squash(region.name_zh)} for region in catalogue.region_rows
        }
        for province in catalogue.provinces.values():
            self._names.setdefault(province.region_code, set()).update((province.name_zh, province.short_zh))
        for change in catalogue.region_changes:  # a renamed place may use either name for a while
            if change.kind == "rename" and change.from_code == change.to_code in self._names:
                self._names[change.to_code].update((squash(change.from_name), squash(change.to_name)))
        self._known: dict[tuple[str, str, str], str | RegionFault] = {}

    def resolve(self, codes: Sequence[str], names: Sequence[str], province_code: str) -> list[str | RegionFault]:
        """The region code of each row of a return of ``province_code``, or why there is none."""
        known = self._known
        resolved = []
        for code, name in zip(codes, names, strict=True):
            key = (code, name, province_code[:_PROVINCE_DIGITS])
            region = known.get(key)
            if region is None:
                region = known[key] = self._resolve(code, name, province_code)
            resolved.append(region)
        return resolved

    def _resolve(self, code: str, name: str, province_code: str) -> str | RegionFault:
        code, name = shorten(code, _SHOWN_LENGTH), shorten(name, _SHOWN_LENGTH)
        match = _CODE.fullmatch(squash(code))
        if match is None:
            return RegionFault("unknown_region", f"{code!r} ({name}) is no region code of 6, 9 or 12 digits")
        region = match[1]
        if region not in self._names:
            return RegionFault("unknown_region", f"the region code {region} ({name}) is in no list of the catalogue")
        if region[:_PROVINCE_DIGITS] != province_code[:_PROVINCE_DIGITS]:
            text = f"region {region} ({name}) does not belong to the platform's province {province_code}"
            return RegionFault("wrong_province", text)
        names = self._names[region]
        if squash(name) not in names:
            text = f"region {region} is named {' or '.join(sorted(names))}, the row says {name!r}"
            return RegionFault("wrong_region_name", text)
        return region
