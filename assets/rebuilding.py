"""Building an empty warehouse from the archive: every refresh and decision again, in the order in which they were.

Joins the archive, the returns room, the expectations room and the warehouse as a night does; knows no Dagster. Times come
from the manifests, so that each vintage and release carries the moment it had. Returns are read by today's layouts and judged
by today's checks; what is not in the archive (missing returns, trouble with platforms) the next refresh finds out anew.
"""

from __future__ import annotations

import datetime
import itertools
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from assets.accepting import accept_form
from assets.preparing import prepare_marts, status_of
from expectations import ChecksProcess
from resources.archive import Archive, Decision, ManifestEntry
from resources.platforms import Register
from warehouse import schema
from warehouse.calendar import due_on
from warehouse.catalogue import Catalogue
from warehouse.computing import compute_observations
from warehouse.errors import JunhengError
from warehouse.periods import parse_period
from warehouse.publishing import (
    Release,
    ReleasePolicy,
    RepeatedPolicy,
    check_counts,
    next_release_id,
    publish,
    see_as_of,
)
from warehouse.quarantining import record_waiver
from warehouse.receipts import Collected, Refresh, close_refresh, lock_writing, open_refresh, record_arrivals
from warehouse.reference import add_new_rows
from warehouse.releases import approve, refuse, withdraw

stage = logging.getLogger("junheng.stage")


class WarehouseNotEmptyError(JunhengError):
    """A warehouse that has refreshes is not built again over them: the operator must name an empty one."""

    def __init__(self, refreshes: int) -> None:
        super().__init__(
            f"this warehouse holds {refreshes} refreshes; build into an empty one: set JUNHENG_WAREHOUSE_URL to a new "
            "database, or JUNHENG_HOME to a new folder and JUNHENG_ARCHIVE to the archive"
        )
        self.refreshes = refreshes


@dataclass(frozen=True)
class Rebuilt:
    """How much was built: refreshes with deliveries, deliveries, releases, decisions repeated."""

    refreshes: int
    deliveries: int
    releases: int
    decisions: int


def rebuild(
    engine: Engine, archive: Archive, checks: ChecksProcess, catalogue: Catalogue, register: Register
) -> Rebuilt:
    """Every refresh and decision that the archive remembers, again; ``engine`` is of a migrated, empty warehouse.

    Raises :class:`WarehouseNotEmptyError`, and what reading the archive raises.
    """
    with engine.begin() as connection:
        refreshes = int(connection.scalar(sa.select(sa.func.count()).select_from(schema.refresh)) or 0)
        if refreshes:
            raise WarehouseNotEmptyError(refreshes)
        add_new_rows(connection, catalogue)
    decisions = archive.read_decisions()
    made = {each.release_recorded_at: each for each in decisions if each.action in OF_POLICY}
    waiting = [each for each in decisions if each.action not in OF_POLICY]
    deliveries = dict(_by_refresh(archive))
    built = releases = delivered = 0
    # A refresh that only published what one before it had loaded has no deliveries of its own.
    for recorded_at in sorted({*deliveries, *(moment for moment in made if moment is not None)}):
        told = made.get(recorded_at)
        until = told.decided_at if told else recorded_at
        due, waiting = (
            [each for each in waiting if each.decided_at < until],
            [each for each in waiting if each.decided_at >= until],
        )
        entries = deliveries.get(recorded_at, [])
        night = _Night(recorded_at, entries, told, is_remembered=bool(made))
        release = _replay(engine, archive, checks, catalogue, register, night, due)
        built, delivered, releases = built + 1, delivered + len(entries), releases + (release is not None)
        what = f"release {release.release_id}" if release else "no release"
        stage.info("%s: %d deliveries, %s", recorded_at, len(entries), what)
    _repeat(engine, waiting)
    return Rebuilt(built, delivered, releases, len(decisions) - len(made))


OF_POLICY = ("publish", "hold", "embargo")
"""Decisions about a release when it was made."""


@dataclass(frozen=True)
class _Night:
    """A refresh to be repeated. ``made``: what became of the release it made; None: it made none, or (where not
    ``is_remembered``) the archive is older than such records and the policy is automatic."""

    recorded_at: datetime.datetime
    entries: Sequence[ManifestEntry]
    made: Decision | None
    is_remembered: bool


def _by_refresh(archive: Archive) -> Iterator[tuple[datetime.datetime, list[ManifestEntry]]]:
    """Deliveries by the refresh that recorded them, oldest first."""
    for recorded_at, entries in itertools.groupby(archive.receipts(), key=lambda entry: entry.recorded_at):
        yield recorded_at, list(entries)


