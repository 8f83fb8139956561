"""The suite of health returns, quarterly and annual, with medical insurance and eldercare."""

from __future__ import annotations

from expectations import arithmetic, codes, ranges, structure, units
from expectations.suite import compose

SUITE = compose("health", "卫生健康报表", structure.RULES, codes.RULES, ranges.RULES, units.RULES, arithmetic.RULES)
