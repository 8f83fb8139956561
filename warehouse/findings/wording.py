"""How a number reads: which words the numbers choose. Not here: where they come from, how the document is put together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from warehouse.catalogue import Catalogue, Indicator
from warehouse.findings.measuring import (
    Caveats,
    ConvergenceFinding,
    Extreme,
    GapFinding,
    SpreadFinding,
    StandardFinding,
)
from warehouse.findings.subjects import REBASED_YEARS
from warehouse.periods import period_from_key

#: A relative change under this reads as none: figures carry the rounding of their print.
HARDLY = 0.02
#: A share of inequality between region groups from which it is said to lie between them, or under which within them.
MOSTLY = 0.5
#: Places named that share a lowest or highest value.
SHARING = 2
#: Places named in a list.
NAMED = 5


def number(value: float, digits: int = 3) -> str:
    """A number with some significant digits, thousands apart, never in powers of ten."""
    if value == 0 or not np.isfinite(value):
        return "0" if value == 0 else "–"
    decimals = max(0, digits - 1 - int(np.floor(np.log10(abs(value)))))
    return f"{value:,.{decimals}f}"


def percent(share: float) -> str:
    """A share as a whole percentage."""
    return f"{100 * share:.0f} %"


def place(region_key: int, catalogue: Catalogue) -> str:
    """A place by its English name."""
    return catalogue.provinces[f"{region_key:06d}"].name_en if region_key else "the nation"


def extreme(found: Extreme, catalogue: Catalogue) -> str:
    """A lowest or highest value with whose it is; of many places only how many."""
    names = [place(region, catalogue) for region in found.regions]
    return f"{number(found.value)} ({listed(names) if len(names) <= SHARING else f'{len(names)} provinces'})"


def moved(before: float, after: float, grew: str, fell: str, stayed: str) -> str:
    """Which of three words a change chooses."""
    if abs(after - before) <= HARDLY * abs(before):
        return stayed
    return grew if after > before else fell


def _distance(ratio: float) -> float:
    """How far a ratio is from equality, the same for 2 and for one half."""
    return float(abs(np.log(ratio))) if ratio > 0 else np.inf


def gap_sentences(found: GapFinding, indicator: Indicator, catalogue: Catalogue) -> Iterator[str]:
    """Town against country."""
    before, after = found.nation or found.median
    whose = "of the nation" if found.nation else f"of the middle one of {found.provinces} provinces"
    if found.first_period == found.last_period:
        yield f"In {found.last_period} the figure {whose} in town was {number(after)} times that in the country."
    else:
        change = moved(_distance(before), _distance(after), "widened", "narrowed", "hardly moved")
        yield (
            f"The gap {change}: the figure {whose} in town was {number(before)} times that in the country in"
            f" {found.first_period} and {number(after)} times in {found.last_period}."
        )
    if found.nation and found.first_period != found.last_period:
        change = moved(_distance(found.median[0]), _distance(found.median[1]), "widened", "narrowed", "hardly moved")
        yield (
            f"In the middle one of {found.provinces} provinces it {change}, from {number(found.median[0])} to"
            f" {number(found.median[1])}."
        )
    yield (
        f"In {found.last_period} it ran from {extreme(found.lowest, catalogue)} to {extreme(found.highest, catalogue)}."
    )
    if indicator.direction != "neutral":
        yield f"The country was the worse off in {found.rural_worse} provinces."


def spread_sentences(found: SpreadFinding, catalogue: Catalogue, unit: str) -> Iterator[str]:
    """How far the provinces are apart, and between whom."""
    first, last = found.years.iloc[0], found.years.iloc[-1]
    periods = [_period(row) for row in (first, last)]
    if len(found.years) > 1:
        change = moved(first["gini"], last["gini"], "grew", "fell", "hardly changed")
        yield (
            f"Inequality between the provinces {change}: the Gini was {number(first['gini'])} in {periods[0]} and"
            f" {number(last['gini'])} in {periods[1]} (provinces as equals), the CV {number(first['cv'])} and"
            f" {number(last['cv'])}."
        )
    else:
        yield f"In {periods[1]} the Gini between the provinces was {number(last['gini'])}, the CV {number(last['cv'])}."
    yield (
        f"In {periods[1]} the lowest figure was {extreme(found.lowest, catalogue)}, the highest"
        f" {extreme(found.highest, catalogue)}, in {unit}."
    )
    if np.isfinite(last["between"]):
        where = "between" if last["between"] >= MOSTLY else "within"
        yield (
            f"Most of it lay {where} the region groups: {percent(last['between'])} of Theil's T was between East, Central,"
            f" West and Northeast in {periods[1]}{_before(first, 'between', periods[0], len(found.years))}."
        )
    if np.isfinite(last["gini_people"]):
        side = moved(last["gini"], last["gini_people"], "higher", "lower", "about the same")
        yield f"Counted by people it was {side}: a Gini of {number(last['gini_people'])}."


def _before(row: object, column: str, period: str, years: int) -> str:
    value = row[column]  # type: ignore[index]
    return f", {percent(value)} in {period}" if years > 1 and np.isfinite(value) else ""


def _period(row: object) -> str:
    return period_from_key(int(row["period_key"])).code  # type: ignore[index]


def convergence_sentences(found: ConvergenceFinding) -> Iterator[str]:
    """σ and β, and what it means where they disagree."""
    span = f"{found.first_period} to {found.last_period}, {found.units} provinces"
    is_flat = abs(found.cv[1] - found.cv[0]) <= HARDLY * found.cv[0]
    sigma = "neither drew together nor apart" if is_flat else "drew together" if found.sigma_slope < 0 else "drew apart"
    yield f"The provinces {sigma} ({span}): the CV moved by {number(found.sigma_slope, 2)} a year (σ)."
    if not np.isfinite(found.beta_slope):
        return
    catching_up = found.beta_slope < 0
    half = (
        f", which would halve the distance in {number(found.half_life, 2)} years"
        if np.isfinite(found.half_life)
        else ""
    )
    yield (
        f"Those that were low grew {'faster' if catching_up else 'no faster'} (β {number(found.beta_slope, 2)} a year"
        f"{half if catching_up else ''})."
    )
    if catching_up and not is_flat and found.sigma_slope > 0:
        yield "Catching up did not make the spread smaller: places overtook each other, or other shocks spread them."


def standard_sentences(found: StandardFinding, catalogue: Catalogue) -> Iterator[str]:
    """Provinces against one kind of standard."""
    standard = found.standard
    kinds = {"floor": "floor", "target": "target", "reference": "reference value"}
    planned = f" planned for {standard.target_year}" if standard.target_year else ""
    told = f"{'at least' if standard.op == '>=' else 'at most'} {number(standard.value)}"
    nation = "" if found.nation_meets is None else "; the nation " + ("met it" if found.nation_meets else "did not")
    yield (
        f"Against the {kinds[standard.kind]} of {told}{planned} ({standard.document}): {found.met} of {found.provinces}"
        f" provinces met it in {found.period}{nation}."
    )
    if found.earlier:
        period, met, provinces, value = found.earlier
        yield f"In {period} {met} of {provinces} met the one then in force ({number(value)})."
    if found.misses:
        named = [f"{place(key, catalogue)} {number(value)}" for key, value in found.misses[:NAMED]]
        rest = len(found.misses) - len(named)
        yield f"Farthest off: {', '.join(named)}{f' and {rest} more' if rest else ''}."


def caveat_sentences(found: Caveats, years: tuple[int, int] | None, catalogue: Catalogue) -> Iterator[str]:
    """What limits all of it."""
    for row in found.breaks:
        where = "" if row.region_code is None else f" in {place(int(row.region_code), catalogue)}"
        area = "" if row.area_type is None else f", {row.area_type}"
        told = f"Break in {row.first_year}{where} ({row.indicator_code}{area}): {row.what_changed}."
        yield f"{told} Nothing is compared across it."
    if found.rests_on_population and years and years[0] <= REBASED_YEARS[1] and years[1] >= REBASED_YEARS[0]:
        yield (
            f"Resident population of {REBASED_YEARS[0]} to {REBASED_YEARS[1]} was re-based after the census of 2020: totals"
            " and rates computed here have the new base, rates as reported and population by town and country the old one."
        )
    if found.left_out and found.left_out_periods:
        first, last = found.left_out_periods
        yield f"Left out: {found.left_out:,} figures of {first} to {last} that are estimated or weaker."
    if found.provisional:
        yield f"{found.provisional:,} of the figures are provisional."
    if found.thin_periods:
        yield f"Too few provinces have a published figure in {listed(found.thin_periods)}."


def listed(names: Sequence[str]) -> str:
    """Names in a row: a, b and c."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
