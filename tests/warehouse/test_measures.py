"""Properties every measure must have, its edge rules, and many slices at once against one at a time."""

import doctest
import importlib
import inspect
import math
import pkgutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse import measures
from warehouse.measures import (
    SAMPLE_MEASURES,
    Sample,
    cv,
    evaluate,
    gini,
    mean,
    theil_decomposition,
    theil_groups,
    theil_t,
)

#: Enough to find what these properties can break; the folder has seconds, not minutes.
few = settings(max_examples=40, deadline=None)

MODULES = sorted({found.name for found in pkgutil.iter_modules(measures.__path__)} - {"forms", "sample"})

#: All measures that give one number a slice, by name; those of a ranking variable have tests of their own.
ALL = {name: measure.of for name, measure in SAMPLE_MEASURES.items() if not measure.needs.ranking}
#: Measures of inequality: 0 where all are equal.
INEQUALITY = {name: of for name, of in ALL.items() if name not in ("mean", "max_min_ratio", "p90_p10_ratio")}
#: Those in the indicator's unit change with it; the others do not.
ABSOLUTE = ("mean", "max_min_difference", "bgv", "bgsd", "mdmu", "mdmw")
SCALE_FREE = {name: of for name, of in ALL.items() if name not in ABSOLUTE}
RELATIVE = {name: ALL[name] for name in ("cv", "gini", "theil_t", "theil_l", "atkinson_05", "atkinson_1", "atkinson_2")}
#: They count units as units, whatever their weight.
BY_UNIT = ("mdmu", "idisu")


def each(chosen):
    return pytest.mark.parametrize("measure", chosen.values(), ids=chosen)


positive = st.floats(0.01, 1e6)
units = st.lists(st.tuples(positive, st.integers(1, 1000), st.integers(0, 3)), min_size=1, max_size=25)


def of(rows: list[tuple[float, int, int]]) -> Sample:
    values, weights, groups = zip(*rows, strict=True)
    return Sample.of(values, weights, groups=groups)


@pytest.mark.parametrize("module", MODULES)
def test_worked_examples_of_the_docstrings_hold(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"warehouse.measures.{module}"))
    assert result.attempted > 0
    assert result.failed == 0


def test_every_public_function_has_a_worked_example() -> None:
    functions = [getattr(measures, name) for name in measures.__all__]
    assert not [of.__name__ for of in functions if inspect.isfunction(of) and ">>>" not in (of.__doc__ or "")]


def test_public_interface() -> None:
    assert all(hasattr(measures, name) for name in measures.__all__)
    assert len(measures.MEASURES) == 34
    assert set(SAMPLE_MEASURES) == {
        *("mean", "cv", "gini", "theil_t", "theil_l", "atkinson_05", "atkinson_1", "atkinson_2", "max_min_ratio"),
        *("max_min_difference", "p90_p10_ratio", "bgv", "bgsd", "mdmu", "mdmw", "idisu", "idisw", "aci", "rci", "sii"),
    }


@each(INEQUALITY)
def test_one_unit_has_no_inequality(measure) -> None:
    assert measure(Sample.of([6.1]))[0] == 0


@each(INEQUALITY)
def test_equal_values_give_exactly_zero_whatever_their_weights(measure) -> None:
    assert measure(Sample.of([0.1] * 7, [3, 1, 4, 1, 5, 9, 2]))[0] == 0


@each({name: of for name, of in RELATIVE.items() if name != "cv"})
def test_a_negative_value_makes_it_null(measure) -> None:
    assert math.isnan(measure(Sample.of([-1.2, 2.5, 3.1]))[0])


@each(RELATIVE)
def test_a_mean_of_zero_makes_it_null(measure) -> None:
    assert math.isnan(measure(Sample.of([0.0, 0.0]))[0])


@each(ALL)
def test_nothing_left_is_null(measure) -> None:
    assert math.isnan(measure(Sample.of([1.0, math.nan], [math.nan, 1.0]))[0])


@each(ALL)
def test_a_negative_weight_makes_it_null(measure) -> None:
    assert math.isnan(measure(Sample.of([3.1, 4.2], [-1.0, 2.0]))[0])


@each(ALL)
def test_rows_of_weight_zero_are_dropped(measure) -> None:
    assert measure(Sample.of([9.9, 5.0, 3.0], [0.0, 2.0, 2.0]))[0] == measure(Sample.of([5.0, 3.0], [2.0, 2.0]))[0]


def test_a_negative_weight_of_a_missing_value_goes_with_its_row() -> None:
    assert mean(Sample.of([math.nan, 2.0], [-1.0, 1.0]))[0] == 2.0


def test_a_zero_makes_the_ratio_null_but_not_the_gini() -> None:
    assert evaluate("max_min_ratio", {"x": [0, 2, 4]}) is None
    assert evaluate("gini", {"x": [0, 2, 4]}) == pytest.approx(4 / 9)


def test_slices_must_ascend() -> None:
    with pytest.raises(ValueError, match="ascend"):
        Sample.of([1.0, 2.0], slices=[1, 0])


