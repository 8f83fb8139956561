"""Between which values a measure lies when units are missing: partial identification. Not here: what range is plausible.

Each missing value lies in a box; the interval holds whatever it is, with no assumption on why it is missing. CV, Gini
and Theil T are a convex function of the values over a positive linear one, hence quasi-convex:

- their maximum stands at a vertex of the box (every missing unit at one end of its range): all vertices that differ, where
  they are at most 2 to the power of :data:`ENUMERATED` (of units alike in range and weight only their number at either
  end makes a difference), beyond that an ascent that flips units until none improves, which may stop short;
- at their minimum each unit stands at clip(c, low, high) for one c, the level at which a further unit would change
  nothing: μ(1 + CV²) for CV, μ e^T for Theil T, the value with the share (1 + G)/2 of weight below it for the Gini.
  A point with that property is a minimum of the whole box, so c is found by bisection and the minimum is exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from warehouse.measures.concentration import gini
from warehouse.measures.sample import BoolArray, FloatArray, IntArray, Sample
from warehouse.measures.spread import cv
from warehouse.measures.theil import theil_t

Measured = Literal["mean", "cv", "gini", "theil_t"]

#: All vertices are tried up to 2¹² different ones: 12 missing units, or 4,095 that are alike.
ENUMERATED = 12
#: Cells of [vertices × units] measured together, over the slices: 1,000,000 are 8 MB a table.
_AT_ONCE = 1_000_000
#: Halvings of c: the measure is flat at its minimum, so 2⁻⁵⁰ of the range is far under its last digit.
_HALVINGS = 50
#: Rounds of the ascent, and starts of it; each round flips at least one unit.
_ROUNDS = 1_000
_STARTS = 17

_MEASURES: Mapping[str, Callable[[Sample], FloatArray]] = {"cv": cv, "gini": gini, "theil_t": theil_t}


class Bounds(NamedTuple):
    """By slice: smallest and largest value the measure can have, and whether the largest is proved (else a lower end)."""

    low: FloatArray
    high: FloatArray
    is_exact: BoolArray


@dataclass(frozen=True, eq=False)
class _Box:
    """Rows that count with the range of each (low = high where known); ``sample`` holds the lows."""

    sample: Sample
    low: FloatArray
    high: FloatArray

    def at(self, values: FloatArray) -> Sample:
        """The sample with these values in its rows."""
        return replace(self.sample, values=values)


def box_of_last_year(
    last: npt.ArrayLike, usual_change: npt.ArrayLike, lowest: float = 0.0, highest: float = np.inf
) -> tuple[FloatArray, FloatArray]:
    """Range of a missing value: last year's ± twice its usual change, kept within lowest … highest (a percentage: 100).

    In the indicator's unit; either missing → NaN, and the bounds of the slice are not told.

    >>> [part.tolist() for part in box_of_last_year([97.0], [2.0], highest=100.0)]
    [[93.0], [100.0]]
    """
    middle, reach = np.asarray(last, dtype=np.float64), 2 * np.abs(np.asarray(usual_change, dtype=np.float64))
    return np.clip(middle - reach, lowest, highest), np.clip(middle + reach, lowest, highest)


def bounds(
    measure: Measured,
    values: npt.ArrayLike,
    lower: npt.ArrayLike,
    upper: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    slices: npt.ArrayLike | None = None,
    count: int | None = None,
) -> Bounds:
    """Interval (low, high) of a measure over all values that the missing units may have, lower ≤ x ≤ upper; by slice.

    ``measure`` is mean, cv, gini or theil_t; ``lower`` and ``upper`` are used where the value is missing; a row whose
    weight is missing or 0 is left out (its place cannot be bounded). In the measure's unit. None missing → low = high
    = value. A missing unit without a range, a range that reaches under 0 (CV: a mean at or below 0 within the box),
    nothing left or a negative weight → NaN. Source: Manski 2003, Partial Identification of Probability Distributions.

    >>> found = bounds("gini", [1.0, 3.0, np.nan], 0.0, 4.0)
    >>> round(float(found.low[0]), 6), round(float(found.high[0]), 6)
    (0.190476, 0.5)

    Raises ValueError where a lower end is above its upper end.
    """
    box, is_told = _box_of(values, lower, upper, weights, slices, count)
    is_exact = np.ones(box.sample.count, dtype=bool)
    if measure == "mean":
        lowest, highest = (np.where(is_told, box.at(end).mean, np.nan) for end in (box.low, box.high))
        return Bounds(lowest, highest, is_exact)
    if measure == "cv":
        is_told &= box.sample.mean > 0
    else:
        with np.errstate(invalid="ignore"):
            is_told &= box.sample.minimum >= 0
    is_open = box.low < box.high
    missing = np.bincount(box.sample.slices[is_open], minlength=box.sample.count)
    least = _MEASURES[measure](box.at(_lowest_values(measure, box)))
    greatest = least.copy()
    _raise_to_greatest(measure, box, np.flatnonzero(is_told & (missing > 0)), greatest, is_exact)
    low, high = (np.where(is_told, end, np.nan) for end in (least, greatest))
    return Bounds(low, np.fmax(low, high), is_exact)


def _box_of(
    values: npt.ArrayLike,
    lower: npt.ArrayLike,
    upper: npt.ArrayLike,
    weights: npt.ArrayLike | None,
    slices: npt.ArrayLike | None,
    count: int | None,
) -> tuple[_Box, BoolArray]:
    x = np.asarray(values, dtype=np.float64)
    low, high = (np.where(np.isnan(x), np.asarray(end, dtype=np.float64), x) for end in (lower, upper))
    if bool(np.any(low > high)):
        raise ValueError("a lower end is above its upper end")
    is_unknown = np.isnan(low) | np.isnan(high)
    sample = Sample.of(np.where(is_unknown, 0.0, low), weights, slices, count=count)
    unknown = np.bincount(sample.slices[is_unknown[sample.rows]], minlength=sample.count)
    kept = sample.rows
    box = _Box(sample, sample.values, np.where(is_unknown, 0.0, high)[kept])
    return box, sample.is_absolute_defined & (unknown == 0)


def _lowest_values(measure: Measured, box: _Box) -> FloatArray:
    """Each row's value where the measure is least."""
    level = _level_of_gini(box) if measure == "gini" else _level_by_halving(measure, box)
    return np.clip(level[box.sample.slices], box.low, box.high)


