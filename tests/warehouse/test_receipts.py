"""The ledger: refreshes, deliveries waiting and read, repeats, and what did not arrive."""

import dataclasses
import datetime
from typing import Any

import pytest

from tests.warehouse.centre import CATALOGUE, FIRST_NIGHT, Centre, Return, beds, employment, health, people
from warehouse.errors import RefreshOvertakenError
from warehouse.receipts import (
    Absence,
    Known,
    Refresh,
    close_abandoned,
    close_refresh,
    had_catalogue,
    known_deliveries,
    lock_writing,
    open_refresh,
    pending_arrivals,
    read_partitions,
    record_absences,
    record_arrivals,
    record_failures,
    settle_repeats,
)

HOUR = datetime.timedelta(hours=1)


def absence(state: str = "missing", message: str = "not listed", province: str = "510000") -> Absence:
    """The health return of 2024 that did not come."""
    due = datetime.date(2025, 3, 31)
    return Absence(f"{province}/health", "health", "health_annual", province, "2024", state, FIRST_NIGHT, due, message)


def receipts(centre: Centre) -> list[tuple[Any, ...]]:
    return centre.rows("SELECT sequence, state, message FROM ops.return_receipt ORDER BY platform, sequence")


# --- refreshes ---


def test_a_run_has_one_refresh(centre: Centre) -> None:
    with centre.engine.begin() as connection:
        first = open_refresh(connection, "run a", FIRST_NIGHT, "hash")
        again = open_refresh(connection, "run a", FIRST_NIGHT + HOUR, "hash")
    assert (first.is_new, again.is_new) == (True, False)
    assert (again.refresh_id, again.recorded_at) == (first.refresh_id, FIRST_NIGHT)


@pytest.mark.parametrize("set_back", [datetime.timedelta(0), HOUR])
def test_recorded_at_grows_where_the_clock_was_set_back(centre: Centre, set_back: datetime.timedelta) -> None:
    with centre.engine.begin() as connection:
        first = open_refresh(connection, "run a", FIRST_NIGHT, "hash")
        second = open_refresh(connection, "run b", FIRST_NIGHT - set_back, "hash")
    assert first.recorded_at < second.recorded_at < FIRST_NIGHT + datetime.timedelta(seconds=1)


def test_a_refresh_is_closed_with_its_counts(centre: Centre) -> None:
    refresh = centre.open()
    with centre.engine.begin() as connection:
        close_refresh(connection, refresh.refresh_id, "published", FIRST_NIGHT + HOUR, {"observations": 3})
    assert centre.rows("SELECT status, finished_at, summary FROM ops.refresh") == [
        ("published", FIRST_NIGHT + HOUR, {"observations": 3})
    ]


def test_earlier_refreshes_that_never_ended_are_incomplete(centre: Centre) -> None:
    ended, killed, current = centre.open(), centre.open(), centre.open()
    with centre.engine.begin() as connection:
        close_refresh(connection, ended.refresh_id, "published", FIRST_NIGHT, {})
        assert close_abandoned(connection, current.refresh_id, FIRST_NIGHT) == 1
    assert centre.values("SELECT status FROM ops.refresh ORDER BY refresh_id") == ["published", "incomplete", "running"]
    assert centre.values("SELECT refresh_id FROM ops.refresh WHERE status = 'incomplete'") == [killed.refresh_id]


def test_a_refresh_that_another_overtook_may_write_no_more(centre: Centre) -> None:
    slow = centre.open()
    centre.night(health(beds(1.0)))
    with centre.engine.begin() as connection, pytest.raises(RefreshOvertakenError) as raised:
        lock_writing(connection, slow)
    assert (raised.value.refresh_id, raised.value.release_id) == (slow.refresh_id, 1)


def test_a_refresh_after_the_last_release_may_write(centre: Centre) -> None:
    centre.night(health(beds(1.0)))
    with centre.engine.begin() as connection:
        lock_writing(connection, centre.open())


