"""Collecting one form: which returns are owed, which are new, and getting them into the archive.

Joins the catalogue's calendar, the platforms, the archive and the ledger; knows no Dagster. Not here: reading a return.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any

from sqlalchemy import Engine

from resources.archive import Archive, ManifestEntry
from resources.platforms import (
    Delivery,
    Failure,
    Incident,
    Listing,
    NotModified,
    Offer,
    PlatformClient,
    Register,
    collect,
)
from resources.platforms.asking import SHANGHAI
from warehouse.calendar import due_on, due_periods
from warehouse.catalogue import Form
from warehouse.errors import PeriodError
from warehouse.periods import Period, parse_period
from warehouse.receipts import (
    Absence,
    Collected,
    Known,
    Overcome,
    Refresh,
    ReturnKey,
    known_deliveries,
    lock_writing,
    owed_returns,
    read_collected,
    record_absences,
    record_arrivals,
    record_failures,
    record_incidents,
)

BATCH, BATCH_BYTES = 64, 64 * 1024 * 1024
"""Deliveries archived together: one disk synchronisation for so many, or so many bytes, and no more of them in memory."""

Listings = Mapping[str, Listing | Failure[tuple[str, str]]]
Answered = Delivery | NotModified | Failure[Offer]
Partition = tuple[str, str]
"""(region_code, period_code)."""


@dataclass(frozen=True)
class Calendar:
    """A platform's own calendar of a form: ``form`` with its due rule; ``open_days`` after the due day its periods close."""

    form: Form
    open_days: int | None = None


@dataclass(frozen=True)
class Plan:
    """What a refresh will do for a form: ``offers`` to fetch, ``absent`` returns that are due and not offered."""

    form: Form
    due: tuple[Partition, ...]
    offers: tuple[Offer, ...]
    absent: Mapping[Partition, str]
    """(region, period) → why: ``missing`` or the failure of the listing."""
    failures: Mapping[str, str]
    """Platform → why it could not be asked."""
    etags: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(platform, return id) → entity tag of what we have, for conditional requests."""
    closed: tuple[Partition, ...] = ()
    """Returns that changed on the platform after their period was closed there: not fetched, unless asked for by name."""
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    """Province → its own calendar, where it has one."""

    def due_on(self, region_code: str, period: Period) -> datetime.date:
        """When a province's return is due."""
        own = self.calendars.get(region_code)
        return due_on(own.form if own else self.form, period)


@dataclass
class FormCollection:
    """What was collected for a form."""

    plan: Plan
    collected: list[Collected] = field(default_factory=list)
    failed: dict[Partition, str] = field(default_factory=dict)
    incidents: list[Incident] = field(default_factory=list)
    """Trouble with platforms that was overcome."""


def calendars_of(register: Register, form: Form, provinces: Iterable[str]) -> dict[str, Calendar]:
    """The provinces whose platform has a calendar of its own for a form."""
    found = {}
    for province in provinces:
        platform = register.platform(province, form.sector)
        calendar = Calendar(platform.due_rule(form), platform.open_days(form.form))
        if calendar != Calendar(form):
            found[province] = calendar
    return found


