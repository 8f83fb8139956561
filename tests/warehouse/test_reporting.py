"""What a person is told: returns by sector, findings of observed figures, and queries that only read."""

import dataclasses
import datetime
from typing import Any

import pytest

from tests.warehouse.centre import (
    CATALOGUE,
    FIRST_NIGHT,
    PROVINCES,
    Cell,
    Centre,
    Return,
    beds,
    employment,
    health,
    people,
    school,
)
from warehouse.catalogue import Break, Catalogue
from warehouse.errors import QueryRefusedError
from warehouse.receipts import (
    Absence,
    Overcome,
    Refresh,
    close_refresh,
    record_absences,
    record_failures,
    record_incidents,
)
from warehouse.reporting import (
    RefreshReport,
    find,
    is_everything_failed,
    latest_refresh_id,
    query_marts,
    report_refresh,
)

TODAY = FIRST_NIGHT.date()
DAY = datetime.timedelta(days=1)
DUE = datetime.datetime(2025, 3, 31, 9, tzinfo=FIRST_NIGHT.tzinfo)


def report(centre: Centre, refresh: Refresh, today: datetime.date = TODAY) -> RefreshReport:
    with centre.engine.connect() as connection:
        return report_refresh(connection, refresh.refresh_id, today, CATALOGUE)


def returns_of(centre: Centre, refresh: Refresh, sector: str, **more: Any) -> dict[str, int]:
    """The row of a sector."""
    return report(centre, refresh, **more).returns.set_index("sector").loc[sector].to_dict()  # type: ignore[return-value]


def absent(province: str, state: str = "missing", message: str = "not listed") -> Absence:
    platform = f"{province}/health"
    return Absence(platform, "health", "health_annual", province, "2024", state, FIRST_NIGHT, DUE.date(), message)


# --- returns by sector ---


def test_an_empty_warehouse_has_no_refresh_and_no_returns(centre: Centre) -> None:
    with centre.engine.connect() as connection:
        assert latest_refresh_id(connection) is None
    refresh = centre.open()
    with centre.engine.connect() as connection:
        assert latest_refresh_id(connection) == refresh.refresh_id
    told = report(centre, refresh)
    assert told.returns.empty
    assert (told.release, told.findings, told.troubles) == (None, [], [])


def test_returns_are_counted_by_sector(centre: Centre) -> None:
    refresh = centre.open()
    centre.load(
        health(beds(1.0), modified_at=DUE), health(beds(1.0), period="2023"), employment(people(1.0)), refresh=refresh
    )
    assert report(centre, refresh).returns["sector"].tolist() == ["employment", "health"]
    assert returns_of(centre, refresh, "health") == {
        "due": 2, "arrived": 2, "new": 2, "late": 1, "failed": 0, "quarantined": 0
    }  # fmt: skip


@pytest.mark.parametrize(("modified", "is_late"), [(DUE, 0), (DUE + DAY, 1), (DUE.replace(hour=23, minute=59), 0)])
def test_a_return_is_late_where_it_first_appeared_after_its_due_day(
    centre: Centre, modified: datetime.datetime, is_late: int
) -> None:
    refresh = centre.open()
    centre.load(health(beds(1.0), modified_at=modified), refresh=refresh)
    assert returns_of(centre, refresh, "health")["late"] == is_late
    assert centre.values("SELECT is_late FROM mart.reporting") == [bool(is_late)]


def test_a_later_correction_makes_no_return_late(centre: Centre) -> None:
    centre.load(health(beds(1.0), modified_at=DUE))
    refresh = centre.open()
    centre.load(health(beds(2.0), modified_at=DUE + 300 * DAY), refresh=refresh)
    assert returns_of(centre, refresh, "health")["late"] == 0


def test_missing_returns_are_late_and_failed_ones_are_failed(centre: Centre) -> None:
    refresh = centre.open()
    with centre.engine.begin() as connection:
        record_absences(connection, refresh, [absent("110000"), absent("120000"), absent("510000", "failed", "503")])
    assert returns_of(centre, refresh, "health") == {
        "due": 3, "arrived": 0, "new": 0, "late": 2, "failed": 1, "quarantined": 0
    }  # fmt: skip


