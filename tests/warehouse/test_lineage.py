"""Lineage: every computed figure names the parts that give it, as computing took them; every reported one its cell."""

import dataclasses
import datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from resources.database import Warehouse
from tests.warehouse.centre import (
    CATALOGUE,
    PROVINCES,
    ZONE,
    Cell,
    Centre,
    Return,
    beds,
    employment,
    everywhere,
    health,
    people,
)
from tests.warehouse.test_computing import STEPS

SICHUAN = "510000"


def parts_of(centre: Centre, indicator: str, period: str, region: str = SICHUAN, area: str = "total") -> list[Any]:
    """(role, factor, part, its period, region, area type, value) of one figure, in the order of the formula."""
    return centre.rows(
        "SELECT role, factor, part_indicator_code, part_period_code, part_region_code, part_area_type, part_value"
        " FROM mart.lineage WHERE indicator_code = :indicator AND period_code = :period AND region_code = :region"
        " AND area_type = :area ORDER BY part_region_code, place",
        indicator=indicator, period=period, region=region, area=area,
    )  # fmt: skip


def test_a_reported_figure_is_its_own_part_with_return_and_cell(centre: Centre) -> None:
    delivery = health(beds(7000.0))
    centre.night(delivery)
    assert parts_of(centre, "HLT_BEDS", "2024") == [("reported", 1.0, "HLT_BEDS", "2024", SICHUAN, "total", 7000.0)]
    origin = "SELECT platform, form, return_period_code, sequence, sha256, source_cell, release_id FROM mart.lineage"
    assert centre.rows(origin) == [("510000/health", "health_annual", "2024", 1, delivery.sha256, "表1!C5", 1)]


def test_a_rate_is_made_of_its_numerator_and_denominator(centre: Centre) -> None:
    centre.night(health(beds(7000.0)), employment(people(1_000_000.0)))
    assert parts_of(centre, "HLT_BEDS_PER_1000", "2024") == [
        ("numerator", 1000.0, "HLT_BEDS", "2024", SICHUAN, "total", 7000.0),
        ("denominator", 1.0, "POP_RESIDENT", "2024", SICHUAN, "total", 1_000_000.0),
    ]


def test_a_numerator_of_two_area_types_names_both(centre: Centre) -> None:
    insured = (Cell("PEN_EMPLOYEE_INSURED", SICHUAN, 30.0, "urban"), Cell("PEN_RESIDENT_INSURED", SICHUAN, 50.0))
    centre.night(employment(people(100.0), *insured))
    assert [(role, part, area) for role, _, part, _, _, area, _ in parts_of(centre, "PEN_COVERAGE", "2024")] == [
        ("numerator", "PEN_EMPLOYEE_INSURED", "urban"),
        ("numerator", "PEN_RESIDENT_INSURED", "total"),
        ("denominator", "POP_RESIDENT", "total"),
    ]


def test_the_nation_is_made_of_the_provinces(centre: Centre) -> None:
    centre.night(*everywhere("health_annual", "2024", "HLT_BEDS", [float(n) for n in range(31)]))
    parts = parts_of(centre, "HLT_BEDS", "2024", "000000")
    assert [(role, region, value) for role, _, _, _, region, _, value in parts] == [
        ("member", code, float(n)) for n, code in enumerate(PROVINCES)
    ]


def test_a_national_rate_is_made_of_both_sides_of_every_province(centre: Centre) -> None:
    centre.night(
        *everywhere("health_annual", "2024", "HLT_BEDS", 10.0),
        *everywhere("employment_annual", "2024", "POP_RESIDENT", 1000.0),
    )
    parts = parts_of(centre, "HLT_BEDS_PER_1000", "2024", "000000")
    assert [(role, region) for role, _, _, _, region, _, _ in parts] == [
        (role, code) for code in PROVINCES for role in ("numerator", "denominator")
    ]


