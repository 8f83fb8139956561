"""Layouts: where the figures stand in a return, as data (one YAML file a layout), validated when loaded.

Here: the model of a layout file and the one function that loads them. Not here: matching a return to a layout
(:mod:`returns.layouts.matching`). A wrong file raises :class:`returns.errors.LayoutError` with file and key.

A layout has a version and a validity range, so that a year in which nothing changed needs no copy; the YAML files
beside this module are its documentation by example.
"""

from __future__ import annotations

import datetime
import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from returns.carriers.grid import CarrierKind
from returns.errors import LayoutError

__all__ = ["Anchor", "Areas", "Layout", "Owed", "load_layouts", "read_layout"]

FOLDER = Path(__file__).parent

HeaderRow = Literal["name", "area", "unit", "group", "period", "note"]
DashMeaning = Literal["zero", "not_applicable"]
Source = Literal["row", "column", "title", "file_name"]


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from error
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]
Texts = tuple[Annotated[str, Field(min_length=1)], ...]
Measured = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]+(@(total|urban|rural))?$")]
"""An indicator's code, with an area type where the text stands for one: ``POP_RESIDENT@urban``."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Anchor(_Model):
    """The header texts of the stub columns; a row that holds all of them is the first row of a header."""

    code: str | None = Field(default=None, min_length=1)
    """Of the column with region codes."""
    name: str | None = Field(default=None, min_length=1)
    """Of the column with region names; where there is no code column, a code may stand before the name."""
    indicator: str | None = Field(default=None, min_length=1)
    unit: str | None = Field(default=None, min_length=1)
    period: str | None = Field(default=None, min_length=1)

    def texts(self) -> dict[str, str]:
        """Text by kind of stub column, those that this layout has."""
        return {kind: text for kind, text in self.model_dump().items() if text is not None}


class Areas(_Model):
    """The labels of each area type in this layout."""

    total: Texts
    urban: Texts
    rural: Texts

    def by_label(self) -> dict[str, str]:
        """Area type by label."""
        return {label: area for area in ("total", "urban", "rural") for label in getattr(self, area)}


class Owed(_Model):
    """From when to when a column is owed: an indicator that a form got later is not missed in an older return."""

    valid_from: datetime.date | None = None
    valid_to: datetime.date | None = None

    def covers(self, day: datetime.date) -> bool:
        """Whether the column is owed by a return of a period that ends on ``day``."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


