"""Rosters of schools: vintages, what a later delivery takes back, receipts and cells; and the balance that is published."""

import dataclasses

import pandas as pd
import pytest

from tests.warehouse.centre import CATALOGUE, Cell, Centre, School, school
from warehouse.reproducing import reproduce
from warehouse.schools import to_rows

ROSTER = tuple(School(f"{number:03d}", times=2.0) for number in range(6))
UNEQUAL = (*ROSTER[:5], School("005", times=9.0))
COUNT = "SELECT count(*) FROM core.school_resource"
CURRENT = COUNT + " WHERE superseded_at = 'infinity'"
ENDED = "SELECT school_code, end_reason, ended_by FROM core.school_resource WHERE superseded_at < 'infinity' ORDER BY school_code"
VERDICTS = "SELECT region_code, passes FROM mart.county_balance WHERE resource_code = 'ALL' ORDER BY region_code, stage"


def other_county(times: float = 2.0) -> tuple[School, ...]:
    return tuple(School(f"9{number}", county="510105", times=times) for number in range(3))


# --- loading ---


def test_a_roster_is_loaded_with_its_receipt_and_cells(centre: Centre) -> None:
    [receipt] = centre.load(school(schools=ROSTER))
    assert receipt == {"state": "loaded", "cells": 48, "loaded": 48, "unchanged": 0, "quarantined": 0}
    rows = centre.rows(
        "SELECT indicator_key, period_key, region_key, school_code, school_name, pupils, teaching_area, networked_rooms,"
        " obs_status, addresses, receipt_id = (SELECT max(receipt_id) FROM ops.return_receipt) FROM core.school_resource"
        " ORDER BY school_code LIMIT 1"
    )
    items = ["PUPILS", *(line.resource_code for line in CATALOGUE.school_lines)]
    addresses = "|".join(f"学校名册!{item}4" for item in items)
    assert rows == [(2001, 20240912, 510104, "000", "学校", 100.0, 900.0, 4.6, "A", addresses, True)]


def test_the_same_roster_again_changes_no_row(centre: Centre) -> None:
    centre.load(school(schools=ROSTER))
    before = centre.rows("SELECT s::text FROM core.school_resource s ORDER BY school_code")
    [receipt] = centre.load(school(schools=ROSTER, modified_at=centre.now(), duplicates=1))
    assert (receipt["state"], receipt["loaded"], receipt["unchanged"]) == ("unchanged", 0, 49)
    assert centre.rows("SELECT s::text FROM core.school_resource s ORDER BY school_code") == before


def test_a_revised_school_is_a_new_vintage_and_the_others_stay(centre: Centre) -> None:
    first = centre.open()
    centre.load(school(schools=ROSTER), refresh=first)
    second = centre.open()
    [receipt] = centre.load(school(schools=UNEQUAL), refresh=second)
    assert (receipt["loaded"], receipt["unchanged"]) == (8, 40)
    assert centre.rows(
        "SELECT recorded_at, superseded_at = (SELECT max(recorded_at) FROM core.school_resource), sports_area, end_reason FROM core.school_resource WHERE school_code = '005'"
        " ORDER BY recorded_at"
    ) == [
        (first.recorded_at, True, 1500.0, "revision"),
        (second.recorded_at, False, 6750.0, None),
    ]
    assert centre.values(COUNT) == [7]


def test_a_school_that_a_later_return_does_not_hold_is_withdrawn(centre: Centre) -> None:
    centre.load(school(schools=ROSTER))
    centre.load(school(schools=ROSTER[:5]))
    [newest] = centre.values("SELECT max(receipt_id) FROM ops.return_receipt")
    assert centre.rows(ENDED) == [("005", "withdrawn", newest)]
    assert centre.values(CURRENT) == [5]


def test_a_return_without_a_roster_takes_the_earlier_one_back(centre: Centre) -> None:
    centre.load(school(schools=ROSTER))
    centre.load(school(Cell("EDU_PRIMARY_PUPILS", "510000", 5.0)))
    assert centre.values(CURRENT) == [0]


