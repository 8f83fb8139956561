"""The views of the schema ``mart`` with their columns, read from the migrations' SQL. Not here: rendering them.

A column that shows a table's column has that column's type and, unless :data:`MEANINGS` says otherwise, its comment in
``warehouse/schema.py``; so a column is described once. One without either raises :class:`NoMeaningError`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from warehouse.schema import metadata

VERSIONS = Path(__file__).parents[2] / "warehouse" / "migrations" / "versions"

MEANINGS: dict[str, str] = {
    "indicator_name": "Chinese name of the indicator",
    "indicator_name_en": "English name of the indicator",
    "region_name": "Chinese name of the region",
    "region_name_en": "English name of the region; provinces and the nation have one",
    "area_type": "total, urban or rural, as the indicator's area definition says",
    "floor_kind": "floor (binds), target (planned for a year), reference (a remark)",
    "floor_value": "value of the standard, in the indicator's unit",
    "unit": "unit of the value, the catalogue's",
    "is_computed": "whether it was computed here (derived or national) and not reported",
    "source_cell": "cell in the return, e.g. 表1!B7; null: computed",
    "is_late": "whether it is missing, or its first delivery came after due_on; null: a later delivery, or failed",
    "release.status": "in_force (what every other mart shows), published (an earlier one) or withdrawn",
    "observation.release_id": "release that first showed this vintage",
    "attainment.release_id": "release in which this row was last computed",
    "urban_rural_gap.release_id": "release in which this row was last computed",
    "inequality.release_id": "release in which this row was last computed",
}
"""Meaning of ``column`` or ``mart.column`` where the table's comment is missing or speaks of the key behind it."""

COMPUTED_TYPES: dict[str, str] = {
    "area_type": "text",
    "is_computed": "boolean",
    "is_late": "boolean",
    "release.status": "text",
}
"""Types of columns that are expressions."""


class NoMeaningError(Exception):
    """A mart column has no meaning or no type: whoever added it must say in this module what it is."""


@dataclass(frozen=True)
class ViewColumn:
    """A column of a mart."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True)
class View:
    """A mart: its name without schema, its comment, its columns in order."""

    name: str
    comment: str
    columns: tuple[ViewColumn, ...]


_VIEW = re.compile(
    r"CREATE (?:OR REPLACE )?VIEW mart\.(?P<created>\w+) AS\s+SELECT\s+(?P<body>.+?);"
    r"|COMMENT ON VIEW mart\.(?P<commented>\w+) IS '(?P<comment>(?:[^']|'')+)';"
    r"|DROP VIEW (?:IF EXISTS )?mart\.(?P<dropped>\w+)",
    re.DOTALL,
)
_SOURCE = re.compile(r"(?:^|\bJOIN\s+)(?P<table>(?:core|ops)\.\w+)(?:\s+(?!ON\b|USING\b|JOIN\b|LEFT\b)(?P<alias>\w+))?")
_PLAIN = re.compile(r"(?:(?P<alias>\w+)\.)?(?P<column>\w+)")


def read_views(folder: Path = VERSIONS) -> dict[str, View]:
    """Every mart after all migrations, by name; scripts are read in the order of their names."""
    selects: dict[str, tuple[str, str]] = {}
    comments: dict[str, str] = {}
    for path in sorted(folder.glob("*.sql")):
        for found in _VIEW.finditer(path.read_text(encoding="utf-8")):
            if found["created"]:
                selects[found["created"]] = _split_from(found["body"])
            elif found["commented"]:
                comments[found["commented"]] = found["comment"].replace("''", "'")
            else:
                selects.pop(found["dropped"], None)
    return {
        name: View(name, comments.get(name, ""), tuple(_columns(name, select, sources)))
        for name, (select, sources) in selects.items()
    }


def _columns(view: str, select: str, sources: str) -> Iterator[ViewColumn]:
    tables = {found["alias"] or found["table"].split(".")[1]: found["table"] for found in _SOURCE.finditer(sources)}
    for item in _split_items(select):
        expression, _, alias = item.rpartition(" AS ") if " AS " in item else (item, "", "")
        plain = _PLAIN.fullmatch(expression)
        name = alias or (plain["column"] if plain else "")
        kind, comment = _described(plain, tables) if plain else ("", "")
        meaning = MEANINGS.get(f"{view}.{name}") or MEANINGS.get(name) or comment
        kind = kind or COMPUTED_TYPES.get(f"{view}.{name}") or COMPUTED_TYPES.get(name, "")
        if not (name and kind and meaning):
            raise NoMeaningError(
                f"mart.{view}, column {name or expression!r}: give it a meaning"
                f"{'' if kind else ' and a type'} in docs/generators/views.py"
            )
        yield ViewColumn(name, kind, meaning)


def _described(plain: re.Match[str], tables: dict[str, str]) -> tuple[str, str]:
    """Type and comment of the table's column behind a plain expression."""
    table = tables.get(plain["alias"] or next(iter(tables)))
    column = metadata.tables[table].columns.get(plain["column"]) if table else None
    if column is None:
        return "", ""
    kind = str(column.type).lower()
    return ("timestamptz" if kind in ("datetime", "timestamp") else kind), column.comment or ""


def _split_from(body: str) -> tuple[str, str]:
    """Select list and sources of a query: what stands before and behind the FROM that is in no parentheses."""
    depth = 0
    for found in re.finditer(r"[(\[)\]]|\bFROM\b", body):
        depth += (found.group() in "([") - (found.group() in ")]")
        if found.group() == "FROM" and depth == 0:
            return body[: found.start()].strip(), body[found.end() :].strip()
    raise NoMeaningError(f"a view without FROM: {body[:80]}")


def _split_items(select: str) -> Iterator[str]:
    """The items of a select list, split at the commas outside parentheses and brackets."""
    depth, item = 0, ""
    for letter in f"{select},":
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            yield " ".join(item.split())
            item = ""
        else:
            item += letter
