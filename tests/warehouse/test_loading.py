"""Loading: vintages, idempotence, conservation, receipts and quarantine, on a real database."""

import datetime
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from tests.warehouse.centre import FIRST_NIGHT, Cell, Centre, Return, beds, employment, health, people
from warehouse.errors import ConservationError
from warehouse.receipts import Refresh


class KilledError(Exception):
    """Stands for a process that dies."""


def outcome(state: str, loaded: int = 0, unchanged: int = 0, quarantined: int = 0) -> dict[str, Any]:
    cells = loaded + unchanged + quarantined
    return {"state": state, "cells": cells, "loaded": loaded, "unchanged": unchanged, "quarantined": quarantined}


def vintages(centre: Centre) -> list[tuple[Any, ...]]:
    """Every vintage: value, status, number of the refresh that recorded it, and of the one that superseded it."""
    return centre.rows(
        "SELECT o.value, o.obs_status, made.run_id, ended.run_id FROM core.observation o"
        " JOIN ops.refresh made ON made.recorded_at = o.recorded_at"
        " LEFT JOIN ops.refresh ended ON ended.recorded_at = o.superseded_at"
        " ORDER BY o.indicator_key, o.region_key, o.area_key, o.recorded_at"
    )


def revisions(centre: Centre) -> int:
    return int(centre.values("SELECT sum(revisions) FROM ops.changed_slice")[0])


def counts(centre: Centre) -> dict[str, int]:
    """Rows of the tables that a load writes."""
    tables = ("core.observation", "ops.arrival", "ops.return_receipt", "ops.quarantine", "ops.changed_slice")
    return {table: centre.values(f"SELECT count(*) FROM {table}")[0] for table in tables}


# --- figures and their vintages ---


def test_a_new_figure_is_loaded_with_return_and_cell(centre: Centre) -> None:
    assert centre.load(health(beds(1000.0))) == [outcome("loaded", loaded=1)]
    assert centre.figures() == {("HLT_BEDS", "2024", "510000", "total", 1000.0, "A")}
    (traced,) = centre.rows("SELECT receipt_id, address, last_digit FROM core.observation")
    (receipt,) = centre.values("SELECT receipt_id FROM ops.return_receipt")
    assert traced == (receipt, "表1!C5", 1.0)


def test_region_area_and_period_of_a_figure_are_kept_apart(centre: Centre) -> None:
    centre.load(health(beds(1.0), beds(2.0, area="rural"), beds(3.0, region="510104"), beds(4.0, period="2023")))
    assert centre.figures() == {
        ("HLT_BEDS", "2024", "510000", "total", 1.0, "A"),
        ("HLT_BEDS", "2024", "510000", "rural", 2.0, "A"),
        ("HLT_BEDS", "2024", "510104", "total", 3.0, "A"),
        ("HLT_BEDS", "2023", "510000", "total", 4.0, "A"),
    }


def test_an_equal_figure_makes_no_vintage(centre: Centre) -> None:
    centre.load(health(beds(1000.0)))
    assert centre.load(health(beds(1000.0), beds(5.0, area="rural"))) == [outcome("loaded", loaded=1, unchanged=1)]
    assert vintages(centre) == [(1000.0, "A", "run 1", None), (5.0, "A", "run 2", None)]


def test_a_changed_value_closes_the_old_vintage(centre: Centre) -> None:
    centre.load(health(beds(1000.0)))
    assert centre.load(health(beds(1100.0))) == [outcome("loaded", loaded=1)]
    assert vintages(centre) == [(1000.0, "A", "run 1", "run 2"), (1100.0, "A", "run 2", None)]


def test_a_changed_status_alone_is_a_vintage(centre: Centre) -> None:
    centre.load(health(beds(1000.0, status="P")))
    assert centre.load(health(beds(1000.0, status="A"))) == [outcome("loaded", loaded=1)]
    assert vintages(centre) == [(1000.0, "P", "run 1", "run 2"), (1000.0, "A", "run 2", None)]


