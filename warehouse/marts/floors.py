"""Which standard holds for which figure: by slice and region, one of each kind (floor, target, reference).

Here: from the steps of the catalogue to the one that counts, as a table [slices × regions]. Not here: what a figure makes
of it (attainment, shortfall, cost, risk).

In force is judged on the period's last day, for a school year on its 1 September. A national standard for a region group
is for the places of that group alone (the nation has none) and stands there before a general one. Of the national
standard and those of the place itself and of the places above it, the strictest counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from warehouse.catalogue import Catalogue, Standard
from warehouse.catalogue.standards import precedence, sign_of
from warehouse.measures.sample import BoolArray, FloatArray, IntArray
from warehouse.panels import AREA_KEYS, NATION
from warehouse.periods import period_from_key

KINDS = ("floor", "target", "reference")

PlaceArray = npt.NDArray[np.int32]

_NONE = -1
_FOREVER = 9_999_999


@dataclass(frozen=True, eq=False)
class Held:
    """The standards of one kind that hold; ``place`` is [slices × regions]: where in the catalogue's ``standards``, or -1."""

    kind: str
    place: PlaceArray
    standards: tuple[Standard, ...]

    @property
    def is_under(self) -> BoolArray:
        """[slices × regions]: whether any holds."""
        is_under: BoolArray = self.place != _NONE
        return is_under

    @property
    def values(self) -> FloatArray:
        """[slices × regions]: the value asked for, NaN where none is."""
        # One more for -1, which takes the last.
        return np.array([*(standard.value for standard in self.standards), np.nan])[self.place]

    @cached_property
    def keys(self) -> IntArray:
        """[slices × regions]: the catalogue's number of the step, 0 where there is none."""
        return np.array([*(standard.standard_key for standard in self.standards), 0], dtype=np.int64)[self.place]

    @property
    def is_favourable(self) -> BoolArray:
        """By slice: whether more is better; of a slice without a standard True. All steps of an indicator agree."""
        signs = np.array([*(sign_of(standard) > 0 for standard in self.standards), True])
        one: BoolArray = signs[self.place.max(axis=1, initial=_NONE)]
        return one


class Floors:
    """The standards of a catalogue over some regions (keys ascending). Local ones may be thousands: each is looked at once."""

    def __init__(self, catalogue: Catalogue, regions: IntArray) -> None:
        self.catalogue = catalogue
        self.regions = regions
        self._groups = np.array([catalogue.region_groups.get(key, "") for key in regions.tolist()], dtype=np.str_)
        self._steps: dict[tuple[int, str], list[int]] = {}
        for place, standard in enumerate(catalogue.standards):
            key = catalogue.indicators[standard.indicator_code].indicator_key
            self._steps.setdefault((key, standard.kind), []).append(place)

    def of(self, indicator_keys: IntArray, period_keys: IntArray, area_keys: IntArray) -> Iterator[Held]:
        """The standards that hold for these slices, a table a kind of which any does."""
        for kind in KINDS:
            place = np.full((indicator_keys.size, self.regions.size), _NONE, dtype=np.int32)
            for key in np.unique(indicator_keys).tolist():
                rows = np.flatnonzero(indicator_keys == key)
                steps = self._steps.get((key, kind), [])
                if steps:
                    place[rows] = self._strictest(steps, period_keys[rows], area_keys[rows])
            if (place != _NONE).any():
                yield Held(kind, place, self.catalogue.standards)

    def _strictest(self, steps: Sequence[int], period_keys: IntArray, area_keys: IntArray) -> PlaceArray:
        """Of each issuer the step that counts, of those the strictest (the national at a tie, then the higher place)."""
        days = np.array(
            [period_from_key(key).standard_date.toordinal() for key in period_keys.tolist()], dtype=np.int64
        )
        standards = self.catalogue.standards
        national = [place for place in steps if standards[place].region_code is None]
        everywhere = np.arange(self.regions.size)
        held = self._of_issuer(national, days, area_keys, everywhere)
        worth = np.array([*(sign_of(standard) * standard.value for standard in standards), -np.inf])
        for code in sorted({standards[place].region_code or "" for place in steps} - {""}):
            columns = self._places_of(code)
            local = [place for place in steps if standards[place].region_code == code]
            theirs = self._of_issuer(local, days, area_keys, columns)
            held[:, columns] = np.where(worth[theirs] > worth[held[:, columns]], theirs, held[:, columns])
        return held

    def _of_issuer(self, steps: Iterable[int], days: IntArray, area_keys: IntArray, columns: IntArray) -> PlaceArray:
        """The steps of one issuer for its regions: the one that counts is written last."""
        held = np.full((days.size, columns.size), _NONE, dtype=np.int32)
        for place in sorted(steps, key=lambda place: precedence(self.catalogue.standards[place]), reverse=True):
            standard = self.catalogue.standards[place]
            last = _FOREVER if standard.valid_to is None else standard.valid_to.toordinal()
            rows = (days >= standard.valid_from.toordinal()) & (days <= last)
            if standard.area_type is not None:
                rows &= area_keys == AREA_KEYS[standard.area_type]
            if standard.region_group is None:
                held[rows] = place
            else:
                held[np.ix_(rows, self._groups[columns] == standard.region_group)] = place
        return held

    def _places_of(self, region_code: str) -> IntArray:
        """Where the regions stand that a local standard is for: its own and those within it; what the nation plans is for
        the nation alone."""
        codes = self.catalogue.within(region_code) if int(region_code) != NATION else [region_code]
        return np.flatnonzero(np.isin(self.regions, np.array([int(code) for code in codes], dtype=np.int64)))
