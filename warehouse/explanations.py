"""Why a row of a mart says what it says: its formula with the numbers in it, and the figures it rests on.

Here: finding the row, or what there is near it, its formula and its measures. Not here: which figures a row of any mart rests
on (:mod:`warehouse.resting`, :mod:`warehouse.school_figures`), what those are made of (:mod:`warehouse.lineage`), rendering
(pipelines).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from warehouse import measures as formulas_of_measures
from warehouse.catalogue import Catalogue, Measure, load_catalogue
from warehouse.errors import AmbiguousMartRowError, NoSuchMartRowError, NothingInForceError
from warehouse.formulas import attainment_formula, gap_formulas, inequality_formulas, measures_of, number
from warehouse.lineage import Figure, FigureKey, choose_extremes, trace_figures
from warehouse.marts.registry import MARTS
from warehouse.periods import parse_period
from warehouse.resting import find_rest
from warehouse.schema import AREA_TYPES
from warehouse.school_figures import trace_schools

Mart = str
"""Name of a view in ``mart``: one of :data:`DIMENSIONS`."""

_CODES = {
    "indicator_key": "indicator_code",
    "period_key": "period_code",
    "region_key": "region_code",
    "area_key": "area_type",
    "member_key": "member_code",
    "standard_key": "floor_kind",
}
"""Columns of readers by the keys of the tables."""


def _dimensions() -> dict[Mart, tuple[str, ...]]:
    found = {
        name: tuple(_CODES.get(key.name, key.name) for key in mart.table.primary_key if key.name != "release_from")
        for name, mart in MARTS.items()
    }
    return {
        "observation": ("indicator_code", "period_code", "region_code", "area_type"),
        **found,
        "school_resource": ("indicator_code", "period_code", "region_code", "school_code"),
    }


DIMENSIONS: Mapping[Mart, tuple[str, ...]] = _dimensions()
"""What names a row of each mart."""

_DEFAULTS = {"region_code": "000000", "area_type": "total", "scope": "nation:province", "weighting": "none"}
_OF_SCHOOLS = ("county_balance", "school_resource")
_OWN_FORMULA = ("observation", "attainment", "urban_rural_gap", "inequality")

_NEARBY = 6
_CHOICES = 12
_CLOSE = 0.5


@dataclass(frozen=True)
class Unit:
    """A figure that a row rests on; in an inequality by people with what weighs it."""

    figure: Figure
    weight: Figure | None = None
    role: str = ""
    """What it does in the row; blank: the row is of it."""


@dataclass(frozen=True)
class Told:
    """A measure of the row: what it is, and what it must not be used for."""

    measure: str
    name_zh: str
    name_en: str
    unit: str
    values: Mapping[str, Any]
    """By column."""
    definition: str
    """The formula, as the function that computes it says it; blank where the mart itself has it."""
    not_for: str


@dataclass(frozen=True)
class Explanation:
    """A row of a mart and all it rests on."""

    mart: Mart
    row: Mapping[str, Any]
    """As the mart shows it."""
    release: Mapping[str, Any]
    """``release_id`` and ``in_force_from`` of the release in force."""
    formula: tuple[str, ...]
    recomputed: Mapping[str, float]
    """By column what the formula gives from the figures."""
    units: tuple[Unit, ...]
    """Largest first, then the smallest, where not all are shown."""
    unit_count: int
    """How many it rests on: units, or where a row is of several figures a place, places."""
    shown_count: int
    """How many of them ``units`` has."""
    measures: tuple[Told, ...] = ()

    @property
    def leaves(self) -> tuple[Figure, ...]:
        """The reported figures behind what is shown, each once."""
        figures = [figure for unit in self.units for figure in (unit.figure, unit.weight) if figure is not None]
        return tuple(dict.fromkeys(leaf for figure in figures for leaf in figure.leaves))


def complete(mart: Mart, given: Mapping[str, str]) -> dict[str, str]:
    """What was given, and what is meant unless given: the nation, its provinces as equals, all of a place. Where a mart has
    no row of the nation, or a row of each member of an index, nothing is meant."""
    is_local = mart in _OF_SCHOOLS or (mart in MARTS and MARTS[mart].is_provincial)
    named = DIMENSIONS[mart]
    meant = {name: value for name, value in _DEFAULTS.items() if name in named}
    if is_local:
        meant.pop("region_code", None)
    if "member_code" in named:
        meant.pop("area_type", None)
    return {**meant, **given}


def explain(
    connection: Connection,
    mart: Mart,
    asked: Mapping[str, str],
    shown: int | None = None,
    catalogue: Catalogue | None = None,
) -> list[Explanation]:
    """The row of ``mart`` that ``asked`` names (by its :data:`DIMENSIONS`), explained; of attainment there may be several.

    ``shown``: of more units than that only the largest and the smallest are followed. Raises :class:`NoSuchMartRowError`,
    which names what there is, :class:`AmbiguousMartRowError`, which names what to choose from, or
    :class:`NothingInForceError`.
    """
    release = connection.execute(_RELEASE).mappings().one_or_none()
    if release is None:
        raise NothingInForceError()
    rows = _find_rows(connection, mart, asked)
    if not rows:
        raise NoSuchMartRowError(mart, dict(asked), _find_nearby(connection, mart, asked))
    if len(rows) > 1 and mart != "attainment":
        raise AmbiguousMartRowError(mart, dict(asked), _choices(mart, asked, rows))
    if mart not in _OWN_FORMULA:
        known = catalogue or load_catalogue()
        return [_explain_by_reach(connection, mart, row, dict(release), known, shown) for row in rows]
    if mart == "inequality":
        return [_explain_inequality(connection, row, dict(release), shown) for row in rows]
    figures = _trace_own(connection, mart, asked, shown)
    return [_explain_figures(connection, mart, row, dict(release), figures) for row in rows]


def _find_rows(connection: Connection, mart: Mart, asked: Mapping[str, str]) -> list[dict[str, Any]]:
    view = sa.table(mart, *(sa.column(name) for name in DIMENSIONS[mart]), schema="mart")
    query = sa.select(sa.text("*")).select_from(view).where(*(view.c[name] == value for name, value in asked.items()))
    return [dict(row) for row in connection.execute(query).mappings()]


def _choices(mart: Mart, asked: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Of each dimension that was not asked for the values there are, where there are several."""
    found = {name: sorted({str(row[name]) for row in rows}) for name in DIMENSIONS[mart] if name not in asked}
    return {name: _some(values) for name, values in found.items() if len(values) > 1}


