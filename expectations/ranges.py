"""Ranges: a figure is a finite number, and where it leaves its indicator's plausible range, that is said.

Here: the rules and the columns they read. Not here: comparisons with other figures (``units``, ``arithmetic``).
Plausible ranges warn and never block: real figures leave them (three shares of villages with a clinic in 2003 are
above 100).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from expectations.cells import Cells
from expectations.model import Check, verdict

_SOURCE = "catalogue: indicators.csv, columns plausible_min and plausible_max"

RULES: tuple[Check, ...] = (
    Check(
        check_id="ranges.value_finite",
        subject="ranges",
        severity="blocking",
        kind="verdict",
        column="value_is_finite",
        reason="the figure is infinite",
        explanation_zh="数值必须是有限数。",
        explanation_en="A figure is a finite number.",
        action_zh="请报送单位重报该数。",
        action_en="Ask the platform for the figure; a program divided by zero before it was exported.",
        source="IEEE 754; no statistic is infinite",
    ),
    Check(
        check_id="ranges.not_below_plausible",
        subject="ranges",
        severity="warning",
        kind="verdict",
        column="is_not_below_plausible",
        reason="{value} is below {plausible_min}, the least that is plausible for {indicator_code}",
        explanation_zh="低于该指标的合理下限：不拦截，请核实。",
        explanation_en="Below the plausible range of the indicator: it is loaded and marked, not blocked.",
        action_zh="向报送单位核实；如属实请说明原因。",
        action_en="Ask the platform; a figure that is odd but true is explained, and then stays.",
        source=_SOURCE,
        evidence=("plausible_min",),
    ),
    Check(
        check_id="ranges.not_above_plausible",
        subject="ranges",
        severity="warning",
        kind="verdict",
        column="is_not_above_plausible",
        reason="{value} is above {plausible_max}, the most that is plausible for {indicator_code}",
        explanation_zh="高于该指标的合理上限：不拦截，请核实。",
        explanation_en="Above the plausible range of the indicator: it is loaded and marked, not blocked.",
        action_zh="向报送单位核实；如属实请说明原因。",
        action_en="Ask the platform; a figure that is odd but true is explained, and then stays.",
        source=_SOURCE,
        evidence=("plausible_max",),
    ),
)


def prepare(cells: Cells) -> dict[str, npt.NDArray[Any]]:
    """``plausible_min`` and ``plausible_max`` (NaN: open) and the verdict columns of this subject."""
    low = cells.indicator(_bound("plausible_min"), np.nan, np.float64)
    high = cells.indicator(_bound("plausible_max"), np.nan, np.float64)
    value = cells.value
    finite = np.isfinite(value)
    return {
        "plausible_min": low,
        "plausible_max": high,
        "value_is_finite": verdict(cells.has_value, finite),
        "is_not_below_plausible": verdict(finite & ~np.isnan(low), value >= low),
        "is_not_above_plausible": verdict(finite & ~np.isnan(high), value <= high),
    }


def _bound(column: str) -> Any:
    def of(indicator: Any) -> float:
        bound = getattr(indicator, column)
        return np.nan if bound is None else float(bound)

    return of
