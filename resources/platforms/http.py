"""One exchange with a platform over HTTP: redirects within the host, bodies in bounds, a broken-off body resumed.

Here: sessions, what the status means, and the names of failures. Not here: when to ask and whether to ask again
(``asking``), who we are (``auth``), what an answer holds (``recognising``, ``transports``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.exceptions import ChunkedEncodingError, ReadTimeout, RequestException, SSLError

from resources.errors import DeliveryInvalid, PlatformError, PlatformRefused, PlatformUnavailable
from resources.platforms import deadlines
from resources.platforms.bodies import Body, BodyCut, expand, is_compressed, receive
from resources.platforms.register import Platform
from resources.platforms.sessions import Sessions, host_of

MAX_REDIRECTS = 3
# A body is gone on with so often, as long as each time brings some of it.
MAX_RESUMES = 5
TRANSIENT_STATUS = frozenset({408, 425, 429})
REDIRECTS = frozenset({301, 302, 303, 307, 308})

Note = Callable[[str, str], None]
"""Takes the kind of an incident and its message."""
FIRST_YEAR, LAST_YEAR = 1990, 2100


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent: GET, or POST where there is a form or JSON. Hooks and auth give changed copies."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    json: Any = None
    auth: tuple[str, str] | None = None  # user and password

    @property
    def method(self) -> str:
        """``GET`` or ``POST``."""
        return "GET" if self.form is None and self.json is None else "POST"

    def changed(self, **changes: Any) -> Request:
        """A copy with ``changes``."""
        return replace(self, **changes)


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


def exchange(
    sessions: Sessions, platform: Platform, request: Request, note: Note, connect_seconds: float | None = None
) -> Answer:
    """Send ``request`` once, over redirects within the host; PlatformError for anything but 200, 304 and 401."""
    url = request.url
    deadline = time.monotonic() + platform.access.timeouts.total
    for _ in range(MAX_REDIRECTS + 1):
        answer = _whole(sessions, platform, request, note, connect_seconds, deadline)
        if answer.status not in REDIRECTS:
            return _accept(platform, answer)
        target = urljoin(url, answer.headers.get("Location", ""))
        if host_of(target) != host_of(url):
            reason = f"redirects to another host ({host_of(target)}), which is not followed"
            raise PlatformRefused(platform.name, url, reason, answer.status, kind="redirected")
        note("redirected", f"{urlsplit(url).path} has moved to {urlsplit(target).path}")
        # The parameters stand in the target already, if the platform wants them there.
        kept = {} if urlsplit(target).query else request.params
        request, url = request.changed(url=target, params=kept), target
    raise PlatformRefused(
        platform.name, url, f"redirects more than {MAX_REDIRECTS} times", answer.status, kind="redirected"
    )


def _whole(
    sessions: Sessions, platform: Platform, request: Request, note: Note, connect: float | None, deadline: float
) -> Answer:
    """One answer; where its body broke off and the platform can, the rest is asked for."""
    body = Body()
    first: requests.Response | None = None
    for _ in range(MAX_RESUMES + 1):
        before = body.size
        asked = request if first is None else _for_the_rest(request, first, body)
        try:
            response = _send(sessions, platform, asked, connect, body, deadline, first)
        except _CutOff as cut:
            first = first or cut.response
            if body.size == before or not _can_resume(first) or time.monotonic() > deadline:
                raise cut.error from cut
            continue
        if first is not None and body.size > before and response.status_code == 206:
            note("resumed_body", f"{urlsplit(request.url).path} broke off after {before:,} bytes and was gone on with")
            return _opened(platform, request.url, first, 200, body, note)
        return _opened(platform, request.url, response, response.status_code, body, note)
    raise BodyCut(platform.name, request.url, f"the body was cut off {MAX_RESUMES + 1} times")


class _CutOff(Exception):
    """A body broke off: the answer's head, and the error to raise where nothing can be done."""

    def __init__(self, response: requests.Response, error: BodyCut) -> None:
        super().__init__(str(error))
        self.response = response
        self.error = error


def _send(
    sessions: Sessions,
    platform: Platform,
    request: Request,
    connect: float | None,
    body: Body,
    deadline: float,
    first: requests.Response | None = None,
) -> requests.Response:
    """Send and receive into ``body``; a full answer in place of a range begins ``body`` anew. ``first`` broke off before."""
    timeouts = platform.access.timeouts
    deadlines.deadline.set(deadline)
    try:
        session = sessions.of(platform, request.url)
        made = requests.Request(
            request.method, request.url, headers=dict(request.headers), params=dict(request.params),
            data=request.form, json=request.json, auth=request.auth,
        )  # fmt: skip
        response = session.send(
            session.prepare_request(made), stream=True, allow_redirects=False,
            timeout=(min(timeouts.connect, connect or timeouts.connect), timeouts.read),
            proxies=session.proxies, verify=session.verify, cert=session.cert,
        )  # fmt: skip
        with response:
            if time.monotonic() >= deadline:  # its socket was shut, and Python takes that for the end of the head
                raise _overdue(platform, request.url)
            _place(platform, request, response, body, first)
            connection = getattr(response.raw, "connection", None)
            try:
                with deadlines.WATCH.over(getattr(connection, "sock", None)):
                    receive(platform, request.url, response, body, deadline)
            except BodyCut as error:
                if time.monotonic() >= deadline:  # chunks and trailers that drip in: the socket was shut
                    raise _overdue(platform, request.url) from error
                raise _CutOff(response, error) from error
    except RequestException as error:
        if time.monotonic() >= deadline:
            raise _overdue(platform, request.url) from error
        raise name_failure(platform, request.url, error) from error
    return response


