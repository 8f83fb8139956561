"""Releases: what was in force when, held, embargoed, refused, withdrawn; what moved; computing one again."""

import dataclasses
import datetime

import pytest
from sqlalchemy import text

from tests.warehouse.centre import (
    CATALOGUE,
    FIRST_NIGHT,
    PROVINCES,
    Cell,
    Centre,
    Return,
    beds,
    employment,
    everywhere,
    health,
    people,
)
from warehouse.errors import NoSuchReleaseError, ReleaseDecisionError
from warehouse.publishing import AUTOMATIC, ReleasePolicy
from warehouse.releases import approve, diff_releases, list_releases, read_decisions, refuse, withdraw
from warehouse.reproducing import reproduce

APPROVAL = ReleasePolicy(needs_approval=True)
NIGHT = datetime.timedelta(days=1)
MARTS = ("observation", "attainment", "urban_rural_gap", "inequality")


def country(value: float, period: str = "2024") -> list[Return]:
    """Figures of every province that give rows in every mart."""
    returns = []
    for number, code in enumerate(PROVINCES):
        cells = (
            Cell("HLT_BEDS", code, value + number),
            Cell("HLT_BEDS_PER_10K", code, 50.0 + number, "urban"),
            Cell("HLT_BEDS_PER_10K", code, 40.0 + number, "rural"),
            Cell("HLT_VILLAGES_WITH_CLINIC_SHARE", code, value - number),
        )
        returns.append(health(*cells, province=code, period=period))
        returns.append(employment(people(1000.0 + 10 * number, code), province=code, period=period))
    return returns


def shown(centre: Centre, as_of: datetime.datetime | None = None) -> dict[str, set[str]]:
    """Every row of every mart as a reader sees it, now or at a moment."""
    rows = {}
    with centre.engine.begin() as connection:
        if as_of is not None:
            connection.execute(text("SELECT set_config('junheng.as_of', :moment, true)"), {"moment": as_of.isoformat()})
        for mart in MARTS:
            rows[mart] = set(connection.scalars(text(f"SELECT m::text FROM mart.{mart} m")))
    return rows


def by_function(centre: Centre, moment: datetime.datetime) -> dict[str, set[str]]:
    return {
        mart: set(centre.values(f"SELECT m::text FROM mart.{mart}_as_of(:moment) m", moment=moment)) for mart in MARTS
    }


def status(centre: Centre) -> dict[int, str]:
    return dict(centre.rows("SELECT release_id, status FROM mart.release"))


def decide(centre: Centre, action: object, *arguments: object) -> object:
    with centre.engine.begin() as connection:
        return action(connection, *arguments)  # type: ignore[operator]


# --- as of ---


def test_every_mart_can_be_asked_as_of_a_moment(centre: Centre) -> None:
    assert centre.night(*country(100.0))
    first, then = shown(centre), centre.now()
    assert all(first.values())
    centre.night(*country(120.0))
    second = shown(centre)
    assert all(first[mart] != second[mart] for mart in ("observation", "inequality"))
    assert shown(centre, then) == first == by_function(centre, then)
    assert shown(centre, centre.now()) == second == by_function(centre, centre.now())


def test_before_the_first_release_nothing_was_known(centre: Centre) -> None:
    centre.night(*country(100.0))
    before = FIRST_NIGHT - NIGHT
    assert not any(shown(centre, before).values())
    assert not any(by_function(centre, before).values())


def test_as_of_shows_a_withdrawn_release_while_it_was_in_force(centre: Centre) -> None:
    centre.night(*country(100.0))
    old = shown(centre)
    centre.night(*country(120.0))
    wrong, while_wrong = shown(centre), centre.now()
    decide(centre, withdraw, 2, "Zhang", "slip of unit", centre.now() + datetime.timedelta(hours=9))
    assert shown(centre) == old
    assert shown(centre, while_wrong + datetime.timedelta(hours=1)) == wrong
    assert shown(centre, while_wrong + datetime.timedelta(hours=10)) == old


