"""Files built to do harm: each is refused or read within 5 seconds and 300 MB above an idle process, and named.

Each file is read in a process of its own, forked from one that has imported the readers; memory is the peak that the kernel
saw, not what Python says it allocated; time is the process's own, so that a busy machine does not fail a test.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.returns.carrier_files import biff, compound, cube, dumped, record, xlsx, zipped
from tests.returns.test_carriers import SHEET, repack, sheet_with
from tests.returns.test_carriers_markup import xml

SECONDS, MEGABYTES = 5.0, 300.0
MB = 1024 * 1024

# Reads the paths that it is told, each in a fork. VmHWM rather than getrusage, whose peak is inherited through exec.
READER = """
import json, os, resource, signal, sys, time
from returns.carriers import Grid, read_grid
from returns.reading import Arrival, read_returns
from warehouse.catalogue import load_catalogue

catalogue = load_catalogue()

def peak():
    try:
        with open("/proc/self/status") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024)

def measure(path, is_whole):
    idle, started = peak(), time.process_time()
    with open(path, "rb") as file:
        content = file.read()
    if is_whole:
        arrival = Arrival(1, "510000/health", "health", "health_annual", "510000", "2024", "0" * 64, "x.xls", "")
        result = read_returns([arrival], lambda _: content, catalogue)
        found = {"reason": result.verdicts["problem"].iloc[0], "explanation": result.verdicts["explanation"].iloc[0]}
    else:
        grid = read_grid(content, file_name="x.xls")
        if isinstance(grid, Grid):
            cells = sum(len(row) for sheet in grid.sheets for row in sheet.rows)
            found = {"reason": None, "explanation": f"{grid.carrier}: {cells} cells"}
        else:
            found = {"reason": grid.reason, "explanation": grid.explanation}
    return found | {"seconds": time.process_time() - started, "megabytes": peak() - idle}

for line in sys.stdin:
    is_whole, path = json.loads(line)
    child = os.fork()
    if not child:
        signal.alarm(60)  # a reader that hangs dies, and the next file finds its own answer
        print(json.dumps(measure(path, is_whole)), flush=True)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status:
        print(json.dumps({"reason": "died", "explanation": str(status), "seconds": 0, "megabytes": 0}), flush=True)
