"""Running a suite with Great Expectations: the only module that imports it (4 s), so only the checks process does.

Here: suites as Great Expectations objects, one validation a call, its results mapped back to rows and returns. Not
here: rules, or the decision what a broken check means for a load.
"""

from __future__ import annotations

import os

# Both are read when Great Expectations is imported: nothing is sent anywhere.
os.environ["GX_ANALYTICS_ENABLED"] = "false"
os.environ["GX_ANALYTICS_BASE_URL"] = ""

import dataclasses
import logging
import time
import warnings
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

with warnings.catch_warnings():
    # Its dependencies announce changes of their own; they are no news to a user of Junheng.
    warnings.simplefilter("ignore")
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.execution_engine import pandas_execution_engine
    from great_expectations.expectations.core.expect_column_values_to_be_in_set import ExpectColumnValuesToBeInSet
    from great_expectations.expectations.core.expect_column_values_to_not_be_null import ExpectColumnValuesToNotBeNull
    from great_expectations.expectations.core.expect_table_columns_to_match_set import ExpectTableColumnsToMatchSet

from expectations.errors import CheckRunError
from expectations.marts import MARTS, prepare_mart
from expectations.model import HOLDS, NOT_ASKED, Check, CheckOutcome, RowIndex, SuiteOutcome
from expectations.prepare import GIVEN_COLUMNS, prepare
from expectations.registry import get_suite, is_mart_suite
from expectations.sampling import first_findings, sample_rows
from expectations.suite import Suite
from warehouse.catalogue import Catalogue

logging.getLogger("great_expectations").setLevel(logging.ERROR)
# Great Expectations hashes every table below this size twice, for a fingerprint nobody reads: 0.7 s a million rows.
pandas_execution_engine.HASH_THRESHOLD = 0

_SEVERITY = {"blocking": "critical", "warning": "warning", "info": "info"}
_RESULT_FORMAT = {"result_format": "COMPLETE", "return_unexpected_index_query": False}
_NO_ROWS: RowIndex = np.empty(0, dtype=np.int64)


def validate(
    suite: str,
    frame: pd.DataFrame,
    catalogue: Catalogue,
    reference: pd.DataFrame | None = None,
    arrivals: pd.DataFrame | None = None,
) -> SuiteOutcome:
    """Prepare the check table of ``frame`` and run a suite on it (see :func:`expectations.prepare.prepare`)."""
    started = time.perf_counter()
    if is_mart_suite(get_suite(suite).name):
        table = prepare_mart(suite, frame, catalogue)
    else:
        table = prepare(frame, catalogue, reference=reference, arrivals=arrivals, sector=suite)
    seconds = time.perf_counter() - started
    outcome = run_suite(suite, table, catalogue)
    return dataclasses.replace(outcome, seconds={"prepare": seconds, **outcome.seconds})


