"""The cells of many rosters to figures of schools and quarantined cells, as arrays over the whole batch.

Here: which school and stage a row is of, which figures can be used. Not here: whether a school's figures are plausible.
A row of which nobody can tell the school sets all of its cells aside; a bad figure sets itself aside, and the school has
none. Of a school that stands twice alike the repeat counts; where the rows differ, neither may be believed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from returns.conform.batch import MAX_ABSOLUTE_VALUE
from returns.conform.figures import DASH, FORMULA, MISSING, NOT_A_NUMBER, STATUSES, read_figures, round_noise
from returns.conform.regions import RegionFault, RegionResolver
from returns.conform.texts import shorten, squash
from returns.reasons import MEANINGS, CellReason, Reason
from returns.rosters.reading import RosterCells, RosterProblem, SchoolRow, items_of
from warehouse.catalogue import Catalogue
from warehouse.schools import ROSTER_COLUMNS, empty_roster

_SCHOOL_CODE = re.compile(r"[0-9A-Za-z-]{1,32}")
_SHOWN_LENGTH = 60

_CELL_FAULTS: tuple[tuple[CellReason, str], ...] = (
    ("not_a_number", "is not a number"),
    ("not_a_number", "is a formula without a result or a spreadsheet error, not a number"),
    ("unknown_dash", "is a dash, and the layout does not state whether it means zero or not applicable"),
    ("not_a_number", "is a percentage in a column that is not in percent, not a number of its unit"),
    ("ambiguous_scale", "carries its own 万 or 亿 in a column whose unit has one already"),
    ("not_a_number", "is larger than any figure can be, so it is not a number to load"),
    ("negative_amount", "is under 0, and a school has no fewer pupils, teachers or rooms than none"),
)
_TWICE = "the school stands more than once for its stage, with different figures"
_STRAY = "stands outside title, header, rows and notes of the roster"


@dataclass(frozen=True, slots=True)
class LabelledRoster:
    """The roster of one return with its receipt: ``label`` names the return in explanations."""

    arrival_id: int
    label: str
    province_code: str
    cells: RosterCells | RosterProblem


@dataclass(frozen=True, slots=True)
class ConformedRosters:
    """``roster`` has the columns of :data:`warehouse.schools.ROSTER_COLUMNS`; ``quarantined`` as
    :mod:`returns.reading` has it; ``duplicates`` counts dropped repeats by arrival."""

    roster: pd.DataFrame
    quarantined: pd.DataFrame
    duplicates: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _RowFault:
    reason: CellReason
    explanation: str


@dataclass(frozen=True, slots=True)
class _School:
    """What a row is of."""

    region_code: str
    school_code: str
    school_name: str
    stage: str


def conform_rosters(
    rosters: Sequence[LabelledRoster], resolver: RegionResolver, catalogue: Catalogue
) -> ConformedRosters:
    """Figures of schools and quarantined cells of a batch; every cell is in one of them or a counted repeat."""
    whole = [_aside(each, each.cells.address, "", each.cells.reason, each.cells.explanation)
             for each in rosters if isinstance(each.cells, RosterProblem)]  # fmt: skip
    read = [(each, each.cells) for each in rosters if isinstance(each.cells, RosterCells)]
    strays = [
        _aside(each, address, text, "stray_cell", f"{shorten(text)!r} {_STRAY}")
        for each, cells in read
        for address, text in cells.strays
    ]
    if not any(cells.rows for _, cells in read):
        return ConformedRosters(empty_roster(), _frame([*whole, *strays]))
    cells = _cells_of(read, resolver, catalogue)
    _mark_repeats(cells)
    repeated, count = np.unique(cells.loc[cells["fault"] == _REPEAT, "arrival_id"], return_counts=True)
    return ConformedRosters(
        cells.loc[cells["fault"] == "", list(ROSTER_COLUMNS)].reset_index(drop=True),
        _frame([*whole, *strays, *_bad(cells, {each.arrival_id: each for each, _ in read})]),
        dict(zip(repeated.tolist(), count.tolist(), strict=True)),
    )


_REPEAT = "repeat"


def _cells_of(
    read: Sequence[tuple[LabelledRoster, RosterCells]], resolver: RegionResolver, catalogue: Catalogue
) -> pd.DataFrame:
    """One row a cell: the columns of the roster, the number of its row, and ``fault`` (a reason, or ``""``) with ``told``."""
    items = items_of(catalogue)
    counties = {row.region_code for row in catalogue.region_rows if row.region_level == "county" or row.is_county_unit}
    schools: list[_School | _RowFault] = []
    for each, cells in read:
        schools += _schools(each, cells, resolver, counties)
    width = len(items)
    rows = [row for _, cells in read for row in cells.rows]
    texts = [text.replace("\0", "␀") for row in rows for text in row.texts]
    factors = np.concatenate([np.tile(cells.factors, len(cells.rows)) for _, cells in read])
    value, status, fault = _figures(texts, factors)
    is_known = [isinstance(school, _School) for school in schools]
    of_row = pd.DataFrame(
        {
            "arrival_id": np.repeat([each.arrival_id for each, _ in read], [len(cells.rows) for _, cells in read]),
            "period_code": [cells.period_code for _, cells in read for _ in cells.rows],
            **{
                name: [getattr(school, name) if isinstance(school, _School) else "" for school in schools]
                for name in ("region_code", "school_code", "school_name", "stage")
            },
            "row_fault": [school.reason if isinstance(school, _RowFault) else "" for school in schools],
            "row_told": [school.explanation if isinstance(school, _RowFault) else "" for school in schools],
            "is_known": is_known,
        }
    )
    frame = of_row.loc[of_row.index.repeat(width)].reset_index(names="row")
    frame = frame.assign(
        item=np.tile(np.array(items, dtype=object), len(rows)),
        value=value,
        obs_status=pd.Categorical.from_codes(status, categories=pd.Index(STATUSES, dtype="str")),
        address=[address for row in rows for address in row.addresses],
        raw_text=texts,
    )
    reasons = np.array(["", *(reason for reason, _ in _CELL_FAULTS)], dtype=object)[fault]
    told = np.array(["", *(text for _, text in _CELL_FAULTS)], dtype=object)[fault]
    has_school = frame["row_fault"] == ""
    return frame.assign(
        fault=frame["row_fault"].where(~has_school, pd.Series(reasons, frame.index)),
        told=frame["row_told"].where(~has_school, pd.Series(told, frame.index)),
    )


def _schools(
    item: LabelledRoster, cells: RosterCells, resolver: RegionResolver, counties: set[str]
) -> Iterator[_School | _RowFault]:
    """Which school each row is of, or why nobody can tell."""
    labels = {squash(text): stage for stage, texts in cells.layout.stages.items() for text in texts}
    regions = resolver.resolve(
        [row.region_code for row in cells.rows],
        [row.region_name for row in cells.rows],
        item.province_code,
        cells.period_code,
    )
    for row, region in zip(cells.rows, regions, strict=True):
        yield _school(row, region, labels, counties)


def _school(
    row: SchoolRow, region: str | RegionFault, labels: dict[str, str], counties: set[str]
) -> _School | _RowFault:
    code, name = squash(row.school_code).removesuffix(".0"), shorten(row.school_name.strip(), _SHOWN_LENGTH)
    if row.is_short:
        return _RowFault("short_row", "the row ends before its header does, so its figures may be shifted")
    if isinstance(region, RegionFault):
        return _RowFault(region.reason, region.explanation)
    if region not in counties:
        return _RowFault("unknown_region", f"region {region} is no county, and a school is of one")
    if not _SCHOOL_CODE.fullmatch(code) or not name:
        told = f"{shorten(row.school_code, _SHOWN_LENGTH)!r} ({name}) is no code and name of a school"
        return _RowFault("unknown_school", told)
    stage = labels.get(squash(row.stage))
    if stage is None:
        told = f"{shorten(row.stage, _SHOWN_LENGTH)!r} is no stage of compulsory education"
        return _RowFault("unknown_stage", told)
    return _School(region, code, name, stage)


def _figures(
    texts: Sequence[str], factors: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    """(value in the catalogue's unit, status, fault by its number from 1, 0: none) of each cell."""
    figures = read_figures(pa.array(texts, pa.string()))
    value = round_noise(figures.value * figures.scale * factors)
    is_scaled = figures.scale != 1.0
    with np.errstate(invalid="ignore"):
        faults = (
            figures.fault == NOT_A_NUMBER,
            figures.fault == FORMULA,
            figures.fault == DASH,
            figures.is_percent,
            is_scaled & (factors != 1.0),
            np.abs(value) > MAX_ABSOLUTE_VALUE,
            value < 0,
        )
    fault = np.zeros(len(value), np.int8)
    for number, is_so in reversed(list(enumerate(faults, start=1))):  # the first that is so counts
        fault[is_so] = number
    status = np.where(np.isnan(value) & (figures.status == 0), MISSING, figures.status).astype(np.int8)
    return value, status, fault


def _mark_repeats(cells: pd.DataFrame) -> None:
    """Set ``fault`` and ``told`` of the cells of schools that stand more than once."""
    known = cells[cells["is_known"]]
    key = ["arrival_id", "period_code", "school_code", "stage"]
    rows = known.drop_duplicates("row")
    twice = rows[rows.duplicated(key, keep=False)]
    if twice.empty:
        return
    contents = known[known["row"].isin(twice["row"])]
    said = contents["fault"].where(
        contents["fault"] != "", contents["value"].map(repr) + contents["obs_status"].astype(str)
    )
    signature = said.groupby(contents["row"]).agg("|".join).reindex(twice["row"]).to_numpy()
    told = twice.assign(signature=signature + twice["region_code"].to_numpy() + twice["school_name"].to_numpy())
    differs = told.groupby(key)["signature"].transform("nunique") > 1
    is_usable = cells["fault"] == ""
    unequal = is_usable & cells["row"].isin(told.loc[differs, "row"])
    repeated = is_usable & cells["row"].isin(told.loc[~differs & told.duplicated(key), "row"])
    cells.loc[unequal, ["fault", "told"]] = ["unequal_duplicates", _TWICE]
    cells.loc[repeated, "fault"] = _REPEAT


def _bad(cells: pd.DataFrame, owners: dict[int, LabelledRoster]) -> Iterator[tuple[object, ...]]:
    """The cells that cannot be used, each with its reason."""
    chosen = cells[(cells["fault"] != "") & (cells["fault"] != _REPEAT)]
    names = ["arrival_id", "address", "raw_text", "fault", "told", "row_fault"]
    for arrival_id, address, text, reason, told, row_fault in zip(
        *(chosen[name].tolist() for name in names), strict=True
    ):
        is_of_row = row_fault != "" or reason == "unequal_duplicates"
        yield _aside(owners[arrival_id], address, text, reason, told if is_of_row else f"{shorten(text)!r} {told}")


def _aside(item: LabelledRoster, address: str, text: str, reason: Reason, told: str) -> tuple[object, ...]:
    shown = shorten(text)
    return (
        item.arrival_id,
        shorten(address),
        shown,
        reason,
        f"{item.label}, cell {shorten(address)}: {told}.",
        f"{item.label}，单元格 {shorten(address)}：“{shown}”，{MEANINGS[reason].zh}。",
    )


def _frame(rows: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    columns = ["arrival_id", "address", "raw_text", "reason", "explanation", "explanation_zh"]
    return pd.DataFrame(list(rows), columns=columns).astype({"arrival_id": "int64"} | dict.fromkeys(columns[1:], "str"))
