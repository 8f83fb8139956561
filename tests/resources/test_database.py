"""Databases, roles and URLs on a real server, also where the owner is no superuser."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from sqlalchemy import make_url, text

from resources.database import Warehouse
from resources.database_setup import require_version
from resources.database_urls import read_url
from resources.errors import (
    MissingRightsError,
    PostgresTooOldError,
    ReaderPasswordUnknownError,
    WarehouseUnreachableError,
    WarehouseUrlError,
)

PASSWORD = "pass-w0rd:of/owner"
QUOTED = "pass-w0rd%3Aof%2Fowner"


def as_reader(warehouse: Warehouse) -> psycopg.Connection:
    return psycopg.connect(warehouse.bi_url(), autocommit=True)


@pytest.fixture
def other_server(warehouse: Warehouse, superuser: psycopg.Connection, folder: Path):
    """Make an owner with given attributes and a database, as an administrator of a server would."""
    made: list[tuple[str, str]] = []

    def make(name: str, attributes: str = "", dagster: bool = False) -> Warehouse:
        made.append((name, f"{name}_db"))
        superuser.execute(f"create role {name} login password '{PASSWORD}' {attributes}")
        superuser.execute(f"create database {name}_db owner {name}")
        if dagster:
            superuser.execute(f"create database {name}_db_dagster owner {name}")
        port = warehouse.embedded.status().port
        return Warehouse(f"postgres://{name}:{QUOTED}@127.0.0.1:{port}/{name}_db", None, folder / name)

    yield make
    for name, database in made:
        superuser.execute(f"drop database if exists {database} with (force)")
        superuser.execute(f"drop database if exists {database}_dagster with (force)")
        superuser.execute(f"drop owned by {name}")
        superuser.execute(f"drop role {name}")


@pytest.fixture
def without_reader(warehouse: Warehouse, superuser: psycopg.Connection):
    """The server without bi_reader; put back afterwards."""
    superuser.execute("alter role bi_reader rename to bi_reader_aside")
    yield
    with psycopg.connect(warehouse.url(), autocommit=True) as connection:
        connection.execute("drop owned by bi_reader" if _exists(connection, "bi_reader") else "select 1")
    superuser.execute("drop role if exists bi_reader")
    superuser.execute("alter role bi_reader_aside rename to bi_reader")


def _exists(connection: psycopg.Connection, role: str) -> bool:
    return connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone() is not None


def test_ensuring_again_changes_nothing(warehouse: Warehouse):
    password = warehouse.reader_password_file.read_text()
    warehouse.ensure()
    assert warehouse.reader_password_file.read_text() == password


def test_both_databases_exist(warehouse: Warehouse, superuser: psycopg.Connection):
    names = {name for (name,) in superuser.execute("select datname from pg_database")}
    assert {"junheng", "junheng_dagster"} <= names


def test_many_at_once_set_up_one_warehouse(warehouse: Warehouse):
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: Warehouse(None, None, warehouse.home).ensure(), range(12)))
    as_reader(warehouse).close()


def test_the_engine_speaks_in_the_time_zone_of_shanghai(warehouse: Warehouse):
    engine = warehouse.engine()
    with engine.connect() as connection:
        assert connection.execute(text("select current_setting('TimeZone')")).scalar() == "Asia/Shanghai"
        assert engine.dialect.driver == "psycopg"
    engine.dispose()


def test_dagster_gets_psycopg2_and_its_own_database(warehouse: Warehouse):
    url = warehouse.dagster_storage_url()
    assert url.startswith("postgresql+psycopg2://junheng:")
    assert make_url(url).database == "junheng_dagster"


def test_the_owner_may_become_the_reader(warehouse: Warehouse):
    with psycopg.connect(warehouse.url(), autocommit=True) as connection:
        connection.execute("set role bi_reader")
        assert connection.execute("select current_user").fetchone() == ("bi_reader",)


@pytest.mark.parametrize(
    "forbidden",
    [
        "create table public.mine (a int)",
        "create temporary table mine (a int)",
        "create schema mine",
        "select lo_create(0)",
        "create role mine",
        "create database mine",
        "select pg_read_file('postgresql.conf')",
        "copy (select 1) to program 'cat'",
    ],
)
def test_the_reader_may_not_even_when_it_leaves_read_only(warehouse: Warehouse, forbidden: str):
    with as_reader(warehouse) as connection:
        assert connection.execute("show default_transaction_read_only").fetchone() == ("on",)
        connection.execute("set default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match=r"permission denied|must be"):
            connection.execute(forbidden)


def test_a_statement_of_the_reader_ends_after_a_minute(warehouse: Warehouse):
    with as_reader(warehouse) as connection:
        assert connection.execute("show statement_timeout").fetchone() == ("1min",)


def test_a_statement_of_the_reader_that_takes_too_long_is_cancelled(warehouse: Warehouse, superuser):
    superuser.execute("alter role bi_reader set statement_timeout = '50ms'")  # nobody waits a minute for a test
    try:
        with as_reader(warehouse) as connection, pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("select pg_sleep(30)")
    finally:
        warehouse.ensure()
    with as_reader(warehouse) as connection:
        assert connection.execute("show statement_timeout").fetchone() == ("1min",)


def test_the_reader_may_not_enter_the_database_of_dagster(warehouse: Warehouse):
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(warehouse.bi_url().replace("/junheng", "/junheng_dagster"))


def test_a_new_reader_password_replaces_the_old_one(warehouse: Warehouse):
    old = warehouse.bi_url()
    new = warehouse.rotate_bi_password()
    assert new == warehouse.bi_url() != old
    psycopg.connect(new).close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(old)
    assert stat.S_IMODE(os.stat(warehouse.reader_password_file).st_mode) == 0o600


def test_an_owner_with_createrole_and_createdb_needs_no_administrator(without_reader, other_server):
    own = other_server("able", "createrole createdb").ensure()
    own.ensure()
    as_reader(own).close()
    with psycopg.connect(own.url(), autocommit=True) as connection:
        connection.execute("create schema mart; grant usage on schema mart to bi_reader")
        connection.execute("set role bi_reader")
    own.rotate_bi_password()


def test_a_new_reader_takes_the_password_that_the_data_folder_already_holds(without_reader, other_server):
    own = other_server("moved", "createrole createdb")
    own.home.mkdir()
    own.reader_password_file.write_text("of-another-server\n")
    own.ensure()
    assert "of-another-server" in own.bi_url()
    as_reader(own).close()


def test_an_owner_without_rights_gets_the_statements_and_they_suffice(without_reader, other_server, superuser):
    own = other_server("unable")
    with pytest.raises(MissingRightsError) as caught:
        own.ensure()
    assert caught.value.owner == "unable"
    assert "no CREATEDB" in str(caught.value)
    assert "no CREATEROLE" in str(caught.value)
    assert 'create database "unable_db_dagster" owner "unable";' in caught.value.statements
    for statement in caught.value.statements:  # as an administrator would paste them
        superuser.execute(statement.replace("'…'", "'chosen'"))
    own.ensure()
    with psycopg.connect(own.url(), autocommit=True) as connection:
        connection.execute("set role bi_reader")
    with pytest.raises(ReaderPasswordUnknownError, match="mode 600"):
        own.bi_url()
    own.reader_password_file.write_text("chosen\n")
    as_reader(own).close()
    with pytest.raises(MissingRightsError, match="alter role bi_reader"):
        own.rotate_bi_password()


def test_a_second_warehouse_on_the_server_adopts_the_reader(warehouse: Warehouse, other_server, superuser):
    own = other_server("second", dagster=True)
    with pytest.raises(MissingRightsError) as caught:
        own.ensure()
    assert caught.value.statements == ('grant bi_reader to "second" with inherit false, set true;',)
    superuser.execute(caught.value.statements[0])
    own.ensure()
    as_reader(warehouse).close()  # the first one's password still holds


def test_a_database_that_does_not_exist_is_made_where_the_owner_may(warehouse: Warehouse, other_server, superuser):
    own = other_server("maker", "createdb createrole")
    superuser.execute("grant bi_reader to maker with admin true, set true")
    fresh = Warehouse(own.url().replace("/maker_db", "/maker_other"), None, own.home)
    try:
        fresh.ensure()
    finally:
        superuser.execute("drop database maker_other with (force)")
        superuser.execute("drop database maker_other_dagster with (force)")
        (warehouse.reader_password_file).unlink()
        warehouse.ensure()  # the adopting owner was allowed to set a new password, and had no file


def test_a_dagster_url_is_used_instead(warehouse: Warehouse, other_server):
    given = warehouse.embedded.url("junheng_dagster")
    own = other_server("elsewhere", "createrole")
    own = Warehouse(own.url(), given, own.home)
    used, meant = make_url(own.dagster_storage_url()), make_url(given)
    assert (used.host, used.port, used.database, used.password) == (
        meant.host,
        meant.port,
        meant.database,
        meant.password,
    )


def test_an_old_server_is_refused_by_its_version():
    with pytest.raises(PostgresTooOldError, match=r"PostgreSQL 14\.9; Junheng needs version 15"):
        require_version(SimpleNamespace(version_number=140009, version="14.9"))


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://someone:{QUOTED}@127.0.0.1:1/db",
        f"postgresql://someone:{QUOTED}@127.0.0.1:1/db?sslmode=nonsense",
    ],
)
def test_no_error_shows_the_password(url: str, folder: Path):
    unreachable = Warehouse(url, None, folder)
    with pytest.raises(WarehouseUnreachableError) as caught:
        unreachable.ensure()
    for shown in (str(caught.value), repr(caught.value), repr(unreachable), unreachable.shown_url()):
        assert PASSWORD not in shown
        assert QUOTED not in shown
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://u:secret@h/d", "names no PostgreSQL"),
        ("postgresql://u:secret@h", "names no database"),
        ("postgresql://h/d", "names no user"),
        ("postgresql://u:secret:more@x@h:port/d", "is no database URL"),
        ("secret", "is no database URL"),
    ],
)
def test_a_wrong_url_is_refused_without_repeating_it(url: str, reason: str):
    with pytest.raises(WarehouseUrlError, match=reason) as caught:
        read_url(url, "JUNHENG_WAREHOUSE_URL")
    assert "secret" not in str(caught.value)


def test_the_log_of_a_setup_holds_no_password(folder: Path, caplog):
    caplog.set_level("DEBUG")
    own = Warehouse(None, None, folder / "home")
    try:
        own.ensure()
        own.rotate_bi_password()
        server_log = (own.embedded.cluster / "server.log").read_text()
        secrets = [own.reader_password_file.read_text().strip(), own.embedded.password_file.read_text().strip()]
        assert not any(secret in caplog.text + server_log + repr(own) + repr(own.embedded) for secret in secrets)
    finally:
        own.embedded.stop()
