"""Region codes and names of rows."""

from __future__ import annotations

import pytest

from returns.conform.regions import RegionFault, RegionResolver
from tests.returns.samples import CATALOGUE


def resolve(code: str, name: str, province: str = "510000") -> str | RegionFault:
    return RegionResolver(CATALOGUE).resolve([code], [name], province)[0]


@pytest.mark.parametrize(
    "code", ["510104", "510104000", "510104000000", "510104.0", "510104.00", " 510104 ", "５１０１０４", "510104①"]
)
def test_a_code_is_read_in_every_spelling(code):
    assert resolve(code, "锦江区") == "510104"


@pytest.mark.parametrize("name", ["四川省", "四川", "四　川", "四 川 省*"])
def test_a_province_goes_by_its_full_or_short_name(name):
    assert resolve("510000", name) == "510000"


@pytest.mark.parametrize("code", ["", "5101", "510199", "510104001", "510104000123", "abc", "510104.5"])
def test_a_code_in_no_list_is_not_guessed_from_its_name(code):
    fault = resolve(code, "锦江区")
    assert isinstance(fault, RegionFault)
    assert fault.reason == "unknown_region"
    assert "锦江区" in fault.explanation


def test_a_name_that_is_not_the_codes_own_is_a_sign_of_shifted_rows():
    fault = resolve("510104", "青羊区")
    assert isinstance(fault, RegionFault)
    assert fault.reason == "wrong_region_name"
    assert "锦江区" in fault.explanation
    assert "青羊区" in fault.explanation


def test_a_region_of_another_province_is_refused():
    fault = resolve("110101", "东城区")
    assert isinstance(fault, RegionFault)
    assert fault.reason == "wrong_province"
