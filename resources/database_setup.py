"""Make what is missing of databases and roles, or say what an administrator must run. Used by ``Warehouse.ensure``.

First one look at the server (``Facts``), then only what is missing, so that a usual start costs one query. Rights
differ by version: up to 15 CREATEROLE may grant any role; from 16 on the maker of a role has its ADMIN option and
grants itself SET.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import namedtuple_row
from sqlalchemy.engine import URL

from resources.database_urls import plain_text, shown, without_password
from resources.embedded import TIME_ZONE
from resources.errors import MissingRightsError, PostgresTooOldError, WarehouseUnreachableError
from resources.secret_files import generate_password, read_secret, write_secret

logger = logging.getLogger(__name__)

Connection = psycopg.Connection[Any]

BI_READER = "bi_reader"
OLDEST_VERSION = 150000
VERSION_WITH_SET_OPTION = 160000
SETUP_LOCK = 7_530_091_701  # any number, the same in every Junheng: one process at a time sets a database up
READER_SETTINGS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "1min",  # a dashboard's mistake ends by itself; the published questions take 50 ms
    "idle_in_transaction_session_timeout": "10min",  # a forgotten dashboard must not hold back vacuum
    "timezone": TIME_ZONE,
}

FACTS = """
select current_user::text as owner,
       current_setting('server_version_num')::int as version_number,
       current_setting('server_version') as version,
       o.rolsuper as is_superuser, o.rolcreaterole as may_create_role, o.rolcreatedb as may_create_database,
       has_database_privilege(current_database(), 'CREATE') as may_create_schema,
       (select d.datdba = o.oid or pg_has_role(o.oid, d.datdba, 'MEMBER') from pg_database d
         where d.datname = current_database()) as owns_database,
       r.oid is not null as reader_exists, coalesce(r.rolsuper, false) as reader_is_superuser,
       coalesce(pg_has_role(o.oid, r.oid, 'MEMBER'), false) as is_reader_member,
       coalesce(has_schema_privilege(r.oid, p.oid, 'CREATE'), false) as reader_creates_in_public,
       coalesce(has_database_privilege(r.oid, current_database(), 'TEMP'), true) as reader_makes_temporary,
       coalesce((select setconfig from pg_db_role_setting s where s.setrole = r.oid and s.setdatabase = 0), '{}')
         as reader_settings
  from pg_roles o
  left join pg_roles r on r.rolname = 'bi_reader'
  left join pg_namespace p on p.nspname = 'public'
 where o.rolname = current_user
