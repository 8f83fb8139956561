"""How outcomes and tables travel between the two processes: JSON lines, Feather files and one file of row numbers.

Not here: pipes and processes (``client``, ``worker``). Rows travel as positions in the table; the client turns them
into labels of the caller's index.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import feather

from expectations.model import CheckOutcome, SuiteOutcome

_PLAIN = ("check_id", "severity", "success", "evaluated", "unexpected", "explanation")


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write ``frame`` without its index. Uncompressed: it is read once, at once, on the same machine."""
    feather.write_feather(pa.Table.from_pandas(frame, preserve_index=False), str(path), compression="uncompressed")


def read_table(path: Path) -> pd.DataFrame:
    """The frame of a Feather file, indexed 0…n-1; dictionary columns are categories."""
    frame: pd.DataFrame = feather.read_feather(str(path), memory_map=True)
    return frame


def pack(outcome: SuiteOutcome, rows_path: Path) -> dict[str, Any]:
    """``outcome`` as JSON-able data; its row numbers go to ``rows_path`` (a million in JSON would cost a second)."""
    rows = [check.rows for check in outcome.checks]
    np.save(rows_path, np.concatenate(rows) if rows else np.empty(0, np.int64))
    return {
        "suite": outcome.suite,
        "rows_checked": outcome.rows_checked,
        "seconds": outcome.seconds,
        "checks": [
            {
                **{name: getattr(check, name) for name in _PLAIN},
                "sample": list(check.sample),
                "arrivals": list(check.arrivals),
                "findings": list(check.findings.items()),
                "rows": len(check.rows),
            }
            for check in outcome.checks
        ],
    }


def unpack(packed: dict[str, Any], rows_path: Path) -> SuiteOutcome:
    """The outcome that :func:`pack` packed."""
    rows = np.load(rows_path)
    ends = np.cumsum([check["rows"] for check in packed["checks"]], dtype=np.int64)
    checks = tuple(
        CheckOutcome(
            **{name: check[name] for name in _PLAIN},
            sample=tuple(check["sample"]),
            arrivals=tuple(check["arrivals"]),
            findings=dict(check["findings"]),
            rows=rows[end - check["rows"] : end],
        )
        for check, end in zip(packed["checks"], ends, strict=True)
    )
    return SuiteOutcome(packed["suite"], checks, packed["rows_checked"], packed["seconds"])


def encode(message: dict[str, Any]) -> bytes:
    """One message as one line."""
    return json.dumps(message, ensure_ascii=False, allow_nan=False).encode() + b"\n"