def test_a_decomposition_needs_groups() -> None:
    with pytest.raises(ValueError, match="groups"):
        theil_decomposition(Sample.of([1.0, 2.0]))


@each(ALL)
def test_many_slices_at_once_give_what_each_gives_alone(measure) -> None:
    # Slices 0, 2 and 5 are empty; the others differ in size, and one is undefined.
    values = [1.0, 2.0, 4.0, -1.0, 3.0, 7.0]
    weights = [1.0, 3.0, 2.0, 1.0, 1.0, 5.0]
    got = measure(Sample.of(values, weights, [1, 1, 1, 3, 3, 4], count=6))
    alone = [measure(Sample.of(values[part], weights[part]))[0] for part in (slice(0, 3), slice(3, 5), slice(5, 6))]
    expected = [math.nan, alone[0], math.nan, alone[1], alone[2], math.nan]
    np.testing.assert_allclose(got, expected, rtol=1e-14)


def test_groups_of_many_slices_are_kept_apart() -> None:
    parts = theil_decomposition(
        Sample.of([1.0, 1.0, 3.0, 3.0, 5.0, 6.0], slices=[0, 0, 0, 0, 1, 1], groups=[0, 0, 1, 1, 1, 1])
    )
    assert parts.within[0] == 0
    assert parts.between[0] == pytest.approx(parts.total[0], abs=1e-15)
    assert parts.between[1] == 0


def by_definition(values: np.ndarray, weights: np.ndarray) -> tuple[float, float, float]:
    """Gini, Theil T and CV as their definitions are written, pair by pair."""
    total = weights.sum()
    mu = (weights * values).sum() / total
    pairs = np.abs(values[:, None] - values[None, :]) * weights[:, None] * weights[None, :]
    ratio = values / mu
    theil = (weights / total * ratio * np.log(ratio)).sum()
    return pairs.sum() / (2 * total**2 * mu), theil, math.sqrt((weights * (values - mu) ** 2).sum() / total) / mu


@few
@given(units)
def test_sorting_gives_what_the_definition_gives(rows) -> None:
    sample = of(rows)
    expected = by_definition(sample.values, sample.weights)
    np.testing.assert_allclose([gini(sample)[0], theil_t(sample)[0], cv(sample)[0]], expected, atol=1e-9)


@few
@given(units, st.floats(1e-3, 1e3))
def test_scale_invariance(rows, factor) -> None:
    scaled = of([(value * factor, weight, group) for value, weight, group in rows])
    for measure in SCALE_FREE.values():
        assert measure(scaled)[0] == pytest.approx(measure(of(rows))[0], rel=1e-7, abs=1e-9)


@few
@given(units, st.integers(2, 3))
def test_population_replication(rows, times) -> None:
    for measure in ALL.values():
        assert measure(of(rows * times))[0] == pytest.approx(measure(of(rows))[0], rel=1e-9, abs=1e-9)


@few
@given(st.lists(st.tuples(positive, st.integers(1, 5)), min_size=1, max_size=10))
def test_a_weight_is_that_many_units(rows) -> None:
    values, weights = zip(*rows, strict=True)
    repeated = np.repeat(values, weights)
    for measure in (of for name, of in ALL.items() if name not in BY_UNIT):
        expected = measure(Sample.of(repeated))[0]
        assert measure(Sample.of(values, weights))[0] == pytest.approx(expected, rel=1e-9, abs=1e-9)


@few
@given(units, st.randoms(use_true_random=False))
def test_the_order_of_units_does_not_matter(rows, random) -> None:
    shuffled = random.sample(rows, len(rows))
    for measure in ALL.values():
        assert measure(of(shuffled))[0] == pytest.approx(measure(of(rows))[0], rel=1e-9, abs=1e-9)


@few
@given(st.lists(positive, min_size=2, max_size=15, unique=True), st.floats(0.01, 0.5))
def test_transfer_from_rich_to_poor_lessens_inequality(values, share) -> None:
    rich, poor = int(np.argmax(values)), int(np.argmin(values))
    amount = share * (values[rich] - values[poor]) / 2
    after = list(values)
    after[rich] -= amount
    after[poor] += amount
    for measure in INEQUALITY.values():
        assert measure(Sample.of(after))[0] <= measure(Sample.of(values))[0] + 1e-12


@few
@given(units)
def test_within_and_between_sum_to_the_total(rows) -> None:
    parts = theil_decomposition(of(rows))
    assert parts.within[0] + parts.between[0] == pytest.approx(parts.total[0], abs=1e-9)
    assert parts.within[0] >= 0
    assert parts.between[0] >= 0


@few
@given(units)
def test_shares_and_contributions_of_groups_sum(rows) -> None:
    groups = theil_groups(of(rows))
    assert groups.population_share.sum() == pytest.approx(1)
    assert groups.resource_share.sum() == pytest.approx(1)
    assert groups.contribution.sum() == pytest.approx(theil_decomposition(of(rows)).within[0], abs=1e-12)
