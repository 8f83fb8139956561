"""The checks process as a Dagster resource, and check outcomes as Dagster asset checks.

Great Expectations runs in a process of its own, started when a run first finds something new (it imports while returns
are collected) and not at all on an idle night. Not here: any check.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from expectations import SUITES, Check, ChecksProcess, SuiteOutcome
from expectations.bridge import asset_check_facts
from resources.dagster import WarehouseResource
from warehouse.checking import last_checks

_started_early: list[ChecksProcess] = []


def start_early() -> None:
    """Start a checks process before the run that will need it; the run's resource takes it over."""
    if not _started_early:
        _started_early.append(ChecksProcess())
        _started_early[0].start()


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
            self._process = _started_early.pop() if _started_early else ChecksProcess()
        return self._process


def build_checks(suite: str, asset: dg.AssetKey, target: str) -> dg.AssetChecksDefinition:
    """The asset checks of a suite on an asset: one for each subject (structure, codes, …); its rules are described.

    They are evaluated inside the stage that loads or computes (:func:`report_checks`), and only when there is something
    to judge. They are no part of the nightly job: Dagster would plan them in every run and show them as skipped after a
    night without change, hiding what is known. Executed by a person, they say again what the last evaluation found.
    """
    specs = [
        dg.AssetCheckSpec(
            subject,
            asset=asset,
            description="\n".join(f"- `{rule.check_id}` ({rule.severity}): {rule.explanation_en}" for rule in rules),
        )
        for subject, rules in _by_subject(SUITES[suite].checks).items()
    ]

    @dg.multi_asset_check(name=f"last_checks_of_{asset.path[-1]}", specs=specs, can_subset=True)
    def _last_checks(
        context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource
    ) -> Iterator[dg.AssetCheckResult]:
        with warehouse.engine.connect() as connection:
            found = last_checks(connection, target)
        for key in sorted(context.selected_asset_check_keys):
            rules = [row for row in found if row["subject"] == key.name]
            broken = [row for row in rules if not row["success"]]
            yield dg.AssetCheckResult(
                passed=not broken,
                asset_key=asset,
                check_name=key.name,
                severity=_severity(any(row["severity"] == "blocking" for row in broken)),
                description="; ".join(row["explanation"] for row in broken)
                or f"{len(rules)} checks held when last judged",
                metadata={"refresh_id": rules[0]["refresh_id"] if rules else "never judged"},
            )

    return _last_checks


def report_checks(context: dg.AssetExecutionContext, outcome: SuiteOutcome, asset: dg.AssetKey) -> None:
    """Tell Dagster what a suite found, by subject, as evaluations of the asset's checks."""
    subject_of = {rule.check_id: rule.subject for rule in SUITES[outcome.suite].checks}
    for subject in _by_subject(SUITES[outcome.suite].checks):
        checks = tuple(check for check in outcome.checks if subject_of[check.check_id] == subject)
        facts = asset_check_facts(SuiteOutcome(outcome.suite, checks, outcome.rows_checked))
        evaluation = dg.AssetCheckEvaluation(
            asset_key=asset,
            check_name=subject,
            passed=facts["passed"],
            severity=_severity(facts["severity"] == "ERROR"),
            description=facts["description"],
            metadata={name: _metadata(value) for name, value in facts["metadata"].items()}
            | {"run": dg.MetadataValue.dagster_run(context.run.run_id)},
        )
        context.instance.report_runless_asset_event(evaluation)


def _severity(is_error: bool) -> dg.AssetCheckSeverity:
    return dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN


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
