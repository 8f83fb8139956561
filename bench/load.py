"""What loading costs: 604,500 figures with vintages, and whether a night grows dearer as the warehouse fills.

    python -m bench.load [--figures 10000000] [--profile]

In a cluster made for it and removed afterwards. First 31 provinces x 195 series x 100 months = 604,500 conformed figures,
in the returns room's frames, are loaded into an empty warehouse: keys, fact, receipts, changed set, one transaction, its
commit included. Then the 93 returns of a night (a month, a quarter and a school year of all provinces, prefectures and
counties) in turns into an empty warehouse and into one that holds ``--figures`` observations of the same series with their
receipts; the median of the pairs' ratios. CPU seconds, of this process and of its PostgreSQL session, stand beside wall
seconds, which a busy machine stretches. Figures are made up: only their number, keys and shape matter here. Reading,
conforming and checks are left out (``bench.floor`` has them in).
"""

from __future__ import annotations

import argparse
import cProfile
import datetime
import itertools
import pstats
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import sqlalchemy as sa
from sqlalchemy import Connection, Engine, create_engine

from resources.database import Warehouse
from warehouse.bulk import replace_temporary
from warehouse.calendar import due_on
from warehouse.catalogue import Catalogue, load_catalogue
from warehouse.coding import to_keys
from warehouse.loading import load_returns
from warehouse.migrating import migrate
from warehouse.periods import parse_period
from warehouse.receipts import Collected, Refresh, open_refresh, pending_arrivals, record_arrivals, settle_repeats
from warehouse.reference import ensure_periods, sync_catalogue
from warehouse.schema import AREA_TYPES

SERIES, MONTHS = 195, 100
SECONDS_GOAL, RATIO_GOAL = 3.0, 1.1
FIGURES = 10_000_000
TURNS = 5
NOW = datetime.datetime(2026, 11, 24, 2, 0, tzinfo=datetime.timezone(datetime.timedelta(hours=8)))
FORMS = ("employment_monthly", "health_quarterly", "education_school_year")

Series = tuple[str, str]
"""Indicator and area type."""


@dataclass(frozen=True)
class Batch:
    """Deliveries of one form: every province of ``regions`` reports ``series`` of all its regions for each period."""

    form: str
    periods: Sequence[str]
    series: Sequence[Series]
    regions: dict[str, list[str]]

    @property
    def figures(self) -> int:
        """How many there are."""
        return len(self.periods) * len(self.series) * sum(map(len, self.regions.values()))


def wide_batch(catalogue: Catalogue) -> Batch:
    """604,500 figures: more series than a form has, of provinces alone."""
    series = list(itertools.product(catalogue.indicators, AREA_TYPES))[:SERIES]
    months = [f"{2016 + number // 12}-{number % 12 + 1:02d}" for number in range(MONTHS)]
    return Batch("employment_monthly", months, series, {code: [code] for code in catalogue.provinces})


def night_batches(catalogue: Catalogue, turn: int) -> list[Batch]:
    """The 93 returns of a night; another ``turn``, other periods. Negative turns are nights before."""
    month, quarter = (2026 * 12 + turn, 2025 * 4 + turn)
    periods = (f"{month // 12}-{month % 12 + 1:02d}", f"{quarter // 4}-Q{quarter % 4 + 1}", f"SY{2022 + turn}")
    return [_form_batch(catalogue, form, [period]) for form, period in zip(FORMS, periods, strict=True)]


def _form_batch(catalogue: Catalogue, form: str, periods: Sequence[str]) -> Batch:
    series = [
        (indicator.code, area)
        for indicator in catalogue.indicators.values()
        if form in indicator.forms and indicator.finest_level == "county"
        for area in indicator.area_types
    ]
    regions: dict[str, list[str]] = {code: [] for code in catalogue.provinces}
    for region in catalogue.region_rows:
        if region.region_code[:2] + "0000" in regions and region.valid_to is None:
            regions[region.region_code[:2] + "0000"].append(region.region_code)
    return Batch(form, periods, series, regions)


