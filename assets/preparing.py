"""Preparing a release: the marts of what changed, computed, written and judged; nobody sees them yet. Knows no Dagster."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue

import pandas as pd
from sqlalchemy import Engine

from expectations import ChecksProcess, SuiteOutcome
from expectations.bridge import check_result_rows
from warehouse.catalogue import Catalogue
from warehouse.checking import record_checks
from warehouse.coding import to_codes
from warehouse.computing import MartRows, compute_marts, digest_observations, join_batches, write_marts
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
    # What is computed is written while the next batch is computed and while the checks process judges, each on a core of its
    # own; nobody sees the rows before the release.
    batches: SimpleQueue[dict[str, MartRows] | None] = SimpleQueue()
    with engine.begin() as connection, ThreadPoolExecutor(1) as pool:
        lock_writing(connection, refresh)
        judged = pool.submit(_compute_and_judge, engine, checks, catalogue, batches)
        digest_observations(connection, release_id, catalogue)
        while (batch := batches.get()) is not None:
            write_marts(connection, batch, release_id)
        prepared = judged.result()
        if not prepared.broken:
            nominate(connection, release_id)
    with engine.begin() as connection:
        for mart, outcome in prepared.outcomes.items():
            record_checks(connection, refresh, mart, check_result_rows(outcome), now())
    return prepared


def _compute_and_judge(
    engine: Engine, checks: ChecksProcess, catalogue: Catalogue, batches: SimpleQueue[dict[str, MartRows] | None]
) -> Prepared:
    """Hand on each batch of marts as it is computed, None after the last or a fault, and judge all of them together."""
    done = []
    try:
        with engine.connect() as connection:
            for batch in compute_marts(connection, catalogue):
                batches.put(batch)
                done.append(batch)
    finally:
        batches.put(None)
    frames = join_batches(done)
    return Prepared(
        frames, {mart: checks.validate(f"marts.{mart}", to_codes(rows, catalogue)) for mart, rows in frames.items()}
    )


def status_of(made: Release | None) -> str:
    """How a refresh ended that made this release, or none."""
    return "unchanged" if made is None else "published" if made.action == "publish" else "prepared"
