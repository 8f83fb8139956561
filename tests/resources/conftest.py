"""One real PostgreSQL for the folder, in a temporary data folder that the server's own user can reach."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from resources.database import Warehouse


@contextmanager
def open_folder() -> Iterator[Path]:
    """pytest's own temporary folders have mode 700, which the helper user of root cannot pass."""
    folder = Path(tempfile.mkdtemp(prefix="junheng-test-", dir="/tmp"))
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
        made.embedded.stop()


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


@pytest.fixture
def superuser(warehouse: Warehouse) -> Iterator[psycopg.Connection]:
    with psycopg.connect(warehouse.embedded.url("postgres"), autocommit=True) as connection:
        yield connection
