"""The archive in an object store: the same promises as in a folder, against a server that speaks S3."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer

from resources.archive import Archive, open_archive
from resources.archive.remote import FsspecStore
from resources.errors import ArchiveError, ObjectCorruptError, ObjectMissingError
from tests.resources.test_archive import CONTENT, NIGHT, SHA256, entry


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """An empty bucket; who we are stands in the environment, as clients of such stores read it."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "hidden-word", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    name = "b" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:20]
    boto3.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def archive(bucket: str) -> Archive:
    return open_archive(f"s3://{bucket}/junheng")


def spoil(bucket: str, content: bytes | None) -> None:
    """Replace the stored bytes behind the archive's back, or remove them."""
    client, key = boto3.client("s3"), f"junheng/objects/{SHA256[:2]}/{SHA256[2:]}"
    if content is None:
        client.delete_object(Bucket=bucket, Key=key)
    else:
        client.put_object(Bucket=bucket, Key=key, Body=content)


def test_bytes_come_back_by_their_hash(archive: Archive) -> None:
    assert archive.put_many([CONTENT, b"other", CONTENT])[::2] == [SHA256, SHA256]
    assert archive.get(SHA256) == CONTENT


def test_the_same_bytes_twice_are_one_object_with_two_receipts(archive: Archive) -> None:
    archive.put(CONTENT)
    archive.put(CONTENT)
    archive.append_manifest([entry(), entry(sequence=2)])
    assert archive.verify().objects == 1
    assert [each.sequence for each in archive.receipts()] == [1, 2]


def test_a_manifest_grows_by_parts_that_are_read_in_their_order(archive: Archive) -> None:
    archive.put(CONTENT)
    for sequence in (1, 2, 3):
        archive.append_manifest([entry(sequence=sequence)])
    assert [each.sequence for each in archive.read_manifest("20261124T020000")] == [1, 2, 3]


def test_two_writers_at_once_lose_nothing(bucket: str) -> None:
    def write(number: int) -> None:
        own = open_archive(f"s3://{bucket}/junheng")
        own.put(CONTENT)
        own.append_manifest([entry(sequence=number)])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(1, 9)))
    archive = open_archive(f"s3://{bucket}/junheng")
    assert sorted(each.sequence for each in archive.read_manifest()) == list(range(1, 9))
    assert archive.verify().is_sound


def test_changed_bytes_are_found_out(archive: Archive, bucket: str) -> None:
    archive.put(CONTENT)
    archive.append_manifest([entry()])
    spoil(bucket, b"x" * len(CONTENT))
    with pytest.raises(ObjectCorruptError):
        archive.get(SHA256)
    assert archive.verify().corrupt == (SHA256,)


def test_a_lost_object_is_missed(archive: Archive, bucket: str) -> None:
    archive.put(CONTENT)
    archive.append_manifest([entry()])
    spoil(bucket, None)
    with pytest.raises(ObjectMissingError):
        archive.get(SHA256)
    assert archive.verify().missing == (SHA256,)


def test_a_line_never_promises_bytes_that_are_not_there(archive: Archive) -> None:
    with pytest.raises(ObjectMissingError, match="not in the archive"):
        archive.append_manifest([entry()])
    assert list(archive.read_manifest()) == []


def test_bytes_of_a_killed_refresh_are_counted_and_kept(archive: Archive) -> None:
    archive.put(CONTENT)
    found = archive.find_garbage(NIGHT)
    assert ([each.name for each in found.unnamed], found.leftovers) == ([SHA256], ())
    assert archive.get(SHA256) == CONTENT


def test_no_secret_is_shown(archive: Archive) -> None:
    assert "hidden-word" not in repr(archive)


@pytest.mark.parametrize("location", ["s3://key:secret@bucket/junheng", "s3://bucket/junheng?password=x"])
def test_an_address_with_a_secret_in_it_is_refused_without_repeating_it(location: str) -> None:
    with pytest.raises(ArchiveError, match="no user, password or query") as raised:
        open_archive(location)
    assert "secret" not in str(raised.value)


def test_an_unknown_store_is_named() -> None:
    with pytest.raises(ArchiveError, match="floppy"):
        open_archive("floppy://disk/junheng")


# --- one archive, whatever the place ---


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.binary(max_size=40), st.integers(1, 3), st.sampled_from(["000001", "000002"])), max_size=12
    )
)
def test_folder_and_store_read_alike_after_any_deliveries(tmp_path_factory: pytest.TempPathFactory, steps) -> None:
    folder = Archive(tmp_path_factory.mktemp("archive"))
    store = Archive(FsspecStore(f"memory://{tmp_path_factory.mktemp('memory').name}"))
    for place in (folder, store):
        for number, (content, sequence, refresh) in enumerate(steps):
            sha256 = place.put(content)
            moment = NIGHT + timedelta(seconds=number)
            place.append_manifest(
                [replace(entry(sha256, len(content)), sequence=sequence, refresh=refresh, recorded_at=moment)]
            )
    assert list(folder.read_manifest()) == list(store.read_manifest())
    assert folder.receipts() == store.receipts()
    assert replace(folder.verify(), read=0) == replace(store.verify(), read=0)
    for content, _, _ in steps:
        sha256 = hashlib.sha256(content).hexdigest()
        assert folder.get(sha256) == store.get(sha256) == content


def test_of_a_delivery_recorded_twice_the_later_line_counts(tmp_path: Path) -> None:
    archive = open_archive(str(tmp_path))
    archive.put(CONTENT)
    late = replace(entry(), recorded_at=NIGHT + timedelta(days=1), refresh="20261125T020000")
    archive.append_manifest([late, entry()])
    assert archive.receipts() == [late]


def test_a_sample_reads_only_so_many_objects(tmp_path: Path) -> None:
    archive = open_archive(tmp_path)
    archive.put_many([str(number).encode() for number in range(20)])
    assert archive.verify(sample=5).read == 5
    assert archive.verify().read == 20


def test_an_unfinished_write_is_garbage_after_a_day(tmp_path: Path) -> None:
    archive = open_archive(f"file://{tmp_path}")
    (tmp_path / "incoming").mkdir()
    (tmp_path / "incoming" / "1-ab").write_bytes(b"half")
    assert archive.find_garbage(NIGHT + timedelta(days=9000)).leftovers[0].name == "1-ab"
    assert archive.find_garbage(NIGHT - timedelta(days=9000)).leftovers == ()
