"""Excel's XML of 2003 (``<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">``), which report systems write
and name ``.xls``. Not here: meaning, any other XML.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar
from xml.parsers import expat

from returns.carriers.allowance import Allowance
from returns.carriers.encoding import decode_text
from returns.carriers.grid import Grid, Merge, Sheet, lettered_labels
from returns.carriers.package import check_entities
from returns.errors import NotAWorkbookError, TooLargeError

_NAMESPACE = "urn:schemas-microsoft-com:office:spreadsheet "
_MAX_ROWS, _MAX_COLUMNS = 1_048_576, 16_384
_MIDNIGHT = "T00:00:00.000"
_DECLARATION_BYTES = 200


def read_xml_workbook(content: bytes, allowance: Allowance) -> Grid:
    """Every worksheet; addresses are ``表1!C7``.

    Raises a :class:`returns.errors.CarrierError` for broken XML, and where it declares entities.
    """
    check_entities(content.replace(b"\0", b""), "the XML workbook")
    text = decode_text(content, _declared_encoding(content))
    reader = _Reader(allowance)
    try:
        reader.read(text)
    except expat.ExpatError as error:
        raise NotAWorkbookError(f"the XML workbook is broken or cut off: {error}") from error
    if not reader.sheets:
        raise NotAWorkbookError("the XML workbook has no worksheet")
    return Grid("workbook", tuple(_to_sheet(sheet, allowance) for sheet in reader.sheets))


def _declared_encoding(content: bytes) -> str | None:
    head = content[:_DECLARATION_BYTES].decode("ascii", "ignore")
    _, found, rest = head.partition("encoding=")
    return rest[1:].split(rest[0])[0] if found and len(rest) > 1 else None


@dataclass(slots=True)
class _OpenSheet:
    """A worksheet being read: rows are made when a cell stands in them, so blank ones at the end cost nothing."""

    name: str
    is_hidden: bool = False
    rows: list[list[str]] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    row: int = -1
    column: int = -1


class _Reader:
    """Expat's events to sheets."""

    _STARTS: ClassVar[dict[str, str]] = {
        "Worksheet": "_start_sheet",
        "Row": "_start_row",
        "Cell": "_start_cell",
        "Data": "_start_data",
    }

    def __init__(self, allowance: Allowance) -> None:
        self.sheets: list[_OpenSheet] = []
        self._allowance = allowance
        self._place: tuple[int, int] | None = None
        """Row and column of the cell that is open."""
        self._text: list[str] | None = None
        self._type = ""

    def read(self, text: str) -> None:
        """Read the whole document, given as text so that its declared encoding no longer matters."""
        parser = expat.ParserCreate("utf-8", namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.Parse(text.encode("utf-8", "replace"), True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        handler = self._STARTS.get(name.removeprefix(_NAMESPACE)) if name.startswith(_NAMESPACE) else None
        if handler is not None and (self.sheets or handler == "_start_sheet"):
            getattr(self, handler)({key.removeprefix(_NAMESPACE): value for key, value in attributes.items()})

    def _start_sheet(self, told: dict[str, str]) -> None:
        self._place = None
        self.sheets.append(_OpenSheet(told.get("Name", f"Sheet{len(self.sheets) + 1}")))

    def _start_row(self, told: dict[str, str]) -> None:
        sheet = self.sheets[-1]
        sheet.row = _number(told, "Index", sheet.row + 2, _MAX_ROWS) - 1
        sheet.column = -1
        if told.get("Hidden") == "1":
            sheet.hidden_rows.add(sheet.row)

    def _start_cell(self, told: dict[str, str]) -> None:
        sheet = self.sheets[-1]
        if sheet.row < 0:
            raise NotAWorkbookError("a cell of the XML workbook stands outside of any row")
        column = _number(told, "Index", sheet.column + 2, _MAX_COLUMNS) - 1
        across, down = _number(told, "MergeAcross", 0, _MAX_COLUMNS), _number(told, "MergeDown", 0, _MAX_ROWS)
        if across or down:
            sheet.merges.append((sheet.row, column, sheet.row + down, column + across))
        sheet.column = column + across
        if column >= _MAX_COLUMNS:
            raise TooLargeError(f"a row of the XML workbook has more than {_MAX_COLUMNS:,} columns")
        missing = sheet.row + 1 - len(sheet.rows)
        if missing > 0:
            self._allowance.take_cells(missing, f"sheet {sheet.name!r}")
            sheet.rows.extend([] for _ in range(missing))
        row = sheet.rows[sheet.row]
        if column >= len(row):
            self._allowance.take_cells(column + 1 - len(row), f"sheet {sheet.name!r}")
            row.extend([""] * (column + 1 - len(row)))
        self._place = (sheet.row, column)

    def _start_data(self, told: dict[str, str]) -> None:
        self._text, self._type = [], told.get("Type", "")

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def _end(self, name: str) -> None:
        if name == _NAMESPACE + "Data" and self._text is not None:
            text = "".join(self._text)
            if self._place is None:
                raise NotAWorkbookError("a value of the XML workbook stands outside of any cell")
            row, column = self._place
            self.sheets[-1].rows[row][column] = text.removesuffix(_MIDNIGHT) if self._type == "DateTime" else text
            self._text = None
        elif name == _NAMESPACE + "Cell":
            self._place = None
        elif name.endswith(" Visible") and self.sheets:
            self.sheets[-1].is_hidden = True


def _number(told: dict[str, str], key: str, default: int, most: int) -> int:
    """A number that an attribute tells, within the bounds of a spreadsheet."""
    text = told.get(key)
    if text is None:
        return default
    if not text.isdecimal() or len(text) > len(str(most)) or int(text) > most or (key == "Index" and not int(text)):
        raise TooLargeError(f"the XML workbook has a cell at {key} {text[:20]!r}, beyond any sheet")
    return int(text)


def _to_sheet(sheet: _OpenSheet, allowance: Allowance) -> Sheet:
    width = max(map(len, sheet.rows), default=0)
    labels = [str(number) for number in range(1, len(sheet.rows) + 1)]
    columns = lettered_labels(sheet.name, width)
    hidden = frozenset(sheet.hidden_rows)
    return Sheet(sheet.name, sheet.rows, labels, columns, tuple(sheet.merges), sheet.is_hidden, hidden)
