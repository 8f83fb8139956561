"""What a check is and what comes of it, as plain frozen data. Not here: any check, any Great Expectations.

A check is expressed for Great Expectations in one of four ways (``Check.kind``):

========== ==========================================================================================
kind       the expectation
========== ==========================================================================================
columns    ``values`` are columns the table must have
not_null   ``column`` holds a value in every row
in_set     ``column`` holds one of ``values`` (null is for ``not_null`` to judge)
verdict    ``column`` is a verdict prepared in pandas: 1 holds, 0 broken, 2 the rule does not apply here
========== ==========================================================================================

Why verdicts: a rule over several rows (urban + rural against total) is one vectorised step in pandas; Great
Expectations then judges a small-integer column, the fastest thing it can do (25 ms a check at a million rows; a
comparison of floats with ``ExpectColumnValuesToBeBetween`` takes 300 ms), and names every broken row.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Severity = Literal["blocking", "warning", "info"]
Kind = Literal["columns", "not_null", "in_set", "verdict"]

BROKEN, HOLDS, NOT_ASKED = 0, 1, 2

RowIndex = npt.NDArray[np.int64]
Verdict = npt.NDArray[np.int8]


def verdict(asked: npt.NDArray[np.bool_], holds: npt.NDArray[np.bool_]) -> Verdict:
    """1 where the rule holds, 0 where it is broken, 2 where it was not asked (both arrays: one entry a row)."""
    return np.where(asked, np.where(holds, HOLDS, BROKEN), NOT_ASKED).astype(np.int8)


@dataclass(frozen=True)
class Check:
    """One rule: what must hold, how bad it is if not, why, and what to do about it."""

    check_id: str
    """Stable id ``suite.subject.rule``; before :meth:`bind` without the suite."""
    subject: str
    """structure, codes, ranges, units or arithmetic; for marts keys, values or measures."""
    severity: Severity
    """``blocking`` holds the return (of a mart: the release) back, ``warning`` marks it, ``info`` is for the record."""
    kind: Kind
    column: str
    """The column judged; empty for ``columns``."""
    reason: str
    """What is wrong with one row, as a format text over the row's columns."""
    explanation_zh: str
    explanation_en: str
    action_zh: str
    action_en: str
    source: str
    """Where the rule comes from: a document, a method, a table of the catalogue."""
    values: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    """Further columns a person needs to see beside the broken row."""
    suite: str = ""

    def bind(self, suite: str) -> Check:
        """This rule as a check of ``suite``."""
        return dataclasses.replace(self, check_id=f"{suite}.{self.check_id}", suite=suite)


@dataclass(frozen=True, eq=False)
class CheckOutcome:
    """What one check found."""

    check_id: str
    severity: Severity
    success: bool
    evaluated: int
    """Rows the rule applied to (0: the rule found nothing to judge)."""
    unexpected: int
    """Rows that break it; for ``columns`` the number of missing columns."""
    sample: tuple[dict[str, Any], ...]
    """At most five broken rows, of different returns where there are several, each with address and ``reason``."""
    arrivals: tuple[int, ...]
    """Every return that has a broken row, ascending; complete, never cut."""
    rows: RowIndex
    """Index labels of every broken row in the frame given; complete, never cut."""
    explanation: str
    """In Chinese, then in English, then what to do."""
    findings: dict[int, str] = field(default_factory=dict)
    """For every return of ``arrivals`` its first broken row in words: address, then reason."""

    @property
    def is_blocking(self) -> bool:
        """Whether this outcome holds a return or release back."""
        return not self.success and self.severity == "blocking"


@dataclass(frozen=True, eq=False)
class SuiteOutcome:
    """What one suite found on one table."""

    suite: str
    checks: tuple[CheckOutcome, ...]
    rows_checked: int
    seconds: dict[str, float] = field(default_factory=dict)
    """Wall seconds by step: ``prepare``, ``validate``."""

    @property
    def success(self) -> bool:
        """No blocking check is broken."""
        return not any(check.is_blocking for check in self.checks)

    @property
    def passed(self) -> tuple[CheckOutcome, ...]:
        """Checks that hold."""
        return tuple(check for check in self.checks if check.success)

    @property
    def warned(self) -> tuple[CheckOutcome, ...]:
        """Broken checks that hold nothing back."""
        return tuple(check for check in self.checks if not check.success and check.severity != "blocking")

    @property
    def failed(self) -> tuple[CheckOutcome, ...]:
        """Broken blocking checks."""
        return tuple(check for check in self.checks if check.is_blocking)

    def held_arrivals(self) -> dict[int, tuple[str, ...]]:
        """Returns to hold back, each with the ids of the blocking checks it breaks."""
        return _by_arrival(self.failed)

    def warned_arrivals(self) -> dict[int, tuple[str, ...]]:
        """Returns with a broken check that holds nothing back, each with those checks' ids."""
        return _by_arrival(self.warned)

    def held_findings(self) -> dict[int, str]:
        """Returns to hold back, each with what is wrong in it: check, address of the first broken cell, reason."""
        return _told(self.failed)

    def warned_findings(self) -> dict[int, str]:
        """As :meth:`held_findings`, of the broken checks that hold nothing back."""
        return _told(self.warned)

    def check(self, check_id: str) -> CheckOutcome:
        """The outcome of one check. Raises ``KeyError`` where the suite has no such check."""
        for outcome in self.checks:
            if outcome.check_id == check_id:
                return outcome
        raise KeyError(check_id)


def _told(outcomes: Iterable[CheckOutcome]) -> dict[int, str]:
    told: dict[int, list[str]] = {}
    for outcome in outcomes:
        for arrival_id in outcome.arrivals:
            finding = outcome.findings.get(arrival_id, outcome.explanation)
            told.setdefault(arrival_id, []).append(f"{outcome.check_id}: {finding}")
    return {arrival_id: "; ".join(sentences) for arrival_id, sentences in told.items()}


def _by_arrival(outcomes: Iterable[CheckOutcome]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for outcome in outcomes:
        for arrival_id in outcome.arrivals:
            found[arrival_id] = (*found.get(arrival_id, ()), outcome.check_id)
    return found
