"""Level and simple spread: mean, coefficient of variation, largest over smallest. Not here: the Gini and Theil."""

from __future__ import annotations

import numpy as np

from warehouse.measures.sample import BoolArray, FloatArray, Sample, settle


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
