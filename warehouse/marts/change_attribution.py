"""What a year's change of inequality between provinces is made of: which province, and which part of its figures.

Here: which two years are compared, and the change of CV² and of Theil T as one table of parts that sum to it. Not here: the
formulas (:mod:`warehouse.measures.attribution`); why anything happened: a part is a share of the arithmetic, not a cause.

The change goes from what was first published of the earlier year to what is known of the later one, in steps, each between
two states of the same index, and each step belongs to provinces by their terms of the index:

1. ``revision``: the earlier year as first published → as it is known now;
2. ``left``: all its provinces → those that have a figure in both years;
3. the same provinces, earlier → later figures: by Shapley over all orders into ``numerator`` and ``denominator`` of a rate
   (``value`` of any other), and ``weight`` where people are counted;
4. ``entered``: those provinces → all of the later year.

A step changes the mean, and with it the term of every province: a province that left has the line of its own lost term,
and the others what its leaving did to theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from warehouse.breaks import first_comparable_years
from warehouse.catalogue import Catalogue
from warehouse.marts.coverage import MINIMUM_COVERAGE
from warehouse.marts.scopes import province_units
from warehouse.marts.year_figures import Years, annual_rows, as_first, look_up_years, of_provinces, sample_of
from warehouse.measures import Sample, cv_squared_contributions, shapley_parts, theil_contributions
from warehouse.measures.sample import BoolArray, FloatArray, IntArray
from warehouse.measures.theil import assert_sums
from warehouse.panels import BREAK_RANK, NATION, Panel, Slice, exists, in_slices

#: How many years before a year its base may lie: what is older is compared with nothing.
LOOK_BACK_YEARS = 3

CHANGE_ATTRIBUTION_COLUMNS = (
    "indicator_key",
    "period_key",
    "area_key",
    "weighting",
    "measure",
    "region_key",
    "part",
    "base_period_key",
    "contribution",
    "change",
    "index_before",
    "index_after",
    "units",
    "units_missing",
    "units_estimated",
    "coverage",
    "grade",
    "status",
)

Columns = dict[str, npt.NDArray[Any]]
"""Rows by column."""

_KEYS = list(CHANGE_ATTRIBUTION_COLUMNS[:7])
_MEASURES = {"cv_squared": cv_squared_contributions, "theil_t": theil_contributions}
_NO_PART = "none"


def change_attribution(
    figures: pd.DataFrame,
    catalogue: Catalogue,
    slices: Collection[Slice] | None = None,
    *,
    first_figures: pd.DataFrame | None = None,
    warned: Collection[Slice] = (),
    minimum_coverage: float = MINIMUM_COVERAGE,
) -> pd.DataFrame:
    """One row a comparable indicator, year, area type, weighting, measure, province and part of the change.

    ``measure``: ``cv_squared`` or ``theil_t``, over provinces. ``weighting`` as in inequality.
    ``base_period_key`` is the latest of the :data:`LOOK_BACK_YEARS` years before that covers enough and has no break of
    definition of any province between. Published figures only (A, P, B), of value and of weight: others count as missing.
    ``contribution`` sums over provinces and parts to ``change`` = ``index_after`` − ``index_before``, the latter as first
    published. Parts as the module says; of ``revision``, ``left`` and ``entered`` only the lines that are not 0.

    ``units`` have figures in both years, ``units_missing`` lack one that can exist, ``units_estimated`` of them have one that
    is not published; ``coverage`` is the lesser share of the two years. ``grade`` as in inequality.

    A slice with published figures and nothing to compare has one row a measure, of the nation and part ``none``, with its
    status: of the year itself or, where that is ok, ``across_break``, or that of the year before. A first year has none.

    ``first_figures``: of figures that were revised, the first published (columns as ``figures``).
    Returns the columns :data:`CHANGE_ATTRIBUTION_COLUMNS`, sorted by keys.
    """
    regions = province_units(catalogue).region_keys
    panel = Panel.of(of_provinces(figures, regions), regions)
    first = panel if first_figures is None or first_figures.empty else as_first(panel, first_figures)
    rows = annual_rows(panel, catalogue)
    is_wanted = in_slices(
        pd.DataFrame({"indicator_key": panel.indicator_keys[rows], "period_key": panel.period_keys[rows]}), slices
    )
    can_exist = exists(panel, catalogue, is_county=False)[rows]
    parts: list[Columns] = []
    for weighting in ("none", "population"):
        years, is_weighted = look_up_years(panel, first, rows, can_exist, catalogue, weighting)
        has_any = is_weighted & is_wanted & years.is_used.any(axis=1)
        for made in _attributed(years, np.flatnonzero(has_any), is_weighted, catalogue, minimum_coverage):
            parts.append(made | {"weighting": np.full(made["part"].size, weighting, dtype=object)})
    return _finished(parts, regions, warned)


def _attributed(
    years: Years, wanted: IntArray, is_weighted: BoolArray, catalogue: Catalogue, minimum_coverage: float
) -> Iterator[Columns]:
    """The rows of the wanted slices of one weighting: those that have a base, then those that say why they have none."""
    status = years.status(minimum_coverage)
    status[~is_weighted] = "not_applicable"
    bases, reasons = _bases(years, wanted, status, catalogue)
    has_base = bases >= 0
    is_derived = np.array([catalogue.by_key[key].kind == "derived" for key in years.keys[:, 0].tolist()], dtype=bool)
    if has_base.any():
        yield from _compared(years, bases[has_base], wanted[has_base], is_derived)
    is_told = reasons != ""
    if is_told.any():
        yield from _untold(years, wanted[is_told], reasons[is_told])


def _bases(years: Years, wanted: IntArray, status: np.ndarray, catalogue: Catalogue) -> tuple[IntArray, np.ndarray]:
    """By wanted slice: the place of its base (-1: none), and why it has none where that is worth a row."""
    since = _comparable_since(years.keys[wanted], catalogue)
    earlier: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for place, (indicator_key, period, area) in enumerate(years.keys.tolist()):
        earlier.setdefault((indicator_key, area), []).append((period, place))
    bases = np.full(wanted.size, -1, dtype=np.int64)
    reasons = np.full(wanted.size, "", dtype=object)
    for number, place in enumerate(wanted.tolist()):
        indicator_key, period, area = years.keys[place].tolist()
        before = [
            (year, other)
            for year, other in earlier[indicator_key, area]
            # Whole years are 10,000 apart, and a school year never has the key of a year.
            if 0 < period - year <= LOOK_BACK_YEARS * 10_000 and (period - year) % 10_000 == 0
        ]
        comparable = [other for year, other in before if year // 10_000 >= since[number]]
        usable = [other for other in comparable if status[other] == "ok"]
        if status[place] != "ok":
            reasons[number] = status[place]
        elif usable:
            bases[number] = usable[-1]
        elif comparable:
            reasons[number] = status[comparable[-1]]
        elif before:
            reasons[number] = "across_break"
    return bases, reasons


def _comparable_since(keys: IntArray, catalogue: Catalogue) -> IntArray:
    """The first year with which each slice may be compared: no province's definition changed since."""
    regions = province_units(catalogue).region_keys
    indicators, periods, areas = (np.repeat(keys[:, column], regions.size) for column in range(3))
    found = first_comparable_years(catalogue, indicators, areas, periods, np.tile(regions, len(keys)))
    return np.asarray(found.reshape(len(keys), regions.size).max(axis=1, initial=0))


