"""Cells of many returns to observations and quarantined cells, as arrays over the whole batch.

Here: joining what figures, units, periods and regions say, and the one place where a cell is kept, dropped as a repeat
or quarantined. Loops run over returns, rows and columns, never over figures. Not here: returns that are quarantined whole.

What a cell measures and of which period it is, its column says, or else its row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from returns.cells import ReturnCells
from returns.conform.duplicates import Duplicates, find_duplicates
from returns.conform.figures import DASH, FORMULA, MISSING, NORMAL, NOT_A_NUMBER, STATUSES, read_figures, round_noise
from returns.conform.regions import RegionFault, RegionResolver
from returns.conform.texts import shorten
from returns.layouts.measures import Fault, Measure
from returns.reasons import MEANINGS

MAX_ABSOLUTE_VALUE = 1e16
"""In the catalogue's unit. The nation's product is 1.4e14 yuan: a larger figure is a slip, whatever it says."""

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

_AREAS = ("total", "urban", "rural")
_SILENT = [-1]
"""The number of what a row says that says nothing."""
_NO_MEASURE = Measure("", "total", 1.0, is_percent=False)
_DASH_CODES = {None: 0, "zero": 1, "not_applicable": 2}
# Reasons of cells in order of precedence; 0 is none. The explanation follows the address and the raw text.
_CELL_FAULTS: tuple[tuple[str, str], ...] = (
    ("", ""),
    ("label", ""),
    ("row", ""),
    ("not_a_number", "is not a number"),
    ("not_a_number", "is a formula without a result or a spreadsheet error, not a number"),
    ("unknown_dash", "is a dash, and the layout does not state whether it means zero or not applicable"),
    ("not_a_number", "is a percentage in a column that is not in percent, not a number of its unit"),
    ("ambiguous_scale", "carries its own 万 or 亿 in a column whose unit has one already"),
    ("not_a_number", "is larger than any figure can be, so it is not a number to load"),
    ("unequal_duplicates", "is one of several different figures for the same indicator, region, period and area type"),
)
_LABEL, _ROW, _NOT_A_NUMBER, _FORMULA, _DASH, _PERCENT, _SCALE, _TOO_LARGE, _UNEQUAL = range(1, 10)
_STRAY = "stands outside title, header, table and notes"


@dataclass(frozen=True, slots=True)
class LabelledCells:
    """The cells of one return with its receipt: ``label`` names the return in explanations."""

    arrival_id: int
    label: str
    province_code: str
    cells: ReturnCells


@dataclass(frozen=True, slots=True)
class Conformed:
    """Frames as :mod:`returns.reading` returns them; ``duplicates`` counts dropped repeats by arrival."""

    observations: pd.DataFrame
    quarantined: pd.DataFrame
    duplicates: dict[int, int]


@dataclass(slots=True)
class _Labels(Generic[T]):
    """Distinct things that rows and columns say, by number; -1 is nothing."""

    known: list[T] = field(default_factory=list)
    numbers: dict[T, int] = field(default_factory=dict)

    def number(self, thing: T | None) -> int:
        """The number of a thing, a new one where it was never said before."""
        if thing is None:
            return -1
        found = self.numbers.get(thing)
        if found is None:
            found = self.numbers[thing] = len(self.known)
            self.known.append(thing)
        return found


@dataclass(slots=True)
class _Tables:
    """Rows and columns of all blocks of all returns, one under the other; cells point into them."""

    arrival: list[int] = field(default_factory=list)
    label: list[str] = field(default_factory=list)
    row_label: list[str] = field(default_factory=list)
    row_region: list[str | RegionFault] = field(default_factory=list)
    row_return: list[int] = field(default_factory=list)
    row_measure: list[int] = field(default_factory=list)
    row_period: list[int] = field(default_factory=list)
    column_measure: list[int] = field(default_factory=list)
    column_period: list[int] = field(default_factory=list)
    dash: list[int] = field(default_factory=list)
    column_labels: list[tuple[tuple[str, str], ...]] = field(default_factory=list)
    """Of each block."""
    texts: list[pa.StringArray] = field(default_factory=list)
    shapes: list[tuple[int, int]] = field(default_factory=list)
    strays: list[tuple[int, str, str]] = field(default_factory=list)
    """(number of the return, address, text)."""
    measures: _Labels[Measure | Fault] = field(default_factory=_Labels)
    periods: _Labels[str | Fault] = field(default_factory=_Labels)


@dataclass(frozen=True, slots=True)
class _Cells:
    """Per cell: its row, column, measure and period; ``label_fault`` indexes ``label_faults``, 0 is none."""

    row: Index
    column: Index
    measure: Index
    period: Index
    label_fault: Index
    label_faults: list[Fault]


@dataclass(frozen=True, slots=True)
class _Values:
    """Per cell, in the catalogue's unit; ``fault`` indexes ``_CELL_FAULTS``."""

    value: Floats
    last_digit: Floats
    status: npt.NDArray[np.int8]
    fault: npt.NDArray[np.int8]


