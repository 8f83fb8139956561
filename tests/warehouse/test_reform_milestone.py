"""Reforms and what their gap did before and after: the series, what counts of it, means and slopes; breaks and estimates."""

import dataclasses

import pytest

from tests.warehouse.centre import CATALOGUE, PROVINCES, Cell, Centre, Return
from warehouse.catalogue import Milestone, load_catalogue
from warehouse.errors import CatalogueError
from warehouse.reference import sync_catalogue

INCOME, PENSION = "INC_DISPOSABLE", "PEN_RESIDENT_MONTHLY"
REFORM = Milestone(
    milestone_code="TEST_2016",
    year=2016,
    name_zh="改革",
    name_en="A reform",
    document="a document",
    indicator_codes=(INCOME,),  # type: ignore[arg-type]
)


def year(period: str, urban: float, rural: float, status: str = "A") -> Return:
    """Sichuan's incomes of town and country."""
    cells = (Cell(INCOME, "510000", urban, "urban", status), Cell(INCOME, "510000", rural, "rural", status))
    return Return("employment_annual", "510000", period, cells)


@pytest.fixture
def reforming(centre: Centre) -> Centre:
    """A centre whose catalogue has one reform, of income in 2016."""
    centre.catalogue = dataclasses.replace(CATALOGUE, milestones=(REFORM,), sha256="with a reform")
    with centre.engine.begin() as connection:
        sync_catalogue(connection, centre.catalogue)
    yield centre
    with centre.engine.begin() as connection:
        sync_catalogue(connection, dataclasses.replace(CATALOGUE, sha256="as shipped"))


SERIES = (
    "SELECT period_code, years_since, measure, value, urban_value, rural_value, is_published, is_comparable"
    " FROM mart.reform_milestone WHERE region_code = :region ORDER BY measure, period_code"
)
SUMMARY = (
    "SELECT years_before, years_after, mean_before, mean_after, difference, slope_before, slope_after, status"
    " FROM mart.reform_milestone_summary WHERE region_code = :region AND measure = :measure"
)


def test_the_gap_of_a_place_year_by_year(reforming: Centre) -> None:
    reforming.night(year("2015", 30.0, 10.0), year("2016", 30.0, 12.0), year("2017", 30.0, 15.0, "E"))
    assert reforming.rows(SERIES, region="510000") == [
        ("2015", -1, "urban_rural_ratio", 3.0, 30.0, 10.0, True, True),
        ("2016", 0, "urban_rural_ratio", 2.5, 30.0, 12.0, True, True),
        ("2017", 1, "urban_rural_ratio", 2.0, 30.0, 15.0, False, True),
    ]


def test_means_and_slopes_of_what_is_published(reforming: Centre) -> None:
    ratios = {"2013": 4.0, "2014": 3.5, "2015": 3.0, "2016": 2.0, "2017": 2.0, "2018": 2.0}
    reforming.night(*(year(period, ratio, 1.0) for period, ratio in ratios.items()), year("2019", 9.0, 1.0, "E"))
    assert reforming.rows(SUMMARY, region="510000", measure="urban_rural_ratio") == [
        (3, 3, 3.5, 2.0, -1.5, pytest.approx(-0.5), pytest.approx(0.0), "ok")
    ]


def test_two_years_have_no_slope_and_one_side_has_no_difference(reforming: Centre) -> None:
    reforming.night(year("2014", 3.0, 1.0), year("2015", 4.0, 1.0))
    assert reforming.rows(SUMMARY, region="510000", measure="urban_rural_ratio") == [
        (2, 0, 3.5, None, None, None, None, "too_few_years")
    ]


def test_what_lies_behind_a_break_is_shown_and_does_not_count(reforming: Centre) -> None:
    """Income has been of one survey since 2013."""
    reforming.night(year("2012", 9.0, 1.0), year("2013", 4.0, 1.0), year("2016", 2.0, 1.0))
    comparable = {row[0]: row[-1] for row in reforming.rows(SERIES, region="510000")}
    assert comparable == {"2012": False, "2013": True, "2016": True}
    assert reforming.rows(SUMMARY, region="510000", measure="urban_rural_ratio")[0][:4] == (1, 1, 4.0, 2.0)


def test_the_spread_of_the_provinces_is_a_series_of_the_nation(reforming: Centre) -> None:
    for period, first in (("2015", 30.0), ("2016", 10.0)):
        values = [first] + [10.0] * (len(PROVINCES) - 1)
        reforming.night(
            *(Return("employment_annual", code, period, (Cell(INCOME, code, value),))
              for code, value in zip(PROVINCES, values, strict=True))
        )  # fmt: skip
    spread = dict(
        reforming.rows(
            "SELECT period_code, cv FROM mart.inequality WHERE scope = 'nation:province' AND weighting = 'none'"
        )
    )
    assert [row[:4] for row in reforming.rows(SERIES, region="000000")] == [
        ("2015", -1, "cv", spread["2015"]),
        ("2016", 0, "cv", 0.0),
    ]


# --- the shipped reforms ---


def test_every_reform_that_the_policy_dates_is_there() -> None:
    assert [(row.milestone_code, row.year) for row in CATALOGUE.milestones] == [
        ("PENSION_2014", 2014),
        ("MEDICAL_2016", 2016),
        ("EDUCATION_2016", 2016),
        ("ALLOWANCE_2021", 2021),
    ]


def test_a_reform_names_indicators_that_can_be_compared(tmp_path) -> None:
    from warehouse.catalogue import FOLDER

    for path in FOLDER.glob("*.csv"):
        text = path.read_text(encoding="utf-8")
        changed = text.replace(",DIB_STANDARD\n", ",DIB_RECIPIENTS\n") if path.name == "milestones.csv" else text
        (tmp_path / path.name).write_text(changed, encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"milestones.csv.*line 5.*DIB_RECIPIENTS"):
        load_catalogue(tmp_path)
