"""The changed set: what is named, and that recomputing only that equals recomputing everything."""

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.warehouse.frames import CATALOGUE, PROVINCES, Row, figures, key_of, slice_of
from warehouse.dependencies import dependent_slices, required_slices
from warehouse.deriving import aggregate_nation, derive_indicators
from warehouse.marts import reach
from warehouse.marts.registry import MARTS as REGISTERED
from warehouse.marts.registry import Inputs, Mart
from warehouse.panels import in_slices
from warehouse.periods import parse_period


def known(**periods: str) -> dict[int, set[int]]:
    return {key_of(code): {parse_period(part).key for part in text.split()} for code, text in periods.items()}


def test_a_changed_denominator_changes_all_that_rests_on_it() -> None:
    periods = known(POP_RESIDENT="2023 2024", HLT_BEDS="2023 2024 2024-Q1", HLT_NURSES="2024")
    got = dependent_slices({slice_of("POP_RESIDENT", "2024")}, CATALOGUE, periods)
    expected = {slice_of(code, "2024") for code in ("POP_RESIDENT", "HLT_BEDS_PER_1000", "HLT_NURSES_PER_1000")}
    assert got.observations == expected
    assert got.metrics == expected


def test_a_changed_weight_changes_what_it_weighs_for_two_years() -> None:
    periods = known(
        POP_RESIDENT="2021 2022 2023 2024", INC_DISPOSABLE="2020 2021 2022 2023 2024", EDU_CONSOLIDATION_RATE="SY2023"
    )
    got = dependent_slices({slice_of("POP_RESIDENT", "2021")}, CATALOGUE, periods)
    weighed = {slice_of("INC_DISPOSABLE", year) for year in ("2021", "2022", "2023")}
    assert got.observations == weighed | {slice_of("POP_RESIDENT", "2021")}
    assert got.metrics == got.observations
    later = dependent_slices({slice_of("POP_RESIDENT", "2023")}, CATALOGUE, periods)
    assert slice_of("EDU_CONSOLIDATION_RATE", "SY2023") in later.metrics - later.observations


def test_a_changed_figure_without_a_nation_is_a_metric_only() -> None:
    changed = {slice_of("HLT_BEDS_PER_10K", "2024")}
    assert dependent_slices(changed, CATALOGUE, known(HLT_BEDS_PER_10K="2024")) == (frozenset(), changed)


def test_nothing_changed_nothing_rests_on_it() -> None:
    assert dependent_slices(set(), CATALOGUE, known(POP_RESIDENT="2024")) == (frozenset(), frozenset())


def test_what_a_rate_needs() -> None:
    periods = known(POP_RESIDENT="2021 2022 2023 2024 2025", HLT_BEDS="2023 2024")
    needed = required_slices({slice_of("HLT_BEDS_PER_1000", "2024")}, CATALOGUE, periods)
    assert needed == {
        slice_of("HLT_BEDS_PER_1000", "2024"),
        slice_of("HLT_BEDS", "2024"),
        *(slice_of("POP_RESIDENT", year) for year in ("2022", "2023", "2024")),
    }


# Two indicators by school year, rates over people, a weighted mean, a monthly and a quarterly one.
BASE = [
    ("POP_RESIDENT", "total", ("2022", "2023", "2024")),
    ("POP_RESIDENT", "rural", ("2022", "2023", "2024")),
    ("HLT_BEDS", "total", ("2023", "2024", "2024-Q2")),
    ("INC_DISPOSABLE", "rural", ("2023", "2024")),
    ("INC_DISPOSABLE", "total", ("2022", "2024")),
    ("EDU_PRIMARY_PUPILS", "rural", ("SY2023",)),
    ("EDU_PRIMARY_TEACHERS", "rural", ("SY2023",)),
    ("EDU_PRIMARY_PUBLIC_FUNDS", "rural", ("SY2023",)),
    ("EDU_PRIMARY_PUBLIC_FUNDS", "urban", ("SY2023",)),
    ("ELD_BEDS", "total", ("2024-Q2",)),
    ("ELD_BEDS_NURSING", "total", ("2024-Q2",)),
    ("EMP_REGISTERED_UNEMPLOYMENT_RATE", "urban", ("2024", "2024-05")),
]
# A rate over several years, for what looks back.
BASE += [("HLT_BEDS_PER_10K", "total", tuple(str(year) for year in range(2018, 2025)))]
SLICES = [(code, area, period) for code, area, periods in BASE for period in periods]
KNOWN = {
    key_of(code): {parse_period(period).key for other, _, periods in BASE if other == code for period in periods}
    for code, _, _ in BASE
}
# The counties of one small province beside the provinces: its scope is covered, the nation's is not.
REGIONS = [*PROVINCES, *sorted(code for code in CATALOGUE.county_units if code.startswith("64"))]


