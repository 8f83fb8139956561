"""How one platform is asked, as validated data: the keys that a register file may hold.

Here: the models and what each key means. Not here: files and defaults (``register``), the asking (``asking``).
Secrets never stand in it: a key that ends in ``_from`` names an environment variable.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

TransportName = Literal["listing", "paged_json", "nbs_esdata", "nbs_easyquery", "folder"]
Seconds = Annotated[float, Field(gt=0, le=600)]
VariableName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]

# What an auth of each kind needs, by key; the two usual variables are there unless others are named.
NEEDED_VARIABLES = {
    "none": (),
    "bearer": ("id_from", "secret_from"),
    "hmac": ("id_from", "secret_from"),
    "basic": ("id_from", "secret_from"),
    "client_certificate": ("certificate_from", "key_from"),
}


class Part(BaseModel):
    """A part of a register file: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Auth(Part):
    """Who we are to the platform, by names of environment variables.

    ``bearer``: a token by POST of ``client_id`` and ``client_secret`` to ``token_path``; ``hmac``: a query signed by
    the secret; ``basic``: user and password in the head; ``client_certificate``: files in PEM, in the TLS handshake.
    """

    kind: Literal["none", "bearer", "hmac", "basic", "client_certificate"] = "none"
    id_from: VariableName = "JUNHENG_CLIENT_ID"
    secret_from: VariableName = "JUNHENG_CLIENT_SECRET"
    certificate_from: VariableName | None = None  # variable that names the certificate's file
    key_from: VariableName | None = None  # variable that names its key's file
    token_path: str = Field(default="/token", pattern=r"^/")

    @model_validator(mode="after")
    def _require_files(self) -> Self:
        if self.kind == "client_certificate" and not (self.certificate_from and self.key_from):
            raise ValueError("a client_certificate needs certificate_from and key_from")
        return self

    def variables(self) -> list[str]:
        """Names of the environment variables that must be set."""
        return [name for key in NEEDED_VARIABLES[self.kind] if (name := getattr(self, key))]


class Pace(Part):
    """How fast we ask. ``shared_host``: all platforms of the address's host are paced together."""

    requests_per_second: float = Field(default=20.0, gt=0, le=10_000)
    concurrency: int = Field(default=4, ge=1, le=64)
    shared_host: bool = False


class Timeouts(Part):
    """Seconds until we give up: to connect, between two bytes, for a whole answer; after ``slow`` it is noted."""

    connect: Seconds = 2.0
    read: Seconds = 30.0
    total: Annotated[float, Field(gt=0, le=7200)] = 120.0
    slow: Seconds = 1.5


class Limits(Part):
    """The largest answer that is taken: as sent, and after decompression."""

    max_bytes: int = Field(default=64_000_000, ge=1_000, le=4_000_000_000)
    max_expanded_bytes: int = Field(default=64_000_000, ge=1_000, le=4_000_000_000)


class Retries(Part):
    """How often and how long a transient failure is outlasted within one question."""

    tries: int = Field(default=3, ge=1, le=20)
    patience: Seconds = 3.0
    first_wait: Annotated[float, Field(ge=0, le=60)] = 0.3


class Breaker(Part):
    """After ``failures`` transient failures in a row the platform is left alone for ``open_seconds``."""

    failures: int = Field(default=6, ge=1, le=1_000)
    open_seconds: Annotated[float, Field(gt=0, le=86_400)] = 60.0


class Paging(Part):
    """Rows a page, and what the platform calls the two parameters."""

    page_size: int = Field(default=500, ge=1, le=100_000)
    page_parameter: str = Field(default="page", min_length=1)
    size_parameter: str = Field(default="size", min_length=1)


class FormCalendar(Part):
    """What differs for a form: when it is due, and how many days after that its period stays open to revision."""

    due_months: int | None = Field(default=None, ge=0, le=36)
    due_day: int | None = Field(default=None, ge=1, le=31)
    open_days: int | None = Field(default=None, ge=0, le=3_660)


class Contact(Part):
    """Whom to call."""

    name: str = ""
    mail: str = ""
    phone: str = ""

    def __str__(self) -> str:
        """``张三, a@b.cn, 010-…``, without what is empty."""
        return ", ".join(text for text in (self.name, self.mail, self.phone) if text)


class Access(Part):
    """How a platform is asked; each key is one of a register file."""

    transport: TransportName
    base_url: str | None = None  # None: JUNHENG_PLATFORM_URL
    auth: Auth = Auth()
    layouts: tuple[str, ...] = ()  # names of layouts its returns may have; empty: all
    encoding: Literal["utf-8", "gb18030", "utf-16"] | None = None  # a hint for text that does not say
    calendar: dict[str, FormCalendar] = {}  # by form
    pace: Pace = Pace()
    timeouts: Timeouts = Timeouts()
    limits: Limits = Limits()
    retries: Retries = Retries()
    breaker: Breaker = Breaker()
    paging: Paging = Paging()
    ca_file_from: VariableName | None = None  # variable that names the file of a private certificate authority
    user_agent: str = Field(default="junheng", min_length=1, pattern=r"^[\x20-\x7e]+$")
    headers: dict[str, str] = {}  # sent with each request; no secrets
    contact: Contact = Contact()
    hooks: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]*$")  # module of resources/platforms/hooks
    options: dict[str, Any] = {}  # of the transport, validated by it

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.username is not None:
            raise ValueError("must hold no user or password")
        if "://" not in url or (parts.scheme in ("http", "https") and not parts.hostname):
            raise ValueError("must be an address with its scheme, such as https://host/path")
        return url.rstrip("/")

    @field_validator("headers")
    @classmethod
    def _check_headers(cls, headers: dict[str, str]) -> dict[str, str]:
        wrong = [name for name in headers if name.lower() in ("authorization", "cookie", "x-api-key")]
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: secrets come from environment variables, see auth")
        return headers

    @model_validator(mode="after")
    def _require_http(self) -> Self:
        is_http = self.base_url is None or self.base_url.startswith(("http://", "https://"))
        if self.transport != "folder" and not is_http:
            raise ValueError(f"base_url must be an http or https address for transport {self.transport}")
        return self

    def variables(self) -> list[str]:
        """Names of the environment variables it refers to."""
        return self.auth.variables() + ([self.ca_file_from] if self.ca_file_from else [])
