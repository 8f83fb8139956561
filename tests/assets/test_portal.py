"""Nights with the public portal beside the provinces' platforms: what it lends, what it may not change, what it costs nobody.

The platforms are the sandbox's; the portal is its stand-in, served by this process so that a test can revise a figure.
"""

import datetime
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
import yaml
from starlette.applications import Starlette

import resources.dagster
from resources.platforms.register import REGISTER_FOLDER, Register, load_register
from sandbox.platforms import Clock, Platforms
from sandbox.portal import Portal, portal_routes
from sandbox.tables import TableMaker
from tests.assets.world import Night, World, open_instance, open_world

pytestmark = [pytest.mark.xdist_group("portal"), pytest.mark.timeout(900), pytest.mark.long]

TODAY = "2026-04-19"
TIBET, NINGXIA, SICHUAN = "540000", "640000", "510000"
GDP, POP_TOTAL = 3, 0
"""Positions of two series in the sandbox's reference."""
FORM, YEAR = "portal_annual", "2024"
ASKED = ["--sector", "employment", "--sector", "portal", "--province", TIBET, "--province", "000000"]
TABLES = {"地区生产总值": "国民经济核算", "总人口": "人口", "普通小学基本情况": "教育"}


@dataclass
class Revisions:
    """(series, province) → how much is added to its figure of :data:`YEAR`."""

    added: dict[tuple[int, str], float] = field(default_factory=dict)


@dataclass(frozen=True)
class PortalNights:
    """``alone``: the portal has no address; ``first`` … ``held``: as the tests below tell."""

    world: World
    alone: Night
    first: Night
    second: Night
    revised: Night
    arrived: Night
    held: Night