def test_as_of_an_earlier_refresh_the_old_figure_is_given(centre: Centre) -> None:
    first, second = centre.open(), centre.open()
    centre.load(health(beds(1000.0)), refresh=first)
    centre.load(health(beds(1100.0), beds(7.0, area="rural")), refresh=second)
    assert centre.figures(as_of=first) == {("HLT_BEDS", "2024", "510000", "total", 1000.0, "A")}
    assert centre.figures(as_of=second) == centre.figures()


def test_a_figure_that_returns_to_its_old_value_has_three_vintages(centre: Centre) -> None:
    for value in (1000.0, 1100.0, 1000.0):
        centre.load(health(beds(value)))
    assert [row[0] for row in vintages(centre)] == [1000.0, 1100.0, 1000.0]
    assert centre.values_of("HLT_BEDS") == {"2024": 1000.0}


def test_a_blank_cell_is_a_null_figure_with_status_m(centre: Centre) -> None:
    assert centre.load(health(beds(None))) == [outcome("loaded", loaded=1)]
    assert centre.figures() == {("HLT_BEDS", "2024", "510000", "total", None, "M")}


def test_a_blank_after_a_figure_closes_it_and_is_not_a_zero(centre: Centre) -> None:
    centre.load(health(beds(1000.0)))
    centre.load(health(beds(None)))
    assert vintages(centre) == [(1000.0, "A", "run 1", "run 2"), (None, "M", "run 2", None)]


def test_a_blank_again_is_unchanged(centre: Centre) -> None:
    centre.load(health(beds(None)))
    assert centre.load(health(beds(None), beds(1.0, area="rural"))) == [outcome("loaded", loaded=1, unchanged=1)]


def test_figures_of_other_returns_stay(centre: Centre) -> None:
    centre.load(health(beds(1.0)), health(beds(2.0, region="110000"), province="110000"))
    centre.load(health(beds(3.0)))
    assert {row[4] for row in centre.figures()} == {2.0, 3.0}


# --- what is gone ---


def ends(centre: Centre) -> list[tuple[Any, ...]]:
    """(old value, why it ended, new value) of every change of a reported figure, in the order of the old values."""
    return centre.rows("SELECT old_value, kind, new_value FROM core.change ORDER BY old_value")


def test_a_figure_that_a_later_delivery_does_not_name_is_withdrawn_and_told(centre: Centre) -> None:
    centre.load(health(beds(1.0), beds(2.0, area="rural")))
    centre.load(health(beds(3.0)))
    assert {row[4] for row in centre.figures()} == {3.0}
    assert ends(centre) == [(1.0, "revision", 3.0), (2.0, "withdrawn", None)]
    assert centre.values("SELECT message FROM ops.return_receipt ORDER BY receipt_id") == [
        None,
        "1 figures of earlier deliveries are not in it any more",
    ]
    assert centre.values(
        "SELECT n.sequence FROM core.change c JOIN ops.return_receipt n ON n.receipt_id = c.new_receipt_id"
    ) == [2, 2]


def test_a_withdrawn_figure_was_known_before(centre: Centre) -> None:
    first = centre.open()
    centre.load(health(beds(1.0), beds(2.0, area="rural")), refresh=first)
    centre.load(health(beds(1.0)))
    assert {row[4] for row in centre.figures(first)} == {1.0, 2.0}
    assert {row[4] for row in centre.figures()} == {1.0}


def test_a_withdrawn_figure_that_comes_back_is_new_and_no_revision(centre: Centre) -> None:
    centre.load(health(beds(1.0), beds(2.0, area="rural")))
    centre.load(health(beds(1.0)))
    centre.load(health(beds(1.0), beds(2.0, area="rural")))
    assert {row[4] for row in centre.figures()} == {1.0, 2.0}
    assert ends(centre) == [(2.0, "withdrawn", None)]


def test_nothing_is_withdrawn_by_a_delivery_with_cells_in_quarantine(centre: Centre) -> None:
    """The missing figure may be the one that cannot be read."""
    centre.load(health(beds(1.0), beds(2.0, area="rural")))
    centre.load(health(beds(3.0), bad=(("表1!D5", "约12", "not_a_number"),)))
    assert {row[4] for row in centre.figures()} == {3.0, 2.0}


