"""Matching a grid to the layout that fits best: sheets, blocks, title, columns; or what was tried and where it failed.

Not here: reading the cells. Every failure is a :class:`Mismatch` value, for a wrong return is data.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from returns.carriers.grid import Grid, Merge, Sheet
from returns.conform.periods import find_period, read_period, states_period
from returns.conform.texts import squash
from returns.layouts import Layout
from returns.layouts.blocks import Block, find_blocks
from returns.layouts.headers import Column, HeaderReader, Stated
from returns.layouts.measures import Measure, MeasureReader
from returns.layouts.statements import compiled, find_caption, find_other_period, find_title, is_remote
from returns.reasons import ReturnReason
from returns.rosters import set_rosters_aside
from warehouse.catalogue import Catalogue
from warehouse.periods import month, parse_period


@dataclass(frozen=True, slots=True)
class Expected:
    """What the receipt says the return is; the return itself must say the same. ``""`` is not told."""

    form: str
    region_code: str
    period_code: str
    file_name: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One block with its columns: data rows from ``first_row`` to before ``block.bottom``."""

    sheet: Sheet
    block: Block
    first_row: int
    columns: tuple[Column, ...]
    stated: Stated
    """What its own title and caption say, or those of the table that it continues."""


@dataclass(frozen=True, slots=True)
class Match:
    """Where the figures stand, and what the return says of itself."""

    layout: Layout
    stated: Stated
    tables: tuple[Table, ...]
    other_sheets: tuple[Sheet, ...] = ()
    """Sheets without a table: their texts are strays."""
    rosters: tuple[Sheet, ...] = ()
    """Sheets of the roster that the layout names."""

    @property
    def known_columns(self) -> int:
        """Columns whose figures can be used, as far as the headers tell: how well the layout fits."""
        columns = [column for table in self.tables for column in table.columns]
        return sum(column.measure is None or isinstance(column.measure, Measure) for column in columns)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Why a layout does not fit; ``stage`` counts how far it went (the furthest one gives the reason)."""

    reason: ReturnReason
    explanation: str
    stage: int = 0
    stated: Stated | None = None
    """What the return says of itself, where its title was read and only the header is wrong."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One layout held against a grid."""

    layout: Layout
    result: Match | Mismatch