@pytest.mark.parametrize(
    "later",
    [
        pytest.param(
            school(schools=ROSTER[:5], bad=(("学校名册!F9", "约12", "not_a_number"),)), id="cells in quarantine"
        ),
        pytest.param(school(bad=(("", "", "wrong_period"),)), id="nothing of it can be used"),
        pytest.param(school(schools=other_county(), province="520000"), id="another province"),
        pytest.param(school(schools=ROSTER[:1], period="SY2025"), id="another year"),
    ],
)
def test_what_a_delivery_might_hold_is_not_withdrawn(centre: Centre, later) -> None:
    centre.load(school(schools=ROSTER))
    centre.load(later)
    assert centre.rows(ENDED) == []


def test_of_two_deliveries_in_one_load_the_later_wins_and_the_first_leaves_no_trace(centre: Centre) -> None:
    first, second = centre.load(school(schools=ROSTER), school(schools=UNEQUAL[1:]))
    assert (first["loaded"], first["unchanged"]) == (48, 0)
    assert (second["loaded"], second["unchanged"]) == (8, 32)
    assert centre.rows("SELECT school_code, sports_area FROM core.school_resource ORDER BY school_code") == [
        ("001", 1500.0),
        ("002", 1500.0),
        ("003", 1500.0),
        ("004", 1500.0),
        ("005", 6750.0),
    ]


def test_a_cell_in_quarantine_is_unknown_and_not_what_an_earlier_delivery_said(centre: Centre) -> None:
    centre.load(school(schools=ROSTER))
    bad = (School("000", times=2.0, aside=("SPORTS_AREA",)), *ROSTER[1:])
    [receipt] = centre.load(school(schools=bad, bad=(("学校名册!J4", "约12", "not_a_number"),)))
    assert receipt == {"state": "partly_quarantined", "cells": 48, "loaded": 7, "unchanged": 40, "quarantined": 1}
    [(area, addresses)] = centre.rows(
        "SELECT sports_area, addresses FROM core.school_resource WHERE superseded_at = 'infinity' AND school_code = '000'"
    )
    assert area is None
    assert addresses.split("|")[5] == ""


def test_a_row_is_as_weak_as_its_weakest_figure_and_blank_where_all_is() -> None:
    columns = ["arrival_id", "region_code", "period_code", "school_code", "school_name", "stage", "item", "value"]
    rows = [
        (1, "510104", "SY2024", "a", "甲", "primary", "PUPILS", 5.0, "A", "F4", "5"),
        (1, "510104", "SY2024", "a", "甲", "primary", "SPORTS_AREA", 6.0, "E", "K4", "6e"),
        (1, "510104", "SY2024", "a", "甲", "primary", "KEY_TEACHERS", float("nan"), "M", "H4", ""),
        (1, "510104", "SY2024", "b", "乙", "primary", "PUPILS", float("nan"), "M", "F5", ""),
    ]
    frame = pd.DataFrame(rows, columns=[*columns, "obs_status", "address", "raw_text"])
    made = to_rows(frame, CATALOGUE)
    assert made[["school_code", "cells", "obs_status", "addresses"]].to_numpy().tolist() == [
        ["a", 3, "E", "F4||H4|||K4||"],
        ["b", 1, "M", "F5|||||||"],
    ]


# --- publishing ---


def test_one_county_passes_and_one_fails_by_its_cv(centre: Centre) -> None:
    release = centre.night(school(schools=(*UNEQUAL, *other_county())))
    assert release is not None
    assert centre.rows(VERDICTS) == [("510104", False), ("510105", True)]
    assert centre.rows(
        "SELECT resource_name, stage, unit, round(mean::numeric, 3), line, passes_cv, schools_meeting, schools, status"
        " FROM mart.county_balance WHERE region_code = '510104' AND resource_code = 'SPORTS_AREA'"
    ) == [("生均体育运动场馆面积", "primary", "m2 per pupil", pytest.approx(23.75), 7.5, False, 6, 6, "ok")]
    assert centre.values("SELECT count(*) FROM mart.school_resource") == [9]
    assert release.observations == 0


