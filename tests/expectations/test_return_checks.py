"""Every check of a return fails where it must, names the cell and the reason, and is silent otherwise."""

from __future__ import annotations

import pandas as pd
import pytest

from expectations import SUITES, ChecksProcess, SuiteOutcome
from tests.expectations.returns_cases import (
    CASES,
    GOOD_ARRIVAL,
    SECTORS,
    TABLE_CASES,
    Case,
    arrival_of,
    cases_of,
    good_return,
    reference,
    table_of_cases,
)

pytestmark = pytest.mark.xdist_group("checks")  # one checks process for all

EACH_CASE = [
    pytest.param(name, case, id=f"{name}-{case.rule}-{case.title}")
    for name, sector in SECTORS.items()
    for case in cases_of(sector)
]


def broken_checks(outcome: SuiteOutcome, arrival_id: int) -> set[str]:
    broken = {**outcome.held_arrivals(), **outcome.warned_arrivals()}
    return set(broken.get(arrival_id, ()))


@pytest.mark.parametrize(("name", "case"), [p for p in EACH_CASE if p.values[1].rule != "structure.arrival_id_present"])
def test_a_case_breaks_its_check_and_no_other(sector_outcomes: dict[str, SuiteOutcome], name: str, case: Case) -> None:
    assert broken_checks(sector_outcomes[name], arrival_of(case)) == {f"{name}.{case.rule}"}


@pytest.mark.parametrize(("name", "case"), EACH_CASE)
def test_a_case_names_row_address_and_reason(sector_outcomes: dict[str, SuiteOutcome], name: str, case: Case) -> None:
    observations, _ = table_of_cases(name)
    outcome = sector_outcomes[name].check(f"{name}.{case.rule}")
    same_rule = [other for other in CASES if other.rule == case.rule]
    sample = outcome.sample[same_rule.index(case)] if len(same_rule) > 1 else outcome.sample[0]

    assert case.said in sample["reason"]
    named = observations.loc[outcome.rows, "address"]
    assert sample["address"] in named.where(named.notna(), None).to_list()
    assert outcome.unexpected == len(outcome.rows) > 0
    assert outcome.explanation


@pytest.mark.parametrize("name", SECTORS)
def test_the_good_return_breaks_nothing_and_every_check_judged_something(
    sector_outcomes: dict[str, SuiteOutcome], name: str
) -> None:
    assert broken_checks(sector_outcomes[name], GOOD_ARRIVAL) == set()
    assert [check.check_id for check in sector_outcomes[name].checks if check.evaluated == 0] == []


@pytest.mark.parametrize("name", SECTORS)
def test_a_good_return_alone_passes(checks: ChecksProcess, name: str) -> None:
    sector = SECTORS[name]
    arrivals = pd.DataFrame(
        {"arrival_id": [1], "region_code": ["330000"], "form": [sector.form], "period_code": [sector.period]}
    )

    outcome = checks.validate(name, good_return(sector), reference(sector), arrivals)

    assert [check.check_id for check in outcome.checks if not check.success] == []
    assert outcome.success


@pytest.mark.parametrize("name", SECTORS)
def test_every_registered_check_has_a_failing_case(name: str) -> None:
    cases = {f"{name}.{case.rule}" for case in cases_of(SECTORS[name])} | {f"{name}.{rule}" for rule in TABLE_CASES}
    assert cases == {check.check_id for check in SUITES[name].checks}


@pytest.mark.parametrize("name", SECTORS)
def test_a_missing_column_is_named_and_holds_every_return(checks: ChecksProcess, name: str) -> None:
    frame = pd.concat([good_return(SECTORS[name], arrival) for arrival in (7, 8)], ignore_index=True)

    outcome = checks.validate(name, frame.drop(columns="address"))

    assert outcome.held_arrivals() == {
        7: (f"{name}.structure.columns_expected",),
        8: (f"{name}.structure.columns_expected",),
    }
    (sample,) = outcome.check(f"{name}.structure.columns_expected").sample
    assert sample == {"column": "address", "reason": "the table has no column address"}
    assert outcome.check(f"{name}.structure.address_present").evaluated == 0


def test_a_cell_without_its_return_is_named_by_row(sector_outcomes: dict[str, SuiteOutcome]) -> None:
    outcome = sector_outcomes["health"].check("health.structure.arrival_id_present")
    assert outcome.arrivals == ()
    assert outcome.unexpected == 1
    assert not sector_outcomes["health"].success


def test_every_held_return_is_told_what_is_wrong_in_it(sector_outcomes: dict[str, SuiteOutcome]) -> None:
    told = sector_outcomes["employment"].held_findings()
    slip = next(case for case in CASES if case.title == "persons for 10,000")
    assert told[arrival_of(slip)] == (
        "employment.units.province_magnitude: 表1!C14: 900000.0 is 10000 times its reference 90"
    )
    assert set(told) == set(sector_outcomes["employment"].held_arrivals())
    warned = sector_outcomes["employment"].warned_findings()
    assert (
        "total 1000, urban and rural together 1011"
        in warned[arrival_of(next(c for c in CASES if c.title == "off by ten"))]
    )


def test_rounding_is_no_error(sector_outcomes: dict[str, SuiteOutcome]) -> None:
    """600 + 401 against 1000: each is printed to the unit, so 1.5 may be lost."""
    outcome = sector_outcomes["employment"].check("employment.arithmetic.urban_rural_sum")
    assert GOOD_ARRIVAL not in outcome.arrivals
