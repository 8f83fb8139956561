"""Workbooks as offices send them: what is merged, hidden, protected or of 1997 is read like any other cell."""

from __future__ import annotations

import datetime
import struct

import pytest

from tests.returns.carrier_files import BEDS, biff, compound, grid_of, problem_of, record, text_at, texts_of, xls, xlsx
from tests.returns.test_carriers import repack, sheet_with


def test_a_merged_range_is_told_and_its_text_stands_top_left():
    def merge(workbook):
        workbook.active.merge_cells("A1:C2")

    (sheet,) = grid_of(xlsx([["表3 床位数", None, None], [None] * 3, ["a", "b", "c"]], change=merge)).sheets
    assert sheet.merges == ((0, 0, 1, 2),)
    assert sheet.rows[0] == ["表3 床位数", "", ""]


def test_a_sheet_without_merges_has_none():
    assert grid_of(xlsx(BEDS)).sheets[0].merges == ()


def test_what_is_hidden_is_known_and_is_data_all_the_same():
    def hide(workbook):
        sheet = workbook.active
        sheet.row_dimensions[2].hidden = True
        sheet.column_dimensions["B"].hidden = True
        workbook.create_sheet("备用").append(["藏", 7])
        workbook["备用"].sheet_state = "hidden"

    first, second = grid_of(xlsx(BEDS, change=hide)).sheets
    assert (first.is_hidden, second.is_hidden) == (False, True)
    assert first.hidden_rows == {1}
    assert first.hidden_columns == {1}
    assert first.rows[1] == ["锦江区", "1234"]
    assert second.rows == [["藏", "7"]]


def test_what_is_hidden_in_an_old_workbook_is_known_too():
    def hide(workbook, sheet):
        sheet.row(2).hidden = True
        sheet.col(1).hidden = True
        workbook.add_sheet("备用").visibility = 1

    first, second = grid_of(xls(BEDS, change=hide)).sheets
    assert (first.hidden_rows, first.hidden_columns) == ({2}, {1})
    assert (first.is_hidden, second.is_hidden) == (False, True)


def test_an_old_workbook_reads_as_its_new_form_does():
    def merge(workbook, sheet):
        sheet.write_merge(3, 3, 0, 1, "注：快报数")

    rows = [*BEDS, ["注：快报数", None]]
    old = grid_of(xls(BEDS, change=merge))
    new = grid_of(xlsx(rows, change=lambda workbook: workbook.active.merge_cells("A4:B4")))
    assert old == new
    assert text_at(old, "表1!B3") == "987.5"


def test_an_old_workbook_keeps_dates_errors_and_results_of_formulas():
    import xlwt

    def fill(workbook, sheet):
        sheet.write(0, 0, datetime.date(2024, 3, 1), xlwt.easyxf(num_format_str="yyyy-mm-dd"))
        sheet.write(0, 1, True)

    first = texts_of(grid_of(xls([], change=fill)))[0]
    assert first == ["2024-03-01", "TRUE"]


def test_errors_of_an_old_workbook_are_told_as_the_office_sees_them():
    error = record(0x0205, struct.pack("<HHHBB", 0, 0, 0, 0x07, 1))
    formula = record(0x0006, struct.pack("<HHH", 0, 1, 0) + b"\x02\0\x2a\0\0\0\xff\xff" + struct.pack("<HIH", 0, 0, 0))
    rows = texts_of(grid_of(compound({"Workbook": biff(error + formula)})))
    assert rows == [["#DIV/0!", "#N/A"]]


def test_a_formula_of_an_old_workbook_whose_text_is_missing_is_no_blank():
    text_formula = record(0x0006, struct.pack("<HHH", 0, 0, 0) + b"\0\0\0\0\0\0\xff\xff" + struct.pack("<HIH", 0, 0, 0))
    number = record(0x0203, struct.pack("<HHHd", 0, 1, 0, 2.5))
    assert texts_of(grid_of(compound({"Workbook": biff(text_formula + number)}))) == [["=", "2.5"]]


