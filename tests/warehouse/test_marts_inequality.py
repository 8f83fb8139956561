"""Inequality: scopes, groups, coverage, weights, status and grade; and its numbers by definition."""

import math

import numpy as np
import pytest

from tests.warehouse.centre import Centre
from tests.warehouse.centre import everywhere as returns_everywhere
from tests.warehouse.frames import CATALOGUE, PROVINCES, Row, everywhere, figures, slice_of
from warehouse.marts import reach
from warehouse.marts.inequality import INEQUALITY_COLUMNS, INEQUALITY_MEASURES, inequality
from warehouse.marts.ordering import ORDERED_MEASURES, RANKED_BY
from warehouse.marts.registry import MARTS
from warehouse.measures import (
    Sample,
    heat,
    mean_difference_from_best,
    measure_all,
    population_attributable_risk,
    theil_nested,
)
from warehouse.panels import AREA_KEYS

NESTED = ("theil_t_between_groups", "theil_t_between_provinces", "theil_t_within_provinces")
UNORDERED = [name for name in INEQUALITY_MEASURES if name not in (*NESTED, *ORDERED_MEASURES)]
RATE, PEOPLE, COUNTY_RATE = "HLT_BEDS_PER_10K", "POP_RESIDENT", "EDU_ILLITERACY_RATE"
COUNTIES = sorted(CATALOGUE.county_units)
RANDOM = np.random.default_rng(20240101)


def row_of(rows: list[Row], scope: str = "nation:province", weighting: str = "none", area: str = "total", **options):
    frame = inequality(figures(rows), CATALOGUE, **options)
    is_it = (frame["scope"] == scope) & (frame["weighting"] == weighting) & (frame["area_key"] == AREA_KEYS[area])
    assert is_it.sum() == 1
    return frame[is_it].iloc[0]


def spread(period: str = "2024", area: str = "total", **replaced: float | None) -> list[Row]:
    """A rate of all provinces: 40, 41, … in the order of their codes, some replaced."""
    values = [replaced.get(f"p{code[:2]}", 40.0 + place) for place, code in enumerate(PROVINCES)]
    return everywhere(RATE, period, area, values)


def counties(indicator: str, value_of, area: str = "total", period: str = "2024") -> list[Row]:
    return [(indicator, period, code, area, value_of(code), "A") for code in COUNTIES]


def by_definition(x: np.ndarray) -> tuple[float, float, float]:
    mu = x.mean()
    pairs = np.abs(x[:, None] - x[None, :]).sum()
    return pairs / (2 * x.size**2 * mu), float(np.mean(x / mu * np.log(x / mu))), float(x.std() / mu)


def test_numbers_are_those_of_the_definition_over_all_provinces_with_a_value() -> None:
    values = RANDOM.lognormal(4, 0.3, 31)
    row = row_of(everywhere(RATE, "2024", "total", values.tolist()))
    np.testing.assert_allclose([row.gini, row.theil_t, row.cv], by_definition(values), atol=1e-12)
    assert row["mean"] == pytest.approx(values.mean())
    assert row.max_min_ratio == pytest.approx(values.max() / values.min())
    assert (row.units, row.units_missing, row.coverage, row.status, row.grade) == (31, 0, 1.0, "ok", "A")


def test_within_and_between_region_groups_sum() -> None:
    row = row_of(spread())
    assert row.theil_t_within + row.theil_t_between == pytest.approx(row.theil_t, abs=1e-9)
    groups = {"East": 10.0, "Central": 20.0, "West": 30.0, "Northeast": 40.0}
    apart = row_of(
        everywhere(RATE, "2024", "total", [groups[CATALOGUE.provinces[code].region_group] for code in PROVINCES])
    )
    assert apart.theil_t_within == 0
    assert apart.theil_t_between == pytest.approx(apart.theil_t)


def test_weighted_numbers_are_those_of_the_definition() -> None:
    values, weights = RANDOM.lognormal(4, 0.3, 31), RANDOM.integers(3, 126, 31).astype(float)
    rows = everywhere(RATE, "2024", "total", values.tolist()) + everywhere(PEOPLE, "2024", "total", weights.tolist())
    row = row_of(rows, weighting="population")
    people = np.repeat(values, weights.astype(int))
    np.testing.assert_allclose([row.gini, row.theil_t, row.cv], by_definition(people), atol=1e-9)
    assert (row["mean"], row.units) == (pytest.approx(people.mean()), 31)


