"""Shortfall risk: probabilities that are such, in the band of their name, and years that can be.

Here: the rules of this mart and their verdicts. Not here: how the mart is computed (warehouse).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from expectations.marts.common import METRIC_STATUSES, Columns, Mart, floats, key_rules, nulls, rule, texts
from expectations.model import verdict
from warehouse.catalogue import Catalogue

_KEY = ("indicator_code", "region_code", "period_code", "area_type", "floor_kind")
_COLUMNS = (
    *_KEY,
    "value",
    "floor_value",
    "years",
    "first_year",
    "slope",
    "attainment_status",
    "attainment_year",
    "next_value",
    "next_error",
    "next_floor_value",
    "probability",
    "band",
    "status",
)
_ATTAINMENTS = ("insufficient", "attained", "not_approaching", "beyond_horizon", "projected")
_ENDS, _BANDS = (0.10, 0.33, 0.67), np.array(["low", "watch", "high", "severe"], dtype=object)
_RULES = (
    *key_rules(_COLUMNS, _KEY),
    rule(
        "band_agrees",
        "measures",
        "a probability of {probability} is called {band}",
        "概率介于 0 与 1 之间，等级与概率一致。",
        "A probability is 0 to 1, and the band is the one it lies in.",
        "warehouse/measures: RISK_BANDS",
        evidence=("probability", "band"),
    ),
    rule(
        "side_agrees",
        "measures",
        "expected {next_value} against {next_floor_value}, but short with probability {probability}",
        "预期值达到标准时概率不超过一半，未达到时不低于一半。",
        "A line that ends on the good side is short with at most one half, one on the other side with at least.",
        "Student's t is symmetric",
        evidence=("next_value", "next_floor_value", "probability"),
    ),
    rule(
        "years_counted",
        "measures",
        "{years} years from {first_year}: not one to five of the past",
        "所用年份为 1 至 5 个，且不晚于本期。",
        "A line goes through one to five years, none of them later than the period.",
        "warehouse/marts: shortfall risk",
        evidence=("years", "first_year"),
    ),
    rule(
        "attainment_status_known",
        "values",
        "{attainment_status} is no status of an attainment",
        "达标状态必须在约定范围内。",
        "The status of an attainment is one of the pinned ones.",
        "docs/methods.md: attainment_projection",
        column="attainment_status",
        values=_ATTAINMENTS,
        evidence=("attainment_status",),
    ),
    rule(
        "attainment_year_agrees",
        "measures",
        "{attainment_status} with the year {attainment_year}, through years from {first_year}",
        "仅已达标或可预计达标时有达标年份，且不早于所用的第一年。",
        "There is a year exactly where it is attained or projected, and none before the first of the line.",
        "docs/methods.md: attainment_projection",
        evidence=("attainment_status", "attainment_year", "first_year"),
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
        "status {status} with probability {probability}, expected {next_value}",
        "状态不是 ok 时概率为空，反之亦然。",
        "Probability and expectation are null exactly when the status is not ok.",
        "docs/architecture.md: pinned values, status of a metric",
        evidence=("probability", "next_value", "status"),
    ),
)


def _prepare(frame: pd.DataFrame, catalogue: Catalogue) -> Columns:
    probability, expected = floats(frame, "probability"), floats(frame, "next_value")
    floor, years, first = (floats(frame, name) for name in ("next_floor_value", "years", "first_year"))
    attained_in, attainment = floats(frame, "attainment_year"), texts(frame, "attainment_status")
    signs = {row.code: {"higher": 1.0, "lower": -1.0}.get(row.direction) for row in catalogue.indicators.values()}
    sign = frame["indicator_code"].astype(str).map(signs).to_numpy(dtype=np.float64, na_value=np.nan)
    distance = sign * (expected - floor)
    is_ok = (frame["status"] == "ok").to_numpy(dtype=np.bool_)
    told = ~np.isnan(probability)
    lies_in = _BANDS[np.searchsorted(_ENDS, probability, side="right").clip(0, 3)]
    period_year = frame["period_code"].astype(str).str.extract(r"(\d{4})", expand=False).to_numpy(dtype=np.float64)
    is_dated = np.isin(attainment.astype(str), ("attained", "projected"))
    known = np.isin(attainment.astype(str), _ATTAINMENTS)
    # Within rounding of its floor a line may count on either side.
    is_near = np.abs(expected - floor) <= 1e-9 * np.maximum(np.abs(floor), np.abs(expected))
    side = np.where(distance >= 0, probability <= 0.5, probability >= 0.5) | is_near
    in_time = (first <= period_year) | np.isnan(period_year)
    return {
        "band_agrees_holds": verdict(told, (probability >= 0) & (probability <= 1) & (texts(frame, "band") == lies_in)),
        "side_agrees_holds": verdict(told & ~np.isnan(distance), side),
        "years_counted_holds": verdict(~np.isnan(years), (years >= 1) & (years <= 5) & in_time),
        "attainment_year_agrees_holds": verdict(known, (~np.isnan(attained_in) == is_dated) & ~(attained_in < first)),
        "null_agrees_with_status_holds": verdict(
            ~nulls(frame, "status"), np.where(is_ok, told & ~np.isnan(expected), ~told & np.isnan(expected))
        ),
    }


MART = Mart("shortfall_risk", "短缺风险集市", _COLUMNS, _KEY, _RULES, _prepare)
