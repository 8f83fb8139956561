"""The client and the sandbox over real HTTP: each transport, the token, and every fault on the way, named."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from resources.errors import PlatformError, PlatformRefused, PlatformUnavailable
from resources.platforms import Delivery, PlatformClient, load_register
from sandbox.kinds import FaultKind, load_kinds

ON_THE_WAY = [kind for kind in load_kinds().values() if (kind.family, kind.level) == ("transport", "answer")]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port_file = tmp_path_factory.mktemp("sandbox") / "port"
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--today", "2026-11-24", "--port-file", str(port_file)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not (port_file.exists() and port_file.read_text().strip()):
        assert process.poll() is None, "the sandbox ended"
        assert time.monotonic() < deadline, "the sandbox does not start"
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port_file.read_text().strip()}"
    process.terminate()
    process.wait(10)


@pytest.fixture
def client(sandbox: str) -> Iterator[PlatformClient]:
    with PlatformClient(load_register(), sandbox + "/{province}/{sector}", "junheng", "sandbox") as made:
        yield made
    requests.delete(f"{sandbox}/control/faults", timeout=5).raise_for_status()


def set_fault(sandbox: str, platform: str, fault: str, return_id: str | None = None) -> None:
    asked = {"platform": platform, "fault": fault, "return_id": return_id}
    requests.post(f"{sandbox}/control/faults", json=asked, timeout=5).raise_for_status()


@pytest.mark.parametrize(
    ("province", "sector", "beginning"),
    [("510000", "education", b"PK"), ("330000", "health", b"{"), ("510000", "employment", b"{")],
)
def test_a_return_is_listed_fetched_and_known_again(
    client: PlatformClient, province: str, sector: str, beginning: bytes
):
    listing = client.list_returns(province, sector)
    delivery = client.fetch(listing.rows[-1])
    assert isinstance(delivery, Delivery)
    assert delivery.content.startswith(beginning)
    assert delivery.etag == listing.rows[-1].etag
    assert client.list_returns(province, sector, listing.etag).not_modified


def test_the_bytes_of_pages_are_one_page_a_line(client: PlatformClient):
    last = [offer for offer in client.list_returns("510000", "employment").rows if offer.form == "employment_annual"][
        -1
    ]
    pages = [json.loads(line) for line in client.fetch(last).content.split(b"\n")]
    assert sum(len(page["data"]["rows"]) for page in pages) == pages[0]["data"]["total"]


def test_a_gb18030_file_is_not_touched(client: PlatformClient):
    content = client.fetch(client.list_returns("410000", "health").rows[-1]).content
    assert "河南省" in content.decode("gb18030")


def test_wrong_credentials_are_refused(sandbox: str):
    with (
        PlatformClient(load_register(), sandbox + "/{province}/{sector}", "junheng", "wrong") as stranger,
        pytest.raises(PlatformRefused, match="client_id or client_secret is wrong"),
    ):
        stranger.list_returns("510000", "employment")


def test_a_platform_that_is_down_is_named(sandbox: str, client: PlatformClient):
    set_fault(sandbox, "510000/health", "down")
    with pytest.raises(PlatformUnavailable, match="510000/health"):
        client.list_returns("510000", "health")
    assert client.list_returns("520000", "health").rows


def test_a_file_that_is_no_workbook_is_handed_on_for_quarantine(sandbox: str, client: PlatformClient):
    set_fault(sandbox, "510000/health", "not_a_workbook")
    delivery = client.fetch(client.list_returns("510000", "health").rows[-1])
    assert isinstance(delivery, Delivery)
    assert not delivery.content.startswith(b"PK")


@pytest.mark.parametrize("kind", ON_THE_WAY, ids=lambda kind: kind.name)
def test_what_goes_wrong_on_the_way_is_named_and_outlasted_where_it_can_be(
    sandbox: str, client: PlatformClient, kind: FaultKind
):
    sector = kind.sectors[0] if kind.sectors else "health"
    wanted = client.list_returns("510000", sector).rows[-1]
    right = client.fetch(wanted).content
    set_fault(sandbox, f"510000/{sector}", kind.name, wanted.return_id if kind.scope == "return" else None)
    names, outcome = set[str](), "overcome"
    # Several times: a token may die at a later request. Tokens that are dead from the start want a client without one.
    with PlatformClient(load_register(), sandbox + "/{province}/{sector}", "junheng", "sandbox") as fresh:
        try:
            for _ in range(4):
                assert fresh.fetch(wanted).content == right
                if kind.strength <= 2:
                    break
        except PlatformError as error:
            names, outcome = {error.kind}, "not_collected"
        names |= {incident.kind for incident in fresh.incidents()}
    assert outcome in kind.outcomes
    assert names & set(kind.reasons)
