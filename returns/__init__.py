"""From bytes to observations: carriers, layouts as data, cells, conforming, quarantine reasons.

Here: pure functions from the bytes of returns to frames. Not here: HTTP, SQL, Dagster, nor whether a figure is
plausible (expectations room). The order of the data is the order of the folders::

    bytes ──carriers──▶ Grid ──layouts──▶ Match ──cells──▶ ReturnCells ──conform──▶ observations + quarantined
                          └─ CarrierError      └─ Mismatch: the return is quarantined whole

:func:`read_returns` is the one way through it for a batch of returns.
"""

from __future__ import annotations

from returns.reading import Arrival, ReadResult, read_returns

__all__ = ["Arrival", "ReadResult", "read_returns"]