def test_what_was_known_can_be_asked_whether_published_or_not(centre: Centre) -> None:
    centre.load(health(beds(1.0)))
    then = centre.now()
    centre.load(health(beds(2.0)))
    assert centre.values("SELECT value FROM core.observation_as_of(:moment)", moment=then) == [1.0]
    assert centre.values("SELECT value FROM core.observation_as_of(:moment)", moment=centre.now()) == [2.0]
    assert centre.values("SELECT value FROM mart.observation") == []


# --- policy ---


def test_a_release_that_needs_approval_is_prepared_and_not_seen(centre: Centre) -> None:
    centre.night(*country(100.0))
    old = shown(centre)
    made = centre.night(*country(120.0), policy=APPROVAL)
    assert made is not None
    assert (made.live_at, made.held_because) == (None, "the policy asks for approval")
    assert shown(centre) == old
    assert status(centre) == {1: "in_force", 2: "held"}
    decide(centre, approve, 2, "Zhang", "looked at it", centre.now())
    assert shown(centre) != old
    assert status(centre) == {1: "published", 2: "in_force"}
    assert centre.rows(
        "SELECT action, operator, why FROM mart.release_decision WHERE release_id = 2 ORDER BY decision_id"
    ) == [
        ("hold", "policy", "the policy asks for approval"),
        ("approve", "Zhang", "looked at it"),
    ]


def test_the_first_release_may_be_held_too(centre: Centre) -> None:
    centre.night(*country(100.0), policy=APPROVAL)
    assert not any(shown(centre).values())
    decide(centre, approve, 1, "Zhang", None, centre.now())
    assert all(shown(centre).values())


def test_a_night_after_a_held_release_is_held_with_all_of_it(centre: Centre) -> None:
    centre.night(*country(100.0))
    centre.night(*country(120.0), policy=APPROVAL)
    centre.night(*country(90.0, "2023"), policy=APPROVAL)
    assert status(centre) == {1: "in_force", 2: "held", 3: "held"}
    decide(centre, approve, 3, "Zhang", None, centre.now())
    assert centre.values("SELECT value FROM mart.observation WHERE indicator_code = 'HLT_BEDS' AND region_code = '110000'"
                         " ORDER BY period_code") == [90.0, 120.0]  # fmt: skip


def test_an_embargoed_release_goes_live_by_the_databases_clock(centre: Centre) -> None:
    centre.night(*country(100.0))
    old = shown(centre)
    made = centre.night(*country(120.0), policy=ReleasePolicy(embargo_time=datetime.time(9, 30)))
    assert made is not None
    assert made.live_at is not None
    assert made.live_at.isoformat() == "2026-11-26T09:30:00+08:00"
    assert status(centre) == {1: "in_force", 2: "embargoed"}
    assert shown(centre) == old
    # What the clock of the database will do at that moment: the move becomes due.
    centre.execute("UPDATE ops.release_pointer SET in_force_from = now() - interval '1 day' * (2 - release_id)")
    assert status(centre) == {1: "published", 2: "in_force"}
    assert shown(centre) != old


@pytest.mark.parametrize(
    ("now", "live"),
    [
        ("2026-11-24T02:10:00+08:00", "2026-11-24T09:30:00+08:00"),
        ("2026-11-24T09:30:00+08:00", "2026-11-25T09:30:00+08:00"),
        ("2026-11-23T18:00:00+00:00", "2026-11-24T09:30:00+08:00"),
    ],
)
def test_an_embargo_ends_at_the_next_such_time_in_shanghai(now: str, live: str) -> None:
    policy = ReleasePolicy(embargo_time=datetime.time(9, 30))
    assert policy.live_at(datetime.datetime.fromisoformat(now)).isoformat() == live


def test_the_automatic_policy_publishes_at_once() -> None:
    assert AUTOMATIC.held_because is None
    assert AUTOMATIC.live_at(FIRST_NIGHT) == FIRST_NIGHT


