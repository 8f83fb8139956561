"""``junheng rebuild``: an empty warehouse from the archive alone. Not here: how (:mod:`assets.rebuilding`)."""

from __future__ import annotations

import click

from pipelines.commands.db import open_warehouse
from pipelines.settings import Settings


@click.command()
@click.option(
    "--from-archive", "from_archive", is_flag=True, required=True, help="Where from: there is no other source."
)
def rebuild(from_archive: bool) -> None:
    """Build an empty warehouse from the archive: the same vintages, marts and releases, no platform asked.

    Name the archive (JUNHENG_ARCHIVE) and an empty warehouse (JUNHENG_HOME or JUNHENG_WAREHOUSE_URL).
    """
    from assets.rebuilding import rebuild as build_again
    from expectations import ChecksProcess
    from pipelines.progress import showing_progress
    from pipelines.running import only_refresh
    from resources.archive import open_archive
    from resources.platforms import load_register
    from warehouse.catalogue import load_catalogue
    from warehouse.migrating import migrate
    from warehouse.reporting import release_in_force

    settings = Settings.load()
    checks = ChecksProcess()
    with only_refresh(settings.home), showing_progress(settings.home, settings.log_level):
        engine = open_warehouse().ensure().engine()
        try:
            migrate(engine)
            built = build_again(
                engine, open_archive(settings.archive_location), checks, load_catalogue(), load_register()
            )
            with engine.connect() as connection:
                release = release_in_force(connection)
        finally:
            checks.close()
            engine.dispose()
    click.echo(
        f"built {built.refreshes:,} refreshes, {built.deliveries:,} deliveries, {built.releases:,} releases;"
        f" {built.decisions:,} decisions repeated"
    )
    if release is None:
        click.echo("no release is in force")
    else:
        click.echo(f"release {release['release_id']} is in force, marts sha256 {release['marts_sha256']}")
