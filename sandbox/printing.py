"""From a spoiled return to the bytes a platform delivers, faults of the carrier included.

What is here: sheets and lines that differ from the usual ones, other kinds of files, cut files, pages in the place of a
file. What is not here: what stands in the cells (`spoiling`); the usual way of printing (`carriers`).
"""

import csv
import dataclasses
import html
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence

from sandbox.biff import write_xls
from sandbox.carriers import (
    HEADER_ROWS,
    encode_json,
    envelope,
    head_rows,
    make_pages,
    roster_grid,
    usual_merges,
)
from sandbox.drafts import Draft
from sandbox.faults import ActiveFaults
from sandbox.rosters import ESTIMATED_MARK
from sandbox.rosters import SHEET_NAME as ROSTER_NAME
from sandbox.workbooks import FIXED_DATE, SHEET_NAME, Grid, write_sheets, write_workbook

LOGIN_PAGE = (
    "<!DOCTYPE html><html lang='zh'><head><meta charset='utf-8'><title>统一身份认证</title></head>"
    "<body><form method='post' action='/login'>用户名 <input name='user'> 密码 <input type='password' name='password'>"
    "</form></body></html>"
).encode()
ERROR_CODE, ERROR_MESSAGE = 5001, "导出失败，请联系管理员"
SECOND_SHEET_NAME, REMARKS_SHEET_NAME = "表2", "编制说明"
REMARKS = (("编制说明",), ("本表按国家统计报表制度填报。",), ("如有疑问，请与填表人联系。",))

OTHER_FILES: Mapping[str, tuple[str, str]] = {
    "xls": ("xls", "application/vnd.ms-excel"),
    "html_table": ("xls", "application/vnd.ms-excel"),
    "tab_separated": ("xls", "application/vnd.ms-excel"),
    "zipped": ("zip", "application/zip"),
    "utf8_bom": ("csv", "text/csv; charset=UTF-8"),
}
"""How files are named and called that are of another kind than the platform's own."""


@dataclasses.dataclass(frozen=True)
class Sheet:
    """Rows of one sheet; figures stand in rows `start` to `end` (without)."""

    name: str
    rows: list[list[str]]
    start: int
    end: int


def lay_out(draft: Draft) -> list[Sheet]:
    """The sheets of a draft as its layout says: one, as a rule."""
    table, layout = draft.table, draft.layout
    if layout.is_only_remarks:
        return [Sheet(REMARKS_SHEET_NAME, [list(row) for row in REMARKS], len(REMARKS), len(REMARKS))]
    head = head_rows(table)
    rows = [
        [code, name, *figures]
        for code, name, figures in zip(table.region_codes, table.region_names, table.rows, strict=True)
    ]
    if layout.stray_text:
        row = rows[min(1, len(rows) - 1)]
        row += ["", layout.stray_text]
    notes = [[note] for note in table.footnotes]
    if layout.second_sheet_at:
        first, second = rows[: layout.second_sheet_at], rows[layout.second_sheet_at :]
        sheets = [Sheet(SHEET_NAME, [*head, *first], HEADER_ROWS, HEADER_ROWS + len(first))]
        if not layout.is_second_sheet_lost:
            body = [*head, *second, *notes]
            sheets.append(Sheet(SECOND_SHEET_NAME, body, HEADER_ROWS, HEADER_ROWS + len(second)))
        return sheets
    if layout.header_again_at:
        again = [[layout.again_label]] if layout.again_label else []
        rows[layout.header_again_at : layout.header_again_at] = [*again, *head[2:]]
    return [Sheet(SHEET_NAME, [*head, *rows, *notes], HEADER_ROWS, HEADER_ROWS + len(rows))]


def _workbook(draft: Draft) -> bytes:
    sheets = lay_out(draft)
    if len(sheets) > 1 or sheets[0].name != SHEET_NAME:
        return write_sheets(_all_typed(draft))
    [sheet] = sheets
    are_text = draft.layout.are_figures_text
    merges = usual_merges(draft.table)
    grid = Grid(sheet.rows, merges, sheet.start, sheet.end, ESTIMATED_MARK, are_text)
    return write_workbook(grid, roster_grid(draft.table))


def _typed(sheet: Sheet, draft: Draft) -> list[list[str | float]]:
    """Rows with the figures as numbers where the usual workbook has numbers."""

    def cell(row: int, column: int, text: str) -> str | float:
        if not sheet.start <= row < sheet.end or column < 2 or draft.layout.are_figures_text:
            return text
        try:
            return float(text)
        except ValueError:
            return text

    return [[cell(row, column, text) for column, text in enumerate(texts)] for row, texts in enumerate(sheet.rows)]


def _all_typed(draft: Draft) -> list[tuple[str, list[list[str | float]]]]:
    """Every sheet with its rows, the one of schools last: of that all is text."""
    sheets = [(sheet.name, _typed(sheet, draft)) for sheet in lay_out(draft)]
    if draft.table.roster is not None:
        sheets.append((ROSTER_NAME, [[*row] for row in draft.table.roster.rows()]))
    return sheets


