"""A stand-in for the public portal of the statistics office: its two interfaces over the published figures.

What is here: *esData* (index tree, indicators by table, series) and *easyquery* (cubes), for the provinces' years, with the
portal's quirks. What is not here: other levels and frequencies (their trees are there, and empty), any figure that was
not published, and faults.
"""

import dataclasses
import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.platforms import Platforms
from sandbox.published import FIRST_YEAR, load_published
from sandbox.reference import CATALOGUE, FIGURES, Reference, read_rows

BASE = "/000000/portal"
YEARS = 15
"""Of published figures, from `FIRST_YEAR`."""
PUBLISHED_MONTH = 3
"""A year's figures appear on the first day of this month of the next year."""
TREE_NAMES = {"4": "分省月度数据", "5": "分省季度数据", "6": "分省年度数据"}
ANNUAL_TREE, ANNUAL_CUBE = "6", "fsnd"
EMPTY_CUBES = frozenset({"fsyd", "fsjd"})
GROUPS = {
    "POP": "人口",
    "GDP": "国民经济核算",
    "FIS": "财政",
    "INC": "人民生活",
    "EMP": "就业人员和工资",
    "HLT": "卫生",
    "EDU": "教育",
    "DIG": "运输和邮电",
}
OTHER_GROUP = "社会服务"
AREA_NAMES = {"total": "", "urban": "（城镇）", "rural": "（农村）"}
SPAN = re.compile(r"(\d{4})(?:YY)?(?:-(\d{4})(?:YY)?)?")
# What a cube's `data` has beyond its `strdata`, in parts of the last printed digit: too little to be rounded up.
UNPRINTED = 0.3


@dataclasses.dataclass(frozen=True)
class PortalIndicator:
    """One series as the portal shows it: in its own words and the printed unit."""

    position: int
    id: str
    code: str
    name: str
    unit: str
    table_id: str


@dataclasses.dataclass(frozen=True)
class PortalTable:
    """A leaf of the index tree."""

    id: str
    code: str
    name: str
    group: str
    indicators: tuple[PortalIndicator, ...]


def portal_id(*labels: str) -> str:
    """32 hexadecimal digits, as the portal's ids look; the same for the same labels."""
    return hashlib.md5("|".join(labels).encode(), usedforsecurity=False).hexdigest()


ROOT_IDS = {tree: portal_id("root", tree) for tree in TREE_NAMES}


def _printed_units() -> dict[tuple[str, str], str]:
    """Unit in which a series (indicator, area type) is published."""
    rows = read_rows(FIGURES / "published.csv")
    return {(row["indicator_code"], row["area_type"]): row["printed_unit"] for row in rows}


def _portal_names() -> dict[tuple[str, str], tuple[str, str]]:
    """(indicator, area type) → table and indicator in the portal's words, where the catalogue has them."""
    names: dict[tuple[str, str], tuple[str, str]] = {}
    for row in read_rows(CATALOGUE / "indicators.csv"):
        for source in filter(None, row["published_source"].split(";")):
            table, _, rest = source.partition("/")
            name, _, area_type = rest.rpartition("/")
            names[row["code"], area_type] = (table, name)
    return names


def portal_tables(reference: Reference) -> tuple[PortalTable, ...]:
    """All tables, in the order of the catalogue."""
    units, names = _printed_units(), _portal_names()
    members: dict[tuple[str, str], list[tuple[int, str, str]]] = {}
    for series in reference.series:
        key = (series.indicator.code, series.area_type)
        if key in units:
            usual = (series.indicator.name_zh, series.indicator.name_zh + AREA_NAMES[series.area_type])
            table, name = names.get(key, usual)
            group = GROUPS.get(series.indicator.code[:3], OTHER_GROUP)
            members.setdefault((group, table), []).append((series.position, name, units[key]))
    groups = list(dict.fromkeys(group for group, _ in members))
    tables = []
    for number, ((group, table), rows) in enumerate(members.items(), start=1):
        table_id = portal_id(group, table)
        code = f"A{groups.index(group) + 1:02d}{number:02d}"
        indicators = tuple(
            PortalIndicator(position, portal_id(group, table, name), f"{code}{place:02d}", name, unit, table_id)
            for place, (position, name, unit) in enumerate(rows, start=1)
        )
        tables.append(PortalTable(table_id, code, table, group, indicators))
    return tuple(tables)


