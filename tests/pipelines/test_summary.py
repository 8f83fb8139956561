"""What a person reads after a refresh, from a literal report."""

import datetime
from dataclasses import replace

import pandas as pd

from pipelines.summary import summary_lines
from warehouse.reporting import RefreshReport

RETURNS = pd.DataFrame(
    {
        "sector": ["education", "health"],
        "due": [496, 1240],
        "arrived": [496, 1239],
        "new": [3, 1239],
        "late": [0, 1],
        "failed": [0, 1],
        "quarantined": [2, 0],
    }
)
REPORT = RefreshReport(
    refresh={"refresh_id": 7, "status": "published"},
    returns=RETURNS,
    cells={"read": 1000, "loaded": 900, "unchanged": 98, "quarantined": 2},
    checks={"passed": 185, "warned": 2, "failed": 0},
    release={
        "release_id": 3,
        "published_at": datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC),
        "observations": 1312345,
        "revisions": 12,
        "marts_sha256": "0123456789abcdef" * 4,
    },
    prepared=None,
    troubles=["510000/health could not be asked: it is down"],
    findings=["Town has 2.0 times country"],
)


def lines(report: RefreshReport) -> list[str]:
    return list(summary_lines(report, 61.4, "postgresql://bi_reader:word@127.0.0.1:5432/junheng"))


def test_the_summary_says_what_happened() -> None:
    assert lines(REPORT)[:16] == [
        "",
        "Refresh 7 · published · 61 s",
        "",
        "Returns               due      arrived          new         late       failed  quarantined",
        "  education           496          496            3            0            0            2",
        "  health            1,240        1,239        1,239            1            1            0",
        "  all               1,736        1,735        1,242            1            1            2",
        "",
        "Cells    1,000 read = 900 loaded + 98 unchanged + 2 quarantined",
        "Checks   185 passed, 2 warned, 0 failed",
        "Release  3, 1,312,345 observations, sha256 0123456789ab, 12 figures revised",
        "WARNING  510000/health could not be asked: it is down",
        "",
        "Findings (observed figures of the newest period; estimates left out)",
        "  1. Town has 2.0 times country",
        "",
    ]


def test_three_next_things_are_named() -> None:
    text = "\n".join(lines(REPORT))
    for word in ("make ui", "psql 'postgresql://bi_reader:word@127.0.0.1:5432/junheng'", "junheng --help"):
        assert word in text


def test_nothing_new_says_what_stays_in_force() -> None:
    [release] = [line for line in lines(replace(REPORT, refresh={"refresh_id": 8, "status": "unchanged"}))
                 if line.startswith("Release")]  # fmt: skip
    assert release.startswith("Release  nothing new: no figure changed, no release made; in force stays 3, ")


def test_a_failed_refresh_says_what_stays_in_force() -> None:
    [release] = [line for line in lines(replace(REPORT, refresh={"refresh_id": 8, "status": "failed"}))
                 if line.startswith("Release")]  # fmt: skip
    assert release.startswith("Release  none made; in force stays 3, ")


def test_nothing_published_ever_says_so_and_offers_no_connection() -> None:
    told = lines(replace(REPORT, release=None, findings=[]))
    assert "Release  none: nothing could be published" in told
    assert not [line for line in told if "psql" in line or line.startswith("Findings")]


def test_more_troubles_than_a_screen_holds_are_counted_with_the_command_that_lists_them() -> None:
    told = [line for line in lines(replace(REPORT, troubles=[f"trouble {n}" for n in range(23)])) if "WARNING" in line]
    assert len(told) == 21
    assert told[-1] == "WARNING  and 3 more: junheng status --troubles lists every one"


def test_a_release_that_nobody_sees_yet_says_why_and_until_when() -> None:
    waiting = {"release_id": 4, "status": "held", "held_because": "the policy asks for approval", "published_at": None}
    held = list(summary_lines(replace(REPORT, prepared=waiting), 1.0, "postgresql://…"))
    assert "Release  4 is prepared, held: the policy asks for approval" in "\n".join(held)
    assert "junheng release approve 4); in force stays 3" in "\n".join(held)
    live_at = datetime.datetime(2026, 3, 1, 1, 30, tzinfo=datetime.UTC)
    embargoed = waiting | {"status": "embargoed", "published_at": live_at}
    told = "\n".join(summary_lines(replace(REPORT, prepared=embargoed, release=None), 1.0, "postgresql://…"))
    assert "Release  4 is prepared, under embargo until 2026-03-01 09:30; in force is none" in told
