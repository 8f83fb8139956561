"""Results of checks in the warehouse, and what checks compare with. Not here: any check (expectations room)."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection

from warehouse.catalogue import Catalogue
from warehouse.receipts import Refresh
from warehouse.schema import AREA_TYPES, check_result


def record_checks(
    connection: Connection, refresh: Refresh, target: str, rows: Iterable[Mapping[str, Any]], now: datetime.datetime
) -> None:
    """Write results for a form or mart. ``rows``: check_id, suite, subject, severity, success, evaluated, unexpected,
    explanation, and ``sample`` and ``arrivals`` as JSON texts."""
    records = [
        {name: row[name] for name in ("check_id", "suite", "subject", "severity", "success", "evaluated", "unexpected")}
        | {
            "refresh_id": refresh.refresh_id,
            "target": target,
            "explanation": row["explanation"],
            "sample": json.loads(row["sample"]),
            "receipts": json.loads(row["arrivals"]),
            "created_at": now,
        }
        for row in rows
    ]
    if records:
        connection.execute(sa.insert(check_result), records)


def last_checks(connection: Connection, target: str) -> list[dict[str, Any]]:
    """Rows of ``ops.check_result`` of the newest refresh that judged a form or mart."""
    newest = sa.select(sa.func.max(check_result.c.refresh_id)).where(check_result.c.target == target).scalar_subquery()
    query = sa.select(check_result).where(check_result.c.target == target, check_result.c.refresh_id == newest)
    return [dict(row) for row in connection.execute(query).mappings()]


def reference_figures(connection: Connection, form: str, catalogue: Catalogue) -> pd.DataFrame:
    """The newest current figure of each indicator of a form, by province and area type, for comparison with new ones.

    Columns indicator_code, region_code, area_type, reference_value; only figures with a value, from returns.
    """
    indicators = {row.indicator_key: row.code for row in catalogue.indicators_of(form)}
    rows = connection.execute(
        sa.text(
            "SELECT DISTINCT ON (indicator_key, region_key, area_key) indicator_key, region_key, area_key, value"
            " FROM core.observation WHERE indicator_key = ANY(:indicators) AND region_key % 10000 = 0"
            " AND receipt_id IS NOT NULL AND superseded_at = 'infinity' AND value IS NOT NULL"
            " ORDER BY indicator_key, region_key, area_key, period_key DESC"
        ),
        {"indicators": list(indicators)},
    ).all()
    frame = pd.DataFrame(rows, columns=["indicator_key", "region_key", "area_key", "reference_value"])
    return pd.DataFrame(
        {
            "indicator_code": frame["indicator_key"].map(indicators),
            "region_code": frame["region_key"].map("{:06d}".format),
            "area_type": frame["area_key"].map(dict(enumerate(AREA_TYPES))),
            "reference_value": frame["reference_value"].astype("float64"),
        }
    )
