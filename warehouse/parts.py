"""Which parts a computed figure takes, kept as rules a slice at a time: what lineage is told from.

Here: from formulas and known periods to the rows of ``core.lineage_part``, and writing them. Not here: which part a region
takes where it lacks the first choice (the view ``core.lineage`` picks the first that has a value, as
:meth:`warehouse.panels.Panel.part` does); computing.

The rules come from the functions that computing itself asks (:func:`warehouse.deriving.rate_parts`,
:mod:`warehouse.stocks`, :mod:`warehouse.differencing`), so that the two cannot part ways. They have vintages as figures
have: what a figure of an earlier release was made of stays known when a formula changes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection

from warehouse.bulk import replace_temporary
from warehouse.catalogue import Catalogue, Indicator
from warehouse.deriving import rate_parts
from warehouse.differencing import is_single_span, parts_of
from warehouse.panels import AREA_KEYS, NATION, Slice, weight_area
from warehouse.schema import lineage_part, release
from warehouse.stocks import part_periods, weight_periods

Result = Literal["figure", "nation", "inequality"]
KnownPeriods = Mapping[int, Collection[int]]
BEFORE_RULES = "-infinity"
"""Since when rules hold for figures that were computed before rules were kept."""


class PartRule(NamedTuple):
    """A row of ``core.lineage_part`` but its validity."""

    indicator_key: int
    period_key: int
    area_key: int
    result: Result
    place: int
    choice: int
    role: str
    factor: float
    part_indicator_key: int
    part_period_key: int
    part_area_key: int


_RULE_TYPES = (
    ("indicator_key", "smallint"),
    ("period_key", "integer"),
    ("area_key", "smallint"),
    ("result", "text"),
    ("place", "smallint"),
    ("choice", "smallint"),
    ("role", "text"),
    ("factor", "double precision"),
    ("part_indicator_key", "smallint"),
    ("part_period_key", "integer"),
    ("part_area_key", "smallint"),
)
_SLICE_TYPES = (("indicator_key", "smallint"), ("period_key", "integer"))


class _Part(NamedTuple):
    """A part of a formula: what it does there, and the periods that may stand for it, best first."""

    role: str
    factor: float
    indicator_key: int
    area_key: int
    periods: Iterable[int]


def figure_rules(computed: pd.DataFrame, catalogue: Catalogue, known: KnownPeriods) -> list[PartRule]:
    """Rules of computed figures, one set a slice and area type, for regions and for the nation.

    ``computed``: indicator_key, period_key, area_key, region_key; ``known`` as in :mod:`warehouse.dependencies`.
    """
    keys = computed[["indicator_key", "period_key", "area_key"]].assign(is_nation=computed["region_key"] == NATION)
    rules: list[PartRule] = []
    for indicator_key, period, area, is_nation in keys.drop_duplicates().itertuples(index=False, name=None):
        if indicator_key not in catalogue.by_key:
            continue
        key = (int(indicator_key), int(period), int(area))
        find = _nation_parts if is_nation else _region_parts
        rules += _numbered(key, "nation" if is_nation else "figure", find(key, catalogue, known))
    return rules


def inequality_rules(slices: Collection[Slice], catalogue: Catalogue, known: KnownPeriods) -> list[PartRule]:
    """Rules of what inequality compares: the indicator's figures, and the weights where it has any."""
    rules: list[PartRule] = []
    for indicator_key, period in sorted(slices):
        indicator = catalogue.by_key[indicator_key]
        if indicator.is_comparable:
            for area in indicator.area_types:
                key = (indicator_key, period, AREA_KEYS[area])
                rules += _numbered(key, "inequality", [_own(key), *_weight(indicator, key, catalogue, known)])
    return rules


def _region_parts(key: tuple[int, int, int], catalogue: Catalogue, known: KnownPeriods) -> Iterator[_Part]:
    indicator_key, period, area = key
    indicator = catalogue.by_key[indicator_key]
    if indicator.kind == "derived":
        yield from _rate_parts(indicator, period, area, catalogue, known)
    elif is_single_span((indicator_key, period), catalogue):
        spans = parts_of(period)
        if spans is not None:
            yield _Part("longer", 1.0, indicator_key, area, spans.longer)
            if spans.shorter is not None:
                yield _Part("shorter", -1.0, indicator_key, area, [spans.shorter])


def _nation_parts(key: tuple[int, int, int], catalogue: Catalogue, known: KnownPeriods) -> Iterator[_Part]:
    indicator = catalogue.by_key[key[0]]
    if indicator.kind == "derived":
        yield from _rate_parts(indicator, key[1], key[2], catalogue, known)
    else:
        yield _own(key)
        if indicator.aggregation == "weighted_mean":
            yield from _weight(indicator, key, catalogue, known)


