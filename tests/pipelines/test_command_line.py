"""The command line on a warehouse that has lived three nights: what it says, writes, refuses, and its exit codes."""

import csv
import io
import json
import re
from pathlib import Path

import pytest

from pipelines.running import only_refresh
from tests.assets.nights import HAINAN, TIBET, Nights
from tests.assets.world import FORMS, Place, Said

pytestmark = [pytest.mark.xdist_group("world"), pytest.mark.timeout(600)]  # a busy machine takes minutes

TABLES = ("ops.refresh", "ops.return_receipt", "ops.arrival", "ops.quarantine", "core.observation", "ops.release")


@pytest.fixture
def place(nights: Nights) -> Place:
    return nights.world.place.at(NOW="2026-05-16T12:00:00", PLATFORM_URL=nights.world.sandbox.url_template)


def counted(place: Place) -> list[object]:
    files = sorted(path.name for path in (place.home / "archive").rglob("*"))
    return [files, *(place.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"] for table in TABLES)]


def planned(said: Said) -> dict[str, tuple[int, int]]:
    """Form → (due, to fetch) as a dry run says."""
    words = [line.replace(",", " ").split() for line in said.stdout.splitlines()]
    return {line[0]: (int(line[1]), int(line[3])) for line in words}


def test_a_dry_run_says_what_it_would_fetch_and_writes_nothing(place: Place) -> None:
    before = counted(place)
    said = place.junheng("refresh", "--dry-run", "--province", TIBET, "--since", "2024")
    assert said.exit_code == 0
    # Since 2025 all is known but April, whose platform was down.
    assert planned(said) == {
        "employment_monthly": (28, 13),
        "employment_annual": (2, 1),
        "health_quarterly": (9, 4),
        "health_annual": (2, 1),
        "education_school_year": (2, 1),
    }
    assert counted(place) == before


def test_a_sector_narrows(place: Place) -> None:
    said = place.junheng("refresh", "--dry-run", "--province", TIBET, "--sector", "health", "--since", "2024")
    assert {form: due for form, (due, _) in planned(said).items() if due} == {"health_quarterly": 9, "health_annual": 2}


def test_provinces_add_up(place: Place) -> None:
    said = place.junheng("refresh", "--dry-run", "--province", TIBET, "--province", HAINAN, "--since", "2024")
    assert planned(said)["health_annual"][0] == 4


def test_since_narrows(place: Place) -> None:
    said = place.junheng("refresh", "--dry-run", "--province", TIBET, "--since", "2026-02")
    assert {form: due for form, (due, _) in planned(said).items() if due} == {"employment_monthly": 3}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--sector", "farming"), "'farming' is not one of"),
        (("--province", "999999"), "none of the 31 province codes"),
        (("--since", "yesterday"), "write 2015, 2015-03 or 2015-03-01"),
        (("--harvest",), "No such option"),
    ],
)
def test_a_wrong_call_is_code_2_and_says_what_is_right(place: Place, options: tuple[str, ...], told: str) -> None:
    said = place.junheng("refresh", *options)
    assert said.exit_code == 2
    assert told in said.stderr


def test_a_second_refresh_at_the_same_time_is_refused(place: Place) -> None:
    before = counted(place)
    with only_refresh(place.home):
        said = place.junheng("refresh")
    assert said.exit_code == 1
    assert "another refresh is running" in said.stderr
    assert counted(place) == before


def test_without_an_address_it_is_said_how_to_give_one(place: Place) -> None:
    said = place.at(PLATFORM_URL="").junheng("refresh")
    assert said.exit_code == 1
    assert "JUNHENG_PLATFORM_URL" in said.stderr
    assert "junheng refresh --sandbox" in said.stderr


def test_a_wrong_variable_is_named_and_its_value_is_not(place: Place) -> None:
    said = place.at(PLATFORM_URL="ftp://secret.example").junheng("refresh")
    assert said.exit_code == 1
    assert "JUNHENG_PLATFORM_URL" in said.stderr
    assert "secret.example" not in said.stderr


def test_where_all_platforms_are_down_and_nothing_is_published_it_failed(place: Place) -> None:
    empty = place.sibling("all_down").at(PLATFORM_URL="http://127.0.0.1:9/{province}/{sector}")
    said = empty.junheng("refresh", "--sector", "education", "--province", HAINAN)
    assert said.exit_code == 1
    assert "none: nothing could be published" in said.stdout
    assert "WARNING" in said.stdout
    assert f"{HAINAN}/education" in said.stdout


def test_status_says_what_is_in_force_and_what_is_owed(place: Place) -> None:
    said = place.junheng("status")
    assert said.exit_code == 0
    assert "release    2 of 2026-05-16" in said.stdout
    assert "returns    health: 18 due, 18 arrived, 0 late, 0 failed, 1 with cells in quarantine" in said.stdout
    assert "***" in said.stdout.splitlines()[0]  # the owner's password is hidden


QUERY = (
    "select period_code, count(*) as regions from observation where region_level = 'province'"
    " and indicator_code = 'HLT_BEDS' and area_type = 'total' and period_code like '2025-Q%' group by 1 order by 1 limit 2"
)


def test_a_query_is_a_table(place: Place) -> None:
    said = place.junheng("query", QUERY)
    assert said.exit_code == 0, said.stderr
    assert said.stdout.splitlines() == [
        "period_code  regions", "-----------  -------", "2025-Q1      3", "2025-Q2      3"
    ]  # fmt: skip


