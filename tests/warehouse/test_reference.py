"""The catalogue in the database: it is there as the files say, and follows them."""

import dataclasses
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from tests.warehouse.centre import CATALOGUE, Centre, beds, health
from warehouse.periods import parse_period
from warehouse.reference import add_new_rows, ensure_periods, sync_catalogue


@pytest.fixture
def connection(centre: Centre) -> Iterator[Connection]:
    """A transaction on a warehouse that has the catalogue and no refresh, rolled back at the end."""
    with centre.engine.connect() as made:
        yield made
        made.rollback()


def count(connection: Connection, table: str) -> int:
    return int(connection.scalar(sa.text(f"SELECT count(*) FROM {table}")) or 0)


def versions(connection: Connection, table: str) -> set[tuple[object, ...]]:
    """Row versions: a row that was written again has another place."""
    return {tuple(row) for row in connection.execute(sa.text(f"SELECT ctid::text, xmin::text FROM {table}"))}


def test_every_indicator_region_and_standard_is_there(connection: Connection) -> None:
    assert count(connection, "core.indicator") == 89 + 4 + 2
    assert count(connection, "core.region") == len(CATALOGUE.region_rows)
    assert count(connection, "core.region WHERE is_county_unit") == 2845
    assert count(connection, "core.standard_value WHERE NOT is_withdrawn") == len(CATALOGUE.standards)
    assert count(connection, "core.standard") == 81
    assert count(connection, "core.recomputed_rate") == len(CATALOGUE.recomputed_rates)


def test_an_indicator_is_as_the_catalogue_says(connection: Connection) -> None:
    row = connection.execute(sa.text("SELECT * FROM core.indicator WHERE code = 'PEN_COVERAGE'")).one()
    assert (row.indicator_key, row.name_zh, row.unit) == (25, "基本养老保险参保率（按常住人口）", "percent")
    assert (row.numerator, row.denominator, row.multiplier) == (
        "PEN_EMPLOYEE_INSURED@urban+PEN_RESIDENT_INSURED@total",
        "POP_RESIDENT",
        100,
    )
    assert (
        connection.scalar(sa.text("SELECT area_types FROM core.indicator WHERE code = 'HLT_BEDS'"))
        == "total;urban;rural"
    )


def test_the_nation_is_region_0_and_codes_keep_their_zeros(connection: Connection) -> None:
    rows = connection.execute(
        sa.text("SELECT region_key, region_code, name_zh FROM core.region WHERE region_key IN (0, 510000) ORDER BY 1")
    )
    assert [tuple(row) for row in rows] == [(0, "000000", "全国"), (510000, "510000", "四川省")]


def test_a_standard_has_the_number_of_its_row(connection: Connection) -> None:
    row = connection.execute(
        sa.text(
            "SELECT code, value, s.valid_from::text FROM core.standard_value s JOIN core.indicator USING (indicator_key)"
            " WHERE standard_key = 9"
        )
    ).one()
    assert tuple(row) == ("EDU_PRIMARY_PUPILS_PER_TEACHER", 19, "2014-11-01")


def test_syncing_again_writes_no_row(connection: Connection) -> None:
    tables = (
        "core.indicator",
        "core.region",
        "core.standard",
        "core.standard_value",
        "core.indicator_break",
        "core.milestone",
    )
    before = [versions(connection, table) for table in tables]
    sync_catalogue(connection, CATALOGUE)
    assert [versions(connection, table) for table in tables] == before


def test_a_changed_row_of_the_catalogue_changes_its_row_alone(connection: Connection) -> None:
    renamed = CATALOGUE.indicators["GDP"].model_copy(update={"name_en": "GRP"})
    changed = dataclasses.replace(CATALOGUE, indicators=dict(CATALOGUE.indicators) | {"GDP": renamed})
    before = versions(connection, "core.indicator")
    sync_catalogue(connection, changed)
    assert connection.scalar(sa.text("SELECT name_en FROM core.indicator WHERE code = 'GDP'")) == "GRP"
    assert len(versions(connection, "core.indicator") - before) == 1


