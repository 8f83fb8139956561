"""``junheng findings``: what the published figures say, as a document. Not here: numbers and words (:mod:`warehouse.findings`).

Exit codes: 0 done, 1 nothing is published, 2 the call was wrong.
"""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.commands.connecting import warehouse_connection


@click.command()
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file, e.g. docs/findings.md."
)
def findings(out: Path | None) -> None:
    """Say in words what the release in force shows: gaps, inequality, convergence, standards; published figures only."""
    from warehouse.catalogue import load_catalogue
    from warehouse.findings import findings_document, read_figures_in_force

    catalogue = load_catalogue()
    with warehouse_connection() as connection:
        figures = read_figures_in_force(connection, catalogue)
    text = findings_document(figures, catalogue)
    if out is None:
        click.echo(text, nl=False)
        return
    out.write_text(text, encoding="utf-8")
    click.echo(f"wrote {out}")
