"""Ranks of units by another variable, and a straight line through them. Not here: what is made of either."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from warehouse.measures.sample import FloatArray, IntArray, Sample

#: Below this the regressor has no spread and there is no line.
NO_SPREAD = 1e-20


class Line(NamedTuple):
    """Least-squares line y = ȳ + b (x − x̄) by slice; NaN where the regressor has no spread.

    ``units`` n, ``slope`` b, ``mean_x``, ``mean_y``, ``spread`` Sxx = Σ w (x − x̄)², ``residual`` Σ w (y − ŷ)².
    """

    units: IntArray
    slope: FloatArray
    mean_x: FloatArray
    mean_y: FloatArray
    spread: FloatArray
    residual: FloatArray

    def at(self, x: float | FloatArray) -> FloatArray:
        """The line's value at x."""
        return self.mean_y + self.slope * (x - self.mean_x)


def ranking_of(sample: Sample) -> FloatArray:
    """The sample's ranking variable. Raises ValueError where it has none."""
    if sample.ranking is None:
        raise ValueError("the measure needs a ranking variable")
    return sample.ranking


def fractional_rank(sample: Sample) -> FloatArray:
    """Weighted mid-rank R of each row by the ranking variable, ascending: (weight below + half its tied block) / W.

    In 0 … 1, with weighted mean 1/2; ties share a rank, so the order of rows cannot change it; NaN in slices without
    weight. Source: O'Donnell et al. 2008 (World Bank), chapter 8.

    >>> fractional_rank(Sample.of([7.0, 7.0, 7.0], ranking=[3.0, 1.0, 3.0])).round(4).tolist()
    [0.6667, 0.1667, 0.6667]
    """
    return sample.mid_rank.copy()


def fit_line(sample: Sample, regressor: FloatArray) -> Line:
    """Weighted least-squares line of the values on ``regressor`` (one entry a row that counts), by slice.

    b = Σ w (x − x̄)(y − ȳ) / Σ w (x − x̄)². Centred first, or years would cost the intercept its digits. Fewer than two
    distinct regressors → NaN. Source: any text on least squares.

    >>> line = fit_line(Sample.of([1.0, 3.0, 5.0]), np.array([2020.0, 2021.0, 2022.0]))
    >>> float(line.slope[0]), float(line.at(2023.0)[0])
    (2.0, 7.0)
    """
    slices = sample.slices
    mean_x = sample.sum(sample.weights * regressor) / sample.weight
    x = regressor - mean_x[slices]
    y = sample.values - sample.mean[slices]
    spread = sample.sum(sample.weights * x * x)
    with np.errstate(invalid="ignore"):
        slope = sample.sum(sample.weights * x * y) / np.where(spread < NO_SPREAD, np.nan, spread)
    residual = sample.sum(sample.weights * (y - slope[slices] * x) ** 2)
    return Line(sample.units, slope, mean_x, sample.mean, spread, np.where(np.isnan(slope), np.nan, residual))
