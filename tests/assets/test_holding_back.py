"""Holding back returns that break a blocking check, and letting pass what a person waived."""

from typing import Any

import pandas as pd

from assets.accepting import hold_back
from returns import ReadResult

HELD: dict[int, tuple[str, ...]] = {1: ("units.slip",), 2: ("units.slip", "codes.known")}


class Outcome:
    """Two returns that break blocking checks, as the checks process tells it."""

    def held_arrivals(self) -> dict[int, tuple[str, ...]]:
        return HELD

    def held_findings(self) -> dict[int, str]:
        return {arrival_id: f"found in {arrival_id}" for arrival_id in HELD}


def held(waived: dict[int, set[str]]) -> ReadResult:
    ids = [1, 2, 3]
    figures = pd.DataFrame({"arrival_id": ids, "address": ["A1", "A2", "A3"], "raw_text": ["5", "6", "7"]})
    verdicts = pd.DataFrame({"arrival_id": ids, "explanation": pd.Series([None] * 3, dtype="str")})
    aside = pd.DataFrame(columns=["arrival_id", "address", "raw_text", "reason", "explanation", "explanation_zh"])
    outcome: Any = Outcome()
    return hold_back(ReadResult(figures, aside, verdicts), outcome, waived)


def told(result: ReadResult) -> dict[int, str]:
    said = result.verdicts.dropna(subset=["explanation"])
    return dict(zip(said["arrival_id"], said["explanation"], strict=True))


def test_a_return_that_breaks_a_blocking_check_is_held_with_check_and_finding() -> None:
    result = held({})
    assert result.observations["arrival_id"].tolist() == [3]
    assert result.quarantined["reason"].tolist() == ["units.slip", "units.slip"]
    assert told(result) == {1: "found in 1", 2: "found in 2"}


def test_what_a_person_waived_passes_and_its_receipt_does_not_say_that_it_is_held() -> None:
    result = held({1: {"units.slip"}})
    assert result.observations["arrival_id"].tolist() == [1, 3]
    assert told(result) == {2: "found in 2"}


def test_a_check_that_was_not_waived_still_holds_the_return() -> None:
    result = held({1: {"units.slip"}, 2: {"units.slip"}})
    assert result.quarantined[["arrival_id", "reason"]].to_numpy().tolist() == [[2, "codes.known"]]
