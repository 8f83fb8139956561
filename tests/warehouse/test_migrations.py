"""Migrations: up, down and up again on a filled warehouse; one truth about tables; what a reader may do."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, create_engine, inspect, text

from resources.database import Warehouse
from tests.warehouse.centre import CATALOGUE, Centre, beds, employment, everywhere, health, people
from warehouse import schema
from warehouse.errors import SchemaOutdatedError
from warehouse.migrating import HEAD, current_revision, downgrade, migrate, require_current
from warehouse.reference import sync_catalogue

MARTS = [
    "attainment",
    "attainment_history",
    "change_attribution",
    "change_attribution_history",
    "composite_index",
    "composite_index_history",
    "convergence",
    "convergence_history",
    "cost_to_floor",
    "cost_to_floor_history",
    "county_balance",
    "county_balance_history",
    "coupling",
    "coupling_history",
    "index_weight",
    "index_weight_history",
    "indicator",
    "indicator_break",
    "inequality",
    "inequality_bounds",
    "inequality_bounds_history",
    "inequality_history",
    "lineage",
    "measure",
    "observation",
    "observation_harmonised",
    "observation_history",
    "peer",
    "peer_history",
    "precision_change",
    "rate_comparison",
    "reform_milestone",
    "reform_milestone_summary",
    "region",
    "region_change",
    "region_coverage",
    "region_step",
    "region_today",
    "release",
    "release_decision",
    "release_history",
    "release_horizon",
    "release_in_force",
    "reporting",
    "resource_agglomeration",
    "resource_agglomeration_history",
    "revision",
    "revision_statistics",
    "revision_triangle",
    "revision_triangle_summary",
    "school_resource",
    "school_resource_history",
    "shortfall",
    "shortfall_history",
    "shortfall_risk",
    "shortfall_risk_history",
    "standard",
    "standard_item",
    "trend",
    "trend_history",
    "urban_rural_gap",
    "urban_rural_gap_history",
]
WRITING = "-c default_transaction_read_only=off"


def relations(connection: Connection) -> set[tuple[str, str, str]]:
    """(schema, name, kind) of every table, view, index and sequence of ours."""
    rows = connection.execute(
        text(
            "SELECT nspname, relname, relkind::text FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE nspname IN ('core', 'ops', 'mart', 'staging')"
        )
    )
    return {tuple(row) for row in rows}


def revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return current_revision(connection)


def fill(engine: Engine) -> Centre:
    """A published release with figures, a mart, receipts, quarantine and a revision."""
    with engine.begin() as connection:
        sync_catalogue(connection, CATALOGUE)
    centre = Centre(engine)
    centre.night(*everywhere("employment_annual", "2024", "POP_RESIDENT", 1000.0))
    centre.night(health(beds(5.0), bad=(("表1!D5", "约12", "not_a_number"),)), health(beds(6.0)))
    assert centre.values("SELECT count(*) FROM mart.attainment") == [0]
    assert centre.values("SELECT count(*) > 31 FROM mart.observation") == [True]
    return centre


# --- up and down ---


def test_an_empty_database_is_brought_to_this_codes_revision(engine: Engine) -> None:
    assert revision(engine) == HEAD
    require_current(engine)


def test_a_current_warehouse_is_left_alone(engine: Engine) -> None:
    assert migrate(engine) is False


def test_a_filled_warehouse_goes_down_and_up_again(engine: Engine) -> None:
    fill(engine)
    with engine.connect() as connection:
        before = relations(connection)
    downgrade(engine, "base")
    assert revision(engine) is None
    with engine.connect() as connection:
        assert {name for _, name, _ in relations(connection)} == {"schema_revision", "schema_revision_pkc"}
    assert migrate(engine) is True
    with engine.connect() as connection:
        assert relations(connection) == before
    fill(engine)


def test_a_warehouse_with_local_standards_goes_down_without_them(engine: Engine) -> None:
    fill(engine)
    with engine.begin() as connection:
        pension = "INSERT INTO core.standard_value SELECT 100001, indicator_key, kind, op, 200, valid_from, valid_to,"
        rest = " target_year, region_group, document, certainty, null, null, true, '510000' FROM core.standard_value"
        connection.execute(text(f"{pension}{rest} WHERE standard_key = 8"))
        met = "INSERT INTO core.attainment VALUES (26, 20250112, 510000, 0, {}, 1, null, 250, 'A', 200, 'floor', 0.25, true)"
        connection.execute(text(met.format(8)))
        connection.execute(text(met.format(100001)))
    downgrade(engine, "0001")
    with engine.connect() as connection:
        assert connection.scalars(text("SELECT standard_key FROM core.attainment")).all() == [8]
        assert connection.scalar(text("SELECT max(standard_key) < 40 FROM core.standard_value")) is True
        assert connection.scalar(text("SELECT count(*) FROM mart.standard")) > 30
    assert migrate(engine) is True
    with engine.connect() as connection:
        bound = "SELECT count(*) FROM mart.standard WHERE is_binding <> (floor_kind = 'floor')"
        assert connection.scalar(text(bound)) == 0


def test_a_warehouse_of_another_revision_is_refused_with_the_command_to_run(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE ops.schema_revision SET version_num = '0000'"))
    with pytest.raises(SchemaOutdatedError, match="junheng db migrate") as raised:
        require_current(engine)
    assert (raised.value.found, raised.value.expected) == ("0000", HEAD)


def test_a_warehouse_that_was_never_migrated_is_refused(engine: Engine) -> None:
    downgrade(engine, "base")
    with pytest.raises(SchemaOutdatedError) as raised:
        require_current(engine)
    assert raised.value.found is None


# --- one truth about tables ---


def _is_ours(thing: Any, name: str | None, kind: str, reflected: bool, compared: Any) -> bool:
    """Partitions and Alembic's own table stand in no module."""
    is_partition = kind == "table" and reflected and thing.schema == "core" and str(name).startswith("observation_")
    return not (is_partition or (kind == "table" and name == "schema_revision"))


