"""Releases: writing mart rows for a coming release, hashing contents, and moving the pointer that readers follow.

Here: everything about ``release_from`` / ``release_to``, ``ops.slice_digest``, ``ops.release`` and its pointer. Not here:
what the rows say (:mod:`warehouse.marts`).

Rows of a coming release are written beside those in force and seen by nobody, for the views show the release the pointer
names. :func:`publish` moves the pointer in the transaction that records the release; whatever a killed refresh left
unpublished, :func:`discard_unpublished` removes.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar
from zoneinfo import ZoneInfo

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection, Table

from warehouse import schema
from warehouse.bulk import copy_frame
from warehouse.catalogue import Catalogue
from warehouse.errors import PublishRefusedError
from warehouse.marts.registry import MARTS
from warehouse.receipts import Refresh
from warehouse.reference import sync_catalogue
from warehouse.schema import changed_slice, check_result, release, release_in_force, release_pointer, slice_digest

MART_TABLES: Mapping[str, Table] = {mart.name: mart.table for mart in MARTS.values()}
"""Tables of the marts by name."""

FACTS: Mapping[str, Table] = {"observation": schema.observation, "school_resource": schema.school_resource}
"""Tables of what is known, by the name under which it is published and hashed: each row is a vintage."""

_VALIDITY = ("release_from", "release_to")
_VINTAGE = (
    "recorded_at",
    "superseded_at",
    "last_digit",
    "receipt_id",
    "address",
    "addresses",
    "end_reason",
    "ended_by",
)


SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class ReleasePolicy:
    """When a release that passed its checks goes live: at once, when a person approves it, or at the next ``embargo_time``."""

    needs_approval: bool = False
    embargo_time: datetime.time | None = None
    """Time of the day in Asia/Shanghai."""
    is_repeated: ClassVar[bool] = False

    @property
    def is_embargo(self) -> bool:
        """Whether a release goes live ahead of time, by the database's clock."""
        return self.embargo_time is not None

    @property
    def held_because(self) -> str | None:
        """Why a release waits for a person; None where it does not."""
        return "the policy asks for approval" if self.needs_approval else None

    def live_at(self, now: datetime.datetime) -> datetime.datetime:
        """From when a release made now is seen."""
        if self.embargo_time is None:
            return now
        today = now.astimezone(SHANGHAI)
        moment = datetime.datetime.combine(today.date(), self.embargo_time, SHANGHAI)
        return moment if moment > now else moment + datetime.timedelta(days=1)


AUTOMATIC = ReleasePolicy()


@dataclass(frozen=True)
class RepeatedPolicy(ReleasePolicy):
    """What became of a release when it was made, for a rebuild that makes it again."""

    was_held_because: str | None = None
    was_live_at: datetime.datetime | None = None
    was_embargo: bool = False
    is_repeated: ClassVar[bool] = True

    @property
    def is_embargo(self) -> bool:
        """As it was."""
        return self.was_embargo

    @property
    def held_because(self) -> str | None:
        """As it was."""
        return self.was_held_because

    def live_at(self, now: datetime.datetime) -> datetime.datetime:
        """As it was."""
        return self.was_live_at or now


@dataclass(frozen=True)
class Release:
    """A release that was made. ``action``: publish, hold or embargo. ``live_at``: from when readers see it; None: it is held,
    and ``held_because`` says why."""

    release_id: int
    observations: int
    revisions: int
    marts_sha256: str
    action: str
    live_at: datetime.datetime | None
    held_because: str | None = None


def next_release_id(connection: Connection) -> int:
    """Number the next release will have."""
    return int(connection.scalar(sa.select(sa.func.coalesce(sa.func.max(release.c.release_id), 0))) or 0) + 1


def discard_unpublished(connection: Connection, release_id: int) -> None:
    """Undo whatever was written for release ``release_id`` or later and never published."""
    for table in (*MART_TABLES.values(), slice_digest):
        connection.execute(sa.delete(table).where(table.c.release_from >= release_id))
        connection.execute(sa.update(table).where(table.c.release_to >= release_id).values(release_to=None))
    connection.execute(
        sa.update(changed_slice)
        .where(changed_slice.c.release_id.is_(None), changed_slice.c.candidate.is_not(None))
        .values(candidate=None)
    )


