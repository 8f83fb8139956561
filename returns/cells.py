"""From a matched grid to cells: raw texts in rectangles of data rows × figure columns, each with its address.

Here: which rows are data, which are repeated headers or footers, and what stands outside every table. Every data position
is a cell, blank or not; every text outside of title, header, notes and table is a stray. Not here: what a text, a region
code or a name means (conform).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from operator import itemgetter

import pyarrow as pa

from returns.carriers.grid import Sheet
from returns.conform.texts import squash
from returns.conform.units import caption_unit
from returns.layouts import DashMeaning, Layout
from returns.layouts.figure_like import is_figure_like, stands_for_figure
from returns.layouts.headers import Column, read_period_label
from returns.layouts.lost_headers import find_lost_header, find_second_stub
from returns.layouts.matching import Match, Mismatch, Table
from returns.layouts.measures import Fault, Measure, MeasureReader
from returns.rosters.reading import RosterCells, RosterProblem

_CONTINUED = r"[(]?续表?.{0,10}"
_CODE_BEFORE_NAME = re.compile(r"\s*(\d{6})\s*(\D.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Row:
    """What a row says of its figures beside its region: None where its columns say it."""

    measure: Measure | Fault | None = None
    period: str | Fault | None = None


@dataclass(frozen=True, slots=True)
class CellBlock:
    """The cells of one table: ``texts`` is row-major, ``len(row_codes) × len(columns)`` long.

    ``column_labels`` and ``row_labels`` make the address as in :class:`returns.carriers.grid.Sheet`. ``is_short`` marks
    rows that end before the header does: their cells are there, and not to be trusted. ``rows`` is empty where columns say
    everything but the region.
    """

    columns: tuple[Column, ...]
    column_labels: list[tuple[str, str]]
    row_codes: list[str]
    row_names: list[str]
    row_labels: list[str]
    is_short: list[bool]
    texts: pa.StringArray
    period_code: str
    """Of the table, ``""`` where only its columns or rows have one."""
    rows: list[Row] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many cells."""
        return len(self.row_codes) * len(self.columns)


@dataclass(frozen=True, slots=True)
class ReturnCells:
    """The cells of one return. ``strays`` are (address, text) of what stands outside its tables."""

    blocks: tuple[CellBlock, ...]
    strays: tuple[tuple[str, str], ...]
    dash: DashMeaning | None
    layout: str
    """Name and version of the layout that read it, ``health_table v1``: ops.return_receipt keeps it."""
    region_code: str
    period_code: str
    roster: RosterCells | RosterProblem | None = None
    """Of its roster, where it has one."""

    @property
    def count(self) -> int:
        """How many cells, strays and those of the roster among them."""
        own = sum(block.count for block in self.blocks) + len(self.strays)
        return own + (self.roster.count if self.roster is not None else 0)


def read_cells(match: Match, measures: MeasureReader) -> ReturnCells | Mismatch:
    """Every cell of a matched return, or the mismatch of a table without rows or with figures beside its header."""
    layout, blocks, strays = match.layout, [], []
    has_end = layout.end is None
    for table in match.tables:
        numbers, others = _sort_rows(table, layout)
        if problem := find_second_stub(layout, table, numbers, measures):
            return problem
        has_end = has_end or any(_is_end(table.sheet.rows[number], layout) for number in others)
        positions = [column.position for column in table.columns]
        texts = _flatten(_pad([table.sheet.rows[number] for number in numbers], max(positions) + 1), positions)
        if problem := find_lost_header(layout, table, numbers, others, texts, measures):
            return problem
        block = _read_block(layout, table, numbers, texts, measures)
        beside = _find_beside(table, numbers)
        if beside and layout.columns == "closed":
            text = f"{beside[0][0]}: a text stands in a column without a header"
            return Mismatch("unknown_header", text)
        if block.row_codes:
            blocks.append(block)
        strays += beside
        strays += _strays_below(table, others, layout)
    if not blocks:
        return Mismatch("no_rows", "there is no data row under the header")
    if not has_end:
        return Mismatch("truncated", f"no row below the table begins with {layout.end!r}, it may be cut off")
    strays += _strays_above(match)
    strays += [cell for sheet in match.other_sheets for cell in _texts_of(sheet, range(len(sheet.rows)))]
    stated = match.stated
    region = "000000" if layout.region == "nation" else stated.region_code
    return ReturnCells(tuple(blocks), tuple(strays), layout.dash, layout.label, region, stated.period_code)


