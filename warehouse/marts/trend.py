"""Trend: where a place stands and which way it goes. Not here: several places together (convergence), the years ahead.

A row says both, so that "worse and worsening" is one filter.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from warehouse.catalogue import Catalogue, Indicator
from warehouse.marts.attainment import attainment
from warehouse.marts.series import NO_ROW, Windows, chunks_of, firm_figures
from warehouse.measures import mann_kendall, theil_sen, trend_words
from warehouse.measures.sample import FloatArray, IntArray
from warehouse.measures.trend import FEWEST_YEARS
from warehouse.panels import BREAK_RANK, NATION, Panel, Slice, in_slices

TREND_MEASURES = ("s", "probability", "slope", "slope_low", "slope_high")
TREND_COLUMNS = (
    "indicator_key",
    "period_key",
    "region_key",
    "area_key",
    "first_period_key",
    "years",
    "value",
    *TREND_MEASURES,
    "trend",
    "nation_value",
    "against_nation",
    "floor_value",
    "against_floor",
    "finding",
    "grade",
    "status",
)

#: Share of the nation's figure within which a place is near it.
NEAR = 0.05
#: Series computed together: each has a table of its pairs of years.
_AT_ONCE = 50_000

#: Words of an indicator of which neither more nor less is better.
_NEUTRAL_TRENDS = {"improving": "rising", "worsening": "falling"}
_KEYS = ["indicator_key", "period_key", "region_key", "area_key"]

Rows = dict[str, npt.NDArray[Any]]


def is_followed(indicator: Indicator, catalogue: Catalogue) -> bool:
    """Whether an indicator has trends: it may be compared between places, or has a standard."""
    return indicator.is_comparable or any(row.indicator_code == indicator.code for row in catalogue.standards)


def trend(
    figures: pd.DataFrame,
    catalogue: Catalogue,
    slices: Collection[Slice] | None = None,
    *,
    warned: Collection[Slice] = (),
) -> pd.DataFrame:
    """One row a place (the nation among them), area type, year or school year, and followed indicator with a usable figure.

    Usable are figures of status A, P and B, since the last break of definition that is of the place. ``s`` and
    ``probability`` of Mann–Kendall, ``slope`` a year of Theil–Sen with its 95 % interval, of all usable years until this one;
    ``trend``: ``improving``, ``steady``, ``worsening`` by the indicator's direction, where it has none ``rising``,
    ``steady``, ``falling``. Fewer than five years: null, ``too_few_years``.

    ``against_nation``: ``better``, ``near`` (within :data:`NEAR` of it), ``worse``, where it has no direction ``above``,
    ``near``, ``below``; ``against_floor``: ``under`` or ``met`` of the floor in force, the strictest of the nation's and the
    place's own. ``finding`` joins level and trend: ``worse_and_worsening``, ``worse_but_improving``, ``near_and_steady`` …;
    null where either is, so the nation has none.

    ``grade``: C with a provisional figure among them, B where a check of one of its years warned (``warned``), else A.
    Returns the columns :data:`TREND_COLUMNS`, sorted by keys.
    """
    followed = [row.indicator_key for row in catalogue.indicators.values() if is_followed(row, catalogue)]
    usable = firm_figures(figures, followed)
    panel = Panel.of(usable)
    windows = Windows.of(panel, slices)
    if not windows.targets.size:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in TREND_COLUMNS})
    keys = pd.DataFrame({"indicator_key": panel.indicator_keys, "period_key": panel.period_keys})
    has_warning = in_slices(keys, warned) if warned else np.zeros(len(keys), dtype=bool)
    since = windows.first_years(catalogue)
    number, column = np.nonzero(~np.isnan(panel.values[windows.targets]))
    parts = [
        _series(windows, number[chosen], column[chosen], since, catalogue, has_warning)
        for chosen in chunks_of(number.size, 1, _AT_ONCE)
    ]
    rows = pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
    rows = _against_floor(rows, usable, catalogue, slices)
    rows = rows.astype(
        {"indicator_key": np.int16, "period_key": np.int32, "region_key": np.int32, "area_key": np.int8}
        | {"first_period_key": np.int32, "years": np.int32}
        | dict.fromkeys(("trend", "against_nation", "against_floor", "finding"), "str")
    )
    return rows.sort_values(_KEYS, kind="stable").reset_index(drop=True)[list(TREND_COLUMNS)]


def _series(
    windows: Windows, number: IntArray, column: IntArray, since: IntArray, catalogue: Catalogue, has_warning: np.ndarray
) -> Rows:
    """The rows of some (target, region): the series of each, its trend, and where it stands."""
    panel, target = windows.panel, windows.targets[number]
    place = windows.rows[number]
    values, years = panel.values[place, column[:, None]], windows.years[number]
    is_used = (place != NO_ROW) & (years >= since[number, column][:, None]) & ~np.isnan(values)
    count = is_used.sum(axis=1)
    indicators = [catalogue.by_key[key] for key in panel.indicator_keys[windows.targets].tolist()]
    sign = np.array([{"higher": 1, "lower": -1, "neutral": 0}[row.direction] for row in indicators])[number]
    told, words = _trends(np.where(is_used, values, np.nan), years.astype(np.float64), count, sign)
    value = values[:, -1]
    nation = _of_nation(panel, target, panel.regions[column])
    level = _levels(value, nation, sign)
    is_weak = np.any(is_used & (panel.ranks[place, column[:, None]] < BREAK_RANK), axis=1)
    is_warned = np.any(is_used & has_warning[place], axis=1)
    return {
        "indicator_key": panel.indicator_keys[target],
        "period_key": panel.period_keys[target],
        "region_key": panel.regions[column],
        "area_key": panel.area_keys[target],
        "first_period_key": panel.period_keys[place[np.arange(target.size), np.argmax(is_used, axis=1)]],
        "years": count,
        "value": value,
        **told,
        "trend": words,
        "nation_value": nation,
        "against_nation": level,
        "finding": _findings(level, words),
        "grade": np.select([is_weak, is_warned], ["C", "B"], "A"),
        "status": np.where(count < FEWEST_YEARS, "too_few_years", "ok"),
    }


def _trends(
    values: FloatArray, years: FloatArray, count: IntArray, sign: IntArray
) -> tuple[dict[str, FloatArray], npt.NDArray[np.object_]]:
    """:data:`TREND_MEASURES` and the word by series; only those that are long enough are looked at."""
    told = {name: np.full(count.size, np.nan) for name in TREND_MEASURES}
    words = np.full(count.size, None, dtype=object)
    long = np.flatnonzero(count >= FEWEST_YEARS)
    if long.size:
        test, slope = mann_kendall(values[long], years[long]), theil_sen(values[long], years[long])
        for name, numbers in zip(TREND_MEASURES, (test.s, test.probability, *slope), strict=True):
            told[name][long] = numbers
        found = trend_words(test, sign[long] >= 0).astype(object)
        for word, neutral in _NEUTRAL_TRENDS.items():
            found[(sign[long] == 0) & (found == word)] = neutral
        words[long] = found
    return told, words


def _of_nation(panel: Panel, target: IntArray, regions: IntArray) -> FloatArray:
    """The nation's figure of each row; NaN where it has none, and for the nation itself."""
    place = int(np.searchsorted(panel.regions, NATION))
    if place >= panel.regions.size or panel.regions[place] != NATION:
        return np.full(target.size, np.nan)
    return np.where(regions == NATION, np.nan, panel.values[target, place])


