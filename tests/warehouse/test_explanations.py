"""Explanations: each mart's row with its formula, what it rests on, checks, earlier vintages; and what there is instead."""

import datetime
from typing import Any

import pytest

from pipelines.commands.explain import MARTS as EXPLAINED
from tests.warehouse.centre import (
    CATALOGUE,
    PROVINCES,
    Cell,
    Centre,
    School,
    beds,
    employment,
    everywhere,
    health,
    people,
    school,
)
from warehouse.checking import record_checks
from warehouse.errors import AmbiguousMartRowError, NoSuchMartRowError, NothingInForceError
from warehouse.explanations import DIMENSIONS, Explanation, Mart, complete, explain
from warehouse.formulas import number
from warehouse.lineage import choose_extremes
from warehouse.marts.registry import MARTS
from warehouse.publishing import see_as_of

RATE = {"indicator_code": "HLT_BEDS_PER_1000", "period_code": "2024", "region_code": "510000", "area_type": "total"}
BEDS = RATE | {"indicator_code": "HLT_BEDS"}
BETWEEN = {
    "indicator_code": "HLT_BEDS_PER_1000", "period_code": "2024", "area_type": "total", "scope": "nation:province",
    "weighting": "population",
}  # fmt: skip


def explained(
    centre: Centre,
    mart: Mart,
    asked: dict[str, str],
    shown: int | None = None,
    as_of: datetime.datetime | None = None,
) -> list[Explanation]:
    with centre.engine.begin() as connection:
        if as_of is not None:
            see_as_of(connection, as_of)
        return explain(connection, mart, asked, shown)


def a_rate(centre: Centre, value: float = 7000.0) -> None:
    centre.night(health(beds(value)), employment(people(1_000_000.0)))


def a_nation(centre: Centre) -> None:
    centre.night(
        *everywhere("health_annual", "2024", "HLT_BEDS", [100.0 + n for n in range(31)]),
        *everywhere("employment_annual", "2024", "POP_RESIDENT", [10_000.0 + 10 * n for n in range(31)]),
    )


def test_a_rate_is_told_with_its_numbers_and_ends_in_two_cells(centre: Centre) -> None:
    a_rate(centre)
    [made] = explained(centre, "observation", RATE)
    assert made.formula == ("1,000 × HLT_BEDS / POP_RESIDENT = 1,000 × 7,000 / 1,000,000 = 7",)
    assert made.recomputed == {"value": 7.0}
    cells = [(leaf.indicator_code, leaf.source.platform, leaf.source_cell) for leaf in made.leaves if leaf.source]
    assert cells == [("HLT_BEDS", "510000/health", "表1!C5"), ("POP_RESIDENT", "510000/employment", "表1!C5")]


def test_a_reported_figure_names_its_return(centre: Centre) -> None:
    delivery = health(beds(7000.0))
    centre.night(delivery)
    [made] = explained(centre, "observation", BEDS)
    [leaf] = made.leaves
    assert leaf.source is not None
    assert (leaf.source.form, leaf.source.period_code, leaf.source.sequence) == ("health_annual", "2024", 1)
    assert (leaf.source.sha256, leaf.source.fetched_at) == (delivery.sha256, centre.now())


def test_a_blank_cell_is_explained_as_one(centre: Centre) -> None:
    centre.night(health(beds(None)))
    [made] = explained(centre, "observation", BEDS)
    assert made.leaves[0].value is None
    assert made.leaves[0].source_cell == "表1!C5"


def test_earlier_vintages_are_told_latest_first(centre: Centre) -> None:
    for value in (7000.0, 7100.0, 7200.0):
        a_rate(centre, value)
    [made] = explained(centre, "observation", RATE)
    assert [vintage.value for vintage in made.units[0].figure.earlier] == [7.1, 7.0]
    [beds_part, _] = [part.figure for part in made.units[0].figure.parts]
    assert [(vintage.value, vintage.source_cell) for vintage in beds_part.earlier] == [
        (7100.0, "表1!C5"),
        (7000.0, "表1!C5"),
    ]


def test_as_of_a_moment_tells_what_readers_saw_then(centre: Centre) -> None:
    a_rate(centre)
    first = centre.now()
    a_rate(centre, 8000.0)
    [then], [now] = explained(centre, "observation", RATE, as_of=first), explained(centre, "observation", RATE)
    assert (then.row["value"], then.recomputed["value"], then.release["release_id"]) == (7.0, 7.0, 1)
    assert then.units[0].figure.earlier == ()
    assert (now.row["value"], now.recomputed["value"], now.release["release_id"]) == (8.0, 8.0, 2)


