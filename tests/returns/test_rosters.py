"""The roster of schools on a second sheet: what is read of it, what is set aside and why, and that no cell is lost."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from returns.reading import ReadResult
from returns.reasons import CELL_REASONS
from returns.rosters import load_roster
from returns.rosters.reading import items_of
from tests.returns.samples import CATALOGUE, FOOTER, as_workbook, make_return, read
from warehouse.schools import ROSTER_COLUMNS

FORM, PERIOD = "education_school_year", "SY2024"
ITEMS = items_of(CATALOGUE)
TITLE = "四川省2024/2025学年初基础教育统计报表附表：学校名册"
STUB = ["学校代码", "学校名称", "区划代码", "县（市、区）", "学段"]
UNITS = {"person": "人", "m2": "平方米", "CNY": "元", "room": "间"}
HEADER = [
    *STUB,
    "在校生数（人）",
    *(f"{line.amount_zh}（{UNITS[line.amount_unit]}）" for line in CATALOGUE.school_lines),
]
CHENGDU = ["510104", "锦江区"]
FIGURES = ["500e", "30e", "8", "6", "2400.5e", "4000e", "1200000e", ""]
ONE = ["5101041001", "锦江区第1小学", *CHENGDU, "小学", *FIGURES]
TWO = ["5101042001", "锦江区第1初级中学", *CHENGDU, "初中", *FIGURES]
FIRST = 3
"""The row of the first school, as a workbook counts."""
MAIN = make_return(FORM, PERIOD)
CELLS = len(MAIN.rows) * len(MAIN.columns)

Sheet = list[list[Any]]


def sheet_of(*schools: list[Any]) -> Sheet:
    return [[TITLE], list(HEADER), *(list(school) for school in schools), *([note] for note in FOOTER)]


def workbook(*sheets: Sheet, names: tuple[str, ...] = ("学校名册", "学校名册（续）")) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(as_workbook(MAIN)))
    for name, rows in zip(names, sheets, strict=False):
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append([None if text == "" else text for text in row])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def read_roster(*sheets: Sheet) -> ReadResult:
    """The return with these sheets; all of its main table is read."""
    result = read(workbook(*sheets), FORM, PERIOD)
    assert len(result.observations) == CELLS
    assert result.verdicts["problem"].isna().all()
    count = len(result.roster) + len(result.quarantined) + result.verdicts["duplicates"].sum()
    assert result.verdicts["cells"].sum() == CELLS + count
    return result


def changed(row: list[Any], place: int, text: Any) -> list[Any]:
    return [*row[:place], text, *row[place + 1 :]]


def aside(result: ReadResult) -> list[tuple[str, str, str]]:
    """(address, text, reason) of what could not be used."""
    return list(result.quarantined[["address", "raw_text", "reason"]].itertuples(index=False, name=None))


# --- what is read ---


def test_a_school_s_figures_are_read_with_their_cells() -> None:
    roster = read_roster(sheet_of(ONE)).roster
    assert tuple(roster.columns) == ROSTER_COLUMNS
    assert roster["item"].tolist() == list(ITEMS)
    assert set(
        roster[["region_code", "period_code", "school_code", "school_name", "stage"]].itertuples(index=False, name=None)
    ) == {("510104", "SY2024", "5101041001", "锦江区第1小学", "primary")}
    assert roster["value"].tolist()[:7] == [500, 30, 8, 6, 2400.5, 4000, 1_200_000]
    assert roster["value"].isna().tolist() == [False] * 7 + [True]
    assert roster["obs_status"].tolist() == ["E", "E", "A", "A", "E", "E", "E", "M"]
    assert roster["address"].tolist() == [f"学校名册!{letter}{FIRST}" for letter in "FGHIJKLM"]
    assert roster["raw_text"].tolist() == FIGURES


def test_a_return_without_a_roster_has_none() -> None:
    result = read(as_workbook(MAIN), FORM, PERIOD)
    assert result.roster.empty
    assert tuple(result.roster.columns) == ROSTER_COLUMNS


def test_a_nine_year_school_stands_in_both_stages() -> None:
    roster = read_roster(sheet_of(ONE, changed(ONE, 4, "初中"))).roster
    assert roster.groupby("stage", observed=True).size().to_dict() == {"primary": 8, "junior_secondary": 8}


def test_columns_are_read_by_their_headers_whatever_their_order_and_unit() -> None:
    order = [*range(6), *reversed(range(6, 13))]
    header = ["教学仪器设备值（万元）" if "设备" in text else text for text in HEADER]
    school = changed(ONE, 11, "120e")
    rows = [[TITLE], [header[place] for place in order], [school[place] for place in order], [FOOTER[-1]]]
    roster = read_roster(rows).roster.set_index("item")
    assert roster.loc["EQUIPMENT_VALUE", ["value", "address"]].tolist() == [1_200_000, "学校名册!H3"]
    assert roster.loc["QUALIFIED_TEACHERS", "value"] == 30


def test_a_roster_goes_on_on_a_second_sheet_under_its_header() -> None:
    roster = read_roster(sheet_of(ONE), sheet_of(TWO)).roster
    assert roster["address"].str.partition("!")[0].unique().tolist() == ["学校名册", "学校名册（续）"]


def test_a_header_that_stands_again_is_no_school() -> None:
    assert len(read_roster([[TITLE], HEADER, ONE, HEADER, TWO, [FOOTER[-1]]]).roster) == 16


def test_a_repeat_counts_and_says_nothing() -> None:
    result = read_roster(sheet_of(ONE, TWO, ONE))
    assert (len(result.roster), result.verdicts["duplicates"].sum(), aside(result)) == (16, 8, [])


# --- bad cells ---


@pytest.mark.parametrize(
    ("text", "reason", "says"),
    [
        ("约12", "not_a_number", "'约12' is not a number"),
        ("#DIV/0!", "not_a_number", "spreadsheet error"),
        ("-12", "negative_amount", "'-12' is under 0"),
        ("—", "unknown_dash", "is a dash"),
        ("5%", "not_a_number", "percentage"),
    ],
)
def test_a_bad_figure_is_set_aside_alone(text: str, reason: str, says: str) -> None:
    result = read_roster(sheet_of(changed(ONE, 7, text), TWO))
    assert aside(result) == [(f"学校名册!H{FIRST}", text, reason)]
    assert says in result.quarantined["explanation"].iloc[0]
    assert result.quarantined["explanation_zh"].iloc[0].startswith("510000/education")
    assert len(result.roster) == 15


@pytest.mark.parametrize(
    ("place", "text", "reason"),
    [
        pytest.param(2, "999999", "unknown_region", id="county in no list"),
        pytest.param(2, "510000", "wrong_region_name", id="not the county's name"),
        pytest.param(2, "110101", "wrong_province", id="another province's"),
        pytest.param(4, "高中", "unknown_stage", id="stage"),
        pytest.param(4, "", "unknown_stage", id="no stage"),
        pytest.param(0, "", "unknown_school", id="no code"),
        pytest.param(0, "甲一", "unknown_school", id="code that is none"),
        pytest.param(1, "", "unknown_school", id="no name"),
    ],
)
def test_a_row_of_which_nobody_can_tell_the_school_is_set_aside(place: int, text: str, reason: str) -> None:
    result = read_roster(sheet_of(changed(ONE, place, text), TWO))
    assert [row[2] for row in aside(result)] == [reason] * 8
    assert [row[0] for row in aside(result)] == [f"学校名册!{letter}{FIRST}" for letter in "FGHIJKLM"]
    assert set(result.roster["stage"]) == {"junior_secondary"}


def test_a_school_of_the_province_is_of_no_county() -> None:
    result = read_roster(sheet_of([*ONE[:2], "510000", "四川省", *ONE[4:]], TWO))
    assert {row[2] for row in aside(result)} == {"unknown_region"}


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(changed(ONE, 5, "501e"), id="another figure"),
        pytest.param(changed(ONE, 5, "500"), id="another status"),
        pytest.param([*ONE[:2], "510105", "青羊区", *ONE[4:]], id="another county"),
        pytest.param(changed(ONE, 1, "锦江区第2小学"), id="another name"),
    ],
)
def test_of_a_school_that_stands_twice_differently_neither_row_is_believed(other: list[Any]) -> None:
    result = read_roster(sheet_of(ONE, other, TWO))
    assert [row[2] for row in aside(result)] == ["unequal_duplicates"] * 16
    assert len(result.roster) == 8


def test_a_text_outside_is_a_stray() -> None:
    rows = sheet_of([*ONE, "见附件"], TWO)
    rows.insert(1, ["内部资料"])
    result = read_roster(rows)
    assert sorted(aside(result)) == [("学校名册!A2", "内部资料", "stray_cell"), ("学校名册!N4", "见附件", "stray_cell")]
    assert len(result.roster) == 16


# --- a roster that is set aside whole ---


def without(column: int) -> Sheet:
    return [row[:column] + row[column + 1 :] if len(row) > 1 else row for row in sheet_of(ONE)]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        pytest.param([[TITLE.replace("2024/2025", "2023/2024")], *sheet_of(ONE)[1:]], "wrong_period", id="last year's"),
        pytest.param([[TITLE.replace("四川", "云南")], *sheet_of(ONE)[1:]], "wrong_province", id="another province's"),
        pytest.param([[TITLE.replace("基础教育", "卫生健康")], *sheet_of(ONE)[1:]], "wrong_form", id="another form's"),
        pytest.param(sheet_of(ONE)[1:], "unknown_period", id="no title"),
        pytest.param(
            [[TITLE], changed(HEADER, 7, "未知指标（人）"), ONE, [FOOTER[-1]]], "unknown_header", id="unknown column"
        ),
        pytest.param([[TITLE], changed(HEADER, 7, HEADER[6]), ONE, [FOOTER[-1]]], "unknown_header", id="column twice"),
        pytest.param(
            [[TITLE], changed(HEADER, 9, "教学及辅助用房面积（斤）"), ONE, [FOOTER[-1]]], "unknown_unit", id="unit"
        ),
        pytest.param(without(12), "missing_header", id="column missing"),
        pytest.param(without(4), "missing_header", id="stub missing"),
        pytest.param(sheet_of(), "no_rows", id="no school"),
        pytest.param(sheet_of(ONE)[:-1], "truncated", id="cut off"),
    ],
)
def test_a_roster_that_cannot_be_read_is_one_cell_in_quarantine_and_its_return_is_loaded(
    rows: Sheet, reason: str
) -> None:
    result = read_roster(rows)
    assert aside(result) == [("学校名册", "", reason)]
    assert result.roster.empty
    assert "the roster '学校名册' is set aside" in result.quarantined["explanation"].iloc[0]


def test_the_roster_of_a_return_that_is_set_aside_is_set_aside_with_it() -> None:
    result = read(workbook(sheet_of(ONE)), FORM, "SY2025")
    assert (len(result.roster), len(result.observations), result.verdicts["cells"].sum()) == (0, 0, 1)
    assert aside(result) == [("", "", "wrong_period")]


def test_any_other_sheet_is_still_an_error_of_the_return() -> None:
    result = read(workbook(sheet_of(ONE), [["备注"]], names=("学校名册", "其他")), FORM, PERIOD)
    assert result.verdicts["problem"].tolist() == ["unknown_sheet"]


# --- layout and conservation ---


def test_the_layout_s_aliases_and_stages_are_the_catalogue_s() -> None:
    layout = load_roster("school_roster")
    assert set(layout.aliases.values()) <= set(ITEMS)
    assert set(layout.stages) == set(CATALOGUE.school_stages)


anything = st.sampled_from(
    ["", "12", "12e", "-5", "约12", "—", "…", "小学", "初中", "510104", "锦江区", "注：", "填表人："]
)
more_rows = st.lists(st.lists(anything | st.none(), min_size=0, max_size=15), max_size=6)


@settings(max_examples=25, deadline=None)
@given(more_rows, st.lists(st.tuples(st.integers(0, 12), anything), max_size=5))
def test_no_cell_of_any_roster_is_lost(rows: list[list[Any]], changes: list[tuple[int, str]]) -> None:
    schools = [list(ONE), list(TWO), list(ONE)]
    for number, (place, text) in enumerate(changes):
        schools[number % 3][place] = text
    made = [
        [TITLE],
        HEADER,
        *schools,
        *[["" if text is None else text for text in row] for row in rows],
        [FOOTER[-1]],
    ]
    result = read_roster(made)  # asserts that all cells are somewhere
    assert set(result.quarantined["reason"]) <= set(CELL_REASONS)
    assert not result.roster.duplicated(["school_code", "stage", "item"]).any()
    assert (result.roster["value"].dropna() >= 0).all()
    assert pd.concat([result.roster["address"], result.quarantined["address"]]).is_unique
