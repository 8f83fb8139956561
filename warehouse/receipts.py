"""The ledger of deliveries: refreshes, arrivals waiting to be read, receipts, and what did not arrive.

Here: reading and writing ``ops.refresh``, ``ops.arrival`` and ``ops.return_receipt``. Not here: what a return says
(:mod:`warehouse.loading`).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import distinct_on, insert

from warehouse.errors import RefreshOvertakenError
from warehouse.schema import arrival, platform_failure, platform_incident, refresh, release, return_receipt

_WRITER_LOCK = 0x6A756E77  # any constant, another than the migrations'
_READ_STATES = ("loaded", "unchanged", "quarantined", "partly_quarantined")


@dataclass(frozen=True)
class Refresh:
    """A refresh that is under way: everything it records carries ``recorded_at``."""

    refresh_id: int
    recorded_at: datetime.datetime
    is_new: bool = False


@dataclass(frozen=True)
class Collected:
    """A return whose bytes are in the archive; times are aware, ``etag`` and ``modified_at`` are the platform's."""

    platform: str
    sector: str
    form: str
    region_code: str
    period_code: str
    sha256: str
    bytes: int
    file_name: str
    media_type: str
    etag: str | None
    modified_at: datetime.datetime | None
    fetched_at: datetime.datetime
    due_on: datetime.date


@dataclass(frozen=True)
class Absence:
    """A return that is due and not there (``missing``), or could not be had (``failed``)."""

    platform: str
    sector: str
    form: str
    region_code: str
    period_code: str
    state: str
    fetched_at: datetime.datetime
    due_on: datetime.date
    message: str


def open_refresh(connection: Connection, run_id: str, now: datetime.datetime, catalogue_sha256: str) -> Refresh:
    """The refresh of a run: the one it has, or a new one.

    ``recorded_at`` is ``now``, or just after the latest recorded one where a clock was set back: it must grow.
    """
    found = connection.execute(sa.select(refresh).where(refresh.c.run_id == run_id)).one_or_none()
    is_new = found is None
    if found is None:
        latest = connection.scalar(sa.select(sa.func.max(refresh.c.recorded_at)))
        moment = now if latest is None else max(now, latest + datetime.timedelta(microseconds=1))
        found = connection.execute(
            sa.insert(refresh)
            .values(
                run_id=run_id,
                started_at=moment,
                recorded_at=moment,
                status="running",
                catalogue_sha256=catalogue_sha256,
            )
            .returning(refresh)
        ).one()
    return Refresh(found.refresh_id, found.recorded_at, is_new)


def had_catalogue(connection: Connection, current: Refresh, catalogue_sha256: str) -> bool:
    """Whether the refresh before this one had the same catalogue."""
    before = sa.select(refresh.c.catalogue_sha256).where(refresh.c.refresh_id < current.refresh_id)
    return connection.scalar(before.order_by(refresh.c.refresh_id.desc()).limit(1)) == catalogue_sha256


def close_refresh(
    connection: Connection, refresh_id: int, status: str, now: datetime.datetime, summary: dict[str, Any]
) -> None:
    """Record how a refresh ended, with its counts: ``published``, ``prepared`` (its release is held or under embargo),
    ``unchanged`` or ``failed``.
    """
    connection.execute(
        sa.update(refresh)
        .where(refresh.c.refresh_id == refresh_id)
        .values(status=status, finished_at=now, summary=summary)
    )


def fail_refresh(connection: Connection, run_id: str, now: datetime.datetime) -> int | None:
    """Record the refresh of a run that failed; its number, None where the run never opened one."""
    is_open = sa.and_(refresh.c.run_id == run_id, refresh.c.status == "running")
    connection.execute(sa.update(refresh).where(is_open).values(status="failed", finished_at=now))
    found = connection.scalar(sa.select(refresh.c.refresh_id).where(refresh.c.run_id == run_id))
    return None if found is None else int(found)


def lock_writing(connection: Connection, current: Refresh) -> None:
    """Wait until no other refresh writes; held to the end of the transaction.

    Raises :class:`RefreshOvertakenError` where another refresh has published since this one began: what this one would
    still record lies before that release in time, and would change it.
    """
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITER_LOCK})
    overtaking = sa.select(sa.func.max(release.c.release_id)).where(release.c.recorded_at >= current.recorded_at)
    found = connection.scalar(overtaking)
    if found is not None:
        raise RefreshOvertakenError(current.refresh_id, int(found))


def close_abandoned(connection: Connection, refresh_id: int, now: datetime.datetime) -> int:
    """Mark earlier refreshes that never ended (killed, or a run of some assets only) as incomplete; returns how many."""
    done = connection.execute(
        sa.update(refresh)
        .where(refresh.c.status == "running", refresh.c.refresh_id < refresh_id)
        .values(status="incomplete", finished_at=now)
    )
    return int(done.rowcount)


ReturnKey = tuple[str, str, str]
"""(platform, form, period_code)."""


