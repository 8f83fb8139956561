"""Reading the body of an answer in bounds of size and time, and opening gzip.

Here: bytes off the socket as they were sent, and their decompression with a limit on both. Not here: what they mean.
"""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass, field

import requests
from urllib3.exceptions import HTTPError, IncompleteRead, ProtocolError, ReadTimeoutError

from resources.errors import DeliveryInvalid, PlatformUnavailable
from resources.platforms.register import Platform

CHUNK_BYTES = 262_144
GZIP_MAGIC = b"\x1f\x8b"


class BodyCut(PlatformUnavailable):
    """The connection ended before the body did; asking again (or for the rest) can help."""

    usual_kind = "truncated_body"


@dataclass
class Body:
    """What has come of a body, as sent; kept when a part of it is missing, so that the rest can be asked for."""

    parts: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, part: bytes) -> None:
        """Append what has come."""
        self.parts.append(part)
        self.size += len(part)

    def content(self) -> bytes:
        """All of it."""
        return self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)


_LENGTH_DIGITS = 19  # no length has more


def receive(platform: Platform, url: str, response: requests.Response, body: Body, deadline: float) -> None:
    """Read the rest of ``response`` into ``body``, up to ``max_bytes`` and until ``deadline`` (monotonic).

    An announced length that is too large ends at once, before a byte is read.
    """
    limit = platform.access.limits.max_bytes
    announced = response.headers.get("Content-Length", "")
    announced = announced if announced.isascii() and announced.isdigit() and len(announced) < _LENGTH_DIGITS else ""
    if announced and body.size + int(announced) > limit:
        reason = f"announces {body.size + int(announced):,} bytes, more than max_bytes {limit:,}"
        raise DeliveryInvalid(platform.name, url, reason, kind="too_large")
    try:
        # read1 gives what one read of the socket gives: a body that drips in meets the deadline, not only `read`.
        while part := response.raw.read1(CHUNK_BYTES, decode_content=False):
            body.add(part)
            if body.size > limit:
                raise DeliveryInvalid(platform.name, url, f"sends more than max_bytes {limit:,}", kind="too_large")
            if time.monotonic() > deadline:
                reason = f"sends too slowly: {body.size:,} bytes in {platform.access.timeouts.total:g} s"
                raise PlatformUnavailable(platform.name, url, reason, kind="timed_out")
    except ReadTimeoutError as error:
        reason = f"gave no answer within {platform.access.timeouts.read:g} s"
        raise PlatformUnavailable(platform.name, url, reason, kind="timed_out") from error
    except (IncompleteRead, ProtocolError, HTTPError, OSError) as error:
        raise BodyCut(platform.name, url, f"the body was cut off after {body.size:,} bytes") from error
    left = response.raw.length_remaining
    if left:  # read1 tells an early end as an end
        raise BodyCut(platform.name, url, f"the body was cut off: {left:,} bytes of it are missing")


def is_compressed(content: bytes, encoding: str) -> bool:
    """Whether ``content`` is what ``Content-Encoding`` says; False where gzip was announced and not sent."""
    if encoding in ("gzip", "x-gzip"):
        return content.startswith(GZIP_MAGIC)
    return len(content) >= 2 and content[0] & 0x0F == 8 and int.from_bytes(content[:2], "big") % 31 == 0


def expand(platform: Platform, url: str, content: bytes, encoding: str) -> bytes:
    """``content`` decompressed, up to ``max_expanded_bytes``.

    DeliveryInvalid (too_large, broken_answer) or BodyCut where the compressed stream ends too early.
    """
    limit = platform.access.limits.max_expanded_bytes
    window = 16 + zlib.MAX_WBITS if encoding in ("gzip", "x-gzip") else zlib.MAX_WBITS
    parts: list[bytes] = []
    size = 0
    rest = content
    while True:  # a gzip may hold several members one after another
        opened = zlib.decompressobj(window)
        try:
            part = opened.decompress(rest, limit - size + 1)
        except zlib.error as error:
            raise DeliveryInvalid(platform.name, url, "its compressed body cannot be decompressed") from error
        parts.append(part)
        size += len(part)
        if size > limit:
            reason = f"expands to more than max_expanded_bytes {limit:,} ({len(content):,} bytes were sent)"
            raise DeliveryInvalid(platform.name, url, reason, kind="too_large")
        if not opened.eof:
            raise BodyCut(platform.name, url, "its compressed body ends too early")
        rest = opened.unused_data
        if not rest.startswith(GZIP_MAGIC):  # zeros or other padding after the last member
            return parts[0] if len(parts) == 1 else b"".join(parts)
