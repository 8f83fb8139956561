"""Regions through time: what became of a code, and figures on today's map. Nothing is lost, nothing counts twice."""

import dataclasses
import datetime
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.drafts import begin_draft
from sandbox.periods import ReturnPeriod
from sandbox.platforms import Clock, Platforms
from sandbox.spans import columns_of
from sandbox.tables import TableMaker
from sandbox.truth import read_rightly
from tests.warehouse.frames import CATALOGUE, Row, figures, slice_of
from warehouse.catalogue import Catalogue, Region, RegionChange
from warehouse.deriving import derive_indicators
from warehouse.marts.observation_harmonised import HARMONISED_COLUMNS, MAP_STATUSES, observation_harmonised
from warehouse.panels import AREA_TYPES
from warehouse.periods import period_from_key
from warehouse.regions import LEFT_CONFLICT, LEFT_OTHER_PROVINCE, LEFT_UNSPLIT, UNMAPPED, Bundle, Succession

DAY = datetime.date
SUCCESSION = Succession(CATALOGUE)
KNOWN = {row.region_code: row for row in CATALOGUE.region_rows}


def change(on: str, kind: str, old: str, new: str, share: float | None = None) -> dict[str, Any]:
    return {
        "effective_date": DAY.fromisoformat(on), "kind": kind, "from_code": old, "from_name": old, "to_code": new,
        "to_name": new, "share": share,
    }  # fmt: skip


def catalogue_of(codes: dict[str, tuple[str | None, str | None]], *changes: dict[str, Any]) -> Catalogue:
    """The catalogue with a province 99 of its own: codes with (valid_from, valid_to), and their changes."""
    like = KNOWN["510104"]
    rows = [
        like.model_copy(
            update={
                "region_code": code,
                "valid_from": began and DAY.fromisoformat(began),
                "valid_to": ended and DAY.fromisoformat(ended),
            }
        )
        for code, (began, ended) in codes.items()
    ]
    made: tuple[Region, ...] = (*CATALOGUE.region_rows, *rows)
    changed = tuple(RegionChange.model_validate(row) for row in changes)
    return dataclasses.replace(CATALOGUE, region_rows=made, region_changes=changed, sha256="another")


SHARED = catalogue_of(
    {"990101": (None, "2015-07-01"), "990102": (None, None), "990103": ("2015-07-01", None)},
    change("2015-07-01", "merge", "990101", "990102", 0.25),
    change("2015-07-01", "split", "990101", "990103", 0.75),
)
"""990101 was dissolved: a quarter of it went to a neighbour, the rest became a region of its own."""


def parts(code: str, day: str, until: str | None = None, succession: Succession = SUCCESSION) -> dict[str, Any]:
    end = DAY.fromisoformat(until) if until else DAY.max
    return {part.code: part.share for part in succession.follow(code, DAY.fromisoformat(day), end)}


# --- what became of a code ---


@pytest.mark.parametrize(
    ("code", "day", "became"),
    [
        ("510104", "2000-01-01", {"510104": 1.0}),
        ("320124", "2013-02-07", {"320117": 1.0}),
        ("320103", "2013-02-07", {"320104": 1.0}),
        ("341422", "2010-06-30", {"340281": 1.0}),
        ("340225", "2015-06-30", {"340281": 1.0}),
        ("510200", "1996-12-31", {"500000": 1.0}),
        ("330104", "2021-04-08", {"330102": None, "330114": None}),
        ("330110", "2021-04-08", {"330110": None, "330113": None}),
        ("330110", "2021-04-09", {"330110": 1.0}),
        ("371200", "2018-12-31", {}),
    ],
    ids=["never changed", "upgrade", "merge", "transfer, then upgrade", "upgrade alone", "to another province",
         "dissolved", "divided, and goes on", "after it was divided", "ended without a dated change"],
)  # fmt: skip
def test_what_became_of_a_code(code: str, day: str, became: dict[str, float | None]) -> None:
    assert parts(code, day) == became


