"""Since when figures are comparable: the latest break of the indicator, area type and region, none after the period."""

import dataclasses

import numpy as np
import pytest

from tests.warehouse.frames import CATALOGUE, key_of
from warehouse.breaks import crosses_break, definition_breaks, first_comparable_years
from warehouse.catalogue import Break
from warehouse.panels import AREA_KEYS
from warehouse.periods import parse_period

REPORTED, COMPUTED = "HLT_BEDS_PER_10K", "HLT_BEDS_PER_1000"


def first_year(indicator: str, area: str, period: str, region: str, catalogue=CATALOGUE) -> int:
    return int(
        first_comparable_years(
            catalogue,
            np.array([key_of(indicator)]),
            np.array([AREA_KEYS[area]]),
            np.array([parse_period(period).key]),
            np.array([int(region)]),
        )[0]
    )


def with_breaks(*breaks: tuple[str, str | None, str | None, int]):
    rows = tuple(
        Break(
            indicator_code=code, region_code=region, area_type=area, first_year_of_new_definition=year, what_changed="x"
        )
        for code, region, area, year in breaks
    )
    return dataclasses.replace(CATALOGUE, breaks=rows)


@pytest.mark.parametrize(
    ("area", "period", "region", "expected"),
    [
        pytest.param("rural", "2024", "510000", 2021, id="after the break"),
        pytest.param("rural", "2021", "510000", 2021, id="its year is of the new definition"),
        pytest.param("rural", "2020", "510000", 0, id="before it nothing is broken"),
        pytest.param("total", "2024", "510000", 0, id="another area type"),
        pytest.param("total", "2024", "110000", 2012, id="one province's break"),
        pytest.param("total", "2024", "110105", 2012, id="a county has its province's"),
        pytest.param("total", "2024", "120000", 0, id="another province has it not"),
        pytest.param("total", "2024", "000000", 0, id="nor has the nation"),
    ],
)
def test_the_latest_break_counts_that_is_of_the_figure(area: str, period: str, region: str, expected: int) -> None:
    assert first_year(REPORTED, area, period, region) == expected


def test_of_several_breaks_the_latest_not_after_the_period() -> None:
    catalogue = with_breaks(*((REPORTED, None, None, year) for year in (2018, 2012, 2021)))
    found = [first_year(REPORTED, "total", str(year), "510000", catalogue) for year in (2011, 2012, 2019, 2025)]
    assert found == [0, 2012, 2018, 2021]


def test_a_derived_indicator_breaks_with_its_parts() -> None:
    catalogue = with_breaks(("POP_RESIDENT", None, "total", 2015))
    assert first_year(COMPUTED, "total", "2020", "510000", catalogue) == 2015
    assert first_year(COMPUTED, "total", "2014", "510000", catalogue) == 0


def test_a_school_year_belongs_to_the_year_in_which_it_begins() -> None:
    catalogue = with_breaks(("EDU_CONSOLIDATION_RATE", None, None, 2020))
    assert first_year("EDU_CONSOLIDATION_RATE", "total", "SY2019", "510000", catalogue) == 0
    assert first_year("EDU_CONSOLIDATION_RATE", "total", "SY2020", "510000", catalogue) == 2020


@pytest.mark.parametrize(
    ("broken", "region", "is_broken"),
    [
        ("510100", "510104", True),
        ("510100", "510700", False),
        ("510104", "510104", True),
        ("510104", "510105", False),
        ("000000", "000000", True),
        ("000000", "510000", False),
    ],
)
def test_a_break_is_of_the_places_within_its_region(broken: str, region: str, is_broken: bool) -> None:
    assert (first_year(REPORTED, "total", "2024", region, with_breaks((REPORTED, broken, None, 2020))) > 0) is is_broken


def test_many_rows_at_once_are_as_one_by_one_and_agree_with_the_rule_for_two_years() -> None:
    codes = sorted({row.indicator_code for row in definition_breaks(CATALOGUE)})
    rows = [
        (code, area, year, region)
        for code in codes
        for area in AREA_KEYS
        for year in (2010, 2012, 2013, 2017, 2021, 2024)
        for region in ("110000", "110101", "510000")
    ]
    found = first_comparable_years(
        CATALOGUE,
        np.array([key_of(code) for code, _, _, _ in rows]),
        np.array([AREA_KEYS[area] for _, area, _, _ in rows]),
        np.array([parse_period(str(year)).key for _, _, year, _ in rows]),
        np.array([int(region) for _, _, _, region in rows]),
    )
    breaks = definition_breaks(CATALOGUE)
    for (code, area, year, region), first in zip(rows, found.tolist(), strict=True):
        within = {region, f"{region[:2]}0000"}
        assert not crosses_break(breaks, code, area, (first or 1900, year), within) or first == 0
        assert (first == 0) == (not crosses_break(breaks, code, area, (1900, year), within))


def test_no_rows_have_no_years() -> None:
    nothing = np.empty(0, dtype=np.int64)
    assert first_comparable_years(CATALOGUE, nothing, nothing, nothing, nothing).size == 0
