"""Labels (headers, titles, region names) brought to one spelling, to be compared. Not here: figures."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Footnote signs go before NFKC, which would turn ① into the digit 1.
_FOOTNOTE = re.compile("[①-⓿❶-➓]|[*†‡]+$")
_SPACE = re.compile(r"\s+")


_CACHED_LENGTH = 200  # labels are shorter; a hostile text of megabytes must not stay in the cache


def squash(text: str) -> str:
    """A label without white space, footnote signs and full-width forms: ``地　区①`` and ``地 区`` are ``地区``."""
    return _squash_label(text) if len(text) <= _CACHED_LENGTH else _squash(text)


def shorten(text: str, length: int = 500) -> str:
    """A text fit for an explanation: at most ``length`` characters, without the NUL that PostgreSQL refuses."""
    text = text.replace("\0", "␀")
    return text if len(text) <= length else text[: length - 1] + "…"


def _squash(text: str) -> str:
    return _SPACE.sub("", unicodedata.normalize("NFKC", _FOOTNOTE.sub("", text.strip())))


_squash_label = lru_cache(maxsize=65_536)(_squash)
