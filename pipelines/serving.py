"""``junheng ui``: webserver, daemon and sandbox as children of one command that ends them all. Not here: the runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import click

from pipelines.instance import prepare_instance, report_dead_runs
from pipelines.sandboxing import running_sandbox, use_sandbox
from pipelines.settings import Settings
from resources.database import Warehouse
from resources.hosting import is_port_free
from warehouse.errors import JunhengError
from warehouse.migrating import migrate

END_TIMEOUT_SECONDS = 10.0


class PortTakenError(JunhengError):
    """Something else listens on the UI's port: stop it or choose another."""


def serve(settings: Settings, host: str, port: int, with_sandbox: bool) -> int:
    """Serve until a signal, or until one of the children ends; returns the exit code."""
    if not is_port_free(port, host):
        raise PortTakenError(f"port {port} is taken; stop what listens there or give another by --port")
    stopping: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        stopping.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with ExitStack() as stack:
        sandbox = stack.enter_context(running_sandbox(settings)) if with_sandbox else None
        secret = settings.warehouse_url.get_secret_value() if settings.warehouse_url else None
        dagster = settings.dagster_url.get_secret_value() if settings.dagster_url else None
        warehouse = Warehouse(secret, dagster, settings.home).ensure()
        engine = warehouse.engine()
        migrate(engine)
        engine.dispose()
        prepare_instance(settings, warehouse)
        _tidy_runs()
        if sandbox is not None:
            use_sandbox(sandbox)
        children = _start(host, port)
        stack.callback(_end, children)
        click.echo(f"Dagster UI on http://{host}:{port} (Ctrl-C ends it)")
        while not stopping and all(child.poll() is None for child in children):
            time.sleep(0.2)
        ended = [child for child in children if child.poll() is not None]
    if ended and not stopping:
        click.echo(f"{Path(str(ended[0].args[0])).name} ended with code {ended[0].returncode}", err=True)  # type: ignore[index]
        return 1
    return 0


def _tidy_runs() -> None:
    from dagster import DagsterInstance

    with DagsterInstance.get() as instance:
        report_dead_runs(instance)


def _start(host: str, port: int) -> list[subprocess.Popen[bytes]]:
    """Webserver and daemon over workspace.yaml, each in a process group of its own."""
    folder = Path(sys.executable).parent
    workspace = str(Path(__file__).resolve().parents[1] / "workspace.yaml")
    level = ["--log-level", "warning"]
    web = [str(folder / "dagster-webserver"), "-w", workspace, "-h", host, "-p", str(port), *level]
    web += ["--dagster-log-level", "warning"]
    daemon = [str(folder / "dagster-daemon"), "run", "-w", workspace, *level]
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    root = str(Path(workspace).parent)
    return [subprocess.Popen(command, cwd=root, env=environment, start_new_session=True) for command in (web, daemon)]


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    """End every child with all that it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + END_TIMEOUT_SECONDS
        for child in children:
            try:
                os.killpg(child.pid, number)
            except ProcessLookupError:
                continue
        while time.monotonic() < deadline and any(child.poll() is None for child in children):
            time.sleep(0.1)