def test_missing_units_are_counted_and_lower_the_grade() -> None:
    row = row_of(spread(p11=None, p12=None))
    assert (row.units, row.units_missing, row.status, row.grade) == (29, 2, "ok", "C")
    assert row.coverage == pytest.approx(29 / 31)


def test_under_the_minimum_coverage_nothing_is_published() -> None:
    blank = {f"p{code[:2]}": None for code in PROVINCES[:7]}
    row = row_of(spread(**blank))
    assert (row.status, row.units, row.units_missing) == ("insufficient_coverage", 24, 7)
    assert all(math.isnan(row[name]) for name in ("mean", "cv", "gini", "theil_t", "theil_t_within", "max_min_ratio"))
    assert row_of(spread(**blank), minimum_coverage=0.5).status == "ok"


def test_a_province_that_cannot_have_the_figure_is_not_missing() -> None:
    absent = {"p11": None, "p31": None}
    row = row_of(spread("2024", "rural", **absent), area="rural")
    assert (row.units, row.units_missing, row.coverage) == (29, 0, 1.0)
    before = row_of(spread("2012", "rural", **absent), area="rural")
    assert (before.units, before.units_missing) == (29, 2)


def test_a_figure_that_is_there_counts_whatever_the_lists_say() -> None:
    assert row_of(spread("2024", "rural"), area="rural").units == 31


def test_negative_values_are_undefined() -> None:
    assert row_of(spread(p11=-1.0)).status == "undefined_negative"


def test_a_mean_of_zero_is_undefined() -> None:
    row = row_of(everywhere(RATE, "2024", "total", 0.0))
    assert row.status == "undefined_zero_mean"
    assert math.isnan(row.gini)


def test_a_smallest_value_of_zero_has_no_ratio_but_a_gini() -> None:
    row = row_of(spread(p11=0.0))
    assert row.status == "ok"
    assert math.isnan(row.max_min_ratio)
    assert row.gini > 0


def test_equal_values_have_no_inequality() -> None:
    row = row_of(everywhere(RATE, "2024", "total", 0.1))
    assert (row.gini, row.theil_t, row.cv, row.max_min_ratio) == (0, 0, 0, 1)


@pytest.mark.parametrize(("status", "estimated"), [("E", 31), ("P", 0)])
def test_estimated_and_provisional_figures_have_grade_c(status: str, estimated: int) -> None:
    row = row_of(everywhere(RATE, "2024", "total", 50.0, status))
    assert (row.grade, row.units_estimated) == ("C", estimated)


def test_an_estimated_weight_counts_as_estimated() -> None:
    rows = spread() + everywhere(PEOPLE, "2024", "total", 5.0, "E")
    assert row_of(rows, weighting="population").units_estimated == 31
    assert row_of(rows).units_estimated == 0


def test_a_warning_of_a_check_gives_grade_b() -> None:
    assert row_of(spread(), warned={slice_of(RATE, "2024")}).grade == "B"
    assert row_of(spread(), warned={slice_of(RATE, "2023")}).grade == "A"


def test_a_unit_without_weight_is_left_out_and_missing() -> None:
    rows = spread() + everywhere(PEOPLE, "2024", "total", [None, *[5.0] * 30])
    row = row_of(rows, weighting="population")
    assert (row.units, row.units_missing, row.coverage) == (30, 1, 1.0)


def test_coverage_of_a_weighted_row_is_the_share_of_weight() -> None:
    rows = spread(p11=None) + everywhere(PEOPLE, "2024", "total", [70.0, *[1.0] * 30])
    row = row_of(rows, weighting="population")
    assert (row.coverage, row.units, row.status) == (0.3, 30, "insufficient_coverage")
    assert row_of(rows).status == "ok"


def test_a_unit_of_weight_zero_is_neither_used_nor_missing() -> None:
    rows = spread() + everywhere(PEOPLE, "2024", "total", [0.0, *[5.0] * 30])
    row = row_of(rows, weighting="population")
    assert (row.units, row.units_missing) == (30, 0)


def test_weights_are_the_latest_at_most_two_years_old() -> None:
    assert row_of(spread() + everywhere(PEOPLE, "2022", "total", 5.0), weighting="population").units == 31
    row = row_of(spread() + everywhere(PEOPLE, "2021", "total", 5.0), weighting="population")
    assert (row.units, row.status) == (0, "insufficient_coverage")


