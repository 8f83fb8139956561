"""What the register tells of the statistics office's portal: which tables, regions and years, as validated data.

Here: the models of ``options``, and how either interface writes a period. Not here: asking (``nbs``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from warehouse import periods
from warehouse.catalogue import load_catalogue
from warehouse.periods import Period

Frequency = Literal["annual", "quarterly", "monthly"]
FREQUENCIES: tuple[Frequency, ...] = ("annual", "quarterly", "monthly")
TREES: Mapping[Frequency, str] = {"monthly": "4", "quarterly": "5", "annual": "6"}
"""Number of the provincial index tree of a frequency (esData)."""
CUBES: Mapping[Frequency, str] = {"monthly": "fsyd", "quarterly": "fsjd", "annual": "fsnd"}
"""Name of the provincial database of a frequency (easyquery)."""


class _Options(BaseModel):
    """Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Catalogue(_Options):
    """One table of the portal. It cuts its tables by spans of years, so one statistic may stand in several."""

    name: Annotated[str, Field(min_length=1)]
    """As the portal names it: errors say it, and it finds the table again where its id has changed."""
    frequency: Frequency
    first_year: Annotated[int, Field(ge=1949, le=2100)]
    last_year: Annotated[int | None, Field(ge=1949, le=2100)] = None
    """None: it goes on."""
    indicators: tuple[str, ...] = ()

    def covers(self, year: int) -> bool:
        """Whether the table can hold figures of ``year``."""
        return self.first_year <= year and (self.last_year is None or year <= self.last_year)


class SeriesCatalogue(Catalogue):
    """A table of esData: ``indicators`` are its indicators' ids; none means all it has.

    Found by the names above it in the index tree (``path``), or by its id (``cid``) where names are not enough.
    """

    path: tuple[str, ...] = ()
    cid: str = ""
    root_id: str = ""
    """Of its tree; none: looked up."""
    area_catalogue_id: str = ""

    @model_validator(mode="after")
    def _require_place(self) -> Self:
        if not self.path and not self.cid:
            raise ValueError("needs path (names from the top of the index tree down to the table) or cid")
        return self

    @property
    def label(self) -> str:
        """How errors name it."""
        return " > ".join([*self.path, self.name]) + (f" ({self.cid})" if self.cid else "")


class CubeCatalogue(Catalogue):
    """A table of easyquery: ``indicators`` are codes such as ``A030101``."""

    indicators: Annotated[tuple[str, ...], Field(min_length=1)]


CatalogueKind = TypeVar("CatalogueKind", bound=Catalogue)


class PortalOptions(_Options, Generic[CatalogueKind]):
    """``options`` of a portal in the register."""

    catalogues: Annotated[tuple[CatalogueKind, ...], Field(min_length=1)]
    regions: dict[Annotated[str, Field(pattern=r"^[0-9]{6}([0-9]{6})?$")], str] = {}
    """Code → name; none means the 31 provinces."""
    indicators_per_request: Annotated[int, Field(ge=1, le=200)] = 20

    def areas(self, digits: int) -> dict[str, str]:
        """Regions to ask for, codes of ``digits`` digits."""
        regions = self.regions or {code: row.name_zh for code, row in load_catalogue().provinces.items()}
        return {code.ljust(12, "0")[:digits]: name for code, name in regions.items()}


def series_period(period: Period) -> str:
    """A period as esData writes it: ``2025YY``, ``202503SS`` (third quarter), ``202509MM``."""
    if period.kind == "year":
        return f"{period.year}YY"
    if period.kind == "quarter":
        return f"{period.year}{(period.month + 2) // 3:02d}SS"
    return f"{period.year}{period.month:02d}MM"


def cube_period(period: Period) -> str:
    """A period as easyquery writes it: ``2025``, ``2025C`` (third quarter), ``202509``."""
    if period.kind == "year":
        return str(period.year)
    if period.kind == "quarter":
        return f"{period.year}{'ABCD'[(period.month + 2) // 3 - 1]}"
    return f"{period.year}{period.month:02d}"


def periods_of(frequency: Frequency, year: int) -> list[Period]:
    """The periods of a year."""
    if frequency == "annual":
        return [periods.year(year)]
    if frequency == "quarterly":
        return [periods.quarter(year, index) for index in range(1, 5)]
    return [periods.month(year, index) for index in range(1, 13)]