def _rate_parts(
    indicator: Indicator, period: int, area: int, catalogue: Catalogue, known: KnownPeriods
) -> Iterator[_Part]:
    parts = rate_parts(catalogue, indicator, area) or []
    for number, (part, part_area) in enumerate(parts, start=1):
        role, factor = ("denominator", 1.0) if number == len(parts) else ("numerator", indicator.multiplier or 1.0)
        periods = part_periods(part, period, known.get(part.indicator_key, ()))
        yield _Part(role, factor, part.indicator_key, part_area, periods)


def _own(key: tuple[int, int, int]) -> _Part:
    return _Part("member", 1.0, key[0], key[2], [key[1]])


def _weight(
    indicator: Indicator, key: tuple[int, int, int], catalogue: Catalogue, known: KnownPeriods
) -> Iterator[_Part]:
    if indicator.weight_indicator is not None:
        weight = catalogue.indicators[indicator.weight_indicator]
        periods = weight_periods(weight, key[1], known.get(weight.indicator_key, ()))
        yield _Part("weight", 1.0, weight.indicator_key, weight_area(indicator, weight, key[2]), periods)


def _numbered(key: tuple[int, int, int], result: Result, parts: Iterable[_Part]) -> Iterator[PartRule]:
    for place, part in enumerate(parts, start=1):
        for choice, period in enumerate(part.periods, start=1):
            yield PartRule(
                *key, result, place, choice, part.role, part.factor, part.indicator_key, period, part.area_key
            )


def record_rules(
    connection: Connection,
    recorded_at: object,
    slices: Collection[Slice],
    results: Sequence[Result],
    rules: Sequence[PartRule],
) -> None:
    """Make ``rules`` those that hold from ``recorded_at`` on for ``results`` of ``slices``; what is as it was stays.

    What the same refresh wrote before is taken back first, so that computing twice ends as computing once.
    """
    replace_temporary(
        connection, "ruled", _SLICE_TYPES, pd.DataFrame(sorted(slices), columns=[name for name, _ in _SLICE_TYPES])
    )
    replace_temporary(connection, "rule", _RULE_TYPES, pd.DataFrame(rules, columns=list(PartRule._fields)))
    parameters: dict[str, Any] = {"recorded_at": recorded_at, "results": list(results)}
    for statement in (_TAKE_BACK, _REOPEN, _CLOSE, _ADD):
        connection.execute(statement, parameters)


def are_rules_missing(connection: Connection) -> bool:
    """Whether figures were published and no rule was written: they were computed before rules were kept."""
    has_rules = sa.exists().where(lineage_part.c.place > 0)
    return bool(connection.scalar(sa.select(~has_rules & sa.exists().where(release.c.release_id > 0))))


def record_missing_rules(connection: Connection, catalogue: Catalogue, known: KnownPeriods) -> None:
    """Write the rules that the current figures follow, as having held from the beginning."""
    rows = connection.execute(_COMPUTED).all()
    computed = pd.DataFrame(rows, columns=["indicator_key", "period_key", "area_key", "region_key"])
    slices = {(key, period) for key, periods in known.items() if key in catalogue.by_key for period in periods}
    rules = [*figure_rules(computed, catalogue, known), *inequality_rules(slices, catalogue, known)]
    record_rules(connection, BEFORE_RULES, slices, ("figure", "nation", "inequality"), rules)


_SLICE_OF = "l.indicator_key = s.indicator_key AND l.period_key = s.period_key AND l.result = ANY(:results)"
_SAME = " AND ".join(f"n.{name} = l.{name}" for name in PartRule._fields)
_COLUMNS = ", ".join(PartRule._fields)
_MOMENT = "CAST(:recorded_at AS timestamptz)"
_TAKE_BACK = sa.text(
    f"DELETE FROM core.lineage_part l USING pg_temp.ruled s WHERE {_SLICE_OF} AND l.recorded_at = {_MOMENT}"  # noqa: S608
)
_REOPEN = sa.text(
    "UPDATE core.lineage_part l SET superseded_at = 'infinity' FROM pg_temp.ruled s"  # noqa: S608
    f" WHERE {_SLICE_OF} AND l.superseded_at = {_MOMENT}"
)
_CLOSE = sa.text(
    f"UPDATE core.lineage_part l SET superseded_at = {_MOMENT} FROM pg_temp.ruled s"  # noqa: S608
    f" WHERE {_SLICE_OF} AND l.superseded_at = 'infinity' AND NOT EXISTS (SELECT FROM pg_temp.rule n WHERE {_SAME})"
)
_ADD = sa.text(
    f"INSERT INTO core.lineage_part ({_COLUMNS}, recorded_at) SELECT {_COLUMNS}, {_MOMENT} FROM pg_temp.rule n"  # noqa: S608
    f" WHERE n.result = ANY(:results) AND NOT EXISTS"
    f" (SELECT FROM core.lineage_part l WHERE l.superseded_at = 'infinity' AND {_SAME})"
)
_COMPUTED = sa.text(
    "SELECT DISTINCT indicator_key, period_key, area_key, CASE WHEN region_key = 0 THEN 0 ELSE 1 END AS region_key"
    " FROM core.observation WHERE superseded_at = 'infinity' AND receipt_id IS NULL"
)
