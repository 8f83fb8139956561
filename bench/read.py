"""What reading and conforming returns costs beside the fastest parser that only takes their bytes apart.

    python -m bench.read [--profile]

Returns are the sandbox's own of 2024 and after, in memory. First, by carrier: ``read_returns`` over a batch, and the same
bytes through parsers alone, in turns, the median of the pairs' ratios. A parser alone understands nothing: calamine to
Python values, the csv module and pyarrow's CSV to texts, orjson and json to objects. Then 1,000 returns with counties in one
process, in batches: time per return and resident memory must not grow. ``--profile`` prints where the time goes.

Last, the mix: every return that the 93 platforms offer, old ones without counties too, by forms as a refresh takes them; our
time over all beside the time that the fastest parser of each carrier takes over the same bytes.
"""

from __future__ import annotations

import argparse
import cProfile
import csv
import gc
import io
import itertools
import json
import pstats
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

import orjson
import psutil
import pyarrow as pa
import pyarrow.csv as pa_csv
import python_calamine

from returns.carriers import read_grid
from returns.reading import Arrival, read_returns
from sandbox.platforms import Available, Clock, Platform, Platforms
from sandbox.tables import TableMaker
from warehouse.catalogue import Catalogue, load_catalogue

TODAY = date(2026, 11, 24)
SEED = 20240101
FIRST_YEAR_WITH_COUNTIES = 2024
GOAL = 3.0
RETURNS = 120
"""Returns of a carrier that are compared: some forms, provinces and periods."""
PAIRS = 7
MIX_TURNS = 3
LONG_RUN, STEP = 1_000, 200


@dataclass(frozen=True)
class Sample:
    """One return: how it arrives, its carrier, its bytes."""

    arrival: Arrival
    carrier: str
    content: bytes


