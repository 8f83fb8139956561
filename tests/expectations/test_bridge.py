"""Outcomes as rows of ops.check_result and as metadata of asset checks."""

from __future__ import annotations

import json

import numpy as np
import pytest

from expectations import CHECKS, SUITES, CheckOutcome, SuiteOutcome
from expectations.bridge import asset_check_facts, check_result_rows, counts

pytestmark = pytest.mark.xdist_group("checks")  # one checks process for all

ROWS = np.array([4, 9], dtype=np.int64)
NONE = np.empty(0, dtype=np.int64)
BLOCKED = CheckOutcome(
    "health.codes.region_known", "blocking", False, 10, 2,
    ({"arrival_id": 7, "address": "表1!C9", "indicator_code": "HLT_BEDS", "region_code": "339999",
      "reason": "unknown"},),
    (7, 8), ROWS, "why",
)  # fmt: skip
WARNED = CheckOutcome("health.ranges.not_above_plausible", "warning", False, 10, 1, (), (8,), ROWS[:1], "why")
HELD = CheckOutcome("health.ranges.value_finite", "blocking", True, 10, 0, (), (), NONE, "why")


def test_a_row_a_check_with_rule_sample_and_explanation() -> None:
    rows = check_result_rows(SuiteOutcome("health", (BLOCKED, HELD), 10))
    assert [row["check_id"] for row in rows] == ["health.codes.region_known", "health.ranges.value_finite"]
    first = rows[0]
    assert (first["suite"], first["subject"], first["severity"], first["success"]) == (
        "health",
        "codes",
        "blocking",
        False,
    )
    assert (first["evaluated"], first["unexpected"]) == (10, 2)
    assert json.loads(first["sample"])[0]["address"] == "表1!C9"
    assert json.loads(first["arrivals"]) == [7, 8]
    assert first["source"].startswith("GB/T 2260")


def test_blocking_and_warning_are_counted_apart() -> None:
    assert counts([SuiteOutcome("health", (BLOCKED, WARNED, HELD), 10)]) == {"passed": 1, "warned": 1, "failed": 1}


def test_held_and_warned_returns_are_told_apart() -> None:
    outcome = SuiteOutcome("health", (BLOCKED, WARNED, HELD), 10)
    assert outcome.held_arrivals() == {7: ("health.codes.region_known",), 8: ("health.codes.region_known",)}
    assert outcome.warned_arrivals() == {8: ("health.ranges.not_above_plausible",)}


@pytest.mark.parametrize(
    ("checks", "passed", "severity"),
    [((BLOCKED, WARNED), False, "ERROR"), ((WARNED, HELD), False, "WARN"), ((HELD,), True, "WARN")],
)
def test_an_asset_check_fails_hard_only_for_a_blocking_one(
    checks: tuple[CheckOutcome, ...], passed: bool, severity: str
) -> None:
    facts = asset_check_facts(SuiteOutcome("health", checks, 10))
    assert (facts["passed"], facts["severity"]) == (passed, severity)


def test_the_worst_rows_say_where_and_why() -> None:
    facts = asset_check_facts(SuiteOutcome("health", (BLOCKED,), 10))
    assert facts["metadata"]["worst_rows"] == [
        {"check": "health.codes.region_known", "arrival_id": 7, "address": "表1!C9", "place": "HLT_BEDS 339999",
         "reason": "unknown"}
    ]  # fmt: skip
    assert "health.codes.region_known (2)" in facts["description"]


def test_ids_are_unique_and_every_check_explains_itself() -> None:
    assert sum(len(suite.checks) for suite in SUITES.values()) == len(CHECKS)
    for check_id, check in CHECKS.items():
        assert check_id == check.check_id
        assert check_id.startswith(f"{check.suite}.")
        for text in (check.explanation_zh, check.explanation_en, check.action_zh, check.action_en, check.source):
            assert text
