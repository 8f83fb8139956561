"""Findings: numbers choose the words, estimates and breaks are kept out, and the committed document is what the figures give."""

import csv
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sandbox.reference import FIGURES
from tests.warehouse.centre import Centre
from tests.warehouse.centre import everywhere as returned_everywhere
from tests.warehouse.frames import CATALOGUE, PROVINCES, Row, everywhere, figures
from warehouse.deriving import aggregate_nation, derive_indicators
from warehouse.errors import NothingInForceError
from warehouse.findings import SUBJECTS, Subject, find, findings_document, read_figures_in_force
from warehouse.findings.source import of_provinces
from warehouse.findings.wording import moved, number

DOCUMENT = Path(__file__).parents[2] / "docs" / "findings.md"
INCOME = next(subject for subject in SUBJECTS if subject.level_code == "INC_DISPOSABLE")
PRIMARY = next(subject for subject in SUBJECTS if subject.title == "Primary schools")
APART, TOGETHER = [1.0] * 15 + [3.0] * 16, [2.0] * 15 + [3.0] * 16


def found(rows: list[Row], subject: Subject = INCOME):
    return find(subject, figures(rows), CATALOGUE)


def document(rows: list[Row], title: str = "Disposable income") -> str:
    """The section of one service."""
    text = findings_document(figures(rows), CATALOGUE)
    return text.split(f"\n## {title}\n")[1].split("\n## ")[0]


def town_and_country(period: str, urban: float, rural: float, status: str = "A") -> list[Row]:
    return [
        *everywhere(INCOME.level_code, period, "urban", urban, status),
        *everywhere(INCOME.level_code, period, "rural", rural, status),
    ]


# --- what is found ---


def test_a_gap_is_told_from_the_first_to_the_last_year() -> None:
    gap = found([*town_and_country("2014", 30.0, 10.0), *town_and_country("2019", 30.0, 15.0)]).town_and_country
    assert gap is not None
    assert (gap.first_period, gap.last_period, gap.median, gap.provinces) == ("2014", "2019", (3.0, 2.0), 31)
    assert (gap.nation, gap.rural_worse) == (None, 31)


@pytest.mark.parametrize(
    ("later", "word"),
    [pytest.param(15.0, "narrowed", id="nearer"), pytest.param(5.0, "widened", id="farther"),
     pytest.param(10.1, "hardly moved", id="within the rounding of print"),
     pytest.param(90.0, "hardly moved", id="as far on the other side")],
)  # fmt: skip
def test_the_numbers_choose_the_word_of_a_gap(later: float, word: str) -> None:
    assert f"The gap {word}:" in document(
        [*town_and_country("2014", 30.0, 10.0), *town_and_country("2019", 30.0, later)]
    )


def test_estimates_change_nothing_and_are_counted() -> None:
    rows = [
        *everywhere(INCOME.level_code, "2014", "total", APART),
        *everywhere(INCOME.level_code, "2019", "total", TOGETHER),
    ]
    with_estimates = [*rows, *everywhere(INCOME.level_code, "2020", "total", 9.0, "E")]
    one, other = found(rows), found(with_estimates)
    assert one.spread is not None
    assert other.spread is not None
    pd.testing.assert_frame_equal(one.spread.years, other.spread.years)
    assert (other.caveats.left_out, other.caveats.left_out_periods) == (31, ("2020", "2020"))
    assert "Left out: 31 figures of 2020 to 2020" in document(with_estimates)


def test_a_comparison_begins_behind_the_last_break() -> None:
    """Income is of one survey since 2013."""
    years = {"2011": APART, "2012": APART, "2013": TOGETHER, "2014": TOGETHER, "2015": TOGETHER}
    rows = [row for period, values in years.items() for row in everywhere(INCOME.level_code, period, "total", values)]
    result = found(rows)
    assert result.convergence is not None
    assert (result.convergence.first_period, result.convergence.sigma_slope) == ("2013", pytest.approx(0.0, abs=1e-12))
    assert "Break in 2013" in document(rows)
    assert "| 2012 |" not in document(rows)


def test_a_province_that_is_missing_once_is_out_of_the_convergence() -> None:
    rows = [
        row for period in ("2014", "2015", "2016") for row in everywhere(INCOME.level_code, period, "total", APART)
        if not (period == "2015" and row[2] == PROVINCES[0])
    ]  # fmt: skip
    convergence = found(rows).convergence
    assert convergence is not None
    assert convergence.units == 30


