"""A file's headers held against a layout: what is new in the file, what is gone, what has moved, and what to do about it.

Here: for whoever maintains layouts. Not here: reading figures.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from returns.carriers.grid import Grid, Sheet
from returns.layouts import Layout
from returns.layouts.blocks import find_blocks
from returns.layouts.headers import iterate_labels
from returns.layouts.matching import Expected, merges_of
from returns.layouts.measures import MeasureReader
from warehouse.catalogue import Catalogue
from warehouse.periods import parse_period

_CLOSE, _PROPOSALS = 0.5, 3


@dataclass(frozen=True, slots=True)
class Added:
    """A header that the layout does not know; ``proposals`` are (indicator code, its name) that sound alike."""

    address: str
    text: str
    proposals: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Dropped:
    """A column that the form owes (or the older file has) and the file lacks."""

    indicator_code: str
    name: str
    area: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A column that stands elsewhere among the others than before; counted from 1."""

    address: str
    text: str
    before: int
    now: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs. Moved columns need no change of a layout: they are read by their headers."""

    layout: Layout
    added: tuple[Added, ...]
    dropped: tuple[Dropped, ...]
    moved: tuple[Moved, ...]
    known: int
    """Columns that the layout knows."""

    @property
    def aliases(self) -> dict[str, str]:
        """The aliases that would make the layout know the added headers, best guess first: for a person to judge."""
        return {added.text: added.proposals[0][0] for added in self.added if added.proposals}


@dataclass(frozen=True, slots=True)
class _Label:
    address: str
    text: str
    key: tuple[str, str] | None
    """(indicator code, area label) where the layout knows the name."""


def compare_headers(
    grid: Grid, layout: Layout, catalogue: Catalogue, expected: Expected, against: Grid | None = None
) -> Comparison | None:
    """``grid`` held against ``layout``, and against an older file of it where there is one; None where no row holds the
    layout's anchor texts.

    Columns are dropped and moved as against the older file; without one as against what the form owes, in the order of the
    catalogue.
    """
    measures = MeasureReader(catalogue)
    labels = list(_labels(grid, layout, measures))
    if not labels:
        return None
    before = list(_labels(against, layout, measures)) if against else _owed(layout, catalogue, expected)
    known = {label.key for label in labels if label.key is not None}
    names = {code: row.name_zh for code, row in catalogue.indicators.items()}
    dropped = [
        Dropped(label.key[0], names[label.key[0]], label.key[1])
        for label in before
        if label.key is not None and label.key not in known
    ]
    added = [
        Added(label.address, label.text, _sounding_like(label.text, catalogue)) for label in labels if label.key is None
    ]
    return Comparison(layout, tuple(added), tuple(dropped), tuple(_moved(before, labels)), len(known))


def _labels(grid: Grid, layout: Layout, measures: MeasureReader) -> Iterator[_Label]:
    """Every figure column of every block, known or not."""
    for sheet in grid.sheets:
        for block in find_blocks(sheet, layout.anchor):
            rows = sheet.rows[block.row : block.row + len(layout.header)]
            header = tuple(tuple(row[: block.right]) for row in rows)
            if len(header) < len(layout.header):
                continue
            for position, texts in iterate_labels(layout, header, merges_of(sheet, block, len(header))):
                if position < block.left or position in block.stub.values():
                    continue
                yield _label(sheet, block.row, position, texts, layout, measures)


def _label(
    sheet: Sheet, row: int, position: int, texts: dict[str, str], layout: Layout, measures: MeasureReader
) -> _Label:
    candidates = [texts["name"], *texts["parts"].split("\n")] if texts["parts"] else [texts["name"]]
    named, name, _ = measures.find_any(layout, candidates)
    key = (named.indicator.code, named.area_type or texts["area"]) if named else None
    return _Label(sheet.address(row, position), name or texts["name"], key)


def _owed(layout: Layout, catalogue: Catalogue, expected: Expected) -> list[_Label]:
    """The columns of a form in the order of the catalogue, areas by the layout's own labels."""
    if not expected.form:
        return []
    end = parse_period(expected.period_code).end if expected.period_code else None
    labels = layout.areas.model_dump() if layout.areas else {}
    return [
        _Label("", row.name_zh, (row.code, labels[area][0] if area in labels else ""))
        for row in catalogue.indicators_of(expected.form)
        if row.kind == "base" and (end is None or row.code not in layout.owed or layout.owed[row.code].covers(end))
        for area in row.area_types
    ]


def _moved(before: Sequence[_Label], now: Sequence[_Label]) -> Iterator[Moved]:
    """Columns of both that do not stand in the longest common order."""
    was = {label.key for label in before}
    new = [(label.key, label) for label in now if label.key is not None and label.key in was]
    keys = [key for key, _ in new]
    old = [label.key for label in before if label.key in set(keys) and label.key is not None]
    matcher = difflib.SequenceMatcher(a=old, b=keys, autojunk=False)
    in_order = {place for match in matcher.get_matching_blocks() for place in range(match.b, match.b + match.size)}
    for place, (key, label) in enumerate(new):
        if place not in in_order:
            yield Moved(label.address, label.text, old.index(key) + 1, place + 1)


def _sounding_like(text: str, catalogue: Catalogue) -> tuple[tuple[str, str], ...]:
    names = {row.name_zh: code for code, row in catalogue.indicators.items() if row.kind == "base"}
    close = difflib.get_close_matches(text, names, n=_PROPOSALS, cutoff=_CLOSE)
    return tuple((names[name], name) for name in close)
