"""What texts say of time, and the periods of columns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns.conform.periods import column_period, find_period, owes_cumulative, read_period, states_period


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2024年3月", "2024-03"),
        ("2024-03", "2024-03"),
        ("202403", "2024-03"),
        ("2024/3/1", "2024-03"),
        ("202403MM", "2024-03"),
        ("2024年1-3月", "2024-M01-M03"),
        ("2024年1—12月", "2024-M01-M12"),
        ("2024年一季度", "2024-Q1"),
        ("２０２４ 年 第四季度", "2024-Q4"),
        ("2024Q1", "2024-Q1"),
        ("2024年上半年", "2024-H1"),
        ("2024年", "2024"),
        ("2024YY", "2024"),
        ("2023/2024学年", "SY2023"),
        ("2023—2024学年初", "SY2023"),
        ("SY2023", "SY2023"),
        ("2024-M01-M02", "2024-M01-M02"),
    ],
)
def test_a_text_states_one_period(text, code):
    assert read_period(text) == code


@pytest.mark.parametrize("text", ["", "今年", "2024年13月", "2024A", "2023/2025学年", "24年", "2024年0月", "1-3月"])
def test_what_states_none_or_could_be_two_is_not_guessed(text):
    assert read_period(text) is None


@given(st.integers(1990, 2089), st.integers(1, 12))
def test_months_come_back_from_every_spelling(year, month):
    for text in (f"{year}年{month}月", f"{year}-{month:02d}", f"{year}{month:02d}MM", f"{year}/{month}/1"):
        assert read_period(text) == f"{year}-{month:02d}"
    assert read_period(f"{year}年1-{month}月") == f"{year}-M01-M{month:02d}"


def test_a_monthly_return_may_be_titled_by_its_cumulation():
    assert states_period("2024年1-3月", "2024-03")
    assert not states_period("2024年1-2月", "2024-03")
    assert not states_period("2024年", "2024-03")


@pytest.mark.parametrize(
    ("period", "is_cumulative", "column"),
    [
        ("2026-03", False, "2026-03"),
        ("2026-03", True, "2026-M01-M03"),
        ("2026-Q2", False, "2026-Q2"),
        ("2026-Q2", True, "2026-M01-M06"),
        ("2025", True, "2025"),
        ("SY2025", False, "SY2025"),
    ],
)
def test_cumulated_flows_are_january_to_month(period, is_cumulative, column):
    assert column_period(period, is_cumulative=is_cumulative) == column


def test_only_january_owes_no_cumulated_columns():
    assert [owes_cumulative(code) for code in ("2026-01", "2026-02", "2026-Q1", "2026")] == [False, True, True, True]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2024年1—2月", "2024-M01-M02"),
        ("2024年1月-3月", "2024-M01-M03"),
        ("2024年前三季度", "2024-M01-M09"),
        ("2024年上半年", "2024-H1"),
        ("2024年下半年", "2024-H2"),
        ("2024年三月", "2024-03"),
        ("2024年十二月份", "2024-12"),
        ("2024年3月末", "2024-03"),
        ("截至2024年3月31日", "2024-03"),
        ("2024-03-01T00:00:00", "2024-03"),
        ("2024年末", "2024"),
        ("2024.0", "2024"),
        ("2024YY", "2024"),
        ("202403MM", "2024-03"),
        ("202503SS", "2025-Q3"),
    ],
)
def test_further_ways_of_offices_to_state_a_period(text, code):
    assert read_period(text) == code


@pytest.mark.parametrize(("text", "code"), [("2019A", "2019-Q1"), ("2019D", "2019-Q4"), ("201909", "2019-09")])
def test_letters_are_quarters_where_the_source_says_so(text, code):
    assert read_period(text, "easyquery") == code


@pytest.mark.parametrize("text", ["2019A", "2019E", "2024年13月", "2024年1-13月", "24年3月", "第一季度"])
def test_what_may_mean_several_things_or_none_is_no_period(text):
    assert read_period(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("分省年度数据2021", "2021"),
        ("分省年度数据.2019csv", "2019"),
        ("表3-2  2024年一季度各县（市、区）医疗卫生机构床位数", "2024-Q1"),
        ("四川省2024年1-3月就业统计", "2024-M01-M03"),
        ("四川省2023/2024学年初基础教育统计报表", "SY2023"),
        ("census_county_2010", "2010"),
        ("health_202403", "2024-03"),
        ("附件1", None),
        ("2023年与2024年比较", None),
        ("20240131123", None),
    ],
)
def test_the_one_period_within_a_text_is_found(text, code):
    assert find_period(text) == code
