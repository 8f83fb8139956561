"""The catalogue in the database: ``core.indicator``, ``core.region`` and its changes, ``core.standard_value``, ``core.period``.

Here: bringing those tables to what the catalogue says. Not here: the catalogue itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Table
from sqlalchemy.dialects.postgresql import insert

from warehouse import schema
from warehouse.catalogue import Catalogue
from warehouse.periods import period_from_key


def add_new_rows(connection: Connection, catalogue: Catalogue) -> None:
    """Add indicators, regions, their changes and standards that the database lacks, so that figures of them can be loaded.

    What is there already stays as the release in force was published with, until :func:`sync_catalogue`.
    """
    for table, records in _records(catalogue):
        connection.execute(insert(table).on_conflict_do_nothing(), records)


def sync_catalogue(connection: Connection, catalogue: Catalogue) -> bool:
    """Write indicators, regions, their changes and standards as the catalogue has them; rows that it no longer has stay.

    A change of codes that it no longer has goes: no figure rests on its row, and a corrected one must not stand beside it.

    Part of publishing: readers see names, units and documents of the release in force. Nothing is done where the last
    release has this very catalogue; True where something was.
    """
    newest = sa.select(schema.release.c.catalogue_sha256).order_by(schema.release.c.release_id.desc()).limit(1)
    if connection.scalar(newest) == catalogue.sha256:
        return False
    for table, records in _records(catalogue):
        _upsert(connection, table, records)
    changes = schema.region_change.c
    known = [(row.effective_date, row.from_code, row.to_code) for row in catalogue.region_changes]
    keys = sa.tuple_(changes.effective_date, changes.from_code, changes.to_code)
    connection.execute(sa.delete(schema.region_change).where(keys.not_in(known)))
    return True


def _records(catalogue: Catalogue) -> list[tuple[Table, list[dict[str, Any]]]]:
    """The catalogue's rows by table."""
    indicators = []
    for row in catalogue.indicators.values():
        record = row.model_dump(include=set(schema.indicator.columns.keys()))
        record["area_types"] = ";".join(row.area_types)
        indicators.append(record)
    regions = [row.model_dump() | {"region_key": int(row.region_code)} for row in catalogue.region_rows]
    standards = [
        row.model_dump(exclude={"indicator_code"})
        | {"indicator_key": catalogue.indicators[row.indicator_code].indicator_key}
        for row in catalogue.standards
    ]
    changes = [row.model_dump() for row in catalogue.region_changes]
    return [
        (schema.indicator, indicators),
        (schema.region, regions),
        (schema.region_change, changes),
        (schema.standard_value, standards),
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


def _upsert(connection: Connection, table: Table, records: list[dict[str, Any]]) -> None:
    keys = [column.name for column in table.primary_key]
    statement = insert(table)
    others = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
    differs = sa.or_(*(table.c[name].is_distinct_from(value) for name, value in others.items()))
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=others, where=differs), records)