@contextmanager
def served_portal(revisions: Revisions, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The stand-in, its figures as published but for ``revisions``."""
    printed = Portal.figure

    def figure(self: Portal, position: int, province_code: str, year: int) -> str:
        text = printed(self, position, province_code, year)
        more = revisions.added.get((position, province_code), 0.0)
        return f"{float(text) + more:.1f}" if more and str(year) == YEAR else text

    monkeypatch.setattr(Portal, "figure", figure)
    routes = portal_routes(Platforms(TableMaker(seed=1), Clock(datetime.date.fromisoformat(TODAY))))
    server = uvicorn.Server(
        uvicorn.Config(Starlette(routes=routes), host="127.0.0.1", port=0, log_level="error")  # type: ignore[arg-type]
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/000000/portal"
    server.should_exit = True
    thread.join(10)


def hasty_register(folder: Any, portal_url: str | None = None) -> Register:
    """The shipped register, but three tables of the portal and no pause between two questions."""
    for path in REGISTER_FOLDER.glob("*.yaml"):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        if content["sector"] == "portal":
            content["defaults"]["pace"] = {"requests_per_second": 1000}
            content["provinces"]["000000"]["options"]["catalogues"] = [
                {"name": name, "path": [group], "frequency": "annual", "first_year": 2023}
                for name, group in TABLES.items()
            ]
        (folder / path.name).write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return load_register(folder, portal_url)


@pytest.fixture(scope="module", name="nights")
def lived_nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PortalNights]:
    revisions = Revisions({(GDP, TIBET): 100.0})
    folder = tmp_path_factory.mktemp("register")
    with pytest.MonkeyPatch.context() as patch, open_world(TODAY, since="2024") as world:
        patch.setattr(resources.dagster, "load_register", lambda portal_url=None: hasty_register(folder, portal_url))

        def night(day: int, url: str, *more: str) -> Night:
            place = world.place.at(
                NOW=f"2026-04-{day}T02:00:00", PLATFORM_URL=world.sandbox.url_template, PORTAL_URL=url
            )
            return world.remember(place.junheng("refresh", *ASKED, *more))

        with served_portal(revisions, patch) as url:
            alone = night(19, "")
            first = night(20, url)
            second = night(21, url)
            revisions.added |= {(GDP, SICHUAN): 10.0, (GDP, TIBET): 200.0}
            revised = night(22, url)
            arrived = night(23, url, "--province", NINGXIA)
            revisions.added[POP_TOTAL, NINGXIA] = 10.0
            held = night(24, url)
        yield PortalNights(world, alone, first, second, revised, arrived, held)


def vintages(nights: PortalNights, indicator: str, region: str) -> list[dict[str, Any]]:
    """Every vintage of a total of :data:`YEAR`, oldest first, with the sector of the return it came by."""
    return nights.world.place.rows(
        "SELECT o.value, r.sector, o.superseded_at = 'infinity' AS is_current, o.recorded_at"
        " FROM core.observation o JOIN core.indicator i USING (indicator_key)"
        " JOIN ops.return_receipt r USING (receipt_id)"
        " WHERE i.code = :indicator AND o.region_key = :region AND o.area_key = 0"
        " AND r.period_code = :year ORDER BY o.recorded_at",
        indicator=indicator, region=int(region), year=YEAR,
    )  # fmt: skip


def portal_receipts(night: Night) -> list[dict[str, Any]]:
    rows = night.receipts[night.receipts["sector"] == "portal"].sort_values("sequence").to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def set_aside(nights: PortalNights, night: Night, reason: str) -> list[dict[str, Any]]:
    own = {row["receipt_id"] for row in portal_receipts(night) if row["refresh_id"] == night.refresh["refresh_id"]}
    rows = night.quarantine[night.quarantine["receipt_id"].isin(own) & (night.quarantine["reason"] == reason)]
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def test_every_night_ends_well(nights: PortalNights) -> None:
    every = (nights.alone, nights.first, nights.second, nights.revised, nights.arrived, nights.held)
    assert [night.said.exit_code for night in every] == [0] * 6, [night.said.stderr for night in every]
    assert all("SUCCESS" in night.steps.values() and "FAILURE" not in night.steps.values() for night in every)


def test_without_an_address_the_portal_is_left_out_without_a_word(nights: PortalNights) -> None:
    assert portal_receipts(nights.alone) == []
    assert "portal" not in nights.alone.said.stdout
    failures = nights.world.place.rows("SELECT * FROM ops.platform_failure WHERE refresh_id = 1")
    assert failures == []


def test_a_night_loads_what_no_return_holds(nights: PortalNights) -> None:
    (receipt,) = [row for row in portal_receipts(nights.first) if row["period_code"] == YEAR]
    assert (receipt["platform"], receipt["form"], receipt["state"]) == ("000000/portal", FORM, "partly_quarantined")
    # GDP, population total, urban and rural of 31 provinces, less Tibet's four
    assert receipt["loaded"] == 4 * 30
    assert [(row["sector"], row["is_current"]) for row in vintages(nights, "POP_RESIDENT", SICHUAN)] == [
        ("portal", True)
    ]


def test_what_its_form_does_not_carry_is_quarantined_by_name(nights: PortalNights) -> None:
    """Figures of a school year, three of them of 31 provinces."""
    rows = set_aside(nights, nights.first, "unknown_indicator")
    assert len(rows) == 3 * 31
    assert "EDU_PRIMARY_PUPILS: the indicator is not loaded from portal_annual" in " ".join(
        row["explanation"] for row in rows
    )


def test_a_figure_that_a_return_holds_is_not_overwritten(nights: PortalNights) -> None:
    assert [row["sector"] for row in vintages(nights, "GDP", TIBET)] == ["employment"]
    (row,) = set_aside(nights, nights.first, "held_by_province")
    assert row["explanation"].startswith("540000 GDP: the province's own return holds ")
    assert row["explanation_zh"].startswith("540000 GDP：")


def test_a_figure_that_a_return_holds_and_the_portal_repeats_is_unchanged(nights: PortalNights) -> None:
    (receipt,) = [row for row in portal_receipts(nights.first) if row["period_code"] == YEAR]
    assert receipt["unchanged"] == 3  # Tibet's population


def test_cells_are_loaded_unchanged_or_quarantined(nights: PortalNights) -> None:
    for row in portal_receipts(nights.held):
        assert row["cells"] == row["loaded"] + row["unchanged"] + row["quarantined"]


def test_what_nobody_owes_is_never_missing_nor_late(nights: PortalNights) -> None:
    rows = portal_receipts(nights.held)
    assert {row["state"] for row in rows} <= {"loaded", "partly_quarantined"}
    assert all(row["due_on"] == row["fetched_at"].tz_convert("Asia/Shanghai").date() for row in rows)


def test_a_second_night_finds_nothing_new(nights: PortalNights) -> None:
    assert nights.second.facts == nights.first.facts
    assert len(portal_receipts(nights.second)) == len(portal_receipts(nights.first)) == 1
    assert nights.second.refresh["status"] == "unchanged"


def test_a_revised_figure_is_a_revision(nights: PortalNights) -> None:
    old, new = vintages(nights, "GDP", SICHUAN)
    assert (new["value"] - old["value"]) == pytest.approx(10 * 1e8)
    assert (old["is_current"], new["is_current"]) == (False, True)
    assert portal_receipts(nights.revised)[-1]["loaded"] == 1
    assert nights.revised.release["revisions"] >= 1


def test_a_revision_of_what_a_return_holds_is_set_aside_again(nights: PortalNights) -> None:
    (row,) = set_aside(nights, nights.revised, "held_by_province")
    assert "540000 GDP" in row["explanation"]
    assert len(vintages(nights, "GDP", TIBET)) == 1


def test_a_province_s_return_takes_over_also_where_it_says_the_same(nights: PortalNights) -> None:
    lent, own = vintages(nights, "POP_RESIDENT", NINGXIA)
    assert (lent["sector"], own["sector"]) == ("portal", "employment")
    assert lent["value"] == own["value"]
    assert own["is_current"]


def test_what_a_province_took_over_the_portal_can_no_longer_change(nights: PortalNights) -> None:
    told = " ".join(row["explanation"] for row in set_aside(nights, nights.held, "held_by_province"))
    assert "640000 POP_RESIDENT" in told
    assert vintages(nights, "POP_RESIDENT", NINGXIA)[-1]["sector"] == "employment"


def test_its_partitions_are_green_where_it_was_loaded(nights: PortalNights) -> None:
    from dagster import AssetKey

    with nights.world.place.environment(), open_instance(nights.world.place) as instance:
        for stage in ("returns", "observations"):
            assert instance.get_materialized_partitions(AssetKey(f"{FORM}_{stage}")) == {f"{YEAR}|000000"}
