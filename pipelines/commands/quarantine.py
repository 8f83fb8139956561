"""``junheng quarantine``: what could not be used, why, and letting it pass. ``junheng reread``: the archive once more.

Here: commands. Not here: the table (:mod:`warehouse.quarantining`), reading (returns). Exit codes: 0 done, 1 it failed,
2 the call was wrong.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from pipelines.commands.connecting import warehouse_connection
from pipelines.commands.db import open_warehouse
from pipelines.commands.moments import shown as shown_moment
from pipelines.commands.printing import printable
from pipelines.settings import SHANGHAI, Settings

if TYPE_CHECKING:
    from warehouse.quarantining import Chosen

OUTPUT = click.Choice(["table", "csv", "json"])
_SHOWN_ABOVE, _SHOWN_BESIDE = 6, 8


@click.group()
def quarantine() -> None:
    """What could not be used, and why: cells and whole returns that wait for a person.

    \b
    junheng quarantine list                         returns with something set aside
    junheng quarantine show 1234                    its cells
    junheng quarantine explain 1234 '表1!C7'         one cell, in both languages, with its row and header
    junheng quarantine release 1234 --why "…"       let pass what only a check holds back
    After mending a layout or an alias: junheng reread --receipt 1234
    """


@quarantine.command("list")
@click.option("--platform", metavar="CODE/SECTOR", help="Only this platform, e.g. 510000/health.")
@click.option("--form", help="Only this form, e.g. health_annual.")
@click.option("--period", metavar="CODE", help="Only this period, e.g. 2024-Q1.")
@click.option("--reason", help="Only this reason, e.g. unknown_region.")
@click.option("--all", "with_resolved", is_flag=True, help="Also what a later reading has resolved.")
@click.option("--limit", default=100, show_default=True, help="Rows shown.")
@click.option("--format", "output", type=OUTPUT, default="table", show_default=True)
def list_(
    platform: str | None,
    form: str | None,
    period: str | None,
    reason: str | None,
    with_resolved: bool,
    limit: int,
    output: str,
) -> None:
    """List returns with something in quarantine: a line a return and reason, newest first."""
    from pipelines.formats import render
    from warehouse.quarantining import Chosen, list_quarantine, list_unplaced

    with warehouse_connection() as connection:
        frame = list_quarantine(
            connection, Chosen(platform=platform, form=form, period_code=period), reason, with_resolved=with_resolved
        )
        unplaced = list_unplaced(connection)
    shown = frame.drop(columns=["explanation", *([] if with_resolved else ["resolved_at"])])
    shown["created_at"] = shown["created_at"].map(shown_moment)
    click.echo(render(shown.head(limit), output) if len(shown) else "nothing is in quarantine")
    if len(shown) > limit:
        click.echo(f"(the first {limit} of {len(shown)}; --limit shows more)", err=True)
    if len(unplaced):
        click.echo(f"{len(unplaced)} files of the inbox name no platform, form or period:", err=True)
        for row in unplaced.to_dict("records"):
            click.echo(f"  {row['file_name']}: {row['explanation']}", err=True)


@quarantine.command()
@click.argument("receipt", type=int)
@click.option("--limit", default=50, show_default=True, help="Cells shown.")
@click.option("--format", "output", type=OUTPUT, default="table", show_default=True)
def show(receipt: int, limit: int, output: str) -> None:
    """Show what of one return is set aside, cell by cell."""
    from pipelines.formats import render
    from warehouse.quarantining import read_receipt, read_set_aside

    with warehouse_connection() as connection:
        facts = read_receipt(connection, receipt)
        frame = read_set_aside(connection, receipt)
    if output == "table":
        click.echo(_headline(facts))
    columns = ["address", "raw_text", "reason", "explanation"]
    if len(frame) and frame["resolved_at"].notna().any():
        columns.append("resolved_at")
    shown = frame[columns].head(limit)
    if output == "table":
        shown = shown.assign(raw_text=shown["raw_text"].map(printable), explanation=shown["explanation"].map(printable))
    click.echo(render(shown, output) if len(frame) else "nothing of it is in quarantine")
    if len(frame) > limit:
        click.echo(f"(the first {limit} of {len(frame)} cells; --limit shows more)", err=True)


@quarantine.command()
@click.argument("receipt", type=int)
@click.argument("address", required=False)
def explain(receipt: int, address: str | None) -> None:
    """Explain one cell (or the whole return) in English and Chinese, with its row and header as they stand in the file."""
    from returns.locating import find_cell
    from warehouse.quarantining import read_receipt, read_set_aside

    with warehouse_connection() as connection:
        facts = read_receipt(connection, receipt)
        frame = read_set_aside(connection, receipt, address)
    if frame.empty:
        where = f"cell {address!r}" if address else "it"
        raise click.ClickException(f"nothing in quarantine is {where} of receipt {receipt}")
    row: dict[Any, Any] = frame.iloc[-1].to_dict()
    click.echo(_headline(facts))
    for line in _explained(row):
        click.echo(line)
    found = find_cell(_grid(facts), row["address"]) if row["address"] else None
    if found is not None:
        click.echo("Above it:")
        for place, text in found.above[-_SHOWN_ABOVE:]:
            click.echo(f"  {place:<12} {printable(text)}")
        click.echo("In its row:")
        for place, text in found.row[:_SHOWN_BESIDE]:
            click.echo(f"  {place:<12} {printable(text)}")
    if len(frame) > 1:
        click.echo(f"{len(frame) - 1} more cells of this return: junheng quarantine show {receipt}")


@quarantine.command()
@click.argument("receipt", type=int)
@click.option("--why", required=True, help="Why it may pass: kept with your name and the time.")
@click.option("--queue-only", is_flag=True, help="Leave the reading to the next refresh.")
def release(receipt: int, why: str, queue_only: bool) -> None:
    """Let a return pass that only a blocking check holds back, and load it.

    The permission holds for these very bytes: a corrected delivery is judged anew.
    """
    from resources.archive import Decision, open_archive
    from warehouse.quarantining import Chosen, read_receipt, requeue, waive

    settings = Settings.load()
    with warehouse_connection(writing=True) as connection:
        now = settings.clock()
        checks = waive(connection, receipt, settings.operator_name, why, now)
        sha256 = read_receipt(connection, receipt)["sha256"]
        requeue(connection, Chosen(receipts=(receipt,)))
        open_archive(settings.archive_location).append_decisions(
            [Decision("waive", settings.operator_name, why, now, sha256, check) for check in checks]
        )
    click.echo(f"receipt {receipt} passes {', '.join(checks)}, said {settings.operator_name}: {why}")
    _read_what_waits(settings, queue_only)


@click.command()
@click.option("--receipt", "receipts", type=int, multiple=True, help="This delivery (may be repeated).")
@click.option("--return", "name", metavar="PLATFORM[/FORM[/PERIOD]]", help="e.g. 510000/health/health_annual/2024")
@click.option("--layout", help="Returns that this layout read, or that no layout could read.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Fetched on this day or later.")
@click.option("--queue-only", is_flag=True, help="Leave the reading to the next refresh.")
def reread(
    receipts: tuple[int, ...], name: str | None, layout: str | None, since: datetime.datetime | None, queue_only: bool
) -> None:
    """Read archived returns once more, after a layout, an alias or a unit was mended. No platform is asked.

    Of each return the newest delivery is read; what it then says is compared with what is known, as for any delivery.
    """
    from warehouse.quarantining import requeue

    if not (receipts or name or layout or since):
        raise click.UsageError("say which: --receipt, --return, --layout or --since")
    settings = Settings.load()
    with warehouse_connection(writing=True) as connection:
        queued = requeue(connection, _chosen(receipts, name, layout, since))
    click.echo(f"{len(queued):,} returns will be read once more")
    _read_what_waits(settings, queue_only)


def _chosen(receipts: tuple[int, ...], name: str | None, layout: str | None, since: datetime.datetime | None) -> Chosen:
    from warehouse.quarantining import Chosen

    parts = name.split("/") if name else []
    if name and not 2 <= len(parts) <= 4:
        raise click.BadParameter(f"{name!r} is not like 510000/health/health_annual/2024", param_hint="--return")
    return Chosen(
        receipts=receipts,
        platform="/".join(parts[:2]) if parts else None,
        form=parts[2] if len(parts) > 2 else None,
        period_code=parts[3] if len(parts) > 3 else None,
        layout=layout,
        since=since.replace(tzinfo=SHANGHAI) if since else None,
    )


def _read_what_waits(settings: Settings, queue_only: bool) -> None:
    """Run a refresh that asks no platform; leaves with its exit code."""
    if queue_only:
        click.echo("the next refresh reads it")
        return
    from pipelines.progress import showing_progress
    from pipelines.running import only_refresh, run_refresh
    from pipelines.telling import tell

    with only_refresh(settings.home), showing_progress(settings.home, settings.log_level):
        warehouse = open_warehouse().ensure()
        outcome = run_refresh(settings, warehouse, archive_only=True)
    sys.exit(tell(settings, warehouse, outcome))


def _grid(facts: dict[str, Any]) -> Any:
    """The archived return as its carrier holds it; a return that no carrier can open has no cells to show."""
    from resources.archive import open_archive
    from returns.carriers import Grid, read_grid

    found = read_grid(open_archive(Settings.load().archive_location).get(facts["sha256"]))
    return found if isinstance(found, Grid) else Grid("csv", ())


def _headline(facts: dict[str, Any]) -> str:
    return (
        f"{facts['platform']} {facts['form']} {facts['period_code']}, delivery {facts['sequence']} ({facts['file_name']}, "
        f"sha256 {facts['sha256'][:12]}), read by {facts['layout'] or 'no layout'}: {facts['state']}, {facts['cells']} cells ="
        f" {facts['loaded']} loaded + {facts['unchanged']} unchanged + {facts['quarantined']} quarantined"
    )


def _explained(row: dict[Any, Any]) -> Iterator[str]:
    """What is known of one quarantined cell, line by line."""
    from expectations.registry import CHECKS
    from returns.reasons import MEANINGS

    yield f"Where    {row['address'] or 'the whole return'}"
    yield f"Text     {printable(row['raw_text'] or '')!r}"
    yield f"Reason   {row['reason']}"
    meaning = MEANINGS.get(row["reason"])
    if meaning is not None:
        yield f"         {meaning.en}"
        yield f"         {meaning.zh}"
    yield f"Said     {printable(row['explanation'], 2000)}"
    yield f"         {printable(row['explanation_zh'], 2000)}"
    check = CHECKS.get(row["reason"])
    if check is not None:
        yield f"Check    {check.explanation_en} {check.explanation_zh}"
        yield f"Do       {check.action_en} {check.action_zh}"
    yield f"Since    {shown_moment(row['created_at'])}"
    if row["resolved_at"] is not None and row["resolved_at"] == row["resolved_at"]:
        yield f"Resolved {shown_moment(row['resolved_at'])}, by a later reading of the return"
