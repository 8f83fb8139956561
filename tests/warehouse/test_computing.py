"""Computing: derived and national figures follow what was loaded, and only what changed is computed again."""

import dataclasses
import itertools

import pandas as pd
import pytest

from tests.warehouse.centre import (
    CATALOGUE,
    PROVINCES,
    Cell,
    Centre,
    Return,
    beds,
    employment,
    everywhere,
    health,
    people,
    school,
)
from tests.warehouse.frames import slice_of
from warehouse.catalogue import Catalogue
from warehouse.loading import record_warnings


def values_of(centre: Centre, indicator: str, region: str = "510000", area: str = "total") -> dict[str, float | None]:
    return centre.values_of(indicator, region, area)


def computed(centre: Centre, *returns: Return) -> Centre:
    """Load and compute, as a refresh does before its marts."""
    refresh = centre.open()
    centre.load(*returns, refresh=refresh)
    centre.compute(refresh)
    return centre


def test_a_rate_appears_when_both_its_parts_are_there(centre: Centre) -> None:
    computed(centre, health(beds(7000.0)))
    assert values_of(centre, "HLT_BEDS_PER_1000") == {}
    computed(centre, employment(people(1_000_000.0)))
    assert values_of(centre, "HLT_BEDS_PER_1000") == {"2024": 7.0}


def test_a_derived_figure_comes_from_no_return_and_names_no_cell(centre: Centre) -> None:
    computed(centre, health(beds(7000.0)), employment(people(1_000_000.0)))
    traced = "SELECT receipt_id, address FROM core.observation JOIN core.indicator USING (indicator_key) WHERE kind = 'derived'"
    assert centre.rows(traced) == [(None, None)]


def test_a_derived_figure_has_the_weakest_status_of_its_parts(centre: Centre) -> None:
    computed(centre, health(beds(7000.0, status="E")), employment(people(1_000_000.0, status="P")))
    assert ("HLT_BEDS_PER_1000", "2024", "510000", "total", 7.0, "E") in centre.figures()


def test_the_nation_appears_when_all_31_provinces_are_there(centre: Centre) -> None:
    returns = everywhere("health_annual", "2024", "HLT_BEDS", 10.0)
    computed(centre, *returns[:-1])
    assert values_of(centre, "HLT_BEDS", region="000000") == {}
    computed(centre, returns[-1])
    assert values_of(centre, "HLT_BEDS", region="000000") == {"2024": 310.0}


def test_the_national_rate_is_the_ratio_of_the_sums(centre: Centre) -> None:
    computed(
        centre,
        *everywhere("health_annual", "2024", "HLT_BEDS", [1000.0, *[0.0] * 30]),
        *everywhere("employment_annual", "2024", "POP_RESIDENT", [1000.0, *[100.0] * 30]),
    )
    assert values_of(centre, "HLT_BEDS_PER_1000", region="110000") == {"2024": 1000.0}
    assert values_of(centre, "HLT_BEDS_PER_1000", region="000000") == {"2024": 250.0}


def test_a_changed_part_makes_a_vintage_of_the_derived_figure(centre: Centre) -> None:
    computed(centre, health(beds(7000.0)), employment(people(1_000_000.0)))
    computed(centre, health(beds(8000.0)))
    vintages = (
        "SELECT value, superseded_at = 'infinity' FROM core.observation JOIN core.indicator USING (indicator_key)"
        " WHERE code = 'HLT_BEDS_PER_1000' ORDER BY recorded_at"
    )
    assert centre.rows(vintages) == [(7.0, False), (8.0, True)]


def test_a_vanished_part_closes_the_derived_figure(centre: Centre) -> None:
    computed(centre, health(beds(7000.0)), employment(people(1_000_000.0)))
    computed(centre, health(beds(None)))
    assert values_of(centre, "HLT_BEDS") == {"2024": None}
    assert values_of(centre, "HLT_BEDS_PER_1000") == {}


def test_a_part_vanished_in_one_place_leaves_the_figures_of_others(centre: Centre) -> None:
    beijing = [
        health(beds(5.0, region="110000"), province="110000"),
        employment(people(1000.0, region="110000"), province="110000"),
    ]
    computed(centre, health(beds(7000.0)), employment(people(1_000_000.0)), *beijing)
    computed(centre, health(beds(None)))
    assert values_of(centre, "HLT_BEDS_PER_1000", region="110000") == {"2024": 5.0}
    assert values_of(centre, "HLT_BEDS_PER_1000") == {}


def test_a_province_gone_blank_closes_the_nation(centre: Centre) -> None:
    computed(centre, *everywhere("health_annual", "2024", "HLT_BEDS", 10.0))
    computed(centre, health(beds(None)))
    assert values_of(centre, "HLT_BEDS", region="000000") == {}


def test_a_derived_figure_that_vanished_and_returns_is_there_again(centre: Centre) -> None:
    for value in (7000.0, None, 7000.0):
        computed(centre, health(beds(value)), employment(people(1_000_000.0)))
    assert values_of(centre, "HLT_BEDS_PER_1000") == {"2024": 7.0}


