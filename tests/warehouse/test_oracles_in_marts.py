"""The oracle cases, loaded as observations and read from the marts that readers see; and what holds of a mart's rows.

Every case of 31 places or fewer whose measures are columns of ``mart.inequality``, ``mart.urban_rural_gap`` or
``mart.convergence`` is written into one warehouse in one night: each in a year of its own, so that no case takes another's
weights or incomes. Nothing is computed beside the marts. Coverage is asked for by other tests: here its minimum is 0, for
a case of five places leaves 26 provinces without a figure.
"""

import dataclasses
import itertools
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from tests.warehouse.centre import Cell, Centre, Return
from tests.warehouse.frames import CATALOGUE, PROVINCES, everywhere, figures, slice_of
from tests.warehouse.test_measures_oracles import assert_agrees
from warehouse.marts import registry
from warehouse.marts.convergence import convergence
from warehouse.marts.inequality import inequality

CASES = {case["id"]: case for case in json.loads((Path(__file__).parent / "oracles.json").read_text(encoding="utf-8"))}

#: Compared by residence, so that weights and incomes of town and country are their own: three cases a year.
HIGHER, LOWER, COUNTY = "INC_CONSUMPTION", "EDU_ILLITERACY_RATE", "EDU_ILLITERACY_RATE"
PEOPLE, INCOME = "POP_RESIDENT", "INC_DISPOSABLE"

#: Measure of a case → what the mart calls its number, or each of its numbers.
INEQUALITY: dict[str, str | dict[str, str]] = {
    "mean": "mean",
    "mean_weighted": "mean",
    "cv": "cv",
    "cv_weighted": "cv",
    "max_min_ratio": "max_min_ratio",
    "gini": "gini",
    "gini_weighted": "gini",
    "theil_t": "theil_t",
    "theil_t_weighted": "theil_t",
    "theil_l_weighted": "theil_l",
    "theil_decomposition": {"total": "theil_t", "within": "theil_t_within", "between": "theil_t_between"},
    "mld_decomposition": {"total": "theil_l", "within": "theil_l_within", "between": "theil_l_between"},
    "dagum": {
        "gini": "gini",
        "within": "dagum_within",
        "net_between": "dagum_between",
        "transvariation": "dagum_transvariation",
    },
    "concentration_index": "rci",
    "sii_rii": {"sii": "sii", "rii": "rii"},
    "bgv": "bgv",
    "idis": {"idisu": "idisu", "idisw": "idisw"},
    "mean_difference_from_best": {"mdbu": "mdbu", "mdbw": "mdbw"},
    "population_attributable_risk": {"par": "par", "paf": "paf", "mean": "mean"},
    "theil_nested": {
        "total": "theil_t",
        "between_groups": "theil_t_between_groups",
        "between_provinces_within_groups": "theil_t_between_provinces",
        "within_provinces": "theil_t_within_provinces",
    },
}
ATKINSON = {0.5: "atkinson_05", 1: "atkinson_1", 2: "atkinson_2"}

#: What the marts decide otherwise than a bare measure, and why.
STRICTER = {
    "ci_missing": "a province without income leaves the row unranked: ranks of fewer units than `units` would not be told",
    "par_ordered": "the mart's reference is the best unit, not the top-ranked one",
    "par_ordered_clamped": "the mart's reference is the best unit, not the top-ranked one",
    "beta_overshoot": "one year apart: convergence asks three years",
}


def columns_of(case: dict[str, Any]) -> str | dict[str, str] | None:
    if case["measure"] == "atkinson":
        return ATKINSON.get(case["inputs"]["epsilon"])
    return INEQUALITY.get(case["measure"])


def values_of(case: dict[str, Any]) -> list[float | None]:
    inputs = case["inputs"]
    return inputs["x"] if "x" in inputs else inputs["y"]


def in_inequality() -> list[dict[str, Any]]:
    return [
        case
        for case in CASES.values()
        if columns_of(case) is not None and case["id"] not in STRICTER and len(values_of(case)) <= 31
        # Provinces are in four groups.
        if len(set(case["inputs"].get("group", ()))) <= 4
    ]


