"""Measures over years: convergence, projection, risk, trend, and the distributions they rest on."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.measures import (
    Sample,
    attainment_projection,
    beta_convergence,
    mann_kendall,
    shortfall_risk,
    sigma_convergence,
    spread_slope,
    theil_sen,
    trend_words,
)
from warehouse.measures.distributions import normal_tails, student_t

few = settings(max_examples=40, deadline=None)

series = st.lists(st.floats(1, 1e4), min_size=5, max_size=12)


@pytest.mark.parametrize(
    ("t", "freedom", "expected"),
    [
        # Tables of Student's t: 97.5 % points, and values of SciPy 1.17.
        (12.706204736174705, 1, 0.975),
        (4.302652729749464, 2, 0.975),
        (3.182446305283710, 3, 0.975),
        (2.228138851964939, 10, 0.975),
        (-1.5, 7, 0.088649243494985),
        (0.7, 4, 0.7387499172032749),
        (40.0, 3, 0.9999828096596054),
    ],
)
def test_student_t(t: float, freedom: int, expected: float) -> None:
    assert student_t(t, freedom) == pytest.approx(expected, abs=1e-9)


def test_distributions_keep_shape_and_nothing() -> None:
    assert student_t([[0.0, np.nan]], 3).shape == (1, 2)
    assert math.isnan(student_t([np.nan], 3)[0])
    assert math.isnan(student_t([0.3], 0)[0])
    assert math.isnan(normal_tails([np.nan])[0])


# --- convergence


def test_a_year_that_a_slice_does_not_have_is_left_out_of_its_panel() -> None:
    panel = np.array([[[1.0, 2.0, 9.0], [3.0, 4.0, np.nan]], [[1.0, 2.0, 3.0], [3.0, 4.0, 5.0]]])
    found = sigma_convergence(panel, [[2019, 2020, np.nan], [2019, 2020, 2021]])
    assert found.regions.tolist() == [2, 2]
    assert np.isnan(found.cv[0]).tolist() == [False, False, True]
    assert found.cv_slope[0] == pytest.approx(1 / 3 - 0.5)


def test_no_complete_region_leaves_no_spread() -> None:
    found = sigma_convergence([[[1.0, np.nan], [np.nan, 2.0]]], [2019, 2020])
    assert found.regions.tolist() == [0]
    assert math.isnan(found.cv_slope[0])
    assert np.isnan(found.cv).all()


def test_a_slope_of_a_spread_is_by_calendar_year_and_leaves_out_nothing_known() -> None:
    assert spread_slope([[0.4, np.nan, 0.2]], [2010, 2015, 2020])[0] == pytest.approx(-0.02)


@few
@given(st.lists(st.tuples(st.floats(0.1, 1e3), st.floats(0.1, 1e3)), min_size=3, max_size=10), st.floats(0.01, 100))
def test_beta_does_not_depend_on_the_unit_or_the_order(pairs, factor) -> None:
    start, end = np.array(pairs).T
    found, scaled = beta_convergence(start, end, 5), beta_convergence(start * factor, end * factor, 5)
    reversed_ = beta_convergence(start[::-1], end[::-1], 5)
    spread = np.ptp(np.log(start))
    if spread > 1e-3:
        assert scaled.slope[0] == pytest.approx(found.slope[0], rel=1e-5, abs=1e-6)
        assert reversed_.slope[0] == pytest.approx(found.slope[0], rel=1e-9, abs=1e-9)


def test_beta_of_many_slices_has_its_own_span_in_each() -> None:
    found = beta_convergence([1.0, 2.0, 1.0, 2.0], [2.0, 3.0, 2.0, 3.0], [5, 10], [0, 0, 1, 1])
    assert found.slope[0] == pytest.approx(2 * found.slope[1])
    assert beta_convergence([], [], 5, count=2).units.tolist() == [0, 0]


# --- projection and risk


def years(values: list[float], first: int = 2016) -> Sample:
    return Sample.of(values, ranking=np.arange(first, first + len(values)))


def test_projections_of_many_slices_each_have_their_status() -> None:
    values = [80.0, 85.0, 90.0, 96.0, 97.0, 90.0, 89.0, 50.0, 50.0, 50.01]
    sample = Sample.of(values, None, [0, 0, 0, 1, 1, 2, 2, 3, 4, 4], ranking=[1, 2, 3, 1, 2, 1, 2, 1, 1, 2], count=6)
    found = attainment_projection(sample, 95.0)
    assert found.status.tolist() == [
        *("projected", "attained", "not_approaching", "insufficient", "beyond_horizon", "insufficient")
    ]
    assert found.year.tolist()[:2] == [4.0, 1.0]
    assert np.isnan(found.year[2:]).all()


def test_a_missing_target_is_insufficient() -> None:
    assert attainment_projection(years([1.0, 2.0]), np.nan).status.tolist() == ["insufficient"]


def test_a_value_at_the_target_but_for_the_rounding_of_its_rate_has_attained_it() -> None:
    assert attainment_projection(years([90.0, 95.0 - 1e-12]), 95.0).status.tolist() == ["attained"]


@few
@given(series, st.integers(-50, 50))
def test_a_shift_of_the_calendar_shifts_the_year(values, shift) -> None:
    target = max(values) + 10
    found, moved = (attainment_projection(years(values, 2000 + by), target) for by in (0, shift))
    if found.status[0] == "projected" and found.year[0] < 2090:
        assert moved.year[0] == pytest.approx(found.year[0] + shift, abs=1e-4)


@few
@given(series, st.floats(1, 1e4))
def test_risk_mirrors_with_the_direction(values, floor) -> None:
    sample = years(values)
    good, bad = (shortfall_risk(sample, 2016 + len(values), floor, direction) for direction in (True, False))
    if good.error[0] > 1e-6 * abs(floor):
        assert good.probability[0] + bad.probability[0] == pytest.approx(1, abs=1e-9)


def test_risk_falls_as_the_floor_does_and_has_its_band() -> None:
    sample = years([6.0, 6.3, 6.1, 6.4, 6.5])
    floors = [7.5, 6.65, 6.55, 6.4, 6.0]
    found = [shortfall_risk(sample, 2021, floor) for floor in floors]
    probabilities = [risk.probability[0] for risk in found]
    assert probabilities == sorted(probabilities, reverse=True)
    assert [str(risk.band[0]) for risk in found] == ["severe", "high", "high", "watch", "low"]


def test_years_on_one_line_are_certain() -> None:
    found = [shortfall_risk(years([1.0, 2.0, 3.0, 4.0]), 2020, floor).probability[0] for floor in (4.9, 5.0, 5.1)]
    assert found == [0.0, 0.0, 1.0]


def test_three_years_tell_no_risk() -> None:
    found = shortfall_risk(years([6.0, 6.3, 6.1]), 2019, 6.5)
    assert math.isnan(found.probability[0])
    assert found.band[0] == ""


# --- trend


def test_mann_kendall_with_ties_by_hand() -> None:
    # 3 3 4 5 5: S = 8 (two of ten pairs tied); Var = (5·4·15 − 2·1·9 − 2·1·9)/18 = 264/18.
    found = mann_kendall([[3.0, 3.0, 4.0, 5.0, 5.0]], range(5))
    assert found.s[0] == 8
    assert found.variance[0] == pytest.approx(264 / 18)
    assert found.z[0] == pytest.approx(7 / math.sqrt(264 / 18))


def test_theil_sen_as_scipy_has_it() -> None:
    # scipy.stats.theilslopes(y, x): slope, low, high of SciPy 1.17.
    y = [2.02007, 0.9553, 1.32812, 0.65482, 0.63125, -0.63439, 1.23275]
    found = theil_sen([y], range(7))
    assert [part[0] for part in found] == pytest.approx([-0.345975, -0.65417, 0.1926433333333], abs=1e-9)


def test_four_years_are_no_trend_and_a_missing_year_is_left_out() -> None:
    values = [[1.0, 2.0, 3.0, 4.0, np.nan, np.nan], [1.0, 2.0, np.nan, 4.0, 5.0, 6.0]]
    test = mann_kendall(values, range(2015, 2021))
    assert test.years.tolist() == [4, 5]
    assert trend_words(test).tolist() == ["", "improving"]
    assert np.isnan(theil_sen(values, range(2015, 2021)).slope).tolist() == [True, False]
    assert theil_sen(values, range(2015, 2021)).slope[1] == 1.0


def test_all_tied_is_steady() -> None:
    test = mann_kendall([[4.0] * 6], range(6))
    assert (test.s[0], test.z[0], test.probability[0]) == (0.0, 0.0, 1.0)
    assert trend_words(test).tolist() == ["steady"]
    assert [part[0] for part in theil_sen([[4.0] * 6], range(6))] == [0.0, 0.0, 0.0]


@few
@given(series, st.floats(0.01, 100), st.floats(-100, 100))
def test_trend_follows_scale_and_shift(values, factor, shift) -> None:
    x = np.round(np.array([values]), 3)
    test, moved = mann_kendall(x, range(x.size)), mann_kendall(x * 2.0, range(x.size))
    assert moved.s[0] == test.s[0]
    slope, scaled = theil_sen(x, range(x.size)), theil_sen(x * factor + shift, range(x.size))
    assert scaled.slope[0] == pytest.approx(slope.slope[0] * factor, rel=1e-6, abs=1e-6)
    assert slope.low[0] <= slope.slope[0] <= slope.high[0]


@few
@given(series)
def test_a_series_turned_round_has_the_opposite_trend(values) -> None:
    forth, back = (mann_kendall([some], range(len(values))) for some in (values, values[::-1]))
    assert forth.s[0] == -back.s[0]
    assert forth.probability[0] == back.probability[0]
