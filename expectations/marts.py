"""The suites of the marts: what must hold before a release is published. One suite a table, ``marts.<table>``.

Here: rules and verdicts over derived frames. Not here: how the measures are computed (warehouse); the rules restate
their definitions independently, from the columns of the same row. A broken blocking check holds the release.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from expectations.model import Check, Severity, Verdict, verdict
from expectations.structure import STATUSES_WITHOUT_VALUE
from expectations.suite import Suite
from warehouse.catalogue import Catalogue

Columns = dict[str, npt.NDArray[Any]]
Booleans = npt.NDArray[np.bool_]

METRIC_STATUSES = (
    "ok",
    "insufficient_coverage",
    "undefined_negative",
    "undefined_zero_mean",
    "undefined_zero_value",
    "too_few_units",
    "no_ranking_variable",
    "across_break",
    "not_applicable",
)
# A double carries 15 to 17 digits; a ratio or sum of a few of them agrees to far better than this.
CLOSE = 1e-9

_ACTION_ZH = "发布暂停，旧版本继续有效；请数据工程师检查指标计算。"
_ACTION_EN = "The release is held and the one in force stays; a data engineer looks at the computation of this mart."


@dataclass(frozen=True)
class Mart:
    """What a mart's table must look like: its columns, its key, its rules and how their verdicts are made."""

    name: str
    title_zh: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    rules: tuple[Check, ...]
    prepare: Callable[[pd.DataFrame, Catalogue], Columns]


def _rule(
    name: str,
    subject: str,
    reason: str,
    zh: str,
    en: str,
    source: str,
    *,
    column: str = "",
    values: tuple[str, ...] = (),
    evidence: tuple[str, ...] = (),
    severity: Severity = "blocking",
) -> Check:
    """A rule of a mart: an ``in_set`` over ``column`` where ``values`` are given, else a verdict named after it."""
    return Check(
        check_id=name,
        subject=subject,
        severity=severity,
        kind="in_set" if values else "verdict",
        column=column or f"{name}_holds",
        reason=reason,
        explanation_zh=zh,
        explanation_en=en,
        action_zh=_ACTION_ZH,
        action_en=_ACTION_EN,
        source=source,
        values=values,
        evidence=evidence,
    )


def _key_rules(columns: tuple[str, ...], key: tuple[str, ...]) -> tuple[Check, ...]:
    """The rules every mart has: its columns, no null in its key, each key once."""
    source = "DESIGN: pinned columns of the marts"
    expected = Check(
        check_id="columns_expected",
        subject="keys",
        severity="blocking",
        kind="columns",
        column="",
        values=columns,
        reason="the mart has no column {column}",
        explanation_zh="集市表必须具备约定的全部列。",
        explanation_en="Dashboards rely on the pinned columns of a mart.",
        action_zh=_ACTION_ZH,
        action_en=_ACTION_EN,
        source=source,
    )
    present = [
        Check(
            check_id=f"{column}_present",
            subject="keys",
            severity="blocking",
            kind="not_null",
            column=column,
            reason=f"{column} is null",
            explanation_zh=f"主键列 {column} 不得为空。",
            explanation_en=f"{column} is part of the mart's key.",
            action_zh=_ACTION_ZH,
            action_en=_ACTION_EN,
            source=source,
        )
        for column in key
    ]
    unique = _rule(
        "key_unique",
        "keys",
        "the key stands more than once: " + ", ".join(f"{{{column}}}" for column in key),
        "主键不得重复。",
        "A mart has one row for each key; a duplicate would be counted twice in every dashboard.",
        source,
    )
    return (expected, *present, unique)


# ---------------------------------------------------------------------------------------------- steps for all marts


def _floats(frame: pd.DataFrame, column: str) -> npt.NDArray[np.float64]:
    return pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def _nulls(frame: pd.DataFrame, column: str) -> Booleans:
    return frame[column].isna().to_numpy(dtype=np.bool_)


