"""Carriers: from the bytes of one return to a :class:`Grid`, judged by the bytes and never by the file's name.

Here: sniffing, the guards against hostile files, one module a carrier. Not here: what stands where (layouts).

=========  ============================================================================================
bytes      read by
=========  ============================================================================================
ZIP        :mod:`.package` opens it; :mod:`.workbook` if it is an ``.xlsx``, :mod:`.zips` if it holds returns
OLE        :mod:`.compound` and :mod:`.biff` guard, :mod:`.workbook` reads ``.xls``
markup     :mod:`.html_tables`, :mod:`.xml_workbook`
JSON       :mod:`.answers`, then :mod:`.pages` or :mod:`.statistics`
text       :mod:`.text`
=========  ============================================================================================
"""

from __future__ import annotations

from returns.carriers.allowance import Allowance
from returns.carriers.answers import read_answer
from returns.carriers.grid import CarrierKind, Grid, Sheet
from returns.carriers.html_tables import read_html
from returns.carriers.package import open_package
from returns.carriers.sheet_xml import WORKBOOK_PART
from returns.carriers.sniff import MAX_FILE_BYTES, MAX_ZIP_BYTES, sniff_carrier
from returns.carriers.text import read_text
from returns.carriers.workbook import read_old_workbook, read_workbook
from returns.carriers.xml_workbook import read_xml_workbook
from returns.carriers.zips import read_zip
from returns.errors import CarrierError, HostileFileError, NoTableError, NotAWorkbookError

__all__ = ["MAX_FILE_BYTES", "MAX_ZIP_BYTES", "CarrierKind", "Grid", "Sheet", "read_grid", "sniff_carrier"]

_NESTED_ZIPS = 1  # a ZIP in a ZIP is an office's habit, one more is a bomb's
_DOCUMENT_PARTS = {"word/document.xml": "a Word document (.docx)", "ppt/presentation.xml": "a presentation (.pptx)"}
_UNREAD_PARTS = {
    "xl/workbook.bin": "a binary workbook (.xlsb)",
    "META-INF/manifest.xml": "an OpenDocument file (.ods)",
}


def read_grid(content: bytes, *, file_name: str = "", encoding: str | None = None) -> Grid | CarrierError:
    """The grid that ``content`` holds, or the error that names what it is instead. Never raises for any bytes.

    ``encoding`` is what the platform's register says of its texts; it counts where the bytes leave it open.
    ``file_name`` decides nothing: a name that promises another kind of file than the bytes are is named in an error.
    """
    try:
        return _read(content, encoding, Allowance(), 0)
    except CarrierError as error:
        return _mention_name(error, file_name)


def _read(content: bytes, encoding: str | None, allowance: Allowance, depth: int) -> Grid:
    kind = sniff_carrier(content)
    if kind == "zip":
        return _read_package(content, encoding, allowance, depth)
    if kind == "compound":
        return read_old_workbook(content, allowance)
    if kind == "html":
        return read_html(content, allowance, encoding)
    if kind == "xml_workbook":
        return read_xml_workbook(content, allowance)
    if kind == "json":
        return read_answer(content, encoding)
    return read_text(content, allowance, encoding)


def _read_package(content: bytes, encoding: str | None, allowance: Allowance, depth: int) -> Grid:
    members = open_package(content)
    if WORKBOOK_PART in members:
        return read_workbook(content, members, allowance)
    for part, name in _DOCUMENT_PARTS.items():
        if part in members:
            raise NoTableError(f"the bytes are {name}")
    for part, name in _UNREAD_PARTS.items():
        if part in members:
            raise NotAWorkbookError(f"the bytes are {name}, which is not read: .xlsx and .xls are")
    if depth > _NESTED_ZIPS:
        raise HostileFileError("a ZIP stands in a ZIP that stands in a ZIP")
    return read_zip(content, members, lambda member: _read(member, encoding, allowance, depth + 1), allowance)


def _mention_name(error: CarrierError, file_name: str) -> CarrierError:
    """The error, with the file's name where that promises a workbook: what a person at the office sees is the name."""
    ending = file_name.rpartition(".")[2].lower()
    if ending in ("xls", "xlsx", "csv", "zip", "json") and error.reason in ("not_a_workbook", "unknown_carrier"):
        return type(error)(f"{error.explanation} (the file is named .{ending})")
    return error
