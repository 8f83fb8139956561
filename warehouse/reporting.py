"""What a person is told after a refresh: counts, findings, state. Queries only; the wording is the command line's.

Here: small frames and records read from ``ops`` and ``mart``. Not here: printing, writing.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import pandas as pd
import psycopg
import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from warehouse.breaks import DefinitionBreak, crosses_break, definition_breaks
from warehouse.catalogue import Catalogue
from warehouse.errors import QueryRefusedError
from warehouse.periods import parse_period
from warehouse.publishing import see_as_of

OBSERVED = ("A", "P", "B")
"""Statuses findings may rest on: observed figures, never estimates (docs/architecture.md)."""


@dataclass(frozen=True)
class RefreshReport:
    """A refresh as it ended. ``returns``: a row a sector (due, arrived, new, late, failed, quarantined)."""

    refresh: dict[str, Any]
    returns: pd.DataFrame
    cells: dict[str, int]
    checks: dict[str, int]
    release: dict[str, Any] | None
    prepared: dict[str, Any] | None
    """The release this refresh made where nobody sees it yet."""
    troubles: list[str]
    findings: list[str]


def latest_refresh_id(connection: Connection) -> int | None:
    """The newest refresh, None in an empty warehouse."""
    found = connection.scalar(sa.text("SELECT max(refresh_id) FROM ops.refresh"))
    return None if found is None else int(found)


def report_refresh(
    connection: Connection, refresh_id: int, today: datetime.date, catalogue: Catalogue
) -> RefreshReport:
    """Everything the summary of a refresh says; findings only where it published something."""
    refresh = _records(connection, _REFRESH, refresh_id=refresh_id)[0]
    release = release_in_force(connection)
    prepared = _records(connection, _PREPARED, refresh_id=refresh_id)
    return RefreshReport(
        refresh=refresh,
        returns=_frame(connection, _RETURNS, refresh_id=refresh_id, today=today),
        cells=_records(connection, _CELLS, refresh_id=refresh_id)[0],
        checks=_records(connection, _CHECKS, refresh_id=refresh_id)[0],
        release=release,
        prepared=prepared[0] if prepared else None,
        troubles=[row["trouble"] for row in _records(connection, _TROUBLES, refresh_id=refresh_id)],
        findings=find(connection, catalogue) if release and refresh["status"] == "published" else [],
    )


def release_in_force(connection: Connection) -> dict[str, Any] | None:
    """The row of ``mart.release`` that readers see; None before the first."""
    found = _records(connection, _RELEASE)
    return found[0] if found else None


def is_everything_failed(report: RefreshReport) -> bool:
    """Whether nothing that is owed has ever arrived and something failed."""
    return bool(report.returns["failed"].sum() > 0 and report.returns["arrived"].sum() == 0)


def find(connection: Connection, catalogue: Catalogue) -> list[str]:
    """Five sentences: two urban-rural gaps, two provinces under a floor, one inequality that grew.

    Of observed figures only, each of the newest period its indicator has; not across a break of definition.
    """
    sentences = []
    for row in _records(connection, _GAPS, statuses=OBSERVED, limit=2):
        better, worse = ("town", "country") if row["disadvantaged"] == "rural" else ("country", "town")
        sentences.append(
            f"{row['indicator_name']}, {row['region_name']} {row['period_code']}: {better} {row['factor']:.2f} times"
            f" {worse} ({_shown(row['urban_value'])} in town, {_shown(row['rural_value'])} in the country)"
        )
    for row in _records(connection, _FLOORS, statuses=OBSERVED, limit=2):
        sentences.append(
            f"{row['indicator_name']}, {row['region_name']} {row['period_code']}: {_shown(row['value'])} against the floor of"
            f" {_shown(row['floor_value'])}, {abs(row['margin']):.0%} on the wrong side ({row['below']} of"
            f" {row['provinces']} provinces are)"
        )
    breaks = definition_breaks(catalogue)
    grown = [row for row in _records(connection, _GREW) if not _crosses_break(row, breaks, catalogue)]
    for row in grown[:1]:
        sentences.append(
            f"{row['indicator_name']}: the Gini over provinces grew from {row['earlier']:.3f} ({row['earlier_period']}) to"
            f" {row['gini']:.3f} ({row['period_code']})"
        )
    return sentences


def query_marts(
    connection: Connection, statement: str, limit: int, as_of: datetime.datetime | None = None
) -> tuple[pd.DataFrame, bool]:
    """The first ``limit`` rows of a reader's statement as ``bi_reader``, read-only; True where there are more.

    With ``as_of`` every mart shows the release that was in force then. Raises :class:`QueryRefusedError` with PostgreSQL's own
    reason.
    """
    driver: Any = connection.connection.driver_connection
    try:
        connection.execute(sa.text("SET TRANSACTION READ ONLY"))
        if as_of is not None:
            see_as_of(connection, as_of)
        connection.execute(sa.text("SET LOCAL ROLE bi_reader"))
        connection.execute(sa.text("SET LOCAL search_path TO mart"))
        with driver.cursor() as cursor:
            # Prepared, PostgreSQL takes one statement only: "select 1; commit; delete …" would end role and transaction.
            cursor.execute(statement, prepare=True)
            if cursor.description is None:
                raise QueryRefusedError("the statement gives no rows; junheng query is for select")
            names = [column.name for column in cursor.description]
            rows = cursor.fetchmany(limit + 1)
    except psycopg.Error as error:
        reason = (str(error).strip() or "it failed").splitlines()[0]
        raise QueryRefusedError(f"{reason} (as bi_reader, who reads the schema mart)") from error
    return pd.DataFrame(rows[:limit], columns=names), len(rows) > limit


def _crosses_break(row: dict[str, Any], breaks: list[DefinitionBreak], catalogue: Catalogue) -> bool:
    """Whether a break of definition, of the nation or of a province compared, lies between the two periods of a row."""
    first, last = (parse_period(row[name]).year for name in ("earlier_period", "period_code"))
    return crosses_break(breaks, row["indicator_code"], row["area_type"], (first, last), catalogue.provinces)


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _frame(connection: Connection, statement: sa.TextClause, **parameters: Any) -> pd.DataFrame:
    result = connection.execute(statement, parameters)
    return pd.DataFrame(result.all(), columns=list(result.keys()))


def _records(connection: Connection, statement: sa.TextClause, **parameters: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(statement, parameters).mappings()]


_REFRESH = sa.text(
    "SELECT refresh_id, run_id, started_at, finished_at, status FROM ops.refresh WHERE refresh_id = :refresh_id"
)
_PREPARED = sa.text("SELECT * FROM mart.release WHERE refresh_id = :refresh_id AND status IN ('held', 'embargoed')")
_RELEASE = sa.text("SELECT * FROM mart.release WHERE status = 'in_force'")
# One row a return: its newest delivery, or the row that stands for its absence.
_RETURNS = sa.text(
    "SELECT sector, count(*) FILTER (WHERE due_on <= :today) AS due,"
    " count(*) FILTER (WHERE sequence > 0) AS arrived,"
    " count(*) FILTER (WHERE sequence > 0 AND refresh_id = :refresh_id) AS new,"
    " count(*) FILTER (WHERE state = 'missing' OR (first_seen AT TIME ZONE 'Asia/Shanghai')::date > due_on) AS late,"
    " count(*) FILTER (WHERE has_failed) AS failed,"
    " count(*) FILTER (WHERE quarantined > 0) AS quarantined"
    " FROM (SELECT DISTINCT ON (platform, form, period_code) *, min(CASE WHEN sequence = 1 THEN"
    " least(modified_at, fetched_at) END) OVER (PARTITION BY platform, form, period_code) AS first_seen,"
    " bool_or(state = 'failed') OVER (PARTITION BY platform, form, period_code) AS has_failed"
    " FROM ops.return_receipt ORDER BY platform, form, period_code, sequence DESC) newest"
    " GROUP BY sector ORDER BY sector"
)
_CELLS = sa.text(
    "SELECT coalesce(sum(cells), 0)::bigint AS read, coalesce(sum(loaded), 0)::bigint AS loaded,"
    " coalesce(sum(unchanged), 0)::bigint AS unchanged, coalesce(sum(quarantined), 0)::bigint AS quarantined"
    " FROM ops.return_receipt WHERE refresh_id = :refresh_id"
)
_CHECKS = sa.text(
    "SELECT count(*) FILTER (WHERE success) AS passed, count(*) FILTER (WHERE NOT success AND severity <> 'blocking')"
    " AS warned, count(*) FILTER (WHERE NOT success AND severity = 'blocking') AS failed"
    " FROM ops.check_result WHERE refresh_id = :refresh_id"
)
# In the order of how much is lost: platforms that could not be asked, returns that did not come, returns and cells that
# could not be used, files without a place, trouble that was overcome.
_TROUBLES = sa.text(
    "WITH aside AS (SELECT receipt_id, string_agg(reason || ' ' || cells, ', ' ORDER BY cells DESC, reason) AS reasons"
    " FROM (SELECT receipt_id, reason, count(*) AS cells FROM ops.quarantine WHERE receipt_id IN"
    " (SELECT receipt_id FROM ops.return_receipt WHERE refresh_id = :refresh_id) GROUP BY receipt_id, reason) counted"
    " GROUP BY receipt_id),"
    " told AS (SELECT r.*, coalesce(message, quarantined || ' of ' || cells || ' cells set aside (' || reasons || ')') AS said"
    " FROM ops.return_receipt r LEFT JOIN aside USING (receipt_id) WHERE refresh_id = :refresh_id"
    " AND state IN ('failed', 'missing', 'quarantined', 'partly_quarantined') AND NOT (state = 'failed' AND EXISTS"
    " (SELECT FROM ops.platform_failure f WHERE f.refresh_id = r.refresh_id AND f.platform = r.platform)))"
    " SELECT trouble FROM (SELECT 0 AS rank, platform, platform || ' could not be asked: ' || message AS trouble"
    " FROM ops.platform_failure WHERE refresh_id = :refresh_id UNION ALL"
    " SELECT min(least(sequence, 1)) + 1, platform, CASE WHEN count(*) = 1"
    " THEN min(platform || ' ' || form || ' ' || period_code) ELSE platform || ': ' || count(*) || ' returns' END || ' '"
    " || replace(state, '_', ' ') || ': ' || said FROM told GROUP BY platform, state, said UNION ALL"
    " SELECT 3, file_name, 'inbox file ' || file_name || ' not placed: ' || explanation FROM ops.unplaced_file"
    " WHERE refresh_id = :refresh_id AND resolved_at IS NULL UNION ALL"
    " SELECT 4, platform, platform || ': overcome, ' || replace(kind, '_', ' ') || CASE WHEN count = 1 THEN ' once'"
    " ELSE ' ' || count || ' times' END || ': ' || message FROM ops.platform_incident WHERE refresh_id = :refresh_id"
    " ) listed ORDER BY rank, platform, trouble"
)
_GAPS = sa.text(
    "SELECT * FROM (SELECT DISTINCT ON (indicator_code) *, greatest(ratio, 1 / ratio) AS factor FROM ("
    " SELECT *, max(period_start) OVER (PARTITION BY indicator_code) AS newest FROM mart.urban_rural_gap"
    " WHERE region_level = 'province' AND status = 'ok' AND disadvantaged <> 'none' AND ratio > 0"
    " AND obs_status IN :statuses) g WHERE period_start = newest ORDER BY indicator_code, factor DESC) widest"
    " ORDER BY factor DESC LIMIT :limit"
).bindparams(bindparam("statuses", expanding=True))
_FLOORS = sa.text(
    "SELECT * FROM (SELECT DISTINCT ON (indicator_code) * FROM (SELECT *,"
    " count(*) FILTER (WHERE NOT attained) OVER slice AS below, count(*) OVER slice AS provinces"
    " FROM (SELECT *, max(period_start) OVER (PARTITION BY indicator_code) AS newest FROM mart.attainment"
    " WHERE region_level = 'province' AND floor_kind = 'floor' AND obs_status IN :statuses) a"
    " WHERE period_start = newest WINDOW slice AS (PARTITION BY indicator_code, area_type)) b"
    " WHERE NOT attained ORDER BY indicator_code, margin) worst ORDER BY margin LIMIT :limit"
).bindparams(bindparam("statuses", expanding=True))
# Against the same measure five years earlier, over as many units.
_GREW = sa.text(
    "WITH observed AS (SELECT * FROM mart.inequality WHERE scope = 'nation:province' AND weighting = 'none'"
    " AND status = 'ok' AND units_estimated = 0 AND period_code ~ '^(SY)?[0-9]{4}$' AND gini > 0.02),"
    " newest AS (SELECT DISTINCT ON (indicator_code, area_type) * FROM observed"
    " ORDER BY indicator_code, area_type, period_start DESC)"
    " SELECT n.indicator_code, n.area_type, n.indicator_name, n.gini, n.period_code, e.gini AS earlier,"
    " e.period_code AS earlier_period"
    " FROM newest n JOIN observed e USING (indicator_code, area_type)"
    " WHERE e.period_start = n.period_start - interval '5 years' AND n.gini > e.gini"
    " AND e.units = n.units ORDER BY n.gini / e.gini DESC"
)
