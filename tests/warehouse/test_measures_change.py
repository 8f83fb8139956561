"""Bounds under missing units and the attribution of changes."""

import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.measures import (
    Sample,
    attribute_index_change,
    attribute_rate_change,
    bounds,
    box_of_last_year,
    cv,
    cv_squared_contributions,
    gini,
    mean,
    shapley_parts,
    theil_contributions,
    theil_t,
)
from warehouse.measures.bounds import _greatest_by_ascent, _vertices

few = settings(max_examples=40, deadline=None)

BOUNDED = {"mean": mean, "cv": cv, "gini": gini, "theil_t": theil_t}
each = pytest.mark.parametrize("measure", BOUNDED)

known = st.lists(st.tuples(st.floats(0.1, 100), st.integers(1, 50)), min_size=1, max_size=8)
boxes = st.lists(st.tuples(st.floats(0, 100), st.floats(0, 60), st.integers(1, 50)), min_size=1, max_size=4)


@each
@few
@given(known, boxes, st.integers(0, 2**32 - 1))
def test_whatever_the_missing_values_are_the_measure_is_within(measure, units, missing, seed) -> None:
    values = [value for value, _ in units] + [np.nan] * len(missing)
    lower = np.array([0.0] * len(units) + [low for low, _, _ in missing])
    upper = np.array([0.0] * len(units) + [low + width for low, width, _ in missing])
    weights = [weight for _, weight in units] + [weight for _, _, weight in missing]
    found = bounds(measure, values, lower, upper, weights)
    filled = np.random.default_rng(seed).uniform(lower, upper)
    made = BOUNDED[measure](Sample.of(np.where(np.isnan(values), filled, values), weights))[0]
    assert found.low[0] <= made + 1e-9
    assert found.high[0] >= made - 1e-9
    assert found.is_exact[0]


@each
def test_nothing_missing_leaves_no_interval(measure) -> None:
    values = [1.0, 2.0, 5.0]
    found = bounds(measure, values, np.nan, np.nan)
    assert found.low[0] == found.high[0] == BOUNDED[measure](Sample.of(values))[0]


def test_the_lower_end_is_reached_inside_the_box() -> None:
    # Two known 1 and 3: CV is least where the third is μ(1 + CV²) = Σx²/Σx of the known two, 10/4.
    found = bounds("cv", [1.0, 3.0, np.nan], 0.0, 9.0)
    assert found.low[0] == pytest.approx(cv(Sample.of([1.0, 3.0, 2.5]))[0], abs=1e-12)
    # Theil T where it is exp of the mean logarithm weighted by x: 3^(3/4).
    found = bounds("theil_t", [1.0, 3.0, np.nan], 0.0, 9.0)
    assert found.low[0] == pytest.approx(theil_t(Sample.of([1.0, 3.0, 3**0.75]))[0], abs=1e-12)


def test_the_upper_end_is_at_a_corner() -> None:
    found = bounds("gini", [4.0, 4.0, np.nan, np.nan], 1.0, 9.0)
    corners = [gini(Sample.of([4.0, 4.0, a, b]))[0] for a in (1.0, 9.0) for b in (1.0, 9.0)]
    assert found.high[0] == pytest.approx(max(corners))
    assert found.low[0] == 0


@pytest.mark.parametrize("measure", ["cv", "gini", "theil_t"])
def test_the_ascent_finds_nearly_what_all_corners_have(measure) -> None:
    generator = np.random.default_rng(2)
    short = []
    for _ in range(15):
        low = generator.gamma(2, 2, 16)
        high = low + np.where(np.arange(16) < 9, generator.uniform(0, 8, 16), 0)
        weights = generator.integers(1, 50, 16).astype(float)
        best = max(BOUNDED[measure](Sample.of(corner, weights))[0] for corner in _vertices(low, high, weights))
        short.append(1 - _greatest_by_ascent(measure, low, high, weights) / best)
    assert max(short) < 0.02
    assert np.median(short) < 1e-12
    assert min(short) > -1e-12


