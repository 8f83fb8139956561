"""Every fault shows over HTTP, and is gone when it is cleared."""

import io

import openpyxl
import pytest

from sandbox.faults import CONTENT_FAULTS, FAULTS, KINDS
from tests.sandbox.conftest import Client

PLATFORM, RETURN_ID = "510000/health", "health_annual-2024"
RETURN = f"/{PLATFORM}/returns/{RETURN_ID}"
CSV_PLATFORM = "410000/health"
JSON_PLATFORM = "330000/health"
CSV_RETURN = f"/{CSV_PLATFORM}/returns/{RETURN_ID}"


def csv_rows(client: Client) -> list[list[str]]:
    return [line.split(",") for line in client.get(CSV_RETURN).content.decode("gb18030").splitlines()]


def test_a_platform_that_is_down_answers_503_to_everything(client: Client) -> None:
    client.set_fault("510000/employment", "down")
    assert client.get("/510000/employment/returns").status_code == 503
    assert client.token("510000/employment").status_code == 503
    assert client.get("/520000/health/returns").status_code == 200


def test_too_many_requests_says_when_to_come_back(client: Client) -> None:
    client.set_fault(PLATFORM, "too_many_requests")
    answer = client.get(f"/{PLATFORM}/returns")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")


def test_a_slow_platform_answers_late_and_rightly(client: Client) -> None:
    client.set_fault(PLATFORM, "slow", RETURN_ID)
    answer = client.get(RETURN)
    assert answer.status_code == 200
    assert answer.elapsed.total_seconds() >= 2.0


def test_a_late_return_is_not_listed(client: Client) -> None:
    client.set_fault(PLATFORM, "late", RETURN_ID)
    listed = [row["id"] for row in client.get(f"/{PLATFORM}/returns?form=health_annual").json()["data"]["rows"]]
    assert RETURN_ID not in listed
    assert len(listed) == 15
    assert client.get(RETURN).status_code == 404


def test_a_login_page_comes_under_the_name_of_a_workbook(client: Client) -> None:
    client.set_fault(PLATFORM, "not_a_workbook", RETURN_ID)
    answer = client.get(RETURN)
    assert answer.content.startswith(b"<!DOCTYPE html>")
    assert "xlsx" in answer.headers["Content-Disposition"]


def test_one_figure_is_no_number(client: Client) -> None:
    client.set_fault(PLATFORM, "not_a_number", RETURN_ID)
    sheet = openpyxl.load_workbook(io.BytesIO(client.get(RETURN).content))["表1"]
    assert [cell.value for row in sheet for cell in row].count("约12") == 1


def test_a_revision_changes_one_published_figure_and_is_later(client: Client) -> None:
    before, first = csv_rows(client), client.get(CSV_RETURN)
    client.set_fault(CSV_PLATFORM, "revised", RETURN_ID)
    after, second = csv_rows(client), client.get(CSV_RETURN)
    changed = [
        (old, new)
        for olds, news in zip(before, after, strict=True)
        for old, new in zip(olds, news, strict=True)
        if old != new
    ]
    assert len(changed) == 1
    assert not changed[0][0].endswith("e")
    assert float(changed[0][1]) > float(changed[0][0])
    assert second.headers["ETag"] != first.headers["ETag"]
    listed = {row["id"]: row for row in client.get(f"/{CSV_PLATFORM}/returns").json()["data"]["rows"]}
    assert listed[RETURN_ID]["modified"] == "2025-03-26T10:00:00+08:00"
    assert listed[RETURN_ID]["etag"] == second.headers["ETag"]


def test_a_second_revision_changes_it_again_and_clearing_takes_both_back(client: Client) -> None:
    original = client.get(CSV_RETURN)
    contents = [original.content]
    for _ in range(2):
        client.set_fault(CSV_PLATFORM, "revised", RETURN_ID)
        contents.append(client.get(CSV_RETURN).content)
    assert len(set(contents)) == 3
    client.clear_faults()
    again = client.get(CSV_RETURN)
    assert (again.content, again.headers["ETag"]) == (original.content, original.headers["ETag"])


@pytest.mark.parametrize(
    ("fault", "sign"),
    [
        ("unknown_region", "999999,未名县"),
        ("unknown_header", "未知指标（万人）"),
        ("unknown_unit", "职工基本医疗保险参保人数（斤）"),
        ("wrong_period", "河南省2023年卫生健康统计年报"),
        ("wrong_province", "湖北省2024年卫生健康统计年报"),
    ],
)
def test_what_is_wrong_stands_in_the_file(client: Client, fault: str, sign: str) -> None:
    assert sign not in client.get(CSV_RETURN).content.decode("gb18030")
    client.set_fault(CSV_PLATFORM, fault, RETURN_ID)
    assert sign in client.get(CSV_RETURN).content.decode("gb18030")


@pytest.mark.parametrize(("fault", "is_equal"), [("repeated_row", True), ("unequal_duplicates", False)])
def test_a_row_comes_twice(client: Client, fault: str, is_equal: bool) -> None:
    client.set_fault(CSV_PLATFORM, fault, RETURN_ID)
    rows = [row for row in csv_rows(client) if row[0].isdigit()]
    assert rows[-1][0] == rows[-2][0]
    assert (rows[-1] == rows[-2]) is is_equal


def test_a_truncated_file_is_half_of_it(client: Client) -> None:
    whole = client.get(RETURN).content
    client.set_fault(PLATFORM, "truncated", RETURN_ID)
    assert client.get(RETURN).content == whole[: len(whole) // 2]


@pytest.mark.parametrize("fault", sorted(CONTENT_FAULTS))
def test_other_bytes_have_another_etag(client: Client, fault: str) -> None:
    platform = {"xlsx": PLATFORM, "csv": CSV_PLATFORM, "json": JSON_PLATFORM}[KINDS[fault].carriers[0]]
    return_id = RETURN_ID
    if KINDS[fault].sectors == ("education",):
        platform, return_id = "510000/education", "education_school_year-SY2024"
    path = f"/{platform}/returns/{return_id}"
    etag = client.get(path).headers["ETag"]
    client.set_fault(platform, fault, return_id)
    assert client.get(path).headers["ETag"] != etag


def test_a_fault_of_a_platform_holds_for_all_its_returns(client: Client) -> None:
    client.set_fault(PLATFORM, "not_a_workbook")
    for return_id in ("health_annual-2012", "health_quarterly-2026-Q1"):
        assert client.get(f"/{PLATFORM}/returns/{return_id}").content.startswith(b"<!DOCTYPE")


def test_an_unknown_fault_is_refused_with_the_list_of_known_ones(client: Client) -> None:
    answer = client.set_fault(PLATFORM, "on_fire")
    assert answer.status_code == 400
    assert all(fault in answer.json()["msg"] for fault in FAULTS)


def test_faults_that_are_on_can_be_listed(client: Client) -> None:
    client.set_fault(PLATFORM, "down")
    assert client.get("/control/faults").json()["faults"] == [
        {"platform": PLATFORM, "return_id": None, "faults": ["down"]}
    ]
