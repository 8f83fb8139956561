"""From a matched grid to cells: raw texts in a rectangle of data rows × figure columns, each with its address.

Here: which rows are data, which are repeated headers or footers; every data position is a cell, blank or not.
Not here: what a text, a region code or a name means (conform).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter

from returns.conform.texts import squash
from returns.layouts import DashMeaning
from returns.layouts.headers import Column
from returns.layouts.matching import Match, Mismatch


@dataclass(frozen=True, slots=True)
class ReturnCells:
    """The cells of one return: ``texts`` is row-major, ``len(row_codes) × len(columns)`` long.

    ``column_labels`` and ``row_labels`` make the address as in :class:`returns.carriers.grid.Sheet`. ``is_short`` marks
    rows that end before the header does: their cells are there, and not to be trusted.
    """

    columns: tuple[Column, ...]
    column_labels: list[tuple[str, str]]
    row_codes: list[str]
    row_names: list[str]
    row_labels: list[str]
    is_short: list[bool]
    texts: list[str]
    dash: DashMeaning | None
    layout: str
    """Name and version of the layout that read it, ``health_table v1``: ops.return_receipt keeps it."""

    @property
    def count(self) -> int:
        """How many cells."""
        return len(self.row_codes) * len(self.columns)


def read_cells(match: Match) -> ReturnCells | Mismatch:
    """Every cell of a matched return, or the mismatch of a table without rows or with texts beside its header."""
    sheet, columns = match.sheet, match.columns
    numbers = _data_rows(match)
    if not numbers:
        return Mismatch("no_rows", "there is no data row under the header")
    if match.layout.end is not None and not _is_whole(match, match.layout.end):
        return Mismatch("truncated", f"no row below the table begins with {match.layout.end!r}, it may be cut off")
    rows = [sheet.rows[number] for number in numbers]
    stray = _find_stray(match, numbers)
    if stray is not None:
        text = f"{sheet.address(*stray)}: a text stands in a column without a header"
        return Mismatch("unknown_header", text)
    width = max(column.position for column in columns) + 1
    short = [len(row) < width for row in rows]
    if any(short):
        rows = [list(row) + [""] * (width - len(row)) for row in rows]
    return ReturnCells(
        columns=columns,
        column_labels=[sheet.column_labels[column.position] for column in columns],
        row_codes=[row[match.code_position] for row in rows],
        row_names=[row[match.name_position] for row in rows],
        row_labels=[sheet.row_labels[number] for number in numbers],
        is_short=short,
        texts=_flatten(rows, [column.position for column in columns]),
        dash=match.layout.dash,
        layout=match.layout.label,
    )


def _data_rows(match: Match) -> list[int]:
    """Rows below the header that are neither blank, nor the header again (a continued table), nor a footer.

    A row with a figure is never a footer, whatever it begins with: nothing may be lost in a note.
    """
    sheet = match.sheet
    headers = [list(row) for row in sheet.rows[match.header_row : match.first_row]]
    footer = _compile_footers(match.layout.footers)
    numbers = []
    for number in range(match.first_row, len(sheet.rows)):
        row = sheet.rows[number]
        code = row[match.code_position] if match.code_position < len(row) else ""
        if not code.isdecimal():
            texts = [text for text in row if text and not text.isspace()]
            if not texts or list(row) in headers:
                continue
            if len(texts) == 1 and footer is not None and footer.fullmatch(squash(texts[0])):
                continue
        numbers.append(number)
    return numbers


@lru_cache(maxsize=256)
def _compile_footers(patterns: tuple[str, ...]) -> re.Pattern[str] | None:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns)) if patterns else None


def _is_whole(match: Match, end: str) -> bool:
    """Whether the row that ends the table is there: half a CSV is a CSV too, with half the counties."""
    pattern = _compile_footers((end,))
    for number in range(len(match.sheet.rows) - 1, match.first_row - 1, -1):
        text = next((text for text in match.sheet.rows[number] if text and not text.isspace()), "")
        if pattern is not None and pattern.fullmatch(squash(text)):
            return True
    return False


def _find_stray(match: Match, numbers: Sequence[int]) -> tuple[int, int] | None:
    """(row, column) of the first text in a column that has no header at all."""
    sheet = match.sheet
    header = sheet.rows[match.header_row : match.first_row]
    named = {position for row in header for position, text in enumerate(row) if text}
    width = max(len(sheet.rows[number]) for number in numbers)
    for position in set(range(width)) - named:
        for number in numbers:
            row = sheet.rows[number]
            if position < len(row) and row[position].strip():
                return number, position
    return None


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
