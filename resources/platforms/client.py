"""Ask platforms: list their returns, fetch one. Bytes in, bytes out; nothing is read for its meaning.

Two transports: ``download`` (a file) and ``paged_json`` (an envelope ``{"code":0,"msg":…,"data":{"total":…,"rows":…}}``
page by page; HTTP 200 with another code is an error). Two kinds of access: none, and a bearer token.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, NoReturn
from urllib.parse import quote
from zoneinfo import ZoneInfo

from resources.errors import DeliveryInvalid, PlatformRefused, PlatformUnavailable
from resources.platforms.http import Answer, Hosts, patiently
from resources.platforms.model import Delivery, Listing, NotModified, Offer
from resources.platforms.register import Platform, Register

SHANGHAI = ZoneInfo("Asia/Shanghai")
# A token is renewed so long before its end: clocks differ, and a request takes its time.
TOKEN_MARGIN_SECONDS = 30.0
MAX_PAGES = 10_000
TRANSIENT_CODES = frozenset({408, 429, 500, 502, 503, 504})
LOGIN = re.compile(rb"type=[\"']?password|\xe7\x99\xbb\xe5\xbd\x95|log ?in|sign ?in", re.IGNORECASE)  # 登录


class PlatformClient:
    """A client for all platforms, to be shared by threads.

    ``url_template`` holds ``{province}`` and ``{sector}``; ``clock`` gives an aware datetime. Methods raise
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
        self._register = register
        self._template = url_template
        self._hosts = Hosts(threads)
        self._clock = clock
        self._tokens = _Tokens(self._hosts, client_id, client_secret)

    def __repr__(self) -> str:
        return f"PlatformClient({self._template!r})"

    def __enter__(self) -> PlatformClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._hosts.close()

    def list_returns(self, province: str, sector: str, etag: str | None = None, form: str | None = None) -> Listing:
        """What a platform offers; with ``etag`` of an earlier listing, ``not_modified`` where it is still that."""
        platform = self._register.platform(province, sector)
        url = f"{platform.base_url(self._template)}/returns" + (f"?form={quote(form)}" if form else "")
        answer = self._ask(platform, url, etag)
        if answer.status == 304:
            return Listing(province, sector, (), etag, True)
        data = _envelope(platform, answer)
        rows = _rows(platform, answer, data)
        if data.get("total") != len(rows):
            raise DeliveryInvalid(platform.name, url, f"lists {len(rows)} returns of {data.get('total')}")
        offers = tuple(_offer(platform, answer, row) for row in rows)
        return Listing(province, sector, offers, answer.headers.get("ETag"), False)

    def fetch(self, offer: Offer, etag: str | None = None) -> Delivery | NotModified:
        """The bytes of ``offer``; NotModified where ``etag`` is named and is still that of the return."""
        platform = self._register.platform(offer.province, offer.sector)
        url = f"{platform.base_url(self._template)}/returns/{quote(offer.return_id, safe='')}"
        if platform.access.transport == "download":
            return self._download(platform, offer, url, etag)
        return self._fetch_pages(platform, offer, url, etag)

    def _download(self, platform: Platform, offer: Offer, url: str, etag: str | None) -> Delivery | NotModified:
        answer = self._ask(platform, url, etag)
        if answer.status == 304:
            return NotModified(offer, self._clock())
        if answer.media_type == "application/json" and not offer.media_type.startswith("application/json"):
            _envelope(platform, answer)  # an error in the place of a file; any other JSON goes on as it came
        if answer.media_type == "text/html" and LOGIN.search(answer.content):
            raise DeliveryInvalid(platform.name, url, "answers with a login page instead of the file", answer.status)
        if not answer.content:
            raise DeliveryInvalid(platform.name, url, "answers with no bytes", answer.status)
        return self._delivery(offer, answer, answer.content, answer.media_type or offer.media_type)

    def _fetch_pages(self, platform: Platform, offer: Offer, url: str, etag: str | None) -> Delivery | NotModified:
        """All pages. The total must stay the same and be reached; else the return as a whole is invalid."""
        size = platform.access.page_size
        pages: list[bytes] = []
        received = taken_bytes = 0
        total: int | None = None
        first: Answer | None = None
        for page in range(1, MAX_PAGES + 1):
            answer = self._ask(platform, f"{url}?page={page}&size={size}", etag if page == 1 else None)
            if answer.status == 304:
                return NotModified(offer, self._clock())
            first = first or answer
            data = _envelope(platform, answer)
            rows = _rows(platform, answer, data)
            total = _checked_total(platform, url, data, page, total)
            received += len(rows)
            taken_bytes += len(answer.content)
            if taken_bytes > platform.access.max_bytes:
                raise DeliveryInvalid(platform.name, url, f"sends more than max_bytes {platform.access.max_bytes:,}")
            # A line end within JSON stands between tokens only: a blank there changes nothing, and a page is one line.
            pages.append(answer.content.replace(b"\r", b" ").replace(b"\n", b" ") if b"\n" in answer.content
                         else answer.content)  # fmt: skip
            if received >= total:
                break
            if not rows:
                raise DeliveryInvalid(platform.name, url, f"page {page} is missing: {received} of {total} rows came")
        if received != total or first is None:
            raise DeliveryInvalid(platform.name, url, f"sends {received} rows and announces {total}")
        return self._delivery(offer, first, b"\n".join(pages), "application/json")

    def _delivery(self, offer: Offer, answer: Answer, content: bytes, media_type: str) -> Delivery:
        modified = answer.modified_at
        return Delivery(
            offer=offer,
            content=content,
            modified_at=modified.astimezone(SHANGHAI) if modified else offer.modified_at,
            etag=answer.headers.get("ETag") or offer.etag,
            media_type=media_type,
            file_name=offer.file_name,
            fetched_at=self._clock(),
        )

    def _ask(self, platform: Platform, url: str, etag: str | None) -> Answer:
        """GET with token and condition; a refused token is renewed once."""

        def once(seconds: float) -> Answer:
            headers = {"If-None-Match": etag} if etag else {}
            if platform.access.auth == "none":
                answer = self._hosts.ask(platform, url, headers, connect_seconds=seconds)
            else:
                answer = self._ask_with_token(platform, url, headers, seconds)
            if answer.status == 401:
                raise PlatformRefused(platform.name, url, "refuses the credentials", 401)
            if answer.status != 304:
                _require_no_transient_code(platform, answer)
            return answer

        return patiently(once)

    def _ask_with_token(self, platform: Platform, url: str, headers: dict[str, str], seconds: float) -> Answer:
        base_url = platform.base_url(self._template)
        token = self._tokens.get(platform, base_url, seconds)
        answer = self._hosts.ask(platform, url, headers | {"Authorization": f"Bearer {token}"}, None, seconds)
        if not _is_unauthorized(answer):
            return answer
        self._tokens.forget(platform, token)
        token = self._tokens.get(platform, base_url, seconds)
        return self._hosts.ask(platform, url, headers | {"Authorization": f"Bearer {token}"}, None, seconds)


