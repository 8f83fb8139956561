"""How long an analyst waits: the questions of docs/bi-questions.md, asked as ``bi_reader`` of a filled warehouse.

    python -m bench.query FOLDER [--times 20] [--explain NUMBER]

An empty FOLDER is filled first, and kept for the next time: a refresh of all the sandbox offers, and a second one in which
figures were revised and others could not be read. Printed per question: rows, median and 95th percentile of the times from
sending to the last row, planning included; and the 95th percentile over all. Each question is asked once before, so that
its pages are in memory. ``--explain`` prints the plan of one question instead.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import requests

from bench.nightly import TODAY, sandbox
from resources.database import Warehouse
from warehouse.catalogue import load_catalogue

QUESTIONS = Path(__file__).resolve().parents[1] / "docs" / "bi-questions.md"
GOAL_MS = 50.0
TIMES = 20
NEXT_NIGHT = "2026-11-25T02:00:00+08:00"
FAULTS = {
    "health": [("revised", "health_annual-2025"), ("not_a_number", "health_quarterly-2026-Q2")],
    "employment": [("revised", "employment_annual-2024"), ("revised", "employment_monthly-2026-08")],
    "education": [("revised", "education_school_year-SY2024")],
}
SECTIONS = re.compile(r"^## (?P<title>\d+\. .+?)\n.*?^```sql\n(?P<sql>.+?)^```", re.MULTILINE | re.DOTALL)


def questions() -> dict[str, str]:
    """Statements by title, in the order of the document."""
    return {found["title"]: found["sql"] for found in SECTIONS.finditer(QUESTIONS.read_text(encoding="utf-8"))}


def fill(folder: Path) -> None:
    """Two nights."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    with sandbox(folder):
        base = f"http://127.0.0.1:{(folder / 'port').read_text().strip()}"
        environment = os.environ | {
            "JUNHENG_HOME": str(folder / "var"),
            "JUNHENG_PLATFORM_URL": base + "/{province}/{sector}",
            "JUNHENG_CLIENT_ID": "junheng",
            "JUNHENG_CLIENT_SECRET": "sandbox",
        }
        refresh(environment, f"{TODAY}T02:00:00+08:00")
        for province in load_catalogue().provinces:
            for sector, faults in FAULTS.items():
                for fault, return_id in faults:
                    body = {"platform": f"{province}/{sector}", "fault": fault, "return_id": return_id}
                    requests.post(f"{base}/control/faults", json=body, timeout=10).raise_for_status()
        refresh(environment, NEXT_NIGHT)


def refresh(environment: dict[str, str], now: str) -> None:
    """One refresh; its last lines where it fails."""
    junheng = str(Path(sys.executable).parent / "junheng")
    done = subprocess.run([junheng, "refresh"], env=environment | {"JUNHENG_NOW": now}, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout[-2000:], done.stderr[-2000:], file=sys.stderr)


def ask(connection: psycopg.Connection[Any], statement: str, times: int) -> tuple[int, list[float]]:
    """Rows, and milliseconds of each time but the first."""
    rows, spent = 0, []
    for _ in range(times + 1):
        started = time.perf_counter()
        rows = len(connection.execute(statement).fetchall())
        spent.append((time.perf_counter() - started) * 1e3)
    return rows, spent[1:]


def percentile(values: list[float]) -> float:
    """The 95th."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def show(connection: psycopg.Connection[Any], times: int) -> None:
    """Ask all, and print a line each."""
    every: list[float] = []
    print(f"{'rows':>6} {'median':>8} {'p95':>8}  ms, {times} times")
    for title, statement in questions().items():
        rows, spent = ask(connection, statement, times)
        every += spent
        late = "  OVER" if percentile(spent) > GOAL_MS else ""
        print(f"{rows:6} {statistics.median(spent):8.1f} {percentile(spent):8.1f}  {title}{late}")
    over_all = percentile(every)
    verdict = "within" if over_all <= GOAL_MS else "OVER"
    print(
        f"over all: median {statistics.median(every):.1f} ms, p95 {over_all:.1f} ms ({verdict} the goal of {GOAL_MS:.0f} ms)"
    )


def main() -> None:
    """Fill what is empty, then ask."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--times", type=int, default=TIMES)
    parser.add_argument("--explain", metavar="NUMBER", help="print the plan of this question")
    given = parser.parse_args()
    home = given.folder.resolve() / "var"
    if not (home / "postgres").exists():
        fill(given.folder.resolve())
    warehouse = Warehouse(None, None, home).ensure()
    assert warehouse.embedded is not None
    try:
        # Never prepared: a BI tool sends its statement as text, and waits for the plan too.
        with psycopg.connect(warehouse.bi_url(), autocommit=True, prepare_threshold=None) as connection:
            if given.explain is None:
                show(connection, given.times)
                return
        with psycopg.connect(warehouse.url(), autocommit=True) as owner:  # a reader may not see inside views' plans
            for title, statement in questions().items():
                if title.startswith(f"{given.explain}."):
                    print(title)
                    for row in owner.execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement}"):
                        print(row[0])
    finally:
        warehouse.embedded.stop()


if __name__ == "__main__":
    main()
