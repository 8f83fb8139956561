"""Regions through time in the warehouse: the map in SQL, figures on today's map as a reader sees them, release by release."""

import dataclasses
import datetime
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from resources.database import Warehouse
from tests.warehouse.centre import CATALOGUE, Cell, Centre, Return, beds, employment, health, people
from warehouse.reference import sync_catalogue
from warehouse.regions import Succession

SUCCESSION = Succession(CATALOGUE)
CHANGED = sorted({code for group in SUCCESSION.groups for code in group} | {"510200", "371200", "510104"})


def nanjing(*cells: Cell, period: str = "2010", form: str = "health_annual") -> Return:
    return Return(form, "320000", period, cells)


def shown(centre: Centre, period: str = "2010") -> list[tuple[Any, ...]]:
    """What a reader sees of a period on today's map."""
    return centre.rows(
        "SELECT indicator_code, region_code, value, map_status, reported_codes FROM mart.observation_harmonised"
        " WHERE period_code = :period ORDER BY 1, 2",
        period=period,
    )


# --- the map in SQL ---


@pytest.mark.parametrize("until", ["2010-12-31", "2015-12-31", "2026-01-01"])
def test_the_map_in_sql_is_the_one_of_the_pure_functions(centre: Centre, until: str) -> None:
    rows = centre.rows(
        "SELECT c.code, s.region_code, s.share, s.is_mapped"
        " FROM unnest(CAST(:codes AS text[])) AS c(code), mart.region_succession(c.code, '2008-12-31', CAST(:until AS date)) s",
        codes=CHANGED,
        until=until,
    )
    in_sql = {code: {row[1]: row[2] for row in rows if row[0] == code} for code, _, _, is_mapped in rows if is_mapped}
    pure = {
        code: {part.code: part.share for part in parts}
        for code in CHANGED
        if (parts := SUCCESSION.follow(code, datetime.date(2008, 12, 31), datetime.date.fromisoformat(until)))
    }
    assert in_sql == pure


@pytest.mark.parametrize(
    ("code", "day", "other", "found"),
    [
        ("341422", "2010-06-30", "2015-06-30", [("340225", 1.0)]),
        ("340281", "2022-01-01", "2010-06-30", [("341422", 1.0)]),
        ("330105", "2022-01-01", "2020-01-01", [("330103", 1.0), ("330105", 1.0)]),
        ("330113", "2022-01-01", "2020-01-01", [("330110", None)]),
        ("510104", "2022-01-01", "2010-01-01", [("510104", 1.0)]),
    ],
    ids=["later", "earlier", "a merger undone", "part of a region that was divided", "never changed"],
)
def test_a_code_can_be_read_on_the_map_of_any_day(
    centre: Centre, code: str, day: str, other: str, found: list[tuple[str, float | None]]
) -> None:
    asked = (
        "SELECT region_code, share FROM mart.region_on_map(:code, CAST(:day AS date), CAST(:other AS date)) ORDER BY 1"
    )
    assert centre.rows(asked, code=code, day=day, other=other) == found


@pytest.mark.parametrize(
    ("code", "rows"),
    [
        ("510104", [(None, "510104", 1.0, "as_reported")]),
        ("320124", [("2013-02-08", "320117", 1.0, "renamed")]),
        ("320103", [("2013-02-08", "320104", 1.0, "merged")]),
        ("371200", [(None, None, None, None)]),
        ("510200", [("1997-06-18", "500000", 1.0, "left_other_province")]),
        (
            "330110",
            [
                ("2021-04-09", "330110", None, "left_unsplit"),
                ("2021-04-09", "330113", None, "left_unsplit"),
                (None, "330110", 1.0, "as_reported"),
            ],
        ),
    ],
)
def test_every_code_has_its_code_of_today(centre: Centre, code: str, rows: list[tuple[Any, ...]]) -> None:
    found = centre.rows(
        "SELECT until::text, today_code, share, map_status FROM mart.region_today WHERE region_code = :code"
        " ORDER BY until NULLS LAST, today_code",
        code=code,
    )
    if code == "371200":
        assert [row[3] for row in found] == ["unmapped"]
    else:
        assert found == rows


