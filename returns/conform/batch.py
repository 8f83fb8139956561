"""Cells of many returns to observations and quarantined cells, as arrays over the whole batch.

Here: joining what figures, units, periods and regions say, and the one place where a cell is kept, dropped as a repeat
or quarantined. Loops run over returns and columns, never over figures. Not here: returns that are quarantined whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from returns.cells import ReturnCells
from returns.conform.duplicates import Duplicates, find_duplicates
from returns.conform.figures import DASH, FORMULA, MISSING, NORMAL, NOT_A_NUMBER, STATUSES, read_figures, round_noise
from returns.conform.regions import RegionFault, RegionResolver

MAX_ABSOLUTE_VALUE = 1e16
"""In the catalogue's unit. The nation's product is 1.4e14 yuan: a larger figure is a slip, whatever it says."""

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

_AREAS = ("total", "urban", "rural")
_DASH_CODES = {None: 0, "zero": 1, "not_applicable": 2}
# Reasons of cells in order of precedence; 0 is none. The explanation follows the address and the raw text.
_CELL_FAULTS: tuple[tuple[str, str], ...] = (
    ("", ""),
    ("row", ""),
    ("not_a_number", "is not a number"),
    ("not_a_number", "is a formula without a result or a spreadsheet error, not a number"),
    ("unknown_dash", "is a dash, and the layout does not state whether it means zero or not applicable"),
    ("not_a_number", "is a percentage in a column that is not in percent, not a number of its unit"),
    ("ambiguous_scale", "carries its own 万 or 亿 in a column whose unit has one already"),
    ("not_a_number", "is larger than any figure can be, so it is not a number to load"),
    ("unequal_duplicates", "is one of several different figures for the same indicator, region, period and area type"),
)
_ROW, _NOT_A_NUMBER, _FORMULA, _DASH, _PERCENT, _SCALE, _TOO_LARGE, _UNEQUAL = range(1, 9)


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
class _Tables:
    """Rows and columns of all returns, one under the other; cells point into them."""

    arrival: list[int] = field(default_factory=list)
    label: list[str] = field(default_factory=list)
    row_label: list[str] = field(default_factory=list)
    row_region: list[str | RegionFault] = field(default_factory=list)
    row_return: list[int] = field(default_factory=list)
    indicator: list[str] = field(default_factory=list)
    area: list[str] = field(default_factory=list)
    period: list[str] = field(default_factory=list)
    factor: list[float] = field(default_factory=list)
    is_percent: list[bool] = field(default_factory=list)
    dash: list[int] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    shapes: list[tuple[int, int]] = field(default_factory=list)


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
    row, column = _cell_index(tables.shapes)
    texts = pc.replace_substring(pa.array(tables.texts, pa.string()), "\0", "␀")  # PostgreSQL refuses NUL
    values = _value_cells(tables, row, column, texts)
    repeats = _find_repeats(tables, row, column, values)
    values.fault[repeats.is_unequal] = _UNEQUAL
    is_rejected = values.fault > 0
    address = _addresses(tables, row, column)
    kept = np.flatnonzero(~is_rejected & ~repeats.is_repeated)
    rejected = np.flatnonzero(is_rejected)
    arrival = np.array(tables.arrival, np.int64)[np.array(tables.row_return, np.int32)]
    repeated, count = np.unique(arrival[row[repeats.is_repeated]], return_counts=True)
    return Conformed(
        _observations(tables, row[kept], column[kept], values, kept, address, texts),
        _quarantined(tables, row[rejected], values.fault[rejected], address, texts, rejected),
        dict(zip(repeated.tolist(), count.tolist(), strict=True)),
    )


def _stack(returns: Sequence[LabelledCells], resolver: RegionResolver) -> _Tables:
    tables = _Tables()
    for number, item in enumerate(returns):
        cells = item.cells
        regions = resolver.resolve(cells.row_codes, cells.row_names, item.province_code)
        if any(cells.is_short):
            fault = RegionFault("short_row", "the row ends before its header does, so its figures may be shifted")
            regions = [fault if short else region for short, region in zip(cells.is_short, regions, strict=True)]
        tables.arrival.append(item.arrival_id)
        tables.label.append(item.label)
        tables.row_label += cells.row_labels
        tables.row_region += regions
        tables.row_return += [number] * len(regions)
        for column, (before, after) in zip(cells.columns, cells.column_labels, strict=True):
            tables.indicator.append(column.indicator_code)
            tables.area.append(column.area_type)
            tables.period.append(column.period_code)
            tables.factor.append(column.factor)
            tables.is_percent.append(column.is_percent)
            tables.before.append(before)
            tables.after.append(after)
        tables.dash += [_DASH_CODES[cells.dash]] * len(cells.columns)
        tables.texts += cells.texts
        tables.shapes.append((len(regions), len(cells.columns)))
    return tables


def _cell_index(shapes: Sequence[tuple[int, int]]) -> tuple[Index, Index]:
    """(row, column) of every cell in the stacked tables, return by return, row by row."""
    rows, columns, first_row, first_column = [np.empty(0, np.int32)], [np.empty(0, np.int32)], 0, 0
    for height, width in shapes:
        rows.append(np.repeat(np.arange(first_row, first_row + height, dtype=np.int32), width))
        columns.append(np.tile(np.arange(first_column, first_column + width, dtype=np.int32), height))
        first_row, first_column = first_row + height, first_column + width
    return np.concatenate(rows), np.concatenate(columns)


def _value_cells(tables: _Tables, row: Index, column: Index, texts: pa.StringArray) -> _Values:
    """Figures in the catalogue's unit, with the fault that keeps one out."""
    figures = read_figures(texts)
    factor = np.array(tables.factor, np.float64)[column]
    is_percent_column = np.array(tables.is_percent, np.bool_)[column]
    dash = np.array(tables.dash, np.int8)[column]
    is_dash, is_scaled = figures.fault == DASH, figures.scale != 1.0

    value = round_noise(figures.value * figures.scale * factor)
    value[is_dash & (dash == _DASH_CODES["zero"])] = 0.0
    status = figures.status.copy()
    status[is_dash] = np.where(dash[is_dash] == _DASH_CODES["zero"], NORMAL, MISSING)
    is_row_bad = np.array([isinstance(region, RegionFault) for region in tables.row_region], np.bool_)[row]
    with np.errstate(invalid="ignore"):
        is_too_large = np.abs(value) > MAX_ABSOLUTE_VALUE
    fault = np.select(
        [
            is_row_bad,
            figures.fault == NOT_A_NUMBER,
            figures.fault == FORMULA,
            is_dash & (dash == _DASH_CODES[None]),
            figures.is_percent & ~is_percent_column & ~is_dash,
            is_scaled & ((factor != 1.0) | figures.is_percent),
            is_too_large,
        ],
        [_ROW, _NOT_A_NUMBER, _FORMULA, _DASH, _PERCENT, _SCALE, _TOO_LARGE],
        0,
    )
    last_digit = round_noise(figures.last_digit * figures.scale * factor)
    return _Values(value, last_digit, status, fault.astype(np.int8))