def conform_cells(returns: Sequence[LabelledCells], resolver: RegionResolver) -> Conformed:
    """Observations and quarantined cells of a batch; every cell is in one of them or a counted repeat."""
    tables = _stack(returns, resolver)
    cells = _point(tables)
    texts = _join(tables.texts)
    values = _value_cells(tables, cells, texts)
    repeats = _find_repeats(tables, cells, values)
    values.fault[repeats.is_unequal] = _UNEQUAL
    is_rejected = values.fault > 0
    address = _addresses(tables)
    is_kept = ~is_rejected & ~repeats.is_repeated
    kept = None if is_kept.all() else np.flatnonzero(is_kept)
    rejected = np.flatnonzero(is_rejected)
    arrival = np.array(tables.arrival, np.int64)[np.array(tables.row_return, np.int32)]
    repeated, count = np.unique(arrival[cells.row[repeats.is_repeated]], return_counts=True)
    quarantined = [_quarantined(tables, cells, values.fault, address, texts, rejected)]
    if tables.strays:
        quarantined.append(_strays(tables))
    return Conformed(
        _observations(tables, cells, values, kept, address, texts),
        pd.concat(quarantined, ignore_index=True),
        dict(zip(repeated.tolist(), count.tolist(), strict=True)),
    )


def _join(blocks: Sequence[pa.StringArray]) -> pa.StringArray:
    """The texts of all blocks, without the NUL that PostgreSQL refuses."""
    array = pa.concat_arrays(blocks) if blocks else pa.array([], pa.string())
    content = array.buffers()[2]
    if content is None or (np.frombuffer(content, np.uint8) != 0).all():
        return array
    return pc.replace_substring(array, "\0", "␀")


def _stack(returns: Sequence[LabelledCells], resolver: RegionResolver) -> _Tables:
    tables = _Tables()
    known: dict[int, tuple[list[int], list[int]]] = {}
    short = RegionFault("short_row", "the row ends before its header does, so its figures may be shifted")
    for number, item in enumerate(returns):
        tables.arrival.append(item.arrival_id)
        tables.label.append(item.label)
        tables.strays += [(number, address, text) for address, text in item.cells.strays]
        for block in item.cells.blocks:
            regions = resolver.resolve(block.row_codes, block.row_names, item.province_code, block.period_code)
            if any(block.is_short):
                regions = [short if flag else region for flag, region in zip(block.is_short, regions, strict=True)]
            tables.row_label += block.row_labels
            tables.row_region += regions
            tables.row_return += [number] * len(regions)
            if block.rows:
                tables.row_measure += [tables.measures.number(row.measure) for row in block.rows]
                tables.row_period += [tables.periods.number(row.period) for row in block.rows]
            else:
                tables.row_measure += _SILENT * len(regions)
                tables.row_period += _SILENT * len(regions)
            # Returns of a form and period share their columns, the very same tuple.
            numbers = known.get(id(block.columns))
            if numbers is None:
                numbers = known[id(block.columns)] = (
                    [tables.measures.number(column.measure) for column in block.columns],
                    [tables.periods.number(column.period) for column in block.columns],
                )
            tables.column_measure += numbers[0]
            tables.column_period += numbers[1]
            tables.dash += [_DASH_CODES[item.cells.dash]] * len(block.columns)
            tables.texts.append(block.texts)
            tables.shapes.append((len(regions), len(block.columns)))
            tables.column_labels.append(tuple(block.column_labels))
    return tables


def _point(tables: _Tables) -> _Cells:
    """What each cell is of: its column's word, else its row's."""
    row, column = _cell_index(tables.shapes)
    measure = np.array(tables.column_measure, np.int32)[column]
    period = np.array(tables.column_period, np.int32)[column]
    if max(tables.row_measure, default=-1) >= 0:
        measure = np.where(measure < 0, np.array(tables.row_measure, np.int32)[row], measure)
    if max(tables.row_period, default=-1) >= 0:
        period = np.where(period < 0, np.array(tables.row_period, np.int32)[row], period)
    faults = [Fault("unknown_indicator", "")]  # number 0: none
    of_measures, of_periods = (
        _fault_numbers(tables.measures.known, faults),
        _fault_numbers(tables.periods.known, faults),
    )
    if len(faults) == 1:
        return _Cells(row, column, measure, period, np.zeros(len(row), np.int32), faults)
    of_measure, of_period = of_measures[measure], of_periods[period]
    return _Cells(row, column, measure, period, np.where(of_measure > 0, of_measure, of_period), faults)