def test_counties_are_compared_in_the_nation_and_in_each_province() -> None:
    rows = counties(COUNTY_RATE, lambda code: float(int(code[:2])))
    nation = row_of(rows, "nation:county")
    assert (nation.units, nation.units_missing, nation.theil_t_within) == (2845, 0, 0)
    assert nation.theil_t_between == pytest.approx(nation.theil_t)
    sichuan = row_of(rows, "510000:county")
    assert (sichuan.units, sichuan.gini) == (183, 0)


def test_prefectures_are_the_groups_of_a_province() -> None:
    rows = counties(COUNTY_RATE, lambda code: float(int(code[2:4])))
    row = row_of(rows, "510000:county")
    assert row.theil_t_within == 0
    assert row.theil_t_between == pytest.approx(row.theil_t)


def test_a_province_of_one_prefecture_has_no_decomposition() -> None:
    row = row_of(counties(COUNTY_RATE, lambda code: float(int(code[4:]))), "310000:county")
    assert row.theil_t > 0
    assert math.isnan(row.theil_t_within)
    assert math.isnan(row.theil_t_between)


def test_a_county_is_urban_or_rural_under_the_administrative_definition() -> None:
    rows = [
        *(
            (RATE, "2024", code, "urban", 90.0, "A")
            for code in COUNTIES
            if code.startswith("5101") and int(code[4:]) < 21
        ),
        *(
            (RATE, "2024", code, "rural", 50.0, "A")
            for code in COUNTIES
            if code.startswith("51") and int(code[4:]) > 20
        ),
    ]
    urban = row_of(rows, "510000:county", area="urban")
    rural = row_of(rows, "510000:county", area="rural")
    # Of Sichuan's districts only Chengdu's 12 report; each unit is expected on one side.
    assert urban.units + urban.units_missing + rural.units + rural.units_missing == 183
    assert (urban.units, urban.status) == (12, "insufficient_coverage")
    assert rural.status == "ok"


def test_a_county_that_reports_as_rural_is_not_missing_as_urban() -> None:
    district = "510104"
    rows = [(RATE, "2024", code, "rural", 50.0, "A") for code in COUNTIES]
    rows += [(RATE, "2024", "510105", "urban", 50.0, "A")]
    assert district in COUNTIES
    urban = row_of(rows, "510000:county", area="urban")
    assert (urban.units, urban.units_missing) == (1, 0)


def test_a_province_without_figures_has_its_row_where_others_have_them() -> None:
    rows = [row for row in counties(COUNTY_RATE, lambda code: 5.0) if not row[2].startswith("51")]
    row = row_of(rows, "510000:county")
    assert (row.status, row.units, row.units_missing) == ("insufficient_coverage", 0, 183)


def test_indicators_of_provinces_have_no_county_scopes() -> None:
    frame = inequality(figures(everywhere("INC_DISPOSABLE", "2024", "total", 5.0)), CATALOGUE)
    assert set(frame["scope"]) == {"nation:province"}


def test_two_units_are_too_few() -> None:
    # All others report as rural, so that only two can be urban.
    rows = [(RATE, "2024", code, "urban", 50.0, "A") for code in COUNTIES if code in {"540102", "540103"}]
    rows += [
        (RATE, "2024", code, "rural", 50.0, "A")
        for code in COUNTIES
        if code[:2] == "54" and code not in {"540102", "540103"}
    ]
    row = row_of(rows, "540000:county", area="urban")
    assert (row.units, row.status) == (2, "too_few_units")


def test_counts_are_never_compared() -> None:
    frame = inequality(figures(everywhere(PEOPLE, "2024", "total", 5.0)), CATALOGUE)
    assert frame.empty
    assert tuple(frame.columns) == INEQUALITY_COLUMNS


def test_slices_limit_the_rows_but_not_the_weights() -> None:
    rows = spread("2023") + spread("2024") + everywhere(PEOPLE, "2023", "total", 5.0)
    frame = inequality(figures(rows), CATALOGUE, {slice_of(RATE, "2024")})
    assert frame["period_key"].unique().tolist() == [20240112]
    assert frame["units"].tolist() == [31, 31]


def test_the_nation_row_is_not_one_of_the_units() -> None:
    rows = [*spread(), (RATE, "2024", "000000", "total", 1e6, "A"), (RATE, "2024", "510100", "total", 1e6, "A")]
    assert row_of(rows).max_min_ratio == pytest.approx(70 / 40)


