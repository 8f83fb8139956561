"""``junheng layout``: help for whoever describes a table: draft a layout, hold a file against one, list them all.

Here: commands. Not here: the layouts and what is told of them (returns.layouts). No database is needed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.commands.printing import printable

if TYPE_CHECKING:
    from returns.carriers import Grid
    from returns.layouts import Layout
    from returns.layouts.comparing import Comparison

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def layout() -> None:
    """Layouts: where the figures stand in a return, as data.

    \b
    junheng layout list                     every layout
    junheng layout new FILE > one.yaml      a first draft for a file that none fits
    junheng layout diff FILE                what a file has and a layout does not, and the other way round
    junheng read FILE --layout one          what would be read
    """


@layout.command("list")
def list_() -> None:
    """List the layouts: name, version, carriers, forms, validity."""
    from returns.layouts import load_layouts

    for one in load_layouts():
        forms = ", ".join(one.forms) or "no form: " + one.description
        span = f"{one.valid_from or '…'} to {one.valid_to or '…'}" if one.valid_from or one.valid_to else "always"
        click.echo(f"{one.label:<30} {', '.join(one.carriers):<22} {one.columns:<7} {span:<24} {forms}")


@layout.command()
@click.argument("file", type=FILE)
@click.option("--name", default="draft", show_default=True, help="Name of the layout.")
def new(file: Path, name: str) -> None:
    """Draft a layout for FILE, on standard output; comments at its end say what a person must decide."""
    from returns.layouts.drafting import NoTableFound, draft_layout
    from warehouse.catalogue import load_catalogue

    try:
        click.echo(draft_layout(_grid(file), name, load_catalogue()), nl=False)
    except NoTableFound as error:
        raise click.ClickException(f"{file.name}: {error}") from error


@layout.command()
@click.argument("file", type=FILE)
@click.option("--layout", "name", help="Only this layout; else every one for such a file whose anchor it has.")
@click.option("--against", type=FILE, help="An older file of the same table.")
@click.option("--form", default="", help="The form it answers, e.g. health_annual; else what its title says.")
@click.option("--period", default="", metavar="CODE", help="Its period; else what its title says.")
def diff(file: Path, name: str | None, against: Path | None, form: str, period: str) -> None:
    """Hold FILE's headers against the layouts: added, dropped and moved columns, and what to do.

    Exit code 1 where a column is added or dropped.
    """
    from returns.identifying import Identity, identify
    from returns.layouts import load_layouts
    from returns.layouts.comparing import compare_headers
    from returns.layouts.matching import Expected
    from warehouse.catalogue import load_catalogue

    catalogue, grid = load_catalogue(), _grid(file)
    chosen = [one for one in load_layouts() if grid.carrier in one.carriers and name in (None, one.layout)]
    if not chosen:
        raise click.ClickException(f"no layout {name or ''} is for a file that is {grid.carrier}")
    found = identify(file.read_bytes(), file.name, catalogue)
    said = found if isinstance(found, Identity) else Identity("", "", "")
    older = _grid(against) if against else None
    differing = seen = 0
    for one in chosen:
        own_form = (
            form or (said.form if said.form in one.forms else "") or (one.forms[0] if len(one.forms) == 1 else "")
        )
        expected = Expected(own_form, "", period or said.period_code, file.name)
        comparison = compare_headers(grid, one, catalogue, expected, older)
        if comparison is not None:
            seen += 1
            differing += _show(comparison)
    if not seen:
        anchors = "; ".join(f"{one.layout}: {' and '.join(one.anchor.texts().values())}" for one in chosen)
        raise click.ClickException(f"no row of {file.name} holds the anchor texts of a layout ({anchors})")
    if differing:
        raise SystemExit(1)


def _show(comparison: Comparison) -> bool:
    """Print one comparison; whether the layout or the file must change."""
    one: Layout = comparison.layout
    click.echo(f"{one.label}: {comparison.known} columns known")
    for added in comparison.added:
        like = (
            ", ".join(f"{code} ({title})" for code, title in added.proposals)
            or "nothing in the catalogue sounds like it"
        )
        click.echo(f"  added    {added.address}: {printable(added.text)}   like {like}")
    for dropped in comparison.dropped:
        click.echo(f"  dropped  {dropped.name} ({dropped.indicator_code}) {dropped.area}".rstrip())
    for moved in comparison.moved:
        click.echo(f"  moved    {moved.address}: {printable(moved.text)} was column {moved.before}, is {moved.now}")
    if comparison.moved and not (comparison.added or comparison.dropped):
        click.echo("  nothing to do: columns are read by their headers")
    if comparison.aliases:
        click.echo("  to take the nearest names (judge them first), add to the layout:")
        click.echo("    aliases:")
        for text, code in comparison.aliases.items():
            click.echo(f"      {text}: {code}")
    return bool(comparison.added or comparison.dropped)


def _grid(file: Path) -> Grid:
    from returns.carriers import Grid, read_grid

    found = read_grid(file.read_bytes(), file_name=file.name)
    if not isinstance(found, Grid):
        raise click.ClickException(f"{file.name}: {found.explanation}")
    return found