def _fault_numbers(labels: Sequence[object], faults: list[Fault]) -> Index:
    """The number in ``faults`` of each label that is one, else 0; faults are added to the list."""
    numbers = np.zeros(len(labels) + 1, np.int32)  # one more, for -1: nothing is said at all
    for place, label in enumerate(labels):
        if isinstance(label, Fault):
            faults.append(label)
            numbers[place] = len(faults) - 1
    return numbers


def _cell_index(shapes: Sequence[tuple[int, int]]) -> tuple[Index, Index]:
    """(row, column) of every cell in the stacked tables, block by block, row by row."""
    rows, columns, first_row, first_column = [np.empty(0, np.int32)], [np.empty(0, np.int32)], 0, 0
    for height, width in shapes:
        rows.append(np.repeat(np.arange(first_row, first_row + height, dtype=np.int32), width))
        columns.append(np.tile(np.arange(first_column, first_column + width, dtype=np.int32), height))
        first_row, first_column = first_row + height, first_column + width
    return np.concatenate(rows), np.concatenate(columns)


def _value_cells(tables: _Tables, cells: _Cells, texts: pa.StringArray) -> _Values:
    """Figures in the catalogue's unit, with the fault that keeps one out."""
    figures = read_figures(texts)
    known = [each if isinstance(each, Measure) else _NO_MEASURE for each in (*tables.measures.known, None)]
    factor = np.array([each.factor for each in known], np.float64)[cells.measure]
    is_percent_column = np.array([each.is_percent for each in known], np.bool_)[cells.measure]
    dash = np.array(tables.dash, np.int8)[cells.column]
    is_dash, is_scaled = figures.fault == DASH, figures.scale != 1.0

    # A figure that nothing scales is what was printed: a short one has no noise, and its last digit none either.
    by = figures.scale * factor
    value, last_digit = figures.value * by, figures.last_digit * by
    noisy = np.flatnonzero((by != 1.0) | ~figures.is_short)
    value[noisy], last_digit[noisy] = round_noise(value[noisy]), round_noise(last_digit[noisy])
    value[is_dash & (dash == _DASH_CODES["zero"])] = 0.0
    status = figures.status.copy()
    status[is_dash] = np.where(dash[is_dash] == _DASH_CODES["zero"], NORMAL, MISSING)
    is_row_bad = np.array([isinstance(region, RegionFault) for region in tables.row_region], np.bool_)[cells.row]
    with np.errstate(invalid="ignore"):
        is_too_large = np.abs(value) > MAX_ABSOLUTE_VALUE
    faults = (
        (_LABEL, cells.label_fault > 0),
        (_ROW, is_row_bad),
        (_NOT_A_NUMBER, figures.fault == NOT_A_NUMBER),
        (_FORMULA, figures.fault == FORMULA),
        (_DASH, is_dash & (dash == _DASH_CODES[None])),
        (_PERCENT, figures.is_percent & ~is_percent_column & ~is_dash),
        (_SCALE, is_scaled & ((factor != 1.0) | figures.is_percent)),
        (_TOO_LARGE, is_too_large),
    )
    fault = np.zeros(len(value), np.int8)
    for code, is_so in reversed(faults):  # the first that is so counts
        fault[is_so] = code
    return _Values(value, last_digit, status, fault)


def _find_repeats(tables: _Tables, cells: _Cells, values: _Values) -> Duplicates:
    """Cells are compared only in returns where a region or what a column says stands twice: nearly none."""
    regions = [region if isinstance(region, str) else "" for region in tables.row_region]
    kind_of = _kinds(tables)
    rows = zip(tables.row_return, regions, kind_of[tables.row_measure].tolist(), tables.row_period, strict=True)
    columns = zip(
        _owners_of_columns(tables), kind_of[tables.column_measure].tolist(), tables.column_period, strict=True
    )
    suspects = {row[0] for row in _twice(list(rows)) if row[1]} | {column[0] for column in _twice(list(columns))}
    found = Duplicates(np.zeros(len(cells.row), np.bool_), np.zeros(len(cells.row), np.bool_))
    if not suspects:
        return found
    owner_of_row = np.array(tables.row_return, np.int32)
    owner = owner_of_row[cells.row]
    # A cell without a region or an indicator has no key; it is quarantined already.
    where = np.flatnonzero(np.isin(owner, list(suspects)) & (values.fault != _ROW) & (values.fault != _LABEL))
    keys = pd.DataFrame(
        {
            "owner": owner[where],
            "region": np.array(regions, dtype=object)[cells.row[where]],
            "kind": kind_of[cells.measure[where]],
            "period": cells.period[where],
        }
    )
    contents = pd.DataFrame({"value": values.value[where], "status": values.status[where]})
    part = find_duplicates(keys, contents, values.fault[where] > 0)
    found.is_repeated[where], found.is_unequal[where] = part.is_repeated, part.is_unequal
    return found