def test_chunks_do_not_change_the_rows(monkeypatch) -> None:
    rows = [(RATE, "2024", code, area, 50.0, "A") for code in COUNTIES[:400] for area in ("total", "urban")]
    rows += [(RATE, "2024", code, "rural", 50.0, "A") for code in COUNTIES[400:]]
    whole = inequality(figures(rows), CATALOGUE)
    monkeypatch.setattr("warehouse.marts.inequality._CHUNK", 1)
    assert inequality(figures(rows), CATALOGUE).equals(whole)


# --- more measures of the same units ---


def test_every_measure_of_a_covered_slice_is_that_of_its_function() -> None:
    """The row's numbers are the measures of the units it names, weights and groups among them."""
    values, weights = RANDOM.lognormal(4, 0.3, 31), RANDOM.integers(3, 126, 31).astype(float)
    rows = everywhere(RATE, "2024", "total", values.tolist()) + everywhere(PEOPLE, "2024", "total", weights.tolist())
    groups = sorted({CATALOGUE.provinces[code].region_group for code in PROVINCES})
    number = [groups.index(CATALOGUE.provinces[code].region_group) for code in PROVINCES]
    for weighting, weight in (("none", None), ("population", weights)):
        row, sample = row_of(rows, weighting=weighting), Sample.of(values, weight, groups=number)
        expected, statuses = measure_all(sample)
        assert {status[0] for name, status in statuses.items() if name not in ("aci", "rci", "sii")} == {"ok"}
        for name in expected.keys() & set(UNORDERED):
            assert row[name] == pytest.approx(expected[name][0], rel=1e-12), name
        best = mean_difference_from_best(sample)
        assert (row.mdbu, row.mdbw) == (pytest.approx(best.unweighted[0]), pytest.approx(best.weighted[0]))
        risk = population_attributable_risk(sample)
        assert (row.par, row.paf) == (pytest.approx(risk.risk[0]), pytest.approx(risk.fraction[0]))
        assert not row[UNORDERED].isna().any()


@pytest.mark.parametrize("weighting", ["none", "population"])
def test_parts_of_gini_and_of_theil_l_sum(weighting: str) -> None:
    row = row_of(spread() + everywhere(PEOPLE, "2024", "total", [1000.0 + n for n in range(31)]), weighting=weighting)
    assert row.dagum_within + row.dagum_between + row.dagum_transvariation == pytest.approx(row.gini, abs=1e-9)
    assert row.theil_l_within + row.theil_l_between == pytest.approx(row.theil_l, abs=1e-9)


def test_the_best_is_the_lowest_where_lower_is_better_and_none_where_neither_is() -> None:
    values = [50.0 + place for place in range(31)]
    lower = row_of(everywhere("EMP_REGISTERED_UNEMPLOYMENT_RATE", "2024", "urban", values), area="urban")
    assert lower.par == pytest.approx(50.0 - lower["mean"])
    assert lower.mdbu == pytest.approx(lower["mean"] - 50.0)
    neutral = next(
        row.code for row in CATALOGUE.indicators.values() if row.is_comparable and row.direction == "neutral"
    )
    area = CATALOGUE.indicators[neutral].area_types[0]
    row = row_of(everywhere(neutral, "2024", area, values), area=area)
    assert row[["mdbu", "mdbw", "par", "paf"]].isna().all()
    assert row.status == "ok"


def test_a_zero_leaves_only_the_measures_null_that_it_makes_undefined() -> None:
    row = row_of(spread(p11=0.0))
    assert row.status == "ok"
    assert set(row[UNORDERED].index[row[UNORDERED].isna()]) == {
        "theil_l", "theil_l_within", "theil_l_between", "max_min_ratio"
    }  # fmt: skip
    assert (row.atkinson_1, row.atkinson_2) == (1.0, 1.0)


def test_a_row_that_is_not_ok_has_no_measure_at_all() -> None:
    row = row_of(spread(p11=-1.0))
    assert row.status == "undefined_negative"
    assert row[list(INEQUALITY_MEASURES)].isna().all()


# --- along income, from the capital region, in three layers ---

