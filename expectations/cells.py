"""The observations of a sector in the form rules are written over: categories as small integers, keys as integers.

Here: :class:`Cells`, which the subject modules read. Not here: any rule.

A million rows hold about 90 indicators, 3,000 regions and 30 periods. So a question about a code is asked once for
each category and spread over the rows by its integer code, and a key of several codes is one integer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from warehouse.catalogue import Catalogue

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

AREA_TYPES = ("total", "urban", "rural")
CODE_COLUMNS = ("indicator_code", "region_code", "period_code", "area_type", "obs_status")


class Cells:
    """Observations (one row a cell, all expected columns present) with what is needed to judge them.

    ``arrivals`` (arrival_id, region_code, form, period_code) and ``reference`` (indicator_code, region_code, area_type,
    reference_value) may be absent; rules that need them then do not apply.
    """

    def __init__(
        self,
        table: pd.DataFrame,
        catalogue: Catalogue,
        sector: str | None = None,
        arrivals: pd.DataFrame | None = None,
        reference: pd.DataFrame | None = None,
    ) -> None:
        self.table = table
        self.catalogue = catalogue
        self.sector = sector
        self.arrivals = arrivals
        self.reference = reference
        self.categories: dict[str, list[str]] = {}
        self.codes: dict[str, Integers] = {}
        for column in CODE_COLUMNS:
            values = table[column].cat
            self.categories[column] = [str(category) for category in values.categories]
            self.codes[column] = values.codes.to_numpy().astype(np.int64)

    def __len__(self) -> int:
        return len(self.table)

    @cached_property
    def value(self) -> Floats:
        """The figures in the catalogue's unit; NaN is blank."""
        figures: Floats = self.table["value"].to_numpy(dtype=np.float64, na_value=np.nan)
        return figures

    @cached_property
    def last_digit(self) -> Floats:
        """One unit of the last printed digit, 0 where it is not known."""
        digits: Floats = self.table["last_digit"].to_numpy(dtype=np.float64, na_value=np.nan)
        return np.where(np.isnan(digits), 0.0, digits)

    @cached_property
    def has_value(self) -> Booleans:
        """Whether the cell holds a figure."""
        return ~np.isnan(self.value)

    @cached_property
    def arrival(self) -> Integers:
        """The return of each row as 0…n-1, -1 where it is null."""
        return pd.factorize(self.table["arrival_id"])[0].astype(np.int64)

    @cached_property
    def is_whole_key(self) -> Booleans:
        """Whether return, indicator, region, period and area type are all there."""
        whole = self.arrival >= 0
        for column in CODE_COLUMNS[:4]:
            whole &= self.codes[column] >= 0
        return whole

    @cached_property
    def area(self) -> Integers:
        """0 total, 1 urban, 2 rural, 3 anything else."""
        known = {area: number for number, area in enumerate(AREA_TYPES)}
        return self.spread("area_type", lambda area: known.get(area, 3), 3, np.int64)

    def spread(self, column: str, judge: Callable[[str], Any], null: Any, dtype: Any) -> npt.NDArray[Any]:
        """``judge(category)`` for each row of a code column; ``null`` where the code is null."""
        answers = [judge(category) for category in self.categories[column]]
        return np.array([*answers, null], dtype=dtype)[self.codes[column]]

    def indicator(self, judge: Callable[[Any], Any], unknown: Any, dtype: Any) -> npt.NDArray[Any]:
        """``judge(Indicator)`` for each row; ``unknown`` where the catalogue has no such indicator."""
        indicators = self.catalogue.indicators

        def answer(code: str) -> Any:
            found = indicators.get(code)
            return unknown if found is None else judge(found)

        return self.spread("indicator_code", answer, unknown, dtype)

    def is_indicator(self, judge: Callable[[Any], bool]) -> Booleans:
        """Whether the row's indicator is known and ``judge`` says yes."""
        return self.indicator(judge, False, np.bool_)

    @cached_property
    def is_province(self) -> Booleans:
        """Whether the row is of one of the 31 provinces."""
        return self.spread("region_code", lambda code: code in self.catalogue.provinces, False, np.bool_)

    @cached_property
    def is_county(self) -> Booleans:
        """Whether the row is of a county-level unit (one of the county units, or a county-level code of any time)."""
        regions = self.catalogue.region_rows
        counties = {row.region_code for row in regions if row.region_level == "county" or row.is_county_unit}
        return self.spread("region_code", counties.__contains__, False, np.bool_)

    def key(self, *columns: str) -> Integers:
        """One integer for the row's return and ``columns``; meaningful where :attr:`is_whole_key`."""
        key = self.arrival.copy()
        for column in columns:
            if column == "area_type":
                key = key * 4 + self.area
            else:
                key = key * (len(self.categories[column]) + 1) + self.codes[column]
        return key

    def code_of(self, column: str, category: str) -> int:
        """The integer of a category, -2 where no row has it."""
        try:
            return self.categories[column].index(category)
        except ValueError:
            return -2

    @cached_property
    def return_of_row(self) -> Integers:
        """Position in ``arrivals`` of each row's return, -1 where it is not listed."""
        if self.arrivals is None:
            return np.full(len(self), -1, dtype=np.int64)
        listed = pd.Index(self.arrivals["arrival_id"])
        present = pd.unique(self.table["arrival_id"].dropna())
        positions = listed.get_indexer(pd.Index(present))
        # factorize numbers in order of appearance, as unique does, so the two agree
        return np.append(positions, -1).astype(np.int64)[self.arrival]


def align(keys: Integers, values: Floats, wanted: Integers) -> Floats:
    """The value of each wanted key, NaN where there is none (of a key given twice, the first)."""
    index = pd.Index(keys)
    if not index.is_unique:
        first = ~index.duplicated()
        index, values = index[first], values[first]
    positions = index.get_indexer(pd.Index(wanted))
    return np.append(values, np.nan)[positions]


def scatter(mask: Booleans, values: Floats) -> Floats:
    """A column over all rows that holds ``values`` where ``mask``, NaN elsewhere."""
    column = np.full(len(mask), np.nan)
    column[mask] = values
    return column


def table_of(rows: int, columns: int, pairs: Iterable[tuple[int, int]]) -> Booleans:
    """A boolean table with one more row and column (for -1, always False) that is True at ``pairs``."""
    table = np.zeros((rows + 1, columns + 1), dtype=np.bool_)
    for row, column in pairs:
        table[row, column] = True
    return table
