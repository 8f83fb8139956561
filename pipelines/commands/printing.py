"""Texts from outside on a terminal: one line, no control characters. Not here: tables (:mod:`pipelines.formats`)."""

from __future__ import annotations

import unicodedata

SHOWN_LETTERS = 60


def printable(text: object, length: int = SHOWN_LETTERS) -> str:
    """``text`` on one line of a terminal: control characters as ␣, at most ``length`` letters."""
    clean = "".join("␣" if unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp") else letter for letter in str(text))
    return clean if len(clean) <= length else clean[: length - 1] + "…"
