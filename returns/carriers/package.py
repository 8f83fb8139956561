"""Opening the ZIP of a workbook without trusting it: every part is expanded once, within limits, before calamine is.

Here: names, declared and actual sizes, XML entities, the extent of a sheet, and what calamine leaves out (formulas
without a result, error values). Not here: reading the cells.
"""

from __future__ import annotations

import html
import io
import posixpath
import re
import string
import zipfile
import zlib
from dataclasses import dataclass

from returns.carriers.grid import MAX_GRID_CELLS
from returns.errors import HostileFileError, NotAWorkbookError, TooLargeError

MAX_PARTS = 500
# The largest real sheet (183 counties × 60 columns) expands to 0.6 MB.
MAX_EXPANDED_BYTES = 64 * 1024 * 1024
MAX_SHARED_TEXT_BYTES = 128 * 1024 * 1024  # real: 300 bytes in 11,000 cells, 3 MB

_LOCAL_HEADER_BYTES = 30
_WORKBOOK_PART = "xl/workbook.xml"
_ENTITY = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
# Letters to A, digits to 1, quotes to ": two plain searches tell whether any reference lies beyond column ZZ or row
# 999, ten times faster than a regular expression over all references. Without any, the box has at most 701,298 cells.
_SHAPES = bytes.maketrans(string.ascii_letters.encode() + string.digits.encode() + b"'", b"A" * 52 + b"1" * 10 + b'"')
_BLANKS = bytes.maketrans(b"\t\r\n", b"   ")
_FAR_SHAPES = (b"AAA1", b'1111"')
_LARGE_SHEET_BYTES = 8 * 1024 * 1024  # cells need no reference: a sheet of this size is measured in any case
_ROW_OR_CELL = re.compile(rb"<(?:\w+:)?(row|c)((?:\s[^<>]*?)?)(/?)>")
_REFERENCE = re.compile(rb"\sr\s*=\s*[\"']([A-Za-z]*)(\d+)[\"']")
# Plain searches that never miss a formula or an error value, with any name-space prefix, and seldom find anything else.
_MAY_NEED_PATCH = (b"<f", b":f", b'"e"', b"'e'")
_CELL_START = re.compile(rb"[<:]c(\s[^<>]*)>")
_CELL_END = re.compile(rb"</(?:\w+:)?c>")
_FORMULA = re.compile(rb"<(?:\w+:)?f(?:\s[^<>]*)?(?:/>|>([^<]*))")
_RESULT = re.compile(rb"<(?:\w+:)?v(?:\s[^<>]*)?>([^<]+)")
_IS_EMPTY_TEXT = re.compile(rb"(?:^|\s)t\s*=\s*[\"']str[\"']")
_IS_ERROR = re.compile(rb"(?:^|\s)t\s*=\s*[\"']e[\"']")
_SHEET = re.compile(rb"<(?:\w+:)?sheet\s([^<>]{0,2000})>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s([^<>]{0,2000})>")
_ATTRIBUTE = re.compile(rb"(?<![\w:])([\w:]{1,100})\s*=\s*[\"']([^\"']*)[\"']")
_LETTERS, _DIGITS = 3, 7  # XFD1048576 is the last cell of a sheet


@dataclass(frozen=True, slots=True)
class Patch:
    """A cell that calamine would show as blank: a formula without a result (``=…``) or an error (``#DIV/0!``)."""

    row: int
    column: int
    text: str


def inspect_package(content: bytes) -> dict[str, list[Patch]]:
    """Check the ZIP package of a workbook; the patches by sheet name (only for sheets that need any).

    Raises a :class:`returns.errors.CarrierError` where the package is no workbook, hostile or too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            entries = package.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, UnicodeDecodeError) as error:
        raise NotAWorkbookError(f"the bytes begin like a workbook, but the ZIP is cut off or broken: {error}") from None
    _check_names(entries)
    parts = _expand(content, entries)
    if _WORKBOOK_PART not in parts:
        raise NotAWorkbookError("the bytes are a ZIP archive that holds no workbook")
    patched: dict[str, list[Patch]] = {}
    # By content, since relations may name any part as a sheet.
    sheets = {name: xml for name, xml in parts.items() if b"sheetData" in xml}
    _check_shared_texts(parts, sheets)
    for name, xml in sheets.items():
        _check_extent(name, xml)
        if any(mark in xml for mark in _MAY_NEED_PATCH) and (patches := _find_patches(xml)):
            patched[name] = patches
    return _by_sheet(parts, patched) if patched else {}


def _check_names(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_PARTS:
        raise HostileFileError(f"the workbook has {len(entries):,} parts, a real one at most {MAX_PARTS}")
    seen = set()
    for entry in entries:
        name = entry.filename.replace("\\", "/")
        if name.startswith("/") or ".." in name.split("/") or re.match(r"[A-Za-z]:", name):
            raise HostileFileError(f"part {entry.filename!r} of the workbook points outside of it")
        if name.lower() in seen:
            raise HostileFileError(f"part {entry.filename!r} stands twice in the workbook")
        if entry.flag_bits & 0x1:
            raise NotAWorkbookError(f"part {entry.filename!r} of the workbook is encrypted")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise NotAWorkbookError(f"part {entry.filename!r} of the workbook is compressed in an unknown way")
        seen.add(name.lower())


def _expand(content: bytes, entries: list[zipfile.ZipInfo]) -> dict[str, bytes]:
    """Every part's actual bytes, by name; XML parts are checked for entities."""
    declared = sum(entry.file_size for entry in entries)
    if declared > MAX_EXPANDED_BYTES:
        raise TooLargeError(f"the workbook expands to {declared:,} bytes, at most {MAX_EXPANDED_BYTES:,} are read")
    parts = {}
    for entry in entries:
        data = _expand_part(content, entry)
        if entry.filename.endswith((".xml", ".rels")) and data.startswith((b"\xff\xfe", b"\xfe\xff", b"\0", b"<\0")):
            raise NotAWorkbookError(f"part {entry.filename!r} of the workbook is not UTF-8")
        if b"<!" in data and _ENTITY.search(data):
            raise HostileFileError(f"part {entry.filename!r} of the workbook declares XML entities")
        parts[entry.filename] = data
    return parts


