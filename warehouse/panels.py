"""Figures as a panel: a dense table of slices (indicator, period, area type) by regions, with the status of each.

Here: the frame of figures, its columns, its way into a panel and back, the order of statuses, and what can exist where.
Not here: any statistic. Figures come nearly complete (every region, every period), so a dense table is both
smaller and quicker than joins of long frames.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from warehouse.catalogue import Catalogue, Indicator
from warehouse.errors import JunhengError
from warehouse.measures.sample import BoolArray, FloatArray, IntArray
from warehouse.stocks import part_periods, weight_periods

#: (indicator_key, period_key): what a load changes and what is recomputed.
Slice = tuple[int, int]

FIGURE_COLUMNS = ("indicator_key", "period_key", "region_key", "area_key", "value", "obs_status")
AREA_KEYS: Mapping[str, int] = {"total": 0, "urban": 1, "rural": 2}
AREA_TYPES = tuple(AREA_KEYS)
NATION = 0

#: Statuses of an observation (SDMX OBS_STATUS), weakest first: a result is as weak as the weakest of its parts.
#: M missing, O missing, Q suppressed, H holiday, L below detection, N not significant, U low reliability, F forecast,
#: I imputed, E estimated, P provisional, D other definition, B break, A normal.
STATUSES = "MOQHLNUFIEPDBA"
#: Place of *break*: what is weaker is estimated, provisional or worse.
BREAK_RANK = STATUSES.index("B")
ESTIMATED_RANK = STATUSES.index("E")

RankArray = npt.NDArray[np.int8]


class UnknownStatusError(JunhengError):
    """Figures carry a status that :data:`STATUSES` does not place: whoever added the status must place it there."""

    def __init__(self, statuses: list[str]) -> None:
        super().__init__(f"unknown obs_status {', '.join(statuses)}; add it to STATUSES in warehouse/panels.py")
        self.statuses = statuses


def status_ranks(statuses: pd.Series[Any]) -> RankArray:
    """Place of each status in :data:`STATUSES`; a figure without one counts as normal."""
    category = statuses.astype("category")
    letters = [str(letter) for letter in category.cat.categories]
    unknown = sorted(letter for letter in letters if letter not in STATUSES)
    if unknown:
        raise UnknownStatusError(unknown)
    places = np.array([STATUSES.index(letter) for letter in letters] + [STATUSES.index("A")], dtype=np.int8)
    return places[category.cat.codes.to_numpy()]


def is_published(ranks: RankArray) -> BoolArray:
    """Which statuses are of published figures of the definition: A, P and B, nothing estimated or weaker."""
    return np.isin(ranks, [STATUSES.index(letter) for letter in "APB"])


def status_letters(ranks: RankArray, like: pd.Series[Any] | None = None) -> pd.Categorical:
    """Letters of ranks, with the categories of ``like`` where it is categorical (so that frames concatenate)."""
    letters = np.array(list(STATUSES), dtype=object)[ranks]
    if like is not None and isinstance(like.dtype, pd.CategoricalDtype):
        return pd.Categorical(letters, categories=like.cat.categories)
    return pd.Categorical(letters, categories=list(STATUSES))


def in_slices(figures: pd.DataFrame, slices: Collection[Slice] | None) -> BoolArray:
    """Which rows belong to one of ``slices``; None: all."""
    if slices is None:
        return np.ones(len(figures), dtype=bool)
    wanted = np.array([(indicator << 32) | period for indicator, period in slices], dtype=np.int64)
    keys = figures["indicator_key"].to_numpy(np.int64) << 32 | figures["period_key"].to_numpy(np.int64)
    return np.isin(keys, wanted)


@dataclass(frozen=True, eq=False)
class Panel:
    """``values`` and ``ranks`` are [slices × regions]; a figure that is blank or not there is NaN with the best rank.

    ``indicator_keys``, ``period_keys``, ``area_keys`` have an entry a slice (sorted by the three), ``regions`` ascend.
    """

    indicator_keys: IntArray
    period_keys: IntArray
    area_keys: IntArray
    regions: IntArray
    values: FloatArray
    ranks: RankArray

    @classmethod
    def of(cls, figures: pd.DataFrame, regions: npt.ArrayLike | None = None) -> Panel:
        """The panel of the figures that have a value, over ``regions`` (ascending; None: those of the figures)."""
        value = figures["value"].to_numpy(np.float64)
        region = figures["region_key"].to_numpy(np.int64)
        known = np.unique(region) if regions is None else np.asarray(regions, dtype=np.int64)
        column = np.searchsorted(known, region)
        is_kept = ~np.isnan(value)
        if known.size:
            is_kept &= known[np.minimum(column, known.size - 1)] == region
        indicator = figures["indicator_key"].to_numpy(np.int64)[is_kept]
        period = figures["period_key"].to_numpy(np.int64)[is_kept]
        area = figures["area_key"].to_numpy(np.int64)[is_kept]
        keys, row = np.unique(indicator << 34 | period << 2 | area, return_inverse=True)
        values = np.full((keys.size, known.size), np.nan)
        ranks = np.full((keys.size, known.size), len(STATUSES) - 1, dtype=np.int8)
        values[row, column[is_kept]] = value[is_kept]
        ranks[row, column[is_kept]] = status_ranks(figures["obs_status"])[is_kept]
        return cls(keys >> 34, keys >> 2 & 0xFFFFFFFF, keys & 3, known, values, ranks)

    @cached_property
    def rows(self) -> dict[tuple[int, int, int], int]:
        """(indicator, period, area) → row."""
        keys = zip(self.indicator_keys.tolist(), self.period_keys.tolist(), self.area_keys.tolist(), strict=True)
        return {key: row for row, key in enumerate(keys)}

    @cached_property
    def periods(self) -> dict[tuple[int, int], list[int]]:
        """(indicator, area) → its periods, ascending."""
        found: dict[tuple[int, int], list[int]] = {}
        for indicator, period, area in self.rows:
            found.setdefault((indicator, area), []).append(period)
        return found

    def chunk(self, first: int, last: int) -> Panel:
        """The slices ``first`` to before ``last``."""
        rows = slice(first, last)
        return Panel(
            self.indicator_keys[rows],
            self.period_keys[rows],
            self.area_keys[rows],
            self.regions,
            self.values[rows],
            self.ranks[rows],
        )

    def take(self, rows: IntArray) -> Panel:
        """Some of the slices, in ascending order."""
        return Panel(
            self.indicator_keys[rows],
            self.period_keys[rows],
            self.area_keys[rows],
            self.regions,
            self.values[rows],
            self.ranks[rows],
        )

    def part(self, part: Indicator, period_key: int, area_key: int) -> tuple[FloatArray, RankArray]:
        """A part of a rate for one period and area type, by region (:func:`warehouse.stocks.part_periods`)."""
        known = self.periods.get((part.indicator_key, area_key), [])
        return self._first(part.indicator_key, area_key, part_periods(part, period_key, known))

    def weight(self, weight: Indicator, period_key: int, area_key: int) -> tuple[FloatArray, RankArray]:
        """A weight for one period and area type, by region (:func:`warehouse.stocks.weight_periods`)."""
        known = self.periods.get((weight.indicator_key, area_key), [])
        return self._first(weight.indicator_key, area_key, weight_periods(weight, period_key, known))

    def _first(self, indicator_key: int, area_key: int, best_first: list[int]) -> tuple[FloatArray, RankArray]:
        values = np.full(self.regions.size, np.nan)
        ranks = np.full(self.regions.size, len(STATUSES) - 1, dtype=np.int8)
        for period in best_first:
            row = self.rows[indicator_key, period, area_key]
            gap = np.isnan(values)
            values[gap] = self.values[row, gap]
            ranks[gap] = self.ranks[row, gap]
            if not np.isnan(values).any():
                break
        return values, ranks


def weight_area(indicator: Indicator, weight: Indicator, area_key: int) -> int:
    """Area type of a weight: the same where both have the same area definition (and the weight has it), else total."""
    has_same = indicator.area_definition == weight.area_definition and AREA_TYPES[area_key] in weight.area_types
    return area_key if has_same else AREA_KEYS["total"]


def years_of(period_keys: IntArray) -> IntArray:
    """Year in which each period begins."""
    return period_keys // 10_000


def is_city_district(region_code: str) -> bool:
    """Whether a county unit is a city district (市辖区), so *urban* under the administrative definition.

    By the grammar of GB/T 2260: the second pair 01–20 or 51–70 is a city (21–50 a prefecture, league or autonomous
    prefecture, 90 directly administered places: their 01–20 are county-level cities), under a city the third pair
    01–20 or 51–80 is a district (21–50 a county, 81–99 a county-level city). A city without counties (third pair 00)
    is urban.
    """
    second, third = int(region_code[2:4]), int(region_code[4:])
    is_under_city = 1 <= second <= 20 or 51 <= second <= 70
    return is_under_city and (third <= 20 or 51 <= third <= 80)


def _not_applicable(catalogue: Catalogue) -> Iterator[tuple[int, str, int, int, int]]:
    """(indicator, region code, area, first year, last year), for derived indicators too: no part, no rate."""
    for row in catalogue.not_applicable:
        area = AREA_KEYS[row.area_type]
        first, last = row.year_from or 0, row.year_to or 9999
        yield catalogue.indicators[row.indicator_code].indicator_key, row.region_code, area, first, last
        for derived in catalogue.indicators.values():
            named = derived.terms("numerator") + derived.terms("denominator") if derived.kind == "derived" else ()
            for code, from_area in named:
                if code == row.indicator_code and from_area in (None, row.area_type):
                    # CODE@area: the part is missing whatever the row's own area type is.
                    for target in (area,) if from_area is None else tuple(AREA_KEYS.values()):
                        yield derived.indicator_key, row.region_code, target, first, last


def exists(panel: Panel, catalogue: Catalogue, is_county: bool) -> BoolArray:
    """[slices × regions]: whether the figure can exist; *absent is not missing* (docs/architecture.md).

    What ``not_applicable.csv`` names cannot, nor can its counties; an indicator whose finest level is the province has
    no counties; under the ``administrative`` definition a county unit is urban or rural, never both: the side it
    has a figure of, and where it has none the side of its code. A figure that is there exists, whatever the lists say.
    """
    has = ~np.isnan(panel.values)
    can = np.ones_like(has)
    years = years_of(panel.period_keys)
    codes = [f"{region:06d}" for region in panel.regions.tolist()]
    for indicator, code, area, first, last in _not_applicable(catalogue):
        rows = (panel.indicator_keys == indicator) & (panel.area_keys == area) & (years >= first) & (years <= last)
        if not rows.any():
            continue
        stem = code.removesuffix("00").removesuffix("00")
        under = np.array([region.startswith(stem) for region in codes], dtype=bool)
        can[np.ix_(rows, under)] = False
    if is_county:
        can &= _county_sides(panel, catalogue, codes, has)
    return can | has


def _county_sides(panel: Panel, catalogue: Catalogue, codes: list[str], has: BoolArray) -> BoolArray:
    can = np.ones_like(has)
    is_urban = np.array([is_city_district(code) for code in codes], dtype=bool)
    for (indicator_key, period, area), row in panel.rows.items():
        indicator = catalogue.by_key[indicator_key]
        if indicator.finest_level == "province":
            can[row] = False
        elif indicator.area_definition == "administrative" and area != AREA_KEYS["total"]:
            other = panel.rows.get((indicator_key, period, 3 - area))
            can[row] = is_urban if area == AREA_KEYS["urban"] else ~is_urban
            if other is not None:
                can[row] &= ~has[other]
    return can
