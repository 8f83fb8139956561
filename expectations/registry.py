"""Every suite and every check there is, by name. Importing this is cheap: no Great Expectations."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from expectations import education, employment, health, marts, portal
from expectations.errors import UnknownSuiteError
from expectations.model import Check
from expectations.suite import Suite

SUITES: Mapping[str, Suite] = MappingProxyType(
    {suite.name: suite for suite in (employment.SUITE, health.SUITE, education.SUITE, portal.SUITE, *marts.SUITES)}
)
CHECKS: Mapping[str, Check] = MappingProxyType(
    {check.check_id: check for suite in SUITES.values() for check in suite.checks}
)


def get_suite(name: str) -> Suite:
    """The suite of that name. Raises :class:`UnknownSuiteError` where there is none."""
    if name not in SUITES:
        raise UnknownSuiteError(name, list(SUITES))
    return SUITES[name]


def is_mart_suite(name: str) -> bool:
    """Whether the suite judges a mart (its broken checks hold the release) and not returns."""
    return name.startswith("marts.")
