"""The one way from the bytes of returns to observations.

Here: :func:`read_returns`, which carries each return through carrier, layout and cells, and the whole batch through
conforming. Not here: fetching or archiving bytes (resources), loading (warehouse), plausibility (expectations).

A return that cannot be used is *data*: a row of ``quarantined`` and a problem in ``verdicts``. Bytes that the archive
cannot give are a *fault*: the exception of ``fetch_bytes`` passes through.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from returns.carriers import read_grid
from returns.cells import ReturnCells, read_cells
from returns.conform.batch import LabelledCells, conform_cells
from returns.conform.regions import RegionResolver
from returns.conform.texts import shorten
from returns.errors import CarrierError, ConservationError
from returns.layouts import Layout, load_layouts
from returns.layouts.matching import Expected, Matcher, Mismatch
from returns.reasons import MEANINGS, ReturnReason
from returns.rosters import load_roster
from returns.rosters.conforming import LabelledRoster, conform_rosters
from returns.rosters.reading import read_roster
from warehouse.catalogue import Catalogue
from warehouse.schools import empty_roster

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A return that arrived, as its receipt describes it."""

    arrival_id: int
    platform: str
    """``510000/health``."""
    sector: str
    form: str
    region_code: str
    """The platform's province. Form, region and period may be ``""``: then the return itself must say."""
    period_code: str
    """The period of the return itself: ``2026-03``, ``2026-Q2``, ``2025``, ``SY2025``."""
    sha256: str
    file_name: str
    media_type: str
    layouts: tuple[str, ...] = ()
    """Names of the layouts that the platform's register allows; none: all."""
    encoding: str | None = None
    """Of a text that does not tell, as the platform's register says."""


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What a batch of returns says. Per arrival: cells = observations + cells of rosters + quarantined + duplicates.

    ``observations``
        one row a cell that may be loaded: ``arrival_id`` (int64); ``indicator_code, region_code, period_code,
        area_type, obs_status`` (categories); ``value`` (float64 in the catalogue's unit, NaN is blank); ``last_digit``
        (one unit of the last printed digit, in the same unit); ``address``; ``raw_text``.
    ``quarantined``
        ``arrival_id, address, raw_text, reason, explanation, explanation_zh``; a return that is quarantined whole is
        one row with address ``""``.
    ``verdicts``
        one row an arrival, in the order given: ``arrival_id, cells, duplicates, problem, explanation, layout``; ``problem`` is
        null, or the reason for which the return as a whole is quarantined (then ``cells`` is 1).
    ``roster``
        one row a cell of a roster of schools that may be loaded: :data:`warehouse.schools.ROSTER_COLUMNS`.
    """

    observations: pd.DataFrame
    quarantined: pd.DataFrame
    verdicts: pd.DataFrame
    roster: pd.DataFrame = field(default_factory=empty_roster)


@dataclass(frozen=True, slots=True)
class _Problem:
    reason: ReturnReason
    explanation: str


def read_returns(
    arrivals: Sequence[Arrival],
    fetch_bytes: Callable[[str], bytes],
    catalogue: Catalogue,
    layouts: Sequence[Layout] | None = None,
) -> ReadResult:
    """Read and conform a batch of returns.

    ``fetch_bytes`` gives the bytes of a SHA-256; ``layouts`` are those of :mod:`returns.layouts` unless given.
    """
    matcher = Matcher(load_layouts() if layouts is None else layouts, catalogue)
    outcomes = [(arrival, _read_one(arrival, fetch_bytes(arrival.sha256), matcher, catalogue)) for arrival in arrivals]
    labelled = [
        LabelledCells(arrival.arrival_id, _label(arrival), outcome.region_code, outcome)
        for arrival, outcome in outcomes
        if isinstance(outcome, ReturnCells)
    ]
    resolver = RegionResolver(catalogue)
    conformed = conform_cells(labelled, resolver)
    schools = conform_rosters(_rosters(outcomes), resolver, catalogue)
    problems = [(arrival, outcome) for arrival, outcome in outcomes if isinstance(outcome, _Problem)]
    aside = [conformed.quarantined, _quarantine_whole(problems), schools.quarantined]
    quarantined = pd.concat(aside, ignore_index=True)
    verdicts = _verdicts(outcomes, Counter(conformed.duplicates) + Counter(schools.duplicates))
    _assert_conserved(verdicts, conformed.observations, quarantined, schools.roster)
    return ReadResult(conformed.observations, quarantined, verdicts, schools.roster)


def _read_one(arrival: Arrival, content: bytes, matcher: Matcher, catalogue: Catalogue) -> ReturnCells | _Problem:
    """The cells of one return, or why it is quarantined whole."""
    outcome = _read_content(arrival, content, matcher, catalogue)
    if isinstance(outcome, _Problem):
        log.warning("%s: %s: %s", _label(arrival), outcome.reason, outcome.explanation)
    elif log.isEnabledFor(logging.INFO):
        log.info("%s: %d cells", _label(arrival), outcome.count)
    return outcome


def _read_content(arrival: Arrival, content: bytes, matcher: Matcher, catalogue: Catalogue) -> ReturnCells | _Problem:
    grid = read_grid(content, file_name=arrival.file_name, encoding=arrival.encoding)
    if isinstance(grid, CarrierError):
        return _Problem(grid.reason, grid.explanation)
    expected = Expected(arrival.form, arrival.region_code, arrival.period_code, arrival.file_name)
    match = matcher.match(grid, expected, arrival.layouts)
    if isinstance(match, Mismatch):
        return _Problem(match.reason, shorten(match.explanation, 1000))
    cells = read_cells(match, matcher.measures)
    if isinstance(cells, Mismatch):
        return _Problem(cells.reason, shorten(cells.explanation))
    if not match.rosters:
        return cells
    roster = read_roster(match.rosters, load_roster(match.layout.roster), match.stated, catalogue)
    return replace(cells, roster=roster)


def _rosters(outcomes: Sequence[tuple[Arrival, ReturnCells | _Problem]]) -> list[LabelledRoster]:
    """The rosters of the returns that have one."""
    return [
        LabelledRoster(arrival.arrival_id, _label(arrival), outcome.region_code, outcome.roster)
        for arrival, outcome in outcomes
        if isinstance(outcome, ReturnCells) and outcome.roster is not None
    ]


def _label(arrival: Arrival) -> str:
    """How explanations name a return."""
    told = " ".join(text for text in (arrival.platform, arrival.form, arrival.period_code) if text)
    return f"{told} ({arrival.file_name})"


def _quarantine_whole(problems: Sequence[tuple[Arrival, _Problem]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "arrival_id": np.array([arrival.arrival_id for arrival, _ in problems], np.int64),
            "address": pd.Series([""] * len(problems), dtype="str"),
            "raw_text": pd.Series([""] * len(problems), dtype="str"),
            "reason": pd.Series([problem.reason for _, problem in problems], dtype="str"),
            "explanation": pd.Series(
                [f"{_label(arrival)}: {problem.explanation}." for arrival, problem in problems], dtype="str"
            ),
            "explanation_zh": pd.Series(
                [
                    f"{_label(arrival)}：整份报表不能使用，{MEANINGS[problem.reason].zh}。"
                    for arrival, problem in problems
                ],
                dtype="str",
            ),
        }
    )


def _verdicts(
    outcomes: Sequence[tuple[Arrival, ReturnCells | _Problem]], duplicates: Mapping[int, int]
) -> pd.DataFrame:
    arrivals = [arrival for arrival, _ in outcomes]
    problems = [outcome if isinstance(outcome, _Problem) else None for _, outcome in outcomes]
    return pd.DataFrame(
        {
            "arrival_id": np.array([arrival.arrival_id for arrival in arrivals], np.int64),
            # The return itself counts as one cell where none of its own could be read.
            "cells": np.array([outcome.count if isinstance(outcome, ReturnCells) else 1 for _, outcome in outcomes]),
            "duplicates": np.array([duplicates.get(arrival.arrival_id, 0) for arrival in arrivals], np.int64),
            "problem": pd.Series([problem.reason if problem else None for problem in problems], dtype="str"),
            "explanation": pd.Series([problem.explanation if problem else None for problem in problems], dtype="str"),
            "layout": pd.Series(
                [outcome.layout if isinstance(outcome, ReturnCells) else None for _, outcome in outcomes], dtype="str"
            ),
        }
    )


def _assert_conserved(
    verdicts: pd.DataFrame, observations: pd.DataFrame, quarantined: pd.DataFrame, roster: pd.DataFrame
) -> None:
    """Invariant 1: nothing lost."""
    counts = verdicts.set_index("arrival_id")
    seen = observations["arrival_id"].value_counts().reindex(counts.index, fill_value=0)
    seen += roster["arrival_id"].value_counts().reindex(counts.index, fill_value=0)
    seen += quarantined["arrival_id"].value_counts().reindex(counts.index, fill_value=0)
    lost = counts["cells"] - seen - counts["duplicates"]
    if (lost != 0).any():
        worst = lost[lost != 0]
        raise ConservationError(int(worst.index.to_numpy()[0]), int(worst.to_numpy()[0]), len(worst))
