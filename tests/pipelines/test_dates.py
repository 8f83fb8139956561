"""The day that --since means."""

import click
import pytest

from pipelines.cli import _day


@pytest.mark.parametrize(
    ("text", "day"),
    [(None, None), ("2015", "2015-01-01"), ("2015-03", "2015-03-01"), ("2015-03-31", "2015-03-31")],
)
def test_a_year_or_month_means_its_first_day(text: str | None, day: str | None) -> None:
    assert _day(text) == day


@pytest.mark.parametrize("text", ["", "15", "2015-13", "2015-02-30", "yesterday", "2015-3", "2015-03-"])
def test_what_is_no_date_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(click.BadParameter, match="write 2015, 2015-03 or 2015-03-01"):
        _day(text)
