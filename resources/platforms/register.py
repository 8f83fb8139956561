"""The register of platforms, read from YAML and validated; errors name the file and the key.

Here: one file a sector (``defaults:``, and under ``provinces:`` what differs), merged into one Access a platform.
Not here: what the keys mean (``access``), whether the world is as they say (``checking``).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from resources.errors import RegisterError
from resources.platforms.access import Access
from warehouse.catalogue import Form, load_catalogue

REGISTER_FOLDER = Path(__file__).parent
Sector = Literal["employment", "education", "health", "portal"]
OFFICES = ("employment", "education", "health")
PORTAL = ("000000", "portal")
ProvinceCode = Annotated[str, Field(pattern=r"^([1-6][0-9]|00)0000$")]


class _RegisterFile(BaseModel):
    """One sector."""

    model_config = ConfigDict(extra="forbid")

    sector: Sector
    defaults: dict[str, Any]
    provinces: dict[ProvinceCode, dict[str, Any]] = {}


class Platform(BaseModel):
    """One platform: a province's system for a sector (or the portal), and how it is asked."""

    model_config = ConfigDict(frozen=True)

    province: str
    sector: str
    access: Access
    file: Path = REGISTER_FOLDER

    @property
    def name(self) -> str:
        """``510000/health``."""
        return f"{self.province}/{self.sector}"

    def due_rule(self, form: Form) -> Form:
        """``form`` of the catalogue with this platform's own due months and day, where its calendar has them."""
        own = self.access.calendar.get(form.form)
        if own is None:
            return form
        return form.model_copy(update=own.model_dump(include={"due_months", "due_day"}, exclude_none=True))

    def open_days(self, form_code: str) -> int | None:
        """Days after its due day for which a period of the form stays open to revision; None: as for all."""
        own = self.access.calendar.get(form_code)
        return own.open_days if own else None

    def address(self, template: str | None) -> str | None:
        """Its address: its own (``{province}`` filled in), else that of ``template``; None: not configured."""
        if self.access.base_url:
            return self.access.base_url.replace("{province}", self.province)
        if template is None or self.sector not in OFFICES or self.access.transport == "folder":
            return None
        return template.format(province=self.province, sector=self.sector).rstrip("/")

    def base_url(self, template: str | None) -> str:
        """Its address; RegisterError where it has none."""
        address = self.address(template)
        if address is None:
            usual = f", and neither is JUNHENG_{'PLATFORM' if self.sector in OFFICES else 'PORTAL'}_URL"
            raise RegisterError(self.file, [(f"provinces.{self.province}.base_url", f"is not set{usual}")])
        return address


class Register:
    """All platforms by province and sector."""

    def __init__(
        self,
        defaults: Mapping[str, Access],
        differing: Mapping[tuple[str, str], Access],
        files: Mapping[str, Path] | None = None,
    ) -> None:
        self._defaults = dict(defaults)
        self._differing = dict(differing)
        self._files = dict(files or {})

    def platform(self, province: str, sector: str) -> Platform:
        """The platform of ``province`` and ``sector``; KeyError for a sector that does not exist."""
        access = self._differing.get((province, sector)) or self._defaults[sector]
        return Platform(province=province, sector=sector, access=access, file=self._files.get(sector, REGISTER_FOLDER))

    def platforms(self) -> list[Platform]:
        """Every platform: those of the provinces by sector, then the portal."""
        provinces = load_catalogue().provinces
        names = [(province, sector) for sector in OFFICES if sector in self._defaults for province in provinces]
        return [self.platform(*name) for name in [*names, *([PORTAL] if PORTAL[1] in self._defaults else [])]]


def load_register(folder: Path = REGISTER_FOLDER, portal_url: str | None = None) -> Register:
    """Read and validate the files ``*.yaml`` of ``folder``; RegisterError names every wrong key.

    ``portal_url`` (JUNHENG_PORTAL_URL) is the address of the portal, whatever the file says.
    """
    defaults: dict[str, Access] = {}
    differing: dict[tuple[str, str], Access] = {}
    files: dict[str, Path] = {}
    for path in sorted(folder.glob("*.yaml")):
        parsed = _read_file(path)
        if parsed.sector in files:
            raise RegisterError(path, [("sector", f"{parsed.sector} is told in {files[parsed.sector].name} already")])
        files[parsed.sector] = path
        if portal_url and parsed.sector == PORTAL[1]:
            parsed.provinces[PORTAL[0]] = {**parsed.provinces.get(PORTAL[0], {}), "base_url": portal_url}
        defaults[parsed.sector] = _access(path, "defaults", parsed.defaults)
        for province, keys in parsed.provinces.items():
            merged = merge_keys(parsed.defaults, keys)
            differing[province, parsed.sector] = _access(path, f"provinces.{province}", merged)
    if not files:
        raise RegisterError(folder, [("(the folder)", "holds no *.yaml")])
    return Register(defaults, differing, files)


def merge_keys(defaults: Mapping[str, Any], keys: Mapping[str, Any]) -> dict[str, Any]:
    """``defaults`` with ``keys`` over them; mappings are merged key by key, anything else is replaced."""
    merged = dict(defaults)
    for key, value in keys.items():
        before = merged.get(key)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        merged[key] = merge_keys(before, value) if both else value  # type: ignore[arg-type]
    return merged


def _read_file(path: Path) -> _RegisterFile:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        raise RegisterError(path, [("(the file)", f"cannot be read: {error}")]) from error
    try:
        return _RegisterFile.model_validate(content)
    except ValidationError as error:
        raise RegisterError(path, _problems(error)) from None


def _access(path: Path, key: str, keys: Mapping[str, Any]) -> Access:
    try:
        return Access.model_validate(keys)
    except ValidationError as error:
        # `from None`: pydantic's own text repeats the values, and somebody may have written a password there.
        raise RegisterError(path, _problems(error, f"{key}.")) from None


def _problems(error: ValidationError, prefix: str = "") -> list[tuple[str, str]]:
    return [((prefix + ".".join(str(part) for part in p["loc"])).rstrip("."), p["msg"]) for p in error.errors()]