def _some(values: Sequence[str]) -> list[str]:
    more = [f"… {len(values) - _CHOICES:,} more"] if len(values) > _CHOICES else []
    return [*values[:_CHOICES], *more]


def _find_nearby(connection: Connection, mart: Mart, asked: Mapping[str, str]) -> dict[str, list[str]]:
    """What a row could be named instead: of each dimension the nearest values that exist with the others as asked; where
    the mart has nothing of the indicator, indicators of a like name."""
    names = [name for name in DIMENSIONS[mart] if name != "indicator_code" and name in asked]
    found = {name: _values_of(connection, mart, name, {**asked, name: None}) for name in names}
    if not any(found.values()):
        found = {
            name: _values_of(connection, mart, name, {"indicator_code": asked["indicator_code"]}) for name in names
        }
    if not any(found.values()):
        codes = sorted(_values_of(connection, mart, "indicator_code", {}))
        near = difflib.get_close_matches(asked["indicator_code"].upper(), codes, _NEARBY, _CLOSE)
        return {"indicator_code": near or codes[:_NEARBY]}
    return {name: _nearest(name, asked[name], values) for name, values in found.items() if values}


def _values_of(connection: Connection, mart: Mart, name: str, asked: Mapping[str, str | None]) -> list[str]:
    view = sa.table(mart, *(sa.column(dimension) for dimension in DIMENSIONS[mart]), schema="mart")
    given = [view.c[dimension] == value for dimension, value in asked.items() if value is not None]
    return [str(value) for value in connection.scalars(sa.select(view.c[name]).where(*given).distinct())]


def _nearest(name: str, wanted: str, values: Sequence[str]) -> list[str]:
    if name == "period_code":
        middle = parse_period(wanted)
        ranked = sorted(values, key=lambda code: (parse_period(code).kind != middle.kind, _days(code, wanted), code))
    else:
        ranked = sorted(values, key=lambda value: (-difflib.SequenceMatcher(None, wanted, value).ratio(), value))
    more = [f"… {len(ranked) - _NEARBY:,} more"] if len(ranked) > _NEARBY else []
    return ranked[:_NEARBY] + more


def _days(one: str, other: str) -> int:
    return abs((parse_period(one).start - parse_period(other).start).days)


def _key_of(connection: Connection, asked: Mapping[str, str], area_type: str) -> FigureKey:
    indicator_key = connection.scalar(_INDICATOR_KEY, {"code": asked["indicator_code"]})
    period_key, region_key = parse_period(asked["period_code"]).key, int(asked.get("region_code", 0))
    return (int(indicator_key or 0), period_key, region_key, AREA_TYPES.index(area_type))


