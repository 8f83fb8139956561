"""Releases: readers see one whole state, the old or the new; its hash is of contents."""

import pytest
from sqlalchemy import Engine

from tests.warehouse.centre import Cell, Centre, Return, beds, employment, everywhere, health, people, school
from warehouse.errors import PublishRefusedError
from warehouse.publishing import gather_statistics

MARTS = ("observation", "attainment", "urban_rural_gap", "inequality")


def a_year(
    population: float = 100_000.0, town: float = 20_000.0, county_beds: float = 700.0, period: str = "2024"
) -> list[Return]:
    """Returns of Sichuan that give rows in every mart but inequality: a rate under its target, a gap."""
    return [
        employment(
            people(population),
            Cell("INC_DISPOSABLE", "510000", town, "urban"),
            Cell("INC_DISPOSABLE", "510000", 10_000.0, "rural"),
            period=period,
        ),
        health(Cell("HLT_PHYSICIANS", "510000", county_beds), period=period),
    ]


def seen(centre: Centre) -> dict[str, list[str]]:
    """What a reader sees of every mart, without the numbers of releases and receipts, and without times."""
    hidden = "'{release_id, receipt_id, recorded_at, source_cell}'::text[]"
    return {
        mart: centre.values(f"SELECT (to_jsonb(m) - {hidden})::text FROM mart.{mart} m ORDER BY 1") for mart in MARTS
    }


def figure(centre: Centre, indicator: str) -> list[float]:
    return centre.values("SELECT value FROM mart.observation WHERE indicator_code = :code", code=indicator)


def sha256(centre: Centre) -> str:
    return str(centre.values("SELECT marts_sha256 FROM mart.release WHERE status = 'in_force'")[0])


# --- what a reader sees ---


def test_before_the_first_release_readers_see_no_figures(centre: Centre) -> None:
    refresh = centre.open()
    centre.load(*a_year(), refresh=refresh)
    centre.compute(refresh)
    centre.prepare()
    assert all(rows == [] for rows in seen(centre).values())


def test_a_release_shows_figures_and_metrics(centre: Centre) -> None:
    centre.night(*a_year())
    assert figure(centre, "HLT_PHYSICIANS_PER_1000") == [7.0]
    assert centre.rows("SELECT ratio, disadvantaged FROM mart.urban_rural_gap") == [(2.0, "rural")]
    assert centre.rows("SELECT indicator_code, region_name, floor_value, attained FROM mart.attainment") == [
        ("HLT_PHYSICIANS_PER_1000", "四川省", 3.2, True)
    ]


def test_readers_see_the_old_release_until_the_new_one_is_published(centre: Centre) -> None:
    centre.night(*a_year())
    old = seen(centre)
    refresh = centre.open()
    centre.load(*a_year(population=200_000.0, town=30_000.0), refresh=refresh)
    assert seen(centre) == old
    centre.compute(refresh)
    assert seen(centre) == old
    centre.prepare()
    assert seen(centre) == old
    centre.publish(refresh)
    new = seen(centre)
    assert all(new[mart] != old[mart] for mart in ("observation", "attainment", "urban_rural_gap"))


def test_a_reader_in_the_middle_of_a_transaction_keeps_the_old_release(centre: Centre) -> None:
    centre.night(*a_year())
    with centre.engine.connect().execution_options(isolation_level="REPEATABLE READ") as reader:
        count = "SELECT count(*), max(release_id) FROM mart.observation"
        before = reader.exec_driver_sql(count).one()
        centre.night(*a_year(population=200_000.0))
        assert reader.exec_driver_sql(count).one() == before


def test_every_figure_is_seen_once(centre: Centre) -> None:
    for population in (100_000.0, 200_000.0, 300_000.0):
        centre.night(*a_year(population=population))
    assert figure(centre, "POP_RESIDENT") == [300_000.0]
    assert centre.values("SELECT count(*) FROM mart.attainment") == [1]
    assert centre.values("SELECT count(*) FROM mart.urban_rural_gap") == [1]


def test_a_metric_of_a_figure_that_vanished_is_seen_no_more(centre: Centre) -> None:
    centre.night(*a_year())
    centre.night(health(Cell("HLT_PHYSICIANS", "510000", None)))
    assert centre.rows("SELECT * FROM mart.attainment") == []
    assert figure(centre, "HLT_PHYSICIANS_PER_1000") == []


