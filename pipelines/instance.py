"""Dagster's instance: its runs and events in PostgreSQL, its folder under the data folder, telemetry off.

Not here: what runs (definitions).
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from pipelines.settings import Settings
from resources.database import Warehouse

if TYPE_CHECKING:
    from dagster import DagsterInstance

STORAGE_VARIABLE = "JUNHENG_DAGSTER_STORAGE_URL"
"""Dagster's configuration names this variable; the URL, which holds a password, never stands in a file."""

MAX_RUN_SECONDS = 10_800
"""A run that takes longer than three hours is dead: one at a time may run, and it must not hold the queue for ever."""

PROCESS_TAG = "junheng/process"
"""Tag of runs that a command runs itself: host and process id, to tell which of them were killed."""

_CONFIGURATION = f"""\
# Written by junheng at each start; edit pipelines/instance.py instead.
storage:
  postgres:
    postgres_url:
      env: {STORAGE_VARIABLE}
telemetry:
  enabled: false
python_logs:
  python_log_level: INFO  # what a run prints where the UI started it; its events are all in the UI
nux:
  enabled: false
run_monitoring:
  enabled: true
  max_runtime_seconds: {MAX_RUN_SECONDS}
run_coordinator:
  module: dagster.core.run_coordinator
  class: QueuedRunCoordinator
  config:
    max_concurrent_runs: 1
"""


def prepare_instance(settings: Settings, warehouse: Warehouse) -> dict[str, str]:
    """Write ``dagster.yaml`` and set the environment for this process; returns what children need set.

    The warehouse must be ensured (its Dagster database exists).
    """
    folder = settings.home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    _write_if_changed(folder / "dagster.yaml", _CONFIGURATION)
    variables = {
        "DAGSTER_HOME": str(folder),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "DAGSTER_EVENT_BATCH_SIZE": os.environ.get("DAGSTER_EVENT_BATCH_SIZE", "500"),
        STORAGE_VARIABLE: warehouse.dagster_storage_url(),
    }
    os.environ.update(variables)
    return variables


def process_tags() -> dict[str, str]:
    """Tags of a run in this process."""
    return {PROCESS_TAG: f"{socket.gethostname()}:{os.getpid()}"}


def report_dead_runs(instance: DagsterInstance) -> int:
    """Report as failed the started runs whose command was killed on this machine; returns how many.

    Dagster cannot tell that they ended, and would keep every later run waiting for them.
    """
    from dagster import DagsterRunStatus, RunsFilter

    dead = 0
    for run in instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.STARTING, DagsterRunStatus.STARTED])):
        host, _, process = run.tags.get(PROCESS_TAG, "").rpartition(":")
        if host == socket.gethostname() and not psutil.pid_exists(int(process)):
            instance.report_run_failed(run, f"the process {process} that ran it ended")
            dead += 1
    return dead


def _write_if_changed(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