def _texts(frame: pd.DataFrame, column: str) -> npt.NDArray[np.object_]:
    return frame[column].astype(object).to_numpy()


def _close(left: npt.NDArray[np.float64], right: npt.NDArray[np.float64]) -> Booleans:
    """Equal but for float noise; False where one of them is NaN."""
    return np.isclose(left, right, rtol=CLOSE, atol=1e-12)


def _everywhere(frame: pd.DataFrame) -> Booleans:
    return np.ones(len(frame), dtype=np.bool_)


def _judge_key(frame: pd.DataFrame, key: tuple[str, ...]) -> Verdict:
    codes = [pd.factorize(frame[column])[0] for column in key]
    combined = np.zeros(len(frame), dtype=np.int64)
    for code in codes:
        combined = combined * (int(code.max(initial=-1)) + 2) + code + 1
    whole = _everywhere(frame)
    for column in key:
        whole &= ~_nulls(frame, column)
    return verdict(whole, ~pd.Series(combined).duplicated(keep=False).to_numpy())


# ---------------------------------------------------------------------------------------------------- observation

_OBSERVATION_KEY = ("indicator_code", "region_code", "period_code", "area_type")
_OBSERVATION_COLUMNS = (*_OBSERVATION_KEY, "value", "obs_status")
_OBSERVATION_RULES = (
    *_key_rules(_OBSERVATION_COLUMNS, _OBSERVATION_KEY),
    _rule(
        "value_finite",
        "values",
        "the figure is infinite",
        "数值必须是有限数。",
        "A published figure is a finite number.",
        "a rate over a denominator of 0 is undefined, not infinite",
    ),
    _rule(
        "status_agrees_with_value",
        "values",
        "the figure is {value} but its status is {obs_status}",
        "空值必须有缺失状态，有数则不得标为缺失。",
        "A null figure has a status that says so, and a figure never has such a status.",
        "DESIGN fine print: a blank is never 0",
        evidence=("obs_status",),
    ),
    _rule(
        "nation_sum",
        "values",
        "the nation's {value:.12g} is not the sum {sum_of_provinces:.12g} of its 31 provinces",
        "全国数等于 31 省之和。",
        "The national row of a count is the sum over the provinces.",
        "DESIGN fine print: provinces",
        evidence=("sum_of_provinces",),
    ),
)


def _prepare_observation(frame: pd.DataFrame, catalogue: Catalogue) -> Columns:
    value = _floats(frame, "value")
    says_blank = frame["obs_status"].isin(STATUSES_WITHOUT_VALUE).to_numpy(dtype=np.bool_)
    return {
        "value_finite_holds": verdict(~np.isnan(value), np.isfinite(value)),
        "status_agrees_with_value_holds": verdict(~_nulls(frame, "obs_status"), says_blank == np.isnan(value)),
        **_judge_nation(frame, catalogue, value),
    }


def _judge_nation(frame: pd.DataFrame, catalogue: Catalogue, value: npt.NDArray[np.float64]) -> Columns:
    """Asked only where the frame holds all provinces of the row's indicator, period and area type."""
    sums = {code for code, indicator in catalogue.indicators.items() if indicator.aggregation == "sum"}
    counted = frame["indicator_code"].isin(sums).to_numpy(dtype=np.bool_) & ~np.isnan(value)
    nation = counted & (frame["region_code"] == "000000").to_numpy(dtype=np.bool_)
    province = counted & frame["region_code"].isin(set(catalogue.provinces)).to_numpy(dtype=np.bool_)
    slices = ["indicator_code", "period_code", "area_type"]
    members = frame.loc[province, slices].astype(str).assign(value=value[province])
    sums_found = members.groupby(slices, sort=False)["value"].agg(["sum", "count"]).reset_index()
    rows = frame.loc[nation, slices].astype(str).merge(sums_found, on=slices, how="left")
    whole = rows["count"].to_numpy(dtype=np.float64) == len(catalogue.provinces)
    together = np.full(len(frame), np.nan)
    together[nation] = np.where(whole, rows["sum"].to_numpy(dtype=np.float64), np.nan)
    return {
        "sum_of_provinces": together,
        "nation_sum_holds": verdict(~np.isnan(together), _close(value, together)),
    }