def test_a_text_beside_the_tables_keeps_nothing_alive(centre: Centre) -> None:
    centre.load(health(beds(1.0), beds(2.0, area="rural")))
    centre.load(health(beds(1.0), bad=(("表1!Z9", "印章", "stray_cell"),)))
    assert {row[4] for row in centre.figures()} == {1.0}


def test_nothing_is_withdrawn_by_a_delivery_without_a_usable_figure(centre: Centre) -> None:
    centre.load(health(beds(1.0)))
    centre.load(health(bad=(("", "", "unknown_layout"),)))
    assert {row[4] for row in centre.figures()} == {1.0}


def test_another_return_withdraws_nothing_of_this_one(centre: Centre) -> None:
    centre.load(health(beds(1.0)), health(beds(2.0, "610000"), province="610000"))
    centre.load(health(beds(3.0), period="2023"), employment(people(5.0)))
    assert {row[4] for row in centre.figures()} >= {1.0, 2.0}
    assert ends(centre) == []


def test_of_two_deliveries_in_one_night_the_first_leaves_no_trace(centre: Centre) -> None:
    centre.load(health(beds(1.0), beds(2.0, area="rural")))
    later = FIRST_NIGHT + datetime.timedelta(days=40)
    centre.load(health(beds(5.0), beds(7.0, area="rural")), health(beds(1.0), modified_at=later))
    assert {row[4] for row in centre.figures()} == {1.0}
    assert ends(centre) == [(2.0, "withdrawn", None)]


def test_a_figure_that_a_night_takes_back_and_gives_again_is_no_change(centre: Centre) -> None:
    centre.load(health(beds(1.0)))
    later = FIRST_NIGHT + datetime.timedelta(days=40)
    centre.load(health(beds(5.0)), health(beds(1.0, last_digit=0.1), modified_at=later))
    assert ends(centre) == []
    assert {row[4] for row in centre.figures()} == {1.0}


# --- why a vintage ends ---


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (beds(4.6, last_digit=0.1), beds(4.65, last_digit=0.01), "precision"),
        (beds(4.6, last_digit=0.1), beds(4.66, last_digit=0.01), "revision"),
        (beds(100.0, last_digit=1.0), beds(100.5, last_digit=0.1), "precision"),
        (beds(100.0, status="P"), beds(100.0), "status"),
        (beds(100.0), beds(None), "revision"),
        (beds(None), beds(100.0), "revision"),
    ],
)
def test_a_change_says_of_what_kind_it_is(centre: Centre, old: Cell, new: Cell, kind: str) -> None:
    centre.load(health(old))
    centre.load(health(new))
    assert ends(centre) == [(old.value, kind, new.value)]


def test_a_current_vintage_has_no_end(centre: Centre) -> None:
    centre.load(health(beds(1.0)))
    centre.load(health(beds(3.0)))
    assert centre.rows("SELECT end_reason, ended_by FROM core.observation WHERE superseded_at = 'infinity'") == [
        (None, None)
    ]


# --- idempotence ---


def test_the_same_returns_again_change_no_row_but_receipts(centre: Centre) -> None:
    returns = [health(beds(1000.0), beds(None, area="rural")), employment(people(500.0))]
    centre.load(*returns)
    before, figures = counts(centre), vintages(centre)
    centre.load(*returns)
    assert counts(centre) == before | {"ops.return_receipt": 4}
    assert vintages(centre) == figures


def test_the_same_figures_in_other_bytes_are_read_and_unchanged(centre: Centre) -> None:
    centre.load(health(beds(1000.0, last_digit=1.0)))
    before = vintages(centre)
    assert centre.load(health(beds(1000.0, last_digit=0.1))) == [outcome("unchanged", unchanged=1)]
    assert vintages(centre) == before


def test_nothing_changed_nothing_in_the_changed_set(centre: Centre) -> None:
    centre.load(health(beds(1000.0)))
    centre.execute("DELETE FROM ops.changed_slice")
    centre.load(health(beds(1000.0, last_digit=0.1)))
    assert centre.rows("SELECT * FROM ops.changed_slice") == []