def _replay(
    engine: Engine,
    archive: Archive,
    checks: ChecksProcess,
    catalogue: Catalogue,
    register: Register,
    night: _Night,
    decisions: Sequence[Decision],
) -> Release | None:
    """One refresh again, as it was recorded, with what was decided before it published; the release it made."""

    def clock() -> datetime.datetime:
        return night.recorded_at

    _repeat(engine, [each for each in decisions if each.decided_at < night.recorded_at])
    with engine.begin() as connection:
        run_id = f"rebuilt {night.recorded_at.isoformat()}"
        refresh = open_refresh(connection, run_id, night.recorded_at, catalogue.sha256)
        for code, group in _by_form(night.entries, catalogue):
            record_arrivals(connection, refresh, [_collected(entry, code, catalogue) for entry in group])
    for form in catalogue.all_forms.values():
        accept_form(form, catalogue, archive, engine, refresh, checks, clock, register)
    _repeat(engine, [each for each in decisions if each.decided_at >= night.recorded_at])
    if night.is_remembered and night.made is None:
        # It was killed before its end, or its marts were not fit: what it loaded, a later one computed and published.
        with engine.begin() as connection:
            _close(connection, refresh, "incomplete")
        return None
    with engine.begin() as connection:
        lock_writing(connection, refresh)
        if compute_observations(connection, refresh, catalogue) is None:
            _close(connection, refresh, "unchanged")
            return None
    if prepare_marts(engine, refresh, checks, catalogue, clock).broken:
        with engine.begin() as connection:
            _close(connection, refresh, "failed")
        return None
    with engine.begin() as connection:
        lock_writing(connection, refresh)
        moment = night.made.decided_at if night.made else night.recorded_at
        made = publish(connection, refresh, next_release_id(connection), moment, catalogue, _policy(night.made))
        _close(connection, refresh, status_of(made))
    return made


def _policy(made: Decision | None) -> ReleasePolicy:
    """What became of a release when it was made."""
    if made is None:
        return ReleasePolicy()
    held_because = (made.why or "it was held") if made.action == "hold" else None
    return RepeatedPolicy(was_held_because=held_because, was_live_at=made.live_at, was_embargo=made.action == "embargo")


def _by_form(entries: Iterable[ManifestEntry], catalogue: Catalogue) -> Iterator[tuple[str, list[ManifestEntry]]]:
    """Deliveries by form, in the order in which they were made."""
    ordered = sorted(entries, key=lambda entry: (entry.form, entry.platform, entry.period_code, entry.sequence))
    for form, group in itertools.groupby(ordered, key=lambda entry: entry.form):
        if form in catalogue.all_forms:
            yield form, list(group)


def _collected(entry: ManifestEntry, form: str, catalogue: Catalogue) -> Collected:
    row = catalogue.all_forms[form]
    return Collected(
        platform=entry.platform,
        sector=row.sector,
        form=form,
        region_code=entry.region_code,
        period_code=entry.period_code,
        sha256=entry.sha256,
        bytes=entry.bytes,
        file_name=entry.file_name,
        media_type=entry.media_type,
        etag=entry.etag,
        modified_at=entry.modified_at,
        fetched_at=entry.fetched_at,
        due_on=due_on(row, parse_period(entry.period_code)),
    )


def _repeat(engine: Engine, decisions: Iterable[Decision]) -> None:
    """What people decided, again, with their names, reasons and times."""
    for decision in decisions:
        with engine.begin() as connection:
            # Where each release stands is asked as of the decision: an embargo that has ended since had not then.
            see_as_of(connection, decision.decided_at)
            if decision.action == "waive":
                record_waiver(
                    connection,
                    str(decision.sha256),
                    str(decision.check_id),
                    decision.operator,
                    decision.why or "",
                    decision.decided_at,
                )
                continue
            release_id = connection.scalar(
                sa.select(schema.release.c.release_id).where(
                    schema.release.c.recorded_at == decision.release_recorded_at
                )
            )
            if release_id is None:
                stage.warning("no release of %s: %s is not repeated", decision.release_recorded_at, decision.action)
            elif decision.action == "approve":
                approve(connection, int(release_id), decision.operator, decision.why, decision.decided_at)
            else:
                act = refuse if decision.action == "refuse" else withdraw
                act(connection, int(release_id), decision.operator, decision.why or "", decision.decided_at)


def _close(connection: Connection, refresh: Refresh, status: str) -> None:
    counts = check_counts(connection, refresh.refresh_id)
    close_refresh(connection, refresh.refresh_id, status, refresh.recorded_at, counts)
