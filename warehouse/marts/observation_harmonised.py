"""Figures on today's map: renamed codes, summed mergers, shared splits, and rates made again from their parts.

Here: which rows differ from the figures as reported, and what they are instead. Not here: what became of a code
(:mod:`warehouse.regions`); the figures that do not differ, which ``mart.observation_harmonised`` shows as they are.

No figure is lost and none counts twice: a bundle of codes is moved as a whole, or all of it stays where it was reported with a
``map_status`` that says why. So the counties of a province sum to the same on either map. The area type stays as reported: a
county that became a district keeps its rural figures of the time.
"""

from __future__ import annotations

import bisect
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from warehouse.catalogue import Catalogue, Indicator
from warehouse.deriving import derive_indicators
from warehouse.measures.sample import BoolArray, FloatArray, IntArray
from warehouse.panels import (
    AREA_TYPES,
    ESTIMATED_RANK,
    FIGURE_COLUMNS,
    STATUSES,
    Panel,
    RankArray,
    Slice,
    in_slices,
    status_letters,
    status_ranks,
    weight_area,
)
from warehouse.periods import period_from_key
from warehouse.regions import Bundle, Succession, succession_of
from warehouse.stocks import weight_periods

HARMONISED_COLUMNS = (*FIGURE_COLUMNS, "map_status", "reported_codes")

MAP_STATUSES: Mapping[str, str] = {
    "as_reported": "the code is today's, and so is its extent, as far as the dated changes tell",
    "renamed": "one region under today's code (rename, upgrade, transfer)",
    "merged": "several reported regions make today's: summed, or computed again from what was summed",
    "split": "by the shares of regions that were divided; estimated",
    "recomputed": "a rate of which a part was read on today's map",
    "left_unsplit": "left at the reported code: it was divided, and nobody says in which shares",
    "left_incomplete": "left at the reported code: a region that belongs to today's has no figure, or cannot be moved",
    "left_not_additive": "left at the reported code: figures of this indicator cannot be summed, nor computed again",
    "left_not_recomputable": "left at the reported code: a part of the rate cannot be read on today's map",
    "left_conflict": "left at the reported code: today's region has a figure of its own",
    "left_other_province": "left at the reported code: today it belongs to another province, whose sums it would change",
    "unmapped": "left at the reported code: neither the current list nor a dated change explains it",
    "moved": "the reported figure is part of another row; such rows are not shown",
}
"""What a row of the harmonised map is."""

_NO_RANK = len(STATUSES) - 1
_AREAS = len(AREA_TYPES)


def observation_harmonised(
    figures: pd.DataFrame, catalogue: Catalogue, slices: Collection[Slice] | None = None
) -> pd.DataFrame:
    """The rows that differ on today's map, of ``slices`` (None: all): columns :data:`HARMONISED_COLUMNS`, sorted by keys.

    A row replaces the reported one of the same keys, or is added; ``moved`` takes it away. Counts (aggregation ``sum``) are
    summed; weighted means are Σ w x / Σ w over the members; rates are computed again from their parts on today's map;
    what is of one region is carried over. Statuses are the weakest of the parts, a split is estimated.

    ``figures`` must hold what the slices rest on (:func:`warehouse.dependencies.required_slices`).
    """
    succession = succession_of(catalogue)
    touched = _touched(figures, succession)
    is_derived = _of_kind(touched, catalogue, "derived")
    base, derived = touched[~is_derived], touched[is_derived & in_slices(touched, slices)]
    rows = _Gathered()
    for status, codes in _by_status(succession).items():
        rows.add_frame(touched[np.isin(touched["region_key"].to_numpy(), codes)], status)
    means = _Means(catalogue, succession, Panel.of(base))
    on_todays_map = _Gathered()
    for block in _blocks(base, succession):
        for bundle in block.bundles:
            _place_base(rows, on_todays_map, block, bundle, means)
    rates = derive_indicators(on_todays_map.figures(figures), catalogue, slices)
    _place_rates(rows, rates, derived, succession)
    return rows.frame(figures, slices)


# --- what is gathered ---


