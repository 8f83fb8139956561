"""Atkinson's index: what inequality costs in welfare. Not here: the choice of the aversion that is published."""

from __future__ import annotations

import numpy as np

from warehouse.measures.sample import FloatArray, Sample, settle
from warehouse.measures.theil import theil_l


def atkinson(sample: Sample, epsilon: float) -> FloatArray:
    """Atkinson index A = 1 − (Σ (w/W) r^(1−ε))^(1/(1−ε)), r = x/μ; for ε = 1, A = 1 − exp(Σ (w/W) ln r).

    ``epsilon`` is the aversion to inequality: 0.5 mild, 1, 2 strong (published are these three). No unit, 0 … 1; 0.1
    reads "an equal spread of 90 % of the total would give the same welfare". ε = 0 → 0; ε < 0 → NaN; a 0 with ε ≥ 1 →
    exactly 1 (the limit), with ε < 1 finite. A negative value or μ = 0 → NaN; one unit → 0. Summed as
    r^k − 1 − k(r − 1), k = 1 − ε, which has the same sum less 1 and no cancellation.
    Source: Atkinson 1970, J. Economic Theory 2.

    >>> round(float(atkinson(Sample.of([1.0, 4.0]), 0.5)[0]), 6)
    0.1
    """
    is_defined = sample.is_relative_defined & (epsilon >= 0)
    if epsilon == 0:
        return settle(np.zeros(sample.count), is_defined)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if epsilon == 1:
            index = -np.expm1(-theil_l(sample))
        else:
            power = 1 - epsilon
            ratio = sample.relative
            terms = np.expm1(power * np.log(ratio)) - power * (ratio - 1)
            index = -np.expm1(np.log1p(sample.sum(sample.share * terms)) / power)
        index = np.where((sample.minimum == 0) & (epsilon >= 1), 1.0, index)
    return settle(index, is_defined)
