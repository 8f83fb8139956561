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
        "dagum_within": 0.05, "dagum_between": 0.12, "dagum_transvariation": 0.03,
        "theil_t_between_groups": 0.03, "theil_t_between_provinces": 0.01, "theil_t_within_provinces": 0.03,
        "aci": 30.0, "rci": 0.1, "sii": 200.0, "rii": 2.0, "ranking_status": "ok", "status": "ok",
    },
    "inequality_bounds": {
        "indicator_code": "INC_DISPOSABLE", "area_type": "total", "scope": "nation:province", "weighting": "none",
        "units": 27, "units_missing": 4, "plausible_low": 10_000.0, "plausible_high": 160_000.0,
        "cv_low": 0.3, "cv_high": 0.7, "gini_low": 0.15, "gini_high": 0.35, "theil_t_low": 0.04, "theil_t_high": 0.2,
        "cv_low_recent": 0.4, "cv_high_recent": 0.41, "gini_low_recent": 0.2, "gini_high_recent": 0.21,
        "theil_t_low_recent": 0.07, "theil_t_high_recent": 0.08, "status": "ok", "status_recent": "ok",
    },
    "convergence": {
        "indicator_code": "INC_DISPOSABLE", "area_type": "total", "scope": "nation:province", "years": 10, "units": 31,
        "units_missing": 0, "coverage": 1.0, "cv_first": 0.4, "cv_last": 0.3, "cv_slope": -0.01, "sd_log_slope": -0.01,
        "beta": -0.02, "speed": 0.02, "half_life": float(np.log(2) / 0.02), "convergence": "converging", "status": "ok",
    },
    "trend": {
        "indicator_code": "PEN_RESIDENT_MONTHLY", "region_code": "330000", "area_type": "total", "years": 8, "value": 150.0,
        "s": 28.0, "probability": 0.001, "slope": 5.0, "slope_low": 4.0, "slope_high": 6.0, "trend": "improving",
        "nation_value": 200.0, "against_nation": "worse", "floor_value": 120.0, "against_floor": "met",
        "finding": "worse_but_improving", "status": "ok",
    },
    "observation_harmonised": {
        "indicator_code": "HLT_BEDS", "region_code": "330105", "area_type": "total", "value": 10.0, "obs_status": "A",
        "map_status": "merged", "reported_codes": "330103;330105",
    },
    "shortfall": {
        "indicator_code": "PEN_RESIDENT_MONTHLY", "area_type": "total", "floor_kind": "floor", "scope": "nation:province",
        "weighting": "none", "floor_value": 123.0, "p0": 0.25, "p1": 0.1, "p2": 0.05, "population_below": np.nan,
        "units_below": 7, "units": 28, "units_missing": 3, "units_estimated": 1, "coverage": 28 / 31, "status": "ok",
    },
    "cost_to_floor": {
        "indicator_code": "PEN_RESIDENT_MONTHLY", "region_code": "330000", "area_type": "total", "floor_kind": "floor",
        "value": 100.0, "floor_value": 125.0, "heads": 10.0, "cost": 3000.0, "revenue": 30000.0, "share_of_revenue": 0.1,
        "units": 1, "units_missing": 0, "units_estimated": 0, "coverage": 1.0, "status": "ok",
    },
    "shortfall_risk": {
        "indicator_code": "PEN_RESIDENT_MONTHLY", "region_code": "330000", "area_type": "total", "floor_kind": "floor",
        "value": 120.0, "floor_value": 123.0, "years": 5, "first_year": 1899, "slope": 2.0, "attainment_status": "projected",
        "attainment_year": 2025.5, "next_value": 122.0, "next_error": 2.0, "next_floor_value": 123.0, "probability": 0.6,
        "band": "high", "status": "ok",
    },
    "change_attribution": {
        "indicator_code": "INC_DISPOSABLE", "area_type": "total", "weighting": "none", "measure": "theil_t",
        "region_code": "330000", "part": "value", "contribution": 0.02, "change": 0.02, "index_before": 0.05,
        "index_after": 0.07, "status": "ok",
    },
    "composite_index": {
        "indicator_code": "IDX_HEALTH", "region_code": "330000", "score_entropy": 0.7, "score_critic": 0.6,
        "score_equal": 0.65, "topsis": 0.5, "rank_entropy": 1, "rank_best": 1, "rank_median": 1.5, "rank_worst": 4,
        "rank_p05": 1, "rank_mc_median": 2, "rank_p95": 6, "units": 31, "units_missing": 0, "coverage": 1.0, "status": "ok",
    },
    "index_weight": {
        "indicator_code": "IDX_HEALTH", "member_key": 48, "area_type": "total", "weight_entropy": 1.0,
        "weight_critic": 1.0, "weight_equal": 1.0, "low": 2.0, "high": 8.0, "status": "ok",
    },
    "coupling": {
        "indicator_code": "IDX_OVERALL", "region_code": "330000", "score_employment": 0.5, "score_education": 0.5,
        "score_health": 0.5, "coupling": 1.0, "level": 0.5, "coordination": 0.5**0.5, "units": 31, "units_missing": 0,
        "coverage": 1.0, "status": "ok",
    },
    "resource_agglomeration": {
        "indicator_code": "HLT_BEDS", "region_code": "330000", "value": 300.0, "population": 60.0, "area_km2": 10.0,
        "hrad": 1.2, "pad": 0.8, "hrad_pad": 1.5, "units": 31, "units_missing": 0, "coverage": 1.0, "status": "ok",
    },
    "peer": {
        "indicator_code": "HLT_BEDS_PER_10K", "region_code": "330000", "area_type": "total", "value": 60.0,
        "peers": "320000;370000;410000;420000;430000", "best_peer_key": 320000, "best_peer_value": 65.0,
        "gap_to_best": -5.0, "peers_mean": 61.0, "rank": 3, "units": 5, "units_missing": 0, "coverage": 1.0,
        "status": "ok",
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
    "inequality_bounds": ("indicator_code", "period_code", "area_type", "scope", "weighting"),
    "convergence": ("indicator_code", "period_code", "area_type", "scope"),
    "trend": ("indicator_code", "region_code", "period_code", "area_type"),
    "observation_harmonised": ("indicator_code", "region_code", "period_code", "area_type"),
    "shortfall": ("indicator_code", "period_code", "area_type", "floor_kind", "scope", "weighting"),
    "cost_to_floor": ("indicator_code", "region_code", "period_code", "area_type", "floor_kind"),
    "shortfall_risk": ("indicator_code", "region_code", "period_code", "area_type", "floor_kind"),
    "change_attribution": (
        "indicator_code",
        "period_code",
        "area_type",
        "weighting",
        "measure",
        "region_code",
        "part",
    ),
    "composite_index": ("indicator_code", "region_code", "period_code"),
    "index_weight": ("indicator_code", "period_code", "member_key", "area_type"),
    "coupling": ("indicator_code", "region_code", "period_code"),
    "resource_agglomeration": ("indicator_code", "region_code", "period_code"),
    "peer": ("indicator_code", "region_code", "period_code", "area_type"),
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
        *("theil_t_between_groups", "theil_t_between_provinces", "theil_t_within_provinces"),
        *("aci", "rci", "sii", "rii"),
    ),
    np.nan,
) | {"ranking_status": "undefined_negative"}
_NO_SCORES = dict.fromkeys(
    (
        *("score_entropy", "score_critic", "score_equal", "topsis", "rank_entropy", "rank_best", "rank_median"),
        *("rank_worst", "rank_p05", "rank_mc_median", "rank_p95"),
    ),
    np.nan,
)
_NO_WEIGHTS = dict.fromkeys(("weight_entropy", "weight_critic", "weight_equal", "low", "high"), np.nan)
_NO_PEERS = dict.fromkeys(("best_peer_value", "gap_to_best", "peers_mean", "rank"), np.nan) | {"best_peer_key": np.nan}
_NO_SHARES = dict.fromkeys(("hrad", "pad", "hrad_pad"), np.nan)
_NO_COUPLING = dict.fromkeys(("coupling", "level", "coordination"), np.nan)

