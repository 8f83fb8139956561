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
from warehouse.marts.county_balance import county_balance
from warehouse.marts.inequality import inequality
from warehouse.marts.observation_harmonised import observation_harmonised
from warehouse.marts.urban_rural_gap import urban_rural_gap
from warehouse.panels import Slice
from warehouse.schools import empty_schools


@dataclass(frozen=True, eq=False)
class Inputs:
    """What marts are computed from. ``figures``: those of the slices and of all that they rest on, as
    :data:`warehouse.panels.FIGURE_COLUMNS`; ``warned``: slices of which some check warned; ``schools`` reads the schools
    of slices of rosters, for the one mart that is made of them."""

    figures: pd.DataFrame
    catalogue: Catalogue
    warned: Collection[Slice] = field(default_factory=tuple)
    schools: Callable[[Collection[Slice]], pd.DataFrame] | None = None


@dataclass(frozen=True, eq=False)
class Mart:
    """A mart. ``compute`` gives the rows of the wanted slices, with the columns of ``table`` but its validity.

    ``slices`` are those it can have rows of, ``rests_on`` what the rows of a slice are made of besides its own figures
    (:mod:`warehouse.marts.reach`).
    """

    name: str
    table: Table
    description: str
    compute: Callable[[Inputs, Collection[Slice]], pd.DataFrame]
    slices: reach.SlicesOf
    rests_on: reach.RestsOn


def _county_balance(given: Inputs, wanted: Collection[Slice]) -> pd.DataFrame:
    """The balance of the wanted slices: rosters are read only where there are any."""
    schools = given.schools(wanted) if given.schools is not None and wanted else empty_schools(given.catalogue)
    return county_balance(schools, given.catalogue, given.warned)


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
        "county_balance",
        schema.county_balance,
        "Balance of compulsory education between the schools of a county, by stage and resource, and the verdict.",
        _county_balance,
        reach.roster_slices,
        reach.own_slice,
    ),
)

MARTS: Mapping[str, Mart] = {mart.name: mart for mart in _ALL}
"""By name; ``mart.observation`` is a view of the fact."""
