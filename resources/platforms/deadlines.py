"""A head that drips in has a deadline too: one that is still being read after it has its socket shut.

A read timeout begins anew with every byte, so a platform that sends its headers a byte a time could hold a thread for
hours. Here: an adapter for sessions whose connections are watched by one thread. Not here: bodies (``bodies`` looks at the
clock itself), and what a time-out means (``http``).
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.response import HTTPResponse

deadline: ContextVar[float | None] = ContextVar("deadline", default=None)
"""Until when (monotonic) the head of an answer that this thread waits for may take; None: as long as it will."""

# Deadlines are whole seconds or minutes; so much later is early enough.
LOOK_SECONDS = 0.25


class Watch:
    """Shuts the sockets whose time is over; its thread begins with the first one and sleeps while there are none."""

    def __init__(self) -> None:
        self._watched: dict[socket.socket, float] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @contextmanager
    def over(self, watched: socket.socket | None) -> Iterator[None]:
        """Watch a socket for the time of the block, where this thread has a deadline."""
        until = deadline.get()
        if watched is None or until is None:
            yield
            return
        with self._changed:
            self._watched[watched] = until
            if self._thread is None or not self._thread.is_alive():  # not alive: after a fork
                self._thread = threading.Thread(target=self._look, name="deadlines", daemon=True)
                self._thread.start()
            elif len(self._watched) == 1:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._watched.pop(watched, None)

    def _look(self) -> None:
        while True:
            with self._changed:
                while not self._watched:
                    self._changed.wait()
                now = time.monotonic()
                for each in [each for each, until in self._watched.items() if until <= now]:
                    del self._watched[each]
                    with suppress(OSError):  # closed by the other side just now
                        # Not SSLSocket's own method, which takes away what the other thread is reading with.
                        socket.socket.shutdown(each, socket.SHUT_RDWR)
            time.sleep(LOOK_SECONDS)


WATCH = Watch()


class _Connection(HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in urllib3 itself
        with WATCH.over(self.sock):
            return super().getresponse()


class _TlsConnection(HTTPSConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in urllib3 itself
        with WATCH.over(self.sock):
            return super().getresponse()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class WatchedAdapter(HTTPAdapter):
    """An adapter whose connections are watched."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """As requests makes it, with pools of watched connections."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
        """As requests makes it, with pools of watched connections."""
        manager = super().proxy_manager_for(*arguments, **options)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        return manager
