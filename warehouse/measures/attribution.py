"""What a change is made of: regions for an index, numerator and denominator and revision for a rate. Not here: causes.

The parts sum to the whole; that is asserted. A part is a share of the arithmetic, not an effect.
"""

from __future__ import annotations

from collections.abc import Callable
from math import comb
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from warehouse.measures.sample import FloatArray, Sample
from warehouse.measures.theil import assert_sums

#: Kinds of a region's line: in both, in one only, in neither.
KINDS = ("both", "entered", "left", "absent")


class IndexChange(NamedTuple):
    """Change of an index by slice and each region's part in it; ``kind`` is one of :data:`KINDS` a region."""

    change: FloatArray
    parts: FloatArray
    kind: npt.NDArray[np.str_]


class RateChange(NamedTuple):
    """Change of a rate and its parts: change = numerator + denominator + revision; NaN where any figure is missing."""

    change: FloatArray
    numerator: FloatArray
    denominator: FloatArray
    revision: FloatArray


def theil_contributions(sample: Sample) -> FloatArray:
    """c_i = (w_i/W) r_i ln r_i, r = x/μ: each row's term of Theil T; they sum to it and may be negative (below the mean).

    One number a row that counts; NaN in a slice where Theil T is undefined; 0 · ln 0 = 0. Source: Theil 1967.

    >>> theil_contributions(Sample.of([1.0, 3.0])).round(6).tolist()
    [-0.173287, 0.304099]
    """
    ratio = sample.relative
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(ratio == 0, 0.0, ratio * np.log(ratio))
    return sample.share * terms


def cv_squared_contributions(sample: Sample) -> FloatArray:
    """c_i = w_i (x_i − μ)²/(W μ²): each row's term of CV²; they sum to it, none is negative.

    One number a row that counts; μ ≤ 0 → NaN. Source: decomposition of the variance, any text.

    >>> cv_squared_contributions(Sample.of([1.0, 3.0])).tolist()
    [0.125, 0.125]
    """
    with np.errstate(invalid="ignore"):
        mean = np.where(sample.mean > 0, sample.mean, np.nan)[sample.slices]
    return sample.share * ((sample.values - mean) / mean) ** 2


def attribute_index_change(
    before: Sample, after: Sample, rows: int, contributions: Callable[[Sample], FloatArray] = theil_contributions
) -> IndexChange:
    """Change of an index between two samples as the sum of its regions' parts, Δ = Σ Δc_i.

    Both samples were made of arrays of ``rows`` entries with the same region and slice in each place (a region missing
    at one time is NaN there). ``contributions`` is :func:`theil_contributions` (the index is Theil T) or
    :func:`cv_squared_contributions` (CV²). A region in one of the two only has its whole term as part, *entered* or
    *left*; absent from both: NaN. The index undefined at either time → change and parts NaN. No unit.

    Raises ArithmeticError where the parts do not sum to the change within 1e-9: a fault of this code.

    >>> before, after = Sample.of([1.0, 3.0, np.nan]), Sample.of([2.0, 2.0, 2.0])
    >>> result = attribute_index_change(before, after, 3)
    >>> result.change.round(6).tolist(), result.parts.round(6).tolist(), result.kind.tolist()
    ([-0.130812], [0.173287, -0.304099, 0.0], ['both', 'both', 'entered'])
    """
    totals, terms, present, slices = [], [], [], np.full(rows, -1)
    for sample in (before, after):
        own = contributions(sample)
        spread = np.zeros(rows)
        spread[sample.rows] = own
        is_here = np.zeros(rows, dtype=bool)
        is_here[sample.rows] = True
        slices[sample.rows] = sample.slices
        terms.append(spread)
        present.append(is_here)
        totals.append(np.where(np.isnan(sample.weight), np.nan, sample.sum(own)))
    change = totals[1] - totals[0]
    was, now = present
    kind = np.select([was & now, now, was], KINDS[:3], KINDS[3])
    parts = np.where((was | now) & ~np.isnan(change[slices]), terms[1] - terms[0], np.nan)
    is_part = ~np.isnan(parts)
    summed = np.bincount(slices[is_part], weights=parts[is_part], minlength=before.count).astype(np.float64)
    assert_sums(change, [summed])
    return IndexChange(change, parts, kind)


