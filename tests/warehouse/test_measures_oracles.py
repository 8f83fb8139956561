"""Every oracle case of the measures, through the vectorised code in its one-slice form.

The cases were computed by definition in 50-digit decimals. Pass: |got − expected| ≤ tolerance · max(1, |expected|),
null is null, strings and whole numbers are the same.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from warehouse.measures import evaluate

CASES = json.loads((Path(__file__).parent / "oracles.json").read_text(encoding="utf-8"))


def assert_agrees(got: Any, expected: Any, tolerance: float, path: str) -> None:
    if isinstance(expected, dict):
        for key, value in expected.items():
            assert_agrees(got[key], value, tolerance, f"{path}.{key}")
    elif isinstance(expected, list):
        assert len(got) == len(expected), path
        for index, value in enumerate(expected):
            assert_agrees(got[index], value, tolerance, f"{path}[{index}]")
    elif expected is None:
        assert got is None, path
    elif isinstance(expected, (str, int)):
        assert got == expected, path
    else:
        assert got is not None, path
        assert abs(got - expected) <= tolerance * max(1, abs(expected)), path


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_oracle(case: dict[str, Any]) -> None:
    assert_agrees(evaluate(case["measure"], case["inputs"]), case["expected"], case["tolerance"], case["id"])