def test_a_single_quarter_is_the_longer_span_less_the_shorter(centre: Centre) -> None:
    visits = "HLT_TOWNSHIP_CENTRE_VISITS"
    spans = ((1, 30.0, "2024-M01-M03"), (2, 70.0, "2024-M01-M06"))
    centre.night(
        *(
            Return(
                "health_quarterly", SICHUAN, f"2024-Q{quarter}", (Cell(visits, SICHUAN, value, "rural", period=span),)
            )
            for quarter, value, span in spans
        )
    )
    longer = ("longer", 1.0, visits, "2024-M01-M06", SICHUAN, "rural", 70.0)
    shorter = ("shorter", -1.0, visits, "2024-M01-M03", SICHUAN, "rural", 30.0)
    assert parts_of(centre, visits, "2024-Q2", area="rural") == [longer, shorter]
    assert parts_of(centre, visits, "2024-H1", area="rural") == [longer]


def test_each_region_takes_the_latest_weight_that_it_has(centre: Centre) -> None:
    """Population of 2024 is blank in Beijing and not there in Tianjin: both take that of 2023, the others do not."""
    centre.night(*everywhere("employment_annual", "2023", "POP_RESIDENT", 1000.0))
    of_2024 = [
        employment(
            Cell("INC_DISPOSABLE", code, 5.0),
            *([people(None if code == "110000" else 2000.0, code)] if code != "120000" else []),
            province=code,
        )
        for code in PROVINCES
    ]
    centre.night(*of_2024)
    taken = {
        region: period
        for role, _, _, period, region, _, _ in parts_of(centre, "INC_DISPOSABLE", "2024", "000000")
        if role == "weight"
    }
    assert taken == {code: "2023" if code in ("110000", "120000") else "2024" for code in PROVINCES}


def test_a_province_without_a_part_adds_nothing_to_the_nation(centre: Centre) -> None:
    """Its denominator alone would pull the national rate down: it is no part of it."""
    stays = next(row for row in CATALOGUE.not_applicable if row.indicator_code == "HLT_TOWNSHIP_CENTRES")
    others = [code for code in PROVINCES if code != "110000" and code != "310000"]
    reported = [
        Return("health_annual", code, "2024", (Cell("HLT_TOWNSHIP_CENTRES", code, 1.0, stays.area_type),))
        for code in others
    ]
    centre.night(*reported)
    parts = parts_of(centre, "HLT_TOWNSHIP_CENTRES", "2024", "000000", stays.area_type)
    assert [region for _, _, _, _, region, _, _ in parts] == others


def everything(centre: Centre) -> Centre:
    for step in STEPS.values():
        centre.night(*step)
    return centre


def test_the_parts_of_every_computed_figure_give_its_value(centre: Centre) -> None:
    """Rates, nations, weighted means: the same parts that computing took, or the value would not come out."""
    everything(centre)
    rows = centre.rows(
        "SELECT o.indicator_code, o.period_code, o.region_code, o.area_type, o.value,"
        " sum(l.factor * l.part_value) FILTER (WHERE role = 'numerator'),"
        " sum(l.part_value) FILTER (WHERE role = 'denominator'), sum(l.part_value) FILTER (WHERE role = 'member'),"
        " sum(l.part_value) FILTER (WHERE role = 'weight') FROM mart.observation o"
        " LEFT JOIN mart.lineage l USING (indicator_code, period_code, region_code, area_type)"
        " WHERE o.is_computed GROUP BY 1, 2, 3, 4, 5"
    )
    assert len(rows) > 100
    kinds = set()
    for *name, value, numerator, denominator, member, weight in rows:
        if weight is not None:
            means = parts_of(centre, *name)
            pairs = zip(means[::2], means[1::2], strict=True)
            given, kind = sum(x[6] * w[6] for x, w in pairs) / weight, "mean"
        elif denominator is not None:
            given, kind = numerator / denominator, "rate"
        else:
            given, kind = member, "sum"
        kinds.add(kind)
        assert given == pytest.approx(value, rel=1e-12), name
    assert kinds == {"mean", "rate", "sum"}


def test_every_figure_of_the_release_has_its_lineage(centre: Centre) -> None:
    everything(centre)
    orphans = (
        "SELECT count(*) FROM mart.observation o WHERE NOT EXISTS (SELECT FROM mart.lineage l"
        " WHERE l.indicator_code = o.indicator_code AND l.period_code = o.period_code AND l.region_code = o.region_code"
        " AND l.area_type = o.area_type)"
    )
    assert centre.values(orphans) == [0]