# --- numbers of releases ---


def test_a_figure_bears_the_release_it_first_appeared_in(centre: Centre) -> None:
    centre.night(*a_year(), health(beds(5.0)))
    centre.night(health(beds(6.0)))
    rows = centre.rows(
        "SELECT indicator_code, release_id FROM mart.observation WHERE indicator_code IN ('HLT_BEDS', 'POP_RESIDENT')"
        " ORDER BY 1"
    )
    assert rows == [("HLT_BEDS", 2), ("POP_RESIDENT", 1)]


def test_a_metric_bears_the_release_it_was_last_computed_in(centre: Centre) -> None:
    centre.night(*a_year())
    centre.night(health(Cell("HLT_PHYSICIANS", "510000", 800.0)))
    assert centre.values("SELECT release_id FROM mart.attainment") == [2]
    assert centre.values("SELECT release_id FROM mart.urban_rural_gap") == [1]


def test_a_figure_of_a_refresh_that_published_nothing_bears_the_next_release(centre: Centre) -> None:
    centre.load(health(beds(5.0)))
    centre.night(employment(people(1000.0)))
    assert centre.values("SELECT DISTINCT release_id FROM mart.observation") == [1]
    assert centre.values("SELECT release_id FROM ops.refresh ORDER BY refresh_id") == [1, 1]


def test_nothing_changed_no_release(centre: Centre) -> None:
    assert centre.night(*a_year()) is not None
    assert centre.night(*a_year()) is None
    assert centre.values("SELECT release_id FROM mart.release") == [1]


def test_a_release_tells_what_it_holds(centre: Centre) -> None:
    centre.night(*a_year())
    made = centre.night(*a_year(population=200_000.0))
    assert made is not None
    counted = centre.values("SELECT count(*) FROM mart.observation")[0]
    assert (made.release_id, made.observations, made.revisions) == (2, counted, 1)
    told = "SELECT status, observations, revisions, marts_sha256 FROM mart.release ORDER BY release_id"
    assert [row[:3] for row in centre.rows(told)] == [("published", 5, 0), ("in_force", 5, 1)]
    assert centre.rows(told)[1][3] == made.marts_sha256


def test_a_release_counts_the_checks_of_its_refresh(centre: Centre) -> None:
    refresh = centre.open()
    centre.load(*a_year(), refresh=refresh)
    centre.compute(refresh)
    centre.prepare()
    for success, severity in ((True, "blocking"), (True, "warning"), (False, "warning"), (False, "blocking")):
        centre.execute(
            "INSERT INTO ops.check_result (refresh_id, target, subject, suite, check_id, severity, success, evaluated,"
            " unexpected, explanation, created_at) VALUES (:refresh, 't', 's', 's', 'c', :severity, :success, 1, 0, 'x', now())",
            refresh=refresh.refresh_id,
            severity=severity,
            success=success,
        )
    centre.publish(refresh)
    assert centre.rows("SELECT checks_passed, checks_warned, checks_failed FROM mart.release") == [(2, 1, 1)]


# --- killed refreshes ---


def test_what_a_killed_refresh_prepared_is_replaced_by_the_next(centre: Centre) -> None:
    centre.night(*a_year())
    old = seen(centre)
    killed = centre.open()
    centre.load(*a_year(town=30_000.0), refresh=killed)
    centre.compute(killed)
    centre.prepare()
    assert seen(centre) == old
    centre.night(*a_year(town=40_000.0))
    assert centre.rows("SELECT ratio, release_id FROM mart.urban_rural_gap") == [(4.0, 2)]
    assert centre.values("SELECT count(*) FROM core.urban_rural_gap WHERE release_from = 2") == [1]


@pytest.mark.parametrize("died_after", ["loading", "computing", "preparing"])
def test_killed_anywhere_the_next_refresh_ends_in_the_same_state(centre: Centre, died_after: str) -> None:
    centre.night(*a_year())
    centre.night(*a_year(town=30_000.0, population=5.0))
    expected, hash_expected = seen(centre), sha256(centre)
    centre.empty()
    centre.night(*a_year())
    killed = centre.open()
    centre.load(*a_year(town=30_000.0, population=5.0), refresh=killed)
    if died_after != "loading":
        centre.compute(killed)
    if died_after == "preparing":
        centre.prepare()
    centre.night()
    assert seen(centre) == expected
    assert sha256(centre) == hash_expected