@pytest.mark.parametrize("measure", ["cv", "gini", "theil_t"])
def test_many_missing_units_are_bounded_and_said_not_to_be_proved(measure) -> None:
    values = np.concatenate([np.linspace(2, 9, 60), np.full(30, np.nan)])
    upper = 12.0 + np.arange(90) / 90  # no two units alike
    found = bounds(measure, values, 1.0, upper)
    assert not found.is_exact[0]
    assert found.low[0] < BOUNDED[measure](Sample.of(values))[0] < found.high[0]


@pytest.mark.parametrize("measure", ["cv", "gini", "theil_t"])
def test_of_units_alike_only_their_number_at_either_end_matters(measure) -> None:
    """Thirty units of one range and weight have 31 corners that differ, not 2 to the power of 30."""
    values = np.concatenate([np.linspace(2, 9, 60), np.full(30, np.nan)])
    found = bounds(measure, values, 1.0, 12.0)
    corners = [np.concatenate([values[:60], np.repeat([1.0, 12.0], [30 - high, high])]) for high in range(31)]
    assert found.is_exact[0]
    assert found.high[0] == pytest.approx(max(BOUNDED[measure](Sample.of(corner))[0] for corner in corners))


@pytest.mark.parametrize("measure", ["cv", "gini", "theil_t"])
def test_slices_together_are_bounded_as_each_alone(measure, monkeypatch) -> None:
    generator = np.random.default_rng(4)
    values = generator.uniform(2, 9, 60)
    values[generator.choice(60, 20, replace=False)] = np.nan
    slices, weights = np.arange(60) // 10, generator.integers(1, 9, 60).astype(float)
    together = bounds(measure, values, 1.0, 12.0, weights, slices)
    monkeypatch.setattr(sys.modules[bounds.__module__], "_AT_ONCE", 50)
    assert np.array_equal(bounds(measure, values, 1.0, 12.0, weights, slices).high, together.high)
    for number in range(6):
        mine = slices == number
        alone = bounds(measure, values[mine], 1.0, 12.0, weights[mine])
        assert [float(end[0]) for end in alone[:2]] == pytest.approx([end[number] for end in together[:2]])


def test_slices_are_bounded_each_on_its_own() -> None:
    values = [1.0, np.nan, 2.0, 4.0, np.nan, 3.0]
    found = bounds("gini", values, [0, 1, 0, 0, np.nan, 0], 3.0, None, [0, 0, 2, 2, 3, 3], 4)
    assert found.low[0] == 0
    assert found.high[0] == pytest.approx(0.25)
    assert math.isnan(found.low[1])
    assert found.low[2] == found.high[2]
    assert math.isnan(found.high[3])  # its missing unit has no range


def test_a_range_under_zero_leaves_relative_measures_untold() -> None:
    assert math.isnan(bounds("gini", [1.0, np.nan], -1.0, 3.0).high[0])
    assert bounds("mean", [1.0, np.nan], -1.0, 3.0).low[0] == 0


def test_a_lower_end_above_the_upper_one_is_refused() -> None:
    with pytest.raises(ValueError, match="above"):
        bounds("cv", [np.nan], 2.0, 1.0)


def test_a_box_stays_within_what_can_be() -> None:
    low, high = box_of_last_year([1.0, 99.0, np.nan], [-1.0, 3.0, 1.0], highest=100.0)
    assert low.tolist()[:2] == [0.0, 93.0]
    assert high.tolist()[:2] == [3.0, 100.0]
    assert math.isnan(low[2])


# --- attribution

value = st.one_of(st.none(), st.just(0.0), st.floats(0.001, 1e4))
panel = st.lists(
    st.tuples(
        value,
        value,
        st.integers(1, 99),
        st.integers(1, 99),
    ),
    min_size=1,
    max_size=12,
)


def both(rows) -> tuple[Sample, Sample]:
    was, now, weight, later = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return Sample.of(was, weight), Sample.of(now, later)


