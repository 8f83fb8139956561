"""Trend: which years count, the words of direction and level, their one finding, what a row rests on."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warehouse.centre import Centre
from tests.warehouse.centre import everywhere as returns_everywhere
from tests.warehouse.frames import CATALOGUE, PROVINCES, Row, figures, slice_of
from warehouse.marts import reach
from warehouse.marts.registry import MARTS
from warehouse.marts.trend import TREND_COLUMNS, TREND_MEASURES, trend
from warehouse.measures import mann_kendall, theil_sen

RATE, BROKEN, PUPILS = "HLT_BEDS_PER_1000", "HLT_BEDS_PER_10K", "EDU_PRIMARY_PUPILS_PER_TEACHER"
LOWER, NEUTRAL = "EDU_ILLITERACY_RATE", "HLT_TOWNSHIP_BED_USE"
UP, DOWN, LEVEL = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [6.0, 5.0, 4.0, 3.0, 2.0, 1.0], [3.0, 1.0, 4.0, 1.0, 5.0, 2.0]


def series(
    values: list[float | None],
    indicator: str = RATE,
    first: int = 2015,
    region: str = "510000",
    area: str = "total",
    status="A",
) -> list[Row]:
    return [
        (indicator, str(first + step), region, area, value, status)
        for step, value in enumerate(values)
        if value is not None
    ]


def last_row(rows: list[Row], **options):
    frame = trend(figures(rows), CATALOGUE, **options)
    frame = frame[frame["region_key"] != 0]
    return frame[frame["period_key"] == frame["period_key"].max()].iloc[0]


def test_numbers_are_those_of_mann_kendall_and_theil_sen() -> None:
    values = [4.1, 4.4, 4.3, 4.9, 5.2, 5.1, 5.6]
    row = last_row(series(values))
    test, slope = mann_kendall([values], range(7)), theil_sen([values], range(7))
    expected = [test.s, test.probability, *slope]
    assert [row[name] for name in TREND_MEASURES] == [float(part[0]) for part in expected]
    assert (row.years, row.first_period_key, row.value, row.status) == (7, 20150112, 5.6, "ok")


def test_by_hand_six_rising_years() -> None:
    """15 pairs, all rising; variance 6·5·17/18, z = 14/√28.33 = 2.63, two-sided 0.0085; one a year."""
    row = last_row(series(UP))
    assert (row.s, row.slope, row.slope_low, row.slope_high) == (15.0, 1.0, 1.0, 1.0)
    assert row.probability == pytest.approx(0.0085, abs=5e-5)


@pytest.mark.parametrize(
    ("indicator", "values", "word"),
    [
        (RATE, UP, "improving"),
        (RATE, DOWN, "worsening"),
        (RATE, LEVEL, "steady"),
        (LOWER, UP, "worsening"),
        (LOWER, DOWN, "improving"),
        (NEUTRAL, UP, "rising"),
        (NEUTRAL, DOWN, "falling"),
        (NEUTRAL, LEVEL, "steady"),
    ],
)
def test_the_word_follows_the_indicators_direction(indicator: str, values: list[float], word: str) -> None:
    area = CATALOGUE.indicators[indicator].area_types[0]
    assert last_row(series(values, indicator, area=area)).trend == word


def test_four_years_are_too_few_but_the_level_stands() -> None:
    row = last_row(series(UP[:4]) + series([8.0] * 4, region="000000"))
    assert (row.status, row.years, row.against_nation) == ("too_few_years", 4, "worse")
    assert row[[*TREND_MEASURES, "trend", "finding"]].isna().all()


def test_each_year_has_a_row_of_the_years_until_then_and_a_later_one_changes_none() -> None:
    whole, before = (trend(figures(series(values)), CATALOGUE) for values in (UP, UP[:5]))
    assert whole["years"].tolist() == [1, 2, 3, 4, 5, 6]
    assert whole.iloc[:5].equals(before)


def test_a_year_without_a_figure_is_a_longer_step() -> None:
    row = last_row(series([1.0, 2.0, None, 4.0, 5.0, 6.0]))
    assert (row.years, row.slope) == (5, 1.0)


def test_a_place_without_a_figure_in_the_year_has_no_row() -> None:
    rows = series(UP) + series(UP[:5], region="110000")
    frame = trend(figures(rows), CATALOGUE, {slice_of(RATE, "2020")})
    assert frame["region_key"].tolist() == [510000]


def test_no_trend_crosses_a_break_of_its_own_place() -> None:
    """Beijing's beds have another denominator from 2012 on, Sichuan's have not."""
    rows = [row for region in ("110000", "510000") for row in series(UP, BROKEN, first=2009, region=region)]
    frame = trend(figures(rows), CATALOGUE, {slice_of(BROKEN, "2014")}).set_index("region_key")
    assert frame["years"].to_dict() == {110000: 3, 510000: 6}
    assert frame["first_period_key"].to_dict() == {110000: 20120112, 510000: 20090112}


@pytest.mark.parametrize("status", ["E", "F", "I", "D"])
def test_estimates_and_weaker_are_not_used(status: str) -> None:
    assert trend(figures(series(UP, status=status)), CATALOGUE).empty
    row = last_row(series(UP[:5]) + series([9.0], first=2014, status=status))
    assert (row.years, row.first_period_key) == (5, 20150112)


@pytest.mark.parametrize(("status", "grade"), [("A", "A"), ("B", "A"), ("P", "C")])
def test_a_provisional_figure_lowers_the_grade(status: str, grade: str) -> None:
    assert last_row(series(UP[:5]) + series([6.0], first=2020, status=status)).grade == grade


def test_a_warning_in_any_of_its_years_lowers_the_grade() -> None:
    assert last_row(series(UP), warned={slice_of(RATE, "2016")}).grade == "B"
    assert last_row(series(UP), warned={slice_of(RATE, "2014")}).grade == "A"


@pytest.mark.parametrize(
    ("indicator", "value", "nation", "level"),
    [
        (RATE, 6.0, 5.0, "better"),
        (RATE, 4.0, 5.0, "worse"),
        (RATE, 5.25, 5.0, "near"),
        (RATE, 4.75, 5.0, "near"),
        (LOWER, 6.0, 5.0, "worse"),
        (LOWER, 4.0, 5.0, "better"),
        (NEUTRAL, 6.0, 5.0, "above"),
        (NEUTRAL, 4.0, 5.0, "below"),
    ],
)
def test_the_level_against_the_nation(indicator: str, value: float, nation: float, level: str) -> None:
    area = CATALOGUE.indicators[indicator].area_types[0]
    row = last_row(series([value], indicator, area=area) + series([nation], indicator, region="000000", area=area))
    assert (row.against_nation, row.nation_value) == (level, nation)


def test_without_a_figure_of_the_nation_there_is_no_level_and_no_finding() -> None:
    row = last_row(series(UP))
    assert row[["nation_value", "against_nation", "finding"]].isna().all()
    assert row.trend == "improving"


def test_the_nation_has_a_trend_and_is_not_held_against_itself() -> None:
    frame = trend(figures(series(UP, region="000000")), CATALOGUE, {slice_of(RATE, "2020")})
    row = frame.iloc[0]
    assert (row.region_key, row.trend) == (0, "improving")
    assert row[["nation_value", "against_nation", "finding"]].isna().all()


@pytest.mark.parametrize(
    ("values", "nation", "finding"),
    [
        (DOWN, 5.0, "worse_and_worsening"),
        (UP, 9.0, "worse_but_improving"),
        (LEVEL, 5.0, "worse_and_steady"),
        (UP, 5.0, "better_and_improving"),
        (DOWN, 0.5, "better_but_worsening"),
        (LEVEL, 1.0, "better_and_steady"),
        (UP, 6.1, "near_and_improving"),
        (DOWN, 1.0, "near_and_worsening"),
    ],
)
def test_the_finding_joins_level_and_trend(values: list[float], nation: float, finding: str) -> None:
    assert last_row(series(values) + series([nation] * 6, region="000000")).finding == finding


def test_the_floor_in_force_is_met_or_not() -> None:
    """No more than 19 primary pupils a teacher; the indicator is better the lower it is."""
    floor = next(row.value for row in CATALOGUE.standards if row.indicator_code == PUPILS and row.kind == "floor")
    for value, word in ((floor + 1, "under"), (floor, "met"), (floor - 1, "met")):
        rows = [(PUPILS, "SY2024", "510000", "total", value, "A")]
        row = last_row(rows)
        assert (row.against_floor, row.floor_value) == (word, floor)
    assert last_row(series(UP))[["against_floor", "floor_value"]].isna().all()


def test_years_and_school_years_and_area_types_are_not_mixed() -> None:
    rows = series(UP) + [(code, f"SY{year}", *rest) for code, year, *rest in series(DOWN)] + series(DOWN, area="rural")
    frame = trend(figures(rows), CATALOGUE)
    assert frame["years"].max() == 6
    assert len(frame) == 18


def test_what_is_neither_compared_nor_held_to_a_standard_has_no_trend() -> None:
    frame = trend(figures(series(UP, "POP_RESIDENT")), CATALOGUE)
    assert frame.empty
    assert tuple(frame.columns) == TREND_COLUMNS


def test_many_places_at_once_are_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        row
        for place, code in enumerate(PROVINCES)
        for row in series([math.sin(place + n) + 2 for n in range(7)], region=code)
    ]
    whole = trend(figures(rows), CATALOGUE)
    monkeypatch.setattr("warehouse.marts.trend._AT_ONCE", 3)
    assert trend(figures(rows), CATALOGUE).equals(whole)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(1, 100, allow_nan=False).map(lambda x: round(x, 3)), min_size=5, max_size=9),
    st.sampled_from([2.0**k for k in range(-8, 9)]),
)
def test_the_unit_changes_no_word_and_turning_the_series_round_turns_the_word(
    values: list[float], scale: float
) -> None:
    def told(numbers: list[float]):
        return last_row(series(numbers) + series([50.0 * scale] * len(numbers), region="000000"))

    scaled = told([value * scale for value in values])
    plain = last_row(series(values) + series([50.0] * len(values), region="000000"))
    assert (scaled.trend, scaled.finding, scaled.s) == (plain.trend, plain.finding, plain.s)
    assert scaled.slope == plain.slope * scale
    turned = {"improving": "worsening", "worsening": "improving", "steady": "steady"}
    assert last_row(series(values[::-1])).trend == turned[plain.trend]


# --- what rests on what ---


def test_a_changed_year_reaches_itself_and_later_years() -> None:
    mart = MARTS["trend"]
    years = [slice_of(RATE, str(year))[1] for year in range(2015, 2020)]
    known = {slice_of(BROKEN, "2015")[0]: [*years, slice_of(RATE, "2018-03")[1]]}
    possible = mart.slices(CATALOGUE, known)
    found = reach.touched({slice_of(BROKEN, "2018")}, possible, mart.rests_on, CATALOGUE, known)
    assert found == {slice_of(BROKEN, str(year)) for year in (2018, 2019)}


def test_readers_can_filter_worse_and_worsening(centre: Centre) -> None:
    for step in range(5):
        values = 60 + np.arange(31.0) + step * np.linspace(-2, 2, 31)
        centre.night(*returns_everywhere("health_annual", str(2016 + step), BROKEN, values.tolist()))
    asked = "SELECT region_code, first_period_code, years, trend FROM mart.trend WHERE period_code = '2020' ORDER BY region_code"
    rows = centre.rows(asked)
    assert [row[:3] for row in rows] == [(code, "2016", 5) for code in PROVINCES]
    assert (rows[0][3], rows[15][3], rows[-1][3]) == ("worsening", "steady", "improving")
