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


@pytest.mark.parametrize("code", ["5101", "510199", "510104001", "510104000123", "abc", "510104.5"])
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


# --- by name ---


def resolve_rows(*names: str, province: str = "", period: str = "2019") -> list[str | RegionFault]:
    """Rows of a table without codes."""
    return RegionResolver(CATALOGUE).resolve([""] * len(names), list(names), province, period)


def reasons(rows: list[str | RegionFault]) -> list[str]:
    return [row.reason if isinstance(row, RegionFault) else row for row in rows]


def test_provinces_go_by_short_and_spaced_names():
    assert resolve_rows("北　京", "河北", "内蒙古", "广西壮族自治区", "新疆\nXinjiang") == [
        "110000", "130000", "150000", "450000", "650000"
    ]  # fmt: skip


def test_a_county_is_found_under_its_prefecture():
    assert resolve_rows("江苏省", "南京市", "　鼓楼区", "徐州市", "　鼓楼区") == [
        "320000", "320100", "320106", "320300", "320302"
    ]  # fmt: skip


def test_a_name_of_several_regions_is_not_guessed():
    (fault,) = resolve_rows("鼓楼区")
    assert isinstance(fault, RegionFault)
    assert fault.reason == "ambiguous_region"
    assert "320106" in fault.explanation


def test_a_name_is_looked_for_in_the_platforms_province_only():
    assert reasons(resolve_rows("锦江区", "鼓楼区", province="510000")) == ["510104", "unknown_region"]


@pytest.mark.parametrize("name", ["合计", "全省", "总　计"])
def test_the_total_of_a_province_is_the_province(name):
    assert resolve_rows(name, province="510000") == ["510000"]
    assert resolve("510000", name) == "510000"


@pytest.mark.parametrize("name", ["全国", "全国总计", "东部地区", "西部", "东北地区", "合计"])
def test_the_nation_and_its_groups_are_computed_and_not_loaded(name):
    assert reasons(resolve_rows(name)) == ["computed_here"]


def test_the_code_of_the_nation_is_computed_and_not_loaded():
    assert reasons([resolve("000000", "全国", province="")]) == ["computed_here"]


def test_a_row_without_code_and_name_is_no_region():
    assert reasons(resolve_rows("")) == ["unknown_region"]


def test_the_corps_in_xinjiang_is_a_reporting_unit_of_its_own():
    assert resolve_rows("新疆维吾尔自治区", "新疆生产建设兵团") == ["650000", "659900"]
    assert resolve("660000", "新疆生产建设兵团", province="650000") == "659900"
    (region,) = [row for row in CATALOGUE.region_rows if row.region_code == "659900"]
    assert (region.region_level, region.is_county_unit) == ("prefecture", False)
    assert "659900" not in CATALOGUE.provinces


def test_a_letter_that_looks_like_another_is_read_as_meant():
    assert resolve("130981", "泊头巿", province="130000") == "130981"


# --- through time ---


def at(code: str, name: str, period: str, province: str = "370000") -> str | RegionFault:
    return RegionResolver(CATALOGUE).resolve([code], [name], province, period)[0]


def test_a_code_whose_end_is_a_dated_change_stays_as_reported():
    assert at("371202", "莱城区", "2022") == "371202"


OUTDATED = next(
    region
    for region in CATALOGUE.region_rows
    if region.valid_to is not None
    and region.valid_to.year == 2010
    and region.region_level == "county"
    and region.region_code not in {change.from_code for change in CATALOGUE.region_changes}
)


@pytest.mark.parametrize("period", ["2010", "2011", "2011-12", "2013", "2024"])
def test_a_code_that_ended_without_a_trace_stays_as_reported(period):
    """Never guessed and never lost: on today's map it is unmapped."""
    assert at(OUTDATED.region_code, OUTDATED.name_zh, period, OUTDATED.region_code[:2] + "0000") == OUTDATED.region_code


@pytest.mark.parametrize(("period", "is_taken"), [("2010", True), ("2011", True), ("2011-12", True), ("2013", False)])
def test_a_name_alone_of_a_region_that_ended_without_a_trace_may_be_used_for_another_year(period, is_taken):
    found = at("", OUTDATED.name_zh, period, OUTDATED.region_code[:2] + "0000")
    if is_taken:
        assert found == OUTDATED.region_code
    else:
        assert isinstance(found, RegionFault)
        assert found.reason == "outdated_region"
        assert str(OUTDATED.valid_to) in found.explanation


def test_a_code_that_came_later_than_the_period_is_a_restated_table():
    assert at("370116", "莱芜区", "2015") == "370116"


def test_a_renamed_region_goes_by_either_name():
    for change in CATALOGUE.region_changes:
        if change.kind == "rename" and change.from_code == change.to_code:
            for name in (change.from_name, change.to_name):
                assert at(change.to_code, name, "2015", change.to_code[:2] + "0000") == change.to_code


def test_of_two_regions_of_one_name_the_one_in_force_is_meant():
    [new] = resolve_rows("钱塘区", province="330000", period="2022")
    assert new == "330114"


def test_a_county_of_elsewhere_ends_the_prefecture_above():
    resolver = RegionResolver(CATALOGUE)
    rows = resolver.resolve(
        ["320100", "320102", "320322", ""], ["南京市", "玄武区", "沛县", "鼓楼区"], "320000", "2024"
    )
    assert reasons(rows) == ["320100", "320102", "320322", "ambiguous_region"]


def test_jilin_in_its_own_table_may_be_the_province_or_the_city():
    assert reasons(resolve_rows("长春", "吉林", province="220000")) == ["220100", "ambiguous_region"]
    assert resolve_rows("辽宁", "吉林") == ["210000", "220000"]


def test_of_a_name_with_an_old_and_a_new_code_the_one_in_force_is_meant():
    assert resolve_rows("合肥市", "庐江县", province="340000", period="2024") == ["340100", "340124"]


def test_a_total_merged_over_code_and_name_is_the_provinces():
    assert resolve("合计", "", province="510000") == "510000"
