"""Three nights through Dagster against real platforms: what is loaded, what is not, and what is said of it."""

import pandas as pd
import pytest

from tests.assets.nights import DOWN, LATE, NOT_A_NUMBER, NOT_A_WORKBOOK, REVISED, Nights
from tests.assets.world import FORMS, Night
from warehouse.marts.registry import MARTS
from warehouse.periods import parse_period

pytestmark = [pytest.mark.xdist_group("world"), pytest.mark.timeout(600)]  # a busy machine takes minutes

STAGES = [f"collect_{form}" for form in FORMS] + [f"load_{form}" for form in FORMS]
READ = ["loaded", "unchanged", "quarantined", "partly_quarantined"]


def of_night(night: Night) -> pd.DataFrame:
    return night.receipts[night.receipts["refresh_id"] == night.refresh["refresh_id"]]


def test_the_first_night_loads_what_is_due_and_publishes(nights: Nights) -> None:
    night = nights.first
    assert night.said.exit_code == 0, night.said.stderr
    # 15 months, 4 quarters, a year and a school year of three provinces
    counts = night.receipts.groupby(["form", "state"]).size().to_dict()
    assert counts == {
        ("education_school_year", "loaded"): 3,
        ("employment_annual", "loaded"): 3,
        ("employment_monthly", "loaded"): 45,
        ("health_annual", "loaded"): 3,
        ("health_quarterly", "loaded"): 12,
    }
    assert night.refresh["status"] == "published"
    assert night.release["release_id"] == 1
    assert night.release["observations"] == night.facts["current"]
    assert set(night.steps.values()) == {"SUCCESS"}


def test_nothing_new_changes_no_figure_and_makes_no_release(nights: Nights) -> None:
    assert nights.second.facts == nights.first.facts
    assert nights.second.release == nights.first.release
    assert nights.second.receipts.equals(nights.first.receipts)


def test_nothing_new_is_recorded_all_the_same(nights: Nights) -> None:
    assert nights.second.refresh["refresh_id"] == 2
    assert nights.second.refresh["status"] == "unchanged"
    assert nights.second.refresh["release_id"] != nights.second.refresh["refresh_id"]


def test_nothing_new_skips_what_comes_after_the_loading(nights: Nights) -> None:
    steps = nights.second.steps
    assert [name for name, how in steps.items() if how == "SKIPPED"] == ["compute_marts", "release"]
    assert all(steps[name] == "SUCCESS" for name in STAGES)


def test_nothing_new_is_said(nights: Nights) -> None:
    assert nights.second.said.exit_code == 0, nights.second.said.stderr
    assert "nothing new: no figure changed, no release made" in nights.second.said.stdout
    assert "WARNING" not in nights.second.said.stdout


def test_faults_do_not_fail_the_night(nights: Nights) -> None:
    assert nights.third.said.exit_code == 0, nights.third.said.stderr
    assert set(nights.third.steps.values()) == {"SUCCESS"}
    assert nights.third.refresh["status"] == "published"
    assert nights.third.release["release_id"] == 2


@pytest.mark.parametrize(
    ("fault", "state"),
    [(DOWN, "failed"), (NOT_A_WORKBOOK, "quarantined"), (NOT_A_NUMBER, "partly_quarantined"), (REVISED, "loaded"),
     (LATE, "missing")],
    ids=["down", "not_a_workbook", "not_a_number", "revised", "late"],
)  # fmt: skip
def test_a_fault_is_the_state_of_its_return(nights: Nights, fault: tuple[str, str, str], state: str) -> None:
    assert nights.third.receipt(*fault)["state"] == state


def warnings(night: Night) -> list[str]:
    return [line for line in night.said.stdout.splitlines() if line.startswith("WARNING")]


@pytest.mark.parametrize("fault", [NOT_A_WORKBOOK, NOT_A_NUMBER, LATE], ids=["workbook", "number", "late"])
def test_a_fault_is_one_warning_that_names_the_return(nights: Nights, fault: tuple[str, str, str]) -> None:
    named = [line for line in warnings(nights.third) if all(word in line for word in fault)]
    assert len(named) == 1, warnings(nights.third)


def test_a_platform_that_is_down_is_one_warning(nights: Nights) -> None:
    """Not one for each return it owes."""
    assert len([line for line in warnings(nights.third) if DOWN[0] in line]) == 1


def test_there_is_a_warning_for_each_fault_and_no_other(nights: Nights) -> None:
    assert len(warnings(nights.third)) == 4


def test_a_platform_that_is_down_is_said_with_its_reason(nights: Nights) -> None:
    message = nights.third.receipt(*DOWN)["message"]
    assert DOWN[0] in message
    assert "503" in message