WHO = {
    "max_min_difference": "D", "max_min_ratio": "R", "bgv": "BGV", "bgsd": "BGSD", "cv": "COV", "theil_t": "THEIL",
    "theil_l": "MLD", "par": "PAR", "paf": "PAF", "mdmu": "MDMU", "mdmw": "MDMW", "mdbu": "MDBU", "mdbw": "MDBW",
    "mdru": "MDRU", "mdrw": "MDRW", "idisu": "IDISU", "idisw": "IDISW", "aci": "ACI", "rci": "RCI", "sii": "SII", "rii": "RII",
}  # fmt: skip
INCOMES = [20_000.0 + 1_000 * ((place * 7) % 31) for place in range(31)]


def incomes(period: str = "2024", area: str = "total", **replaced: float | None) -> list[Row]:
    values = [replaced.get(f"p{code[:2]}", income) for code, income in zip(PROVINCES, INCOMES, strict=True)]
    return everywhere(RANKED_BY, period, area, values)


@pytest.mark.parametrize("weighting", ["none", "population"])
@pytest.mark.parametrize("indicator", [RATE, COUNTY_RATE])
def test_all_21_measures_of_who_stand_in_a_row(indicator: str, weighting: str) -> None:
    values, people = RANDOM.uniform(2, 60, 31), RANDOM.uniform(3, 126, 31)
    rows = [
        *everywhere(indicator, "2024", "total", values.tolist()),
        *everywhere(PEOPLE, "2024", "total", people.tolist()),
        *incomes(),
    ]
    frame = inequality(figures(rows), CATALOGUE, {slice_of(indicator, "2024")})
    row = frame[(frame["weighting"] == weighting) & (frame["scope"] == "nation:province")].iloc[0]
    sample = Sample.of(values, people if weighting == "population" else None, ranking=INCOMES)
    is_percent, is_favourable = indicator == COUNTY_RATE, CATALOGUE.indicators[indicator].direction == "higher"
    expected = heat(sample, is_favourable, values[PROVINCES.index("110000")], is_percent)
    assert len(WHO) == len(expected) == 21
    for column, name in WHO.items():
        factor = 0.01 if name == "COV" else 1.0  # HEAT shows the CV in percent
        assert row[column] == pytest.approx(factor * expected[name][0], rel=1e-12), column
    assert (row.sii_model, row.ranking_status) == ("logistic" if is_percent else "linear", "ok")
    assert row.ranking_period_key == 20240112


def test_ranked_by_itself_the_concentration_index_is_the_gini() -> None:
    frame = inequality(figures(incomes()), CATALOGUE)
    row = frame[frame["weighting"] == "none"].iloc[0]
    assert row.rci == pytest.approx(row.gini, abs=1e-12)


def test_a_percentage_over_100_is_fitted_by_a_line() -> None:
    rows = [*everywhere("EDU_CONSOLIDATION_RATE", "SY2024", "total", [95.0 + n / 5 for n in range(31)]), *incomes()]
    row = row_of(rows, slices={slice_of("EDU_CONSOLIDATION_RATE", "SY2024")})
    assert (row.sii_model, row.ranking_status) == ("linear", "ok")
    assert not math.isnan(row.sii)


def test_without_income_the_row_says_so_and_keeps_its_other_measures() -> None:
    row = row_of(spread())
    assert (row.status, row.ranking_status) == ("ok", "no_ranking_variable")
    assert row[[*ORDERED_MEASURES, "sii_model", "ranking_period_key"]].isna().all()
    assert row.gini > 0


def test_units_are_ranked_by_the_latest_income_that_all_of_them_have() -> None:
    only = {slice_of(RATE, "2024")}
    row = row_of(spread() + incomes("2024", p54=None) + incomes("2023"), slices=only)
    assert row.ranking_period_key == 20230112
    # A unit without a value needs no income either.
    row = row_of(spread(p54=None) + incomes("2024", p54=None) + incomes("2023"), slices=only)
    assert row.ranking_period_key == 20240112
    assert row_of(spread() + incomes("2021"), slices=only).ranking_status == "no_ranking_variable"
    assert row_of(spread() + incomes("2022"), slices=only).ranking_status == "ok"


def test_town_and_country_are_ranked_by_their_own_income_where_both_mean_the_same() -> None:
    rates = {"INC_CONSUMPTION": "own", RATE: "of all residents"}
    for indicator, income in rates.items():
        rows = everywhere(indicator, "2024", "rural", [50.0 + n for n in range(31)]) + incomes("2024", "rural")
        row = row_of(rows, area="rural", slices={slice_of(indicator, "2024")})
        assert row.ranking_status == ("ok" if income == "own" else "no_ranking_variable")


