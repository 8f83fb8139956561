"""Header rows to columns: which indicator, area type and unit each position holds. Not here: finding the header.

A header that neither catalogue nor layout knows, and a column that the form owes and the return lacks, are problems of
the whole return: a column that is silently empty for years costs more than a return that waits for its layout.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from returns.conform.periods import column_period, owes_cumulative
from returns.conform.texts import squash
from returns.conform.units import caption_unit, split_unit, unit_factor
from returns.layouts import Layout
from returns.reasons import ReturnReason
from warehouse.catalogue import Catalogue, Indicator


class _Return(Protocol):
    @property
    def form(self) -> str: ...
    @property
    def period_code(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Column:
    """A figure column: ``factor`` × the printed figure is in the catalogue's unit."""

    position: int
    indicator_code: str
    area_type: str
    period_code: str
    factor: float
    is_percent: bool


@dataclass(frozen=True, slots=True)
class HeaderProblem:
    """Why a header cannot be read; ``position`` is the column's, where one column is to blame."""

    reason: ReturnReason
    explanation: str
    position: int | None = None


Header = tuple[tuple[str, ...], ...]


class HeaderReader:
    """Reads header rows to columns, each distinct header once."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._known: dict[object, tuple[Column, ...] | HeaderProblem] = {}
        self._names: dict[tuple[str, int], dict[str, Indicator]] = {}

    def read(
        self, layout: Layout, header: Header, stub: tuple[int, int], expected: _Return, caption: str
    ) -> tuple[Column, ...] | HeaderProblem:
        """The figure columns of ``header`` (rows as ``layout.header`` lists them), in the order of their positions."""
        key = (layout.layout, layout.version, header, stub, expected.form, expected.period_code, caption)
        if key not in self._known:
            self._known[key] = self._read(layout, header, stub, expected, caption_unit(caption))
        return self._known[key]

    def _read(
        self, layout: Layout, header: Header, stub: tuple[int, int], expected: _Return, caption: str
    ) -> tuple[Column, ...] | HeaderProblem:
        if len(header) < len(layout.header):
            return HeaderProblem("missing_header", "the table ends within its header")
        owed = self._owed(expected)
        columns: list[Column] = []
        for position, labels in _iterate_labels(layout, header):
            if position in stub:
                continue
            column = self._read_column(layout, position, labels, owed, caption, expected)
            if isinstance(column, HeaderProblem):
                return column
            if column is not None:
                columns.append(column)
        found = {(column.indicator_code, column.area_type) for column in columns}
        for code, indicator in owed.items():
            for area in indicator.area_types:
                if (code, area) not in found:
                    text = f"the column {indicator.name_zh!r} ({code}) for {area} is missing"
                    return HeaderProblem("missing_header", text)
        return tuple(columns)

    def _owed(self, expected: _Return) -> dict[str, Indicator]:
        """The indicators that a return of this form and period carries."""
        with_flows = owes_cumulative(expected.period_code)
        indicators = self._catalogue.indicators_of(expected.form)
        return {row.code: row for row in indicators if row.kind == "base" and (with_flows or not row.is_cumulative)}

    def _read_column(
        self,
        layout: Layout,
        position: int,
        labels: dict[str, str],
        owed: dict[str, Indicator],
        caption: str,
        expected: _Return,
    ) -> Column | HeaderProblem | None:
        """The column at ``position``, None where the layout's allow-list leaves it out."""
        printed = labels["name"]
        names = self._indicators_by_name(layout)
        name, unit = (printed, "") if printed in names else split_unit(printed)
        if printed in layout.ignored_headers or name in layout.ignored_headers:
            return None
        indicator = names.get(name)
        if indicator is None or indicator.code not in owed:
            if indicator is not None:
                what = f"({indicator.code}) is not owed by {expected.form} in {expected.period_code}"
            else:
                what = "is neither an indicator of the catalogue nor an alias of the layout"
            return HeaderProblem("unknown_header", f"the header {printed!r} {what}", position)
        label = labels.get("area", "")
        # A blank area is plain only where the indicator has a single one.
        area = layout.areas.by_label().get(label) or (indicator.area_types[0] if not label else None)
        if area not in indicator.area_types or (not label and len(indicator.area_types) > 1):
            text = f"the area label {label!r} under {printed!r} is none of {', '.join(indicator.area_types)}"
            return HeaderProblem("unknown_header", text, position)
        unit = labels.get("unit") or unit or caption
        factor = unit_factor(unit, indicator, self._catalogue)
        if factor is None:
            text = f"the unit {unit!r} of {printed!r} is unknown for an indicator in {indicator.unit}"
            return HeaderProblem("unknown_unit", text, position)
        period = column_period(expected.period_code, is_cumulative=indicator.is_cumulative)
        return Column(position, indicator.code, area, period, factor, indicator.unit == "percent")

    def _indicators_by_name(self, layout: Layout) -> dict[str, Indicator]:
        key = (layout.layout, layout.version)
        if key not in self._names:
            indicators = self._catalogue.indicators
            names = {squash(indicator.name_zh): indicator for indicator in indicators.values()}
            # An alias to a code that the catalogue lacks stays unknown, and its column says so.
            aliases = {squash(name): indicators[code] for name, code in layout.aliases.items() if code in indicators}
            self._names[key] = names | aliases
        return self._names[key]


def _iterate_labels(layout: Layout, header: Header) -> Iterator[tuple[int, dict[str, str]]]:
    """(position, squashed label by kind of header row) of every column that has any; merged names are carried on."""
    width = max(map(len, header))
    carried = ""
    for position in range(width):
        labels: dict[str, str] = {
            kind: squash(row[position]) if position < len(row) else ""
            for kind, row in zip(layout.header, header, strict=True)
        }
        if not any(labels.values()):
            carried = ""
            continue
        # The first text of a merged cell stands for the columns to its right that have only an area.
        carried = labels["name"] or carried
        yield position, labels | {"name": carried}
