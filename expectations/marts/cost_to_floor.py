"""Cost to the floor: nothing is paid at the floor, and the nation pays what its provinces do.

Here: the rules of this mart and their verdicts. Not here: how the mart is computed (warehouse).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
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

_KEY = ("indicator_code", "region_code", "period_code", "area_type", "floor_kind")
_COLUMNS = (
    *_KEY,
    "value",
    "floor_value",
    "heads",
    "cost",
    "revenue",
    "share_of_revenue",
    "units",
    "units_missing",
    "units_estimated",
    "coverage",
    "status",
)
_NATION = "000000"
_RULES = (
    *key_rules(_COLUMNS, _KEY),
    rule(
        "cost_agrees",
        "measures",
        "cost {cost}, but {heads} heads at {value} against floor {floor_value} ask for {expected_cost}",
        "成本 =（标准 − 值）× 人数 × 每年次数；达到标准时为零。",
        "The cost is (floor - value) times heads times how often a year, and 0 at or above the floor.",
        "warehouse/catalogue/cost_rules.csv",
        evidence=("cost", "heads", "value", "floor_value", "expected_cost"),
    ),
    rule(
        "nation_sums",
        "measures",
        "the nation's cost {cost} is not the {expected_cost} of its provinces",
        "全国成本 = 各省成本之和。",
        "The nation's cost is the sum of its provinces', not that of its mean.",
        "warehouse/marts: cost to the floor",
        evidence=("cost", "expected_cost"),
    ),
    rule(
        "share_agrees",
        "measures",
        "share {share_of_revenue} is not cost {cost} over revenue {revenue}",
        "占比 = 成本 / 一般公共预算收入；收入为空或不为正时占比为空。",
        "The share is cost over revenue, and null where there is no revenue above 0.",
        "warehouse/marts: cost to the floor",
        evidence=("share_of_revenue", "cost", "revenue"),
    ),
    rule(
        "units_counted",
        "measures",
        "{units} units, {units_missing} missing, {units_estimated} estimated, coverage {coverage}",
        "单位数、缺失数、估计数为非负整数，覆盖率 = 单位数 /（单位数 + 缺失数）。",
        "Units, missing and estimated ones are counts, and coverage is the share that is not missing.",
        "warehouse/marts: edge cases",
        evidence=("units", "units_missing", "units_estimated", "coverage"),
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
        "status {status} with cost {cost}",
        "状态不是 ok 时成本为空，反之亦然；成本不为负。",
        "The cost is null exactly when the status is not ok, and never negative.",
        "docs/architecture.md: pinned values, status of a metric",
        evidence=("cost", "status"),
    ),
)


def _prepare(frame: pd.DataFrame, catalogue: Catalogue) -> Columns:
    value, floor, heads = (floats(frame, name) for name in ("value", "floor_value", "heads"))
    cost, revenue, share = (floats(frame, name) for name in ("cost", "revenue", "share_of_revenue"))
    units, missing, estimated = (floats(frame, f"units{part}") for part in ("", "_missing", "_estimated"))
    coverage = floats(frame, "coverage")
    times = {code: float(row.times_a_year) for code, row in catalogue.cost_rules.items()}
    yearly = frame["indicator_code"].astype(str).map(times).to_numpy(dtype=np.float64, na_value=np.nan)
    is_nation = (frame["region_code"] == _NATION).to_numpy(dtype=np.bool_)
    is_ok = (frame["status"] == "ok").to_numpy(dtype=np.bool_)
    # Within this of its floor a figure may count as at it or as below: rounding decides, and either is right.
    is_near = np.abs(value - floor) <= 2 * CLOSE * np.abs(floor)
    asked = np.where(value < floor, floor - value, 0.0) * heads * yearly
    expected = np.where(is_nation, _sums_of_provinces(frame, cost), asked)
    with np.errstate(divide="ignore", invalid="ignore"):
        due = np.where(revenue > 0, cost / revenue, np.nan)
        covered = units / (units + missing)
    counted = (units >= 0) & (missing >= 0) & (estimated >= 0) & (estimated <= units) & close(coverage, covered)
    told = ~np.isnan(cost) & ~np.isnan(expected)
    return {
        "expected_cost": expected,
        "cost_agrees_holds": verdict(told & ~is_nation & ~is_near, close(cost, expected)),
        "nation_sums_holds": verdict(told & is_nation, close(cost, expected)),
        "share_agrees_holds": verdict(everywhere(frame), (np.isnan(share) & np.isnan(due)) | close(share, due)),
        "units_counted_holds": verdict(everywhere(frame), counted),
        "null_agrees_with_status_holds": verdict(
            ~nulls(frame, "status"), (is_ok & (cost >= 0)) | (~is_ok & np.isnan(cost))
        ),
    }


def _sums_of_provinces(frame: pd.DataFrame, cost: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """For each row the sum over the provinces' rows of its slice and kind; NaN where there is none."""
    codes = frame["region_code"].astype(object)
    is_province = codes.notna() & codes.astype(str).str.endswith("0000") & (codes != _NATION)
    keys = [frame[name].astype(object) for name in _KEY if name != "region_code"]
    sums = (
        pd.Series(np.where(is_province, cost, np.nan), index=frame.index)
        .groupby(keys, dropna=False)
        .transform("sum", min_count=1)
    )
    return np.asarray(sums.to_numpy(dtype=np.float64), dtype=np.float64)


MART = Mart("cost_to_floor", "达标成本集市", _COLUMNS, _KEY, _RULES, _prepare)
