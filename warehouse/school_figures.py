"""The schools that a balance of a county rests on, down to the cells of their roster, as figures.

Here: queries on ``core.school_resource`` as of the release in force of the session. Not here: the balance itself
(:mod:`warehouse.marts.county_balance`), other figures (:mod:`warehouse.lineage`).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from warehouse.catalogue import Catalogue
from warehouse.catalogue.models import SchoolLine
from warehouse.formulas import number
from warehouse.lineage import Figure, Part, Source, Vintage, choose_extremes, read_sources
from warehouse.schema import school_resource
from warehouse.schools import PUPILS

_SEPARATOR = "|"
_ALL = "ALL"


def trace_schools(
    connection: Connection, row: Mapping[str, Any], catalogue: Catalogue, shown: int | None = None
) -> tuple[list[Figure], int]:
    """The schools of a row, and how many there are: of a resource what each has a pupil; of a county's verdict all seven.

    A row of one school gives the cells of that school. ``shown``: of more schools than that the largest and the smallest.
    """
    lines = [line for line in catalogue.school_lines if row.get("resource_code") in (None, _ALL, line.resource_code)]
    asked = {name: row[name] for name in ("indicator_code", "period_code", "region_code")}
    every = list(connection.execute(_SCHOOLS, {**asked, "school": row.get("school_code")}))
    current = [school for school in every if school.is_current]
    schools = dict(enumerate(current))
    chosen = choose_extremes({number: _size(school, lines) for number, school in schools.items()}, shown)
    sources = read_sources(connection, current)
    found: list[Figure] = []
    for place in chosen:
        school = schools[place]
        older = [each for each in every if each.school_code == school.school_code and not each.is_current]
        cells = _cells(school, older, catalogue, sources)
        if "school_code" in row:
            found += cells.values()
        else:
            found += [made for line in lines if (made := _amount(school, line, cells)) is not None]
    return found, len(current)


def _size(school: Any, lines: Sequence[SchoolLine]) -> float:
    """What schools are ranked by: the resource a pupil; where a row has all, the pupils."""
    pupils = school.pupils or 0.0
    if len(lines) > 1 or not pupils:
        return float(pupils) if len(lines) > 1 else 0.0
    return float(getattr(school, lines[0].column) or 0.0) * lines[0].scale / float(pupils)


def _cells(
    school: Any,
    older: Sequence[Any],
    catalogue: Catalogue,
    sources: Mapping[tuple[int, datetime.datetime], Source],
) -> dict[str, Figure]:
    """The cells of a school by item; one in quarantine is none."""
    items = [(PUPILS, "学生数", "person", "pupils")]
    items += [(line.resource_code, line.amount_zh, line.amount_unit, line.column) for line in catalogue.school_lines]
    addresses = school.addresses.split(_SEPARATOR)
    found: dict[str, Figure] = {}
    for place, ((code, name, unit, column), address) in enumerate(zip(items, addresses, strict=True)):
        if address:
            figure = _figure(school, code, name, unit, getattr(school, column))
            earlier = tuple(_vintage(each, column, place) for each in older)
            found[code] = replace(figure, source=sources.get((school.receipt_id, school.recorded_at)), source_cell=address,
                                earlier=earlier)  # fmt: skip
    return found


def _amount(school: Any, line: SchoolLine, cells: Mapping[str, Figure]) -> Figure | None:
    """What a school has of a resource a pupil, of the two cells."""
    top, below = cells.get(line.resource_code), cells.get(PUPILS)
    if top is None and below is None:
        return None
    parts = [Part("numerator", line.scale, top)] if top is not None else []
    parts += [Part("denominator", 1.0, below)] if below is not None else []
    value = None
    if top is not None and below is not None and top.value is not None and below.value:
        value = line.scale * top.value / below.value
    numbers = " / ".join(number(part.figure.value) for part in parts)
    formula = (
        f"{number(line.scale)} × {line.resource_code} / {PUPILS} = {number(line.scale)} × {numbers} = {number(value)}"
        if value is not None
        else f"{number(line.scale)} × {line.resource_code} / {PUPILS}: nothing, for one of them is blank or in quarantine"
    )
    made = _figure(school, line.resource_code, line.name_zh, line.unit, value)
    return replace(made, formula=formula, recomputed=value, parts=tuple(parts), regions=1)


def _figure(school: Any, code: str, name: str, unit: str, value: float | None) -> Figure:
    return Figure(
        indicator_code=code,
        indicator_name=name,
        period_code=school.period_code,
        region_code=school.region_code,
        region_name=school.region_name,
        area_type="total",
        value=value,
        unit=unit,
        obs_status=school.obs_status,
        release_id=school.release_id,
        recorded_at=school.recorded_at,
        source=None,
        source_cell=None,
        formula=None,
        recomputed=None,
        parts=(),
        regions=0,
        earlier=(),
        school_code=school.school_code,
    )


def _vintage(school: Any, column: str, place: int) -> Vintage:
    return Vintage(
        getattr(school, column),
        school.obs_status,
        school.recorded_at,
        school.superseded_at,
        school.end_reason,
        school.release_id,
        school.receipt_id,
        school.sha256,
        school.addresses.split(_SEPARATOR)[place] or None,
    )


_COLUMNS = [f"s.{column.name}" for column in school_resource.c if column.name != "superseded_at"]
_SCHOOLS = sa.text(
    f"SELECT {', '.join(_COLUMNS)}, nullif(s.superseded_at, 'infinity') AS superseded_at, p.period_code,"  # noqa: S608
    " r.region_code, r.name_zh || ' ' || s.school_name AS region_name, f.refresh_id,"
    " f.release_id, t.sha256, s.superseded_at > pointer.recorded_at AS is_current"
    " FROM mart.release_in_force pointer JOIN core.school_resource s ON s.recorded_at <= pointer.recorded_at"
    " JOIN core.indicator i ON i.indicator_key = s.indicator_key AND i.code = :indicator_code"
    " JOIN core.period p ON p.period_key = s.period_key AND p.period_code = :period_code"
    " JOIN core.region r ON r.region_key = s.region_key AND r.region_code = :region_code"
    " LEFT JOIN ops.refresh f ON f.recorded_at = s.recorded_at"
    " LEFT JOIN ops.return_receipt t ON t.receipt_id = s.receipt_id"
    " WHERE CAST(:school AS text) IS NULL OR s.school_code = :school"
    " ORDER BY s.school_code, s.recorded_at DESC"
)
