"""Figures of an index's members, provinces of all years together: what is complete, what weights are fitted on.

Here: which province and year counts, and why another does not. Not here: formulas (``warehouse.measures.composite``), the
rows of a mart.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from warehouse.breaks import definition_breaks
from warehouse.catalogue import Catalogue, Index, Member
from warehouse.marts.coverage import MINIMUM_COVERAGE
from warehouse.marts.inequality import MINIMUM_UNITS
from warehouse.measures import composite_scores, critic_weights, entropy_weights, equal_weights, min_max
from warehouse.measures.sample import BoolArray, FloatArray, IntArray
from warehouse.panels import (
    AREA_KEYS,
    BREAK_RANK,
    ESTIMATED_RANK,
    STATUSES,
    Panel,
    RankArray,
    Slice,
    exists,
    status_letters,
)
from warehouse.periods import school_year, year
from warehouse.stocks import kinds_of


def period_of(member: Member, number: int) -> int:
    """Key of the period that is a member's year: the school year that begins in it where it is reported by those."""
    is_school = "school_year" in kinds_of(member.indicator)
    return (school_year(number) if is_school else year(number)).key


#: Decimals of scores and weights. Without the dust of floats behind them equal scores share their rank, none is above 1, and
#: another machine's sums are the same.
DECIMALS = 12


def settled(numbers: FloatArray) -> FloatArray:
    """Scores, weights or shares to :data:`DECIMALS`."""
    return np.asarray(np.round(numbers, DECIMALS))


@dataclass(frozen=True, eq=False)
class PooledIndex:
    """An index over the years in which any member has a figure: ``values`` and ``ranks`` are [years × regions × members],
    ``can_exist`` is [years × regions]; ``first_year`` is the first since the last break of any member.

    A year is *pooled* where it is not before that, and enough provinces are complete (all members have a figure). Weights
    and the scale of scores are fitted on the complete provinces of the pooled years together.
    """

    index: Index
    members: tuple[Member, ...]
    years: IntArray
    regions: IntArray
    values: FloatArray
    ranks: RankArray
    can_exist: BoolArray
    first_year: int

    @cached_property
    def is_complete(self) -> BoolArray:
        """[years × regions]: whether all members have a figure."""
        return np.asarray(~np.isnan(self.values).any(axis=2))

    @cached_property
    def units(self) -> IntArray:
        """By year: complete provinces."""
        return np.asarray(self.is_complete.sum(axis=1))

    @cached_property
    def expected(self) -> IntArray:
        """By year: provinces in which all members can exist."""
        return np.asarray(self.can_exist.sum(axis=1))

    @cached_property
    def coverage(self) -> FloatArray:
        """By year: share of the expected provinces that are complete."""
        return self.units / np.maximum(self.expected, 1)

    @cached_property
    def year_status(self) -> np.ndarray:
        """By year ``ok``, or why no province has a score."""
        reasons = {
            "across_break": self.years < self.first_year,
            "too_few_units": self.expected < MINIMUM_UNITS,
            "insufficient_coverage": (self.coverage < MINIMUM_COVERAGE) | (self.units == 0),
        }
        return np.select(list(reasons.values()), list(reasons), "ok")

    @cached_property
    def status(self) -> np.ndarray:
        """[years × regions]: ``ok``, or why a province has no score in a year."""
        of_year = np.broadcast_to(self.year_status[:, None], self.is_complete.shape)
        reasons = {
            "not_applicable": ~self.can_exist,
            "year": of_year != "ok",
            "insufficient_coverage": ~self.is_complete,
            # Nothing differs between places and years: no weight tells anything.
            "undefined_zero_value": np.broadcast_to(np.isnan(self.weights["entropy"]).any(), self.is_complete.shape),
        }
        found = np.select(list(reasons.values()), list(reasons), "ok")
        return np.where(found == "year", of_year, found)

    @cached_property
    def panel(self) -> FloatArray:
        """[years · regions × members]: the figures weights are fitted on, NaN in all other rows."""
        is_pooled = self.is_complete & self.can_exist & (self.year_status == "ok")[:, None]
        return np.where(is_pooled[:, :, None], self.values, np.nan).reshape(-1, len(self.members))

    @cached_property
    def directions(self) -> FloatArray:
        """By member +1 where higher is better, −1 where lower is."""
        return np.array([member.sign for member in self.members], dtype=np.float64)

    @cached_property
    def weights(self) -> Mapping[str, FloatArray]:
        """By way of weighing (``entropy``, ``critic``, ``equal``) the weights of the members."""
        found = {
            "entropy": entropy_weights(self.panel, self.directions).weights,
            "critic": critic_weights(self.panel, self.directions).weights,
            "equal": equal_weights(self.panel),
        }
        return {way: settled(weights) for way, weights in found.items()}

    def scores(self, way: str) -> FloatArray:
        """[years · regions] of scores 0 … 1 by a way of weighing."""
        return settled(composite_scores(min_max(self.panel, self.directions), self.weights[way]))

    @cached_property
    def weakest(self) -> RankArray:
        """[years × regions]: the weakest status among the members that have a figure; the best where none has."""
        return np.asarray(self.ranks.min(axis=2))

    @cached_property
    def is_estimated(self) -> BoolArray:
        """[years × regions]: whether all members have a figure and any of them is an estimate."""
        return np.asarray((self.ranks == ESTIMATED_RANK).any(axis=2) & self.is_complete)

    @cached_property
    def has_any(self) -> BoolArray:
        """[years × regions]: whether any member has a figure."""
        return np.asarray(~np.isnan(self.values).all(axis=2))

    def grades(self, warned: Collection[Slice]) -> np.ndarray:
        """By year C where a complete province rests on anything estimated, provisional or weaker, or one is missing, B where a
        check of a member's figures warned, else A."""
        is_weak = ((self.weakest < BREAK_RANK) & self.is_complete).any(axis=1) | (self.units < self.expected)
        told = set(warned)
        has_warning = np.array(
            [
                any((member.indicator.indicator_key, period_of(member, number)) in told for member in self.members)
                for number in self.years.tolist()
            ],
            dtype=bool,
        )
        return np.select([is_weak, has_warning], ["C", "B"], "A")


