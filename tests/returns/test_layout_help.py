"""Help for whoever describes a table: drafts of layouts, and files held against layouts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from returns import Arrival, read_returns
from returns.carriers import Grid, read_grid
from returns.identifying import Identity, Unidentified, identify
from returns.layouts import Layout, load_layouts
from returns.layouts.comparing import Comparison, compare_headers
from returns.layouts.drafting import NoTableFound, draft_layout
from returns.layouts.matching import Expected
from tests.returns.samples import CATALOGUE, Return, as_csv, as_pages, as_workbook, make_return
from tests.returns.test_layout_files import FILES, FOLDER


def grid_of(content: bytes) -> Grid:
    grid = read_grid(content)
    assert isinstance(grid, Grid)
    return grid


# --- drafts ---

TABLES = [path for path in FILES if path.suffix in (".xlsx", ".csv")]


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.name)
def test_a_draft_is_a_valid_layout_that_fits_its_own_file(path: Path) -> None:
    content = path.read_bytes()
    text = draft_layout(grid_of(content), "draft", CATALOGUE)
    draft = Layout.model_validate(yaml.safe_load(text))
    arrival = Arrival(1, "000000/file", "", "", "", "", "0" * 64, path.name, "")
    verdict = read_returns([arrival], lambda _: content, CATALOGUE, [draft]).verdicts.iloc[0]
    assert verdict["layout"] == "draft v1"


def test_a_draft_of_a_return_reads_what_its_layout_reads() -> None:
    content = (FOLDER / "health_table.xlsx").read_bytes()
    draft = Layout.model_validate(yaml.safe_load(draft_layout(grid_of(content), "draft", CATALOGUE)))
    arrival = Arrival(1, "510000/health", "health", "", "510000", "", "0" * 64, "a.xlsx", "")
    by_draft = read_returns([arrival], lambda _: content, CATALOGUE, [draft]).observations
    by_layout = read_returns([arrival], lambda _: content, CATALOGUE, load_layouts()).observations
    keys = ["address", "indicator_code", "area_type", "region_code", "value"]
    assert by_draft[keys].astype(str).to_numpy().tolist() == by_layout[keys].astype(str).to_numpy().tolist()


def test_a_draft_lists_names_that_the_catalogue_does_not_have() -> None:
    text = draft_layout(grid_of((FOLDER / "census_county_2010.xlsx").read_bytes()), "draft", CATALOGUE)
    assert "#   男\n" in text


@pytest.mark.parametrize("content", ["a,b\nc,d\n", "1,2\n3,4\n", "标题\n"])
def test_a_file_without_figures_under_texts_gives_no_draft(content: str) -> None:
    with pytest.raises(NoTableFound):
        draft_layout(grid_of(content.encode()), "draft", CATALOGUE)


# --- comparing ---


def compare(sample: Return, against: Return | None = None) -> Comparison:
    (layout,) = [one for one in load_layouts() if one.layout == "health_table"]
    expected = Expected("health_annual", "510000", "2024")
    older = grid_of(as_workbook(against)) if against else None
    found = compare_headers(grid_of(as_workbook(sample)), layout, CATALOGUE, expected, older)
    assert found is not None
    return found


def renamed(sample: Return, place: int, name: str) -> Return:
    columns = list(sample.columns)
    columns[place] = replace(columns[place], name=name)
    return replace(sample, columns=tuple(columns))


def without(sample: Return, place: int) -> Return:
    rows = tuple((*row[: place + 2], *row[place + 3 :]) for row in sample.rows)
    return replace(sample, columns=(*sample.columns[:place], *sample.columns[place + 1 :]), rows=rows)


PLACE = next(n for n, column in enumerate(make_return().columns) if column.indicator_code == "HLT_NURSES")


def test_a_file_as_the_layout_wants_it_differs_in_nothing() -> None:
    found = compare(make_return())
    assert (found.added, found.dropped, found.moved) == ((), (), ())
    assert found.known == len(make_return().columns)


def test_a_renamed_column_is_added_and_dropped_and_its_alias_proposed() -> None:
    found = compare(renamed(make_return(), PLACE, "注册护士人数"))
    (added,) = found.added
    assert (added.text, added.address[:3]) == ("注册护士人数", "表1!")
    assert [dropped.indicator_code for dropped in found.dropped] == ["HLT_NURSES"]
    assert found.aliases == {"注册护士人数": "HLT_NURSES"}


def test_a_name_like_none_gets_no_proposal() -> None:
    found = compare(renamed(make_return(), PLACE, "火车票"))
    assert found.added[0].proposals == ()
    assert found.aliases == {}


def test_a_column_that_is_gone_is_dropped() -> None:
    assert [dropped.name for dropped in compare(without(make_return(), PLACE)).dropped] == ["注册护士数"]


def test_a_column_that_stands_elsewhere_has_moved_and_needs_nothing() -> None:
    sample = make_return()
    order = [PLACE, *(n for n in range(len(sample.columns)) if n != PLACE)]
    rows = tuple((*row[:2], *(row[n + 2] for n in order)) for row in sample.rows)
    found = compare(replace(sample, columns=tuple(sample.columns[n] for n in order), rows=rows))
    (moved,) = found.moved
    assert (moved.text, moved.before, moved.now) == ("注册护士数", PLACE + 1, 1)
    assert (found.added, found.dropped) == ((), ())


def test_an_older_file_is_what_the_newer_one_is_held_against() -> None:
    older = without(make_return(), PLACE)
    found = compare(make_return(), against=older)
    assert (found.added, found.dropped, found.moved) == ((), (), ())
    assert [dropped.indicator_code for dropped in compare(older, against=make_return()).dropped] == ["HLT_NURSES"]


def test_a_file_without_the_anchor_cannot_be_held_against_the_layout() -> None:
    (layout,) = [one for one in load_layouts() if one.layout == "health_table"]
    assert compare_headers(grid_of(b"a,b\n1,2\n"), layout, CATALOGUE, Expected("", "", "")) is None


# --- what is this file? ---


@pytest.mark.parametrize("carrier", [as_workbook, as_csv, as_pages])
def test_a_return_says_by_its_title_what_it_is(carrier) -> None:
    found = identify(carrier(make_return("health_quarterly", "2026-Q1")), "附件.dat", CATALOGUE)
    assert found == Identity("health_quarterly", "510000", "2026-Q1")


def test_a_table_of_other_offices_is_no_return() -> None:
    found = identify((FOLDER / "分省年度数据2021.csv").read_bytes(), "分省年度数据2021.csv", CATALOGUE)
    assert isinstance(found, Unidentified)
    assert found.reason == "unidentified"
    assert "区划代码" in found.explanation


def test_what_no_carrier_can_open_keeps_its_reason() -> None:
    found = identify(b"%PDF-1.7", "return.xlsx", CATALOGUE)
    assert isinstance(found, Unidentified)
    assert (found.reason, found.explanation_zh) == ("unknown_carrier", "文件类型无法识别")


def test_what_is_known_of_a_file_must_agree_with_its_title() -> None:
    found = identify(as_workbook(make_return()), "a.xlsx", CATALOGUE, region_code="110000")
    assert isinstance(found, Unidentified)
    assert found.reason == "wrong_province"


def test_a_return_with_an_unknown_header_is_still_known_by_its_title() -> None:
    found = identify(as_workbook(renamed(make_return(), PLACE, "注册护士人数")), "a.xlsx", CATALOGUE)
    assert found == Identity("health_annual", "510000", "2024")


@pytest.mark.parametrize(
    ("form", "title", "period"),
    [
        ("employment_monthly", "四川省2026年1-3月就业和社会保障统计月报", "2026-03"),
        ("health_annual", "四川省2024年一季度卫生健康统计年报", None),
        ("health_quarterly", "四川省2026年卫生健康统计季报", None),
    ],
)
def test_the_period_of_a_title_must_be_one_that_the_form_has(form: str, title: str, period: str | None) -> None:
    own = {"employment_monthly": "2026-03", "health_annual": "2024", "health_quarterly": "2026-Q1"}[form]
    sample = replace(make_return(form, own), title=title)
    found = identify((as_pages if form == "employment_monthly" else as_workbook)(sample), "a", CATALOGUE)
    if period:
        assert found == Identity(form, "510000", period)
    else:
        assert isinstance(found, Unidentified)
        assert found.reason == "wrong_period"
