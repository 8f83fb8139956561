"""Rates from their parts and the nation from its provinces, on little literal frames."""

import dataclasses

import pandas as pd
import pytest

from tests.warehouse.frames import CATALOGUE, everywhere, figures, rows_of, slice_of
from warehouse.deriving import aggregate_nation, derive_indicators
from warehouse.panels import UnknownStatusError, is_city_district, status_ranks

BEDS, PEOPLE, RATE = "HLT_BEDS", "POP_RESIDENT", "HLT_BEDS_PER_1000"


def derived(rows):
    return rows_of(derive_indicators(figures(rows), CATALOGUE))


def nation(rows):
    return {row[:2] + row[3:] for row in rows_of(aggregate_nation(figures(rows), CATALOGUE))}


def test_a_rate_is_multiplier_times_numerator_over_denominator() -> None:
    assert derived(
        [(BEDS, "2024", "510000", "total", 30.0, "A"), (PEOPLE, "2024", "510000", "total", 4000.0, "A")]
    ) == {(RATE, "2024", "510000", "total", 7.5, "A")}


def test_a_rate_is_not_rounded() -> None:
    rows = derived([(BEDS, "2024", "510000", "total", 1.0, "A"), (PEOPLE, "2024", "510000", "total", 3.0, "A")])
    assert {row[4] for row in rows} == {1000 * 1.0 / 3.0}


def test_the_status_is_the_weakest_of_the_parts() -> None:
    rows = derived([(BEDS, "2024", "510000", "total", 30.0, "P"), (PEOPLE, "2024", "510000", "total", 4000.0, "E")])
    assert {row[5] for row in rows} == {"E"}


@pytest.mark.parametrize(
    "people",
    [
        pytest.param([], id="no row"),
        pytest.param([(PEOPLE, "2024", "510000", "total", None, "M")], id="blank"),
        pytest.param([(PEOPLE, "2024", "510000", "total", 0.0, "A")], id="zero"),
        pytest.param([(PEOPLE, "2024", "110000", "total", 5.0, "A")], id="another region"),
        pytest.param([(PEOPLE, "2023", "510000", "total", 5.0, "A")], id="another year: a year asks its own year"),
    ],
)
def test_without_a_denominator_there_is_no_row(people) -> None:
    assert derived([(BEDS, "2024", "510000", "total", 30.0, "A"), *people]) == set()


def test_an_annual_rate_has_no_quarters() -> None:
    rows = [(BEDS, "2024-Q2", "510000", "total", 30.0, "A"), (PEOPLE, "2023", "510000", "total", 4000.0, "A")]
    assert derived(rows) == set()


def test_a_quarterly_rate_has_quarters_and_years() -> None:
    rows = [
        (code, period, "510000", "rural", value, "A")
        for code, value in (("ELD_BEDS_NURSING", 3.0), ("ELD_BEDS", 4.0))
        for period in ("2024", "2024-Q2")
    ]
    assert {row[1:5] for row in derived(rows)} == {
        ("2024", "510000", "rural", 75.0),
        ("2024-Q2", "510000", "rural", 75.0),
    }


def test_a_school_year_rate_has_school_years_by_area_type() -> None:
    rows = [
        ("EDU_PRIMARY_PUPILS", "SY2024", "510104", "urban", 340.0, "E"),
        ("EDU_PRIMARY_TEACHERS", "SY2024", "510104", "urban", 20.0, "E"),
    ]
    assert derived(rows) == {("EDU_PRIMARY_PUPILS_PER_TEACHER", "SY2024", "510104", "urban", 17.0, "E")}


def test_parts_are_taken_from_the_area_type_they_name_and_added() -> None:
    rows = [
        ("PEN_EMPLOYEE_INSURED", "2024", "510000", "urban", 30.0, "A"),
        ("PEN_RESIDENT_INSURED", "2024", "510000", "total", 40.0, "A"),
        (PEOPLE, "2024", "510000", "total", 100.0, "A"),
    ]
    assert derived(rows) == {("PEN_COVERAGE", "2024", "510000", "total", 70.0, "A")}
    assert derived(rows[1:]) == set()


def test_no_rate_by_area_type_over_another_area_definition() -> None:
    rows = [(BEDS, "2024", "510000", "urban", 30.0, "A"), (PEOPLE, "2024", "510000", "urban", 4000.0, "A")]
    assert derived(rows) == set()


def population_for(period: str, catalogue_frequency: str, stocks) -> set:
    """A rate of another frequency than population, in a catalogue where there is one."""
    indicators = dict(CATALOGUE.indicators)
    # model_copy, not a new catalogue file: one field differs.
    indicators[RATE] = indicators[RATE].model_copy(update={"frequency": catalogue_frequency})
    catalogue = dataclasses.replace(CATALOGUE, indicators=indicators)
    frame = figures([(BEDS, period, "510000", "total", 30.0, "A"), *stocks])
    return {row[4] for row in rows_of(derive_indicators(frame, catalogue)) if row[0] == RATE}


def test_a_stock_of_another_frequency_is_the_latest_that_ended() -> None:
    stocks = [
        (PEOPLE, "2022", "510000", "total", 1000.0, "A"),
        (PEOPLE, "2023", "510000", "total", 2000.0, "A"),
        (PEOPLE, "2024", "510000", "total", 3000.0, "A"),
    ]
    assert population_for("2024-Q2", "Q", stocks) == {15.0}