def unpublished_slices(connection: Connection) -> pd.DataFrame:
    """(indicator_key, period_key) pairs that loads changed and no release shows yet."""
    columns = (changed_slice.c.indicator_key, changed_slice.c.period_key)
    rows = connection.execute(sa.select(*columns).where(changed_slice.c.release_id.is_(None)).distinct()).all()
    return pd.DataFrame(rows, columns=["indicator_key", "period_key"])


def write_mart(connection: Connection, mart: str, frame: pd.DataFrame, release_id: int) -> int:
    """Replace the slices of ``pg_temp.wanted`` by ``frame`` from release ``release_id`` on; returns rows written.

    ``frame`` has the columns of the mart's table but its validity.
    """
    table = MART_TABLES[mart]
    wanted = sa.text("(indicator_key, period_key) IN (SELECT indicator_key, period_key FROM pg_temp.wanted)")
    connection.execute(
        sa.update(table)
        .where(table.c.release_to.is_(None), table.c.release_from < release_id, wanted)
        .values(release_to=release_id)
    )
    columns = [column.name for column in table.columns if column.name not in _VALIDITY]
    return copy_frame(connection, table, frame[columns].assign(release_from=release_id))


def digest_slices(connection: Connection, mart: str, release_id: int) -> None:
    """Hash the slices of ``pg_temp.wanted`` of a mart (or of one of :data:`FACTS`) as release ``release_id`` will show them.

    A hash covers keys, values and statuses in a fixed order; no ids, no times.
    """
    wanted = sa.table("wanted", sa.column("indicator_key"), sa.column("period_key"), schema="pg_temp")
    keys = sa.tuple_(slice_digest.c.indicator_key, slice_digest.c.period_key)
    connection.execute(
        sa.update(slice_digest)
        .where(slice_digest.c.mart == mart)
        .where(slice_digest.c.release_to.is_(None), slice_digest.c.release_from < release_id)
        .where(keys.in_(sa.select(wanted.c.indicator_key, wanted.c.period_key)))
        .values(release_to=release_id)
    )
    table = MART_TABLES[mart] if mart in MART_TABLES else FACTS[mart]
    is_wanted = sa.and_(wanted.c.indicator_key == table.c.indicator_key, wanted.c.period_key == table.c.period_key)
    is_in_force = table.c.release_to.is_(None) if mart in MART_TABLES else table.c.superseded_at == _INFINITY
    selected = digest_of(mart, table).add_columns(sa.literal(release_id)).join(wanted, is_wanted).where(is_in_force)
    names = ["mart", "indicator_key", "period_key", "rows", "sha256", "release_from"]
    connection.execute(sa.insert(slice_digest).from_select(names, selected))


def digest_of(mart: str, table: Table) -> sa.Select[tuple[str, int, int, int, str]]:
    """Hash of each (indicator, period) of a table that holds a mart's rows: mart, indicator_key, period_key, rows, sha256.

    The grade is left out: it tells how figures were judged on the way, which is not the same for a rebuilt warehouse.
    """
    hidden = {"indicator_key", "period_key", "standard_key", "grade", *_VALIDITY, *_VINTAGE}
    columns = (MART_TABLES[mart] if mart in MART_TABLES else FACTS[mart]).columns
    row = sa.cast(sa.func.row(*(table.c[column.name] for column in columns if column.name not in hidden)), sa.Text)
    joined = sa.func.string_agg(row, sa.dialects.postgresql.aggregate_order_by(sa.literal("\n"), sa.collate(row, "C")))
    digest = sa.func.encode(sa.func.sha256(sa.func.convert_to(joined, "UTF8")), "hex")
    keys = (table.c.indicator_key, table.c.period_key)
    return sa.select(sa.literal(mart), *keys, sa.func.count(), digest).group_by(*keys)


