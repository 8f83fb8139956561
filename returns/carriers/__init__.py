"""Carriers: from the bytes of one return to a :class:`Grid`, judged by the bytes and never by the file's name.

Here: sniffing, the guards against hostile files, one module a carrier. Not here: what stands where (layouts).
"""

from __future__ import annotations

from returns.carriers.grid import CarrierKind, Grid, Sheet
from returns.carriers.pages import read_pages
from returns.carriers.sniff import MAX_FILE_BYTES, sniff_carrier
from returns.carriers.text import read_text
from returns.carriers.workbook import read_workbook
from returns.errors import CarrierError

__all__ = ["MAX_FILE_BYTES", "CarrierKind", "Grid", "Sheet", "read_grid", "sniff_carrier"]

_READERS = {"workbook": read_workbook, "csv": read_text, "json_pages": read_pages}


def read_grid(content: bytes) -> Grid | CarrierError:
    """The grid that ``content`` holds, or the error that names what it is instead. Never raises for any bytes."""
    try:
        return _READERS[sniff_carrier(content)](content)
    except CarrierError as error:
        return error
