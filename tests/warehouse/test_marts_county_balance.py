"""The balance of a county's schools: lines and CV, who is left out, what is not told, and the verdict."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warehouse.frames import CATALOGUE
from warehouse.marts.county_balance import ALL, COUNTY_BALANCE_COLUMNS, county_balance
from warehouse.periods import parse_period
from warehouse.schools import amount_columns

PRIMARY, JUNIOR = (stage.indicator_key for stage in CATALOGUE.school_stages.values())
LINES = CATALOGUE.school_lines
CODES = [line.resource_code for line in LINES]
SY2024 = parse_period("SY2024").key
COUNTY = 510104
School = dict[str, Any]

ORACLES = [
    case
    for case in json.loads((Path(__file__).parent / "oracles.json").read_text(encoding="utf-8"))
    if case["measure"] == "compulsory_education_cv" and len(case["inputs"]["raw"]) == len(LINES)
]


def school(pupils: float | None = 100.0, times: float = 1.0, stage: str = "primary", **more: Any) -> School:
    """A school with ``times`` what the lines ask for; other amounts by their column's name."""
    people = pupils or 0.0
    amounts = {line.column: line.line(stage) * people / line.scale * times for line in LINES}
    key = CATALOGUE.school_stages[stage].indicator_key
    return {"indicator_key": key, "region_key": COUNTY, "pupils": pupils, "obs_status": "A", **amounts, **more}


def roster(*schools: School) -> pd.DataFrame:
    rows = [
        {"period_key": SY2024, "school_code": f"{number:03d}", "school_name": "学校", **each}
        for number, each in enumerate(schools)
    ]
    return pd.DataFrame(rows).astype(dict.fromkeys(amount_columns(CATALOGUE), "float64"))


def balance(*schools: School, **options: Any) -> pd.DataFrame:
    return county_balance(roster(*schools), CATALOGUE, **options)


def verdict(*schools: School) -> Any:
    rows = balance(*schools)
    return next(rows[rows["resource_code"] == ALL].itertuples())


def resource(code: str, *schools: School) -> Any:
    rows = balance(*schools)
    return next(rows[rows["resource_code"] == code].itertuples())


# --- rows ---


def test_a_county_has_a_row_a_resource_and_the_verdict() -> None:
    rows = balance(school(), school())
    assert tuple(rows.columns) == COUNTY_BALANCE_COLUMNS
    assert rows["resource_code"].tolist() == sorted([*CODES, ALL])
    assert set(zip(rows["indicator_key"], rows["period_key"], rows["region_key"], strict=True)) == {
        (PRIMARY, SY2024, COUNTY)
    }


def test_stages_and_counties_are_judged_apart() -> None:
    rows = balance(school(), school(stage="junior_secondary"), school(region_key=510105, times=0.5))
    verdicts = rows[rows["resource_code"] == ALL]
    assert [(row.indicator_key, row.region_key, row.passes) for row in verdicts.itertuples()] == [
        (PRIMARY, COUNTY, True),
        (PRIMARY, 510105, False),
        (JUNIOR, COUNTY, True),
    ]


def test_no_school_is_no_row() -> None:
    assert county_balance(roster(school()).iloc[:0], CATALOGUE).empty
    assert tuple(county_balance(roster(school()).iloc[:0], CATALOGUE).columns) == COUNTY_BALANCE_COLUMNS


# --- a resource ---


def test_the_mean_and_the_cv_are_weighted_by_pupils() -> None:
    """100 pupils with 10 m² each and 300 with 6: mean 7, variance 0.25·9 + 0.75·1 = 3."""
    row = resource("TEACHING_AREA", school(100.0, teaching_area=1000.0), school(300.0, teaching_area=1800.0))
    assert (row.mean, row.cv) == (pytest.approx(7.0), pytest.approx(3**0.5 / 7))
    assert (row.line, row.cv_limit, row.passes_cv, row.schools_meeting) == (4.5, 0.5, True, 2)
    assert (row.schools, row.schools_missing, row.pupils, row.coverage, row.status) == (2, 0, 400.0, 1.0, "ok")