def test_a_change_has_effect_from_its_day_on() -> None:
    assert parts("320124", "2013-02-07", "2013-02-07") == {"320124": 1.0}
    assert parts("320124", "2013-02-07", "2013-02-08") == {"320117": 1.0}


def test_the_map_of_any_day_can_be_asked() -> None:
    assert parts("341422", "2010-06-30", "2015-06-30") == {"340225": 1.0}


def test_shares_are_multiplied_along_the_way() -> None:
    codes = {"990101": (None, None), "990102": ("2010-01-01", "2015-01-01"), "990103": ("2015-01-01", None)}
    steps = Succession(
        catalogue_of(
            codes,
            change("2010-01-01", "split", "990101", "990102", 0.4),
            change("2015-01-01", "rename", "990102", "990103"),
            change("2018-01-01", "split", "990101", "990103", 0.5),
        )
    )
    assert parts("990101", "2009-12-31", succession=steps) == pytest.approx({"990101": 0.3, "990103": 0.7})
    assert parts("990101", "2016-01-01", succession=steps) == pytest.approx({"990101": 0.5, "990103": 0.5})


def test_another_name_of_the_same_code_changes_no_map() -> None:
    renamed = catalogue_of({"990101": (None, None)}, change("2015-01-01", "rename", "990101", "990101"))
    assert parts("990101", "2010-01-01", succession=Succession(renamed)) == {"990101": 1.0}


@pytest.mark.parametrize("row", CATALOGUE.region_changes, ids=lambda row: f"{row.from_code}-{row.to_code}")
def test_every_dated_change_leads_to_a_code_of_today(row: RegionChange) -> None:
    became = SUCCESSION.follow(row.from_code, row.effective_date - datetime.timedelta(days=1))
    assert became
    assert all(KNOWN[part.code].valid_to is None for part in became)


@given(
    st.sampled_from(sorted(KNOWN)),
    st.dates(DAY(1985, 1, 1), DAY(2026, 1, 1)),
    st.dates(DAY(1985, 1, 1), DAY(2026, 1, 1)),
)
def test_by_way_of_another_day_leads_to_the_same_codes(code: str, first: DAY, second: DAY) -> None:
    day, between = sorted((first, second))
    straight = {part.code for part in SUCCESSION.follow(code, day)}
    by_way = [SUCCESSION.follow(part.code, between) for part in SUCCESSION.follow(code, day, between)]
    assert straight == {part.code for each in by_way for part in each}


# --- which codes are read together ---


def bundles(group_of: str, day: str, *present: str) -> list[Bundle]:
    (group,) = [group for group in SUCCESSION.groups if group_of in group]
    return SUCCESSION.bundle(group, DAY.fromisoformat(day), present)


def test_before_a_merger_its_members_are_read_together() -> None:
    (bundle,) = bundles("120116", "2008-12-31", "120107", "120108")
    assert (bundle.members, bundle.targets) == (("120107", "120108", "120109"), ("120116",))


def test_after_a_merger_there_is_one_code() -> None:
    (bundle,) = bundles("120116", "2012-12-31", "120116")
    assert bundle.is_identity


def test_a_code_used_after_its_end_is_of_the_map_before() -> None:
    (bundle,) = bundles("330103", "2023-12-31", "330103", "330105")
    assert (bundle.members, bundle.targets) == (("330103", "330105"), ("330105",))


def test_a_code_that_came_later_is_a_restated_table() -> None:
    (bundle,) = bundles("120116", "2008-12-31", "120116")
    assert bundle.is_identity


def test_an_old_code_beside_its_successor_is_a_conflict() -> None:
    found = {bundle.members: bundle for bundle in bundles("120116", "2008-12-31", "120116", "120107")}
    assert found[("120116",)].is_identity
    assert found[("120107",)].obstacles == {"120107": LEFT_CONFLICT}


def test_of_two_codes_that_came_later_the_first_has_the_map() -> None:
    found = {bundle.members: dict(bundle.obstacles) for bundle in bundles("340225", "2009-12-31", "340225", "340281")}
    assert found == {("340225",): {"340225": LEFT_CONFLICT}, ("340281",): {}}


