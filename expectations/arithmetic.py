"""Arithmetic: parts make their total, a mean lies between its parts, counties make their province, as far as printed.

Here: the rules and the columns they read. Not here: rates recomputed from other sectors (the warehouse derives them).
All of them warn. Published figures break such sums for real: urban and rural population before 2020 keep the base of
the 2010 census while totals were re-based, and in 15 of 303 province-years physicians per 10,000 lie outside their
parts, since the denominators differ.

Tolerance: each figure may be half a unit of its last printed digit away from the truth, and so may a sum of them.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from expectations.cells import AREA_TYPES, Booleans, Cells, Floats, Integers, align, scatter
from expectations.model import Check, verdict

TOTAL, URBAN, RURAL = range(3)
# Sums of up to 200 doubles of 12 significant digits: float noise, not rounding.
RELATIVE_NOISE = 1e-9

RULES: tuple[Check, ...] = (
    Check(
        check_id="arithmetic.urban_rural_sum",
        subject="arithmetic",
        severity="warning",
        kind="verdict",
        column="urban_rural_sum_holds",
        reason="total {value:.12g}, urban and rural together {sum_of_parts:.12g}, rounding allows {sum_tolerance:g}",
        explanation_zh="城镇与乡村之和应等于合计（允许末位舍入）。人口普查后总数调整而分项沿用旧口径时会不符。",
        explanation_en="Urban and rural make the total within rounding. A census may re-base the totals only.",
        action_zh="向报送单位核实；口径不同请说明。",
        action_en="Ask the platform, or explain the difference of base; the figures stay as reported.",
        source="form rule 合计 = 城镇 + 乡村; GB/T 8170 rounding",
        evidence=("sum_of_parts", "sum_tolerance"),
    ),
    Check(
        check_id="arithmetic.total_between_parts",
        subject="arithmetic",
        severity="warning",
        kind="verdict",
        column="total_is_between_parts",
        reason="total {value:.12g} is not between {least_part:.12g} and {most_part:.12g} of its parts",
        explanation_zh="合计的平均数或比率应介于城镇与乡村之间；分母口径不同时可能不符。",
        explanation_en="A mean or rate lies between those of its parts, unless their denominators differ.",
        action_zh="核实分母口径。",
        action_en="Compare the denominators; real in some years of physicians per 10,000, so it never blocks.",
        source="a weighted mean lies between its members",
        evidence=("least_part", "most_part"),
    ),
    Check(
        check_id="arithmetic.counties_sum",
        subject="arithmetic",
        severity="warning",
        kind="verdict",
        column="counties_sum_holds",
        reason="province {value:.12g}, its {counties_counted:g} counties together {sum_of_counties:.12g}, "
        "rounding allows {counties_tolerance:g}",
        explanation_zh="各县之和应等于全省（允许末位舍入）；缺县时只检查是否超过全省。",
        explanation_en="Counties make their province within rounding; where some are blank, they must not exceed it.",
        action_zh="核实缺报或重复的县。",
        action_en="Look for a county missing or counted twice, or figures kept at province level only.",
        source="catalogue: aggregation = sum; GB/T 8170 rounding",
        evidence=("sum_of_counties", "counties_counted", "counties_tolerance"),
    ),
    Check(
        check_id="arithmetic.part_within_whole",
        subject="arithmetic",
        severity="warning",
        kind="verdict",
        column="part_is_within_whole",
        reason="{indicator_code} {value:.12g} exceeds {whole_value:.12g}, the whole it is part of",
        explanation_zh="“其中”项不得大于总项（估计数不检查）。",
        explanation_en="An of-which figure does not exceed its whole; estimated figures are not asked.",
        action_zh="可能错列或口径不同，请核实。",
        action_en="Columns may be swapped, or the definitions differ: ask the platform.",
        source="expectations/of_which.csv",
        evidence=("whole_value",),
    ),
)


def prepare(cells: Cells) -> dict[str, npt.NDArray[Any]]:
    """Sums, bounds and tolerances (NaN: nothing to compare) and the verdict columns of this subject."""
    return {**_judge_parts(cells), **_judge_counties(cells), **_judge_of_which(cells)}


def _has_parts(indicator: Any) -> bool:
    return set(indicator.area_types) == set(AREA_TYPES)


def _judge_parts(cells: Cells) -> dict[str, npt.NDArray[Any]]:
    """Totals against their urban and rural parts: sums for counts, bounds for means and rates."""
    key = cells.key("indicator_code", "region_code", "period_code")
    usable = cells.is_whole_key & np.isfinite(cells.value) & cells.is_indicator(_has_parts)
    total = usable & (cells.area == TOTAL)
    values, digits = {}, {}
    for area in (URBAN, RURAL):
        part = usable & (cells.area == area)
        values[area] = align(key[part], cells.value[part], key[total])
        digits[area] = align(key[part], cells.last_digit[part], key[total])
    own = cells.value[total]
    tolerance = (cells.last_digit[total] + digits[URBAN] + digits[RURAL]) / 2 + RELATIVE_NOISE * np.abs(own)
    together = values[URBAN] + values[RURAL]
    least, most = np.minimum(values[URBAN], values[RURAL]), np.maximum(values[URBAN], values[RURAL])
    is_sum = cells.is_indicator(lambda indicator: indicator.aggregation == "sum")
    asked = scatter(total, together)
    between = (own >= least - tolerance) & (own <= most + tolerance)
    return {
        "sum_of_parts": asked,
        "sum_tolerance": scatter(total, tolerance),
        "least_part": scatter(total, least),
        "most_part": scatter(total, most),
        "urban_rural_sum_holds": verdict(
            ~np.isnan(asked) & is_sum, _spread_true(total, np.abs(own - together) <= tolerance)
        ),
        "total_is_between_parts": verdict(~np.isnan(asked) & ~is_sum, _spread_true(total, between)),
    }


def _spread_true(mask: Booleans, holds: Booleans) -> Booleans:
    """``holds`` where ``mask``, True elsewhere."""
    spread = np.ones(len(mask), dtype=np.bool_)
    spread[mask] = holds
    return spread


def _judge_counties(cells: Cells) -> dict[str, npt.NDArray[Any]]:
    """The province's figure against the sum of the counties of the same return."""
    is_asked = cells.is_indicator(lambda i: i.aggregation == "sum" and i.finest_level == "county") & cells.is_whole_key
    key = cells.key("indicator_code", "period_code", "area_type")
    county = is_asked & cells.is_county
    province = is_asked & cells.is_province & np.isfinite(cells.value)
    groups, labels = pd.factorize(key[county])
    labels = np.asarray(labels, dtype=np.int64)
    present = np.isfinite(cells.value[county])

    def add(numbers: Floats) -> Floats:
        sums = np.bincount(groups, weights=numbers, minlength=len(labels)).astype(np.float64)
        return align(labels, sums, key[province])

    together = add(np.where(present, cells.value[county], 0.0))
    counted = add(present.astype(np.float64))
    covered = add((present | _cannot_exist(cells, county)).astype(np.float64))
    own = cells.value[province]
    tolerance = (cells.last_digit[province] + add(np.where(present, cells.last_digit[county], 0.0))) / 2
    tolerance = tolerance + RELATIVE_NOISE * np.abs(own)
    complete = covered >= _counties_of_returns(cells)[cells.arrival[province]]
    holds = np.where(complete, np.abs(own - together) <= tolerance, together <= own + tolerance)
    return {
        "sum_of_counties": scatter(province, together),
        "counties_counted": scatter(province, counted),
        "counties_tolerance": scatter(province, tolerance),
        "counties_sum_holds": verdict(scatter(province, counted) > 0, _spread_true(province, holds)),
    }


