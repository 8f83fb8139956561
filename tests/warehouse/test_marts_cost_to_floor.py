"""What lifting an amount a head to its floor costs a place a year, and what part of its budget that is."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warehouse.centre import Cell, Centre, Return, employment
from tests.warehouse.frames import CATALOGUE, PROVINCES, Row, everywhere, figures, slice_of
from tests.warehouse.test_marts_shortfall import standing
from warehouse.catalogue import Catalogue
from warehouse.marts.cost_to_floor import COST_COLUMNS, cost_to_floor

PENSION, RECIPIENTS, REVENUE = "PEN_RESIDENT_MONTHLY", "PEN_RESIDENT_RECIPIENTS", "FIS_REVENUE"
FUNDS, PUPILS = "EDU_PRIMARY_PUBLIC_FUNDS", "EDU_PRIMARY_PUPILS"
SICHUAN, CHENGDU, JINJIANG = "510000", "510100", "510104"


def costs(*rows: Row, catalogue: Catalogue = CATALOGUE, **more: object) -> pd.DataFrame:
    return cost_to_floor(figures(rows), catalogue, **more)  # type: ignore[arg-type]


def of(rows: pd.DataFrame, region: str, area: int = 0) -> pd.Series:
    found = rows[(rows["region_key"] == int(region)) & (rows["area_key"] == area)]
    assert len(found) == 1
    return found.iloc[0]


def pension(
    value: float,
    region: str = SICHUAN,
    *,
    heads: float | None = 1000.0,
    revenue: float | None = None,
    status: str = "A",
) -> list[Row]:
    given = ((PENSION, value), (RECIPIENTS, heads), (REVENUE, revenue))
    return [(code, "2024", region, "total", number, status) for code, number in given if number is not None]


# --- by hand ---


def test_what_is_short_of_the_floor_times_heads_times_months() -> None:
    """23 yuan a month under the floor of 123, 1,000 recipients: 276,000 yuan a year, of a revenue of 2,760,000 a tenth."""
    row = of(costs(*pension(100.0, revenue=2_760_000.0)), SICHUAN)
    assert (row.value, row.floor_value, row.heads, row.cost) == (100.0, 123.0, 1000.0, pytest.approx(276_000.0))
    assert (row.share_of_revenue, row.revenue_region_key) == (pytest.approx(0.1), 510000)
    assert (row.units, row.units_missing, row.coverage, row.grade, row.status) == (1, 0, 1.0, "A", "ok")


@pytest.mark.parametrize("value", [123.0, 200.0])
def test_at_the_floor_and_above_it_costs_nothing(value: float) -> None:
    assert of(costs(*pension(value)), SICHUAN).cost == 0.0


def test_an_amount_a_year_is_paid_once_for_the_heads_of_its_own_area_type() -> None:
    rows = [(FUNDS, "SY2023", SICHUAN, "rural", 700.0, "A"), (PUPILS, "SY2023", SICHUAN, "rural", 50.0, "A")]
    rows += [(PUPILS, "SY2023", SICHUAN, "total", 900.0, "A"), (REVENUE, "2023", SICHUAN, "total", 10_000.0, "A")]
    row = of(costs(*rows), SICHUAN, area=2)
    assert (row.cost, row.heads, row.share_of_revenue) == (1000.0, 50.0, 0.1)


def test_heads_of_a_year_before_stand_for_a_year_without_and_older_ones_do_not() -> None:
    earlier = [(PENSION, "2024", SICHUAN, "total", 100.0, "A"), (RECIPIENTS, "2022", SICHUAN, "total", 10.0, "A")]
    assert of(costs(*earlier), SICHUAN).heads == 10.0
    older = [earlier[0], (RECIPIENTS, "2021", SICHUAN, "total", 10.0, "A")]
    assert of(costs(*older), SICHUAN).status == "insufficient_coverage"


def test_a_place_without_a_budget_is_held_against_the_one_above_it() -> None:
    """Jinjiang has no revenue, its prefecture Chengdu has; Chengdu's own stays its own."""
    rows = costs(*pension(111.0, JINJIANG), *pension(111.0, CHENGDU, revenue=1_000_000.0), *pension(111.0, revenue=9e6))
    assert of(rows, JINJIANG)[["revenue", "revenue_region_key"]].tolist() == [1_000_000.0, 510100]
    assert of(rows, JINJIANG).share_of_revenue == pytest.approx(12 * 12 * 1000 / 1e6)
    higher = costs(*pension(111.0, JINJIANG), *pension(111.0, revenue=9e6))
    assert of(higher, JINJIANG).revenue_region_key == 510000


