"""Workbooks by python-calamine, after their guards have let them pass: ``.xlsx`` after :mod:`returns.carriers.package`
and :mod:`returns.carriers.sheet_xml`, ``.xls`` after :mod:`returns.carriers.compound` and :mod:`returns.carriers.biff`.

Not here: meaning. openpyxl reads nothing here: it takes eight times as long, and what it knows beyond calamine are styles,
in which no layout states anything.
"""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import python_calamine

from returns.carriers.allowance import Allowance
from returns.carriers.biff import clean_stream
from returns.carriers.compound import open_compound, wrap_stream
from returns.carriers.grid import MAX_GRID_CELLS, Grid, Merge, Sheet, lettered_labels, number_labels
from returns.carriers.package import expand_parts, wrap_parts
from returns.carriers.sheet_xml import Patch, SheetNotes, inspect_sheets
from returns.errors import NotAWorkbookError, TooLargeError

_WRAPPED_BYTES = 8 * 1024 * 1024  # a census, ten times as large, would stand twice in memory beside its values


def read_workbook(content: bytes, members: Mapping[str, zipfile.ZipInfo], allowance: Allowance) -> Grid:
    """Every sheet of an ``.xlsx``, hidden ones too; addresses are ``表1!C7``.

    Numbers become the shortest text that is the same number. A formula counts by its cached result; without one its
    text (``=…``) stands in the grid, as does an error value (``#DIV/0!``).
    A return's parts are handed to calamine as they were expanded for the guards, so that they are expanded once.
    Raises a :class:`returns.errors.CarrierError`.
    """
    parts = expand_parts(content, members, allowance)
    notes = inspect_sheets(parts)
    if sum(map(len, parts.values())) <= _WRAPPED_BYTES:
        content = wrap_parts(parts)
    del parts  # of a large file the memory that calamine needs
    return _read(content, lambda _, name: notes.get(name, SheetNotes()), allowance)


def read_old_workbook(content: bytes, allowance: Allowance) -> Grid:
    """Every sheet of an ``.xls`` of Excel 97 to 2003, as :func:`read_workbook` does.

    calamine gets a compound file of our own making, with nothing in it but the workbook's records as the guards left
    them: it never walks the chains of a file from outside.
    Raises a :class:`returns.errors.CarrierError`.
    """
    stream, notes = clean_stream(open_compound(content))
    return _read(wrap_stream(stream), lambda number, _: notes[number], allowance)


def _read(content: bytes, notes_of: Callable[[int, str], SheetNotes], allowance: Allowance) -> Grid:
    """The sheets that calamine finds; ``notes_of`` gives what is known of the sheet of a number and name."""
    try:
        workbook = python_calamine.load_workbook(io.BytesIO(content))
        entries = list(enumerate(workbook.sheets_metadata))
        if len({entry.name for _, entry in entries}) != len(entries):
            raise NotAWorkbookError("two sheets of the workbook have the same name")
        sheets = [
            _to_sheet(entry, workbook.get_sheet_by_name(entry.name), notes_of(number, entry.name), allowance)
            for number, entry in entries
            if entry.typ == python_calamine.SheetTypeEnum.WorkSheet
        ]
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise NotAWorkbookError(f"the workbook cannot be opened: {error}") from error
    # calamine is Rust: a file that breaks it panics, and a panic is no Exception of Python's.
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise NotAWorkbookError("the workbook cannot be opened: its parts contradict each other") from error
    return Grid("workbook", tuple(sheets))


def _to_sheet(entry: Any, found: Any, notes: SheetNotes, allowance: Allowance) -> Sheet:
    values: list[list[Any]] = found.to_python(skip_empty_area=False)
    # Texts and numbers are nearly all there is: written out, since a call for each takes as long as calamine.
    rows = [
        [v if type(v) is str else repr(v).removesuffix(".0") if type(v) is float else _text(v) for v in row]
        for row in values
    ]
    _place(rows, notes.patches, entry.name)
    width = max(map(len, rows), default=0)
    allowance.take_cells(width * len(rows), f"sheet {entry.name!r}")
    merges: tuple[Merge, ...] = tuple((*first, *last) for first, last in found.merged_cell_ranges or ())
    return Sheet(
        entry.name,
        rows,
        number_labels("", "", len(rows), first=1),
        lettered_labels(entry.name, width),
        merges,
        entry.visible != python_calamine.SheetVisibleEnum.Visible,
        notes.hidden_rows,
        notes.hidden_columns,
    )


def _place(rows: list[list[str]], patches: Sequence[Patch], name: str) -> None:
    """Put texts where calamine saw blanks; the sheet grows if cells lie beyond what calamine kept."""
    if not patches:
        return
    width = max(len(rows[0]) if rows else 0, *(patch.column + 1 for patch in patches))
    height = max(len(rows), *(patch.row + 1 for patch in patches))
    if width * height > MAX_GRID_CELLS:
        raise TooLargeError(f"sheet {name!r} goes beyond the {MAX_GRID_CELLS:,} cells that are read in all")
    rows.extend([] for _ in range(height - len(rows)))
    for row in rows:
        row.extend([""] * (width - len(row)))
    for patch in patches:
        rows[patch.row][patch.column] = patch.text


def _text(value: Any) -> str:
    """A value that is neither text nor number as raw text: dates as ISO, truth values in capitals."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)