def test_only_changed_slices_are_in_the_changed_set(centre: Centre) -> None:
    centre.load(health(beds(1000.0), Cell("HLT_NURSES", "510000", 7.0)))
    second = centre.open()
    centre.load(health(beds(1100.0), Cell("HLT_NURSES", "510000", 7.0)), refresh=second)
    changed = centre.rows(
        "SELECT code, period_code FROM ops.changed_slice JOIN core.indicator USING (indicator_key)"
        " JOIN core.period USING (period_key) WHERE refresh_id = :refresh_id",
        refresh_id=second.refresh_id,
    )
    assert changed == [("HLT_BEDS", "2024")]


# --- conservation ---


@pytest.mark.parametrize("cells_read", [1, 3])
def test_cells_that_do_not_add_up_stop_the_load_and_nothing_is_loaded(centre: Centre, cells_read: int) -> None:
    whole = health(beds(9.0, region="110000"), province="110000")
    refresh = centre.open()
    centre.collect(refresh, whole, health(beds(1.0), beds(2.0, area="rural"), cells_read=cells_read))
    before = counts(centre)
    with pytest.raises(ConservationError, match="does not add up") as raised:
        centre.accept(refresh, "health_annual")
    assert raised.value.counts == {"cells": cells_read, "loaded": 2, "unchanged": 0, "quarantined": 0}
    (waiting,) = centre.values("SELECT arrival_id FROM ops.arrival WHERE region_code = '510000'")
    assert raised.value.receipt_id == waiting
    assert counts(centre) == before


def test_equal_duplicates_in_a_return_count_as_unchanged(centre: Centre) -> None:
    assert centre.load(health(beds(1.0), duplicates=2)) == [outcome("loaded", loaded=1, unchanged=2)]


# --- two deliveries in one load ---


def test_of_two_deliveries_in_one_load_the_later_modified_wins(centre: Centre) -> None:
    early, late = FIRST_NIGHT - datetime.timedelta(days=2), FIRST_NIGHT - datetime.timedelta(days=1)
    later, earlier = health(beds(1100.0), modified_at=late), health(beds(1000.0), modified_at=early)
    assert centre.load(later, earlier) == [outcome("loaded", loaded=1), outcome("loaded", loaded=1)]
    assert vintages(centre) == [(1100.0, "A", "run 1", None)]


def test_of_two_deliveries_modified_at_one_time_the_later_fetched_wins(centre: Centre) -> None:
    centre.load(health(beds(1000.0)), health(beds(1100.0)))
    assert centre.values_of("HLT_BEDS") == {"2024": 1100.0}


def test_both_deliveries_of_one_load_have_receipts_that_add_up(centre: Centre) -> None:
    first = health(beds(1000.0), beds(5.0, area="rural"))
    second = health(beds(1100.0), beds(5.0, area="rural"), bad=(("表1!D5", "约12", "not_a_number"),))
    assert centre.load(first, second) == [
        outcome("loaded", loaded=2),
        outcome("partly_quarantined", loaded=1, unchanged=1, quarantined=1),
    ]
    assert centre.rows("SELECT sequence, state FROM ops.return_receipt ORDER BY sequence") == [
        (1, "loaded"),
        (2, "partly_quarantined"),
    ]


def test_two_deliveries_over_an_older_figure_leave_one_vintage_of_the_refresh(centre: Centre) -> None:
    centre.load(health(beds(900.0)))
    centre.load(health(beds(1000.0)), health(beds(1100.0)))
    assert vintages(centre) == [(900.0, "A", "run 1", "run 2"), (1100.0, "A", "run 2", None)]


def test_a_second_delivery_beside_single_ones_leaves_those_alone(centre: Centre) -> None:
    beijing = health(beds(7.0, region="110000"), province="110000")
    assert [row["loaded"] for row in centre.load(health(beds(1000.0)), beijing, health(beds(1100.0)))] == [1, 1, 1]
    assert {(row[2], row[4]) for row in centre.figures()} == {("510000", 1100.0), ("110000", 7.0)}


# --- a killed load ---


def accept_and_die(centre: Centre, refresh: Refresh) -> None:
    """Load, and die before the transaction ends."""
    with suppress(KilledError), centre.engine.begin() as connection:
        assert len(centre.accept_within(connection, refresh, "health_annual")) > 0
        raise KilledError


