"""The book of faults that are on: by platform and optionally by return.

What is here: switching on and off, what holds for one return, counters of requests. What is not here: what a fault is
(`kinds`) and what it does (`spoiling`, `printing`, `transport`).
"""

import collections
import dataclasses
from collections.abc import Mapping

from sandbox.kinds import FaultKind, load_kinds

KINDS: Mapping[str, FaultKind] = load_kinds()
FAULTS = frozenset(KINDS)
CONTENT_FAULTS = frozenset(name for name, kind in KINDS.items() if kind.level == "bytes")
"""They change the bytes, so a return under one of them has another ETag."""
REVISIONS = ("revised", "quiet_revision")
"""Set again, they change the figure again."""


@dataclasses.dataclass(frozen=True)
class ActiveFaults:
    """The faults that hold for one return, how often it was revised openly and quietly, and how strong they are."""

    names: frozenset[str]
    revision: int = 0
    quiet_revision: int = 0
    strengths: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @property
    def content_tag(self) -> str:
        """What of them shows in the bytes, "" for none: part of the ETag and of the cache's key."""
        names = sorted(self.names & CONTENT_FAULTS)
        return f"{','.join(names)}:{self.revision}:{self.quiet_revision}" if names else ""

    def strength(self, name: str) -> float:
        """How much of it: as it was asked for, else as the table of faults says."""
        return self.strengths.get(name, KINDS[name].strength)


NO_FAULTS = ActiveFaults(frozenset())
Place = tuple[str, str | None]


class FaultBook:
    """Which faults are on. A revision counts up each time it is set, and stays until the faults are cleared."""

    def __init__(self) -> None:
        self._places: dict[Place, dict[str, float]] = collections.defaultdict(dict)
        self._revisions: collections.Counter[tuple[Place, str]] = collections.Counter()
        self._requests: collections.Counter[tuple[str, str]] = collections.Counter()
        self._platforms: set[str] = set()

    def set(self, platform: str, fault: str, return_id: str | None, strength: float | None = None) -> None:
        """Switch a fault on; raises `ValueError` for an unknown one."""
        if fault not in FAULTS:
            raise ValueError(f"no fault is called {fault}; there are: {', '.join(sorted(FAULTS))}")
        place = (platform, return_id)
        self._places[place][fault] = KINDS[fault].strength if strength is None else strength
        self._platforms.add(platform)
        self._requests.pop((platform, fault), None)
        if fault in REVISIONS:
            self._revisions[place, fault] += 1

    def clear(self) -> None:
        """Switch all faults off; revised figures are again what they were, and counters begin anew."""
        self._places.clear()
        self._platforms.clear()
        self._revisions.clear()
        self._requests.clear()

    def active(self, platform: str, return_id: str | None = None) -> ActiveFaults:
        """The faults of a return (those of its whole platform included), or of the platform alone."""
        if platform not in self._platforms:
            return NO_FAULTS
        keys: list[Place] = [(platform, None)] if return_id is None else [(platform, None), (platform, return_id)]
        found: dict[str, float] = {}
        for key in keys:
            found |= self._places.get(key, {})
        if not found:
            return NO_FAULTS
        openly, quietly = (sum(self._revisions[key, name] for key in keys) for name in REVISIONS)
        return ActiveFaults(frozenset(found), openly, quietly, found)

    def count(self, platform: str, fault: str) -> int:
        """Count a request that a fault looks at: 1 for the first one since it was set."""
        self._requests[platform, fault] += 1
        return self._requests[platform, fault]

    def holds_for(self, platform: str) -> bool:
        """Whether anything is wrong at a platform."""
        return platform in self._platforms

    def listed(self) -> list[dict[str, object]]:
        """All faults that are on."""
        return [
            {"platform": platform, "return_id": return_id, "faults": sorted(names)}
            for (platform, return_id), names in self._places.items()
            if names
        ]
