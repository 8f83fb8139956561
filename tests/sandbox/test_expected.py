"""What the sandbox expects of a return is what its bytes say: read again here by a reader of the tests' own."""

import itertools

import pytest

from sandbox.kinds import load_kinds
from sandbox.periods import ReturnPeriod
from sandbox.reference import Reference
from sandbox.rosters import make_roster
from sandbox.tables import AREA_LABELS
from tests.sandbox.conftest import Client
from tests.sandbox.reader import Figure, read_pages, read_sheets, sheets_of

KINDS = load_kinds()
RETURNS = {
    "xlsx": ("320000/health", "health_annual-2025"),
    "csv": ("370000/health", "health_annual-2025"),
    "json": ("330000/health", "health_annual-2025"),
}
SHANGHAI = ("310000/health", "health_annual-2025")
"""A platform of pages in whose province districts were merged; Zhejiang's rows have no such code."""
SCHOOLS = ("320000/education", "education_school_year-SY2024")
SERVED = [
    kind
    for kind in KINDS.values()
    if kind.level == "bytes" and kind.outcomes[0] not in ("not_collected", "quarantined_whole")
]
CASES = [
    pytest.param(kind.name, carrier, id=f"{kind.name}-{carrier}")
    for kind, carrier in itertools.product(SERVED, RETURNS)
    if carrier in kind.carriers
]
LOST = [
    pytest.param(kind.name, carrier, id=f"{kind.name}-{carrier}")
    for kind, carrier in itertools.product(KINDS.values(), RETURNS)
    if kind.outcomes[0] in ("not_collected", "quarantined_whole") and carrier in kind.carriers
]


def read(
    client: Client, platform: str, return_id: str, reference: Reference
) -> dict[tuple[str, str, str], list[Figure]]:
    path = f"/{platform}/returns/{return_id}"
    answer = client.get(path)
    if answer.headers["Content-Type"].startswith("application/json"):
        return read_pages([answer.content], reference)
    return read_sheets(sheets_of(answer.content), reference)


def expected(client: Client, platform: str, return_id: str) -> dict[str, list[dict[str, object]]]:
    return dict(client.get("/control/expected", params={"platform": platform, "return_id": return_id}).json())


def told(row: dict[str, object], platform: str, reference: Reference) -> tuple[str, str, str]:
    """The name, the area's label and the region of an expected figure, as a return prints them."""
    area = str(row["area_type"])
    indicator = reference.by_label[f"{row['indicator_code']}@{area}"].indicator
    return indicator.name_zh, AREA_LABELS[platform.split("/")[1]][area], str(row["region_code"])


def assert_agrees(client: Client, platform: str, return_id: str, reference: Reference) -> None:
    """Figures said once (or twice alike) are expected; figures that are none, or two, are to be set aside."""
    bytes_say = read(client, platform, return_id, reference)
    tale = expected(client, platform, return_id)
    figures = {told(row, platform, reference): (row["value"], row["obs_status"]) for row in tale["figures"]}
    refused = {told(row, platform, reference) for row in tale["quarantined"]}
    assert figures.keys().isdisjoint(refused)
    assert figures.keys() | refused == bytes_say.keys()
    for key, (value, status) in figures.items():
        assert len(set(bytes_say[key])) == 1, key
        assert (bytes_say[key][0].value, bytes_say[key][0].obs_status) == (value, status), key
    known = {str(code) for code in reference.counties.codes} | set(reference.province_by_code)
    for key in refused:
        assert key[2] not in known or len(set(bytes_say[key])) > 1 or not bytes_say[key][0].is_number, key


@pytest.mark.parametrize("carrier", RETURNS)
def test_of_a_return_without_faults_every_figure_is_expected(
    client: Client, reference: Reference, carrier: str
) -> None:
    assert_agrees(client, *RETURNS[carrier], reference)
    assert expected(client, *RETURNS[carrier])["quarantined"] == []


@pytest.mark.parametrize(("fault", "carrier"), CASES)
def test_what_is_expected_under_a_fault_is_what_the_bytes_say(
    client: Client, reference: Reference, fault: str, carrier: str
) -> None:
    platform, return_id = SHANGHAI if (fault, carrier) == ("old_region_code", "json") else RETURNS[carrier]
    if KINDS[fault].sectors == ("education",):
        platform, return_id = SCHOOLS
    before = client.get(f"/{platform}/returns/{return_id}").content
    assert client.set_fault(platform, fault, return_id).status_code == 200
    assert client.get(f"/{platform}/returns/{return_id}").content != before
    assert_agrees(client, platform, return_id, reference)
    [verdict] = client.verdicts()
    assert (verdict["platform"], verdict["return_id"], verdict["faults"]) == (platform, return_id, [fault])
    assert verdict["outcome"] == KINDS[fault].outcomes[0]
    without_key = ("stray_text", "bad_schools")
    assert bool(verdict["quarantined"]) is (fault not in without_key and verdict["outcome"] == "cells_quarantined")


