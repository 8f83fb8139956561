"""The catalogue in the database: indicators, regions and their changes, standards, items, breaks, milestones, rates, periods.

Here: bringing those tables to what the catalogue says. Not here: the catalogue itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Table
from sqlalchemy.dialects.postgresql import insert

from warehouse import schema
from warehouse.breaks import definition_breaks
from warehouse.catalogue import Catalogue, SchoolStage
from warehouse.periods import period_from_key


def add_new_rows(connection: Connection, catalogue: Catalogue) -> None:
    """Add indicators and regions that the database lacks, so that figures of them can be loaded.

    What is there already stays as the release in force was published with, until :func:`sync_catalogue`; so do standards,
    breaks and the rest, which no figure needs.
    """
    for table, records in ((schema.indicator, _indicators(catalogue)), (schema.region, _regions(catalogue))):
        connection.execute(insert(table).on_conflict_do_nothing(), records)


def sync_catalogue(connection: Connection, catalogue: Catalogue) -> bool:
    """Write everything as the catalogue has it.

    Indicators, regions and items that it no longer has stay; so do standards, marked as withdrawn. Part of publishing:
    readers see names, units, standards and breaks of the release in force. Nothing is done where the release in
    force has this very catalogue; True where something was.
    """
    in_force = sa.select(schema.release.c.catalogue_sha256).join(
        schema.release_in_force, schema.release_in_force.c.release_id == schema.release.c.release_id
    )
    if connection.scalar(in_force) == catalogue.sha256:
        return False
    _upsert(connection, schema.indicator, _indicators(catalogue))
    _upsert(connection, schema.region, _regions(catalogue))
    _upsert(connection, schema.standard, _items(catalogue))
    _upsert(connection, schema.standard_value, _standards(catalogue))
    _withdraw_others(connection, catalogue)
    _replace(connection, schema.region_change, [row.model_dump() for row in catalogue.region_changes])
    _replace(connection, schema.indicator_break, _breaks(catalogue))
    _replace(connection, schema.measure, _measures(catalogue))
    _replace(connection, schema.milestone, _milestones(catalogue))
    _replace(connection, schema.recomputed_rate, _rates(catalogue))
    _replace(connection, schema.school_balance_line, _school_lines(catalogue))
    return True


def _indicators(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Indicators, and indices beside them: whatever shows a row of a mart finds code and name there."""
    indicators = [
        row.model_dump(include=set(schema.indicator.columns.keys())) | {"area_types": ";".join(row.area_types)}
        for row in catalogue.indicators.values()
    ]
    indices = [
        {
            "indicator_key": row.index_key,
            "code": row.code,
            "name_zh": row.name_zh,
            "name_en": row.name_en,
            "sector": row.sector,
        }
        | _OF_AN_INDEX
        for row in catalogue.indices.values()
    ]
    return indicators + indices + [_of_schools(row) for row in catalogue.school_stages.values()]


_OF_AN_INDEX: dict[str, Any] = {
    "kind": "index",
    "unit": "score",
    "numerator": None,
    "denominator": None,
    "multiplier": None,
    "frequency": "A",
    "area_types": "total",
    "area_definition": None,
    "finest_level": "province",
    "direction": "higher",
    "aggregation": "none",
    "is_cumulative": False,
    "is_comparable": True,
    "weight_indicator": None,
    "plausible_min": 0.0,
    "plausible_max": 1.0,
    "decimals": 3,
}
"""What all indices have in common as rows of ``core.indicator``."""


def _measures(catalogue: Catalogue) -> list[dict[str, Any]]:
    return [
        row.model_dump() | {"columns": ";".join(row.columns), "null_when": ";".join(row.null_when)}
        for row in catalogue.measures
    ]


def _of_schools(stage: SchoolStage) -> dict[str, Any]:
    """The balance of schools as an indicator, so that its rows have a code and a name like any other; no figure is of it."""
    return dict.fromkeys(schema.indicator.columns.keys()) | {
        "indicator_key": stage.indicator_key,
        "code": stage.indicator_code,
        "name_zh": stage.name_zh,
        "name_en": stage.name_en,
        "sector": "education",
        "kind": "derived",
        "unit": "CV",
        "frequency": "S",
        "area_types": "total",
        "finest_level": "county",
        "direction": "lower",
        "aggregation": "none",
        "is_cumulative": False,
        "is_comparable": False,
        "decimals": 2,
    }


