"""``junheng explain``: where a published number comes from, down to the cell of an archived return.

Here: the command. Not here: finding out (:mod:`warehouse.explanations`), showing (:mod:`pipelines.explaining`).
Exit codes: 0 done, 1 there is no such row (the message says what there is), 2 the call was wrong.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.commands.connecting import warehouse_connection
from pipelines.commands.moments import end_of
from pipelines.settings import Settings

if TYPE_CHECKING:
    from returns.locating import Window
    from warehouse.explanations import Explanation
    from warehouse.lineage import Source

MARTS = ("observation", "attainment", "urban_rural_gap", "inequality")
_DEFAULTS = {
    "region_code": ("--region", "000000"),
    "area_type": ("--area-type", "total"),
    "scope": ("--scope", "nation:province"),
    "weighting": ("--weighting", "none"),
}
_SHOWN = 10


@click.command()
@click.argument("mart", type=click.Choice([*(f"mart.{name}" for name in MARTS), *MARTS]), metavar="MART")
@click.option("--indicator", required=True, metavar="CODE", help="e.g. HLT_BEDS_PER_1000.")
@click.option("--period", required=True, metavar="CODE", help="e.g. 2024, 2024-Q1, 2024-M01-M03, SY2024.")
@click.option("--region", metavar="CODE", help="e.g. 510000; the nation (000000) unless given.")
@click.option("--area-type", type=click.Choice(["total", "urban", "rural"]), help="total unless given; a gap has none.")
@click.option("--scope", help="Of an inequality: nation:province (unless given), nation:county, 510000:county.")
@click.option("--weighting", type=click.Choice(["none", "population"]), help="Of an inequality; none unless given.")
@click.option("--as-of", metavar="DATE", help="As readers saw it at the end of this day (2026-03-01), or at a moment.")
@click.option("--all", "every", is_flag=True, help=f"Every figure it rests on, not only {_SHOWN} of many.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--html", "page", type=click.Path(dir_okay=False, path_type=Path), help="As a page with the cells shown.")
def explain(
    mart: str,
    indicator: str,
    period: str,
    region: str | None,
    area_type: str | None,
    scope: str | None,
    weighting: str | None,
    as_of: str | None,
    every: bool,
    as_json: bool,
    page: Path | None,
) -> None:
    """Explain one row of MART: its formula with the numbers, and each figure down to the cell of its return.

    \b
    junheng explain mart.observation --indicator HLT_BEDS --period 2024 --region 510000
    junheng explain mart.inequality --indicator HLT_BEDS_PER_1000 --period 2024 --weighting population
    """
    from warehouse.explanations import DIMENSIONS

    name: Any = mart.removeprefix("mart.")
    given = {"region_code": region, "area_type": area_type, "scope": scope, "weighting": weighting}
    asked = {"indicator_code": indicator, "period_code": period}
    for dimension, value in given.items():
        option, default = _DEFAULTS[dimension]
        if dimension in DIMENSIONS[name]:
            asked[dimension] = default if value is None else value
        elif value is not None:
            raise click.BadOptionUsage(option, f"mart.{name} has no {option}")
    explanations = _explain(name, asked, end_of(as_of), None if every else _SHOWN)
    _show(explanations, as_json, page)


def _explain(mart: Any, asked: dict[str, str], as_of: datetime.datetime | None, shown: int | None) -> list[Explanation]:
    from warehouse.explanations import explain as explain_rows
    from warehouse.periods import parse_period
    from warehouse.publishing import see_as_of

    parse_period(asked["period_code"])
    with warehouse_connection() as connection:
        if as_of is not None:
            see_as_of(connection, as_of)
        return explain_rows(connection, mart, asked, shown)


def _show(explanations: list[Explanation], as_json: bool, page: Path | None) -> None:
    from pipelines.explaining import as_data, text_lines

    if page is not None:
        from pipelines.explaining_html import render_page

        page.write_text(render_page(explanations, _window_finder()), encoding="utf-8")
        click.echo(f"written to {page}", err=as_json)
    if as_json:
        click.echo(json.dumps(as_data(explanations), ensure_ascii=False, indent=2))
    elif page is None:
        for line in (line for explanation in explanations for line in text_lines(explanation)):
            click.echo(line)


def _window_finder() -> Callable[[Source, str], Window | None]:
    """Opens archived returns as a night does, each once."""
    from resources.archive import open_archive
    from resources.platforms.register import load_register
    from returns.carriers import Grid, read_grid
    from returns.locating import find_window

    archive, register = open_archive(Settings.load().archive_location), load_register()

    @lru_cache(maxsize=8)
    def open_grid(sha256: str, encoding: str | None) -> Grid | None:
        found = read_grid(archive.get(sha256), encoding=encoding)
        return found if isinstance(found, Grid) else None

    def find(source: Source, address: str) -> Window | None:
        province, _, sector = source.platform.partition("/")
        grid = open_grid(source.sha256, register.platform(province, sector).access.encoding)
        return find_window(grid, address) if grid is not None else None

    return find
