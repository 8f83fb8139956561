"""A sample of units cut into slices: what every measure of this room is computed from.

Here: the rules all measures share (which rows count, what makes a slice undefined) and sums over slices. Not here: any
measure. The rules:

1. A row whose value, weight or ranking value is missing is dropped with its weight; a row of weight 0 is dropped.
2. A slice with nothing left, or with a negative weight, has no measure (NaN).
3. An index below :data:`ZERO` is 0: in floats, equal values leave a dust of some 1e-17.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

#: Below this an index is 0.
ZERO = 1e-15


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows that count, sorted by slice. Make it with :meth:`of`; it computes n, W, μ once for all measures.

    ``values``, ``weights``, ``slices`` (number of the slice), ``groups`` (number of the group, or None), ``subgroups``
    (of the part of a group, or None), ``ranking`` (what units are ranked or regressed by, or None) and ``rows`` (its
    place in what was given) have one entry a row that counts; ``has_negative_weight`` has one a slice.
    """

    values: FloatArray
    weights: FloatArray
    slices: IntArray
    groups: IntArray | None
    has_negative_weight: BoolArray
    rows: IntArray
    ranking: FloatArray | None = None
    subgroups: IntArray | None = None
    is_ascending: bool = False

    @classmethod
    def of(
        cls,
        values: npt.ArrayLike,
        weights: npt.ArrayLike | None = None,
        slices: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
        count: int | None = None,
        *,
        subgroups: npt.ArrayLike | None = None,
        ranking: npt.ArrayLike | None = None,
        is_ascending: bool = False,
    ) -> Sample:
        """Drop the rows that do not count.

        ``weights`` None: every row weighs 1. ``slices`` must ascend from 0 (None: all rows are slice 0); ``count`` is
        the number of slices (None: the last one's number + 1). ``groups`` and ``subgroups`` are integers, a subgroup's
        number counts within its group; ``ranking`` is a variable (income, year), a row without it does not count.
        ``is_ascending``: the caller has sorted the rows of each slice by value, which most measures need.

        Raises ValueError where ``slices`` do not ascend or are out of range.
        """
        x = np.asarray(values, dtype=np.float64)
        w = np.ones_like(x) if weights is None else np.asarray(weights, dtype=np.float64)
        s = np.zeros(x.size, dtype=np.int64) if slices is None else np.asarray(slices, dtype=np.int64)
        total = count if count is not None else (int(s[-1]) + 1 if s.size else 1)
        if s.size and (s[0] < 0 or s[-1] >= total or bool(np.any(s[1:] < s[:-1]))):
            raise ValueError(f"slices must ascend within 0…{total - 1}")
        r = None if ranking is None else np.asarray(ranking, dtype=np.float64)
        counts = ~np.isnan(x) & ~np.isnan(w) & (w != 0)
        if r is not None:
            counts &= ~np.isnan(r)
        negative = np.zeros(total, dtype=bool)
        negative[s[counts & (w < 0)]] = True
        return cls(
            x[counts],
            w[counts],
            s[counts],
            None if groups is None else np.asarray(groups, dtype=np.int64)[counts],
            negative,
            np.flatnonzero(counts),
            None if r is None else r[counts],
            None if subgroups is None else np.asarray(subgroups, dtype=np.int64)[counts],
            is_ascending,
        )

    @property
    def count(self) -> int:
        """Number of slices."""
        return self.has_negative_weight.size

    @cached_property
    def units(self) -> IntArray:
        """n: rows that count, by slice."""
        return np.bincount(self.slices, minlength=self.count)

    @cached_property
    def _filled(self) -> IntArray:
        return np.flatnonzero(self.units)

    @cached_property
    def _starts(self) -> IntArray:
        ends = np.cumsum(self.units)
        return (ends - self.units)[self._filled]

    def _reduce(self, ufunc: np.ufunc, rows: FloatArray, empty: float) -> FloatArray:
        result = np.full(self.count, empty)
        if rows.size:
            # Only slices with rows: reduceat gives a neighbour's value for an empty segment.
            result[self._filled] = ufunc.reduceat(rows, self._starts)
        return result

    def sum(self, rows: FloatArray) -> FloatArray:
        """Sum of a per-row array by slice; 0 where a slice is empty."""
        return self._reduce(np.add, rows, 0.0)

    def least(self, rows: FloatArray) -> FloatArray:
        """Smallest entry of a per-row array by slice; NaN where a slice is empty."""
        return self._reduce(np.minimum, rows, np.nan)

    def greatest(self, rows: FloatArray) -> FloatArray:
        """Largest entry of a per-row array by slice; NaN where a slice is empty."""
        return self._reduce(np.maximum, rows, np.nan)

    @cached_property
    def minimum(self) -> FloatArray:
        """Smallest value by slice, NaN where empty."""
        return self.least(self.values)

    @cached_property
    def maximum(self) -> FloatArray:
        """Largest value by slice, NaN where empty."""
        return self.greatest(self.values)

    @cached_property
    def ascending(self) -> IntArray:
        """Places of the rows by slice, and in each by ascending value; ties keep their order."""
        if self.is_ascending:
            return np.arange(self.values.size)
        by_value = np.argsort(self.values, kind="stable")
        return by_value[order_of(self.slices[by_value])]

    @cached_property
    def by_group(self) -> Cut:
        """The sample with one slice for each (slice, group) that has units, in that order.

        Raises ValueError where the sample has no groups.
        """
        if self.groups is None:
            raise ValueError("a decomposition needs groups")
        return _cut(self, self.slices, self.groups)

    @cached_property
    def weight(self) -> FloatArray:
        """W = Σw by slice, NaN where the slice has no measure (rule 2)."""
        return np.where((self.units == 0) | self.has_negative_weight, np.nan, self.sum(self.weights))

    @cached_property
    def mean(self) -> FloatArray:
        """μ = Σwx / W by slice, NaN where undefined; never outside [minimum, maximum], so exact for equal values."""
        return np.clip(self.sum(self.weights * self.values) / self.weight, self.minimum, self.maximum)

    @cached_property
    def is_relative_defined(self) -> BoolArray:
        """Whether measures relative to the mean exist: some unit, no negative value, mean above 0."""
        with np.errstate(invalid="ignore"):
            return (self.minimum >= 0) & (self.mean > 0)

    @property
    def is_absolute_defined(self) -> BoolArray:
        """Whether measures in the value's own unit exist: some unit, no negative weight."""
        return ~np.isnan(self.weight)

    @cached_property
    def is_logarithmic_defined(self) -> BoolArray:
        """Whether measures that take the logarithm of each value exist: as the relative ones, and no value is 0."""
        with np.errstate(invalid="ignore"):
            return self.is_relative_defined & (self.minimum > 0)

    @cached_property
    def relative(self) -> FloatArray:
        """x / μ a row (NaN in slices where that is undefined)."""
        return self.values / np.where(self.is_relative_defined, self.mean, np.nan)[self.slices]

    @cached_property
    def mid_rank(self) -> FloatArray:
        """Weighted mid-rank of each row by the ranking variable: (weight below + half its tied block) / W.

        Raises ValueError where the sample has no ranking variable.
        """
        if self.ranking is None:
            raise ValueError("the measure needs a ranking variable")
        order = np.lexsort((self.ranking, self.slices))
        slices, ordered = self.slices[order], self.ranking[order]
        is_first = np.ones(order.size, dtype=bool)
        is_first[1:] = (slices[1:] != slices[:-1]) | (ordered[1:] != ordered[:-1])
        block = np.cumsum(is_first) - 1
        weight = np.bincount(block, weights=self.weights[order]) if block.size else np.empty(0)
        block_slices = slices[is_first]
        middle = (running_sum(weight.astype(np.float64), block_slices) - weight / 2) / self.weight[block_slices]
        rank = np.empty(order.size)
        rank[order] = middle[block]
        return rank

    @cached_property
    def share(self) -> FloatArray:
        """w / W a row."""
        return self.weights / self.weight[self.slices]


