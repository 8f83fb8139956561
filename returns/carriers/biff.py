"""The records of an ``.xls`` workbook (BIFF8, and BIFF5 of Excel 95), before calamine sees them.

Here: one walk over all records that measures sheets, finds what calamine leaves out (error values, hidden rows and
columns), names encryption, and blanks the records that calamine would spend memory on and we have no use for. Not here: the
values of cells. The format is [MS-XLS].
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from returns.carriers.grid import MAX_GRID_CELLS
from returns.carriers.sheet_xml import MAX_MERGES, MAX_SHARED_TEXT_BYTES, Patch, SheetNotes
from returns.errors import EncryptedFileError, HostileFileError, NotAWorkbookError, TooLargeError

MAX_SHEETS = 256

_BOF, _EOF, _CONTINUE = 0x0809, 0x000A, 0x003C
_FILEPASS, _BOUNDSHEET, _SST = 0x002F, 0x0085, 0x00FC
_DIMENSIONS, _NAME = 0x0200, 0x0018
_FORMULA, _STRING, _BOOLERR, _MULRK, _LABELSST = 0x0006, 0x0207, 0x0205, 0x00BD, 0x00FD
_ROW, _COLINFO, _MERGEDCELLS = 0x0208, 0x007D, 0x00E5
_CELLS = frozenset({_FORMULA, _BOOLERR, _MULRK, _LABELSST, 0x0203, 0x0204, 0x00D6, 0x027E})
_BETWEEN_FORMULA_AND_STRING = frozenset({_CONTINUE, _STRING, 0x04BC, 0x0221, 0x0236})
_OF_INTEREST = _CELLS | {_BOF, _EOF, _FILEPASS, _BOUNDSHEET, _SST, _DIMENSIONS, _NAME, _ROW, _COLINFO, _MERGEDCELLS}
_VERSIONS = (0x0500, 0x0600)
_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}
_PLAIN_LENGTHS = {0x0203: 14, 0x027E: 10, _LABELSST: 10}
_PLAIN = struct.Struct("<HHHHHI")  # kind, length, row, column, format, and the number of a shared text
_HEAD = struct.Struct("<HH")
_NOTHING = b"\0\0"  # a record kind that every reader skips


@dataclass(slots=True)
class _Measured:
    """One substream: how far its cells reach, and what is to be told of it."""

    rows: int = 0
    columns: int = 0
    merges: int = 0
    patches: list[Patch] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)

    def notes(self) -> SheetNotes:
        """The same, for the sheet."""
        return SheetNotes(self.patches, frozenset(self.hidden_rows), frozenset(self.hidden_columns))


def clean_stream(stream: bytes) -> tuple[bytes, list[SheetNotes]]:
    """The stream as calamine may read it, and the notes of its sheets in their order.

    Left out are formulas' tokens and names (their results stay) and declared dimensions: calamine would print the ones and
    reserve memory for the other.
    Raises a :class:`returns.errors.CarrierError`.
    """
    walk = _Walk(stream)
    walk.run()
    _check_shared_texts(walk)
    if len(walk.sheet_offsets) > MAX_SHEETS or len(set(walk.sheet_offsets)) != len(walk.sheet_offsets):
        raise HostileFileError("the workbook has too many sheets, or two that are the same part of the file")
    notes, cells = [], 0
    for offset in walk.sheet_offsets:
        if offset not in walk.measured:
            raise NotAWorkbookError("a sheet of the workbook begins outside of the file, or within another sheet")
        sheet = walk.measured[offset]
        cells += sheet.rows * sheet.columns  # calamine lays out all sheets at once, whichever is asked for
        if cells > MAX_GRID_CELLS:
            text = (
                f"a sheet reaches to row {sheet.rows:,}, column {sheet.columns:,}: more than {MAX_GRID_CELLS:,} cells"
            )
            raise TooLargeError(text)
        if sheet.merges > MAX_MERGES:
            raise TooLargeError(f"a sheet of the workbook merges more than {MAX_MERGES:,} ranges")
        notes.append(sheet.notes())
    return bytes(walk.data), notes


class _Walk:
    """One pass over the records, from the first to the last, each looked at once."""

    def __init__(self, stream: bytes) -> None:
        self.data = bytearray(stream)
        self.measured: dict[int, _Measured] = {}
        """The substreams that stand in no other, by their offset."""
        self.sheet_offsets: list[int] = []
        self.label_texts: list[int] = []
        """Which shared text each cell with one names."""
        self.text_pieces: list[bytes] = []
        """The records of the shared texts."""
        self._open: list[_Measured] = []

    def run(self) -> None:
        """Walk; raises a :class:`returns.errors.CarrierError`."""
        data, offset, end = self.data, 0, len(self.data)
        kind, length = _HEAD.unpack_from(data, 0) if end >= _HEAD.size else (0, 0)
        if kind != _BOF or length < 2 or struct.unpack_from("<H", data, 4)[0] not in _VERSIONS:
            raise NotAWorkbookError("the workbook is of Excel 4 or older, or its records are damaged")
        last = 0
        pending: Patch | None = None
        while offset + _HEAD.size <= end:
            kind, length = _HEAD.unpack_from(data, offset)
            body = offset + _HEAD.size
            if body + length > end:
                raise NotAWorkbookError("the records of the workbook are cut off")
            if pending is not None and kind not in _BETWEEN_FORMULA_AND_STRING:
                self._open[-1].patches.append(pending)
                pending = None
            if kind == _STRING:
                pending = None
            elif kind == _CONTINUE:
                if last == _SST:
                    self.text_pieces.append(bytes(data[body : body + length]))
                offset = body + length
                continue
            elif kind in _CELLS:
                pending = self._take_cell(kind, body, length)
                if pending is None:
                    last = kind
                    offset = self._take_plain_cells(body + length, end)
                    continue
            elif kind in _OF_INTEREST:
                self._take_record(kind, offset, body, length)
            elif not kind and not length and not self._open:
                break  # zeros fill up the last sector
            last = kind
            offset = body + length
        if pending is not None:
            self._open[-1].patches.append(pending)

    def _take_plain_cells(self, offset: int, end: int) -> int:
        """Measure numbers and shared texts as long as one follows the other, which is most of any workbook; gives where
        the first other record begins."""
        data, sheet, texts, unpack, length_of = (
            self.data,
            self._open[-1],
            self.label_texts,
            _PLAIN.unpack_from,
            _PLAIN_LENGTHS.get,
        )
        last_row = last_column = -1
        while offset + _PLAIN.size <= end:
            kind, length, row, column, _, text = unpack(data, offset)
            if length_of(kind) != length or offset + 4 + length > end:
                break
            if row > last_row:
                last_row = row
            if column > last_column:
                last_column = column
            if kind == _LABELSST:
                texts.append(text)
            offset += 4 + length
        sheet.rows, sheet.columns = max(sheet.rows, last_row + 1), max(sheet.columns, last_column + 1)
        return offset

    def _take_cell(self, kind: int, body: int, length: int) -> Patch | None:
        """Measure a cell; the patch of a formula whose result is a text that has yet to come."""
        if not self._open or length < 6:
            raise NotAWorkbookError("a cell of the workbook stands outside of any sheet, or is cut off")
        data, sheet = self.data, self._open[-1]
        row, column = _HEAD.unpack_from(data, body)
        sheet.rows = max(sheet.rows, row + 1)
        if kind == _LABELSST and length >= 10:
            self.label_texts.append(struct.unpack_from("<I", data, body + 6)[0])
        elif kind == _MULRK:
            sheet.columns = max(sheet.columns, struct.unpack_from("<H", data, body + length - 2)[0] + 1)
        elif kind == _BOOLERR and length >= 8 and data[body + 7]:
            sheet.patches.append(Patch(row, column, _error_text(data[body + 6])))
        elif kind == _FORMULA and length >= 22:
            data[body + 20 : body + 22] = _NOTHING  # its tokens could name long names thousands of times
            result, is_special = data[body + 6], data[body + 12 : body + 14] == b"\xff\xff"
            if is_special and result == 2:
                sheet.patches.append(Patch(row, column, _error_text(data[body + 8])))
            elif is_special and not result:
                sheet.columns = max(sheet.columns, column + 1)
                return Patch(row, column, "=")
        sheet.columns = max(sheet.columns, column + 1)
        return None

    def _take_record(self, kind: int, offset: int, body: int, length: int) -> None:
        data = self.data
        if kind == _FILEPASS:
            raise EncryptedFileError("the workbook is encrypted: it opens with a password only")
        if kind == _BOF:
            measured = _Measured()
            if not self._open:
                self.measured[offset] = measured
            self._open.append(measured)
        elif kind == _EOF and self._open:
            self._open.pop()
        elif kind in (_DIMENSIONS, _NAME):
            data[offset : offset + 2] = _NOTHING
        elif kind == _SST:
            self.text_pieces = [bytes(data[body : body + length])]
        elif kind == _BOUNDSHEET and length >= 4:
            self.sheet_offsets.append(struct.unpack_from("<I", data, body)[0])
        elif self._open:
            _note_layout(self._open[-1], kind, bytes(data[body : body + length]))


def _note_layout(sheet: _Measured, kind: int, body: bytes) -> None:
    """Hidden rows and columns, and how many ranges are merged."""
    if kind == _ROW and len(body) >= 14 and body[12] & 0x20:
        sheet.hidden_rows.add(int.from_bytes(body[:2], "little"))
    elif kind == _COLINFO and len(body) >= 10 and body[8] & 0x01:
        first, last = _HEAD.unpack_from(body)
        sheet.hidden_columns.update(range(first, min(last, 255) + 1))
    elif kind == _MERGEDCELLS:
        sheet.merges += len(body) // 8


def _error_text(code: int) -> str:
    return _ERRORS.get(code, "#ERROR")


def _check_shared_texts(walk: _Walk) -> None:
    """calamine copies a shared text into each cell that names it: a long one in many cells would cost gigabytes."""
    size = sum(map(len, walk.text_pieces))
    if size * len(walk.label_texts) <= MAX_SHARED_TEXT_BYTES:
        return
    lengths = _shared_lengths(walk.text_pieces)
    total = sum(lengths[index] for index in walk.label_texts if index < len(lengths))
    if total > MAX_SHARED_TEXT_BYTES:
        cells = len(walk.label_texts)
        raise TooLargeError(f"the workbook puts texts of up to {max(lengths):,} bytes into {cells:,} cells")


def _shared_lengths(pieces: Sequence[bytes]) -> list[int]:
    """The bytes of each shared text. A text may run on in the next record, which then begins with its own width."""
    lengths: list[int] = []
    number, piece, place = 0, pieces[0], 8
    try:
        while True:
            if place >= len(piece):
                number, place = number + 1, 0
                if number == len(pieces):
                    return lengths
                piece = pieces[number]
                continue
            (left,) = struct.unpack_from("<H", piece, place)
            flags = piece[place + 2]
            place += 3
            tail = 0
            if flags & 0x08:
                tail += 4 * struct.unpack_from("<H", piece, place)[0]
                place += 2
            if flags & 0x04:
                tail += struct.unpack_from("<I", piece, place)[0]
                place += 4
            lengths.append(left * 2)
            width = 1 + (flags & 0x01)
            while left > (len(piece) - place) // width:
                left -= (len(piece) - place) // width
                number, place = number + 1, 1
                piece = pieces[number]
                width = 1 + (piece[0] & 0x01)
            place += left * width
            while tail > len(piece) - place:
                tail -= len(piece) - place
                number, place = number + 1, 0
                piece = pieces[number]
            place += tail
    except (IndexError, struct.error):
        raise NotAWorkbookError("the shared texts of the workbook are damaged or cut off") from None
