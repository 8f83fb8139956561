"""The platforms over HTTP: listings, deliveries, tokens.

What is here: one Starlette application for all 93 platforms. What is not here: the control of faults and truth
(`control`), the making of a return (`platforms`), how an answer goes wrong (`transport`), the process (`__main__`).
"""

import datetime as dt
import email.utils
import hashlib
import hmac
import os
import re
import secrets
import time
import urllib.parse

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.carriers import PAGE_SIZE, envelope
from sandbox.control import Control, refuse
from sandbox.faults import NO_FAULTS, ActiveFaults
from sandbox.platforms import Available, Platform, Platforms
from sandbox.portal import portal_routes
from sandbox.transport import answer_instead, is_whole, send_badly
from sandbox.truth import Deliveries, of

DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET = "junheng", "sandbox"
TOKEN_SECONDS = 3600
MAX_PAGE_SIZE = 1000
RANGE = re.compile(r"bytes=(\d{1,12})-")


def _ranged(request: Request, content: bytes, headers: dict[str, str], etag: str) -> Response:
    """The file, or what is left of it from a byte on (`Range: bytes=N-`), if the client holds the first part of it."""
    found = RANGE.fullmatch(request.headers.get("range", ""))
    if found is None or request.headers.get("if-range", etag) != etag or int(found[1]) >= len(content):
        return Response(content, headers=headers)
    start = int(found[1])
    headers = headers | {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
    return Response(content[start:], 206, headers)


def _is_held(request: Request, etag: str) -> bool:
    """Whether the client holds this very content (`If-None-Match`)."""
    held = request.headers.get("if-none-match", "")
    return held == "*" or etag in (each.strip().removeprefix("W/") for each in held.split(","))


class PlatformServer:
    """The endpoints; one object holds platforms, tokens and credentials."""

    def __init__(self, platforms: Platforms) -> None:
        self.platforms = platforms
        self.client_id = os.environ.get("JUNHENG_SANDBOX_CLIENT_ID", DEFAULT_CLIENT_ID)
        self.client_secret = os.environ.get("JUNHENG_SANDBOX_CLIENT_SECRET", DEFAULT_CLIENT_SECRET)
        self._tokens: dict[str, tuple[str, float]] = {}
        self._deliveries = Deliveries()

    def application(self) -> Starlette:
        """The Starlette application."""
        base = "/{province}/{sector}"
        return Starlette(
            routes=[
                *portal_routes(self.platforms),
                Route("/healthz", self.healthz),
                *Control(self.platforms, self._deliveries).routes(),
                Route(f"{base}/token", self.token, methods=["POST"]),
                Route(f"{base}/returns", self.list_returns),
                Route(f"{base}/returns/{{return_id}}", self.get_return),
            ]
        )

    async def healthz(self, request: Request) -> Response:
        """The sandbox is there, and what day it is on it."""
        today = self.platforms.clock.now().date().isoformat()
        return JSONResponse({"status": "ok", "today": today, "platforms": len(self.platforms.by_code)})

    async def _enter(self, request: Request, return_id: str | None = None) -> Platform | Response:
        """The platform asked for, or the answer that keeps the client out (unknown, at fault, no token)."""
        code = f"{request.path_params['province']}/{request.path_params['sector']}"
        platform = self.platforms.by_code.get(code)
        if platform is None:
            return refuse(404, f"no platform {code}")
        active = self._active(platform, return_id)
        if active.names:
            instead = await answer_instead(request, code, active, self.platforms.faults)
            if instead is not None:
                return instead
        is_login = request.url.path.endswith("/token")
        if platform.sector == "employment" and not is_login and not self._is_authorised(request, platform, active):
            return refuse(401, "token missing or expired: POST …/token")
        return platform

    def _active(self, platform: Platform, return_id: str | None) -> ActiveFaults:
        """The faults of a request: a second id of a return shares those of the first."""
        if not self.platforms.faults.holds_for(platform.code):
            return NO_FAULTS
        wanted = self.platforms.find(platform, return_id) if return_id else None
        return self.platforms.faults.active(platform.code, of(wanted) if wanted else return_id)

    def _is_authorised(self, request: Request, platform: Platform, active: ActiveFaults) -> bool:
        book = self.platforms.faults
        if "expired_token" in active.names and book.count(platform.code, "expired_token") == active.strength(
            "expired_token"
        ):
            self._tokens = {token: each for token, each in self._tokens.items() if each[0] != platform.code}
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and self._tokens.get(token, ("", 0.0))[1] > time.monotonic()

    async def token(self, request: Request) -> Response:
        """A bearer token for client id and secret (form fields); errors are `code` ≠ 0."""
        platform = await self._enter(request)
        if isinstance(platform, Response):
            return platform
        sent = {key: values[0] for key, values in urllib.parse.parse_qs((await request.body()).decode()).items()}
        is_known = hmac.compare_digest(sent.get("client_id", "").encode(), self.client_id.encode())
        is_known &= hmac.compare_digest(sent.get("client_secret", "").encode(), self.client_secret.encode())
        if not is_known:
            return Response(envelope(None, 1001, "client_id or client_secret is wrong"), media_type="application/json")
        now = time.monotonic()
        self._tokens = {token: each for token, each in self._tokens.items() if each[1] > now}
        token = secrets.token_urlsafe(24)
        active, book = self.platforms.faults.active(platform.code), self.platforms.faults
        fault = "token_expires_at_once"
        is_dead = fault in active.names and book.count(platform.code, fault) <= active.strength(fault)
        self._tokens[token] = (platform.code, now if is_dead else now + TOKEN_SECONDS)
        content = envelope({"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS})
        return Response(content, media_type="application/json")

    async def list_returns(self, request: Request) -> Response:
        """All returns the platform has published, one line of JSON."""
        platform = await self._enter(request)
        if isinstance(platform, Response):
            return platform
        rows = [
            {
                "id": each.return_id, "form": each.form.code, "period": each.period.code, "file_name": each.file_name,
                "modified": each.modified.isoformat(), "etag": each.etag, "media_type": each.media_type,
            }
            for each in self.platforms.available(platform, request.query_params.get("form"))
        ]  # fmt: skip
        content = envelope({"total": len(rows), "rows": rows})
        etag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
        if _is_held(request, etag):
            return Response(None, 304, {"ETag": etag})
        response = Response(content, headers={"ETag": etag}, media_type="application/json")
        active = self.platforms.faults.active(platform.code)
        return self._send(request, response, platform, active) if active.names else response

    def _send(self, request: Request, response: Response, platform: Platform, active: ActiveFaults) -> Response:
        return send_badly(request, response, platform.code, active, self.platforms.faults)

    async def get_return(self, request: Request) -> Response:
        """The bytes of one return, or one page of it."""
        return_id = request.path_params["return_id"]
        platform = await self._enter(request, return_id)
        if isinstance(platform, Response):
            return platform
        wanted = self.platforms.find(platform, return_id)
        if wanted is None:
            status = 200 if platform.carrier == "json" else 404
            return Response(envelope(None, 404, f"no return {return_id}"), status, media_type="application/json")
        headers = {
            "ETag": wanted.etag,
            "Last-Modified": email.utils.format_datetime(wanted.modified.astimezone(dt.UTC), usegmt=True),
        }
        if _is_held(request, wanted.etag):
            return Response(None, 304, headers)
        active = self.platforms.faults.active(platform.code, of(wanted))
        if platform.carrier == "json":
            return self._page(request, platform, wanted, headers, active)
        name = urllib.parse.quote(wanted.file_name)
        headers |= {
            "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
            "Content-Type": wanted.media_type,
            "Accept-Ranges": "bytes",
        }
        parts = self.platforms.deliver(platform, wanted)
        response = _ranged(request, parts[0], headers, wanted.etag)
        if active.names:
            response = self._send(request, response, platform, active)
        if is_whole(response) or response.status_code == 206:
            self._deliveries.add(platform.code, return_id, parts, active)
        return response

    def _page(
        self, request: Request, platform: Platform, wanted: Available, headers: dict[str, str], active: ActiveFaults
    ) -> Response:
        try:
            page = int(request.query_params.get("page", "1"))
            size = int(request.query_params.get("size", str(PAGE_SIZE)))
        except ValueError:
            page = size = 0
        pages = self.platforms.deliver(platform, wanted, size) if 1 <= size <= MAX_PAGE_SIZE else []
        if not 1 <= page <= len(pages):
            content = envelope(None, 400, f"page or size out of range (size 1 to {MAX_PAGE_SIZE})")
            return Response(content, media_type="application/json")
        response = Response(pages[page - 1], headers=headers, media_type="application/json")
        if active.names:
            response = self._send(request, response, platform, active)
        if page == len(pages) and is_whole(response):
            self._deliveries.add(platform.code, wanted.return_id, pages, active)
        return response
