"""Where an address stands: the cell with what is around it, for any carrier."""

import pytest

from returns.carriers import Grid, read_grid
from returns.locating import find_window

TABLE = "地区,甲,乙,丙,丁,戊\n" + "\n".join(
    f"区{row}," + ",".join(f"{row}{column}" for column in "abcde") for row in range(1, 12)
)


def grid(text: str = TABLE) -> Grid:
    found = read_grid(text.encode())
    assert isinstance(found, Grid)
    return found


def test_a_cell_is_shown_with_its_neighbours_the_head_and_the_first_columns() -> None:
    window = find_window(grid(), "row 10 col 5", beside=1)
    assert window is not None
    assert window.text == "9d"
    assert window.rows == (0, 1, 2, 3, 8, 9, 10)
    assert window.columns == (0, 1, 3, 4, 5)
    assert window.texts[0] == ("地区", "甲", "丙", "丁", "戊")
    assert [texts[0] for texts in window.texts[-3:]] == ["区8", "区9", "区10"]


@pytest.mark.parametrize(("address", "text"), [("row 1 col 1", "地区"), ("row 12 col 6", "11e"), ("row 1 col 6", "戊")])
def test_a_cell_at_an_edge_is_found(address: str, text: str) -> None:
    window = find_window(grid(), address)
    assert window is not None
    assert window.text == text


def test_a_row_that_is_too_short_is_filled_up() -> None:
    window = find_window(grid("a,b,c\n1\n2,3,4"), "row 3 col 3")
    assert window is not None
    assert window.texts == (("a", "b", "c"), ("1", "", ""), ("2", "3", "4"))


@pytest.mark.parametrize("address", ["row 13 col 1", "表1!A1", "", "row 1 col 99"])
def test_an_address_that_is_not_there_gives_nothing(address: str) -> None:
    assert find_window(grid(), address) is None
