"""The measures of WHO HEAT: published test values of ``healthequal``, the 21 together, edges, ranks and their ties.

The values are those of its own tests for five ordered subgroups and for 25 without order. It draws their figures with R's
``set.seed(123)``; they stand here as drawn.
"""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.measures import (
    Sample,
    absolute_concentration_index,
    best_value,
    concentration_index,
    fractional_rank,
    gini,
    heat,
    mean_difference,
    measure_all,
    population_attributable_risk,
    sii_rii,
    sii_rii_logistic,
    undefined,
)
from warehouse.measures.gradient import _fit_logistic
from warehouse.measures.statuses import SAMPLE_MEASURES

few = settings(max_examples=40, deadline=None)

POPULATION = [78, 91, 162, 103, 105]
ESTIMATE = [20.0, 30.0, 40.0, 50.0, 60.0]
ORDER = [1, 2, 3, 4, 5]

#: round(rnorm(25, 1000, 300)) and rbinom(25, 1000, .065) after set.seed(123); the reference is the unit with 62.
MANY_POPULATION = [
    *(832, 931, 1468, 1021, 1039, 1515, 1138, 620, 794, 866, 1367, 1108, 1120),
    *(1033, 833, 1536, 1149, 410, 1210, 858, 680, 935, 692, 781, 812),
]
MANY_ESTIMATE = [
    *(61, 74, 58, 59, 72, 75, 74, 68, 75, 67, 73, 63, 66),
    *(62, 60, 66, 71, 73, 71, 61, 74, 84, 55, 69, 60),
]

ranked = st.lists(
    st.tuples(st.floats(0.01, 100), st.integers(1, 500), st.integers(0, 5)), min_size=2, max_size=15
).filter(lambda rows: len({rank for _, _, rank in rows}) > 1)


def of(rows: list[tuple[float, int, int]]) -> Sample:
    values, weights, ranking = zip(*rows, strict=True)
    return Sample.of(values, weights, ranking=ranking)


def who() -> Sample:
    return Sample.of(ESTIMATE, POPULATION, ranking=ORDER)


def test_concentration_indices_are_the_published_ones() -> None:
    assert absolute_concentration_index(who())[0] == pytest.approx(7.3284202, rel=1e-6)
    assert concentration_index(who())[0] == pytest.approx(0.17776859, rel=1e-6)


def test_attributable_risk_is_the_published_one() -> None:
    found = population_attributable_risk(who(), by_rank=True)
    assert found.risk[0] == pytest.approx(18.775509, rel=1e-6)
    assert found.fraction[0] == pytest.approx(45.544548, rel=1e-6)


def test_slope_index_is_the_published_one_with_its_rounding_and_its_weights() -> None:
    # healthequal rounds to whole cases and weighs by the population once more; ranks are those of the population.
    cases = np.round(np.array(ESTIMATE) / 100 * POPULATION) / POPULATION * 100
    squared = Sample.of(cases, np.square(POPULATION), ranking=ORDER)
    ranks = fractional_rank(who())
    intercept, slope, is_settled = _fit_logistic(squared, ranks, np.array([True]))
    bottom, top = (1 / (1 + math.exp(-end)) for end in (intercept[0], intercept[0] + slope[0]))
    assert is_settled[0]
    assert 100 * (top - bottom) == pytest.approx(44.44502, rel=1e-6)
    assert top / bottom == pytest.approx(3.159506, rel=1e-6)


def test_slope_index_by_definition_differs_from_it_in_the_second_digit_only() -> None:
    found = sii_rii_logistic(who())
    assert found.sii[0] == pytest.approx(44.890533590198544, rel=1e-9)
    assert found.rii[0] == pytest.approx(3.236339736524501, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("BGV", 46.198326),
        ("BGSD", 6.7969351),
        ("MDMU", 5.891726),
        ("MDMW", 5.8348689),
        ("MDBU", 16.360001),
        ("MDBW", 16.293156),
        ("MDRU", 7.2399998),
        ("MDRW", 7.2228465),
        ("IDISU", 8.7018175),
        ("IDISW", 8.6178417),
        ("PAR", 16.293152),
        ("PAF", 24.06426),
        ("THEIL", 5.0359201 / 1000),
        ("MLD", 5.0524006 / 1000),
    ],
)
def test_measures_without_order_are_the_published_ones(name: str, published: float) -> None:
    found = heat(Sample.of(MANY_ESTIMATE, MANY_POPULATION), reference=62.0)
    # Its own tests ask 1e-4 of most; the published Theil differs from its formula in the sixth digit.
    assert found[name][0] == pytest.approx(published, rel=2e-5)


