"""Regions through time: what became of a code, by the dated changes of the catalogue, on any day and today.

Here: the succession of codes, and which codes of a map must be read together to be read on another. Not here: figures
(:mod:`warehouse.marts.observation_harmonised`); names of rows (``returns/conform/regions.py``).

A change takes effect on its day: from then on the map has the new code. A code that goes on after some of it went elsewhere
keeps the rest. Shares are multiplied along the way; an unknown one makes the product unknown. What the list of codes ends
without a dated change leads nowhere: it is *unmapped*, and never guessed.
"""

from __future__ import annotations

import datetime
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from warehouse.catalogue import Catalogue, Region, RegionChange
from warehouse.measures.sample import FloatArray

_ONE_DAY = datetime.timedelta(days=1)

UNMAPPED = "unmapped"
LEFT_UNSPLIT = "left_unsplit"
LEFT_CONFLICT = "left_conflict"
LEFT_OTHER_PROVINCE = "left_other_province"


@dataclass(frozen=True)
class Part:
    """A code that a region, or a part of it, became."""

    code: str
    share: float | None
    """How much of the region it took: 1 all of it, None unknown."""
    kinds: tuple[str, ...] = ()
    """Kinds of the changes on the way, oldest first."""


@dataclass(frozen=True, eq=False)
class Bundle:
    """Codes of one map that can only be read together on today's: members that were merged, or parts of one."""

    members: tuple[str, ...]
    targets: tuple[str, ...]
    shares: FloatArray
    """[targets × members]: how much of a member a target took."""
    obstacles: Mapping[str, str]
    """Members that cannot be moved, with the map status that says why; then no member of the bundle is moved."""

    @property
    def is_identity(self) -> bool:
        """Whether it is one code that is today's and has its extent."""
        return not self.obstacles and self.members == self.targets and len(self.members) == 1

    @property
    def is_one_to_one(self) -> bool:
        """Whether it is one region, under the same or another code."""
        return not self.obstacles and self.shares.shape == (1, 1)

    @property
    def is_split(self) -> bool:
        """Whether a part of a region goes somewhere."""
        return bool(((self.shares > 0) & (self.shares < 1)).any())