class Layout(_Model):
    """One layout file. All patterns are matched against whole texts without white space."""

    layout: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    version: int = Field(ge=1)
    description: str = Field(min_length=1)
    forms: Texts = ()
    """Forms it answers; none: a table of other offices, which states by itself what it is."""
    carriers: tuple[CarrierKind, ...] = Field(min_length=1)
    valid_from: datetime.date | None = None
    """First and last day on which a return's period may end."""
    valid_to: datetime.date | None = None
    roster: str = ""
    """The roster (:mod:`returns.rosters`) that such a return may carry on sheets of its own."""
    columns: Literal["closed", "open"] = "closed"
    """``closed``: a header that is unknown, or owed and missing, is an error of the whole return. ``open``: a table with
    more in it than the catalogue wants: cells under an unknown header are quarantined by name."""
    sheet: Pattern | None = None
    """Sheets to read; any other sheet that holds a text is an error unless ``ignored_sheets`` names it."""
    ignored_sheets: Texts = ()
    sheets: Literal["one", "all"] = "one"
    """``all``: the table goes on from sheet to sheet. ``one``: two sheets that could be it are one too many."""
    title: Pattern | None = None
    """Any of the groups ``place``, ``period`` and ``form``; the title stands in a row above the header."""
    caption: Pattern | None = None
    """Group ``units``: the line of units, binding only for a column whose header names none."""
    file_name: Pattern | None = None
    """Groups ``period`` and ``indicator``: what only the name of the file says (without its ending)."""
    context: tuple[Pattern, ...] = ()
    """Other texts that may stand above a table."""
    anchor: Anchor
    header: tuple[HeaderRow, ...] = Field(min_length=1)
    """What each header row holds, from the anchor's row downwards; several name rows make one name."""
    figures: Texts = ()
    """Names of the columns that hold figures where rows say what the figures are."""
    indicator: Source = "column"
    region: Literal["row", "nation"] = "row"
    period: Source = "title"
    period_style: Literal["text", "easyquery"] = "text"
    """How periods are written: as people do, or ``2019A`` for a first quarter."""
    areas: Areas | None = None
    aliases: dict[str, Measured] = Field(default_factory=dict)
    """Printed name → indicator code, besides the catalogue's own names."""
    units: dict[str, str] = Field(default_factory=dict)
    """Indicator code → unit, where the return states none."""
    owed: dict[str, Owed] = Field(default_factory=dict)
    """Indicator code → when its column is owed, where that is not always."""
    ignored_headers: Texts = ()
    """The allow-list: headers whose columns are left out on purpose."""
    ignored_rows: tuple[Pattern, ...] = ()
    """The allow-list of rows, by the name in their stub."""
    footers: tuple[Pattern, ...] = ()
    """First texts of rows below the table that hold no figures."""
    end: Pattern | None = None
    """First text of the row that ends every such return; without it rows may have been cut off."""
    dash: DashMeaning | None = None
    """What a dash means here. Unknown: its cell is quarantined, never guessed."""

    @model_validator(mode="after")
    def _check(self) -> Layout:
        self._check_groups()
        kinds = [kind for kind in self.header if kind not in ("name", "note")]
        if len(set(kinds)) != len(kinds):
            raise ValueError("header holds each kind of row but name and note once")
        if self.header[0] not in ("name", "group", "period"):
            raise ValueError("header begins with name, group or period")
        if self.indicator == "row" and self.anchor.indicator is None:
            raise ValueError("indicator is row, and the anchor has no indicator")
        if self.region == "row" and self.anchor.code is None and self.anchor.name is None:
            raise ValueError("region is row, and the anchor has neither code nor name")
        if self.period == "row" and self.anchor.period is None:
            raise ValueError("period is row, and the anchor has no period")
        if self.period == "column" and "period" not in self.header:
            raise ValueError("period is column, and no header row is period")
        if self.indicator == "row" and self.period != "column" and not self.figures:
            raise ValueError("indicator is row: figures must name the columns that hold figures")
        labels = [*self.areas.total, *self.areas.urban, *self.areas.rural] if self.areas else []
        if len(set(labels)) != len(labels):
            raise ValueError("areas: a label stands for two area types")
        return self

    def _check_groups(self) -> None:
        titled = set(re.compile(self.title).groupindex) if self.title else set()
        wanted = {"place", "period", "form"} if self.forms else {"period"} if self.period == "title" else set()
        if wanted - titled:
            raise ValueError(f"title has no group {', '.join(sorted(wanted - titled))}")
        if self.caption is not None and "units" not in re.compile(self.caption).groupindex:
            raise ValueError("caption has no group units")
        named = set(re.compile(self.file_name).groupindex) if self.file_name else set()
        for dimension, source in (("indicator", self.indicator), ("period", self.period)):
            if source == "file_name" and dimension not in named:
                raise ValueError(f"file_name has no group {dimension}")

    @property
    def label(self) -> str:
        """``health_table v1``."""
        return f"{self.layout} v{self.version}"

    def covers(self, form: str, carrier: str, period_end: datetime.date | None) -> bool:
        """Whether this layout is meant for such a return; ``""`` and None where that is not told."""
        return (
            (form in self.forms if form else True)
            and carrier in self.carriers
            and (self.valid_from is None or period_end is None or self.valid_from <= period_end)
            and (self.valid_to is None or period_end is None or period_end <= self.valid_to)
        )


@cache
def load_layouts(folder: Path = FOLDER) -> tuple[Layout, ...]:
    """Every layout of ``folder`` (``*.yaml``), by file name.

    Raises :class:`returns.errors.LayoutError` naming file and key where a file is not valid or a name stands twice.
    """
    layouts = []
    seen: dict[tuple[str, int], str] = {}
    for path in sorted(folder.glob("*.yaml")):
        layout = read_layout(path)
        key = (layout.layout, layout.version)
        if key in seen:
            raise LayoutError(path.name, "version", f"{key[0]} version {key[1]} stands already in {seen[key]}")
        seen[key] = path.name
        layouts.append(layout)
    return tuple(layouts)


def read_layout(path: Path) -> Layout:
    """One layout file. Raises :class:`returns.errors.LayoutError` naming file and key."""
    try:
        data: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LayoutError(path.name, "", f"no YAML: {error}") from error
    try:
        return Layout.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise LayoutError(path.name, key, first["msg"]) from error
