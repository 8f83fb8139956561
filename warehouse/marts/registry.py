"""The marts that are kept with their history by release: their table, their function, and what their rows rest on.

One entry a mart; whatever computes, writes, hashes, checks or shows marts goes through :data:`MARTS`. Not here: any formula.
A view that only shows other marts (``mart.revision`` …) is none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import pandas as pd
from sqlalchemy import Table

from warehouse import schema
from warehouse.catalogue import Catalogue
from warehouse.marts import reach
from warehouse.marts.attainment import attainment
from warehouse.marts.change_attribution import LOOK_BACK_YEARS, change_attribution
from warehouse.marts.inequality import inequality
from warehouse.marts.observation_harmonised import observation_harmonised
from warehouse.marts.urban_rural_gap import urban_rural_gap
from warehouse.panels import FIGURE_COLUMNS, Slice


@dataclass(frozen=True, eq=False)
class Inputs:
    """What marts are computed from. ``figures``: those of the slices and of all that they rest on, as
    :data:`warehouse.panels.FIGURE_COLUMNS`; ``warned``: slices of which some check warned; ``first_figures``: of the
    figures that marts with ``asks_first`` rest on and that were revised, the first published, same columns."""

    figures: pd.DataFrame
    catalogue: Catalogue
    warned: Collection[Slice] = field(default_factory=tuple)
    first_figures: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(FIGURE_COLUMNS)))


@dataclass(frozen=True, eq=False)
class Mart:
    """A mart. ``compute`` gives the rows of the wanted slices, with the columns of ``table`` but its validity.

    ``slices`` are those it can have rows of, ``rests_on`` what the rows of a slice are made of besides its own figures
    (:mod:`warehouse.marts.reach`). ``asks_first``: whether it compares with figures as they were first published,
    ``reads_counties``: whether it needs what it rests on of more than provinces and the nation.
    """

    name: str
    table: Table
    description: str
    compute: Callable[[Inputs, Collection[Slice]], pd.DataFrame]
    slices: reach.SlicesOf
    rests_on: reach.RestsOn
    asks_first: bool = False
    reads_counties: bool = True


_ALL = (
    Mart(
        "attainment",
        schema.attainment,
        "Each figure against the floors, targets and references in force.",
        lambda given, wanted: attainment(given.figures, given.catalogue, wanted),
        reach.slices_where(reach.has_standard),
        reach.own_slice,
    ),
    Mart(
        "urban_rural_gap",
        schema.urban_rural_gap,
        "Town against country: ratio, difference, and which side is worse off.",
        lambda given, wanted: urban_rural_gap(given.figures, given.catalogue, wanted),
        reach.slices_where(reach.is_compared),
        reach.own_slice,
    ),
    Mart(
        "inequality",
        schema.inequality,
        "How far apart places are, over provinces and over counties, by units and by people.",
        lambda given, wanted: inequality(given.figures, given.catalogue, wanted, warned=given.warned),
        reach.slices_where(reach.is_compared),
        reach.own_and_weights,
    ),
    Mart(
        "observation_harmonised",
        schema.observation_harmonised,
        "Figures that differ on today's map of regions: renamed, merged, split, or left, and why.",
        lambda given, wanted: observation_harmonised(given.figures, given.catalogue, wanted),
        reach.slices_where(reach.any_indicator),
        reach.own_parts_and_weights,
    ),
    Mart(
        "change_attribution",
        schema.change_attribution,
        "What a year's change of inequality is made of: by province, numerator, denominator, weight, revision.",
        lambda given, wanted: change_attribution(
            given.figures, given.catalogue, wanted, first_figures=given.first_figures, warned=given.warned
        ),
        reach.slices_where(reach.is_compared, annual=True),
        reach.all_of(reach.own_parts_and_weights, reach.recent_years(LOOK_BACK_YEARS, reach.own_parts_and_weights)),
        asks_first=True,
        reads_counties=False,
    ),
)

MARTS: Mapping[str, Mart] = {mart.name: mart for mart in _ALL}
"""By name; ``mart.observation`` is a view of the fact."""
