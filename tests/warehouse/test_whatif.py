"""A standard that nobody set yet: who would be under it, what it would cost, who is at risk; and nothing is written."""

import dataclasses
import datetime

import numpy as np
import pytest
import sqlalchemy as sa

from tests.warehouse.centre import Cell, Centre, Return
from tests.warehouse.frames import CATALOGUE, PROVINCES, Row, everywhere, figures
from tests.warehouse.test_marts_shortfall import standing
from warehouse.catalogue import Catalogue
from warehouse.errors import NoFiguresError, NothingInForceError
from warehouse.periods import parse_period
from warehouse.whatif import PLACE_COLUMNS, Answer, Question, answer, ask

PENSION, RECIPIENTS, REVENUE = "PEN_RESIDENT_MONTHLY", "PEN_RESIDENT_RECIPIENTS", "FIS_REVENUE"
FUNDS, PUPILS = "EDU_PRIMARY_PUBLIC_FUNDS", "EDU_PRIMARY_PUPILS"
SICHUAN = "510000"


def told(*rows: Row, floor: float, indicator: str = PENSION, catalogue: Catalogue = CATALOGUE, **more: str) -> Answer:
    period = parse_period(rows[-1][1]).key
    return answer(figures(rows), catalogue, Question(indicator, floor, **more), period)  # type: ignore[arg-type]


def pensions(*values: float) -> list[Row]:
    """The first provinces with these pensions in 2024, the others with 500; ten recipients each."""
    each = [*values, *[500.0] * (31 - len(values))]
    return [*everywhere(RECIPIENTS, "2024", "total", 10.0), *everywhere(PENSION, "2024", "total", each)]


# --- by hand ---


def test_the_floor_asked_about_stands_beside_the_one_in_force() -> None:
    """100 is under both 123 and 150, 140 only under 150."""
    made = told(*pensions(100.0, 140.0), floor=150.0)
    assert made.in_force is not None
    assert (made.in_force.floor_value, made.in_force.units_below, made.in_force.people_below) == (123.0, 1, 10.0)
    assert (made.asked.floor_value, made.asked.units_below, made.asked.people_below) == (150.0, 2, 20.0)
    assert made.asked.p1 == pytest.approx((50 / 150 + 10 / 150) / 31)
    assert made.asked.people_p0 == pytest.approx(2 / 31)
    assert (made.asked.units, made.asked.units_missing, made.asked.status) == (31, 0, "ok")


def test_the_places_under_it_say_which_are_new_and_the_furthest_comes_first() -> None:
    places = told(*pensions(140.0, 100.0), floor=150.0).places
    assert tuple(places.columns) == PLACE_COLUMNS
    assert places["region_code"].tolist() == [PROVINCES[1], PROVINCES[0]]
    assert places["is_new"].tolist() == [False, True]
    assert places["gap"].tolist() == pytest.approx([1 / 3, 1 / 15])
    assert places[["value", "floor_in_force", "people"]].iloc[1].tolist() == [140.0, 123.0, 10.0]


def test_a_cost_rule_makes_it_money() -> None:
    revenue: list[Row] = [(REVENUE, "2024", "000000", "total", 720_000.0, "A")]
    revenue += [(REVENUE, "2024", PROVINCES[0], "total", 60_000.0, "A")]
    made = told(*revenue, *pensions(100.0, 140.0), floor=150.0)
    assert (made.asked.cost, made.asked.cost_places) == (pytest.approx((50 + 10) * 10 * 12), 31)
    assert made.asked.share_of_revenue == pytest.approx(0.01)
    assert made.places["cost"].tolist() == pytest.approx([6000.0, 1200.0])
    assert made.places["share_of_revenue"].iloc[0] == pytest.approx(0.1)
    assert made.in_force is not None
    assert made.in_force.cost == pytest.approx(23 * 10 * 12)


def test_without_a_cost_rule_there_is_no_cost() -> None:
    made = told(
        *everywhere("HLT_PHYSICIANS_PER_1000", "2024", "total", 2.0), floor=3.0, indicator="HLT_PHYSICIANS_PER_1000"
    )
    assert (made.asked.cost, made.asked.cost_places, made.asked.share_of_revenue) == (None, 0, None)
    assert made.places["cost"].isna().all()


def test_without_a_floor_in_force_every_place_under_it_is_new() -> None:
    """Physicians have a target of the 14th plan, which is no floor."""
    made = told(
        *everywhere("HLT_PHYSICIANS_PER_1000", "2024", "total", 2.0), floor=3.0, indicator="HLT_PHYSICIANS_PER_1000"
    )
    assert made.in_force is None
    assert made.places["is_new"].all()


def test_lower_is_better_where_the_indicator_says_so() -> None:
    code = "EDU_JUNIOR_PUPILS_PER_TEACHER"
    made = told(*everywhere(code, "SY2023", "total", [12.5, *[10.0] * 30]), floor=12.0, indicator=code)
    assert (made.asked.units_below, made.places["region_code"].tolist()) == (1, [PROVINCES[0]])
    assert made.places["is_new"].tolist() == [True]  # the ceiling in force is 13.5


