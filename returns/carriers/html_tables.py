"""Tables of web pages, which offices' systems save as ``.xls``: what stands in a cell, spans, what stands around a table.

Here: a tokenizer that is linear in the page whatever it is made of (``html.parser`` takes minutes for some), tables,
login pages. Not here: meaning. A page's scripts, styles and comments are no text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from returns.carriers.allowance import Allowance
from returns.carriers.encoding import decode_text
from returns.carriers.grid import Grid, Merge, Sheet
from returns.errors import LoginPageError, NotAWorkbookError, TooLargeError

MAX_TAGS = 500_000  # a return of 11,000 cells has 60,000; a tag costs 3 µs
MAX_SPAN = 16_384  # columns of a spreadsheet

_HEAD_BYTES = 4096
_CHARSET = re.compile(rb"charset\s{0,9}=\s{0,9}[\"']?([\w.:-]{2,30})", re.IGNORECASE)
_TAG_NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9:]{0,30})")
_SPAN = re.compile(r"\b(col|row)span\s{0,9}=\s{0,9}[\"']?\s{0,9}(\d{1,9})", re.IGNORECASE)
_HIDDEN = re.compile(r"display\s{0,9}:\s{0,9}none", re.IGNORECASE)
_PASSWORD = re.compile(r"type\s{0,9}=\s{0,9}[\"']?password", re.IGNORECASE)
_LOGIN = re.compile("登录|登陆|统一身份认证|log ?in|sign ?in", re.IGNORECASE)
_LOGIN_CHARACTERS = 3_000
_QUOTED = re.compile(r"=\"[^\"]*\"|='[^']*'")
_SPACE = re.compile(r"[ \t\r\n\f]+")
_RAW = {name: re.compile(f"</{name}", re.IGNORECASE) for name in ("script", "style", "textarea", "xml", "noscript")}
_INLINE = frozenset({"a", "b", "i", "u", "s", "em", "strong", "span", "font", "sup", "sub", "small", "big", "o:p"})
_QUOTES_TRIED = 4


@dataclass(slots=True)
class _Table:
    """A table being read. ``carried`` is, by column, the last row that a cell above spans."""

    before: list[str]
    rows: list[list[str]] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    carried: dict[int, int] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    cell: list[str] | None = None
    spans: tuple[int, int] = (1, 1)
    """Columns and rows of the open cell."""


def read_html(content: bytes, allowance: Allowance, encoding: str | None = None) -> Grid:
    """Every table of a page as a sheet; a cell that spans others stands top left, as in a workbook.

    Addresses are ``row 7 col 3``, or ``table 2!row 7 col 3`` where there are several; paragraphs above and below a table are
    rows of it too, since titles and notes stand there: ``text 1 col 1``.
    Raises a :class:`returns.errors.CarrierError`; a login page is :class:`LoginPageError`.
    """
    declared = _CHARSET.search(content[:_HEAD_BYTES])
    text = decode_text(content, declared[1].decode("ascii") if declared else encoding)
    if text.count("<") > MAX_TAGS:
        raise TooLargeError(f"the page has more than {MAX_TAGS:,} tags")
    page = _Page(allowance)
    for token in _tokenize(text):
        page.take(token)
    page.end()
    _refuse_login(page)
    tables = [table for table in page.tables if any(text.strip() for row in table.rows for text in row)]
    if not tables:
        raise NotAWorkbookError("the bytes are a web page (HTML) without a table")
    names = [f"table {number}" for number in range(1, len(tables) + 1)] if len(tables) > 1 else [""]
    afters = [page.texts if table is tables[-1] else [] for table in tables]
    sheets = [_to_sheet(*each, allowance) for each in zip(names, tables, afters, strict=True)]
    return Grid("html", tuple(sheets), {"page_title": page.title} if page.title else {})


def _tokenize(text: str) -> Iterator[str]:
    """Tags (they begin with ``<``) and texts in their order; comments and what is no text are left out."""
    position, length = 0, len(text)
    while position < length:
        start = text.find("<", position)
        if start < 0:
            yield text[position:]
            return
        if start > position:
            yield text[position:start]
        if text.startswith("<!--", start):
            end = text.find("-->", start + 4)
            position = length if end < 0 else end + 3
            continue
        if start + 1 < length and not (text[start + 1].isalpha() or text[start + 1] in "/!?"):
            yield "\ufeff<"  # a smaller-than sign in a text, marked so that it is no tag
            position = start + 1
            continue
        end = _tag_end(text, start)
        if end < 0:
            return
        tag = text[start : end + 1]
        yield tag
        position = end + 1
        name = _TAG_NAME.match(tag)
        if name and (closing := _RAW.get(name[1].lower())) and tag[1] != "/":
            found = closing.search(text, position)
            position = found.start() if found else length


def _tag_end(text: str, start: int) -> int:
    """Where the tag ends: the first ``>`` outside of quotes, as far as that can be told."""
    end = text.find(">", start)
    for _ in range(_QUOTES_TRIED):
        if end < 0 or not _is_within_quotes(text[start:end]):
            return end
        end = text.find(">", end + 1)
    return end


def _is_within_quotes(begun: str) -> bool:
    """Whether an attribute's value is still open where a tag was begun."""
    if '"' not in begun and "='" not in begun:
        return False
    rest = _QUOTED.sub("", begun)
    return '="' in rest or "='" in rest