def make_frames(batch: Batch, arrivals: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Frames as the returns room gives them: observations, quarantined, verdicts."""
    sizes = np.array([len(batch.regions[code]) * len(batch.series) for code in arrivals["region_code"]])
    columns = {"indicator_code": 0, "area_type": 1}
    parts: dict[str, list[object]] = {name: [] for name in ("region_code", "indicator_code", "area_type", "address")}
    for code in arrivals["region_code"]:
        regions = batch.regions[code]
        for name, place in columns.items():
            parts[name] += [each[place] for each in batch.series] * len(regions)
        parts["region_code"] += [region for region in regions for _ in batch.series]
        parts["address"] += [f"表1!{chr(67 + n % 20)}{5 + n // 20}" for n in range(len(regions) * len(batch.series))]
    count = int(sizes.sum())
    observations = pd.DataFrame(
        {
            "arrival_id": np.repeat(arrivals["arrival_id"].to_numpy(), sizes),
            **{name: pd.Categorical(parts[name]) for name in ("indicator_code", "region_code")},
            "period_code": pd.Categorical(np.repeat(arrivals["period_code"].to_numpy(dtype=object), sizes)),
            "area_type": pd.Categorical(parts["area_type"]),
            "value": np.random.default_rng(1).integers(1, 10_000_000, count).astype("float64"),
            "obs_status": pd.Categorical(np.full(count, "A")),
            "last_digit": np.full(count, 1.0),
            "address": parts["address"],
        }
    )
    told = ["arrival_id", "address", "raw_text", "reason", "explanation", "explanation_zh"]
    verdicts = pd.DataFrame({"arrival_id": arrivals["arrival_id"].to_numpy(), "cells": sizes, "duplicates": 0})
    verdicts = verdicts.assign(problem=None, explanation=None, layout="bench v1")
    return observations, pd.DataFrame(columns=told), verdicts


def queue(engine: Engine, batch: Batch, catalogue: Catalogue) -> tuple[Refresh, tuple[pd.DataFrame, ...]]:
    """Open a refresh, queue the deliveries and make their frames: what happens before a load."""
    form = catalogue.forms[batch.form]
    with engine.begin() as connection:
        refresh = open_refresh(connection, f"bench {time.monotonic_ns()}", NOW, catalogue.sha256)
        collected = [
            Collected(
                platform=f"{province}/{form.sector}", sector=form.sector, form=form.form, region_code=province,
                period_code=period, sha256=f"{refresh.refresh_id}/{province}/{period}", bytes=1, file_name="return.xlsx",
                media_type="application/octet-stream", etag=None, modified_at=NOW, fetched_at=NOW,
                due_on=due_on(form, parse_period(period)),
            )
            for period in batch.periods
            for province in batch.regions
        ]  # fmt: skip
        record_arrivals(connection, refresh, collected)
        arrivals = pending_arrivals(connection, batch.form)
    return refresh, make_frames(batch, arrivals)


@dataclass(frozen=True)
class Spent:
    """Wall and CPU seconds (of this process and of its PostgreSQL session) of a load."""

    wall: float = 0.0
    cpu: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.wall + other.wall, self.cpu + other.cpu)


def load(engine: Engine, batches: Sequence[Batch], catalogue: Catalogue) -> Spent:
    """What it takes to load the deliveries, a transaction a form."""
    spent = Spent()
    for batch in batches:
        refresh, frames = queue(engine, batch, catalogue)
        own, started = time.process_time(), time.monotonic()
        with engine.begin() as connection:
            session = session_of(connection)
            before = cpu_of(session)
            settle_repeats(connection, batch.form, refresh)
            arrivals = pending_arrivals(connection, batch.form)
            receipts = load_returns(connection, refresh, arrivals, *frames, catalogue)
        wall = time.monotonic() - started
        spent += Spent(wall, time.process_time() - own + cpu_of(session) - before)
        assert receipts["loaded"].sum() == batch.figures, "not every figure was loaded"
    return spent


def session_of(connection: Connection) -> psutil.Process:
    """The server's process that serves a connection; autovacuum and the writers are others."""
    driver: Any = connection.connection.driver_connection
    return psutil.Process(driver.info.backend_pid)


def cpu_of(process: psutil.Process) -> float:
    """CPU seconds until now."""
    times = process.cpu_times()
    return float(times.user + times.system)


def fill(engine: Engine, catalogue: Catalogue, figures: int) -> None:
    """Nights before turn 0, written by SQL straight into the fact, oldest first, until it holds ``figures``."""
    shares = [_form_batch(catalogue, form, ["2024"]).figures for form in FORMS]
    # A year is twelve months, four quarters and a school year.
    years = -(-figures // (12 * shares[0] + 4 * shares[1] + shares[2]))
    for form, count in zip(FORMS, (12 * years, 4 * years, years), strict=True):
        place = FORMS.index(form)
        periods = [night_batches(catalogue, turn)[place].periods[0] for turn in range(-count, 0)]
        for chunk in (periods[start : start + 12] for start in range(0, len(periods), 12)):
            with engine.begin() as connection:
                _fill_periods(connection, _form_batch(catalogue, form, chunk), catalogue)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM (ANALYZE)"))


def _fill_periods(connection: Connection, batch: Batch, catalogue: Catalogue) -> None:
    """The figures and receipts of some periods of a form; each period is a refresh of its own."""
    ensure_periods(connection, {parse_period(code).key for code in batch.periods})
    one = pd.DataFrame(
        [(0, *series, region, batch.periods[0]) for series in batch.series for codes in batch.regions.values()
         for region in codes],
        columns=["arrival_id", "indicator_code", "area_type", "region_code", "period_code"],
    )  # fmt: skip
    keys = to_keys(one.assign(value=1.0, obs_status="A", last_digit=1.0, address=""), catalogue)
    names = ["indicator_key", "region_key", "area_key"]
    replace_temporary(connection, "series", [(name, "integer") for name in names], keys[names])
    form = catalogue.forms[batch.form]
    parameters = {"form": form.form, "sector": form.sector}
    for period in batch.periods:
        connection.execute(
            _FILL_RECEIPTS, parameters | {"period": period, "due_on": due_on(form, parse_period(period))}
        )
        connection.execute(_FILL_FIGURES, parameters | {"period": period, "period_key": parse_period(period).key})


_FILL_RECEIPTS = sa.text(
    "WITH made AS (INSERT INTO ops.refresh (run_id, started_at, recorded_at, finished_at, status, catalogue_sha256)"
    " SELECT :form || :period, at, at, at, 'published', '' FROM (SELECT"
    " coalesce(max(recorded_at), '2000-01-01') + interval '1 hour' AS at FROM ops.refresh) m RETURNING refresh_id, recorded_at)"
    " INSERT INTO ops.return_receipt (refresh_id, platform, sector, form, region_code, period_code, sequence, sha256, bytes,"
    " modified_at, fetched_at, due_on, state, cells, loaded) SELECT refresh_id, region_code || '/' || :sector, :sector,"
    " :form, region_code, :period, 1, md5(region_code || :form || :period), 1, recorded_at, recorded_at,"
    " CAST(:due_on AS date), 'loaded', 2000, 2000 FROM made, core.region WHERE region_level = 'province'"
    " AND valid_to IS NULL"
)
_FILL_FIGURES = sa.text(
    "INSERT INTO core.observation (indicator_key, period_key, region_key, area_key, recorded_at, value, obs_status,"
    " last_digit, receipt_id, address)"
    " SELECT s.indicator_key, :period_key, s.region_key, s.area_key, f.recorded_at, floor(random() * 10000000), 'A', 1,"
    " t.receipt_id, '表1!C' || row_number() OVER (PARTITION BY t.receipt_id)"
    " FROM ops.return_receipt t JOIN ops.refresh f USING (refresh_id)"
    " JOIN pg_temp.series s ON s.region_key / 10000 = CAST(left(t.region_code, 2) AS integer)"
    " WHERE t.form = :form AND t.period_code = :period"
    " ORDER BY s.indicator_key, s.region_key, s.area_key"
)


@contextmanager
def cluster() -> Iterator[Warehouse]:
    """A server of its own in a folder that its user can reach; both are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="junheng-bench-"))
    folder.chmod(0o755)
    warehouse = Warehouse(None, None, folder / "var").ensure()
    assert warehouse.embedded is not None
    try:
        yield warehouse
    finally:
        warehouse.embedded.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def database(warehouse: Warehouse, name: str, catalogue: Catalogue) -> Iterator[Engine]:
    """A warehouse with the catalogue and no figure, in a database of that name."""
    owner = warehouse.engine(isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine = create_engine(owner.url.set(database=name), connect_args={"options": "-c timezone=Asia/Shanghai"})
    migrate(engine)
    with engine.begin() as connection:
        sync_catalogue(connection, catalogue)
    try:
        yield engine
    finally:
        engine.dispose()
        with owner.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name}"))
        owner.dispose()


def settle(engine: Engine, *, is_emptied: bool = False) -> None:
    """Write out what is dirty, so that a turn does not pay for the one before; empty the warehouse where asked."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if is_emptied:
            connection.execute(
                sa.text("TRUNCATE core.observation, ops.return_receipt, ops.refresh, ops.changed_slice, ops.quarantine")
            )
        connection.execute(sa.text("CHECKPOINT"))


def verdict(value: float, goal: float) -> str:
    """Whether a goal is kept, in a word."""
    return "within" if value <= goal else "OVER"


def measure_wide(warehouse: Warehouse, catalogue: Catalogue, profiler: cProfile.Profile | None) -> None:
    """604,500 figures into an empty warehouse."""
    batch = wide_batch(catalogue)
    with database(warehouse, "wide", catalogue) as engine:
        turns = []
        for _ in range(TURNS):
            settle(engine, is_emptied=True)
            turns.append(load(engine, [batch], catalogue))
        if profiler is not None:
            settle(engine, is_emptied=True)
            profiler.runcall(load, engine, [batch], catalogue)
    print(f"{batch.figures:,} figures with vintages into an empty warehouse, {TURNS} turns:")
    for name, spent in (("wall", [turn.wall for turn in turns]), ("CPU", [turn.cpu for turn in turns])):
        median = statistics.median(spent)
        print(
            f"  {name:4} {median:.2f} s ({verdict(median, SECONDS_GOAL)} the goal of {SECONDS_GOAL:.0f} s); {told(spent)}"
        )


def measure_nights(warehouse: Warehouse, catalogue: Catalogue, figures: int) -> None:
    """The same night into an empty and into a filled warehouse, in turns."""
    with database(warehouse, "empty", catalogue) as empty, database(warehouse, "filled", catalogue) as full:
        fill(full, catalogue, figures)
        with full.connect() as connection:
            held = connection.scalar(sa.text("SELECT count(*) FROM core.observation"))
        pairs = []
        for turn in range(TURNS):
            batches = night_batches(catalogue, turn)
            settle(empty, is_emptied=True)
            settle(full)
            pairs.append((load(empty, batches, catalogue), load(full, batches, catalogue)))
    cells = sum(batch.figures for batch in batches)
    print(f"\na night of 93 returns, {cells:,} figures, into a warehouse of none and of {held:,}; {TURNS} turns:")
    for name in ("wall", "cpu"):
        alone, filled = ([getattr(pair[side], name) for pair in pairs] for side in (0, 1))
        ratio = statistics.median(second / first for first, second in zip(alone, filled, strict=True))
        print(
            f"  {name:4} {statistics.median(alone):.2f} s and {statistics.median(filled):.2f} s: ratio {ratio:.2f}",
            end=" ",
        )
        print(f"({verdict(ratio, RATIO_GOAL)} the goal of {RATIO_GOAL}); {told(alone)} and {told(filled)}")


def told(seconds: Sequence[float]) -> str:
    """Every turn."""
    return " ".join(f"{second:.2f}" for second in seconds)


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--figures", type=int, default=FIGURES, help="observations of the filled warehouse, at least")
    parser.add_argument("--profile", action="store_true", help="print where the time of the first load goes")
    given = parser.parse_args()
    catalogue = load_catalogue()
    profiler = cProfile.Profile() if given.profile else None
    with cluster() as warehouse:
        measure_wide(warehouse, catalogue, profiler)
        if profiler is not None:
            pstats.Stats(profiler).sort_stats("tottime").print_stats(14)
        if given.figures:
            measure_nights(warehouse, catalogue, given.figures)


if __name__ == "__main__":
    main()
