"""Any published number ends in a cell of an archived return: 200 rows of the marts, chosen by chance, followed and read."""

import random
from collections.abc import Iterator

import pandas as pd
import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from resources.archive import open_archive
from returns import Arrival, read_returns
from returns.carriers import Grid, read_grid
from returns.locating import find_window
from tests.assets.nights import Nights
from tests.assets.world import Place
from warehouse.catalogue import load_catalogue
from warehouse.explanations import DIMENSIONS, Explanation, Mart, explain
from warehouse.lineage import Figure, Source

pytestmark = [pytest.mark.xdist_group("world"), pytest.mark.timeout(600)]  # a busy machine takes minutes

SEED, ROWS = 20231206, 200
MARTS: tuple[Mart, ...] = ("observation", "attainment", "urban_rural_gap", "inequality")
SHOWN = 6


def chosen_rows(connection: Connection, mart: Mart, count: int, seed: int) -> list[dict[str, str]]:
    """Rows of a mart by their dimensions, the same for the same seed."""
    names = ", ".join(DIMENSIONS[mart])
    weight = f"md5(concat_ws('|', {names}, '{seed}'))"
    found = connection.execute(
        sa.text(f"SELECT DISTINCT {names}, {weight} FROM mart.{mart} ORDER BY {weight} LIMIT {count}")
    )
    return [{name: str(row[name]) for name in DIMENSIONS[mart]} for row in found.mappings()]


def explained(connection: Connection, seed: int, rows: int) -> Iterator[Explanation]:
    for mart in MARTS:
        for asked in chosen_rows(connection, mart, rows // len(MARTS), seed):
            yield from explain(connection, mart, asked, SHOWN)


class Returns:
    """Archived returns, read again as the night read them, each once."""

    def __init__(self, place: Place) -> None:
        self._archive = open_archive(str(place.home / "archive"))
        self._read: dict[int, pd.DataFrame] = {}
        self._grids: dict[str, Grid] = {}

    def reading(self, source: Source) -> pd.DataFrame:
        """What the return says, by address."""
        if source.receipt_id not in self._read:
            platform = source.platform.split("/")
            arrival = Arrival(
                arrival_id=source.receipt_id, platform=source.platform, sector=platform[1], form=source.form,
                region_code=platform[0], period_code=source.period_code, sha256=source.sha256,
                file_name=source.file_name or "", media_type="",
            )  # fmt: skip
            read = read_returns([arrival], self._archive.get, load_catalogue())
            self._read[source.receipt_id] = read.observations.set_index("address")
        return self._read[source.receipt_id]

    def printed(self, source: Source, address: str) -> str:
        """The text of a cell in the archived bytes."""
        if source.sha256 not in self._grids:
            grid = read_grid(self._archive.get(source.sha256))
            assert isinstance(grid, Grid)
            self._grids[source.sha256] = grid
        window = find_window(self._grids[source.sha256], address)
        assert window is not None, f"{source.sha256} / {address} is no cell"
        return window.text


def differences(figure: Figure, returns: Returns) -> list[str]:
    """What the cell in the archived bytes says otherwise than the warehouse."""
    assert figure.source is not None
    address = figure.source_cell
    assert address
    read = returns.reading(figure.source).loc[address]
    said = tuple(
        str(read[name]) for name in ("indicator_code", "region_code", "period_code", "area_type", "obs_status")
    )
    held = (figure.indicator_code, figure.region_code, figure.period_code, figure.area_type, figure.obs_status)
    value = None if pd.isna(read["value"]) else float(read["value"])
    found = [] if (said, value) == (held, figure.value) else [f"{address}: {said} {value}, not {held} {figure.value}"]
    if returns.printed(figure.source, address) != read["raw_text"]:
        found.append(f"{address}: {returns.printed(figure.source, address)!r} is not {read['raw_text']!r}")
    return found


def check_rows(place: Place, seed: int, rows: int) -> dict[str, int]:
    """Follow rows of the marts to their cells; returns how many rows, figures and returns were looked at."""
    engine, returns = place.warehouse.engine(), Returns(place)
    looked_at: dict[str, int] = {"rows": 0}
    figures: dict[tuple[str, ...], Figure] = {}
    try:
        with engine.connect() as connection:
            for explanation in explained(connection, seed, rows):
                looked_at["rows"] += 1
                # An inequality of no unit has no number; it says why.
                assert explanation.leaves or explanation.row["units"] == 0, explanation.row
                for name, value in explanation.recomputed.items():
                    assert value == pytest.approx(explanation.row[name], rel=1e-9, abs=1e-12), (name, explanation.row)
                for leaf in explanation.leaves:
                    key = (leaf.indicator_code, leaf.period_code, leaf.region_code, leaf.area_type)
                    figures[key] = leaf
    finally:
        engine.dispose()
    assert [each for figure in figures.values() for each in differences(figure, returns)] == []
    return {
        **looked_at,
        "figures": len(figures),
        "returns": len({f.source.sha256 for f in figures.values() if f.source}),
    }


def test_any_published_number_ends_in_a_cell_of_an_archived_return(nights: Nights) -> None:
    looked_at = check_rows(nights.world.place, random.Random(SEED).randrange(10**9), ROWS)
    assert looked_at["rows"] >= ROWS
    assert looked_at["figures"] > ROWS
    assert looked_at["returns"] > 20