def test_a_blank_stock_is_passed_over() -> None:
    stocks = [(PEOPLE, "2022", "510000", "total", 1000.0, "A"), (PEOPLE, "2023", "510000", "total", None, "M")]
    assert population_for("2024-Q2", "Q", stocks) == {30.0}


def test_a_stock_is_at_most_two_years_old() -> None:
    assert population_for("2024-Q4", "Q", [(PEOPLE, "2022", "510000", "total", 1000.0, "A")]) == {30.0}
    assert population_for("2025-Q1", "Q", [(PEOPLE, "2022", "510000", "total", 1000.0, "A")]) == set()


def test_slices_limit_what_is_derived() -> None:
    frame = figures(
        (code, period, "510000", "total", value, "A")
        for code, value in ((BEDS, 30.0), (PEOPLE, 4000.0))
        for period in ("2023", "2024")
    )
    got = derive_indicators(frame, CATALOGUE, {slice_of(RATE, "2024")})
    assert {row[1] for row in rows_of(got)} == {"2024"}


def test_results_concatenate_with_the_figures() -> None:
    frame = figures([(BEDS, "2024", "510000", "total", 30.0, "A"), (PEOPLE, "2024", "510000", "total", 4000.0, "E")])
    whole = pd.concat([frame, derive_indicators(frame, CATALOGUE)])
    assert whole.dtypes.to_dict() == frame.dtypes.to_dict()


def test_the_nation_is_the_sum() -> None:
    assert (PEOPLE, "2024", "total", 62.0, "A") in nation(everywhere(PEOPLE, "2024", "total", 2.0))


def test_thirty_provinces_are_not_the_nation() -> None:
    assert nation(everywhere(PEOPLE, "2024", "total", 2.0)[1:]) == set()


def test_a_blank_province_leaves_no_nation() -> None:
    rows = everywhere(PEOPLE, "2024", "total", [None, *[2.0] * 30])
    assert nation(rows) == set()


def test_what_cannot_exist_is_not_missed() -> None:
    rows = everywhere(BEDS, "2024", "rural", 2.0)
    without = [row for row in rows if row[2] not in {"110000", "310000"}]
    assert nation(without) == {(BEDS, "2024", "rural", 58.0, "A")}
    assert nation(without[1:]) == set()


def test_counties_play_no_part_in_the_nation() -> None:
    rows = [*everywhere(PEOPLE, "2024", "total", 2.0), (PEOPLE, "2024", "510104", "total", 9.0, "A")]
    assert nation(rows) == {(PEOPLE, "2024", "total", 62.0, "A")}


def test_a_national_rate_is_the_ratio_of_the_sums() -> None:
    beds = everywhere(BEDS, "2024", "total", [31.0, *[1.0] * 30])
    people = everywhere(PEOPLE, "2024", "total", [1000.0, *[500.0] * 30])
    assert (RATE, "2024", "total", 1000 * 61.0 / 16000.0, "A") in nation(beds + people)


def test_a_province_where_nobody_is_counted_adds_nothing_to_the_ratio() -> None:
    beds = everywhere(BEDS, "2024", "total", [0.0, *[1.0] * 30])
    people = everywhere(PEOPLE, "2024", "total", [0.0, *[500.0] * 30])
    assert (RATE, "2024", "total", 2.0, "A") in nation(beds + people)


def test_a_weighted_mean_takes_the_weight_of_its_area_type() -> None:
    income = everywhere("INC_DISPOSABLE", "2024", "rural", [100.0, *[200.0] * 30])
    rural = everywhere(PEOPLE, "2024", "rural", [30.0, *[1.0] * 30])
    assert ("INC_DISPOSABLE", "2024", "rural", 150.0, "A") in nation(income + rural)


def test_a_weighted_mean_takes_the_total_where_area_definitions_differ() -> None:
    wage = everywhere("EMP_UNIT_WAGE", "2024", "urban", [100.0, *[200.0] * 30])
    total = everywhere(PEOPLE, "2024", "total", [30.0, *[1.0] * 30], "E")
    assert ("EMP_UNIT_WAGE", "2024", "urban", 150.0, "E") in nation(wage + total)


def test_a_weighted_mean_without_a_weight_is_none() -> None:
    income = everywhere("INC_DISPOSABLE", "2024", "total", 100.0)
    assert nation(income + everywhere(PEOPLE, "2021", "total", 1.0)) == {(PEOPLE, "2021", "total", 31.0, "A")}
    assert nation(income + everywhere(PEOPLE, "2024", "total", 1.0)[1:]) == set()


def test_aggregation_none_has_no_nation() -> None:
    assert nation(everywhere("HLT_BEDS_PER_10K", "2024", "total", 60.0)) == set()


def test_an_unknown_status_is_an_error_that_names_it() -> None:
    with pytest.raises(UnknownStatusError, match="Y"):
        status_ranks(pd.Series(["A", "Y"]))


@pytest.mark.parametrize(
    ("code", "is_urban"),
    [
        pytest.param("510104", True, id="district"),
        pytest.param("130123", False, id="county"),
        pytest.param("130181", False, id="county-level city"),
        pytest.param("500151", True, id="late district of a municipality"),
        pytest.param("500229", False, id="county of a municipality"),
        pytest.param("469001", False, id="directly administered city"),
        pytest.param("622901", False, id="city of an autonomous prefecture"),
        pytest.param("441900", True, id="city without counties"),
    ],
)
def test_city_districts_by_code(code: str, is_urban: bool) -> None:
    assert is_city_district(code) is is_urban
