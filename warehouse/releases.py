"""What people do with releases: list, show, approve, refuse, withdraw; and what a release holds, told and proved.

Here: decisions about the pointer, the difference of two releases, computing a release again. Not here: making a release
(:mod:`warehouse.publishing`), wording and printing.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection

from warehouse.catalogue import Catalogue
from warehouse.errors import NoSuchReleaseError, ReleaseDecisionError
from warehouse.publishing import (
    BY_POLICY,
    after_last_move,
    in_force_release,
    lock_decisions,
    move_pointer,
    record_decision,
)
from warehouse.reference import sync_catalogue
from warehouse.schema import release, release_pointer

SHOWN = 10
"""Rows of each kind that a difference lists; counts are of all."""


def list_releases(connection: Connection) -> pd.DataFrame:
    """Every release, newest first: release_id, published_at, status, observations, revisions, checks, hash, held_because."""
    return _frame(
        connection,
        "SELECT release_id, published_at, status, observations, revisions, checks_warned, marts_sha256, held_because"
        " FROM mart.release ORDER BY release_id DESC",
    )


def read_release(connection: Connection, release_id: int) -> dict[str, Any]:
    """A row of ``mart.release``; raises :class:`NoSuchReleaseError`."""
    query = sa.text("SELECT * FROM mart.release WHERE release_id = :release_id")
    found = connection.execute(query, {"release_id": release_id}).mappings().one_or_none()
    if found is None:
        newest = connection.scalar(sa.select(sa.func.max(release.c.release_id)))
        raise NoSuchReleaseError(release_id, None if newest is None else int(newest))
    return dict(found)


def read_decisions(connection: Connection, release_id: int) -> pd.DataFrame:
    """What was decided about a release, oldest first: action, operator, why, decided_at, live_at."""
    return _frame(
        connection,
        "SELECT action, operator, why, decided_at, live_at FROM mart.release_decision WHERE release_id = :release_id"
        " ORDER BY decision_id",
        release_id=release_id,
    )


def approve(
    connection: Connection,
    release_id: int,
    operator: str,
    why: str | None,
    now: datetime.datetime,
    catalogue: Catalogue | None = None,
) -> None:
    """Let readers see a release that is held, or was refused or withdrawn; at once.

    ``catalogue``, where it is the one the release was made with, brings names, units and standards to what it says.
    Raises :class:`ReleaseDecisionError` where it is seen already or a newer one is.
    """
    lock_decisions(connection)
    found = read_release(connection, release_id)
    if found["status"] not in ("held", "refused", "withdrawn"):
        raise ReleaseDecisionError(release_id, "approved", f"it is {found['status']}")
    in_force = in_force_release(connection)
    if in_force is not None and in_force > release_id:
        raise ReleaseDecisionError(
            release_id, "approved", f"release {in_force}, which is in force, stands on it or is newer"
        )
    if catalogue is not None and catalogue.sha256 == found["catalogue_sha256"]:
        sync_catalogue(connection, catalogue)
    live_at = after_last_move(connection, now)
    _set_status(connection, release_id, "published", published_at=live_at)
    move_pointer(connection, release_id, live_at)
    record_decision(connection, release_id, "approve", operator, why, now, live_at)


def refuse(connection: Connection, release_id: int, operator: str, why: str, now: datetime.datetime) -> None:
    """Say that a held release will not be seen; what it says is not published again until it is approved or mended."""
    lock_decisions(connection)
    found = read_release(connection, release_id)
    if found["status"] != "held":
        raise ReleaseDecisionError(release_id, "refused", f"it is {found['status']}; only a held one can be")
    _set_status(connection, release_id, "refused")
    record_decision(connection, release_id, "refuse", operator, why, now)


def withdraw(connection: Connection, release_id: int, operator: str, why: str, now: datetime.datetime) -> int | None:
    """Take back the release in force, or one under embargo before it goes live; the release that readers see then.

    What it said is not published again until it is approved or its source is mended. Raises
    :class:`ReleaseDecisionError` where it is neither, or nothing was published before it.
    """
    lock_decisions(connection)
    found = read_release(connection, release_id)
    if found["status"] not in ("in_force", "embargoed"):
        raise ReleaseDecisionError(release_id, "withdrawn", f"it is {found['status']}, not in force")
    if found["status"] == "embargoed":
        # Nobody ever saw it: the move that was to come is taken out, and the decision kept.
        connection.execute(sa.delete(release_pointer).where(release_pointer.c.release_id == release_id))
        _set_status(connection, release_id, "withdrawn", published_at=None)
        record_decision(connection, release_id, "withdraw", operator, why, now)
        _hold_later(connection, release_id, now)
        return in_force_release(connection)
    before = connection.scalar(
        sa.text("SELECT max(release_id) FROM mart.release WHERE status = 'published' AND release_id < :release_id"),
        {"release_id": release_id},
    )
    if before is None:
        raise ReleaseDecisionError(release_id, "withdrawn", "no release was published before it")
    live_at = after_last_move(connection, now)
    _set_status(connection, release_id, "withdrawn")
    move_pointer(connection, int(before), live_at)
    record_decision(connection, release_id, "withdraw", operator, why, now)
    _hold_later(connection, release_id, now)
    return int(before)


def _hold_later(connection: Connection, release_id: int, now: datetime.datetime) -> None:
    """Releases under embargo that stand on one that was just withdrawn wait for a person."""
    waiting = sa.text("SELECT release_id FROM mart.release WHERE status = 'embargoed' AND release_id > :release_id")
    told = f"it stands on release {release_id}, which was withdrawn"
    for later in connection.scalars(waiting, {"release_id": release_id}).all():
        connection.execute(sa.delete(release_pointer).where(release_pointer.c.release_id == later))
        _set_status(connection, int(later), "held", published_at=None, held_because=told)
        record_decision(connection, int(later), "hold", BY_POLICY, told, now)


@dataclass(frozen=True)
class Difference:
    """What moved from release ``older`` to release ``newer``, and why.

    ``figures``: indicator_code, indicator_name, then a count a kind (added, revision, precision, status, withdrawn, misread).
    ``revisions``: the largest relative changes and what was withdrawn, rows of ``mart.revision``. ``slices``: mart, added,
    changed, removed. ``inequality``: indicator_code, period_code, area_type, scope, weighting, old_gini, new_gini,
    old_status, new_status, because (counts of changed figures by base indicator).
    """

    older: int
    newer: int
    figures: pd.DataFrame
    revisions: pd.DataFrame
    slices: pd.DataFrame
    inequality: pd.DataFrame


def diff_releases(connection: Connection, one: int, other: int) -> Difference:
    """The difference of two releases, in the order of their numbers."""
    older, newer = sorted((one, other))
    first, last = read_release(connection, older), read_release(connection, newer)
    span = {"first": first["recorded_at"], "last": last["recorded_at"]}
    numbers = {"older": older, "newer": newer}
    figures = _frame(connection, _FIGURES, **span)
    return Difference(
        older,
        newer,
        figures,
        _frame(connection, _REVISIONS, shown=SHOWN, **span),
        _frame(connection, _SLICES, **numbers),
        _frame(connection, _INEQUALITY, shown=SHOWN, **numbers, **span),
    )


def _set_status(connection: Connection, release_id: int, status: str, **more: Any) -> None:
    connection.execute(sa.update(release).where(release.c.release_id == release_id).values(status=status, **more))


def _frame(connection: Connection, statement: str, **parameters: Any) -> pd.DataFrame:
    result = connection.execute(sa.text(statement), parameters)
    return pd.DataFrame(result.all(), columns=list(result.keys()))


# What stood at the older release and ended since tells of what kind the change was; what began and had no forerunner is new.
_FIGURES = """
WITH begun AS (
  SELECT o.indicator_key, 'added' AS kind FROM core.observation o
  WHERE o.recorded_at > :first AND o.recorded_at <= :last AND o.superseded_at > :last AND o.receipt_id IS NOT NULL
    AND NOT EXISTS (SELECT FROM core.observation b WHERE b.indicator_key = o.indicator_key AND b.period_key = o.period_key
      AND b.region_key = o.region_key AND b.area_key = o.area_key AND b.recorded_at <= :first AND b.superseded_at > :first)),