@dataclass
class _Gathered:
    """Rows of figures, gathered as arrays."""

    parts: list[pd.DataFrame] = field(default_factory=list)

    def add(
        self, keys: IntArray, region: int, values: FloatArray, ranks: RankArray, status: str, codes: Any = None
    ) -> None:
        """Rows of one region; ``keys`` are [rows × (indicator, period, area)]. Without ``codes`` they are its own."""
        if keys.size:
            made = {"indicator_key": keys[:, 0], "period_key": keys[:, 1], "area_key": keys[:, 2]}
            told = f"{region:06d}" if codes is None else codes
            self.parts.append(
                pd.DataFrame(
                    made
                    | {
                        "region_key": region,
                        "value": values,
                        "rank": ranks,
                        "map_status": status,
                        "reported_codes": told,
                    }
                )
            )

    def add_frame(self, frame: pd.DataFrame, status: str) -> None:
        """Rows as they are, under their own codes."""
        if len(frame):
            codes = frame["region_key"].map("{:06d}".format)
            self.parts.append(frame.assign(map_status=status, reported_codes=codes))

    def figures(self, like: pd.DataFrame) -> pd.DataFrame:
        """The rows as a frame of figures, typed as ``like``."""
        columns = [*(name for name in FIGURE_COLUMNS if name != "obs_status"), "rank", "map_status", "reported_codes"]
        empty = pd.DataFrame({name: pd.Series(dtype="object") for name in columns})
        found = pd.concat([part[columns] for part in self.parts], ignore_index=True) if self.parts else empty
        found = found.astype(
            {name: like[name].dtype for name in FIGURE_COLUMNS if name != "obs_status"} | {"rank": "int8"}
        )
        # All letters are categories: a split is estimated, be there another estimate or not.
        return found.assign(obs_status=status_letters(found["rank"].to_numpy()))

    def frame(self, like: pd.DataFrame, slices: Collection[Slice] | None) -> pd.DataFrame:
        """The mart's rows."""
        found = self.figures(like)
        found = found[in_slices(found, slices)]
        keys = ["indicator_key", "period_key", "region_key", "area_key"]
        return found.sort_values(keys, ignore_index=True)[list(HARMONISED_COLUMNS)]


# --- what is read ---


def _touched(figures: pd.DataFrame, succession: Succession) -> pd.DataFrame:
    """Figures of codes that are ended, or part of a change, with the rank of their status."""
    codes = np.array(sorted({int(code) for group in (*succession.groups, succession.stays) for code in group}))
    touched = figures[np.isin(figures["region_key"].to_numpy(), codes)]
    return touched.assign(rank=status_ranks(touched["obs_status"]))


def _of_kind(figures: pd.DataFrame, catalogue: Catalogue, kind: str) -> BoolArray:
    keys = [indicator.indicator_key for indicator in catalogue.indicators.values() if indicator.kind == kind]
    return np.isin(figures["indicator_key"].to_numpy(), np.array(keys, dtype=np.int64))


def _by_status(succession: Succession) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for code, status in succession.stays.items():
        found.setdefault(status, []).append(int(code))
    return found


@dataclass(frozen=True, eq=False)
class _Block:
    """Figures of one group of codes in slices that are on one map: arrays are [slices × area types × codes]."""

    bundles: list[Bundle]
    slices: IntArray
    codes: dict[str, int]
    values: FloatArray
    is_there: BoolArray
    ranks: RankArray
    """Best where nothing is there."""

    def of(self, members: Collection[str]) -> tuple[FloatArray, BoolArray, RankArray]:
        """Values, presence and ranks of some codes; a code that no return names has no figure."""
        shape = (*self.values.shape[:2], len(members))
        values, ranks = np.full(shape, np.nan), np.full(shape, _NO_RANK, dtype=np.int8)
        is_there = np.zeros(shape, dtype=bool)
        for column, code in enumerate(members):
            if code in self.codes:
                at = self.codes[code]
                values[:, :, column], ranks[:, :, column] = self.values[:, :, at], self.ranks[:, :, at]
                is_there[:, :, column] = self.is_there[:, :, at]
        return values, is_there, ranks

    def keys(self, chosen: BoolArray) -> IntArray:
        """(indicator, period, area) of the chosen [slices × area types]."""
        row, area = np.nonzero(chosen)
        return np.column_stack([self.slices[row], area])


