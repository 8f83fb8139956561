"""Agglomeration: resources against land and people, what makes the whole, and why a place has none."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warehouse.centre import Centre
from tests.warehouse.centre import everywhere as returned_everywhere
from tests.warehouse.frames import CATALOGUE, PROVINCES, Row, everywhere, figures, key_of
from warehouse.catalogue import Catalogue, NotApplicable
from warehouse.marts.resource_agglomeration import AGGLOMERATION_COLUMNS, MEASURES, resource_agglomeration

BEDS, PEOPLE = "HLT_BEDS", "POP_RESIDENT"
ORACLES = json.loads((Path(__file__).parent / "oracles.json").read_text(encoding="utf-8"))
CASES = [pytest.param(case, id=case["id"]) for case in ORACLES if case["measure"] == "hrad_pad"]


def both(beds=100.0, people=1000.0, period: str = "2024", statuses: str = "AA") -> list[Row]:
    return [
        *everywhere(BEDS, period, "total", beds, statuses[0]),
        *everywhere(PEOPLE, period, "total", people, statuses[1]),
    ]


def with_areas(areas: list[float]) -> Catalogue:
    provinces = {
        code: CATALOGUE.provinces[code].model_copy(update={"area_km2": area})
        for code, area in zip(PROVINCES, areas, strict=False)
    }
    return dataclasses.replace(CATALOGUE, provinces=provinces)


@pytest.mark.parametrize("case", CASES)
def test_numbers_are_those_of_the_oracles(case: dict) -> None:
    given = case["inputs"]
    rows = [
        (indicator, "2024", code, "total", value, "M" if value is None else "A")
        for indicator, name in ((BEDS, "resource"), (PEOPLE, "population"))
        for code, value in zip(PROVINCES, given[name], strict=False)
    ]
    found = resource_agglomeration(figures(rows), with_areas(given["area"]))
    expected = {name: [np.nan if x is None else x for x in numbers] for name, numbers in case["expected"].items()}
    if case["id"] == "hrad_allzero":  # nothing anywhere: no row has measures, PAD neither
        assert set(found["status"]) == {"undefined_zero_value"}
        assert found[list(MEASURES)].isna().all(axis=None)
        return
    for column, name in (("hrad", "hrad"), ("pad", "pad"), ("hrad_pad", "hrad_over_pad")):
        np.testing.assert_allclose(found[column], expected[name], atol=case["tolerance"] * 20)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 999), st.integers(1, 999)), min_size=31, max_size=31))
def test_the_shares_of_all_places_make_the_whole(values) -> None:
    beds, people = zip(*values, strict=True)
    rows = resource_agglomeration(figures(both(map(float, beds), map(float, people))), CATALOGUE)
    land = rows["area_km2"] / rows["area_km2"].sum()
    assert (rows["hrad"] * land).sum() == pytest.approx(1)
    assert (rows["pad"] * land).sum() == pytest.approx(1)
    np.testing.assert_allclose(rows["hrad"] / rows["pad"], rows["hrad_pad"], rtol=1e-9)


def test_a_place_that_lacks_a_figure_is_in_no_sum() -> None:
    rows = resource_agglomeration(figures(both([None, *[100.0] * 30])), CATALOGUE)
    assert rows["status"].tolist() == ["insufficient_coverage", *["ok"] * 30]
    assert rows["hrad_pad"].iloc[1:].round(12).eq(1).all()
    assert (rows["units"].max(), rows["units_missing"].max(), rows["grade"].max()) == (30, 1, "C")


def test_where_it_cannot_exist_it_is_not_missed() -> None:
    cannot = NotApplicable.model_validate(
        {"indicator_code": BEDS, "region_code": "110000", "area_type": "total", "year_from": "2010", "year_to": "",
         "why": "none"}
    )  # fmt: skip
    rows = resource_agglomeration(
        figures(both([None, *[100.0] * 30])), dataclasses.replace(CATALOGUE, not_applicable=(cannot,))
    )
    assert (rows["status"].iloc[0], rows["units_missing"].max(), rows["grade"].max()) == ("not_applicable", 0, "A")


@pytest.mark.parametrize(
    ("beds", "people", "statuses"),
    [
        pytest.param([*[None] * 7, *[1.0] * 24], 1000.0, {"insufficient_coverage"}, id="24 of 31"),
        pytest.param([-1.0, *[1.0] * 30], 1000.0, {"undefined_negative"}, id="a negative"),
        pytest.param(0.0, 1000.0, {"undefined_zero_value"}, id="nothing anywhere"),
        pytest.param(1.0, [0.0, *[1000.0] * 30], {"undefined_zero_value", "ok"}, id="nobody in one place"),
    ],
)
def test_what_is_undefined_is_null_with_its_status(beds, people, statuses) -> None:
    rows = resource_agglomeration(figures(both(beds, people)), CATALOGUE)
    assert set(rows["status"]) == statuses
    assert rows.loc[rows["status"] != "ok", list(MEASURES)].isna().all(axis=None)


def test_a_quarter_takes_the_latest_population_of_two_years() -> None:
    quarter = everywhere(BEDS, "2024-Q2", "total", 50.0)
    people = everywhere(PEOPLE, "2023", "total", 1000.0)
    rows = resource_agglomeration(figures([*quarter, *people]), CATALOGUE)
    assert (set(rows["population"]), set(rows["status"])) == ({1000.0}, {"ok"})
    old = everywhere(PEOPLE, "2021", "total", 1000.0)
    assert resource_agglomeration(figures([*quarter, *old]), CATALOGUE).empty


@pytest.mark.parametrize(("statuses", "grade", "estimated"), [("AA", "A", 0), ("AE", "C", 31), ("PA", "C", 0)])
def test_estimates_count_and_show(statuses: str, grade: str, estimated: int) -> None:
    rows = resource_agglomeration(figures(both(statuses=statuses)), CATALOGUE)
    assert (set(rows["grade"]), set(rows["units_estimated"])) == ({grade}, {estimated})
    assert set(rows["obs_status"]) == {min(statuses, key="EPA".index)}


def test_what_is_no_resource_has_no_row() -> None:
    rates = everywhere("HLT_BEDS_PER_1000", "2024", "total", 5.0)
    rows = resource_agglomeration(figures([*rates, *everywhere(PEOPLE, "2024", "total", 1.0)]), CATALOGUE)
    assert (len(rows), tuple(rows.columns)) == (0, AGGLOMERATION_COLUMNS)


def test_slices_limit_the_rows() -> None:
    frame = figures([*both(period="2023"), *both(period="2024")])
    rows = resource_agglomeration(frame, CATALOGUE, {(key_of(BEDS), 20240112)})
    assert rows["period_key"].unique().tolist() == [20240112]
    whole = resource_agglomeration(frame, CATALOGUE)
    pd.testing.assert_frame_equal(rows, whole[whole["period_key"] == 20240112].reset_index(drop=True))


def test_a_changed_population_recomputes_the_resources_it_stands_for_and_no_other(centre: Centre) -> None:
    for period in ("2021", "2024"):
        centre.night(
            *returned_everywhere("health_annual", period, BEDS, [10.0 + place for place in range(31)]),
            *returned_everywhere("employment_annual", period, PEOPLE, 1000.0),
        )
    asked = "SELECT period_code, max(release_id), count(*), min(status) FROM mart.resource_agglomeration GROUP BY 1 ORDER BY 1"
    assert centre.rows(asked) == [("2021", 1, 31, "ok"), ("2024", 2, 31, "ok")]
    centre.night(*returned_everywhere("employment_annual", "2024", PEOPLE, [1000.0 + place for place in range(31)]))
    assert centre.rows(asked) == [("2021", 1, 31, "ok"), ("2024", 3, 31, "ok")]