# --- withdrawing and refusing ---


def test_what_was_withdrawn_is_not_published_again_by_itself(centre: Centre) -> None:
    centre.night(*country(100.0))
    old = shown(centre)
    centre.night(*country(120.0))
    decide(centre, withdraw, 2, "Zhang", "slip of unit", centre.now())
    held = centre.night(*country(90.0, "2023"))
    assert held is not None
    assert held.live_at is None
    assert "taken back" in (held.held_because or "")
    assert shown(centre) == old
    decide(centre, approve, 3, "Li", "the figures were right after all", centre.now())
    assert status(centre) == {1: "published", 2: "withdrawn", 3: "in_force"}
    assert centre.night(*country(91.0, "2023")) is not None
    assert status(centre)[4] == "in_force"


def test_a_source_that_mends_what_was_withdrawn_is_published(centre: Centre) -> None:
    centre.night(*country(100.0))
    centre.night(*country(120.0))
    decide(centre, withdraw, 2, "Zhang", "slip of unit", centre.now())
    mended = centre.night(*country(101.0))
    assert mended is not None
    assert mended.held_because is None
    assert status(centre) == {1: "published", 2: "withdrawn", 3: "in_force"}


def test_a_source_that_goes_back_to_what_is_in_force_makes_a_release_of_it(centre: Centre) -> None:
    """The newest state of the marts is the withdrawn one: what readers see must not be left behind."""
    centre.night(*country(100.0))
    first = centre.values("SELECT marts_sha256 FROM mart.release")
    centre.night(*country(120.0))
    decide(centre, withdraw, 2, "Zhang", "slip of unit", centre.now())
    assert centre.night(*country(100.0)) is not None
    assert status(centre) == {1: "published", 2: "withdrawn", 3: "in_force"}
    assert centre.values("SELECT marts_sha256 FROM mart.release WHERE release_id = 3") == first


def test_nothing_new_after_a_withdrawal_makes_no_release(centre: Centre) -> None:
    centre.night(*country(100.0))
    centre.night(*country(120.0))
    decide(centre, withdraw, 2, "Zhang", "slip of unit", centre.now())
    assert centre.night(*country(120.0)) is None
    assert status(centre) == {1: "in_force", 2: "withdrawn"}


def test_a_withdrawn_release_can_be_approved_again(centre: Centre) -> None:
    centre.night(*country(100.0))
    centre.night(*country(120.0))
    seen = shown(centre)
    decide(centre, withdraw, 2, "Zhang", "slip of unit", centre.now())
    decide(centre, approve, 2, "Zhang", "it was none", centre.now())
    assert shown(centre) == seen
    assert status(centre) == {1: "published", 2: "in_force"}


def test_an_embargoed_release_withdrawn_in_time_is_never_seen(centre: Centre) -> None:
    centre.night(*country(100.0))
    old = shown(centre)
    centre.night(*country(120.0), policy=ReleasePolicy(embargo_time=datetime.time(9, 30)))
    assert decide(centre, withdraw, 2, "Zhang", "slip of unit", centre.now()) == 1
    assert shown(centre) == old
    assert status(centre) == {1: "in_force", 2: "withdrawn"}
    assert shown(centre, centre.now() + 3 * NIGHT) == old


def test_a_refused_release_is_not_seen_nor_what_it_said(centre: Centre) -> None:
    centre.night(*country(100.0))
    centre.night(*country(120.0), policy=APPROVAL)
    decide(centre, refuse, 2, "Zhang", "beds doubled", centre.now())
    held = centre.night(*country(90.0, "2023"))
    assert held is not None
    assert held.live_at is None
    assert status(centre) == {1: "in_force", 2: "refused", 3: "held"}


