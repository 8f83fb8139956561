"""What the sandbox knows: what it served, what is wrong with it, and what a right reader would hold of it.

What is here: the record of deliveries, verdicts by return, the figures expected of a return. What is not here: HTTP
(`server`); the truth of one figure without faults (`tables.TableMaker.truth`).
"""

import collections
import dataclasses
import datetime as dt
import hashlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sandbox import rosters
from sandbox.drafts import Draft, factor_of, split_mark
from sandbox.faults import KINDS, ActiveFaults
from sandbox.kinds import OUTCOMES
from sandbox.making import draft_return
from sandbox.periods import ReturnPeriod
from sandbox.platforms import Available, Platform, Platforms
from sandbox.reference import Form

KEPT_DELIVERIES = 200_000
SIGNIFICANT_DIGITS = 12
"""A figure in the catalogue's unit is the nearest double of what was printed: float noise ends here."""
WITHOUT_FIGURES = ("not_collected", "quarantined_whole")

Key = tuple[str, str, str, str]
"""(indicator, region, period, area type)."""


@dataclasses.dataclass(frozen=True)
class Served:
    """One delivery that went out whole."""

    number: int
    platform: str
    return_id: str
    sha256: str
    bytes: int
    faults: tuple[str, ...]
    at: str
    """The moment, by the machine's clock (UTC)."""


class Deliveries:
    """What was served since the start, the newest `KEPT_DELIVERIES` of it."""

    def __init__(self) -> None:
        self._rows: collections.deque[Served] = collections.deque(maxlen=KEPT_DELIVERIES)
        self._numbers = itertools.count(1)

    def add(self, platform: str, return_id: str, parts: Sequence[bytes], active: ActiveFaults) -> None:
        """Remember a delivery; pages count as one, joined by line ends."""
        content = parts[0] if len(parts) == 1 else b"\n".join(parts)
        self._rows.append(
            Served(
                next(self._numbers), platform, return_id, hashlib.sha256(content).hexdigest(), len(content),
                tuple(sorted(active.names)), dt.datetime.now(dt.UTC).isoformat(),
            )
        )  # fmt: skip

    def since(self, number: int = 0) -> Iterator[dict[str, Any]]:
        """Deliveries after the one of that number, oldest first."""
        return (dataclasses.asdict(row) for row in self._rows if row.number > number)


@dataclasses.dataclass(frozen=True)
class Expectation:
    """What is left of one return: its figures, the keys of those that nobody may believe, and its schools."""

    figures: tuple[dict[str, Any], ...]
    quarantined: tuple[dict[str, Any], ...]
    schools: tuple[dict[str, Any], ...] = ()


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What is wrong with one return, and what a right reader makes of it."""

    faults: tuple[str, ...]
    family: str
    """Of the fault that decides."""
    outcome: str
    """The gravest of the faults' outcomes."""
    allowed: tuple[str, ...]
    """What may come of it as well, where offices differ."""
    reasons: tuple[str, ...]
    """Words of which one names what decides; empty where there is nothing to name."""
    overcome: tuple[tuple[str, tuple[str, ...]], ...]
    """Faults of the way that a right client gets over, each with the words of which one names it."""