def _school_lines(catalogue: Catalogue) -> list[dict[str, Any]]:
    return [row.model_dump(include=set(schema.school_balance_line.columns.keys())) for row in catalogue.school_lines]


def _regions(catalogue: Catalogue) -> list[dict[str, Any]]:
    return [row.model_dump() | {"region_key": int(row.region_code)} for row in catalogue.region_rows]


def _items(catalogue: Catalogue) -> list[dict[str, Any]]:
    return [row.model_dump() | {"indicator_codes": ";".join(row.indicator_codes)} for row in catalogue.items.values()]


def _standards(catalogue: Catalogue) -> list[dict[str, Any]]:
    return [
        row.model_dump(exclude={"indicator_code"})
        | {"indicator_key": catalogue.indicators[row.indicator_code].indicator_key, "is_withdrawn": False}
        for row in catalogue.standards
    ]


def _breaks(catalogue: Catalogue) -> list[dict[str, Any]]:
    return [
        {
            "break_number": number,
            "indicator_key": catalogue.indicators[row.indicator_code].indicator_key,
            "region_code": row.region_code,
            "area_type": row.area_type,
            "first_year": row.first_year,
            "what_changed": row.what_changed,
            "part_code": row.part_code,
        }
        for number, row in enumerate(definition_breaks(catalogue), start=1)
    ]


def _milestones(catalogue: Catalogue) -> list[dict[str, Any]]:
    return [
        row.model_dump(exclude={"indicator_codes"}) | {"indicator_key": catalogue.indicators[code].indicator_key}
        for row in catalogue.milestones
        for code in row.indicator_codes
    ]


def _rates(catalogue: Catalogue) -> list[dict[str, Any]]:
    return [
        {
            "reported_key": catalogue.indicators[row.reported_code].indicator_key,
            "recomputed_key": catalogue.indicators[row.recomputed_code].indicator_key,
            "factor": row.factor,
        }
        for row in catalogue.recomputed_rates
    ]


def ensure_periods(connection: Connection, period_keys: Iterable[int]) -> None:
    """Add the periods that are not there yet."""
    records = [
        {
            "period_key": period.key,
            "period_code": period.code,
            "kind": period.kind,
            "period_start": period.start,
            "period_end": period.end,
        }
        for period in map(period_from_key, sorted(set(period_keys)))
    ]
    if records:
        connection.execute(insert(schema.period).on_conflict_do_nothing(), records)


def _withdraw_others(connection: Connection, catalogue: Catalogue) -> None:
    """Mark the standards that the catalogue no longer has: a local one may end by leaving its file."""
    table = schema.standard_value
    is_gone = table.c.standard_key.not_in([row.standard_key for row in catalogue.standards])
    connection.execute(sa.update(table).where(is_gone, ~table.c.is_withdrawn).values(is_withdrawn=True))


def _replace(connection: Connection, table: Table, records: list[dict[str, Any]]) -> None:
    """Make a little table, which nothing refers to, hold these rows and no other; nothing is written where it does."""
    held = [dict(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key)).mappings()]
    keys = [column.name for column in table.primary_key]
    if held == sorted(records, key=lambda record: [record[key] for key in keys]):
        return
    connection.execute(sa.delete(table))
    if records:
        connection.execute(sa.insert(table), records)


def _upsert(connection: Connection, table: Table, records: list[dict[str, Any]]) -> None:
    """Add these rows or make them so. Only what differs is sent: of thousands of regions a new catalogue changes a few."""
    keys = [column.name for column in table.primary_key]
    values_of = itemgetter(*table.columns.keys())
    held = set(map(tuple, connection.execute(sa.select(table))))
    new = [record for record in records if values_of(record) not in held]
    if not new:
        return
    statement = insert(table)
    others = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
    differs = sa.or_(*(table.c[name].is_distinct_from(value) for name, value in others.items()))
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=others, where=differs), new)
