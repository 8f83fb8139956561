"""From the sheets of a roster to its cells: the texts of each school's row, with their addresses.

Here: title, header, which rows are schools and which are notes; a text that is none of these is a stray. Not here: what a
code, a stage or a figure means (:mod:`returns.rosters.conforming`). What is wrong with a roster as a whole sets it aside,
not its return.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from returns.carriers.grid import Sheet
from returns.conform.periods import states_period
from returns.conform.texts import squash
from returns.conform.units import split_unit
from returns.layouts.figure_like import is_figure_like
from returns.layouts.headers import Stated
from returns.reasons import Reason
from returns.rosters import RosterLayout
from warehouse.catalogue import Catalogue
from warehouse.schools import PUPILS


@dataclass(frozen=True, slots=True)
class SchoolRow:
    """A row of a roster as printed. ``texts`` and ``addresses`` are by item, in the order of the roster's items."""

    school_code: str
    school_name: str
    region_code: str
    region_name: str
    stage: str
    is_short: bool
    texts: tuple[str, ...]
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RosterCells:
    """The cells of a return's roster. ``factors`` bring a figure of each item into the catalogue's unit; ``strays`` are
    (address, text) of what stands outside title, header, notes and rows."""

    layout: RosterLayout
    period_code: str
    factors: tuple[float, ...]
    rows: tuple[SchoolRow, ...]
    strays: tuple[tuple[str, str], ...]

    @property
    def count(self) -> int:
        """How many cells: the figures of the rows, and the strays."""
        return len(self.rows) * len(self.factors) + len(self.strays)


@dataclass(frozen=True, slots=True)
class RosterProblem:
    """Why a roster is set aside whole; ``address`` is its sheet, and it counts as one cell."""

    reason: Reason
    explanation: str
    address: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class _Columns:
    """Positions of the stub's columns by kind, of the items in their order, and the factor of each item."""

    stub: dict[str, int]
    items: tuple[int, ...]
    factors: tuple[float, ...]

    known: frozenset[int]
    """Positions of all of them."""

    @property
    def width(self) -> int:
        """How long a row must be to hold them."""
        return max(self.known) + 1


def items_of(catalogue: Catalogue) -> tuple[str, ...]:
    """What a roster tells of each school: pupils, then the seven resources."""
    return (PUPILS, *(line.resource_code for line in catalogue.school_lines))


def read_roster(
    sheets: Sequence[Sheet], layout: RosterLayout, stated: Stated, catalogue: Catalogue
) -> RosterCells | RosterProblem:
    """The cells of a roster that may go on from sheet to sheet; ``stated`` is what the return says of itself."""
    rows: list[SchoolRow] = []
    strays: list[tuple[str, str]] = []
    factors: tuple[float, ...] = ()
    has_end = layout.end is None
    for sheet in sheets:
        header = layout.find_header(sheet)
        if header is None:
            wanted = ", ".join(layout.stub.model_dump().values())
            return _problem("missing_header", f"no row of it holds all of {wanted}", sheet)
        if problem := _check_title(sheet, header, layout, stated, catalogue):
            return problem
        columns = _read_header(sheet, header, layout, catalogue)
        if isinstance(columns, RosterProblem):
            return columns
        if factors and factors != columns.factors:
            return _problem("unknown_unit", "its units are not those of the sheet before", sheet)
        factors = columns.factors
        found, outside, is_ended = _read_rows(sheet, header, columns, layout)
        rows += found
        strays += [*_strays_above(sheet, header, layout), *outside]
        has_end = has_end or is_ended
    if not rows:
        return _problem("no_rows", "there is no school under its header", sheets[0])
    if not has_end:
        return _problem("truncated", f"no row of it begins with {layout.end!r}, it may be cut off", sheets[-1])
    return RosterCells(layout, stated.period_code, factors, tuple(rows), tuple(strays))


def _problem(reason: Reason, told: str, sheet: Sheet) -> RosterProblem:
    return RosterProblem(reason, f"the roster {sheet.name!r} is set aside: {told}", sheet.name or "roster")


def _check_title(
    sheet: Sheet, header: int, layout: RosterLayout, stated: Stated, catalogue: Catalogue
) -> RosterProblem | None:
    """Whether the roster says that it is of the return it came with: last year's is easily sent again."""
    titles = [
        found for row in sheet.rows[:header] for text in row if text and (found := _fits(layout.title, squash(text)))
    ]
    if not titles:
        return _problem("unknown_period", "no title above its header says what it is of", sheet)
    said = titles[0].groupdict()
    province, form = catalogue.provinces.get(stated.region_code), catalogue.forms.get(stated.form)
    if form is not None and said["form"] != squash(form.name_zh):
        return _problem("wrong_form", f"its title {titles[0][0]!r} is not of {form.name_zh}", sheet)
    if province is not None and said["place"] not in (province.name_zh, province.short_zh):
        return _problem("wrong_province", f"its title {titles[0][0]!r} is not of {province.name_zh}", sheet)
    if not states_period(said["period"], stated.period_code):
        return _problem("wrong_period", f"its title {titles[0][0]!r} is not of {stated.period_code}", sheet)
    return None


