"""``junheng db``: the PostgreSQL of the warehouse for a person: start, stop, look, connect, hand out.

It needs no other part of the project, so that a database can be started before anything is in it.
Exit codes: 0 done, 1 it failed (the message says what to do), 3 ``status`` found it not running.
"""

from __future__ import annotations

import os
import shutil
from typing import Any

import click
from sqlalchemy.engine import make_url

from pipelines.settings import SHANGHAI, Settings
from resources.database import Warehouse
from resources.embedded import EmbeddedPostgres
from resources.errors import EmbeddedPostgresError
from resources.hosting import installed_software
from warehouse.errors import JunhengError

NOT_RUNNING = 3


class _Group(click.Group):
    """Shows an error of Junheng as one message and exit code 1; any other error is a bug and keeps its traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except JunhengError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Group)
def db() -> None:
    """The warehouse's PostgreSQL: the embedded one, or the server of JUNHENG_WAREHOUSE_URL."""


@db.command()
def start() -> None:
    """Start the embedded PostgreSQL (made first if there is none); it keeps running."""
    warehouse = open_warehouse().ensure()
    if warehouse.embedded is None:
        click.echo(f"JUNHENG_WAREHOUSE_URL is set, there is nothing to start; reached {warehouse.shown_url()}")
        return
    _show(warehouse.embedded)


@db.command()
def migrate() -> None:
    """Bring the warehouse's schema to what this Junheng needs (a refresh does so too)."""
    from warehouse.migrating import migrate as bring_up

    engine = open_warehouse().ensure().engine()
    try:
        click.echo("migrated" if bring_up(engine) else "is up to date")
    finally:
        engine.dispose()


@db.command()
def stop() -> None:
    """Stop the embedded PostgreSQL, ending its connections. The data stay."""
    embedded = open_warehouse().embedded
    if embedded is None:
        click.echo("JUNHENG_WAREHOUSE_URL is set, there is nothing to stop")
    else:
        click.echo("stopped" if embedded.stop() else "was not running")


@db.command()
def status() -> None:
    """Say whether it runs and where; exit code 3 if it does not."""
    warehouse = open_warehouse()
    if warehouse.embedded is None:
        version = warehouse.server_version()
        click.echo(f"running: PostgreSQL {version}, {warehouse.shown_url()} (JUNHENG_WAREHOUSE_URL)")
    elif not _show(warehouse.embedded):
        raise SystemExit(NOT_RUNNING)


@db.command()
def url() -> None:
    """Print the owner's URL with its password, for psql and programs (starts it if needed)."""
    click.echo(open_warehouse().ensure().url())


@db.command("bi-url")
def bi_url() -> None:
    """Print the line to paste into a BI tool: bi_reader reads the marts and nothing else."""
    click.echo(open_warehouse().ensure().bi_url())


@db.command()
def rotate() -> None:
    """Give bi_reader a new password and print the new line to paste."""
    click.echo(open_warehouse().ensure().rotate_bi_password())


@db.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--reader", is_flag=True, help="Connect as bi_reader, as a BI tool does.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql(reader: bool, arguments: tuple[str, ...]) -> None:
    """Open psql on the warehouse as its owner; ARGUMENTS go to psql (-c "select 1")."""
    program = find_psql()
    warehouse = open_warehouse().ensure()
    target = make_url(warehouse.bi_url() if reader else warehouse.url())
    # By environment and not by argument: other users of the machine see arguments.
    environment = os.environ | {"PGPASSWORD": str(target.password or "")}
    address = target.set(password=None).render_as_string(hide_password=False)
    os.execve(program, [program, "-d", address, *arguments], environment)


def open_warehouse() -> Warehouse:
    """The warehouse that the environment names; nothing is started or asked yet."""
    settings = Settings.load()
    given, dagster = settings.warehouse_url, settings.dagster_url
    return Warehouse(
        given.get_secret_value() if given else None, dagster.get_secret_value() if dagster else None, settings.home
    )


def find_psql() -> str:
    """psql of the embedded PostgreSQL, else of the machine."""
    try:
        own = installed_software() / "bin" / "psql"
    except EmbeddedPostgresError:
        own = None
    program = str(own) if own and own.exists() else shutil.which("psql")
    if program is None:
        raise click.ClickException("there is no psql: install requirements.lock, or PostgreSQL's client")
    return program


def _show(embedded: EmbeddedPostgres) -> bool:
    """Print how the embedded server is; whether it runs."""
    found = embedded.status()
    if not found.is_running or found.started_at is None:
        click.echo(f"{found.state}: {found.cluster}; 'junheng db start' starts it")
        return False
    since = found.started_at.astimezone(SHANGHAI)
    click.echo(f"running: 127.0.0.1:{found.port}, process {found.pid}, since {since:%Y-%m-%d %H:%M:%S}")
    click.echo(f"cluster: {found.cluster}")
    if found.socket_folder:
        click.echo(f"socket:  {found.socket_folder}")
    return True