def test_a_reported_figure_is_never_closed_by_computing(centre: Centre) -> None:
    computed(centre, health(beds(7000.0), Cell("HLT_BEDS_PER_10K", "510000", 70.0)))
    computed(centre, health(beds(7100.0), period="2023"), employment(people(1.0)))
    assert values_of(centre, "HLT_BEDS_PER_10K") == {"2024": 70.0}


def test_computing_again_in_the_same_refresh_changes_nothing(centre: Centre) -> None:
    refresh = centre.open()
    centre.load(health(beds(7000.0)), employment(people(1_000_000.0)), refresh=refresh)
    centre.compute(refresh)
    before = centre.values("SELECT o::text FROM core.observation o ORDER BY 1")
    centre.compute(refresh)
    assert centre.values("SELECT o::text FROM core.observation o ORDER BY 1") == before
    assert len(before) == 3


def test_nothing_changed_nothing_is_computed(centre: Centre) -> None:
    centre.night(health(beds(7000.0)), employment(people(1_000_000.0)))
    refresh = centre.open()
    assert centre.compute(refresh) is None


def test_only_slices_that_a_change_reaches_are_computed(centre: Centre) -> None:
    both = [*(health(beds(7000.0), period=year) for year in ("2023", "2024"))]
    centre.night(*both, *(employment(people(1_000_000.0), period=year) for year in ("2023", "2024")))
    centre.execute("UPDATE core.observation SET value = -1 WHERE receipt_id IS NULL")
    computed(centre, health(beds(8000.0), period="2024"))
    assert values_of(centre, "HLT_BEDS_PER_1000") == {"2023": -1.0, "2024": 8.0}


# --- another catalogue ---


def test_a_new_floor_reaches_periods_that_are_loaded(centre: Centre) -> None:
    pupils = school(Cell("EDU_SENIOR_PUPILS", "510000", 1500.0), Cell("EDU_SENIOR_TEACHERS", "510000", 100.0))
    centre.night(pupils)
    assert centre.rows("SELECT value, floor_value, attained FROM mart.attainment") == [(15.0, 12.5, False)]
    eased = [
        row.model_copy(update={"value": 20.0}) if row.indicator_code == "EDU_SENIOR_PUPILS_PER_TEACHER" else row
        for row in CATALOGUE.standards
    ]
    centre.catalogue = dataclasses.replace(CATALOGUE, standards=tuple(eased), sha256="eased")
    made = centre.night()
    assert made is not None
    assert made.revisions == 0
    assert centre.rows("SELECT value, floor_value, attained FROM mart.attainment") == [(15.0, 20.0, True)]


def test_another_catalogue_recomputes_once(centre: Centre) -> None:
    centre.night(health(beds(7000.0)))
    centre.catalogue = dataclasses.replace(CATALOGUE, sha256="another")
    assert centre.night() is not None
    assert centre.night() is None


def test_a_new_formula_makes_a_vintage_of_what_is_loaded(centre: Centre) -> None:
    centre.night(health(beds(7000.0)), employment(people(1_000_000.0)))
    rate = CATALOGUE.indicators["HLT_BEDS_PER_1000"].model_copy(update={"multiplier": 100.0})
    indicators = dict(CATALOGUE.indicators) | {rate.code: rate}
    centre.catalogue = dataclasses.replace(CATALOGUE, indicators=indicators, sha256="another")
    centre.night()
    assert values_of(centre, "HLT_BEDS_PER_1000") == {"2024": 0.7}


def without(code: str) -> Catalogue:
    """The catalogue after an indicator was taken out of it, and the indices, of which it may be a member."""
    indicators = {name: row for name, row in CATALOGUE.indicators.items() if name != code}
    standards = tuple(row for row in CATALOGUE.standards if row.indicator_code in indicators)
    rates = tuple(row for row in CATALOGUE.recomputed_rates if code not in (row.reported_code, row.recomputed_code))
    return dataclasses.replace(
        CATALOGUE, indicators=indicators, standards=standards, recomputed_rates=rates, indices={}, sha256="fewer"
    )


@pytest.mark.parametrize("was_published", [True, False])
def test_an_indicator_the_catalogue_no_longer_has_stops_no_refresh(centre: Centre, was_published: bool) -> None:
    returns = [health(beds(7000.0)), employment(people(1_000_000.0))]
    if was_published:
        centre.night(*returns)
    else:
        computed(centre, *returns)
    centre.catalogue = without("HLT_BEDS_PER_1000")
    assert centre.night(health(beds(8000.0))) is not None
    assert values_of(centre, "HLT_BEDS") == {"2024": 8000.0}
    assert values_of(centre, "HLT_BEDS_PER_1000") == {"2024": 7.0}


# --- warnings ---


