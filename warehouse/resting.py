"""Which figures a row of a mart rests on, by what the registry says of its mart and the row of its places.

Here: from a row to the keys of figures, for all marts alike. Not here: the row (:mod:`warehouse.explanations`), what a figure
is itself made of (:mod:`warehouse.lineage`), schools (:mod:`warehouse.school_figures`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from warehouse.catalogue import Catalogue, Indicator
from warehouse.computing import known_periods
from warehouse.dependencies import KnownPeriods, weight_slices
from warehouse.lineage import FigureKey, choose_extremes
from warehouse.marts.indices import period_of
from warehouse.marts.peer import POPULATION
from warehouse.marts.registry import MARTS, Mart
from warehouse.marts.scopes import county_units, province_units
from warehouse.panels import AREA_KEYS, NATION, Slice, weight_area
from warehouse.periods import parse_period, period_from_key
from warehouse.stocks import weight_periods

Values = Mapping[FigureKey, float | None]
"""Figures that there are; None: a blank cell."""


@dataclass(frozen=True)
class Need:
    """A figure that a row rests on. ``role``: blank of the figures the row is of; ``weight``: what weighs it."""

    role: str
    key: FigureKey
    weight: FigureKey | None = None


@dataclass(frozen=True)
class Rest:
    """What a row rests on: the figures of the places that are followed, and how many places there are."""

    needs: tuple[Need, ...]
    places_shown: int
    place_count: int


@dataclass(frozen=True)
class _Wanted:
    """Figures of an indicator and area type, the periods newest first."""

    indicator: Indicator
    area: int
    periods: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class _Asked:
    """A row with what its mart says of it."""

    mart: Mart
    row: Mapping[str, Any]
    catalogue: Catalogue
    known: KnownPeriods

    @cached_property
    def slice(self) -> Slice:
        keys = {code: key for key, code in self.catalogue.code_by_key.items()}
        return keys[self.row["indicator_code"]], parse_period(self.row["period_code"]).key

    @cached_property
    def rests_on(self) -> set[Slice]:
        return self.mart.rests_on(self.slice, self.catalogue, self.known)

    @property
    def area(self) -> int:
        return AREA_KEYS[self.row.get("area_type") or "total"]

    @cached_property
    def region(self) -> int | None:
        code = self.row.get("region_code")
        return None if code is None else int(code)

    @cached_property
    def indicator(self) -> Indicator | None:
        """None: it is an index."""
        return self.catalogue.by_key.get(self.slice[0])


def find_rest(
    connection: Connection,
    mart: str,
    row: Mapping[str, Any],
    catalogue: Catalogue,
    release_id: int,
    shown: int | None = None,
) -> Rest:
    """What ``row`` of ``mart`` rests on in the release in force.

    Its own slice and those of ``rests_on``, narrowed to the years that the row counts and to its places: its region and what
    that is compared with, or the units of its scope. ``shown``: of more places than that the largest and the smallest.
    """
    asked = _Asked(MARTS[mart], row, catalogue, known_periods(connection, (), release_id))
    own, others = _places(asked)
    wanted = _wanted(asked)
    beside = _beside(asked)
    slices = {(w.indicator.indicator_key, period) for w in (*wanted, *beside) for period in w.periods}
    slices |= {key for key in asked.rests_on if asked.indicator is not None and _is_weighed(asked)}
    budget = {int(row["revenue_region_code"])} if row.get("revenue_region_code") else set()
    values = _read_values(connection, slices, {*own, *others, *budget})
    known_values = {key: value for key, value in values.items() if value is not None}
    ranked = {place: number for place in others if (number := _size(place, wanted, values)) is not None}
    chosen = choose_extremes(ranked, shown)
    needs = [
        *(need for place, role in own.items() for need in _of_place(asked, place, role, wanted, values)),
        *(need for place in chosen for need in _of_place(asked, place, others[place], wanted, known_values)),
        *_needs_beside(asked, beside, [*own, *chosen], values),
    ]
    if not needs:
        needs = _parts(asked, _read_values(connection, asked.rests_on, {*own, *others}))
    of_own = len({need.key[2] for need in needs} & own.keys())
    return Rest(tuple(dict.fromkeys(needs)), of_own + len(chosen), of_own + len(ranked))


# --- whose figures ---


def _places(asked: _Asked) -> tuple[dict[int, str], dict[int, str]]:
    """Places that are always followed, and those of which there may be too many, each with its role."""
    row, region = asked.row, asked.region
    provinces = dict.fromkeys(province_units(asked.catalogue).region_keys.tolist(), "")
    if row.get("reported_codes"):
        return {int(code): "" for code in row["reported_codes"].split(";")}, {}
    if region is None or (region == NATION and "scope" in row):
        return {}, _units(asked, provinces)
    own = {region: ""}
    if row.get("nation_value") is not None:
        own[NATION] = "nation"
    if "peers" in row:
        own |= {int(code): "peer" for code in row["peers"].split(";") if code}
    elif asked.mart.is_provincial:
        return own, {key: "among" for key in provinces if key != region}
    elif region == NATION and "units" in row:
        return own, provinces
    return own, {}


def _units(asked: _Asked, provinces: dict[int, str]) -> dict[int, str]:
    scope = asked.row.get("scope", "nation:province")
    if scope == "nation:province":
        return provinces
    counties = county_units(asked.catalogue).region_keys.tolist()
    return {key: "" for key in counties if scope == "nation:county" or f"{key:06d}"[:2] == scope[:2]}


# --- which figures of a place ---


def _wanted(asked: _Asked) -> list[_Wanted]:
    """The figures that the row is of."""
    if asked.indicator is None:
        return _members(asked)
    periods = {period for key, period in asked.rests_on if key == asked.slice[0]} | {asked.slice[1]}
    if asked.row.get("first_period_code"):
        first = parse_period(asked.row["first_period_code"]).key
        periods = {period for period in periods if period >= first}
    if asked.row.get("first_year"):
        periods = {period for period in periods if period_from_key(period).year >= asked.row["first_year"]}
    if "base_period_code" in asked.row:
        base = asked.row["base_period_code"]
        periods &= {asked.slice[1]} | ({parse_period(base).key} if base else set())
    return [_Wanted(asked.indicator, asked.area, tuple(sorted(periods, reverse=True)))]


def _members(asked: _Asked) -> list[_Wanted]:
    """Of an index its members: of the row's year, or where the row is of one member, of all years its weight is fitted on."""
    index, year, row = asked.catalogue.index_by_key[asked.slice[0]], period_from_key(asked.slice[1]).year, asked.row
    found = []
    for member in asked.catalogue.index_members[index.code]:
        if row.get("member_code") in (None, member.indicator.code) and row.get("area_type") in (None, member.area_type):
            first, last = (row.get("first_year") or year, row.get("last_year") or year)
            years = sorted({year, *range(first, last + 1)} if "member_code" in row else {year}, reverse=True)
            periods = tuple(period_of(member, number) for number in years)
            found.append(_Wanted(member.indicator, AREA_KEYS[member.area_type], periods))
    return found


