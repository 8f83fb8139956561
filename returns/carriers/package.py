"""Opening a ZIP without trusting it: every member is expanded once, within limits, by what it is and not by what it says.

Here: names, declared and actual sizes, for workbooks (which are ZIPs of XML parts) and for ZIPs of returns alike. Not here:
what the members hold.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping

from returns.carriers.allowance import Allowance, check_ratio
from returns.carriers.byte_search import has_pair
from returns.errors import EncryptedFileError, HostileFileError, NotAWorkbookError

MAX_PARTS = 500

_LOCAL_HEADER_BYTES = 30
_UTF8_NAME = 0x800
_FIRST_DATE = 0x21  # 1980-01-01, the earliest that a ZIP can say
_ENCRYPTED = 0x1
_SYMBOLIC_LINK = 0o120000
_ENTITY = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


def open_package(content: bytes) -> dict[str, zipfile.ZipInfo]:
    """The members of a ZIP by name, folders left out; a name without the UTF-8 flag is read as GBK.

    Raises a :class:`returns.errors.CarrierError` for a ZIP that is broken or encrypted, or whose names do harm.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            entries = package.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, UnicodeDecodeError) as error:
        text = f"the bytes begin like a ZIP or a workbook, but it is cut off or broken: {error}"
        raise NotAWorkbookError(text) from None
    if len(entries) > MAX_PARTS:
        raise HostileFileError(f"the ZIP has {len(entries):,} members, a real one at most {MAX_PARTS}")
    members: dict[str, zipfile.ZipInfo] = {}
    seen = set()
    for entry in entries:
        name = member_name(entry)
        _check_member(entry, name)
        if name.lower() in seen:
            raise HostileFileError(f"member {name!r} stands twice in the ZIP")
        seen.add(name.lower())
        if not name.endswith("/"):
            members[name] = entry
    return members


def member_name(entry: zipfile.ZipInfo) -> str:
    """The name as it was meant: without the UTF-8 flag ``zipfile`` reads code page 437, offices write GBK or UTF-8."""
    name = entry.filename
    if not entry.flag_bits & _UTF8_NAME and not name.isascii():
        raw = name.encode("cp437", "replace")
        for encoding in ("utf-8", "gb18030"):  # UTF-8 first: it is hardly ever valid by chance
            try:
                name = raw.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    return name.replace("\\", "/")


def _check_member(entry: zipfile.ZipInfo, name: str) -> None:
    if name.startswith("/") or ".." in name.split("/") or re.match(r"[A-Za-z]:", name) or "\0" in name:
        raise HostileFileError(f"member {name!r:.200} of the ZIP points outside of it")
    if (entry.external_attr >> 16) & 0o170000 == _SYMBOLIC_LINK:
        raise HostileFileError(f"member {name!r:.200} of the ZIP is a symbolic link")
    if entry.flag_bits & _ENCRYPTED:
        raise EncryptedFileError(f"member {name!r:.200} of the ZIP is encrypted")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise NotAWorkbookError(f"member {name!r:.200} of the ZIP is compressed in an unknown way")


def expand_parts(content: bytes, members: Mapping[str, zipfile.ZipInfo], allowance: Allowance) -> dict[str, bytes]:
    """Every part of a workbook, by name; XML parts are checked for entities.

    Raises a :class:`returns.errors.CarrierError`.
    """
    allowance.take_bytes(sum(entry.file_size for entry in members.values()), "the workbook")
    parts = {}
    for name, entry in members.items():
        data = expand_member(content, entry, name)
        if name.endswith((".xml", ".rels")) and data.startswith((b"\xff\xfe", b"\xfe\xff", b"\0", b"<\0")):
            raise NotAWorkbookError(f"part {name!r} of the workbook is not UTF-8")
        check_entities(data, f"part {name!r} of the workbook")
        parts[name] = data
    return parts


def check_entities(xml: bytes, what: str) -> None:
    """Raises :class:`HostileFileError` where ``what`` declares XML entities: no program of an office does."""
    if has_pair(xml, b"<!") and _ENTITY.search(xml):
        raise HostileFileError(f"{what} declares XML entities")


def expand_return(content: bytes, entry: zipfile.ZipInfo, name: str, allowance: Allowance) -> bytes:
    """The bytes of a member that is a return by itself.

    Raises a :class:`returns.errors.CarrierError`.
    """
    what = f"member {name!r} of the ZIP"
    check_ratio(entry.compress_size, entry.file_size, what)
    allowance.take_bytes(entry.file_size, what)
    return expand_member(content, entry, name)


def expand_member(content: bytes, entry: zipfile.ZipInfo, name: str) -> bytes:
    """The bytes of one member; ``zipfile`` would stop at the declared size, other readers do not, so this expands all."""
    what = f"member {name!r:.200} of the ZIP"
    header = content[entry.header_offset : entry.header_offset + _LOCAL_HEADER_BYTES]
    if len(header) < _LOCAL_HEADER_BYTES or not header.startswith(b"PK\x03\x04"):
        raise NotAWorkbookError(f"{what} is cut off")
    start = entry.header_offset + _LOCAL_HEADER_BYTES
    start += int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    data = content[start : start + entry.compress_size]
    if entry.compress_type == zipfile.ZIP_DEFLATED:
        try:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, entry.file_size + 1)
        except zlib.error as error:
            raise NotAWorkbookError(f"{what} is damaged: {error}") from error
    if len(data) > entry.file_size:
        raise HostileFileError(f"{what} expands to more than its declared {entry.file_size:,} bytes")
    if len(data) < entry.file_size or zlib.crc32(data) != entry.CRC:
        raise NotAWorkbookError(f"{what} is damaged or cut off")
    return data


def wrap_parts(parts: Mapping[str, bytes]) -> bytes:
    """A ZIP that holds these parts as they are: who reads it need not expand them once more."""
    local, central, offset = [], [], 0
    for name, data in parts.items():
        told = name.encode()
        # Version, flags, method (stored), time, date, checksum, both sizes, length of the name, no extra field.
        common = struct.pack(
            "<HHHHHIIIHH", 20, _UTF8_NAME, 0, 0, _FIRST_DATE, zlib.crc32(data), len(data), len(data), len(told), 0
        )
        local += [b"PK\x03\x04", common, told, data]
        central += [b"PK\x01\x02\x14\0", common, struct.pack("<HHHII", 0, 0, 0, 0, offset), told]
        offset += _LOCAL_HEADER_BYTES + len(told) + len(data)
    size = sum(map(len, central))
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, len(parts), len(parts), size, offset, 0)
    return b"".join([*local, *central, end])
