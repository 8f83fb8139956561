"""Periods: one span of time has one code, one key and one pair of dates."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse import periods
from warehouse.errors import PeriodError
from warehouse.periods import Period, parse_period, period_from_key

DAY = datetime.date


@pytest.mark.parametrize(
    ("code", "kind", "key", "start", "end"),
    [
        ("2024", "year", 20240112, DAY(2024, 1, 1), DAY(2024, 12, 31)),
        ("2024-H1", "half", 20240106, DAY(2024, 1, 1), DAY(2024, 6, 30)),
        ("2024-H2", "half", 20240706, DAY(2024, 7, 1), DAY(2024, 12, 31)),
        ("2024-Q1", "quarter", 20240103, DAY(2024, 1, 1), DAY(2024, 3, 31)),
        ("2024-Q2", "quarter", 20240403, DAY(2024, 4, 1), DAY(2024, 6, 30)),
        ("2024-Q4", "quarter", 20241003, DAY(2024, 10, 1), DAY(2024, 12, 31)),
        ("2024-01", "month", 20240101, DAY(2024, 1, 1), DAY(2024, 1, 31)),
        ("2024-02", "month", 20240201, DAY(2024, 2, 1), DAY(2024, 2, 29)),
        ("2025-02", "month", 20250201, DAY(2025, 2, 1), DAY(2025, 2, 28)),
        ("2024-12", "month", 20241201, DAY(2024, 12, 1), DAY(2024, 12, 31)),
        ("2024-M01-M01", "cumulative", 20240121, DAY(2024, 1, 1), DAY(2024, 1, 31)),
        ("2024-M01-M02", "cumulative", 20240122, DAY(2024, 1, 1), DAY(2024, 2, 29)),
        ("2024-M01-M12", "cumulative", 20240132, DAY(2024, 1, 1), DAY(2024, 12, 31)),
        ("SY2024", "school_year", 20240912, DAY(2024, 9, 1), DAY(2025, 8, 31)),
    ],
)
def test_a_code_has_one_key_and_one_span(code: str, kind: str, key: int, start: DAY, end: DAY) -> None:
    period = parse_period(code)
    assert (period.code, period.kind, period.key, period.start, period.end) == (code, kind, key, start, end)
    assert period_from_key(key) == period


@pytest.mark.parametrize(
    "text",
    [
        "",
        "24",
        "1824",
        "2124",
        "20240",
        "2024-13",
        "2024-00",
        "2024-1",
        "2024-3",
        "2024-Q0",
        "2024-Q5",
        "2024-H0",
        "2024-H3",
        "2024-M01-M00",
        "2024-M01-M13",
        "2024-M01-M3",
        "2024-M02-M03",
        "2024-M01",
        "SY2024-Q1",
        "SY24",
        "sy2024",
        "2024-q1",
        "2024年",
        " 2024",
        "2024 ",
        "2024\n",
        "2024-03-01",
        "20２４",
        "2024-０3",
    ],
)
def test_a_text_that_is_no_code_is_refused_by_name(text: str) -> None:
    with pytest.raises(PeriodError) as raised:
        parse_period(text)
    assert raised.value.text == text
    assert "2024-M01-M03" in str(raised.value)


@pytest.mark.parametrize(
    "key",
    [
        0,
        -1,
        20240012,
        20241301,
        20240100,
        20240102,
        20240120,
        20240133,
        20240203,
        20240312,
        20240206,
        20240222,
        18240112,
    ],
)
def test_a_number_that_is_no_key_is_refused(key: int) -> None:
    with pytest.raises(PeriodError):
        period_from_key(key)


YEARS = st.integers(1900, 2099)
ANY_PERIOD = st.one_of(
    st.builds(periods.year, YEARS),
    st.builds(periods.school_year, YEARS),
    st.builds(lambda year, index: Period(year, 6 * index - 5, 6, "half"), YEARS, st.integers(1, 2)),
    st.builds(periods.quarter, YEARS, st.integers(1, 4)),
    st.builds(periods.month, YEARS, st.integers(1, 12)),
    st.builds(periods.cumulative, YEARS, st.integers(1, 12)),
)


@given(ANY_PERIOD)
def test_any_period_comes_back_from_its_code_and_from_its_key(period: Period) -> None:
    assert parse_period(period.code) == period
    assert period_from_key(period.key) == period


@given(ANY_PERIOD, ANY_PERIOD)
def test_keys_sort_by_start_and_no_two_periods_share_one(one: Period, other: Period) -> None:
    assert (one.key == other.key) == (one == other) == (one.code == other.code)
    if one.start != other.start:
        assert (one.key < other.key) == (one.start < other.start)


@given(ANY_PERIOD)
def test_a_year_of_keys_is_a_year_of_starts(period: Period) -> None:
    assert period.key // 10_000 == period.start.year


@given(ANY_PERIOD.filter(lambda period: period.kind != "cumulative"))
def test_the_next_period_begins_the_day_after(period: Period) -> None:
    following = period.next()
    assert following.start == period.end + datetime.timedelta(days=1)
    assert (following.kind, following.months) == (period.kind, period.months)


@pytest.mark.parametrize(("code", "following"), [("2024-M01-M11", "2024-M01-M12"), ("2024-M01-M12", "2025-M01-M01")])
def test_the_next_cumulative_period_is_a_month_longer_within_its_year(code: str, following: str) -> None:
    assert parse_period(code).next().code == following


@pytest.mark.parametrize(
    ("code", "cumulated"),
    [
        ("2026-03", "2026-M01-M03"),
        ("2026-01", "2026-M01-M01"),
        ("2026-Q2", "2026-M01-M06"),
        ("2026-Q4", "2026-M01-M12"),
    ],
)
def test_flows_of_a_month_or_quarter_are_cumulated_from_january(code: str, cumulated: str) -> None:
    assert parse_period(code).cumulated().code == cumulated


@pytest.mark.parametrize(
    ("code", "day"), [("2024", DAY(2024, 12, 31)), ("SY2024", DAY(2024, 9, 1)), ("2024-Q1", DAY(2024, 3, 31))]
)
def test_standards_are_judged_on_the_last_day_and_for_a_school_year_on_the_first(code: str, day: DAY) -> None:
    assert parse_period(code).standard_date == day
