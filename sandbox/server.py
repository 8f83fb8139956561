"""The platforms over HTTP: listings, deliveries, tokens, and the control of faults and truth.

What is here: one Starlette application for all 93 platforms. What is not here: the making of a return (`platforms`)
and the process (`__main__`).
"""

import asyncio
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

from sandbox.carriers import PAGE_SIZE, encode_json, envelope
from sandbox.faults import FAULTS
from sandbox.periods import ReturnPeriod
from sandbox.platforms import Available, Platform, Platforms
from sandbox.reference import Form, Series

DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET = "junheng", "sandbox"
TOKEN_SECONDS = 3600
SLOW_SECONDS = 2.0
RETRY_AFTER_SECONDS = 1
MAX_PAGE_SIZE = 1000
PERIOD = re.compile(r"(?P<year>\d{4})(?:-Q(?P<quarter>[1-4])|-M01-M(?P<last>0[2-9]|1[0-2])|-(?P<month>0[1-9]|1[0-2]))?")


def _error(status: int, message: str) -> Response:
    return Response(envelope(None, status, message), status, media_type="application/json")


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
        self._tokens: dict[str, float] = {}

    def application(self) -> Starlette:
        """The Starlette application."""
        base = "/{province}/{sector}"
        return Starlette(
            routes=[
                Route("/healthz", self.healthz),
                Route("/control/faults", self.control_faults, methods=["GET", "POST", "DELETE"]),
                Route("/control/truth", self.truth),
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
            return _error(404, f"no platform {code}")
        faults = self.platforms.faults.active(code, return_id).names
        if "down" in faults:
            return Response("503 Service Unavailable\n", 503, media_type="text/plain")
        if "too_many_requests" in faults:
            return Response("429\n", 429, {"Retry-After": str(RETRY_AFTER_SECONDS)}, media_type="text/plain")
        if "slow" in faults:
            await asyncio.sleep(SLOW_SECONDS)
        is_login = request.url.path.endswith("/token")
        if platform.sector == "employment" and not is_login and not self._is_authorised(request):
            return _error(401, "token missing or expired: POST …/token")
        return platform

    def _is_authorised(self, request: Request) -> bool:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and self._tokens.get(token, 0.0) > time.monotonic()

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
        self._tokens = {token: expiry for token, expiry in self._tokens.items() if expiry > now}
        token = secrets.token_urlsafe(24)
        self._tokens[token] = now + TOKEN_SECONDS
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
        return Response(content, headers={"ETag": etag}, media_type="application/json")

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
        if platform.carrier == "json":
            return self._page(request, platform, wanted, headers)
        name = urllib.parse.quote(wanted.file_name)
        headers |= {"Content-Disposition": f"attachment; filename*=UTF-8''{name}", "Content-Type": wanted.media_type}
        return Response(self.platforms.deliver(platform, wanted)[0], headers=headers)

    def _page(self, request: Request, platform: Platform, wanted: Available, headers: dict[str, str]) -> Response:
        try:
            page = int(request.query_params.get("page", "1"))
            size = int(request.query_params.get("size", str(PAGE_SIZE)))
        except ValueError:
            page = size = 0
        pages = self.platforms.deliver(platform, wanted, size) if 1 <= size <= MAX_PAGE_SIZE else []
        if not 1 <= page <= len(pages):
            content = envelope(None, 400, f"page or size out of range (size 1 to {MAX_PAGE_SIZE})")
            return Response(content, media_type="application/json")
        return Response(pages[page - 1], headers=headers, media_type="application/json")

    async def control_faults(self, request: Request) -> Response:
        """GET: the faults that are on; POST `{platform, fault, return_id}`: switch one on; DELETE: all off."""
        book = self.platforms.faults
        if request.method == "DELETE":
            book.clear()
        elif request.method == "POST":
            try:
                asked = await request.json()
                platform, fault, return_id = asked["platform"], asked["fault"], asked.get("return_id")
            except (ValueError, KeyError, TypeError, AttributeError):
                return _error(400, 'expected {"platform": "510000/health", "fault": "down", "return_id": null}')
            if platform not in self.platforms.by_code:
                return _error(404, f"no platform {platform}")
            try:
                book.set(platform, fault, return_id)
            except ValueError as error:
                return _error(400, str(error))
        return Response(encode_json({"faults": book.listed(), "known": sorted(FAULTS)}), media_type="application/json")

    async def truth(self, request: Request) -> Response:
        """Value, status and origin of one figure as served without faults; 404 where no return carries it."""
        asked = {
            name: request.query_params.get(name, "")
            for name in ("indicator_code", "region_code", "period_code", "area_type")
        }
        reference = self.platforms.maker.reference
        series = reference.by_label.get(f"{asked['indicator_code']}@{asked['area_type']}")
        province = reference.province_by_code.get(asked["region_code"][:2] + "0000")
        if series is None or province is None:
            return _error(404, f"unknown indicator, area type or region: {asked}")
        for form, period in carrying_returns(series, asked["period_code"], reference.forms):
            try:
                found = self.platforms.maker.truth(form, province, period, series, asked["region_code"])
            except LookupError:
                continue
            content = encode_json({**asked, **found, "return_id": f"{form.code}-{period.code}"})
            return Response(content, media_type="application/json")
        return _error(404, f"no return carries {asked}")


def carrying_returns(series: Series, period_code: str, forms: dict[str, Form]) -> list[tuple[Form, ReturnPeriod]]:
    """The returns whose figures of the series have this period code."""
    found = PERIOD.fullmatch(period_code.removeprefix("SY"))
    if found is None:
        return []
    year = int(found["year"])
    month, kinds = 12, "S" if period_code.startswith("SY") else "A"
    if found["quarter"]:
        month, kinds = 3 * int(found["quarter"]), "Q"
    elif found["last"] or found["month"]:
        month = int(found["last"] or found["month"])
        kinds = "MQ" if found["last"] and month % 3 == 0 else "M"
    is_cumulated = kinds[0] in "MQ" and series.indicator.is_cumulative
    if kinds[0] in "MQ" and is_cumulated != bool(found["last"]):
        return []  # a flow is cumulated, a stock is not
    return [
        (forms[code], ReturnPeriod(year, month, forms[code].frequency))
        for code in series.indicator.forms
        if forms[code].frequency in kinds
    ]
