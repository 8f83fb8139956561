"""The one shape that every carrier is brought into: sheets of raw texts, each with its address.

Not here: what any text means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

CarrierKind = Literal["workbook", "html", "csv", "json_pages", "json_cube", "json_series"]
"""``workbook`` is xlsx, xls and Excel's XML alike; ``html`` a table of a web page; ``csv`` any delimited text;
``json_pages`` records; ``json_cube`` and ``json_series`` the two forms in which the statistics office answers."""

Merge = tuple[int, int, int, int]
"""(top, left, bottom, right), from 0, ends included."""

# A census of every county has 554,000 cells, a province's return 11,000; at 1.5 µs and 150 bytes a cell (calamine's copy and
# ours) it bounds reading to some 2 s and 200 MB.
MAX_GRID_CELLS = 1_000_000
_SHARED_LABELS = 2_048  # rows; a province's return has some hundreds


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of raw texts (``""`` is blank), top left first; rows may differ in length.

    ``merges`` are ranges of which only the top left cell can hold a text. What is hidden in the office's program
    (``is_hidden``, ``hidden_rows``, ``hidden_columns``, from 0) is data like any other: nothing is left out for it.

    The address of a cell is ``column_labels[c][0] + row_labels[r] + column_labels[c][1]``: ``表1!C`` + ``7``, or
    ``row 7`` + `` col 3``, or ``$[0].data.rows[12]`` + ``.f03``.
    """

    name: str
    rows: Sequence[Sequence[str]]
    row_labels: Sequence[str]
    column_labels: Sequence[tuple[str, str]]
    merges: tuple[Merge, ...] = ()
    is_hidden: bool = False
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()

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
    """A return as its carrier holds it.

    ``facts`` are statements beside the table: ``form`` and ``period`` of a page, ``page_title`` of a web page; ``skipped``,
    the members of a ZIP that hold no table; ``open_quotes``, the lines of a text whose quotes do not close.
    """

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


def column_index(letters: str) -> int:
    """The column of its letters, counted from 0: A → 0, AA → 26."""
    index = 0
    for letter in letters.upper():
        index = index * 26 + ord(letter) - 64
    return index - 1


def number_labels(before: str, after: str, count: int, first: int = 0) -> list[str]:
    """``count`` labels that differ in their number: ``row 1``, ``row 2``; the same texts for one return after another."""
    if first + count <= _SHARED_LABELS:
        return _number_labels(before, after)[first : first + count]
    return [f"{before}{number}{after}" for number in range(first, first + count)]


@lru_cache(maxsize=16)
def _number_labels(before: str, after: str) -> list[str]:
    return [f"{before}{number}{after}" for number in range(_SHARED_LABELS)]


def numbered_sheet(name: str, rows: Sequence[Sequence[str]], merges: tuple[Merge, ...] = ()) -> Sheet:
    """A sheet whose cells have no letters: addresses are ``row 7 col 3``, with ``name!`` before where there is one."""
    before = f"{name}!" if name else ""
    width = max(map(len, rows), default=0)
    labels = number_labels("row ", "", len(rows), first=1)
    return Sheet(name, rows, labels, [(before, f" col {number}") for number in range(1, width + 1)], merges)


def lettered_labels(name: str, width: int) -> list[tuple[str, str]]:
    """The column labels of a workbook's sheet: addresses are ``表1!C7``."""
    return [(f"{name}!{letters}", "") for letters in _letters(width)]


@lru_cache(maxsize=64)
def _letters(width: int) -> list[str]:
    return [column_letters(index) for index in range(width)]
