"""The shape of every row of the catalogue, as pydantic models. Not here: reading files."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

AreaType = Literal["total", "urban", "rural"]
Sector = Literal["employment", "education", "health", "portal"]
RegionGroup = Literal["East", "Central", "West", "Northeast"]
RegionLevel = Literal["nation", "province", "prefecture", "county", "township", "village"]


def _blank_to_none(value: Any) -> Any:
    return None if value == "" else value


def _split(value: Any) -> Any:
    return tuple(part for part in value.split(";") if part) if isinstance(value, str) else value


OptionalText = Annotated[str | None, BeforeValidator(_blank_to_none)]
OptionalNumber = Annotated[float | None, BeforeValidator(_blank_to_none)]
OptionalYear = Annotated[int | None, BeforeValidator(_blank_to_none)]
OptionalItem = Annotated[Annotated[int, Field(ge=1)] | None, BeforeValidator(_blank_to_none)]
OptionalArea = Annotated[AreaType | None, BeforeValidator(_blank_to_none)]
OptionalDate = Annotated[datetime.date | None, BeforeValidator(_blank_to_none)]
OptionalGroup = Annotated[RegionGroup | None, BeforeValidator(_blank_to_none)]
RegionCode = Annotated[str, Field(pattern=r"^[0-9]{6}$")]
OptionalRegionCode = Annotated[RegionCode | None, BeforeValidator(_blank_to_none)]


Side = Literal["numerator", "denominator"]
SIDES: tuple[Side, Side] = ("numerator", "denominator")


class Row(BaseModel):
    """A row of a catalogue file: immutable, no column unknown, none left out."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Indicator(Row):
    """An indicator: base (a return carries it) or derived (computed from base ones)."""

    code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]+$")]
    indicator_key: Annotated[int, Field(ge=1, le=32767)]
    name_zh: Annotated[str, Field(min_length=1)]
    name_en: Annotated[str, Field(min_length=1)]
    sector: Literal["context", "employment", "education", "health"]
    kind: Literal["base", "derived"]
    unit: Annotated[str, Field(min_length=1)]
    numerator: OptionalText
    denominator: OptionalText
    multiplier: OptionalNumber
    frequency: Literal["M", "Q", "A", "S"]
    area_types: Annotated[tuple[AreaType, ...], BeforeValidator(_split), Field(min_length=1)]
    finest_level: RegionLevel
    direction: Literal["higher", "lower", "neutral"]
    aggregation: Literal["sum", "weighted_mean", "ratio_of_sums", "none"]
    is_cumulative: bool
    plausible_min: OptionalNumber
    plausible_max: OptionalNumber
    published_source: OptionalText
    forms: Annotated[tuple[str, ...], BeforeValidator(_split)]
    area_definition: Annotated[
        Literal["residence", "administrative", "school_place", "scheme"] | None, BeforeValidator(_blank_to_none)
    ]
    is_comparable: bool
    weight_indicator: OptionalText
    decimals: Annotated[int, Field(ge=0, le=12)]
    has_published_figures: bool

    def terms(self, side: Side) -> tuple[tuple[str, AreaType | None], ...]:
        """The summands of a derived indicator: (code, area type it is taken from, or None for the row's own)."""
        text = self.numerator if side == "numerator" else self.denominator
        parts = [part.strip().partition("@") for part in text.split("+")] if text else []
        return tuple((code, area or None) for code, _, area in parts)  # type: ignore[misc]

    def references(self) -> list[tuple[str, str]]:
        """(column, code) of every other indicator this row names."""
        named = [(side, code) for side in SIDES for code, _ in self.terms(side)]
        return named + ([("weight_indicator", self.weight_indicator)] if self.weight_indicator else [])


class Province(Row):
    """One of the 31; areas are rounded as commonly published (good enough for area shares, not for surveying)."""

    region_code: RegionCode
    name_zh: str
    short_zh: str
    name_en: str
    region_group: RegionGroup
    tile_column: int
    tile_row: int
    area_km2: Annotated[float, Field(gt=0)]


class Region(Row):
    """A code of GB/T 2260 with its validity: a dated change where one is known, else the day of a revision."""

    region_code: RegionCode
    name_zh: str
    name_en: OptionalText
    region_level: RegionLevel
    parent_code: OptionalRegionCode
    region_group: OptionalGroup
    is_county_unit: bool
    valid_from: OptionalDate
    valid_to: OptionalDate


class RegionChange(Row):
    """A dated change of codes.

    ``share`` is how much of the former region (of its residents) went to the new code. Blank: all of it where that is the only
    change of a code that ends with it, else unknown.
    """

    effective_date: datetime.date
    kind: Literal["rename", "merge", "split", "transfer", "upgrade"]
    from_code: RegionCode
    from_name: str
    to_code: RegionCode
    to_name: str
    share: Annotated[Annotated[float, Field(gt=0, le=1)] | None, BeforeValidator(_blank_to_none)]