def test_before_the_first_release_nothing_was_in_force(centre: Centre) -> None:
    a_rate(centre)
    with pytest.raises(NothingInForceError, match="release_history"):
        explained(centre, "observation", RATE, as_of=centre.now() - datetime.timedelta(days=1))


def test_checks_that_warned_or_held_are_told_with_the_returns_they_name(centre: Centre) -> None:
    refresh = centre.open()
    centre.load(health(beds(7000.0)), health(beds(1.0, "110000"), province="110000"), refresh=refresh)
    [named, other] = centre.values("SELECT receipt_id FROM ops.return_receipt ORDER BY region_code DESC")
    check: dict[str, Any] = {
        "suite": "health", "subject": "ranges", "evaluated": 2, "unexpected": 1, "explanation": "odd", "sample": "[]",
    }  # fmt: skip
    checks = [
        check | {"check_id": "health.holds", "severity": "blocking", "success": True, "arrivals": "[]"},
        check | {"check_id": "health.odd", "severity": "warning", "success": False, "arrivals": f"[{named}]"},
        check | {"check_id": "health.other", "severity": "blocking", "success": False, "arrivals": f"[{other}]"},
    ]
    with centre.engine.begin() as connection:
        record_checks(connection, refresh, "health_annual", checks, centre.now())
    centre.compute(refresh)
    centre.prepare()
    centre.publish(refresh)
    [made] = explained(centre, "observation", BEDS)
    source = made.leaves[0].source
    assert source is not None
    assert source.checks_passed == 1
    assert [(found.check_id, found.outcome) for found in source.findings] == [("health.odd", "warned")]


def test_an_attainment_is_told_against_its_floor(centre: Centre) -> None:
    centre.night(school(Cell("EDU_SENIOR_PUPILS", "510000", 1500.0), Cell("EDU_SENIOR_TEACHERS", "510000", 100.0)))
    asked = {**RATE, "indicator_code": "EDU_SENIOR_PUPILS_PER_TEACHER", "period_code": "SY2024"}
    [made] = explained(centre, "attainment", asked)
    assert made.formula == (
        "margin = (floor − value) / floor = (12.5 − 15) / 12.5 = -0.2; margin ≥ 0 is attained: not attained",
    )
    assert made.recomputed == {"margin": pytest.approx(made.row["margin"])}
    assert [leaf.indicator_code for leaf in made.leaves] == ["EDU_SENIOR_PUPILS", "EDU_SENIOR_TEACHERS"]


def test_a_gap_rests_on_town_and_country(centre: Centre) -> None:
    sides = (Cell("INC_DISPOSABLE", "510000", 50_000.0, "urban"), Cell("INC_DISPOSABLE", "510000", 20_000.0, "rural"))
    centre.night(employment(*sides))
    asked = {"indicator_code": "INC_DISPOSABLE", "period_code": "2024", "region_code": "510000"}
    [made] = explained(centre, "urban_rural_gap", asked)
    assert made.formula[0] == "ratio = urban / rural = 50,000 / 20,000 = 2.5"
    assert made.recomputed == {"ratio": 2.5, "difference": 30_000.0}
    assert [leaf.area_type for leaf in made.leaves] == ["urban", "rural"]


@pytest.mark.parametrize("weighting", ["none", "population"])
def test_an_inequality_is_given_again_by_its_units(centre: Centre, weighting: str) -> None:
    a_nation(centre)
    [made] = explained(centre, "inequality", BETWEEN | {"weighting": weighting})
    assert made.row["status"] == "ok"
    assert set(made.recomputed) == {
        "mean", "cv", "gini", "theil_t", "theil_t_within", "theil_t_between", "max_min_ratio"
    }  # fmt: skip
    for name, value in made.recomputed.items():
        assert value == pytest.approx(made.row[name], rel=1e-12), name
    assert {unit.figure.region_code for unit in made.units} == set(PROVINCES)
    assert len(made.leaves) == 62
    assert all((unit.weight is not None) == (weighting == "population") for unit in made.units)


