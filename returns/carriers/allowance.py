"""What reading one file may cost, whatever it is made of. Not here: what is inside."""

from __future__ import annotations

from dataclasses import dataclass

from returns.carriers.grid import MAX_GRID_CELLS
from returns.errors import TooLargeError

# The largest real sheet (3,280 counties × 169 columns of a census) expands to 34 MB, a province's return to 0.6 MB.
MAX_EXPANDED_BYTES = 64 * 1024 * 1024
# More than 200 times: no text of figures compresses so well, but a bomb does. Below a megabyte it does no harm.
MAX_RATIO = 200
_RATIO_FROM_BYTES = 1024 * 1024


@dataclass(slots=True)
class Allowance:
    """Bytes and cells that one file may still expand to. A file in a file draws on the same allowance: a hundred
    members that are each within bounds are not, together."""

    bytes_left: int = MAX_EXPANDED_BYTES
    cells_left: int = MAX_GRID_CELLS

    def take_bytes(self, count: int, what: str) -> None:
        """Draw ``count`` expanded bytes; raises :class:`TooLargeError`, which names ``what``."""
        self.bytes_left -= count
        if self.bytes_left < 0:
            raise TooLargeError(f"{what} expands to {count:,} bytes, at most {MAX_EXPANDED_BYTES:,} are read in all")

    def take_cells(self, count: int, what: str) -> None:
        """Draw ``count`` cells; raises :class:`TooLargeError`, which names ``what``."""
        self.cells_left -= count
        if self.cells_left < 0:
            raise TooLargeError(f"{what} goes beyond the {MAX_GRID_CELLS:,} cells that are read in all")


def check_ratio(compressed: int, expanded: int, what: str) -> None:
    """Raises :class:`TooLargeError` where ``what`` expands to many times its size, as only a bomb does."""
    if expanded > _RATIO_FROM_BYTES and expanded > MAX_RATIO * compressed:
        times = expanded // max(compressed, 1)
        raise TooLargeError(f"{what} expands to {times:,} times its {compressed:,} bytes, as only a ZIP bomb does")
