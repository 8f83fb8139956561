"""Writing the office's file of local standards: a step is added, the one before it ends. Not here: what is refused."""

from __future__ import annotations

import csv
import datetime
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from warehouse.catalogue import Catalogue, Standard, add_local_standards
from warehouse.catalogue.reading import read_rows
from warehouse.catalogue.standards import LAST_NATIONAL_KEY

_COLUMNS = tuple(Standard.model_fields)
_SERIES = ("region_code", "indicator_code", "area_type", "kind")


def add_step(path: Path, step: Mapping[str, str], catalogue: Catalogue) -> tuple[Standard, list[Standard]]:
    """Add a step to the file (made where it is missing) and end what was open before it: the new row, the ended ones.

    ``step`` has columns of the file as texts, its number is the next free one; ``catalogue`` is the national one. The file
    is replaced at once or not at all. Raises :class:`warehouse.errors.CatalogueError` where it would be refused.
    """
    rows = _read_texts(path)
    numbers = [int(row["standard_key"]) for row in rows]
    number = str(max([LAST_NATIONAL_KEY, *numbers]) + 1)
    ended = [row for row in rows if _is_open_before(row, step)]
    for row in ended:
        row["valid_to"] = (datetime.date.fromisoformat(step["valid_from"]) - datetime.timedelta(days=1)).isoformat()
    rows.append(dict.fromkeys(_COLUMNS, "") | dict(step) | {"standard_key": number})
    _write_checked(path, rows, catalogue)
    kept = {str(row.standard_key): row for row in read_rows(path, Standard)}
    return kept[number], [kept[row["standard_key"]] for row in ended]


def _read_texts(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    read_rows(path, Standard, unique=("standard_key",))
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def _is_open_before(row: Mapping[str, str], step: Mapping[str, str]) -> bool:
    """Whether a row of the same series is in force on the day before the step begins, and would go on."""
    is_same = all(row[column] == step.get(column, "") for column in _SERIES)
    return is_same and row["valid_from"] < step["valid_from"] <= (row["valid_to"] or "9999")


def _write_checked(path: Path, rows: Sequence[Mapping[str, str]], catalogue: Catalogue) -> None:
    """Write beside the file under its name (errors name it), check that, and put it in the file's place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".standards-") as folder:
        made = Path(folder) / path.name
        with made.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.DictWriter(lines, _COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        add_local_standards(catalogue, made)
        if path.exists():
            made.chmod(path.stat().st_mode & 0o777)
        os.replace(made, path)