"""


@dataclass
class Setup:
    """One run over the server of ``url``; ``is_ours`` for the embedded one, where the owner is superuser."""

    url: URL
    dagster_url: URL | None
    password_file: Path
    is_ours: bool

    def run(self) -> None:
        """Make what is missing, in the order: warehouse database, Dagster's, bi_reader, closed doors."""
        self._ensure_warehouse_database()
        with connect(self.url) as connection, _one_at_a_time(connection):
            facts = read_facts(connection)
            require_version(facts)
            self._require_rights(connection, facts)
            self._ensure_dagster_database(connection)
            self._ensure_reader(connection, facts)
            self._close_doors(connection)

    def _ensure_warehouse_database(self) -> None:
        if not self.is_ours and database_exists(self.url):
            return
        if self.is_ours:
            with connect(self.url.set(database="postgres")) as connection:
                if not _is_database(connection, str(self.url.database)):
                    _create_database(connection, str(self.url.database))
            return
        statement = f'create database "{self.url.database}" owner "{self.url.username}";'
        try:
            with connect(self.url.set(database="postgres")) as connection:
                require_version(read_facts(connection))
                _create_database(connection, str(self.url.database))
        except (WarehouseUnreachableError, psycopg.errors.InsufficientPrivilege):
            raise MissingRightsError(
                str(self.url.username), [f"the database {self.url.database!r} does not exist"], [statement]
            ) from None

    def _require_rights(self, connection: Connection, facts: Any) -> None:
        """Collect all that is lacking, so that an administrator is asked once."""
        if facts.is_superuser:
            return
        lacking: list[str] = []
        statements: list[str] = []
        database, dagster = str(self.url.database), f"{self.url.database}_dagster"
        if not facts.may_create_schema:
            lacking.append(f"it may not create schemas in {database!r}")
            statements.append(f'alter database "{database}" owner to "{facts.owner}";')
        if self.dagster_url is None and not facts.may_create_database and not _is_database(connection, dagster):
            lacking.append(f"no CREATEDB, and no database {dagster!r} (JUNHENG_DAGSTER_URL could name another)")
            statements.append(f'create database "{dagster}" owner "{facts.owner}";')
        if not facts.reader_exists and not facts.may_create_role:
            lacking.append(f"no CREATEROLE, and no role {BI_READER!r}")
            statements += [*reader_statements(self.password_file), grant_statement(facts)]
        elif facts.reader_exists and not self._may_become_reader(connection, facts):
            lacking.append(f"it may not 'set role {BI_READER}'")
            statements.append(grant_statement(facts))
        if lacking:
            raise MissingRightsError(facts.owner, lacking, statements)

    def _may_become_reader(self, connection: Connection, facts: Any) -> bool:
        return _can_set_role(connection, facts) or _may_administer_reader(connection, facts)

    def _ensure_dagster_database(self, connection: Connection) -> None:
        if self.dagster_url is not None:
            if not database_exists(self.dagster_url):
                raise WarehouseUnreachableError(
                    f"the database of JUNHENG_DAGSTER_URL does not exist: {shown(self.dagster_url)}; create it"
                )
            return
        name = f"{self.url.database}_dagster"
        if not _is_database(connection, name):
            _create_database(connection, name)
            # Runs and events hold configuration and texts of errors: nothing for readers.
            _execute(connection, "revoke connect, temporary on database {} from public", name)

    def _ensure_reader(self, connection: Connection, facts: Any) -> None:
        if facts.reader_is_superuser:
            raise MissingRightsError(
                facts.owner,
                [f"{BI_READER} is a superuser, a reader must not be"],
                [f"alter role {BI_READER} nosuperuser;"],
            )
        is_new = not facts.reader_exists
        if is_new:
            self._create_reader(connection)
            facts = read_facts(connection)
        may_administer = _may_administer_reader(connection, facts)
        if may_administer:
            missing = {
                k: v for k, v in READER_SETTINGS.items() if f"{k}={v}" not in _lower_names(facts.reader_settings)
            }
            for name, value in missing.items():
                _execute(connection, f"alter role {BI_READER} set {{}} = {{}}", name, sql.Literal(value))
        if not _can_set_role(connection, facts):
            connection.execute(grant_statement(facts))
        if is_new or read_secret(self.password_file) is None:
            self._set_reader_password(connection, may_administer)

    def _create_reader(self, connection: Connection) -> None:
        # Another warehouse on the same server may make the role at this moment; ours is then adopted.
        with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            connection.execute(f"create role {BI_READER} login nosuperuser nocreatedb nocreaterole noreplication")
            logger.info("made the role %s", BI_READER)

    def _set_reader_password(self, connection: Connection, may_administer: bool) -> None:
        if not may_administer:
            logger.warning("the password of %s is not known here: write it to %s", BI_READER, self.password_file)
            return
        # One data folder may have met another server before: one password then serves both.
        password = read_secret(self.password_file) or generate_password()
        with connection.transaction():
            connection.execute(f"alter role {BI_READER} password '{encrypt_password(connection, password)}'")
            write_secret(self.password_file, password)

    def _close_doors(self, connection: Connection) -> None:
        """What PUBLIC may do by default and a reader must not: objects in ``public``, temporary tables."""
        facts = read_facts(connection)
        if facts.reader_creates_in_public:
            with suppress(psycopg.errors.InsufficientPrivilege):
                connection.execute("revoke create on schema public from public")
            if read_facts(connection).reader_creates_in_public:
                raise MissingRightsError(
                    facts.owner,
                    [f"{BI_READER} may create tables in the schema public"],
                    [f"revoke create on schema public from public, {BI_READER};"],
                )
        if facts.reader_makes_temporary and facts.owns_database:
            _execute(connection, "revoke temporary on database {} from public", str(self.url.database))
        if self.is_ours and facts.is_superuser:
            _revoke_large_objects(connection)


def _revoke_large_objects(connection: Connection) -> None:
    """A reader could fill the disk with large objects, which PUBLIC may make."""
    connection.execute(
        "do $$ declare f regprocedure; begin for f in select p.oid from pg_proc p where p.pronamespace = "
        "'pg_catalog'::regnamespace and p.proname in ('lo_create', 'lo_creat', 'lo_from_bytea') "
        "and has_function_privilege('public', p.oid, 'execute') loop "
        "execute format('revoke execute on function %s from public', f); end loop; end $$"
    )


