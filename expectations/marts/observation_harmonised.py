"""Figures on today's map: keys, values that agree with their status, ways of the map that are known.

Here: the rules of this mart and their verdicts. Not here: how the mart is computed (warehouse).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from expectations.marts.common import VALUE_RULES, Columns, Mart, judge_values, key_rules, nulls, rule, texts
from expectations.model import verdict
from warehouse.catalogue import Catalogue
from warehouse.marts.observation_harmonised import MAP_STATUSES

_KEY = ("indicator_code", "region_code", "period_code", "area_type")
_COLUMNS = (*_KEY, "value", "obs_status", "map_status", "reported_codes")
_EVIDENCE = ("map_status", "reported_codes")
_OWN = ("recomputed", "unmapped", "moved")
_RULES = (
    *key_rules(_COLUMNS, _KEY),
    *VALUE_RULES,
    rule(
        "map_status_known",
        "values",
        "{map_status} is no way of the map",
        "地图状态必须在约定范围内。",
        "The status on today's map is one of those that the mart explains.",
        "warehouse/marts/observation_harmonised.py: MAP_STATUSES",
        column="map_status",
        values=tuple(MAP_STATUSES),
        evidence=_EVIDENCE,
    ),
    rule(
        "stays_at_its_own_code",
        "values",
        "region {region_code} is {map_status} but its figure was reported for {reported_codes}",
        "未调整的数据必须保留在其原报代码上。",
        "A figure that was not moved stands at the code it was reported for.",
        "docs/architecture.md: codes are never guessed",
        evidence=_EVIDENCE,
    ),
    rule(
        "stays_in_its_province",
        "values",
        "region {region_code} has figures of {reported_codes}, of another province",
        "按现行区划调整不得跨省，否则省级合计会改变。",
        "No figure leaves its province, whose sums would change.",
        "docs/architecture.md: no figure counts twice",
        evidence=_EVIDENCE,
    ),
)


def _prepare(frame: pd.DataFrame, catalogue: Catalogue) -> Columns:
    status, region, codes = texts(frame, "map_status"), texts(frame, "region_code"), texts(frame, "reported_codes")
    stays = np.array([str(each).startswith("left_") or each in _OWN for each in status], dtype=np.bool_)
    is_own = np.array([code == own for code, own in zip(codes, region, strict=True)], dtype=np.bool_)
    is_inside = np.array(
        [
            all(code[:2] == str(own)[:2] for code in str(each).split(";"))
            for each, own in zip(codes, region, strict=True)
        ],
        dtype=np.bool_,
    )
    is_told = ~nulls(frame, "region_code") & ~nulls(frame, "reported_codes")
    return {
        **judge_values(frame),
        "stays_at_its_own_code_holds": verdict(is_told & stays, is_own),
        "stays_in_its_province_holds": verdict(is_told & ~stays, is_inside),
    }


MART = Mart("observation_harmonised", "现行区划观测值集市", _COLUMNS, _KEY, _RULES, _prepare)