def _find_repeats(tables: _Tables, row: Index, column: Index, values: _Values) -> Duplicates:
    """Cells are compared only in returns where a region or a column stands twice: nearly none."""
    regions = [region if isinstance(region, str) else "" for region in tables.row_region]
    rows = pd.DataFrame({"owner": tables.row_return, "region": pd.Series(regions, dtype="object")})
    widths = [width for _, width in tables.shapes]
    owners = np.repeat(np.arange(len(widths)), widths)
    columns = pd.DataFrame({"owner": owners, "indicator": tables.indicator, "area": tables.area})
    suspects = set(rows["owner"][rows.duplicated() & (rows["region"] != "")])
    suspects |= set(columns["owner"][columns.duplicated()])
    found = Duplicates(np.zeros(len(row), np.bool_), np.zeros(len(row), np.bool_))
    if not suspects:
        return found
    owner = rows["owner"].to_numpy()[row]
    # A row without a region has no key; its cells are quarantined already.
    where = np.flatnonzero(np.isin(owner, list(suspects)) & (values.fault != _ROW))
    keys = pd.DataFrame(
        {
            "owner": owner[where],
            "region": rows["region"].to_numpy()[row[where]],
            "indicator": columns["indicator"].to_numpy()[column[where]],
            "area": columns["area"].to_numpy()[column[where]],
        }
    )
    contents = pd.DataFrame({"value": values.value[where], "status": values.status[where]})
    part = find_duplicates(keys, contents, values.fault[where] > 0)
    found.is_repeated[where], found.is_unequal[where] = part.is_repeated, part.is_unequal
    return found


