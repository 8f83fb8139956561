"""A sample of units cut into slices: what every measure of this room is computed from.

Here: the rules all measures share (which rows count, what makes a slice undefined) and sums over slices. Not here: any
measure. The rules:

1. A row whose value or weight is missing is dropped with its weight; a row of weight 0 is dropped.
2. A slice with nothing left, or with a negative weight, has no measure (NaN).
3. An index below :data:`ZERO` is 0: in floats, equal values leave a dust of some 1e-17.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

#: Below this an index is 0.
ZERO = 1e-15


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows that count, sorted by slice. Make it with :meth:`of`; it computes n, W, μ once for all measures.

    ``values``, ``weights``, ``slices`` (number of the slice), ``groups`` (number of the group, or None) have one
    entry a row that counts; ``has_negative_weight`` has one a slice.
    """

    values: FloatArray
    weights: FloatArray
    slices: IntArray
    groups: IntArray | None
    has_negative_weight: BoolArray

    @classmethod
    def of(
        cls,
        values: npt.ArrayLike,
        weights: npt.ArrayLike | None = None,
        slices: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
        count: int | None = None,
    ) -> Sample:
        """Drop the rows that do not count.

        ``weights`` None: every row weighs 1. ``slices`` must ascend from 0 (None: all rows are slice 0); ``count`` is
        the number of slices (None: the last one's number + 1). ``groups`` are integers.

        Raises ValueError where ``slices`` do not ascend or are out of range.
        """
        x = np.asarray(values, dtype=np.float64)
        w = np.ones_like(x) if weights is None else np.asarray(weights, dtype=np.float64)
        s = np.zeros(x.size, dtype=np.int64) if slices is None else np.asarray(slices, dtype=np.int64)
        total = count if count is not None else (int(s[-1]) + 1 if s.size else 1)
        if s.size and (s[0] < 0 or s[-1] >= total or bool(np.any(s[1:] < s[:-1]))):
            raise ValueError(f"slices must ascend within 0…{total - 1}")
        counts = ~np.isnan(x) & ~np.isnan(w) & (w != 0)
        negative = np.zeros(total, dtype=bool)
        negative[s[counts & (w < 0)]] = True
        g = None if groups is None else np.asarray(groups, dtype=np.int64)[counts]
        return cls(x[counts], w[counts], s[counts], g, negative)

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

    @cached_property
    def minimum(self) -> FloatArray:
        """Smallest value by slice, NaN where empty."""
        return self._reduce(np.minimum, self.values, np.nan)

    @cached_property
    def maximum(self) -> FloatArray:
        """Largest value by slice, NaN where empty."""
        return self._reduce(np.maximum, self.values, np.nan)

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

    @cached_property
    def relative(self) -> FloatArray:
        """x / μ a row (NaN in slices where that is undefined)."""
        return self.values / np.where(self.is_relative_defined, self.mean, np.nan)[self.slices]

    @cached_property
    def share(self) -> FloatArray:
        """w / W a row."""
        return self.weights / self.weight[self.slices]


def settle(index: FloatArray, is_defined: BoolArray) -> FloatArray:
    """An index that cannot be negative: NaN where undefined, 0 where below :data:`ZERO`."""
    with np.errstate(invalid="ignore"):
        return np.where(is_defined, np.where(index < ZERO, 0.0, index), np.nan)
