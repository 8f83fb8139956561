"""What the metrics cost over a long history, in full and for one change, and whether a night grows dearer with it.

    python -m bench.metrics [--years 10] [--nights 3] [--profile]

In a cluster made for it and removed afterwards: months and years of 30 indicators (20 reported rates, 5 counts, 5 rates of
these) for the 2,845 county units and 31 provinces, 11 M figures over ten years; seven with a floor, as many as the
catalogue has. Figures are made up: only their number, keys and shape matter. CPU seconds, of the process and of its
PostgreSQL session, stand beside wall seconds, which a busy machine stretches.

1. Full derivation: nothing is known but the reported figures; national and derived figures, every mart, hashes and the
   release. A process of its own, whose peak memory is told (PostgreSQL's is not in it).
2. One changed slice (an indicator in the latest month, the latest year, the first year): all its marts, written and hashed.
3. A night of 31 returns with a new month into ten years and into one, in turns: loaded, derived, published; the median of
   the pairs' ratios. Reading, conforming and checks are left out (``bench.floor`` has them in).
"""

from __future__ import annotations

import argparse
import cProfile
import dataclasses
import datetime
import multiprocessing
import pstats
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Engine, create_engine

from bench.load import Batch, Spent, cluster, cpu_of, database, load, session_of, settle, told, verdict
from resources.database import Warehouse
from warehouse import schema
from warehouse.bulk import copy_frame
from warehouse.catalogue import Catalogue, Index, Indicator, Resource, Standard, load_catalogue
from warehouse.computing import MartRows, compute_marts, compute_observations, digest_observations, write_marts
from warehouse.loading import record_changes
from warehouse.periods import Period, month, year
from warehouse.publishing import discard_unpublished, gather_statistics, next_release_id, nominate, publish
from warehouse.receipts import Refresh, open_refresh
from warehouse.reference import ensure_periods

FIRST_YEAR = 2015
RATES, COUNTS, FLOORS = 20, 5, 7
FULL_GOAL, MEMORY_GOAL, CHANGE_GOAL, RATIO_GOAL = 60.0, 1_500.0, 0.5, 1.1
NOW = datetime.datetime(2026, 11, 24, 2, 0, tzinfo=datetime.timezone(datetime.timedelta(hours=8)))
CONTEXT = ("POP_RESIDENT", "INC_DISPOSABLE", "FIS_REVENUE")
FORM = "employment_monthly"


def bench_catalogue() -> Catalogue:
    """Thirty comparable indicators in place of the catalogue's, what weighs them, and floors for some."""
    real = load_catalogue()
    like = real.indicators["INC_DISPOSABLE"].model_dump()
    monthly = {
        "sector": "health",
        "frequency": "M",
        "finest_level": "county",
        "forms": (FORM,),
        "area_types": ("total",),
        "direction": "higher",
        "has_published_figures": False,
    }

    def made(number: int, **more: object) -> Indicator:
        code = f"BENCH_{number:02d}"
        return Indicator.model_validate(
            like | monthly | {"code": code, "indicator_key": 500 + number, "name_zh": code, "name_en": code} | more
        )

    rates = [made(n, aggregation="weighted_mean", is_comparable=True) for n in range(RATES)]
    counts = [
        made(40 + n, aggregation="sum", is_comparable=False, weight_indicator="", unit="person") for n in range(COUNTS)
    ]
    derived = [
        made(20 + n, kind="derived", numerator=count.code, denominator="POP_RESIDENT", multiplier=1000.0,
             aggregation="ratio_of_sums", is_comparable=True, forms=())
        for n, count in enumerate(counts)
    ]  # fmt: skip
    context = [real.indicators[code] for code in CONTEXT]
    step = next(standard for standard in real.standards if standard.kind == "floor").model_dump()
    floors = [
        Standard.model_validate(
            step
            | {"standard_key": n + 1, "indicator_code": rate.code, "area_type": "", "item_number": "", "value": 40.0}
            | {"valid_from": "2000-01-01", "valid_to": "", "target_year": "", "region_group": "", "region_code": ""}
        )
        for n, rate in enumerate(rates[:FLOORS])
    ]
    indicators = {row.code: row for row in (*context, *rates, *counts, *derived)}
    return dataclasses.replace(
        real,
        indicators=indicators,
        standards=tuple(floors),
        recomputed_rates=(),
        cost_rules={},
        resources=tuple(Resource(indicator_code=row.code, what=row.code) for row in counts),
        milestones=(),
        indices=_indices(real, [row.code for row in rates]),
        breaks=(),
        not_applicable=(),
        region_changes=(),
        sha256="bench",
    )