def _trace_own(connection: Connection, mart: Mart, asked: Mapping[str, str], shown: int | None) -> list[Figure]:
    areas = ["urban", "rural"] if mart == "urban_rural_gap" else [asked["area_type"]]
    return list(trace_figures(connection, [_key_of(connection, asked, area) for area in areas], shown).values())


def _explain_figures(
    connection: Connection, mart: Mart, row: Mapping[str, Any], release: Mapping[str, Any], figures: list[Figure]
) -> Explanation:
    formula: tuple[str, ...]
    recomputed: dict[str, float] = {}
    if mart == "attainment":
        op = connection.scalar(_OPERATOR, {"code": row["indicator_code"], "value": row["floor_value"]})
        formula = (attainment_formula(row, str(op)),)
        margin = (row["value"] - row["floor_value"]) / abs(row["floor_value"])
        recomputed = {"margin": margin if op == ">=" else -margin}
    elif mart == "urban_rural_gap":
        formula = gap_formulas(row)
        recomputed = {"difference": row["urban_value"] - row["rural_value"]}
        if row["ratio"] is not None:
            recomputed["ratio"] = row["urban_value"] / row["rural_value"]
    else:
        [figure] = figures
        formula = (figure.formula,) if figure.formula else ("reported: the figure stands in a return",)
        recomputed = {} if figure.recomputed is None else {"value": figure.recomputed}
    units = tuple(Unit(figure) for figure in figures)
    return Explanation(mart, row, release, formula, recomputed, units, len(units), len(units))


def _explain_inequality(
    connection: Connection, row: Mapping[str, Any], release: Mapping[str, Any], shown: int | None
) -> Explanation:
    asked = {name: str(row[name]) for name in DIMENSIONS["inequality"]}
    key = _key_of(connection, asked, asked["area_type"])
    named = {"indicator": key[0], "period": key[1], "area": key[3], "scope": asked["scope"], "code": asked["scope"][:2]}
    units = {unit.region_key: unit for unit in connection.execute(_UNITS, named)}
    is_weighted = asked["weighting"] == "population"
    if is_weighted:
        units = {region: unit for region, unit in units.items() if unit.weight}
    values, groups = [unit.value for unit in units.values()], [unit.group_code for unit in units.values()]
    weights = [unit.weight for unit in units.values()] if is_weighted else None
    measures = measures_of(values, weights, groups)
    chosen = choose_extremes({region: unit.value for region, unit in units.items()}, shown)
    weight_keys = {region: _weight_key(units[region]) for region in chosen} if is_weighted else {}
    own = {region: (key[0], key[1], region, key[3]) for region in chosen}
    figures = trace_figures(connection, [*own.values(), *weight_keys.values()])
    made = tuple(Unit(figures[own[region]], figures[weight_keys[region]] if is_weighted else None) for region in chosen)
    weight_name = next((unit.weight.indicator_code for unit in made if unit.weight), None)
    total = sum(weights) if weights is not None else float(len(units))
    return Explanation(
        mart="inequality",
        row=row,
        release=release,
        formula=inequality_formulas(row, measures, total, weight_name),
        recomputed={name: measures[name] for name in measures if row[name] is not None},
        units=made,
        unit_count=len(units),
        shown_count=len(made),
    )


def _explain_by_reach(
    connection: Connection,
    mart: Mart,
    row: Mapping[str, Any],
    release: Mapping[str, Any],
    catalogue: Catalogue,
    shown: int | None,
) -> Explanation:
    """A row of any mart: what its measures are, and the figures it rests on by what the registry says of the mart."""
    told = tuple(_told(measure, row) for measure in catalogue.measures if measure.mart == mart)
    recomputed: dict[str, float] = {}
    if mart in _OF_SCHOOLS:
        schools, count = trace_schools(connection, row, catalogue, shown)
        units = tuple(Unit(school) for school in schools)
        shown_count = len({unit.figure.school_code for unit in units})
    else:
        rest = find_rest(connection, mart, row, catalogue, int(release["release_id"]), shown)
        keys = [key for need in rest.needs for key in (need.key, need.weight) if key is not None]
        figures = trace_figures(connection, keys, shown)
        units = tuple(
            Unit(figures[need.key], None if need.weight is None else figures[need.weight], need.role)
            for need in rest.needs
        )
        shown_count, count = rest.places_shown, rest.place_count
        recomputed = _figures_of_row(row, units)
    return Explanation(mart, row, release, _formula(mart, told), recomputed, units, count, shown_count, told)


