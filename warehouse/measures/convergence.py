"""Whether places draw together over years: σ (their spread) and β (who grows faster). Not here: breaks (the marts)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from warehouse.measures.ranking import fit_line
from warehouse.measures.sample import BoolArray, FloatArray, IntArray, Sample
from warehouse.measures.spread import cv


class SigmaConvergence(NamedTuple):
    """Spread by slice and year ([slices × years]) and its slope a year by slice, over ``regions`` of a balanced panel."""

    regions: IntArray
    cv: FloatArray
    sd_log: FloatArray
    cv_slope: FloatArray
    sd_log_slope: FloatArray


class BetaConvergence(NamedTuple):
    """Line of growth on start by slice; ``speed`` a year, ``half_life`` in years."""

    units: IntArray
    slope: FloatArray
    intercept: FloatArray
    speed: FloatArray
    half_life: FloatArray


def sigma_convergence(panel: npt.ArrayLike, years: npt.ArrayLike) -> SigmaConvergence:
    """CV (population form, unweighted) and SD of ln x in each year, and their least-squares slope a calendar year.

    ``panel`` is [slices × regions × years]; ``years`` is one list for all or [slices × years], NaN for a year a slice does not
    have. Only regions with a value in all the slice's years count (balanced panel), or a change of members would look
    like convergence. Slope < 0: converging. A 0 voids the log form alone (all its years NaN); μ ≤ 0 → the year's CV
    NaN; fewer than two distinct years → slopes NaN (the mart asks three). Source: Barro & Sala-i-Martin 1992.

    >>> result = sigma_convergence([[[1.0, 2.0], [3.0, 4.0]]], [2019, 2020])
    >>> result.cv.round(6).tolist(), result.cv_slope.round(6).tolist()
    ([[0.5, 0.333333]], [-0.166667])
    """
    values = np.asarray(panel, dtype=np.float64)
    slices, _, length = values.shape
    calendar = np.broadcast_to(np.asarray(years, dtype=np.float64), (slices, length))
    is_year = ~np.isnan(calendar)
    is_kept: BoolArray = np.all(~np.isnan(values) | ~is_year[:, None, :], axis=2) & np.any(is_year, axis=1)[:, None]
    counted = np.where(is_kept[:, :, None] & is_year[:, None, :], values, np.nan)
    spread = _by_year(counted, cv)
    with np.errstate(divide="ignore", invalid="ignore"):
        lowest = np.fmin.reduce(counted, axis=(1, 2))
        logarithms = np.log(np.where((lowest > 0)[:, None, None], counted, np.nan))
        sd_log = _by_year(logarithms, _standard_deviation)
    return SigmaConvergence(
        is_kept.sum(axis=1), spread, sd_log, spread_slope(spread, calendar), spread_slope(sd_log, calendar)
    )


def spread_slope(spread: npt.ArrayLike, years: npt.ArrayLike) -> FloatArray:
    """Least-squares slope a calendar year of a spread by year, one number a slice; NaN in either leaves a year out.

    ``spread`` is [slices × years] of any measure of inequality, ``years`` the same or one list for all. In the
    measure's unit a year; < 0: converging. Fewer than two distinct years → NaN. Source: Barro & Sala-i-Martin 1992.

    >>> spread_slope([[0.30, 0.26, 0.22]], [2018, 2019, 2021]).round(6).tolist()
    [-0.025714]
    """
    values = np.asarray(spread, dtype=np.float64)
    calendar = np.broadcast_to(np.asarray(years, dtype=np.float64), values.shape)
    numbers = np.repeat(np.arange(values.shape[0]), values.shape[1])
    sample = Sample.of(values.ravel(), None, numbers, count=values.shape[0], ranking=calendar.ravel())
    assert sample.ranking is not None
    return fit_line(sample, sample.ranking).slope


def beta_convergence(
    start: npt.ArrayLike,
    end: npt.ArrayLike,
    years: npt.ArrayLike,
    slices: npt.ArrayLike | None = None,
    count: int | None = None,
) -> BetaConvergence:
    """Slope b and intercept a of ln(x_T/x_0)/T on ln x_0 by least squares; speed −ln(1 + bT)/T, half-life ln 2/speed.

    One entry a region in ``start`` and ``end``, ``slices`` ascending as for :class:`Sample`; ``years`` T between the
    ends, one or one a slice. b < 0: the low ones grow faster, which does not imply that the spread falls (Galton's
    fallacy, Quah 1993). Growth and speed are a year, the half-life in years. A region with a missing or non-positive
    end is left out; no spread of the starts or one region → NaN; 1 + bT ≤ 0 → speed NaN; speed ≤ 0 → half-life NaN.
    Source: Barro & Sala-i-Martin 1992.

    >>> result = beta_convergence([1.0, 2.0, 4.0], [2.0, 3.0, 5.0], 10)
    >>> round(float(result.slope[0]), 6), round(float(result.half_life[0]), 2)
    (-0.033904, 16.74)
    """
    x0, x1 = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    first = np.zeros(x0.size, dtype=np.int64) if slices is None else np.asarray(slices, dtype=np.int64)
    total = count if count is not None else (int(first[-1]) + 1 if first.size else 1)
    span = np.broadcast_to(np.asarray(years, dtype=np.float64), (total,))
    with np.errstate(divide="ignore", invalid="ignore"):
        is_kept = (x0 > 0) & (x1 > 0) & (span[first] > 0)
        growth = np.where(is_kept, np.log(x1 / x0) / span[first], np.nan)
        sample = Sample.of(growth, None, first, count=total, ranking=np.log(np.where(is_kept, x0, np.nan)))
        assert sample.ranking is not None
        line = fit_line(sample, sample.ranking)
        factor = 1 + line.slope * span
        speed = -np.log(np.where(factor > 0, factor, np.nan)) / span + 0.0
        half_life = np.log(2) / np.where(speed > 0, speed, np.nan)
    return BetaConvergence(line.units, line.slope, line.at(0.0), speed, half_life)


def _by_year(values: FloatArray, measure: Callable[[Sample], FloatArray]) -> FloatArray:
    """A measure of a sample for each [slice × year] of a [slices × regions × years] panel."""
    slices, regions, years = values.shape
    numbers = np.repeat(np.arange(slices * years), regions)
    made: FloatArray = measure(Sample.of(values.transpose(0, 2, 1).ravel(), None, numbers, count=slices * years))
    return made.reshape(slices, years)


def _standard_deviation(sample: Sample) -> FloatArray:
    centred = sample.values - sample.mean[sample.slices]
    return np.sqrt(sample.sum(sample.share * centred * centred)) + 0.0 * sample.weight
