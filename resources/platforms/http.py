"""One question to a platform over HTTP, and when to ask it again. No envelope, no token, no listing here.

A session per host, its pool as large as the threads that share it. Redirects are followed within the host only.
Every failure leaves as a PlatformError: transient ones are asked again within ``PATIENCE_SECONDS``, so that a
platform that is down costs about three seconds and no more.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import TypeVar
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import (
    ChunkedEncodingError,
    ContentDecodingError,
    ReadTimeout,
    RequestException,
    SSLError,
)

from resources.errors import DeliveryInvalid, PlatformError, PlatformRefused, PlatformUnavailable
from resources.platforms.register import Platform

TRIES = 3
# 93 platforms by 8 threads: if all were down, the night would learn so in 35 seconds.
PATIENCE_SECONDS = 3.0
FIRST_WAIT_SECONDS = 0.3
MAX_REDIRECTS = 3
CHUNK_BYTES = 262_144
# A body that drips in is given up after so many read timeouts in all.
SLOWEST_BODY_IN_READ_TIMEOUTS = 4
TRANSIENT_STATUS = frozenset({408, 425, 429})
REDIRECTS = frozenset({301, 302, 303, 307, 308})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer: status 200, 304 or 401, headers in any case of letters, body decompressed."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    url: str

    @property
    def media_type(self) -> str:
        """``Content-Type`` without its parameters, in lower case; empty where none was sent."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def modified_at(self) -> datetime | None:
        """``Last-Modified``, with zone; None where there is none or it is no date."""
        return parse_http_date(self.headers.get("Last-Modified"))


class Hosts:
    """The sessions, one a host; safe to share between threads."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._sessions: dict[str, requests.Session] = {}
        self._gates: dict[str, threading.BoundedSemaphore] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for session in self._sessions.values():
                session.close()
            self._sessions.clear()

    def ask(
        self,
        platform: Platform,
        url: str,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None = None,
        connect_seconds: float | None = None,
    ) -> Answer:
        """GET ``url`` (POST where there is a ``form``) once, over redirects within the host."""
        with self._gate(platform):
            for _ in range(MAX_REDIRECTS + 1):
                answer = self._exchange(platform, url, headers, form, connect_seconds)
                if answer.status not in REDIRECTS:
                    return _accept(platform, answer)
                target = urljoin(url, answer.headers.get("Location", ""))
                if _host(target) != _host(url):
                    raise PlatformRefused(
                        platform.name, url, f"redirects to another host ({_host(target)}), which is not followed",
                        answer.status,
                    )  # fmt: skip
                url = target
        raise PlatformRefused(platform.name, url, f"redirects more than {MAX_REDIRECTS} times", answer.status)

    def _exchange(
        self,
        platform: Platform,
        url: str,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None,
        connect_seconds: float | None,
    ) -> Answer:
        access = platform.access
        session = self._session(url)
        request = requests.Request("POST" if form else "GET", url, headers=dict(headers), data=form)
        connect = min(access.connect_timeout_seconds, connect_seconds or access.connect_timeout_seconds)
        try:
            response = session.send(
                session.prepare_request(request),
                stream=True,
                allow_redirects=False,
                timeout=(connect, access.read_timeout_seconds),
                proxies=session.proxies,
                verify=session.verify,
                cert=session.cert,
            )
            with response:
                content = _read_body(platform, url, response)
        except PlatformError:
            raise
        except RequestException as error:
            raise _named(platform, url, error) from error
        return Answer(response.status_code, response.headers, content, url)

    def _session(self, url: str) -> requests.Session:
        host = _host(url)
        session = self._sessions.get(host)
        if session is None:
            with self._lock:
                session = self._sessions.get(host) or _new_session(url, self._threads)
                self._sessions[host] = session
        return session

    def _gate(self, platform: Platform) -> threading.BoundedSemaphore:
        gate = self._gates.get(platform.name)
        if gate is None:
            with self._lock:
                gate = self._gates.setdefault(platform.name, threading.BoundedSemaphore(platform.access.concurrency))
        return gate


def patiently(ask: Callable[[float], T]) -> T:
    """Call ``ask(seconds left)`` again after transient failures, with growing, jittered waits.

    Stops at the first permanent failure, after ``TRIES``, or when the next wait would outlast ``PATIENCE_SECONDS``.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    for attempt in range(1, TRIES + 1):
        try:
            return ask(max(0.2, deadline - time.monotonic()))
        except PlatformUnavailable as error:
            wait = FIRST_WAIT_SECONDS * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)
            wait = max(wait, error.retry_after_seconds)
            if attempt == TRIES or time.monotonic() + wait >= deadline:
                raise
            time.sleep(wait)
    raise AssertionError("unreachable: the last try returns or raises")


