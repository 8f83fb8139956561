"""The quarantine as a place to work: finding what stands in it, letting a return pass, reading bytes once more."""

import datetime
import json

import pytest

from tests.warehouse.centre import FIRST_NIGHT, Cell, Centre, Return, beds, health
from warehouse.checking import record_checks
from warehouse.errors import NothingToRereadError, NothingToWaiveError, UnknownReceiptError
from warehouse.quarantining import (
    Chosen,
    list_quarantine,
    list_unplaced,
    read_receipt,
    read_set_aside,
    read_waivers,
    record_unplaced,
    requeue,
    resolve_unplaced,
    waive,
)
from warehouse.receipts import Overcome, open_refresh, record_incidents

SOILED = health(
    beds(5.0),
    bad=(("表1!D5", "约12", "not_a_number"), ("表1!E5", "x", "not_a_number"), ("表1!C9", "1", "unknown_region")),
)
HEALTH = "510000/health"


def receipt_of(centre: Centre, item: Return = SOILED) -> int:
    """Load a return; its newest receipt."""
    centre.load(item)
    return int(centre.values("SELECT max(receipt_id) FROM ops.return_receipt")[0])


def hold(centre: Centre, receipt_id: int, *checks: str) -> None:
    """Blocking checks that found something in the return, as the checks process reports them."""
    row = {
        "suite": "health",
        "subject": "units",
        "severity": "blocking",
        "success": False,
        "evaluated": 9,
        "unexpected": 1,
    }
    row |= {"sample": "[]", "arrivals": json.dumps([receipt_id]), "explanation": "ten thousand times too much"}
    refresh = centre.open()
    centre.execute(
        "UPDATE ops.return_receipt SET refresh_id = :refresh WHERE receipt_id = :receipt",
        refresh=refresh.refresh_id,
        receipt=receipt_id,
    )
    with centre.engine.begin() as connection:
        record_checks(
            connection, refresh, "health_annual", [row | {"check_id": check} for check in checks], FIRST_NIGHT
        )


# --- finding ---


def test_the_list_has_a_line_a_return_and_reason(centre: Centre) -> None:
    receipt = receipt_of(centre)
    with centre.engine.connect() as connection:
        frame = list_quarantine(connection, Chosen())
    assert frame[["receipt_id", "platform", "reason", "cells", "first_address"]].to_dict("records") == [
        {"receipt_id": receipt, "platform": HEALTH, "reason": "not_a_number", "cells": 2, "first_address": "表1!D5"},
        {"receipt_id": receipt, "platform": HEALTH, "reason": "unknown_region", "cells": 1, "first_address": "表1!C9"},
    ]


@pytest.mark.parametrize(
    ("chosen", "reason", "cells"),
    [
        (Chosen(platform=HEALTH), None, 3),
        (Chosen(platform="520000/health"), None, 0),
        (Chosen(form="health_annual", period_code="2024"), None, 3),
        (Chosen(period_code="2023"), None, 0),
        (Chosen(), "unknown_region", 1),
        (Chosen(layout="health_table"), None, 3),
        (Chosen(layout="education_table"), None, 0),
        (Chosen(since=FIRST_NIGHT), None, 3),
        (Chosen(since=FIRST_NIGHT + datetime.timedelta(days=365)), None, 0),
    ],
)
def test_the_list_is_narrowed(centre: Centre, chosen: Chosen, reason: str | None, cells: int) -> None:
    receipt_of(centre)
    with centre.engine.connect() as connection:
        assert list_quarantine(connection, chosen, reason)["cells"].sum() == cells


def test_what_a_later_delivery_resolved_is_listed_only_on_request(centre: Centre) -> None:
    receipt_of(centre)
    centre.load(health(beds(6.0)))
    with centre.engine.connect() as connection:
        assert list_quarantine(connection, Chosen()).empty
        assert list_quarantine(connection, Chosen(), with_resolved=True)["resolved_at"].notna().all()


def test_a_return_shows_its_cells_with_the_sentence_in_both_languages(centre: Centre) -> None:
    receipt = receipt_of(centre)
    with centre.engine.connect() as connection:
        frame = read_set_aside(connection, receipt)
        one = read_set_aside(connection, receipt, "表1!E5")
    assert frame["address"].tolist() == ["表1!D5", "表1!E5", "表1!C9"]
    assert one[["raw_text", "explanation", "explanation_zh"]].to_numpy().tolist() == [
        ["x", "cannot be used: not_a_number", "不能使用：not_a_number"]
    ]


