"""What the environment says (``JUNHENG_*``), read and validated in this one place; nothing else reads it.

Not here: constants of the product, and data about platforms or indicators (those are rows of the catalogue and the
register).
"""

from __future__ import annotations

import getpass
import re
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from warehouse.errors import JunhengError

SHANGHAI = ZoneInfo("Asia/Shanghai")
PREFIX = "JUNHENG_"


class SettingsError(JunhengError):
    """An environment variable cannot be used as written: whoever set it must mend it. Never repeats the value."""


def _parse_since(value: Any) -> Any:
    """``2015`` and ``2015-03`` mean their first day."""
    if isinstance(value, int):
        value = str(value)
    if isinstance(value, str) and re.fullmatch(r"\d{4}(-\d{2})?", value.strip()):
        return date.fromisoformat(f"{value.strip()}-01-01"[:10])
    return value


def _in_shanghai(value: datetime) -> datetime:
    return value.replace(tzinfo=SHANGHAI) if value.tzinfo is None else value.astimezone(SHANGHAI)


def _require_http(url: str | None) -> str | None:
    if url is None:
        return None
    if not url.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    if "@" in url.split("/")[2]:
        raise ValueError("must hold no user or password; use JUNHENG_CLIENT_ID and JUNHENG_CLIENT_SECRET")
    return url


class Settings(BaseSettings):
    """The settings of one process. ``Settings.load()`` reads them and raises SettingsError where one is wrong."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    home: Path = Field(default=Path("var"), description="The data folder: embedded PostgreSQL, archive, passwords.")
    archive: str | None = Field(
        default=None,
        description="Where raw bytes are kept: a folder, or a store as s3://bucket/folder; else in the data folder.",
    )
    inbox: Path | None = Field(default=None, description="Folder of mailed files; else inbox in the data folder.")
    warehouse_url: SecretStr | None = Field(
        default=None,
        description="postgresql://owner:password@host:port/database of a PostgreSQL 15 or later; else embedded.",
    )
    dagster_url: SecretStr | None = Field(
        default=None, description="A second database for Dagster; else <database>_dagster on the warehouse's server."
    )
    since: Annotated[date | None, BeforeValidator(_parse_since)] = Field(
        default=None, description="First period of a first refresh: 2015, 2015-03 or 2015-03-01."
    )
    now: datetime | None = Field(
        default=None, description="The clock stands at this ISO time (Asia/Shanghai if no zone)."
    )
    platform_url: str | None = Field(
        default=None, description="Where platforms are, with {province} and {sector}; else the sandbox must be started."
    )
    portal_url: str | None = Field(
        default=None, description="Where the statistics office's public portal is (…/external); else it is not asked."
    )
    client_id: str | None = Field(default=None, description="For platforms that want a token.")
    client_secret: SecretStr | None = Field(default=None, description="For platforms that want a token.")
    local_standards: Path | None = Field(
        default=None, description="CSV of standards that provinces, prefectures and counties set; else there are none."
    )
    operator: str | None = Field(
        default=None, description="Who approves, withdraws and explains; else the system's user."
    )
    release_policy: Literal["automatic", "approval", "embargo"] = Field(
        default="automatic",
        description="When a release goes live: once its blocking checks pass, when approved, or at embargo_time.",
    )
    embargo_time: time = Field(
        default=time(9, 0), description="Time of the day (Asia/Shanghai) at which an embargoed release goes live."
    )
    threads: int = Field(default=8, ge=1, le=64, description="Threads that ask platforms.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Least level that is logged."
    )

    @classmethod
    def load(cls) -> Settings:
        """Read the environment."""
        try:
            return cls()
        except ValidationError as error:
            problems = [f"{PREFIX}{'_'.join(map(str, p['loc'])).upper()}: {p['msg']}" for p in error.errors()]
            # `from None`: pydantic's own text repeats the values, and one of them may be a password.
            raise SettingsError(f"the environment cannot be used: {'; '.join(problems)}") from None

    @field_validator("home")
    @classmethod
    def _resolve_home(cls, home: Path) -> Path:
        return home.expanduser().resolve()

    @field_validator("local_standards")
    @classmethod
    def _resolve_local_standards(cls, path: Path | None) -> Path | None:
        return None if path is None else path.expanduser().resolve()

    @field_validator("now")
    @classmethod
    def _place_now(cls, now: datetime | None) -> datetime | None:
        return None if now is None else _in_shanghai(now)

    @field_validator("log_level", mode="before")
    @classmethod
    def _raise_case(cls, level: Any) -> Any:
        return level.upper() if isinstance(level, str) else level

    @field_validator("platform_url")
    @classmethod
    def _check_places(cls, url: str | None) -> str | None:
        url = _require_http(url)
        if url is None:
            return None
        unknown = set(re.findall(r"\{(\w*)\}", url)) ^ {"province", "sector"}
        if unknown:
            raise ValueError("must hold {province} and {sector}, and no other place")
        return url.rstrip("/")

    @field_validator("portal_url")
    @classmethod
    def _check_portal(cls, url: str | None) -> str | None:
        url = _require_http(url)
        return None if url is None else url.rstrip("/")

    @field_validator("archive")
    @classmethod
    def _check_archive(cls, location: str | None) -> str | None:
        if location is not None and "://" in location and "@" in location.split("/")[2]:
            raise ValueError("must hold no user or password; the store's client reads them from the environment")
        return location

    @property
    def archive_location(self) -> str:
        """Where the archive is."""
        return self.archive or str(self.home / "archive")

    @property
    def inbox_folder(self) -> Path:
        """Where mailed files are put."""
        return (self.inbox or self.home / "inbox").expanduser().resolve()

    def clock(self) -> datetime:
        """Now, in Asia/Shanghai; ``JUNHENG_NOW`` where that is set (then time stands still)."""
        return self.now or datetime.now(SHANGHAI)

    @property
    def operator_name(self) -> str:
        """Who acts: JUNHENG_OPERATOR, else the system's user name."""
        return self.operator or getpass.getuser()
