"""How far figures moved since their first release: counted by release, from the first released value, of what readers saw."""

import pytest

from tests.warehouse.centre import Centre, beds, health
from warehouse.publishing import ReleasePolicy

TRIANGLE = (
    "SELECT release_number, release_id - first_release_id, revised, withdrawn, mean_change, mean_absolute_change, largest_change"
    " FROM mart.revision_triangle WHERE indicator_code = 'HLT_BEDS' AND region_level = 'province' ORDER BY 1"
)


def deliver(centre: Centre, *values: tuple[str, float | None], **more):
    """A night in which Sichuan and other provinces report their beds."""
    return centre.night(
        *(health(beds(value, region=region, last_digit=0.001), province=region) for region, value in values), **more
    )


def test_figures_move_from_their_first_release(centre: Centre) -> None:
    deliver(centre, ("510000", 100.0), ("520000", 100.0), ("530000", 100.0))
    deliver(centre, ("510000", 110.0))
    deliver(centre, ("510000", 120.0), ("520000", 90.0))
    assert centre.rows(TRIANGLE) == [
        (0, 0, 0, 0, None, None, None),
        (1, 1, 1, 0, pytest.approx(0.1), pytest.approx(0.1), pytest.approx(0.1)),
        (2, 2, 2, 0, pytest.approx(0.05), pytest.approx(0.15), pytest.approx(0.2)),
    ]
    assert centre.rows(
        "SELECT periods, most_releases, revised, mean_change, mean_absolute_change, largest_change"
        " FROM mart.revision_triangle_summary WHERE indicator_code = 'HLT_BEDS' AND region_level = 'province'"
    ) == [(1, 2, 2, pytest.approx(0.05), pytest.approx(0.15), pytest.approx(0.2))]


def test_nothing_moved_where_nothing_was_revised(centre: Centre) -> None:
    deliver(centre, ("510000", 100.0))
    deliver(centre, ("520000", 100.0))
    assert centre.rows(TRIANGLE) == []


def test_a_late_province_begins_at_its_own_first_release(centre: Centre) -> None:
    deliver(centre, ("510000", 100.0))
    deliver(centre, ("520000", 100.0))
    deliver(centre, ("520000", 150.0))
    assert [row[:4] for row in centre.rows(TRIANGLE)] == [(1, 1, 0, 0), (2, 2, 1, 0)]


def test_a_release_that_changed_nothing_of_a_period_is_none_of_its_steps(centre: Centre) -> None:
    deliver(centre, ("510000", 100.0))
    centre.night(health(beds(5.0), period="2023"))
    deliver(centre, ("510000", 110.0))
    rows = centre.rows(TRIANGLE)
    assert [row[:3] for row in rows] == [(0, 0, 0), (1, 2, 1)]


def test_a_figure_that_was_revised_before_it_was_released_has_its_released_value_first(centre: Centre) -> None:
    centre.load(health(beds(1.0)))
    deliver(centre, ("510000", 100.0))
    deliver(centre, ("510000", 110.0))
    assert [row[4] for row in centre.rows(TRIANGLE)] == [None, pytest.approx(0.1)]


def test_what_waits_for_approval_has_not_moved_for_readers(centre: Centre) -> None:
    deliver(centre, ("510000", 100.0))
    deliver(centre, ("510000", 110.0), policy=ReleasePolicy(needs_approval=True))
    assert centre.rows(TRIANGLE) == []


def test_a_figure_that_went_is_withdrawn(centre: Centre) -> None:
    centre.night(health(beds(100.0, last_digit=0.001), beds(7.0, region="510100", last_digit=0.001)))
    centre.night(health(beds(100.0, last_digit=0.001)))
    found = centre.rows(
        "SELECT release_number, revised, withdrawn FROM mart.revision_triangle WHERE region_level = 'prefecture'"
    )
    assert found == [(0, 0, 0), (1, 0, 1)]
