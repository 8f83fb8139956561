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
