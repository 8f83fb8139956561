"""A workbook's sheets as XML, before calamine sees them: the extent of a sheet, shared texts, and what calamine leaves
out (formulas without a result, error values, hidden rows and columns).

Here: byte searches over parts that :mod:`returns.carriers.package` expanded. Not here: the values of cells.
"""

from __future__ import annotations

import html
import posixpath
import re
import string
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, zip_longest

import numpy as np

from returns.carriers.byte_search import count_pair, has_far_reference, has_pair
from returns.carriers.grid import MAX_GRID_CELLS, column_index
from returns.carriers.percent_cells import STYLES_PART, percent_cells, percent_styles
from returns.errors import HostileFileError, NotAWorkbookError, TooLargeError

MAX_SHARED_TEXT_BYTES = 96 * 1024 * 1024  # real: 300 bytes in 11,000 cells, 3 MB; a census, 50 MB. Twice in memory
MAX_MERGES = 100_000  # a merge costs 250 bytes in Python; real: one for each indicator and title

WORKBOOK_PART = "xl/workbook.xml"
_RELATIONS_PART = "xl/_rels/workbook.xml.rels"
_BLANKS = bytes.maketrans(b"\t\r\n", b"   ")
_LARGE_SHEET_BYTES = 8 * 1024 * 1024  # cells need no reference: a sheet of this size is measured in any case
_ROW_OR_CELL = re.compile(rb"<(?:\w+:)?(row|c)((?:\s[^<>]*?)?)(/?)>")
_PLAIN_CELL = re.compile(rb"<c r=\"([A-Z]{1,3}[0-9]{1,7})\"(?:[^<>]*[^<>/])?>")
_PLAIN_BLANK = re.compile(rb"<c r=\"[A-Z]{1,3}[0-9]{1,7}\"[^<>]*/>")
_REFERENCE = re.compile(rb"\sr\s*=\s*[\"']([A-Za-z]*)(\d+)[\"']")
# Pairs that never miss a formula or an error value, with any name-space prefix, and seldom are anything else.
_MAY_NEED_PATCH = (b"<f", b":f", b'"e', b"'e")
_CELL_START = re.compile(rb"[<:]c(\s[^<>]*)>")
_CELL_END = re.compile(rb"</(?:\w+:)?c>")
_FORMULA = re.compile(rb"<(?:\w+:)?f(?:\s[^<>]*)?(?:/>|>([^<]*))")
_RESULT = re.compile(rb"<(?:\w+:)?v(?:\s[^<>]*)?>([^<]+)")
_IS_EMPTY_TEXT = re.compile(rb"(?:^|\s)t\s*=\s*[\"']str[\"']")
_IS_ERROR = re.compile(rb"(?:^|\s)t\s*=\s*[\"']e[\"']")
_SHEET = re.compile(rb"<(?:\w+:)?sheet\s([^<>]{0,2000})>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s([^<>]{0,2000})>")
_ATTRIBUTE = re.compile(rb"(?<![\w:])([\w:]{1,100})\s*=\s*[\"']([^\"']*)[\"']")
_HIDDEN = re.compile(rb"<(?:\w+:)?(row|col)\s([^<>]*?\bhidden\s*=\s*[\"'](?:1|true)[\"'][^<>]*)>")
_VALUE = re.compile(rb"v(?:\s[^<>]*)?>\s*(\d{1,9}|[^<]*&|<!)")
_MERGE_BYTES = 20  # <mergeCell ref="A1"/>
_TEXT_END = re.compile(rb"</(?:\w+:)?si>|<(?:\w+:)?si/>")
_ODD_TEXT = re.compile(rb"</?(?:\w+:)?si\s")
_LETTERS, _DIGITS = 3, 7  # XFD1048576 is the last cell of a sheet
_MAX_COLUMNS, _MAX_ROWS = 16_384, 1_048_576


@dataclass(frozen=True, slots=True)
class Patch:
    """A cell that calamine would show as blank: a formula without a result (``=…``) or an error (``#DIV/0!``)."""

    row: int
    column: int
    text: str


@dataclass(frozen=True, slots=True)
class SheetNotes:
    """What is known of a sheet besides its values; rows and columns from 0."""

    patches: list[Patch] = field(default_factory=list)
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()


def inspect_sheets(parts: Mapping[str, bytes]) -> dict[str, SheetNotes]:
    """Check the expanded ``parts`` of a workbook; the notes by sheet name, only for sheets that need any.

    Raises a :class:`returns.errors.CarrierError` where a sheet would cost too much, or hides what it costs.
    """
    # By content, since relations may name any part as a sheet.
    sheets = {name: xml for name, xml in parts.items() if b"sheetData" in xml}
    _check_shared_texts(parts, sheets)
    noted = {}
    percents = percent_styles(parts.get(STYLES_PART, b""))
    for name, xml in sheets.items():
        _check_extent(name, xml)
        if len(xml) > _MERGE_BYTES * MAX_MERGES and xml.count(b"mergeCell ") > MAX_MERGES:
            raise TooLargeError(f"sheet part {name!r} merges more than {MAX_MERGES:,} ranges")
        notes = _note(xml, percents)
        if notes is not None:
            noted[name] = notes
    return _by_sheet(parts, noted) if noted else {}