def _addresses(tables: _Tables, row: Index, column: Index) -> pa.StringArray:
    before = pa.array(tables.before, pa.string()).take(pa.array(column))
    after = pa.array(tables.after, pa.string()).take(pa.array(column))
    label = pa.array(tables.row_label, pa.string()).take(pa.array(row))
    return pc.binary_join_element_wise(before, label, after, "")


def _observations(
    tables: _Tables,
    row: Index,
    column: Index,
    values: _Values,
    kept: npt.NDArray[np.intp],
    address: pa.StringArray,
    texts: pa.StringArray,
) -> pd.DataFrame:
    arrival = np.array(tables.arrival, np.int64)[np.array(tables.row_return, np.int32)]
    chosen = pa.array(kept)
    regions = [region if isinstance(region, str) else "" for region in tables.row_region]
    value = values.value[kept]
    return pd.DataFrame(
        {
            "arrival_id": arrival[row],
            "indicator_code": _categories(tables.indicator, column),
            "region_code": _categories(regions, row),
            "period_code": _categories(tables.period, column),
            "area_type": _categories(tables.area, column, _AREAS),
            "value": value,
            "obs_status": pd.Categorical.from_codes(values.status[kept], categories=pd.Index(STATUSES, dtype="str")),
            "last_digit": np.where(np.isnan(value), np.nan, values.last_digit[kept]),
            "address": _strings(address.take(chosen)),
            "raw_text": _strings(texts.take(chosen)),
        }
    )


def _quarantined(
    tables: _Tables,
    row: Index,
    fault: npt.NDArray[np.int8],
    address: pa.StringArray,
    texts: pa.StringArray,
    rejected: npt.NDArray[np.intp],
) -> pd.DataFrame:
    chosen = pa.array(rejected)
    address, texts = address.take(chosen), texts.take(chosen)
    owner = np.array(tables.row_return, np.int32)
    faults = [region if isinstance(region, RegionFault) else None for region in tables.row_region]
    row_reason = pa.array([region.reason if region else "" for region in faults], pa.string()).take(pa.array(row))
    row_text = pa.array([region.explanation if region else "" for region in faults], pa.string()).take(pa.array(row))
    is_row = pa.array(fault == _ROW)
    codes = pa.array(fault.astype(np.int32))
    reason = pc.if_else(is_row, row_reason, pa.array([name for name, _ in _CELL_FAULTS], pa.string()).take(codes))
    verdict = pa.array([text for _, text in _CELL_FAULTS], pa.string()).take(codes)
    label = pa.array(tables.label, pa.string()).take(pa.array(owner[row]))
    of_cell = pc.binary_join_element_wise(label, ", cell ", address, ": '", texts, "' ", verdict, ".", "")
    of_row = pc.binary_join_element_wise(label, ", cell ", address, ": ", row_text, ".", "")
    return pd.DataFrame(
        {
            "arrival_id": np.array(tables.arrival, np.int64)[owner[row]],
            "address": _strings(address),
            "raw_text": _strings(texts),
            "reason": _strings(reason),
            "explanation": _strings(pc.if_else(is_row, of_row, of_cell)),
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
