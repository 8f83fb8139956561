"""Returns: what the platforms delivered, by form; one partition a province and period, green only if it arrived.

One multi-asset a form. ``<form>_returns`` is skippable and gets a materialization for each return that arrived;
``<form>_ledger`` beside it is always there and is what the next stage waits for, so that a platform that is down neither
hides nor stops the others. Not here: how platforms are asked (resources), what is due (warehouse.calendar).
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.checks import ChecksResource
from assets.collecting import FormCollection, calendars_of, collect_form, collected, known, plan_form
from assets.context import OWNERS, asked_partitions, current_refresh, partition_key, stage
from assets.events import log_partitions
from assets.inbox import InboxResult, record_mailed, take_in
from assets.tables import table_schema
from resources.dagster import (
    ArchiveResource,
    ClockResource,
    InboxResource,
    PlatformsResource,
    ScopeResource,
    WarehouseResource,
)
from warehouse.catalogue import Form, load_catalogue
from warehouse.periods import parse_period
from warehouse.receipts import Refresh
from warehouse.schema import arrival, return_receipt


def build_returns(form: Form, partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """The two assets of a form's returns."""
    returns_key, ledger_key = _keys(form)

    @dg.multi_asset(
        name=f"collect_{form.form}",
        specs=_specs(form, partitions),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def _collect(
        context: dg.AssetExecutionContext,
        warehouse: WarehouseResource,
        archive: ArchiveResource,
        inbox: InboxResource,
        platforms: PlatformsResource,
        checks: ChecksResource,
        clock: ClockResource,
        scope: ScopeResource,
    ) -> Iterator[dg.MaterializeResult[None]]:
        refresh = current_refresh(context, warehouse.engine, clock)
        client = platforms.client(clock.read)  # made here, so that what is fetched carries the run's one clock
        provinces = platforms.provinces_of(form, scope)
        mailed = _take_in(form, inbox, archive, warehouse, clock, refresh, scope)
        have, owed = known(warehouse.engine, form)
        plan = plan_form(
            form,
            platforms.listings(form.sector, provinces),
            have,
            clock.read().date(),
            scope.since_date,
            asked_partitions(context, form.frequency),
            owed,
            calendars_of(platforms.register, form, provinces),
        )
        if plan.offers or mailed.placed:
            checks.warm_up()
        result = collect_form(
            plan,
            client,
            archive.plain(),
            warehouse.engine,
            refresh,
            clock.read,
            platforms.threads,
            platforms.take_incidents,
        )
        for platform, reason in plan.failures.items():
            context.log.warning("%s could not be asked: %s", platform, reason)
        failed = len(result.failed) + sum(reason != "missing" for reason in plan.absent.values())
        stage.info(
            "%-28s %6d due, %6d new, %4d failed", f"collected {form.form}", len(plan.due), len(result.collected), failed
        )
        log_partitions(
            context,
            returns_key,
            (
                (partition_key(row["region_code"], parse_period(row["period_code"])), _return_metadata(row))
                for row in collected(warehouse.engine, refresh, form)
            ),
        )
        yield dg.MaterializeResult(ledger_key, metadata=_ledger_metadata(result, mailed))

    return _collect


def _take_in(
    form: Form,
    inbox: InboxResource,
    archive: ArchiveResource,
    warehouse: WarehouseResource,
    clock: ClockResource,
    refresh: Refresh,
    scope: ScopeResource,
) -> InboxResult:
    """Mailed returns of the form; none where only the archive is to be read, and none of the portal."""
    if scope.archive_only or not form.is_owed:
        return InboxResult()
    mailed = take_in(
        inbox.plain(), archive.plain(), warehouse.engine, refresh, load_catalogue(), clock.read, {form.form},
        record_unplaced=record_mailed,
    )  # fmt: skip
    for file in mailed.unplaced:
        stage.warning("inbox file %s not placed: %s", file.file_name, file.explanation)
    return mailed


def _keys(form: Form) -> tuple[dg.AssetKey, dg.AssetKey]:
    return dg.AssetKey(f"{form.form}_returns"), dg.AssetKey(f"{form.form}_ledger")


def _specs(form: Form, partitions: dg.PartitionsDefinition[str]) -> list[dg.AssetSpec]:
    returns_key, ledger_key = _keys(form)
    group = f"{form.sector}_returns"
    return [
        dg.AssetSpec(
            returns_key,
            partitions_def=partitions,
            skippable=True,
            group_name=group,
            owners=OWNERS,
            kinds={"http"},
            metadata={"dagster/column_schema": table_schema(arrival)},
            description=f"{form.name_zh}: the bytes each province delivered, in the archive. A partition is a "
            "province and a period; it is green only if that return arrived."
            if form.is_owed
            else f"{form.name_zh}: what the public portal says of each period, in the archive. It is asked only where "
            "it has an address.",
        ),
        dg.AssetSpec(
            ledger_key,
            deps=[returns_key],
            group_name=group,
            owners=OWNERS,
            kinds={"postgres"},
            description=f"What is due of {form.form}, what arrived, what is missing and what failed (ops.return_receipt).",
            metadata={
                "dagster/column_schema": table_schema(return_receipt),
                "dagster/table_name": "ops.return_receipt",
            },
        ),
    ]


def _return_metadata(row: dict[str, Any]) -> dict[str, Any]:
    facts = {name: row[name] for name in ("file_name", "bytes", "sha256", "media_type")}
    times = {name: str(row[name]) for name in ("modified_at", "fetched_at", "due_on")}
    return facts | times | {"dagster/row_count": 1}  # one return


def _ledger_metadata(result: FormCollection, mailed: InboxResult) -> dict[str, Any]:
    plan = result.plan
    missing = [key for key, reason in plan.absent.items() if reason == "missing"]
    failed = {key: reason for key, reason in plan.absent.items() if reason != "missing"} | result.failed
    shown = "\n".join(f"- {region} {period}: {reason}" for (region, period), reason in sorted(failed.items())[:50])
    overcome = "\n".join(
        f"- {each.platform}: {each.kind} {each.count} times, {each.message}" for each in result.incidents[:50]
    )
    return {
        "due": len(plan.due),
        "offered_new": len(plan.offers),
        "arrived": len(result.collected),
        "dagster/row_count": len(result.collected) + len(plan.absent) + len(result.failed),
        "mailed": len(mailed.placed),
        "unplaced": len(mailed.unplaced),
        "waiting_in_inbox": len(mailed.waiting),
        "closed": len(plan.closed),
        "overcome": sum(incident.count for incident in result.incidents),
        "missing": len(missing),
        "failed": len(failed),
        "bytes": sum(item.bytes for item in result.collected),
        "failures": dg.MetadataValue.md(shown or "none"),
        "overcome_by_platform": dg.MetadataValue.md(overcome or "none"),
    }
