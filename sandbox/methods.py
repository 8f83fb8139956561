"""How a provincial series is made where it is not published: one function a method of `figures/rules.csv`.

What is here: pure functions on arrays of province × year. Each takes the sheet of annual figures made so far and the
rule, and gives a whole series; `annual` keeps published figures, rounds and places the rest. What is not here:
counties, months and quarters.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from sandbox.published import FIRST_YEAR
from sandbox.reference import Reference, Series
from sandbox.rules import Rule
from sandbox.seeds import Floats, draw_normals, hash_key

FIT_YEARS = 5
"""A trend is that of the last five known years: shorter follows noise, longer follows another policy."""
LOGISTIC_END = 2025
"""The year at which a logistic path reaches its `level_end`: the end of the 14th plan."""
BREAK_YEAR = 2021
"""Reported rates by area count residents from here on, registered persons before (`breaks.csv`)."""
CENSUS_YEAR = 2020
ANCHOR_YEAR = 2024


class Sheet(Protocol):
    """The annual figures made so far."""

    reference: Reference
    seed: int
    years: Floats

    def of(self, label: str) -> Floats:
        """Province × year of a series or of a derived basis (`county_units`, `county_seats`)."""

    def known(self, label: str) -> Floats:
        """Province × year of what is published of a series, gaps interpolated."""


def last_known(row: Floats) -> int:
    """Position of the last figure of one province's years, -1 if there is none."""
    found = np.flatnonzero(~np.isnan(row))
    return int(found[-1]) if found.size else -1


def damped_steps(rule: Rule, count: int) -> Floats:
    """Cumulated multiples of a yearly step over the next `count` years, each smaller by `damping`."""
    return np.cumsum(rule.damping ** np.arange(count))


def slope(row: Floats, last: int, fit_from: int) -> float:
    """Least-squares yearly step over the last `FIT_YEARS` figures (none before `fit_from`), 0 with fewer than two."""
    first = max(last - FIT_YEARS + 1, fit_from - FIRST_YEAR, 0)
    y = row[first : last + 1]
    x = np.arange(y.size) - (y.size - 1) / 2
    usable = ~np.isnan(y)
    if usable.sum() < 2:
        return 0.0
    x, y = x[usable] - x[usable].mean(), y[usable]
    return float(x @ y / (x @ x))


def continue_rows(known: Floats, rule: Rule, *, is_logarithmic: bool) -> Floats:
    """Each province's series carried on past its last figure by its own damped trend, the step within bounds."""
    made = known.copy()
    for row in made:
        last = last_known(row)
        if last < 0:
            continue
        is_log = is_logarithmic and bool(np.nanmin(row) > 0)
        scale = np.log(row) if is_log else row
        step = min(max(slope(scale, last, rule.fit_from), rule.growth_low), rule.growth_high)
        ahead = scale[last] + step * damped_steps(rule, row.size - last - 1)
        row[last + 1 :] = np.exp(ahead) if is_log else ahead
    return made


def make_trend(sheet: Sheet, rule: Rule, series: Series) -> Floats:
    """Log-linear trend; with a basis, `low` and `high` are multiples of the basis."""
    made = continue_rows(sheet.known(series.label), rule, is_logarithmic=True)
    scale = sheet.of(rule.basis) if rule.basis else 1.0
    return np.clip(made, rule.low * scale, rule.high * scale)


def make_line(sheet: Sheet, rule: Rule, series: Series) -> Floats:
    """Linear trend in points, within bounds."""
    made = continue_rows(sheet.known(series.label), rule, is_logarithmic=False)
    return np.clip(made, rule.low, rule.high)


def _logit(share: Floats) -> Floats:
    return np.log(share / (1.0 - share))


def _logistic(score: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-score))


def admin_shares(reference: Reference) -> Floats:
    """Share of each province's residents of 2020 who live in city districts."""
    people, urban = reference.counties.population["total"], reference.counties.is_district
    return np.array(
        [(people[p.counties] * urban[p.counties]).sum() / people[p.counties].sum() for p in reference.provinces]
    )


def census_urban_shares(reference: Reference) -> Floats:
    """Urban share of each province's residents in the census of 2020."""
    people = reference.counties.population
    shares = [people["urban"][p.counties].sum() / people["total"][p.counties].sum() for p in reference.provinces]
    return np.array(shares)


