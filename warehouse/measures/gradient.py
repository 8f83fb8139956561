"""Along a ranking of units: concentration indices, slope and relative index of inequality. Not here: the Gini."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from warehouse.measures.ranking import NO_SPREAD, fit_line, fractional_rank
from warehouse.measures.sample import BoolArray, FloatArray, Sample, settle_signed

#: Steps of Newton's method; it settles in 4 to 12, and what has not by then is separated and has no finite fit.
_STEPS = 60
#: Largest step taken, in logits: a full step from a flat start can leap over the maximum.
_LEAP = 4.0
_SETTLED = 1e-10


class SlopeIndex(NamedTuple):
    """Slope and relative index by slice, and the fitted values at the bottom (R = 0) and the top (R = 1)."""

    sii: FloatArray
    rii: FloatArray
    bottom: FloatArray
    top: FloatArray


def concentration_index(sample: Sample) -> FloatArray:
    """Relative concentration index C = 2/(W μ) Σ w x R − 1, R the mid-rank by the ranking variable; one number a slice.

    WHO HEAT calls it RCI. Negative: the resource sits with the low ranks (poorer regions); positive: with the high
    ones; −1 … 1, no unit. Ranked by x itself it is the weighted Gini. A negative value or μ = 0 → NaN; all tied or one
    unit → 0. Bounded indicators may want a correction (Erreygers, Wagstaff), not made here.
    Source: Wagstaff, Paci & van Doorslaer 1991; O'Donnell et al. 2008.

    >>> round(float(concentration_index(Sample.of([1.0, 2.0, 3.0], ranking=[1, 2, 3]))[0]), 6)
    0.222222
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return settle_signed(absolute_concentration_index(sample) / sample.mean, sample.is_relative_defined)


def absolute_concentration_index(sample: Sample) -> FloatArray:
    """Absolute concentration index ACI = RCI · μ = 2 Σ (w/W)(x − μ)(R − ½), in the indicator's unit; one number a slice.

    Summed around μ and ½, which keeps the digits that a difference from 1 would lose. As an absolute measure it is 0
    where μ = 0 and takes negative values; all tied or one unit → 0. Source: WHO HEAT technical notes (ACI).

    >>> round(float(absolute_concentration_index(Sample.of([1.0, 2.0, 3.0], ranking=[1, 2, 3]))[0]), 6)
    0.444444
    """
    rank = fractional_rank(sample)
    centred = sample.values - sample.mean[sample.slices]
    index = 2 * sample.sum(sample.share * centred * (rank - 0.5))
    return settle_signed(index, sample.is_absolute_defined)


def sii_rii(sample: Sample) -> SlopeIndex:
    """Slope index SII = b and relative index RII = (a + b)/a of the weighted least-squares line x = a + b R.

    R is the mid-rank by the ranking variable: 0 most disadvantaged, 1 most advantaged; SII in the indicator's unit,
    RII a ratio. This is the linear form; for percentages WHO fits a logit (:func:`sii_rii_logistic`). Fewer than two
    distinct ranks → all NaN; a fitted end ≤ 0 → RII NaN, SII kept; equal values → 0 and 1.
    Source: Mackenbach & Kunst 1997; WHO HEAT technical notes; Schlotheuber & Hosseinpoor 2022, IJERPH 19:3697.

    >>> fitted = sii_rii(Sample.of([2.0, 4.0, 6.0], ranking=[1, 2, 3]))
    >>> round(float(fitted.sii[0]), 9), round(float(fitted.rii[0]), 9)
    (6.0, 7.0)
    """
    line = fit_line(sample, fractional_rank(sample))
    return _ends(line.at(0.0), line.at(1.0))