@pytest.mark.parametrize(("warned", "grade"), [("HLT_PHYSICIANS_PER_10K", "B"), ("HLT_BEDS_PER_10K", "A")])
def test_a_metric_of_figures_that_warned_has_grade_b(centre: Centre, warned: str, grade: str) -> None:
    refresh = centre.open()
    figures = [
        Return(
            "health_annual",
            code,
            "2024",
            (Cell("HLT_PHYSICIANS_PER_10K", code, 30.0), Cell("HLT_BEDS_PER_10K", code, 70.0)),
        )
        for code in PROVINCES
    ]
    centre.load(*figures, refresh=refresh)
    slices = pd.DataFrame([(*slice_of(warned, "2024"), 3)], columns=["indicator_key", "period_key", "warnings"])
    with centre.engine.begin() as connection:
        record_warnings(connection, refresh, slices)
    centre.compute(refresh)
    centre.prepare()
    centre.publish(refresh)
    grades = (
        "SELECT grade FROM mart.inequality WHERE indicator_code = 'HLT_PHYSICIANS_PER_10K' AND area_type = 'total'"
        " AND scope = 'nation:province' AND weighting = 'none'"
    )
    assert centre.values(grades) == [grade]


def test_warnings_count_for_what_their_refresh_changed_alone(centre: Centre) -> None:
    centre.load(health(beds(1.0)))
    second = centre.open()
    centre.load(health(beds(1.0, last_digit=0.1)), employment(people(1.0)), refresh=second)
    warned = [(*slice_of("HLT_BEDS", "2024"), 1), (*slice_of("POP_RESIDENT", "2024"), 2)]
    columns = ["indicator_key", "period_key", "warnings"]
    with centre.engine.begin() as connection:
        record_warnings(connection, second, pd.DataFrame(warned, columns=columns))
        record_warnings(connection, second, pd.DataFrame([], columns=columns))
    counted = "SELECT code, warnings FROM ops.changed_slice JOIN core.indicator USING (indicator_key) ORDER BY code"
    assert centre.rows(counted) == [("HLT_BEDS", 0), ("POP_RESIDENT", 2)]


# --- step by step ---

# Population as denominator and weight with its look-back, a school-year rate, a weighted mean, a blank, an estimate.
STEPS: dict[str, list[Return]] = {
    "people 2023": everywhere("employment_annual", "2023", "POP_RESIDENT", [1000.0 + n for n in range(31)]),
    "people 2024": everywhere("employment_annual", "2024", "POP_RESIDENT", [2000.0 + n for n in range(31)]),
    "beds": everywhere("health_annual", "2024", "HLT_BEDS", [10.0 * n + 1 for n in range(31)]),
    "schools": [
        school(
            Cell("EDU_PRIMARY_PUPILS", code, 100.0 + n, status="E"),
            Cell("EDU_PRIMARY_TEACHERS", code, 10.0),
            Cell("EDU_PRIMARY_PUPILS", code, 40.0 + n, "rural"),
            Cell("EDU_PRIMARY_TEACHERS", code, 5.0, "rural"),
            Cell("EDU_PRIMARY_PUPILS", code, 60.0, "urban"),
            Cell("EDU_PRIMARY_TEACHERS", code, 5.0 if n else None, "urban"),
            Cell("EDU_PRIMARY_PUBLIC_FUNDS", code, 700.0 + n, "rural"),
            Cell("EDU_PRIMARY_PUBLIC_FUNDS", code, 800.0, "urban"),
            province=code,
        )
        for n, code in enumerate(PROVINCES)
    ],
}


def published(centre: Centre) -> tuple[object, ...]:
    """Everything computed: current figures without their times, and marts without their releases."""
    marts = [
        centre.values(f"SELECT (to_jsonb(m) - 'release_id')::text FROM mart.{mart} m ORDER BY 1")
        for mart in ("attainment", "urban_rural_gap", "inequality")
    ]
    assert all(marts)
    return centre.figures(), *marts


@pytest.fixture
def at_once(centre: Centre) -> tuple[object, ...]:
    """What is published where all is loaded in one night."""
    centre.night(*itertools.chain(*STEPS.values()))
    everything = published(centre)
    centre.empty()
    return everything


@pytest.mark.parametrize(
    "order",
    [("people 2023", "people 2024", "beds", "schools"), ("schools", "beds", "people 2024", "people 2023")],
    ids=["parts first", "parts last"],
)
def test_night_by_night_equals_all_at_once(centre: Centre, at_once: tuple[object, ...], order: tuple[str, ...]) -> None:
    for step in order:
        centre.night(*STEPS[step])
    assert published(centre) == at_once


def test_corrections_over_nights_equal_the_final_figures_at_once(centre: Centre, at_once: tuple[object, ...]) -> None:
    wrong = everywhere("employment_annual", "2024", "POP_RESIDENT", [99.0, None, *[5.0] * 29])
    centre.night(*STEPS["schools"], *wrong)
    centre.night(*STEPS["people 2023"], *STEPS["beds"])
    centre.night(*STEPS["people 2024"])
    assert published(centre) == at_once