@pytest.mark.parametrize(
    ("action", "number", "reason"),
    [
        (approve, 2, "it is in_force"),
        (approve, 1, "it is published"),
        (withdraw, 1, "it is published, not in force"),
        (refuse, 2, "only a held one can be"),
    ],
)
def test_what_cannot_be_decided_is_refused_with_the_reason(
    centre: Centre, action: object, number: int, reason: str
) -> None:
    centre.night(*country(100.0))
    centre.night(*country(120.0))
    with pytest.raises(ReleaseDecisionError, match=reason):
        decide(centre, action, number, "Zhang", "because", centre.now())


def test_the_first_release_cannot_be_withdrawn(centre: Centre) -> None:
    centre.night(*country(100.0))
    with pytest.raises(ReleaseDecisionError, match="no release was published before it"):
        decide(centre, withdraw, 1, "Zhang", "because", centre.now())


def test_a_release_that_does_not_exist_is_named_with_the_newest(centre: Centre) -> None:
    centre.night(*country(100.0))
    with pytest.raises(NoSuchReleaseError, match="there is no release 7; the newest is 1"):
        decide(centre, approve, 7, "Zhang", "because", centre.now())


# --- what is listed ---


def test_releases_are_listed_newest_first(centre: Centre) -> None:
    centre.night(*country(100.0))
    centre.night(*country(120.0))
    with centre.engine.connect() as connection:
        assert list_releases(connection)[["release_id", "status"]].to_numpy().tolist() == [
            [2, "in_force"],
            [1, "published"],
        ]
        assert read_decisions(connection, 1)["action"].tolist() == ["publish"]


# --- what moved ---


def test_the_difference_of_two_releases_counts_by_kind_and_says_why(centre: Centre) -> None:
    centre.night(*country(100.0))
    more = Cell("HLT_BEDS", "110000", 400.0)
    gone = health(more, province="110000")
    centre.night(gone, *everywhere("health_annual", "2023", "HLT_BEDS", 50.0))
    with centre.engine.connect() as connection:
        found = diff_releases(connection, 2, 1)
    assert (found.older, found.newer) == (1, 2)
    counts = found.figures.set_index("indicator_code")
    assert counts.loc["HLT_BEDS", ["added", "revision", "withdrawn"]].tolist() == [31, 1, 0]
    assert counts.loc["HLT_BEDS_PER_10K", ["added", "revision", "withdrawn"]].tolist() == [0, 0, 2]
    assert found.revisions["kind"].tolist() == ["withdrawn", "withdrawn", "withdrawn", "revision"]
    revised = found.revisions.iloc[3]
    assert (revised["old_value"], revised["new_value"], revised["relative_change"]) == (100.0, 400.0, 3.0)
    moved = found.inequality[found.inequality["indicator_code"] == "HLT_BEDS_PER_1000"].iloc[0]
    assert moved["new_gini"] > moved["old_gini"]
    assert moved["because"] == "HLT_BEDS: 1 figures added or changed"
    withdrawn = found.inequality[found.inequality["indicator_code"] == "HLT_BEDS_PER_10K"].iloc[0]
    assert withdrawn["because"] == "HLT_BEDS_PER_10K: 2 gone"
    slices = found.slices.set_index("mart")
    assert slices.loc["observation", "changed"] >= 3


def test_a_release_does_not_differ_from_itself(centre: Centre) -> None:
    centre.night(*country(100.0))
    with centre.engine.connect() as connection:
        found = diff_releases(connection, 1, 1)
    assert found.figures.empty
    assert found.slices.empty
    assert found.inequality.empty


# --- computing again ---


def test_every_release_is_reproduced_from_the_figures_of_then(centre: Centre) -> None:
    centre.night(*country(100.0))
    centre.night(*country(120.0), health(beds(7.0), province="510000"))
    centre.night(*country(90.0, "2023"))
    with centre.engine.begin() as connection:
        for number in (1, 2, 3):
            found = reproduce(connection, number, CATALOGUE)
            assert found.holds, found
            assert found.recorded_sha256 == found.stored_sha256 == found.computed_sha256
            assert found.differing == ()


