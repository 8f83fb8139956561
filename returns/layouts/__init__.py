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

__all__ = ["Anchor", "Areas", "Layout", "load_layouts"]

FOLDER = Path(__file__).parent

HeaderRow = Literal["name", "area", "unit"]
DashMeaning = Literal["zero", "not_applicable"]


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from error
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]
Texts = tuple[Annotated[str, Field(min_length=1)], ...]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Anchor(_Model):
    """The header texts of the two stub columns; the header row is the one that holds both."""

    code: str = Field(min_length=1)
    name: str = Field(min_length=1)


class Areas(_Model):
    """The labels of each area type in this layout."""

    total: Texts
    urban: Texts
    rural: Texts

    def by_label(self) -> dict[str, str]:
        """Area type by label."""
        return {label: area for area in ("total", "urban", "rural") for label in getattr(self, area)}


class Layout(_Model):
    """One layout file. All patterns are matched against whole texts without white space."""

    layout: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    version: int = Field(ge=1)
    description: str = Field(min_length=1)
    forms: Texts = Field(min_length=1)
    carriers: tuple[CarrierKind, ...] = Field(min_length=1)
    valid_from: datetime.date | None = None
    """First and last day on which a return's period may end."""
    valid_to: datetime.date | None = None
    sheet: Pattern | None = None
    """Sheets to read; any other sheet that holds a text is an error unless ``ignored_sheets`` names it."""
    ignored_sheets: Texts = ()
    title: Pattern
    """Groups ``place``, ``period`` and ``form``; the title stands in a row above the header."""
    caption: Pattern | None = None
    """Group ``units``: the line of units, binding only for a column whose header names none."""
    anchor: Anchor
    header: tuple[HeaderRow, ...] = Field(min_length=1)
    """What each header row holds, from the anchor's row downwards."""
    areas: Areas
    aliases: dict[str, str] = Field(default_factory=dict)
    """Printed header → indicator code, besides the catalogue's own names."""
    ignored_headers: Texts = ()
    """The allow-list: headers whose columns are left out on purpose."""
    footers: tuple[Pattern, ...] = ()
    """First texts of rows below the table that hold no figures."""
    end: Pattern | None = None
    """First text of the row that ends every such return; without it rows may have been cut off."""
    dash: DashMeaning | None = None
    """What a dash means here. Unknown: its cell is quarantined, never guessed."""

    @model_validator(mode="after")
    def _check(self) -> Layout:
        missing = {"place", "period", "form"} - set(re.compile(self.title).groupindex)
        if missing:
            raise ValueError(f"title has no group {', '.join(sorted(missing))}")
        if self.caption is not None and "units" not in re.compile(self.caption).groupindex:
            raise ValueError("caption has no group units")
        if self.header[0] != "name" or len(set(self.header)) != len(self.header):
            raise ValueError("header begins with name and holds each kind of row once")
        labels = [*self.areas.total, *self.areas.urban, *self.areas.rural]
        if len(set(labels)) != len(labels):
            raise ValueError("areas: a label stands for two area types")
        return self

    @property
    def label(self) -> str:
        """``health_table v1``."""
        return f"{self.layout} v{self.version}"

    def covers(self, form: str, carrier: str, period_end: datetime.date) -> bool:
        """Whether this layout is meant for such a return."""
        return (
            form in self.forms
            and carrier in self.carriers
            and (self.valid_from is None or self.valid_from <= period_end)
            and (self.valid_to is None or period_end <= self.valid_to)
        )


@cache
def load_layouts(folder: Path = FOLDER) -> tuple[Layout, ...]:
    """Every layout of ``folder`` (``*.yaml``), by file name.

    Raises :class:`returns.errors.LayoutError` naming file and key where a file is not valid or a name stands twice.
    """
    layouts = []
    seen: dict[tuple[str, int], str] = {}
    for path in sorted(folder.glob("*.yaml")):
        layout = _read_layout(path)
        key = (layout.layout, layout.version)
        if key in seen:
            raise LayoutError(path.name, "version", f"{key[0]} version {key[1]} stands already in {seen[key]}")
        seen[key] = path.name
        layouts.append(layout)
    return tuple(layouts)


def _read_layout(path: Path) -> Layout:
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
