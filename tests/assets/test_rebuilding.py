"""A warehouse built again from the archive alone: the same marts, row for row, as three nights left them."""

import shutil

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
