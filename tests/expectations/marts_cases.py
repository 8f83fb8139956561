"""One good row a mart, and for every check the smallest change of it that must break that check and no other.

Each case is a row of its own (its own period) in one table, so that a mart is validated once for all cases.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from warehouse.catalogue import load_catalogue

GOOD: dict[str, dict[str, Any]] = {
    "observation": {
        "indicator_code": "HLT_BEDS", "region_code": "330000", "area_type": "total", "value": 10.0, "obs_status": "A",
    },
    "attainment": {
        "indicator_code": "PEN_RESIDENT_MONTHLY", "region_code": "330000", "area_type": "total", "floor_kind": "floor",
        "value": 150.0, "floor_value": 120.0, "margin": 0.25, "attained": True,
    },
    "urban_rural_gap": {
        "indicator_code": "INC_DISPOSABLE", "region_code": "330000", "urban_value": 60.0, "rural_value": 40.0,
        "ratio": 1.5, "difference": 20.0, "disadvantaged": "rural", "status": "ok",
    },
    "inequality": {
        "indicator_code": "INC_DISPOSABLE", "area_type": "total", "scope": "nation:province", "weighting": "none",
        "units": 31, "units_missing": 0, "coverage": 1.0, "cv": 0.4, "gini": 0.2, "theil_t": 0.07,
        "theil_t_within": 0.03, "theil_t_between": 0.04, "theil_l": 0.05, "theil_l_within": 0.02, "theil_l_between": 0.03,
        "dagum_within": 0.05, "dagum_between": 0.12, "dagum_transvariation": 0.03, "status": "ok",
    },
    "observation_harmonised": {
        "indicator_code": "HLT_BEDS", "region_code": "330105", "area_type": "total", "value": 10.0, "obs_status": "A",
        "map_status": "merged", "reported_codes": "330103;330105",
    },
    "county_balance": {
        "indicator_code": "SCHOOL_BALANCE_PRIMARY", "region_code": "330105", "resource_code": "ALL", "schools": 8,
        "schools_missing": 0, "coverage": 1.0, "schools_meeting": 8, "cv": 0.4, "cv_limit": 0.5, "passes_cv": True,
        "passes": True, "status": "ok",
    },
}  # fmt: skip

KEYS = {
    "observation": ("indicator_code", "region_code", "period_code", "area_type"),
    "attainment": ("indicator_code", "region_code", "period_code", "area_type", "floor_kind"),
    "urban_rural_gap": ("indicator_code", "region_code", "period_code"),
    "inequality": ("indicator_code", "period_code", "area_type", "scope", "weighting"),
    "observation_harmonised": ("indicator_code", "region_code", "period_code", "area_type"),
    "county_balance": ("indicator_code", "region_code", "period_code", "resource_code"),
}


@dataclass(frozen=True)
class MartCase:
    """Writing ``change`` into a good row of ``mart`` breaks ``rule``; ``said`` stands in the reason given."""

    mart: str
    rule: str
    said: str
    change: dict[str, Any] = field(hash=False)
    copies: int = 1


_NO_PARTS = dict.fromkeys(("dagum_within", "dagum_between", "dagum_transvariation"), np.nan)
_NO_MEASURES = dict.fromkeys(
    (
        *("cv", "gini", "theil_t", "theil_t_within", "theil_t_between", "theil_l", "theil_l_within", "theil_l_between"),
        *("dagum_within", "dagum_between", "dagum_transvariation"),
    ),
    np.nan,
)
_NO_VERDICT = {"cv": np.nan, "passes_cv": None, "passes": None}

CASES = (
    *(
        MartCase(mart, f"{column}_present", f"{column} is null", {column: None})
        for mart, key in KEYS.items()
        for column in key
    ),
    *(MartCase(mart, "key_unique", "stands more than once", {}, copies=2) for mart in KEYS),
    MartCase("observation", "value_finite", "infinite", {"value": np.inf}),
    MartCase("observation", "status_agrees_with_value", "figure is blank but its status is A", {"value": np.nan}),
    MartCase("observation", "status_agrees_with_value", "is 10.0 but its status is M", {"obs_status": "M"}),
    MartCase("attainment", "floor_kind_known", "wish is no kind", {"floor_kind": "wish"}),
    MartCase("attainment", "attained_agrees_with_margin", "False with a margin of 0.25", {"attained": False}),
    MartCase("attainment", "margin_agrees_with_floor", "150.0 against floor 120.0 gives 0.25", {"margin": 0.2}),
    MartCase("attainment", "null_together", "value blank, margin 0.25", {"value": np.nan}),
    MartCase("attainment", "null_together", "attained blank", {"attained": None}),
    MartCase("urban_rural_gap", "ratio_agrees", "1.6 is not urban 60.0 over rural 40.0", {"ratio": 1.6}),
    MartCase("urban_rural_gap", "difference_agrees", "-20.0 is not urban 60.0 less", {"difference": -20.0}),
    MartCase("urban_rural_gap", "disadvantaged_known", "west is no side",
             {"disadvantaged": "west", "rural_value": np.nan, "ratio": np.nan, "difference": np.nan,
              "status": "insufficient_coverage"}),
    MartCase("urban_rural_gap", "disadvantaged_agrees", "urban is called worse off", {"disadvantaged": "urban"}),
    MartCase("urban_rural_gap", "status_known", "fine is no status", {"status": "fine", "ratio": np.nan}),
    MartCase("urban_rural_gap", "null_agrees_with_status", "ratio is blank with status ok", {"ratio": np.nan}),
    MartCase("urban_rural_gap", "null_agrees_with_status", "1.5 with status across_break", {"status": "across_break"}),
    MartCase("inequality", "theil_sums", "0.03 and between 0.05 do not make 0.07", {"theil_t_between": 0.05}),
    MartCase("inequality", "theil_sums", "between blank", {"theil_t_between": np.nan}),
    MartCase("inequality", "theil_l_sums", "0.02 and between 0.04 do not make 0.05", {"theil_l_between": 0.04}),
    MartCase("inequality", "dagum_sums", "0.13 between and 0.03 overlap do not make 0.2", {"dagum_between": 0.13}),
    MartCase("inequality", "gini_in_range", "gini 0.99 is outside", {"gini": 0.99, **_NO_PARTS}),
    MartCase("inequality", "gini_in_range", "gini -0.1 is outside", {"gini": -0.1, **_NO_PARTS}),
    MartCase("inequality", "cv_in_range", "cv 5.6 is negative (or", {"cv": 5.6}),
    MartCase("inequality", "cv_in_range", "cv -0.1 is negative", {"cv": -0.1}),
    MartCase("inequality", "theil_in_range", "theil_t 3.5", {"theil_t": 3.5, "theil_t_within": 3.46}),
    MartCase("inequality", "coverage_in_range", "coverage 1.2 is outside 0 to 1", {"coverage": 1.2}),
    MartCase("inequality", "units_counted", "31 units and -1 missing", {"units_missing": -1}),
    MartCase("inequality", "units_counted", "0 units and 0 missing", {"units": 0}),
    MartCase("inequality", "weighting_known", "area is no weighting", {"weighting": "area"}),
    MartCase("inequality", "status_known", "fine is no status", {"status": "fine", **_NO_MEASURES}),
    MartCase("inequality", "null_agrees_with_status", "status ok with cv 0.4, gini blank",
             {"gini": np.nan, **_NO_PARTS}),
    MartCase("inequality", "null_agrees_with_status", "status too_few_units", {"status": "too_few_units"}),
    MartCase("observation_harmonised", "value_finite", "infinite", {"value": np.inf}),
    MartCase("observation_harmonised", "status_agrees_with_value", "is 10.0 but its status is M", {"obs_status": "M"}),
    MartCase("observation_harmonised", "map_status_known", "guessed is no way", {"map_status": "guessed"}),
    MartCase("observation_harmonised", "stays_at_its_own_code", "330105 is unmapped but its figure was reported for 330103",
             {"map_status": "unmapped", "reported_codes": "330103"}),
    MartCase("observation_harmonised", "stays_in_its_province", "figures of 320103, of another",
             {"reported_codes": "320103"}),
    MartCase("county_balance", "schools_counted", "coverage 1.2", {"coverage": 1.2}),
    MartCase("county_balance", "schools_counted", "8 schools, -1 missing",
             {"schools_missing": -1, "status": "insufficient_coverage", **_NO_VERDICT}),
    MartCase("county_balance", "schools_counted", "0 missing, 9 that meet", {"schools_meeting": 9, "passes": False}),
    MartCase("county_balance", "cv_judged", "CV 0.6 with limit 0.5 is said to pass: True", {"cv": 0.6}),
    MartCase("county_balance", "cv_judged", "CV 0.4 with limit 0.5 is said to pass: False",
             {"passes_cv": False, "passes": False}),
    MartCase("county_balance", "cv_judged", "CV -0.1", {"cv": -0.1}),
    MartCase("county_balance", "verdict_follows", "7 of 8 schools meet", {"schools_meeting": 7}),
    MartCase("county_balance", "verdict_follows", "8 of 8 schools meet and 0 are missing, CVs: True, county: False",
             {"passes": False}),
    MartCase("county_balance", "status_known", "fine is no status", {"status": "fine", **_NO_VERDICT}),
    MartCase("county_balance", "null_agrees_with_status", "status ok with cv 0.4 and passes", {"passes": None}),
    MartCase("county_balance", "null_agrees_with_status", "status too_few_units", {"status": "too_few_units"}),
)  # fmt: skip

NATION_GOOD, NATION_BAD = "2001", "2002"
SEPARATE_CASES = ("marts.observation.nation_sum", *(f"marts.{mart}.columns_expected" for mart in KEYS))


def cases_of(mart: str) -> tuple[MartCase, ...]:
    return tuple(case for case in CASES if case.mart == mart)


def table_of_cases(mart: str) -> tuple[pd.DataFrame, dict[MartCase, list[int]]]:
    """(a good row, the row or rows of every case; which rows are which case's)."""
    records = [{**GOOD[mart], "period_code": "2024"}]
    rows: dict[MartCase, list[int]] = {}
    for number, case in enumerate(cases_of(mart)):
        rows[case] = list(range(len(records), len(records) + case.copies))
        record = {**GOOD[mart], "period_code": f"{1900 + number}", **case.change}
        records += [record] * case.copies
    frame = pd.DataFrame(records)
    for column in ("units", "units_missing"):
        if column in frame:
            frame[column] = frame[column].astype("int64")
    return frame, rows


def nation_rows(period: str, nation: float) -> pd.DataFrame:
    """Beds of 10 in each of the 31 provinces, and the nation's figure."""
    regions = {"000000": nation, **dict.fromkeys(load_catalogue().provinces, 10.0)}
    good = GOOD["observation"]
    return pd.DataFrame(
        [{**good, "period_code": period, "region_code": region, "value": value} for region, value in regions.items()]
    )
