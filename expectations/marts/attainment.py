"""Attainment: the margin against a standard and the verdict drawn from it.

Here: the rules of this mart and their verdicts. Not here: how the mart is computed (warehouse).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from expectations.marts.common import (
    CLOSE,
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
_COLUMNS = (*_KEY, "value", "floor_value", "margin", "attained")
_RULES = (
    *key_rules(_COLUMNS, _KEY),
    rule(
        "floor_kind_known",
        "values",
        "{floor_kind} is no kind of standard",
        "标准类型只能是底线、目标或参考值。",
        "A standard is a floor, a target or a reference.",
        "docs/architecture.md: standards",
        column="floor_kind",
        values=("floor", "target", "reference"),
    ),
    rule(
        "attained_agrees_with_margin",
        "measures",
        "attained is {attained} with a margin of {margin}",
        "达标当且仅当余量不小于零。",
        "A place attains a standard exactly when its margin is not negative.",
        "warehouse/marts: attainment",
        evidence=("margin", "attained"),
    ),
    rule(
        "margin_agrees_with_floor",
        "measures",
        "the margin is {margin}, value {value} against floor {floor_value} gives {expected_margin}",
        "余量 =（值 − 标准）/ 标准，越低越好的指标取反。",
        "The margin is (value - floor) / floor, turned round where lower is better.",
        "warehouse/marts: attainment",
        evidence=("margin", "floor_value", "expected_margin"),
    ),
    rule(
        "null_together",
        "values",
        "value {value}, margin {margin} and attained {attained} are not null together",
        "值、余量、是否达标须同时为空或同时有值。",
        "Where there is no figure there is no margin and no verdict.",
        "warehouse/marts: a blank is never 0",
        evidence=("margin", "attained"),
    ),
)


def _prepare(frame: pd.DataFrame, catalogue: Catalogue) -> Columns:
    value, floor, margin = (floats(frame, column) for column in ("value", "floor_value", "margin"))
    no_verdict = nulls(frame, "attained")
    attained = frame["attained"].astype("boolean").fillna(False).to_numpy(dtype=np.bool_)
    sign = _sign_of_direction(frame, catalogue)
    expected = np.divide(sign * (value - floor), np.abs(floor), out=np.full(len(frame), np.nan), where=floor != 0)
    computable = ~np.isnan(expected) & ~np.isnan(margin)
    # a figure within 1e-9 of its floor stands at the floor, so its margin is 0
    agrees = close(margin, expected) | ((margin == 0) & (np.abs(expected) <= CLOSE))
    no_value = np.isnan(value) | (floor == 0)
    return {
        "expected_margin": expected,
        "attained_agrees_with_margin_holds": verdict(~no_verdict & ~np.isnan(margin), attained == (margin >= 0)),
        "margin_agrees_with_floor_holds": verdict(computable, agrees),
        "null_together_holds": verdict(
            everywhere(frame), (np.isnan(margin) == no_value) & (no_verdict == np.isnan(value))
        ),
    }


def _sign_of_direction(frame: pd.DataFrame, catalogue: Catalogue) -> npt.NDArray[np.float64]:
    """1 where more is better, -1 where less is; NaN where neither. A standard, local or national, follows it."""
    signs = {row.code: {"higher": 1.0, "lower": -1.0}.get(row.direction) for row in catalogue.indicators.values()}
    found = frame["indicator_code"].astype(str).map(signs)
    return np.asarray(found.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)


MART = Mart("attainment", "达标集市", _COLUMNS, _KEY, _RULES, _prepare)
