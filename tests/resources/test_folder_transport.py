"""Folders as platforms: on this machine, in memory, and in an object store served by moto."""

import datetime
import os
import time
from collections.abc import Iterator
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer

from resources.errors import DeliveryInvalid, PlatformRefused, PlatformUnavailable
from resources.platforms import Delivery, NotModified, Offer
from resources.platforms.access import Access
from resources.platforms.asking import Asking
from resources.platforms.register import Platform
from resources.platforms.transports.folder import FolderOptions, FolderTransport, LocalStore, is_inside

PATTERN = r"(?P<form>health_\w+)/.*?(?P<period>\d{4}(-Q[1-4])?)\.(xlsx|csv)"
LONG_AGO = datetime.datetime(2026, 4, 1, 9, tzinfo=timezone(timedelta(hours=8)))
NOW = datetime.datetime(2026, 11, 24, 2, tzinfo=timezone(timedelta(hours=8)))


def platform(url: str, options: dict[str, Any] | None = None, max_bytes: int = 1000) -> Platform:
    access = {
        "transport": "folder",
        "base_url": url,
        "options": {"pattern": PATTERN} if options is None else options,
        "limits": {"max_bytes": max_bytes},
    }
    return Platform(province="510000", sector="health", access=Access.model_validate(access))


def transport(variables: dict[str, str] | None = None) -> FolderTransport:
    return FolderTransport(Asking(None, variables or {}, clock=lambda: NOW))


def write(root: Path, name: str, content: bytes = b"1,2", at: datetime.datetime = LONG_AGO) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def listed(root: Path, **options: Any) -> list[Offer]:
    made = platform(root.as_uri(), {"pattern": PATTERN} | options)
    return list(transport().list_returns(made, None, None).rows)


def offer(name: str) -> Offer:
    return Offer("510000", "health", name, "health_annual", "2024", name, None, None, "text/csv")


# --- a folder of this machine ---


def test_files_that_fit_the_pattern_are_offered_with_form_and_period(tmp_path: Path) -> None:
    write(tmp_path, "health_annual/四川省2024.xlsx")
    write(tmp_path, "health_quarterly/2025-Q3.csv")
    write(tmp_path, "letters/2024.docx")
    rows = listed(tmp_path)
    assert [(row.return_id, row.form, row.period_code) for row in rows] == [
        ("health_annual/四川省2024.xlsx", "health_annual", "2024"),
        ("health_quarterly/2025-Q3.csv", "health_quarterly", "2025-Q3"),
    ]
    assert (rows[0].file_name, rows[0].modified_at, rows[1].media_type) == ("四川省2024.xlsx", LONG_AGO, "text/csv")


def test_names_of_offices_become_forms_and_periods_of_ours() -> None:
    pattern = r"(?P<year>\d{4})年(第?(?P<quarter>\d)季度)?((?P<month>\d+)月)?(?P<form>卫生.报)\.xls"
    options = FolderOptions.model_validate({"pattern": pattern, "forms": {"卫生季报": "health_quarterly"}})
    assert options.place("2024年3季度卫生季报.xls") == ("health_quarterly", "2024-Q3")
    assert options.place("2024年3月卫生月报.xls") == ("卫生月报", "2024-03")
    assert options.place("2024年13月卫生月报.xls") is None
    assert options.place("../2024年卫生年报.xls") is None


def test_a_correction_under_the_same_name_size_and_time_has_another_tag(tmp_path: Path) -> None:
    write(tmp_path, "health_annual/2024.csv", b"1,2")
    (before,) = listed(tmp_path)
    write(tmp_path, "health_annual/2024.csv", b"1,3")
    (after,) = listed(tmp_path)
    assert before.etag != after.etag


def test_a_file_is_delivered_and_known_again_by_its_tag(tmp_path: Path) -> None:
    write(tmp_path, "health_annual/2024.csv", b"1,2")
    made = platform(tmp_path.as_uri())
    (row,) = listed(tmp_path)
    delivery = transport().fetch(made, row, None)
    assert isinstance(delivery, Delivery)
    assert (delivery.content, delivery.modified_at, delivery.etag) == (b"1,2", LONG_AGO, row.etag)
    assert isinstance(transport().fetch(made, row, row.etag), NotModified)


@pytest.mark.parametrize(
    "name",
    [
        "health_annual/.2024.csv",
        ".trash/health_annual/2024.csv",
        "health_annual/~$2024.xlsx",
        "health_annual/2024.csv.part",
        "health_annual/2024.xlsx.crdownload",
    ],
)
def test_what_is_hidden_or_half_written_is_left_alone(tmp_path: Path, name: str) -> None:
    write(tmp_path, name)
    assert listed(tmp_path, pattern=r"(?P<form>\W?.*)/[^/]*?(?P<period>\d{4}).*") == []


