"""Every layout on files of its own: beside each file in ``files/`` stands what must be read of it, cell by cell.

``python -m tests.returns.test_layout_files`` writes the expectations anew; look at the difference before you keep it.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from returns import Arrival, ReadResult, read_returns
from returns.layouts import load_layouts
from tests.returns.samples import CATALOGUE

FOLDER = Path(__file__).parent / "files"
FILES = sorted(path for path in FOLDER.iterdir() if path.suffixes[-2:] != [".expected", ".csv"])
COLUMNS = ["layout", "address", "raw_text", "indicator_code", "region_code", "period_code", "area_type", "value"]
COLUMNS += ["obs_status", "reason"]


def read_file(path: Path) -> ReadResult:
    """A file that nobody announced: it must say by itself what it is."""
    arrival = Arrival(1, "000000/file", "", "", "", "", "0" * 64, path.name, "")
    return read_returns([arrival], lambda _: path.read_bytes(), CATALOGUE)


def as_expected(result: ReadResult) -> pd.DataFrame:
    """Every cell, read or quarantined, as texts, in the order of addresses; of a roster the item stands for the indicator, and
    stage and school for the area type."""
    roster = result.roster.astype(str).assign(
        value=result.roster["value"],
        indicator_code=result.roster["item"],
        area_type=result.roster["stage"] + " " + result.roster["school_code"],
        reason="",
    )
    figures = result.observations.astype({"value": "object"}).assign(reason="")
    seen = pd.concat([figures, roster.astype({"value": "object"})]) if len(roster) else figures
    aside = result.quarantined[["address", "raw_text", "reason"]]
    frame = pd.concat([seen.astype({"value": "object"}), aside]).assign(layout=result.verdicts["layout"].iloc[0])
    frame["value"] = frame["value"].map(lambda value: "" if pd.isna(value) else f"{value:.12g}")
    texts = frame[COLUMNS].astype(object).where(frame[COLUMNS].notna(), "").astype(str)
    return texts.sort_values(["address", "raw_text"], ignore_index=True)


def expected_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.expected.csv")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_is_read_as_the_table_beside_it_says(path: Path) -> None:
    expected = pd.read_csv(expected_of(path), dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(as_expected(read_file(path)), expected, check_dtype=False)


def test_every_layout_has_a_file() -> None:
    read_by = {read_file(path).verdicts["layout"].iloc[0] for path in FILES}
    assert read_by == {layout.label for layout in load_layouts()}


if __name__ == "__main__":
    for file in FILES:
        as_expected(read_file(file)).to_csv(expected_of(file), index=False, lineterminator="\n")
