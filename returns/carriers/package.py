"""Opening the ZIP of a workbook without trusting it: every part is expanded once, within limits, before calamine is.

Here: names, declared and actual sizes, XML entities, the extent of a sheet, and what calamine leaves out (formulas
without a result, error values). Not here: reading the cells.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from dataclasses import dataclass

from returns.carriers.grid import MAX_GRID_CELLS
from returns.errors import HostileFileError, NotAWorkbookError, TooLargeError

MAX_PARTS = 500
# The largest real sheet (183 counties × 60 columns) expands to 0.6 MB.
MAX_EXPANDED_BYTES = 64 * 1024 * 1024

_LOCAL_HEADER_BYTES = 30
_WORKBOOK_PART = "xl/workbook.xml"
_ENTITY = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
# A reference beyond column ZZ or row 99,999: rare enough that only then all references are measured.
_FAR_REFERENCE = re.compile(rb"\sr\s*=\s*[\"'](?:[A-Za-z]{3,}\d|[A-Za-z]*\d{6,})")
_ROW_OR_CELL = re.compile(rb"<(?:\w+:)?(row|c)((?:\s[^<>]*?)?)(/?)>")
_REFERENCE = re.compile(rb"\sr\s*=\s*[\"']([A-Za-z]*)(\d+)[\"']")
_NEEDS_PATCH = re.compile(rb"<(?:\w+:)?f[\s/>]|\st\s*=\s*[\"']e[\"']")
_CELL = re.compile(rb"<(?:\w+:)?c\s([^<>]*?)(?<!/)>(.*?)</(?:\w+:)?c>", re.DOTALL)
_FORMULA = re.compile(rb"<(?:\w+:)?f(?:\s[^<>]*)?(?:/>|>(.*?)</(?:\w+:)?f>)", re.DOTALL)
_RESULT = re.compile(rb"<(?:\w+:)?v(?:\s[^<>]*)?>(.+?)</(?:\w+:)?v>", re.DOTALL)
_IS_ERROR = re.compile(rb"(?:^|\s)t\s*=\s*[\"']e[\"']")
_SHEET = re.compile(rb"<(?:\w+:)?sheet\s([^<>]*)>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s([^<>]*)>")
_ATTRIBUTE = re.compile(rb"([\w:]+)\s*=\s*[\"']([^\"']*)[\"']")


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
        raise NotAWorkbookError(f"the bytes begin like a workbook, but the ZIP is broken or cut off: {error}") from error
    _check_names(entries)
    parts = _expand(content, entries)
    if _WORKBOOK_PART not in parts:
        raise NotAWorkbookError("the bytes are a ZIP archive that holds no workbook")
    patched: dict[str, list[Patch]] = {}
    for name, xml in parts.items():
        if name.startswith("xl/worksheets/") and name.endswith(".xml"):
            _check_extent(name, xml)
            if _NEEDS_PATCH.search(xml) and (patches := _find_patches(xml)):
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
        raise TooLargeError(f"the workbook declares {declared:,} bytes expanded, at most {MAX_EXPANDED_BYTES:,} are read")
    parts = {}
    for entry in entries:
        data = _expand_part(content, entry)
        if entry.filename.endswith((".xml", ".rels", ".vml")):
            if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:64]:
                raise NotAWorkbookError(f"part {entry.filename!r} of the workbook is not UTF-8")
            if _ENTITY.search(data):
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
        raise HostileFileError(f"part {entry.filename!r} expands to more than the {entry.file_size:,} bytes it declares")
    if len(data) < entry.file_size or zlib.crc32(data) != entry.CRC:
        raise NotAWorkbookError(f"part {entry.filename!r} of the workbook is damaged or cut off")
    return data


def _check_extent(name: str, xml: bytes) -> None:
    """calamine lays a sheet out densely: one cell far away would cost gigabytes, so its box is measured before."""
    if not _FAR_REFERENCE.search(xml):
        return
    last_row = last_column = row_number = 1
    for tag, attributes, closed in _ROW_OR_CELL.findall(xml):
        reference = _REFERENCE.search(attributes)
        if tag == b"row":
            row_number = int(reference[2]) if reference else row_number + 1
        elif not closed:
            # Blank styled cells down to row 1,048,576 are common and harmless: calamine leaves them out.
            row = int(reference[2]) if reference else row_number
            last_row = max(last_row, row)
            last_column = max(last_column, _column_number(reference[1]) if reference else 1)
    if last_row * last_column > MAX_GRID_CELLS:
        raise TooLargeError(
            f"sheet part {name!r} reaches to row {last_row:,}, column {last_column:,}: "
            f"more than {MAX_GRID_CELLS:,} cells"
        )


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _find_patches(xml: bytes) -> list[Patch]:
    patches = []
    for attributes, body in _CELL.findall(xml):
        formula, result = _FORMULA.search(body), _RESULT.search(body)
        if _IS_ERROR.search(attributes):
            text = result[1].decode("utf-8", "replace") if result else "#ERROR"
        elif formula and not result:
            text = "=" + (formula[1] or b"").decode("utf-8", "replace")
        else:
            continue
        reference = _REFERENCE.search(b" " + attributes)
        if reference is None or not reference[1]:
            raise NotAWorkbookError("a formula or error cell of the workbook has no reference")
        patches.append(Patch(int(reference[2]) - 1, _column_number(reference[1]) - 1, text))
    return patches


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
            named[sheet.get(b"name", b"").decode("utf-8", "replace")] = patches
    if len(named) != len(patched):
        raise NotAWorkbookError("the workbook's sheets and their parts do not match")
    return named
