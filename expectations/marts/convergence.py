"""Convergence: the word agrees with the slopes, the speed with its half-life, what a row rests on with its status.

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

_KEY = ("indicator_code", "period_code", "area_type", "scope")
_MEASURES = ("cv_first", "cv_last", "cv_slope", "sd_log_slope", "beta", "speed", "half_life")
_COLUMNS = (*_KEY, "years", "units", "units_missing", "coverage", *_MEASURES, "convergence", "status")
_SOURCE = "warehouse/marts: convergence"

_RULES = (
    *key_rules(_COLUMNS, _KEY),
    rule(
        "word_agrees_with_slopes",
        "measures",
        "{convergence} with a CV slope of {cv_slope} and of logarithms {sd_log_slope}",
        "趋同须两个 σ 斜率均为负，趋异须均为正。",
        "Converging needs slopes below 0, diverging slopes above 0.",
        _SOURCE,
        evidence=("convergence", "cv_slope", "sd_log_slope"),
    ),
    rule(
        "half_life_agrees_with_speed",
        "measures",
        "a half-life of {half_life} at a speed of {speed}",
        "半衰期 = ln2 / 收敛速度；速度不为正则无半衰期。",
        "A half-life is ln 2 over the speed, and there is none at a speed that is not positive.",
        "Barro & Sala-i-Martin 1992",
        evidence=("speed", "half_life"),
    ),
    rule(
        "counted",
        "measures",
        "{units} units, {units_missing} missing, {years} years, coverage {coverage}",
        "单位数、缺失数、年数为计数，覆盖率 = 单位数 /（单位数 + 缺失数）；状态 ok 须至少三年、三个单位。",
        "Units, missing units and years are counts, coverage is their share; an ok row has at least three of both.",
        _SOURCE,
        evidence=("units", "units_missing", "years", "coverage", "status"),
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
        "status {status} with a CV slope of {cv_slope}, {convergence}",
        "状态不是 ok 时值为空，反之亦然。",
        "Measures are null exactly when the status is not ok; beside ok, beta and the logarithms may be null.",
        "docs/architecture.md: pinned values, status of a metric",
        evidence=("status", "cv_slope", "convergence"),
    ),
)


def _prepare(frame: pd.DataFrame, catalogue: Catalogue) -> Columns:
    slope, log_slope, speed, half_life = (
        floats(frame, column) for column in ("cv_slope", "sd_log_slope", "speed", "half_life")
    )
    units, missing, years, coverage = (
        floats(frame, column) for column in ("units", "units_missing", "years", "coverage")
    )
    word = frame["convergence"].astype(object).where(frame["convergence"].notna(), "").to_numpy()
    is_ok = (frame["status"] == "ok").to_numpy(dtype=np.bool_)
    second = np.where(np.isnan(log_slope), slope, log_slope)
    follows = np.select(
        [word == "converging", word == "diverging"],
        [(slope < 0) & (second < 0), (slope > 0) & (second > 0)],
        word == "none",
    )
    has_speed = speed > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        lives = np.where(has_speed, close(half_life, np.log(2) / speed), np.isnan(half_life))
        share = np.abs(coverage - np.where(units + missing > 0, units / (units + missing), 0.0)) <= CLOSE
    counts = (units >= 0) & (missing >= 0) & (years >= 0) & share & ~(is_ok & ((years < 3) | (units < 3)))
    all_null = np.all([np.isnan(floats(frame, name)) for name in _MEASURES], axis=0) & (word == "")
    return {
        "word_agrees_with_slopes_holds": verdict(word != "", follows.astype(np.bool_)),
        "half_life_agrees_with_speed_holds": verdict(~np.isnan(speed) | ~np.isnan(half_life), lives),
        "counted_holds": verdict(everywhere(frame), counts),
        "null_agrees_with_status_holds": verdict(
            ~nulls(frame, "status"), np.where(is_ok, ~np.isnan(slope) & (word != ""), all_null)
        ),
    }


MART = Mart("convergence", "趋同集市", _COLUMNS, _KEY, _RULES, _prepare)
