"""A period and its partition key are one to one, and what is due has a partition."""

import datetime

import dagster as dg
import pytest

from assets.context import partition_key, period_of
from pipelines.partitions import period_windows
from warehouse.calendar import due_periods
from warehouse.catalogue import Form, load_catalogue
from warehouse.periods import parse_period

FORMS = list(load_catalogue().forms.values())
TODAY = datetime.datetime(2026, 11, 24, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=8)))


@pytest.mark.parametrize(
    ("frequency", "period_code", "key"),
    [
        ("M", "2026-03", "2026-03"),
        ("M", "2026-12", "2026-12"),
        ("Q", "2026-Q1", "2026-01"),
        ("Q", "2026-Q2", "2026-04"),
        ("Q", "2026-Q3", "2026-07"),
        ("Q", "2026-Q4", "2026-10"),
        ("A", "2025", "2025"),
        ("S", "SY2025", "SY2025"),
    ],
)
def test_a_period_is_its_partition_and_back(frequency: str, period_code: str, key: str) -> None:
    made = partition_key("510000", parse_period(period_code))
    assert made.keys_by_dimension == {"province": "510000", "period": key}
    assert period_of(key, frequency).code == period_code


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.form)
def test_every_window_of_dagster_is_a_period(form: Form) -> None:
    keys = period_windows(form.frequency).get_partition_keys(current_time=TODAY)
    assert [partition_key("510000", period_of(key, form.frequency)).keys_by_dimension["period"] for key in keys] == keys


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.form)
def test_what_is_due_has_a_partition(form: Form) -> None:
    keys = set(period_windows(form.frequency).get_partition_keys(current_time=TODAY))
    due = due_periods(form, TODAY.date(), since=datetime.date(2010, 1, 1))
    assert {partition_key("510000", period).keys_by_dimension["period"] for period in due} <= keys


def test_a_school_year_is_open_to_returns_inside_it() -> None:
    december = datetime.datetime(2026, 12, 20, tzinfo=TODAY.tzinfo)
    assert "SY2026" in period_windows("S").get_partition_keys(current_time=december)


def test_windows_begin_and_end_in_shanghai() -> None:
    window = period_windows("M").time_window_for_partition_key("2026-03")
    assert isinstance(window, dg.TimeWindow)
    assert window.start.isoformat() == "2026-03-01T00:00:00+08:00"