def _owners_of_columns(tables: _Tables) -> list[int]:
    """The number of the return of each column."""
    first_row = np.cumsum([0, *(height for height, _ in tables.shapes)])[:-1]
    owners: list[int] = np.repeat(
        np.array(tables.row_return, np.int32)[first_row], [width for _, width in tables.shapes]
    ).tolist()
    return owners


def _twice(things: list[K]) -> list[K]:
    """The things that stand in a list more than once."""
    if len(set(things)) == len(things):
        return []
    return [thing for thing, count in Counter(things).items() if count > 1]


def _kinds(tables: _Tables) -> npt.NDArray[np.int64]:
    """Measures by number that differ in indicator or area type, not only in unit: the kind by measure."""
    pairs: dict[object, int] = {}
    numbers = [
        pairs.setdefault((each.indicator_code, each.area_type) if isinstance(each, Measure) else each, len(pairs))
        for each in (*tables.measures.known, None)
    ]
    return np.array(numbers, np.int64)


def _addresses(tables: _Tables) -> pa.StringArray:
    """The address of each cell. Returns of a form have the same columns and their rows the same numbers: blocks share the
    addresses of the longest of them."""
    shared: dict[object, list[str]] = {}
    keys: list[object] = []
    first = 0
    for number, ((height, _), columns) in enumerate(zip(tables.shapes, tables.column_labels, strict=True)):
        labels, first = tables.row_label[first : first + height], first + height
        key: object = (columns, labels[0])
        longest = shared.setdefault(key, labels)
        both = min(height, len(longest))
        if labels[:both] != longest[:both]:
            key = number
        if key == number or height > len(longest):
            shared[key] = labels
        keys.append(key)
    known = dict(zip(keys, tables.column_labels, strict=True))
    address = {key: _join_labels(labels, known[key]) for key, labels in shared.items()}
    parts = [address[key].slice(0, height * width) for key, (height, width) in zip(keys, tables.shapes, strict=True)]
    return pa.concat_arrays(parts) if parts else pa.array([], pa.string())


def _join_labels(rows: Sequence[str], columns: Sequence[tuple[str, str]]) -> pa.StringArray:
    """The addresses of a block, row by row."""
    row, column = (pa.array(index) for index in _cell_index([(len(rows), len(columns))]))
    before = pa.array([each for each, _ in columns], pa.string()).take(column)
    after = pa.array([each for _, each in columns], pa.string()).take(column)
    return pc.binary_join_element_wise(before, pa.array(rows, pa.string()).take(row), after, "")


def _observations(
    tables: _Tables,
    cells: _Cells,
    values: _Values,
    kept: npt.NDArray[np.intp] | None,
    address: pa.StringArray,
    texts: pa.StringArray,
) -> pd.DataFrame:
    """The cells that are ``kept``; None is all, as nearly always."""
    row, measure, period, value = cells.row, cells.measure, cells.period, values.value
    status, last_digit = values.status, values.last_digit
    if kept is not None:
        row, measure, period = row[kept], measure[kept], period[kept]
        value, status, last_digit = value[kept], status[kept], last_digit[kept]
        address, texts = address.take(pa.array(kept)), texts.take(pa.array(kept))
    arrival = np.array(tables.arrival, np.int64)[np.array(tables.row_return, np.int32)]
    regions = [region if isinstance(region, str) else "" for region in tables.row_region]
    known = [each if isinstance(each, Measure) else _NO_MEASURE for each in tables.measures.known]
    periods = [each if isinstance(each, str) else "" for each in tables.periods.known]
    return pd.DataFrame(
        {
            "arrival_id": arrival[row],
            "indicator_code": _categories([each.indicator_code for each in known], measure),
            "region_code": _categories(regions, row),
            "period_code": _categories(periods, period),
            "area_type": _categories([each.area_type for each in known], measure, _AREAS),
            "value": value,
            "obs_status": pd.Categorical.from_codes(status, categories=pd.Index(STATUSES, dtype="str")),
            "last_digit": np.where(np.isnan(value), np.nan, last_digit),
            "address": _strings(address),
            "raw_text": _strings(texts),
        }
    )