_INFINITY = sa.text("'infinity'")


def nominate(connection: Connection, release_id: int) -> None:
    """Say that the marts written for release ``release_id`` cover all that changed so far, and that their checks hold.

    To be called in the transaction that computed them: what another load changes later is not covered.
    """
    is_open = changed_slice.c.release_id.is_(None)
    connection.execute(sa.update(changed_slice).where(is_open).values(candidate=release_id))


def publish(
    connection: Connection,
    refresh: Refresh,
    release_id: int,
    now: datetime.datetime,
    catalogue: Catalogue,
    policy: ReleasePolicy = AUTOMATIC,
) -> Release | None:
    """Record release ``release_id`` and, where ``policy`` lets it, move the pointer to it, in the connection's transaction.

    None where its contents are those of the newest release (a figure changed and changed back): no release is made. It is
    held where the policy asks for approval, and where a slice still says what an earlier release was withdrawn for.
    Raises :class:`PublishRefusedError` where something changed that the nominated marts do not cover.
    """
    lock_decisions(connection)
    _require_covered(connection, release_id)
    rows, marts_sha256 = _contents(connection)
    open_slices = changed_slice.c.release_id.is_(None)
    newest = connection.execute(sa.select(release).order_by(release.c.release_id.desc()).limit(1)).one_or_none()
    if newest is not None and (newest.marts_sha256, newest.catalogue_sha256) == (marts_sha256, catalogue.sha256):
        discard_unpublished(connection, release_id)
        connection.execute(sa.update(changed_slice).where(open_slices).values(release_id=newest.release_id))
        return None
    revisions = connection.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(changed_slice.c.revisions), 0)).where(open_slices)
    )
    held_because = policy.held_because
    if not policy.is_repeated:
        held_because = held_because or _rejected_before(connection) or _named_too_early(connection, catalogue, policy)
    live_at = None if held_because else policy.live_at(now)
    if live_at is not None and not policy.is_embargo:
        live_at = after_last_move(connection, live_at)
    if live_at is not None or in_force_release(connection) is None:
        sync_catalogue(connection, catalogue)
    action = "hold" if held_because else "embargo" if policy.is_embargo else "publish"
    made = Release(release_id, rows, int(revisions or 0), marts_sha256, action, live_at, held_because)
    _record(connection, refresh, made, catalogue)
    record_decision(connection, release_id, action, BY_POLICY, held_because, now, live_at)
    if live_at is not None:
        move_pointer(connection, release_id, live_at, is_embargoed=policy.is_embargo)
    return made


def _record(connection: Connection, refresh: Refresh, made: Release, catalogue: Catalogue) -> None:
    """Write a release, and which changes and refreshes it is the first to show."""
    connection.execute(
        sa.insert(release).values(
            release_id=made.release_id,
            published_at=made.live_at,
            refresh_id=refresh.refresh_id,
            recorded_at=refresh.recorded_at,
            status="held" if made.held_because else "published",
            held_because=made.held_because,
            observations=made.observations,
            revisions=made.revisions,
            marts_sha256=made.marts_sha256,
            catalogue_sha256=catalogue.sha256,
            **check_counts(connection, refresh.refresh_id),
        )
    )
    shown = {"release_id": made.release_id}
    connection.execute(sa.update(changed_slice).where(changed_slice.c.release_id.is_(None)).values(shown))
    refreshes = schema.refresh
    connection.execute(
        sa.update(refreshes)
        .where(refreshes.c.release_id.is_(None), refreshes.c.recorded_at <= refresh.recorded_at)
        .values(shown)
    )


def lock_decisions(connection: Connection) -> None:
    """One release or decision at a time, to the end of the transaction."""
    connection.execute(sa.text("LOCK TABLE ops.release_pointer, ops.release IN SHARE ROW EXCLUSIVE MODE"))


def in_force_release(connection: Connection) -> int | None:
    """Number of the release that readers see."""
    found = connection.scalar(sa.select(release_in_force.c.release_id))
    return None if found is None else int(found)


