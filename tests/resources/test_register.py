"""The register of platforms is data, and says by key what is wrong with it."""

from pathlib import Path

import pytest

from resources.errors import RegisterError
from resources.platforms import load_register
from resources.platforms.register import REGISTER_FILE


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = REGISTER_FILE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "register.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("province", "sector", "transport", "auth"),
    [
        ("510000", "health", "download", "none"),
        ("330000", "health", "paged_json", "none"),
        ("440000", "health", "paged_json", "none"),
        ("310000", "health", "paged_json", "none"),
        ("500000", "health", "paged_json", "none"),
        ("330000", "education", "download", "none"),
        ("510000", "employment", "paged_json", "bearer"),
    ],
)
def test_each_platform_has_its_transport(province: str, sector: str, transport: str, auth: str):
    access = load_register().platform(province, sector).access
    assert (access.transport, access.auth) == (transport, auth)


def test_an_override_keeps_the_other_defaults_of_its_sector(tmp_path: Path):
    path = changed(
        tmp_path, '"310000":  # Shanghai\n    health: {transport: paged_json}', '"310000": {health: {page_size: 7}}'
    )
    access = load_register(path).platform("310000", "health").access
    assert (access.page_size, access.transport, access.concurrency) == (7, "download", 4)


def test_a_platform_at_its_own_address_ignores_the_template(tmp_path: Path):
    own = "health: {transport: paged_json, base_url: 'https://health.example.cn/api/'}"
    register = load_register(changed(tmp_path, "health: {transport: paged_json}", own))
    template = "http://usual/{province}/{sector}"
    assert register.platform("310000", "health").base_url(template) == "https://health.example.cn/api"
    assert register.platform("330000", "health").base_url(template) == "http://usual/330000/health"


def test_without_any_address_the_variable_is_named():
    with pytest.raises(RegisterError, match="JUNHENG_PLATFORM_URL"):
        load_register().platform("510000", "health").base_url(None)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("transport: paged_json", "transport: carrier_pigeon", "sectors.employment.transport"),
        ("page_size: 500", "page_size: many", "sectors.employment.page_size"),
        ("concurrency: 4", "concurency: 4", "sectors.employment.concurency"),
        ("{transport: paged_json}", "{transprot: paged_json}", "provinces.310000.health.transprot"),
        ("{transport: paged_json}", "{base_url: 'https://u:p@h/'}", "provinces.310000.health.base_url"),
        ('"310000"', '"31"', "provinces.31"),
        ("    health: {transport", "    heath: {transport", "provinces.310000.heath"),
        ("sectors:", "sectors: [", "cannot be read"),
    ],
)
def test_a_wrong_entry_is_named_by_file_and_key(tmp_path: Path, old: str, new: str, key: str):
    path = changed(tmp_path, old, new)
    with pytest.raises(RegisterError) as caught:
        load_register(path)
    assert str(path) in str(caught.value)
    assert key in str(caught.value)
