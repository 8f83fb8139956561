"""Figures against the standard in force on the right day, for the right group, in the right direction."""

import pytest

from tests.warehouse.frames import CATALOGUE, Row, figures, slice_of
from warehouse.marts.attainment import ATTAINMENT_COLUMNS, attainment

PENSION, PUPILS, FUNDS = "PEN_RESIDENT_MONTHLY", "EDU_PRIMARY_PUPILS_PER_TEACHER", "EDU_PRIMARY_PUBLIC_FUNDS"


def judged(*rows: Row):
    return attainment(figures(rows), CATALOGUE)


def one(indicator: str, period: str, region: str, area: str, value: float):
    rows = judged((indicator, period, region, area, value, "A"))
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.mark.parametrize(
    ("indicator", "period", "area", "value", "floor", "margin", "attained"),
    [
        pytest.param(PENSION, "2024", "total", 246.0, 123.0, 1.0, True, id="above a floor"),
        pytest.param(PENSION, "2024", "total", 61.5, 123.0, -0.5, False, id="below a floor"),
        pytest.param(PENSION, "2024", "total", 123.0, 123.0, 0.0, True, id="at the floor"),
        pytest.param(PENSION, "2024", "total", 12 * 123 * 0.083333333333, 123.0, 0.0, True, id="rounding at the floor"),
        pytest.param(PUPILS, "SY2024", "rural", 9.5, 19.0, 0.5, True, id="lower is better: below"),
        pytest.param(PUPILS, "SY2024", "rural", 38.0, 19.0, -1.0, False, id="lower is better: above"),
        pytest.param(PUPILS, "SY2024", "rural", 19.0, 19.0, 0.0, True, id="lower is better: at the limit"),
    ],
)
def test_margin_is_the_relative_distance_in_the_good_direction(
    indicator, period, area, value, floor, margin, attained
) -> None:
    row = one(indicator, period, "510000", area, value)
    assert (row.floor_value, row.floor_kind, row.attained) == (floor, "floor", attained)
    assert row.margin == pytest.approx(margin, abs=0)


@pytest.mark.parametrize(
    ("period", "floor"),
    [
        pytest.param("2014", 70.0, id="raised in July: the year's last day counts"),
        pytest.param("2020", 93.0, id="raised in July 2020"),
        pytest.param("2023", 103.0, id="whole year"),
        pytest.param("2025", 143.0, id="open end"),
    ],
)
def test_the_step_in_force_on_the_last_day(period: str, floor: float) -> None:
    assert one(PENSION, period, "510000", "total", 100.0).floor_value == floor


@pytest.mark.parametrize(
    ("period", "floor"),
    [pytest.param("SY2022", 650.0, id="1 September 2022"), pytest.param("SY2023", 720.0, id="1 September 2023")],
)
def test_a_school_year_is_judged_on_its_first_of_september(period: str, floor: float) -> None:
    assert one(FUNDS, period, "510000", "rural", 700.0).floor_value == floor


@pytest.mark.parametrize(
    ("region", "floor"),
    [
        pytest.param("440000", 650.0, id="East"),
        pytest.param("510000", 600.0, id="West"),
        pytest.param("511024", 600.0, id="a county has its province's group"),
    ],
)
def test_a_standard_of_a_group_is_for_its_places(region: str, floor: float) -> None:
    assert one(FUNDS, "SY2018", region, "rural", 700.0).floor_value == floor


def test_the_nation_belongs_to_no_group() -> None:
    assert judged((FUNDS, "SY2018", "000000", "rural", 700.0, "A")).empty


def test_a_target_is_shown_from_its_documents_date() -> None:
    physicians = "HLT_PHYSICIANS_PER_1000"
    assert judged((physicians, "2014", "510000", "total", 3.0, "A")).empty
    row = one(physicians, "2015", "510000", "total", 2.5)
    assert (row.floor_kind, row.floor_value, row.attained) == ("target", 2.5, True)


def test_no_standard_in_force_no_row() -> None:
    assert judged((PENSION, "2008", "510000", "total", 60.0, "A")).empty


def test_blanks_are_not_judged() -> None:
    assert judged((PENSION, "2024", "510000", "total", None, "M")).empty


def test_every_region_with_a_value_has_its_row_and_keeps_its_status() -> None:
    rows = judged(*((PENSION, "2024", region, "total", 200.0, "E") for region in ("000000", "510000", "510104")))
    assert rows["region_key"].tolist() == [0, 510000, 510104]
    assert set(rows["obs_status"]) == {"E"}


def test_the_standard_key_is_the_row_of_the_catalogue() -> None:
    row = one(PENSION, "2024", "510000", "total", 100.0)
    standard = CATALOGUE.standards[row.standard_key - 1]
    assert (standard.indicator_code, standard.value) == (PENSION, 123.0)


def test_slices_limit_the_rows() -> None:
    frame = figures([(PENSION, year, "510000", "total", 100.0, "A") for year in ("2023", "2024")])
    rows = attainment(frame, CATALOGUE, {slice_of(PENSION, "2024")})
    assert rows["floor_value"].tolist() == [123.0]


def test_columns_stand_even_where_there_are_no_rows() -> None:
    assert tuple(judged(("GDP", "2024", "510000", "total", 1.0, "A")).columns) == ATTAINMENT_COLUMNS
