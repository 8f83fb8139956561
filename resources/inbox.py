"""The inbox: a folder into which people drop the returns that were mailed to them, also as ZIPs and in folders of their own.

Here: which files are whole, reading them in bounds, and where they go when they were dealt with: ``accepted/<date>/`` or, with
a note that says why, ``unplaced/<date>/``. Nothing is deleted and nobody needs to lock anything. Not here: whose return a file
is (``assets.inbox``), and folders that are platforms (``resources.platforms.transports.folder``).
"""

from __future__ import annotations

import datetime
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

from resources.secret_files import sync_folder
from warehouse.errors import JunhengError

SHANGHAI = ZoneInfo("Asia/Shanghai")
ACCEPTED, UNPLACED = "accepted", "unplaced"
NOTE = ".why.txt"
# Time enough for a mail program or a slow copy to write the next bytes.
SETTLE_SECONDS = 5.0
MAX_BYTES = 64_000_000
# Whoever drops more at once gets them taken in several nights.
MAX_FILES = 10_000
UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".download", ".filepart")
"""Endings that programs give to what they are still writing."""
LITTER = (".", "~$")
"""Beginnings of what no person put there: hidden files, and the mark of a workbook that is open."""
MEDIA_TYPES = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xls": "application/vnd.ms-excel",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".json": "application/json",
    ".zip": "application/zip",
    ".html": "text/html",
}
HASH_PREFIX = 12
# File systems take names of 255 bytes; the prefix and the note's ending need some of them.
MAX_NAME_BYTES = 200


class InboxError(JunhengError):
    """The inbox cannot be used: whoever keeps the data folder must act as the text says."""


class DroppedFileChanged(InboxError):
    """A file was changed, replaced or taken away since it was listed: it is left for the next time."""


