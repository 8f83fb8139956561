"""Publication: the release, one statement that every reader follows. Not here: how a release is made (warehouse)."""

from collections.abc import Iterator
from dataclasses import asdict

import dagster as dg

from assets.context import OWNERS, current_refresh, stage
from assets.marts import mart_key
from assets.tables import table_schema
from resources.dagster import ClockResource, WarehouseResource
from warehouse.catalogue import load_catalogue
from warehouse.publishing import MART_TABLES, check_counts, next_release_id, publish
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
        context: dg.AssetExecutionContext, warehouse: WarehouseResource, clock: ClockResource
    ) -> Iterator[dg.MaterializeResult[None]]:
        refresh = current_refresh(context, warehouse.engine, clock)
        with warehouse.engine.begin() as connection:
            lock_writing(connection, refresh)
            number = next_release_id(connection)
            made = publish(connection, refresh, number, clock.read(), load_catalogue())
            counts = check_counts(connection, refresh.refresh_id)
            status = "published" if made else "unchanged"
            told = asdict(made) if made else {}
            close_refresh(connection, refresh.refresh_id, status, clock.read(), told | counts)
        if made is None:
            stage.info("every figure is again what the release in force has: no release made")
            return
        stage.info("published release %d", made.release_id)
        yield dg.MaterializeResult(metadata={**told, **counts, "dagster/row_count": made.observations})

    return _release
