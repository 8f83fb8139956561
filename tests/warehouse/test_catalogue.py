"""The catalogue: what is shipped loads, and a wrong row is named by file, line and column."""

import csv
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from warehouse import catalogue
from warehouse.catalogue import FOLDER, Catalogue, load_catalogue
from warehouse.errors import CatalogueError
from warehouse.measures.schools import CV_LIMITS

SHIPPED = load_catalogue()
FILES = sorted(path.name for path in FOLDER.glob("*.csv"))
Table = list[list[str]]


@pytest.fixture(scope="module", autouse=True)
def read_once() -> Iterator[None]:
    """Of a catalogue only the file that a test breaks is read anew: rows follow from a file's name and bytes alone."""
    read, known = catalogue.read_rows, dict[Any, list[Any]]()

    def read_rows(path: Path, model: type[Any], unique: Sequence[str] = ()) -> list[Any]:
        key = (path.name, path.read_bytes() if path.exists() else None, model, tuple(unique))
        if key not in known:
            known[key] = read(path, model, unique)  # a refusal is an exception, and not kept
        return list(known[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "read_rows", read_rows)
        yield


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the catalogue's files, for breaking."""
    for path in FOLDER.glob("*.csv"):
        shutil.copy(path, tmp_path)
    return tmp_path


def edit(folder: Path, file: str, change: Callable[[Table], None]) -> None:
    """Change a file's rows; row 0 is the header."""
    with (folder / file).open(encoding="utf-8", newline="") as lines:
        table = list(csv.reader(lines))
    change(table)
    with (folder / file).open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows(table)


def put(folder: Path, file: str, line: int, column: str, value: str) -> None:
    """Set one cell; line 1 is the header."""

    def change(table: Table) -> None:
        table[line - 1][table[0].index(column)] = value

    edit(folder, file, change)


def refusal(folder: Path) -> tuple[str, int, str]:
    """File, line and column of the error that loading the folder raises."""
    with pytest.raises(CatalogueError) as raised:
        load_catalogue(folder)
    error = raised.value
    assert str(error).startswith(f"{error.file}, line {error.line}, column {error.column}: ")
    return error.file, error.line, error.column


# --- what is shipped ---


def test_what_is_shipped_has_the_counts_of_the_design() -> None:
    assert len(SHIPPED.indicators) == 89
    assert len(SHIPPED.county_units) == 2845
    assert len(SHIPPED.provinces) == 31
    assert sorted(SHIPPED.forms) == [
        "education_school_year",
        "employment_annual",
        "employment_monthly",
        "health_annual",
        "health_quarterly",
    ]


@pytest.mark.parametrize(
    ("file", "rows"),
    [
        ("regions.csv", lambda it: len(it.region_rows)),
        ("region_changes.csv", lambda it: len(it.region_changes)),
        ("standard_items.csv", lambda it: len(it.items)),
        ("standards.csv", lambda it: len(it.standards)),
        ("recomputed_rates.csv", lambda it: len(it.recomputed_rates)),
        ("cost_rules.csv", lambda it: len(it.cost_rules)),
        ("breaks.csv", lambda it: len(it.breaks)),
        ("not_applicable.csv", lambda it: len(it.not_applicable)),
        ("units.csv", lambda it: len(it.units)),
        ("indicators.csv", lambda it: len(it.indicators)),
        ("indices.csv", lambda it: len(it.indices)),
        ("resources.csv", lambda it: len(it.resources)),
        ("provinces.csv", lambda it: len(it.provinces)),
        ("forms.csv", lambda it: len(it.forms)),
        ("portal_forms.csv", lambda it: len(it.portal_forms)),
        ("school_stages.csv", lambda it: len(it.school_stages)),
        ("school_balance_lines.csv", lambda it: len(it.school_lines)),
    ],
)
def test_every_row_of_a_shipped_file_is_loaded(file: str, rows: Callable[[Catalogue], int]) -> None:
    with (FOLDER / file).open(encoding="utf-8", newline="") as lines:
        assert rows(SHIPPED) == sum(1 for _ in csv.DictReader(lines)) > 0


def test_county_units_are_the_counties_of_the_census_file() -> None:
    with (FOLDER / "county_population_2020.csv").open(encoding="utf-8", newline="") as lines:
        assert {row["region_code"] for row in csv.DictReader(lines)} == SHIPPED.county_units


def test_every_form_carries_indicators_and_every_base_indicator_has_a_form() -> None:
    carried = {indicator.code for form in SHIPPED.forms for indicator in SHIPPED.indicators_of(form)}
    assert carried == {code for code, row in SHIPPED.indicators.items() if row.kind == "base"}
    assert all(SHIPPED.indicators_of(form) for form in SHIPPED.forms)


def test_the_portal_s_forms_carry_what_provinces_report_over_such_periods_and_owe_nothing() -> None:
    assert {code: form.frequency for code, form in SHIPPED.portal_forms.items()} == {
        "portal_annual": "A",
        "portal_quarterly": "Q",
        "portal_monthly": "M",
    }
    assert not any(form.is_owed for form in SHIPPED.portal_forms.values())
    annual = {row.code for row in SHIPPED.indicators_of("portal_annual")}
    owed = {row.code for form in ("employment_annual", "health_annual") for row in SHIPPED.indicators_of(form)}
    assert annual == owed
    assert not any(row.is_cumulative for row in SHIPPED.indicators_of("portal_monthly"))


def test_a_derived_indicator_names_its_parts_with_their_area_type() -> None:
    coverage = SHIPPED.indicators["PEN_COVERAGE"]
    assert coverage.terms("numerator") == (("PEN_EMPLOYEE_INSURED", "urban"), ("PEN_RESIDENT_INSURED", "total"))
    assert coverage.terms("denominator") == (("POP_RESIDENT", None),)


def test_an_index_of_indices_has_the_members_of_each_of_them_in_order() -> None:
    members = SHIPPED.index_members
    assert [member.indicator.code for member in members["IDX_HEALTH"]] == [
        "HLT_BEDS_PER_1000",
        "HLT_PHYSICIANS_PER_1000",
        "HLT_NURSES_PER_1000",
    ]
    sectors = (members["IDX_EMPLOYMENT"], members["IDX_EDUCATION"], members["IDX_HEALTH"])
    assert members["IDX_OVERALL"] == tuple(member for sector in sectors for member in sector)
    assert [member.sign for member in members["IDX_EMPLOYMENT"]] == [-1, 1, 1]


def test_an_index_is_no_indicator_and_shares_no_key_with_one() -> None:
    assert not set(SHIPPED.indices) & set(SHIPPED.indicators)
    assert not set(SHIPPED.index_by_key) & set(SHIPPED.by_key)
    stages = {stage.indicator_code for stage in SHIPPED.school_stages.values()}
    assert set(SHIPPED.code_by_key.values()) == {*SHIPPED.indices, *SHIPPED.indicators, *stages}


def test_the_fingerprint_is_of_contents(copy: Path) -> None:
    assert load_catalogue(copy).sha256 == SHIPPED.sha256
    load_catalogue.cache_clear()
    put(copy, "region_aliases.csv", 2, "alias", "东东郊区")
    assert load_catalogue(copy).sha256 != SHIPPED.sha256


def test_a_loaded_row_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        SHIPPED.indicators["GDP"].unit = "person"  # type: ignore[misc]


# --- what is refused ---


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_is_named(copy: Path, file: str) -> None:
    (copy / file).unlink()
    assert refusal(copy) == (file, 0, "")


@pytest.mark.parametrize("file", FILES)
def test_a_missing_column_is_named(copy: Path, file: str) -> None:
    with (copy / file).open(encoding="utf-8", newline="") as lines:
        last = next(csv.reader(lines))[-1]
    edit(copy, file, lambda table: [row.pop() for row in table] and None)
    assert refusal(copy) == (file, 1, last)


@pytest.mark.parametrize("file", FILES)
def test_an_unknown_column_is_named(copy: Path, file: str) -> None:
    edit(copy, file, lambda table: [row.append("remark" if row is table[0] else "") for row in table] and None)
    assert refusal(copy) == (file, 1, "remark")


@pytest.mark.parametrize("file", FILES)
def test_a_line_with_more_or_fewer_cells_is_named(copy: Path, file: str) -> None:
    with (copy / file).open("a", encoding="utf-8") as lines:
        lines.write("x\n")
    count = len((copy / file).read_text(encoding="utf-8").splitlines())
    assert refusal(copy)[:2] == (file, count)


@pytest.mark.parametrize(
    ("file", "line", "column", "value"),
    [
        ("indicators.csv", 3, "direction", "up"),
        ("indicators.csv", 3, "is_cumulative", "perhaps"),
        ("indicators.csv", 3, "decimals", "-1"),
        ("indicators.csv", 3, "indicator_key", "0"),
        ("indicators.csv", 3, "indicator_key", "32768"),
        ("indicators.csv", 3, "code", "gdp"),
        ("indicators.csv", 3, "area_types", "total;suburban"),
        ("indicators.csv", 3, "area_types", ""),
        ("indicators.csv", 3, "unit", ""),
        ("indicators.csv", 3, "multiplier", "ten"),
        ("provinces.csv", 2, "region_code", "11000"),
        ("provinces.csv", 2, "region_code", "１１００００"),
        ("provinces.csv", 2, "area_km2", "0"),
        ("provinces.csv", 2, "region_group", "North"),
        ("regions.csv", 5, "region_level", "district"),
        ("regions.csv", 5, "valid_to", "1999-02-30"),
        ("region_aliases.csv", 2, "alias", ""),
        ("region_changes.csv", 2, "kind", "moved"),
        ("region_changes.csv", 2, "share", "0"),
        ("region_changes.csv", 2, "share", "1.5"),
        ("county_population_2020.csv", 2, "population_total", "-1"),
        ("standards.csv", 4, "op", ">"),
        ("standards.csv", 4, "value", ""),
        ("standards.csv", 4, "document", ""),
        ("standards.csv", 4, "is_binding", "false"),
        ("standards.csv", 38, "is_binding", "true"),
        ("standards.csv", 2, "valid_to", "2009-08-31"),
        ("standard_items.csv", 2, "is_verified", "perhaps"),
        ("standard_items.csv", 2, "item", ""),
        ("recomputed_rates.csv", 2, "factor", "0"),
        ("cost_rules.csv", 2, "times_a_year", "0"),
        ("cost_rules.csv", 2, "heads_area", "suburban"),
        ("indices.csv", 2, "index_key", "1000"),
        ("indices.csv", 2, "members", ""),
        ("indices.csv", 3, "index_key", "1001"),
        ("indices.csv", 3, "members", "EDU_NOTHING@total"),
        ("indices.csv", 3, "members", "EDU_PRIMARY_PUPILS_PER_TEACHER"),
        ("indices.csv", 3, "members", "HLT_BEDS_PER_1000@urban"),
        ("indices.csv", 3, "members", "HLT_BEDS@total"),
        ("indices.csv", 3, "members", "HLT_TOWNSHIP_BED_USE@rural"),
        ("indices.csv", 3, "members", "HLT_BEDS_PER_1000@total;HLT_BEDS_PER_1000@total"),
        ("indices.csv", 3, "members", "IDX_OVERALL"),
        ("indices.csv", 3, "members", "IDX_HEALTH;HLT_BEDS_PER_1000@total"),
        ("indices.csv", 5, "members", "IDX_HEALTH;IDX_EDUCATION"),
        ("indices.csv", 5, "members", "HLT_BEDS_PER_1000@total"),
        ("resources.csv", 2, "indicator_code", "HLT_NOTHING"),
        ("resources.csv", 2, "indicator_code", "HLT_BEDS_PER_1000"),
        ("resources.csv", 2, "indicator_code", "DIB_RECIPIENTS"),
        ("breaks.csv", 2, "first_year_of_new_definition", "MMXVII"),
        ("not_applicable.csv", 2, "area_type", "countryside"),
        ("forms.csv", 2, "due_day", "32"),
        ("forms.csv", 2, "frequency", "W"),
        ("units.csv", 3, "factor", "0"),
    ],
)
def test_a_bad_value_is_named(copy: Path, file: str, line: int, column: str, value: str) -> None:
    put(copy, file, line, column, value)
    assert refusal(copy) == (file, line, column)


def test_the_value_found_is_told(copy: Path) -> None:
    put(copy, "indicators.csv", 3, "direction", "up")
    with pytest.raises(CatalogueError, match=r"found 'up'"):
        load_catalogue(copy)


@pytest.mark.parametrize(
    ("file", "column"),
    [
        ("indicators.csv", "code"),
        ("provinces.csv", "region_code"),
        ("forms.csv", "form"),
        ("standards.csv", "standard_key"),
        ("standard_items.csv", "item_number"),
        ("recomputed_rates.csv", "reported_code"),
        ("cost_rules.csv", "indicator_code"),
        ("regions.csv", "region_code"),
        ("units.csv", "unit_as_printed"),
        ("county_population_2020.csv", "region_code"),
    ],
)
def test_a_repeated_key_is_named_with_the_line_it_stands_in_already(copy: Path, file: str, column: str) -> None:
    edit(copy, file, lambda table: table.insert(4, table[1]))
    with pytest.raises(CatalogueError, match="already in line 2") as raised:
        load_catalogue(copy)
    assert (raised.value.file, raised.value.line, raised.value.column) == (file, 5, column)


def test_a_number_used_for_two_indicators_is_named(copy: Path) -> None:
    put(copy, "indicators.csv", 4, "indicator_key", "2")
    assert refusal(copy)[0::2] == ("indicators.csv", "indicator_key")


@pytest.mark.parametrize(
    ("shares", "line"),
    [
        ({35: "0.6", 36: "0.3"}, 35),
        ({35: "0.6", 36: "0.5"}, 35),
        ({2: "0.5"}, 2),
        ({35: "0.6", 36: "0.4"}, None),
        ({35: "0.6"}, None),
        ({37: "0.5"}, None),
    ],
    ids=[
        "less than a code that ends",
        "more than all",
        "a part of one that went whole",
        "all",
        "one unknown",
        "it goes on",
    ],
)
def test_shares_of_a_divided_region_sum_to_it(copy: Path, shares: dict[int, str], line: int | None) -> None:
    for at, share in shares.items():
        put(copy, "region_changes.csv", at, "share", share)
    if line is None:
        assert load_catalogue(copy)
    else:
        assert refusal(copy) == ("region_changes.csv", line, "share")


@pytest.mark.parametrize(
    ("file", "line", "column", "value"),
    [
        ("indicators.csv", 18, "numerator", "EMP_NOWHERE"),
        ("indicators.csv", 18, "denominator", "EMP_SERVICE_TOWNSHIPS+EMP_NOWHERE"),
        ("indicators.csv", 9, "weight_indicator", "PEOPLE"),
        ("indicators.csv", 2, "forms", "employment_weekly"),
        ("standards.csv", 3, "indicator_code", "PEN_NOWHERE"),
        ("standards.csv", 3, "item_number", "99"),
        ("standard_items.csv", 13, "indicator_codes", "EDU_NOWHERE"),
        ("recomputed_rates.csv", 2, "reported_code", "HLT_NOWHERE"),
        ("recomputed_rates.csv", 2, "recomputed_code", "HLT_NOWHERE"),
        ("cost_rules.csv", 2, "indicator_code", "PEN_NOWHERE"),
        ("cost_rules.csv", 2, "heads_indicator", "PEN_NOWHERE"),
        ("cost_rules.csv", 2, "budget_indicator", "FIS_NOWHERE"),
        ("breaks.csv", 3, "indicator_code", "HLT_NOWHERE"),
        ("breaks.csv", 3, "region_code", "990000"),
        ("not_applicable.csv", 2, "indicator_code", "HLT_NOWHERE"),
        ("not_applicable.csv", 2, "region_code", "990000"),
        ("regions.csv", 6, "parent_code", "990000"),
        ("region_aliases.csv", 2, "region_code", "990000"),
        ("region_changes.csv", 2, "from_code", "990000"),
        ("region_changes.csv", 2, "to_code", "990000"),
        ("county_population_2020.csv", 2, "region_code", "990101"),
        ("provinces.csv", 2, "region_code", "990000"),
    ],
)
def test_a_reference_to_nothing_is_named(copy: Path, file: str, line: int, column: str, value: str) -> None:
    put(copy, file, line, column, value)
    assert refusal(copy) == (file, line, column)


@pytest.mark.parametrize(
    ("file", "line", "column", "value"),
    [
        pytest.param("standards.csv", 2, "item_number", "12", id="a step of an item that does not name its indicator"),
        pytest.param("standards.csv", 2, "standard_key", "10001", id="a number that is for local standards"),
        pytest.param("standards.csv", 2, "region_code", "510000", id="a local standard among the national ones"),
        pytest.param("standards.csv", 2, "op", "<=", id="a standard against the indicator's direction"),
        pytest.param("standards.csv", 2, "area_type", "rural", id="an area type the indicator has not"),
        pytest.param("standard_items.csv", 3, "category", "另一类", id="a category with two names"),
        pytest.param("standard_items.csv", 3, "area_en", "Another", id="an area with two names"),
        pytest.param("recomputed_rates.csv", 2, "reported_code", "HLT_BEDS_PER_1000", id="a computed rate as reported"),
        pytest.param("recomputed_rates.csv", 2, "recomputed_code", "HLT_BEDS", id="a reported number as computed"),
        pytest.param(
            "recomputed_rates.csv", 2, "recomputed_code", "EDU_PRIMARY_PUPILS_PER_TEACHER", id="another kind of period"
        ),
    ],
)
def test_rows_that_contradict_each_other_are_named(copy: Path, file: str, line: int, column: str, value: str) -> None:
    put(copy, file, line, column, value)
    named = "area_number" if column == "area_en" else "category_number" if column == "category" else column
    assert refusal(copy) == (file, line, named)


# --- schools ---


#: 教督〔2017〕6号: name, least for a primary and a junior secondary school, by the ministry's number.
MINISTRY = [
    ("每百名学生拥有高于规定学历教师数", 4.2, 5.3),
    ("每百名学生拥有县级以上骨干教师数", 1.0, 1.0),
    ("每百名学生拥有体育、艺术（美术、音乐）专任教师数", 0.9, 0.9),
    ("生均教学及辅助用房面积", 4.5, 5.8),
    ("生均体育运动场馆面积", 7.5, 10.2),
    ("生均教学仪器设备值", 2000.0, 2500.0),
    ("每百名学生拥有网络多媒体教室数", 2.3, 2.4),
]


def test_seven_resources_have_the_lines_and_limits_of_the_ministry() -> None:
    lines = SHIPPED.school_lines
    assert [row.resource_number for row in lines] == list(range(1, 8))
    assert [(row.name_zh, row.line("primary"), row.line("junior_secondary")) for row in lines] == MINISTRY
    assert {stage: {row.cv_limit(stage) for row in lines} for stage in CV_LIMITS} == {
        stage: {limit} for stage, limit in CV_LIMITS.items()
    }
    assert {row.source for row in lines} == {"教督〔2017〕6号"}


@pytest.mark.parametrize(
    ("file", "column", "value"),
    [
        ("school_stages.csv", "indicator_key", "1"),
        ("school_stages.csv", "indicator_code", "GDP"),
        ("school_balance_lines.csv", "amount_unit", "斤"),
        ("school_balance_lines.csv", "primary_line", "0"),
    ],
)
def test_a_wrong_row_of_schools_is_named(copy: Path, file: str, column: str, value: str) -> None:
    put(copy, file, 2, column, value)
    assert refusal(copy) == (file, 2, column)