def test_the_catalogue_of_the_refresh_before_is_known(centre: Centre) -> None:
    first = centre.open()
    centre.catalogue = dataclasses.replace(CATALOGUE, sha256="another")
    second, third = centre.open(), centre.open()
    with centre.engine.connect() as connection:
        assert not had_catalogue(connection, first, CATALOGUE.sha256)
        assert not had_catalogue(connection, second, "another")
        assert had_catalogue(connection, third, "another")


# --- deliveries waiting ---


def test_deliveries_of_a_return_are_numbered_read_or_waiting(centre: Centre) -> None:
    centre.load(health(beds(1.0)))
    refresh = centre.open()
    assert centre.collect(refresh, health(beds(2.0)), health(beds(3.0)), employment(people(1.0))) == [2, 3, 1]
    assert centre.collect(refresh, health(beds(4.0))) == [4]


def test_collecting_nothing_writes_nothing(centre: Centre) -> None:
    with centre.engine.begin() as connection:
        assert record_arrivals(connection, centre.open(), []) == []
    assert centre.rows("SELECT * FROM ops.arrival") == []


def test_the_newest_delivery_is_known_with_what_the_platform_said(centre: Centre) -> None:
    centre.load(health(beds(1.0), modified_at=FIRST_NIGHT))
    centre.collect(centre.open(), health(beds(2.0), modified_at=FIRST_NIGHT + HOUR))
    with centre.engine.begin() as connection:
        record_absences(connection, centre.open(), [absence(province="110000")])
        known = known_deliveries(connection)
    assert known == {("510000/health", "health_annual", "2024"): Known(2, None, FIRST_NIGHT + HOUR)}


def test_deliveries_wait_in_the_order_in_which_they_win(centre: Centre) -> None:
    late, early = FIRST_NIGHT + HOUR, FIRST_NIGHT
    centre.collect(centre.open(), health(beds(2.0), modified_at=late), health(beds(1.0), modified_at=early))
    with centre.engine.connect() as connection:
        waiting = pending_arrivals(connection, "health_annual")
    assert waiting["modified_at"].dt.tz_convert(early.tzinfo).tolist() == [early, late]
    assert waiting["sequence"].tolist() == [2, 1]


def test_deliveries_wait_by_form_and_period(centre: Centre) -> None:
    centre.collect(centre.open(), health(beds(1.0)), health(beds(1.0), period="2023"), employment(people(1.0)))
    with centre.engine.connect() as connection:
        assert sorted(pending_arrivals(connection, "health_annual")["period_code"]) == ["2023", "2024"]
        assert pending_arrivals(connection, "health_annual", ["2023"])["period_code"].tolist() == ["2023"]
        assert pending_arrivals(connection, "health_annual", []).empty


def test_a_delivery_that_was_read_waits_no_more(centre: Centre) -> None:
    centre.load(health(beds(1.0)))
    with centre.engine.connect() as connection:
        assert pending_arrivals(connection, "health_annual").empty


def test_a_receipt_keeps_what_was_collected(centre: Centre) -> None:
    delivery = health(beds(1.0), modified_at=FIRST_NIGHT)
    refresh = centre.open()
    centre.load(delivery, refresh=refresh)
    kept = (
        "SELECT refresh_id, platform, sector, form, region_code, period_code, sequence, sha256, bytes, modified_at,"
        " due_on::text FROM ops.return_receipt"
    )
    assert centre.rows(kept) == [
        (refresh.refresh_id, "510000/health", "health", "health_annual", "510000", "2024", 1, delivery.sha256, 1,
         FIRST_NIGHT, "2025-03-31")
    ]  # fmt: skip


# --- repeats ---


def settle(centre: Centre, form: str = "health_annual") -> int:
    with centre.engine.begin() as connection:
        return settle_repeats(connection, form, centre.open())


def waiting(centre: Centre) -> list[Any]:
    return centre.values("SELECT sequence FROM ops.arrival ORDER BY sequence")


