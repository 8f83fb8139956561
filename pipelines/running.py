"""A refresh in this process: the nightly job through Dagster, on the same instance as the UI.

Here: preparing the instance, running the job, telling its outcome. Not here: what the job does, what is printed.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.instance import prepare_instance, process_tags, report_dead_runs
from pipelines.settings import Settings
from resources.database import Warehouse
from warehouse.errors import JunhengError


class RefreshRunningError(JunhengError):
    """Another refresh of this data folder runs: wait for it."""


class NoPlatformsError(JunhengError):
    """Nobody said where the platforms are: the operator must set an address, or ask for the sandbox."""


@dataclass(frozen=True)
class Outcome:
    """How the job ended. ``refresh_id`` is None where it never got as far as opening a refresh."""

    success: bool
    refresh_id: int | None
    errors: tuple[str, ...]


@contextmanager
def only_refresh(home: Path) -> Iterator[None]:
    """Hold the data folder's refresh lock; raises :class:`RefreshRunningError` where another command has it."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "refresh.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RefreshRunningError(f"another refresh is running in {home}; wait for it to end") from error
        yield


def run_refresh(
    settings: Settings,
    warehouse: Warehouse,
    sectors: Sequence[str] = (),
    provinces: Sequence[str] = (),
    since: str | None = None,
    *,
    archive_only: bool = False,
) -> Outcome:
    """Run ``nightly_refresh`` in this process.

    ``since`` (ISO day) overrides the setting; with ``archive_only`` no platform is asked and only what waits in the archive
    is read. Raises :class:`NoPlatformsError` where no platform address is set and one would be needed.
    """
    if settings.platform_url is None and not archive_only:
        raise NoPlatformsError(
            "no address of the platforms: set JUNHENG_PLATFORM_URL (with {province} and {sector} in it), "
            "or run 'junheng refresh --sandbox' to try it against the sandbox"
        )
    prepare_instance(settings, warehouse)
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    from dagster import DagsterInstance

    from pipelines.definitions import NIGHTLY, build_definitions
    from resources.dagster import hold_connections

    scope: dict[str, Any] = {"sectors": list(sectors), "provinces": list(provinces), "archive_only": archive_only}
    if since is not None:
        scope["since"] = since
    if since is None and settings.since is not None:
        scope["since"] = settings.since.isoformat()
    run_config: dict[str, Any] = {
        "resources": {"scope": {"config": scope}},
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }
    job = build_definitions(settings).resolve_job_def(NIGHTLY)
    with DagsterInstance.get() as instance:
        hold_connections(instance)
        report_dead_runs(instance)
        result = job.execute_in_process(
            instance=instance, run_config=run_config, raise_on_error=False, tags=process_tags()
        )
        errors = tuple(_told(event) for event in result.all_events if event.event_type_value == "STEP_FAILURE")
        return Outcome(result.success, _close(warehouse, settings, result.run_id, result.success), errors)


def _told(event: Any) -> str:
    """The deepest cause of a step's failure, on one line."""
    error = event.event_specific_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    text = error.message.strip().splitlines()[0] if error is not None and error.message.strip() else event.message
    return f"{event.step_key}: {text}"


def _close(warehouse: Warehouse, settings: Settings, run_id: str, success: bool) -> int | None:
    """The refresh of a run; one that failed is recorded so, also where it failed before its first stage."""
    import sqlalchemy as sa

    from warehouse.migrating import current_revision
    from warehouse.receipts import fail_refresh
    from warehouse.schema import refresh

    engine = warehouse.engine()
    try:
        with engine.begin() as connection:
            if current_revision(connection) is None:
                return None
            if not success:
                return fail_refresh(connection, run_id, settings.clock())
            return connection.scalar(sa.select(refresh.c.refresh_id).where(refresh.c.run_id == run_id))
    finally:
        engine.dispose()