def test_numbers_stored_as_text_and_dates_stay_what_they_say():
    rows = [["00123", " 1,234 ", "１２", datetime.date(2024, 3, 1), datetime.datetime(2024, 3, 1, 8, 30)]]
    assert texts_of(grid_of(xlsx(rows))) == [["00123", " 1,234 ", "１２", "2024-03-01", "2024-03-01T08:30:00"]]


def test_blank_rows_down_to_the_last_one_of_a_sheet_are_left_out():
    blank = b"".join(b'<row r="%d"><c r="A%d" s="1"/></row>' % (row, row) for row in range(2, 60_000))
    last = b'<row r="1048576" spans="1:2"><c r="A1048576" s="1"/></row>'
    grid = grid_of(sheet_with(b'<row r="1"><c r="A1"><v>1</v></c></row>' + blank + last))
    assert texts_of(grid) == [["1"]]


def test_a_large_sheet_is_measured_in_bulk_and_read():
    rows = b"".join(
        b'<row r="%d">' % row
        + b"".join(b'<c r="%s%d"><v>%d</v></c>' % (c, row, row) for c in (b"A", b"B", b"AB"))
        + b"</row>"
        for row in range(1, 120_001)
    )
    error = problem_of(sheet_with(rows))
    assert error.reason == "too_large"
    assert "reaches to row 120,000, column 28" in error.explanation
    assert len(grid_of(sheet_with(rows[: rows.index(b'<row r="30001">')])).sheets[0].rows) == 30_000


def test_a_protected_sheet_is_read():
    def protect(workbook):
        workbook.active.protection.set_password("secret")

    assert texts_of(grid_of(xlsx(BEDS, change=protect)))[1] == ["锦江区", "1234"]


def test_a_protected_old_sheet_is_read():
    def protect(workbook, sheet):
        sheet.protect, sheet.password = True, "secret"

    assert texts_of(grid_of(xls(BEDS, change=protect)))[1] == ["锦江区", "1234"]


@pytest.mark.parametrize(
    "streams",
    [
        pytest.param({"EncryptionInfo": b"x", "EncryptedPackage": b"y"}, id="new"),
        pytest.param({"Workbook": biff(b"", globals_=record(0x2F, b"\1\0\1\0"))}, id="old"),
    ],
)
def test_a_workbook_with_a_password_is_named(streams):
    error = problem_of(compound(streams))
    assert error.reason == "encrypted_file"
    assert "opens with a password only" in error.explanation


@pytest.mark.parametrize(
    ("streams", "reason", "says"),
    [
        ({"WordDocument": b"x"}, "unknown_carrier", "a Word document"),
        ({"Other": b"x"}, "unknown_carrier", "an old Office file without a workbook"),
        ({"Workbook": b"nonsense"}, "not_a_workbook", "Excel 4 or older, or its records are damaged"),
    ],
)
def test_other_old_office_files_are_named(streams, reason, says):
    error = problem_of(compound(streams))
    assert error.reason == reason
    assert says in error.explanation


def test_a_workbook_by_another_name_is_a_workbook():
    assert grid_of(xls(BEDS), file_name="报表.csv").carrier == "workbook"


def test_a_small_old_workbook_stands_in_small_sectors():
    stream = biff(record(0x0203, struct.pack("<HHHd", 0, 0, 0, 2.5)))
    assert len(stream) < 4096
    content = bytearray(compound({"Workbook": b""}))
    # The root entry becomes the container of small sectors, and the stream's entry counts in those.
    sectors = -(-len(stream) // 64)
    table = struct.pack("<128I", *range(1, sectors), 0xFFFFFFFE, *([0xFFFFFFFF] * (128 - sectors)))
    content[1024 : 1024 + len(stream)] = stream
    content[512 + 116 : 512 + 124] = struct.pack("<II", 1, 4096)
    content[512 + 128 + 116 : 512 + 128 + 124] = struct.pack("<II", 0, len(stream))
    table_sector = (len(content) - 512) // 512
    content[60:68] = struct.pack("<II", table_sector, 1)
    fat = len(content) - 512
    content[fat + 4 * table_sector : fat + 4 * table_sector + 4] = struct.pack("<I", 0xFFFFFFFE)
    assert texts_of(grid_of(bytes(content) + table)) == [["2.5"]]


def test_shared_texts_that_run_on_in_the_next_record_are_read():
    rows = [[f"{'很长的指标名称' * 40}{number}"] for number in range(300)]
    assert texts_of(grid_of(xls(rows))) == rows


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ("xl/workbook.bin", "a binary workbook (.xlsb), which is not read"),
        ("word/document.xml", "a Word document (.docx)"),
    ],
)
def test_packages_of_other_programs_are_named(part, says):
    from tests.returns.carrier_files import zipped

    assert says in problem_of(zipped({part: b"<x/>"})).explanation


