"""Figures as published: keys, finite values, statuses, the nation as the sum of its provinces.

Here: the rules of this mart and their verdicts. Not here: how the mart is computed (warehouse).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from expectations.marts.common import (
    VALUE_RULES,
    Columns,
    Mart,
    close,
    floats,
    judge_values,
    key_rules,
    rule,
)
from expectations.model import verdict
from warehouse.catalogue import Catalogue

_KEY = ("indicator_code", "region_code", "period_code", "area_type")
_COLUMNS = (*_KEY, "value", "obs_status")
_RULES = (
    *key_rules(_COLUMNS, _KEY),
    *VALUE_RULES,
    rule(
        "nation_sum",
        "values",
        "the nation's {value:.12g} is not the sum {sum_of_provinces:.12g} of its 31 provinces",
        "全国数等于 31 省之和。",
        "The national row of a count is the sum over the provinces.",
        "docs/architecture.md: provinces",
        evidence=("sum_of_provinces",),
    ),
)


def _prepare(frame: pd.DataFrame, catalogue: Catalogue) -> Columns:
    value = floats(frame, "value")
    return {
        **judge_values(frame),
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
        "nation_sum_holds": verdict(~np.isnan(together), close(value, together)),
    }


MART = Mart("observation", "观测值集市", _COLUMNS, _KEY, _RULES, _prepare)