class Matcher:
    """Matches grids to layouts; keeps what it learned of headers, since most returns of a form share them."""

    def __init__(self, layouts: Sequence[Layout], catalogue: Catalogue) -> None:
        self._layouts = layouts
        self._catalogue = catalogue
        self.measures = MeasureReader(catalogue)
        self._headers = HeaderReader(catalogue, self.measures)
        self._provinces: dict[str, list[str]] = {}
        """Codes by full and by short name."""
        for row in catalogue.provinces.values():
            for name in {row.name_zh, row.short_zh}:
                self._provinces.setdefault(name, []).append(row.region_code)

    def match(self, grid: Grid, expected: Expected, allowed: Sequence[str] = ()) -> Match | Mismatch:
        """The match of the layout that fits ``grid`` best, or the mismatch that names all that were tried.

        ``allowed`` are names of layouts to try; empty: all.
        """
        tried = self.try_all(grid, expected, allowed)
        if not tried:
            what = " of ".join(text for text in (expected.form, expected.period_code) if text) or "a file"
            return Mismatch("unknown_layout", f"no layout is for {what} as {grid.carrier}")
        matches = [attempt.result for attempt in tried if isinstance(attempt.result, Match)]
        if matches:
            return matches[0] if len(matches) == 1 else _choose(matches)
        failures = [(attempt.layout, attempt.result) for attempt in tried if isinstance(attempt.result, Mismatch)]
        furthest = max(failures, key=lambda pair: pair[1].stage)[1]
        tales = (f"layout {layout.label}: {failure.explanation}" for layout, failure in failures)
        return replace(furthest, explanation="; ".join(tales))

    def try_all(self, grid: Grid, expected: Expected, allowed: Sequence[str] = ()) -> list[Attempt]:
        """Every layout that is meant for such a return, with its match or why it does not fit."""
        end = parse_period(expected.period_code).end if expected.period_code else None
        return [
            Attempt(layout, self._fit(layout, grid, expected))
            for layout in self._layouts
            if layout.covers(expected.form, grid.carrier, end) and (not allowed or layout.layout in allowed)
        ]

    def _fit(self, layout: Layout, grid: Grid, expected: Expected) -> Match | Mismatch:
        grid, rosters = set_rosters_aside(layout.roster, grid)
        sheets = _choose_sheets(layout, grid)
        if isinstance(sheets, Mismatch):
            return sheets
        blocks = [(sheet, block) for sheet in sheets for block in find_blocks(sheet, layout.anchor)]
        if not blocks:
            names = " and ".join(repr(text) for text in layout.anchor.texts().values())
            text = f"no row of {_name(sheets[0])} holds {'both ' if ' and ' in names else ''}{names}"
            return Mismatch("unknown_layout", text, 1)
        tables: list[Table] = []
        stated: Stated | None = None
        above: dict[tuple[int, int], Stated] = {}
        for sheet, block in blocks:
            first_row = _last_row_above(blocks, sheet, block)
            before = above.get((id(sheet), block.left), stated)
            said = self._read_statements(layout, sheet, first_row, block, expected, before)
            if isinstance(said, Mismatch):
                return said
            stated = replace(said, caption=find_caption(layout, sheet, first_row, block) or said.caption)
            above[id(sheet), block.left] = stated
            columns = self._read_header(layout, sheet, block, stated)
            if isinstance(columns, Mismatch):
                return replace(columns, stated=stated)
            tables.append(Table(sheet, block, block.row + len(layout.header), columns, stated))
        assert stated is not None, "there is a block"
        if problem := _check_facts(grid, stated):
            return problem
        columns_of = [table.columns for table in tables]
        if layout.columns == "closed" and (missing := self._headers.find_missing(layout, columns_of, stated)):
            return Mismatch(missing.reason, missing.explanation, 4, stated)
        with_table = {id(table.sheet) for table in tables}
        others = tuple(sheet for sheet in grid.sheets if id(sheet) not in with_table and not sheet.is_blank)
        strange = tuple(sheet for sheet in others if sheet.name not in layout.ignored_sheets)
        return Match(layout, stated, tuple(tables), strange, rosters)

    def _read_header(self, layout: Layout, sheet: Sheet, block: Block, stated: Stated) -> tuple[Column, ...] | Mismatch:
        rows = sheet.rows[block.row : min(block.row + len(layout.header), block.bottom)]
        left, right = block.left, block.right
        header = tuple((*[""] * min(left, len(row)), *row[left:right]) for row in rows)
        stub = frozenset(block.stub.values())
        columns = self._headers.read(layout, header, stub, stated, merges_of(sheet, block, len(layout.header)))
        if isinstance(columns, tuple):
            return columns
        where = "" if columns.position is None else f"{sheet.address(block.row, columns.position)}: "
        return Mismatch(columns.reason, where + columns.explanation, 4)

    def _read_statements(
        self, layout: Layout, sheet: Sheet, first_row: int, block: Block, expected: Expected, before: Stated | None
    ) -> Stated | Mismatch:
        """What title and file name say of a block, held against what is expected.

        A block without a title of its own is of what ``before`` is: the block above it in the same columns, else the last one.
        """
        base = before or Stated(expected.form, expected.region_code, expected.period_code)
        if layout.title is not None:
            title = find_title(layout, sheet, first_row, block)
            if title is not None:
                titled = self._check_title(layout, title.match, expected)
                if isinstance(titled, Mismatch):
                    return titled
                base = titled
            elif before is None:
                return Mismatch("unknown_layout", "no title that the layout knows stands above the header", 2)
            if title is None or not title.is_own or is_remote(title, sheet, block):
                rows = range(first_row, block.row)
                if other := find_other_period(layout, sheet, rows, block, base.period_code):
                    text = f"{other} may be the title of the table below it, and the layout does not know it"
                    return Mismatch("unknown_layout", text, 3)
        if before is None and layout.file_name is not None and "file_name" in (layout.period, layout.indicator):
            return _read_file_name(layout, expected, base)
        return base

    def _check_title(self, layout: Layout, title: re.Match[str], expected: Expected) -> Stated | Mismatch:
        said = {name: text or "" for name, text in title.groupdict().items()}
        form, region, period = expected.form, expected.region_code, expected.period_code
        if layout.forms:
            named = [code for code in layout.forms if squash(self._catalogue.forms[code].name_zh) == said["form"]]
            if not named or (form and form not in named):
                wanted = self._catalogue.forms[form].name_zh if form else "of this layout"
                return Mismatch("wrong_form", f"the title {title[0]!r} is not of the expected form {wanted}", 3)
            form = named[0]
            places = self._provinces.get(said["place"], ())
            if not places or (region and region not in places):
                wanted = self._catalogue.provinces[region].name_zh if region else "any"
                return Mismatch("wrong_province", f"the title {title[0]!r} is not of the expected province {wanted}", 3)
            region = places[0]
        if said.get("period") and layout.period == "title":
            if period and not states_period(said["period"], period):
                return Mismatch("wrong_period", f"the title {title[0]!r} is not of the expected period {period}", 3)
            period = period or self._period_of(form, read_period(said["period"], layout.period_style) or "")
            if not period:
                return Mismatch("wrong_period", f"the title {title[0]!r} is of no period that {form or 'it'} has", 3)
        if layout.period == "title" and not period:
            return Mismatch("unknown_period", f"the title {title[0]!r} states no period", 3)
        return Stated(form, region, period)

    def _period_of(self, form: str, stated: str) -> str:
        """The period of a return whose title states one: a month may be named by its January-to-month sums. ``""`` where the
        form has no such period."""
        if not stated or not form:
            return stated
        kind = self._catalogue.forms[form].period_kind
        period = parse_period(stated)
        if kind == "month" and period.kind == "cumulative":
            return month(period.year, period.months).code
        return stated if period.kind == kind else ""