def test_a_division_without_shares_stops_what_it_touches() -> None:
    (bundle,) = bundles("330104", "2019-12-31", "330102", "330104")
    assert bundle.obstacles == {"330104": LEFT_UNSPLIT}
    assert bundle.members == ("330102", "330104")


def test_what_never_moves_says_why() -> None:
    assert SUCCESSION.stays["371200"] == UNMAPPED
    assert SUCCESSION.stays["510200"] == LEFT_OTHER_PROVINCE
    assert not set(SUCCESSION.stays) & {code for group in SUCCESSION.groups for code in group}


# --- figures on today's map ---


def harmonised(
    rows: Iterable[Row], catalogue: Catalogue = CATALOGUE, with_rates: bool = False
) -> dict[tuple[str, str, str, str], tuple[float | None, str, str, str]]:
    """(indicator, period, region, area) → (value, obs_status, map_status, reported codes), without what is not shown."""
    frame = figures(rows)
    if with_rates:
        frame = pd.concat([frame, derive_indicators(frame, catalogue)], ignore_index=True)
    found = observation_harmonised(frame, catalogue)
    assert list(found.columns) == list(HARMONISED_COLUMNS)
    assert set(found["map_status"]) <= set(MAP_STATUSES)
    assert not found.duplicated(["indicator_key", "period_key", "region_key", "area_key"]).any()
    return {
        (
            catalogue.by_key[row.indicator_key].code,
            period_from_key(row.period_key).code,
            f"{row.region_key:06d}",
            AREA_TYPES[row.area_key],
        ): (None if np.isnan(row.value) else row.value, row.obs_status, row.map_status, row.reported_codes)
        for row in found.itertuples()
        if row.map_status != "moved"
    }


def beds(region: str, value: float | None, period: str = "2010", area: str = "total", status: str = "A") -> Row:
    return ("HLT_BEDS", period, region, area, value, "M" if value is None else status)


def people(region: str, value: float, period: str = "2010") -> Row:
    return ("POP_RESIDENT", period, region, "total", value, "A")


def test_figures_of_todays_codes_have_no_row_here() -> None:
    assert harmonised([beds("510104", 5.0), beds("510000", 9.0), beds("320117", 1.0, "2020")]) == {}


def test_an_upgraded_county_is_carried_over() -> None:
    assert harmonised([beds("320124", 5.0, status="E")]) == {
        ("HLT_BEDS", "2010", "320117", "total"): (5.0, "E", "renamed", "320124")
    }


def test_a_figure_of_one_region_is_carried_whatever_it_measures() -> None:
    found = harmonised([("HLT_BEDS_PER_1000", "2010", "320124", "total", 4.5, "A"), beds("320124", None)])
    assert found["HLT_BEDS_PER_1000", "2010", "320117", "total"] == (4.5, "A", "renamed", "320124")
    assert found["HLT_BEDS", "2010", "320117", "total"] == (None, "M", "renamed", "320124")


def test_a_merger_is_summed_with_the_weakest_status() -> None:
    rows = [beds("120107", 1.0), beds("120108", 2.0, status="E"), beds("120109", 4.0)]
    assert harmonised(rows) == {("HLT_BEDS", "2010", "120116", "total"): (7.0, "E", "merged", "120107;120108;120109")}


def test_a_merger_into_a_code_that_goes_on_counts_its_own_figure() -> None:
    assert harmonised([beds("320103", 1.0), beds("320104", 2.0)]) == {
        ("HLT_BEDS", "2010", "320104", "total"): (3.0, "A", "merged", "320103;320104")
    }


def test_after_the_merger_the_code_means_the_whole() -> None:
    assert harmonised([beds("320104", 2.0, "2014")]) == {}


@pytest.mark.parametrize("gap", [[], [beds("320104", None)]], ids=["no row", "blank"])
def test_a_merger_without_one_member_stays_as_reported(gap: list[Row]) -> None:
    found = harmonised([beds("320103", 1.0), *gap])
    assert found["HLT_BEDS", "2010", "320103", "total"] == (1.0, "A", "left_incomplete", "320103")
    assert {way for _, _, way, _ in found.values()} == {"left_incomplete"}


