"""Titles and lines of units: which of those on a sheet hold for a block.

Here: the nearest above its header that stands over its own columns, else one that holds for blocks side by side; and signs
that a block, or a part of one, is of something else than it would be read as. Not here: what a title says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from returns.carriers.grid import Sheet
from returns.conform.periods import find_period
from returns.conform.texts import squash
from returns.layouts import Layout
from returns.layouts.blocks import Block
from returns.layouts.figure_like import is_figure_like


@dataclass(frozen=True, slots=True)
class Above:
    """A text above a block's header that a pattern fits; ``is_own`` where it stands over the block's own columns."""

    match: re.Match[str]
    is_own: bool
    row: int


def find_title(layout: Layout, sheet: Sheet, first_row: int, block: Block) -> Above | None:
    """The title of a block, if there is one from ``first_row`` on: a note that reads like a title is none."""
    if layout.title is None:
        return None
    titles = _find_above(sheet, first_row, block, layout.title)
    others = [compiled(pattern) for pattern in layout.footers + layout.context]
    real = [title for title in titles if not any(other.fullmatch(title.match[0]) for other in others)]
    return next(iter(real or titles), None)


def find_caption(layout: Layout, sheet: Sheet, first_row: int, block: Block) -> str:
    """The units that a block's caption lists, ``""`` for none. Where blocks side by side have a title each, the caption of
    one is not that of the other; one among the rows of the block above does not reach beyond the next title."""
    if layout.caption is None:
        return ""
    captions = [
        caption
        for caption in _find_above(sheet, first_row, block, layout.caption)
        if not (is_remote(caption, sheet, block) and _is_ended(layout, sheet, caption, block))
    ]
    if captions and not captions[0].is_own and layout.title is not None:
        titles = _find_above(sheet, first_row, block, layout.title)
        if len({title.is_own for title in titles}) == 2:
            return ""
    return captions[0].match["units"] if captions else ""


def _is_ended(layout: Layout, sheet: Sheet, caption: Above, block: Block) -> bool:
    """Whether a title of the block stands below figures that stand below a caption: what it said ended there."""
    title = find_title(layout, sheet, caption.row + 1, block)
    return title is not None and title.is_own and _has_figures(sheet, caption.row + 1, title.row, block)


def _find_above(sheet: Sheet, first_row: int, block: Block, pattern: str) -> list[Above]:
    """Texts that ``pattern`` fits: those over the block's own columns first, then the nearest to its header, then those to
    the left before those to the right."""
    fits = compiled(pattern).fullmatch
    found = [
        (block.left <= place < block.right, number, place < block.left, place, match)
        for number in range(first_row, block.row)
        for place, text in enumerate(sheet.rows[number])
        if text and (match := fits(squash(text)))
    ]
    found.sort(key=lambda each: each[:4], reverse=True)
    return [Above(match, is_own, row) for is_own, row, _, _, match in found]


def is_remote(title: Above, sheet: Sheet, block: Block) -> bool:
    """Whether figures stand between a title, or caption, and the header: then it may be of them, and not of the block."""
    return _has_figures(sheet, title.row + 1, block.row, block)


def _has_figures(sheet: Sheet, first_row: int, end_row: int, block: Block) -> bool:
    rows = (sheet.rows[number][block.left : block.right] for number in range(first_row, end_row))
    return any(is_figure_like(text) for row in rows for text in row if text)


def find_other_period(
    layout: Layout, sheet: Sheet, rows: range, block: Block, period_code: str, *, is_among: bool = False
) -> str | None:
    """The address and text of one within a block's columns that names another period and may be a title: such as one that the
    layout does not know, or one with no header under it.

    It stands alone in its row. With ``is_among`` the rows are among those of a table, where a text may have got beside it: then
    a title that the layout knows is one all the same, and whatever stands in the stub.
    """
    if layout.period != "title" or layout.title is None:
        return None
    title = compiled(layout.title)
    footers = [compiled(pattern) for pattern in layout.footers]
    others = [*footers, *map(compiled, layout.context)]
    last_stub = max(block.stub.values())
    for number in rows:
        texts = [
            (place, text)
            for place, text in enumerate(sheet.rows[number][block.left : block.right], start=block.left)
            if text and not text.isspace()
        ]
        if len(texts) > 1 and any(footer.fullmatch(squash(texts[0][1])) for footer in footers):
            continue  # a note that its commas have cut
        for place, text in texts:
            label = squash(text)
            is_title = title.fullmatch(label) is not None
            if len(texts) > 1 and not (is_among and (is_title or place <= last_stub)):
                continue
            found = find_period(text)
            is_note = any(other.fullmatch(label) for other in others) or "年" not in label
            if found != period_code and (is_title or not (is_note or found is None)):
                return f"{sheet.address(number, place)}: the text {label!r}"
    return None


def find_other_caption(layout: Layout, sheet: Sheet, rows: range, block: Block, units: str) -> str | None:
    """The address and text of a line of units within these rows that lists others than ``units``."""
    if layout.caption is None:
        return None
    fits = compiled(layout.caption).fullmatch
    for number in rows:
        for place, text in enumerate(sheet.rows[number][block.left : block.right], start=block.left):
            if text and (match := fits(squash(text))) and match["units"] != units:
                return f"{sheet.address(number, place)}: the text {match[0]!r}"
    return None


@lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str]:
    """The compiled pattern, which a layout has proved to be one."""
    return re.compile(pattern)
