"""Decompositions: parts against the definition written out, sums, and groups of many slices at once."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.measures import (
    Sample,
    dagum,
    dagum_pairs,
    gini,
    mld_decomposition,
    mld_groups,
    theil_decomposition,
    theil_l,
    theil_nested,
    theil_t,
)
from warehouse.measures.theil import assert_sums

few = settings(max_examples=40, deadline=None)

value = st.floats(0.01, 1e5)
rows = st.lists(st.tuples(value, st.integers(1, 500), st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=20)


def of(units: list[tuple[float, int, int, int]]) -> Sample:
    values, weights, groups, subgroups = zip(*units, strict=True)
    return Sample.of(values, weights, groups=groups, subgroups=subgroups)


def dagum_by_definition(sample: Sample) -> tuple[float, float, float]:
    """Within, net between and transvariation pair by pair of units, as the formulas are written."""
    x, w, g = sample.values, sample.weights, sample.groups
    total, mu = w.sum(), (w * x).sum() / w.sum()
    groups = np.unique(g)
    mean = {j: (w * x)[g == j].sum() / w[g == j].sum() for j in groups}
    people = {j: w[g == j].sum() / total for j in groups}
    share = {j: people[j] * mean[j] / mu for j in groups}
    within = between = overlap = 0.0
    for j, h in itertools.combinations_with_replacement(groups, 2):
        high, low = (j, h) if mean[j] >= mean[h] else (h, j)
        pair = w[g == high][:, None] * w[g == low][None, :]
        gaps = x[g == high][:, None] - x[g == low][None, :]
        above = (pair * np.maximum(gaps, 0)).sum() / pair.sum()
        below = (pair * np.maximum(-gaps, 0)).sum() / pair.sum()
        if j == h:
            within += (above + below) / (2 * mean[j]) * people[j] * share[j]
        elif above + below > 0:
            part = (above + below) / (mean[j] + mean[h]) * (people[j] * share[h] + people[h] * share[j])
            affluence = (above - below) / (above + below)
            between += part * affluence
            overlap += part * (1 - affluence)
    return within, between, overlap


@few
@given(rows)
def test_dagum_is_what_its_definition_says(units) -> None:
    parts = dagum(of(units))
    expected = dagum_by_definition(of(units))
    np.testing.assert_allclose([part[0] for part in parts[1:]], expected, atol=1e-9)


@few
@given(rows)
def test_every_decomposition_sums_and_has_no_negative_part(units) -> None:
    sample = of(units)
    for parts in (theil_decomposition(sample), mld_decomposition(sample), theil_nested(sample), dagum(sample)):
        total, *rest = (float(part[0]) for part in parts)
        assert sum(rest) == pytest.approx(total, abs=1e-9)
        assert min(rest) >= 0


@few
@given(rows)
def test_parts_of_the_gini_by_pair_sum_to_it(units) -> None:
    pairs = dagum_pairs(of(units))
    assert pairs.contribution.sum() == pytest.approx(gini(of(units))[0], abs=1e-9)
    assert np.all(
        (pairs.affluence[~np.isnan(pairs.affluence)] >= 0) & (pairs.affluence[~np.isnan(pairs.affluence)] <= 1)
    )


@few
@given(rows)
def test_groups_in_another_order_have_the_same_parts(units) -> None:
    renamed = [(x, w, 7 - 2 * group, 2 - subgroup) for x, w, group, subgroup in reversed(units)]
    for measure in (theil_decomposition, mld_decomposition, theil_nested, dagum):
        got, expected = ([part[0] for part in measure(of(some))] for some in (renamed, units))
        np.testing.assert_allclose(got, expected, atol=1e-9)


@few
@given(rows)
def test_scale_and_replication_leave_the_parts(units) -> None:
    scaled = [(x * 3.7, w, group, subgroup) for x, w, group, subgroup in units]
    for measure in (theil_decomposition, mld_decomposition, theil_nested, dagum):
        expected = [part[0] for part in measure(of(units))]
        np.testing.assert_allclose([part[0] for part in measure(of(scaled))], expected, atol=1e-9)
        np.testing.assert_allclose([part[0] for part in measure(of(units * 2))], expected, atol=1e-9)


@few
@given(rows)
def test_nested_parts_agree_with_the_decomposition_by_group(units) -> None:
    nested, single = theil_nested(of(units)), theil_decomposition(of(units))
    assert nested.between_groups[0] == pytest.approx(single.between[0], abs=1e-9)
    assert nested.between_provinces[0] + nested.within_provinces[0] == pytest.approx(single.within[0], abs=1e-9)


def test_one_province_a_group_has_nothing_between_provinces() -> None:
    parts = theil_nested(Sample.of([1.0, 2.0, 3.0, 5.0], groups=[0, 0, 1, 1], subgroups=[4, 4, 9, 9]))
    assert parts.between_provinces[0] == pytest.approx(0, abs=1e-15)


def test_between_of_the_mean_log_deviation_stays_when_the_spread_inside_a_group_changes() -> None:
    wide, narrow = ([1.0, 3.0, 4.0, 6.0], [1.9, 2.1, 4.0, 6.0])
    parts = [mld_decomposition(Sample.of(values, groups=[0, 0, 1, 1])) for values in (wide, narrow)]
    assert parts[0].between[0] == pytest.approx(parts[1].between[0], abs=1e-15)
    assert parts[0].within[0] > parts[1].within[0]


def test_groups_apart_have_no_transvariation_at_all() -> None:
    assert dagum(Sample.of([1.1, 2.3, 3.7, 10.1, 11.9], groups=[0, 0, 0, 1, 1])).transvariation[0] == 0


def test_many_slices_at_once_give_what_each_gives_alone() -> None:
    generator = np.random.default_rng(7)
    values, weights = generator.gamma(2, 3, 60), generator.integers(1, 9, 60)
    slices, groups, subgroups = np.repeat([0, 2, 3], 20), generator.integers(-2, 4, 60), generator.integers(0, 3, 60)
    together = Sample.of(values, weights, slices, groups, 5, subgroups=subgroups)
    for measure in (theil_decomposition, mld_decomposition, theil_nested, dagum):
        made = measure(together)
        for number in (0, 2, 3):
            own = slices == number
            alone = measure(Sample.of(values[own], weights[own], groups=groups[own], subgroups=subgroups[own]))
            np.testing.assert_allclose([part[number] for part in made], [part[0] for part in alone], atol=1e-12)
        assert all(math.isnan(part[1]) and math.isnan(part[4]) for part in made)


def test_an_undefined_slice_beside_a_defined_one_is_null_in_all_parts() -> None:
    sample = Sample.of([-1.0, 2.0, 1.0, 3.0], slices=[0, 0, 1, 1], groups=[0, 1, 0, 1], subgroups=[0, 0, 0, 0])
    for measure in (theil_decomposition, mld_decomposition, theil_nested, dagum):
        assert all(math.isnan(part[0]) for part in measure(sample))
        assert measure(sample)[0][1] > 0
    assert np.isnan(mld_groups(sample).contribution).tolist() == [True, True, False, False]
    assert np.isnan(dagum_pairs(sample).gini).tolist() == [True] * 3 + [False] * 3


def test_theil_l_is_undefined_where_theil_t_takes_a_zero() -> None:
    sample = Sample.of([0.0, 2.0])
    assert theil_t(sample)[0] == pytest.approx(math.log(2))
    assert math.isnan(theil_l(sample)[0])


def test_a_nested_decomposition_needs_subgroups() -> None:
    with pytest.raises(ValueError, match="subgroups"):
        theil_nested(Sample.of([1.0, 2.0], groups=[0, 1]))


def test_parts_that_do_not_sum_are_a_fault() -> None:
    with pytest.raises(ArithmeticError, match=r"off the total by 0\.1"):
        assert_sums(np.array([1.0, np.nan]), [np.array([0.6, 0.0]), np.array([0.3, 0.0])])
    with pytest.raises(ArithmeticError):
        assert_sums(np.array([1.0]), [np.array([np.nan])])
