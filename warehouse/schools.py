"""Rosters of schools: from the cells that returns hold to ``core.school_resource`` with its vintages, and back as a frame.

Here: what a delivery changes in the roster of its return, and every statement on that table. Not here: reading a roster
(returns room), the balance of a county (:mod:`warehouse.marts.county_balance`).

A row is a school and stage. It is never updated in place: where any of its figures changes, the row as it was ends, saying
why, and another begins, with all the cells of the delivery. A figure whose cell is in quarantine is unknown in it, not what
an earlier delivery said: a school is judged by figures of one return, or not at all.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection

from warehouse.bulk import copy_frame
from warehouse.catalogue import Catalogue
from warehouse.panels import STATUSES, Slice, status_ranks
from warehouse.periods import parse_period, period_from_key
from warehouse.receipts import Refresh
from warehouse.reference import ensure_periods
from warehouse.schema import return_receipt, school_resource

PUPILS = "PUPILS"
"""The item of a roster that counts pupils; the others are resource codes of the catalogue."""

ROSTER_COLUMNS = (
    "arrival_id",
    "region_code",
    "period_code",
    "school_code",
    "school_name",
    "stage",
    "item",
    "value",
    "obs_status",
    "address",
    "raw_text",
)
"""Of the frame that the returns room gives: one row a cell that may be loaded."""

KEY = ("indicator_key", "period_key", "region_key", "school_code")
_RETURN = ["province", "period_key"]
"""Whose roster it is: a province has one return for a school year."""
_SEPARATOR = "|"


def empty_roster() -> pd.DataFrame:
    """The frame of returns that hold no roster."""
    types = {"arrival_id": "int64", "value": "float64"}
    return pd.DataFrame({name: pd.Series(dtype=types.get(name, "str")) for name in ROSTER_COLUMNS})


def empty_schools(catalogue: Catalogue) -> pd.DataFrame:
    """No schools, with the columns of :func:`read_schools`."""
    return _typed([], catalogue)


def amount_columns(catalogue: Catalogue) -> list[str]:
    """The columns of pupils and the seven amounts, in the order of the table."""
    return ["pupils", *(line.column for line in catalogue.school_lines)]


def slices_of(slices: Iterable[Slice], catalogue: Catalogue) -> set[Slice]:
    """Of ``slices`` those of rosters; the others are of figures."""
    return {key for key in slices if key[0] in catalogue.school_keys}


@dataclass(frozen=True)
class LoadedRosters:
    """What loading did: ``counts`` (arrival_id, loaded, unchanged), in cells; ``changed`` (indicator_key, period_key,
    revisions), revisions in schools."""

    counts: pd.DataFrame
    changed: pd.DataFrame


# --- from cells to rows ---


def to_rows(roster: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Rows as ``core.school_resource`` has them, one a delivery, school and stage: the cells of a roster side by side.

    Beside the columns of the table: ``arrival_id``, and ``cells``, how many of the row are there. The status is the weakest
    of the figures that have a value.
    """
    columns = amount_columns(catalogue)
    if roster.empty:
        return pd.DataFrame(columns=["arrival_id", *KEY, "school_name", "cells", *columns, "obs_status", "addresses"])
    stages = {stage.stage: stage.indicator_key for stage in catalogue.school_stages.values()}
    items = [PUPILS, *(line.resource_code for line in catalogue.school_lines)]
    cells = roster.assign(
        indicator_key=roster["stage"].astype(str).map(stages).astype("int64"),
        period_key=roster["period_code"].astype(str).map(_period_keys(roster)).astype("int64"),
        region_key=roster["region_code"].astype("int64"),
        place=pd.Categorical(roster["item"], categories=items).codes,
        rank=np.where(roster["value"].notna(), status_ranks(roster["obs_status"]), len(STATUSES)),
    )
    own = ["arrival_id", *KEY]
    grouped = cells.groupby(own, sort=True)
    rows = grouped.agg(school_name=("school_name", "first"), rank=("rank", "min"), cells=("item", "size"))
    indexed = cells.set_index([*own, "place"])
    places = range(len(items))
    values = indexed["value"].unstack().reindex(index=rows.index, columns=places)
    addresses = indexed["address"].unstack().reindex(index=rows.index, columns=places).astype(object).fillna("")
    joined = addresses[0]
    for place in places[1:]:
        joined = joined + _SEPARATOR + addresses[place]
    letters = np.array([*STATUSES, "M"], dtype=object)[rows.pop("rank").to_numpy()]
    return pd.concat([rows, values.set_axis(columns, axis=1).astype("float64")], axis=1).assign(
        obs_status=letters, addresses=joined
    ).reset_index()  # fmt: skip


