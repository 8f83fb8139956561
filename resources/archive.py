"""The archive: raw bytes for ever, filed by their SHA-256, and a manifest good enough to rebuild every receipt.

Nothing is interpreted here and nothing is ever deleted. Order of a refresh: ``put_many`` the bytes, then
``append_manifest``: bytes reach the disk before a line that names them, so that a crash leaves at most bytes without
a line, never a line without bytes. Holds nothing secret.

Layout: ``objects/ab/cdef…`` (the hash, split after two characters), ``manifest/<refresh>.jsonl``, ``incoming/``
(unfinished writes, meaningless after a crash).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from resources.errors import ArchiveError, ObjectCorruptError, ObjectMissingError
from resources.secret_files import sync_folder

SHA256 = re.compile(r"[0-9a-f]{64}")
REFRESH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# So many files are written before the first is forced to disk: one commit of the file system then serves most of them.
BATCH = 256
SYNC_THREADS = 8

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One receipt as the archive remembers it; times with zone."""

    platform: str  # 510000/health
    form: str
    region_code: str
    period_code: str
    sequence: int  # 1 for the first delivery of this platform, form and period
    sha256: str
    bytes: int
    file_name: str
    media_type: str
    modified_at: datetime | None  # as the platform says
    fetched_at: datetime
    etag: str | None
    recorded_at: datetime  # the moment of the refresh, used again by a rebuild
    refresh: str

    def to_json(self) -> str:
        """One line, without its end."""
        row = asdict(self) | {name: _iso(getattr(self, name)) for name in ("modified_at", "fetched_at", "recorded_at")}
        return json.dumps(row, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str) -> ManifestEntry:
        """The entry of a line; ValueError where it is none. Fields that a later version added are left out."""
        row = json.loads(line)
        if not isinstance(row, dict):
            raise ValueError("a line must be an object")
        lacking = ENTRY_FIELDS - row.keys()
        if lacking:
            raise ValueError(f"lacks {', '.join(sorted(lacking))}")
        known: dict[str, Any] = {name: row[name] for name in ENTRY_FIELDS}
        for name in ("modified_at", "fetched_at", "recorded_at"):
            known[name] = None if known[name] is None else datetime.fromisoformat(known[name])
        return cls(**known)


ENTRY_FIELDS = frozenset(field.name for field in fields(ManifestEntry))


@dataclass(frozen=True)
class Verification:
    """What ``verify`` found: counts, and by name what is not as it should be."""

    objects: int
    bytes: int
    manifest_lines: int
    corrupt: tuple[str, ...]  # filed under a hash that their bytes do not have
    missing: tuple[str, ...]  # named by a manifest, without bytes
    unnamed: int  # bytes that no manifest names: harmless, of a refresh that was killed

    @property
    def is_sound(self) -> bool:
        """Whether every line of a manifest has its true bytes."""
        return not self.corrupt and not self.missing