def base_figures() -> list[Row]:
    return [
        (code, period, region, area, 100.0 + (37 * place + 11 * number) % 50, "A")
        for number, (code, area, period) in enumerate(SLICES)
        for place, region in enumerate(REGIONS)
    ]


def derive(frame: pd.DataFrame, slices=None) -> pd.DataFrame:
    return pd.concat([derive_indicators(frame, CATALOGUE, slices), aggregate_nation(frame, CATALOGUE, slices)])


def rows_of(mart: Mart, frame: pd.DataFrame, slices) -> pd.DataFrame:
    """A mart's rows of ``slices``, from what it says they rest on and nothing else."""
    read = frame[in_slices(frame, reach.needed(slices, mart.rests_on, CATALOGUE, KNOWN_TO_MARTS))]
    return mart.compute(Inputs(read, CATALOGUE), slices)


def patched(old: pd.DataFrame, new: pd.DataFrame, slices) -> pd.DataFrame:
    """The old rows with those of ``slices`` replaced, in the order of their keys."""
    parts = [part for part in (old[~in_slices(old, slices)], new) if len(part)]
    return pd.concat(parts) if parts else old.iloc[:0]


def sorted_rows(frame: pd.DataFrame) -> pd.DataFrame:
    texts = frame.astype({name: "str" for name in frame.columns if frame[name].dtype == "category"})
    return texts.sort_values(list(texts.columns)).reset_index(drop=True)


BEFORE = figures(base_figures())
DERIVED = derive(BEFORE)
WHOLE = pd.concat([BEFORE, DERIVED])
KNOWN_TO_MARTS: dict[int, set[int]] = {}
for key, period in WHOLE[["indicator_key", "period_key"]].drop_duplicates().itertuples(index=False, name=None):
    KNOWN_TO_MARTS.setdefault(int(key), set()).add(int(period))
POSSIBLE = {name: mart.slices(CATALOGUE, KNOWN_TO_MARTS) for name, mart in REGISTERED.items()}
MARTS = {name: rows_of(mart, WHOLE, POSSIBLE[name]) for name, mart in REGISTERED.items()}

changes = st.lists(
    st.tuples(st.sampled_from(SLICES), st.sampled_from(REGIONS), st.sampled_from([None, 0.0, 7.0, 321.0])),
    min_size=1,
    max_size=3,
)


@given(changes)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_recomputing_the_dependents_equals_recomputing_everything(made) -> None:
    rows = {row[:4]: row for row in base_figures()}
    for (code, area, period), region, value in made:
        rows[code, period, region, area] = (code, period, region, area, value, "M" if value is None else "A")
    after = figures(rows.values())
    changed = {slice_of(code, period) for (code, _, period), _, _ in made}
    dependents = dependent_slices(changed, CATALOGUE, KNOWN)

    # What a nightly run would read: only the slices the recomputation needs.
    inputs = after[in_slices(after, required_slices(dependents.observations, CATALOGUE, KNOWN))]
    derived = patched(DERIVED, derive(inputs, dependents.observations), dependents.observations)
    pd.testing.assert_frame_equal(sorted_rows(derived), sorted_rows(derive(after)), rtol=1e-12)

    whole = pd.concat([after, derived])
    altered = changed | set(dependents.observations)
    for name, mart in REGISTERED.items():
        wanted = reach.touched(altered, POSSIBLE[name], mart.rests_on, CATALOGUE, KNOWN_TO_MARTS)
        got = patched(MARTS[name], rows_of(mart, whole, wanted), wanted)
        full = mart.compute(Inputs(whole, CATALOGUE), POSSIBLE[name])
        pd.testing.assert_frame_equal(sorted_rows(got), sorted_rows(full), rtol=1e-12, obj=name, check_dtype=False)
