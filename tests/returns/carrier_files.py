"""Files as offices send them, small and written here: what the tests of the carriers read. Not here: expectations."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import openpyxl
import xlwt

from returns.carriers import Grid, read_grid
from returns.errors import CarrierError

BEDS = [["地区", "床位数（张）"], ["锦江区", 1234], ["青羊区", 987.5]]


def grid_of(content: bytes, **options: Any) -> Grid:
    """The grid; a carrier's error fails the test with its explanation."""
    result = read_grid(content, **options)
    assert isinstance(result, Grid), result
    return result


def problem_of(content: bytes, **options: Any) -> CarrierError:
    result = read_grid(content, **options)
    assert isinstance(result, CarrierError), result
    return result


def texts_of(grid: Grid, number: int = 0) -> list[list[str]]:
    return [list(row) for row in grid.sheets[number].rows]


def text_at(grid: Grid, address: str) -> str:
    """The text of the one cell that has this address."""
    found = [
        text
        for sheet in grid.sheets
        for row, texts in enumerate(sheet.rows)
        for column, text in enumerate(texts)
        if sheet.address(row, column) == address
    ]
    assert len(found) == 1, (address, found)
    return found[0]


def xlsx(rows: Sequence[Sequence[Any]], name: str = "表1", change: Callable[[Any], None] | None = None) -> bytes:
    """A workbook of one sheet; ``change`` may do more to the openpyxl workbook."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = name
    for row in rows:
        sheet.append(list(row))
    if change is not None:
        change(workbook)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def xls(rows: Sequence[Sequence[Any]], name: str = "表1", change: Callable[[Any, Any], None] | None = None) -> bytes:
    """A BIFF8 workbook; ``change`` may do more to the xlwt workbook and its sheet."""
    workbook = xlwt.Workbook(encoding="utf-8")
    sheet = workbook.add_sheet(name, cell_overwrite_ok=True)
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            if value is not None:
                sheet.write(number, column, value)
    if change is not None:
        change(workbook, sheet)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def zipped(members: Mapping[str, bytes], encoding: str = "utf-8") -> bytes:
    """A ZIP; in GBK its names lack the UTF-8 flag, as archivers on Chinese Windows write them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, compresslevel=1)
    content = buffer.getvalue()
    if encoding == "utf-8":
        return content
    # zipfile writes a name that is not ASCII with the flag; take the flag away and put in the other bytes, padded by
    # nothing: names are chosen so that lengths are told anew in each header.
    return _rename(content, list(members), encoding)


def _rename(content: bytes, names: Sequence[str], encoding: str) -> bytes:
    """The same ZIP with its names in another encoding and without the UTF-8 flag."""
    archive = zipfile.ZipFile(io.BytesIO(content))
    local, central, count = b"", b"", 0
    for info in archive.infolist():
        raw = info.filename.encode(encoding)
        start = info.header_offset + 30 + len(info.filename.encode())
        data = content[start : start + info.compress_size]
        sizes = struct.pack("<III", info.CRC, info.compress_size, info.file_size)
        common = struct.pack("<HHHHH", 20, 0, info.compress_type, 0, 33) + sizes + struct.pack("<HH", len(raw), 0)
        central += b"PK\x01\x02\x14\x00" + common + struct.pack("<HHHII", 0, 0, 0, 0, len(local)) + raw
        local += b"PK\x03\x04" + common + raw + data
        count += 1
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(central), len(local), 0)
    return local + central + end