def test_a_killed_load_leaves_its_deliveries_waiting(centre: Centre) -> None:
    refresh = centre.open()
    centre.collect(refresh, health(beds(1000.0)))
    before = counts(centre)
    accept_and_die(centre, refresh)
    assert counts(centre) == before
    assert before["ops.arrival"] == 1


def test_after_a_killed_load_the_next_ends_in_the_same_state(centre: Centre) -> None:
    returns = [health(beds(1000.0)), health(beds(1100.0), bad=(("表1!D5", "约12", "not_a_number"),))]
    centre.load(*returns)
    expected, figures = counts(centre), centre.figures()
    centre.empty()
    killed = centre.open()
    centre.collect(killed, *returns)
    accept_and_die(centre, killed)
    centre.accept(centre.open(), "health_annual")
    assert counts(centre) == expected
    assert centre.figures() == figures


# --- quarantine ---


def quarantine(centre: Centre) -> list[tuple[Any, ...]]:
    return centre.rows(
        "SELECT address, raw_text, reason, resolved_at IS NOT NULL FROM ops.quarantine ORDER BY quarantine_id"
    )


def test_a_quarantined_cell_is_kept_with_text_reason_bytes_and_receipt(centre: Centre) -> None:
    delivery = health(beds(1.0), bad=(("表1!D5", "约12", "not_a_number"),))
    centre.load(delivery)
    assert quarantine(centre) == [("表1!D5", "约12", "not_a_number", False)]
    assert centre.rows(
        "SELECT sha256, explanation FROM ops.quarantine JOIN ops.return_receipt USING (receipt_id, sha256)"
    ) == [(delivery.sha256, "cannot be used: not_a_number")]


def test_a_return_of_nothing_usable_is_quarantined(centre: Centre) -> None:
    html = health(bad=(("", "<html>", "not_a_workbook"),))
    assert centre.load(html) == [outcome("quarantined", quarantined=1)]
    assert centre.figures() == set()


def test_a_quarantined_return_keeps_the_figures_known_before(centre: Centre) -> None:
    centre.load(health(beds(1000.0)))
    centre.load(health(bad=(("", "<html>", "not_a_workbook"),)))
    assert centre.values_of("HLT_BEDS") == {"2024": 1000.0}


def test_a_later_delivery_resolves_what_was_quarantined(centre: Centre) -> None:
    centre.load(health(bad=(("表1!D5", "约12", "not_a_number"),)))
    second = centre.open()
    centre.load(health(beds(12.0)), refresh=second)
    assert centre.values("SELECT resolved_at FROM ops.quarantine") == [second.recorded_at]


def test_a_later_delivery_with_the_same_fault_leaves_one_open_row(centre: Centre) -> None:
    bad = (("表1!D5", "约12", "not_a_number"),)
    centre.load(health(beds(1.0), bad=bad))
    centre.load(health(beds(2.0), bad=bad))
    assert [row[3] for row in quarantine(centre)] == [True, False]


def test_a_delivery_of_another_return_resolves_nothing(centre: Centre) -> None:
    centre.load(health(bad=(("表1!D5", "约12", "not_a_number"),)))
    centre.load(
        health(beds(1.0), period="2023"),
        health(beds(1.0, region="110000"), province="110000"),
        employment(people(1.0)),
    )
    assert [row[3] for row in quarantine(centre)] == [False]


def test_a_fault_mended_by_the_second_delivery_of_one_load_is_resolved(centre: Centre) -> None:
    centre.load(health(bad=(("表1!D5", "约12", "not_a_number"),)), health(beds(12.0)))
    assert [row[3] for row in quarantine(centre)] == [True]