def make_samples(platforms: Platforms, limit: int) -> list[Sample]:
    """Returns with counties, at most ``limit``, the carriers in turns."""
    by_carrier: dict[str, list[tuple[Platform, Available]]] = {}
    for platform in platforms.by_code.values():
        for offer in platforms.available(platform):
            if int(offer.period.code.removeprefix("SY")[:4]) >= FIRST_YEAR_WITH_COUNTIES:
                by_carrier.setdefault(platform.carrier, []).append((platform, offer))
    # Evenly over platforms and periods, or a carrier would be its first province, which has few counties.
    share = limit // len(by_carrier)
    spread = [offers[:: max(1, len(offers) // share)][:share] for offers in by_carrier.values()]
    chosen = [each for turn in itertools.zip_longest(*spread) for each in turn if each is not None]
    return [sample_of(number, platforms, platform, offer) for number, (platform, offer) in enumerate(chosen)]


def sample_of(number: int, platforms: Platforms, platform: Platform, offer: Available) -> Sample:
    """One return of a platform, delivered."""
    form = offer.form
    arrival = Arrival(
        number,
        platform.code,
        form.sector,
        form.code,
        platform.province.code,
        offer.period.code,
        str(number),
        offer.file_name,
        offer.media_type,
    )
    return Sample(arrival, platform.carrier, b"\n".join(platforms.deliver(platform, offer)))


def read_by_form(samples: Sequence[Sample], catalogue: Catalogue) -> int:
    """Read and conform, a form at once as a refresh does; gives the observations, so that none is left out unnoticed."""
    contents = {sample.arrival.sha256: sample.content for sample in samples}
    forms: dict[str, list[Arrival]] = {}
    for sample in samples:
        forms.setdefault(sample.arrival.form, []).append(sample.arrival)
    results = [read_returns(arrivals, contents.__getitem__, catalogue) for arrivals in forms.values()]
    return sum(len(result.observations) for result in results)


def parse_calamine(content: bytes) -> int:
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    return sum(len(book.get_sheet_by_name(name).to_python(skip_empty_area=False)) for name in book.sheet_names)


def parse_csv(content: bytes) -> int:
    return len(list(csv.reader(io.StringIO(content.decode("gb18030"), newline=""))))


def parse_arrow_csv(content: bytes) -> int:
    """To columns of text; pyarrow does not decode GB18030 by itself, and takes no ragged rows: the table has none."""
    table = pa_csv.read_csv(
        io.BytesIO(content.decode("gb18030").encode()),
        read_options=pa_csv.ReadOptions(autogenerate_column_names=True, use_threads=False),
        convert_options=pa_csv.ConvertOptions(column_types={f"f{number}": pa.string() for number in range(99)}),
    )
    return int(table.num_rows)


def parse_orjson(content: bytes) -> int:
    return sum(len(orjson.loads(page)["data"]["rows"]) for page in content.split(b"\n"))


def parse_json(content: bytes) -> int:
    return sum(len(json.loads(page)["data"]["rows"]) for page in content.split(b"\n"))


PARSERS: dict[str, tuple[Callable[[bytes], int], ...]] = {
    "xlsx": (parse_calamine,),
    "csv": (parse_csv, parse_arrow_csv),
    "json": (parse_orjson, parse_json),
}


def timed(task: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds by ``clock``, wall time unless given."""
    gc.collect()
    started = clock()
    task()
    return clock() - started


def compare(carrier: str, samples: Sequence[Sample], catalogue: Catalogue) -> None:
    """Print the ratios of one carrier."""
    batch = samples[:RETURNS]
    size = sum(len(sample.content) for sample in batch)
    cells = read_by_form(batch, catalogue)
    print(f"\n{carrier}: {len(batch)} returns, {size / 1e6:.2f} MB, {cells:,} observations")
    grids = statistics.median(timed(lambda: [read_grid(sample.content) for sample in batch]) for _ in range(PAIRS))
    print(f"  the carrier alone, from bytes to a grid: {grids * 1e3 / len(batch):.3f} ms a return")
    for parser in PARSERS[carrier]:
        pairs = [
            (
                timed(lambda: read_by_form(batch, catalogue)),
                timed(lambda parser=parser: [parser(sample.content) for sample in batch]),
            )
            for _ in range(PAIRS)
        ]
        ratio = statistics.median(ours / alone for ours, alone in pairs)
        ours, alone = (statistics.median(each) * 1e3 / len(batch) for each in zip(*pairs, strict=True))
        verdict = "within" if ratio <= GOAL else "OVER"
        name = parser.__name__.removeprefix("parse_")
        print(
            f"  {name:10} alone {alone:7.3f} ms a return, ours {ours:7.3f} ms: ratio {ratio:5.2f} ({verdict} {GOAL:.0f})"
        )


def compare_mix(platforms: Platforms, catalogue: Catalogue) -> None:
    """Print the ratio over all returns of the sandbox, in CPU time, the least of some turns of each."""
    offers = [(platform, offer) for platform in platforms.by_code.values() for offer in platforms.available(platform)]
    samples = [sample_of(number, platforms, *pair) for number, pair in enumerate(offers)]
    counts = Counter(sample.carrier for sample in samples)
    told = ", ".join(f"{count:,} {carrier}" for carrier, count in counts.most_common())
    print(f"\nall returns of the sandbox: {told}; CPU time, the least of {MIX_TURNS} turns")
    ours = min(timed(lambda: read_by_form(samples, catalogue), time.process_time) for _ in range(MIX_TURNS))
    alone = 0.0
    for carrier in counts:
        contents = [sample.content for sample in samples if sample.carrier == carrier]
        each = {
            parser.__name__.removeprefix("parse_"): min(
                timed(lambda parser=parser, contents=contents: list(map(parser, contents)), time.process_time)
                for _ in range(MIX_TURNS)
            )
            for parser in PARSERS[carrier]
        }
        fastest = min(each, key=lambda name: each[name])
        alone += each[fastest]
        print(f"  {carrier:5} {fastest} alone {each[fastest]:.2f} s")
    verdict = "within" if ours <= GOAL * alone else "OVER"
    print(f"  parsers alone {alone:.2f} s, ours {ours:.2f} s: ratio {ours / alone:.2f} ({verdict} {GOAL:.0f})")


def long_run(samples: Sequence[Sample], catalogue: Catalogue) -> None:
    """1,000 returns in one process, the same mixture in each step: time per return and resident memory."""
    process = psutil.Process()
    print(f"\n{LONG_RUN:,} returns with counties in one process:")
    batch = samples[:: max(1, len(samples) // STEP)][:STEP]
    size = sum(len(sample.content) for sample in batch) / 1e6
    for done in range(STEP, LONG_RUN + 1, STEP):
        renewed = [renew(sample, done + number) for number, sample in enumerate(batch)]
        seconds = timed(lambda renewed=renewed: read_by_form(renewed, catalogue))
        rss = process.memory_info().rss / 1e6
        print(
            f"  {done:5,} returns: {seconds / len(batch) * 1e3:6.2f} ms a return ({size:.1f} MB), resident {rss:,.0f} MB"
        )


def renew(sample: Sample, number: int) -> Sample:
    """The same return as another arrival."""
    return replace(sample, arrival=replace(sample.arrival, arrival_id=number, sha256=str(number)))


def profile(samples: Sequence[Sample], catalogue: Catalogue) -> None:
    """Where the time goes, by carrier."""
    for carrier in PARSERS:
        batch = [sample for sample in samples if sample.carrier == carrier][:RETURNS]
        profiler = cProfile.Profile()
        profiler.runcall(read_by_form, batch, catalogue)
        print(f"\n{carrier}")
        pstats.Stats(profiler).sort_stats("tottime").print_stats(22)


def main() -> None:
    """Compare by carrier, then read a thousand."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--profile", action="store_true", help="print where the time goes, by carrier")
    wants_profile: bool = parser.parse_args().profile
    catalogue = load_catalogue()
    platforms = Platforms(TableMaker(SEED), Clock(TODAY))
    samples = make_samples(platforms, LONG_RUN)
    for carrier in PARSERS:
        compare(carrier, [sample for sample in samples if sample.carrier == carrier], catalogue)
    if wants_profile:
        profile(samples, catalogue)
    long_run(samples, catalogue)
    compare_mix(platforms, catalogue)


if __name__ == "__main__":
    main()
