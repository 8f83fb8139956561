"""How a platform misbehaves on the way: busy, down, slow, cut, moved, mislabelled.

What is here: the answer that comes in the place of the right one, and what becomes of the right one on the wire. What is
not here: tokens (`server`), what is listed (`platforms`), faults of the bytes themselves (`printing`).
"""

import asyncio
import datetime as dt
import email.utils
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from sandbox.faults import ActiveFaults, FaultBook
from sandbox.printing import LOGIN_PAGE

MOVED = "moved"
"""The query field by which a redirect within the host is known to have been followed."""
OTHER_HOST = "http://portal.invalid/login"
RETRY_SECONDS = 1
DRIBBLE_SLICES = 20

Before = Callable[[Request, float], Awaitable[Response | None]]


def _busy(headers: Mapping[str, str]) -> Response:
    return Response("429 Too Many Requests\n", 429, dict(headers), media_type="text/plain")


def _down() -> Response:
    return Response("503 Service Unavailable\n", 503, media_type="text/plain")


def _retry_date() -> str:
    """The next full second but one, as `Retry-After` writes it."""
    moment = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=RETRY_SECONDS)
    return email.utils.format_datetime(moment, usegmt=True)


COUNTED: Mapping[str, Callable[[], Response]] = {
    "rate_limited_seconds": lambda: _busy({"Retry-After": str(RETRY_SECONDS)}),
    "rate_limited_date": lambda: _busy({"Retry-After": _retry_date()}),
    "rate_limited_bare": lambda: _busy({}),
    "unavailable_first": _down,
}
"""What answers the first requests of a platform, or of a return."""


async def answer_instead(request: Request, platform: str, active: ActiveFaults, book: FaultBook) -> Response | None:
    """The answer that keeps a client from what it asked for; None where it may go on (perhaps after a while)."""
    names = active.names
    if "down" in names:
        return _down()
    if "too_many_requests" in names:
        return _busy({"Retry-After": f"{active.strength('too_many_requests'):.0f}"})
    for name, answer in COUNTED.items():
        if name in names and book.count(platform, name) <= active.strength(name):
            return answer()
    if "slow" in names:
        await asyncio.sleep(active.strength("slow"))
    if "login_page" in names and not request.url.path.endswith("/token"):
        return Response(LOGIN_PAGE, media_type="text/html")
    if "redirected_away" in names:
        return Response(None, 302, {"Location": OTHER_HOST})
    if "redirected" in names and MOVED not in request.query_params:
        query = f"{request.url.query}&{MOVED}=1" if request.url.query else f"{MOVED}=1"
        return Response(None, 302, {"Location": f"{request.url.path}?{query}"})
    return None


def send_badly(request: Request, response: Response, platform: str, active: ActiveFaults, book: FaultBook) -> Response:
    """A right answer as its faults send it; is it complete at the other end, `is_whole` of this module says."""
    names = active.names
    if response.status_code not in (200, 206):
        return response
    if "wrong_content_type" in names:
        response.headers["Content-Type"] = "text/html; charset=utf-8"
    if "gzip_not_sent" in names and "gzip" in request.headers.get("accept-encoding", ""):
        response.headers["Content-Encoding"] = "gzip"
    if "cut_body" in names:
        return CutResponse(response, is_chunked=False)
    for name, is_chunked in (("cut_body_once", False), ("cut_chunked_once", True)):
        if name in names and book.count(platform, name) <= active.strength(name):
            return CutResponse(response, is_chunked=is_chunked)
    if "dribble" in names:
        content = bytes(response.body)
        headers = {name: text for name, text in response.headers.items() if name != "content-length"}
        headers["content-length"] = str(len(content))
        return StreamingResponse(_dribble(content, active.strength("dribble")), response.status_code, headers)
    return response


def is_whole(response: Response) -> bool:
    """Whether a client that waits will have the whole body."""
    return response.status_code == 200 and not isinstance(response, CutResponse)


async def _dribble(content: bytes, seconds: float) -> AsyncIterator[bytes]:
    size = max(1, -(-len(content) // DRIBBLE_SLICES))
    for start in range(0, len(content), size):
        yield content[start : start + size]
        await asyncio.sleep(seconds / DRIBBLE_SLICES)


class CutResponse(Response):
    """Half of a body, under the whole one's `Content-Length` or in chunks without the last; then the line is cut."""

    def __init__(self, whole: Response, *, is_chunked: bool) -> None:
        super().__init__(None, whole.status_code)
        self._half = bytes(whole.body)[: len(whole.body) // 2]
        self.raw_headers = [
            (name, text) for name, text in whole.raw_headers if not (is_chunked and name == b"content-length")
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the half and end without an end: the server closes the connection."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self._half, "more_body": True})