def test_blanks_together_are_a_blank() -> None:
    assert harmonised([beds("320103", None), beds("320104", None)]) == {
        ("HLT_BEDS", "2010", "320104", "total"): (None, "M", "merged", "320103;320104")
    }


def test_a_side_that_no_member_can_have_is_a_blank_and_no_zero() -> None:
    rows = [beds("320103", 1.0, area="urban"), beds("320104", 2.0, area="urban")]
    found = harmonised([*rows, beds("320103", None, area="rural"), beds("320104", None, area="rural")])
    assert found["HLT_BEDS", "2010", "320104", "urban"] == (3.0, "A", "merged", "320103;320104")
    assert found["HLT_BEDS", "2010", "320104", "rural"] == (None, "M", "merged", "320103;320104")


def test_a_mean_without_one_member_lacks_it() -> None:
    rows: list[Row] = [("EDU_MEAN_YEARS", "2010", "320103", "total", 8.0, "A"), people("320103", 1000.0)]
    assert harmonised(rows)["EDU_MEAN_YEARS", "2010", "320103", "total"][2] == "left_incomplete"


def test_a_side_that_a_county_cannot_have_is_not_missing() -> None:
    rows = [beds("370634", 1.0, area="rural"), beds("370684", 2.0, area="urban")]
    assert harmonised(rows) == {
        ("HLT_BEDS", "2010", "370614", "rural"): (1.0, "A", "merged", "370634"),
        ("HLT_BEDS", "2010", "370614", "urban"): (2.0, "A", "merged", "370684"),
    }


def test_a_rate_is_made_again_from_what_was_summed() -> None:
    rows = [beds("320103", 8.0), beds("320104", 2.0)]
    found = harmonised([*rows, people("320103", 1000.0), people("320104", 4000.0)], with_rates=True)
    assert found["HLT_BEDS_PER_1000", "2010", "320104", "total"] == (2.0, "A", "merged", "320103;320104")
    assert not [key for key in found if key[2] == "320103"]


def test_a_rate_whose_parts_cannot_be_summed_stays_as_reported() -> None:
    rows: list[Row] = [("HLT_BEDS_PER_1000", "2010", code, "total", 4.0, "A") for code in ("320103", "320104")]
    assert {(key[2], way[2]) for key, way in harmonised(rows).items()} == {
        ("320103", "left_not_recomputable"), ("320104", "left_not_recomputable")
    }  # fmt: skip


def test_a_mean_is_weighed_and_never_averaged() -> None:
    rows: list[Row] = [
        *(("EDU_MEAN_YEARS", "2010", code, "total", value, "A") for code, value in (("320103", 8.0), ("320104", 12.0))),
        *(("POP_RESIDENT", "2010", code, "total", value, "P") for code, value in (("320103", 1000.0), ("320104", 3000.0))),
    ]  # fmt: skip
    assert harmonised(rows)["EDU_MEAN_YEARS", "2010", "320104", "total"] == (11.0, "P", "merged", "320103;320104")


@pytest.mark.parametrize("indicator", ["EDU_MEAN_YEARS", "HLT_BEDS_PER_10K"], ids=["no weights", "no aggregation"])
def test_a_mean_that_cannot_be_weighed_stays_as_reported(indicator: str) -> None:
    rows: list[Row] = [(indicator, "2010", code, "total", 9.0, "A") for code in ("320103", "320104")]
    assert [way for _, _, way, _ in harmonised(rows).values()] == ["left_not_additive"] * 2


def test_a_division_without_shares_stays_with_its_neighbour() -> None:
    found = harmonised([beds("330104", 5.0), beds("330102", 2.0), beds("330110", 7.0)])
    assert {key[2]: way for key, (_, _, way, _) in found.items()} == {
        "330102": "left_incomplete", "330104": "left_unsplit", "330110": "left_unsplit"
    }  # fmt: skip


