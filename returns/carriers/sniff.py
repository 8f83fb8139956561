"""What kind of bytes are these? Not here: reading them. The name of a file is never asked: it is wrong too often."""

from __future__ import annotations

from typing import Literal

from returns.carriers.compound import SIGNATURE
from returns.errors import NoTableError, NotAWorkbookError, TooLargeError, UnknownCarrierError, UnreadableTextError

FileKind = Literal["zip", "compound", "html", "xml_workbook", "json", "text"]

# A province with all its counties is 0.3 MB. JSON can expand to 25 times its bytes in Python objects: 200 MB at most.
MAX_FILE_BYTES = 8 * 1024 * 1024
# A ZIP of a ministry's 31 returns, or a workbook with photographs of seals.
MAX_ZIP_BYTES = 32 * 1024 * 1024

_HEAD_BYTES = 4096
_ATTACHMENTS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"{\\rtf", "an RTF document"),
)
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip-compressed data"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"MIME-Version:", "a web archive (MHTML); saved as a workbook or as CSV it can be read"),
)
_HTML_MARKS = (b"<html", b"<!doctype html", b"<table", b"<head", b"<body", b"<meta", b"<div", b"<title", b"<script")
_XML_WORKBOOK_MARK = b"urn:schemas-microsoft-com:office:spreadsheet"


def sniff_carrier(content: bytes) -> FileKind:
    """The kind of ``content`` by its first bytes; text that is neither markup nor JSON is taken for CSV.

    Raises a :class:`returns.errors.CarrierError` that names what the bytes are where they are no return.
    """
    head = content[:_HEAD_BYTES]
    is_zip = head.startswith((b"PK\x03\x04", b"PK\x05\x06"))
    most = MAX_ZIP_BYTES if is_zip else MAX_FILE_BYTES
    if len(content) > most:
        raise TooLargeError(f"the file has {len(content):,} bytes, a return at most {most:,}")
    if is_zip:
        return "zip"
    if head.startswith(SIGNATURE):
        return "compound"
    for signature, name in _ATTACHMENTS:
        if head.startswith(signature):
            raise NoTableError(f"the bytes are {name}")
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            raise UnknownCarrierError(f"the bytes are {name}")
    return _sniff_text(head)


def _sniff_text(head: bytes) -> FileKind:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = _narrow(head)
    while head.startswith(b"\xef\xbb\xbf"):  # exports that went through two programs have two marks
        head = head.removeprefix(b"\xef\xbb\xbf")
    start = head.lstrip()
    if not start:
        raise UnknownCarrierError("the file is empty")
    if start.startswith(b"<"):
        small = start.lower()
        if _XML_WORKBOOK_MARK in small and b"<workbook" in small and b"<html" not in small:
            return "xml_workbook"
        if any(mark in small for mark in _HTML_MARKS):
            return "html"
        raise NotAWorkbookError("the bytes are XML, no workbook, CSV or JSON answer")
    if b"\0" in head:
        raise UnknownCarrierError("the bytes are binary data of an unknown kind")
    if start.startswith((b"{", b"[")):
        return "json"
    return "text"


def _narrow(head: bytes) -> bytes:
    """The first characters of UTF-16 text as UTF-8."""
    try:
        return head[: len(head) // 2 * 2].decode("utf-16", "ignore").encode("utf-8", "ignore")
    except UnicodeDecodeError as error:
        raise UnreadableTextError(f"the text begins like UTF-16 and is not: {error}") from error