def test_preparing_twice_is_preparing_once(centre: Centre) -> None:
    refresh = centre.open()
    centre.load(*a_year(), refresh=refresh)
    centre.compute(refresh)
    assert centre.prepare() == centre.prepare() == 1
    centre.publish(refresh)
    assert centre.values("SELECT count(*) FROM mart.urban_rural_gap") == [1]


# --- what is not published ---


def test_marts_that_were_not_computed_are_not_published(centre: Centre) -> None:
    refresh = centre.open()
    centre.load(*a_year(), refresh=refresh)
    centre.compute(refresh)
    with pytest.raises(PublishRefusedError, match="pairs are in no mart that passed") as raised:
        centre.publish(refresh)
    assert (raised.value.release_id, raised.value.uncovered) == (1, 4)
    assert centre.rows("SELECT * FROM mart.release") == []


def test_a_load_after_the_marts_were_computed_stops_the_release(centre: Centre) -> None:
    refresh = centre.open()
    centre.load(*a_year(), refresh=refresh)
    centre.compute(refresh)
    centre.prepare()
    centre.load(health(beds(5.0), period="2023"))
    with pytest.raises(PublishRefusedError) as raised:
        centre.publish(refresh)
    assert raised.value.uncovered == 1


def test_a_slice_changed_again_after_the_marts_were_computed_stops_the_release(centre: Centre) -> None:
    refresh = centre.open()
    centre.load(*a_year(), refresh=refresh)
    centre.compute(refresh)
    centre.prepare()
    centre.load(*a_year(population=7.0), refresh=refresh)
    with pytest.raises(PublishRefusedError):
        centre.publish(refresh)


def test_nothing_to_publish_is_refused(centre: Centre) -> None:
    centre.night(*a_year())
    with pytest.raises(PublishRefusedError, match="no marts were computed"):
        centre.publish(centre.open())
    assert centre.values("SELECT release_id FROM mart.release") == [1]


@pytest.fixture
def changed_and_back(centre: Centre) -> Centre:
    """A release, a killed refresh that prepared another figure, and a night in which the old figure came back."""
    centre.night(*a_year(), health(beds(5.0), period="2023"))
    killed = centre.open()
    centre.load(*a_year(town=30_000.0), refresh=killed)
    centre.compute(killed)
    centre.prepare()
    assert centre.night(*a_year()) is None
    return centre


def test_a_figure_that_changed_and_changed_back_makes_no_release(changed_and_back: Centre) -> None:
    assert changed_and_back.values("SELECT release_id FROM mart.release") == [1]
    assert changed_and_back.rows("SELECT ratio, release_id FROM mart.urban_rural_gap") == [(2.0, 1)]
    assert changed_and_back.values("SELECT count(*) FROM core.urban_rural_gap WHERE release_from > 1") == [0]
    assert changed_and_back.night() is None


def test_after_a_figure_changed_back_the_next_release_shows_all(changed_and_back: Centre) -> None:
    before = seen(changed_and_back)
    made = changed_and_back.night(health(beds(6.0), period="2023"))
    assert made is not None
    assert made.release_id == 2
    after = seen(changed_and_back)
    assert {mart: after[mart] for mart in MARTS[1:]} == {mart: before[mart] for mart in MARTS[1:]}
    assert figure(changed_and_back, "HLT_BEDS") == [6.0]
    assert len(after["observation"]) == len(before["observation"])
    assert made.marts_sha256 == hash_of(changed_and_back, [*a_year(), health(beds(6.0), period="2023")])


# --- the hash ---

COUNTRY = [
    *everywhere("employment_annual", "2024", "POP_RESIDENT", [1000.0 + n for n in range(31)]),
    *everywhere("health_annual", "2024", "HLT_PHYSICIANS", [3.0 + n for n in range(31)]),
    *everywhere("education_school_year", "SY2024", "EDU_CONSOLIDATION_RATE", 95.5),
]


def hash_of(centre: Centre, *nights: list[Return]) -> str:
    """The hash after these nights in an empty warehouse (whose ids and clock go on)."""
    centre.empty()
    for returns in nights:
        centre.night(*returns)
    return sha256(centre)


