"""The inbox on a real folder: what is ready, what is read, and where it goes."""

import datetime
import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.inbox import (
    Dropped,
    DroppedFileChanged,
    DroppedFileTooLarge,
    Inbox,
    is_finished,
    media_type_of,
    readable_name,
    shorten_name,
)

DAY = datetime.date(2026, 11, 24)
LATER = 10_000.0


def drop(root: Path, name: str, content: bytes = b"1,2") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def inbox(root: Path, clock: Callable[[], float] = lambda: time.time() + LATER, max_bytes: int = 1000) -> Inbox:
    """An inbox looked at long after its files were dropped."""
    return Inbox(root, clock=clock, max_bytes=max_bytes)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def names(root: Path) -> list[str]:
    return [file.path for file in inbox(root).ready()]


def test_an_inbox_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert names(tmp_path / "inbox") == []


def test_whole_files_are_ready_oldest_first_also_those_in_folders(tmp_path: Path) -> None:
    os.utime(drop(tmp_path, "510000/health/四川.xlsx"), (2000, 2000))
    os.utime(drop(tmp_path, "later.csv"), (3000, 3000))
    os.utime(drop(tmp_path, "first.zip"), (1000, 1000))
    assert names(tmp_path) == ["first.zip", "510000/health/四川.xlsx", "later.csv"]
    assert inbox(tmp_path).ready()[1].folders == ("510000", "health")


@pytest.mark.parametrize(
    "name",
    [".hidden.xlsx", ".folder/a.xlsx", "~$a.xlsx", "a.xlsx.part", "a.xlsx.crdownload", "a.tmp", "a.xlsx.why.txt"],
)
def test_what_is_hidden_unfinished_or_our_own_note_is_left_alone(tmp_path: Path, name: str) -> None:
    drop(tmp_path, name)
    assert names(tmp_path) == []


def test_an_empty_file_is_left_alone(tmp_path: Path) -> None:
    drop(tmp_path, "a.xlsx", b"")
    assert names(tmp_path) == []


def test_a_file_written_to_a_moment_ago_is_left_alone_whatever_time_it_carries(tmp_path: Path) -> None:
    os.utime(drop(tmp_path, "copied.xlsx"), (1000, 1000))  # as a copy that keeps its original's time
    assert inbox(tmp_path, clock=lambda: time.time() + 1).ready() == []
    assert len(inbox(tmp_path, clock=lambda: time.time() + 60).ready()) == 1


def test_links_are_left_alone(tmp_path: Path) -> None:
    drop(tmp_path, "outside/secret.csv")
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "a.csv").symlink_to(tmp_path / "outside/secret.csv")
    (folder / "b").symlink_to(tmp_path / "outside")
    assert names(folder) == []


def test_what_was_dealt_with_is_not_ready_again(tmp_path: Path) -> None:
    drop(tmp_path, "accepted/2026-11-24/a.csv")
    drop(tmp_path, "unplaced/2026-11-24/b.csv")
    drop(tmp_path, "510000/accepted/c.csv")
    assert names(tmp_path) == ["510000/accepted/c.csv"]


