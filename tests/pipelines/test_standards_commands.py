"""``junheng standards list|check|set``: what is printed, written and refused."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from pipelines.definitions import build_definitions
from pipelines.settings import Settings
from tests.warehouse.local_standards import JINJIANG, PUPILS, SICHUAN, pupils, write
from warehouse.catalogue import load_catalogue, use_local_standards
from warehouse.errors import LocalStandardRefusedError


@pytest.fixture(autouse=True)
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("JUNHENG_NOW", "2026-11-24T10:00:00")
    monkeypatch.setenv("JUNHENG_LOCAL_STANDARDS", str(tmp_path / "office" / "local.csv"))
    return tmp_path / "office" / "local.csv"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["standards", *arguments])


def put(value: str, first: str, region: str = SICHUAN, *more: str) -> Result:
    asked = ("--region", region, "--indicator", PUPILS, "--value", value, "--from", first, "--document", "川教1号")
    return run("set", *asked, *more)


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def shown(*arguments: str) -> list[tuple[str, str, str]]:
    listed = json.loads(run("list", "--indicator", PUPILS, "--format", "json", *arguments).stdout)
    return [(row["for"], row["value"], row["document"]) for row in listed]


def test_a_step_is_written_to_a_file_that_is_made_and_the_one_before_ends(file: Path) -> None:
    assert put("18", "2025-09-01").exit_code == 0
    said = put("17", "2026-09-01")
    assert said.exit_code == 0
    assert "10001 (<= 18) now ends on 2026-08-31" in said.output
    assert [(row["standard_key"], row["value"], row["valid_to"]) for row in rows(file)] == [
        ("10001", "18", "2026-08-31"),
        ("10002", "17", ""),
    ]
    assert [path.name for path in file.parent.iterdir()] == ["local.csv"]


def test_a_step_of_another_place_or_area_type_ends_nothing(file: Path) -> None:
    put("18", "2025-09-01")
    put("17", "2026-09-01", JINJIANG)
    put("16", "2026-09-01", SICHUAN, "--area", "rural")
    assert [row["valid_to"] for row in rows(file)] == ["", "", ""]


def test_what_is_under_the_national_floor_is_refused_and_not_written(file: Path) -> None:
    put("18", "2025-09-01")
    before = file.read_bytes()
    said = put("20", "2026-09-01")
    assert said.exit_code == 1
    assert "local.csv, line 3, column value: 四川省 (510000) sets EDU_PRIMARY_PUPILS_PER_TEACHER <= 20" in said.output
    assert "national floor <= 19 (unified urban-rural staffing standard of 2014) in force on 2026-09-01" in said.output
    assert file.read_bytes() == before


def test_without_a_file_named_nothing_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUNHENG_LOCAL_STANDARDS")
    said = put("18", "2025-09-01")
    assert said.exit_code == 1
    assert "set JUNHENG_LOCAL_STANDARDS" in said.output


def test_an_unknown_indicator_is_a_wrong_call() -> None:
    said = run(
        "set", "--region", SICHUAN, "--indicator", "EDU", "--value", "1", "--from", "2025-09-01", "--document", "x"
    )
    assert said.exit_code == 2


def test_what_applies_to_a_place_is_listed(file: Path) -> None:
    put("18", "2025-09-01")
    put("17", "2025-09-01", JINJIANG)
    national = ("national", "<= 19", "unified urban-rural staffing standard of 2014")
    province, county = ("510000 四川省", "<= 18", "川教1号"), ("510104 锦江区", "<= 17", "川教1号")
    assert shown("--region", JINJIANG) == [national, province, county]
    assert shown("--region", SICHUAN) == [national, province]
    assert shown("--region", "520000") == [national]
    assert shown("--region", JINJIANG, "--day", "2025-08-31") == [national]
    assert shown("--day", "2010-01-01") == []


def test_a_good_file_is_told_and_a_bad_one_refused(tmp_path: Path) -> None:
    good = run("check", str(write(tmp_path / "good.csv", pupils(18), pupils(17, region_code=JINJIANG))))
    assert (good.exit_code, good.output) == (0, "good.csv: 2 local standards, none of them under a national floor\n")
    bad = run("check", str(write(tmp_path / "bad.csv", pupils(18), pupils(20, region_code=JINJIANG))))
    assert bad.exit_code == 1
    assert "bad.csv, line 3, column value: 锦江区 (510104) sets" in bad.output


def test_a_refresh_computes_with_the_file_of_the_settings_and_refuses_a_bad_one(file: Path) -> None:
    file.parent.mkdir()
    try:
        build_definitions(Settings.model_validate({"local_standards": write(file, pupils(18))}))
        assert load_catalogue().standards[-1].value == 18
        with pytest.raises(LocalStandardRefusedError):
            build_definitions(Settings.model_validate({"local_standards": write(file, pupils(20))}))
        build_definitions(Settings.model_validate({"local_standards": None}))
    finally:
        use_local_standards(None)
    assert load_catalogue().standards[-1].region_code in (None, "000000")
