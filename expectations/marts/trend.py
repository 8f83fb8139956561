"""Trend: words that agree with the numbers beside them.

Here: the rules of this mart and their verdicts. Not here: how the mart is computed (warehouse).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from expectations.marts.common import (
    CLOSE,
    METRIC_STATUSES,
    Booleans,
    Columns,
    Mart,
    everywhere,
    floats,
    key_rules,
    nulls,
    rule,
    texts,
)
from expectations.model import verdict
from warehouse.catalogue import Catalogue

_KEY = ("indicator_code", "region_code", "period_code", "area_type")
_MEASURES = ("s", "probability", "slope", "slope_low", "slope_high")
_WORDS = ("trend", "against_nation", "against_floor", "finding")
_COLUMNS = (*_KEY, "years", "value", *_MEASURES, "nation_value", "floor_value", *_WORDS, "status")
_SOURCE = "warehouse/marts: trend"
_SIGNIFICANT = 0.05
_NEAR = 0.05
_FEWEST_YEARS = 5

_RULES = (
    *key_rules(_COLUMNS, _KEY),
    rule(
        "trend_agrees_with_test",
        "measures",
        "{trend} with S {s} and probability {probability}",
        "仅当检验概率低于 0.05 时才称有趋势，其方向须与 S 的符号和指标方向一致。",
        "A trend is called one under a probability of 5 %, in the direction of S and of the indicator.",
        "Mann 1945; Kendall 1975",
        evidence=("trend", "s", "probability"),
    ),
    rule(
        "slope_in_interval",
        "measures",
        "slope {slope} is not between {slope_low} and {slope_high}",
        "斜率须在其 95% 区间之内。",
        "A Theil-Sen slope lies in its interval.",
        "Sen 1968",
        evidence=("slope", "slope_low", "slope_high"),
    ),
    rule(
        "level_agrees_with_values",
        "measures",
        "{against_nation} with {value} against the nation's {nation_value}",
        "与全国相比的好、近、差须与数值一致（相差 5% 以内为近）。",
        "Better, near and worse follow from the figure, the nation's, and the indicator's direction; near is within 5 %.",
        _SOURCE,
        evidence=("against_nation", "value", "nation_value"),
    ),
    rule(
        "floor_agrees_with_values",
        "measures",
        "{against_floor} with {value} against the floor {floor_value}",
        "达到或低于底线须与数值一致。",
        "Under and met follow from the figure and the floor.",
        _SOURCE,
        evidence=("against_floor", "value", "floor_value"),
    ),
    rule(
        "finding_joins_its_words",
        "measures",
        "{finding} of {against_nation} and {trend}",
        "结论由水平与趋势两词组成；缺一则为空。",
        "A finding is made of level and trend, and null where either is.",
        _SOURCE,
        evidence=("finding", "against_nation", "trend"),
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
        "status {status} with {years} years and trend {trend}",
        "状态 ok 须至少五年且有趋势；否则趋势各列为空。",
        "An ok row has a trend of at least five years, any other has none.",
        "docs/architecture.md: pinned values, status of a metric",
        evidence=("status", "years", "trend", "s"),
    ),
)


def _prepare(frame: pd.DataFrame, catalogue: Catalogue) -> Columns:
    s, probability, slope, low, high = (floats(frame, column) for column in _MEASURES)
    value, nation, floor, years = (
        floats(frame, column) for column in ("value", "nation_value", "floor_value", "years")
    )
    trend, level, met, finding = (_words(frame, column) for column in _WORDS)
    is_ok = (frame["status"] == "ok").to_numpy(dtype=np.bool_)
    sign = _signs(frame, catalogue)
    is_known = ~np.isnan(sign)
    measures = [s, probability, slope, low, high]
    none_null = ~np.any([np.isnan(part) for part in measures], axis=0) & (trend != "") & (years >= _FEWEST_YEARS)
    all_null = np.all([np.isnan(part) for part in measures], axis=0) & (trend == "")
    tolerance = CLOSE * np.maximum(1.0, np.abs(slope))
    return {
        "trend_agrees_with_test_holds": verdict((trend != "") & is_known, _trend_follows(trend, s, probability, sign)),
        "slope_in_interval_holds": verdict(~np.isnan(slope), (low <= slope + tolerance) & (slope <= high + tolerance)),
        "level_agrees_with_values_holds": verdict((level != "") & is_known, _level_follows(level, value, nation, sign)),
        "floor_agrees_with_values_holds": verdict(
            ((met != "") | ~np.isnan(floor)) & is_known, _floor_follows(met, value, floor, sign)
        ),
        "finding_joins_its_words_holds": verdict(everywhere(frame), _finding_follows(finding, level, trend)),
        "null_agrees_with_status_holds": verdict(~nulls(frame, "status"), np.where(is_ok, none_null, all_null)),
    }


def _words(frame: pd.DataFrame, column: str) -> npt.NDArray[np.object_]:
    """A column of words, "" where it is null."""
    return np.where(nulls(frame, column), "", texts(frame, column)).astype(object)


def _signs(frame: pd.DataFrame, catalogue: Catalogue) -> npt.NDArray[np.float64]:
    """1 where more is better, -1 where less is, 0 where neither; NaN of an indicator that is not in the catalogue."""
    signs = {row.code: {"higher": 1.0, "lower": -1.0}.get(row.direction, 0.0) for row in catalogue.indicators.values()}
    found = frame["indicator_code"].astype(str).map(signs)
    return np.asarray(found.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)


def _trend_follows(
    trend: npt.NDArray[np.object_],
    s: npt.NDArray[np.float64],
    probability: npt.NDArray[np.float64],
    sign: npt.NDArray[np.float64],
) -> Booleans:
    rises, falls = s > 0, s < 0
    expected = np.select(
        [
            ~(probability < _SIGNIFICANT),
            (sign > 0) & rises | (sign < 0) & falls,
            (sign > 0) & falls | (sign < 0) & rises,
        ],
        ["steady", "improving", "worsening"],
        np.where(rises, "rising", "falling"),
    )
    return np.asarray(trend == expected, dtype=np.bool_)


def _level_follows(
    level: npt.NDArray[np.object_],
    value: npt.NDArray[np.float64],
    nation: npt.NDArray[np.float64],
    sign: npt.NDArray[np.float64],
) -> Booleans:
    far = np.where(
        sign == 0, np.where(value > nation, "above", "below"), np.where(sign * (value - nation) > 0, "better", "worse")
    )
    # A figure just at the edge of near may fall on either side by the last digit.
    distance, edge = np.abs(value - nation), _NEAR * np.abs(nation)
    is_edge = np.abs(distance - edge) <= CLOSE * np.maximum(1.0, edge)
    follows = np.where(distance <= edge, level == "near", level == far) | (
        is_edge & ((level == "near") | (level == far))
    )
    return np.asarray(follows & ~np.isnan(nation), dtype=np.bool_)


def _floor_follows(
    met: npt.NDArray[np.object_],
    value: npt.NDArray[np.float64],
    floor: npt.NDArray[np.float64],
    sign: npt.NDArray[np.float64],
) -> Booleans:
    margin = sign * (value - floor)
    is_at = np.abs(margin) <= CLOSE * np.maximum(1.0, np.abs(floor))
    follows = np.where(margin >= 0, met == "met", met == "under") | (is_at & (met == "met"))
    return np.asarray(follows & ~np.isnan(floor), dtype=np.bool_)


def _finding_follows(
    finding: npt.NDArray[np.object_], level: npt.NDArray[np.object_], trend: npt.NDArray[np.object_]
) -> Booleans:
    is_contrary = (level == "worse") & (trend == "improving") | (level == "better") & (trend == "worsening")
    joined = level + np.where(is_contrary, "_but_", "_and_").astype(object) + trend
    return np.asarray(finding == np.where((level == "") | (trend == ""), "", joined), dtype=np.bool_)


MART = Mart("trend", "趋势集市", _COLUMNS, _KEY, _RULES, _prepare)
