"""Every check of a mart fails where it must, names the row and the reason, and is silent otherwise."""

from __future__ import annotations

import pandas as pd
import pytest

from expectations import SUITES, ChecksProcess, SuiteOutcome
from expectations.marts import MARTS as CHECKED
from tests.expectations.marts_cases import (
    CASES,
    KEYS,
    NATION_BAD,
    NATION_GOOD,
    SEPARATE_CASES,
    MartCase,
    nation_rows,
    table_of_cases,
)
from warehouse.marts.registry import MARTS as COMPUTED

pytestmark = pytest.mark.xdist_group("checks")  # one checks process for all

EACH_CASE = [pytest.param(case, id=f"{case.mart}-{case.rule}-{case.said[:20]}") for case in CASES]


def checks_of_row(outcome: SuiteOutcome, row: int) -> set[str]:
    return {check.check_id for check in outcome.checks if row in check.rows}


@pytest.mark.parametrize("case", EACH_CASE)
def test_a_case_breaks_its_check_and_no_other(mart_outcomes: dict[str, SuiteOutcome], case: MartCase) -> None:
    _, rows = table_of_cases(case.mart)
    outcome = mart_outcomes[case.mart]
    for row in rows[case]:
        assert checks_of_row(outcome, row) == {f"marts.{case.mart}.{case.rule}"}
    assert not outcome.success


@pytest.mark.parametrize("case", EACH_CASE)
def test_a_case_is_sampled_with_its_reason(mart_outcomes: dict[str, SuiteOutcome], case: MartCase) -> None:
    outcome = mart_outcomes[case.mart].check(f"marts.{case.mart}.{case.rule}")
    assert any(case.said in row["reason"] for row in outcome.sample)


@pytest.mark.parametrize("mart", KEYS)
def test_the_good_row_breaks_nothing(checks: ChecksProcess, mart_outcomes: dict[str, SuiteOutcome], mart: str) -> None:
    assert checks_of_row(mart_outcomes[mart], 0) == set()

    alone = checks.validate(f"marts.{mart}", table_of_cases(mart)[0].iloc[:1])

    assert [check.check_id for check in alone.checks if not check.success] == []


@pytest.mark.parametrize("mart", KEYS)
def test_every_check_has_a_failing_case(mart: str) -> None:
    cases = {f"marts.{case.mart}.{case.rule}" for case in CASES} | set(SEPARATE_CASES)
    assert {check.check_id for check in SUITES[f"marts.{mart}"].checks} == {
        c for c in cases if c.startswith(f"marts.{mart}.")
    }


CODES = {
    "indicator_key": "indicator_code",
    "period_key": "period_code",
    "region_key": "region_code",
    "area_key": "area_type",
}


@pytest.mark.parametrize("mart", COMPUTED)
def test_a_mart_is_checked_by_columns_that_its_computed_rows_have(mart: str) -> None:
    computed = {CODES.get(column.name, column.name) for column in COMPUTED[mart].table.columns}
    assert set(CHECKED[mart].columns) <= computed


def test_every_mart_that_is_computed_is_checked() -> None:
    assert set(COMPUTED) | {"observation"} == set(CHECKED)


@pytest.mark.parametrize("mart", KEYS)
def test_a_missing_column_is_named(checks: ChecksProcess, mart: str) -> None:
    frame = table_of_cases(mart)[0].iloc[:1].drop(columns="indicator_code")
    outcome = checks.validate(f"marts.{mart}", frame)
    assert [check.check_id for check in outcome.failed] == [f"marts.{mart}.columns_expected"]
    assert outcome.failed[0].sample == (
        {"column": "indicator_code", "reason": "the mart has no column indicator_code"},
    )


@pytest.mark.parametrize("mart", KEYS)
def test_a_mart_without_rows_breaks_nothing(checks: ChecksProcess, mart: str) -> None:
    assert checks.validate(f"marts.{mart}", table_of_cases(mart)[0].iloc[:0]).success


def test_a_figure_a_hair_under_its_floor_stands_at_it(checks: ChecksProcess) -> None:
    frame = table_of_cases("attainment")[0].iloc[:1].assign(value=120.0 - 1e-10, margin=0.0)
    assert checks.validate("marts.attainment", frame).success


def test_the_nation_is_the_sum_of_its_provinces(checks: ChecksProcess) -> None:
    frame = pd.concat([nation_rows(NATION_GOOD, 310.0), nation_rows(NATION_BAD, 300.0)], ignore_index=True)
    outcome = checks.validate("marts.observation", frame)
    broken = outcome.check("marts.observation.nation_sum")
    assert [check.check_id for check in outcome.failed] == ["marts.observation.nation_sum"]
    assert (broken.evaluated, broken.rows.tolist()) == (2, [32])
    assert broken.sample[0]["reason"] == "the nation's 300 is not the sum 310 of its 31 provinces"


def test_the_nation_is_not_asked_where_a_province_is_not_there(checks: ChecksProcess) -> None:
    outcome = checks.validate("marts.observation", nation_rows(NATION_BAD, 300.0).iloc[:-1])
    assert outcome.success
    assert outcome.check("marts.observation.nation_sum").evaluated == 0


@pytest.mark.parametrize(("cost", "is_sum"), [(6000.0, True), (5000.0, False)])
def test_the_nation_pays_what_its_provinces_do(checks: ChecksProcess, cost: float, is_sum: bool) -> None:
    province = table_of_cases("cost_to_floor")[0].iloc[:1]
    nation = province.assign(region_code="000000", cost=cost, share_of_revenue=cost / 30000.0, units=2)
    frame = pd.concat([province, province.assign(region_code="340000"), nation], ignore_index=True)
    outcome = checks.validate("marts.cost_to_floor", frame)
    assert [check.check_id for check in outcome.failed] == ([] if is_sum else ["marts.cost_to_floor.nation_sums"])
    assert (
        is_sum or outcome.failed[0].sample[0]["reason"] == "the nation's cost 5000.0 is not the 6000.0 of its provinces"
    )
