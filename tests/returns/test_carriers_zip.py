"""ZIPs of returns as they are mailed: names in GBK, a ZIP in the ZIP, scans beside the tables."""

from __future__ import annotations

import struct

import pytest

from tests.returns.carrier_files import BEDS, dumped, grid_of, problem_of, series, text_at, xls, xlsx, zipped


def test_the_sheets_of_all_members_stand_under_their_member_s_name():
    grid = grid_of(zipped({"附件1.xlsx": xlsx(BEDS), "附件2.xls": xls([["地区", 7]], "表2")}))
    assert grid.carrier == "workbook"
    assert [sheet.name for sheet in grid.sheets] == ["附件1.xlsx/表1", "附件2.xls/表2"]
    assert text_at(grid, "附件1.xlsx/表1!B2") == "1234"
    assert text_at(grid, "附件2.xls/表2!B1") == "7"


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "gb18030"])
def test_names_of_members_are_read_whatever_their_encoding(encoding):
    content = zipped({"四川省/床位数.csv": "地区,1\n".encode("gbk")}, encoding)
    assert text_at(grid_of(content), "四川省/床位数.csv!row 1 col 2") == "1"


def test_a_zip_in_the_zip_is_read_once():
    inner = zipped({"表.xlsx": xlsx(BEDS)})
    assert text_at(grid_of(zipped({"内.zip": inner})), "内.zip/表.xlsx/表1!A2") == "锦江区"
    error = problem_of(zipped({"外.zip": zipped({"内.zip": inner})}))
    assert error.reason == "hostile_file"
    assert "a ZIP stands in a ZIP that stands in a ZIP" in error.explanation


def test_scans_and_letters_are_left_out_and_named():
    members = {"说明.pdf": b"%PDF-1.7", "函.docx": zipped({"word/document.xml": b"<x/>"}), "表.xlsx": xlsx(BEDS)}
    grid = grid_of(zipped(members))
    assert len(grid.sheets) == 1
    assert (
        grid.facts["skipped"]
        == "说明.pdf: the bytes are a PDF document; 函.docx: the bytes are a Word document (.docx)"
    )


def test_what_archivers_leave_behind_is_no_member():
    content = zipped({"__MACOSX/._表.xlsx": b"\0\5\26\7", "Thumbs.db": b"x", ".DS_Store": b"x", "表.xlsx": xlsx(BEDS)})
    grid = grid_of(content)
    assert len(grid.sheets) == 1
    assert "skipped" not in grid.facts


def test_members_of_different_kinds_are_named():
    error = problem_of(zipped({"a.xlsx": xlsx(BEDS), "b.csv": b"a,1\n"}))
    assert error.reason == "not_a_workbook"
    assert "different kinds: workbook (a.xlsx), csv (b.csv)" in error.explanation


def test_a_member_that_cannot_be_read_fails_the_whole_by_name():
    error = problem_of(zipped({"好.xlsx": xlsx(BEDS), "坏.xlsx": xlsx(BEDS)[:500]}))
    assert error.reason == "not_a_workbook"
    assert error.explanation.startswith("坏.xlsx: ")


def test_an_archive_whose_kind_is_not_read_fails_the_whole_since_it_may_hold_figures():
    error = problem_of(zipped({"好.xlsx": xlsx(BEDS), "数据.rar": b"Rar!\x1a\x07"}))
    assert error.reason == "unknown_carrier"
    assert "数据.rar: the bytes are a RAR archive" in error.explanation


def test_answers_keep_their_addresses():
    assert text_at(grid_of(zipped({"a.json": dumped(series())})), "a.json!$.data[0].values[0].value") == "52073.4"


def test_an_encrypted_member_is_named():
    content = bytearray(zipped({"a.xlsx": xlsx(BEDS)}))
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 8] |= 1
    error = problem_of(bytes(content))
    assert error.reason == "encrypted_file"
    assert "member 'a.xlsx' of the ZIP is encrypted" in error.explanation


def test_a_symbolic_link_is_refused():
    content = bytearray(zipped({"a.csv": b"/etc/passwd"}))
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 38 : entry + 42] = struct.pack("<I", 0o120777 << 16)
    error = problem_of(bytes(content))
    assert error.reason == "hostile_file"
    assert "symbolic link" in error.explanation


@pytest.mark.parametrize("name", ["../a.csv", "/etc/a.csv", "x/../../a.csv", "..\\a.csv", "C:\\a.csv"])
@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_a_member_that_points_outside_is_refused(name, encoding):
    error = problem_of(zipped({name: b"a,1\n"}, encoding))
    assert error.reason == "hostile_file"
    assert "points outside" in error.explanation


def test_members_that_differ_in_case_only_are_refused():
    assert "stands twice" in problem_of(zipped({"A.csv": b"a,1\n", "a.csv": b"a,2\n"})).explanation


def test_a_hundred_and_one_members_are_too_many():
    assert "101 members" in problem_of(zipped({f"{n}.csv": b"a,1\n" for n in range(101)})).explanation


def test_an_empty_zip_is_named():
    error = problem_of(zipped({}))
    assert error.reason == "not_a_workbook"
    assert "holds no workbook or other table" in error.explanation