def test_a_query_is_csv(place: Place) -> None:
    rows = list(csv.DictReader(io.StringIO(place.junheng("query", "--format", "csv", QUERY).stdout)))
    assert rows == [{"period_code": "2025-Q1", "regions": "3"}, {"period_code": "2025-Q2", "regions": "3"}]


def test_a_query_is_json(place: Place) -> None:
    rows = json.loads(place.junheng("query", "--format", "json", QUERY).stdout)
    assert rows == [{"period_code": "2025-Q1", "regions": 3}, {"period_code": "2025-Q2", "regions": 3}]


def test_a_query_says_that_there_are_more_rows(place: Place) -> None:
    said = place.junheng("query", "--limit", "2", "select region_code from observation order by 1")
    assert len(said.stdout.splitlines()) == 4
    assert "the first 2 rows; --limit shows more" in said.stderr


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("select nonsense from release", 'column "nonsense" does not exist'),
        ("selec 1", "syntax error"),
        ("delete from release", "permission denied"),
        ("create table mine (a int)", "read-only transaction"),
        ("select * from ops.refresh", "permission denied"),
        ("set role none", "rows"),
    ],
)
def test_a_query_that_is_refused_gives_the_reason(place: Place, statement: str, reason: str) -> None:
    said = place.junheng("query", statement)
    assert said.exit_code == 1
    assert reason in said.stderr
    assert "Traceback" not in said.stderr


def test_a_refused_query_changes_nothing(place: Place) -> None:
    before = counted(place)
    place.junheng("query", "with gone as (delete from ops.release returning 1) select * from gone")
    assert counted(place) == before


def test_every_form_has_a_line_in_the_log_file(place: Place) -> None:
    text = (place.home / "log" / "junheng.log").read_text(encoding="utf-8")
    assert [form for form in FORMS if f"collected {form}" not in text] == []


# --- releases ---


def test_releases_are_listed_with_where_each_stands(nights: Nights) -> None:
    said = nights.world.place.junheng("release", "list")
    assert said.exit_code == 0
    assert [line.split()[0] for line in said.stdout.splitlines()[2:]] == ["2", "1"]
    assert "in_force" in said.stdout


def test_a_release_is_shown_with_what_was_decided(nights: Nights) -> None:
    said = nights.world.place.junheng("release", "show", "2")
    assert said.exit_code == 0
    assert "status            in_force" in said.stdout
    assert "publish by policy" in said.stdout


def test_the_difference_of_two_releases_is_told_in_words_and_numbers(nights: Nights) -> None:
    said = nights.world.place.junheng("release", "diff", "1", "2")
    assert said.exit_code == 0
    first, second, *others = said.stdout.splitlines()
    assert first == "From release 1 to release 2"
    assert re.fullmatch(r"Reported figures: [\d,]+ new, [\d,]+ revised.*", second)
    assert any(line.startswith("Marts, by (indicator, period): ") for line in others)
    assert any(
        re.search(r"海南省 2025 \w+: [\d.,]+ -> [\d.,]+ \w+ \([+-][\d.]+%\) by 460000/health", line) for line in others
    )


def test_what_moved_an_index_between_two_releases_is_told_by_province(nights: Nights) -> None:
    asked = ("release", "attribute", "1", "2", "--indicator", "HLT_BEDS_PER_1000", "--period", "2024")
    said = nights.world.place.junheng(*asked)
    assert said.exit_code == 0
    first, second, *_ = said.stdout.splitlines()
    assert first.endswith("release 1 to release 2, all of it revision")
    assert second.startswith("CV², provinces as equals: ")
    told = json.loads(nights.world.place.junheng(*asked, "--json").stdout)
    assert [(each["measure"], each["weighting"]) for each in told["movements"]] == [
        ("cv_squared", "none"),
        ("theil_t", "none"),
        ("cv_squared", "population"),
        ("theil_t", "population"),
    ]


def test_an_indicator_that_is_not_compared_moves_no_index(nights: Nights) -> None:
    said = nights.world.place.junheng("release", "attribute", "1", "2", "--indicator", "GDP", "--period", "2024")
    assert said.exit_code == 2
    assert "GDP is not compared between places" in said.stderr


def test_findings_are_told_of_every_service(nights: Nights, tmp_path: Path) -> None:
    said = nights.world.place.junheng("findings", "--out", str(tmp_path / "findings.md"))
    assert said.exit_code == 0
    text = (tmp_path / "findings.md").read_text(encoding="utf-8")
    assert text == nights.world.place.junheng("findings").stdout
    committed = (Path(__file__).parents[2] / "docs" / "findings.md").read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        line for line in committed.splitlines() if line.startswith("#")
    ]


def test_a_release_that_is_none_is_named(nights: Nights) -> None:
    said = nights.world.place.junheng("release", "diff", "1", "9")
    assert said.exit_code == 1
    assert "there is no release 9; the newest is 2" in said.stderr


# --- as of ---


def test_a_query_as_of_a_day_shows_what_readers_saw_when_it_ended(nights: Nights) -> None:
    place, count = nights.world.place, "select count(*) from observation"
    now = place.junheng("query", count, "--format", "csv").stdout.split()[-1]
    then = place.junheng("query", "--as-of", "2026-04-30", count, "--format", "csv").stdout.split()[-1]
    before = place.junheng("query", "--as-of", "2026-04-18", count, "--format", "csv").stdout.split()[-1]
    assert int(now) > int(then) > int(before) == 0


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01"])
def test_a_day_that_is_none_is_refused(nights: Nights, text: str) -> None:
    said = nights.world.place.junheng("query", "--as-of", text, "select 1")
    assert said.exit_code == 2
    assert "write 2026-03-01" in said.stderr
