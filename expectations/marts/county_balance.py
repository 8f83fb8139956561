"""Balance of compulsory education: a county's CV, lines and verdict.

Here: the rules of this mart and their verdicts. Not here: how the mart is computed (warehouse).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from expectations.marts.common import (
    Columns,
    Mart,
    everywhere,
    floats,
    key_rules,
    nulls,
    rule,
    status_rule,
)
from expectations.model import verdict
from warehouse.catalogue import Catalogue

_KEY = ("indicator_code", "region_code", "period_code", "resource_code")
_COLUMNS = (
    *_KEY,
    "schools",
    "schools_missing",
    "coverage",
    "schools_meeting",
    "cv",
    "cv_limit",
    "passes_cv",
    "passes",
    "status",
)
_EVIDENCE = _COLUMNS[4:]
_ALL = "ALL"
_RULE = "教督〔2017〕6号"
_NOISE = 1e-9
_RULES = (
    *key_rules(_COLUMNS, _KEY),
    rule(
        "schools_counted",
        "measures",
        "{schools} schools, {schools_missing} missing, {schools_meeting} that meet, coverage {coverage}",
        "学校数、缺报学校数、达标学校数与覆盖率须相互一致。",
        "Schools that meet are among those that are there, none is counted less than 0 times, and coverage is a share.",
        "warehouse/marts: county balance",
        evidence=_EVIDENCE,
    ),
    rule(
        "cv_judged",
        "measures",
        "CV {cv} with limit {cv_limit} is said to pass: {passes_cv}",
        "差异系数不大于限值即通过。",
        "A CV passes where it is not above its limit, and is never negative.",
        _RULE,
        evidence=_EVIDENCE,
    ),
    rule(
        "verdict_follows",
        "measures",
        "{schools_meeting} of {schools} schools meet and {schools_missing} are missing, CVs: {passes_cv}, county: {passes}",
        "县域通过须各项差异系数与全部学校均达标。",
        "A county passes only where all CVs do, every school meets and none is missing; otherwise it does not.",
        _RULE,
        evidence=_EVIDENCE,
    ),
    status_rule(_EVIDENCE),
    rule(
        "null_agrees_with_status",
        "values",
        "status {status} with cv {cv} and passes {passes}",
        "状态不是 ok 时值为空，反之亦然。",
        "A CV, and of the verdict whether the county passes, is null exactly when the status is not ok.",
        "docs/architecture.md: pinned values, status of a metric",
        evidence=_EVIDENCE,
    ),
)


def _prepare(frame: pd.DataFrame, catalogue: Catalogue) -> Columns:
    schools, missing, meeting = (floats(frame, name) for name in ("schools", "schools_missing", "schools_meeting"))
    coverage, cv, limit = (floats(frame, name) for name in ("coverage", "cv", "cv_limit"))
    is_verdict = (frame["resource_code"] == _ALL).to_numpy(dtype=np.bool_)
    is_ok = (frame["status"] == "ok").to_numpy(dtype=np.bool_)
    passes_cv, passes = (frame[name].astype("boolean") for name in ("passes_cv", "passes"))
    cv_holds, holds = (each.fillna(False).to_numpy(dtype=np.bool_) for each in (passes_cv, passes))
    says_cv, says = ~nulls(frame, "passes_cv"), ~nulls(frame, "passes")
    every_school = (meeting == schools) & (missing == 0) & (schools > 0)
    counted = (np.fmin(np.fmin(schools, missing), meeting) >= 0) & (meeting <= schools + missing)
    is_within = (cv <= limit + _NOISE) & (cv >= 0)
    blank = np.where(is_verdict, ~says, np.isnan(cv))
    return {
        "schools_counted_holds": verdict(everywhere(frame), counted & (coverage >= 0) & (coverage <= 1)),
        "cv_judged_holds": verdict(says_cv & ~np.isnan(limit), cv_holds == is_within),
        "verdict_follows_holds": verdict(says, holds == (cv_holds & every_school)),
        "null_agrees_with_status_holds": verdict(~nulls(frame, "status"), is_ok != blank),
    }


MART = Mart("county_balance", "县域义务教育均衡集市", _COLUMNS, _KEY, _RULES, _prepare)