# ----------------------------------------------------------------------------------------------------- attainment

_ATTAINMENT_KEY = ("indicator_code", "region_code", "period_code", "area_type", "floor_kind")
_ATTAINMENT_COLUMNS = (*_ATTAINMENT_KEY, "value", "floor_value", "margin", "attained")
_ATTAINMENT_RULES = (
    *_key_rules(_ATTAINMENT_COLUMNS, _ATTAINMENT_KEY),
    _rule(
        "floor_kind_known",
        "values",
        "{floor_kind} is no kind of standard",
        "标准类型只能是底线、目标或参考值。",
        "A standard is a floor, a target or a reference.",
        "DESIGN fine print: standards",
        column="floor_kind",
        values=("floor", "target", "reference"),
    ),
    _rule(
        "attained_agrees_with_margin",
        "measures",
        "attained is {attained} with a margin of {margin}",
        "达标当且仅当余量不小于零。",
        "A place attains a standard exactly when its margin is not negative.",
        "METHODS: attainment",
        evidence=("margin", "attained"),
    ),
    _rule(
        "margin_agrees_with_floor",
        "measures",
        "the margin is {margin}, value {value} against floor {floor_value} gives {expected_margin}",
        "余量 =（值 − 标准）/ 标准，越低越好的指标取反。",
        "The margin is (value - floor) / floor, turned round where lower is better.",
        "METHODS: attainment",
        evidence=("margin", "floor_value", "expected_margin"),
    ),
    _rule(
        "null_together",
        "values",
        "value {value}, margin {margin} and attained {attained} are not null together",
        "值、余量、是否达标须同时为空或同时有值。",
        "Where there is no figure there is no margin and no verdict.",
        "METHODS: a blank is never 0",
        evidence=("margin", "attained"),
    ),
)


def _prepare_attainment(frame: pd.DataFrame, catalogue: Catalogue) -> Columns:
    value, floor, margin = (_floats(frame, column) for column in ("value", "floor_value", "margin"))
    no_verdict = _nulls(frame, "attained")
    attained = frame["attained"].astype("boolean").fillna(False).to_numpy(dtype=np.bool_)
    sign = _sign_of_standards(frame, catalogue)
    expected = np.divide(sign * (value - floor), np.abs(floor), out=np.full(len(frame), np.nan), where=floor != 0)
    computable = ~np.isnan(expected) & ~np.isnan(margin)
    # a figure within 1e-9 of its floor stands at the floor, so its margin is 0
    agrees = _close(margin, expected) | ((margin == 0) & (np.abs(expected) <= CLOSE))
    no_value = np.isnan(value) | (floor == 0)
    return {
        "expected_margin": expected,
        "attained_agrees_with_margin_holds": verdict(~no_verdict & ~np.isnan(margin), attained == (margin >= 0)),
        "margin_agrees_with_floor_holds": verdict(computable, agrees),
        "null_together_holds": verdict(
            _everywhere(frame), (np.isnan(margin) == no_value) & (no_verdict == np.isnan(value))
        ),
    }


def _sign_of_standards(frame: pd.DataFrame, catalogue: Catalogue) -> npt.NDArray[np.float64]:
    """1 where more is better, -1 where less is; NaN where the catalogue has no such standard."""
    signs = {standard.indicator_code: 1.0 if standard.op == ">=" else -1.0 for standard in catalogue.standards}
    found = frame["indicator_code"].astype(str).map(signs)
    return np.asarray(found.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)


# ------------------------------------------------------------------------------------------------ urban_rural_gap

