"""Measures of level and inequality: pure functions on arrays, over many slices at once.

Here: one function a statistic, its formula in its docstring. Not here: which figures go in, which coverage is enough,
what a mart shows (``warehouse.marts``); no frame, no catalogue, no SQL.

A measure takes a :class:`Sample` (values, weights and the slice each belongs to) and gives one number a slice; NaN is
*null*. The form for one slice, by name and with ``None`` for null, is :func:`evaluate`.
"""

from warehouse.measures.concentration import gini
from warehouse.measures.gap import PooledGap, urban_rural_gap, urban_rural_gap_pooled
from warehouse.measures.sample import Sample
from warehouse.measures.scalar import MEASURES, evaluate
from warehouse.measures.spread import cv, max_min_ratio, mean
from warehouse.measures.theil import TheilDecomposition, TheilGroups, theil_decomposition, theil_groups, theil_t

__all__ = [
    "MEASURES",
    "PooledGap",
    "Sample",
    "TheilDecomposition",
    "TheilGroups",
    "cv",
    "evaluate",
    "gini",
    "max_min_ratio",
    "mean",
    "theil_decomposition",
    "theil_groups",
    "theil_t",
    "urban_rural_gap",
    "urban_rural_gap_pooled",
]
