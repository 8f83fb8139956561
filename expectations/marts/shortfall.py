"""Shortfall: shares that are shares, in their order, and counts that agree with them.

Here: the rules of this mart and their verdicts. Not here: how the mart is computed (warehouse).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from expectations.marts.common import (
    CLOSE,
    METRIC_STATUSES,
    Columns,
    Mart,
    close,
    everywhere,
    floats,
    key_rules,
    nulls,
    rule,
)
from expectations.model import verdict
from warehouse.catalogue import Catalogue

_KEY = ("indicator_code", "period_code", "area_type", "floor_kind", "scope", "weighting")
_MEASURES = ("p0", "p1", "p2")
_COLUMNS = (
    *_KEY,
    "floor_value",
    *_MEASURES,
    "population_below",
    "units_below",
    "units",
    "units_missing",
    "units_estimated",
    "coverage",
    "status",
)
_RULES = (
    *key_rules(_COLUMNS, _KEY),
    rule(
        "shares_in_order",
        "measures",
        "p0 {p0}, p1 {p1}, p2 {p2}: not shares, or not in their order",
        "P0 介于 0 与 1 之间；越高越好的指标 P2 ≤ P1 ≤ P0；P2 不小于 P1 的平方。",
        "P0 is 0 to 1; where more is better P2 <= P1 <= P0; P2 is at least P1 squared.",
        "Foster, Greer & Thorbecke 1984",
        evidence=_MEASURES,
    ),
    rule(
        "units_below_agree",
        "measures",
        "{units_below} of {units} units below do not agree with p0 {p0}",
        "不加权时 P0 = 低于标准的单位数 / 单位数；没有单位低于标准时各值为零。",
        "Unweighted, P0 is the units below over the units; where none is below all three are 0.",
        "warehouse/marts: shortfall",
        evidence=("units_below", "units", "p0", "p1"),
    ),
    rule(
        "population_where_weighted",
        "values",
        "weighted by {weighting}, population_below is {population_below} with status {status}",
        "仅按人口加权且状态为 ok 时才有低于标准的人口数，且不为负。",
        "People below are told where people weigh and the status is ok, and nowhere else; never negative.",
        "warehouse/marts: shortfall",
        evidence=("population_below", "weighting", "status"),
    ),
    rule(
        "units_counted",
        "measures",
        "{units} units, {units_missing} missing, {units_estimated} estimated, coverage {coverage}: no counts or no share",
        "单位数、缺失数、估计数为非负整数，估计数不超过单位数，覆盖率介于 0 与 1 之间。",
        "Units, missing and estimated ones are counts, no more estimated than there are, and coverage is a share.",
        "warehouse/marts: edge cases",
        evidence=("units", "units_missing", "units_estimated", "coverage"),
    ),
    rule(
        "status_known",
        "measures",
        "{status} is no status of a metric",
        "指标状态必须在约定范围内。",
        "The status of a metric is one of the pinned ones.",
        "docs/architecture.md: pinned values",
        column="status",
        values=METRIC_STATUSES,
        evidence=("status",),
    ),
    rule(
        "null_agrees_with_status",
        "measures",
        "status {status} with p0 {p0}, p1 {p1}, p2 {p2}, {units_below} units below",
        "状态不是 ok 时值为空，反之亦然。",
        "Measures are null exactly when the status is not ok.",
        "docs/architecture.md: pinned values, status of a metric",
        evidence=(*_MEASURES, "units_below", "status"),
    ),
)


def _prepare(frame: pd.DataFrame, catalogue: Catalogue) -> Columns:
    p0, p1, p2 = (floats(frame, column) for column in _MEASURES)
    below, people = floats(frame, "units_below"), floats(frame, "population_below")
    units, missing, estimated = (floats(frame, f"units{part}") for part in ("", "_missing", "_estimated"))
    coverage = floats(frame, "coverage")
    directions = {row.code: row.direction for row in catalogue.indicators.values()}
    more_is_better = (frame["indicator_code"].astype(str).map(directions) == "higher").to_numpy(dtype=np.bool_)
    is_plain = (frame["weighting"] == "none").to_numpy(dtype=np.bool_)
    is_ok = (frame["status"] == "ok").to_numpy(dtype=np.bool_)
    measures = (np.isnan(p0), np.isnan(p1), np.isnan(p2), np.isnan(below))
    all_null, any_null = np.logical_and.reduce(measures), np.logical_or.reduce(measures)
    bounded = (p2 <= p1 + CLOSE) & (p1 <= p0 + CLOSE)
    ordered = (p0 >= 0) & (p0 <= 1 + CLOSE) & (p1 >= 0) & (p2 >= p1 * p1 - CLOSE) & (bounded | ~more_is_better)
    with np.errstate(divide="ignore", invalid="ignore"):
        agrees = close(p0, below / units) | ~is_plain
    agrees &= (below <= units) & ((below == 0) == (p1 == 0))
    counted = (units >= 0) & (missing >= 0) & (estimated >= 0) & (estimated <= units) & (units % 1 == 0)
    told = ~np.isnan(people)
    return {
        "shares_in_order_holds": verdict(~any_null, ordered),
        "units_below_agree_holds": verdict(~any_null, agrees),
        "population_where_weighted_holds": verdict(
            ~nulls(frame, "weighting"), (told == (~is_plain & is_ok)) & ~(told & (people < 0))
        ),
        "units_counted_holds": verdict(everywhere(frame), counted & (coverage >= 0) & (coverage <= 1 + CLOSE)),
        "null_agrees_with_status_holds": verdict(~nulls(frame, "status"), np.where(is_ok, ~any_null, all_null)),
    }


MART = Mart("shortfall", "短缺集市", _COLUMNS, _KEY, _RULES, _prepare)