# --- revisions ---


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (beds(100.0), beds(101.0), 1),
        (beds(100.0), beds(99.0), 1),
        (beds(100.0, last_digit=1.0), beds(100.6, last_digit=0.1), 1),
        (beds(100.0, last_digit=1.0), beds(100.5, last_digit=0.1), 0),
        (beds(100.0, last_digit=1.0), beds(100.4, last_digit=0.1), 0),
        (beds(100.4, last_digit=0.1), beds(100.0, last_digit=1.0), 0),
        (beds(100.0, last_digit=1.0), beds(100.0, last_digit=0.01), 0),
        (beds(4.6, last_digit=0.1), beds(4.65, last_digit=0.01), 0),
        (beds(83_640_000.0, last_digit=1000.0), beds(83_640_500.0, last_digit=1.0), 0),
        (beds(100.0, status="P"), beds(100.0, status="A"), 0),
        (beds(100.0), beds(None), 1),
        (beds(None), beds(100.0), 1),
        (beds(None), beds(None), 0),
    ],
    ids=[
        "up by a unit",
        "down by a unit",
        "by more than half a unit of the coarser digit",
        "exactly half a unit",
        "more digits",
        "fewer digits",
        "precision alone",
        "half a unit but for float noise",
        "half a unit of thousands",
        "status alone",
        "a figure gone",
        "a figure come",
        "blank again",
    ],
)
def test_a_revision_is_more_than_half_a_unit_of_the_coarser_last_digit(
    centre: Centre, before: Cell, after: Cell, expected: int
) -> None:
    centre.load(health(before))
    assert revisions(centre) == 0
    centre.load(health(after, beds(1.0, area="rural")))
    assert revisions(centre) == expected


def test_a_blank_that_changes_its_status_is_no_revision(centre: Centre) -> None:
    centre.load(health(beds(None)))
    centre.execute("UPDATE core.observation SET obs_status = 'L'")
    centre.load(health(beds(None), beds(1.0, area="rural")))
    assert [row[1] for row in vintages(centre)][:2] == ["L", "M"]
    assert revisions(centre) == 0


def test_receipts_name_form_and_state_for_deliveries_of_many_forms(centre: Centre) -> None:
    monthly = Return("employment_monthly", "510000", "2026-03", (Cell("PEN_RESIDENT_INSURED", "510000", 5.0),))
    centre.load(monthly, health(beds(1.0)))
    assert centre.rows("SELECT form, period_code, state FROM ops.return_receipt ORDER BY form") == [
        ("employment_monthly", "2026-03", "loaded"),
        ("health_annual", "2024", "loaded"),
    ]


# --- returns that print each other's figures ---


def test_two_returns_of_one_load_may_hold_the_same_figure(centre: Centre) -> None:
    """A table of several years beside that of one: the later delivery wins, as between nights."""
    of_two_years = health(beds(1.0, period="2023"), beds(5.0, period="2024"), period="2023")
    centre.load(of_two_years, health(beds(6.0), period="2024"))
    assert centre.values_of("HLT_BEDS") == {"2023": 1.0, "2024": 6.0}
    assert ends(centre) == []
    centre.load(health(beds(7.0, period="2023"), beds(8.0, period="2024"), period="2023"), health(beds(9.0)))
    assert centre.values_of("HLT_BEDS") == {"2023": 7.0, "2024": 9.0}


def test_a_figure_that_the_first_of_two_deliveries_lacks_is_not_withdrawn(centre: Centre) -> None:
    centre.load(health(beds(1.0), beds(2.0, area="rural")))
    later = FIRST_NIGHT + datetime.timedelta(days=40)
    centre.load(health(beds(1.0, last_digit=0.1)), health(beds(1.0), beds(3.0, area="rural"), modified_at=later))
    assert ends(centre) == [(2.0, "revision", 3.0)]


def test_a_reported_figure_that_equals_the_computed_one_is_the_returns_own(centre: Centre) -> None:
    """Else a revision of the parts would change what the return says."""
    spent = Cell("PEN_RESIDENT_EXPENDITURE", "510000", 100.0, period="2024-M01-M03")
    refresh = centre.open()
    centre.load(Return("employment_monthly", "510000", "2024-03", (spent,)), refresh=refresh)
    centre.compute(refresh)
    assert centre.values_of("PEN_RESIDENT_EXPENDITURE")["2024-Q1"] == 100.0
    centre.load(Return("employment_annual", "510000", "2024", (replace(spent, period="2024-Q1"),)))
    refresh = centre.open()
    centre.load(Return("employment_monthly", "510000", "2024-03", (replace(spent, value=110.0),)), refresh=refresh)
    centre.compute(refresh)
    found = centre.values_of("PEN_RESIDENT_EXPENDITURE")
    assert (found["2024-M01-M03"], found["2024-Q1"]) == (110.0, 100.0)