def test_catching_up_without_coming_nearer_is_said() -> None:
    """The two groups change places and go farther apart: the low ones grew faster, and the spread grew."""
    rows = [
        *everywhere(INCOME.level_code, "2014", "total", [2.0] * 15 + [3.0] * 16),
        *everywhere(INCOME.level_code, "2015", "total", [3.0] * 15 + [3.0] * 16),
        *everywhere(INCOME.level_code, "2016", "total", [9.0] * 15 + [3.0] * 16),
    ]
    text = document(rows)
    assert "The provinces drew apart" in text
    assert "Those that were low grew faster" in text
    assert "Catching up did not make the spread smaller" in text


def test_provinces_against_the_floor_in_force() -> None:
    values = [25.0, 20.0] + [15.0] * 29
    rows = everywhere(PRIMARY.level_code, "SY2018", "total", values)
    (standard,) = found(rows, PRIMARY).standards
    assert (standard.met, standard.provinces, standard.earlier, standard.nation_meets) == (29, 31, None, None)
    assert standard.misses == ((int(PROVINCES[0]), 25.0), (int(PROVINCES[1]), 20.0))
    text = document(rows, PRIMARY.title)
    assert "29 of 31 provinces met it in SY2018" in text
    assert "Farthest off: Beijing 25.0, Tianjin 20.0." in text


def test_too_few_provinces_say_nothing() -> None:
    rows = everywhere(INCOME.level_code, "2014", "total", APART)[:20]
    result = found(rows)
    assert (result.spread, result.convergence, result.town_and_country) == (None, None, None)
    assert "No year has published figures of enough provinces." in document(rows)


def test_no_figures_at_all_still_make_a_document() -> None:
    text = findings_document(figures([]), CATALOGUE)
    assert text.count("\n## ") == len(SUBJECTS)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.08667, "0.0867"), (2.0, "2.00"), (1234.5, "1,234"), (-0.0055, "-0.00550"), (np.nan, "–")],
)
def test_three_digits_of_a_number(value: float, text: str) -> None:
    assert number(value) == text


def test_a_change_within_the_rounding_of_print_is_none() -> None:
    assert [moved(100.0, after, "up", "down", "same") for after in (101.0, 103.0, 97.0, 99.0)] == [
        "same",
        "up",
        "down",
        "same",
    ]


# --- from a warehouse, and the committed document ---


def test_the_release_in_force_is_what_is_told(centre: Centre) -> None:
    with centre.engine.connect() as connection, pytest.raises(NothingInForceError):
        read_figures_in_force(connection, CATALOGUE)
    centre.night(*returned_everywhere("employment_annual", "2014", INCOME.level_code, APART))
    centre.load(*returned_everywhere("employment_annual", "2014", INCOME.level_code, 5.0))
    with centre.engine.begin() as connection:
        read = read_figures_in_force(connection, CATALOGUE)
    assert sorted(read["value"]) == APART


@lru_cache(maxsize=1)
def document_of_published_figures() -> str:
    """The document of the published figures alone, without any warehouse."""
    rows: list[Row] = []
    with (FIGURES / "published.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            indicator = CATALOGUE.indicators[row["indicator_code"]]
            factor = CATALOGUE.units[row["printed_unit"], indicator.unit]
            school = "SY" if indicator.frequency == "S" else ""
            rows += [
                (
                    indicator.code,
                    school + year,
                    row["region_code"],
                    row["area_type"],
                    float(f"{float(text) * factor:.12g}"),
                    "A",
                )
                for year, text in row.items()
                if year and year.isdigit() and text
            ]
    base = figures(rows)
    known = pd.concat([base, derive_indicators(base, CATALOGUE), aggregate_nation(base, CATALOGUE)], ignore_index=True)
    return findings_document(of_provinces(known, CATALOGUE), CATALOGUE)


def told(text: str) -> list[str]:
    """A document's lines without those that tell of estimates, and without the hash of its figures."""
    without = ("- Left out:", "Basis:", "Caveats:")
    return [line for line in text.splitlines() if line and not line.startswith(without)]


def test_the_committed_document_is_what_the_published_figures_give() -> None:
    """Where it is not: ``junheng findings --out docs/findings.md`` on a refreshed warehouse, and read what changed."""
    assert told(DOCUMENT.read_text(encoding="utf-8")) == told(document_of_published_figures())