def test_a_value_that_became_blank_becomes_null(connection: Connection) -> None:
    changed = CATALOGUE.indicators["PEN_COVERAGE"].model_copy(update={"plausible_max": None})
    assert CATALOGUE.indicators["PEN_COVERAGE"].plausible_max is not None
    indicators = dict(CATALOGUE.indicators) | {"PEN_COVERAGE": changed}
    sync_catalogue(connection, dataclasses.replace(CATALOGUE, indicators=indicators))
    assert connection.scalar(sa.text("SELECT plausible_max FROM core.indicator WHERE code = 'PEN_COVERAGE'")) is None


def test_the_catalogue_of_the_last_release_is_not_written_again(centre: Centre) -> None:
    another = dataclasses.replace(CATALOGUE, sha256="another")
    centre.night(health(beds(1.0)))
    with centre.engine.begin() as connection:
        assert sync_catalogue(connection, CATALOGUE) is False
        assert sync_catalogue(connection, another) is True


def test_new_rows_are_added_and_what_is_there_stays(connection: Connection) -> None:
    renamed = CATALOGUE.indicators["GDP"].model_copy(update={"name_en": "GRP"})
    added = CATALOGUE.indicators["GDP"].model_copy(update={"code": "GNI", "indicator_key": 900})
    indicators = dict(CATALOGUE.indicators) | {"GDP": renamed, "GNI": added}
    add_new_rows(connection, dataclasses.replace(CATALOGUE, indicators=indicators))
    rows = connection.execute(
        sa.text("SELECT code, name_en FROM core.indicator WHERE code IN ('GDP', 'GNI') ORDER BY 1")
    )
    assert [tuple(row) for row in rows] == [("GDP", "Gross regional product"), ("GNI", "Gross regional product")]


def test_a_row_the_catalogue_no_longer_has_stays(connection: Connection) -> None:
    fewer = {code: row for code, row in CATALOGUE.indicators.items() if code != "DIG_BROADBAND_PER_100"}
    sync_catalogue(connection, dataclasses.replace(CATALOGUE, indicators=fewer))
    assert count(connection, "core.indicator") == 89 + 4 + 2


def test_a_standard_the_catalogue_no_longer_has_stays_for_its_releases_and_is_not_shown(connection: Connection) -> None:
    shown = "mart.standard WHERE document = 'base quota of 2023'"
    assert count(connection, shown) == 2
    fewer = tuple(row for row in CATALOGUE.standards if row.document != "base quota of 2023")
    sync_catalogue(connection, dataclasses.replace(CATALOGUE, standards=fewer))
    assert count(connection, shown) == 0
    assert count(connection, "core.standard_value WHERE document = 'base quota of 2023'") == 2
    sync_catalogue(connection, CATALOGUE)
    assert count(connection, shown) == 2


def test_a_new_standard_is_not_added_before_its_release(connection: Connection) -> None:
    new = CATALOGUE.standards[-1].model_copy(update={"standard_key": 9_999})
    add_new_rows(connection, dataclasses.replace(CATALOGUE, standards=(*CATALOGUE.standards, new)))
    assert count(connection, "core.standard_value WHERE standard_key = 9999") == 0


def test_periods_are_added_once(connection: Connection) -> None:
    keys = [parse_period(code).key for code in ("2024", "SY2024", "2024-M01-M03", "2024")]
    ensure_periods(connection, keys)
    ensure_periods(connection, keys[:2])
    ensure_periods(connection, [])
    rows = connection.execute(
        sa.text(
            "SELECT period_code, kind, period_start::text, period_end::text FROM core.period"
            " WHERE period_key = ANY(:keys) ORDER BY period_key"
        ),
        {"keys": keys},
    )
    assert [tuple(row) for row in rows] == [
        ("2024", "year", "2024-01-01", "2024-12-31"),
        ("2024-M01-M03", "cumulative", "2024-01-01", "2024-03-31"),
        ("SY2024", "school_year", "2024-09-01", "2025-08-31"),
    ]
