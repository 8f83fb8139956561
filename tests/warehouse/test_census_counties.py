"""The 2,845 county units of the 2020 census, loaded as figures: the nation's inequality, each province's, and its layers.

Numbers are checked against a few lines of NumPy written here, over the census's file, from the definitions (all pairs, no
sorting); nothing of the code under test is used for them.
"""

import csv
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sqlalchemy import Engine

import warehouse.catalogue
from tests.warehouse.centre import CATALOGUE, PROVINCES, Cell, Centre, Return

FILE = Path(warehouse.catalogue.__file__).parent / "county_population_2020.csv"
CENSUS = list(csv.DictReader(FILE.open(encoding="utf-8", newline="")))
CODES = np.array([row["region_code"] for row in CENSUS])
PEOPLE = np.array([float(row["population_total"]) for row in CENSUS])
FIGURES = {
    "EDU_MEAN_YEARS": np.array([float(row["mean_years_schooling"]) for row in CENSUS]),
    "EDU_ILLITERACY_RATE": np.array([float(row["illiteracy_rate"]) for row in CENSUS]),
}
PROVINCE = np.array([code[:2] for code in CODES])
GROUP = np.array([CATALOGUE.provinces[f"{code}0000"].region_group for code in PROVINCE])
EACH = list(itertools.product(FIGURES, ("none", "population")))
ONES = np.ones_like(PEOPLE)

Numbers = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def rows(centre_engine: Engine) -> dict[tuple[str, str, str], dict[str, Any]]:
    """``mart.inequality`` of 2020 by indicator, scope and weighting, after a night with the 31 returns of the counties."""
    centre = Centre(centre_engine)
    centre.empty()
    returns = []
    for province in PROVINCES:
        cells = [
            Cell(indicator, code, float(value))
            for indicator, values in (("POP_RESIDENT", PEOPLE), *FIGURES.items())
            for code, value in zip(CODES, values, strict=True)
            if code[:2] == province[:2]
        ]
        returns.append(Return("employment_annual", province, "2020", tuple(cells)))
    centre.night(*returns)
    found = centre.values(
        "SELECT to_jsonb(m) FROM mart.inequality m WHERE period_code = '2020' AND area_type = 'total'"
    )
    return {(row["indicator_code"], row["scope"], row["weighting"]): row for row in found}


def weights_of(weighting: str) -> Numbers:
    return PEOPLE if weighting == "population" else ONES


def gini_of_pairs(x: Numbers, w: Numbers) -> float:
    distance = sum(float((w[i] * w * np.abs(x[i] - x)).sum()) for i in range(x.size))
    return distance / (2 * w.sum() ** 2 * np.average(x, weights=w))


def theil(x: Numbers, w: Numbers) -> float:
    ratio = x / np.average(x, weights=w)
    return float(np.average(ratio * np.log(np.where(ratio > 0, ratio, 1)), weights=w))


def between(x: Numbers, w: Numbers, parts: npt.NDArray[Any]) -> float:
    """Theil T of the means of the parts."""
    names = np.unique(parts)
    means = np.array([np.average(x[parts == name], weights=w[parts == name]) for name in names])
    return theil(means, np.array([w[parts == name].sum() for name in names]))


def test_the_file_is_the_census_that_was_published() -> None:
    """Of 1,409,778,724 people 19 million live in development zones with codes of their own, which are no county units."""
    assert len(CENSUS) == 2845
    assert PEOPLE.sum() == 1_386_598_183
    assert 0 < 1_409_778_724 - PEOPLE.sum() < 25_000_000


