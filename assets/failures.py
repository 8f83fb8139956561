"""What a failing stage does to its refresh, whoever launched the run: it is recorded as failed at once.

Without it a run of the schedule that failed would stay ``running`` in ``ops.refresh`` until the next night. A process that is
killed runs no hook: the next refresh records it as incomplete. Not here: alerts.
"""

import dagster as dg

from resources.dagster import ClockResource, WarehouseResource
from warehouse.receipts import fail_refresh


@dg.failure_hook(required_resource_keys={"warehouse", "clock"})
def record_failure(context: dg.HookContext) -> None:
    """Close the refresh of the run as failed."""
    warehouse: WarehouseResource = context.resources.warehouse
    clock: ClockResource = context.resources.clock
    with warehouse.engine.begin() as connection:
        fail_refresh(connection, context.run_id, clock.read())
