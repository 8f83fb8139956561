"""``junheng explain`` on a warehouse that has lived three nights: text, JSON, page, and what it refuses."""

import dataclasses
import json
import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.explaining_html import render_page
from resources.archive import open_archive
from returns.locating import Window
from tests.assets.nights import HAINAN, REVISED, TIBET, Nights
from tests.assets.world import Place, Said
from warehouse.explanations import explain

pytestmark = [pytest.mark.xdist_group("world"), pytest.mark.timeout(600)]  # a busy machine takes minutes

RATE = ("--indicator", "HLT_BEDS_PER_1000", "--period", "2025")
ADDRESS = re.compile(r"(?P<sha256>[0-9a-f]{64}) / (?P<cell>\S+)")


@pytest.fixture
def place(nights: Nights) -> Place:
    return nights.world.place.at(NOW="2026-05-16T12:00:00", PLATFORM_URL="")


def told(said: Said) -> str:
    assert said.exit_code == 0, said.stderr
    return said.stdout


def test_a_rate_is_explained_down_to_the_cells_of_its_returns(place: Place) -> None:
    text = told(place.junheng("explain", "mart.observation", *RATE, "--region", TIBET))
    assert "mart.observation: HLT_BEDS_PER_1000" in text
    assert "1,000 × HLT_BEDS / POP_RESIDENT = 1,000 × " in text
    assert re.search(r"numerator HLT_BEDS 540000 .* ← receipt \d+, [0-9a-f]{12} / ", text)
    archive = open_archive(str(place.home / "archive"))
    hashes = re.findall(r"sha256 ([0-9a-f]{64})", text)
    assert len(hashes) == 2
    assert all(archive.get(sha256) for sha256 in hashes)


def test_json_holds_the_same_as_data(place: Place) -> None:
    [made] = json.loads(told(place.junheng("explain", "observation", *RATE, "--region", TIBET, "--json")))
    figure = made["units"][0]["figure"]
    assert (made["mart"], figure["indicator_code"], figure["region_code"]) == (
        "observation",
        "HLT_BEDS_PER_1000",
        TIBET,
    )
    assert made["recomputed"]["value"] == pytest.approx(made["row"]["value"])
    numerator, denominator = figure["parts"]
    assert 1000 * numerator["figure"]["value"] / denominator["figure"]["value"] == pytest.approx(figure["value"])
    assert ADDRESS.fullmatch(numerator["figure"]["cell"])
    assert numerator["figure"]["source"]["checks_passed"] > 0


