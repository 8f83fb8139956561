"""Switching faults on by name, place and rate; presets; and what the sandbox keeps of what it served."""

import collections
import datetime as dt
import hashlib
import subprocess
import sys

import pytest

from sandbox.kinds import FAMILIES, load_kinds, load_presets
from sandbox.platforms import Clock, Platforms
from sandbox.presets import put_faults, summarise
from sandbox.tables import TableMaker
from sandbox.truth import Truth
from tests.sandbox.conftest import REPOSITORY, Client

KINDS = load_kinds()
PLATFORM, RETURN_ID = "510000/health", "health_annual-2024"
RETURN = f"/{PLATFORM}/returns/{RETURN_ID}"


@pytest.mark.parametrize(
    ("asked", "status", "says"),
    [
        ({"platform": PLATFORM, "fault": "on_fire"}, 400, "truncated"),
        ({"platform": "999999/health", "fault": "down"}, 404, "93 such as 110000/employment"),
        ({"platform": PLATFORM, "fault": "down", "return_id": "health_annual-1949"}, 404, "health_annual-2024"),
        ({"platform": PLATFORM, "fault": "revised", "return_id": "health_annual-2026"}, 404, "has not come yet"),
        ({"platform": PLATFORM, "fault": "early", "return_id": RETURN_ID}, 404, "has come already"),
        ({"platform": PLATFORM, "fault": "page_missing"}, 400, "answers with xlsx"),
        ({"platform": PLATFORM}, 400, "expected"),
        ({"platform": PLATFORM, "fault": "slow", "strength": "very"}, 400, "strength is a number"),
        ({"fault": "slow", "rate": 2}, 400, "a share from 0 to 1"),
        ({"fault": "on_fire", "rate": 0.1}, 400, "truncated"),
        ({"fault": "slow", "rate": 0.1, "platforms": ["nowhere"]}, 400, "no platform nowhere"),
    ],
)  # fmt: skip
def test_what_there_is_not_is_an_error_that_says_what_there_is(
    client: Client, asked: dict[str, object], status: int, says: str
) -> None:
    answer = client.ask_faults(**asked)
    assert answer.status_code == status
    assert says in answer.json()["msg"]
    assert client.get("/control/faults").json()["faults"] == []


def test_the_list_of_faults_says_what_each_is(client: Client) -> None:
    kinds = {kind["name"]: kind for kind in client.get("/control/faults").json()["kinds"]}
    assert kinds["not_a_number"]["family"] == "structure"
    assert kinds["not_a_number"]["outcomes"] == ["cells_quarantined"]
    assert kinds["expired_token"]["sectors"] == ["employment"]


def test_a_rate_puts_a_fault_on_that_share_of_returns_and_again_on_the_same(client: Client) -> None:
    def placed() -> list[tuple[str, str]]:
        client.clear_faults()
        answer = client.ask_faults(fault="not_a_number", rate=0.1, seed=7).json()
        return [(row["platform"], row["return_id"]) for row in answer["faults"]]

    first = placed()
    assert 200 < len(first) < 400
    assert placed() == first
    client.clear_faults()
    other = client.ask_faults(fault="not_a_number", rate=0.1, seed=8).json()["faults"]
    assert [(row["platform"], row["return_id"]) for row in other] != first


def test_a_rate_keeps_to_the_platforms_named(client: Client) -> None:
    rows = client.ask_faults(fault="slow", rate=1.0, platforms=["510000/education"]).json()["faults"]
    assert {row["platform"] for row in rows} == {"510000/education"}
    assert len(rows) == 16


def test_what_was_served_is_kept_with_its_hash_and_faults(client: Client) -> None:
    last = client.get("/control/served").json()["last"]
    plain = client.get(RETURN).content
    client.set_fault(PLATFORM, "not_a_number", RETURN_ID)
    spoiled = client.get(RETURN).content
    first, second = client.get(f"/control/served?since={last}").json()["rows"]
    assert (first["platform"], first["return_id"], first["sha256"]) == (
        PLATFORM,
        RETURN_ID,
        hashlib.sha256(plain).hexdigest(),
    )
    assert (second["sha256"], second["faults"]) == (hashlib.sha256(spoiled).hexdigest(), ["not_a_number"])
    assert client.get(f"/control/served?since={second['number']}").json() == {"rows": [], "last": second["number"]}


def test_pages_are_one_delivery_joined_by_line_ends(client: Client) -> None:
    last = client.get("/control/served").json()["last"]
    path = "/330000/health/returns/health_annual-2025"
    pages = [client.get(f"{path}?page={page}&size=60").content for page in (1, 2)]
    [row] = client.get(f"/control/served?since={last}").json()["rows"]
    assert row["sha256"] == hashlib.sha256(b"\n".join(pages)).hexdigest()


