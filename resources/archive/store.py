"""What the archive needs of a place to keep bytes. Not here: any place (local folder, object store)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Stored:
    """Something a store holds: its hash (or name), size, and when it was written."""

    name: str
    size: int
    written_at: datetime


class Store(Protocol):
    """A place that keeps bytes by their hash and lines by refresh, and takes nothing away."""

    def put_many(self, contents: Iterable[tuple[str, bytes]]) -> None:
        """Store (hash, bytes) pairs that are not there yet; all are safe when it returns."""

    def read(self, sha256: str) -> bytes | None:
        """The bytes filed under a hash, None where there are none."""

    def size(self, sha256: str) -> int | None:
        """How many bytes are filed under a hash, None where there are none."""

    def list_objects(self) -> Iterator[Stored]:
        """Everything filed under a hash, in the order of hashes."""

    def list_leftovers(self) -> Iterator[Stored]:
        """Unfinished writes, if the place can have any."""

    def append_lines(self, refresh: str, lines: Sequence[str]) -> None:
        """Add lines to the manifest of a refresh; safe when it returns."""

    def list_manifests(self) -> list[str]:
        """Refreshes that have a manifest, in their order."""

    def read_manifest(self, refresh: str) -> Iterator[tuple[str, Iterator[str]]]:
        """(name of the file, its lines with their ends) of a refresh, in the order in which they were added."""
