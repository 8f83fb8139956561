"""Whatever is done to a return, reading it ends soon, never raises, loses no text, and gives no figure another meaning than
its own headers do.

Returns are made and changed in :mod:`tests.returns.mutations`, where every figure knows what it means; here they are read.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from returns import Arrival, ReadResult, read_returns
from returns.carriers.grid import column_letters
from returns.layouts import Layout, load_layouts
from returns.reasons import CELL_REASONS, RETURN_REASONS
from tests.returns.mutations import (
    FACTORS,
    OPERATIONS,
    Cell,
    Column,
    Meaning,
    Operation,
    Page,
    Row,
    Shape,
    Table,
    as_book,
    as_text,
    mutate,
    render,
    retype,
)
from tests.returns.samples import CATALOGUE, columns_of
from tests.returns.test_tables import layout

ALIASES = {"床位数": "HLT_BEDS", "机构数": "HLT_INSTITUTIONS", "护士数": "HLT_NURSES"}
PLACES = (
    ("510000", "四川省"), ("510100", "成都市"), ("510104", "锦江区"), ("510105", "青羊区"), ("510181", "都江堰市"),
    ("510300", "自贡市"), ("510311", "沿滩区"), ("513200", "阿坝藏族羌族自治州"),
)  # fmt: skip
PROVINCES = (
    ("110000", "北京市"),
    ("130000", "河北省"),
    ("500000", "重庆市"),
    ("510000", "四川省"),
    ("150000", "内蒙古自治区"),
)
NOTES = ("注：1. 不含诊所。", "2. 2023年数据为初步统计数")
MAX_SECONDS = 2.0
"""Of the processor: reading waits for nothing, and beside other work two seconds of the clock say nothing of it."""
BEYOND = (-1, -1, Cell())
"""A cell to the right of a row that is shorter than others."""


@dataclass(frozen=True)
class Kind:
    """A shape with its layouts, its tables as nobody has changed them, and how it arrives."""

    shape: Shape
    layouts: Callable[[], Sequence[Layout]]
    tables: Callable[[], list[Table]]
    form: str = ""
    province: str = "510000"
    period: str = ""
    file_name: str = "表.xlsx"
    carriers: tuple[str, ...] = ("book", "csv", "bom", "gb18030", "tsv")


def fill(columns: Sequence[Column], places: Sequence[tuple[str, str]], first: int, period: str, title: str | None,
         caption: tuple[str, str] | None = None) -> Table:  # fmt: skip
    """A table with a figure of its own in each cell."""
    rows = [Row(code, name, code) for code, name in places]
    figures = [
        [retype(first + 100 * down + across + 0.5, 0) for across in range(len(columns))] for down in range(len(rows))
    ]
    table = Table(list(columns), rows, figures, period, title)
    if caption is not None:
        table.caption, table.caption_unit = caption
    return table


def closed(form: str, period: str, titles: tuple[tuple[str, str], ...], name: str) -> Kind:
    flows = period.replace("Q1", "M01-M03")

    def tables() -> list[Table]:
        columns = [
            Column(each.name, each.indicator_code, each.label, each.area, each.unit,
                   flows if CATALOGUE.indicators[each.indicator_code].is_cumulative else None)
            for each in columns_of(form)
        ]  # fmt: skip
        half = len(PLACES) // 2
        return [
            fill(columns, PLACES[:half], 1000, period, titles[0][0], ("计量单位：张、人", "")),
            fill(columns, PLACES[half:], 9000, period, None),
        ]

    shape = Shape(name, ("name", "area"), ("区划代码", "地区"), titles, (("计量单位：张、人", ""), ("计量单位：万人", "万人")),
                  NOTES, "填表人：张三　审核人：李四　填报日期：2025年3月26日", is_closed=True)  # fmt: skip
    return Kind(shape, load_layouts, tables, form, period=period)


BEDS = [
    Column("床位数", "HLT_BEDS", label, area, "")
    for label, area in (("合计", "total"), ("城市", "urban"), ("农村", "rural"))
]
COUNTY_TITLES = (
    ("表3-2  2024年各县（市、区）医疗卫生机构床位数", "2024"),
    ("表3-2  2023年各县（市、区）医疗卫生机构床位数", "2023"),
    ("表3-3  2022年各县（市、区）医疗卫生机构数", "2022"),
)
BED_CAPTIONS = (("单位：张", "张"), ("单位：万张", "万张"), ("单位：张、人", ""), ("计量单位：斤", ""))


def county_tables(is_coded: bool) -> list[Table]:
    places = PLACES if is_coded else [("", name) for _, name in PLACES]
    two = [
        Column("护士数", "HLT_NURSES", "合计", "total", "人"),
        Column("医院数", "HLT_HOSPITALS", "合计", "total", "个"),
        Column("诊所数", None, "合计", "total", "个"),
        Column("地区生产总值", "GDP", "", "total", "亿元"),
    ]
    tables = [
        fill([*BEDS, Column("机构数", "HLT_INSTITUTIONS", "", "total", "个")], places[:5], 1000, *reversed(COUNTY_TITLES[0]),
             BED_CAPTIONS[0]),
        fill(two, places[:4], 3000, "2024", None),
        fill(BEDS[1:], places[5:], 5000, *reversed(COUNTY_TITLES[1]), BED_CAPTIONS[1]),
    ]  # fmt: skip
    for table in tables:
        for row, (code, _) in zip(table.rows, PLACES[5:] if table is tables[2] else PLACES, strict=False):
            row.region = code
    return tables


def county(is_coded: bool) -> Kind:
    anchors = ("区划代码", "地区") if is_coded else ("地区",)
    shape = Shape(
        "county coded" if is_coded else "county", ("name", "area"), anchors, COUNTY_TITLES, BED_CAPTIONS, NOTES
    )
    one = layout(
        aliases=ALIASES,
        caption="(?:计量)?单位[:：](?P<units>.+)",
        anchor={"code": "区划代码", "name": "地区"} if is_coded else {"name": "地区"},
        footers=["注[:：].*", r"\d+[.．、].*"],
    )
    return Kind(shape, lambda: [one], lambda: county_tables(is_coded))


def years() -> Kind:
    """Names in one row, years in the next."""
    shape = Shape("years", ("name", "period"), ("地区",), (), (), NOTES)
    one = layout(title=None, header=["name", "period"], period="column", aliases=ALIASES, areas=None,
                 footers=["注[:：].*", r"\d+[.．、].*"])  # fmt: skip

    def tables() -> list[Table]:
        columns = [
            Column(name, code, "", "total", unit, str(year), f"{year}年")
            for name, code, unit in (("医院数", "HLT_HOSPITALS", "个"), ("护士数", "HLT_NURSES", "万人"))
            for year in (2024, 2023, 2022)
        ]
        return [fill(columns, PLACES[:5], 1000, "", None), fill(columns[:4], PLACES[5:], 5000, "", None)]

    return Kind(shape, lambda: [one], lambda: [_nameless(table) for table in tables()])


def _nameless(table: Table) -> Table:
    for row in table.rows:
        row.code = ""
    return table


def export() -> Kind:
    titles = (("时间：2021年 ", "2021"), ("时间：2020年 ", "2020"), ("时间：三季度", ""))
    shape = Shape(
        "export", ("name",), ("地区",), titles, (), ("数据库：分省年度数据 ", "注：1. 初步数。"), "数据来源：国家统计局"
    )

    def tables() -> list[Table]:
        columns = [
            Column("地区生产总值", "GDP", "", "total", "亿元"),
            Column("年末常住人口", "POP_RESIDENT", "", "total", "万人"),
            Column("城镇人口", "POP_RESIDENT", "", "urban", "万人"),
            Column("居民消费水平", None, "", "total", "元"),
        ]
        return [_nameless(fill(columns, PROVINCES, 1000, "2021", titles[0][0]))]

    return Kind(
        shape, load_layouts, tables, "", "", file_name="分省年度数据2021.csv", carriers=("csv", "bom", "gb18030")
    )


def export_years() -> Kind:
    shape = Shape("export years", ("period",), ("地区",), (), (), ("数据库：分省年度数据 ",), "数据来源：国家统计局")

    def tables() -> list[Table]:
        columns = [
            Column("财政", "FIS_REVENUE", "", "total", "亿元", str(year), f"{year}年")
            for year in (2021, 2020, 2019, 2018)
        ]
        return [_nameless(fill(columns, PROVINCES, 1000, "", None))]

    return Kind(shape, load_layouts, tables, "", "", file_name="分省年度数据地方财政收入.csv",
                carriers=("csv", "bom", "gb18030"))  # fmt: skip


HEALTH = closed(
    "health_quarterly", "2026-Q1",
    (("四川省2026年一季度卫生健康统计季报", "2026-Q1"), ("四川省2026年二季度卫生健康统计季报", "2026-Q2"),
     ("湖北省2026年一季度卫生健康统计季报", "2026-Q1"), ("四川省2024年卫生健康统计年报", "2024")), "health_table",
)  # fmt: skip
EDUCATION = closed(
    "education_school_year", "SY2024",
    (("四川省2024/2025学年初基础教育统计报表", "SY2024"), ("四川省2023/2024学年初基础教育统计报表", "SY2023")), "education_table",
)  # fmt: skip
KINDS = {
    kind.shape.name.replace(" ", "_"): kind
    for kind in (HEALTH, EDUCATION, county(False), county(True), years(), export(), export_years())
}

NUMBER = st.integers(0, 400)
CHANGES: st.SearchStrategy[list[Operation]] = st.lists(
    st.tuples(st.sampled_from(OPERATIONS), NUMBER, NUMBER, NUMBER), max_size=7
)


def write(page: Page, carrier: str) -> bytes:
    if carrier == "book":
        return as_book(page)
    encoding = {"csv": "utf-8", "bom": "utf-8-sig", "gb18030": "gb18030", "tsv": "utf-8"}[carrier]
    return as_text(page, encoding, "\t" if carrier == "tsv" else ",")


def read(kind: Kind, content: bytes) -> ReadResult:
    sector = CATALOGUE.forms[kind.form].sector if kind.form else "health"
    platform = f"{kind.province or '000000'}/{sector}"
    arrival = Arrival(1, platform, sector, kind.form, kind.province, kind.period, "0" * 64, kind.file_name, "")
    return read_returns([arrival], lambda _: content, CATALOGUE, kind.layouts())


def addresses(page: Page, carrier: str) -> dict[str, tuple[int, int, Cell]]:
    """Every cell of the page by the address that a reader gives it."""
    found = {}
    for number, row in enumerate(page.cells):
        for place, cell in enumerate(row):
            name = (
                f"表1!{column_letters(place)}{number + 1}" if carrier == "book" else f"row {number + 1} col {place + 1}"
            )
            found[name] = (number, place, cell)
    if carrier == "book":
        for number, row in enumerate(page.other):
            for place, cell in enumerate(row):
                found[f"说明!{column_letters(place)}{number + 1}"] = (-1, -1, cell)
    return found


@dataclass(frozen=True)
class Ground:
    """Where on a page a text stands for what it says: rows of headers, columns of stubs below them, rows of notes."""

    header: frozenset[int]
    stub: frozenset[tuple[int, int]]
    """(first row, column)."""
    notes: frozenset[int]
    spoilt: frozenset[tuple[int, int]]
    """(row of an anchor, first column) from where a junk text within the header may be taken for one."""
    renamed: frozenset[int]
    """Rows with a junk text in a stub."""

    def is_allowed(self, number: int, place: int, cell: Cell) -> bool:
        """Whether the text may be read without being a cell: as a title, a header, a stub or a note."""
        if cell.role != "junk":
            return cell.role != "figure"
        if number in self.header or self.is_stub(number, place):
            return True
        return number in self.notes and cell.text in ("内部资料", "约12", "2023年", "医院数", "合计", "甲", "=A1")

    def is_stub(self, number: int, place: int) -> bool:
        return any(place == column and number >= first for first, column in self.stub)

    def is_told(self, number: int, place: int) -> bool:
        """Whether headers and stub tell what a figure is, with no junk among them that could mean something else."""
        above = max((top for top, _ in self.spoilt if top <= number), default=None)
        return number not in self.renamed and not any(top == above and place >= column for top, column in self.spoilt)


def survey(page: Page, shape: Shape) -> Ground:
    anchors = [
        (number, place)
        for number, row in enumerate(page.cells)
        for place, cell in enumerate(row)
        if cell.role == "anchor"
    ]
    header = {top + offset: top for top, _ in anchors for offset in range(len(shape.header))}
    junk = [(n, p) for n, row in enumerate(page.cells) for p, cell in enumerate(row) if cell.role == "junk"]
    first = [next((cell for cell in row if cell.text.strip()), None) for row in page.cells]
    ground = Ground(
        frozenset(header),
        frozenset(anchors),
        frozenset(number for number, cell in enumerate(first) if cell is not None and cell.role == "note"),
        frozenset((header[number], place) for number, place in junk if number in header),
        frozenset(),
    )
    return replace(ground, renamed=frozenset(n for n, p in junk if n not in header and ground.is_stub(n, p)))


def check(kind: Kind, page: Page, carrier: str, result: ReadResult) -> str:
    """What became of the page; fails where a text is lost or a figure means something else."""
    (verdict,) = result.verdicts.to_dict("records")
    if isinstance(verdict["problem"], str):
        assert verdict["problem"] in RETURN_REASONS
        assert len(str(verdict["explanation"])) > 20
        assert len(result.quarantined) == 1
        assert result.observations.empty
        return f"quarantined whole: {verdict['problem']}"
    cells, ground = addresses(page, carrier), survey(page, kind.shape)
    observed = result.observations.astype(
        {"indicator_code": str, "region_code": str, "period_code": str, "area_type": str}
    )
    rows = observed.to_dict("records")
    seen = [row["address"] for row in rows] + result.quarantined["address"].tolist()
    assert len(set(seen)) == len(seen), "an address stands twice"
    assert set(result.quarantined["reason"]) <= set(CELL_REASONS)
    loaded = [check_figure(row, *cells.get(row["address"], BEYOND), ground, kind) for row in rows]
    missing = [
        (name, number, place, cell)
        for name, (number, place, cell) in cells.items()
        if cell.text.strip() and not ground.is_allowed(number, place, cell) and name not in set(seen)
    ]
    known = {
        (row["indicator_code"], row["area_type"], row["region_code"], row["period_code"], row["value"]) for row in rows
    }
    assert len(missing) <= verdict["duplicates"], f"lost: {missing[0][0]} {missing[0][3].text!r}"
    for name, _, _, cell in missing:
        meaning = cell.meaning
        if cell.is_told and meaning is not None and cell.printed is not None:
            value = rounded(cell.printed * meaning.factor)
            key = (meaning.indicator, meaning.area, meaning.region, meaning.period, value)
            assert key in known, f"{name} {cell.text!r} is counted as a repeat of nothing"
    return "figures loaded" if any(loaded) else "read, and no figure loaded"


def check_figure(row: dict[Any, Any], number: int, place: int, cell: Cell, ground: Ground, kind: Kind) -> bool:
    """Whether a figure is loaded; fails where it means something else than its headers say."""
    if not cell.text.strip():
        assert np.isnan(row["value"]), f"{row['address']} is blank and loaded as {row['value']}"
        return False
    if np.isnan(row["value"]):
        assert cell.text in ("…", "—", "/"), f"{row['address']} {cell.text!r} is loaded as no figure"
        return False
    if cell.role != "figure" or not cell.is_told or not ground.is_told(number, place):
        assert cell.printed is not None or cell.role == "junk", f"{row['address']} {cell.text!r} is loaded"
        return True
    assert cell.printed is not None, f"{row['address']} {cell.text!r} is no figure and loaded"
    assert cell.meaning is not None, f"{row['address']} {cell.text!r} means nothing and is loaded as {row}"
    told = Meaning(row["indicator_code"], row["area_type"], row["region_code"], row["period_code"], cell.meaning.factor)
    assert told == cell.meaning, f"{row['address']} {cell.text!r}"
    assert row["value"] == rounded(cell.printed * cell.meaning.factor), f"{row['address']} {cell.text!r}"
    return True


def rounded(value: float) -> float:
    """At the twelve digits to which values are pinned."""
    return float(f"{value:.12g}")


def read_changed(
    kind: Kind, count: int, changes: list[Operation], carrier: str, is_merged: bool, is_wide: bool
) -> None:
    tables = mutate(kind.tables()[:count], kind.shape, changes)
    page = render(tables, kind.shape, changes, is_merged and carrier == "book", is_wide)
    content = write(page, carrier)
    begin = time.process_time()
    result = read(kind, content)
    assert time.process_time() - begin < MAX_SECONDS
    event(check(kind, page, carrier, result))


def examples(default: int) -> int:
    return int(os.environ.get("JUNHENG_MUTATIONS", default))


def property_of(count: int) -> Any:
    """The property for any change of any kind of return."""

    def decorate(test: Any) -> Any:
        strategies = given(
            st.integers(1, 3),
            CHANGES,
            st.sampled_from(["book", "csv", "bom", "gb18030", "tsv"]),
            st.booleans(),
            st.booleans(),
        )
        checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
        return settings(
            max_examples=count, deadline=None, derandomize=count < 1000, suppress_health_check=checks, database=None
        )(strategies(test))

    return decorate


@pytest.mark.parametrize("name", KINDS)
@property_of(30)
def test_a_changed_return_keeps_every_text_and_every_meaning(name, count, changes, carrier, is_merged, is_wide):
    kind = KINDS[name]
    carrier = carrier if carrier in kind.carriers else "gb18030"
    read_changed(kind, count, changes, carrier, is_merged, is_wide)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", KINDS)
@property_of(examples(5000))
def test_thousands_of_changed_returns_keep_every_text_and_every_meaning(
    name, count, changes, carrier, is_merged, is_wide
):
    kind = KINDS[name]
    carrier = carrier if carrier in kind.carriers else "gb18030"
    read_changed(kind, count, changes, carrier, is_merged, is_wide)


@pytest.mark.parametrize("is_wide", [False, True], ids=["below", "beside"])
@pytest.mark.parametrize("name", KINDS)
def test_a_return_that_nobody_changed_is_read_whole(name, is_wide):
    kind = KINDS[name]
    carrier = "book" if "book" in kind.carriers else "csv"
    page = render(kind.tables(), kind.shape, [], is_merged=carrier == "book", is_wide=is_wide)
    result = read(kind, write(page, carrier))
    check(kind, page, carrier, result)
    meant = sum(cell.meaning is not None for row in page.cells for cell in row)
    assert len(result.observations) == meant > 10
    assert set(result.quarantined["reason"]) <= {"unknown_indicator"}


SERIES = (
    ("A0201", "地区生产总值 (亿元) ", "亿元", "GDP", "total", 1e8),
    ("A0301", "年末常住人口 (万人) ", "万人", "POP_RESIDENT", "total", 1e4),
    ("A0302", "城镇人口 (万人) ", "万人", "POP_RESIDENT", "urban", 1e4),
    ("A0901", "居民消费水平 (元) ", "元", None, "total", 1.0),
)
SPOILS = ("retype", "drop", "repeat", "move", "unit", "own unit", "name", "place", "code", "period", "page")


def series_answer(
    spoils: Sequence[Operation],
) -> tuple[bytes, list[tuple[dict[str, Any], str, Meaning | None, float | None]]]:
    """An esData answer, changed; and its values with their period, meaning and figure."""
    values: list[list[Any]] = []
    for down, (code, name) in enumerate(PROVINCES):
        for across, (item, title, unit, indicator, area, factor) in enumerate(SERIES):
            for year in ("2025YY", "2024YY"):
                number = 1000.5 + 100 * down + 10 * across + (year == "2024YY")
                value = {
                    "_id": item,
                    "i_showname": title,
                    "value": f"{number}",
                    "du_name": unit,
                    "da": f"{code}000000",
                    "da_name": name,
                }
                meaning = Meaning(indicator, area, code, year[:4], factor) if indicator else None
                values.append([year, value, meaning, number])
    for name, first, second, third in spoils:
        spoil(values, name, first % len(values), second, third)
    periods = dict.fromkeys(each[0] for each in values)
    data = [{"code": code, "name": code, "values": [each[1] for each in values if each[0] == code]} for code in periods]
    answer = {"state": 20000, "success": True, "data": data}
    ordered = [each for code in periods for each in values if each[0] == code]
    return json.dumps(answer, ensure_ascii=False).encode(), [(each[1], each[0], each[2], each[3]) for each in ordered]


def spoil(values: list[list[Any]], name: str, place: int, second: int, third: int) -> None:
    """One change of the value at ``place``, with what it means."""
    year, value, meaning, number = values[place]
    value = dict(value)
    values[place][1] = value
    if name == "retype":
        figure = retype(number or 5.5, second)
        value["value"], values[place][3] = figure.text, figure.printed
    elif name == "drop" and len(values) > 1:
        del values[place]
    elif name == "repeat":
        figure = retype(90000.5 + second, 0) if third % 2 else None
        values.append(
            [year, value | ({"value": figure.text} if figure else {}), meaning, figure.printed if figure else number]
        )
    elif name == "move":
        values.insert(second % len(values), values.pop(place))
    elif name in ("unit", "own unit"):
        unit = {"亿元": "万元", "万人": "人"}.get(value["du_name"])
        if unit is not None:
            value["du_name"] = unit
            if name == "unit":
                value["i_showname"] = value["i_showname"].replace("亿元", "万元").replace("万人", "人")
            factor = FACTORS[unit] if name == "unit" else None
            values[place][2] = replace(meaning, factor=factor) if meaning and factor else None
    elif name == "name":
        value["i_showname"], values[place][2] = ("", "居民消费价格指数", "内部资料")[second % 3], None
    elif name == "place":
        (code, other), has_code = PROVINCES[second % len(PROVINCES)], bool(third % 2)
        if meaning is not None:  # what was lost already is not found again by another place
            value["da"], value["da_name"] = (f"{code}000000" if has_code else ""), other
            values[place][2] = replace(meaning, region=code)
    elif name == "code":
        value["da"], values[place][2] = ("999999000000", "000000000000", "110101001000", "11")[second % 4], None
    elif name == "period":
        text, period = (("2023YY", "2023"), ("202509MM", "2025-09"), ("LAST10", ""), ("9999", ""))[second % 4]
        if meaning is not None:  # what was lost already is not found again by another period
            values[place][0] = text
            values[place][2] = replace(meaning, period=period) if period else None


def read_series(spoils: list[Operation]) -> None:
    content, values = series_answer(spoils)
    arrival = Arrival(1, "000000/portal", "portal", "", "", "", "0" * 64, "esData.json", "")
    begin = time.process_time()
    result = read_returns([arrival], lambda _: content, CATALOGUE)
    assert time.process_time() - begin < MAX_SECONDS
    (verdict,) = result.verdicts.to_dict("records")
    assert not isinstance(verdict["problem"], str), verdict["explanation"]
    assert verdict["cells"] == len(values)
    places = list(dict.fromkeys(period for _, period, _, _ in values))
    counts = dict.fromkeys(places, -1)
    seen = {row["address"]: row for row in result.observations.to_dict("records")}
    set_aside = set(result.quarantined["address"])
    known = {
        (str(row["indicator_code"]), row["area_type"], row["region_code"], row["period_code"], row["value"])
        for row in seen.values()
    }
    repeats = 0
    for value, period, meaning, number in values:
        counts[period] += 1
        address = f"$.data[{places.index(period)}].values[{counts[period]}].value"
        assert not (address in seen and address in set_aside)
        row = seen.get(address)
        figure = None if meaning is None or number is None else rounded(number * meaning.factor)
        key = (meaning.indicator, meaning.area, meaning.region, meaning.period, figure) if meaning else None
        if row is None:
            repeats += address not in set_aside
            assert address in set_aside or figure is None or key in known, f"lost: {address} {value}"
        elif not np.isnan(row["value"]):
            told = (str(row["indicator_code"]), row["area_type"], row["region_code"], row["period_code"], row["value"])
            assert told == key, f"{address} {value}"
        else:
            assert value["value"].strip() in ("", "…"), f"{address} {value} is loaded as no figure"
    assert repeats == verdict["duplicates"]


LONG_CHANGES = st.lists(st.tuples(st.sampled_from(SPOILS), NUMBER, NUMBER, NUMBER), max_size=8)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(LONG_CHANGES)
def test_a_changed_answer_of_the_statistics_office_keeps_every_value_and_every_meaning(spoils):
    read_series(spoils)


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(max_examples=examples(5000), deadline=None, database=None)
@given(LONG_CHANGES)
def test_thousands_of_changed_answers_keep_every_value_and_every_meaning(spoils):
    read_series(spoils)
