"""The checks process: cheap to start, honest when it dies, gone when its parent is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

from expectations import CheckRunError, ChecksProcess, ChecksUnavailable, UnknownSuiteError
from expectations.wire import write_table
from tests.expectations.returns_cases import SECTORS, good_return
from warehouse.errors import JunhengError

pytestmark = pytest.mark.xdist_group("checks")  # one checks process for all

GOOD = good_return(SECTORS["health"])


def is_gone(pid: int, within_seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + within_seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        status = Path(f"/proc/{pid}/stat")
        if status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True  # a zombie: dead, its orphan not reaped yet
        time.sleep(0.05)
    return False


def test_importing_the_room_imports_no_great_expectations() -> None:
    code = "import sys, expectations, expectations.bridge; print('great_expectations' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


def test_starting_does_not_wait_for_the_import() -> None:
    started = time.monotonic()
    with ChecksProcess() as process:
        assert time.monotonic() - started < 1.0
        assert process.pid is not None
    assert process.pid is None


def test_a_worker_killed_in_mid_question_is_said_clearly_and_the_next_call_works(checks: ChecksProcess) -> None:
    checks.validate("health", GOOD)
    pid = checks.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)  # it has the question and cannot answer before it is killed
    killer = threading.Timer(0.3, os.kill, (pid, signal.SIGKILL))
    killer.start()

    with pytest.raises(ChecksUnavailable, match="was killed by signal 9") as caught:
        checks.validate("health", GOOD)
    killer.join()

    assert isinstance(caught.value, JunhengError)
    assert "Nothing was checked" in str(caught.value)
    assert is_gone(pid)
    assert checks.validate("health", GOOD).rows_checked == len(GOOD)


def test_a_worker_killed_while_it_starts_is_said_clearly() -> None:
    with ChecksProcess() as process:
        pid = process.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(ChecksUnavailable, match="was killed by signal 9"):
            process.validate("health", GOOD)


def test_a_worker_that_cannot_start_shows_its_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONSTARTUP", "")
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    monkeypatch.setenv("PYTHONHASHSEED", "no number")
    with ChecksProcess() as process, pytest.raises(ChecksUnavailable, match="PYTHONHASHSEED") as caught:
        process.validate("health", GOOD)
    assert "exit code 1" in caught.value.what_happened


def test_a_timeout_ends_the_worker() -> None:
    with ChecksProcess(start_timeout_seconds=0.2) as process:
        pid = process.pid
        assert pid is not None
        with pytest.raises(ChecksUnavailable, match="did not finish its start within 0 s"):
            process.validate("health", GOOD)
        assert is_gone(pid)


def test_a_question_that_cannot_be_answered_leaves_the_worker_running(checks: ChecksProcess, tmp_path: Path) -> None:
    with pytest.raises(CheckRunError, match=r"no_such\.arrow"):
        checks.validate("health", tmp_path / "no_such.arrow")
    assert checks.validate("health", GOOD).rows_checked == len(GOOD)


def test_an_unknown_suite_names_the_known_ones(checks: ChecksProcess) -> None:
    with pytest.raises(UnknownSuiteError, match="employment, health, education, "):
        checks.validate("transport", GOOD)


def test_the_worker_ends_with_its_parent_and_removes_its_files() -> None:
    code = (
        "import os, expectations; process = expectations.ChecksProcess(); process.start();"
        "print(process.pid, process._running.folder, flush=True); os.kill(os.getpid(), 9)"
    )
    parent = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    pid, folder = parent.stdout.split()
    assert parent.returncode == -9
    assert is_gone(int(pid), within_seconds=30)
    assert not Path(folder).exists()


def test_rows_are_labels_of_the_callers_index_and_positions_of_a_file(checks: ChecksProcess, tmp_path: Path) -> None:
    frame = GOOD.copy()
    frame.loc[3, "obs_status"] = "Z"
    path = tmp_path / "table.arrow"
    write_table(frame, path)

    labelled = checks.validate("health", frame.set_index(pd.Index(range(100, 100 + len(frame)))))
    positioned = checks.validate("health", path)

    assert labelled.check("health.codes.status_known").rows.tolist() == [103]
    assert positioned.check("health.codes.status_known").rows.tolist() == [3]


def test_nothing_is_cut_where_every_row_is_broken(checks: ChecksProcess) -> None:
    frame = pd.concat([GOOD.assign(arrival_id=arrival, obs_status="Z") for arrival in range(300)], ignore_index=True)
    outcome = checks.validate("health", frame).check("health.codes.status_known")
    assert (outcome.unexpected, len(outcome.rows), len(outcome.arrivals)) == (len(frame), len(frame), 300)
    assert len(outcome.sample) == 5
    assert len({row["arrival_id"] for row in outcome.sample}) == 5


def test_the_worker_leaves_no_file_of_an_answered_question(checks: ChecksProcess) -> None:
    checks.validate("health", GOOD)
    assert checks._running is not None
    assert list(checks._running.folder.iterdir()) == []
