"""The grid as workbook, CSV and JSON: layout, figures, determinism."""

import io
import json

import openpyxl
import python_calamine

from sandbox.carriers import make_csv, make_pages, make_workbook
from sandbox.periods import ReturnPeriod
from sandbox.tables import Column, ReturnTable, TableMaker
from sandbox.workbooks import column_letters

TABLE = ReturnTable(
    form="health_annual",
    period_code="2024",
    title="四川省2024年卫生健康统计年报",
    columns=(Column("医院数", "合计", "个"), Column("床位数", "合计", "万张"), Column("床位数", "城市", "万张")),
    region_codes=("510000", "510104"),
    region_names=("四川省", "锦江区"),
    rows=(("2421", "71.490", ""), ("28e", "0.7473e", "0.7473e")),
    footnotes=("注：1. 数字后的 e 表示估计数。",),
)


def test_a_workbook_shows_title_units_merged_header_and_figures() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(make_workbook(TABLE)))["表1"]
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    assert rows[0][0] == "四川省2024年卫生健康统计年报"
    assert rows[1][-1] == "计量单位：个、万张"
    assert rows[2] == ["区划代码", "地区", "医院数（个）", "床位数（万张）", None]
    assert rows[3] == [None, None, "合计", "合计", "城市"]
    assert rows[4] == ["510000", "四川省", 2421, 71.49, None]
    assert rows[5] == ["510104", "锦江区", "28e", "0.7473e", "0.7473e"]
    assert rows[6][0] == "注：1. 数字后的 e 表示估计数。"
    assert {str(each) for each in sheet.merged_cells.ranges} == {"A1:E1", "A3:A4", "B3:B4", "D3:E3"}


def test_a_number_keeps_its_printed_decimals_as_format() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(make_workbook(TABLE)))["表1"]
    assert sheet["D5"].number_format == "0.000"


def test_calamine_reads_the_same_cells() -> None:
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(make_workbook(TABLE)))
    rows = book.get_sheet_by_name("表1").to_python()
    assert rows[4] == ["510000", "四川省", 2421.0, 71.49, ""]
    assert book.get_sheet_by_name("表1").merged_cell_ranges is not None


def test_a_csv_is_the_same_grid_in_gb18030() -> None:
    lines = make_csv(TABLE).decode("gb18030").split("\r\n")
    assert lines[0] == "四川省2024年卫生健康统计年报,,,,"
    assert lines[2] == "区划代码,地区,医院数（个）,床位数（万张）,"
    assert lines[4] == "510000,四川省,2421,71.490,"
    assert lines[5] == "510104,锦江区,28e,0.7473e,0.7473e"


def test_json_comes_in_pages_of_one_line() -> None:
    pages = make_pages(TABLE, size=1)
    data = [json.loads(page)["data"] for page in pages]
    assert [page.count(b"\n") for page in pages] == [0, 0]
    assert (data[0]["total"], data[1]["page"], data[1]["size"]) == (2, 2, 1)
    assert data[0]["columns"][2] == {"field": "f03", "name": "床位数", "area": "城市", "unit": "万张"}
    assert data[0]["rows"] == [
        {"region_code": "510000", "region_name": "四川省", "f01": "2421", "f02": "71.490", "f03": ""}
    ]


def test_the_same_table_gives_the_same_bytes() -> None:
    assert make_workbook(TABLE) == make_workbook(TABLE)


def test_a_county_figure_in_ten_thousands_keeps_whole_base_units(maker: TableMaker) -> None:
    form, province = maker.reference.forms["employment_annual"], maker.reference.province_by_code["510000"]
    table = maker.make(form, province, ReturnPeriod(2024, 12, "A"))
    column = [(each.name, each.area) for each in table.columns].index(("年末常住人口", "合计"))
    persons = [round(float(row[column].removesuffix("e")) * 10_000) for row in table.rows]
    assert sum(persons[1:]) == persons[0] == 83_640_000


def test_columns_past_z_have_two_letters() -> None:
    assert [column_letters(place) for place in (0, 25, 26, 51, 52, 701, 702)] == [
        "A",
        "Z",
        "AA",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
    ]
