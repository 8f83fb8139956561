"""The catalogue: what exists and what it means, as data beside this module, validated when it is loaded.

Here: models of the CSV files and the one function that reads them. Not here: any figure of a return, any SQL. A wrong
row raises :class:`warehouse.errors.CatalogueError` with file, line and column.

=============================  ===================================================================
file                           one row is
=============================  ===================================================================
``indicators.csv``             an indicator, base or derived: unit, direction, aggregation, forms
``provinces.csv``              one of the 31 provinces, with region group, tile position and area
``regions.csv``                a code of GB/T 2260 with its name, level, parent and validity
``region_aliases.csv``         an older name of a code
``region_changes.csv``         a dated change of codes: rename, merge, split, transfer, upgrade; share
``county_population_2020.csv`` a county unit of the 2020 census
``standard_items.csv``         an item of the national standard's 2023 edition, in its category and area
``standards.csv``              one step of a floor, target or reference value
``recomputed_rates.csv``       a reported rate and the derived indicator it stands beside
``cost_rules.csv``             an amount a head: whom it is paid to, how often a year, from what budget
``indices.csv``                a composite index and its members
``resources.csv``              a count of which agglomeration is computed
``measures.csv``               a measure of a mart: its columns, when they are null, what it is not for
``breaks.csv``                 a break of definition
``milestones.csv``             a reform in a year, and the indicators it should show on
``not_applicable.csv``         what cannot exist
``forms.csv``                  a form that platforms owe, with its due rule
``units.csv``                  a unit as printed in returns, and its factor to the catalogue's unit
``school_stages.csv``          a stage of compulsory education, as the indicator of the balance of its schools
``school_balance_lines.csv``   a resource of schools: its amount in a roster, its lines and CV limits
=============================  ===================================================================

Standards of provinces, prefectures and counties stand in a file of the office's own (:func:`use_local_standards`), which
has the columns of ``standards.csv``.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

import pandas as pd

from warehouse.catalogue.consistency import (
    check_costs,
    check_indices,
    check_items,
    check_local,
    check_rates,
    check_resources,
    check_schools,
    check_standards,
)
from warehouse.catalogue.indices import Member, members_of
from warehouse.catalogue.models import (
    Break,
    CostRule,
    CountyPopulation,
    Form,
    Index,
    Indicator,
    Measure,
    Milestone,
    NotApplicable,
    Province,
    RecomputedRate,
    Region,
    RegionAlias,
    RegionChange,
    Resource,
    Row,
    SchoolLine,
    SchoolStage,
    Standard,
    StandardItem,
    Unit,
)
from warehouse.catalogue.reading import read_rows
from warehouse.catalogue.standards import standard_in_force
from warehouse.errors import CatalogueError

__all__ = [
    "Break",
    "Catalogue",
    "CostRule",
    "CountyPopulation",
    "Form",
    "Index",
    "Indicator",
    "Measure",
    "Member",
    "Milestone",
    "NotApplicable",
    "Province",
    "RecomputedRate",
    "Region",
    "RegionAlias",
    "RegionChange",
    "Resource",
    "SchoolLine",
    "SchoolStage",
    "Standard",
    "StandardItem",
    "Unit",
    "add_local_standards",
    "load_catalogue",
    "standard_in_force",
    "use_local_standards",
]

FOLDER = Path(__file__).parent
_local_standards: Path | None = None
_ROUNDING = 1e-6  # thirds are printed with some digits


@dataclass(frozen=True)
class Catalogue:
    """Everything the code needs to know about indicators, places, standards and forms. Immutable."""

    indicators: Mapping[str, Indicator]
    forms: Mapping[str, Form]
    """What the provinces' platforms owe."""
    portal_forms: Mapping[str, Form]
    """What the public portal of the statistics office publishes, by frequency (docs/decisions/0012)."""
    provinces: Mapping[str, Province]
    region_rows: tuple[Region, ...]
    region_aliases: tuple[RegionAlias, ...]
    region_changes: tuple[RegionChange, ...]
    county_populations: tuple[CountyPopulation, ...]
    items: Mapping[int, StandardItem]
    standards: tuple[Standard, ...]
    """The national steps, then the local ones."""
    recomputed_rates: tuple[RecomputedRate, ...]
    cost_rules: Mapping[str, CostRule]
    """By the indicator whose floor costs something."""
    indices: Mapping[str, Index]
    """Composite indices; they are no indicators, and no figure is of one."""
    resources: tuple[Resource, ...]
    measures: tuple[Measure, ...]
    breaks: tuple[Break, ...]
    milestones: tuple[Milestone, ...]
    not_applicable: tuple[NotApplicable, ...]
    units: Mapping[tuple[str, str], float]
    school_stages: Mapping[str, SchoolStage]
    school_lines: tuple[SchoolLine, ...]
    sha256: str

    @cached_property
    def regions(self) -> pd.DataFrame:
        """One row a region code, columns as in ``regions.csv`` (texts; ``is_county_unit`` bool), indexed 0…n-1."""
        return pd.DataFrame([row.model_dump() for row in self.region_rows])

    @cached_property
    def county_units(self) -> frozenset[str]:
        """The 2,845 codes that count as counties (county-level codes that the 2020 census has, four cities)."""
        return frozenset(row.region_code for row in self.region_rows if row.is_county_unit)

    @cached_property
    def _members(self) -> Mapping[str | None, list[str]]:
        """Codes by the code above."""
        found: dict[str | None, list[str]] = {}
        for row in self.region_rows:
            found.setdefault(row.parent_code, []).append(row.region_code)
        return found

    def within(self, region_code: str) -> list[str]:
        """A region and every one under it, however deep."""
        found = [region_code]
        for code in found:  # it grows while it is read
            found += self._members.get(code, ())
        return found

    @cached_property
    def region_groups(self) -> Mapping[int, str]:
        """Region group (East, Central, West, Northeast) of the regions that have one, by key."""
        return {int(row.region_code): row.region_group for row in self.region_rows if row.region_group}

    @cached_property
    def by_key(self) -> Mapping[int, Indicator]:
        """Indicators by their integer key."""
        return {indicator.indicator_key: indicator for indicator in self.indicators.values()}

    @cached_property
    def judged_codes(self) -> frozenset[str]:
        """Indicators that have a standard; there may be thousands of local ones."""
        return frozenset(standard.indicator_code for standard in self.standards)

    @cached_property
    def index_by_key(self) -> Mapping[int, Index]:
        """Indices by their integer key, which no indicator has."""
        return {index.index_key: index for index in self.indices.values()}

    @cached_property
    def school_keys(self) -> Mapping[int, SchoolStage]:
        """Stages of schools by the key of their indicator, which is none of :attr:`indicators`."""
        return {stage.indicator_key: stage for stage in self.school_stages.values()}

    @cached_property
    def code_by_key(self) -> Mapping[int, str]:
        """Codes by key of all that rows of a mart may be of: indicators, indices, and the balance of schools."""
        codes = {key: indicator.code for key, indicator in self.by_key.items()}
        codes |= {key: index.code for key, index in self.index_by_key.items()}
        return codes | {key: stage.indicator_code for key, stage in self.school_keys.items()}

    @cached_property
    def index_members(self) -> Mapping[str, tuple[Member, ...]]:
        """By index its members, those of its indices in their place."""
        return {code: members_of(index, self.indices, self.indicators) for code, index in self.indices.items()}

    @cached_property
    def all_forms(self) -> Mapping[str, Form]:
        """What is owed, then what the portal publishes."""
        return {**self.forms, **self.portal_forms}

    def indicators_of(self, form: str) -> tuple[Indicator, ...]:
        """The base indicators a form carries, in catalogue order.

        A form of the portal carries what the provinces report over the same kind of period; of months and quarters only
        what does not cumulate, since the portal's are single ones.
        """
        names = self._like(self.portal_forms[form]) if form in self.portal_forms else {form}
        is_single = form in self.portal_forms and self.portal_forms[form].frequency in ("M", "Q")
        return tuple(
            indicator
            for indicator in self.indicators.values()
            if names & set(indicator.forms) and not (is_single and indicator.is_cumulative)
        )

    def _like(self, form: Form) -> set[str]:
        """The forms that are owed over the same kind of period."""
        return {name for name, owed in self.forms.items() if owed.frequency == form.frequency}