EACH = in_inequality()
GAPS = [case for case in CASES.values() if case["measure"] == "urban_rural_gap"]
OVER_YEARS = [
    case
    for case in CASES.values()
    if case["measure"] in ("sigma_convergence", "beta_convergence") and case["id"] not in STRICTER
]
#: (base indicator, area type) without a break of definition that no other case uses, one for each case over years. Shanghai
#: has no counties left, but a figure that is there counts.
FOLLOWED = [
    (row.code, area)
    for row in CATALOGUE.indicators.values()
    for area in row.area_types
    if row.is_comparable and row.kind == "base" and row.code not in {HIGHER, LOWER, COUNTY, INCOME}
    if (row.code, area) not in {(broken.indicator_code, broken.area_type) for broken in CATALOGUE.breaks}
]


@dataclasses.dataclass(frozen=True)
class Slot:
    """Where a case stands."""

    indicator: str
    year: int
    area: str
    scope: str = "nation:province"


def slots() -> dict[str, Slot]:
    """A slot a case: years three apart, since a weight or income stands for two years after its own."""
    found: dict[str, Slot] = {}
    places = itertools.product(range(1902, 2099, 3), ("total", "urban", "rural"))
    totals = [(year, area) for year, area in places if area == "total"]
    others = itertools.product(range(1902, 2099, 3), ("urban", "rural"))
    needs_total = iter(totals)
    for case in EACH:
        if case["measure"] == "theil_nested":
            found[case["id"]] = Slot(COUNTY, next(needs_total)[0], "total", "nation:county")
        elif case["inputs"].get("favourable") is False:
            found[case["id"]] = Slot(LOWER, next(needs_total)[0], "total")
        else:
            found[case["id"]] = Slot(HIGHER, *next(others))
    return found


SLOTS = slots()


def provinces_of(groups: list[str]) -> list[str]:
    """A province for each place, so that places of one group are of one region group: the largest group where most are."""
    by_group: dict[str, list[str]] = {}
    for code in PROVINCES:
        by_group.setdefault(CATALOGUE.provinces[code].region_group, []).append(code)
    sizes = sorted(set(groups), key=lambda group: -groups.count(group))
    room = dict(zip(sizes, sorted(by_group.values(), key=len, reverse=True), strict=False))
    taken = {group: iter(codes) for group, codes in room.items()}
    return [next(taken[group]) for group in groups]


def counties_of(groups: list[str], provinces: list[str]) -> list[str]:
    """A county for each place, in a province for each (group, province)."""
    pairs = sorted(set(zip(groups, provinces, strict=True)))
    home = dict(zip(pairs, provinces_of([group for group, _ in pairs]), strict=True))
    within = {
        pair: iter(sorted(code for code in CATALOGUE.county_units if code[:2] == home[pair][:2])) for pair in pairs
    }
    return [next(within[pair]) for pair in zip(groups, provinces, strict=True)]


def cells_of(case: dict[str, Any]) -> Iterator[Cell]:
    """The case as figures of its slot: values, people, incomes."""
    slot, inputs = SLOTS[case["id"]], case["inputs"]
    values = values_of(case)
    if case["measure"] == "theil_nested":
        regions = counties_of(inputs["group"], inputs["province"])
    else:
        regions = provinces_of(inputs["group"]) if "group" in inputs else PROVINCES[: len(values)]
    ranking = inputs.get("rank_by") or (inputs.get("order") if case["measure"] == "sii_rii" else None)
    for indicator, numbers in ((slot.indicator, values), (PEOPLE, inputs.get("w")), (INCOME, ranking)):
        for region, number in zip(regions, numbers or [], strict=False):
            if number is not None:
                yield Cell(indicator, region, number, slot.area, period=str(slot.year))


def gap_cells() -> Iterator[Cell]:
    for case, year in zip(GAPS, range(1900, 2099), strict=False):
        for side in ("urban", "rural"):
            for region, number in zip(PROVINCES, case["inputs"][side], strict=False):
                if number is not None:
                    yield Cell("INC_DISPOSABLE", region, number, side, period=str(1900 + 3 * (year - 1900)))