def sii_rii_logistic(sample: Sample) -> SlopeIndex:
    """SII = 100 (p̂(1) − p̂(0)) and RII = p̂(1)/p̂(0) of the logistic regression of x/100 on R, for x in percent.

    Quasi-binomial with prior weights w, as WHO does for percentages: logit p = a + b R, fitted by Newton's method over
    all slices at once. A value outside 0 … 100, fewer than two distinct ranks, or no finite fit (0 or 100 % of which a
    curve could come as near as it likes) → NaN; equal values → 0 and 1 (all 0: RII NaN). WHO's ``healthequal`` also
    rounds x w/100 to whole cases and, by passing the population twice, weighs by its square; its published test values
    come out here when its rounding and weights are put in (``tests/warehouse/test_measures_who.py``).
    Source: WHO HEAT technical notes; Wedderburn 1974 (quasi-likelihood).

    >>> fitted = sii_rii_logistic(Sample.of([20.0, 30.0, 40.0, 50.0, 60.0], ranking=[1, 2, 3, 4, 5]))
    >>> round(float(fitted.sii[0]), 3), round(float(fitted.rii[0]), 3)
    (48.198, 3.735)
    """
    rank = fractional_rank(sample)
    with np.errstate(invalid="ignore"):
        is_percent = (sample.minimum >= 0) & (sample.maximum <= 100)
    intercept, slope, is_settled = _fit_logistic(sample, rank, is_percent)
    bottom, top = (100 / (1 + np.exp(-logit)) for logit in (intercept, intercept + slope))
    is_equal = is_percent & (sample.minimum == sample.maximum)
    bottom, top = (np.where(is_equal, sample.mean, np.where(is_settled, end, np.nan)) for end in (bottom, top))
    is_ranked = sample.greatest(rank) > sample.least(rank)
    return _ends(*(np.where(is_ranked, end, np.nan) for end in (bottom, top)))


def _fit_logistic(sample: Sample, rank: FloatArray, is_percent: BoolArray) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Intercept and slope by slice, and where Newton's method settled. A step that lowers the likelihood is halved."""
    slices, share, observed = (
        sample.slices,
        sample.share,
        np.where(is_percent[sample.slices], sample.values, 50.0) / 100,
    )
    middle = np.clip(np.where(is_percent, sample.mean, 50.0) / 100, 1e-6, 1 - 1e-6)
    line = np.array([np.log(middle / (1 - middle)), np.zeros(sample.count)])
    is_settled = np.zeros(sample.count, dtype=bool)

    def likelihood(at: FloatArray) -> FloatArray:
        logit = at[0, slices] + at[1, slices] * rank
        return sample.sum(share * (observed * logit - np.logaddexp(0.0, logit)))

    reached = likelihood(line)
    for _ in range(_STEPS):
        step = _newton_step(sample, line, rank, observed)
        size = np.abs(step).max(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            # A slice that settled stays as it is, so that its last digit does not depend on the company it is in.
            length = np.where((size > 0) & ~is_settled, np.minimum(1.0, _LEAP / size), 0.0)
            is_settled |= size < _SETTLED * (1 + np.abs(line[1]))
        for _ in range(_STEPS):
            tried = line + length * np.nan_to_num(step)
            made = likelihood(tried)
            # Near its top the likelihood is flat to the last digit; a step there is no loss.
            is_lower = made < reached - 1e-15
            if not bool(is_lower.any()):
                break
            length = np.where(is_lower, length / 2, length)
        line, reached = tried, made
        # After the step, not before: the error of the next point is the square of this step.
        if bool(np.all(is_settled | np.isnan(size))):
            break
    return line[0], line[1], is_settled & is_percent


def _newton_step(sample: Sample, line: FloatArray, rank: FloatArray, observed: FloatArray) -> FloatArray:
    """Change of (intercept, slope) by slice that Newton's method asks for; NaN where the likelihood has no curvature."""
    slices, share = sample.slices, sample.share
    with np.errstate(over="ignore"):
        fitted = 1 / (1 + np.exp(-(line[0, slices] + line[1, slices] * rank)))
    gap, weight = share * (observed - fitted), share * fitted * (1 - fitted)
    g0, g1 = sample.sum(gap), sample.sum(gap * rank)
    h00, h01, h11 = sample.sum(weight), sample.sum(weight * rank), sample.sum(weight * rank * rank)
    determinant = h00 * h11 - h01 * h01
    with np.errstate(invalid="ignore", divide="ignore"):
        determinant = np.where(determinant > NO_SPREAD, determinant, np.nan)
        step: FloatArray = np.array([h11 * g0 - h01 * g1, h00 * g1 - h01 * g0]) / determinant
    return step


def _ends(bottom: FloatArray, top: FloatArray) -> SlopeIndex:
    with np.errstate(invalid="ignore"):
        has_ratio = (bottom > 0) & (top > 0)
    ratio = np.where(has_ratio, top / np.where(has_ratio, bottom, np.nan), np.nan)
    return SlopeIndex(settle_signed(top - bottom, ~np.isnan(bottom)), ratio, bottom, top)
