"""A nasty night through the real rooms: what went wrong is named, and the warehouse holds what a right reader would.

The sandbox knows what it did: `/control/verdicts` says of each return what a right reader makes of it and by which words
one names it, `/control/expected` which figures are left. Nothing here knows how a room does it.
"""

import math
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from returns.reasons import RETURN_REASONS
from tests.assets.world import Night, Said, World, open_world

TODAY, SINCE = "2026-05-16", "2025"
PROVINCES = ("310000", "460000", "540000", "620000", "640000")
LONGEST_NIGHT_SECONDS = 180.0
M, Q, A, H, S = (
    "employment_monthly-", "health_quarterly-", "employment_annual-", "health_annual-", "education_school_year-"
)  # fmt: skip

FAULTS: list[tuple[str, str, str | None]] = [
    ("310000/employment", "expired_token", None),
    ("310000/employment", "early", f"{M}2026-05"),
    ("310000/employment", "numbers_as_text", f"{M}2026-01"),
    ("310000/employment", "unit_in_header", f"{M}2026-02"),
    ("310000/employment", "stale_figures", f"{M}2025-12"),
    ("310000/employment", "repeated_row", f"{M}2025-11"),
    ("310000/employment", "page_missing", f"{M}2025-10"),
    ("310000/employment", "error_answer", f"{M}2025-09"),
    ("310000/health", "rate_limited_seconds", None),
    ("310000/health", "old_region_code", f"{H}2025"),
    ("310000/health", "unit_slip", f"{Q}2026-Q1"),
    ("310000/health", "dropped_column", f"{Q}2025-Q4"),
    ("310000/health", "spaced_names", f"{Q}2025-Q3"),
    ("310000/education", "numbers_as_text", f"{S}SY2025"),
    ("460000/employment", "unavailable_first", None),
    ("460000/employment", "late", f"{M}2026-04"),
    ("460000/employment", "same_bytes_twice", f"{M}2026-03"),
    ("460000/employment", "listed_twice", f"{M}2026-02"),
    ("460000/employment", "unknown_header", f"{M}2026-01"),
    ("460000/employment", "wrong_province", f"{M}2025-12"),
    ("460000/employment", "not_a_number", f"{M}2025-11"),
    ("460000/employment", "dribble", f"{M}2025-10"),
    ("460000/employment", "gzip_not_sent", f"{M}2025-09"),
    ("460000/employment", "slow", f"{M}2025-08"),
    ("460000/employment", "login_page", f"{M}2025-07"),
    ("460000/employment", "redirected", f"{M}2025-06"),
    ("460000/health", "too_many_requests", None),
    ("460000/education", "unknown_region", f"{S}SY2025"),
    ("540000/health", "swapped_areas", f"{H}2025"),
    ("540000/health", "continued_sheet", f"{Q}2026-Q1"),
    ("540000/health", "not_a_workbook", f"{Q}2025-Q4"),
    ("540000/health", "wrong_content_type", f"{Q}2025-Q3"),
    ("540000/health", "extra_notes", f"{Q}2025-Q2"),
    ("540000/health", "cut_body", f"{Q}2025-Q1"),
    ("540000/employment", "cut_chunked_once", f"{M}2026-03"),
    ("540000/education", "bad_schools", f"{S}SY2025"),
    ("620000/employment", "token_expires_at_once", None),
    ("620000/employment", "total_not_sum", f"{A}2025"),
    ("620000/employment", "renamed_header", f"{M}2026-03"),
    ("620000/employment", "redirected_away", f"{M}2026-02"),
    ("620000/employment", "cut_body_once", f"{M}2026-01"),
    ("620000/employment", "unknown_unit", f"{M}2025-12"),
    ("620000/employment", "wrong_period", f"{M}2025-11"),
    ("620000/employment", "truncated", f"{M}2025-10"),
    ("620000/employment", "quiet_revision", f"{M}2025-09"),
    ("620000/employment", "revised", f"{M}2025-08"),
    ("620000/health", "rate_limited_bare", None),
    ("620000/health", "zero_for_blank", f"{H}2025"),
    ("620000/health", "utf8_bom", f"{Q}2026-Q1"),
    ("620000/health", "tab_separated", f"{Q}2025-Q4"),
    ("620000/health", "continued_table", f"{Q}2025-Q3"),
    ("620000/health", "repeated_header", f"{Q}2025-Q2"),
    ("620000/health", "unequal_duplicates", f"{Q}2025-Q1"),
    ("620000/education", "html_table", f"{S}SY2025"),
    ("640000/employment", "down", None),
    ("640000/health", "rate_limited_date", None),
    ("640000/health", "shifted_column", f"{H}2025"),
    ("640000/health", "zipped", f"{Q}2026-Q1"),
    ("640000/health", "xls", f"{Q}2025-Q4"),
    ("640000/health", "missing_sheet", f"{Q}2025-Q3"),
    ("640000/health", "stray_text", f"{Q}2025-Q2"),
    ("640000/health", "sheet_lost", f"{Q}2025-Q1"),
    ("640000/education", "wrong_form", f"{S}SY2025"),
]
"""One fault a return; faults of a whole platform beside them. What the sandbox calls old_region_name is tested where a
county of the province has such a name: in the night over all platforms."""