def test_the_same_bytes_again_are_unchanged_without_being_read(centre: Centre) -> None:
    centre.load(health(beds(1.0), beds(None, area="rural")))
    centre.collect(centre.open(), health(beds(1.0), beds(None, area="rural")))
    assert settle(centre) == 1
    assert waiting(centre) == []
    assert centre.rows(
        "SELECT sequence, state, cells, loaded, unchanged, quarantined FROM ops.return_receipt ORDER BY 1"
    ) == [
        (1, "loaded", 2, 2, 0, 0),
        (2, "unchanged", 2, 0, 2, 0),
    ]


def test_the_same_bytes_a_third_time_are_unchanged_too(centre: Centre) -> None:
    for _ in range(3):
        centre.load(health(beds(1.0)))
    assert centre.values("SELECT state FROM ops.return_receipt ORDER BY sequence") == [
        "loaded",
        "unchanged",
        "unchanged",
    ]


def test_a_repeat_of_a_return_with_quarantine_is_read_again_and_leaves_one_open_row(centre: Centre) -> None:
    delivery = health(beds(1.0), bad=(("表1!D5", "约12", "not_a_number"),))
    centre.load(delivery)
    assert centre.load(delivery) == [
        {"state": "partly_quarantined", "cells": 2, "loaded": 0, "unchanged": 1, "quarantined": 1}
    ]
    opened = "SELECT resolved_at IS NULL FROM ops.quarantine ORDER BY quarantine_id"
    assert centre.values(opened) == [False, True]


def test_other_bytes_are_read(centre: Centre) -> None:
    centre.load(health(beds(1.0)))
    centre.collect(centre.open(), health(beds(2.0)))
    assert settle(centre) == 0
    assert waiting(centre) == [2]


def test_bytes_of_a_delivery_before_the_last_are_read(centre: Centre) -> None:
    for value in (1.0, 2.0, 1.0):
        centre.load(health(beds(value)))
    assert centre.values("SELECT state FROM ops.return_receipt ORDER BY sequence") == ["loaded"] * 3
    assert centre.values_of("HLT_BEDS") == {"2024": 1.0}


def test_a_return_that_was_quarantined_whole_is_read_again(centre: Centre) -> None:
    html = health(bad=(("", "<html>", "not_a_workbook"),))
    centre.load(html)
    centre.collect(centre.open(), html)
    assert settle(centre) == 0


def test_a_repeat_beside_another_delivery_of_its_return_is_read(centre: Centre) -> None:
    centre.load(health(beds(1.0)))
    centre.collect(centre.open(), health(beds(2.0)), health(beds(1.0)))
    assert settle(centre) == 0
    assert waiting(centre) == [2, 3]


def test_a_repeat_of_another_form_is_left_to_its_own_turn(centre: Centre) -> None:
    centre.load(employment(people(1.0)))
    centre.collect(centre.open(), employment(people(1.0)))
    assert settle(centre, "health_annual") == 0
    assert waiting(centre) == [2]


def test_equal_bytes_of_two_platforms_are_no_repeat(centre: Centre) -> None:
    centre.load(health(beds(1.0)))
    same = health(beds(1.0))
    beijing = Return("health_annual", "110000", "2024", same.cells)
    centre.archive[beijing.sha256] = beijing
    centre.collect(centre.open(), beijing)
    centre.execute("UPDATE ops.arrival SET sha256 = :sha256", sha256=same.sha256)
    assert settle(centre) == 0


# --- absences ---


def test_what_is_missing_or_failed_is_receipt_number_0(centre: Centre) -> None:
    refresh = centre.open()
    with centre.engine.begin() as connection:
        record_absences(connection, refresh, [absence(), absence("failed", "503", province="110000")])
    assert receipts(centre) == [(0, "failed", "503"), (0, "missing", "not listed")]
    assert centre.rows("SELECT is_late FROM mart.reporting ORDER BY region_code") == [(False,), (True,)]