class Succession:
    """What became of codes. Made once a catalogue; without state but its caches."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._regions: dict[str, Region] = {row.region_code: row for row in catalogue.region_rows}
        steps: dict[str, dict[datetime.date, list[RegionChange]]] = defaultdict(lambda: defaultdict(list))
        for change in catalogue.region_changes:
            if change.from_code != change.to_code:  # another name of the same code changes no map
                steps[change.from_code][change.effective_date].append(change)
        self._steps = {code: dict(sorted(days.items())) for code, days in steps.items()}

    def follow(self, code: str, day: datetime.date, until: datetime.date = datetime.date.max) -> tuple[Part, ...]:
        """The codes that the region of ``code``, as it was on ``day``, has on the map of ``until`` (last: today's list).

        Sorted by code. Empty where the list ends a code on the way and no dated change says what came after it.
        """
        found: dict[str, Part] = {}
        for part in self._follow(code, day, until):
            if part is None:
                return ()
            other = found.get(part.code)
            if other is not None:  # two ways to one place: part of it left and came back
                known = part.share is not None and other.share is not None
                part = Part(part.code, part.share + other.share if known else None, other.kinds + part.kinds)  # type: ignore[operator]
            found[part.code] = part
        return tuple(found[each] for each in sorted(found))

    def _follow(self, code: str, day: datetime.date, until: datetime.date) -> Iterable[Part | None]:
        for on, changes in self._steps.get(code, {}).items():
            if day < on <= until:
                for step in self._split(code, on, changes):
                    for part in self._follow(step.code, on, until):
                        share = None if part is None or None in (step.share, part.share) else step.share * part.share  # type: ignore[operator]
                        yield part and Part(part.code, share, step.kinds + part.kinds)
                return
        ended = self.ended(code)
        yield Part(code, 1.0) if ended is None or ended > until else None

    def _split(self, code: str, on: datetime.date, changes: list[RegionChange]) -> list[Part]:
        """What a code is divided into on a day; the rest stays where the code goes on."""
        goes_on = self.is_valid(code, on)
        if len(changes) == 1 and not goes_on and changes[0].share is None:
            return [Part(changes[0].to_code, 1.0, (changes[0].kind,))]
        parts = [Part(change.to_code, change.share, (change.kind,)) for change in changes]
        if goes_on:
            shares = [part.share for part in parts]
            rest = None if None in shares else 1.0 - math.fsum(share for share in shares if share is not None)
            parts.append(Part(code, rest, (changes[0].kind,)))
        return parts

    def ended(self, code: str) -> datetime.date | None:
        """First day on which a code is no longer valid."""
        return self._regions[code].valid_to

    def began(self, code: str) -> datetime.date:
        """First day of a code, as far as the list reaches."""
        return self._regions[code].valid_from or datetime.date.min

    def is_valid(self, code: str, day: datetime.date) -> bool:
        """Whether a code stands on the map of a day."""
        ended = self.ended(code)
        return self.began(code) <= day and (ended is None or day < ended)

    @cached_property
    def stays(self) -> dict[str, str]:
        """Codes whose figures always stay where they were reported, with the map status that says why."""
        grouped = {code for group in self.groups for code in group}
        crossing = {
            change.from_code for days in self._steps.values() for each in days.values() for change in each
        } - grouped
        unmapped = {code for code in self._regions if self.ended(code) is not None} - grouped - crossing
        return dict.fromkeys(unmapped, UNMAPPED) | dict.fromkeys(crossing, LEFT_OTHER_PROVINCE)

    @cached_property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Codes that changes inside a province join, each group sorted: outside of them nothing ever moves."""
        links = [
            (change.from_code, change.to_code)
            for days in self._steps.values()
            for changes in days.values()
            for change in changes
            if change.from_code[:2] == change.to_code[:2]
        ]
        return tuple(_connect(links))

    def boundaries(self, group: Collection[str]) -> list[datetime.date]:
        """The days on which the map of a group's codes changes, ascending."""
        days = {day for code in group for day in (*self._steps.get(code, {}), self.ended(code), self.began(code))}
        return sorted(day for day in days if day is not None)

    def bundle(self, group: Collection[str], day: datetime.date, present: Collection[str]) -> list[Bundle]:
        """The group's codes on the map that a return of ``day`` is on, in bundles; ``present`` are the codes it uses.

        A return that uses a code after its end is on the map of that code's last day; one whose codes all came later is
        restated, on the map of the first of them. A code that came later beside one that it succeeds is a conflict:
        either may be the whole, and none is moved.
        """
        ends = [ended for code in present if (ended := self.ended(code)) is not None and ended <= day]
        day = min([day, *(ended - _ONE_DAY for ended in ends)])
        if all(self.began(code) > day for code in present):
            day = max(day, min(map(self.began, present), default=day))
        restated = {code for code in present if self.began(code) > day}
        parts = {
            code: self.follow(code, max(day, self.began(code)))
            for code in sorted({*present, *(code for code in group if self.is_valid(code, day))})
        }
        covered = {part.code for code in restated for part in parts[code]}
        for code in list(parts):
            if code not in restated and covered & {part.code for part in parts[code]}:
                if code not in present:
                    del parts[code]  # the return has what came after it
                    continue
                parts[code] = (Part("", None),)
        return _bundles(parts)


def _bundles(parts: Mapping[str, tuple[Part, ...]]) -> list[Bundle]:
    """Members joined by their targets; a member that goes nowhere, or to another province, is alone."""
    obstacles: dict[str, str] = {}
    links: list[tuple[str, str]] = []
    for member, found in parts.items():
        if not found:
            obstacles[member] = UNMAPPED
        elif found[0].code == "":
            obstacles[member] = LEFT_CONFLICT
        elif any(part.code[:2] != member[:2] for part in found):
            obstacles[member] = LEFT_OTHER_PROVINCE
        else:
            links += [(f"-{member}", part.code) for part in found]
            if any(part.share is None for part in found):
                obstacles[member] = LEFT_UNSPLIT
    alone = [code for code in obstacles if obstacles[code] != LEFT_UNSPLIT]
    made = [Bundle((code,), (), np.empty((0, 1)), {code: obstacles[code]}) for code in alone]
    for joined in _connect(links):
        members = tuple(code[1:] for code in joined if code.startswith("-"))
        targets = tuple(code for code in joined if not code.startswith("-"))
        shares = np.zeros((len(targets), len(members)))
        for column, member in enumerate(members):
            for part in parts[member]:
                shares[targets.index(part.code), column] = np.nan if part.share is None else part.share
        made.append(Bundle(members, targets, shares, {code: obstacles[code] for code in members if code in obstacles}))
    return made


def _connect(links: Iterable[tuple[str, str]]) -> list[tuple[str, ...]]:
    """Connected components, each sorted, in the order of their first codes."""
    of: dict[str, set[str]] = {}
    for first, second in links:
        joined = of.get(first, {first}) | of.get(second, {second})
        of.update(dict.fromkeys(joined, joined))
    return sorted({tuple(sorted(joined)) for joined in of.values()})


_made: list[tuple[Catalogue, Succession]] = []


def succession_of(catalogue: Catalogue) -> Succession:
    """The succession of a catalogue, made once."""
    for known, made in _made:
        if known is catalogue:
            return made
    _made[:] = [(catalogue, Succession(catalogue))]
    return _made[0][1]
