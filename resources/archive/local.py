"""The archive in a folder of this machine: fast, and safe against a loss of power.

Bytes are forced to disk before they get their name, and have their name before a line of a manifest says so. Here: files.
Not here: what a manifest's line says, checking hashes on reading (:mod:`resources.archive.keeping`).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from resources.archive.store import Stored
from resources.secret_files import sync_folder

# So many files are written before the first is forced to disk: one commit of the file system then serves most of them.
BATCH = 256
SYNC_THREADS = 8

T = TypeVar("T")


class LocalStore:
    """A folder: ``objects/ab/cdef…``, ``manifest/<refresh>.jsonl``, ``incoming/`` (unfinished, meaningless after a crash).

    Several processes may write at once.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._objects = root / "objects"
        self._manifests = root / "manifest"
        self._incoming = root / "incoming"

    def __repr__(self) -> str:
        return str(self.root)

    def put_many(self, contents: Iterable[tuple[str, bytes]]) -> None:
        """Store (hash, bytes) pairs that are not there yet; all are on disk when it returns.

        Much cheaper than one by one: files are forced to disk in batches and folders once.
        """
        batch: dict[str, tuple[int, str]] = {}  # open descriptor and path in incoming
        touched: set[Path] = set()
        for sha256, content in contents:
            if sha256 not in batch and self.size(sha256) != len(content):  # of another length it is a wreck
                batch[sha256] = self._write_incoming(content)
            if len(batch) >= BATCH:
                touched |= self._file(batch)
                batch = {}
        touched |= self._file(batch)
        _at_once(sync_folder, touched)

    def read(self, sha256: str) -> bytes | None:
        """The bytes filed under a hash, None where there are none."""
        try:
            return self.path(sha256).read_bytes()
        except FileNotFoundError:
            return None

    def size(self, sha256: str) -> int | None:
        """How many bytes are filed under a hash, None where there are none."""
        try:
            return os.stat(self.path(sha256)).st_size
        except FileNotFoundError:
            return None

    def path(self, sha256: str) -> Path:
        """Where the bytes of a hash stand, or would."""
        return self._objects / sha256[:2] / sha256[2:]

    def list_objects(self) -> Iterator[Stored]:
        """Everything filed under a hash, in the order of hashes."""
        for path in sorted(self._objects.glob("??/*")):
            yield _stored(path.parent.name + path.name, path)

    def list_leftovers(self) -> Iterator[Stored]:
        """Unfinished writes."""
        for path in sorted(self._incoming.glob("*")):
            yield _stored(path.name, path)

    def manifest_path(self, refresh: str) -> Path:
        """The manifest file of a refresh."""
        return self._manifests / f"{refresh}.jsonl"

    def append_lines(self, refresh: str, lines: Sequence[str]) -> None:
        """Add lines to the manifest of a refresh, on disk when it returns."""
        path = self.manifest_path(refresh)
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

    def list_manifests(self) -> list[str]:
        """Refreshes that have a manifest, in their order."""
        return sorted(path.stem for path in self._manifests.glob("*.jsonl"))

    def read_manifest(self, refresh: str) -> Iterator[tuple[str, Iterator[str]]]:
        """(file, its lines with their ends) of a refresh."""
        path = self.manifest_path(refresh)
        if path.exists():
            with path.open(encoding="utf-8", newline="\n") as file:
                yield str(path), file

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


def _cut_torn_line(file: Any) -> None:
    """Remove what stands after the last line end: the rest of a write that a crash cut off."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - 65536))
    tail = file.read()
    if tail and not tail.endswith(b"\n"):
        file.truncate(end - len(tail) + tail.rfind(b"\n") + 1)
    file.seek(0, os.SEEK_END)


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


def _stored(name: str, path: Path) -> Stored:
    status = path.stat()
    return Stored(name, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))
