"""The register of platforms, read from YAML and validated; errors name the file and the key.

Secrets never stand in it: client id and secret come from the environment.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from resources.errors import RegisterError

REGISTER_FILE = Path(__file__).parent / "register.yaml"
Sector = Literal["employment", "education", "health"]
ProvinceCode = Annotated[str, Field(pattern=r"^[1-6][0-9]0000$")]
Seconds = Annotated[float, Field(gt=0, le=600)]


class Access(BaseModel):
    """How a platform is asked; see the head of ``register.yaml`` for each key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    transport: Literal["download", "paged_json"]
    auth: Literal["none", "bearer"]
    page_size: int = Field(ge=1, le=100_000)
    connect_timeout_seconds: Seconds
    read_timeout_seconds: Seconds
    concurrency: int = Field(ge=1, le=64)
    max_bytes: int = Field(ge=1_000, le=4_000_000_000)
    base_url: str | None = None

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, url: str | None) -> str | None:
        if url is not None and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
            raise ValueError("must be an http or https address")
        if url is not None and urlsplit(url).username is not None:
            raise ValueError("must hold no user or password")
        return url.rstrip("/") if url else None


class _RegisterFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sectors: dict[Sector, Access]
    provinces: dict[ProvinceCode, dict[Sector, dict[str, Any]]] = {}

    @field_validator("sectors")
    @classmethod
    def _require_all(cls, sectors: dict[Sector, Access]) -> dict[Sector, Access]:
        lacking = {"employment", "education", "health"} - sectors.keys()
        if lacking:
            raise ValueError(f"lacks {', '.join(sorted(lacking))}")
        return sectors


class Platform(BaseModel):
    """One platform: a province's system for a sector, and how it is asked."""

    model_config = ConfigDict(frozen=True)

    province: str
    sector: str
    access: Access

    @property
    def name(self) -> str:
        """``510000/health``."""
        return f"{self.province}/{self.sector}"

    def base_url(self, template: str | None) -> str:
        """Its address: its own, else ``template`` with province and sector filled in."""
        if self.access.base_url:
            return self.access.base_url
        if template is None:
            raise RegisterError(REGISTER_FILE, [(f"provinces.{self.province}.{self.sector}.base_url",
                "is not set, and neither is JUNHENG_PLATFORM_URL")])  # fmt: skip
        return template.format(province=self.province, sector=self.sector).rstrip("/")


class Register:
    """All platforms by province and sector."""

    def __init__(self, defaults: dict[str, Access], differing: dict[tuple[str, str], Access]) -> None:
        self._defaults = defaults
        self._differing = differing

    def platform(self, province: str, sector: str) -> Platform:
        """The platform of ``province`` and ``sector``; KeyError for a sector that does not exist."""
        access = self._differing.get((province, sector)) or self._defaults[sector]
        return Platform(province=province, sector=sector, access=access)


def load_register(path: Path = REGISTER_FILE) -> Register:
    """Read and validate the register; RegisterError names every wrong key."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise RegisterError(path, [("(the file)", f"cannot be read: {error}")]) from error
    try:
        parsed = _RegisterFile.model_validate(content)
    except ValidationError as error:
        raise RegisterError(path, _problems(error)) from error
    differing = {}
    for province, sectors in parsed.provinces.items():
        for sector, keys in sectors.items():
            merged = parsed.sectors[sector].model_dump() | keys
            try:
                differing[province, str(sector)] = Access.model_validate(merged)
            except ValidationError as error:
                raise RegisterError(path, _problems(error, f"provinces.{province}.{sector}.")) from error
    return Register({str(sector): access for sector, access in parsed.sectors.items()}, differing)


def _problems(error: ValidationError, prefix: str = "") -> list[tuple[str, str]]:
    return [(prefix + ".".join(str(part) for part in p["loc"]), p["msg"]) for p in error.errors()]