def _blocks(figures: pd.DataFrame, succession: Succession) -> Iterator[_Block]:
    """The figures of each group of codes, by the map that they are on."""
    for group in succession.groups:
        regions = np.array([int(code) for code in group])
        own = figures[np.isin(figures["region_key"].to_numpy(), regions)]
        if own.empty:
            continue
        pairs = own[["indicator_key", "period_key"]].to_numpy(np.int64)
        slices, row = np.unique(pairs, axis=0, return_inverse=True)
        column = np.searchsorted(regions, own["region_key"].to_numpy())
        at = (row.ravel(), own["area_key"].to_numpy(np.int64), column)
        shape = (len(slices), _AREAS, len(group))
        values, ranks = np.full(shape, np.nan), np.full(shape, _NO_RANK, dtype=np.int8)
        is_there = np.zeros(shape, dtype=bool)
        values[at], ranks[at], is_there[at] = own["value"].to_numpy(), own["rank"].to_numpy(), True
        days = succession.boundaries(group)
        eras = _eras(slices[:, 1], days)
        used: BoolArray = np.any(is_there, axis=1)
        maps, which = np.unique(np.column_stack([eras, used]), axis=0, return_inverse=True)
        for number, (_, *present) in enumerate(maps.tolist()):
            chosen = which.ravel() == number
            last_day = period_from_key(int(slices[chosen][0, 1])).end
            codes = {code: index for index, code in enumerate(group) if present[index]}
            bundles = succession.bundle(group, last_day, list(codes))
            yield _Block(bundles, slices[chosen], codes, values[chosen], is_there[chosen], ranks[chosen])


def _eras(periods: IntArray, days: list[Any]) -> IntArray:
    """Between which days of change each period ends: the map of its last day."""
    known, which = np.unique(periods, return_inverse=True)
    eras = [bisect.bisect_right(days, period_from_key(int(period)).end) for period in known]
    return np.array(eras, dtype=np.int64)[which.ravel()]


# --- base figures ---


@dataclass(frozen=True, eq=False)
class _Means:
    """What weighted means are weighed with: the reported figures of the members."""

    catalogue: Catalogue
    succession: Succession
    panel: Panel

    def indicator(self, key: int) -> Indicator:
        return self.catalogue.by_key[key]

    def weights(
        self, indicator: Indicator, period: int, area: int, members: Collection[str]
    ) -> tuple[FloatArray, RankArray]:
        """The latest weights of the period's own map with their ranks; NaN where there is none."""
        found, ranks = np.full(len(members), np.nan), np.full(len(members), _NO_RANK, dtype=np.int8)
        if indicator.weight_indicator is None or not self.panel.regions.size:
            return found, ranks
        weight = self.catalogue.indicators[indicator.weight_indicator]
        area = weight_area(indicator, weight, area)
        days = self.succession.boundaries(members)
        own = _eras(np.array([period]), days)
        periods = self.panel.periods.get((weight.indicator_key, area), [])
        known = [each for each in periods if _eras(np.array([each]), days) == own]
        regions = np.array([int(code) for code in members])
        columns = np.minimum(np.searchsorted(self.panel.regions, regions), self.panel.regions.size - 1)
        for each in weight_periods(weight, period, known):
            row = self.panel.rows[weight.indicator_key, each, area]
            is_gap = np.isnan(found) & (self.panel.regions[columns] == regions)
            found[is_gap], ranks[is_gap] = (
                self.panel.values[row, columns][is_gap],
                self.panel.ranks[row, columns][is_gap],
            )
        return found, ranks


