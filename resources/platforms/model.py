"""What goes between a platform and the archive: offers, listings, deliveries. Plain values, no HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """One return that a platform lists."""

    province: str  # code, 510000
    sector: str  # employment | education | health
    return_id: str  # the platform's own name for it
    form: str
    period_code: str
    file_name: str
    modified_at: datetime | None  # with zone
    etag: str | None
    media_type: str

    @property
    def platform(self) -> str:
        """``510000/health``."""
        return f"{self.province}/{self.sector}"


@dataclass(frozen=True, slots=True)
class Listing:
    """What a platform lists; no rows and ``not_modified`` where it is still what the named ETag stands for."""

    province: str
    sector: str
    rows: tuple[Offer, ...]
    etag: str | None
    not_modified: bool

    @property
    def platform(self) -> str:
        """``510000/health``."""
        return f"{self.province}/{self.sector}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The bytes of one return, as they came. Of a paginated answer: its pages in order, one a line."""

    offer: Offer
    content: bytes
    modified_at: datetime | None  # Last-Modified of the answer, else the listing's
    etag: str | None
    media_type: str
    file_name: str
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class NotModified:
    """The return is still the one with the ETag that was named."""

    offer: Offer
    fetched_at: datetime
