"""What a change is made of: contributions that sum to it, indices that differ by it.

Here: the rules of this mart and their verdicts. Not here: how the mart is computed (warehouse).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from expectations.marts.common import (
    CLOSE,
    Columns,
    Mart,
    everywhere,
    floats,
    key_rules,
    nulls,
    rule,
    status_rule,
    texts,
)
from expectations.model import verdict
from warehouse.catalogue import Catalogue

_KEY = ("indicator_code", "period_code", "area_type", "weighting", "measure", "region_code", "part")
_GROUP = list(_KEY[:5])
_COLUMNS = (*_KEY, "contribution", "change", "index_before", "index_after", "status")
_EVIDENCE = ("contribution", "change", "index_before", "index_after", "status")
_RULES = (
    *key_rules(_COLUMNS, _KEY),
    rule(
        "contributions_sum",
        "measures",
        "the contributions of its provinces and parts do not sum to the change {change}",
        "各省各部分的贡献之和等于总变化。",
        "Contributions sum over provinces and parts to the whole change, to 1e-9.",
        "warehouse/marts: change attribution",
        evidence=_EVIDENCE,
    ),
    rule(
        "change_agrees",
        "measures",
        "change {change} is not {index_after} less {index_before}",
        "变化 = 期末指数 − 期初指数。",
        "The change is the later index less the earlier one.",
        "warehouse/marts: change attribution",
        evidence=_EVIDENCE,
    ),
    rule(
        "index_in_range",
        "measures",
        "an index is negative: {index_before}, {index_after}",
        "变异系数平方与泰尔指数不为负。",
        "Neither CV² nor Theil's T is negative.",
        "Theil 1967",
        evidence=_EVIDENCE,
    ),
    rule(
        "part_known",
        "values",
        "{part} is no part",
        "变化的组成部分必须在约定范围内。",
        "A part is numerator, denominator, value, weight, entered, left, revision, or none where nothing is compared.",
        "warehouse/marts: change attribution",
        column="part",
        values=("numerator", "denominator", "value", "weight", "entered", "left", "revision", "none"),
        evidence=_EVIDENCE,
    ),
    status_rule(_EVIDENCE),
    rule(
        "null_agrees_with_status",
        "values",
        "status {status} with part {part}, contribution {contribution} and change {change}",
        "状态不是 ok 时没有组成部分且值为空，反之亦然。",
        "Where the status is not ok there is no part and no contribution, and the other way round.",
        "docs/architecture.md: pinned values, status of a metric",
        evidence=("part", *_EVIDENCE),
    ),
)


def _prepare(frame: pd.DataFrame, catalogue: Catalogue) -> Columns:
    contribution, change = floats(frame, "contribution"), floats(frame, "change")
    before, after = floats(frame, "index_before"), floats(frame, "index_after")
    is_ok = (frame["status"] == "ok").to_numpy(dtype=np.bool_)
    is_none = texts(frame, "part") == "none"
    # Rows whose key is not whole belong to no group, and the rules of keys name them.
    has_key = ~np.logical_or.reduce([nulls(frame, column) for column in _KEY])
    groups = pd.MultiIndex.from_frame(frame[_GROUP].astype(str)).factorize()[0]
    summed = np.bincount(groups, weights=np.nan_to_num(contribution), minlength=len(frame))[groups]
    is_single = ~frame.duplicated(list(_KEY), keep=False).to_numpy()
    return {
        "contributions_sum_holds": verdict(
            ~np.isnan(change) & ~np.isnan(contribution) & has_key & is_single,
            np.abs(summed - change) <= CLOSE * np.maximum(1.0, np.abs(change)),
        ),
        "change_agrees_holds": verdict(
            ~np.isnan(change), np.abs(after - before - change) <= CLOSE * np.maximum(1.0, np.abs(after))
        ),
        "index_in_range_holds": verdict(everywhere(frame), ~(before < -CLOSE) & ~(after < -CLOSE)),
        "null_agrees_with_status_holds": verdict(
            ~nulls(frame, "status") & ~nulls(frame, "part"),
            (is_ok != np.isnan(contribution)) & (is_ok != np.isnan(change)) & (is_ok != is_none),
        ),
    }


MART = Mart("change_attribution", "变化归因集市", _COLUMNS, _KEY, _RULES, _prepare)
