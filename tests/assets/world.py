"""A small world for the tests of assets and pipelines: platforms over HTTP, a data folder, the command line.

Here: starting and asking them, and what a night left behind, as plain values. Not here: any expectation.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg
import pytest
import requests
import sqlalchemy as sa
from click.testing import CliRunner
from dagster import AssetKey, AssetRecordsFilter, DagsterInstance

from expectations.client import _Running
from pipelines.cli import main
from pipelines.settings import Settings
from resources.database import Warehouse
from tests.conftest import CARELESS, careless_servers, open_folder

ROOT = Path(__file__).resolve().parents[2]
CARELESSLY = f"from resources.embedded import SERVER_SETTINGS; SERVER_SETTINGS.update({CARELESS}); "
JUNHENG = (sys.executable, "-c", f"{CARELESSLY}from pipelines.cli import main; main()")
"""The command; a cluster that it initialises does not wait for the disk (:data:`tests.conftest.CARELESS`)."""
FORMS = ("employment_monthly", "employment_annual", "health_quarterly", "health_annual", "education_school_year")
START_SECONDS = 30.0


_idle_checks: list[_Running] = []


@contextmanager
def one_checks_process() -> Iterator[None]:
    """Commands of this process hand their checks process on to the next: Great Expectations takes seconds to import.

    It answers questions of any refresh, as in a rebuilding. A command in a process of its own has its own. The last one
    ends with this process, as every checks process does.
    """
    start, end = _Running.start, _Running.end

    def start_or_take() -> _Running:
        alive = _idle_checks and _idle_checks[-1].process.poll() is None
        return _idle_checks.pop() if alive else start()

    def end_or_keep(running: _Running, kill: bool = False) -> None:
        if kill or running.process.poll() is not None or _idle_checks:
            end(running, kill)
        else:
            _idle_checks.append(running)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Running, "start", start_or_take)
        patch.setattr(_Running, "end", end_or_keep)
        yield


class Sandbox:
    """The stand-in platforms in a process of their own; ``set_today`` starts them anew on another day."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._session = requests.Session()
        self._session.trust_env = False
        self.base = ""

    def set_today(self, today: str) -> None:
        self.stop()
        with tempfile.TemporaryDirectory() as folder:
            port_file = Path(folder) / "port"
            command = [sys.executable, "-m", "sandbox", "--port", "0", "--port-file", str(port_file)]
            command += ["--today", today, "--with-parent", str(os.getpid())]
            kept = {name: text for name, text in os.environ.items() if not name.startswith("JUNHENG_")}
            self._process = subprocess.Popen(command, cwd=ROOT, env=kept, stdout=subprocess.DEVNULL)
            wait_for(port_file.exists, "the sandbox to listen")
            self.base = f"http://127.0.0.1:{port_file.read_text().strip()}"

    @property
    def url_template(self) -> str:
        return self.base + "/{province}/{sector}"

    def set_fault(self, platform: str, fault: str, return_id: str | None = None) -> None:
        body = {"platform": platform, "fault": fault, "return_id": return_id}
        self._session.post(f"{self.base}/control/faults", json=body, timeout=10).raise_for_status()

    def clear_faults(self) -> None:
        self._session.delete(f"{self.base}/control/faults", timeout=10).raise_for_status()

    def listed(self, platform: str, form: str) -> set[str]:
        """Periods of a form that a platform without login lists."""
        answer = self._session.get(f"{self.base}/{platform}/returns", params={"form": form}, timeout=10).json()
        return {row["period"] for row in answer["data"]["rows"]}

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)


