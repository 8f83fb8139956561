"""When a place reaches its standard if it goes on so, and how likely it is short of it next time."""

import dataclasses
import datetime
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warehouse.centre import Cell, Centre, Return
from tests.warehouse.frames import CATALOGUE, Row, figures, slice_of
from tests.warehouse.test_marts_shortfall import standing
from tests.warehouse.test_measures_oracles import CASES
from warehouse.catalogue import Break, Catalogue
from warehouse.marts.shortfall_risk import RISK_COLUMNS, shortfall_risk

PHYSICIANS, PUPILS, PENSION = "HLT_PHYSICIANS_PER_1000", "EDU_PRIMARY_PUPILS_PER_TEACHER", "PEN_RESIDENT_MONTHLY"
SICHUAN, ZHEJIANG = "510000", "330000"


def series(
    *values: float | None, last: int = 2023, region: str = SICHUAN, status: str = "A", indicator: str = PHYSICIANS
) -> list[Row]:
    """One figure a year, the last of the year ``last``."""
    first = last - len(values) + 1
    school = "SY" if CATALOGUE.indicators[indicator].frequency == "S" else ""
    return [
        (indicator, f"{school}{first + place}", region, "total", value, status if value is not None else "M")
        for place, value in enumerate(values)
    ]


def judged(rows: list[Row], catalogue: Catalogue | None = None, **more: object) -> pd.DataFrame:
    return shortfall_risk(figures(rows), catalogue or standing(rows[0][0], 3.0), **more)  # type: ignore[arg-type]


def at(rows: pd.DataFrame, period: str, region: str = SICHUAN) -> pd.Series:
    [key] = {slice_of(PHYSICIANS, period)[1]}
    found = rows[(rows["period_key"] == key) & (rows["region_key"] == int(region))]
    assert len(found) == 1
    return found.iloc[0]


# --- by hand ---


def test_a_straight_rise_reaches_the_floor_where_its_line_does() -> None:
    """2.0, 2.2, 2.4, 2.6: 0.4 short, at 0.2 a year two years later; next year 2.8 for sure, which is short."""
    row = at(judged(series(2.0, 2.2, 2.4, 2.6)), "2023")
    assert (row.years, row.first_year, row.value, row.floor_value) == (4, 2020, 2.6, 3.0)
    assert row.slope == pytest.approx(0.2)
    assert (row.attainment_status, row.attainment_year) == ("projected", pytest.approx(2025.0))
    assert (row.next_value, row.probability, row.band) == (pytest.approx(2.8), 1.0, "severe")
    assert (row.grade, row.status) == ("A", "ok")


def test_the_probability_is_students_of_the_prediction() -> None:
    """The worked example of the measure: 6.0, 6.3, 6.1, 6.4 against 6.5 → expects 6.45, short with 0.57."""
    row = at(judged(series(6.0, 6.3, 6.1, 6.4), standing(PHYSICIANS, 6.5)), "2023")
    assert (round(row.next_value, 4), round(row.probability, 4), row.band) == (6.45, 0.57, "high")


def test_only_the_last_five_observed_years_count() -> None:
    row = at(judged(series(9.0, 9.0, 2.0, None, 2.1, 2.2, 2.3, 2.4)), "2023")
    assert (row.years, row.first_year) == (5, 2018)
    assert row.slope < 0.1


def test_a_rows_years_end_with_its_period() -> None:
    rows = judged(series(2.0, 2.1, 2.2, 2.3, 1.0))
    assert at(rows, "2022").slope == pytest.approx(0.1)
    assert at(rows, "2023").slope < 0


def test_fewer_pupils_a_teacher_is_better() -> None:
    row = judged(series(22.0, 21.5, 21.0, 20.5, indicator=PUPILS), CATALOGUE).iloc[-1]
    assert (row.floor_value, row.attainment_status, row.attainment_year) == (19.0, "projected", pytest.approx(2026.0))
    assert row.probability == 1.0