def _period_keys(roster: pd.DataFrame) -> dict[str, int]:
    return {code: parse_period(code).key for code in roster["period_code"].astype(str).unique()}


# --- what deliveries change ---


@dataclass(frozen=True)
class Followed:
    """The rosters after some deliveries: ``rows`` then, ``counts`` by delivery, and of the rows that went away ``gone``, with
    end_reason and ended_by."""

    rows: pd.DataFrame
    counts: pd.DataFrame
    gone: pd.DataFrame


def follow(current: pd.DataFrame, delivered: pd.DataFrame, arrivals: pd.DataFrame, amounts: list[str]) -> Followed:
    """Apply the deliveries one after the other, those of different returns side by side.

    ``current``: rows known before, with receipt_id and the ``sha256`` of that receipt. ``arrivals``: arrival_id, province,
    period_key, sha256, is_reread, ``is_read`` (anything of it could be used) and ``is_whole`` (nothing of it is in
    quarantine), in the order in which a later one wins. A school that a delivery does not hold is gone, unless the
    delivery could not be read, or has cells in quarantine that it might be; of the very bytes read anew it was misread.
    """
    state = current.drop(columns="recorded_at").assign(province=current["region_key"] // 10_000)
    counts, gone = [], []
    turn = arrivals.groupby(_RETURN).cumcount()
    for number in sorted(turn.unique().tolist()):
        now = arrivals[turn == number]
        rows = delivered[delivered["arrival_id"].isin(now["arrival_id"])]
        rows = rows.assign(province=rows["region_key"] // 10_000)
        same = _same_as(rows, state, amounts)
        told = rows[["arrival_id", "cells"]].assign(is_same=same)
        counts.append(
            pd.DataFrame(
                {
                    "loaded": told["cells"].where(~told["is_same"], 0).groupby(told["arrival_id"]).sum(),
                    "unchanged": told["cells"].where(told["is_same"], 0).groupby(told["arrival_id"]).sum(),
                }
            ).reset_index()
        )
        absent = _absent(state, rows, now)
        gone.append(absent)
        changed = rows[~same].merge(now[["arrival_id", "sha256"]], on="arrival_id")
        changed = changed.assign(receipt_id=changed["arrival_id"])[state.columns]
        leaves = _is_in(state, absent) | _is_in(state, changed)
        state = _stack([state[~leaves], changed])
    left = _stack(gone) if gone else state.iloc[:0].assign(end_reason="", ended_by=0)
    return Followed(state, _stack(counts), left[~_is_in(left, state)].drop_duplicates(list(KEY), keep="last"))


def _same_as(rows: pd.DataFrame, state: pd.DataFrame, amounts: list[str]) -> pd.Series[bool]:
    """Which rows say what is known."""
    contents = ["school_name", "obs_status", *amounts]
    known = rows[[*KEY]].merge(state[[*KEY, *contents]], on=list(KEY), how="left", indicator=True)
    is_same = (known["_merge"] == "both").to_numpy(copy=True)
    for name in contents:
        old, new = known[name].to_numpy(), rows[name].to_numpy()
        is_same &= (old == new) | (pd.isna(old) & pd.isna(new))
    return pd.Series(is_same, index=rows.index)


def _absent(state: pd.DataFrame, rows: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Rows of the returns that are delivered now which the deliveries take back, with end_reason and ended_by."""
    told = now[[*_RETURN, "arrival_id", "sha256", "is_reread", "is_read", "is_whole"]]
    missing = state[~_is_in(state, rows)].merge(told, on=_RETURN, suffixes=("", "_now"))
    is_misread = missing["is_reread"].astype(bool) & (missing["sha256"] == missing["sha256_now"])
    takes = missing["is_read"].astype(bool) & (missing["is_whole"].astype(bool) | is_misread)
    absent = missing.assign(end_reason=np.where(is_misread, "misread", "withdrawn"), ended_by=missing["arrival_id"])
    return absent.loc[takes, [*state.columns, "end_reason", "ended_by"]]


def _is_in(frame: pd.DataFrame, other: pd.DataFrame) -> pd.Series[bool]:
    """Which rows have a key that stands in another frame."""
    keys = pd.MultiIndex.from_frame(frame[list(KEY)])
    return pd.Series(keys.isin(pd.MultiIndex.from_frame(other[list(KEY)])), index=frame.index)


def _stack(frames: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)


# --- in the database ---


def load_rosters(
    connection: Connection,
    refresh: Refresh,
    arrivals: pd.DataFrame,
    roster: pd.DataFrame,
    read: Collection[int],
    aside: Collection[int],
    catalogue: Catalogue,
) -> LoadedRosters:
    """Load the rosters of deliveries: ``read`` are those of which anything could be used, ``aside`` those with cells in
    quarantine. ``arrivals`` as :func:`warehouse.loading.load_returns` takes them.
    """
    amounts = amount_columns(catalogue)
    keys = _period_keys(arrivals)
    if roster.empty and not any(period_from_key(key).kind == "school_year" for key in keys.values()):
        return _NOTHING
    told = arrivals.assign(
        province=arrivals["region_code"].astype("int64") // 10_000,
        period_key=arrivals["period_code"].map(keys).astype("int64"),
        is_read=arrivals["arrival_id"].isin(list(read)),
        is_whole=~arrivals["arrival_id"].isin(list(aside)),
    )
    current = _read_current(connection, told, amounts)
    if roster.empty and current.empty:
        return _NOTHING
    ensure_periods(connection, keys.values())
    followed = follow(current, to_rows(roster, catalogue), told, amounts)
    is_kept = _same_as(current, followed.rows, amounts) & ~_is_in(current, followed.gone)
    replaced = current[~is_kept & _is_in(current, followed.rows)]
    begun = followed.rows[~_is_in(followed.rows, current[is_kept])]
    gone = followed.gone[[*KEY, "end_reason", "ended_by"]].merge(current[[*KEY]], on=list(KEY))
    by = begun[[*KEY, "receipt_id"]].rename(columns={"receipt_id": "ended_by"})
    ended = replaced[[*KEY]].merge(by, on=list(KEY)).assign(end_reason="revision")
    _close(connection, refresh.recorded_at, _stack([gone, ended]))
    columns = [*KEY, "school_name", *amounts, "obs_status", "receipt_id", "addresses"]
    copy_frame(connection, school_resource, begun[columns].assign(recorded_at=refresh.recorded_at.isoformat()))
    moved = _stack([gone, ended, begun])[["indicator_key", "period_key"]].drop_duplicates()
    revised = _stack([gone, ended]).groupby(["indicator_key", "period_key"]).size().rename("revisions").reset_index()
    changed = moved.merge(revised, how="left").fillna({"revisions": 0}).astype("int64")
    return LoadedRosters(followed.counts, changed)


_NOTHING = LoadedRosters(
    pd.DataFrame(columns=["arrival_id", "loaded", "unchanged"], dtype="int64"),
    pd.DataFrame(columns=["indicator_key", "period_key", "revisions"], dtype="int64"),
)


def _read_current(connection: Connection, arrivals: pd.DataFrame, amounts: list[str]) -> pd.DataFrame:
    """The rows in force of the returns that are delivered."""
    table, receipts = school_resource, return_receipt
    names = [*KEY, "school_name", *amounts, "obs_status", "receipt_id", "addresses", "recorded_at"]
    pairs = arrivals[_RETURN].drop_duplicates().to_numpy().tolist()
    query = (
        sa.select(*(table.c[name] for name in names), receipts.c.sha256)
        .outerjoin(receipts, receipts.c.receipt_id == table.c.receipt_id)
        .where(table.c.superseded_at == sa.text("'infinity'"))
        .where(sa.tuple_(table.c.region_key // 10_000, table.c.period_key).in_([tuple(pair) for pair in pairs]))
    )
    frame = pd.DataFrame(connection.execute(query).all(), columns=[*names, "sha256"])
    types = dict.fromkeys((*KEY[:3], "receipt_id"), "int64") | dict.fromkeys(amounts, "float64")
    return frame.astype(types)


def _close(connection: Connection, moment: datetime.datetime, ended: pd.DataFrame) -> None:
    """End rows. One that this very refresh recorded was never shown to anyone: it goes without a trace."""
    if ended.empty:
        return
    parameters: dict[str, object] = {
        name: ended[name].tolist() for name in (*KEY, "end_reason", "ended_by")
    } | {"moment": moment}  # fmt: skip
    connection.execute(_DELETE_OWN, parameters)
    connection.execute(_END, parameters)


_ENDED = (
    "unnest(CAST(:indicator_key AS smallint[]), CAST(:period_key AS integer[]), CAST(:region_key AS integer[]),"
    " CAST(:school_code AS text[]), CAST(:end_reason AS text[]), CAST(:ended_by AS bigint[]))"
    " AS e (indicator_key, period_key, region_key, school_code, end_reason, ended_by)"
    " WHERE s.superseded_at = 'infinity' AND s.indicator_key = e.indicator_key AND s.period_key = e.period_key"
    " AND s.region_key = e.region_key AND s.school_code = e.school_code"
)
_DELETE_OWN = sa.text(
    f"DELETE FROM core.school_resource s USING {_ENDED} AND s.recorded_at = :moment"  # noqa: S608 (constants)
)
_END = sa.text(
    "UPDATE core.school_resource s SET superseded_at = :moment, end_reason = e.end_reason, ended_by = e.ended_by"  # noqa: S608
    f" FROM {_ENDED}"
)


def read_schools(
    connection: Connection, slices: Collection[Slice], catalogue: Catalogue, as_of: datetime.datetime | None = None
) -> pd.DataFrame:
    """Schools of these slices, current or as known at ``as_of``: the key, name, pupils, amounts and obs_status."""
    table = school_resource
    names = [*KEY, "school_name", *amount_columns(catalogue), "obs_status"]
    query = sa.select(*(table.c[name] for name in names)).where(
        sa.tuple_(table.c.indicator_key, table.c.period_key).in_(sorted(slices))
    )
    if as_of is None:
        query = query.where(table.c.superseded_at == sa.text("'infinity'"))
    else:
        query = query.where(table.c.recorded_at <= as_of, table.c.superseded_at > as_of)
    rows = connection.execute(query).all() if slices else []
    return _typed(rows, catalogue).sort_values(list(KEY), ignore_index=True)


def _typed(rows: Sequence[Any], catalogue: Catalogue) -> pd.DataFrame:
    amounts = amount_columns(catalogue)
    frame = pd.DataFrame(rows, columns=[*KEY, "school_name", *amounts, "obs_status"])
    return frame.astype(dict.fromkeys(KEY[:3], "int64") | dict.fromkeys(amounts, "float64"))
