"""Sensors: what asks for a run besides the clock. Not here: the job that is run, and what it does with a file.

The inbox's sensor is off until somebody switches it on: a run asks every platform and may publish a release, by day as by
night, and the nightly run takes in the inbox anyway. Switched on, it asks once for each set of files, and never while a run
of the job is under way.
"""

import hashlib

import dagster as dg

from resources.inbox import Dropped, Inbox

INTERVAL_SECONDS = 60
"""Files that are mailed come in bunches: a minute lets a bunch become one run."""
NAMED_FILES = 5
"""So many files are named in a run's tags and in the reasons for skipping; the rest is counted."""
UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def build_inbox_sensor(job: dg.JobDefinition, inbox: Inbox) -> dg.SensorDefinition:
    """A sensor that asks for one run of ``job`` where whole files lie in ``inbox`` for which no run was asked yet."""

    @dg.sensor(
        name="inbox_sensor",
        job=job,
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="One refresh for mailed files that were dropped into the inbox; off until it is switched on.",
    )
    def inbox_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        files = inbox.ready()
        if not files:
            return _skip(f"no whole file lies in {inbox.root}")
        key = run_key(files)
        if key == context.cursor:
            return _skip(
                f"a run was asked for already for {name_files(files)}; those still here belong to no form taken"
            )
        running = context.instance.get_runs_count(dg.RunsFilter(job_name=job.name, statuses=UNDER_WAY))
        if running:
            return _skip(f"{job.name} is under way; {name_files(files)} will be looked at after it")
        request = dg.RunRequest(run_key=key, tags={"junheng/inbox": name_files(files)})
        return dg.SensorResult(run_requests=[request], cursor=key)

    return inbox_sensor


def run_key(files: list[Dropped]) -> str:
    """The same for the same files (names, sizes, times), whatever their order; another once any of them changes."""
    lines = sorted(f"{file.path}\0{file.size}\0{file.mtime_ns}" for file in files)
    return f"inbox-{hashlib.sha256(chr(10).join(lines).encode('utf-8', 'surrogateescape')).hexdigest()[:32]}"


def name_files(files: list[Dropped]) -> str:
    """``a.xlsx, b.xlsx and 3 more``."""
    names = ", ".join(file.file_name for file in files[:NAMED_FILES])
    more = len(files) - NAMED_FILES
    return f"{names} and {more} more" if more > 0 else names


def _skip(reason: str) -> dg.SensorResult:
    return dg.SensorResult(skip_reason=reason)
