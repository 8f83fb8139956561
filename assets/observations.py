"""Observations: what the returns say, read, checked and loaded; one partition a province and period.

One multi-asset a form, shaped as the returns are: ``<form>_observations`` gets a materialization for each return that was
loaded and is where its checks stand, ``<form>_load`` is always there. ``core_observation`` is the fact with what is
derived from it. Not here: reading, checking, loading (the rooms returns, expectations, warehouse).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
import pandas as pd

from assets.accepting import Acceptance, accept_form
from assets.checks import ChecksResource, report_checks
from assets.context import OWNERS, current_refresh, partition_key, stage
from assets.events import log_partitions
from assets.tables import table_schema
from resources.dagster import ArchiveResource, ClockResource, PlatformsResource, WarehouseResource
from warehouse.catalogue import Form, load_catalogue
from warehouse.computing import compute_observations, count_vintages
from warehouse.periods import parse_period
from warehouse.publishing import check_counts, next_release_id
from warehouse.receipts import close_refresh, lock_writing
from warehouse.schema import observation, return_receipt

LOADED_STATES = ("loaded", "unchanged", "partly_quarantined")


def observations_key_of(form: Form) -> dg.AssetKey:
    """Asset of a form's observations: ``health_annual_observations``."""
    return dg.AssetKey(f"{form.form}_observations")


def build_observations(
    form: Form, partitions: dg.PartitionsDefinition[str], after: Sequence[Form] = ()
) -> dg.AssetsDefinition:
    """The two assets of a form's observations; the forms of ``after`` are loaded before it."""
    observations_key, load_key = observations_key_of(form), _load_key(form)

    @dg.multi_asset(
        name=f"load_{form.form}",
        specs=_specs(form, partitions, after),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def _load(
        context: dg.AssetExecutionContext,
        warehouse: WarehouseResource,
        archive: ArchiveResource,
        platforms: PlatformsResource,
        checks: ChecksResource,
        clock: ClockResource,
    ) -> Iterator[dg.MaterializeResult[None]]:
        refresh = current_refresh(context, warehouse.engine, clock)
        accepted = accept_form(
            form,
            load_catalogue(),
            archive.plain(),
            warehouse.engine,
            refresh,
            checks.process,
            clock.read,
            platforms.register,
        )
        if len(accepted.receipts):
            cells, aside = (int(accepted.receipts[name].sum()) for name in ("cells", "quarantined"))
            stage.info("%-28s %9d cells, %6d in quarantine", f"loaded {form.form}", cells, aside)
        loaded = accepted.receipts[accepted.receipts["state"].isin(LOADED_STATES)]
        log_partitions(
            context,
            observations_key,
            (
                (partition_key(row["region_code"], parse_period(row["period_code"])), _partition_metadata(row))
                for row in loaded.to_dict("records")
            ),
        )
        if accepted.outcome is not None:
            report_checks(context, accepted.outcome, observations_key)
        yield dg.MaterializeResult(load_key, metadata=_load_metadata(accepted))

    return _load


def _load_key(form: Form) -> dg.AssetKey:
    return dg.AssetKey(f"{form.form}_load")


def _specs(form: Form, partitions: dg.PartitionsDefinition[str], after: Sequence[Form]) -> list[dg.AssetSpec]:
    observations_key, load_key = observations_key_of(form), _load_key(form)
    group = f"{form.sector}_observations"
    return [
        dg.AssetSpec(
            observations_key,
            partitions_def=partitions,
            skippable=True,
            deps=[f"{form.form}_ledger", *map(_load_key, after)],
            group_name=group,
            owners=OWNERS,
            kinds={"pandas", "greatexpectations", "postgres"},
            description=f"The figures of {form.form}, typed, coded, checked and loaded. A partition is green only if its "
            "return passed the blocking checks and was loaded.",
            metadata={"dagster/column_schema": table_schema(observation)},
        ),
        dg.AssetSpec(
            load_key,
            deps=[observations_key],
            group_name=group,
            owners=OWNERS,
            kinds={"postgres"},
            description=f"What became of each delivery of {form.form}: cells = loaded + unchanged + quarantined.",
            metadata={
                "dagster/column_schema": table_schema(return_receipt),
                "dagster/table_name": "ops.return_receipt",
            },
        ),
    ]


def _partition_metadata(row: dict[Any, Any]) -> dict[str, Any]:
    names = ("state", "cells", "loaded", "unchanged", "quarantined", "sha256")
    rows = row["loaded"] + row["unchanged"]
    return {name: row[name] for name in names} | {"message": row["message"] or "", "dagster/row_count": rows}


def _load_metadata(accepted: Acceptance) -> dict[str, Any]:
    receipts = accepted.receipts
    counts = {name: int(receipts[name].sum()) for name in ("cells", "loaded", "unchanged", "quarantined")}
    aside = receipts[receipts["quarantined"] > 0]
    shown = [
        f"- {row['region_code']} {row['period_code']}: {row['quarantined']} of {row['cells']} cells, {row['message'] or ''}"
        for row in aside.head(50).to_dict("records")
    ]
    checks = accepted.outcome
    return {
        "deliveries": len(receipts),
        **counts,
        "checks_passed": len(checks.passed) if checks else 0,
        "checks_warned": len(checks.warned) if checks else 0,
        "checks_failed": len(checks.failed) if checks else 0,
        "dagster/row_count": len(receipts),
        "set_aside": dg.MetadataValue.md("\n".join(shown) or "none"),
    }


def build_core_observation(forms: Sequence[Form]) -> dg.AssetsDefinition:
    """The fact, with derived indicators and the nation brought up to what was loaded."""

    @dg.asset(
        name="core_observation",
        deps=[f"{form.form}_load" for form in forms],
        group_name="warehouse",
        owners=OWNERS,
        kinds={"postgres"},
        output_required=False,
        description="Every vintage of every figure: reported, derived and national. Skipped on a night without change.",
        metadata={"dagster/column_schema": table_schema(observation), "dagster/table_name": "core.observation"},
    )
    def _core_observation(
        context: dg.AssetExecutionContext, warehouse: WarehouseResource, clock: ClockResource
    ) -> Iterator[dg.MaterializeResult[None]]:
        refresh = current_refresh(context, warehouse.engine, clock)
        with warehouse.engine.begin() as connection:
            lock_writing(connection, refresh)
            merged = compute_observations(connection, refresh, load_catalogue())
            if merged is None:
                close_refresh(
                    connection,
                    refresh.refresh_id,
                    "unchanged" if next_release_id(connection) > 1 else "failed",  # there is nothing in force
                    clock.read(),
                    check_counts(connection, refresh.refresh_id),
                )
                return
            rows = count_vintages(connection)
        stage.info("computed derived and national figures: %d (indicator, period) pairs changed", len(merged.changed))
        yield dg.MaterializeResult(metadata=_change_metadata(merged.changed, rows))

    return _core_observation


def _change_metadata(changed: pd.DataFrame, rows: int) -> dict[str, int]:
    return {"computed_slices_changed": len(changed), "dagster/row_count": rows}
