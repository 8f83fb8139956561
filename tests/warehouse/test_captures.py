"""The real revisions of four captures, printed by the sandbox on four days, read and loaded as any return."""

import datetime

import pytest

from sandbox.platforms import Clock, Platforms
from sandbox.reference import load_reference
from sandbox.tables import TableMaker
from tests.warehouse.centre import Centre
from tests.warehouse.following import follow

CAPTURES = ("2025-09-21", "2026-01-14", "2026-03-19", "2026-04-12")
FORMS = ("employment_annual", "health_annual")


def live(centre: Centre, years: range) -> None:
    """A night for each capture, and a release after the last."""
    maker = TableMaker(1, load_reference())
    for day in CAPTURES:
        platforms = Platforms(maker, Clock(datetime.date.fromisoformat(day)), with_captures=True)
        refresh = centre.open()
        for form in FORMS:
            follow(centre, form, platforms, years, refresh)
    centre.compute(refresh)
    centre.prepare()
    centre.publish(refresh)  # nobody sees a revision before a release that has it


def revised(centre: Centre) -> list[tuple[int, str, int]]:
    """(number of the night, indicator, revisions) of every night and indicator that has some; all of provinces' 2024."""
    assert centre.values("SELECT DISTINCT period_code || region_level || kind FROM mart.revision") == [
        "2024provincerevision"
    ]
    return centre.rows(
        "SELECT (r.revised_at AT TIME ZONE 'Asia/Shanghai')::date - (SELECT min(recorded_at AT TIME ZONE 'Asia/Shanghai')::date"
        " FROM core.observation) + 1, r.indicator_code, count(*) FROM mart.revision r GROUP BY 1, 2 ORDER BY 1, 2"
    )  # type: ignore[return-value]


EXPECTED = [
    (2, "FIS_EXPENDITURE", 30),
    (2, "FIS_REVENUE", 25),
    (3, "GDP", 31),
    (4, "GDP", 31),
]
"""Of 2024: what the publisher revised on 2026-01-14, on 2026-03-19 and, back again, on 2026-04-12."""


def test_the_four_captures_leave_exactly_their_revisions(centre: Centre) -> None:
    live(centre, range(2023, 2025))
    assert revised(centre) == EXPECTED
    assert centre.values("SELECT count(*) > 0 FROM mart.precision_change WHERE kind = 'precision'") == [True]


@pytest.mark.long
def test_a_product_revised_back_is_what_it_was(centre: Centre) -> None:
    live(centre, range(2024, 2025))
    changes = "SELECT old_value, new_value FROM mart.revision WHERE indicator_code = 'GDP' AND region_code = '510000'"
    (up, back) = centre.rows(f"{changes} ORDER BY revised_at")
    assert up == back[::-1]


@pytest.mark.long
def test_no_year_before_2024_was_revised(centre: Centre) -> None:
    live(centre, range(2010, 2025))
    assert revised(centre) == EXPECTED
