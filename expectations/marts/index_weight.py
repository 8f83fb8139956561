"""Weights of composite indices: shares that sum to one, scales that run upward.

Here: the rules of this mart and their verdicts. Not here: how the mart is computed (warehouse).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from expectations.marts.common import (
    CLOSE,
    Columns,
    Mart,
    floats,
    key_rules,
    nulls,
    rule,
    status_rule,
)
from expectations.model import verdict
from warehouse.catalogue import Catalogue

_KEY = ("indicator_code", "period_code", "member_key", "area_type")
_WEIGHTS = ("weight_entropy", "weight_critic", "weight_equal")
_COLUMNS = (*_KEY, *_WEIGHTS, "low", "high", "status")
_EVIDENCE = (*_WEIGHTS, "low", "high", "status")
_SOURCE = "docs/methods.md: composite scores"
_RULES = (
    *key_rules(_COLUMNS, _KEY),
    rule(
        "weights_sum",
        "measures",
        "weights of the index do not sum to 1, or {weight_entropy}, {weight_critic} or {weight_equal} is negative",
        "同一指数同一年份的权重非负且合计为 1。",
        "The weights of an index are not negative and sum to 1 in every year, by each way of weighing.",
        _SOURCE,
        evidence=_EVIDENCE,
    ),
    rule(
        "scale_ascends",
        "measures",
        "the scale goes from {low} to {high}",
        "归一化的下限不得高于上限。",
        "A member is scaled from its smallest to its largest pooled figure.",
        _SOURCE,
        evidence=_EVIDENCE,
    ),
    status_rule(_EVIDENCE),
    rule(
        "null_agrees_with_status",
        "values",
        "status {status} with weight {weight_entropy} and scale {low} to {high}",
        "状态不是 ok 时值为空，反之亦然。",
        "A weight is null exactly when the status is not ok.",
        "docs/architecture.md: pinned values, status of a metric",
        evidence=_EVIDENCE,
    ),
)


def _prepare(frame: pd.DataFrame, catalogue: Catalogue) -> Columns:
    low, high, entropy = floats(frame, "low"), floats(frame, "high"), floats(frame, "weight_entropy")
    needed = np.array([entropy, floats(frame, "weight_equal"), low, high])
    is_ok = (frame["status"] == "ok").to_numpy(dtype=np.bool_)
    has_weight, sums_hold = ~np.isnan(entropy), np.ones(len(frame), dtype=np.bool_)
    is_again = frame.duplicated(list(_KEY)).to_numpy()  # a row that stands twice is told so once, not by its sums too
    groups = [frame["indicator_code"], frame["period_code"]]
    for column in _WEIGHTS:
        weight = floats(frame, column)
        once = pd.Series(np.where(is_again, 0.0, weight), index=frame.index)
        total = once.groupby(groups, observed=True, sort=False).transform("sum")
        with np.errstate(invalid="ignore"):
            sums_hold &= np.isnan(weight) | ((weight >= 0) & (np.abs(total.to_numpy(np.float64) - 1) <= CLOSE))
    return {
        "weights_sum_holds": verdict(
            has_weight & ~nulls(frame, "indicator_code") & ~nulls(frame, "period_code"), sums_hold
        ),
        "scale_ascends_holds": verdict(~np.isnan(low) & ~np.isnan(high), low <= high),
        "null_agrees_with_status_holds": verdict(
            ~nulls(frame, "status"), np.where(is_ok, ~np.isnan(needed).any(axis=0), np.isnan(needed).all(axis=0))
        ),
    }


MART = Mart("index_weight", "综合指数权重集市", _COLUMNS, _KEY, _RULES, _prepare)
