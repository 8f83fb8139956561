"""Partitions of returns and observations: province × period, by frequency.

Periods are time windows, so that the UI sorts and fills them by itself. Dagster writes windows by strftime, which has no
quarters: a quarter is named by its first month (2026-04 is 2026-Q2). A school year is open to returns inside its own year.
"""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg

FIRST = "2010"
"""First year of every period dimension: what JUNHENG_SINCE can widen a refresh to."""

TIMEZONE = "Asia/Shanghai"


def period_windows(frequency: str) -> dg.TimeWindowPartitionsDefinition:
    """The period dimension of a form's frequency: M, Q, A or S."""
    crons = {
        "M": ("0 0 1 * *", "%Y-%m", f"{FIRST}-01", 0),
        "Q": ("0 0 1 1,4,7,10 *", "%Y-%m", f"{FIRST}-01", 0),
        "A": ("0 0 1 1 *", "%Y", FIRST, 0),
        "S": ("0 0 1 9 *", "SY%Y", f"SY{FIRST}", 1),
    }
    cron, fmt, start, end_offset = crons[frequency]
    return dg.TimeWindowPartitionsDefinition(
        cron_schedule=cron, fmt=fmt, start=start, end_offset=end_offset, timezone=TIMEZONE
    )


def province_periods(frequency: str, provinces: Iterable[str]) -> dg.MultiPartitionsDefinition:
    """Province × period."""
    return dg.MultiPartitionsDefinition(
        {"province": dg.StaticPartitionsDefinition(list(provinces)), "period": period_windows(frequency)}
    )
