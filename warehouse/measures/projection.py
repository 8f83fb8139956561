"""What the line through past years says: the year a target is reached, the risk of being short. Not here: which years.

Both are extrapolations of a straight line through a few observed years; show them with those years.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from warehouse.measures.distributions import student_t
from warehouse.measures.ranking import fit_line, ranking_of
from warehouse.measures.sample import BoolArray, FloatArray, Sample
from warehouse.measures.shortfall import AT_FLOOR

#: Fewest years from which a risk is told; residuals of three have one degree of freedom.
FEWEST_YEARS_OF_RISK = 4
#: Upper ends of the bands of risk, and the bands.
RISK_BANDS = ((0.10, "low"), (0.33, "watch"), (0.67, "high"), (np.inf, "severe"))
_WHOLE = 1e-9


class Attainment(NamedTuple):
    """By slice: status, line, and the year of attainment as it is and rounded up (both NaN where there is none)."""

    status: npt.NDArray[np.str_]
    slope: FloatArray
    intercept: FloatArray
    year: FloatArray
    year_ceiling: FloatArray


class Risk(NamedTuple):
    """By slice: what the line expects next, its standard error, the probability of being short, and its band."""

    expected: FloatArray
    error: FloatArray
    probability: FloatArray
    band: npt.NDArray[np.str_]


def attainment_projection(
    sample: Sample, targets: npt.ArrayLike, is_favourable: npt.ArrayLike = True, horizon: float = 100
) -> Attainment:
    """Year in which the least-squares line x = a + b·year reaches the target, by slice; ``sample.ranking`` is the year.

    Status, the first that holds: ``insufficient`` (under two distinct years, or no target), ``attained`` (the last
    observed value is at the target or past it; the year is the first observed one that was), ``not_approaching``
    (slope 0 or away from it), ``beyond_horizon`` (more than ``horizon`` years after the last observed one),
    ``projected`` (never before the last observed year). ``year_ceiling`` is for display. Slope in the indicator's
    unit a year. Bounded indicators bend near 100 %. Source: least squares; the rules of display are Junheng's own.

    >>> line = Sample.of([80.0, 85.0, 90.0], ranking=[2020, 2021, 2022])
    >>> found = attainment_projection(line, 97.0)
    >>> str(found.status[0]), round(float(found.year[0]), 6), float(found.year_ceiling[0])
    ('projected', 2023.4, 2024.0)
    """
    years = ranking_of(sample)
    target = np.broadcast_to(np.asarray(targets, dtype=np.float64), (sample.count,))
    favourable = np.broadcast_to(np.asarray(is_favourable, dtype=bool), (sample.count,))
    line = fit_line(sample, years)
    last = sample.greatest(years)
    reached = _is_at(sample.values, target[sample.slices], favourable[sample.slices])
    is_attained = sample.sum((reached & (years == last[sample.slices])).astype(float)) > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        crossing = np.maximum(line.mean_x + (target - line.mean_y) / line.slope, last)
        reasons = {
            "insufficient": np.isnan(line.slope) | np.isnan(target),
            "attained": is_attained,
            "not_approaching": ~(np.where(favourable, line.slope, -line.slope) > 0),
            "beyond_horizon": crossing > last + horizon,
        }
    status = np.select(list(reasons.values()), list(reasons), "projected")
    first = sample.least(np.where(reached, years, np.inf))
    year = np.select([status == "attained", status == "projected"], [first, crossing], np.nan)
    return Attainment(status, line.slope, line.at(0.0), year, np.ceil(year - _WHOLE))


def _is_at(values: FloatArray, targets: FloatArray, is_favourable: BoolArray) -> BoolArray:
    """Whether a value is at the target or past it, in its good direction (within :data:`AT_FLOOR`)."""
    with np.errstate(invalid="ignore"):
        reached: BoolArray = np.where(is_favourable, values - targets, targets - values) >= -AT_FLOOR * np.abs(targets)
    return reached


def shortfall_risk(
    sample: Sample, next_years: npt.ArrayLike, floors: npt.ArrayLike, is_favourable: npt.ArrayLike = True
) -> Risk:
    """Probability that the value of ``next_years`` is on the wrong side of the floor, by slice, and its band.

    t = (floor − x̂)/(s √(1 + 1/n + (t* − t̄)²/Σ(t − t̄)²)), x̂ the least-squares line at t*, s² = Σ(x − x̂)²/(n − 2); the
    probability is Student's t with n − 2 degrees of freedom. ``sample.ranking`` is the year. Bands: low < 10 %,
    watch < 33 %, high < 67 %, severe; "" where there is none. Fewer than 4 years, no spread of years or no floor →
    NaN. Years on one line exactly → 0 or 1 (at the floor: 0). The error is the regression's alone; breaks and limits
    at 100 % are not in it. Source: any text on regression (prediction interval); the policy's "pre-event analysis".

    >>> years = Sample.of([6.0, 6.3, 6.1, 6.4], ranking=[2020, 2021, 2022, 2023])
    >>> risk = shortfall_risk(years, 2024, 6.5)
    >>> round(float(risk.expected[0]), 4), round(float(risk.probability[0]), 4), str(risk.band[0])
    (6.45, 0.57, 'high')
    """
    line = fit_line(sample, ranking_of(sample))
    ahead = np.broadcast_to(np.asarray(next_years, dtype=np.float64), (sample.count,))
    floor = np.broadcast_to(np.asarray(floors, dtype=np.float64), (sample.count,))
    sign = np.where(np.asarray(is_favourable, dtype=bool), 1.0, -1.0)
    freedom = line.units - 2
    with np.errstate(invalid="ignore", divide="ignore"):
        is_told = (line.units >= FEWEST_YEARS_OF_RISK) & ~np.isnan(line.slope) & ~np.isnan(floor) & ~np.isnan(ahead)
        expected = np.where(is_told, line.at(ahead), np.nan)
        spread = 1 + 1 / line.units + (ahead - line.mean_x) ** 2 / line.spread
        error = np.where(is_told, np.sqrt(line.residual / np.where(freedom > 0, freedom, np.nan) * spread), np.nan)
        distance = sign * (floor - expected)
        # Rounding leaves residuals of some 1e-16 of the value where the years stand on one line.
        is_exact = error <= 1e-12 * np.maximum(np.abs(expected), np.abs(floor))
        certain = np.where(distance > AT_FLOOR * np.abs(floor), 1.0, 0.0)
        probability = np.where(is_exact, certain, student_t(distance / error, np.maximum(freedom, 1)))
    probability = np.where(is_told, probability, np.nan)
    band = np.select([probability < end for end, _ in RISK_BANDS], [name for _, name in RISK_BANDS], "")
    return Risk(expected, error, probability, band)
