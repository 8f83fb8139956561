"""What kind of bytes are these? Not here: reading them."""

from __future__ import annotations

from returns.carriers.grid import CarrierKind
from returns.errors import NotAWorkbookError, TooLargeError, UnknownCarrierError, UnreadableTextError

# A province with all its counties is 0.3 MB. JSON can expand to 25 times its bytes in Python objects: 200 MB at most.
MAX_FILE_BYTES = 8 * 1024 * 1024

_HEAD_BYTES = 4096
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old or encrypted Office file (OLE container)"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"\x1f\x8b", "gzip-compressed data"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
)


def sniff_carrier(content: bytes) -> CarrierKind:
    """The carrier of ``content`` by its first bytes; text that is neither markup nor JSON is taken for CSV.

    Raises a :class:`returns.errors.CarrierError` that names what the bytes are where they are no return.
    """
    if len(content) > MAX_FILE_BYTES:
        raise TooLargeError(f"the file has {len(content):,} bytes, a return at most {MAX_FILE_BYTES:,}")
    head = content[:_HEAD_BYTES]
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "workbook"
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            raise UnknownCarrierError(f"the bytes are {name}")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableTextError("the text is UTF-16; returns come in UTF-8 or GB18030")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        raise UnknownCarrierError("the file is empty")
    if start.startswith(b"<"):
        kind = "a web page (HTML)" if b"<html" in head.lower() or b"<!doctype html" in head.lower() else "XML"
        raise NotAWorkbookError(f"the bytes are {kind}, no workbook, CSV or JSON answer")
    if b"\0" in head:
        raise UnknownCarrierError("the bytes are binary data of an unknown kind")
    return "json_pages" if start.startswith((b"{", b"[")) else "csv"
