"""What every room's tests share: a data folder the embedded server's user can reach, a real warehouse in it, and a
database with the catalogue; and which tests a worker runs together.
"""

import functools
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from resources.database import Warehouse
from resources.embedded import SERVER_SETTINGS
from tests.warehouse.centre import CATALOGUE
from warehouse.migrating import migrate
from warehouse.reference import sync_catalogue

CARELESS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
"""Settings of a test's server: no test pulls the plug of its machine, so nothing need wait for the disk."""


@contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder; pytest's own have mode 700, which the helper user of root cannot pass."""
    folder = Path(tempfile.mkdtemp(prefix="junheng-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def careless_servers() -> Iterator[None]:
    """Clusters that this process initialises meanwhile do not wait for the disk; killed servers recover all the same."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CARELESS.items():
            patch.setitem(SERVER_SETTINGS, name, value)
        yield


@pytest.fixture(scope="session")
def warehouse() -> Iterator[Warehouse]:
    """An embedded warehouse, ready for use; stopped at the end."""
    with open_folder() as folder:
        with careless_servers():
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


@pytest.fixture(scope="session")
def centre_engine(warehouse: Warehouse) -> Iterator[Engine]:
    """An engine on a migrated database with the catalogue, beside the one that ``engine`` empties: made once."""
    owner = warehouse.engine(isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text("CREATE DATABASE centre"))
    owner.dispose()
    made = create_engine(owner.url.set(database="centre"), connect_args={"options": "-c timezone=Asia/Shanghai"})
    migrate(made)
    with made.begin() as connection:
        sync_catalogue(connection, CATALOGUE)
    yield made
    made.dispose()


@functools.cache
def group_of(path: str) -> str:
    """The group that a test file's ``xdist_group`` mark names; a file without one is a group of its own."""
    named = re.search(r"xdist_group\(\"(\w+)\"\)", Path(__file__).parents[1].joinpath(path).read_text(encoding="utf-8"))
    return named[1] if named else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a group, and of a file, in one worker: what they share is built once.

    As ``--dist loadgroup`` does, but that marks tests by an attribute that pytest 9.2 no longer reads (xdist 3.8.0: every
    worker then builds every world).
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid.partition("::")[0])

    config.option.loadscopereorder = False  # the slow ones first (below), and not the many
    return ByGroup(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Groups share a slow world each, and the warehouse's files are slow: they begin first, so that no worker ends with one
    alone."""
    items.sort(key=lambda item: (item.get_closest_marker("xdist_group") is None, item.path.parent.name != "warehouse"))
