"""Reading one catalogue file into validated rows. Not here: what the rows mean."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from warehouse.catalogue.models import Row
from warehouse.errors import CatalogueError

Model = TypeVar("Model", bound=Row)


def read_rows(path: Path, model: type[Model], unique: Sequence[str] = ()) -> list[Model]:
    """The rows of a CSV file as ``model``; the header is line 1.

    Raises :class:`CatalogueError` with file, line and column where the file is absent, a column is missing or
    unknown, a value does not validate, or the columns of ``unique`` repeat.
    """
    if not path.exists():
        raise CatalogueError(path.name, 0, "", "the file is missing")
    seen: dict[tuple[str, ...], int] = {}
    rows = []
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        _check_header(path.name, reader.fieldnames or (), model)
        for record in reader:
            line = reader.line_num
            rows.append(_validate(path.name, line, record, model))
            key = tuple(record[column] for column in unique)
            if unique and key in seen:
                reason = f"{' '.join(key)} stands already in line {seen[key]}"
                raise CatalogueError(path.name, line, unique[0], reason)
            seen[key] = line
    return rows


def _check_header(file: str, header: Sequence[str], model: type[Row]) -> None:
    for column in model.model_fields:
        if column not in header:
            raise CatalogueError(file, 1, column, "the column is missing")
    for column in header:
        if column not in model.model_fields:
            raise CatalogueError(file, 1, column, "the column is unknown")


def _validate(file: str, line: int, record: dict[str, str], model: type[Model]) -> Model:
    if None in record or None in record.values():
        raise CatalogueError(file, line, "", "the line has more or fewer cells than the header")
    try:
        return model.model_validate(record)
    except ValidationError as error:
        first = error.errors()[0]
        column = str(first["loc"][0]) if first["loc"] else ""
        raise CatalogueError(file, line, column, f"{first['msg']} (found {record.get(column)!r})") from error
