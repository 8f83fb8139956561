"""One good return a sector, and for every check the smallest change of it that must break that check and no other.

Each case is a return of its own (its own arrival id) in one table, so that a sector is validated once for all cases:
this also proves that a broken row is charged to its own return only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

PROVINCE, CITY, COUNTY = "330000", "330102", "330122"
TABLE_CASES = ("structure.columns_expected",)
GOOD_ARRIVAL = 1


@dataclass(frozen=True)
class Sector:
    """The form of a sector and the indicators that play a part in the good return."""

    name: str
    form: str
    period: str
    stale_period: str
    count: str  # a sum by total, urban, rural, down to counties
    single: str  # a sum that has a total only
    placed: str  # reported for a county only
    part: str
    whole: str
    spare: str  # has an urban figure; the cell most cases change
    spare_value: float
    mean: str | None
    foreign: str  # an indicator of another sector that has an urban figure


SECTORS = {
    "employment": Sector(
        "employment", "employment_annual", "2024", "2023", "POP_RESIDENT", "INS_INJURY_INSURED", "FIS_REVENUE",
        "PEN_RESIDENT_RECIPIENTS", "PEN_RESIDENT_INSURED", "DIB_STANDARD", 800.0, "INC_DISPOSABLE", "ELD_BEDS",
    ),
    "health": Sector(
        "health", "health_annual", "2024", "2023", "ELD_BEDS", "MED_RESIDENT_INSURED", "HLT_NURSES",
        "HLT_HOSPITALS", "HLT_INSTITUTIONS", "ELD_VILLAGE_POINTS", 80.0, "HLT_BEDS_PER_10K", "POP_RESIDENT",
    ),
    "education": Sector(
        "education", "education_school_year", "SY2024", "SY2023", "EDU_PRIMARY_PUPILS", "EDU_SENIOR_PUPILS",
        "EDU_SENIOR_TEACHERS", "EDU_SCHOOLS_ONLINE", "EDU_SCHOOLS", "EDU_PRIMARY_PUBLIC_FUNDS", 800.0, None,
        "POP_RESIDENT",
    ),
}  # fmt: skip


def good_return(sector: Sector, arrival_id: int = GOOD_ARRIVAL) -> pd.DataFrame:
    """Twenty-odd cells that no check has anything to say about."""
    cells = [
        (sector.count, PROVINCE, "total", 1000.0),
        (sector.count, PROVINCE, "urban", 600.0),
        (sector.count, PROVINCE, "rural", 401.0),  # rounding: 1000 is right for 600 + 401
        (sector.count, CITY, "total", 700.0),
        (sector.count, CITY, "urban", 500.0),
        (sector.count, CITY, "rural", 200.0),
        (sector.count, COUNTY, "total", 300.0),
        (sector.count, COUNTY, "urban", 100.0),
        (sector.count, COUNTY, "rural", 200.0),
        (sector.single, PROVINCE, "total", 100.0),
        (sector.placed, COUNTY, "total", 60.0),
        (sector.part, PROVINCE, "total", 20.0),
        (sector.whole, PROVINCE, "total", 100.0),
        (sector.part, CITY, "total", np.nan),
        (sector.spare, PROVINCE, "urban", sector.spare_value),
    ]
    if sector.mean:
        scale = 100.0 if sector.mean == "INC_DISPOSABLE" else 1.0
        cells += [(sector.mean, PROVINCE, area, scale * value) for area, value in
                  (("total", 50.0), ("urban", 60.0), ("rural", 40.0))]  # fmt: skip
    frame = pd.DataFrame(cells, columns=["indicator_code", "region_code", "area_type", "value"])
    frame.insert(0, "arrival_id", float(arrival_id))
    frame["period_code"] = sector.period
    frame["obs_status"] = np.where(frame["value"].isna(), "M", "A")
    frame["last_digit"] = np.where(frame["value"].isna(), np.nan, 1.0)
    frame["address"] = [f"表1!C{row}" for row in range(5, 5 + len(frame))]
    frame["raw_text"] = frame["value"].astype(str)
    return frame.astype({"value": "float64"})


def reference(sector: Sector) -> pd.DataFrame:
    """Last year's figures of the cells whose magnitude is compared."""
    rows = [(sector.single, PROVINCE, "total", 90.0), (sector.placed, COUNTY, "total", 50.0)]
    return pd.DataFrame(rows, columns=["indicator_code", "region_code", "area_type", "reference_value"])


# ------------------------------------------------------------------------------------------------------- changes


def at(frame: pd.DataFrame, indicator: str | None, region: str, area: str) -> pd.Series:
    return (frame["indicator_code"] == indicator) & (frame["region_code"] == region) & (frame["area_type"] == area)


Change = Callable[[pd.DataFrame, Sector], pd.DataFrame]


def put(column: str, value: object, role: str = "spare", region: str = PROVINCE, area: str = "urban") -> Change:
    """Write ``value`` (or what it says of the sector) into one cell's ``column``."""

    def change(frame: pd.DataFrame, sector: Sector) -> pd.DataFrame:
        new = value(sector) if callable(value) else value
        if new is None or isinstance(new, str):
            frame[column] = frame[column].astype(object)
        frame.loc[at(frame, getattr(sector, role), region, area), column] = new
        return frame

    return change


def both(*changes: Change) -> Change:
    def change(frame: pd.DataFrame, sector: Sector) -> pd.DataFrame:
        for one in changes:
            frame = one(frame, sector)
        return frame

    return change


