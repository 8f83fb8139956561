"""Ask platforms: list their returns, fetch one. Bytes in, bytes out; nothing is read for its meaning.

Here: the one door to all platforms, which hands each question to the transport that the register names. Not here: how a
transport works (``transports``), how a question is asked (``asking``), many at once (``collecting``).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import datetime

from resources.platforms.asking import SHANGHAI, Asking
from resources.platforms.incidents import Incident
from resources.platforms.manners import Lane
from resources.platforms.model import Delivery, Listing, NotModified, Offer
from resources.platforms.register import Platform, Register
from resources.platforms.transports import TRANSPORTS, Transport


class PlatformClient:
    """A client for all platforms, to be shared by threads.

    ``url_template`` holds ``{province}`` and ``{sector}``; ``client_id`` and ``client_secret`` stand for the variables
    JUNHENG_CLIENT_ID and JUNHENG_CLIENT_SECRET of the environment; ``clock`` gives an aware datetime. Methods raise
    PlatformUnavailable (asked again already, in vain), PlatformRefused or DeliveryInvalid.
    """

    def __init__(
        self,
        register: Register,
        url_template: str | None,
        client_id: str | None = None,
        client_secret: str | None = None,
        *,
        threads: int = 8,
        clock: Callable[[], datetime] = lambda: datetime.now(SHANGHAI),
    ) -> None:
        given = {"JUNHENG_CLIENT_ID": client_id, "JUNHENG_CLIENT_SECRET": client_secret}
        variables = dict(os.environ) | {name: value for name, value in given.items() if value}
        self._register = register
        self._template = url_template
        self.asking = Asking(url_template, variables, threads=threads, clock=clock)
        self._transports: dict[str, Transport] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"PlatformClient({self._template!r})"

    def __enter__(self) -> PlatformClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self.asking.close()

    def list_returns(self, province: str, sector: str, etag: str | None = None, form: str | None = None) -> Listing:
        """What a platform offers; with ``etag`` of an earlier listing, ``not_modified`` where it is still that."""
        platform = self._register.platform(province, sector)
        return self.transport_of(platform).list_returns(platform, etag, form)

    def fetch(self, offer: Offer, etag: str | None = None) -> Delivery | NotModified:
        """The bytes of ``offer``; NotModified where ``etag`` is named and is still that of the return."""
        platform = self._register.platform(offer.province, offer.sector)
        return self.transport_of(platform).fetch(platform, offer, etag)

    def incidents(self) -> list[Incident]:
        """Trouble that was overcome since this client was made, by platform and kind."""
        return self.asking.incidents.all()

    def take_incidents(self) -> list[Incident]:
        """Trouble that was overcome since this was last asked, by platform and kind."""
        return self.asking.incidents.take()

    def lane(self, province: str, sector: str) -> Lane:
        """Pace, penalty and breaker of a platform, for whoever decides what to ask next."""
        return self.asking.lane(self._register.platform(province, sector))

    def transport_of(self, platform: Platform) -> Transport:
        """How ``platform`` is asked; made when it is first needed."""
        name = platform.access.transport
        with self._lock:
            if name not in self._transports:
                self._transports[name] = TRANSPORTS[name](self.asking)
            return self._transports[name]