_NO_SHORTFALL = dict.fromkeys(("p0", "p1", "p2", "units_below"), np.nan)
_NO_RISK = {"next_value": np.nan, "probability": np.nan, "band": None}
_NOTHING_CONVERGES = dict.fromkeys(
    ("cv_first", "cv_last", "cv_slope", "sd_log_slope", "beta", "speed", "half_life"), np.nan
) | {"convergence": None}
_NO_TREND = dict.fromkeys(("s", "probability", "slope", "slope_low", "slope_high"), np.nan) | {
    "trend": None,
    "finding": None,
}
_NO_INTERVAL = dict.fromkeys(("cv_low", "cv_high", "gini_low", "gini_high", "theil_t_low", "theil_t_high"), np.nan)
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
    MartCase("inequality", "theil_in_range", "theil_t 3.5", {"theil_t": 3.5, "theil_t_within": 3.46, "theil_t_within_provinces": 3.46}),
    MartCase("inequality", "theil_layers_sum", "0.03, 0.01 and 0.04 do not make 0.07", {"theil_t_within_provinces": 0.04}),
    MartCase("inequality", "rci_in_range", "rci -1.2 is further", {"rci": -1.2}),
    MartCase("inequality", "null_agrees_with_ranking_status", "no_ranking_variable with aci 30.0",
             {"ranking_status": "no_ranking_variable"}),
    MartCase("inequality", "null_agrees_with_ranking_status", "status ok with aci blank", {"aci": np.nan}),
    MartCase("inequality", "coverage_in_range", "coverage 1.2 is outside 0 to 1", {"coverage": 1.2}),
    MartCase("inequality", "units_counted", "31 units and -1 missing", {"units_missing": -1}),
    MartCase("inequality", "units_counted", "0 units and 0 missing", {"units": 0}),
    MartCase("inequality", "weighting_known", "area is no weighting", {"weighting": "area"}),
    MartCase("inequality", "status_known", "fine is no status", {"status": "fine", **_NO_MEASURES}),
    MartCase("inequality", "null_agrees_with_status", "status ok with cv 0.4, gini blank",
             {"gini": np.nan, **_NO_PARTS}),
    MartCase("inequality", "null_agrees_with_status", "status too_few_units",
             {"status": "too_few_units", "ranking_status": "too_few_units",
              **dict.fromkeys(("aci", "rci", "sii", "rii"), np.nan)}),
    MartCase("inequality_bounds", "something_missing", "27 units and 0 missing", {"units_missing": 0}),
    MartCase("inequality_bounds", "something_missing", "0 units and 4 missing", {"units": 0}),
    MartCase("inequality_bounds", "intervals_in_order", "gini 0.36-0.35", {"gini_low": 0.36}),
    MartCase("inequality_bounds", "intervals_in_order", "gini 0.15-1.2", {"gini_high": 1.2}),
    MartCase("inequality_bounds", "intervals_in_order", "cv 0.3-0.7", {"cv_high_recent": 0.1}),
    MartCase("inequality_bounds", "status_known", "fine or ok is no status", {"status": "fine", **_NO_INTERVAL}),
    MartCase("inequality_bounds", "null_agrees_with_status", "with gini blank-0.35", {"gini_low": np.nan}),
    MartCase("inequality_bounds", "null_agrees_with_status", "recent too_few_years with 0.2-0.21",
             {"status_recent": "too_few_years"}),
    MartCase("convergence", "word_agrees_with_slopes", "converging with a CV slope of 0.01", {"cv_slope": 0.01}),
    MartCase("convergence", "word_agrees_with_slopes", "closer with a CV slope", {"convergence": "closer"}),
    MartCase("convergence", "half_life_agrees_with_speed", "half-life of 30.0 at", {"half_life": 30.0}),
    MartCase("convergence", "half_life_agrees_with_speed", "at a speed of -0.02", {"speed": -0.02}),
    MartCase("convergence", "counted", "2 units, 29 missing", {"units": 2, "units_missing": 29, "coverage": 2 / 31}),
    MartCase("convergence", "counted", "2 years, coverage 1.0", {"years": 2}),
    MartCase("convergence", "counted", "coverage 0.5", {"coverage": 0.5}),
    MartCase("convergence", "status_known", "fine is no status", {"status": "fine", **_NOTHING_CONVERGES}),
    MartCase("convergence", "null_agrees_with_status", "status too_few_years with", {"status": "too_few_years"}),
    MartCase("convergence", "null_agrees_with_status", "with a CV slope of blank",
             {**_NOTHING_CONVERGES, "convergence": "none"}),
    MartCase("trend", "trend_agrees_with_test", "improving with S -28.0", {"s": -28.0}),
    MartCase("trend", "trend_agrees_with_test", "probability 0.2", {"probability": 0.2}),
    MartCase("trend", "slope_in_interval", "slope 7.0 is not between 4.0 and 6.0", {"slope": 7.0}),
    MartCase("trend", "level_agrees_with_values", "worse with 150.0 against the nation's 120.0", {"nation_value": 120.0}),
    MartCase("trend", "level_agrees_with_values", "the nation's blank", {"nation_value": np.nan}),
    MartCase("trend", "floor_agrees_with_values", "under with 150.0 against the floor 120.0", {"against_floor": "under"}),
    MartCase("trend", "floor_agrees_with_values", "blank with 150.0 against", {"against_floor": None}),
    MartCase("trend", "finding_joins_its_words", "worse_and_worsening of worse and improving",
             {"finding": "worse_and_worsening"}),
    MartCase("trend", "finding_joins_its_words", "blank of worse and improving", {"finding": None}),
    MartCase("trend", "status_known", "fine is no status", {"status": "fine", **_NO_TREND}),
    MartCase("trend", "null_agrees_with_status", "status too_few_years with 8 years", {"status": "too_few_years"}),
    MartCase("trend", "null_agrees_with_status", "ok with 4 years", {"years": 4}),
    MartCase("observation_harmonised", "value_finite", "infinite", {"value": np.inf}),
    MartCase("observation_harmonised", "status_agrees_with_value", "is 10.0 but its status is M", {"obs_status": "M"}),
    MartCase("observation_harmonised", "map_status_known", "guessed is no way", {"map_status": "guessed"}),
    MartCase("observation_harmonised", "stays_at_its_own_code", "330105 is unmapped but its figure was reported for 330103",
             {"map_status": "unmapped", "reported_codes": "330103"}),
    MartCase("observation_harmonised", "stays_in_its_province", "figures of 320103, of another",
             {"reported_codes": "320103"}),
    MartCase("shortfall", "shares_in_order", "p1 0.3", {"p1": 0.3, "p2": 0.1}),
    MartCase("shortfall", "shares_in_order", "p2 0.001", {"p2": 0.001}),
    MartCase("shortfall", "units_below_agree", "8.0 of 28 units below", {"units_below": 8}),
    MartCase("shortfall", "units_below_agree", "p0 0.25", {"p1": 0.0, "p2": 0.0}),
    MartCase("shortfall", "population_where_weighted", "weighted by none, population_below is 7", {"population_below": 7.0}),
    MartCase("shortfall", "population_where_weighted", "population_below is blank with status ok", {"weighting": "population"}),
    MartCase("shortfall", "units_counted", "29 estimated", {"units_estimated": 29}),
    MartCase("shortfall", "units_counted", "coverage 1.2", {"coverage": 1.2}),
    MartCase("shortfall", "status_known", "fine is no status", {"status": "fine", **_NO_SHORTFALL}),
    MartCase("shortfall", "null_agrees_with_status", "status ok with p0 0.25, p1 0.1, p2 blank", {"p2": np.nan}),
    MartCase("shortfall", "null_agrees_with_status", "status undefined_negative", {"status": "undefined_negative"}),
    MartCase("cost_to_floor", "cost_agrees", "cost 3000.0, but 20.0 heads at 100.0 against floor 125.0 ask for 6000.0",
             {"heads": 20.0}),
    MartCase("cost_to_floor", "cost_agrees", "ask for 0.0", {"value": 130.0}),
    MartCase("cost_to_floor", "share_agrees", "share 0.2 is not cost 3000.0", {"share_of_revenue": 0.2}),
    MartCase("cost_to_floor", "share_agrees", "over revenue blank", {"revenue": np.nan}),
    MartCase("cost_to_floor", "units_counted", "coverage 0.5", {"coverage": 0.5}),
    MartCase("cost_to_floor", "units_counted", "2 estimated", {"units_estimated": 2}),
    MartCase("cost_to_floor", "status_known", "fine is no status",
             {"status": "fine", "cost": np.nan, "share_of_revenue": np.nan}),
    MartCase("cost_to_floor", "null_agrees_with_status", "status ok with cost blank",
             {"cost": np.nan, "share_of_revenue": np.nan}),
    MartCase("cost_to_floor", "null_agrees_with_status", "status undefined_negative", {"status": "undefined_negative"}),
    MartCase("shortfall_risk", "band_agrees", "probability of 0.6 is called watch", {"band": "watch"}),
    MartCase("shortfall_risk", "band_agrees", "probability of 1.2 is called severe", {"probability": 1.2, "band": "severe"}),
    MartCase("shortfall_risk", "side_agrees", "expected 122.0 against 123.0, but short with probability 0.4",
             {"probability": 0.4}),
    MartCase("shortfall_risk", "side_agrees", "expected 124.0", {"next_value": 124.0}),
    MartCase("shortfall_risk", "years_counted", "6 years", {"years": 6}),
    MartCase("shortfall_risk", "years_counted", "from 2020", {"first_year": 2020}),
    MartCase("shortfall_risk", "attainment_status_known", "soon is no status", {"attainment_status": "soon"}),
    MartCase("shortfall_risk", "attainment_year_agrees", "not_approaching with the year 2025.5",
             {"attainment_status": "not_approaching"}),
    MartCase("shortfall_risk", "attainment_year_agrees", "year 1890.0", {"attainment_year": 1890.0}),
    MartCase("shortfall_risk", "status_known", "fine is no status", {"status": "fine", **_NO_RISK}),
    MartCase("shortfall_risk", "null_agrees_with_status", "status ok with probability 0.6, expected blank",
             {"next_value": np.nan}),
    MartCase("shortfall_risk", "null_agrees_with_status", "status too_few_years", {"status": "too_few_years"}),
    MartCase("change_attribution", "contributions_sum", "do not sum to the change 0.02", {"contribution": 0.03}),
    MartCase("change_attribution", "change_agrees", "change 0.02 is not 0.08 less 0.05", {"index_after": 0.08}),
    MartCase("change_attribution", "index_in_range", "negative: -0.01, 0.01",
             {"index_before": -0.01, "index_after": 0.01}),
    MartCase("change_attribution", "part_known", "luck is no part", {"part": "luck"}),
    MartCase("change_attribution", "status_known", "fine is no status",
             {"status": "fine", "part": "none", "contribution": np.nan, "change": np.nan}),
    MartCase("change_attribution", "null_agrees_with_status", "status across_break with part value, contribution 0.02",
             {"status": "across_break"}),
    MartCase("change_attribution", "null_agrees_with_status", "with part none", {"part": "none"}),
    MartCase("composite_index", "scores_in_range", "0.5 is outside 0 to 1", {"score_critic": 1.5}),
    MartCase("composite_index", "rank_agrees_with_score", "is not that of score 0.7", {"rank_entropy": 2}),
    MartCase("composite_index", "ranks_ordered", "best 5", {"rank_best": 5}),
    MartCase("composite_index", "ranks_ordered", "95 % 32", {"rank_p95": 32}),
    MartCase("composite_index", "units_counted", "30 units and 0 missing make no coverage of 0.9",
             {"units": 30, "coverage": 0.9}),
    MartCase("composite_index", "status_known", "fine is no status", {"status": "fine", **_NO_SCORES}),
    MartCase("composite_index", "null_agrees_with_status", "insufficient_coverage with score 0.7",
             {"status": "insufficient_coverage"}),
    MartCase("composite_index", "null_agrees_with_status", "ok with score blank", {"score_entropy": np.nan}),
    MartCase("index_weight", "weights_sum", "do not sum to 1", {"weight_critic": 0.9}),
    MartCase("index_weight", "scale_ascends", "from 9.0 to 8.0", {"low": 9.0}),
    MartCase("index_weight", "status_known", "fine is no status", {"status": "fine", **_NO_WEIGHTS}),
    MartCase("index_weight", "null_agrees_with_status", "status across_break with weight 1.0", {"status": "across_break"}),
    MartCase("coupling", "level_agrees", "level 0.5 is not the mean", {"score_health": 0.8}),
    MartCase("coupling", "coordination_agrees", "coordination 0.6 is not the root", {"coordination": 0.6}),
    MartCase("coupling", "units_counted", "31 units and -1 missing", {"units_missing": -1}),
    MartCase("coupling", "status_known", "fine is no status", {"status": "fine", **_NO_COUPLING}),
    MartCase("coupling", "null_agrees_with_status", "status ok with coupling blank", {"coupling": np.nan}),
    MartCase("resource_agglomeration", "quotient_agrees", "1.4 is not hrad 1.2 over pad 0.8", {"hrad_pad": 1.4}),
    MartCase("resource_agglomeration", "shares_sum", "hrad 1.2 and pad 0.8 weighed", {"units": 1}),
    MartCase("resource_agglomeration", "units_counted", "31 units and -1 missing", {"units_missing": -1}),
    MartCase("resource_agglomeration", "status_known", "fine is no status", {"status": "fine", **_NO_SHARES}),
    MartCase("resource_agglomeration", "null_agrees_with_status", "status ok with hrad blank", {"hrad": np.nan}),
    MartCase("peer", "gap_agrees", "gap -4.0 is not the distance of 60.0 to the best peer's 65.0", {"gap_to_best": -4.0}),
    MartCase("peer", "rank_agrees_with_gap", "with a gap of -5.0", {"rank": 1}),
    MartCase("peer", "rank_agrees_with_gap", "with a gap of -5.0", {"rank": 7}),
    MartCase("peer", "peers_are_others", "330000 has peers 330000;370000",
             {"peers": "330000;370000", "best_peer_key": 370000}),
    MartCase("peer", "peers_are_others", "best of them 440000", {"best_peer_key": 440000}),
    MartCase("peer", "units_counted", "5 units and -1 missing", {"units_missing": -1}),
    MartCase("peer", "status_known", "fine is no status", {"status": "fine", **_NO_PEERS}),
    MartCase("peer", "null_agrees_with_status", "status ok with best blank",
             {"best_peer_value": np.nan, "gap_to_best": np.nan}),
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
SEPARATE_CASES = (
    "marts.observation.nation_sum",
    "marts.cost_to_floor.nation_sums",
    *(f"marts.{mart}.columns_expected" for mart in KEYS),
)


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
