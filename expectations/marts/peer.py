"""Peers: a distance that is that of the two figures, a rank that agrees with it, peers that are others.

Here: the rules of this mart and their verdicts. Not here: how the mart is computed (warehouse).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from expectations.marts.common import (
    Columns,
    Mart,
    close,
    floats,
    judge_units,
    key_rules,
    nulls,
    rule,
    status_rule,
    texts,
    units_rule,
)
from expectations.model import verdict
from warehouse.catalogue import Catalogue

_KEY = ("indicator_code", "region_code", "period_code", "area_type")
_MEASURES = ("best_peer_value", "gap_to_best", "peers_mean", "rank")
_COLUMNS = (*_KEY, "value", "peers", "best_peer_key", *_MEASURES, "units", "units_missing", "coverage", "status")
_EVIDENCE = ("value", "peers", "best_peer_key", *_MEASURES, "units", "status")
_RULES = (
    *key_rules(_COLUMNS, _KEY),
    rule(
        "gap_agrees",
        "measures",
        "gap {gap_to_best} is not the distance of {value} to the best peer's {best_peer_value} in the good direction",
        "与最佳同类地区的差距 = 本地值 − 最佳值（按指标方向）。",
        "The gap is the figure less the best peer's, in the indicator's good direction.",
        "warehouse/marts/peer.py; catalogue: direction",
        evidence=_EVIDENCE,
    ),
    rule(
        "rank_agrees_with_gap",
        "measures",
        "rank {rank} of {units} peers and itself with a gap of {gap_to_best}",
        "差距不为负时位次为 1，否则大于 1，且不超过同类数加 1。",
        "The rank is 1 exactly where no peer is ahead, and at most one more than the peers that have a figure.",
        "warehouse/marts/peer.py",
        evidence=_EVIDENCE,
    ),
    rule(
        "peers_are_others",
        "values",
        "region {region_code} has peers {peers}, best of them {best_peer_key}",
        "同类地区不含本地，最佳者必在其中。",
        "A region is no peer of itself, and the best peer is one of them.",
        "warehouse/marts/peer.py",
        evidence=_EVIDENCE,
    ),
    units_rule(_EVIDENCE),
    status_rule(_EVIDENCE),
    rule(
        "null_agrees_with_status",
        "values",
        "status {status} with best {best_peer_value}, mean {peers_mean}, rank {rank}",
        "状态不是 ok 时值为空，反之亦然。",
        "What is compared is null exactly when the status is not ok.",
        "docs/architecture.md: pinned values, status of a metric",
        evidence=_EVIDENCE,
    ),
)


def _prepare(frame: pd.DataFrame, catalogue: Catalogue) -> Columns:
    measures = np.array([floats(frame, column) for column in _MEASURES])
    best, gap, _, rank = measures
    signs = {row.code: {"higher": 1.0, "lower": -1.0}.get(row.direction) for row in catalogue.indicators.values()}
    sign = frame["indicator_code"].astype(object).map(signs).to_numpy(dtype=np.float64, na_value=np.nan)
    has_all = np.asarray(~np.isnan(measures).any(axis=0))
    is_ok = (frame["status"] == "ok").to_numpy(dtype=np.bool_)
    with np.errstate(invalid="ignore"):
        is_rank = (rank >= 1) & (rank <= floats(frame, "units") + 1) & ((rank == 1) == (gap >= 0))
        distance = (floats(frame, "value") - best) * sign
    is_told = ~nulls(frame, "region_code") & ~nulls(frame, "peers")
    return {
        "gap_agrees_holds": verdict(~np.isnan(gap) & ~np.isnan(best) & ~np.isnan(sign), close(gap, distance)),
        "rank_agrees_with_gap_holds": verdict(~np.isnan(rank) & ~np.isnan(gap), is_rank),
        "peers_are_others_holds": verdict(is_told, _are_others(frame)),
        "units_counted_holds": judge_units(frame),
        "null_agrees_with_status_holds": verdict(
            ~nulls(frame, "status"), np.where(is_ok, has_all, np.isnan(measures).all(axis=0))
        ),
    }


def _are_others(frame: pd.DataFrame) -> np.ndarray:
    """Whether the peers of each row do not name its region, and name the best, where there is one."""
    best = [f"{key:06.0f}" for key in floats(frame, "best_peer_key").tolist()]  # a missing one is no code
    columns = (texts(frame, "peers"), texts(frame, "region_code"), best, nulls(frame, "best_peer_key"))
    return np.array(
        [
            own not in str(peers).split(";") and (is_unknown or first in str(peers).split(";"))
            for peers, own, first, is_unknown in zip(*columns, strict=True)
        ],
        dtype=np.bool_,
    )


MART = Mart("peer", "同类地区比较集市", _COLUMNS, _KEY, _RULES, _prepare)
