"""Bytes that are no return, broken or hostile: each is named, none raises, none costs more than its size."""

from __future__ import annotations

import io
import json
import struct
import time
import tracemalloc
import zipfile

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from returns.carriers import MAX_FILE_BYTES, Grid, read_grid
from returns.errors import CarrierError
from tests.returns.samples import as_csv, as_pages, as_workbook, dump_pages, make_return, pages_of, read
from tests.returns.test_quarantine import rejected_whole

WORKBOOK = as_workbook(make_return())
SHEET = "xl/worksheets/sheet1.xml"


def problem(content: bytes) -> CarrierError:
    result = read_grid(content)
    assert isinstance(result, CarrierError)
    return result


def repack(changes: dict[str, bytes], content: bytes = WORKBOOK) -> bytes:
    """The workbook with some parts replaced or added."""
    source, buffer = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name in dict.fromkeys([*source.namelist(), *changes]):
            target.writestr(name, changes.get(name, b"") if name in changes else source.read(name))
    return buffer.getvalue()


def sheet_with(cells: bytes) -> bytes:
    return repack({SHEET: b"<worksheet><sheetData>" + cells + b"</sheetData></worksheet>"})


@pytest.mark.parametrize(
    ("content", "reason", "says"),
    [
        (b"", "unknown_carrier", "the file is empty"),
        (b" \r\n ", "unknown_carrier", "the file is empty"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "not_a_workbook", "a web page (HTML) without a table"),
        (b"\xef\xbb\xbf \n<HTML>", "not_a_workbook", "a web page (HTML) without a table"),
        (b"<?xml version='1.0'?><a/>", "not_a_workbook", "XML"),
        (b"%PDF-1.7", "unknown_carrier", "a PDF document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512, "not_a_workbook", "sectors of 2^0 bytes"),
        (b"\x1f\x8b\x08", "unknown_carrier", "gzip"),
        (b"abc\0def", "unknown_carrier", "binary data"),
        (b"\xff\xfea\x00,\x00b\x00c", "unreadable_text", "not UTF-16-LE"),
        (b"\xff\xff\xff", "unreadable_text", "neither UTF-8 nor GB18030"),
        (b'a,b\n"c,4\n', "unreadable_text", "line 2 of the text is no CSV"),
        (b"PK\x03\x04" + b"\0" * 40, "not_a_workbook", "cut off or broken"),
        (b"x" * (MAX_FILE_BYTES + 1), "too_large", "bytes"),
    ],
)
def test_bytes_are_named_for_what_they_are(content, reason, says):
    error = problem(content)
    assert error.reason == reason
    assert says in error.explanation


def test_the_name_of_a_file_does_not_matter():
    assert read(as_csv(make_return())).verdicts["problem"].isna().all()  # the arrival's file is named 报表.xlsx


def test_a_web_page_named_xlsx_is_quarantined_by_name():
    reason, explanation = rejected_whole(read(b"<html><body>404</body></html>"))
    assert reason == "not_a_workbook"
    assert "web page" in explanation


@pytest.mark.parametrize("cut", [100, 2_000, -30])  # from the front, or from the end
def test_a_truncated_workbook_is_named(cut):
    assert problem(WORKBOOK[:cut]).reason == "not_a_workbook"


def test_a_zip_without_workbook_is_named():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("scan.pdf", "%PDF-1.7")
    error = problem(buffer.getvalue())
    assert error.reason == "not_a_workbook"
    assert "holds no workbook" in error.explanation


def test_a_damaged_part_is_named():
    spoiled = bytearray(WORKBOOK)
    offset = next(i.header_offset for i in zipfile.ZipFile(io.BytesIO(WORKBOOK)).infolist() if i.filename == SHEET)
    spoiled[offset + 120] ^= 0xFF
    error = problem(bytes(spoiled))
    assert error.reason == "not_a_workbook"
    assert SHEET in error.explanation


def test_parts_that_are_no_xml_are_named():
    assert problem(repack({"xl/workbook.xml": b"nonsense"})).reason in ("not_a_workbook", "unknown_layout")


def test_a_bomb_that_declares_its_size_is_refused_unopened():
    started = time.perf_counter()
    error = problem(repack({"xl/media/bomb.bin": b"\0" * (65 * 1024 * 1024)}))
    assert error.reason == "too_large"
    assert "expands to" in error.explanation
    assert time.perf_counter() - started < 5


def test_a_bomb_that_lies_about_its_size_is_refused_at_what_it_declared():
    content = bytearray(repack({"xl/media/bomb.bin": b"\0" * (32 * 1024 * 1024)}))
    entry = content.rindex(b"PK\x01\x02", 0, content.rindex(b"xl/media/bomb.bin"))
    content[entry + 24 : entry + 28] = struct.pack("<I", 1000)
    tracemalloc.start()
    error = problem(bytes(content))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert error.reason == "hostile_file"
    assert "more than its declared 1,000 bytes" in error.explanation
    assert peak < 10 * 1024 * 1024


@pytest.mark.parametrize("name", ["../evil.xml", "/etc/passwd", "xl/../../x", "..\\evil", "C:\\evil"])
def test_a_part_that_points_outside_is_refused(name):
    error = problem(repack({name: b"x"}))
    assert error.reason == "hostile_file"
    assert "points outside" in error.explanation


def test_a_part_that_stands_twice_is_refused():
    error = problem(repack({"XL/workbook.xml": b"<workbook/>"}))
    assert error.reason == "hostile_file"
    assert "stands twice" in error.explanation


def test_too_many_parts_are_refused():
    assert problem(repack({f"xl/media/{n}.bin": b"" for n in range(600)})).reason == "hostile_file"


def test_an_entity_bomb_is_refused():
    bomb = b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">]><worksheet>&lol;</worksheet>'
    error = problem(repack({SHEET: bomb}))
    assert error.reason == "hostile_file"
    assert "XML entities" in error.explanation


@pytest.mark.parametrize(
    "cell",
    [
        b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        b"<row r='1048576'><c r='XFD1048576'><v>1</v></c></row>",
        b'<row r="1048576"><c><v>1</v></c><c r="ZZ5"><v>1</v></c></row>',
        b'<row r="999999"><c r="ZZ999999" t="inlineStr"><is><t>x</t></is></c></row>',
        b'<row r="9999"><c r="A9999"><v>1</v></c><c r="ZZ1"><v>1</v></c></row>',
        b'<row r="2">' + b"<c><v>1</v></c>" * 600_000 + b'</row><row r="9"><c r="A9"><v>1</v></c></row>',
    ],
)
def test_a_lone_cell_far_away_does_not_lay_out_a_giant_sheet(cell):
    started = time.perf_counter()
    error = problem(sheet_with(b'<row r="1"><c r="A1"><v>1</v></c></row>' + cell))
    assert error.reason == "too_large"
    assert "reaches to row" in error.explanation
    assert time.perf_counter() - started < 3


@pytest.mark.parametrize(
    "xml",
    [
        b'<worksheet><sheetData><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        b'<worksheet><!--sheetData--><sheetData><row r="1"><c r="A1"><v>1</v></c><c r="XFD1048576"><v>1</v></c></row>',
        b'<worksheet><sheetData><row><c r="A1"><v>1</v></c><c x=">" r="XFD1048576"><v>1</v></c></row></sheetData>',
    ],
)
def test_a_far_cell_in_a_malformed_sheet_is_not_laid_out_either(xml):
    started = time.perf_counter()
    assert problem(repack({SHEET: xml})).reason in ("not_a_workbook", "hostile_file", "too_large")
    assert time.perf_counter() - started < 1


def test_a_long_text_shared_by_many_cells_is_not_copied_into_each():
    cells = b'<row r="1">' + b'<c t="s"><v>0</v></c>' * 10_000 + b"</row>"
    text = b"<sst><si><t>" + b"x" * 1_000_000 + b"</t></si></sst>"
    error = problem(repack({"xl/sharedStrings.xml": text}, sheet_with(cells)))
    assert error.reason == "too_large"
    assert "into up to" in error.explanation


def test_a_sheet_under_another_name_is_guarded_too():
    relations = zipfile.ZipFile(io.BytesIO(WORKBOOK)).read("xl/_rels/workbook.xml.rels")
    cells = b'<row r="1"><c r="A1"><v>1</v></c><c r="XFD1048576"><v>1</v></c></row>'
    far = b"<worksheet><sheetData>" + cells + b"</sheetData></worksheet>"
    moved = relations.replace(b"worksheets/sheet1.xml", b"other.bin")
    assert problem(repack({"xl/_rels/workbook.xml.rels": moved, "xl/other.bin": far})).reason == "too_large"


def test_a_reference_beyond_any_sheet_is_refused():
    error = problem(sheet_with(b'<row r="1"><c r="A' + b"9" * 5000 + b'"><v>1</v></c></row>'))
    assert error.reason == "hostile_file"
    assert len(error.explanation) < 600


@pytest.mark.parametrize("piece", [b"<c r='A1'><f>", b'<c r="A1" t="e">', b"<!-- <c x='1'><f> -->", b"<f><c >"])
def test_cells_that_never_close_cost_no_more_than_their_bytes(piece):
    started = time.perf_counter()
    result = read_grid(sheet_with(piece * 100_000))
    assert isinstance(result, Grid | CarrierError)
    assert time.perf_counter() - started < 2


def test_blank_styled_cells_down_to_the_last_row_do_no_harm():
    grid = read_grid(
        sheet_with(b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="B1048576" s="1"/></row>')
    )
    assert isinstance(grid, Grid)
    assert grid.sheets[0].rows == [["1"]]


def test_what_calamine_leaves_out_is_put_back():
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet["A1"], sheet["B1"], sheet["C2"], sheet["D1"] = 1, "=A1+1", "#DIV/0!", "=E9&F9"
    buffer = io.BytesIO()
    workbook.save(buffer)
    grid = read_grid(buffer.getvalue())
    assert isinstance(grid, Grid)
    assert grid.sheets[0].rows[0] == ["1", "=A1+1", "", "=E9&F9"]
    assert grid.sheets[0].rows[1][2] == "#DIV/0!"


def test_a_formula_with_a_cached_result_is_its_result():
    grid = read_grid(
        sheet_with(b'<row r="1"><c r="A1"><f>1+2</f><v>3</v></c><c r="B1" t="str"><f>""</f><v></v></c></row>')
    )
    assert isinstance(grid, Grid)
    assert grid.sheets[0].rows[0][0] == "3"
    assert "=" not in "".join(grid.sheets[0].rows[0])


def test_values_become_texts():
    import datetime

    workbook = openpyxl.Workbook()
    workbook.active.append([12, 12.0, 0.1, 1e20, True, datetime.date(2024, 3, 1), " x "])
    buffer = io.BytesIO()
    workbook.save(buffer)
    grid = read_grid(buffer.getvalue())
    assert isinstance(grid, Grid)
    assert grid.sheets[0].rows[0] == ["12", "12", "0.1", "1e+20", "TRUE", "2024-03-01", " x "]


def spoil(**changes: object) -> bytes:
    """An answer of two pages whose second one is changed."""
    pages = pages_of(make_return(), size=1)
    pages[1]["data"].update(changes)
    return dump_pages(pages)


@pytest.mark.parametrize(
    ("content", "reason", "says"),
    [
        (b'{"code":401,"msg":"token expired","data":null}', "error_answer", "error 401: token expired"),
        (as_pages(make_return(), size=1)[:-40], "broken_page", "page 2 of the answer is no JSON, or cut off"),
        (as_pages(make_return(), size=1).split(b"\n")[0], "incomplete_pages", "announces 2 rows and holds 1"),
        (b"\n".join(as_pages(make_return(), size=1).split(b"\n")[::-1]), "incomplete_pages", "says it is page 2"),
        (spoil(total=3), "incomplete_pages", "another total"),
        (spoil(columns=[]), "incomplete_pages", "another columns"),
        (spoil(rows=None), "broken_page", "no list of rows"),
        (spoil(rows=[{"region_code": "510104"}]), "broken_page", "the columns differ"),
        (b"[1]", "broken_page", "no list of rows"),
        (b'{"msg":"ok"}', "broken_page", "no envelope"),
        (b'{"code":0,"msg":"ok","data":[]}', "broken_page", "no record with a field"),
        (b'{"code":0,"msg":"ok","data":7}', "broken_page", "has no data"),
        (b'{"code":0,"code":0,"data":{}}', "broken_page", "'code' stands twice"),
        (b'{"code":' + b"9" * 5000 + b"}", "error_answer", "reports error 999"),
        (b'{"a":' * 100_000, "broken_page", "deeper than any return"),
        (b'{"code":"\xff"}', "broken_page", "no JSON"),
        (b'{"code":0,"data":{"title":"\\uD800"}}', "broken_page", "half a character"),
        (b'{"code":7,"msg":"' + b"x" * 100_000 + b'"}', "error_answer", "xxx"),
    ],
)
def test_an_answer_that_is_no_whole_answer_is_named(content, reason, says):
    error = problem(content)
    assert error.reason == reason
    assert says in error.explanation


def test_figures_of_pages_may_be_numbers_null_or_nonsense():
    pages = pages_of(make_return())
    pages[0]["data"]["rows"][0] |= {"f01": 8364.0, "f02": None, "f03": True, "f04": [1], "f05": float("nan")}
    result = read(dump_pages(pages))
    texts = dict(zip(result.observations["address"], result.observations["raw_text"], strict=True))
    assert texts["$[0].data.rows[0].f01"] == "8364.0"
    assert texts["$[0].data.rows[0].f02"] == ""
    assert result.quarantined["raw_text"].tolist() == ["true", '["1"]', "NaN"]


def test_a_stream_of_tiny_objects_stays_within_memory():
    content = b'{"code":0,"data":{"rows":[' + b"{}," * 100_000 + b'{}],"columns":[]}}'
    assert problem(content).reason in ("incomplete_pages", "broken_page")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b'{"code":0,"data":', b"\xef\xbb\xbf", b'"']))
def test_no_bytes_raise(content, head):
    assert isinstance(read_grid(head + content), Grid | CarrierError)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(WORKBOOK) - 1), st.integers(1, 255))
def test_a_workbook_with_one_byte_changed_never_raises(position, change):
    spoiled = bytearray(WORKBOOK)
    spoiled[position] ^= change
    assert isinstance(read_grid(bytes(spoiled)), Grid | CarrierError)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["total", "rows", "columns", "title", "page", "form"]), json_values))
def test_no_shape_of_a_page_raises(changes):
    pages = pages_of(make_return())
    pages[0]["data"].update(changes)
    result = read(json.dumps(pages[0]).encode())
    assert result.verdicts["cells"].sum() == len(result.observations) + len(result.quarantined)
