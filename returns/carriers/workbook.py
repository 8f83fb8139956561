"""Workbooks (.xlsx) by python-calamine, after :mod:`returns.carriers.package` has let them pass. Not here: meaning."""

from __future__ import annotations

import datetime
import io
from functools import cache
from typing import Any

import python_calamine

from returns.carriers.grid import MAX_GRID_CELLS, Grid, Sheet, column_letters
from returns.carriers.package import Patch, inspect_package
from returns.errors import NotAWorkbookError, TooLargeError

_EXACT_INTEGERS = 2.0**53


def read_workbook(content: bytes) -> Grid:
    """Every sheet of a workbook, hidden ones too; addresses are ``表1!C7``.

    Numbers become the shortest text that is the same number. A formula counts by its cached result; without one its
    text (``=…``) stands in the grid, as does an error value (``#DIV/0!``).
    Raises a :class:`returns.errors.CarrierError`.
    """
    patches = inspect_package(content)
    try:
        workbook = python_calamine.load_workbook(io.BytesIO(content))
        ranges = [(name, workbook.get_sheet_by_name(name)) for name in _worksheets(workbook)]
        values = [(name, sheet.to_python(skip_empty_area=False)) for name, sheet in ranges]
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise NotAWorkbookError(f"the workbook cannot be opened: {error}") from error
    # calamine is Rust: a file that breaks it panics, and a panic is no Exception of Python's.
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise NotAWorkbookError("the workbook cannot be opened: its parts contradict each other") from error
    if sum(len(rows) * len(rows[0]) for _, rows in values if rows) > MAX_GRID_CELLS:
        raise TooLargeError(f"the workbook has more than {MAX_GRID_CELLS:,} cells")
    return Grid("workbook", tuple(_to_sheet(name, rows, patches.get(name, [])) for name, rows in values))


def _worksheets(workbook: python_calamine.CalamineWorkbook) -> list[str]:
    kind = python_calamine.SheetTypeEnum.WorkSheet
    return [sheet.name for sheet in workbook.sheets_metadata if sheet.typ == kind]


def _to_sheet(name: str, values: list[list[Any]], patches: list[Patch]) -> Sheet:
    rows = [[value if type(value) is str else _text(value) for value in row] for row in values]
    for patch in patches:
        _place(rows, patch)
    width = max(map(len, rows), default=0)
    columns = [(f"{name}!{letters}", "") for letters in _letters(width)]
    return Sheet(name, rows, [str(number) for number in range(1, len(rows) + 1)], columns)


@cache
def _letters(width: int) -> list[str]:
    return [column_letters(index) for index in range(width)]


def _place(rows: list[list[str]], patch: Patch) -> None:
    """Put a text where calamine saw a blank; the grid grows if the cell lies beyond what calamine kept."""
    width = max(len(rows[0]) if rows else 0, patch.column + 1)
    height = max(len(rows), patch.row + 1)
    if width * height > MAX_GRID_CELLS:
        raise TooLargeError(f"the workbook has more than {MAX_GRID_CELLS:,} cells")
    rows.extend([] for _ in range(height - len(rows)))
    if len(rows[0]) < width or len(rows[-1]) < width:
        for row in rows:
            row.extend([""] * (width - len(row)))
    rows[patch.row][patch.column] = patch.text


def _text(value: Any) -> str:
    """A cell's value as raw text: numbers in their shortest form, dates as ISO, truth values in capitals."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _EXACT_INTEGERS else repr(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)
