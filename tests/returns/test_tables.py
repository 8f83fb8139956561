"""Tables as offices draw them: headers of several rows, blocks side by side, continued tables, notes and strays."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import pytest

from returns import Arrival, ReadResult, read_returns
from returns.layouts import Layout
from tests.returns.samples import CATALOGUE

TITLE = "表3-2  2024年各县（市、区）医疗卫生机构床位数"
AREAS = {"total": ["合计"], "urban": ["城市"], "rural": ["农村"]}
BASE: dict[str, Any] = {
    "layout": "county_table",
    "version": 1,
    "description": "a table of a yearbook",
    "carriers": ["csv", "workbook"],
    "columns": "open",
    "title": r"表3-2(?P<period>20\d\d年)\D+",
    "caption": "单位[:：](?P<units>.+)",
    "anchor": {"name": "地区"},
    "header": ["name", "area"],
    "areas": AREAS,
    "footers": ["注[:：].*"],
}


def layout(**changes: Any) -> Layout:
    return Layout.model_validate(BASE | changes)


def read(rows: Sequence[Sequence[str]], one: Layout | None = None, name: str = "表.csv") -> ReadResult:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    content = buffer.getvalue().encode()
    arrival = Arrival(1, "510000/health", "health", "", "510000", "", "0" * 64, name, "")
    return read_returns([arrival], lambda _: content, CATALOGUE, [one or layout()])


def figures(result: ReadResult) -> dict[tuple[str, str, str, str], float]:
    """(indicator, region, period, area) → value."""
    keys = ["indicator_code", "region_code", "period_code", "area_type"]
    rows = result.observations[[*keys, "value"]].astype(dict.fromkeys(keys, str)).to_numpy().tolist()
    return {(row[0], row[1], row[2], row[3]): row[4] for row in rows}


def reasons(result: ReadResult) -> dict[str, str]:
    """Quarantined cells: address → reason."""
    return dict(zip(result.quarantined["address"], result.quarantined["reason"], strict=True))


HEAD = [[TITLE], ["", "", "", "单位：张"], ["地 区", "床位数", "", ""], ["", "合 计", "城 市", "农 村"]]
ALIASES = {"床位数": "HLT_BEDS", "机构数": "HLT_INSTITUTIONS"}


def test_a_merged_name_stands_for_the_areas_below_it_and_the_caption_for_the_unit():
    result = read([*HEAD, ["锦江区", "10", "7", "3"]], layout(aliases=ALIASES))
    assert figures(result) == {
        ("HLT_BEDS", "510104", "2024", "total"): 10.0,
        ("HLT_BEDS", "510104", "2024", "urban"): 7.0,
        ("HLT_BEDS", "510104", "2024", "rural"): 3.0,
    }


def test_a_part_of_a_total_is_read_by_its_own_name():
    rows = [
        [TITLE],
        ["地区", "机构数（个）", "#其中：医院数（个）", "其中：乡镇卫生院数（个）"],
        ["锦江区", "9", "5", "4"],
    ]
    assert figures(read(rows, layout(header=["name"], aliases=ALIASES))) == {
        ("HLT_INSTITUTIONS", "510104", "2024", "total"): 9.0,
        ("HLT_HOSPITALS", "510104", "2024", "total"): 5.0,
        ("HLT_TOWNSHIP_CENTRES", "510104", "2024", "rural"): 4.0,
    }


def test_a_header_of_four_rows_has_groups_with_units_names_in_two_rows_and_english():
    rows = [
        [TITLE],
        ["地区", "机构（个）", "", "人员（人）", ""],
        ["", "医疗卫生", "", "卫生技术人员", ""],
        ["", "机构数", "医院数", "注册护士数", "执业（助理）医师数"],
        ["Region", "Institutions", "Hospitals", "Nurses", "Physicians"],
        ["锦江区", "9", "5", "40", "30"],
    ]
    one = layout(header=["group", "name", "name", "note"], aliases=ALIASES)
    assert {key[0]: value for key, value in figures(read(rows, one)).items()} == {
        "HLT_INSTITUTIONS": 9.0, "HLT_HOSPITALS": 5.0, "HLT_NURSES": 40.0, "HLT_PHYSICIANS": 30.0
    }  # fmt: skip


def test_two_blocks_side_by_side_are_two_tables():
    rows = [
        [TITLE],
        ["地区", "医院数（个）", "地区", "医院数（个）"],
        ["锦江区", "5", "青羊区", "6"],
        ["金牛区", "7", "", ""],
    ]
    result = read(rows, layout(header=["name"]))
    assert {key[1]: value for key, value in figures(result).items()} == {"510104": 5.0, "510105": 6.0, "510106": 7.0}
    assert result.quarantined.empty


def test_a_continued_table_has_columns_of_its_own():
    rows = [
        [TITLE],
        ["地区", "医院数（个）"],
        ["锦江区", "5"],
        ["续表1"],
        ["", "单位：人"],
        ["地区", "注册护士数"],
        ["锦江区", "40"],
    ]
    result = read(rows, layout(header=["name"]))
    assert {key[0]: value for key, value in figures(result).items()} == {"HLT_HOSPITALS": 5.0, "HLT_NURSES": 40.0}
    assert result.quarantined.empty


def test_a_block_under_a_title_of_another_year_is_of_that_year():
    rows = [[TITLE], ["地区", "医院数（个）"], ["锦江区", "5"], [TITLE.replace("2024", "2023")]]
    rows += [["地区", "医院数（个）"], ["锦江区", "4"]]
    assert {key[2]: value for key, value in figures(read(rows, layout(header=["name"]))).items()} == {
        "2024": 5.0,
        "2023": 4.0,
    }


def test_years_across_and_indicators_down_cross_in_each_figure():
    rows = [["指标", "2024年", "2023年", "上年末"], ["医院数（个）", "5", "4", "3"], ["床位（斤）", "9", "8", "7"]]
    one = layout(anchor={"indicator": "指标"}, title=None, caption=None, header=["period"], period="column",
                 indicator="row", region="nation", aliases={"床位": "HLT_BEDS@total"}, areas=None)  # fmt: skip
    assert reasons(read(rows, one)) == {
        "row 2 col 2": "computed_here", "row 2 col 3": "computed_here", "row 2 col 4": "unknown_period",
        "row 3 col 2": "unknown_unit", "row 3 col 3": "unknown_unit", "row 3 col 4": "unknown_unit",
    }  # fmt: skip


def test_a_code_may_stand_before_the_name_in_one_cell():
    rows = [[TITLE], ["地区", "医院数（个）"], ["510104 锦江区", "5"]]
    assert figures(read(rows, layout(header=["name"]))) == {("HLT_HOSPITALS", "510104", "2024", "total"): 5.0}


def test_a_column_outside_the_catalogue_is_quarantined_by_its_name():
    result = read([[TITLE], ["地区", "医院数（个）", "诊所数（个）"], ["锦江区", "5", "12"]], layout(header=["name"]))
    (row,) = result.quarantined.to_dict("records")
    assert (row["address"], row["reason"]) == ("row 3 col 3", "unknown_indicator")
    assert "'诊所数'" in row["explanation"]
    assert "单元格 row 3 col 3" in row["explanation_zh"]
    assert "指标不在目录之中" in row["explanation_zh"]


def test_a_total_row_on_the_allow_list_is_left_out_and_no_other():
    rows = [[TITLE], ["地区", "医院数（个）"], ["成都平原", "20"], ["川南", "9"], ["锦江区", "5"]]
    result = read(rows, layout(header=["name"], ignored_rows=["成都平原"]))
    assert list(figures(result).values()) == [5.0]
    assert reasons(result) == {"row 4 col 2": "unknown_region"}


@pytest.mark.parametrize("place", [1, 3, 4])
def test_a_text_nobody_knows_is_a_stray_and_never_lost(place):
    rows = [[TITLE], ["地区", "医院数（个）"], ["锦江区", "5"]]
    rows.insert(place, ["", "内部资料"] if place > 2 else ["内部资料"])
    result = read(rows, layout(header=["name"]))
    assert list(reasons(result).values()) == ["stray_cell"]
    assert result.verdicts["cells"].tolist() == [2]
    assert list(figures(result).values()) == [5.0]


def test_a_figure_in_a_column_without_header_is_a_stray():
    rows = [[TITLE], ["地区", "医院数（个）", ""], ["锦江区", "5", "6"]]
    assert reasons(read(rows, layout(header=["name"]))) == {"row 3 col 3": "stray_cell"}


def test_a_note_that_its_commas_cut_into_cells_is_a_note():
    rows = [[TITLE], ["地区", "医院数（个）"], ["锦江区", "5"], ["注：1. 不含诊所", "也不含卫生室。"]]
    result = read(rows, layout(header=["name"]))
    assert result.quarantined.empty


def test_a_note_with_a_figure_beside_it_is_not_a_note():
    rows = [[TITLE], ["地区", "医院数（个）"], ["锦江区", "5"], ["注：共计", "5"]]
    assert reasons(read(rows, layout(header=["name"]))) == {"row 4 col 2": "unknown_region"}


@pytest.mark.parametrize("text", ["约1200.5", "未报", "超过30", ">5", "（缺）", "N/A"])
def test_a_row_whose_name_reads_like_a_note_keeps_what_stands_for_its_figure(text):
    one = layout(header=["name"], footers=["注[:：].*", r"\d+[.．、].*"])
    for name in ("注：合并", "1、锦江区", ""):
        rows = [[TITLE], ["地区", "医院数（个）"], ["锦江区", "5"], [name, text]]
        result = read(rows, one)
        assert reasons(result) == {"row 4 col 2": "unknown_region"}
        assert result.verdicts["cells"].tolist() == [2]


def test_units_stand_above_a_title_but_not_above_the_rows_of_another_table():
    one = layout(header=["name"], aliases=ALIASES)
    table = [["地区", "医院数", "床位数"], ["锦江区", "5", "7"]]
    rows = [["", "单位：个"], [TITLE], *table]
    assert figures(read(rows, one)) == {("HLT_HOSPITALS", "510104", "2024", "total"): 5.0}
    other = [[TITLE.replace("2024", "2023")], *table]
    below = read([*rows, ["", "单位：个"], *other], one)
    assert figures(below)["HLT_HOSPITALS", "510104", "2023", "total"] == 5.0
    among = read([*rows, ["", "单位：个"], ["青羊区", "6", "8"], *other], one)
    assert {key[1:3] for key in figures(among)} == {("510104", "2024"), ("510105", "2024")}
    assert reasons(among)["row 9 col 2"] == "unknown_unit"


def test_a_title_without_a_period_fits_no_layout():
    result = read([["表3-2各县医院数"], ["地区", "医院数（个）"], ["锦江区", "5"]], layout(header=["name"]))
    assert result.verdicts["problem"].tolist() == ["unknown_layout"]


def test_two_layouts_that_fit_alike_are_one_too_many():
    buffer = io.StringIO()
    csv.writer(buffer).writerows([[TITLE], ["地区", "医院数（个）"], ["锦江区", "5"]])
    arrival = Arrival(1, "510000/health", "health", "", "510000", "", "0" * 64, "表.csv", "")
    both = [layout(header=["name"]), layout(header=["name"], layout="another_table")]
    result = read_returns([arrival], lambda _: buffer.getvalue().encode(), CATALOGUE, both)
    assert result.verdicts["problem"].tolist() == ["ambiguous_layout"]
    assert "county_table v1 and another_table v1" in result.verdicts["explanation"].iloc[0]


def test_of_two_layouts_the_one_that_knows_more_columns_reads():
    buffer = io.StringIO()
    csv.writer(buffer).writerows([[TITLE], ["地区", "医院（个）"], ["锦江区", "5"]])
    arrival = Arrival(1, "510000/health", "health", "", "510000", "", "0" * 64, "表.csv", "")
    more = layout(header=["name"], layout="another_table", aliases={"医院": "HLT_HOSPITALS"})
    result = read_returns([arrival], lambda _: buffer.getvalue().encode(), CATALOGUE, [layout(header=["name"]), more])
    assert result.verdicts["layout"].tolist() == ["another_table v1"]


def test_only_layouts_that_the_register_allows_are_tried():
    arrival = Arrival(1, "510000/health", "health", "", "510000", "", "0" * 64, "表.csv", "", layouts=("other",))
    result = read_returns([arrival], lambda _: b"a,b\n", CATALOGUE, [layout()])
    assert result.verdicts["problem"].tolist() == ["unknown_layout"]


def test_parentheses_that_are_no_unit_belong_to_the_name_where_the_unit_stands_elsewhere():
    rows = [[TITLE], ["地区", "医院数（新口径）", "注册护士数（人）"], ["", "个", "人"], ["锦江区", "5", "40"]]
    result = read(rows, layout(header=["name", "unit"]))
    assert reasons(result) == {"row 4 col 2": "unknown_indicator"}
    assert list(figures(result).values()) == [40.0]


def test_blocks_side_by_side_have_title_and_units_of_their_own():
    rows = [
        [TITLE, "", TITLE.replace("2024", "2023"), ""],
        ["", "单位：张", "", "单位：万张"],
        ["地区", "床位数", "地区", "床位数"],
        ["锦江区", "5", "青羊区", "6"],
    ]
    assert figures(read(rows, layout(header=["name"], aliases=ALIASES))) == {
        ("HLT_BEDS", "510104", "2024", "total"): 5.0,
        ("HLT_BEDS", "510105", "2023", "total"): 60_000.0,
    }


def test_of_two_titles_above_a_header_the_nearer_one_counts():
    rows = [
        [TITLE.replace("2024", "2023")],
        ["区域", "医院数（个）"],
        [TITLE],
        ["地区", "医院数（个）"],
        ["锦江区", "5"],
    ]
    assert [key[2] for key in figures(read(rows, layout(header=["name"])))] == ["2024"]


def test_rows_that_name_indicators_have_the_unit_of_their_own_table():
    one = layout(anchor={"name": "地区", "indicator": "指标"}, title=None, header=["period"], period="column",
                 indicator="row", areas=None, aliases=ALIASES)  # fmt: skip
    rows = [["", "", "单位：万张"], ["地区", "指标", "2024年"], ["锦江区", "床位数", "5"]]
    rows += [["", "", "单位：张"], ["地区", "指标", "2024年"], ["青羊区", "床位数", "6"]]
    assert list(figures(read(rows, one)).values()) == [50_000.0, 6.0]


def test_one_figure_in_two_units_is_a_repeat():
    one = layout(anchor={"name": "地区", "indicator": "指标"}, title=None, header=["period"], period="column",
                 indicator="row", areas=None, aliases=ALIASES)  # fmt: skip
    rows = [["地区", "指标", "2024年"], ["锦江区", "床位数（张）", "50000"], ["锦江区", "床位数（万张）", "6"]]
    assert set(reasons(read(rows, one)).values()) == {"unequal_duplicates"}


def test_a_figure_is_never_taken_for_the_number_of_a_note():
    one = layout(header=["name"], footers=["注[:：].*", r"\d+[.．、].*"], aliases=ALIASES)
    rows = [["12.5"], [TITLE], ["地区", "医院数（个）", "注册护士数（人）"], ["锦江区", "5", "7"]]
    rows += [["", "13.5", ""], ["", "14.5①", "15.5万"], ["注：共计", "１６", ""], ["1、青羊区", "(7)", "—"]]
    assert {address: reason == "stray_cell" for address, reason in reasons(read(rows, one)).items()} == {
        "row 1 col 1": True, "row 5 col 2": False, "row 5 col 3": False, "row 6 col 2": False, "row 6 col 3": False,
        "row 7 col 2": False, "row 7 col 3": False, "row 8 col 2": False, "row 8 col 3": False,
    }  # fmt: skip


def test_a_figure_under_a_header_of_blanks_is_a_stray():
    rows = [[TITLE], ["地区", "医院数（个）", " "], ["锦江区", "5", "6"]]
    assert reasons(read(rows, layout(header=["name"]))) == {"row 3 col 3": "stray_cell"}


@pytest.mark.parametrize(
    ("rows", "address"),
    [([HEAD[0], HEAD[2], ["锦江区", "10", "7", "3"], ["青羊区", "8", "7", "1"]], "row 2 col 2"),
     ([HEAD[0], HEAD[2], ["锦江区", "…", "", "—"], ["青羊区", "8", "7", "1"]], "row 2 col 2")],
    ids=["figures", "signs"],
)  # fmt: skip
def test_a_row_of_figures_in_the_place_of_a_lost_header_row_is_not_swallowed(rows, address):
    result = read(rows, layout(aliases=ALIASES))
    assert result.verdicts["problem"].tolist() == ["missing_header"]
    assert f"{address}: the figure" in result.verdicts["explanation"].iloc[0]


@pytest.mark.parametrize(
    ("below", "problem"),
    [
        ([["", "注册护士数（人）"]], "unknown_header"),
        ([["区域", "注册护士数（人）"]], "unknown_header"),
        ([[TITLE.replace("2024", "2023")]], "unknown_layout"),
        ([["表3-3  2023年各县医院数"]], "unknown_layout"),
        ([["", "单位：万个"]], "unknown_unit"),
    ],
    ids=["header without anchor", "header with another anchor", "title", "title that no layout knows", "caption"],
)
def test_rows_below_a_lost_header_are_not_read_by_the_header_above(below, problem):
    rows = [[TITLE], ["地区", "医院数（个）"], ["锦江区", "5"], *below, ["青羊区", "40"]]
    result = read(rows, layout(header=["name"], aliases=ALIASES))
    assert result.verdicts["problem"].tolist() == [problem]
    assert "row 4 col" in result.verdicts["explanation"].iloc[0]


@pytest.mark.parametrize(
    ("between", "problem"),
    [
        (["", "单位：张、人", "内部资料"], "unknown_unit"),
        (["甲", "单位：万个"], "unknown_unit"),
        (["单位：万个", "12.5"], "unknown_unit"),
        ([TITLE.replace("2024", "2023"), "约12"], "unknown_layout"),
        (["表3-3  2023年各县医院数", "内部资料"], "unknown_layout"),
        (["", TITLE.replace("2024", "2023"), "12.5"], "unknown_layout"),
    ],
)
def test_a_title_or_units_among_the_rows_count_with_another_text_beside_them(between, problem):
    rows = [[TITLE], ["地区", "医院数（个）", "注册护士数（人）"], ["锦江区", "5", "9"], between, ["青羊区", "40", "8"]]
    result = read(rows, layout(header=["name"], aliases=ALIASES))
    assert result.verdicts["problem"].tolist() == [problem]
    assert "row 4 col" in result.verdicts["explanation"].iloc[0]


def test_a_note_that_names_a_year_in_its_second_cell_is_no_title():
    rows = [
        [TITLE],
        ["地区", "市州", "医院数（个）"],
        ["锦江区", "", "5"],
        ["注：不含诊所", "2023年数为初步数", "见后"],
    ]
    result = read([*rows, ["青羊区", "", "6"]], layout(header=["name"], anchor={"name": "地区", "unit": "市州"}))
    assert list(figures(result).values()) == [5.0, 6.0]
    assert result.quarantined.empty


def test_a_continued_table_with_a_title_that_no_layout_knows_is_not_of_the_period_before():
    rows = [
        [TITLE],
        ["地区", "医院数（个）"],
        ["锦江区", "5"],
        ["表3-3  2023年各县注册护士数"],
        ["地区", "注册护士数（人）"],
        ["锦江区", "40"],
    ]
    result = read(rows, layout(header=["name"], aliases=ALIASES))
    assert result.verdicts["problem"].tolist() == ["unknown_layout"]
    assert "'表3-32023年各县注册护士数' may be the title" in result.verdicts["explanation"].iloc[0]


@pytest.mark.parametrize("anchor", ["区域", ""])
@pytest.mark.parametrize("is_first", [True, False], ids=["first", "second"])
def test_a_second_column_of_places_is_not_passed_over(anchor, is_first):
    stubs = [anchor, "地区"] if is_first else ["地区", anchor]
    rows = [[TITLE], [stubs[0], "医院数（个）", stubs[1], "注册护士数（人）"], ["锦江区", "5", "青羊区", "40"]]
    result = read(rows, layout(header=["name"], aliases=ALIASES))
    assert result.verdicts["problem"].tolist() == ["unknown_header"]
    assert "the column holds names of places" in result.verdicts["explanation"].iloc[0]


def test_a_column_of_places_before_the_stub_is_a_column_outside_the_catalogue():
    rows = [[TITLE], ["市州", "地区", "医院数（个）"], ["成都市", "锦江区", "5"]]
    assert list(figures(read(rows, layout(header=["name"]))).values()) == [5.0]


def test_a_blank_beside_area_labels_is_not_the_total():
    rows = [*HEAD[:3], ["", "", "城市", "农村"], ["锦江区", "10", "7", "3"]]
    assert {key[3]: value for key, value in figures(read(rows, layout(aliases=ALIASES))).items()} == {
        "urban": 7.0,
        "rural": 3.0,
    }


def test_a_unit_that_contradicts_the_one_in_the_name_is_not_chosen():
    rows = [[TITLE], ["地区", "床位数（张）"], ["", "万张"], ["锦江区", "5"]]
    result = read(rows, layout(header=["name", "unit"], aliases=ALIASES))
    assert reasons(result) == {"row 4 col 2": "unknown_unit"}


def test_the_total_of_a_prefecture_is_not_the_provinces():
    rows = [[TITLE], ["地区", "医院数（个）"], ["全市", "9"], ["锦江区", "5"]]
    result = read(rows, layout(header=["name"]))
    assert list(figures(result).values()) == [5.0]
    assert reasons(result) == {"row 3 col 2": "unknown_region"}


def test_a_row_of_an_unknown_name_ends_what_the_rows_above_say_of_the_place():
    rows = [[TITLE], ["地区", "医院数（个）"], ["乐山市", "9"], ["内某市", "8"], ["市中区", "5"]]
    result = read(rows, layout(header=["name"]))
    assert [key[1] for key in figures(result)] == ["511100"]
    assert reasons(result)["row 5 col 2"] == "ambiguous_region"


def test_a_place_must_be_valid_in_the_period_of_its_own_table():
    rows = [
        [TITLE],
        ["地区", "医院数（个）"],
        ["东城区", "5"],
        [TITLE.replace("2024", "2001")],
        ["地区", "医院数（个）"],
        ["锦江区", "4"],
    ]
    one = read(rows, layout(header=["name"]))
    other = read(rows[:3], layout(header=["name"]))
    assert reasons(one) == reasons(other)


def test_a_header_repeated_under_blocks_side_by_side_goes_on_with_the_titles_above_it():
    head = ["地区", "医院数（个）", "地区", "医院数（个）"]
    rows = [[TITLE, "", TITLE.replace("2024", "2023"), ""], head, ["锦江区", "5", "青羊区", "6"]]
    rows += [head, ["金牛区", "7", "武侯区", "8"]]
    assert {key[1]: key[2] for key in figures(read(rows, layout(header=["name"])))} == {
        "510104": "2024", "510105": "2023", "510106": "2024", "510107": "2023"
    }  # fmt: skip


def test_columns_of_one_name_without_any_area_label_are_not_taken_for_the_total():
    rows = [[TITLE], ["", "", "单位：张"], ["地区", "床位数", ""], ["", "", ""], ["锦江区", "10", "7"]]
    result = read(rows, layout(aliases=ALIASES))
    assert figures(result) == {}
    assert set(reasons(result)) == {"row 5 col 2", "row 5 col 3"}


def test_a_part_below_a_name_is_not_what_it_is_a_part_of():
    rows = [[TITLE], ["地区", "注册护士数（人）", "医院数（个）"], ["", "其中：男", ""], ["锦江区", "40", "5"]]
    result = read(rows, layout(header=["name", "name"]))
    assert reasons(result) == {"row 4 col 2": "unknown_indicator"}
    assert list(figures(result).values()) == [5.0]


def test_rows_beside_a_header_whose_own_header_is_lost_are_not_taken_for_names():
    rows = [[TITLE], ["地区", "医院数（个）", "青羊区", "6"], ["锦江区", "5", "金牛区", "7"]]
    result = read(rows, layout(header=["name"]))
    assert result.verdicts["problem"].tolist() == ["missing_header"]
    assert "'6'" in result.verdicts["explanation"].iloc[0]
