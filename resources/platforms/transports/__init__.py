"""The ways to ask a platform for its returns: one module a transport, found here by the name the register uses.

Here: what a transport is, and the table of them. Not here: manners, credentials, retries (``asking`` has them inside).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from resources.platforms.asking import Asking
from resources.platforms.model import Delivery, Listing, NotModified, Offer
from resources.platforms.register import Platform


class Transport(Protocol):
    """Bytes in, bytes out; made once for all platforms that name it, used by many threads."""

    def list_returns(self, platform: Platform, etag: str | None, form: str | None) -> Listing:
        """What the platform offers (of ``form``); ``not_modified`` where ``etag`` still stands for it."""
        ...

    def fetch(self, platform: Platform, offer: Offer, etag: str | None) -> Delivery | NotModified:
        """The bytes of ``offer``; NotModified where ``etag`` is named and is still that of the return."""
        ...


def _lazily(module: str, name: str) -> Callable[[Asking], Transport]:
    """A factory that imports its module when it is first used: a night without folders needs no fsspec."""

    def make(asking: Asking) -> Transport:
        made: Any = getattr(importlib.import_module(f"{__name__}.{module}"), name)
        transport: Transport = made(asking)
        return transport

    return make


TRANSPORTS: Mapping[str, Callable[[Asking], Transport]] = {
    "listing": _lazily("listing", "ListingTransport"),
    "paged_json": _lazily("paged_json", "PagedJsonTransport"),
    "nbs_esdata": _lazily("nbs", "EsDataTransport"),
    "nbs_easyquery": _lazily("nbs", "EasyQueryTransport"),
    "folder": _lazily("folder", "FolderTransport"),
}