def repeat_spare(frame: pd.DataFrame, sector: Sector) -> pd.DataFrame:
    return pd.concat([frame, frame[at(frame, sector.spare, PROVINCE, "urban")].assign(address="表1!Z99")])


def blank_all(frame: pd.DataFrame, sector: Sector) -> pd.DataFrame:
    return frame.assign(value=np.nan, last_digit=np.nan, obs_status="M")


def unchanged(frame: pd.DataFrame, sector: Sector) -> pd.DataFrame:
    return frame


@dataclass(frozen=True)
class Case:
    """``change`` breaks ``rule``, and ``said`` stands in the reason given."""

    rule: str
    title: str
    change: Change
    said: str
    is_listed: bool = True


CASES = (
    *(
        Case(f"structure.{column}_present", "null", put(column, None), f"{column} is null")
        for column in ("indicator_code", "region_code", "period_code", "area_type", "address", "obs_status")
    ),
    Case("structure.arrival_id_present", "null", put("arrival_id", np.nan), "arrival_id is null"),
    Case("structure.arrival_listed", "not collected", unchanged, "is not among the returns", is_listed=False),
    Case("structure.key_unique", "twice", repeat_spare, "stands more than once"),
    Case("structure.status_agrees_with_value", "blank as A", put("value", np.nan), "is blank but its status is A"),
    Case("structure.status_agrees_with_value", "figure as M", put("obs_status", "M"), "0 but its status is M"),
    Case("structure.return_has_figures", "all blank", blank_all, "cells of return"),
    Case(
        "codes.indicator_in_form", "other sector",
        put("indicator_code", lambda sector: sector.foreign), "is not carried by the form",
    ),
    Case("codes.indicator_in_form", "unknown", put("indicator_code", "NO_SUCH"), "NO_SUCH is not carried by the form"),
    Case("codes.region_known", "unknown", put("region_code", "339999"), "region 339999 stands in no list"),
    Case("codes.region_in_province", "Beijing", put("region_code", "110000"), "110000 is not inside"),
    Case("codes.area_type_known", "suburban", put("area_type", "suburban"), "suburban is no area type"),
    Case(
        "codes.area_type_allowed", "shifted", put("area_type", "rural", "single", area="total"), "has no rural figure"
    ),
    Case("codes.period_known", "in words", put("period_code", "2024年"), "2024年 is no period code"),
    Case(
        "codes.period_fits_return", "stale",
        put("period_code", lambda sector: sector.stale_period), "does not fit the period of the return",
    ),
    Case("codes.status_known", "Z", put("obs_status", "Z"), "Z is no observation status"),
    Case("ranges.value_finite", "infinite", put("value", np.inf), "infinite"),
    Case("ranges.not_below_plausible", "negative", put("value", -5.0, "single", area="total"), "-5.0 is below 0"),
    Case("ranges.not_above_plausible", "huge", put("value", 1e12, "single", area="total"), "is above"),
    Case(
        "units.province_magnitude", "persons for 10,000", put("value", 9e5, "single", area="total"),
        "900000.0 is 10000 times its reference 90",
    ),
    Case(
        "units.province_magnitude", "10,000 for persons", put("value", 0.01, "single", area="total"),
        "0.01 is 0.000111111 times its reference 90",
    ),
    Case(
        "units.place_magnitude", "county", put("value", 1.5e5, "placed", COUNTY, "total"),
        "is 3000 times its reference 50",
    ),
    Case("units.precision_known", "no digit", put("last_digit", np.nan), "the precision of"),
    Case(
        "arithmetic.urban_rural_sum", "off by ten",
        both(put("value", 610.0, "count"), put("value", 510.0, "count", CITY)),
        "total 1000, urban and rural together 1011, rounding allows 1.5",
    ),
    Case(
        "arithmetic.total_between_parts", "above both",
        put("value", lambda sector: 7000.0 if sector.name == "employment" else 70.0, "mean", area="total"),
        "is not between",
    ),
    Case(
        "arithmetic.counties_sum", "a county too high",
        both(put("value", 710.0, "count", CITY, "total"), put("value", 510.0, "count", CITY)),
        "province 1000, its 2 counties together 1010, rounding allows 1.5",
    ),
    Case("arithmetic.part_within_whole", "part exceeds", put("value", 120.0, "part", area="total"), "120 exceeds 100"),
)  # fmt: skip


def cases_of(sector: Sector) -> tuple[Case, ...]:
    """Education reports no mean by area type, so has no check of one."""
    return tuple(case for case in CASES if sector.mean or case.rule != "arithmetic.total_between_parts")


def arrival_of(case: Case) -> int:
    return GOOD_ARRIVAL + 1 + CASES.index(case)


@cache
def table_of_cases(name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(observations of the good return and of every case, arrivals) of a sector."""
    sector = SECTORS[name]
    frames = [good_return(sector)]
    listed = [GOOD_ARRIVAL]
    for case in cases_of(sector):
        frames.append(case.change(good_return(sector, arrival_of(case)), sector))
        if case.is_listed:
            listed.append(arrival_of(case))
    arrivals = pd.DataFrame({"arrival_id": listed})
    arrivals["region_code"], arrivals["form"], arrivals["period_code"] = PROVINCE, sector.form, sector.period
    return pd.concat(frames, ignore_index=True), arrivals
