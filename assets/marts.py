"""Marts: the metrics of the changed slices, computed and checked for the coming release; nobody sees them yet.

One multi-asset for all marts (cheaper than a step each). A broken blocking check stops the release. Not here: formulas.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import dagster as dg
import pandas as pd

from assets.checks import ChecksResource, report_checks
from assets.context import OWNERS, current_refresh, stage
from assets.tables import table_schema
from expectations import ChecksProcess, SuiteOutcome
from expectations.bridge import check_result_rows
from resources.dagster import ClockResource, WarehouseResource
from warehouse.catalogue import Catalogue, load_catalogue
from warehouse.checking import record_checks
from warehouse.coding import to_codes
from warehouse.computing import compute_marts
from warehouse.publishing import MART_TABLES, digest_slices, discard_unpublished, next_release_id, nominate, write_mart
from warehouse.receipts import lock_writing

DESCRIPTIONS = {
    "attainment": "Each figure against the floors, targets and references in force.",
    "urban_rural_gap": "Town against country: ratio, difference, and which side is worse off.",
    "inequality": "CV, Gini and Theil T with its parts, over provinces and over counties, by units and by people.",
    "observation_harmonised": "Figures that differ on today's map of regions: renamed, merged, split, or left, and why.",
}


def mart_key(mart: str) -> dg.AssetKey:
    """Asset of a mart: ``mart_inequality``."""
    return dg.AssetKey(f"mart_{mart}")


def build_marts() -> dg.AssetsDefinition:
    """The assets of the marts with their checks."""

    @dg.multi_asset(
        name="compute_marts",
        specs=[
            dg.AssetSpec(
                mart_key(mart),
                deps=["core_observation"],
                group_name="marts",
                owners=OWNERS,
                kinds={"pandas", "postgres"},
                description=DESCRIPTIONS[mart],
                metadata={"dagster/column_schema": table_schema(table), "dagster/table_name": f"mart.{mart}"},
            )
            for mart, table in MART_TABLES.items()
        ],
    )
    def _compute_marts(
        context: dg.AssetExecutionContext, warehouse: WarehouseResource, checks: ChecksResource, clock: ClockResource
    ) -> Iterator[dg.MaterializeResult[None]]:
        refresh = current_refresh(context, warehouse.engine, clock)
        catalogue = load_catalogue()
        with warehouse.engine.begin() as connection:
            lock_writing(connection, refresh)
            release_id = next_release_id(connection)
            discard_unpublished(connection, release_id)
            frames = compute_marts(connection, catalogue)
            # The checks process works on its own core while the rows are written; nobody sees them before the release.
            with ThreadPoolExecutor(1) as pool:
                judged = pool.submit(_judge, checks.process, frames, catalogue)
                for mart, frame in frames.items():
                    write_mart(connection, mart, frame, release_id)
                digest_slices(connection, release_id)
                outcomes = judged.result()
            if not any(outcome.failed for outcome in outcomes.values()):
                nominate(connection, release_id)
        stage.info("computed marts: %s", ", ".join(f"{mart} {len(frame):,} rows" for mart, frame in frames.items()))
        with warehouse.engine.begin() as connection:
            for mart, outcome in outcomes.items():
                record_checks(connection, refresh, mart, check_result_rows(outcome), clock.read())
        for mart, outcome in outcomes.items():
            report_checks(context, outcome, mart_key(mart))
        broken = [check.explanation for outcome in outcomes.values() for check in outcome.failed]
        if broken:
            told = "; ".join(broken)
            raise dg.Failure(f"marts are not fit to publish, the release in force stays: {told}", allow_retries=False)
        for mart, frame in frames.items():
            yield dg.MaterializeResult(mart_key(mart), metadata=_mart_metadata(frame))

    return _compute_marts


def _judge(checks: ChecksProcess, frames: dict[str, pd.DataFrame], catalogue: Catalogue) -> dict[str, SuiteOutcome]:
    """The marts' suites, one after the other."""
    return {mart: checks.validate(f"marts.{mart}", to_codes(frame, catalogue)) for mart, frame in frames.items()}


def _mart_metadata(frame: pd.DataFrame) -> dict[str, int]:
    """Rows and slices that were computed; of figures on today's map also how many stand how (unmapped, merged …)."""
    slices = frame.groupby(["indicator_key", "period_key"]).ngroups if len(frame) else 0
    ways = frame["map_status"].value_counts().to_dict() if "map_status" in frame else {}
    return {"dagster/row_count": len(frame), "slices": slices, **{str(way): int(count) for way, count in ways.items()}}
