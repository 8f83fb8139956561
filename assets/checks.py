"""The checks process as a Dagster resource, and check outcomes as Dagster asset checks.

Great Expectations runs in a process of its own, started when a run first finds something new (it imports while returns
are collected) and not at all on an idle night. Not here: any check.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from expectations import SUITES, ChecksProcess, SuiteOutcome
from expectations.bridge import single_check_facts


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
    """One asset check for each check of a suite; ``blocking``: a broken blocking one stops what comes after the asset."""
    return [
        dg.AssetCheckSpec(
            check_name(check.check_id),
            asset=asset,
            description=f"{check.explanation_en} {check.explanation_zh}",
            blocking=blocking and check.severity == "blocking",
            metadata={"severity": check.severity, "source": check.source, "what_to_do": check.action_en},
        )
        for check in SUITES[suite].checks
    ]


def check_results(outcome: SuiteOutcome, asset: dg.AssetKey) -> Iterator[dg.AssetCheckResult]:
    """The outcomes of a suite as results of those asset checks."""
    for check in outcome.checks:
        facts = single_check_facts(check)
        yield dg.AssetCheckResult(
            passed=facts["passed"],
            asset_key=asset,
            check_name=check_name(check.check_id),
            severity=dg.AssetCheckSeverity[facts["severity"]],
            description=facts["description"],
            metadata={name: _metadata(value) for name, value in facts["metadata"].items()},
        )


def check_name(check_id: str) -> str:
    """Dagster allows no dots in names; the suite is dropped, since the asset says it."""
    return check_id.split(".", 2 if check_id.startswith("marts.") else 1)[-1].replace(".", "__")


def _metadata(value: Any) -> Any:
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        records = [dg.TableRecord({name: _cell(cell) for name, cell in row.items()}) for row in value]
        return dg.MetadataValue.table(records)
    return dg.MetadataValue.md("none") if value == [] else value


def _cell(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool) else str(value)
