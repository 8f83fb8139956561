"""A plain reader of what the sandbox serves, for its tests alone: it knows nothing of the sandbox but what a return says.

Figures by (indicator's name, area's label, region code) as printed texts and units; values in the catalogue's unit.
"""

import csv
import io
import json
import re
import unicodedata
import zipfile
from dataclasses import dataclass
from html.parser import HTMLParser

from python_calamine import load_workbook

from sandbox.reference import Reference

Rows = list[list[str]]
STUB = ["区划代码", "地区"]
NUMBER = re.compile(r"(-?[\d,]+(?:\.\d+)?)(e?)")


@dataclass(frozen=True)
class Figure:
    """One figure: value in the catalogue's unit (None: blank) and status; `is_number` is False for a text that is none."""

    value: float | None
    obs_status: str
    is_number: bool = True


class _Table(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.grid: dict[tuple[int, int], str] = {}
        self.row, self.column, self.is_cell = -1, 0, False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.row, self.column = self.row + 1, 0
        if tag == "td":
            spans = dict(attrs)
            while (self.row, self.column) in self.grid:
                self.column += 1
            self.is_cell = True
            height, width = int(spans.get("rowspan") or 1), int(spans.get("colspan") or 1)
            for row in range(self.row, self.row + height):
                for column in range(self.column, self.column + width):
                    self.grid[row, column] = ""

    def handle_endtag(self, tag: str) -> None:
        self.is_cell = self.is_cell and tag != "td"

    def handle_data(self, data: str) -> None:
        if self.is_cell:
            self.grid[self.row, self.column] = data

    def rows(self) -> Rows:
        width = max(column for _, column in self.grid) + 1
        return [[self.grid.get((row, column), "") for column in range(width)] for row in range(self.row + 1)]


def sheets_of(content: bytes) -> list[Rows]:
    """The sheets of a file as rows of text, by what its bytes are."""
    if (
        content.startswith(b"PK")
        and "xl/workbook.xml" not in (archive := zipfile.ZipFile(io.BytesIO(content))).namelist()
    ):
        return sheets_of(archive.read(archive.namelist()[0]))
    if content.startswith((b"PK", b"\xd0\xcf")):
        book = load_workbook(io.BytesIO(content))
        return [
            [[_text(cell) for cell in row] for row in book.get_sheet_by_name(name).to_python(skip_empty_area=False)]
            for name in book.sheet_names
        ]
    if content.startswith(b"<"):
        table = _Table()
        table.feed(content.decode())
        return [table.rows()]
    text = content.decode("utf-8-sig" if content.startswith(b"\xef\xbb\xbf") else "gb18030")
    return [list(csv.reader(io.StringIO(text), delimiter="\t" if "\t" in text else ","))]


def _text(cell: object) -> str:
    return repr(cell).removesuffix(".0") if isinstance(cell, float) else str(cell)


def read_sheets(sheets: list[Rows], reference: Reference) -> dict[tuple[str, str, str], list[Figure]]:
    """All figures of all sheets under the header that stands last above them."""
    found: dict[tuple[str, str, str], list[Figure]] = {}
    for rows in sheets:
        columns: list[tuple[int, str, str, str]] = []
        for number, row in enumerate(rows):
            if row[:2] == STUB:
                columns = list(_columns(row, rows[number + 1]))
            elif re.fullmatch(r"\d{6}", row[0]):
                for place, name, area, unit in columns:
                    figure = read_figure(row[place], name, unit, reference)
                    found.setdefault((name, area, row[0]), []).append(figure)
    return found


def _columns(names: list[str], areas: list[str]) -> list[tuple[int, str, str, str]]:
    columns, name = [], ""
    for place in range(2, len(names)):
        name = names[place] or name
        if areas[place]:
            label, _, unit = name.rpartition("（")
            columns.append((place, label, areas[place], unit.removesuffix("）")))
    return columns


def read_pages(pages: list[bytes], reference: Reference) -> dict[tuple[str, str, str], list[Figure]]:
    """All figures of the pages of a return."""
    found: dict[tuple[str, str, str], list[Figure]] = {}
    for page in pages:
        data = json.loads(page)["data"]
        for row in data["rows"]:
            for column in data["columns"]:
                figure = read_figure(row[column["field"]], column["name"], column["unit"], reference)
                found.setdefault((column["name"], column["area"], row["region_code"]), []).append(figure)
    return found


def read_figure(text: str, name: str, unit: str, reference: Reference) -> Figure:
    """A printed figure by its column's name and unit."""
    clean = unicodedata.normalize("NFKC", text.replace("①", "")).strip()
    if not clean:
        return Figure(None, "M")
    found = NUMBER.fullmatch(clean)
    units = {series.indicator.unit for series in reference.series if series.indicator.name_zh == name}
    factor = next(
        (reference.unit_factors[unit, each] for each in units if (unit, each) in reference.unit_factors), None
    )
    if found is None or factor is None:
        return Figure(None, "M", is_number=False)
    return Figure(float(f"{float(found[1].replace(',', '')) * factor:.12g}"), "E" if found[2] else "A")
