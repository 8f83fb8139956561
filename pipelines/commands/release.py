"""``junheng release``: what was published, what moved, who decided; approving, refusing, withdrawing, proving.

Here: commands. Not here: the decisions (:mod:`warehouse.releases`), the proof (:mod:`warehouse.reproducing`). Exit codes:
0 done, 1 it failed or does not hold, 2 the call was wrong.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from pipelines.commands.connecting import warehouse_connection
from pipelines.commands.moments import shown as shown_moment
from pipelines.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from warehouse.attributing import IndexMovement
    from warehouse.releases import Difference

OUTPUT = click.Choice(["table", "csv", "json"])
#: Provinces that an attribution lists.
_SHOWN = 10


@click.group()
def release() -> None:
    """The published states of the marts: numbered, immutable, reproducible.

    \b
    junheng release list                        all of them, newest first
    junheng release show 5                      one, with what was decided about it
    junheng release diff 4 5                    what moved, and why
    junheng release attribute 4 5 --indicator HLT_BEDS_PER_1000 --period 2024
                                                which province moved an index of inequality
    junheng release reproduce 5                 compute it again and compare the hashes
    junheng release approve 6 / refuse 6        a held one (JUNHENG_RELEASE_POLICY=approval)
    junheng release withdraw 5 --why "…"        back to the one before
    """


@release.command("list")
@click.option("--limit", default=50, show_default=True, help="Rows shown.")
@click.option("--format", "output", type=OUTPUT, default="table", show_default=True)
def list_(limit: int, output: str) -> None:
    """List releases, newest first."""
    from pipelines.formats import render
    from warehouse.releases import list_releases

    with warehouse_connection() as connection:
        frame = list_releases(connection)
    shown = frame.head(limit).assign(published_at=frame["published_at"].map(shown_moment))
    shown["marts_sha256"] = shown["marts_sha256"].str[:12]
    click.echo(render(shown, output) if len(shown) else "nothing was published yet: run 'junheng refresh'")
    if len(frame) > limit:
        click.echo(f"(the newest {limit} of {len(frame)}; --limit shows more)", err=True)


@release.command()
@click.argument("number", type=int)
def show(number: int) -> None:
    """Show one release and what was decided about it."""
    from warehouse.releases import read_decisions, read_release

    with warehouse_connection() as connection:
        found, decisions = read_release(connection, number), read_decisions(connection, number)
    for name, value in found.items():
        click.echo(f"{name:<17} {shown_moment(value) if name.endswith('_at') else '' if value is None else value}")
    for row in decisions.to_dict("records"):
        why = f": {row['why']}" if row["why"] else ""
        click.echo(f"{'decided':<17} {shown_moment(row['decided_at'])} {row['action']} by {row['operator']}{why}")


@release.command()
@click.argument("one", type=int)
@click.argument("other", type=int)
def diff(one: int, other: int) -> None:
    """Say what moved between two releases and why, in words and numbers."""
    from warehouse.releases import diff_releases

    with warehouse_connection() as connection:
        found = diff_releases(connection, one, other)
    for line in diff_lines(found):
        click.echo(line)


@release.command()
@click.argument("one", type=int)
@click.argument("other", type=int)
@click.option("--indicator", required=True, metavar="CODE", help="e.g. HLT_BEDS_PER_1000.")
@click.option("--period", required=True, metavar="CODE", help="e.g. 2024, 2024-Q1, SY2024.")
@click.option("--area-type", type=click.Choice(["total", "urban", "rural"]), default="total", show_default=True)
@click.option("--all", "every", is_flag=True, help=f"Every province, not only {_SHOWN}.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, every province.")
def attribute(one: int, other: int, indicator: str, period: str, area_type: str, every: bool, as_json: bool) -> None:
    """Say which province moved CV² and Theil T between two releases: all of it revision of the same period."""
    from warehouse.attributing import attribute_releases
    from warehouse.catalogue import load_catalogue
    from warehouse.periods import parse_period

    catalogue = load_catalogue()
    found = catalogue.indicators.get(indicator)
    if found is None or not found.is_comparable:
        told = "is not compared between places" if found else "is no indicator"
        raise click.BadParameter(f"{indicator} {told}; mart.indicator lists them", param_hint="--indicator")
    older, newer = sorted((one, other))
    with warehouse_connection() as connection:
        movements = attribute_releases(connection, older, newer, catalogue, found, parse_period(period).key, area_type)
    asked = {"indicator_code": indicator, "period_code": period, "area_type": area_type, "older": older, "newer": newer}
    if as_json:
        click.echo(
            json.dumps(asked | {"movements": [asdict(each) for each in movements]}, ensure_ascii=False, indent=2)
        )
        return
    click.echo(
        f"{indicator} {found.name_zh} {period} {area_type}: release {older} to release {newer}, all of it revision"
    )
    for line in (line for each in movements for line in movement_lines(each, None if every else _SHOWN)):
        click.echo(line)


@release.command()
@click.argument("number", type=int)
def reproduce(number: int) -> None:
    """Compute a release again from the figures known then, and compare hash with hash."""
    from warehouse.catalogue import load_catalogue
    from warehouse.reproducing import reproduce as compute_again

    with warehouse_connection() as connection:
        found = compute_again(connection, number, load_catalogue())
    click.echo(f"recorded  {found.recorded_sha256}")
    click.echo(f"kept      {found.stored_sha256}")
    click.echo(
        f"computed  {found.computed_sha256 or 'not: the catalogue is another by now; the rows kept are compared'}"
    )
    for mart, indicator, period in found.differing[:20]:
        click.echo(f"differs   mart.{mart} {indicator} {period}")
    if len(found.differing) > 20:
        click.echo(f"differs   and {len(found.differing) - 20} more slices")
    click.echo(f"release {number} {'is reproduced' if found.holds else 'is NOT reproduced'}")
    sys.exit(0 if found.holds else 1)


@release.command()
@click.argument("number", type=int)
@click.option("--why", help="Why, where there is something to say: kept with your name and the time.")
def approve(number: int, why: str | None) -> None:
    """Let readers see a release that is held, or was refused or withdrawn."""
    from warehouse.catalogue import load_catalogue
    from warehouse.releases import approve as decide

    settings = Settings.load()
    with warehouse_connection(writing=True) as connection:
        decide(connection, number, settings.operator_name, why, settings.clock(), load_catalogue())
        _remember(connection, settings, "approve", number, why)
    click.echo(f"release {number} is in force, approved by {settings.operator_name}")


@release.command()
@click.argument("number", type=int)
@click.option("--why", required=True, help="Kept with your name and the time.")
def refuse(number: int, why: str) -> None:
    """Say that a held release will not be seen."""
    from warehouse.releases import refuse as decide

    settings = Settings.load()
    with warehouse_connection(writing=True) as connection:
        decide(connection, number, settings.operator_name, why, settings.clock())
        _remember(connection, settings, "refuse", number, why)
    click.echo(f"release {number} is refused by {settings.operator_name}")


@release.command()
@click.argument("number", type=int)
@click.option("--why", required=True, help="Kept with your name and the time.")
def withdraw(number: int, why: str) -> None:
    """Take back the release in force (or one under embargo); the one before is in force again."""
    from warehouse.releases import withdraw as decide

    settings = Settings.load()
    with warehouse_connection(writing=True) as connection:
        before = decide(connection, number, settings.operator_name, why, settings.clock())
        _remember(connection, settings, "withdraw", number, why)
    told = f"release {before} is in force" if before else "no release is in force"
    click.echo(f"release {number} is withdrawn by {settings.operator_name}; {told}")


def _remember(connection: Connection, settings: Settings, action: str, number: int, why: str | None) -> None:
    """Write a decision to the archive too, before the database keeps it: a rebuild repeats it."""
    from resources.archive import Decision, open_archive
    from warehouse.releases import read_release

    recorded_at = read_release(connection, number)["recorded_at"]
    decision = Decision(action, settings.operator_name, why, settings.clock(), release_recorded_at=recorded_at)
    open_archive(settings.archive_location).append_decisions([decision])


def diff_lines(found: Difference) -> Iterator[str]:
    """A difference in words and numbers, line by line."""
    yield f"From release {found.older} to release {found.newer}"
    kinds = {
        "added": "new",
        "revision": "revised",
        "withdrawn": "withdrawn (a later return no longer holds them)",
        "misread": "taken back (misread before)",
        "precision": "printed with another precision",
        "status": "with another status only",
    }
    totals = {kind: int(found.figures[kind].sum()) for kind in kinds}
    told = ", ".join(f"{totals[kind]:,} {words}" for kind, words in kinds.items() if totals[kind])
    yield f"Reported figures: {told or 'none changed'}"
    for row in found.figures.to_dict("records"):
        counts = ", ".join(f"{row[kind]:,} {words.split(' (')[0]}" for kind, words in kinds.items() if row[kind])
        yield f"  {row['indicator_code']} {row['indicator_name']}: {counts}"
    if len(found.revisions):
        yield "What was withdrawn, and the largest revisions:"
        yield from (f"  {_revision(row)}" for row in found.revisions.to_dict("records"))
    yield "Marts, by (indicator, period): " + (
        "; ".join(
            f"{row['mart']} {row['added']:,} added, {row['changed']:,} changed, {row['removed']:,} removed"
            for row in found.slices.to_dict("records")
        )
        or "none changed"
    )
    if len(found.inequality):
        yield "Inequality over the nation that moved most:"
        yield from (f"  {_moved(row)}" for row in found.inequality.to_dict("records"))


def movement_lines(found: IndexMovement, shown: int | None) -> Iterator[str]:
    """What moved an index, line by line."""
    name = {"cv_squared": "CV²", "theil_t": "Theil T"}[found.measure]
    whose = {"none": "provinces as equals", "population": "by people"}[found.weighting]
    if found.index_before is None or found.index_after is None:
        yield f"{name}, {whose}: {found.status} ({found.units_before} and {found.units_after} published provinces)"
        return
    change = found.index_after - found.index_before
    yield f"{name}, {whose}: {found.index_before:.6g} to {found.index_after:.6g} ({change:+.3g})"
    moved = [part for part in found.parts if part.contribution != 0]
    for part in moved[:shown]:
        kind = "" if part.kind == "both" else f" ({part.kind})"
        yield f"  {part.contribution:+.3g} {part.region_code} {part.region_name}{kind}"
    if shown is not None and len(moved) > shown:
        rest = sum(part.contribution for part in moved[shown:])
        yield f"  {rest:+.3g} {len(moved) - shown} more provinces (--all shows them)"


def _revision(row: dict[Any, Any]) -> str:
    where = f"{row['indicator_code']} {row['region_name']} {row['period_code']} {row['area_type']}"
    if row["kind"] != "revision":
        return f"{where}: {row['old_value']:,.6g} {row['kind']} by {row['platform']}"
    relative = row["relative_change"]
    share = f" ({relative:+.2%})" if relative == relative and relative is not None else ""
    return (
        f"{where}: {_figure(row['old_value'])} -> {_figure(row['new_value'])} {row['unit']}{share} by {row['platform']}"
    )


def _moved(row: dict[Any, Any]) -> str:
    where = f"{row['indicator_code']} {row['period_code']} {row['area_type']} {row['scope']} ({row['weighting']})"
    old, new = (_gini(row[f"{side}_gini"], row[f"{side}_status"]) for side in ("old", "new"))
    because = row["because"] or "what it rests on was computed again, or its weights moved"
    return f"{where}: Gini {old} -> {new} ({because})"


def _gini(value: float | None, status: str | None) -> str:
    if status is None:
        return "none"
    return f"{value:.4f}" if value is not None and value == value else str(status)


def _figure(value: float | None) -> str:
    return "blank" if value is None or value != value else f"{value:,.12g}"