def _choose(matches: list[Match]) -> Match | Mismatch:
    """The best of several matches: a layout of a form before a table of other offices, then the most columns known."""
    ranked = sorted(matches, key=lambda match: (match.layout.columns == "closed", match.known_columns), reverse=True)
    first = ranked[0]
    alike = [
        match
        for match in ranked
        if (match.layout.columns, match.known_columns) == (first.layout.columns, first.known_columns)
    ]
    if len(alike) > 1:
        names = " and ".join(match.layout.label for match in alike)
        return Mismatch("ambiguous_layout", f"the layouts {names} fit alike")
    return first


def _choose_sheets(layout: Layout, grid: Grid) -> tuple[Sheet, ...] | Mismatch:
    """The sheets that may hold the table, first things first."""
    if not grid.sheets:
        return Mismatch("unknown_layout", "there is no sheet")
    if layout.sheet is None or grid.carrier != "workbook":
        return grid.sheets if layout.columns == "open" else _only(grid.sheets)
    pattern = compiled(layout.sheet)
    named = [sheet for sheet in grid.sheets if pattern.fullmatch(squash(sheet.name.rpartition("/")[2]))]
    known = {sheet.name for sheet in named} | set(layout.ignored_sheets)
    if not named:
        names = ", ".join(repr(sheet.name) for sheet in grid.sheets[:5])
        return Mismatch("missing_sheet", f"no sheet is named {layout.sheet!r}, there are {names}")
    for sheet in grid.sheets:
        if sheet.name not in known and not sheet.is_blank:
            return Mismatch("unknown_sheet", f"sheet {sheet.name!r} holds cells and is not in the layout", 1)
    full = tuple(sheet for sheet in named if not sheet.is_blank)
    if not full:
        return Mismatch("unknown_layout", f"sheet {named[0].name!r} is blank")
    return full if layout.sheets == "all" else _only(full)


def _only(sheets: tuple[Sheet, ...]) -> tuple[Sheet, ...] | Mismatch:
    """The one sheet that is not blank: a second one that could be the table is one too many."""
    full = tuple(sheet for sheet in sheets if not sheet.is_blank)
    if len(full) > 1:
        names = ", ".join(repr(sheet.name) for sheet in full[:5])
        return Mismatch("ambiguous_layout", f"{len(full)} sheets could hold the table: {names}", 1)
    return full or sheets[:1]


def merges_of(sheet: Sheet, block: Block, height: int) -> tuple[Merge, ...]:
    """Ranges merged across within a block's header, rows counted from its first."""
    return tuple(
        (top - block.row, left, bottom - block.row, right)
        for top, left, bottom, right in sheet.merges
        if right > left and block.row <= top < block.row + height
    )


def _last_row_above(blocks: Sequence[tuple[Sheet, Block]], sheet: Sheet, block: Block) -> int:
    """The first row that can hold texts of a block: that after the header of the block above."""
    above = [other.row for on, other in blocks if on is sheet and other.row < block.row]
    return max(above) + 1 if above else 0


def _read_file_name(layout: Layout, expected: Expected, base: Stated) -> Stated | Mismatch:
    """What only the file's name says: the period, the indicator."""
    stem = re.sub(r"\.[A-Za-z]{1,5}$", "", expected.file_name.replace("\\", "/").rpartition("/")[2])
    found = compiled(layout.file_name or "").fullmatch(squash(stem))
    if found is None:
        return Mismatch("unknown_layout", f"the file's name {stem!r} is not as the layout wants it", 2)
    said = {name: text or "" for name, text in found.groupdict().items()}
    period = base.period_code
    if layout.period == "file_name":
        period = read_period(said["period"]) or find_period(said["period"]) or ""
        if not period:
            return Mismatch("unknown_period", f"the file's name {stem!r} states no period", 3)
        if expected.period_code and expected.period_code != period:
            return Mismatch("wrong_period", f"the file's name {stem!r} is not of {expected.period_code}", 3)
    return replace(base, period_code=period, indicator=said.get("indicator", ""))


def _check_facts(grid: Grid, stated: Stated) -> Mismatch | None:
    """A page states form and period beside its title; they must agree with the receipt as well."""
    form = grid.facts.get("form", stated.form)
    if stated.form and form != stated.form:
        return Mismatch("wrong_form", f"the answer says form {form!r}, expected is {stated.form}", 3)
    period = grid.facts.get("period", stated.period_code)
    if stated.form and period != stated.period_code:
        return Mismatch("wrong_period", f"the answer says period {period!r}, expected is {stated.period_code}", 3)
    return None


def _name(sheet: Sheet) -> str:
    return f"sheet {sheet.name!r}" if sheet.name else "the table"
