"""The client of the statistics office's portal, both interfaces, against the sandbox's stand-in over real HTTP; and
against a server that answers what that one never does.
"""

import datetime
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta, timezone
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from resources.errors import DeliveryInvalid, PlatformRefused, PlatformUnavailable
from resources.platforms import Delivery, NotModified, Offer
from resources.platforms.access import Access
from resources.platforms.asking import Asking
from resources.platforms.register import Platform, load_register
from resources.platforms.transports.nbs import EasyQueryTransport, EsDataTransport
from resources.platforms.transports.nbs_options import cube_period, series_period
from returns.carriers import Grid, read_grid
from sandbox.platforms import Clock, Platforms
from sandbox.portal import ROOT_IDS, Portal, portal_routes
from sandbox.tables import TableMaker
from warehouse.periods import parse_period

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) junheng"
NOW = datetime.datetime(2026, 11, 24, 2, tzinfo=timezone(timedelta(hours=8)))


def serve(application: Starlette) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(application, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def platforms() -> Platforms:
    return Platforms(TableMaker(seed=1), Clock(datetime.date(2026, 11, 24)))


@pytest.fixture(scope="module")
def portal(platforms: Platforms) -> Portal:
    return Portal(platforms)


@pytest.fixture(scope="module")
def sandbox(platforms: Platforms) -> Iterator[str]:
    yield from serve(Starlette(routes=portal_routes(platforms)))


@pytest.fixture
def asking() -> Iterator[Asking]:
    made = Asking(None, {}, clock=lambda: NOW)
    yield made
    made.close()


def platform(url: str, options: dict[str, Any], transport: str = "nbs_esdata", **keys: Any) -> Platform:
    fast = {"pace": {"requests_per_second": 1000}, "retries": {"tries": 2, "first_wait": 0.01}}
    access = {"transport": transport, "base_url": url, "user_agent": BROWSER, "options": options} | fast | keys
    return Platform(province="000000", sector="portal", access=Access.model_validate(access))


def table(portal: Portal, name: str, **changes: Any) -> dict[str, Any]:
    """A table of the stand-in as the register would name it."""
    (found,) = [each for each in portal.tables if each.name == name]
    facts = {"name": name, "frequency": "annual", "first_year": 2010, "cid": found.id, "root_id": ROOT_IDS["6"]}
    return facts | changes


def cube(portal: Portal, name: str, **changes: Any) -> dict[str, Any]:
    (found,) = [each for each in portal.tables if each.name == name]
    codes = [indicator.code for indicator in found.indicators]
    return {"name": name, "frequency": "annual", "first_year": 2010, "indicators": codes} | changes


def offer(form: str = "portal_annual", period: str = "2023") -> Offer:
    return Offer("000000", "portal", f"{form}-{period}", form, period, f"{form}-{period}.json", None, None, "json")


def fetched(transport: EsDataTransport | EasyQueryTransport, where: Platform, period: str = "2023") -> Delivery:
    delivery = transport.fetch(where, offer(period=period), None)
    assert isinstance(delivery, Delivery)
    return delivery


# --- esData ---


def test_each_year_with_a_figure_is_offered_once(sandbox: str, portal: Portal, asking: Asking) -> None:
    where = platform(sandbox + "/000000/portal", {"catalogues": [table(portal, "地区生产总值")]})
    listing = EsDataTransport(asking).list_returns(where, None, None)
    assert [row.period_code for row in listing.rows] == [str(year) for year in range(2010, 2025)]
    first = listing.rows[0]
    assert (first.platform, first.form, first.file_name) == (
        "000000/portal",
        "portal_annual",
        "portal_annual-2010.json",
    )
    assert (first.etag, first.modified_at, listing.etag) == (None, None, None)


def test_every_table_that_the_shipped_register_names_is_found(sandbox: str, asking: Asking) -> None:
    shipped = load_register().platform("000000", "portal").access.options
    where = platform(sandbox + "/000000/portal", shipped)
    listing = EsDataTransport(asking).list_returns(where, None, None)
    assert [row.period_code for row in listing.rows] == [str(year) for year in range(2010, 2025)]
    lines = fetched(EsDataTransport(asking), where, "2024").content.splitlines()
    assert len(lines) == len(shipped["catalogues"])


def test_a_table_is_asked_for_the_years_it_holds_only(sandbox: str, portal: Portal, asking: Asking) -> None:
    held = table(portal, "地区生产总值", first_year=2015, last_year=2017)
    listing = EsDataTransport(asking).list_returns(
        platform(sandbox + "/000000/portal", {"catalogues": [held]}), None, None
    )
    assert [row.period_code for row in listing.rows] == ["2015", "2016", "2017"]


def test_a_delivery_holds_every_province_s_figure_as_published(sandbox: str, portal: Portal, asking: Asking) -> None:
    where = platform(sandbox + "/000000/portal", {"catalogues": [table(portal, "地区生产总值")]})
    (line,) = fetched(EsDataTransport(asking), where, "2024").content.splitlines()
    (period,) = json.loads(line)["data"]
    assert (period["code"], len(period["values"])) == ("2024YY", 31)
    beijing = period["values"][0]
    assert (beijing["da"], beijing["value"]) == ("110000000000", portal.figure(3, "110000", 2024))
    assert beijing["i_showname"] == "地区生产总值 (亿元) "


def test_tables_and_portions_of_indicators_are_lines_in_order(sandbox: str, portal: Portal, asking: Asking) -> None:
    options = {
        "catalogues": [table(portal, "总人口"), table(portal, "地区生产总值")],
        "indicators_per_request": 2,
        "regions": {"510000": "四川省"},
    }
    lines = fetched(EsDataTransport(asking), platform(sandbox + "/000000/portal", options)).content.splitlines()
    names = [[value["i_showname"].split()[0] for value in json.loads(line)["data"][0]["values"]] for line in lines]
    assert names == [["年末常住人口", "城镇人口"], ["乡村人口"], ["地区生产总值"]]


def test_an_unchanged_return_is_told_by_the_hash_of_its_answers(sandbox: str, portal: Portal, asking: Asking) -> None:
    where = platform(sandbox + "/000000/portal", {"catalogues": [table(portal, "地区生产总值")]})
    transport = EsDataTransport(asking)
    tag = fetched(transport, where).etag
    assert isinstance(transport.fetch(where, offer(), tag), NotModified)
    assert isinstance(transport.fetch(where, offer(), '"other"'), Delivery)


def test_a_stranger_s_user_agent_is_refused_and_that_is_said(sandbox: str, portal: Portal, asking: Asking) -> None:
    where = platform(
        sandbox + "/000000/portal", {"catalogues": [table(portal, "地区生产总值")]}, user_agent="python-requests/2"
    )
    with pytest.raises(PlatformRefused, match=r"refuses access \(HTTP 403\)"):
        EsDataTransport(asking).list_returns(where, None, None)


def test_an_indicator_that_vanished_is_named(sandbox: str, portal: Portal, asking: Asking) -> None:
    held = table(portal, "地区生产总值", indicators=["gone-1"])
    with pytest.raises(PlatformRefused, match="no longer has indicators gone-1 of 地区生产总值"):
        EsDataTransport(asking).list_returns(platform(sandbox + "/000000/portal", {"catalogues": [held]}), None, None)


def test_a_table_that_moved_is_named_with_its_new_id(sandbox: str, portal: Portal, asking: Asking) -> None:
    held = table(portal, "地区生产总值", cid="of-last-year")
    with pytest.raises(PlatformRefused) as caught:
        EsDataTransport(asking).list_returns(platform(sandbox + "/000000/portal", {"catalogues": [held]}), None, None)
    new_id = table(portal, "地区生产总值")["cid"]
    assert "no longer has table 地区生产总值 (of-last-year)" in str(caught.value)
    assert f"has the id {new_id} now" in str(caught.value)


def test_a_table_that_is_nowhere_is_named(sandbox: str, portal: Portal, asking: Asking) -> None:
    held = table(portal, "地区生产总值") | {"cid": "x", "name": "没有的表"}
    with pytest.raises(PlatformRefused, match=r"no longer has table 没有的表 \(x\): look up its new id"):
        EsDataTransport(asking).list_returns(platform(sandbox + "/000000/portal", {"catalogues": [held]}), None, None)


def test_a_period_without_any_figure_is_no_delivery(sandbox: str, portal: Portal, asking: Asking) -> None:
    where = platform(sandbox + "/000000/portal", {"catalogues": [table(portal, "地区生产总值")]})
    with pytest.raises(DeliveryInvalid, match="has no figures of portal_annual 2026"):
        EsDataTransport(asking).fetch(where, offer(period="2026"), None)


def test_a_table_is_found_by_the_names_of_the_index_tree(sandbox: str, portal: Portal, asking: Asking) -> None:
    by_name = {"name": "总人口", "path": ["人口"], "frequency": "annual", "first_year": 2010}
    where = {"by name": platform(sandbox + "/000000/portal", {"catalogues": [by_name]})}
    where["by id"] = platform(sandbox + "/000000/portal", {"catalogues": [table(portal, "总人口")]})
    found = {how: fetched(EsDataTransport(asking), each).content for how, each in where.items()}
    assert found["by name"] == found["by id"]


def test_a_name_that_is_not_in_the_tree_is_told_with_those_that_are(sandbox: str, asking: Asking) -> None:
    renamed = {"name": "人口总数", "path": ["人口"], "frequency": "annual", "first_year": 2010}
    with pytest.raises(PlatformRefused, match=r"table 人口 > 人口总数: in the place of '人口总数' there are 总人口"):
        EsDataTransport(asking).list_returns(
            platform(sandbox + "/000000/portal", {"catalogues": [renamed]}), None, None
        )


def test_only_the_form_that_is_asked_for_is_looked_up(sandbox: str, portal: Portal, asking: Asking) -> None:
    where = platform(sandbox + "/000000/portal", {"catalogues": [table(portal, "地区生产总值")]})
    assert EsDataTransport(asking).list_returns(where, None, "portal_monthly").rows == ()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({}, "options.catalogues: Field required"),
        ({"catalogues": []}, "options.catalogues"),
        (
            {"catalogues": [{"name": "x", "frequency": "annual", "first_year": 2010}]},
            r"options.catalogues.0: .*needs path .* or cid",
        ),
        ({"catalogues": [{"name": "x", "frequency": "weekly"}]}, "options.catalogues.0.frequency"),
        ({"catalogues": [], "pages": 3}, "options.pages: Extra inputs are not permitted"),
    ],
    ids=["none", "no tables", "no place", "frequency", "unknown key"],
)
def test_wrong_options_are_named_by_key(asking: Asking, options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(PlatformRefused, match=complaint) as caught:
        EsDataTransport(asking).list_returns(platform("http://127.0.0.1:9", options), None, None)
    assert caught.value.kind == "not_configured"


def test_a_delivery_is_read_as_series_with_a_row_a_figure(sandbox: str, portal: Portal, asking: Asking) -> None:
    options = {"catalogues": [table(portal, "总人口"), table(portal, "地区生产总值")], "regions": {"110000": "北京市"}}
    grid = read_grid(fetched(EsDataTransport(asking), platform(sandbox + "/000000/portal", options), "2024").content)
    assert isinstance(grid, Grid)
    assert grid.carrier == "json_series"
    assert [(row[1], row[3], row[5], row[6]) for row in grid.sheets[0].rows[1:]] == [
        ("年末常住人口 (万人) ", "110000000000", "2024YY", "2183"),
        ("城镇人口 (万人) ", "110000000000", "2024YY", ""),
        ("乡村人口 (万人) ", "110000000000", "2024YY", ""),
        ("地区生产总值 (亿元) ", "110000000000", "2024YY", portal.figure(3, "110000", 2024)),
    ]


# --- easyquery ---


def test_cubes_are_offered_and_delivered_one_indicator_a_line(sandbox: str, portal: Portal, asking: Asking) -> None:
    where = platform(
        sandbox + "/000000/portal", {"catalogues": [cube(portal, "总人口", first_year=2020)]}, "nbs_easyquery"
    )
    transport = EasyQueryTransport(asking)
    assert [row.period_code for row in transport.list_returns(where, None, None).rows] == [
        "2020", "2021", "2022", "2023", "2024",
    ]  # fmt: skip
    lines = [json.loads(line) for line in fetched(transport, where, "2024").content.splitlines()]
    assert [len(line["returndata"]["datanodes"]) for line in lines] == [31, 31, 31]
    node = lines[0]["returndata"]["datanodes"][0]
    assert node["data"] == {"data": 2183.3, "dotcount": 0, "hasdata": True, "strdata": "2183"}
    grid = read_grid(fetched(transport, where, "2024").content)
    assert isinstance(grid, Grid)
    assert (grid.carrier, grid.sheets[0].rows[1][6], len(grid.sheets[0].rows)) == ("json_cube", "2183", 1 + 3 * 31)


def test_a_code_that_vanished_from_the_cubes_is_named(sandbox: str, portal: Portal, asking: Asking) -> None:
    held = cube(portal, "总人口", indicators=["A9999"])
    where = platform(sandbox + "/000000/portal", {"catalogues": [held]}, "nbs_easyquery")
    with pytest.raises(PlatformRefused, match=r"returncode 501: does not know this .*\(总人口, indicator A9999\)"):
        EasyQueryTransport(asking).list_returns(where, None, None)


# --- what the stand-in never does ---


@dataclass
class Scripted:
    """Answers every request from ``answer``; remembers what was asked."""

    url: str = ""
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    answer: Callable[[str, dict[str, str], Any], Response] = lambda *_: JSONResponse({})

    async def endpoint(self, request: Request) -> Response:
        body = await request.body()
        question = (request.url.path, dict(request.query_params), json.loads(body) if body else None)
        self.asked.append(question)
        return self.answer(*question)


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    made = Scripted()
    application = Starlette(routes=[Route("/{path:path}", made.endpoint, methods=["GET", "POST"])])
    for url in serve(application):
        made.url = url
        yield made


def series_answers(published: set[str]) -> Callable[[str, dict[str, str], Any], Response]:
    """A portal with one indicator, ``a``, and a figure of each of ``published``."""

    def answer(path: str, _: dict[str, str], body: Any) -> Response:
        if path.endswith("queryIndicatorsByCid"):
            return JSONResponse({"state": 20000, "data": {"list": [{"_id": "a"}]}})
        values = [{"_id": "a", "value": "1.0"}]
        rows = [{"code": code, "values": values} for code in sorted(published)]
        rows.append({"code": "209901MM", "values": [{"_id": "a", "value": ""}]})
        return JSONResponse({"state": 20000, "data": rows}, headers={"Last-Modified": "Tue, 10 Mar 2026 01:00:00 GMT"})

    return answer


QUARTERLY = {"name": "t", "frequency": "quarterly", "first_year": 2026, "cid": "c", "root_id": "r"}


def test_the_request_has_the_shape_that_the_portal_expects(scripted: Scripted, asking: Asking) -> None:
    scripted.answer = series_answers({"202603MM"})
    options = {"catalogues": [QUARTERLY | {"frequency": "monthly"}], "regions": {"110000": "北京市"}}
    listing = EsDataTransport(asking).list_returns(platform(scripted.url, options), None, None)
    assert [(row.form, row.period_code) for row in listing.rows] == [("portal_monthly", "2026-03")]
    (first, asked, _), (second, _, body) = scripted.asked
    assert (first, asked) == ("/new/queryIndicatorsByCid", {"cid": "c", "dt": "2026-2026", "name": ""})
    assert second == "/stream/esData"
    assert body == {
        "cid": "c", "indicatorIds": ["a"], "daCatalogId": "", "das": [{"text": "北京市", "value": "110000000000"}],
        "showType": "1", "dts": ["202601MM-202611MM"], "rootId": "r",
    }  # fmt: skip


def test_quarters_are_listed_by_what_was_published(scripted: Scripted, asking: Asking) -> None:
    scripted.answer = series_answers({"202601SS", "202602SS"})
    where = platform(scripted.url, {"catalogues": [QUARTERLY]})
    rows = EsDataTransport(asking).list_returns(where, None, None).rows
    assert [(row.form, row.period_code) for row in rows] == [
        ("portal_quarterly", "2026-Q1"),
        ("portal_quarterly", "2026-Q2"),
    ]


def test_the_portal_s_own_stamp_is_the_time_of_modification(scripted: Scripted, asking: Asking) -> None:
    scripted.answer = series_answers({"202601SS"})
    where = platform(scripted.url, {"catalogues": [QUARTERLY]})
    delivery = EsDataTransport(asking).fetch(where, offer("portal_quarterly", "2026-Q1"), None)
    assert isinstance(delivery, Delivery)
    assert delivery.modified_at == datetime.datetime(2026, 3, 10, 9, tzinfo=timezone(timedelta(hours=8)))


@pytest.mark.parametrize(
    ("answer", "error", "reason"),
    [
        ({"state": 40004, "message": "目录不存在"}, PlatformRefused, "answers with state 40004: 目录不存在"),
        ({"state": 50000, "message": "系统繁忙"}, PlatformUnavailable, "answers with state 50000: 系统繁忙"),
        ({"data": []}, DeliveryInvalid, "JSON that has no state"),
        ([], DeliveryInvalid, "JSON that has no state"),
    ],
    ids=["refused", "busy", "no state", "no object"],
)
def test_an_error_inside_a_200_is_named(
    scripted: Scripted, asking: Asking, answer: Any, error: type[Exception], reason: str
) -> None:
    scripted.answer = lambda *_: JSONResponse(answer)
    with pytest.raises(error, match=reason):
        EsDataTransport(asking).list_returns(platform(scripted.url, {"catalogues": [QUARTERLY]}), None, None)


def test_a_busy_portal_is_asked_again(scripted: Scripted, asking: Asking) -> None:
    good, busy = series_answers({"202601SS"}), JSONResponse({"state": 50000, "message": "系统繁忙"})
    scripted.answer = lambda *question: busy if len(scripted.asked) == 1 else good(*question)
    where = platform(scripted.url, {"catalogues": [QUARTERLY]})
    assert len(EsDataTransport(asking).list_returns(where, None, None).rows) == 1
    assert [incident.kind for incident in asking.incidents.all()] == ["unavailable"]


@pytest.mark.parametrize(
    ("answer", "error", "reason"),
    [
        ({"returncode": 503, "returndata": "忙"}, PlatformUnavailable, "returncode 503: 忙"),
        ({"returncode": 200, "returndata": {"datanodes": []}}, PlatformRefused, "no longer has t, indicator A01"),
        ({"returncode": 200, "returndata": "x"}, DeliveryInvalid, "no datanodes"),
        ({"datanodes": []}, DeliveryInvalid, "no returncode"),
    ],
    ids=["busy", "vanished", "no nodes", "no code"],
)
def test_an_error_inside_a_cube_is_named(
    scripted: Scripted, asking: Asking, answer: Any, error: type[Exception], reason: str
) -> None:
    scripted.answer = lambda *_: JSONResponse(answer)
    held = {"name": "t", "frequency": "quarterly", "first_year": 2019, "indicators": ["A01"]}
    where = platform(scripted.url, {"catalogues": [held]}, "nbs_easyquery")
    with pytest.raises(error, match=reason):
        EasyQueryTransport(asking).list_returns(where, None, None)


def test_a_cube_is_asked_for_as_the_old_interface_wants_it(scripted: Scripted, asking: Asking) -> None:
    node = {"data": {"data": 0, "hasdata": False, "strdata": ""}, "wds": [{"wdcode": "sj", "valuecode": "2019A"}]}
    filled = {
        "data": {"data": 1.04, "hasdata": True, "strdata": "1.0"},
        "wds": [{"wdcode": "sj", "valuecode": "2019B"}],
    }
    scripted.answer = lambda *_: JSONResponse({"returncode": 200, "returndata": {"datanodes": [node, filled]}})
    held = {"name": "t", "frequency": "quarterly", "first_year": 2019, "last_year": 2019, "indicators": ["A01"]}
    where = platform(scripted.url, {"catalogues": [held]}, "nbs_easyquery")
    (row,) = EasyQueryTransport(asking).list_returns(where, None, None).rows
    assert row.period_code == "2019-Q2"  # hasdata false is no figure, whatever data says
    ((path, asked, _),) = scripted.asked
    assert path == "/easyquery.htm"
    assert asked == {
        "m": "QueryData", "dbcode": "fsjd", "rowcode": "reg", "colcode": "sj",
        "wds": '[{"wdcode":"zb","valuecode":"A01"}]', "dfwds": '[{"wdcode":"sj","valuecode":"2019A-2019D"}]',
        "k1": str(int(NOW.timestamp() * 1000)),
    }  # fmt: skip


def test_more_bytes_than_allowed_are_refused(scripted: Scripted, asking: Asking) -> None:
    big = [{"code": "202601SS", "values": [{"_id": "a", "value": "1", "da_name": "x" * 700}]}]
    scripted.answer = lambda path, *_: JSONResponse(
        {"state": 20000, "data": {"list": [{"_id": "a"}, {"_id": "b"}]} if path.endswith("Cid") else big}
    )
    limits = {"max_bytes": 1000, "max_expanded_bytes": 1000}
    where = platform(scripted.url, {"catalogues": [QUARTERLY], "indicators_per_request": 1}, limits=limits)
    with pytest.raises(DeliveryInvalid, match="more than max_expanded_bytes 1,000") as caught:
        EsDataTransport(asking).fetch(where, offer("portal_quarterly", "2026-Q1"), None)
    assert caught.value.kind == "too_large"


@pytest.mark.parametrize(
    ("code", "series", "old"),
    [("2025", "2025YY", "2025"), ("2025-Q3", "202503SS", "2025C"), ("2025-09", "202509MM", "202509")],
)
def test_a_period_is_written_as_each_interface_writes_it(code: str, series: str, old: str) -> None:
    period = parse_period(code)
    assert (series_period(period), cube_period(period)) == (series, old)
