"""Memory: vintages that say why they ended, releases with decisions, marts as of any moment, regions through time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import op

revision = "0002"
down_revision = "0001"

_FOLDER = Path(__file__).parent

MARTS_OF_A_RELEASE = ("observation", "attainment", "urban_rural_gap", "inequality")

_AS_OF_OBSERVATION = "h.recorded_at <= f.recorded_at AND (h.superseded_at IS NULL OR h.superseded_at > f.recorded_at)"
_AS_OF_MART = "h.release_from <= f.release_id AND (h.release_to IS NULL OR h.release_to > f.release_id)"


def upgrade() -> None:
    """Run the scripts in the order of their numbers, then make each mart's function of a moment."""
    for script in sorted(_FOLDER.glob("0002_*.sql")):
        if ".down." not in script.name:
            _run(script.read_text(encoding="utf-8"))
    for mart in MARTS_OF_A_RELEASE:
        make_as_of_function(mart, _AS_OF_OBSERVATION if mart == "observation" else _AS_OF_MART)
    op.execute("GRANT SELECT ON ALL TABLES IN SCHEMA mart TO bi_reader")


def downgrade() -> None:
    """Take everything back; marts are made anew as 0001 made them."""
    op.execute("DROP SCHEMA mart CASCADE")
    for script in sorted(_FOLDER.glob("0002_*.down.sql"), reverse=True):
        _run(script.read_text(encoding="utf-8"))
    op.execute("CREATE SCHEMA mart")
    _run((_FOLDER / "0001_marts.sql").read_text(encoding="utf-8"))


def make_as_of_function(mart: str, condition: str) -> None:
    """``mart.<mart>_as_of(moment)``: the rows of a mart as readers saw them at a moment.

    It reads views only, so that a reader needs no right on the tables behind them, and is inlined with its filters.
    """
    columns = [
        str(row[0])
        for row in op.get_bind().exec_driver_sql(
            "SELECT attname FROM pg_attribute WHERE attrelid = CAST(%s AS regclass) AND attnum > 0 ORDER BY attnum",
            (f"mart.{mart}",),
        )
    ]
    shown = ", ".join(
        "h.release_from" if name == "release_id" and mart != "observation" else f"h.{name}" for name in columns
    )
    op.execute(
        f"CREATE FUNCTION mart.{mart}_as_of(moment timestamptz) RETURNS SETOF mart.{mart} LANGUAGE sql STABLE AS"
        f" 'SELECT {shown} FROM mart.{mart}_history h, mart.release_history f"
        f" WHERE f.in_force_from <= moment AND (f.in_force_to IS NULL OR f.in_force_to > moment) AND {condition}'"
    )
    op.execute(
        f"COMMENT ON FUNCTION mart.{mart}_as_of IS 'mart.{mart} as readers saw it at a moment, by the release then in force'"
    )


def _run(script: str) -> None:
    """Run a whole SQL script over the driver, which takes several statements at once where none has parameters."""
    driver: Any = op.get_bind().connection.driver_connection
    driver.execute(script)
