"""What a command says after a refresh, and the exit code it ends with. Not here: the wording (summary), the queries."""

from __future__ import annotations

import click

from pipelines.running import Outcome
from pipelines.settings import Settings
from pipelines.summary import summary_lines
from resources.database import Warehouse
from warehouse.catalogue import load_catalogue
from warehouse.reporting import is_everything_failed, report_refresh


def tell(settings: Settings, warehouse: Warehouse, outcome: Outcome, seconds: float | None = None) -> int:
    """Print errors and summary; the exit code is 1 only where nothing could be published."""
    for error in outcome.errors:
        click.echo(f"ERROR    {error}", err=True)
    if outcome.refresh_id is None:
        return 1
    engine = warehouse.engine()
    try:
        with engine.connect() as connection:
            report = report_refresh(connection, outcome.refresh_id, settings.clock().date(), load_catalogue())
    finally:
        engine.dispose()
    for line in summary_lines(report, seconds, warehouse.bi_url()):
        click.echo(line)
    is_made = report.release is not None or report.prepared is not None
    return 0 if outcome.success and is_made and not is_everything_failed(report) else 1
