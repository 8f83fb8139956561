"""Publication: the release, one statement that every reader follows. Not here: how a release is made (warehouse)."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import dagster as dg

from assets.context import OWNERS, current_refresh, stage
from assets.marts import mart_key
from assets.preparing import status_of
from assets.tables import table_schema
from resources.archive import Decision
from resources.dagster import ArchiveResource, ClockResource, PolicyResource, WarehouseResource
from warehouse.catalogue import load_catalogue
from warehouse.publishing import (
    BY_POLICY,
    MART_TABLES,
    Release,
    check_counts,
    gather_statistics,
    next_release_id,
    publish,
)
from warehouse.receipts import close_refresh, lock_writing
from warehouse.schema import release


def build_release() -> dg.AssetsDefinition:
    """The asset of the release in force."""

    @dg.asset(
        name="release",
        deps=[*(mart_key(mart) for mart in MART_TABLES), "core_observation"],
        group_name="publication",
        owners=OWNERS,
        kinds={"postgres"},
        output_required=False,
        description="The published state of all marts: numbered, immutable, hashed. Made only where something changed.",
        metadata={"dagster/column_schema": table_schema(release), "dagster/table_name": "mart.release"},
    )
    def _release(
        context: dg.AssetExecutionContext,
        warehouse: WarehouseResource,
        clock: ClockResource,
        policy: PolicyResource,
        archive: ArchiveResource,
    ) -> Iterator[dg.MaterializeResult[None]]:
        refresh = current_refresh(context, warehouse.engine, clock)
        with warehouse.engine.begin() as connection:
            lock_writing(connection, refresh)
            number = next_release_id(connection)
            moment = clock.read()
            made = publish(connection, refresh, number, moment, load_catalogue(), policy.plain())
            facts: dict[str, Any] = {}
            if made is not None:
                decision = Decision(
                    made.action, BY_POLICY, made.held_because, moment, None, None, refresh.recorded_at, made.live_at
                )
                archive.plain().append_decisions([decision])
                facts = asdict(made) | {"live_at": made.live_at.isoformat() if made.live_at else None}
            counts = check_counts(connection, refresh.refresh_id)
            close_refresh(connection, refresh.refresh_id, status_of(made), clock.read(), facts | counts)
        if made is None:
            stage.info("every figure is again what the newest release has: no release made")
            return
        if made.release_id == 1:
            with warehouse.engine.begin() as connection:
                gather_statistics(connection)
        stage.info("%s", _told(made))
        shown = {name: value for name, value in facts.items() if value is not None}
        yield dg.MaterializeResult(metadata={**shown, **counts, "dagster/row_count": made.observations})

    return _release


def _told(made: Release) -> str:
    """What became of a release, in a line."""
    if made.held_because:
        return f"release {made.release_id} is held: {made.held_because}; junheng release approve {made.release_id}"
    if made.action == "embargo":
        return f"release {made.release_id} goes live at {made.live_at}"
    return f"published release {made.release_id}"