def test_the_nations_budget_is_not_held_against_a_part_of_it() -> None:
    rows = costs(*pension(111.0), (REVENUE, "2024", "000000", "total", 1e9, "A"))
    row = of(rows, SICHUAN)
    assert (row.cost, row.status) == (144_000.0, "ok")
    assert pd.isna(row.revenue_region_key)
    assert np.isnan(row.share_of_revenue)


# --- the nation ---


def test_the_nation_pays_what_its_provinces_do_and_not_what_its_mean_would() -> None:
    """Half of the provinces 23 under, the others far over: the mean is over the floor, the cost is not 0."""
    values = [100.0] * 15 + [300.0] * 16
    rows = costs(
        *everywhere(PENSION, "2024", "total", values),
        *everywhere(RECIPIENTS, "2024", "total", 10.0),
        *((code, "2024", "000000", "total", value, "A") for code, value in ((PENSION, 203.2), (REVENUE, 414_000.0))),
    )
    nation = of(rows, "000000")
    assert (nation.value, nation.floor_value, nation.heads) == (203.2, 123.0, 310.0)
    assert (nation.cost, nation.share_of_revenue) == (pytest.approx(15 * 23 * 10 * 12), pytest.approx(0.1))
    assert (nation.units, nation.units_missing, nation.status) == (31, 0, "ok")


def test_with_a_province_missing_the_nations_cost_is_not_told() -> None:
    rows = costs(
        *everywhere(PENSION, "2024", "total", 100.0), *everywhere(RECIPIENTS, "2024", "total", [None, *[10.0] * 30])
    )
    nation = of(rows, "000000")
    assert (nation.status, nation.units, nation.units_missing) == ("insufficient_coverage", 30, 1)
    assert np.isnan(nation.cost)
    assert (nation.coverage, nation.grade) == (30 / 31, "C")


def test_where_only_counties_have_figures_the_nation_has_no_row() -> None:
    """One year of the county alone beside one of its province alone: each year has its own places."""
    of_county = pension(100.0, JINJIANG)
    of_province = [(code, "2023", *rest) for code, _, *rest in pension(100.0)]
    rows = costs(*of_county, *of_province)  # type: ignore[arg-type]
    assert rows["region_key"].tolist() == [0, 510000, 510104]
    assert of(rows, JINJIANG).status == "ok"
    assert costs(*of_county)["region_key"].tolist() == [510104]


def test_floors_of_groups_leave_the_nation_none_of_its_own() -> None:
    rows = costs(*everywhere(FUNDS, "SY2018", "rural", 620.0), *everywhere(PUPILS, "SY2018", "rural", 10.0))
    nation = of(rows, "000000", area=2)
    assert np.isnan(nation.floor_value)
    assert nation.cost == 10 * 30 * 10  # the ten provinces of the East are 30 under 650


# --- where it is not defined ---


@pytest.mark.parametrize(
    ("rows", "floor", "status"),
    [
        pytest.param(pension(100.0, heads=None), 123.0, "insufficient_coverage", id="nobody counted the recipients"),
        pytest.param(pension(-1.0), 123.0, "undefined_negative", id="a negative amount"),
        pytest.param(pension(100.0), -5.0, "undefined_zero_value", id="a floor below 0"),
    ],
)
def test_undefined_is_null_with_its_status(rows: list[Row], floor: float, status: str) -> None:
    row = of(costs(*rows, catalogue=standing(PENSION, floor)), SICHUAN)
    assert row.status == status
    assert np.isnan(row.cost)