def test_a_figure_changed_behind_the_warehouses_back_is_found(centre: Centre) -> None:
    centre.night(*country(100.0))
    centre.execute(
        "UPDATE core.observation SET value = value + 1 WHERE region_key = 110000 AND indicator_key ="
        " (SELECT indicator_key FROM core.indicator WHERE code = 'HLT_BEDS')"
    )
    with centre.engine.begin() as connection:
        found = reproduce(connection, 1, CATALOGUE)
    assert not found.holds
    assert ("observation", "HLT_BEDS", "2024") in found.differing
    assert ("inequality", "HLT_BEDS_PER_1000", "2024") in found.differing


def test_a_mart_row_changed_behind_the_warehouses_back_is_found(centre: Centre) -> None:
    centre.night(*country(100.0))
    centre.execute("UPDATE core.inequality SET gini = gini + 1e-9 WHERE scope = 'nation:province'")
    with centre.engine.begin() as connection:
        found = reproduce(connection, 1, CATALOGUE)
    assert found.stored_sha256 != found.recorded_sha256 == found.computed_sha256
    assert {mart for mart, _, _ in found.differing} == {"inequality"}


def test_under_another_catalogue_only_the_rows_kept_are_compared(centre: Centre) -> None:
    centre.night(*country(100.0))
    centre.execute("UPDATE ops.release SET catalogue_sha256 = 'another'")
    with centre.engine.begin() as connection:
        found = reproduce(connection, 1, CATALOGUE)
    assert found.computed_sha256 is None
    assert found.holds


# --- what nobody may see yet ---


def embargo(hour: int) -> ReleasePolicy:
    return ReleasePolicy(embargo_time=datetime.time(hour, 30))


def beds_of(centre: Centre, statement: str, **parameters: object) -> set[float]:
    return set(centre.values(f"{statement} WHERE indicator_code = 'HLT_BEDS' AND region_code = '110000'", **parameters))


@pytest.mark.parametrize("policy", [APPROVAL, embargo(9)], ids=["held", "under embargo"])
def test_no_way_of_asking_shows_what_is_held_or_under_embargo(centre: Centre, policy: ReleasePolicy) -> None:
    centre.night(*country(100.0))
    centre.night(*country(120.0), policy=policy)
    in_future = datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC)
    assert beds_of(centre, "SELECT value FROM mart.observation_as_of(:moment)", moment=in_future) == {100.0}
    assert beds_of(centre, "SELECT value FROM mart.observation_history") == {100.0}
    assert beds_of(centre, "SELECT superseded_at FROM mart.observation_history") == {None}
    assert centre.values("SELECT count(*) FROM mart.revision") == [0]
    assert centre.values("SELECT count(*) FROM mart.revision_statistics") == [0]
    assert centre.values("SELECT max(release_from) FROM mart.inequality_history") == [1]
    assert centre.values("SELECT count(*) FROM mart.inequality_history WHERE release_to IS NOT NULL") == [0]
    assert shown(centre, in_future) == shown(centre)


def test_what_a_killed_refresh_recorded_is_in_no_history(centre: Centre) -> None:
    centre.night(*country(100.0))
    centre.load(*country(120.0))
    assert beds_of(centre, "SELECT value FROM mart.observation_history") == {100.0}
    assert centre.values("SELECT count(*) FROM mart.revision") == [0]


def test_once_live_it_is_in_every_history(centre: Centre) -> None:
    centre.night(*country(100.0))
    centre.night(*country(120.0), policy=APPROVAL)
    decide(centre, approve, 2, "Zhang", None, centre.now())
    assert beds_of(centre, "SELECT value FROM mart.observation_history") == {100.0, 120.0}
    assert centre.values("SELECT count(*) FROM mart.revision WHERE indicator_code = 'HLT_BEDS'") == [31]


