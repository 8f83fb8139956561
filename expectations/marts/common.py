"""What the suites of all marts share: the shape of a rule and of a mart, rules of keys, small steps on columns.

Not here: any one mart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from expectations.model import Check, Severity, Verdict, verdict
from expectations.structure import STATUSES_WITHOUT_VALUE
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
    "too_few_years",
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


def rule(
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


def key_rules(columns: tuple[str, ...], key: tuple[str, ...]) -> tuple[Check, ...]:
    """The rules every mart has: its columns, no null in its key, each key once."""
    source = "docs/architecture.md: pinned columns of the marts"
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
    unique = rule(
        "key_unique",
        "keys",
        "the key stands more than once: " + ", ".join(f"{{{column}}}" for column in key),
        "主键不得重复。",
        "A mart has one row for each key; a duplicate would be counted twice in every dashboard.",
        source,
    )
    return (expected, *present, unique)


def units_rule(evidence: tuple[str, ...]) -> Check:
    """The rule of the columns ``units``, ``units_missing`` and ``coverage``, judged by :func:`judge_units`."""
    return rule(
        "units_counted",
        "measures",
        "{units} units and {units_missing} missing make no coverage of {coverage}",
        "单位数与缺失数为非负整数，覆盖率为两者之比；状态为 ok 时至少有一个单位。",
        "Units and missing units are counts, coverage is their share, and an ok row rests on at least one unit.",
        "warehouse/marts: edge cases",
        evidence=tuple(dict.fromkeys((*evidence, "units", "units_missing", "coverage"))),
    )


def status_rule(evidence: tuple[str, ...]) -> Check:
    """The rule of the column ``status`` of a metric."""
    return rule(
        "status_known",
        "values",
        "{status} is no status of a metric",
        "指标状态必须在约定范围内。",
        "The status of a metric is one of the pinned ones.",
        "docs/architecture.md: pinned values",
        column="status",
        values=METRIC_STATUSES,
        evidence=evidence,
    )


VALUE_RULES = (
    rule(
        "value_finite",
        "values",
        "the figure is infinite",
        "数值必须是有限数。",
        "A published figure is a finite number.",
        "a rate over a denominator of 0 is undefined, not infinite",
    ),
    rule(
        "status_agrees_with_value",
        "values",
        "the figure is {value} but its status is {obs_status}",
        "空值必须有缺失状态，有数则不得标为缺失。",
        "A null figure has a status that says so, and a figure never has such a status.",
        "docs/architecture.md: a blank is never 0",
        evidence=("obs_status",),
    ),
)
"""The rules of a mart of figures with their status."""


def judge_values(frame: pd.DataFrame) -> Columns:
    """The verdicts of :data:`VALUE_RULES`, of the columns ``value`` and ``obs_status``."""
    value = floats(frame, "value")
    says_blank = frame["obs_status"].isin(STATUSES_WITHOUT_VALUE).to_numpy(dtype=np.bool_)
    return {
        "value_finite_holds": verdict(~np.isnan(value), np.isfinite(value)),
        "status_agrees_with_value_holds": verdict(~nulls(frame, "obs_status"), says_blank == np.isnan(value)),
    }


def judge_units(frame: pd.DataFrame) -> Verdict:
    """The verdict of :func:`units_rule`."""
    units, missing, coverage = (floats(frame, column) for column in ("units", "units_missing", "coverage"))
    is_ok = (frame["status"] == "ok").to_numpy(dtype=np.bool_)
    is_count = (units >= 0) & (missing >= 0) & (units % 1 == 0) & (missing % 1 == 0) & ~(is_ok & (units < 1))
    share = units / np.maximum(units + missing, 1)
    return verdict(everywhere(frame), is_count & (np.abs(coverage - share) <= CLOSE))


def floats(frame: pd.DataFrame, column: str) -> npt.NDArray[np.float64]:
    """A column as floats, NaN where it is null or no number."""
    return pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def nulls(frame: pd.DataFrame, column: str) -> Booleans:
    """Where a column is null."""
    return frame[column].isna().to_numpy(dtype=np.bool_)


def texts(frame: pd.DataFrame, column: str) -> npt.NDArray[np.object_]:
    """A column as Python objects, so that categories compare as texts."""
    return frame[column].astype(object).to_numpy()


def close(left: npt.NDArray[np.float64], right: npt.NDArray[np.float64]) -> Booleans:
    """Equal but for float noise; False where one of them is NaN."""
    return np.isclose(left, right, rtol=CLOSE, atol=1e-12)


def everywhere(frame: pd.DataFrame) -> Booleans:
    """True in every row."""
    return np.ones(len(frame), dtype=np.bool_)


def judge_key(frame: pd.DataFrame, key: tuple[str, ...]) -> Verdict:
    """Whether each row's key, where it is whole, stands once in the frame."""
    codes = [pd.factorize(frame[column])[0] for column in key]
    combined = np.zeros(len(frame), dtype=np.int64)
    for code in codes:
        combined = combined * (int(code.max(initial=-1)) + 2) + code + 1
    whole = everywhere(frame)
    for column in key:
        whole &= ~nulls(frame, column)
    return verdict(whole, ~pd.Series(combined).duplicated(keep=False).to_numpy())
