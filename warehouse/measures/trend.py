"""Trend over years without assuming a form: Mann–Kendall and Theil–Sen. Not here: which years, breaks (the marts)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from warehouse.measures.distributions import Z_95, normal_tails
from warehouse.measures.sample import FloatArray, IntArray

#: Fewest years of a trend: of four no order at all is significant at 5 %.
FEWEST_YEARS = 5
#: Level at which a trend is called one.
SIGNIFICANT = 0.05


class MannKendall(NamedTuple):
    """By slice: years used, S, its variance, z and the two-sided probability of such a z without trend."""

    years: IntArray
    s: FloatArray
    variance: FloatArray
    z: FloatArray
    probability: FloatArray


class TheilSen(NamedTuple):
    """By slice: slope a year and its 95 % interval."""

    slope: FloatArray
    low: FloatArray
    high: FloatArray


class _Pairs(NamedTuple):
    """Of each slice, differences of value and of time over all pairs of its years (NaN where one is missing)."""

    rises: FloatArray
    spans: FloatArray


def mann_kendall(values: npt.ArrayLike, years: npt.ArrayLike) -> MannKendall:
    """Mann–Kendall test: S = Σ_{i<j} sign(x_j − x_i), z = (S ∓ 1)/√Var S, two-sided probability; one number a slice.

    ``values`` is [slices × years], NaN left out; ``years`` the same shape or one list, distinct and ascending.
    Var S = [n(n − 1)(2n + 5) − Σ t(t − 1)(2t + 5)]/18 over tied values, t of each. S counts pairs, z and probability
    have no unit. Fewer than 5 years → all NaN; all values tied → S 0, z 0, probability 1. The normal approximation is
    rough under ten years. Source: Mann 1945; Kendall 1975; Gilbert 1987.

    >>> test = mann_kendall([[1.0, 2.0, 3.0, 5.0, 4.0, 6.0]], range(2018, 2024))
    >>> float(test.s[0]), round(float(test.z[0]), 4), round(float(test.probability[0]), 4)
    (13.0, 2.2544, 0.0242)
    """
    x = np.asarray(values, dtype=np.float64)
    used = np.where(np.isnan(_calendar(years, x)), np.nan, x)
    count = (~np.isnan(used)).sum(axis=1)
    pairs = _pairs(used, years)
    s = np.nansum(np.sign(pairs.rises), axis=1)
    # A value in a tie of t has t − 1 ties; Σ over a tie's t values of (t − 1)(2t + 5) is the tie's term.
    ties = (used[:, :, None] == used[:, None, :]).sum(axis=2)
    correction = np.where(ties > 0, (ties - 1) * (2 * ties + 5), 0).sum(axis=1)
    variance = (count * (count - 1) * (2 * count + 5) - correction) / 18
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(s == 0, 0.0, (s - np.sign(s)) / np.sqrt(variance))
    is_told = count >= FEWEST_YEARS
    s, variance, z = (np.where(is_told, part, np.nan) for part in (s, variance, z))
    return MannKendall(count, s, variance, z, normal_tails(z))


def theil_sen(values: npt.ArrayLike, years: npt.ArrayLike) -> TheilSen:
    """Theil–Sen slope: the median of (x_j − x_i)/(t_j − t_i) over all pairs, with its 95 % interval; one a slice.

    Inputs and edges as :func:`mann_kendall`. In the indicator's unit a year; one wild year hardly moves it. The
    interval runs between the ordered slopes number (N − c)/2 and (N + c)/2 + 1, c = 1.96 √Var S, N pairs, rounded and
    kept within them. Source: Theil 1950; Sen 1968, J. American Statistical Association 63.

    >>> trend = theil_sen([[1.0, 2.0, 3.0, 5.0, 4.0, 6.0]], range(2018, 2024))
    >>> [round(float(part[0]), 4) for part in trend]
    [1.0, 0.5, 2.0]
    """
    x = np.asarray(values, dtype=np.float64)
    test = mann_kendall(x, years)
    pairs = _pairs(x, years)
    with np.errstate(invalid="ignore", divide="ignore"):
        slopes = np.sort(np.where(pairs.spans > 0, pairs.rises / pairs.spans, np.nan), axis=1)
    number = (~np.isnan(slopes)).sum(axis=1)
    is_told = test.years >= FEWEST_YEARS
    reach = Z_95 * np.sqrt(np.where(is_told, test.variance, 0.0))
    last = np.maximum(number - 1, 0)
    low = np.clip(np.rint((number - reach) / 2).astype(np.int64) - 1, 0, last)
    high = np.clip(np.rint((number + reach) / 2).astype(np.int64), 0, last)
    middle = (_pick(slopes, last // 2) + _pick(slopes, number // 2)) / 2
    chosen = (middle, _pick(slopes, low), _pick(slopes, high))
    return TheilSen(*(np.where(is_told, part, np.nan) for part in chosen))


def trend_words(test: MannKendall, is_favourable: npt.ArrayLike = True) -> npt.NDArray[np.str_]:
    """``improving``, ``steady`` or ``worsening`` by slice, in the indicator's good direction; "" where there is no test.

    A trend is called one where its probability is under :data:`SIGNIFICANT`. *Steady* means none is seen: with few
    years only a strong one can be.

    >>> trend_words(mann_kendall([[1.0, 2.0, 3.0, 4.0, 5.0]], range(5)), is_favourable=False).tolist()
    ['worsening']
    """
    sign = np.where(np.asarray(is_favourable, dtype=bool), 1.0, -1.0) * test.s
    with np.errstate(invalid="ignore"):
        is_trend = test.probability < SIGNIFICANT
        return np.select(
            [np.isnan(test.s), is_trend & (sign > 0), is_trend & (sign < 0)],
            ["", "improving", "worsening"],
            "steady",
        )


def _calendar(years: npt.ArrayLike, values: FloatArray) -> FloatArray:
    return np.broadcast_to(np.asarray(years, dtype=np.float64), values.shape)


def _pairs(values: FloatArray, years: npt.ArrayLike) -> _Pairs:
    first, second = np.triu_indices(values.shape[1], k=1)
    calendar = _calendar(years, values)
    rises = values[:, second] - values[:, first]
    spans = calendar[:, second] - calendar[:, first]
    return _Pairs(rises, np.where(np.isnan(rises), np.nan, spans))


def _pick(ordered: FloatArray, place: IntArray) -> FloatArray:
    """The entry at ``place`` of each row; NaN where a row has none."""
    if not ordered.shape[1]:
        return np.full(ordered.shape[0], np.nan)
    return ordered[np.arange(ordered.shape[0]), place]
