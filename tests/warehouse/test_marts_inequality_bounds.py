"""Bounds of inequality: what stands where something is missing, that the truth lies within, and why there may be none."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warehouse.centre import Centre
from tests.warehouse.centre import everywhere as returns_everywhere
from tests.warehouse.frames import CATALOGUE, PROVINCES, Row, everywhere, figures, slice_of
from warehouse.marts import reach
from warehouse.marts.inequality import inequality
from warehouse.marts.inequality_bounds import BOUNDS_COLUMNS, BOUNDS_MEASURES, inequality_bounds
from warehouse.marts.registry import MARTS
from warehouse.measures import Sample, cv, gini, theil_t

RATE, BROKEN, PEOPLE, COUNTY_RATE = "HLT_BEDS_PER_1000", "HLT_BEDS_PER_10K", "POP_RESIDENT", "EDU_ILLITERACY_RATE"
MEASURES = {"cv": cv, "gini": gini, "theil_t": theil_t}
TRUE = (4 + np.arange(31) % 7 / 2).tolist()
COUNTIES = sorted(CATALOGUE.county_units)


def blank(values: list[float], *places: int) -> list[float | None]:
    return [None if place in places else value for place, value in enumerate(values)]


def years(*missing: int, indicator: str = RATE, first: int = 2018, last: int = 2024, step: float = 0.1) -> list[Row]:
    """Each place a steady ``step`` a year, in the last year some missing."""
    rows: list[Row] = []
    for year in range(first, last + 1):
        values = [value + step * (year - last) for value in TRUE]
        rows += everywhere(indicator, str(year), "total", blank(values, *missing) if year == last else values)
    return rows


def row_of(rows: list[Row], period: str = "2024", scope: str = "nation:province", weighting: str = "none"):
    frame = inequality_bounds(figures(rows), CATALOGUE, {slice_of(rows[0][0], period)})
    is_it = (frame["scope"] == scope) & (frame["weighting"] == weighting)
    assert is_it.sum() == 1
    return frame[is_it].iloc[0]


def test_where_nothing_is_missing_there_is_no_row() -> None:
    frame = inequality_bounds(figures(years()), CATALOGUE)
    assert frame.empty
    assert tuple(frame.columns) == BOUNDS_COLUMNS


def test_a_row_stands_beside_each_row_of_inequality_that_lacks_a_value() -> None:
    rows = years(3, 4) + everywhere(PEOPLE, "2024", "total", [1e6 + n for n in range(31)])
    beside = inequality(figures(rows), CATALOGUE)
    beside = beside[(beside["units_missing"] > 0) & (beside["indicator_key"] == slice_of(RATE, "2024")[0])]
    frame = inequality_bounds(figures(rows), CATALOGUE)
    keys = ["indicator_key", "period_key", "area_key", "scope", "weighting", "units", "units_missing", "coverage"]
    lacks_value = beside["period_key"] == slice_of(RATE, "2024")[1]  # earlier years lack weights alone
    assert frame[keys].values.tolist() == beside.loc[lacks_value, keys].values.tolist()


def test_by_hand_one_missing_place_in_its_plausible_range() -> None:
    """Three known kinds of figure, 4 to 7: a missing one is taken for 2 to 14."""
    row = row_of(years(30, step=0.0))
    assert (row.plausible_low, row.plausible_high, row.units_missing, row.status) == (2.0, 14.0, 1, "ok")
    ends = [gini(Sample.of([*TRUE[:30], end]))[0] for end in (2.0, 14.0)]
    grid = [gini(Sample.of([*TRUE[:30], value]))[0] for value in np.linspace(2, 14, 2001)]
    assert row.gini_high == pytest.approx(max(ends))
    assert row.gini_low == pytest.approx(min(grid), abs=1e-5)


def test_the_catalogues_plausible_range_cuts_what_was_seen() -> None:
    rows = everywhere("DIG_INTERNET_PENETRATION", "2024", "total", blank([70.0 + n / 2 for n in range(31)], 3))
    row = row_of(rows)
    assert (row.plausible_low, row.plausible_high) == (35.0, 110.0)


def test_by_hand_the_recent_range_is_last_year_and_twice_the_usual_change() -> None:
    """Up by 0.1 each year: last year's figure ± 0.2."""
    row = row_of(years(30))
    last = TRUE[30] - 0.1
    ends = [gini(Sample.of([*TRUE[:30], last + reach]))[0] for reach in (-0.2, 0.2)]
    assert row.status_recent == "ok"
    assert row.gini_high_recent == pytest.approx(max(ends))
    assert row.gini_low_recent >= row.gini_low
    assert row.gini_high_recent <= row.gini_high


