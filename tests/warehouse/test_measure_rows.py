"""The catalogue's rows of measures tell of every measure of every mart, and say of each when it is null as the code does."""

import pytest

from expectations.marts.common import METRIC_STATUSES
from warehouse import measures
from warehouse.catalogue import Measure, load_catalogue
from warehouse.marts.registry import MARTS
from warehouse.measures.statuses import SAMPLE_MEASURES, Needs

CATALOGUE = load_catalogue()
#: What a row is of, rests on or is held against: no measure.
CONTEXT = {
    *(
        "value",
        "obs_status",
        "status",
        "grade",
        "status_recent",
        "ranking_status",
        "scope",
        "weighting",
        "measure",
        "part",
    ),
    *("units", "units_missing", "units_estimated", "coverage", "years", "first_year", "last_year", "pooled_units"),
    *(
        "floor_value",
        "floor_kind",
        "next_floor_value",
        "nation_value",
        "against_nation",
        "against_floor",
        "heads",
        "revenue",
    ),
    *("urban_value", "rural_value", "plausible_low", "plausible_high", "members", "members_missing", "population"),
    *("area_km2", "score_employment", "score_education", "score_health", "map_status", "reported_codes"),
    *("resource_code", "schools", "schools_missing", "schools_estimated", "pupils", "line", "cv_limit"),
}
#: Where a need of a measure is not met, the row has this status.
STATUS_OF_NEED = {
    "mean_above_zero": "undefined_zero_mean",
    "least_above_zero": "undefined_zero_value",
    "ranking": "no_ranking_variable",
}


@pytest.mark.parametrize("mart", MARTS)
def test_every_measure_of_a_mart_has_one_row(mart: str) -> None:
    told = [column for row in CATALOGUE.measures if row.mart == mart for column in row.columns]
    columns = {column.name for column in MARTS[mart].table.columns}
    expected = {
        name for name in columns - CONTEXT if not name.endswith("_key") and name not in ("release_from", "release_to")
    }
    # Two measures share the slope of a line.
    assert set(told) == expected
    assert len(told) == len(set(told))


@pytest.mark.parametrize("row", CATALOGUE.measures, ids=lambda row: f"{row.mart}-{row.measure}")
def test_a_row_names_a_function_and_statuses_there_are(row: Measure) -> None:
    assert getattr(measures, row.measure).__doc__
    assert set(row.null_when) <= set(METRIC_STATUSES) - {"ok"}


@pytest.mark.parametrize(
    "row", [row for row in CATALOGUE.measures if row.mart == "inequality"], ids=lambda row: row.measure
)
def test_a_row_says_the_needs_that_the_code_has(row: Measure) -> None:
    for column in set(row.columns) & SAMPLE_MEASURES.keys():
        needs: Needs = SAMPLE_MEASURES[column].needs
        for need, status in STATUS_OF_NEED.items():
            assert not getattr(needs, need) or status in row.null_when