def parse_http_date(text: str | None) -> datetime | None:
    """A date of a header, with zone; None where it is none."""
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _new_session(url: str, threads: int) -> requests.Session:
    session = requests.Session()
    adapter = HTTPAdapter(pool_connections=2, pool_maxsize=threads)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    # Proxies and certificates of the environment are looked up once; per request that costs as much as the request.
    found = session.merge_environment_settings(url, {}, None, None, None)
    session.proxies, session.verify, session.cert = found["proxies"], found["verify"], found["cert"]
    session.trust_env = False
    session.headers["User-Agent"] = "junheng"
    # No cookie is kept: a session is shared by threads, and platforms know us by token.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def _read_body(platform: Platform, url: str, response: requests.Response) -> bytes:
    """The body, decompressed, up to ``max_bytes``; a body shorter than announced raises in urllib3."""
    limit = platform.access.max_bytes
    announced = response.headers.get("Content-Length", "")
    if announced.isdigit() and int(announced) > limit:
        raise DeliveryInvalid(platform.name, url, f"announces {int(announced):,} bytes, more than max_bytes {limit:,}")
    deadline = time.monotonic() + SLOWEST_BODY_IN_READ_TIMEOUTS * platform.access.read_timeout_seconds
    parts: list[bytes] = []
    size = 0
    for part in response.iter_content(CHUNK_BYTES):
        parts.append(part)
        size += len(part)
        if size > limit:
            raise DeliveryInvalid(platform.name, url, f"sends more than max_bytes {limit:,}")
        if time.monotonic() > deadline:
            raise PlatformUnavailable(platform.name, url, f"sends too slowly: {size:,} bytes in the time allowed")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _accept(platform: Platform, answer: Answer) -> Answer:
    """The answer if it is one to go on with (200, 304, 401), else the error that its status means."""
    status = answer.status
    if status in (200, 304, 401):
        return answer
    if status in TRANSIENT_STATUS or status >= 500:
        reason = "asks for fewer requests" if status == 429 else "is not available"
        unavailable = PlatformUnavailable(platform.name, answer.url, reason, status)
        unavailable.retry_after_seconds = _retry_after(answer.headers.get("Retry-After"))
        raise unavailable
    if 200 <= status < 300:
        raise DeliveryInvalid(platform.name, answer.url, "answers without a complete body", status)
    reasons = {403: "refuses access", 404: "does not know this address", 410: "no longer offers this"}
    raise PlatformRefused(platform.name, answer.url, reasons.get(status, "refuses the request"), status)


def _named(platform: Platform, url: str, error: RequestException) -> PlatformError:
    """The PlatformError of a failure below HTTP."""
    if isinstance(error, SSLError):
        return PlatformRefused(platform.name, url, "its certificate is not trusted")
    if isinstance(error, ContentDecodingError):
        return DeliveryInvalid(platform.name, url, "its compressed body cannot be decompressed")
    if isinstance(error, ChunkedEncodingError):
        return PlatformUnavailable(platform.name, url, "the body was cut off")
    if isinstance(error, ReadTimeout) or "Read timed out" in str(error):
        return PlatformUnavailable(
            platform.name, url, f"gave no answer within {platform.access.read_timeout_seconds:g} s"
        )
    if isinstance(error, requests.exceptions.ConnectionError):
        return PlatformUnavailable(platform.name, url, f"no connection ({_root(error)})")
    return PlatformRefused(platform.name, url, f"the request cannot be made ({type(error).__name__})")


def _root(error: BaseException) -> str:
    """The system's word at the bottom of a chain of errors (``Connection refused``), which holds no URL."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.strerror:
            return seen.strerror
        inner = getattr(seen, "reason", None)
        seen = inner if isinstance(inner, BaseException) else seen.__cause__ or seen.__context__
    return type(error).__name__


def _retry_after(text: str | None) -> float:
    """``Retry-After`` in seconds, given as seconds or as a date; 0 where there is none."""
    if text and text.strip().isdigit():
        return float(text)
    moment = parse_http_date(text)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds()) if moment else 0.0


def _host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"
