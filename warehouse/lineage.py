"""From figures to what they are made of, down to the cell of a return, as plain values.

Here: queries on ``core.lineage`` (what ``mart.lineage`` shows too), returns, checks and earlier vintages, all as of the
release in force of the session. Not here: formulas and mart rows (:mod:`warehouse.explanations`), opening a return.

A figure is asked for by its key (indicator, period, region, area type). However many are asked for, the queries are the
same few: a level of parts at a time, then facts, returns, checks and vintages of all of them at once.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from warehouse.formulas import formula_of

FigureKey = tuple[int, int, int, int]
"""indicator_key, period_key, region_key, area_key."""

MAX_DEPTH = 4
"""The nation of a rate of single months: nation, province, month, January-to-month. Nothing is deeper."""


@dataclass(frozen=True)
class Finding:
    """A check that did not hold for a return, in the refresh that loaded it."""

    check_id: str
    severity: str
    unexpected: int
    """Rows that do not hold, of all returns of the form."""
    explanation: str

    @property
    def outcome(self) -> str:
        """``held`` (a blocking check: held back, or let pass by a person), ``warned`` or ``noted``."""
        return {"blocking": "held", "warning": "warned"}.get(self.severity, "noted")


@dataclass(frozen=True)
class Source:
    """The return that a figure comes from."""

    receipt_id: int
    platform: str
    form: str
    period_code: str
    sequence: int
    file_name: str | None
    fetched_at: datetime.datetime
    sha256: str
    state: str
    layout: str | None
    checks_passed: int
    """Checks of the form that held, in the refresh that loaded it."""
    findings: tuple[Finding, ...]
    """Checks that did not hold and name this return."""


@dataclass(frozen=True)
class Vintage:
    """A figure as it was known before."""

    value: float | None
    obs_status: str
    recorded_at: datetime.datetime
    superseded_at: datetime.datetime
    end_reason: str | None
    release_id: int | None
    receipt_id: int | None
    sha256: str | None
    source_cell: str | None


@dataclass(frozen=True)
class Part:
    """A figure in the formula of another."""

    role: str
    factor: float
    figure: Figure


@dataclass(frozen=True)
class Figure:
    """One figure with its meaning; reported (``source`` and ``source_cell``) or computed (``parts``)."""

    indicator_code: str
    indicator_name: str
    period_code: str
    region_code: str
    region_name: str
    area_type: str
    value: float | None
    unit: str
    obs_status: str
    release_id: int | None
    """Release that first showed this vintage."""
    recorded_at: datetime.datetime
    source: Source | None
    source_cell: str | None
    formula: str | None
    """With the numbers in it; None: reported."""
    recomputed: float | None
    """What the formula gives; None: reported, or a part is not known."""
    parts: tuple[Part, ...]
    regions: int
    """Regions its parts are of; ``parts`` may be those of the largest and smallest alone."""
    earlier: tuple[Vintage, ...]
    """Latest first."""
    school_code: str | None = None
    """Of a cell of a roster: the school it is of."""

    @property
    def leaves(self) -> tuple[Figure, ...]:
        """The reported figures it rests on, each once."""
        if self.source is not None:
            return (self,)
        return tuple(dict.fromkeys(leaf for part in self.parts for leaf in part.figure.leaves))


@dataclass(frozen=True)
class Link:
    """A row of ``core.lineage``: what one part does in a figure."""

    role: str
    place: int
    factor: float
    part: FigureKey
    value: float
    is_reported: bool


def trace_figures(
    connection: Connection, keys: Iterable[FigureKey], shown: int | None = None
) -> dict[FigureKey, Figure]:
    """The figures of ``keys`` that the release in force has, each with all it rests on.

    ``shown``: of a figure made of more regions than that, only the parts of the largest and the smallest are followed.
    """
    wanted = list(dict.fromkeys(keys))
    links = _follow(connection, wanted, shown)
    every = {*wanted, *(link.part for found in links.values() for link in found.kept)}
    facts = {_key(row): row for row in _rows(connection, _FACTS, every)}
    sources = read_sources(connection, facts.values())
    earlier = _read_earlier(connection, every)
    made: dict[FigureKey, Figure] = {}

    def build(key: FigureKey) -> Figure:
        if key not in made:
            found = links.get(key)
            parts = tuple(Part(link.role, link.factor, build(link.part)) for link in found.kept) if found else ()
            made[key] = _figure(facts[key], found, parts, sources, earlier.get(key, ()))
        return made[key]

    return {key: build(key) for key in wanted if key in facts}


@dataclass(frozen=True)
class _Followed:
    """The parts of a computed figure: all of them, and those that are followed further."""

    every: tuple[Link, ...]
    kept: tuple[Link, ...]


def _follow(connection: Connection, keys: Collection[FigureKey], shown: int | None) -> dict[FigureKey, _Followed]:
    found: dict[FigureKey, _Followed] = {}
    level = set(keys)
    for _ in range(MAX_DEPTH):
        if not level:
            break
        links: dict[FigureKey, list[Link]] = {}
        for row in _rows(connection, _LINKS, level):
            part = (row.part_indicator_key, row.part_period_key, row.part_region_key, row.part_area_key)
            link = Link(row.role, row.place, row.factor, part, row.part_value, row.receipt_id is not None)
            links.setdefault(_key(row), []).append(link)
        for key, each in links.items():
            if any(link.role != "reported" for link in each):
                ordered = tuple(sorted(each, key=lambda link: (link.part[2], link.place)))
                found[key] = _Followed(ordered, _keep(ordered, shown))
        level = {
            link.part for key in links if key in found for link in found[key].kept if not link.is_reported
        } - found.keys()
    return found


def choose_extremes(values: Mapping[int, float], shown: int | None) -> list[int]:
    """Of numbered values the numbers of the largest, then of the smallest, together ``shown``; all, largest first."""
    ranked = sorted(values, key=lambda number: (-values[number], number))
    if shown is None or len(ranked) <= shown:
        return ranked
    return ranked[: math.ceil(shown / 2)] + ranked[len(ranked) - shown // 2 :]


def _keep(links: tuple[Link, ...], shown: int | None) -> tuple[Link, ...]:
    first = {link.part[2]: link.value for link in reversed(links)}
    order = {region: number for number, region in enumerate(choose_extremes(first, shown))}
    kept = [link for link in links if link.part[2] in order]
    return tuple(sorted(kept, key=lambda link: (order[link.part[2]], link.place)))


def _figure(
    row: Any,
    followed: _Followed | None,
    parts: tuple[Part, ...],
    sources: Mapping[tuple[int, datetime.datetime], Source],
    earlier: tuple[Vintage, ...],
) -> Figure:
    formula, recomputed = formula_of(followed.every, parts) if followed else (None, None)
    return Figure(
        indicator_code=row.indicator_code,
        indicator_name=row.indicator_name,
        period_code=row.period_code,
        region_code=row.region_code,
        region_name=row.region_name,
        area_type=row.area_type,
        value=row.value,
        unit=row.unit,
        obs_status=row.obs_status,
        release_id=row.release_id,
        recorded_at=row.recorded_at,
        source=sources.get((row.receipt_id, row.recorded_at)),
        source_cell=row.address,
        formula=formula,
        recomputed=recomputed,
        parts=parts,
        regions=len({link.part[2] for link in followed.every}) if followed else 0,
        earlier=earlier,
    )


def read_sources(connection: Connection, facts: Iterable[Any]) -> dict[tuple[int, datetime.datetime], Source]:
    """Returns by (receipt, moment of the refresh that loaded the figure); of ``facts`` receipt_id, recorded_at, refresh_id."""
    loads = {(row.receipt_id, row.recorded_at): row.refresh_id for row in facts if row.receipt_id is not None}
    if not loads:
        return {}
    receipts = {row.receipt_id: row for row in connection.execute(_RECEIPTS, {"ids": sorted({r for r, _ in loads})})}
    checks: dict[tuple[int, str], list[Any]] = {}
    for check in connection.execute(_CHECKS, {"refreshes": sorted({number for number in loads.values() if number})}):
        checks.setdefault((check.refresh_id, check.target), []).append(check)
    return {
        key: _source(receipts[key[0]], checks.get((refresh_id, receipts[key[0]].form), []))
        for key, refresh_id in loads.items()
        if key[0] in receipts
    }


def _source(receipt: Any, checks: list[Any]) -> Source:
    named = [check for check in checks if not check.success and receipt.receipt_id in (check.receipts or ())]
    return Source(
        **{name: getattr(receipt, name) for name in _RECEIPT_COLUMNS},
        checks_passed=sum(check.success for check in checks),
        findings=tuple(Finding(c.check_id, c.severity, c.unexpected, c.explanation) for c in named),
    )


def _read_earlier(connection: Connection, keys: Collection[FigureKey]) -> dict[FigureKey, tuple[Vintage, ...]]:
    found: dict[FigureKey, list[Vintage]] = {}
    for row in _rows(connection, _EARLIER, keys):
        vintage = Vintage(
            row.value,
            row.obs_status,
            row.recorded_at,
            row.superseded_at,
            row.end_reason,
            row.release_id,
            row.receipt_id,
            row.sha256,
            row.address,
        )
        found.setdefault(_key(row), []).append(vintage)
    return {key: tuple(vintages) for key, vintages in found.items()}


def _key(row: Any) -> FigureKey:
    return (row.indicator_key, row.period_key, row.region_key, row.area_key)


def _rows(connection: Connection, statement: sa.TextClause, keys: Collection[FigureKey]) -> list[Any]:
    columns: list[list[int]] = [list(column) for column in zip(*sorted(keys), strict=True)] or [[], [], [], []]
    names = ("indicators", "periods", "regions", "areas")
    return list(connection.execute(statement, dict(zip(names, columns, strict=True))))


_RECEIPT_COLUMNS = (
    "receipt_id",
    "platform",
    "form",
    "period_code",
    "sequence",
    "file_name",
    "fetched_at",
    "sha256",
    "state",
    "layout",
)
_ASKED = (
    " unnest(CAST(:indicators AS smallint[]), CAST(:periods AS integer[]), CAST(:regions AS integer[]),"
    " CAST(:areas AS smallint[])) AS k (indicator_key, period_key, region_key, area_key)"
)
_BY_KEY = (
    " ON {0}.indicator_key = k.indicator_key AND {0}.period_key = k.period_key AND {0}.region_key = k.region_key"
    " AND {0}.area_key = k.area_key"
)
_IN_FORCE = " AND o.recorded_at <= pointer.recorded_at AND o.superseded_at > pointer.recorded_at"
_LINKS = sa.text(
    "SELECT l.indicator_key, l.period_key, l.region_key, l.area_key, l.role, l.place, l.factor, l.part_indicator_key,"  # noqa: S608
    " l.part_period_key, l.part_region_key, l.part_area_key, l.part_value, l.receipt_id"
    f" FROM {_ASKED} JOIN core.lineage l {_BY_KEY.format('l')}"
)
_FACTS = sa.text(
    "SELECT o.indicator_key, o.period_key, o.region_key, o.area_key, i.code AS indicator_code,"  # noqa: S608
    " i.name_zh AS indicator_name, p.period_code, r.region_code, r.name_zh AS region_name,"
    " (ARRAY['total', 'urban', 'rural'])[o.area_key + 1] AS area_type, o.value, i.unit, o.obs_status, f.release_id,"
    " f.refresh_id, o.recorded_at, o.receipt_id, o.address"
    f" FROM mart.release_in_force pointer CROSS JOIN {_ASKED} JOIN core.observation o {_BY_KEY.format('o')} {_IN_FORCE}"
    " JOIN core.indicator i ON i.indicator_key = o.indicator_key JOIN core.period p ON p.period_key = o.period_key"
    " JOIN core.region r ON r.region_key = o.region_key LEFT JOIN ops.refresh f ON f.recorded_at = o.recorded_at"
)
_RECEIPTS = sa.text(
    f"SELECT {', '.join(_RECEIPT_COLUMNS)} FROM ops.return_receipt WHERE receipt_id = ANY(:ids)"  # noqa: S608
)
_CHECKS = sa.text(
    "SELECT refresh_id, target, check_id, severity, success, unexpected, explanation, receipts FROM ops.check_result"
    " WHERE refresh_id = ANY(:refreshes) ORDER BY check_result_id"
)
_EARLIER = sa.text(
    "SELECT o.indicator_key, o.period_key, o.region_key, o.area_key, o.value, o.obs_status, o.recorded_at,"  # noqa: S608
    " o.superseded_at, o.end_reason, f.release_id, o.receipt_id, t.sha256, o.address"
    f" FROM mart.release_in_force pointer CROSS JOIN {_ASKED} JOIN core.observation o {_BY_KEY.format('o')}"
    " AND o.superseded_at <= pointer.recorded_at LEFT JOIN ops.refresh f ON f.recorded_at = o.recorded_at"
    " LEFT JOIN ops.return_receipt t ON t.receipt_id = o.receipt_id ORDER BY o.recorded_at DESC"
)
