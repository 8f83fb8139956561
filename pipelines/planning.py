"""What a refresh would fetch, without fetching it (``junheng refresh --dry-run``). Not here: fetching."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assets.collecting import calendars_of, known, plan_form
from pipelines.foresight import plain_platforms
from pipelines.settings import Settings
from resources.dagster import ScopeResource
from resources.database import Warehouse
from warehouse.catalogue import load_catalogue
from warehouse.migrating import current_revision


def plan_lines(
    settings: Settings, warehouse: Warehouse, sectors: Sequence[str], provinces: Sequence[str], since: str | None
) -> Iterator[str]:
    """One line a form: due, new, missing, failed; then the platforms that could not be asked."""
    catalogue = load_catalogue()
    first_day = since or (settings.since.isoformat() if settings.since else None)
    scope = ScopeResource(sectors=list(sectors), provinces=list(provinces), since=first_day)
    platforms = plain_platforms(settings)
    engine = warehouse.engine()
    failures: dict[str, str] = {}
    try:
        with engine.connect() as connection:
            is_empty = current_revision(connection) is None
        for form in catalogue.all_forms.values():
            listings = platforms.listings(form.sector, platforms.provinces_of(form, scope))
            if not (listings or form.is_owed):
                continue
            have, owed = ({}, set()) if is_empty else known(engine, form)
            plan = plan_form(
                form,
                listings,
                have,
                settings.clock().date(),
                scope.since_date,
                owed=owed,
                calendars=calendars_of(platforms.register, form, listings),
            )
            failures |= plan.failures
            yield (
                f"{form.form:<24} {len(plan.due):>6,} due, {len(plan.offers):>6,} to fetch,"
                f" {sum(reason == 'missing' for reason in plan.absent.values()):>4,} missing"
            )
    finally:
        platforms.close()
        engine.dispose()
    for platform, reason in failures.items():
        yield f"WARNING  {platform}: {reason}"
