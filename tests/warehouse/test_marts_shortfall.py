"""How many places are under their standard, how far, and how many people belong to them."""

import dataclasses
import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warehouse.centre import Cell, Centre, Return
from tests.warehouse.frames import CATALOGUE, PROVINCES, Row, everywhere, figures, slice_of
from tests.warehouse.test_measures_oracles import CASES
from warehouse.catalogue import Catalogue, Standard
from warehouse.marts.attainment import attainment
from warehouse.marts.shortfall import SHORTFALL_COLUMNS, shortfall

PENSION, RECIPIENTS = "PEN_RESIDENT_MONTHLY", "PEN_RESIDENT_RECIPIENTS"
PUPILS, FUNDS, PHYSICIANS = "EDU_PRIMARY_PUPILS_PER_TEACHER", "EDU_PRIMARY_PUBLIC_FUNDS", "HLT_PHYSICIANS_PER_1000"


def judged(*rows: Row, catalogue: Catalogue = CATALOGUE, **more: object) -> pd.DataFrame:
    return shortfall(figures(rows), catalogue, **more)  # type: ignore[arg-type]


def only(rows: pd.DataFrame, **asked: str) -> pd.Series:
    """The one row of the nation's provinces as equals, unless asked otherwise."""
    for name, value in ({"scope": "nation:province", "weighting": "none"} | asked).items():
        rows = rows[rows[name] == value]
    assert len(rows) == 1
    return rows.iloc[0]


def standing(indicator: str, value: float, **more: object) -> Catalogue:
    """The catalogue with this floor alone, whatever the indicator."""
    op = ">=" if CATALOGUE.indicators[indicator].direction == "higher" else "<="
    step = Standard(
        **{
            "standard_key": 1, "indicator_code": indicator, "area_type": None, "item_number": None, "kind": "floor",
            "is_binding": True, "op": op, "value": value, "valid_from": datetime.date(2000, 1, 1), "valid_to": None,
            "target_year": None, "region_group": None, "region_code": None, "document": "d", "certainty": "", **more,
        }
    )  # type: ignore[arg-type]  # fmt: skip
    return dataclasses.replace(CATALOGUE, standards=(step,))


# --- by hand ---


def test_places_as_equals() -> None:
    """One of 31 provinces is a third under the pension floor of 123, one stands at it, the others over it."""
    row = only(judged(*everywhere(PENSION, "2024", "total", [82.0, 123.0, *[200.0] * 29])))
    assert (row.floor_kind, row.floor_value, row.units, row.units_below) == ("floor", 123.0, 31, 1)
    assert row[["p0", "p1", "p2"]].tolist() == pytest.approx([1 / 31, 1 / 3 / 31, 1 / 9 / 31])
    assert np.isnan(row.population_below)
    assert (row.units_missing, row.coverage, row.grade, row.status) == (0, 1.0, "A", "ok")


def test_people_weigh_where_they_are_known() -> None:
    """700 of the 1,000 recipients (700 + 30 × 10) live in the one province that is half under the floor."""
    pension = everywhere(PENSION, "2024", "total", [61.5, *[200.0] * 30])
    rows = judged(*pension, *everywhere(RECIPIENTS, "2024", "total", [700.0, *[10.0] * 30]))
    row = only(rows, weighting="population")
    assert row[["p0", "p1", "p2"]].tolist() == pytest.approx([0.7, 0.35, 0.175])
    assert (row.population_below, row.units_below) == (700.0, 1)


def test_lower_is_better_where_the_standard_is_a_ceiling() -> None:
    """19 pupils a teacher at most: 38 is as much over as the limit itself."""
    row = only(judged(*everywhere(PUPILS, "SY2024", "rural", [38.0, 19.0, *[10.0] * 29])))
    assert row[["p0", "p1", "p2"]].tolist() == pytest.approx([1 / 31, 1 / 31, 1 / 31])


def test_each_place_is_measured_against_the_floor_of_its_own_group() -> None:
    """620 yuan a pupil in 2018: under the 650 of the East (10 provinces), over the 600 of the others."""
    row = only(judged(*everywhere(FUNDS, "SY2018", "rural", 620.0)))
    assert np.isnan(row.floor_value)
    assert (row.units_below, row.units) == (10, 31)
    assert row.p1 == pytest.approx(10 / 31 * 30 / 650)