def test_heat_has_the_21_measures_of_who() -> None:
    assert set(heat(who(), reference=60.0, is_percent=True)) == {
        *("D", "R", "BGV", "BGSD", "COV", "THEIL", "MLD", "PAR", "PAF", "ACI", "RCI", "SII", "RII"),
        *("MDMU", "MDMW", "MDBU", "MDBW", "MDRU", "MDRW", "IDISU", "IDISW"),
    }


def test_the_21_measures_agree_with_each_other() -> None:
    sample = who()
    found = {name: float(numbers[0]) for name, numbers in heat(sample, reference=60.0, is_percent=True).items()}
    mean = float(sample.mean[0])
    assert found["D"] == 40
    assert found["R"] == 3
    assert found["BGSD"] ** 2 == pytest.approx(found["BGV"])
    assert found["COV"] == pytest.approx(100 * found["BGSD"] / mean)
    assert found["IDISU"] == pytest.approx(100 * found["MDMU"] / mean)
    assert found["IDISW"] == pytest.approx(100 * found["MDMW"] / mean)
    assert found["ACI"] == pytest.approx(found["RCI"] * mean)
    # The best unit is the reference unit here, and nothing is better: PAR is the weighted distance from it.
    assert found["MDBU"] == found["MDRU"]
    assert found["MDBW"] == pytest.approx(found["PAR"])
    assert found["PAF"] == pytest.approx(100 * found["PAR"] / mean)


def test_without_a_ranking_variable_four_of_them_are_null_and_say_so() -> None:
    sample = Sample.of(ESTIMATE, POPULATION)
    found = heat(sample)
    assert {name for name, numbers in found.items() if math.isnan(numbers[0])} == {
        *("ACI", "RCI", "SII", "RII"),
        *("MDRU", "MDRW"),
    }
    assert undefined(sample, SAMPLE_MEASURES["rci"].needs).tolist() == ["no_ranking_variable"]
    with pytest.raises(ValueError, match="ranking"):
        concentration_index(sample)


def test_direction_and_reference_are_by_slice() -> None:
    sample = Sample.of([1.0, 3.0, 1.0, 3.0], slices=[0, 0, 1, 1])
    assert best_value(sample, [True, False]).tolist() == [3.0, 1.0]
    assert population_attributable_risk(sample, [True, False]).risk.tolist() == [1.0, -1.0]
    assert mean_difference(sample, [1.0, np.nan]).unweighted.tolist()[0] == 1.0
    assert math.isnan(mean_difference(sample, [1.0, np.nan]).weighted[1])


def test_two_units_on_top_of_the_order_leave_no_reference() -> None:
    found = population_attributable_risk(Sample.of([1.0, 2.0, 3.0], ranking=[1, 2, 2]), by_rank=True)
    assert math.isnan(found.risk[0])


def test_percentages_out_of_range_have_no_logit() -> None:
    assert math.isnan(sii_rii_logistic(Sample.of([20.0, 130.0], ranking=[1, 2])).sii[0])


def test_a_perfect_separation_has_no_finite_fit() -> None:
    assert math.isnan(sii_rii_logistic(Sample.of([0.0, 0.0, 100.0, 100.0], ranking=[1, 2, 3, 4])).sii[0])


def test_equal_percentages_have_no_slope() -> None:
    found = sii_rii_logistic(Sample.of([40.0, 40.0, 100.0, 100.0], slices=[0, 0, 1, 1], ranking=[1, 2, 1, 2]))
    assert found.sii.tolist() == [0.0, 0.0]
    assert found.rii.tolist() == [1.0, 1.0]


def test_percentages_near_their_ends_settle() -> None:
    found = sii_rii_logistic(Sample.of([99.2, 99.9, 100.0, 99.97], [5, 900, 3, 70], ranking=[1, 2, 3, 4]))
    assert 0 < found.bottom[0] < found.top[0] <= 100


@pytest.mark.parametrize("fit", [sii_rii, sii_rii_logistic])
def test_all_tied_ranks_are_null(fit) -> None:
    assert all(math.isnan(part[0]) for part in fit(Sample.of([1.0, 2.0], ranking=[3, 3])))


def test_a_full_step_that_would_leap_over_the_maximum_is_halved() -> None:
    found = sii_rii_logistic(Sample.of([1.0, 57.0], [3, 1], ranking=[0, 1]))
    # Two points: the logit goes through both, at R = 3/8 and 7/8.
    low, high = (math.log(p / (1 - p)) for p in (0.01, 0.57))
    bottom = low - (high - low) * 0.75
    assert found.bottom[0] == pytest.approx(100 / (1 + math.exp(-bottom)), rel=1e-9)