def test_a_reader_may_look_at_schools_and_balance_and_at_no_table_behind(centre: Centre) -> None:
    with centre.engine.connect() as connection:
        for name in (
            "mart.school_resource",
            "mart.school_resource_history",
            "mart.county_balance",
            "core.school_resource",
        ):
            allowed = connection.exec_driver_sql(
                f"SELECT has_table_privilege('bi_reader', '{name}', 'SELECT')"
            ).scalar()
            assert allowed is name.startswith("mart.")


def test_a_revised_roster_changes_its_county_s_rows_alone(centre: Centre) -> None:
    centre.night(school(schools=(*UNEQUAL, *other_county())))
    shown = "SELECT to_jsonb(m) - 'release_id' FROM mart.county_balance m WHERE region_code = :county ORDER BY resource_code"
    before = {county: centre.values(shown, county=county) for county in ("510104", "510105")}
    release = centre.night(school(schools=(*ROSTER, *other_county())))
    assert release is not None
    assert release.revisions == 1
    assert centre.values(shown, county="510105") == before["510105"]
    assert centre.values(shown, county="510104") != before["510104"]
    assert centre.rows(VERDICTS) == [("510104", True), ("510105", True)]


def test_other_slices_are_not_computed_anew(centre: Centre) -> None:
    junior = tuple(School(f"j{number}", stage="junior_secondary") for number in range(3))
    centre.night(school(schools=(*ROSTER, *junior)), school(schools=ROSTER, period="SY2025"))
    centre.night(school(schools=(*UNEQUAL, *junior)))
    assert centre.rows(
        "SELECT period_code, stage, release_id FROM mart.county_balance WHERE resource_code = 'ALL' ORDER BY 1, 2"
    ) == [("SY2024", "junior_secondary", 1), ("SY2024", "primary", 2), ("SY2025", "primary", 1)]


def test_a_night_without_a_new_roster_makes_no_release(centre: Centre) -> None:
    centre.night(school(schools=ROSTER))
    assert centre.night(school(schools=ROSTER, duplicates=1)) is None


def test_a_roster_that_is_withdrawn_takes_its_balance_along(centre: Centre) -> None:
    centre.night(school(schools=(*ROSTER, *other_county())))
    centre.night(school(schools=other_county()))
    assert centre.rows(VERDICTS) == [("510105", True)]
    assert centre.values("SELECT count(*) FROM mart.county_balance_as_of(:moment)", moment=centre.now()) == [8]
    assert centre.values("SELECT count(*) FROM mart.school_resource_as_of(:moment)", moment=centre.now()) == [3]


def test_every_roster_gone_is_no_balance(centre: Centre) -> None:
    centre.night(school(schools=ROSTER))
    centre.night(school(Cell("EDU_PRIMARY_PUPILS", "510000", 5.0)))
    assert centre.rows(VERDICTS) == []
    assert centre.values("SELECT count(*) FROM mart.school_resource") == [0]


def test_a_change_of_a_name_alone_is_released_too(centre: Centre) -> None:
    centre.night(school(schools=ROSTER))
    renamed = (School("000", times=2.0, name="第一小学"), *ROSTER[1:])
    assert centre.night(school(schools=renamed)) is not None


def test_another_limit_in_the_catalogue_reaches_rosters_that_are_loaded(centre: Centre) -> None:
    centre.night(school(schools=UNEQUAL))
    assert centre.rows(VERDICTS) == [("510104", False)]
    lines = tuple(line.model_copy(update={"primary_cv_limit": 5.0}) for line in CATALOGUE.school_lines)
    centre.catalogue = dataclasses.replace(CATALOGUE, school_lines=lines, sha256="another")
    assert centre.night() is not None
    assert centre.rows(VERDICTS) == [("510104", True)]


def test_a_release_of_rosters_can_be_computed_again(centre: Centre) -> None:
    centre.night(school(schools=(*UNEQUAL, *other_county())))
    centre.night(school(schools=(*ROSTER, *other_county())))
    for number in (1, 2):
        with centre.engine.begin() as connection:
            again = reproduce(connection, number, CATALOGUE)
        assert again.differing == ()
        assert again.computed_sha256 == again.recorded_sha256
