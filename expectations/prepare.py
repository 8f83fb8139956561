"""The wide table Great Expectations sees: the observations, and beside them verdicts and the evidence for them.

Here: the order in which subjects add their columns. Not here: any rule, any Great Expectations.
"""

from __future__ import annotations

import pandas as pd

from expectations import arithmetic, codes, ranges, structure, units
from expectations.cells import CODE_COLUMNS, Cells
from warehouse.catalogue import Catalogue

SUBJECTS = (structure.prepare, codes.prepare, ranges.prepare, units.prepare, arithmetic.prepare)
# Names the columns the caller gave, so that a missing one is found although it was filled in to judge the others.
GIVEN_COLUMNS = "given_columns"


def prepare(
    observations: pd.DataFrame,
    catalogue: Catalogue,
    reference: pd.DataFrame | None = None,
    arrivals: pd.DataFrame | None = None,
    sector: str | None = None,
) -> pd.DataFrame:
    """The check table: the rows of ``observations`` in their order and with their index, with all columns rules read.

    ``reference``: indicator_code, region_code, area_type, reference_value (the last accepted figure of each; one row a
    key). ``arrivals``: arrival_id, region_code (of the province), form, period_code (of the return). ``sector``: where
    no arrivals are given, indicators are checked against all forms of it. Nothing given is changed. A missing column is
    filled with nulls and stays listed as missing.
    """
    table = _complete(observations)
    cells = Cells(table, catalogue, sector=sector, arrivals=arrivals, reference=reference)
    columns = {name: values for subject in SUBJECTS for name, values in subject(cells).items()}
    wide = pd.concat([table, pd.DataFrame(columns, index=table.index)], axis=1)
    wide.attrs[GIVEN_COLUMNS] = list(observations.columns)
    return wide


def _complete(observations: pd.DataFrame) -> pd.DataFrame:
    """All expected columns, code columns as categories of text. Shares the columns that are right already."""
    columns: dict[str, pd.Series] = {}
    for name in structure.EXPECTED_COLUMNS:
        if name in observations.columns:
            column = observations[name]
        else:
            column = pd.Series(float("nan"), index=observations.index, dtype="float64")
        columns[name] = column.astype("category") if name in CODE_COLUMNS and column.dtype != "category" else column
    return pd.DataFrame(columns)
