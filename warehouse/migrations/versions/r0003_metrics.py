"""Metrics: a table with its history and two views for each mart, and the function that shows it as of a moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import op

revision = "0003"
down_revision = "0002"

_FOLDER = Path(__file__).parent

#: Marts that this migration makes: a table ``core.<mart>``, views ``mart.<mart>_history`` and ``mart.<mart>``.
MARTS: tuple[str, ...] = (
    "change_attribution",
    "composite_index",
    "convergence",
    "cost_to_floor",
    "county_balance",
    "coupling",
    "index_weight",
    "inequality_bounds",
    "peer",
    "resource_agglomeration",
    "shortfall",
    "shortfall_risk",
    "trend",
)
#: Marts of before whose views it gives more columns: their function of a moment is made anew, both ways.
WIDENED: tuple[str, ...] = ("inequality",)
#: What a script makes like ``mart.observation``: a view of vintages, which has no rows of its own by release.
VINTAGES = ("school_resource",)

_IN_FORCE = "h.release_from <= f.release_id AND (h.release_to IS NULL OR h.release_to > f.release_id)"
_KNOWN = "h.recorded_at <= f.recorded_at AND (h.superseded_at IS NULL OR h.superseded_at > f.recorded_at)"


def upgrade() -> None:
    """Run the scripts in the order of their names, then make each mart's function of a moment."""
    for script in sorted(_FOLDER.glob("0003_*.sql")):
        if ".down." not in script.name:
            _run(script)
    for mart in (*WIDENED, *MARTS):
        _make_as_of_function(mart, _IN_FORCE)
    for mart in VINTAGES:
        _make_as_of_function(mart, _KNOWN)
    op.execute("GRANT SELECT ON ALL TABLES IN SCHEMA mart TO bi_reader")


def downgrade() -> None:
    """Take everything back, newest first."""
    for mart in reversed(MARTS):
        op.execute(
            f"DROP FUNCTION mart.{mart}_as_of; DROP VIEW mart.{mart}, mart.{mart}_history; DROP TABLE core.{mart}"
        )
    for script in sorted(_FOLDER.glob("0003_*.down.sql"), reverse=True):
        _run(script)
    for mart in WIDENED:
        _make_as_of_function(mart, _IN_FORCE)
    op.execute("GRANT SELECT ON ALL TABLES IN SCHEMA mart TO bi_reader")


def _make_as_of_function(mart: str, condition: str) -> None:
    """``mart.<mart>_as_of(moment)``: the rows as readers saw them then; of views only, so that a reader needs no more."""
    columns = [
        str(row[0])
        for row in op.get_bind().exec_driver_sql(
            "SELECT attname FROM pg_attribute WHERE attrelid = CAST(%s AS regclass) AND attnum > 0 ORDER BY attnum",
            (f"mart.{mart}",),
        )
    ]
    release = "h.release_id" if mart in VINTAGES else "h.release_from"
    shown = ", ".join(release if name == "release_id" else f"h.{name}" for name in columns)
    op.execute(
        f"CREATE FUNCTION mart.{mart}_as_of(moment timestamptz) RETURNS SETOF mart.{mart} LANGUAGE sql STABLE AS"
        f" 'SELECT {shown} FROM mart.{mart}_history h, mart.release_history f"
        f" WHERE f.in_force_from <= moment AND (f.in_force_to IS NULL OR f.in_force_to > moment) AND {condition}'"
    )
    op.execute(
        f"COMMENT ON FUNCTION mart.{mart}_as_of IS 'mart.{mart} as readers saw it at a moment, by the release then in force'"
    )


def _run(script: Path) -> None:
    """Run a whole SQL script over the driver, which takes several statements at once where none has parameters."""
    driver: Any = op.get_bind().connection.driver_connection
    driver.execute(script.read_text(encoding="utf-8"))
