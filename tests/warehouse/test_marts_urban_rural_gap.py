"""The gap of each place: what is compared, the ratio's edge, who is worse off."""

import math

import pytest

from tests.warehouse.frames import CATALOGUE, figures, slice_of
from warehouse.marts.urban_rural_gap import GAP_COLUMNS, urban_rural_gap

INCOME, PUPILS = "INC_DISPOSABLE", "EDU_PRIMARY_PUPILS_PER_TEACHER"


def pair(indicator: str, period: str, urban: float | None, rural: float | None, statuses: str = "AA"):
    return figures(
        (indicator, period, "510000", area, value, status)
        for area, value, status in zip(("urban", "rural"), (urban, rural), statuses, strict=True)
    )


def gap(*args, **kwargs):
    rows = urban_rural_gap(pair(*args, **kwargs), CATALOGUE)
    assert len(rows) == 1
    return rows.iloc[0]


def test_ratio_and_difference() -> None:
    row = gap(INCOME, "2024", 52000.0, 21000.0)
    assert (row.urban_value, row.rural_value, row.difference) == (52000.0, 21000.0, 31000.0)
    assert row.ratio == pytest.approx(52 / 21, rel=1e-15)
    assert row.status == "ok"


def test_a_rural_zero_has_no_ratio_but_a_difference() -> None:
    row = gap(INCOME, "2024", 5.0, 0.0)
    assert math.isnan(row.ratio)
    assert (row.difference, row.status) == (5.0, "undefined_zero_value")


@pytest.mark.parametrize(
    ("indicator", "period", "urban", "rural", "disadvantaged"),
    [
        pytest.param(INCOME, "2024", 5.0, 4.0, "rural", id="higher is better"),
        pytest.param(INCOME, "2024", 4.0, 5.0, "urban", id="higher is better, turned"),
        pytest.param(PUPILS, "SY2024", 20.0, 10.0, "urban", id="lower is better"),
        pytest.param(PUPILS, "SY2024", 10.0, 20.0, "rural", id="lower is better, turned"),
        pytest.param(INCOME, "2024", 5.0, 5.0, "none", id="equal"),
    ],
)
def test_the_direction_says_who_is_worse_off(indicator, period, urban, rural, disadvantaged) -> None:
    assert gap(indicator, period, urban, rural).disadvantaged == disadvantaged


def test_the_weaker_status_of_the_two() -> None:
    row = gap(INCOME, "2024", 5.0, 4.0, statuses="EP")
    assert (row.obs_status, row.is_estimated) == ("E", True)
    assert not gap(INCOME, "2024", 5.0, 4.0, statuses="AP").is_estimated


@pytest.mark.parametrize(
    ("urban", "rural"), [pytest.param(5.0, None, id="rural blank"), pytest.param(None, 5.0, id="urban blank")]
)
def test_one_side_alone_is_no_gap(urban, rural) -> None:
    assert urban_rural_gap(pair(INCOME, "2024", urban, rural), CATALOGUE).empty


def test_counts_are_not_compared() -> None:
    rows = urban_rural_gap(pair("POP_RESIDENT", "2024", 5.0, 4.0), CATALOGUE)
    assert rows.empty
    assert tuple(rows.columns) == GAP_COLUMNS


def test_periods_and_places_are_not_mixed() -> None:
    frame = figures([(INCOME, "2024", "510000", "urban", 5.0, "A"), (INCOME, "2023", "510000", "rural", 4.0, "A")])
    assert urban_rural_gap(frame, CATALOGUE).empty


def test_slices_limit_the_rows() -> None:
    frame = pair(INCOME, "2024", 5.0, 4.0)
    assert urban_rural_gap(frame, CATALOGUE, {slice_of(INCOME, "2023")}).empty
