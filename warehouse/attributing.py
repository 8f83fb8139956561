"""What moved an index between two releases: the same period as it was known at two times, province by province.

Here: reading both states, and the change of CV² and Theil T between them as the sum of provinces' parts. All of it is revision:
figures corrected, come late or withdrawn. Not here: change from year to year (``warehouse.marts.change_attribution``), the
formulas (:mod:`warehouse.measures.attribution`), wording and printing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from warehouse.catalogue import Catalogue, Indicator
from warehouse.computing import known_periods, read_figures
from warehouse.dependencies import weight_slices
from warehouse.marts.coverage import MINIMUM_COVERAGE
from warehouse.marts.scopes import province_units
from warehouse.measures import Sample, attribute_index_change, cv_squared_contributions, theil_contributions
from warehouse.measures.sample import BoolArray, FloatArray
from warehouse.panels import AREA_KEYS, Panel, exists, is_published, weight_area
from warehouse.releases import read_release

MEASURES = {"cv_squared": cv_squared_contributions, "theil_t": theil_contributions}


@dataclass(frozen=True)
class RegionPart:
    """A province's part in a change; ``kind``: both, or entered or left where only one release has its figure."""

    region_code: str
    region_name: str
    kind: str
    contribution: float


@dataclass(frozen=True)
class IndexMovement:
    """An index in two releases; ``parts`` sum to index_after − index_before, largest first; none where ``status`` is not ok."""

    measure: str
    weighting: str
    status: str
    units_before: int
    units_after: int
    index_before: float | None
    index_after: float | None
    parts: tuple[RegionPart, ...]


@dataclass(frozen=True)
class _State:
    """The figures of a slice as one release has them, by province: NaN where none is published."""

    values: FloatArray
    weights: FloatArray | None
    can_exist: BoolArray


def attribute_releases(
    connection: Connection,
    older: int,
    newer: int,
    catalogue: Catalogue,
    indicator: Indicator,
    period_key: int,
    area_type: str = "total",
) -> tuple[IndexMovement, ...]:
    """The movements of an indicator's indices over provinces between two releases.

    Raises :class:`warehouse.errors.NoSuchReleaseError`.
    """
    before, after = (_figures_of(connection, number, catalogue, indicator, period_key) for number in (older, newer))
    return tuple(movements(before, after, catalogue, indicator, period_key, area_type))


def _figures_of(
    connection: Connection, release_id: int, catalogue: Catalogue, indicator: Indicator, period_key: int
) -> pd.DataFrame:
    """The slice and its weights as the release knew them."""
    key = (indicator.indicator_key, period_key)
    known = known_periods(connection, (), release_id)
    wanted = {key} | weight_slices(key, catalogue, known)
    return read_figures(connection, wanted, as_of=read_release(connection, release_id)["recorded_at"])


def movements(
    before: pd.DataFrame,
    after: pd.DataFrame,
    catalogue: Catalogue,
    indicator: Indicator,
    period_key: int,
    area_type: str = "total",
    *,
    minimum_coverage: float = MINIMUM_COVERAGE,
) -> Iterator[IndexMovement]:
    """The change of each index between two states of the same slice, a movement a weighting and measure.

    ``before`` and ``after``: figures of the slice and of its weights. Published figures only (A, P, B), of value and of
    weight. ``status`` as in inequality: ``insufficient_coverage``, ``undefined_negative``, ``undefined_zero_mean``, ``ok``;
    the first of the two releases that has a reason says it. By people only where the indicator has a weight.
    """
    weightings = ("none", "population") if indicator.weight_indicator else ("none",)
    for weighting in weightings:
        states = [
            _state(figures, catalogue, indicator, period_key, area_type, weighting) for figures in (before, after)
        ]
        samples = [Sample.of(state.values, state.weights) for state in states]
        reasons = [
            reason
            for state, sample in zip(states, samples, strict=True)
            if (reason := _reason(state, sample, minimum_coverage)) != "ok"
        ]
        for measure, contributions in MEASURES.items():
            units = (int(samples[0].units[0]), int(samples[1].units[0]))
            if reasons:
                yield IndexMovement(measure, weighting, reasons[0], units[0], units[1], None, None, ())
                continue
            found = attribute_index_change(samples[0], samples[1], states[0].values.size, contributions)
            ends = [float(contributions(sample).sum()) for sample in samples]
            parts = _parts(found.parts, found.kind, catalogue)
            yield IndexMovement(measure, weighting, "ok", units[0], units[1], ends[0], ends[1], parts)


def _state(
    figures: pd.DataFrame, catalogue: Catalogue, indicator: Indicator, period_key: int, area_type: str, weighting: str
) -> _State:
    regions = province_units(catalogue).region_keys
    panel = Panel.of(figures, regions)
    row = panel.rows.get((indicator.indicator_key, period_key, AREA_KEYS[area_type]))
    if row is None:
        nothing = np.full(regions.size, np.nan)
        return _State(nothing, None, np.ones(regions.size, dtype=bool))
    values = np.where(is_published(panel.ranks[row]), panel.values[row], np.nan)
    can_exist = exists(panel, catalogue, is_county=False)[row]
    if weighting == "none" or indicator.weight_indicator is None:
        return _State(values, None, can_exist)
    weight = catalogue.indicators[indicator.weight_indicator]
    weights, ranks = panel.weight(weight, period_key, weight_area(indicator, weight, AREA_KEYS[area_type]))
    return _State(values, np.where(is_published(ranks), weights, np.nan), can_exist & (weights != 0))


def _reason(state: _State, sample: Sample, minimum_coverage: float) -> str:
    """Why a state has no index; ok where it has one."""
    if sample.units[0] < max(1.0, minimum_coverage * state.can_exist.sum()):
        return "insufficient_coverage"
    if sample.minimum[0] < 0 or sample.has_negative_weight[0]:
        return "undefined_negative"
    return "ok" if sample.is_relative_defined[0] else "undefined_zero_mean"


def _parts(parts: FloatArray, kinds: np.ndarray, catalogue: Catalogue) -> tuple[RegionPart, ...]:
    codes = sorted(catalogue.provinces)
    found = [
        RegionPart(code, catalogue.provinces[code].name_zh, str(kind), float(part))
        for code, part, kind in zip(codes, parts, kinds, strict=True)
        if not np.isnan(part)
    ]
    return tuple(sorted(found, key=lambda each: (-abs(each.contribution), each.region_code)))
