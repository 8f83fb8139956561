"""Provincial figures of any return's period, from the annual ones.

What is here: a year's figures as they are; months and quarters of stocks between the year-ends; January-to-month
cumulatives of flows that share the year out and end at its figure. What is not here: counties, carriers.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from sandbox.annual import STATUS_BLANK, STATUS_ESTIMATED, AnnualTable, round_to
from sandbox.periods import ReturnPeriod
from sandbox.published import FIRST_YEAR
from sandbox.reference import Province, Series
from sandbox.seeds import Floats, draw_normals, hash_key

MONTH_SPREAD = 0.12
"""Spread of the weights by which a flow's year is shared out over its months."""


@dataclasses.dataclass(frozen=True)
class ProvinceFigures:
    """The columns of a return with the province's figures; arrays are parallel to `series`."""

    series: tuple[Series, ...]
    values: Floats
    status: npt.NDArray[np.int8]
    texts: tuple[str, ...]
    """Printed text of published figures, "" of others."""


def columns_of(annual: AnnualTable, form: str, period: ReturnPeriod) -> tuple[Series, ...]:
    """The series of a return; January has no cumulated flows."""
    found = annual.reference.form_series(form)
    if period.frequency == "M" and period.month == 1:
        return tuple(each for each in found if not each.indicator.is_cumulative)
    return found


def year_fraction(annual: AnnualTable, label: str, province: Province, period: ReturnPeriod) -> float:
    """Share of a flow's year that has flowed by the end of the period's month; exactly 1 for December."""
    if period.month == 12:
        return 1.0
    key = hash_key(annual.seed, "months", label, province.code, period.year)
    weights = np.exp(MONTH_SPREAD * draw_normals(key, np.arange(12)))
    return float(weights[: period.month].sum() / weights.sum())


def province_figures(annual: AnnualTable, form: str, province: Province, period: ReturnPeriod) -> ProvinceFigures:
    """The province's row of a return."""
    series = columns_of(annual, form, period)
    positions = np.array([each.position for each in series])
    year = period.year - FIRST_YEAR
    ends = annual.values[positions, province.position, year]
    if period.frequency in "AS":
        texts = tuple(annual.texts[positions, province.position, year].tolist())
        return ProvinceFigures(series, ends, annual.status[positions, province.position, year], texts)
    starts = annual.values[positions, province.position, year - 1]
    values = starts + (ends - starts) * (period.month / 12)
    for place, each in enumerate(series):
        if each.indicator.is_cumulative:
            values[place] = ends[place] * year_fraction(annual, each.indicator.code, province, period)
        if period.month < 12:
            values[place] = round_to(values[place], annual.roundings[each.label])
    if period.month < 12:
        _sum_parts(series, values, starts, ends)
    else:
        values = ends.copy()
    status = np.where(np.isnan(values), STATUS_BLANK, STATUS_ESTIMATED).astype(np.int8)
    return ProvinceFigures(series, values, status, ("",) * len(series))


def _sum_parts(series: tuple[Series, ...], values: Floats, starts: Floats, ends: Floats) -> None:
    """Where urban and rural sum to the total at both year-ends, they do so between them too."""
    places = {each.label: place for place, each in enumerate(series)}
    for place, each in enumerate(series):
        if each.area_type != "total" or not each.indicator.is_counted:
            continue
        parts = [places[f"{each.indicator.code}@{area}"] for area in each.indicator.area_types if area != "total"]
        if len(parts) == 2 and all(
            abs(np.nansum(at[parts]) - at[place]) < 0.5 and not np.isnan(at[parts[0]]) for at in (starts, ends)
        ):
            values[place] = np.nansum(values[parts])
