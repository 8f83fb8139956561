"""Raw texts to numbers, status and precision."""

from __future__ import annotations

import math
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given
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
        ("85.2 a）b）", 85.2, 0.1, "A"),
        ("85.2¹", 85.2, 0.1, "A"),
        ("85.2 ²³", 85.2, 0.1, "A"),
        ("85.2⁽¹⁾", 85.2, 0.1, "A"),
        ("85.2㉑", 85.2, 0.1, "A"),
        ("85.2［1］", 85.2, 0.1, "A"),
        ("85.2①*", 85.2, 0.1, "P"),
        ("85.2*①", 85.2, 0.1, "P"),
        ("85.2b", 85.2, 0.1, "B"),
        ("85.2 n", 85.2, 0.1, "N"),
        ("85.2f", 85.2, 0.1, "F"),
        ("12\u2009345.6", 12345.6, 0.1, "A"),
        ("12\u00a0345", 12345.0, 1.0, "A"),
        ("12\u202f345", 12345.0, 1.0, "A"),
        ("１，２３４，５６７．８", 1234567.8, 0.1, "A"),
        ("12.3\t", 12.3, 0.1, "A"),
        ("\ufeff12.3\u200b", 12.3, 0.1, "A"),
        ("'12.30", 12.3, 0.01, "A"),
        ("’-12", -12.0, 1.0, "A"),
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


@pytest.mark.parametrize(
    ("text", "scale"),
    [
        ("12.3千", 1e3),
        ("12.3万", 1e4),
        ("12.3百万", 1e6),
        ("12.3千万", 1e7),
        ("12.3 亿", 1e8),
        ("12.3百亿", 1e10),
        ("12.3千亿", 1e11),
        ("12.3万亿", 1e12),
        ("12.3", 1.0),
    ],
)
def test_a_scale_of_the_figure_itself_is_kept_beside_it(text, scale):
    read = figures(text)
    assert (read.value[0], read.scale[0]) == (12.3, scale)


def test_a_percent_sign_is_remembered():
    assert figures("12.3%", "１２.3％", "12.3").is_percent.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", "M"),
        ("  ", "M"),
        ("　", "M"),
        ("\u00a0", "M"),
        ("\t", "M"),
        ("\u200b", "M"),
        ("…①", "L"),
        ("…", "L"),
        ("...", "L"),
        ("……", "L"),
    ],
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


NO_NUMBERS = ">5 <5 ≤5 12‰ 12.3万人 123张 12元 ¥12 N/A x 无 12万万 10² 1.2×10^5 ¹ ²12 12½ 12⒈ ٣٤ ' '① 12'5 12(1) 约12 inf Infinity nan 1e999 1,23 --3 1.2.3 12ee e ① 12e万 (1,2) TRUE 0x10 12人 (12 1_000 九百 2024-03-01"


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


@given(
    st.integers(0, 10**9),
    st.integers(0, 4),
    st.sampled_from([",", "，", " ", "\u00a0", "\u2009", "\u202f", "　"]),
    st.sampled_from(["", "-", "−", "－", "("]),
    st.sampled_from(["", "①", "¹", "²³", " a)", "[1]", "㉑"]),
    st.sampled_from(["", "\t", " ", "\u200b"]),
)
def test_a_grouped_number_comes_back_with_any_separator_sign_and_footnote(
    number, decimals, separator, sign, footnote, end
):
    value = number / 10**decimals
    text = f"{value:,.{decimals}f}".replace(",", separator)
    text = f"({text})" if sign == "(" else sign + text
    read = figures(text + footnote + end)
    if (number, decimals) == (10, 0) and footnote in ("¹", "²³") and sign != "(":
        assert read.fault[0] == NOT_A_NUMBER  # a power of ten, or a footnote: nobody knows
        return
    assert read.fault[0] == NO_FAULT
    assert read.value[0] == (-value if sign else value)
    assert read.last_digit[0] == pytest.approx(10.0**-decimals)


def test_no_character_added_to_a_number_makes_another_number():
    """Among them every digit that is none of ours: ² ½ Ⅻ ⒈ ٣ 𝟏."""
    ours = set("0123456789０１２３４５６７８９")
    added = [character for character in map(chr, range(1, 0x20000)) if character not in ours]
    texts = [text for character in added if character.isprintable() for text in (f"12{character}", f"{character}12")]
    read = figures(*texts)
    is_number = read.fault == NO_FAULT
    assert np.isin(read.value[is_number], [12.0, -12.0, 0.12]).all()
    points = [text for text, value in zip(texts, read.value.tolist(), strict=True) if value == 0.12]
    assert {unicodedata.normalize("NFKC", text) for text in points} == {".12"}


@given(
    st.decimals(min_value=0, max_value=10**6, places=1),
    st.text(st.characters(categories=["L"]), min_size=1, max_size=4),
    st.booleans(),
)
def test_a_number_with_other_letters_is_a_fault(number, letters, is_before):
    known = {"e", "p", "r", "b", "n", "f", "千", "万", "亿", "百万", "千万", "百亿", "千亿", "万亿"}
    plain = unicodedata.normalize("NFKC", letters)
    assume(plain not in known and not any(plain == scale + mark for scale in known for mark in "eprbnf"))
    assert figures(f"{letters}{number}" if is_before else f"{number}{letters}").fault[0] == NOT_A_NUMBER


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


@pytest.mark.parametrize("text", ["0,123", "１０²"])
def test_what_no_office_prints_for_a_number_is_none(text):
    assert read_figures(pa.array([text])).fault[0] == NOT_A_NUMBER
