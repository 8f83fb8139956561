"""A return on its way to being spoiled: what is printed, and beside it what a right reader would hold of each figure.

What is here: the pair of both, and the small steps that faults are made of. What is not here: the faults (`spoiling`),
how a table is laid out in a file (`printing`).
"""

import dataclasses
from collections.abc import Callable, Sequence
from decimal import Decimal

from sandbox.reference import Reference, Series
from sandbox.rosters import ESTIMATED_MARK
from sandbox.seeds import hash_key
from sandbox.tables import Column, ReturnTable

Says = str | None
"""What a cell says in its plain form (`1234.5`, `1234.5e`, "" for a blank); None where it may not be believed."""


@dataclasses.dataclass(frozen=True)
class Layout:
    """How a table is laid out where that differs from the usual way. Rows count from the province's, 0."""

    header_again_at: int = 0
    """The header stands again before this row; 0: nowhere."""
    again_label: str = ""
    """A line before the header that stands again, such as 续表."""
    stray_text: str = ""
    """A text to the right of the first county's row (or the province's, where it is alone)."""
    second_sheet_at: int = 0
    """Rows from here on stand on a second sheet; 0: there is one sheet."""
    is_second_sheet_lost: bool = False
    is_only_remarks: bool = False
    """The sheet of figures is gone."""
    are_figures_text: bool = False


@dataclasses.dataclass(frozen=True)
class Draft:
    """A table as printed, `says` parallel to its rows, and what its columns mean."""

    table: ReturnTable
    says: tuple[tuple[Says, ...], ...]
    series: tuple[Series, ...]
    layout: Layout = Layout()

    @property
    def places(self) -> list[tuple[int, int]]:
        """(row, column) of every cell."""
        return [(row, column) for row in range(len(self.says)) for column in range(len(self.series))]


def begin_draft(table: ReturnTable, series: tuple[Series, ...]) -> Draft:
    """The draft of a table without faults: every cell says what it prints."""
    return Draft(table, table.rows, series)


def choose(draft: Draft, purpose: str, candidates: Sequence[int]) -> int:
    """One of some, by hash of what for and where."""
    return candidates[hash_key(purpose, draft.table.title) % len(candidates)]


def choose_figure(draft: Draft, purpose: str) -> int:
    """The column of a figure in the province's row, by hash: a published one if there is any."""
    row = draft.table.rows[0]
    filled = [place for place, text in enumerate(row) if text]
    published = [place for place in filled if not row[place].endswith(ESTIMATED_MARK)]
    return choose(draft, purpose, published or filled)


def map_figures(draft: Draft, change: Callable[[int, int, str], str], *, is_said: bool = True) -> Draft:
    """The draft with `change(row, column, text)` for each printed text; `is_said`: it says what it then prints."""
    rows = tuple(
        tuple(change(number, place, text) for place, text in enumerate(row))
        for number, row in enumerate(draft.table.rows)
    )
    table = dataclasses.replace(draft.table, rows=rows)
    return dataclasses.replace(draft, table=table, says=rows if is_said else draft.says)


def replace_figure(draft: Draft, row: int, place: int, text: str, says: Says) -> Draft:
    """The draft with one cell replaced."""

    def put(rows: Sequence[Sequence[Says]], new: Says) -> tuple[tuple[Says, ...], ...]:
        return tuple(
            (*each[:place], new, *each[place + 1 :]) if number == row else tuple(each)
            for number, each in enumerate(rows)
        )

    rows = tuple(tuple(text or "" for text in each) for each in put(draft.table.rows, text))
    return dataclasses.replace(draft, table=dataclasses.replace(draft.table, rows=rows), says=put(draft.says, says))


def replace_region(draft: Draft, row: int, code: str, name: str) -> Draft:
    """The draft with another code and name in one row."""
    codes, names = list(draft.table.region_codes), list(draft.table.region_names)
    codes[row], names[row] = code, name
    table = dataclasses.replace(draft.table, region_codes=tuple(codes), region_names=tuple(names))
    return dataclasses.replace(draft, table=table)


def replace_columns(draft: Draft, places: Sequence[int], **changes: str) -> Draft:
    """The draft with other labels (`name`, `area`, `unit`) over some columns."""
    columns: list[Column] = list(draft.table.columns)
    for place in places:
        columns[place] = dataclasses.replace(columns[place], **changes)
    return dataclasses.replace(draft, table=dataclasses.replace(draft.table, columns=tuple(columns)))


def append_row(draft: Draft, code: str, name: str, texts: tuple[str, ...], says: tuple[Says, ...]) -> Draft:
    """The draft with one row more."""
    table = dataclasses.replace(
        draft.table,
        region_codes=(*draft.table.region_codes, code),
        region_names=(*draft.table.region_names, name),
        rows=(*draft.table.rows, texts),
    )
    return dataclasses.replace(draft, table=table, says=(*draft.says, says))


def split_mark(text: str) -> tuple[str, str]:
    """A printed figure as (number, mark)."""
    number = text.removesuffix(ESTIMATED_MARK)
    return number, text[len(number) :]


def scale_text(text: str, factor: Decimal) -> str:
    """A printed figure times a factor, exactly, its mark kept; a blank stays one."""
    number, mark = split_mark(text)
    if not number:
        return text
    scaled = Decimal(number) * factor
    return f"{scaled.normalize() if scaled == scaled.to_integral_value() else scaled:f}{mark}"


def columns_of_indicator(draft: Draft, code: str) -> list[int]:
    """Where the columns of an indicator stand."""
    return [place for place, series in enumerate(draft.series) if series.indicator.code == code]


def factor_of(reference: Reference, column: Column, series: Series) -> float | None:
    """Printed unit → catalogue's unit; None where the unit does not fit."""
    return reference.unit_factors.get((column.unit, series.indicator.unit))
