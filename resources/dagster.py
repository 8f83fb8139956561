"""The outside world as Dagster resources: thin shells over the plain classes of this room.

Here: configuration, opening and closing with a run. Not here: behaviour; whatever works without Dagster stands in the
class a shell wraps. Secrets come by name of an environment variable (``EnvVar``), so that the UI never shows them.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from pathlib import Path

import dagster as dg
from pydantic import Field, PrivateAttr
from sqlalchemy import Engine

from resources.archive import Archive, open_archive
from resources.database import Warehouse
from resources.inbox import Inbox
from resources.platforms import Failure, Incident, Listing, PlatformClient, Register, collect_listings, load_register
from resources.platforms.register import PORTAL
from warehouse.catalogue import Form, load_catalogue
from warehouse.migrating import migrate
from warehouse.publishing import ReleasePolicy

STATEMENT_TIMEOUT_MS, POOL_RECYCLE_SECONDS, POOL_CONNECTIONS = 60_000, 3600, 4
"""How Dagster's own connections are held open during a run."""


def hold_connections(instance: dg.DagsterInstance) -> None:
    """Keep Dagster's own connections open, as its webserver does; without this each event opens two."""
    instance.optimize_for_webserver(STATEMENT_TIMEOUT_MS, POOL_RECYCLE_SECONDS, POOL_CONNECTIONS)


class ClockResource(dg.ConfigurableResource[None]):
    """The one clock: Asia/Shanghai, or standing still at ``now`` (ISO) for tests and reruns."""

    now: str | None = None

    def read(self) -> datetime.datetime:
        """Now, with zone."""
        shanghai = datetime.timezone(datetime.timedelta(hours=8), "Asia/Shanghai")
        return datetime.datetime.fromisoformat(self.now) if self.now else datetime.datetime.now(shanghai)


class WarehouseResource(dg.ConfigurableResource[None]):
    """The warehouse's connection: embedded PostgreSQL under ``home``, or the server that ``url`` names."""

    home: str
    url: str | None = None
    dagster_url: str | None = None

    _engine: Engine | None = PrivateAttr(default=None)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Start what is not running, open the engine, migrate, hold Dagster's own connections open for the run."""
        if context.instance is not None:
            hold_connections(context.instance)
        migrate(self.engine)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Close the engine."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def plain(self) -> Warehouse:
        """The class without Dagster."""
        return Warehouse(self.url, self.dagster_url, Path(self.home))

    @property
    def engine(self) -> Engine:
        """The engine of the run."""
        if self._engine is None:
            self._engine = self.plain().ensure().engine()
        return self._engine


class ArchiveResource(dg.ConfigurableResource[None]):
    """The raw archive: a folder, or the address of a store (``s3://bucket/folder``)."""

    location: str

    def plain(self) -> Archive:
        """The class without Dagster."""
        return open_archive(self.location)


class InboxResource(dg.ConfigurableResource[None]):
    """The inbox of mailed files: a folder."""

    folder: str

    def plain(self) -> Inbox:
        """The class without Dagster."""
        return Inbox(Path(self.folder))


Listings = dict[tuple[str, str], Listing | Failure[tuple[str, str]]]

_handed_over: dict[str | None, tuple[Listings, list[Incident]]] = {}


def hand_over_listings(asked: PlatformsResource) -> None:
    """Give the listings a resource has, and what was overcome for them, to the next run that asks the same platforms."""
    _handed_over[asked.url_template] = (dict(asked._listings), asked.take_incidents())


class PlatformsResource(dg.ConfigurableResource[None]):
    """The platforms over HTTP. Listings are asked for once a run and shared by the forms of a sector."""

    url_template: str | None = None
    portal_url: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    threads: int = 8

    _client: PlatformClient | None = PrivateAttr(default=None)
    _register: Register | None = PrivateAttr(default=None)
    _listings: Listings = PrivateAttr(default_factory=dict)
    _incidents: list[Incident] = PrivateAttr(default_factory=list)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Close the connections and forget the listings."""
        self.close()

    def close(self) -> None:
        """Close the connections and forget the listings."""
        if self._client is not None:
            self._client.close()
        self._client = None
        self._listings = {}

    def client(self, clock: Callable[[], datetime.datetime] | None = None) -> PlatformClient:
        """The client of the run; ``clock`` stamps what is fetched."""
        if self._client is None:
            options = {"clock": clock} if clock else {}
            self._client = PlatformClient(
                self.register, self.url_template, self.client_id, self.client_secret, threads=self.threads, **options
            )
        return self._client

    @property
    def register(self) -> Register:
        """Who the platforms are."""
        if self._register is None:
            self._register = load_register(portal_url=self.portal_url)
        return self._register

    def provinces_of(self, form: Form, scope: ScopeResource) -> list[str]:
        """Whose platforms to ask for a form: provinces in scope, or the portal's ``000000`` where it has an address."""
        if form.is_owed:
            return scope.provinces_of(form.sector, load_catalogue().provinces)
        is_there = self.register.platform(*PORTAL).address(self.url_template) is not None
        return scope.provinces_of(form.sector, [PORTAL[0]] if is_there else [])

    def take_incidents(self) -> list[Incident]:
        """Trouble that was overcome since this was last asked, the listings' too."""
        taken, self._incidents = self._incidents, []
        return taken + (self._client.take_incidents() if self._client else [])

    def listings(self, sector: str, provinces: list[str]) -> dict[str, Listing | Failure[tuple[str, str]]]:
        """What each province's platform of a sector offers, or why it does not say; asked once a run."""
        if not self._listings and self.url_template in _handed_over:
            self._listings, self._incidents = _handed_over.pop(self.url_template)
        unasked = [(province, sector) for province in provinces if (province, sector) not in self._listings]
        for answer in collect_listings(self.client(), unasked, self.threads):
            key = answer.asked if isinstance(answer, Failure) else (answer.province, answer.sector)
            self._listings[key] = answer
        return {province: self._listings[province, sector] for province in provinces}


class PolicyResource(dg.ConfigurableResource[None]):
    """When a release goes live: at once, when approved, or at ``embargo_time`` (HH:MM, Asia/Shanghai)."""

    needs_approval: bool = False
    embargo_time: str | None = None

    def plain(self) -> ReleasePolicy:
        """The policy without Dagster."""
        return ReleasePolicy(
            self.needs_approval, datetime.time.fromisoformat(self.embargo_time) if self.embargo_time else None
        )


class ScopeResource(dg.ConfigurableResource[None]):
    """What a run is about: empty lists mean all; ``since`` (ISO day) replaces the usual windows."""

    sectors: list[str] = Field(default_factory=list)
    provinces: list[str] = Field(default_factory=list)
    since: str | None = None
    archive_only: bool = False
    """Ask no platform; read what waits in the archive."""

    def provinces_of(self, sector: str, known: Iterable[str]) -> list[str]:
        """Provinces to ask for a sector's returns: none where the sector is out of scope."""
        if self.archive_only:
            return []
        if self.sectors and sector not in self.sectors:
            return []
        return [province for province in known if not self.provinces or province in self.provinces]

    @property
    def since_date(self) -> datetime.date | None:
        """``since`` as a date."""
        return datetime.date.fromisoformat(self.since) if self.since else None