def test_also_where_coverage_is_too_low_for_a_value() -> None:
    rows = years(*range(8))
    assert (
        inequality(figures(rows), CATALOGUE, {slice_of(RATE, "2024")})["status"].tolist()[0] == "insufficient_coverage"
    )
    row = row_of(rows)
    assert (row.units, row.units_missing, row.status, row.status_recent) == (23, 8, "ok", "ok")
    assert row.gini_low_recent <= gini(Sample.of(TRUE))[0] <= row.gini_high_recent


@settings(max_examples=30, deadline=None)
@given(st.sets(st.integers(0, 30), min_size=1, max_size=12), st.randoms(use_true_random=False), st.booleans())
def test_whatever_the_missing_figures_are_the_measure_lies_within(missing: set[int], random, is_weighted: bool) -> None:
    weights = [random.uniform(1e5, 1e8) for _ in PROVINCES]
    weighing = everywhere(PEOPLE, "2024", "total", weights)
    row = row_of(years(*missing) + weighing, weighting="population" if is_weighted else "none")
    values = list(TRUE)
    for place in missing:
        values[place] = random.uniform(row.plausible_low, row.plausible_high)
    sample = Sample.of(values, weights if is_weighted else None)
    for name, measure in MEASURES.items():
        assert row[f"{name}_low"] - 1e-9 <= measure(sample)[0] <= row[f"{name}_high"] + 1e-9


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(31)), st.sampled_from([0.25, 4.0, 1024.0]))
def test_neither_the_order_of_places_nor_the_unit_matters(order: list[int], scale: float) -> None:
    """Of an indicator for which the catalogue gives no range."""
    income = CATALOGUE.indicators["INC_DISPOSABLE"].model_copy(update={"plausible_min": None, "plausible_max": None})
    catalogue = dataclasses.replace(CATALOGUE, indicators=dict(CATALOGUE.indicators) | {income.code: income})
    rows = years(1, 2, 3, indicator=income.code)
    place = {code: PROVINCES[order[number]] for number, code in enumerate(PROVINCES)}
    moved = [
        (code, year, place[region], area, None if value is None else value * scale, status)
        for code, year, region, area, value, status in rows
    ]
    first, second = (
        inequality_bounds(figures(given), catalogue, {slice_of(income.code, "2024")}).iloc[0] for given in (rows, moved)
    )
    for name in BOUNDS_MEASURES:
        assert second[name] == pytest.approx(first[name], rel=1e-9), name


def test_the_truth_lies_in_the_interval_whichever_two_places_are_withheld() -> None:
    """Real shapes are skew: the largest of all may be the one that is missing."""
    values = (np.random.default_rng(3).lognormal(1.5, 0.35, 31)).tolist()
    truth = {name: measure(Sample.of(values))[0] for name, measure in MEASURES.items()}
    order = np.argsort(values).tolist()
    for pair in itertools.combinations([*order[:3], *order[-3:]], 2):
        row = row_of(everywhere(RATE, "2024-06", "total", blank(values, *pair)), "2024-06")
        for name, true in truth.items():
            assert row[f"{name}_low"] <= true <= row[f"{name}_high"], (pair, name)


# --- why there is no interval ---


@pytest.mark.parametrize(
    ("rows", "period", "status"),
    [
        pytest.param(everywhere(RATE, "2024-06", "total", blank(TRUE, 1)), "2024-06", "not_applicable", id="a month"),
        pytest.param(years(1, first=2023), "2024", "too_few_years", id="one year before"),
        pytest.param(years(1, first=2022), "2024", "too_few_years", id="one change before"),
        pytest.param(years(1, first=2021), "2024", "ok", id="two changes before"),
        pytest.param(
            [row for row in years(1) if row[1:3] != ("2023", PROVINCES[1])], "2024", "too_few_years", id="not last year"
        ),
    ],
)
def test_without_a_past_there_is_no_recent_interval(rows: list[Row], period: str, status: str) -> None:
    row = row_of(rows, period)
    assert (row.status, row.status_recent) == ("ok", status)
    assert math.isnan(row.gini_high_recent) is (status != "ok")


