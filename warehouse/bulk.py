"""Moving whole frames between pandas and PostgreSQL by COPY. Not here: what the rows mean."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
from psycopg import sql
from sqlalchemy import Connection, Table

_CHUNK_BYTES = 1 << 20


def copy_frame(connection: Connection, table: Table, frame: pd.DataFrame) -> int:
    """COPY a frame into a table inside the connection's transaction; returns the number of rows.

    The frame's columns are columns of the table, the others take their default; NaN and None become null.
    """
    if frame.empty:
        return 0
    sink = io.BytesIO()
    arrow = pa.Table.from_pandas(frame, preserve_index=False)
    # Every present text is quoted and a null is left bare, so that an empty text stays a text.
    options = pa_csv.WriteOptions(include_header=False, quoting_style="needed")
    pa_csv.write_csv(arrow, sink, options)
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
        sql.Identifier(table.schema or "public", table.name),
        sql.SQL(", ").join(map(sql.Identifier, frame.columns)),
    )
    view = sink.getbuffer()
    with _cursor(connection) as cursor, cursor.copy(statement) as copy:
        for start in range(0, len(view), _CHUNK_BYTES):
            copy.write(view[start : start + _CHUNK_BYTES])
    return len(frame)


_BINARY: dict[str, tuple[str, str, int]] = {
    "int2": (">i2", "int16", 2),
    "int4": (">i4", "int32", 4),
    "int8": (">i8", "int64", 8),
    "float8": (">f8", "float64", 8),
    "char": ("S1", "S1", 1),
}


def read_fixed(connection: Connection, query: sql.Composable, columns: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """The rows of ``query`` as a frame, by binary COPY; a million rows take a fraction of a second.

    ``columns`` are (name, one of int2, int4, int8, float8, char) in the query's order. No column may be null (coalesce
    floats to NaN in the query): rows then all have the same width, and NumPy reads them at once.
    """
    fields: list[tuple[str, str]] = [("_fields", ">i2")]
    for name, kind in columns:
        fields += [(f"_length_{name}", ">i4"), (name, _BINARY[kind][0])]
    dtype = np.dtype(fields)
    buffer = bytearray()
    with (
        _cursor(connection) as cursor,
        cursor.copy(sql.SQL("COPY ({}) TO STDOUT (FORMAT binary)").format(query)) as copy,
    ):
        for chunk in copy:
            buffer += chunk
    header = 19  # signature, flags, extension length: nothing of ours in them
    rows: npt.NDArray[Any] = np.frombuffer(
        buffer, dtype=dtype, offset=header, count=(len(buffer) - header) // dtype.itemsize
    )
    return pd.DataFrame({name: rows[name].astype(_BINARY[kind][1]) for name, kind in columns})


def replace_temporary(
    connection: Connection, name: str, definition: Iterable[tuple[str, str]], frame: pd.DataFrame
) -> None:
    """A temporary table of that name with the frame's rows, dropped when the transaction ends."""
    columns = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(c), sql.SQL(kind)) for c, kind in definition)
    with _cursor(connection) as cursor:
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS pg_temp.{}").format(sql.Identifier(name)))
        cursor.execute(sql.SQL("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP").format(sql.Identifier(name), columns))
        rows = frame.itertuples(index=False, name=None)
        with cursor.copy(sql.SQL("COPY pg_temp.{} FROM STDIN").format(sql.Identifier(name))) as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(sql.SQL("ANALYZE pg_temp.{}").format(sql.Identifier(name)))


def _cursor(connection: Connection) -> Any:
    driver: Any = connection.connection.driver_connection
    return driver.cursor()
