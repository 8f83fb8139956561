"""Where faults are put: a preset over all platforms, or one fault at a rate.

What is here: choosing platforms and returns by hash of the seed, so that the same seed makes the same night. What is not
here: how many of which (`nights/presets.csv`), what a fault is (`kinds`).
"""

import collections
from collections.abc import Iterator, Sequence

from sandbox.faults import KINDS, ActiveFaults
from sandbox.kinds import FAMILIES, FaultKind, load_presets
from sandbox.periods import ReturnPeriod
from sandbox.platforms import Platform, Platforms
from sandbox.reference import Form
from sandbox.seeds import hash_key
from sandbox.truth import Truth

RECENT = {"M": 6, "Q": 4, "A": 1, "S": 1}
"""A preset spoils returns of so many recent periods, by frequency: those a refresh asks for, however far back it goes."""
FILLING = (
    "not_a_number", "numbers_as_text", "spaced_names", "repeated_row", "unknown_region", "revised", "unit_in_header",
    "unknown_header", "wrong_province", "listed_twice",
)  # fmt: skip
"""Faults in turn for platforms that a preset left without any."""

Place = tuple[Platform, Form, ReturnPeriod]


class Placing:
    """Puts faults where there is room: one fault of a return's own to a return, one of the platform to a platform."""

    def __init__(self, platforms: Platforms, seed: int) -> None:
        self.platforms = platforms
        self.truth = Truth(platforms)
        self.seed = seed
        self._taken: set[tuple[str, str]] = set()
        self._troubled: set[str] = set()

    def put_preset(self, name: str) -> None:
        """Put a preset's faults; raises `ValueError` for an unknown preset."""
        presets = load_presets()
        if name not in presets:
            raise ValueError(f"no preset is called {name}; there are: none, {', '.join(presets)}")
        wanted = presets[name]
        whole = [fault for fault in wanted if KINDS[fault].scope == "platform"]
        for fault in whole:
            for platform in self._shuffled(fault, list(self.platforms.by_code.values())):
                if wanted[fault] <= 0:
                    break
                if platform.code not in self._troubled and KINDS[fault].applies(platform.carrier, platform.sector):
                    self._put(platform, fault, None)
                    wanted = wanted | {fault: wanted[fault] - 1}
        rarest_first = sorted((fault for fault in wanted if fault not in whole), key=self._room)
        for fault in rarest_first:
            self._put_on_returns(fault, wanted[fault])
        for number, platform in enumerate(self.platforms.by_code.values()):
            if platform.code not in self._troubled:
                self._fill(platform, number)

    def put_at_rate(self, fault: str, rate: float, codes: Sequence[str] = (), strength: float | None = None) -> int:
        """Put one fault on the share `rate` of the platforms or published returns it applies to; in how many places.

        Raises `ValueError` for an unknown fault or platform, or a rate that is none.
        """
        if fault not in KINDS:
            raise ValueError(f"no fault is called {fault}; there are: {', '.join(sorted(KINDS))}")
        if not 0.0 <= rate <= 1.0:
            raise ValueError(f"a rate is a share from 0 to 1, not {rate:g}")
        if unknown := sorted(set(codes) - set(self.platforms.by_code)):
            raise ValueError(f"no platform {', '.join(unknown)}; platforms are such as 510000/health")
        kind, count = KINDS[fault], 0
        for platform in [self.platforms.by_code[code] for code in codes] or list(self.platforms.by_code.values()):
            if not kind.applies(platform.carrier, platform.sector):
                continue
            for return_id in [None] if kind.scope == "platform" else self._ids(platform, kind):
                if hash_key(self.seed, "rate", fault, platform.code, return_id) < rate * 2**64:
                    self.platforms.faults.set(platform.code, fault, return_id, strength)
                    count += 1
        return count

    def _ids(self, platform: Platform, kind: FaultKind) -> list[str | None]:
        return [
            f"{form.code}-{period.code}"
            for form in self.platforms.forms_of(platform)
            for period in self.platforms.periods_of(form)
            if self.platforms.is_published(form, period) is (kind.scope != "next")
        ]

    def _shuffled(self, fault: str, platforms: Sequence[Platform]) -> list[Platform]:
        return sorted(platforms, key=lambda each: hash_key(self.seed, "night", fault, each.code))

    def _room(self, fault: str) -> int:
        kind = KINDS[fault]
        return sum(kind.applies(each.carrier, each.sector) for each in self.platforms.by_code.values())

    def _recent(self, platform: Platform, kind: FaultKind) -> Iterator[Place]:
        """The returns of a platform where a preset may put a fault, the newest first."""
        for form in self.platforms.forms_of(platform):
            periods = self.platforms.periods_of(form)
            published = [period for period in periods if self.platforms.is_published(form, period)]
            chosen = periods[len(published) :] if kind.scope == "next" else published[-RECENT[form.frequency] :]
            yield from ((platform, form, period) for period in reversed(chosen))

    def _put_on_returns(self, fault: str, places: int) -> None:
        """Put a fault on returns of as many platforms, those without trouble first; twice on one only where it must."""
        kind = KINDS[fault]
        able = [each for each in self.platforms.by_code.values() if kind.applies(each.carrier, each.sector)]
        order = sorted(self._shuffled(fault, able), key=lambda each: each.code in self._troubled)
        for _ in range(2):
            for platform in order:
                if places and self._put_on_one(platform, kind):
                    places -= 1

    def _put_on_one(self, platform: Platform, kind: FaultKind) -> bool:
        if self._is_lost(platform):
            return False
        places = sorted(
            self._recent(platform, kind),
            key=lambda place: hash_key(self.seed, kind.name, platform.code, place[1].code, place[2].code),
        )
        for _, form, period in places:
            return_id = f"{form.code}-{period.code}"
            if (platform.code, return_id) in self._taken:
                continue
            names = kind.name if kind.scope != "next" else "early"
            if self.truth.effective(platform, form, period, ActiveFaults(frozenset([names]))):
                self._put(platform, kind.name, return_id)
                return True
        return False

    def _is_lost(self, platform: Platform) -> bool:
        """Whether nothing of a platform comes that night, so that any other fault of it would not show."""
        active = self.platforms.faults.active(platform.code)
        return any(KINDS[name].outcomes[0] == "not_collected" for name in active.names)

    def _fill(self, platform: Platform, number: int) -> None:
        for step in range(len(FILLING)):
            kind = KINDS[FILLING[(number + step) % len(FILLING)]]
            if kind.applies(platform.carrier, platform.sector) and self._put_on_one(platform, kind):
                return

    def _put(self, platform: Platform, fault: str, return_id: str | None) -> None:
        self.platforms.faults.set(platform.code, fault, return_id)
        self._troubled.add(platform.code)
        if return_id is not None:
            self._taken.add((platform.code, return_id))


def put_faults(platforms: Platforms, text: str, seed: int) -> None:
    """Put what `--faults` asks for: `none`, a preset, or `NAME:rate,NAME:rate`; raises `ValueError` with what there is."""
    placing = Placing(platforms, seed)
    if text == "none":
        return
    if ":" not in text:
        return placing.put_preset(text)
    for part in text.split(","):
        name, _, rate = part.strip().partition(":")
        try:
            share = float(rate)
        except ValueError:
            raise ValueError(f"expected NAME:rate such as down:0.02, not {part!r}") from None
        placing.put_at_rate(name, share)


def summarise(platforms: Platforms) -> str:
    """How many faults of which family are on: `transport 41 (down 2, …); carrier …`."""
    counts: collections.Counter[str] = collections.Counter()
    for row in platforms.faults.listed():
        counts.update(list(row["faults"]))  # type: ignore[call-overload]
    told = []
    for family in FAMILIES:
        names = [name for name, kind in KINDS.items() if kind.family == family and counts[name]]
        if names:
            each = ", ".join(f"{name} {counts[name]}" for name in names)
            told.append(f"{family} {sum(counts[name] for name in names)} ({each})")
    return "; ".join(told) or "none"