def test_the_page_shows_each_cell_in_its_sheet(place: Place, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    said = place.junheng("explain", "observation", *RATE, "--region", TIBET, "--html", str(page))
    assert told(said) == f"written to {page}\n"
    text = page.read_text(encoding="utf-8")
    marked = re.findall(r'<td class="cell">([^<]+)</td>', text)
    assert len(marked) == 2
    [made] = json.loads(told(place.junheng("explain", "observation", *RATE, "--region", TIBET, "--json")))
    for part, printed in zip(made["units"][0]["figure"]["parts"], marked, strict=True):
        assert part["figure"]["cell"].replace("'", "&#x27;") in text
        assert re.sub(r"\D", "", printed)[:2] == str(part["figure"]["value"])[:2]  # the unit may be another


def test_the_page_is_whole_in_itself(place: Place, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    place.junheng("explain", "inequality", *RATE, "--html", str(page))
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text
    assert not re.search(r"https?://|src=|url\(|@import", text)
    assert "default-src &#39;none&#39;" in text or "default-src 'none'" in text


def test_what_a_return_says_is_escaped(place: Place) -> None:
    hostile = "<script>alert('1')</script>"
    engine = place.warehouse.engine()
    with engine.connect() as connection:
        asked = {"indicator_code": "HLT_BEDS", "period_code": "2025", "region_code": TIBET, "area_type": "total"}
        [made] = explain(connection, "observation", asked)
    engine.dispose()
    figure = made.units[0].figure
    assert figure.source is not None
    source = dataclasses.replace(figure.source, file_name=hostile)
    named = dataclasses.replace(figure, region_name=hostile, source=source, source_cell=hostile)
    changed = dataclasses.replace(made, units=(dataclasses.replace(made.units[0], figure=named),), formula=(hostile,))
    window = Window(hostile, (0,), (0,), (hostile,), (hostile,), ((hostile,),), (0, 0))
    page = render_page([changed], lambda source, address: window)
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(") >= 6


def test_bytes_that_no_longer_open_do_not_stop_the_page(place: Place) -> None:
    engine = place.warehouse.engine()
    with engine.connect() as connection:
        asked = {"indicator_code": "HLT_BEDS", "period_code": "2025", "region_code": TIBET, "area_type": "total"}
        made = explain(connection, "observation", asked)
    engine.dispose()
    assert "The archived bytes do not show this cell." in render_page(made, lambda source, address: None)


def test_a_revised_figure_tells_what_it_was_before_and_where(nights: Nights, place: Place) -> None:
    receipt = nights.third.receipt(*REVISED)
    [key] = place.rows(
        "SELECT indicator_code, period_code, region_code, area_type FROM mart.observation WHERE receipt_id = :id",
        id=receipt["receipt_id"],
    )
    asked = ("--indicator", key["indicator_code"], "--period", key["period_code"], "--region", key["region_code"])
    now = told(place.junheng("explain", "observation", *asked, "--area-type", key["area_type"]))
    first = nights.first.receipt(*REVISED)
    assert re.search(rf"before: .* to 2026-05-16 02:00 .* from {first['sha256'][:12]} / ", now)
    assert receipt["sha256"] in now
    then = told(
        place.junheng("explain", "observation", *asked, "--area-type", key["area_type"], "--as-of", "2026-05-15")
    )
    assert "before:" not in then
    assert "release 1, in force from" in then
    assert first["sha256"] in then
    assert receipt["sha256"] not in then


def test_a_large_scope_shows_some_and_all_on_request(place: Place) -> None:
    asked = ("explain", "inequality", *RATE, "--scope", "540000:county", "--weighting", "population")
    some, every = told(place.junheng(*asked)), told(place.junheng(*asked, "--all"))
    assert re.search(r"Rests on \d+ figures; the 5 largest and the 5 smallest \(--all shows every one\)", some)
    assert every.count("  HLT_BEDS_PER_1000 54") > 60
    assert some.count("  HLT_BEDS_PER_1000 54") == 10
    assert re.search(r"gini = .* \(published ", some)


def test_an_attainment_and_a_gap_are_explained_too(place: Place) -> None:
    rate = ("--indicator", "EDU_JUNIOR_PUPILS_PER_TEACHER", "--period", "SY2025", "--region", HAINAN)
    assert "margin = (floor − value) / floor = " in told(place.junheng("explain", "mart.attainment", *rate))
    gap = told(place.junheng("explain", "mart.urban_rural_gap", *rate))
    assert "ratio = urban / rural = " in gap
    assert gap.count("numerator EDU_JUNIOR_PUPILS") == 2


def test_a_county_is_explained_by_the_cells_of_its_schools(place: Place, tmp_path: Path) -> None:
    engine = place.warehouse.engine()
    with engine.connect() as connection:
        county, period = connection.execute(
            sa.text(
                "SELECT region_code, period_code FROM mart.county_balance WHERE resource_code = 'ALL' AND status = 'ok'"
            )
        ).first() or ("", "")
    engine.dispose()
    asked = ("--indicator", "SCHOOL_BALANCE_PRIMARY", "--period", period, "--region", county)
    page = tmp_path / "page.html"
    text = told(place.junheng("explain", "mart.county_balance", *asked, "--resource", "KEY_TEACHERS"))
    assert "县域均衡 Balance of a county's schools: schools_meeting = " in text
    assert re.search(r"numerator KEY_TEACHERS .* ← receipt \d+, [0-9a-f]{12} / ", text)
    told(place.junheng("explain", "county_balance", *asked, "--resource", "KEY_TEACHERS", "--html", str(page)))
    assert page.read_text(encoding="utf-8").count('<td class="cell">') >= 2
    several = place.junheng("explain", "county_balance", *asked)
    assert several.exit_code == 1
    assert "has several rows of" in several.stderr
    assert "KEY_TEACHERS" in several.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("observation", "--indicator", "HLT_BEDS", "--period", "2019", "--region", TIBET), 1, "period_code: 2025"),
        (("observation", "--indicator", "HLT_BED", "--period", "2025", "--region", TIBET), 1, "HLT_BEDS"),
        (("observation", *RATE, "--as-of", "2020-01-01"), 1, "no release was in force"),
        (("inequality", "--indicator", "HLT_BEDS_PER_1000", "--period", "last year"), 1, "is no period code"),
        (("inequality", *RATE, "--region", TIBET), 2, "mart.inequality has no --region"),
        (("observation", *RATE, "--scope", "nation:county"), 2, "mart.observation has no --scope"),
        (("trend", *RATE, "--resource", "ALL"), 2, "mart.trend has no --resource"),
        (
            ("composite_index", "--indicator", "IDX_HEALTH", "--period", "2025"),
            1,
            "region_code: 110000, 120000, ",
        ),
        (("observation", *RATE, "--as-of", "soon"), 2, "is no date"),
        (("mart.reporting", *RATE), 2, "mart.inequality"),
    ],
)
def test_what_is_not_there_or_wrongly_asked_is_refused(
    place: Place, arguments: tuple[str, ...], code: int, message: str
) -> None:
    said = place.junheng("explain", *arguments)
    assert said.exit_code == code
    assert message in said.stderr
