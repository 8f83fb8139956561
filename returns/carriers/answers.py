"""JSON answers: whole documents, one after another, and which of the known shapes they have.

Here: decoding within bounds, repeated fields, half characters, errors inside an HTTP 200. Not here: the shapes
(:mod:`returns.carriers.pages` for records, :mod:`returns.carriers.statistics` for the statistics office).
"""

from __future__ import annotations

import codecs
import json
from collections import Counter
from itertools import chain
from typing import Any

import orjson

from returns.carriers.encoding import decode_text
from returns.carriers.grid import Grid
from returns.carriers.pages import read_pages
from returns.carriers.statistics import is_cube, is_series, read_cube, read_series
from returns.errors import BrokenPageError, ErrorAnswerError, TooLargeError

# An empty object of 2 bytes costs 64 in memory, one with a field 230: half a million are 115 MB. A cube has six a figure.
MAX_CONTAINERS = 500_000

_MANY_FIELDS = 8  # an object, on average: records have dozens, a cube three
_SPACES = (b" ", b"\t", b"\r", b"\n")  # what may stand between a name and its colon

_SUCCESS = (("returncode", "200"), ("state", "20000"), ("code", "0"))
"""Field that tells how it went, and its value if all is well; the first that is there decides."""
_MESSAGES = ("msg", "message", "returndata", "error", "error_description")


def read_answer(content: bytes, encoding: str | None = None) -> Grid:
    """The grid of one or more JSON documents, as a client archives the pages of an answer (one a line).

    Raises a :class:`returns.errors.CarrierError`.
    """
    documents = _parse(content, encoding)
    for number, document in enumerate(documents):
        _check_success(document, number)
    if is_cube(documents[0]):
        return read_cube(documents)
    if is_series(documents[0]):
        return read_series(documents)
    return read_pages(documents)


def _parse(content: bytes, encoding: str | None) -> list[Any]:
    """Every document, each field once."""
    containers = content.count(b"{") + content.count(b"[")
    if containers > MAX_CONTAINERS:
        raise TooLargeError(f"the answer has {containers:,} objects and lists, at most {MAX_CONTAINERS:,} are read")
    try:
        # JSON is UTF-8; only a mark or the register makes it anything else.
        if encoding or content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            content = decode_text(content, encoding).encode()
        if documents := _decode_lines(content):
            return documents
        text = content.decode().lstrip("\ufeff")
    except ValueError as error:
        raise BrokenPageError(f"page 1 of the answer is no JSON, or cut off: {error}") from error
    documents = _decode_records(content, text) or _decode(text, _CAREFUL)
    if b"\\" in content and (b"\\ud" in content or b"\\uD" in content):
        _check_characters(documents)
    return documents


def _decode_lines(content: bytes) -> list[Any]:
    """The documents, one a line, if all their numbers are whole and no field stands twice; else none, and json decides, which
    takes three times as long.

    orjson passes a number through a float, which is a loss unless it is whole, and keeps the last of two fields of a name.
    """
    if _is_loose(content):
        return []
    try:
        converted = [_convert(orjson.loads(line)) for line in content.split(b"\n") if line and not line.isspace()]
    except (ValueError, RecursionError):
        return []
    is_whole = content.count(b'":') == sum(fields for _, fields in converted)
    return [document for document, _ in converted] if is_whole else []


def _convert(value: Any) -> tuple[Any, int]:
    """A decoded value with its whole numbers as text, and how many fields its objects have. Raises :class:`ValueError` for any
    other number."""
    kind = type(value)
    if kind is dict:
        converted = {key: (each, 0) if type(each) is str else _convert(each) for key, each in value.items()}
        fields = len(value) + sum(fields for _, fields in converted.values())
        return {key: each for key, (each, _) in converted.items()}, fields
    if kind is list:
        if set(map(type, value)) == {dict} and set(map(type, chain.from_iterable(map(dict.values, value)))) == {str}:
            return value, sum(map(len, value))
        items = list(map(_convert, value))
        return [each for each, _ in items], sum(fields for _, fields in items)
    if kind is float:
        raise ValueError("a number that is not whole")
    return (str(value) if kind is int else value), 0


def _is_loose(content: bytes) -> bool:
    """Whether a blank stands after any quote, where it may part a name from its colon: then names cannot be counted."""
    return any(space in content and b'"' + space in content for space in _SPACES)


def _decode_records(content: bytes, text: str) -> list[Any]:
    """The documents, if they are records and can be read without looking out for repeated fields; else none.

    json keeps the last of two fields of a name, and a figure would be lost without a word. A hook sees both and takes as
    long as the parser; for records it is enough that the text has as many names as the objects have fields.
    """
    names = content.count(b'":')
    if names < _MANY_FIELDS * content.count(b"{") or _is_loose(content):
        return []
    documents = _decode(text, _PLAIN)
    return documents if names == sum(map(_count_fields, documents)) else []


def _count_fields(value: Any) -> int:
    """Fields of objects down to records, not of what is nested in a record."""
    if type(value) is list:
        return sum(len(item) for item in value if type(item) is dict)
    return len(value) + sum(map(_count_fields, (each for each in value.values() if type(each) in (dict, list))))


def _decode(text: str, decoder: json.JSONDecoder) -> list[Any]:
    documents: list[Any] = []
    end = len(text.rstrip())
    position = len(text) - len(text.lstrip())
    try:
        while position < end:
            document, position = decoder.raw_decode(text, position)
            documents.append(document)
            while position < end and text[position].isspace():
                position += 1
    except RecursionError as error:
        raise BrokenPageError(f"page {len(documents) + 1} of the answer is nested deeper than any return") from error
    except ValueError as error:
        raise BrokenPageError(f"page {len(documents) + 1} of the answer is no JSON, or cut off: {error}") from error
    return documents


def _to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):  # json keeps the last of two, and a figure would be lost without a word
        counts = Counter(name for name, _ in pairs)
        repeated = next(name for name, count in counts.items() if count > 1)
        raise ValueError(f"field {repeated!r:.100} stands twice in one object")
    return record


# Numbers stay the texts that were sent: a figure must not pass through a float before it is read.
_PLAIN = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
_CAREFUL = json.JSONDecoder(object_pairs_hook=_to_object, parse_float=str, parse_int=str, parse_constant=str)


def _check_characters(documents: list[Any]) -> None:
    """Half of a surrogate pair can be escaped in JSON and is no character: nothing could store it."""
    for number, document in enumerate(documents):
        try:
            json.dumps(document, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise BrokenPageError(f"page {number + 1} of the answer holds half a character: {error.reason}") from None


def _check_success(document: Any, number: int) -> None:
    """Errors come with HTTP 200 too, inside the envelope."""
    if not isinstance(document, dict):
        return
    message = next((str(document[key]) for key in _MESSAGES if document.get(key)), "")
    for key, good in _SUCCESS:
        if key in document:
            if document[key] != good:
                said = f"{document[key]!s:.40}: {message:.200}"
                raise ErrorAnswerError(f"page {number + 1} of the answer reports error {said}")
            return
    if document.get("success") is False or ("error" in document and "data" not in document):
        raise ErrorAnswerError(f"page {number + 1} of the answer reports an error: {message:.200}")