def test_the_other_returns_are_published(nights: Nights) -> None:
    faults = {DOWN, NOT_A_WORKBOOK, NOT_A_NUMBER, REVISED, LATE}
    rows = of_night(nights.third).to_dict("records")
    others = {(r["platform"], r["form"], r["period_code"]): r["state"] for r in rows}
    assert {key: state for key, state in others.items() if key not in faults} == {
        ("640000/employment", "employment_monthly", "2026-04"): "loaded",
        ("540000/health", "health_quarterly", "2026-Q1"): "loaded",
        ("460000/health", "health_quarterly", "2026-Q1"): "loaded",
    }
    shown = nights.world.place.rows(
        "SELECT DISTINCT region_code FROM mart.observation WHERE period_code = '2026-Q1' AND region_level = 'province'"
    )
    assert {row["region_code"] for row in shown} == {"540000", "460000", "640000"}


def test_counties_that_became_cities_are_read_on_todays_map(nights: Nights) -> None:
    shown = nights.world.place.rows(
        "SELECT DISTINCT region_code, reported_codes FROM mart.observation_harmonised WHERE map_status = 'renamed'"
    )
    assert sorted(tuple(row.values()) for row in shown) == [("540481", "540422"), ("540581", "540530")]


@pytest.mark.long
def test_provinces_sum_to_the_same_on_todays_map(nights: Nights) -> None:
    sums = (
        "SELECT indicator_code, period_code, area_type, left(region_code, 2) AS province, sum(value) AS value"
        " FROM mart.{} JOIN core.indicator i ON i.code = indicator_code WHERE i.aggregation = 'sum'"
        " AND region_level = 'county' GROUP BY 1, 2, 3, 4"
    )
    reported = nights.world.place.rows(sums.format("observation"))
    assert reported
    assert sorted(map(str, reported)) == sorted(
        map(str, nights.world.place.rows(sums.format("observation_harmonised")))
    )


def test_a_return_that_is_no_workbook_is_quarantined_whole(nights: Nights) -> None:
    receipt = nights.third.receipt(*NOT_A_WORKBOOK)
    [row] = nights.third.quarantine[nights.third.quarantine["receipt_id"] == receipt["receipt_id"]].to_dict("records")
    assert (row["reason"], row["address"]) == ("login_page", "")
    assert NOT_A_WORKBOOK[0] in row["explanation"]
    assert row["sha256"] == receipt["sha256"]


def test_figures_of_the_delivery_before_stay_where_the_new_one_is_no_workbook(nights: Nights) -> None:
    before = nights.third.receipts
    first = before[
        (before["form"] == NOT_A_WORKBOOK[1]) & (before["region_code"] == "640000") & (before["sequence"] == 1)
    ]
    kept = nights.world.place.rows(
        "SELECT count(*) AS figures FROM core.observation WHERE receipt_id = :id AND superseded_at = 'infinity'",
        id=int(first["receipt_id"].iloc[0]),
    )
    assert kept[0]["figures"] == first["cells"].iloc[0]


def test_a_figure_that_is_no_number_is_quarantined_alone(nights: Nights) -> None:
    receipt = nights.third.receipt(*NOT_A_NUMBER)
    [row] = nights.third.quarantine[nights.third.quarantine["receipt_id"] == receipt["receipt_id"]].to_dict("records")
    assert (row["reason"], row["raw_text"]) == ("not_a_number", "约12")
    assert row["address"].startswith("表1!")
    assert row["address"] in row["explanation"]
    assert receipt["quarantined"] == 1
    assert receipt["loaded"] == receipt["cells"] - 1


def test_a_revised_figure_closes_one_vintage_and_opens_one(nights: Nights) -> None:
    receipt = nights.third.receipt(*REVISED)
    assert (receipt["sequence"], receipt["loaded"], receipt["quarantined"]) == (2, 1, 0)
    old, new = nights.world.place.rows(
        "SELECT o.value, o.receipt_id FROM core.observation o JOIN core.observation n"
        " USING (indicator_key, period_key, region_key, area_key) WHERE n.receipt_id = :id AND o.receipt_id IS NOT NULL"
        " AND n.receipt_id IS NOT NULL AND n.recorded_at >= o.recorded_at ORDER BY o.recorded_at",
        id=receipt["receipt_id"],
    )
    assert new["receipt_id"] == receipt["receipt_id"]
    assert new["value"] > old["value"]
    assert nights.third.release["revisions"] >= 1


@pytest.mark.parametrize("number", [1, 2, 3])
def test_cells_read_are_loaded_unchanged_or_quarantined(nights: Nights, number: int) -> None:
    receipts = (nights.first, nights.second, nights.third)[number - 1].receipts
    kept = receipts["loaded"] + receipts["unchanged"] + receipts["quarantined"]
    assert kept.tolist() == receipts["cells"].tolist()
    assert (receipts.loc[receipts["state"].isin(READ), "cells"] > 0).all()
    assert (receipts.loc[~receipts["state"].isin(READ), "cells"] == 0).all()