def _place_base(rows: _Gathered, on_todays_map: _Gathered, block: _Block, bundle: Bundle, means: _Means) -> None:
    """Base figures of a bundle: moved where they can be, else left; what stands on today's map is given on."""
    values, is_there, ranks = block.of(bundle.members)
    chosen: BoolArray = np.any(is_there, axis=2)
    if bundle.is_one_to_one:
        given = (block.keys(chosen), int(bundle.targets[0]), values[:, :, 0][chosen], ranks[:, :, 0][chosen])
        on_todays_map.add(*given, "renamed")
        if not bundle.is_identity:
            rows.add(*given, "renamed", bundle.members[0])
            _take_away(rows, block, bundle, chosen)
        return
    if bundle.obstacles:
        _leave(rows, block, bundle, chosen, "left_incomplete")
        return
    is_whole, counted = _complete(block, values, means)
    is_blank: BoolArray = np.all(is_there & np.isnan(values), axis=2)  # blanks together are a blank
    weakest = np.where(np.isnan(values) & ~is_blank[:, :, None], _NO_RANK, ranks).min(axis=2).astype(np.int8)
    moved, is_summable = _aggregate(block, bundle, counted, is_whole, weakest, means)
    # Also where both are blank because neither can exist, which counts as 0 beside a member that can.
    moved[is_blank] = np.nan
    can = chosen & (is_whole & is_summable | is_blank)
    _leave(rows, block, bundle, chosen & ~is_whole & ~is_blank, "left_incomplete")
    _leave(rows, block, bundle, chosen & is_whole & ~is_summable, "left_not_additive")
    if bundle.is_split:
        weakest = np.minimum(weakest, ESTIMATED_RANK)
    status, told = "split" if bundle.is_split else "merged", _told(bundle.members, is_there[can])
    for index, target in enumerate(bundle.targets):
        given = (block.keys(can), int(target), moved[:, :, index][can], weakest[can])
        rows.add(*given, status, told)
        on_todays_map.add(*given, status)
    _take_away(rows, block, bundle, can)


def _complete(block: _Block, values: FloatArray, means: _Means) -> tuple[BoolArray, FloatArray]:
    """Where every member has its figure, and the figures with 0 for those that cannot exist.

    Under the administrative definition a county unit is urban or rural: the other side of it is not missing.
    """
    has = ~np.isnan(values)
    is_administrative = np.array(
        [means.indicator(key).area_definition == "administrative" for key in block.slices[:, 0].tolist()]
    )
    cannot = np.zeros_like(has)
    for side, other in ((1, 2), (2, 1)):
        cannot[:, side] = ~has[:, side] & has[:, other] & is_administrative[:, None]
    is_whole: BoolArray = np.all(has | cannot, axis=2) & np.any(has, axis=2)
    return is_whole, np.where(cannot, 0.0, values)


def _aggregate(
    block: _Block, bundle: Bundle, values: FloatArray, is_whole: BoolArray, weakest: RankArray, means: _Means
) -> tuple[FloatArray, BoolArray]:
    """[slices × area types × targets] by each indicator's aggregation, and where there is such a thing.

    A mean is as weak as its weights: ``weakest`` is lowered to theirs.
    """
    moved = values @ bundle.shares.T
    can = np.zeros(values.shape[:2], dtype=bool)
    for row, (key, period) in enumerate(block.slices.tolist()):
        indicator = means.indicator(key)
        can[row] = indicator.aggregation == "sum"
        if indicator.aggregation == "weighted_mean" and not bundle.is_split:
            for area in np.flatnonzero(is_whole[row]).tolist():
                weights, ranks = means.weights(indicator, period, area, bundle.members)
                total = bundle.shares @ weights
                if (weights >= 0).all() and (total > 0).all():
                    moved[row, area] = bundle.shares @ (weights * values[row, area]) / total
                    weakest[row, area] = min(weakest[row, area], ranks.min())
                    can[row, area] = True
    return moved, can


def _leave(rows: _Gathered, block: _Block, bundle: Bundle, chosen: BoolArray, status: str) -> None:
    """The reported rows of a bundle that cannot be moved, under their own codes."""
    values, is_there, ranks = block.of(bundle.members)
    for column, member in enumerate(bundle.members):
        own = chosen & is_there[:, :, column]
        told = bundle.obstacles.get(member, status)
        rows.add(block.keys(own), int(member), values[:, :, column][own], ranks[:, :, column][own], told)


def _take_away(rows: _Gathered, block: _Block, bundle: Bundle, moved: BoolArray) -> None:
    """The reported rows whose figures stand in another row now."""
    values, is_there, ranks = block.of(bundle.members)
    for column, member in enumerate(bundle.members):
        if member not in bundle.targets:
            own = moved & is_there[:, :, column]
            rows.add(block.keys(own), int(member), values[:, :, column][own], ranks[:, :, column][own], "moved")


