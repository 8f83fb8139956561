"""``junheng platforms list|check|probe``: what is printed, kept, and with which exit code."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipelines.commands.platforms import platforms
from tests.resources.platform_servers import FILE, LISTING, XLSX, Server, ok, row, serving


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PLATFORM_URL", "CLIENT_ID", "CLIENT_SECRET", "WAREHOUSE_URL", "SINCE"):
        monkeypatch.delenv(f"JUNHENG_{name}", raising=False)
    monkeypatch.setenv("JUNHENG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JUNHENG_NOW", "2026-11-24T10:00:00")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(platforms, list(arguments))


def test_all_94_are_listed_with_how_they_are_asked() -> None:
    listed = json.loads(run("list", "--format", "json").stdout)
    assert len(listed) == 94
    by_name = {each["platform"]: each for each in listed}
    assert by_name["510000/employment"] == {
        "platform": "510000/employment", "transport": "paged_json", "auth": "bearer", "address": "not configured",
        "calendar": "employment_monthly +1 months day 15; employment_annual +3 months day 31", "contact": "",
    }  # fmt: skip
    assert by_name["000000/portal"]["address"] == "not configured"


def test_with_an_address_each_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNHENG_PLATFORM_URL", "https://gateway.example.cn/{province}/{sector}")
    rows = list(csv.DictReader(io.StringIO(run("list", "--province", "510000", "--format", "csv").stdout)))
    assert [each["address"].rpartition(".cn")[2] for each in rows] == [
        "/510000/employment", "/510000/education", "/510000/health",
    ]  # fmt: skip
    assert len(run("list", "--sector", "health").stdout.splitlines()) == 2 + 31


def test_a_province_that_does_not_exist_is_a_wrong_call() -> None:
    said = run("list", "--province", "990000")
    assert said.exit_code == 2
    assert "no platform of a province 990000" in said.output


def test_a_check_without_addresses_has_nothing_to_do_and_says_how_to_get_one() -> None:
    said = run("check")
    assert said.exit_code == 0
    assert "94 platforms, 0 things to do, 94 not configured" in said.output
    assert "JUNHENG_PLATFORM_URL" in said.output


def test_a_check_fails_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNHENG_PLATFORM_URL", "https://gateway.example.cn/{province}/{sector}")
    monkeypatch.setenv("JUNHENG_CLIENT_ID", "junheng")
    said = run("check")
    assert said.exit_code == 1
    assert (
        "employment.yaml: auth: set the environment variable JUNHENG_CLIENT_SECRET "
        "(for 110000/employment, 120000/employment, 130000/employment and 28 more)"
    ) in said.output
    (problem,) = json.loads(run("check", "--format", "json").stdout)
    assert (problem["file"], problem["key"], len(problem["platforms"].split())) == ("employment.yaml", "auth", 31)


def test_a_probe_tells_what_works_since_when_and_keeps_it(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JUNHENG_PLATFORM_URL", server.template)
    server.answers[LISTING] = ok({"total": 1, "rows": [row()]})
    said = run("probe", "--sector", "health", "--province", "510000", "--province", "110000", "--format", "json")
    assert said.exit_code == 0, said.output
    assert [(each["platform"], each["endpoint"], each["result"]) for each in json.loads(said.stdout)] == [
        ("110000/health", "listing", "refused"), ("510000/health", "listing", "ok"), ("510000/health", "return", "refused"),
    ]  # fmt: skip
    monkeypatch.setenv("JUNHENG_NOW", "2026-11-25T10:00:00")
    again = json.loads(run("probe", "--sector", "health", "--province", "510000", "--format", "json").stdout)
    assert [each["since"] for each in again] == ["2026-11-24T10:00:00+08:00"] * 2
    assert len((tmp_path / "home" / "probes.jsonl").read_text(encoding="utf-8").splitlines()) == 5


def test_a_probe_ends_with_how_many_answer_well(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUNHENG_PLATFORM_URL", server.template)
    server.answers[LISTING] = ok({"total": 0, "rows": []})
    said = run("probe", "--sector", "health", "--sector", "portal", "--province", "510000", "--province", "000000")
    assert said.stdout.splitlines()[-1] == "1 of 1 platforms answer well; 1 not configured"


@pytest.fixture
def offering(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Sichuan's health platform with two returns, one of them under a name that points elsewhere."""
    monkeypatch.setenv("JUNHENG_PLATFORM_URL", server.template)
    hostile = row("health_annual-2023", period="2023", file_name="../../etc/四川省2023年.xlsx")
    server.answers[LISTING] = ok({"total": 2, "rows": [row(), hostile]})
    server.answers[FILE] = server.answers[f"{LISTING}/health_annual-2023"] = (
        200,
        {"Content-Type": XLSX},
        b"PK\x03\x04 bytes",
    )
    return server


def test_what_a_platform_offers_is_fetched_into_files(offering: Server, tmp_path: Path) -> None:
    said = run("fetch", "510000/health", "--into", str(tmp_path / "out"))
    assert said.exit_code == 0, said.output
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["_.._etc_四川省2023年.xlsx", "四川省2024年.xlsx"]  # no name leads out of the folder
    assert (tmp_path / "out" / "四川省2024年.xlsx").read_bytes() == b"PK\x03\x04 bytes"


def test_no_file_that_is_there_is_overwritten(offering: Server, tmp_path: Path) -> None:
    (tmp_path / "四川省2024年.xlsx").write_bytes(b"mine")
    said = run("fetch", "510000/health", "--period", "2024", "--into", str(tmp_path))
    assert (said.exit_code, "is not overwritten" in said.output) == (1, True)
    assert (tmp_path / "四川省2024年.xlsx").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [(["510000/health", "--form", "health_quarterly"], 1, "offers nothing"), (["510000/fire"], 2, "is no platform")],
)
def test_what_cannot_be_fetched_is_said(offering: Server, arguments: list[str], code: int, told: str) -> None:
    said = run("fetch", *arguments)
    assert (said.exit_code, told in said.output) == (code, True)