def test_a_return_counts_once_by_its_newest_delivery(centre: Centre) -> None:
    bad = (("表1!D5", "约12", "not_a_number"),)
    centre.load(health(bad=bad, modified_at=DUE))
    second = centre.open()
    centre.load(health(beds(1.0), modified_at=DUE), refresh=second)
    counted = returns_of(centre, second, "health")
    assert (counted["arrived"], counted["new"], counted["quarantined"]) == (1, 1, 0)


def test_a_return_of_an_earlier_refresh_is_arrived_and_not_new(centre: Centre) -> None:
    centre.load(health(beds(1.0), bad=(("表1!D5", "约12", "not_a_number"),)))
    counted = returns_of(centre, centre.open(), "health")
    assert (counted["arrived"], counted["new"], counted["quarantined"]) == (1, 0, 1)


def test_a_return_that_came_early_is_arrived_and_not_due(centre: Centre) -> None:
    refresh = centre.open()
    centre.load(health(beds(1.0), modified_at=DUE - 5 * DAY), refresh=refresh)
    counted = returns_of(centre, refresh, "health", today=DUE.date() - 3 * DAY)
    assert (counted["due"], counted["arrived"]) == (0, 1)


def test_cells_are_those_of_the_refresh_and_add_up(centre: Centre) -> None:
    centre.load(health(beds(1.0)))
    refresh = centre.open()
    centre.load(health(beds(1.0), beds(2.0, area="rural"), bad=(("表1!D5", "约12", "not_a_number"),)), refresh=refresh)
    assert report(centre, refresh).cells == {"read": 3, "loaded": 1, "unchanged": 1, "quarantined": 1}


def test_troubles_name_return_state_and_reason(centre: Centre) -> None:
    refresh = centre.open()
    centre.load(employment(people(1.0)), refresh=refresh)
    with centre.engine.begin() as connection:
        record_absences(connection, refresh, [absent("110000")])
    (trouble,) = report(centre, refresh).troubles
    assert trouble == "110000/health health_annual 2024 missing: not listed"


def test_a_platform_that_could_not_be_asked_is_told_once(centre: Centre) -> None:
    refresh = centre.open()
    with centre.engine.begin() as connection:
        record_failures(connection, refresh, {"110000/health": "503"}, FIRST_NIGHT)
        record_absences(
            connection, refresh, [absent("110000", "failed", "503"), absent("120000", "failed", "bad bytes")]
        )
    assert report(centre, refresh).troubles == [
        "110000/health could not be asked: 503",
        "120000/health health_annual 2024 failed: bad bytes",
    ]


def test_cells_set_aside_are_told_by_reason_and_what_was_overcome_comes_last(centre: Centre) -> None:
    refresh = centre.open()
    bad = (("表1!D5", "约12", "not_a_number"), ("表1!D6", "?", "not_a_number"), ("表1!C9", "1", "unknown_region"))
    centre.load(health(beds(1.0), bad=bad), refresh=refresh)
    incident = Overcome("110000/health", "too_many_requests", 3, FIRST_NIGHT, FIRST_NIGHT, "waited 2 s")
    with centre.engine.begin() as connection:
        record_incidents(connection, refresh, [incident])
    centre.execute(
        "INSERT INTO ops.unplaced_file VALUES"
        " ('ab', '附件.xlsx', :refresh, 10, 'unidentified', 'no title names a form', '', now(), null)",
        refresh=refresh.refresh_id,
    )
    assert report(centre, refresh).troubles == [
        "510000/health health_annual 2024 partly quarantined: 3 of 4 cells set aside (not_a_number 2, unknown_region 1)",
        "inbox file 附件.xlsx not placed: no title names a form",
        "110000/health: overcome, too many requests 3 times: waited 2 s",
    ]


def test_returns_of_a_platform_with_one_message_share_a_line(centre: Centre) -> None:
    refresh = centre.open()
    with centre.engine.begin() as connection:
        late = [dataclasses.replace(absent("110000"), period_code=year) for year in ("2022", "2023")]
        record_absences(connection, refresh, [*late, absent("110000", "failed", "cut off")])
    assert report(centre, refresh).troubles == [
        "110000/health health_annual 2024 failed: cut off",
        "110000/health: 2 returns missing: not listed",
    ]