def _check_shared_texts(parts: Mapping[str, bytes], sheets: Mapping[str, bytes]) -> None:
    """calamine copies a shared text into each cell that names it: a long one in many cells would cost gigabytes."""
    shared = [data for name, data in parts.items() if name not in sheets and b"si>" in data]
    if not shared:
        return
    longest = max(max(map(len, data.split(b"si>"))) for data in shared)
    cells = sum(count_pair(xml, b"c>") for xml in sheets.values())
    if longest * cells <= MAX_SHARED_TEXT_BYTES:
        return
    if cells > 2 * MAX_GRID_CELLS:
        raise TooLargeError(f"the workbook has more than {MAX_GRID_CELLS:,} cells")
    # Seldom, and only for large workbooks: add up what the cells name, whatever their type says.
    lengths = _shared_lengths(shared) or [longest]
    total = 0
    for xml in sheets.values():
        for value, times in Counter(_VALUE.findall(xml)).items():
            if not value.isdigit():
                total += longest * times
            elif int(value) < len(lengths):
                total += lengths[int(value)] * times
    if total > MAX_SHARED_TEXT_BYTES or len(lengths) == 1:
        raise TooLargeError(f"the workbook puts a text of {longest:,} bytes into up to {cells:,} cells")


def _shared_lengths(shared: Sequence[bytes]) -> list[int]:
    """The length of each shared text; none where comments or attributes could hide which text is which."""
    if any(b"<!" in data or _ODD_TEXT.search(data) for data in shared):
        return []
    lengths = [[len(text) for text in _TEXT_END.split(data)] for data in shared]
    return [max(each) for each in zip_longest(*lengths, fillvalue=0)]


def _check_extent(name: str, xml: bytes) -> None:
    """calamine lays a sheet out densely: one cell far away would cost gigabytes, so its box is measured before."""
    # Cells stand within sheetData only (unclosed, calamine refuses it); widths and margins around it have many digits.
    # Without a reference beyond column ZZ or row 999 the box has at most 701,298 cells.
    first, last = xml.find(b"sheetData"), xml.rfind(b"sheetData")
    if len(xml) < _LARGE_SHEET_BYTES and not has_far_reference(xml, first, last):
        return
    rows, columns = _plain_extent(xml, first, last) or _measured_extent(name, xml)
    if rows * columns > MAX_GRID_CELLS:
        raise TooLargeError(
            f"sheet part {name!r} reaches to row {rows:,}, column {columns:,}: more than {MAX_GRID_CELLS:,} cells"
        )


def _plain_extent(xml: bytes, first: int, last: int) -> tuple[int, int] | None:
    """(last row, last column) of a sheet whose every cell begins with its reference, as spreadsheets write them; None for
    others.

    In bulk, since a census has half a million cells, and blank styled ones may go on for a million rows.
    """
    count = xml.count(b"<c", first, last)
    if not count or xml.find(b":c", first, last) >= 0 or xml.find(b"<!", first, last) >= 0:
        return None
    blank = sum(1 for _ in _PLAIN_BLANK.finditer(xml, first, last))
    if count - blank > 2 * MAX_GRID_CELLS:
        return None
    references = _PLAIN_CELL.findall(xml, first, last)
    if len(references) + blank != count:
        return None
    if not references:
        return 0, 0
    joined = b" ".join(references)
    letters = set(joined.translate(None, string.digits.encode()).split())
    rows = np.fromstring(joined.translate(None, string.ascii_letters.encode()), np.int64, sep=" ")
    return int(rows.max()), max(column_index(each.decode()) for each in letters) + 1


def _measured_extent(name: str, xml: bytes) -> tuple[int, int]:
    """(last row, last column) of any sheet, tag by tag; blank cells do not count."""
    last_row = last_column = row = column = 0
    for match in _ROW_OR_CELL.finditer(xml):
        tag, attributes, closed = match.groups()
        if attributes.count(b'"') % 2 or attributes.count(b"'") % 2:
            raise HostileFileError(f"sheet part {name!r} hides a reference behind a quoted bracket")
        stated_row, stated_column = _locate(attributes)
        if tag == b"row":
            row, column = stated_row or row + 1, 0
            continue
        column = stated_column or column + 1
        # Blank styled cells down to row 1,048,576 are common and harmless: calamine leaves them out.
        if not closed:
            last_row = max(last_row, stated_row or row)
            last_column = max(last_column, column)
    return last_row, last_column


