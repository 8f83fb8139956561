"""What a person is told before platforms are asked (checks), and of how they answer (probes)."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from resources.platforms import PlatformClient, load_register
from resources.platforms.checking import check_register
from resources.platforms.probing import Probe, ProbeHistory, probe_platform, probe_platforms
from tests.resources.platform_servers import FETCHED, FILE, LISTING, Server, ok, register_of, row, serving

TEMPLATE = "http://127.0.0.1:1/{province}/{sector}"
CREDENTIALS = {"JUNHENG_CLIENT_ID": "junheng", "JUNHENG_CLIENT_SECRET": "s3cret"}


def told(tmp_path: Path, variables: dict[str, str], **keys: object) -> list[str]:
    """What is to be done for one platform with ``keys``."""
    platform = register_of(tmp_path, **keys).platform("510000", "health")
    return [
        f"{each.file}: {each.key}: {each.what}"
        for each in check_register([platform], TEMPLATE, variables, layouts={"health_table"})
    ]


def test_the_register_that_is_delivered_lacks_only_the_credentials():
    problems = check_register(load_register().platforms(), TEMPLATE, {})
    assert [(each.what, len(each.platforms)) for each in problems] == [
        ("set the environment variable JUNHENG_CLIENT_ID", 31),
        ("set the environment variable JUNHENG_CLIENT_SECRET", 31),
    ]
    assert check_register(load_register().platforms(), TEMPLATE, CREDENTIALS) == []


def test_what_is_not_configured_needs_no_variables():
    assert check_register(load_register().platforms(), None, {}) == []


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"hooks": "nobody_wrote_it"}, "hooks: there is no file resources/platforms/hooks/nobody_wrote_it.py"),
        ({"calendar": {"employment_annual": {"due_day": 1}}}, "calendar: the sector has no form employment_annual"),
        ({"layouts": ["health_tabel"]}, "layouts: there is no layout health_tabel"),
        ({"options": {"tables": 1}}, "options: its transport has no options"),
        (
            {"transport": "nbs_esdata", "base_url": "https://data.example.cn/external"},
            "options: options.catalogues: Field required",
        ),
        ({"ca_file_from": "OFFICE_CA"}, "ca_file_from: set the environment variable OFFICE_CA"),
        ({"ca_file_from": "NO_FILE"}, "ca_file_from: the file that NO_FILE names cannot be read"),
        (
            {"auth": {"kind": "client_certificate", "certificate_from": "NO_FILE", "key_from": "NO_FILE"}},
            "auth: the file that NO_FILE names cannot be read",
        ),
    ],
    ids=["hooks", "calendar", "layouts", "no options", "portal", "variable", "authority", "certificate"],
)
def test_what_is_to_be_done_is_told_by_file_and_key(tmp_path: Path, keys: dict[str, object], reason: str):
    problems = told(tmp_path, {"NO_FILE": "/nowhere/s3cret.pem"}, **keys)
    assert problems
    assert problems[0].startswith(f"health.yaml: {reason}")
    assert "s3cret" not in str(problems)


def test_a_platform_with_all_it_needs_has_nothing_to_do(tmp_path: Path):
    file = tmp_path / "authority.pem"
    file.write_text("a certificate")
    keys = {"ca_file_from": "OFFICE_CA", "hooks": "pinyin_listing", "layouts": ["health_table"]}
    assert told(tmp_path, {"OFFICE_CA": str(file)}, calendar={"health_annual": {"due_day": 1}}, **keys) == []


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


@pytest.fixture
def client(server: Server) -> Iterator[PlatformClient]:
    with PlatformClient(load_register(), server.template, "junheng", "s3cret", clock=lambda: FETCHED) as made:
        yield made


def probed(client: PlatformClient, sector: str = "health") -> list[tuple[str, str]]:
    platform = load_register().platform("510000", sector)
    return [(each.endpoint, each.result) for each in probe_platform(client, platform)]


def test_a_probe_asks_each_endpoint_once_and_sends_for_no_file_it_knows(server: Server, client: PlatformClient):
    server.answers[LISTING] = ok({"total": 1, "rows": [row()]})
    server.answers[FILE] = (304, {}, b"")
    assert probed(client) == [("listing", "ok"), ("return", "ok")]
    assert server.requests[1][1]["If-None-Match"] == '"abc"'
    assert server.asked() == {LISTING: 1, FILE: 1}


def test_a_platform_with_tokens_is_asked_for_one_first(server: Server, client: PlatformClient):
    server.answers["/510000/employment/token"] = ok({"access_token": "t", "expires_in": 60})
    server.answers["/510000/employment/returns"] = ok({"total": 0, "rows": []})
    assert probed(client, "employment") == [("token", "ok"), ("listing", "ok")]


def test_a_probe_names_the_trouble_and_asks_no_further(server: Server, client: PlatformClient):
    server.answers[LISTING] = (503, {"Retry-After": "1"}, b"")
    assert probed(client) == [("listing", "unavailable")]
    assert server.asked() == {LISTING: 1}


def test_probes_of_many_come_in_their_order(server: Server, client: PlatformClient):
    platforms = [load_register().platform(f"{number}0000", "health") for number in (51, 11, 31)]
    for platform in platforms:
        server.answers[f"/{platform.province}/health/returns"] = ok({"total": 0, "rows": []})
    assert [each.platform for each in probe_platforms(client, platforms)] == [each.name for each in platforms]


def test_since_is_the_first_probe_from_which_on_the_result_was_the_same(tmp_path: Path):
    history = ProbeHistory(tmp_path / "home" / "probes.jsonl")

    def add(hour: int, result: str) -> str:
        at = (datetime(2026, 11, 24) + timedelta(hours=hour)).isoformat()
        (dated,) = history.add([Probe(at, "510000/health", "listing", result, 5, "", "")])
        return dated.since

    results = ["ok", "ok", "unavailable", "unavailable", "timed_out", "ok"]
    assert [add(hour, result)[11:13] for hour, result in enumerate(results)] == ["00", "00", "02", "02", "04", "05"]
    lines = (tmp_path / "home" / "probes.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["result"] for line in lines] == results


def test_a_line_that_was_half_written_is_passed_over(tmp_path: Path):
    file = tmp_path / "probes.jsonl"
    history = ProbeHistory(file)
    first = Probe("2026-11-24T00:00:00", "510000/health", "listing", "ok", 5, "", "")
    history.add([first])
    with file.open("a") as lines:
        lines.write('{"at": "2026\n[]\n{"other": 1}\n')
    (dated,) = history.add([replace(first, at="2026-11-25T00:00:00")])
    assert dated.since == "2026-11-24T00:00:00"


def test_a_long_history_is_begun_anew_and_since_stays_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    history = ProbeHistory(tmp_path / "probes.jsonl")
    probe = Probe("2026-11-24T00:00:00", "510000/health", "listing", "ok", 5, "", "")
    for day in range(24, 29):
        history.add([replace(probe, at=f"2026-11-{day}T00:00:00")])
    monkeypatch.setattr("resources.platforms.probing.MOST_BYTES", 1)
    (dated,) = history.add([replace(probe, at="2026-11-30T00:00:00")])
    assert dated.since == "2026-11-24T00:00:00"
    assert len((tmp_path / "probes.jsonl").read_text().splitlines()) == 2
