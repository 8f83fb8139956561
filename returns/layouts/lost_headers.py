"""Signs that rows or columns of a table are of another table, whose own header is lost: read by the header above or to the
left, their figures would be given another meaning.

Here: they are found, and named. Not here: headers that can be read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain

from returns.conform.regions import is_region_name
from returns.conform.texts import squash
from returns.layouts import Layout
from returns.layouts.figure_like import is_figure_like
from returns.layouts.matching import Mismatch, Table
from returns.layouts.measures import Fault, MeasureReader
from returns.layouts.statements import find_other_caption, find_other_period

_CHINESE = re.compile("[一-鿿]")
_STATEMENT_SIGNS = "年:："


def find_lost_header(
    layout: Layout, table: Table, data: Sequence[int], others: Sequence[int], texts: list[str], measures: MeasureReader
) -> Mismatch | None:
    """The first sign that rows below some row are of another table; ``texts`` are the figures of the ``data`` rows.

    Such signs are a title or a line of units that says something else than the table's, and a header among its figures.
    """
    last = max(data, default=-1)
    among = [number for number in others if number < last]
    odd = _find_odd(table, data, texts)
    stated = _find_stated(table, data)
    return _find_statement(layout, table, [*among, *stated, *odd]) or _find_header(
        layout, table, [*among, *odd], measures
    )


def _find_odd(table: Table, data: Sequence[int], texts: list[str]) -> list[int]:
    """The data rows with a Chinese letter among their figures, which are few."""
    if (joined := "".join(texts)).isascii() or _CHINESE.search(joined) is None:
        return []
    width = len(table.columns)
    return [
        number
        for place, number in enumerate(data)
        if _CHINESE.search("".join(texts[place * width : (place + 1) * width]))
    ]


def _find_stated(table: Table, data: Sequence[int]) -> list[int]:
    """The data rows with a sign of a title or of a line of units in their stub, where no place's name has one."""
    left, right = table.block.left, max(table.block.stub.values()) + 1
    # A title stands in the first column, as codes and names do.
    stubs = [table.sheet.rows[number][left:right] for number in data]
    joined = "".join(chain.from_iterable(stubs))
    if not any(sign in joined for sign in _STATEMENT_SIGNS):
        return []
    return [
        number
        for number, stub in zip(data, stubs, strict=True)
        if any(sign in text for text in stub for sign in _STATEMENT_SIGNS)
    ]


def _find_statement(layout: Layout, table: Table, numbers: Sequence[int]) -> Mismatch | None:
    for number in numbers:
        rows = range(number, number + 1)
        if found := find_other_period(layout, table.sheet, rows, table.block, table.stated.period_code, is_among=True):
            return Mismatch("unknown_layout", f"{found} stands among the rows of a table of another period")
        if found := find_other_caption(layout, table.sheet, rows, table.block, table.stated.caption):
            return Mismatch("unknown_unit", f"{found} stands among the rows of a table in other units")
    return None


def _find_header(layout: Layout, table: Table, numbers: Sequence[int], measures: MeasureReader) -> Mismatch | None:
    areas = layout.areas.by_label() if layout.areas else {}
    for number in numbers:
        row = table.sheet.rows[number]
        for column in table.columns:
            text = squash(row[column.position]) if column.position < len(row) else ""
            if not text or is_figure_like(text):
                continue
            if text in areas or measures.find(layout, text)[0] is not None:
                where = table.sheet.address(number, column.position)
                return Mismatch("unknown_header", f"{where}: the header {text!r} stands among the figures of a table")
    return None


def find_second_stub(layout: Layout, table: Table, data: Sequence[int], measures: MeasureReader) -> Mismatch | None:
    """A second column of places with figures to its right: those are of its places and not of the stub's."""
    if layout.region != "row":
        return None
    figures = {column.position for column in table.columns if not isinstance(column.measure, Fault)}
    known = figures | set(table.block.stub.values())
    own = table.block.stub.get("name", table.block.left)
    for position in range(table.block.left, table.block.right):
        if position in known or not _holds_places(table, data, position, measures):
            continue
        is_passed_over = any(position < each and not position < own < each for each in figures)
        if is_passed_over or (own < position and _has_text_beyond(table, data, position)):
            where = table.sheet.address(table.block.row, position)
            text = f"{where}: the column holds names of places, as that of a table whose header is lost"
            return Mismatch("unknown_header", text)
    return None


def _holds_places(table: Table, data: Sequence[int], position: int, measures: MeasureReader) -> bool:
    rows = (table.sheet.rows[number] for number in data)
    texts = [row[position] for row in rows if position < len(row) and row[position] and not row[position].isspace()]
    if _CHINESE.search("".join(texts)) is None:
        return False
    return 2 * sum(is_region_name(measures.catalogue, text) for text in texts) >= len(texts)


def _has_text_beyond(table: Table, data: Sequence[int], position: int) -> bool:
    rows = (table.sheet.rows[number] for number in data)
    return any(text and not text.isspace() for row in rows for text in row[position + 1 : table.block.right])
