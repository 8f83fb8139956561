"""Why a measure has no value: every NaN of a measure of a sample has a status, the one the marts publish.

Here: what each measure needs of a slice, and the first need that a slice does not meet. Not here: coverage, breaks and
what cannot exist, which are a mart's to know (``insufficient_coverage``, ``across_break``, ``not_applicable``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from warehouse.measures.atkinson import atkinson
from warehouse.measures.concentration import gini
from warehouse.measures.disparity import (
    between_group_sd,
    between_group_variance,
    index_of_disparity,
    max_min_difference,
    mean_difference_from_mean,
)
from warehouse.measures.gradient import absolute_concentration_index, concentration_index, sii_rii
from warehouse.measures.ranking import NO_SPREAD, fractional_rank
from warehouse.measures.sample import FloatArray, Sample
from warehouse.measures.spread import cv, max_min_ratio, mean, p90_p10_ratio, quantile
from warehouse.measures.theil import theil_l, theil_t


@dataclass(frozen=True)
class Needs:
    """What a slice must have for a measure to exist, besides a unit and no negative weight.

    ``no_negative``: no value under 0. ``mean_above_zero``. ``least_above_zero``: no value (``least_quantile`` of the values,
    where given) at 0 or under it. ``ranking``: a ranking variable. ``distinct_ranks``: two of its values at least.
    """

    no_negative: bool = False
    mean_above_zero: bool = False
    least_above_zero: bool = False
    least_quantile: float | None = None
    ranking: bool = False
    distinct_ranks: bool = False


@dataclass(frozen=True)
class Measure:
    """A measure that gives one number a slice of a sample, and what it needs."""

    of: Callable[[Sample], FloatArray]
    needs: Needs


_ABSOLUTE = Needs()
_RELATIVE = Needs(no_negative=True, mean_above_zero=True)

#: Name, as marts have it in their columns → measure.
SAMPLE_MEASURES: Mapping[str, Measure] = {
    "mean": Measure(mean, _ABSOLUTE),
    "cv": Measure(cv, Needs(mean_above_zero=True)),
    "gini": Measure(gini, _RELATIVE),
    "theil_t": Measure(theil_t, _RELATIVE),
    "theil_l": Measure(theil_l, Needs(no_negative=True, mean_above_zero=True, least_above_zero=True)),
    "atkinson_05": Measure(lambda sample: atkinson(sample, 0.5), _RELATIVE),
    "atkinson_1": Measure(lambda sample: atkinson(sample, 1), _RELATIVE),
    "atkinson_2": Measure(lambda sample: atkinson(sample, 2), _RELATIVE),
    "max_min_ratio": Measure(max_min_ratio, Needs(least_above_zero=True)),
    "max_min_difference": Measure(max_min_difference, _ABSOLUTE),
    "p90_p10_ratio": Measure(p90_p10_ratio, Needs(least_above_zero=True, least_quantile=0.1)),
    "bgv": Measure(between_group_variance, _ABSOLUTE),
    "bgsd": Measure(between_group_sd, _ABSOLUTE),
    "mdmu": Measure(lambda sample: mean_difference_from_mean(sample).unweighted, _ABSOLUTE),
    "mdmw": Measure(lambda sample: mean_difference_from_mean(sample).weighted, _ABSOLUTE),
    "idisu": Measure(lambda sample: index_of_disparity(sample).unweighted, _RELATIVE),
    "idisw": Measure(lambda sample: index_of_disparity(sample).weighted, _RELATIVE),
    "aci": Measure(absolute_concentration_index, Needs(ranking=True)),
    "rci": Measure(concentration_index, Needs(no_negative=True, mean_above_zero=True, ranking=True)),
    "sii": Measure(lambda sample: sii_rii(sample).sii, Needs(ranking=True, distinct_ranks=True)),
}


def undefined(sample: Sample, needs: Needs) -> npt.NDArray[np.str_]:
    """Why a measure with these needs has no value, by slice: the first reason that holds, ``ok`` where it has one.

    ``too_few_units`` (none left, or ranks all tied where two are needed), ``undefined_negative`` (a negative value or
    weight), ``undefined_zero_mean``, ``undefined_zero_value``, ``no_ranking_variable``.

    >>> undefined(Sample.of([0.0, 1.0, -1.0], slices=[0, 0, 1]), SAMPLE_MEASURES["theil_l"].needs).tolist()
    ['undefined_zero_value', 'undefined_negative']
    """
    nothing = np.zeros(sample.count, dtype=bool)
    has_ranking = sample.ranking is not None
    with np.errstate(invalid="ignore"):
        least = sample.minimum if needs.least_quantile is None else quantile(sample, needs.least_quantile)
        reasons = {
            "no_ranking_variable": nothing | (needs.ranking and not has_ranking),
            "too_few_units": (sample.units == 0) & ~sample.has_negative_weight,
            "undefined_negative": sample.has_negative_weight | ((sample.minimum < 0) & needs.no_negative),
            "undefined_zero_mean": ~(sample.mean > 0) & needs.mean_above_zero,
            "undefined_zero_value": ~(least > 0) & needs.least_above_zero,
            "all_tied": _is_tied(sample) if needs.distinct_ranks and has_ranking else nothing,
        }
    found = np.select(list(reasons.values()), list(reasons), "ok")
    return np.where(found == "all_tied", "too_few_units", found)


def _is_tied(sample: Sample) -> npt.NDArray[np.bool_]:
    """Whether all units of a slice share their rank, so that no line goes through them."""
    rank = fractional_rank(sample)
    tied: npt.NDArray[np.bool_] = ~(sample.sum(sample.weights * (rank - 0.5) ** 2) > NO_SPREAD)
    return tied


def measure_all(
    sample: Sample, names: list[str] | None = None
) -> tuple[dict[str, FloatArray], dict[str, npt.NDArray[np.str_]]]:
    """Several measures of a sample and their statuses, both by name (None: all of :data:`SAMPLE_MEASURES`).

    A value is NaN exactly where its status is not ``ok``. Raises KeyError where no measure has a name.

    >>> values, statuses = measure_all(Sample.of([0.0, 4.0]), ["gini", "max_min_ratio"])
    >>> values["gini"].tolist(), statuses["max_min_ratio"].tolist()
    ([0.5], ['undefined_zero_value'])
    """
    chosen = list(SAMPLE_MEASURES) if names is None else names
    reasons = {needs: undefined(sample, needs) for needs in {SAMPLE_MEASURES[name].needs for name in chosen}}
    statuses = {name: reasons[SAMPLE_MEASURES[name].needs] for name in chosen}
    values = {
        name: np.full(sample.count, np.nan)
        if SAMPLE_MEASURES[name].needs.ranking and sample.ranking is None
        else SAMPLE_MEASURES[name].of(sample)
        for name in chosen
    }
    return values, statuses
