"""Inequality: measures within their bounds, and Theil as the sum of its parts.

Here: the rules of this mart and their verdicts. Not here: how the mart is computed (warehouse).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from expectations.marts.common import (
    CLOSE,
    METRIC_STATUSES,
    Columns,
    Mart,
    everywhere,
    floats,
    key_rules,
    nulls,
    rule,
)
from expectations.model import Check, Verdict, verdict
from warehouse.catalogue import Catalogue

Floats = npt.NDArray[np.float64]

_KEY = ("indicator_code", "period_code", "area_type", "scope", "weighting")
_MEASURES = ("cv", "gini", "theil_t")
_LAYERS = ("theil_t_between_groups", "theil_t_between_provinces", "theil_t_within_provinces")
_ALONG_INCOME = ("aci", "rci", "sii", "rii")
_COLUMNS = (
    *_KEY,
    "units",
    "units_missing",
    "coverage",
    *_MEASURES,
    "theil_t_within",
    "theil_t_between",
    "theil_l",
    "theil_l_within",
    "theil_l_between",
    "dagum_within",
    "dagum_between",
    "dagum_transvariation",
    *_LAYERS,
    *_ALONG_INCOME,
    "ranking_status",
    "status",
)
_EVIDENCE = ("units", "units_missing", "coverage", *_MEASURES, "status")


def _measure(name: str, reason: str, zh: str, en: str, source: str, **more: Any) -> Check:
    return rule(name, "measures", reason, zh, en, source, **{"evidence": _EVIDENCE, **more})


_RULES = (
    *key_rules(_COLUMNS, _KEY),
    _measure(
        "theil_sums",
        "within {theil_t_within} and between {theil_t_between} do not make {theil_t}",
        "泰尔指数 = 组内 + 组间。",
        "Theil's T is its within and its between part, to 1e-9.",
        "warehouse/marts: Theil decomposition",
        evidence=("theil_t", "theil_t_within", "theil_t_between", "units"),
    ),
    _measure(
        "theil_layers_sum",
        "{theil_t_between_groups}, {theil_t_between_provinces} and {theil_t_within_provinces} do not make {theil_t}",
        "全国县级泰尔指数 = 地区组间 + 组内省际 + 省内。",
        "Theil's T of the nation's counties is its parts between groups, between provinces and within them, to 1e-9.",
        "Akita 2003",
        evidence=("theil_t", *_LAYERS, "units"),
    ),
    _measure(
        "theil_l_sums",
        "within {theil_l_within} and between {theil_l_between} do not make {theil_l}",
        "泰尔 L 指数 = 组内 + 组间。",
        "Theil's L is its within and its between part, to 1e-9.",
        "warehouse/marts: Theil decomposition",
        evidence=("theil_l", "theil_l_within", "theil_l_between", "units"),
    ),
    _measure(
        "dagum_sums",
        "{dagum_within} within, {dagum_between} between and {dagum_transvariation} overlap do not make {gini}",
        "基尼系数 = 组内 + 组间净值 + 超变密度（Dagum）。",
        "A Gini is its parts within groups, between them and where they overlap, to 1e-9.",
        "Dagum 1997",
        evidence=("gini", "dagum_within", "dagum_between", "dagum_transvariation", "units"),
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
        "warehouse/marts: CV, population form",
    ),
    _measure(
        "theil_in_range",
        "theil_t {theil_t} is negative (or unweighted above ln {units})",
        "泰尔指数不为负；不加权时不超过 ln n。",
        "Theil's T is not negative, unweighted at most ln n.",
        "Theil 1967",
    ),
    _measure(
        "rci_in_range",
        "rci {rci} is further from 0 than 1",
        "集中指数介于 −1 与 1 之间。",
        "A concentration index is -1 to 1.",
        "Wagstaff, Paci & van Doorslaer 1991",
        evidence=("rci", "ranking_status"),
    ),
    _measure(
        "null_agrees_with_ranking_status",
        "ranking status {ranking_status} with aci {aci}, rci {rci}, sii {sii}",
        "排序状态不是 ok 时按收入排序的测度为空；为 ok 时集中指数须有值。",
        "Measures along income are null where the ranking's status is not ok; where it is, both concentration indices stand.",
        "warehouse/marts: ordering",
        evidence=(*_ALONG_INCOME, "ranking_status", "status"),
    ),
    _measure(
        "coverage_in_range",
        "coverage {coverage} is outside 0 to 1",
        "覆盖率介于 0 与 1 之间。",
        "Coverage is a share.",
        "warehouse/marts: edge cases",
    ),
    _measure(
        "units_counted",
        "{units} units and {units_missing} missing are no counts",
        "单位数与缺失数为非负整数；状态为 ok 时至少有一个单位。",
        "Units and missing units are counts, and an ok row rests on at least one unit.",
        "warehouse/marts: edge cases",
    ),
    _measure(
        "weighting_known",
        "{weighting} is no weighting",
        "加权方式只能是不加权或按人口。",
        "A row is weighted by nothing or by population.",
        "docs/architecture.md: pinned values",
        column="weighting",
        values=("none", "population"),
    ),
    _measure(
        "status_known",
        "{status} is no status of a metric",
        "指标状态必须在约定范围内。",
        "The status of a metric is one of the pinned ones.",
        "docs/architecture.md: pinned values",
        column="status",
        values=METRIC_STATUSES,
    ),
    _measure(
        "null_agrees_with_status",
        "status {status} with cv {cv}, gini {gini}, theil_t {theil_t}",
        "状态不是 ok 时值为空，反之亦然。",
        "Measures are null exactly when the status is not ok.",
        "docs/architecture.md: pinned values, status of a metric",
    ),
)


def _prepare(frame: pd.DataFrame, catalogue: Catalogue) -> Columns:
    cv, gini, theil = (floats(frame, column) for column in _MEASURES)
    within, between = floats(frame, "theil_t_within"), floats(frame, "theil_t_between")
    log_parts = [floats(frame, f"theil_l_{part}") for part in ("within", "between")]
    dagum_parts = [floats(frame, f"dagum_{part}") for part in ("within", "between", "transvariation")]
    units, missing, coverage = (floats(frame, column) for column in ("units", "units_missing", "coverage"))
    # the bounds of unweighted measures over n units; a weight can push a single unit's share towards 1
    n = np.where((frame["weighting"] == "none").to_numpy(dtype=np.bool_) & (units >= 1), units, np.inf)
    is_ok = (frame["status"] == "ok").to_numpy(dtype=np.bool_)
    aci, rci, sii, rii = (floats(frame, column) for column in _ALONG_INCOME)
    is_ranked = (frame["ranking_status"] == "ok").to_numpy(dtype=np.bool_)
    has_slope = ~np.isnan(sii) | ~np.isnan(rii)
    has_index = ~np.isnan(aci) & ~np.isnan(rci)
    along_income = np.where(is_ranked, has_index & is_ok, np.isnan(aci) & np.isnan(rci) & ~has_slope)
    any_null = np.isnan(cv) | np.isnan(gini) | np.isnan(theil)
    all_null = np.isnan(cv) & np.isnan(gini) & np.isnan(theil)
    counts = (units >= 0) & (missing >= 0) & (units % 1 == 0) & (missing % 1 == 0) & ~(is_ok & (units < 1))
    return {
        "theil_sums_holds": verdict(~np.isnan(within) | ~np.isnan(between), np.abs(within + between - theil) <= CLOSE),
        "theil_layers_sum_holds": _sums(theil, [floats(frame, layer) for layer in _LAYERS]),
        "rci_in_range_holds": verdict(~np.isnan(rci), np.abs(rci) <= 1 + CLOSE),
        "null_agrees_with_ranking_status_holds": verdict(~nulls(frame, "ranking_status"), along_income),
        "theil_l_sums_holds": _sums(floats(frame, "theil_l"), log_parts),
        "dagum_sums_holds": _sums(gini, dagum_parts),
        "gini_in_range_holds": verdict(~np.isnan(gini), (gini >= -CLOSE) & (gini <= 1 - 1 / n + CLOSE)),
        "cv_in_range_holds": verdict(~np.isnan(cv), (cv >= -CLOSE) & (cv <= np.sqrt(n - 1) * (1 + CLOSE) + CLOSE)),
        "theil_in_range_holds": verdict(~np.isnan(theil), (theil >= -CLOSE) & (theil <= np.log(n) + CLOSE)),
        "coverage_in_range_holds": verdict(~np.isnan(coverage), (coverage >= 0) & (coverage <= 1 + CLOSE)),
        "units_counted_holds": verdict(everywhere(frame), counts),
        "null_agrees_with_status_holds": verdict(~nulls(frame, "status"), np.where(is_ok, ~any_null, all_null)),
    }


def _sums(whole: Floats, parts: Sequence[Floats]) -> Verdict:
    """Whether parts sum to their whole, in the rows that have any."""
    has_any: npt.NDArray[np.bool_] = np.any([~np.isnan(part) for part in parts], axis=0)
    return verdict(has_any, np.abs(np.sum(parts, axis=0) - whole) <= CLOSE)


MART = Mart("inequality", "均衡度集市", _COLUMNS, _KEY, _RULES, _prepare)
