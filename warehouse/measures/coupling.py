"""Coupling and coordination of sector scores. Not here: how a sector's score is made (``composite``)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from warehouse.measures.sample import FloatArray


class Coordination(NamedTuple):
    """One entry a region: coupling C, level T, coordination degree D, all 0 … 1."""

    coupling: FloatArray
    level: FloatArray
    degree: FloatArray


def coupling_coordination(scores: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> Coordination:
    """C = k (Π u)^(1/k)/Σ u over k sector scores, T = Σ β u, D = √(C T); one number a region.

    ``scores`` is [sectors × regions] in 0 … 1; ``weights`` β by sector are rescaled to sum 1 (None: equal). Of two
    sectors C = 2 √(u₁u₂)/(u₁ + u₂); the form without the 2 tops out at 0.5 and is an error often copied. Equal low
    scores have C = 1, so never show C without T. One sector at 0 → C = D = 0; all at 0, a missing score or one outside
    0 … 1 → NaN. Source: Liao 1999; Wang Shujia et al. 2021, J. Natural Resources 36(3), on misuse.

    >>> [part.round(6).tolist() for part in coupling_coordination([[0.8, 0.2], [0.2, 0.2]])]
    [[0.8, 1.0], [0.5, 0.2], [0.632456, 0.447214]]

    Raises ValueError where a weight is negative or all are 0.
    """
    u = np.asarray(scores, dtype=np.float64)
    sectors = u.shape[0]
    beta = np.ones(sectors) if weights is None else np.asarray(weights, dtype=np.float64)
    if np.any(beta < 0) or not beta.sum() > 0:
        raise ValueError("weights of sectors are not negative and not all 0")
    with np.errstate(invalid="ignore"):
        total = u.sum(axis=0)
        is_defined = np.all((u >= 0) & (u <= 1), axis=0) & (total > 0)
        u, total = np.where(is_defined, u, np.nan), np.where(is_defined, total, np.nan)
    # The root of each before the product: of many small scores the product would be 0.
    coupling = np.minimum(sectors * np.prod(u ** (1 / sectors), axis=0) / total, 1.0)
    level = beta @ u / beta.sum()
    return Coordination(coupling, level, np.sqrt(coupling * level))
