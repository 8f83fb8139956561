"""A first draft of a layout, from a file that no layout fits: for a person to finish. Not here: reading figures.

What can be told from the file is told: the rows of the header and what each holds, the stub, title, caption, notes. What
cannot be told (forms, validity, what a dash means) stands in the draft as a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

from returns.carriers.grid import Grid, Sheet
from returns.conform.periods import find_period, read_period
from returns.conform.texts import squash
from returns.conform.units import split_unit
from warehouse.catalogue import Catalogue

_FIGURE = re.compile(r"[-−(]?[\d,. \u3000]+(?:[eE][+-]?\d{1,3})?\)?[%epr*]?|[-—–…/]|\.{3}")
_CODE = re.compile(r"\s*\d{6}(?:0{3}|0{6})?(?:\.0)?\s*")
_AREAS = {
    "合计": "total",
    "小计": "total",
    "总计": "total",
    "城市": "urban",
    "城镇": "urban",
    "农村": "rural",
    "乡村": "rural",
}
_MAX_HEADER, _LOOKED_AT, _LONGEST_LABEL = 4, 60, 120


@dataclass(frozen=True, slots=True)
class _Shape:
    """Where things stand: the header's rows, the first and last row of figures, the stub columns by kind."""

    sheet: Sheet
    header: range
    last: int
    stub: dict[str, int]


class NoTableFound(ValueError):
    """The file has no row of figures under a row of texts: there is nothing to draft from."""


def draft_layout(grid: Grid, name: str, catalogue: Catalogue) -> str:
    """YAML text of a layout called ``name`` that fits ``grid``. Raises :class:`NoTableFound`."""
    shape = _find_shape(grid)
    kinds = [_kind_of(shape, number, catalogue) for number in shape.header]
    if not {"name", "period"} & set(kinds):
        kinds[0] = "name"
    if "period" in kinds and "name" not in kinds and kinds[0] != "period":
        kinds[0] = "name"
    above = [text for row in shape.sheet.rows[: shape.header.start] for text in row if text and text.strip()]
    title = next((text for text in above if len(text) <= _LONGEST_LABEL and find_period(text)), None)
    caption = next((text for text in above if re.match(r"(?:计量)?单位[:：]", squash(text))), None)
    header_row = shape.sheet.rows[shape.header.start]
    data: dict[str, object] = {
        "layout": name,
        "version": 1,
        "description": "Draft: say what this table is.",
        "carriers": [grid.carrier],
        "columns": "open",
    }
    if title is not None and "period" not in kinds:
        data["title"] = _title_pattern(squash(title))
    if caption is not None:
        data["caption"] = "(?:计量)?单位[:：](?P<units>.+)"
    others = [text for text in above if text not in (title, caption)]
    if others or (title is not None and "period" in kinds):
        left = others if "period" not in kinds else [text for text in above if text != caption]
        data["context"] = sorted({re.escape(squash(text)) for text in left})
    data["anchor"] = {kind: squash(header_row[place]) for kind, place in shape.stub.items()}
    data["header"] = kinds
    if "indicator" in shape.stub:
        data |= {"indicator": "row", "region": "nation"}
    elif "period" in kinds:
        data |= {"indicator": "file_name", "file_name": "(?P<indicator>.+)"}
    if "period" in kinds:
        data["period"] = "column"
    elif title is None:
        data |= {"period": "file_name", "file_name": r".*?(?P<period>(?:19|20)\d\d).*"}
    if "area" in kinds:
        data["areas"] = _areas(shape, kinds)
    data["footers"] = ["注[:：].*", r"\d+[.．、].*", "(?:数据来源|资料来源|填表人)[:：].*"]
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=120)
    return text + "".join(f"# {line}\n" for line in _open_questions(shape, kinds, catalogue))


def _find_shape(grid: Grid) -> _Shape:
    for sheet in sorted(grid.sheets, key=lambda each: -sum(map(len, each.rows))):
        first = next((number for number, row in enumerate(sheet.rows) if _is_data(row)), None)
        if first is None or first == 0:
            continue
        top = first
        while top > 0 and first - top < _MAX_HEADER and _is_header(sheet.rows[top - 1]):
            top -= 1
        last = max(number for number, row in enumerate(sheet.rows) if _is_data(row))
        if top < first and (stub := _find_stub(sheet, range(top, first), last)):
            return _Shape(sheet, range(top, first), last, stub)
    raise NoTableFound("no row of figures stands under a row of texts")


