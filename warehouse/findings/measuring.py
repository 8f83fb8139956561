"""What the published figures of a service say, as numbers: gap, spread, convergence, standards, caveats. Not here: words.

Each number comes from the function of the mart it stands in (gap, inequality, attainment), given published figures only, or
from ``warehouse.measures``; so the findings and the marts cannot part ways. Years on two sides of a break of definition are
never compared: a comparison begins with the first year that means the same as the last one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from warehouse.breaks import DefinitionBreak, definition_breaks, first_comparable_years
from warehouse.catalogue import Catalogue, Indicator, Standard
from warehouse.findings.source import published_figures
from warehouse.findings.subjects import REBASED_CODE, Subject
from warehouse.marts.attainment import attainment
from warehouse.marts.coverage import MINIMUM_COVERAGE
from warehouse.marts.inequality import inequality
from warehouse.marts.urban_rural_gap import urban_rural_gap
from warehouse.measures import beta_convergence, sigma_convergence
from warehouse.measures.sample import FloatArray, IntArray
from warehouse.panels import AREA_KEYS, NATION, Panel, is_published, status_ranks, years_of
from warehouse.periods import period_from_key

#: Fewer years have no slope: two points always make a line.
MINIMUM_YEARS = 3


@dataclass(frozen=True)
class Extreme:
    """The lowest or highest value, and which regions have it."""

    value: float
    regions: tuple[int, ...]

    @classmethod
    def of(cls, values: pd.Series[float], value: float) -> Extreme:
        """Of values by region, those that are ``value``."""
        return cls(float(value), tuple(sorted(int(key) for key in values.index[values == value])))


@dataclass(frozen=True)
class GapFinding:
    """Town against country in the first and the last comparable year. Ratios are town over country.

    ``nation``: of the nation, None where no national figure is published. ``median``: over the ``provinces`` that have both
    years; ``lowest`` and ``highest`` are ratios of the last year, ``rural_worse`` how many provinces have the country
    worse off then.
    """

    first_period: str
    last_period: str
    nation: tuple[float, float] | None
    median: tuple[float, float]
    provinces: int
    lowest: Extreme
    highest: Extreme
    rural_worse: int


@dataclass(frozen=True)
class SpreadFinding:
    """How far the provinces are apart.

    ``years``: a row a comparable year: period, units, mean, cv, gini, theil_t, between (share of Theil T between region
    groups), provinces as equals; with ``_people``: by people. ``lowest``, ``highest``: figures of the last year.
    """

    years: pd.DataFrame
    lowest: Extreme
    highest: Extreme


@dataclass(frozen=True)
class ConvergenceFinding:
    """Whether the provinces draw together: σ, slope of the CV a year; β, slope of growth on the start; half-life in years."""

    first_period: str
    last_period: str
    units: int
    sigma_slope: float
    cv: tuple[float, float]
    beta_slope: float
    half_life: float


@dataclass(frozen=True)
class StandardFinding:
    """Provinces against the standard in force in the last published period; ``misses``: (region, value), farthest off first.

    ``earlier``: (period, provinces that met the standard then in force, provinces, its value) of the first such period.
    """

    standard: Standard
    period: str
    met: int
    provinces: int
    nation_meets: bool | None
    misses: tuple[tuple[int, float], ...]
    earlier: tuple[str, int, int, float] | None


@dataclass(frozen=True)
class Caveats:
    """What limits a finding.

    Breaks of definition within the published years, figures that are left out, provisional ones, years that cover too
    little, and whether population, which was re-based, is part of it.
    """

    breaks: tuple[DefinitionBreak, ...]
    left_out: int
    left_out_periods: tuple[str, str] | None
    provisional: int
    thin_periods: tuple[str, ...]
    rests_on_population: bool


@dataclass(frozen=True)
class Finding:
    """All that is found of a subject; None: the published figures do not reach for it."""

    subject: Subject
    level: Indicator
    gap: Indicator | None
    periods: tuple[str, str] | None
    figures: int
    town_and_country: GapFinding | None
    spread: SpreadFinding | None
    convergence: ConvergenceFinding | None
    standards: tuple[StandardFinding, ...]
    caveats: Caveats


def find(subject: Subject, figures: pd.DataFrame, catalogue: Catalogue) -> Finding:
    """What the published of ``figures`` (annual, of provinces and the nation, weights among them) say of a subject."""
    level = catalogue.indicators[subject.level_code]
    gap = catalogue.indicators[subject.gap_code] if subject.gap_code else None
    published = published_figures(figures)
    own = _of(published, level, subject.area_type)
    spread = _spread(subject, level, published, catalogue)
    used = own if gap is None or gap is level else pd.concat([own, _of(published, gap, None)])
    periods = np.unique(own["period_key"].to_numpy()).tolist()
    return Finding(
        subject,
        level,
        gap,
        (_code(periods[0]), _code(periods[-1])) if periods else None,
        len(used),
        None if gap is None else _gap(gap, published, catalogue),
        spread,
        None if spread is None else _convergence(own, spread),
        _standards(level, own, catalogue),
        _caveats(subject, [level] if gap is None or gap is level else [level, gap], figures, spread, catalogue),
    )


def _of(figures: pd.DataFrame, indicator: Indicator, area_type: str | None) -> pd.DataFrame:
    is_own = (figures["indicator_key"] == indicator.indicator_key).to_numpy()
    if area_type is not None:
        is_own = is_own & (figures["area_key"] == AREA_KEYS[area_type]).to_numpy()
    return figures[is_own]


def _code(period_key: int) -> str:
    return period_from_key(int(period_key)).code


def _since(indicator: Indicator, area_type: str, period_key: int, catalogue: Catalogue) -> int:
    """The first year whose figures mean in every province what those of ``period_key`` mean."""
    regions = np.array(sorted(int(code) for code in catalogue.provinces), dtype=np.int64)

    def same(key: int) -> IntArray:
        return np.full(regions.size, key, dtype=np.int64)

    keys = (same(indicator.indicator_key), same(AREA_KEYS[area_type]), same(period_key))
    return int(first_comparable_years(catalogue, *keys, regions).max())


def _gap(indicator: Indicator, published: pd.DataFrame, catalogue: Catalogue) -> GapFinding | None:
    rows = urban_rural_gap(_of(published, indicator, None), catalogue)
    rows = rows[rows["status"] == "ok"]
    at_home = rows[rows["region_key"] != NATION]
    counts = at_home.groupby("period_key").size()
    covered = counts.index[counts >= MINIMUM_COVERAGE * len(catalogue.provinces)].to_numpy(np.int64)
    if not covered.size:
        return None
    last = int(covered[-1])
    since = max(_since(indicator, area, last, catalogue) for area in ("urban", "rural"))
    first = int(covered[years_of(covered) >= since][0])
    ratios = at_home.pivot(index="region_key", columns="period_key", values="ratio")[sorted({first, last})].dropna()
    ends = at_home[at_home["period_key"] == last].set_index("region_key")
    nation = rows[rows["region_key"] == NATION].set_index("period_key")["ratio"]
    return GapFinding(
        _code(first),
        _code(last),
        (float(nation[first]), float(nation[last])) if {first, last} <= set(nation.index) else None,
        (float(ratios[first].median()), float(ratios[last].median())),
        len(ratios),
        Extreme.of(ends["ratio"], ends["ratio"].min()),
        Extreme.of(ends["ratio"], ends["ratio"].max()),
        int((ends["disadvantaged"] == "rural").sum()),
    )


def _spread(
    subject: Subject, indicator: Indicator, published: pd.DataFrame, catalogue: Catalogue
) -> SpreadFinding | None:
    own = _of(published, indicator, subject.area_type)
    slices = {(indicator.indicator_key, int(period)) for period in own["period_key"].unique()}
    rows = inequality(published, catalogue, slices)
    is_meant = (rows["scope"] == "nation:province") & (rows["area_key"] == AREA_KEYS[subject.area_type])
    rows = rows[is_meant & (rows["status"] == "ok")].assign(between=rows["theil_t_between"] / rows["theil_t"])
    columns = ["units", "mean", "cv", "gini", "theil_t", "between"]
    equals = rows[rows["weighting"] == "none"].set_index("period_key")[columns]
    if equals.empty:
        return None
    people = rows[rows["weighting"] == "population"].set_index("period_key")[columns].add_suffix("_people")
    years = equals.join(people)
    last = int(years.index.max())
    years = years[years_of(years.index.to_numpy(np.int64)) >= _since(indicator, subject.area_type, last, catalogue)]
    ends = own[(own["period_key"] == last) & (own["region_key"] != NATION)].set_index("region_key")["value"]
    return SpreadFinding(
        years.reset_index(),
        Extreme.of(ends, ends.min()),
        Extreme.of(ends, ends.max()),
    )


def _convergence(own: pd.DataFrame, spread: SpreadFinding) -> ConvergenceFinding | None:
    """Over the provinces that have every year of the spread (a change of members would look like convergence)."""
    periods = spread.years["period_key"].to_numpy(np.int64)
    if periods.size < MINIMUM_YEARS:
        return None
    panel = Panel.of(own[(own["region_key"] != NATION) & own["period_key"].isin(periods)])
    values = panel.values.T
    years = years_of(panel.period_keys).astype(np.float64)
    sigma = sigma_convergence(values[None], years)
    whole: FloatArray = values[~np.isnan(values).any(axis=1)]
    beta = beta_convergence(whole[:, 0], whole[:, -1], years[-1] - years[0])
    return ConvergenceFinding(
        _code(int(periods[0])),
        _code(int(periods[-1])),
        int(sigma.regions[0]),
        float(sigma.cv_slope[0]),
        (float(sigma.cv[0, 0]), float(sigma.cv[0, -1])),
        float(beta.slope[0]),
        float(beta.half_life[0]),
    )


def _standards(indicator: Indicator, own: pd.DataFrame, catalogue: Catalogue) -> tuple[StandardFinding, ...]:
    """One of each kind of standard that was ever in force in a published period that covers enough."""
    national = {row.standard_key: row for row in catalogue.standards if row.region_code is None}
    rows = attainment(own, catalogue)
    rows = rows[rows["standard_key"].isin(national)]
    found = []
    for _, of_kind in rows.groupby("floor_kind", sort=True):
        at_home = of_kind[of_kind["region_key"] != NATION]
        counts = at_home.groupby("period_key").size()
        covered = counts.index[counts >= MINIMUM_COVERAGE * len(catalogue.provinces)].to_numpy(np.int64)
        if not covered.size:
            continue
        first, last = int(covered[0]), int(covered[-1])
        ends = at_home[at_home["period_key"] == last].sort_values(["margin", "region_key"])
        begun = at_home[at_home["period_key"] == first]
        misses = ends[~ends["attained"].astype(bool)]
        nation = of_kind[(of_kind["region_key"] == NATION) & (of_kind["period_key"] == last)]
        earlier = (_code(first), int(begun["attained"].sum()), len(begun), float(begun["floor_value"].iloc[0]))
        found.append(
            StandardFinding(
                national[int(ends["standard_key"].iloc[0])],
                _code(last),
                len(ends) - len(misses),
                len(ends),
                bool(nation["attained"].iloc[0]) if len(nation) else None,
                tuple(zip(misses["region_key"].tolist(), misses["value"].tolist(), strict=True)),
                earlier if first < last else None,
            )
        )
    return tuple(found)


def _caveats(
    subject: Subject,
    indicators: list[Indicator],
    figures: pd.DataFrame,
    spread: SpreadFinding | None,
    catalogue: Catalogue,
) -> Caveats:
    keys = {row.indicator_key for row in indicators}
    own = figures[figures["indicator_key"].isin(keys)]
    published = published_figures(own)
    left_out = own[~is_published(status_ranks(own["obs_status"]))]
    years = years_of(published["period_key"].to_numpy(np.int64))
    codes = {row.code for row in indicators}
    breaks = [
        row
        for row in definition_breaks(catalogue)
        if row.indicator_code in codes and years.size and years.min() < row.first_year <= years.max()
    ]
    level = _of(published, indicators[0], subject.area_type)
    told = set() if spread is None else set(spread.years["period_key"])
    since = 0 if spread is None else int(min(told))
    thin = [period for period in np.unique(level["period_key"]).tolist() if period not in told and period > since]
    parts = {code for row in indicators if row.kind == "derived" for code, _ in row.terms("denominator")}
    return Caveats(
        tuple(breaks),
        len(left_out),
        (_code(left_out["period_key"].min()), _code(left_out["period_key"].max())) if len(left_out) else None,
        int((published["obs_status"].astype(str) == "P").sum()),
        tuple(_code(period) for period in thin),
        REBASED_CODE in parts or any(row.weight_indicator == REBASED_CODE for row in indicators),
    )