def _read_header(sheet: Sheet, header: int, layout: RosterLayout, catalogue: Catalogue) -> _Columns | RosterProblem:
    """What each column of the header is; every text of it must be known."""
    stub_labels, items = layout.stub.labels(), items_of(catalogue)
    names = _item_names(layout, catalogue)
    stub: dict[str, int] = {}
    places: dict[str, int] = {}
    factors: dict[str, float] = {}
    for place, text in enumerate(sheet.rows[header]):
        label = squash(text)
        if not label:
            continue
        where = sheet.address(header, place)
        if label in stub_labels and stub_labels[label] not in stub:
            stub[stub_labels[label]] = place
            continue
        name, unit = split_unit(label)
        item = names.get(label) or names.get(name)
        if item is None or item in places:
            return _problem("unknown_header", f"{where}: the header {text!r} is unknown, or stands twice", sheet)
        factor = _factor(item, "" if label in names else unit, layout, catalogue)
        if factor is None:
            return _problem("unknown_unit", f"{where}: the header {text!r} has no unit that fits", sheet)
        places[item], factors[item] = place, factor
    if missing := [item for item in items if item not in places]:
        return _problem("missing_header", f"it has no column of {', '.join(missing)}", sheet)
    own = tuple(places[item] for item in items)
    return _Columns(stub, own, tuple(factors[item] for item in items), frozenset((*stub.values(), *own)))


def _item_names(layout: RosterLayout, catalogue: Catalogue) -> dict[str, str]:
    """Items by every squashed name they may have in a header."""
    named = [(line.amount_zh, line.resource_code) for line in catalogue.school_lines]
    named += [*layout.aliases.items(), *((text, PUPILS) for text in layout.pupils)]
    return {squash(text): item for text, item in named}


def _factor(item: str, printed: str, layout: RosterLayout, catalogue: Catalogue) -> float | None:
    """Printed unit → the catalogue's; None where it does not fit."""
    if item == PUPILS:
        return 1.0 if printed in layout.pupil_units else None
    unit = next(line.amount_unit for line in catalogue.school_lines if line.resource_code == item)
    return next(
        (factor for (text, of), factor in catalogue.units.items() if of == unit and squash(text) == printed), None
    )


def _read_rows(
    sheet: Sheet, header: int, columns: _Columns, layout: RosterLayout
) -> tuple[list[SchoolRow], list[tuple[str, str]], bool]:
    """(rows of schools, strays, whether the row that ends the roster is there). A row with a figure is never a note."""
    rows: list[SchoolRow] = []
    strays: list[tuple[str, str]] = []
    is_ended = False
    repeated = [squash(text) for text in sheet.rows[header]]
    nameless = [place for place in range(len(sheet.column_labels)) if place not in columns.known]
    for number in range(header + 1, len(sheet.rows)):
        row = sheet.rows[number]
        texts = [text for text in row if text and not text.isspace()]
        if not texts:
            continue
        # A school has a code, a name and figures: what has fewer texts than its stub is a note, or belongs nowhere.
        if len(texts) < len(columns.stub):
            first = squash(texts[0])
            if any(map(is_figure_like, texts)) or not any(_fits(pattern, first) for pattern in layout.footers):
                strays += _texts_of(sheet, number)
            elif layout.end and _fits(layout.end, first):
                is_ended = True
            continue
        if [squash(text) for text in texts] == [text for text in repeated if text]:
            continue
        rows.append(_school_row(sheet, number, columns))
        strays += [
            (sheet.address(number, place), row[place])
            for place in nameless
            if place < len(row) and row[place] and not row[place].isspace()
        ]
    return rows, strays, is_ended


def _school_row(sheet: Sheet, number: int, columns: _Columns) -> SchoolRow:
    row, label = sheet.rows[number], sheet.row_labels[number]
    is_short = len(row) < columns.width
    if is_short:
        row = [*row, *[""] * (columns.width - len(row))]
    labels = [sheet.column_labels[place] for place in columns.items]
    return SchoolRow(
        **{kind: row[place] for kind, place in columns.stub.items()},
        is_short=is_short,
        texts=tuple([row[place] for place in columns.items]),
        addresses=tuple([before + label + after for before, after in labels]),
    )


def _strays_above(sheet: Sheet, header: int, layout: RosterLayout) -> list[tuple[str, str]]:
    """Texts above the header that are neither title nor allowed."""
    known = (layout.title, *layout.context)
    return [
        cell
        for number in range(header)
        for cell in _texts_of(sheet, number)
        if not any(_fits(pattern, squash(cell[1])) for pattern in known)
    ]


def _cells(sheet: Sheet, number: int) -> Iterator[tuple[str, str]]:
    """(address, text) of every place of a row; the text of a blank is ``""``."""
    for place, text in enumerate(sheet.rows[number]):
        yield sheet.address(number, place), "" if text.isspace() else text


def _texts_of(sheet: Sheet, number: int) -> list[tuple[str, str]]:
    return [cell for cell in _cells(sheet, number) if cell[1]]


def _fits(pattern: str, text: str) -> re.Match[str] | None:
    return re.fullmatch(pattern, text)
