"""CSV, tab- and semicolon-separated returns, in UTF-8, UTF-16 with a mark, or GB18030. Not here: what stands where.

Splitting, or the csv module where there are quotes, keeps raw texts exactly as they were sent, and reads a return in half the
time that pyarrow's reader takes (:mod:`bench.read`).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence

from returns.carriers.allowance import Allowance
from returns.carriers.encoding import decode_text
from returns.carriers.grid import Grid, numbered_sheet
from returns.errors import TooLargeError, UnreadableTextError

_SNIFFED_CHARACTERS = 20_000
_MAX_COLUMNS = 20_000  # a spreadsheet has 16,384
_MAX_RECORD_LINES = 20  # a header cell has some lines, a note a dozen
_MAX_BROKEN_LINES = 100
_MAX_LINE_CHARACTERS = 1_000_000
_FIGURE = re.compile(r"[\s\"']{0,9}[-+−(（]?[\d０-９][\d０-９,，.．]{0,30}[%％)）]?[\s\"']{0,9}")


def read_text(content: bytes, allowance: Allowance, encoding: str | None = None) -> Grid:
    """The one sheet of a delimited text; addresses are ``row 7 col 3``, both from 1, a row is a record.

    Texts are as sent, the tab before each comma of the statistics office's exports included; columns that are blank in
    every row, as its comma at the end of each line makes one, are left out. A quote that does not close belongs to the
    text of its line if that is a note, and ``facts["open_quotes"]`` names the line; among figures it is an error that does.
    Raises a :class:`returns.errors.CarrierError`.
    """
    text = decode_text(content, encoding)
    delimiter = _sniff_delimiter(text)
    allowance.take_cells(text.count(delimiter) + text.count("\n") + 1, "the text")
    rows = _read_strictly(text, delimiter)
    facts: dict[str, str] = {}
    if rows is None:
        broken: list[int] = []
        rows = list(_read_line_by_line(text, delimiter, broken))
        facts["open_quotes"] = ", ".join(f"line {number}" for number in broken)
    return Grid("csv", (numbered_sheet("", _drop_blank_columns(rows)),), facts)


def _sniff_delimiter(text: str) -> str:
    """Comma, tab or semicolon, by count; NBS exports have a tab before each comma, so that a comma wins a draw."""
    start = text[:_SNIFFED_CHARACTERS]
    return max((",", "\t", ";"), key=start.count)


def _read_strictly(text: str, delimiter: str) -> list[list[str]] | None:
    """All records, or None where the quoting is broken or may have swallowed rows, or a line is too long."""
    if '"' not in text:  # nearly every return: splitting takes half the time of the csv module
        lines = _split_lines(text)
        if max(map(len, lines), default=0) > _MAX_LINE_CHARACTERS:
            return None
        return [line.split(delimiter) if line else [] for line in lines]
    try:
        # strict: a quote that never closes would swallow the rest of the return as one field
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return None if any(_has_swallowed(row, delimiter) for row in rows) else rows


def _split_lines(text: str) -> list[str]:
    """The lines as the csv module sees them: ended by CR, LF or both; the last may do without."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


def _has_swallowed(row: Sequence[str], delimiter: str) -> bool:
    """Whether a field of several lines holds a line of figures: a quote opened in a note and closed far below."""
    return any(
        "\n" in field and any(_is_of_figures(line, delimiter) for line in field.splitlines()[1:]) for field in row
    )


def _is_of_figures(line: str, delimiter: str) -> bool:
    """Whether a line looks like one of the table: at least half of what follows its first cell are figures."""
    parts = line.split(delimiter)[1:]
    figures = sum(1 for part in parts if _FIGURE.fullmatch(part))
    return figures > 0 and figures * 2 >= sum(1 for part in parts if part.strip())


def _read_line_by_line(text: str, delimiter: str, broken: list[int]) -> Iterator[list[str]]:
    """Records of a text with a broken quote somewhere: a quote that does not close belongs to the text of its line, whose
    number is added to ``broken``.

    Raises :class:`UnreadableTextError` naming the line where such a quote stands among figures.
    """
    lines = _split_lines(text)
    number = 0
    while number < len(lines):
        line = lines[number]
        if len(line) > _MAX_LINE_CHARACTERS:
            raise UnreadableTextError(f"line {number + 1} of the text has {len(line):,} characters, it is no CSV")
        record, taken = ([], 1) if not line else _read_record(lines, number, delimiter)
        if record is None:
            broken.append(number + 1)
            if len(broken) > _MAX_BROKEN_LINES or _is_of_figures(line, delimiter):
                raise UnreadableTextError(f"line {number + 1} of the text is no CSV: a quote in it does not close")
            record = line.split(delimiter)
        yield record
        number += taken


def _read_record(lines: Sequence[str], number: int, delimiter: str) -> tuple[list[str] | None, int]:
    """The record that begins at a line and how many lines it takes; None (and one line) where its quote never closes."""
    quotes = 0
    for taken in range(1, min(_MAX_RECORD_LINES, len(lines) - number) + 1):
        line = lines[number + taken - 1]
        if taken > 1 and _is_of_figures(line, delimiter):
            return None, 1
        quotes += line.count('"')
        if quotes % 2:
            continue  # within a quoted text, which goes on in the next line
        try:
            (record,) = csv.reader(["\n".join(lines[number : number + taken])], delimiter=delimiter, strict=True)
        except (csv.Error, ValueError):
            return None, 1
        return record, taken
    return None, 1


def _drop_blank_columns(rows: list[list[str]]) -> list[list[str]]:
    """The rows without the columns at their right in which no row has a text."""
    longest = max(map(len, rows), default=0)
    if longest > _MAX_COLUMNS:
        raise TooLargeError(f"a line of the text has {longest:,} columns, at most {_MAX_COLUMNS:,} are read")
    width = 0
    for row in rows:
        length = len(row)
        while length > width and not row[length - 1].strip():
            length -= 1
        width = max(width, length)
    return [row if len(row) <= width else row[:width] for row in rows]