def test_a_division_by_shares_is_an_estimate() -> None:
    assert harmonised([beds("990101", 100.0), beds("990102", 40.0)], SHARED) == {
        ("HLT_BEDS", "2010", "990102", "total"): (65.0, "E", "split", "990101;990102"),
        ("HLT_BEDS", "2010", "990103", "total"): (75.0, "E", "split", "990101;990102"),
    }


def test_what_no_list_explains_stays_and_is_marked() -> None:
    assert harmonised([beds("371200", 5.0)]) == {
        ("HLT_BEDS", "2010", "371200", "total"): (5.0, "A", "unmapped", "371200")
    }


def test_what_went_to_another_province_stays_with_its_own() -> None:
    found = harmonised([beds("510200", 5.0, "1996"), beds("510000", 20.0, "1996")])
    assert found == {("HLT_BEDS", "1996", "510200", "total"): (5.0, "A", "left_other_province", "510200")}


def test_a_rate_of_parts_on_two_maps_is_made_again_on_one() -> None:
    """One platform of the province still uses the code that ended, the other does not."""
    rows = [beds("330103", 2.0, "2023"), beds("330105", 4.0, "2023"), people("330105", 1000.0, "2023")]
    found = harmonised(rows, with_rates=True)
    assert found["HLT_BEDS_PER_1000", "2023", "330105", "total"] == (6.0, "A", "recomputed", "330105")


def test_a_rate_appears_where_its_parts_had_two_codes() -> None:
    found = harmonised([beds("320124", 6.0, "2013"), people("320117", 1000.0, "2013")], with_rates=True)
    assert found["HLT_BEDS_PER_1000", "2013", "320117", "total"] == (6.0, "A", "recomputed", "320117")


def test_a_rate_with_a_part_that_cannot_be_read_on_todays_map_says_so() -> None:
    rows = [beds("330102", 6.0, "2022"), people("330102", 1000.0, "2022"), people("330104", 500.0, "2022")]
    found = harmonised(rows, with_rates=True)
    assert found["HLT_BEDS_PER_1000", "2022", "330102", "total"] == (6.0, "A", "left_not_recomputable", "330102")


def test_only_the_slices_asked_for_are_given() -> None:
    frame = figures([beds("320124", 5.0, "2010"), beds("320124", 6.0, "2011")])
    found = observation_harmonised(frame, CATALOGUE, {slice_of("HLT_BEDS", "2011")})
    assert found.loc[found["map_status"] == "renamed", "value"].tolist() == [6.0]


# --- nothing is lost, nothing counts twice ---

ADDITIVE = ("HLT_BEDS", "POP_RESIDENT", "EDU_PRIMARY_PUPILS")
PERIODS = {"HLT_BEDS": ("2008", "2012", "2020", "2021-Q2", "2023"), "POP_RESIDENT": ("2008", "2012", "2020", "2023"),
           "EDU_PRIMARY_PUPILS": ("SY2008", "SY2012", "SY2020", "SY2023")}  # fmt: skip
CODES = sorted({code for group in SUCCESSION.groups for code in group} | {"371200", "510200", "510104", "330000"})
SHARED_CODES = ["990101", "990102", "990103", "510104"]


def some_figures(codes: list[str]) -> st.SearchStrategy[list[Row]]:
    """Any choice of codes, old and new side by side, blanks among them."""
    keys = st.sampled_from(ADDITIVE).flatmap(
        lambda code: st.tuples(
            st.just(code), st.sampled_from(PERIODS[code]), st.sampled_from(codes), st.sampled_from(AREA_TYPES)
        )
    )
    values = st.one_of(st.none(), st.integers(0, 10**6).map(float))
    made = st.dictionaries(keys, st.tuples(values, st.sampled_from("AEP")), max_size=60)
    return made.map(
        lambda found: [(*key, value, "M" if value is None else status) for key, (value, status) in found.items()]
    )


COUNTS = {code for code, row in CATALOGUE.indicators.items() if row.kind == "base" and row.aggregation == "sum"}


def sums(shown: dict[tuple[str, str, str, str], float]) -> dict[tuple[str, str, str, str], float]:
    """Sums of counts below the province, by indicator, period, province and area type; and of the nation."""
    found: dict[tuple[str, str, str, str], float] = {}
    for (indicator, period, region, area), value in shown.items():
        for place in (region[:2], "nation"):
            if indicator in COUNTS and not region.endswith("0000"):
                found[indicator, period, place, area] = found.get((indicator, period, place, area), 0.0) + value
    return found