def _indices(real: Catalogue, codes: Sequence[str]) -> dict[str, Index]:
    """The catalogue's indices over indicators of the bench: three a sector."""
    places = {"employment": 0, "education": 3, "health": 6}
    return {
        code: index
        if index.sector == "overall"
        else index.model_copy(
            update={
                "members": tuple(f"{code}@total" for code in codes[places[index.sector] : places[index.sector] + 3])
            }
        )
        for code, index in real.indices.items()
    }


def periods_of(years: Sequence[int]) -> list[Period]:
    """The months and the year of each."""
    return [period for number in years for period in (*(month(number, n) for n in range(1, 13)), year(number))]


def units(catalogue: Catalogue) -> np.ndarray:
    """Keys of the counties and provinces."""
    counties = [int(code) for code in catalogue.county_units]
    return np.array(sorted({*counties, *(int(code) for code in catalogue.provinces)}))


def fill(engine: Engine, catalogue: Catalogue, years: Sequence[int]) -> int:
    """Write the reported figures of these years straight into the fact, all of them changed; how many there are."""
    generator = np.random.default_rng(1)
    regions = units(catalogue)
    periods = periods_of(years)
    with engine.begin() as connection:
        refresh = open_refresh(connection, "fill", NOW - datetime.timedelta(days=1), catalogue.sha256)
        ensure_periods(connection, [period.key for period in periods])
    level = generator.uniform(20, 80, regions.size)
    total = 0
    for indicator in catalogue.indicators.values():
        if indicator.kind == "derived":
            continue
        own = [period for period in periods if indicator.frequency == "M" or period.kind == "year"]
        drift = np.array([period.year - FIRST_YEAR for period in own])[:, None]
        values = level * (1 + 0.02 * drift) * generator.uniform(0.9, 1.1, (len(own), regions.size))
        if indicator.aggregation == "sum":
            values = np.rint(values * 10_000)
        frame = pd.DataFrame(
            {
                "indicator_key": np.int16(indicator.indicator_key),
                "period_key": np.repeat([period.key for period in own], regions.size),
                "region_key": np.tile(regions, len(own)),
                "area_key": np.int16(0),
                "recorded_at": refresh.recorded_at.isoformat(),
                "value": np.round(values, 2).ravel(),
                "obs_status": "A",
                "last_digit": 0.01,
                "receipt_id": 1,
                "address": "表1!C5",
            }
        )
        slices = pd.DataFrame({"indicator_key": indicator.indicator_key, "period_key": [period.key for period in own]})
        with engine.begin() as connection:
            total += copy_frame(connection, schema.observation, frame)
            record_changes(connection, refresh, slices.assign(revisions=0))
    return total


