"""The units of a server start what ``junheng ui`` starts, and nothing secret stands in their example."""

import configparser
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from pipelines import serving
from pipelines.settings import SettingsError
from tests.docs.reading import ROOT, read

UNITS = sorted((ROOT / "deploy").glob("*.service"))


def unit(path: Path) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment]
    parser.read_string(read(path))
    return parser["Service"]


def served_commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What ``junheng ui`` would start, programs and files without their folders."""
    started: list[list[str]] = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_: started.append(command))
    serving._start("127.0.0.1", 3000)
    return [[Path(word).name if "/" in word else word for word in command] for command in started]


def test_units_start_what_the_ui_starts(monkeypatch):
    prefix = "/opt/junheng/.venv/bin/python -m deploy.service "
    lines = [unit(path)["ExecStart"] for path in UNITS]
    assert all(line.startswith(prefix) for line in lines)
    commands = [shlex.split(line.removeprefix(prefix)) for line in lines]
    shown = [[Path(word).name if "/" in word else word for word in command] for command in commands]
    assert sorted(shown) == sorted(served_commands(monkeypatch))


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_share_user_folder_and_environment(path):
    settings = unit(path)
    assert (settings["User"], settings["WorkingDirectory"]) == ("junheng", "/opt/junheng")
    assert settings["EnvironmentFile"] == "/etc/junheng/junheng.env"
    example = read(ROOT / "deploy" / "junheng.env.example")
    home = re.search(r"^JUNHENG_HOME=(.+)$", example, re.MULTILINE)[1]
    assert settings["ReadWritePaths"] == home == f"/var/lib/{settings['StateDirectory']}"


def test_the_example_holds_no_secret():
    example = read(ROOT / "deploy" / "junheng.env.example")
    assert re.search(r"^JUNHENG_CLIENT_SECRET=$", example, re.MULTILINE)
    assert set(re.findall(r"://\w+:([^@]+)@", example)) == {"PASSWORD"}


def test_a_service_says_what_is_wrong_instead_of_starting(monkeypatch):
    from deploy import service

    def refuse() -> None:
        raise SettingsError("the environment cannot be used: JUNHENG_THREADS: too many")

    monkeypatch.setattr(service, "prepare", refuse)
    with pytest.raises(SystemExit, match="JUNHENG_THREADS"):
        service.main(["dagster-daemon", "run"])