def use_local_standards(path: Path | None) -> None:
    """Let ``load_catalogue()`` add the local standards of a file; None: there are none.

    For the one who assembles a run, before it begins: the file is read anew, and then stays as it was read to the end of
    the run, so that what was computed with it is published under its hash.
    """
    global _local_standards
    if path is not None or _local_standards is not None:
        load_catalogue.cache_clear()
    _local_standards = path


@cache
def load_catalogue(folder: Path = FOLDER, local_standards: Path | None = None) -> Catalogue:
    """Read and validate every file of the catalogue, and the local standards of a file, where there is one.

    Without arguments: the project's own, with the file that :func:`use_local_standards` named. Raises
    :class:`CatalogueError` on the first wrong row, naming file, line and column, and its subclass
    :class:`warehouse.errors.LocalStandardRefusedError` where a local standard is under the national floor.
    """
    indicators = read_rows(folder / "indicators.csv", Indicator, unique=("code",))
    provinces = read_rows(folder / "provinces.csv", Province, unique=("region_code",))
    forms = read_rows(folder / "forms.csv", Form, unique=("form",))
    portal_forms = read_rows(folder / "portal_forms.csv", Form, unique=("form",))
    regions = read_rows(folder / "regions.csv", Region, unique=("region_code",))
    units = read_rows(folder / "units.csv", Unit, unique=("unit_as_printed", "unit"))
    items = read_rows(folder / "standard_items.csv", StandardItem, unique=("item_number",))
    rates = read_rows(folder / "recomputed_rates.csv", RecomputedRate, unique=("reported_code",))
    costs = read_rows(folder / "cost_rules.csv", CostRule, unique=("indicator_code",))
    indices = read_rows(folder / "indices.csv", Index, unique=("code",))
    stages = read_rows(folder / "school_stages.csv", SchoolStage, unique=("stage",))
    catalogue = Catalogue(
        indicators={row.code: row for row in indicators},
        forms={row.form: row for row in forms},
        portal_forms={row.form: row for row in portal_forms},
        provinces={row.region_code: row for row in provinces},
        region_rows=tuple(regions),
        region_aliases=tuple(read_rows(folder / "region_aliases.csv", RegionAlias)),
        region_changes=tuple(read_rows(folder / "region_changes.csv", RegionChange)),
        county_populations=tuple(
            read_rows(folder / "county_population_2020.csv", CountyPopulation, unique=("region_code",))
        ),
        items={row.item_number: row for row in items},
        standards=tuple(read_rows(folder / "standards.csv", Standard, unique=("standard_key",))),
        recomputed_rates=tuple(rates),
        cost_rules={row.indicator_code: row for row in costs},
        indices={row.code: row for row in indices},
        resources=tuple(read_rows(folder / "resources.csv", Resource, unique=("indicator_code",))),
        measures=tuple(read_rows(folder / "measures.csv", Measure, unique=("mart", "measure"))),
        breaks=tuple(read_rows(folder / "breaks.csv", Break)),
        milestones=tuple(read_rows(folder / "milestones.csv", Milestone, unique=("milestone_code",))),
        not_applicable=tuple(read_rows(folder / "not_applicable.csv", NotApplicable)),
        units={(row.unit_as_printed, row.unit): row.factor for row in units},
        school_stages={row.stage: row for row in stages},
        school_lines=tuple(read_rows(folder / "school_balance_lines.csv", SchoolLine, unique=("resource_code",))),
        sha256=_fingerprint(folder),
    )
    _check_references(catalogue)
    check_items(catalogue)
    check_standards(catalogue)
    check_rates(catalogue)
    check_costs(catalogue)
    check_indices(catalogue)
    check_resources(catalogue)
    check_schools(catalogue)
    file = local_standards or (_local_standards if folder == FOLDER else None)
    return catalogue if file is None else add_local_standards(catalogue, file)