class Portal:
    """The endpoints; figures are those published by the platforms' clock."""

    def __init__(self, platforms: Platforms) -> None:
        self._clock = platforms.clock
        self._reference = platforms.maker.reference
        self._published = load_published(self._reference, YEARS)
        self.tables = portal_tables(self._reference)
        self._tables = {table.id: table for table in self.tables}
        self._by_code = {indicator.code: indicator for table in self.tables for indicator in table.indicators}

    def years(self) -> list[int]:
        """Years with figures by now, newest first as the portal lists them."""
        today = self._clock.now().date()
        years = range(FIRST_YEAR + YEARS - 1, FIRST_YEAR - 1, -1)
        return [year for year in years if dt.date(year + 1, PUBLISHED_MONTH, 1) <= today]

    def figure(self, position: int, province_code: str, year: int) -> str:
        """The printed figure, or ""."""
        province = self._reference.province_by_code.get(province_code)
        if province is None or year not in self.years():
            return ""
        return str(self._published.texts[position, province.position, year - FIRST_YEAR])

    async def tree(self, request: Request) -> Response:
        """Nodes below `pid` of the tree `code`: the root, its groups, their tables."""
        tree, parent = request.query_params.get("code", ""), request.query_params.get("pid", "")
        if tree not in TREE_NAMES:
            return _state(40004, f"code {tree!r}: 参数错误")
        root_id = ROOT_IDS[tree]
        groups = {portal_id("group", table.group): table.group for table in self.tables if tree == ANNUAL_TREE}
        if not parent:
            return _good([_node(root_id, TREE_NAMES[tree], False)])
        if parent == root_id:
            return _good([_node(group_id, name, False) for group_id, name in groups.items()])
        if parent not in groups:
            return _state(40004, "目录不存在")
        return _good([_node(table.id, table.name, True) for table in self.tables if table.group == groups[parent]])

    async def indicators(self, request: Request) -> Response:
        """The indicators of the table `cid`; an empty list of one that does not exist, as the portal answers."""
        table = self._tables.get(request.query_params.get("cid", ""))
        word = request.query_params.get("name", "")
        rows = [
            {"_id": each.id, "catalogid": each.table_id, "i_showname": _shown(each), "du_name": each.unit}
            for each in (table.indicators if table else ())
            if word in each.name
        ]
        return _good({"list": rows})

    async def series(self, request: Request) -> Response:
        """Figures of a table by period, newest first; what the portal does not know it leaves out without a word."""
        try:
            asked = await request.json()
            table = self._tables.get(asked["cid"])
            years = {year for span in asked["dts"] for year in _years_of(span)}
            regions = [(str(region["value"]), str(region["text"])) for region in asked["das"]]
            wanted, is_shown = set(asked["indicatorIds"]), str(asked["showType"]) == "1"
        except (ValueError, KeyError, TypeError):
            return _state(50000, "参数错误")
        if table is None or asked.get("rootId") != ROOT_IDS[ANNUAL_TREE] or not is_shown:
            return _state(40004, "目录不存在")
        own = [each for each in table.indicators if each.id in wanted]
        periods = [
            {"code": f"{year}YY", "name": f"{year}年", "values": list(self._values(own, regions, year))}
            for year in range(max(years, default=0), min(years, default=1) - 1, -1)
            if year in years
        ]
        return _good(periods)

    def _values(
        self, indicators: Iterable[PortalIndicator], regions: Iterable[tuple[str, str]], year: int
    ) -> Iterator[dict[str, str]]:
        known = [(code, name) for code, name in regions if code[:6] in self._reference.province_by_code]
        for each in indicators:
            for code, name in known:
                value = self.figure(each.position, code[:6], year)
                yield {
                    "_id": each.id, "i_showname": _shown(each), "value": value,
                    "du_name": each.unit, "da": code, "da_name": name,
                }  # fmt: skip

    async def cube(self, request: Request) -> Response:
        """`m=QueryData`: one indicator, all provinces, a span of years."""
        asked = request.query_params
        try:
            chosen = {
                place["wdcode"]: place["valuecode"] for key in ("wds", "dfwds") for place in json.loads(asked[key])
            }
            indicator, years = self._by_code.get(chosen.get("zb", "")), _years_of(chosen["sj"])
        except (ValueError, KeyError, TypeError):
            return JSONResponse({"returncode": 501, "returndata": "参数错误"})
        is_known = (
            asked.get("dbcode") == ANNUAL_CUBE and asked.get("m") == "QueryData" and asked.get("rowcode") == "reg"
        )
        if not is_known or indicator is None:
            return JSONResponse({"returncode": 501, "returndata": "查询不到数据"})
        return JSONResponse({"returncode": 200, "returndata": self._cube_data(indicator, sorted(years, reverse=True))})

    def _cube_data(self, indicator: PortalIndicator, years: list[int]) -> dict[str, Any]:
        nodes = []
        for province in self._reference.provinces:
            for year in years:
                places = [("zb", indicator.code), ("reg", province.code), ("sj", str(year))]
                nodes.append(
                    {
                        "code": "_".join(f"{name}.{code}" for name, code in places),
                        "data": cube_figure(self.figure(indicator.position, province.code, year)),
                        "wds": [{"valuecode": code, "wdcode": name} for name, code in places],
                    }
                )
        dimensions = [
            ("zb", "指标", [(indicator.code, indicator.name, indicator.unit)]),
            ("reg", "地区", [(each.code, each.name_zh, "") for each in self._reference.provinces]),
            ("sj", "时间", [(str(year), f"{year}年", "") for year in years]),
        ]
        return {
            "datanodes": nodes,
            "wdnodes": [
                {
                    "nodes": [{"cname": name, "code": code, "name": name, "unit": unit} for code, name, unit in found],
                    "wdcode": code,
                    "wdname": name,
                }
                for code, name, found in dimensions
            ],
        }


