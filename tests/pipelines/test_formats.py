"""Rows as text: for a person, a file, a program."""

import json

import pandas as pd
import pytest

from pipelines.formats import render

FRAME = pd.DataFrame({"region_name": ["四川省", "Tibet"], "value": [2.5, float("nan")], "units": [31, 7]})


def test_a_table_is_aligned_with_chinese_counted_double() -> None:
    assert render(FRAME, "table").splitlines() == [
        "region_name  value  units",
        "-----------  -----  -----",
        "四川省       2.5    31",
        "Tibet               7",
    ]


def test_a_column_is_as_wide_as_its_widest_chinese_name() -> None:
    header, rule, first, second = render(
        pd.DataFrame({"n": ["新疆维吾尔自治区", "西藏"], "v": [1, 2]}), "table"
    ).splitlines()
    assert rule == "-" * 16 + "  -"
    assert header == "n" + " " * 15 + "  v"
    assert first == "新疆维吾尔自治区  1"
    assert second == "西藏" + " " * 12 + "  2"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.1 + 0.2, "0.3"), (1234567.0, "1234567.0"), (None, ""), (float("nan"), ""), (pd.NaT, ""), (True, "True")],
)
def test_a_value_is_shown_as_a_person_reads_it(value: object, shown: str) -> None:
    assert render(pd.DataFrame({"v": pd.Series([value], dtype=object)}), "table").split("\n")[2] == shown


def test_csv_has_a_header_and_blanks_for_what_is_not_there() -> None:
    assert render(FRAME, "csv").splitlines() == ["region_name,value,units", "四川省,2.5,31", "Tibet,,7"]


def test_json_is_one_array_of_objects() -> None:
    assert json.loads(render(FRAME, "json")) == [
        {"region_name": "四川省", "value": 2.5, "units": 31},
        {"region_name": "Tibet", "value": None, "units": 7},
    ]
    assert "四川省" in render(FRAME, "json")


def test_no_rows_are_a_header_alone() -> None:
    assert render(FRAME.head(0), "table").splitlines()[0] == "region_name  value  units"
    assert render(FRAME.head(0), "json") == "[]"