def run_suite(name: str, table: pd.DataFrame, catalogue: Catalogue) -> SuiteOutcome:
    """One validation of one prepared table by one suite.

    ``table`` comes from ``prepare`` or ``prepare_mart``; index labels must be unique integers. Raises
    :class:`UnknownSuiteError`, and :class:`CheckRunError` where a check cannot be evaluated on this table.
    """
    started = time.perf_counter()
    suite = get_suite(name)
    missing = _missing_columns(suite, table)
    checks = [check for check in suite.checks if _can_run(check, table, missing)]
    judged = table.attrs.get(GIVEN_COLUMNS, list(table.columns))
    needed = dict.fromkeys([*judged, *(check.column for check in checks if check.column)])
    batch = _batch_definition().get_batch({"dataframe": table[[c for c in needed if c not in missing]]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = batch.validate(_as_gx(name, tuple(check.check_id for check in checks)), result_format=_RESULT_FORMAT)
    found = {str(entry.expectation_config.meta["check_id"]): entry for entry in result.results}
    outcomes = tuple(
        _outcome(check, found[check.check_id], table, missing) if check.check_id in found else _not_run(check)
        for check in suite.checks
    )
    return SuiteOutcome(name, outcomes, len(table), {"validate": time.perf_counter() - started})


# ------------------------------------------------------------------------------------------------ towards GX


@cache
def _batch_definition() -> Any:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    source = context.data_sources.add_pandas("junheng")
    return source.add_dataframe_asset("table").add_batch_definition_whole_dataframe("whole")


@cache
def _as_gx(name: str, check_ids: tuple[str, ...]) -> gx.ExpectationSuite:
    wanted = set(check_ids)
    expectations = [_expectation(check) for check in get_suite(name).checks if check.check_id in wanted]
    return gx.ExpectationSuite(name=name, expectations=expectations)


def _expectation(check: Check) -> Any:
    """The check as a Great Expectations object; its id travels in ``meta``, its words in ``notes``."""
    common: dict[str, Any] = {
        "meta": {"check_id": check.check_id},
        "notes": f"{check.explanation_zh} {check.explanation_en}",
        "severity": _SEVERITY[check.severity],
    }
    match check.kind:
        case "columns":
            return ExpectTableColumnsToMatchSet(column_set=list(check.values), exact_match=False, **common)
        case "not_null":
            return ExpectColumnValuesToNotBeNull(column=check.column, **common)
        case "in_set":
            return ExpectColumnValuesToBeInSet(column=check.column, value_set=list(check.values), **common)
        case "verdict":
            return ExpectColumnValuesToBeInSet(column=check.column, value_set=[HOLDS, NOT_ASKED], **common)


# ---------------------------------------------------------------------------------------------- back from GX


def _missing_columns(suite: Suite, table: pd.DataFrame) -> frozenset[str]:
    given = set(table.attrs.get(GIVEN_COLUMNS, table.columns))
    return frozenset(column for check in suite.checks if check.kind == "columns" for column in check.values) - given


def _can_run(check: Check, table: pd.DataFrame, missing: frozenset[str]) -> bool:
    """A check of a column that is missing says nothing beyond ``columns_expected``, which fails."""
    if check.kind == "columns":
        return True
    if check.column not in table.columns and not missing:
        raise CheckRunError(check.check_id, f"the table was not prepared for it, it has no column {check.column!r}")
    return check.column in table.columns and check.column not in missing


def _not_run(check: Check) -> CheckOutcome:
    return CheckOutcome(check.check_id, check.severity, True, 0, 0, (), (), _NO_ROWS, _explanation(check))


def _outcome(check: Check, entry: Any, table: pd.DataFrame, missing: frozenset[str]) -> CheckOutcome:
    if any(fault.get("raised_exception") for fault in _faults(entry.exception_info)):
        raise CheckRunError(check.check_id, str(next(iter(_faults(entry.exception_info)))["exception_message"]))
    if check.kind == "columns":
        return _columns_outcome(check, bool(entry.success), table, missing)
    rows: RowIndex = np.asarray(entry.result.get("unexpected_index_list") or [], dtype=np.int64)
    wanted = dict.fromkeys(("arrival_id", *_identity(check), *check.evidence))
    broken = table[[column for column in wanted if column in table.columns]].loc[rows]
    return CheckOutcome(
        check_id=check.check_id,
        severity=check.severity,
        success=bool(entry.success),
        evaluated=_evaluated(check, entry, table),
        unexpected=len(rows),
        sample=sample_rows(check, broken, _identity(check)),
        arrivals=_arrivals(broken),
        rows=rows,
        explanation=_explanation(check),
        findings=first_findings(check, broken, _identity(check)),
    )


def _faults(info: dict[str, Any]) -> list[dict[str, Any]]:
    """Great Expectations gives one record of an exception, or one a metric."""
    return [info] if "raised_exception" in info else [fault for fault in info.values() if isinstance(fault, dict)]


def _columns_outcome(check: Check, success: bool, table: pd.DataFrame, missing: frozenset[str]) -> CheckOutcome:
    """A table without its columns holds back every return in it."""
    absent = [column for column in check.values if column in missing]
    sample = tuple({"column": column, "reason": check.reason.format(column=column)} for column in absent[:5])
    arrivals = () if success else _arrivals(table)
    return CheckOutcome(
        check.check_id,
        check.severity,
        success,
        len(check.values),
        len(absent),
        sample,
        arrivals,
        _NO_ROWS,
        _explanation(check),
    )


def _evaluated(check: Check, entry: Any, table: pd.DataFrame) -> int:
    if check.kind == "verdict":
        return int((table[check.column].to_numpy() != NOT_ASKED).sum())
    return int(entry.result["element_count"]) - int(entry.result.get("missing_count") or 0)


def _arrivals(broken: pd.DataFrame) -> tuple[int, ...]:
    if "arrival_id" not in broken.columns or broken.empty:
        return ()
    return tuple(sorted(int(arrival) for arrival in broken["arrival_id"].dropna().unique()))


def _identity(check: Check) -> tuple[str, ...]:
    """The columns by which a person finds the row again."""
    if is_mart_suite(check.suite):
        mart = MARTS[check.suite.removeprefix("marts.")]
        return (*mart.key, "value")
    return (
        "arrival_id",
        "address",
        "indicator_code",
        "region_code",
        "period_code",
        "area_type",
        "value",
        "obs_status",
        "raw_text",
    )


def _explanation(check: Check) -> str:
    return f"{check.explanation_zh}{check.action_zh} {check.explanation_en} {check.action_en}"
