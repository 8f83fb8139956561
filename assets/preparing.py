"""Preparing a release: the marts of what changed, computed, written and judged; nobody sees them yet. Knows no Dagster."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pandas as pd
from sqlalchemy import Engine

from expectations import ChecksProcess, SuiteOutcome
from expectations.bridge import check_result_rows
from warehouse.catalogue import Catalogue
from warehouse.checking import record_checks
from warehouse.coding import to_codes
from warehouse.computing import compute_marts, write_marts
from warehouse.publishing import Release, discard_unpublished, next_release_id, nominate
from warehouse.receipts import Refresh, lock_writing


@dataclass(frozen=True)
class Prepared:
    """What was computed for the coming release: frames and check outcomes by mart."""

    frames: dict[str, pd.DataFrame]
    outcomes: dict[str, SuiteOutcome]

    @property
    def broken(self) -> list[str]:
        """Blocking checks that do not hold: the release cannot be made."""
        return [check.explanation for outcome in self.outcomes.values() for check in outcome.failed]


def prepare_marts(
    engine: Engine,
    refresh: Refresh,
    checks: ChecksProcess,
    catalogue: Catalogue,
    now: Callable[[], datetime.datetime],
) -> Prepared:
    """Compute, write and judge the marts of what changed; nominated for the coming release where their checks hold."""
    with engine.begin() as connection:
        lock_writing(connection, refresh)
        release_id = next_release_id(connection)
        discard_unpublished(connection, release_id)
        computed = compute_marts(connection, catalogue)
        frames = {mart: rows.frame for mart, rows in computed.items()}
        # The checks process works on its own core while the rows are written; nobody sees them before the release.
        with ThreadPoolExecutor(1) as pool:
            judged = pool.submit(_judge, checks, frames, catalogue)
            write_marts(connection, computed, release_id, catalogue)
            outcomes = judged.result()
        prepared = Prepared(frames, outcomes)
        if not prepared.broken:
            nominate(connection, release_id)
    with engine.begin() as connection:
        for mart, outcome in outcomes.items():
            record_checks(connection, refresh, mart, check_result_rows(outcome), now())
    return prepared


def _judge(checks: ChecksProcess, frames: dict[str, pd.DataFrame], catalogue: Catalogue) -> dict[str, SuiteOutcome]:
    """The marts' suites, one after the other."""
    return {mart: checks.validate(f"marts.{mart}", to_codes(frame, catalogue)) for mart, frame in frames.items()}


def status_of(made: Release | None) -> str:
    """How a refresh ended that made this release, or none."""
    return "unchanged" if made is None else "published" if made.action == "publish" else "prepared"
