"""Dagum's decomposition of the Gini by group. Not here: the Gini itself, Theil by group."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from warehouse.measures.concentration import gini
from warehouse.measures.sample import FloatArray, IntArray, Sample, settle
from warehouse.measures.theil import assert_sums

#: Less than this share of the Gini is no overlap but the dust that its other two parts leave.
OVERLAP = 1e-12


class Dagum(NamedTuple):
    """Gini by slice and its three parts, gini = within + net_between + transvariation; NaN where undefined."""

    gini: FloatArray
    within: FloatArray
    net_between: FloatArray
    transvariation: FloatArray


class DagumPairs(NamedTuple):
    """One entry a (slice, group, other group), the second number not under the first; equal: the group itself.

    ``gini`` G_jh (NaN where both have none of the resource), ``affluence`` D_jh (NaN where the two do not differ, and of
    a group with itself), ``contribution`` what the pair adds to the slice's Gini.
    """

    slices: IntArray
    first: IntArray
    second: IntArray
    gini: FloatArray
    affluence: FloatArray
    contribution: FloatArray


class _Gaps(NamedTuple):
    """One entry a pair of groups: mean of (x − y)⁺ and of (y − x)⁺ over x of the first and y of the second."""

    slices: IntArray
    first: IntArray
    second: IntArray
    above: FloatArray
    below: FloatArray
    means: FloatArray
    weight: FloatArray


def dagum(sample: Sample) -> Dagum:
    """Gini = within + net between + transvariation, numbers without unit, one of each a slice.

    Of groups j, h with shares of weight p and of resource s: G_jh = mean |x − y| / (μ_j + μ_h), D_jh = (d − p)/(d + p)
    with d the mean of (x − y)⁺ and p of (y − x)⁺ (μ_j ≥ μ_h); within = Σ G_jj p_j s_j, net between =
    Σ_{j<h} G_jh (p_j s_h + p_h s_j) D_jh, transvariation the same with 1 − D_jh: cases where a unit of the group with
    the lower mean outranks one of the other. Much transvariation says the grouping explains little; it is not
    "between". Equal group means → net between 0; no overlap → transvariation 0. Null as the Gini.
    Source: Dagum 1997, Empirical Economics 22.

    Raises ArithmeticError where the parts do not sum to the Gini within 1e-9: a fault of this code.

    >>> parts = dagum(Sample.of([1.0, 3.0, 2.0, 4.0], groups=[0, 0, 1, 1]))
    >>> [round(float(part[0]), 6) for part in parts]
    [0.25, 0.1, 0.1, 0.05]
    """
    # d − p = μ_j − μ_h, so that net between is the Gini of the group means; what overlaps is the rest.
    cut, slices, _ = sample.by_group
    is_defined = sample.is_relative_defined
    people = cut.weight / sample.weight[slices]
    share = people * people * cut.mean / np.where(is_defined, sample.mean, np.nan)[slices]
    of_groups = np.nan_to_num(share * gini(cut))
    within = np.bincount(slices, weights=of_groups, minlength=sample.count).astype(np.float64)
    between = gini(Sample.of(cut.mean, cut.weight, slices, count=sample.count))
    whole = gini(sample)
    rest = whole - within - between
    parts = Dagum(
        whole,
        settle(within, is_defined),
        np.where(is_defined, between, np.nan),
        settle(np.where(rest > OVERLAP * whole, rest, 0.0), is_defined),
    )
    assert_sums(parts.gini, [parts.within, parts.net_between, parts.transvariation])
    return parts


def dagum_pairs(sample: Sample) -> DagumPairs:
    """The Gini of each group and between each two groups, and the relative affluence D of the two (0 … 1).

    Symbols as :func:`dagum`. A slice without a Gini has NaN in all its pairs. Source: Dagum 1997.

    >>> pairs = dagum_pairs(Sample.of([1.0, 2.0, 4.0], groups=[0, 0, 1]))
    >>> pairs.gini.round(6).tolist(), pairs.affluence.tolist()
    ([0.166667, 0.454545, 0.0], [nan, 1.0, nan])
    """
    gaps = _gaps(sample)
    is_own = gaps.first == gaps.second
    is_defined = sample.is_relative_defined[gaps.slices]
    distance = gaps.above + gaps.below
    with np.errstate(invalid="ignore", divide="ignore"):
        index = np.where(gaps.means > 0, distance / gaps.means, np.nan)
        affluence = np.where(distance > 0, np.abs(gaps.above - gaps.below) / distance, np.nan)
        share = np.where(is_own, 0.5, 1.0) * gaps.weight / sample.mean[gaps.slices]
    return DagumPairs(
        gaps.slices,
        gaps.first,
        gaps.second,
        settle(index, is_defined & (gaps.means > 0)),
        np.where(is_own | ~is_defined, np.nan, affluence),
        np.where(is_defined, share * distance, np.nan),
    )


def _gaps(sample: Sample) -> _Gaps:
    """Gaps of all pairs, slice by slice: each unit against the running sums of every group, O(n k) for k groups.

    Slice by slice, because sums that run over all slices would leave dust where two groups do not overlap.
    """
    cut, slices, groups = sample.by_group
    order = sample.ascending
    group_of_row = np.searchsorted(_keys(sample, slices, groups), _keys(sample, sample.slices, sample.groups))[order]
    weights = sample.weights[order]
    centred = (sample.values - sample.mean[sample.slices])[order]
    filled = np.unique(slices)
    row_ends, group_ends = np.cumsum(sample.units), np.cumsum(np.bincount(slices, minlength=sample.count))
    above, below = [np.empty(0)], [np.empty(0)]
    first, second = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for row_end, units, end in zip(row_ends[filled], sample.units[filled], group_ends[filled], strict=True):
        rows = slice(int(row_end - units), int(row_end))
        begin = int(np.searchsorted(slices, slices[end - 1]))
        means = _mean_gaps(centred[rows], weights[rows], group_of_row[rows] - begin, cut.weight[begin:end])
        j, h = np.triu_indices(int(end) - begin)
        above.append(means[j, h])
        below.append(means[h, j])
        first.append(j + begin)
        second.append(h + begin)
    j, h = np.concatenate(first), np.concatenate(second)
    people = cut.weight / sample.weight[slices]
    return _Gaps(
        slices[j],
        groups[j],
        groups[h],
        np.concatenate(above),
        np.concatenate(below),
        cut.mean[j] + cut.mean[h],
        people[j] * people[h],
    )


def _keys(sample: Sample, slices: IntArray, groups: IntArray | None) -> IntArray:
    """One ascending number for each (slice, group)."""
    assert groups is not None
    assert sample.groups is not None
    lowest, highest = int(sample.groups.min(initial=0)), int(sample.groups.max(initial=0))
    return slices * (highest - lowest + 1) + groups - lowest


def _mean_gaps(values: FloatArray, weights: FloatArray, groups: IntArray, group_weights: FloatArray) -> FloatArray:
    """[k × k] of one slice, its rows by ascending value: mean of (x − y)⁺ over x of group j and y of group h."""
    of_group = np.zeros((group_weights.size, values.size))
    of_group[groups, np.arange(values.size)] = weights
    running = np.cumsum(of_group, axis=1)
    np.multiply(running, values, out=running)
    running -= np.cumsum(of_group * values, axis=1)
    running *= weights
    by_group = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[by_group], np.arange(group_weights.size))
    gaps = np.add.reduceat(running[:, by_group], starts, axis=1).T
    # Below 0 only by rounding; exactly 0 where nothing of j is above anything of h.
    return np.maximum(gaps / np.outer(group_weights, group_weights), 0.0)
