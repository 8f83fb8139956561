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
from typing import TYPE_CHECKING

import click

from pipelines.commands.connecting import warehouse_connection
from pipelines.commands.moments import end_of
from pipelines.settings import Settings

if TYPE_CHECKING:
    from returns.locating import Window
    from warehouse.explanations import Explanation
    from warehouse.lineage import Source

MARTS = (
    "observation",
    "attainment",
    "urban_rural_gap",
    "inequality",
    "inequality_bounds",
    "convergence",
    "trend",
    "observation_harmonised",
    "cost_to_floor",
    "shortfall",
    "shortfall_risk",
    "change_attribution",
    "composite_index",
    "index_weight",
    "coupling",
    "resource_agglomeration",
    "peer",
    "county_balance",
    "school_resource",
)
"""Those of the warehouse room, named here so that help comes without loading it."""

_OPTIONS = {
    "region_code": "--region",
    "area_type": "--area-type",
    "scope": "--scope",
    "weighting": "--weighting",
    "floor_kind": "--floor-kind",
    "measure": "--measure",
    "part": "--part",
    "member_code": "--member",
    "resource_code": "--resource",
    "school_code": "--school",
}
_SHOWN = 10


@click.command()
@click.argument("mart", type=click.Choice([*(f"mart.{name}" for name in MARTS), *MARTS]), metavar="MART")
@click.option("--indicator", required=True, metavar="CODE", help="e.g. HLT_BEDS_PER_1000.")
@click.option("--period", required=True, metavar="CODE", help="e.g. 2024, 2024-Q1, 2024-M01-M03, SY2024.")
@click.option("--region", metavar="CODE", help="e.g. 510000; the nation (000000) unless given.")
@click.option("--area-type", type=click.Choice(["total", "urban", "rural"]), help="total unless given; a gap has none.")
@click.option(
    "--scope", help="Which places are compared: nation:province (unless given), nation:county, 510000:county."
)
@click.option(
    "--weighting", type=click.Choice(["none", "population"]), help="Places as equals (unless given), or people."
)
@click.option("--floor-kind", type=click.Choice(["floor", "target", "reference"]), help="Which standard.")
@click.option("--measure", type=click.Choice(["cv_squared", "theil_t"]), help="Which index changed.")
@click.option("--part", metavar="NAME", help="Of a change: numerator, denominator, weight, entered, left, revision …")
@click.option("--member", metavar="CODE", help="Of an index: the indicator that is weighed.")
@click.option("--resource", metavar="CODE", help="Of a county's schools: a resource, or ALL for the verdict.")
@click.option("--school", metavar="CODE", help="Of a county: the school.")
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
    floor_kind: str | None,
    measure: str | None,
    part: str | None,
    member: str | None,
    resource: str | None,
    school: str | None,
    as_of: str | None,
    every: bool,
    as_json: bool,
    page: Path | None,
) -> None:
    """Explain one row of MART: its formula with the numbers, and each figure down to the cell of its return.

    \b
    junheng explain mart.observation --indicator HLT_BEDS --period 2024 --region 510000
    junheng explain mart.inequality --indicator HLT_BEDS_PER_1000 --period 2024 --weighting population
    junheng explain mart.composite_index --indicator IDX_HEALTH --period 2024 --region 510000
    """
    from warehouse.explanations import DIMENSIONS, complete

    name = mart.removeprefix("mart.")
    values = (region, area_type, scope, weighting, floor_kind, measure, part, member, resource, school)
    given = {key: value for key, value in zip(_OPTIONS, values, strict=True) if value is not None}
    for dimension in given:
        if dimension not in DIMENSIONS[name]:
            option = _OPTIONS[dimension]
            raise click.BadOptionUsage(option, f"mart.{name} has no {option}")
    asked = complete(name, {"indicator_code": indicator, "period_code": period, **given})
    explanations = _explain(name, asked, end_of(as_of), None if every else _SHOWN)
    _show(explanations, as_json, page)


def _explain(mart: str, asked: dict[str, str], as_of: datetime.datetime | None, shown: int | None) -> list[Explanation]:
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
