"""The plain rules for everything that is not published, as the table `figures/rules.csv` states them.

What is here: reading that table, one rule a series (indicator × area type). What is not here: what a method does
(`methods` for provinces, `counties` for county units); the columns are explained in `figures/README.md`.
"""

import csv
import dataclasses
import math
from pathlib import Path

from sandbox.reference import FIGURES, Reference

METHODS = frozenset(
    [
        "trend", "line", "parts", "rest", "split", "sum", "per", "share", "path", "floor", "anchor", "census",
        "ratio", "mean_parts", "area_rate",
    ]
)  # fmt: skip
COUNTY_METHODS = frozenset(["share", "of_which", "zero_one", "deviation", "count_rate", "census", "none"])


class RuleError(Exception):
    """The table of rules contradicts itself or the catalogue: whoever edits `figures/rules.csv` must act."""


@dataclasses.dataclass(frozen=True)
class Rule:
    """One row of the table: how one series is made where it is not published."""

    label: str
    printed_unit: str
    method: str
    basis: str
    first_year: int | None
    fit_from: int
    level: float
    level_end: float
    growth: float
    growth_low: float
    growth_high: float
    damping: float
    low: float
    high: float
    spread: float
    county_method: str
    county_basis: str
    county_group: str
    group_spread: float
    county_spread: float
    is_calibrated: bool
    why: str


def _number(text: str, absent: float) -> float:
    return float(text) if text else absent


def _rule(row: dict[str, str]) -> Rule:
    is_calibrated = row["level"] == "calibrated"
    return Rule(
        label=f"{row['indicator_code']}@{row['area_type']}",
        printed_unit=row["printed_unit"],
        method=row["method"],
        basis=row["basis"],
        first_year=int(row["first_year"]) if row["first_year"] else None,
        fit_from=int(row["fit_from"] or 0),
        level=1.0 if is_calibrated else _number(row["level"], math.nan),
        level_end=_number(row["level_end"], math.nan),
        growth=_number(row["growth"], 0.0),
        growth_low=_number(row["growth_low"], -math.inf),
        growth_high=_number(row["growth_high"], math.inf),
        damping=_number(row["damping"], 1.0),
        low=_number(row["low"], -math.inf),
        high=_number(row["high"], math.inf),
        spread=_number(row["spread"], 0.0),
        county_method=row["county_method"],
        county_basis=row["county_basis"],
        county_group=row["county_group"],
        group_spread=_number(row["group_spread"], 0.0),
        county_spread=_number(row["county_spread"], 0.0),
        is_calibrated=is_calibrated,
        why=row["why"],
    )


def load_rules(reference: Reference, path: Path = FIGURES / "rules.csv") -> tuple[Rule, ...]:
    """All rules in the order of making; raises `RuleError` naming file and line."""
    rules: list[Rule] = []
    seen: set[str] = set()
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        for row in reader:
            where = f"{path.name} line {reader.line_num}"
            try:
                rule = _rule(row)
            except ValueError as error:
                raise RuleError(f"{where}: {error}") from error
            if rule.label not in reference.by_label:
                raise RuleError(f"{where}: the catalogue has no series {rule.label}")
            unit = reference.by_label[rule.label].indicator.unit
            if (rule.printed_unit, unit) not in reference.unit_factors:
                raise RuleError(f"{where}: {rule.printed_unit} is no printed form of the unit {unit}")
            if rule.method not in METHODS or rule.county_method not in COUNTY_METHODS:
                raise RuleError(f"{where}: unknown method {rule.method} or {rule.county_method}")
            if rule.label in seen:
                raise RuleError(f"{where}: {rule.label} has two rules")
            seen.add(rule.label)
            rules.append(rule)
    if absent := sorted(set(reference.by_label) - seen):
        raise RuleError(f"{path.name}: no rule for {', '.join(absent)}")
    return tuple(rules)