class RegionAlias(Row):
    """An older or shorter name of a code."""

    region_code: RegionCode
    alias: Annotated[str, Field(min_length=1)]


class CountyPopulation(Row):
    """A county unit at the census of 1 November 2020: people, mean years of schooling (15 and over), illiteracy in %."""

    region_code: RegionCode
    population_total: Annotated[int, Field(ge=0)]
    population_urban: Annotated[int, Field(ge=0)]
    population_rural: Annotated[int, Field(ge=0)]
    mean_years_schooling: Annotated[float, Field(ge=0, le=30)]
    illiteracy_rate: Annotated[float, Field(ge=0, le=100)]


class StandardItem(Row):
    """An item of the national basic public service standard, in its category and area.

    ``is_verified``: whether its name was compared with the published text; false: it is written from memory.
    """

    item_number: Annotated[int, Field(ge=1, le=32767)]
    item: Annotated[str, Field(min_length=1)]
    category_number: Annotated[int, Field(ge=1)]
    category: Annotated[str, Field(min_length=1)]
    area_number: Annotated[int, Field(ge=1)]
    area: Annotated[str, Field(min_length=1)]
    area_en: Annotated[str, Field(min_length=1)]
    edition: Annotated[int, Field(ge=2000)]
    indicator_codes: Annotated[tuple[str, ...], BeforeValidator(_split)]
    is_verified: bool


class Standard(Row):
    """One step of a standard: ``floor`` binds, ``target`` is planned for a year, ``reference`` is a remark.

    Blank: ``area_type`` all of them, ``region_group`` the whole country, ``region_code`` a national standard. A code names
    the place that set a local standard, for itself and all within it; ``000000`` the nation alone (a total it plans says
    nothing about a province).
    """

    standard_key: Annotated[int, Field(ge=1, le=2_147_483_647)]
    indicator_code: str
    area_type: OptionalArea
    item_number: OptionalItem
    kind: Literal["floor", "target", "reference"]
    is_binding: bool
    op: Literal[">=", "<="]
    value: Annotated[float, Field(allow_inf_nan=False)]
    valid_from: datetime.date
    valid_to: OptionalDate
    target_year: OptionalYear
    region_group: OptionalGroup
    region_code: OptionalRegionCode
    document: Annotated[str, Field(min_length=1)]
    certainty: str

    @field_validator("is_binding")
    @classmethod
    def _bind_floors(cls, is_binding: bool, info: ValidationInfo) -> bool:
        kind = info.data.get("kind")
        if (kind, is_binding) in (("floor", False), ("reference", True)):
            raise ValueError(f"a {kind} {'binds' if kind == 'floor' else 'is a remark and does not bind'}")
        return is_binding

    @field_validator("valid_to")
    @classmethod
    def _end_after_start(cls, valid_to: datetime.date | None, info: ValidationInfo) -> datetime.date | None:
        first = info.data.get("valid_from")
        if first is not None and valid_to is not None and valid_to < first:
            raise ValueError(f"it ends before it begins ({first})")
        return valid_to


class RecomputedRate(Row):
    """A rate that returns carry, and the derived indicator it stands beside: reported ≈ ``factor`` × recomputed."""

    reported_code: str
    recomputed_code: str
    factor: Annotated[float, Field(gt=0)]


class Measure(Row):
    """A measure of a mart: its columns, its unit, when they are null, and what it must not be used for.

    ``measure`` is the function of :mod:`warehouse.measures` that has its formula; ``null_when`` are statuses of the row.
    """

    measure: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]+$")]
    name_zh: Annotated[str, Field(min_length=1)]
    name_en: Annotated[str, Field(min_length=1)]
    mart: Annotated[str, Field(min_length=1)]
    columns: Annotated[tuple[str, ...], BeforeValidator(_split), Field(min_length=1)]
    unit: Annotated[str, Field(min_length=1)]
    null_when: Annotated[tuple[str, ...], BeforeValidator(_split)]
    not_for: Annotated[str, Field(min_length=1)]


class CostRule(Row):
    """What it costs to raise an amount a head to its floor: whom to count, how often a year, whose budget it is held against.

    Blank ``heads_area``: the area type of the amount itself. The budget is that of all of a place (area type total).
    """

    indicator_code: str
    heads_indicator: str
    heads_area: OptionalArea
    times_a_year: Annotated[int, Field(ge=1, le=366)]
    budget_indicator: str


class Break(Row):
    """From ``first_year_of_new_definition`` on, figures mean something else; blank region or area: all of them."""

    indicator_code: str
    region_code: OptionalRegionCode
    area_type: OptionalArea
    first_year_of_new_definition: int
    what_changed: str


