"""Region codes and names of rows to the catalogue's regions. Not here: which regions exist (catalogue).

A code that no list knows is never guessed from its name, and a name that is not the code's own is a sign of shifted
rows: both quarantine the row's cells. A row without a code is resolved by its name where that means one region only,
read with the rows above it. What is resolved is the region as reported: no code is mapped to its successor here.
"""

from __future__ import annotations

import datetime
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from returns.conform.texts import shorten, squash
from returns.reasons import CellReason
from warehouse.catalogue import Catalogue, Region
from warehouse.periods import parse_period

# 6, 9 or 12 digits; as a number in a workbook or a CSV made from one: 110000.0. Beyond the sixth digit only zeros may
# follow, since townships and villages are not loaded as counties.
_CODE = re.compile(r"(\d{6})(?:000)?(?:000)?(?:\.0+)?")
_PROVINCE_DIGITS, _PREFECTURE_DIGITS = 2, 4
_SHOWN_LENGTH = 60  # no region's name is longer, and the explanation stands at every cell of the row
_NATION = "000000"
_NATION_NAMES = re.compile(r"(?:全国|中国|全国(?:总计|合计|平均))")
_GROUP_NAMES = re.compile(r"(?:东部|中部|西部|东北)(?:地区|各省)?(?:合计|小计)?")
_TOTAL_NAMES = re.compile(r"(?:全省|全市|全区|全自治区|合计|总计|总数|全省(?:合计|总计))")
# 全市 in a table of Sichuan is the total of a prefecture: the word must fit what the province is.
_TOTALS_OF = {"省": ("全省",), "市": ("全市",), "自治区": ("全区", "全自治区")}
# Letters that look alike: 巿 (fú) is typed for 市.
_LOOK_ALIKES = str.maketrans("巿", "市")
_ENGLISH = re.compile(r"(?<=[一-鿿])[A-Za-z.'’()-]+$")
# What offices leave out of a name; never so much that one letter is left.
_SUFFIXES = re.compile(r"(?<=..)(?:特别行政区|自治州|自治县|地区|市|县|区|盟)$")
_GRACE = datetime.timedelta(days=366)
"""A return may use the codes of another year: a code that ended longer before its period is a mistake."""


@dataclass(frozen=True, slots=True)
class RegionFault:
    """Why a row's region cannot be used."""

    reason: CellReason
    explanation: str


@dataclass(slots=True)
class _Context:
    """The rows above a row: the last province and the last prefecture among them, as codes."""

    province: str
    prefecture: str = ""

    def forget(self, province: str) -> None:
        """A row that is not resolved may be the prefecture, or province, of the rows below it."""
        self.province, self.prefecture = province, ""

    def follow(self, region: str) -> None:
        """Take notice of a resolved row."""
        if region.endswith("0000"):
            self.province, self.prefecture = region[:_PROVINCE_DIGITS], ""
        elif region.endswith("00"):
            self.prefecture = region[:_PREFECTURE_DIGITS]
        elif region[:_PREFECTURE_DIGITS] != self.prefecture:
            self.prefecture = ""  # a county of elsewhere: the table has left the prefecture


@dataclass(slots=True)
class _Names:
    """What the catalogue calls its regions: every name of a code, and every code of a name; and which of them ended."""

    regions: dict[str, Region]
    ended: dict[str, datetime.date]
    """When a code ended of which no dated change tells what came after."""

    of_code: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    codes: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, code: str, name: str) -> None:
        label = squash(name)
        for each in {label, _SUFFIXES.sub("", label)} - {""}:
            self.of_code[code].add(each)
            self.codes[each].add(code)