def test_every_code_is_on_todays_map_or_unmapped(centre: Centre) -> None:
    counted = dict(
        centre.rows("SELECT map_status, count(DISTINCT region_code) FROM mart.region_today GROUP BY map_status")  # type: ignore[arg-type]
    )
    assert counted["as_reported"] == sum(row.valid_to is None for row in CATALOGUE.region_rows)
    assert counted["unmapped"] == sum(status == "unmapped" for status in SUCCESSION.stays.values())
    assert centre.values("SELECT count(DISTINCT region_code) FROM mart.region_today") == [len(CATALOGUE.region_rows)]


def test_the_changes_are_a_mart(centre: Centre) -> None:
    assert centre.values("SELECT count(*) FROM mart.region_change") == [len(CATALOGUE.region_changes)]


@pytest.fixture
def connection(centre: Centre) -> Iterator[Connection]:
    with centre.engine.connect() as made:
        yield made
        made.rollback()


def test_a_change_that_the_catalogue_corrected_does_not_stand_beside_it(connection: Connection) -> None:
    first, *others = CATALOGUE.region_changes
    corrected = first.model_copy(update={"effective_date": datetime.date(1997, 3, 14)})
    sync_catalogue(connection, dataclasses.replace(CATALOGUE, region_changes=(corrected, *others)))
    found = connection.scalars(
        sa.text("SELECT effective_date::text FROM core.region_change WHERE from_code = '510200'")
    ).all()
    assert found == ["1997-03-14"]


# --- figures as a reader sees them ---


def test_a_reader_sees_every_figure_once_on_todays_map(centre: Centre) -> None:
    centre.night(
        nanjing(
            beds(1.0, "320103"), beds(2.0, "320104"), beds(4.0, "320124"), beds(8.0, "320102"), beds(20.0, "320000")
        )
    )
    assert shown(centre) == [
        ("HLT_BEDS", "320000", 20.0, "as_reported", "320000"),
        ("HLT_BEDS", "320102", 8.0, "as_reported", "320102"),
        ("HLT_BEDS", "320104", 3.0, "merged", "320103;320104"),
        ("HLT_BEDS", "320117", 4.0, "renamed", "320124"),
    ]


def test_as_reported_stays_as_reported(centre: Centre) -> None:
    centre.night(nanjing(beds(1.0, "320103"), beds(2.0, "320104"), beds(4.0, "320124")))
    assert centre.rows("SELECT region_code, value FROM mart.observation ORDER BY 1") == [
        ("320103", 1.0), ("320104", 2.0), ("320124", 4.0)
    ]  # fmt: skip


def test_a_figure_of_one_region_keeps_its_return_and_cell(centre: Centre) -> None:
    centre.night(nanjing(beds(1.0, "320103"), beds(2.0, "320104"), beds(4.0, "320124")))
    traced = "SELECT region_code, source_cell, receipt_id IS NOT NULL, is_computed FROM mart.observation_harmonised ORDER BY 1"
    assert centre.rows(traced) == [("320104", None, False, True), ("320117", "表1!C7", True, False)]


def test_rates_are_made_again_and_follow_a_late_part(centre: Centre) -> None:
    centre.night(nanjing(beds(8.0, "320103"), beds(2.0, "320104")))
    centre.night(nanjing(people(1000.0, "320103"), people(4000.0, "320104"), form="employment_annual"))
    assert ("HLT_BEDS_PER_1000", "320104", 2.0, "merged", "320103;320104") in shown(centre)


def test_unmapped_codes_are_counted(centre: Centre) -> None:
    centre.night(health(beds(3.0, "371200"), beds(5.0, "370100"), province="370000", period="2019"))
    counted = "SELECT map_status, figures, regions FROM mart.region_coverage ORDER BY 1"
    assert centre.rows(counted) == [("unmapped", 1, 1)]
    assert shown(centre, "2019")[1] == ("HLT_BEDS", "371200", 3.0, "unmapped", "371200")


def test_a_blank_of_a_renamed_region_is_a_blank(centre: Centre) -> None:
    centre.night(nanjing(beds(None, "320124")))
    assert centre.rows("SELECT region_code, value, obs_status FROM mart.observation_harmonised") == [
        ("320117", None, "M")
    ]