@pytest.mark.parametrize(
    ("values", "status", "year"),
    [
        pytest.param((2.9, 3.0, 3.1, 3.2), "attained", 2021.0, id="since its first year at the floor"),
        pytest.param((2.9, 2.8, 2.7, 2.6), "not_approaching", None, id="going away from it"),
        pytest.param((2.0, 2.0001, 2.0002, 2.0003), "beyond_horizon", None, id="in thousands of years"),
        pytest.param((2.8, 2.9), "insufficient", None, id="two years are no line"),
        pytest.param((3.1, 3.2), "insufficient", None, id="not even to say that it is attained"),
    ],
)
def test_each_outcome_has_its_word(values: tuple[float, ...], status: str, year: float | None) -> None:
    row = at(judged(series(*values)), "2023")
    assert row.attainment_status == status
    assert np.isnan(row.attainment_year) if year is None else row.attainment_year == year


# --- which standard ---


def test_next_time_it_is_judged_by_the_standard_already_set_for_then() -> None:
    """A pension of 130 in 2024: over the 123 of the year, under the 143 of 2025."""
    row = judged(series(100.0, 110.0, 120.0, 130.0, last=2024, indicator=PENSION), CATALOGUE).iloc[-1]
    assert (row.floor_value, row.next_floor_value) == (123.0, 143.0)
    assert (row.attainment_status, row.next_value, row.probability) == ("attained", pytest.approx(140.0), 1.0)


def test_where_none_follows_the_last_one_stands() -> None:
    ended = standing(PHYSICIANS, 3.0, valid_to=datetime.date(2023, 12, 31))
    assert at(judged(series(2.0, 2.2, 2.4, 2.6), ended), "2023").next_floor_value == 3.0


def test_no_standard_at_the_period_no_row() -> None:
    began = standing(PHYSICIANS, 3.0, valid_from=datetime.date(2024, 1, 1))
    rows = judged(series(2.0, 2.2, 2.4, 2.6), began)
    assert rows.empty
    assert tuple(rows.columns) == RISK_COLUMNS


# --- which years ---


@pytest.mark.parametrize("status", ["E", "F", "I", "D"])
def test_a_figure_that_was_not_observed_makes_no_row_and_no_year(status: str) -> None:
    rows = series(2.0, 2.2, 2.4, last=2022) + series(9.0, status=status)
    assert slice_of(PHYSICIANS, "2023")[1] not in set(judged(rows)["period_key"])
    more = judged(rows + series(2.6, last=2024))
    assert (at(more, "2024").years, at(more, "2024").slope) == (4, pytest.approx(0.6 / 4, abs=0.01))


def test_provisional_figures_count_with_grade_c() -> None:
    rows = judged(
        series(2.0, 2.2, 2.4, last=2022) + series(2.6, status="P") + series(2.8, 3.0, 3.2, 3.4, 3.6, last=2028)
    )
    assert [at(rows, year).grade for year in ("2022", "2023", "2027", "2028")] == ["A", "C", "C", "A"]


def test_a_warned_slice_has_grade_b() -> None:
    rows = judged(series(2.0, 2.2, 2.4, 2.6), warned={slice_of(PHYSICIANS, "2023")})
    assert (at(rows, "2022").grade, at(rows, "2023").grade) == ("A", "B")


def test_three_years_make_a_line_but_no_probability() -> None:
    row = at(judged(series(2.0, 2.2, 2.4)), "2023")
    assert (row.status, row.attainment_status) == ("too_few_years", "projected")
    assert row[["next_value", "next_error", "probability", "band"]].isna().all()


def broken(first_year: int, region: str | None = None) -> Catalogue:
    row = Break(
        indicator_code=PHYSICIANS,
        region_code=region,
        area_type=None,
        first_year_of_new_definition=first_year,
        what_changed="x",
    )
    return dataclasses.replace(standing(PHYSICIANS, 3.0), breaks=(row,))


def test_no_line_crosses_a_break() -> None:
    rows = judged(series(9.0, 9.0, 9.0, 2.0, 2.2, 2.4), broken(2021))
    cut, before = at(rows, "2023"), at(rows, "2020")
    assert (cut.years, cut.first_year, cut.status) == (3, 2021, "across_break")
    assert cut.slope == pytest.approx(0.2)
    assert (before.years, before.status) == (3, "too_few_years")


