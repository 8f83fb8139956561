"""The catalogue in the database: ``core.indicator``, ``core.region``, ``core.standard_value``, ``core.period``.

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


def sync_catalogue(connection: Connection, catalogue: Catalogue) -> bool:
    """Write indicators, regions and standards as the catalogue has them; rows that it no longer has stay.

    Nothing is done where the last refresh that ended had this very catalogue; True where something was.
    """
    ended = schema.refresh.c.status.in_(("published", "unchanged"))
    newest = sa.select(schema.refresh.c.catalogue_sha256).where(ended).order_by(schema.refresh.c.refresh_id.desc())
    if connection.scalar(newest.limit(1)) == catalogue.sha256:
        return False
    indicators = []
    for row in catalogue.indicators.values():
        record = row.model_dump(include=set(schema.indicator.columns.keys()))
        record["area_types"] = ";".join(row.area_types)
        indicators.append(record)
    _upsert(connection, schema.indicator, indicators)
    _upsert(
        connection,
        schema.region,
        [row.model_dump() | {"region_key": int(row.region_code)} for row in catalogue.region_rows],
    )
    standards = [
        row.model_dump(exclude={"indicator_code"})
        | {"indicator_key": catalogue.indicators[row.indicator_code].indicator_key}
        for row in catalogue.standards
    ]
    _upsert(connection, schema.standard_value, standards)
    return True


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