def panel_of(case: dict[str, Any]) -> tuple[list[int], list[list[float | None]]]:
    """Years and a row a place; what has two ends only gets a year between them, which moves no end."""
    inputs = case["inputs"]
    if case["measure"] == "sigma_convergence":
        return inputs["years"], inputs["panel"]
    middle = 2010 + inputs["T"] // 2
    return [2010, middle, 2010 + inputs["T"]], [
        [start, None if start is None or end is None else 1.0 + start, end]
        for start, end in zip(inputs["x0"], inputs["xT"], strict=True)
    ]


def years_cells() -> Iterator[Cell]:
    for case, (indicator, area) in zip(OVER_YEARS, FOLLOWED, strict=False):
        years, panel = panel_of(case)
        for region, numbers in zip(PROVINCES, panel, strict=False):
            for year, number in zip(years, numbers, strict=True):
                if number is not None:
                    yield Cell(indicator, region, number, area, period=str(year))


@pytest.fixture(scope="module")
def loaded(centre_engine: Engine) -> Iterator[Centre]:
    """All cases, loaded, computed and published in one night with minimum coverage 0."""
    with pytest.MonkeyPatch.context() as patch:
        computed = {
            "inequality": lambda given, wanted: inequality(given.figures, given.catalogue, wanted, minimum_coverage=0),
            "convergence": lambda given, wanted: convergence(
                given.figures, given.catalogue, wanted, minimum_coverage=0
            ),
        }
        for name, compute in computed.items():
            patch.setitem(registry.MARTS, name, dataclasses.replace(registry.MARTS[name], compute=compute))  # type: ignore[arg-type]
        centre = Centre(centre_engine)
        centre.empty()
        cells = [*itertools.chain.from_iterable(map(cells_of, EACH)), *gap_cells(), *years_cells()]
        by_province: dict[str, list[Cell]] = {}
        for cell in cells:
            by_province.setdefault(f"{cell.region[:2]}0000", []).append(cell)
        centre.night(*(Return("employment_annual", code, "2024", tuple(own)) for code, own in by_province.items()))
        yield centre


@pytest.fixture(scope="module")
def rows(loaded: Centre) -> dict[tuple[str, str, str, str, str], dict[str, Any]]:
    """Rows of ``mart.inequality`` by indicator, period, area type, scope and weighting."""
    found = loaded.values("SELECT to_jsonb(m) FROM mart.inequality m")
    names = ("indicator_code", "period_code", "area_type", "scope", "weighting")
    return {tuple(row[name] for name in names): row for row in found}  # type: ignore[misc]


def row_of(rows: dict[Any, dict[str, Any]], case: dict[str, Any]) -> dict[str, Any]:
    slot = SLOTS[case["id"]]
    weighting = "none" if case["inputs"].get("w") is None else "population"
    return rows[slot.indicator, str(slot.year), slot.area, slot.scope, weighting]


def test_every_case_that_can_has_a_slot_of_its_own() -> None:
    assert len({(slot.year, slot.area, slot.scope) for slot in SLOTS.values()}) == len(SLOTS) == len(EACH)
    assert len(EACH) > 110
    assert len(FOLLOWED) >= len(OVER_YEARS)


@pytest.mark.parametrize("case", EACH, ids=[case["id"] for case in EACH])
def test_inequality_shows_what_the_oracle_says(rows: dict[Any, dict[str, Any]], case: dict[str, Any]) -> None:
    values = [value for value in values_of(case) if value is not None]
    if not values:  # a slice without any figure has no row: nothing to be null
        slot = SLOTS[case["id"]]
        assert not any(key[:3] == (slot.indicator, str(slot.year), slot.area) for key in rows)
        return
    row, columns, expected = row_of(rows, case), columns_of(case), case["expected"]
    if row["status"] != "ok":
        # A row with a negative figure or a mean of 0 has no measure at all, the absolute ones included.
        is_undefined = min(values) < 0 or not any(values)
        has_no_units = row["status"] == "insufficient_coverage" and row["units"] == 0
        assert is_undefined or has_no_units or any((weight or 0) < 0 for weight in case["inputs"].get("w") or [])
        shown = [columns] if isinstance(columns, str) else list((columns or {}).values())
        assert all(row[name] is None for name in shown)
        return
    if isinstance(columns, str):
        assert_agrees(row[columns], expected, case["tolerance"], case["id"])
        return
    assert columns is not None
    for name, column in columns.items():
        assert_agrees(
            row[column], None if expected is None else expected[name], case["tolerance"], f"{case['id']}.{name}"
        )


