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
    arrow = pa.Table.from_pandas(frame, preserve_index=False).combine_chunks()
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


_BINARY: dict[str, tuple[str, str, str]] = {
    "int2": (">i2", "int16", "int2send(CAST({} AS smallint))"),
    "int4": (">i4", "int32", "int4send(CAST({} AS integer))"),
    "int8": (">i8", "int64", "int8send(CAST({} AS bigint))"),
    "float8": (">f8", "float64", "float8send(CAST({} AS double precision))"),
    "char": ("S1", "S1", "convert_to(CAST({} AS text), 'UTF8')"),
}
"""Kind of a column: how NumPy reads it, how it is handed on, how PostgreSQL writes it."""


def read_fixed(connection: Connection, query: sql.Composable, columns: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """The rows of ``query`` as a frame; a million rows take a second.

    ``columns`` are (name, one of int2, int4, int8, float8, char) and are columns of the query. PostgreSQL packs the rows
    into one value that NumPy reads at once: a client that takes row by row spends more time than the query. No column
    may be null (coalesce floats to NaN in the query): all rows must have the same width.
    """
    packed = sql.SQL(" || ").join(sql.SQL(_BINARY[kind][2]).format(sql.Identifier(name)) for name, kind in columns)
    statement = sql.SQL("SELECT string_agg({}, ''::bytea) FROM ({}) q").format(packed, query)
    driver: Any = connection.connection.driver_connection
    with driver.cursor(binary=True) as cursor:
        buffer = cursor.execute(statement).fetchone()[0] or b""
    dtype = np.dtype([(name, _BINARY[kind][0]) for name, kind in columns])
    rows: npt.NDArray[Any] = np.frombuffer(buffer, dtype=dtype)
    return pd.DataFrame({name: rows[name].astype(_BINARY[kind][1]) for name, kind in columns})


def replace_temporary(
    connection: Connection, name: str, definition: Iterable[tuple[str, str]], frame: pd.DataFrame
) -> None:
    """A temporary table of that name with the frame's rows, dropped when the transaction ends."""
    columns = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(c), sql.SQL(kind)) for c, kind in definition)
    with _cursor(connection) as cursor:
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS pg_temp.{}").format(sql.Identifier(name)))
        cursor.execute(sql.SQL("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP").format(sql.Identifier(name), columns))
        with cursor.copy(sql.SQL("COPY pg_temp.{} FROM STDIN (FORMAT csv)").format(sql.Identifier(name))) as copy:
            copy.write(frame.to_csv(index=False, header=False))
        cursor.execute(sql.SQL("ANALYZE pg_temp.{}").format(sql.Identifier(name)))


def _cursor(connection: Connection) -> Any:
    driver: Any = connection.connection.driver_connection
    return driver.cursor()
