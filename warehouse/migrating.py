"""Bringing a warehouse to this code's schema, and telling whether it is there. Not here: what the tables are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, text

from warehouse.errors import SchemaOutdatedError

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0003"
"""Revision this code needs; a test holds it against the migrations. Alembic is imported only where there is work."""

_LOCK = 0x6A756E68  # any constant: one migration at a time over the whole database


def migrate(engine: Engine, revision: str = "head") -> bool:
    """Upgrade the schema to ``revision`` in one transaction, under a lock; True where something was done."""
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        if revision == "head" and current_revision(connection) == HEAD:
            return False
        from alembic import command

        command.upgrade(_config(connection), revision)
        if current_revision(connection) == HEAD:
            from warehouse.describing import describe_marts

            describe_marts(connection)
    return True


def downgrade(engine: Engine, revision: str) -> None:
    """Downgrade the schema to ``revision`` (``base``: empty) in one transaction."""
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        from alembic import command

        command.downgrade(_config(connection), revision)


def require_current(engine: Engine) -> None:
    """Raise :class:`SchemaOutdatedError` where the warehouse is not at this code's revision."""
    with engine.connect() as connection:
        found = current_revision(connection)
    if found != HEAD:
        raise SchemaOutdatedError(found, HEAD)


def current_revision(connection: Connection) -> str | None:
    """Revision the database is at; None where there is no schema yet."""
    if connection.scalar(text("SELECT to_regclass('ops.schema_revision')")) is None:
        return None
    found = connection.scalar(text("SELECT version_num FROM ops.schema_revision"))
    return None if found is None else str(found)


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
