"""Standards that places set themselves: stricter ones count, weaker ones are refused, and a change computes anew."""

import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.warehouse.centre import Cell, Centre, Return, school
from tests.warehouse.frames import CATALOGUE, figures
from tests.warehouse.local_standards import CHENGDU, FUNDS, JINJIANG, PENSION, PUPILS, SICHUAN, pupils, step, write
from warehouse.catalogue import Catalogue, add_local_standards, load_catalogue, use_local_standards
from warehouse.errors import CatalogueError, LocalStandardRefusedError
from warehouse.marts.attainment import attainment
from warehouse.reference import sync_catalogue


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "local.csv"


def refused(file: Path, *rows: dict[str, str]) -> CatalogueError:
    with pytest.raises(CatalogueError) as raised:
        add_local_standards(CATALOGUE, write(file, *rows))
    return raised.value


# --- what is refused ---


@pytest.mark.parametrize(
    ("row", "floor", "day"),
    [
        pytest.param(step(value=122), 123, "2024-01-01", id="under the floor from its first day"),
        pytest.param(step(value=130), 143, "2025-01-01", id="under it after the floor was raised"),
        pytest.param(step(value=130, kind="target", is_binding="false"), 143, "2025-01-01", id="a target under it"),
        pytest.param(step(value=90, valid_from="2010-01-01", valid_to="2020-07-01"), 93, "2020-07-01", id="its last day"),
        pytest.param(pupils(19.5), 19, "2016-09-01", id="lower is better: more is weaker"),
        pytest.param(pupils(25, valid_from="2010-09-01"), 19, "2014-11-01", id="set before there was a floor"),
        pytest.param(step(value=130, region_code=JINJIANG), 143, "2025-01-01", id="of a county"),
        pytest.param(
            step(indicator_code=FUNDS, value=640, valid_from="2017-09-01", region_code="440000"),
            650, "2017-09-01", id="under the floor of its region group",
        ),
        pytest.param(
            step(indicator_code=FUNDS, value=640, valid_from="2017-09-01"),
            650, "2020-01-01", id="over its group's floor, under the later one of all",
        ),
        pytest.param(
            step(indicator_code=FUNDS, value=700, area_type="rural", valid_from="2022-09-01"),
            720, "2023-01-01", id="for one area type",
        ),
    ],
)  # fmt: skip
def test_a_standard_under_the_national_floor_is_refused(
    file: Path, row: dict[str, str], floor: float, day: str
) -> None:
    error = refused(file, row)
    assert isinstance(error, LocalStandardRefusedError)
    assert (error.file, error.line, error.column) == ("local.csv", 2, "value")
    assert (error.floor.value, error.day) == (floor, datetime.date.fromisoformat(day))


def test_the_refusal_names_region_indicator_both_values_and_both_documents(file: Path) -> None:
    told = str(refused(file, pupils(23, document="川教〔2016〕9号")))
    assert told == (
        "local.csv, line 2, column value: 四川省 (510000) sets EDU_PRIMARY_PUPILS_PER_TEACHER <= 23 (川教〔2016〕9号), which is"
        " weaker than the national floor <= 19 (unified urban-rural staffing standard of 2014) in force on 2016-09-01; no"
        " place's standard may be lower than the national one: change the value, or end it (valid_to) before that day"
    )


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(step(value=143), id="at the floor"),
        pytest.param(step(value=130, valid_to="2024-12-31"), id="ended before the floor was raised"),
        pytest.param(pupils(18), id="lower is better: fewer is stricter"),
        pytest.param(pupils(25, valid_from="2010-09-01", valid_to="2014-10-31"), id="ended before there was a floor"),
        pytest.param(
            step(indicator_code=FUNDS, value=640, valid_from="2017-09-01", valid_to="2019-12-31"), id="over its group's"
        ),
        pytest.param(step(indicator_code="DIB_STANDARD", area_type="urban", value=800), id="no national floor"),
        pytest.param(
            step(indicator_code="HLT_PHYSICIANS_PER_1000", value=2, valid_from="2022-01-01"), id="under a target"
        ),
    ],
)
def test_a_standard_at_or_over_the_floor_is_accepted(file: Path, row: dict[str, str]) -> None:
    made = add_local_standards(CATALOGUE, write(file, row))
    assert [each.standard_key for each in made.standards[len(CATALOGUE.standards) :]] == [10_001]


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"standard_key": 41}, "standard_key"),
        ({"indicator_code": "PEN_NOWHERE"}, "indicator_code"),
        ({"indicator_code": "POP_RESIDENT"}, "indicator_code"),
        ({"area_type": "rural"}, "area_type"),
        ({"op": "<="}, "op"),
        ({"kind": "reference", "is_binding": "false"}, "kind"),
        ({"is_binding": "false"}, "is_binding"),
        ({"value": 0}, "value"),
        ({"value": "nan"}, "value"),
        ({"region_code": ""}, "region_code"),
        ({"region_code": "000000"}, "region_code"),
        ({"region_code": "519999"}, "region_code"),
        ({"region_group": "West"}, "region_group"),
        ({"indicator_code": "HLT_VILLAGES_WITH_CLINIC_SHARE", "region_code": JINJIANG}, "region_code"),
        ({"valid_to": "2023-12-31"}, "valid_to"),
        ({"item_number": 12}, "item_number"),
        ({"item_number": 99}, "item_number"),
        ({"document": ""}, "document"),
    ],
)
def test_a_wrong_row_is_named(file: Path, changes: dict[str, Any], column: str) -> None:
    error = refused(file, step(**changes))
    assert (error.file, error.line, error.column) == ("local.csv", 2, column)