@pytest.mark.parametrize("case", GAPS, ids=[case["id"] for case in GAPS])
def test_the_gap_shows_what_the_oracle_says(loaded: Centre, case: dict[str, Any]) -> None:
    year = 1900 + 3 * GAPS.index(case)
    found = {
        region: (difference, ratio)
        for region, difference, ratio in loaded.rows(
            "SELECT region_code, difference, ratio FROM mart.urban_rural_gap WHERE indicator_code = 'INC_DISPOSABLE'"
            " AND period_code = :year AND region_level = 'province'",
            year=str(year),
        )
    }
    for region, difference, ratio in zip(
        PROVINCES, case["expected"]["difference"], case["expected"]["ratio"], strict=False
    ):
        if difference is None:
            assert region not in found
        else:
            assert_agrees(found[region][0], difference, case["tolerance"], f"{case['id']}.difference")
            assert_agrees(found[region][1], ratio, case["tolerance"], f"{case['id']}.ratio")


@pytest.mark.parametrize("case", OVER_YEARS, ids=[case["id"] for case in OVER_YEARS])
def test_convergence_shows_what_the_oracle_says(loaded: Centre, case: dict[str, Any]) -> None:
    (indicator, area), (years, _) = FOLLOWED[OVER_YEARS.index(case)], panel_of(case)
    row = loaded.values(
        "SELECT to_jsonb(m) FROM mart.convergence m WHERE indicator_code = :indicator AND period_code = :year"
        " AND scope = 'nation:province' AND area_type = :area",
        indicator=indicator,
        area=area,
        year=str(years[-1]),
    )[0]
    expected, tolerance = case["expected"], case["tolerance"]
    if case["measure"] == "beta_convergence":
        for name, column in {"slope": "beta", "speed": "speed", "half_life": "half_life"}.items():
            assert_agrees(row[column], expected[name], tolerance, f"{case['id']}.{name}")
        return
    assert row["units"] == expected["n_regions"]
    assert_agrees(row["cv_slope"], expected["cv_slope"], tolerance, "cv_slope")
    assert_agrees(row["sd_log_slope"], expected["sd_log_slope"], tolerance, "sd_log_slope")
    if len(years) >= 3:
        assert_agrees(row["cv_first"], expected["cv"][0], tolerance, "cv_first")
        assert_agrees(row["cv_last"], expected["cv"][-1], tolerance, "cv_last")


# --- what holds of the mart's rows, whatever the figures ---

RATE = "HLT_BEDS_PER_1000"
RELATIVE = (
    "cv",
    "gini",
    "theil_t",
    "theil_l",
    "atkinson_05",
    "atkinson_1",
    "atkinson_2",
    "idisu",
    "idisw",
    "rci",
    "paf",
)
ABSOLUTE = ("mean", "max_min_difference", "mdmu", "mdmw", "mdbu", "mdbw", "mdru", "mdrw", "bgsd", "par", "aci", "sii")
PARTS = {
    "theil_t": ("theil_t_within", "theil_t_between"),
    "theil_l": ("theil_l_within", "theil_l_between"),
    "gini": ("dagum_within", "dagum_between", "dagum_transvariation"),
}
amounts = st.lists(st.integers(1, 10_000), min_size=31, max_size=31)
few = settings(max_examples=8, deadline=None)


def shown(
    values: list[Any], people: list[int], incomes: list[int], weighting: str = "population", **options: Any
) -> Any:
    """The row of a rate of all provinces, weighted by people, ranked by incomes."""
    given = [
        *everywhere(RATE, "2024", "total", values),
        *everywhere(PEOPLE, "2024", "total", [float(number) for number in people]),
        *everywhere(INCOME, "2024", "total", [float(number) for number in incomes]),
    ]
    frame = inequality(figures(given), CATALOGUE, {slice_of(RATE, "2024")}, **options)
    return frame[frame["weighting"] == weighting].iloc[0]