@dataclass(frozen=True)
class Said:
    """What a command of the command line answered."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Place:
    """A data folder with its warehouse, and the environment that names both."""

    home: Path
    variables: Mapping[str, str]

    def at(self, **variables: str) -> "Place":
        """The same place with other variables (``NOW`` for JUNHENG_NOW); an empty text unsets one."""
        given = {f"JUNHENG_{name}": text for name, text in variables.items()}
        return replace(self, variables={**self.variables, **given})

    def sibling(self, name: str) -> "Place":
        """An empty data folder and an empty database on the same server; Dagster's database is shared."""
        home = self.home.parent / name
        home.mkdir()
        shutil.copy2(self.home / "bi_reader.password", home)  # roles belong to the server, not to a database
        server = self.warehouse.url().rpartition("/")[0]
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        given = {"HOME": str(home), "WAREHOUSE_URL": f"{server}/{name}", "DAGSTER_URL": self.dagster_url}
        return replace(self.at(**given), home=home)

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.variables.get("JUNHENG_WAREHOUSE_URL"), None, self.home)

    @property
    def dagster_url(self) -> str:
        return self.warehouse.dagster_storage_url().replace("+psycopg2", "")

    @contextmanager
    def environment(self) -> Iterator[None]:
        """This process stands in the place; afterwards its environment is what it was."""
        before = dict(os.environ)
        try:
            for name in [name for name in os.environ if name.startswith(("JUNHENG_", "DAGSTER_"))]:
                del os.environ[name]
            os.environ.update({name: text for name, text in self.variables.items() if text})
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    def junheng(self, *arguments: str) -> Said:
        """The command in this process."""
        with self.environment(), careless_servers(), one_checks_process():
            result = CliRunner().invoke(main, list(arguments))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The command in a process of its own, as a person's shell starts it."""
        with self.environment():
            environment = os.environ | {"PYTHONPATH": str(ROOT)}
            pipe = subprocess.PIPE
            return subprocess.Popen(
                [*JUNHENG, *arguments], cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True
            )

    def frame(self, statement: str, **parameters: Any) -> pd.DataFrame:
        """Rows of the warehouse, read by its owner."""
        engine = self.warehouse.engine()
        try:
            with engine.connect() as connection:
                result = connection.execute(sa.text(statement), parameters)
                return pd.DataFrame(result.all(), columns=list(result.keys()))
        finally:
            engine.dispose()

    def rows(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        return [{str(k): v for k, v in row.items()} for row in self.frame(statement, **parameters).to_dict("records")]

    def stop(self) -> None:
        if self.warehouse.embedded is not None:
            self.warehouse.embedded.stop()


@dataclass(frozen=True)
class Night:
    """What a refresh left behind. Partition keys as Dagster writes them: ``2026-03|540000``."""

    said: Said
    refresh: dict[str, Any]
    receipts: pd.DataFrame
    """All newest states of ops.return_receipt after the night, ``refresh_id`` among the columns."""
    quarantine: pd.DataFrame
    release: dict[str, Any]
    facts: dict[str, Any]
    """A fingerprint of core.observation: rows, current, and the last moment anything was recorded."""
    steps: dict[str, str]
    """Step → ``SUCCESS`` or ``SKIPPED``."""
    green: dict[str, set[str]]
    """Asset → partitions that show as materialized, of this night or an earlier one."""
    logged: dict[str, dict[str, dict[str, Any]]]
    """Asset → partition → metadata, materialized in this night."""
    checks: list[dict[str, Any]]
    """Asset checks as Dagster then shows them: asset, name, passed, severity, and the run that found it."""

    def receipt(self, platform: str, form: str, period_code: str) -> dict[str, Any]:
        """The newest receipt of a return."""
        frame = self.receipts
        is_it = (frame["platform"] == platform) & (frame["form"] == form) & (frame["period_code"] == period_code)
        found = frame[is_it].sort_values("sequence").to_dict("records")
        return {str(name): value for name, value in found[-1].items()}


@dataclass
class World:
    """Platforms, a place, and three provinces small enough for a test."""

    sandbox: Sandbox
    place: Place
    provinces: tuple[str, ...] = ("540000", "640000", "460000")

    @property
    def scope(self) -> list[str]:
        return [text for province in self.provinces for text in ("--province", province)]

    def night(self, now: str) -> Night:
        """A refresh through the command, in this process."""
        return self.remember(
            self.place.at(NOW=now, PLATFORM_URL=self.sandbox.url_template).junheng("refresh", *self.scope)
        )

    def night_apart(self, now: str) -> Night:
        """A refresh through the command, in a process of its own."""
        process = self.place.at(NOW=now, PLATFORM_URL=self.sandbox.url_template).start("refresh", *self.scope)
        stdout, stderr = process.communicate(timeout=120)
        return self.remember(Said(process.returncode, stdout, stderr))

    def remember(self, said: Said) -> Night:
        """What the last refresh left behind."""
        place = self.place
        refresh = place.rows("SELECT * FROM ops.refresh ORDER BY refresh_id DESC LIMIT 1")[0]
        with place.environment(), open_instance(place) as instance:
            logs = instance.all_logs(refresh["run_id"])
            steps = {
                event.step_key: event.event_type_value.removeprefix("STEP_")
                for event in (entry.dagster_event for entry in logs)
                if event
                and event.step_key
                and event.event_type_value in ("STEP_SUCCESS", "STEP_SKIPPED", "STEP_FAILURE")
            }
            partitioned = [f"{form}_{stage}" for form in FORMS for stage in ("returns", "observations")]
            return Night(
                said=said,
                refresh=refresh,
                receipts=place.frame("SELECT * FROM ops.return_receipt"),
                quarantine=place.frame("SELECT * FROM ops.quarantine"),
                release=place.rows("SELECT * FROM mart.release WHERE status = 'in_force'")[0],
                facts=place.rows(
                    "SELECT count(*) AS rows, count(*) FILTER (WHERE superseded_at = 'infinity') AS current,"
                    " max(recorded_at) AS latest FROM core.observation"
                )[0],
                steps=steps,
                green={name: set(instance.get_materialized_partitions(AssetKey(name))) for name in partitioned},
                logged={name: _logged(instance, name, refresh["run_id"]) for name in partitioned},
                checks=_last_checks(instance),
            )


@contextmanager
def open_instance(place: Place) -> Iterator[DagsterInstance]:
    os.environ["DAGSTER_HOME"] = str(place.home / "dagster")
    os.environ["JUNHENG_DAGSTER_STORAGE_URL"] = place.warehouse.dagster_storage_url()
    with DagsterInstance.get() as instance:
        yield instance


def _last_checks(instance: DagsterInstance) -> list[dict[str, Any]]:
    from pipelines.definitions import build_definitions

    keys = build_definitions(Settings.load()).resolve_asset_graph().asset_check_keys
    records = instance.event_log_storage.get_latest_asset_check_execution_by_key(list(keys))
    found = [record.event.dagster_event.asset_check_evaluation_data for record in records.values() if record.event]
    return [
        {
            "asset": each.asset_key.to_user_string(),
            "name": each.check_name,
            "passed": each.passed,
            "severity": each.severity.value,
            "run": each.metadata["run"].value,
        }
        for each in found
    ]


def _logged(instance: DagsterInstance, asset: str, run_id: str) -> dict[str, dict[str, Any]]:
    records = instance.fetch_materializations(AssetRecordsFilter(AssetKey(asset)), limit=1000).records
    return {
        str(record.partition_key): {name: value.value for name, value in record.asset_materialization.metadata.items()}
        for record in records
        if record.run_id == run_id and record.asset_materialization is not None
    }


@contextmanager
def open_world(today: str, since: str) -> Iterator[World]:
    """A sandbox at ``today`` and an embedded warehouse in a fresh folder; stopped and removed at the end."""
    with ExitStack() as stack:
        sandbox = Sandbox()
        stack.callback(sandbox.stop)
        sandbox.set_today(today)
        home = stack.enter_context(open_folder()) / "home"
        given = {"HOME": str(home), "SINCE": since, "NOW": f"{today}T12:00:00", "PLATFORM_URL": sandbox.url_template}
        given |= {"CLIENT_ID": "junheng", "CLIENT_SECRET": "sandbox"}
        place = Place(home, {f"JUNHENG_{name}": text for name, text in given.items()})
        stack.callback(place.stop)
        yield World(sandbox, place)


def wait_for(is_there: Any, what: str, seconds: float = START_SECONDS) -> None:
    """Ask until it is there; fails by name where it takes too long."""
    deadline = time.monotonic() + seconds
    while not is_there():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.02)