def test_every_quarantined_cell_is_a_row_with_a_reason(nights: Nights) -> None:
    rows = nights.third.quarantine
    assert len(rows) == nights.third.receipts["quarantined"].sum()
    assert rows["explanation"].str.len().min() > 20


def partitions(receipts: pd.DataFrame, form: str, states: list[str]) -> set[str]:
    """Partition keys of a form's receipts, written from the period's own start."""
    chosen = receipts[(receipts["form"] == form) & receipts["state"].isin(states)]
    keys = set()
    for row in chosen.to_dict("records"):
        period = parse_period(row["period_code"])
        name = period.start.strftime("%Y-%m") if form == "health_quarterly" else row["period_code"]
        keys.add(f"{name}|{row['region_code']}")
    return keys


@pytest.mark.parametrize("form", FORMS)
def test_green_returns_are_exactly_those_that_arrived(nights: Nights, form: str) -> None:
    arrived = partitions(nights.third.receipts, form, READ)
    assert nights.third.green[f"{form}_returns"] == arrived
    assert len(arrived) >= 3


@pytest.mark.parametrize("form", FORMS)
def test_observations_of_the_first_night_are_green_as_its_returns(nights: Nights, form: str) -> None:
    assert nights.first.green[f"{form}_observations"] == nights.first.green[f"{form}_returns"]


def test_what_was_not_loaded_is_not_logged_as_observations(nights: Nights) -> None:
    """The workbook that is none arrived, so its returns partition is logged anew; it was not loaded."""
    assert set(nights.third.logged["education_school_year_returns"]) == {"SY2025|640000"}
    assert nights.third.logged["education_school_year_observations"] == {}


def test_what_did_not_arrive_is_not_green(nights: Nights) -> None:
    green = nights.third.green["employment_monthly_returns"]
    assert "2026-04|640000" in green
    assert not green & {"2026-04|540000", "2026-04|460000"}


def test_a_night_logs_its_own_partitions_only(nights: Nights) -> None:
    assert all(logged == {} for logged in nights.second.logged.values())
    assert set(nights.third.logged["health_annual_observations"]) == {"2025|460000"}


def test_a_partition_of_returns_says_what_arrived(nights: Nights) -> None:
    said = nights.third.logged["health_annual_returns"]["2025|460000"]
    receipt = nights.third.receipt(*REVISED)
    assert (said["sha256"], said["bytes"], said["file_name"]) == (
        receipt["sha256"], receipt["bytes"], "海南省2025年卫生健康统计年报.xlsx"
    )  # fmt: skip
    assert said["due_on"] == "2026-03-31"


def test_a_partition_of_observations_says_what_became_of_its_cells(nights: Nights) -> None:
    said = nights.third.logged["health_quarterly_observations"]["2026-01|640000"]
    receipt = nights.third.receipt(*NOT_A_NUMBER)
    assert said["state"] == "partly_quarantined"
    for name in ("cells", "loaded", "unchanged", "quarantined"):
        assert said[name] == receipt[name]


def test_every_stage_with_news_has_its_asset_checks(nights: Nights) -> None:
    checked = {check["asset"] for check in nights.first.checks}
    assert checked == {f"{form}_observations" for form in FORMS} | {f"mart_{mart}" for mart in MARTS}
    assert all(check["passed"] for check in nights.first.checks)
    assert {check["run"] for check in nights.first.checks} == {nights.first.refresh["run_id"]}
    assert {check["severity"] for check in nights.first.checks} <= {"WARN", "ERROR"}


def test_a_night_without_news_hides_no_check(nights: Nights) -> None:
    assert nights.second.checks == nights.first.checks


def test_only_what_has_news_is_checked_again(nights: Nights) -> None:
    runs = {check["asset"]: check["run"] for check in nights.third.checks}
    assert runs["health_annual_observations"] == nights.third.refresh["run_id"]
    assert runs["employment_annual_observations"] == nights.first.refresh["run_id"]


def test_a_check_of_every_result_is_kept(nights: Nights) -> None:
    kept = nights.world.place.rows(
        "SELECT count(*) FILTER (WHERE success) AS passed, count(*) FILTER (WHERE NOT success) AS broken"
        " FROM ops.check_result WHERE refresh_id = 1"
    )[0]
    assert (kept["passed"], kept["broken"]) == (nights.first.release["checks_passed"], 0)
    assert kept["passed"] > len(nights.first.checks)


def test_times_are_those_of_the_one_clock(nights: Nights) -> None:
    days = {f"{moment:%Y-%m-%d}" for moment in of_night(nights.third)["fetched_at"]}
    assert days == {"2026-05-16"}


def test_no_library_warning_reaches_the_user(nights: Nights) -> None:
    """The first night ran in a process of its own, with Python's usual filters."""
    said = nights.first.said.stdout + nights.first.said.stderr
    assert "published release 1" in said
    assert [line for line in said.splitlines() if "Warning" in line or "warn(" in line] == []