def _is_figure(text: str) -> bool:
    return len(text) <= _LONGEST_LABEL and _FIGURE.fullmatch(text.strip()) is not None


def _is_data(row: Sequence[str]) -> bool:
    """A row with a text or code at its left and mostly figures after it."""
    texts = [text for text in row if text and text.strip()]
    figures = [text for text in texts[1:] if _is_figure(text) and read_period(text) is None]
    return len(texts) >= 2 and len(figures) * 2 >= len(texts) - 1 and len(figures) > 0


def _is_header(row: Sequence[str]) -> bool:
    texts = [text for text in row if text and text.strip()]
    labels = [text for text in texts if not _is_figure(text) or read_period(text)]
    return len(texts) >= 2 and len(labels) == len(texts)


def _find_stub(sheet: Sheet, header: range, last: int) -> dict[str, int]:
    """The stub columns: codes, names (or names of indicators, where none is a place)."""
    rows = [row for row in sheet.rows[header.stop : min(last + 1, header.stop + _LOOKED_AT)] if any(row)]
    top = sheet.rows[header.start]
    stub: dict[str, int] = {}
    for place in range(min(4, len(top))):
        texts = [row[place] for row in rows if place < len(row) and row[place].strip()]
        if not texts or not squash(top[place]):
            continue
        if sum(map(bool, map(_CODE.fullmatch, texts))) * 2 > len(texts):
            stub.setdefault("code", place)
        elif sum(not _is_figure(text) for text in texts) * 2 > len(texts):
            kind = "indicator" if "指标" in squash(top[place]) else "name"
            stub.setdefault(kind, place)
    return stub


def _kind_of(shape: _Shape, number: int, catalogue: Catalogue) -> str:
    """What a header row holds, by most of its texts."""
    row = shape.sheet.rows[number]
    texts = [squash(text) for place, text in enumerate(row) if text.strip() and place not in shape.stub.values()]
    units = {squash(unit) for unit, _ in catalogue.units}
    for kind, is_it in (
        ("area", lambda text: text in _AREAS),
        ("period", lambda text: read_period(text) is not None),
        ("unit", lambda text: text.strip("()") in units),
        ("note", lambda text: text.isascii()),
    ):
        if texts and sum(map(is_it, texts)) * 2 > len(texts):
            return kind
    return "name"


def _areas(shape: _Shape, kinds: list[str]) -> dict[str, list[str]]:
    row = shape.sheet.rows[shape.header.start + kinds.index("area")]
    labels = dict.fromkeys(squash(text) for text in row if squash(text) in _AREAS)
    found = {area: [label for label in labels if _AREAS[label] == area] for area in ("total", "urban", "rural")}
    defaults = {"total": ["合计"], "urban": ["城市"], "rural": ["农村"]}
    return {area: labels or defaults[area] for area, labels in found.items()}


def _title_pattern(title: str) -> str:
    """The title with its period as a group, and digits before it free."""
    for end in range(len(title), 0, -1):
        for start in range(end):
            if read_period(title[start:end]) and (start == 0 or not title[start - 1].isdigit()):
                before = re.sub(r"\d+", r"\\d+", re.escape(title[:start]))
                return f"{before}(?P<period>{_period_pattern(title[start:end])}){re.escape(title[end:])}"
    return re.escape(title)


def _period_pattern(period: str) -> str:
    free = re.sub(r"[一二三四]", "[一二三四]", period)
    return re.sub(r"\d+", lambda found: rf"\d{{{len(found[0])}}}" if len(found[0]) == 4 else r"\d{1,2}", free)


def _open_questions(shape: _Shape, kinds: list[str], catalogue: Catalogue) -> Iterator[str]:
    """What a person has to decide, as lines of comment."""
    yield "To decide: forms (if it answers one; then columns: closed), valid_from, valid_to, dash (zero | not_applicable)."
    known = {squash(row.name_zh) for row in catalogue.indicators.values()}
    if "name" in kinds:
        row = shape.sheet.rows[shape.header.start + kinds.index("name")]
        names = [split_unit(squash(text))[0] for place, text in enumerate(row) if place not in shape.stub.values()]
        unknown = list(dict.fromkeys(name for name in names if name and name not in known))
        if unknown:
            yield "Not in the catalogue; each wants `aliases: {name: CODE}` or `ignored_headers`, or stays in quarantine:"
        yield from (f"  {name}" for name in unknown)