def on_either_map(rows: list[Row], catalogue: Catalogue) -> tuple[dict[Any, float], dict[Any, float]]:
    """Figures as reported, and as the view shows them on today's map."""
    reported = {(i, p, r, a): value for i, p, r, a, value, _ in rows if value is not None}
    found = observation_harmonised(figures(rows), catalogue)
    replaced = {
        (catalogue.by_key[row.indicator_key].code, period_from_key(row.period_key).code, f"{row.region_key:06d}",
         AREA_TYPES[row.area_key]): row
        for row in found.itertuples()
    }  # fmt: skip
    shown = {key: value for key, value in reported.items() if key not in replaced}
    shown |= {key: row.value for key, row in replaced.items() if row.map_status != "moved" and not np.isnan(row.value)}
    return reported, shown


@given(some_figures(CODES))
@settings(max_examples=40, deadline=None)
def test_the_nation_and_each_province_sum_to_the_same_on_either_map(rows: list[Row]) -> None:
    reported, shown = on_either_map(rows, CATALOGUE)
    assert sums(shown) == sums(reported)


@given(some_figures(SHARED_CODES))
@settings(max_examples=25, deadline=None)
def test_divided_figures_sum_to_the_same_too(rows: list[Row]) -> None:
    reported, shown = on_either_map(rows, SHARED)
    assert {key: value for key, value in sums(shown).items() if value} == pytest.approx(
        {key: value for key, value in sums(reported).items() if value}
    )


@pytest.fixture(scope="module")
def sandbox_rows() -> list[Row]:
    """The figures of Zhejiang's and Tibet's returns of 2025, whose counties the sandbox has on the map of 2020."""
    maker = TableMaker(seed=1)
    platforms = Platforms(maker, Clock(datetime.date(2026, 11, 24)))
    found: dict[Any, Row] = {}
    for form in maker.reference.forms.values():
        period = ReturnPeriod(2025, 12, form.frequency)
        for province in (maker.reference.province_by_code[code] for code in ("330000", "540000")):
            draft = begin_draft(maker.make(form, province, period), columns_of(maker.annual, form.code, period))
            for row in read_rightly(draft, period, platforms).figures:
                key = (row["indicator_code"], row["period_code"], row["region_code"], row["area_type"])
                found[key] = (*key, row["value"], row["obs_status"])
    return list(found.values())


def test_the_sandboxs_figures_sum_to_the_same_on_either_map(sandbox_rows: list[Row]) -> None:
    reported, shown = on_either_map(sandbox_rows, CATALOGUE)
    assert sums(shown) == sums(reported)
    assert len(sums(reported)) > 100


def test_the_sandboxs_old_codes_are_read_on_todays_map(sandbox_rows: list[Row]) -> None:
    found = harmonised(sandbox_rows, with_rates=True)
    regions: dict[str, set[str]] = {}
    for (_, _, region, _), (_, _, way, _) in found.items():
        regions.setdefault(way, set()).add(region)
    assert regions == {
        "renamed": {"540481", "540581"},
        "merged": {"330105"},
        "left_not_additive": {"330103", "330105"},
        "left_unsplit": {"330104"},
        "left_incomplete": {"330102"},
        "left_not_recomputable": {"330102"},
    }


@given(some_figures(CODES))
@settings(max_examples=25, deadline=None)
def test_a_figure_that_is_moved_stands_at_a_code_of_today(rows: list[Row]) -> None:
    for (_, _, region, _), (_, _, way, codes) in harmonised(rows).items():
        if way in ("renamed", "merged", "split"):
            assert KNOWN[region].valid_to is None
        else:
            assert codes == region


@given(some_figures(CODES), st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_the_order_of_the_figures_does_not_matter(rows: list[Row], random: Any) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert harmonised(shuffled, with_rates=True) == harmonised(rows, with_rates=True)