class _Tokens:
    """Bearer tokens by platform, kept until shortly before they expire; one thread renews, the others wait for it."""

    def __init__(self, hosts: Hosts, client_id: str | None, client_secret: str | None) -> None:
        self._hosts = hosts
        self._client_id = client_id
        self._client_secret = client_secret
        self._known: dict[str, tuple[str, float]] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, platform: Platform, base_url: str, seconds: float) -> str:
        with self._lock:
            lock = self._locks.setdefault(platform.name, threading.Lock())
        with lock:
            token, end = self._known.get(platform.name, ("", 0.0))
            if time.monotonic() >= end:
                token, end = self._request(platform, f"{base_url}/token", seconds)
                self._known[platform.name] = (token, end)
            return token

    def forget(self, platform: Platform, token: str) -> None:
        """Drop ``token``, unless another thread has renewed it already."""
        with self._lock:
            if self._known.get(platform.name, ("", 0.0))[0] == token:
                del self._known[platform.name]

    def _request(self, platform: Platform, url: str, seconds: float) -> tuple[str, float]:
        if not self._client_id or not self._client_secret:
            raise PlatformRefused(
                platform.name, url, "wants a client id and secret: set JUNHENG_CLIENT_ID and JUNHENG_CLIENT_SECRET"
            )
        form = {"client_id": self._client_id, "client_secret": self._client_secret}
        answer = self._hosts.ask(platform, url, {}, form, seconds)
        if _is_unauthorized(answer):
            raise PlatformRefused(
                platform.name, url, "refuses JUNHENG_CLIENT_ID and JUNHENG_CLIENT_SECRET", answer.status
            )
        _require_no_transient_code(platform, answer)
        data = _envelope(platform, answer)
        token, lifetime = data.get("access_token"), data.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(lifetime, int | float):
            raise DeliveryInvalid(platform.name, url, "answers without access_token and expires_in", answer.status)
        # Of a very short life half is used, so that a token is never asked for twice in one request.
        return token, time.monotonic() + max(lifetime - TOKEN_MARGIN_SECONDS, lifetime / 2)


