"""The archive: raw bytes for ever, filed by their SHA-256, and a manifest good enough to rebuild every receipt.

Nothing is interpreted here and nothing is ever deleted. Order of a refresh: ``put_many`` the bytes, then
``append_manifest``: bytes are safe before a line that names them, so that a crash leaves at most bytes without a line,
never a line without bytes. Holds nothing secret. Where the bytes are kept: :mod:`resources.archive.local` or
:mod:`resources.archive.remote`.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from resources.archive.decisions import DECISIONS, Decision, read_decision_lines
from resources.archive.local import LocalStore
from resources.archive.manifest import ManifestEntry, latest_entries, read_lines
from resources.archive.store import Store, Stored
from resources.errors import ArchiveError, ObjectCorruptError, ObjectMissingError

SHA256 = re.compile(r"[0-9a-f]{64}")
REFRESH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
LEFTOVER_AGE = timedelta(days=1)


@dataclass(frozen=True)
class Verification:
    """What ``verify`` found: counts, and by name what is not as it should be."""

    objects: int
    bytes: int
    manifest_lines: int
    corrupt: tuple[str, ...]  # filed under a hash that their bytes do not have
    missing: tuple[str, ...]  # named by a manifest, without bytes
    unnamed: int  # bytes that no manifest names: harmless, of a refresh that was killed
    read: int  # objects whose bytes were read again

    @property
    def is_sound(self) -> bool:
        """Whether every line of a manifest has its true bytes."""
        return not self.corrupt and not self.missing


@dataclass(frozen=True)
class Garbage:
    """What nothing names: bytes of refreshes that were killed, and unfinished writes older than a day."""

    unnamed: tuple[Stored, ...]
    leftovers: tuple[Stored, ...]


class Archive:
    """The archive in a folder or a store; several processes may write at once."""

    def __init__(self, place: Path | Store) -> None:
        self._store: Store = LocalStore(place) if isinstance(place, Path) else place

    def __repr__(self) -> str:
        return f"Archive({self._store!r})"

    @property
    def root(self) -> Path:
        """The folder, where the archive is one."""
        return self._local().root

    def put(self, content: bytes) -> str:
        """Archive ``content`` and return its SHA-256. Bytes already there are not written again."""
        return self.put_many([content])[0]

    def put_many(self, contents: Iterable[bytes]) -> list[str]:
        """Archive each and return the hashes in order; all are safe when it returns."""
        hashes: list[str] = []

        def hashed() -> Iterator[tuple[str, bytes]]:
            for content in contents:
                hashes.append(hashlib.sha256(content).hexdigest())
                yield hashes[-1], content

        self._store.put_many(hashed())
        return hashes

    def get(self, sha256: str) -> bytes:
        """The bytes of ``sha256``; ObjectMissingError where there are none, ObjectCorruptError where they changed."""
        content = self._store.read(_checked(sha256))
        if content is None:
            raise ObjectMissingError(f"the archive {self._store!r} holds no bytes of {sha256}")
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ObjectCorruptError(
                f"{self._store!r}: {sha256} no longer has the hash it is filed under: restore it from a backup"
            )
        return content

    def path(self, sha256: str) -> Path:
        """Where the bytes of ``sha256`` stand, or would, in an archive that is a folder."""
        return self._local().path(_checked(sha256))

    def append_manifest(self, entries: Sequence[ManifestEntry]) -> None:
        """Add ``entries`` to the manifests of their refreshes, safe when it returns.

        Raises ObjectMissingError if bytes of one are not in the archive: a line must never promise what is not there.
        """
        for entry in entries:
            if self._store.size(_checked(entry.sha256)) != entry.bytes:
                raise ObjectMissingError(
                    f"the manifest names {entry.sha256}, which is not in the archive {self._store!r}"
                )
        by_refresh: dict[str, list[str]] = {}
        for entry in entries:
            by_refresh.setdefault(_checked_refresh(entry.refresh), []).append(entry.to_json())
        for refresh, lines in by_refresh.items():
            self._store.append_lines(refresh, lines)

    def manifest_path(self, refresh: str) -> Path:
        """The manifest file of ``refresh`` in an archive that is a folder."""
        return self._local().manifest_path(_checked_refresh(refresh))

    def read_manifest(self, refresh: str | None = None) -> Iterator[ManifestEntry]:
        """The entries of ``refresh``, or of all refreshes in the order of names.

        A last line that a crash cut off is passed over; any other line that cannot be read is an ArchiveError.
        """
        names = [name for name in self._store.list_manifests() if name != DECISIONS]
        for name in names if refresh is None else [_checked_refresh(refresh)]:
            for where, lines in self._store.read_manifest(name):
                yield from read_lines(lines, where)

    def receipts(self) -> list[ManifestEntry]:
        """One entry a delivery, in the order in which they were recorded: what ``ops.return_receipt`` is rebuilt from."""
        return latest_entries(self.read_manifest())

    def append_decisions(self, decisions: Sequence[Decision]) -> None:
        """Add what was decided, safe when it returns."""
        if decisions:
            self._store.append_lines(DECISIONS, [decision.to_json() for decision in decisions])

    def read_decisions(self) -> list[Decision]:
        """Everything that was decided, oldest first."""
        found = [
            decision
            for where, lines in self._store.read_manifest(DECISIONS)
            for decision in read_decision_lines(lines, where)
        ]
        return sorted(found, key=lambda each: each.decided_at)

    def verify(self, sample: int | None = None) -> Verification:
        """Read all bytes again, or of ``sample`` objects, and hold them against their hashes and the manifests.

        About 1 GB a second in a folder.
        """
        stored = list(self._store.list_objects())
        present = {each.name for each in stored}
        chosen = stored if sample is None or sample >= len(stored) else random.sample(stored, sample)
        corrupt = []
        for each in chosen:
            content = self._store.read(each.name)
            if content is None or hashlib.sha256(content).hexdigest() != each.name:
                corrupt.append(each.name)
        named = [entry.sha256 for entry in self.read_manifest()]
        missing = tuple(sorted(set(named) - present))
        size = sum(each.size for each in stored)
        unnamed = len(present - set(named))
        return Verification(len(stored), size, len(named), tuple(sorted(corrupt)), missing, unnamed, len(chosen))

    def find(self, prefix: str) -> list[str]:
        """Hashes that begin with ``prefix`` and are named by a manifest or filed, in order."""
        named = {entry.sha256 for entry in self.read_manifest()} | {each.name for each in self._store.list_objects()}
        return sorted(sha256 for sha256 in named if sha256.startswith(prefix))

    def find_garbage(self, now: datetime) -> Garbage:
        """What could be given up: named by no manifest, or unfinished for more than a day. Nothing is deleted."""
        named = {entry.sha256 for entry in self.read_manifest()}
        return Garbage(
            tuple(each for each in self._store.list_objects() if each.name not in named),
            tuple(each for each in self._store.list_leftovers() if now - each.written_at > LEFTOVER_AGE),
        )

    def _local(self) -> LocalStore:
        if not isinstance(self._store, LocalStore):
            raise ArchiveError(f"the archive {self._store!r} is no folder of this machine")
        return self._store


def open_archive(location: str | Path) -> Archive:
    """The archive at a folder, or at the address of a store (``s3://bucket/folder``)."""
    if isinstance(location, str) and "://" in location and not location.startswith("file://"):
        from resources.archive.remote import FsspecStore  # here, since a folder needs none of its client

        return Archive(FsspecStore(location))
    return Archive(Path(str(location).removeprefix("file://")))


def _checked(sha256: str) -> str:
    if not SHA256.fullmatch(sha256):
        raise ArchiveError(f"{sha256!r} is no SHA-256 in lower-case hexadecimal")
    return sha256


def _checked_refresh(refresh: str) -> str:
    if not REFRESH.fullmatch(refresh):
        raise ArchiveError(f"{refresh!r} cannot name a manifest: use letters, digits, '.', '_' and '-'")
    return refresh
