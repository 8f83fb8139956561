"""The register of platforms is data, and says by file and key what is wrong with it."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from resources.errors import PlatformRefused, RegisterError
from resources.platforms import PlatformClient, load_register
from resources.platforms.register import REGISTER_FOLDER, merge_keys
from warehouse.catalogue import load_catalogue


def changed(tmp_path: Path, file: str, old: str, new: str) -> Path:
    """A copy of the register with one thing written otherwise."""
    for path in REGISTER_FOLDER.glob("*.yaml"):
        shutil.copy(path, tmp_path)
    text = (tmp_path / file).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("province", "sector", "transport", "auth"),
    [
        ("510000", "health", "listing", "none"),
        ("330000", "health", "paged_json", "none"),
        ("440000", "health", "paged_json", "none"),
        ("310000", "health", "paged_json", "none"),
        ("500000", "health", "paged_json", "none"),
        ("330000", "education", "listing", "none"),
        ("510000", "employment", "paged_json", "bearer"),
        ("000000", "portal", "nbs_esdata", "none"),
    ],
)
def test_each_platform_has_its_transport(province: str, sector: str, transport: str, auth: str):
    access = load_register().platform(province, sector).access
    assert (access.transport, access.auth.kind) == (transport, auth)


def test_there_are_31_platforms_a_sector_and_the_portal():
    platforms = load_register().platforms()
    assert Counter(platform.sector for platform in platforms) == {
        "employment": 31, "education": 31, "health": 31, "portal": 1,
    }  # fmt: skip
    assert len({platform.name for platform in platforms}) == 94


def test_an_override_keeps_the_other_defaults_of_its_sector_key_by_key(tmp_path: Path):
    new = '"310000": {timeouts: {read: 7}, paging: {page_size: 9}}'
    folder = changed(tmp_path, "health.yaml", '"310000": {transport: paged_json}', new)
    access = load_register(folder).platform("310000", "health").access
    assert (access.timeouts.read, access.timeouts.connect) == (7, 2)
    assert (access.transport, access.paging.page_size) == ("listing", 9)


def test_a_list_of_an_override_replaces_that_of_the_defaults():
    assert merge_keys({"layouts": ["a", "b"], "pace": {"x": 1, "y": 2}}, {"layouts": ["c"], "pace": {"y": 3}}) == {
        "layouts": ["c"],
        "pace": {"x": 1, "y": 3},
    }


def test_a_platform_can_have_a_calendar_of_its_own(tmp_path: Path):
    new = '"310000": {calendar: {health_annual: {due_day: 10, open_days: 400}}}'
    register = load_register(changed(tmp_path, "health.yaml", '"310000": {transport: paged_json}', new))
    form = load_catalogue().forms["health_annual"]
    own, usual = register.platform("310000", "health"), register.platform("330000", "health")
    assert (own.due_rule(form).due_months, own.due_rule(form).due_day, own.open_days("health_annual")) == (3, 10, 400)
    assert (usual.due_rule(form), usual.open_days("health_annual")) == (form, None)


def test_a_platform_at_its_own_address_ignores_the_template(tmp_path: Path):
    own = "{transport: paged_json, base_url: 'https://health.example.cn/{province}/api/'}"
    register = load_register(changed(tmp_path, "health.yaml", "{transport: paged_json}", own))
    template = "http://usual/{province}/{sector}"
    assert register.platform("310000", "health").base_url(template) == "https://health.example.cn/310000/api"
    assert register.platform("330000", "health").base_url(template) == "http://usual/330000/health"


def test_without_any_address_the_variable_is_named():
    with pytest.raises(RegisterError, match="JUNHENG_PLATFORM_URL"):
        load_register().platform("510000", "health").base_url(None)


def test_the_template_is_no_address_of_the_portal():
    assert load_register().platform("000000", "portal").address("http://usual/{province}/{sector}") is None


def test_a_platform_that_is_not_configured_refuses_by_name():
    with (
        PlatformClient(load_register(), None) as client,
        pytest.raises(
            PlatformRefused, match=r"510000/health: has no address: set its base_url in health\.yaml"
        ) as caught,
    ):
        client.list_returns("510000", "health")
    assert caught.value.kind == "not_configured"


@pytest.mark.parametrize(
    ("file", "old", "new", "key"),
    [
        ("employment.yaml", "transport: paged_json", "transport: carrier_pigeon", "defaults.transport"),
        ("employment.yaml", "page_size: 500", "page_size: many", "defaults.paging.page_size"),
        ("employment.yaml", "concurrency: 4", "concurency: 4", "defaults.pace.concurency"),
        ("employment.yaml", "id_from: JUNHENG_CLIENT_ID", "id_from: s3cret", "defaults.auth.id_from"),
        ("employment.yaml", "kind: bearer", "kind: client_certificate", "defaults.auth: "),
        ("health.yaml", "{transport: paged_json}", "{transprot: paged_json}", "provinces.310000.transprot"),
        ("health.yaml", "{transport: paged_json}", "{base_url: 'https://u:p@h/'}", "provinces.310000.base_url"),
        ("health.yaml", "{transport: paged_json}", "{base_url: 'ftp://h/'}", "provinces.310000: "),
        ("health.yaml", "{transport: paged_json}", "{headers: {Cookie: a}}", "provinces.310000.headers"),
        ("health.yaml", "{transport: paged_json}", "{calendar: {a: {due_day: 32}}}", "calendar.a.due_day"),
        ("health.yaml", '"310000"', '"31"', "provinces.31"),
        ("health.yaml", "sector: health", "sector: heath", "sector"),
        ("health.yaml", "sector: health", "sector: education", "is told in education.yaml already"),
        ("health.yaml", "sector: health", "sector: [", "cannot be read"),
    ],
)
def test_a_wrong_entry_is_named_by_file_and_key(tmp_path: Path, file: str, old: str, new: str, key: str):
    folder = changed(tmp_path, file, old, new)
    with pytest.raises(RegisterError) as caught:
        load_register(folder)
    assert str(tmp_path / file) in str(caught.value)
    assert key in str(caught.value)


def test_what_somebody_wrote_in_the_place_of_a_name_is_not_repeated(tmp_path: Path):
    folder = changed(tmp_path, "employment.yaml", "secret_from: JUNHENG_CLIENT_SECRET", "secret_from: hunter2")
    with pytest.raises(RegisterError) as caught:
        load_register(folder)
    assert "hunter2" not in str(caught.value)


def test_an_empty_folder_is_no_register(tmp_path: Path):
    with pytest.raises(RegisterError, match="holds no"):
        load_register(tmp_path)


def test_the_portal_has_the_address_that_the_environment_gives():
    register = load_register(portal_url="https://portal.example.cn/external")
    assert register.platform("000000", "portal").base_url(None) == "https://portal.example.cn/external"
    assert register.platform("510000", "health").address(None) is None


def test_without_an_address_the_portal_s_variable_is_named():
    with pytest.raises(RegisterError, match="JUNHENG_PORTAL_URL"):
        load_register().platform("000000", "portal").base_url("http://usual/{province}/{sector}")
