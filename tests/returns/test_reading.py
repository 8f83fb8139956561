"""Whole returns in every carrier, with the observations expected beside them."""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd
import pytest

from returns.reading import ReadResult, read_returns
from tests.returns.samples import (
    CATALOGUE,
    Return,
    arrival,
    as_csv,
    as_pages,
    as_workbook,
    grid_rows,
    make_return,
    read,
)

CARRIERS = {
    "workbook": as_workbook,
    "gb18030": as_csv,
    "utf-8": lambda sample: as_csv(sample, "utf-8"),
    "utf-8 with BOM, tabs": lambda sample: as_csv(sample, "utf-8-sig", "\t"),
    "pages": as_pages,
    "pages of one row": lambda sample: as_pages(sample, size=1),
}


def find(result: ReadResult, indicator: str, region: str = "510104", area: str = "") -> dict[str, object]:
    area = area or CATALOGUE.indicators[indicator].area_types[0]
    frame = result.observations
    chosen = frame[
        (frame["indicator_code"] == indicator) & (frame["region_code"] == region) & (frame["area_type"] == area)
    ]
    assert len(chosen) == 1
    return chosen.iloc[0].to_dict()


def position(sample: Return, indicator: str, area: str = "total") -> int:
    return next(
        number
        for number, column in enumerate(sample.columns)
        if (column.indicator_code, column.area) == (indicator, area)
    )


def with_unit(sample: Return, indicator: str, unit: str) -> Return:
    columns = tuple(
        replace(column, unit=unit) if column.indicator_code == indicator else column for column in sample.columns
    )
    return replace(sample, columns=columns)


@pytest.mark.parametrize("carrier", CARRIERS)
def test_every_cell_is_an_observation_with_its_own_headers(carrier):
    sample = make_return()
    result = read(CARRIERS[carrier](sample))
    expected = [
        (column.indicator_code, row[0], "2024", column.area, float(text) * {"亿元": 1e8}.get(column.unit, 1.0))
        for row in sample.rows
        for column, text in zip(sample.columns, row[2:], strict=True)
    ]
    keys = ["indicator_code", "region_code", "period_code", "area_type", "value"]
    assert list(result.observations[keys].itertuples(index=False, name=None)) == expected
    assert result.quarantined.empty
    assert result.verdicts.to_dict("records")[0] | {"problem": None, "explanation": None, "layout": None} == {
        "arrival_id": 1,
        "cells": len(expected),
        "duplicates": 0,
        "problem": None,
        "explanation": None,
        "layout": None,
    }


def test_the_frames_have_the_agreed_columns_and_types():
    result = read(as_workbook(make_return()))
    assert {name: str(kind) for name, kind in result.observations.dtypes.items()} == {
        "arrival_id": "int64",
        "indicator_code": "category",
        "region_code": "category",
        "period_code": "category",
        "area_type": "category",
        "value": "float64",
        "obs_status": "category",
        "last_digit": "float64",
        "address": "str",
        "raw_text": "str",
    }
    assert list(result.quarantined.columns) == [
        "arrival_id",
        "address",
        "raw_text",
        "reason",
        "explanation",
        "explanation_zh",
    ]
    assert list(result.verdicts.columns) == ["arrival_id", "cells", "duplicates", "problem", "explanation", "layout"]
    assert result.verdicts["problem"].isna().all()


@pytest.mark.parametrize(
    ("carrier", "address"),
    [("workbook", "表1!C6"), ("gb18030", "row 6 col 3"), ("pages", "$[0].data.rows[1].f01")],
)
def test_a_figure_has_the_address_of_its_carrier(carrier, address):
    sample = make_return()
    assert find(read(CARRIERS[carrier](sample)), sample.columns[0].indicator_code)["address"] == address


def test_the_address_of_a_later_page_counts_its_own_rows():
    sample = make_return()
    result = read(as_pages(sample, size=1))
    assert find(result, sample.columns[0].indicator_code)["address"] == "$[1].data.rows[0].f01"


def test_an_address_far_right_has_two_letters():
    assert read(as_workbook(make_return())).observations["address"].str.fullmatch(r"表1!A[A-Z]6").sum() > 10


def test_the_unit_of_the_header_gives_the_catalogues_unit():
    sample = with_unit(make_return(), "HLT_BEDS", "万张")
    column = position(sample, "HLT_BEDS")
    cell = find(read(as_workbook(sample.with_cell(1, column, "0.1234e"))), "HLT_BEDS")
    assert (cell["value"], cell["obs_status"], cell["last_digit"], cell["raw_text"]) == (1234.0, "E", 1.0, "0.1234e")


@pytest.mark.parametrize("value", [8364.5, "8364.5", " 8,364.5 ", "８３６４.5"])
def test_a_number_is_the_same_stored_as_number_or_text(value):
    sample = make_return()
    cell = find(read(as_workbook(sample.with_cell(1, 0, value))), sample.columns[0].indicator_code)
    assert (cell["value"], cell["last_digit"]) == (8364.5, 0.1)