def test_each_kind_of_standard_has_its_row() -> None:
    local = standing(PENSION, 150.0)
    both = dataclasses.replace(
        local, standards=(*local.standards, local.standards[0].model_copy(update={"kind": "target", "value": 300.0}))
    )
    rows = judged(*everywhere(PENSION, "2024", "total", 200.0), catalogue=both).query("weighting == 'none'")
    assert rows.set_index("floor_kind")["units_below"].to_dict() == {"floor": 0, "target": 31}


def test_a_local_standard_makes_its_own_places_units_and_no_other() -> None:
    """Sichuan alone has a floor: the nation's one unit is Sichuan."""
    sichuan = standing(PHYSICIANS, 3.0, region_code="510000")
    row = only(judged(*everywhere(PHYSICIANS, "2024", "total", 2.0), catalogue=sichuan))
    assert (row.units, row.units_missing, row.units_below, row.p0) == (1, 0, 1, 1.0)


def test_counties_are_judged_in_the_nation_and_in_their_province() -> None:
    counties = [code for code in sorted(CATALOGUE.county_units) if code.startswith("54")]
    rows = judged(*((PENSION, "2024", code, "total", 100.0, "E") for code in counties))
    assert set(rows.loc[rows["units"] > 0, "scope"]) == {"nation:county", "540000:county"}
    tibet = only(rows, scope="540000:county")
    assert (tibet.units, tibet.units_below, tibet.units_estimated, tibet.grade) == (len(counties),) * 3 + ("C",)
    nation = only(rows, scope="nation:county")
    assert (nation.status, nation.units_missing) == (
        "insufficient_coverage",
        len(CATALOGUE.county_units) - len(counties),
    )


# --- where it is not defined ---


def test_no_standard_in_force_no_row() -> None:
    assert judged(*everywhere(PENSION, "2008", "total", 60.0)).empty
    assert tuple(judged(*everywhere("GDP", "2024", "total", 60.0)).columns) == SHORTFALL_COLUMNS


def test_a_count_is_not_judged_over_places() -> None:
    beds = standing("HLT_BEDS", 100.0)
    assert judged(*everywhere("HLT_BEDS", "2024", "total", 60.0), catalogue=beds).empty


@pytest.mark.parametrize(
    ("values", "floor", "status"),
    [
        pytest.param([100.0] * 24 + [None] * 7, 123.0, "insufficient_coverage", id="24 of 31 are too few"),
        pytest.param([-1.0] + [100.0] * 30, 123.0, "undefined_negative", id="a negative value"),
        pytest.param([100.0] * 31, 0.0, "undefined_zero_value", id="a floor of 0"),
        pytest.param([100.0] * 31, -5.0, "undefined_zero_value", id="a floor below 0"),
        pytest.param([0.0] * 25 + [None] * 6, 123.0, "ok", id="25 of 31 are enough, and 0 is a value"),
    ],
)
def test_undefined_is_null_with_its_status(values: list[float | None], floor: float, status: str) -> None:
    row = only(judged(*everywhere(PENSION, "2024", "total", values), catalogue=standing(PENSION, floor)))
    assert row.status == status
    assert row[["p0", "p1", "p2", "units_below"]].isna().tolist() == [status != "ok"] * 4


def test_units_that_cannot_exist_are_not_missing() -> None:
    """Beijing, Tianjin and Shanghai have no counties left, so no rural physicians (not_applicable.csv); Sichuan's are missing."""
    without = ("110000", "120000", "310000", "510000")
    values = [None if code in without else 20.0 for code in PROVINCES]
    rows = everywhere("HLT_PHYSICIANS_PER_10K", "2019", "rural", values)
    row = only(judged(*rows, catalogue=standing("HLT_PHYSICIANS_PER_10K", 25.0)))
    assert (row.units, row.units_missing, row.coverage, row.grade) == (27, 1, 27 / 28, "C")


def test_grade_b_where_a_check_of_the_slice_warned() -> None:
    rows = everywhere(PENSION, "2024", "total", 200.0)
    assert only(judged(*rows, warned={slice_of(PENSION, "2024")})).grade == "B"
    assert only(judged(*rows, warned={slice_of(PENSION, "2023")})).grade == "A"


def test_a_unit_of_weight_0_has_nobody_and_counts_neither_way() -> None:
    pension = everywhere(PENSION, "2024", "total", [61.5, *[200.0] * 30])
    rows = judged(*pension, *everywhere(RECIPIENTS, "2024", "total", [0.0, *[10.0] * 30]))
    row = only(rows, weighting="population")
    assert (row.units, row.units_missing, row.units_below, row.population_below) == (30, 0, 0, 0.0)


