"""The Gini coefficient and the Lorenz curve. Not here: the Gini by group (``dagum``), other rankings (``gradient``)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from warehouse.measures.sample import FloatArray, IntArray, Sample, running_sum, settle


class Lorenz(NamedTuple):
    """Points of Lorenz curves, one a unit and the origin of each slice; a slice without a curve has no points."""

    slices: IntArray
    population_share: FloatArray
    resource_share: FloatArray


def gini(sample: Sample) -> FloatArray:
    """Gini coefficient G = ΣᵢΣⱼ wᵢ wⱼ |xᵢ − xⱼ| / (2 W² μ), one number a slice.

    Computed by sorting, in O(n log n): with Fᵢ the weight up to and including unit i in ascending order of x,
    G = 2 Σ wᵢ (xᵢ − μ)(Fᵢ − wᵢ/2) / (W² μ). Centring on μ keeps the digits that 1 − (a sum near 1) would lose.

    0: all equal; 1 − 1/n: one unit has all (no correction by n/(n − 1)). Zeros are allowed; a negative value or
    μ = 0 → NaN; one unit → 0. Spread inside a unit is not seen. Source: Gini 1912; Sen, *On Economic Inequality*.

    >>> float(gini(Sample.of([1.0, 2.0, 3.0, 4.0]))[0])
    0.25
    """
    order = sample.ascending
    weights = sample.weights[order]
    rank = running_sum(weights, sample.slices) - weights / 2
    centred = sample.values[order] - sample.mean[sample.slices]
    with np.errstate(invalid="ignore", divide="ignore"):
        index = 2 * sample.sum(weights * centred * rank) / (sample.weight**2 * sample.mean)
    return settle(index, sample.is_relative_defined)


def lorenz(sample: Sample) -> Lorenz:
    """Points of the Lorenz curve: units by ascending x, cumulated w/W against cumulated w x / Σ w x, from (0, 0) to (1, 1).

    Sorted by the value a head, not by the total, or the curve would cross itself; ties keep their order. Shares, no
    unit. A negative value or μ = 0 → the slice has no points. Source: Lorenz 1905.

    >>> curve = lorenz(Sample.of([3.0, 1.0]))
    >>> curve.population_share.tolist(), curve.resource_share.tolist()
    ([0.0, 0.5, 1.0], [0.0, 0.25, 1.0])
    """
    order = sample.ascending
    order = order[sample.is_relative_defined[sample.slices[order]]]
    slices = sample.slices[order]
    kept = np.unique(slices)
    starts = np.searchsorted(slices, kept)
    points = np.insert(slices, starts, kept)
    people = np.insert(sample.weights[order], starts, 0.0)
    resource = np.insert((sample.weights * sample.values)[order], starts, 0.0)
    curve = Sample.of(np.ones(points.size), None, points, count=sample.count)
    return Lorenz(points, _cumulated_share(curve, people), _cumulated_share(curve, resource))


def _cumulated_share(curve: Sample, amounts: FloatArray) -> FloatArray:
    running = np.cumsum(amounts)
    first = (np.cumsum(curve.units) - curve.units)[curve.slices]
    share: FloatArray = (running - running[first]) / curve.sum(amounts)[curve.slices]
    return share


def gini_of_lorenz(curve: Lorenz, count: int) -> FloatArray:
    """Gini as 1 − Σ (P_k − P_(k−1))(L_k + L_(k−1)), twice the area over the curve: the weighted Gini another way.

    ``count`` is the number of slices; one without points → NaN. Source: Lorenz 1905; Gini 1912.

    >>> gini_of_lorenz(lorenz(Sample.of([1.0, 3.0])), 1).tolist()
    [0.25]
    """
    is_same = curve.slices[1:] == curve.slices[:-1]
    steps = np.diff(curve.population_share) * (curve.resource_share[1:] + curve.resource_share[:-1])
    area = np.bincount(curve.slices[1:][is_same], weights=steps[is_same], minlength=count)
    return settle(1 - area.astype(np.float64), np.bincount(curve.slices, minlength=count) > 0)
