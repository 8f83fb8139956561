"""What if a floor were set: who would be under it, by how much, what it would cost, who is at risk; nothing is written.

Here: a standard that nobody set yet, put before the functions that make the marts, beside the floor in force; and the
reading of what they need, as readers see it now. Not here: any formula, the words (the command line's).
"""

from __future__ import annotations

import datetime
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy import Connection

from warehouse.bulk import read_fixed
from warehouse.catalogue import Catalogue, Indicator, Standard
from warehouse.computing import known_periods
from warehouse.dependencies import KnownPeriods, periods_of
from warehouse.errors import NoFiguresError, NothingInForceError
from warehouse.marts import reach
from warehouse.marts.attainment import attainment
from warehouse.marts.cost_to_floor import cost_to_floor
from warehouse.marts.scopes import county_units, province_units
from warehouse.marts.shortfall import shortfall
from warehouse.marts.shortfall_risk import shortfall_risk
from warehouse.measures.projection import RISK_BANDS
from warehouse.measures.sample import IntArray
from warehouse.measures.shortfall import relative_gap, share_of_revenue
from warehouse.panels import AREA_KEYS, FIGURE_COLUMNS, NATION, Panel, Slice, weight_area
from warehouse.periods import parse_period, period_from_key
from warehouse.schema import release_in_force

Level = Literal["province", "county"]
AreaName = Literal["total", "urban", "rural"]

#: Columns of :attr:`Answer.places`.
PLACE_COLUMNS = (
    "region_code",
    "region_name",
    "value",
    "obs_status",
    "floor_in_force",
    "is_new",
    "gap",
    "people",
    "cost",
    "share_of_revenue",
    "probability",
    "band",
)


@dataclass(frozen=True)
class Question:
    """A floor that might be set for an indicator; no period: the newest year that there are figures of."""

    indicator_code: str
    floor: float
    area_type: AreaName = "total"
    level: Level = "province"
    period_code: str | None = None


@dataclass(frozen=True)
class Standing:
    """How the places of the nation stand against a floor.

    ``floor_value`` is null where places have several; ``p0`` … by places as equals, ``people_p0`` … and ``people_below`` by
    whom the indicator is weighed, null with their status where that is not ok. ``cost`` in CNY a year is the sum over
    ``cost_places`` places, null where the catalogue has no rule of cost; ``share_of_revenue`` is of the nation's revenue.
    ``bands`` counts places by their risk at the next period, those without enough observed years under ``untold``.
    """

    floor_value: float | None
    units: int
    units_missing: int
    units_estimated: int
    coverage: float
    grade: str
    status: str
    units_below: int | None
    p0: float | None
    p1: float | None
    p2: float | None
    people_status: str | None
    people_below: float | None
    people_p0: float | None
    people_p1: float | None
    people_p2: float | None
    cost: float | None
    cost_places: int
    share_of_revenue: float | None
    bands: dict[str, int]


@dataclass(frozen=True, eq=False)
class Answer:
    """``asked``: with the floor of the question; ``in_force``: with the one in force, None where none is. ``places``: a row a
    place under the floor asked about (:data:`PLACE_COLUMNS`), the furthest below first; ``is_new``: it is not under the one in
    force."""

    question: Question
    indicator: Indicator
    period_code: str
    release_id: int | None
    asked: Standing
    in_force: Standing | None
    places: pd.DataFrame


def ask(connection: Connection, catalogue: Catalogue, question: Question) -> Answer:
    """The answer from the release that readers see, in a read-only transaction that this call begins.

    Raises :class:`NothingInForceError` where there is no release, :class:`NoFiguresError` where it has no figures to judge.
    """
    connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    release = connection.execute(sa.select(release_in_force.c.release_id, release_in_force.c.recorded_at)).one_or_none()
    if release is None:
        raise NothingInForceError()
    indicator = catalogue.indicators[question.indicator_code]
    known = known_periods(connection, (), release.release_id)
    period = _period(connection, catalogue, question, known, release.recorded_at)
    key = (indicator.indicator_key, period)
    figures = _read(connection, _needed(key, indicator, catalogue, known), release.recorded_at)
    return replace(answer(figures, catalogue, question, period), release_id=release.release_id)


def answer(figures: pd.DataFrame, catalogue: Catalogue, question: Question, period_key: int) -> Answer:
    """The answer from figures (those of the period, its weights, heads, budgets and earlier years)."""
    indicator = catalogue.indicators[question.indicator_code]
    key = (indicator.indicator_key, period_key)
    with_floor = replace(catalogue, standards=(_floor(question, indicator),))
    floors = [row for row in catalogue.standards if (row.indicator_code, row.kind) == (indicator.code, "floor")]
    as_it_is = replace(catalogue, standards=tuple(floors))
    view = _View(figures, question, key)
    asked = view.standing(with_floor)
    if asked is None:
        raise NoFiguresError(indicator.code, question.area_type, question.level, [])
    return Answer(
        question,
        indicator,
        period_from_key(period_key).code,
        None,
        asked,
        view.standing(as_it_is),
        view.places(with_floor, as_it_is),
    )


