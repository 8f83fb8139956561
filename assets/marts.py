"""Marts: the metrics of the changed slices, computed and checked for the coming release; nobody sees them yet.

One multi-asset for all marts (cheaper than a step each). A broken blocking check stops the release. Not here: formulas.
"""

from collections.abc import Iterator

import dagster as dg
import pandas as pd

from assets.checks import ChecksResource, report_checks
from assets.context import OWNERS, current_refresh, stage
from assets.preparing import prepare_marts
from assets.tables import table_schema
from resources.dagster import ClockResource, WarehouseResource
from warehouse.catalogue import load_catalogue
from warehouse.marts.registry import MARTS


def mart_key(mart: str) -> dg.AssetKey:
    """Asset of a mart: ``mart_inequality``."""
    return dg.AssetKey(f"mart_{mart}")


def build_marts() -> dg.AssetsDefinition:
    """The assets of the marts with their checks."""

    @dg.multi_asset(
        name="compute_marts",
        specs=[
            dg.AssetSpec(
                mart_key(mart.name),
                deps=["core_observation"],
                group_name="marts",
                owners=OWNERS,
                kinds={"pandas", "postgres"},
                description=mart.description,
                metadata={"dagster/column_schema": table_schema(mart.table), "dagster/table_name": f"mart.{mart.name}"},
            )
            for mart in MARTS.values()
        ],
    )
    def _compute_marts(
        context: dg.AssetExecutionContext, warehouse: WarehouseResource, checks: ChecksResource, clock: ClockResource
    ) -> Iterator[dg.MaterializeResult[None]]:
        refresh = current_refresh(context, warehouse.engine, clock)
        prepared = prepare_marts(warehouse.engine, refresh, checks.process, load_catalogue(), clock.read)
        frames, outcomes = prepared.frames, prepared.outcomes
        stage.info("computed marts: %s", ", ".join(f"{mart} {len(frame):,} rows" for mart, frame in frames.items()))
        for mart, outcome in outcomes.items():
            report_checks(context, outcome, mart_key(mart))
        if prepared.broken:
            told = "; ".join(prepared.broken)
            raise dg.Failure(f"marts are not fit to publish, the release in force stays: {told}", allow_retries=False)
        for mart, frame in frames.items():
            yield dg.MaterializeResult(mart_key(mart), metadata=_mart_metadata(frame))

    return _compute_marts


def _mart_metadata(frame: pd.DataFrame) -> dict[str, int]:
    """Rows and slices that were computed; of figures on today's map also how many stand how (unmapped, merged …)."""
    slices = frame.groupby(["indicator_key", "period_key"]).ngroups if len(frame) else 0
    ways = frame["map_status"].value_counts().to_dict() if "map_status" in frame else {}
    return {"dagster/row_count": len(frame), "slices": slices, **{str(way): int(count) for way, count in ways.items()}}