def compound(streams: Mapping[str, bytes]) -> bytes:
    """An OLE file with these streams, each of at least 4,096 bytes, so that none is a small one."""
    size, end, free = 512, 0xFFFFFFFE, 0xFFFFFFFF
    bodies = {name: data.ljust(max(4096, -(-len(data) // size) * size), b"\0") for name, data in streams.items()}
    chain, entries, sectors = [end], [_entry("Root Entry", 5, 0, 0)], b""
    for name, body in bodies.items():
        first, count = len(chain), len(body) // size
        chain += [*range(first + 1, first + count), end]
        entries.append(_entry(name, 2, first, len(body)))
        sectors += body
    assert len(entries) <= 4
    table_at = len(chain)
    chain.append(0xFFFFFFFD)
    assert len(chain) <= 128
    table = struct.pack("<128I", *chain, *([free] * (128 - len(chain))))
    head = struct.pack(
        "<8s16xHHHHH6xIIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        62,
        3,
        0xFFFE,
        9,
        6,
        0,
        1,
        0,
        0,
        4096,
        end,
        0,
        end,
        0,
        table_at,
    )
    return head + struct.pack("<108I", *([free] * 108)) + b"".join(entries).ljust(size, b"\0") + sectors + table


def _entry(name: str, kind: int, start: int, length: int) -> bytes:
    text = name.encode("utf-16-le")
    return struct.pack("<64sHBBIII36xIQ", text, len(text) + 2, kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, 1, start, length)


def record(kind: int, body: bytes = b"") -> bytes:
    """One BIFF record."""
    return struct.pack("<HH", kind, len(body)) + body


def biff(*pages: bytes, shared: bytes = b"", globals_: bytes = b"", repeats: int = 1) -> bytes:
    """A BIFF8 stream with a sheet for each of ``pages``, its records; each is listed ``repeats`` times."""
    begin = record(0x0809, struct.pack("<HHHHII", 0x0600, 5, 0, 0, 0, 0)) + globals_
    bodies = [
        record(0x0809, struct.pack("<HHHHII", 0x0600, 0x10, 0, 0, 0, 0)) + page + record(0x000A)
        for page in pages or (b"",)
    ]
    names = [f"{number:03d}".encode() for number in range(len(bodies) * repeats)]
    offset = len(begin) + len(names) * 15 + len(shared) + 4
    offsets = [offset + sum(map(len, bodies[:number])) for number in range(len(bodies))] * repeats
    listed = [
        record(0x0085, struct.pack("<IBBBB", place, 0, 0, 3, 0) + name)
        for place, name in zip(offsets, names, strict=True)
    ]
    return begin + b"".join(listed) + shared + record(0x000A) + b"".join(bodies)


def dumped(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def cube(nodes: Sequence[Mapping[str, Any]] | None = None, **changes: Any) -> dict[str, Any]:
    """An easyquery answer of two figures of 2024: beds of Beijing, and one that was never collected."""

    def node(code: str, region: str, data: Mapping[str, Any]) -> dict[str, Any]:
        places = [("zb", code), ("reg", region), ("sj", "2024")]
        return {
            "code": f"zb.{code}_reg.{region}_sj.2024",
            "data": dict(data),
            "wds": [{"wdcode": dimension, "valuecode": value} for dimension, value in places],
        }

    known = {"data": 13.456789, "dotcount": 2, "hasdata": True, "strdata": "13.46"}
    blank = {"data": 0, "dotcount": 2, "hasdata": False, "strdata": ""}
    default = [node("A0O0B", "110000", known), node("A0O0B", "120000", blank)]
    names = [
        {"wdcode": "zb", "nodes": [{"code": "A0O0B", "cname": "医疗卫生机构床位数", "unit": "万张"}]},
        {
            "wdcode": "reg",
            "nodes": [{"code": "110000", "cname": "北京市", "unit": ""}, {"code": "120000", "cname": "天津市"}],
        },
        {"wdcode": "sj", "nodes": [{"code": "2024", "cname": "2024年", "unit": ""}]},
    ]
    data = {"datanodes": default if nodes is None else list(nodes), "wdnodes": names}
    return {"returncode": 200, "returndata": data} | changes


def series(**changes: Any) -> dict[str, Any]:
    """An esData answer: one indicator of two provinces in 2025, the second without a figure."""
    common = {"_id": "5b1f", "i_showname": "地区生产总值 (亿元) ", "du_name": "亿元"}
    values = [
        common | {"value": "52073.4", "da": "110000000000", "da_name": "北京市"},
        common | {"value": "", "da": "120000000000", "da_name": "天津市"},
    ]
    answer = {"state": 20000, "message": "ok", "data": [{"code": "2025YY", "name": "2025年", "values": values}]}
    return answer | changes
