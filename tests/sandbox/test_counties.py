"""County figures: exact sums, coherent parts, centred rates, stable shares."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from sandbox.counties import centre, share_whole, take_from
from sandbox.periods import ReturnPeriod
from sandbox.reference import Province
from sandbox.seeds import Floats
from sandbox.spans import ProvinceFigures, province_figures
from sandbox.tables import TableMaker

RETURNS = [
    ("employment_annual", ReturnPeriod(2024, 12, "A")),
    ("employment_monthly", ReturnPeriod(2026, 3, "M")),
    ("health_annual", ReturnPeriod(2025, 12, "A")),
    ("health_quarterly", ReturnPeriod(2026, 6, "Q")),
    ("education_school_year", ReturnPeriod(2025, 12, "S")),
]


def county_tables(maker: TableMaker) -> Iterator[tuple[ProvinceFigures, Floats, Province]]:
    for (form, period), province in itertools.product(RETURNS, maker.reference.provinces):
        own = province_figures(maker.annual, form, province, period)
        yield own, maker.county_model.figures(own, province, period), province


def test_counts_of_counties_are_whole_and_sum_exactly_to_the_province(maker: TableMaker) -> None:
    checked = 0
    for own, counties, _ in county_tables(maker):
        for place, series in enumerate(own.series):
            row = counties[place]
            if series.indicator.is_counted and not np.isnan(row).all():
                assert np.nansum(row) == own.values[place], series.label
                assert np.nanmin(row) >= 0
                assert (np.nan_to_num(row) == np.rint(np.nan_to_num(row))).all()
                checked += 1
    assert checked > 3_000


def test_urban_and_rural_sum_to_the_total_in_every_county(maker: TableMaker) -> None:
    for own, counties, _ in county_tables(maker):
        places = {series.label: place for place, series in enumerate(own.series)}
        for label, place in places.items():
            code, _, area = label.partition("@")
            if area == "total" and f"{code}@rural" in places and own.series[place].indicator.is_counted:
                urban, rural = counties[places[f"{code}@urban"]], counties[places[f"{code}@rural"]]
                whole = counties[place]
                held = ~np.isnan(whole)
                assert (
                    np.nan_to_num(urban + np.zeros_like(whole))[held] + np.nan_to_num(rural)[held] == whole[held]
                ).all()


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        ("EMP_SERVICE_TOWNSHIPS", "TOWNSHIPS"),
        ("ELD_BEDS_NURSING", "ELD_BEDS"),
        ("HLT_COUNTY_HOSPITALS_TELEMEDICINE", "HLT_COUNTY_HOSPITALS"),
        ("EDU_SCHOOLS_ONLINE", "EDU_SCHOOLS"),
    ],
)
def test_of_which_counts_fit_into_their_whole_in_every_county(maker: TableMaker, part: str, whole: str) -> None:
    seen = 0
    for own, counties, _ in county_tables(maker):
        places = {series.label: place for place, series in enumerate(own.series)}
        for area in ("total", "urban", "rural"):
            if f"{part}@{area}" in places:
                assert (counties[places[f"{part}@{area}"]] <= counties[places[f"{whole}@{area}"]]).all()
                seen += 1
    assert seen


def test_rates_are_centred_on_the_province_by_population(maker: TableMaker) -> None:
    for own, counties, province in county_tables(maker):
        for place, series in enumerate(own.series):
            row = counties[place]
            held = ~np.isnan(row)
            people = maker.county_model.population[series.position, province.counties]
            if not series.indicator.is_counted and held.any() and people[held].sum() > 0:
                mean = np.average(row[held], weights=people[held])
                assert mean == pytest.approx(own.values[place], abs=0.02), (series.label, province.code)


def test_a_district_has_no_rural_beds_and_a_county_no_urban_ones(maker: TableMaker) -> None:
    form, period = RETURNS[2]
    province = maker.reference.province_by_code["510000"]
    own = province_figures(maker.annual, form, province, period)
    counties = maker.county_model.figures(own, province, period)
    labels = [series.label for series in own.series]
    is_district = maker.reference.counties.is_district[province.counties]
    assert (np.isnan(counties[labels.index("HLT_BEDS@rural")]) == is_district).all()
    assert (np.isnan(counties[labels.index("HLT_BEDS@urban")]) == ~is_district).all()


def test_a_health_community_is_there_or_not(maker: TableMaker) -> None:
    form, period = RETURNS[2]
    for province in maker.reference.provinces:
        own = province_figures(maker.annual, form, province, period)
        place = [series.label for series in own.series].index("HLT_COMMUNITY_COUNTIES@total")
        column = maker.county_model.figures(own, province, period)[place]
        assert set(column.tolist()) <= {0.0, 1.0}
        assert column.sum() == own.values[place]


def test_shares_of_a_county_are_stable_over_the_years(maker: TableMaker) -> None:
    province = maker.reference.province_by_code["410000"]
    shares = []
    for year in (2024, 2025):
        own = province_figures(maker.annual, "health_annual", province, ReturnPeriod(year, 12, "A"))
        place = [series.label for series in own.series].index("HLT_NURSES@total")
        column = maker.county_model.figures(own, province, ReturnPeriod(year, 12, "A"))[place]
        shares.append(column / column.sum())
    assert np.abs(shares[1] / shares[0] - 1).max() < 0.05
    assert shares[0] @ shares[0] > 1.05 / shares[0].size  # and the counties do differ


def test_largest_remainder_gives_whole_shares_and_the_leftover_to_the_largest() -> None:
    shares = share_whole(np.array([10.0, 7.5]), np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 4.0]]))
    assert shares.tolist() == [[4.0, 3.0, 3.0], [1.0, 1.0, 5.5]]


def test_a_total_without_weights_is_not_lost() -> None:
    assert share_whole(np.array([3.0]), np.zeros((1, 2))).tolist() == [[3.0, 0.0]]


def test_taking_never_exceeds_what_is_there() -> None:
    left = take_from(np.array([[5.0, 1.0, 0.0, 30.0]]), np.array([33.0]), np.array([[9.0, 50.0, 1.0, 0.01]]))
    assert left.sum() == 3.0
    assert left.min() >= 0.0
    assert (left <= [5.0, 1.0, 0.0, 30.0]).all()


def test_centring_holds_the_mean_within_bounds() -> None:
    centred = centre(np.array([90.0, 99.0, 80.0]), 95.0, np.array([1.0, 1.0, 2.0]), 0.0, 100.0)
    assert np.average(centred, weights=[1, 1, 2]) == pytest.approx(95.0, abs=0.05)
    assert centred.max() <= 100.0