def _levels(value: FloatArray, nation: FloatArray, sign: IntArray) -> npt.NDArray[np.object_]:
    """Where a place stands against the nation, None where that is not known."""
    with np.errstate(invalid="ignore"):
        is_near = np.abs(value - nation) <= NEAR * np.abs(nation)
        distance = np.where(sign == 0, 1, sign) * (value - nation)
    better, worse = (np.where(sign == 0, *words).astype(object) for words in (("above", "better"), ("below", "worse")))
    level = np.where(distance > 0, better, worse)
    level[is_near] = "near"
    level[np.isnan(distance)] = None
    return level


def _findings(level: npt.NDArray[np.object_], words: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Level and trend in one word: *and* where they agree or one is in the middle, *but* where they do not."""
    finding = np.full(level.size, None, dtype=object)
    for one in set(level.tolist()) - {None}:
        for other in set(words.tolist()) - {None}:
            joint = "but" if (one, other) in {("worse", "improving"), ("better", "worsening")} else "and"
            finding[(level == one) & (words == other)] = f"{one}_{joint}_{other}"
    return finding


def _against_floor(
    rows: pd.DataFrame, usable: pd.DataFrame, catalogue: Catalogue, slices: Collection[Slice] | None
) -> pd.DataFrame:
    """The rows with the floor in force and whether it is met; null where none is."""
    judged = attainment(usable, catalogue, slices)
    floors = judged.loc[judged["floor_kind"] == "floor", [*_KEYS, "floor_value", "attained"]]
    found = rows.merge(floors, how="left", on=_KEYS, validate="one_to_one")
    met = found.pop("attained").map({True: "met", False: "under"})
    return found.assign(against_floor=met.astype(object).where(met.notna(), None))
