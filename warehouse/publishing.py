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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection, Table

from warehouse import schema
from warehouse.bulk import copy_frame
from warehouse.catalogue import Catalogue
from warehouse.errors import PublishRefusedError
from warehouse.receipts import Refresh
from warehouse.reference import sync_catalogue
from warehouse.schema import changed_slice, check_result, release, release_in_force, release_pointer, slice_digest

MART_TABLES: Mapping[str, Table] = {
    "attainment": schema.attainment,
    "urban_rural_gap": schema.urban_rural_gap,
    "inequality": schema.inequality,
    "observation_harmonised": schema.observation_harmonised,
}
"""Marts that are kept with their history by release; ``mart.observation`` is a view of the fact."""

_VALIDITY = ("release_from", "release_to")


@dataclass(frozen=True)
class Release:
    """A published release."""

    release_id: int
    observations: int
    revisions: int
    marts_sha256: str


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


def digest_slices(connection: Connection, release_id: int) -> None:
    """Hash the slices of ``pg_temp.wanted`` as release ``release_id`` will show them.

    A hash covers keys, values and statuses in a fixed order; no ids, no times.
    """
    wanted = sa.table("wanted", sa.column("indicator_key"), sa.column("period_key"), schema="pg_temp")
    keys = sa.tuple_(slice_digest.c.indicator_key, slice_digest.c.period_key)
    connection.execute(
        sa.update(slice_digest)
        .where(slice_digest.c.release_to.is_(None), slice_digest.c.release_from < release_id)
        .where(keys.in_(sa.select(wanted.c.indicator_key, wanted.c.period_key)))
        .values(release_to=release_id)
    )
    facts = schema.observation
    contents: list[tuple[str, Table, Sequence[str], sa.ColumnElement[bool]]] = [
        ("observation", facts, ("region_key", "area_key", "value", "obs_status"), facts.c.superseded_at == _INFINITY)
    ]
    # The grade is left out: it tells how figures were judged on the way, which is not the same for a rebuilt warehouse.
    hidden = {"indicator_key", "period_key", "standard_key", "grade", *_VALIDITY}
    for mart, table in MART_TABLES.items():
        shown = [column.name for column in table.columns if column.name not in hidden]
        contents.append((mart, table, shown, table.c.release_to.is_(None)))
    for mart, table, columns, in_force in contents:
        row = sa.cast(sa.func.row(*(table.c[name] for name in columns)), sa.Text)
        joined = sa.func.string_agg(
            row, sa.dialects.postgresql.aggregate_order_by(sa.literal("\n"), sa.collate(row, "C"))
        )
        digest = sa.func.encode(sa.func.sha256(sa.func.convert_to(joined, "UTF8")), "hex")
        selected = (
            sa.select(
                sa.literal(mart),
                table.c.indicator_key,
                table.c.period_key,
                sa.literal(release_id),
                sa.func.count(),
                digest,
            )
            .join(
                wanted,
                sa.and_(wanted.c.indicator_key == table.c.indicator_key, wanted.c.period_key == table.c.period_key),
            )
            .where(in_force)
            .group_by(table.c.indicator_key, table.c.period_key)
        )
        names = ["mart", "indicator_key", "period_key", "release_from", "rows", "sha256"]
        connection.execute(sa.insert(slice_digest).from_select(names, selected))


_INFINITY = sa.text("'infinity'")


def nominate(connection: Connection, release_id: int) -> None:
    """Say that the marts written for release ``release_id`` cover all that changed so far, and that their checks hold.

    To be called in the transaction that computed them: what another load changes later is not covered.
    """
    is_open = changed_slice.c.release_id.is_(None)
    connection.execute(sa.update(changed_slice).where(is_open).values(candidate=release_id))


def publish(
    connection: Connection, refresh: Refresh, release_id: int, now: datetime.datetime, catalogue: Catalogue
) -> Release | None:
    """Record release ``release_id`` and move the pointer to it, in the connection's transaction.

    None where its contents are those of the release in force (a figure changed and changed back): no release is made.
    Raises :class:`PublishRefusedError` where something changed that the nominated marts do not cover.
    """
    _require_covered(connection, release_id)
    sync_catalogue(connection, catalogue)
    rows, marts_sha256 = _contents(connection)
    open_slices = changed_slice.c.release_id.is_(None)
    in_force = connection.execute(
        sa.select(release).join(release_in_force, release_in_force.c.release_id == release.c.release_id)
    ).one_or_none()
    same = (marts_sha256, catalogue.sha256)
    if in_force is not None and (in_force.marts_sha256, in_force.catalogue_sha256) == same:
        discard_unpublished(connection, release_id)
        connection.execute(sa.update(changed_slice).where(open_slices).values(release_id=in_force.release_id))
        return None
    revisions = connection.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(changed_slice.c.revisions), 0)).where(open_slices)
    )
    made = Release(release_id, rows, int(revisions or 0), marts_sha256)
    connection.execute(
        sa.insert(release).values(
            release_id=release_id,
            published_at=now,
            refresh_id=refresh.refresh_id,
            recorded_at=refresh.recorded_at,
            status="published",
            observations=made.observations,
            revisions=made.revisions,
            marts_sha256=made.marts_sha256,
            catalogue_sha256=catalogue.sha256,
            **check_counts(connection, refresh.refresh_id),
        )
    )
    connection.execute(sa.update(changed_slice).where(open_slices).values(release_id=release_id))
    refreshes = schema.refresh
    connection.execute(
        sa.update(refreshes)
        .where(refreshes.c.release_id.is_(None), refreshes.c.recorded_at <= refresh.recorded_at)
        .values(release_id=release_id)
    )
    connection.execute(
        sa.insert(release_pointer).values(in_force_from=now, release_id=release_id, recorded_at=refresh.recorded_at)
    )
    return made


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
    """Rows of mart.observation and the hash over all slices in force, by codes."""
    digests = slice_digest
    rows = connection.execute(
        sa.select(
            digests.c.mart, schema.indicator.c.code, schema.period.c.period_code, digests.c.rows, digests.c.sha256
        )
        .join(schema.indicator, schema.indicator.c.indicator_key == digests.c.indicator_key)
        .join(schema.period, schema.period.c.period_key == digests.c.period_key)
        .where(digests.c.release_to.is_(None))
    ).all()
    lines = sorted(f"{row.mart}|{row.code}|{row.period_code}|{row.sha256}" for row in rows)
    total = sum(row.rows for row in rows if row.mart == "observation")
    return total, hashlib.sha256("\n".join(lines).encode()).hexdigest()
