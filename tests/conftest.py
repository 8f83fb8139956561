"""What every room's tests share: a data folder the embedded server's user can reach, and a real warehouse in it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from resources.database import Warehouse
from warehouse.migrating import migrate


@contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder; pytest's own have mode 700, which the helper user of root cannot pass."""
    folder = Path(tempfile.mkdtemp(prefix="junheng-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def warehouse() -> Iterator[Warehouse]:
    """An embedded warehouse, ready for use; stopped at the end."""
    with open_folder() as folder:
        made = Warehouse(None, None, folder / "home").ensure()
        yield made
        assert made.embedded is not None
        made.embedded.stop()


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


@pytest.fixture
def engine(warehouse: Warehouse) -> Iterator[Engine]:
    """The warehouse's engine at this code's schema, emptied before the test."""
    made = warehouse.engine()
    with made.begin() as connection:
        connection.execute(text("DROP SCHEMA IF EXISTS mart, core, staging, ops CASCADE"))
    migrate(made)
    yield made
    made.dispose()