_GAP_KEY = ("indicator_code", "region_code", "period_code")
_GAP_COLUMNS = (*_GAP_KEY, "urban_value", "rural_value", "ratio", "difference", "disadvantaged", "status")
_GAP_EVIDENCE = ("urban_value", "rural_value", "ratio", "difference", "disadvantaged", "status")
_GAP_RULES = (
    *_key_rules(_GAP_COLUMNS, _GAP_KEY),
    _rule(
        "ratio_agrees",
        "measures",
        "ratio {ratio} is not urban {urban_value} over rural {rural_value}",
        "城乡比 = 城镇值 / 乡村值。",
        "The ratio is urban over rural.",
        "METHODS: urban-rural gap",
        evidence=_GAP_EVIDENCE,
    ),
    _rule(
        "difference_agrees",
        "measures",
        "difference {difference} is not urban {urban_value} less rural {rural_value}",
        "城乡差 = 城镇值 − 乡村值。",
        "The difference is urban less rural.",
        "METHODS: urban-rural gap",
        evidence=_GAP_EVIDENCE,
    ),
    _rule(
        "disadvantaged_known",
        "values",
        "{disadvantaged} is no side",
        "弱势方只能是城镇、乡村或无。",
        "The disadvantaged side is urban, rural or none.",
        "DESIGN: pinned values",
        column="disadvantaged",
        values=("urban", "rural", "none"),
        evidence=_GAP_EVIDENCE,
    ),
    _rule(
        "disadvantaged_agrees",
        "measures",
        "{disadvantaged} is called worse off with urban {urban_value} and rural {rural_value}",
        "弱势方由指标方向决定。",
        "The indicator's direction says which side is worse off.",
        "METHODS: urban-rural gap; catalogue: direction",
        evidence=_GAP_EVIDENCE,
    ),
    _rule(
        "status_known",
        "values",
        "{status} is no status of a metric",
        "指标状态必须在约定范围内。",
        "The status of a metric is one of the pinned ones.",
        "DESIGN: pinned values",
        column="status",
        values=METRIC_STATUSES,
        evidence=_GAP_EVIDENCE,
    ),
    _rule(
        "null_agrees_with_status",
        "values",
        "the ratio is {ratio} with status {status}",
        "状态不是 ok 时值为空，反之亦然。",
        "A ratio is null exactly when the status is not ok.",
        "DESIGN: pinned values, status of a metric",
        evidence=_GAP_EVIDENCE,
    ),
)


def _prepare_gap(frame: pd.DataFrame, catalogue: Catalogue) -> Columns:
    urban, rural = _floats(frame, "urban_value"), _floats(frame, "rural_value")
    ratio, difference = _floats(frame, "ratio"), _floats(frame, "difference")
    both = ~np.isnan(urban) & ~np.isnan(rural)
    is_known = frame["indicator_code"].isin(set(catalogue.indicators)).to_numpy(dtype=np.bool_)
    expected = np.divide(urban, rural, out=np.full(len(frame), np.nan), where=both & (rural != 0))
    side = _texts(frame, "disadvantaged")
    is_ok = (frame["status"] == "ok").to_numpy(dtype=np.bool_)
    return {
        "ratio_agrees_holds": verdict(~np.isnan(ratio), _close(ratio, expected)),
        "difference_agrees_holds": verdict(~np.isnan(difference), _close(difference, urban - rural)),
        "disadvantaged_agrees_holds": verdict(
            both & is_known & ~_nulls(frame, "disadvantaged"), side == _worse_side(frame, catalogue, urban, rural)
        ),
        "null_agrees_with_status_holds": verdict(~_nulls(frame, "status"), is_ok != np.isnan(ratio)),
    }