class RegionResolver:
    """Resolves (code, name) as printed; keeps what it resolved, since the same rows return month after month."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._names = _names_of(catalogue)
        self._regions, self._ended = self._names.regions, self._names.ended
        self._known: dict[str, dict[tuple[str, str], str | RegionFault]] = defaultdict(dict)

    def resolve(
        self, codes: Sequence[str], names: Sequence[str], province_code: str, period_code: str = ""
    ) -> list[str | RegionFault]:
        """The region code of each row, or why there is none; rows in the order of the table.

        ``province_code`` is whose table it is, ``""`` or ``000000`` a table of all provinces; ``period_code`` is what the
        codes must be valid at (``""``: at any time).
        """
        province = "" if province_code in ("", _NATION) else province_code[:_PROVINCE_DIGITS]
        known = self._known[province]
        rows = list(zip(codes, names, strict=True))
        coded = list(map(known.get, rows))
        if None in coded:
            coded = [self._of_code(code, name, province) for code, name in rows]
        whole = [region for region in coded if region is not None]
        if len(whole) == len(rows):  # nearly always
            return whole
        context = _Context(province)
        resolved: list[str | RegionFault] = []
        for found, name in zip(coded, names, strict=True):
            region = self._resolve_name(name, province, period_code, context) if found is None else found
            if isinstance(region, str):
                context.follow(region)
            elif region.reason != "computed_here":
                context.forget(province)
            resolved.append(region)
        return resolved

    def _of_code(self, code: str, name: str, province: str) -> str | RegionFault | None:
        """What a row's code means, whatever the period; None where the row has no code."""
        known = self._known[province]
        region = known.get((code, name))
        if region is None and code and not code.isspace():
            region = known[code, name] = self._resolve_code(code, name, province)
        return region

    def _resolve_code(self, code: str, name: str, province: str) -> str | RegionFault:
        code, name = shorten(code, _SHOWN_LENGTH), shorten(name, _SHOWN_LENGTH)
        match = _CODE.fullmatch(squash(code))
        if match is None and province and _TOTAL_NAMES.fullmatch(_label(code)) and _label(name) in ("", _label(code)):
            return self._total(code, _label(code), province)  # 合计 merged over code and name
        if match is None:
            return RegionFault("unknown_region", f"{code!r} ({name}) is no region code of 6, 9 or 12 digits")
        region = self._own_code(match[1])
        if region == _NATION:
            return _computed_here(name or region)
        if region not in self._regions:
            return RegionFault("unknown_region", f"the region code {region} ({name}) is in no list of the catalogue")
        if province and region[:_PROVINCE_DIGITS] != province:
            text = f"region {region} ({name}) does not belong to the platform's province {province}0000"
            return RegionFault("wrong_province", text)
        label = _label(name)
        is_own_total = region == f"{province}0000" and _TOTAL_NAMES.fullmatch(label)
        if label not in self._names.of_code[region] and not is_own_total:
            known = self._names.of_code[region]
            whole = sorted(
                each for each in known if not any(other != each and other.startswith(each) for other in known)
            )
            text = f"region {region} is named {' or '.join(whole)}, the row says {name!r}"
            return RegionFault("wrong_region_name", text)
        return region

    def _own_code(self, code: str) -> str:
        """The catalogue's code of one that goes by another number (660000 of the Corps in Xinjiang)."""
        others = () if code in self._regions else self._names.codes.get(code, ())
        return next(iter(others)) if len(others) == 1 else code

    def _resolve_name(self, name: str, province: str, period_code: str, context: _Context) -> str | RegionFault:
        """The region of a row that has a name only."""
        name = shorten(name, _SHOWN_LENGTH)
        label = _label(name)
        if not label:
            return RegionFault("unknown_region", "the row has neither code nor name of a region")
        if _TOTAL_NAMES.fullmatch(label):
            return self._total(name, label, province)
        if _NATION_NAMES.fullmatch(label) or _GROUP_NAMES.fullmatch(label):
            return _computed_here(name)
        found = {code for code in self._names.codes.get(label, ()) if not province or code.startswith(province)}
        if not found:
            where = f"of province {province}0000" if province else "of the catalogue"
            return RegionFault("unknown_region", f"the name {name!r} is of no region {where}, and the row has no code")
        lasting = {code for code in found if isinstance(self._require_in_force(code, period_code), str)}
        in_force = {code for code in lasting if self._is_in_force(code, period_code)}
        chosen = _narrow(in_force or lasting, context, is_national=not province)
        if len(chosen) == 1:
            return next(iter(chosen))
        if not chosen:
            return self._require_in_force(min(found), period_code)
        told = ", ".join(f"{code} under {self._regions[code].parent_code}" for code in sorted(chosen)[:5])
        text = f"the name {name!r} is of {len(chosen)} regions ({told}), and the row has no code"
        return RegionFault("ambiguous_region", text)

    def _total(self, name: str, label: str, province: str) -> str | RegionFault:
        """The province that a row of totals is of; no other kind of place may be meant."""
        if not province:
            return _computed_here(name)
        code = f"{province}0000"
        own = self._regions[code].name_zh if code in self._regions else ""
        others = {word for kind, words in _TOTALS_OF.items() if not own.endswith(kind) for word in words}
        if label.startswith(tuple(others)):
            return RegionFault("unknown_region", f"the total {name!r} is not of {own or code}, and the row has no code")
        return code

    def _is_in_force(self, region: str, period_code: str) -> bool:
        """Whether a code is valid at a period, by its day of ending."""
        ended = self._regions[region].valid_to
        return ended is None or not period_code or parse_period(period_code).start <= ended

    def _require_in_force(self, region: str | RegionFault, period_code: str) -> str | RegionFault:
        """The code that a name alone means, unless it ended too long before the period and no dated change tells what became
        of it.

        A code that came later than the period is a restated table; one whose change is known stays as reported and can be read
        on any map. A row that gives the code itself stays as reported however old it is: on today's map it is unmapped.
        """
        ended = self._ended.get(region) if isinstance(region, str) else None
        if ended is None or not period_code or parse_period(period_code).start <= ended + _GRACE:
            return region
        name = self._regions[str(region)].name_zh
        text = f"the code {region} ({name}) ended on {ended}, before {period_code}, and no dated change tells what came after"
        return RegionFault("outdated_region", text)


