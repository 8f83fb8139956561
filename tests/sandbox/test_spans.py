"""Months, quarters and due days."""

import datetime as dt

import numpy as np
import pytest

from sandbox.periods import SHANGHAI, ReturnPeriod, parse_return_period, published_at, published_periods
from sandbox.spans import province_figures
from sandbox.tables import TableMaker


def month_value(maker: TableMaker, label: str, region_code: str, year: int, month: int) -> float:
    province = maker.reference.province_by_code[region_code]
    own = province_figures(maker.annual, "employment_monthly", province, ReturnPeriod(year, month, "M"))
    return float(own.values[[each.label for each in own.series].index(label)])


@pytest.mark.parametrize("label", ["EMP_NEW_URBAN_JOBS@urban", "PEN_RESIDENT_EXPENDITURE@total"])
def test_a_flow_cumulates_to_exactly_the_year(maker: TableMaker, label: str) -> None:
    for province in maker.reference.provinces:
        cumulated = [month_value(maker, label, province.code, 2024, month) for month in range(2, 13)]
        assert cumulated == sorted(cumulated)
        assert cumulated[-1] == maker.annual.of(label)[province.position, 2024 - 2010]


def test_december_of_a_stock_is_the_year_end_in_every_county(maker: TableMaker) -> None:
    province = maker.reference.province_by_code["370000"]
    rows = []
    for form, period in (
        ("employment_monthly", ReturnPeriod(2024, 12, "M")),
        ("employment_annual", ReturnPeriod(2024, 12, "A")),
    ):
        own = province_figures(maker.annual, form, province, period)
        place = [each.label for each in own.series].index("PEN_EMPLOYEE_INSURED@urban")
        rows.append(maker.county_model.figures(own, province, period)[place])
    assert (rows[0] == rows[1]).all()


def test_a_stock_lies_between_the_year_ends(maker: TableMaker) -> None:
    label = "PEN_EMPLOYEE_INSURED@urban"
    year_ends = maker.annual.of(label)[:, 2025 - 2010 : 2027 - 2010]
    for province in maker.reference.provinces:
        march = month_value(maker, label, province.code, 2026, 3)
        low, high = sorted(year_ends[province.position])
        assert low <= march <= high


def test_january_has_stocks_only(maker: TableMaker) -> None:
    province = maker.reference.provinces[0]
    own = province_figures(maker.annual, "employment_monthly", province, ReturnPeriod(2026, 1, "M"))
    assert len(own.series) == 8
    assert not any(each.indicator.is_cumulative for each in own.series)


def test_quarters_keep_parts_and_total_together(maker: TableMaker) -> None:
    for province in maker.reference.provinces:
        own = province_figures(maker.annual, "health_quarterly", province, ReturnPeriod(2026, 6, "Q"))
        values = dict(zip([each.label for each in own.series], own.values, strict=True))
        for code in ("HLT_BEDS", "ELD_BEDS"):
            assert np.nansum([values[f"{code}@urban"], values[f"{code}@rural"]]) == values[f"{code}@total"]


@pytest.mark.parametrize(
    ("form", "period", "published"),
    [
        ("employment_monthly", "2026-10", "2026-11-10"),
        ("employment_monthly", "2025-12", "2026-01-10"),
        ("health_quarterly", "2026-Q3", "2026-10-20"),
        ("employment_annual", "2025", "2026-03-26"),
        ("education_school_year", "SY2025", "2025-12-26"),
    ],
)
def test_a_return_is_published_five_days_before_it_is_due(
    maker: TableMaker, form: str, period: str, published: str
) -> None:
    found = maker.reference.forms[form]
    moment = published_at(found, parse_return_period(found, period))
    assert moment.isoformat() == f"{published}T09:00:00+08:00"


@pytest.mark.parametrize(
    ("form", "count", "first", "last"),
    [
        ("employment_monthly", 34, "2024-01", "2026-10"),
        ("employment_annual", 16, "2010", "2025"),
        ("health_quarterly", 11, "2024-Q1", "2026-Q3"),
        ("health_annual", 16, "2010", "2025"),
        ("education_school_year", 16, "SY2010", "SY2025"),
    ],
)
def test_what_is_published_on_a_day(maker: TableMaker, form: str, count: int, first: str, last: str) -> None:
    periods = published_periods(maker.reference.forms[form], dt.datetime(2026, 11, 24, 23, 59, tzinfo=SHANGHAI))
    assert (len(periods), periods[0].code, periods[-1].code) == (count, first, last)


@pytest.mark.parametrize("code", ["2024-13", "2024-Q5", "SY2024", "24", "2024-1", "x"])
def test_a_code_of_another_form_is_refused(maker: TableMaker, code: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_return_period(maker.reference.forms["employment_monthly"], code)