def _worse_side(
    frame: pd.DataFrame, catalogue: Catalogue, urban: npt.NDArray[np.float64], rural: npt.NDArray[np.float64]
) -> npt.NDArray[np.object_]:
    directions = {"higher": 1.0, "lower": -1.0, "neutral": 0.0}
    sign_of = {code: directions[indicator.direction] for code, indicator in catalogue.indicators.items()}
    sign = frame["indicator_code"].astype(str).map(sign_of).fillna(0.0).to_numpy(dtype=np.float64)
    advantage = sign * (urban - rural)
    side = np.full(len(frame), "none", dtype=object)
    side[advantage < 0] = "urban"
    side[advantage > 0] = "rural"
    return side


# ----------------------------------------------------------------------------------------------------- inequality

_INEQUALITY_KEY = ("indicator_code", "period_code", "area_type", "scope", "weighting")
_MEASURES = ("cv", "gini", "theil_t")
_INEQUALITY_COLUMNS = (
    *_INEQUALITY_KEY,
    "units",
    "units_missing",
    "coverage",
    *_MEASURES,
    "theil_t_within",
    "theil_t_between",
    "status",
)
_INEQUALITY_EVIDENCE = ("units", "units_missing", "coverage", *_MEASURES, "status")


def _measure(name: str, reason: str, zh: str, en: str, source: str, **more: Any) -> Check:
    return _rule(name, "measures", reason, zh, en, source, **{"evidence": _INEQUALITY_EVIDENCE, **more})


_INEQUALITY_RULES = (
    *_key_rules(_INEQUALITY_COLUMNS, _INEQUALITY_KEY),
    _measure(
        "theil_sums",
        "within {theil_t_within} and between {theil_t_between} do not make {theil_t}",
        "泰尔指数 = 组内 + 组间。",
        "Theil's T is its within and its between part, to 1e-9.",
        "METHODS: Theil decomposition",
        evidence=("theil_t", "theil_t_within", "theil_t_between", "units"),
    ),
    _measure(
        "gini_in_range",
        "gini {gini} is outside 0 to 1 (unweighted: to 1 - 1/{units})",
        "基尼系数介于 0 与 1 之间；不加权时不超过 1 − 1/n。",
        "A Gini is 0 to 1, unweighted at most 1 - 1/n.",
        "Gini 1912",
    ),
    _measure(
        "cv_in_range",
        "cv {cv} is negative (or unweighted above the root of {units} - 1)",
        "变异系数不为负；不加权时不超过 √(n−1)。",
        "A CV is not negative, unweighted at most sqrt(n - 1).",
        "METHODS: CV, population form",
    ),
    _measure(
        "theil_in_range",
        "theil_t {theil_t} is negative (or unweighted above ln {units})",
        "泰尔指数不为负；不加权时不超过 ln n。",
        "Theil's T is not negative, unweighted at most ln n.",
        "Theil 1967",
    ),
    _measure(
        "coverage_in_range",
        "coverage {coverage} is outside 0 to 1",
        "覆盖率介于 0 与 1 之间。",
        "Coverage is a share.",
        "METHODS: edge cases",
    ),
    _measure(
        "units_counted",
        "{units} units and {units_missing} missing are no counts",
        "单位数与缺失数为非负整数；状态为 ok 时至少有一个单位。",
        "Units and missing units are counts, and an ok row rests on at least one unit.",
        "METHODS: edge cases",
    ),
    _measure(
        "weighting_known",
        "{weighting} is no weighting",
        "加权方式只能是不加权或按人口。",
        "A row is weighted by nothing or by population.",
        "DESIGN: pinned values",
        column="weighting",
        values=("none", "population"),
    ),
    _measure(
        "status_known",
        "{status} is no status of a metric",
        "指标状态必须在约定范围内。",
        "The status of a metric is one of the pinned ones.",
        "DESIGN: pinned values",
        column="status",
        values=METRIC_STATUSES,
    ),
    _measure(
        "null_agrees_with_status",
        "status {status} with cv {cv}, gini {gini}, theil_t {theil_t}",
        "状态不是 ok 时值为空，反之亦然。",
        "Measures are null exactly when the status is not ok.",
        "DESIGN: pinned values, status of a metric",
    ),
)