def test_only_amounts_with_a_rule_a_figure_and_a_standard_have_rows() -> None:
    no_rule = everywhere("HLT_PHYSICIANS_PER_1000", "2024", "total", 1.0)
    no_standard = [(PENSION, "2008", SICHUAN, "total", 40.0, "A")]
    blank = [(PENSION, "2024", SICHUAN, "total", None, "M")]
    rows = costs(*no_rule, *no_standard, *blank)
    assert rows.empty
    assert tuple(rows.columns) == COST_COLUMNS


@pytest.mark.parametrize(
    ("status", "warned", "grade", "estimated"),
    [("E", (), "C", 1), ("P", (), "C", 0), ("A", (PENSION,), "B", 0), ("A", (), "A", 0)],
)
def test_the_grade_is_that_of_the_weakest_part(
    status: str, warned: tuple[str, ...], grade: str, estimated: int
) -> None:
    rows = pension(100.0)[:1] + pension(100.0, status=status)[1:]
    row = of(costs(*rows, warned={slice_of(code, "2024") for code in warned}), SICHUAN)
    assert (row.grade, row.units_estimated) == (grade, estimated)


# --- invariants ---


@given(
    values=st.lists(st.floats(0, 300), min_size=31, max_size=31),
    heads=st.lists(st.integers(0, 10_000), min_size=31, max_size=31),
)
@settings(max_examples=15, deadline=None)
def test_costs_add_up_and_paying_them_leaves_nobody_short(values: list[float], heads: list[int]) -> None:
    counted = everywhere(RECIPIENTS, "2024", "total", map(float, heads))
    rows = costs(*everywhere(PENSION, "2024", "total", values), *counted)
    provinces = rows[rows["region_key"] != 0]
    assert of(rows, "000000").cost == pytest.approx(provinces["cost"].sum())
    paid = provinces["value"] + provinces["cost"] / (12 * provinces["heads"].where(provinces["heads"] > 0))
    raised = paid.fillna(provinces["value"].where(provinces["heads"] > 0, 123.0))
    again = costs(*everywhere(PENSION, "2024", "total", raised.tolist()), *counted)
    assert of(again, "000000").cost == pytest.approx(0.0, abs=1e-3)


def test_a_local_floor_counts_where_it_is_stricter() -> None:
    local = standing(PENSION, 200.0, region_code=SICHUAN, standard_key=10_001)
    both = dataclasses.replace(CATALOGUE, standards=(*CATALOGUE.standards, *local.standards))
    rows = costs(*pension(100.0), *pension(100.0, PROVINCES[0]), catalogue=both)
    assert (of(rows, SICHUAN).cost, of(rows, PROVINCES[0]).cost) == (1_200_000.0, pytest.approx(276_000.0))


# --- in the warehouse ---


def schools(period: str, pupils: float = 100.0) -> Return:
    cells = (Cell(FUNDS, SICHUAN, 700.0, "rural"), Cell(PUPILS, SICHUAN, pupils, "rural"))
    return Return("education_school_year", SICHUAN, period, cells)


def test_readers_see_it_and_heads_and_budgets_compute_it_anew(centre: Centre) -> None:
    centre.night(
        schools("SY2021"),
        schools("SY2022"),
        schools("SY2023"),
        employment(Cell(REVENUE, SICHUAN, 20_000.0), period="2023"),
    )
    asked = (
        "SELECT period_code, cost, share_of_revenue, revenue_region_code, status, release_id FROM mart.cost_to_floor"
        " WHERE region_code = '510000' AND floor_kind = 'floor' ORDER BY 1"
    )
    assert centre.rows(asked) == [
        ("SY2021", 0.0, None, None, "ok", 1),
        ("SY2022", 0.0, None, None, "ok", 1),
        ("SY2023", 2000.0, 0.1, "510000", "ok", 1),
    ]
    centre.night(schools("SY2023", pupils=200.0))
    assert [row[1::4] for row in centre.rows(asked)] == [(0.0, 1), (0.0, 1), (4000.0, 2)]
    centre.night(employment(Cell(REVENUE, SICHUAN, 40_000.0), period="2023"))
    assert [row[2::3] for row in centre.rows(asked)] == [(None, 1), (None, 1), (0.1, 3)]
    assert centre.values(
        "SELECT status FROM mart.cost_to_floor WHERE region_code = '000000' AND period_code = 'SY2023'"
    ) == ["insufficient_coverage"]