@dataclass(frozen=True, eq=False)
class _View:
    """The figures of a question, judged by any catalogue's standards."""

    figures: pd.DataFrame
    question: Question
    key: Slice

    def _units(self, catalogue: Catalogue) -> IntArray:
        of_level = province_units if self.question.level == "province" else county_units
        return of_level(catalogue).region_keys

    def _of_units(self, rows: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
        """Rows of the places of the question, by region."""
        is_own = np.isin(rows["region_key"].to_numpy(np.int64), self._units(catalogue))
        is_own &= rows["area_key"].to_numpy() == AREA_KEYS[self.question.area_type]
        return rows[is_own].set_index("region_key")

    def standing(self, catalogue: Catalogue) -> Standing | None:
        """How places stand by the floors of a catalogue; None where none is in force."""
        rows = shortfall(self.figures, catalogue, {self.key})
        is_asked = (rows["scope"] == f"nation:{self.question.level}") & (
            rows["area_key"] == AREA_KEYS[self.question.area_type]
        )
        by_weighting = {row["weighting"]: row for row in rows[is_asked].to_dict("records")}
        if "none" not in by_weighting:
            return None
        plain, people = by_weighting["none"], by_weighting.get("population", {})
        cost, places, share = self._cost(catalogue)
        return Standing(
            floor_value=_number(plain["floor_value"]),
            units=int(plain["units"]),
            units_missing=int(plain["units_missing"]),
            units_estimated=int(plain["units_estimated"]),
            coverage=float(plain["coverage"]),
            grade=str(plain["grade"]),
            status=str(plain["status"]),
            units_below=None if pd.isna(plain["units_below"]) else int(plain["units_below"]),
            **{name: _number(plain[name]) for name in ("p0", "p1", "p2")},
            people_status=people.get("status"),
            people_below=_number(people.get("population_below")),
            **{f"people_{name}": _number(people.get(name)) for name in ("p0", "p1", "p2")},
            cost=cost,
            cost_places=places,
            share_of_revenue=share,
            bands=self._bands(catalogue, int(plain["units"])),
        )

    def _cost(self, catalogue: Catalogue) -> tuple[float | None, int, float | None]:
        """Cost of all places, how many of them have one, and its share of the nation's revenue."""
        rows = cost_to_floor(self.figures, catalogue, {self.key})
        costs = self._of_units(rows, catalogue)["cost"].dropna() if len(rows) else pd.Series(dtype=float)
        if costs.empty:
            return None, 0, None
        revenue = rows.loc[rows["region_key"] == NATION, "revenue"].max()
        total = float(costs.sum())
        return total, len(costs), _number(share_of_revenue(total, revenue).item())

    def _bands(self, catalogue: Catalogue, units: int) -> dict[str, int]:
        rows = self.risks(catalogue)
        counts = rows["band"].value_counts().to_dict()
        told = {band: int(counts.get(band, 0)) for _, band in RISK_BANDS}
        return {**told, "untold": units - sum(told.values())}

    def risks(self, catalogue: Catalogue) -> pd.DataFrame:
        """Probability and band by region; empty for a period that is no year."""
        rows = shortfall_risk(self.figures, catalogue, {self.key})
        return self._of_units(rows, catalogue)[["probability", "band"]] if len(rows) else rows[["probability", "band"]]

    def places(self, with_floor: Catalogue, as_it_is: Catalogue) -> pd.DataFrame:
        """A row a place under the floor asked about."""
        judged = self._of_units(attainment(self.figures, with_floor, {self.key}), with_floor)
        below = judged[~judged["attained"].to_numpy(dtype=bool)]
        now = self._of_units(attainment(self.figures, as_it_is, {self.key}), as_it_is).reindex(below.index)
        costs = cost_to_floor(self.figures, with_floor, {self.key})
        paid = self._of_units(costs, with_floor).reindex(below.index) if len(costs) else pd.DataFrame(index=below.index)
        risks = self.risks(with_floor).reindex(below.index)
        codes = [f"{key:06d}" for key in below.index]
        names = {row.region_code: row.name_zh for row in with_floor.region_rows}
        is_favourable = with_floor.standards[0].op == ">="
        rows = pd.DataFrame(
            {
                "region_code": codes,
                "region_name": [names[code] for code in codes],
                "value": below["value"].to_numpy(),
                "obs_status": below["obs_status"].astype(str).to_numpy(),
                "floor_in_force": now["floor_value"].to_numpy(np.float64),
                # Without a floor in force every place under the new one is new.
                "is_new": now["attained"].astype("boolean").fillna(True).to_numpy(dtype=bool),
                "gap": relative_gap(below["value"], below["floor_value"], is_favourable),
                "people": self._people(with_floor).reindex(below.index).to_numpy(np.float64),
                "cost": paid.get("cost", pd.Series(np.nan, index=below.index)).to_numpy(np.float64),
                "share_of_revenue": paid.get("share_of_revenue", pd.Series(np.nan, index=below.index)).to_numpy(
                    np.float64
                ),
                "probability": risks["probability"].to_numpy(np.float64, na_value=np.nan),
                "band": risks["band"].to_numpy(dtype=object),
            }
        )
        return rows.sort_values(["gap", "region_code"], ascending=[False, True], kind="stable").reset_index(drop=True)

    def _people(self, catalogue: Catalogue) -> pd.Series[float]:
        """Whom the indicator is weighed by, by region."""
        indicator, units = catalogue.by_key[self.key[0]], self._units(catalogue)
        if indicator.weight_indicator is None:
            return pd.Series(np.nan, index=units)
        weight = catalogue.indicators[indicator.weight_indicator]
        panel = Panel.of(self.figures[self.figures["indicator_key"] == weight.indicator_key], units)
        area = weight_area(indicator, weight, AREA_KEYS[self.question.area_type])
        return pd.Series(panel.weight(weight, self.key[1], area)[0], index=units)


def _floor(question: Question, indicator: Indicator) -> Standard:
    """The floor of the question as a step of a standard: always in force, for every place."""
    return Standard(
        standard_key=1,
        indicator_code=indicator.code,
        area_type=question.area_type,
        item_number=None,
        kind="floor",
        is_binding=True,
        op="<=" if indicator.direction == "lower" else ">=",
        value=question.floor,
        valid_from=datetime.date.min,
        valid_to=None,
        target_year=None,
        region_group=None,
        region_code=None,
        document="what if",
        certainty="",
    )


def _needed(key: Slice, indicator: Indicator, catalogue: Catalogue, known: KnownPeriods) -> set[Slice]:
    """The slices that the marts of a slice would rest on."""
    reaches = [reach.own_and_weights]
    if reach.is_annual(key[1]):
        reaches.append(reach.own_history)
    if indicator.code in catalogue.cost_rules:
        reaches.append(reach.own_and_cost_parts)
    return {key} | reach.all_of(*reaches)(key, catalogue, known)


def _period(
    connection: Connection, catalogue: Catalogue, question: Question, known: KnownPeriods, moment: datetime.datetime
) -> int:
    """The period asked for, or the newest year (or school year; else any period) with figures of such places."""
    indicator = catalogue.indicators[question.indicator_code]
    of_level = province_units if question.level == "province" else county_units
    periods = periods_of(indicator, catalogue, known)
    if question.period_code is not None:
        periods = [period for period in periods if period == parse_period(question.period_code).key]
    found = connection.scalars(
        sa.text(_PERIODS),
        {
            "indicator": indicator.indicator_key,
            "area": AREA_KEYS[question.area_type],
            "moment": moment,
            "periods": periods,
            "regions": of_level(catalogue).region_keys.tolist(),
        },
    ).all()
    if not found:
        others = [period_from_key(period).code for period in periods_of(indicator, catalogue, known)[-5:]]
        raise NoFiguresError(indicator.code, question.area_type, question.level, others)
    return max((int(period) for period in found), key=lambda period: (reach.is_annual(period), period))


_PERIODS = """
SELECT DISTINCT period_key FROM core.observation
WHERE indicator_key = :indicator AND area_key = :area AND value IS NOT NULL AND period_key = ANY(:periods)
  AND region_key = ANY(:regions) AND recorded_at <= :moment AND superseded_at > :moment
"""

#: How PostgreSQL packs a figure (:func:`warehouse.bulk.read_fixed`).
_PACKED = tuple(zip(FIGURE_COLUMNS, ("int2", "int4", "int4", "int2", "float8", "char"), strict=True))
_FIGURES = sql.SQL(
    "SELECT o.indicator_key, o.period_key, o.region_key, o.area_key, coalesce(o.value, 'NaN') AS value, o.obs_status"
    " FROM core.observation o"
    " JOIN unnest({indicators}::smallint[], {periods}::integer[]) AS w(indicator_key, period_key)"
    " USING (indicator_key, period_key) WHERE o.recorded_at <= {moment} AND o.superseded_at > {moment}"
)


def _read(connection: Connection, slices: Collection[Slice], moment: datetime.datetime) -> pd.DataFrame:
    """Figures as they were known at a moment. A night reads by a temporary table, which a read-only transaction cannot make."""
    ordered = sorted(slices)
    query = _FIGURES.format(
        indicators=sql.Literal([indicator for indicator, _ in ordered]),
        periods=sql.Literal([period for _, period in ordered]),
        moment=sql.Literal(moment),
    )
    figures = read_fixed(connection, query, _PACKED)
    return figures.assign(obs_status=figures["obs_status"].str.decode("ascii").astype("category"))


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)