def _terms(sample: Sample, shape: tuple[int, ...], contributions: Callable[[Sample], FloatArray]) -> FloatArray:
    """Each province's term of the index, [slices × provinces], 0 where it has no figure."""
    terms = np.zeros(shape).ravel()
    terms[sample.rows] = contributions(sample)
    return terms.reshape(shape)


def _compared(years: Years, bases: IntArray, places: IntArray, is_derived: BoolArray) -> Iterator[Columns]:
    """The change from ``bases`` to ``places`` in parts, a frame a measure."""
    before, after = years.known.take(bases), years.known.take(places)
    was, now = years.is_used[bases], years.is_used[places]
    both = was & now
    published, known, final = sample_of(years.first.take(bases), was), sample_of(before, was), sample_of(after, now)
    mixed = [sample_of(before.changed(after, mask), both) for mask in range(8)]
    is_defined: BoolArray = np.all([each.is_relative_defined for each in (published, known, final, *mixed)], axis=0)
    if not is_defined.all():
        # The year itself has its index, but not what it shares with the other: all that is not 0 entered or left.
        yield from _untold(
            years, places[~is_defined], np.full((~is_defined).sum(), "undefined_zero_mean", dtype=object)
        )
        if is_defined.any():
            yield from _compared(years, bases[is_defined], places[is_defined], is_derived)
        return
    told = _told(years, bases, places, both)
    for measure, contributions in _MEASURES.items():
        as_published, as_known, ends, *states = (
            _terms(sample, both.shape, contributions) for sample in (published, known, final, *mixed)
        )
        numerator, denominator, weight = shapley_parts(states.__getitem__, 3)
        steps = {
            "revision": as_known - as_published,
            "left": states[0] - as_known,
            "numerator": numerator,
            "denominator": denominator,
            "weight": weight,
            "entered": ends - states[-1],
        }
        index_before, index_after = as_published.sum(axis=1), ends.sum(axis=1)
        change = index_after - index_before
        assert_sums(change, [step.sum(axis=1) for step in steps.values()])
        own = told | {"change": change, "index_before": index_before, "index_after": index_after}
        yield _lines(steps, both, own | {"measure": np.full(places.size, measure, dtype=object)}, is_derived[places])


