"""``junheng status``: what is published, how the last refresh went, what is owed. Not here: the queries."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.settings import Settings
from pipelines.summary import SHOWN_TROUBLES
from resources.database import Warehouse
from warehouse.catalogue import load_catalogue
from warehouse.migrating import require_current
from warehouse.reporting import latest_refresh_id, report_refresh


def status_lines(warehouse: Warehouse, settings: Settings, *, every_trouble: bool = False) -> Iterator[str]:
    """The state of this warehouse, line by line; starts the embedded PostgreSQL where it is not running."""
    warehouse.ensure()
    engine = warehouse.engine()
    try:
        yield f"warehouse  {warehouse.shown_url()}"
        require_current(engine)
        with engine.connect() as connection:
            refresh_id = latest_refresh_id(connection)
            if refresh_id is None:
                yield "refresh    none yet: run 'junheng refresh'"
                return
            report = report_refresh(connection, refresh_id, settings.clock().date(), load_catalogue())
    finally:
        engine.dispose()
    refresh, release = report.refresh, report.release
    yield f"refresh    {refresh['refresh_id']} {refresh['status']}, began {refresh['started_at']:%Y-%m-%d %H:%M}"
    if release is None:
        yield "release    none"
    else:
        yield (
            f"release    {release['release_id']} of {release['published_at']:%Y-%m-%d %H:%M},"
            f" {release['observations']:,} observations"
        )
    for row in report.returns.to_dict("records"):
        yield (
            f"returns    {row['sector']}: {row['due']:,} due, {row['arrived']:,} arrived, {row['late']:,} late,"
            f" {row['failed']:,} failed, {row['quarantined']:,} with cells in quarantine"
        )
    shown = len(report.troubles) if every_trouble else SHOWN_TROUBLES
    for trouble in report.troubles[:shown]:
        yield f"WARNING    {trouble}"
    if len(report.troubles) > shown:
        yield f"WARNING    and {len(report.troubles) - shown} more: junheng status --troubles lists every one"