def make_parts(sheet: Sheet, rule: Rule, series: Series) -> Floats:
    """The urban part: the total times a share that follows its own damped trend (anchored at the census)."""
    code = series.indicator.code
    urban, rural = sheet.known(f"{code}@urban"), sheet.known(f"{code}@rural")
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.clip(urban / (urban + rural), 0.01, 0.995)
    score = np.where(np.isnan(share), np.nan, _logit(share))
    steps = [min(max(slope(row, last_known(row), rule.fit_from), -0.08), 0.08) for row in score]
    lasts = [last_known(row) for row in score]
    if rule.basis == "census":
        at = CENSUS_YEAR - FIRST_YEAR
        score[:, at] = _logit(np.minimum(census_urban_shares(sheet.reference), 0.995))
        lasts = [at] * len(lasts)
    for row, step, last in zip(score, steps, lasts, strict=True):
        if last >= 0:
            row[last + 1 :] = row[last] + step * damped_steps(rule, row.size - last - 1)
    if series.indicator.area_definition == "administrative":
        score[admin_shares(sheet.reference) >= 1.0] = np.inf  # no county left: all of it is urban
    return sheet.of(f"{code}@total") * _logistic(score)


def make_rest(sheet: Sheet, rule: Rule, series: Series) -> Floats:
    """The total less the other part, so that the parts sum exactly."""
    code = series.indicator.code
    other = "rural" if series.area_type == "urban" else "urban"
    return sheet.of(f"{code}@total") - sheet.of(f"{code}@{other}")


def province_noise(sheet: Sheet, key: str) -> Floats:
    """One standard normal deviate a province, as a column."""
    codes = np.arange(len(sheet.reference.provinces))
    return draw_normals(hash_key(sheet.seed, "province", key), codes)[:, None]


def make_split(sheet: Sheet, rule: Rule, series: Series) -> Floats:
    """A part of the total: `level` times the same part's share of the basis, spread by province."""
    part, whole = sheet.of(f"{rule.basis}@{series.area_type}"), sheet.of(f"{rule.basis}@total")
    group = 0.7 * province_noise(sheet, f"split {rule.county_group}") + 0.7 * province_noise(sheet, series.label)
    share = np.clip(rule.level * part / whole * np.exp(rule.spread * group), rule.low, rule.high)
    return sheet.of(f"{series.indicator.code}@total") * share


def make_sum(sheet: Sheet, rule: Rule, series: Series) -> Floats:
    """Urban plus rural."""
    return sheet.of(f"{series.indicator.code}@urban") + sheet.of(f"{series.indicator.code}@rural")


def make_per(sheet: Sheet, rule: Rule, series: Series) -> Floats:
    """`level` per unit of the basis (a sum of series), growing steadily from `first_year`, spread by province."""
    basis: Floats = np.sum([sheet.of(each) for each in rule.basis.split("+")], axis=0)
    growth = np.exp(rule.growth * (sheet.years - (rule.first_year or FIRST_YEAR)))
    return basis * rule.level * growth * np.exp(rule.spread * province_noise(sheet, series.label))


def logistic_path(sheet: Sheet, rule: Rule, series: Series) -> Floats:
    """A share from `level` in `first_year` to `level_end` in 2025 and on, the provinces ahead or behind."""
    first = rule.first_year or FIRST_YEAR
    start, end = _logit(np.array([rule.level, rule.level_end]))
    score = start + (end - start) * (sheet.years - first) / (LOGISTIC_END - first)
    shared = province_noise(sheet, f"path {series.indicator.code}")
    return _logistic(score + rule.spread * (0.85 * shared + 0.5 * province_noise(sheet, series.label)))


def make_share(sheet: Sheet, rule: Rule, series: Series) -> Floats:
    """A logistic share of the basis."""
    basis = sheet.of(rule.basis)
    return np.minimum(basis, np.rint(basis * logistic_path(sheet, rule, series)))


def make_path(sheet: Sheet, rule: Rule, series: Series) -> Floats:
    """A rate in percent along a logistic path."""
    return np.clip(100.0 * logistic_path(sheet, rule, series), rule.low, rule.high)


def make_floor(sheet: Sheet, rule: Rule, series: Series) -> Floats:
    """The national floor in force on 1 September of the year, by region group, plus a margin by province."""
    made = np.full((len(sheet.reference.provinces), sheet.years.size), np.nan)
    for step in sheet.reference.standards:
        if step["indicator_code"] != rule.basis:
            continue
        is_held = np.array([step["region_group"] in ("", p.region_group) for p in sheet.reference.provinces])
        days = np.array([f"{year:.0f}-09-01" for year in sheet.years])
        is_on = (days >= step["valid_from"]) & (days <= (step["valid_to"] or "9999"))
        made[np.ix_(is_held, is_on)] = float(step["value"])
    noise = 0.8 * province_noise(sheet, f"floor {rule.method}") + 0.6 * province_noise(sheet, series.label)
    return np.rint(made * (1.0 + rule.level + rule.spread * noise))