def _of_place(asked: _Asked, place: int, role: str, wanted: Iterable[_Wanted], values: Values) -> list[Need]:
    """The figures of a place that there are, blank ones too. Of the nation the newest alone; of a unit of an interval earlier
    ones only where that is missing."""
    needs = []
    for each in wanted:
        keys = [(each.indicator.indicator_key, period, place, each.area) for period in each.periods]
        if role == "nation" or ("plausible_low" in asked.row and keys[0] in values):
            keys = keys[:1]
        needs += [Need(role, key, _weight(asked, key, values)) for key in keys if key in values]
    return needs


def _size(place: int, wanted: Iterable[_Wanted], values: Values) -> float | None:
    """What places are ranked by: the newest figure there is."""
    keys = ((each.indicator.indicator_key, period, place, each.area) for each in wanted for period in each.periods)
    return next((value for key in keys if (value := values.get(key)) is not None), None)


# --- what weighs them, and what stands beside them ---


def _is_weighed(asked: _Asked) -> bool:
    return asked.row.get("weighting") == "population" or _is_mapped(asked)


def _is_mapped(asked: _Asked) -> bool:
    return "reported_codes" in asked.row


def _weight(asked: _Asked, key: FigureKey, values: Values) -> FigureKey | None:
    """The figure that weighs another: the latest there is of those that may."""
    indicator = asked.indicator
    if indicator is None or indicator.weight_indicator is None or not _is_weighed(asked):
        return None
    weight = asked.catalogue.indicators[indicator.weight_indicator]
    possible = {period for _, period in weight_slices(key[:2], asked.catalogue, asked.known)}
    area = weight_area(indicator, weight, key[3])
    keys = ((weight.indicator_key, period, key[2], area) for period in weight_periods(weight, key[1], possible))
    return next((each for each in keys if values.get(each) is not None), None)


