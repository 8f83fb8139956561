"""Units as printed, their factor to the catalogue's unit, and where header and caption hold them."""

from __future__ import annotations

import pytest

from returns.conform.units import caption_unit, split_unit, unit_factor
from warehouse.catalogue import load_catalogue

CATALOGUE = load_catalogue()
BEDS, PEOPLE, VISITS, TRAINED = "HLT_BEDS", "POP_RESIDENT", "HLT_TOWNSHIP_CENTRE_VISITS", "EMP_TRAINED_SUBSIDISED"
MONEY, PER_HEAD, SHARE, RATE = "GDP", "INC_DISPOSABLE", "EMP_REGISTERED_UNEMPLOYMENT_RATE", "HLT_BEDS_PER_1000"


@pytest.mark.parametrize(
    ("printed", "indicator", "factor"),
    [
        ("人", PEOPLE, 1.0),
        ("万人", PEOPLE, 1e4),
        ("千人", PEOPLE, 1e3),
        ("person", PEOPLE, 1.0),
        ("张", BEDS, 1.0),
        ("万张", BEDS, 1e4),
        ("张/千人", RATE, 1.0),
        ("人次", VISITS, 1.0),
        ("万人次", VISITS, 1e4),
        ("人次", TRAINED, 1.0),
        ("亿元", MONEY, 1e8),
        ("元/人", PER_HEAD, 1.0),
        ("元／人", PER_HEAD, 1.0),
        ("元", PER_HEAD, 1.0),
        ("%", SHARE, 1.0),
        ("％", SHARE, 1.0),
        ("（%）", SHARE, 1.0),
        ("（ ％ ）", SHARE, 1.0),
        ("万　人", PEOPLE, 1e4),
    ],
)
def test_a_unit_has_its_factor(printed, indicator, factor):
    assert unit_factor(printed, CATALOGUE.indicators[indicator], CATALOGUE) == factor


@pytest.mark.parametrize(
    ("printed", "indicator"),
    [
        ("", PEOPLE),
        ("（）", PEOPLE),
        ("斤", PEOPLE),
        ("人", BEDS),
        ("张", PEOPLE),
        ("万元", PER_HEAD),
        ("‰", SHARE),
        ("‰", RATE),
        ("%", PEOPLE),
        ("张、人", BEDS),
        ("百人", PEOPLE),
    ],
)
def test_a_unit_that_does_not_fit_has_none(printed, indicator):
    assert unit_factor(printed, CATALOGUE.indicators[indicator], CATALOGUE) is None


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("张", "张"),
        ("（%）", "%"),
        ("(万人)", "万人"),
        ("‰", "‰"),
        ("元/人", "元/人"),
        ("万人次", "万人次"),
        (" 亿 元 ", "亿元"),
        ("张；", "张"),
        ("", ""),
        ("（）", ""),
    ],
)
def test_a_caption_of_one_unit_states_it(text, unit):
    assert caption_unit(text) == unit


@pytest.mark.parametrize("text", ["张、人", "万人，亿元", "张;人", "（张、人）", "人,人次"])
def test_a_caption_of_several_units_states_none(text):
    assert caption_unit(text) == ""


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ("卫生技术人员(人)", "卫生技术人员", "人"),
        ("升学率(%)", "升学率", "%"),
        ("人均可支配收入(元/人)", "人均可支配收入", "元/人"),
        ("床位数", "床位数", ""),
        ("床位(含家庭病床)(张)", "床位(含家庭病床)", "张"),
        ("(张)", "(张)", ""),
    ],
)
def test_the_last_parentheses_of_a_header_hold_its_unit(header, name, unit):
    assert split_unit(header) == (name, unit)


def test_no_unit_has_two_factors_for_one_unit_of_the_catalogue():
    assert len({(printed, unit) for printed, unit in CATALOGUE.units}) == len(CATALOGUE.units)
    assert all(factor >= 1 for factor in CATALOGUE.units.values())