# --- rules ---


def rules(centre: Centre) -> list[tuple[Any, ...]]:
    return centre.rows("SELECT l::text FROM core.lineage_part l ORDER BY 1")


def test_computing_twice_in_a_refresh_leaves_the_rules_as_once(centre: Centre) -> None:
    refresh = centre.open()
    centre.load(health(beds(7000.0)), employment(people(1000.0)), refresh=refresh)
    centre.compute(refresh)
    once = rules(centre)
    centre.compute(refresh)
    assert rules(centre) == once != []


def test_a_changed_value_leaves_the_rules_alone(centre: Centre) -> None:
    centre.night(health(beds(7000.0)), employment(people(1000.0)))
    before = rules(centre)
    centre.night(health(beds(8000.0)))
    assert rules(centre) == before


def test_a_vanished_figure_closes_its_rules_and_a_returned_one_opens_them(centre: Centre) -> None:
    open_rules = "SELECT count(*) FROM core.lineage_part WHERE superseded_at = 'infinity' AND result = 'figure'"
    counts = []
    for value in (7000.0, None, 7000.0):
        centre.night(health(beds(value)), employment(people(1000.0)))
        counts += centre.values(open_rules)
    assert counts == [2, 0, 2]


def test_an_earlier_release_keeps_the_formula_it_was_computed_with(centre: Centre) -> None:
    centre.night(health(beds(7000.0)), employment(people(1_000_000.0)))
    first = centre.now()
    rate = CATALOGUE.indicators["HLT_BEDS_PER_1000"].model_copy(update={"multiplier": 100.0})
    centre.catalogue = dataclasses.replace(
        CATALOGUE, indicators=dict(CATALOGUE.indicators) | {rate.code: rate}, sha256="another"
    )
    centre.night()
    assert [part[1] for part in parts_of(centre, "HLT_BEDS_PER_1000", "2024")] == [100.0, 1.0]
    with centre.engine.begin() as connection:
        connection.execute(text("SELECT set_config('junheng.as_of', :moment, true)"), {"moment": first.isoformat()})
        factors = text("SELECT factor FROM mart.lineage WHERE role = 'numerator'")
        assert connection.scalars(factors).all() == [1000.0]


def test_a_warehouse_computed_before_rules_were_kept_gets_them_at_the_next_refresh(centre: Centre) -> None:
    centre.night(*everywhere("employment_annual", "2024", "POP_RESIDENT", 1000.0), health(beds(7000.0)))
    before = centre.rows("SELECT l::text FROM core.lineage l ORDER BY 1")
    centre.execute("DELETE FROM core.lineage_part")
    assert centre.rows("SELECT l::text FROM core.lineage l ORDER BY 1") != before
    assert centre.night() is None  # nothing new
    assert centre.rows("SELECT l::text FROM core.lineage l ORDER BY 1") == before


def test_what_is_not_published_is_not_shown(centre: Centre) -> None:
    centre.night(health(beds(7000.0)), employment(people(1_000_000.0)))
    refresh = centre.open()
    centre.load(health(beds(8000.0)), refresh=refresh)
    centre.compute(refresh)
    assert [part[6] for part in parts_of(centre, "HLT_BEDS_PER_1000", "2024")] == [7000.0, 1_000_000.0]


def test_a_reader_reads_lineage_and_not_the_rules(centre: Centre, warehouse: Warehouse) -> None:
    centre.night(health(beds(7000.0)))
    with psycopg.connect(warehouse.bi_url(), dbname="centre", autocommit=True) as reader:
        assert reader.execute("SELECT role, source_cell FROM mart.lineage").fetchall() == [("reported", "表1!C5")]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("SELECT * FROM core.lineage_part")


def test_times_of_the_centre_are_those_of_the_platforms(centre: Centre) -> None:
    centre.night(health(beds(7000.0)))
    [fetched] = centre.values("SELECT fetched_at FROM mart.lineage")
    assert fetched == centre.now()
    assert isinstance(fetched, datetime.datetime)
    assert fetched.astimezone(ZONE).hour == 2