def test_everything_failed_is_told_from_something_failed(centre: Centre) -> None:
    refresh = centre.open()
    with centre.engine.begin() as connection:
        record_absences(connection, refresh, [absent("110000", "failed", "503")])
    assert is_everything_failed(report(centre, refresh))
    centre.load(health(beds(1.0)))
    assert not is_everything_failed(report(centre, refresh))


def test_a_night_without_anything_due_did_not_fail(centre: Centre) -> None:
    assert not is_everything_failed(report(centre, centre.open()))


# --- findings ---


def findings(centre: Centre, catalogue: Catalogue = CATALOGUE) -> list[str]:
    with centre.engine.connect() as connection:
        return find(connection, catalogue)


def income(province: str, town: float, country: float, period: str = "2024", status: str = "A") -> Return:
    return employment(
        Cell("INC_DISPOSABLE", province, town, "urban", status),
        Cell("INC_DISPOSABLE", province, country, "rural", "A"),
        province=province,
        period=period,
    )


def test_without_figures_nothing_is_found(centre: Centre) -> None:
    centre.night(health(beds(1.0)))
    assert findings(centre) == []


def test_the_widest_gap_between_town_and_country_is_found(centre: Centre) -> None:
    centre.night(income("510000", 40_000.0, 20_000.0), income("110000", 60_000.0, 20_000.0))
    assert findings(centre) == [
        "居民人均可支配收入, 北京市 2024: town 3.00 times country (60,000 in town, 20,000 in the country)"
    ]


def test_a_gap_where_the_country_is_better_off_is_told_that_way_round(centre: Centre) -> None:
    centre.night(income("510000", 10_000.0, 20_000.0))
    assert findings(centre) == [
        "居民人均可支配收入, 四川省 2024: country 2.00 times town (10,000 in town, 20,000 in the country)"
    ]


def test_a_gap_of_estimates_is_not_found(centre: Centre) -> None:
    centre.night(income("510000", 40_000.0, 20_000.0), income("110000", 90_000.0, 10_000.0, status="E"))
    (sentence,) = findings(centre)
    assert "四川省" in sentence


def test_only_the_newest_period_of_a_gap_is_found(centre: Centre) -> None:
    centre.night(income("510000", 90_000.0, 10_000.0, period="2023"), income("510000", 40_000.0, 20_000.0))
    (sentence,) = findings(centre)
    assert "2024: town 2.00 times" in sentence


def test_a_county_is_no_finding(centre: Centre) -> None:
    cells = [
        Cell("EDU_PRIMARY_PUBLIC_FUNDS", "510104", value, area) for value, area in ((900.0, "urban"), (800.0, "rural"))
    ]
    centre.night(school(*cells))
    assert centre.values("SELECT region_level FROM mart.urban_rural_gap") == ["county"]
    assert findings(centre) == []


def pupils(province: str, number: float, status: str = "A", period: str = "SY2024") -> Return:
    return school(
        Cell("EDU_SENIOR_PUPILS", province, number, status=status),
        Cell("EDU_SENIOR_TEACHERS", province, 100.0),
        province=province,
        period=period,
    )


def test_the_province_farthest_under_a_floor_is_found_with_how_many_there_are(centre: Centre) -> None:
    centre.night(pupils("110000", 1000.0), pupils("510000", 1500.0), pupils("520000", 1875.0))
    assert findings(centre) == [
        "普通高中生师比, 贵州省 SY2024: 18.75 against the floor of 12.5, 50% on the wrong side (2 of 3 provinces are)"
    ]


def test_a_floor_met_everywhere_is_no_finding(centre: Centre) -> None:
    centre.night(pupils("110000", 1000.0))
    assert findings(centre) == []


def test_an_estimate_under_a_floor_is_not_found_or_counted(centre: Centre) -> None:
    centre.night(pupils("110000", 1000.0), pupils("510000", 1500.0), pupils("520000", 1875.0, status="E"))
    (sentence,) = findings(centre)
    assert "四川省" in sentence
    assert "1 of 2 provinces" in sentence


def test_a_missed_target_is_no_finding(centre: Centre) -> None:
    centre.night(health(Cell("HLT_PHYSICIANS", "510000", 1.0)), employment(people(1000.0)))
    assert centre.rows("SELECT floor_kind, attained FROM mart.attainment") == [("target", False)]
    assert findings(centre) == []


