"""Whole frames through COPY: nothing is lost, added or turned into something else on the way."""

import datetime
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy import Connection, Engine

from warehouse.bulk import copy_frame, read_fixed, replace_temporary

TABLE = sa.Table(
    "probe",
    sa.MetaData(schema="staging"),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("words", sa.Text),
    sa.Column("value", sa.Double),
    sa.Column("is_so", sa.Boolean),
    sa.Column("moment", sa.DateTime(timezone=True)),
    sa.Column("day", sa.Date),
    sa.Column("extra", sa.Text, server_default="default"),
)


@pytest.fixture
def connection(centre_engine: Engine) -> Iterator[Connection]:
    """A transaction with an empty table, rolled back at the end."""
    with centre_engine.connect() as made:
        TABLE.create(made)
        yield made
        made.rollback()


def through(connection: Connection, column: str, values: list[object], dtype: str | None = None) -> list[object]:
    """What the database holds after a column of these values was copied in."""
    frame = pd.DataFrame({"number": range(len(values)), column: pd.Series(values, dtype=dtype)})
    assert copy_frame(connection, TABLE, frame) == len(values)
    return list(connection.scalars(sa.select(TABLE.c[column]).order_by(TABLE.c.number)))


def test_null_and_empty_text_are_kept_apart(connection: Connection) -> None:
    assert through(connection, "words", ["", None, "x"]) == ["", None, "x"]


def test_nan_is_null(connection: Connection) -> None:
    assert through(connection, "value", [1.5, float("nan"), 0.0]) == [1.5, None, 0.0]


@pytest.mark.parametrize(
    "words",
    [
        'a "quoted" word',
        "a, comma",
        "two\nlines",
        "two\r\nlines",
        "a\ttab",
        "back\\slash \\N \\.",
        "\\.",
        "\\N",
        "NULL",
        "nan",
        " spaces ",
        "四川省（全省）：约12万人，",
        "𠮷野 é",
        "'; DROP TABLE core.observation; --",
    ],
)
def test_a_text_comes_out_as_it_went_in(connection: Connection, words: str) -> None:
    assert through(connection, "words", [words, "next"]) == [words, "next"]


def test_texts_of_a_category_are_texts(connection: Connection) -> None:
    assert through(connection, "words", ["城", None, "城"], "category") == ["城", None, "城"]


def test_a_text_of_many_megabytes_comes_out_whole(connection: Connection) -> None:
    words = '字,"\n' * 1_000_000
    assert through(connection, "words", [words]) == [words]


def test_a_number_keeps_every_bit(connection: Connection) -> None:
    values = [0.1, 1 / 3, 1e-300, 123456789012.0, -0.30000000000000004, 5e15 + 0.5]
    assert through(connection, "value", values) == values


def test_booleans_moments_and_days_keep_their_meaning(connection: Connection) -> None:
    beijing = datetime.timezone(datetime.timedelta(hours=8))
    moment = datetime.datetime(2026, 11, 24, 2, 0, 0, 123456, tzinfo=beijing)
    frame = pd.DataFrame({"number": [1], "is_so": [True], "moment": [moment], "day": [datetime.date(2024, 2, 29)]})
    copy_frame(connection, TABLE, frame)
    assert connection.execute(sa.select(TABLE.c.is_so, TABLE.c.moment, TABLE.c.day)).one() == (
        True,
        moment,
        datetime.date(2024, 2, 29),
    )


def test_a_column_the_frame_lacks_takes_its_default(connection: Connection) -> None:
    assert through(connection, "words", ["x"]) == ["x"]
    assert connection.scalar(sa.select(TABLE.c.extra)) == "default"


def test_an_empty_frame_writes_nothing(connection: Connection) -> None:
    assert copy_frame(connection, TABLE, pd.DataFrame({"number": [], "words": []})) == 0
    assert connection.scalar(sa.select(sa.func.count()).select_from(TABLE)) == 0


def test_a_copy_belongs_to_the_transaction(centre_engine: Engine) -> None:
    with centre_engine.connect() as made:
        TABLE.create(made)
        copy_frame(made, TABLE, pd.DataFrame({"number": [1]}))
        made.rollback()
        assert made.scalar(sa.text("SELECT to_regclass('staging.probe')")) is None


KINDS = (("small", "int2"), ("middle", "int4"), ("large", "int8"), ("number", "float8"), ("letter", "char"))
READ = sql.SQL("SELECT * FROM (VALUES {}) AS v (small, middle, large, number, letter)")


def test_fixed_rows_are_read_with_their_types(connection: Connection) -> None:
    query = READ.format(
        sql.SQL(
            "(1::int2, 20240112::int4, 9007199254740993::int8, 0.1::float8, 'A'::char),(-1::int2, -2, -3, -0.5, 'M'::char)"
        )
    )
    frame = read_fixed(connection, query, KINDS)
    assert frame.to_dict("list") == {
        "small": [1, -1],
        "middle": [20240112, -2],
        "large": [9007199254740993, -3],
        "number": [0.1, -0.5],
        "letter": [b"A", b"M"],
    }
    assert [str(dtype) for dtype in frame.dtypes[:4]] == ["int16", "int32", "int64", "float64"]


def test_nan_is_read_as_nan(connection: Connection) -> None:
    frame = read_fixed(connection, sql.SQL("SELECT coalesce(NULL::float8, 'NaN') AS number"), (("number", "float8"),))
    assert np.isnan(frame["number"]).tolist() == [True]


def test_no_rows_are_an_empty_frame_with_columns(connection: Connection) -> None:
    frame = read_fixed(connection, sql.SQL("SELECT 1::int4 AS middle WHERE false"), (("middle", "int4"),))
    assert (list(frame.columns), len(frame)) == (["middle"], 0)


def test_many_rows_come_out_as_they_went_in(connection: Connection) -> None:
    values = np.random.default_rng(1).normal(size=20_000)
    copy_frame(connection, TABLE, pd.DataFrame({"number": np.arange(20_000), "value": values}))
    query = sql.SQL("SELECT number, value FROM staging.probe ORDER BY number")
    read = read_fixed(connection, query, (("number", "int4"), ("value", "float8")))
    assert read["number"].tolist() == list(range(20_000))
    assert (read["value"].to_numpy() == values).all()


def test_a_temporary_table_is_replaced_and_ends_with_the_transaction(centre_engine: Engine) -> None:
    definition = (("indicator_key", "smallint"),)
    with centre_engine.connect() as made:
        replace_temporary(made, "wanted", definition, pd.DataFrame({"indicator_key": [1, 2]}))
        replace_temporary(made, "wanted", definition, pd.DataFrame({"indicator_key": [3]}))
        assert made.scalars(sa.text("SELECT indicator_key FROM pg_temp.wanted")).all() == [3]
        made.commit()
        assert made.scalar(sa.text("SELECT to_regclass('pg_temp.wanted')")) is None
