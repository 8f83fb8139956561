"""Asking one platform one question, with all manners inside: what every transport uses and nothing more.

Here: the order of things — breaker, pace, hooks, credentials, the exchange, what the answer is, and whether to ask again.
Not here: each of these by itself (``manners``, ``auth``, ``http``, ``recognising``), what a listing or return looks like
(``transports``), many questions at once (``collecting``).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, stop_before_delay
from tenacity.wait import wait_exponential, wait_random

from resources.errors import CircuitOpen, DeliveryInvalid, PlatformError, PlatformRefused, PlatformUnavailable
from resources.platforms.auth import Credentials
from resources.platforms.hooks import Hooks, load_hooks
from resources.platforms.http import Answer, Request, exchange
from resources.platforms.incidents import IncidentLog
from resources.platforms.manners import Bucket, Lane, sleep_parked
from resources.platforms.recognising import is_mislabelled, is_unauthorized, require_no_transient_code
from resources.platforms.register import Platform
from resources.platforms.sessions import Sessions, host_of

SHANGHAI = ZoneInfo("Asia/Shanghai")

Check = Callable[[Platform, Answer], None]
"""Raises a PlatformError where an answer is not what was asked for; a transient one is asked for again."""


class Asking:
    """The way to all platforms, to be shared by threads.

    ``template`` holds ``{province}`` and ``{sector}``; ``variables`` are those of the environment that the register names
    (by default: the process's); ``clock`` gives an aware datetime.
    """

    def __init__(
        self,
        template: str | None = None,
        variables: Mapping[str, str] | None = None,
        *,
        threads: int = 8,
        clock: Callable[[], datetime] = lambda: datetime.now(SHANGHAI),
    ) -> None:
        self._template = template
        self.variables: Mapping[str, str] = dict(os.environ if variables is None else variables)
        self.clock = clock
        self.incidents = IncidentLog(clock)
        self._sessions = Sessions(threads, self.variables)
        self._credentials = Credentials(self.variables, self._send)
        self._lanes: dict[str, Lane] = {}
        self._buckets: dict[str, Bucket] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Asking({self._template!r})"

    def close(self) -> None:
        """Close all connections."""
        self._sessions.close()

    def base_url(self, platform: Platform) -> str:
        """The platform's address, without a slash at its end; PlatformRefused (not_configured) where it has none."""
        address = platform.address(self._template)
        if address is None:
            reason = f"has no address: set its base_url in {platform.file.name}"
            usual = f", or JUNHENG_{'PORTAL' if platform.sector == 'portal' else 'PLATFORM'}_URL"
            raise PlatformRefused(platform.name, "", reason + usual, kind="not_configured")
        return address

    def hooks(self, platform: Platform) -> Hooks:
        """The platform's hooks; PlatformRefused where the register names some that do not exist."""
        try:
            return load_hooks(platform.access.hooks)
        except LookupError as error:
            raise PlatformRefused(platform.name, "", str(error), kind="not_configured") from error

    def lane(self, platform: Platform) -> Lane:
        """Pace, penalty and breaker of a platform."""
        lane = self._lanes.get(platform.name)
        if lane is None:
            with self._lock:
                lane = self._lanes.setdefault(platform.name, self._new_lane(platform))
        return lane

    def ask(
        self,
        platform: Platform,
        url: str,
        *,
        etag: str | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: Any = None,
        check: Check | None = None,
    ) -> Answer:
        """GET ``url`` (POST where there is ``form`` or ``json``); a complete answer with status 200 or 304.

        ``etag`` (or an HTTP date, of a platform that has no ETags) asks on condition. ``check`` sees each answer
        before it counts. Raises PlatformUnavailable (asked again already, in vain; CircuitOpen: not asked at all),
        PlatformRefused or DeliveryInvalid. What was overcome on the way is in ``incidents``.
        """
        access = platform.access
        sent = {"User-Agent": access.user_agent} | access.headers | _condition(etag) | dict(headers or {})
        request = Request(url, sent, dict(params or {}), form, json)
        overcome: list[PlatformError] = []
        retrying = Retrying(
            retry=retry_if_exception(_is_worth_asking_again),
            stop=stop_after_attempt(access.retries.tries) | stop_before_delay(access.retries.patience),
            wait=_waiting(platform),
            before_sleep=lambda state: overcome.append(_error_of(state)),
            sleep=sleep_parked,
            reraise=True,
        )
        try:
            answer = retrying(self._ask_once, platform, request, check)
        except CircuitOpen as error:
            if overcome:  # the breaker opened between two tries: what this question met is the better answer
                raise overcome[-1] from error
            raise
        for trouble in overcome:
            self.incidents.note(platform.name, trouble.kind, trouble.reason)
        return answer

    def log_in(self, platform: Platform) -> None:
        """Ask a platform with bearer tokens for a new one; the errors of :meth:`ask`, nothing is asked again."""
        try:
            self._credentials.renew(platform, self.base_url(platform))
        except PlatformError as error:
            error.redact(self._secrets(platform))
            raise

    def _ask_once(self, platform: Platform, request: Request, check: Check | None) -> Answer:
        lane = self.lane(platform)
        self._wait_for_turn(platform, lane, request.url)
        try:
            answer = self._answer(platform, request)
            if answer.status == 304 and not any(name.lower().startswith("if-") for name in request.headers):
                raise DeliveryInvalid(
                    platform.name, request.url, "says that nothing changed, and was not asked that", 304
                )
            if answer.status == 401:
                raise PlatformRefused(platform.name, request.url, "refuses the credentials", 401)
            if answer.status != 304:
                require_no_transient_code(platform, answer)
                if check is not None:
                    check(platform, answer)
        except PlatformUnavailable as error:
            error.redact(self._secrets(platform))
            self._note_failure(platform, lane, error)
            raise
        except PlatformError as error:
            error.redact(self._secrets(platform))
            lane.breaker.succeeded()  # it is there, and says no
            raise
        except BaseException:
            lane.breaker.failed()  # a bug of ours, or the end of the program: a half-open breaker must not stay so
            raise
        lane.breaker.succeeded()
        if is_mislabelled(answer):
            message = f"{urlsplit(request.url).path} is called {answer.media_type}, and is none"
            self.incidents.note(platform.name, "wrong_content_type", message)
        return answer

    def _secrets(self, platform: Platform) -> list[str]:
        """What we know of the platform that nobody else may: no message repeats it, whoever wrote it."""
        auth = platform.access.auth
        return [self.variables.get(auth.secret_from, "")] if auth.kind in ("bearer", "hmac", "basic") else []

    def _wait_for_turn(self, platform: Platform, lane: Lane, url: str) -> None:
        """Wait for penalty and pace; CircuitOpen or PlatformUnavailable where that would be too long."""
        if lane.breaker.state == "open":
            raise _circuit_open(platform, lane, url)
        penalty = lane.penalty_seconds()
        if penalty > platform.access.retries.patience:
            reason = f"asks to be left alone for {penalty:.0f} s more"
            raise PlatformUnavailable(platform.name, url, reason, kind="too_many_requests")
        sleep_parked(max(penalty, lane.bucket.take()))
        # Last, since whoever is let through a half-open breaker must come back with an answer or a failure.
        if not lane.breaker.lets_through():
            raise _circuit_open(platform, lane, url)

    def _answer(self, platform: Platform, request: Request) -> Answer:
        """The answer with hooks and credentials; a refused token is renewed once."""
        hooks = self.hooks(platform)
        base_url = self.base_url(platform)
        asked = self._credentials.apply(platform, base_url, hooks.request(platform, request))
        answer = self._send(platform, asked)
        if is_unauthorized(answer) and self._credentials.forget(platform, asked):
            asked = self._credentials.apply(platform, base_url, hooks.request(platform, request))
            answer = self._send(platform, asked)
            if not is_unauthorized(answer):
                self.incidents.note(platform.name, "renewed_token", "refused a token before its end; a new one did")
        return hooks.response(platform, answer)

    def _send(self, platform: Platform, request: Request) -> Answer:
        def note(kind: str, message: str) -> None:
            self.incidents.note(platform.name, kind, message)

        with self.lane(platform).place():
            began = time.monotonic()
            answer = exchange(self._sessions, platform, request, note)
            seconds = time.monotonic() - began
        if seconds > platform.access.timeouts.slow:
            note("slow", f"took {seconds:.1f} s to answer")
        return answer

    def _note_failure(self, platform: Platform, lane: Lane, error: PlatformUnavailable) -> None:
        if error.kind in ("too_many_requests", "unavailable") and error.retry_after_seconds:
            lane.penalise(error.retry_after_seconds)
        lane.last_trouble = error.reason + (f" (HTTP {error.status})" if error.status else "")
        if lane.breaker.failed():
            seconds = platform.access.breaker.open_seconds
            message = f"left alone for {seconds:g} s after {lane.breaker.failures} failures in a row: {error.reason}"
            self.incidents.note(platform.name, "circuit_open", message)

    def _new_lane(self, platform: Platform) -> Lane:
        pace = platform.access.pace
        address = platform.address(self._template)
        bucket = self._buckets.setdefault(host_of(address), Bucket(pace)) if pace.shared_host and address else None
        return Lane(platform.access, bucket)


def _condition(etag: str | None) -> dict[str, str]:
    if not etag or not (etag.isascii() and etag.isprintable()):  # no header can carry it: asked without condition
        return {}
    is_etag = etag.startswith(('"', 'W/"')) or not etag.endswith("GMT")
    return {"If-None-Match": etag} if is_etag else {"If-Modified-Since": etag}


def _circuit_open(platform: Platform, lane: Lane, url: str) -> CircuitOpen:
    reason = (
        f"is left alone for {platform.access.breaker.open_seconds:g} s after {lane.breaker.failures} failures in a row "
        f"(circuit open); the last: {lane.last_trouble}"
    )
    return CircuitOpen(platform.name, url, reason)


def _is_worth_asking_again(error: BaseException) -> bool:
    return isinstance(error, PlatformUnavailable) and not isinstance(error, CircuitOpen)


def _error_of(state: RetryCallState) -> PlatformError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, PlatformError), "only platform errors are asked again"
    return error


def _waiting(platform: Platform) -> Callable[[RetryCallState], float]:
    """Growing waits with jitter, never shorter than the platform asked for."""
    first = platform.access.retries.first_wait
    growing = wait_exponential(multiplier=first, max=platform.access.retries.patience) + wait_random(0, first)

    def wait(state: RetryCallState) -> float:
        error = _error_of(state)
        return max(growing(state), error.retry_after_seconds)

    return wait