def _beside(asked: _Asked) -> list[_Wanted]:
    """Other indicators that a row by region rests on, each with the periods that may stand for the row's, latest first."""
    if asked.indicator is None or "scope" in asked.row or _is_mapped(asked):
        return []
    found = []
    for key in sorted({key for key, _ in asked.rests_on if key != asked.slice[0]}):
        other = asked.catalogue.by_key[key]
        possible = [period for indicator, period in asked.rests_on if indicator == key]
        periods = tuple(weight_periods(other, asked.slice[1], possible))
        found += [_Wanted(other, area, periods) for area in _areas_beside(asked, other)]
    return found


def _areas_beside(asked: _Asked, other: Indicator) -> list[int]:
    rule = asked.catalogue.cost_rules.get(asked.row["indicator_code"])
    if rule is not None and "heads" in asked.row and other.code == rule.heads_indicator:
        return [AREA_KEYS[rule.heads_area] if rule.heads_area else asked.area]
    is_shared = "peers" in asked.row and other.code == POPULATION  # peers are alike in their urban share too
    return [AREA_KEYS["total"], AREA_KEYS["urban"]] if is_shared else [AREA_KEYS["total"]]


def _needs_beside(asked: _Asked, beside: Iterable[_Wanted], places: Collection[int], values: Values) -> list[Need]:
    rule = asked.catalogue.cost_rules.get(asked.row["indicator_code"]) if "heads" in asked.row else None
    needs = []
    for each in beside:
        role, of = "beside", places
        if rule is not None and each.indicator.code == rule.heads_indicator:
            role = "heads"
        elif rule is not None:
            code = asked.row.get("revenue_region_code")
            role, of = "budget", [] if code is None else [int(code)]
        for place in of:
            keys = ((each.indicator.indicator_key, period, place, each.area) for period in each.periods)
            needs += [Need(role, key) for key in keys if values.get(key) is not None][:1]
    return needs


def _parts(asked: _Asked, values: Values) -> list[Need]:
    """Where there is no figure of the row's own, those it was made of."""
    return [Need("part", key) for key in sorted(values) if key[3] in (asked.area, AREA_KEYS["total"])]


def _read_values(
    connection: Connection, slices: Collection[Slice], regions: Collection[int]
) -> dict[FigureKey, float | None]:
    ordered = sorted(slices)
    given = {
        "indicators": [key for key, _ in ordered],
        "periods": [period for _, period in ordered],
        "regions": sorted({*regions}),
    }
    rows = connection.execute(_VALUES, given)
    return {(row.indicator_key, row.period_key, row.region_key, row.area_key): row.value for row in rows}


_VALUES = sa.text(
    "SELECT o.indicator_key, o.period_key, o.region_key, o.area_key, o.value FROM mart.release_in_force pointer"
    " CROSS JOIN unnest(CAST(:indicators AS smallint[]), CAST(:periods AS integer[])) AS k (indicator_key, period_key)"
    " JOIN core.observation o ON o.indicator_key = k.indicator_key AND o.period_key = k.period_key"
    " AND o.region_key = ANY(CAST(:regions AS integer[]))"
    " AND o.recorded_at <= pointer.recorded_at AND o.superseded_at > pointer.recorded_at"
)
