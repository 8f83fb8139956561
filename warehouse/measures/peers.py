"""Peers of a region: those most alike in what they are, so that their results can be compared. Not here: the results."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from warehouse.measures.sample import FloatArray, IntArray

#: Two regions must share this much of the features' weight to be compared.
SHARED_WEIGHT = 0.5
#: Cells of the distance table held at once: 500 × 2,845 × 8 bytes are 11 MB.
_ROWS = 500


class Peers(NamedTuple):
    """[regions × k]: row of each peer, nearest first (−1: none), and its distance (NaN: none)."""

    rows: IntArray
    distances: FloatArray


def nearest_peers(features: npt.ArrayLike, peers: int, weights: npt.ArrayLike | None = None) -> Peers:
    """The nearest regions by d_ij = √(Σ ω (z_i − z_j)²/Σ ω), z the features as standard scores, ω their weights.

    ``features`` is [regions × features], on a scale where differences mean something (take logarithms of income or
    population first). Sums run over the features both have; under half of the weight in common → no peers of each
    other. A constant feature tells nothing and is left out; ties go to the earlier row; a region is no peer of itself.
    Distances are in standard deviations. Fewer than ``peers`` others → −1 and NaN.
    Source: Fix & Hodges 1951 (nearest neighbours); Gower 1971 for what is missing.

    >>> nearest_peers([[1.0], [2.0], [4.0]], 1).rows.tolist()
    [[1], [0], [1]]
    """
    x = np.asarray(features, dtype=np.float64)
    regions = x.shape[0]
    weight = np.ones(x.shape[1]) if weights is None else np.asarray(weights, dtype=np.float64)
    rows = np.full((regions, peers), -1, dtype=np.int64)
    distances = np.full((regions, peers), np.nan)
    low, high = np.fmin.reduce(x, axis=0, initial=np.inf), np.fmax.reduce(x, axis=0, initial=-np.inf)
    is_used = (high > low) & (weight > 0)
    if regions < 2 or not is_used.any():
        return Peers(rows, distances)
    x, weight = x[:, is_used], weight[is_used]
    z = (x - np.nanmean(x, axis=0)) / np.nanstd(x, axis=0)
    known = (~np.isnan(z)).astype(np.float64)
    z = np.nan_to_num(z)
    width = min(peers, regions - 1)
    for begin in range(0, regions, _ROWS):
        block = slice(begin, min(begin + _ROWS, regions))
        distance = _distances(z, known, weight, block)
        own = np.arange(block.start, block.stop)
        distance[own - begin, own] = np.inf
        nearest = np.argsort(distance, axis=1, kind="stable")[:, :width]
        found = np.take_along_axis(distance, nearest, axis=1)
        rows[block, :width] = np.where(np.isinf(found), -1, nearest)
        distances[block, :width] = np.where(np.isinf(found), np.nan, found)
    return Peers(rows, distances)


def _distances(z: FloatArray, known: FloatArray, weight: FloatArray, block: slice) -> FloatArray:
    """[block × regions] of distances; inf where too little is shared."""
    squares, shared = np.zeros((block.stop - block.start, z.shape[0])), known[block] * weight @ known.T
    for feature in range(z.shape[1]):
        both = known[block, feature, None] * known[None, :, feature]
        squares += weight[feature] * both * (z[block, feature, None] - z[None, :, feature]) ** 2
    is_enough = shared >= SHARED_WEIGHT * weight.sum()
    return np.where(is_enough, np.sqrt(squares / np.where(is_enough, shared, 1.0)), np.inf)
