"""Theil T and Theil L (mean log deviation), by group and nested. Not here: Atkinson, which is a change of scale away."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from warehouse.measures.sample import BoolArray, FloatArray, IntArray, Sample, cut_by_subgroup, settle

#: Largest distance of within + between from the total that is rounding.
SUM_TOLERANCE = 1e-9


class TheilDecomposition(NamedTuple):
    """A Theil index by slice and its two parts, total = within + between; NaN where undefined."""

    total: FloatArray
    within: FloatArray
    between: FloatArray


class TheilNested(NamedTuple):
    """Theil T of counties by slice: total = between groups + between provinces in groups + within provinces."""

    total: FloatArray
    between_groups: FloatArray
    between_provinces: FloatArray
    within_provinces: FloatArray


class TheilGroups(NamedTuple):
    """One entry a (slice, group) that has units, in that order.

    ``population_share`` W_g / W, ``resource_share`` s_g = (W_g / W)(μ_g / μ), ``theil`` the group's own index (NaN where
    it has none of the resource), ``contribution`` s_g T_g, of Theil L (W_g / W) L_g.
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


def theil_groups(sample: Sample) -> TheilGroups:
    """Each group's part in Theil T: shares of weight and resource, its own index, s_g T_g.

    Groups without resource add 0 and have index NaN; in a slice where Theil T is undefined all entries are NaN.
    Source: Shorrocks 1980.

    >>> theil_groups(Sample.of([1.0, 3.0, 2.0], groups=[0, 0, 1])).contribution.round(6).tolist()
    [0.087208, 0.0]
    """
    cut, slices, groups = sample.by_group
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
    cut, slices, _ = sample.by_group
    between = theil_t(Sample.of(cut.mean, cut.weight, slices, count=sample.count))
    return _decomposed(theil_t(sample), slices, by_group.contribution, between, sample.is_relative_defined)


def theil_l(sample: Sample) -> FloatArray:
    """Theil L (mean log deviation) Σ (w/W) ln(μ/x), natural logarithm; one number a slice.

    0: all equal; no upper limit. Sensitive at the bottom. Summed as r − 1 − ln r with r = x/μ, which has the same sum
    (Σ (w/W) r = 1) and no cancellation. Any 0 or negative value → NaN (the true value is infinite); one unit → 0. The
    "Theil index" Σ P ln(P/Y) of many health-resource papers, P population share and Y resource share, is this one; with
    log₁₀ it is smaller by ln 10. WHO's HEAT differs on purpose (0 becomes 0.000001, the result is multiplied by 1000).
    Source: Theil 1967; Shorrocks 1980.

    >>> round(float(theil_l(Sample.of([1.0, 3.0]))[0]), 6)
    0.143841
    """
    is_defined = sample.is_logarithmic_defined
    ratio = np.where(is_defined[sample.slices], sample.relative, np.nan)
    return settle(sample.sum(sample.share * (ratio - 1 - np.log(ratio))), is_defined)


def mld_groups(sample: Sample) -> TheilGroups:
    """Each group's part in Theil L: shares of weight and resource, its own index, (W_g / W) L_g.

    In a slice where Theil L is undefined all entries are NaN. Source: Shorrocks 1980.

    >>> mld_groups(Sample.of([1.0, 3.0, 2.0], groups=[0, 0, 1])).contribution.round(6).tolist()
    [0.095894, 0.0]
    """
    cut, slices, groups = sample.by_group
    is_defined = sample.is_logarithmic_defined[slices]
    population = np.where(is_defined, cut.weight / sample.weight[slices], np.nan)
    resource = population * cut.mean / np.where(is_defined, sample.mean[slices], np.nan)
    index = np.where(is_defined, theil_l(cut), np.nan)
    return TheilGroups(slices, groups, population, resource, index, population * index)


