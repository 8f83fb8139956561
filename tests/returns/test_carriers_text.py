"""Delimited text as it comes: exports of the statistics office, spreadsheets' CSV in four encodings, broken quotes."""

from __future__ import annotations

import pytest

from returns.carriers.encoding import decode_text
from tests.returns.carrier_files import grid_of, problem_of, text_at, texts_of

EXPORT = (
    "数据库：分省年度数据 \n时间：2021年 \n地区\t,床位数 (万张) \t,卫生机构数 (个) \t,\n北京市\t,13.0\t,10699\t,\n"
    "天津市\t,\t,6076\t,\n注：1. 床位数为年末数。\n数据来源：国家统计局"
)


def test_an_export_of_the_statistics_office_is_read_with_its_texts_as_sent():
    rows = texts_of(grid_of(EXPORT.encode()))
    assert rows[0] == ["数据库：分省年度数据 "]
    assert rows[2] == ["地区\t", "床位数 (万张) \t", "卫生机构数 (个) \t"]
    assert rows[4] == ["天津市\t", "\t", "6076\t"]
    assert rows[-1] == ["数据来源：国家统计局"]


def test_the_comma_that_ends_each_line_makes_no_column():
    (sheet,) = grid_of(EXPORT.encode()).sheets
    assert len(sheet.column_labels) == 3
    assert max(map(len, sheet.rows)) == 3


def test_a_last_column_with_a_header_is_a_column_though_no_row_has_a_figure():
    assert texts_of(grid_of("地区,床位数\n北京,\n".encode()))[1] == ["北京", ""]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", b"\xef\xbb\xbf" * 2], ids=["none", "one", "two"])
def test_byte_order_marks_are_no_text(mark):
    assert texts_of(grid_of(mark + EXPORT.encode()))[0] == ["数据库：分省年度数据 "]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "gbk", "utf-16", "utf-8-sig"])
def test_every_encoding_of_an_office_gives_the_same_texts(encoding):
    assert texts_of(grid_of(EXPORT.encode(encoding))) == texts_of(grid_of(EXPORT.encode()))


def test_utf_16_with_the_high_byte_first_is_read():
    assert texts_of(grid_of(b"\xfe\xff" + "地区,1\n".encode("utf-16-be"))) == [["地区", "1"]]


def test_a_character_beyond_gbk_is_kept():
    assert texts_of(grid_of("㐂村,1\n".encode("gb18030"))) == [["㐂村", "1"]]


def test_the_hint_of_the_register_counts_where_the_bytes_leave_it_open():
    big5 = "臺北,1\n".encode("big5")
    assert texts_of(grid_of(big5, encoding="big5")) == [["臺北", "1"]]
    assert texts_of(grid_of("地区,1\n".encode(), encoding="big5")) == [["地区", "1"]]
    assert texts_of(grid_of("地区,1\n".encode("gbk"), encoding="no such charset")) == [["地区", "1"]]


@pytest.mark.parametrize("hint", ["hex", "base64", "rot13", "utf-7", "idna", "\0", "x" * 10_000])
def test_a_hint_of_no_charset_of_texts_does_no_harm(hint):
    assert decode_text("地区".encode("gbk"), hint) == "地区"


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_the_delimiter_is_found(delimiter):
    text = delimiter.join(["地区", "床位数"]) + "\n" + delimiter.join(["北京", "1"]) + "\n"
    assert texts_of(grid_of(text.encode())) == [["地区", "床位数"], ["北京", "1"]]


@pytest.mark.parametrize("name", ["报表.xls", "报表.xlsx", "报表.html", ""])
def test_text_by_any_name_is_text(name):
    assert grid_of(b"a\tb\n1\t2\n", file_name=name).carrier == "csv"


def test_a_quoted_field_of_several_lines_is_one_text():
    rows = texts_of(grid_of('"床位数\n（张）","a ""b"" c"\n1,2\n'.encode()))
    assert rows == [["床位数\n（张）", 'a "b" c'], ["1", "2"]]


def test_an_address_is_row_and_column():
    assert text_at(grid_of(b"a,b\n1,2\n"), "row 2 col 2") == "2"


@pytest.mark.parametrize(
    "note",
    [
        '"注：原指标"床位",现称床位数',
        "注：原指标,\"床位'改称",
        '"注：未完',
    ],
)
def test_a_quote_that_does_not_close_in_a_note_stays_in_its_line(note):
    grid = grid_of(f"地区,数\n{note}\n北京,1\n天津,2\n".encode())
    rows = texts_of(grid)
    assert grid.facts["open_quotes"] == "line 2"
    assert rows[1] == note.split(",")
    assert rows[2:] == [["北京", "1"], ["天津", "2"]]


def test_a_quote_that_opens_in_a_note_and_closes_below_swallows_no_figures():
    rows = texts_of(grid_of('地区,数\n"注：甲\n北京,1\n天津,2\n注：乙"\n'.encode()))
    assert ["北京", "1"] in rows
    assert ["天津", "2"] in rows


def test_a_quote_that_does_not_close_among_figures_names_the_line():
    error = problem_of('地区,数,数\n北京,1,2\n天津,"3,4\n'.encode())
    assert error.reason == "unreadable_text"
    assert "line 3 of the text is no CSV: a quote in it does not close" in error.explanation


def test_other_quoted_fields_of_a_text_with_a_broken_note_are_read():
    rows = texts_of(grid_of('"地\n区","a,b"\n"注：未完\n"北京",1\n'.encode()))
    assert rows == [["地\n区", "a,b"], ['"注：未完'], ["北京", "1"]]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"1," * 30_000 + b"\n", "too_large", id="30,000 columns"),
        pytest.param(b"1,1\n" * 600_000, "too_large", id="1,200,000 cells"),
        pytest.param(b'"a\n' * 300, "unreadable_text", id="300 open quotes"),
        pytest.param(b'"' + b"x" * 1_500_000, "unreadable_text", id="a line of 1.5 MB"),
    ],
)
def test_texts_larger_or_more_broken_than_any_return_are_refused(content, reason):
    assert problem_of(content).reason == reason


def test_a_text_cut_off_within_a_character_is_named():
    error = problem_of(EXPORT.encode()[:-1])
    assert error.reason == "unreadable_text"
    assert "cut off within its last character" in error.explanation
