"""Units: a figure keyed in persons where the form says 10,000 persons is off by 10⁴, and is found by its past.

Here: the rules and the columns they read. Not here: where the reference comes from; the caller gives the last accepted
figure of each indicator, region and area type.

A factor from 10³ to 10⁵, either way, counts as a slip: the printed units of the forms differ by 10⁴ (人/万人, 元/万元),
and a year's growth or a part of a year moves a province's figure by far less than 10³ ÷ 10.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from expectations.cells import Cells, Floats, align
from expectations.model import Check, verdict

SLIP_LEAST, SLIP_MOST = 1e3, 1e5

_REASON = "{value} is {reference_ratio:g} times its reference {reference_value:g}"

RULES: tuple[Check, ...] = (
    Check(
        check_id="units.province_magnitude",
        subject="units",
        severity="blocking",
        kind="verdict",
        column="province_magnitude_holds",
        reason=_REASON,
        explanation_zh="全省数与上期相差千倍至十万倍，多为计量单位错误（如“人”与“万人”）。",
        explanation_en="The province's figure is 10³ to 10⁵ times its reference or a part of it: a slip of the unit.",
        action_zh="请报送单位按表头计量单位重报；整张报表暂不入库，继续使用上次数据。",
        action_en="Ask for the return in the unit of its header; it is held back, the last good figures stay.",
        source="unit errors of factor 10,000 between 人 and 万人, 元 and 万元",
        evidence=("reference_value", "reference_ratio"),
    ),
    Check(
        check_id="units.place_magnitude",
        subject="units",
        severity="warning",
        kind="verdict",
        column="place_magnitude_holds",
        reason=_REASON,
        explanation_zh="下辖地区数与上期相差千倍至十万倍：小地区可能属实，提示核实。",
        explanation_en="As for the province, but of a place inside it; small places do jump, so this only warns.",
        action_zh="向报送单位核实。",
        action_en="Ask the platform about the places named.",
        source="unit errors of factor 10,000 between 人 and 万人, 元 and 万元",
        evidence=("reference_value", "reference_ratio"),
    ),
    Check(
        check_id="units.precision_known",
        subject="units",
        severity="info",
        kind="verdict",
        column="precision_is_known",
        reason="the precision of {value} is not known",
        explanation_zh="应记录末位数字的单位，否则无法判断舍入误差。",
        explanation_en="The unit of the last printed digit should be kept: rounding is judged by it.",
        action_zh="检查取数程序。",
        action_en="Look at the reading of this carrier; sums of this figure are judged as if it were exact.",
        source="rounding rule: half a unit of the last printed digit",
        evidence=("last_digit",),
    ),
)


def prepare(cells: Cells) -> dict[str, npt.NDArray[Any]]:
    """``reference_value`` and ``reference_ratio`` (NaN: none) and the verdict columns of this subject."""
    reference = _reference_of_rows(cells)
    comparable = np.isfinite(cells.value) & (cells.value > 0) & (reference > 0)
    ratio = np.divide(cells.value, reference, out=np.full(len(cells), np.nan), where=comparable)
    factor = np.where(comparable, np.maximum(ratio, 1 / np.where(comparable, ratio, 1.0)), np.nan)
    is_slip = (factor >= SLIP_LEAST) & (factor <= SLIP_MOST)
    return {
        "reference_value": reference,
        "reference_ratio": ratio,
        "province_magnitude_holds": verdict(comparable & cells.is_province, ~is_slip),
        "place_magnitude_holds": verdict(comparable & ~cells.is_province, ~is_slip),
        "precision_is_known": verdict(np.isfinite(cells.value), cells.last_digit > 0),
    }


def _reference_of_rows(cells: Cells) -> Floats:
    """The reference of each row's indicator, region and area type."""
    if cells.reference is None or len(cells.reference) == 0:
        return np.full(len(cells), np.nan)
    frame = cells.reference
    parts, keys = [], []
    for column in ("indicator_code", "region_code", "area_type"):
        codes = pd.Index(cells.categories[column]).get_indexer(pd.Index(frame[column].astype(str)))
        parts.append(codes)
        keys.append(len(cells.categories[column]) + 1)
    known = (np.column_stack(parts) >= 0).all(axis=1)
    listed = _join([part.astype(np.int64) for part in parts], keys)[known]
    wanted = _join([cells.codes[column] for column in ("indicator_code", "region_code", "area_type")], keys)
    values = frame["reference_value"].to_numpy(dtype=np.float64, na_value=np.nan)[known]
    return np.where(cells.is_whole_key, align(listed, values, wanted), np.nan)


def _join(parts: list[npt.NDArray[np.int64]], sizes: list[int]) -> npt.NDArray[np.int64]:
    key = parts[0]
    for part, size in zip(parts[1:], sizes[1:], strict=True):
        key = key * size + part
    return key
