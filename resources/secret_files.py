"""Passwords as files of mode 600 in the data folder. Not for anything that may be read by others."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def generate_password() -> str:
    """A password of 192 random bits, of characters that need no escaping in a URL."""
    return secrets.token_urlsafe(24)


def read_secret(path: Path) -> str | None:
    """The secret in ``path``, or None where there is no such file."""
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


def write_secret(path: Path, secret: str) -> None:
    """Write ``secret`` to ``path`` with mode 600, whole or not at all, also over a crash."""
    replace_file(path, f"{secret}\n".encode(), mode=0o600)


def replace_file(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Replace ``path`` by ``content``: temporary file, fsync, rename, fsync of the folder."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames within ``folder`` survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