def test_an_empty_file_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, "health_annual/2024.csv", b"")
    assert listed(tmp_path) == []


def test_a_file_that_changed_a_moment_ago_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, "health_annual/2024.csv", at=datetime.datetime.fromtimestamp(time.time(), datetime.UTC))
    assert listed(tmp_path, settle_seconds=3600) == []
    assert len(listed(tmp_path, settle_seconds=0)) == 1


def test_links_out_of_the_folder_are_neither_listed_nor_read(tmp_path: Path) -> None:
    secret = write(tmp_path, "outside/2024.csv", b"secret")
    folder = tmp_path / "inside"
    (folder / "health_annual").mkdir(parents=True)
    (folder / "health_annual/2024.csv").symlink_to(secret)
    (folder / "health_linked").symlink_to(secret.parent)
    assert listed(folder) == []
    for name in ("health_annual/2024.csv", "health_linked/2024.csv"):
        with pytest.raises(PlatformRefused, match="symbolic link"):
            transport().fetch(platform(folder.as_uri()), offer(name), None)


@pytest.mark.parametrize(
    "name",
    [
        "health_annual/../../outside/2024.csv",
        "/etc/health_annual/2024.csv",
        "health_annual/./2024.csv",
        "health_x/\0/2024.csv",
    ],
    ids=["up", "absolute", "dot", "null"],
)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path, "outside/2024.csv")
    (tmp_path / "inside/health_annual").mkdir(parents=True)
    made = platform((tmp_path / "inside").as_uri(), {"pattern": r"(?P<form>.*)/(?P<period>\d{4})\.csv"})
    with pytest.raises(PlatformRefused, match="has no return"):
        transport().fetch(made, offer(name), None)


def test_a_file_larger_than_allowed_is_refused_unread(tmp_path: Path) -> None:
    write(tmp_path, "health_annual/2024.csv", b"x" * 1001)
    (row,) = listed(tmp_path)
    with pytest.raises(DeliveryInvalid, match="more than max_bytes 1,000") as caught:
        transport().fetch(platform(tmp_path.as_uri()), row, None)
    assert (caught.value.kind, row.etag) == ("too_large", None)


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    (tmp_path / "health_annual").mkdir()
    with pytest.raises(PlatformRefused, match="no longer has it"):
        transport().fetch(platform(tmp_path.as_uri()), offer("health_annual/2024.csv"), None)


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlatformRefused, match="does not exist"):
        transport().list_returns(platform((tmp_path / "nowhere").as_uri()), None, None)


def test_a_file_that_changes_while_it_is_read_is_asked_for_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, "health_annual/2024.csv", b"1,2")
    (row,) = listed(tmp_path)
    opened = os.open

    def change_and_open(name: Any, *rest: Any) -> int:
        path.write_bytes(b"1,2,3")
        return opened(name, *rest)

    monkeypatch.setattr(os, "open", change_and_open)
    with pytest.raises(PlatformUnavailable, match="changed while it was read"):
        transport().fetch(platform(tmp_path.as_uri()), row, None)