@pytest.mark.parametrize("scope", ["640000:county", "nation:county"])
def test_an_inequality_of_counties_is_given_again_by_them(centre: Centre, scope: str) -> None:
    """The groups of Theil are prefectures in a province and provinces in the nation."""
    counties = [row.region_code for row in CATALOGUE.region_rows if row.is_county_unit and row.region_code[:2] == "64"]
    centre.night(
        health(*(beds(100.0 + 7 * n, code) for n, code in enumerate(counties)), province="640000"),
        employment(*(people(10_000.0 + n, code) for n, code in enumerate(counties)), province="640000"),
    )
    [made] = explained(centre, "inequality", BETWEEN | {"scope": scope})
    assert made.unit_count == len(counties) > 20
    if scope == "nation:county":
        assert made.formula[-1] == "no measure is published: insufficient_coverage"
        assert made.recomputed == {}
    else:
        assert {name: made.row[name] for name in made.recomputed} == pytest.approx(made.recomputed, rel=1e-12)
        assert made.recomputed["theil_t_within"] > 0


def test_of_many_units_the_largest_and_the_smallest_are_followed(centre: Centre) -> None:
    a_nation(centre)
    [made] = explained(centre, "inequality", BETWEEN, shown=5)
    values = [unit.figure.value for unit in explained(centre, "inequality", BETWEEN)[0].units]
    assert [unit.figure.value for unit in made.units] == [*values[:3], *values[-2:]]
    assert made.unit_count == 31
    assert made.recomputed == pytest.approx(explained(centre, "inequality", BETWEEN)[0].recomputed)


def test_of_the_nation_the_largest_and_the_smallest_province_are_followed(centre: Centre) -> None:
    a_nation(centre)
    [made] = explained(centre, "observation", RATE | {"region_code": "000000"}, shown=2)
    figure = made.units[0].figure
    assert [(part.role, part.figure.region_code) for part in figure.parts] == [
        ("numerator", PROVINCES[-1]), ("denominator", PROVINCES[-1]), ("numerator", PROVINCES[0]), ("denominator", PROVINCES[0])
    ]  # fmt: skip
    assert figure.regions == 31
    assert figure.recomputed == pytest.approx(figure.value)


@pytest.mark.parametrize(
    ("mart", "changed", "there"),
    [
        ("observation", {"period_code": "2021"}, {"period_code": ["2024"]}),
        ("observation", {"region_code": "520000"}, {"region_code": ["510000"]}),
        ("observation", {"area_type": "rural"}, {"area_type": ["total"]}),
        ("observation", {"indicator_code": "HLT_BED"}, {"indicator_code": ["HLT_BEDS", "HLT_BEDS_PER_1000"]}),
        ("observation", {"period_code": "2021", "area_type": "rural"},
         {"period_code": ["2024"], "region_code": ["510000"], "area_type": ["total"]}),
    ],
)  # fmt: skip
def test_where_there_is_no_such_row_it_says_what_there_is(
    centre: Centre, mart: Mart, changed: dict[str, str], there: dict[str, list[str]]
) -> None:
    a_rate(centre)
    with pytest.raises(NoSuchMartRowError, match=next(iter(there.values()))[0]) as raised:
        explained(centre, mart, RATE | changed)
    assert raised.value.nearby == there


def test_an_indicator_that_is_not_compared_leads_to_one_that_is(centre: Centre) -> None:
    a_nation(centre)
    with pytest.raises(NoSuchMartRowError) as raised:
        explained(centre, "inequality", BETWEEN | {"indicator_code": "HLT_BEDS"})
    assert raised.value.nearby == {"indicator_code": ["HLT_BEDS_PER_1000"]}


@pytest.mark.parametrize(
    ("shown", "chosen"), [(None, [3, 1, 2, 4]), (4, [3, 1, 2, 4]), (3, [3, 1, 4]), (2, [3, 4]), (1, [3])]
)
def test_extremes_are_the_largest_then_the_smallest(shown: int | None, chosen: list[int]) -> None:
    assert choose_extremes({1: 5.0, 2: 4.0, 3: 9.0, 4: 1.0}, shown) == chosen


@pytest.mark.parametrize(
    ("value", "told"),
    [(None, "nothing"), (0.1 + 0.2, "0.3"), (1234567.0, "1,234,567"), (3.5e12, "3,500,000,000,000"), (-0.25, "-0.25")],
)
def test_numbers_are_told_without_noise(value: float | None, told: str) -> None:
    assert number(value) == told


# --- any other mart, by what the registry says it rests on ---


def asked_of(mart: str, **changed: str) -> dict[str, str]:
    """A row of a mart about beds, as the command completes it."""
    return complete(mart, {"indicator_code": "HLT_BEDS_PER_1000", "period_code": "2024", **changed})


