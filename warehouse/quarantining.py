"""The quarantine as a place to work: what stands in it, why, letting a return pass, having bytes read once more.

Here: queries of ``ops.quarantine`` and what a person decides about it. Not here: setting cells aside
(:mod:`warehouse.loading`), reading bytes. Nothing is ever taken out of the table: a later reading of the return resolves
its rows.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import distinct_on, insert

from warehouse.errors import NothingToRereadError, NothingToWaiveError, UnknownReceiptError
from warehouse.receipts import Refresh
from warehouse.schema import arrival, check_result, quarantine, quarantine_waiver, return_receipt, unplaced_file

_RETURN = ("platform", "form", "period_code")


@dataclass(frozen=True)
class Chosen:
    """Which returns a person means; what is None or empty does not narrow the choice."""

    receipts: tuple[int, ...] = ()
    platform: str | None = None
    """``510000/health``."""
    form: str | None = None
    period_code: str | None = None
    layout: str | None = None
    """Returns that this layout read (its name, any version), or that none could read."""
    since: datetime.datetime | None = None
    """Fetched then or later."""


def list_quarantine(
    connection: Connection, chosen: Chosen, reason: str | None = None, *, with_resolved: bool = False
) -> pd.DataFrame:
    """A row a return and reason, newest first: receipt_id, platform, form, period_code, reason, cells, first_address,
    explanation, created_at, resolved_at."""
    query = (
        sa.select(
            quarantine.c.receipt_id,
            *(return_receipt.c[name] for name in _RETURN),
            quarantine.c.reason,
            sa.func.count().label("cells"),
            sa.func.min(quarantine.c.address).label("first_address"),
            sa.func.min(quarantine.c.explanation).label("explanation"),
            sa.func.min(quarantine.c.created_at).label("created_at"),
            sa.func.max(quarantine.c.resolved_at).label("resolved_at"),
        )
        .join(return_receipt, return_receipt.c.receipt_id == quarantine.c.receipt_id)
        .where(*_conditions(chosen))
        .group_by(quarantine.c.receipt_id, *(return_receipt.c[name] for name in _RETURN), quarantine.c.reason)
        .order_by(sa.desc("created_at"), *(return_receipt.c[name] for name in _RETURN), quarantine.c.reason)
    )
    if reason is not None:
        query = query.where(quarantine.c.reason == reason)
    if not with_resolved:
        query = query.where(quarantine.c.resolved_at.is_(None))
    return _frame(connection, query)


def list_unplaced(connection: Connection) -> pd.DataFrame:
    """Files of the inbox that nobody could place: created_at, file_name, bytes, sha256, reason, explanation."""
    names = ("created_at", "file_name", "bytes", "sha256", "reason", "explanation", "explanation_zh")
    query = sa.select(*(unplaced_file.c[name] for name in names)).where(unplaced_file.c.resolved_at.is_(None))
    return _frame(connection, query.order_by(unplaced_file.c.created_at.desc(), unplaced_file.c.file_name))


def record_unplaced(connection: Connection, current: Refresh, files: Sequence[Mapping[str, Any]]) -> None:
    """Write files of the inbox that nobody could place: sha256, file_name, bytes, reason, explanation, explanation_zh."""
    statement = insert(unplaced_file)
    renewed = {name: statement.excluded[name] for name in ("refresh_id", "reason", "explanation", "explanation_zh")}
    rows = [{**file, "refresh_id": current.refresh_id, "created_at": current.recorded_at} for file in files]
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["sha256", "file_name"], set_=renewed | {"resolved_at": sa.null()}
        ),
        rows,
    )


def resolve_unplaced(connection: Connection, current: Refresh, hashes: Collection[str]) -> int:
    """Bytes that nobody could place once and that are placed now; returns how many files that settles."""
    statement = sa.update(unplaced_file).where(
        unplaced_file.c.sha256.in_(list(hashes)), unplaced_file.c.resolved_at.is_(None)
    )
    return int(connection.execute(statement.values(resolved_at=current.recorded_at)).rowcount)


def read_receipt(connection: Connection, receipt_id: int) -> dict[str, Any]:
    """A row of ``ops.return_receipt``. Raises :class:`UnknownReceiptError`."""
    found = connection.execute(sa.select(return_receipt).where(return_receipt.c.receipt_id == receipt_id)).mappings()
    row = found.one_or_none()
    if row is None:
        raise UnknownReceiptError(receipt_id)
    return dict(row)


def read_set_aside(connection: Connection, receipt_id: int, address: str | None = None) -> pd.DataFrame:
    """What of a return is in quarantine, or one cell of it: columns of ``ops.quarantine``, in the order of reading."""
    query = sa.select(quarantine).where(quarantine.c.receipt_id == receipt_id)
    if address is not None:
        query = query.where(quarantine.c.address == address)
    return _frame(connection, query.order_by(quarantine.c.quarantine_id))


def waive(connection: Connection, receipt_id: int, operator: str, why: str, now: datetime.datetime) -> list[str]:
    """Let a return pass that blocking checks hold back, these bytes only; returns the checks.

    Raises :class:`UnknownReceiptError`, or :class:`NothingToWaiveError` where no check holds it back: what a reader
    could not read does not become readable by permission.
    """
    receipt = read_receipt(connection, receipt_id)
    held = sa.select(check_result.c.check_id).where(
        check_result.c.refresh_id == receipt["refresh_id"],
        check_result.c.severity == "blocking",
        ~check_result.c.success,
        check_result.c.receipts.contains([receipt_id]),
    )
    checks = sorted(set(connection.scalars(held)))
    if not checks:
        reasons = read_set_aside(connection, receipt_id)["reason"].unique().tolist()
        raise NothingToWaiveError(receipt_id, reasons)
    for check in checks:
        record_waiver(connection, receipt["sha256"], check, operator, why, now)
    return checks


def record_waiver(
    connection: Connection, sha256: str, check_id: str, operator: str, why: str, now: datetime.datetime
) -> None:
    """Write that these bytes pass a check, or renew it."""
    statement = insert(quarantine_waiver).values(
        sha256=sha256, check_id=check_id, operator=operator, why=why, created_at=now
    )
    renewed = {name: statement.excluded[name] for name in ("operator", "why", "created_at")}
    connection.execute(statement.on_conflict_do_update(index_elements=["sha256", "check_id"], set_=renewed))


def read_waivers(connection: Connection, hashes: list[str]) -> dict[str, set[str]]:
    """Waived checks by SHA-256, of those bytes."""
    query = sa.select(quarantine_waiver.c.sha256, quarantine_waiver.c.check_id)
    waived: dict[str, set[str]] = {}
    for row in connection.execute(query.where(quarantine_waiver.c.sha256.in_(hashes))):
        waived.setdefault(row.sha256, set()).add(row.check_id)
    return waived


def requeue(connection: Connection, chosen: Chosen) -> pd.DataFrame:
    """Queue the newest delivery of each chosen return to be read once more, from the archive.

    Returns platform, form, period_code, sequence of what was queued. The next refresh reads it, as a delivery of its own.
    A return of which a newer delivery waits already is left to that. Raises :class:`NothingToRereadError`.
    """
    newest = (
        sa.select(return_receipt)
        .where(return_receipt.c.sequence > 0)
        .ext(distinct_on(*(return_receipt.c[name] for name in _RETURN)))
        .order_by(*(return_receipt.c[name] for name in _RETURN), return_receipt.c.sequence.desc())
        .subquery()
    )
    waiting = sa.exists().where(*(arrival.c[name] == newest.c[name] for name in _RETURN))
    copied = [column.name for column in arrival.columns if column.name not in ("arrival_id", "sequence", "is_reread")]
    rows = sa.select(
        *(newest.c[name] for name in copied), (newest.c.sequence + 1).label("sequence"), sa.true().label("is_reread")
    ).where(~waiting, *_conditions(chosen, newest))
    told = [arrival.c[name] for name in (*_RETURN, "sequence")]
    statement = sa.insert(arrival).from_select([*copied, "sequence", "is_reread"], rows).returning(*told)
    queued = _frame(connection, statement)
    if queued.empty:
        raise NothingToRereadError(chosen)
    return queued.sort_values([*_RETURN], ignore_index=True)


def _conditions(chosen: Chosen, table: sa.FromClause = return_receipt) -> list[sa.ColumnElement[bool]]:
    """What narrows receipts (``ops.return_receipt`` or a part of it) to the chosen ones."""
    columns = table.c
    found: list[sa.ColumnElement[bool]] = []
    if chosen.receipts:
        found.append(columns.receipt_id.in_(chosen.receipts))
    for name in _RETURN:
        if (value := getattr(chosen, name)) is not None:
            found.append(columns[name] == value)
    if chosen.layout is not None:
        found.append(sa.or_(columns.layout.like(f"{chosen.layout} v%"), columns.layout.is_(None)))
    if chosen.since is not None:
        found.append(columns.fetched_at >= chosen.since)
    return found


def _frame(connection: Connection, query: sa.Executable) -> pd.DataFrame:
    result = connection.execute(query)
    return pd.DataFrame(result.all(), columns=list(result.keys()))
