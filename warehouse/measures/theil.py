"""Theil T and its decomposition by group. Not here: Theil L and the nested decomposition."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from warehouse.measures.sample import FloatArray, IntArray, Sample, settle

#: Largest distance of within + between from the total that is rounding.
SUM_TOLERANCE = 1e-9


class TheilDecomposition(NamedTuple):
    """Theil T by slice and its two parts, total = within + between; NaN where undefined."""

    total: FloatArray
    within: FloatArray
    between: FloatArray


class TheilGroups(NamedTuple):
    """One entry a (slice, group) that has units, in that order.

    ``population_share`` W_g / W, ``resource_share`` s_g = (W_g / W)(μ_g / μ), ``theil`` T_g (NaN where the group has
    none of the resource), ``contribution`` s_g T_g.
    """

    slices: IntArray
    groups: IntArray
    population_share: FloatArray
    resource_share: FloatArray
    theil: FloatArray
    contribution: FloatArray


def theil_t(sample: Sample) -> FloatArray:
    """Theil T = Σ (w/W) r ln r with r = x/μ, natural logarithm, 0 · ln 0 = 0; one number a slice.

    0: all equal; at most ln n where unweighted. Sensitive at the top. Summed as r ln r − r + 1, which has the same sum
    (Σ (w/W) r = 1) and no cancellation. A negative value or μ = 0 → NaN; one unit → 0. WHO's HEAT differs on purpose
    (0 becomes 0.000001, the result is multiplied by 1000). Source: Theil 1967.

    >>> round(float(theil_t(Sample.of([0.0, 0.0, 0.0, 9.0]))[0]), 6)
    1.386294
    """
    ratio = sample.relative
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(ratio > 0, ratio * np.log(ratio), 0.0) - ratio + 1
    return settle(sample.sum(sample.share * terms), sample.is_relative_defined)


def _by_group(sample: Sample) -> tuple[Sample, IntArray, IntArray]:
    """The sample cut by (slice, group), and slice and group of each of its slices."""
    if sample.groups is None:
        raise ValueError("a decomposition needs groups")
    order = np.lexsort((sample.groups, sample.slices))
    slices, groups = sample.slices[order], sample.groups[order]
    is_first = np.ones(order.size, dtype=bool)
    is_first[1:] = (slices[1:] != slices[:-1]) | (groups[1:] != groups[:-1])
    number = np.cumsum(is_first) - 1
    cut = Sample.of(sample.values[order], sample.weights[order], number, count=int(is_first.sum()))
    return cut, slices[is_first], groups[is_first]


def theil_groups(sample: Sample) -> TheilGroups:
    """Each group's part in Theil T: shares of weight and resource, its own index, s_g T_g.

    Groups without resource add 0 and have index NaN; in a slice where Theil T is undefined all entries are NaN.
    Source: Shorrocks 1980.
    """
    cut, slices, groups = _by_group(sample)
    population = cut.weight / sample.weight[slices]
    overall = np.where(sample.is_relative_defined, sample.mean, np.nan)[slices]
    resource = population * cut.mean / overall
    index = theil_t(cut)
    with np.errstate(invalid="ignore"):
        contribution = np.where(resource == 0, 0.0, resource * index)
    is_defined = ~np.isnan(overall)
    return TheilGroups(
        slices,
        groups,
        np.where(is_defined, population, np.nan),
        resource,
        np.where(is_defined, index, np.nan),
        contribution,
    )


def theil_decomposition(sample: Sample) -> TheilDecomposition:
    """Theil T = Σ s_g T_g (within) + Σ s_g ln(μ_g / μ) (between), s_g the group's share of Σ w x.

    *Between* is Theil T of the group means, weighted by the groups' weights: an accounting share, no effect of the
    grouping. Null as Theil T. Source: Shorrocks 1980.

    Raises ArithmeticError where the parts do not sum to the total within :data:`SUM_TOLERANCE`: a fault of this code.

    >>> parts = theil_decomposition(Sample.of([1.0, 1.0, 3.0, 3.0], groups=[0, 0, 1, 1]))
    >>> float(parts.within[0]), round(float(parts.between[0]), 6)
    (0.0, 0.130812)
    """
    by_group = theil_groups(sample)
    cut, slices, _ = _by_group(sample)
    is_defined = sample.is_relative_defined
    contribution = np.nan_to_num(by_group.contribution)
    within: FloatArray = np.bincount(slices, weights=contribution, minlength=sample.count).astype(np.float64)
    between = theil_t(Sample.of(cut.mean, cut.weight, slices, count=sample.count))
    total = theil_t(sample)
    parts = TheilDecomposition(total, settle(within, is_defined), np.where(is_defined, between, np.nan))
    distance = np.abs(parts.within + parts.between - total)[is_defined]
    if distance.size and float(distance.max()) > SUM_TOLERANCE:
        raise ArithmeticError(f"within + between is off the total by {float(distance.max()):.3g}")
    return parts
