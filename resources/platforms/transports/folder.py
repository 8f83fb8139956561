"""Transport ``folder``: files in a local folder or an object store (any fsspec URL: file, s3, memory …).

The register's ``options`` say which files are returns, and which form and period each is of (``FolderOptions``). Left alone
is what is hidden, half written or changed a moment ago. Files are only read: nothing is moved or deleted. Not here: files
that people mail (``resources.inbox``), and what a file holds.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Self
from urllib.parse import unquote, urlsplit

import fsspec
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from resources.errors import DeliveryInvalid, PlatformError, PlatformRefused, PlatformUnavailable
from resources.inbox import LITTER, is_finished, media_type_of, readable_name
from resources.platforms.asking import SHANGHAI, Asking
from resources.platforms.model import Delivery, Listing, NotModified, Offer
from resources.platforms.register import Platform
from warehouse.errors import PeriodError
from warehouse.periods import parse_period

# A folder with more files than a ministry gets in ten years is not a folder of returns.
MAX_FILES = 100_000
STORE_TAGS = ("ETag", "etag", "md5Hash", "content_md5")
"""What object stores call their own tag of an object's content."""


class FolderOptions(BaseModel):
    """``options`` of a folder in the register.

    ``pattern`` must fit the whole path below the folder (``/`` between parts). Its groups: ``form`` (or the key ``form``),
    and ``period`` (``2024``, ``2024-Q1``, ``2024-03``, ``SY2024``) or ``year`` with ``quarter`` or ``month``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pattern: re.Pattern[str]
    form: str | None = None
    forms: dict[str, str] = {}
    """What the group ``form`` finds → form."""
    settle_seconds: Annotated[float, Field(ge=0, le=3600)] = 5.0
    """A file that was changed within so many seconds may not be whole yet."""
    storage_from: dict[str, Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]] = {}
    """Setting of the store (``key``, ``secret``, ``endpoint_url`` …) → environment variable that holds it."""

    @model_validator(mode="after")
    def _require_groups(self) -> Self:
        groups = self.pattern.groupindex
        if "form" not in groups and self.form is None:
            raise ValueError("pattern has no group form, and there is no key form")
        if "period" not in groups and "year" not in groups:
            raise ValueError("pattern has no group period or year")
        return self

    def place(self, name: str) -> tuple[str, str] | None:
        """(form, period code) of the file ``name``; None where it is no return."""
        found = self.pattern.fullmatch(name)
        if found is None:
            return None
        groups = {key: text for key, text in found.groupdict().items() if text}
        form = groups.get("form", self.form or "")
        code = groups.get("period") or _period_code(groups)
        try:
            return (self.forms.get(form, form), parse_period(code).code) if form else None
        except PeriodError:
            return None


@dataclass(frozen=True, slots=True)
class _File:
    """One file: ``name`` is its path below the folder."""

    name: str
    size: int
    modified_at: datetime | None
    tag: str | None  # the store's own


class FolderTransport:
    """Lists and reads files."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._tags: dict[tuple[str, str, int, datetime | None], str] = {}
        self._lock = threading.Lock()

    def list_returns(self, platform: Platform, etag: str | None, form: str | None) -> Listing:
        """The files that are returns, by name."""
        options, store = self._open(platform)
        rows: list[Offer] = []
        with _named(platform, store.url):
            for file in sorted(store.files(), key=lambda each: each.name):
                placed = options.place(readable_name(file.name))
                if placed is None or form not in (None, placed[0]) or not is_finished(file.name, file.size):
                    continue
                if _is_settled(file, options):
                    rows.append(self._offer(platform, store, file, placed))
        return Listing(platform.province, platform.sector, tuple(rows), None, False)

    def fetch(self, platform: Platform, offer: Offer, etag: str | None) -> Delivery | NotModified:
        """The bytes of a listed file; PlatformRefused for a name that leads out of the folder or is no return."""
        options, store = self._open(platform)
        name = offer.return_id
        if not is_inside(name) or options.place(readable_name(name)) is None:
            raise PlatformRefused(platform.name, store.url, f"has no return {name!r:.200} in this folder")
        with _named(platform, store.url):
            file = store.file(name)
            content = store.read(name, platform.access.limits.max_bytes)
            tag = file.tag or _hash(content)
        if etag == tag:
            return NotModified(offer, self._asking.clock())
        return Delivery(offer, content, file.modified_at, tag, offer.media_type, offer.file_name, self._asking.clock())

    def _open(self, platform: Platform) -> tuple[FolderOptions, LocalStore | RemoteStore]:
        try:
            options = FolderOptions.model_validate(platform.access.options)
        except ValidationError as error:
            problems = [f"options.{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors()]
            reason = f"{platform.file.name}: {'; '.join(problems)}"
            raise PlatformRefused(platform.name, "", reason, kind="not_configured") from None
        url = self._asking.base_url(platform)
        if url.startswith("file://"):
            return options, LocalStore(url)
        missing = [name for name in options.storage_from.values() if name not in self._asking.variables]
        if missing:
            reason = f"needs the environment variables {', '.join(missing)}"
            raise PlatformRefused(platform.name, url, reason, kind="not_configured")
        settings = {key: self._asking.variables[name] for key, name in options.storage_from.items()}
        with _named(platform, url):
            return options, RemoteStore(url, settings)

    def _offer(
        self, platform: Platform, store: LocalStore | RemoteStore, file: _File, placed: tuple[str, str]
    ) -> Offer:
        path = PurePosixPath(readable_name(file.name))
        return Offer(
            province=platform.province,
            sector=platform.sector,
            return_id=file.name,
            form=placed[0],
            period_code=placed[1],
            file_name=path.name,
            modified_at=file.modified_at,
            etag=file.tag or self._content_tag(platform, store, file),
            media_type=media_type_of(path.name),
        )

    def _content_tag(self, platform: Platform, store: LocalStore | RemoteStore, file: _File) -> str | None:
        """The hash of a file's bytes: a correction may keep name, size and time. None where it is too large to fetch."""
        if file.size > platform.access.limits.max_bytes:
            return None
        key = (store.url, file.name, file.size, file.modified_at)
        with self._lock:
            known = self._tags.get(key)
        if known is None:
            known = _hash(store.read(file.name, platform.access.limits.max_bytes))
            with self._lock:
                self._tags[key] = known
        return known


class LocalStore:
    """A folder of this machine. Symbolic links are not followed, neither to files nor to folders."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._root = Path(unquote(urlsplit(url).path))

    def files(self) -> Iterator[_File]:
        """Every plain file below the folder."""
        if not self._root.is_dir():
            raise FileNotFoundError(f"the folder {self._root} does not exist")
        count = 0
        for folder, folders, names in os.walk(self._root, followlinks=False, onerror=_raise):
            folders[:] = [name for name in folders if not name.startswith(LITTER)]
            for name in names:
                count += 1
                _require_few(count)
                path = Path(folder, name)
                found = path.lstat()
                if stat.S_ISREG(found.st_mode):
                    yield _local(path.relative_to(self._root).as_posix(), found)

    def file(self, name: str) -> _File:
        """The plain file ``name``; FileNotFoundError where a link stands on the way to it."""
        path = self._root
        for part in PurePosixPath(name).parts:
            path = path / part
            if path.is_symlink():
                raise FileNotFoundError(f"{name} is reached by a symbolic link")
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise FileNotFoundError(f"{name} is no file")
        return _local(name, found)

    def read(self, name: str, most: int) -> bytes:
        """The bytes of ``name``; BlockingIOError where it changed meanwhile."""
        before = self.file(name)
        with open(os.open(self._root / name, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            content = file.read(most + 1)
        _require_size(name, len(content), most)
        if self.file(name) != before:
            raise BlockingIOError(f"{name} changed while it was read")
        return content


class RemoteStore:
    """Any file system that fsspec knows."""

    def __init__(self, url: str, settings: dict[str, str]) -> None:
        self.url = url
        self._system, root = fsspec.core.url_to_fs(url, use_listings_cache=False, **settings)
        self._root = str(root).rstrip("/")

    def files(self) -> Iterator[_File]:
        """Every file below the folder; names that point elsewhere are left out."""
        found = self._system.find(self._root, detail=True)
        _require_few(len(found))
        for path, facts in found.items():
            name = str(path).removeprefix(self._root).lstrip("/")
            if facts.get("type") == "file" and is_inside(name) and not facts.get("islink"):
                yield _remote(name, facts)

    def file(self, name: str) -> _File:
        """The file ``name``."""
        return _remote(name, self._system.info(f"{self._root}/{name}"))

    def read(self, name: str, most: int) -> bytes:
        """The bytes of ``name``."""
        _require_size(name, self.file(name).size, most)
        with self._system.open(f"{self._root}/{name}", "rb") as file:
            content = bytes(file.read(most + 1))
        _require_size(name, len(content), most)
        return content


def is_inside(name: str) -> bool:
    """Whether ``name`` is a relative path that cannot lead out of its folder."""
    parts = name.split("/")
    return not name.startswith("/") and "\\" not in name and "\0" not in name and not {"", ".", ".."} & set(parts)


class _TooLarge(Exception):
    """A file has more bytes than may be fetched."""


def _require_size(name: str, size: int, most: int) -> None:
    if size > most:
        raise _TooLarge(f"its file {name} has more than max_bytes {most:,}")


def _require_few(count: int) -> None:
    if count > MAX_FILES:
        raise _TooLarge(f"has more than {MAX_FILES:,} files")


def _is_settled(file: _File, options: FolderOptions) -> bool:
    """By the machine's own clock, since files are stamped by it. An object store shows whole objects only."""
    if file.tag is not None or file.modified_at is None:
        return True
    return time.time() - file.modified_at.timestamp() >= options.settle_seconds


@contextmanager
def _named(platform: Platform, url: str) -> Iterator[None]:
    """Failures below as what the platform did: gone or forbidden for good, anything else for now."""
    try:
        yield
    except PlatformError:
        raise
    except _TooLarge as error:
        raise DeliveryInvalid(platform.name, url, str(error), kind="too_large") from error
    except FileNotFoundError as error:
        raise PlatformRefused(platform.name, url, f"no longer has it: {_text(error)}") from error
    except PermissionError as error:
        raise PlatformRefused(platform.name, url, f"may not be read: {_text(error)}") from error
    except Exception as error:  # every store has errors of its own; their texts may hold keys, their names do not
        reason = _text(error) if isinstance(error, BlockingIOError) else type(error).__name__
        raise PlatformUnavailable(platform.name, url, f"cannot be read: {reason}") from error


def _text(error: OSError) -> str:
    return readable_name(error.strerror or str(error))[:200]


def _raise(error: OSError) -> None:
    raise error


def _local(name: str, found: os.stat_result) -> _File:
    return _File(name, found.st_size, datetime.fromtimestamp(found.st_mtime, SHANGHAI), None)


def _remote(name: str, facts: dict[str, Any]) -> _File:
    tag = next((str(facts[key]) for key in STORE_TAGS if facts.get(key)), None)
    moment = facts.get("LastModified") or facts.get("mtime") or facts.get("modified") or facts.get("created")
    if isinstance(moment, int | float):
        moment = datetime.fromtimestamp(moment, UTC)
    if isinstance(moment, datetime):
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(SHANGHAI)
    else:
        moment = None
    return _File(name, int(facts.get("size") or 0), moment, tag)


def _period_code(groups: dict[str, str]) -> str:
    year = groups["year"]
    if "quarter" in groups:
        return f"{year}-Q{groups['quarter']}"
    return f"{year}-{int(groups['month']):02d}" if groups.get("month", "").isdecimal() else year


def _hash(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'