def see_as_of(connection: Connection, moment: datetime.datetime) -> None:
    """Let this transaction see every mart as readers saw it at a moment."""
    connection.execute(sa.text("SELECT set_config('junheng.as_of', :moment, true)"), {"moment": moment.isoformat()})


def after_last_move(connection: Connection, now: datetime.datetime) -> datetime.datetime:
    """``now``, or just after the last move that is due, so that of two moves the later wins."""
    due = sa.select(sa.func.max(release_pointer.c.in_force_from)).where(
        ~release_pointer.c.is_embargoed | (release_pointer.c.in_force_from <= now)
    )
    last = connection.scalar(due)
    return now if last is None else max(now, last + datetime.timedelta(microseconds=1))


def _named_too_early(connection: Connection, catalogue: Catalogue, policy: ReleasePolicy) -> str | None:
    """Why an embargo cannot hold: names, units and standards are of the whole database, and no process runs at its end."""
    in_force = sa.select(release.c.catalogue_sha256).join(
        release_in_force, release_in_force.c.release_id == release.c.release_id
    )
    seen = connection.scalar(in_force)
    if not policy.is_embargo or seen is None or seen == catalogue.sha256:
        return None
    return "the catalogue changed, and an embargo cannot keep back its names, units and standards: approve it in time"


def gather_statistics(connection: Connection) -> None:
    """Let PostgreSQL look at the fact, the marts and what they are joined to, so that it plans readers' queries by what is
    there.

    Autovacuum does so night by night; after a first refresh it has not yet, and a question takes ten times as long (one
    with a condition on ``mart.indicator`` forty times: the whole mart was read again for each indicator).
    """
    joined = (schema.indicator, schema.region, schema.period)
    for table in (*FACTS.values(), *MART_TABLES.values(), schema.return_receipt, *joined):
        connection.execute(sa.text(f"ANALYZE {table.schema}.{table.name}"))


BY_POLICY = "policy"
"""Who decided where no person did."""


def record_decision(
    connection: Connection,
    release_id: int,
    action: str,
    operator: str,
    why: str | None,
    now: datetime.datetime,
    live_at: datetime.datetime | None = None,
) -> None:
    """Write what was decided about a release."""
    connection.execute(
        sa.insert(schema.release_decision).values(
            release_id=release_id, action=action, operator=operator, why=why, decided_at=now, live_at=live_at
        )
    )


def move_pointer(
    connection: Connection, release_id: int, live_at: datetime.datetime, *, is_embargoed: bool = False
) -> None:
    """Let readers see a release from ``live_at`` on.

    An embargoed one goes live by the database's clock, to the microsecond and without a process that runs then; any other
    at once.
    """
    if not is_embargoed:
        # What waited for its hour is part of a newer state that is seen now: its hour must not bring the older one back.
        connection.execute(
            sa.delete(release_pointer).where(
                release_pointer.c.is_embargoed,
                release_pointer.c.in_force_from > live_at,
                release_pointer.c.release_id < release_id,
            )
        )
    recorded_at = sa.select(release.c.recorded_at).where(release.c.release_id == release_id).scalar_subquery()
    connection.execute(
        sa.insert(release_pointer).values(
            in_force_from=live_at, release_id=release_id, recorded_at=recorded_at, is_embargoed=is_embargoed
        )
    )


def _rejected_before(connection: Connection) -> str | None:
    """Why the contents about to be published must wait; None where they need not.

    Slices that say what a withdrawn or refused release said, or that are gone as they were gone from it, and that no
    published release has shown so since.
    """
    row = connection.execute(_REJECTED).one()
    if not row.slices:
        return None
    return f"{row.slices} slices (mart, indicator, period) still say what release {row.last} was taken back for"


