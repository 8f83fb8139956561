"""``junheng read`` and ``junheng layout``: what a person who describes tables sees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from pipelines.cli import main
from returns.layouts import Layout, load_layouts
from tests.returns.samples import as_workbook, make_return
from tests.returns.test_layout_files import FOLDER


def junheng(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    path = tmp_path / "return.xlsx"
    path.write_bytes(as_workbook(make_return().with_cell(1, 0, "约12")))
    return path


def test_read_shows_each_cell_with_its_meaning(workbook: Path) -> None:
    said = junheng("read", workbook, "--limit", "3")
    assert said.exit_code == 0
    assert "Read by health_table v1: 84 cells = 83 observations + 1 quarantined + 0 repeats" in said.stdout
    assert "not_a_number: 1, first 表1!C6" in said.stdout
    assert "表1!C5" in said.stdout
    assert "the first 3 of 83" in said.stdout


def test_read_shows_rejects_in_both_languages(workbook: Path) -> None:
    said = junheng("read", workbook, "--rejects", "--format", "json")
    (row,) = json.loads(said.stdout)
    assert (row["address"], row["raw_text"], row["reason"]) == ("表1!C6", "约12", "not_a_number")
    assert "不是数字" in row["explanation_zh"]


def test_read_takes_a_table_that_is_no_return() -> None:
    said = junheng("read", FOLDER / "分省年度数据2021.csv", "--format", "csv")
    assert said.exit_code == 0
    assert "GDP,地区生产总值,110000,2021,total,4435070000000.0,CNY,A" in said.stdout


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--form", "health_annual", "--province", "110000"], "wrong_province"),
        (["--layout", "census_county"], "unknown_layout"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_ends_with_the_reason(
    workbook: Path, options: list[str], reason: str
) -> None:
    said = junheng("read", workbook, *options)
    assert said.exit_code == 1
    assert reason in said.stderr


def test_the_schools_of_a_roster_are_shown_beside_the_figures() -> None:
    file = Path(__file__).parents[1] / "returns" / "files" / "education_roster.xlsx"
    said = junheng("read", file, "--limit", "1000")
    assert "23 figures of schools +" in said.stdout
    assert "unknown_region: 8, first 学校名册!F6" in said.stdout
    assert "学校名册!L3" in said.stdout
    assert "primary 5101041001" in said.stdout


def test_a_hostile_text_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "分省年度数据2021.csv"
    path.write_text("时间：2021年\n地区,地区生产总值(亿元)\n北京市,\x1b[2J5\n", encoding="utf-8")
    said = junheng("read", path, "--rejects")
    assert "␣[2J5" in said.stdout
    assert "\x1b" not in said.stdout


def test_layouts_are_listed() -> None:
    said = junheng("layout", "list")
    assert [line.split()[0] for line in said.stdout.splitlines()] == [layout.layout for layout in load_layouts()]


def test_a_draft_goes_to_standard_output(workbook: Path) -> None:
    said = junheng("layout", "new", workbook, "--name", "sichuan")
    assert Layout.model_validate(yaml.safe_load(said.stdout)).label == "sichuan v1"


def test_a_draft_reads_its_file(workbook: Path, tmp_path: Path) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text(junheng("layout", "new", workbook).stdout, encoding="utf-8")
    said = junheng("read", workbook, "--layout-file", draft)
    assert said.stdout.startswith("Read by draft v1: 84 cells")


def test_a_draft_that_is_wrong_names_file_and_key(workbook: Path, tmp_path: Path) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text("layout: draft\nversion: none\n", encoding="utf-8")
    said = junheng("read", workbook, "--layout-file", draft)
    assert said.exit_code == 1
    assert "draft.yaml, key version" in said.stderr


def test_nothing_is_drafted_of_a_file_without_a_table(tmp_path: Path) -> None:
    (tmp_path / "note.csv").write_text("你好\n", encoding="utf-8")
    said = junheng("layout", "new", tmp_path / "note.csv")
    assert (said.exit_code, said.stdout) == (1, "")
    assert "note.csv: no row of figures" in said.stderr


def test_a_file_as_the_layout_wants_it_has_no_difference(workbook: Path) -> None:
    said = junheng("layout", "diff", workbook, "--layout", "health_table")
    assert (said.exit_code, said.stdout) == (0, "health_table v1: 42 columns known\n")


def test_a_renamed_column_ends_with_what_to_do(tmp_path: Path) -> None:
    sample = make_return()
    columns = [replace_name(column) for column in sample.columns]
    path = tmp_path / "return.xlsx"
    path.write_bytes(as_workbook(type(sample)(sample.form, sample.period, sample.title, tuple(columns), sample.rows)))
    said = junheng("layout", "diff", path, "--layout", "health_table")
    assert said.exit_code == 1
    assert "dropped  注册护士数 (HLT_NURSES) 合计" in said.stdout
    assert "      注册护士人数: HLT_NURSES" in said.stdout


def replace_name(column):
    return type(column)(
        column.indicator_code,
        "注册护士人数" if column.indicator_code == "HLT_NURSES" else column.name,
        column.area,
        column.label,
        column.unit,
    )


def test_a_file_that_no_anchor_is_in_names_the_anchors(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n", encoding="utf-8")
    said = junheng("layout", "diff", tmp_path / "a.csv")
    assert said.exit_code == 1
    assert "区划代码 and 地区" in said.stderr
