"""Shortfall against a floor, and what it would cost to reach it. Not here: which floor is in force (the marts)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from warehouse.measures.sample import FloatArray, IntArray, Sample, settle

#: A value this close to the floor, relative to it, stands at the floor (as ``mart.attainment`` has it): rates carry the
#: rounding of their multiplier, and at the floor is attained.
AT_FLOOR = 1e-9


class Shortfall(NamedTuple):
    """Shortfall by slice: shares ``p0``, ``p1``, ``p2``; weight and number of the units below the floor."""

    p0: FloatArray
    p1: FloatArray
    p2: FloatArray
    weight_below: FloatArray
    units_below: IntArray


class Cost(NamedTuple):
    """Cost of raising each region to the floor, and its share of the region's budget revenue."""

    cost: FloatArray
    share_of_revenue: FloatArray


def relative_gap(values: npt.ArrayLike, floors: npt.ArrayLike, is_favourable: npt.ArrayLike = True) -> FloatArray:
    """Gap of each value below its floor, (floor − x)/floor, where lower is better (x − floor)/floor; else 0.

    A share of the floor. Strictly below counts: at the floor (within :data:`AT_FLOOR`) it is 0. A missing value, a
    missing floor or a floor ≤ 0 → NaN.

    >>> relative_gap([6.0, 9.0], 8.0).tolist(), relative_gap([6.0, 9.0], 8.0, is_favourable=False).tolist()
    ([0.25, 0.0], [0.0, 0.125])
    """
    x, floor = np.asarray(values, dtype=np.float64), np.asarray(floors, dtype=np.float64)
    sign = np.where(np.asarray(is_favourable, dtype=bool), 1.0, -1.0)
    with np.errstate(invalid="ignore"):
        gap = sign * (floor - x) / np.where(floor > 0, floor, np.nan)
        return np.where(np.isnan(gap), np.nan, np.where(gap > AT_FLOOR, gap, 0.0))


def fgt_shortfall(sample: Sample, floors: npt.ArrayLike, is_favourable: npt.ArrayLike = True) -> Shortfall:
    """Foster–Greer–Thorbecke: P0 = Σ(w/W)[short], P1 = Σ(w/W) gap, P2 = Σ(w/W) gap², gap as :func:`relative_gap`.

    ``floors`` and ``is_favourable`` are one or one a slice. P0 weighted by population is the share of people who live in
    regions below, not of people below; ``weight_below`` is their number. Shares, 0 … 1 (P1 and P2 may exceed 1 where
    lower is better). Floor ≤ 0 or missing, a negative value, nothing left → NaN, ``units_below`` 0; exactly at the
    floor is not short. Source: Foster, Greer & Thorbecke 1984.

    >>> short = fgt_shortfall(Sample.of([6.0, 8.0], [3.0, 1.0]), 8.0)
    >>> [float(part[0]) for part in short]
    [0.75, 0.1875, 0.046875, 3.0, 1.0]
    """
    floor = np.broadcast_to(np.asarray(floors, dtype=np.float64), (sample.count,))
    favourable = np.broadcast_to(np.asarray(is_favourable, dtype=bool), (sample.count,))
    with np.errstate(invalid="ignore"):
        is_defined = sample.is_absolute_defined & (sample.minimum >= 0) & (floor > 0)
    gap = relative_gap(sample.values, floor[sample.slices], favourable[sample.slices])
    is_short = (gap > 0) & is_defined[sample.slices]
    below = sample.sum(np.where(is_short, sample.weights, 0.0))
    return Shortfall(
        settle(below / sample.weight, is_defined),
        settle(sample.sum(sample.share * gap), is_defined),
        settle(sample.sum(sample.share * gap * gap), is_defined),
        np.where(is_defined, below, np.nan),
        np.bincount(sample.slices[is_short], minlength=sample.count),
    )


def cost_to_floor(
    values: npt.ArrayLike, floors: npt.ArrayLike, population: npt.ArrayLike, revenue: npt.ArrayLike
) -> Cost:
    """Cost (floor − x) · population of each region below its floor, and that over general public budget revenue.

    For a floor expressed as an amount a head (yuan, favourable); population in persons, so the cost is in yuan, and
    revenue in yuan too. At or above the floor → 0. Value, floor or population missing, floor ≤ 0 → NaN; revenue missing or ≤ 0
    → share NaN, cost kept. The cost of a nation or group is the sum of its regions', not that of its mean.
    Source: the policy's "in line with local fiscal conditions".

    >>> cost = cost_to_floor([90.0, 120.0], 100.0, [1000.0, 500.0], [1e6, 1e6])
    >>> cost.cost.round(6).tolist(), cost.share_of_revenue.round(6).tolist()
    ([10000.0, 0.0], [0.01, 0.0])
    """
    floor = np.asarray(floors, dtype=np.float64)
    amount = relative_gap(values, floor) * floor * np.asarray(population, dtype=np.float64)
    return Cost(amount, share_of_revenue(amount, revenue))


def share_of_revenue(cost: npt.ArrayLike, revenue: npt.ArrayLike) -> FloatArray:
    """A cost over the revenue it would be paid from, both in yuan, of regions or of their sums; revenue missing or ≤ 0 → NaN.

    >>> share_of_revenue([10000.0, 5.0], [1e6, 0.0]).tolist()
    [0.01, nan]
    """
    amount, budget = np.asarray(cost, dtype=np.float64), np.asarray(revenue, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return amount / np.where(budget > 0, budget, np.nan)