# --- invariants ---

VALUES = st.lists(st.floats(0, 400).map(lambda x: round(x, 2)), min_size=31, max_size=31)


@given(values=VALUES)
@settings(max_examples=8, deadline=None)
def test_it_agrees_with_attainment_place_by_place(values: list[float]) -> None:
    frame = figures(everywhere(PENSION, "2024", "total", values))
    row = only(shortfall(frame, CATALOGUE))
    places = attainment(frame, CATALOGUE)
    assert row.units_below == (~places["attained"]).sum()
    assert row.p0 == pytest.approx((~places["attained"]).mean())
    assert row.p1 == pytest.approx(np.maximum(-places["margin"], 0).mean())
    assert row.p1**2 - 1e-12 <= row.p2 <= row.p1 + 1e-12 <= row.p0 + 2e-12


def test_slices_limit_the_rows_and_weights_are_looked_up_beyond_them() -> None:
    frame = figures(
        [row for year in ("2023", "2024") for row in everywhere(PENSION, year, "total", 100.0)]
        + everywhere(RECIPIENTS, "2023", "total", 10.0)
    )
    rows = shortfall(frame, CATALOGUE, {slice_of(PENSION, "2024")})
    assert set(rows["floor_value"]) == {123.0}
    assert only(rows, weighting="population").population_below == 310.0


@pytest.mark.parametrize("case", [c for c in CASES if c["measure"] == "fgt_shortfall"], ids=lambda case: case["id"])
def test_oracle(case: dict) -> None:
    """Each case as the figures of as many provinces, read from the mart with no minimum of coverage."""
    inputs, expected = case["inputs"], case["expected"]
    weighting = "none" if inputs["w"] is None else "population"
    rows = [(PENSION, "2024", code, "total", x, "A") for code, x in zip(PROVINCES, inputs["x"], strict=False)]
    if inputs["w"] is not None:
        rows += [(RECIPIENTS, "2024", code, "total", w, "A") for code, w in zip(PROVINCES, inputs["w"], strict=False)]
    made = judged(*rows, catalogue=standing(PENSION, inputs["floor"]), minimum_coverage=0.0)
    row = only(made, weighting=weighting)
    for name, value in expected.items():
        got = row[name.lower()]
        assert np.isnan(got) if value is None else got == pytest.approx(value, abs=case["tolerance"])


# --- in the warehouse ---


def schools(period: str) -> list[Return]:
    """From every province 700 yuan a pupil and 100 pupils in the country."""
    cells = ((FUNDS, 700.0), ("EDU_PRIMARY_PUPILS", 100.0))
    return [
        Return("education_school_year", code, period, tuple(Cell(name, code, value, "rural") for name, value in cells))
        for code in PROVINCES
    ]


def test_readers_see_it_and_a_change_computes_what_rests_on_it_and_nothing_else(centre: Centre) -> None:
    centre.night(*schools("SY2022"), *schools("SY2023"))
    asked = (
        "SELECT period_code, weighting, floor_value, units_below, population_below, unit, release_id FROM mart.shortfall"
        " WHERE scope = 'nation:province' AND floor_kind = 'floor' ORDER BY 1, 2"
    )
    first = [
        ("SY2022", "none", 650.0, 0, None, "CNY per person", 1),
        ("SY2022", "population", 650.0, 0, 0.0, "CNY per person", 1),
        ("SY2023", "none", 720.0, 31, None, "CNY per person", 1),
        ("SY2023", "population", 720.0, 31, 3100.0, "CNY per person", 1),
    ]
    assert centre.rows(asked) == first
    beijing = (Cell(FUNDS, "110000", 700.0, "rural"), Cell("EDU_PRIMARY_PUPILS", "110000", 200.0, "rural"))
    centre.night(Return("education_school_year", "110000", "SY2023", beijing))
    changed = [
        (*row[:4], 3200.0 if row[4] == 3100.0 else row[4], row[5], 2 if row[0] == "SY2023" else 1) for row in first
    ]
    assert centre.rows(asked) == changed
    assert centre.values("SELECT count(*) FROM mart.shortfall_history WHERE release_to = 2") == [2]
    moment = "(SELECT in_force_from FROM mart.release_history WHERE release_id = 1)"
    assert centre.values(f"SELECT max(population_below) FROM mart.shortfall_as_of({moment})") == [3100.0]
