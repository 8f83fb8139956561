"""From outcomes to the rows of ``ops.check_result`` and to metadata of Dagster's asset checks, as plain data.

Pure functions; no Dagster, no SQL. The assets room makes an ``AssetCheckResult`` of :func:`asset_check_facts`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from expectations.model import CheckOutcome, SuiteOutcome
from expectations.registry import CHECKS


def check_result_rows(outcome: SuiteOutcome) -> list[dict[str, Any]]:
    """One row a check for ``ops.check_result``; ``sample`` and ``arrivals`` are JSON texts."""
    return [_row(outcome, check) for check in outcome.checks]


def _row(outcome: SuiteOutcome, check: CheckOutcome) -> dict[str, Any]:
    rule = CHECKS[check.check_id]
    return {
        "check_id": check.check_id,
        "suite": outcome.suite,
        "subject": rule.subject,
        "severity": check.severity,
        "success": check.success,
        "evaluated": check.evaluated,
        "unexpected": check.unexpected,
        "sample": json.dumps(check.sample, ensure_ascii=False, allow_nan=False),
        "arrivals": json.dumps(check.arrivals),
        "explanation": check.explanation,
        "explanation_zh": rule.explanation_zh,
        "explanation_en": rule.explanation_en,
        "action_zh": rule.action_zh,
        "action_en": rule.action_en,
        "source": rule.source,
    }


def counts(outcomes: Sequence[SuiteOutcome]) -> dict[str, int]:
    """``passed``, ``warned``, ``failed`` over suites (an info that is broken counts as warned)."""
    return {
        "passed": sum(len(outcome.passed) for outcome in outcomes),
        "warned": sum(len(outcome.warned) for outcome in outcomes),
        "failed": sum(len(outcome.failed) for outcome in outcomes),
    }


def asset_check_facts(outcome: SuiteOutcome) -> dict[str, Any]:
    """One suite as one asset check: ``passed``, ``severity`` (``ERROR``/``WARN``), ``description``, ``metadata``.

    ``passed`` is False where any rule is broken; ``severity`` is ``ERROR`` only where a blocking one is. ``metadata``
    has plain numbers, texts and lists of flat dicts (tables), keys as Dagster allows them.
    """
    broken = [*outcome.failed, *outcome.warned]
    return {
        "passed": not broken,
        "severity": "ERROR" if outcome.failed else "WARN",
        "description": _description(outcome, broken),
        "metadata": {
            "suite": outcome.suite,
            "rows_checked": outcome.rows_checked,
            "checks_passed": len(outcome.passed),
            "checks_warned": len(outcome.warned),
            "checks_failed": len(outcome.failed),
            "returns_held": len(outcome.held_arrivals()),
            "seconds": round(sum(outcome.seconds.values()), 3),
            "checks": [_check_line(check) for check in outcome.checks],
            "worst_rows": [_sample_line(check, row) for check in broken for row in check.sample],
        },
    }


def _check_line(check: CheckOutcome) -> dict[str, Any]:
    return {
        "check": check.check_id,
        "result": "passed" if check.success else check.severity,
        "evaluated": check.evaluated,
        "unexpected": check.unexpected,
        "returns": len(check.arrivals),
    }


def _sample_line(check: CheckOutcome, row: dict[str, Any]) -> dict[str, Any]:
    """Every line of the table has the same columns, whatever the check: where it stands and why it is wrong."""
    keys = ("indicator_code", "region_code", "period_code", "area_type", "scope")
    place = " ".join(str(row[key]) for key in keys if row.get(key) is not None)
    return {
        "check": check.check_id,
        "arrival_id": row.get("arrival_id"),
        "address": row.get("address") or "",
        "place": place,
        "reason": row["reason"],
    }


def _description(outcome: SuiteOutcome, broken: Sequence[CheckOutcome]) -> str:
    if not broken:
        return f"{len(outcome.checks)} checks hold on {outcome.rows_checked:,} rows"
    named = "; ".join(f"{check.check_id} ({check.unexpected:,})" for check in broken[:5])
    more = f" and {len(broken) - 5} more" if len(broken) > 5 else ""
    return f"{len(outcome.failed)} blocking and {len(outcome.warned)} other checks are broken: {named}{more}"
