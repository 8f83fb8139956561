"""What the rules leave alone: known oddities, estimates, blanks that cannot be figures. No Great Expectations here."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from expectations.model import BROKEN, HOLDS, NOT_ASKED
from expectations.prepare import prepare
from tests.expectations.returns_cases import CITY, COUNTY, PROVINCE, SECTORS, at, good_return
from warehouse.catalogue import load_catalogue

EMPLOYMENT, HEALTH = SECTORS["employment"], SECTORS["health"]


def judge(frame: pd.DataFrame, **more: pd.DataFrame) -> pd.DataFrame:
    return prepare(frame, load_catalogue(), **more)


def beds(cells: list[tuple[str, str, float]]) -> pd.DataFrame:
    """HLT_BEDS of a return, (region, area type, value) each."""
    frame = pd.DataFrame(cells, columns=["region_code", "area_type", "value"])
    return frame.assign(
        arrival_id=1, indicator_code="HLT_BEDS", period_code="2024", obs_status="A", last_digit=1.0,
        address="表1!C7", raw_text="",
    )  # fmt: skip


def test_a_district_has_no_rural_and_a_county_no_urban_beds_so_the_sums_are_still_exact() -> None:
    frame = beds(
        [
            (PROVINCE, "urban", 500.0),
            (CITY, "urban", 400.0),
            (COUNTY, "urban", np.nan),
            (CITY, "rural", np.nan),
            (COUNTY, "rural", 100.0),
        ]
    )
    table = judge(frame)
    assert table["counties_sum_holds"].to_list() == [BROKEN, *[NOT_ASKED] * 4]
    assert judge(frame.assign(value=frame["value"].replace(500.0, 400.0)))["counties_sum_holds"].iloc[0] == HOLDS


@pytest.mark.parametrize(("province", "verdict"), [(500.0, HOLDS), (300.0, BROKEN)])
def test_with_a_county_blank_the_others_must_only_not_exceed_the_province(province: float, verdict: int) -> None:
    frame = beds([(PROVINCE, "total", province), (CITY, "total", 400.0), (COUNTY, "total", np.nan)])
    assert judge(frame)["counties_sum_holds"].iloc[0] == verdict


def test_a_province_without_counties_is_not_asked_for_their_sum() -> None:
    assert judge(beds([(PROVINCE, "total", 5.0)]))["counties_sum_holds"].to_list() == [NOT_ASKED]


def test_a_total_with_one_part_is_not_asked_for_their_sum() -> None:
    frame = beds([(CITY, "total", 5.0), (CITY, "urban", 4.0), (CITY, "rural", np.nan)])
    assert judge(frame)["urban_rural_sum_holds"].to_list() == [NOT_ASKED] * 3


def test_an_estimated_part_is_not_held_against_its_whole() -> None:
    frame = good_return(EMPLOYMENT)
    part = at(frame, EMPLOYMENT.part, PROVINCE, "total")
    frame.loc[part, "value"] = 500.0
    assert judge(frame).loc[part, "part_is_within_whole"].to_list() == [BROKEN]
    frame.loc[part, "obs_status"] = "E"
    assert judge(frame).loc[part, "part_is_within_whole"].to_list() == [NOT_ASKED]


def test_growth_and_a_part_of_a_year_are_no_unit_slip() -> None:
    frame = beds([(PROVINCE, "total", 100.0)])
    for reference_value, verdict in ((8.0, HOLDS), (1200.0, HOLDS), (0.01, BROKEN), (0.0, NOT_ASKED), (1e-9, HOLDS)):
        reference = pd.DataFrame(
            {"indicator_code": ["HLT_BEDS"], "region_code": [PROVINCE], "area_type": ["total"],
             "reference_value": [reference_value]}
        )  # fmt: skip
        assert judge(frame, reference=reference)["province_magnitude_holds"].to_list() == [verdict], reference_value


def test_without_arrivals_and_reference_their_rules_do_not_apply() -> None:
    table = judge(good_return(HEALTH))
    for column in ("arrival_is_listed", "region_is_in_province", "period_fits", "province_magnitude_holds"):
        assert set(table[column]) == {NOT_ASKED}


@pytest.mark.parametrize(
    ("form", "period", "indicator", "cell_period", "verdict"),
    [
        ("employment_monthly", "2026-03", "PEN_RESIDENT_INSURED", "2026-03", HOLDS),
        ("employment_monthly", "2026-03", "PEN_RESIDENT_INSURED", "2026-M01-M03", BROKEN),
        ("employment_monthly", "2026-03", "EMP_NEW_URBAN_JOBS", "2026-M01-M03", HOLDS),
        ("employment_monthly", "2026-03", "EMP_NEW_URBAN_JOBS", "2026-03", BROKEN),
        ("employment_annual", "2025", "EMP_NEW_URBAN_JOBS", "2025", HOLDS),
        ("health_quarterly", "2026-Q2", "HLT_TOWNSHIP_CENTRE_VISITS", "2026-M01-M06", HOLDS),
        ("health_quarterly", "2026-Q2", "HLT_BEDS", "2026-Q2", HOLDS),
        ("education_school_year", "SY2025", "EDU_PRIMARY_PUPILS", "SY2024", BROKEN),
    ],
)
def test_stocks_carry_the_period_of_the_return_and_flows_january_to_it(
    form: str, period: str, indicator: str, cell_period: str, verdict: int
) -> None:
    frame = beds([(PROVINCE, "total", 1.0)]).assign(indicator_code=indicator, period_code=cell_period)
    arrivals = pd.DataFrame({"arrival_id": [1], "region_code": [PROVINCE], "form": [form], "period_code": [period]})
    assert judge(frame, arrivals=arrivals)["period_fits"].to_list() == [verdict]


def test_a_whole_table_without_rows_is_judged_without_a_fault() -> None:
    table = judge(good_return(HEALTH).iloc[:0])
    assert len(table) == 0


def test_prepare_leaves_the_callers_frame_alone_and_keeps_order_and_index() -> None:
    frame = good_return(HEALTH).set_index(pd.Index(range(100, 100 + len(good_return(HEALTH)))))
    before = frame.copy()
    table = judge(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert table.index.equals(frame.index)
    assert table["address"].equals(frame["address"])