def _pad(rows: list[Sequence[str]], width: int) -> list[Sequence[str]]:
    """The rows, blanks put to those that are shorter than ``width``."""
    if min(map(len, rows), default=width) >= width:
        return rows
    return [row if len(row) >= width else [*row, *[""] * (width - len(row))] for row in rows]


def _read_block(
    layout: Layout, table: Table, numbers: list[int], texts: list[str], measures: MeasureReader
) -> CellBlock:
    sheet, columns, stub = table.sheet, table.columns, table.block.stub
    rows = [sheet.rows[number] for number in numbers]
    width = max(column.position for column in columns) + 1
    short = [len(row) < width for row in rows]
    rows = _pad(rows, width)
    if layout.region == "nation":
        codes, names = ["000000"] * len(rows), ["全国"] * len(rows)
    else:
        codes = [row[stub["code"]] for row in rows] if "code" in stub else [""] * len(rows)
        names = [row[stub["name"]] for row in rows] if "name" in stub else [""] * len(rows)
        if "code" not in stub:
            codes, names = _split_codes(names)
    return CellBlock(
        columns=columns,
        column_labels=[sheet.column_labels[column.position] for column in columns],
        row_codes=codes,
        row_names=names,
        row_labels=[sheet.row_labels[number] for number in numbers],
        is_short=short,
        texts=pa.array(texts, pa.string()),
        period_code=table.stated.period_code,
        rows=_read_rows(layout, table, rows, measures) if {"indicator", "period"} & stub.keys() else [],
    )


def _split_codes(names: list[str]) -> tuple[list[str], list[str]]:
    """Codes that stand before the names in one cell: ``510104 锦江区``."""
    pairs = [(found[1], found[2]) if (found := _CODE_BEFORE_NAME.fullmatch(name)) else ("", name) for name in names]
    return [code for code, _ in pairs], [name for _, name in pairs]


def _read_rows(layout: Layout, table: Table, rows: Sequence[Sequence[str]], measures: MeasureReader) -> list[Row]:
    """What the rows of a table say, where they name indicators or periods; each distinct text once."""
    stub = table.block.stub
    fallback = caption_unit(table.stated.caption)
    known: dict[tuple[str, str, str], Row] = {}
    result = []
    for row in rows:
        name, unit, period = (row[stub[kind]] if kind in stub else "" for kind in ("indicator", "unit", "period"))
        key = (name, unit, period)
        if key not in known:
            known[key] = Row(
                _measure_of(layout, squash(name), squash(unit), fallback, measures)
                if layout.indicator == "row"
                else None,
                read_period_label(layout, squash(period)) if layout.period == "row" else None,
            )
        result.append(known[key])
    return result


def _measure_of(layout: Layout, text: str, unit: str, fallback: str, measures: MeasureReader) -> Measure | Fault:
    named, name, own_unit = measures.find(layout, text)
    if named is None:
        return Fault("unknown_indicator", f"the indicator {name or '(no name)'!r} is not in the catalogue")
    return measures.measure_twice(layout, named, "", (unit, own_unit), fallback)


def _sort_rows(table: Table, layout: Layout) -> tuple[list[int], list[int]]:
    """(data rows, other rows) below a header: others are blank, a footer, or above the next block.

    A row with a figure is never a footer, whatever it begins with: nothing may be lost in a note.
    """
    sheet, block = table.sheet, table.block
    stub = sorted(block.stub.values())
    code = block.stub.get("code", -1)
    first_other = table.first_row + _count_coded(sheet.rows, table.first_row, block.bottom, code)
    footer, ignored = _any_of(layout.footers), _any_of(layout.ignored_rows)
    between = _one_of(_known_texts(layout))
    data = list(range(table.first_row, first_other))
    others: list[int] = []
    for number in range(first_other, block.bottom):
        row = sheet.rows[number]
        if 0 <= code < len(row) and row[code].isdecimal():
            data.append(number)
            continue
        texts = [text for text in row[block.left : block.right] if text and not text.isspace()]
        is_other = (
            not texts
            or (len(texts) == 1 and _is_note(row, stub, texts[0]))
            or (footer and _begins_note(texts, footer))
            or all(between.fullmatch(squash(text)) and not is_figure_like(text) for text in texts)
            or (ignored and any(ignored.fullmatch(squash(row[place])) for place in stub if place < len(row)))
        )
        (others if is_other else data).append(number)
    return data, others


def _count_coded(rows: Sequence[Sequence[str]], first: int, bottom: int, code: int) -> int:
    """How many rows from ``first`` on have a code one after another: nearly all of a table."""
    if code < 0:
        return 0
    count = 0
    for row in islice(rows, first, bottom):
        if code >= len(row) or not row[code].isdecimal():
            break
        count += 1
    return count


