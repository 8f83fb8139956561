"""The inbox's sensor: one run for a set of files, and a reason in words where there is none."""

import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from pipelines.sensors import UNDER_WAY, build_inbox_sensor, name_files, run_key
from resources.inbox import Dropped, Inbox


@dg.op
def refresh() -> None: ...


@dg.job(name="nightly_refresh")
def nightly() -> None:
    refresh()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def look(folder: Path, instance: dg.DagsterInstance, cursor: str | None = None) -> dg.SensorResult:
    sensor = build_inbox_sensor(nightly, Inbox(folder, clock=lambda: time.time() + 60))
    result = sensor(dg.build_sensor_context(instance=instance, cursor=cursor))
    assert isinstance(result, dg.SensorResult)
    return result


def skipped(result: dg.SensorResult) -> str:
    assert not result.run_requests
    assert result.skip_reason is not None
    return str(result.skip_reason.skip_message)


def test_an_empty_inbox_asks_for_no_run_and_says_so(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    assert skipped(look(tmp_path / "inbox", instance)) == f"no whole file lies in {tmp_path / 'inbox'}"


def test_files_ask_for_one_run_of_the_job(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"1")
    (tmp_path / "b.xlsx").write_bytes(b"1")
    result = look(tmp_path, instance)
    (request,) = result.run_requests or []
    assert request.run_key == result.cursor
    assert request.tags["junheng/inbox"] == "a.xlsx, b.xlsx"


def test_the_same_files_ask_for_no_second_run(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"1")
    cursor = look(tmp_path, instance).cursor
    assert "a run was asked for already for a.xlsx" in skipped(look(tmp_path, instance, cursor))


def test_another_file_asks_for_another_run(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"1")
    cursor = look(tmp_path, instance).cursor
    (tmp_path / "b.xlsx").write_bytes(b"1")
    assert len(look(tmp_path, instance, cursor).run_requests or []) == 1


def test_a_queued_run_counts_as_under_way() -> None:  # none can be made here without a code location
    assert dg.DagsterRunStatus.QUEUED in UNDER_WAY


@pytest.mark.parametrize(
    "status", [each for each in UNDER_WAY if each is not dg.DagsterRunStatus.QUEUED], ids=lambda status: status.value
)
def test_no_run_is_asked_for_while_one_is_under_way_and_the_files_are_not_forgotten(
    tmp_path: Path, instance: dg.DagsterInstance, status: dg.DagsterRunStatus
) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"1")
    instance.create_run_for_job(nightly, status=status)
    result = look(tmp_path, instance)
    assert "nightly_refresh is under way; a.xlsx will be looked at after it" in skipped(result)
    assert result.cursor is None


def test_a_run_that_ended_is_none_under_way(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"1")
    instance.create_run_for_job(nightly, status=dg.DagsterRunStatus.SUCCESS)
    assert len(look(tmp_path, instance).run_requests or []) == 1


def dropped(path: str = "a.csv", size: int = 1, mtime_ns: int = 1, inode: int = 1) -> Dropped:
    return Dropped(path, size, mtime_ns, inode)


def test_a_run_key_is_of_names_sizes_and_times() -> None:
    keys = {
        run_key([dropped()]),
        run_key([dropped("b.csv")]),
        run_key([dropped(size=2)]),
        run_key([dropped(mtime_ns=2)]),
    }
    assert len(keys) == 4
    assert run_key([dropped(), dropped("b.csv")]) == run_key([dropped("b.csv"), dropped(inode=2)])


def test_many_files_are_counted() -> None:
    assert (
        name_files([dropped(f"{number}.csv") for number in range(7)]) == "0.csv, 1.csv, 2.csv, 3.csv, 4.csv and 2 more"
    )


def test_it_is_off_until_switched_on_waits_a_minute_and_warns_of_nothing(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sensor = build_inbox_sensor(nightly, Inbox(tmp_path))
    assert sensor.default_status is dg.DefaultSensorStatus.STOPPED
    assert (sensor.minimum_interval_seconds, sensor.job_name) == (60, "nightly_refresh")
