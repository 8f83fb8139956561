"""Loading observations with vintages, and the receipts and quarantine that account for every cell.

Here: from frames of one form to ``core.observation``, ``ops.return_receipt``, ``ops.quarantine`` and the changed set, in
one transaction. Not here: reading returns, computing what is derived from them.

The frames are those the returns room gives: ``observations`` (arrival_id, indicator_code, region_code, period_code,
area_type, value, obs_status, last_digit, address), ``quarantined`` (arrival_id, address, raw_text, reason, explanation,
explanation_zh) and ``verdicts`` (arrival_id, cells, duplicates, problem, explanation, layout), one row a delivery; of the
portal's also ``agreed``, the cells that say what a province's own return holds.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection

from warehouse.bulk import copy_frame
from warehouse.catalogue import Catalogue
from warehouse.coding import to_keys
from warehouse.errors import ConservationError
from warehouse.periods import parse_period
from warehouse.precedence import PORTAL, lent_receipts
from warehouse.receipts import Refresh
from warehouse.reference import ensure_periods
from warehouse.schema import (
    arrival,
    changed_slice,
    quarantine,
    return_receipt,
    staged_observation,
)

_SLICE = ("indicator_key", "period_key")


@dataclass(frozen=True)
class Merged:
    """What a merge did: ``counts`` (arrival_id, loaded, unchanged), ``changed`` (indicator_key, period_key, revisions)."""

    counts: pd.DataFrame
    changed: pd.DataFrame


def load_returns(
    connection: Connection,
    refresh: Refresh,
    arrivals: pd.DataFrame,
    observations: pd.DataFrame,
    quarantined: pd.DataFrame,
    verdicts: pd.DataFrame,
    catalogue: Catalogue,
) -> pd.DataFrame:
    """Load the deliveries of one form; returns a row a delivery: arrival_id, state, cells, loaded, unchanged, quarantined.

    ``arrivals`` are rows of ``ops.arrival``, in the order in which a later one wins. Two deliveries of the same return
    are loaded one after the other. Raises :class:`ConservationError` where cells ≠ loaded + unchanged + quarantined.
    """
    ensure_periods(connection, {parse_period(code).key for code in observations["period_code"].unique()})
    figures = to_keys(observations, catalogue)
    is_portal = (arrivals["sector"] == PORTAL).any()
    lent = [] if is_portal else lent_receipts(connection)
    counts = []
    turn = arrivals.groupby(["platform", "period_code"]).cumcount().set_axis(arrivals["arrival_id"])
    for _, ids in turn.groupby(turn).groups.items():
        wave = figures if len(ids) == len(turn) else figures[figures["arrival_id"].isin(ids)]
        merged = merge(connection, refresh, wave, lent=lent)
        counts.append(merged.counts)
        record_changes(connection, refresh, merged.changed)
        record_changes(connection, refresh, _close_misread(connection, refresh, arrivals, wave))
    receipts = _account(verdicts, quarantined, pd.concat(counts))
    _write_receipts(connection, arrivals.assign(refresh_id=refresh.refresh_id), receipts)
    _write_quarantine(connection, arrivals, quarantined, refresh.recorded_at)
    connection.execute(sa.delete(arrival).where(arrival.c.arrival_id.in_(arrivals["arrival_id"].tolist())))
    return receipts


def merge(
    connection: Connection,
    refresh: Refresh,
    staged: pd.DataFrame,
    *,
    is_complete: bool = False,
    lent: Sequence[int] = (),
) -> Merged:
    """Merge figures (columns of ``staging.observation``) into the fact, never in place.

    A figure with another value or status closes the old vintage and adds one; an equal one changes nothing. With
    ``is_complete`` the frame holds all there is of the slices of ``pg_temp.wanted`` among computed figures: a current
    computed figure it lacks is closed. A figure that stands by a receipt of ``lent`` (the portal's) becomes the new source's
    own also where it is equal, so that the portal can no longer change it. A revision is a change by more than half a unit
    of the coarser last digit.
    """
    connection.execute(sa.text("TRUNCATE staging.observation"))
    copy_frame(connection, staged_observation, staged)
    slices = staged[list(_SLICE)].drop_duplicates()
    touched = {name: sorted(set(slices[name].tolist())) for name in _SLICE}
    sizes = staged.groupby("arrival_id").size()
    parameters = {"recorded_at": refresh.recorded_at}
    if not is_complete and not _touches_known(connection, slices):
        connection.execute(_INSERT_ALL, parameters)
        return Merged(sizes.rename("loaded").reset_index().assign(unchanged=0), slices.assign(revisions=0))
    connection.execute(sa.text("ANALYZE staging.observation"))
    connection.execute(sa.text("DROP TABLE IF EXISTS pg_temp.verdict"))
    connection.execute(_MAKE_VERDICT)
    connection.execute(_COMPARE, touched | {"lent": list(lent)})
    if is_complete:
        connection.execute(_ADD_VANISHED)
    connection.execute(sa.text("ANALYZE pg_temp.verdict"))
    connection.execute(_DELETE_OWN, parameters)
    connection.execute(_CLOSE, parameters)
    connection.execute(_INSERT_CHANGED, parameters)
    loaded = pd.Series({row[0]: row[1] for row in connection.execute(_COUNT)}, dtype="int64").reindex(sizes.index)
    loaded = loaded.fillna(0).astype("int64")
    counts = pd.DataFrame(
        {"arrival_id": sizes.index, "loaded": loaded.to_numpy(), "unchanged": (sizes - loaded).to_numpy()}
    )
    return Merged(counts, pd.DataFrame(connection.execute(_CHANGED).all(), columns=[*_SLICE, "revisions"]))


def record_changes(connection: Connection, refresh: Refresh, changed: pd.DataFrame) -> None:
    """Add (indicator, period) pairs to the changed set of a refresh."""
    if changed.empty:
        return
    statement = sa.dialects.postgresql.insert(changed_slice)
    more = {
        "revisions": changed_slice.c.revisions + statement.excluded.revisions,
        "candidate": None,
        "release_id": None,
    }
    records: list[Any] = changed.assign(refresh_id=refresh.refresh_id).to_dict("records")
    connection.execute(
        statement.on_conflict_do_update(index_elements=["refresh_id", *_SLICE], set_=more),
        records,
    )


def _touches_known(connection: Connection, slices: pd.DataFrame) -> bool:
    """Whether any of these (indicator, period) pairs has a figure already."""
    return bool(connection.scalar(_ANY_KNOWN, {name: slices[name].tolist() for name in _SLICE}))


def record_warnings(connection: Connection, refresh: Refresh, warned: pd.DataFrame) -> None:
    """Count warnings of (indicator, period) pairs that this refresh changed: metrics that rest on them have grade B.

    ``warned``: indicator_key, period_key, warnings.
    """
    if warned.empty:
        return
    table = changed_slice
    statement = (
        sa.update(table)
        .where(
            table.c.refresh_id == refresh.refresh_id,
            table.c.indicator_key == sa.bindparam("indicator"),
            table.c.period_key == sa.bindparam("period"),
        )
        .values(warnings=table.c.warnings + sa.bindparam("count"))
    )
    rows = warned[["indicator_key", "period_key", "warnings"]].to_numpy().tolist()
    connection.execute(statement, [dict(zip(("indicator", "period", "count"), row, strict=True)) for row in rows])


def _close_misread(
    connection: Connection, refresh: Refresh, arrivals: pd.DataFrame, wave: pd.DataFrame
) -> pd.DataFrame:
    """Close what the same bytes said when they were read before and no longer say: a mended layout takes back what the old one
    misread. A reading of which nothing at all could be used takes nothing back. Returns the changed slices.

    Must follow the merge of ``wave``.
    """
    is_read = arrivals["arrival_id"].isin(wave["arrival_id"].unique())
    again = arrivals[is_read & arrivals["is_reread"].astype(bool)]
    if again.empty:
        return pd.DataFrame(columns=[*_SLICE, "revisions"])
    receipts = sa.select(return_receipt.c.receipt_id).where(
        sa.tuple_(
            return_receipt.c.platform, return_receipt.c.form, return_receipt.c.period_code, return_receipt.c.sha256
        ).in_(list(again[["platform", "form", "period_code", "sha256"]].itertuples(index=False, name=None)))
    )
    earlier = [int(number) for number in connection.scalars(receipts)]
    rows = connection.execute(_CLOSE_MISREAD, {"recorded_at": refresh.recorded_at, "earlier": earlier}).all()
    return pd.DataFrame(rows, columns=[*_SLICE, "revisions"])


_CLOSE_MISREAD = sa.text(
    "WITH closed AS (UPDATE core.observation o SET superseded_at = :recorded_at"
    " WHERE o.superseded_at = 'infinity' AND o.receipt_id = ANY(:earlier) AND NOT EXISTS (SELECT FROM staging.observation s"
    " WHERE s.indicator_key = o.indicator_key AND s.period_key = o.period_key AND s.region_key = o.region_key"
    " AND s.area_key = o.area_key) RETURNING o.indicator_key, o.period_key)"
    " SELECT indicator_key, period_key, count(*) FROM closed GROUP BY indicator_key, period_key"
)
_ANY_KNOWN = sa.text(
    "SELECT EXISTS (SELECT FROM unnest(CAST(:indicator_key AS smallint[]), CAST(:period_key AS integer[]))"
    " AS s (indicator_key, period_key) WHERE EXISTS (SELECT FROM core.observation o"
    " WHERE o.indicator_key = s.indicator_key AND o.period_key = s.period_key))"
)
_INSERT_ALL = sa.text(
    "INSERT INTO core.observation (indicator_key, period_key, region_key, area_key, recorded_at, value, obs_status,"
    " last_digit, receipt_id, address)"
    " SELECT indicator_key, period_key, region_key, area_key, :recorded_at, value, obs_status, last_digit, arrival_id,"
    " address FROM staging.observation"
)
_MAKE_VERDICT = sa.text(
    "CREATE TEMPORARY TABLE verdict ON COMMIT DROP AS SELECT s.*, CAST(NULL AS timestamptz) AS old_recorded_at,"
    " CAST(NULL AS double precision) AS old_value, CAST(NULL AS double precision) AS old_last_digit,"
    " CAST(NULL AS text) AS verdict FROM staging.observation s WHERE false"
)
# Only what differs is kept; the lists of keys let PostgreSQL pass over all other partitions of the fact.
_COMPARE = sa.text(
    "INSERT INTO verdict SELECT s.*, o.recorded_at AS old_recorded_at, o.value AS old_value, o.last_digit AS old_last_digit,"
    " CASE WHEN o.indicator_key IS NULL THEN 'new' ELSE 'changed' END AS verdict"
    " FROM staging.observation s LEFT JOIN (SELECT * FROM core.observation WHERE superseded_at = 'infinity'"
    " AND period_key = ANY(:period_key) AND indicator_key = ANY(:indicator_key)) o"
    " ON o.indicator_key = s.indicator_key AND o.period_key = s.period_key AND o.region_key = s.region_key"
    " AND o.area_key = s.area_key"
    " WHERE o.indicator_key IS NULL OR o.value IS DISTINCT FROM s.value OR o.obs_status <> s.obs_status"
    " OR o.receipt_id = ANY(CAST(:lent AS bigint[]))"
)
_ADD_VANISHED = sa.text(
    "INSERT INTO verdict (indicator_key, period_key, region_key, area_key, old_recorded_at, old_value, verdict)"
    " SELECT o.indicator_key, o.period_key, o.region_key, o.area_key, o.recorded_at, o.value, 'vanished'"
    " FROM core.observation o JOIN (SELECT DISTINCT indicator_key, period_key FROM pg_temp.wanted) w"
    " USING (indicator_key, period_key)"
    " WHERE o.superseded_at = 'infinity' AND o.receipt_id IS NULL AND NOT EXISTS (SELECT FROM staging.observation s"
    " WHERE s.indicator_key = o.indicator_key AND s.period_key = o.period_key AND s.region_key = o.region_key"
    " AND s.area_key = o.area_key)"
)
# A vintage of this very refresh was never shown to anyone: a second delivery within the refresh replaces it.
_DELETE_OWN = sa.text(
    "DELETE FROM core.observation o USING verdict v WHERE v.verdict IN ('changed', 'vanished')"
    " AND v.old_recorded_at = :recorded_at AND o.recorded_at = :recorded_at AND o.indicator_key = v.indicator_key"
    " AND o.period_key = v.period_key AND o.region_key = v.region_key AND o.area_key = v.area_key"
)
_CLOSE = sa.text(
    "UPDATE core.observation o SET superseded_at = :recorded_at FROM verdict v"
    " WHERE v.verdict IN ('changed', 'vanished') AND o.superseded_at = 'infinity' AND o.recorded_at = v.old_recorded_at"
    " AND o.indicator_key = v.indicator_key AND o.period_key = v.period_key AND o.region_key = v.region_key"
    " AND o.area_key = v.area_key"
)
_INSERT_CHANGED = sa.text(
    "INSERT INTO core.observation (indicator_key, period_key, region_key, area_key, recorded_at, value, obs_status,"
    " last_digit, receipt_id, address)"
    " SELECT indicator_key, period_key, region_key, area_key, :recorded_at, value, obs_status, last_digit, arrival_id,"
    " address FROM verdict WHERE verdict IN ('new', 'changed')"
)
_COUNT = sa.text("SELECT arrival_id, count(*) FROM verdict WHERE arrival_id IS NOT NULL GROUP BY arrival_id")
# 4.65 - 4.6 is a little over 0.05 in binary: 1e-14 of the figure is noise (figures have 12 significant digits).
_CHANGED = sa.text(
    "SELECT indicator_key, period_key, count(*) FILTER (WHERE verdict IN ('changed', 'vanished')"
    " AND value IS DISTINCT FROM old_value AND abs(coalesce(value, 'infinity') - coalesce(old_value, '-infinity'))"
    " > greatest(coalesce(last_digit, 0), coalesce(old_last_digit, 0)) / 2 + greatest(abs(value), abs(old_value)) * 1e-14)"
    " FROM verdict GROUP BY indicator_key, period_key"
)


def _account(verdicts: pd.DataFrame, quarantined: pd.DataFrame, counts: pd.DataFrame) -> pd.DataFrame:
    """Counts and state of each delivery; every cell is somewhere, or the load does not happen."""
    frame = verdicts.set_index("arrival_id")
    aside = quarantined.groupby("arrival_id").size()
    agreed = frame["agreed"] if "agreed" in frame.columns else 0
    known = counts.groupby("arrival_id")[["loaded", "unchanged"]].sum()
    receipts = pd.DataFrame(
        {
            "cells": frame["cells"],
            "loaded": known["loaded"].reindex(frame.index, fill_value=0),
            "unchanged": known["unchanged"].reindex(frame.index, fill_value=0) + frame["duplicates"] + agreed,
            "quarantined": aside.reindex(frame.index, fill_value=0),
            "message": frame["explanation"],
            "layout": frame["layout"],
        }
    ).astype({"cells": int, "loaded": int, "unchanged": int, "quarantined": int})
    lost = receipts["cells"] - receipts["loaded"] - receipts["unchanged"] - receipts["quarantined"]
    if (lost != 0).any():
        first = receipts.index[lost != 0][0]
        counted = receipts.drop(columns=["message", "layout"]).loc[first]
        raise ConservationError(int(str(first)), {str(name): int(count) for name, count in counted.items()})
    # A repeat inside a return says nothing by itself: a return whose every other cell is set aside is set aside.
    is_empty = receipts["loaded"] + receipts["unchanged"] == frame["duplicates"]
    state = np.select(
        [
            (receipts["quarantined"] > 0) & is_empty,
            receipts["quarantined"] > 0,
            receipts["loaded"] > 0,
        ],
        ["quarantined", "partly_quarantined", "loaded"],
        "unchanged",
    )
    return receipts.assign(state=state).reset_index()


def _write_receipts(connection: Connection, arrivals: pd.DataFrame, receipts: pd.DataFrame) -> None:
    rows = arrivals.merge(receipts, on="arrival_id").rename(columns={"arrival_id": "receipt_id"})
    shown = rows[list(return_receipt.columns.keys())]
    records: list[Any] = shown.astype(object).where(shown.notna(), None).to_dict("records")
    connection.execute(sa.insert(return_receipt), records)


def _write_quarantine(
    connection: Connection, arrivals: pd.DataFrame, quarantined: pd.DataFrame, now: datetime.datetime
) -> None:
    """Set cells aside; what earlier deliveries of the same returns had in quarantine is resolved by the new ones."""
    earlier = sa.select(return_receipt.c.receipt_id).where(
        sa.tuple_(return_receipt.c.platform, return_receipt.c.form, return_receipt.c.period_code).in_(
            list(zip(arrivals["platform"], arrivals["form"], arrivals["period_code"], strict=True))
        )
    )
    connection.execute(
        sa.update(quarantine)
        .where(quarantine.c.resolved_at.is_(None), quarantine.c.receipt_id.in_(earlier))
        .values(resolved_at=now)
    )
    if quarantined.empty:
        return
    rows = quarantined.merge(arrivals[["arrival_id", "sha256"]], on="arrival_id").assign(created_at=now)
    # Of two deliveries in one load the later has replaced the earlier, with all that was wrong in it.
    replaced = arrivals.loc[arrivals.duplicated(["platform", "form", "period_code"], keep="last"), "arrival_id"]
    rows["resolved_at"] = rows["created_at"].where(rows["arrival_id"].isin(replaced))
    columns = ["receipt_id", "sha256", "address", "raw_text", "reason", "explanation", "explanation_zh"]
    columns += ["created_at", "resolved_at"]
    copy_frame(connection, quarantine, rows.rename(columns={"arrival_id": "receipt_id"})[columns])
