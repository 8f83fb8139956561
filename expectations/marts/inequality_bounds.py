"""Bounds of inequality: intervals that are intervals, the recent within reach, nulls with a reason.

Here: the rules of this mart and their verdicts. Not here: how the mart is computed (warehouse).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from expectations.marts.common import CLOSE, METRIC_STATUSES, Columns, Mart, everywhere, floats, key_rules, nulls, rule
from expectations.model import verdict
from warehouse.catalogue import Catalogue

_KEY = ("indicator_code", "period_code", "area_type", "scope", "weighting")
_MEASURES = ("cv", "gini", "theil_t")
_ENDS = tuple(f"{measure}_{end}" for measure in _MEASURES for end in ("low", "high"))
_RECENT = tuple(f"{name}_recent" for name in _ENDS)
_COLUMNS = (
    *_KEY,
    "units",
    "units_missing",
    "plausible_low",
    "plausible_high",
    *_ENDS,
    *_RECENT,
    "status",
    "status_recent",
)
_SOURCE = "warehouse/marts: inequality_bounds"

_RULES = (
    *key_rules(_COLUMNS, _KEY),
    rule(
        "something_missing",
        "measures",
        "{units} units and {units_missing} missing",
        "仅在有单位缺失时才有区间行。",
        "A row stands only where some unit is missing and some other is not; elsewhere the interval is the value.",
        _SOURCE,
        evidence=("units", "units_missing"),
    ),
    rule(
        "intervals_in_order",
        "measures",
        "out of order: cv {cv_low}-{cv_high}, gini {gini_low}-{gini_high}, theil_t {theil_t_low}-{theil_t_high}",
        "区间下限不得高于上限，且不为负；基尼系数不超过 1。",
        "Low ends are not negative and not above high ends, a Gini is at most 1, and so of the recent intervals.",
        "Manski 2003",
        evidence=(*_ENDS, *_RECENT),
    ),
    rule(
        "status_known",
        "measures",
        "{status} or {status_recent} is no status of a metric",
        "指标状态必须在约定范围内。",
        "The status of a metric is one of the pinned ones.",
        "docs/architecture.md: pinned values",
        evidence=("status", "status_recent"),
    ),
    rule(
        "null_agrees_with_status",
        "measures",
        "status {status} with gini {gini_low}-{gini_high}, recent {status_recent} with {gini_low_recent}-{gini_high_recent}",
        "状态不是 ok 时区间为空，反之亦然。",
        "Ends are null exactly when their status is not ok.",
        "docs/architecture.md: pinned values, status of a metric",
        evidence=("status", "status_recent", "gini_low", "gini_high", "gini_low_recent", "gini_high_recent"),
    ),
)


def _prepare(frame: pd.DataFrame, catalogue: Catalogue) -> Columns:
    ends = {name: floats(frame, name) for name in (*_ENDS, *_RECENT)}
    units, missing = floats(frame, "units"), floats(frame, "units_missing")
    in_order = everywhere(frame)
    for measure in _MEASURES:
        for box in ("", "_recent"):
            low, high = ends[f"{measure}_low{box}"], ends[f"{measure}_high{box}"]
            most = 1.0 if measure == "gini" else np.inf
            in_order &= (
                np.isnan(low) | np.isnan(high) | ((low >= -CLOSE) & (low <= high + CLOSE) & (high <= most + CLOSE))
            )
    agrees = everywhere(frame)
    for status, names in (("status", _ENDS), ("status_recent", _RECENT)):
        is_ok = (frame[status] == "ok").to_numpy(dtype=np.bool_)
        blank = np.array([np.isnan(ends[name]) for name in names])
        agrees &= np.where(is_ok, ~blank.any(axis=0), blank.all(axis=0))
    known = frame["status"].isin(METRIC_STATUSES) & frame["status_recent"].isin(METRIC_STATUSES)
    has_status = ~nulls(frame, "status") & ~nulls(frame, "status_recent")
    return {
        "something_missing_holds": verdict(everywhere(frame), (units >= 1) & (missing >= 1)),
        "intervals_in_order_holds": verdict(everywhere(frame), in_order),
        "status_known_holds": verdict(has_status, known.to_numpy(dtype=np.bool_)),
        "null_agrees_with_status_holds": verdict(has_status, agrees),
    }


MART = Mart("inequality_bounds", "均衡度区间集市", _COLUMNS, _KEY, _RULES, _prepare)
