"""Telling Dagster which partitions are there, many at once.

A materialization logged alone costs 10 to 17 ms, in a batch 0.5 ms. The batching is a private call of Dagster's, used in
this one function; where it is gone, :func:`partition_events` falls back to single events (a test counts what arrives).
Rules found by trying: the list is made first and its last event marked as the end, or the tail is never written; one
asset a batch; each event carries the partition's tags; ``DAGSTER_EVENT_BATCH_SIZE`` must be set in the environment.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

BATCH_SIZE_VARIABLE, BATCH_SIZE = "DAGSTER_EVENT_BATCH_SIZE", "500"


def log_partitions(
    context: dg.AssetExecutionContext,
    asset_key: dg.AssetKey,
    partitions: Iterable[tuple[dg.MultiPartitionKey, Mapping[str, Any]]],
) -> int:
    """Log one materialization of ``asset_key`` for each (partition, metadata); returns how many."""
    materializations = [
        dg.AssetMaterialization(asset_key, partition=partition, metadata=dict(metadata), tags=_tags(partition))
        for partition, metadata in partitions
    ]
    if not _log_batch(context, materializations):
        for materialization in materializations:
            context.log_event(materialization)
    return len(materializations)


def _tags(partition: dg.MultiPartitionKey) -> dict[str, str]:
    return {f"dagster/partition/{name}": key for name, key in partition.keys_by_dimension.items()}


def _log_batch(context: dg.AssetExecutionContext, materializations: list[dg.AssetMaterialization]) -> bool:
    """Whether the events could be written as a batch."""
    try:
        from dagster._core.events import DagsterEvent, DagsterEventBatchMetadata
    except ImportError:
        return False
    os.environ.setdefault(BATCH_SIZE_VARIABLE, BATCH_SIZE)
    step = context.get_step_execution_context()
    batch_id = f"{context.run.run_id}-{step.step.key}-{materializations[0].asset_key if materializations else ''}"
    for index, materialization in enumerate(materializations):
        end = index == len(materializations) - 1
        DagsterEvent.asset_materialization(step, materialization, DagsterEventBatchMetadata(batch_id, end))
    return True