def make_anchor(sheet: Sheet, rule: Rule, series: Series) -> Floats:
    """From the one published year to a national mean (`level`, weighted by the basis) at the end of 2024."""
    known = sheet.known(series.label)
    start = last_known(known[0])
    weights = sheet.of(rule.basis)
    weights = np.where(np.isnan(weights), weights[:, [start + 1]], weights)
    first_mean = np.average(known[:, start], weights=weights[:, start])
    years = np.arange(sheet.years.size) - start
    reach = ANCHOR_YEAR - FIRST_YEAR - start
    ahead = np.exp(rule.growth * np.maximum(years - reach, 0))
    means = first_mean * (rule.level / first_mean) ** np.minimum(years / reach, 1.0) * ahead
    made = (known[:, [start]] / first_mean) ** (1.0 - rule.damping * np.clip(years, 0, reach)) * means
    ceiling = sheet.of(f"{series.indicator.code}@urban") if series.area_type == "rural" else np.inf
    for _ in range(4):  # a ceiling pulls the mean down again, less each time
        made = np.minimum(made * means / np.average(made, axis=0, weights=weights), ceiling)
    return made


def make_census(sheet: Sheet, rule: Rule, series: Series) -> Floats:
    """The population mean of a census column, moved by `growth` a year (a step in years, a factor in percent)."""
    counties = sheet.reference.counties
    means = [
        np.average(counties.census[rule.basis][p.counties], weights=counties.population["total"][p.counties])
        for p in sheet.reference.provinces
    ]
    start, years = np.array(means)[:, None], sheet.years - CENSUS_YEAR
    is_step = series.indicator.unit == "year"
    return np.clip(start + rule.growth * years if is_step else start * np.exp(rule.growth * years), rule.low, rule.high)


def make_ratio(sheet: Sheet, rule: Rule, series: Series) -> Floats:
    """`level` times one series by another, at the last published distance from it where calibrated."""
    above, below = rule.basis.split("/")
    ratio = rule.level * sheet.of(above) / sheet.of(below)
    if rule.is_calibrated:
        known = sheet.known(series.label)
        lasts = np.array([last_known(row) for row in known])
        rows = np.arange(len(known))
        ratio = ratio * (known[rows, lasts] / ratio[rows, lasts])[:, None]
    return ratio


def make_mean_parts(sheet: Sheet, rule: Rule, series: Series) -> Floats:
    """A mean by area: own trend, then urban and rural scaled alike so that their weighted mean follows the total."""
    code = series.indicator.code
    parts = {
        area: continue_rows(sheet.known(f"{code}@{area}"), rule, is_logarithmic=True) for area in ("urban", "rural")
    }
    total = sheet.of(f"{code}@total")
    urban_share = sheet.of(f"{rule.basis}@urban") / sheet.of(f"{rule.basis}@total")
    scale = total / (urban_share * parts["urban"] + (1.0 - urban_share) * parts["rural"])
    rows = np.arange(len(total))
    lasts = np.array([last_known(row) for row in sheet.known(series.label)])
    own: Floats = parts[series.area_type] * scale / scale[rows, lasts][:, None]
    return own


def make_area_rate(sheet: Sheet, rule: Rule, series: Series) -> Floats:
    """A reported rate by area: own trend before the break of 2021, then coherent with the total over residents."""
    code = series.indicator.code
    trends = {
        area: continue_rows(sheet.known(f"{code}@{area}"), rule, is_logarithmic=True) for area in ("urban", "rural")
    }
    weight = {"urban": admin_shares(sheet.reference)[:, None]}
    weight["rural"] = 1.0 - weight["urban"]
    with np.errstate(divide="ignore", invalid="ignore"):
        if rule.basis:  # the counts have areas of their own
            relative = sheet.of(f"{rule.basis}@{series.area_type}") / sheet.of(f"{rule.basis}@total")
            relative = relative / weight[series.area_type]
        else:
            ratio = (trends["urban"] / trends["rural"]) ** rule.level
            mean = weight["urban"] * ratio + weight["rural"]
            relative = (ratio if series.area_type == "urban" else np.ones_like(ratio)) / mean
    relative[weight["rural"][:, 0] <= 0.0] = 1.0 if series.area_type == "urban" else np.nan
    return np.where(sheet.years >= BREAK_YEAR, sheet.of(f"{code}@total") * relative, trends[series.area_type])


MAKERS: dict[str, Callable[[Sheet, Rule, Series], Floats]] = {
    "trend": make_trend,
    "line": make_line,
    "parts": make_parts,
    "rest": make_rest,
    "split": make_split,
    "sum": make_sum,
    "per": make_per,
    "share": make_share,
    "path": make_path,
    "floor": make_floor,
    "anchor": make_anchor,
    "census": make_census,
    "ratio": make_ratio,
    "mean_parts": make_mean_parts,
    "area_rate": make_area_rate,
}
