"""Table schemas as Dagster shows them, made from the warehouse's own tables: a column is described once."""

from __future__ import annotations

import dagster as dg
from sqlalchemy import Table


def table_schema(table: Table) -> dg.TableSchema:
    """Columns of a table with type and comment."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                str(column.type).lower(),
                description=column.comment,
                constraints=dg.TableColumnConstraints(nullable=bool(column.nullable)),
            )
            for column in table.columns
        ]
    )
