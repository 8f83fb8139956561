"""Whether employment, education and health rise together: coupling and coordination of the sector scores.

Not here: the scores themselves (``composite_index``), the formula (``warehouse.measures.coupling``).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pandas as pd

from warehouse.catalogue import Catalogue
from warehouse.marts.indices import PooledIndex, index_codes, letters, pooled_indices
from warehouse.measures import coupling_coordination
from warehouse.measures.sample import BoolArray, FloatArray, IntArray
from warehouse.panels import RankArray, Slice, in_slices
from warehouse.periods import year

SECTORS = ("employment", "education", "health")

COUPLING_COLUMNS = (
    "indicator_key",
    "period_key",
    "region_key",
    "score_employment",
    "score_education",
    "score_health",
    "coupling",
    "level",
    "coordination",
    "obs_status",
    "units",
    "units_missing",
    "units_estimated",
    "coverage",
    "grade",
    "status",
)

#: Columns that are null where the row's status is not ``ok``.
MEASURES = ("coupling", "level", "coordination")

#: Why a row has no measures, the first that any sector has.
_REASONS = ("not_applicable", "across_break", "too_few_units", "insufficient_coverage", "undefined_zero_value")


def coupling(
    figures: pd.DataFrame,
    catalogue: Catalogue,
    slices: Collection[Slice] | None = None,
    *,
    warned: Collection[Slice] = (),
) -> pd.DataFrame:
    """One row an overall index, year and province, for each year in which all three sectors have figures.

    Of the entropy scores of the sectors' indices, units 0 … 1: ``coupling`` C says how equal they are, ``level`` T how high
    (their mean), ``coordination`` D = √(C · T) both. Equal low scores have C = 1: never read C without T.

    ``units``: provinces that have all three scores; ``coverage`` their share of those in which all members can exist.
    ``status`` is that of the first sector that has no score, ``undefined_zero_value`` where all three are 0; C, T and D are
    null then. ``grade`` is the weakest of the sectors' in that year, ``obs_status`` the weakest of all members'.

    Returns the columns :data:`COUPLING_COLUMNS`, sorted by keys.
    """
    overall = [
        catalogue.indices[code]
        for code in index_codes(catalogue, slices)
        if catalogue.indices[code].sector == "overall"
    ]
    pools = {index.index_key: pooled_indices(figures, catalogue, index.members) for index in overall}
    parts = [_rows(key, list(found.values()), warned) for key, found in pools.items() if len(found) == len(SECTORS)]
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in COUPLING_COLUMNS})
    rows = pd.concat(parts, ignore_index=True)
    rows = rows[in_slices(rows, slices)].sort_values(["indicator_key", "period_key", "region_key"], kind="stable")
    return rows.reset_index(drop=True)[list(COUPLING_COLUMNS)]


def _rows(index_key: int, pools: list[PooledIndex], warned: Collection[Slice]) -> pd.DataFrame:
    """The rows of one overall index, years that all three sectors have."""
    years = sorted(set.intersection(*(set(pool.years.tolist()) for pool in pools)))
    sectors = [_Sector.of(pool, np.searchsorted(pool.years, years), warned) for pool in pools]
    scores = np.array([sector.scores for sector in sectors])
    measured = coupling_coordination(scores.reshape(len(sectors), -1))
    can_exist = np.logical_and.reduce([sector.can_exist for sector in sectors])
    has_all = ~np.isnan(scores).any(axis=0)
    units, expected = has_all.sum(axis=1), can_exist.sum(axis=1)
    is_estimated = np.logical_or.reduce([sector.is_estimated for sector in sectors]) & has_all
    grades = np.sort([sector.grades for sector in sectors], axis=0)[-1]
    numbers = np.repeat(np.arange(len(years)), pools[0].regions.size)
    values = {f"score_{sector.name}": sector.scores.ravel() for sector in sectors}
    values |= {"coupling": measured.coupling, "level": measured.level, "coordination": measured.degree}
    return pd.DataFrame(values).assign(
        indicator_key=np.int16(index_key),
        period_key=np.array([year(number).key for number in years], dtype=np.int32)[numbers],
        region_key=np.tile(pools[0].regions.astype(np.int32), len(years)),
        obs_status=letters(
            np.minimum.reduce([sector.weakest for sector in sectors]),
            np.logical_or.reduce([sector.has_any for sector in sectors]),
        ),
        units=units.astype(np.int32)[numbers],
        units_missing=(expected - units).astype(np.int32)[numbers],
        units_estimated=is_estimated.sum(axis=1).astype(np.int32)[numbers],
        coverage=(units / np.maximum(expected, 1))[numbers],
        grade=np.where(units < expected, "C", grades)[numbers],
        status=_status([sector.status for sector in sectors], measured.coupling),
    )


class _Sector(NamedTuple):
    """A sector's index in the years asked, [years × regions]; ``grades`` by year."""

    name: str
    scores: FloatArray
    status: np.ndarray
    can_exist: BoolArray
    has_any: BoolArray
    is_estimated: BoolArray
    weakest: RankArray
    grades: np.ndarray

    @classmethod
    def of(cls, pool: PooledIndex, rows: IntArray, warned: Collection[Slice]) -> _Sector:
        """Of the years in these rows of the pool."""
        return cls(
            pool.index.sector,
            pool.scores("entropy").reshape(pool.is_complete.shape)[rows],
            pool.status[rows],
            pool.can_exist[rows],
            pool.has_any[rows],
            pool.is_estimated[rows],
            pool.weakest[rows],
            pool.grades(warned)[rows],
        )


def _status(sectors: list[np.ndarray], coupled: FloatArray) -> np.ndarray:
    """The first of the reasons that any sector has, unrolled; all scores at 0 have no coupling."""
    reasons = {reason: np.logical_or.reduce([part == reason for part in sectors]).ravel() for reason in _REASONS}
    reasons["undefined_zero_value"] |= np.isnan(coupled)
    return np.select(list(reasons.values()), list(reasons), "ok")
