"""Whether a text is a figure as any hand may type it, readable or not. Not here: which number it is (conform)."""

from __future__ import annotations

import re

from returns.conform.texts import squash

_FIGURE = re.compile(
    r"[(+−–-]*(?:\d(?:[\d,.]*\d)?|\.\d+)\.?(?:[eE][+-]?\d+)?[^\d.、]{0,3}(?:\[\d{1,2}\])?|[-—–―−⋯/]+|\.{3,}|=.+|#[A-Z/0?!]+"
)


def is_figure_like(text: str) -> bool:
    """Whether a text is a number with sign, scale, mark or unit, or a sign or formula in the place of one.

    Such a text is never a note, a header or a title, whatever a layout's patterns say: 12.5 and 12.5万 are not the number
    of a note with its text.
    """
    return _FIGURE.fullmatch(squash(text)) is not None