@pytest.fixture(scope="module")
def country_sha256(centre_engine: Engine) -> str:
    """The hash of the country, loaded once and in one night."""
    centre = Centre(centre_engine)
    made = hash_of(centre, COUNTRY)
    assert centre.values("SELECT count(*) > 0 FROM mart.inequality") == [True]
    return made


def test_the_hash_is_blind_to_order_steps_ids_and_times(centre: Centre, country_sha256: str) -> None:
    expected = country_sha256
    assert hash_of(centre, COUNTRY) == expected
    assert hash_of(centre, COUNTRY[::-1]) == expected
    assert hash_of(centre, COUNTRY[40:], COUNTRY[:40]) == expected


def test_the_hash_is_blind_to_corrections_on_the_way(centre: Centre, country_sha256: str) -> None:
    wrong = everywhere("employment_annual", "2024", "POP_RESIDENT", 7.0)
    assert hash_of(centre, wrong, COUNTRY) == country_sha256


@pytest.mark.parametrize(
    "other",
    [
        Return("employment_annual", "510000", "2024", (people(1001.5),)),
        Return("employment_annual", "510000", "2024", (people(1021.0000000001),)),
        Return(
            "education_school_year", "510000", "SY2024", (Cell("EDU_CONSOLIDATION_RATE", "510000", 95.5, status="E"),)
        ),
        Return("education_school_year", "510000", "SY2024", (Cell("EDU_CONSOLIDATION_RATE", "510000", None),)),
        Return("employment_annual", "510000", "2023", (people(1.0),)),
    ],
    ids=["a value", "a value in its last digit", "a status", "a figure gone blank", "one more figure"],
)
def test_the_hash_changes_with_one_figure(centre: Centre, country_sha256: str, other: Return) -> None:
    assert hash_of(centre, [*COUNTRY, other]) != country_sha256


def test_the_hash_does_not_cover_what_platforms_owe(centre: Centre, country_sha256: str) -> None:
    late = [Return(r.form, r.province, r.period, r.cells, bad=(("表1!Z9", "?", "not_a_number"),)) for r in COUNTRY]
    assert hash_of(centre, late) == country_sha256


def test_the_hash_returns_with_the_figures(centre: Centre) -> None:
    first = hash_of(centre, a_year())
    centre.night(*a_year(town=30_000.0))
    assert sha256(centre) != first
    centre.night(*a_year())
    assert sha256(centre) == first
    assert centre.values("SELECT release_id FROM mart.release ORDER BY 1") == [1, 2, 3]


# --- statistics ---


def test_statistics_tell_what_is_there(centre: Centre) -> None:
    centre.night(*a_year())
    (before,) = centre.values("SELECT clock_timestamp()")
    with centre.engine.begin() as connection:
        gather_statistics(connection)
    looked_at = "SELECT relname FROM pg_stat_user_tables WHERE schemaname = 'core' AND last_analyze >= :before"
    assert {"attainment", "inequality", "indicator", "region", "period"} <= set(centre.values(looked_at, before=before))
    known = "SELECT reltuples::int FROM pg_class WHERE oid = 'core.observation_2024'::regclass"
    assert centre.values(known) == centre.values(
        "SELECT count(*) FROM core.observation WHERE period_key / 10000 = 2024"
    )


# --- withdrawing ---


def point_at(centre: Centre, release_id: int) -> None:
    """Move the pointer, as withdrawing does."""
    centre.execute(
        "INSERT INTO ops.release_pointer (in_force_from, release_id, recorded_at)"
        " SELECT (SELECT max(in_force_from) FROM ops.release_pointer) + interval '1 hour', release_id, recorded_at"
        " FROM ops.release WHERE release_id = :release_id",
        release_id=release_id,
    )


def test_the_pointer_moved_back_shows_the_old_release_in_every_mart(centre: Centre) -> None:
    centre.night(*a_year(), *COUNTRY)
    old = seen(centre)
    centre.night(*a_year(population=200_000.0, town=30_000.0), school(Cell("EDU_CONSOLIDATION_RATE", "510000", 50.0)))
    new = seen(centre)
    assert all(new[mart] != old[mart] for mart in MARTS)
    point_at(centre, 1)
    assert seen(centre) == old
    assert centre.values("SELECT status FROM mart.release ORDER BY release_id") == ["in_force", "published"]
    point_at(centre, 2)
    assert seen(centre) == new
