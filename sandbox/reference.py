"""Reference data of the sandbox: indicators, forms, provinces, county units, units, and what cannot exist.

What is here: the CSV files of `warehouse/catalogue/` read into frozen records and NumPy arrays. What is not here:
validation of the catalogue (the warehouse does that) and every figure (`published`, `rules`).
"""

import csv
import dataclasses
import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sandbox.seeds import Floats, Integers

CATALOGUE = Path(__file__).resolve().parents[1] / "warehouse" / "catalogue"
FIGURES = Path(__file__).resolve().parent / "figures"
AREA_TYPES = ("total", "urban", "rural")
SECTORS = ("employment", "education", "health")

Flags = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class Indicator:
    """A base indicator, as far as a platform needs to know it."""

    code: str
    name_zh: str
    unit: str
    area_types: tuple[str, ...]
    area_definition: str
    finest_level: str
    aggregation: str
    is_cumulative: bool
    forms: tuple[str, ...]
    decimals: int

    @property
    def is_counted(self) -> bool:
        """Whether the figure is a count or an amount, kept in whole units; otherwise it is a rate or a mean."""
        return self.aggregation == "sum"


@dataclasses.dataclass(frozen=True)
class Series:
    """One indicator in one area type: a column of a return, a row of the rules."""

    position: int
    indicator: Indicator
    area_type: str

    @property
    def label(self) -> str:
        """How the rules name it: `POP_RESIDENT@urban`."""
        return f"{self.indicator.code}@{self.area_type}"


@dataclasses.dataclass(frozen=True)
class Form:
    """What a platform owes at a frequency, and when."""

    code: str
    sector: str
    frequency: str
    name_zh: str
    due_anchor: str
    due_months: int
    due_day: int


@dataclasses.dataclass(frozen=True)
class Province:
    """A province and the slice of the county arrays that is its own."""

    position: int
    code: str
    name_zh: str
    region_group: str
    counties: slice


@dataclasses.dataclass(frozen=True)
class Counties:
    """The county units on the map of 2020, ordered by code; arrays are parallel."""

    codes: Integers
    names: tuple[str, ...]
    population: dict[str, Floats]
    """Census population of 2020 by area type (residence)."""
    is_district: Flags
    """Urban by administration: city districts (third code pair 01 to 20), the four cities without counties, and all
    units of a province of which `not_applicable.csv` says that no county is left (Chongming, 310151)."""
    census: dict[str, Floats]
    """`mean_years_schooling` and `illiteracy_rate` of the census."""


@dataclasses.dataclass(frozen=True)
class Reference:
    """All reference data, read once."""

    series: tuple[Series, ...]
    forms: dict[str, Form]
    provinces: tuple[Province, ...]
    counties: Counties
    unit_factors: dict[tuple[str, str], float]
    not_applicable: tuple[dict[str, str], ...]
    standards: tuple[dict[str, str], ...]

    @functools.cached_property
    def by_label(self) -> dict[str, Series]:
        """Series by `INDICATOR@area_type`."""
        return {each.label: each for each in self.series}

    @functools.cached_property
    def province_by_code(self) -> dict[str, Province]:
        """Provinces by six-digit code."""
        return {each.code: each for each in self.provinces}

    def form_series(self, form: str) -> tuple[Series, ...]:
        """The columns of a form, in the catalogue's order."""
        return tuple(each for each in self.series if form in each.indicator.forms)


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a UTF-8 CSV file with a header, as dictionaries of text."""
    with path.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def _read_series() -> tuple[Series, ...]:
    found: list[Series] = []
    for row in read_rows(CATALOGUE / "indicators.csv"):
        if row["kind"] != "base":
            continue
        indicator = Indicator(
            code=row["code"],
            name_zh=row["name_zh"],
            unit=row["unit"],
            area_types=tuple(row["area_types"].split(";")),
            area_definition=row["area_definition"],
            finest_level=row["finest_level"],
            aggregation=row["aggregation"],
            is_cumulative=row["is_cumulative"] == "true",
            forms=tuple(row["forms"].split(";")),
            decimals=int(row["decimals"]),
        )
        for area_type in AREA_TYPES:
            if area_type in indicator.area_types:
                found.append(Series(len(found), indicator, area_type))
    return tuple(found)


def _without_counties() -> frozenset[int]:
    """Provinces (first two digits) that have no rural beds any more, since no county is left."""
    return frozenset(
        int(row["region_code"][:2])
        for row in read_rows(CATALOGUE / "not_applicable.csv")
        if (row["indicator_code"], row["area_type"], row["year_to"]) == ("HLT_BEDS", "rural", "")
    )


def _read_counties() -> Counties:
    names = {row["region_code"]: row["name_zh"] for row in read_rows(CATALOGUE / "regions.csv")}
    rows = sorted(read_rows(CATALOGUE / "county_population_2020.csv"), key=lambda row: row["region_code"])
    codes = np.array([int(row["region_code"]) for row in rows], dtype=np.int64)
    is_all_urban = np.isin(codes // 10_000, sorted(_without_counties()))

    def column(name: str) -> Floats:
        return np.array([float(row[name]) for row in rows])

    return Counties(
        codes=codes,
        names=tuple(names[row["region_code"]] for row in rows),
        population={area_type: column(f"population_{area_type}") for area_type in AREA_TYPES},
        is_district=(codes % 100 <= 20) | is_all_urban,  # 00: a city without counties; 01 to 20: a district
        census={name: column(name) for name in ("mean_years_schooling", "illiteracy_rate")},
    )


@functools.cache
def load_reference() -> Reference:
    """Read the reference data; raises `OSError`, `KeyError` or `ValueError` where a file is absent or broken."""
    counties = _read_counties()
    provinces = []
    for position, row in enumerate(read_rows(CATALOGUE / "provinces.csv")):
        start, stop = np.searchsorted(counties.codes, [int(row["region_code"]), int(row["region_code"]) + 10_000])
        own = slice(int(start), int(stop))
        provinces.append(Province(position, row["region_code"], row["name_zh"], row["region_group"], own))
    forms = {
        row["form"]: Form(
            row["form"], row["sector"], row["frequency"], row["name_zh"],
            row["due_anchor"], int(row["due_months"]), int(row["due_day"]),
        )
        for row in read_rows(CATALOGUE / "forms.csv")
    }  # fmt: skip
    return Reference(
        series=_read_series(),
        forms=forms,
        provinces=tuple(provinces),
        counties=counties,
        unit_factors={
            (row["unit_as_printed"], row["unit"]): float(row["factor"]) for row in read_rows(CATALOGUE / "units.csv")
        },
        not_applicable=tuple(read_rows(CATALOGUE / "not_applicable.csv")),
        standards=tuple(read_rows(CATALOGUE / "standards.csv")),
    )
