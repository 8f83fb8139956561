"""Small returns in every carrier, built from the catalogue: what the tests write, they know how to read.

Not here: expectations. A return is a title, columns and rows; :func:`as_workbook`, :func:`as_csv` and :func:`as_pages`
give it its bytes.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import openpyxl

from returns.reading import Arrival, ReadResult, read_returns
from warehouse.catalogue import load_catalogue

CATALOGUE = load_catalogue()
UNITS = {
    "person": "人",
    "unit": "个",
    "bed": "张",
    "visit": "人次",
    "CNY": "亿元",
    "CNY per person": "元",
    "percent": "%",
    "household": "户",
    "year": "年",
    "per person": "教师人数=1",
    "per 10000 persons": "人",
}
LABELS = {
    "health": {"total": "合计", "urban": "城市", "rural": "农村"},
    "education": {"total": "合计", "urban": "城镇", "rural": "乡村"},
    "employment": {"total": "合计", "urban": "城镇", "rural": "农村"},
}
TITLES = {
    ("health_annual", "2024"): "四川省2024年卫生健康统计年报",
    ("health_quarterly", "2026-Q1"): "四川省2026年一季度卫生健康统计季报",
    ("education_school_year", "SY2024"): "四川省2024/2025学年初基础教育统计报表",
    ("employment_annual", "2024"): "四川省2024年就业和社会保障统计年报",
    ("employment_monthly", "2026-03"): "四川省2026年3月就业和社会保障统计月报",
    ("employment_monthly", "2026-01"): "四川省2026年1月就业和社会保障统计月报",
}
FOOTER = (
    "注：1. 数字后的 e 表示估计数。",
    "2. 部分数据因四舍五入，分项合计与总计可能略有出入。",
    "填表人：张三　审核人：李四　填报日期：2025年3月26日",
)


@dataclass(frozen=True)
class Column:
    indicator_code: str
    name: str
    area: str
    label: str
    unit: str


@dataclass(frozen=True)
class Return:
    form: str
    period: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    footer: tuple[str, ...] = FOOTER
    extra: dict[str, str] = field(default_factory=dict)

    def with_cell(self, row: int, column: int, value: Any) -> Return:
        """The same return with one figure changed (both from 0, the stub not counted)."""
        changed = list(self.rows[row])
        changed[column + 2] = value
        return replace(self, rows=(*self.rows[:row], tuple(changed), *self.rows[row + 1 :]))


def columns_of(form: str, with_cumulative: bool = True) -> tuple[Column, ...]:
    sector = CATALOGUE.forms[form].sector
    return tuple(
        Column(indicator.code, indicator.name_zh, area, LABELS[sector][area], UNITS[indicator.unit])
        for indicator in CATALOGUE.indicators_of(form)
        if with_cumulative or not indicator.is_cumulative
        for area in indicator.area_types
    )


def make_return(
    form: str = "health_annual",
    period: str = "2024",
    stubs: Sequence[tuple[str, str]] = (("510000", "四川省"), ("510104", "锦江区")),
) -> Return:
    """A whole return: figure ``c`` of row ``r`` is ``100 r + c + 0.5``."""
    columns = columns_of(form, with_cumulative=period != "2026-01")
    rows = tuple((*stub, *(f"{100 * r + c}.5" for c in range(len(columns)))) for r, stub in enumerate(stubs))
    return Return(form, period, TITLES[form, period], columns, rows)


def grid_rows(sample: Return) -> list[list[Any]]:
    """The rows of the table, merged cells blank after the first."""
    width = len(sample.columns) + 2
    names, areas, previous = ["区划代码", "地区"], ["", ""], None
    for column in sample.columns:
        name = f"{column.name}（{column.unit}）"
        names.append("" if name == previous else name)
        areas.append(column.label)
        previous = name
    units = "计量单位：" + "、".join(dict.fromkeys(column.unit for column in sample.columns))
    blank = [""] * (width - 1)
    return [
        [sample.title, *blank],
        [*blank, units],
        names,
        areas,
        *(list(row) for row in sample.rows),
        *([text, *blank] for text in sample.footer),
    ]


def as_workbook(sample: Return, sheet_name: str = "表1", rows: Sequence[Sequence[Any]] | None = None) -> bytes:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = sheet_name
    for row in grid_rows(sample) if rows is None else rows:
        sheet.append([None if value == "" else value for value in row])
    if rows is None:
        sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(sample.columns) + 2)
        sheet.merge_cells("A3:A4")
        sheet.merge_cells("B3:B4")
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def as_csv(sample: Return, encoding: str = "gb18030", delimiter: str = ",") -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n").writerows(grid_rows(sample))
    return buffer.getvalue().encode(encoding)


def pages_of(sample: Return, size: int = 500) -> list[dict[str, Any]]:
    """The pages of the answer, as objects that a test may spoil."""
    fields = [f"f{number:02d}" for number in range(1, len(sample.columns) + 1)]
    pages = []
    for number, start in enumerate(range(0, max(len(sample.rows), 1), size), start=1):
        data = {
            "total": len(sample.rows),
            "page": number,
            "size": size,
            "form": sample.form,
            "period": sample.period,
            "title": sample.title,
            "columns": [
                {"field": name, "name": column.name, "area": column.label, "unit": column.unit}
                for name, column in zip(fields, sample.columns, strict=True)
            ],
            "rows": [
                {"region_code": row[0], "region_name": row[1], **dict(zip(fields, row[2:], strict=True))}
                for row in sample.rows[start : start + size]
            ],
        }
        pages.append({"code": 0, "msg": "ok", "data": data})
    return pages


def as_pages(sample: Return, size: int = 500) -> bytes:
    return dump_pages(pages_of(sample, size))


def dump_pages(pages: Sequence[Any]) -> bytes:
    return b"\n".join(json.dumps(page, ensure_ascii=False).encode() for page in pages)


def arrival(form: str = "health_annual", period: str = "2024", number: int = 1, province: str = "510000") -> Arrival:
    sector = CATALOGUE.forms[form].sector
    return Arrival(number, f"{province}/{sector}", sector, form, province, period, "0" * 64, "报表.xlsx", "")


def read(content: bytes, form: str = "health_annual", period: str = "2024", **options: Any) -> ReadResult:
    """Read one return of Sichuan."""
    return read_returns([arrival(form, period)], lambda _: content, CATALOGUE, **options)
