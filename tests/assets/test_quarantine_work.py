"""Working in the quarantine, on a small world: a mended layout, a mailed return, a return that a person lets pass.

The sandbox is stopped before anything is read once more: whatever is read then comes from the archive.
"""

import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from resources.inbox import SETTLE_SECONDS
from returns import reading
from returns.layouts import load_layouts
from tests.assets.world import Night, Said, World, open_world

pytestmark = pytest.mark.long  # nights of its own

TIBET = "540000"
UNKNOWN_HEADER = (f"{TIBET}/health", "health_annual", "2025")
SLIP = (f"{TIBET}/health", "health_quarterly", "2026-Q1")
MAILED = ("640000/education", "education_school_year", "SY2025")
NEW_NAME = "未知指标"


@dataclass(frozen=True)
class Story:
    world: World
    first: Night
    explained: Said
    listed: Said
    refused: Said
    reread: Night
    released: Night


@pytest.fixture(scope="module", name="story")
def lived_story() -> Iterator[Story]:
    with open_world("2026-04-19", since="2025") as world, pytest.MonkeyPatch.context() as patch:
        world.provinces = (TIBET,)
        world.sandbox.set_fault(UNKNOWN_HEADER[0], "unknown_header", "health_annual-2025")
        world.night("2026-04-19T23:00:00")
        world.sandbox.set_today("2026-05-16")
        world.sandbox.set_fault(UNKNOWN_HEADER[0], "unknown_header", "health_annual-2025")
        world.sandbox.set_fault(SLIP[0], "unit_slip", "health_quarterly-2026-Q1")
        _mail(world)
        first = world.night("2026-05-16T02:00:00")
        world.sandbox.stop()
        place = world.place.at(NOW="2026-05-16T09:00:00", PLATFORM_URL="")
        broken, held = first.receipt(*UNKNOWN_HEADER), first.receipt(*SLIP)
        listed = place.junheng("quarantine", "list")
        cell = first.quarantine[first.quarantine["receipt_id"] == held["receipt_id"]].iloc[0]["address"]
        explained = place.junheng("quarantine", "explain", str(held["receipt_id"]), cell)
        refused = place.junheng("quarantine", "release", str(broken["receipt_id"]), "--why", "please")
        missing = next(iter(sorted(_missing_names(first, broken))))
        mended = [
            layout.model_copy(update={"aliases": {**layout.aliases, NEW_NAME: missing}}) for layout in load_layouts()
        ]
        patch.setattr(reading, "load_layouts", lambda: mended)
        name = "/".join(UNKNOWN_HEADER)
        reread = world.remember(place.junheng("reread", "--return", name))
        place = place.at(NOW="2026-05-16T10:00:00", OPERATOR="王敏")
        why = ("--why", "confirmed by telephone")
        released = world.remember(place.junheng("quarantine", "release", str(held["receipt_id"]), *why))
        yield Story(world, first, explained, listed, refused, reread, released)


def _mail(world: World) -> None:
    """A return that its province mailed, in a folder of no meaning, and a letter."""
    inbox = world.place.home / "inbox" / "monday"
    inbox.mkdir(parents=True)
    url = f"{world.sandbox.base}/{MAILED[0]}/returns/education_school_year-SY2025"
    with urllib.request.urlopen(url, timeout=10) as answer:
        (inbox / "附件1.xlsx").write_bytes(answer.read())
    (inbox / "说明.txt").write_text("各位同事：请查收。", encoding="gb18030")
    time.sleep(SETTLE_SECONDS + 0.5)  # what may still be written is left alone


def _missing_names(night: Night, receipt: dict[str, object]) -> set[str]:
    """The indicator that the renamed column was of: the first of the form, as the sandbox says."""
    from warehouse.catalogue import load_catalogue

    owed = [row for row in load_catalogue().indicators_of(str(receipt["form"])) if row.kind == "base"]
    return {owed[0].code}


def test_a_mailed_return_is_read_like_any_other(story: Story) -> None:
    receipt = story.first.receipt(*MAILED)
    assert (receipt["state"], receipt["file_name"], receipt["sequence"]) == ("loaded", "附件1.xlsx", 1)
    assert f"SY2025|{MAILED[0][:6]}" in story.first.green["education_school_year_returns"]


def test_what_nobody_can_place_is_named_and_set_aside(story: Story) -> None:
    place = story.world.place
    [row] = place.rows("SELECT file_name, reason, resolved_at FROM ops.unplaced_file")
    assert (row["file_name"].endswith("说明.txt"), row["reason"]) == (True, "unidentified")
    assert "not placed" in story.first.said.stdout
    assert "说明.txt" in story.listed.stderr
    assert list((place.home / "inbox" / "unplaced").rglob("*.why.txt"))
    assert not list((place.home / "inbox" / "monday").glob("*.xlsx"))


def test_the_quarantine_lists_the_return_with_its_reason(story: Story) -> None:
    assert "unknown_header" in story.listed.stdout
    assert "/".join(UNKNOWN_HEADER[:1]) in story.listed.stdout


def test_a_cell_that_a_check_holds_is_explained_with_check_row_and_header(story: Story) -> None:
    for words in ("Check ", "Do  ", "Above it:", "In its row:", "西藏", "整份报表暂扣"):
        assert words in story.explained.stdout, words


def test_what_could_not_be_read_is_not_let_pass(story: Story) -> None:
    assert story.refused.exit_code == 1
    assert "unknown_header" in story.refused.stderr
    assert "reread --receipt" in story.refused.stderr


def test_with_a_mended_layout_the_archived_bytes_are_read(story: Story) -> None:
    before, after = story.first.receipt(*UNKNOWN_HEADER), story.reread.receipt(*UNKNOWN_HEADER)
    assert (before["state"], after["state"]) == ("quarantined", "loaded")
    assert (after["sha256"], after["sequence"]) == (before["sha256"], before["sequence"] + 1)
    mine = story.reread.quarantine[story.reread.quarantine["receipt_id"] == before["receipt_id"]]
    assert mine["resolved_at"].notna().all()
    assert story.reread.refresh["status"] == "published"


def test_a_return_that_a_person_lets_pass_is_loaded_and_says_who_and_why(story: Story) -> None:
    held, after = story.first.receipt(*SLIP), story.released.receipt(*SLIP)
    assert (held["state"], after["state"]) == ("quarantined", "loaded")
    waived = story.world.place.rows("SELECT DISTINCT operator, why, sha256 FROM ops.quarantine_waiver")
    assert waived == [{"operator": "王敏", "why": "confirmed by telephone", "sha256": held["sha256"]}]
    assert "王敏" in story.released.said.stdout
