"""Sessions, one a host and certificate; TLS is always verified. Not here: what is sent over them."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

import requests

from resources.errors import PlatformRefused
from resources.platforms.deadlines import WatchedAdapter
from resources.platforms.register import Platform

# Kept open to a host at most. Threads that stand in for hanging ones come to many where platforms share a gateway.
MOST_CONNECTIONS = 128

_Key = tuple[str, str | None, tuple[str, str] | None]


class Sessions:
    """The sessions, safe to share between threads; ``variables`` are the environment's."""

    def __init__(self, threads: int, variables: Mapping[str, str]) -> None:
        self._threads = threads
        self._variables = variables
        self._known: dict[_Key, requests.Session] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for session in self._known.values():
                session.close()
            self._known.clear()

    def of(self, platform: Platform, url: str) -> requests.Session:
        """The session to ``url`` with the platform's authority and our certificate; PlatformRefused: not set."""
        access = platform.access
        authority = self._file(platform, url, access.ca_file_from) if access.ca_file_from else None
        certificate = None
        if access.auth.kind == "client_certificate":
            names = (access.auth.certificate_from or "", access.auth.key_from or "")
            certificate = (self._file(platform, url, names[0]), self._file(platform, url, names[1]))
        key = (host_of(url), authority, certificate)
        session = self._known.get(key)
        if session is None:
            with self._lock:
                session = self._known.get(key) or _new_session(url, self._threads, authority, certificate)
                self._known[key] = session
        return session

    def _file(self, platform: Platform, url: str, variable: str) -> str:
        path = self._variables.get(variable)
        if not path:
            raise PlatformRefused(platform.name, url, f"needs a file: set {variable} to it", kind="not_configured")
        if not os.access(path, os.R_OK):
            reason = f"the file that {variable} names cannot be read"
            raise PlatformRefused(platform.name, url, reason, kind="not_configured")
        return path


def host_of(url: str) -> str:
    """Scheme, host and port; user and password are left out."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"


def _new_session(
    url: str, threads: int, authority: str | None, certificate: tuple[str, str] | None
) -> requests.Session:
    session = requests.Session()
    adapter = WatchedAdapter(pool_connections=2, pool_maxsize=max(threads, MOST_CONNECTIONS))
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    # Proxies and certificates of the environment are looked up once; per request that costs as much as the request.
    found = session.merge_environment_settings(url, {}, None, None, None)
    session.proxies, session.verify, session.cert = found["proxies"], authority or found["verify"], certificate
    session.trust_env = False
    session.headers["Accept-Encoding"] = "gzip"
    # requests would read the whole body of a redirect, without any bound, to find out where it leads; `http` does that itself.
    session.get_redirect_target = lambda _response: None  # type: ignore[method-assign, assignment]
    # No cookie is kept: a session is shared by threads, and platforms know us by token.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session
