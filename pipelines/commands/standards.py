"""``junheng standards``: what is in force where, and the standards that places set themselves.

Here: commands. Not here: what a standard may be (:mod:`warehouse.catalogue.consistency`), the file's format (that of
``standards.csv``). No database is needed. Exit codes: 0 done, 1 refused, 2 the call was wrong.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.settings import PREFIX, Settings, SettingsError

if TYPE_CHECKING:
    from warehouse.catalogue import Catalogue, Standard

VARIABLE = f"{PREFIX}LOCAL_STANDARDS"
DAY = click.DateTime(formats=["%Y-%m-%d"])
OUTPUT = click.Choice(["table", "csv", "json"])
_SHOWN = ("number", "for", "indicator", "area", "kind", "value", "from", "to", "document")


@click.group()
def standards() -> None:
    """Standards: national floors, targets and references, and what provinces, prefectures and counties set themselves.

    \b
    junheng standards list --region 510104     what applies to a place today
    junheng standards check FILE               hold a file of local standards against the national floors
    junheng standards set --region 510000 --indicator CODE --value 18 --from 2025-09-01 --document "…"
    """


@standards.command("list")
@click.option("--region", metavar="CODE", help="Only what is for this place: national, of places above it, its own.")
@click.option("--indicator", metavar="CODE", help="Only this indicator.")
@click.option("--day", type=DAY, help="Only what is in force on this day (YYYY-MM-DD); else today.")
@click.option("--all", "with_others", is_flag=True, help="Also what is not in force any more, or not yet.")
@click.option("--format", "output", type=OUTPUT, default="table", show_default=True)
def list_(
    region: str | None, indicator: str | None, day: datetime.datetime | None, with_others: bool, output: str
) -> None:
    """List the steps in force."""
    import pandas as pd

    from pipelines.formats import render
    from warehouse.catalogue import load_catalogue, standard_in_force

    settings = Settings.load()
    catalogue = load_catalogue(local_standards=settings.local_standards)
    if region is not None:
        _check_region(catalogue, region)
    on = day.date() if day else settings.clock().date()
    rows = [
        _shown(row, catalogue)
        for row in catalogue.standards
        if (with_others or standard_in_force(row, on))
        and indicator in (None, row.indicator_code)
        and (region is None or _is_for(row, region, catalogue))
    ]
    if rows or output != "table":
        click.echo(render(pd.DataFrame(rows, columns=list(_SHOWN)), output))
    else:
        click.echo("no standard is in force there")


@standards.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def check(file: Path) -> None:
    """Check FILE: its shape, its codes, and that no standard in it is weaker than the national floor on any day."""
    from warehouse.catalogue import add_local_standards, load_catalogue

    national = load_catalogue()
    found = len(add_local_standards(national, file).standards) - len(national.standards)
    click.echo(f"{file.name}: {found} local standards, none of them under a national floor")


@standards.command("set")
@click.option("--region", required=True, metavar="CODE", help="Province, prefecture or county that set it.")
@click.option("--indicator", required=True, metavar="CODE", help="Indicator, e.g. DIB_STANDARD.")
@click.option("--value", required=True, type=float, help="In the indicator's unit.")
@click.option("--from", "first", required=True, type=DAY, help="First day in force (YYYY-MM-DD).")
@click.option("--to", "last", type=DAY, help="Last day in force; else it is open.")
@click.option("--area", type=click.Choice(["total", "urban", "rural"]), help="Only for this area type.")
@click.option("--kind", type=click.Choice(["floor", "target"]), default="floor", show_default=True)
@click.option("--target-year", type=int, help="Year that a target is planned for.")
@click.option("--document", required=True, help="Document that sets it.")
def set_(
    region: str,
    indicator: str,
    value: float,
    first: datetime.datetime,
    last: datetime.datetime | None,
    area: str | None,
    kind: str,
    target_year: int | None,
    document: str,
) -> None:
    """Add a step to the office's file and end the one before it; nothing is written where the file would be refused."""
    from warehouse.catalogue import load_catalogue
    from warehouse.catalogue.keeping import add_step

    path = _office_file()
    catalogue = load_catalogue()
    known = catalogue.indicators.get(indicator)
    if known is None:
        raise click.BadParameter(f"{indicator!r} is no indicator", param_hint="--indicator")
    step = {
        "indicator_code": indicator,
        "area_type": area or "",
        "kind": kind,
        "is_binding": str(kind == "floor").lower(),
        "op": "<=" if known.direction == "lower" else ">=",
        "value": f"{value:.15g}",
        "valid_from": first.date().isoformat(),
        "valid_to": last.date().isoformat() if last else "",
        "target_year": str(target_year or ""),
        "region_code": region,
        "document": document,
        "certainty": "as the office set it",
    }
    made, ended = add_step(path, step, catalogue)
    click.echo(f"{path}: {made.standard_key} {region} {indicator} {made.op} {value:g} from {made.valid_from}")
    for row in ended:
        click.echo(f"  {row.standard_key} ({row.op} {row.value:g}) now ends on {row.valid_to}")
    click.echo("the next 'junheng refresh' computes with it")


def _office_file() -> Path:
    path = Settings.load().local_standards
    if path is None:
        raise SettingsError(f"nobody said where local standards are kept: set {VARIABLE} to a CSV file")
    return path


def _check_region(catalogue: Catalogue, region: str) -> None:
    if region not in {row.region_code for row in catalogue.region_rows}:
        raise click.BadParameter(f"{region!r} is no region code", param_hint="--region")


def _is_for(row: Standard, region: str, catalogue: Catalogue) -> bool:
    if row.region_code == "000000":
        return region == "000000"
    if row.region_code is not None:
        return region in catalogue.within(row.region_code)
    groups = {one.region_code: one.region_group for one in catalogue.region_rows}
    return row.region_group in (None, groups[region])


def _shown(row: Standard, catalogue: Catalogue) -> dict[str, object]:
    names = {one.region_code: one.name_zh for one in catalogue.region_rows}
    scope = f"{row.region_code} {names[row.region_code]}" if row.region_code else row.region_group or "national"
    value, ends = f"{row.op} {row.value:g}", row.valid_to.isoformat() if row.valid_to else ""
    cells = (row.standard_key, scope, row.indicator_code, row.area_type or "", row.kind, value)
    return dict(zip(_SHOWN, (*cells, row.valid_from.isoformat(), ends, row.document), strict=True))
