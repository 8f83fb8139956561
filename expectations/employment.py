"""The suite of employment returns, monthly and annual. Its annex carries population, product, income and budget."""

from __future__ import annotations

from expectations import arithmetic, codes, ranges, structure, units
from expectations.suite import compose

SUITE = compose(
    "employment", "就业和社会保障报表", structure.RULES, codes.RULES, ranges.RULES, units.RULES, arithmetic.RULES
)
