"""Measures of one slice by name, with ``None`` for null: the same code as the vectorised form, one slice at a time.

Here: names, and measures of one number. Not here: any formula; measures of several numbers (``forms``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from warehouse.measures import forms
from warehouse.measures.atkinson import atkinson
from warehouse.measures.concentration import gini
from warehouse.measures.disparity import between_group_variance
from warehouse.measures.forms import Inputs, plain, sample_of
from warehouse.measures.gradient import concentration_index
from warehouse.measures.sample import FloatArray, Sample
from warehouse.measures.spread import cv, max_min_ratio, mean
from warehouse.measures.theil import theil_l, theil_t


def _one(
    measure: Callable[[Sample], FloatArray], values: str = "x", ranking: str | None = None
) -> Callable[[Inputs], float | None]:
    def of_slice(inputs: Inputs) -> float | None:
        number: float | None = plain(measure(sample_of(inputs, values, ranking=ranking))[0])
        return number

    return of_slice


def _atkinson(inputs: Inputs) -> float | None:
    number: float | None = plain(atkinson(sample_of(inputs), inputs["epsilon"])[0])
    return number


#: Name → measure of one slice. Inputs are named in the form of each: mostly x (or y), w (or None), group.
MEASURES: Mapping[str, Callable[[Inputs], Any]] = {
    "mean": _one(mean),
    "mean_weighted": _one(mean),
    "cv": _one(cv),
    "cv_weighted": _one(cv),
    "max_min_ratio": _one(max_min_ratio),
    "gini": _one(gini),
    "gini_weighted": _one(gini),
    "lorenz": forms.of_lorenz,
    "dagum": forms.of_dagum,
    "concentration_index": _one(concentration_index, "y", "rank_by"),
    "theil_t": _one(theil_t),
    "theil_t_weighted": _one(theil_t),
    "theil_l_weighted": _one(theil_l),
    "theil_decomposition": forms.of_theil,
    "mld_decomposition": forms.of_mld,
    "theil_nested": forms.of_nested,
    "atkinson": _atkinson,
    "sii_rii": forms.of_sii_rii,
    "bgv": _one(between_group_variance, "y"),
    "idis": forms.of_disparity,
    "mean_difference_from_best": forms.of_best,
    "population_attributable_risk": forms.of_attributable_risk,
    "urban_rural_gap": forms.of_gap,
    "hrad_pad": forms.of_hrad_pad,
    "location_quotient": forms.of_location_quotient,
    "entropy_weight": forms.of_entropy,
    "critic": forms.of_critic,
    "topsis": forms.of_topsis,
    "coupling_coordination": forms.of_coupling,
    "fgt_shortfall": forms.of_shortfall,
    "sigma_convergence": forms.of_sigma,
    "beta_convergence": forms.of_beta,
    "attainment_projection": forms.of_projection,
    "compulsory_education_cv": forms.of_schools,
}


def evaluate(measure: str, inputs: Mapping[str, Any]) -> Any:
    """One measure of one slice: a number, a dict of numbers, or None where it is undefined.

    Raises KeyError where no measure has that name.

    >>> evaluate("gini", {"x": [1, 2, 3, None, 4]})
    0.25
    """
    return MEASURES[measure](inputs)