def _one_below_the_other(draft: Draft) -> list[list[str]]:
    """The rows of all sheets, for a file that has none."""
    return [row for sheet in lay_out(draft) for row in sheet.rows]


def _separated(draft: Draft, separator: str) -> str:
    """The lines of the table, each as wide as the widest."""
    rows = _one_below_the_other(draft)
    width = max(map(len, rows))
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\r\n")
    writer.writerows([*row, *[""] * (width - len(row))] for row in rows)
    return text.getvalue()


def _html(draft: Draft) -> bytes:
    """The table as offices' systems export it under the name of a workbook: one HTML table, spans in its header."""
    rows = _one_below_the_other(draft)
    spans = {
        (top, left): (bottom - top + 1, right - left + 1) for top, left, bottom, right in usual_merges(draft.table)
    }
    hidden = {
        (row, column)
        for (top, left), (height, width) in spans.items()
        for row in range(top, top + height)
        for column in range(left, left + width)
    } - set(spans)
    lines = []
    for row, texts in enumerate(rows):
        cells = []
        for column, text in enumerate(texts):
            if (row, column) not in hidden:
                height, width = spans.get((row, column), (1, 1))
                span = (f' rowspan="{height}"' if height > 1 else "") + (f' colspan="{width}"' if width > 1 else "")
                cells.append(f"<td{span}>{html.escape(text)}</td>")
        lines.append(f"<tr>{''.join(cells)}</tr>\n")
    head = '<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body>'
    schools = _html_rows(draft.table.roster.rows()) if draft.table.roster else ""
    return f'{head}<table border="1">\n{"".join(lines)}</table>{schools}</body></html>'.encode()


def _html_rows(rows: list[list[str]]) -> str:
    """A second table of the page."""
    lines = ("".join(f"<td>{html.escape(text)}</td>" for text in row) for row in rows)
    return '<table border="1">\n' + "".join(f"<tr>{line}</tr>\n" for line in lines) + "</table>"


def _zip(content: bytes, name: str) -> bytes:
    """A ZIP of one file whose name is in GBK, without the mark of UTF-8: as the offices' tools write it."""
    encoded = name.encode("gbk")
    stand_in = "x" * len(encoded)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(zipfile.ZipInfo(stand_in, FIXED_DATE), content, zipfile.ZIP_DEFLATED)
    return archive.getvalue().replace(stand_in.encode(), encoded)


def _plain(draft: Draft, carrier: str) -> bytes:
    return _workbook(draft) if carrier == "xlsx" else _separated(draft, ",").encode("gb18030")


FILES: Mapping[str, Callable[[Draft, str], bytes]] = {
    "xls": lambda draft, _: write_xls(_all_typed(draft)),
    "html_table": lambda draft, _: _html(draft),
    "tab_separated": lambda draft, _: _separated(draft, "\t").encode("gb18030"),
    "utf8_bom": lambda draft, _: _separated(draft, ",").encode("utf-8-sig"),
    "zipped": lambda draft, carrier: _zip(_plain(draft, carrier), f"{draft.table.title.replace('/', '-')}.{carrier}"),
}


def encode_draft(draft: Draft, carrier: str, page_size: int, active: ActiveFaults) -> list[bytes]:
    """The bytes as delivered (one part a page) by carrier and faults."""
    parts = _encode(draft, carrier, page_size, active)
    if "not_a_workbook" in active.names:
        return [LOGIN_PAGE]
    if "error_answer" in active.names:
        return [envelope(None, ERROR_CODE, ERROR_MESSAGE)]
    if "truncated" in active.names:
        return [part[: len(part) // 2] for part in parts]
    return parts


def _encode(draft: Draft, carrier: str, page_size: int, active: ActiveFaults) -> list[bytes]:
    if carrier == "json":
        pages = make_pages(draft.table, page_size)
        return _without_last_row(pages) if "page_missing" in active.names else pages
    other = next((name for name in FILES if name in active.names), None)
    return [FILES[other](draft, carrier) if other else _plain(draft, carrier)]


def _without_last_row(pages: Sequence[bytes]) -> list[bytes]:
    """The pages without their last row, and an empty page for whoever asks for the rest."""
    last = json.loads(pages[-1])
    last["data"]["rows"].pop()
    nothing = last | {"data": last["data"] | {"page": len(pages) + 1, "rows": []}}
    return [*pages[:-1], encode_json(last), encode_json(nothing)]


def file_kind(carrier: str, media_type: str, active: ActiveFaults) -> tuple[str, str]:
    """(suffix of the file's name, media type) of what is delivered."""
    other = next((name for name in OTHER_FILES if name in active.names), None)
    return OTHER_FILES[other] if other and carrier != "json" else (carrier, media_type)
