"""The 93 platforms: which returns each has, under which ETag, and the bytes it delivers.

What is here: carriers by platform, listings, deliveries with a small cache. What is not here: HTTP (`server`).

A return costs about 1.6 ms to make (0.2 ms for one row, 10 ms for the largest workbook), so it is made when it is
asked for: making ahead in a thread would only take the interpreter from the requests that wait.
"""

import collections
import dataclasses
import datetime as dt
import hashlib

from sandbox.captures import last_capture, print_as_captured
from sandbox.carriers import MEDIA_TYPES, PAGE_SIZE, encode_table
from sandbox.faults import ActiveFaults, FaultBook
from sandbox.making import draft_return
from sandbox.periods import SHANGHAI, ReturnPeriod, parse_return_period, published_at, published_periods
from sandbox.printing import encode_draft, file_kind
from sandbox.reference import CATALOGUE, FIGURES, SECTORS, Form, Province
from sandbox.spans import columns_of
from sandbox.tables import TableMaker, title_of

FORMAT_VERSION = 2
"""Raise it whenever the same figures are printed otherwise: ETags must change with the bytes."""
HEALTH_JSON = frozenset(["330000", "440000", "310000", "500000"])
HEALTH_CSV = frozenset(["410000", "130000", "370000", "620000", "450000"])
CACHE_BYTES = 32 * 1024 * 1024
SECOND_ID = "-again"
"""What the second id of a return ends with."""
DAYS_TO_THE_NEXT = 370
"""Every form has a period within so many days."""


class Clock:
    """What time it is on the platforms: the real one, or the end of a fixed day."""

    def __init__(self, today: dt.date | None = None) -> None:
        self._fixed = dt.datetime.combine(today, dt.time(23, 59, 59), SHANGHAI) if today else None

    def now(self) -> dt.datetime:
        """The moment, in Asia/Shanghai."""
        return self._fixed or dt.datetime.now(SHANGHAI)


@dataclasses.dataclass(frozen=True)
class Platform:
    """One province's system for one sector."""

    province: Province
    sector: str
    carrier: str

    @property
    def code(self) -> str:
        """`510000/health`."""
        return f"{self.province.code}/{self.sector}"


@dataclasses.dataclass(frozen=True)
class Available:
    """One return of a platform, as listed."""

    return_id: str
    form: Form
    period: ReturnPeriod
    file_name: str
    modified: dt.datetime
    etag: str
    media_type: str


def carrier_of(province_code: str, sector: str) -> str:
    """`json`, `xlsx` or `csv`."""
    if sector == "employment" or (sector == "health" and province_code in HEALTH_JSON):
        return "json"
    return "csv" if sector == "health" and province_code in HEALTH_CSV else "xlsx"


def data_digest(seed: int) -> str:
    """Fingerprint of everything a figure depends on, so that an ETag needs no file to be made."""
    digest = hashlib.blake2b(f"{FORMAT_VERSION}|{seed}".encode(), digest_size=16)
    for path in sorted([*FIGURES.glob("*.csv"), *CATALOGUE.glob("*.csv")]):
        digest.update(path.name.encode() + hashlib.blake2b(path.read_bytes()).digest())
    return digest.hexdigest()