@pytest.mark.parametrize(("indicator", "weighting"), EACH)
def test_the_nation_over_all_counties(rows: dict[Any, dict[str, Any]], indicator: str, weighting: str) -> None:
    x, w, row = FIGURES[indicator], weights_of(weighting), rows[indicator, "nation:county", weighting]
    assert (row["units"], row["units_missing"], row["status"], row["grade"]) == (2845, 0, "ok", "A")
    mean = np.average(x, weights=w)
    assert row["mean"] == pytest.approx(mean, rel=1e-12)
    assert row["cv"] == pytest.approx(np.sqrt(np.average((x - mean) ** 2, weights=w)) / mean, rel=1e-10)
    assert row["gini"] == pytest.approx(gini_of_pairs(x, w), rel=1e-10)
    assert row["theil_t"] == pytest.approx(theil(x, w), rel=1e-9)
    assert row["max_min_difference"] == pytest.approx(x.max() - x.min())


@pytest.mark.parametrize(("indicator", "weighting"), EACH)
def test_between_provinces_and_within_them(rows: dict[Any, dict[str, Any]], indicator: str, weighting: str) -> None:
    x, w, row = FIGURES[indicator], weights_of(weighting), rows[indicator, "nation:county", weighting]
    assert row["theil_t_between"] == pytest.approx(between(x, w, PROVINCE), rel=1e-9)
    total = float((w * x).sum())
    own = sum(
        (w[mine] * x[mine]).sum() / total * theil(x[mine], w[mine])
        for mine in (code == PROVINCE for code in set(PROVINCE))
    )
    assert row["theil_t_within"] == pytest.approx(own, rel=1e-9)
    assert row["theil_t_within"] + row["theil_t_between"] == pytest.approx(row["theil_t"], abs=1e-9)


@pytest.mark.parametrize(("indicator", "weighting"), EACH)
def test_the_three_layers_sum(rows: dict[Any, dict[str, Any]], indicator: str, weighting: str) -> None:
    x, w, row = FIGURES[indicator], weights_of(weighting), rows[indicator, "nation:county", weighting]
    groups, provinces = between(x, w, GROUP), between(x, w, PROVINCE)
    assert row["theil_t_between_groups"] == pytest.approx(groups, rel=1e-9)
    assert row["theil_t_between_provinces"] == pytest.approx(provinces - groups, rel=1e-9)
    assert row["theil_t_within_provinces"] == pytest.approx(theil(x, w) - provinces, rel=1e-8)
    layers = ("theil_t_between_groups", "theil_t_between_provinces", "theil_t_within_provinces")
    assert sum(row[layer] for layer in layers) == pytest.approx(row["theil_t"], abs=1e-9)


@pytest.mark.parametrize("weighting", ["none", "population"])
@pytest.mark.parametrize("province", PROVINCES)
def test_each_province_over_its_counties(rows: dict[Any, dict[str, Any]], province: str, weighting: str) -> None:
    mine = province[:2] == PROVINCE
    for indicator, values in FIGURES.items():
        x, w, row = values[mine], weights_of(weighting)[mine], rows[indicator, f"{province}:county", weighting]
        assert (row["units"], row["units_missing"], row["status"]) == (mine.sum(), 0, "ok")
        assert row["gini"] == pytest.approx(gini_of_pairs(x, w), rel=1e-9)
        assert row["theil_t"] == pytest.approx(theil(x, w), rel=1e-8)
        assert row["theil_t_between_groups"] is None
        if row["theil_t_within"] is not None:
            assert row["theil_t_within"] + row["theil_t_between"] == pytest.approx(row["theil_t"], abs=1e-9)


def test_what_the_census_says_of_schooling(rows: dict[Any, dict[str, Any]]) -> None:
    """Illiteracy is far more unequal than years of schooling, and of both most lies within provinces, not between them."""
    years, illiterate = (rows[indicator, "nation:county", "population"] for indicator in FIGURES)
    assert years["mean"] == pytest.approx(9.4657, abs=5e-5)
    assert illiterate["gini"] > 3 * years["gini"]
    assert all(row["theil_t_within"] > row["theil_t_between"] for row in (years, illiterate))


def test_counties_have_no_income_to_be_ranked_by(rows: dict[Any, dict[str, Any]]) -> None:
    assert {row["ranking_status"] for row in rows.values() if row["scope"].endswith(":county")} == {
        "no_ranking_variable"
    }