def test_teachers_are_counted_by_100_pupils() -> None:
    row = resource("QUALIFIED_TEACHERS", school(200.0, qualified_teachers=10.0))
    assert (row.mean, row.schools_meeting) == (pytest.approx(5.0), 1)


@pytest.mark.parametrize("case", ORACLES, ids=[case["id"] for case in ORACLES])
def test_the_oracles_hold_through_the_mart(case: dict[str, Any]) -> None:
    given, expected = case["inputs"], case["expected"]
    scales = [line.scale / scale for line, scale in zip(LINES, given["scale"], strict=True)]
    raw = np.array(given["raw"], dtype=np.float64)
    schools = [
        school(
            pupils, **{line.column: value / scale for line, value, scale in zip(LINES, raw[:, at], scales, strict=True)}
        )
        for at, pupils in enumerate(given["pupils"])
    ]
    rows = balance(*schools).set_index("resource_code").loc[CODES]
    # Under 80 % of the pupils nothing is published: one of four schools misses a resource.
    shown = (rows["coverage"] >= 0.8).to_numpy()
    for name, column in (("county_mean", "mean"), ("cv", "cv")):
        told = np.array(expected[name], dtype=np.float64)
        if name == "county_mean":
            told = np.where(told == 0, np.nan, told)
        np.testing.assert_allclose(rows[column].to_numpy()[shown], told[shown], rtol=1e-11)


def test_a_cv_at_its_limit_passes_and_one_above_does_not() -> None:
    """Two schools of one size with 1 ± cv times the line."""
    for cv, passes in ((0.45, True), (0.4500001, False)):
        low, high = (school(100.0, times, "junior_secondary") for times in (2 * (1 - cv), 2 * (1 + cv)))
        row = resource("SPORTS_AREA", low, high)
        assert (row.cv, row.passes_cv) == (pytest.approx(cv), passes)


def test_a_resource_that_nobody_has_is_no_cv() -> None:
    row = resource("SPORTS_AREA", school(sports_area=0.0), school(sports_area=0.0))
    assert (row.status, row.passes_cv) == ("undefined_zero_mean", pd.NA)
    assert np.isnan(row.cv)
    assert np.isnan(row.mean)


# --- who is left out ---


def test_a_school_without_pupils_is_left_out_with_its_amounts() -> None:
    row = resource("SPORTS_AREA", school(), school(0.0, sports_area=9_999.0))
    assert (row.schools, row.schools_missing, row.mean, row.cv) == (1, 0, 7.5, 0.0)


def test_a_county_whose_schools_have_no_pupils_says_nothing() -> None:
    row = verdict(school(0.0), school(0.0))
    assert (row.schools, row.schools_missing, row.passes, row.status) == (0, 0, pd.NA, "too_few_units")


def test_one_school_differs_from_none() -> None:
    row = verdict(school())
    assert (row.cv, row.passes, row.status) == (0.0, True, "ok")


def test_a_missing_amount_leaves_its_school_out_of_that_resource_alone() -> None:
    schools = [*(school() for _ in range(9)), school(sports_area=np.nan)]
    row = resource("SPORTS_AREA", *schools)
    assert (row.schools, row.schools_missing, row.coverage, row.status) == (9, 1, 0.9, "ok")
    assert resource("TEACHING_AREA", *schools).schools_missing == 0


@pytest.mark.parametrize("more", [{"sports_area": np.nan}, {"pupils": None}], ids=["an amount", "the pupils"])
def test_under_80_percent_of_schools_nothing_is_said(more: dict[str, Any]) -> None:
    row = resource("SPORTS_AREA", school(), school(), school(**more))
    assert (row.schools_missing, row.status, row.passes_cv) == (1, "insufficient_coverage", pd.NA)
    assert np.isnan(row.cv)


def test_coverage_is_of_pupils_too() -> None:
    """Nine small schools of ten have a figure, and half of the pupils."""
    schools = [*(school(100.0) for _ in range(9)), school(900.0, sports_area=np.nan)]
    row = resource("SPORTS_AREA", *schools)
    assert (row.coverage, row.status) == (0.5, "insufficient_coverage")