def test_along_equal_incomes_nothing_rises_or_falls() -> None:
    rows = spread() + everywhere(RANKED_BY, "2024", "total", 30_000.0)
    row = row_of(rows, slices={slice_of(RATE, "2024")})
    assert (row.ranking_status, row.aci, row.rci) == ("ok", 0.0, 0.0)
    assert row[["sii", "rii", "sii_model"]].isna().all()


def test_a_row_that_is_not_ok_has_no_measure_along_income_either() -> None:
    row = row_of(spread(p11=-1.0) + incomes(), slices={slice_of(RATE, "2024")})
    assert row.ranking_status == "undefined_negative"
    assert row[[*ORDERED_MEASURES, "sii_model", "ranking_period_key"]].isna().all()


def test_without_the_capital_region_there_is_no_difference_from_it() -> None:
    assert row_of(spread()).mdru == pytest.approx(np.mean(np.arange(31.0)))
    assert math.isnan(row_of(spread(p11=None)).mdru)


def test_counties_are_not_ranked_and_have_no_reference() -> None:
    frame = inequality(figures(counties(COUNTY_RATE, lambda code: float(code[2:4]) + 1) + incomes()), CATALOGUE)
    of_counties = frame[frame["scope"].str.endswith("county")]
    assert set(of_counties.loc[of_counties["status"] == "ok", "ranking_status"]) == {"no_ranking_variable"}
    assert of_counties[[*ORDERED_MEASURES, "mdru", "mdrw"]].isna().all(axis=None)


def test_theil_of_the_nations_counties_is_its_three_layers() -> None:
    values = dict(zip(COUNTIES, RANDOM.lognormal(1, 0.5, len(COUNTIES)).tolist(), strict=True))
    row = row_of(counties(COUNTY_RATE, values.__getitem__), "nation:county")
    groups = {code: CATALOGUE.provinces[code].region_group for code in PROVINCES}
    names = sorted(set(groups.values()))
    nested = theil_nested(
        Sample.of(
            list(values.values()),
            groups=[names.index(groups[f"{code[:2]}0000"]) for code in values],
            subgroups=[int(code[:2]) for code in values],
        )
    )
    assert [row[name] for name in NESTED] == [pytest.approx(float(part[0]), abs=1e-12) for part in nested[1:]]
    assert sum(row[name] for name in NESTED) == pytest.approx(row.theil_t, abs=1e-9)
    assert row.theil_t_within_provinces == pytest.approx(row.theil_t_within, abs=1e-12)
    assert row_of(counties(COUNTY_RATE, values.__getitem__), "510000:county")[list(NESTED)].isna().all()


def test_a_change_of_income_reaches_what_it_may_rank_and_no_more() -> None:
    years = [slice_of(RATE, str(year))[1] for year in range(2020, 2026)]
    known = {slice_of(code, "2024")[0]: years for code in (RATE, PEOPLE, RANKED_BY)}
    possible = {(slice_of(RATE, "2024")[0], year) for year in years}
    changed = {slice_of(RANKED_BY, "2022")}
    found = reach.touched(changed, possible, MARTS["inequality"].rests_on, CATALOGUE, known)
    assert found == {slice_of(RATE, year) for year in ("2022", "2023", "2024")}


def test_readers_see_the_measures_along_income_of_the_income_they_see(centre: Centre) -> None:
    rates = returns_everywhere("health_annual", "2024", RATE, [40.0 + n for n in range(31)])
    asked = (
        "SELECT ranking_status, ranking_period_code, sii_model, rci FROM mart.inequality"
        f" WHERE indicator_code = '{RATE}' AND weighting = 'none'"
    )
    centre.night(*rates)
    assert centre.rows(asked) == [("no_ranking_variable", None, None, None)]
    centre.night(*returns_everywhere("employment_annual", "2024", RANKED_BY, INCOMES))
    before = centre.now().isoformat()
    [(status, period, model, index)] = centre.rows(asked)
    assert (status, period, model) == ("ok", "2024", "linear")
    centre.night(*returns_everywhere("employment_annual", "2024", RANKED_BY, [50_000.0 - income for income in INCOMES]))
    assert centre.rows(asked)[0][3] == pytest.approx(-index)
    then = asked.replace("mart.inequality", "mart.inequality_as_of(CAST(:moment AS timestamptz))")
    assert centre.rows(then, moment=before)[0][3] == index
