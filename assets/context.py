"""What every stage of a run shares: its refresh, the catalogue, the partitions it was asked for."""

from __future__ import annotations

import logging

import dagster as dg
from sqlalchemy import Engine

from resources.dagster import ClockResource
from warehouse.catalogue import load_catalogue
from warehouse.periods import Period, month, quarter, school_year, year
from warehouse.receipts import Refresh, close_abandoned, had_catalogue, open_refresh
from warehouse.reference import add_new_rows

OWNERS = ["team:data-engineering"]

stage = logging.getLogger("junheng.stage")
"""One line a stage, for whoever watches a refresh; one line a return goes to the loggers of the rooms."""


def current_refresh(context: dg.AssetExecutionContext, engine: Engine, clock: ClockResource) -> Refresh:
    """The refresh of this run; its first stage opens it and brings the catalogue in the database up to date."""
    catalogue = load_catalogue()
    with engine.begin() as connection:
        refresh = open_refresh(connection, context.run.run_id, clock.read(), catalogue.sha256)
        if refresh.is_new:
            close_abandoned(connection, refresh.refresh_id, clock.read())
            if not had_catalogue(connection, refresh, catalogue.sha256):
                add_new_rows(connection, catalogue)
    return refresh


def asked_partitions(context: dg.AssetExecutionContext, frequency: str) -> set[tuple[str, str]] | None:
    """(region_code, period_code) pairs a run was launched for; None: all that is due."""
    if not (context.has_partition_key or context.has_partition_key_range):
        return None
    keys = [key for key in context.partition_keys if isinstance(key, dg.MultiPartitionKey)]
    return {(k.keys_by_dimension["province"], period_of(k.keys_by_dimension["period"], frequency).code) for k in keys}


def period_of(key: str, frequency: str) -> Period:
    """The period of a partition key: 2026-03 (month, or first month of a quarter), 2025, SY2025."""
    if frequency == "A":
        return year(int(key))
    if frequency == "S":
        return school_year(int(key.removeprefix("SY")))
    number, first = int(key[:4]), int(key[5:7])
    return month(number, first) if frequency == "M" else quarter(number, (first + 2) // 3)


def partition_key(region_code: str, period: Period) -> dg.MultiPartitionKey:
    """The partition of a return: a quarter is named by its first month, since Dagster knows no quarters in names."""
    key = period.start.strftime("%Y-%m") if period.kind == "quarter" else period.code
    return dg.MultiPartitionKey({"province": region_code, "period": key})
