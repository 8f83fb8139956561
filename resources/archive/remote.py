"""The archive in any store that fsspec knows, such as an object store of the S3 kind.

An object store can neither append nor rename: an object is put whole or not at all, and each addition to a manifest is a
part of its own. Who we are, the store's client finds in the environment (``AWS_ACCESS_KEY_ID`` and its kin); no secret stands
in the address. Not here: checking hashes on reading (:mod:`resources.archive.keeping`).
"""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import fsspec

from resources.archive.store import Stored
from resources.errors import ArchiveError

UPLOADS_AT_ONCE = 8
_HELD = 64  # bytes of so many objects wait in memory at most


class FsspecStore:
    """A folder of a store: ``objects/ab/cdef…``, ``manifest/<refresh>/<number>-<random>.jsonl``."""

    def __init__(self, location: str) -> None:
        self._location = location.rstrip("/")
        self._fs, self._root = _open(self._location)

    def __repr__(self) -> str:
        return self._location

    def put_many(self, contents: Iterable[tuple[str, bytes]]) -> None:
        """Store (hash, bytes) pairs that are not there yet; all are safe when it returns."""
        batch: dict[str, bytes] = {}
        with ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
            for sha256, content in contents:
                batch[sha256] = content
                if len(batch) >= _HELD:
                    list(pool.map(self._put, batch.items()))
                    batch = {}
            list(pool.map(self._put, batch.items()))

    def _put(self, pair: tuple[str, bytes]) -> None:
        sha256, content = pair
        if self.size(sha256) == len(content):
            return
        self._fs.pipe_file(self._path(sha256), content)
        if self.size(sha256) != len(content):
            raise ArchiveError(
                f"{self._location} did not keep {sha256}: {len(content):,} bytes were sent, it has others"
            )

    def read(self, sha256: str) -> bytes | None:
        """The bytes filed under a hash, None where there are none."""
        try:
            content: bytes = self._fs.cat_file(self._path(sha256))
        except FileNotFoundError:
            return None
        return content

    def size(self, sha256: str) -> int | None:
        """How many bytes are filed under a hash, None where there are none."""
        try:
            self._fs.invalidate_cache()  # an object that another process put must be seen
            found = self._fs.info(self._path(sha256))
        except FileNotFoundError:
            return None
        return int(found["size"])

    def list_objects(self) -> Iterator[Stored]:
        """Everything filed under a hash, in the order of hashes."""
        for path, facts in self._find("objects"):
            folder, _, name = path.rpartition("/")
            yield Stored(folder.rpartition("/")[2] + name, int(facts["size"]), _written_at(facts))

    def list_leftovers(self) -> Iterator[Stored]:
        """None: an object is there whole or not at all."""
        return iter(())

    def append_lines(self, refresh: str, lines: Sequence[str]) -> None:
        """Add a part to the manifest of a refresh; two writers never name theirs alike."""
        number = len(self._find(f"manifest/{refresh}"))
        part = f"{self._root}/manifest/{refresh}/{number:06d}-{secrets.token_hex(8)}.jsonl"
        self._fs.pipe_file(part, "".join(f"{line}\n" for line in lines).encode())

    def list_manifests(self) -> list[str]:
        """Refreshes that have a manifest, in their order."""
        return sorted({path.rpartition("/")[0].rpartition("/")[2] for path, _ in self._find("manifest")})

    def read_manifest(self, refresh: str) -> Iterator[tuple[str, Iterator[str]]]:
        """(part, its lines with their ends) of a refresh, in the order in which they were added."""
        for path, _ in self._find(f"manifest/{refresh}"):
            text = self._fs.cat_file(path).decode("utf-8")
            yield path, io.StringIO(text, newline="\n")  # splitlines would cut at U+2028 within a name too

    def _find(self, folder: str) -> list[tuple[str, dict[str, Any]]]:
        """(path, facts) of everything under a folder, in the order of paths."""
        self._fs.invalidate_cache()
        try:
            found: dict[str, dict[str, Any]] = self._fs.find(f"{self._root}/{folder}", detail=True)
        except FileNotFoundError:
            return []
        return sorted(found.items())

    def _path(self, sha256: str) -> str:
        return f"{self._root}/objects/{sha256[:2]}/{sha256[2:]}"


def _open(location: str) -> tuple[Any, str]:
    parts = urlsplit(location)
    if parts.username or parts.password or parts.query:
        raise ArchiveError(
            "the archive's address must hold no user, password or query: the environment tells the client who we are"
        )
    options: dict[str, Any] = {}
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if parts.scheme in ("s3", "s3a") and endpoint:
        options["client_kwargs"] = {"endpoint_url": endpoint}
    try:
        fs, path = fsspec.core.url_to_fs(location, **options)
    except (ValueError, ImportError) as error:
        raise ArchiveError(f"no store is known for {parts.scheme}:// ({error})") from error
    return fs, str(path).rstrip("/")


def _written_at(facts: dict[str, Any]) -> datetime:
    found = facts.get("LastModified") or facts.get("created") or facts.get("mtime") or 0
    if isinstance(found, int | float):
        return datetime.fromtimestamp(found, UTC)
    return found if isinstance(found, datetime) and found.tzinfo else datetime.fromtimestamp(0, UTC)