def _quarantined(
    tables: _Tables,
    cells: _Cells,
    faults: npt.NDArray[np.int8],
    address: pa.StringArray,
    texts: pa.StringArray,
    rejected: npt.NDArray[np.intp],
) -> pd.DataFrame:
    chosen, row, fault = pa.array(rejected), pa.array(cells.row[rejected]), faults[rejected]
    address, texts = address.take(chosen), texts.take(chosen)
    owner = np.array(tables.row_return, np.int32)[cells.row[rejected]]
    regions = tables.row_region if len(rejected) else []
    of_row = [region if isinstance(region, RegionFault) else None for region in regions]
    row_reason = pa.array([each.reason if each else "" for each in of_row], pa.string()).take(row)
    row_text = pa.array([each.explanation if each else "" for each in of_row], pa.string()).take(row)
    label_fault = pa.array(cells.label_fault[rejected])
    label_reason = pa.array([each.reason for each in cells.label_faults], pa.string()).take(label_fault)
    label_text = pa.array([each.explanation for each in cells.label_faults], pa.string()).take(label_fault)
    codes = pa.array(fault.astype(np.int32))
    is_label, is_row = pa.array(fault == _LABEL), pa.array(fault == _ROW)
    own_reason = pa.array([name for name, _ in _CELL_FAULTS], pa.string()).take(codes)
    reason = pc.if_else(is_label, label_reason, pc.if_else(is_row, row_reason, own_reason))
    verdict = pa.array([text for _, text in _CELL_FAULTS], pa.string()).take(codes)
    label = pa.array(tables.label, pa.string()).take(pa.array(owner))
    of_cell = pc.binary_join_element_wise(label, ", cell ", address, ": '", texts, "' ", verdict, ".", "")
    told = pc.if_else(is_label, label_text, row_text)
    of_label = pc.binary_join_element_wise(label, ", cell ", address, ": ", told, ".", "")
    return _frame(
        np.array(tables.arrival, np.int64)[owner],
        address,
        texts,
        reason,
        pc.if_else(pc.or_(is_label, is_row), of_label, of_cell),
        label,
    )


def _strays(tables: _Tables) -> pd.DataFrame:
    """Texts outside every table, as quarantined cells."""
    owner = np.array([number for number, _, _ in tables.strays], np.int32)
    address = pa.array([shorten(place) for _, place, _ in tables.strays], pa.string())
    texts = pa.array([shorten(text) for _, _, text in tables.strays], pa.string())
    label = pa.array(tables.label, pa.string()).take(pa.array(owner))
    explanation = pc.binary_join_element_wise(label, ", cell ", address, ": '", texts, f"' {_STRAY}.", "")
    reason = pa.array(["stray_cell"] * len(owner), pa.string())
    return _frame(np.array(tables.arrival, np.int64)[owner], address, texts, reason, explanation, label)


def _frame(
    arrival: npt.NDArray[np.int64],
    address: pa.StringArray,
    texts: pa.StringArray,
    reason: pa.StringArray,
    explanation: pa.StringArray,
    label: pa.StringArray,
) -> pd.DataFrame:
    """Quarantined cells, the Chinese sentence made of the reason's meaning."""
    encoded = reason.dictionary_encode()
    meanings = pa.array([MEANINGS[str(word)].zh for word in encoded.dictionary], pa.string()).take(encoded.indices)
    chinese = pc.binary_join_element_wise(label, "，单元格 ", address, "：“", texts, "”，", meanings, "。", "")
    return pd.DataFrame(
        {
            "arrival_id": arrival,
            "address": _strings(address),
            "raw_text": _strings(texts),
            "reason": _strings(reason),
            "explanation": _strings(explanation),
            "explanation_zh": _strings(chinese),
        }
    )


def _categories(labels: Sequence[str], index: Index, categories: Sequence[str] | None = None) -> pd.Categorical:
    """The categorical ``labels[index]``, without a string a cell."""
    codes, known = pd.factorize(np.array(labels, dtype=object), sort=True)
    if categories is not None:
        codes = np.array([categories.index(label) for label in known], np.int64)[codes] if len(known) else codes
        known = np.array(categories, dtype=object)
    return pd.Categorical.from_codes(codes[index], categories=pd.Index(known, dtype="str"))


def _strings(array: pa.StringArray) -> pd.Series[str]:
    return pd.Series(pd.array(pc.cast(array, pa.large_string()), dtype="str"))
