"""Three nights of a small world, lived once for all tests of a worker that ask.

Night one loads; in night two nothing is new; before night three a month and a quarter have passed and six things go
wrong. Tests read what the nights left behind and the warehouse as it then is.
"""

from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.assets.world import Night, World, open_world

TIBET, NINGXIA, HAINAN = "540000", "640000", "460000"

DOWN = (f"{TIBET}/employment", "employment_monthly", "2026-04")
NOT_A_WORKBOOK = (f"{NINGXIA}/education", "education_school_year", "SY2025")
NOT_A_NUMBER = (f"{NINGXIA}/health", "health_quarterly", "2026-Q1")
REVISED = (f"{HAINAN}/health", "health_annual", "2025")
LATE = (f"{HAINAN}/employment", "employment_monthly", "2026-04")
BAD_SCHOOLS = (f"{HAINAN}/education", "education_school_year", "SY2025")


@dataclass(frozen=True)
class Nights:
    world: World
    first: Night
    second: Night
    third: Night


_LIVED = pytest.StashKey[Nights]()


@pytest.fixture(scope="session", name="nights")
def lived_nights(request: pytest.FixtureRequest) -> Nights:
    """Two folders ask for them, each by its own conftest: they are kept with the session and end with it."""
    if _LIVED not in request.config.stash:
        stack = ExitStack()
        request.config.add_cleanup(stack.close)
        request.config.stash[_LIVED] = _live(stack.enter_context(open_world("2026-04-19", since="2025")))
    return request.config.stash[_LIVED]


def _live(world: World) -> Nights:
    first = world.night_apart("2026-04-19T23:00:00")
    second = world.night("2026-04-20T02:00:00")
    world.sandbox.set_today("2026-05-16")
    world.sandbox.set_fault(DOWN[0], "down")
    for (platform, form, period_code), fault in {
        NOT_A_WORKBOOK: "not_a_workbook", NOT_A_NUMBER: "not_a_number", REVISED: "revised", LATE: "late",
        BAD_SCHOOLS: "bad_schools",
    }.items():  # fmt: skip
        world.sandbox.set_fault(platform, fault, f"{form}-{period_code}")
    third = world.night("2026-05-16T02:00:00")
    world.sandbox.clear_faults()
    return Nights(world, first, second, third)
