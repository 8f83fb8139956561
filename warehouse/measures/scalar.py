"""Measures of one slice by name, with ``None`` for null: the same code as the vectorised form, one slice at a time.

Here: names, and numbers from and to plain Python. Not here: any formula.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from warehouse.measures.concentration import gini
from warehouse.measures.gap import urban_rural_gap, urban_rural_gap_pooled
from warehouse.measures.sample import FloatArray, Sample
from warehouse.measures.spread import cv, max_min_ratio, mean
from warehouse.measures.theil import theil_decomposition, theil_groups, theil_t

Numbers = Sequence[float | None]


def _array(numbers: Numbers) -> FloatArray:
    return np.array([math.nan if number is None else number for number in numbers], dtype=np.float64)


def _plain(number: float) -> float | None:
    return None if math.isnan(number) else float(number)


def _one(measure: Callable[[Sample], FloatArray]) -> Callable[[Mapping[str, Any]], float | None]:
    def of_slice(inputs: Mapping[str, Any]) -> float | None:
        weights = inputs.get("w")
        sample = Sample.of(_array(inputs["x"]), None if weights is None else _array(weights))
        return _plain(measure(sample)[0])

    return of_slice


def _theil_decomposition(inputs: Mapping[str, Any]) -> dict[str, Any] | None:
    names = sorted(set(inputs["group"]))
    weights = inputs.get("w")
    sample = Sample.of(
        _array(inputs["x"]),
        None if weights is None else _array(weights),
        groups=[names.index(name) for name in inputs["group"]],
    )
    parts = theil_decomposition(sample)
    total, within, between = (float(part[0]) for part in parts)
    if math.isnan(total):
        return None
    by_group = theil_groups(sample)
    return {
        "total": total,
        "within": within,
        "between": between,
        "within_share": within / total if total else None,
        "between_share": between / total if total else None,
        "groups": {
            names[group]: {
                "pop_share": float(by_group.population_share[row]),
                "resource_share": float(by_group.resource_share[row]),
                "index": _plain(by_group.theil[row]),
                "within_contribution": float(by_group.contribution[row]),
            }
            for row, group in enumerate(by_group.groups)
        },
    }


def _urban_rural_gap(inputs: Mapping[str, Any]) -> dict[str, Any]:
    urban, rural = _array(inputs["urban"]), _array(inputs["rural"])
    difference, ratio = urban_rural_gap(urban, rural)
    result: dict[str, Any] = {
        "difference": [_plain(number) for number in difference],
        "ratio": [_plain(number) for number in ratio],
    }
    if inputs.get("w_urban") is not None and inputs.get("w_rural") is not None:
        pooled = urban_rural_gap_pooled(urban, rural, _array(inputs["w_urban"]), _array(inputs["w_rural"]))
        result |= {f"pooled_{name}": _plain(number) for name, number in pooled._asdict().items()}
    return result


#: Name → measure of one slice. Inputs: x, w (or None), group; urban, rural, w_urban, w_rural.
MEASURES: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "mean": _one(mean),
    "mean_weighted": _one(mean),
    "cv": _one(cv),
    "cv_weighted": _one(cv),
    "max_min_ratio": _one(max_min_ratio),
    "gini": _one(gini),
    "gini_weighted": _one(gini),
    "theil_t": _one(theil_t),
    "theil_t_weighted": _one(theil_t),
    "theil_decomposition": _theil_decomposition,
    "urban_rural_gap": _urban_rural_gap,
}


def evaluate(measure: str, inputs: Mapping[str, Any]) -> Any:
    """One measure of one slice: a number, a dict of numbers, or None where it is undefined.

    Raises KeyError where no measure has that name.

    >>> evaluate("gini", {"x": [1, 2, 3, None, 4]})
    0.25
    """
    return MEASURES[measure](inputs)