def some_years(centre: Centre, *years: int) -> None:
    centre.night(
        *(
            each
            for year in years
            for indicator, base, form in (("HLT_BEDS", 100.0, "health"), ("POP_RESIDENT", 1e4, "employment"))
            for each in everywhere(f"{form}_annual", str(year), indicator, [base + n + year for n in range(31)])
        )
    )


def figures_of(made: Explanation) -> list[tuple[str, str, str, str]]:
    return [
        (unit.role, unit.figure.indicator_code, unit.figure.region_code, unit.figure.period_code) for unit in made.units
    ]


def test_a_trend_rests_on_its_years_and_on_the_nation(centre: Centre) -> None:
    some_years(centre, 2022, 2023, 2024)
    [made] = explained(centre, "trend", asked_of("trend", region_code="510000"))
    code = "HLT_BEDS_PER_1000"
    assert [each for each in figures_of(made) if each[0] == ""] == [
        ("", code, "510000", "2024"), ("", code, "510000", "2023"), ("", code, "510000", "2022")
    ]  # fmt: skip
    assert ("nation", code, "000000", "2024") in figures_of(made)
    assert made.recomputed == pytest.approx({name: made.row[name] for name in ("value", "nation_value")})
    assert {leaf.indicator_code for leaf in made.leaves} == {"HLT_BEDS", "POP_RESIDENT"}


def test_its_measures_are_told_with_formula_and_what_they_are_not_for(centre: Centre) -> None:
    some_years(centre, 2023, 2024)
    [made] = explained(centre, "trend", asked_of("trend", region_code="510000"))
    sen = {measure.measure: measure for measure in made.measures}["theil_sen"]
    assert (sen.values["slope"], sen.unit) == (None, "the indicator's unit a year")
    assert sen.definition
    assert f"formula: {sen.definition}" in made.formula
    assert f"not for: {sen.not_for}" in made.formula


def test_of_a_scope_some_places_are_followed_with_what_weighs_them(centre: Centre) -> None:
    some_years(centre, 2023, 2024)
    asked = asked_of("inequality_bounds", weighting="population", indicator_code="HLT_BEDS")
    with pytest.raises(NoSuchMartRowError):
        explained(centre, "inequality_bounds", asked)
    [made] = explained(centre, "convergence", asked_of("convergence"), shown=4)
    assert (made.unit_count, made.shown_count) == (31, 4)
    codes = [unit.figure.region_code for unit in made.units]
    assert codes[::2] == codes[1::2]
    assert {unit.figure.period_code for unit in made.units} == {"2023", "2024"}
    assert all(unit.weight is None for unit in made.units)


def test_a_risk_rests_on_the_years_its_line_goes_through(centre: Centre) -> None:
    code = "EDU_SENIOR_PUPILS_PER_TEACHER"
    for year in (2021, 2022, 2023):
        cells = (Cell("EDU_SENIOR_PUPILS", "510000", 1500.0 - year), Cell("EDU_SENIOR_TEACHERS", "510000", 100.0))
        centre.night(school(*cells, period=f"SY{year}"))
    asked = {"indicator_code": code, "period_code": "SY2023", "region_code": "510000"}
    [made] = explained(centre, "shortfall_risk", complete("shortfall_risk", asked))
    assert figures_of(made) == [("", code, "510000", f"SY{year}") for year in (2023, 2022, 2021)]
    assert made.row["years"] == 3


def test_a_change_names_both_years_and_their_weights(centre: Centre) -> None:
    some_years(centre, 2023, 2024)
    named = {"weighting": "population", "measure": "theil_t", "region_code": "510000", "part": "numerator"}
    [made] = explained(centre, "change_attribution", asked_of("change_attribution", **named), shown=2)
    assert [each[2:] for each in figures_of(made)[:2]] == [("510000", "2024"), ("510000", "2023")]
    assert {each[0] for each in figures_of(made)} == {"", "among"}
    assert all(unit.weight is not None for unit in made.units)
    assert (made.unit_count, made.shown_count) == (31, 3)