def _told(members: tuple[str, ...], is_there: BoolArray) -> npt.NDArray[np.object_]:
    """The codes whose figures make each row."""
    patterns, which = np.unique(is_there.reshape(-1, len(members)), axis=0, return_inverse=True)
    told = [";".join(code for code, used in zip(members, row, strict=True) if used) for row in patterns.tolist()]
    return np.array(told, dtype=object)[which.ravel()]


# --- rates ---


def _place_rates(rows: _Gathered, rates: pd.DataFrame, reported: pd.DataFrame, succession: Succession) -> None:
    """Rates of today's regions as they were computed again; where they could not be, they stay as reported."""
    made = _Rates.of(rates)
    for block in _blocks(reported, succession):
        for bundle in block.bundles:
            _place_rate(rows, made, block, bundle)
    is_new = ~made.is_placed
    keys = made.keys[is_new]
    for region in np.unique(made.regions[is_new]).tolist():
        own = made.regions[is_new] == region
        rows.add(keys[own], region, made.values[is_new][own], made.ranks[is_new][own], "recomputed")


@dataclass(frozen=True, eq=False)
class _Rates:
    """Rates that were computed on today's map, and which of them have their place."""

    keys: IntArray
    regions: IntArray
    values: FloatArray
    ranks: RankArray
    index: pd.MultiIndex
    is_placed: BoolArray

    @classmethod
    def of(cls, rates: pd.DataFrame) -> _Rates:
        keys = rates[["indicator_key", "period_key", "area_key"]].to_numpy(np.int64)
        regions = rates["region_key"].to_numpy(np.int64)
        index = pd.MultiIndex.from_arrays([*keys.T, regions])
        values, ranks = rates["value"].to_numpy(np.float64), status_ranks(rates["obs_status"])
        return cls(keys, regions, values, ranks, index, np.zeros(len(rates), dtype=bool))

    def place(self, keys: IntArray, region: int) -> tuple[FloatArray, RankArray]:
        """Values (NaN: could not be computed) and ranks of a region, which have their place from now on."""
        wanted = pd.MultiIndex.from_arrays([*keys.T, np.full(len(keys), region)])
        at = self.index.get_indexer(wanted) if len(self.index) else np.full(len(keys), -1)
        self.is_placed[at[at >= 0]] = True
        values, ranks = np.append(self.values, np.nan), np.append(self.ranks, np.int8(_NO_RANK))
        return values[at], ranks[at]


def _place_rate(rows: _Gathered, made: _Rates, block: _Block, bundle: Bundle) -> None:
    values, is_there, ranks = block.of(bundle.members)
    chosen: BoolArray = np.any(is_there, axis=2)
    keys = block.keys(chosen)
    if not keys.size:
        return
    told = _told(bundle.members, is_there[chosen])
    found = [made.place(keys, int(target)) for target in bundle.targets]
    if bundle.is_one_to_one:
        own, own_ranks = values[:, :, 0][chosen], ranks[:, :, 0][chosen]
        again, again_ranks = found[0]
        if bundle.is_identity:
            is_other = ~np.isnan(again) & ~np.isclose(again, own, rtol=1e-12, atol=0.0)
            region = int(bundle.targets[0])
            rows.add(keys[is_other], region, again[is_other], again_ranks[is_other], "recomputed")
            is_lost = np.isnan(again) & ~np.isnan(own)
            rows.add(keys[is_lost], region, own[is_lost], own_ranks[is_lost], "left_not_recomputable")
        else:
            rows.add(keys, int(bundle.targets[0]), own, own_ranks, "renamed", bundle.members[0])
            _take_away(rows, block, bundle, chosen)
        return
    is_made: BoolArray = (
        np.all([~np.isnan(value) for value, _ in found], axis=0) if found else np.zeros(len(keys), bool)
    )
    is_made &= not bundle.obstacles
    way = "split" if bundle.is_split else "merged"
    for target, (value, rank) in zip(bundle.targets, found, strict=True):
        rows.add(keys[is_made], int(target), value[is_made], rank[is_made], way, told[is_made])
    can = chosen.copy()
    can[chosen] = is_made
    _take_away(rows, block, bundle, can)
    _leave(rows, block, bundle, chosen & ~can, "left_not_recomputable")