ended AS (
  SELECT o.indicator_key, o.end_reason AS kind FROM core.observation o
  WHERE o.superseded_at > :first AND o.superseded_at <= :last AND o.recorded_at <= :first AND o.receipt_id IS NOT NULL)
SELECT i.code AS indicator_code, i.name_zh AS indicator_name, count(*) FILTER (WHERE c.kind = 'added') AS added,
       count(*) FILTER (WHERE c.kind = 'revision') AS revision, count(*) FILTER (WHERE c.kind = 'precision') AS precision,
       count(*) FILTER (WHERE c.kind = 'status') AS status, count(*) FILTER (WHERE c.kind = 'withdrawn') AS withdrawn,
       count(*) FILTER (WHERE c.kind = 'misread') AS misread
FROM (SELECT * FROM begun UNION ALL SELECT * FROM ended) c JOIN core.indicator i USING (indicator_key)
GROUP BY i.code, i.name_zh ORDER BY count(*) DESC, i.code
"""
_REVISIONS = """
SELECT indicator_code, region_code, region_name, period_code, area_type, old_value, new_value, unit, relative_change, kind,
       revised_at, platform
FROM mart.revision WHERE revised_at > :first AND revised_at <= :last
ORDER BY (kind <> 'revision') DESC, abs(relative_change) DESC NULLS LAST, indicator_code, period_code, region_code, area_type
LIMIT :shown
"""
_SLICES = """
WITH one AS (SELECT * FROM ops.slice_digest WHERE release_from <= :older AND (release_to IS NULL OR release_to > :older)),
other AS (SELECT * FROM ops.slice_digest WHERE release_from <= :newer AND (release_to IS NULL OR release_to > :newer))
SELECT coalesce(one.mart, other.mart) AS mart, count(*) FILTER (WHERE one.mart IS NULL) AS added,
       count(*) FILTER (WHERE one.sha256 <> other.sha256) AS changed, count(*) FILTER (WHERE other.mart IS NULL) AS removed
