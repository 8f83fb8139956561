"""The archive keeps bytes and promises nothing that a crash could take away."""

import hashlib
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from resources.archive import Archive, ManifestEntry
from resources.errors import ArchiveError, ObjectCorruptError, ObjectMissingError

CONTENT = "四川省2024年卫生健康统计年报".encode("gb18030")
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NIGHT = datetime(2026, 11, 24, 2, 0, tzinfo=timezone(timedelta(hours=8)))


def entry(sha256: str = SHA256, size: int = len(CONTENT), **changes: object) -> ManifestEntry:
    facts = {
        "platform": "510000/health",
        "form": "health_annual",
        "region_code": "510000",
        "period_code": "2024",
        "sequence": 1,
        "sha256": sha256,
        "bytes": size,
        "file_name": "四川省2024年卫生健康统计年报.xlsx",
        "media_type": "application/octet-stream",
        "modified_at": datetime(2025, 3, 26, 1, 0, tzinfo=UTC),
        "fetched_at": NIGHT,
        "etag": '"abc"',
        "recorded_at": NIGHT,
        "refresh": "20261124T020000",
    }
    return ManifestEntry(**(facts | changes))


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


def test_bytes_come_back_by_their_hash(archive: Archive):
    assert archive.put(CONTENT) == SHA256
    assert archive.get(SHA256) == CONTENT
    assert archive.path(SHA256) == archive.root / "objects" / SHA256[:2] / SHA256[2:]


def test_the_same_bytes_are_written_once(archive: Archive):
    archive.put(CONTENT)
    before = archive.path(SHA256).stat()
    assert archive.put_many([CONTENT, b"other", CONTENT])[0::2] == [SHA256, SHA256]
    assert archive.path(SHA256).stat() == before


def test_no_unfinished_file_stays_behind(archive: Archive):
    archive.put_many([CONTENT, CONTENT, b"other"])
    assert list((archive.root / "incoming").iterdir()) == []


def test_many_at_once_keep_their_order(archive: Archive):
    contents = [str(number).encode() for number in range(600)]
    assert archive.put_many(iter(contents)) == [hashlib.sha256(content).hexdigest() for content in contents]


def test_unknown_bytes_are_named(archive: Archive):
    with pytest.raises(ObjectMissingError, match=SHA256):
        archive.get(SHA256)


def test_changed_bytes_are_found_out(archive: Archive):
    archive.put(CONTENT)
    archive.path(SHA256).write_bytes(b"x" * len(CONTENT))
    with pytest.raises(ObjectCorruptError, match="restore it from a backup"):
        archive.get(SHA256)


def test_a_wreck_of_another_length_is_written_again(archive: Archive):
    archive.put(CONTENT)
    archive.path(SHA256).write_bytes(b"")
    archive.put(CONTENT)
    assert archive.get(SHA256) == CONTENT


@pytest.mark.parametrize("sha256", ["../../etc/passwd", "AB", SHA256.upper(), ""])
def test_only_a_hash_is_a_name(archive: Archive, sha256: str):
    with pytest.raises(ArchiveError):
        archive.get(sha256)


def test_manifest_entries_come_back_whole(archive: Archive):
    archive.put(CONTENT)
    entries = [entry(), entry(sequence=2, etag=None, modified_at=None)]
    archive.append_manifest(entries)
    assert list(archive.read_manifest()) == entries
    assert list(archive.read_manifest("20261124T020000")) == entries
    assert list(archive.read_manifest("another")) == []


def test_a_line_is_refused_where_its_bytes_are_missing(archive: Archive):
    with pytest.raises(ObjectMissingError):
        archive.append_manifest([entry()])
    assert list(archive.read_manifest()) == []


def test_a_line_that_a_crash_cut_off_is_passed_over_and_then_cut(archive: Archive):
    archive.put(CONTENT)
    archive.append_manifest([entry()])
    path = archive.manifest_path("20261124T020000")
    with path.open("a") as file:
        file.write(entry(sequence=2).to_json()[:70])
    assert [found.sequence for found in archive.read_manifest()] == [1]
    archive.append_manifest([entry(sequence=3)])
    assert [found.sequence for found in archive.read_manifest()] == [1, 3]


def test_a_damaged_line_in_the_middle_is_named(archive: Archive):
    archive.put(CONTENT)
    archive.append_manifest([entry()])
    path = archive.manifest_path("20261124T020000")
    path.write_text("{}\n" + path.read_text())
    with pytest.raises(ArchiveError, match=r"20261124T020000\.jsonl, line 1: .*lacks bytes"):
        list(archive.read_manifest())


@pytest.mark.parametrize("refresh", ["../x", "", "a/b", ".hidden"])
def test_a_refresh_cannot_leave_the_folder(archive: Archive, refresh: str):
    with pytest.raises(ArchiveError, match="cannot name a manifest"):
        archive.manifest_path(refresh)


def test_a_time_without_zone_is_refused(archive: Archive):
    archive.put(CONTENT)
    with pytest.raises(ArchiveError, match="has no zone"):
        archive.append_manifest([entry(fetched_at=datetime(2026, 11, 24))])


def test_verify_counts_and_names_what_is_wrong(archive: Archive):
    other, spare = archive.put_many([b"other", b"spare"])
    archive.put(CONTENT)
    archive.append_manifest([entry(), entry(other, 5)])
    sound = archive.verify()
    assert sound.is_sound
    assert (sound.objects, sound.manifest_lines, sound.unnamed) == (3, 2, 1)
    archive.path(SHA256).unlink()
    archive.path(spare).write_bytes(b"SPARE")
    found = archive.verify()
    assert not found.is_sound
    assert found.missing == (SHA256,)
    assert found.corrupt == (spare,)


def test_killed_anywhere_no_line_lacks_its_bytes(tmp_path: Path):
    """A writer is killed in the middle, again and again; every line that stands has its true bytes."""
    code = """
import sys; sys.path.insert(0, "tests/resources")
from test_archive import Archive, entry, Path
import hashlib, os
archive = Archive(Path(sys.argv[1]))
for number in range(10**9):
    contents = [os.urandom(2000) for _ in range(20)]
    hashes = archive.put_many(contents)
    archive.append_manifest([entry(sha256, 2000) for sha256 in hashes])
    if number == 1:
        print("ready", flush=True)
"""
    root = tmp_path / "archive"
    for delay in (0.02, 0.05, 0.11):
        writer = subprocess.Popen([sys.executable, "-c", code, str(root)], stdout=subprocess.PIPE, env=dict(os.environ))
        writer.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            writer.wait(delay)
        writer.kill()
        writer.wait()
        assert Archive(root).verify().is_sound
    assert Archive(root).verify().manifest_lines > 0