def add_local_standards(catalogue: Catalogue, path: Path) -> Catalogue:
    """The catalogue with the local standards of a file; its hash covers them, so that a change of one recomputes.

    Raises as :func:`load_catalogue` does.
    """
    local = read_rows(path, Standard, unique=("standard_key",))
    check_local(catalogue, local, path.name)
    digest = hashlib.sha256(catalogue.sha256.encode() + b"\0" + path.read_bytes())
    return replace(catalogue, standards=(*catalogue.standards, *local), sha256=digest.hexdigest())


def _fingerprint(folder: Path) -> str:
    """SHA-256 over the catalogue's files by name: a release keeps it, so that its inputs are known."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.csv")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _check_references(catalogue: Catalogue) -> None:
    """Every code one file uses stands in the file that defines it (lines count the header as line 1)."""
    known = catalogue.indicators
    keys = [row.indicator_key for row in known.values()]
    for line, row in enumerate(known.values(), start=2):
        if keys.count(row.indicator_key) > 1:
            raise CatalogueError("indicators.csv", line, "indicator_key", f"{row.indicator_key} is used twice")
        for column, code in row.references():
            if code not in known:
                raise CatalogueError("indicators.csv", line, column, f"no indicator {code!r}")
        for form in row.forms:
            if form not in catalogue.forms:
                raise CatalogueError("indicators.csv", line, "forms", f"no form {form!r} in forms.csv")
    lists: tuple[tuple[str, tuple[Standard | Break | NotApplicable, ...]], ...] = (
        ("standards.csv", catalogue.standards),
        ("breaks.csv", catalogue.breaks),
        ("not_applicable.csv", catalogue.not_applicable),
    )
    for file, rows in lists:
        for line, entry in enumerate(rows, start=2):
            if entry.indicator_code not in known:
                raise CatalogueError(file, line, "indicator_code", f"no indicator {entry.indicator_code!r}")
    for line, milestone in enumerate(catalogue.milestones, start=2):
        for code in milestone.indicator_codes:
            if code not in known or not known[code].is_comparable:
                raise CatalogueError("milestones.csv", line, "indicator_codes", f"no comparable indicator {code!r}")
    _check_regions(catalogue)


def _check_regions(catalogue: Catalogue) -> None:
    """Every region code of the other files stands in ``regions.csv``; a blank one stands for all or none."""
    lists: tuple[tuple[str, tuple[Row, ...], tuple[str, ...]], ...] = (
        ("regions.csv", catalogue.region_rows, ("parent_code",)),
        ("provinces.csv", tuple(catalogue.provinces.values()), ("region_code",)),
        ("region_aliases.csv", catalogue.region_aliases, ("region_code",)),
        ("region_changes.csv", catalogue.region_changes, ("from_code", "to_code")),
        ("county_population_2020.csv", catalogue.county_populations, ("region_code",)),
        ("breaks.csv", catalogue.breaks, ("region_code",)),
        ("not_applicable.csv", catalogue.not_applicable, ("region_code",)),
    )
    codes = {row.region_code for row in catalogue.region_rows}
    for file, rows, columns in lists:
        for line, row in enumerate(rows, start=2):
            for column in columns:
                code = getattr(row, column)
                if code is not None and code not in codes:
                    raise CatalogueError(file, line, column, f"no region {code!r}")
    _check_shares(catalogue)


def _check_shares(catalogue: Catalogue) -> None:
    """Shares of a code on one day are no more than all of it, and all of it where the code ends with them."""
    valid_to = {row.region_code: row.valid_to for row in catalogue.region_rows}
    shares: dict[tuple[str, datetime.date], list[float | None]] = {}
    for row in catalogue.region_changes:
        shares.setdefault((row.from_code, row.effective_date), []).append(row.share)
    for line, row in enumerate(catalogue.region_changes, start=2):
        found = shares[row.from_code, row.effective_date]
        total = sum(share for share in found if share is not None)
        ended = valid_to[row.from_code]
        is_short = None not in found and ended is not None and ended <= row.effective_date and total < 1 - _ROUNDING
        if total > 1 + _ROUNDING or is_short:
            told = f"the shares of {row.from_code} on {row.effective_date} sum to {total:.6g}"
            raise CatalogueError("region_changes.csv", line, "share", told)
