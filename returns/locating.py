"""Where an address stands: the row and the column of one cell, as a person would look them up in the file.

Here: from an address back to the texts around it. Not here: reading figures. Works on any grid that a carrier gives.
"""

from __future__ import annotations

from dataclasses import dataclass

from returns.carriers import Grid, Sheet


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A cell in its sheet. ``above`` are the texts of its column, from the top down to the row before it, blanks left
    out; ``row`` are the texts of its row, each with its address."""

    sheet: str
    text: str
    above: tuple[tuple[str, str], ...]
    row: tuple[tuple[str, str], ...]


def find_cell(grid: Grid, address: str) -> Surroundings | None:
    """The surroundings of ``address``, None where the grid has no such cell."""
    for sheet in grid.sheets:
        place = _locate(sheet, address)
        if place is not None:
            return _look_around(sheet, *place)
    return None


def _locate(sheet: Sheet, address: str) -> tuple[int, int] | None:
    rows = {label: number for number, label in enumerate(sheet.row_labels)}
    for column, (before, after) in enumerate(sheet.column_labels):
        if address.startswith(before) and address.endswith(after):
            row = rows.get(address[len(before) : len(address) - len(after)])
            if row is not None and column < len(sheet.rows[row]):
                return row, column
    return None


def _look_around(sheet: Sheet, row: int, column: int) -> Surroundings:
    above = [
        (sheet.address(number, column), texts[column])
        for number, texts in enumerate(sheet.rows[:row])
        if column < len(texts) and texts[column].strip()
    ]
    beside = [(sheet.address(row, number), text) for number, text in enumerate(sheet.rows[row])]
    return Surroundings(sheet.name, sheet.rows[row][column], tuple(above), tuple(beside))


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a sheet around one cell. ``rows`` and ``columns`` are numbers from 0, ascending and not always without
    a gap: the head of the sheet and its first columns belong to it; ``texts`` are [rows × columns]."""

    sheet: str
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    row_labels: tuple[str, ...]
    column_labels: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]
    marked: tuple[int, int]
    """Place of the cell in ``texts``."""

    @property
    def text(self) -> str:
        """What stands in the cell."""
        row, column = self.marked
        return self.texts[row][column]


_HEAD_ROWS, _HEAD_COLUMNS = 4, 2


def find_window(grid: Grid, address: str, beside: int = 2) -> Window | None:
    """The cell of ``address`` with ``beside`` rows and columns around it, the head of its sheet and its first columns;
    None where the grid has no such cell."""
    for sheet in grid.sheets:
        place = _locate(sheet, address)
        if place is not None:
            return _cut(sheet, *place, beside)
    return None


def _cut(sheet: Sheet, row: int, column: int, beside: int) -> Window:
    rows = _near(row, len(sheet.rows), beside, _HEAD_ROWS)
    columns = _near(column, len(sheet.column_labels), beside, _HEAD_COLUMNS)
    texts = tuple(
        tuple(sheet.rows[number][each] if each < len(sheet.rows[number]) else "" for each in columns) for number in rows
    )
    return Window(
        sheet.name,
        rows,
        columns,
        tuple(sheet.row_labels[number].rpartition("!")[2] for number in rows),
        tuple("".join(sheet.column_labels[number]).rpartition("!")[2].strip(" .") for number in columns),
        texts,
        (rows.index(row), columns.index(column)),
    )


def _near(place: int, size: int, beside: int, head: int) -> tuple[int, ...]:
    around = range(max(0, place - beside), min(size, place + beside + 1))
    return tuple(sorted({*range(min(head, place)), *around}))
