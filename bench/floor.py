"""How far the way from bytes to loaded observations is from its floor.

    python -m bench.floor FOLDER        (a folder that `python -m bench.nightly --keep FOLDER` filled)

Floor: the same bytes through each carrier's fastest parser here (calamine, csv, json), and the same rows COPYed into a plain
table without a single index; nothing is understood, checked or kept twice. Ours: read, conform, check and load with vintages
and receipts, into an empty warehouse beside it. Imports and Dagster are left out of both; the checks process is warm.
"""

from __future__ import annotations

import csv
import io
import json
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import psycopg
import python_calamine
import sqlalchemy as sa
from sqlalchemy import Engine, create_engine

from assets.accepting import accept_form
from expectations import ChecksProcess
from resources.archive import Archive
from resources.database import Warehouse
from resources.platforms import load_register
from warehouse.catalogue import load_catalogue
from warehouse.migrating import migrate
from warehouse.receipts import open_refresh
from warehouse.reference import sync_catalogue
from warehouse.schema import arrival, return_receipt

SCRATCH = "junheng_floor"
COLUMNS = (
    "indicator_key, period_key, region_key, area_key, recorded_at, superseded_at, value, obs_status, last_digit,"
    " receipt_id, address"
)


def parse(content: bytes) -> int:
    """Cells of a return by the fastest parser of its carrier; nothing is understood."""
    if content[:2] == b"PK":
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        return sum(len(row) for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python())
    if content[:1] == b"{":
        pages = [json.loads(line) for line in content.split(b"\n") if line]
        return sum(len(row) for page in pages for row in page["data"]["rows"])
    return sum(len(row) for row in csv.reader(io.StringIO(content.decode("gb18030"))))


def timed(task: Callable[[], object]) -> float:
    """Wall seconds."""
    started = time.monotonic()
    task()
    return time.monotonic() - started


def floor_seconds(url: str, contents: list[bytes]) -> tuple[float, float]:
    """(parsing, COPY) of the floor."""
    parsing = timed(lambda: sum(map(parse, contents)))
    rows = io.BytesIO()
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        query = f"COPY (SELECT {COLUMNS} FROM core.observation WHERE receipt_id IS NOT NULL) TO STDOUT (FORMAT csv)"  # noqa: S608
        with cursor.copy(query) as copy:
            for chunk in copy:
                rows.write(chunk)
        cursor.execute(
            "DROP TABLE IF EXISTS staging.bare; CREATE TABLE staging.bare AS SELECT * FROM core.observation LIMIT 0"
        )
        connection.commit()

        def load() -> None:
            with cursor.copy(f"COPY staging.bare ({COLUMNS}) FROM STDIN (FORMAT csv)") as copy:
                view = rows.getbuffer()
                for start in range(0, len(view), 1 << 20):
                    copy.write(view[start : start + (1 << 20)])
            connection.commit()

        copying = timed(load)
        cursor.execute("DROP TABLE staging.bare")
    return parsing, copying


def our_seconds(source: Engine, target: Engine, archive: Archive, checks: ChecksProcess) -> float:
    """From the archive's bytes to loaded observations, for every form."""
    catalogue, register = load_catalogue(), load_register()
    names = [
        column.name for column in arrival.columns if column.name in return_receipt.c and column.name != "refresh_id"
    ]
    with source.connect() as connection:
        rows = connection.execute(
            sa.select(*(return_receipt.c[name] for name in names)).where(return_receipt.c.sequence == 1)
        ).mappings()
        deliveries = [dict(row) for row in rows]
    with target.begin() as connection:
        now = datetime.now().astimezone()
        refresh = open_refresh(connection, "floor", now, catalogue.sha256)
        sync_catalogue(connection, catalogue)
        connection.execute(sa.insert(arrival), [row | {"refresh_id": refresh.refresh_id} for row in deliveries])
    total = 0.0
    for form in catalogue.forms.values():
        seconds = timed(
            lambda f=form: accept_form(f, catalogue, archive, target, refresh, checks, lambda: now, register)
        )
        print(f"  {seconds:6.1f} s  {form.form}")
        total += seconds
    return total


def main(folder: Path) -> None:
    """Measure both and print the ratio."""
    warehouse = Warehouse(None, None, folder / "var").ensure()
    assert warehouse.embedded is not None
    source, archive = warehouse.engine(), Archive(folder / "var" / "archive")
    with psycopg.connect(warehouse.embedded.url("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {SCRATCH}")
        connection.execute(f"CREATE DATABASE {SCRATCH}")
    scratch = warehouse.embedded.url(SCRATCH).replace("postgresql://", "postgresql+psycopg://")
    target = create_engine(scratch)
    migrate(target)
    with source.connect() as connection:
        hashes = connection.scalars(sa.select(return_receipt.c.sha256).where(return_receipt.c.sequence == 1)).all()
    contents = [archive.get(sha256) for sha256 in hashes]
    with ChecksProcess() as checks:
        warm(checks)
        print(f"ours, {len(contents):,} returns, {sum(map(len, contents)) / 1e6:.0f} MB:")
        ours = our_seconds(source, target, archive, checks)
    parsing, copying = floor_seconds(warehouse.url(), contents)
    print(f"ours   {ours:.1f} s")
    print(f"floor  {parsing + copying:.1f} s = {parsing:.1f} parsing + {copying:.1f} COPY")
    print(f"ratio  {ours / (parsing + copying):.1f} (goal: 4 or less)")
    target.dispose()
    source.dispose()
    with psycopg.connect(warehouse.embedded.url("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {SCRATCH}")
    warehouse.embedded.stop()


def warm(checks: ChecksProcess) -> None:
    """Wait until the checks process has imported what it needs."""
    import pandas as pd

    from expectations.structure import EXPECTED_COLUMNS

    checks.validate("health", pd.DataFrame({name: [] for name in EXPECTED_COLUMNS}))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
