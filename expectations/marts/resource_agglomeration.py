"""Agglomeration of resources: shares of the land that sum to one, a quotient that is one.

Here: the rules of this mart and their verdicts. Not here: how the mart is computed (warehouse).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from expectations.marts.common import (
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
_MEASURES = ("hrad", "pad", "hrad_pad")
_COLUMNS = (*_KEY, "value", "population", "area_km2", *_MEASURES, "units", "units_missing", "coverage", "status")
_EVIDENCE = ("value", "population", "area_km2", *_MEASURES, "status")
_RULES = (
    *key_rules(_COLUMNS, _KEY),
    rule(
        "quotient_agrees",
        "measures",
        "{hrad_pad} is not hrad {hrad} over pad {pad}, or one is negative",
        "HRAD/PAD 为两者之商，三者均不为负。",
        "The quotient is HRAD over PAD, and none is negative.",
        "docs/methods.md: hrad_pad",
        evidence=_EVIDENCE,
    ),
    rule(
        "shares_sum",
        "measures",
        "hrad {hrad} and pad {pad} weighed by the land do not make 1 over the places of the slice",
        "各地 HRAD 与 PAD 按面积加权的均值为 1。",
        "Weighed by their land, HRAD and PAD of the places that make the whole average 1.",
        "docs/methods.md: hrad_pad",
        evidence=_EVIDENCE,
    ),
    units_rule(_EVIDENCE),
    status_rule(_EVIDENCE),
    rule(
        "null_agrees_with_status",
        "values",
        "status {status} with hrad {hrad}, pad {pad}, quotient {hrad_pad}",
        "状态不是 ok 时值为空，反之亦然。",
        "Measures are null exactly when the status is not ok.",
        "docs/architecture.md: pinned values, status of a metric",
        evidence=_EVIDENCE,
    ),
)


def _prepare(frame: pd.DataFrame, catalogue: Catalogue) -> Columns:
    measures = np.array([floats(frame, column) for column in _MEASURES])
    hrad, pad, quotient = measures
    has_all = np.asarray(~np.isnan(measures).any(axis=0))
    is_ok = (frame["status"] == "ok").to_numpy(dtype=np.bool_)
    with np.errstate(invalid="ignore", divide="ignore"):
        agrees = close(quotient * pad, hrad) & (measures >= 0).all(axis=0)
    return {
        "quotient_agrees_holds": verdict(has_all, agrees),
        "shares_sum_holds": verdict(*_shares(frame, has_all, hrad, pad)),
        "units_counted_holds": judge_units(frame),
        "null_agrees_with_status_holds": verdict(
            ~nulls(frame, "status"), np.where(is_ok, has_all, np.isnan(measures).all(axis=0))
        ),
    }


def _shares(
    frame: pd.DataFrame, has_all: np.ndarray, hrad: np.ndarray, pad: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where the sums can be judged (all places of the slice have their measures), and whether they hold."""
    area = floats(frame, "area_km2")
    parts = {"land": area, "hrad": hrad * area, "pad": pad * area, "places": np.ones(len(frame))}
    table = pd.DataFrame({name: np.where(has_all, part, 0.0) for name, part in parts.items()})
    keys = [frame["indicator_code"].to_numpy(), frame["period_code"].to_numpy()]
    sums = table.groupby(keys, observed=True, sort=False).transform("sum")
    land = sums["land"].to_numpy(np.float64)
    is_whole = has_all & (sums["places"].to_numpy(np.float64) == floats(frame, "units"))
    holds = close(sums["hrad"].to_numpy(np.float64), land) & close(sums["pad"].to_numpy(np.float64), land)
    return is_whole, holds


MART = Mart("resource_agglomeration", "资源集聚度集市", _COLUMNS, _KEY, _RULES, _prepare)
