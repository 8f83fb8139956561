"""The checks process as a Dagster resource, and check outcomes as Dagster asset checks.

Great Expectations runs in a process of its own, started when a run first finds something new (it imports while returns
are collected) and not at all on an idle night. Not here: any check.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from expectations import SUITES, Check, ChecksProcess, SuiteOutcome
from expectations.bridge import asset_check_facts


class ChecksResource(dg.ConfigurableResource[None]):
    """The checks process of a run."""

    _process: ChecksProcess | None = PrivateAttr(default=None)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """End the process."""
        self.close()

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def warm_up(self) -> None:
        """Start it, without waiting."""
        self.process.start()

    @property
    def process(self) -> ChecksProcess:
        """The process; starts with the first question at the latest."""
        if self._process is None:
            self._process = ChecksProcess()
        return self._process


def check_specs(suite: str, asset: dg.AssetKey, *, blocking: bool = False) -> list[dg.AssetCheckSpec]:
    """One asset check for each subject of a suite (structure, codes, …); ``blocking`` stops what comes after the asset.

    Not one for each rule: every declared check costs an event a run, also on a night when it has nothing to judge. The
    rules stand in the check's metadata, and each in a row of ``ops.check_result``.
    """
    return [
        dg.AssetCheckSpec(
            subject,
            asset=asset,
            description="\n".join(f"- `{rule.check_id}` ({rule.severity}): {rule.explanation_en}" for rule in rules),
            blocking=blocking,
        )
        for subject, rules in _by_subject(SUITES[suite].checks).items()
    ]


def check_results(outcome: SuiteOutcome, asset: dg.AssetKey) -> Iterator[dg.AssetCheckResult]:
    """The outcome of a suite as results of those asset checks."""
    subject_of = {rule.check_id: rule.subject for rule in SUITES[outcome.suite].checks}
    for subject in _by_subject(SUITES[outcome.suite].checks):
        checks = tuple(check for check in outcome.checks if subject_of[check.check_id] == subject)
        facts = asset_check_facts(SuiteOutcome(outcome.suite, checks, outcome.rows_checked))
        yield dg.AssetCheckResult(
            passed=facts["passed"],
            asset_key=asset,
            check_name=subject,
            severity=dg.AssetCheckSeverity[facts["severity"]],
            description=facts["description"],
            metadata={name: _metadata(value) for name, value in facts["metadata"].items()},
        )


def _by_subject(checks: Iterable[Check]) -> dict[str, list[Check]]:
    """Rules by subject, in the suite's order."""
    subjects: dict[str, list[Check]] = {}
    for check in checks:
        subjects.setdefault(check.subject, []).append(check)
    return subjects


def _metadata(value: Any) -> Any:
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        records = [dg.TableRecord({name: _cell(cell) for name, cell in row.items()}) for row in value]
        return dg.MetadataValue.table(records)
    return dg.MetadataValue.md("none") if value == [] else value


def _cell(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool) else str(value)
