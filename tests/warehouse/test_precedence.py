"""What the portal lends and what a province's own return holds, on a real database."""

import pandas as pd

from tests.warehouse.centre import CATALOGUE, Cell, Centre, Return, employment, people
from warehouse.precedence import lent_receipts, owned_figures


def portal(*cells: Cell, period: str = "2024") -> Return:
    return Return("portal_annual", "000000", period, cells)


def asked(*codes: str, period: str = "2024") -> pd.DataFrame:
    return pd.DataFrame({"indicator_code": list(codes), "period_code": [period] * len(codes)})


def owned(centre: Centre, frame: pd.DataFrame) -> list[tuple[str, ...]]:
    with centre.engine.connect() as connection:
        found = owned_figures(connection, frame, CATALOGUE)
    return list(found.astype(str).itertuples(index=False, name=None))


def sources(centre: Centre) -> list[tuple[float, str, bool]]:
    """Every vintage: value, sector of its return, whether it is current."""
    rows = centre.rows(
        "SELECT value, sector, superseded_at = 'infinity' FROM core.observation"
        " JOIN ops.return_receipt USING (receipt_id) ORDER BY recorded_at"
    )
    return [(row[0], row[1], row[2]) for row in rows]


def test_in_an_empty_warehouse_nothing_is_owned(centre: Centre) -> None:
    assert owned(centre, asked("POP_RESIDENT")) == []
    assert owned(centre, asked()) == []


def test_a_province_s_figure_is_owned_and_a_county_s_is_not_asked_for(centre: Centre) -> None:
    centre.load(employment(people(100.0), people(1.0, region="510104"), people(90.0, period="2023")))
    assert owned(centre, asked("POP_RESIDENT", "GDP")) == [("POP_RESIDENT", "510000", "2024", "total", "100.0", "1.0")]


def test_a_figure_that_a_return_leaves_blank_is_owned(centre: Centre) -> None:
    centre.load(employment(people(None)))
    assert [str(row[4]) for row in owned(centre, asked("POP_RESIDENT"))] == ["nan"]


def test_what_the_portal_lent_is_not_owned(centre: Centre) -> None:
    centre.load(portal(people(100.0)))
    assert owned(centre, asked("POP_RESIDENT")) == []
    with centre.engine.connect() as connection:
        assert len(lent_receipts(connection)) == 1


def test_a_return_takes_over_an_equal_figure_and_that_is_no_revision(centre: Centre) -> None:
    centre.load(portal(people(100.0)))
    (taken,) = centre.load(employment(people(100.0)))
    assert (taken["loaded"], taken["unchanged"]) == (1, 0)
    assert sources(centre) == [(100.0, "portal", False), (100.0, "employment", True)]
    assert centre.values("SELECT sum(revisions) FROM ops.changed_slice") == [0]


def test_what_was_taken_over_is_unchanged_the_next_time(centre: Centre) -> None:
    centre.load(portal(people(100.0)))
    centre.load(employment(people(100.0)))
    (again,) = centre.load(employment(people(100.0), Cell("GDP", "510000", 5.0)))
    assert (again["loaded"], again["unchanged"]) == (1, 1)


def test_the_portal_revises_what_it_lent(centre: Centre) -> None:
    centre.load(portal(people(100.0)))
    centre.load(portal(people(110.0)))
    assert sources(centre) == [(100.0, "portal", False), (110.0, "portal", True)]
    assert centre.values("SELECT sum(revisions) FROM ops.changed_slice") == [1]
