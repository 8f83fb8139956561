"""The suite of education returns, by school year."""

from __future__ import annotations

from expectations import arithmetic, codes, ranges, structure, units
from expectations.suite import compose

# No education indicator that is a mean or rate is reported by total, urban and rural together.
SUITE = compose(
    "education",
    "基础教育报表",
    structure.RULES,
    codes.RULES,
    ranges.RULES,
    units.RULES,
    arithmetic.RULES,
    without=frozenset({"arithmetic.total_between_parts"}),
)
