"""What the environment may say, and how it is told that it is wrong."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.settings import SHANGHAI, Settings, SettingsError


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch, tmp_path):
    import os

    for name in [name for name in os.environ if name.startswith("JUNHENG_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_nothing_needs_to_be_set(tmp_path: Path):
    settings = Settings.load()
    assert settings.home == tmp_path / "var"
    assert settings.warehouse_url is None
    assert settings.platform_url is None
    assert settings.operator_name


def test_an_empty_variable_is_not_set(monkeypatch):
    monkeypatch.setenv("JUNHENG_WAREHOUSE_URL", "")
    assert Settings.load().warehouse_url is None


@pytest.mark.parametrize(
    ("text", "day"),
    [("2015", date(2015, 1, 1)), ("2015-03", date(2015, 3, 1)), ("2015-03-04", date(2015, 3, 4))],
)
def test_since_may_be_a_year_a_month_or_a_day(monkeypatch, text: str, day: date):
    monkeypatch.setenv("JUNHENG_SINCE", text)
    assert Settings.load().since == day


@pytest.mark.parametrize("text", ["2026-11-24T02:00:00", "2026-11-23T18:00:00Z", "2026-11-24T02:00:00+08:00"])
def test_the_clock_can_be_set_and_is_that_of_shanghai(monkeypatch, text: str):
    monkeypatch.setenv("JUNHENG_NOW", text)
    assert Settings.load().clock() == datetime(2026, 11, 24, 2, tzinfo=SHANGHAI)
    assert Settings.load().clock().utcoffset() == timedelta(hours=8)


def test_the_clock_runs_where_it_is_not_set():
    assert abs(Settings.load().clock() - datetime.now(SHANGHAI)) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JUNHENG_SINCE", "last year"),
        ("JUNHENG_NOW", "noon"),
        ("JUNHENG_THREADS", "0"),
        ("JUNHENG_LOG_LEVEL", "loud"),
        ("JUNHENG_PLATFORM_URL", "http://localhost/{province}"),
        ("JUNHENG_PLATFORM_URL", "file:///{province}/{sector}"),
    ],
)
def test_a_wrong_value_is_named_by_its_variable(monkeypatch, name: str, value: str):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        Settings.load()


def test_secrets_are_not_shown(monkeypatch):
    monkeypatch.setenv("JUNHENG_WAREHOUSE_URL", "postgresql://u:hidden@h/d")
    monkeypatch.setenv("JUNHENG_DAGSTER_URL", "postgresql://u:hidden@h/e")
    monkeypatch.setenv("JUNHENG_CLIENT_SECRET", "hidden")
    settings = Settings.load()
    assert "hidden" not in repr(settings) + str(settings) + settings.model_dump_json()
    monkeypatch.setenv("JUNHENG_THREADS", "hidden")
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    assert "hidden" not in str(caught.value)
