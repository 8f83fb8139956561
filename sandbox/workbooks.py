"""Workbooks, fast: the package is XlsxWriter's, the sheet's cells are written here.

What is here: one `.xlsx` with a sheet `表1` from rows of text, and perhaps one of schools. XlsxWriter makes the package
once (styles, theme, properties with a fixed date); each workbook then differs in its sheets alone, written as inline
strings, which costs a fifth of writing every cell through a library (`README.md` of this room has the measurement). What
is not here: what stands in the rows (`carriers`).
"""

import dataclasses
import datetime as dt
import functools
import io
import re
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

import xlsxwriter

from sandbox.rosters import SHEET_NAME as ROSTER_NAME

SHEET_NAME = "表1"
SHEET_PATH, ROSTER_PATH = "xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"
MAX_DECIMALS = 12
COMPRESSION_LEVEL = 1
"""Speed before size: these files travel over loopback."""
FIXED_DATE = (1980, 1, 1, 0, 0, 0)

Merge = tuple[int, int, int, int]


@dataclasses.dataclass(frozen=True)
class Grid:
    """What a sheet shows: rows of text, merged ranges (first row, first column, last row, last column; from 0)."""

    rows: Sequence[Sequence[str]]
    merges: Sequence[Merge]
    figures_start: int
    """First row of figures; the rows above are title, unit line and header."""
    figures_end: int
    """The row after the last row of figures."""
    text_mark: str
    """A figure that ends so is text; any other figure is a number."""
    are_figures_text: bool = False
    """All figures are text, whatever they look like."""


@dataclasses.dataclass(frozen=True)
class _Frame:
    """A sheet's XML from its root to its dimension, then up to its cells, and after them."""

    before: str
    between: str
    after: str


@dataclasses.dataclass(frozen=True)
class _Package:
    members: dict[str, bytes]
    frames: tuple[_Frame, ...]
    """Of `表1`, and of the schools where there are any."""
    title: str
    header: str
    number: tuple[str, ...]
    """Style attributes: of title, header, and numbers by decimals."""


