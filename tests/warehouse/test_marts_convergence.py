"""Convergence: which years and places count, what the word says, what a row rests on."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warehouse.centre import Centre
from tests.warehouse.centre import everywhere as returns_everywhere
from tests.warehouse.frames import CATALOGUE, PROVINCES, Row, everywhere, figures, slice_of
from warehouse.marts import reach
from warehouse.marts.convergence import CONVERGENCE_COLUMNS, CONVERGENCE_MEASURES, convergence
from warehouse.marts.registry import MARTS
from warehouse.measures import beta_convergence, sigma_convergence

RATE, BROKEN, COUNTY_RATE = "HLT_BEDS_PER_1000", "HLT_BEDS_PER_10K", "EDU_ILLITERACY_RATE"
START = np.linspace(4.0, 8.0, 31)


def drawing_together(years: range, factor: float = 0.9, indicator: str = RATE, area: str = "total") -> list[Row]:
    """Distances from 6 shrink by ``factor`` each year."""
    rows: list[Row] = []
    for step, year in enumerate(years):
        rows += everywhere(indicator, str(year), area, (6 + (START - 6) * factor**step).tolist())
    return rows


def without(rows: list[Row], year: int, *provinces: str) -> list[Row]:
    return [row for row in rows if not (row[1] == str(year) and row[2] in provinces)]


def row_of(rows: list[Row], year: int, scope: str = "nation:province", area: str = "total", **options):
    frame = convergence(figures(rows), CATALOGUE, **options)
    key = slice_of(rows[0][0], str(year))
    is_it = (
        (frame["period_key"] == key[1])
        & (frame["scope"] == scope)
        & (frame["area_key"] == ["total", "urban", "rural"].index(area))
    )
    assert is_it.sum() == 1
    return frame[is_it].iloc[0]


def test_numbers_are_those_of_the_measures_over_all_years() -> None:
    row = row_of(drawing_together(range(2015, 2020)), 2019)
    panel = np.array([6 + (START - 6) * 0.9**step for step in range(5)]).T
    sigma = sigma_convergence(panel[None], range(2015, 2020))
    beta = beta_convergence(panel[:, 0], panel[:, -1], 4)
    assert row.cv_slope == pytest.approx(sigma.cv_slope[0], rel=1e-12)
    assert row.sd_log_slope == pytest.approx(sigma.sd_log_slope[0], rel=1e-12)
    assert (row.cv_first, row.cv_last) == (pytest.approx(sigma.cv[0, 0]), pytest.approx(sigma.cv[0, -1]))
    assert [row.beta, row.speed, row.half_life] == [
        pytest.approx(float(part[0]), rel=1e-12) for part in beta[1:2] + beta[3:]
    ]
    assert (row.years, row.units, row.units_missing, row.coverage, row.first_period_key) == (5, 31, 0, 1.0, 20150112)
    assert (row.convergence, row.grade, row.status) == ("converging", "A", "ok")


def test_by_hand_three_years_of_a_spread_that_halves() -> None:
    """Half the places at 5, one at 6, half at 7; then 5.5 and 6.5; then 5.75 and 6.25: CVs are in the proportion 4 : 2 : 1."""
    rows = [
        row
        for year, distance in ((2020, 1.0), (2021, 0.5), (2022, 0.25))
        for row in everywhere(RATE, str(year), "total", [6 - distance] * 15 + [6.0] + [6 + distance] * 15)
    ]
    row = row_of(rows, 2022)
    first = math.sqrt(30 / 31) / 6
    assert row.cv_first == pytest.approx(first)
    assert row.cv_last == pytest.approx(first / 4)
    assert row.cv_slope == pytest.approx((first / 4 - first) / 2)


@pytest.mark.parametrize(("factor", "word"), [(0.9, "converging"), (1.1, "diverging"), (1.0, "none"), (0.9995, "none")])
def test_the_word(factor: float, word: str) -> None:
    assert row_of(drawing_together(range(2015, 2020), factor), 2019).convergence == word


def test_two_years_are_too_few() -> None:
    row = row_of(drawing_together(range(2018, 2020)), 2019)
    assert (row.status, row.years) == ("too_few_years", 2)
    assert all(math.isnan(row[name]) for name in CONVERGENCE_MEASURES)
    assert not isinstance(row.convergence, str)


def test_each_year_has_its_row_of_the_years_until_then() -> None:
    frame = convergence(figures(drawing_together(range(2015, 2020))), CATALOGUE)
    assert frame["years"].tolist() == [1, 2, 3, 4, 5]
    assert frame["status"].tolist() == ["too_few_years"] * 2 + ["ok"] * 3


def test_a_later_year_does_not_change_an_earlier_row() -> None:
    early = convergence(figures(drawing_together(range(2015, 2019))), CATALOGUE)
    late = convergence(figures(drawing_together(range(2015, 2020))), CATALOGUE)
    assert late.iloc[:4].equals(early)


def test_no_series_crosses_a_break_of_any_unit() -> None:
    """Beijing's beds have another denominator from 2012 on: the provinces' series begins there."""
    row = row_of(drawing_together(range(2009, 2016), indicator=BROKEN), 2015)
    assert (row.first_period_key, row.years) == (20120112, 4)
    rural = row_of(drawing_together(range(2017, 2023), indicator=BROKEN, area="rural"), 2022, area="rural")
    assert (rural.status, rural.first_period_key) == ("too_few_years", 20210112)


@pytest.mark.parametrize("status", ["E", "F", "I", "D"])
def test_estimates_and_weaker_are_not_used(status: str) -> None:
    rows = [(*row[:5], status) for row in drawing_together(range(2015, 2020))]
    assert convergence(figures(rows), CATALOGUE).empty


def test_provisional_figures_are_used_and_tell() -> None:
    rows = [(*row[:5], "P" if row[1] == "2019" else "A") for row in drawing_together(range(2015, 2020))]
    assert row_of(rows, 2019).grade == "C"
    assert row_of(rows, 2018).grade == "A"


def test_only_places_of_all_years_count() -> None:
    """A place that reports in some years only would change the spread by coming and going."""
    rows = drawing_together(range(2015, 2020))
    less = without(without(rows, 2016, "110000"), 2018, "120000")
    row = row_of(less, 2019)
    assert (row.units, row.units_missing, row.years, row.grade, row.status) == (29, 2, 5, "C", "ok")
    panel = np.array([6 + (START[2:] - 6) * 0.9**step for step in range(5)]).T
    assert row.cv_slope == pytest.approx(sigma_convergence(panel[None], range(2015, 2020)).cv_slope[0])


def test_a_year_of_too_few_places_is_left_out() -> None:
    row = row_of(without(drawing_together(range(2015, 2020)), 2017, *PROVINCES[:7]), 2019)
    assert (row.years, row.units, row.first_period_key, row.status) == (4, 31, 20150112, "ok")
    first = row_of(without(drawing_together(range(2015, 2020)), 2015, *PROVINCES[:7]), 2019)
    assert (first.years, first.first_period_key) == (4, 20160112)


def test_a_row_whose_own_year_is_left_out_says_so() -> None:
    row = row_of(without(drawing_together(range(2015, 2020)), 2019, *PROVINCES[:7]), 2019)
    assert (row.status, row.coverage) == ("insufficient_coverage", pytest.approx(31 / 31))


def test_places_that_come_and_go_leave_too_few() -> None:
    rows = drawing_together(range(2015, 2020))
    for step, year in enumerate(range(2015, 2019)):
        rows = without(rows, year, *PROVINCES[3 * step : 3 * step + 3])
    row = row_of(rows, 2019)
    assert (row.status, row.units, row.units_missing) == ("insufficient_coverage", 19, 12)
    assert row_of(rows, 2019, minimum_coverage=0.5).status == "ok"


def test_what_cannot_exist_is_not_missing() -> None:
    absent = ("110000", "310000")
    rows = [row for year in range(2021, 2025) for row in everywhere(BROKEN, str(year), "rural", (START * 9).tolist())]
    row = row_of([row for row in rows if row[2] not in absent], 2024, area="rural")
    assert (row.units, row.units_missing, row.status) == (29, 0, "ok")


def test_a_zero_voids_the_logarithms_alone() -> None:
    rows = [(*row[:4], 0.0 if row[2] == "110000" else row[4], row[5]) for row in drawing_together(range(2015, 2020))]
    row = row_of(rows, 2019)
    assert row.status == "ok"
    assert math.isnan(row.sd_log_slope)
    assert not math.isnan(row.cv_slope)
    assert row_of([(*row[:4], 0.0, "A") for row in rows], 2019).status == "undefined_zero_mean"


def test_school_years_and_years_are_series_of_their_own() -> None:
    rows = drawing_together(range(2015, 2020))
    rows += [(code, f"SY{year}", *rest) for code, year, *rest in drawing_together(range(2012, 2015))]
    assert row_of(rows, 2019).years == 5


def test_months_have_no_rows() -> None:
    rows = [row for month in range(1, 8) for row in everywhere(RATE, f"2024-{month:02d}", "total", START.tolist())]
    frame = convergence(figures(rows), CATALOGUE)
    assert frame.empty
    assert tuple(frame.columns) == CONVERGENCE_COLUMNS


def test_counties_of_the_nation_and_of_each_province_that_reports() -> None:
    codes = sorted(CATALOGUE.county_units)
    rows = [
        (COUNTY_RATE, str(year), code, "total", 5 + (number % 7 - 3) * 0.9**year_number, "A")
        for year_number, year in enumerate(range(2020, 2024))
        for number, code in enumerate(codes)
        if code.startswith("51")
    ]
    frame = convergence(figures(rows), CATALOGUE, {slice_of(COUNTY_RATE, "2023")})
    assert frame["scope"].tolist() == ["510000:county", "nation:county"]
    assert frame["status"].tolist() == ["ok", "insufficient_coverage"]
    assert (frame["units"].iloc[0], frame["convergence"].iloc[0]) == (183, "converging")


def test_a_warning_in_any_of_its_years_lowers_the_grade() -> None:
    rows = drawing_together(range(2015, 2020))
    assert row_of(rows, 2019, warned={slice_of(RATE, "2016")}).grade == "B"
    assert row_of(rows, 2019, warned={slice_of(RATE, "2014")}).grade == "A"


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(31)), st.floats(0.01, 1000))
def test_neither_the_order_of_places_nor_the_unit_matters(order: list[int], scale: float) -> None:
    rows = drawing_together(range(2015, 2019))
    place = {code: PROVINCES[order[number]] for number, code in enumerate(PROVINCES)}
    moved = [
        (code, year, place[region], area, value * scale, status) for code, year, region, area, value, status in rows
    ]
    first, second = row_of(rows, 2018), row_of(moved, 2018)
    for name in CONVERGENCE_MEASURES:
        assert second[name] == pytest.approx(first[name], rel=1e-6), name


# --- what rests on what ---


def test_a_changed_year_reaches_itself_and_later_years_and_no_other() -> None:
    mart = MARTS["convergence"]
    years = [slice_of(RATE, str(year))[1] for year in range(2015, 2020)]
    known = {slice_of(code, "2015")[0]: [*years, slice_of(code, "2018-03")[1]] for code in ("HLT_BEDS", BROKEN)}
    possible = mart.slices(CATALOGUE, known)
    assert {period for _, period in possible} == set(years)
    found = reach.touched({slice_of(BROKEN, "2017")}, possible, mart.rests_on, CATALOGUE, known)
    assert found == {slice_of(BROKEN, str(year)) for year in (2017, 2018, 2019)}


def test_readers_see_convergence_and_a_correction_of_an_early_year_moves_it(centre: Centre) -> None:
    for year, values in ((2015, START), (2016, 6 + (START - 6) * 0.8), (2017, 6 + (START - 6) * 0.6)):
        centre.night(*returns_everywhere("health_annual", str(year), BROKEN, (values * 10).tolist()))
    asked = "SELECT first_period_code, years, convergence, release_id FROM mart.convergence WHERE status = 'ok'"
    assert [row[:3] for row in centre.rows(asked)] == [("2015", 3, "converging")]
    before = centre.now().isoformat()
    centre.night(*returns_everywhere("health_annual", "2015", BROKEN, (60 + (START - 6)).tolist()))
    assert [row[2] for row in centre.rows(asked)] == ["diverging"]
    then = asked.replace("mart.convergence", "mart.convergence_as_of(CAST(:moment AS timestamptz))")
    assert [row[2] for row in centre.rows(then, moment=before)] == ["converging"]
