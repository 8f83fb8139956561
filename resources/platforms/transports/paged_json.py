"""Transport ``paged_json``: a listing as in ``listing``; a return is an envelope page by page.

``GET …/returns/<id>?page=1&size=500`` gives ``{"code":0,"msg":…,"data":{"total":…,"page":1,"rows":[…]}}``; HTTP 200 with
another code is an error. A delivery is its pages in order, one a line. Not here: what a row means.
"""

from __future__ import annotations

from typing import Any

from resources.errors import DeliveryInvalid
from resources.platforms.asking import Asking
from resources.platforms.http import Answer
from resources.platforms.model import Delivery, Listing, NotModified, Offer
from resources.platforms.recognising import ParsedEnvelope
from resources.platforms.register import Platform
from resources.platforms.transports.listing import deliver, list_by_envelope, return_url, rows_of

MAX_PAGES = 10_000


class PagedJsonTransport:
    """Lists, and fetches page by page."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def list_returns(self, platform: Platform, etag: str | None, form: str | None) -> Listing:
        """See :class:`~resources.platforms.transports.Transport`."""
        return list_by_envelope(self._asking, platform, etag, form)

    def fetch(self, platform: Platform, offer: Offer, etag: str | None) -> Delivery | NotModified:
        """All pages. The total must stay the same and be reached; else the return as a whole is invalid."""
        url = return_url(self._asking, platform, offer)
        pages: list[bytes] = []
        received = taken_bytes = 0
        total: int | None = None
        first: Answer | None = None
        for page in range(1, MAX_PAGES + 1):
            envelope = ParsedEnvelope()
            answer = self._ask_page(platform, url, page, etag if page == 1 else None, envelope)
            if answer.status == 304:
                return NotModified(offer, self._asking.clock())
            first = first or answer
            data = envelope.data(platform, answer)
            rows = rows_of(platform, answer, data)
            total = _checked_total(platform, url, data, page, total)
            received += len(rows)
            taken_bytes += len(answer.content)
            _require_in_bounds(platform, url, taken_bytes)
            if pages and rows and _on_one_line(answer.content) == pages[-1]:
                raise DeliveryInvalid(platform.name, url, f"page {page} is page {page - 1} again")
            pages.append(_on_one_line(answer.content))
            if received >= total:
                break
            if not rows:
                raise DeliveryInvalid(platform.name, url, f"page {page} is missing: {received} of {total} rows came")
        if received != total or first is None:
            raise DeliveryInvalid(platform.name, url, f"sends {received} rows and announces {total}")
        return deliver(self._asking, offer, first, b"\n".join(pages), "application/json")

    def _ask_page(self, platform: Platform, url: str, page: int, etag: str | None, envelope: ParsedEnvelope) -> Answer:
        paging = platform.access.paging
        asked = {paging.page_parameter: str(page), paging.size_parameter: str(paging.page_size)}
        return self._asking.ask(platform, url, etag=etag, params=asked, check=envelope)


def _on_one_line(content: bytes) -> bytes:
    """A line end within JSON stands between tokens only: a blank there changes nothing, and a page is one line."""
    return content.replace(b"\r", b" ").replace(b"\n", b" ") if b"\n" in content else content


def _require_in_bounds(platform: Platform, url: str, taken_bytes: int) -> None:
    limit = platform.access.limits.max_expanded_bytes
    if taken_bytes > limit:
        raise DeliveryInvalid(platform.name, url, f"sends more than max_expanded_bytes {limit:,}", kind="too_large")


def _checked_total(platform: Platform, url: str, data: dict[str, Any], page: int, before: int | None) -> int:
    total = data.get("total")
    if not isinstance(total, int) or isinstance(total, bool) or total < 0:
        raise DeliveryInvalid(platform.name, url, f"page {page} announces no total")
    if before is not None and total != before:
        raise DeliveryInvalid(platform.name, url, f"page {page} announces {total} rows, the page before {before}")
    if data.get("page", page) != page:
        raise DeliveryInvalid(platform.name, url, f"answers with page {data['page']} when asked for page {page}")
    return total