@dataclass(frozen=True)
class Known:
    """The newest delivery of a return: its number and what the platform said of it."""

    sequence: int
    etag: str | None
    modified_at: datetime.datetime | None


def known_deliveries(connection: Connection, form: str | None = None) -> dict[ReturnKey, Known]:
    """The newest delivery of each return (of a form), read or waiting; one query for all platforms."""
    keys = ("platform", "form", "period_code")
    columns = (*keys, "sequence", "etag", "modified_at")
    both = sa.union_all(
        sa.select(*(return_receipt.c[name] for name in columns)).where(return_receipt.c.sequence > 0),
        sa.select(*(arrival.c[name] for name in columns)),
    ).subquery()
    newest = (
        sa.select(both)
        .ext(distinct_on(*(both.c[name] for name in keys)))
        .order_by(*(both.c[name] for name in keys), both.c.sequence.desc())
    )
    return {
        (row.platform, row.form, row.period_code): Known(row.sequence, row.etag, row.modified_at)
        for row in connection.execute(newest)
    }


def owed_returns(connection: Connection, form: str) -> set[tuple[str, str]]:
    """(region_code, period_code) of a form that were due or failed and never arrived since."""
    query = sa.select(return_receipt.c.region_code, return_receipt.c.period_code)
    rows = connection.execute(query.where(return_receipt.c.form == form, return_receipt.c.sequence == 0))
    return {(row.region_code, row.period_code) for row in rows}


def record_arrivals(connection: Connection, current: Refresh, collected: Sequence[Collected]) -> list[int]:
    """Queue what was collected for reading; absences of it end. Returns the sequence number each delivery got.

    The bytes must be in the archive before. All are of one form: the known numbers are read in one query.
    """
    if not collected:
        return []
    known = {key: delivery.sequence for key, delivery in known_deliveries(connection, collected[0].form).items()}
    records: list[dict[str, Any]] = []
    sequences: list[int] = []
    for item in collected:
        key = (item.platform, item.form, item.period_code)
        known[key] = known.get(key, 0) + 1
        sequences.append(known[key])
        records.append(asdict(item) | {"refresh_id": current.refresh_id, "sequence": known[key]})
    connection.execute(sa.insert(arrival), records)
    _delete_absences(connection, [(item.platform, item.form, item.period_code) for item in collected])
    return sequences


def pending_arrivals(connection: Connection, form: str, period_codes: Iterable[str] | None = None) -> pd.DataFrame:
    """Deliveries of a form that are archived and not yet read, oldest first; columns of ``ops.arrival``."""
    query = sa.select(arrival).where(arrival.c.form == form)
    if period_codes is not None:
        query = query.where(arrival.c.period_code.in_(list(period_codes)))
    order = (arrival.c.modified_at.nulls_first(), arrival.c.fetched_at, arrival.c.arrival_id)
    rows = connection.execute(query.order_by(*order)).all()
    return pd.DataFrame(rows, columns=list(arrival.columns.keys()))


def settle_repeats(connection: Connection, form: str, current: Refresh) -> int:
    """Give deliveries whose bytes are those of the return's last receipt their receipt, state ``unchanged``.

    They are not read again: their counts are the last receipt's. Returns how many there were.
    """
    last = (
        sa.select(return_receipt)
        .where(return_receipt.c.form == form, return_receipt.c.sequence > 0)
        .ext(distinct_on(return_receipt.c.platform, return_receipt.c.period_code))
        .order_by(return_receipt.c.platform, return_receipt.c.period_code, return_receipt.c.sequence.desc())
        .subquery()
    )
    waiting = (
        sa.select(arrival.c.platform, arrival.c.period_code)
        .where(arrival.c.form == form)
        .group_by(arrival.c.platform, arrival.c.period_code)
        .having(sa.func.count() == 1)
        .subquery()
    )
    delivery = [column for column in arrival.columns if column.name not in ("arrival_id", "refresh_id", "is_reread")]
    repeats = (
        sa.select(
            arrival.c.arrival_id,
            sa.literal(current.refresh_id),
            *delivery,
            sa.literal("unchanged"),
            last.c.cells,
            sa.literal(0),
            last.c.cells - last.c.quarantined,
            last.c.quarantined,
            sa.literal("the same bytes as the delivery before"),
            last.c.layout,
        )
        .join(
            waiting, sa.and_(waiting.c.platform == arrival.c.platform, waiting.c.period_code == arrival.c.period_code)
        )
        .join(last, sa.and_(last.c.platform == arrival.c.platform, last.c.period_code == arrival.c.period_code))
        .where(arrival.c.form == form, arrival.c.sha256 == last.c.sha256, ~arrival.c.is_reread)
        .where(
            last.c.state.in_(("loaded", "unchanged")), last.c.quarantined == 0
        )  # else it is read again: code may be mended
    )
    names = ["receipt_id", "refresh_id", *(column.name for column in delivery)]
    names += ["state", "cells", "loaded", "unchanged", "quarantined", "message", "layout"]
    done = connection.execute(
        sa.insert(return_receipt).from_select(names, repeats).returning(return_receipt.c.receipt_id)
    )
    settled = [row.receipt_id for row in done]
    connection.execute(sa.delete(arrival).where(arrival.c.arrival_id.in_(settled)))
    return len(settled)


