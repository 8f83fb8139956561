"""The suite of what the public portal publishes: all provinces in one table, of no form that a province owes."""

from __future__ import annotations

from expectations import arithmetic, codes, ranges, structure, units
from expectations.suite import compose

SUITE = compose(
    "portal",
    "国家统计局数据门户",
    structure.RULES,
    codes.RULES,
    ranges.RULES,
    units.RULES,
    arithmetic.RULES,
    # It is one table of all provinces, and what its forms carry is set aside by name before it is judged.
    without=frozenset({"codes.region_in_province", "codes.indicator_in_form"}),
)
