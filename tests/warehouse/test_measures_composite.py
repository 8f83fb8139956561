"""Composite scores, their ranks and how sure those are, coupling of sectors."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.measures import (
    composite_scores,
    coupling_coordination,
    critic_weights,
    entropy_weights,
    equal_weights,
    min_max,
    monte_carlo_ranks,
    rank_range,
    ranks,
    topsis,
    z_scores,
)

few = settings(max_examples=40, deadline=None)

panels = st.lists(
    st.tuples(st.integers(1, 999), st.integers(1, 999), st.integers(1, 999)), min_size=3, max_size=9, unique=True
).filter(lambda rows: all(len(set(column)) > 1 for column in zip(*rows, strict=True)))
UP = [1, 1, -1]


@few
@given(panels, st.integers(2, 50), st.randoms(use_true_random=False))
def test_weights_do_not_depend_on_units_or_the_order_of_rows(rows, factor, random) -> None:
    x = np.array(rows, dtype=float)
    for weights_of in (entropy_weights, critic_weights):
        weights = weights_of(x, UP).weights
        assert weights_of(x * [factor, 1, 1], UP).weights == pytest.approx(weights, abs=1e-9, nan_ok=True)
        shuffled = np.array(random.sample(rows, len(rows)), dtype=float)
        assert weights_of(shuffled, UP).weights == pytest.approx(weights, abs=1e-9, nan_ok=True)
        if not np.isnan(weights).any():
            assert weights.sum() == pytest.approx(1)
            assert weights.min() >= 0


@few
@given(panels)
def test_a_row_better_in_all_is_better_in_every_score(rows) -> None:
    x = np.array(rows, dtype=float)
    best = np.array([x[:, 0].max() + 1, x[:, 1].max() + 1, x[:, 2].min() - 1])
    x = np.vstack([x, best])
    assert topsis(x, UP, [1, 1, 1]).closeness[-1] == pytest.approx(1)
    assert entropy_weights(x, UP).scores[-1] == pytest.approx(1)
    assert composite_scores(z_scores(x, UP), equal_weights(x)).argmax() == len(x) - 1


def test_an_incomplete_row_has_no_score_and_no_part_in_any_fit() -> None:
    x = np.array([[1.0, 5.0], [2.0, np.nan], [3.0, 9.0], [9.0, 7.0]])
    kept = np.delete(x, 1, axis=0)
    for score in (
        lambda panel: entropy_weights(panel, [1, 1]).scores,
        lambda panel: topsis(panel, [1, 1], [1, 1]).closeness,
        lambda panel: composite_scores(z_scores(panel, [1, 1]), equal_weights(panel)),
    ):
        assert math.isnan(score(x)[1])
        np.testing.assert_allclose(np.delete(score(x), 1), score(kept))


@pytest.mark.parametrize("panel", [np.full((2, 2), np.nan), np.empty((0, 2))])
def test_no_complete_row_is_null(panel) -> None:
    assert np.isnan(entropy_weights(panel, [1, 1]).weights).all()
    assert np.isnan(critic_weights(panel, [1, 1]).weights).all()
    assert np.isnan(equal_weights(panel)).all()
    assert np.isnan(topsis(panel, [1, 1], [1, 1]).closeness).all()
    assert np.isnan(z_scores(panel, [1, 1])).all()
    assert np.isnan(min_max(panel, [1, 1])).all()


# --- ranks


def test_ranks_are_within_a_year_and_ties_share_the_smaller() -> None:
    scores = [0.5, 0.9, 0.5, 0.1, np.nan, 0.7]
    assert ranks(scores).tolist()[:4] == [3.0, 1.0, 3.0, 5.0]
    np.testing.assert_array_equal(ranks(scores, [2020, 2021, 2020, 2021, 2020, 2021]), [1, 1, 1, 3, np.nan, 2])


def test_the_range_of_ranks_is_over_the_ways_of_scoring() -> None:
    found = rank_range([[0.9, 0.5, 0.1], [0.1, 0.5, 0.9], [0.9, 0.5, 0.1]])
    assert [part.tolist() for part in found] == [[1.0, 2.0, 1.0], [1.0, 2.0, 3.0], [3.0, 2.0, 3.0]]


PANEL = np.random.default_rng(11).uniform(10, 90, (12, 4))
ALL_UP = np.ones(4)
QUARTERS = np.full(4, 0.25)


def drawn(**options):
    return monte_carlo_ranks(PANEL, ALL_UP, QUARTERS, **({"draws": 200, "half_digits": 0.5} | options))


def test_the_same_seed_gives_the_same_ranks_and_another_does_not() -> None:
    first, again, other = drawn(seed=1), drawn(seed=1), drawn(seed=2)
    for part, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(part, same)
    assert not np.array_equal(first.sensitivity, other.sensitivity)


def test_drawn_ranks_stand_around_the_reference() -> None:
    found = drawn()
    assert np.all((found.low <= found.median) & (found.median <= found.high))
    assert found.low.min() == 1
    assert found.high.max() == 12
    assert np.abs(found.median - found.reference).mean() < 2
    assert 0.3 < found.sensitivity.sum() <= 1.3


def test_only_what_is_uncertain_moves_ranks() -> None:
    still = drawn(half_digits=0.0, concentration=1e12)
    assert abs(still.sensitivity[1] - 1) < 0.3  # the normalisation explains all that is left
    wide = drawn(half_digits=60.0, concentration=1e12)
    assert wide.sensitivity.argmax() == 2


def test_one_indicator_leaves_nothing_uncertain() -> None:
    found = monte_carlo_ranks([[1.0], [2.0], [3.0]], [1], [1.0], draws=20)
    assert found.median.tolist() == [3.0, 2.0, 1.0]
    assert np.isnan(found.sensitivity).all()


def test_an_incomplete_row_has_no_rank_in_any_draw() -> None:
    panel = PANEL.copy()
    panel[3, 1] = np.nan
    found = monte_carlo_ranks(panel, ALL_UP, QUARTERS, draws=20)
    assert math.isnan(found.median[3])
    assert np.isnan(found.reference).sum() == 1


def test_ranks_are_drawn_within_each_year_and_each_year_has_its_sensitivity() -> None:
    years = np.repeat([2021, 2020], 6)
    found = drawn(slices=years)
    assert found.low.min() == 1
    assert found.high.max() == 6
    assert found.sensitivity.shape == (3, 2)
    last = np.roll(np.arange(12), 1)  # one row of 2020 before those of 2021: rows need not stand by year
    again = monte_carlo_ranks(PANEL[last], ALL_UP, QUARTERS, slices=years[last], draws=200, half_digits=0.5)
    assert np.abs(again.median - found.median[last]).max() <= 1


def test_drawn_percentiles_are_ranks() -> None:
    for part in drawn()[1:4]:
        np.testing.assert_array_equal(part, np.round(part))


def test_a_year_of_more_places_than_a_byte_counts_is_ranked() -> None:
    rows = np.arange(200.0)[:, None]
    found = monte_carlo_ranks(rows, [1], [1.0], draws=5)
    np.testing.assert_array_equal(found.median, 200 - np.arange(200))


# --- coupling


@few
@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=5))
def test_coordination_lies_between_and_equal_scores_couple_fully(scores) -> None:
    found = coupling_coordination(np.array([scores]).T)
    assert 0 <= found.coupling[0] <= 1
    assert found.degree[0] == pytest.approx(math.sqrt(found.coupling[0] * np.mean(scores)))
    equal = coupling_coordination(np.full((len(scores), 1), scores[0]))
    assert equal.coupling[0] == pytest.approx(1)


def test_small_scores_of_many_sectors_do_not_vanish() -> None:
    assert coupling_coordination(np.full((60, 1), 1e-7)).coupling[0] == pytest.approx(1)


def test_weights_of_sectors_are_not_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        coupling_coordination([[0.5], [0.5]], [-1, 2])