def test_a_blank_is_a_missing_figure_and_never_zero():
    sample = make_return().with_cell(1, 0, "")
    for carrier in CARRIERS.values():
        cell = find(read(carrier(sample)), sample.columns[0].indicator_code)
        assert math.isnan(cell["value"])  # type: ignore[arg-type]
        assert math.isnan(cell["last_digit"])  # type: ignore[arg-type]
        assert cell["obs_status"] == "M"


def test_a_blank_last_column_is_still_a_column():
    sample = make_return()
    last = len(sample.columns) - 1
    result = read(as_workbook(sample.with_cell(0, last, "").with_cell(1, last, "")))
    assert len(result.observations) == 2 * len(sample.columns)


def test_a_percentage_is_read_as_printed():
    sample = make_return()
    column = position(sample, "HLT_TOWNSHIP_BED_USE", "rural")
    cell = find(read(as_workbook(sample.with_cell(0, column, "61.5%"))), "HLT_TOWNSHIP_BED_USE", "510000", "rural")
    assert cell["value"] == 61.5


def test_a_scale_in_the_figure_is_applied_where_the_unit_has_none():
    sample = make_return()
    cell = find(read(as_workbook(sample.with_cell(1, position(sample, "HLT_NURSES"), "12.3万"))), "HLT_NURSES")
    assert (cell["value"], cell["last_digit"]) == (123000.0, 1000.0)


@pytest.mark.parametrize(
    ("form", "period", "carrier", "stock_period", "flow_period"),
    [
        ("employment_monthly", "2026-03", as_pages, "2026-03", "2026-M01-M03"),
        ("employment_monthly", "2026-01", as_pages, "2026-01", None),
        ("health_quarterly", "2026-Q1", as_workbook, "2026-Q1", "2026-M01-M03"),
        ("education_school_year", "SY2024", as_workbook, "SY2024", None),
        ("employment_annual", "2024", as_pages, "2024", "2024"),
    ],
)
def test_each_form_gives_its_periods(form, period, carrier, stock_period, flow_period):
    result = read(carrier(make_return(form, period)), form, period)
    assert result.verdicts["problem"].isna().all()
    is_flow = [CATALOGUE.indicators[code].is_cumulative for code in result.observations["indicator_code"]]
    periods = result.observations["period_code"].astype(str)
    flags = pd.Series(is_flow)
    assert set(periods[~flags]) == {stock_period}
    assert set(periods[flags]) == ({flow_period} if flow_period else set())


def test_the_header_is_found_by_its_text_wherever_it_stands():
    sample = make_return()
    rows = grid_rows(sample)
    moved = [rows[0], [""], ["四川省卫生健康委员会"], rows[1], *rows[2:4], [], *rows[4:]]
    result = read(as_workbook(sample, rows=[["", *row] for row in moved]))
    assert result.verdicts["cells"].tolist() == [2 * len(sample.columns)]
    assert find(result, sample.columns[0].indicator_code)["address"] == "表1!D9"


def test_columns_may_stand_in_any_order():
    sample = make_return()
    shuffled = replace(
        sample,
        columns=sample.columns[::-1],
        rows=tuple((*row[:2], *row[:1:-1]) for row in sample.rows),
    )
    keys = ["indicator_code", "region_code", "area_type", "value"]
    read_plain = read(as_workbook(sample)).observations[keys].astype({"value": "float64"})
    read_back = read(as_workbook(shuffled)).observations[keys]
    assert sorted(read_plain.itertuples(index=False)) == sorted(read_back.itertuples(index=False))


def test_line_breaks_spaces_and_half_width_parentheses_in_headers_do_not_matter():
    sample = make_return()
    rows = grid_rows(sample)
    rows[2] = [text.replace("（", "\n(").replace("）", ")").replace("医疗", "医　疗") for text in rows[2]]
    rows[2][0] = "区 划\n代 码"
    assert read(as_workbook(sample, rows=rows)).verdicts["problem"].isna().all()


def test_a_repeated_header_and_blank_rows_are_no_cells():
    sample = make_return()
    rows = grid_rows(sample)
    continued = [*rows[:5], [], *rows[2:4], *rows[5:]]
    result = read(as_workbook(sample, rows=continued))
    assert result.verdicts["cells"].tolist() == [2 * len(sample.columns)]


def test_a_batch_keeps_the_order_of_its_arrivals():
    contents = {"a": as_workbook(make_return()), "b": b"<html>", "c": as_csv(make_return())}
    arrivals = [replace(arrival(number=number), sha256=key) for number, key in ((7, "a"), (3, "b"), (5, "c"))]
    result = read_returns(arrivals, contents.__getitem__, CATALOGUE)
    assert result.verdicts["arrival_id"].tolist() == [7, 3, 5]
    assert result.verdicts["problem"].fillna("").tolist() == ["", "not_a_workbook", ""]
    assert result.observations["arrival_id"].unique().tolist() == [7, 5]


def test_no_arrivals_give_empty_frames():
    result = read_returns([], lambda sha256: b"", CATALOGUE)
    assert (len(result.observations), len(result.quarantined), len(result.verdicts)) == (0, 0, 0)


def test_bytes_that_the_archive_cannot_give_are_a_fault_and_no_quarantine():
    def fail(sha256: str) -> bytes:
        raise FileNotFoundError(sha256)

    with pytest.raises(FileNotFoundError):
        read_returns([arrival()], fail, CATALOGUE)
