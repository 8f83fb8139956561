"""Ranks of composite scores and how sure they are. Not here: the scores (``composite``)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from warehouse.measures.composite import composite_scores, min_max, z_scores
from warehouse.measures.sample import FloatArray, IntArray

#: Ways of normalising that a draw chooses from.
NORMALISATIONS = ("min_max", "z_score", "rank")
#: What a draw decides, each on its own.
CHOICES = ("weights", "normalisation", "rounding")
#: Draws of weights around the chosen ones: a weight of 0.2 then has a standard deviation of 0.04.
CONCENTRATION = 100.0


class RankRange(NamedTuple):
    """By row: best, median and worst rank over the ways of scoring."""

    best: FloatArray
    median: FloatArray
    worst: FloatArray


class RankUncertainty(NamedTuple):
    """By row: reference rank, median, 5th and 95th percentile of the drawn ranks; sensitivity by :data:`CHOICES`."""

    reference: FloatArray
    median: FloatArray
    low: FloatArray
    high: FloatArray
    sensitivity: FloatArray


class _Draws(NamedTuple):
    """What each draw decides: uniform or Dirichlet numbers, so that any choice can be taken from another draw."""

    weights: FloatArray
    normalisation: IntArray
    rounding: FloatArray


def ranks(scores: npt.ArrayLike, slices: npt.ArrayLike | None = None) -> FloatArray:
    """Rank of each score within its slice, 1 the highest; equal scores share the smallest of theirs; NaN has none.

    ``slices`` (year of each row; None: one) need not ascend.

    >>> ranks([0.2, 0.9, np.nan, 0.9]).tolist()
    [3.0, 1.0, nan, 1.0]
    """
    values = np.asarray(scores, dtype=np.float64)
    number = np.zeros(values.size, dtype=np.int64) if slices is None else np.asarray(slices, dtype=np.int64)
    result = np.full(values.size, np.nan)
    order = np.lexsort((-values, number))
    order = order[~np.isnan(values[order])]
    ordered, group = values[order], number[order]
    place = np.arange(order.size)
    is_new = np.ones(order.size, dtype=bool)
    is_new[1:] = (ordered[1:] != ordered[:-1]) | (group[1:] != group[:-1])
    starts = np.searchsorted(group, group)
    result[order] = np.maximum.accumulate(np.where(is_new, place, 0)) - starts + 1
    return result


def rank_range(ways: npt.ArrayLike, slices: npt.ArrayLike | None = None) -> RankRange:
    """Best, median and worst rank of each row over several ways of scoring it ([ways × rows] of scores).

    The sensitivity of a rank to the choice of weights and method (entropy, CRITIC, equal, TOPSIS). A row without a score in
    any way → NaN. Source: OECD/JRC 2008, Handbook on Constructing Composite Indicators.

    >>> rank_range([[0.9, 0.5, 0.1], [0.4, 0.5, 0.1]]).best.tolist()
    [1.0, 1.0, 3.0]
    """
    table = np.array([ranks(scores, slices) for scores in np.asarray(ways, dtype=np.float64)])
    return RankRange(table.min(axis=0), np.median(table, axis=0), table.max(axis=0))


def monte_carlo_ranks(
    panel: npt.ArrayLike,
    directions: npt.ArrayLike,
    weights: npt.ArrayLike,
    *,
    slices: npt.ArrayLike | None = None,
    half_digits: npt.ArrayLike = 0.0,
    draws: int = 1_000,
    seed: int = 20_231_206,
    concentration: float = CONCENTRATION,
) -> RankUncertainty:
    """Distribution of each row's rank when weights, normalisation and last digits are drawn; same seed, same result.

    Each draw takes weights from a Dirichlet distribution around the chosen ones (parameter ``concentration`` · weight;
    a weight of 0 stays 0), one of min–max, z-score and rank normalisation, and moves every value uniformly within
    ± ``half_digits`` (half a unit of its last printed digit: one number, one an indicator or one a cell). ``reference``
    is the rank with none of it. ``sensitivity`` is the first-order index (Sobol', pick-freeze) of the mean absolute
    shift of ranks against each of :data:`CHOICES`: the share of its variance that the choice explains alone; NaN where
    ranks do not move. It is an estimate and may fall below 0 by its own noise. Incomplete rows → NaN.
    Source: Saisana, Saltelli & Tarantola 2005; OECD/JRC 2008; COINr.

    >>> found = monte_carlo_ranks([[3.0, 3.0], [2.0, 2.0], [1.0, 1.0]], [1, 1], [0.5, 0.5], draws=20)
    >>> found.low.tolist(), found.high.tolist()
    ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    """
    x, w = np.asarray(panel, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    width = np.broadcast_to(np.asarray(half_digits, dtype=np.float64), x.shape)
    generator = np.random.default_rng(seed)
    first, second = (_drawn(generator, x.shape, w, draws, concentration) for _ in range(2))
    reference = ranks(composite_scores(min_max(x, directions), w), slices)
    table = _ranks_of(first, x, width, directions, slices)
    with np.errstate(invalid="ignore"):
        shift = _shift(table, reference)
    sensitivity = [
        _first_order(shift, _shift(_ranks_of(_sharing(first, second, choice), x, width, directions, slices), reference))
        for choice in CHOICES
    ]
    low, median, high = np.percentile(table, [5, 50, 95], axis=0)
    return RankUncertainty(reference, median, low, high, np.array(sensitivity))


def _drawn(
    generator: np.random.Generator, shape: tuple[int, ...], weights: FloatArray, draws: int, concentration: float
) -> _Draws:
    drawn = np.zeros((draws, weights.size))
    is_used = weights > 0
    drawn[:, is_used] = generator.dirichlet(concentration * weights[is_used] / weights.sum(), draws)
    return _Draws(drawn, generator.integers(0, len(NORMALISATIONS), draws), generator.uniform(-1, 1, (draws, *shape)))


def _sharing(first: _Draws, second: _Draws, choice: str) -> _Draws:
    """The second draws with one choice of the first."""
    return second._replace(**{choice: getattr(first, choice)})


def _ranks_of(
    drawn: _Draws, panel: FloatArray, width: FloatArray, directions: npt.ArrayLike, slices: npt.ArrayLike | None
) -> FloatArray:
    """[draws × rows] of ranks."""
    table = np.empty((drawn.weights.shape[0], panel.shape[0]))
    for draw, (weights, way, rounding) in enumerate(zip(*drawn, strict=True)):
        moved = panel + width * rounding
        table[draw] = ranks(composite_scores(_normalised(moved, directions, NORMALISATIONS[way]), weights), slices)
    return table


def _normalised(panel: FloatArray, directions: npt.ArrayLike, way: str) -> FloatArray:
    if way == "min_max":
        return min_max(panel, directions)
    if way == "z_score":
        return z_scores(panel, directions)
    z = min_max(panel, directions)
    return np.column_stack([-ranks(column) for column in z.T])


def _shift(table: FloatArray, reference: FloatArray) -> FloatArray:
    """Mean absolute shift of ranks of each draw, over the rows that have one."""
    is_ranked = ~np.isnan(reference)
    if not is_ranked.any():
        return np.full(table.shape[0], np.nan)
    shift: FloatArray = np.abs(table[:, is_ranked] - reference[is_ranked]).mean(axis=1)
    return shift


def _first_order(shift: FloatArray, sharing: FloatArray) -> float:
    """Share of the variance of ``shift`` that what both draws share explains."""
    middle = (shift.mean() + sharing.mean()) / 2
    variance = ((shift - middle) ** 2 + (sharing - middle) ** 2).mean() / 2
    return float(((shift - middle) * (sharing - middle)).mean() / variance) if variance > 0 else float("nan")
