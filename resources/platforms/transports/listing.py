"""Transport ``listing``: ``GET …/returns`` lists what there is, ``GET …/returns/<id>`` is one file.

The listing is an envelope ``{"code":0,"data":{"total":…,"rows":[{"id","form","period","file_name",…}]}}``; HTTP 200 with
another code is an error. Not here: what a file holds.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from resources.errors import DeliveryInvalid, clean
from resources.platforms.asking import SHANGHAI, Asking
from resources.platforms.http import Answer, is_likely
from resources.platforms.model import Delivery, Listing, NotModified, Offer
from resources.platforms.recognising import ParsedEnvelope, invalid, is_mislabelled, require_file
from resources.platforms.register import Platform


class ListingTransport:
    """Lists and downloads."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def list_returns(self, platform: Platform, etag: str | None, form: str | None) -> Listing:
        """See :class:`~resources.platforms.transports.Transport`."""
        return list_by_envelope(self._asking, platform, etag, form)

    def fetch(self, platform: Platform, offer: Offer, etag: str | None) -> Delivery | NotModified:
        """See :class:`~resources.platforms.transports.Transport`."""
        url = return_url(self._asking, platform, offer)
        check = partial(_check_file, offered_type=offer.media_type)
        answer = self._asking.ask(platform, url, etag=etag, check=check)
        if answer.status == 304:
            return NotModified(offer, self._asking.clock())
        media_type = offer.media_type if is_mislabelled(answer) else answer.media_type or offer.media_type
        return deliver(self._asking, offer, answer, answer.content, media_type)


def list_by_envelope(asking: Asking, platform: Platform, etag: str | None, form: str | None) -> Listing:
    """The listing of a platform by ``GET …/returns``; DeliveryInvalid names what is wrong with it."""
    url = f"{asking.base_url(platform)}/returns"
    envelope = ParsedEnvelope()
    answer = asking.ask(platform, url, etag=etag, params={"form": form} if form else None, check=envelope)
    if answer.status == 304:
        return Listing(platform.province, platform.sector, (), etag, True)
    data = asking.hooks(platform).listing(platform, envelope.data(platform, answer))
    rows = rows_of(platform, answer, data)
    if data.get("total") != len(rows):
        raise DeliveryInvalid(platform.name, url, f"lists {len(rows)} returns of {data.get('total')}")
    # Each row once: a return that is listed twice over, the very same, is one return.
    offers = tuple(dict.fromkeys(read_offer(platform, answer, row) for row in rows))
    return Listing(platform.province, platform.sector, offers, version_of(answer), False)


def return_url(asking: Asking, platform: Platform, offer: Offer) -> str:
    """Where one return is."""
    return f"{asking.base_url(platform)}/returns/{quote(offer.return_id, safe='')}"


def version_of(answer: Answer) -> str | None:
    """What stands for this version in a conditional request: the ETag, else the date it was last modified."""
    return answer.headers.get("ETag") or answer.headers.get("Last-Modified")


def deliver(asking: Asking, offer: Offer, answer: Answer, content: bytes, media_type: str) -> Delivery:
    """The delivery of ``content``, with the facts that ``answer`` tells of it."""
    modified = answer.modified_at
    return Delivery(
        offer=offer,
        content=content,
        modified_at=modified.astimezone(SHANGHAI) if modified else offer.modified_at,
        etag=clean(answer.headers.get("ETag") or offer.etag or answer.headers.get("Last-Modified") or "") or None,
        media_type=clean(media_type),
        file_name=offer.file_name,
        fetched_at=asking.clock(),
    )


def rows_of(platform: Platform, answer: Answer, data: dict[str, Any]) -> list[Any]:
    """The rows of an envelope's data."""
    rows = data.get("rows")
    if not isinstance(rows, list):
        invalid(platform, answer, "answers with data that have no rows")
    return rows


def read_offer(platform: Platform, answer: Answer, row: Any) -> Offer:
    """One row of a listing; a row that lacks what a receipt needs makes the listing invalid."""
    if not isinstance(row, dict):
        invalid(platform, answer, "lists a return that is no object")
    texts = {key: row.get(key) for key in ("id", "form", "period", "file_name")}
    wrong = [key for key, value in texts.items() if not isinstance(value, str) or not value]
    if wrong:
        invalid(platform, answer, f"lists a return without {', '.join(wrong)}")
    try:
        modified = datetime.fromisoformat(row["modified"]) if row.get("modified") else None
    except (TypeError, ValueError):
        invalid(platform, answer, f"lists {texts['id']} with a modified time that is none")
    if modified is not None and modified.tzinfo is None:
        modified = modified.replace(tzinfo=SHANGHAI)
    if modified is not None and not is_likely(modified):
        invalid(platform, answer, f"lists {texts['id']} with the modified time {row['modified']}, which cannot be")
    others = {key: row.get(key) or "" for key in ("etag", "media_type")}
    if not all(isinstance(value, str) for value in others.values()):
        invalid(platform, answer, f"lists {texts['id']} with an etag or media type that is no text")
    return Offer(
        province=platform.province,
        sector=platform.sector,
        return_id=clean(str(texts["id"])),
        form=clean(str(texts["form"])),
        period_code=clean(str(texts["period"])),
        file_name=clean(str(texts["file_name"])),
        modified_at=modified,
        etag=clean(others["etag"]) or None,
        media_type=clean(others["media_type"]) or "application/octet-stream",
    )


def _check_file(platform: Platform, answer: Answer, offered_type: str) -> None:
    require_file(platform, answer, offered_type)
