"""What weighs the units of a slice: the indicator's weight, of its area type and period. Not here: any measure."""

from __future__ import annotations

import numpy as np

from warehouse.catalogue import Catalogue
from warehouse.measures.sample import BoolArray, FloatArray
from warehouse.panels import STATUSES, Panel, RankArray, weight_area


def weigh(panel: Panel, weight_panel: Panel, catalogue: Catalogue) -> tuple[FloatArray, RankArray, BoolArray]:
    """Weight and its status by slice and unit, and which slices have a weight indicator at all."""
    weights = np.full(panel.values.shape, np.nan)
    ranks = np.full(panel.values.shape, len(STATUSES) - 1, dtype=np.int8)
    is_weighted = np.zeros(panel.values.shape[0], dtype=bool)
    looked_up: dict[tuple[str, int, int], tuple[FloatArray, RankArray]] = {}
    for (indicator_key, period, area), row in panel.rows.items():
        indicator = catalogue.by_key[indicator_key]
        if indicator.weight_indicator is None:
            continue
        weight = catalogue.indicators[indicator.weight_indicator]
        key = (weight.code, period, weight_area(indicator, weight, area))
        if key not in looked_up:
            looked_up[key] = weight_panel.weight(weight, *key[1:])
        weights[row], ranks[row] = looked_up[key]
        is_weighted[row] = True
    return weights, ranks, is_weighted
