"""Switchable faults: what a platform may do wrong, by platform and optionally by return.

What is here: the book of faults that are on, and what each does to a table or to bytes. What is not here: HTTP
(`server` acts on `down`, `slow`, `too_many_requests` and `late`).
"""

import collections
import dataclasses

from sandbox.carriers import make_csv, make_pages, make_workbook
from sandbox.seeds import hash_key
from sandbox.tables import ESTIMATED_MARK, ReturnTable

HTTP_FAULTS = frozenset(["down", "late", "slow", "too_many_requests"])
"""They change how a platform answers, not what."""
CONTENT_FAULTS = frozenset(
    ["not_a_workbook", "not_a_number", "revised", "truncated", "unknown_region", "unknown_header", "unknown_unit",
     "wrong_period", "wrong_province", "repeated_row", "unequal_duplicates"]
)  # fmt: skip
"""They change the bytes, so a return under one of them has another ETag."""
FAULTS = HTTP_FAULTS | CONTENT_FAULTS
LOGIN_PAGE = (
    "<!DOCTYPE html><html lang='zh'><head><meta charset='utf-8'><title>统一身份认证</title></head>"
    "<body><form method='post' action='/login'>用户名 <input name='user'> 密码 <input name='password'></form>"
    "</body></html>"
).encode()
NOT_A_NUMBER = "约12"
UNKNOWN_REGION, UNKNOWN_REGION_NAME = "999999", "未名县"


@dataclasses.dataclass(frozen=True)
class ActiveFaults:
    """The faults that hold for one return, and how often it was revised."""

    names: frozenset[str]
    revision: int

    @property
    def content_tag(self) -> str:
        """What of them shows in the bytes, "" for none: part of the ETag and of the cache's key."""
        names = sorted(self.names & CONTENT_FAULTS)
        return f"{','.join(names)}:{self.revision}" if names or self.revision else ""


class FaultBook:
    """Which faults are on. `revised` counts up each time it is set, and stays until the faults are cleared."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str | None], set[str]] = collections.defaultdict(set)
        self._revisions: collections.Counter[tuple[str, str | None]] = collections.Counter()

    def set(self, platform: str, fault: str, return_id: str | None) -> None:
        """Switch a fault on; raises `ValueError` for an unknown one."""
        if fault not in FAULTS:
            raise ValueError(f"no fault is called {fault}; there are: {', '.join(sorted(FAULTS))}")
        self._names[platform, return_id].add(fault)
        if fault == "revised":
            self._revisions[platform, return_id] += 1

    def clear(self) -> None:
        """Switch all faults off; revised figures are again what they were."""
        self._names.clear()
        self._revisions.clear()

    def active(self, platform: str, return_id: str | None = None) -> ActiveFaults:
        """The faults of a return (those of its whole platform included), or of the platform alone."""
        if not self._names:
            return NO_FAULTS
        keys = [(platform, None)] if return_id is None else [(platform, None), (platform, return_id)]
        names = frozenset().union(*(self._names[key] for key in keys if key in self._names))
        return ActiveFaults(names, sum(self._revisions[key] for key in keys))

    def listed(self) -> list[dict[str, object]]:
        """All faults that are on."""
        return [
            {"platform": platform, "return_id": return_id, "faults": sorted(names)}
            for (platform, return_id), names in self._names.items()
        ]


NO_FAULTS = ActiveFaults(frozenset(), 0)


def _replace_figure(table: ReturnTable, place: int, text: str) -> ReturnTable:
    """The table with one figure of the province's row replaced."""
    row = table.rows[0]
    return dataclasses.replace(table, rows=((*row[:place], text, *row[place + 1 :]), *table.rows[1:]))


def _choose_figure(table: ReturnTable, purpose: str) -> int:
    """A figure of the province's row, by hash: a published one if there is any."""
    filled = [place for place, text in enumerate(table.rows[0]) if text]
    published = [place for place in filled if not table.rows[0][place].endswith(ESTIMATED_MARK)]
    candidates = published or filled
    return candidates[hash_key(purpose, table.title) % len(candidates)]


def revise(table: ReturnTable, revision: int) -> ReturnTable:
    """One figure of the province raised by two percent a revision, at least one unit of its last printed digit."""
    place = _choose_figure(table, "revised")
    printed = table.rows[0][place]
    text = printed.removesuffix(ESTIMATED_MARK)
    decimals = len(text.partition(".")[2])
    step = max(abs(float(text)) * 0.02, 10.0**-decimals) * revision
    return _replace_figure(table, place, f"{float(text) + step:.{decimals}f}{printed[len(text) :]}")


def _append_row(table: ReturnTable, code: str, name: str, figures: tuple[str, ...]) -> ReturnTable:
    return dataclasses.replace(
        table,
        region_codes=(*table.region_codes, code),
        region_names=(*table.region_names, name),
        rows=(*table.rows, figures),
    )


def spoil_table(table: ReturnTable, active: ActiveFaults) -> ReturnTable:
    """The table as its faults leave it."""
    names = active.names
    if active.revision:
        table = revise(table, active.revision)
    if "not_a_number" in names:
        table = _replace_figure(table, _choose_figure(table, "not_a_number"), NOT_A_NUMBER)
    if "unknown_region" in names:
        table = _append_row(table, UNKNOWN_REGION, UNKNOWN_REGION_NAME, table.rows[-1])
    if "repeated_row" in names:
        table = _append_row(table, table.region_codes[-1], table.region_names[-1], table.rows[-1])
    if "unequal_duplicates" in names:
        changed = revise(dataclasses.replace(table, rows=(table.rows[-1],)), 1).rows[0]
        table = _append_row(table, table.region_codes[-1], table.region_names[-1], changed)
    first, *others = table.columns
    if "unknown_header" in names:
        table = dataclasses.replace(table, columns=(dataclasses.replace(first, name="未知指标"), *others))
    if "unknown_unit" in names:
        table = dataclasses.replace(table, columns=(dataclasses.replace(first, unit="斤"), *others))
    return table


def spoil_parts(parts: list[bytes], active: ActiveFaults) -> list[bytes]:
    """The delivered bytes (one part a page) as their faults leave them."""
    if "not_a_workbook" in active.names:
        return [LOGIN_PAGE]
    if "truncated" in active.names:
        return [part[: len(part) // 2] for part in parts]
    return parts


def encode_table(table: ReturnTable, carrier: str, page_size: int) -> list[bytes]:
    """The bytes of a table by carrier: pages of JSON, or one file."""
    match carrier:
        case "json":
            return make_pages(table, page_size)
        case "csv":
            return [make_csv(table)]
        case _:
            return [make_workbook(table)]
