"""From a table to the bytes a platform delivers: pages of JSON, a workbook, a CSV file.

What is here: the three carriers and the grid that workbook and CSV share (title; unit line; two header rows; figures;
footnotes); a workbook alone has a second sheet, the schools. What is not here: which platform uses which carrier (`platforms`).
"""

import csv
import dataclasses
import io
import itertools
import json
from collections.abc import Sequence
from typing import Any

from sandbox import rosters
from sandbox.rosters import ESTIMATED_MARK
from sandbox.tables import Column, ReturnTable
from sandbox.workbooks import Grid, Merge, write_workbook

PAGE_SIZE = 500
MEDIA_TYPES = {
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=GB18030",
}
HEADER_ROWS = 4


def encode_json(content: object) -> bytes:
    """One line of UTF-8 JSON."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def envelope(data: object, code: int = 0, message: str = "ok") -> bytes:
    """The envelope of every JSON answer; an error is `code` ≠ 0 under HTTP 200."""
    return encode_json({"code": code, "msg": message, "data": data})


def make_pages(table: ReturnTable, size: int = PAGE_SIZE) -> list[bytes]:
    """The pages of a return, at least one; `size` rows a page."""
    fields = [f"f{number:02d}" for number in range(1, len(table.columns) + 1)]
    keys = ("region_code", "region_name", *fields)
    rows = [
        dict(zip(keys, (code, name, *figures), strict=True))
        for code, name, figures in zip(table.region_codes, table.region_names, table.rows, strict=True)
    ]
    head: dict[str, Any] = {"form": table.form, "period": table.period_code, "title": table.title}
    head["columns"] = [
        {"field": field, "name": each.name, "area": each.area, "unit": each.unit}
        for field, each in zip(fields, table.columns, strict=True)
    ]
    return [
        envelope({"total": len(rows), "page": number, "size": size, **head, "rows": rows[start : start + size]})
        for number, start in enumerate(range(0, max(len(rows), 1), size), start=1)
    ]


@dataclasses.dataclass(frozen=True)
class Span:
    """Columns of one indicator, side by side: the first and last column of the grid (from 0) and the header text."""

    first: int
    last: int
    header: str


def header_spans(columns: Sequence[Column]) -> list[Span]:
    """The indicators of the first header row, with the columns each covers (the stub has two)."""
    spans = []
    place = 2
    for (name, unit), group in itertools.groupby(columns, key=lambda each: (each.name, each.unit)):
        width = len(list(group))
        spans.append(Span(place, place + width - 1, f"{name}（{unit}）"))
        place += width
    return spans


def head_rows(table: ReturnTable) -> list[list[str]]:
    """Title, unit line and the two header rows; what a merge covers is blank."""
    width = len(table.columns) + 2
    units = "、".join(dict.fromkeys(each.unit for each in table.columns))
    title, unit_line, names = ([""] * width for _ in range(3))
    title[0] = table.title
    unit_line[-1] = f"计量单位：{units}"
    names[:2] = ["区划代码", "地区"]
    for span in header_spans(table.columns):
        names[span.first] = span.header
    return [title, unit_line, names, ["", "", *(each.area for each in table.columns)]]


def usual_merges(table: ReturnTable) -> list[Merge]:
    """The merged ranges of title and header."""
    last = len(table.columns) + 1
    merges = [(0, 0, 0, last), (2, 0, 3, 0), (2, 1, 3, 1)]
    return merges + [(2, span.first, 2, span.last) for span in header_spans(table.columns) if span.last > span.first]


def encode_table(table: ReturnTable, carrier: str, page_size: int) -> list[bytes]:
    """The bytes of a table by carrier: pages of JSON, or one file."""
    match carrier:
        case "json":
            return make_pages(table, page_size)
        case "csv":
            return [make_csv(table)]
        case _:
            return [make_workbook(table)]


def make_csv(table: ReturnTable) -> bytes:
    """The grid as CSV in GB18030, lines ending with CR LF as the offices' spreadsheets write them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows(head_rows(table))
    writer.writerows(
        (code, name, *figures)
        for code, name, figures in zip(table.region_codes, table.region_names, table.rows, strict=True)
    )
    writer.writerows([note] + [""] * (len(table.columns) + 1) for note in table.footnotes)
    return text.getvalue().encode("gb18030")


def make_workbook(table: ReturnTable) -> bytes:
    """The grid as a workbook: published figures are numbers, estimated ones text."""
    rows: list[Sequence[str]] = [*head_rows(table)]
    rows += [
        (code, name, *figures)
        for code, name, figures in zip(table.region_codes, table.region_names, table.rows, strict=True)
    ]
    figures_end = len(rows)
    rows += [(note,) for note in table.footnotes]
    grid = Grid(rows, usual_merges(table), HEADER_ROWS, figures_end, ESTIMATED_MARK)
    return write_workbook(grid, roster_grid(table))


def roster_grid(table: ReturnTable) -> Grid | None:
    """The sheet of schools that a workbook has besides, if there is one."""
    if table.roster is None:
        return None
    rows = table.roster.rows()
    end = rosters.FIGURES_START + len(table.roster.schools)
    return Grid(rows, [(0, 0, 0, len(rows[1]) - 1)], rosters.FIGURES_START, end, ESTIMATED_MARK, are_figures_text=True)