def test_a_number_used_twice_is_named(file: Path) -> None:
    assert refused(file, step(standard_key=10_007), step(standard_key=10_007)).column == "standard_key"


def test_a_file_that_is_not_there_is_named(file: Path) -> None:
    with pytest.raises(CatalogueError, match=r"local\.csv.*missing"):
        add_local_standards(CATALOGUE, file)


# --- the catalogue with them ---


def test_the_catalogues_hash_covers_them(file: Path) -> None:
    first = add_local_standards(CATALOGUE, write(file, step()))
    again = add_local_standards(CATALOGUE, write(file, step()))
    other = add_local_standards(CATALOGUE, write(file, step(value=201)))
    assert first.sha256 == again.sha256
    assert len({CATALOGUE.sha256, first.sha256, other.sha256}) == 3


def test_who_assembles_a_run_says_which_file_is_used_and_it_is_read_anew(file: Path) -> None:
    try:
        use_local_standards(write(file, step()))
        first = load_catalogue()
        write(file, step(value=250))
        assert load_catalogue() is first
        use_local_standards(file)
        assert load_catalogue().standards[-1].value == 250
    finally:
        use_local_standards(None)
    assert load_catalogue().sha256 == CATALOGUE.sha256


# --- attainment ---


def judged(catalogue: Catalogue, indicator: str, region: str, period: str, value: float, area: str = "total"):
    rows = attainment(figures([(indicator, period, region, area, value, "A")]), catalogue)
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.mark.parametrize(
    ("region", "floor"),
    [
        pytest.param(JINJIANG, 15.0, id="a county has its own"),
        pytest.param(CHENGDU, 17.0, id="a prefecture has its province's"),
        pytest.param("510105", 17.0, id="a county has its province's"),
        pytest.param(SICHUAN, 17.0, id="the province itself"),
        pytest.param("520000", 19.0, id="another province has the national one"),
        pytest.param("000000", 19.0, id="so has the nation"),
    ],
)
def test_the_strictest_standard_of_a_place_and_those_above_it_counts(file: Path, region: str, floor: float) -> None:
    catalogue = add_local_standards(CATALOGUE, write(file, pupils(17), pupils(15, region_code=JINJIANG)))
    assert judged(catalogue, PUPILS, region, "SY2024", 18.0, "rural").floor_value == floor


def test_a_countys_weaker_standard_does_not_lift_its_provinces(file: Path) -> None:
    catalogue = add_local_standards(CATALOGUE, write(file, pupils(15), pupils(17, region_code=JINJIANG)))
    assert judged(catalogue, PUPILS, JINJIANG, "SY2024", 16.0).floor_value == 15.0


def test_more_is_stricter_where_more_is_better(file: Path) -> None:
    catalogue = add_local_standards(CATALOGUE, write(file, step(value=200), step(value=260, region_code=JINJIANG)))
    row = judged(catalogue, PENSION, JINJIANG, "2024", 208.0)
    assert (row.floor_value, row.standard_key, row.attained) == (260.0, 10_002, False)
    assert row.margin == pytest.approx(-0.2)


@pytest.mark.parametrize(
    ("period", "floor"),
    [("SY2023", 19.0), ("SY2024", 18.0), ("SY2025", 16.0), ("SY2026", 19.0)],
)
def test_the_local_step_in_force_on_the_first_of_september_counts(file: Path, period: str, floor: float) -> None:
    rows = [
        pupils(18, valid_from="2024-09-01", valid_to="2025-08-31"),
        pupils(16, valid_from="2025-09-01", valid_to="2026-08-31"),
    ]
    catalogue = add_local_standards(CATALOGUE, write(file, *rows))
    assert judged(catalogue, PUPILS, SICHUAN, period, 18.5).floor_value == floor


def test_of_two_steps_of_one_place_the_younger_counts_although_it_is_weaker(file: Path) -> None:
    catalogue = add_local_standards(CATALOGUE, write(file, pupils(15), pupils(18, valid_from="2020-09-01")))
    assert judged(catalogue, PUPILS, SICHUAN, "SY2024", 16.0).floor_value == 18.0