class DroppedFileTooLarge(InboxError):
    """A file has more bytes than any return: a person must look at it. ``sha256`` is of its bytes."""

    def __init__(self, name: str, size: int, most: int, sha256: str) -> None:
        super().__init__(f"{name} has {size:,} bytes, at most {most:,} are taken")
        self.sha256 = sha256


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file as it was listed: ``path`` is below the inbox; size, times and number tell whether it is still the same."""

    path: str
    size: int
    mtime_ns: int
    inode: int

    @property
    def shown_path(self) -> str:
        """``path`` as it can be shown and stored."""
        return readable_name(self.path)

    @property
    def file_name(self) -> str:
        """Its own name, readable."""
        return PurePosixPath(self.shown_path).name

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders it lies in, from the inbox on, readable."""
        return PurePosixPath(self.shown_path).parts[:-1]

    @property
    def modified_at(self) -> datetime.datetime:
        """When its bytes were last changed, in Asia/Shanghai."""
        return datetime.datetime.fromtimestamp(self.mtime_ns // 1000 / 1e6, SHANGHAI)


class Inbox:
    """The inbox under ``root``; ``clock`` gives seconds as ``time.time`` does, since files are stamped by the machine."""

    def __init__(
        self,
        root: Path,
        *,
        settle_seconds: float = SETTLE_SECONDS,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.root = root
        self._settle_seconds = settle_seconds
        self._max_bytes = max_bytes
        self._clock = clock

    def __repr__(self) -> str:
        return f"Inbox({str(self.root)!r})"

    def ready(self) -> list[Dropped]:
        """The files that are whole, oldest first; none where the folder does not exist.

        Left alone: what is hidden, empty, a link, named as unfinished, or was written to within the last seconds.
        """
        found: list[Dropped] = []
        for path in self._files():
            facts = _facts(path)
            if facts is None or not stat.S_ISREG(facts.st_mode) or not is_finished(path.name, facts.st_size):
                continue
            # The change time as well: a copy may carry the modification time of its original.
            if self._clock() - max(facts.st_mtime, facts.st_ctime) >= self._settle_seconds:
                found.append(_dropped(path.relative_to(self.root).as_posix(), facts))
            if len(found) >= MAX_FILES:
                break
        return sorted(found, key=lambda file: (file.mtime_ns, file.path))

    def read(self, file: Dropped) -> bytes:
        """The bytes of ``file``. Raises DroppedFileChanged or DroppedFileTooLarge."""
        with self._open(file) as opened:
            if file.size > self._max_bytes:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
                raise DroppedFileTooLarge(file.shown_path, file.size, self._max_bytes, digest)
            content = opened.read(self._max_bytes + 1)
        if len(content) != file.size:
            raise DroppedFileChanged(f"{file.shown_path} changed while it was read")
        self._require_same(file)
        return content

    def accept(self, file: Dropped, sha256: str, day: datetime.date) -> Path:
        """Move ``file``, of which everything is archived and recorded, out of the way; returns where it lies now."""
        return self._move(file, self._place(ACCEPTED, day, sha256, file.file_name))

    def set_aside(self, file: Dropped, sha256: str, day: datetime.date, why: str) -> Path:
        """Move ``file`` to those that nobody could place; ``why`` stands beside it."""
        target = self._place(UNPLACED, day, sha256, file.file_name)
        _write(target.with_name(target.name + NOTE), why.encode())
        return self._move(file, target)

    def set_aside_member(self, content: bytes, name: str, sha256: str, day: datetime.date, why: str) -> Path:
        """Write ``content``, a member of a ZIP that is accepted, to those that nobody could place."""
        target = self._place(UNPLACED, day, sha256, PurePosixPath(name).name)
        _write(target.with_name(target.name + NOTE), why.encode())
        _write(target, content)
        return target

    def _files(self) -> Iterator[Path]:
        """Every name below the inbox but what was dealt with; links to folders are not followed."""
        for folder, folders, names in os.walk(self.root, followlinks=False):
            is_top = Path(folder) == self.root
            folders[:] = sorted(
                name
                for name in folders
                if not name.startswith(LITTER) and not (is_top and name in (ACCEPTED, UNPLACED))
            )
            yield from (Path(folder, name) for name in sorted(names))

    def _open(self, file: Dropped) -> BufferedReader:
        try:
            opened = os.fdopen(os.open(self.root / file.path, os.O_RDONLY | os.O_NOFOLLOW), "rb")
        except OSError as error:
            raise DroppedFileChanged(f"{file.shown_path} cannot be read any more ({error.strerror})") from error
        if _dropped(file.path, os.fstat(opened.fileno())) != file:
            opened.close()
            raise DroppedFileChanged(f"{file.shown_path} changed since it was listed")
        return opened

    def _require_same(self, file: Dropped) -> None:
        try:
            facts = (self.root / file.path).lstat()
        except OSError as error:
            raise DroppedFileChanged(f"{file.shown_path} is gone ({error.strerror})") from error
        if _dropped(file.path, facts) != file:
            raise DroppedFileChanged(f"{file.shown_path} changed since it was listed")

    def _place(self, folder: str, day: datetime.date, sha256: str, name: str) -> Path:
        return self.root / folder / day.isoformat() / f"{sha256[:HASH_PREFIX]}-{shorten_name(name)}"

    def _move(self, file: Dropped, target: Path) -> Path:
        """Move what was read and nothing else: what took its name meanwhile goes back, to be taken next time."""
        self._require_same(file)
        source = self.root / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(source, target)
        if _dropped(file.path, target.lstat()) != file:
            back = source if not source.exists() else source.with_name(f"{target.name[:HASH_PREFIX]}-{source.name}")
            os.replace(target, back)
            raise DroppedFileChanged(f"{file.shown_path} changed while it was moved")
        sync_folder(target.parent)
        sync_folder(source.parent)
        return target


def is_finished(name: str, size: int) -> bool:
    """Whether a file looks whole by its name (with folders, or alone) and size, and is none of our own notes."""
    parts = name.split("/")
    is_ours = parts[-1].endswith(NOTE)
    is_litter = any(part.startswith(LITTER) for part in parts) or parts[-1].lower().endswith(UNFINISHED)
    return size > 0 and not is_ours and not is_litter


def media_type_of(name: str) -> str:
    """The media type that a file's ending stands for."""
    return MEDIA_TYPES.get(PurePosixPath(name).suffix.lower(), "application/octet-stream")


def readable_name(name: str) -> str:
    """A file's name as text: where its bytes are no UTF-8, as GBK, which desktops and old servers of offices write."""
    if name.isprintable():
        return name
    raw = name.encode("utf-8", "surrogateescape")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "replace")


def shorten_name(name: str) -> str:
    """``name`` so that a file system takes it; its ending stays."""
    safe = "".join("_" if sign in "/\\\0" or ord(sign) < 32 else sign for sign in name) or "_"
    suffix = PurePosixPath(safe).suffix[:20]
    stem = safe.removesuffix(suffix).encode("utf-8", "replace")[: MAX_NAME_BYTES - len(suffix.encode())]
    return stem.decode("utf-8", "ignore") + suffix


def _dropped(path: str, facts: os.stat_result) -> Dropped:
    return Dropped(path, facts.st_size, facts.st_mtime_ns, facts.st_ino)


def _facts(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:  # taken away since its folder was read
        return None


def _write(path: Path, content: bytes) -> None:
    """Write under another name first, so that a crash leaves no half file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)
    sync_folder(path.parent)