AMOUNTS = (
    "pupils", "qualified_teachers", "key_teachers", "arts_sports_teachers", "teaching_area", "sports_area",
    "equipment_value", "networked_rooms",
)  # fmt: skip

SAID_AS = {
    "unavailable": r"not available|503",
    "too_many_requests": r"fewer requests|429|left alone",
    "circuit_open": r"left alone",
    "truncated_body": r"cut off|is missing|ends too early",
    "redirected": r"another host",
    "login_page": r"login page",
    "refused": r"code 5001",
    "error_answer": r"code 5001",
    "broken_answer": r"no JSON|is missing|announces|no code|no data",
    "wrong_content_type": r"web page|content type",
}
"""How the message of a receipt or a platform's failure says each kind of trouble."""
STATES = {
    "not_collected": {"failed", "missing", "absent"},
    "quarantined_whole": {"quarantined"},
    "cells_quarantined": {"partly_quarantined"},
    "figures_wrong": {"loaded", "held_back"},
    "overcome": {"loaded"},
    "read_right": {"loaded"},
}
"""The state of its receipt by what becomes of a return. Wrong figures may be held back by a check: it found them out."""

PASSED_SILENTLY = {"slow", "dribble", "wrong_content_type"}
"""A second more, or a wrong word in a header, is no incident that anybody must tell."""

Figures = dict[tuple[str, str, str, str], tuple[float | None, str]]
Schools = set[tuple[object, ...]]


@dataclass(frozen=True)
class Told:
    """What one night left behind, by (platform, return id)."""

    state: dict[tuple[str, str], str]
    message: dict[tuple[str, str], str]
    reasons: dict[tuple[str, str], set[str]]
    incidents: dict[str, set[str]]
    failures: dict[str, str]
    figures: dict[tuple[str, str], Figures]
    schools: dict[tuple[str, str], Schools]


