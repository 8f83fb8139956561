"""Alembic's entry: migrations run over the connection that :mod:`warehouse.migrating` hands in, in one transaction."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text

from warehouse.schema import metadata

connection = context.config.attributes["connection"]
connection.execute(text("CREATE SCHEMA IF NOT EXISTS ops"))
context.configure(
    connection=connection,
    target_metadata=metadata,
    include_schemas=True,
    version_table="schema_revision",
    version_table_schema="ops",
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
