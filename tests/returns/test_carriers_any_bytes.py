"""For any bytes: the readers never raise, never hang, and give a grid whose addresses are its own, or a named error."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from returns.carriers import Grid, read_grid
from returns.errors import CarrierError
from returns.reasons import RETURN_REASONS
from tests.returns.carrier_files import BEDS, biff, compound, cube, dumped, record, series, xls, xlsx, zipped
from tests.returns.test_carriers_markup import page, xml
from tests.returns.test_carriers_text import EXPORT

FILES = {
    "xlsx": xlsx(BEDS),
    "xls": xls(BEDS),
    "xls of one number": compound({"Workbook": biff(record(0x27E, bytes(10)))}),
    "html": page("<tr><td rowspan=2>地区</td><td colspan=2>数</td></tr><tr><td>1</td><td>2</td></tr>"),
    "xml": xml('<Row ss:Index="2"><Cell ss:MergeAcross="2"><Data ss:Type="Number">1</Data></Cell></Row>'),
    "csv": EXPORT.encode("gbk"),
    "csv with quotes": '地区,"床位数\n（张）"\n"注：未完\n北京,1\n'.encode(),
    "zip": zipped({"表.csv": EXPORT.encode(), "页.csv": b"a,1\n"}, "gbk"),
    "zip in zip": zipped({"内.zip": zipped({"表.xls": xls(BEDS)})}),
    "cube": dumped(cube()),
    "series": dumped(series()),
    "records": dumped([{f"f{n}": f"{n}" for n in range(9)}]),
}
HEADS = (
    b"",
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"<html><table>",
    b'[{"a":',
    b"\xff\xfe",
    b"<?xml ?><Workbook ",
)


def check(content: bytes) -> None:
    """A named error, or a grid in which every address is the address of one cell."""
    result = read_grid(content, file_name="报表.xls", encoding="gbk")
    if isinstance(result, CarrierError):
        assert result.reason in RETURN_REASONS
        assert result.explanation
        return
    assert isinstance(result, Grid)
    for sheet in result.sheets:
        assert len(sheet.rows) == len(sheet.row_labels)
        assert all(len(row) <= len(sheet.column_labels) for row in sheet.rows)
        assert all(isinstance(text, str) for row in sheet.rows for text in row)
        for top, left, bottom, right in sheet.merges:
            assert 0 <= top <= bottom
            assert 0 <= left <= right
    addresses = Counter(
        sheet.address(row, column)
        for sheet in result.sheets
        for row, texts in enumerate(sheet.rows)
        for column in range(len(texts))
    )
    if result.carrier in ("workbook", "html", "csv"):
        assert not addresses or max(addresses.values()) == 1


@pytest.mark.parametrize("name", FILES)
def test_every_file_here_is_read(name):
    assert isinstance(read_grid(FILES[name]), Grid)
    check(FILES[name])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_a_file_with_some_bytes_changed_never_raises(name, data):
    content = bytearray(FILES[name])
    changes = st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), min_size=1, max_size=4)
    for place, value in data.draw(changes):
        content[place] = value
    check(bytes(content))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_a_file_cut_off_or_with_a_part_repeated_never_raises(name, data):
    content = FILES[name]
    first = data.draw(st.integers(0, len(content)))
    last = data.draw(st.integers(first, len(content)))
    check(data.draw(st.sampled_from([content[:first], content[first:], content[:last] + content[first:]])))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(HEADS), st.binary(max_size=400))
def test_no_bytes_raise(head, content):
    check(head + content)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                0x0809,
                0x000A,
                0x0006,
                0x00FC,
                0x00FD,
                0x003C,
                0x0085,
                0x0207,
                0x00BD,
                0x007D,
                0x0208,
                0x00E5,
                0x0205,
                0x00E0,
                0x041E,
            ]
        ).flatmap(lambda kind: st.binary(max_size=40).map(lambda body: record(kind, body))),
        max_size=12,
    )
)
def test_no_records_of_an_old_workbook_raise(records):
    check(compound({"Workbook": biff(b"".join(records))}))
    check(compound({"Workbook": biff(record(0x27E, bytes(10)), globals_=b"".join(records))}))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "<table>",
                "</table>",
                "<tr>",
                "<td>",
                "<td colspan=3>",
                "<td rowspan=2>",
                "</td>",
                "1",
                "<br>",
                "<!--",
                "-->",
                "<",
                ">",
                '"',
                "='",
                "<script>",
                "</script>",
                "<p>",
                "&amp;",
                "&#x110000;",
                "<caption>",
                "x",
            ]
        ),
        max_size=25,
    )
)
def test_no_soup_of_tags_raises(tags):
    check(("<html>" + "".join(tags)).encode())


XML_TAGS = (
    "<Row>",
    '<Row ss:Index="3">',
    "</Row>",
    "<Cell>",
    '<Cell ss:Index="2" ss:MergeDown="1">',
    "</Cell>",
    "<Data>",
    "</Data>",
    "1",
    '</Table></Worksheet><Worksheet ss:Name="表2"><Table>',
    "<Cell><Data>7</Data></Cell>",
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(XML_TAGS), max_size=12))
def test_no_workbook_of_xml_raises(tags):
    check(xml("".join(tags)))


@pytest.mark.parametrize("rows", ["<Data>1</Data>", "<Row><Cell/><Data>1</Data></Row>"])
def test_a_value_outside_of_any_cell_of_xml_is_named(rows):
    error = read_grid(xml(rows))
    assert isinstance(error, CarrierError)
    assert "outside of any cell" in error.explanation


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from('a1,"\n\t;\r．- '), max_size=60))
def test_no_text_is_lost_between_quotes(text):
    """Every letter and digit of a delimited text stands in some cell."""
    result = read_grid(text.encode())
    if isinstance(result, Grid):
        kept = Counter("".join(cell for row in result.sheets[0].rows for cell in row))
        assert all(kept[sign] == text.count(sign) for sign in "a1．-")
