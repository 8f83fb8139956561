"""The one shape that every carrier is brought into: sheets of raw texts, each with its address.

Not here: what any text means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

CarrierKind = Literal["workbook", "csv", "json_pages"]

# More than the largest return by two orders of magnitude (183 counties × 60 columns = 11,000 cells); at 1.5 µs a cell
# and 60 bytes of Python objects it bounds reading to some 3 s and 120 MB.
MAX_GRID_CELLS = 2_000_000


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of raw texts (``""`` is blank), top left first; rows may differ in length.

    The address of a cell is ``column_labels[c][0] + row_labels[r] + column_labels[c][1]``: ``表1!C`` + ``7``, or
    ``row 7`` + `` col 3``, or ``$[0].data.rows[12]`` + ``.f03``.
    """

    name: str
    rows: Sequence[Sequence[str]]
    row_labels: Sequence[str]
    column_labels: Sequence[tuple[str, str]]

    def address(self, row: int, column: int) -> str:
        """The address of one cell, both counted from 0."""
        before, after = self.column_labels[column]
        return before + self.row_labels[row] + after

    @property
    def is_blank(self) -> bool:
        """Whether no cell holds a text."""
        return not any(text.strip() for row in self.rows for text in row)


@dataclass(frozen=True, slots=True)
class Grid:
    """A return as its carrier holds it. ``facts`` are statements beside the table (``form``, ``period`` of a page)."""

    carrier: CarrierKind
    sheets: tuple[Sheet, ...]
    facts: Mapping[str, str] = field(default_factory=dict)


def column_letters(index: int) -> str:
    """The letters of a workbook's column, counted from 0: 0 → A, 26 → AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