def pay(
    period: str, spread: float, status: str = "A", provinces: int = 31, indicator: str = "EMP_UNIT_WAGE"
) -> list[Return]:
    """A wage in each province, the first ``spread`` higher than the others."""
    return [
        employment(
            Cell(indicator, code, 50_000.0 + (spread if n == 0 else 0.0), "urban", status if n == 0 else "A"),
            people(1000.0, region=code),
            province=code,
            period=period,
        )
        for n, code in enumerate(PROVINCES[:provinces])
    ]


def grown(centre: Centre, catalogue: Catalogue = CATALOGUE) -> list[str]:
    return [sentence for sentence in findings(centre, catalogue) if "grew" in sentence]


def test_an_inequality_that_grew_over_five_years_is_found(centre: Centre) -> None:
    centre.night(*pay("2019", 100_000.0), *pay("2024", 200_000.0))
    (sentence,) = grown(centre)
    assert sentence.startswith("城镇单位就业人员平均工资: the Gini over provinces grew from 0.0")
    assert sentence.endswith("(2024)")
    assert "(2019)" in sentence


def test_an_inequality_that_fell_is_not_found(centre: Centre) -> None:
    centre.night(*pay("2019", 200_000.0), *pay("2024", 100_000.0))
    assert grown(centre) == []


def test_four_years_are_not_five(centre: Centre) -> None:
    centre.night(*pay("2020", 100_000.0), *pay("2024", 200_000.0))
    assert grown(centre) == []


@pytest.mark.parametrize("estimated", ["2019", "2024"])
def test_an_inequality_that_rests_on_an_estimate_is_not_found(centre: Centre, estimated: str) -> None:
    statuses = {"2019": "A", "2024": "A"} | {estimated: "E"}
    centre.night(*pay("2019", 100_000.0, statuses["2019"]), *pay("2024", 200_000.0, statuses["2024"]))
    assert grown(centre) == []


def test_an_inequality_over_other_units_is_not_found(centre: Centre) -> None:
    centre.night(*pay("2019", 100_000.0, provinces=30), *pay("2024", 200_000.0))
    assert centre.values("SELECT DISTINCT units FROM mart.inequality WHERE weighting = 'none' ORDER BY 1") == [30, 31]
    assert grown(centre) == []


def broken(year: int, region: str | None = None, area: Any = None, indicator: str = "EMP_UNIT_WAGE") -> Break:
    """A break of definition from a year on."""
    return Break(
        indicator_code=indicator,
        region_code=region,
        area_type=area,
        first_year_of_new_definition=year,
        what_changed="another definition",
    )


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (broken(2022), 0),
        (broken(2024, area="urban"), 0),
        (broken(2022, region="110000"), 0),
        (broken(2022, area="rural"), 1),
        (broken(2019), 1),
        (broken(2025), 1),
        (broken(2022, indicator="HLT_BEDS"), 1),
    ],
    ids=[
        "between",
        "at the end",
        "of one province",
        "of another area type",
        "at the start",
        "after",
        "of another indicator",
    ],
)
def test_a_finding_never_crosses_a_break(centre: Centre, definition: Break, expected: int) -> None:
    centre.night(*pay("2019", 100_000.0), *pay("2024", 200_000.0))
    assert len(grown(centre, dataclasses.replace(CATALOGUE, breaks=(definition,)))) == expected


def bed_rates(period: str, first: float) -> list[Return]:
    """Beds to a thousand residents: ``first`` in the first province, 5 in the others."""
    return [
        made
        for n, code in enumerate(PROVINCES)
        for made in (
            health(beds(first if n == 0 else 5.0, region=code), province=code, period=period),
            employment(people(1000.0, region=code), province=code, period=period),
        )
    ]


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        pytest.param(broken(2022, indicator="HLT_BEDS"), 0, id="of what is counted"),
        pytest.param(broken(2022, indicator="POP_RESIDENT", area="total"), 0, id="of what it is divided by"),
        pytest.param(broken(2022, indicator="POP_RESIDENT", area="rural"), 1, id="of an area type it does not use"),
        pytest.param(broken(2019, indicator="HLT_BEDS"), 1, id="before both"),
    ],
)
def test_a_finding_on_a_rate_never_crosses_a_break_of_its_parts(
    centre: Centre, definition: Break, expected: int
) -> None:
    centre.night(*bed_rates("2019", 10.0), *bed_rates("2024", 20.0))
    assert len(grown(centre, dataclasses.replace(CATALOGUE, breaks=(definition,)))) == expected