class _Page:
    """Takes tokens, keeps tables and the texts between them."""

    def __init__(self, allowance: Allowance) -> None:
        self.tables: list[_Table] = []
        self.texts: list[str] = []
        """Texts outside of tables since the last one."""
        self.title = ""
        self.has_password = False
        self._allowance = allowance
        self._open: list[_Table] = []
        self._text: list[str] = []
        self._is_title = False

    def take(self, token: str) -> None:
        """One tag or text."""
        if token[0] != "<":
            self._take_text(token.removeprefix("\ufeff"))
            return
        match = _TAG_NAME.match(token)
        if match is None:
            return
        name, is_end = match[1].lower(), token[1] == "/"
        if name == "table":
            self._take_table(is_end)
        elif name in ("tr", "td", "th") and self._open:
            self._take_structure(name, is_end, token)
        elif name == "br":
            self._take_text("\n", is_break=True)
        elif name == "title":
            self._is_title = not is_end
        elif name == "input":
            self.has_password = self.has_password or _PASSWORD.search(token) is not None
        elif name not in _INLINE and not self._open:
            self._end_paragraph()
        elif name in ("p", "div") and self._open and self._open[-1].cell:
            self._open[-1].cell.append("\n")

    def _take_text(self, text: str, is_break: bool = False) -> None:
        if not is_break:
            text = html.unescape(_SPACE.sub(" ", text)) if "&" in text else _SPACE.sub(" ", text)
        if self._is_title:
            self.title += text.strip()
        elif not self._open:
            self._text.append(text)
        elif self._open[-1].cell is not None:
            self._open[-1].cell.append(text)
        elif text.strip():
            self._open[-1].before.append(text.strip())  # a caption, or a text that stands between rows

    def _take_table(self, is_end: bool) -> None:
        if not is_end:
            self._end_paragraph()
            table = _Table(self.texts)
            self.texts = []
            self.tables.append(table)
            self._open.append(table)
        elif self._open:
            self._end_row_cell()
            self._open.pop()

    def _take_structure(self, name: str, is_end: bool, tag: str) -> None:
        self._end_row_cell()
        table = self._open[-1]
        if is_end:
            return
        if name == "tr":
            if table.rows:
                self._allowance.take_cells(max(1, len(table.rows[-1])), "the page")
            if _HIDDEN.search(tag):
                table.hidden_rows.add(len(table.rows))
            table.rows.append([])
            return
        if not table.rows:
            table.rows.append([])
        table.cell, table.spans = [], _spans(tag)

    def _end_row_cell(self) -> None:
        """Close the cell that is open, if one is: it stands in the next column that no cell above spans."""
        table = self._open[-1]
        if table.cell is None:
            return
        text = "".join(table.cell).strip(" \n")
        row, number, (columns, rows) = table.rows[-1], len(table.rows) - 1, table.spans
        while table.carried.get(len(row), -1) >= number:
            row.append("")
        left = len(row)
        row.append(text)
        row.extend([""] * (columns - 1))
        if len(row) > MAX_SPAN:
            raise TooLargeError(f"a row of the page has more than {MAX_SPAN:,} columns")
        if rows > 1:
            table.carried.update(dict.fromkeys(range(left, left + columns), number + rows - 1))
        if rows > 1 or columns > 1:
            table.merges.append((number, left, number + rows - 1, left + columns - 1))
        table.cell = None

    def _end_paragraph(self) -> None:
        text = "".join(self._text).strip()
        if text:
            self.texts.append(text)
        self._text = []

    def end(self) -> None:
        """The page is over, whatever is still open."""
        while self._open:
            self._end_row_cell()
            self._open.pop()
        self._end_paragraph()


def _spans(tag: str) -> tuple[int, int]:
    """(columns, rows) that a cell says it spans."""
    if "span" not in tag.lower():
        return 1, 1
    told = {match[1].lower(): int(match[2]) for match in _SPAN.finditer(tag)}
    columns, rows = max(1, told.get("col", 1)), max(1, told.get("row", 1))
    if columns > MAX_SPAN:
        raise TooLargeError(f"a cell of the page spans {columns:,} columns, a spreadsheet has {MAX_SPAN:,}")
    return columns, min(rows, 1_048_576)


def _refuse_login(page: _Page) -> None:
    """A login page has a field for a password; those that build it by script have no table and say 登录."""
    said = (page.title + " ".join(page.texts))[:_LOGIN_CHARACTERS]
    figures = sum(len(row) > 1 for table in page.tables for row in table.rows)
    if page.has_password or (figures < 2 and _LOGIN.search(said)):
        raise LoginPageError(f"the platform sent its login page: {(page.title or said)[:100]!r}")


def _to_sheet(name: str, table: _Table, after: list[str], allowance: Allowance) -> Sheet:
    """The texts above, the rows, the texts below."""
    above, last = len(table.before), len(table.rows) - 1
    rows = [[text] for text in table.before] + table.rows + [[text] for text in after]
    allowance.take_cells(sum(map(len, rows[-1:])) + above + len(after), "the page")
    labels = [f"text {number}" for number in range(1, above + 1)]
    labels += [f"row {number}" for number in range(1, last + 2)]
    labels += [f"text {number}" for number in range(above + 1, above + len(after) + 1)]
    width = max(map(len, rows), default=0)
    before = f"{name}!" if name else ""
    columns = [(before, f" col {number}") for number in range(1, width + 1)]
    merges = tuple(
        (top + above, left, min(bottom, last) + above, right)
        for top, left, bottom, right in table.merges
        if top < min(bottom, last) or left < right
    )
    hidden = frozenset(number + above for number in table.hidden_rows)
    return Sheet(name, rows, labels, columns, merges, False, hidden)
