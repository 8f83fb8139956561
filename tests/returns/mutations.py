"""Returns as a model whose every figure knows what it means, and what offices do to them.

Here: :class:`Table` (title, caption, columns, rows, figures), :func:`mutate`, which changes headers, rows and figures together
with what they mean, and :func:`render`, which lays tables out as a page of cells and then disturbs the page. Not here: bytes
(:func:`as_text`, :func:`as_book` give a page its carrier) and what a reader must do with them (``test_mutations``).

A change that takes a header's sense away takes the meaning of the figures under it: ``None`` means that nobody may load them.
"""

from __future__ import annotations

import copy
import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import openpyxl

Operation = tuple[str, int, int, int]
"""Name of a change and three numbers that choose where and with what, each taken modulo what there is to choose from."""


@dataclass(frozen=True)
class Meaning:
    """What the headers of a figure say it is: ``factor`` × the printed figure is in the catalogue's unit.

    While a page is being changed period ``""`` and factor 0 are those that nothing states yet: a nearer title or line of units
    may. In the end such a figure means nothing.
    """

    indicator: str
    area: str
    region: str
    period: str
    factor: float


@dataclass(frozen=True)
class Cell:
    """A text on a page. ``printed`` is the figure as a number, None where the text is none."""

    text: str = ""
    role: str = "blank"
    """title, caption, header, anchor, stub, note, figure, junk or blank."""
    meaning: Meaning | None = None
    printed: float | None = None
    is_told: bool = True
    """False where the page alone cannot tell what the figure is: a blank of a plain text that may be a merged name."""
    is_number: bool = False
    is_captioned: bool = False
    """Whether the unit comes from the caption."""


@dataclass
class Column:
    """A figure column; ``name`` and ``area`` as printed, ``""`` where emptied."""

    name: str
    indicator: str | None
    area: str = ""
    area_type: str | None = "total"
    unit: str = ""
    period: str | None = None
    period_text: str = ""


@dataclass
class Row:
    code: str
    name: str
    region: str | None


@dataclass
class Figure:
    text: str
    printed: float | None
    is_number: bool = False


@dataclass
class Table:
    """One table; ``title`` and ``caption`` are None where it has none of its own."""

    columns: list[Column]
    rows: list[Row]
    figures: list[list[Figure]]
    period: str
    title: str | None
    caption: str | None = None
    caption_unit: str = ""
    has_header: bool = True
    is_anchored: bool = True


@dataclass(frozen=True)
class Shape:
    """A kind of document: its header rows, stub and texts, as its layout wants them."""

    name: str
    header: tuple[str, ...]
    anchors: tuple[str, ...]
    """区划代码 and 地区, or 地区 alone."""
    titles: tuple[tuple[str, str], ...]
    """(text, period); the first is the document's own."""
    captions: tuple[tuple[str, str], ...]
    """(text, the one unit it states)."""
    notes: tuple[str, ...]
    end: str | None = None
    is_closed: bool = False


FACTORS = {"人": 1.0, "万人": 1e4, "张": 1.0, "万张": 1e4, "个": 1.0, "所": 1.0, "家": 1.0, "元": 1.0, "万元": 1e4, "亿元": 1e8,
           "人次": 1.0, "万人次": 1e4, "%": 1.0, "教师人数=1": 1.0}  # fmt: skip
OTHER_UNITS = {"人": "万人", "万人": "人", "张": "万张", "万张": "张", "亿元": "万元", "万元": "亿元", "元": "万元", "个": "所",
               "所": "家", "人次": "万人次"}  # fmt: skip
JUNK = (
    "内部资料",
    "约12",
    "12.5",
    "1,234.5①",
    "—",
    "3.2万",
    "(7)",
    "１２",
    "2023年",
    "医院数",
    "合计",
    "甲",
    "=A1",
    "5.5人",
)
NOISE = (
    lambda text: text, lambda text: f"{text[0]}　{text[1:]}", lambda text: f"　　{text}", lambda text: f"{text}①",
    lambda text: f" {text} ", lambda text: f"{text}*", lambda text: f"{text[0]} {text[1:]}",
)  # fmt: skip
TOTALS = (("全省", "510000"), ("合计", "510000"), ("全国", None), ("东部地区", None), ("全市", None), ("小计", None))


