"""The statistics office's two JSON shapes, each as one long sheet with a row a figure: a cube (*easyquery*, to 2026) and
series by period (*esData*, since 2026).

Here: from the answer to the columns of :data:`LONG_HEADER`, texts as printed. Not here: asking for them, nor what a code
means.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from returns.carriers.grid import MAX_GRID_CELLS, CarrierKind, Grid, Sheet
from returns.carriers.pages import show
from returns.errors import BrokenPageError, TooLargeError

LONG_HEADER = ("indicator_code", "indicator_name", "unit", "region_code", "region_name", "period", "value")

_CUBE_LABELS = [("", f".{name}") for name in LONG_HEADER[:-1]] + [("", ".data")]
_SERIES_FIELDS = ("_id", "i_showname", "du_name", "da", "da_name")
_SERIES_LABELS = [("", f".{field}") for field in (*_SERIES_FIELDS, "period", "value")]
_DIMENSIONS = frozenset({"zb", "reg", "sj"})


def is_cube(document: Any) -> bool:
    """Whether an answer is an easyquery cube."""
    return isinstance(document, dict) and isinstance(document.get("returndata"), dict)


def is_series(document: Any) -> bool:
    """Whether an answer is esData: a list of periods, each with its values."""
    if not isinstance(document, dict) or not isinstance(document.get("data"), list):
        return False
    periods = document["data"]
    return "state" in document if not periods else all(isinstance(p, dict) and "values" in p for p in periods)


def read_cube(documents: Sequence[Any]) -> Grid:
    """The figures of one or more cubes; the address of a figure is ``$.returndata.datanodes[3].data``.

    A figure is the printed ``strdata``, since ``data`` has digits that were never published and is 0 where
    ``hasdata`` is false: there the cell is blank.
    Raises a :class:`returns.errors.CarrierError`.
    """
    rows: list[list[str]] = []
    labels: list[str] = []
    for number, document in enumerate(documents):
        where = f"page {number + 1} of the answer"
        nodes = _list_of_objects(document.get("returndata") if is_cube(document) else None, "datanodes", where)
        names = _node_names(_list_of_objects(document["returndata"], "wdnodes", where), where)
        root = _root(number, len(documents))
        for index, node in enumerate(nodes):
            rows.append(_cube_row(node, names, f"datanode {index} of {where}"))
            labels.append(f"{root}.returndata.datanodes[{index}]")
    return _long_grid("json_cube", rows, labels, _CUBE_LABELS)


def _node_names(dimensions: list[dict[str, Any]], where: str) -> dict[tuple[str, str], tuple[str, str]]:
    """(name, unit) of each (dimension, code)."""
    names = {}
    for dimension in dimensions:
        code = _text(dimension.get("wdcode"))
        for node in _list_of_objects(dimension, "nodes", where):
            name = _text(node.get("cname")) or _text(node.get("name"))
            names[code, _text(node.get("code"))] = (name, _text(node.get("unit")))
    return names


def _cube_row(node: dict[str, Any], names: dict[tuple[str, str], tuple[str, str]], where: str) -> list[str]:
    places: dict[str, str] = {}
    for place in _list_of_objects(node, "wds", where):
        dimension = _text(place.get("wdcode"))
        if dimension not in _DIMENSIONS or dimension in places:
            raise BrokenPageError(f"{where} has the dimension {dimension!r:.40} that is unknown, or has it twice")
        places[dimension] = _text(place.get("valuecode"))
    data = node.get("data")
    if not isinstance(data, dict) or "zb" not in places or "sj" not in places:
        raise BrokenPageError(f"{where} has no data, indicator or period")
    printed = data.get("strdata")
    value = "" if data.get("hasdata") is False else show(data.get("data") if printed is None else printed)
    indicator, region = places["zb"], places.get("reg", "")
    name, unit = names.get(("zb", indicator), ("", ""))
    return [indicator, name, unit, region, names.get(("reg", region), ("", ""))[0], places["sj"], value]


def read_series(documents: Sequence[Any]) -> Grid:
    """The figures of one or more esData answers; the address of a figure is ``$.data[0].values[7].value``.

    Raises a :class:`returns.errors.CarrierError`.
    """
    rows: list[list[str]] = []
    labels: list[str] = []
    for number, document in enumerate(documents):
        where = f"page {number + 1} of the answer"
        if not is_series(document):
            raise BrokenPageError(f"{where} is no list of periods with values, as page 1 is")
        root = _root(number, len(documents))
        for place, period in enumerate(document["data"]):
            code = _text(period.get("code"))
            if not code:
                raise BrokenPageError(f"period {place} of {where} has no code")
            for index, value in enumerate(_list_of_objects(period, "values", where)):
                if "value" not in value:
                    raise BrokenPageError(f"value {index} of period {code:.40} of {where} has no value")
                rows.append([*(_text(value.get(field)) for field in _SERIES_FIELDS), code, show(value["value"])])
                labels.append(f"{root}.data[{place}].values[{index}]")
    return _long_grid("json_series", rows, labels, _SERIES_LABELS)


def _long_grid(kind: CarrierKind, rows: list[list[str]], labels: list[str], columns: list[tuple[str, str]]) -> Grid:
    if len(rows) * len(LONG_HEADER) > MAX_GRID_CELLS:
        raise TooLargeError(f"the answer has more than {MAX_GRID_CELLS:,} cells")
    return Grid(kind, (Sheet("", [list(LONG_HEADER), *rows], ["$", *labels], columns),))


def _root(number: int, documents: int) -> str:
    """Where a document begins: ``$`` alone, ``$[2]`` if it is the third of several."""
    return "$" if documents == 1 else f"$[{number}]"


def _list_of_objects(owner: Any, key: str, where: str) -> list[dict[str, Any]]:
    found = owner.get(key) if isinstance(owner, dict) else None
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise BrokenPageError(f"{where} has no list of {key}")
    return found


def _text(value: Any) -> str:
    """A code or name as it was sent; null and anything nested are none."""
    return value if isinstance(value, str) else ""
