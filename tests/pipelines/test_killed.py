"""A refresh killed (SIGKILL) while it collects, loads or publishes: the next one ends where an unkilled one does.

A kill is placed by a lock: a table that the stage will write is held, so that the stage stands still in the middle of its
transaction; there it is killed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psutil
import psycopg
import pytest

from resources.archive import Archive
from tests.assets.world import Place, World, open_world, wait_for

pytestmark = [
    pytest.mark.xdist_group("killed"),
    pytest.mark.timeout(600),
    pytest.mark.long,
]  # a busy machine takes minutes

SCOPE = ("--sector", "health", "--province", "540000")
REVISED = ("540000/health", "revised", "health_quarterly-2025-Q3")
STATE = (
    "SELECT marts_sha256, observations FROM mart.release WHERE status = 'in_force'",
    "SELECT form, period_code, state, cells, loaded + unchanged AS kept FROM ops.return_receipt"
    " WHERE sequence = (SELECT max(sequence) FROM ops.return_receipt r WHERE r.platform = return_receipt.platform"
    " AND r.form = return_receipt.form AND r.period_code = return_receipt.period_code) ORDER BY 1, 2",
    "SELECT count(*) AS waiting FROM ops.arrival",
)


@dataclass(frozen=True)
class Told:
    """What was seen after each kill, and where it ended."""

    after_collecting: dict[str, Any]
    after_loading: dict[str, Any]
    release: dict[str, Any]
    after_publishing: dict[str, Any]
    orphans: list[psutil.Process]
    end: list[list[dict[str, Any]]]
    unkilled: list[list[dict[str, Any]]]
    refreshes: list[str]
    untrue_lines: list[dict[str, Any]]


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    with open_world("2026-04-19", since="2025") as world:
        yield live(world)


def live(world: World) -> Told:
    place = world.place
    place.warehouse.ensure()
    migrate_to_now(place)
    orphans = kill_at(place, "ops.arrival")
    after_collecting = seen(place)
    orphans += kill_at(place, "core.observation")
    after_loading = seen(place)
    said = place.junheng("refresh", *SCOPE)
    assert said.exit_code == 0, said.stderr
    release = seen(place)
    world.sandbox.set_fault(*REVISED)
    orphans += kill_at(place, "ops.release")
    after_publishing = seen(place)
    said = place.junheng("refresh", *SCOPE)
    assert said.exit_code == 0, said.stderr
    other = place.sibling("unkilled")
    said = other.junheng("refresh", *SCOPE)
    assert said.exit_code == 0, said.stderr
    return Told(
        after_collecting,
        after_loading,
        release,
        after_publishing,
        orphans,
        [place.rows(statement) for statement in STATE],
        [other.rows(statement) for statement in STATE],
        [row["status"] for row in place.rows("SELECT status FROM ops.refresh ORDER BY refresh_id")],
        untrue_lines(place),
    )


def untrue_lines(place: Place) -> list[dict[str, Any]]:
    """Receipts whose last line in the archive's manifest tells another moment than the ledger."""
    told = {
        (line.platform, line.form, line.period_code, line.sequence): line.recorded_at
        for line in Archive(place.home / "archive").read_manifest()
    }
    receipts = place.rows(
        "SELECT platform, form, period_code, sequence, recorded_at FROM ops.return_receipt"
        " JOIN ops.refresh USING (refresh_id) WHERE sequence > 0"
    )
    assert receipts
    key = ("platform", "form", "period_code", "sequence")
    return [row for row in receipts if told[tuple(row[name] for name in key)] != row["recorded_at"]]


def migrate_to_now(place: Place) -> None:
    """The tables that are to be held must be there before the first refresh."""
    from warehouse.migrating import migrate

    engine = place.warehouse.engine()
    migrate(engine)
    engine.dispose()


@contextmanager
def held(place: Place, table: str) -> Iterator[psycopg.Connection[Any]]:
    """Nobody else can write ``table`` in this block; reading goes on."""
    with psycopg.connect(place.warehouse.url()) as connection:
        connection.execute(f"LOCK TABLE {table} IN SHARE MODE")
        yield connection


def kill_at(place: Place, table: str) -> list[psutil.Process]:
    """Start a refresh and kill it where it wants to write ``table``; its children that were running then."""
    with held(place, table) as connection, psycopg.connect(place.warehouse.url(), autocommit=True) as watcher:
        blocked = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"
        process = place.start("refresh", *SCOPE)

        def is_blocked() -> bool:
            assert process.poll() is None, process.communicate()
            return bool(watcher.execute(blocked, [connection.info.backend_pid]).fetchone()[0])  # type: ignore[index]

        wait_for(is_blocked, f"a refresh to write {table}", seconds=90)
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.communicate()
    return children


def seen(place: Place) -> dict[str, Any]:
    """What a reader sees, and how much is known."""
    facts = place.rows("SELECT count(*) AS facts FROM core.observation")[0]
    published = place.rows("SELECT release_id, marts_sha256 FROM mart.release WHERE status = 'in_force'")
    shown = place.rows("SELECT count(*) AS shown, sum(value::numeric) AS total FROM mart.observation")[0]
    archive = {"archived": sum(1 for path in (place.home / "archive").rglob("*") if path.is_file())}
    return {**facts, **shown, **archive, "release": published}


def test_killed_while_collecting_the_bytes_are_kept_and_nothing_is_shown(told: Told) -> None:
    assert told.after_collecting["archived"] > 0
    assert (told.after_collecting["facts"], told.after_collecting["shown"]) == (0, 0)


def test_killed_while_loading_nothing_is_loaded_and_nothing_is_shown(told: Told) -> None:
    assert (told.after_loading["facts"], told.after_loading["shown"]) == (0, 0)
    assert told.after_loading["release"] == []


def test_killed_while_publishing_readers_see_the_release_before(told: Told) -> None:
    assert told.after_publishing["facts"] > told.release["facts"]  # the revised figure was loaded
    for name in ("release", "shown", "total"):
        assert told.after_publishing[name] == told.release[name]


def test_the_next_refresh_ends_where_an_unkilled_one_does(told: Told) -> None:
    assert told.end == told.unkilled
    [[release], receipts, [arrivals]] = told.end
    assert release["observations"] > 0
    assert [row["state"] for row in receipts] == ["loaded"] * 5
    assert arrivals["waiting"] == 0


def test_the_revision_is_published_at_last(told: Told) -> None:
    assert told.end[0][0]["marts_sha256"] != told.release["release"][0]["marts_sha256"]


def test_a_killed_refresh_is_recorded_as_incomplete(told: Told) -> None:
    assert told.refreshes == ["incomplete", "incomplete", "published", "incomplete", "published"]


def test_the_manifest_says_when_each_delivery_was_recorded(told: Told) -> None:
    assert told.untrue_lines == []


def test_a_killed_refresh_leaves_no_process_behind(told: Told) -> None:
    assert told.orphans
    wait_for(
        lambda: not any(each.is_running() and each.status() != "zombie" for each in told.orphans), "its children to end"
    )