@few
@given(amounts, amounts, amounts, st.sampled_from(["none", "population"]), st.sampled_from([0.001, 0.5, 7.0, 1e6]))
def test_another_unit_of_measurement_changes_no_relative_measure_and_scales_the_absolute(
    values: list[int], people: list[int], incomes: list[int], weighting: str, scale: float
) -> None:
    plain = shown([float(value) for value in values], people, incomes, weighting)
    scaled = shown([value * scale for value in values], people, incomes, weighting)
    for name in RELATIVE:
        assert scaled[name] == pytest.approx(plain[name], rel=1e-7, abs=1e-9, nan_ok=True), name
    for name in ABSOLUTE:
        assert scaled[name] == pytest.approx(plain[name] * scale, rel=1e-7, abs=1e-7 * scale, nan_ok=True), name


@few
@given(st.lists(st.integers(1, 10_000), min_size=15, max_size=15), st.integers(2, 50))
def test_a_population_of_twice_the_places_or_of_more_people_each_is_as_unequal(values: list[int], times: int) -> None:
    once = shown([*map(float, values), *[None] * 16], [1] * 31, [1] * 31, "none", minimum_coverage=0)
    twice = shown([*map(float, values), *map(float, values), None], [1] * 31, [1] * 31, "none", minimum_coverage=0)
    few_people, many_people = (
        shown(
            [*map(float, values), *[None] * 16],
            [number * factor for number in range(1, 32)],
            [1] * 31,
            minimum_coverage=0,
        )
        for factor in (1, times)
    )
    for name in ("cv", "gini", "theil_t", "theil_l", "atkinson_1", "max_min_ratio"):
        assert twice[name] == pytest.approx(once[name], rel=1e-9, abs=1e-12), name
        assert many_people[name] == pytest.approx(few_people[name], rel=1e-9, abs=1e-12), name


@few
@given(amounts, st.integers(0, 30), st.integers(0, 30), st.floats(0.05, 0.45))
def test_a_transfer_from_a_richer_to_a_poorer_place_makes_less_inequality(
    values: list[int], one: int, other: int, share: float
) -> None:
    """Pigou and Dalton: an amount that does not turn the two round."""
    poor, rich = sorted((one, other), key=lambda place: values[place])
    amount = share * (values[rich] - values[poor])
    after = [float(value) for value in values]
    after[poor] += amount
    after[rich] -= amount
    before = shown([float(value) for value in values], [1] * 31, [1] * 31, "none")
    row = shown(after, [1] * 31, [1] * 31, "none")
    for name in ("cv", "gini", "theil_t", "theil_l", "atkinson_05", "atkinson_1", "atkinson_2"):
        assert row[name] <= before[name] + 1e-9, name
    if amount > 1:
        assert row["cv"] < before["cv"]
    assert row["mean"] == pytest.approx(before["mean"])


@few
@given(amounts, amounts, st.sampled_from(["none", "population"]))
def test_parts_sum_to_their_whole(values: list[int], people: list[int], weighting: str) -> None:
    row = shown([float(value) for value in values], people, [1] * 31, weighting)
    for whole, parts in PARTS.items():
        assert math.fsum(row[part] for part in parts) == pytest.approx(row[whole], abs=1e-9), whole
    assert row["aci"] == pytest.approx(row["rci"] * row["mean"], abs=1e-9)
    assert row["bgsd"] ** 2 == pytest.approx(row["bgv"], rel=1e-9)


@few
@given(amounts, amounts, amounts, st.permutations(range(31)))
def test_places_that_change_their_names_change_no_measure_but_those_of_groups_and_reference(
    values: list[int], people: list[int], incomes: list[int], order: list[int]
) -> None:
    first = shown([float(value) for value in values], people, incomes)
    second = shown([float(values[n]) for n in order], [people[n] for n in order], [incomes[n] for n in order])
    for name in {*RELATIVE, *ABSOLUTE} - {"mdru", "mdrw"}:
        assert second[name] == pytest.approx(first[name], rel=1e-9, abs=1e-7, nan_ok=True), name
    assert np.isfinite(second["gini"])
