"""Composite indices: what is pooled, what has a score and why another has none, weights beside them, coupling of sectors."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warehouse.centre import Cell, Centre, Return, school
from tests.warehouse.centre import everywhere as returned_everywhere
from tests.warehouse.frames import CATALOGUE, PROVINCES, Row, everywhere, figures, key_of
from warehouse.catalogue import Catalogue, Index, NotApplicable
from warehouse.catalogue.models import Break
from warehouse.marts import reach
from warehouse.marts.composite_index import COMPOSITE_COLUMNS, RANKS, SCORES, composite_index
from warehouse.marts.coupling import COUPLING_COLUMNS, coupling
from warehouse.marts.index_weight import INDEX_WEIGHT_COLUMNS, index_weight
from warehouse.periods import parse_period, year

ORACLES = json.loads((Path(__file__).parent / "oracles.json").read_text(encoding="utf-8"))
#: Four members that may be of one index: +, +, +, −.
MEMBERS = (
    "INC_DISPOSABLE@total",
    "INC_CONSUMPTION@total",
    "EMP_UNIT_WAGE@urban",
    "EMP_REGISTERED_UNEMPLOYMENT_RATE@urban",
)
UNEMPLOYMENT, WAGE = "EMP_REGISTERED_UNEMPLOYMENT_RATE", "EMP_UNIT_WAGE"


def catalogue_of(*members: str, provinces: int = 31, **changes: object) -> Catalogue:
    """A catalogue with one index, over the first provinces."""
    index = Index.model_validate(
        {
            "index_key": 1001,
            "code": "IDX_ONE",
            "name_zh": "一",
            "name_en": "One",
            "sector": "health",
            "members": members,
        }
    )
    some = {code: CATALOGUE.provinces[code] for code in PROVINCES[:provinces]}
    return dataclasses.replace(
        CATALOGUE,
        **({"indices": {index.code: index}, "provinces": some, "breaks": ()} | changes),  # type: ignore[arg-type]
    )


def panel_rows(panel: list[list[float | None]], period: str = "2020", status: str = "A") -> list[Row]:
    """Figures of a table [provinces × members]."""
    return [
        (member.partition("@")[0], period, code, member.partition("@")[2], value, status)
        for code, values in zip(PROVINCES, panel, strict=False)
        for member, value in zip(MEMBERS, values, strict=False)
    ]


def two(period: str = "2020", status: str = "A", *, unemployed: float | None = 3.0) -> list[Row]:
    """Wages of 31, 32, … and unemployment of 3 to 3.3, the first of them as said."""
    rates = [unemployed, *[3.0 + place * 7 % 31 / 100 for place in range(1, 31)]]
    wages = [31.0 + place for place in range(31)]
    return [
        *everywhere(WAGE, period, "urban", wages, status),
        *everywhere(UNEMPLOYMENT, period, "urban", rates, status),
    ]


TWO = catalogue_of(f"{WAGE}@urban", f"{UNEMPLOYMENT}@urban")


# --- the numbers are those of the oracles


def oracle_cases(measure: str) -> list[object]:
    """Cases that a mart can hold: no shift, and enough of its places complete."""
    fitting = (
        case
        for case in ORACLES
        if case["measure"] == measure and not case["inputs"].get("shift") and len(case["inputs"]["X"]) > 2
    )
    return [pytest.param(case, id=case["id"]) for case in fitting]


def loaded(case: dict) -> tuple[pd.DataFrame, Catalogue]:
    """Figures and catalogue of a case: its columns are members, by their direction."""
    panel = case["inputs"]["X"]
    up = iter(member for member in MEMBERS if UNEMPLOYMENT not in member)
    members = [next(up) if sign > 0 else MEMBERS[-1] for sign in case["inputs"]["direction"]]
    rows = [
        (member.partition("@")[0], "2020", code, member.partition("@")[2], value, "A")
        for code, values in zip(PROVINCES, panel, strict=False)
        for member, value in zip(members, values, strict=True)
    ]
    return figures(rows), catalogue_of(*members, provinces=len(panel))


def weights_of(case: dict, way: str) -> list[float]:
    frame, catalogue = loaded(case)
    rows = index_weight(frame, catalogue).set_index(["member_key", "area_key"])
    order = [
        (m.indicator.indicator_key, 0 if m.area_type == "total" else 1) for m in catalogue.index_members["IDX_ONE"]
    ]
    return [float(rows.loc[key, f"weight_{way}"]) for key in order]


@pytest.mark.parametrize("case", oracle_cases("entropy_weight"))
def test_entropy_weights_and_scores_are_those_of_the_oracles(case: dict) -> None:
    rows = composite_index(*loaded(case))
    expected = case["expected"]
    if expected is None:
        assert rows["score_entropy"].isna().all()
        assert set(rows["status"]) == {"undefined_zero_value"}
        return
    np.testing.assert_allclose(weights_of(case, "entropy"), expected["weights"], atol=case["tolerance"])
    scores = [np.nan if score is None else score for score in expected["scores"]]
    np.testing.assert_allclose(rows["score_entropy"], scores, atol=case["tolerance"])


@pytest.mark.parametrize("case", oracle_cases("critic"))
def test_critic_weights_are_those_of_the_oracles(case: dict) -> None:
    expected = case["expected"]
    weights = [np.nan] * len(case["inputs"]["direction"]) if expected is None else expected["weights"]
    np.testing.assert_allclose(weights_of(case, "critic"), weights, atol=case["tolerance"])


def test_topsis_is_that_of_the_measure_with_the_entropy_weights() -> None:
    case = next(case for case in ORACLES if case["id"] == "entropy_6x4")
    rows = composite_index(*loaded(case))
    x, weights = np.array(case["inputs"]["X"]), np.array(case["expected"]["weights"])
    v = weights * x / np.sqrt((x**2).sum(axis=0))
    best = np.array([v[:, 0].max(), v[:, 1].max(), v[:, 2].max(), v[:, 3].min()])
    worst = np.array([v[:, 0].min(), v[:, 1].min(), v[:, 2].min(), v[:, 3].max()])
    to_best, to_worst = (np.sqrt(((v - ideal) ** 2).sum(axis=1)) for ideal in (best, worst))
    np.testing.assert_allclose(rows["topsis"], to_worst / (to_best + to_worst), atol=1e-12)


# --- years


def test_weights_are_fitted_on_all_years_so_that_a_better_year_has_a_higher_score() -> None:
    better = [
        (code, period, region, area, value + 100, "A") for code, period, region, area, value, _ in two("2021")[:31]
    ]
    frame = figures([*two("2020"), *better, *two("2021")[31:]])
    scores = composite_index(frame, TWO).set_index(["period_key", "region_key"])["score_entropy"]
    assert (scores.loc[year(2021).key] > scores.loc[year(2020).key]).all()
    weights = index_weight(frame, TWO)
    assert weights.groupby("member_key")["weight_entropy"].nunique().eq(1).all()
    assert set(zip(weights["first_year"], weights["last_year"], weights["pooled_units"], strict=True)) == {
        (2020, 2021, 62)
    }


def test_a_year_takes_the_school_year_that_begins_in_it() -> None:
    catalogue = catalogue_of("EDU_PRIMARY_PUPILS_PER_TEACHER@total", f"{WAGE}@urban")
    ratios = everywhere("EDU_PRIMARY_PUPILS_PER_TEACHER", "SY2020", "total", [12.0 + place for place in range(31)])
    rows = composite_index(figures([*ratios, *two("2020")]), catalogue)
    assert rows["period_key"].unique().tolist() == [year(2020).key]
    assert set(rows["status"]) == {"ok"}


def test_months_are_no_years() -> None:
    assert composite_index(figures(two("2020-05")), TWO).empty


def test_a_year_before_a_break_of_a_member_is_across_it() -> None:
    broken = Break.model_validate(
        {"indicator_code": WAGE, "region_code": "", "area_type": "urban", "first_year_of_new_definition": 2021,
         "what_changed": "all units"}
    )  # fmt: skip
    catalogue = dataclasses.replace(TWO, breaks=(broken,))
    frame = figures([*two("2020"), *two("2021", unemployed=9.0)])
    rows = composite_index(frame, catalogue)
    assert rows.groupby("period_key")["status"].first().tolist() == ["across_break", "ok"]
    assert index_weight(frame, catalogue)["pooled_units"].unique().tolist() == [31]


def test_a_year_in_which_a_member_is_wholly_missing_has_no_score_and_says_so() -> None:
    rows = composite_index(figures([*two("2020"), *two("2021")[:31]]), TWO)
    missing = rows[rows["period_key"] == year(2021).key]
    assert set(missing["status"]) == {"insufficient_coverage"}
    assert (missing["members"].unique().tolist(), missing["members_missing"].unique().tolist()) == ([1], [1])
    assert missing[[*SCORES, *RANKS]].isna().all(axis=None)
    assert set(rows[rows["period_key"] == year(2020).key]["status"]) == {"ok"}


# --- places


def test_a_province_that_misses_a_member_has_no_score_and_the_others_do() -> None:
    rows = composite_index(figures(two(unemployed=None)), TWO)
    assert rows["status"].tolist() == ["insufficient_coverage", *["ok"] * 30]
    row = rows.iloc[1]
    assert (row.units, row.units_missing, row.coverage, row.grade) == (30, 1, 30 / 31, "C")
    assert rows["rank_entropy"].max() == 30


def test_where_a_member_cannot_exist_the_index_does_not_apply_and_is_not_missed() -> None:
    cannot = NotApplicable.model_validate(
        {"indicator_code": UNEMPLOYMENT, "region_code": "110000", "area_type": "urban", "year_from": "2010", "year_to": "",
         "why": "none"}
    )  # fmt: skip
    rows = composite_index(figures(two(unemployed=None)), dataclasses.replace(TWO, not_applicable=(cannot,)))
    assert rows["status"].tolist() == ["not_applicable", *["ok"] * 30]
    assert (rows["units_missing"].max(), rows["coverage"].min(), rows["grade"].max()) == (0, 1.0, "A")


def test_under_four_fifths_of_the_provinces_nobody_has_a_score() -> None:
    some = [row for row in two() if row[2] in PROVINCES[:24]]
    assert set(composite_index(figures(some), TWO)["status"]) == {"insufficient_coverage"}
    enough = [row for row in two() if row[2] in PROVINCES[:25]]
    assert composite_index(figures(enough), TWO)["status"].tolist() == ["ok"] * 25 + ["insufficient_coverage"] * 6


def test_where_nothing_differs_there_is_nothing_to_weigh() -> None:
    flat = [*everywhere(WAGE, "2020", "urban", 5.0), *everywhere(UNEMPLOYMENT, "2020", "urban", 3.0)]
    assert set(composite_index(figures(flat), TWO)["status"]) == {"undefined_zero_value"}
    assert set(index_weight(figures(flat), TWO)["status"]) == {"undefined_zero_value"}


def test_counties_and_the_nation_have_no_part() -> None:
    others = [(WAGE, "2020", region, "urban", 1e6, "A") for region in ("000000", "510104")]
    pd.testing.assert_frame_equal(
        composite_index(figures([*two(), *others]), TWO), composite_index(figures(two()), TWO)
    )


# --- ranks and grades


def test_lower_is_better_where_the_member_says_so() -> None:
    catalogue = catalogue_of(f"{UNEMPLOYMENT}@urban")
    rows = composite_index(
        figures(everywhere(UNEMPLOYMENT, "2020", "urban", [1.0 + place for place in range(31)])), catalogue
    )
    assert rows["rank_entropy"].tolist() == list(range(1, 32))
    assert (rows["score_entropy"].iloc[0], rows["score_entropy"].iloc[-1]) == (1.0, 0.0)


def test_a_rank_has_its_range_over_the_ways_and_its_interval_over_the_draws() -> None:
    generator = np.random.default_rng(5)
    rows = composite_index(
        figures(panel_rows(generator.uniform(2, 9, (31, 4)).round(2).tolist())), catalogue_of(*MEMBERS)
    )
    ways = rows[["rank_entropy", "rank_critic", "rank_equal", "rank_topsis"]]
    assert (rows["rank_best"] == ways.min(axis=1)).all()
    assert (rows["rank_worst"] == ways.max(axis=1)).all()
    assert ((rows["rank_p05"] <= rows["rank_mc_median"]) & (rows["rank_mc_median"] <= rows["rank_p95"])).all()
    assert (rows["rank_mc_median"] - rows["rank_entropy"]).abs().max() <= 4
    assert rows["moves_most"].unique().tolist() == ["weights"]


def test_one_member_leaves_only_the_last_digit_to_move_ranks() -> None:
    catalogue = catalogue_of(f"{UNEMPLOYMENT}@urban")  # two decimals: a value may be 0.005 more or less
    close = everywhere(UNEMPLOYMENT, "2020", "urban", [3.0, 3.004, *[4.0 + place for place in range(29)]])
    rows = composite_index(figures(close), catalogue)
    assert rows["moves_most"].unique().tolist() == ["rounding"]
    assert rows[["rank_p05", "rank_p95"]].head(3).to_numpy().tolist() == [[1, 2], [1, 2], [3, 3]]


@pytest.mark.parametrize(
    ("statuses", "warned", "grade", "estimated"),
    [("AA", (), "A", 0), ("AE", (), "C", 31), ("PA", (), "C", 0), ("AA", ((UNEMPLOYMENT, "2020"),), "B", 0),
     ("AA", ((UNEMPLOYMENT, "2019"),), "A", 0)],
)  # fmt: skip
def test_estimates_count_and_show(statuses: str, warned: tuple, grade: str, estimated: int) -> None:
    rows = [(*row[:5], statuses[number // 31]) for number, row in enumerate(two())]
    told = {(key_of(code), parse_period(period).key) for code, period in warned}
    found = composite_index(figures(rows), TWO, warned=told)
    assert found["grade"].unique().tolist() == [grade]
    assert found["units_estimated"].unique().tolist() == [estimated]
    assert found["obs_status"].unique().tolist() == [min(statuses, key="EPA".index)]


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 99), st.integers(1, 99)), min_size=31, max_size=31), st.integers(2, 9))
def test_scores_do_not_depend_on_the_unit_a_member_is_counted_in(values, factor) -> None:
    def of(scale: int) -> pd.DataFrame:
        rows = [*everywhere(WAGE, "2020", "urban", [float(a * scale) for a, _ in values]),
                *everywhere(UNEMPLOYMENT, "2020", "urban", [float(b) for _, b in values])]  # fmt: skip
        return composite_index(figures(rows), TWO)

    np.testing.assert_allclose(of(1)[list(SCORES)].to_numpy(), of(factor)[list(SCORES)].to_numpy(), atol=1e-9)


# --- weights


def test_a_year_s_weights_say_what_each_member_has_that_year() -> None:
    rows = index_weight(figures([*two("2020", unemployed=None), *two("2021", "E")]), TWO)
    of_rate = rows[rows["member_key"] == key_of(UNEMPLOYMENT)].set_index("period_key")
    assert of_rate[["units", "units_missing", "units_estimated"]].to_numpy().tolist() == [[30, 1, 0], [31, 0, 31]]
    assert of_rate["grade"].tolist() == ["C", "C"]
    assert of_rate[["low", "high"]].to_numpy().tolist() == [[3.0, 3.3]] * 2
    assert (
        rows.groupby("period_key")[["weight_entropy", "weight_critic", "weight_equal"]]
        .sum()
        .round(12)
        .eq(1)
        .all(axis=None)
    )


# --- coupling


def sectors() -> Catalogue:
    """An employment index of the wage, an education index of funds, a health index of unemployment, and one over them."""
    members = {"employment": f"{WAGE}@urban", "education": "INC_DISPOSABLE@total", "health": f"{UNEMPLOYMENT}@urban"}
    indices = [
        {"index_key": 1001 + place, "code": f"IDX_{sector.upper()}", "sector": sector, "members": (member,)}
        for place, (sector, member) in enumerate(members.items())
    ]
    indices.append(
        {"index_key": 1004, "code": "IDX_ALL", "sector": "overall", "members": [row["code"] for row in indices]}
    )
    rows = [Index.model_validate({"name_zh": "指", "name_en": "Index", **row}) for row in indices]
    return dataclasses.replace(CATALOGUE, indices={row.code: row for row in rows}, breaks=())


def test_coupling_is_that_of_the_three_sector_scores() -> None:
    income = everywhere("INC_DISPOSABLE", "2020", "total", [9.0 + (place * 7) % 31 for place in range(31)])
    rows = coupling(figures([*two(), *income]), sectors())
    assert len(rows) == 31
    row = rows.iloc[4]
    scores = [row.score_employment, row.score_education, row.score_health]
    assert scores == pytest.approx([4 / 30, 28 / 30, 1 - 28 / 30])
    assert row.level == pytest.approx(np.mean(scores))
    assert row.coupling == pytest.approx(3 * np.prod(scores) ** (1 / 3) / np.sum(scores))
    assert row.coordination == pytest.approx((row.coupling * row.level) ** 0.5)


def test_coupling_of_three_is_that_of_the_oracle() -> None:
    case = next(case for case in ORACLES if case["id"] == "ccd_3")
    # Between a place with 0 and one with 1 in all sectors, min-max leaves the scores of the case as they are.
    scores = [[*values, 0.0, 1.0] for values in case["inputs"]["U"]]
    catalogue = sectors()
    members = [catalogue.index_members[code][0] for code in catalogue.indices["IDX_ALL"].members]
    rows = [
        (member.indicator.code, "2020", code, member.area_type, 1 - value if member.sign < 0 else value, "A")
        for member, values in zip(members, scores, strict=True)
        for code, value in zip(PROVINCES, values, strict=False)
    ]
    some = {code: CATALOGUE.provinces[code] for code in PROVINCES[:6]}
    found = coupling(figures(rows), dataclasses.replace(catalogue, provinces=some)).head(4)
    for column, name in (("coupling", "C"), ("level", "T"), ("coordination", "D")):
        np.testing.assert_allclose(found[column], case["expected"][name], atol=case["tolerance"])


def test_a_province_without_one_sector_is_not_coupled() -> None:
    income = everywhere("INC_DISPOSABLE", "2020", "total", [None, *[9.0 + place for place in range(30)]])
    rows = coupling(figures([*two(), *income]), sectors())
    assert rows["status"].tolist() == ["insufficient_coverage", *["ok"] * 30]
    assert (rows["units"].max(), rows["units_missing"].max(), rows["grade"].max()) == (30, 1, "C")
    assert rows.iloc[0][["coupling", "level", "coordination"]].isna().all()
    assert not np.isnan(rows.iloc[0].score_employment)


def test_three_scores_of_zero_have_no_coupling() -> None:
    income = everywhere("INC_DISPOSABLE", "2020", "total", [9.0 + place for place in range(31)])
    wages = everywhere(WAGE, "2020", "urban", [31.0 + place for place in range(31)])
    rates = everywhere(UNEMPLOYMENT, "2020", "urban", [9.0 - place / 10 for place in range(31)])
    rows = coupling(figures([*wages, *income, *rates]), sectors())
    assert rows["status"].tolist() == ["undefined_zero_value", *["ok"] * 30]
    assert rows["coupling"].iloc[-1] == pytest.approx(1)


def test_without_one_sector_s_figures_there_is_no_coupling() -> None:
    assert coupling(figures(two()), sectors()).empty


def test_no_figures_no_rows_but_their_columns() -> None:
    nothing = figures(two("2020-05"))
    for mart, columns in (
        (composite_index, COMPOSITE_COLUMNS),
        (index_weight, INDEX_WEIGHT_COLUMNS),
        (coupling, COUPLING_COLUMNS),
    ):
        rows = mart(nothing, CATALOGUE)
        assert (len(rows), tuple(rows.columns)) == (0, columns)


# --- what rows rest on


def test_an_index_rests_on_all_members_of_all_years_of_theirs() -> None:
    known = {key_of("HLT_BEDS"): {year(2019).key, year(2020).key, parse_period("2020-Q2").key}}
    health = CATALOGUE.indices["IDX_HEALTH"].index_key
    assert reach.index_slices()(CATALOGUE, known) == {
        (index.index_key, year(number).key)
        for index in (CATALOGUE.indices["IDX_HEALTH"], CATALOGUE.indices["IDX_OVERALL"])
        for number in (2019, 2020)
    }
    beds = key_of("HLT_BEDS_PER_1000")
    assert reach.members_of_all_years((health, year(2019).key), CATALOGUE, known) == {
        (beds, year(2019).key),
        (beds, year(2020).key),
    }


def test_slices_limit_the_rows_and_not_what_they_rest_on() -> None:
    frame = figures([*two("2020"), *two("2021", unemployed=9.0)])
    wanted = {(1001, year(2021).key)}
    for mart in (composite_index, index_weight):
        whole = mart(frame, TWO)
        some = whole[whole["period_key"] == year(2021).key].reset_index(drop=True)
        pd.testing.assert_frame_equal(mart(frame, TWO, wanted), some)


# --- through a real warehouse


def school_returns(period: str, pupils: float) -> list[Return]:
    def cells(code: str, place: int) -> tuple[Cell, ...]:
        return tuple(
            Cell(f"EDU_{stage}_{what}", code, value)
            for many, stage in enumerate(("PRIMARY", "JUNIOR", "SENIOR"), start=1)
            for what, value in (("PUPILS", pupils * many + place**many), ("TEACHERS", 10.0 + many))
        )

    return [school(*cells(code, place), province=code, period=period) for place, code in enumerate(PROVINCES)]


def test_a_night_s_change_recomputes_every_year_of_its_index_and_no_other(centre: Centre) -> None:
    insured = returned_everywhere(
        "employment_annual", "2020", UNEMPLOYMENT, [2.0 + place / 10 for place in range(31)], "urban"
    )
    centre.night(*school_returns("SY2020", 100.0), *school_returns("SY2021", 120.0), *insured)
    released = (
        "SELECT indicator_code, period_code, status, release_id, count(*) FROM mart.composite_index"
        " GROUP BY 1, 2, 3, 4 ORDER BY 1, 2"
    )
    assert centre.rows(released) == [
        ("IDX_EDUCATION", "2020", "ok", 1, 31),
        ("IDX_EDUCATION", "2021", "ok", 1, 31),
        ("IDX_EMPLOYMENT", "2020", "insufficient_coverage", 1, 31),
        ("IDX_OVERALL", "2020", "insufficient_coverage", 1, 31),
        ("IDX_OVERALL", "2021", "insufficient_coverage", 1, 31),
    ]
    texts = centre.values(
        "SELECT rank_text FROM mart.composite_index WHERE indicator_code = 'IDX_EDUCATION' ORDER BY 1"
    )
    assert texts[0].startswith("1 (90 %: 1–")
    members = (
        "SELECT DISTINCT member_code FROM mart.index_weight WHERE indicator_code = 'IDX_EDUCATION' AND status = 'ok'"
    )
    assert len(centre.values(members)) == 3

    centre.night(*school_returns("SY2021", 130.0))
    assert {row[:2] + row[3:4] for row in centre.rows(released)} == {
        ("IDX_EDUCATION", "2020", 2),
        ("IDX_EDUCATION", "2021", 2),
        ("IDX_EMPLOYMENT", "2020", 1),
        ("IDX_OVERALL", "2020", 2),
        ("IDX_OVERALL", "2021", 2),
    }


def test_the_marts_of_an_index_reproduce(centre: Centre) -> None:
    from warehouse.reproducing import reproduce

    centre.night(*school_returns("SY2020", 100.0), *school_returns("SY2021", 120.0))
    with centre.engine.begin() as connection:
        assert reproduce(connection, 1, CATALOGUE).holds