def _is_unauthorized(answer: Answer) -> bool:
    """HTTP 401, or an envelope that says 401."""
    return answer.status == 401 or (answer.status == 200 and _error_code(answer.content) == 401)


def _require_no_transient_code(platform: Platform, answer: Answer) -> None:
    """An envelope that says "try later" is a transient failure, as the HTTP status of that number would be."""
    code = _error_code(answer.content)
    if code in TRANSIENT_CODES:
        raise PlatformUnavailable(platform.name, answer.url, f"answers with code {code}", answer.status)


def _error_code(content: bytes) -> int | None:
    """The code at the head of a small JSON envelope; looked for in the first bytes, since most answers are large."""
    found = re.match(rb'\s*\{\s*"code"\s*:\s*"?(-?\d{1,9})\b', content[:64])
    return int(found[1]) if found else None


def _envelope(platform: Platform, answer: Answer) -> dict[str, Any]:
    """``data`` of a JSON envelope whose code is 0."""
    content = answer.content
    if content[:256].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        what = "a login page" if LOGIN.search(content) else "a web page"
        _invalid(platform, answer, f"answers with {what} instead of JSON")
    try:
        envelope = json.loads(content)
    except (ValueError, RecursionError):
        _invalid(platform, answer, f"answers with no JSON ({answer.media_type or 'no content type'})")
    if not isinstance(envelope, dict) or "code" not in envelope:
        _invalid(platform, answer, "answers with JSON that has no code")
    if envelope["code"] not in (0, "0"):
        message = str(envelope.get("msg", ""))[:200]
        raise PlatformRefused(
            platform.name, answer.url, f"answers with code {envelope['code']}: {message}", answer.status
        )
    data = envelope.get("data")
    if not isinstance(data, dict):
        _invalid(platform, answer, "answers with JSON that has no data")
    return data


def _rows(platform: Platform, answer: Answer, data: dict[str, Any]) -> list[Any]:
    rows = data.get("rows")
    if not isinstance(rows, list):
        _invalid(platform, answer, "answers with data that have no rows")
    return rows


def _checked_total(platform: Platform, url: str, data: dict[str, Any], page: int, before: int | None) -> int:
    total = data.get("total")
    if not isinstance(total, int) or isinstance(total, bool) or total < 0:
        raise DeliveryInvalid(platform.name, url, f"page {page} announces no total")
    if before is not None and total != before:
        raise DeliveryInvalid(platform.name, url, f"page {page} announces {total} rows, the page before {before}")
    if data.get("page", page) != page:
        raise DeliveryInvalid(platform.name, url, f"answers with page {data['page']} when asked for page {page}")
    return total


def _offer(platform: Platform, answer: Answer, row: Any) -> Offer:
    """One row of a listing; a row that lacks what a receipt needs makes the listing invalid."""
    if not isinstance(row, dict):
        _invalid(platform, answer, "lists a return that is no object")
    texts = {key: row.get(key) for key in ("id", "form", "period", "file_name")}
    wrong = [key for key, value in texts.items() if not isinstance(value, str) or not value]
    if wrong:
        _invalid(platform, answer, f"lists a return without {', '.join(wrong)}")
    try:
        modified = datetime.fromisoformat(row["modified"]) if row.get("modified") else None
    except (TypeError, ValueError):
        _invalid(platform, answer, f"lists {texts['id']} with a modified time that is none")
    if modified is not None and modified.tzinfo is None:
        modified = modified.replace(tzinfo=SHANGHAI)
    return Offer(
        province=platform.province,
        sector=platform.sector,
        return_id=str(texts["id"]),
        form=str(texts["form"]),
        period_code=str(texts["period"]),
        file_name=str(texts["file_name"]),
        modified_at=modified,
        etag=row.get("etag") or None,
        media_type=row.get("media_type") or "application/octet-stream",
    )


def _invalid(platform: Platform, answer: Answer, reason: str) -> NoReturn:
    raise DeliveryInvalid(platform.name, answer.url, reason, answer.status)
