"""The first schema: core, ops, staging, the first marts and what bi_reader may do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import op

revision = "0001"
down_revision = None

FIRST_YEAR, LAST_YEAR = 2000, 2040
"""Years with a partition of their own in the fact; whatever lies outside goes to the default one."""

OPS_TABLES = (
    "arrival",
    "return_receipt",
    "platform_failure",
    "platform_incident",
    "unplaced_file",
    "quarantine",
    "quarantine_waiver",
    "check_result",
    "changed_slice",
    "slice_digest",
    "release",
    "release_in_force",
    "refresh",
)


def upgrade() -> None:
    """Create everything; the SQL stands beside this file."""
    folder = Path(__file__).parent
    _run((folder / "0001_tables.sql").read_text(encoding="utf-8"))
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        op.execute(
            f"CREATE TABLE core.observation_{year} PARTITION OF core.observation "
            f"FOR VALUES FROM ({year}0000) TO ({year + 1}0000)"
        )
    op.execute("CREATE TABLE core.observation_other PARTITION OF core.observation DEFAULT")
    _run((folder / "0001_marts.sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """Drop everything but the table of revisions."""
    op.execute("DROP SCHEMA mart, core, staging CASCADE")
    for table in OPS_TABLES:
        op.execute(f"DROP TABLE ops.{table}")
    op.execute("DROP SEQUENCE ops.receipt_id_seq")


def _run(script: str) -> None:
    """Run a whole SQL script over the driver, which takes several statements at once where none has parameters."""
    driver: Any = op.get_bind().connection.driver_connection
    driver.execute(script)
