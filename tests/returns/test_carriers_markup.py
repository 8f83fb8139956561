"""Web pages and XML named .xls, as report systems write them."""

from __future__ import annotations

import pytest

from tests.returns.carrier_files import grid_of, problem_of, text_at, texts_of

PAGE = """<html><head><meta http-equiv="Content-Type" content="text/html; charset=gb2312"><title>床位</title>
<style>td {{mso-number-format:"<table>"}}</style><!-- <table><tr><td>旧</td></tr></table> --></head>
<body><table border=1>{}</table></body></html>"""


def page(rows: str, encoding: str = "gbk") -> bytes:
    return PAGE.format(rows).encode(encoding)


def rows_of(rows: str) -> list[list[str]]:
    return texts_of(grid_of(page(rows)))


def test_a_table_named_xls_is_read_in_its_own_charset():
    grid = grid_of(
        page("<tr><td>地区</td><td>床位数</td></tr><tr><td>锦江区</td><td>1,234</td></tr>"), file_name="床位.xls"
    )
    assert grid.carrier == "html"
    assert texts_of(grid) == [["地区", "床位数"], ["锦江区", "1,234"]]
    assert grid.facts["page_title"] == "床位"
    assert text_at(grid, "row 2 col 2") == "1,234"


def test_spans_leave_blanks_and_are_told_as_merges():
    grid = grid_of(
        page(
            "<tr><th rowspan=2>地区</th><th colspan='2'>床位数</th></tr><tr><th>城市</th><th>农村</th></tr>"
            "<tr><td>锦江区</td><td>1</td><td>2</td></tr>"
        )
    )
    assert texts_of(grid) == [["地区", "床位数", ""], ["", "城市", "农村"], ["锦江区", "1", "2"]]
    assert set(grid.sheets[0].merges) == {(0, 0, 1, 0), (0, 1, 0, 2)}


def test_a_cell_that_spans_rows_below_the_table_ends_with_it():
    grid = grid_of(page("<tr><td rowspan=60000>a</td><td>b</td></tr><tr><td>c</td></tr>"))
    assert texts_of(grid) == [["a", "b"], ["", "c"]]
    assert grid.sheets[0].merges == ((0, 0, 1, 0),)


def test_end_tags_may_be_missing():
    assert rows_of("<tr><td>地区<td>数<tr><td>北京<td>1") == [["地区", "数"], ["北京", "1"]]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("<font color=red>12</font>.3", "12.3"),
        ("城&nbsp;&lt;乡&#8212;", "城\xa0<乡—"),
        ("卫生<br>技术\n  人员", "卫生\n技术 人员"),
        ("<p>12</p>", "12"),
        ('<span style="mso-spacerun:yes">&nbsp;</span>7', "\xa07"),
        ("a < 5 > b", "a < 5 > b"),
        ("<script>var x = '<td>9</td>';</script>8", "8"),
        ("", ""),
    ],
)
def test_the_text_of_a_cell_is_what_a_reader_sees(cell, text):
    assert rows_of(f"<tr><td>x</td><td title='a>b' x:num=\"1\">{cell}</td><td>y</td></tr>") == [["x", text, "y"]]


def test_several_tables_are_several_sheets():
    content = page("<tr><td>甲</td></tr></table><table></table><table><tr><td>乙</td><td>1</td></tr>")
    grid = grid_of(content)
    assert [sheet.name for sheet in grid.sheets] == ["table 1", "table 2"]
    assert text_at(grid, "table 2!row 1 col 2") == "1"


def test_a_table_within_a_table_stands_alone():
    content = page("<tr><td><table><tr><td>地区</td><td>1</td></tr></table></td></tr>")
    assert texts_of(grid_of(content)) == [["地区", "1"]]


def test_texts_around_a_table_are_rows_of_it():
    content = (
        "<html><h3>表1 床位数</h3><p>单位：张</p><table><tr><td>北京</td><td>1</td></tr></table><p>注：快报</p></html>"
    )
    grid = grid_of(content.encode())
    assert texts_of(grid) == [["表1 床位数"], ["单位：张"], ["北京", "1"], ["注：快报"]]
    assert text_at(grid, "row 1 col 2") == "1"
    assert text_at(grid, "text 3 col 1") == "注：快报"


