"""Matching a grid to the layout that fits: sheet, header row, title, columns; or what was tried and where it failed.

Not here: reading the cells. Every failure is a :class:`Mismatch` value, for a wrong return is data.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from returns.carriers.grid import Grid, Sheet
from returns.conform.periods import states_period
from returns.conform.texts import squash
from returns.layouts import Layout
from returns.layouts.headers import Column, HeaderReader
from returns.reasons import ReturnReason
from warehouse.catalogue import Catalogue
from warehouse.periods import parse_period


@dataclass(frozen=True, slots=True)
class Expected:
    """What the receipt says the return is; the return itself must say the same."""

    form: str
    region_code: str
    period_code: str


@dataclass(frozen=True, slots=True)
class Match:
    """Where the figures stand: columns by position, data rows from ``first_row`` on."""

    layout: Layout
    sheet: Sheet
    header_row: int
    first_row: int
    code_position: int
    name_position: int
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Why a layout does not fit; ``stage`` counts how far it went (the furthest one gives the reason)."""

    reason: ReturnReason
    explanation: str
    stage: int = 0


class Matcher:
    """Matches grids to layouts; keeps what it learned of headers, since most returns of a form share them."""

    def __init__(self, layouts: Sequence[Layout], catalogue: Catalogue) -> None:
        self._layouts = layouts
        self._catalogue = catalogue
        self._headers = HeaderReader(catalogue)
        self._patterns: dict[str, re.Pattern[str]] = {}

    def match(self, grid: Grid, expected: Expected) -> Match | Mismatch:
        """The match of the one layout that fits ``grid``, or the mismatch that names all that were tried."""
        end = parse_period(expected.period_code).end
        candidates = [layout for layout in self._layouts if layout.covers(expected.form, grid.carrier, end)]
        if not candidates:
            text = f"no layout is for {expected.form} of {expected.period_code} as {grid.carrier}"
            return Mismatch("unknown_layout", text)
        tried = [(layout, self._fit(layout, grid, expected)) for layout in candidates]
        matches = [result for _, result in tried if isinstance(result, Match)]
        if len(matches) == 1:
            return matches[0]
        if matches:
            names = " and ".join(f"{match.layout.layout} v{match.layout.version}" for match in matches)
            return Mismatch("ambiguous_layout", f"the layouts {names} fit alike")
        failures = [(layout, result) for layout, result in tried if isinstance(result, Mismatch)]
        furthest = max(failures, key=lambda pair: pair[1].stage)[1]
        tales = (f"layout {layout.layout} v{layout.version}: {failure.explanation}" for layout, failure in failures)
        return Mismatch(furthest.reason, "; ".join(tales), furthest.stage)

    def _fit(self, layout: Layout, grid: Grid, expected: Expected) -> Match | Mismatch:
        sheet = self._choose_sheet(layout, grid)
        if isinstance(sheet, Mismatch):
            return sheet
        anchor = _find_anchor(layout, sheet)
        if anchor is None:
            text = f"no row of {_name(sheet)} holds both {layout.anchor.code!r} and {layout.anchor.name!r}"
            return Mismatch("unknown_layout", text, 1)
        row, code_position, name_position = anchor
        problem = self._check_title(layout, sheet, row, expected) or _check_facts(grid, expected)
        if problem:
            return problem
        first_row = row + len(layout.header)
        header = tuple(tuple(line) for line in sheet.rows[row:first_row])
        columns = self._headers.read(
            layout, header, (code_position, name_position), expected, self._caption(layout, sheet, row)
        )
        if not isinstance(columns, tuple):
            where = "" if columns.position is None else f"{sheet.address(row, columns.position)}: "
            return Mismatch(columns.reason, where + columns.explanation, 4)
        return Match(layout, sheet, row, first_row, code_position, name_position, columns)

    def _choose_sheet(self, layout: Layout, grid: Grid) -> Sheet | Mismatch:
        if layout.sheet is None or grid.carrier != "workbook":
            return grid.sheets[0] if grid.sheets else Mismatch("unknown_layout", "there is no sheet")
        named = [sheet for sheet in grid.sheets if self._compile(layout.sheet).fullmatch(squash(sheet.name))]
        known = {sheet.name for sheet in named} | set(layout.ignored_sheets)
        if not named:
            names = ", ".join(repr(sheet.name) for sheet in grid.sheets[:5])
            return Mismatch("unknown_layout", f"no sheet is named {layout.sheet!r}, there are {names}")
        for sheet in grid.sheets:
            if sheet.name not in known and not sheet.is_blank:
                return Mismatch("unknown_sheet", f"sheet {sheet.name!r} holds cells and is not in the layout", 1)
        full = [sheet for sheet in named if not sheet.is_blank]
        if len(full) > 1:
            names = ", ".join(repr(sheet.name) for sheet in full[:5])
            return Mismatch("ambiguous_layout", f"{len(full)} sheets could hold the table: {names}", 1)
        return full[0] if full else Mismatch("unknown_layout", f"sheet {named[0].name!r} is blank")

    def _check_title(self, layout: Layout, sheet: Sheet, header_row: int, expected: Expected) -> Mismatch | None:
        pattern = self._compile(layout.title)
        texts = [squash(text) for row in sheet.rows[:header_row] for text in row if text]
        match = next((found for found in map(pattern.fullmatch, texts) if found), None)
        if match is None:
            return Mismatch("unknown_layout", "no title with place, period and form stands above the header", 2)
        title, form = match[0], self._catalogue.forms[expected.form]
        if match["form"] != squash(form.name_zh):
            text = f"the title {title!r} is not of the expected form {form.name_zh}"
            return Mismatch("wrong_form", text, 3)
        province = self._catalogue.provinces[expected.region_code]
        if match["place"] not in (province.name_zh, province.short_zh):
            text = f"the title {title!r} is not of the expected province {province.name_zh}"
            return Mismatch("wrong_province", text, 3)
        if not states_period(match["period"], expected.period_code):
            text = f"the title {title!r} is not of the expected period {expected.period_code}"
            return Mismatch("wrong_period", text, 3)
        return None

    def _caption(self, layout: Layout, sheet: Sheet, header_row: int) -> str:
        if layout.caption is None:
            return ""
        pattern = self._compile(layout.caption)
        texts = (squash(text) for row in sheet.rows[:header_row] for text in row if text)
        return next((match["units"] for match in map(pattern.fullmatch, texts) if match), "")

    def _compile(self, pattern: str) -> re.Pattern[str]:
        if pattern not in self._patterns:
            self._patterns[pattern] = re.compile(pattern)
        return self._patterns[pattern]


def _find_anchor(layout: Layout, sheet: Sheet) -> tuple[int, int, int] | None:
    """(row, position of the code column, position of the name column) of the header's first row."""
    for row, texts in enumerate(sheet.rows):
        labels = [squash(text) for text in texts if text]
        if layout.anchor.code in labels and layout.anchor.name in labels:
            full = [squash(text) for text in texts]
            return row, full.index(layout.anchor.code), full.index(layout.anchor.name)
    return None


def _check_facts(grid: Grid, expected: Expected) -> Mismatch | None:
    """A page states form and period beside its title; they must agree with the receipt as well."""
    form = grid.facts.get("form", expected.form)
    if form != expected.form:
        return Mismatch("wrong_form", f"the answer says form {form!r}, expected is {expected.form}", 3)
    period = grid.facts.get("period", expected.period_code)
    if period != expected.period_code:
        return Mismatch("wrong_period", f"the answer says period {period!r}, expected is {expected.period_code}", 3)
    return None


def _name(sheet: Sheet) -> str:
    return f"sheet {sheet.name!r}" if sheet.name else "the table"
