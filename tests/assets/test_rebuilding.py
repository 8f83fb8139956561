"""A warehouse built again from the archive alone: the same marts, row for row, as three nights left them."""

import shutil
from dataclasses import dataclass

import pytest

from tests.assets.nights import Nights
from tests.assets.world import Place, Said

pytestmark = [pytest.mark.xdist_group("world"), pytest.mark.timeout(600)]  # a busy machine takes minutes

MARTS = (
    "observation",
    "observation_history",
    "attainment",
    "urban_rural_gap",
    "inequality",
    "convergence",
    "trend",
    "revision",
    "precision_change",
)
OWN_NUMBERS = "'{receipt_id, old_receipt_id, new_receipt_id}'::text[]"
"""Numbers of receipts are a database's own."""


@pytest.fixture(scope="module")
def rebuilt(nights: Nights) -> tuple[Place, Said]:
    """An empty warehouse beside the one of the nights, and a copy of its archive."""
    place = nights.world.place.sibling("rebuilt")
    shutil.copytree(nights.world.place.home / "archive", place.home / "archive")
    return place, place.junheng("rebuild", "--from-archive")


def rows(place: Place, mart: str) -> list[str]:
    frame = place.frame(f"SELECT (to_jsonb(m) - {OWN_NUMBERS})::text AS row FROM mart.{mart} m ORDER BY 1")
    return [str(row) for row in frame["row"]]


def test_the_command_says_what_it_built(nights: Nights, rebuilt: tuple[Place, Said]) -> None:
    _, said = rebuilt
    assert said.exit_code == 0, said.stderr
    released = nights.world.place.rows("SELECT count(*) AS n FROM mart.release")[0]["n"]
    assert f"{released} releases; 0 decisions repeated" in said.stdout
    in_force = nights.world.place.rows("SELECT * FROM mart.release WHERE status = 'in_force'")[0]
    assert f"release {in_force['release_id']} is in force, marts sha256 {in_force['marts_sha256']}" in said.stdout


@pytest.mark.parametrize("mart", MARTS)
def test_every_mart_has_the_same_rows(nights: Nights, rebuilt: tuple[Place, Said], mart: str) -> None:
    place, _ = rebuilt
    expected = rows(nights.world.place, mart)
    assert rows(place, mart) == expected


def test_every_release_has_its_hash_and_its_moment(nights: Nights, rebuilt: tuple[Place, Said]) -> None:
    place, _ = rebuilt
    query = "SELECT release_id, recorded_at, observations, revisions, marts_sha256 FROM mart.release ORDER BY 1"
    assert place.rows(query) == nights.world.place.rows(query)


def test_receipts_of_what_arrived_are_there_again(nights: Nights, rebuilt: tuple[Place, Said]) -> None:
    place, _ = rebuilt
    query = (
        "SELECT platform, form, period_code, sequence, sha256, state, cells, loaded, unchanged, quarantined, message, layout"
        " FROM ops.return_receipt WHERE sequence > 0 ORDER BY 1, 2, 3, 4"
    )
    assert place.rows(query) == nights.world.place.rows(query)


def test_quarantine_is_there_again(nights: Nights, rebuilt: tuple[Place, Said]) -> None:
    place, _ = rebuilt
    query = "SELECT sha256, address, raw_text, reason, explanation, created_at FROM ops.quarantine ORDER BY 1, 2, 4"
    expected = nights.world.place.rows(query)
    assert expected
    assert place.rows(query) == expected


def test_a_warehouse_with_refreshes_is_not_built_over(nights: Nights, rebuilt: tuple[Place, Said]) -> None:
    place, _ = rebuilt
    said = place.junheng("rebuild", "--from-archive")
    assert said.exit_code == 1
    assert "build into an empty one" in said.stderr


def test_every_release_of_the_nights_is_reproduced(nights: Nights) -> None:
    for row in nights.world.place.rows("SELECT release_id FROM mart.release ORDER BY 1"):
        said = nights.world.place.junheng("release", "reproduce", str(row["release_id"]))
        assert said.exit_code == 0, said.stdout
        assert f"release {row['release_id']} is reproduced" in said.stdout


# --- with decisions of people ---


@dataclass(frozen=True)
class Decided:
    """A place whose releases were held, approved and withdrawn, and another that was built from its archive."""

    place: Place
    again: Place
    said: Said


@pytest.fixture(scope="module")
def decided(nights: Nights) -> Decided:
    """Night one is approved, night two too and then withdrawn, night three is under embargo until the morning."""
    world = nights.world
    small = ("--province", "540000", "--sector", "health")
    place = world.place.sibling("decided").at(PLATFORM_URL=world.sandbox.url_template, SINCE="2025", OPERATOR="Zhang")

    def night(moment: str, *arguments: str, **variables: str) -> None:
        said = place.at(NOW=moment, **variables).junheng(*arguments)
        assert said.exit_code == 0, said.stderr

    night("2026-05-17T02:00:00", "refresh", *small, RELEASE_POLICY="approval")
    night("2026-05-17T08:00:00", "release", "approve", "1", "--why", "looked at it")
    world.sandbox.set_fault("540000/health", "revised", "health_annual-2025")
    night("2026-05-18T02:00:00", "refresh", *small, RELEASE_POLICY="approval")
    night("2026-05-18T08:00:00", "release", "approve", "2")
    night("2026-05-18T09:00:00", "release", "withdraw", "2", "--why", "beds doubled")
    world.sandbox.clear_faults()
    night("2026-05-19T02:00:00", "refresh", *small, RELEASE_POLICY="embargo", EMBARGO_TIME="09:30")
    again = world.place.sibling("decided_again")
    shutil.copytree(place.home / "archive", again.home / "archive")
    return Decided(place, again, again.at(NOW="2026-05-20T02:00:00").junheng("rebuild", "--from-archive"))


@pytest.mark.long
def test_decisions_are_repeated_with_their_names_reasons_and_times(decided: Decided) -> None:
    assert decided.said.exit_code == 0, decided.said.stderr
    assert "3 decisions repeated" in decided.said.stdout
    query = "SELECT release_id, action, operator, why, decided_at, live_at FROM mart.release_decision ORDER BY decided_at, action"
    expected = decided.place.rows(query)
    assert [row["action"] for row in expected].count("approve") == 2
    assert decided.again.rows(query) == expected


@pytest.mark.long
@pytest.mark.parametrize(
    "query",
    [
        "SELECT release_id, status, published_at, recorded_at, marts_sha256, held_because FROM mart.release ORDER BY 1",
        "SELECT * FROM mart.release_history ORDER BY in_force_from",
        "SELECT release_id, recorded_at FROM mart.release_in_force",
    ],
    ids=["releases", "what was in force when", "what is in force"],
)
def test_releases_stand_where_they_stood(decided: Decided, query: str) -> None:
    assert decided.again.rows(query) == decided.place.rows(query)
