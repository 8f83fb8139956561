"""What a change of inequality is made of: two years, whose parts sum to the change; when nothing is compared; first figures."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warehouse.centre import Cell as Reported
from tests.warehouse.centre import Centre, beds, employment, health
from tests.warehouse.centre import everywhere as returned_everywhere
from tests.warehouse.frames import CATALOGUE, PROVINCES, everywhere, figures, slice_of
from warehouse.computing import compute_marts, read_inputs
from warehouse.marts import reach
from warehouse.marts.change_attribution import CHANGE_ATTRIBUTION_COLUMNS, change_attribution
from warehouse.marts.registry import MARTS
from warehouse.measures import Sample, attribute_index_change, cv_squared_contributions
from warehouse.periods import parse_period
from warehouse.reproducing import reproduce

INCOME, RATE, BEDS, PEOPLE = "INC_DISPOSABLE", "HLT_BEDS_PER_1000", "HLT_BEDS", "POP_RESIDENT"
FIRST, SECOND, THIRD = PROVINCES[:3]


def incomes(period: str, values: dict[str, float], status: str = "A"):
    return [(INCOME, period, region, "total", value, status) for region, value in values.items()]


def rates(period: str, parts: dict[str, tuple[float, float]]):
    """Beds, residents and the rate of some provinces."""
    rows = []
    for region, (number, people) in parts.items():
        values = {BEDS: number, PEOPLE: people, RATE: 1000 * number / people}
        rows += [(code, period, region, "total", value, "A") for code, value in values.items()]
    return rows


def attributed(rows, first=(), *, weighting="none", measure="theil_t", coverage=0.0, period="2024", indicator=INCOME):
    """The rows of one change; most tests have two or three provinces only, so that a person can follow."""
    found = change_attribution(
        figures(rows), CATALOGUE, first_figures=figures(first) if first else None, minimum_coverage=coverage
    )
    is_meant = (found["weighting"] == weighting) & (found["measure"] == measure)
    indicator_key, period_key = slice_of(indicator, period)
    return found[is_meant & (found["indicator_key"] == indicator_key) & (found["period_key"] == period_key)]


def lines(rows: pd.DataFrame) -> dict[tuple[str, str], float]:
    return {
        (f"{row.region_key:06d}", row.part): pytest.approx(row.contribution, abs=1e-12) for row in rows.itertuples()
    }


def theil(*values: float) -> list[float]:
    mean = sum(values) / len(values)
    return [value / mean * math.log(value / mean) / len(values) for value in values]


def cv_squared(values: list[float], weights: list[float]) -> list[float]:
    total = sum(weights)
    mean = sum(w * x for w, x in zip(weights, values, strict=True)) / total
    return [w * (x - mean) ** 2 / (total * mean**2) for w, x in zip(weights, values, strict=True)]


def test_each_province_has_the_change_of_its_own_term() -> None:
    rows = attributed([*incomes("2023", {FIRST: 1.0, SECOND: 3.0}), *incomes("2024", {FIRST: 2.0, SECOND: 2.0})])
    before = theil(1.0, 3.0)
    assert lines(rows) == {(FIRST, "value"): -before[0], (SECOND, "value"): -before[1]}
    assert rows["change"].tolist() == pytest.approx([-sum(before)] * 2)
    assert set(rows["base_period_key"]) == {parse_period("2023").key}
    assert set(rows["status"]) == {"ok"}


def test_a_rate_is_split_over_both_orders_of_change() -> None:
    before, after = {FIRST: (10.0, 1000.0), SECOND: (40.0, 2000.0)}, {FIRST: (18.0, 1200.0), SECOND: (40.0, 1600.0)}
    rows = attributed([*rates("2023", before), *rates("2024", after)], measure="cv_squared", indicator=RATE)

    def index(beds: dict, people: dict) -> np.ndarray:
        return np.array(cv_squared([beds[region][0] / people[region][1] for region in (FIRST, SECOND)], [1.0, 1.0]))

    beds_first = index(after, before) - index(before, before)
    beds_last = index(after, after) - index(before, after)
    whole = index(after, after) - index(before, before)
    numerator = (beds_first + beds_last) / 2
    expected = {
        (region, part): shares[place]
        for part, shares in (("numerator", numerator), ("denominator", whole - numerator))
        for place, region in enumerate((FIRST, SECOND))
    }
    assert lines(rows) == expected


def test_people_who_moved_are_a_part_of_their_own() -> None:
    people = [(PEOPLE, year, region, "total", number, "A") for year, region, number in (
        ("2023", FIRST, 10.0), ("2023", SECOND, 10.0), ("2024", FIRST, 5.0), ("2024", SECOND, 15.0))]  # fmt: skip
    same = [*incomes("2023", {FIRST: 1.0, SECOND: 3.0}), *incomes("2024", {FIRST: 1.0, SECOND: 3.0}), *people]
    rows = attributed(same, weighting="population", measure="cv_squared")
    before, after = cv_squared([1.0, 3.0], [10.0, 10.0]), cv_squared([1.0, 3.0], [5.0, 15.0])
    found = lines(rows)
    assert [found[region, "value"] for region in (FIRST, SECOND)] == [0.0, 0.0]
    assert [found[region, "weight"] for region in (FIRST, SECOND)] == [after[0] - before[0], after[1] - before[1]]
    assert not lines(attributed(same)).keys() - {(FIRST, "value"), (SECOND, "value")}, "provinces as equals: no weight"


def test_who_left_and_who_entered_have_lines_of_their_own() -> None:
    rows = attributed(
        [*incomes("2023", {FIRST: 1.0, SECOND: 3.0}), *incomes("2024", {SECOND: 3.0, THIRD: 5.0})], measure="cv_squared"
    )
    before, after = cv_squared([1.0, 3.0], [1.0, 1.0]), cv_squared([3.0, 5.0], [1.0, 1.0])
    assert lines(rows) == {
        (FIRST, "left"): -before[0],
        (SECOND, "left"): -before[1],
        (SECOND, "value"): 0.0,
        (SECOND, "entered"): after[0],
        (THIRD, "entered"): after[1],
    }
    assert set(zip(rows["units"], rows["units_missing"], strict=True)) == {(1, 30)}


def test_a_revision_is_no_change_of_the_world() -> None:
    known = [*incomes("2023", {FIRST: 2.0, SECOND: 2.0}), *incomes("2024", {FIRST: 2.0, SECOND: 2.0})]
    rows = attributed(known, incomes("2023", {FIRST: 1.0}))
    before = theil(1.0, 2.0)
    assert lines(rows) == {
        (FIRST, "value"): 0.0,
        (SECOND, "value"): 0.0,
        (FIRST, "revision"): -before[0],
        (SECOND, "revision"): -before[1],
    }
    assert rows["index_before"].iloc[0] == pytest.approx(sum(before))
    assert rows["index_after"].iloc[0] == 0.0


def test_a_revised_part_of_a_rate_is_a_revision_of_the_rate() -> None:
    both = {FIRST: (10.0, 1000.0), SECOND: (20.0, 1000.0)}
    rows = attributed(
        [*rates("2023", both), *rates("2024", both)], [(PEOPLE, "2023", FIRST, "total", 500.0, "A")], indicator=RATE
    )
    assert set(rows["part"]) == {"numerator", "denominator", "revision"}
    assert rows["index_before"].iloc[0] == 0.0, "10 of 500 and 20 of 1000 were the same"
    assert rows.loc[rows["part"] == "revision", "contribution"].sum() == pytest.approx(rows["change"].iloc[0])


def test_a_revision_of_the_later_year_waits_until_it_is_the_base() -> None:
    rows = attributed(
        [*incomes("2023", {FIRST: 1.0, SECOND: 3.0}), *incomes("2024", {FIRST: 1.0, SECOND: 3.0})],
        incomes("2024", {FIRST: 2.0}),
    )
    assert rows["change"].tolist() == [0.0, 0.0]


def statuses(rows) -> set[tuple[str, str, int]]:
    found = change_attribution(figures(rows), CATALOGUE)
    return {
        (row.status, row.part, row.region_key)
        for row in found.itertuples()
        if row.period_key == parse_period("2024").key
    }


def test_a_year_that_covers_too_little_says_so_in_one_row() -> None:
    most = dict.fromkeys(PROVINCES[:20], 5.0)
    whole = everywhere(INCOME, "2023", "total", 5.0)
    assert statuses([*whole, *incomes("2024", most)]) == {("insufficient_coverage", "none", 0)}
    assert statuses([*incomes("2023", most), *everywhere(INCOME, "2024", "total", 5.0)]) == {
        ("insufficient_coverage", "none", 0)
    }


def test_estimates_are_not_compared() -> None:
    estimated = dict.fromkeys(PROVINCES[:10], 5.0)
    published = incomes("2024", dict.fromkeys(PROVINCES[10:], 5.0))
    before = everywhere(INCOME, "2023", "total", 5.0)
    found = change_attribution(figures([*before, *incomes("2024", estimated, "E"), *published]), CATALOGUE)
    row = found[(found["weighting"] == "none") & (found["measure"] == "theil_t")].iloc[-1]
    assert (row.status, row.units, row.units_missing, row.units_estimated) == ("insufficient_coverage", 21, 10, 10)
    assert change_attribution(figures(everywhere(INCOME, "2024", "total", 5.0, "E")), CATALOGUE).empty


def test_nothing_is_compared_across_a_break() -> None:
    rows = [*everywhere(INCOME, "2012", "total", 5.0), *everywhere(INCOME, "2013", "total", 6.0)]
    found = change_attribution(figures(rows), CATALOGUE)
    assert set(found["status"]) == {"across_break"}
    assert found["base_period_key"].isna().all()


@pytest.mark.parametrize(
    ("before", "base"),
    [
        pytest.param("2023", "2023", id="the year before"),
        pytest.param("2021", "2021", id="three years before, nothing between"),
        pytest.param("2020", None, id="older than three years"),
        pytest.param("SY2023", None, id="a school year is no year"),
    ],
)
def test_the_base_is_the_latest_year_of_three(before: str, base: str | None) -> None:
    rows = attributed([*incomes(before, {FIRST: 1.0, SECOND: 3.0}), *incomes("2024", {FIRST: 1.0, SECOND: 3.0})])
    assert set(rows["base_period_key"]) == (set() if base is None else {parse_period(base).key})


def test_a_first_year_has_no_rows() -> None:
    found = change_attribution(figures(everywhere(INCOME, "2024", "total", 5.0)), CATALOGUE)
    assert found.empty
    assert tuple(found.columns) == CHANGE_ATTRIBUTION_COLUMNS


def test_nothing_in_common_but_zeros_is_undefined() -> None:
    rows = attributed([*incomes("2023", {FIRST: 1.0, SECOND: 0.0}), *incomes("2024", {SECOND: 0.0, THIRD: 5.0})])
    assert rows["status"].tolist() == ["undefined_zero_mean"]


def test_provisional_figures_lower_the_grade() -> None:
    before = everywhere(INCOME, "2023", "total", 5.0)
    rows = [*before, *everywhere(INCOME, "2024", "total", 5.0, "P"), *everywhere(INCOME, "2025", "total", 5.0)]
    found = change_attribution(figures(rows), CATALOGUE, warned={slice_of(INCOME, "2025")})
    assert set(found["grade"]) == {"C"}, "2025 rests on the provisional 2024"
    again = change_attribution(figures([*before, *everywhere(INCOME, "2024", "total", 5.0)]), CATALOGUE)
    assert set(again["grade"]) == {"A"}


positive = st.floats(0.5, 100.0)
known = st.one_of(st.none(), positive)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(known, known, known, positive, positive), min_size=3, max_size=6))
def test_contributions_sum_to_the_change_and_regions_to_the_change_of_their_terms(units) -> None:
    regions = PROVINCES[: len(units)]
    each = list(zip(regions, units, strict=True))
    rows = [(INCOME, "2023", region, "total", unit[0], "A") for region, unit in each]
    rows += [(INCOME, "2024", region, "total", unit[1], "A") for region, unit in each]
    rows += [(PEOPLE, year, region, "total", unit[place], "A") for year, place in (("2023", 3), ("2024", 4))
             for region, unit in each]  # fmt: skip
    found = attributed(rows, weighting="population", measure="cv_squared")
    found = found[found["status"] == "ok"]
    if found.empty:
        return
    x0, x1 = (np.array([np.nan if unit[k] is None else unit[k] for unit in units]) for k in (0, 1))
    w0, w1 = (np.array([unit[k] for unit in units]) for k in (3, 4))
    expected = attribute_index_change(Sample.of(x0, w0), Sample.of(x1, w1), len(units), cv_squared_contributions)
    assert found["contribution"].sum() == pytest.approx(expected.change[0], abs=1e-9)
    assert found["change"].tolist() == pytest.approx([expected.change[0]] * len(found), abs=1e-9)
    by_region = found.groupby("region_key")["contribution"].sum()
    for region, part, kind in zip(regions, expected.parts, expected.kind, strict=True):
        if kind != "absent":
            assert by_region.get(int(region), 0.0) == pytest.approx(part, abs=1e-9)


def test_a_change_reaches_the_years_that_may_be_compared_with_it() -> None:
    mart = MARTS["change_attribution"]
    years = {parse_period(str(year)).key for year in range(2015, 2025)}
    periods = {CATALOGUE.indicators[code].indicator_key: years for code in (INCOME, BEDS, PEOPLE)}

    def reached(code: str) -> set[tuple[str, str]]:
        found = reach.touched(
            {slice_of(code, "2018")}, mart.slices(CATALOGUE, periods), mart.rests_on, CATALOGUE, periods
        )
        return {(CATALOGUE.by_key[key].code, str(period // 10_000)) for key, period in found}

    assert reached(INCOME) == {(INCOME, year) for year in ("2018", "2019", "2020", "2021")}
    assert reached(BEDS) == {(RATE, year) for year in ("2018", "2019", "2020", "2021")}
    assert (INCOME, "2021") in reached(PEOPLE), "a year's weight is its own year's, or of two years before"
    assert (INCOME, "2024") not in reached(PEOPLE)


def test_first_figures_are_read_once_they_were_revised_and_a_release_is_reproduced(centre: Centre) -> None:
    centre.night(
        *returned_everywhere("employment_annual", "2023", INCOME, [20000.0] + [30000.0] * 30),
        *returned_everywhere("employment_annual", "2024", INCOME, 30000.0),
    )
    assert set(centre.values("SELECT part FROM mart.change_attribution")) == {"value"}
    centre.night(employment(Reported(INCOME, FIRST, 30000.0), province=FIRST, period="2023"))
    centre.night(employment(Reported(INCOME, FIRST, 31000.0), province=FIRST, period="2023"))

    parts = dict(
        centre.rows(
            "SELECT part, sum(contribution) FROM mart.change_attribution WHERE period_code = '2024'"
            " AND measure = 'theil_t' AND weighting = 'none' GROUP BY part"
        )
    )
    first = theil(20000.0, *[30000.0] * 30)
    assert parts == {
        "value": pytest.approx(-parts["revision"] - sum(first)),
        "revision": pytest.approx(parts["revision"]),
    }
    index_before = centre.values("SELECT DISTINCT index_before FROM mart.change_attribution WHERE measure = 'theil_t'")
    assert index_before == [pytest.approx(sum(first))], "the first figure, not the one between"
    with centre.engine.begin() as connection:
        for number in (1, 2, 3):
            assert reproduce(connection, number, CATALOGUE).holds


def test_what_was_corrected_before_any_release_is_no_revision(centre: Centre) -> None:
    centre.load(employment(Reported(INCOME, FIRST, 1.0), province=FIRST, period="2023"))
    for year in ("2023", "2024"):
        centre.night(*returned_everywhere("employment_annual", year, INCOME, 30000.0))
    assert set(centre.values("SELECT part FROM mart.change_attribution")) == {"value"}


def test_counties_are_not_read_for_a_change_of_provinces(centre: Centre) -> None:
    county = FIRST[:2] + "0104"
    refresh = centre.open()
    centre.load(
        health(beds(1.0, region=FIRST), beds(1.0, region=county), province=FIRST, period="2023"), refresh=refresh
    )
    wanted = {slice_of(BEDS, "2023")}
    with centre.engine.begin() as connection:
        for mart, expected in (("change_attribution", {int(FIRST)}), ("inequality", {int(FIRST), int(county)})):
            given = read_inputs(connection, CATALOGUE, {mart: wanted}, {}, ())
            assert set(given.figures["region_key"]) == expected


def test_a_night_computes_only_the_changes_that_a_figure_is_part_of(centre: Centre) -> None:
    centre.night(
        *(
            each
            for year in (2018, 2023, 2024)
            for each in returned_everywhere("employment_annual", str(year), INCOME, 5.0)
        )
    )
    refresh = centre.open()
    centre.load(employment(Reported(INCOME, FIRST, 6.0), province=FIRST, period="2023"), refresh=refresh)
    centre.compute(refresh)
    with centre.engine.begin() as connection:
        [batch] = compute_marts(connection, CATALOGUE)
    assert batch["change_attribution"].slices == {slice_of(INCOME, "2023"), slice_of(INCOME, "2024")}