_collected: list[tuple[Catalogue, _Names]] = []


def _names_of(catalogue: Catalogue) -> _Names:
    """The names of a catalogue, collected once: ten thousand of them take a tenth of a second."""
    for known, names in _collected:
        if known is catalogue:
            return names
    _collected[:] = [(catalogue, _collect_names(catalogue))]
    return _collected[0][1]


def _collect_names(catalogue: Catalogue) -> _Names:
    changed = {change.from_code for change in catalogue.region_changes}
    ended = {
        region.region_code: region.valid_to
        for region in catalogue.region_rows
        if region.valid_to is not None and region.region_code not in changed
    }
    names = _Names({region.region_code: region for region in catalogue.region_rows}, ended)
    for region in catalogue.region_rows:
        names.add(region.region_code, region.name_zh)
        names.add(region.region_code, region.name_zh.rpartition("-")[2])  # 海南省-自治区直辖县级行政区划
    for province in catalogue.provinces.values():
        names.add(province.region_code, province.short_zh)
    for alias in catalogue.region_aliases:
        names.add(alias.region_code, alias.alias)
    known = {region.region_code for region in catalogue.region_rows}
    for change in catalogue.region_changes:  # a renamed place may use either name for a while
        for code, name in ((change.from_code, change.from_name), (change.to_code, change.to_name)):
            if code in known:
                names.add(code, name)
        if change.kind == "rename" and change.to_code in known:
            names.add(change.to_code, change.from_name)
    return names


def is_region_name(catalogue: Catalogue, text: str) -> bool:
    """Whether the catalogue has any region, past or present, of this name."""
    return _label(shorten(text, _SHOWN_LENGTH)) in _names_of(catalogue).codes


def _narrow(codes: set[str], context: _Context, *, is_national: bool) -> set[str]:
    """Of several regions of one name: in a table of all provinces a province before its parts, then what lies under the rows
    above. In a province's own table 吉林 may be the province or its city."""
    for wanted in (
        {code for code in codes if is_national and code.endswith("0000")},
        {code for code in codes if context.prefecture and code.startswith(context.prefecture)},
        {code for code in codes if context.province and code.startswith(context.province)},
    ):
        if wanted:
            return wanted
    return codes


def _computed_here(name: str) -> RegionFault:
    return RegionFault(
        "computed_here", f"{name!r} is the nation or a group of provinces: its figures are computed, not loaded"
    )


def _label(name: str) -> str:
    """A name to be compared: without blanks, footnote signs and the English beside it."""
    return _ENGLISH.sub("", squash(name)).translate(_LOOK_ALIKES)