def test_the_tables_are_those_of_the_schema_module(centre_engine: Engine) -> None:
    options = {"include_schemas": True, "include_object": _is_ours, "compare_type": True}
    with centre_engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, schema.metadata) == []


def test_columns_of_the_schema_module_have_the_databases_nullability_and_default(centre_engine: Engine) -> None:
    found = inspect(centre_engine)
    for table in schema.metadata.tables.values():
        columns = {column["name"]: column for column in found.get_columns(table.name, table.schema)}
        for column in table.columns:
            assert columns[column.name]["nullable"] == column.nullable, f"{table}.{column.name}"
            if column.server_default is not None and column.identity is None:
                assert columns[column.name]["default"] is not None, f"{table}.{column.name}"


def test_staging_is_unlogged_and_the_fact_is_partitioned_by_year(centre_engine: Engine) -> None:
    with centre_engine.connect() as connection:
        assert (
            connection.scalar(text("SELECT relpersistence FROM pg_class WHERE oid = 'staging.observation'::regclass"))
            == "u"
        )
        bounds = connection.scalar(
            text("SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = 'core.observation_2024'::regclass")
        )
    assert bounds == "FOR VALUES FROM (20240000) TO (20250000)"


@pytest.mark.parametrize(
    ("period", "partition"),
    [("2024", "core.observation_2024"), ("1999", "core.observation_other"), ("2041", "core.observation_other")],
)
def test_a_figure_of_any_year_has_a_partition(centre: Centre, period: str, partition: str) -> None:
    centre.load(health(beds(1.0, period=period)))
    assert centre.values("SELECT tableoid::regclass::text FROM core.observation") == [partition]


def test_every_table_view_and_column_is_described(centre_engine: Engine) -> None:
    statement = (
        "SELECT nspname || '.' || relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE nspname IN ('core', 'ops', 'mart', 'staging') AND relkind IN ('r', 'p', 'v', 'm') AND NOT relispartition"
        " AND relname <> 'schema_revision' AND coalesce(obj_description(c.oid, 'pg_class'), '') = ''"
    )
    columns = (
        "SELECT nspname || '.' || relname || '.' || attname FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid"
        " JOIN pg_namespace n ON n.oid = relnamespace WHERE (nspname IN ('core', 'ops', 'staging') AND relkind IN ('r', 'p') OR nspname = 'mart')"
        " AND NOT relispartition AND relname <> 'schema_revision' AND attnum > 0 AND NOT attisdropped"
        " AND coalesce(col_description(c.oid, attnum), '') = ''"
    )
    with centre_engine.connect() as connection:
        assert connection.scalars(text(statement)).all() == []
        assert connection.scalars(text(columns)).all() == []