def _cannot_exist(cells: Cells, county: Booleans) -> Booleans:
    """Under the administrative definition a city district has no rural and a county no urban figure.

    A district is a county-level code whose third pair is 01 to 20 (GB/T 2260).
    """
    administrative: Booleans = cells.is_indicator(lambda indicator: indicator.area_definition == "administrative")[
        county
    ]
    is_district = cells.spread(
        "region_code", lambda code: code[4:].isdigit() and 1 <= int(code[4:]) <= 20, False, np.bool_
    )
    other_area = np.where(is_district[county], RURAL, URBAN)
    is_other: Booleans = administrative & (cells.area[county] == other_area)
    return is_other


def _counties_of_returns(cells: Cells) -> Integers:
    """The number of different counties each return has rows for, by the return's position."""
    regions = len(cells.categories["region_code"]) + 1
    county = cells.is_county & (cells.arrival >= 0)
    pairs = pd.unique(cells.arrival[county] * regions + cells.codes["region_code"][county])
    returns = int(cells.arrival.max(initial=-1)) + 1
    return np.bincount(np.asarray(pairs, dtype=np.int64) // regions, minlength=returns)


@cache
def read_of_which() -> tuple[tuple[str, str, str], ...]:
    """(part, whole, area type of the whole or "" for the part's own) of each row of ``of_which.csv``."""
    with (Path(__file__).parent / "of_which.csv").open(encoding="utf-8", newline="") as lines:
        return tuple((row["part"], row["whole"], row["whole_area_type"]) for row in csv.DictReader(lines))


def _judge_of_which(cells: Cells) -> dict[str, npt.NDArray[Any]]:
    """A part against its whole in the same return, region and period; the least of several wholes counts."""
    solid = (
        cells.is_whole_key & np.isfinite(cells.value) & (cells.codes["obs_status"] != cells.code_of("obs_status", "E"))
    )
    key = cells.key("region_code", "period_code") * 4
    whole_value = np.full(len(cells), np.nan)
    tolerance = np.zeros(len(cells))
    for part, whole, area in read_of_which():
        is_part = solid & (cells.codes["indicator_code"] == cells.code_of("indicator_code", part))
        is_whole = solid & (cells.codes["indicator_code"] == cells.code_of("indicator_code", whole))
        if not is_part.any() or not is_whole.any():
            continue
        wanted = key[is_part] + (AREA_TYPES.index(area) if area else cells.area[is_part])
        listed = key[is_whole] + cells.area[is_whole]
        found = align(listed, cells.value[is_whole], wanted)
        allowed = (cells.last_digit[is_part] + align(listed, cells.last_digit[is_whole], wanted)) / 2
        nearer = ~np.isnan(found) & ~(whole_value[is_part] <= found)
        whole_value[is_part] = np.where(nearer, found, whole_value[is_part])
        tolerance[is_part] = np.where(nearer, allowed, tolerance[is_part])
    asked = ~np.isnan(whole_value)
    return {
        "whole_value": whole_value,
        "part_is_within_whole": verdict(asked, ~asked | (cells.value <= whole_value + tolerance)),
    }
