"""``junheng archive``, as a person types it."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from resources.archive import Archive
from tests.resources.test_archive import CONTENT, SHA256, entry


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUNHENG_HOME", str(tmp_path))
    archive = Archive(tmp_path / "archive")
    archive.put_many([CONTENT, b"second\x1b[2J"])
    second = entry(archive.put(b"second\x1b[2J"), 10, sequence=2, file_name="二\x1b.xlsx")
    archive.append_manifest([entry(), second])
    return tmp_path


def junheng(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["archive", *map(str, arguments)])


def test_a_sound_archive_is_told(home: Path) -> None:
    said = junheng("verify")
    assert said.exit_code == 0
    assert said.stdout.startswith("2 objects of ")
    assert said.stdout.endswith("sound\n")


def test_spoiled_and_lost_bytes_are_named_with_what_to_do(home: Path) -> None:
    Archive(home / "archive").path(SHA256).write_bytes(b"x" * len(CONTENT))
    said = junheng("verify")
    assert (said.exit_code, f"CORRUPT  {SHA256}: restore" in said.stderr) == (1, True)
    Archive(home / "archive").path(SHA256).unlink()
    assert f"MISSING  {SHA256}" in junheng("verify").stderr


def test_deliveries_are_listed_newest_first(home: Path) -> None:
    lines = junheng("list", "--platform", "510000/health").stdout.splitlines()
    assert [line.split()[4] for line in lines[2:]] == ["2", "1"]
    assert "\x1b" not in "".join(lines)
    assert junheng("list", "--form", "health_quarterly").stdout.splitlines()[2:] == []


def test_receipts_are_printed_from_the_manifests_alone(home: Path) -> None:
    frame = pd.read_csv(io.StringIO(junheng("receipts").stdout))
    assert frame["sequence"].tolist() == [1, 2]
    assert frame["sha256"][0] == SHA256
    assert frame["recorded_at"][0] == "2026-11-24T02:00:00+08:00"


@pytest.mark.parametrize("what", [SHA256, SHA256[:8], "510000/health/health_annual/2024#1"])
def test_one_delivery_is_shown_and_saved(home: Path, what: str) -> None:
    said = junheng("show", what, "--save", home / "out.xlsx")
    assert f"sha256  {SHA256}" in said.stdout
    assert (home / "out.xlsx").read_bytes() == CONTENT


def test_of_a_return_the_last_delivery_is_shown(home: Path) -> None:
    said = junheng("show", "510000/health/health_annual/2024")
    assert r"b'second\x1b[2J'" in said.stdout
    assert "\x1b" not in said.stdout


def test_a_file_is_never_overwritten(home: Path) -> None:
    (home / "out.xlsx").write_bytes(b"mine")
    said = junheng("show", SHA256, "--save", home / "out.xlsx")
    assert said.exit_code == 1
    assert (home / "out.xlsx").read_bytes() == b"mine"


@pytest.mark.parametrize(("what", "told"), [("zz", "no object"), ("", "2 objects"), ("1/2/3/4", "no delivery")])
def test_what_is_not_one_thing_is_refused(home: Path, what: str, told: str) -> None:
    said = junheng("show", what)
    assert (said.exit_code, told in said.stderr) == (1, True)


def test_nothing_is_ever_given_up(home: Path) -> None:
    Archive(home / "archive").put(b"of a killed refresh")
    assert junheng("gc").exit_code == 2
    assert junheng("gc", "--dry-run").stdout.startswith("1 objects that no manifest names, 19 bytes, the oldest")
    assert Archive(home / "archive").verify().objects == 3