"""


@dataclass(frozen=True)
class Reader:
    """A process that reads files in forks of its own."""

    process: subprocess.Popen[str]
    folder: Path

    def read(self, content: bytes, is_whole: bool = False) -> dict[str, Any]:
        """What the file is named, and what that cost; the whole way to observations, or the carrier alone."""
        path = self.folder / "file"
        path.write_bytes(content)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([is_whole, str(path)]) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    command = [sys.executable, "-c", READER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Reader(process, tmp_path_factory.mktemp("hostile"))
        assert process.stdin is not None
        process.stdin.close()


def cells(count: int, start: int = 0) -> bytes:
    """BIFF numbers, 256 a row."""
    return b"".join(record(0x0203, struct.pack("<HHHd", n >> 8, n & 255, 0, 1.5)) for n in range(start, count))


def labels(count: int) -> bytes:
    """BIFF cells that all name the first shared text."""
    return b"".join(record(0x00FD, struct.pack("<HHHI", n >> 8, n & 255, 0, 0)) for n in range(count))


def shared(characters: int) -> bytes:
    """The record of one shared text."""
    return record(0x00FC, struct.pack("<IIHB", 1, 1, characters, 0) + b"x" * characters)


def patched(content: bytes, offset: int, value: int) -> bytes:
    """The same bytes with one number of 32 bits changed."""
    return content[:offset] + struct.pack("<I", value) + content[offset + 4 :]


def last_table(content: bytes) -> int:
    """Where the table of sectors of a :func:`compound` stands."""
    return len(content) - 512


def old_workbook(*, cells: bytes = b"", sheets: int = 1, **options: Any) -> bytes:
    """``sheets`` entries that are all the same sheet."""
    return compound_of(biff(cells, repeats=sheets, **options))


def far_cells_in_many_sheets() -> bytes:
    far = record(0x0203, struct.pack("<HHHd", 3_800, 255, 0, 1.5))
    return compound_of(biff(*[cells(1) + far] * 200))


def compound_of(stream: bytes) -> bytes:
    """A compound file of any size, as our own wrapper writes it."""
    from returns.carriers.compound import wrap_stream

    return wrap_stream(stream)


def lying_zip() -> bytes:
    content = bytearray(zipped({"a.csv": b"0" * (32 * MB)}))
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = struct.pack("<I", 1000)
    return bytes(content)


def nested_bomb() -> bytes:
    inner = zipped({"a.csv": b"0," * (20 * MB)})
    return zipped({f"{n}.zip": inner for n in range(50)})


def many_members() -> bytes:
    text = b"".join(b"%04d %04d%s" % (n % 997, n % 991, b" " if n % 90 else b"\n") for n in range(500_000))
    return zipped({f"{n}.csv": text for n in range(15)})


def sheet_of_shared(rows: int, characters: int) -> bytes:
    named = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (n, n) for n in range(1, rows + 1))
    return repack({"xl/sharedStrings.xml": b"<sst><si><t>" + b"x" * characters + b"</t></si></sst>"}, sheet_with(named))


def formulas_without_results() -> bytes:
    rows = b"".join(b'<row r="%d"><c r="A%d"><f>SUM(B1:B%d)</f></c></row>' % (n, n, n) for n in range(1, 100_001))
    return sheet_with(rows)


def wide_row() -> bytes:
    return sheet_with(b'<row r="1">' + b"<c><v>1</v></c>" * 1_100_000 + b"</row>")


def laughs(root: bytes) -> bytes:
    steps = b"".join(b'<!ENTITY a%d "%s">' % (n + 1, b"&a%d;" % n * 10) for n in range(9))
    return b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">' + steps + b"]>" + root


def html(inside: bytes) -> bytes:
    return b"<html><table>" + inside + b"</table></html>"


def long_names() -> bytes:
    """Formulas whose tokens name a long name thousands of times: printed out they would be gigabytes."""
    name = record(0x0018, struct.pack("<HBBHHHBBBB", 0, 0, 255, 0, 0, 0, 0, 0, 0, 0) + b"\0" + b"n" * 255)
    tokens = struct.pack("<BI", 0x23, 1) + struct.pack("<BIB", 0x23, 1, 3) * 1_300
    head = struct.pack("<HHH", 0, 0, 0) + struct.pack("<d", 1.5) + struct.pack("<HI", 0, 0)
    formula = record(0x0006, head + struct.pack("<H", len(tokens)) + tokens)
    return old_workbook(cells=formula * 800, globals_=name)


def circle(start: int) -> bytes:
    """A compound file whose table says that a sector follows itself."""
    content = compound({"Workbook": biff(b"").ljust(8192, b"\0")})
    return patched(content, last_table(content) + 4 * start, start)


BAD = compound({"Workbook": biff(b"").ljust(8192, b"\0")})
STREAM_ENTRY = 512 + 128

REFUSED: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "zip bomb in a part": (lambda: repack({"xl/media/a.bin": bytes(65 * MB)}), "too_large", "expands to"),
    "zip bomb in a member": (lambda: zipped({"a.csv": bytes(60 * MB)}), "too_large", "as only a ZIP bomb does"),
    "zip bombs in zips": (nested_bomb, "too_large", "as only a ZIP bomb does"),
    "a member that lies about its size": (lying_zip, "hostile_file", "more than its declared 1,000 bytes"),
    "members too large together": (many_members, "too_large", "at most"),
    "a path out of the zip": (lambda: zipped({"../../etc/cron.d/a": b"x"}), "hostile_file", "points outside"),
    "three zips deep": (lambda: zipped({"a": zipped({"b": zipped({"c": b"1,2"})})}), "hostile_file", "a ZIP stands in"),
    "a million columns of text": (lambda: b"1," * 1_000_000, "too_large", "cells"),
    "400,000 columns of text": (lambda: b"1," * 400_000, "too_large", "columns"),
    "a million columns of a sheet": (wide_row, "too_large", "column 1,100,000"),
    "a column that no sheet has": (
        lambda: sheet_with(b'<c r="ABCDE1"><v>1</v></c>'),
        "hostile_file",
        "beyond any sheet",
    ),
    "a cell over a million columns": (lambda: html(b"<td colspan=1000000>"), "too_large", "spans 1,000,000 columns"),
    "spans over and over": (lambda: html(b"<tr>" + b"<td colspan=9999 rowspan=9999>1" * 9_999), "too_large", "columns"),
    "spans row by row": (
        lambda: html(b"<td colspan=16000 rowspan=99999>1" + b"<tr><td>1" * 9_999),
        "too_large",
        "cells",
    ),
    "a million columns of XML": (lambda: xml("<Row>" + "<Cell/>" * 1_100_000 + "</Row>"), "too_large", "columns"),
    "a page of tags": (lambda: html(b"<tr><td>" * 600_000), "too_large", "tags"),
    "deep lists": (lambda: b"[" * 100_000, "broken_page", "deeper than any return"),
    "deep objects, closed": (lambda: b'{"a":' * 90_000 + b"1" + b"}" * 90_000, "broken_page", "deeper than any return"),
    "four million lists": (lambda: b"[" * 4_000_000, "too_large", "objects and lists"),
    "empty objects": (lambda: b"[" + b"{}," * 2_600_000 + b"{}]", "too_large", "objects and lists"),
    "records that share no key": (lambda: dumped([{f"k{n}": n} for n in range(60_000)]), "too_large", "cells"),
    "entities in a part": (lambda: repack({"xl/sharedStrings.xml": laughs(b"<sst/>")}), "hostile_file", "XML entities"),
    "entities in a workbook of XML": (
        lambda: xml("").replace(b"<?mso", laughs(b"").partition(b"?>")[2] + b"<?mso"),
        "hostile_file",
        "XML entities",
    ),
    "a long text in every row": (lambda: sheet_of_shared(1_000_000, 32_000), "too_large", "a text of"),
    "a long text in every old row": (
        lambda: old_workbook(cells=labels(400_000), shared=shared(8_000)),
        "too_large",
        "puts texts of up to",
    ),
    "an old cell far away": (
        lambda: old_workbook(cells=cells(1) + cells(65_536 * 256, 65_536 * 256 - 1)),
        "too_large",
        "reaches to row",
    ),
    "old cells far away in each sheet": (far_cells_in_many_sheets, "too_large", "reaches to row"),
    "a circle of sectors": (lambda: circle(3), "hostile_file", "runs in a circle"),
    "a circle in the directory": (lambda: circle(0), "hostile_file", "runs in a circle"),
    "a stream that lies about its size": (
        lambda: patched(BAD, STREAM_ENTRY + 120, 0x7FFFFFFF),
        "hostile_file",
        "bytes in a file of",
    ),
    "a list of tables in a circle": (lambda: patched(BAD, 68, 0), "hostile_file", "circle"),
    "sectors out of the file": (
        lambda: patched(BAD, STREAM_ENTRY + 116, 99_999),
        "not_a_workbook",
        "which the file does not have",
    ),
    "a thousand sheets in one": (
        lambda: old_workbook(cells=cells(1_000), sheets=1_000),
        "hostile_file",
        "too many sheets",
    ),
    "two sheets in one": (
        lambda: old_workbook(cells=cells(1_000), sheets=2),
        "hostile_file",
        "the same part of the file",
    ),
    "an old workbook with a password": (
        lambda: old_workbook(globals_=record(0x2F, b"\1\0")),
        "encrypted_file",
        "password",
    ),
    "quotes that never close": (lambda: b'"a\n' * 900_000, "unreadable_text", "a quote in it does not close"),
    "one line without end": (lambda: b'"' + b"x" * (7 * MB), "unreadable_text", "it is no CSV"),
    "8 MB of nothing": (lambda: b" " * (8 * MB), "unknown_carrier", "empty"),
    "too many bytes": (lambda: b"1" * (8 * MB + 1), "too_large", "a return at most"),
    "too many bytes in a zip": (lambda: b"PK\3\4" + bytes(32 * MB), "too_large", "a return at most"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_file_is_refused_within_bounds_and_named(reader, name):
    make, reason, says = REFUSED[name]
    found = reader.read(make())
    assert found["reason"] == reason, found
    assert says in found["explanation"]
    assert len(found["explanation"]) <= 600
    assert found["seconds"] < SECONDS
    assert found["megabytes"] < MEGABYTES


def records(count: int) -> bytes:
    return dumped([{f"f{n}": f"{n}.5" for n in range(20)} for _ in range(count)])


READ: dict[str, Callable[[], bytes]] = {
    "formulas without results": formulas_without_results,
    "formulas that name long names": long_names,
    "an old sheet that lies about its dimensions": lambda: old_workbook(
        cells=record(0x0200, struct.pack("<IIHHH", 0, 0x7FFFFFFF, 0, 0xFFFF, 0)) + cells(10)
    ),
    "a sheet that lies about its dimensions": lambda: repack(
        {
            SHEET: b'<worksheet><dimension ref="A1:XFD1048576"/><sheetData><row r="1"><c r="A1"><v>1</v></c></row></sheetData></worksheet>'
        }
    ),
    "a workbook of XML as large as any": lambda: xml(
        ("<Row>" + "<Cell><Data>1</Data></Cell>" * 20 + "</Row>") * 14_500
    ),
    "a sheet as large as any": lambda: sheet_with(
        b"".join(
            b'<row r="%d">' % r
            + b"".join(b'<c r="%s%d"><v>%d.5</v></c>' % (c, r, r) for c in (b"A", b"B", b"C", b"D"))
            + b"</row>"
            for r in range(1, 245_000)
        )
    ),
    "a sheet of long texts": lambda: sheet_of_shared(3_000, 30_000),
    "an old sheet as large as any": lambda: old_workbook(cells=cells(430_000)),
    "a text as large as any": lambda: b"1234567,7654321\n" * 490_000,
    "a page as large as any": lambda: html(b"<tr><td>1<td>2<td>3<td>4" * 99_000),
    "tables in tables": lambda: html(b"<tr><td>1<table>" * 99_000),
    "a page of broken tags": lambda: html(b"<tr><td>1" + b'<a b="' * 400_000 + b"<td>2"),
    "a page of smaller-than signs": lambda: html(b"<tr><td>1" + b"< " * 400_000),
    "records as many as any": lambda: records(26_000),
    "a cube as large as any": lambda: dumped(cube(cube()["returndata"]["datanodes"] * 16_000)),
    "blank styled rows to the end of the sheet": lambda: sheet_with(
        b'<row r="1"><c r="A1"><v>1</v></c></row>'
        + b"".join(b'<row r="%d"><c r="A%d" s="1"/></row>' % (n, n) for n in range(2, 1_048_577))
    ),
}


@pytest.mark.parametrize("name", READ)
def test_a_file_at_the_limit_is_read_within_bounds(reader, name):
    found = reader.read(READ[name]())
    assert found["reason"] is None, found
    assert found["seconds"] < SECONDS, found
    assert found["megabytes"] < MEGABYTES, found


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("（" * 60_000, id="open brackets"),
        pytest.param("2024年" * 30_000, id="years"),
        pytest.param("单位：" * 30_000 + "、" * 30_000, id="units"),
        pytest.param("1," * 16_000 + "1", id="thousands"),
        pytest.param(" \t" * 60_000 + "x", id="spaces"),
    ],
)
def test_texts_against_regular_expressions_cost_no_more_than_their_length(reader, text):
    rows = [
        [text, text, text],
        ["区划代码", "地区", f"床位数（{text[:30_000]}）"],
        ["510104", text[:30_000], text[:30_000]],
    ]
    found = reader.read(dumped_csv(rows), is_whole=True)
    assert found["reason"] is not None
    assert found["seconds"] < SECONDS, found
    assert found["megabytes"] < MEGABYTES, found


def dumped_csv(rows: list[list[str]]) -> bytes:
    import csv
    import io

    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode()


def test_an_idle_reader_costs_next_to_nothing(reader):
    found = reader.read(xlsx([["地区", 1]]))
    assert found["reason"] is None
    assert found["megabytes"] < 30