def test_a_break_of_one_place_leaves_the_others_whole() -> None:
    both = series(2.0, 2.1, 2.2, 2.3) + series(2.0, 2.1, 2.2, 2.3, region=ZHEJIANG)
    rows = judged(both, broken(2022, ZHEJIANG))
    assert (at(rows, "2023").years, at(rows, "2023", ZHEJIANG).years) == (4, 2)


def test_months_are_no_years() -> None:
    monthly = [(PHYSICIANS, f"2023-{month:02d}", SICHUAN, "total", 2.0, "A") for month in range(1, 13)]
    rows = judged(series(2.0, 2.1, 2.2, 2.3) + monthly)
    assert set(rows["period_key"] % 10_000) == {112}


def test_slices_limit_the_rows_and_the_past_is_looked_up_beyond_them() -> None:
    rows = judged(series(2.0, 2.2, 2.4, 2.6), slices={slice_of(PHYSICIANS, "2023")})
    assert rows["years"].tolist() == [4]


# --- invariants ---

VALUES = st.lists(st.floats(1, 9).map(lambda x: round(x, 2)), min_size=4, max_size=8)


@given(values=VALUES, shift=st.integers(-5, 5))
@settings(max_examples=20, deadline=None)
def test_a_higher_floor_is_never_less_risky(values: list[float], shift: int) -> None:
    low = judged(series(*values, last=2023 + shift), standing(PHYSICIANS, 4.0)).iloc[-1]
    high = judged(series(*values, last=2023 + shift), standing(PHYSICIANS, 5.0)).iloc[-1]
    assert 0 <= low.probability <= high.probability <= 1
    assert low.years == high.years == min(len(values), 5)
    assert math.isclose(low.next_value, high.next_value)


@pytest.mark.parametrize(
    "case", [c for c in CASES if c["measure"] == "attainment_projection"], ids=lambda case: case["id"]
)
def test_oracle(case: dict) -> None:
    """Each case as five years of one province, read from the mart."""
    inputs, expected = case["inputs"], case["expected"]
    indicator = PHYSICIANS if inputs["favourable"] else "EDU_ILLITERACY_RATE"
    rows = series(*inputs["values"], last=inputs["years"][-1], indicator=indicator)
    row = judged(rows, standing(indicator, inputs["target"])).iloc[-1]
    assert row.attainment_status == expected["status"]
    for name, column in (("slope", "slope"), ("year", "attainment_year")):
        if expected[name] is None:
            assert np.isnan(row[column])
        else:
            assert row[column] == pytest.approx(expected[name], rel=case["tolerance"])
    if expected["year_ceiling"] is not None:
        assert math.ceil(row.attainment_year - 1e-9) == expected["year_ceiling"]


# --- in the warehouse ---


def ratio(period: int, pupils: float) -> Return:
    cells = (Cell("EDU_PRIMARY_PUPILS", SICHUAN, pupils, "rural"), Cell("EDU_PRIMARY_TEACHERS", SICHUAN, 10.0, "rural"))
    return Return("education_school_year", SICHUAN, f"SY{period}", cells)


def test_readers_see_it_and_a_year_computes_itself_and_the_later_ones_anew(centre: Centre) -> None:
    centre.night(*(ratio(year, 190.0 + 10 * (2023 - year)) for year in range(2019, 2024)))
    asked = (
        "SELECT period_code, years, attainment_status, round(probability::numeric, 3), band, status, release_id"
        " FROM mart.shortfall_risk WHERE indicator_code = 'EDU_PRIMARY_PUPILS_PER_TEACHER' AND region_code = '510000'"
        " ORDER BY 1"
    )
    first = [
        ("SY2019", 1, "insufficient", None, None, "too_few_years", 1),
        ("SY2020", 2, "insufficient", None, None, "too_few_years", 1),
        ("SY2021", 3, "projected", None, None, "too_few_years", 1),
        ("SY2022", 4, "projected", 0, "low", "ok", 1),
        ("SY2023", 5, "attained", 0, "low", "ok", 1),
    ]
    assert centre.rows(asked) == first
    centre.night(ratio(2022, 205.0))
    again = centre.rows(asked)
    assert [row[-1] for row in again] == [1, 1, 1, 2, 2]
    assert again[-1][3] > 0