FROM one FULL JOIN other USING (mart, indicator_key, period_key)
WHERE one.sha256 IS DISTINCT FROM other.sha256 GROUP BY 1 ORDER BY 1
"""
_INEQUALITY = """
WITH one AS (SELECT * FROM mart.inequality_history WHERE scope LIKE 'nation:%' AND release_from <= :older
             AND (release_to IS NULL OR release_to > :older)),
other AS (SELECT * FROM mart.inequality_history WHERE scope LIKE 'nation:%' AND release_from <= :newer
          AND (release_to IS NULL OR release_to > :newer)),
moved AS (SELECT indicator_code, period_code, area_type, scope, weighting, one.gini AS old_gini, other.gini AS new_gini,
                 one.status AS old_status, other.status AS new_status
          FROM one FULL JOIN other USING (indicator_code, period_code, area_type, scope, weighting)
          WHERE one.gini IS DISTINCT FROM other.gini OR one.status IS DISTINCT FROM other.status)
SELECT m.*, (
  SELECT string_agg(format('%s: %s', told.code, told.counts), '; ' ORDER BY told.code) FROM (
    SELECT b.code, concat_ws(', ', nullif(count(*) FILTER (WHERE o.recorded_at > :first) || ' figures added or changed',
             '0 figures added or changed'), nullif(count(*) FILTER (WHERE o.recorded_at <= :first
             AND o.superseded_at <= :last AND o.end_reason IN ('withdrawn', 'misread')) || ' gone', '0 gone')) AS counts
    FROM core.observation o JOIN core.indicator b USING (indicator_key) JOIN core.period p USING (period_key)
    JOIN core.indicator d ON d.code = m.indicator_code
    WHERE o.receipt_id IS NOT NULL AND p.period_code = m.period_code
      AND (b.code = d.code OR b.code = ANY(string_to_array(regexp_replace(
           coalesce(d.numerator, '') || '+' || coalesce(d.denominator, ''), '@[a-z]+', '', 'g'), '+')))
      AND (o.recorded_at > :first AND o.recorded_at <= :last AND o.superseded_at > :last
           OR o.superseded_at > :first AND o.superseded_at <= :last AND o.recorded_at <= :first)
    GROUP BY b.code) told WHERE told.counts <> '') AS because
FROM moved m
ORDER BY abs(m.new_gini - m.old_gini) / nullif(m.old_gini, 0) DESC NULLS LAST, m.indicator_code, m.period_code, m.area_type,
         m.scope, m.weighting
LIMIT :shown
"""
