"""Layout files: what is loaded, and the errors of wrong ones."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
import yaml

from returns.errors import LayoutError
from returns.layouts import FOLDER, load_layouts
from tests.returns.samples import CATALOGUE

GOOD = yaml.safe_load((FOLDER / "health_table.yaml").read_text(encoding="utf-8"))


def write(folder: Path, name: str = "one.yaml", **changes: object) -> Path:
    data = {key: value for key, value in (GOOD | changes).items() if value is not ...}
    (folder / name).write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return folder


@pytest.mark.parametrize("form", sorted(CATALOGUE.forms))
def test_every_form_has_a_layout_for_its_carriers(form):
    carriers = {
        "employment": ["json_pages"],
        "education": ["workbook"],
        "health": ["workbook", "csv", "json_pages"],
    }[CATALOGUE.forms[form].sector]
    day = datetime.date(2024, 12, 31)
    for carrier in carriers:
        assert sum(layout.covers(form, carrier, day) for layout in load_layouts()) == 1


def test_every_alias_names_an_indicator():
    for layout in load_layouts():
        assert {code.partition("@")[0] for code in layout.aliases.values()} <= set(CATALOGUE.indicators)
        assert set(layout.units) | set(layout.owed) <= set(CATALOGUE.indicators)


def test_a_layout_holds_within_its_validity(tmp_path):
    (layout,) = load_layouts(write(tmp_path, valid_from="2020-01-01", valid_to="2021-12-31"))
    years = (2019, 2020, 2021, 2022)
    assert [layout.covers("health_annual", "csv", datetime.date(year, 12, 31)) for year in years] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"description": ...}, "description"),
        ({"carriers": ["fax"]}, "carriers.0"),
        ({"anchor": {"code": ""}}, "anchor.code"),
        ({"aliases": {"床位": "beds"}}, "aliases.床位"),
        ({"title": "(?P<place>.+"}, "title"),
        ({"colour": "red"}, "colour"),
        ({"dash": "maybe"}, "dash"),
    ],
)
def test_a_wrong_layout_names_file_and_key(tmp_path, changes, key):
    with pytest.raises(LayoutError, match=r"one\.yaml") as caught:
        load_layouts(write(tmp_path, **changes))
    assert (caught.value.file, caught.value.key) == ("one.yaml", key)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"title": "(?P<place>.+)"}, "no group form, period"),
        ({"caption": "单位.+"}, "no group units"),
        ({"header": ["area", "name"]}, "begins with name"),
        ({"header": ["name", "area", "area"]}, "each kind of row"),
        ({"anchor": {"indicator": "指标"}}, "neither code nor name"),
        ({"indicator": "row"}, "the anchor has no indicator"),
        ({"period": "row"}, "the anchor has no period"),
        ({"period": "column"}, "no header row is period"),
        ({"indicator": "file_name"}, "file_name has no group indicator"),
        ({"indicator": "row", "anchor": {"code": "代码", "indicator": "指标"}}, "figures must name"),
        ({"areas": {"total": ["合计"], "urban": ["合计"], "rural": ["农村"]}}, "two area types"),
    ],
)
def test_a_layout_that_contradicts_itself_says_so(tmp_path, changes, reason):
    with pytest.raises(LayoutError, match=reason):
        load_layouts(write(tmp_path, **changes))


def test_one_version_stands_in_one_file(tmp_path):
    write(tmp_path, "two.yaml")
    with pytest.raises(LayoutError, match=r"stands already in one\.yaml"):
        load_layouts(write(tmp_path, "one.yaml"))


def test_a_file_that_is_no_yaml_is_named(tmp_path):
    (tmp_path / "bad.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(LayoutError, match=r"bad\.yaml.*no YAML"):
        load_layouts(tmp_path)
