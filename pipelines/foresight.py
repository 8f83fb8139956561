"""Asking the platforms while Dagster is still being imported: a second of a night's ten.

Here: what a command can find out before its run begins, handed to the run's resources: the listings, and a checks process
that is started at once where something is new (it imports Great Expectations for four seconds). A run that was not looked
ahead for, such as the daemon's, does the same by itself a little later. Not here: collecting.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from assets.checks import start_early
from assets.collecting import calendars_of, known, plan_form
from pipelines.settings import Settings
from resources.dagster import PlatformsResource, ScopeResource, hand_over_listings
from resources.database import Warehouse
from warehouse.catalogue import load_catalogue


def look_ahead(
    settings: Settings, warehouse: Warehouse, sectors: Sequence[str], provinces: Sequence[str], since: str | None
) -> None:
    """List what the platforms offer and start the checks process where any of it is new."""
    catalogue = load_catalogue()
    scope = ScopeResource(sectors=list(sectors), provinces=list(provinces), since=since or _iso(settings))
    platforms = plain_platforms(settings)
    engine = warehouse.engine()
    try:
        with engine.connect() as connection:
            is_empty = connection.scalar(sa.text("SELECT to_regclass('ops.return_receipt')")) is None
        if is_empty:
            start_early()
        for form in catalogue.all_forms.values():
            listings = platforms.listings(form.sector, platforms.provinces_of(form, scope))
            if listings and not is_empty:
                have, owed = known(engine, form)
                plan = plan_form(
                    form,
                    listings,
                    have,
                    settings.clock().date(),
                    scope.since_date,
                    owed=owed,
                    calendars=calendars_of(platforms.register, form, listings),
                )
                if plan.offers:
                    start_early()
        hand_over_listings(platforms)
    finally:
        platforms.close()
        engine.dispose()


def plain_platforms(settings: Settings) -> PlatformsResource:
    """The platforms' resource for use outside a run, its secret resolved."""
    return PlatformsResource(
        url_template=settings.platform_url,
        portal_url=settings.portal_url,
        client_id=settings.client_id,
        client_secret=settings.client_secret.get_secret_value() if settings.client_secret else None,
        threads=settings.threads,
    )


def _iso(settings: Settings) -> str | None:
    return settings.since.isoformat() if settings.since else None
