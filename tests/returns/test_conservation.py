"""Invariant 1: cells = observations + quarantined + repeats, for any return whatever stands in its cells."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.returns.samples import as_csv, as_pages, as_workbook, grid_rows, make_return, read

COLUMNS = len(make_return().columns)
STUBS = [
    ("510000", "四川省"),
    ("510104", "锦江区"),
    ("510105", "青羊区"),
    ("510199", "无"),
    ("110101", "东城区"),
    ("", ""),
]
JUNK = st.one_of(
    st.sampled_from(["", "12", "12e", "—", "…", "约12", "=A1", "1e999", "12%", "3万", "区划代码", "注：", " ", "1,2"]),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=6),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)
CHANGES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, COLUMNS - 1), JUNK), max_size=12)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from(STUBS), min_size=4, max_size=4),
    CHANGES,
    st.sampled_from([as_workbook, as_csv, as_pages]),
)
def test_no_cell_is_lost(stubs, changes, carrier):
    sample = make_return(stubs=stubs)
    for row, column, text in changes:
        sample = sample.with_cell(row, column, text)
    result = read(carrier(sample))
    (verdict,) = result.verdicts.to_dict("records")
    assert verdict["problem"] != verdict["problem"] or verdict["problem"] is None
    assert verdict["cells"] == len(stubs) * COLUMNS
    assert verdict["cells"] == len(result.observations) + len(result.quarantined) + verdict["duplicates"]
    addresses = [*result.observations["address"], *result.quarantined["address"]]
    assert len(set(addresses)) == len(addresses)
    assert set(result.quarantined["explanation"].str.startswith("510000/health")) <= {True}


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, COLUMNS + 2), JUNK), max_size=6),
    st.permutations(range(9)),
    st.sampled_from([as_workbook, as_csv]),
)
def test_any_disorder_of_rows_and_texts_ends_in_a_verdict(changes, order, carrier):
    sample = make_return()
    rows = list(grid_rows(sample))
    for row, column, text in changes:
        if row < len(rows):
            rows[row] = [*rows[row], ""]
            rows[row][min(column, len(rows[row]) - 1)] = text
    rows = [rows[number] for number in order if number < len(rows)]
    if carrier is as_workbook:
        result = read(as_workbook(sample, rows=rows))
    else:
        result = read(
            "\n".join("\t".join(text.replace('"', "").replace("\t", "") for text in row) for row in rows).encode()
        )
    (verdict,) = result.verdicts.to_dict("records")
    assert verdict["cells"] == len(result.observations) + len(result.quarantined) + verdict["duplicates"]