def test_a_file_is_read_as_it_is(tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", b"1,2")
    (file,) = inbox(tmp_path).ready()
    assert inbox(tmp_path).read(file) == b"1,2"


def test_a_file_larger_than_allowed_is_named_with_its_hash(tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", b"x" * 1001)
    (file,) = inbox(tmp_path).ready()
    with pytest.raises(DroppedFileTooLarge, match=r"a\.csv has 1,001 bytes, at most 1,000") as caught:
        inbox(tmp_path).read(file)
    assert caught.value.sha256 == sha256(b"x" * 1001)


def replace_it(path: Path) -> None:
    path.unlink()
    path.write_bytes(b"another")


@pytest.mark.parametrize(
    "change",
    [Path.unlink, replace_it, lambda path: path.write_bytes(b"longer than before")],
    ids=["gone", "replaced", "rewritten"],
)
@pytest.mark.parametrize("act", ["read", "accept", "set_aside"])
def test_a_file_that_changed_since_it_was_listed_is_left(
    tmp_path: Path, change: Callable[[Path], object], act: str
) -> None:
    path = drop(tmp_path, "a.csv")
    (file,) = inbox(tmp_path).ready()
    change(path)
    acts: dict[str, Callable[[Dropped], object]] = {
        "read": inbox(tmp_path).read,
        "accept": lambda file: inbox(tmp_path).accept(file, sha256(b"1,2"), DAY),
        "set_aside": lambda file: inbox(tmp_path).set_aside(file, sha256(b"1,2"), DAY, "why"),
    }
    left = path.read_bytes() if path.exists() else None
    with pytest.raises(DroppedFileChanged):
        acts[act](file)
    assert (path.read_bytes() if path.exists() else None) == left


def test_what_takes_a_file_s_place_in_the_last_moment_is_not_taken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = drop(tmp_path, "a.csv")
    (file,) = inbox(tmp_path).ready()
    replaced = os.replace

    def replace_late(source: Path, target: Path) -> None:
        monkeypatch.setattr(os, "replace", replaced)
        replace_it(path)
        replaced(source, target)

    monkeypatch.setattr(os, "replace", replace_late)
    with pytest.raises(DroppedFileChanged, match="changed while it was moved"):
        inbox(tmp_path).accept(file, sha256(b"1,2"), DAY)
    assert path.read_bytes() == b"another"


def test_an_accepted_file_lies_under_its_day_hash_and_name(tmp_path: Path) -> None:
    drop(tmp_path, "510000/health/四川.xlsx")
    (file,) = inbox(tmp_path).ready()
    moved = inbox(tmp_path).accept(file, sha256(b"1,2"), DAY)
    prefix = sha256(b"1,2")[:12]
    assert moved.relative_to(tmp_path).as_posix() == f"accepted/2026-11-24/{prefix}-四川.xlsx"
    assert (moved.read_bytes(), names(tmp_path)) == (b"1,2", [])


def test_a_file_that_is_set_aside_has_a_note_beside_it(tmp_path: Path) -> None:
    drop(tmp_path, "letter.docx")
    (file,) = inbox(tmp_path).ready()
    moved = inbox(tmp_path).set_aside(file, sha256(b"1,2"), DAY, "no table: 没有表格")
    assert moved.parent == tmp_path / "unplaced/2026-11-24"
    assert moved.with_name(moved.name + ".why.txt").read_text(encoding="utf-8") == "no table: 没有表格"


def test_a_file_put_back_into_the_inbox_is_ready_again_and_its_note_is_not(tmp_path: Path) -> None:
    drop(tmp_path, "letter.docx")
    (file,) = inbox(tmp_path).ready()
    moved = inbox(tmp_path).set_aside(file, sha256(b"1,2"), DAY, "why")
    for path in moved.parent.iterdir():
        path.rename(tmp_path / path.name)
    assert names(tmp_path) == [moved.name]


def test_a_member_that_nobody_could_place_is_written_out_with_a_note(tmp_path: Path) -> None:
    written = inbox(tmp_path).set_aside_member(b"letter", "mail.zip/说明/letter.docx", sha256(b"letter"), DAY, "why")
    assert sorted(path.name for path in written.parent.iterdir()) == [written.name, f"{written.name}.why.txt"]
    assert written.read_bytes() == b"letter"


def test_the_same_file_on_the_same_day_is_accepted_twice_without_harm(tmp_path: Path) -> None:
    for _ in range(2):
        drop(tmp_path, "a.csv")
        (file,) = inbox(tmp_path).ready()
        moved = inbox(tmp_path).accept(file, sha256(b"1,2"), DAY)
    assert [path.name for path in moved.parent.iterdir()] == [moved.name]


def test_only_so_many_files_are_taken_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resources.inbox.MAX_FILES", 2)
    for number in range(3):
        drop(tmp_path, f"{number}.csv")
    assert names(tmp_path) == ["0.csv", "1.csv"]


@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [("a.csv", 1, True), ("a.csv", 0, False), ("x/.b/a.csv", 1, False), ("A.XLSX.PART", 1, False)],
)
def test_a_whole_file_is_told_by_name_and_size(name: str, size: int, expected: bool) -> None:
    assert is_finished(name, size) is expected


def test_a_name_too_long_for_a_file_system_keeps_its_ending() -> None:
    name = shorten_name("卫" * 200 + ".xlsx")
    assert name.endswith("卫.xlsx")
    assert len(name.encode()) <= 200


@pytest.mark.parametrize(("name", "expected"), [("a/b\\c.csv", "a_b_c.csv"), ("a\n.csv", "a_.csv"), ("", "_")])
def test_signs_that_could_lead_elsewhere_are_replaced(name: str, expected: str) -> None:
    assert shorten_name(name) == expected


@given(st.text())
def test_any_name_becomes_one_that_a_file_system_takes(name: str) -> None:
    made = shorten_name(name)
    assert 1 <= len(made.encode()) <= 200
    assert not set(made) & set("/\\\0\n")


@given(st.binary())
def test_any_bytes_of_a_name_become_text_that_can_be_stored(raw: bytes) -> None:
    readable_name(os.fsdecode(raw)).encode("utf-8")


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_name_is_read_as_it_was_written(encoding: str) -> None:
    assert readable_name(os.fsdecode("四川省（修订）.xlsx".encode(encoding))) == "四川省（修订）.xlsx"


def test_a_media_type_is_that_of_the_ending() -> None:
    assert (media_type_of("A.CSV"), media_type_of("a.docx")) == ("text/csv", "application/octet-stream")
