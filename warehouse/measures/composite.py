"""Composite scores of many indicators: normalised, weighted (entropy, CRITIC, equal), TOPSIS. Not here: ranks (``ranks``).

A panel is [rows × indicators]; rows are regions, or regions of all years together, so that scores of different years can
be compared. A row that misses any indicator is left out of every fit (listwise) and has NaN. Directions are +1 where
higher is better, −1 where lower is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from warehouse.measures.sample import BoolArray, FloatArray

#: Below this CRITIC's information is none.
NO_INFORMATION = 1e-12


class EntropyWeights(NamedTuple):
    """By indicator: entropy e, divergence 1 − e, weight; by row: score. All NaN where there are no weights."""

    entropy: FloatArray
    divergence: FloatArray
    weights: FloatArray
    scores: FloatArray


class CriticWeights(NamedTuple):
    """By indicator: information (NaN where a single indicator varies) and weight."""

    information: FloatArray
    weights: FloatArray


class Topsis(NamedTuple):
    """By row: distance to the ideal best and worst, closeness 0 … 1 (NaN where both distances are 0)."""

    to_best: FloatArray
    to_worst: FloatArray
    closeness: FloatArray


def min_max(panel: npt.ArrayLike, directions: npt.ArrayLike, shift: float = 0.0) -> FloatArray:
    """z = (x − min)/(max − min), where lower is better (max − x)/(max − min), plus ``shift``; over the complete rows.

    0 … 1 without shift. A constant indicator → NaN in all rows; an incomplete row → NaN. Source: OECD/JRC 2008, Handbook
    on Constructing Composite Indicators.

    >>> min_max([[1.0, 5.0], [3.0, 1.0]], [1, -1]).tolist()
    [[0.0, 0.0], [1.0, 1.0]]
    """
    x, is_complete = _complete(panel)
    if not is_complete.any():
        return x
    low, high = np.nanmin(x, axis=0), np.nanmax(x, axis=0)
    spread = np.where(high > low, high - low, np.nan)
    z: FloatArray = np.where(_is_up(directions), x - low, high - x) / spread + shift
    return z


def z_scores(panel: npt.ArrayLike, directions: npt.ArrayLike) -> FloatArray:
    """Standard scores (x − mean)/SD in the good direction, population SD, over the complete rows; edges as :func:`min_max`.

    >>> z_scores([[1.0], [3.0]], [-1]).tolist()
    [[1.0], [-1.0]]
    """
    x, is_complete = _complete(panel)
    if not is_complete.any():
        return x
    spread = np.where(np.nanmax(x, axis=0) > np.nanmin(x, axis=0), np.nanstd(x, axis=0), np.nan)
    z: FloatArray = np.where(_is_up(directions), 1.0, -1.0) * (x - np.nanmean(x, axis=0)) / spread
    return z


def entropy_weights(panel: npt.ArrayLike, directions: npt.ArrayLike, shift: float = 0.0) -> EntropyWeights:
    """Entropy weights: p = z/Σz down each column, e = −Σ p ln p/ln n, weight (1 − e)/Σ(1 − e), score Σ weight·z.

    z as :func:`min_max`; 0 · ln 0 = 0; n complete rows. A ``shift`` (0.0001 in many Chinese papers) changes the weights: say
    so. The weights measure spread, not importance, and change with rows: fit them on pooled years where scores of
    years are compared. A constant indicator → e = 1, weight 0, no part in the score; none that varies or fewer than two
    complete rows → all NaN. Source: Shannon 1948; Hwang & Yoon 1981.

    >>> entropy_weights([[1.0, 1.0], [2.0, 2.0], [3.0, 9.0]], [1, 1]).weights.round(4).tolist()
    [0.3813, 0.6187]
    """
    z = min_max(panel, directions, shift)
    rows = ~np.all(np.isnan(z), axis=1)
    used, is_constant = z[rows], np.all(np.isnan(z), axis=0)
    if rows.sum() < 2 or is_constant.all():
        nothing = np.full(z.shape[1], np.nan)
        return EntropyWeights(nothing, nothing, nothing, np.full(z.shape[0], np.nan))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = used / used.sum(axis=0)
        surprise = np.where(share > 0, share * np.log(share), 0.0)
    entropy = np.where(is_constant, 1.0, -surprise.sum(axis=0) / np.log(rows.sum()))
    divergence = np.where(is_constant, 0.0, 1 - entropy)
    weights = divergence / divergence.sum()
    return EntropyWeights(entropy, divergence, weights, composite_scores(z, weights))


def critic_weights(panel: npt.ArrayLike, directions: npt.ArrayLike) -> CriticWeights:
    """CRITIC: information C_j = s_j Σ_k (1 − r_jk) on min–max values, weight C_j/ΣC; s sample SD, r correlation.

    The divisor of the SD cancels in the weights. A constant indicator → weight 0 and no part in the correlations; one
    that varies → weight 1, information NaN; all perfectly correlated (ΣC < 1e-12), none that varies, fewer than two
    complete rows → NaN. Source: Diakoulaki, Mavrotas & Papayannakis 1995, Computers & Operations Research 22.

    >>> critic_weights([[1.0, 3.0], [2.0, 1.0], [3.0, 2.0]], [1, 1]).weights.round(6).tolist()
    [0.5, 0.5]
    """
    z = min_max(panel, directions)
    rows, varies = ~np.all(np.isnan(z), axis=1), ~np.all(np.isnan(z), axis=0)
    nothing = np.full(z.shape[1], np.nan)
    if rows.sum() < 2 or not varies.any():
        return CriticWeights(nothing, nothing)
    if varies.sum() == 1:
        return CriticWeights(nothing, varies.astype(np.float64))
    used = z[np.ix_(rows, varies)]
    information = np.zeros(z.shape[1])
    correlation = np.corrcoef(used, rowvar=False)
    information[varies] = used.std(axis=0, ddof=1) * (1 - correlation).sum(axis=1)
    if not information.sum() > NO_INFORMATION:
        return CriticWeights(nothing, nothing)
    return CriticWeights(information, information / information.sum())


def equal_weights(panel: npt.ArrayLike) -> FloatArray:
    """Equal weights over the indicators that vary, 0 for a constant one, so that both weightings leave out the same.

    None that varies or fewer than two complete rows → NaN.

    >>> equal_weights([[1.0, 5.0, 2.0], [3.0, 5.0, 1.0]]).tolist()
    [0.5, 0.0, 0.5]
    """
    z = min_max(panel, np.ones(np.shape(panel)[1]))
    varies = ~np.all(np.isnan(z), axis=0)
    return varies / varies.sum() if varies.any() else np.full(varies.size, np.nan)


def composite_scores(normalised: npt.ArrayLike, weights: npt.ArrayLike) -> FloatArray:
    """Score Σ weight · z of each row; indicators of weight 0 have no part in it. A row that misses another → NaN.

    >>> composite_scores([[0.5, 1.0], [1.0, 0.0]], [0.25, 0.75]).tolist()
    [0.875, 0.25]
    """
    z, weight = np.asarray(normalised, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    is_used = weight != 0
    scores: FloatArray = z[:, is_used] @ weight[is_used]
    return scores


def topsis(panel: npt.ArrayLike, directions: npt.ArrayLike, weights: npt.ArrayLike) -> Topsis:
    """TOPSIS: v = weight · x/√Σx², distances d⁺, d⁻ to the best and worst v of each column, closeness d⁻/(d⁺ + d⁻).

    Weights are rescaled to sum 1. Raw x are vector-normalised, not min–max, which would give other numbers. An all-zero
    indicator adds nothing; all rows identical or a single one → closeness NaN; an incomplete row → NaN. Adding a row can
    reverse ranks. Source: Hwang & Yoon 1981.

    >>> topsis([[1.0, 2.0], [3.0, 1.0], [3.0, 2.0]], [1, 1], [1, 1]).closeness.round(4).tolist()
    [0.4208, 0.5792, 1.0]
    """
    x, is_complete = _complete(panel)
    weight = np.asarray(weights, dtype=np.float64)
    if not is_complete.any():
        return Topsis(*(np.full(x.shape[0], np.nan) for _ in range(3)))
    length = np.sqrt(np.nansum(x * x, axis=0))
    v = weight / weight.sum() * x / np.where(length > 0, length, 1.0)
    low, high = np.nanmin(v, axis=0), np.nanmax(v, axis=0)
    is_up = _is_up(directions)
    to_best = np.sqrt(((v - np.where(is_up, high, low)) ** 2).sum(axis=1))
    to_worst = np.sqrt(((v - np.where(is_up, low, high)) ** 2).sum(axis=1))
    both = to_best + to_worst
    with np.errstate(invalid="ignore"):
        return Topsis(to_best, to_worst, to_worst / np.where(both > 0, both, np.nan))


def _is_up(directions: npt.ArrayLike) -> BoolArray:
    return np.asarray(directions, dtype=np.float64) > 0


def _complete(panel: npt.ArrayLike) -> tuple[FloatArray, BoolArray]:
    """The panel with NaN in all of an incomplete row, and which rows are complete."""
    x = np.asarray(panel, dtype=np.float64)
    is_complete: BoolArray = np.all(~np.isnan(x), axis=1)
    return np.where(is_complete[:, None], x, np.nan), is_complete
