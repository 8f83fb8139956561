"""How long a night takes: a first refresh, one with 93 new returns, one with nothing new; cold, imports included.

    python -m bench.nightly [--keep FOLDER]

Each is the command ``junheng refresh`` in a process of its own, in a data folder made for it, against a sandbox that was
started before. Printed: wall seconds, CPU seconds and peak memory of the command and its children (the checks process;
PostgreSQL and the sandbox have their own lines), and seconds by stage from the log. The 93 are one return of each platform
that the sandbox held back before (fault ``late``).
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import psutil
import requests

from warehouse.catalogue import load_catalogue

TODAY = "2026-11-24"
GOALS = {"first refresh": 90.0, "93 new returns": 12.0, "nothing new": 5.0}
HELD_BACK = {
    "employment": "employment_monthly-2026-10",
    "health": "health_quarterly-2026-Q3",
    "education": "education_school_year-SY2025",
}


@dataclass
class Measured:
    """One refresh."""

    name: str
    wall: float
    cpu: float
    peak_mb: float
    others: dict[str, float] = field(default_factory=dict)
    stages: list[tuple[str, float]] = field(default_factory=list)


@contextmanager
def sandbox(folder: Path) -> Iterator[psutil.Process]:
    """The sandbox platforms, for all three refreshes; its port stands in ``folder/port``."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--port-file", str(folder / "port"), "--today", TODAY]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        while not (folder / "port").exists():
            time.sleep(0.05)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def refresh(name: str, home: Path, env: dict[str, str], served: psutil.Process) -> Measured:
    """Run ``junheng refresh`` and measure it."""
    log = home / "log" / "junheng.log"
    offset = log.stat().st_size if log.exists() else 0
    others = {"sandbox": lambda: sum(served.cpu_times()[:2]), "postgresql": lambda: postgres_cpu(home)}
    before = {key: read() for key, read in others.items()}
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    started, began = time.monotonic(), datetime.now()
    done = subprocess.run(
        [str(Path(sys.executable).parent / "junheng"), "refresh"], env=env, capture_output=True, text=True
    )
    wall = time.monotonic() - started
    if done.returncode:
        raise SystemExit(f"{name}: junheng refresh ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    spent = {key: read() - before[key] for key, read in others.items()}
    return Measured(name, wall, cpu, now.ru_maxrss / 1024, spent, stages(log, offset, began, wall))


def postgres_cpu(home: Path) -> float:
    """CPU seconds of the cluster's processes that still live, and of those they have waited for."""
    pid_file = home / "postgres" / "postmaster.pid"
    if not pid_file.exists():
        return 0.0
    postmaster = psutil.Process(int(pid_file.read_text().split()[0]))
    times = [postmaster.cpu_times(), *(child.cpu_times() for child in postmaster.children())]
    return sum(t.user + t.system for t in times) + times[0].children_user + times[0].children_system


def stages(log: Path, offset: int, began: datetime, wall: float) -> list[tuple[str, float]]:
    """Seconds by stage, from the stage lines this refresh logged; the rest is start-up, bookkeeping and summary."""
    spent: list[tuple[str, float]] = []
    last = began
    with log.open(encoding="utf-8") as lines:
        lines.seek(offset)
        for line in lines:
            match = re.match(r"(\S+ \S+),(\d+) INFO junheng.stage (\w+ [\w, ]+?)(?:  |:|$)", line)
            if match:
                at = datetime.fromisoformat(f"{match[1]}.{match[2]}")
                spent.append((match[3].strip(), (at - last).total_seconds()))
                last = at
    return [*spent, ("summary", wall - (last - began).total_seconds())]


def show(measured: Measured) -> None:
    """Print one refresh."""
    goal = GOALS[measured.name]
    verdict = "within" if measured.wall <= goal else "OVER"
    print(f"\n{measured.name}: {measured.wall:.1f} s wall ({verdict} the goal of {goal:.0f} s)")
    told = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in measured.others.items())
    print(
        f"  CPU {measured.cpu:.1f} s in the command and its children; {told}; peak memory so far {measured.peak_mb:.0f} MB"
    )
    for stage, seconds in measured.stages:
        print(f"  {seconds:6.1f} s  {stage}")


def main() -> None:
    """Measure the three refreshes in the order in which they happen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--keep", type=Path, help="use this folder, and leave the filled warehouse in it")
    keep: Path | None = parser.parse_args().keep
    folder = keep or Path(tempfile.mkdtemp(prefix="junheng-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    home = folder / "var"
    with sandbox(folder) as served:
        base = f"http://127.0.0.1:{(folder / 'port').read_text().strip()}"
        env = os.environ | {
            "JUNHENG_HOME": str(home),
            "JUNHENG_NOW": f"{TODAY}T02:00:00+08:00",
            "JUNHENG_PLATFORM_URL": base + "/{province}/{sector}",
            "JUNHENG_CLIENT_ID": "junheng",
            "JUNHENG_CLIENT_SECRET": "sandbox",
        }
        for province in load_catalogue().provinces:
            for sector, return_id in HELD_BACK.items():
                body = {"platform": f"{province}/{sector}", "fault": "late", "return_id": return_id}
                requests.post(f"{base}/control/faults", json=body, timeout=10).raise_for_status()
        show(refresh("first refresh", home, env, served))
        requests.delete(f"{base}/control/faults", timeout=10).raise_for_status()
        show(refresh("93 new returns", home, env, served))
        show(refresh("nothing new", home, env, served))
    junheng = str(Path(sys.executable).parent / "junheng")
    subprocess.run([junheng, "db", "stop"], env=env, capture_output=True, check=True)
    if keep is None:
        subprocess.run(["rm", "-rf", str(folder)], check=True)


if __name__ == "__main__":
    main()
