"""Balance of compulsory education between the schools of a county. Not here: the lines and limits in force (catalogue).

The seven indicators: per 100 pupils teachers above the required degree, key teachers of county level or higher, teachers
of PE and arts; per pupil teaching floor area, sports area, value of equipment; per 100 pupils networked multimedia rooms.
Primary and junior secondary are separate runs; nine-year schools are split before.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from warehouse.measures.disparity import between_group_sd
from warehouse.measures.sample import FloatArray, IntArray, Sample
from warehouse.measures.spread import cv, mean

#: Largest CV of each indicator (教督〔2017〕6号).
CV_LIMITS = {"primary": 0.50, "junior_secondary": 0.45}
#: A school meets this many of its lines, and each other one to this share.
LINES_MET = 6
OTHER_LINE_SHARE = 0.85
_AT_LINE = 1e-9


class SchoolSpread(NamedTuple):
    """[counties × indicators]: mean a pupil, SD and CV between schools; by county their plain mean, ``composite``."""

    mean: FloatArray
    sd: FloatArray
    cv: FloatArray
    composite: FloatArray


class CountyBalance(NamedTuple):
    """By county: schools counted, schools that meet the lines, largest CV, and whether it passes (1, 0, NaN: not told)."""

    schools: IntArray
    schools_meeting: IntArray
    largest_cv: FloatArray
    passes: FloatArray


def compulsory_education_cv(
    amounts: npt.ArrayLike,
    pupils: npt.ArrayLike,
    scales: npt.ArrayLike = 1.0,
    counties: npt.ArrayLike | None = None,
    count: int | None = None,
) -> SchoolSpread:
    """CV between schools, weighted by pupils: X_i = scale · x_i/P_i, X̄ = scale · Σx/ΣP, S² = ΣP(X − X̄)²/ΣP, CV = S/X̄.

    ``amounts`` is [indicators × schools] of totals, ``scales`` 1 or 100 (a pupil or 100 pupils) by indicator,
    ``counties`` ascends like the slices of a :class:`Sample` (None: one county). CV has no unit. A school without
    pupils goes with its amounts; one that misses an indicator goes for that one alone; an indicator 0 everywhere → CV
    NaN. ``composite``, the plain mean of the CVs, is for monitoring (the limit is on each); NaN where any is.
    Source: Ministry of Education, 教督〔2017〕6号 (2012: 教督〔2012〕3号), read through secondary pages.

    >>> spread = compulsory_education_cv([[279, 137, 935, 160, 402]], [45, 37, 89, 76, 55])
    >>> round(float(spread.mean[0, 0]), 2), round(float(spread.cv[0, 0]), 2)
    (6.33, 0.52)
    """
    x, people = np.atleast_2d(np.asarray(amounts, dtype=np.float64)), np.asarray(pupils, dtype=np.float64)
    indicators, schools = x.shape
    place = np.zeros(schools, dtype=np.int64) if counties is None else np.asarray(counties, dtype=np.int64)
    total = count if count is not None else (int(place[-1]) + 1 if schools else 1)
    scale = np.broadcast_to(np.asarray(scales, dtype=np.float64), (indicators,))
    with np.errstate(invalid="ignore"):
        per_pupil = scale[:, None] * x / np.where(people > 0, people, np.nan)
    slices = (np.arange(indicators)[:, None] * total + place).ravel()
    weights = np.tile(people, indicators)
    sample = Sample.of(per_pupil.ravel(), weights, slices, count=indicators * total)
    level, sd, spread = (
        made.reshape(indicators, total).T for made in (mean(sample), between_group_sd(sample), cv(sample))
    )
    return SchoolSpread(level, sd, spread, spread.mean(axis=1))


def county_balance(
    amounts: npt.ArrayLike,
    pupils: npt.ArrayLike,
    lines: npt.ArrayLike,
    cv_limits: npt.ArrayLike,
    scales: npt.ArrayLike = 1.0,
    counties: npt.ArrayLike | None = None,
    count: int | None = None,
) -> CountyBalance:
    """Whether a county's schools are balanced: each CV within its limit, and every school at its lines.

    A school is at its lines where at least 6 of the 7 indicators a pupil are at or above their line and each other
    one is at 85 % of it or more. ``lines`` and ``cv_limits`` (:data:`CV_LIMITS`) are by indicator or one for all,
    other arguments as :func:`compulsory_education_cv`. A school without pupils is left out; one that misses an
    indicator cannot be told to meet its lines, so the county is NaN unless it fails anyway; a CV that is NaN
    likewise. No school → NaN.
    Source: 教督〔2017〕6号, read through secondary pages.

    >>> balance = county_balance([[10.0, 30.0], [5.0, 15.0]], [100, 300], lines=0.05, cv_limits=0.5)
    >>> int(balance.schools_meeting[0]), float(balance.passes[0])
    (2, 1.0)
    """
    x, people = np.atleast_2d(np.asarray(amounts, dtype=np.float64)), np.asarray(pupils, dtype=np.float64)
    indicators, schools = x.shape
    place = np.zeros(schools, dtype=np.int64) if counties is None else np.asarray(counties, dtype=np.int64)
    total = count if count is not None else (int(place[-1]) + 1 if schools else 1)
    spread = compulsory_education_cv(x, people, scales, place, total).cv
    scale, line, limit = (
        np.broadcast_to(np.asarray(part, dtype=np.float64), (indicators,)) for part in (scales, lines, cv_limits)
    )
    is_counted = people > 0
    with np.errstate(invalid="ignore"):
        share = scale[:, None] * x / np.where(is_counted, people, np.nan) / line[:, None]
        is_met, is_near = share >= 1 - _AT_LINE, share >= OTHER_LINE_SHARE - _AT_LINE
        is_over = spread > limit + _AT_LINE
    unknown = np.isnan(share)
    allowed = max(indicators - LINES_MET, 0) if indicators > LINES_MET else 0
    # The most a school could still meet, were each missing indicator at its line.
    could = ((is_met | unknown).sum(axis=0) >= indicators - allowed) & (is_near | unknown).all(axis=0)
    meets = could & (is_met.sum(axis=0) >= indicators - allowed) & is_near.all(axis=0)
    number, meeting, hopeless = (
        np.bincount(place[chosen], minlength=total) for chosen in (is_counted, is_counted & meets, is_counted & ~could)
    )
    fails = (hopeless > 0) | is_over.any(axis=1)
    is_told = (number > 0) & (fails | ((meeting == number) & ~np.isnan(spread).any(axis=1)))
    return CountyBalance(
        number,
        meeting,
        np.fmax.reduce(spread, axis=1),
        np.where(is_told, np.where(fails, 0.0, 1.0), np.nan),
    )
