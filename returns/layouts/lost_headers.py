"""Signs that rows or columns of a table are of another table, whose own header is lost: read by the header above or to the
left, their figures would be given another meaning.

Here: they are found, and named. Not here: headers that can be read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from returns.conform.regions import is_region_name
from returns.conform.texts import squash
from returns.layouts import Layout
from returns.layouts.figure_like import is_figure_like
from returns.layouts.headers import Column
from returns.layouts.matching import Mismatch, Table
from returns.layouts.measures import Fault, Measure, MeasureReader
from returns.layouts.statements import find_other_caption, find_other_period

_CHINESE = re.compile("[一-鿿]")


def find_lost_header(
    layout: Layout, table: Table, data: Sequence[int], others: Sequence[int], texts: list[str], measures: MeasureReader
) -> Mismatch | None:
    """The first sign that rows below some row are of another table; ``texts`` are the figures of the ``data`` rows.

    Such signs are a title or a line of units that says something else than the table's, and a header among its figures.
    """
    last = max(data, default=-1)
    among = [number for number in others if number < last]
    return _find_statement(layout, table, among) or _find_header(layout, table, data, among, texts, measures)


def _find_statement(layout: Layout, table: Table, among: Sequence[int]) -> Mismatch | None:
    for number in among:
        rows = range(number, number + 1)
        if found := find_other_period(layout, table.sheet, rows, table.block, table.stated.period_code):
            return Mismatch("unknown_layout", f"{found} stands among the rows of a table of another period")
        if found := find_other_caption(layout, table.sheet, rows, table.block, table.stated.caption):
            return Mismatch("unknown_unit", f"{found} stands among the rows of a table in other units")
    return None


def _find_header(
    layout: Layout, table: Table, data: Sequence[int], among: Sequence[int], texts: list[str], measures: MeasureReader
) -> Mismatch | None:
    suspects = list(among)
    if not (joined := "".join(texts)).isascii() and _CHINESE.search(joined):  # figures with a Chinese letter are few
        width = len(table.columns)
        suspects += [
            number
            for place, number in enumerate(data)
            if _CHINESE.search("".join(texts[place * width : (place + 1) * width]))
        ]
    areas = layout.areas.by_label() if layout.areas else {}
    for number in suspects:
        row = table.sheet.rows[number]
        for column in table.columns:
            text = squash(row[column.position]) if column.position < len(row) else ""
            if not text or is_figure_like(text):
                continue
            if text in areas or measures.find(layout, text)[0] is not None:
                where = table.sheet.address(number, column.position)
                return Mismatch("unknown_header", f"{where}: the header {text!r} stands among the figures of a table")
    return None


def stop_at_second_stub(layout: Layout, table: Table, data: Sequence[int], measures: MeasureReader) -> Table:
    """The table, the columns to the right of a second column of places set aside: they are of those places, not of the stub's."""
    if layout.region != "row":
        return table
    known = {column.position for column in table.columns if not isinstance(column.measure, Fault)}
    known |= set(table.block.stub.values())
    last = max(column.position for column in table.columns)
    seconds = [
        position
        for position in range(table.block.left, last)
        if position not in known and _holds_places(table, data, position, measures)
    ]
    if not seconds:
        return table
    own = table.block.stub.get("name", table.block.stub.get("code", table.block.left))
    return replace(table, columns=tuple(_set_aside(column, own, seconds, table) for column in table.columns))


def _holds_places(table: Table, data: Sequence[int], position: int, measures: MeasureReader) -> bool:
    rows = (table.sheet.rows[number] for number in data)
    texts = [row[position] for row in rows if position < len(row) and row[position] and not row[position].isspace()]
    if _CHINESE.search("".join(texts)) is None:
        return False
    return 2 * sum(is_region_name(measures.catalogue, text) for text in texts) >= len(texts)


def _set_aside(column: Column, own: int, seconds: Sequence[int], table: Table) -> Column:
    second = max((position for position in seconds if position < column.position), default=-1)
    if second < own or not isinstance(column.measure, Measure | None):
        return column
    where = table.sheet.address(table.block.row, second)
    text = f"the column below {where} holds names of places too, and what stands to its right may be of those"
    return replace(column, measure=Fault("ambiguous_region", text))
