"""The published figures of 2018 and the counties of 2024, from the sandbox's returns to the marts."""

import csv
import datetime

import pytest
from sqlalchemy import Engine

from sandbox.platforms import Clock, Platforms
from sandbox.reference import FIGURES, load_reference
from sandbox.tables import TableMaker
from tests.warehouse.centre import Centre
from tests.warehouse.following import follow
from warehouse.publishing import gather_statistics

YEARS = range(2018, 2025, 6)
ADDITIVE = "SELECT code FROM core.indicator WHERE aggregation = 'sum'"


@pytest.fixture(scope="module")
def filled(centre_engine: Engine) -> Centre:
    """A centre with the annual returns of 2018 and of 2024, the latter with counties, published."""
    centre = Centre(centre_engine)
    centre.empty()
    platforms = Platforms(TableMaker(1, load_reference()), Clock(datetime.date(2026, 4, 19)))
    refresh = centre.open()
    for form in ("employment_annual", "health_annual"):
        follow(centre, form, platforms, YEARS, refresh)
    centre.compute(refresh)
    centre.prepare()
    centre.publish(refresh)
    with centre.engine.begin() as connection:
        gather_statistics(connection)  # as a refresh does; without them a question takes 20 s
    return centre


def test_beds_of_2018_sum_to_the_published_840_4_times_ten_thousand(filled: Centre) -> None:
    provinces = filled.values(
        "SELECT sum(value) FROM mart.observation WHERE indicator_code = 'HLT_BEDS' AND period_code = '2018'"
        " AND area_type = 'total' AND region_level = 'province'"
    )
    nation = filled.values(
        "SELECT value FROM mart.observation WHERE indicator_code = 'HLT_BEDS' AND period_code = '2018'"
        " AND area_type = 'total' AND region_code = '000000'"
    )
    assert [round(provinces[0] / 1e4, 1)] == [round(nation[0] / 1e4, 1)] == [840.4]


def test_physicians_of_2018_are_as_published_in_every_province_and_area_type(filled: Centre) -> None:
    with (FIGURES / "published.csv").open(encoding="utf-8", newline="") as lines:
        published = {
            (row["region_code"], row["area_type"]): float(row["2018"])
            for row in csv.DictReader(lines)
            if row["indicator_code"] == "HLT_PHYSICIANS_PER_10K" and row["2018"]
        }
    shown = filled.rows(
        "SELECT region_code, area_type, value FROM mart.observation WHERE indicator_code = 'HLT_PHYSICIANS_PER_10K'"
        " AND period_code = '2018' AND region_level = 'province' AND obs_status = 'A'"
    )
    assert {row[:2]: row[2] for row in shown} == published
    assert len({area for _, area in published}) == 3


@pytest.mark.parametrize("period", ["2018", "2024"])
def test_sums_of_the_nation_and_of_provinces_are_the_same_on_todays_map(filled: Centre, period: str) -> None:
    """Of every additive indicator: nothing is counted twice and nothing is lost."""
    sums = (
        "SELECT indicator_code, area_type, left(region_code, 2) AS province, region_level, sum(value) FROM mart.{mart}"
        f" WHERE period_code = :period AND indicator_code IN ({ADDITIVE}) AND value IS NOT NULL"
        " GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
    )
    reported = filled.rows(sums.format(mart="observation"), period=period)
    harmonised = filled.rows(sums.format(mart="observation_harmonised"), period=period)
    assert len(reported) > 500
    assert [row[:4] for row in harmonised] == [row[:4] for row in reported]
    assert [row[4] for row in harmonised] == pytest.approx([row[4] for row in reported], rel=1e-12)


def test_counties_whose_codes_changed_are_on_todays_map(filled: Centre) -> None:
    statuses = filled.values("SELECT DISTINCT map_status FROM mart.observation_harmonised WHERE period_code = '2024'")
    assert {"as_reported", "renamed"} <= set(statuses)