def test_the_risk_is_that_of_the_floor_asked_about() -> None:
    """Pensions that rise by 5 a year to 120 expect 125 in 2025: under 130, over 124 (the floors of the catalogue set aside)."""
    rising = [
        row for year in range(2021, 2025) for row in everywhere(PENSION, f"{year}", "total", 120.0 - 5 * (2024 - year))
    ]
    made = told(*rising, floor=130.0, catalogue=standing(PENSION, 124.0))
    assert made.in_force is not None
    assert made.asked.bands == {"low": 0, "watch": 0, "high": 0, "severe": 31, "untold": 0}
    assert made.in_force.bands == {"low": 31, "watch": 0, "high": 0, "severe": 0, "untold": 0}
    assert set(made.places["band"]) == {"severe"}
    assert told(*pensions(100.0), floor=130.0).asked.bands["untold"] == 31


def test_counties_are_asked_apart_from_provinces() -> None:
    counties: list[Row] = [(PENSION, "2024", code, "total", 140.0, "E") for code in sorted(CATALOGUE.county_units)]
    made = told(*pensions(100.0), *counties, floor=150.0, level="county")
    assert (made.asked.units, made.asked.units_below, made.asked.grade) == (2845, 2845, "C")
    assert len(made.places) == 2845
    assert made.asked.people_status == "insufficient_coverage"  # nobody counted the counties' recipients
    assert made.asked.people_below is None


def test_too_few_places_are_not_summed_up_but_listed() -> None:
    made = told((PENSION, "2024", SICHUAN, "total", 140.0, "A"), floor=150.0)
    assert (made.asked.status, made.asked.p0, made.asked.units_below) == ("insufficient_coverage", None, None)
    assert made.places["region_name"].tolist() == ["四川省"]


def test_it_is_what_the_marts_would_say_had_it_been_set() -> None:
    rows = pensions(*np.linspace(100.0, 200.0, 20))
    asked = told(*rows, floor=150.0).asked
    then = told(*rows, floor=1.0, catalogue=standing(PENSION, 150.0)).in_force
    assert asked == then


# --- in the warehouse ---


def schools(period: str, funds: float) -> list[Return]:
    return [
        Return(
            "education_school_year",
            code,
            period,
            (Cell(FUNDS, code, funds, "rural"), Cell(PUPILS, code, 100.0, "rural")),
        )
        for code in PROVINCES
    ]


def asking(centre: Centre, question: Question) -> Answer:
    with centre.engine.begin() as connection:
        return ask(connection, CATALOGUE, question)


def test_it_is_asked_of_the_newest_year_of_the_release_in_force(centre: Centre) -> None:
    centre.night(*schools("SY2022", 700.0), *schools("SY2023", 730.0))
    question = Question(FUNDS, 800.0, "rural")
    made = asking(centre, question)
    assert (made.period_code, made.release_id, made.asked.units_below) == ("SY2023", 1, 31)
    assert made.in_force is not None
    assert (made.in_force.floor_value, made.in_force.units_below) == (720.0, 0)
    assert made.asked.cost == pytest.approx(70 * 100 * 31)
    earlier = asking(centre, dataclasses.replace(question, period_code="SY2022"))
    assert earlier.in_force is not None
    assert (earlier.period_code, earlier.in_force.floor_value) == ("SY2022", 650.0)


def test_what_no_release_shows_is_not_judged(centre: Centre) -> None:
    with pytest.raises(NothingInForceError):
        asking(centre, Question(FUNDS, 800.0, "rural"))
    centre.night(*schools("SY2022", 700.0))
    centre.compute(refresh := centre.open())
    centre.load(*schools("SY2022", 900.0), refresh=refresh)
    assert asking(centre, Question(FUNDS, 800.0, "rural")).asked.units_below == 31


@pytest.mark.parametrize(
    "question",
    [
        pytest.param(Question(FUNDS, 800.0, "rural", period_code="SY2019"), id="a period without figures"),
        pytest.param(Question(FUNDS, 800.0, "urban"), id="an area type without figures"),
        pytest.param(Question(FUNDS, 800.0, "rural", "county"), id="places without figures"),
    ],
)
def test_where_there_are_no_figures_it_says_which_there_are(centre: Centre, question: Question) -> None:
    centre.night(*schools("SY2022", 700.0))
    with pytest.raises(NoFiguresError, match="SY2022"):
        asking(centre, question)


def test_nothing_can_be_written_by_it(centre: Centre) -> None:
    centre.night(*schools("SY2022", 700.0))
    with centre.engine.connect() as connection:
        ask(connection, CATALOGUE, Question(FUNDS, 800.0, "rural"))
        assert connection.scalar(sa.text("SHOW transaction_read_only")) == "on"
        with pytest.raises(sa.exc.InternalError, match="read-only transaction"):
            connection.execute(sa.text("DELETE FROM core.shortfall"))
        connection.rollback()
        assert connection.scalar(sa.text("SHOW transaction_read_only")) == "off"


def test_a_local_floor_is_part_of_what_is_in_force(centre: Centre) -> None:
    local = standing(FUNDS, 900.0, region_code=SICHUAN, standard_key=10_001, valid_from=datetime.date(2020, 1, 1))
    both = dataclasses.replace(CATALOGUE, standards=(*CATALOGUE.standards, *local.standards))
    centre.night(*schools("SY2023", 730.0))
    with centre.engine.begin() as connection:
        made = ask(connection, both, Question(FUNDS, 800.0, "rural"))
    assert made.in_force is not None
    assert (made.in_force.floor_value, made.in_force.units_below) == (None, 1)
    assert made.places.set_index("region_code")["is_new"].to_dict()[SICHUAN] is False