class Platforms:
    """All platforms, their faults and their clock."""

    def __init__(self, maker: TableMaker, clock: Clock, *, with_captures: bool = False) -> None:
        self.maker = maker
        self.clock = clock
        self.with_captures = with_captures
        self.faults = FaultBook()
        self.by_code: dict[str, Platform] = {}
        for province in maker.reference.provinces:
            for sector in SECTORS:
                platform = Platform(province, sector, carrier_of(province.code, sector))
                self.by_code[platform.code] = platform
        self._digest = data_digest(maker.seed)
        self._cache: collections.OrderedDict[tuple[str, str, str, int], list[bytes]] = collections.OrderedDict()
        self._cached_bytes = 0
        self._calendar: dict[str, tuple[dt.datetime, list[ReturnPeriod], list[ReturnPeriod]]] = {}

    def _available(
        self, platform: Platform, form: Form, period: ReturnPeriod, active: ActiveFaults, return_id: str
    ) -> Available:
        captured = self._captured(platform, form, period)
        key = f"{self._digest}|{platform.code}|{form.code}-{period.code}|{active.content_tag}|{captured or ''}"
        published = published_at(form, period)
        suffix, media_type = file_kind(platform.carrier, MEDIA_TYPES[platform.carrier], active)
        return Available(
            return_id=return_id,
            form=form,
            period=period,
            file_name=f"{title_of(form, platform.province, period).replace('/', '-')}.{suffix}",
            # hours, not the hour of asking: a revision is later than what it revises, and the same each time
            modified=max(published, captured or published) + dt.timedelta(hours=active.revision),
            etag=f'"{hashlib.blake2b(key.encode(), digest_size=12).hexdigest()}"',
            media_type=media_type,
        )

    def _captured(self, platform: Platform, form: Form, period: ReturnPeriod) -> dt.datetime | None:
        """When the newest capture that a return shows was taken; None where captures are not followed."""
        if not self.with_captures:
            return None
        columns = columns_of(self.maker.annual, form.code, period)
        return last_capture(columns, platform.province, period, self.clock.now().date())

    def available(self, platform: Platform, form_code: str | None = None) -> list[Available]:
        """What the platform lists, oldest first within a form: what is published by now, as its faults leave it."""
        found = []
        is_troubled = self.faults.holds_for(platform.code)
        for form in self.forms_of(platform):
            if form_code not in (None, form.code):
                continue
            for period in self._periods(form)[is_troubled]:
                return_id = f"{form.code}-{period.code}"
                active = self.faults.active(platform.code, return_id)
                if self._is_listed(form, period, active):
                    row = self._available(platform, form, period, active, return_id)
                    found.append(row)
                    if "listed_twice" in active.names:
                        found.append(row)
                    if "same_bytes_twice" in active.names:
                        found.append(dataclasses.replace(row, return_id=return_id + SECOND_ID))
        return found

    def find(self, platform: Platform, return_id: str) -> Available | None:
        """One listed return of the platform, or None."""
        first_id = return_id.removesuffix(SECOND_ID)
        known = self.identify(platform, first_id)
        if known is None:
            return None
        active = self.faults.active(platform.code, first_id)
        if not self._is_listed(*known, active) or (return_id != first_id and "same_bytes_twice" not in active.names):
            return None
        return self._available(platform, *known, active, return_id)

    def forms_of(self, platform: Platform) -> list[Form]:
        """The forms a platform owes."""
        return [form for form in self.maker.reference.forms.values() if form.sector == platform.sector]

    def periods_of(self, form: Form) -> list[ReturnPeriod]:
        """The published periods of a form, and the one that comes next."""
        return self._periods(form)[1]

    def _periods(self, form: Form) -> tuple[list[ReturnPeriod], list[ReturnPeriod]]:
        """(published, published and next); kept for a minute, since returns appear at full hours."""
        minute = self.clock.now().replace(second=0, microsecond=0)
        kept = self._calendar.get(form.code)
        if kept is None or kept[0] != minute:
            published = published_periods(form, minute)
            later = published_periods(form, minute + dt.timedelta(days=DAYS_TO_THE_NEXT))
            kept = (minute, published, later[: len(published) + 1])
            self._calendar[form.code] = kept
        return kept[1], kept[2]

    def identify(self, platform: Platform, return_id: str) -> tuple[Form, ReturnPeriod] | None:
        """Form and period of a return that the platform has by now or has next; None for any other."""
        form_code, _, period_code = return_id.partition("-")
        form = self.maker.reference.forms.get(form_code)
        if form is None or form.sector != platform.sector:
            return None
        try:
            period = parse_return_period(form, period_code)
        except ValueError:
            return None
        return (form, period) if period in self.periods_of(form) else None

    def is_published(self, form: Form, period: ReturnPeriod) -> bool:
        """Whether its day has come."""
        return published_at(form, period) <= self.clock.now()

    def _is_listed(self, form: Form, period: ReturnPeriod, active: ActiveFaults) -> bool:
        """Whether a return is listed: a late one is not, an early one before its day."""
        return "late" not in active.names and (self.is_published(form, period) or "early" in active.names)

    def deliver(self, platform: Platform, wanted: Available, page_size: int = PAGE_SIZE) -> list[bytes]:
        """The bytes of a return: its pages in order, or one file."""
        first_id = f"{wanted.form.code}-{wanted.period.code}"
        active = self.faults.active(platform.code, first_id)
        key = (platform.code, first_id, active.content_tag + wanted.etag, page_size)
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        if active.content_tag:
            draft = draft_return(self.maker, wanted.form, platform.province, wanted.period, active)
            parts = encode_draft(draft, platform.carrier, page_size, active)
        else:
            table = self.maker.make(wanted.form, platform.province, wanted.period)
            if self.with_captures:
                columns = columns_of(self.maker.annual, wanted.form.code, wanted.period)
                today = self.clock.now().date()
                table = print_as_captured(table, columns, platform.province, wanted.period, today)
            parts = encode_table(table, platform.carrier, page_size)
        self._remember(key, parts)
        return parts

    def _remember(self, key: tuple[str, str, str, int], parts: list[bytes]) -> None:
        self._cache[key] = parts
        self._cached_bytes += sum(map(len, parts))
        while self._cached_bytes > CACHE_BYTES:
            _, dropped = self._cache.popitem(last=False)
            self._cached_bytes -= sum(map(len, dropped))