def index_codes(catalogue: Catalogue, slices: Collection[Slice] | None) -> list[str]:
    """The indices that slices are of; None: all."""
    keys = None if slices is None else {key for key, _ in slices}
    return [code for code, index in catalogue.indices.items() if keys is None or index.index_key in keys]


def pooled_indices(figures: pd.DataFrame, catalogue: Catalogue, codes: Collection[str]) -> dict[str, PooledIndex]:
    """The pooled figures of these indices, by code; one of which no member has any figure is left out."""
    members = {member for code in codes for member in catalogue.index_members[code]}
    keys = np.array(sorted({member.indicator.indicator_key for member in members}), dtype=np.int64)
    regions = np.array(sorted(int(code) for code in catalogue.provinces), dtype=np.int64)
    is_member = np.isin(figures["indicator_key"].to_numpy(), keys)
    of_members = figures[is_member]
    panel = Panel.of(of_members[np.isin(of_members["region_key"].to_numpy(), regions)], regions)
    can_exist = exists(panel, catalogue, is_county=False)
    found = {code: _pool(panel, can_exist, catalogue, catalogue.indices[code]) for code in codes}
    return {code: pool for code, pool in found.items() if pool is not None}


def letters(weakest: RankArray, has_any: BoolArray) -> np.ndarray:
    """Status letters of ranks, null where there is no figure."""
    found = np.asarray(status_letters(weakest.ravel()), dtype=object)
    found[~has_any.ravel()] = None
    return found


def _pool(panel: Panel, can_exist: BoolArray, catalogue: Catalogue, index: Index) -> PooledIndex | None:
    members = catalogue.index_members[index.code]
    rows = [_rows_by_year(panel, member) for member in members]
    years = sorted(set().union(*rows))
    if not years:
        return None
    shape = (len(years), panel.regions.size, len(members))
    values = np.full(shape, np.nan)
    ranks = np.full(shape, len(STATUSES) - 1, dtype=np.int8)
    can = np.ones(shape, dtype=bool)
    for place, by_year in enumerate(rows):
        for at, number in enumerate(years):
            row = by_year.get(number)
            if row is not None:
                values[at, :, place], ranks[at, :, place] = panel.values[row], panel.ranks[row]
                can[at, :, place] = can_exist[row]
    numbers = np.array(years, dtype=np.int64)
    first = _first_year(catalogue, members, years[-1])
    return PooledIndex(index, members, numbers, panel.regions, values, ranks, np.asarray(can.all(axis=2)), first)


def _rows_by_year(panel: Panel, member: Member) -> dict[int, int]:
    """Rows of the panel that are a member's years."""
    key, area = member.indicator.indicator_key, AREA_KEYS[member.area_type]
    found = {}
    for period in panel.periods.get((key, area), ()):
        number = period // 10_000
        if period == period_of(member, number):
            found[number] = panel.rows[key, period, area]
    return found


def _first_year(catalogue: Catalogue, members: tuple[Member, ...], last_year: int) -> int:
    """The latest year, up to ``last_year``, in which any member's definition changed in any province; 0: none did."""
    named = {(member.indicator.code, member.area_type) for member in members}
    return max(
        (
            broken.first_year
            for broken in definition_breaks(catalogue)
            if broken.first_year <= last_year
            and any(code == broken.indicator_code and broken.area_type in (None, area) for code, area in named)
            and (broken.region_code is None or broken.region_code in catalogue.provinces)
        ),
        default=0,
    )
