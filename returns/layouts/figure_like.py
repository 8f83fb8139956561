"""Whether a text is a figure as any hand may type it, readable or not, or stands where one should. Not here: which number it
is (conform)."""

from __future__ import annotations

import re

from returns.conform.texts import squash

_FIGURE = re.compile(
    r"[(+−–-]*(?:\d(?:[\d,.]*\d)?|\.\d+)\.?(?:[eE][+-]?\d+)?[^\d.、]{0,3}(?:\[\d{1,2}\])?|[-—–―−⋯/]+|\.{3,}|=.+|#[A-Z/0?!]+"
)
_HEDGE = re.compile(
    "^(?:大?约|近|超过?|逾|大于|小于|不足|[低高多少]于|至少|至多|不少于|不超过|[>＞<＜≥≤~〜≈±])(?=[\\d.])"
)
_NO_FIGURE = re.compile(
    r"[(]?(?:未报|未填|未统计|未提供|未上报|待报|待定|缺|缺报|缺失|不详|不适用|不可得|无|无数据|暂无|暂缺|NULL|NaN|N/?A)[)]?",
    re.I,
)


def is_figure_like(text: str) -> bool:
    """Whether a text is a number with sign, scale, mark or unit, or a sign or formula in the place of one.

    Such a text is never a note, a header or a title, whatever a layout's patterns say: 12.5 and 12.5万 are not the number
    of a note with its text.
    """
    return _FIGURE.fullmatch(squash(text)) is not None


def stands_for_figure(text: str) -> bool:
    """Whether a text is like a figure, or is one with a word before it (``约12``), or a word that is written where there is
    none (``未报``). Alone such a text may be a header or a note; in the row of a table it is what was reported."""
    label = squash(text)
    return is_figure_like(_HEDGE.sub("", label, count=1)) or _NO_FIGURE.fullmatch(label) is not None
