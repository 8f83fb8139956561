"""Balance of compulsory education: the schools of each county against one another and against the ministry's lines.

Here: which schools a county is judged by, coverage, grade and status. Not here: the formulas (:mod:`warehouse.measures`),
lines and limits (catalogue), rosters (:mod:`warehouse.schools`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from warehouse.catalogue import Catalogue, SchoolStage
from warehouse.marts.coverage import MINIMUM_COVERAGE
from warehouse.measures.sample import BoolArray, FloatArray, IntArray
from warehouse.measures.schools import compulsory_education_cv
from warehouse.measures.schools import county_balance as balance_of
from warehouse.panels import BREAK_RANK, Slice, status_ranks

COUNTY_BALANCE_COLUMNS = (
    "indicator_key",
    "period_key",
    "region_key",
    "resource_code",
    "schools",
    "schools_missing",
    "schools_estimated",
    "pupils",
    "coverage",
    "mean",
    "line",
    "schools_meeting",
    "cv",
    "cv_limit",
    "passes_cv",
    "passes",
    "grade",
    "status",
)

#: The resource of the row with the verdict on the county.
ALL = "ALL"
#: A CV this close to its limit is at it, as :mod:`warehouse.measures.schools` takes it.
_AT_LIMIT = 1e-9
_KEYS = ["indicator_key", "period_key", "region_key"]


@dataclass(frozen=True, eq=False)
class _Counties:
    """The schools of one stage, sorted by county: ``place`` is the county of a school, ``amounts`` [resources × schools]."""

    keys: pd.DataFrame
    place: IntArray
    pupils: FloatArray
    amounts: FloatArray
    is_estimated: BoolArray

    def count(self, chosen: BoolArray) -> IntArray:
        """Schools by county."""
        counts: IntArray = np.bincount(self.place[chosen], minlength=len(self.keys)).astype(np.int64)
        return counts

    def people(self, chosen: BoolArray) -> FloatArray:
        """Pupils by county."""
        known = chosen & (self.pupils > 0)
        total = np.bincount(self.place[known], self.pupils[known], minlength=len(self.keys))
        return total.astype(np.float64)


def county_balance(schools: pd.DataFrame, catalogue: Catalogue, warned: Collection[Slice] = ()) -> pd.DataFrame:
    """Eight rows a county, school year and stage: one a resource, and the verdict (``resource_code`` :data:`ALL`).

    ``schools``: rows of :func:`warehouse.schools.read_schools`. A school with no pupils is left out; one whose pupils are
    not known, or that has no figure of a resource, is missing. Of a resource: ``mean`` and ``cv`` between the schools,
    weighted by pupils, against its limit; ``schools_meeting`` those at its line. Of the verdict: ``cv`` the largest of the
    seven, ``schools_meeting`` the schools at 6 of the 7 lines or more and at 85 % of the other, ``passes`` where every CV is
    within its limit and every school meets.

    ``status``: ``too_few_units`` (no school with pupils), ``insufficient_coverage`` (under 80 % of schools or of pupils;
    of the verdict also where a school is missing and nothing else fails), ``undefined_zero_mean``, ``ok``; one school has
    a CV of 0. ``grade``: C resting on anything estimated, provisional or weaker, or with schools missing; B where a check
    of the slice warned; else A. Returns the columns :data:`COUNTY_BALANCE_COLUMNS`, sorted by keys.
    Source: 教督〔2017〕6号, the lines and limits in the catalogue.
    """
    parts = [
        part
        for key, stage in sorted(catalogue.school_keys.items())
        if (schools["indicator_key"] == key).any()
        for part in _stage(_counties(schools[schools["indicator_key"] == key], catalogue), stage, catalogue)
    ]
    if not parts:
        return _empty()
    rows = pd.concat(parts, ignore_index=True)
    is_warned = pd.MultiIndex.from_frame(rows[_KEYS[:2]]).isin(list(warned)) if warned else np.zeros(len(rows), bool)
    is_low = (rows["schools_missing"] > 0) | (rows["schools_estimated"] > 0)
    rows["grade"] = np.select([is_low, is_warned], ["C", "B"], "A")
    return rows.sort_values([*_KEYS, "resource_code"], ignore_index=True)[list(COUNTY_BALANCE_COLUMNS)]


def _counties(schools: pd.DataFrame, catalogue: Catalogue) -> _Counties:
    ordered = schools.sort_values([*_KEYS, "school_code"], ignore_index=True)
    place = ordered.groupby(_KEYS, sort=True).ngroup().to_numpy().astype(np.int64)
    return _Counties(
        ordered[_KEYS].drop_duplicates().reset_index(drop=True),
        place,
        ordered["pupils"].to_numpy(np.float64),
        ordered[[line.column for line in catalogue.school_lines]].to_numpy(np.float64).T,
        status_ranks(ordered["obs_status"]) < BREAK_RANK,
    )


def _stage(counties: _Counties, stage: SchoolStage, catalogue: Catalogue) -> Iterator[pd.DataFrame]:
    """The rows of each resource, then the verdicts."""
    lines = catalogue.school_lines
    scales = np.array([line.scale for line in lines])
    least = np.array([line.line(stage.stage) for line in lines])
    limits = np.array([line.cv_limit(stage.stage) for line in lines])
    total = len(counties.keys)
    # A school without pupils goes with its amounts; one whose pupils are not known is in no mean either.
    spread = compulsory_education_cv(counties.amounts, counties.pupils, scales, counties.place, total)
    statuses = []
    for number, line in enumerate(lines):
        one = counties.amounts[[number]]
        at_line = balance_of(
            one, counties.pupils, least[number], limits[number], scales[number], counties.place, total
        ).schools_meeting
        rows = _row(counties, ~np.isnan(one[0])).assign(resource_code=line.resource_code)
        status = _status(rows, spread.mean[:, number])
        is_ok = status == "ok"
        cv = np.where(is_ok, spread.cv[:, number], np.nan)
        statuses.append(status)
        yield rows.assign(
            mean=np.where(is_ok, spread.mean[:, number], np.nan),
            line=least[number],
            schools_meeting=at_line,
            cv=cv,
            cv_limit=limits[number],
            passes_cv=_claims(cv <= limits[number] + _AT_LIMIT, is_ok),
            passes=pd.Series(pd.NA, index=rows.index, dtype="boolean"),
            status=status,
        )
    yield _verdicts(counties, np.array(statuses), spread.cv, least, limits, scales)


def _row(counties: _Counties, has_figure: BoolArray) -> pd.DataFrame:
    """Keys, counts and coverage by county, of the schools that have a figure."""
    is_open, is_unknown = counties.pupils > 0, np.isnan(counties.pupils)
    is_used = is_open & has_figure
    used, missing = counties.count(is_used), counties.count(is_unknown | (is_open & ~has_figure))
    people, everyone = counties.people(is_used), counties.people(is_open)
    with np.errstate(invalid="ignore"):
        by_schools, by_pupils = used / (used + missing), people / everyone
    return counties.keys.assign(
        schools=used,
        schools_missing=missing,
        schools_estimated=counties.count(is_used & counties.is_estimated),
        pupils=people,
        coverage=np.nan_to_num(np.fmin(by_schools, by_pupils)),
    )


def _status(rows: pd.DataFrame, mean: FloatArray) -> np.ndarray:
    """Why a row says nothing, or ok."""
    none_there = (rows["schools"] + rows["schools_missing"]).to_numpy() == 0
    return np.select(
        [none_there, rows["coverage"].to_numpy() < MINIMUM_COVERAGE, ~(mean > 0)],
        ["too_few_units", "insufficient_coverage", "undefined_zero_mean"],
        "ok",
    )


def _verdicts(
    counties: _Counties,
    statuses: np.ndarray,
    spread: FloatArray,
    least: FloatArray,
    limits: FloatArray,
    scales: FloatArray,
) -> pd.DataFrame:
    """The verdict on each county; ``statuses`` and ``spread`` are those of the seven resources."""
    balance = balance_of(
        counties.amounts, counties.pupils, least, limits, scales, counties.place, len(counties.keys)
    )  # fmt: skip
    rows = _row(counties, np.asarray(~np.isnan(counties.amounts).any(axis=0)))
    has_unknown = counties.count(np.isnan(counties.pupils)) > 0
    # A school of which nobody knows its pupils may fail: the county passes only where there is none.
    is_told = ~np.isnan(balance.passes) & ~(has_unknown & (balance.passes == 1))
    weakest = [(statuses == each).any(axis=0) for each in ("too_few_units", "insufficient_coverage")]
    has_no_mean = (statuses == "undefined_zero_mean").any(axis=0)
    status = np.select(
        [*weakest, is_told, has_no_mean],
        ["too_few_units", "insufficient_coverage", "ok", "undefined_zero_mean"],
        "insufficient_coverage",
    )
    is_ok = status == "ok"
    is_over = np.asarray((spread > limits + _AT_LIMIT).any(axis=1))
    return rows.assign(
        resource_code=ALL,
        mean=np.nan,
        line=np.nan,
        schools_meeting=balance.schools_meeting,
        cv=np.where(is_ok, balance.largest_cv, np.nan),
        cv_limit=limits[0] if (limits == limits[0]).all() else np.nan,
        passes_cv=_claims(~is_over, is_ok & (is_over | ~np.isnan(spread).any(axis=1))),
        passes=_claims(balance.passes == 1, is_ok),
        status=status,
    )


def _claims(holds: BoolArray, is_told: BoolArray) -> pd.Series[bool]:
    """Whether something holds, null where nobody can tell."""
    return pd.Series(holds, dtype="boolean").where(pd.Series(is_told), pd.NA)


def _empty() -> pd.DataFrame:
    texts, claims = ("resource_code", "grade", "status"), ("passes_cv", "passes")
    numbers = ("pupils", "coverage", "mean", "line", "cv", "cv_limit")
    kinds = dict.fromkeys(texts, "str") | dict.fromkeys(claims, "boolean") | dict.fromkeys(numbers, "float64")
    return pd.DataFrame({name: pd.Series(dtype=kinds.get(name, "int64")) for name in COUNTY_BALANCE_COLUMNS})