def test_an_absence_replaces_the_one_before(centre: Centre) -> None:
    first, second = centre.open(), centre.open()
    with centre.engine.begin() as connection:
        record_absences(connection, first, [absence()])
        record_absences(connection, second, [absence("failed", "503")])
    assert receipts(centre) == [(0, "failed", "503")]
    assert centre.values("SELECT refresh_id FROM ops.return_receipt") == [second.refresh_id]


def test_an_absence_ends_when_its_return_arrives(centre: Centre) -> None:
    with centre.engine.begin() as connection:
        record_absences(connection, centre.open(), [absence(), absence(province="110000")])
    centre.collect(centre.open(), health(beds(1.0)))
    assert centre.values("SELECT region_code FROM ops.return_receipt") == ["110000"]


def test_the_arrival_of_another_period_ends_no_absence(centre: Centre) -> None:
    with centre.engine.begin() as connection:
        record_absences(connection, centre.open(), [absence()])
    centre.collect(centre.open(), health(beds(1.0), period="2023"))
    assert receipts(centre) == [(0, "missing", "not listed")]


def test_no_absences_write_nothing(centre: Centre) -> None:
    with centre.engine.begin() as connection:
        record_absences(connection, centre.open(), [])
    assert receipts(centre) == []


def test_a_platform_that_cannot_be_asked_is_written_once_a_refresh(centre: Centre) -> None:
    refresh = centre.open()
    with centre.engine.begin() as connection:
        for reason in ("503", "503 again"):
            record_failures(connection, refresh, {"510000/health": reason}, FIRST_NIGHT)
        record_failures(connection, refresh, {}, FIRST_NIGHT)
    assert centre.rows("SELECT refresh_id, platform, message FROM ops.platform_failure") == [
        (refresh.refresh_id, "510000/health", "503")
    ]


# --- what a refresh read ---


def partitions(centre: Centre, refresh: Refresh) -> list[list[Any]]:
    """What a refresh read of the health returns."""
    with centre.engine.connect() as connection:
        read = read_partitions(connection, refresh.refresh_id, "health_annual")
    return sorted(read[["region_code", "period_code", "state", "cells"]].values.tolist())


def close(centre: Centre, refresh: Refresh, status: str) -> None:
    with centre.engine.begin() as connection:
        close_refresh(connection, refresh.refresh_id, status, centre.now(), {})


def test_what_a_refresh_read_is_told_by_form_without_absences(centre: Centre) -> None:
    refresh = centre.open()
    centre.load(health(beds(1.0)), employment(people(1.0)), refresh=refresh)
    with centre.engine.begin() as connection:
        record_absences(connection, refresh, [absence(province="110000")])
    assert partitions(centre, refresh) == [["510000", "2024", "loaded", 1]]


@pytest.mark.parametrize("status", ["published", "unchanged"])
def test_what_a_good_refresh_before_read_is_not_told_again(centre: Centre, status: str) -> None:
    before, refresh = centre.open(), centre.open()
    centre.load(health(beds(1.0), period="2023"), refresh=before)
    close(centre, before, status)
    centre.load(health(beds(1.0)), refresh=refresh)
    assert partitions(centre, refresh) == [["510000", "2024", "loaded", 1]]


def test_what_a_refresh_that_broke_off_read_is_told_with_the_next(centre: Centre) -> None:
    killed, refresh = centre.open(), centre.open()
    centre.load(health(beds(1.0), period="2023"), refresh=killed)
    close(centre, killed, "incomplete")
    centre.load(health(beds(1.0)), refresh=refresh)
    assert [row[1] for row in partitions(centre, refresh)] == ["2023", "2024"]


def test_a_refresh_records_the_catalogue_it_used(centre: Centre) -> None:
    centre.open()
    assert centre.values("SELECT catalogue_sha256 FROM ops.refresh") == [CATALOGUE.sha256]
