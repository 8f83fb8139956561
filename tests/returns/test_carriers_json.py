"""JSON of each shape: records with and without a description of their columns, and the statistics office's two."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from returns.carriers import answers
from returns.carriers.statistics import LONG_HEADER
from tests.returns.carrier_files import cube, dumped, grid_of, problem_of, series, text_at, texts_of

RECORDS = [{"code": "510104", "name": "锦江区", "beds": 1234.50}, {"code": "510105", "name": "青羊区", "beds": None}]


def test_a_plain_list_of_records_has_its_keys_for_a_header():
    grid = grid_of(dumped(RECORDS))
    assert grid.carrier == "json_pages"
    assert texts_of(grid) == [["code", "name", "beds"], ["510104", "锦江区", "1234.5"], ["510105", "青羊区", ""]]
    assert text_at(grid, "$[0].beds") == "1234.5"


@pytest.mark.parametrize("key", ["rows", "records", "list"])
def test_an_envelope_without_columns_has_the_keys_of_its_records(key):
    answer = {"code": 0, "msg": "ok", "data": {"total": 2, "title": "床位数", key: RECORDS}}
    grid = grid_of(dumped(answer))
    assert texts_of(grid)[:2] == [["床位数"], ["code", "name", "beds"]]
    assert text_at(grid, f"$[0].data.{key}[0].beds") == "1234.5"


def test_an_envelope_may_hold_its_records_directly():
    grid = grid_of(dumped({"code": 0, "data": RECORDS}))
    assert text_at(grid, "$[0].data[1].name") == "青羊区"


def test_a_key_that_some_records_lack_is_blank_there():
    grid = grid_of(dumped([{"code": "1"}, {"code": "2", "beds": 7}]))
    assert texts_of(grid) == [["code", "beds"], ["1", ""], ["2", "7"]]


def test_pages_may_be_one_a_line_or_written_over_many_lines():
    pages = [{"code": 0, "data": {"total": 2, "page": n + 1, "rows": [record]}} for n, record in enumerate(RECORDS)]
    import json

    one_a_line = b"\n".join(dumped(page) for page in pages)
    pretty = "\r\n".join(json.dumps(page, indent=2, ensure_ascii=False) for page in pages).encode()
    assert texts_of(grid_of(one_a_line)) == texts_of(grid_of(pretty)) == texts_of(grid_of(dumped(RECORDS)))


def test_a_figure_keeps_the_digits_it_was_sent_with():
    grid = grid_of(b'[{"a":12.30,"b":1e400,"c":' + b"9" * 400 + b',"d":-0.0,"e":NaN}]')
    assert texts_of(grid)[1] == ["12.30", "1e400", "9" * 400, "-0.0", "NaN"]


def test_a_cube_is_one_long_sheet_of_printed_figures():
    grid = grid_of(dumped(cube()))
    assert grid.carrier == "json_cube"
    assert texts_of(grid) == [
        list(LONG_HEADER),
        ["A0O0B", "医疗卫生机构床位数", "万张", "110000", "北京市", "2024", "13.46"],
        ["A0O0B", "医疗卫生机构床位数", "万张", "120000", "天津市", "2024", ""],
    ]
    assert text_at(grid, "$.returndata.datanodes[0].data") == "13.46"


def test_a_cube_of_the_nation_has_no_region():
    nodes = [
        {
            "code": "x",
            "data": {"hasdata": True, "strdata": "7"},
            "wds": [{"wdcode": "zb", "valuecode": "A"}, {"wdcode": "sj", "valuecode": "2019B"}],
        }
    ]
    assert texts_of(grid_of(dumped(cube(nodes))))[1] == ["A", "", "", "", "", "2019B", "7"]


def test_series_are_one_long_sheet():
    grid = grid_of(dumped(series()))
    assert grid.carrier == "json_series"
    assert texts_of(grid) == [
        list(LONG_HEADER),
        ["5b1f", "地区生产总值 (亿元) ", "亿元", "110000000000", "北京市", "2025YY", "52073.4"],
        ["5b1f", "地区生产总值 (亿元) ", "亿元", "120000000000", "天津市", "2025YY", ""],
    ]
    assert text_at(grid, "$.data[0].values[1].value") == ""


@pytest.mark.parametrize(
    ("answer", "address"), [(cube(), "$[1].returndata.datanodes[0].data"), (series(), "$[1].data[0].values[0].value")]
)
def test_several_answers_are_told_apart_by_their_number(answer, address):
    grid = grid_of(dumped(answer) + b"\n" + dumped(answer))
    assert len(grid.sheets[0].rows) == 5
    assert text_at(grid, address)


def test_series_without_any_period_are_a_table_without_rows():
    assert texts_of(grid_of(dumped(series(data=[])))) == [list(LONG_HEADER)]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"returncode": 501, "returndata": "系统繁忙"}, "reports error 501: 系统繁忙"),
        ({"state": 50000, "message": "参数错误", "data": []}, "reports error 50000: 参数错误"),
        ({"code": 401, "msg": "token expired", "data": None}, "reports error 401: token expired"),
        ({"code": "500"}, "reports error 500"),
        ({"success": False, "message": "无权限"}, "reports an error: 无权限"),
        ({"error": "invalid_token", "error_description": "expired"}, "reports an error: invalid_token"),
    ],
)
def test_an_error_inside_the_answer_is_named(answer, says):
    error = problem_of(dumped(answer))
    assert error.reason == "error_answer"
    assert says in error.explanation


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (cube(returndata={"wdnodes": []}), "no list of datanodes"),
        (cube([{"wds": []}]), "no data, indicator or period"),
        (cube([{"data": {}, "wds": [{"wdcode": "ly", "valuecode": "1"}]}]), "the dimension 'ly' that is unknown"),
        (series(data=[{"code": "2025YY", "values": [{"da": "1"}]}]), "has no value"),
        (series(data=[{"values": []}]), "has no code"),
        ([RECORDS[0], 7], "no list of rows"),
        ([[]], "no list of rows"),
        ([{}], "no record with a field"),
    ],
)
def test_an_answer_of_another_shape_is_named(answer, says):
    error = problem_of(dumped(answer))
    assert error.reason == "broken_page"
    assert says in error.explanation


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (dumped(cube())[:-20], "is no JSON, or cut off"),
        (dumped(series()) + b"\n" + dumped(series())[:-9], "page 2 of the answer is no JSON, or cut off"),
        (dumped(cube()).replace(b'"hasdata"', b'"data"'), "field 'data' stands twice"),
        (dumped(series(note="x")).replace(b'"x"', b'"\\udfff"'), "half a character"),
    ],
)
def test_an_answer_that_is_damaged_is_named(content, says):
    error = problem_of(content)
    assert error.reason == "broken_page"
    assert says in error.explanation


def test_an_answer_in_another_encoding_is_read_where_the_register_says_so():
    content = '[{"地区":"北京"}]'.encode("gbk")
    assert problem_of(content).reason == "broken_page"
    assert texts_of(grid_of(content, encoding="gbk")) == [["地区"], ["北京"]]
    assert texts_of(grid_of('[{"地区":"北京"}]'.encode("utf-16"))) == [["地区"], ["北京"]]


@pytest.mark.parametrize(
    "fields",
    [
        '"f8":"8","f8":"9"',
        '"f8":"8","f8" :"9"',
        '"f8":"8","f8"\\n:"9"',
        '"f8":{"a":1,"a":2}',
        '"f8":[{"a":1,"a":2}]',
        '"f8":"\\":","f8" :"9"',
    ],
)
def test_a_field_that_stands_twice_is_found_in_long_records_too(fields):
    record = "{" + ",".join(f'"f{n}":"{n}"' for n in range(8)) + "," + fields.replace("\\n", "\n") + "}"
    error = problem_of(f"[{record}]".encode())
    assert error.reason == "broken_page"
    assert "stands twice" in error.explanation


def test_long_records_with_escapes_and_nested_values_are_read():
    record = {f"f{n}": f"{n}" for n in range(12)} | {"note": '城":乡', "list": [{"a": 1}]}
    assert texts_of(grid_of(dumped([record])))[1][-2:] == ['城":乡', '[{"a": "1"}]']


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=3), st.sampled_from([",", ", "]), st.booleans())
def test_whoever_decodes_an_answer_it_is_the_same(documents, comma, is_ascii):
    lines = [json.dumps(each, ensure_ascii=is_ascii, separators=(comma, ":")) for each in documents]
    text = "\n".join(lines)
    quick = answers._decode_lines(text.encode("utf-8", "surrogatepass"))
    assert quick in ([], answers._decode(text, answers._CAREFUL))


def test_an_answer_of_texts_is_decoded_the_quick_way_and_one_with_a_number_is_not():
    page = {"code": 0, "data": {"total": 1, "page": 1, "size": 500, "rows": [{"a": "12.50"}, {"a": None}]}}
    (document,) = answers._decode_lines(dumped(page))
    assert document == {
        "code": "0",
        "data": {"total": "1", "page": "1", "size": "500", "rows": [{"a": "12.50"}, {"a": None}]},
    }
    assert answers._decode_lines(dumped([{"a": 12.50}])) == []
    assert answers._decode_lines(dumped([{"a": 10**30}])) == []


PAGE = '{"code":0,"msg":"ok","data":{"total":2,"page":1,"rows":[{"a":"1","b":"2"},{"a":"3","b":"4"}],"size":500}}'


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"b":"4"', '"a":"4"', "stands twice"),
        ('"b":"4"', '"b":"4","b":"5"', "stands twice"),
        ('"b":"2"},{', '"b":"2"},,{', "no JSON"),
        ('"b":"2"},{', '"b":"2"}{', "no JSON"),
        ('"b":"2"', '"b" "2"', "no JSON"),
        ('"b":"2"', '"b":"2\n"', "no JSON"),
        ('"b":"2"', '"b":"\t2"', "no JSON"),
        ('],"size"', ',"size"', "no JSON"),
        ('"total":2', '"total":3', "announces 3 rows and holds 2"),
        ('"total":2', '"total":2,"total":2', "stands twice"),
        ('"total":2', '"total":2,"rows":[]', "stands twice"),
        ('"size":500', '"rows":[]', "stands twice"),
    ],
)
def test_a_page_with_one_thing_wrong_is_named(old, new, says):
    assert says in problem_of(PAGE.replace(old, new).encode()).explanation


@pytest.mark.parametrize(
    ("old", "new", "rows"),
    [
        ('"b":"4"', '"c":"4"', [["a", "b", "c"], ["1", "2", ""], ["3", "", "4"]]),
        ('"a":"3","b":"4"', '"b":"4","a":"3"', [["a", "b"], ["1", "2"], ["3", "4"]]),
        ('"b":"4"', '"b":4', [["a", "b"], ["1", "2"], ["3", "4"]]),
        ('"b":"4"', '"b":null', [["a", "b"], ["1", "2"], ["3", ""]]),
        ('"b":"2"', '"b":"}]"', [["a", "b"], ["1", "}]"], ["3", "4"]]),
        ('"b":"2"', '"b":"},{"', [["a", "b"], ["1", "},{"], ["3", "4"]]),
        ('"msg":"ok"', '"more":{"rows":[{"a":"9","b":"9"}]}', [["a", "b"], ["1", "2"], ["3", "4"]]),
    ],
)
def test_records_that_differ_are_read_all_the_same(old, new, rows):
    assert texts_of(grid_of(PAGE.replace(old, new).encode())) == rows