def record_absences(connection: Connection, current: Refresh, absences: Sequence[Absence]) -> None:
    """Write what is missing or failed as receipts of sequence 0, one a return, replacing what stood there."""
    if not absences:
        return
    statement = insert(return_receipt)
    renewed = {name: statement.excluded[name] for name in ("refresh_id", "state", "fetched_at", "due_on", "message")}
    constraint = ["platform", "form", "period_code", "sequence"]
    connection.execute(
        statement.on_conflict_do_update(index_elements=constraint, set_=renewed),
        [asdict(item) | {"refresh_id": current.refresh_id, "sequence": 0} for item in absences],
    )


def record_failures(
    connection: Connection, current: Refresh, failures: Mapping[str, str], now: datetime.datetime
) -> None:
    """Write which platforms could not be asked (platform → reason); once a refresh, whatever the number of forms."""
    if failures:
        records = [
            {"refresh_id": current.refresh_id, "platform": platform, "asked_at": now, "message": reason}
            for platform, reason in failures.items()
        ]
        connection.execute(insert(platform_failure).on_conflict_do_nothing(), records)


@dataclass(frozen=True)
class Overcome:
    """Trouble with a platform that was overcome, of one kind."""

    platform: str
    kind: str
    count: int
    first_at: datetime.datetime
    last_at: datetime.datetime
    message: str


def record_incidents(connection: Connection, current: Refresh, incidents: Sequence[Overcome]) -> None:
    """Write what was overcome, one row a platform and kind; what an earlier stage of the refresh wrote is added to."""
    if not incidents:
        return
    statement = insert(platform_incident)
    more = {
        "count": platform_incident.c.count + statement.excluded["count"],
        "last_at": sa.func.greatest(platform_incident.c.last_at, statement.excluded.last_at),
        "message": statement.excluded.message,
    }
    connection.execute(
        statement.on_conflict_do_update(index_elements=["refresh_id", "platform", "kind"], set_=more),
        [asdict(item) | {"refresh_id": current.refresh_id} for item in incidents],
    )


def read_partitions(connection: Connection, refresh_id: int, form: str) -> pd.DataFrame:
    """Receipts of a form that a refresh read: region_code, period_code, state, counts, message, sha256.

    Those of refreshes that broke off since the last good one are among them: whoever shows what was read may not have
    been told.
    """
    columns = (
        "region_code",
        "period_code",
        "state",
        "cells",
        "loaded",
        "unchanged",
        "quarantined",
        "message",
        "sha256",
    )
    rows = connection.execute(
        sa.select(*(return_receipt.c[name] for name in columns)).where(
            return_receipt.c.refresh_id > _last_good(refresh_id),
            return_receipt.c.refresh_id <= refresh_id,
            return_receipt.c.form == form,
            return_receipt.c.state.in_(_READ_STATES),
        )
    ).all()
    return pd.DataFrame(rows, columns=list(columns))


def read_collected(connection: Connection, refresh_id: int, form: str) -> list[dict[str, Any]]:
    """What was collected of a form, read or waiting, by this refresh and by those that broke off since the last good one.

    region_code, period_code, file_name, media_type, bytes, sha256, modified_at, fetched_at, due_on.
    """
    names = ["region_code", "period_code", "file_name", "media_type", "bytes", "sha256"]
    names += ["modified_at", "fetched_at", "due_on"]
    waiting = sa.select(*(arrival.c[name] for name in names)).where(arrival.c.form == form)
    receipts = sa.select(*(return_receipt.c[name] for name in names)).where(
        return_receipt.c.form == form,
        return_receipt.c.sequence > 0,
        return_receipt.c.refresh_id > _last_good(refresh_id),
        return_receipt.c.refresh_id <= refresh_id,
    )
    return [dict(row) for row in connection.execute(sa.union_all(waiting, receipts)).mappings()]


def _last_good(refresh_id: int) -> sa.ScalarSelect[int]:
    """The last refresh before this one that ended as it should, 0 where there is none."""
    ended = refresh.c.status.in_(("published", "prepared", "unchanged"))
    query = sa.select(sa.func.coalesce(sa.func.max(refresh.c.refresh_id), 0))
    return query.where(ended, refresh.c.refresh_id < refresh_id).scalar_subquery()


def _delete_absences(connection: Connection, keys: Sequence[tuple[str, str, str]]) -> None:
    columns = (return_receipt.c.platform, return_receipt.c.form, return_receipt.c.period_code)
    connection.execute(
        sa.delete(return_receipt).where(return_receipt.c.sequence == 0, sa.tuple_(*columns).in_(list(keys)))
    )
