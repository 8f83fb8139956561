"""Town against country: difference and ratio. Not here: which side is worse off (``warehouse.marts``)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from warehouse.measures.sample import FloatArray, Sample


class PooledGap(NamedTuple):
    """Urban and rural means over the regions complete on all four series, and their gap; NaN where undefined."""

    urban: float
    rural: float
    difference: float
    ratio: float


def urban_rural_gap(urban: npt.ArrayLike, rural: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Difference urban − rural and ratio urban / rural, one number a region.

    Show both: they can move in opposite directions. Either side missing → both NaN; rural ≤ 0 → ratio NaN, difference
    kept. Source: WHO HEAT, simple measures.

    >>> difference, ratio = urban_rural_gap([4.5, 2.9], [3.0, 0.0])
    >>> difference.tolist(), ratio.tolist()
    ([1.5, 2.9], [1.5, nan])
    """
    u = np.asarray(urban, dtype=np.float64)
    r = np.asarray(rural, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        ratio = u / np.where(r > 0, r, np.nan)
    return u - r, ratio


def urban_rural_gap_pooled(
    urban: npt.ArrayLike, rural: npt.ArrayLike, urban_weights: npt.ArrayLike, rural_weights: npt.ArrayLike
) -> PooledGap:
    """The gap of the whole: Σ w_u u / Σ w_u against Σ w_r r / Σ w_r, over regions complete on all four series.

    Null rules of the weighted mean on each side; pooled rural ≤ 0 → ratio NaN.

    >>> urban_rural_gap_pooled([4.0, 2.0], [2.0, 1.0], [1.0, 1.0], [1.0, 3.0]).rural
    1.25
    """
    rows = np.array([urban, rural, urban_weights, rural_weights], dtype=np.float64)
    complete = rows[:, ~np.isnan(rows).any(axis=0)]
    town = float(Sample.of(complete[0], complete[2]).mean[0])
    country = float(Sample.of(complete[1], complete[3]).mean[0])
    difference, ratio = urban_rural_gap([town], [country])
    return PooledGap(town, country, float(difference[0]), float(ratio[0]))
