"""Records of a platform's API: pages in their envelopes, or plain lists of records.

The records become one sheet. Where the pages describe their columns it has the header rows ``name``, ``area`` and
``unit``, else one header row of the records' own keys; layouts then read it as any other grid. Not here: decoding JSON,
errors inside an HTTP 200 (:mod:`returns.carriers.answers`), fetching pages.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from returns.carriers.grid import MAX_GRID_CELLS, Grid, Sheet, number_labels
from returns.errors import BrokenPageError, IncompletePagesError, TooLargeError

CODE_HEADER = "区划代码"
NAME_HEADER = "地区"

Record = dict[str, Any]

_SAME_ON_ALL_PAGES = ("total", "form", "period", "title", "columns")
_ROW_KEYS = ("rows", "records", "list")
"""What platforms call the list of records."""
_PAGE_KEYS = ("page", "current", "pageNum")


@dataclass(frozen=True, slots=True)
class _Page:
    """One page: its records, where they stand (``$[0].data.rows``), and what it says beside them."""

    records: list[Record]
    path: str
    said: Record


def read_pages(documents: Sequence[Any]) -> Grid:
    """The grid of records; addresses are ``$[0].data.rows[12].f03``, of a plain list ``$[12].f03``.

    Raises a :class:`returns.errors.CarrierError` where a page is not of the agreed shape, pages contradict each other,
    or their rows do not make up ``total``.
    """
    pages = [_open_page(document, number, len(documents)) for number, document in enumerate(documents)]
    _check_pages(pages)
    first = pages[0].said
    facts = {key: first[key] for key in ("form", "period") if isinstance(first.get(key), str)}
    sheet = _described_sheet(pages) if "columns" in first else _bare_sheet(pages)
    return Grid("json_pages", (sheet,), facts)


def _open_page(document: Any, number: int, pages: int) -> _Page:
    where = f"page {number + 1} of the answer"
    root = f"$[{number}]"
    if isinstance(document, list):
        return _Page(_records(document, "rows", where), "$" if pages == 1 else root, {})
    if not isinstance(document, dict) or not ("code" in document or "data" in document):
        raise BrokenPageError(f"{where} has no envelope with a code")
    data = document.get("data")
    if isinstance(data, list):
        return _Page(_records(data, "rows", where), f"{root}.data", {})
    if not isinstance(data, dict):
        raise BrokenPageError(f"{where} has no data")
    key = next((key for key in _ROW_KEYS if key in data), "rows")
    if "columns" in data:
        _records(data["columns"], "columns", where)
    return _Page(_records(data.get(key), key, where), f"{root}.data.{key}", data)


def _records(found: Any, key: str, where: str) -> list[Record]:
    if not isinstance(found, list) or not set(map(type, found)) <= {dict}:
        raise BrokenPageError(f"{where} has no list of {key}")
    return found


def _check_pages(pages: Sequence[_Page]) -> None:
    """Pages are in order, say the same, and make up their total."""
    first = pages[0].said
    for number, page in enumerate(pages):
        stated = next((page.said[key] for key in _PAGE_KEYS if key in page.said), str(number + 1))
        if stated != str(number + 1):
            raise IncompletePagesError(f"page {number + 1} of the answer says it is page {stated!s:.40}")
        for key in _SAME_ON_ALL_PAGES:
            if page.said.get(key) != first.get(key):
                raise IncompletePagesError(f"page {number + 1} has another {key} than page 1")
    rows = sum(len(page.records) for page in pages)
    # Pages that describe their columns are of the agreed shape, which has a total; others may do without.
    if str(rows) != first.get("total", "" if "columns" in first else str(rows)):
        raise IncompletePagesError(f"the answer announces {first.get('total')!s:.40} rows and holds {rows}")


def _described_sheet(pages: Sequence[_Page]) -> Sheet:
    """The sheet of pages that say what each field means: every record has just these fields."""
    said = pages[0].said
    columns = said["columns"]
    told = [[show(column.get(key)) for column in columns] for key in ("field", "name", "area", "unit")]
    fields = ["region_code", "region_name", *told[0]]
    if len(set(fields)) != len(fields):
        raise BrokenPageError("two columns of the answer share a field")
    header = [[CODE_HEADER, NAME_HEADER, *told[1]], ["", "", *told[2]], ["", "", *told[3]]]
    labels = ["$[0].data.title", *(["$[0].data.columns"] * 3)]
    return _lay_out(pages, fields, [[show(said.get("title"))], *header], labels, is_strict=True)


def _bare_sheet(pages: Sequence[_Page]) -> Sheet:
    """The sheet of records that only their keys describe; a key that a record lacks is a blank."""
    keys = {key: None for page in pages for record in page.records for key in record}
    if not keys:
        raise BrokenPageError("the answer has no record with a field")
    head, labels = [list(keys)], [f"{pages[0].path}[*]"]
    if "title" in pages[0].said:
        head.insert(0, [show(pages[0].said["title"])])
        labels.insert(0, "$[0].data.title")
    return _lay_out(pages, list(keys), head, labels)


def _lay_out(
    pages: Sequence[_Page], fields: list[str], head: list[list[str]], labels: list[str], is_strict: bool = False
) -> Sheet:
    """Head and records as one sheet of texts; ``is_strict``: every record has all the fields and no other."""
    count = len(head) + sum(len(page.records) for page in pages)
    if count * len(fields) > MAX_GRID_CELLS:
        raise TooLargeError(f"the answer has more than {MAX_GRID_CELLS:,} cells")
    rows, labels, order = list(head), list(labels), tuple(fields)
    for number, page in enumerate(pages):
        rows.extend(_rows_of(page, order, is_strict, f"of page {number + 1}"))
        labels.extend(number_labels(f"{page.path}[", "]", len(page.records)))
    return Sheet("", rows, labels, [("", f".{field}") for field in fields])


_TEXT_ONLY = {str}


def _rows_of(page: _Page, order: tuple[str, ...], is_strict: bool, where: str) -> list[list[str]]:
    """The texts of a page's records in the order of the columns."""
    if list(map(tuple, page.records)).count(order) != len(page.records):
        return [_row_of(record, order, is_strict, where) for record in page.records]
    rows = [list(record.values()) for record in page.records]
    is_text = set(map(type, chain.from_iterable(rows))) <= _TEXT_ONLY
    return rows if is_text else [list(map(show, row)) for row in rows]


def _row_of(record: Record, order: tuple[str, ...], is_strict: bool, where: str) -> list[str]:
    """The texts of a record in the order of the columns."""
    if is_strict and record.keys() != set(order):
        odd = sorted(set(order) ^ record.keys())
        raise BrokenPageError(f"a row {where} and the columns differ: {', '.join(odd[:5])}")
    return [show(record.get(field)) for field in order]


def show(value: Any) -> str:
    """A JSON value as raw text; null is blank, anything nested is shown as it was sent."""
    if type(value) is str:
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)
