"""Composite indices by province and year: scores, ranks, and how sure the ranks are.

Here: the rows of the mart. Not here: what is pooled (``indices``), formulas (``warehouse.measures``), the weights
(``index_weight``), whether sectors rise together (``coupling``).
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from warehouse.catalogue import Catalogue
from warehouse.marts.indices import PooledIndex, index_codes, letters, pooled_indices, settled
from warehouse.measures import monte_carlo_ranks, rank_range, ranks, topsis
from warehouse.measures.ranks import CHOICES
from warehouse.measures.sample import FloatArray
from warehouse.panels import Slice, in_slices
from warehouse.periods import year

#: Columns that are null where the row's status is not ``ok``.
SCORES = ("score_entropy", "score_critic", "score_equal", "topsis")
RANKS = (
    "rank_entropy",
    "rank_critic",
    "rank_equal",
    "rank_topsis",
    "rank_best",
    "rank_worst",
    "rank_mc_median",
    "rank_p05",
    "rank_p95",
)
SENSITIVITIES = tuple(f"sensitivity_{choice}" for choice in CHOICES)

COMPOSITE_COLUMNS = (
    "indicator_key",
    "period_key",
    "region_key",
    "members",
    "members_missing",
    *SCORES,
    *RANKS,
    "rank_median",
    *SENSITIVITIES,
    "moves_most",
    "obs_status",
    "units",
    "units_missing",
    "units_estimated",
    "coverage",
    "grade",
    "status",
)


def composite_index(
    figures: pd.DataFrame,
    catalogue: Catalogue,
    slices: Collection[Slice] | None = None,
    *,
    warned: Collection[Slice] = (),
) -> pd.DataFrame:
    """One row an index, year and province, for each year in which any member has a figure.

    The year of an index takes the figures of the year and of the school year that begins in it. Weights and the scale of
    scores are fitted on all years together, so that scores of different years compare: every row rests on every year.

    ``score_entropy``, ``score_critic``, ``score_equal``: Σ weight · min–max, 0 … 1; ``topsis``: closeness with the entropy
    weights. One of them may be null beside ``ok``: CRITIC where members are perfectly correlated. ``rank_…`` within the
    year, 1 the best; ``rank_best``, ``rank_median``, ``rank_worst`` over the four ways.

    ``rank_mc_median``, ``rank_p05``, ``rank_p95``: ranks over 1,000 draws of weights around the entropy weights, of the
    normalisation, and of each value within half a unit of its catalogue's last decimal (what is printed of a rate's parts
    is not known of a computed rate). ``sensitivity_…``, of the year: the share of the ranks' shift that a choice explains
    alone; ``moves_most`` the largest of them, null where no rank moves.

    ``members`` that have a figure here, ``members_missing`` the others. ``units``: provinces with all members,
    ``units_missing``: others in which all can exist. ``obs_status``: the weakest of the members' statuses, null where none
    has a figure. Estimates count, and show: ``units_estimated``; ``grade`` is the year's, since a rank rests on all provinces.

    ``status``: ``not_applicable`` (a member cannot exist here), ``across_break`` (before the last break of a member's
    definition), ``too_few_units``, ``insufficient_coverage`` (of the year, or a member is missing here),
    ``undefined_zero_value`` (no member differs between places or years), ``ok``. A row that is not ``ok`` has no score.

    Returns the columns :data:`COMPOSITE_COLUMNS`, sorted by keys.
    """
    codes = index_codes(catalogue, slices)
    parts = [_rows(pool, warned) for pool in pooled_indices(figures, catalogue, codes).values()]
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in COMPOSITE_COLUMNS})
    rows = pd.concat(parts, ignore_index=True)
    rows = rows[in_slices(rows, slices)].sort_values(["indicator_key", "period_key", "region_key"], kind="stable")
    return rows.reset_index(drop=True)[list(COMPOSITE_COLUMNS)]


def _rows(pool: PooledIndex, warned: Collection[Slice]) -> pd.DataFrame:
    """The rows of one index, year by year."""
    places = pool.regions.size
    numbers = np.repeat(np.arange(pool.years.size), places)
    known = (~np.isnan(pool.values)).sum(axis=2).ravel()
    scores = _scores(pool)
    measured = scores | _ranks(pool, scores, numbers)
    is_ok = pool.status.ravel() == "ok"
    rows = pd.DataFrame({name: np.where(is_ok, values, np.nan) for name, values in measured.items()})
    rows = rows.astype(dict.fromkeys(RANKS, "Int16"))
    return rows.assign(
        indicator_key=np.int16(pool.index.index_key),
        period_key=np.array([year(number).key for number in pool.years.tolist()], dtype=np.int32)[numbers],
        region_key=np.tile(pool.regions.astype(np.int32), pool.years.size),
        members=known.astype(np.int16),
        members_missing=(len(pool.members) - known).astype(np.int16),
        moves_most=_largest(rows[list(SENSITIVITIES)].to_numpy(np.float64)),
        obs_status=letters(pool.weakest, pool.has_any),
        units=pool.units.astype(np.int32)[numbers],
        units_missing=(pool.expected - pool.units).astype(np.int32)[numbers],
        units_estimated=pool.is_estimated.sum(axis=1).astype(np.int32)[numbers],
        coverage=pool.coverage[numbers],
        grade=pool.grades(warned)[numbers],
        status=pool.status.ravel(),
    )


def _largest(sensitivities: FloatArray) -> np.ndarray:
    """Name of the largest by row; null where no rank moves."""
    largest = np.argmax(np.nan_to_num(sensitivities, nan=-np.inf), axis=1)
    found: np.ndarray = np.array(CHOICES, dtype=object)[largest]
    found[np.isnan(sensitivities).all(axis=1)] = None
    return found


def _scores(pool: PooledIndex) -> dict[str, FloatArray]:
    return {
        "score_entropy": pool.scores("entropy"),
        "score_critic": pool.scores("critic"),
        "score_equal": pool.scores("equal"),
        "topsis": _closeness(pool),
    }


def _closeness(pool: PooledIndex) -> FloatArray:
    weights = pool.weights["entropy"]
    if np.isnan(weights).any():
        return np.full(pool.panel.shape[0], np.nan)
    return settled(topsis(pool.panel, pool.directions, weights).closeness)


def _ranks(pool: PooledIndex, scores: dict[str, FloatArray], years: np.ndarray) -> dict[str, FloatArray]:
    """Ranks within the year by every way, over the ways, and drawn; the year's sensitivities."""
    # A way that is undefined for the whole index has no say in the range.
    ways = [values for values in scores.values() if not np.isnan(values).all()]
    if not ways:
        nothing = np.full(years.size, np.nan)
        return dict.fromkeys((*RANKS, "rank_median", *SENSITIVITIES), nothing)
    best, median, worst = rank_range(ways, years)
    half_digits = np.array([0.5 * 10.0**-member.indicator.decimals for member in pool.members])
    drawn = monte_carlo_ranks(
        pool.panel, pool.directions, pool.weights["entropy"], slices=years, half_digits=half_digits
    )
    return {
        **{f"rank_{name.removeprefix('score_')}": ranks(values, years) for name, values in scores.items()},
        "rank_best": best,
        "rank_median": median,
        "rank_worst": worst,
        "rank_mc_median": drawn.median,
        "rank_p05": drawn.low,
        "rank_p95": drawn.high,
        **{name: settled(drawn.sensitivity[place][years]) for place, name in enumerate(SENSITIVITIES)},
    }
