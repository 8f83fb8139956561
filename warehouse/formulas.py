"""Formulas with the numbers in them, for a person to follow. Not here: computing what is published.

Every formula is evaluated again from the parts that lineage names, so that a reader sees at once whether they give the
published number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from warehouse.differencing import subtract
from warehouse.measures import Sample, cv, gini, max_min_ratio, mean, theil_decomposition

if TYPE_CHECKING:
    from warehouse.lineage import Link, Part

_DIGITS = 10


def number(value: float | None) -> str:
    """A number as formulas show it: thousands apart, ten significant digits."""
    return "nothing" if value is None else f"{value:,.{_DIGITS}g}" if abs(value) < 1e10 else f"{value:,.0f}"


def formula_of(links: Sequence[Link], parts: Sequence[Part]) -> tuple[str, float | None]:
    """The formula of a computed figure with its numbers, and what it gives.

    ``links`` are all its parts, ``parts`` those that are shown (for their names).
    """
    roles = {link.role for link in links}
    names = {part.role: part.figure.indicator_code for part in reversed(parts)}
    regions = len({link.part[2] for link in links})
    if "denominator" in roles:
        return _rate(links, parts, regions)
    if "longer" in roles:
        return _difference(links, parts)
    if "weight" in roles:
        return _weighted_mean(links, names, regions)
    total = sum(link.value for link in links)
    return f"Σ {names['member']} over {regions} provinces = {number(total)}", total


def _rate(links: Sequence[Link], parts: Sequence[Part], regions: int) -> tuple[str, float | None]:
    factor = next(link.factor for link in links if link.role == "numerator")
    sums: dict[int, float] = {}
    for link in links:
        sums[link.place] = sums.get(link.place, 0.0) + link.value
    last = max(sums)
    above, below = sum(value for place, value in sums.items() if place != last), sums[last]
    sign = "Σ " if regions > 1 else ""
    shown = list(parts[: len(sums)])  # those of one region, in the order of the formula
    named = [f"{sign}{part.figure.indicator_code}" for part in shown]
    tops = [number(value) for place, value in sums.items() if place != last]
    value = factor * above / below if below else None
    return (
        f"{number(factor)} × {_sum(named[:-1])} / {named[-1]}"
        f"{f' over {regions} provinces' if regions > 1 else ''}"
        f" = {number(factor)} × {_sum(tops)} / {number(below)} = {number(value)}",
        value,
    )


def _sum(terms: Sequence[str]) -> str:
    return terms[0] if len(terms) == 1 else f"({' + '.join(terms)})"


def _difference(links: Sequence[Link], parts: Sequence[Part]) -> tuple[str, float | None]:
    named = " − ".join(f"{part.figure.indicator_code} {part.figure.period_code}" for part in parts)
    numbers = [link.value for link in links]
    if len(numbers) == 1:
        return f"{named} = {number(numbers[0])}", numbers[0]
    value = float(subtract(np.array(numbers[:1]), np.array(numbers[1:]))[0])
    return f"{named} = {number(numbers[0])} − {number(numbers[1])} = {number(value)}", value


def _weighted_mean(links: Sequence[Link], names: Mapping[str, str], regions: int) -> tuple[str, float | None]:
    members = {link.part[2]: link.value for link in links if link.role == "member"}
    weights = {link.part[2]: link.value for link in links if link.role == "weight"}
    above, below = sum(weights[region] * value for region, value in members.items()), sum(weights.values())
    value = above / below if below else None
    return (
        f"Σ w x / Σ w over {regions} provinces, x {names['member']}, w {names['weight']}"
        f" = {number(above)} / {number(below)} = {number(value)}",
        value,
    )


def attainment_formula(row: Mapping[str, Any], op: str) -> str:
    """How far a figure is from its standard."""
    value, floor = number(row["value"]), number(row["floor_value"])
    above = f"({value} − {floor})" if op == ">=" else f"({floor} − {value})"
    named = "(value − floor) / floor" if op == ">=" else "(floor − value) / floor"
    told = "attained" if row["attained"] else "not attained"
    return f"margin = {named} = {above} / {floor} = {number(row['margin'])}; margin ≥ 0 is attained: {told}"


def gap_formulas(row: Mapping[str, Any]) -> tuple[str, ...]:
    """How far town and country are apart."""
    urban, rural = number(row["urban_value"]), number(row["rural_value"])
    ratio = f"{urban} / {rural} = {number(row['ratio'])}" if row["ratio"] is not None else f"null: {row['status']}"
    return (
        f"ratio = urban / rural = {ratio}",
        f"difference = urban − rural = {urban} − {rural} = {number(row['difference'])}",
        f"disadvantaged: {row['disadvantaged']}",
    )


MEASURE_FORMULAS: Mapping[str, str] = {
    "mean": "μ = Σ wᵢxᵢ / W",
    "cv": "√(Σ wᵢ(xᵢ − μ)² / W) / μ",
    "gini": "ΣᵢΣⱼ wᵢwⱼ|xᵢ − xⱼ| / (2W²μ)",
    "theil_t": "Σ (wᵢ/W)(xᵢ/μ) ln(xᵢ/μ)",
    "theil_t_within": "Σ over groups of s_g T_g",
    "theil_t_between": "Σ over groups of s_g ln(μ_g/μ)",
    "max_min_ratio": "max xᵢ / min xᵢ",
}


def measures_of(values: Sequence[float], weights: Sequence[float] | None, groups: Sequence[str]) -> dict[str, float]:
    """The measures of inequality of these units, as ``mart.inequality`` names them; NaN where undefined."""
    names = sorted(set(groups))
    sample = Sample.of(values, weights, groups=[names.index(group) for group in groups])
    theil = theil_decomposition(sample)
    made = (mean(sample), cv(sample), gini(sample), *theil, max_min_ratio(sample))
    return {name: float(measure[0]) for name, measure in zip(MEASURE_FORMULAS, made, strict=True)}


def inequality_formulas(
    row: Mapping[str, Any], measures: Mapping[str, float], weight_sum: float, weight_name: str | None
) -> tuple[str, ...]:
    """What is summed, and each published measure with its formula and what the units give."""
    weighing = f"wᵢ = {weight_name}" if weight_name else "wᵢ = 1"
    lines = [f"over {row['units']:,} units xᵢ, {weighing}, W = Σ wᵢ = {number(weight_sum)}, μ their mean"]
    if row["status"] != "ok":
        return (*lines, f"no measure is published: {row['status']}")
    for name, formula in MEASURE_FORMULAS.items():
        if row[name] is not None:
            lines.append(f"{name} = {formula} = {number(measures[name])} (published {number(row[name])})")
    return tuple(lines)
