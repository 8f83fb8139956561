"""What readers see of standards: items, breaks of definition, and reported rates beside recomputed ones."""

import dataclasses

import pytest

from tests.warehouse.centre import CATALOGUE, Cell, Centre, beds, employment, health, people, school
from warehouse.breaks import definition_breaks
from warehouse.catalogue import Break
from warehouse.reference import sync_catalogue


def test_the_edition_has_9_areas_22_categories_and_81_items(centre: Centre) -> None:
    counts = "count(DISTINCT area), count(DISTINCT category), count(*), bool_or(is_verified), min(edition)"
    assert centre.rows(f"SELECT {counts} FROM mart.standard_item") == [(9, 22, 81, False, 2023)]


def test_a_step_shows_its_item_and_whether_it_binds(centre: Centre) -> None:
    columns = "DISTINCT indicator_code, floor_kind, is_binding, region_code, area, category, item, is_verified"
    where = "indicator_code IN ('PEN_RESIDENT_MONTHLY', 'ELD_NURSING_SHARE', 'EDU_SCHOOLS_ONLINE_SHARE')"
    assert centre.rows(f"SELECT {columns} FROM mart.standard WHERE {where} ORDER BY 1") == [
        ("EDU_SCHOOLS_ONLINE_SHARE", "reference", False, None, None, None, None, None),
        ("ELD_NURSING_SHARE", "target", False, None, None, None, None, None),
        ("PEN_RESIDENT_MONTHLY", "floor", True, None, "老有所养", "养老保险服务", "城乡居民基本养老保险", False),
    ]


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("EDU_CONSOLIDATION_RATE", 96.0),
        ("HLT_PHYSICIANS_PER_1000", 3.2),
        ("HLT_NURSES_PER_1000", 3.8),
        ("ELD_NURSING_SHARE", 55.0),
        ("ELD_BEDS", 10_000_000.0),
        ("PEN_COVERAGE", 95.0),
    ],
)
def test_the_14th_plans_target_of_an_indicator_is_there(code: str, value: float) -> None:
    found = [row for row in CATALOGUE.standards if row.indicator_code == code and row.target_year == 2025]
    assert [(row.kind, row.value) for row in found] == [("target", value)]
    assert "14th plan of public services" in found[0].document


# --- breaks of definition ---


def test_readers_see_every_break(centre: Centre) -> None:
    assert centre.values("SELECT count(*) FROM mart.indicator_break WHERE part_code IS NULL") == [len(CATALOGUE.breaks)]
    beijing = "SELECT indicator_code, region_name, area_type, first_year FROM mart.indicator_break WHERE region_code = '110000'"
    assert centre.rows(beijing) == [("HLT_BEDS_PER_10K", "北京市", "total", 2012)]


def broken(code: str, area: str | None = None) -> Break:
    return Break(
        indicator_code=code, region_code=None, area_type=area, first_year_of_new_definition=2020, what_changed="x"
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param(broken("HLT_BEDS", "rural"), {("HLT_BEDS_PER_1000", "rural")}, id="the same area type"),
        pytest.param(broken("PEN_EMPLOYEE_INSURED", "urban"), {("PEN_COVERAGE", None)}, id="a part of all of them"),
        pytest.param(broken("PEN_EMPLOYEE_INSURED", "rural"), set(), id="another area type than is taken"),
        pytest.param(broken("PEN_RESIDENT_INSURED"), {("PEN_COVERAGE", None)}, id="every area type"),
        pytest.param(broken("GDP"), set(), id="part of nothing"),
    ],
)
def test_a_derived_indicator_breaks_with_its_parts(row: Break, expected: set[tuple[str, str | None]]) -> None:
    found = definition_breaks(dataclasses.replace(CATALOGUE, breaks=(row,)))
    assert {(each.indicator_code, each.area_type) for each in found if each.part_code == row.indicator_code} == expected
    assert [each.indicator_code for each in found if each.part_code is None] == [row.indicator_code]


def test_a_break_that_left_the_catalogue_is_not_shown_any_more(centre: Centre) -> None:
    count = "SELECT count(*) FROM core.indicator_break"
    with centre.engine.connect() as connection:
        connection.begin()
        sync_catalogue(connection, dataclasses.replace(CATALOGUE, breaks=(broken("HLT_BEDS"),)))
        assert connection.exec_driver_sql(count).scalar() == 2  # and of the beds per 1,000
        connection.rollback()
    assert centre.values(count)[0] >= len(CATALOGUE.breaks)


# --- reported beside recomputed ---

RATES = "SELECT indicator_code, region_code, period_code, area_type, value, recomputed_value, difference FROM mart.rate_comparison"


def test_a_reported_rate_stands_beside_the_one_computed_from_reported_numbers(centre: Centre) -> None:
    reported = Cell("HLT_BEDS_PER_10K", "510000", 75.0)
    centre.night(health(beds(7000.0), reported), employment(people(1_000_000.0)))
    assert centre.rows(RATES) == [("HLT_BEDS_PER_10K", "510000", "2024", "total", 75.0, 70.0, 5.0)]
    columns = "relative_difference, recomputed_code, unit, obs_status, source_cell"
    assert centre.rows(f"SELECT {columns} FROM mart.rate_comparison") == [
        (pytest.approx(5 / 70), "HLT_BEDS_PER_1000", "per 10000 persons", "A", "表1!C6")
    ]


def test_a_ratio_of_a_school_year_has_no_factor(centre: Centre) -> None:
    cells = [("EDU_PRIMARY_PUPILS", 1500.0), ("EDU_PRIMARY_TEACHERS", 100.0), ("EDU_PRIMARY_RATIO_REPORTED", 16.5)]
    centre.night(school(*(Cell(code, "510000", value) for code, value in cells)))
    assert centre.rows(RATES) == [("EDU_PRIMARY_RATIO_REPORTED", "510000", "SY2024", "total", 16.5, 15.0, 1.5)]


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param([("HLT_BEDS_PER_10K", 75.0, "total")], id="nothing to compute from"),
        pytest.param([("HLT_BEDS", 7000.0, "total")], id="nothing reported"),
        pytest.param([("HLT_BEDS", 7000.0, "total"), ("HLT_BEDS_PER_10K", None, "total")], id="reported blank"),
        pytest.param([("HLT_BEDS", 7000.0, "total"), ("HLT_BEDS_PER_10K", 75.0, "urban")], id="of another area type"),
    ],
)
def test_one_without_the_other_is_no_comparison(centre: Centre, cells: list[tuple[str, float | None, str]]) -> None:
    made = [Cell(code, "510000", value, area) for code, value, area in cells]
    centre.night(health(*made), employment(people(1_000_000.0)))
    assert centre.rows(RATES) == []


def test_a_comparison_is_of_the_release_in_force(centre: Centre) -> None:
    centre.night(health(beds(7000.0), Cell("HLT_BEDS_PER_10K", "510000", 75.0)), employment(people(1_000_000.0)))
    centre.compute(refresh := centre.open())
    centre.load(health(beds(8000.0), Cell("HLT_BEDS_PER_10K", "510000", 81.0)), refresh=refresh)
    assert [row[4:6] for row in centre.rows(RATES)] == [(75.0, 70.0)]
    centre.compute(refresh)
    centre.prepare()
    centre.publish(refresh)
    assert [row[4:6] for row in centre.rows(RATES)] == [(81.0, 80.0)]