def _level_by_halving(measure: Measured, box: _Box) -> FloatArray:
    """c by slice with c = μ(1 + CV²), of Theil T c = μ e^T, both of the rows at clip(c, low, high)."""
    slices = box.sample.slices
    below, above = box.sample.least(box.low), box.sample.greatest(box.high)
    for _ in range(_HALVINGS):
        level = (below + above) / 2
        at = box.at(np.clip(level[slices], box.low, box.high))
        with np.errstate(invalid="ignore", over="ignore"):
            neutral = at.mean * (1 + cv(at) ** 2 if measure == "cv" else np.exp(theil_t(at)))
            is_low = level < neutral
        below, above = np.where(is_low, level, below), np.where(is_low, above, level)
    return (below + above) / 2


def _level_of_gini(box: _Box) -> FloatArray:
    """c by slice, an end of some row: the first at which units at c would raise the Gini by rising further."""
    slices, weights = box.sample.slices, box.sample.weights
    ends = np.concatenate([box.low, box.high])
    order = np.lexsort((ends, np.concatenate([slices, slices])))
    ends, total = ends[order], 2 * box.sample.units
    start = np.cumsum(total) - total
    first, last = start.copy(), np.maximum(start + total - 1, start)
    level = np.zeros(box.sample.count)
    has_rows = total > 0
    while bool(np.any(first[has_rows] < last[has_rows])):
        middle = (first + last) // 2
        level[has_rows] = ends[middle[has_rows]]
        at_row = level[slices]
        at = box.at(np.clip(at_row, box.low, box.high))
        is_moving = (box.low <= at_row) & (at_row < box.high)
        side = np.where(is_moving, 0.0, np.where(at.values <= at_row, weights, -weights))
        with np.errstate(invalid="ignore"):
            is_low = at.sum(side) / at.weight < np.nan_to_num(gini(at))
        first = np.where(is_low & (first < last), middle + 1, first)
        last = np.where(is_low, last, middle)
        first = np.minimum(first, last)
    level[has_rows] = ends[last[has_rows]]
    return level


def _raise_to_greatest(
    measure: Measured, box: _Box, numbers: IntArray, greatest: FloatArray, is_exact: BoolArray
) -> None:
    """Put the largest value of these slices into ``greatest``, and False into ``is_exact`` where it is not proved."""
    ends = np.cumsum(box.sample.units)
    waiting: list[_Vertices] = []
    cells = 0
    for number in numbers.tolist():
        rows = slice(int(ends[number] - box.sample.units[number]), int(ends[number]))
        low, high, weights = box.low[rows], box.high[rows], box.sample.weights[rows]
        table = _vertices(low, high, weights)
        if table is None:
            greatest[number], is_exact[number] = _greatest_by_ascent(measure, low, high, weights), False
            continue
        waiting.append(_Vertices(number, table, weights))
        cells += table.size
        if cells >= _AT_ONCE:
            _set_greatest(measure, waiting, greatest)
            waiting, cells = [], 0
    _set_greatest(measure, waiting, greatest)


class _Vertices(NamedTuple):
    """The vertices of a slice's box that differ, [vertices × units], and the units' weights."""

    number: int
    table: FloatArray
    weights: FloatArray


