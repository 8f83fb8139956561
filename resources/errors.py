"""What can go wrong in the outside world, one class for each person who must act.

No text here ever holds a password, a token or the query of a URL: messages go to logs and to screens.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from warehouse.errors import JunhengError

OTHER_SERVER = "or set JUNHENG_WAREHOUSE_URL to any other PostgreSQL of version 15 or later"


_SHORTEST_SECRET = 6  # a shorter one is a word, and would blank the message
_TOKENS = re.compile(r"(signature=|access_token\W{1,5}|Bearer )[\w.~+/=-]{6,}", re.IGNORECASE)


def clean(text: str, length: int = 1000) -> str:
    """A text from outside, fit for a log, a screen and a database: no control characters, no half characters, not endless."""
    kept = "".join("␣" if unicodedata.category(letter) in ("Cc", "Cs") else letter for letter in text[: length + 1])
    return kept if len(kept) <= length else kept[: length - 1] + "…"


class EmbeddedPostgresError(JunhengError):
    """The embedded PostgreSQL cannot do what was asked: whoever runs Junheng must act as the text says."""

    def __init__(self, reason: str, log_tail: str = "") -> None:
        tail = f"\nThe last lines of its log:\n{log_tail}" if log_tail else ""
        super().__init__(f"the embedded PostgreSQL: {reason}; {OTHER_SERVER}{tail}")
        self.reason = reason
        self.log_tail = log_tail


class FolderNotTraversableError(EmbeddedPostgresError):
    """Run as root, a folder above the cluster is closed to the user the server runs as."""

    def __init__(self, folder: Path, user: str) -> None:
        super().__init__(
            f"PostgreSQL refuses to run as root and so runs as user {user!r}, who may not enter the folder {folder}; "
            f"open it yourself (chmod o+x '{folder}'), or set JUNHENG_HOME to a folder that {user!r} can reach, "
            "for instance /var/lib/junheng"
        )
        self.folder = folder
        self.user = user


class WarehouseUnreachableError(JunhengError):
    """No connection to the PostgreSQL of the warehouse: whoever set its URL must act."""


class WarehouseUrlError(JunhengError):
    """A database URL cannot be used as written. The text never repeats the URL, which may hold a password."""


class PostgresTooOldError(JunhengError):
    """The server is older than Junheng can use: whoever runs the server must upgrade it or name another."""

    def __init__(self, version: str) -> None:
        super().__init__(
            f"the warehouse's server is PostgreSQL {version}; Junheng needs version 15 or later: upgrade it, or name "
            "another in JUNHENG_WAREHOUSE_URL (unset it to use the embedded one)"
        )
        self.version = version


class MissingRightsError(JunhengError):
    """The warehouse's owner lacks rights: an administrator of the server must run ``statements``."""

    def __init__(self, owner: str, lacking: Sequence[str], statements: Sequence[str]) -> None:
        super().__init__(
            f"the role {owner!r} of JUNHENG_WAREHOUSE_URL lacks rights: {'; '.join(lacking)}.\n"
            "Let an administrator of the server run, then repeat the command:\n  " + "\n  ".join(statements)
        )
        self.owner = owner
        self.lacking = tuple(lacking)
        self.statements = tuple(statements)


class ReaderPasswordUnknownError(JunhengError):
    """bi_reader exists, but its password is not in the data folder: who made the role knows it."""


class ArchiveError(JunhengError):
    """The archive of raw bytes is not as it should be: whoever keeps the data folder must act."""


class ObjectMissingError(ArchiveError):
    """No bytes are archived under a hash that was asked for."""


class ObjectCorruptError(ArchiveError):
    """Archived bytes no longer have the hash they are filed under: restore them from a backup."""


class RegisterError(JunhengError):
    """The register of platforms is wrong: whoever edited it must mend the key that is named."""

    def __init__(self, file: Path, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{file}: {key}: {reason}" for key, reason in problems))
        self.file = file
        self.problems = tuple(problems)


TroubleKind = Literal[
    "unavailable",
    "too_many_requests",
    "timed_out",
    "truncated_body",
    "circuit_open",
    "refused",
    "not_configured",
    "redirected",
    "untrusted_certificate",
    "login_page",
    "wrong_content_type",
    "too_large",
    "broken_answer",
]
"""The closed list of what a platform does instead of delivering, one word each."""


class PlatformError(JunhengError):
    """A platform did not deliver.

    Attributes: ``platform`` (``510000/health``), ``url`` without credentials and query, ``status`` (HTTP status or
    None where no answer came), ``kind`` (one of :data:`TroubleKind`), ``is_retry_useful`` (whether asking again later
    can help), ``reason``.
    """

    is_retry_useful = False
    usual_kind: TroubleKind = "broken_answer"
    retry_after_seconds = 0.0  # as the platform asked for, of a transient failure

    def __init__(
        self, platform: str, url: str, reason: str, status: int | None = None, *, kind: TroubleKind | None = None
    ) -> None:
        self.platform = platform
        self.url = safe_url(url)
        self.reason = reason = clean(reason)
        self.status = status
        self.kind: TroubleKind = kind or self.usual_kind
        answered = f" (HTTP {status})" if status is not None else ""
        advice = "asking again later can help" if self.is_retry_useful else "asking again will not help"
        super().__init__(f"platform {platform}: {reason}{answered}, at {self.url}; {advice}")

    def redact(self, secrets: Sequence[str]) -> None:
        """Take out what a platform said that must not be repeated: a secret of ours that it echoed, a token, a signature."""
        for secret in (each for each in secrets if len(each) >= _SHORTEST_SECRET):
            self.reason = self.reason.replace(secret, "***")
            self.args = tuple(str(text).replace(secret, "***") for text in self.args)
        self.reason = _TOKENS.sub(r"\1***", self.reason)
        self.args = tuple(_TOKENS.sub(r"\1***", str(text)) for text in self.args)


class PlatformUnavailable(PlatformError):
    """Transient: the platform is down, slow or overloaded. The next refresh asks again."""

    is_retry_useful = True
    usual_kind: TroubleKind = "unavailable"


class CircuitOpen(PlatformUnavailable):
    """Not asked: the platform failed so often in a row that it is left alone for a while. Nobody needs to act yet."""

    usual_kind: TroubleKind = "circuit_open"


class PlatformRefused(PlatformError):
    """Permanent: the platform understood and said no (credentials, address, form). The operator must act."""

    usual_kind: TroubleKind = "refused"


class DeliveryInvalid(PlatformError):
    """What came is not what was asked for: a login page, a broken envelope, a missing page, too many bytes."""

    usual_kind: TroubleKind = "broken_answer"


def safe_url(url: str) -> str:
    """``url`` without user, password, query (signatures stand there) and fragment."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