@functools.cache
def _package(*, has_roster: bool) -> _Package:
    """The empty package, as XlsxWriter makes it, and the style numbers of our formats."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        book.set_properties({"title": SHEET_NAME, "created": dt.datetime(2020, 1, 1)})
        sheet = book.add_worksheet(SHEET_NAME)
        sheet.freeze_panes(4, 2)
        sheet.set_column(0, 0, 10)
        sheet.set_column(1, 1, 18)
        header = {"border": 1, "align": "center", "valign": "vcenter", "text_wrap": True}
        formats = [{"bold": True, "font_size": 14, "align": "center"}, header]
        formats += [{"num_format": "0." + "0" * places if places else "0"} for places in range(MAX_DECIMALS + 1)]
        for column, each in enumerate(formats):
            sheet.write_blank(0, column, None, book.add_format(each))
        if has_roster:
            schools = book.add_worksheet(ROSTER_NAME)
            schools.freeze_panes(2, 2)
            schools.set_column(0, 1, 18)
            schools.write_blank(0, 0, None, book.add_format({"bold": True}))
    with zipfile.ZipFile(content) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheets = [members.pop(path).decode() for path in (SHEET_PATH, ROSTER_PATH)[: 1 + has_roster]]
    styles = [f' s="{number}"' for number in re.findall(r'<c r="[A-Z]+1" s="(\d+)"', sheets[0])]
    pattern = re.compile(r'(.*<dimension ref=")[^"]*("/>.*)<sheetData>.*</sheetData>(.*)', re.DOTALL)
    parts = [found.groups() for xml in sheets if (found := pattern.fullmatch(xml))]
    if len(parts) != len(sheets) or len(styles) != len(formats):
        raise RuntimeError("this XlsxWriter writes a sheet unlike the one known here: pin it to the locked version")
    return _Package(members, tuple(_Frame(*each) for each in parts), styles[0], styles[1], tuple(styles[2:]))


@functools.cache
def column_letters(column: int) -> str:
    """`A` for 0, `AA` for 26."""
    letters = ""
    column += 1
    while column:
        column, digit = divmod(column - 1, 26)
        letters = chr(65 + digit) + letters
    return letters


def _text_cell(letters: str, row: int, text: str, style: str) -> str:
    if not text:
        return f'<c r="{letters}{row}"{style}/>' if style else ""
    return f'<c r="{letters}{row}"{style} t="inlineStr"><is><t>{escape(text)}</t></is></c>'


def _figure_row(cells: Sequence[str], row: int, letters: Sequence[str], mark: str, styles: tuple[str, ...]) -> str:
    """A row of figures: code and name are text, a figure is a number unless it is marked or is no number."""
    parts = []
    for place, text in enumerate(cells):
        if not text:
            continue
        if place < 2 or text[-1] == mark or not (text[-1].isdigit() and text[0] in "-0123456789"):
            parts.append(f'<c r="{letters[place]}{row}" t="inlineStr"><is><t>{text}</t></is></c>')
        else:
            decimals = min(len(text) - text.index(".") - 1 if "." in text else 0, MAX_DECIMALS)
            parts.append(f'<c r="{letters[place]}{row}"{styles[decimals]}><v>{text}</v></c>')
    return f'<row r="{row}">{"".join(parts)}</row>'


def _sheet_xml(grid: Grid, package: _Package, frame: _Frame) -> str:
    width = max(len(row) for row in grid.rows)
    letters = [column_letters(column) for column in range(width)]
    rows = []
    for number, cells in enumerate(grid.rows, start=1):
        if grid.figures_start < number <= grid.figures_end and not grid.are_figures_text:
            rows.append(_figure_row(cells, number, letters, grid.text_mark, package.number))
            continue
        style = package.title if number == 1 else package.header if 2 < number <= grid.figures_start else ""
        body = "".join(_text_cell(letters[place], number, text, style) for place, text in enumerate(cells))
        rows.append(f'<row r="{number}">{body}</row>')
    merges = "".join(
        f'<mergeCell ref="{letters[left]}{top + 1}:{letters[right]}{bottom + 1}"/>'
        for top, left, bottom, right in grid.merges
    )
    merged = f'<mergeCells count="{len(grid.merges)}">{merges}</mergeCells>' if grid.merges else ""
    dimension = f"A1:{letters[-1]}{len(grid.rows)}"
    data = "".join(rows)
    return f"{frame.before}{dimension}{frame.between}<sheetData>{data}</sheetData>{merged}{frame.after}"


def write_sheets(sheets: Sequence[tuple[str, Sequence[Sequence[str | float]]]]) -> bytes:
    """The bytes of a workbook of several sheets, texts and numbers without styles; slow, for the few that need it."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        book.set_properties({"created": dt.datetime(2020, 1, 1)})
        for name, rows in sheets:
            sheet = book.add_worksheet(name)
            for row, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    if isinstance(cell, float):
                        sheet.write_number(row, column, cell)
                    elif cell:
                        sheet.write_string(row, column, cell)
    return content.getvalue()


def write_workbook(grid: Grid, roster: Grid | None = None) -> bytes:
    """The bytes of the workbook; the same grids give the same bytes."""
    content = io.BytesIO()
    package = _package(has_roster=roster is not None)
    grids = [(SHEET_PATH, grid), *([(ROSTER_PATH, roster)] if roster is not None else [])]
    sheets = [
        (path, _sheet_xml(each, package, frame).encode())
        for (path, each), frame in zip(grids, package.frames, strict=True)
    ]
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION_LEVEL) as archive:
        for name, member in [*package.members.items(), *sheets]:
            archive.writestr(zipfile.ZipInfo(name, FIXED_DATE), member, zipfile.ZIP_DEFLATED, COMPRESSION_LEVEL)
    return content.getvalue()
