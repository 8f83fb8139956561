"""Rosters: sheets beside a return's table that have a row a school, not a region; their layouts as data (YAML beside this).

Here: the model of such a file, loading it, and telling a roster's sheets from the others. Not here: reading the rows
(:mod:`returns.rosters.reading`), what they mean (:mod:`returns.rosters.conforming`). A layout of :mod:`returns.layouts` names
the roster that its returns carry.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from returns.carriers.grid import Grid, Sheet
from returns.conform.texts import squash
from returns.errors import LayoutError
from returns.layouts import Pattern, Texts

FOLDER = Path(__file__).parent

#: A header stands near the top: under title, units, and what offices write above a table.
_HEAD_ROWS = 20


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Stub(_Model):
    """Header texts of the columns that say which school a row is of; a row that holds all of them is the header."""

    school_code: str = Field(min_length=1)
    school_name: str = Field(min_length=1)
    region_code: str = Field(min_length=1)
    region_name: str = Field(min_length=1)
    stage: str = Field(min_length=1)

    def labels(self) -> dict[str, str]:
        """Kind of column by its squashed text."""
        return {squash(text): kind for kind, text in self.model_dump().items()}


class RosterLayout(_Model):
    """One roster file. All patterns are matched against whole texts without white space."""

    roster: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    version: int = Field(ge=1)
    description: str = Field(min_length=1)
    sheet: Pattern
    """Names of its sheets in a workbook; in any carrier a sheet whose header is a roster's is one."""
    title: Pattern
    """Groups ``place``, ``period`` and ``form``: they must be those of the return."""
    context: tuple[Pattern, ...] = ()
    """Other texts that may stand above the header."""
    stub: Stub
    pupils: Texts
    """Names of the column that counts pupils."""
    pupil_units: Texts
    aliases: dict[str, str] = Field(default_factory=dict)
    """Printed name of an amount → resource code, besides the catalogue's own names."""
    stages: dict[str, Texts]
    """Labels of each stage of ``school_stages.csv``."""
    footers: tuple[Pattern, ...] = ()
    end: Pattern | None = None
    """First text of the row that ends every such sheet; without it rows may have been cut off."""

    def find_header(self, sheet: Sheet) -> int | None:
        """The row of the header, None where the sheet has none."""
        wanted = self.stub.labels().keys()
        for number, row in enumerate(sheet.rows[:_HEAD_ROWS]):
            if wanted <= {squash(text) for text in row if text}:
                return number
        return None

    def is_of(self, sheet: Sheet, *, is_named: bool) -> bool:
        """Whether a sheet is a roster: by its header, or, where sheets have names, by that."""
        name = squash(sheet.name.rpartition("/")[2])
        if is_named and re.fullmatch(self.sheet, name):
            return True
        return self.find_header(sheet) is not None


@cache
def load_roster(name: str, folder: Path = FOLDER) -> RosterLayout:
    """The roster layout of a name. Raises :class:`returns.errors.LayoutError` naming file and key where it is not valid."""
    path = folder / f"{name}.yaml"
    try:
        data: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return RosterLayout.model_validate(data)
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise LayoutError(path.name, "", f"no YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise LayoutError(path.name, key, first["msg"]) from error


def set_rosters_aside(name: str, grid: Grid) -> tuple[Grid, tuple[Sheet, ...]]:
    """The grid without the sheets of the roster of that name (``""``: there is none), and those sheets; a sheet alone is never
    taken for one, nor is one without a text."""
    if not name or len(grid.sheets) < 2:
        return grid, ()
    layout = load_roster(name)
    is_named = grid.carrier == "workbook"
    rosters = tuple(sheet for sheet in grid.sheets if layout.is_of(sheet, is_named=is_named) and not sheet.is_blank)
    if not rosters or len(rosters) == len(grid.sheets):
        return grid, ()
    aside = {id(sheet) for sheet in rosters}
    return replace(grid, sheets=tuple(sheet for sheet in grid.sheets if id(sheet) not in aside)), rosters