def test_a_standard_of_one_area_type_is_for_that_one(file: Path) -> None:
    catalogue = add_local_standards(CATALOGUE, write(file, pupils(16, area_type="rural")))
    assert judged(catalogue, PUPILS, SICHUAN, "SY2024", 17.0, "rural").floor_value == 16.0
    assert judged(catalogue, PUPILS, SICHUAN, "SY2024", 17.0, "urban").floor_value == 19.0


def test_at_a_tie_the_national_document_is_shown(file: Path) -> None:
    catalogue = add_local_standards(CATALOGUE, write(file, pupils(19)))
    assert judged(catalogue, PUPILS, SICHUAN, "SY2024", 17.0).standard_key == 9


def test_a_local_target_is_a_row_of_its_own_beside_the_floor(file: Path) -> None:
    catalogue = add_local_standards(CATALOGUE, write(file, pupils(14, kind="target", is_binding="false")))
    rows = attainment(figures([(PUPILS, "SY2024", SICHUAN, "total", 16.0, "A")]), catalogue)
    assert rows[["floor_kind", "floor_value", "attained"]].to_numpy().tolist() == [
        ["floor", 19.0, True],
        ["target", 14.0, False],
    ]


def test_a_total_planned_for_the_nation_is_for_the_nation_alone() -> None:
    beds = [("ELD_BEDS", "2024", region, "total", 9e6, "A") for region in ("000000", SICHUAN)]
    rows = attainment(figures([*beds, ("ELD_BEDS", "2024", "000000", "rural", 4e6, "A")]), CATALOGUE)
    assert rows[["region_key", "area_key", "floor_kind", "floor_value"]].to_numpy().tolist() == [[0, 0, "target", 1e7]]


# --- from night to night ---


def senior(number: float) -> Return:
    """So many pupils to each of 100 teachers, in Sichuan and in one county of it."""
    cells = [
        Cell(indicator, region, value)
        for region in (SICHUAN, JINJIANG)
        for indicator, value in (("EDU_SENIOR_PUPILS", 100 * number), ("EDU_SENIOR_TEACHERS", 100.0))
    ]
    return school(*cells)


SHOWN = "SELECT region_code, floor_value, attained, floor_region_code, document FROM mart.attainment ORDER BY 1"
STAFFING = "unified urban-rural staffing standard of 2014"


@pytest.fixture
def catalogue_again(centre: Centre) -> Any:
    yield
    centre.empty()
    with centre.engine.begin() as connection:
        sync_catalogue(connection, CATALOGUE)


def test_a_local_standard_reaches_what_is_loaded_and_leaves_again(
    centre: Centre, file: Path, catalogue_again: None
) -> None:
    centre.night(senior(12.0))
    assert centre.rows(SHOWN) == [(code, 12.5, True, None, STAFFING) for code in (SICHUAN, JINJIANG)]

    local = pupils(11, indicator_code="EDU_SENIOR_PUPILS_PER_TEACHER", region_code=JINJIANG, document="锦教1号")
    centre.catalogue = add_local_standards(CATALOGUE, write(file, local))
    assert centre.night() is not None
    assert centre.rows(SHOWN) == [(SICHUAN, 12.5, True, None, STAFFING), (JINJIANG, 11.0, False, JINJIANG, "锦教1号")]
    listed = "SELECT region_code, region_name, is_binding FROM mart.standard WHERE region_code = '510104'"
    assert centre.rows(listed) == [(JINJIANG, "锦江区", True)]

    centre.catalogue = CATALOGUE
    assert centre.night() is not None
    assert centre.rows(SHOWN)[1] == (JINJIANG, 12.5, True, None, STAFFING)
    assert centre.rows(listed) == []
    then = "SELECT floor_value, document FROM mart.attainment_history WHERE region_code = '510104' AND release_from = 2"
    assert centre.rows(then) == [(11.0, "锦教1号")]


def test_readers_see_a_local_standard_with_its_release_and_not_before(
    centre: Centre, file: Path, catalogue_again: None
) -> None:
    centre.night(senior(12.0))
    centre.catalogue = add_local_standards(
        CATALOGUE, write(file, pupils(11, indicator_code="EDU_SENIOR_PUPILS_PER_TEACHER"))
    )
    listed = "SELECT count(*) FROM mart.standard WHERE region_code = '510000'"
    refresh = centre.open()
    centre.compute(refresh)
    centre.prepare()
    assert (centre.values(listed), centre.rows(SHOWN)[0][1]) == ([0], 12.5)
    centre.publish(refresh)
    assert (centre.values(listed), centre.rows(SHOWN)[0][1]) == ([1], 11.0)