def cube_figure(printed: str) -> dict[str, Any]:
    """A figure as a cube has it: `data` with more digits than `strdata`, and 0 where there is none."""
    if not printed:
        return {"data": 0, "dotcount": 1, "hasdata": False, "strdata": ""}
    decimals = len(printed.partition(".")[2])
    more = round(float(printed) + UNPRINTED * 10**-decimals, decimals + 1)
    return {"data": more, "dotcount": decimals, "hasdata": True, "strdata": printed}


def portal_routes(platforms: Platforms) -> list[Route]:
    """The routes of both interfaces, under `/000000/portal/`."""
    portal = Portal(platforms)
    endpoints = (
        ("new/queryIndexTreeAsync", portal.tree, "GET"),
        ("new/queryIndicatorsByCid", portal.indicators, "GET"),
        ("stream/esData", portal.series, "POST"),
        ("easyquery.htm", portal.cube, "GET"),
        ("easyquery.htm", portal.cube, "POST"),
    )
    return [Route(f"{BASE}/{path}", _for_browsers(answer), methods=[method]) for path, answer, method in endpoints]


def _for_browsers(answer: Any) -> Any:
    """`answer`, but 403 to programs that say they are one."""

    async def guarded(request: Request) -> Response:
        if "Mozilla" not in request.headers.get("user-agent", ""):
            return Response("<html><body>403 Forbidden: UrlACL</body></html>", 403, media_type="text/html")
        response: Response = await answer(request)
        return response

    return guarded


def _years_of(span: str) -> range:
    found = SPAN.fullmatch(span)
    if found is None:
        raise ValueError(f"no span of years: {span!r}")
    last = int(found[2] or found[1])
    return range(max(int(found[1]), last - 100), last + 1)


def _shown(indicator: PortalIndicator) -> str:
    return f"{indicator.name} ({indicator.unit}) "


def _node(node_id: str, name: str, is_leaf: bool) -> dict[str, Any]:
    return {"_id": node_id, "name": name, "isLeaf": is_leaf}


def _good(data: Any) -> Response:
    return JSONResponse({"data": data, "message": "操作成功", "state": 20000, "success": True})


def _state(state: int, message: str) -> Response:
    return JSONResponse({"data": None, "message": message, "state": state, "success": False})