# --- what a reader may do ---


@pytest.fixture
def reader(centre_engine: Engine, warehouse: Warehouse) -> Iterator[psycopg.Connection[Any]]:
    """bi_reader, logged in with his password, on a warehouse that has something to read; no test of his changes it."""
    centre = Centre(centre_engine)
    if centre.values("SELECT array_agg(value) FROM mart.observation") != [[1.0]]:
        centre.empty()
        centre.night(employment(people(1.0)))
    # His sessions are read-only unless he says otherwise: it is his rights that are asked here.
    with psycopg.connect(warehouse.bi_url(), dbname="centre", autocommit=True, options=WRITING) as connection:
        yield connection


def test_the_marts_are_these(centre_engine: Engine) -> None:
    assert sorted(inspect(centre_engine).get_view_names("mart")) == MARTS
    assert inspect(centre_engine).get_table_names("mart") == []


@pytest.mark.parametrize("mart", MARTS)
def test_a_reader_may_select_every_mart(reader: psycopg.Connection[Any], mart: str) -> None:
    reader.execute(f"SELECT * FROM mart.{mart} LIMIT 1").fetchall()


def test_a_reader_sees_the_release_in_force(reader: psycopg.Connection[Any]) -> None:
    assert reader.execute("SELECT value FROM mart.observation").fetchall() == [(1.0,)]


@pytest.mark.parametrize("table", sorted(str(name) for name in schema.metadata.tables))
def test_a_reader_may_not_select_a_table(reader: psycopg.Connection[Any], table: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute(f"SELECT * FROM {table} LIMIT 1")


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO core.period VALUES (1, 'x', 'year', '2024-01-01', '2024-12-31')",
        "UPDATE core.observation SET value = 0",
        "DELETE FROM core.observation",
        "TRUNCATE core.observation",
        "DELETE FROM mart.indicator",
        "UPDATE mart.region SET region_name = 'x'",
        "INSERT INTO mart.region (region_code) VALUES ('999999')",
        "DROP VIEW mart.observation",
        "CREATE TABLE mart.mine (a int)",
        "CREATE VIEW mart.mine AS SELECT 1",
        "CREATE TABLE core.mine (a int)",
        "CREATE TABLE public.mine (a int)",
        "CREATE SCHEMA mine",
        "SELECT nextval('ops.receipt_id_seq')",
        "SELECT * FROM core.observation_2024",
        "SET ROLE junheng",
        "COPY mart.observation TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/hostname')",
    ],
)
def test_a_reader_may_not_write_create_or_look_elsewhere(reader: psycopg.Connection[Any], statement: str) -> None:
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectNotInPrerequisiteState)):
        reader.execute(statement)


def test_a_reader_may_not_make_a_temporary_table_in_the_warehouse(engine: Engine, warehouse: Warehouse) -> None:
    with (
        psycopg.connect(warehouse.bi_url(), options=WRITING) as reader,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        reader.execute("CREATE TEMPORARY TABLE mine (a int)")


def test_a_readers_sessions_are_read_only_unless_he_says_otherwise(engine: Engine, warehouse: Warehouse) -> None:
    with psycopg.connect(warehouse.bi_url()) as reader, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        reader.execute("CREATE TEMPORARY TABLE mine (a int)")


def test_a_mart_made_later_can_be_read(centre_engine: Engine, warehouse: Warehouse) -> None:
    with centre_engine.begin() as connection:
        connection.execute(text("CREATE VIEW mart.later AS SELECT 1 AS one"))
    try:
        with psycopg.connect(warehouse.bi_url(), dbname="centre") as reader:
            assert reader.execute("SELECT one FROM mart.later").fetchall() == [(1,)]
    finally:
        with centre_engine.begin() as connection:
            connection.execute(text("DROP VIEW mart.later"))


def test_two_migrations_at_once_do_the_work_once(engine: Engine) -> None:
    downgrade(engine, "base")
    other = create_engine(engine.url)
    with ThreadPoolExecutor(2) as pool:
        done = sorted(pool.map(migrate, [engine, other]))
    other.dispose()
    assert done == [False, True]
