"""Accepting one form's deliveries: read them, check them, load what holds and set the rest aside.

Joins the archive, the returns room, the expectations room and the warehouse; knows no Dagster. A return that breaks a
blocking check is set aside whole, with the check as the reason; the others go on.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from assets.collecting import manifest_entry
from assets.yielding import yield_to_returns
from expectations import ChecksProcess, SuiteOutcome
from expectations.bridge import check_result_rows
from resources.archive import Archive
from resources.platforms import Register
from returns import Arrival, ReadResult, read_returns
from warehouse.catalogue import Catalogue, Form
from warehouse.checking import record_checks, reference_figures
from warehouse.loading import load_returns, record_warnings
from warehouse.periods import parse_period
from warehouse.precedence import PORTAL
from warehouse.quarantining import read_waivers
from warehouse.receipts import Refresh, lock_writing, pending_arrivals, read_partitions, settle_repeats


@dataclass(frozen=True)
class Acceptance:
    """What became of a form's deliveries. ``receipts``: a row each (region_code, period_code, state, counts, message)."""

    receipts: pd.DataFrame
    outcome: SuiteOutcome | None


def accept_form(
    form: Form,
    catalogue: Catalogue,
    archive: Archive,
    engine: Engine,
    refresh: Refresh,
    checks: ChecksProcess,
    now: Callable[[], datetime.datetime],
    register: Register,
) -> Acceptance:
    """Read, check and load every delivery of ``form`` that waits, whoever collected it; ``register`` says which layouts and
    which encoding a platform's returns have.

    One transaction: killed before its end, the deliveries still wait for the next refresh.
    """
    with engine.begin() as connection:
        lock_writing(connection, refresh)
        settle_repeats(connection, form.form, refresh)
        arrivals = pending_arrivals(connection, form.form)
        outcome = None
        if len(arrivals):
            left = arrivals[arrivals["refresh_id"] != refresh.refresh_id].astype(object)
            left_over: list[Any] = left.where(left.notna(), None).to_dict("records")
            archive.append_manifest([manifest_entry(row, refresh) for row in left_over])
            waiting = [_arrival(row, register) for row in arrivals.to_dict("records")]
            result = read_returns(waiting, archive.get, catalogue)
            if not form.is_owed:
                result = yield_to_returns(connection, form, result, catalogue)
            outcome = _load_while_checked(connection, form, catalogue, refresh, arrivals, result, checks)
            record_warnings(connection, refresh, _warned(result, outcome, catalogue))
            record_checks(connection, refresh, form.form, check_result_rows(outcome), now())
        receipts = read_partitions(connection, refresh.refresh_id, form.form)
    return Acceptance(receipts, outcome)


def _load_while_checked(
    connection: Connection,
    form: Form,
    catalogue: Catalogue,
    refresh: Refresh,
    arrivals: pd.DataFrame,
    result: ReadResult,
    checks: ChecksProcess,
) -> SuiteOutcome:
    """Load what was read while the checks process judges it on its own core; returns the verdicts.

    Nearly every night nothing is held back. Where something is, or the load fails on what a check would have caught, the
    savepoint is rolled back and the rest is loaded; nobody has seen anything, for the transaction is still open.
    """
    reference = reference_figures(connection, form.form, catalogue)
    told = arrivals[["arrival_id", "region_code", "form", "period_code"]]
    with ThreadPoolExecutor(1) as pool:
        judging = pool.submit(checks.validate, form.sector, result.observations, reference, told)
        attempt = connection.begin_nested()
        try:
            _load(connection, refresh, arrivals, result, catalogue)
            is_loaded = True
        except DBAPIError:
            is_loaded = False
        outcome = judging.result()
    held = hold_back(result, outcome, _waived(connection, arrivals))
    if is_loaded and held is result:
        attempt.commit()
    else:
        attempt.rollback()
        _load(connection, refresh, arrivals, held, catalogue)
    return outcome