@contextmanager
def connect(url: URL) -> Iterator[Connection]:
    """An autocommit connection; WarehouseUnreachableError (without password) where there is none."""
    try:
        connection = psycopg.connect(plain_text(url), autocommit=True, connect_timeout=10, application_name="junheng")
    except psycopg.Error as error:
        # `from None`: the driver's own text could hold a part of the URL.
        raise WarehouseUnreachableError(
            f"no connection to the warehouse {shown(url)}: {without_password(error, url)}; check JUNHENG_WAREHOUSE_URL "
            "(unset it to use the embedded PostgreSQL)"
        ) from None
    with connection:
        yield connection


def database_exists(url: URL) -> bool:
    """Whether the database of ``url`` exists; WarehouseUnreachableError where its server does not let us in."""
    try:
        with connect(url):
            return True
    except WarehouseUnreachableError as error:
        if f'database "{url.database}" does not exist' in str(error):
            return False
        raise


def read_facts(connection: Connection) -> Any:
    """The one row of ``FACTS``."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(FACTS).fetchone()


def require_version(facts: Any) -> None:
    """Raise PostgresTooOldError below version 15."""
    if facts.version_number < OLDEST_VERSION:
        raise PostgresTooOldError(facts.version)


def encrypt_password(connection: Connection, password: str) -> str:
    """The SCRAM verifier of bi_reader's password, so that the password itself never reaches the server's log."""
    verifier = connection.pgconn.encrypt_password(password.encode(), BI_READER.encode(), b"scram-sha-256")
    return verifier.decode()


def reader_statements(password_file: Path) -> list[str]:
    """The statements that make bi_reader, for an administrator."""
    settings = [f"alter role {BI_READER} set {name} = '{value}';" for name, value in READER_SETTINGS.items()]
    make = f"create role {BI_READER} login password '…';  -- choose one, and write it to {password_file} (mode 600)"
    return [make, *settings]


def grant_statement(facts: Any) -> str:
    """The statement that lets the owner ``set role bi_reader``."""
    owner = '"' + facts.owner.replace('"', '""') + '"'
    option = " with inherit false, set true" if facts.version_number >= VERSION_WITH_SET_OPTION else ""
    return f"grant {BI_READER} to {owner}{option};"


def _can_set_role(connection: Connection, facts: Any) -> bool:
    if facts.is_superuser:
        return True
    if facts.version_number < VERSION_WITH_SET_OPTION:
        return bool(facts.is_reader_member)
    return bool(_one(connection, f"select pg_has_role(current_user, '{BI_READER}', 'SET')"))


def _may_administer_reader(connection: Connection, facts: Any) -> bool:
    """Whether the owner may alter bi_reader and grant it."""
    if facts.is_superuser:
        return True
    if not facts.may_create_role or not facts.reader_exists:
        return False
    if facts.version_number < VERSION_WITH_SET_OPTION:
        return True
    return bool(_one(connection, f"select pg_has_role(current_user, '{BI_READER}', 'MEMBER WITH ADMIN OPTION')"))


def _lower_names(settings: list[str]) -> set[str]:
    return {f"{name.lower()}={value}" for name, _, value in (entry.partition("=") for entry in settings)}


def _is_database(connection: Connection, name: str) -> bool:
    return connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone() is not None


def _create_database(connection: Connection, name: str) -> None:
    with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):  # made by another process just now
        _execute(connection, "create database {}", name)
        logger.info("made the database %s", name)


def _execute(connection: Connection, template: str, *parts: str | sql.Composable) -> None:
    names = [sql.Identifier(part) if isinstance(part, str) else part for part in parts]
    connection.execute(sql.SQL(template).format(*names))


def _one(connection: Connection, query: str) -> object:
    row = connection.execute(query).fetchone()
    return row[0] if row else None


@contextmanager
def _one_at_a_time(connection: Connection) -> Iterator[None]:
    connection.execute("select pg_advisory_lock(%s)", [SETUP_LOCK])
    try:
        yield
    finally:
        connection.execute("select pg_advisory_unlock(%s)", [SETUP_LOCK])
