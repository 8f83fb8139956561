"""Who we are to a platform: tokens, signatures, passwords, by names of environment variables.

Here: the four ways to say it and the renewal of tokens. Not here: TLS with a client certificate (``sessions`` gives it to
the handshake) and when to ask. No secret leaves this module but in a request.

The canonical form of a signed query (``hmac``), lines joined by ``\\n``, in UTF-8:

    GET                               the method
    host.example.cn:8443              host, with the port where the address has one, in lower case
    /api/returns                      path as it stands in the address
    access_key=…&nonce=…&timestamp=…  all parameters, percent-encoded (RFC 3986), sorted by name, then value

``signature`` is the lower-case hex HMAC-SHA256 of that text under the secret and goes along as one more parameter;
``timestamp`` is Unix time in seconds, ``nonce`` differs with every request.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from resources.errors import PlatformRefused
from resources.platforms.http import Answer, Request
from resources.platforms.recognising import invalid, is_unauthorized, parse_envelope, require_no_transient_code
from resources.platforms.register import Platform

# A token is renewed so long before its end: clocks differ, and a request takes its time.
TOKEN_MARGIN_SECONDS = 30.0

Send = Callable[[Platform, Request], Answer]


class Credentials:
    """Puts into requests who we are; keeps bearer tokens until shortly before they expire.

    ``variables`` are the environment's; ``send`` sends one request as it is. One thread renews a token, others wait.
    """

    def __init__(self, variables: Mapping[str, str], send: Send, now: Callable[[], float] = time.time) -> None:
        self._variables = variables
        self._send = send
        self._now = now
        self._tokens: dict[str, tuple[str, float]] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def apply(self, platform: Platform, base_url: str, request: Request) -> Request:
        """``request`` with what the platform wants; PlatformRefused names a variable that is not set."""
        auth = platform.access.auth
        if auth.kind in ("none", "client_certificate"):
            return request
        if auth.kind == "bearer":
            token = self._token(platform, base_url + auth.token_path)
            return request.changed(headers=dict(request.headers) | {"Authorization": f"Bearer {token}"})
        name, secret = self._pair(platform, request.url)
        if auth.kind == "basic":
            # As bytes: requests would take Latin-1 for text, and names here may be Chinese.
            return request.changed(auth=(name.encode(), secret.encode()))
        return sign(request, name, secret, int(self._now()), secrets.token_hex(8))

    def renew(self, platform: Platform, base_url: str) -> None:
        """Ask for a new bearer token now."""
        with self._lock:
            self._tokens.pop(platform.name, None)
        self._token(platform, base_url + platform.access.auth.token_path)

    def forget(self, platform: Platform, refused: Request) -> bool:
        """Drop the token that ``refused`` carried, unless it is renewed already; whether trying anew makes sense."""
        if platform.access.auth.kind != "bearer":
            return False
        used = refused.headers.get("Authorization", "").removeprefix("Bearer ")
        with self._lock:
            if self._tokens.get(platform.name, ("", 0.0))[0] == used:
                del self._tokens[platform.name]
        return True

    def _token(self, platform: Platform, url: str) -> str:
        with self._lock:
            lock = self._locks.setdefault(platform.name, threading.Lock())
        with lock:
            token, end = self._tokens.get(platform.name, ("", 0.0))
            if time.monotonic() >= end:
                token, end = self._ask_for_token(platform, url)
                self._tokens[platform.name] = (token, end)
            return token

    def _ask_for_token(self, platform: Platform, url: str) -> tuple[str, float]:
        name, secret = self._pair(platform, url)
        answer = self._send(platform, Request(url, form={"client_id": name, "client_secret": secret}))
        if is_unauthorized(answer):
            names = " and ".join(platform.access.auth.variables())
            raise PlatformRefused(platform.name, url, f"refuses {names}", answer.status)
        require_no_transient_code(platform, answer)
        data = parse_envelope(platform, answer)
        token, lifetime = data.get("access_token"), data.get("expires_in")
        if not isinstance(token, str) or not is_header_text(token) or not isinstance(lifetime, int | float):
            invalid(platform, answer, "answers without access_token and expires_in")
        # Of a very short life half is used, so that a token is never asked for twice in one request.
        return token, time.monotonic() + max(lifetime - TOKEN_MARGIN_SECONDS, lifetime / 2)

    def _pair(self, platform: Platform, url: str) -> tuple[str, str]:
        names = platform.access.auth.variables()
        lacking = [name for name in names if not self._variables.get(name)]
        if lacking:
            reason = f"wants a client id and secret: set {' and '.join(lacking)}"
            raise PlatformRefused(platform.name, url, reason, kind="not_configured")
        return self._variables[names[0]], self._variables[names[1]]


def sign(request: Request, access_key: str, secret: str, timestamp: int, nonce: str) -> Request:
    """``request`` with ``access_key``, ``timestamp``, ``nonce`` and ``signature`` among its parameters."""
    parts = urlsplit(request.url)
    given = parse_qsl(parts.query, keep_blank_values=True) + list(request.params.items())
    parameters = [*given, ("access_key", access_key), ("timestamp", str(timestamp)), ("nonce", nonce)]
    text = canonical_text(request.method, parts.netloc, parts.path, parameters)
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    query = urlencode([*parameters, ("signature", signature)], quote_via=quote)
    return request.changed(url=urlunsplit(parts._replace(query=query)), params={})


def canonical_text(method: str, host: str, path: str, parameters: Iterable[tuple[str, str]]) -> str:
    """What is signed; see the head of this module."""
    encoded = sorted((quote(name, safe="-._~"), quote(value, safe="-._~")) for name, value in parameters)
    return "\n".join([method, host.lower(), path or "/", "&".join(f"{name}={value}" for name, value in encoded)])


def is_header_text(text: str) -> bool:
    """Whether a header may hold it: something, printable, ASCII."""
    return bool(text) and text.isascii() and text.isprintable()