def tell(world: World, night: Night) -> Told:
    """Read ops.* and core.observation."""
    receipts = {int(row["receipt_id"]): row for row in night.receipts.to_dict("records")}
    ids = {number: (row["platform"], f"{row['form']}-{row['period_code']}") for number, row in receipts.items()}
    reasons: dict[tuple[str, str], set[str]] = {}
    for row in night.quarantine.to_dict("records"):
        reasons.setdefault(ids[int(row["receipt_id"])], set()).add(row["reason"])
    state = {}
    for number, row in receipts.items():
        whole = row["state"] == "quarantined" and not any(
            reason in RETURN_REASONS for reason in reasons.get(ids[number], ())
        )
        state[ids[number]] = "held_back" if whole else row["state"]
    figures: dict[tuple[str, str], Figures] = {}
    rows = world.place.rows(
        "SELECT o.receipt_id, i.code, r.region_code, p.period_code, o.area_key, o.value, o.obs_status"
        " FROM core.observation o JOIN core.indicator i USING (indicator_key) JOIN core.region r USING (region_key)"
        " JOIN core.period p USING (period_key)"
        " WHERE o.receipt_id IS NOT NULL AND o.superseded_at = 'infinity'"
    )
    for row in rows:
        key = (row["code"], row["region_code"], row["period_code"], ("total", "urban", "rural")[int(row["area_key"])])
        value = None if row["value"] != row["value"] or row["value"] is None else float(row["value"])
        figures.setdefault(ids[int(row["receipt_id"])], {})[key] = (value, row["obs_status"])
    incidents: dict[str, set[str]] = {}
    for row in world.place.rows("SELECT platform, kind FROM ops.platform_incident"):
        incidents.setdefault(row["platform"], set()).add(row["kind"])
    failures = {row["platform"]: row["message"] for row in world.place.rows("SELECT * FROM ops.platform_failure")}
    messages = {
        ids[number]: row["message"] if isinstance(row["message"], str) else "" for number, row in receipts.items()
    }
    return Told(state, messages, reasons, incidents, failures, figures, schools_held(world, ids))


def schools_held(world: World, ids: dict[int, tuple[str, str]]) -> dict[tuple[str, str], Schools]:
    """The schools that stand by each return."""
    held: dict[tuple[str, str], Schools] = {}
    amounts = ", ".join(AMOUNTS)
    for row in world.place.rows(
        f"SELECT receipt_id, i.code, r.region_code, school_code, school_name, {amounts} FROM core.school_resource s"
        " JOIN core.indicator i USING (indicator_key) JOIN core.region r USING (region_key) WHERE superseded_at = 'infinity'"
    ):
        figures = [None if row[name] != row[name] else row[name] for name in AMOUNTS]
        key = (row["code"], row["region_code"], row["school_code"], row["school_name"], *figures)
        held.setdefault(ids[int(row["receipt_id"])], set()).add(key)
    return held


def ask(world: World, path: str, **parameters: str) -> Any:
    answer = requests.get(f"{world.sandbox.base}/control/{path}", params=parameters, timeout=60)
    answer.raise_for_status()
    return answer.json()


def expected(world: World, place: tuple[str, str]) -> Figures:
    rows = ask(world, "expected", platform=place[0], return_id=place[1])["figures"]
    return {
        (row["indicator_code"], row["region_code"], row["period_code"], row["area_type"]): (row["value"], row["obs_status"])
        for row in rows
    }  # fmt: skip


def expected_schools(world: World, place: tuple[str, str]) -> Schools:
    rows = ask(world, "expected", platform=place[0], return_id=place[1])["schools"]
    codes = {"primary": "SCHOOL_BALANCE_PRIMARY", "junior_secondary": "SCHOOL_BALANCE_JUNIOR_SECONDARY"}
    return {
        (codes[row["stage"]], row["region_code"], row["school_code"], row["school_name"], *row["figures"].values())
        for row in rows
    }  # fmt: skip


def name_problem(told: Told, verdict: dict[str, Any]) -> str | None:
    """Why what cost a return, or cells of it, is not named where a person looks; None where it is, or need not be."""
    place = (verdict["platform"], verdict["return_id"])
    state = told.state.get(place, "absent")
    if state == "failed":
        said = told.message.get(place, "") + told.failures.get(place[0], "")
        known = [SAID_AS[reason] for reason in verdict["reasons"] if reason in SAID_AS]
        if not any(re.search(pattern, said) for pattern in known):
            return f"{place} {verdict['faults']}: failed, and {said!r} does not say {verdict['reasons']}"
    if state in ("quarantined", "partly_quarantined"):
        seen = told.reasons.get(place, set())
        if not seen or not seen <= set(verdict["reasons"]):
            return f"{place} {verdict['faults']}: set aside for {sorted(seen)}, not for {verdict['reasons']}"
    return None


