"""The simple and the disproportionality measures of WHO HEAT: gaps, mean distances, variances, attributable risk.

Here: D, BGV, BGSD, MDM, MDB, MDR, IDIS, PAR, PAF, and all 21 measures of HEAT together. Not here: the formulas of those
that have a module of their own (Theil, concentration, slope index).

Absolute measures are in the indicator's unit (BGV in its square), take negative values and are 0 where all is 0;
relative ones (IDIS, PAF) need no negative value and a mean above 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from warehouse.measures.gradient import (
    absolute_concentration_index,
    concentration_index,
    sii_rii,
    sii_rii_logistic,
)
from warehouse.measures.ranking import ranking_of
from warehouse.measures.sample import FloatArray, Sample, settle, settle_signed
from warehouse.measures.spread import cv, max_min_ratio
from warehouse.measures.theil import theil_l, theil_t


class MeanDifference(NamedTuple):
    """Mean distance from a reference: ``unweighted`` Σ|x − t|/n and ``weighted`` Σ(w/W)|x − t|, by slice."""

    unweighted: FloatArray
    weighted: FloatArray


class AttributableRisk(NamedTuple):
    """Population attributable risk (unit of the indicator) and fraction (percent of the mean), by slice."""

    reference: FloatArray
    risk: FloatArray
    fraction: FloatArray


def max_min_difference(sample: Sample) -> FloatArray:
    """Difference D = largest − smallest value, in the indicator's unit, one number a slice.

    Of two named units (urban, rural) see ``urban_rural_gap``. Two units decide it: never show it alone. One unit or all
    equal → 0. Source: WHO HEAT, simple measures (D).

    >>> float(max_min_difference(Sample.of([2.0, 5.0, 4.0]))[0])
    3.0
    """
    return settle(sample.maximum - sample.minimum, sample.is_absolute_defined)


def between_group_variance(sample: Sample) -> FloatArray:
    """Between-group variance BGV = Σ (w/W)(x − μ)², in the indicator's unit squared, one number a slice.

    Sensitive to outliers. Negative values are allowed; equal values, one unit or all 0 → 0. Source: WHO HEAT (BGV).

    >>> float(between_group_variance(Sample.of([1.0, 3.0]))[0])
    1.0
    """
    centred = sample.values - sample.mean[sample.slices]
    return settle(sample.sum(sample.share * centred * centred), sample.is_absolute_defined)


def between_group_sd(sample: Sample) -> FloatArray:
    """Between-group standard deviation BGSD = √BGV, in the indicator's unit, one number a slice.

    Easier to read than its square. Edges as :func:`between_group_variance`. Source: WHO HEAT (BGSD).

    >>> float(between_group_sd(Sample.of([1.0, 5.0]))[0])
    2.0
    """
    return np.sqrt(between_group_variance(sample))


def best_value(sample: Sample, is_favourable: npt.ArrayLike = True) -> FloatArray:
    """The best value by slice: the largest of a favourable indicator, the smallest of an adverse one.

    ``is_favourable`` is one claim or one a slice. Units may tie for best. No unit → NaN. Source: WHO HEAT.

    >>> best_value(Sample.of([2.0, 5.0]), is_favourable=False).tolist()
    [2.0]
    """
    best = np.where(np.asarray(is_favourable, dtype=bool), sample.maximum, sample.minimum)
    return np.where(sample.is_absolute_defined, best, np.nan)


def mean_difference(sample: Sample, reference: npt.ArrayLike) -> MeanDifference:
    """Mean distance Σ|x − t|/n and Σ(w/W)|x − t| from a reference value t by slice: MDRU and MDRW of WHO HEAT.

    t is the value of a chosen unit (the nation's capital region) or any other, in the indicator's unit; missing →
    NaN. All equal to t → 0. Source: WHO HEAT (mean difference from a reference subgroup).

    >>> [float(part[0]) for part in mean_difference(Sample.of([1.0, 3.0], [3.0, 1.0]), 1.0)]
    [1.0, 0.5]
    """
    target = np.broadcast_to(np.asarray(reference, dtype=np.float64), (sample.count,))
    distance = np.abs(sample.values - target[sample.slices])
    is_defined = sample.is_absolute_defined & ~np.isnan(target)
    unweighted = sample.sum(distance) / np.where(is_defined, sample.units, np.nan)
    return MeanDifference(settle(unweighted, is_defined), settle(sample.sum(sample.share * distance), is_defined))


def mean_difference_from_mean(sample: Sample) -> MeanDifference:
    """Mean difference from the mean, MDMU = Σ|x − μ|/n and MDMW = Σ(w/W)|x − μ|; μ is weighted in both.

    In the indicator's unit; all equal or one unit → 0. Source: WHO HEAT (MDMU, MDMW).

    >>> [float(part[0]) for part in mean_difference_from_mean(Sample.of([1.0, 3.0], [3.0, 1.0]))]
    [1.0, 0.75]
    """
    return mean_difference(sample, sample.mean)


def mean_difference_from_best(sample: Sample, is_favourable: npt.ArrayLike = True) -> MeanDifference:
    """Mean difference from the best unit, MDBU = Σ|x − best|/n and MDBW = Σ(w/W)|x − best|.

    In the indicator's unit. The best unit may be an outlier with few people: give a reference value
    (:func:`mean_difference`) where that matters. The help text of ``healthequal`` says of MDBW "divided by the number
    of subgroups", its code does not divide; this follows the code. Source: WHO HEAT (MDBU, MDBW).

    >>> [float(part[0]) for part in mean_difference_from_best(Sample.of([1.0, 3.0], [3.0, 1.0]))]
    [1.0, 1.5]
    """
    return mean_difference(sample, best_value(sample, is_favourable))


def index_of_disparity(sample: Sample) -> MeanDifference:
    """Index of disparity, mean distance from μ in percent of it: IDISU = 100 MDMU/μ, IDISW = 100 MDMW/μ.

    μ is the weighted mean in both. A negative value or μ = 0 → NaN; a 0 is allowed; all equal → 0.
    Source: Pearcy & Keppel 2002; WHO HEAT (IDISU, IDISW).

    >>> [float(part[0]) for part in index_of_disparity(Sample.of([1.0, 3.0]))]
    [50.0, 50.0]
    """
    is_defined = sample.is_relative_defined
    mean = np.where(is_defined, sample.mean, np.nan)
    unweighted, weighted = mean_difference_from_mean(sample)
    return MeanDifference(settle(100 * unweighted / mean, is_defined), settle(100 * weighted / mean, is_defined))


def population_attributable_risk(
    sample: Sample, is_favourable: npt.ArrayLike = True, *, by_rank: bool = False
) -> AttributableRisk:
    """PAR = reference − μ, the gain if all had the reference level, and PAF = 100 PAR/μ, by slice.

    The reference is the best unit or, with ``by_rank``, the unit that the ranking variable puts on top (two on top →
    NaN). PAR is in the indicator's unit and ≤ 0 where lower is better; one of the wrong sign becomes 0. PAF is a percentage,
    NaN where μ = 0. Not causal, despite its name. Source: WHO HEAT (PAR, PAF).

    >>> par = population_attributable_risk(Sample.of([2.0, 4.0]))
    >>> float(par.risk[0]), round(float(par.fraction[0]), 3)
    (1.0, 33.333)
    """
    favourable = np.broadcast_to(np.asarray(is_favourable, dtype=bool), (sample.count,))
    reference = _top_ranked(sample) if by_rank else best_value(sample, favourable)
    gap = reference - sample.mean
    with np.errstate(invalid="ignore", divide="ignore"):
        risk = np.where(favourable, np.maximum(gap, 0.0), np.minimum(gap, 0.0)) + 0.0
        risk = settle_signed(risk, ~np.isnan(gap))
        fraction = np.where(sample.mean != 0, 100 * risk / sample.mean, np.nan)
    return AttributableRisk(reference, risk, fraction)


def _top_ranked(sample: Sample) -> FloatArray:
    """Value of the unit with the largest ranking value; NaN where two share it."""
    ranking = ranking_of(sample)
    is_top = ranking == sample.greatest(ranking)[sample.slices]
    count = sample.sum(is_top.astype(np.float64))
    return np.where((count == 1) & sample.is_absolute_defined, sample.sum(np.where(is_top, sample.values, 0.0)), np.nan)


def heat(
    sample: Sample,
    is_favourable: npt.ArrayLike = True,
    reference: npt.ArrayLike = np.nan,
    is_percent: npt.ArrayLike = False,
) -> dict[str, FloatArray]:
    """All 21 summary measures of WHO HEAT, by its name for each, one number a slice.

    ``reference`` is the value of the reference unit by slice (NaN: MDRU and MDRW are NaN); ``is_percent`` says where
    SII and RII are of the logistic form. A sample without ranking variable has NaN for ACI, RCI, SII and RII
    (status ``no_ranking_variable``). THEIL and MLD are natural numbers: HEAT shows them times 1000. COV is a
    percentage, as in HEAT. Each is defined at its own function. Source: WHO HEAT technical notes; ``healthequal``.

    >>> measures = heat(Sample.of([20.0, 30.0, 40.0], ranking=[1, 2, 3]), reference=30.0)
    >>> len(measures), float(measures["D"][0]), round(float(measures["MDRU"][0]), 6)
    (21, 20.0, 6.666667)
    """
    distances = {
        "MDM": mean_difference_from_mean(sample),
        "MDB": mean_difference_from_best(sample, is_favourable),
        "MDR": mean_difference(sample, reference),
        "IDIS": index_of_disparity(sample),
    }
    risk = population_attributable_risk(sample, is_favourable)
    nothing = np.full(sample.count, np.nan)
    ranked = {"ACI": nothing, "RCI": nothing, "SII": nothing, "RII": nothing}
    if sample.ranking is not None:
        percent = np.asarray(is_percent, dtype=bool)
        logistic, linear = sii_rii_logistic(sample), sii_rii(sample)
        ranked = {
            "ACI": absolute_concentration_index(sample),
            "RCI": concentration_index(sample),
            "SII": np.where(percent, logistic.sii, linear.sii),
            "RII": np.where(percent, logistic.rii, linear.rii),
        }
    return {
        "D": max_min_difference(sample),
        "R": max_min_ratio(sample),
        "BGV": between_group_variance(sample),
        "BGSD": between_group_sd(sample),
        "COV": 100 * cv(sample),
        "THEIL": theil_t(sample),
        "MLD": theil_l(sample),
        "PAR": risk.risk,
        "PAF": risk.fraction,
        **{f"{name}U": pair.unweighted for name, pair in distances.items()},
        **{f"{name}W": pair.weighted for name, pair in distances.items()},
        **ranked,
    }