def _locate(attributes: bytes) -> tuple[int, int]:
    """(row, column) of a reference among attributes, both from 1; 0 where it has none."""
    reference = _REFERENCE.search(attributes)
    if reference is None:
        return 0, 0
    if len(reference[1]) > _LETTERS or len(reference[2]) > _DIGITS:
        raise HostileFileError(f"a cell of the workbook refers to {reference[0][:40]!r}, beyond any sheet")
    return int(reference[2]), column_index(reference[1].decode()) + 1


def _note(xml: bytes, percents: frozenset[bytes]) -> SheetNotes | None:
    """Patches and hidden rows and columns of one sheet; None where there are none, as in nearly every sheet."""
    patches = _find_patches(xml) if has_pair(xml, *_MAY_NEED_PATCH) else []
    if percents and any(b's="' + style + b'"' in xml or b"s='" + style + b"'" in xml for style in percents):
        patches += _percent_patches(xml, percents)
    if not has_pair(xml, b"hi") or b"hidden" not in xml:
        return SheetNotes(patches) if patches else None
    rows, columns = _find_hidden(xml)
    return SheetNotes(patches, rows, columns)


def _find_hidden(xml: bytes) -> tuple[frozenset[int], frozenset[int]]:
    rows: set[int] = set()
    columns = bytearray(_MAX_COLUMNS)
    found: Iterator[re.Match[bytes]] = _HIDDEN.finditer(xml)
    for match in islice(found, _MAX_ROWS):
        told = dict(_ATTRIBUTE.findall(match[2]))
        if match[1] == b"row":
            number = told.get(b"r", b"")
            if number.isdigit() and len(number) <= _DIGITS:
                rows.add(int(number) - 1)
            continue
        first, last = told.get(b"min", b""), told.get(b"max", b"")
        if first.isdigit() and last.isdigit() and max(len(first), len(last)) <= _DIGITS:
            stop = min(int(last), _MAX_COLUMNS)
            columns[int(first) - 1 : stop] = b"\1" * max(0, stop - int(first) + 1)
    return frozenset(rows), frozenset(place for place, is_hidden in enumerate(columns) if is_hidden)


def _find_patches(xml: bytes) -> list[Patch]:
    patches = []
    # Cut at each </c>: its cell is the last one opened before it. One pass, whatever a hostile sheet leaves open.
    for chunk in _CELL_END.split(xml.translate(_BLANKS))[:-1]:
        start = max(chunk.rfind(b"<c "), chunk.rfind(b":c "))
        opened = _CELL_START.match(chunk, start) if start >= 0 else None
        if opened is None:
            continue
        attributes, formula, result = (
            opened[1],
            _FORMULA.search(chunk, opened.end()),
            _RESULT.search(chunk, opened.end()),
        )
        if _IS_ERROR.search(attributes):
            text = _to_text(result[1]) if result else "#ERROR"
        elif formula and not result and not _IS_EMPTY_TEXT.search(attributes):
            text = "=" + _to_text(formula[1] or b"")
        else:
            continue
        row, column = _locate(attributes)
        if not row or not column:
            raise NotAWorkbookError("a formula or error cell of the workbook has no reference")
        patches.append(Patch(row - 1, column - 1, text))
    return patches


def _percent_patches(xml: bytes, styles: frozenset[bytes]) -> list[Patch]:
    """Percentages as they are seen. A cell without a reference cannot be placed, and is then no file of a spreadsheet."""
    patches = []
    for attributes, text in percent_cells(xml, styles):
        row, column = _locate(attributes)
        if not row or not column:
            raise NotAWorkbookError("a percentage of the workbook has no reference")
        patches.append(Patch(row - 1, column - 1, text))
    return patches


def _to_text(xml: bytes) -> str:
    return html.unescape(xml.decode("utf-8", "replace"))


def _by_sheet(parts: Mapping[str, bytes], noted: Mapping[str, SheetNotes]) -> dict[str, SheetNotes]:
    """Notes by the sheet's name, through the workbook's relations."""
    targets = {}
    for text in _RELATION.findall(parts.get(_RELATIONS_PART, b"")):
        relation = dict(_ATTRIBUTE.findall(text))
        target = relation.get(b"Target", b"").decode("utf-8", "replace")
        part = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
        targets[relation.get(b"Id", b"")] = part
    named = {}
    for text in _SHEET.findall(parts[WORKBOOK_PART]):
        sheet = dict(_ATTRIBUTE.findall(text))
        relation_id = next((value for key, value in sheet.items() if key.endswith(b":id")), b"")
        if notes := noted.get(targets.get(relation_id, "")):
            named[_to_text(sheet.get(b"name", b""))] = notes
    if len(named) != len(noted):
        raise NotAWorkbookError("the workbook's sheets and their parts do not match")
    return named
