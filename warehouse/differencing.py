"""Single months, quarters and half-years of flows that are reported January-to-month: one cumulative less another.

Here: which single spans a changed figure touches, which figures each rests on, and the differences, from and to the frame
of figures (``warehouse.panels.FIGURE_COLUMNS``). Not here: reading or writing the warehouse; the nation, which is
made of the provinces' differences as of any figures (:mod:`warehouse.deriving`).

=========== =============================================
span        difference
=========== =============================================
Y-03 … Y-12 M01-Mnn less M01-M(nn-1), provinces only
Y-Q1        M01-M03
Y-Q2 … Q4   M01-M06 less M01-M03, M09 less M06, M12 less M09
Y-H1        M01-M06
Y-H2        M01-M12 less M01-M06
=========== =============================================

Where M01-M12 has no figure, the annual one of the same region stands for it: it has the same span. January and February
stay one figure, for no return cumulates January alone. Counties have quarters and half-years but no months: theirs would
be more than all other differences together, and two seconds of a first refresh. The reported figures stay as they are; a
correction inside a cumulative shows as a negative difference, and is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from warehouse.catalogue import Catalogue
from warehouse.deriving import GatheredFigures
from warehouse.measures.sample import FloatArray
from warehouse.panels import AREA_KEYS, NATION, STATUSES, Panel, RankArray, Slice, in_slices
from warehouse.periods import cumulative, period_from_key, year

SIGNIFICANT_DIGITS = 12
"""Of the larger part: what a difference of two such figures has beyond that is noise of binary fractions."""

_KEY = ["indicator_key", "period_key", "region_key", "area_key"]


@dataclass(frozen=True)
class Parts:
    """Keys of the periods a single span is the difference of.

    ``longer``: those that may stand for January to its last month, best first; ``shorter``: January to the month before
    it, None where the span begins in January.
    """

    longer: tuple[int, ...]
    shorter: int | None

    def __iter__(self) -> Iterator[int]:
        yield from self.longer
        if self.shorter is not None:
            yield self.shorter


@cache
def parts_of(period_key: int) -> Parts | None:
    """The parts of a single span; None for a period that no difference gives: January, February, cumulatives, years."""
    span = period_from_key(period_key)
    if span.kind not in ("month", "quarter", "half") or (span.kind == "month" and span.month <= 2):
        return None
    until = span.month + span.months - 1
    longer = (cumulative(span.year, until).key, *([year(span.year).key] if until == 12 else []))
    return Parts(longer, cumulative(span.year, span.month - 1).key if span.month > 1 else None)


@cache
def spans_of_year(number: int) -> tuple[int, ...]:
    """Keys of the months from March, the quarters and the half-years of a year."""
    codes = [(first, months) for months in (1, 3, 6) for first in range(1, 13, months)]
    keys = [(number * 100 + first) * 100 + months for first, months in codes]
    return tuple(sorted(key for key in keys if parts_of(key) is not None))


def is_single_span(key: Slice, catalogue: Catalogue) -> bool:
    """Whether the figures of a slice are differences: those of a reported flow that cumulates, for a span alone."""
    indicator = catalogue.by_key[key[0]]
    return indicator.kind == "base" and indicator.is_cumulative and parts_of(key[1]) is not None


def touched_spans(
    changed: Collection[Slice], catalogue: Catalogue, known_periods: Mapping[int, Collection[int]]
) -> set[Slice]:
    """The single spans to difference again: those with a changed part and all their parts known, and changed ones.

    ``known_periods`` is as in :mod:`warehouse.dependencies`.
    """
    touched = {key for key in changed if is_single_span(key, catalogue)}
    for indicator_key, period in changed:
        indicator = catalogue.by_key[indicator_key]
        if indicator.kind != "base" or not indicator.is_cumulative:
            continue
        known = known_periods.get(indicator_key, ())
        for span in spans_of_year(period_from_key(period).year):
            parts = parts_of(span)
            if parts is not None and period in parts and _is_known(parts, known):
                touched.add((indicator_key, span))
    return touched


def span_parts(spans: Collection[Slice], known_periods: Mapping[int, Collection[int]]) -> set[Slice]:
    """The slices to read in order to difference ``spans``; only what the warehouse knows."""
    return {
        (indicator_key, period)
        for indicator_key, span in spans
        for period in parts_of(span) or ()
        if period in known_periods.get(indicator_key, ())
    }


def difference_flows(figures: pd.DataFrame, catalogue: Catalogue, spans: Collection[Slice]) -> pd.DataFrame:
    """The figures of ``spans`` by region and area type, from their parts in ``figures``.

    value = longer - shorter, at 12 significant digits of the larger of the two; the longer alone where the span begins in
    January. The status is the weakest of the parts. No row where a part is missing or blank, none where ``figures`` has
    one of that span (a reported figure is not computed over), none of the nation, and no month of a county.
    """
    is_flow = np.isin(figures["indicator_key"].to_numpy(), np.array(sorted({key for key, _ in spans}), dtype=np.int64))
    flows = figures[is_flow & (figures["region_key"].to_numpy() != NATION)]
    panel = Panel.of(flows)
    is_province = np.isin(panel.regions, np.array([int(code) for code in catalogue.provinces], dtype=np.int64))
    gathered = GatheredFigures()
    for indicator_key, span in sorted(spans):
        parts, is_month = parts_of(span), period_from_key(span).kind == "month"
        for area, area_key in AREA_KEYS.items():
            if parts is not None and area in catalogue.by_key[indicator_key].area_types:
                values, ranks = _difference(panel, indicator_key, area_key, parts)
                values = np.where(is_province | (not is_month), values, np.nan)
                gathered.add((indicator_key, span, area_key), panel.regions, values, ranks)
    return _without(gathered.frame(figures), flows[in_slices(flows, spans)])


def _is_known(parts: Parts, known: Collection[int]) -> bool:
    return any(period in known for period in parts.longer) and (parts.shorter is None or parts.shorter in known)


def _difference(panel: Panel, indicator_key: int, area_key: int, parts: Parts) -> tuple[FloatArray, RankArray]:
    longer, ranks = _first(panel, indicator_key, area_key, parts.longer)
    if parts.shorter is None:
        return longer, ranks
    shorter, other_ranks = _first(panel, indicator_key, area_key, (parts.shorter,))
    return subtract(longer, shorter), np.minimum(ranks, other_ranks)


def _first(panel: Panel, indicator_key: int, area_key: int, periods: Collection[int]) -> tuple[FloatArray, RankArray]:
    """By region the figure of the first of ``periods`` that has one; NaN where none has."""
    values = np.full(panel.regions.size, np.nan)
    ranks = np.full(panel.regions.size, len(STATUSES) - 1, dtype=np.int8)
    for period in periods:
        row = panel.rows.get((indicator_key, period, area_key))
        if row is not None:
            gap = np.isnan(values)
            values[gap], ranks[gap] = panel.values[row, gap], panel.ranks[row, gap]
    return values, ranks


def subtract(longer: FloatArray, shorter: FloatArray) -> FloatArray:
    """The difference without the float noise of its parts: 0.3 - 0.1 is 0.2."""
    larger = np.maximum(np.abs(longer), np.abs(shorter))
    with np.errstate(divide="ignore", invalid="ignore"):
        places = SIGNIFICANT_DIGITS - 1 - np.floor(np.log10(larger))
    # Powers of ten are exact up to 22: dividing by one gives the nearest double, multiplying by 0.1 would not.
    places = np.where(np.isfinite(places), places, 0.0)
    up, down = 10.0 ** np.clip(places, 0, 300), 10.0 ** np.clip(-places, 0, 300)
    return np.asarray(np.round((longer - shorter) * up / down) / up * down + 0.0, dtype=np.float64)  # -0.0 becomes 0.0


def _without(figures: pd.DataFrame, taken: pd.DataFrame) -> pd.DataFrame:
    if taken.empty:
        return figures
    keys = pd.MultiIndex.from_frame(figures[_KEY])
    return figures[~keys.isin(pd.MultiIndex.from_frame(taken[_KEY]))]