def test_two_sheets_of_one_name_are_refused():
    import io
    import zipfile

    content = xlsx(BEDS, change=lambda workbook: workbook.create_sheet("表2").append([1]))
    book = zipfile.ZipFile(io.BytesIO(content)).read("xl/workbook.xml").decode()
    error = problem_of(repack({"xl/workbook.xml": book.replace("表2", "表1").encode()}, content))
    assert "the same name" in error.explanation


@pytest.mark.parametrize("start", [0, 1024 * 1024 - 1, 1024 * 1024, 3_000_000])
def test_a_mark_is_found_wherever_blocks_of_a_large_part_meet(start):
    from returns.carriers.byte_search import count_pair, has_far_reference, has_pair

    content = bytes(start) + b'AAA1 1111"<f' + bytes(5_000)
    assert has_pair(content, b"<f")
    assert not has_pair(content, b"<g")
    assert count_pair(content, b"<f") == 1
    assert has_far_reference(content, start, start + 4)
    assert has_far_reference(content, start + 5, len(content))
    assert not has_far_reference(content, start + 1, start + 9)


def test_a_formula_without_a_result_in_a_large_sheet_is_found():
    rows = b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (n, n) for n in range(1, 40_000))
    last = b'<row r="40000"><c r="A40000"><f>SUM(B1)</f></c></row>'
    assert texts_of(grid_of(sheet_with(rows + last)))[-1] == ["=SUM(B1)"]


def test_sheets_of_an_old_workbook_keep_their_order():
    numbers = [record(0x0203, struct.pack("<HHHd", 0, 0, 0, value)) for value in (1.5, 2.5, 3.5)]
    grid = grid_of(compound({"Workbook": biff(*numbers)}))
    assert [(sheet.name, sheet.rows) for sheet in grid.sheets] == [
        ("000", [["1.5"]]),
        ("001", [["2.5"]]),
        ("002", [["3.5"]]),
    ]


# --- percentages ---


def with_formats(**formats: str) -> bytes:
    """One cell each in column A: 0.853 under a format of numbers."""
    import io

    import openpyxl

    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row, code in enumerate(formats.values(), start=1):
        sheet.cell(row, 1, 0.853).number_format = code
    sheet.cell(len(formats) + 1, 1, "0.853").number_format = "0%"
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def test_a_number_that_is_shown_as_a_percentage_is_read_as_one():
    grid = grid_of(
        with_formats(plain="0.000", built_in="0%", two_places="0.00%", own="#,##0.0%", quoted='0.0"%"', none="General")
    )
    assert [row[0] for row in grid.sheets[0].rows] == ["0.853", "85.3%", "85.3%", "85.3%", "0.853", "0.853", "0.853"]


def test_a_percentage_loads_as_it_is_seen():
    import io

    import openpyxl

    from tests.returns.samples import as_workbook, make_return, read
    from tests.returns.test_reading import find, position

    sample = make_return()
    workbook = openpyxl.load_workbook(io.BytesIO(as_workbook(sample)))
    place = position(sample, "HLT_TOWNSHIP_BED_USE", "rural")
    cell = workbook.worksheets[0].cell(6, place + 3, 0.853)
    cell.number_format = "0.0%"
    buffer = io.BytesIO()
    workbook.save(buffer)
    assert find(read(buffer.getvalue()), "HLT_TOWNSHIP_BED_USE")["value"] == 85.3
