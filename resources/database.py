"""The warehouse's connection: where it is, that its databases and roles exist, engines and URLs for each reader.

What is in the databases (schemas, tables, grants on marts) belongs to the room ``warehouse``. Two databases on one
server: the warehouse's and Dagster's. Two roles: the owner, and ``bi_reader``, who reads ``mart`` and nothing else.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL

from resources.database_setup import BI_READER, Setup, connect, encrypt_password, read_facts
from resources.database_urls import plain_text, read_url, shown, without_password
from resources.embedded import DATABASE, TIME_ZONE, EmbeddedPostgres
from resources.errors import MissingRightsError, ReaderPasswordUnknownError
from resources.hosting import make_folder
from resources.secret_files import generate_password, read_secret, write_secret

logger = logging.getLogger(__name__)

READER_PASSWORD_FILE = "bi_reader.password"


class Warehouse:
    """The PostgreSQL of the warehouse: the embedded one where ``url`` is None, else any of version 15 or later.

    ``home`` is the data folder (passwords; the embedded cluster). ``dagster_url`` names Dagster's database; else it
    is ``<database>_dagster`` beside the warehouse's.
    """

    def __init__(self, url: str | None, dagster_url: str | None, home: Path) -> None:
        self.home = home.expanduser().resolve()
        self.embedded = EmbeddedPostgres(self.home) if url is None else None
        self._given_url = None if url is None else read_url(url, "JUNHENG_WAREHOUSE_URL")
        self._given_dagster_url = None if dagster_url is None else read_url(dagster_url, "JUNHENG_DAGSTER_URL")

    def __repr__(self) -> str:
        where = "embedded" if self._given_url is None else shown(self._given_url)
        return f"Warehouse({where}, home={str(self.home)!r})"

    @property
    def reader_password_file(self) -> Path:
        """Where bi_reader's password stands (mode 600)."""
        return self.home / READER_PASSWORD_FILE

    def ensure(self) -> Warehouse:
        """Start the embedded server if that is the one, and make what is missing of databases and roles.

        Idempotent, and safe from several processes at once. Raises MissingRightsError with the statements for an
        administrator, PostgresTooOldError, WarehouseUnreachableError or EmbeddedPostgresError.
        """
        make_folder(self.home)
        if self.embedded is not None:
            self.embedded.start()
        Setup(self._url(), self._given_dagster_url, self.reader_password_file, self.embedded is not None).run()
        return self

    def engine(self, **options: Any) -> Engine:
        """A new SQLAlchemy engine (psycopg 3) on the warehouse as its owner; session time zone Asia/Shanghai.

        ``options`` go to ``create_engine`` over the defaults. The caller disposes of it.
        """
        url = self._url()
        given = url.query.get("options", "")
        session = f"{given if isinstance(given, str) else ' '.join(given)} -c timezone={TIME_ZONE}".strip()
        defaults: dict[str, Any] = {
            "pool_size": 4,  # a refresh writes by one connection and reads by few
            "max_overflow": 8,
            "pool_pre_ping": True,  # the embedded server may have been restarted between two uses
            "connect_args": {"application_name": "junheng", "options": session, "connect_timeout": 10},
        }
        return create_engine(url.set(drivername="postgresql+psycopg"), **(defaults | options))

    def url(self) -> str:
        """The owner's URL with password, ``postgresql://…``, usable by psql."""
        return plain_text(self._url())

    def shown_url(self) -> str:
        """The owner's URL for messages, its password hidden."""
        return shown(self._url())

    def server_version(self) -> str:
        """The server's version, ``18.4``; WarehouseUnreachableError where it does not answer."""
        with connect(self._url()) as connection:
            return str(read_facts(connection).version)

    def dagster_storage_url(self) -> str:
        """Dagster's database as ``postgresql+psycopg2://…`` (dagster-postgres fails with psycopg 3 at NOTIFY).

        Its commits do not wait for the disk: a run writes hundreds of events one by one, and what a crash of the
        machine can lose is the last half second of what the UI shows, never a figure.
        """
        url = self._given_dagster_url or dagster_database_beside(self._url())
        given = url.query.get("options", "")
        options = f"{given if isinstance(given, str) else ' '.join(given)} -c synchronous_commit=off".strip()
        quick = url.set(drivername="postgresql+psycopg2").update_query_dict({"options": options})
        return quick.render_as_string(hide_password=False)

    def bi_url(self) -> str:
        """bi_reader's URL with password, ``postgresql://…``, for BI tools."""
        password = read_secret(self.reader_password_file)
        if password is None:
            raise ReaderPasswordUnknownError(
                f"the password of {BI_READER} is not known here: whoever made that role writes it to "
                f"{self.reader_password_file} (mode 600), or run 'junheng db rotate' for a new one"
            )
        return plain_text(self._url().set(username=BI_READER, password=password))

    def rotate_bi_password(self) -> str:
        """Give bi_reader a new password, store it, and return the new URL. Open connections stay."""
        password = generate_password()
        url = self._url()
        with connect(url) as connection:
            secret = encrypt_password(connection, password)
            try:
                # The new password is stored first: after a crash in between, rotating again mends it.
                with connection.transaction():
                    connection.execute(f"alter role {BI_READER} password '{secret}'")
                    write_secret(self.reader_password_file, password)
            except psycopg.errors.InsufficientPrivilege as error:
                statement = f"alter role {BI_READER} password '…';  -- then write it to {self.reader_password_file}"
                reason = without_password(error.diag.message_primary or error, url)
                raise MissingRightsError(str(url.username), [reason], [statement]) from None
        logger.info("the password of %s was changed", BI_READER)
        return self.bi_url()

    def _url(self) -> URL:
        if self._given_url is not None:
            return self._given_url
        assert self.embedded is not None
        return read_url(self.embedded.url(DATABASE), "the embedded PostgreSQL's URL")


def dagster_database_beside(url: URL) -> URL:
    """Dagster's database on the warehouse's server, of the same owner."""
    return url.set(database=f"{url.database}_dagster")