class Archive:
    """The archive under the folder ``root``; several processes may write at once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._objects = root / "objects"
        self._manifests = root / "manifest"
        self._incoming = root / "incoming"

    def put(self, content: bytes) -> str:
        """Archive ``content`` and return its SHA-256. Bytes already there are not written again."""
        return self.put_many([content])[0]

    def put_many(self, contents: Iterable[bytes]) -> list[str]:
        """Archive each and return the hashes in order; all are on disk when it returns.

        Much cheaper than one by one: files are forced to disk in batches and folders once.
        """
        hashes: list[str] = []
        batch: dict[str, tuple[int, str]] = {}  # open descriptor and path in incoming
        touched: set[Path] = set()
        for content in contents:
            sha256 = hashlib.sha256(content).hexdigest()
            hashes.append(sha256)
            if sha256 not in batch and not self._holds(sha256, len(content)):
                batch[sha256] = self._write_incoming(content)
            if len(batch) >= BATCH:
                touched |= self._file(batch)
                batch = {}
        touched |= self._file(batch)
        _at_once(sync_folder, touched)
        return hashes

    def get(self, sha256: str) -> bytes:
        """The bytes of ``sha256``; ObjectMissingError where there are none, ObjectCorruptError where they changed."""
        path = self.path(sha256)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise ObjectMissingError(f"the archive {self.root} holds no bytes of {sha256}") from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ObjectCorruptError(f"{path} no longer has the hash it is filed under: restore it from a backup")
        return content

    def path(self, sha256: str) -> Path:
        """Where the bytes of ``sha256`` stand, or would."""
        if not SHA256.fullmatch(sha256):
            raise ArchiveError(f"{sha256!r} is no SHA-256 in lower-case hexadecimal")
        return self._objects / sha256[:2] / sha256[2:]

    def append_manifest(self, entries: Sequence[ManifestEntry]) -> None:
        """Add ``entries`` to the manifests of their refreshes, on disk when it returns.

        Raises ObjectMissingError if bytes of one are not in the archive: a line must never promise what is not there.
        """
        for entry in entries:
            if not self._holds(entry.sha256, entry.bytes):
                raise ObjectMissingError(f"the manifest names {entry.sha256}, which is not in the archive {self.root}")
        by_refresh: dict[str, list[str]] = {}
        for entry in entries:
            by_refresh.setdefault(entry.refresh, []).append(entry.to_json())
        for refresh, lines in by_refresh.items():
            self._append_lines(self.manifest_path(refresh), lines)

    def manifest_path(self, refresh: str) -> Path:
        """The manifest file of ``refresh``."""
        if not REFRESH.fullmatch(refresh):
            raise ArchiveError(f"{refresh!r} cannot name a manifest: use letters, digits, '.', '_' and '-'")
        return self._manifests / f"{refresh}.jsonl"

    def read_manifest(self, refresh: str | None = None) -> Iterator[ManifestEntry]:
        """The entries of ``refresh``, or of all refreshes, file by file in the order of names.

        A last line that a crash cut off is passed over; any other line that cannot be read is an ArchiveError.
        """
        paths = sorted(self._manifests.glob("*.jsonl")) if refresh is None else [self.manifest_path(refresh)]
        for path in paths:
            if path.exists():
                yield from _read_lines(path)

    def verify(self) -> Verification:
        """Read all bytes again and hold them against their hashes and the manifests (about 1 GB a second)."""
        corrupt: list[str] = []
        present: set[str] = set()
        size = 0
        for path in sorted(self._objects.glob("??/*")):
            sha256 = path.parent.name + path.name
            content = path.read_bytes()
            size += len(content)
            present.add(sha256)
            if hashlib.sha256(content).hexdigest() != sha256:
                corrupt.append(sha256)
        lines = 0
        named: set[str] = set()
        for entry in self.read_manifest():
            lines += 1
            named.add(entry.sha256)
        missing = tuple(sorted(named - present))
        return Verification(len(present), size, lines, tuple(corrupt), missing, len(present - named))

    def _holds(self, sha256: str, size: int) -> bool:
        """Whether the bytes are there; a file of another length is a wreck and is written again."""
        try:
            return os.stat(self.path(sha256)).st_size == size
        except FileNotFoundError:
            return False

    def _write_incoming(self, content: bytes) -> tuple[int, str]:
        path = f"{self._incoming}/{os.getpid()}-{secrets.token_hex(8)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            descriptor = os.open(path, flags, 0o644)
        except FileNotFoundError:
            self._incoming.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, flags, 0o644)
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]
        return descriptor, path

    def _file(self, batch: dict[str, tuple[int, str]]) -> set[Path]:
        """Force the written files to disk, then give each its name; returns the folders whose entries changed.

        A name therefore never stands for bytes that a loss of power could still take away.
        """
        _at_once(_sync_and_close, [descriptor for descriptor, _ in batch.values()])
        touched: set[Path] = set()
        for sha256, (_, path) in batch.items():
            target = self.path(sha256)
            try:
                os.replace(path, target)
            except FileNotFoundError:
                target.parent.mkdir(parents=True, exist_ok=True)
                touched |= {self._objects, self.root}
                os.replace(path, target)
            touched.add(target.parent)
        return touched

    def _append_lines(self, path: Path, lines: list[str]) -> None:
        is_new = not path.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            _cut_torn_line(file)
            file.write("".join(f"{line}\n" for line in lines).encode())
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            sync_folder(path.parent)
            sync_folder(self.root)


def _cut_torn_line(file: Any) -> None:
    """Remove what stands after the last line end: the rest of a write that a crash cut off."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - 65536))
    tail = file.read()
    if tail and not tail.endswith(b"\n"):
        file.truncate(end - len(tail) + tail.rfind(b"\n") + 1)
    file.seek(0, os.SEEK_END)


def _read_lines(path: Path) -> Iterator[ManifestEntry]:
    with path.open(encoding="utf-8", newline="\n") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith("\n"):
                return
            try:
                yield ManifestEntry.from_json(line)
            except (ValueError, TypeError) as error:
                raise ArchiveError(f"{path}, line {number}: no manifest entry ({error}); restore the file") from error


def _at_once(act: Callable[[T], None], things: Collection[T]) -> None:
    """``act`` on each by some threads: forces to disk that wait together share commits of the file system."""
    if len(things) < 2:
        for thing in things:
            act(thing)
        return
    with ThreadPoolExecutor(min(SYNC_THREADS, len(things))) as pool:
        for _ in pool.map(act, things):
            pass  # raises what an act raised


def _sync_and_close(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _iso(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ArchiveError(f"the time {moment} has no zone")
    return moment.isoformat()