def _told(years: Years, bases: IntArray, places: IntArray, both: BoolArray) -> Columns:
    """What the rows of a slice have in common, an entry a comparison."""
    was, now = years.is_used[bases], years.is_used[places]
    expected = years.is_expected[bases] | years.is_expected[places]
    is_weak = (was & (years.ranks[bases] < BREAK_RANK)) | (now & (years.ranks[places] < BREAK_RANK))
    has_unpublished = (years.has_figure[bases] & ~was) | (years.has_figure[places] & ~now)
    return {
        **_keyed(years, places),
        "base_period_key": years.keys[bases, 1],
        "units": both.sum(axis=1),
        "units_missing": (expected & ~both).sum(axis=1),
        "units_estimated": has_unpublished.sum(axis=1),
        "coverage": np.minimum(years.coverage[bases], years.coverage[places]),
        "is_weak": is_weak.any(axis=1),
        "status": np.full(places.size, "ok", dtype=object),
    }


def _keyed(years: Years, places: IntArray) -> Columns:
    keys = years.keys[places]
    return {"indicator_key": keys[:, 0], "period_key": keys[:, 1], "area_key": keys[:, 2]}


def _lines(steps: dict[str, FloatArray], both: BoolArray, told: Columns, is_derived: BoolArray) -> Columns:
    """The steps as rows; a factor has a line of each province of both years, any other step those that are not 0."""
    comparisons, regions, parts, contributions = [], [], [], []
    for part, step in steps.items():
        is_line = both if part == "numerator" else step != 0
        if part == "denominator":
            is_line = both & is_derived[:, None]
        row, region = np.nonzero(is_line)
        name = np.where(is_derived[row], "numerator", "value") if part == "numerator" else np.full(row.size, part)
        comparisons.append(row)
        regions.append(region)
        parts.append(name.astype(object))
        contributions.append(step[row, region])
    comparison = np.concatenate(comparisons)
    return {
        **{name: column[comparison] for name, column in told.items()},
        "region": np.concatenate(regions),
        "part": np.concatenate(parts),
        "contribution": np.concatenate(contributions),
    }


def _untold(years: Years, places: IntArray, reasons: np.ndarray) -> Iterator[Columns]:
    """One row a measure of slices that cannot be compared."""
    used, expected = years.is_used[places], years.is_expected[places]
    nothing = dict.fromkeys(("contribution", "change", "index_before", "index_after"), np.full(places.size, np.nan))
    for measure in _MEASURES:
        yield {
            **_keyed(years, places),
            **nothing,
            "base_period_key": np.full(places.size, -1),
            "units": used.sum(axis=1),
            "units_missing": (expected & ~used).sum(axis=1),
            "units_estimated": (years.has_figure[places] & ~used).sum(axis=1),
            "coverage": years.coverage[places],
            "is_weak": np.any(used & (years.ranks[places] < BREAK_RANK), axis=1),
            "status": reasons,
            "region": np.full(places.size, -1),
            "part": np.full(places.size, _NO_PART, dtype=object),
            "measure": np.full(places.size, measure, dtype=object),
        }


def _finished(parts: list[Columns], regions: IntArray, warned: Collection[Slice]) -> pd.DataFrame:
    """The parts as one typed frame with grades, sorted by keys."""
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in CHANGE_ATTRIBUTION_COLUMNS})
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    region = columns.pop("region")
    is_low = columns.pop("is_weak") | (columns["units_missing"] > 0)
    base = columns["base_period_key"]
    counts = ("period_key", "units", "units_missing", "units_estimated")
    rows = pd.DataFrame(
        columns
        | {name: columns[name].astype(np.int32) for name in counts}
        | {
            "indicator_key": columns["indicator_key"].astype(np.int16),
            "area_key": columns["area_key"].astype(np.int8),
            "region_key": np.where(region >= 0, regions[region], NATION).astype(np.int32),
            "base_period_key": pd.array(np.where(base < 0, 0, base), dtype="Int32"),
        }
    )
    rows.loc[base < 0, "base_period_key"] = pd.NA
    has_warning = in_slices(rows, warned) if warned else np.zeros(len(rows), dtype=bool)
    rows["grade"] = np.select([is_low, has_warning], ["C", "B"], "A")
    return rows.sort_values(_KEYS, kind="stable").reset_index(drop=True)[list(CHANGE_ATTRIBUTION_COLUMNS)]