def _expand_part(content: bytes, entry: zipfile.ZipInfo) -> bytes:
    """The bytes of one part; ``zipfile`` would stop at the declared size, other readers do not, so this expands all."""
    header = content[entry.header_offset : entry.header_offset + _LOCAL_HEADER_BYTES]
    if len(header) < _LOCAL_HEADER_BYTES or not header.startswith(b"PK\x03\x04"):
        raise NotAWorkbookError(f"part {entry.filename!r} of the workbook is cut off")
    start = entry.header_offset + _LOCAL_HEADER_BYTES
    start += int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    data = content[start : start + entry.compress_size]
    if entry.compress_type == zipfile.ZIP_DEFLATED:
        try:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, entry.file_size + 1)
        except zlib.error as error:
            raise NotAWorkbookError(f"part {entry.filename!r} of the workbook is damaged: {error}") from error
    if len(data) > entry.file_size:
        raise HostileFileError(f"part {entry.filename!r} expands to more than its declared {entry.file_size:,} bytes")
    if len(data) < entry.file_size or zlib.crc32(data) != entry.CRC:
        raise NotAWorkbookError(f"part {entry.filename!r} of the workbook is damaged or cut off")
    return data


def _check_shared_texts(parts: dict[str, bytes], sheets: dict[str, bytes]) -> None:
    """calamine copies a shared text into each cell that names it: a long one in many cells would cost gigabytes."""
    texts = [data for name, data in parts.items() if name not in sheets and b"si>" in data]
    longest = max((max(map(len, data.split(b"si>"))) for data in texts), default=0)
    cells = sum(xml.count(b"c>") for xml in sheets.values())
    if longest * cells > MAX_SHARED_TEXT_BYTES:
        raise TooLargeError(f"the workbook puts a text of {longest:,} bytes into up to {cells:,} cells")


def _check_extent(name: str, xml: bytes) -> None:
    """calamine lays a sheet out densely: one cell far away would cost gigabytes, so its box is measured before."""
    # Cells stand within sheetData only (unclosed, calamine refuses it); widths and margins around it have many digits.
    shapes = xml[xml.find(b"sheetData") : xml.rfind(b"sheetData")].translate(_SHAPES)
    if len(xml) < _LARGE_SHEET_BYTES and not any(shape in shapes for shape in _FAR_SHAPES):
        return
    last_row = last_column = row = column = 0
    for tag, attributes, closed in _ROW_OR_CELL.findall(xml):
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
    if last_row * last_column > MAX_GRID_CELLS:
        raise TooLargeError(
            f"sheet part {name!r} reaches to row {last_row:,}, column {last_column:,}: "
            f"more than {MAX_GRID_CELLS:,} cells"
        )


def _locate(attributes: bytes) -> tuple[int, int]:
    """(row, column) of a reference among attributes, both from 1; 0 where it has none."""
    reference = _REFERENCE.search(attributes)
    if reference is None:
        return 0, 0
    if len(reference[1]) > _LETTERS or len(reference[2]) > _DIGITS:
        raise HostileFileError(f"a cell of the workbook refers to {reference[0][:40]!r}, beyond any sheet")
    column = 0
    for letter in reference[1].upper():
        column = column * 26 + letter - 64
    return int(reference[2]), column


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


def _to_text(xml: bytes) -> str:
    return html.unescape(xml.decode("utf-8", "replace"))


def _by_sheet(parts: dict[str, bytes], patched: dict[str, list[Patch]]) -> dict[str, list[Patch]]:
    """Patches by the sheet's name, through the workbook's relations."""
    targets = {}
    for text in _RELATION.findall(parts.get("xl/_rels/workbook.xml.rels", b"")):
        relation = dict(_ATTRIBUTE.findall(text))
        target = relation.get(b"Target", b"").decode("utf-8", "replace")
        part = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
        targets[relation.get(b"Id", b"")] = part
    named = {}
    for text in _SHEET.findall(parts[_WORKBOOK_PART]):
        sheet = dict(_ATTRIBUTE.findall(text))
        relation_id = next((value for key, value in sheet.items() if key.endswith(b":id")), b"")
        if patches := patched.get(targets.get(relation_id, "")):
            named[_to_text(sheet.get(b"name", b""))] = patches
    if len(named) != len(patched):
        raise NotAWorkbookError("the workbook's sheets and their parts do not match")
    return named
