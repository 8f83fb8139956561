"""Coupling of sectors: coordination that follows from coupling and level, and these from the scores.

Here: the rules of this mart and their verdicts. Not here: how the mart is computed (warehouse).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from expectations.marts.common import (
    CLOSE,
    Columns,
    Mart,
    close,
    floats,
    judge_units,
    key_rules,
    nulls,
    rule,
    status_rule,
    units_rule,
)
from expectations.model import verdict
from warehouse.catalogue import Catalogue

_KEY = ("indicator_code", "region_code", "period_code")
_SCORES = ("score_employment", "score_education", "score_health")
_MEASURES = ("coupling", "level", "coordination")
_COLUMNS = (*_KEY, *_SCORES, *_MEASURES, "units", "units_missing", "coverage", "status")
_EVIDENCE = (*_SCORES, *_MEASURES, "status")
_RULES = (
    *key_rules(_COLUMNS, _KEY),
    rule(
        "level_agrees",
        "measures",
        "level {level} is not the mean of {score_employment}, {score_education} and {score_health}",
        "综合水平 T 为三个部门得分的均值。",
        "The level is the mean of the three sector scores.",
        "docs/methods.md: coupling_coordination",
        evidence=_EVIDENCE,
    ),
    rule(
        "coordination_agrees",
        "measures",
        "coordination {coordination} is not the root of coupling {coupling} times level {level}, or one is outside 0 to 1",
        "协调度 D = √(C·T)，三者介于 0 与 1 之间。",
        "Coordination is the root of coupling times level, all from 0 to 1.",
        "docs/methods.md: coupling_coordination",
        evidence=_EVIDENCE,
    ),
    units_rule(_EVIDENCE),
    status_rule(_EVIDENCE),
    rule(
        "null_agrees_with_status",
        "values",
        "status {status} with coupling {coupling}, level {level}, coordination {coordination}",
        "状态不是 ok 时值为空，反之亦然。",
        "Measures are null exactly when the status is not ok.",
        "docs/architecture.md: pinned values, status of a metric",
        evidence=_EVIDENCE,
    ),
)


def _prepare(frame: pd.DataFrame, catalogue: Catalogue) -> Columns:
    scores = np.array([floats(frame, column) for column in _SCORES])
    measures = np.array([floats(frame, column) for column in _MEASURES])
    coupling, level, coordination = measures
    with np.errstate(invalid="ignore"):
        is_inside = ((measures >= -CLOSE) & (measures <= 1 + CLOSE)).all(axis=0)
        expected = np.sqrt(np.maximum(coupling * level, 0))
    has_all = ~np.isnan(measures).any(axis=0)
    is_ok = (frame["status"] == "ok").to_numpy(dtype=np.bool_)
    return {
        "level_agrees_holds": verdict(~np.isnan(level), close(level, scores.mean(axis=0))),
        "coordination_agrees_holds": verdict(has_all, is_inside & close(coordination, expected)),
        "units_counted_holds": judge_units(frame),
        "null_agrees_with_status_holds": verdict(
            ~nulls(frame, "status"), np.where(is_ok, has_all, np.isnan(measures).all(axis=0))
        ),
    }


MART = Mart("coupling", "部门耦合协调集市", _COLUMNS, _KEY, _RULES, _prepare)