def test_a_report_carries_release_checks_and_findings(centre: Centre) -> None:
    made = centre.night(income("510000", 40_000.0, 20_000.0))
    assert made is not None
    refresh = Refresh(centre.values("SELECT max(refresh_id) FROM ops.refresh")[0], FIRST_NIGHT)
    assert report(centre, refresh).findings == []  # it has not ended yet
    with centre.engine.begin() as connection:
        close_refresh(connection, refresh.refresh_id, "published", FIRST_NIGHT, {})
    told = report(centre, refresh)
    assert told.release is not None
    assert (told.release["release_id"], told.release["marts_sha256"]) == (1, made.marts_sha256)
    assert told.checks == {"passed": 0, "warned": 0, "failed": 0}
    assert len(told.findings) == 1


# --- queries of readers ---


def ask(centre: Centre, statement: str, limit: int = 10) -> tuple[list[tuple[Any, ...]], bool]:
    with centre.engine.connect() as connection:
        frame, is_cut = query_marts(connection, statement, limit)
    return list(frame.itertuples(index=False, name=None)), is_cut


def test_a_reader_gets_rows_and_needs_no_schema_name(centre: Centre) -> None:
    centre.night(health(beds(5.0)))
    assert ask(centre, "select indicator_code, value from observation") == ([("HLT_BEDS", 5.0)], False)


def test_more_rows_than_asked_for_are_told(centre: Centre) -> None:
    assert ask(centre, "select * from generate_series(1, 3)", limit=3) == ([(1,), (2,), (3,)], False)
    assert ask(centre, "select * from generate_series(1, 4)", limit=3) == ([(1,), (2,), (3,)], True)


def test_names_of_columns_come_with_no_rows_too(centre: Centre) -> None:
    with centre.engine.connect() as connection:
        frame, _ = query_marts(connection, "select region_code from region where false", 5)
    assert list(frame.columns) == ["region_code"]


def test_percent_signs_and_colons_are_left_alone(centre: Centre) -> None:
    assert ask(centre, "select region_name::text from region where region_name like '四川%'")[0] == [("四川省",)]
    assert ask(centre, "select 7 % 4, ':x', '%s'")[0] == [(3, ":x", "%s")]


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("delete from mart.observation", "read-only|permission denied|cannot delete"),
        ("delete from core.observation", "read-only|permission denied"),
        ("delete from core.observation returning 1", "read-only|permission denied"),
        ("select * from core.observation", "permission denied for schema core"),
        ("select * from ops.refresh", "permission denied for schema ops"),
        ("create table mine (a int)", "read-only|permission denied"),
        ("create temporary table mine as select 1", "read-only|permission denied"),
        ("select nextval('ops.receipt_id_seq')", "permission denied|read-only"),
        ("select no_such_column from observation", 'column "no_such_column" does not exist'),
        ("select * from no_such_mart", 'relation "no_such_mart" does not exist'),
        ("selec 1", "syntax error"),
        ("reset role", "gives no rows"),
        ("do $$ begin delete from ops.refresh; end $$", "permission denied|read-only"),
        ("do $$ begin reset role; delete from ops.refresh; end $$", "read-only"),
        ("select 1; select 2", "cannot insert multiple commands"),
        ("select 1; commit; delete from ops.refresh; select 1", "cannot insert multiple commands"),
        ("reset role; select * from core.observation", "cannot insert multiple commands"),
        ("", "gives no rows"),
    ],
)
def test_what_is_no_reading_of_marts_is_refused_with_the_reason(centre: Centre, statement: str, reason: str) -> None:
    refresh = centre.open()
    with pytest.raises(QueryRefusedError, match=reason) as raised:
        ask(centre, statement)
    assert "\n" not in raised.value.reason
    assert centre.values("SELECT refresh_id FROM ops.refresh") == [refresh.refresh_id]


def test_after_a_query_the_connection_is_the_owners_again(centre: Centre) -> None:
    with centre.engine.connect() as connection:
        query_marts(connection, "select 1", 1)
        connection.rollback()
        connection.exec_driver_sql("SELECT count(*) FROM core.observation")