def test_an_unknown_receipt_is_an_error_that_says_where_to_look(centre: Centre) -> None:
    with centre.engine.connect() as connection, pytest.raises(UnknownReceiptError, match="quarantine list"):
        read_receipt(connection, 999_999_999)


LETTER = {
    "sha256": "ab", "file_name": "附件.xlsx", "bytes": 10, "reason": "unidentified", "explanation": "no title",
    "explanation_zh": "没有标题",
}  # fmt: skip


def test_files_that_nobody_could_place_are_listed_until_their_bytes_are_placed(centre: Centre) -> None:
    refresh = centre.open()
    with centre.engine.begin() as connection:
        record_unplaced(connection, refresh, [LETTER, LETTER | {"sha256": "cd", "file_name": "旧.xlsx"}])
        assert list_unplaced(connection)["file_name"].tolist() == ["旧.xlsx", "附件.xlsx"]
        assert resolve_unplaced(connection, refresh, {"cd", "ef"}) == 1
        assert list_unplaced(connection)["file_name"].tolist() == ["附件.xlsx"]


def test_a_file_that_comes_again_unplaced_is_open_again(centre: Centre) -> None:
    with centre.engine.begin() as connection:
        for reason in ("unidentified", "not_a_workbook"):
            refresh = open_refresh(connection, reason, FIRST_NIGHT, "hash")
            record_unplaced(connection, refresh, [LETTER | {"reason": reason}])
            assert list_unplaced(connection)["reason"].tolist() == [reason]
            resolve_unplaced(connection, refresh, {"ab"})


# --- letting pass ---


def test_a_waiver_names_every_check_that_holds_the_return_and_holds_for_its_bytes_only(centre: Centre) -> None:
    receipt = receipt_of(centre)
    hold(centre, receipt, "health.units.slip", "health.arithmetic.parts")
    with centre.engine.begin() as connection:
        checks = waive(connection, receipt, "王敏", "confirmed by telephone", FIRST_NIGHT)
        assert checks == ["health.arithmetic.parts", "health.units.slip"]
        assert read_waivers(connection, [SOILED.sha256, "0" * 64]) == {SOILED.sha256: set(checks)}
    told = centre.rows("SELECT DISTINCT operator, why FROM ops.quarantine_waiver")
    assert told == [("王敏", "confirmed by telephone")]


def test_a_second_waiver_replaces_the_reason_of_the_first(centre: Centre) -> None:
    receipt = receipt_of(centre)
    hold(centre, receipt, "health.units.slip")
    with centre.engine.begin() as connection:
        waive(connection, receipt, "王敏", "first", FIRST_NIGHT)
        waive(connection, receipt, "李静", "second", FIRST_NIGHT)
    assert centre.rows("SELECT operator, why FROM ops.quarantine_waiver") == [("李静", "second")]


def test_what_a_reader_could_not_read_is_not_let_pass(centre: Centre) -> None:
    receipt = receipt_of(centre)
    with centre.engine.connect() as connection, pytest.raises(NothingToWaiveError, match="reread --receipt") as raised:
        waive(connection, receipt, "王敏", "please", FIRST_NIGHT)
    assert sorted(raised.value.reasons) == ["not_a_number", "unknown_region"]


# --- reading once more ---


def test_a_requeued_return_is_read_again_as_a_delivery_of_its_own(centre: Centre) -> None:
    receipt_of(centre)
    with centre.engine.begin() as connection:
        queued = requeue(connection, Chosen(platform=HEALTH))
    assert queued.to_dict("records") == [
        {"platform": HEALTH, "form": "health_annual", "period_code": "2024", "sequence": 2}
    ]
    centre.archive[SOILED.sha256] = health(beds(5.0), beds(7.0, area="rural"))  # the same bytes, by a mended layout
    refresh = centre.open()
    assert centre.accept(refresh, "health_annual")[["loaded", "unchanged"]].to_numpy().tolist() == [[1, 1]]
    assert centre.rows("SELECT sequence, state FROM ops.return_receipt ORDER BY 1") == [
        (1, "partly_quarantined"),
        (2, "loaded"),
    ]
    assert centre.values("SELECT count(*) FROM ops.quarantine WHERE resolved_at IS NULL") == [0]