def full_width(text: str) -> str:
    """Digits as offices type them in Chinese input."""
    return "".join(chr(ord(letter) + 0xFEE0) if letter.isdigit() else letter for letter in text)


def retype(number: float, kind: int) -> Figure:
    """A figure as another hand would type it; some hands type no figure."""
    text = f"{number:.1f}"
    whole = f"{number:,.1f}"
    kinds = (
        Figure(text, number),
        Figure(text, number, is_number=True),
        Figure(whole, number),
        Figure(full_width(text), number),
        Figure(f" {text} ", number),
        Figure(f"{text}①", number),
        Figure(f"{text}[2]", number),
        Figure(f"{text}e", number),
        Figure(f"{text} p", number),
        Figure(f"({text})", -number),
        Figure(f"−{text}", -number),
        Figure(f"{number:.5e}", float(f"{number:.5e}")),
        Figure(f"{text}万", number * 1e4),
        Figure(f"{text}\t", number),
        Figure("", None),
        Figure("　", None),
        Figure("—", None),
        Figure("…", None),
        Figure("/", None),
        Figure(f"约{text}", None),
        Figure("未报", None),
        Figure("=SUM(B1:B2)", None),
        Figure("#DIV/0!", None),
        Figure(f"{text}{text}.", None),
        Figure(f"{text}人", None),
        Figure("2023年", None),
    )
    return kinds[kind % len(kinds)]


def mutate(tables: list[Table], shape: Shape, operations: Sequence[Operation]) -> list[Table]:
    """Changed copies of ``tables``; operations that are of the page are left to :func:`render`."""
    tables = copy.deepcopy(tables)
    for name, first, second, third in operations:
        change = _CHANGES.get(name)
        if change is not None:
            change(tables[first % len(tables)], shape, second, third)
    return tables


def _order(items: list[Any], first: int, second: int) -> list[int]:
    order = list(range(len(items)))
    order.insert(second % len(order), order.pop(first % len(order)))
    return order


def _move_row(table: Table, shape: Shape, first: int, second: int) -> None:
    order = _order(table.rows, first, second)
    table.rows, table.figures = [table.rows[place] for place in order], [table.figures[place] for place in order]


def _move_column(table: Table, shape: Shape, first: int, second: int) -> None:
    order = _order(table.columns, first, second)
    table.columns = [table.columns[place] for place in order]
    table.figures = [[row[place] for place in order] for row in table.figures]


def _drop_row(table: Table, shape: Shape, first: int, second: int) -> None:
    if len(table.rows) > 1:
        del table.rows[first % len(table.rows)], table.figures[first % len(table.figures)]


def _drop_column(table: Table, shape: Shape, first: int, second: int) -> None:
    if len(table.columns) > 1:
        place = first % len(table.columns)
        del table.columns[place]
        for row in table.figures:
            del row[place]


def _repeat_row(table: Table, shape: Shape, first: int, second: int) -> None:
    place = first % len(table.rows)
    figures = copy.deepcopy(table.figures[place])
    if second % 2:
        figures[second % len(figures)] = retype(90000.5 + second, 0)
    table.rows.append(copy.deepcopy(table.rows[place]))
    table.figures.append(figures)


def _repeat_column(table: Table, shape: Shape, first: int, second: int) -> None:
    place = first % len(table.columns)
    table.columns.append(copy.deepcopy(table.columns[place]))
    for number, row in enumerate(table.figures):
        row.append(retype(80000.5 + number, 0) if second % 2 else copy.deepcopy(row[place]))