# --- the verdict ---


@pytest.mark.parametrize(
    ("more", "meets"),
    [
        pytest.param({}, True, id="all seven at their line"),
        pytest.param({"sports_area": 0.85 * 750.0}, True, id="six, and 85 % of the other"),
        pytest.param({"sports_area": 0.84 * 750.0}, False, id="six, and less than 85 % of the other"),
        pytest.param({"sports_area": 0.9 * 750.0, "teaching_area": 0.9 * 450.0}, False, id="five"),
    ],
)
def test_a_school_meets_six_lines_and_85_percent_of_the_other(more: dict[str, Any], meets: bool) -> None:
    row = verdict(school(), school(**more))
    assert (row.schools, row.schools_meeting, row.passes_cv, row.passes) == (2, 1 + meets, True, meets)


def test_a_county_fails_by_one_cv_with_every_school_above_its_lines() -> None:
    row = verdict(*(school() for _ in range(3)), school(sports_area=750.0 * 8))
    assert (row.schools_meeting, row.passes_cv, row.passes, row.status) == (4, False, False, "ok")
    assert row.cv > row.cv_limit == 0.5


def test_a_verdict_has_the_largest_cv_and_neither_mean_nor_line() -> None:
    row = verdict(school(times=2.0), school(times=2.0, sports_area=750.0))
    assert row.cv == pytest.approx(1 / 3)
    assert np.isnan(row.mean)
    assert np.isnan(row.line)


@pytest.mark.parametrize("more", [{"sports_area": np.nan}, {"pupils": None}], ids=["an amount", "the pupils"])
def test_a_county_does_not_pass_while_a_school_is_not_known(more: dict[str, Any]) -> None:
    row = verdict(*(school() for _ in range(9)), school(**more))
    assert (row.coverage, row.passes, row.status) == (0.9, pd.NA, "insufficient_coverage")
    assert np.isnan(row.cv)


def test_a_county_fails_by_the_schools_that_are_known() -> None:
    row = verdict(*(school() for _ in range(9)), school(times=0.5), school(sports_area=np.nan))
    assert (row.passes, row.status) == (False, "ok")


# --- grade ---


@pytest.mark.parametrize(
    ("more", "grade"),
    [({}, "A"), ({"obs_status": "E"}, "C"), ({"obs_status": "P"}, "C"), ({"sports_area": np.nan}, "C")],
    ids=["observed", "estimated", "provisional", "missing"],
)
def test_estimates_and_missing_schools_are_grade_c(more: dict[str, Any], grade: str) -> None:
    assert verdict(*(school() for _ in range(5)), school(**more)).grade == grade


def test_a_warned_slice_is_grade_b() -> None:
    assert set(balance(school(), warned={(PRIMARY, SY2024)})["grade"]) == {"B"}
    assert set(balance(school(), warned={(JUNIOR, SY2024)})["grade"]) == {"A"}


# --- any roster ---

amounts = st.none() | st.integers(0, 5_000).map(float)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(amounts, st.lists(amounts, min_size=7, max_size=7)), min_size=1, max_size=8),
    st.randoms(use_true_random=False),
)
def test_any_roster_says_the_same_in_any_order_and_null_exactly_where_it_is_not_ok(schools, random) -> None:
    made = [
        school(pupils, **dict(zip((line.column for line in LINES), each, strict=True)), school_code=f"{number}")
        for number, (pupils, each) in enumerate(schools)
    ]
    rows = balance(*made)
    random.shuffle(made)
    pd.testing.assert_frame_equal(rows, balance(*made), rtol=1e-9)
    is_ok = rows["status"] == "ok"
    is_verdict = rows["resource_code"] == ALL
    assert (rows["passes"].notna() == (is_ok & is_verdict)).all()
    assert (rows.loc[~is_verdict, "cv"].notna() == is_ok[~is_verdict]).all()
    assert not rows.loc[rows["passes"].fillna(False), "schools_missing"].any()
    assert (rows["schools_meeting"] <= rows["schools"] + rows["schools_missing"]).all()
