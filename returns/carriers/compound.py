"""OLE compound files, the container of ``.xls``: taking out the one stream that matters, without trusting any number.

Here: sector chains (circles, lies about sizes), the directory, what else than a workbook the file may be. Not here: the
records of the workbook (:mod:`returns.carriers.biff`). The format is [MS-CFB].
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from returns.errors import EncryptedFileError, HostileFileError, NoTableError, NotAWorkbookError, UnknownCarrierError

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_HEADER_BYTES = 512
_ENTRY_BYTES = 128
_MINI_SECTOR_BYTES = 64
_SHIFTS = (9, 12)
_END, _FREE, _LAST_SECTOR = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFA
_FAT_SECTOR = 0xFFFFFFFD
_ROOT, _STREAM = 5, 2
_MAX_ENTRIES = 4_096  # a workbook has some ten; macros and embedded pictures make hundreds
_WORKBOOK_STREAMS = ("workbook", "book")
_ENCRYPTED_STREAMS = ("encryptedpackage", "encryptioninfo")
_OTHERS = {
    "worddocument": "a Word document (.doc)",
    "powerpoint document": "a presentation (.ppt)",
    "__properties_version1.0": "a mail message (.msg)",
}

Sectors = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of the directory: its name in small letters, where it begins and how long it says it is."""

    name: str
    kind: int
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class _Container:
    """The bytes of a compound file, its sector size, and which sector follows which."""

    content: bytes
    sector_bytes: int
    next_sector: Sectors

    def read_chain(self, start: int, size: int, what: str) -> bytes:
        """At most ``size`` bytes of the chain that begins at ``start``; at least that many, or an error."""
        if size > len(self.content):
            text = f"{what} says it has {size:,} bytes in a file of {len(self.content):,}"
            raise HostileFileError(text)
        wanted = -(-size // self.sector_bytes)
        pieces = [self._sector(sector) for sector in _follow(self.next_sector, start, wanted, what)]
        data = b"".join(pieces)[:size]
        if len(data) < size:
            raise NotAWorkbookError(f"{what} is cut off: {len(data):,} of {size:,} bytes are there")
        return data

    def read_all(self, start: int, most: int, what: str) -> bytes:
        """The whole chain that begins at ``start``, of at most ``most`` bytes."""
        sectors = _follow(self.next_sector, start, most // self.sector_bytes, what)
        return b"".join(self._sector(sector) for sector in sectors)

    def _sector(self, number: int) -> bytes:
        offset = (number + 1) * self.sector_bytes
        return self.content[offset : offset + self.sector_bytes]


def open_compound(content: bytes) -> bytes:
    """The stream of the workbook.

    Raises a :class:`returns.errors.CarrierError` that names what the file is instead: encrypted, another program's, broken
    or hostile.
    """
    container = _open(content)
    (directory_start,) = struct.unpack_from("<I", content, 48)
    directory = container.read_all(directory_start, _MAX_ENTRIES * _ENTRY_BYTES, "the directory of the file")
    entries = _list_entries(directory, container.sector_bytes)
    by_name = {entry.name: entry for entry in entries if entry.kind == _STREAM}
    if any(name in by_name for name in _ENCRYPTED_STREAMS):
        raise EncryptedFileError("the workbook is encrypted: it opens with a password only")
    found = next((by_name[name] for name in _WORKBOOK_STREAMS if name in by_name), None)
    if found is None:
        kind = next((text for name, text in _OTHERS.items() if name in by_name), "")
        if kind:
            raise NoTableError(f"the bytes are {kind}")
        raise UnknownCarrierError("the bytes are an old Office file without a workbook")
    return _read_stream(container, found, entries)


def _open(content: bytes) -> _Container:
    if len(content) < _HEADER_BYTES:
        raise NotAWorkbookError("the old Office file is cut off within its first 512 bytes")
    (shift,) = struct.unpack_from("<H", content, 30)
    if shift not in _SHIFTS:
        raise NotAWorkbookError(f"the old Office file has sectors of 2^{shift} bytes, which no program writes")
    sector_bytes = 1 << shift
    listed = list(struct.unpack_from("<109I", content, 76))
    (more,) = struct.unpack_from("<I", content, 68)
    seen = 0
    sectors = len(content) // sector_bytes
    while more < _LAST_SECTOR:  # files beyond 7 MB list the rest of their tables in a chain
        seen += 1
        offset = (more + 1) * sector_bytes
        if seen > sectors or offset + sector_bytes > len(content):
            raise HostileFileError("the old Office file's list of tables runs in a circle, or out of the file")
        *some, more = struct.unpack_from(f"<{sector_bytes // 4}I", content, offset)
        listed.extend(some)
    tables = [number for number in listed if number < _LAST_SECTOR]
    if len(tables) > sectors or len(set(tables)) != len(tables):
        raise HostileFileError("the old Office file lists a table of sectors twice")
    pieces = [content[(number + 1) * sector_bytes : (number + 2) * sector_bytes] for number in tables]
    joined = b"".join(pieces)
    return _Container(content, sector_bytes, np.frombuffer(joined[: len(joined) // 4 * 4], "<u4"))


def _follow(next_sector: Sectors, start: int, wanted: int, what: str) -> list[int]:
    """The sectors of a chain, at most ``wanted``; a circle is longer than the table of sectors."""
    chain: list[int] = []
    sector = start
    seen: set[int] = set()
    while sector != _END and len(chain) < wanted:
        if sector >= len(next_sector):
            raise NotAWorkbookError(f"{what} points to sector {sector:,}, which the file does not have")
        if sector in seen:
            raise HostileFileError(f"{what} runs in a circle of sectors")
        seen.add(sector)
        chain.append(sector)
        sector = int(next_sector[sector])
    return chain


def _list_entries(directory: bytes, sector_bytes: int) -> list[_Entry]:
    entries = []
    for offset in range(0, len(directory) - _ENTRY_BYTES + 1, _ENTRY_BYTES):
        (length, kind) = struct.unpack_from("<HB", directory, offset + 64)
        start, size, high = struct.unpack_from("<III", directory, offset + 116)
        name = directory[offset : offset + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
        # Version 3 leaves rubbish in the upper half of the size.
        whole = size if sector_bytes == _HEADER_BYTES else size | high << 32
        entries.append(_Entry(name.lower(), kind, start, whole))
    return entries


def _read_stream(container: _Container, found: _Entry, entries: list[_Entry]) -> bytes:
    """A stream from its sectors, or a small one from the mini sectors that the root entry holds."""
    (cutoff,) = struct.unpack_from("<I", container.content, 56)
    what = f"the stream {found.name!r} of the file"
    if found.size >= cutoff:
        return container.read_chain(found.start, found.size, what)
    root = next((entry for entry in entries if entry.kind == _ROOT), None)
    if root is None:
        raise NotAWorkbookError("the old Office file has no root entry")
    small = container.read_chain(root.start, root.size, "the small streams of the file")
    (table_start,) = struct.unpack_from("<I", container.content, 60)
    table = container.read_all(table_start, len(container.content), "the table of small sectors")
    sectors = _Container(small, _MINI_SECTOR_BYTES, np.frombuffer(table[: len(table) // 4 * 4], "<u4"))
    chain = _follow(sectors.next_sector, found.start, -(-found.size // _MINI_SECTOR_BYTES), what)
    # The first small sector stands at offset 0: there is no header before it.
    data = b"".join(small[number * _MINI_SECTOR_BYTES : (number + 1) * _MINI_SECTOR_BYTES] for number in chain)
    if len(data) < found.size:
        raise NotAWorkbookError(f"{what} is cut off: {len(data):,} of {found.size:,} bytes are there")
    return data[: found.size]


_OWN_SECTOR_BYTES = 4_096  # large ones, so that 450 MB need no second level of tables


def wrap_stream(stream: bytes) -> bytes:
    """A compound file that holds ``stream`` as its workbook and nothing else: directory, stream, table of sectors."""
    size = _OWN_SECTOR_BYTES
    count = max(1, -(-len(stream) // size))
    body = stream.ljust(count * size, b"\0")
    tables = -(-(count + 1) // (size // 4 - 1))
    chain = [_END, *range(2, count + 1), _END, *([_FAT_SECTOR] * tables)]
    chain += [_FREE] * (tables * size // 4 - len(chain))
    listed = [*range(count + 1, count + 1 + tables)]
    head = struct.pack(
        "<8s16xHHHHH6xIIIIIIIIII", SIGNATURE, 0x3E, 4, 0xFFFE, 12, 6, 1, tables, 0, 0, 4096, _END, 0, _END, 0, 0
    )
    head = head[:76] + struct.pack("<109I", *listed, *([_FREE] * (109 - len(listed))))
    directory = _pack_entry("Root Entry", _ROOT, 1, 0, 0) + _pack_entry("Workbook", _STREAM, _FREE, 1, len(body))
    table = struct.pack(f"<{len(chain)}I", *chain)
    return head.ljust(size, b"\0") + directory.ljust(size, b"\0") + body + table


def _pack_entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le")
    return struct.pack("<64sHBBIII36xIQ", text, len(text) + 2, kind, 1, _FREE, _FREE, child, start, size)
