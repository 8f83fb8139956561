"""Dagster's instance: its runs and events in PostgreSQL, its folder under the data folder, telemetry off.

Not here: what runs (definitions).
"""

from __future__ import annotations

import os
from pathlib import Path

from pipelines.settings import Settings
from resources.database import Warehouse

STORAGE_VARIABLE = "JUNHENG_DAGSTER_STORAGE_URL"
"""Dagster's configuration names this variable; the URL, which holds a password, never stands in a file."""

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


def _write_if_changed(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
