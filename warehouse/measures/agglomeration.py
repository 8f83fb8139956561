"""Shares against shares: resources against land and people, a part against its whole. Not here: inequality indices."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from warehouse.measures.sample import FloatArray, IntArray


class Agglomeration(NamedTuple):
    """Agglomeration of resources and of people on the land, and their quotient, one entry a region."""

    hrad: FloatArray
    pad: FloatArray
    ratio: FloatArray


def hrad_pad(
    resource: npt.ArrayLike, area: npt.ArrayLike, population: npt.ArrayLike, slices: npt.ArrayLike | None = None
) -> Agglomeration:
    """HRAD_i = (r_i/R)/(a_i/A), PAD_i = (p_i/P)/(a_i/A) and HRAD/PAD = (r_i/R)/(p_i/P), one number a region.

    ``slices`` (not negative; None: all one) says which regions make a whole. R, A, P sum over the regions complete on
    all three with area > 0; the others are NaN in their place and in no sum. No unit (1 is parity; some papers print
    percentages). HRAD = 1: parity by land; HRAD/PAD > 1: more resource than its people would call for. Sparse regions
    always have a low HRAD, so read the quotient with it. R = 0 → HRAD NaN, P = 0 → PAD NaN, p_i = 0 → quotient NaN.
    Source: literature on the agglomeration of health resources in China (Yuan Suwei et al., about 2015; from memory).

    >>> [part.tolist() for part in hrad_pad([3.0, 1.0], [1.0, 1.0], [1.0, 1.0])]
    [[1.5, 0.5], [1.0, 1.0], [1.5, 0.5]]
    """
    r, a, p = (np.asarray(column, dtype=np.float64) for column in (resource, area, population))
    with np.errstate(invalid="ignore", divide="ignore"):
        is_complete = ~np.isnan(r) & ~np.isnan(p) & (a > 0)
        whole = _wholes(r.size, slices)
        of_resource, of_area, of_people = (_shares(column, is_complete, whole) for column in (r, a, p))
        ratio = of_resource / np.where(of_people > 0, of_people, np.nan)
        return Agglomeration(of_resource / of_area, of_people / of_area, ratio)


def location_quotient(part: npt.ArrayLike, whole: npt.ArrayLike, slices: npt.ArrayLike | None = None) -> FloatArray:
    """LQ_i = (part_i/whole_i) / (Σ part/Σ whole), one number a region; above 1: over-represented there.

    Sums over complete regions of the slice (None: all one). No unit; unstable for small wholes. A missing side or
    whole_i = 0 → NaN in its place; Σ part = 0 → all NaN. Source: Isard 1960.

    >>> location_quotient([3.0, 1.0], [4.0, 4.0]).tolist()
    [1.5, 0.5]
    """
    some, all_ = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    is_complete = ~np.isnan(some) & ~np.isnan(all_)
    wholes = _wholes(some.size, slices)
    with np.errstate(invalid="ignore", divide="ignore"):
        of_whole = _shares(all_, is_complete, wholes)
        return _shares(some, is_complete, wholes) / np.where(of_whole > 0, of_whole, np.nan)


def _wholes(size: int, slices: npt.ArrayLike | None) -> IntArray:
    return np.zeros(size, dtype=np.int64) if slices is None else np.asarray(slices, dtype=np.int64)


def _shares(amounts: FloatArray, is_complete: npt.NDArray[np.bool_], wholes: IntArray) -> FloatArray:
    """Each amount over the sum of the complete ones of its slice; NaN where incomplete or the sum is 0."""
    if not amounts.size:
        return amounts
    kept = np.where(is_complete, amounts, 0.0)
    total = np.bincount(wholes, weights=kept)[wholes]
    return np.where(is_complete & (total != 0), amounts / np.where(total != 0, total, np.nan), np.nan)