_REJECTED = sa.text("""
WITH rejected AS (SELECT release_id FROM ops.release WHERE status IN ('withdrawn', 'refused')),
said AS (
  SELECT now.mart, now.indicator_key, now.period_key, r.release_id
  FROM ops.slice_digest now
  JOIN ops.slice_digest bad USING (mart, indicator_key, period_key, sha256)
  JOIN rejected r ON bad.release_from <= r.release_id AND (bad.release_to IS NULL OR bad.release_to > r.release_id)
  WHERE now.release_to IS NULL AND NOT EXISTS (
    SELECT FROM ops.slice_digest shown
    JOIN ops.release p ON p.status = 'published' AND p.release_id >= shown.release_from
     AND (shown.release_to IS NULL OR p.release_id < shown.release_to)
    WHERE shown.mart = now.mart AND shown.indicator_key = now.indicator_key AND shown.period_key = now.period_key
      AND shown.sha256 = now.sha256)),
gone AS (
  SELECT old.mart, old.indicator_key, old.period_key, r.release_id
  FROM ops.slice_digest old
  JOIN rejected r ON old.release_to <= r.release_id
  WHERE NOT EXISTS (SELECT FROM ops.release p WHERE p.status = 'published' AND p.release_id >= old.release_to)
    AND EXISTS (SELECT FROM ops.release p WHERE p.status = 'published' AND p.release_id >= old.release_from
                AND p.release_id < old.release_to)
    AND NOT EXISTS (SELECT FROM ops.slice_digest now WHERE now.mart = old.mart AND now.indicator_key = old.indicator_key
                    AND now.period_key = old.period_key AND now.release_to IS NULL))
SELECT count(DISTINCT (mart, indicator_key, period_key)) AS slices, max(release_id) AS last
FROM (SELECT * FROM said UNION ALL SELECT * FROM gone) rejected_slices
""")


def _require_covered(connection: Connection, release_id: int) -> None:
    covered = changed_slice.c.candidate == release_id
    counts = sa.select(sa.func.count().filter(covered), sa.func.count().filter(covered.is_not(sa.true()))).where(
        changed_slice.c.release_id.is_(None)
    )
    checked, others = connection.execute(counts).one()
    if not checked or others:
        raise PublishRefusedError(release_id, int(others))


def check_counts(connection: Connection, refresh_id: int) -> dict[str, int]:
    """Checks of a refresh by outcome: passed, warned, failed (blocking ones)."""
    results = check_result
    failed = sa.and_(~results.c.success, results.c.severity == "blocking")
    row = connection.execute(
        sa.select(
            sa.func.count().filter(results.c.success),
            sa.func.count().filter(~results.c.success, results.c.severity != "blocking"),
            sa.func.count().filter(failed),
        ).where(results.c.refresh_id == refresh_id)
    ).one()
    return dict(zip(("checks_passed", "checks_warned", "checks_failed"), map(int, row), strict=True))


def _contents(connection: Connection) -> tuple[int, str]:
    """Rows of mart.observation and the hash over all slices of the newest state, by codes."""
    digests = slice_digest
    query = sa.select(
        digests.c.mart, digests.c.indicator_key, digests.c.period_key, digests.c.rows, digests.c.sha256
    ).where(digests.c.release_to.is_(None))
    rows = connection.execute(query).all()
    total = sum(row.rows for row in rows if row.mart == "observation")
    return total, hash_of_slices(
        connection, [(row.mart, row.indicator_key, row.period_key, row.sha256) for row in rows]
    )


def hash_of_slices(connection: Connection, slices: Iterable[tuple[str, int, int, str]]) -> str:
    """The hash of a release, of the hashes of its slices (mart, indicator_key, period_key, sha256); by codes."""
    codes, periods = slice_codes(connection)
    lines = sorted(f"{mart}|{codes[key]}|{periods[when]}|{sha256}" for mart, key, when, sha256 in slices)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def slice_codes(connection: Connection) -> tuple[dict[int, str], dict[int, str]]:
    """Codes of indicators and of periods by their keys."""
    indicator, period = schema.indicator, schema.period
    codes = connection.execute(sa.select(indicator.c.indicator_key, indicator.c.code))
    periods = connection.execute(sa.select(period.c.period_key, period.c.period_code))
    return {row[0]: row[1] for row in codes}, {row[0]: row[1] for row in periods}
