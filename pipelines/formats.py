"""A frame as text for a terminal, a file or a program. Not here: where the rows come from."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import pandas as pd


def render(frame: pd.DataFrame, output: str) -> str:
    """The frame as ``table`` (aligned, Chinese counted double), ``csv`` or ``json`` (one array of objects)."""
    if output == "csv":
        return frame.to_csv(index=False).rstrip("\n")
    if output == "json":
        return str(frame.to_json(orient="records", force_ascii=False, date_format="iso"))
    rows = [[_cell(value) for value in row] for row in frame.astype(object).to_numpy().tolist()]
    header = [str(column) for column in frame.columns]
    widths = [max(map(_width, column)) for column in zip(header, *rows, strict=True)] if header else []
    lines = [_line(header, widths), "  ".join("-" * width for width in widths), *(_line(row, widths) for row in rows)]
    return "\n".join(lines)


def _cell(value: object) -> str:
    if value is None or value is pd.NaT or (isinstance(value, float) and value != value):
        return ""
    return f"{value:.6g}" if isinstance(value, float) and abs(value) < 1e6 else str(value)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True)).rstrip()