def _retype(table: Table, shape: Shape, first: int, second: int) -> None:
    row = table.figures[first % len(table.figures)]
    place = (first // 7) % len(row)
    number = row[place].printed
    row[place] = retype(abs(number) if number else 77.5 + first, second)


def _retype_row(table: Table, shape: Shape, first: int, second: int) -> None:
    place = first % len(table.figures)
    table.figures[place] = [retype(abs(each.printed or 66.5), second) for each in table.figures[place]]


def _empty_name(table: Table, shape: Shape, first: int, second: int) -> None:
    if "name" not in shape.header:
        return
    column = table.columns[first % len(table.columns)]
    column.name, column.indicator, column.unit = (" " if second % 2 else ""), None, ""


def _junk_name(table: Table, shape: Shape, first: int, second: int) -> None:
    if "name" not in shape.header:
        return
    column = table.columns[first % len(table.columns)]
    column.name, column.indicator = ("诊所数", "其中", "①", "备注")[second % 4], None


def _empty_area(table: Table, shape: Shape, first: int, second: int) -> None:
    column = table.columns[first % len(table.columns)]
    if column.area:
        kinds = {each.area_type for each in table.columns if each.name == column.name}
        column.area = ("", " ", "郊区")[second % 3]
        # Without a label the column is of the only area that its name has, where it has one only.
        column.area_type = column.area_type if len(kinds) == 1 and not column.area.strip() else None


def _swap_areas(table: Table, shape: Shape, first: int, second: int) -> None:
    one, other = (table.columns[place % len(table.columns)] for place in (first, second))
    if one.name == other.name and one.area and other.area:
        one.area, other.area = other.area, one.area
        one.area_type, other.area_type = other.area_type, one.area_type


def _change_unit(table: Table, shape: Shape, first: int, second: int) -> None:
    column = table.columns[first % len(table.columns)]
    unit = OTHER_UNITS.get(column.unit)
    if unit is None or "name" not in shape.header:
        return
    for each in table.columns:
        if each.name == column.name and each.unit == column.unit:
            each.unit = unit
    # One name stands over all its areas, so its unit does too.


def _junk_period(table: Table, shape: Shape, first: int, second: int) -> None:
    column = table.columns[first % len(table.columns)]
    if column.period is not None and "period" in shape.header:
        column.period_text, column.period = (("", ""), ("上年末", ""), ("2019年", "2019"), ("２０１８", "2018"))[
            second % 4
        ]


def _disturb_name(table: Table, shape: Shape, first: int, second: int) -> None:
    column = table.columns[first % len(table.columns)]
    if len(column.name) > 2:
        name, noisy = column.name, NOISE[second % len(NOISE)](column.name)
        for each in table.columns:
            if each.name == name:
                each.name = noisy


def _disturb_row(table: Table, shape: Shape, first: int, second: int) -> None:
    row = table.rows[first % len(table.rows)]
    if len(row.name) > 1:
        row.name = NOISE[second % len(NOISE)](row.name)


def _swap_rows(table: Table, shape: Shape, first: int, second: int) -> None:
    """Two regions change places with code and name; their figures stay."""
    one, other = first % len(table.rows), second % len(table.rows)
    table.rows[one], table.rows[other] = table.rows[other], table.rows[one]


def _swap_names(table: Table, shape: Shape, first: int, second: int) -> None:
    one, other = (table.rows[place % len(table.rows)] for place in (first, second))
    if one.region == other.region or None in (one.region, other.region) or bool(one.code) != bool(other.code):
        return
    one.name, other.name = other.name, one.name
    if one.code or other.code:  # code and name contradict each other
        one.region = other.region = None
    else:
        one.region, other.region = other.region, one.region


def _empty_row_name(table: Table, shape: Shape, first: int, second: int) -> None:
    row = table.rows[first % len(table.rows)]
    row.name, row.region = ("", "　", "无此县", "1、锦江区", "注：合并", "锦江")[second % 6], None
    if second % 6 != 5:
        row.code = row.code if second % 2 else ""
    elif row.code in ("", "510104"):  # the short name of 锦江区
        row.region = "510104"


def _empty_code(table: Table, shape: Shape, first: int, second: int) -> None:
    row = table.rows[first % len(table.rows)]
    if row.code and row.region is not None:
        row.code = ("", f"{row.code}.0", f"{row.code}000000", "999999", "51010")[second % 5]
        if second % 5 > 2:
            row.region = None


def _add_total(table: Table, shape: Shape, first: int, second: int) -> None:
    name, region = TOTALS[second % len(TOTALS)]
    place = first % (len(table.rows) + 1)
    table.rows.insert(place, Row("", name, region))
    table.figures.insert(place, [retype(70000.5 + 10 * first + place, 0) for place in range(len(table.columns))])


def _change_title(table: Table, shape: Shape, first: int, second: int) -> None:
    if table.title is not None:
        table.title, table.period = shape.titles[first % len(shape.titles)]


def _drop_title(table: Table, shape: Shape, first: int, second: int) -> None:
    table.title = None


def _change_caption(table: Table, shape: Shape, first: int, second: int) -> None:
    if shape.captions:
        table.caption, table.caption_unit = shape.captions[first % len(shape.captions)]


def _drop_caption(table: Table, shape: Shape, first: int, second: int) -> None:
    table.caption, table.caption_unit = None, ""


def _break_anchor(table: Table, shape: Shape, first: int, second: int) -> None:
    table.is_anchored = False


def _drop_header(table: Table, shape: Shape, first: int, second: int) -> None:
    table.has_header = False


_CHANGES = {
    "move row": _move_row, "move column": _move_column, "drop row": _drop_row, "drop column": _drop_column,
    "repeat row": _repeat_row, "repeat column": _repeat_column, "retype": _retype, "retype row": _retype_row,
    "empty name": _empty_name, "junk name": _junk_name, "empty area": _empty_area, "swap areas": _swap_areas,
    "change unit": _change_unit, "junk period": _junk_period, "disturb name": _disturb_name, "disturb row": _disturb_row, "swap rows": _swap_rows,
    "swap names": _swap_names, "empty row name": _empty_row_name, "empty code": _empty_code, "add total": _add_total,
    "change title": _change_title, "drop title": _drop_title, "change caption": _change_caption,
    "drop caption": _drop_caption, "break anchor": _break_anchor, "drop header": _drop_header,
}  # fmt: skip


@dataclass(frozen=True)
class Span:
    """Where a table begins that stands beside others, and whether a title and a line of units of its own stand over it."""

    left: int
    is_titled: bool
    is_captioned: bool


@dataclass
class Page:
    """Cells with the ranges of merged names, (top, left, bottom, right) from 0; ``other`` is a second sheet."""

    cells: list[list[Cell]]
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    other: list[list[Cell]] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    """Of tables that stand side by side; none where they stand one below the other."""

    @property
    def width(self) -> int:
        return max(map(len, self.cells), default=0)

    def span(self, place: int) -> int:
        """The number of the table over a column."""
        return max((number for number, span in enumerate(self.spans) if span.left <= place), default=0)


def render(tables: list[Table], shape: Shape, operations: Sequence[Operation], is_merged: bool, is_wide: bool) -> Page:
    """The tables side by side (``is_wide``) or one below the other as 续表, then what befalls the page itself."""
    drawn = [_draw(table, shape, caption, period, is_merged, is_first=number == 0, is_wide=is_wide)
             for number, (table, caption, period) in enumerate(_states(tables, shape, is_wide))]  # fmt: skip
    page = _beside(drawn) if is_wide else _below(drawn, shape)
    if is_wide:
        page.spans = [
            Span(left, table.title is not None, table.caption is not None)
            for left, table in zip(_lefts(drawn), tables, strict=True)
        ]
    for text in shape.notes:
        page.cells.append([Cell(text, "note")])
    if shape.end is not None:
        page.cells.append([Cell(shape.end, "note")])
    for name, first, second, third in operations:
        disturb = _DISTURBANCES.get(name)
        if disturb is not None:
            disturb(page, shape, first, second, third)
    page.cells = [[_settle(cell) for cell in row] for row in page.cells]
    return page


def _settle(cell: Cell) -> Cell:
    """The cell without a meaning of which nothing states the period or the unit."""
    meaning = cell.meaning
    return replace(cell, meaning=None) if meaning is not None and not (meaning.period and meaning.factor) else cell


def _lefts(drawn: Sequence[Page]) -> list[int]:
    """The first column of each of several pages side by side."""
    return [sum(page.width for page in drawn[:number]) for number in range(len(drawn))]


def _states(tables: list[Table], shape: Shape, is_wide: bool) -> list[tuple[Table, str, str | None]]:
    """Each table with the unit of the caption and the period that hold for it: its own, else those of the table before.

    Side by side, a title or caption that stands over one of them only holds for all, but a caption not for a table that has
    a title of its own beside others'.
    """
    unit, period, found = "", None, []
    if is_wide:
        period = next((table.period for table in tables if table.title is not None), None)
        unit = next((table.caption_unit for table in tables if table.caption is not None), "")
    is_titled = sum(table.title is not None for table in tables) > 1
    for table in tables:
        if table.title is not None:
            period = table.period
            unit = unit if is_wide else ""
        if table.caption is not None:
            unit = table.caption_unit
        is_bare = is_wide and is_titled and table.title is not None and table.caption is None
        found.append((table, "" if is_bare else unit, period))
    return found


def _draw(
    table: Table, shape: Shape, caption_unit: str, period: str | None, is_merged: bool, is_first: bool, is_wide: bool
) -> Page:
    stub, page = len(shape.anchors), Page([])
    width = stub + len(table.columns)
    if table.title is not None or is_wide:
        page.cells.append([Cell(table.title, "title") if table.title is not None else Cell()])
    if table.caption is not None or is_wide:
        caption = Cell(table.caption, "caption") if table.caption is not None else Cell()
        page.cells.append([*[Cell()] * (width - 1), caption])
    top = len(page.cells)
    if table.has_header:
        page.cells += _draw_header(table, shape)
        if is_merged:
            page.merges = _merge(table, top, stub)
    is_carried = not is_merged or not page.merges
    for row, figures in zip(table.rows, table.figures, strict=True):
        stubs = [Cell(text, "stub") for text in ((row.code, row.name) if stub == 2 else (row.name,))]
        page.cells.append([*stubs, *(
            _draw_figure(table, column, row, figure, caption_unit, period, is_carried)
            for column, figure in zip(table.columns, figures, strict=True)
        )])  # fmt: skip
    return page


def _draw_header(table: Table, shape: Shape) -> list[list[Cell]]:
    rows = []
    for number, kind in enumerate(shape.header):
        anchors = [Cell(text if number == 0 else "", "anchor" if number == 0 else "blank") for text in shape.anchors]
        if not table.is_anchored and number == 0:
            anchors[-1] = Cell("单位名称", "header")
        row = list(anchors)
        before: Column | None = None
        for column in table.columns:
            if kind == "name":
                is_same = before is not None and before.name == column.name and before.unit == column.unit
                is_same = is_same and len(shape.header) > 1 and bool(column.name.strip())
                unit = f"（{column.unit}）" if column.unit else ""
                text = "" if is_same else column.name + unit if column.name.strip() else column.name
            else:
                text = column.area if kind == "area" else column.period_text if kind == "period" else "English"
            row.append(Cell(text, "header"))
            before = column
        rows.append(row)
    return rows


def _merge(table: Table, top: int, stub: int) -> list[tuple[int, int, int, int]]:
    merges, start = [], 0
    names = [(column.name, column.unit) for column in table.columns]
    for place in range(1, len(names) + 1):
        if place == len(names) or names[place] != names[start] or not names[start][0].strip():
            if place - start > 1:
                merges.append((top, stub + start, top, stub + place - 1))
            start = place
    return merges


def _draw_figure(
    table: Table, column: Column, row: Row, figure: Figure, caption_unit: str, period: str | None, is_carried: bool
) -> Cell:
    factor = FACTORS.get(column.unit or caption_unit)
    when = column.period if column.period is not None else period
    is_told = table.has_header and when is not None and not (is_carried and not column.name.strip("① "))
    if column.area_type is None and not any(c.area.strip() for c in table.columns if c.name == column.name):
        is_told = False  # a table without any area label is of totals, for all that it says
    meaning = None
    if None not in (column.indicator, column.area_type, row.region):
        meaning = Meaning(column.indicator or "", column.area_type or "", row.region or "", when or "", factor or 0.0)
    role = "figure" if figure.text.strip() else "blank"
    return Cell(figure.text, role, meaning, figure.printed, is_told, figure.is_number, not column.unit)


def _beside(pages: list[Page]) -> Page:
    height, cells, merges = (
        max(len(page.cells) for page in pages),
        [[] for _ in range(max(len(p.cells) for p in pages))],
        [],
    )
    for page in pages:
        left, width = max(map(len, cells), default=0), page.width
        for number in range(height):
            row = page.cells[number] if number < len(page.cells) else []
            cells[number] += [Cell()] * (left - len(cells[number])) + row + [Cell()] * (width - len(row))
        merges += [(top, left + start, bottom, left + end) for top, start, bottom, end in page.merges]
    return Page(cells, merges)


def _below(pages: list[Page], shape: Shape) -> Page:
    page = Page([])
    for number, each in enumerate(pages):
        if number:
            page.cells.append([Cell(f"续表{number}", "note")])
        top = len(page.cells)
        page.cells += each.cells
        page.merges += [(first + top, left, last + top, right) for first, left, last, right in each.merges]
    return page


def _insert_row(page: Page, at: int, row: list[Cell]) -> None:
    page.cells.insert(at, row)
    page.merges = [(t + (t >= at), left, b + (b >= at), right) for t, left, b, right in page.merges]


def _insert_column(page: Page, at: int, column: list[Cell]) -> None:
    """A column in between parts names from areas: whether a blank beside them is the total, the page cannot tell."""
    page.cells = [[cell if cell.meaning else replace(cell, is_told=False) for cell in row] for row in page.cells]
    for row, cell in zip(page.cells, column, strict=True):
        if at <= len(row):
            row.insert(at, cell)
        elif cell.text:
            row += [Cell()] * (at - len(row)) + [cell]
    page.merges = [(t, left + (left >= at), b, right + (right >= at)) for t, left, b, right in page.merges]
    page.spans = [replace(span, left=span.left + (0 < at <= span.left)) for span in page.spans]


def _blank_row(page: Page, shape: Shape, first: int, second: int, third: int) -> None:
    _insert_row(page, first % (len(page.cells) + 1), [])


def _junk_row(page: Page, shape: Shape, first: int, second: int, third: int) -> None:
    width = page.width
    row = [Cell()] * width
    for number in range(1 + third % 3):
        row[(second + number * (1 + third // 3)) % width] = Cell(JUNK[(second // 5 + number) % len(JUNK)], "junk")
    _insert_row(page, first % (len(page.cells) + 1), row)


def _note_row(page: Page, shape: Shape, first: int, second: int, third: int) -> None:
    texts = list(shape.notes) or ["注：略。"]
    row = [Cell()] * (second % 3) + [Cell(texts[third % len(texts)], "note")]
    _insert_row(page, first % (len(page.cells) + 1), row)


def _junk_cell(page: Page, shape: Shape, first: int, second: int, third: int) -> None:
    """A text in a place where none was."""
    row = page.cells[first % len(page.cells)]
    place = second % (page.width + 2)
    row += [Cell()] * (place + 1 - len(row))
    if not row[place].text.strip() and row[place].role != "header":
        row[place] = Cell(JUNK[third % len(JUNK)], "junk")


def _junk_column(page: Page, shape: Shape, first: int, second: int, third: int) -> None:
    column = [Cell()] * len(page.cells)
    for number in range(1 + third % 3):
        column[(second + number) % len(column)] = Cell(JUNK[(third + number) % len(JUNK)], "junk")
    _insert_column(page, first % (page.width + 1), column)


def _blank_column(page: Page, shape: Shape, first: int, second: int, third: int) -> None:
    _insert_column(page, first % (page.width + 1), [Cell()] * len(page.cells))


def _drop_line(page: Page, shape: Shape, first: int, second: int, third: int) -> None:
    """A row of notes, captions or titles is lost; figures never go unnoticed, so their rows are dropped by tables only."""
    at = first % len(page.cells)
    if all(cell.role in ("note", "blank") for cell in page.cells[at]) and len(page.cells) > 1:
        del page.cells[at]
        page.merges = [(t - (t > at), left, b - (b > at), right) for t, left, b, right in page.merges]


def _other_sheet(page: Page, shape: Shape, first: int, second: int, third: int) -> None:
    page.other = [[Cell(JUNK[first % len(JUNK)], "junk"), Cell(JUNK[second % len(JUNK)], "junk")], [Cell("　")]]


def _repeat_header(page: Page, shape: Shape, first: int, second: int, third: int) -> None:
    """The header stands again at the head of a page, within the rows of a table that stands alone."""
    tops = [number for number, row in enumerate(page.cells) if any(cell.role == "anchor" for cell in row)]
    if len(tops) != 1:
        return
    height = len(shape.header)
    rows = [
        number
        for number in range(tops[0] + height, len(page.cells))
        if any(c.role == "figure" for c in page.cells[number])
    ]
    if not rows:
        return
    at = rows[first % len(rows)]
    header = [list(row) for row in page.cells[tops[0] : tops[0] + height]]
    merges = [(t + at - tops[0], left, b + at - tops[0], right) for t, left, b, right in page.merges if t >= tops[0]]
    for number, row in enumerate(header):
        _insert_row(page, at + number, row)
    page.merges += merges


def _header_rows(page: Page, shape: Shape) -> set[int]:
    """Numbers of the rows that hold headers by their place below an anchor."""
    tops = [number for number, row in enumerate(page.cells) if any(cell.role == "anchor" for cell in row)]
    return {top + number for top in tops for number in range(len(shape.header))}


def _stray_title(page: Page, shape: Shape, first: int, second: int, third: int) -> None:
    """Another title stands somewhere: what is below it is of its period."""
    if not shape.titles:
        return
    at = first % (len(page.cells) + 1)
    if {at - 1, at} <= _header_rows(page, shape):
        return
    text, period = shape.titles[second % len(shape.titles)]
    if any(cell.text.startswith("表3-3") for row in page.cells for cell in row):
        return  # beside a title that no layout knows, which of the two counts is left open
    is_below = any("anchor" in _roles(page, number) for number in range(at))
    is_second = text.startswith("表3-3") and (_has_title(page, at) or not is_below)
    _insert_row(page, at, [Cell(text, "title")])
    if "period" not in shape.header and not is_second and not shape.is_closed:
        _restate(page, at, "title", lambda meaning, _: replace(meaning, period=period))
    _confuse(page, at, "title")


def _has_title(page: Page, at: int) -> bool:
    """Whether what stands at a row is above a header that has a title already: a second one that no layout knows is a stray."""
    below = next((number for number in range(at, len(page.cells)) if _roles(page, number) & {"anchor", "figure"}), -1)
    if below < 0 or "anchor" not in _roles(page, below):
        return False
    above = next((number for number in range(at - 1, -1, -1) if "figure" in _roles(page, number)), 0)
    return any("title" in _roles(page, number) for number in range(above, below))


def _roles(page: Page, number: int) -> set[str]:
    return {cell.role for cell in page.cells[number]}


def _stray_caption(page: Page, shape: Shape, first: int, second: int, third: int) -> None:
    """Another line of units stands somewhere: what is below it and names no unit is in its unit."""
    if not shape.captions:
        return
    at = first % (len(page.cells) + 1)
    if {at - 1, at} <= _header_rows(page, shape):
        return
    text, unit = shape.captions[second % len(shape.captions)]
    _insert_row(page, at, [Cell(), Cell(text, "caption")])
    factor = FACTORS.get(unit, 0.0)
    _restate(
        page,
        at,
        "caption",
        lambda meaning, cell: replace(meaning, factor=factor) if cell.is_captioned else meaning,
    )
    _confuse(page, at, "caption")


def _restate(page: Page, at: int, role: str, state: Callable[[Meaning, Cell], Meaning]) -> None:
    """What a text in row ``at`` says of the figures below it, as far as the next such text, or a title below figures: units may
    stand above the title of their table. Of tables side by side it stands over the first."""
    right = page.spans[1].left if len(page.spans) > 1 else page.width
    is_of_figures = False
    for number in range(at + 1, len(page.cells)):
        row = page.cells[number]
        roles = {cell.role for cell in row[:right]}
        is_of_figures |= "figure" in roles
        if role in roles or ("title" in roles and is_of_figures):
            return
        page.cells[number] = [
            replace(cell, meaning=state(cell.meaning, cell)) if cell.meaning is not None and place < right else cell
            for place, cell in enumerate(row)
        ]


def _confuse(page: Page, at: int, role: str) -> None:
    """A second title, or line of units, over the first of tables side by side may be of those too that have none of their own:
    the page cannot tell."""
    shared = {
        number
        for number, span in enumerate(page.spans)
        if number and not (span.is_titled if role == "title" else span.is_captioned)
    }
    for number in range(at + 1, len(page.cells)):
        page.cells[number] = [
            replace(cell, is_told=False) if page.span(place) in shared else cell
            for place, cell in enumerate(page.cells[number])
        ]


_DISTURBANCES = {
    "blank row": _blank_row, "junk row": _junk_row, "note row": _note_row, "junk cell": _junk_cell,
    "junk column": _junk_column, "blank column": _blank_column, "drop line": _drop_line, "other sheet": _other_sheet,
    "repeat header": _repeat_header, "stray title": _stray_title, "stray caption": _stray_caption,
}  # fmt: skip
OPERATIONS = (*_CHANGES, *_DISTURBANCES)


def as_text(page: Page, encoding: str, delimiter: str) -> bytes:
    """The page as delimited text; a second sheet has no place in one."""
    buffer = io.StringIO(newline="")
    width = page.width
    rows = [[cell.text for cell in row] + [""] * (width - len(row)) for row in page.cells]
    csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return buffer.getvalue().encode(encoding)


def as_book(page: Page, sheet_name: str = "表1") -> bytes:
    """The page as a workbook, merged ranges and all."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = sheet_name
    _write(sheet, page.cells)
    for top, left, bottom, right in page.merges:
        # Only what stands at its top left survives a merge; a mutation may have put a text into it.
        if not any(cell.text for row in page.cells[top : bottom + 1] for cell in row[left + 1 : right + 1]):
            sheet.merge_cells(start_row=top + 1, start_column=left + 1, end_row=bottom + 1, end_column=right + 1)
    if page.other:
        _write(workbook.create_sheet("说明"), page.other)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def _write(sheet: Any, cells: list[list[Cell]]) -> None:
    for number, row in enumerate(cells, start=1):
        for place, cell in enumerate(row, start=1):
            if cell.text:
                written = sheet.cell(number, place, cell.printed if cell.is_number else None)
                if not cell.is_number:
                    written.value = cell.text
                    written.data_type = "f" if cell.text.startswith("=") else "s"
