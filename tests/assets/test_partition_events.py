"""Logging many partitions at once: exactly those show, with their metadata, by batch and without."""

import builtins
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from assets.events import BATCH_SIZE_VARIABLE, log_partitions

RETURNS, LEDGER = dg.AssetKey("returns"), dg.AssetKey("ledger")
MONTHS = ("2026-01", "2026-02", "2026-03", "2026-04", "2026-05")
PARTITIONS = dg.MultiPartitionsDefinition(
    {
        "province": dg.StaticPartitionsDefinition(["510000", "540000"]),
        "period": dg.StaticPartitionsDefinition(list(MONTHS)),
    }
)


def run(instance: dg.DagsterInstance, months: tuple[str, ...]) -> list[int]:
    """A run of no partition whose asset logs one province's ``months``; what the writer counted."""
    counted = []

    @dg.multi_asset(specs=[dg.AssetSpec(RETURNS, partitions_def=PARTITIONS, skippable=True), dg.AssetSpec(LEDGER)])
    def _collect(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        keys = [dg.MultiPartitionKey({"province": "510000", "period": month}) for month in months]
        counted.append(log_partitions(context, RETURNS, [(key, {"month": str(key)}) for key in keys]))
        yield dg.MaterializeResult(LEDGER)

    job = dg.Definitions(assets=[_collect]).resolve_implicit_global_asset_job_def()
    assert job.execute_in_process(instance=instance).success
    return counted


real_import = builtins.__import__


def import_without_batches(name: str, given: Any = None, *others: Any) -> Any:
    """For the writer alone: Dagster's own modules still find what is theirs."""
    if name == "dagster._core.events" and (given or {}).get("__name__") == "assets.events":
        raise ImportError(name)
    return real_import(name, given, *others)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture(params=["batch", "no batch"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A batch of two, so that five events are two batches and a tail; or a Dagster without the private call."""
    monkeypatch.setenv(BATCH_SIZE_VARIABLE, "2")
    if request.param == "no batch":
        monkeypatch.setattr(builtins, "__import__", import_without_batches)
    return str(request.param)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("count", [0, 1, 2, 3, 5])
def test_what_is_counted_is_what_shows(instance: dg.DagsterInstance, count: int) -> None:
    assert run(instance, MONTHS[:count]) == [count]
    assert instance.get_materialized_partitions(RETURNS) == {f"{month}|510000" for month in MONTHS[:count]}


@pytest.mark.usefixtures("way")
def test_each_partition_has_its_metadata_and_no_event_is_without_one(instance: dg.DagsterInstance) -> None:
    run(instance, MONTHS)
    records = instance.fetch_materializations(RETURNS, limit=100).records
    said = {
        r.partition_key: r.asset_materialization.metadata["month"].value for r in records if r.asset_materialization
    }
    assert said == {f"{month}|510000": f"{month}|510000" for month in MONTHS}
    assert len(records) == len(MONTHS)


def test_without_the_private_call_events_are_logged_alone(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = []
    log_event = dg.AssetExecutionContext.log_event
    monkeypatch.setattr(builtins, "__import__", import_without_batches)
    monkeypatch.setattr(dg.AssetExecutionContext, "log_event", lambda *given: [alone.append(1), log_event(*given)])
    run(instance, MONTHS)
    assert len(alone) == 5


def test_the_batch_is_used_where_it_is_there(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dg.AssetExecutionContext, "log_event", lambda *_: pytest.fail("logged alone"))
    assert run(instance, MONTHS) == [5]
