"""``junheng read FILE``: what would be read of a file, cell by cell, without loading anything.

Here: the command and how a reading is shown. Not here: reading (returns). No database is needed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pandas as pd

from pipelines.commands.printing import printable

if TYPE_CHECKING:
    from returns import ReadResult
    from warehouse.catalogue import Catalogue

_ARRIVAL = 1


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--layout", "layouts", multiple=True, help="Only this layout (may be repeated); else the one that fits best."
)
@click.option(
    "--layout-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A layout that is being written, such as a draft of 'junheng layout new'.",
)
@click.option("--form", default="", help="The form it should be, e.g. health_annual; else what the file says.")
@click.option("--province", default="", metavar="CODE", help="The province it should be of; else what the file says.")
@click.option(
    "--period", default="", metavar="CODE", help="The period it should be of, e.g. 2024-Q1; else what the file says."
)
@click.option("--encoding", help="Of a text that does not tell, e.g. gb18030.")
@click.option("--rejects", is_flag=True, help="Show only what could not be used.")
@click.option("--limit", default=40, show_default=True, help="Cells shown.")
@click.option("--format", "output", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
def read(
    file: Path,
    layouts: tuple[str, ...],
    layout_file: Path | None,
    form: str,
    province: str,
    period: str,
    encoding: str | None,
    rejects: bool,
    limit: int,
    output: str,
) -> None:
    """Show what Junheng reads in FILE: each cell with its address, its meaning, and why a cell cannot be used.

    Nothing is loaded or archived. Exit code 1 where the file as a whole cannot be read.
    """
    from pipelines.formats import render
    from returns import Arrival, read_returns
    from returns.layouts import load_layouts, read_layout
    from warehouse.catalogue import load_catalogue

    content = file.read_bytes()
    catalogue = load_catalogue()
    _check("--province", province, catalogue.provinces, "510000")
    _check("--form", form, catalogue.forms, "health_annual")
    for name in layouts:
        _check("--layout", name, {layout.layout for layout in load_layouts()}, "health_table")
    arrival = Arrival(
        arrival_id=_ARRIVAL,
        platform=f"{province or '000000'}/file",
        sector=catalogue.forms[form].sector if form in catalogue.forms else "",
        form=form,
        region_code=province,
        period_code=period,
        sha256=hashlib.sha256(content).hexdigest(),
        file_name=file.name,
        media_type="",
        layouts=layouts,
        encoding=encoding,
    )
    drafts = [read_layout(layout_file)] if layout_file else None
    result = read_returns([arrival], lambda _: content, catalogue, drafts)
    verdict = result.verdicts.iloc[0]
    is_rejected = pd.notna(verdict["problem"])
    if output == "table":
        for line in _headlines(result):
            click.echo(line)
    if not is_rejected:
        frame = _rejected(result) if rejects else _meanings(result, catalogue)
        if output == "table":
            click.echo(render(frame.head(limit), output))
            if len(frame) > limit:
                click.echo(
                    f"(the first {limit} of {len(frame):,}; --limit shows more, --rejects what could not be used)"
                )
        else:
            click.echo(render(frame, output))
    if is_rejected:
        raise click.ClickException(f"{verdict['problem']}: {verdict['explanation']}")


def _check(option: str, given: str, known: Collection[str], example: str) -> None:
    """A wrong name is a wrong call, not a file that cannot be read."""
    if given and given not in known:
        raise click.BadParameter(f"{given!r} is none, write e.g. {example}", param_hint=option)


def _headlines(result: ReadResult) -> Iterator[str]:
    verdict = result.verdicts.iloc[0]
    if pd.notna(verdict["problem"]):
        return
    yield (
        f"Read by {verdict['layout']}: {verdict['cells']:,} cells = {len(result.observations):,} observations +"
        f"{_of_schools(result)} {len(result.quarantined):,} quarantined + {verdict['duplicates']:,} repeats"
    )
    for reason, count in result.quarantined["reason"].value_counts().items():
        first = result.quarantined[result.quarantined["reason"] == reason].iloc[0]
        yield f"  {reason}: {count:,}, first {first['address']}: {printable(first['explanation'], 160)}"


def _of_schools(result: ReadResult) -> str:
    return f" {len(result.roster):,} figures of schools +" if len(result.roster) else ""


def _schools(result: ReadResult, catalogue: Catalogue) -> pd.DataFrame:
    """Figures of schools: the resource stands for the indicator, stage and school for the area."""
    seen, lines = result.roster, {line.resource_code: line for line in catalogue.school_lines}
    return pd.DataFrame(
        {
            "address": seen["address"],
            "text": seen["raw_text"].map(printable),
            "indicator": seen["item"],
            "name": [lines[item].amount_zh if item in lines else "在校生数" for item in seen["item"]],
            "region": seen["region_code"],
            "period": seen["period_code"],
            "area": seen["stage"] + " " + seen["school_code"].map(printable),
            "value": seen["value"],
            "unit": [lines[item].amount_unit if item in lines else "person" for item in seen["item"]],
            "status": seen["obs_status"].astype(str),
        }
    )


def _meanings(result: ReadResult, catalogue: Catalogue) -> pd.DataFrame:
    """What was read with names, in the order of the file: observations, then schools."""
    own = _figures(result, catalogue)
    return pd.concat([own, _schools(result, catalogue)], ignore_index=True) if len(result.roster) else own


def _figures(result: ReadResult, catalogue: Catalogue) -> pd.DataFrame:
    seen = result.observations
    names = {code: indicator.name_zh for code, indicator in catalogue.indicators.items()}
    units = {code: indicator.unit for code, indicator in catalogue.indicators.items()}
    codes = seen["indicator_code"].astype(str)
    return pd.DataFrame(
        {
            "address": seen["address"],
            "text": seen["raw_text"].map(printable),
            "indicator": codes,
            "name": codes.map(names),
            "region": seen["region_code"].astype(str),
            "period": seen["period_code"].astype(str),
            "area": seen["area_type"].astype(str),
            "value": seen["value"],
            "unit": codes.map(units),
            "status": seen["obs_status"].astype(str),
        }
    )


def _rejected(result: ReadResult) -> pd.DataFrame:
    columns = ["address", "raw_text", "reason", "explanation", "explanation_zh"]
    frame = result.quarantined[columns].copy()
    for column in ("raw_text", "explanation", "explanation_zh"):
        frame[column] = frame[column].map(printable)
    return frame
