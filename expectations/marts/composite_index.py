"""Composite indices: scores that are shares, ranks that are those of the scores, intervals that hold together.

Here: the rules of this mart and their verdicts. Not here: how the mart is computed (warehouse).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from expectations.marts.common import (
    CLOSE,
    Columns,
    Mart,
    everywhere,
    floats,
    judge_units,
    key_rules,
    nulls,
    rule,
    status_rule,
    units_rule,
)
from expectations.model import verdict
from warehouse.catalogue import Catalogue

_KEY = ("indicator_code", "region_code", "period_code")
_SCORES = ("score_entropy", "score_critic", "score_equal", "topsis")
_RANKS = ("rank_best", "rank_median", "rank_worst", "rank_p05", "rank_mc_median", "rank_p95")
_COLUMNS = (*_KEY, *_SCORES, "rank_entropy", *_RANKS, "units", "units_missing", "coverage", "status")
_EVIDENCE = ("score_entropy", "rank_entropy", *_RANKS, "units", "status")
_SOURCE = "docs/methods.md: composite scores"
_RULES = (
    *key_rules(_COLUMNS, _KEY),
    rule(
        "scores_in_range",
        "measures",
        "a score of {score_entropy}, {score_critic}, {score_equal}, {topsis} is outside 0 to 1",
        "综合得分介于 0 与 1 之间。",
        "Scores are weighted means of 0 to 1.",
        _SOURCE,
        evidence=(*_SCORES, "status"),
    ),
    rule(
        "rank_agrees_with_score",
        "measures",
        "rank {rank_entropy} is not that of score {score_entropy} in its year",
        "位次由当年得分决定。",
        "A rank is one more than the number of places with a higher score in the year.",
        _SOURCE,
        evidence=_EVIDENCE,
    ),
    rule(
        "ranks_ordered",
        "measures",
        "best {rank_best}, median {rank_median}, worst {rank_worst}, or 5 % {rank_p05}, median {rank_mc_median},"
        " 95 % {rank_p95} are no ranks of {units} in order",
        "位次区间须自小到大，且不超过单位数。",
        "Ranks stand in their order, from 1 to the number of units.",
        _SOURCE,
        evidence=_EVIDENCE,
    ),
    units_rule(_EVIDENCE),
    status_rule(_EVIDENCE),
    rule(
        "null_agrees_with_status",
        "values",
        "status {status} with score {score_entropy} and rank {rank_entropy}",
        "状态不是 ok 时值为空，反之亦然。",
        "A score is null exactly when the status is not ok.",
        "docs/architecture.md: pinned values, status of a metric",
        evidence=_EVIDENCE,
    ),
)


def _prepare(frame: pd.DataFrame, catalogue: Catalogue) -> Columns:
    scores = np.array([floats(frame, column) for column in _SCORES])
    score, rank, units = scores[0], floats(frame, "rank_entropy"), floats(frame, "units")
    best, median, worst, low, middle, high = (floats(frame, column) for column in _RANKS)
    has_score = np.asarray(~np.isnan(scores).all(axis=0))
    with np.errstate(invalid="ignore"):
        is_outside = np.asarray(((scores < -CLOSE) | (scores > 1 + CLOSE)).any(axis=0))
        in_order = (best >= 1) & (best <= median) & (median <= worst) & (worst <= units)
        in_order &= (low >= 1) & (low <= middle) & (middle <= high) & (high <= units)
    groups = [frame["indicator_code"], frame["period_code"]]
    expected = pd.Series(score, index=frame.index).groupby(groups, observed=True, sort=False)
    place = expected.rank(method="min", ascending=False).to_numpy(np.float64)
    is_ok = (frame["status"] == "ok").to_numpy(dtype=np.bool_)
    any_null, any_value = np.isnan(score) | np.isnan(rank), has_score | ~np.isnan(rank)
    return {
        "scores_in_range_holds": verdict(has_score, ~is_outside),
        "rank_agrees_with_score_holds": verdict(~np.isnan(rank) & ~np.isnan(place), rank == place),
        "ranks_ordered_holds": verdict(~np.isnan(best), in_order),
        "units_counted_holds": judge_units(frame),
        "null_agrees_with_status_holds": verdict(
            everywhere(frame) & ~nulls(frame, "status"), np.where(is_ok, ~any_null, ~any_value)
        ),
    }


MART = Mart("composite_index", "综合指数集市", _COLUMNS, _KEY, _RULES, _prepare)