def _begins_note(texts: Sequence[str], footer: re.Pattern[str]) -> bool:
    """A note, also one that its commas have cut into cells: its first text is one, and nothing among the rest is a figure or in
    the place of one."""
    return footer.fullmatch(squash(texts[0])) is not None and not any(map(stands_for_figure, texts))


def _is_note(row: Sequence[str], stub: list[int], text: str) -> bool:
    """A text that stands alone outside the stub, such as ``续表``: not a row of the table."""
    return all(place >= len(row) or not row[place].strip() for place in stub) and not stands_for_figure(text)


def _is_end(row: Sequence[str], layout: Layout) -> bool:
    """Whether this row ends the table: half a CSV is a CSV too, with half the counties."""
    pattern = _any_of((layout.end,) if layout.end else ())
    text = next((text for text in row if text and not text.isspace()), "")
    return pattern is not None and pattern.fullmatch(squash(text)) is not None


def _find_beside(table: Table, numbers: Sequence[int]) -> list[tuple[str, str]]:
    """(address, text) of texts in data rows that stand in a column without any header."""
    sheet, block = table.sheet, table.block
    header = sheet.rows[block.row : table.first_row]
    known = {column.position for column in table.columns} | set(block.stub.values())
    width = min(block.right, max((len(sheet.rows[number]) for number in numbers), default=0))
    nameless = [
        place
        for place in range(block.left, width)
        if place not in known and not any(place < len(row) and squash(row[place]) for row in header)
    ]
    return [
        (sheet.address(number, place), sheet.rows[number][place])
        for place in nameless
        for number in numbers
        if place < len(sheet.rows[number]) and sheet.rows[number][place].strip()
    ]


def _strays_below(table: Table, others: list[int], layout: Layout) -> list[tuple[str, str]]:
    """Texts of rows that are neither data nor anything the layout knows."""
    known = _one_of(_known_texts(layout))
    footer, ignored = _any_of(layout.footers), _any_of(layout.ignored_rows)
    stub = table.block.stub.values()
    strays = []
    for number in others:
        row = table.sheet.rows[number]
        texts = [text for text in row[table.block.left : table.block.right] if text and not text.isspace()]
        if not texts or (footer and _begins_note(texts, footer)):
            continue
        if ignored is not None and any(place < len(row) and ignored.fullmatch(squash(row[place])) for place in stub):
            continue
        for place in range(table.block.left, min(len(row), table.block.right)):
            text = row[place]
            if text and not text.isspace() and (is_figure_like(text) or not known.fullmatch(squash(text))):
                strays.append((table.sheet.address(number, place), text))
    return strays


def _strays_above(match: Match) -> list[tuple[str, str]]:
    """Texts above the first table of each sheet that are neither title, caption nor allowed."""
    layout = match.layout
    known = _one_of(_known_texts(layout))
    first: dict[int, Table] = {}
    for table in match.tables:
        first.setdefault(id(table.sheet), table)
    return [
        cell
        for table in first.values()
        for cell in _texts_of(table.sheet, range(table.block.row))
        if is_figure_like(cell[1]) or not known.fullmatch(squash(cell[1]))
    ]


def _known_texts(layout: Layout) -> tuple[str, ...]:
    """Patterns of all texts that may stand outside a table."""
    return (*layout.footers, *layout.context, *filter(None, (layout.title, layout.caption, layout.end)), _CONTINUED)


def _texts_of(sheet: Sheet, numbers: range) -> Iterator[tuple[str, str]]:
    """(address, text) of every text in these rows."""
    for number in numbers:
        for place, text in enumerate(sheet.rows[number]):
            if text and not text.isspace():
                yield sheet.address(number, place), text


def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str] | None:
    return _one_of(patterns) if patterns else None


@lru_cache(maxsize=512)
def _one_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{_unnamed(pattern)})" for pattern in patterns))


def _unnamed(pattern: str) -> str:
    """The pattern without the names of its groups: one name may stand once in an alternation."""
    return re.sub(r"\(\?P<\w+>", "(?:", pattern)


def _flatten(rows: Sequence[Sequence[str]], positions: list[int]) -> list[str]:
    first, last = positions[0], positions[-1]
    texts: list[str] = []
    if positions == list(range(first, last + 1)):
        for row in rows:
            texts.extend(row[first : last + 1])
        return texts
    pick = itemgetter(*positions) if len(positions) > 1 else lambda row: (row[positions[0]],)
    for row in rows:
        texts.extend(pick(row))
    return texts
