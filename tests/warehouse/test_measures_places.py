"""Shortfall, agglomeration, schools, peers, quantiles, Lorenz curves, and why a measure has no value."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from warehouse.measures import (
    CV_LIMITS,
    SAMPLE_MEASURES,
    Sample,
    compulsory_education_cv,
    cost_to_floor,
    county_balance,
    fgt_shortfall,
    gini,
    gini_of_lorenz,
    hrad_pad,
    location_quotient,
    lorenz,
    measure_all,
    nearest_peers,
    p90_p10_ratio,
    quantile,
    relative_gap,
    undefined,
)

few = settings(max_examples=40, deadline=None)

units = st.lists(st.tuples(st.floats(0, 1e5), st.integers(1, 500)), min_size=1, max_size=20)


def of(rows) -> Sample:
    values, weights = zip(*rows, strict=True)
    return Sample.of(values, weights)


# --- shortfall


@few
@given(units, st.floats(0.1, 1e5))
def test_shortfalls_are_nested_shares(rows, floor) -> None:
    found = fgt_shortfall(of(rows), floor)
    assert 0 <= found.p2[0] <= found.p1[0] + 1e-12
    assert found.p1[0] <= found.p0[0] + 1e-12
    assert found.p0[0] <= 1 + 1e-12
    assert found.weight_below[0] == pytest.approx(found.p0[0] * sum(weight for _, weight in rows))


@few
@given(units, st.floats(0.1, 1e4), st.floats(0.01, 100))
def test_shortfall_does_not_depend_on_the_unit(rows, floor, factor) -> None:
    found = fgt_shortfall(of(rows), floor)
    scaled = fgt_shortfall(of([(value * factor, weight) for value, weight in rows]), floor * factor)
    assert scaled.p1[0] == pytest.approx(found.p1[0], abs=1e-9)


def test_floor_and_direction_are_by_slice() -> None:
    sample = Sample.of([5.0, 9.0, 5.0, 9.0], [1.0, 3.0, 1.0, 3.0], [0, 0, 1, 1], count=3)
    found = fgt_shortfall(sample, [6.0, 6.0, 6.0], [True, False, True])
    assert found.p0.tolist()[:2] == [0.25, 0.75]
    assert found.p1.tolist()[:2] == pytest.approx([0.25 / 6, 0.375])
    assert found.weight_below.tolist()[:2] == [1.0, 3.0]
    assert found.units_below.tolist() == [1, 1, 0]
    assert math.isnan(found.p0[2])


def test_a_rate_at_the_floor_but_for_rounding_is_not_short() -> None:
    assert relative_gap([6.5 - 1e-12, 6.4999], 6.5).tolist() == [0.0, pytest.approx(1.5384e-5, rel=1e-3)]


def test_costs_are_kept_where_only_the_budget_is_missing() -> None:
    found = cost_to_floor([90.0, 90.0, np.nan, 120.0], 100.0, [10.0] * 4, [np.nan, 0.0, 50.0, 50.0])
    assert found.cost.tolist()[:2] == [100.0, 100.0]
    assert math.isnan(found.cost[2])
    assert found.cost[3] == 0
    assert np.isnan(found.share_of_revenue).tolist() == [True, True, True, False]


# --- shares against shares


def test_wholes_are_kept_apart() -> None:
    found = hrad_pad([3, 1, 8, 2], [1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 4, 4])
    assert found.hrad.tolist() == [1.5, 0.5, 1.6, 0.4]
    assert location_quotient([1, 3, 1, 1], [2, 2, 2, 2], [0, 0, 1, 1]).tolist() == [0.5, 1.5, 1.0, 1.0]
    assert hrad_pad([], [], []).hrad.size == 0


@few
@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(0.1, 1e4), st.floats(0.1, 1e4)), min_size=1, max_size=10))
@example([(187.0, 1.0, 1.0), (2.2250738585e-313, 2.0, 1.0)])  # so small that floats have few digits left
def test_agglomeration_weighted_by_land_is_one(rows) -> None:
    resource, area, people = np.array(rows).T
    found = hrad_pad(resource, area, people)
    if resource.sum() > 1e-3:
        assert (found.hrad * area).sum() / area.sum() == pytest.approx(1)
        np.testing.assert_allclose(found.ratio, found.hrad / found.pad, rtol=1e-9, atol=1e-300)
    assert (found.pad * area).sum() / area.sum() == pytest.approx(1)


# --- schools: 7 indicators, 100 pupils a school


def county(shares: list[list[float]], pupils: tuple[int, ...] = (100, 100)):
    """Balance of a county; shares of the line by school, 7 indicators each."""
    amounts = np.array(shares).T * np.array(pupils)
    return county_balance(amounts, pupils, lines=1.0, cv_limits=CV_LIMITS["primary"])


def test_one_indicator_of_a_school_may_stand_at_85_percent() -> None:
    assert county([[1.0] * 7, [1.0] * 6 + [0.85]]).passes[0] == 1
    assert county([[1.0] * 7, [1.0] * 6 + [0.84]]).passes[0] == 0
    assert county([[1.0] * 7, [1.0] * 5 + [0.9, 0.9]]).passes[0] == 0


def test_a_county_whose_schools_meet_all_lines_may_still_be_too_uneven() -> None:
    found = county([[1.0] * 7, [1.0] * 6 + [9.0]])
    assert found.schools_meeting[0] == 2
    assert found.largest_cv[0] == pytest.approx(0.8)
    assert found.passes[0] == 0


def test_a_school_that_misses_a_figure_cannot_be_told_to_pass() -> None:
    assert math.isnan(county([[1.0] * 7, [1.0] * 5 + [0.85, np.nan]]).passes[0])
    # It misses two figures but fails a third line by far: the county fails whatever they are.
    assert county([[1.0] * 7, [0.5] + [1.0] * 5 + [np.nan]]).passes[0] == 0


def test_a_school_without_pupils_is_left_out_and_a_county_without_schools_is_null() -> None:
    found = county([[1.0] * 7, [0.0] * 7], (100, 0))
    assert (found.schools[0], found.passes[0]) == (1, 1.0)
    assert math.isnan(county([[0.0] * 7, [0.0] * 7], (0, 0)).passes[0])


def test_many_counties_at_once_give_what_each_gives_alone() -> None:
    generator = np.random.default_rng(3)
    amounts, pupils = generator.gamma(3, 40, (7, 12)), generator.integers(0, 900, 12)
    counties = np.repeat([0, 2, 3], 4)
    together = compulsory_education_cv(amounts, pupils, 100, counties, 4)
    balance = county_balance(amounts, pupils, 5.0, 0.5, 100, counties, 4)
    for number in (0, 2, 3):
        own = counties == number
        alone = compulsory_education_cv(amounts[:, own], pupils[own], 100)
        np.testing.assert_allclose(together.cv[number], alone.cv[0], rtol=1e-12)
        assert balance.passes[number] == county_balance(amounts[:, own], pupils[own], 5.0, 0.5, 100).passes[0]
    assert np.isnan(together.cv[1]).all()
    assert math.isnan(balance.passes[1])


# --- peers


def test_peers_are_found_on_what_both_have() -> None:
    features = [[1.0, 10.0], [1.1, np.nan], [5.0, 10.0], [np.nan, np.nan]]
    found = nearest_peers(features, 2)
    assert found.rows[0].tolist()[0] == 1
    assert found.rows[3].tolist() == [-1, -1]
    assert np.isnan(found.distances[3]).all()


def test_a_constant_feature_and_one_without_weight_tell_nothing() -> None:
    features = np.array([[1.0, 7.0, 9.0], [2.0, 7.0, 0.0], [4.0, 7.0, 9.0]])
    assert nearest_peers(features, 1, [1, 1, 0]).rows.tolist() == [[1], [0], [1]]
    assert (nearest_peers(features[:, 1:2], 1).rows == -1).all()
    assert (nearest_peers(features[:1], 2).rows == -1).all()


@few
@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=2, max_size=12, unique=True))
def test_no_other_region_is_nearer_than_a_peer(rows) -> None:
    x = np.round(np.array(rows), 3)
    if np.ptp(x, axis=0).min() < 1e-2:
        return
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    found = nearest_peers(x, 1)
    for row in range(len(rows)):
        others = np.sqrt(((z - z[row]) ** 2).mean(axis=1))[np.arange(len(rows)) != row]
        assert found.distances[row, 0] == pytest.approx(others.min(), abs=1e-9)


# --- quantiles, Lorenz


@few
@given(st.lists(st.tuples(st.floats(0.1, 1e3), st.integers(1, 5)), min_size=1, max_size=10), st.floats(0.01, 0.99))
def test_a_weighted_quantile_is_that_of_as_many_units(rows, probability) -> None:
    values, weights = zip(*rows, strict=True)
    repeated = quantile(Sample.of(np.repeat(values, weights)), probability)[0]
    assert quantile(Sample.of(values, weights), probability)[0] == repeated


def test_quantiles_of_many_slices() -> None:
    sample = Sample.of([3.0, 1.0, 2.0, 8.0, 4.0], None, [1, 1, 1, 3, 3], count=4)
    np.testing.assert_array_equal(quantile(sample, 0.5), [np.nan, 2.0, np.nan, 6.0])
    assert math.isnan(p90_p10_ratio(Sample.of([0.0, 1.0]))[0])
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile(sample, 1.0)


@few
@given(units)
def test_twice_the_area_under_the_diagonal_is_the_gini(rows) -> None:
    sample = of(rows)
    got, expected = gini_of_lorenz(lorenz(sample), 1)[0], gini(sample)[0]
    assert got == pytest.approx(expected, abs=1e-9, nan_ok=True)


# --- why there is no value

CASES = {
    "all there": Sample.of([1.0, 2.0], ranking=[1, 2]),
    "a zero": Sample.of([0.0, 2.0], ranking=[1, 2]),
    "all zero": Sample.of([0.0, 0.0], ranking=[1, 2]),
    "a negative value": Sample.of([-1.0, 2.0], ranking=[1, 2]),
    "a negative mean": Sample.of([-3.0, 2.0], ranking=[1, 2]),
    "a negative weight": Sample.of([1.0, 2.0], [1.0, -1.0], ranking=[1, 2]),
    "nothing left": Sample.of([np.nan], ranking=[1]),
    "one unit": Sample.of([2.0], ranking=[1]),
    "ranks all tied": Sample.of([1.0, 2.0], ranking=[1, 1]),
    "no ranking": Sample.of([1.0, 2.0]),
}


@pytest.mark.parametrize("case", CASES)
def test_a_measure_is_null_exactly_where_a_reason_is_given(case: str) -> None:
    values, statuses = measure_all(CASES[case])
    for name in SAMPLE_MEASURES:
        assert math.isnan(values[name][0]) == (statuses[name][0] != "ok"), (name, values[name], statuses[name])


def test_reasons_are_those_of_the_marts() -> None:
    needs = SAMPLE_MEASURES["theil_l"].needs
    assert undefined(CASES["a zero"], needs)[0] == "undefined_zero_value"
    assert undefined(CASES["all zero"], needs)[0] == "undefined_zero_mean"
    assert undefined(CASES["a negative value"], needs)[0] == "undefined_negative"
    assert undefined(CASES["a negative weight"], needs)[0] == "undefined_negative"
    assert undefined(CASES["nothing left"], needs)[0] == "too_few_units"
    assert undefined(CASES["one unit"], SAMPLE_MEASURES["sii"].needs)[0] == "too_few_units"
    assert undefined(CASES["no ranking"], SAMPLE_MEASURES["aci"].needs)[0] == "no_ranking_variable"