def test_a_peer_stands_beside_those_it_is_compared_with(centre: Centre) -> None:
    for_all = [
        each
        for number, code in enumerate(PROVINCES)
        for each in (
            health(beds(100.0 + number, code), province=code),
            employment(
                people(1e4 + number * number, code),
                people(5e3 + number, code, area="urban"),
                Cell("INC_DISPOSABLE", code, 2e4 + 10 * number),
                province=code,
            ),
        )
    ]
    centre.night(*for_all)
    with pytest.raises(AmbiguousMartRowError, match="region_code: 110000, 120000"):
        explained(centre, "peer", asked_of("peer"))
    [made] = explained(centre, "peer", asked_of("peer", region_code="510000"))
    peers = made.row["peers"].split(";")
    assert [each[2] for each in figures_of(made) if each[0] == "peer"] == peers
    beside = [(unit.figure.indicator_code, unit.figure.area_type) for unit in made.units if unit.role == "beside"]
    assert set(beside) == {("POP_RESIDENT", "total"), ("POP_RESIDENT", "urban"), ("INC_DISPOSABLE", "total")}
    assert made.recomputed == pytest.approx({name: made.row[name] for name in ("value", "best_peer_value")})


def test_a_cost_rests_on_heads_and_the_budget_it_is_paid_from(centre: Centre) -> None:
    county = "510104"
    centre.night(
        employment(
            Cell("PEN_RESIDENT_EXPENDITURE", county, 2_400_000.0),
            Cell("PEN_RESIDENT_RECIPIENTS", county, 2000.0),
            Cell("FIS_REVENUE", "510000", 1e9),
        )
    )
    named = {"indicator_code": "PEN_RESIDENT_MONTHLY", "region_code": county, "floor_kind": "floor"}
    [made] = explained(centre, "cost_to_floor", asked_of("cost_to_floor", **named))
    assert made.row["revenue_region_code"] == "510000"
    assert [each[:3] for each in figures_of(made)] == [
        ("", "PEN_RESIDENT_MONTHLY", county), ("budget", "FIS_REVENUE", "510000"), ("heads", "PEN_RESIDENT_RECIPIENTS", county)
    ]  # fmt: skip


def test_a_blank_cell_is_followed_on_today_s_map_too(centre: Centre) -> None:
    centre.night(health(beds(None)))
    [made] = explained(centre, "observation_harmonised", BEDS)
    assert [leaf.source_cell for leaf in made.leaves] == ["表1!C5"]


def test_an_index_rests_on_its_members_of_the_year(centre: Centre) -> None:
    a_nation(centre)
    asked = {"indicator_code": "IDX_HEALTH", "period_code": "2024"}
    [made] = explained(centre, "composite_index", complete("composite_index", asked | {"region_code": "510000"}), 2)
    assert {each[:2] for each in figures_of(made)} == {("", "HLT_BEDS_PER_1000"), ("among", "HLT_BEDS_PER_1000")}
    assert made.row["status"] == "insufficient_coverage"
    with pytest.raises(AmbiguousMartRowError, match="member_code: HLT_BEDS_PER_1000, "):
        explained(centre, "index_weight", complete("index_weight", asked))
    [weight] = explained(
        centre, "index_weight", complete("index_weight", asked | {"member_code": "HLT_BEDS_PER_1000"}), 2
    )
    assert [each[2] for each in figures_of(weight)] == [PROVINCES[-1], PROVINCES[0]]


def test_a_county_rests_on_the_cells_of_its_schools(centre: Centre) -> None:
    centre.night(school(schools=tuple(School(f"51010400{n}", times=1.0 + n) for n in range(3))))
    asked = {"indicator_code": "SCHOOL_BALANCE_PRIMARY", "period_code": "SY2024", "region_code": "510104"}
    [made] = explained(centre, "county_balance", asked | {"resource_code": "KEY_TEACHERS"}, 2)
    assert (made.unit_count, made.shown_count) == (3, 2)
    assert made.units[0].figure.formula == "100 × KEY_TEACHERS / PUPILS = 100 × 3 / 100 = 3"
    assert made.row["status"] == "ok"
    assert [(leaf.school_code, leaf.indicator_code) for leaf in made.leaves] == [
        ("510104002", "KEY_TEACHERS"), ("510104002", "PUPILS"), ("510104000", "KEY_TEACHERS"), ("510104000", "PUPILS")
    ]  # fmt: skip
    assert all(leaf.source is not None and leaf.source_cell for leaf in made.leaves)
    [verdict] = explained(centre, "county_balance", asked | {"resource_code": "ALL"})
    assert len(verdict.units) == 21
    [one] = explained(centre, "school_resource", asked | {"school_code": "510104001"})
    assert len(one.leaves) == 8
    with pytest.raises(AmbiguousMartRowError, match="resource_code: ALL, ARTS_SPORTS_TEACHERS"):
        explained(centre, "county_balance", asked)


def test_every_mart_can_be_explained() -> None:
    assert set(MARTS) <= set(DIMENSIONS)
    assert set(EXPLAINED) == set(DIMENSIONS)
