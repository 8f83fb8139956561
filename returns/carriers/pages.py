"""JSON answers of a platform's API: pages in their order, one a line, each in its envelope.

The pages become one sheet with the header rows ``name``, ``area`` and ``unit``, so that layouts read them as any other
grid. Not here: fetching pages.
"""

from __future__ import annotations

import json
from operator import itemgetter
from typing import Any

from returns.carriers.grid import MAX_GRID_CELLS, Grid, Sheet
from returns.errors import BrokenPageError, ErrorAnswerError, IncompletePagesError, TooLargeError

CODE_HEADER = "区划代码"
NAME_HEADER = "地区"

_SAME_ON_ALL_PAGES = ("total", "form", "period", "title", "columns")


def read_pages(content: bytes) -> Grid:
    """The grid of a paginated answer; addresses are ``$[0].data.rows[12].f03``.

    Raises a :class:`returns.errors.CarrierError` where an envelope reports an error, a page is cut off or not of the
    agreed shape, pages contradict each other, or their rows do not make up ``total``.
    """
    lines = [line for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
    pages = [_open_envelope(line, number) for number, line in enumerate(lines)]
    first = pages[0]
    for number, page in enumerate(pages):
        if page.get("page", str(number + 1)) != str(number + 1):
            raise IncompletePagesError(f"page {number + 1} of the answer says it is page {page['page']}")
        for key in _SAME_ON_ALL_PAGES:
            if page.get(key) != first.get(key):
                raise IncompletePagesError(f"page {number + 1} has another {key} than page 1")
    rows = sum(len(page["rows"]) for page in pages)
    if str(rows) != first.get("total"):
        raise IncompletePagesError(f"the answer announces {first.get('total')} rows and holds {rows}")
    facts = {key: first[key] for key in ("form", "period") if isinstance(first.get(key), str)}
    return Grid("json_pages", (_to_sheet(pages),), facts)


def _open_envelope(line: bytes, number: int) -> dict[str, Any]:
    where = f"page {number + 1} of the answer"
    try:
        # Numbers stay the text that was sent: a figure must not pass through a float before it is read.
        answer = json.loads(
            line.decode("utf-8"), object_pairs_hook=_to_object, parse_float=str, parse_int=str, parse_constant=str
        )
    except RecursionError as error:
        raise BrokenPageError(f"{where} is nested deeper than any return") from error
    except ValueError as error:
        raise BrokenPageError(f"{where} is no JSON, or cut off: {error}") from error
    if b"\\ud" in line.lower():
        _check_characters(answer, where)
    if not isinstance(answer, dict) or "code" not in answer:
        raise BrokenPageError(f"{where} has no envelope with a code")
    if answer["code"] != "0":
        raise ErrorAnswerError(f"{where} reports error {answer['code']!s:.40}: {answer.get('msg')!s:.200}")
    data = answer.get("data")
    if not isinstance(data, dict):
        raise BrokenPageError(f"{where} has no data")
    for key in ("rows", "columns"):
        if not isinstance(data.get(key), list) or not all(isinstance(item, dict) for item in data[key]):
            raise BrokenPageError(f"{where} has no list of {key}")
    return data


def _check_characters(answer: Any, where: str) -> None:
    """Half of a surrogate pair can be escaped in JSON and is no character: nothing could store it."""
    try:
        json.dumps(answer, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise BrokenPageError(f"{where} holds half a character: {error.reason}") from None


def _to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):  # json keeps the last of two, and a figure would be lost without a word
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"field {repeated!r} stands twice in one object")
    return record


def _to_sheet(pages: list[dict[str, Any]]) -> Sheet:
    columns = pages[0]["columns"]
    fields = ["region_code", "region_name", *(_text(column.get("field")) for column in columns)]
    if len(set(fields)) != len(fields):
        raise BrokenPageError("two columns of the answer share a field")
    header = [
        [CODE_HEADER, NAME_HEADER, *(_text(column.get("name")) for column in columns)],
        ["", "", *(_text(column.get("area")) for column in columns)],
        ["", "", *(_text(column.get("unit")) for column in columns)],
    ]
    rows: list[list[str]] = [[_text(pages[0].get("title"))], *header]
    labels = ["$[0].data.title", *(["$[0].data.columns"] * 3)]
    expected, pick = set(fields), itemgetter(*fields)
    for number, page in enumerate(pages):
        for index, record in enumerate(page["rows"]):
            if record.keys() != expected:
                odd = sorted(expected ^ record.keys())
                raise BrokenPageError(f"row {index} of page {number + 1} and the columns differ: {', '.join(odd[:5])}")
            rows.append([value if type(value) is str else _text(value) for value in pick(record)])
            labels.append(f"$[{number}].data.rows[{index}]")
        if len(rows) * len(fields) > MAX_GRID_CELLS:
            raise TooLargeError(f"the answer has more than {MAX_GRID_CELLS:,} cells")
    return Sheet("", rows, labels, [("", f".{field}") for field in fields])


def _text(value: Any) -> str:
    """A JSON value as raw text; null is blank, anything nested is shown as it was sent."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