def incident_problems(told: Told, verdict: dict[str, Any]) -> list[str]:
    """Which faults that were overcome are told by no incident of the platform; a reader may pass some without a word."""
    platform = verdict["platform"]
    if told.state.get((platform, verdict["return_id"])) not in ("loaded", "partly_quarantined"):
        return []
    seen = told.incidents.get(platform, set())
    return [
        f"{platform} {each['fault']}: no incident of {each['kinds']} is told, only {sorted(seen)}"
        for each in verdict["overcome"]
        if not seen & set(each["kinds"]) and each["fault"] not in PASSED_SILENTLY
    ]


def suspected(verdicts: Iterable[dict[str, Any]]) -> set[str]:
    """Platforms with wrong figures in some return: checks that compare returns cannot tell which of two is the wrong one."""
    return {row["platform"] for row in verdicts if row["outcome"] == "figures_wrong"}


def outcome_problem(told: Told, verdict: dict[str, Any], suspects: set[str]) -> str | None:
    """Why what became of a return is not what a right reader makes of it."""
    place = (verdict["platform"], verdict["return_id"])
    state = told.state.get(place, "absent")
    right = set().union(*(STATES[outcome] for outcome in (verdict["outcome"], *verdict["allowed"])))
    if state in right or (state == "held_back" and place[0] in suspects):
        return None
    return (
        f"{place} {verdict['faults']}: {state}, not {verdict['outcome']}:"
        f" {told.message.get(place, '')[:200]} {sorted(told.reasons.get(place, ()))}"
    )


def is_same(have: float | None, want: float | None) -> bool:
    """Whether two figures are one, but for the noise of doubles."""
    return have is want or (have is not None and want is not None and math.isclose(have, want, rel_tol=1e-9))


def figures_problem(world: World, told: Told, place: tuple[str, str]) -> str | None:
    """How the figures of a return differ from what is left of it."""
    have, want = told.figures.get(place, {}), expected(world, place)
    missing, more = want.keys() - have.keys(), have.keys() - want.keys()
    other = [
        key for key in want.keys() & have.keys()
        if have[key][1] != want[key][1] or not is_same(have[key][0], want[key][0])
    ]  # fmt: skip
    if not (missing or more or other):
        return None
    some = [(key, have.get(key), want.get(key)) for key in [*sorted(missing), *sorted(more), *sorted(other)][:2]]
    return f"{place}: {len(missing)} missing, {len(more)} more, {len(other)} other figures, such as {some}"


def problems_of_figures(world: World, told: Told, verdicts: list[dict[str, Any]]) -> list[str]:
    """Over all returns that were loaded, and those without any fault that were not; wrong outcomes are told elsewhere."""
    by_place = {(row["platform"], row["return_id"]): row for row in verdicts}
    suspects = suspected(verdicts)
    problems: list[str | None] = []
    for place, state in sorted(told.state.items()):
        verdict = by_place.get(place)
        if state in ("loaded", "partly_quarantined") and (
            verdict is None or outcome_problem(told, verdict, suspects) is None
        ):
            problems.append(figures_problem(world, told, place))
        elif verdict is None and state != "missing" and not (state == "held_back" and place[0] in suspects):
            problems.append(f"{place}: nothing is wrong with it, and it is {state}: {told.message[place][:200]}")
    return [problem for problem in problems if problem]


def of_night(told: Told, verdicts: list[dict[str, Any]], provinces: tuple[str, ...]) -> list[dict[str, Any]]:
    """Verdicts on returns that the night asked for."""
    periods = {place[1] for place in told.state}
    return [row for row in verdicts if row["platform"][:6] in provinces and row["return_id"] in periods]


@dataclass(frozen=True)
class NastyNight:
    world: World
    night: Night
    told: Told
    verdicts: dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def nasty() -> Iterator[NastyNight]:
    with open_world(TODAY, SINCE) as world:
        world.provinces = PROVINCES
        for platform, fault, return_id in FAULTS:
            world.sandbox.set_fault(platform, fault, return_id)
        night = world.night_apart(f"{TODAY}T23:50:00")
        verdicts = ask(world, "verdicts")["rows"]
        by_place = {(row["platform"], row["return_id"]): row for row in verdicts}
        yield NastyNight(world, night, tell(world, night), by_place)