def test_what_did_not_go_out_whole_was_not_served(client: Client) -> None:
    last = client.get("/control/served").json()["last"]
    etag = client.get(RETURN).headers["ETag"]
    client.set_fault(PLATFORM, "login_page", RETURN_ID)
    client.get(RETURN)
    client.clear_faults()
    client.get(RETURN, headers={"If-None-Match": etag})
    assert len(client.get(f"/control/served?since={last}").json()["rows"]) == 1


def test_since_is_a_number(client: Client) -> None:
    assert client.get("/control/served?since=yesterday").status_code == 400


def test_expected_of_an_unknown_return_is_404_and_says_which_there_are(client: Client) -> None:
    answer = client.get("/control/expected", params={"platform": PLATFORM, "return_id": "x-1"})
    assert answer.status_code == 404
    assert "health_quarterly-2026-Q1" in answer.json()["msg"]


@pytest.fixture(scope="module", params=["2026-04-19", "2026-11-24"])
def nasty(request: pytest.FixtureRequest) -> Platforms:
    platforms = Platforms(TableMaker(1), Clock(dt.date.fromisoformat(request.param)))
    put_faults(platforms, "nasty", 1)
    return platforms


def counted(platforms: Platforms) -> collections.Counter[str]:
    return collections.Counter(str(name) for row in platforms.faults.listed() for name in row["faults"])  # type: ignore[attr-defined]


def test_a_nasty_night_has_every_fault_at_least_twice(nasty: Platforms) -> None:
    counts = counted(nasty)
    assert {name for name in KINDS if counts[name] < 2} == set()


def test_a_nasty_night_leaves_no_platform_in_peace(nasty: Platforms) -> None:
    assert [code for code in nasty.by_code if not nasty.faults.holds_for(code)] == []


def test_most_returns_of_a_nasty_night_are_good(nasty: Platforms) -> None:
    lost = {"not_collected", "quarantined_whole"}
    bad = sum(row["outcome"] in lost for row in Truth(nasty).verdicts())
    total = sum(len(nasty.available(platform)) for platform in nasty.by_code.values())
    assert bad < total * 0.1


def test_few_platforms_are_lost_for_a_nasty_night(nasty: Platforms) -> None:
    """Each costs the patience of the client, and a refresh has three minutes."""
    whole = {str(row["platform"]) for row in nasty.faults.listed() if row["return_id"] is None}
    lost = {code for code in whole if nasty.faults.active(code).names & {"down", "too_many_requests"}}
    assert len(lost) == 4


def test_a_return_of_a_nasty_night_has_one_fault_of_its_own(nasty: Platforms) -> None:
    own = [row["faults"] for row in nasty.faults.listed() if row["return_id"] is not None]
    assert {len(names) for names in own} == {1}  # type: ignore[arg-type]


def test_every_fault_of_a_nasty_night_shows_in_a_verdict(nasty: Platforms) -> None:
    shown = collections.Counter(name for row in Truth(nasty).verdicts() for name in row["faults"])
    assert {name for name, count in counted(nasty).items() if shown[name] < count} == set()


def test_the_same_seed_makes_the_same_night_and_another_one_another() -> None:
    def night(seed: int) -> list[dict[str, object]]:
        platforms = Platforms(TableMaker(1), Clock(dt.date(2026, 4, 19)))
        put_faults(platforms, "nasty", seed)
        return platforms.faults.listed()

    first = night(1)
    assert first == night(1)
    assert first != night(2)


def test_the_summary_counts_by_family(nasty: Platforms) -> None:
    text = summarise(nasty)
    assert [part.split()[0] for part in text.split("; ")] == list(FAMILIES)
    assert "down 2" in text


def test_faults_at_rates_from_the_command_line(maker: TableMaker) -> None:
    platforms = Platforms(maker, Clock(dt.date(2026, 4, 19)))
    put_faults(platforms, "down:0.1,not_a_number:0.02", 1)
    assert set(counted(platforms)) == {"down", "not_a_number"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("dreadful", "there are: none, nasty"),
        ("down:often", "NAME:rate"),
        ("on_fire:0.1", "no fault is called on_fire"),
    ],
)
def test_unknown_faults_on_the_command_line_end_it_with_what_there_is(text: str, says: str) -> None:
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--today", "2026-04-19", "--faults", text]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=20)
    assert ended.returncode == 1
    assert says in ended.stderr


@pytest.mark.parametrize("preset", sorted(load_presets()))
def test_a_preset_names_every_fault(preset: str) -> None:
    assert set(load_presets()[preset]) == set(KINDS)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_fault_that_costs_figures_has_words_that_name_it(name: str) -> None:
    kind = KINDS[name]
    must_be_named = kind.outcomes[0] in ("not_collected", "quarantined_whole", "cells_quarantined", "overcome")
    assert bool(kind.reasons) is must_be_named
    assert len(kind.meaning) > 10
