"""What must hold: the checks on returns and marts, run by Great Expectations in a process of their own.

Here: rules as data (one module a subject), suites (one a sector, one a mart), the process that runs them, and the
bridge from their outcomes to the warehouse and to Dagster. Not here: loading or repairing; a check only says.

Importing this package does not import Great Expectations (4 s); only :mod:`expectations.engine` does, and only the
checks process (:mod:`expectations.worker`) imports that.
"""

from __future__ import annotations

from expectations.client import ChecksProcess
from expectations.errors import CheckRunError, ChecksUnavailable, UnknownSuiteError
from expectations.model import Check, CheckOutcome, Severity, SuiteOutcome
from expectations.prepare import prepare
from expectations.registry import CHECKS, SUITES

__all__ = [
    "CHECKS",
    "SUITES",
    "Check",
    "CheckOutcome",
    "CheckRunError",
    "ChecksProcess",
    "ChecksUnavailable",
    "Severity",
    "SuiteOutcome",
    "UnknownSuiteError",
    "prepare",
]
