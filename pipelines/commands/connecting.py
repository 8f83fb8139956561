"""One connection to the warehouse for the time of a command. Not here: any command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.commands.db import open_warehouse

if TYPE_CHECKING:
    from sqlalchemy import Connection


@contextmanager
def warehouse_connection(*, writing: bool = False) -> Iterator[Connection]:
    """A connection in a transaction; the schema is migrated where the command writes, else it must be this code's."""
    from warehouse.migrating import migrate, require_current

    engine = open_warehouse().ensure().engine()
    try:
        if writing:
            migrate(engine)
        else:
            require_current(engine)
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()