def schools_in(client: Client) -> list[list[str]]:
    """The rows of the roster as the workbook has them."""
    content = client.get(f"/{SCHOOLS[0]}/returns/{SCHOOLS[1]}").content
    return [row for row in sheets_of(content)[1][2:] if row[0].isdigit()]


def test_the_schools_expected_are_those_of_the_second_sheet(client: Client) -> None:
    rows = {(row[0], row[4]): row for row in schools_in(client)}
    schools = expected(client, *SCHOOLS)["schools"]
    assert len(schools) == len(rows)
    labels = {"primary": "小学", "junior_secondary": "初中"}
    for school in schools:
        row = rows[school["school_code"], labels[school["stage"]]]
        assert row[1:3] == [school["school_name"], school["region_code"]]
        assert [f"{figure:.0f}e" for figure in school["figures"].values()] == row[5:13]


def test_ten_counties_of_every_province_have_schools_of_both_stages_and_some_have_no_pupils(
    reference: Reference,
) -> None:
    form, period = reference.forms["education_school_year"], ReturnPeriod(2024, 9, "S")
    pupils = []
    for province in reference.provinces:
        roster = make_roster(1, reference, province, period, "题", ())
        found: dict[tuple[str, str], int] = {}
        for school in roster.schools:
            key = (school.region_code, school.stage)
            found[key] = found.get(key, 0) + 1
            pupils.append(school.figures[0])
        assert len(found) == 20
        assert len({county for county, _ in found}) == 10
        assert all(5 <= count <= 12 for count in found.values())
        assert len({(school.code, school.stage) for school in roster.schools}) == len(roster.schools)
    assert 0.01 < pupils.count("0e") / len(pupils) < 0.1
    assert form.sector == "education"


def test_schools_that_are_none_are_not_expected_and_a_figure_that_is_none_is_null(client: Client) -> None:
    before = expected(client, *SCHOOLS)["schools"]
    client.set_fault(SCHOOLS[0], "bad_schools", SCHOOLS[1])
    after = expected(client, *SCHOOLS)["schools"]
    assert [school["school_code"] for school in after] == [before[0]["school_code"], before[1]["school_code"]] + [
        school["school_code"] for school in before[4:-1]
    ]
    assert [list(school["figures"].values()).index(None) for school in after[:2]] == [1, 2]
    assert len(schools_in(client)) == len(before) + 1


@pytest.mark.parametrize(("fault", "carrier"), LOST)
def test_of_a_return_that_is_not_to_be_had_or_believed_nothing_is_expected(
    client: Client, fault: str, carrier: str
) -> None:
    platform, return_id = RETURNS[carrier]
    client.set_fault(platform, fault, return_id)
    [verdict] = client.verdicts()
    assert verdict["outcome"] in ("not_collected", "quarantined_whole")
    assert verdict["reasons"]
    assert expected(client, platform, return_id) == {"figures": [], "quarantined": [], "schools": []}


@pytest.mark.parametrize(
    "fault", ["swapped_areas", "unit_slip", "shifted_column", "zero_for_blank", "total_not_sum", "stale_figures"]
)
def test_wrong_figures_are_kept_as_truth_as_served(client: Client, fault: str) -> None:
    platform, return_id = RETURNS["xlsx"]
    right = expected(client, platform, return_id)["figures"]
    client.set_fault(platform, fault, return_id)
    wrong = expected(client, platform, return_id)["figures"]
    assert len(wrong) == len(right)
    assert wrong != right


@pytest.mark.parametrize(
    "fault", ["unit_in_header", "numbers_as_text", "spaced_names", "repeated_header", "repeated_row"]
)
def test_right_figures_stay_what_they_are(client: Client, fault: str) -> None:
    platform, return_id = RETURNS["xlsx"]
    right = expected(client, platform, return_id)
    client.set_fault(platform, fault, return_id)
    assert expected(client, platform, return_id) == right


def test_a_fault_that_changes_nothing_in_a_return_is_no_verdict(client: Client) -> None:
    """The monthly return of employment has no urban and rural figures to swap."""
    client.set_fault("510000/employment", "swapped_areas")
    named = {row["form"] for row in client.verdicts()}
    assert named == {"employment_annual"}


def test_the_gravest_of_several_faults_decides(client: Client) -> None:
    platform, return_id = RETURNS["xlsx"]
    for fault in ("slow", "not_a_number", "wrong_province"):
        client.set_fault(platform, fault, return_id)
    [verdict] = client.verdicts()
    assert (verdict["outcome"], verdict["family"], verdict["reasons"]) == (
        "quarantined_whole",
        "structure",
        ["wrong_province"],
    )
    assert verdict["overcome"] == [{"fault": "slow", "kinds": ["slow"]}]


def test_a_platform_that_is_down_is_a_verdict_on_each_of_its_returns(client: Client) -> None:
    client.set_fault("510000/education", "down")
    listed = client.verdicts()
    assert len(listed) == 16
    assert {row["outcome"] for row in listed} == {"not_collected"}
