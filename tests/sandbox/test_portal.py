"""The stand-in portal: what it serves is what was published, with the portal's quirks."""

import datetime
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import uvicorn
from starlette.applications import Starlette

from sandbox.platforms import Clock, Platforms
from sandbox.portal import ROOT_IDS, Portal, cube_figure, portal_routes
from sandbox.tables import TableMaker

BASE = "/000000/portal"
BROWSER = {"User-Agent": "Mozilla/5.0"}


@pytest.fixture(scope="module")
def platforms(maker: TableMaker) -> Platforms:
    return Platforms(maker, Clock(datetime.date(2026, 11, 24)))


@pytest.fixture(scope="module")
def portal(platforms: Platforms) -> Portal:
    return Portal(platforms)


class Browser:
    """Asks the served portal; says it is one unless told otherwise."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._session = requests.Session()
        self._session.trust_env = False

    def get(self, path: str, params: Any = None, headers: dict[str, str] = BROWSER) -> requests.Response:
        return self._session.get(self._base + path, params=params, headers=headers, timeout=10)

    def post(self, path: str, json: Any) -> requests.Response:
        return self._session.post(self._base + path, json=json, headers=BROWSER, timeout=10)


@pytest.fixture(scope="module")
def client(platforms: Platforms) -> Iterator[Browser]:
    application = Starlette(routes=portal_routes(platforms))
    server = uvicorn.Server(uvicorn.Config(application, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.01)
    yield Browser(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}")
    server.should_exit = True
    thread.join(10)


def nodes(client: Browser, parent: str, tree: str = "6") -> list[dict[str, Any]]:
    answer = client.get(f"{BASE}/new/queryIndexTreeAsync", params={"pid": parent, "code": tree}).json()
    assert answer["state"] == 20000
    return list(answer["data"])


def ask_series(client: Browser, portal: Portal, name: str, **changes: Any) -> Any:
    (table,) = [each for each in portal.tables if each.name == name]
    body = {
        "cid": table.id, "indicatorIds": [each.id for each in table.indicators], "daCatalogId": "",
        "das": [{"text": "北京市", "value": "110000000000"}], "showType": "1", "dts": ["2023YY-2024YY"],
        "rootId": ROOT_IDS["6"],
    }  # fmt: skip
    return client.post(f"{BASE}/stream/esData", json=body | changes).json()


def test_the_tree_leads_from_the_root_to_tables(client: Browser, portal: Portal) -> None:
    (root,) = nodes(client, "")
    assert (root["name"], root["isLeaf"]) == ("分省年度数据", False)
    groups = nodes(client, root["_id"])
    tables = [table for group in groups for table in nodes(client, group["_id"])]
    assert sorted(table["_id"] for table in tables) == sorted(table.id for table in portal.tables)


def test_trees_of_months_and_quarters_are_empty(client: Browser) -> None:
    assert nodes(client, nodes(client, "", "4")[0]["_id"], "4") == []


def test_an_unknown_node_is_an_error_inside_a_200(client: Browser) -> None:
    answer = client.get(f"{BASE}/new/queryIndexTreeAsync", params={"pid": "x", "code": "6"})
    assert (answer.status_code, answer.json()["state"]) == (200, 40004)


def test_a_table_tells_its_indicators_with_their_units(client: Browser, portal: Portal) -> None:
    (table,) = [each for each in portal.tables if each.name == "总人口"]
    answer = client.get(f"{BASE}/new/queryIndicatorsByCid", params={"cid": table.id, "dt": "", "name": ""}).json()
    assert [(row["i_showname"], row["du_name"]) for row in answer["data"]["list"]] == [
        ("年末常住人口 (万人) ", "万人"),
        ("城镇人口 (万人) ", "万人"),
        ("乡村人口 (万人) ", "万人"),
    ]


def test_a_series_has_the_printed_figure_as_text_newest_year_first(client: Browser, portal: Portal) -> None:
    answer = ask_series(client, portal, "总人口")
    assert [(row["code"], row["name"]) for row in answer["data"]] == [("2024YY", "2024年"), ("2023YY", "2023年")]
    first = answer["data"][0]["values"][0]
    assert (first["value"], first["da"], first["da_name"]) == ("2183", "110000000000", "北京市")


def test_what_was_not_published_is_an_empty_text(client: Browser, portal: Portal) -> None:
    answer = ask_series(client, portal, "总人口", dts=["2025YY-2025YY"])
    assert {value["value"] for value in answer["data"][0]["values"]} == {""}


def test_figures_appear_in_march_of_the_next_year(maker: TableMaker) -> None:
    on = {day: Portal(Platforms(maker, Clock(datetime.date(2025, *day)))).years()[0] for day in [(2, 28), (3, 1)]}
    assert on == {(2, 28): 2023, (3, 1): 2024}


@pytest.mark.parametrize(
    "changes",
    [{"cid": "x"}, {"rootId": "x"}, {"showType": "2"}, {"dts": ["2024"], "das": None}, {"dts": ["soon"]}],
    ids=["table", "root", "show type", "regions", "period"],
)
def test_a_wrong_question_is_an_error_inside_a_200(client: Browser, portal: Portal, changes: dict[str, Any]) -> None:
    assert ask_series(client, portal, "总人口", **changes)["state"] != 20000


def test_a_cube_has_more_digits_than_it_prints_and_zero_for_nothing() -> None:
    assert cube_figure("12.3") == {"data": 12.33, "dotcount": 1, "hasdata": True, "strdata": "12.3"}
    assert cube_figure("") == {"data": 0, "dotcount": 1, "hasdata": False, "strdata": ""}


def test_a_cube_names_its_dimensions(client: Browser, portal: Portal) -> None:
    (table,) = [each for each in portal.tables if each.name == "总人口"]
    asked = {
        "m": "QueryData", "dbcode": "fsnd", "rowcode": "reg", "colcode": "sj", "k1": "1",
        "wds": f'[{{"wdcode":"zb","valuecode":"{table.indicators[0].code}"}}]',
        "dfwds": '[{"wdcode":"sj","valuecode":"2024"}]',
    }  # fmt: skip
    data = client.get(f"{BASE}/easyquery.htm", params=asked).json()["returndata"]
    assert len(data["datanodes"]) == 31
    assert data["datanodes"][0]["data"]["strdata"] == "2183"
    assert [dimension["wdcode"] for dimension in data["wdnodes"]] == ["zb", "reg", "sj"]
    assert data["wdnodes"][0]["nodes"][0]["unit"] == "万人"


@pytest.mark.parametrize("change", [{"dbcode": "fsyd"}, {"wds": "[]"}, {"dfwds": "{"}, {"m": "getTree"}], ids=str)
def test_a_cube_that_is_not_there_is_501(client: Browser, portal: Portal, change: dict[str, str]) -> None:
    code = portal.tables[0].indicators[0].code
    asked = {
        "m": "QueryData", "dbcode": "fsnd", "rowcode": "reg", "colcode": "sj",
        "wds": f'[{{"wdcode":"zb","valuecode":"{code}"}}]', "dfwds": '[{"wdcode":"sj","valuecode":"2024"}]',
    }  # fmt: skip
    answer = client.get(f"{BASE}/easyquery.htm", params=asked | change)
    assert (answer.status_code, answer.json()["returncode"]) == (200, 501)


def test_programs_that_say_so_are_kept_out(client: Browser) -> None:
    answer = client.get(f"{BASE}/new/queryIndexTreeAsync", headers={"User-Agent": "python-requests/2.34"})
    assert answer.status_code == 403
