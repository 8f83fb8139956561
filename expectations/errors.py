"""Errors of the expectations room. Not here: a figure that breaks a rule — that is an outcome, not an exception."""

from __future__ import annotations

from warehouse.errors import JunhengError


class ChecksUnavailable(JunhengError):
    """The process that runs the checks died, hung or answered nonsense: whoever runs the refresh must look.

    Nothing was checked, so nothing may be loaded; the same call may be repeated and starts a new process.
    """

    def __init__(self, what_happened: str, stderr_tail: str = "") -> None:
        tail = f"; its last words:\n{stderr_tail}" if stderr_tail else ""
        super().__init__(f"the checks process {what_happened}. Nothing was checked; run the refresh again{tail}")
        self.what_happened = what_happened
        self.stderr_tail = stderr_tail


class CheckRunError(JunhengError):
    """Great Expectations could not evaluate a check (a fault of the check or of its table, not of a figure)."""

    def __init__(self, check_id: str, reason: str) -> None:
        super().__init__(f"check {check_id} could not be evaluated: {reason}. Report it with the table's columns")
        self.check_id = check_id
        self.reason = reason


class UnknownSuiteError(JunhengError):
    """A suite was asked for that does not exist: the caller must name one that does."""

    def __init__(self, suite: str, known: list[str]) -> None:
        super().__init__(f"there is no suite {suite!r}; suites are {', '.join(known)}")
        self.suite = suite
