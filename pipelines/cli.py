"""The ``junheng`` command line. Here: commands and their exit codes. Not here: what they do.

Exit codes: 0 done (warnings are printed), 1 it failed or nothing could be published, 2 the call was wrong, 3 (``db
status``) not running. Heavy imports stand inside the commands, so that the light ones answer at once.
"""

from __future__ import annotations

import datetime
import importlib
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from pipelines.commands.archive import archive
from pipelines.commands.db import db
from pipelines.commands.explain import explain
from pipelines.commands.findings import findings
from pipelines.commands.layouts import layout
from pipelines.commands.moments import end_of
from pipelines.commands.platforms import platforms
from pipelines.commands.quarantine import quarantine, reread
from pipelines.commands.reading import read
from pipelines.commands.rebuild import rebuild
from pipelines.commands.release import release
from pipelines.commands.sandbox import sandbox
from pipelines.commands.standards import standards
from pipelines.commands.whatif import whatif
from pipelines.progress import showing_progress
from pipelines.settings import Settings
from warehouse.errors import JunhengError

if TYPE_CHECKING:
    from pipelines.sandboxing import Sandbox
    from resources.database import Warehouse

SECTORS = click.Choice(["employment", "education", "health", "portal"])


class _Commands(click.Group):
    """Shows an error of Junheng as one message and exit code 1; any other error is a bug and keeps its traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except JunhengError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="junheng")
def main() -> None:
    """Junheng (均衡): returns of the provinces' platforms, and the equalization metrics made of them.

    \b
    Begin with:  junheng refresh --sandbox
    Then:        junheng query "select * from inequality where scope = 'nation:province' limit 5"
    """


main.add_command(db)
main.add_command(sandbox)
main.add_command(quarantine)
main.add_command(reread)
main.add_command(read)
main.add_command(layout)
main.add_command(archive)
main.add_command(platforms)
main.add_command(explain)
main.add_command(findings)
main.add_command(release)
main.add_command(rebuild)
main.add_command(standards)
main.add_command(whatif)


@main.command()
@click.option("--sector", "sectors", multiple=True, type=SECTORS, help="Only this sector (may be repeated).")
@click.option(
    "--province",
    "provinces",
    multiple=True,
    metavar="CODE",
    help="Only this province, e.g. 510000; the portal is 000000.",
)
@click.option("--since", metavar="DATE", help="Returns of periods from this day on (2015, 2015-03 or 2015-03-01).")
@click.option("--dry-run", is_flag=True, help="Say what would be fetched; write nothing.")
@click.option(
    "--sandbox", "with_sandbox", is_flag=True, help="Start the sandbox platforms for the time of the refresh."
)
def refresh(
    sectors: tuple[str, ...], provinces: tuple[str, ...], since: str | None, dry_run: bool, with_sandbox: bool
) -> None:
    """Collect what is due, open or revised, load it, compute the metrics and publish a release."""
    from pipelines.running import only_refresh, run_refresh
    from pipelines.sandboxing import running_sandbox
    from pipelines.telling import tell

    started = time.monotonic()
    settings = Settings.load()
    first_day = _day(since)
    _check_provinces(provinces)
    with ExitStack() as stack:
        if not dry_run:
            stack.enter_context(only_refresh(settings.home))
        stack.enter_context(showing_progress(settings.home, settings.log_level))
        served = stack.enter_context(running_sandbox(settings)) if with_sandbox else None
        with ThreadPoolExecutor(1) as pool:
            preparing = pool.submit(_prepare, served, sectors, provinces, first_day, dry_run)
            importlib.import_module("pipelines.definitions")  # a second of imports meanwhile
            settings, warehouse = preparing.result()
        if dry_run:
            from pipelines.planning import plan_lines

            for line in plan_lines(settings, warehouse, sectors, provinces, first_day):
                click.echo(line)
            return
        outcome = run_refresh(settings, warehouse, sectors, provinces, first_day)
    sys.exit(tell(settings, warehouse, outcome, time.monotonic() - started))


def _prepare(
    served: Sandbox | None, sectors: Sequence[str], provinces: Sequence[str], since: str | None, dry_run: bool
) -> tuple[Settings, Warehouse]:
    """Bring up the warehouse, wait for the sandbox, ask the platforms: all that can be done before the run."""
    from pipelines.commands.db import open_warehouse
    from pipelines.foresight import look_ahead
    from pipelines.sandboxing import use_sandbox

    warehouse = open_warehouse().ensure()
    if served is not None:
        use_sandbox(served)
    settings = Settings.load()
    if settings.platform_url is not None and not dry_run:
        look_ahead(settings, warehouse, sectors, provinces, since)
    return settings, warehouse


def _day(text: str | None) -> str | None:
    """An ISO day from 2015, 2015-03 or 2015-03-01."""
    if text is None:
        return None
    try:
        return datetime.date.fromisoformat(
            text + "-01-01"[: 10 - len(text)] if len(text) in (4, 7) else text
        ).isoformat()
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is no date; write 2015, 2015-03 or 2015-03-01", param_hint="--since"
        ) from error


def _check_provinces(codes: tuple[str, ...]) -> None:
    from resources.platforms.register import PORTAL
    from warehouse.catalogue import load_catalogue

    known = load_catalogue().provinces
    for code in codes:
        if code not in known and code != PORTAL[0]:
            raise click.BadParameter(f"{code!r} is none of the 31 province codes, e.g. 510000", param_hint="--province")


@main.command()
@click.option("--troubles", is_flag=True, help="List every trouble of the last refresh, however many.")
def status(troubles: bool) -> None:
    """Say what is published, how the last refresh went and what is owed."""
    from pipelines.commands.db import open_warehouse
    from pipelines.status import status_lines

    for line in status_lines(open_warehouse(), Settings.load(), every_trouble=troubles):
        click.echo(line)


@main.command()
@click.argument("statement")
@click.option("--limit", default=100, show_default=True, help="Rows shown.")
@click.option("--format", "output", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@click.option("--as-of", metavar="DATE", help="As readers saw it at the end of this day, or at this moment (ISO).")
def query(statement: str, limit: int, output: str, as_of: str | None) -> None:
    """Run a select on the marts as bi_reader: junheng query "select * from release"."""
    moment = end_of(as_of)
    from pipelines.commands.db import open_warehouse
    from pipelines.formats import render
    from warehouse.reporting import query_marts

    engine = open_warehouse().ensure().engine()
    try:
        with engine.connect() as connection:
            frame, has_more = query_marts(connection, statement, limit, moment)
    finally:
        engine.dispose()
    click.echo(render(frame, output))
    if has_more:
        click.echo(f"(the first {limit} rows; --limit shows more)", err=True)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address the UI listens on.")
@click.option("--port", default=3000, show_default=True, help="Port of the UI.")
@click.option(
    "--sandbox/--no-sandbox", "with_sandbox", default=None, help="Serve the sandbox too (unless platforms are set)."
)
def ui(host: str, port: int, with_sandbox: bool | None) -> None:
    """Serve the Dagster UI with its daemon (schedules run) until Ctrl-C."""
    from pipelines.serving import serve

    settings = Settings.load()
    sys.exit(serve(settings, host, port, settings.platform_url is None if with_sandbox is None else with_sandbox))
