"""A database of its own for this folder, made once and emptied before each test: the catalogue stays."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, text

from resources.database import Warehouse
from tests.warehouse.centre import CATALOGUE, Centre
from warehouse.migrating import migrate
from warehouse.reference import sync_catalogue


@pytest.fixture(scope="session")
def centre_engine(warehouse: Warehouse) -> Iterator[Engine]:
    """An engine on a migrated database with the catalogue, beside the one that other rooms empty."""
    owner = warehouse.engine(isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text("CREATE DATABASE centre"))
    owner.dispose()
    # Nobody kills the server of a test: it need not wait for its disk.
    options = "-c timezone=Asia/Shanghai -c synchronous_commit=off"
    made = create_engine(owner.url.set(database="centre"), connect_args={"options": options})
    migrate(made)
    with made.begin() as connection:
        sync_catalogue(connection, CATALOGUE)
    yield made
    made.dispose()


@pytest.fixture
def centre(centre_engine: Engine) -> Centre:
    made = Centre(centre_engine)
    made.empty()
    return made
