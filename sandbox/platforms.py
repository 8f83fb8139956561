"""The 93 platforms: which returns each has, under which ETag, and the bytes it delivers.

What is here: carriers by platform, listings, deliveries with a small cache. What is not here: HTTP (`server`).

A return costs about 1.6 ms to make (0.2 ms for one row, 10 ms for the largest workbook), so it is made when it is
asked for: making ahead in a thread would only take the interpreter from the requests that wait.
"""

import collections
import dataclasses
import datetime as dt
import hashlib

from sandbox.carriers import MEDIA_TYPES, PAGE_SIZE
from sandbox.faults import ActiveFaults, FaultBook, encode_table, spoil_parts, spoil_table
from sandbox.periods import SHANGHAI, ReturnPeriod, parse_return_period, published_at, published_periods
from sandbox.reference import CATALOGUE, FIGURES, SECTORS, Form, Province
from sandbox.tables import TableMaker, title_of

FORMAT_VERSION = 1
"""Raise it whenever the same figures are printed otherwise: ETags must change with the bytes."""
HEALTH_JSON = frozenset(["330000", "440000", "310000", "500000"])
HEALTH_CSV = frozenset(["410000", "130000", "370000", "620000", "450000"])
CACHE_BYTES = 32 * 1024 * 1024


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

    def __init__(self, maker: TableMaker, clock: Clock) -> None:
        self.maker = maker
        self.clock = clock
        self.faults = FaultBook()
        self.by_code: dict[str, Platform] = {}
        for province in maker.reference.provinces:
            for sector in SECTORS:
                platform = Platform(province, sector, carrier_of(province.code, sector))
                self.by_code[platform.code] = platform
        self._digest = data_digest(maker.seed)
        self._cache: collections.OrderedDict[tuple[str, str, str, int], list[bytes]] = collections.OrderedDict()
        self._cached_bytes = 0

    def _available(self, platform: Platform, form: Form, period: ReturnPeriod, active: ActiveFaults) -> Available:
        return_id = f"{form.code}-{period.code}"
        key = f"{self._digest}|{platform.code}|{return_id}|{active.content_tag}"
        return Available(
            return_id=return_id,
            form=form,
            period=period,
            file_name=f"{title_of(form, platform.province, period).replace('/', '-')}.{platform.carrier}",
            # hours, not the hour of asking: a revision is later than what it revises, and the same each time
            modified=published_at(form, period) + dt.timedelta(hours=active.revision),
            etag=f'"{hashlib.blake2b(key.encode(), digest_size=12).hexdigest()}"',
            media_type=MEDIA_TYPES[platform.carrier],
        )

    def available(self, platform: Platform, form_code: str | None = None) -> list[Available]:
        """What the platform has published by now, oldest first within a form; a late return is not there."""
        now = self.clock.now()
        found = []
        for form in self.maker.reference.forms.values():
            if form.sector != platform.sector or form_code not in (None, form.code):
                continue
            for period in published_periods(form, now):
                active = self.faults.active(platform.code, f"{form.code}-{period.code}")
                if "late" not in active.names:
                    found.append(self._available(platform, form, period, active))
        return found

    def find(self, platform: Platform, return_id: str) -> Available | None:
        """One published return of the platform, or None."""
        form_code, _, period_code = return_id.partition("-")
        form = self.maker.reference.forms.get(form_code)
        if form is None or form.sector != platform.sector:
            return None
        try:
            period = parse_return_period(form, period_code)
        except ValueError:
            return None
        active = self.faults.active(platform.code, return_id)
        if "late" in active.names or period not in published_periods(form, self.clock.now()):
            return None
        return self._available(platform, form, period, active)

    def deliver(self, platform: Platform, wanted: Available, page_size: int = PAGE_SIZE) -> list[bytes]:
        """The bytes of a return: its pages in order, or one file."""
        active = self.faults.active(platform.code, wanted.return_id)
        key = (platform.code, wanted.return_id, active.content_tag, page_size)
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        period, province = wanted.period, platform.province
        if "wrong_period" in active.names:
            period = _neighbour(wanted.form, period)
        if "wrong_province" in active.names:
            provinces = self.maker.reference.provinces
            province = provinces[(province.position + 1) % len(provinces)]
        table = spoil_table(self.maker.make(wanted.form, province, period), active)
        parts = spoil_parts(encode_table(table, platform.carrier, page_size), active)
        self._remember(key, parts)
        return parts

    def _remember(self, key: tuple[str, str, str, int], parts: list[bytes]) -> None:
        self._cache[key] = parts
        self._cached_bytes += sum(map(len, parts))
        while self._cached_bytes > CACHE_BYTES:
            _, dropped = self._cache.popitem(last=False)
            self._cached_bytes -= sum(map(len, dropped))


def _neighbour(form: Form, period: ReturnPeriod) -> ReturnPeriod:
    """The period before, or after for the first one served."""
    first = published_periods(form, dt.datetime(period.year + 2, 1, 1, tzinfo=SHANGHAI))[0]
    if period > first:
        return period.previous
    return next(p for p in published_periods(form, dt.datetime(period.year + 3, 1, 1, tzinfo=SHANGHAI)) if p > period)