class Truth:
    """Answers about the platforms as they are at fault now."""

    def __init__(self, platforms: Platforms) -> None:
        self.platforms = platforms

    def draft(self, platform: Platform, form: Form, period: ReturnPeriod, active: ActiveFaults) -> Draft:
        """The return as it is printed now."""
        return draft_return(self.platforms.maker, form, platform.province, period, active)

    def effective(self, platform: Platform, form: Form, period: ReturnPeriod, active: ActiveFaults) -> frozenset[str]:
        """The faults of a return that change anything in it."""
        names = {name for name in active.names if KINDS[name].applies(platform.carrier, platform.sector)}
        if self.platforms.is_published(form, period):
            names.discard("early")
        elif "early" not in names:
            return frozenset()  # nobody can have it yet, so nothing can be wrong with it
        inner = [name for name in names if KINDS[name].family in ("structure", "figures")]
        if inner:
            plain = self.draft(platform, form, period, ActiveFaults(frozenset()))
            for name in inner:
                if self.draft(platform, form, period, ActiveFaults(frozenset([name]))) == plain:
                    names.discard(name)
        return frozenset(names)

    def verdict(self, platform: Platform, form: Form, period: ReturnPeriod) -> Verdict | None:
        """The verdict on one return; None where nothing is wrong with it."""
        active = self.platforms.faults.active(platform.code, f"{form.code}-{period.code}")
        names = self.effective(platform, form, period, active) if active.names else frozenset[str]()
        if not names:
            return None
        kinds = [kind for name, kind in KINDS.items() if name in names]
        outcome = min((kind.outcomes[0] for kind in kinds), key=OUTCOMES.index)
        deciding = [kind for kind in kinds if kind.outcomes[0] == outcome]
        return Verdict(
            faults=tuple(kind.name for kind in kinds),
            family=deciding[0].family,
            outcome=outcome,
            allowed=tuple(dict.fromkeys(other for kind in deciding for other in kind.outcomes if other != outcome)),
            reasons=tuple(dict.fromkeys(reason for kind in deciding for reason in kind.reasons)),
            overcome=tuple((kind.name, kind.reasons) for kind in kinds if kind.outcomes[0] == "overcome"),
        )

    def verdicts(self) -> Iterator[dict[str, Any]]:
        """One row a platform and return that is under any fault."""
        for platform in self.platforms.by_code.values():
            if not self.platforms.faults.holds_for(platform.code):
                continue
            for form in self.platforms.forms_of(platform):
                for period in self.platforms.periods_of(form):
                    verdict = self.verdict(platform, form, period)
                    if verdict is not None:
                        yield self._row(platform, form, period, verdict)

    def _row(self, platform: Platform, form: Form, period: ReturnPeriod, verdict: Verdict) -> dict[str, Any]:
        expected = self.expected(platform, form, period) if verdict.outcome == "cells_quarantined" else None
        return {
            "platform": platform.code, "return_id": f"{form.code}-{period.code}", "form": form.code,
            "period_code": period.code, "family": verdict.family, "faults": verdict.faults,
            "outcome": verdict.outcome, "allowed": verdict.allowed, "reasons": verdict.reasons,
            "overcome": [{"fault": name, "kinds": kinds} for name, kinds in verdict.overcome],
            "quarantined": list(expected.quarantined) if expected else [],
        }  # fmt: skip

    def expected(self, platform: Platform, form: Form, period: ReturnPeriod) -> Expectation:
        """What a right reader holds of a return as it is served now: nothing where it is not to be had or believed."""
        active = self.platforms.faults.active(platform.code, f"{form.code}-{period.code}")
        verdict = self.verdict(platform, form, period)
        is_there = self.platforms.is_published(form, period) or "early" in active.names
        if not is_there or (verdict is not None and verdict.outcome in WITHOUT_FIGURES):
            return Expectation((), ())
        draft = self.draft(platform, form, period, active)
        return read_rightly(draft, period, self.platforms)


def read_rightly(draft: Draft, period: ReturnPeriod, platforms: Platforms) -> Expectation:
    """The figures that a draft says, each once, in the catalogue's unit; and the keys that may not be believed."""
    held: dict[Key, dict[str, Any]] = {}
    refused: dict[Key, None] = {}
    factors = [
        factor_of(platforms.maker.reference, column, series)
        for column, series in zip(draft.table.columns, draft.series, strict=True)
    ]
    for row, place in draft.places:
        series, factor, says = draft.series[place], factors[place], draft.says[row][place]
        code = period.cumulative_code if series.indicator.is_cumulative else period.code
        key = (series.indicator.code, draft.table.region_codes[row], code, series.area_type)
        if says is None or factor is None:
            refused[key] = None
            continue
        number, mark = split_mark(says)
        value = round_noise(float(number) * factor) if number else None
        held[key] = {"value": value, "obs_status": "M" if value is None else "E" if mark else "A"}
    return Expectation(
        tuple(_named(key) | figure for key, figure in held.items() if key not in refused),
        tuple(_named(key) for key in refused),
        rosters.read_rightly(draft.table.roster, period.code) if draft.table.roster else (),
    )


def _named(key: Key) -> dict[str, Any]:
    return dict(zip(("indicator_code", "region_code", "period_code", "area_type"), key, strict=True))


def round_noise(value: float) -> float:
    """The nearest double of a printed figure."""
    return float(np.format_float_positional(value, SIGNIFICANT_DIGITS, fractional=False)) + 0.0


def identify(platforms: Platforms, platform_code: str, return_id: str) -> tuple[Platform, Form, ReturnPeriod]:
    """The platform and the return of these names; raises `LookupError` that says which there are."""
    platform = platforms.by_code.get(platform_code)
    if platform is None:
        some = ", ".join(list(platforms.by_code)[:3])
        raise LookupError(f"no platform {platform_code}; there are {len(platforms.by_code)} such as {some}")
    found = platforms.identify(platform, return_id)
    if found is None:
        listed = [f"{form.code}-{period.code}" for form in platforms.forms_of(platform)
                  for period in platforms.periods_of(form)]  # fmt: skip
        raise LookupError(f"{platform_code} has no return {return_id}; it has: {', '.join(listed)}")
    return (platform, *found)


def of(available: Available) -> str:
    """The id by which faults know a listed return, whatever the listing calls it."""
    return f"{available.form.code}-{available.period.code}"
