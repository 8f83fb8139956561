"""Between two releases: which province moved an index; parts sum to the change; what came late or is estimated."""

import math

import pytest

from tests.warehouse.centre import PROVINCES as CODES
from tests.warehouse.centre import Cell, Centre, employment
from tests.warehouse.centre import everywhere as returned_everywhere
from tests.warehouse.frames import CATALOGUE, PROVINCES, Row, everywhere, figures
from warehouse.attributing import IndexMovement, attribute_releases, movements
from warehouse.errors import NoSuchReleaseError
from warehouse.periods import parse_period

INCOME, PEOPLE = "INC_DISPOSABLE", "POP_RESIDENT"
INDICATOR, PERIOD = CATALOGUE.indicators[INCOME], parse_period("2024").key


def moved(before: list[Row], after: list[Row], **options) -> dict[tuple[str, str], IndexMovement]:
    found = movements(figures(before), figures(after), CATALOGUE, INDICATOR, PERIOD, **options)
    return {(each.measure, each.weighting): each for each in found}


def incomes(*values: float | None, status: str = "A") -> list[Row]:
    """Incomes of the first provinces."""
    return [(INCOME, "2024", region, "total", value, status) for region, value in zip(PROVINCES, values, strict=False)]


def test_each_province_has_its_part() -> None:
    found = moved(incomes(1.0, 3.0), incomes(2.0, 2.0), minimum_coverage=0.0)["theil_t", "none"]
    low, high = 0.25 * math.log(0.5), 0.75 * math.log(1.5)
    assert (found.status, found.index_before, found.index_after) == ("ok", pytest.approx(low + high), 0.0)
    assert [(part.region_code, part.kind, part.contribution) for part in found.parts] == [
        (PROVINCES[1], "both", pytest.approx(-high)),
        (PROVINCES[0], "both", pytest.approx(-low)),
    ]


def test_a_figure_that_came_late_has_entered() -> None:
    found = moved(incomes(1.0, 3.0), incomes(1.0, 3.0, 5.0), minimum_coverage=0.0)["cv_squared", "none"]
    assert {part.region_code: part.kind for part in found.parts} == {
        PROVINCES[0]: "both",
        PROVINCES[1]: "both",
        PROVINCES[2]: "entered",
    }
    assert found.index_before is not None
    assert found.index_after is not None
    assert sum(part.contribution for part in found.parts) == pytest.approx(found.index_after - found.index_before)


def test_revised_people_move_the_index_by_people_alone() -> None:
    values = incomes(*range(1, 32))
    before = [*values, *everywhere(PEOPLE, "2024", "total", 10.0)]
    after = [*values, *everywhere(PEOPLE, "2024", "total", [20.0] + [10.0] * 30)]
    found = moved(before, after)
    assert {part.contribution for part in found["theil_t", "none"].parts} == {0.0}
    weighted = found["theil_t", "population"]
    assert weighted.index_before is not None
    assert weighted.index_after is not None
    assert weighted.index_before != weighted.index_after
    assert sum(part.contribution for part in weighted.parts) == pytest.approx(
        weighted.index_after - weighted.index_before, abs=1e-12
    )


@pytest.mark.parametrize(
    ("before", "status", "units"),
    [
        pytest.param(incomes(*[5.0] * 20), "insufficient_coverage", 20, id="too few provinces"),
        pytest.param(incomes(*[5.0] * 31, status="E"), "insufficient_coverage", 0, id="estimates"),
        pytest.param(incomes(*[0.0] * 31), "undefined_zero_mean", 31, id="nothing anywhere"),
        pytest.param(incomes(-1.0, *[5.0] * 30), "undefined_negative", 31, id="a negative figure"),
        pytest.param([], "insufficient_coverage", 0, id="no figures"),
    ],
)
def test_what_has_no_index_says_why(before: list[Row], status: str, units: int) -> None:
    found = moved(before, incomes(*[5.0] * 31))["cv_squared", "none"]
    assert (found.status, found.units_before, found.units_after, found.parts) == (status, units, 31, ())
    assert found.index_before is None


def test_two_releases_of_a_warehouse(centre: Centre) -> None:
    centre.night(*returned_everywhere("employment_annual", "2024", INCOME, [20000.0] + [30000.0] * 30))
    centre.night(employment(Cell(INCOME, CODES[0], 30000.0), province=CODES[0]))
    with centre.engine.begin() as connection:
        found = attribute_releases(connection, 1, 2, CATALOGUE, INDICATOR, PERIOD)
        with pytest.raises(NoSuchReleaseError):
            attribute_releases(connection, 1, 9, CATALOGUE, INDICATOR, PERIOD)
    shown = centre.rows(
        "SELECT cv * cv, theil_t FROM mart.inequality_history WHERE scope = 'nation:province' AND weighting = 'none'"
        " AND indicator_code = 'INC_DISPOSABLE' ORDER BY release_from"
    )
    by_measure = {each.measure: each for each in found if each.weighting == "none"}
    assert [(by_measure["cv_squared"].index_before, by_measure["theil_t"].index_before),
            (by_measure["cv_squared"].index_after, by_measure["theil_t"].index_after)] == [
        (pytest.approx(row[0], abs=1e-15), pytest.approx(row[1], abs=1e-15)) for row in shown
    ]  # fmt: skip
    assert by_measure["theil_t"].parts[0].region_code == CODES[0]
