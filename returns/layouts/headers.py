"""Header rows to columns: which measure and period each position holds. Not here: finding the header.

In a closed layout a header that neither catalogue nor layout knows, and a column that the form owes and the return lacks,
are problems of the whole return: a column that is silently empty for years costs more than a return that waits for its
layout. In an open one the cells under an unknown header are quarantined by its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from returns.carriers.grid import Merge
from returns.conform.periods import column_period, owes_cumulative, read_period
from returns.conform.texts import squash
from returns.conform.units import caption_unit
from returns.layouts import Layout
from returns.layouts.figure_like import is_figure_like
from returns.layouts.measures import Fault, Measure, MeasureReader, Named
from returns.reasons import ReturnReason
from warehouse.catalogue import Catalogue
from warehouse.periods import parse_period


@dataclass(frozen=True, slots=True)
class Column:
    """A figure column; what it does not say itself (None) its rows say."""

    position: int
    measure: Measure | Fault | None
    period: str | Fault | None


@dataclass(frozen=True, slots=True)
class HeaderProblem:
    """Why a header cannot be read; ``position`` is the column's, where one column is to blame."""

    reason: ReturnReason
    explanation: str
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """What title, caption and file name say of a whole table."""

    form: str
    region_code: str
    period_code: str
    caption: str = ""
    indicator: str = ""
    """The name of the one indicator, where only the file's name has it."""


Header = tuple[tuple[str, ...], ...]


class HeaderReader:
    """Reads header rows to columns, each distinct header once."""

    def __init__(self, catalogue: Catalogue, measures: MeasureReader) -> None:
        self._catalogue = catalogue
        self._measures = measures
        self._known: dict[object, tuple[Column, ...] | HeaderProblem] = {}
        self._owed_columns: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
        self._whole: dict[tuple[str, str, str], tuple[Column, ...]] = {}
        """Columns of which none that is owed is missing, by layout, form and period."""

    def read(
        self, layout: Layout, header: Header, stub: frozenset[int], stated: Stated, merges: tuple[Merge, ...] = ()
    ) -> tuple[Column, ...] | HeaderProblem:
        """The figure columns of ``header`` (rows as ``layout.header`` lists them), in the order of their positions.

        ``merges`` are merged ranges with rows counted from the header's first; where a sheet has any, a name is carried to the
        right within its merged range only.
        """
        said = replace(stated, region_code="")  # the same header comes from every province
        key = (layout.label, header, stub, said, merges)
        if key not in self._known:
            self._known[key] = self._read(layout, header, stub, stated, merges)
        return self._known[key]

    def find_missing(
        self, layout: Layout, tables: Sequence[tuple[Column, ...]], stated: Stated
    ) -> HeaderProblem | None:
        """The first column that the form owes and the return's ``tables`` lack."""
        owed = self._list_owed(layout, stated)
        # Returns of a form and period share their columns, the very same tuple.
        if len(tables) == 1 and self._whole.get((layout.label, stated.form, stated.period_code)) is tables[0]:
            return None
        found = {
            (column.measure.indicator_code, column.measure.area_type)
            for columns in tables
            for column in columns
            if isinstance(column.measure, Measure)
        }
        for code, area in owed:
            if (code, area) not in found:
                text = f"the column {self._catalogue.indicators[code].name_zh!r} ({code}) for {area} is missing"
                return HeaderProblem("missing_header", text)
        if len(tables) == 1:
            self._whole[layout.label, stated.form, stated.period_code] = tables[0]
        return None

    def _list_owed(self, layout: Layout, stated: Stated) -> list[tuple[str, str]]:
        """(indicator, area type) of the owed columns in the catalogue's order, listed once for each form and period."""
        key = (layout.label, stated.form, stated.period_code)
        if key not in self._owed_columns:
            owed = [self._catalogue.indicators[code] for code in self._owed(layout, stated)]
            owed.sort(key=lambda indicator: indicator.indicator_key)
            self._owed_columns[key] = [(each.code, area) for each in owed for area in each.area_types]
        return self._owed_columns[key]

    def _read(
        self, layout: Layout, header: Header, stub: frozenset[int], stated: Stated, merges: tuple[Merge, ...]
    ) -> tuple[Column, ...] | HeaderProblem:
        if len(header) < len(layout.header):
            return HeaderProblem("missing_header", "the table ends within its header")
        if problem := _find_figure(layout, header):
            return problem
        owed = self._owed(layout, stated) if layout.columns == "closed" else frozenset()
        columns: list[Column] = []
        for position, labels in iterate_labels(layout, header, merges):
            if position in stub:
                continue
            column = self._read_column(layout, position, labels, owed, stated)
            if isinstance(column, HeaderProblem):
                return column
            if column is not None:
                columns.append(column)
        return tuple(columns) if columns else HeaderProblem("missing_header", "there is no column of figures")

    def _owed(self, layout: Layout, stated: Stated) -> frozenset[str]:
        """The indicators that a return of this form and period carries."""
        if not stated.form:
            return frozenset()
        with_flows = owes_cumulative(stated.period_code)
        end = parse_period(stated.period_code).end
        return frozenset(
            row.code
            for row in self._catalogue.indicators_of(stated.form)
            if row.kind == "base"
            and (with_flows or not row.is_cumulative)
            and (row.code not in layout.owed or layout.owed[row.code].covers(end))
        )

    def _read_column(
        self, layout: Layout, position: int, labels: dict[str, str], owed: frozenset[str], stated: Stated
    ) -> Column | HeaderProblem | None:
        """The column at ``position``, None where the layout's allow-list leaves it out."""
        printed = labels["name"]
        period = _period_of(layout, labels, stated)
        if layout.indicator == "row":
            if layout.figures and printed not in layout.figures:
                return None if printed in layout.ignored_headers else _stray_header(layout, position, printed)
            return Column(position, None, period)
        # A name of several rows is the whole of it or its lowest part: 其中：男 is not what it is a part of.
        candidates = [printed, labels["parts"].split("\n")[0]] if labels["parts"] else [printed]
        if layout.indicator == "file_name":
            candidates = [squash(stated.indicator)]
        named, name, unit = self._measures.find_any(layout, candidates, has_unit=bool(labels["unit"]))
        if not {printed, name, *candidates}.isdisjoint(layout.ignored_headers):
            return None
        if layout.columns == "closed" and (named is None or named.indicator.code not in owed):
            return _unknown(position, printed, named, stated)
        if named is None:
            what = name or "(no name)"
            return Column(
                position, Fault("unknown_indicator", f"the indicator {what!r} is not in the catalogue"), period
            )
        fallback = labels["group_unit"] or caption_unit(stated.caption)
        measure = self._measures.measure_twice(layout, named, labels["area"], (labels["unit"], unit), fallback)
        if isinstance(measure, Fault) and layout.columns == "closed":
            reason: ReturnReason = "unknown_unit" if measure.reason == "unknown_unit" else "unknown_header"
            return HeaderProblem(reason, measure.explanation, position)
        if isinstance(measure, Measure) and layout.period in ("title", "file_name") and isinstance(period, str):
            is_cumulative = self._catalogue.indicators[measure.indicator_code].is_cumulative
            period = column_period(period, is_cumulative=is_cumulative)
        return Column(position, measure, period)