def _told(measure: Measure, row: Mapping[str, Any]) -> Told:
    function = getattr(formulas_of_measures, measure.measure, None)
    first = (function.__doc__ or "").strip().split("\n\n")[0] if function is not None else ""
    values = {name: row.get(name) for name in measure.columns}
    definition = " ".join(first.split())
    return Told(measure.measure, measure.name_zh, measure.name_en, measure.unit, values, definition, measure.not_for)


def _formula(mart: Mart, told: Sequence[Told]) -> tuple[str, ...]:
    """What the mart is, and of each measure its values with unit, its formula and what it is not for."""
    lines = [MARTS[mart].description if mart in MARTS else "A school of a pilot county, as its roster has it."]
    for measure in told:
        values = ", ".join(f"{name} = {_value(value)}" for name, value in measure.values.items())
        lines.append(f"{measure.name_zh} {measure.name_en}: {values} ({measure.unit})")
        lines += [f"formula: {measure.definition}"] if measure.definition else []
        lines.append(f"not for: {measure.not_for}")
    return tuple(lines)


def _value(value: Any) -> str:
    return number(value) if value is None or isinstance(value, float) else str(value)


def _figures_of_row(row: Mapping[str, Any], units: Sequence[Unit]) -> dict[str, float]:
    """The columns of a row by region that are figures, as those followed give them."""
    if row.get("region_code") is None or row.get("map_status", "as_reported") != "as_reported":
        return {}
    places = {
        "value": row["region_code"],
        "nation_value": "000000",
        "best_peer_value": row.get("best_peer_code"),
    }
    named = ("indicator_code", "period_code", "area_type")
    wanted = tuple(row.get(name, "total") for name in named)
    found = {
        unit.figure.region_code: unit.figure
        for unit in units
        if tuple(getattr(unit.figure, name) for name in named) == wanted
    }
    given = {name: found[code] for name, code in places.items() if code in found and row.get(name) is not None}
    values = {name: figure.value if figure.recomputed is None else figure.recomputed for name, figure in given.items()}
    return {name: value for name, value in values.items() if value is not None}


def _weight_key(unit: Any) -> FigureKey:
    return (unit.weight_indicator_key, unit.weight_period_key, unit.region_key, unit.weight_area_key)


_RELEASE = sa.text("SELECT release_id, in_force_from FROM mart.release_in_force")
_INDICATOR_KEY = sa.text("SELECT indicator_key FROM core.indicator WHERE code = :code")
_OPERATOR = sa.text(
    "SELECT s.op FROM core.standard_value s JOIN core.indicator i USING (indicator_key) WHERE i.code = :code"
    " ORDER BY s.value = :value DESC LIMIT 1"
)
# The units as inequality takes them: those of the scope that have a value, each with the first of its weights that it has.
_UNITS = sa.text(
    "WITH held AS (SELECT DISTINCT ON (l.role, o.region_key) l.role, o.indicator_key, o.period_key, o.region_key,"
    " o.area_key, o.value FROM mart.release_in_force pointer"
    " JOIN core.lineage_part l ON l.recorded_at <= pointer.recorded_at AND l.superseded_at > pointer.recorded_at"
    " JOIN core.observation o ON o.indicator_key = l.part_indicator_key AND o.period_key = l.part_period_key"
    " AND o.area_key = l.part_area_key AND o.value IS NOT NULL"
    " AND o.recorded_at <= pointer.recorded_at AND o.superseded_at > pointer.recorded_at"
    " WHERE l.indicator_key = :indicator AND l.period_key = :period AND l.area_key = :area AND l.result = 'inequality'"
    " ORDER BY l.role, o.region_key, l.choice)"
    " SELECT r.region_key, m.value, w.value AS weight, w.indicator_key AS weight_indicator_key,"
    " w.period_key AS weight_period_key, w.area_key AS weight_area_key,"
    " CASE WHEN :scope = 'nation:province' THEN r.region_group WHEN :scope = 'nation:county' THEN left(r.region_code, 2)"
    " WHEN r.region_level = 'prefecture' OR r.parent_code IS NULL THEN r.region_code ELSE r.parent_code END AS group_code"
    " FROM core.region r JOIN held m ON m.region_key = r.region_key AND m.role = 'member'"
    " LEFT JOIN held w ON w.region_key = r.region_key AND w.role = 'weight'"
    " WHERE CASE WHEN :scope = 'nation:province' THEN r.region_level = 'province'"
    " ELSE r.is_county_unit AND (:scope = 'nation:county' OR left(r.region_code, 2) = :code) END ORDER BY r.region_key"
)