@few
@given(ranked)
def test_the_fitted_line_balances_its_residuals(rows) -> None:
    # Of 100 % nothing finite is the logit: two ranks of which one is at 100 have no finite fit.
    sample = of([(min(value, 99.0), weight, rank) for value, weight, rank in rows])
    rank = fractional_rank(sample)
    intercept, slope, is_settled = _fit_logistic(sample, rank, np.array([True]))
    assert is_settled[0]
    expected = 100 / (1 + np.exp(-(intercept[0] + slope[0] * rank)))
    gaps = sample.share * (sample.values - expected)
    assert gaps.sum() == pytest.approx(0, abs=1e-6)
    assert (gaps * rank).sum() == pytest.approx(0, abs=1e-6)


@few
@given(ranked)
def test_ranks_have_mean_one_half_and_ties_share_theirs(rows) -> None:
    sample = of(rows)
    rank = fractional_rank(sample)
    assert (sample.share * rank).sum() == pytest.approx(0.5, abs=1e-12)
    for first, second in itertools.pairwise(rows):
        if first[2] == second[2]:
            assert rank[rows.index(first)] == rank[rows.index(second)]


@few
@given(ranked)
def test_ranked_by_itself_the_index_is_the_gini_and_reversed_its_opposite(rows) -> None:
    values, weights, _ = zip(*rows, strict=True)
    expected = gini(Sample.of(values, weights))[0]
    up, down = (Sample.of(values, weights, ranking=sign * np.array(values)) for sign in (1, -1))
    assert concentration_index(up)[0] == pytest.approx(expected, abs=1e-12)
    assert concentration_index(down)[0] == pytest.approx(-expected, abs=1e-12)


@few
@given(ranked, st.randoms(use_true_random=False))
def test_order_scale_and_replication_leave_what_they_should(rows, random) -> None:
    others = {"shuffled": random.sample(rows, len(rows)), "twice": rows * 2}
    for some in others.values():
        got, expected = (heat(of(units), is_percent=True) for units in (some, rows))
        for name in expected:
            assert got[name][0] == pytest.approx(expected[name][0], rel=1e-6, abs=1e-9, nan_ok=True), name
    scaled = heat(of([(value * 0.5, weight, rank) for value, weight, rank in rows]))
    plain = heat(of(rows))
    for name in ("R", "COV", "THEIL", "MLD", "PAF", "IDISU", "IDISW", "RCI"):
        assert scaled[name][0] == pytest.approx(plain[name][0], rel=1e-6, abs=1e-9), name
    for name in ("D", "BGSD", "MDMU", "MDMW", "MDBU", "MDBW", "PAR", "ACI", "SII"):
        assert scaled[name][0] == pytest.approx(plain[name][0] / 2, rel=1e-6, abs=1e-9), name


def test_many_slices_at_once_give_what_each_gives_alone() -> None:
    generator = np.random.default_rng(5)
    values, weights = generator.uniform(20, 90, 40), generator.integers(1, 9, 40)
    ranking, slices = generator.integers(0, 9, 40), np.repeat([1, 3], 20)
    together = heat(Sample.of(values, weights, slices, ranking=ranking, count=5), reference=50.0, is_percent=True)
    for number in (1, 3):
        own = slices == number
        alone = heat(Sample.of(values[own], weights[own], ranking=ranking[own]), reference=50.0, is_percent=True)
        for name in alone:
            assert together[name][number] == pytest.approx(alone[name][0], rel=1e-10), name
    assert all(math.isnan(numbers[0]) and math.isnan(numbers[2]) for numbers in together.values())


def test_a_slices_logistic_line_does_not_depend_on_the_slices_beside_it() -> None:
    generator = np.random.default_rng(7)
    values = np.concatenate([generator.uniform(low, low + 20, 31) for low in (0.1, 30, 79, 50)])
    ranking, slices = generator.uniform(1, 9, values.size), np.repeat(range(4), 31)
    together = sii_rii_logistic(Sample.of(values, slices=slices, ranking=ranking))
    for place in range(4):
        own = slices == place
        alone = sii_rii_logistic(Sample.of(values[own], ranking=ranking[own]))
        assert [part[place] for part in together] == [part[0] for part in alone]


def test_a_slices_gini_and_ranks_do_not_depend_on_the_slices_beside_it() -> None:
    generator = np.random.default_rng(7)
    values, weights, ranking = (generator.uniform(1, 9, 40 * 31) for _ in range(3))
    slices = np.repeat(range(40), 31)
    names = ["gini", "p90_p10_ratio", "rci", "sii"]
    together, _ = measure_all(Sample.of(values, weights, slices, ranking=ranking), names)
    for place in range(40):
        own = slices == place
        alone, _ = measure_all(Sample.of(values[own], weights[own], ranking=ranking[own]), names)
        assert {name: together[name][place] for name in names} == {name: alone[name][0] for name in names}
