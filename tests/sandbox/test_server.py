"""The platforms over real HTTP: truth, listings, conditional requests, tokens, carriers."""

import io
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
import requests

from tests.sandbox.conftest import TODAY, Client, start_sandbox

RETURN = "/510000/health/returns/health_annual-2024"


def test_the_listing_names_period_file_time_and_etag(client: Client) -> None:
    data = client.get("/510000/health/returns?form=health_annual").json()["data"]
    assert data["total"] == 16
    last = data["rows"][-1]
    assert (last["id"], last["period"], last["modified"]) == ("health_annual-2025", "2025", "2026-03-26T09:00:00+08:00")
    assert last["file_name"] == "四川省2025年卫生健康统计年报.xlsx"


def test_a_listing_that_did_not_change_answers_304(client: Client) -> None:
    etag = client.get("/510000/health/returns").headers["ETag"]
    again = client.get("/510000/health/returns", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


def test_a_return_has_the_etag_of_the_listing_and_answers_304(client: Client) -> None:
    listed = {row["id"]: row for row in client.get("/510000/health/returns").json()["data"]["rows"]}
    etag = listed["health_annual-2024"]["etag"]
    answer = client.get(RETURN)
    assert answer.headers["ETag"] == etag
    assert answer.headers["Last-Modified"] == "Wed, 26 Mar 2025 01:00:00 GMT"
    assert client.get(RETURN, headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize("region_code", ["510000", "510104", "513401"])
def test_a_workbook_serves_the_truth(client: Client, region_code: str) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(client.get(RETURN).content))["表1"]
    rows = list(sheet.iter_rows(values_only=True))
    column = next(place for place, name in enumerate(rows[2]) if name == "医疗卫生机构床位数（万张）")
    row = next(row for row in rows if row[0] == region_code)
    for place, area in enumerate(("total", "urban", "rural"), start=column):
        asked = {"indicator_code": "HLT_BEDS", "region_code": region_code, "period_code": "2024", "area_type": area}
        truth = client.truth(**asked)
        if truth["value"] is None:
            assert row[place] is None
        else:
            assert round(float(str(row[place]).removesuffix("e")) * 10_000) == truth["value"]
            assert truth["obs_status"] == ("E" if str(row[place]).endswith("e") else "A")


@pytest.mark.parametrize(
    ("return_id", "period_code", "name", "indicator_code", "factor"),
    [
        ("employment_annual-2019", "2019", "城镇登记失业人数", "EMP_REGISTERED_UNEMPLOYED", 10_000),
        ("employment_monthly-2026-03", "2026-M01-M03", "城镇新增就业人数", "EMP_NEW_URBAN_JOBS", 10_000),
        ("employment_monthly-2026-03", "2026-03", "城镇登记失业率", "EMP_REGISTERED_UNEMPLOYMENT_RATE", 1),
    ],
)
def test_pages_serve_the_truth(
    client: Client, return_id: str, period_code: str, name: str, indicator_code: str, factor: int
) -> None:
    bearer = client.bearer("330000/employment")
    data = client.get(f"/330000/employment/returns/{return_id}?page=1&size=500", headers=bearer).json()["data"]
    field = next(column["field"] for column in data["columns"] if column["name"] == name)
    for row in data["rows"][:3]:
        asked = {"indicator_code": indicator_code, "region_code": row["region_code"], "area_type": "urban"}
        truth = client.truth(period_code=period_code, **asked)
        assert float(row[field].removesuffix("e")) * factor == pytest.approx(truth["value"], rel=1e-12)


def test_a_csv_province_serves_gb18030(client: Client) -> None:
    answer = client.get("/410000/health/returns/health_quarterly-2026-Q2")
    assert answer.headers["Content-Type"] == "text/csv; charset=GB18030"
    assert answer.content.decode("gb18030").startswith("河南省2026年二季度卫生健康统计季报,")


def test_education_serves_school_years(client: Client) -> None:
    content = client.get("/110000/education/returns/education_school_year-SY2024").content
    sheet = openpyxl.load_workbook(io.BytesIO(content))["表1"]
    assert sheet["A1"].value == "北京市2024/2025学年初基础教育统计报表"
    assert [cell.value for cell in sheet[4]][2:5] == ["合计", "城镇", "乡村"]


def test_pages_of_a_health_platform_join_to_the_whole(client: Client) -> None:
    base = "/330000/health/returns/health_annual-2025"
    first, second = (client.get(f"{base}?page={page}&size=60").json()["data"] for page in (1, 2))
    assert len(first["rows"]) + len(second["rows"]) == first["total"] == 91


def test_a_page_past_the_end_is_an_error_in_the_envelope(client: Client) -> None:
    answer = client.get("/330000/health/returns/health_annual-2025?page=9&size=60")
    assert (answer.status_code, answer.json()["code"]) == (200, 400)


def test_employment_wants_a_token(client: Client) -> None:
    assert client.get("/510000/employment/returns").status_code == 401
    assert client.get("/510000/employment/returns", headers=client.bearer("510000/employment")).json()["code"] == 0


def test_a_wrong_secret_gives_an_error_and_no_token(client: Client) -> None:
    answer = client.token("510000/employment", secret="wrong")
    assert answer.status_code == 200
    assert answer.json() == {"code": 1001, "msg": "client_id or client_secret is wrong", "data": None}


def test_what_is_not_published_yet_is_not_there(client: Client) -> None:
    assert client.get("/510000/health/returns/health_annual-2026").status_code == 404
    assert client.get("/330000/health/returns/health_annual-2026").json()["code"] == 404
    assert client.get("/520000/nothing/returns").status_code == 404


@pytest.mark.parametrize(
    "asked",
    [
        {"indicator_code": "NOTHING", "region_code": "510000", "period_code": "2024", "area_type": "total"},
        {"indicator_code": "HLT_BEDS", "region_code": "519999", "period_code": "2024", "area_type": "total"},
        {
            "indicator_code": "EMP_NEW_URBAN_JOBS",
            "region_code": "510000",
            "period_code": "2026-03",
            "area_type": "urban",
        },
    ],
)
def test_truth_of_a_figure_no_return_carries_is_404(client: Client, asked: dict[str, str]) -> None:
    assert client.get("/control/truth", params=asked).status_code == 404


def test_two_processes_with_one_seed_serve_the_same_bytes_and_end_at_once(client: Client, tmp_path: Path) -> None:
    process, url = start_sandbox(tmp_path / "port", "--seed", "1", "--today", TODAY)
    try:
        other = requests.get(url + RETURN, timeout=10)
    finally:
        process.terminate()
        process.wait(timeout=3)
    own = client.get(RETURN)
    assert other.headers["ETag"] == own.headers["ETag"]
    assert other.content == own.content


def test_a_sandbox_ends_with_the_process_it_was_started_for(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as parent:
        process, _ = start_sandbox(tmp_path / "port", "--with-parent", str(parent.pid))
        parent.communicate(b"\n")
    process.wait(timeout=5)
