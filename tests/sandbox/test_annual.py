"""The provincial years: published figures untouched, made parts scaled, nothing where nothing can be."""

import csv

import numpy as np
import pytest

from sandbox.annual import STATUS_BLANK, STATUS_ESTIMATED, STATUS_PUBLISHED
from sandbox.periods import ReturnPeriod
from sandbox.published import FIRST_YEAR
from sandbox.reference import FIGURES
from sandbox.tables import TableMaker


def value(maker: TableMaker, label: str, region_code: str, year: int) -> float:
    province = maker.reference.province_by_code[region_code]
    return float(maker.annual.of(label)[province.position, year - FIRST_YEAR])


def test_every_published_figure_is_served_unchanged_as_printed(maker: TableMaker) -> None:
    tables: dict[tuple[str, str, int], dict[str, str]] = {}
    compared = 0
    with (FIGURES / "published.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    for row in rows:
        series = maker.reference.by_label[f"{row['indicator_code']}@{row['area_type']}"]
        form = maker.reference.forms[
            next(f for f in series.indicator.forms if maker.reference.forms[f].frequency in "AS")
        ]
        for year in range(2010, 2025):
            key = (form.code, row["region_code"], year)
            if key not in tables:
                province = maker.reference.province_by_code[row["region_code"]]
                served = maker.make(form, province, ReturnPeriod(year, 12, form.frequency))
                labels = [each.label for each in maker.reference.form_series(form.code)]
                tables[key] = dict(zip(labels, served.rows[0], strict=True))
            if row[str(year)]:
                assert tables[key][series.label] == row[str(year)]
                compared += 1
    assert compared > 23_000


def test_newest_capture_of_a_re_based_population_stands(maker: TableMaker) -> None:
    assert value(maker, "POP_RESIDENT@total", "440000", 2019) == 124_890_000


def test_noise_of_binary_fractions_is_gone(maker: TableMaker) -> None:
    texts = [text for text in maker.annual.texts.ravel().tolist() if text]
    assert max(len(text.replace(".", "").lstrip("0")) for text in texts) <= 12


def test_values_stand_in_the_unit_of_the_catalogue(maker: TableMaker) -> None:
    assert value(maker, "HLT_BEDS@total", "510000", 2024) == 714_900
    assert value(maker, "GDP@total", "110000", 2024) == 4_984_310_000_000


@pytest.mark.parametrize("code", ["POP_RESIDENT", "HLT_BEDS", "DIG_BROADBAND", "EDU_PRIMARY_PUPILS", "TOWNSHIPS"])
def test_made_parts_sum_to_their_total(maker: TableMaker, code: str) -> None:
    urban, rural, total = (
        maker.annual.of(f"{code}@{area}")[:, 2020 - FIRST_YEAR :] for area in ("urban", "rural", "total")
    )
    assert (urban + np.nan_to_num(rural) == total).all()


def test_published_parts_are_not_scaled_to_a_newer_total(maker: TableMaker) -> None:
    parts = value(maker, "POP_RESIDENT@urban", "440000", 2019) + value(maker, "POP_RESIDENT@rural", "440000", 2019)
    assert parts == 115_210_000


def test_years_before_a_series_begins_are_blank(maker: TableMaker) -> None:
    series = maker.reference.by_label["PEN_RESIDENT_INSURED@total"]
    assert (maker.annual.status[series.position][:, :2] == STATUS_BLANK).all()
    assert (maker.annual.status[series.position][:, 2] == STATUS_PUBLISHED).all()


def test_a_gap_between_published_years_is_interpolated_and_estimated(maker: TableMaker) -> None:
    series = maker.reference.by_label["HLT_VILLAGES_WITH_CLINIC_SHARE@rural"]
    before, gap, after = (value(maker, series.label, "110000", year) for year in (2015, 2016, 2017))
    assert gap == pytest.approx((before + after) / 2, abs=0.01)
    assert maker.annual.status[series.position, 0, 2016 - FIRST_YEAR] == STATUS_ESTIMATED


@pytest.mark.parametrize(("area", "mean"), [("urban", 798.1), ("rural", 593.9)])
def test_minimum_living_allowance_reaches_the_national_means_of_2024(maker: TableMaker, area: str, mean: float) -> None:
    year = 2024 - FIRST_YEAR
    standards, recipients = (maker.annual.of(f"{code}@{area}")[:, year] for code in ("DIB_STANDARD", "DIB_RECIPIENTS"))
    assert np.average(standards, weights=recipients) == pytest.approx(mean, abs=0.5)


def test_what_cannot_exist_stays_blank(maker: TableMaker) -> None:
    assert np.isnan(value(maker, "HLT_TOWNSHIP_CENTRES@rural", "310000", 2024))
    assert np.isnan(value(maker, "HLT_BEDS@rural", "110000", 2024))


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        ("EMP_SERVICE_TOWNSHIPS@rural", "TOWNSHIPS@rural"),
        ("ELD_BEDS_NURSING@urban", "ELD_BEDS@urban"),
        ("HLT_COUNTY_HOSPITALS_TELEMEDICINE@total", "HLT_COUNTY_HOSPITALS@total"),
        ("EDU_SCHOOLS_ONLINE@total", "EDU_SCHOOLS@total"),
    ],
)
def test_an_of_which_is_at_most_its_whole(maker: TableMaker, part: str, whole: str) -> None:
    parts, wholes = maker.annual.of(part), maker.annual.of(whole)
    assert (parts[~np.isnan(parts)] <= wholes[~np.isnan(parts)]).all()


def test_rates_stay_within_a_hundred_percent(maker: TableMaker) -> None:
    for series in maker.reference.series:
        if series.indicator.unit == "percent":
            assert np.nanmax(maker.annual.of(series.label)[:, 15:]) <= 100.0


def test_some_provinces_miss_a_floor_and_most_do_not(maker: TableMaker) -> None:
    year = 2025 - FIRST_YEAR
    ratio = maker.annual.of("EDU_JUNIOR_PUPILS@total")[:, year] / maker.annual.of("EDU_JUNIOR_TEACHERS@total")[:, year]
    assert 2 <= (ratio > 13.5).sum() <= 15
    funds = maker.annual.of("EDU_JUNIOR_PUBLIC_FUNDS@rural")[:, year]
    assert 1 <= (funds < 940).sum() <= 12


def test_reported_rates_by_area_average_to_the_total_after_the_break(maker: TableMaker) -> None:
    province = maker.reference.province_by_code["410000"]
    counties = maker.reference.counties
    people, is_district = counties.population["total"][province.counties], counties.is_district[province.counties]
    urban_share = people[is_district].sum() / people.sum()
    urban, rural, total = (value(maker, f"HLT_NURSES_PER_10K@{a}", "410000", 2023) for a in ("urban", "rural", "total"))
    assert urban_share * urban + (1 - urban_share) * rural == pytest.approx(total, abs=0.02)


def test_another_seed_moves_what_is_made_and_nothing_that_is_published(maker: TableMaker) -> None:
    other = TableMaker(seed=2).annual
    is_published = maker.annual.status == STATUS_PUBLISHED
    assert (other.values[is_published] == maker.annual.values[is_published]).all()
    townships = maker.reference.by_label["TOWNSHIPS@rural"].position
    assert (other.values[townships, :, 14] != maker.annual.values[townships, :, 14]).any()