def mld_decomposition(sample: Sample) -> TheilDecomposition:
    """Theil L = Σ (W_g / W) L_g (within) + Σ (W_g / W) ln(μ / μ_g) (between); numbers without unit.

    *Between* does not move when the spread inside a group changes, so this is the cleaner decomposition where nothing
    is 0. Null as Theil L. Source: Shorrocks 1980.

    Raises ArithmeticError where the parts do not sum to the total within :data:`SUM_TOLERANCE`: a fault of this code.

    >>> parts = mld_decomposition(Sample.of([1.0, 1.0, 3.0, 3.0], groups=[0, 0, 1, 1]))
    >>> float(parts.within[0]), round(float(parts.between[0]), 6)
    (0.0, 0.143841)
    """
    cut, slices, _ = sample.by_group
    between = theil_l(Sample.of(cut.mean, cut.weight, slices, count=sample.count))
    contribution = mld_groups(sample).contribution
    return _decomposed(theil_l(sample), slices, contribution, between, sample.is_logarithmic_defined)


def _decomposed(
    total: FloatArray, slices: IntArray, contribution: FloatArray, between: FloatArray, is_defined: BoolArray
) -> TheilDecomposition:
    """The parts of a slice, from the contributions of its groups; checked that they sum."""
    within: FloatArray = np.bincount(slices, weights=np.nan_to_num(contribution), minlength=total.size).astype(float)
    parts = TheilDecomposition(total, settle(within, is_defined), np.where(is_defined, between, np.nan))
    assert_sums(parts.total, [parts.within, parts.between])
    return parts


def theil_nested(sample: Sample) -> TheilNested:
    """Theil T of counties in three layers: between groups, between provinces in groups, between counties in provinces.

    T = T(group means) + Σ_g s_g T(province means of g) + Σ_gp s_gp T(counties of p), s a part's share of Σ w x.
    Groups are ``sample.groups``, provinces ``sample.subgroups``; a province is the pair of both, so that a name may
    stand in two groups. Null as Theil T; one county → all 0. Source: Akita 2003, Annals of Regional Science 37.

    Raises ArithmeticError where the parts do not sum to the total within :data:`SUM_TOLERANCE`: a fault of this code.

    >>> counties = Sample.of([1.0, 3.0, 2.0, 2.0], groups=[0, 0, 1, 1], subgroups=[0, 0, 0, 1])
    >>> [round(float(part[0]), 6) for part in theil_nested(counties)]
    [0.065406, 0.0, 0.0, 0.065406]
    """
    provinces, slices, groups = cut_by_subgroup(sample)
    upper = theil_decomposition(Sample.of(provinces.mean, provinces.weight, slices, groups, sample.count))
    share = provinces.weight * provinces.mean / (sample.weight * sample.mean)[slices]
    with np.errstate(invalid="ignore"):
        contribution = np.where(share > 0, share * theil_t(provinces), 0.0)
    lowest = np.bincount(slices, weights=contribution, minlength=sample.count).astype(float)
    within = settle(lowest, sample.is_relative_defined)
    parts = TheilNested(theil_t(sample), upper.between, upper.within, within)
    assert_sums(parts.total, [parts.between_groups, parts.between_provinces, parts.within_provinces])
    return parts


def assert_sums(total: FloatArray, parts: list[FloatArray], tolerance: float = SUM_TOLERANCE) -> None:
    """Say so where parts are off their total by more than ``tolerance`` (relative where they are large).

    NaN in the total is left out. Raises ArithmeticError: a fault of the code that made the parts.

    >>> assert_sums(np.array([3.0]), [np.array([1.0]), np.array([2.0])])
    """
    # Large parts of opposite sign leave rounding of their own size in a small total.
    distance = np.abs(np.sum(parts, axis=0) - total) / np.maximum(1.0, np.sum(np.abs(parts), axis=0))
    worst = float(np.max(distance, initial=0.0, where=~np.isnan(total)))
    if not worst <= tolerance:
        raise ArithmeticError(f"the parts are off the total by {worst:.3g}")