def attribute_rate_change(
    published: tuple[npt.ArrayLike, npt.ArrayLike],
    revised: tuple[npt.ArrayLike, npt.ArrayLike],
    now: tuple[npt.ArrayLike, npt.ArrayLike],
    multiplier: npt.ArrayLike = 1.0,
) -> RateChange:
    """Change of a rate n/d from what was published to what is now, in numerator, denominator and revision.

    Each pair is (numerators, denominators): ``published`` the earlier period as it was first released, ``revised`` the same
    period as it is known now (give the same twice where nothing was revised), ``now`` the later period. Revision is
    rate(revised) − rate(published); the rest is split by Shapley's mean over the two orders of change: numerator
    (n₁ − n₀)(1/d₀ + 1/d₁)/2, denominator (n₀ + n₁)(1/d₁ − 1/d₀)/2. All in the rate's unit. Missing or a denominator of
    0 → NaN. Source: Shapley 1953; Shorrocks 2013, J. Economic Inequality 11.

    Raises ArithmeticError where the parts do not sum to the change within 1e-9: a fault of this code.

    >>> parts = attribute_rate_change(([10.0], [100.0]), ([12.0], [100.0]), ([18.0], [120.0]), 1000)
    >>> [float(round(part[0], 6)) for part in parts]
    [50.0, 55.0, -25.0, 20.0]
    """
    (n_old, d_old), (n0, d0), (n1, d1) = (
        (np.asarray(n, dtype=np.float64), _nonzero(d)) for n, d in (published, revised, now)
    )
    factor = np.asarray(multiplier, dtype=np.float64)
    numerator = factor * (n1 - n0) * (1 / d0 + 1 / d1) / 2
    denominator = factor * (n0 + n1) * (1 / d1 - 1 / d0) / 2
    revision = factor * (n0 / d0 - n_old / d_old)
    change = factor * (n1 / d1 - n_old / d_old)
    assert_sums(change, [numerator, denominator, revision])
    return RateChange(change, numerator, denominator, revision)


def shapley_parts(value_of: Callable[[int], FloatArray], factors: int) -> list[FloatArray]:
    """What each of several factors adds to a change, as Shapley's mean over all orders in which they may change.

    ``value_of(mask)`` gives the value where the factors with a bit in ``mask`` have changed and the others not, as an array of
    any shape (regions, slices); ``factors`` is how many there are, k: it is asked 2ᵏ times. One array a factor, they sum to
    value_of(all) − value_of(none); a factor that changes nothing has exactly 0. In the value's unit. Source: Shapley
    1953; Shorrocks 2013, J. Economic Inequality 11.

    Raises ArithmeticError where the parts do not sum to the change within 1e-9: a fault of this code.

    >>> n, d = (10.0, 18.0), (100.0, 120.0)
    >>> rate = lambda mask: np.array([n[mask & 1] / d[mask >> 1]])
    >>> [float(part[0].round(6)) for part in shapley_parts(rate, 2)]
    [0.073333, -0.023333]
    """
    values = [value_of(mask) for mask in range(1 << factors)]
    parts = []
    for factor in range(factors):
        part = np.zeros_like(values[0])
        for mask, value in enumerate(values):
            if mask >> factor & 1:
                before = mask.bit_count() - 1
                part += (value - values[mask ^ 1 << factor]) / (factors * comb(factors - 1, before))
        parts.append(part)
    assert_sums(values[-1] - values[0], parts)
    return parts


def _nonzero(denominators: npt.ArrayLike) -> FloatArray:
    d = np.asarray(denominators, dtype=np.float64)
    return np.where(d != 0, d, np.nan)
