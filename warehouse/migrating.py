"""Bringing a warehouse to this code's schema, and telling whether it is there. Not here: what the tables are."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from warehouse.errors import SchemaOutdatedError

_LOCK = 0x6A756E68  # any constant: one migration at a time over the whole database


def migrate(engine: Engine, revision: str = "head") -> bool:
    """Upgrade the schema to ``revision`` in one transaction, under a lock; True where something was done."""
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        if revision == "head" and current_revision(connection) == head_revision():
            return False
        command.upgrade(_config(connection), revision)
    return True


def downgrade(engine: Engine, revision: str) -> None:
    """Downgrade the schema to ``revision`` (``base``: empty) in one transaction."""
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        command.downgrade(_config(connection), revision)


def require_current(engine: Engine) -> None:
    """Raise :class:`SchemaOutdatedError` where the warehouse is not at this code's revision."""
    with engine.connect() as connection:
        found = current_revision(connection)
    if found != head_revision():
        raise SchemaOutdatedError(found, head_revision())


def current_revision(connection: Connection) -> str | None:
    """Revision the database is at; None where there is no schema yet."""
    if connection.scalar(text("SELECT to_regclass('ops.schema_revision')")) is None:
        return None
    found = connection.scalar(text("SELECT version_num FROM ops.schema_revision"))
    return None if found is None else str(found)


@cache
def head_revision() -> str:
    """Revision this code needs."""
    head = ScriptDirectory.from_config(_config(None)).get_current_head()
    assert head is not None
    return head


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
