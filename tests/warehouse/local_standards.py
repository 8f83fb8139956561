"""A little file of local standards for the tests of this folder."""

import csv
from pathlib import Path
from typing import Any

from warehouse.catalogue import Standard

PUPILS, PENSION, FUNDS = "EDU_PRIMARY_PUPILS_PER_TEACHER", "PEN_RESIDENT_MONTHLY", "EDU_PRIMARY_PUBLIC_FUNDS"
SICHUAN, CHENGDU, JINJIANG = "510000", "510100", "510104"


def step(**changes: Any) -> dict[str, str]:
    """A row: Sichuan asks for a pension of 200 yuan from 2024 on, unless said otherwise."""
    row = dict.fromkeys(Standard.model_fields, "") | {
        "standard_key": "10001",
        "indicator_code": PENSION,
        "kind": "floor",
        "is_binding": "true",
        "op": ">=",
        "value": "200",
        "valid_from": "2024-01-01",
        "region_code": SICHUAN,
        "document": "川人社〔2024〕1号",
        "certainty": "as the office set it",
    }
    return row | {name: str(value) for name, value in changes.items()}


def pupils(value: float, **changes: Any) -> dict[str, str]:
    """A row: at most so many pupils to a teacher."""
    return step(**({"indicator_code": PUPILS, "op": "<=", "value": value, "valid_from": "2016-09-01"} | changes))


def write(path: Path, *rows: dict[str, str]) -> Path:
    """The file of these rows; rows after the first get the next numbers."""
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, list(Standard.model_fields))
        writer.writeheader()
        for number, row in enumerate(rows):
            writer.writerow(row | ({"standard_key": str(10_001 + number)} if row["standard_key"] == "10001" else {}))
    return path
