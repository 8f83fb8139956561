"""Merging figures into the fact with vintages: what is new, what replaces what and why, what is gone.

Here: every statement that writes ``core.observation``. Not here: receipts and quarantine (:mod:`warehouse.loading`), what
is computed (:mod:`warehouse.computing`). A figure is never updated in place: a vintage ends, saying why, and another
begins. Statements are put together of constants of this module only; everything else is bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection

from warehouse.bulk import copy_frame
from warehouse.receipts import Refresh
from warehouse.schema import observation, staged_observation

SLICE = ("indicator_key", "period_key")
FIGURE = (*SLICE, "region_key", "area_key")


@dataclass(frozen=True)
class Merged:
    """What a merge did: ``counts`` (arrival_id, loaded, unchanged), ``changed`` (indicator_key, period_key, revisions)."""

    counts: pd.DataFrame
    changed: pd.DataFrame


def merge(
    connection: Connection,
    refresh: Refresh,
    staged: pd.DataFrame,
    *,
    is_complete: bool = False,
    lent: Sequence[int] = (),
) -> Merged:
    """Merge figures (columns of ``staging.observation``) into the fact, never in place.

    A figure with another value or status closes the old vintage, which says why, and adds one; an equal one changes
    nothing. With ``is_complete`` the frame holds all there is of the slices of ``pg_temp.wanted`` among computed figures:
    a current computed figure it lacks is closed. A revision is a change by more than half a unit of the coarser last
    digit; what is smaller is a change of precision. A figure that stands by a receipt of ``lent`` (the portal's) becomes the
    new source's own also where it is equal, so that the portal can no longer change it; so does one that was only computed.
    """
    connection.execute(sa.text("TRUNCATE staging.observation"))
    slices = staged[list(SLICE)].drop_duplicates()
    sizes = staged.groupby("arrival_id").size()
    if not is_complete and not _touches_known(connection, slices):
        _add_all(connection, refresh, staged)
        return Merged(sizes.rename("loaded").reset_index().assign(unchanged=0), slices.assign(revisions=0))
    copy_frame(connection, staged_observation, staged)
    connection.execute(sa.text("ANALYZE staging.observation"))
    touched = {name: sorted(set(slices[name].tolist())) for name in SLICE}
    parameters: dict[str, object] = {"recorded_at": refresh.recorded_at, "lent": list(lent)}
    connection.execute(sa.text("DROP TABLE IF EXISTS pg_temp.verdict"))
    connection.execute(_MAKE_VERDICT)
    connection.execute(_COMPARE, touched | parameters)
    if is_complete:
        connection.execute(_ADD_VANISHED)
    connection.execute(sa.text("ANALYZE pg_temp.verdict"))
    if connection.execute(_DELETE_OWN, parameters).rowcount:
        connection.execute(_REOPEN, parameters)
        connection.execute(_COMPARE_AGAIN, parameters)
        connection.execute(_FORGET_SAME)
    connection.execute(_CLOSE, parameters)
    connection.execute(_INSERT_CHANGED, parameters)
    loaded = pd.Series({row[0]: row[1] for row in connection.execute(_COUNT)}, dtype="int64").reindex(sizes.index)
    loaded = loaded.fillna(0).astype("int64")
    counts = pd.DataFrame(
        {"arrival_id": sizes.index, "loaded": loaded.to_numpy(), "unchanged": (sizes - loaded).to_numpy()}
    )
    return Merged(counts, pd.DataFrame(connection.execute(_CHANGED).all(), columns=[*SLICE, "revisions"]))


def _touches_known(connection: Connection, slices: pd.DataFrame) -> bool:
    """Whether any of these (indicator, period) pairs has a figure already."""
    return bool(connection.scalar(_ANY_KNOWN, {name: slices[name].tolist() for name in SLICE}))


def _add_all(connection: Connection, refresh: Refresh, figures: pd.DataFrame) -> None:
    """Figures of slices of which nothing is known go straight into the fact: there is nothing to compare them with.

    COPY fills whole pages and needs no second copy of the rows. Staging stays empty: what earlier deliveries said is in
    none of these slices, so that :func:`close_absent` finds all of it absent.
    """
    vintages = figures.rename(columns={"arrival_id": "receipt_id"})
    copy_frame(connection, observation, vintages.assign(recorded_at=refresh.recorded_at.isoformat()))


def close_absent(
    connection: Connection, refresh: Refresh, arrivals: pd.DataFrame, wave: pd.DataFrame, quarantined: pd.DataFrame
) -> pd.DataFrame:
    """Close what earlier deliveries of these returns said and these no longer hold: *withdrawn*, or *misread* where the bytes
    are the same and only the reading is another.

    A delivery of which nothing could be used takes nothing back. Nor does a new one that has cells in quarantine (texts
    outside its tables aside): whether a figure is gone or stands in one of those cells, nobody can tell. Returns a row a
    slice and delivery: arrival_id, indicator_key, period_key, revisions. Must follow the merge of ``wave``, the figures of
    the latest of ``arrivals``; the others, before it in the same load, are earlier deliveries too.
    """
    aside = set(quarantined.loc[quarantined["reason"] != "stray_cell", "arrival_id"])
    is_read = arrivals["arrival_id"].isin(wave["arrival_id"].unique())
    is_whole = ~arrivals["arrival_id"].isin(aside)
    takes = is_read & (is_whole | arrivals["is_reread"].astype(bool))
    earlier = _earlier_receipts(connection, arrivals.assign(is_whole=is_whole)[takes], arrivals[~is_read])
    if earlier.empty:
        return pd.DataFrame(columns=["arrival_id", *SLICE, "revisions"])
    parameters: dict[str, object] = {"recorded_at": refresh.recorded_at} | {
        str(name): earlier[name].tolist() for name in earlier
    }
    connection.execute(sa.text("DROP TABLE IF EXISTS pg_temp.absent"))
    connection.execute(_FIND_ABSENT, parameters)
    connection.execute(_DELETE_OWN_ABSENT, parameters)
    connection.execute(_CLOSE_ABSENT, parameters)
    rows = connection.execute(_COUNT_ABSENT).all()
    return pd.DataFrame(rows, columns=["arrival_id", *SLICE, "revisions"])


def _earlier_receipts(connection: Connection, arrivals: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Receipts of earlier deliveries of the same returns, those of this load among them, which have none yet: receipt_id,
    ended_by (the delivery), end_reason."""
    if arrivals.empty:
        return pd.DataFrame()
    keys = ("platform", "form", "period_code")
    columns = (*keys, "receipt_id", "sha256")
    asked: dict[str, object] = {name: arrivals[name].tolist() for name in keys}
    receipts = pd.DataFrame(connection.execute(_EARLIER_RECEIPTS, asked).all(), columns=list(columns))
    waiting = before.rename(columns={"arrival_id": "receipt_id"})[list(columns)]
    receipts = pd.concat([frame for frame in (receipts, waiting) if len(frame)] or [receipts], ignore_index=True)
    told = arrivals[[*keys, "arrival_id", "sha256", "is_reread", "is_whole"]]
    found = receipts.merge(told, on=list(keys), suffixes=("", "_now"))
    is_same = found["is_reread"].astype(bool) & (found["sha256"] == found["sha256_now"])
    found, is_same = found[found["is_whole"] | is_same], is_same[found["is_whole"] | is_same]
    reason = np.where(is_same, "misread", "withdrawn")
    return pd.DataFrame({"receipt_id": found["receipt_id"], "ended_by": found["arrival_id"], "end_reason": reason})


_OF_SAME_FIGURE = (
    "{0}.indicator_key = {1}.indicator_key AND {0}.period_key = {1}.period_key AND {0}.region_key = {1}.region_key"
    " AND {0}.area_key = {1}.area_key"
)
_EARLIER_RECEIPTS = sa.text(
    "SELECT platform, form, period_code, receipt_id, sha256 FROM ops.return_receipt JOIN unnest(CAST(:platform AS text[]),"
    " CAST(:form AS text[]), CAST(:period_code AS text[])) AS a (platform, form, period_code)"
    " USING (platform, form, period_code) WHERE sequence > 0"
)
_FIND_ABSENT = sa.text(
    "CREATE TEMPORARY TABLE absent ON COMMIT DROP AS WITH current AS MATERIALIZED (SELECT * FROM core.observation"
    " WHERE receipt_id = ANY(CAST(:receipt_id AS bigint[])) AND superseded_at = 'infinity')"
    " SELECT o.indicator_key, o.period_key, o.region_key, o.area_key, o.recorded_at, e.ended_by, e.end_reason"
    " FROM current o JOIN unnest(CAST(:receipt_id AS bigint[]), CAST(:ended_by AS bigint[]), CAST(:end_reason AS text[]))"
    " AS e (receipt_id, ended_by, end_reason) USING (receipt_id) WHERE NOT EXISTS"
    " (SELECT FROM staging.observation s WHERE " + _OF_SAME_FIGURE.format("s", "o") + ")"
)
# What this very refresh recorded was never shown to anyone; what it had replaced ends for the new reason.
_DELETE_OWN_ABSENT = sa.text(
    "WITH own AS (DELETE FROM core.observation o USING absent a WHERE a.recorded_at = :recorded_at"
    " AND o.recorded_at = a.recorded_at AND " + _OF_SAME_FIGURE.format("o", "a") + " RETURNING a.*)"
    " UPDATE core.observation o SET end_reason = own.end_reason, ended_by = own.ended_by FROM own"
    " WHERE o.superseded_at = :recorded_at AND " + _OF_SAME_FIGURE.format("o", "own")
)
_CLOSE_ABSENT = sa.text(
    "UPDATE core.observation o SET superseded_at = :recorded_at, end_reason = a.end_reason, ended_by = a.ended_by"
    " FROM absent a WHERE a.recorded_at < :recorded_at AND o.recorded_at = a.recorded_at AND "
    + _OF_SAME_FIGURE.format("o", "a")
)
_COUNT_ABSENT = sa.text("SELECT ended_by, indicator_key, period_key, count(*) FROM absent GROUP BY 1, 2, 3")
_ANY_KNOWN = sa.text(
    "SELECT EXISTS (SELECT FROM unnest(CAST(:indicator_key AS smallint[]), CAST(:period_key AS integer[]))"
    " AS s (indicator_key, period_key) WHERE EXISTS (SELECT FROM core.observation o"
    " WHERE o.indicator_key = s.indicator_key AND o.period_key = s.period_key))"
)
_MAKE_VERDICT = sa.text(
    "CREATE TEMPORARY TABLE verdict ON COMMIT DROP AS SELECT s.*, CAST(NULL AS timestamptz) AS old_recorded_at,"
    " CAST(NULL AS double precision) AS old_value, CAST(NULL AS double precision) AS old_last_digit,"
    " CAST(NULL AS text) AS verdict FROM staging.observation s WHERE false"
)
# How a figure differs from the one before it: 'new' is not known yet, 'same' says what was known. 4.65 - 4.6 is a little
# over 0.05 in binary: 1e-14 of the figure is noise (figures have 12 significant digits).
_DIFFERENCE = (
    "CASE WHEN o.indicator_key IS NULL THEN 'new'"
    " WHEN o.value IS NOT DISTINCT FROM s.value AND o.obs_status = s.obs_status"
    " THEN CASE WHEN o.receipt_id = ANY(CAST(:lent AS bigint[])) OR (o.receipt_id IS NULL AND s.arrival_id IS NOT NULL)"
    " THEN 'source' ELSE 'same' END"
    " WHEN s.arrival_id IS NULL THEN 'recomputed' WHEN o.value IS NOT DISTINCT FROM s.value THEN 'status'"
    " WHEN abs(coalesce(s.value, 'infinity') - coalesce(o.value, '-infinity'))"
    " > greatest(coalesce(s.last_digit, 0), coalesce(o.last_digit, 0)) / 2 + greatest(abs(s.value), abs(o.value)) * 1e-14"
    " THEN 'revision' ELSE 'precision' END"
)
# Only what differs is kept; the lists of keys let PostgreSQL pass over all other partitions of the fact.
_COMPARE = sa.text(
    "INSERT INTO verdict SELECT s.*, o.recorded_at AS old_recorded_at, o.value AS old_value, o.last_digit AS old_last_digit,"
    f" {_DIFFERENCE} AS verdict"
    " FROM staging.observation s LEFT JOIN (SELECT * FROM core.observation WHERE superseded_at = 'infinity'"
    " AND period_key = ANY(:period_key) AND indicator_key = ANY(:indicator_key)) o"
    " ON "
    + _OF_SAME_FIGURE.format("o", "s")
    + " WHERE o.indicator_key IS NULL OR o.value IS DISTINCT FROM s.value OR o.obs_status <> s.obs_status"
    " OR o.receipt_id = ANY(CAST(:lent AS bigint[])) OR (o.receipt_id IS NULL AND s.arrival_id IS NOT NULL)"
)
_ADD_VANISHED = sa.text(
    "INSERT INTO verdict (indicator_key, period_key, region_key, area_key, old_recorded_at, old_value, verdict)"
    " SELECT o.indicator_key, o.period_key, o.region_key, o.area_key, o.recorded_at, o.value, 'vanished'"
    " FROM core.observation o JOIN (SELECT DISTINCT indicator_key, period_key FROM pg_temp.wanted) w"
    " USING (indicator_key, period_key)"
    " WHERE o.superseded_at = 'infinity' AND o.receipt_id IS NULL AND NOT EXISTS (SELECT FROM staging.observation s"
    " WHERE " + _OF_SAME_FIGURE.format("s", "o") + ")"
)
# A vintage of this very refresh was never shown to anyone: a second delivery within the refresh replaces it, and is compared
# with the one before both.
_DELETE_OWN = sa.text(
    "DELETE FROM core.observation o USING verdict v WHERE v.old_recorded_at = :recorded_at"
    " AND o.recorded_at = :recorded_at AND " + _OF_SAME_FIGURE.format("o", "v")
)
_REOPEN = sa.text(
    "UPDATE core.observation o SET superseded_at = 'infinity', end_reason = NULL, ended_by = NULL FROM verdict v"
    " WHERE v.old_recorded_at = :recorded_at AND o.superseded_at = :recorded_at AND " + _OF_SAME_FIGURE.format("o", "v")
)
_COMPARE_AGAIN = sa.text(
    "UPDATE verdict v SET old_recorded_at = o.recorded_at, old_value = o.value, old_last_digit = o.last_digit,"
    " verdict = CASE WHEN v.verdict <> 'vanished' THEN " + _DIFFERENCE + " WHEN o.indicator_key IS NULL THEN 'same'"
    " ELSE 'vanished' END"
    " FROM verdict s LEFT JOIN core.observation o ON o.superseded_at = 'infinity' AND "
    + _OF_SAME_FIGURE.format("o", "s")
    + " WHERE v.old_recorded_at = :recorded_at AND "
    + _OF_SAME_FIGURE.format("s", "v")
)
_FORGET_SAME = sa.text("DELETE FROM verdict WHERE verdict = 'same'")
_CLOSE = sa.text(
    "UPDATE core.observation o SET superseded_at = :recorded_at,"
    " end_reason = CASE v.verdict WHEN 'vanished' THEN 'recomputed' ELSE v.verdict END, ended_by = v.arrival_id"
    " FROM verdict v WHERE v.old_recorded_at IS NOT NULL AND o.superseded_at = 'infinity'"
    " AND o.recorded_at = v.old_recorded_at AND " + _OF_SAME_FIGURE.format("o", "v")
)
_INSERT_CHANGED = sa.text(
    "INSERT INTO core.observation (indicator_key, period_key, region_key, area_key, recorded_at, value, obs_status,"
    " last_digit, receipt_id, address)"
    " SELECT indicator_key, period_key, region_key, area_key, :recorded_at, value, obs_status, last_digit, arrival_id,"
    " address FROM verdict WHERE verdict <> 'vanished'"
)
_COUNT = sa.text("SELECT arrival_id, count(*) FROM verdict WHERE arrival_id IS NOT NULL GROUP BY arrival_id")
_CHANGED = sa.text(
    "SELECT indicator_key, period_key, count(*) FILTER (WHERE verdict = 'revision') FROM verdict"
    " GROUP BY indicator_key, period_key"
)
