"""Numbers that a workbook shows as percentages: the file holds 0.853, the office sees 85.3%.

Here: which styles of an ``.xlsx`` are percentages, and the texts of the cells that have them, so that such a cell is read as it
is seen. Not here: any other format of numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from functools import lru_cache

STYLES_PART = "xl/styles.xml"
_KEPT_BYTES = 64 * 1024
_BUILT_IN = frozenset({b"9", b"10"})  # 0% and 0.00%
_FORMAT = re.compile(rb"<(?:\w+:)?numFmt\s([^<>]{0,2000})>")
_CELL_FORMATS = re.compile(rb"<(?:\w+:)?cellXfs\b(.*?)</(?:\w+:)?cellXfs>", re.DOTALL)
_ENTRY = re.compile(rb"<(?:\w+:)?xf\s([^<>]*)>")
_ID = re.compile(rb"\bnumFmtId\s*=\s*[\"'](\d{1,9})[\"']")
_CODE = re.compile(rb"\bformatCode\s*=\s*[\"']([^\"']*)[\"']")
_QUOTED = re.compile(rb"&quot;.*?&quot;|\\.")
_CELL = re.compile(
    rb"<(?:\w+:)?c(\s[^<>]*?\bs\s*=\s*[\"'](\d{1,6})[\"'][^<>]*)>(?:\s*<(?:\w+:)?f(?:\s[^<>]*)?(?:/>|>[^<]*</(?:\w+:)?f>))?"
    rb"\s*<(?:\w+:)?v(?:\s[^<>]*)?>([^<]{1,40})</"
)
_OTHER_TYPE = re.compile(rb"\st\s*=\s*[\"'](?!n[\"'])")


def percent_styles(styles: bytes) -> frozenset[bytes]:
    """The numbers of the cell styles whose format is a percentage; a % within quotes is only a letter."""
    # One program of an office writes the same styles into each of its workbooks.
    return _known_styles(styles) if len(styles) <= _KEPT_BYTES else _percent_styles(styles)


def _percent_styles(styles: bytes) -> frozenset[bytes]:
    formats = set(_BUILT_IN)
    for attributes in _FORMAT.findall(styles):
        number, code = _ID.search(attributes), _CODE.search(attributes)
        if number and code and b"%" in _QUOTED.sub(b"", code[1]):
            formats.add(number[1])
    entries = _CELL_FORMATS.search(styles)
    if entries is None:
        return frozenset()
    numbers = (_ID.search(attributes) for attributes in _ENTRY.findall(entries[1]))
    return frozenset(str(place).encode() for place, found in enumerate(numbers) if found and found[1] in formats)


_known_styles = lru_cache(maxsize=64)(_percent_styles)


def percent_cells(xml: bytes, styles: frozenset[bytes]) -> Iterator[tuple[bytes, str]]:
    """(attributes of the cell, its text as it is seen: ``85.3%``) of every number in such a style."""
    for attributes, style, value in _CELL.findall(xml):
        if style not in styles or _OTHER_TYPE.search(attributes):
            continue
        try:
            # repr of the double, as every number is read, so that 0.07 is 7% and not 7.000000000000001%.
            seen = Decimal(repr(float(value))) * 100
        except (ValueError, InvalidOperation):
            continue
        if seen.is_finite():
            yield attributes, f"{seen.normalize():f}%"