@few
@given(panel)
def test_parts_of_regions_sum_to_the_change(rows) -> None:
    before, after = both(rows)
    for contributions, index in ((theil_contributions, theil_t), (cv_squared_contributions, lambda s: cv(s) ** 2)):
        found = attribute_index_change(before, after, len(rows), contributions)
        expected = float(index(after)[0] - index(before)[0])
        assert found.change[0] == pytest.approx(expected, abs=1e-9, nan_ok=True)
        if not math.isnan(expected):
            assert np.nansum(found.parts) == pytest.approx(expected, abs=1e-9)


def test_who_entered_and_who_left_has_its_whole_term() -> None:
    before = Sample.of([1.0, 3.0, np.nan, np.nan, 2.0, np.nan], slices=[0, 0, 0, 0, 1, 1])
    after = Sample.of([1.0, np.nan, 3.0, np.nan, 2.0, 4.0], slices=[0, 0, 0, 0, 1, 1])
    found = attribute_index_change(before, after, 6)
    assert found.kind.tolist() == ["both", "left", "entered", "absent", "both", "entered"]
    assert found.change[0] == pytest.approx(0, abs=1e-15)
    assert found.parts[1] == -found.parts[2]
    assert math.isnan(found.parts[3])
    assert np.nansum(found.parts[4:]) == pytest.approx(found.change[1])


def test_an_index_undefined_at_one_time_has_no_parts() -> None:
    found = attribute_index_change(Sample.of([0.0, 0.0]), Sample.of([1.0, 3.0]), 2)
    assert math.isnan(found.change[0])
    assert np.isnan(found.parts).all()


@few
@given(st.lists(st.floats(0.1, 1e4), min_size=6, max_size=6))
def test_numerator_denominator_and_revision_sum_to_the_change(numbers) -> None:
    published, revised, now = ((numbers[i], numbers[i + 1]) for i in (0, 2, 4))
    found = attribute_rate_change(published, revised, now, 1000)
    expected = 1000 * (now[0] / now[1] - published[0] / published[1])
    assert float(found.change) == pytest.approx(expected)
    parts = float(found.numerator + found.denominator + found.revision)
    assert parts == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_large_parts_that_cancel_are_no_fault() -> None:
    found = attribute_rate_change((1e12, 3.0), (1e12, 3.0), (3e12 + 1, 9.0), 1000)
    assert float(found.numerator) > 1e14
    assert abs(float(found.change)) < 1e3


def test_each_part_is_alone_where_only_it_changed() -> None:
    grown = attribute_rate_change((10, 100), (10, 100), (12, 100))
    assert (float(grown.denominator), float(grown.revision)) == (0.0, 0.0)
    shrunk = attribute_rate_change((10, 100), (10, 100), (10, 80))
    assert (float(shrunk.numerator), float(shrunk.revision)) == (0.0, 0.0)
    revised = attribute_rate_change((10, 100), (12, 100), (12, 100))
    assert (float(revised.numerator), float(revised.denominator)) == (0.0, 0.0)
    assert math.isnan(float(attribute_rate_change((10, 0), (10, 100), (10, 100)).change))


@few
@given(st.lists(st.tuples(*[st.floats(0.5, 100)] * 4), min_size=1, max_size=4))
def test_shapley_over_two_factors_is_the_split_of_a_rate(rates) -> None:
    n0, d0, n1, d1 = (np.array(column) for column in zip(*rates, strict=True))
    found = shapley_parts(lambda mask: (n1 if mask & 1 else n0) / (d1 if mask & 2 else d0), 2)
    expected = attribute_rate_change((n0, d0), (n0, d0), (n1, d1))
    np.testing.assert_allclose(found[0], expected.numerator, atol=1e-9)
    np.testing.assert_allclose(found[1], expected.denominator, atol=1e-9)


def test_a_factor_that_changes_nothing_has_no_part_and_the_others_theirs() -> None:
    assert [part.tolist() for part in shapley_parts(lambda mask: np.array([2.0 + (mask & 1) * 3.0]), 3)] == [
        [3.0],
        [0.0],
        [0.0],
    ]


def test_two_factors_that_work_only_together_share_it() -> None:
    assert [part.tolist() for part in shapley_parts(lambda mask: np.array([float(mask == 3)]), 2)] == [[0.5], [0.5]]