class Cut(NamedTuple):
    """A sample cut finer, by (slice, group) or (slice, group, subgroup): its slices, each with where it comes from."""

    sample: Sample
    slices: IntArray
    groups: IntArray


def running_sum(rows: FloatArray, slices: IntArray) -> FloatArray:
    """Sum of each row and those before it in its slice; of one slice the same whatever slices stand beside it.

    A sum that ran on over all slices would leave in each the dust of those before.

    >>> running_sum(np.array([1.0, 2.0, 4.0]), np.array([0, 0, 1])).tolist()
    [1.0, 3.0, 4.0]
    """
    summed = pd.Series(rows).groupby(slices, sort=False).cumsum()
    return np.asarray(summed, dtype=np.float64)


def order_of(numbers: IntArray) -> IntArray:
    """Places of non-negative integers in ascending order, equal ones as they come; in time linear in their number.

    >>> order_of(np.array([70_000, 1, 0, 1])).tolist()
    [2, 1, 3, 0]
    """
    # NumPy sorts 16-bit integers by counting them: one pass a pair of bytes, the low ones first.
    order = np.argsort((numbers & 0xFFFF).astype(np.uint16), kind="stable")
    rest = numbers >> 16
    while rest.any():
        order = order[np.argsort((rest[order] & 0xFFFF).astype(np.uint16), kind="stable")]
        rest = rest >> 16
    return order


def cut_by_subgroup(sample: Sample) -> Cut:
    """The sample with one slice for each (slice, group, subgroup) that has units, in that order.

    Raises ValueError where the sample has no groups or no subgroups.
    """
    if sample.groups is None or sample.subgroups is None:
        raise ValueError("a nested decomposition needs groups and subgroups")
    return _cut(sample, sample.slices, sample.groups, sample.subgroups)


def _cut(sample: Sample, *keys: IntArray) -> Cut:
    number = np.zeros(sample.values.size, dtype=np.int64)
    for key in keys:
        lowest = key.min(initial=0)
        number = number * (key.max(initial=0) - lowest + 1) + key - lowest
    order = np.arange(number.size) if bool(np.all(number[1:] >= number[:-1])) else order_of(number)
    ordered = number[order]
    is_first = np.ones(order.size, dtype=bool)
    is_first[1:] = ordered[1:] != ordered[:-1]
    parts = np.cumsum(is_first) - 1
    count, is_ascending = int(is_first.sum()), sample.is_ascending
    cut = Sample.of(sample.values[order], sample.weights[order], parts, count=count, is_ascending=is_ascending)
    first = order[is_first]
    return Cut(cut, keys[0][first], keys[1][first])


def settle_signed(index: FloatArray, is_defined: BoolArray) -> FloatArray:
    """An index that may be negative: NaN where undefined, 0 where within :data:`ZERO` of it."""
    with np.errstate(invalid="ignore"):
        return np.where(is_defined, np.where(np.abs(index) < ZERO, 0.0, index), np.nan)


def settle(index: FloatArray, is_defined: BoolArray) -> FloatArray:
    """An index that cannot be negative: NaN where undefined, 0 where below :data:`ZERO`."""
    with np.errstate(invalid="ignore"):
        return np.where(is_defined, np.where(index < ZERO, 0.0, index), np.nan)
