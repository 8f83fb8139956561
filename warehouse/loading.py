"""Loading observations with vintages, and the receipts and quarantine that account for every cell.

Here: from frames of one form to ``core.observation``, ``ops.return_receipt``, ``ops.quarantine`` and the changed set, in
one transaction. Not here: reading returns, computing what is derived from them.

The frames are those the returns room gives: ``observations`` (arrival_id, indicator_code, region_code, period_code,
area_type, value, obs_status, last_digit, address), ``quarantined`` (arrival_id, address, raw_text, reason, explanation,
explanation_zh) and ``verdicts`` (arrival_id, cells, duplicates, problem, explanation, layout), one row a delivery; of the
portal's also ``agreed``, the cells that say what a province's own return holds. Beside them the cells of rosters of schools
(:mod:`warehouse.schools`).
"""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection

from warehouse.bulk import copy_frame
from warehouse.catalogue import Catalogue
from warehouse.coding import to_keys
from warehouse.errors import ConservationError
from warehouse.merging import FIGURE, SLICE, close_absent, merge
from warehouse.periods import parse_period
from warehouse.precedence import PORTAL, lent_receipts
from warehouse.receipts import Refresh
from warehouse.reference import ensure_periods
from warehouse.schema import (
    arrival,
    changed_slice,
    quarantine,
    return_receipt,
)
from warehouse.schools import LoadedRosters, empty_roster, load_rosters