def _vertices(low: FloatArray, high: FloatArray, weights: FloatArray) -> FloatArray | None:
    """The vertices of one slice's box that differ, a row each; None where there are too many to try."""
    alike: dict[tuple[float, float, float], list[int]] = {}
    for unit in np.flatnonzero(low < high).tolist():
        alike.setdefault((low[unit], high[unit], weights[unit]), []).append(unit)
    if math.prod(len(units) + 1 for units in alike.values()) > 2**ENUMERATED:
        return None
    numbers = [np.arange(len(units) + 1) for units in alike.values()]
    chosen = np.stack(np.meshgrid(*numbers, indexing="ij"), axis=-1).reshape(-1, len(numbers))
    table = np.tile(low, (chosen.shape[0], 1))
    for place, units in enumerate(alike.values()):
        is_high = np.arange(len(units)) < chosen[:, place, None]
        table[:, units] = np.where(is_high, high[units], low[units])
    return table


def _set_greatest(measure: Measured, tables: list[_Vertices], greatest: FloatArray) -> None:
    """Put the largest value over the vertices of each slice into its place of ``greatest``."""
    if not tables:
        return
    lengths = [table.shape[0] for _, table, _ in tables]
    sizes = np.repeat([table.shape[1] for _, table, _ in tables], lengths)
    made = _MEASURES[measure](
        Sample.of(
            np.concatenate([table.ravel() for _, table, _ in tables]),
            np.concatenate([np.tile(weights, table.shape[0]) for _, table, weights in tables]),
            np.repeat(np.arange(sizes.size), sizes),
            count=sizes.size,
        )
    )
    starts = np.cumsum(lengths) - lengths
    greatest[[number for number, _, _ in tables]] = np.fmax.reduceat(made, starts)


def _of_rows(measure: Measured, table: FloatArray, weights: FloatArray) -> FloatArray:
    numbers = np.repeat(np.arange(table.shape[0]), table.shape[1])
    return _MEASURES[measure](Sample.of(table.ravel(), np.tile(weights, table.shape[0]), numbers, count=table.shape[0]))


def _greatest_by_ascent(measure: Measured, low: FloatArray, high: FloatArray, weights: FloatArray) -> float:
    """A vertex that no flip of a unit improves, from the best of those that put units above some level high."""
    middle, is_open = (low + high) / 2, low < high
    levels = np.concatenate([[-np.inf], np.quantile(middle[is_open], np.linspace(0, 1, _STARTS))])
    starts = np.where(middle > levels[:, None], high, low)
    made = _of_rows(measure, starts, weights)
    best = int(np.argmax(np.nan_to_num(made, nan=-1.0)))
    x, value = starts[best], float(made[best])
    for _ in range(_ROUNDS):
        other = low + high - x
        flipped = np.where(is_open, _after_flips(measure, x, other, weights), -np.inf)
        if not np.nanmax(flipped) > value + 1e-13 * max(1.0, value):
            break
        improving = np.where(flipped > value, other, x)
        single = np.where(np.arange(x.size) == int(np.nanargmax(flipped)), other, x)
        made = _of_rows(measure, np.array([improving, single]), weights)
        chosen = int(np.nanargmax(made))
        if not made[chosen] > value:
            break
        x, value = (improving, single)[chosen], float(made[chosen])
    return value


def _after_flips(measure: Measured, x: FloatArray, other: FloatArray, weights: FloatArray) -> FloatArray:
    """The measure after each single row has gone from ``x`` to ``other``, from sums: O(n log n) for all of them."""
    whole, step = float(weights.sum()), weights * (other - x)
    amount = float((weights * x).sum()) + step
    with np.errstate(invalid="ignore", divide="ignore"):
        if measure == "cv":
            squares = float((weights * x * x).sum()) + weights * (other**2 - x**2)
            return np.sqrt(np.maximum(squares * whole / amount**2 - 1, 0.0))
        if measure == "theil_t":
            before, after = (np.where(part > 0, weights * part * np.log(part), 0.0) for part in (x, other))
            return (float(before.sum()) + after - before) / amount - np.log(amount / whole)
        now, then = _distance_sums(x, x, weights), _distance_sums(other, x, weights)
        pairs = float((weights * now).sum()) + 2 * weights * (then - now - np.abs(step))
        return pairs / (2 * whole * amount)


def _distance_sums(points: FloatArray, x: FloatArray, weights: FloatArray) -> FloatArray:
    """Σ_j w_j |p − x_j| for each point p."""
    order = np.argsort(x)
    ordered = x[order]
    mass: FloatArray = np.concatenate([[0.0], np.cumsum(weights[order])])
    amount: FloatArray = np.concatenate([[0.0], np.cumsum(weights[order] * ordered)])
    place: IntArray = np.searchsorted(ordered, points)
    sums: FloatArray = points * (2 * mass[place] - mass[-1]) - 2 * amount[place] + amount[-1]
    return sums
