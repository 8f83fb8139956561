"""Peers: who is alike, the best of them, and the distance to it in the good direction."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warehouse.centre import Cell, Centre, Return, employment, health
from tests.warehouse.frames import CATALOGUE, PROVINCES, Row, everywhere, figures, key_of
from warehouse.catalogue import NotApplicable
from warehouse.marts.peer import PEER_COLUMNS, PEERS, peer

RATE, PUPILS = "HLT_BEDS_PER_10K", "EDU_PRIMARY_PUPILS_PER_TEACHER"
#: Provinces in a row: each is as far from its neighbours as any, in size, income and urban share.
STEPS = [1.1**place for place in range(31)]


def features(period: str = "2024", steps: list[float] = STEPS, status: str = "A") -> list[Row]:
    return [
        *everywhere("POP_RESIDENT", period, "total", [1000.0 * step for step in steps], status),
        *everywhere(
            "POP_RESIDENT", period, "urban", [500.0 * step * (0.5 + place / 100) for place, step in enumerate(steps)]
        ),
        *everywhere("INC_DISPOSABLE", period, "total", [20_000.0 * step for step in steps], status),
    ]


def rows_of(values, indicator: str = RATE, period: str = "2024", area: str = "total", **more) -> pd.DataFrame:
    found = peer(figures([*features(), *everywhere(indicator, period, area, values)]), CATALOGUE, **more)
    return found[found["indicator_key"] == key_of(indicator)].reset_index(drop=True)


def near(place: int) -> list[str]:
    """Codes of the five nearest in a row of provinces, as a set."""
    others = sorted((abs(other - place), other) for other in range(31) if other != place)
    return sorted(PROVINCES[other] for _, other in others[:PEERS])


def test_peers_are_the_nearest_by_size_income_and_urban_share() -> None:
    rows = rows_of([50.0 + place for place in range(31)])
    for place in (0, 30):  # at the ends of the row there is no tie
        assert sorted(rows.iloc[place].peers.split(";")) == near(place)
    assert rows.iloc[0].peers == ";".join(PROVINCES[1:6])  # nearest first
    assert all(len(peers.split(";")) == PEERS for peers in rows["peers"])


def test_the_gap_is_to_the_best_peer_in_the_good_direction() -> None:
    row = rows_of([50.0 + place for place in range(31)]).iloc[0]
    assert (row.best_peer_key, row.best_peer_value, row.gap_to_best) == (int(PROVINCES[5]), 55.0, -5.0)
    assert (row.peers_mean, row["rank"]) == (53.0, 6)
    row = rows_of([50.0 - place for place in range(31)]).iloc[0]
    assert (row.best_peer_value, row.gap_to_best, row["rank"]) == (49.0, 1.0, 1)


def test_where_less_is_better_the_best_peer_has_the_least() -> None:
    row = rows_of([20.0 - place / 10 for place in range(31)], PUPILS, "SY2024").iloc[0]
    assert (row.best_peer_value, row["rank"]) == (19.5, 6)
    assert row.gap_to_best == pytest.approx(-0.5)


def test_of_equally_good_peers_the_nearest_is_the_best() -> None:
    row = rows_of(50.0).iloc[0]
    assert (row.best_peer_key, row.gap_to_best, row["rank"]) == (int(PROVINCES[1]), 0.0, 1)


def test_a_missing_peer_is_counted_and_too_many_leave_nothing_to_compare() -> None:
    values = [50.0, None, *[51.0] * 29]
    row = rows_of(values).iloc[0]
    assert (row.units, row.units_missing, row.coverage, row.grade, row.status) == (4, 1, 0.8, "C", "ok")
    row = rows_of([50.0, None, None, *[51.0] * 28]).iloc[0]
    assert (row.units, row.units_missing, row.status) == (3, 2, "insufficient_coverage")
    assert row[["best_peer_key", "best_peer_value", "gap_to_best", "peers_mean", "rank"]].isna().all()


def test_a_province_without_a_figure_has_no_row() -> None:
    assert len(rows_of([None, *[51.0] * 30])) == 30


def test_a_peer_that_cannot_have_it_is_not_missed() -> None:
    cannot = [
        NotApplicable.model_validate(
            {"indicator_code": RATE, "region_code": code, "area_type": "total", "year_from": "2010", "year_to": "",
             "why": "none"}
        )
        for code in PROVINCES[1:4]
    ]  # fmt: skip
    values = [50.0, None, *[51.0] * 29]
    frame = figures([*features(), *everywhere(RATE, "2024", "total", values)])
    one = peer(frame, dataclasses.replace(CATALOGUE, not_applicable=tuple(cannot[:1])))
    row = one[one["indicator_key"] == key_of(RATE)].iloc[0]
    assert (row.units, row.units_missing, row.grade, row.status) == (4, 0, "A", "ok")
    frame = figures([*features(), *everywhere(RATE, "2024", "total", [50.0, None, None, None, *[51.0] * 27])])
    three = peer(frame, dataclasses.replace(CATALOGUE, not_applicable=tuple(cannot)))
    assert three[three["indicator_key"] == key_of(RATE)].iloc[0].status == "too_few_units"


def test_without_known_features_there_are_no_peers_and_no_rows() -> None:
    rows = peer(figures(everywhere(RATE, "2024", "total", 50.0)), CATALOGUE)
    assert (len(rows), tuple(rows.columns)) == (0, PEER_COLUMNS)


def test_features_stand_for_two_years() -> None:
    late = [*features("2022"), *everywhere(RATE, "2024", "total", 50.0)]
    assert len(peer(figures(late), CATALOGUE, {(key_of(RATE), 20240112)})) == 31
    old = [*features("2021"), *everywhere(RATE, "2024", "total", 50.0)]
    assert peer(figures(old), CATALOGUE, {(key_of(RATE), 20240112)}).empty


@pytest.mark.parametrize(
    ("indicator", "period"),
    [("HLT_TOWNSHIP_BED_USE", "2024"), ("HLT_BEDS", "2024"), ("EMP_REGISTERED_UNEMPLOYMENT_RATE", "2024-05")],
)
def test_counts_what_has_no_better_side_and_months_are_left_out(indicator: str, period: str) -> None:
    area = CATALOGUE.indicators[indicator].area_types[0]
    rows = peer(figures([*features(), *everywhere(indicator, period, area, 5.0)]), CATALOGUE)
    assert rows["indicator_key"].unique().tolist() == [key_of("INC_DISPOSABLE")]


def test_estimates_count_and_show() -> None:
    frame = figures([*features(), *everywhere(RATE, "2024", "total", [50.0 + p for p in range(31)], "E")])
    rows = peer(frame, CATALOGUE, {(key_of(RATE), 20240112)})
    assert (set(rows["grade"]), set(rows["units_estimated"]), set(rows["obs_status"])) == ({"C"}, {5}, {"E"})


def test_a_slice_of_which_a_check_warned_has_grade_b() -> None:
    rows = rows_of(50.0, warned={(key_of(RATE), 20240112)})
    assert set(rows["grade"]) == {"B"}


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 99), min_size=31, max_size=31))
def test_rank_gap_and_best_agree(values) -> None:
    rows = rows_of([float(value) for value in values])
    own = dict(zip(rows["region_key"], rows["value"], strict=True))
    for row in rows.itertuples():
        peers = [own[int(code)] for code in row.peers.split(";")]
        assert row.best_peer_value == max(peers) == own[row.best_peer_key]
        assert row.gap_to_best == row.value - max(peers)
        assert row.rank == 1 + sum(value > row.value for value in peers)
        assert row.peers_mean == pytest.approx(np.mean(peers))


def returns(period: str, beds: float) -> list[Return]:
    found = []
    for place, (code, step) in enumerate(zip(PROVINCES, STEPS, strict=True)):
        people = (
            Cell("POP_RESIDENT", code, 1000.0 * step),
            Cell("POP_RESIDENT", code, 400.0 * step + place, "urban"),
            Cell("INC_DISPOSABLE", code, 20_000.0 * step),
        )
        found.append(employment(*people, province=code, period=period))
        found.append(health(Cell(RATE, code, beds + place), province=code, period=period))
    return found


def test_a_changed_figure_recomputes_its_own_year_and_changed_people_what_they_stand_for(centre: Centre) -> None:
    centre.night(*returns("2020", 40.0), *returns("2024", 40.0))
    asked = f"SELECT period_code, max(release_id) FROM mart.peer WHERE indicator_code = '{RATE}' GROUP BY 1 ORDER BY 1"
    assert centre.rows(asked) == [("2020", 1), ("2024", 1)]
    centre.night(health(Cell(RATE, "510000", 99.0), period="2024"))
    assert centre.rows(asked) == [("2020", 1), ("2024", 2)]
    best = f"SELECT DISTINCT best_peer_name FROM mart.peer WHERE indicator_code = '{RATE}' AND best_peer_value = 99"
    assert centre.values(best) == ["四川省"]
    cells = [
        cell
        for item in returns("2020", 40.0)
        if item.province == "510000"
        for cell in item.cells
        if cell.indicator != RATE
    ]
    centre.night(employment(*[dataclasses.replace(cell, value=(cell.value or 0) * 2) for cell in cells], period="2020"))
    assert centre.rows(asked) == [("2020", 3), ("2024", 2)]
