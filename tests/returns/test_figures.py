"""Raw texts to numbers, status and precision."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns.conform.figures import DASH, FORMULA, NO_FAULT, NOT_A_NUMBER, STATUSES, Figures, read_figures, round_noise


def figures(*texts: str) -> Figures:
    return read_figures(pa.array(texts, pa.string()))


@pytest.mark.parametrize(
    ("text", "value", "last_digit", "status"),
    [
        ("8364", 8364.0, 1.0, "A"),
        ("8364.0", 8364.0, 0.1, "A"),
        ("-3.25", -3.25, 0.01, "A"),
        ("+3", 3.0, 1.0, "A"),
        (".5", 0.5, 0.1, "A"),
        ("１２３４．５", 1234.5, 0.1, "A"),
        ("1,234.5", 1234.5, 0.1, "A"),
        ("１，２３４", 1234.0, 1.0, "A"),
        ("1 234 567", 1234567.0, 1.0, "A"),
        (" 　12.3 ", 12.3, 0.1, "A"),
        ("−12.3", -12.3, 0.1, "A"),
        ("(12.3)", -12.3, 0.1, "A"),
        ("（12.3）", -12.3, 0.1, "A"),
        ("1.2E+05", 120000.0, 10000.0, "A"),
        ("1.2e-3", 0.0012, 0.0001, "A"),
        ("1234.5678e", 1234.5678, 0.0001, "E"),
        ("1.5e3e", 1500.0, 100.0, "E"),
        ("12.5 p", 12.5, 0.1, "P"),
        ("12*", 12.0, 1.0, "P"),
        ("12r", 12.0, 1.0, "A"),
        ("85.2①", 85.2, 0.1, "A"),
        ("85.2a)", 85.2, 0.1, "A"),
        ("85.2[1]", 85.2, 0.1, "A"),
        ("46.6000000000001", 46.6000000000001, 0.1, "A"),
    ],
)
def test_a_figure_is_read_with_its_precision_and_status(text, value, last_digit, status):
    read = figures(text)
    assert read.fault[0] == NO_FAULT
    assert read.value[0] == value
    assert read.last_digit[0] == pytest.approx(last_digit, rel=1e-12)
    assert STATUSES[read.status[0]] == status


@pytest.mark.parametrize(("text", "scale"), [("12.3万", 1e4), ("12.3 亿", 1e8), ("12.3万亿", 1e12), ("12.3", 1.0)])
def test_a_scale_of_the_figure_itself_is_kept_beside_it(text, scale):
    read = figures(text)
    assert (read.value[0], read.scale[0]) == (12.3, scale)


def test_a_percent_sign_is_remembered():
    assert figures("12.3%", "１２.3％", "12.3").is_percent.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("text", "status"), [("", "M"), ("  ", "M"), ("　", "M"), ("…", "L"), ("...", "L"), ("……", "L")]
)
def test_blank_is_missing_and_dots_are_below_detection(text, status):
    read = figures(text)
    assert read.fault[0] == NO_FAULT
    assert math.isnan(read.value[0])
    assert STATUSES[read.status[0]] == status


@pytest.mark.parametrize("text", ["-", "—", "–", "——", "－", "/", "N"])
def test_a_dash_is_left_to_the_layout(text):
    assert figures(text).fault[0] == DASH


@pytest.mark.parametrize("text", ["=A1+B1", "=", "#DIV/0!", "#N/A", "#REF!"])
def test_a_formula_is_no_figure(text):
    assert figures(text).fault[0] == FORMULA


NO_NUMBERS = "约12 inf Infinity nan 1e999 1,23 --3 1.2.3 12ee e ① 12e万 (1,2) TRUE 0x10 12人 (12 1_000 九百 2024-03-01"


@pytest.mark.parametrize("text", [*NO_NUMBERS.split(), "12 34", "\x00", "1" * 400])
def test_anything_else_is_not_a_number(text):
    read = figures(text)
    assert read.fault[0] == NOT_A_NUMBER
    assert math.isnan(read.value[0])


@given(
    st.integers(-(10**11), 10**11),
    st.integers(0, 6),
    st.sampled_from(["", "e", "p", "r", "*"]),
    st.sampled_from(["plain", "grouped", "full-width", "padded", "parentheses"]),
)
def test_a_formatted_number_comes_back(number, decimals, mark, style):
    value = number / 10**decimals
    text = f"{value:,.{decimals}f}" if style == "grouped" else f"{value:.{decimals}f}"
    if style == "parentheses" and number < 0:
        text = f"({text[1:]})"
    if style == "full-width":
        text = text.translate(str.maketrans("0123456789.", "０１２３４５６７８９．"))
    text = f"　{text}{mark} " if style == "padded" else text + mark
    read = figures(text)
    assert read.fault[0] == NO_FAULT
    assert read.value[0] == value
    assert read.last_digit[0] == pytest.approx(10.0**-decimals)
    assert STATUSES[read.status[0]] == {"e": "E", "p": "P", "*": "P"}.get(mark, "A")


@given(st.lists(st.text(max_size=12)))
def test_reading_never_raises_and_never_gives_a_number_with_a_fault(texts):
    read = figures(*[text.encode("utf-8", "replace").decode() for text in texts])
    assert len(read.value) == len(texts)
    assert np.isnan(read.value[read.fault != NO_FAULT]).all()
    assert not np.isinf(read.value).any()


def test_noise_of_the_unit_factor_is_rounded_away():
    assert round_noise(np.array([46.6000000000001, 1.1 * 1e4, 0.1 + 0.2, 0.0, -0.0, np.nan]))[:5].tolist() == [
        46.6,
        11000.0,
        0.3,
        0.0,
        0.0,
    ]


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=2), st.sampled_from([1.0, 1e4, 1e8]))
def test_rounding_gives_the_nearest_double_of_the_decimal(printed, factor):
    expected = float(f"{float(printed * int(factor)):.12g}")
    assert round_noise(np.array([float(printed) * factor]))[0] == expected