def test_a_past_of_another_definition_is_none() -> None:
    """Beijing's beds have another denominator from 2012 on."""
    rows = years(0, indicator=BROKEN, first=2007, last=2012)
    assert row_of(rows, "2012").status_recent == "across_break"
    assert row_of(years(1, indicator=BROKEN, first=2007, last=2012), "2012").status_recent == "ok"


def test_only_the_last_five_years_are_looked_back_over() -> None:
    row = row_of(years(1, step=0.0) + everywhere(RATE, "2015", "total", 900.0))
    assert row.plausible_high == 14.0


def test_a_missing_place_without_a_weight_cannot_be_bounded() -> None:
    rows = years(1) + everywhere(PEOPLE, "2024", "total", blank([1e6] * 31, 1))
    assert row_of(rows).status == "ok"
    row = row_of(rows, weighting="population")
    assert (row.status, row.status_recent) == ("insufficient_coverage", "insufficient_coverage")
    assert row[list(BOUNDS_MEASURES)].isna().all()


def test_negative_figures_and_a_mean_of_nothing_have_no_interval() -> None:
    negative = [(*row[:4], -1.0 if row[2] == "650000" and row[1] == "2024" else row[4], row[5]) for row in years(1)]
    assert row_of(negative).status == "undefined_negative"
    assert row_of(everywhere(RATE, "2024", "total", blank([0.0] * 31, 1))).status == "undefined_zero_mean"


def test_what_cannot_exist_is_not_missing() -> None:
    rows = [row for row in everywhere(BROKEN, "2024", "rural", TRUE) if row[2] not in ("110000", "310000")]
    assert inequality_bounds(figures(rows), CATALOGUE).empty


def test_counties_of_a_province_and_of_the_nation_up_to_two_hundred_missing() -> None:
    values = {code: 4.0 + number % 11 for number, code in enumerate(COUNTIES)}

    def of(withheld: list[str]):
        rows = [
            (COUNTY_RATE, "2024", code, "total", value, "E") for code, value in values.items() if code not in withheld
        ]
        return inequality_bounds(figures(rows), CATALOGUE).set_index("scope")

    sichuan = [code for code in COUNTIES if code.startswith("51")]
    some = of(sichuan[:30])
    assert some.index.tolist() == ["510000:county", "nation:county"]
    assert some["status"].tolist() == ["ok", "ok"]
    assert some["units_missing"].tolist() == [30, 30]
    truth = gini(Sample.of(list(values.values())))[0]
    assert some.loc["nation:county", "gini_low"] <= truth <= some.loc["nation:county", "gini_high"]
    many = of([code for code in COUNTIES if code[:2] in ("41", "13")][:201])
    assert many.loc["nation:county", "status"] == "insufficient_coverage"
    # A province without any figure has nothing that could be bounded.
    assert of(sichuan).index.tolist() == ["nation:county"]


# --- what rests on what ---


def test_a_changed_year_reaches_itself_and_the_five_years_after() -> None:
    mart = MARTS["inequality_bounds"]
    known = {slice_of(BROKEN, "2015")[0]: [slice_of(RATE, str(year))[1] for year in range(2012, 2022)]}
    possible = mart.slices(CATALOGUE, known)
    found = reach.touched({slice_of(BROKEN, "2014")}, possible, mart.rests_on, CATALOGUE, known)
    assert found == {slice_of(BROKEN, str(year)) for year in range(2014, 2020)}


def test_readers_see_the_interval_until_the_missing_figures_arrive(centre: Centre) -> None:
    everything = returns_everywhere("health_annual", "2024", BROKEN, [value * 10 for value in TRUE])
    asked = "SELECT scope, weighting, units_missing, gini_low, gini_high FROM mart.inequality_bounds WHERE weighting = 'none'"
    centre.night(*everything[:24])
    [(scope, _, missing, low, high)] = centre.rows(asked)
    assert (scope, missing) == ("nation:province", 7)
    assert centre.rows("SELECT status, gini FROM mart.inequality WHERE weighting = 'none'") == [
        ("insufficient_coverage", None)
    ]
    centre.night(*everything[24:])
    assert centre.rows(asked) == []
    assert low <= centre.values("SELECT gini FROM mart.inequality WHERE weighting = 'none'")[0] <= high
