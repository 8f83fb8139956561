"""What all tables share: the one metadata, how a column is written, and the columns that many tables have."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, DateTime, Index, Integer, MetaData, SmallInteger, Table

AREA_TYPES: tuple[str, ...] = ("total", "urban", "rural")
"""Area types by their key."""

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)

UTC = DateTime(timezone=True)


def column(name: str, kind: Any, comment: str, *extras: Any, null: bool = False, **options: Any) -> Column[Any]:
    """A column with its comment; not null unless said."""
    return Column(name, kind, *extras, nullable=null, comment=comment, **options)


def slice_columns(*, key: bool) -> list[Column[Any]]:
    """Indicator and period, part of the primary key or not."""
    return [
        column("indicator_key", SmallInteger, "indicator (core.indicator)", primary_key=key),
        column("period_key", Integer, "period (core.period); sorts by start", primary_key=key),
    ]


def place_columns(*, key: bool) -> list[Column[Any]]:
    """Region and area type, part of the primary key or not."""
    return [
        column("region_key", Integer, "region: its code as a number, the nation 0", primary_key=key),
        column("area_key", SmallInteger, "area type: 0 total, 1 urban, 2 rural", primary_key=key),
    ]


def validity_columns() -> list[Column[Any]]:
    """From which release to which a row is shown."""
    return [
        column("release_from", Integer, "first release that shows this row", primary_key=True),
        column("release_to", Integer, "first release that no longer shows it; null: still shown", null=True),
    ]


def release_indexes(table: Table) -> None:
    """What a refresh that broke off has to undo is found without a scan: rows stand in the order of their release."""
    Index(f"{table.name}_release_from_idx", table.c.release_from, postgresql_using="brin")
    Index(f"{table.name}_release_to_idx", table.c.release_to, postgresql_where=table.c.release_to.is_not(None))
