"""The calendar: which returns are owed when."""

import datetime

import pytest

from warehouse.calendar import due_on, due_periods
from warehouse.catalogue import Form, load_catalogue
from warehouse.periods import parse_period

DAY = datetime.date
FORMS = load_catalogue().forms
TODAY = DAY(2026, 11, 24)


def owed(form: str, today: DAY = TODAY, since: DAY | None = None) -> list[str]:
    return [period.code for period in due_periods(FORMS[form], today, since)]


@pytest.mark.parametrize(
    ("form", "period", "day"),
    [
        ("employment_monthly", "2026-03", DAY(2026, 4, 15)),
        ("employment_monthly", "2026-12", DAY(2027, 1, 15)),
        ("health_quarterly", "2026-Q1", DAY(2026, 4, 25)),
        ("health_quarterly", "2026-Q4", DAY(2027, 1, 25)),
        ("employment_annual", "2025", DAY(2026, 3, 31)),
        ("health_annual", "2025", DAY(2026, 3, 31)),
        ("education_school_year", "SY2025", DAY(2025, 12, 31)),
    ],
)
def test_each_form_is_due_by_its_rule(form: str, period: str, day: DAY) -> None:
    assert due_on(FORMS[form], parse_period(period)) == day


@pytest.mark.parametrize(
    ("period", "day"),
    [
        ("2026-01", DAY(2026, 2, 28)),
        ("2024-01", DAY(2024, 2, 29)),
        ("2026-03", DAY(2026, 4, 30)),
        ("2026-04", DAY(2026, 5, 31)),
    ],
)
def test_a_day_the_month_does_not_have_is_its_last(period: str, day: DAY) -> None:
    rule = {"form": "x", "sector": "health", "frequency": "M", "name_zh": "月报", "due_anchor": "end"}
    form = Form(**rule, due_months=1, due_day=31)
    assert due_on(form, parse_period(period)) == day


def test_the_last_twelve_due_months_are_asked_for() -> None:
    assert owed("employment_monthly") == ["2025-11", "2025-12", *(f"2026-{month:02d}" for month in range(1, 11))]


def test_the_last_four_due_quarters_are_asked_for() -> None:
    assert owed("health_quarterly") == ["2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3"]


@pytest.mark.parametrize("form", ["employment_annual", "health_annual"])
def test_all_due_years_from_2010_are_asked_for(form: str) -> None:
    assert owed(form) == [str(year) for year in range(2010, 2026)]


def test_all_due_school_years_from_2010_are_asked_for() -> None:
    assert owed("education_school_year") == [f"SY{year}" for year in range(2010, 2026)]


@pytest.mark.parametrize(
    ("form", "period", "due"),
    [
        ("employment_monthly", "2026-10", DAY(2026, 11, 15)),
        ("health_quarterly", "2026-Q3", DAY(2026, 10, 25)),
        ("health_annual", "2025", DAY(2026, 3, 31)),
        ("education_school_year", "SY2026", DAY(2026, 12, 31)),
    ],
)
def test_a_return_is_owed_from_its_due_day_on(form: str, period: str, due: DAY) -> None:
    assert owed(form, today=due)[-1] == period
    assert period not in owed(form, today=due - datetime.timedelta(days=1))


def test_since_a_day_every_due_month_that_begins_then_or_later_is_asked_for() -> None:
    assert len(owed("employment_monthly", since=DAY(2024, 1, 1))) == 34
    assert owed("employment_monthly", since=DAY(2026, 8, 1)) == ["2026-08", "2026-09", "2026-10"]
    assert owed("employment_monthly", since=DAY(2026, 8, 2)) == ["2026-09", "2026-10"]


def test_since_a_day_every_due_quarter_year_and_school_year_is_asked_for() -> None:
    assert owed("health_quarterly", since=DAY(2026, 2, 15)) == ["2026-Q2", "2026-Q3"]
    assert owed("health_annual", since=DAY(2024, 1, 1)) == ["2024", "2025"]
    assert owed("health_annual", since=DAY(2024, 2, 1)) == ["2025"]
    assert owed("education_school_year", since=DAY(2024, 9, 1)) == ["SY2024", "SY2025"]
    assert owed("education_school_year", since=DAY(2024, 10, 1)) == ["SY2025"]


def test_since_goes_further_back_than_2010() -> None:
    assert owed("health_annual", since=DAY(2008, 1, 1))[:3] == ["2008", "2009", "2010"]


def test_nothing_is_owed_before_the_first_due_day() -> None:
    assert owed("health_annual", today=DAY(2011, 3, 30)) == []
    assert owed("employment_monthly", today=DAY(2026, 11, 24), since=DAY(2027, 1, 1)) == []