def test_hidden_rows_are_known():
    assert grid_of(page("<tr><td>a</td></tr><tr style='display:none'><td>b</td></tr>")).sheets[0].hidden_rows == {1}


def test_a_page_that_declares_nothing_is_read_by_the_hint():
    content = "<table><tr><td>臺北</td></tr></table>".encode("big5")
    assert texts_of(grid_of(content, encoding="big5")) == [["臺北"]]


@pytest.mark.parametrize(
    "content",
    [
        "<html><title>统一身份认证</title><form><input name=u><input type='password'></form></html>",
        "<html><body><table><tr><td>用户名</td><td><input></td></tr><tr><td>密码</td><td><input type=password></td></tr></table>",
        "<!DOCTYPE html><html><head><title>系统登录</title></head><body><div id=app></div></body></html>",
    ],
)
def test_a_login_page_is_named(content):
    error = problem_of(content.encode(), file_name="报表.xls")
    assert error.reason == "login_page"
    assert "the platform sent its login page" in error.explanation


def test_a_table_of_figures_that_speaks_of_logins_is_none():
    content = page("<tr><td>平台登录人次</td><td>1</td></tr><tr><td>北京</td><td>2</td></tr>")
    assert grid_of(content).carrier == "html"


def test_a_page_without_a_table_is_named_with_the_name_it_came_by():
    error = problem_of(b"<html><body>404 Not Found</body></html>", file_name="2024.xlsx")
    assert error.reason == "not_a_workbook"
    assert error.explanation == "the bytes are a web page (HTML) without a table (the file is named .xlsx)"


XML = """<?xml version="1.0" encoding="{}"?><?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"
 xmlns:x="urn:schemas-microsoft-com:office:excel"><Worksheet ss:Name="表1"><Table>{}</Table></Worksheet></Workbook>"""


def xml(rows: str, encoding: str = "utf-8") -> bytes:
    return XML.format(encoding, rows).encode(encoding)


def test_a_workbook_in_xml_is_a_workbook():
    rows = (
        '<Row><Cell ss:MergeAcross="1"><Data ss:Type="String">床位数 &amp; 机构</Data></Cell></Row>'
        '<Row ss:Index="3" ss:Hidden="1"><Cell><Data ss:Type="Number">12.5</Data></Cell>'
        '<Cell ss:Index="4"><Data ss:Type="DateTime">2024-03-01T00:00:00.000</Data></Cell></Row>'
    )
    grid = grid_of(xml(rows), file_name="床位.xls")
    assert grid.carrier == "workbook"
    assert texts_of(grid) == [["床位数 & 机构"], [], ["12.5", "", "", "2024-03-01"]]
    assert grid.sheets[0].merges == ((0, 0, 0, 1),)
    assert grid.sheets[0].hidden_rows == {2}
    assert text_at(grid, "表1!D3") == "2024-03-01"


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16"])
def test_a_workbook_in_xml_may_declare_another_encoding(encoding):
    assert texts_of(grid_of(xml("<Row><Cell><Data>北京</Data></Cell></Row>", encoding))) == [["北京"]]


@pytest.mark.parametrize(
    ("rows", "reason", "says"),
    [
        ("<Row><Cell><Data>1</Data></Cell>", "not_a_workbook", "broken or cut off"),
        ('<Row><Cell ss:Index="99999999"/></Row>', "too_large", "beyond any sheet"),
        ('<Row ss:Index="0"><Cell/></Row>', "too_large", "beyond any sheet"),
        ('<Row ss:Index="1048576"><Cell/></Row><Row/>', "too_large", "cells"),
        ("<Cell/>", "not_a_workbook", "outside of any row"),
    ],
)
def test_a_workbook_in_xml_that_is_broken_or_too_large_is_named(rows, reason, says):
    error = problem_of(xml(rows))
    assert error.reason == reason
    assert says in error.explanation


def test_a_workbook_in_xml_with_entities_is_refused():
    content = xml("").replace(b"<?mso", b'<!DOCTYPE x [<!ENTITY a "b">]><?mso')
    assert problem_of(content).reason == "hostile_file"