def test_a_faultless_return_is_read_again_though_its_bytes_are_known(centre: Centre) -> None:
    receipt_of(centre, health(beds(5.0)))
    with centre.engine.begin() as connection:
        requeue(connection, Chosen(layout="health_table"))
    receipts = centre.accept(centre.open(), "health_annual")
    assert receipts["state"].tolist() == ["unchanged"]  # settled as a repeat, it would not be read at all


def test_what_a_mended_layout_no_longer_reads_is_taken_back(centre: Centre) -> None:
    wrong = health(beds(5.0), Cell("HLT_NURSES", "510000", 7.0))
    receipt_of(centre, wrong)
    with centre.engine.begin() as connection:
        requeue(connection, Chosen(platform=HEALTH))
    centre.archive[wrong.sha256] = health(beds(5.0), Cell("HLT_PHYSICIANS", "510000", 7.0))
    refresh = centre.open()
    centre.accept(refresh, "health_annual")
    assert (centre.values_of("HLT_NURSES"), centre.values_of("HLT_PHYSICIANS")) == ({}, {"2024": 7.0})
    changed = centre.values(
        "SELECT code FROM ops.changed_slice JOIN core.indicator USING (indicator_key) WHERE refresh_id = :refresh",
        refresh=refresh.refresh_id,
    )
    assert set(changed) == {"HLT_NURSES", "HLT_PHYSICIANS"}


def test_what_another_delivery_says_is_not_taken_back_by_a_reading(centre: Centre) -> None:
    receipt_of(centre, health(Cell("HLT_NURSES", "510000", 7.0)))
    receipt_of(centre, health(beds(5.0), bad=(("表1!D5", "约12", "not_a_number"),)))
    with centre.engine.begin() as connection:
        requeue(connection, Chosen(platform=HEALTH))
    centre.accept(centre.open(), "health_annual")
    assert centre.values_of("HLT_NURSES") == {"2024": 7.0}


def test_only_the_newest_delivery_is_read_again(centre: Centre) -> None:
    receipt_of(centre)
    newest = receipt_of(centre, health(beds(6.0)))
    with centre.engine.begin() as connection:
        assert requeue(connection, Chosen(platform=HEALTH))["sequence"].tolist() == [3]
    assert centre.values("SELECT sha256 FROM ops.arrival") == [health(beds(6.0)).sha256]
    with centre.engine.connect() as connection:
        assert read_receipt(connection, newest)["sequence"] == 2


def test_returns_that_no_layout_could_read_are_among_those_of_any_layout(centre: Centre) -> None:
    receipt_of(centre)
    centre.execute("UPDATE ops.return_receipt SET layout = NULL")
    with centre.engine.begin() as connection:
        assert len(requeue(connection, Chosen(layout="health_table"))) == 1


def test_a_return_that_waits_already_is_not_queued_twice(centre: Centre) -> None:
    receipt_of(centre)
    with centre.engine.begin() as connection:
        requeue(connection, Chosen(platform=HEALTH))
        with pytest.raises(NothingToRereadError, match="waits already"):
            requeue(connection, Chosen(platform=HEALTH))


def test_a_return_that_never_arrived_cannot_be_read_again(centre: Centre) -> None:
    receipt_of(centre)
    centre.execute("UPDATE ops.return_receipt SET sequence = 0, state = 'missing'")
    with centre.engine.connect() as connection, pytest.raises(NothingToRereadError):
        requeue(connection, Chosen(platform=HEALTH))


# --- trouble that was overcome ---


def test_incidents_of_a_platform_add_up_over_the_stages_of_a_refresh(centre: Centre) -> None:
    refresh = centre.open()
    hour = datetime.timedelta(hours=1)
    with centre.engine.begin() as connection:
        record_incidents(connection, refresh, [Overcome(HEALTH, "slowed", 2, FIRST_NIGHT, FIRST_NIGHT, "429")])
        later = [
            Overcome(HEALTH, "slowed", 3, FIRST_NIGHT + hour, FIRST_NIGHT + hour, "503"),
            Overcome(HEALTH, "resumed", 1, FIRST_NIGHT, FIRST_NIGHT, "at byte 7"),
        ]
        record_incidents(connection, refresh, later)
        record_incidents(connection, refresh, [])
    told = centre.rows("SELECT kind, count, last_at - first_at, message FROM ops.platform_incident ORDER BY kind")
    assert told == [("resumed", 1, datetime.timedelta(0), "at byte 7"), ("slowed", 5, hour, "503")]