def _load(
    connection: Connection, refresh: Refresh, arrivals: pd.DataFrame, result: ReadResult, catalogue: Catalogue
) -> None:
    frames = (result.observations, result.quarantined, result.verdicts)
    load_returns(connection, refresh, arrivals, *frames, catalogue, result.roster)


def _waived(connection: Connection, arrivals: pd.DataFrame) -> dict[int, set[str]]:
    """Checks that a person waived, by arrival: those of its very bytes."""
    waivers = read_waivers(connection, arrivals["sha256"].unique().tolist())
    pairs = zip(arrivals["arrival_id"].tolist(), arrivals["sha256"].tolist(), strict=True)
    return {arrival_id: waivers[sha256] for arrival_id, sha256 in pairs if sha256 in waivers}


def hold_back(
    result: ReadResult, outcome: SuiteOutcome, waived: Mapping[int, Collection[str]] = MappingProxyType({})
) -> ReadResult:
    """Move every figure of a return that broke a blocking check to quarantine, with the check and its reason, and so those
    of its roster.

    ``waived`` names checks by arrival that a person lets it pass; any other that it breaks still holds it back.
    """
    held = {
        arrival_id: left
        for arrival_id, checks in outcome.held_arrivals().items()
        if (left := [check for check in checks if check not in waived.get(arrival_id, ())])
    }
    if not held:
        return result
    is_held, is_held_too = (frame["arrival_id"].isin(list(held)) for frame in (result.observations, result.roster))
    cells = ["arrival_id", "address", "raw_text"]
    figures = pd.concat([result.observations.loc[is_held, cells], result.roster.loc[is_held_too, cells]])
    findings = {arrival_id: told for arrival_id, told in outcome.held_findings().items() if arrival_id in held}
    by_arrival = figures["arrival_id"].map
    aside = pd.DataFrame(
        {
            "arrival_id": figures["arrival_id"],
            "address": figures["address"],
            "raw_text": figures["raw_text"],
            "reason": by_arrival({arrival: checks[0] for arrival, checks in held.items()}).astype("str"),
            "explanation": "held back with its return: " + by_arrival(findings).astype("str"),
            "explanation_zh": "整份报表暂扣，未通过阻断性检查：" + by_arrival(findings).astype("str"),
        }
    )
    verdicts = result.verdicts.copy()
    told = verdicts["arrival_id"].map(findings)
    verdicts["explanation"] = verdicts["explanation"].where(told.isna(), told)
    return ReadResult(
        result.observations[~is_held].reset_index(drop=True),
        pd.concat([result.quarantined, aside], ignore_index=True),
        verdicts,
        result.roster[~is_held_too].reset_index(drop=True),
    )


def _warned(result: ReadResult, outcome: SuiteOutcome, catalogue: Catalogue) -> pd.DataFrame:
    """Figures with a warning by (indicator_key, period_key)."""
    rows = np.unique(np.concatenate([np.empty(0, np.int64), *(check.rows for check in outcome.warned)]))
    codes = result.observations.loc[rows, ["indicator_code", "period_code"]].astype(str)
    counted = codes.value_counts().rename("warnings").reset_index()
    return counted.assign(
        indicator_key=[catalogue.indicators[code].indicator_key for code in counted["indicator_code"]],
        period_key=[parse_period(code).key for code in counted["period_code"]],
    )


def _arrival(row: dict[Any, Any], register: Register) -> Arrival:
    fields = (
        "arrival_id",
        "platform",
        "sector",
        "form",
        "region_code",
        "period_code",
        "sha256",
        "file_name",
        "media_type",
    )
    access = register.platform(row["region_code"], row["sector"]).access
    # A table of the portal is of no form that a layout could name: open layouts read it.
    told = {name: row[name] for name in fields} | ({"form": ""} if row["sector"] == PORTAL else {})
    return Arrival(**told, layouts=access.layouts, encoding=access.encoding)
