"""Every reason for quarantine, made and read: nothing is guessed, and a person is told what and where."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import openpyxl
import pytest

from returns.layouts import load_layouts
from returns.reading import ReadResult
from returns.reasons import CELL_REASONS, MEANINGS, RETURN_REASONS
from tests.returns.samples import (
    Column,
    Return,
    as_csv,
    as_pages,
    as_workbook,
    dump_pages,
    grid_rows,
    make_return,
    pages_of,
    read,
)
from tests.returns.test_reading import find, position, with_unit

LABEL = "510000/health health_annual 2024 (报表.xlsx)"


def rejected_whole(result: ReadResult) -> tuple[str, str]:
    """(reason, explanation) of a return that is quarantined as a whole."""
    assert result.observations.empty
    (row,) = result.quarantined.to_dict("records")
    (verdict,) = result.verdicts.to_dict("records")
    assert (row["address"], row["raw_text"], verdict["cells"]) == ("", "", 1)
    assert row["reason"] == verdict["problem"]
    assert row["explanation"].startswith("510000/")
    assert verdict["explanation"] in row["explanation"]
    return row["reason"], row["explanation"]


def rejected_cell(result: ReadResult) -> dict[str, Any]:
    (row,) = result.quarantined.to_dict("records")
    assert len(result.observations) == result.verdicts["cells"].sum() - 1
    return row


def test_every_reason_has_a_meaning():
    assert set(MEANINGS) == set(RETURN_REASONS) | set(CELL_REASONS)


@pytest.mark.parametrize(
    ("text", "reason", "says"),
    [
        ("约12", "not_a_number", "'约12' is not a number"),
        ("=SUM(A1:A3)", "not_a_number", "is a formula without a result"),
        ("#DIV/0!", "not_a_number", "spreadsheet error"),
        ("inf", "not_a_number", "'inf' is not a number"),
        ("1e300", "not_a_number", "larger than any figure can be"),
        ("9" * 15 + "万", "not_a_number", "larger than any figure can be"),
        ("12.3%", "not_a_number", "percentage in a column that is not in percent"),
        ("—", "unknown_dash", "does not state whether it means zero or not applicable"),
    ],
)
def test_a_cell_that_is_no_figure_is_quarantined_alone(text, reason, says):
    row = rejected_cell(read(as_csv(make_return().with_cell(1, 2, text))))
    assert (row["reason"], row["address"], row["raw_text"]) == (reason, "row 6 col 5", text)
    assert row["explanation"].startswith(f"{LABEL}, cell row 6 col 5: ")
    assert says in row["explanation"]


def test_a_figure_with_a_scale_in_a_column_with_one_is_not_guessed():
    sample = with_unit(make_return(), "HLT_NURSES", "万人")
    row = rejected_cell(read(as_workbook(sample.with_cell(1, position(sample, "HLT_NURSES"), "12.3万"))))
    assert row["reason"] == "ambiguous_scale"
    assert "its own 万 or 亿" in row["explanation"]


@pytest.mark.parametrize(("meaning", "value", "status"), [("zero", 0.0, "A"), ("not_applicable", None, "M")])
def test_a_dash_means_what_the_layout_says(meaning, value, status):
    layouts = [layout.model_copy(update={"dash": meaning}) for layout in load_layouts()]
    sample = make_return().with_cell(1, 0, "—")
    cell = find(read(as_workbook(sample), layouts=layouts), sample.columns[0].indicator_code)
    assert cell["obs_status"] == status
    assert (cell["value"] == value) if value is not None else cell["value"] != cell["value"]


@pytest.mark.parametrize(
    ("stub", "reason", "says"),
    [
        (("510199", "某某区"), "unknown_region", "region code 510199 (某某区) is in no list"),
        (("小计", ""), "unknown_region", "'小计' () is no region code"),
        (("110101", "东城区"), "wrong_province", "does not belong to the platform's province 510000"),
        (("510104", "青羊区"), "wrong_region_name", "named 锦江区, the row says '青羊区'"),
    ],
)
def test_a_row_of_no_known_region_is_quarantined_cell_by_cell(stub, reason, says):
    sample = make_return(stubs=[("510000", "四川省"), stub])
    result = read(as_workbook(sample))
    assert set(result.quarantined["reason"]) == {reason}
    assert len(result.quarantined) == len(sample.columns)
    assert len(result.observations) == len(sample.columns)
    assert says in result.quarantined["explanation"].iloc[0]
    assert result.quarantined["address"].iloc[0] == "表1!C6"


def test_a_row_cut_short_is_not_taken_for_blanks():
    content = as_csv(make_return())
    lines = content.split(b"\r\n")
    lines[5] = b",".join(lines[5].split(b",")[:-3])
    result = read(b"\r\n".join(lines))
    assert set(result.quarantined["reason"]) == {"short_row"}
    assert len(result.quarantined) == len(make_return().columns)
    assert "ends before its header" in result.quarantined["explanation"].iloc[0]


def test_equal_duplicates_are_dropped_and_counted():
    sample = make_return(stubs=[("510000", "四川省"), ("510104", "锦江区")])
    result = read(as_workbook(replace(sample, rows=(*sample.rows, sample.rows[1]))))
    width = len(sample.columns)
    assert result.verdicts[["cells", "duplicates"]].to_numpy().tolist() == [[3 * width, width]]
    assert len(result.observations) == 2 * width
    assert result.quarantined.empty


@pytest.mark.parametrize("other", ["7", "7e", "", "约7"])
def test_unequal_duplicates_are_all_quarantined(other):
    sample = make_return().with_cell(1, 0, "8")
    again = sample.with_cell(1, 0, "8e" if other == "7e" else other)
    result = read(as_workbook(replace(sample, rows=(*sample.rows, again.rows[1]))))
    assert len(result.quarantined) == 2
    assert result.verdicts["duplicates"].tolist() == [len(sample.columns) - 1]
    assert "unequal_duplicates" in set(result.quarantined["reason"])
    explanation = result.quarantined.loc[result.quarantined["reason"] == "unequal_duplicates", "explanation"].iloc[0]
    assert "several different figures for the same indicator" in explanation


def test_a_column_twice_is_a_duplicate_like_a_row_twice():
    sample = make_return()
    twice = replace(
        sample,
        columns=(*sample.columns, sample.columns[0]),
        rows=tuple((*row, "1" if number else row[2]) for number, row in enumerate(sample.rows)),
    )
    result = read(as_pages(twice))
    assert result.verdicts["duplicates"].tolist() == [1]
    assert result.quarantined["address"].tolist() == [
        "$[0].data.rows[1].f01",
        f"$[0].data.rows[1].f{len(twice.columns):02d}",
    ]


def test_a_title_of_another_period_province_or_form_is_refused():
    sample = make_return()
    cases = {
        "四川省2023年卫生健康统计年报": ("wrong_period", "not of the expected period 2024"),
        "云南省2024年卫生健康统计年报": ("wrong_province", "not of the expected province 四川省"),
        "四川省2024年就业和社会保障统计年报": ("wrong_form", "not of the expected form 卫生健康统计年报"),
    }
    for title, (reason, says) in cases.items():
        found, explanation = rejected_whole(read(as_workbook(replace(sample, title=title))))
        assert found == reason
        assert says in explanation
        assert title in explanation


@pytest.mark.parametrize(("key", "value", "reason"), [("period", "2023", "wrong_period"), ("form", "x", "wrong_form")])
def test_what_a_page_says_beside_its_title_must_agree_too(key, value, reason):
    pages = pages_of(make_return())
    pages[0]["data"][key] = value
    assert rejected_whole(read(dump_pages(pages)))[0] == reason


def test_a_return_without_title_fits_no_layout():
    reason, explanation = rejected_whole(read(as_workbook(replace(make_return(), title=""))))
    assert reason == "unknown_layout"
    assert "layout health_table v1: no title" in explanation


def test_a_table_without_the_anchor_texts_fits_no_layout():
    rows = grid_rows(make_return())
    rows[2][0] = "代码"
    reason, explanation = rejected_whole(read(as_workbook(make_return(), rows=rows)))
    assert reason == "unknown_layout"
    assert "no row of sheet '表1' holds both '区划代码' and '地区'" in explanation


def test_a_carrier_that_no_layout_expects_is_named():
    reason, explanation = rejected_whole(
        read(as_pages(make_return("education_school_year", "SY2024")), "education_school_year", "SY2024")
    )
    assert reason == "unknown_layout"
    assert "no layout is for education_school_year of SY2024 as json_pages" in explanation


def test_two_layouts_that_fit_alike_are_not_chosen_between():
    table = next(layout for layout in load_layouts() if layout.layout == "health_table")
    layouts = [table, table.model_copy(update={"version": 2})]
    reason, explanation = rejected_whole(read(as_workbook(make_return()), layouts=layouts))
    assert reason == "ambiguous_layout"
    assert "health_table v1 and health_table v2" in explanation


def with_sheet(name: str, rows: list[list[Any]]) -> bytes:
    """A workbook with one sheet more."""
    workbook = openpyxl.load_workbook(io.BytesIO(as_workbook(make_return())))
    sheet = workbook.create_sheet(name)
    for row in rows:
        sheet.append([None if value == "" else value for value in row])
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def test_a_sheet_that_the_layout_does_not_name_is_not_passed_over():
    found, explanation = rejected_whole(read(with_sheet("附表", [["续"]])))
    assert found == "unknown_sheet"
    assert "附表" in explanation


def test_a_table_goes_on_under_its_header_on_the_next_sheet():
    rows = grid_rows(make_return(stubs=[("510105", "青羊区")]))
    result = read(with_sheet("表2", rows))
    assert result.quarantined.empty
    assert set(result.observations["region_code"].astype(str)) == {"510000", "510104", "510105"}
    assert "表2!C5" in set(result.observations["address"])


def test_a_text_on_a_further_sheet_is_a_stray():
    row = rejected_cell(read(with_sheet("表2", [["内部资料"]])))
    assert (row["reason"], row["address"]) == ("stray_cell", "表2!A1")


def test_the_same_table_with_other_figures_on_a_second_sheet_is_not_guessed():
    result = read(with_sheet("表2", grid_rows(make_return().with_cell(0, 0, "7"))))
    assert set(result.quarantined["reason"]) == {"unequal_duplicates"}
    assert set(result.quarantined["address"]) == {"表1!C5", "表2!C5"}


def test_a_second_sheet_of_another_period_stops_the_return():
    rows = grid_rows(replace(make_return(), title="四川省2023年卫生健康统计年报"))
    assert rejected_whole(read(with_sheet("表2", rows)))[0] == "wrong_period"


def replace_column(sample: Return, number: int, **changes: str) -> Return:
    columns = list(sample.columns)
    columns[number] = replace(columns[number], **changes)
    return replace(sample, columns=tuple(columns))


@pytest.mark.parametrize(
    ("changes", "reason", "says"),
    [
        ({"name": "机器人数"}, "unknown_header", "'机器人数(人)' is neither an indicator of the catalogue"),
        ({"name": "地区生产总值"}, "unknown_header", "(GDP) is not owed by health_annual"),
        ({"label": "郊区"}, "unknown_header", "area label '郊区'"),
        ({"unit": "斤"}, "unknown_unit", "unit '斤'"),
        ({"unit": "万张"}, "unknown_unit", "unknown for an indicator in person"),
    ],
)
def test_a_header_that_is_not_understood_stops_the_return(changes, reason, says):
    for carrier in (as_workbook, as_csv):
        found, explanation = rejected_whole(read(carrier(replace_column(make_return(), 0, **changes))))
        assert found == reason
        assert says in explanation
        assert "表1!C3" in explanation or "row 3 col 3" in explanation


def test_a_column_without_any_unit_stops_the_return():
    rows = grid_rows(make_return())
    rows[2][2] = rows[2][2].replace("（人）", "")
    reason, explanation = rejected_whole(read(as_workbook(make_return(), rows=rows)))
    assert reason == "unknown_unit"
    assert "the unit ''" in explanation


def test_a_caption_with_one_unit_binds_the_columns_that_name_none():
    rows = grid_rows(make_return())
    rows[2][2] = rows[2][2].replace("（人）", "")
    rows[1][-1] = "计量单位：万人"
    sample = make_return()
    cell = find(read(as_workbook(sample, rows=rows)), sample.columns[0].indicator_code)
    assert cell["value"] == 1005000.0


def test_a_column_that_the_form_owes_and_the_return_lacks_stops_it():
    sample = make_return()
    short = replace(sample, columns=sample.columns[1:], rows=tuple((*row[:2], *row[3:]) for row in sample.rows))
    reason, explanation = rejected_whole(read(as_workbook(short)))
    assert reason == "missing_header"
    assert sample.columns[0].indicator_code in explanation


def test_januarys_return_with_cumulated_columns_is_not_januarys():
    march, january = make_return("employment_monthly", "2026-03"), make_return("employment_monthly", "2026-01")
    content = as_pages(replace(march, period="2026-01", title=january.title))
    reason, explanation = rejected_whole(read(content, "employment_monthly", "2026-01"))
    assert reason == "unknown_header"
    assert "is not owed by employment_monthly in 2026-01" in explanation


def test_an_allowed_extra_header_is_left_out_by_name():
    layouts = [layout.model_copy(update={"ignored_headers": ("备注",)}) for layout in load_layouts()]
    sample = make_return()
    extra = replace(
        sample,
        columns=(*sample.columns, Column("", "备注", "", "", "")),
        rows=tuple((*row, "见说明") for row in sample.rows),
    )
    assert rejected_whole(read(as_pages(extra)))[0] == "unknown_header"
    assert len(read(as_pages(extra), layouts=layouts).observations) == 2 * len(sample.columns)


def test_an_alias_of_the_layout_names_an_indicator():
    layouts = [layout.model_copy(update={"aliases": {"注册护士": "HLT_NURSES"}}) for layout in load_layouts()]
    sample = make_return()
    renamed = replace_column(sample, position(sample, "HLT_NURSES"), name="注册护士")
    assert read(as_workbook(renamed)).verdicts["problem"].tolist() == ["unknown_header"]
    assert read(as_workbook(renamed), layouts=layouts).verdicts["problem"].isna().all()


def test_a_text_in_a_column_without_header_stops_the_return():
    rows = grid_rows(make_return())
    rows[5] = [*rows[5], "1.5"]
    reason, explanation = rejected_whole(read(as_workbook(make_return(), rows=rows)))
    assert reason == "unknown_header"
    assert "a text stands in a column without a header" in explanation


def test_a_character_that_the_database_refuses_is_shown_and_not_stored():
    pages = pages_of(make_return())
    pages[0]["data"]["rows"][0]["f01"] = "1\0"
    pages[0]["data"]["rows"][1]["region_name"] = "锦\0江区"
    result = read(dump_pages(pages))
    assert result.quarantined["raw_text"].iloc[0] == "1␀"
    assert not result.quarantined["explanation"].str.contains("\0", regex=False).any()


def test_a_footer_with_a_figure_is_a_row():
    rows = grid_rows(make_return())
    rows[6][5] = "12"
    result = read(as_workbook(make_return(), rows=rows))
    assert set(result.quarantined["reason"]) == {"unknown_region"}
    assert "12" in result.quarantined["raw_text"].tolist()


@pytest.mark.parametrize("kept", [0.6, 0.9])
def test_half_a_csv_is_not_taken_for_a_whole_one(kept):
    content = as_csv(make_return(stubs=[("510000", "四川省")] + [("510104", "锦江区")] * 20), "utf-8")
    reason, explanation = rejected_whole(read(content[: int(len(content) * kept)].decode("utf-8", "ignore").encode()))
    assert reason == "truncated"
    assert "may be cut off" in explanation


def test_a_header_without_rows_is_no_return():
    reason, _ = rejected_whole(read(as_workbook(make_return(stubs=()))))
    assert reason == "no_rows"
