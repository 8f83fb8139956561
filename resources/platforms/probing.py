"""Which platform's endpoint works, how fast and since when: one cheap question each, and a history of the answers.

Endpoints: ``token`` (where there are tokens), ``listing``, ``return`` (the first one listed, on condition that it has
changed, so that it is seldom sent). Nothing is asked twice. Not here: collecting; what is fetched is thrown away.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from resources.errors import PlatformError
from resources.platforms.access import Retries
from resources.platforms.client import PlatformClient
from resources.platforms.model import Listing
from resources.platforms.register import Platform

# A probe is impatient: what takes longer is as good as down for the person who waits for the page.
READ_SECONDS, TOTAL_SECONDS = 10.0, 20.0
THREADS = 16
# 94 platforms with two or three endpoints, each hour: half a year.
MOST_BYTES = 128_000_000


@dataclass(frozen=True, slots=True)
class Probe:
    """What one endpoint did when it was asked."""

    at: str  # ISO time with zone
    platform: str
    endpoint: str  # token | listing | return
    result: str  # ok, or a TroubleKind
    milliseconds: int
    message: str  # empty where ok
    since: str  # the first probe from which on the result was this one


def probe_platforms(client: PlatformClient, platforms: Sequence[Platform]) -> list[Probe]:
    """Ask the endpoints of ``platforms``, many at a time; in their order, ``since`` not known yet (empty)."""
    with ThreadPoolExecutor(min(THREADS, max(1, len(platforms)))) as pool:
        return [probe for probes in pool.map(lambda each: probe_platform(client, each), platforms) for probe in probes]


def probe_platform(client: PlatformClient, platform: Platform) -> list[Probe]:
    """Ask the endpoints of one platform; after the first that fails the others are not asked."""
    asked = _impatient(platform)
    probes: list[Probe] = []
    listings: list[Listing] = []

    def list_returns() -> None:
        listings.append(client.transport_of(asked).list_returns(asked, None, None))

    def fetch_one() -> None:
        offer = listings[0].rows[-1]
        client.transport_of(asked).fetch(asked, offer, offer.etag)

    steps: list[tuple[str, Callable[[], None]]] = [("listing", list_returns), ("return", fetch_one)]
    if platform.access.auth.kind == "bearer":
        steps.insert(0, ("token", lambda: client.asking.log_in(asked)))
    for endpoint, ask in steps:
        if endpoint == "return" and not listings[0].rows:
            break
        probes.append(_timed(client, platform, endpoint, ask))
        if probes[-1].result != "ok":
            break
    return probes


def _timed(client: PlatformClient, platform: Platform, endpoint: str, ask: Callable[[], None]) -> Probe:
    at = client.asking.clock().isoformat(timespec="seconds")
    began = time.monotonic()
    result, message = "ok", ""
    try:
        ask()
    except PlatformError as error:
        result, message = error.kind, error.reason
    milliseconds = round((time.monotonic() - began) * 1000)
    return Probe(at, platform.name, endpoint, result, milliseconds, message, "")


def _impatient(platform: Platform) -> Platform:
    access = platform.access
    timeouts = access.timeouts.model_copy(
        update={"read": min(READ_SECONDS, access.timeouts.read), "total": min(TOTAL_SECONDS, access.timeouts.total)}
    )
    changes = {"retries": Retries(tries=1, patience=access.retries.patience), "timeouts": timeouts}
    return platform.model_copy(update={"access": access.model_copy(update=changes)})


class ProbeHistory:
    """Probes as JSON lines in ``file``; made when the first is added."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def last(self) -> dict[tuple[str, str], Probe]:
        """The last probe of each platform and endpoint; a line that is none (half written) is passed over."""
        known: dict[tuple[str, str], Probe] = {}
        if self._file.exists():
            with self._file.open(encoding="utf-8", errors="replace") as lines:
                for probe in map(_parse_line, lines):
                    if probe is not None:
                        known[probe.platform, probe.endpoint] = probe
        return known

    def add(self, probes: Iterable[Probe]) -> list[Probe]:
        """``probes`` with their ``since``, which are then part of the history."""
        known = self.last()
        dated = [replace(probe, since=_since(known.get((probe.platform, probe.endpoint)), probe)) for probe in probes]
        self._file.parent.mkdir(parents=True, exist_ok=True)
        if self._file.exists() and self._file.stat().st_size > MOST_BYTES:
            self._keep_last(known)
        with self._file.open("a", encoding="utf-8") as lines:
            lines.writelines(json.dumps(asdict(probe), ensure_ascii=False) + "\n" for probe in dated)
        return dated

    def _keep_last(self, known: dict[tuple[str, str], Probe]) -> None:
        """Begin the file anew with what ``since`` needs."""
        beside = self._file.with_suffix(".new")
        texts = (json.dumps(asdict(probe), ensure_ascii=False) + "\n" for probe in known.values())
        beside.write_text("".join(texts), encoding="utf-8")
        os.replace(beside, self._file)


def _since(before: Probe | None, now: Probe) -> str:
    return before.since if before is not None and before.result == now.result else now.at


def _parse_line(line: str) -> Probe | None:
    try:
        return Probe(**json.loads(line))
    except (ValueError, TypeError):
        return None
