"""Level and simple spread: mean, quantiles, coefficient of variation, ratios. Not here: the Gini and Theil."""

from __future__ import annotations

import numpy as np

from warehouse.measures.sample import BoolArray, FloatArray, Sample, running_sum, settle

_TIE = 1e-12


def mean(sample: Sample) -> FloatArray:
    """Mean μ = Σ w x / Σ w (w = 1: the plain mean), one number a slice.

    A rate a head weighted by population gives the rate of the whole; the plain mean takes regions as equals.
    Nothing left, total weight 0 or a negative weight → NaN. Source: any text on statistics.

    >>> float(mean(Sample.of([1.0, 3.0], [3.0, 1.0]))[0])
    1.5
    """
    return sample.mean.copy()


def cv(sample: Sample) -> FloatArray:
    """Coefficient of variation sqrt(Σ w (x − μ)² / W) / μ, population form (divisor n or W), one number a slice.

    No unit, no upper limit of 1, sensitive to the top. Weighted by population it is the index of Williamson (1965).
    μ ≤ 0 → NaN; one unit or all equal → 0. Source: Cowell, *Measuring Inequality*.

    >>> float(cv(Sample.of([1.0, 3.0]))[0])
    0.5
    """
    with np.errstate(invalid="ignore"):
        is_defined: BoolArray = sample.mean > 0
    centred = sample.values - sample.mean[sample.slices]
    variance = sample.sum(sample.weights * centred * centred) / sample.weight
    with np.errstate(invalid="ignore"):
        return settle(np.sqrt(variance) / np.where(is_defined, sample.mean, np.nan), is_defined)


def max_min_ratio(sample: Sample) -> FloatArray:
    """Largest value over smallest, one number a slice.

    Two units decide it: never show it alone. Smallest ≤ 0 → NaN; one unit or all equal → 1.
    Source: Schlotheuber & Hosseinpoor 2022 (simple measures).

    >>> float(max_min_ratio(Sample.of([2.0, 5.0, 4.0]))[0])
    2.5
    """
    with np.errstate(invalid="ignore"):
        is_defined = (sample.minimum > 0) & ~sample.has_negative_weight
    return np.where(is_defined, sample.maximum / np.where(is_defined, sample.minimum, np.nan), np.nan)


def quantile(sample: Sample, probability: float) -> FloatArray:
    """Weighted quantile: the smallest value with at least ``probability`` of the weight at or below it, by slice.

    Where the weight up to a value is exactly that much, the mean of it and the next one (type 2 of Hyndman & Fan), so
    that a weight of 3 counts as three units and every unit twice changes nothing. In the indicator's unit. No unit →
    NaN. Source: Hyndman & Fan 1996, The American Statistician 50.

    >>> quantile(Sample.of([4.0, 1.0, 2.0, 3.0]), 0.5).tolist()
    [2.5]

    Raises ValueError where ``probability`` is not between 0 and 1.
    """
    if not 0 < probability < 1:
        raise ValueError("a quantile is between 0 and 1")
    result = np.full(sample.count, np.nan)
    order = sample.ascending
    values, slices = sample.values[order], sample.slices[order]
    share = running_sum(sample.weights[order], slices) / sample.weight[slices]
    with np.errstate(invalid="ignore"):
        # Cumulated shares carry some 1e-16 a unit; 1e-12 tells "exactly" from "just under".
        places = np.where(share >= probability - _TIE, np.arange(order.size), order.size)
    first = sample.least(places.astype(np.float64))
    with np.errstate(invalid="ignore"):
        is_found = first < order.size
    place = first[is_found].astype(np.int64)
    is_tied = np.abs(share[place] - probability) <= _TIE
    after = np.where(is_tied, np.minimum(place + 1, order.size - 1), place)
    result[is_found] = (values[place] + values[after]) / 2
    return result


def p90_p10_ratio(sample: Sample) -> FloatArray:
    """90th over 10th percentile, one number a slice: the range of the units without its tails.

    No unit. 10th percentile ≤ 0 → NaN; one unit or all equal → 1. Under ten units it is the ratio of largest to
    smallest. Percentiles as :func:`quantile`. Source: OECD, income distribution database.

    >>> p90_p10_ratio(Sample.of(range(1, 11))).tolist()
    [6.333333333333333]
    """
    low, high = quantile(sample, 0.1), quantile(sample, 0.9)
    with np.errstate(invalid="ignore"):
        is_defined = low > 0
    return np.where(is_defined, high / np.where(is_defined, low, np.nan), np.nan)