class Milestone(Row):
    """A reform in a year, and the indicators on whose gap between town and country (or places) it should show."""

    milestone_code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]+$")]
    year: Annotated[int, Field(ge=1949)]
    name_zh: Annotated[str, Field(min_length=1)]
    name_en: Annotated[str, Field(min_length=1)]
    document: Annotated[str, Field(min_length=1)]
    indicator_codes: Annotated[tuple[str, ...], BeforeValidator(_split), Field(min_length=1)]


class NotApplicable(Row):
    """An indicator that cannot exist in a region and area type, from a year to a year (blank: open)."""

    indicator_code: str
    region_code: RegionCode
    area_type: AreaType
    year_from: OptionalYear
    year_to: OptionalYear
    why: str


class Form(Row):
    """What a platform owes at a frequency. Due on ``due_day`` of the month ``due_months`` after its anchor's month."""

    form: str
    sector: Sector
    frequency: Literal["M", "Q", "A", "S"]
    name_zh: str
    due_anchor: Literal["start", "end"]
    due_months: Annotated[int, Field(ge=0, le=24)]
    due_day: Annotated[int, Field(ge=1, le=31)]

    @property
    def is_owed(self) -> bool:
        """Whether somebody owes it. The portal publishes when it likes: nothing of it is ever due, and so never missing."""
        return self.sector != "portal"

    @property
    def period_kind(self) -> str:
        """The kind of period that its returns are of, as :class:`warehouse.periods.Period` names it."""
        return {"M": "month", "Q": "quarter", "A": "year", "S": "school_year"}[self.frequency]


class SchoolStage(Row):
    """A stage of compulsory education whose schools are compared within a county, as the indicator of that comparison."""

    stage: Literal["primary", "junior_secondary"]
    indicator_key: Annotated[int, Field(ge=2001, le=2999)]
    """Apart from the keys of ``indicators.csv``: no return carries it and no formula makes it."""
    indicator_code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]+$")]
    name_zh: Annotated[str, Field(min_length=1)]
    name_en: Annotated[str, Field(min_length=1)]


class SchoolLine(Row):
    """One of the seven resources of a school: what a roster counts, the line a pupil of each stage and the largest CV."""

    resource_number: Annotated[int, Field(ge=1)]
    resource_code: Annotated[str, Field(pattern=r"^[A-Z][A-Z_]+$")]
    name_zh: Annotated[str, Field(min_length=1)]
    name_en: Annotated[str, Field(min_length=1)]
    unit: Annotated[str, Field(min_length=1)]
    """Of the resource a pupil, or 100 pupils: that of lines and means."""
    amount_zh: Annotated[str, Field(min_length=1)]
    """The school's amount, as a roster calls it."""
    amount_unit: Annotated[str, Field(min_length=1)]
    pupils_per: Literal["1", "100"]
    primary_line: Annotated[float, Field(gt=0)]
    junior_secondary_line: Annotated[float, Field(gt=0)]
    primary_cv_limit: Annotated[float, Field(gt=0)]
    junior_secondary_cv_limit: Annotated[float, Field(gt=0)]
    source: Annotated[str, Field(min_length=1)]

    @property
    def column(self) -> str:
        """The column of its amount in ``core.school_resource``."""
        return self.resource_code.lower()

    @property
    def scale(self) -> float:
        """What an amount over the pupils is multiplied by."""
        return float(self.pupils_per)

    def line(self, stage: str) -> float:
        """The least a school of a stage should have."""
        return {"primary": self.primary_line, "junior_secondary": self.junior_secondary_line}[stage]

    def cv_limit(self, stage: str) -> float:
        """The largest CV between the schools of a county."""
        return {"primary": self.primary_cv_limit, "junior_secondary": self.junior_secondary_cv_limit}[stage]


class Unit(Row):
    """A unit as printed in a return: ``factor`` × the printed figure is the figure in the catalogue's ``unit``."""

    unit_as_printed: Annotated[str, Field(min_length=1)]
    unit: Annotated[str, Field(min_length=1)]
    factor: Annotated[float, Field(gt=0)]


class Index(Row):
    """A composite index: its members are indicators with their area type (``CODE@area``), or other indices, whose members
    are then its own. Keys from 1001 on are for indices, so that an index is shown where an indicator is."""

    index_key: Annotated[int, Field(ge=1001, le=32767)]
    code: Annotated[str, Field(pattern=r"^IDX_[A-Z0-9_]+$")]
    name_zh: Annotated[str, Field(min_length=1)]
    name_en: Annotated[str, Field(min_length=1)]
    sector: Literal["employment", "education", "health", "overall"]
    members: Annotated[tuple[str, ...], BeforeValidator(_split), Field(min_length=1)]


class Resource(Row):
    """A count of which is asked how it gathers on land and about people (:mod:`warehouse.marts.resource_agglomeration`)."""

    indicator_code: str
    what: Annotated[str, Field(min_length=1)]
