"""Ranks of composite scores and how sure they are. Not here: the scores (``composite``)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from warehouse.measures.composite import composite_scores, min_max, z_scores
from warehouse.measures.sample import BoolArray, FloatArray, IntArray

RankTable = npt.NDArray[np.signedinteger[Any]]

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
    """By row: reference rank, median, 5th and 95th percentile of the drawn ranks; sensitivity by :data:`CHOICES` and slice."""

    reference: FloatArray
    median: FloatArray
    low: FloatArray
    high: FloatArray
    sensitivity: FloatArray


class _Draws(NamedTuple):
    """What each draw decides: uniform or Dirichlet numbers, so that any choice can be taken from another draw."""

    weights: FloatArray
    """[draws × indicators]."""
    normalisation: IntArray
    """[draws]."""
    rounding: FloatArray
    """[places × draws × indicators], −1 … 1: ranks are compared within a slice, so slices may share these numbers."""


class _Standing(NamedTuple):
    """[places × slices × indicators] of one normalisation: where a value stands, how far its last digit moves it."""

    middle: FloatArray
    reach: FloatArray


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
    ± ``half_digits`` (half a unit of its last printed digit: one number, one an indicator or one a cell). The panel as it is
    sets the scale of each normalisation; a moved value's rank among the others goes evenly from that of its one end to that
    of its other. ``reference`` is the rank with none of it; percentiles are ranks that were drawn.

    ``sensitivity`` is [choices × slices], slices ascending: the first-order index (Sobol', pick-freeze) of the mean absolute
    shift of the slice's ranks against each of :data:`CHOICES`: the share of its variance that the choice explains alone;
    NaN where ranks do not move. It is an estimate and may fall below 0 by its own noise. Incomplete rows → NaN.
    Source: Saisana, Saltelli & Tarantola 2005; OECD/JRC 2008; COINr.

    >>> found = monte_carlo_ranks([[3.0, 3.0], [2.0, 2.0], [1.0, 1.0]], [1, 1], [0.5, 0.5], draws=20)
    >>> found.low.tolist(), found.high.tolist()
    ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    """
    x, w = np.asarray(panel, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    number = np.zeros(x.shape[0], dtype=np.int64) if slices is None else np.asarray(slices, dtype=np.int64)
    reference = ranks(composite_scores(min_max(x, directions), w), number)
    is_ranked, is_used = ~np.isnan(reference), w > 0
    nothing = np.full(x.shape[0], np.nan)
    names = np.unique(number)
    if not is_ranked.any():
        return RankUncertainty(reference, nothing, nothing, nothing, np.full((len(CHOICES), names.size), np.nan))
    width = np.broadcast_to(np.asarray(half_digits, dtype=np.float64), x.shape)
    cells = np.ix_(is_ranked, is_used)
    layout = _Layout.of(np.searchsorted(names, number[is_ranked]), names.size)
    signs = np.broadcast_to(_signs(directions), w.shape)[is_used]
    standings = [_Standing(*map(layout.table, parts)) for parts in _standings(x[cells], signs, width[cells])]
    generator = np.random.default_rng(seed)
    first, second = (_drawn(generator, layout.rows.shape[0], w[is_used], draws, concentration) for _ in range(2))
    table = layout.ranks(_scores(first, standings))
    shift = layout.shift(table, reference[is_ranked])
    sensitivity = []
    for choice in CHOICES:
        shared = second._replace(**{choice: getattr(first, choice)})
        sharing = layout.shift(layout.ranks(_scores(shared, standings)), reference[is_ranked])
        sensitivity.append(_first_order(shift, sharing))
    found = [_put(nothing, is_ranked, part) for part in layout.percentiles(table, (0.5, 0.05, 0.95))]
    return RankUncertainty(reference, found[0], found[1], found[2], np.array(sensitivity))


@dataclass(frozen=True, eq=False)
class _Layout:
    """Rows as a table [places × slices]: ``rows`` has the row in each place, −1 where a slice has fewer; ``place`` is where
    each row stands in the unrolled table."""

    rows: IntArray
    place: IntArray

    @classmethod
    def of(cls, slices: IntArray, count: int) -> _Layout:
        """The layout of rows with these slices, numbered 0 to before ``count``."""
        sizes = np.bincount(slices, minlength=count)
        order = np.argsort(slices, kind="stable")
        line = np.arange(slices.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        rows = np.full((int(sizes.max()), count), -1, dtype=np.int64)
        rows[line, slices[order]] = order
        place = np.empty(slices.size, dtype=np.int64)
        place[order] = line * count + slices[order]
        return cls(rows, place)

    def table(self, values: FloatArray) -> FloatArray:
        """Values of rows in their places; an empty place has some row's."""
        return values[np.maximum(self.rows, 0)]

    def ranks(self, scores: FloatArray) -> RankTable:
        """Ranks within the slice of [places × slices × draws] of scores, ties sharing the smallest; 0 in an empty place.

        Each place is compared with all: of some tens of regions that is quicker than sorting each slice of each draw.
        """
        is_empty = self.rows < 0
        scores[is_empty] = -np.inf
        found = np.ones(scores.shape, dtype=np.int8 if scores.shape[0] < np.iinfo(np.int8).max else np.int16)
        is_above = np.empty(scores.shape, dtype=np.bool_)
        for other in scores:
            np.greater(other, scores, out=is_above)
            found += is_above.view(np.int8)
        found[is_empty] = 0
        return found

    def shift(self, table: RankTable, reference: FloatArray) -> FloatArray:
        """[draws × slices] of the mean absolute difference to the reference ranks."""
        settled = np.where(self.rows < 0, 0, self.table(reference)).astype(table.dtype)
        count = (self.rows >= 0).sum(axis=0)
        moved = np.abs(table - settled[:, :, None]).sum(axis=0, dtype=np.int32).T
        shift: FloatArray = moved / np.where(count, count, np.nan)
        return shift

    def percentiles(self, table: RankTable, shares: Sequence[float]) -> list[FloatArray]:
        """By share the smallest drawn rank that at least that share of the draws does not exceed, by row."""
        drawn = np.sort(table.reshape(-1, table.shape[2])[self.place], axis=1, kind="stable")
        last = drawn.shape[1]
        return [drawn[:, max(math.ceil(share * last) - 1, 0)].astype(np.float64) for share in shares]


def _signs(directions: npt.ArrayLike) -> FloatArray:
    return np.where(np.asarray(directions, dtype=np.float64) > 0, 1.0, -1.0)


def _standings(panel: FloatArray, signs: FloatArray, width: FloatArray) -> tuple[tuple[FloatArray, FloatArray], ...]:
    """Of complete rows by :data:`NORMALISATIONS` where a value stands and its last digit's reach; higher is better."""
    spread = panel.max(axis=0) - panel.min(axis=0)
    deviation = panel.std(axis=0)
    ends = [_ranks_among(panel * signs, panel * signs + side * width) for side in (1.0, -1.0)]
    return (
        (min_max(panel, signs), width / np.where(spread > 0, spread, np.nan)),
        (z_scores(panel, signs), width / np.where(spread > 0, deviation, np.nan)),
        (-(ends[0] + ends[1]) / 2, (ends[1] - ends[0]) / 2),
    )


def _ranks_among(panel: FloatArray, moved: FloatArray) -> FloatArray:
    """Rank that a moved value of each row would have among the other rows of its column, 1 the highest."""
    found = np.empty(panel.shape)
    for column in range(panel.shape[1]):
        ascending = np.sort(panel[:, column])
        above = ascending.size - np.searchsorted(ascending, moved[:, column], side="right")
        found[:, column] = 1 + above - (panel[:, column] > moved[:, column])  # a row is not above itself
    return found


def _drawn(
    generator: np.random.Generator, places: int, weights: FloatArray, draws: int, concentration: float
) -> _Draws:
    return _Draws(
        generator.dirichlet(concentration * weights / weights.sum(), draws),
        generator.integers(0, len(NORMALISATIONS), draws),
        generator.uniform(-1, 1, (places, draws, weights.size)),
    )


def _scores(drawn: _Draws, standings: Sequence[_Standing]) -> FloatArray:
    """[places × slices × draws] of scores: Σ weight · (middle + rounding · reach)."""
    table = np.empty((*standings[0].middle.shape[:2], drawn.weights.shape[0]))
    for way, (middle, reach) in enumerate(standings):
        chosen = np.flatnonzero(drawn.normalisation == way)
        weights = drawn.weights[chosen]
        scores = middle @ weights.T
        if reach.any():
            scores += reach @ (drawn.rounding[:, chosen] * weights).transpose(0, 2, 1)
        table[:, :, chosen] = scores
    return table


def _first_order(shift: FloatArray, sharing: FloatArray) -> FloatArray:
    """Share of the variance of ``shift`` that what both draws share explains, by slice."""
    middle = (shift.mean(axis=0) + sharing.mean(axis=0)) / 2
    variance = ((shift - middle) ** 2 + (sharing - middle) ** 2).mean(axis=0) / 2
    covariance = ((shift - middle) * (sharing - middle)).mean(axis=0)
    share: FloatArray = covariance / np.where(variance > 0, variance, np.nan)
    return share


def _put(empty: FloatArray, places: BoolArray, values: FloatArray) -> FloatArray:
    filled = empty.copy()
    filled[places] = values
    return filled