def _find_figure(layout: Layout, header: Header) -> HeaderProblem | None:
    """A figure where a header should be: a header row is lost, or a whole header beside this one, and rows of the table stand
    in its place."""
    for number, row in enumerate(header[: len(layout.header)]):
        is_of_periods = layout.header[number] == "period"
        figures = (
            place
            for place, text in enumerate(row)
            if text and is_figure_like(text) and not (is_of_periods and read_period(text, layout.period_style))
        )
        position = next(figures, None)
        if position is not None:
            text = f"the figure {row[position]!r:.40} stands in row {number + 1} of the header, which may lack a row"
            return HeaderProblem("missing_header", text, position)
    return None


def _period_of(layout: Layout, labels: dict[str, str], stated: Stated) -> str | Fault | None:
    if layout.period == "row":
        return None
    if layout.period != "column":
        return stated.period_code
    return read_period_label(layout, labels["period"])


def read_period_label(layout: Layout, text: str) -> str | Fault:
    """The period that a label of this layout states."""
    code = read_period(text, layout.period_style)
    return code or Fault("unknown_period", f"the text {text!r} states no period")


def _stray_header(layout: Layout, position: int, printed: str) -> Column | HeaderProblem:
    text = f"the header {printed!r} is none of the columns of figures that the layout names"
    if layout.columns == "closed":
        return HeaderProblem("unknown_header", text, position)
    return Column(position, Fault("unknown_indicator", text), None)


def _unknown(position: int, printed: str, named: Named | None, stated: Stated) -> HeaderProblem:
    if named is not None:
        what = f"({named.indicator.code}) is not owed by {stated.form} in {stated.period_code}"
    else:
        what = "is neither an indicator of the catalogue nor an alias of the layout"
    return HeaderProblem("unknown_header", f"the header {printed!r} {what}", position)


def iterate_labels(layout: Layout, header: Header, merges: tuple[Merge, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """(position, squashed label by kind of header row) of every column that has any text; merged names are carried on.

    ``name`` joins the name rows, ``parts`` has them one a line where there are several, ``group_unit`` is the unit in a group's
    parentheses.
    """
    width = max(map(len, header))
    carried = [""] * len(layout.header)
    for position in range(width):
        own = [squash(row[position]) if position < len(row) else "" for row in header[: len(layout.header)]]
        if not any(own):
            carried = [""] * len(layout.header)
            continue
        for number, kind in enumerate(layout.header):
            if kind not in ("name", "group", "unit"):
                carried[number] = own[number]
            elif own[number] or not _is_covered(merges, number, position):
                carried[number] = own[number]
                if kind in ("name", "group") and own[number]:  # a new name ends what stood under the old one
                    carried[number + 1 :] = own[number + 1 :]
        yield position, _labels(layout, carried)


def _is_covered(merges: tuple[Merge, ...], row: int, column: int) -> bool:
    """Whether the text to the left stands for this cell: by a merged range, or where no header text is merged across."""
    if not merges:
        return True
    return any(top <= row <= bottom and left < column <= right for top, left, bottom, right in merges)


def _labels(layout: Layout, texts: Sequence[str]) -> dict[str, str]:
    by_kind: dict[str, str] = {"area": "", "unit": "", "group": "", "period": ""}
    names = []
    for kind, text in zip(layout.header, texts, strict=True):
        if kind == "name":
            names.append(text)
        elif kind != "note":
            by_kind[kind] = text
    given = [name for name in names if name]
    by_kind["name"] = "/".join(given)
    by_kind["parts"] = "\n".join(reversed(given)) if len(given) > 1 else ""
    _, _, unit = by_kind["group"].rstrip(")").rpartition("(")
    by_kind["group_unit"] = unit if by_kind["group"].endswith(")") else ""
    return by_kind