def test_more_files_than_a_folder_of_returns_has_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resources.platforms.transports.folder.MAX_FILES", 1)
    write(tmp_path, "a/1")
    write(tmp_path, "a/2")
    with pytest.raises(DeliveryInvalid, match="more than 1 files"):
        transport().list_returns(platform(tmp_path.as_uri()), None, None)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({}, "options.pattern: Field required"),
        ({"pattern": "("}, "options.pattern"),
        ({"pattern": r"(?P<period>\d+)"}, "no group form, and there is no key form"),
        ({"pattern": "(?P<form>x)"}, "no group period or year"),
        ({"pattern": PATTERN, "depth": 1}, "options.depth: Extra inputs"),
    ],
    ids=["none", "no pattern", "no form", "no period", "unknown key"],
)
def test_wrong_options_are_named_by_key(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(PlatformRefused, match=complaint) as caught:
        transport().list_returns(platform("file:///tmp", options), None, None)
    assert caught.value.kind == "not_configured"


def test_a_name_with_signs_of_urls_is_found(tmp_path: Path) -> None:
    write(tmp_path / "报表 #1", "health_annual/2024.csv")
    assert next(LocalStore((tmp_path / "报表 #1").as_uri()).files()).name == "health_annual/2024.csv"


def test_a_name_in_gbk_is_offered_as_it_was_meant_and_can_be_fetched(tmp_path: Path) -> None:
    write(tmp_path, "health_annual/" + os.fsdecode("四川省2024.csv".encode("gb18030")))
    (row,) = listed(tmp_path)
    assert row.file_name == "四川省2024.csv"
    assert isinstance(transport().fetch(platform(tmp_path.as_uri()), row, None), Delivery)


@given(st.lists(st.sampled_from(["..", ".", "", "a", "b.csv", "\\", "/"]), min_size=1, max_size=6))
def test_any_name_that_is_inside_stays_below_its_folder(parts: list[str]) -> None:
    name = "/".join(parts)
    if is_inside(name):
        assert os.path.normpath(os.path.join("/root", name)).startswith("/root/")


# --- memory ---


@pytest.fixture
def memory() -> Iterator[Any]:
    system = fsspec.filesystem("memory")
    yield system
    system.rm("/", recursive=True)


def test_a_folder_in_memory_is_a_platform_too(memory: Any) -> None:
    memory.pipe("/office/health_annual/2024.csv", b"1,2")
    made = platform("memory://office", {"pattern": PATTERN, "settle_seconds": 0})
    (row,) = transport().list_returns(made, None, None).rows
    delivery = transport().fetch(made, row, None)
    assert isinstance(delivery, Delivery)
    assert (row.period_code, delivery.content, delivery.etag) == ("2024", b"1,2", row.etag)


def test_limits_hold_in_memory(memory: Any) -> None:
    memory.pipe("/office/health_annual/2024.csv", b"x" * 1001)
    with pytest.raises(DeliveryInvalid, match="more than max_bytes 1,000"):
        transport().fetch(platform("memory://office"), offer("health_annual/2024.csv"), None)


# --- an object store ---

KEYS = {"STORE_KEY": "key", "STORE_SECRET": "s3cret"}
STORAGE = {"key": "STORE_KEY", "secret": "STORE_SECRET", "endpoint_url": "STORE_URL"}


@pytest.fixture(scope="module")
def store_url() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(store_url: str) -> Iterator[Any]:
    system = fsspec.filesystem("s3", key="key", secret="s3cret", endpoint_url=store_url, use_listings_cache=False)
    system.mkdir("returns")
    yield system
    system.rm("returns", recursive=True)


def test_an_object_store_is_a_platform_too(store_url: str, bucket: Any) -> None:
    bucket.pipe("returns/sichuan/health_annual/2024.csv", b"1,2")
    bucket.pipe("returns/sichuan/health_annual/2025.csv.part", b"1")
    made = platform("s3://returns/sichuan", {"pattern": PATTERN, "storage_from": STORAGE})
    client = transport(KEYS | {"STORE_URL": store_url})
    (row,) = client.list_returns(made, None, None).rows
    assert row.modified_at is not None
    assert row.modified_at.tzinfo is not None
    delivery = client.fetch(made, row, None)
    assert isinstance(delivery, Delivery)
    assert (delivery.content, delivery.etag) == (b"1,2", row.etag)
    assert isinstance(client.fetch(made, row, row.etag), NotModified)


def test_a_revised_object_is_seen_by_the_same_client(store_url: str, bucket: Any) -> None:
    made = platform("s3://returns", {"pattern": PATTERN, "storage_from": STORAGE})
    client = transport(KEYS | {"STORE_URL": store_url})
    tags = []
    for content in (b"1,2", b"1,3"):
        bucket.pipe("returns/health_annual/2024.csv", content)
        tags += [row.etag for row in client.list_returns(made, None, None).rows]
    assert len(set(tags)) == 2


def test_a_store_whose_variables_are_not_set_is_named_without_asking() -> None:
    made = platform("s3://returns", {"pattern": PATTERN, "storage_from": STORAGE})
    with pytest.raises(PlatformRefused, match="needs the environment variables STORE_SECRET, STORE_URL"):
        transport({"STORE_KEY": "key"}).list_returns(made, None, None)


def test_a_store_that_cannot_be_reached_is_unavailable_and_no_key_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    made = platform("s3://returns", {"pattern": PATTERN, "storage_from": STORAGE})
    with pytest.raises(PlatformUnavailable, match="cannot be read") as caught:
        transport(KEYS | {"STORE_URL": "http://127.0.0.1:9"}).list_returns(made, None, None)
    assert "s3cret" not in str(caught.value)


def test_an_object_larger_than_allowed_is_refused_unread(store_url: str, bucket: Any) -> None:
    bucket.pipe("returns/health_annual/2024.csv", b"x" * 1001)
    made = platform("s3://returns", {"pattern": PATTERN, "storage_from": STORAGE})
    with pytest.raises(DeliveryInvalid, match="more than max_bytes 1,000"):
        transport(KEYS | {"STORE_URL": store_url}).fetch(made, offer("health_annual/2024.csv"), None)