def plan_form(
    form: Form,
    listings: Listings,
    known: Mapping[ReturnKey, Known],
    today: datetime.date,
    since: datetime.date | None,
    only: Collection[Partition] | None = None,
    owed: Collection[Partition] = (),
    calendars: Mapping[str, Calendar] = MappingProxyType({}),
) -> Plan:
    """What is due, open or revised, from what platforms list and what the ledger has (:func:`known_deliveries`).

    A return is fetched where it is offered inside the window of due periods (early ones included), or is known
    already, and its entity tag or modified time is not the one of its newest delivery. ``owed`` are returns that an
    earlier refresh missed: they stay due however late they come. Partitions a person asks for by
    ``only`` are fetched whatever their period, and again where they are known. ``calendars`` are those of provinces that
    have their own. Nothing is due of a form that nobody owes (the portal's).
    """
    periods = {province: due_periods(own.form, today, since) for province, own in calendars.items()}
    usual = due_periods(form, today, since)
    first = min((each[0].start for each in (usual, *periods.values()) if each), default=since or today)
    offered, failures = _offers(form, listings)
    have = {
        (platform.split("/")[0], period): delivery
        for (platform, name, period), delivery in known.items()
        if name == form.form
    }
    if only is None:
        late = [key for key in sorted(owed) if key[0] in listings and parse_period(key[1]).start < first]
        owing = ((period, province) for province in listings for period in periods.get(province, usual))
        due = (*late, *((province, period.code) for period, province in sorted(owing)))
        changed = [
            offer
            for key, offer in offered.items()
            if (key in have or key in late or parse_period(offer.period_code).start >= first)
            and _is_new(offer, have.get(key))
        ]
        wanted = [offer for offer in changed if not _is_closed(offer, have, calendars, today)]
    else:
        asked = [key for key in sorted(only) if key[0] in listings]
        rules = {province: own.form for province, own in calendars.items()}
        due = tuple(key for key in asked if due_on(rules.get(key[0], form), parse_period(key[1])) <= today)
        wanted = changed = [offered[key] for key in asked if key in offered]
    due = due if form.is_owed else ()
    absent = {
        key: failures.get(f"{key[0]}/{form.sector}", "missing") for key in due if key not in have and key not in offered
    }
    etags = (
        {}
        if only is not None
        else {
            (offer.platform, offer.return_id): tag
            for key, offer in offered.items()
            if key in have and (tag := have[key].etag)
        }
    )
    closed = tuple((offer.province, offer.period_code) for offer in changed if offer not in wanted)
    return Plan(form, due, tuple(wanted), absent, failures, etags, closed, calendars)


def _is_closed(
    offer: Offer, have: Mapping[Partition, Known], calendars: Mapping[str, Calendar], today: datetime.date
) -> bool:
    """Whether a return that we have changed after its period was closed on its platform."""
    own = calendars.get(offer.province)
    if own is None or own.open_days is None or (offer.province, offer.period_code) not in have:
        return False
    return due_on(own.form, parse_period(offer.period_code)) + datetime.timedelta(days=own.open_days) < today


def _offers(form: Form, listings: Listings) -> tuple[dict[Partition, Offer], dict[str, str]]:
    """What is offered of a form by partition, and why platforms could not be asked."""
    offered: dict[Partition, Offer] = {}
    failures: dict[str, str] = {}
    for province, listing in listings.items():
        if isinstance(listing, Failure):
            failures[f"{province}/{form.sector}"] = str(listing.error)
            continue
        for offer in (offer for offer in listing.rows if offer.form == form.form):
            if not _is_period_of(offer.period_code, form):
                failures[offer.platform] = f"{offer.platform} lists {offer.return_id!r} of period {offer.period_code!r}"
                continue
            key = (province, offer.period_code)
            if key not in offered or _time(offer) > _time(offered[key]):
                offered[key] = offer
    return offered, failures


def _is_period_of(code: str, form: Form) -> bool:
    """Whether a listed period is one that the form has returns of."""
    try:
        return parse_period(code).kind == form.period_kind
    except PeriodError:
        return False


def _time(offer: Offer) -> datetime.datetime:
    """When an offer was modified; one that does not say it is older than any that does."""
    return offer.modified_at or datetime.datetime.min.replace(tzinfo=datetime.UTC)


def _is_new(offer: Offer, known: Known | None) -> bool:
    """Whether an offer may be another than the delivery we have. One that was modified earlier is not: the later wins.

    Where the platform gives neither tag nor time, it is asked again, conditionally.
    """
    if known is None:
        return True
    if offer.modified_at and known.modified_at and offer.modified_at < known.modified_at:
        return False
    if offer.etag and known.etag:
        return offer.etag != known.etag
    return offer.modified_at is None or offer.modified_at != known.modified_at


