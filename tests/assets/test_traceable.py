"""Any published number ends in a cell of an archived return: 200 rows of the marts, chosen by chance, followed and read."""

import random
from collections.abc import Iterator, Mapping
from typing import Any

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
SHOWN = 6
#: Marts over the years, of which a world that begins in 2025 has no rows; they are in tests/warehouse/test_explanations.py.
EMPTY: frozenset[Mart] = frozenset({"change_attribution", "convergence", "shortfall_risk", "trend"})


def chosen_rows(connection: Connection, mart: Mart, count: int, seed: int) -> list[dict[str, str]]:
    """Rows of a mart by their dimensions, the same for the same seed."""
    names = ", ".join(DIMENSIONS[mart])
    weight = f"md5(concat_ws('|', {names}, '{seed}'))"
    found = connection.execute(
        sa.text(f"SELECT DISTINCT {names}, {weight} FROM mart.{mart} ORDER BY {weight} LIMIT {count}")
    )
    return [{name: str(row[name]) for name in DIMENSIONS[mart]} for row in found.mappings()]


def explained(connection: Connection, seed: int, rows: int) -> Iterator[Explanation]:
    """Rows of every mart alike; what one has too few of is made up by observations."""
    catalogue = load_catalogue()
    others = [mart for mart in DIMENSIONS if mart != "observation"]
    chosen = {mart: chosen_rows(connection, mart, rows // len(DIMENSIONS), seed) for mart in others}
    rest = rows - sum(len(asked) for asked in chosen.values())
    chosen["observation"] = chosen_rows(connection, "observation", rest, seed)
    for mart, each in chosen.items():
        for asked in each:
            yield from explain(connection, mart, asked, SHOWN, catalogue)


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
            cells = [read.observations, read.roster.assign(indicator_code=read.roster["item"], area_type="total")]
            self._read[source.receipt_id] = pd.concat([each for each in cells if len(each)]).set_index("address")
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
    names = ["indicator_code", "region_code", "period_code", "area_type"]
    # A school's status is the weakest of its figures, not the cell's own.
    names.append("obs_status" if figure.school_code is None else "school_code")
    said, held = tuple(str(read[name]) for name in names), tuple(getattr(figure, name) for name in names)
    value = None if pd.isna(read["value"]) else float(read["value"])
    found = [] if (said, value) == (held, figure.value) else [f"{address}: {said} {value}, not {held} {figure.value}"]
    if returns.printed(figure.source, address) != read["raw_text"]:
        found.append(f"{address}: {returns.printed(figure.source, address)!r} is not {read['raw_text']!r}")
    return found


def is_of_nothing(row: Mapping[str, Any]) -> bool:
    """Whether a row says itself that it has no number, for there is no unit, member or school."""
    counts = [row[name] for name in ("units", "members", "schools") if name in row]
    return row.get("status", "ok") != "ok" and 0 in counts


def check_rows(place: Place, seed: int, rows: int) -> dict[str, int]:
    """Follow rows of the marts to their cells; returns how many rows, figures and returns were looked at."""
    engine, returns = place.warehouse.engine(), Returns(place)
    marts: dict[Mart, int] = {}
    figures: dict[tuple[str | None, ...], Figure] = {}
    try:
        with engine.connect() as connection:
            for explanation in explained(connection, seed, rows):
                marts[explanation.mart] = marts.get(explanation.mart, 0) + 1
                assert explanation.leaves or is_of_nothing(explanation.row), (explanation.mart, explanation.row)
                for name, value in explanation.recomputed.items():
                    assert value == pytest.approx(explanation.row[name], rel=1e-9, abs=1e-12), (name, explanation.row)
                for leaf in explanation.leaves:
                    key = (leaf.indicator_code, leaf.period_code, leaf.region_code, leaf.area_type, leaf.school_code)
                    figures[key] = leaf
    finally:
        engine.dispose()
    assert DIMENSIONS.keys() - marts.keys() == EMPTY
    assert [each for figure in figures.values() for each in differences(figure, returns)] == []
    return {
        "rows": sum(marts.values()),
        "figures": len(figures),
        "returns": len({f.source.sha256 for f in figures.values() if f.source}),
    }


def test_any_published_number_ends_in_a_cell_of_an_archived_return(nights: Nights) -> None:
    looked_at = check_rows(nights.world.place, random.Random(SEED).randrange(10**9), ROWS)
    assert looked_at["rows"] == ROWS
    assert looked_at["figures"] > ROWS
    assert looked_at["returns"] > 20