def verdict_on(nasty: NastyNight, platform: str, fault: str, return_id: str | None) -> dict[str, Any]:
    """The verdict on a return; of a fault of a whole platform, that on the one of its returns with the fewest others."""
    if return_id:
        return nasty.verdicts[platform, return_id]
    rows = [row for place, row in nasty.verdicts.items() if place[0] == platform and place in nasty.told.state]
    return min((row for row in rows if fault in row["faults"]), key=lambda row: len(row["faults"]))


CASES = pytest.mark.parametrize(
    ("platform", "fault", "return_id"),
    [pytest.param(*case, id=f"{case[1]}-{case[0].replace('/', '-')}") for case in FAULTS],
)


def test_the_night_is_published_all_the_same(nasty: NastyNight) -> None:
    assert nasty.night.said.exit_code == 0, nasty.night.said.stderr
    assert nasty.night.refresh["status"] == "published"


@CASES
def test_a_fault_has_the_outcome_that_a_right_reader_gives_it(
    nasty: NastyNight, platform: str, fault: str, return_id: str | None
) -> None:
    verdict = verdict_on(nasty, platform, fault, return_id)
    assert fault in verdict["faults"]
    problem = outcome_problem(nasty.told, verdict, suspected(nasty.verdicts.values()))
    assert not problem, problem


@CASES
def test_a_fault_is_named(nasty: NastyNight, platform: str, fault: str, return_id: str | None) -> None:
    verdict = verdict_on(nasty, platform, fault, return_id)
    told = [name_problem(nasty.told, verdict), *incident_problems(nasty.told, verdict)]
    problems = [problem for problem in told if problem and fault in problem]
    assert not problems, problems


def test_the_warehouse_holds_what_a_right_reader_would(nasty: NastyNight) -> None:
    problems = problems_of_figures(nasty.world, nasty.told, list(nasty.verdicts.values()))
    assert not problems, "\n".join(problems)


def test_the_warehouse_holds_the_schools_that_a_right_reader_would(nasty: NastyNight) -> None:
    read = [place for place in nasty.told.figures if place[1].startswith(S)]
    assert ("540000/education", f"{S}SY2025") in read
    assert ("620000/education", f"{S}SY2025") in read  # a page of two tables
    for place in read:
        assert nasty.told.schools[place] == expected_schools(nasty.world, place), place


def test_a_platform_that_is_down_is_told_once_and_its_returns_failed(nasty: NastyNight) -> None:
    assert "640000/employment" in nasty.told.failures
    states = {state for (platform, _), state in nasty.told.state.items() if platform == "640000/employment"}
    assert states == {"failed"}


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_nasty_night_over_all_platforms_ends_in_time_names_every_fault_and_holds_what_is_right(
    record_property: Callable[[str, object], None],
) -> None:
    with open_world("2026-11-24", since="2025") as world:
        session = requests.Session()
        asked = {"preset": "nasty", "seed": 1}
        session.post(f"{world.sandbox.base}/control/faults", json=asked, timeout=60).raise_for_status()
        world.provinces = tuple(sorted({row["platform"][:6] for row in ask(world, "verdicts")["rows"]}))
        assert len(world.provinces) == 31
        began = time.monotonic()
        process = world.place.at(NOW="2026-11-24T23:50:00", PLATFORM_URL=world.sandbox.url_template).start("refresh")
        process.communicate(timeout=600)
        seconds = time.monotonic() - began
        night = world.remember(Said(process.returncode, "", ""))
        assert (night.said.exit_code, night.refresh["status"]) == (0, "published")
        record_property("seconds", round(seconds, 1))
        assert seconds <= LONGEST_NIGHT_SECONDS
        told = tell(world, night)
        verdicts = of_night(told, ask(world, "verdicts")["rows"], world.provinces)
        problems = [problem for row in verdicts if (problem := outcome_problem(told, row, suspected(verdicts)))]
        problems += [problem for row in verdicts if (problem := name_problem(told, row))]
        problems += sorted({problem for row in verdicts for problem in incident_problems(told, row)})
        problems += problems_of_figures(world, told, verdicts)
        assert not problems, "\n".join(problems)
