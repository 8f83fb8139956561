"""What a refresh decides to fetch, from literal listings and a literal ledger."""

import datetime

import pytest

from assets.collecting import Listings, plan_form
from resources.errors import PlatformUnavailable
from resources.platforms import Failure, Listing, Offer
from warehouse.catalogue import load_catalogue
from warehouse.receipts import Known

MONTHLY = load_catalogue().forms["employment_monthly"]
NINE = datetime.datetime(2026, 3, 10, 9, tzinfo=datetime.timezone(datetime.timedelta(hours=8)))
TODAY = datetime.date(2026, 4, 11)  # February's return is due since 15 March, March's not before 15 April
SINCE = datetime.date(2026, 1, 1)


def offer(period: str, etag: str | None = '"1"', modified: datetime.datetime = NINE, form: str = MONTHLY.form) -> Offer:
    return Offer("510000", "employment", f"{form}-{period}", form, period, f"{period}.json", modified, etag, "json")


def listing(*offers: Offer) -> Listings:
    return {"510000": Listing("510000", "employment", offers, None, False)}


def known(
    period: str, etag: str | None = '"1"', modified: datetime.datetime = NINE
) -> dict[tuple[str, str, str], Known]:
    return {("510000/employment", MONTHLY.form, period): Known(1, etag, modified)}


def fetched(listings: Listings, ledger: dict[tuple[str, str, str], Known]) -> list[str]:
    return [each.period_code for each in plan_form(MONTHLY, listings, ledger, TODAY, SINCE).offers]


def test_a_return_that_is_due_and_new_is_fetched() -> None:
    assert fetched(listing(offer("2026-02")), {}) == ["2026-02"]


def test_a_return_that_is_early_is_fetched() -> None:
    plan = plan_form(MONTHLY, listing(offer("2026-03")), {}, TODAY, SINCE)
    assert [each.period_code for each in plan.offers] == ["2026-03"]
    assert ("510000", "2026-03") not in plan.due


def test_a_return_of_before_the_window_is_left() -> None:
    assert fetched(listing(offer("2025-12")), {}) == []


def test_a_known_return_of_before_the_window_is_fetched_when_revised() -> None:
    assert fetched(listing(offer("2025-12", '"2"')), known("2025-12", '"1"')) == ["2025-12"]


@pytest.mark.parametrize(
    ("etag", "known_etag", "hours", "is_fetched"),
    [
        ('"1"', '"1"', 0, False),
        ('"1"', '"1"', 1, False),
        ('"2"', '"1"', 0, True),
        (None, None, 0, False),
        (None, None, 1, True),
        (None, '"1"', 1, True),
        ('"1"', None, 0, False),
    ],
    ids=[
        "same",
        "same tag touched",
        "other tag",
        "no tag same time",
        "no tag later",
        "tag gone later",
        "tag new same time",
    ],
)
def test_what_is_known_is_fetched_again_by_tag_else_by_time(
    etag: str | None, known_etag: str | None, hours: int, is_fetched: bool
) -> None:
    later = NINE + datetime.timedelta(hours=hours)
    assert bool(fetched(listing(offer("2026-02", etag, later)), known("2026-02", known_etag))) is is_fetched


def test_offers_of_another_form_are_not_this_forms() -> None:
    assert fetched(listing(offer("2026-02", form="employment_annual")), {}) == []


def test_what_is_due_and_not_offered_is_missing() -> None:
    plan = plan_form(MONTHLY, listing(offer("2026-02")), {}, TODAY, SINCE)
    assert plan.due == (("510000", "2026-01"), ("510000", "2026-02"))
    assert plan.absent == {("510000", "2026-01"): "missing"}


def test_what_arrived_before_is_not_missing_when_no_longer_offered() -> None:
    assert ("510000", "2026-01") not in plan_form(MONTHLY, listing(), known("2026-01"), TODAY, SINCE).absent


def test_a_failed_listing_is_the_reason_of_its_absences_and_of_no_others() -> None:
    down = PlatformUnavailable("510000/employment", "http://h/510000/employment/returns", "is not available", 503)
    listings: Listings = {
        "510000": Failure(("510000", "employment"), down),
        "540000": Listing("540000", "employment", (), None, False),
    }
    plan = plan_form(MONTHLY, listings, known("2026-02"), TODAY, SINCE)
    assert set(plan.failures) == {"510000/employment"}
    assert "503" in plan.absent["510000", "2026-01"]
    assert ("510000", "2026-02") not in plan.absent  # it arrived on another day
    assert plan.absent["540000", "2026-01"] == "missing"


def test_a_person_gets_the_partitions_asked_for_and_no_others() -> None:
    offers = listing(offer("2026-01"), offer("2026-02"), offer("2020-05"))
    plan = plan_form(
        MONTHLY, offers, known("2026-02"), TODAY, SINCE, only={("510000", "2026-02"), ("510000", "2020-05")}
    )
    assert [each.period_code for each in plan.offers] == ["2020-05", "2026-02"]  # old ones and known ones too
    assert set(plan.due) == {("510000", "2020-05"), ("510000", "2026-02")}


def test_a_person_who_asks_for_what_is_not_offered_is_told() -> None:
    plan = plan_form(MONTHLY, listing(), {}, TODAY, SINCE, only={("510000", "2026-02"), ("510000", "2026-03")})
    assert plan.absent == {("510000", "2026-02"): "missing"}  # March is not due yet