def analyse(engine: Engine) -> None:
    """Vacuum and gather statistics, as autovacuum does in time."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM (ANALYZE)"))
        connection.execute(sa.text("CHECKPOINT"))


@dataclasses.dataclass
class Stages:
    """Of a derivation: wall seconds by stage, all its CPU seconds, rows of each mart, peak memory of the process in MB."""

    seconds: dict[str, float]
    cpu: float
    rows: dict[str, int]
    peak_mb: float

    @property
    def total(self) -> float:
        """All of it."""
        return sum(self.seconds.values())


def derive(engine: Engine, catalogue: Catalogue, refresh: Refresh) -> Stages:
    """National and derived figures, marts, hashes, release: each stage a transaction, as a night has them."""
    seconds: dict[str, float] = {}
    own, served = time.process_time(), 0.0

    def timed(name: str, work: Callable[[sa.Connection], object]) -> object:
        nonlocal served
        started = time.monotonic()
        with engine.connect() as connection:
            session = session_of(connection)
            before = cpu_of(session)
            with connection.begin():
                result = work(connection)
            served += cpu_of(session) - before
        seconds[name] = time.monotonic() - started
        return result

    rows: dict[str, int] = {}

    def marts(connection: sa.Connection) -> None:
        number = next_release_id(connection)
        discard_unpublished(connection, number)
        for batch in ahead(engine, catalogue, lambda: digest_observations(connection, number, catalogue)):
            write_marts(connection, batch, number)
            for mart, found in batch.items():
                rows[mart] = rows.get(mart, 0) + len(found.frame)
        nominate(connection, number)

    timed("observations", lambda connection: compute_observations(connection, refresh, catalogue))
    timed("marts", marts)
    timed("publish", lambda c: publish(c, refresh, next_release_id(c), NOW, catalogue))
    cpu = time.process_time() - own + served
    return Stages(seconds, cpu, rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def ahead(engine: Engine, catalogue: Catalogue, meanwhile: Callable[[], None]) -> Iterator[dict[str, MartRows]]:
    """The marts batch by batch, the next computed in a thread while one is written: as a night does it."""
    batches: SimpleQueue[dict[str, MartRows] | None] = SimpleQueue()

    def compute() -> None:
        try:
            with engine.connect() as connection:
                for batch in compute_marts(connection, catalogue):
                    batches.put(batch)
        finally:
            batches.put(None)

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(compute)
        meanwhile()
        while (batch := batches.get()) is not None:
            yield batch
        done.result()


def derive_apart(url: str, answers: multiprocessing.Queue[Stages], *, is_profiled: bool) -> None:
    """The full derivation, for a process of its own."""
    engine = create_engine(url, connect_args={"options": "-c timezone=Asia/Shanghai"})
    catalogue = bench_catalogue()
    with engine.begin() as connection:
        refresh = open_refresh(connection, "derive", NOW, catalogue.sha256)
    profiler = cProfile.Profile()
    stages = profiler.runcall(derive, engine, catalogue, refresh) if is_profiled else derive(engine, catalogue, refresh)
    if is_profiled:
        pstats.Stats(profiler).sort_stats("cumtime").print_stats(60)
    answers.put(stages)
    engine.dispose()


def derive_in_full(engine: Engine, *, is_profiled: bool) -> Stages:
    """Run the full derivation in another process, whose memory is then its own."""
    context = multiprocessing.get_context("spawn")
    answers: multiprocessing.Queue[Stages] = context.Queue()
    url = engine.url.render_as_string(hide_password=False)
    process = context.Process(target=derive_apart, args=(url, answers), kwargs={"is_profiled": is_profiled})
    process.start()
    stages = answers.get()
    process.join()
    return stages


def change(engine: Engine, catalogue: Catalogue, indicator: str, period: Period, night: int) -> Stages:
    """Another figure of each region in one slice, and everything derived from it."""
    at = NOW + datetime.timedelta(days=night)
    key = {"indicator": catalogue.indicators[indicator].indicator_key, "period": period.key}
    with engine.begin() as connection:
        refresh = open_refresh(connection, f"change {night}", at, catalogue.sha256)
        connection.execute(_REVISE, key | {"moment": refresh.recorded_at})
        changed = pd.DataFrame({"indicator_key": [key["indicator"]], "period_key": [period.key], "revisions": [1]})
        record_changes(connection, refresh, changed)
    return derive(engine, catalogue, refresh)


_REVISE = sa.text(
    "WITH old AS (UPDATE core.observation SET superseded_at = :moment, end_reason = 'revision'"
    " WHERE indicator_key = :indicator AND period_key = :period AND superseded_at = 'infinity' AND receipt_id IS NOT NULL"
    " RETURNING *)"
    " INSERT INTO core.observation (indicator_key, period_key, region_key, area_key, recorded_at, value, obs_status,"
    " last_digit, receipt_id, address) SELECT indicator_key, period_key, region_key, area_key, :moment,"
    " value * 1.01, obs_status, last_digit, receipt_id, address FROM old"
)


def night(engine: Engine, catalogue: Catalogue, turn: int) -> Spent:
    """Load a new month of all provinces with their counties, derive and publish."""
    regions: dict[str, list[str]] = {code: [code] for code in catalogue.provinces}
    for code in sorted(catalogue.county_units):
        regions[code[:2] + "0000"].append(code)
    series = [(row.code, "total") for row in catalogue.indicators.values() if FORM in row.forms]
    period = month(FIRST_YEAR + 10 + turn // 12, turn % 12 + 1)
    spent = load(engine, [Batch(FORM, [period.code], series, regions)], catalogue)
    at = NOW + datetime.timedelta(days=100 + turn)
    with engine.begin() as connection:
        refresh = open_refresh(connection, f"night {turn}", at, catalogue.sha256)
    stages = derive(engine, catalogue, refresh)
    return spent + Spent(stages.total, stages.cpu)


def measure_full(warehouse: Warehouse, catalogue: Catalogue, years: int, *, is_profiled: bool) -> None:
    """The full derivation, then single changes on top of it."""
    with database(warehouse, "whole", catalogue) as engine:
        reported = fill(engine, catalogue, range(FIRST_YEAR, FIRST_YEAR + years))
        analyse(engine)
        stages = derive_in_full(engine, is_profiled=is_profiled)
        with engine.connect() as connection:
            held = connection.scalar(sa.text("SELECT count(*) FROM core.observation"))
        print(f"{reported:,} reported figures, {held:,} with what was computed; full derivation:")
        parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in stages.seconds.items())
        kept = verdict(stages.total, FULL_GOAL)
        print(f"  {stages.total:.1f} s ({kept} {FULL_GOAL:.0f} s), CPU {stages.cpu:.1f} s; {parts}")
        print(f"  peak memory {stages.peak_mb:,.0f} MB ({verdict(stages.peak_mb, MEMORY_GOAL)} {MEMORY_GOAL:,.0f} MB)")
        print("  rows: " + ", ".join(f"{mart} {count:,}" for mart, count in stages.rows.items()))
        with engine.begin() as connection:
            gather_statistics(connection)
        analyse(engine)
        last = FIRST_YEAR + years - 1
        print("one changed slice, everything derived from it:")
        for number, (what, period) in enumerate(
            (("latest month", month(last, 12)), ("latest year", year(last)), ("first year", year(FIRST_YEAR)))
        ):
            for turn, code in enumerate(("BENCH_00", "BENCH_15", "BENCH_16")):
                stages = change(engine, catalogue, code, period, 1 + 3 * number + turn)
                parts = ", ".join(f"{name} {seconds:.2f}" for name, seconds in stages.seconds.items())
                kept = verdict(stages.total, CHANGE_GOAL)
                print(
                    f"  {what}, {code}: {stages.total:.2f} s ({kept} {CHANGE_GOAL} s), CPU {stages.cpu:.2f} s; {parts}"
                )


def measure_nights(warehouse: Warehouse, catalogue: Catalogue, years: int, turns: int) -> None:
    """The same nights on top of a long history and of one year, in turns."""
    with database(warehouse, "long", catalogue) as long, database(warehouse, "short", catalogue) as short:
        for engine, length in ((long, years), (short, 1)):
            fill(engine, catalogue, range(FIRST_YEAR + 10 - length, FIRST_YEAR + 10))
            analyse(engine)
            derive_in_full(engine, is_profiled=False)
            analyse(engine)
        pairs = []
        for turn in range(turns):
            for engine in (short, long):
                settle(engine)
            pairs.append((night(short, catalogue, turn), night(long, catalogue, turn)))
    print(f"\na night of 31 returns with a new month, after one year and after {years}; {turns} turns:")
    for name in ("wall", "cpu"):
        one, ten = ([getattr(pair[side], name) for pair in pairs] for side in (0, 1))
        ratio = statistics.median(second / first for first, second in zip(one, ten, strict=True))
        print(f"  {name:4} ratio {ratio:.2f} ({verdict(ratio, RATIO_GOAL)} {RATIO_GOAL}); {told(one)} and {told(ten)}")


def main() -> None:
    """Measure all three."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--years", type=int, default=10, help="length of the history")
    parser.add_argument("--nights", type=int, default=3, help="turns of the night; 0: leave them out")
    parser.add_argument("--profile", action="store_true", help="print where the time of the full derivation goes")
    given = parser.parse_args()
    catalogue = bench_catalogue()
    with cluster() as warehouse:
        measure_full(warehouse, catalogue, given.years, is_profiled=given.profile)
        if given.nights:
            measure_nights(warehouse, catalogue, given.years, given.nights)


if __name__ == "__main__":
    main()
