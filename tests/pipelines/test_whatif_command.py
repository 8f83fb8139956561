"""``junheng whatif``: what is said of a standard that nobody set yet, and what is refused."""

import json

import pytest
from click.testing import CliRunner

from pipelines.cli import main
from tests.assets.nights import TIBET, Nights
from tests.assets.world import Place

pytestmark = [pytest.mark.xdist_group("world"), pytest.mark.timeout(600)]  # a busy machine takes minutes

PUPILS = ("--indicator", "EDU_JUNIOR_PUPILS_PER_TEACHER")


@pytest.fixture
def place(nights: Nights) -> Place:
    return nights.world.place.at(NOW="2026-05-16T12:00:00", PLATFORM_URL="")


def test_both_floors_stand_side_by_side_and_places_below(place: Place) -> None:
    said = place.junheng("whatif", *PUPILS, "--floor", "2", "--all")
    assert said.exit_code == 0, said.stderr
    lines = said.stdout.splitlines()
    assert lines[0].startswith("EDU_JUNIOR_PUPILS_PER_TEACHER 初中生师比, SY2025, total, nation:province, release ")
    assert lines[0].endswith("what if <= 2 per person were the floor")
    assert any(line.split() == ["floor", "13.5", "2"] for line in lines)
    assert any(line.startswith(f"{TIBET} 西藏自治区") and " new " in line for line in lines)


def test_json_holds_every_place(place: Place) -> None:
    said = place.junheng("whatif", *PUPILS, "--floor", "2", "--scope", "county", "--json")
    assert said.exit_code == 0, said.stderr
    made = json.loads(said.stdout)
    assert (made["scope"], made["unit"], made["period_code"]) == ("nation:county", "per person", "SY2025")
    assert made["asked"]["floor_value"] == 2.0
    assert made["in_force"]["floor_value"] == 13.5
    assert len(made["places"]) > 20
    assert all(row["region_code"][-2:] != "00" or row["gap"] > 0 for row in made["places"])
    shown = place.junheng("whatif", *PUPILS, "--floor", "2", "--scope", "county").stdout
    assert "(the 20 furthest below; --all shows every one)" in shown


def test_a_floor_that_nobody_is_under_is_said_so(place: Place) -> None:
    assert place.junheng("whatif", *PUPILS, "--floor", "99").stdout.endswith("No place would be under it.\n")


def test_a_period_without_figures_is_refused_with_those_there_are(place: Place) -> None:
    said = place.junheng("whatif", *PUPILS, "--floor", "12", "--period", "SY2011")
    assert said.exit_code == 1
    assert "SY2025" in said.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--indicator", "EDU", "--floor", "1"), "'EDU' is no indicator"),
        (("--indicator", "POP_RESIDENT", "--floor", "1"), "neither more nor less"),
        (("--indicator", "HLT_BEDS", "--floor", "1"), "is a count"),
        ((*PUPILS, "--floor", "0"), "above 0"),
        ((*PUPILS, "--floor", "nan"), "above 0"),
        (("--indicator", "EDU_PRIMARY_PUBLIC_FUNDS", "--floor", "800"), "has figures of urban, rural"),
        (("--indicator", "INC_DISPOSABLE", "--floor", "1", "--scope", "county"), "provinces only"),
    ],
)
def test_what_cannot_be_asked_is_a_wrong_call(arguments: tuple[str, ...], message: str) -> None:
    said = CliRunner().invoke(main, ["whatif", *arguments])
    assert said.exit_code == 2
    assert message in said.stderr