def _prepare_inequality(frame: pd.DataFrame, catalogue: Catalogue) -> Columns:
    cv, gini, theil = (_floats(frame, column) for column in _MEASURES)
    within, between = _floats(frame, "theil_t_within"), _floats(frame, "theil_t_between")
    units, missing, coverage = (_floats(frame, column) for column in ("units", "units_missing", "coverage"))
    # the bounds of unweighted measures over n units; a weight can push a single unit's share towards 1
    n = np.where((frame["weighting"] == "none").to_numpy(dtype=np.bool_) & (units >= 1), units, np.inf)
    is_ok = (frame["status"] == "ok").to_numpy(dtype=np.bool_)
    any_null = np.isnan(cv) | np.isnan(gini) | np.isnan(theil)
    all_null = np.isnan(cv) & np.isnan(gini) & np.isnan(theil)
    counts = (units >= 0) & (missing >= 0) & (units % 1 == 0) & (missing % 1 == 0) & ~(is_ok & (units < 1))
    return {
        "theil_sums_holds": verdict(~np.isnan(within) | ~np.isnan(between), np.abs(within + between - theil) <= CLOSE),
        "gini_in_range_holds": verdict(~np.isnan(gini), (gini >= -CLOSE) & (gini <= 1 - 1 / n + CLOSE)),
        "cv_in_range_holds": verdict(~np.isnan(cv), (cv >= -CLOSE) & (cv <= np.sqrt(n - 1) * (1 + CLOSE) + CLOSE)),
        "theil_in_range_holds": verdict(~np.isnan(theil), (theil >= -CLOSE) & (theil <= np.log(n) + CLOSE)),
        "coverage_in_range_holds": verdict(~np.isnan(coverage), (coverage >= 0) & (coverage <= 1 + CLOSE)),
        "units_counted_holds": verdict(_everywhere(frame), counts),
        "null_agrees_with_status_holds": verdict(~_nulls(frame, "status"), np.where(is_ok, ~any_null, all_null)),
    }


# ------------------------------------------------------------------------------------------------------ all marts

MARTS: dict[str, Mart] = {
    mart.name: mart
    for mart in (
        Mart(
            "observation",
            "观测值集市",
            _OBSERVATION_COLUMNS,
            _OBSERVATION_KEY,
            _OBSERVATION_RULES,
            _prepare_observation,
        ),
        Mart("attainment", "达标集市", _ATTAINMENT_COLUMNS, _ATTAINMENT_KEY, _ATTAINMENT_RULES, _prepare_attainment),
        Mart("urban_rural_gap", "城乡差距集市", _GAP_COLUMNS, _GAP_KEY, _GAP_RULES, _prepare_gap),
        Mart("inequality", "均衡度集市", _INEQUALITY_COLUMNS, _INEQUALITY_KEY, _INEQUALITY_RULES, _prepare_inequality),
    )
}


def _suites(marts: Iterable[Mart]) -> tuple[Suite, ...]:
    named = [(f"marts.{mart.name}", mart) for mart in marts]
    return tuple(Suite(name, mart.title_zh, tuple(rule.bind(name) for rule in mart.rules)) for name, mart in named)


SUITES = _suites(MARTS.values())


def prepare_mart(suite: str, frame: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """The check table of a mart (``suite`` is ``marts.<table>``): its frame with verdicts beside it.

    A mart without one of its columns is given back as it is: its other rules are then not evaluated.
    """
    mart = MARTS[suite.removeprefix("marts.")]
    if not set(mart.columns) <= set(frame.columns):
        return frame
    columns = {"key_unique_holds": _judge_key(frame, mart.key), **mart.prepare(frame, catalogue)}
    return pd.concat([frame, pd.DataFrame(columns, index=frame.index)], axis=1)
