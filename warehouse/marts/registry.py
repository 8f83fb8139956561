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
from warehouse.marts.composite_index import composite_index
from warehouse.marts.convergence import convergence
from warehouse.marts.cost_to_floor import cost_to_floor
from warehouse.marts.county_balance import county_balance
from warehouse.marts.coupling import coupling
from warehouse.marts.index_weight import index_weight
from warehouse.marts.inequality import inequality
from warehouse.marts.inequality_bounds import OWN_YEARS, inequality_bounds
from warehouse.marts.observation_harmonised import observation_harmonised
from warehouse.marts.ordering import RANKED_BY
from warehouse.marts.peer import INCOME, POPULATION, peer
from warehouse.marts.resource_agglomeration import resource_agglomeration
from warehouse.marts.shortfall import shortfall
from warehouse.marts.shortfall_risk import shortfall_risk
from warehouse.marts.trend import is_followed, trend
from warehouse.marts.urban_rural_gap import urban_rural_gap
from warehouse.panels import FIGURE_COLUMNS, Slice
from warehouse.schools import empty_schools


@dataclass(frozen=True, eq=False)
class Inputs:
    """What marts are computed from. ``figures``: those of the slices and of all that they rest on, as
    :data:`warehouse.panels.FIGURE_COLUMNS`; ``warned``: slices of which some check warned; ``first_figures``: of the
    figures that marts with ``asks_first`` rest on and that were revised, the first published, same columns; ``schools``
    reads the schools of slices of rosters, for the one mart that is made of them."""

    figures: pd.DataFrame
    catalogue: Catalogue
    warned: Collection[Slice] = field(default_factory=tuple)
    first_figures: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(FIGURE_COLUMNS)))
    schools: Callable[[Collection[Slice]], pd.DataFrame] | None = None


@dataclass(frozen=True, eq=False)
class Mart:
    """A mart. ``compute`` gives the rows of the wanted slices, with the columns of ``table`` but its validity.

    ``slices`` are those it can have rows of, ``rests_on`` what the rows of a slice are made of besides its own figures
    (:mod:`warehouse.marts.reach`). ``asks_first``: whether it compares with figures as they were first published.
    ``is_provincial``: the rows rest on figures of provinces alone, so that of the slices that nothing else asks for no
    figure of another region is read.
    """

    name: str
    table: Table
    description: str
    compute: Callable[[Inputs, Collection[Slice]], pd.DataFrame]
    slices: reach.SlicesOf
    rests_on: reach.RestsOn
    asks_first: bool = False
    is_provincial: bool = False


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
        reach.all_of(reach.own_and_weights, reach.latest_of([RANKED_BY])),
    ),
    Mart(
        "inequality_bounds",
        schema.inequality_bounds,
        "Between which values the inequality of all places lies, where some of them are missing.",
        lambda given, wanted: inequality_bounds(given.figures, given.catalogue, wanted),
        reach.slices_where(reach.is_compared),
        reach.all_of(reach.own_and_weights, reach.recent_years(OWN_YEARS, reach.own_slice)),
    ),
    Mart(
        "convergence",
        schema.convergence,
        "Whether places draw together over the years: sigma and beta, over provinces and over counties.",
        lambda given, wanted: convergence(given.figures, given.catalogue, wanted, warned=given.warned),
        reach.slices_where(reach.is_compared, annual=True),
        reach.own_history,
    ),
    Mart(
        "trend",
        schema.trend,
        "Which way each place goes over the years, and where it stands against the nation and the floor.",
        lambda given, wanted: trend(given.figures, given.catalogue, wanted, warned=given.warned),
        reach.slices_where(is_followed, annual=True),
        reach.own_history,
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
        "cost_to_floor",
        schema.cost_to_floor,
        "What lifting an amount a head to its floor would cost a year, against the place's own budget.",
        lambda given, wanted: cost_to_floor(given.figures, given.catalogue, wanted, warned=given.warned),
        reach.slices_where(reach.has_cost_rule),
        reach.own_and_cost_parts,
    ),
    Mart(
        "shortfall",
        schema.shortfall,
        "How many places are under the standard in force, how far, and how many people belong to them.",
        lambda given, wanted: shortfall(given.figures, given.catalogue, wanted, warned=given.warned),
        reach.slices_where(reach.has_standard_of_comparison),
        reach.own_and_weights,
    ),
    Mart(
        "shortfall_risk",
        schema.shortfall_risk,
        "When each place reaches its standard if it goes on so, and how likely it is short of it next time.",
        lambda given, wanted: shortfall_risk(given.figures, given.catalogue, wanted, warned=given.warned),
        reach.slices_where(reach.has_standard, annual=True),
        reach.own_history,
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
        is_provincial=True,
    ),
    Mart(
        "composite_index",
        schema.composite_index,
        "Composite indices of provinces: scores, ranks, and how sure the ranks are.",
        lambda given, wanted: composite_index(given.figures, given.catalogue, wanted, warned=given.warned),
        reach.index_slices(),
        reach.members_of_all_years,
        is_provincial=True,
    ),
    Mart(
        "index_weight",
        schema.index_weight,
        "Weights of the members of each composite index.",
        lambda given, wanted: index_weight(given.figures, given.catalogue, wanted, warned=given.warned),
        reach.index_slices(),
        reach.members_of_all_years,
        is_provincial=True,
    ),
    Mart(
        "coupling",
        schema.coupling,
        "Whether the three sectors rise together in a province.",
        lambda given, wanted: coupling(given.figures, given.catalogue, wanted, warned=given.warned),
        reach.index_slices(only_overall=True),
        reach.members_of_all_years,
        is_provincial=True,
    ),
    Mart(
        "resource_agglomeration",
        schema.resource_agglomeration,
        "How resources gather on land and about people, by province.",
        lambda given, wanted: resource_agglomeration(given.figures, given.catalogue, wanted, warned=given.warned),
        reach.slices_where(reach.is_resource),
        reach.latest_of((POPULATION,)),
        is_provincial=True,
    ),
    Mart(
        "peer",
        schema.peer,
        "Each province beside those most like it: the best of them, and the distance to it.",
        lambda given, wanted: peer(given.figures, given.catalogue, wanted, warned=given.warned),
        reach.slices_where(reach.has_better_side, annual=True),
        reach.latest_of((POPULATION, INCOME)),
        is_provincial=True,
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
