"""Searching the bytes of XML in bulk. ``bytes.find`` stops at every ``<`` and takes ten times as long as numpy here.

Here: pairs of bytes, shapes of references. Not here: what they mean (:mod:`returns.carriers.sheet_xml`). All work is done in
blocks, so that a part of 64 MB costs no more memory than one of a megabyte.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

_BLOCK_BYTES = 1024 * 1024
_SMALL_BYTES = 4 * 1024  # below, starting numpy takes longer than the search

Bytes = npt.NDArray[np.uint8]


def has_pair(content: bytes, *pairs: bytes) -> bool:
    """Whether any of these pairs of bytes stands in ``content``."""
    # Most pairs have a letter that stands nowhere, which is seen at once.
    pairs = tuple(pair for pair in pairs if pair[:1] in content and pair[1:] in content)
    if len(content) < _SMALL_BYTES or not pairs:
        return any(pair in content for pair in pairs)
    for block in _blocks(content, 0, len(content), 2):
        first, second = block[:-1], block[1:]
        for pair in pairs:
            if ((first == pair[0]) & (second == pair[1])).any():
                return True
    return False


def count_pair(content: bytes, pair: bytes) -> int:
    """How often a pair of two different bytes stands in ``content``."""
    blocks = _blocks(content, 0, len(content), 2)
    return sum(int(np.count_nonzero((block[:-1] == pair[0]) & (block[1:] == pair[1]))) for block in blocks)


def has_far_reference(content: bytes, start: int, end: int) -> bool:
    """Whether anything in ``content[start:end]`` looks like a reference beyond column ZZ (three letters and a digit) or row
    999 (four digits and a quote)."""
    for block in _blocks(content, start, end, 5):
        is_digit = (block - np.uint8(48)) < 10
        is_letter = ((block | np.uint8(32)) - np.uint8(97)) < 26
        is_quote = (block == 34) | (block == 39)
        four = is_digit[:-4] & is_digit[1:-3] & is_digit[2:-2] & is_digit[3:-1] & is_quote[4:]
        if four.any() or (is_letter[:-3] & is_letter[1:-2] & is_letter[2:-1] & is_digit[3:]).any():
            return True
    return False


def _blocks(content: bytes, start: int, end: int, width: int) -> Iterator[Bytes]:
    """The bytes in blocks that overlap, so that whatever is ``width`` long stands whole in one of them."""
    view = np.frombuffer(content, np.uint8)
    for first in range(start, max(start, end), _BLOCK_BYTES):
        block = view[first : min(end, first + _BLOCK_BYTES + width - 1)]
        yield block if len(block) >= width else np.pad(block, (0, width - len(block)))
