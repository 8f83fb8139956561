"""CSV and tab-separated returns, in UTF-8 (with or without BOM) or GB18030. Not here: what stands where."""

from __future__ import annotations

import csv
import io

from returns.carriers.grid import MAX_GRID_CELLS, Grid, Sheet
from returns.errors import TooLargeError, UnreadableTextError

_SNIFFED_CHARACTERS = 20_000


def read_text(content: bytes) -> Grid:
    """The one sheet of a delimited text; addresses are ``row 7 col 3``, both from 1, a row is a record.

    Raises a :class:`returns.errors.CarrierError`.
    """
    text = _decode(content)
    # strict: a quote that never closes would swallow the rest of the return as one field
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_sniff_delimiter(text), strict=True)
    rows: list[list[str]] = []
    cells = 0
    try:
        for row in reader:
            cells += len(row)
            if cells > MAX_GRID_CELLS:
                raise TooLargeError(f"the text has more than {MAX_GRID_CELLS:,} cells")
            rows.append(row)
    except csv.Error as error:
        raise UnreadableTextError(f"line {reader.line_num} of the text is no CSV: {error}") from error
    width = max(map(len, rows), default=0)
    labels = [f"row {number}" for number in range(1, len(rows) + 1)]
    return Grid("csv", (Sheet("", rows, labels, [("", f" col {number}") for number in range(1, width + 1)]),))


def _decode(content: bytes) -> str:
    # UTF-8 first: GB18030 decodes almost any bytes, while GB18030 text is hardly ever valid UTF-8.
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableTextError("the text is neither UTF-8 nor GB18030")


def _sniff_delimiter(text: str) -> str:
    """Comma, tab or semicolon, by count; NBS exports have a tab before each comma, so that a comma wins a draw."""
    start = text[:_SNIFFED_CHARACTERS]
    return max((",", "\t", ";"), key=start.count)
