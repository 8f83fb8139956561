"""Where tables stand on a sheet: every place where the anchor's texts stand in one row begins a block.

Here: side-by-side blocks, continued tables (``续表``) and headers repeated at each page are found alike, by their anchors. Not
here: what the headers mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from returns.carriers.grid import Sheet
from returns.conform.texts import squash
from returns.layouts import Anchor

# A stub stands at the left: at most a number of the row and a mark stand before its first column.
_FIRST_TEXTS = 4
_MAX_OTHERS, _MAX_OTHER_LENGTH = 20_000, 40
_FIGURE_STARTS = frozenset("0123456789-.")


@dataclass(frozen=True, slots=True)
class Block:
    """A table: its header begins at ``row``; its columns are ``left`` to before ``right``; rows end before ``bottom``.

    ``stub`` has the position of each stub column by its kind (code, name, indicator, unit, period).
    """

    row: int
    bottom: int
    left: int
    right: int
    stub: dict[str, int]


def find_blocks(sheet: Sheet, anchor: Anchor) -> list[Block]:
    """The blocks of a sheet, from the top down and from left to right; none where no row holds all anchor texts."""
    texts = anchor.texts()
    found: list[tuple[int, list[dict[str, int]]]] = []
    for number in _find_beginnings(sheet.rows, set(texts.values())):
        stubs = _stubs(sheet.rows[number], texts)
        if stubs:
            found.append((number, stubs))
    blocks = []
    for index, (number, stubs) in enumerate(found):
        bottom = found[index + 1][0] if index + 1 < len(found) else len(sheet.rows)
        lefts = [0, *(min(stub.values()) for stub in stubs[1:])]
        width = max(map(len, sheet.rows[number:bottom]))
        rights = [*lefts[1:], width]
        blocks += [
            Block(number, bottom, left, right, stub) for left, right, stub in zip(lefts, rights, stubs, strict=True)
        ]
    return blocks


def _find_beginnings(rows: Sequence[Sequence[str]], wanted: set[str]) -> list[int]:
    """The rows that have an anchor text among their first texts. Each distinct text is looked at once: of nearly all rows
    nothing more is asked than whether they hold one of the few that are."""
    heads = [row[:_FIRST_TEXTS] for row in rows]
    others = _others_of(frozenset(wanted))
    new = set(chain.from_iterable(heads)) - others
    labels = [text for text in new if text and text[0] not in _FIGURE_STARTS]
    anchors = {text for text in labels if squash(text) in wanted}
    others.update(text for text in labels if len(text) <= _MAX_OTHER_LENGTH and text not in anchors)
    if len(others) > _MAX_OTHERS:
        others.clear()
    return [
        number
        for number, head in enumerate(heads)
        if not anchors.isdisjoint(head) or ("" in head and _may_begin(rows[number], wanted))
    ]


@lru_cache(maxsize=64)
def _others_of(wanted: frozenset[str]) -> set[str]:
    """Texts that were found to be none of the ``wanted``: names of places, which stand in one return after another."""
    return set()


def _is_anchor(text: str, wanted: set[str]) -> bool:
    return text != "" and text[0] not in _FIGURE_STARTS and squash(text) in wanted


def _stubs(row: Sequence[str], texts: dict[str, str]) -> list[dict[str, int]]:
    """The stub columns of every block that a row begins: each anchor text as often as the others."""
    wanted = set(texts.values())
    places: dict[str, list[int]] = {kind: [] for kind in texts}
    for position, text in enumerate(row):
        if text and (label := squash(text)) in wanted:
            for kind, anchor in texts.items():
                if anchor == label:
                    places[kind].append(position)
    if len({len(positions) for positions in places.values()}) != 1:
        return []
    return [dict(zip(places, stub, strict=True)) for stub in zip(*places.values(), strict=True)]


def _may_begin(row: Sequence[str], wanted: set[str]) -> bool:
    """Whether an anchor text is among a row's first texts, blanks between them left out."""
    left = _FIRST_TEXTS
    for text in row:
        if text:
            if _is_anchor(text, wanted):
                return True
            left -= 1
            if not left:
                return False
    return False