def test_an_embargo_that_a_newer_release_overtook_brings_nothing_back(centre: Centre) -> None:
    centre.night(*country(100.0))
    centre.night(*country(120.0), policy=embargo(9))
    centre.night(*country(130.0))
    newest = shown(centre)
    centre.execute("UPDATE ops.release_pointer SET in_force_from = now() WHERE is_embargoed")
    assert shown(centre) == newest
    assert beds_of(centre, "SELECT value FROM mart.observation") == {130.0}


def test_withdrawing_holds_what_waits_under_embargo_and_stands_on_it(centre: Centre) -> None:
    centre.night(*country(100.0))
    centre.night(*country(120.0))
    centre.night(*country(90.0, "2023"), policy=embargo(9))
    decide(centre, withdraw, 2, "Zhang", "slip of unit", centre.now())
    assert status(centre) == {1: "in_force", 2: "withdrawn", 3: "held"}
    assert centre.values("SELECT held_because FROM mart.release WHERE release_id = 3") == [
        "it stands on release 2, which was withdrawn"
    ]


def test_what_a_held_release_said_first_and_a_withdrawn_one_showed_is_held(centre: Centre) -> None:
    centre.night(*country(100.0))
    centre.night(*country(120.0), policy=APPROVAL)
    centre.night(*country(90.0, "2023"), policy=APPROVAL)
    decide(centre, approve, 3, "Zhang", None, centre.now())
    decide(centre, withdraw, 3, "Zhang", "all wrong", centre.now())
    made = centre.night(*country(91.0, "2023"))
    assert made is not None
    assert made.live_at is None
    assert "taken back" in (made.held_because or "")


def test_a_removal_that_was_withdrawn_is_not_published_again_by_itself(centre: Centre) -> None:
    centre.night(*country(100.0), health(beds(5.0, period="2022"), beds(1.0), period="2021"))
    centre.night(health(beds(1.0), period="2021"))
    assert centre.values("SELECT count(*) FROM mart.observation WHERE period_code = '2022'") == [0]
    decide(centre, withdraw, 2, "Zhang", "2022 must not go", centre.now())
    assert centre.values("SELECT count(*) > 0 FROM mart.observation WHERE period_code = '2022'") == [True]
    made = centre.night(*country(91.0, "2023"))
    assert made is not None
    assert made.live_at is None


def test_names_and_units_wait_for_their_release(centre: Centre) -> None:
    centre.night(*country(100.0))
    indicator = CATALOGUE.indicators["HLT_BEDS"]
    renamed = {**CATALOGUE.indicators, "HLT_BEDS": indicator.model_copy(update={"name_zh": "床位"})}
    centre.catalogue = dataclasses.replace(CATALOGUE, indicators=renamed, sha256="another")
    name = "SELECT DISTINCT indicator_name FROM mart.observation WHERE indicator_code = 'HLT_BEDS'"
    try:
        held = centre.night(*country(120.0), policy=APPROVAL)
        assert held is not None
        assert centre.values(name) == [indicator.name_zh]
        decide(centre, approve, 2, "Zhang", None, centre.now(), centre.catalogue)
        assert centre.values(name) == ["床位"]
    finally:
        with centre.engine.begin() as connection:
            connection.execute(
                text("UPDATE core.indicator SET name_zh = :name WHERE code = 'HLT_BEDS'"), {"name": indicator.name_zh}
            )


def test_an_embargo_cannot_keep_back_names_so_it_is_held(centre: Centre) -> None:
    centre.night(*country(100.0))
    centre.catalogue = dataclasses.replace(CATALOGUE, sha256="another")
    made = centre.night(*country(120.0), policy=embargo(9))
    assert made is not None
    assert "the catalogue changed" in (made.held_because or "")


def test_a_release_after_a_decision_by_a_fast_clock_is_seen(centre: Centre) -> None:
    centre.night(*country(100.0))
    centre.night(*country(120.0))
    decide(centre, withdraw, 2, "Zhang", "slip of unit", centre.now() + 3 * NIGHT)
    centre.night(*country(101.0))
    assert status(centre) == {1: "published", 2: "withdrawn", 3: "in_force"}
