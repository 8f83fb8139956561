"""The urban-rural gap: ratio, difference and the side that is worse off.

Here: the rules of this mart and their verdicts. Not here: how the mart is computed (warehouse).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from expectations.marts.common import (
    Columns,
    Mart,
    close,
    floats,
    key_rules,
    nulls,
    rule,
    status_rule,
    texts,
)
from expectations.model import verdict
from warehouse.catalogue import Catalogue

_KEY = ("indicator_code", "region_code", "period_code")
_COLUMNS = (*_KEY, "urban_value", "rural_value", "ratio", "difference", "disadvantaged", "status")
_EVIDENCE = ("urban_value", "rural_value", "ratio", "difference", "disadvantaged", "status")
_RULES = (
    *key_rules(_COLUMNS, _KEY),
    rule(
        "ratio_agrees",
        "measures",
        "ratio {ratio} is not urban {urban_value} over rural {rural_value}",
        "城乡比 = 城镇值 / 乡村值。",
        "The ratio is urban over rural.",
        "warehouse/marts: urban-rural gap",
        evidence=_EVIDENCE,
    ),
    rule(
        "difference_agrees",
        "measures",
        "difference {difference} is not urban {urban_value} less rural {rural_value}",
        "城乡差 = 城镇值 − 乡村值。",
        "The difference is urban less rural.",
        "warehouse/marts: urban-rural gap",
        evidence=_EVIDENCE,
    ),
    rule(
        "disadvantaged_known",
        "values",
        "{disadvantaged} is no side",
        "弱势方只能是城镇、乡村或无。",
        "The disadvantaged side is urban, rural or none.",
        "docs/architecture.md: pinned values",
        column="disadvantaged",
        values=("urban", "rural", "none"),
        evidence=_EVIDENCE,
    ),
    rule(
        "disadvantaged_agrees",
        "measures",
        "{disadvantaged} is called worse off with urban {urban_value} and rural {rural_value}",
        "弱势方由指标方向决定。",
        "The indicator's direction says which side is worse off.",
        "warehouse/marts: urban-rural gap; catalogue: direction",
        evidence=_EVIDENCE,
    ),
    status_rule(_EVIDENCE),
    rule(
        "null_agrees_with_status",
        "values",
        "the ratio is {ratio} with status {status}",
        "状态不是 ok 时值为空，反之亦然。",
        "A ratio is null exactly when the status is not ok.",
        "docs/architecture.md: pinned values, status of a metric",
        evidence=_EVIDENCE,
    ),
)


def _prepare(frame: pd.DataFrame, catalogue: Catalogue) -> Columns:
    urban, rural = floats(frame, "urban_value"), floats(frame, "rural_value")
    ratio, difference = floats(frame, "ratio"), floats(frame, "difference")
    both = ~np.isnan(urban) & ~np.isnan(rural)
    is_known = frame["indicator_code"].isin(set(catalogue.indicators)).to_numpy(dtype=np.bool_)
    expected = np.divide(urban, rural, out=np.full(len(frame), np.nan), where=both & (rural != 0))
    side = texts(frame, "disadvantaged")
    is_ok = (frame["status"] == "ok").to_numpy(dtype=np.bool_)
    return {
        "ratio_agrees_holds": verdict(~np.isnan(ratio), close(ratio, expected)),
        "difference_agrees_holds": verdict(~np.isnan(difference), close(difference, urban - rural)),
        "disadvantaged_agrees_holds": verdict(
            both & is_known & ~nulls(frame, "disadvantaged"), side == _worse_side(frame, catalogue, urban, rural)
        ),
        "null_agrees_with_status_holds": verdict(~nulls(frame, "status"), is_ok != np.isnan(ratio)),
    }


def _worse_side(
    frame: pd.DataFrame, catalogue: Catalogue, urban: npt.NDArray[np.float64], rural: npt.NDArray[np.float64]
) -> npt.NDArray[np.object_]:
    directions = {"higher": 1.0, "lower": -1.0, "neutral": 0.0}
    sign_of = {code: directions[indicator.direction] for code, indicator in catalogue.indicators.items()}
    sign = frame["indicator_code"].astype(str).map(sign_of).fillna(0.0).to_numpy(dtype=np.float64)
    advantage = sign * (urban - rural)
    side = np.full(len(frame), "none", dtype=object)
    side[advantage < 0] = "urban"
    side[advantage > 0] = "rural"
    return side


MART = Mart("urban_rural_gap", "城乡差距集市", _COLUMNS, _KEY, _RULES, _prepare)