def collect_form(
    plan: Plan,
    client: PlatformClient,
    archive: Archive,
    engine: Engine,
    refresh: Refresh,
    now: Callable[[], datetime.datetime],
    threads: int,
    take_incidents: Callable[[], Sequence[Incident]] = list,
) -> FormCollection:
    """Fetch the planned returns, archive their bytes, then queue them for reading; record what is absent.

    Bytes are on disk before the manifest names them, and the manifest before the ledger does. ``take_incidents`` tells what
    was overcome on the way.
    """
    result = FormCollection(plan)
    for batch in _batches(collect(client, plan.offers, threads, plan.etags)):
        deliveries = [answer for answer in batch if isinstance(answer, Delivery)]
        for failure in (answer for answer in batch if isinstance(answer, Failure)):
            result.failed[failure.asked.province, failure.asked.period_code] = str(failure.error)
        hashes = archive.put_many(delivery.content for delivery in deliveries)
        result.collected += [_collected(plan, d, sha256) for d, sha256 in zip(deliveries, hashes, strict=True)]
    result.incidents = list(take_incidents())
    with engine.begin() as connection:
        lock_writing(connection, refresh)
        sequences = record_arrivals(connection, refresh, result.collected)
        archive.append_manifest(
            [
                manifest_entry(asdict(item) | {"sequence": number}, refresh)
                for item, number in zip(result.collected, sequences, strict=True)
            ]
        )
        record_absences(connection, refresh, list(_absences(result, now())))
        record_failures(connection, refresh, plan.failures, now())
        record_incidents(connection, refresh, [Overcome(**asdict(incident)) for incident in result.incidents])
    return result


def _batches(answers: Iterable[Answered]) -> Iterator[list[Answered]]:
    """Answers by so many, or by so many bytes."""
    batch: list[Answered] = []
    taken = 0
    for answer in answers:
        batch.append(answer)
        taken += len(answer.content) if isinstance(answer, Delivery) else 0
        if len(batch) >= BATCH or taken >= BATCH_BYTES:
            yield batch
            batch, taken = [], 0
    if batch:
        yield batch


def known(engine: Engine, form: Form) -> tuple[dict[ReturnKey, Known], set[Partition]]:
    """The newest delivery of each return of a form, and the partitions that were missed before."""
    with engine.connect() as connection:
        return known_deliveries(connection, form.form), owed_returns(connection, form.form)


def collected(engine: Engine, refresh: Refresh, form: Form) -> list[dict[str, Any]]:
    """What this refresh collected, and what those before it did that broke off (nobody may have been told)."""
    with engine.connect() as connection:
        return read_collected(connection, refresh.refresh_id, form.form)


def _collected(plan: Plan, delivery: Delivery, sha256: str) -> Collected:
    offer = delivery.offer
    return Collected(
        platform=offer.platform,
        sector=offer.sector,
        form=offer.form,
        region_code=offer.province,
        period_code=offer.period_code,
        sha256=sha256,
        bytes=len(delivery.content),
        file_name=delivery.file_name,
        media_type=delivery.media_type,
        etag=offer.etag or delivery.etag,  # the listing's, for that is what the next listing is held against
        modified_at=offer.modified_at or delivery.modified_at,
        fetched_at=delivery.fetched_at,
        # What nobody owes is not late: it is due on the day it comes.
        due_on=plan.due_on(offer.province, parse_period(offer.period_code))
        if plan.form.is_owed
        else delivery.fetched_at.astimezone(SHANGHAI).date(),
    )


def manifest_entry(delivery: Mapping[str, Any], refresh: Refresh) -> ManifestEntry:
    """The manifest's line of a delivery (a row of ``ops.arrival``) that ``refresh`` records.

    The last line of a delivery counts: where a refresh broke off, the one that reads what it left writes another.
    """
    names = ("platform", "form", "region_code", "period_code", "sequence", "sha256", "bytes", "file_name", "media_type")
    facts = {name: delivery[name] for name in (*names, "modified_at", "fetched_at", "etag")}
    return ManifestEntry(**facts, recorded_at=refresh.recorded_at, refresh=f"{refresh.refresh_id:06d}")


def _absences(result: FormCollection, now: datetime.datetime) -> Iterable[Absence]:
    """A return that failed or is missing, if it never arrived before."""
    form = result.plan.form
    reasons = dict(result.plan.absent) | result.failed
    for (region_code, period_code), reason in sorted(reasons.items()):
        period: Period = parse_period(period_code)
        due = result.plan.due_on(region_code, period)
        is_missing = reason == "missing"
        yield Absence(
            platform=f"{region_code}/{form.sector}",
            sector=form.sector,
            form=form.form,
            region_code=region_code,
            period_code=period_code,
            state="missing" if is_missing else "failed",
            fetched_at=now,
            due_on=due,
            message=f"due on {due}, not on the platform" if is_missing else reason,
        )
