"""One checks process for the whole session: Great Expectations takes 4 s to import."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from expectations import ChecksProcess, SuiteOutcome
from tests.expectations import marts_cases, returns_cases
from tests.expectations.returns_cases import SECTORS


@pytest.fixture(scope="session")
def checks() -> Iterator[ChecksProcess]:
    with ChecksProcess() as process:
        yield process


@pytest.fixture(scope="session")
def sector_outcomes(checks: ChecksProcess) -> dict[str, SuiteOutcome]:
    """The outcome of each sector's suite on its table of cases."""
    outcomes = {}
    for name, sector in SECTORS.items():
        observations, arrivals = returns_cases.table_of_cases(name)
        outcomes[name] = checks.validate(name, observations, returns_cases.reference(sector), arrivals)
    return outcomes


@pytest.fixture(scope="session")
def mart_outcomes(checks: ChecksProcess) -> dict[str, SuiteOutcome]:
    """The outcome of each mart's suite on its table of cases."""
    return {mart: checks.validate(f"marts.{mart}", marts_cases.table_of_cases(mart)[0]) for mart in marts_cases.KEYS}
