"""The code location: every asset, job, schedule and resource of Junheng, assembled in one place.

``workspace.yaml`` points here. From here to any room: ``assets/`` says what exists, ``resources/`` the outside world,
``pipelines/partitions.py`` the partitions, ``warehouse/catalogue/`` the forms. Not here: behaviour.
"""

from __future__ import annotations

import dagster as dg

from assets.checks import ChecksResource, build_checks
from assets.failures import record_failure
from assets.marts import build_marts, mart_key
from assets.observations import build_core_observation, build_observations, observations_key_of
from assets.publication import build_release
from assets.returns import build_returns
from pipelines.partitions import TIMEZONE, province_periods
from pipelines.sensors import build_inbox_sensor
from pipelines.settings import Settings
from resources.dagster import (
    ArchiveResource,
    ClockResource,
    InboxResource,
    PlatformsResource,
    PolicyResource,
    ScopeResource,
    WarehouseResource,
)
from resources.inbox import Inbox
from resources.platforms.register import PORTAL, load_register
from warehouse.catalogue import Form, load_catalogue, use_local_standards
from warehouse.publishing import MART_TABLES

NIGHTLY = "nightly_refresh"


def build_definitions(settings: Settings) -> dg.Definitions:
    """Everything, for these settings; tests give their own."""
    use_local_standards(settings.local_standards)
    with_portal = is_portal_there(settings)
    assets, resources = build_assets(with_portal=with_portal), build_resources(settings)
    job = build_nightly_job(assets, resources)
    schedule = dg.ScheduleDefinition(
        job=job,
        cron_schedule="0 2 * * *",
        execution_timezone=TIMEZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every night at two.",
    )
    return dg.Definitions(
        assets=assets,
        asset_checks=build_asset_checks(with_portal=with_portal),
        jobs=[job],
        schedules=[schedule],
        sensors=[build_inbox_sensor(job, Inbox(settings.inbox_folder))],
        resources=resources,
        executor=dg.in_process_executor,
    )


def build_nightly_job(assets: list[dg.AssetsDefinition], resources: dict[str, object]) -> dg.JobDefinition:
    """One job over all assets, launched without partitions: the stages find out what is due.

    ``define_asset_job`` refuses assets of different partitions (docs/decisions/0003); what Dagster builds its own
    implicit job with does not, so that is called here. A private call, in this one place, with a test.
    """
    from dagster._core.definitions.assets.job.asset_job import build_asset_job

    return build_asset_job(
        NIGHTLY,
        asset_graph=dg.Definitions(assets=assets, resources=resources).resolve_asset_graph(),
        allow_different_partitions_defs=True,
        resource_defs=resources,
        executor_def=dg.in_process_executor,
        hooks={record_failure},
        description="From platforms to release: finds by itself what is due, open or revised; one run for all of it.",
    )


def is_portal_there(settings: Settings) -> bool:
    """Whether the public portal has an address; without one it has no assets, and costs a night nothing."""
    return load_register(portal_url=settings.portal_url).platform(*PORTAL).address(settings.platform_url) is not None


def build_assets(*, with_portal: bool = True) -> list[dg.AssetsDefinition]:
    """Assets by stage, in the order of the data."""
    catalogue = load_catalogue()
    owed, forms = list(catalogue.forms.values()), _forms(with_portal)
    partitions = {
        form.form: province_periods(form.frequency, catalogue.provinces if form.is_owed else [PORTAL[0]])
        for form in forms
    }
    return [
        *(build_returns(form, partitions[form.form]) for form in forms),
        # The portal yields to the provinces' own returns, so it is loaded after them.
        *(build_observations(form, partitions[form.form], () if form.is_owed else owed) for form in forms),
        build_core_observation(forms),
        build_marts(),
        build_release(),
    ]


def _forms(with_portal: bool) -> list[Form]:
    catalogue = load_catalogue()
    return list((catalogue.all_forms if with_portal else catalogue.forms).values())


def build_asset_checks(*, with_portal: bool = True) -> list[dg.AssetChecksDefinition]:
    """The checks of returns by form and of marts, as they are shown on their assets."""
    return [
        *(build_checks(form.sector, observations_key_of(form), form.form) for form in _forms(with_portal)),
        *(build_checks(f"marts.{mart}", mart_key(mart), mart) for mart in MART_TABLES),
    ]


def build_resources(settings: Settings) -> dict[str, object]:
    """Resources for these settings; what is secret stays a name of an environment variable."""

    def secret(name: str, given: object) -> dg.EnvVar | None:
        return dg.EnvVar(f"JUNHENG_{name}") if given is not None else None

    return {
        "warehouse": WarehouseResource(
            home=str(settings.home),
            url=secret("WAREHOUSE_URL", settings.warehouse_url),
            dagster_url=secret("DAGSTER_URL", settings.dagster_url),
        ),
        "archive": ArchiveResource(location=settings.archive_location),
        "inbox": InboxResource(folder=str(settings.inbox_folder)),
        "platforms": PlatformsResource(
            url_template=settings.platform_url,
            portal_url=settings.portal_url,
            client_id=settings.client_id,
            client_secret=secret("CLIENT_SECRET", settings.client_secret),
            threads=settings.threads,
        ),
        "checks": ChecksResource(),
        "clock": ClockResource(now=settings.now.isoformat() if settings.now else None),
        "policy": PolicyResource(
            needs_approval=settings.release_policy == "approval",
            embargo_time=settings.embargo_time.isoformat() if settings.release_policy == "embargo" else None,
        ),
        "scope": ScopeResource(since=settings.since.isoformat() if settings.since else None),
    }


defs = build_definitions(Settings.load())