def load_returns(
    connection: Connection,
    refresh: Refresh,
    arrivals: pd.DataFrame,
    observations: pd.DataFrame,
    quarantined: pd.DataFrame,
    verdicts: pd.DataFrame,
    catalogue: Catalogue,
    roster: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Load the deliveries of one form; returns a row a delivery: arrival_id, state, cells, loaded, unchanged, quarantined.

    ``arrivals`` are rows of ``ops.arrival``, in the order in which a later one wins. Two deliveries of the same return
    are loaded one after the other. Raises :class:`ConservationError` where cells ≠ loaded + unchanged + quarantined.
    """
    ensure_periods(connection, {parse_period(code).key for code in observations["period_code"].unique()})
    figures = to_keys(observations, catalogue)
    is_portal = (arrivals["sector"] == PORTAL).any()
    lent = [] if is_portal else lent_receipts(connection)
    counts, gone = [], []
    turn = _turns(arrivals, figures)
    is_last = ~arrivals.duplicated(["platform", "period_code"], keep="last")
    for number in sorted(turn.unique().tolist()):
        ids = turn.index[turn == number]
        wave = figures if len(ids) == len(turn) else figures[figures["arrival_id"].isin(ids)]
        merged = merge(connection, refresh, wave, lent=lent)
        counts.append(merged.counts)
        record_changes(connection, refresh, merged.changed)
        # Only the last delivery of a return says what is gone: one before it in the same load was never shown.
        closing = wave[wave["arrival_id"].isin(arrivals.loc[is_last, "arrival_id"])]
        so_far = arrivals[turn.to_numpy() <= number]
        gone.append(close_absent(connection, refresh, so_far, closing, quarantined))
        closed = gone[-1].drop(columns="arrival_id").groupby(list(SLICE)).sum().reset_index()
        record_changes(connection, refresh, closed)
    rosters = _load_rosters(connection, refresh, arrivals, observations, quarantined, catalogue, roster)
    counts.append(rosters.counts)
    record_changes(connection, refresh, rosters.changed)
    receipts = _tell_absent(_account(verdicts, quarantined, pd.concat(counts)), pd.concat(gone))
    _write_receipts(connection, arrivals.assign(refresh_id=refresh.refresh_id), receipts)
    _write_quarantine(connection, arrivals, quarantined, refresh.recorded_at)
    connection.execute(sa.delete(arrival).where(arrival.c.arrival_id.in_(arrivals["arrival_id"].tolist())))
    return receipts


def _load_rosters(
    connection: Connection,
    refresh: Refresh,
    arrivals: pd.DataFrame,
    observations: pd.DataFrame,
    quarantined: pd.DataFrame,
    catalogue: Catalogue,
    roster: pd.DataFrame | None,
) -> LoadedRosters:
    cells = empty_roster() if roster is None else roster
    read = {*observations["arrival_id"].unique().tolist(), *cells["arrival_id"].unique().tolist()}
    aside = quarantined.loc[quarantined["reason"] != "stray_cell", "arrival_id"].unique().tolist()
    return load_rosters(connection, refresh, arrivals, cells, read, aside, catalogue)


def _turns(arrivals: pd.DataFrame, figures: pd.DataFrame) -> pd.Series[int]:
    """In which wave each delivery is merged, by arrival_id: after every one before it that holds one of its figures.

    Two deliveries of a return are such, and so are returns that print each other's periods.
    """
    turn = arrivals.groupby(["platform", "period_code"]).cumcount().set_axis(arrivals["arrival_id"])
    is_shared = figures.duplicated(list(FIGURE), keep=False) if len(arrivals) > 1 else np.zeros(len(figures), np.bool_)
    if not is_shared.any():
        return turn
    order = {arrival_id: place for place, arrival_id in enumerate(arrivals["arrival_id"].tolist())}
    shared = figures.loc[is_shared, ["arrival_id", *FIGURE]]
    shared = shared.assign(place=shared["arrival_id"].map(order)).sort_values("place", kind="stable")
    before: dict[int, set[int]] = {}
    follows = shared.groupby(list(FIGURE))["arrival_id"].shift()
    for earlier, later in set(
        zip(follows.dropna().astype("int64"), shared["arrival_id"][follows.notna()], strict=True)
    ):
        before.setdefault(int(later), set()).add(int(earlier))
    returns = arrivals.groupby(["platform", "period_code"])["arrival_id"].shift()
    for earlier, later in zip(returns.dropna().astype("int64"), arrivals["arrival_id"][returns.notna()], strict=True):
        before.setdefault(int(later), set()).add(int(earlier))
    waves: dict[int, int] = {}
    for arrival_id in arrivals["arrival_id"].tolist():
        waves[arrival_id] = max((waves[each] + 1 for each in before.get(arrival_id, ())), default=0)
    return pd.Series(waves)


def record_changes(connection: Connection, refresh: Refresh, changed: pd.DataFrame) -> None:
    """Add (indicator, period) pairs to the changed set of a refresh."""
    if changed.empty:
        return
    rows: dict[str, object] = {name: changed[name].tolist() for name in (*SLICE, "revisions")}
    connection.execute(_RECORD_CHANGES, rows | {"refresh_id": refresh.refresh_id})


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


def _tell_absent(receipts: pd.DataFrame, gone: pd.DataFrame) -> pd.DataFrame:
    """Receipts whose message says how many figures their delivery no longer holds, where it says nothing else."""
    count = gone.groupby("arrival_id")["revisions"].sum().reindex(receipts["arrival_id"]).to_numpy()
    told = [f"{int(n)} figures of earlier deliveries are not in it any more" if n > 0 else None for n in count]
    return receipts.assign(
        message=receipts["message"].where(receipts["message"].notna(), pd.Series(told, receipts.index))
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
    copy_frame(connection, return_receipt, shown.astype(object).where(shown.notna(), None))


def _write_quarantine(
    connection: Connection, arrivals: pd.DataFrame, quarantined: pd.DataFrame, now: datetime.datetime
) -> None:
    """Set cells aside; what earlier deliveries of the same returns had in quarantine is resolved by the new ones."""
    asked: dict[str, object] = {name: arrivals[name].tolist() for name in ("platform", "form", "period_code")}
    connection.execute(_RESOLVE_EARLIER, asked | {"now": now})
    if quarantined.empty:
        return
    rows = quarantined.merge(arrivals[["arrival_id", "sha256"]], on="arrival_id").assign(created_at=now)
    # Of two deliveries in one load the later has replaced the earlier, with all that was wrong in it.
    replaced = arrivals.loc[arrivals.duplicated(["platform", "form", "period_code"], keep="last"), "arrival_id"]
    rows["resolved_at"] = rows["created_at"].where(rows["arrival_id"].isin(replaced))
    columns = ["receipt_id", "sha256", "address", "raw_text", "reason", "explanation", "explanation_zh"]
    columns += ["created_at", "resolved_at"]
    copy_frame(connection, quarantine, rows.rename(columns={"arrival_id": "receipt_id"})[columns])


_RECORD_CHANGES = sa.text(
    "INSERT INTO ops.changed_slice AS c (refresh_id, indicator_key, period_key, revisions)"
    " SELECT :refresh_id, indicator_key, period_key, revisions FROM unnest(CAST(:indicator_key AS smallint[]),"
    " CAST(:period_key AS integer[]), CAST(:revisions AS integer[])) AS s (indicator_key, period_key, revisions)"
    " ON CONFLICT (refresh_id, indicator_key, period_key) DO UPDATE SET revisions = c.revisions + excluded.revisions,"
    " candidate = NULL, release_id = NULL"
)
_RESOLVE_EARLIER = sa.text(
    "UPDATE ops.quarantine q SET resolved_at = :now FROM ops.return_receipt r JOIN unnest(CAST(:platform AS text[]),"
    " CAST(:form AS text[]), CAST(:period_code AS text[])) AS a (platform, form, period_code)"
    " USING (platform, form, period_code) WHERE q.receipt_id = r.receipt_id AND q.resolved_at IS NULL"
)