def _overdue(platform: Platform, url: str) -> PlatformUnavailable:
    reason = f"gave no whole answer within {platform.access.timeouts.total:g} s"
    return PlatformUnavailable(platform.name, url, reason, kind="timed_out")


def _place(
    platform: Platform, request: Request, response: requests.Response, body: Body, first: requests.Response | None
) -> None:
    """See that what comes belongs where ``body`` ends: 206 of the same version, from there to the end; any other answer
    stands alone."""
    if response.status_code != 206:
        body.parts.clear()
        body.size = 0
        return
    total = first.headers.get("Content-Length", "") if first is not None else ""
    said = response.headers.get("Content-Range", "")
    if total.isascii() and total.isdigit():
        fits = said == f"bytes {body.size}-{int(total) - 1}/{total}"
    else:  # sent in chunks, without a length
        fits = said.startswith(f"bytes {body.size}-")
    if "Range" not in request.headers or first is None or not fits:
        raise DeliveryInvalid(platform.name, request.url, "answers without a complete body", 206)
    for name in ("ETag", "Last-Modified"):
        version = response.headers.get(name)
        if version is not None and version != first.headers.get(name):
            reason = f"goes on with another version ({name} {version[:40]}) than it began with"
            raise DeliveryInvalid(platform.name, request.url, reason, 206)


def _for_the_rest(request: Request, first: requests.Response, body: Body) -> Request:
    """The request for what is missing, on condition that the file is still the same one."""
    condition = _strong_etag(first) or first.headers["Last-Modified"]
    rest = {"Range": f"bytes={body.size}-", "If-Range": condition, "Accept-Encoding": "identity"}
    headers = {name: value for name, value in request.headers.items() if not name.lower().startswith("if-")}
    return request.changed(headers=headers | rest)


def _can_resume(first: requests.Response) -> bool:
    """Whether a range of the same bytes can be asked for: announced, not compressed, and of a known version."""
    is_announced = first.status_code == 200 and first.headers.get("Accept-Ranges", "").strip().lower() == "bytes"
    is_plain = first.headers.get("Content-Encoding", "identity").lower() == "identity"
    return (
        is_announced and is_plain and bool(_strong_etag(first) or parse_http_date(first.headers.get("Last-Modified")))
    )


def _strong_etag(response: requests.Response) -> str | None:
    etag = response.headers.get("ETag", "")
    return etag if etag.startswith('"') else None


def _opened(platform: Platform, url: str, head: requests.Response, status: int, body: Body, note: Note) -> Answer:
    """The answer with its body decompressed; announced and not sent: as it is. What a redirect says beside is not read."""
    if status in REDIRECTS:
        return Answer(status, head.headers, b"", url)
    content = body.content()
    encoding = head.headers.get("Content-Encoding", "").strip().lower()
    if content and encoding not in ("", "identity"):
        if encoding not in ("gzip", "x-gzip", "deflate"):
            raise DeliveryInvalid(
                platform.name, url, f"its body is encoded as {encoding[:20]}, which was not asked for"
            )
        if is_compressed(content, encoding):
            content = expand(platform, url, content, encoding)
        else:
            note("gzip_not_sent", f"{urlsplit(url).path} is announced as {encoding} and sent as it is")
    return Answer(status, head.headers, content, url)


def _accept(platform: Platform, answer: Answer) -> Answer:
    """The answer if it is one to go on with (200, 304, 401), else the error that its status means."""
    status = answer.status
    if status in (200, 304, 401):
        return answer
    if status in TRANSIENT_STATUS or status >= 500:
        is_busy = status == 429
        reason = "asks for fewer requests" if is_busy else "is not available"
        unavailable = PlatformUnavailable(
            platform.name, answer.url, reason, status, kind="too_many_requests" if is_busy else "unavailable"
        )
        unavailable.retry_after_seconds = retry_after(answer.headers.get("Retry-After"))
        raise unavailable
    if 200 <= status < 300:
        raise DeliveryInvalid(platform.name, answer.url, "answers without a complete body", status)
    reasons = {403: "refuses access", 404: "does not know this address", 410: "no longer offers this"}
    raise PlatformRefused(platform.name, answer.url, reasons.get(status, "refuses the request"), status)


def name_failure(platform: Platform, url: str, error: RequestException) -> PlatformError:
    """The PlatformError of a failure below HTTP."""
    text = str(error)
    if isinstance(error, SSLError) or "[SSL" in text:
        if "CERTIFICATE_VERIFY_FAILED" in text or "doesn't match" in text:
            reason = "its certificate is not trusted"
            return PlatformRefused(platform.name, url, reason, kind="untrusted_certificate")
        return PlatformRefused(platform.name, url, "refuses the TLS handshake (does it want a client certificate?)")
    if isinstance(error, ReadTimeout) or "Read timed out" in text:
        reason = f"gave no answer within {platform.access.timeouts.read:g} s"
        return PlatformUnavailable(platform.name, url, reason, kind="timed_out")
    if isinstance(error, ChunkedEncodingError):
        return BodyCut(platform.name, url, "the body was cut off")
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return PlatformUnavailable(platform.name, url, "no connection in time", kind="timed_out")
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


def parse_http_date(text: str | None) -> datetime | None:
    """A date of a header, with zone; None where it is none."""
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment if is_likely(moment) else None


def is_likely(moment: datetime) -> bool:
    """Whether a time that a platform states can be one: a date at the edge of the calendar cannot be stored in every zone."""
    return FIRST_YEAR <= moment.year <= LAST_YEAR


def retry_after(text: str | None, now: datetime | None = None) -> float:
    """``Retry-After`` in seconds, given as seconds or as a date; 0 where there is none."""
    if text and text.strip().isascii() and text.strip().isdigit():
        return float(text.strip()[:9])
    moment = parse_http_date(text)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds()) if moment else 0.0
