"""Single months, quarters and half-years of flows that are reported January-to-month."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.warehouse.centre import CATALOGUE, PROVINCES, Cell, Centre, Return
from tests.warehouse.frames import Row, figures, rows_of, slice_of
from warehouse.differencing import difference_flows, parts_of, spans_of_year, subtract, touched_spans
from warehouse.periods import parse_period, period_from_key

JOBS, VISITS = "EMP_NEW_URBAN_JOBS", "HLT_TOWNSHIP_CENTRE_VISITS"


def row(until: int | None, value: float | None, status: str = "A", region: str = "510000") -> Row:
    """New urban jobs from January 2024 to a month, or (None) of the year."""
    return JOBS, f"2024-M01-M{until:02d}" if until else "2024", region, "urban", value, status


def differences(rows: list[Row], *spans: str) -> set[tuple[str, str, str, str, float, str]]:
    return rows_of(difference_flows(figures(rows), CATALOGUE, {slice_of(JOBS, span) for span in spans}))


def values(rows: list[Row], *spans: str) -> dict[str, float]:
    return {each[1]: each[4] for each in differences(rows, *spans)}


# --- which spans there are, and what each rests on ---


@pytest.mark.parametrize(
    ("span", "longer", "shorter"),
    [
        ("2024-03", ["2024-M01-M03"], "2024-M01-M02"),
        ("2024-11", ["2024-M01-M11"], "2024-M01-M10"),
        ("2024-12", ["2024-M01-M12", "2024"], "2024-M01-M11"),
        ("2024-Q1", ["2024-M01-M03"], None),
        ("2024-Q2", ["2024-M01-M06"], "2024-M01-M03"),
        ("2024-Q3", ["2024-M01-M09"], "2024-M01-M06"),
        ("2024-Q4", ["2024-M01-M12", "2024"], "2024-M01-M09"),
        ("2024-H1", ["2024-M01-M06"], None),
        ("2024-H2", ["2024-M01-M12", "2024"], "2024-M01-M06"),
    ],
)
def test_a_span_alone_is_one_cumulative_less_another(span: str, longer: list[str], shorter: str | None) -> None:
    parts = parts_of(parse_period(span).key)
    assert parts is not None
    assert [period_from_key(key).code for key in parts.longer] == longer
    assert parts.shorter == (parse_period(shorter).key if shorter else None)


@pytest.mark.parametrize("period", ["2024-01", "2024-02", "2024-M01-M02", "2024-M01-M06", "2024", "SY2024"])
def test_january_february_cumulatives_and_years_are_no_difference(period: str) -> None:
    assert parts_of(parse_period(period).key) is None


def test_a_year_has_ten_months_four_quarters_and_two_halves() -> None:
    codes = {period_from_key(key).code for key in spans_of_year(2024)}
    assert codes == {f"2024-{n:02d}" for n in range(3, 13)} | {f"2024-Q{n}" for n in range(1, 5)} | {
        "2024-H1",
        "2024-H2",
    }


def touched(changed: list[tuple[str, str]], known: str) -> set[str]:
    periods = {slice_of(JOBS, code) for code in known.split()}
    found = touched_spans(
        {slice_of(*each) for each in changed}, CATALOGUE, {slice_of(JOBS, "2024")[0]: {key for _, key in periods}}
    )
    return {period_from_key(key).code for _, key in found}


@pytest.mark.parametrize(
    ("changed", "spans"),
    [
        ("2024-M01-M05", {"2024-05", "2024-06"}),
        ("2024-M01-M03", {"2024-03", "2024-04", "2024-Q1", "2024-Q2"}),
        ("2024-M01-M06", {"2024-06", "2024-07", "2024-Q2", "2024-H1"}),
        ("2024-M01-M02", {"2024-03"}),
        ("2024-M01-M07", {"2024-07"}),
        ("2024-05", {"2024-05"}),
        ("2023-M01-M05", set()),
    ],
)
def test_a_change_touches_the_spans_it_is_a_part_of_where_the_other_part_is_known(
    changed: str, spans: set[str]
) -> None:
    known = " ".join(f"2024-M01-M{n:02d}" for n in range(2, 8))
    assert touched([(JOBS, changed)], known) == spans


def test_the_year_touches_its_last_spans() -> None:
    known = "2024 2024-M01-M06 2024-M01-M09 2024-M01-M11"
    assert touched([(JOBS, "2024")], known) == {"2024-12", "2024-Q4", "2024-H2"}


def test_a_stock_is_never_differenced() -> None:
    stock = "EMP_REGISTERED_UNEMPLOYED"
    changed = {slice_of(stock, "2024-05"), slice_of(stock, "2024-M01-M03"), slice_of(stock, "2024-Q2")}
    assert touched_spans(changed, CATALOGUE, {slice_of(stock, "2024")[0]: {key for _, key in changed}}) == set()


# --- differences ---


def test_a_month_is_its_cumulative_less_the_one_before() -> None:
    rows = [row(2, 100.0), row(3, 160.0), row(4, 200.0)]
    assert values(rows, "2024-03", "2024-04", "2024-05") == {"2024-03": 60.0, "2024-04": 40.0}


def test_quarters_and_halves() -> None:
    rows = [row(3, 10.0), row(6, 30.0), row(9, 60.0), row(12, 100.0)]
    spans = ("2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4", "2024-H1", "2024-H2")
    assert values(rows, *spans) == dict(zip(spans, [10.0, 20.0, 30.0, 40.0, 30.0, 70.0], strict=True))


def test_the_year_stands_for_december_where_that_is_not_there() -> None:
    rows = [row(6, 30.0), row(9, 60.0), row(11, 90.0), row(None, 100.0)]
    assert values(rows, "2024-12", "2024-Q4", "2024-H2") == {"2024-12": 10.0, "2024-Q4": 40.0, "2024-H2": 70.0}


def test_december_comes_before_the_year() -> None:
    assert values([row(9, 60.0), row(12, 101.0), row(None, 100.0)], "2024-Q4") == {"2024-Q4": 41.0}


def test_the_year_of_one_region_stands_for_december_of_that_region_alone() -> None:
    rows = [
        row(9, 60.0),
        row(12, None, "M"),
        row(None, 100.0),
        row(9, 6.0, region="110000"),
        row(12, 9.0, region="110000"),
    ]
    assert {each[2]: each[4] for each in differences(rows, "2024-Q4")} == {"510000": 40.0, "110000": 3.0}


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([row(3, 60.0)], id="no shorter"),
        pytest.param([row(2, 60.0)], id="no longer"),
        pytest.param([row(2, None, "M"), row(3, 60.0)], id="blank shorter"),
        pytest.param([row(2, 60.0), row(3, None, "M")], id="blank longer"),
        pytest.param([row(2, 60.0), row(3, 90.0, region="510104")], id="another region"),
        pytest.param([row(2, 1.0, region="000000"), row(3, 2.0, region="000000")], id="the nation"),
        pytest.param([], id="nothing"),
    ],
)
def test_without_both_parts_there_is_no_difference(rows: list[Row]) -> None:
    assert differences(rows, "2024-03") == set()


@pytest.mark.parametrize(
    ("first", "second", "weakest"), [("A", "P", "P"), ("E", "A", "E"), ("E", "P", "E"), ("A", "B", "B")]
)
def test_the_status_is_the_weakest_of_the_parts(first: str, second: str, weakest: str) -> None:
    assert {each[5] for each in differences([row(2, 1.0, first), row(3, 2.0, second)], "2024-03")} == {weakest}


def test_a_negative_difference_is_kept() -> None:
    assert values([row(2, 100.0), row(3, 80.0)], "2024-03") == {"2024-03": -20.0}


def test_a_difference_has_no_float_noise() -> None:
    assert values([row(2, 0.1), row(3, 0.3)], "2024-03") == {"2024-03": 0.2}


def test_a_reported_figure_of_the_span_is_not_computed_over() -> None:
    reported: Row = (JOBS, "2024-03", "510000", "urban", 61.0, "A")
    other = [row(2, 1.0, region="110000"), row(3, 3.0, region="110000")]
    assert {each[2] for each in differences([row(2, 100.0), row(3, 160.0), *other, reported], "2024-03")} == {"110000"}


CENTS = st.integers(0, 10**11)


@given(CENTS, CENTS)
def test_a_difference_of_decimals_is_the_nearest_double_of_their_difference(longer: int, shorter: int) -> None:
    difference = float(subtract(np.array([longer / 100]), np.array([shorter / 100]))[0])
    assert math.isclose(difference, (longer - shorter) / 100, rel_tol=1e-15, abs_tol=0.0)


@given(st.lists(st.integers(-(10**6), 10**6), min_size=11, max_size=11))
def test_the_spans_of_a_year_add_up_to_it(cumulatives: list[int]) -> None:
    rows = [row(until, float(value)) for until, value in enumerate(cumulatives, start=2)]
    found = values(rows, *(period_from_key(key).code for key in spans_of_year(2024)))
    months = [value for code, value in found.items() if code[5:].isdigit()]
    assert len(months) == 10
    assert cumulatives[0] + sum(months) == cumulatives[-1]
    assert sum(found[f"2024-Q{number}"] for number in range(1, 5)) == cumulatives[-1]
    assert found["2024-H1"] + found["2024-H2"] == cumulatives[-1]


# --- in the warehouse ---


def jobs(
    until: int, value: float | None, region: str = "510000", province: str = "510000", status: str = "A"
) -> Return:
    """A monthly return with the new urban jobs from January 2024."""
    cell = Cell(JOBS, region, value, "urban", status, period=f"2024-M01-M{until:02d}")
    return Return("employment_monthly", province, f"2024-{until:02d}", (cell,))


def computed(centre: Centre, *returns: Return) -> Centre:
    refresh = centre.open()
    centre.load(*returns, refresh=refresh)
    centre.compute(refresh)
    return centre


def spans_in(centre: Centre, region: str = "510000") -> dict[str, float | None]:
    found = centre.values_of(JOBS, region, "urban")
    return {code: value for code, value in found.items() if "M01" not in code and code != "2024"}


def test_differences_are_computed_figures_beside_the_reported_ones(centre: Centre) -> None:
    computed(centre, jobs(2, 100.0), jobs(3, 160.0))
    assert centre.values_of(JOBS, area="urban") == {
        "2024-M01-M02": 100.0, "2024-M01-M03": 160.0, "2024-03": 60.0, "2024-Q1": 160.0,
    }  # fmt: skip
    traced = "SELECT DISTINCT receipt_id, address FROM core.observation JOIN core.period USING (period_key) WHERE kind <> 'cumulative'"
    assert centre.rows(traced) == [(None, None)]


def test_the_other_part_may_come_nights_later(centre: Centre) -> None:
    computed(centre, jobs(3, 160.0))
    assert spans_in(centre) == {"2024-Q1": 160.0}
    computed(centre, jobs(2, 100.0))
    assert spans_in(centre) == {"2024-Q1": 160.0, "2024-03": 60.0}


def test_a_county_has_quarters_and_halves_but_no_months(centre: Centre) -> None:
    computed(centre, *(jobs(until, value, "510104") for until, value in ((3, 10.0), (5, 20.0), (6, 30.0))))
    assert spans_in(centre, "510104") == {"2024-Q1": 10.0, "2024-Q2": 20.0, "2024-H1": 30.0}


def test_the_revision_of_a_month_changes_the_two_months_it_touches(centre: Centre) -> None:
    computed(centre, *(jobs(until, 100.0 * until) for until in range(2, 9)))
    before = spans_in(centre)
    computed(centre, jobs(5, 530.0))
    assert spans_in(centre) == before | {"2024-05": 130.0, "2024-06": 70.0}
    closed = (
        "SELECT period_code FROM core.observation JOIN core.period USING (period_key)"
        " WHERE receipt_id IS NULL AND superseded_at <> 'infinity' ORDER BY period_code"
    )
    assert centre.values(closed) == ["2024-05", "2024-06"]


def test_a_part_gone_blank_closes_the_difference_of_that_region_alone(centre: Centre) -> None:
    beijing = [jobs(until, 10.0 * until, "110000", "110000") for until in (2, 3)]
    computed(centre, jobs(2, 100.0), jobs(3, 160.0), *beijing)
    computed(centre, jobs(3, None))
    assert spans_in(centre) == {}
    assert spans_in(centre, "110000") == {"2024-03": 10.0, "2024-Q1": 30.0}


def test_december_that_comes_after_the_year_replaces_it(centre: Centre) -> None:
    annual = Return("employment_annual", "510000", "2024", (Cell(JOBS, "510000", 100.0, "urban"),))
    computed(centre, jobs(9, 60.0), annual)
    assert spans_in(centre) == {"2024-Q4": 40.0}
    computed(centre, jobs(12, 102.0))
    assert spans_in(centre) == {"2024-Q4": 42.0}


def test_the_nation_is_the_sum_of_the_provinces_differences(centre: Centre) -> None:
    returns = [
        jobs(until, float(until * number), code, code)
        for number, code in enumerate(PROVINCES, start=1)
        for until in (2, 3)
    ]
    computed(centre, *returns)
    assert spans_in(centre, "000000") == {"2024-03": 496.0, "2024-Q1": 1488.0}
    computed(centre, jobs(3, None))
    assert spans_in(centre, "000000") == {}


def test_the_nation_has_the_span_though_two_provinces_cannot_have_the_figure(centre: Centre) -> None:
    returns = [
        Return("health_quarterly", code, f"2024-Q{until // 3}", (Cell(VISITS, code, value, "rural", period=period),))
        for code in PROVINCES
        if code not in ("110000", "310000")
        for until, value, period in ((3, 10.0, "2024-M01-M03"), (6, 25.0, "2024-M01-M06"))
    ]
    computed(centre, *returns)
    found = centre.values_of(VISITS, "000000", "rural")
    assert found == {
        "2024-M01-M03": 290.0, "2024-M01-M06": 725.0, "2024-Q1": 290.0, "2024-Q2": 435.0, "2024-H1": 725.0,
    }  # fmt: skip


def observations(centre: Centre) -> list[object]:
    return centre.values("SELECT o::text FROM core.observation o ORDER BY 1")


def test_computing_again_changes_nothing(centre: Centre) -> None:
    refresh = centre.open()
    centre.load(*(jobs(until, float(until), code, code) for code in PROVINCES for until in (2, 3)), refresh=refresh)
    centre.compute(refresh)
    before = observations(centre)
    centre.compute(refresh)
    assert observations(centre) == before
    assert len(before) == 31 * 2 + 31 * 2 + 4


def another_catalogue(centre: Centre) -> None:
    centre.catalogue = dataclasses.replace(CATALOGUE, sha256="another")


def nothing(centre: Centre) -> None:
    assert centre.nights


@pytest.mark.parametrize("change", [another_catalogue, nothing])
def test_another_night_makes_no_vintage_of_an_equal_difference(
    centre: Centre, change: Callable[[Centre], None]
) -> None:
    returns = [jobs(until, float(until), code, code) for code in PROVINCES for until in (2, 3)]
    centre.night(*returns)
    before = observations(centre)
    change(centre)
    centre.night(*returns)
    assert observations(centre) == before


def test_only_spans_that_a_change_reaches_are_computed(centre: Centre) -> None:
    centre.night(jobs(2, 100.0), jobs(3, 160.0), jobs(4, 200.0), jobs(5, 300.0))
    centre.execute("UPDATE core.observation SET value = -1 WHERE receipt_id IS NULL")
    computed(centre, jobs(2, 110.0))
    assert spans_in(centre) == {"2024-03": 50.0, "2024-Q1": -1.0, "2024-04": -1.0, "2024-05": -1.0}


def test_night_by_night_in_any_order_equals_all_at_once(centre: Centre) -> None:
    returns = [jobs(until, float(until * until), code, code) for until in (2, 3, 4, 6) for code in PROVINCES]
    centre.night(*returns)
    at_once = centre.figures()
    centre.empty()
    for until in (6, 3, 2, 4):
        centre.night(*(jobs(until, float(until * until), code, code) for code in PROVINCES))
    assert centre.figures() == at_once


def test_differences_are_published_in_no_mart_twice(centre: Centre) -> None:
    made = centre.night(jobs(2, 100.0), jobs(3, 160.0))
    assert made is not None
    assert made.revisions == 0
    shown = "SELECT period_code, value FROM mart.observation WHERE indicator_code = :code ORDER BY period_code"
    assert centre.rows(shown, code=JOBS) == [
        ("2024-03", 60.0), ("2024-M01-M02", 100.0), ("2024-M01-M03", 160.0), ("2024-Q1", 160.0),
    ]  # fmt: skip
    assert centre.rows("SELECT * FROM mart.inequality WHERE indicator_code = :code", code=JOBS) == []
