"""An old workbook (`.xls`, BIFF8): the records of its sheets and the compound file around them.

What is here: as much of the format as a sheet of texts and numbers needs ([MS-XLS] 2.4, [MS-CFB] 2.2). What is not here:
styles, merged cells, formulas; and what stands in the rows (`printing`).
"""

import struct
from collections.abc import Iterator, Sequence

SECTOR = 512
END_OF_CHAIN, FREE, FAT_SECTOR = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
SMALLEST_STREAM = 4096
"""Shorter streams live in another part of the file; ours is filled up to this length instead."""
BOF, EOF, CODEPAGE, BOUNDSHEET, DIMENSIONS, NUMBER, LABEL = 0x809, 0x0A, 0x42, 0x85, 0x200, 0x203, 0x204
GLOBALS, SHEET = 0x0005, 0x0010

Rows = Sequence[Sequence[str | float]]


def _record(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _begin(kind: int) -> bytes:
    return _record(BOF, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 0x07CC, 0x41, 0x06))


def _cells(rows: Rows) -> Iterator[bytes]:
    for row, texts in enumerate(rows):
        for column, text in enumerate(texts):
            if isinstance(text, float):
                yield _record(NUMBER, struct.pack("<HHHd", row, column, 0, text))
            elif text:
                encoded = text.encode("utf-16-le")
                yield _record(LABEL, struct.pack("<HHHHB", row, column, 0, len(encoded) // 2, 1) + encoded)


def _sheet(rows: Rows) -> bytes:
    size = struct.pack("<IIHHH", 0, len(rows), 0, max(map(len, rows), default=0), 0)
    return b"".join([_begin(SHEET), _record(DIMENSIONS, size), *_cells(rows), _record(EOF)])


def _book(sheets: Sequence[tuple[str, Rows]]) -> bytes:
    """The workbook's stream: globals that say where each sheet begins, then the sheets."""
    bodies = [_sheet(rows) for _, rows in sheets]
    head = _begin(GLOBALS) + _record(CODEPAGE, struct.pack("<H", 1200))
    names = [name.encode("utf-16-le") for name, _ in sheets]
    place = len(head) + sum(4 + 8 + len(name) for name in names) + len(_record(EOF))
    listed = b""
    for name, body in zip(names, bodies, strict=True):
        listed += _record(BOUNDSHEET, struct.pack("<IBBBB", place, 0, 0, len(name) // 2, 1) + name)
        place += len(body)
    return b"".join([head, listed, _record(EOF), *bodies])


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    """One entry of the compound file's directory; `kind` 5 is the root, 2 a stream, 0 none."""
    encoded = name.encode("utf-16-le")
    length = len(encoded) + 2 if name else 0
    head = struct.pack("<64sHBBIII", encoded, length, kind, 1, FREE, FREE, child)
    return head + bytes(36) + struct.pack("<IQ", start, size)


def write_xls(sheets: Sequence[tuple[str, Rows]]) -> bytes:
    """The bytes of an old workbook; a `float` is a number, a text is text; the same sheets give the same bytes."""
    stream = _book(sheets).ljust(SMALLEST_STREAM, b"\0")
    data = stream.ljust(-(-len(stream) // SECTOR) * SECTOR, b"\0")
    sectors = len(data) // SECTOR
    tables = 1
    while tables * SECTOR // 4 < sectors + 1 + tables:
        tables += 1
    chain = [*range(1, sectors), END_OF_CHAIN, END_OF_CHAIN, *[FAT_SECTOR] * tables]
    chain += [FREE] * (tables * SECTOR // 4 - len(chain))
    none = _entry("", 0, FREE, 0, 0)
    directory = _entry("Root Entry", 5, 1, END_OF_CHAIN, 0) + _entry("Workbook", 2, FREE, 0, len(stream)) + none * 2
    where = [sectors + 1 + table for table in range(tables)]
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, tables, sectors, 0, SMALLEST_STREAM, END_OF_CHAIN, 0, END_OF_CHAIN, 0)
    header += struct.pack("<109I", *where, *[FREE] * (109 - tables))
    return header + data + directory + struct.pack(f"<{len(chain)}I", *chain)
