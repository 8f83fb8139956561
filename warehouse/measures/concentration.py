"""The Gini coefficient. Not here: its decomposition by group (Dagum)."""

from __future__ import annotations

import numpy as np

from warehouse.measures.sample import FloatArray, Sample, settle


def gini(sample: Sample) -> FloatArray:
    """Gini coefficient G = ΣᵢΣⱼ wᵢ wⱼ |xᵢ − xⱼ| / (2 W² μ), one number a slice.

    Computed by sorting, in O(n log n): with Fᵢ the weight up to and including unit i in ascending order of x,
    G = 2 Σ wᵢ (xᵢ − μ)(Fᵢ − wᵢ/2) / (W² μ). Centring on μ keeps the digits that 1 − (a sum near 1) would lose.

    0: all equal; 1 − 1/n: one unit has all (no correction by n/(n − 1)). Zeros are allowed; a negative value or
    μ = 0 → NaN; one unit → 0. Spread inside a unit is not seen. Source: Gini 1912; Sen, *On Economic Inequality*.

    >>> float(gini(Sample.of([1.0, 2.0, 3.0, 4.0]))[0])
    0.25
    """
    order = np.lexsort((sample.values, sample.slices))
    weights = sample.weights[order]
    running = np.cumsum(weights)
    before = np.concatenate(([0.0], running))[np.cumsum(sample.units) - sample.units]
    rank = running - before[sample.slices] - weights / 2
    centred = sample.values[order] - sample.mean[sample.slices]
    with np.errstate(invalid="ignore", divide="ignore"):
        index = 2 * sample.sum(weights * centred * rank) / (sample.weight**2 * sample.mean)
    return settle(index, sample.is_relative_defined)