def test_blanks_of_merged_districts_are_a_blank_and_no_zero(centre: Centre) -> None:
    """Districts are urban: their rural beds are blank because they cannot exist, and stay so together."""
    districts = ("320103", "320104")
    urban = [beds(5.0, code, area="urban") for code in districts]
    centre.night(nanjing(*urban, *(beds(None, code, area="rural") for code in districts)))
    assert centre.rows("SELECT area_type, value, obs_status FROM mart.observation_harmonised ORDER BY 1") == [
        ("rural", None, "M"),
        ("urban", 10.0, "A"),
    ]


def test_before_a_release_readers_see_nothing_and_after_withdrawing_the_old(centre: Centre) -> None:
    centre.night(nanjing(beds(1.0, "320103"), beds(2.0, "320104")))
    old = shown(centre)
    refresh = centre.open()
    centre.load(nanjing(beds(5.0, "320103"), beds(2.0, "320104")), refresh=refresh)
    centre.compute(refresh)
    centre.prepare()
    assert shown(centre) == old
    centre.publish(refresh)
    assert shown(centre) == [("HLT_BEDS", "320104", 7.0, "merged", "320103;320104")]
    centre.execute(
        "INSERT INTO ops.release_pointer (in_force_from, release_id, recorded_at)"
        " SELECT (SELECT max(in_force_from) FROM ops.release_pointer) + interval '1 hour', release_id, recorded_at"
        " FROM ops.release WHERE release_id = 1"
    )
    assert shown(centre) == old


def test_the_map_of_a_release_is_the_one_it_was_made_with(centre: Centre) -> None:
    """A change that the catalogue learns of later does not reach a release that is there."""
    before = dataclasses.replace(
        CATALOGUE,
        region_changes=tuple(row for row in CATALOGUE.region_changes if row.from_code != "320124"),
        sha256="before",
    )
    centre.catalogue = before
    centre.night(nanjing(beds(4.0, "320124")))
    assert shown(centre) == [("HLT_BEDS", "320124", 4.0, "unmapped", "320124")]
    centre.catalogue = CATALOGUE
    centre.night()
    assert shown(centre) == [("HLT_BEDS", "320117", 4.0, "renamed", "320124")]
    first = centre.values("SELECT in_force_from::text FROM mart.release_history WHERE release_id = 1")[0]
    with centre.engine.begin() as connection:
        connection.execute(sa.text("SELECT set_config('junheng.as_of', :moment, true)"), {"moment": first})
        then = connection.execute(sa.text("SELECT region_code, map_status FROM mart.observation_harmonised")).all()
    assert [tuple(row) for row in then] == [("320124", "unmapped")]


STEPS = [
    nanjing(beds(1.0, "320103"), beds(2.0, "320104"), beds(4.0, "320124"), beds(6.0, "320106")),
    nanjing(people(1000.0, "320103"), people(4000.0, "320104"), people(10.0, "320124"), form="employment_annual"),
    nanjing(beds(1.0, "320103"), beds(5.0, "320104"), beds(4.0, "320124"), beds(6.0, "320106"), beds(2.0, "320107")),
    employment(
        *(people(1000.0, "320103"), people(4000.0, "320104"), people(10.0, "320124")),
        *(Cell("EDU_MEAN_YEARS", "320103", 8.0), Cell("EDU_MEAN_YEARS", "320104", 12.0)),
        province="320000",
        period="2010",
    ),
]


def test_night_by_night_equals_all_at_once(centre: Centre) -> None:
    for step in STEPS:
        centre.night(step)
    by_night = shown(centre)
    digest = centre.values("SELECT marts_sha256 FROM mart.release WHERE status = 'in_force'")
    centre.empty()
    centre.night(*STEPS)
    assert shown(centre) == by_night
    assert centre.values("SELECT marts_sha256 FROM mart.release WHERE status = 'in_force'") == digest
    assert ("EDU_MEAN_YEARS", "320104", 11.2, "merged", "320103;320104") in by_night


def test_a_reader_may_ask_for_the_map(centre: Centre, warehouse: Warehouse) -> None:
    with psycopg.connect(warehouse.bi_url(), dbname="centre") as reader:
        asked = "SELECT region_code FROM mart.region_on_map('320124', '2010-01-01', '2020-01-01')"
        assert reader.execute(asked).fetchall() == [("320117",)]
