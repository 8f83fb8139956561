"""Structure: the table has its columns, every cell its key and address, every return its figures once.

Here: the rules and the verdict columns they read. Not here: what the codes may be (``codes``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from expectations.cells import Cells
from expectations.model import Check, verdict

EXPECTED_COLUMNS = (
    "arrival_id",
    "indicator_code",
    "region_code",
    "period_code",
    "area_type",
    "value",
    "obs_status",
    "last_digit",
    "address",
    "raw_text",
)
KEY_COLUMNS = ("arrival_id", "indicator_code", "region_code", "period_code", "area_type", "address", "obs_status")
# SDMX code list CL_OBS_STATUS 2.2: these say why there is no value.
STATUSES_WITHOUT_VALUE = ("H", "L", "M", "O", "Q")

_NAMES_ZH = {
    "arrival_id": "报表",
    "indicator_code": "指标",
    "region_code": "地区",
    "period_code": "时期",
    "area_type": "城乡类型",
    "address": "单元格地址",
    "obs_status": "观测状态",
}


def _present(column: str) -> Check:
    return Check(
        check_id=f"structure.{column}_present",
        subject="structure",
        severity="blocking",
        kind="not_null",
        column=column,
        reason=f"{column} is null",
        explanation_zh=f"每个单元格都必须有{_NAMES_ZH[column]}，否则数据无法入库或无法追溯到原表。",
        explanation_en=f"Every cell needs its {column}; without it a figure cannot be keyed or traced to its sheet.",
        action_zh="检查该报表的版式与取数程序。",
        action_en="Look at the layout of this form: the reading lost the code. Nothing is wrong at the platform.",
        source="docs/architecture.md, invariant 3 (traceable)",
    )


RULES: tuple[Check, ...] = (
    Check(
        check_id="structure.columns_expected",
        subject="structure",
        severity="blocking",
        kind="columns",
        column="",
        values=EXPECTED_COLUMNS,
        reason="the table has no column {column}",
        explanation_zh="观测表必须具备约定的全部列。",
        explanation_en="The table of observations must have all columns the warehouse loads.",
        action_zh="检查取数程序的输出。",
        action_en="The reading of returns and the checks are of different versions: install one version of both.",
        source="the observations frame between reading and loading",
    ),
    *(_present(column) for column in KEY_COLUMNS),
    Check(
        check_id="structure.arrival_listed",
        subject="structure",
        severity="blocking",
        kind="verdict",
        column="arrival_is_listed",
        reason="return {arrival_id} is not among the returns of this refresh",
        explanation_zh="每个数据都必须来自本次采集登记过的报表。",
        explanation_en="Every figure comes from a return that was registered on arrival.",
        action_zh="检查采集登记。",
        action_en="The list of arrivals and the figures belong to different refreshes: run the refresh again.",
        source="docs/architecture.md, invariant 3 (traceable)",
    ),
    Check(
        check_id="structure.key_unique",
        subject="structure",
        severity="blocking",
        kind="verdict",
        column="key_is_unique",
        reason="{indicator_code} of {region_code}, {period_code}, {area_type} stands more than once in the return",
        explanation_zh="同一报表中同一指标、地区、时期、城乡类型只能有一个数。",
        explanation_en="A return gives one figure for an indicator, region, period and area type.",
        action_zh="请报送单位确认保留哪一个数。",
        action_en="Ask the platform which of the figures is meant; reading should have quarantined the others.",
        source="docs/architecture.md: the same key twice in one return",
    ),
    Check(
        check_id="structure.status_agrees_with_value",
        subject="structure",
        severity="blocking",
        kind="verdict",
        column="status_agrees",
        reason="the figure is {value} but its status is {obs_status}",
        explanation_zh="空值必须标为缺失（H、L、M、O、Q），有数则不得标为缺失；空白绝不等于零。",
        explanation_en="A blank carries a status that says so (H, L, M, O, Q) a figure never does; a blank is never 0.",
        action_zh="检查版式中的缺失符号。",
        action_en="Look at how the layout reads blanks and marks.",
        source="SDMX CL_OBS_STATUS 2.2; docs/architecture.md: a cell",
    ),
    Check(
        check_id="structure.return_has_figures",
        subject="structure",
        severity="warning",
        kind="verdict",
        column="return_has_figures",
        reason="all {return_cells} cells of return {arrival_id} are blank",
        explanation_zh="整张报表没有一个数字，可能是空表或取错了列。",
        explanation_en="A return without a single figure is an empty form or was read from the wrong columns.",
        action_zh="请报送单位重报。",
        action_en="Ask the platform to deliver the return again.",
        source="completeness: a blank form is received, not reported",
        evidence=("return_cells",),
    ),
)


def prepare(cells: Cells) -> dict[str, npt.NDArray[Any]]:
    """The verdict columns of this subject, and the evidence beside them."""
    everywhere = np.ones(len(cells), dtype=np.bool_)
    listed = everywhere & (cells.arrivals is not None) & (cells.arrival >= 0)
    return {
        "arrival_is_listed": verdict(listed, cells.return_of_row >= 0),
        "key_is_unique": _judge_uniqueness(cells),
        "status_agrees": _judge_status(cells),
        **_judge_blank_returns(cells),
    }


def _judge_uniqueness(cells: Cells) -> npt.NDArray[np.int8]:
    key = pd.Series(cells.key("indicator_code", "region_code", "period_code", "area_type"))
    return verdict(cells.is_whole_key, ~key.duplicated(keep=False).to_numpy())


def _judge_status(cells: Cells) -> npt.NDArray[np.int8]:
    says_blank = cells.spread("obs_status", STATUSES_WITHOUT_VALUE.__contains__, False, np.bool_)
    return verdict(cells.codes["obs_status"] >= 0, says_blank != cells.has_value)


def _judge_blank_returns(cells: Cells) -> dict[str, npt.NDArray[Any]]:
    """A verdict on the first cell of each return only: it is the return that is judged, once."""
    arrival = cells.arrival
    returns = int(arrival.max(initial=-1)) + 1
    known = arrival[arrival >= 0]
    figures = np.bincount(known, weights=cells.has_value[arrival >= 0], minlength=returns)
    counts = np.bincount(known, minlength=returns)
    is_first = ~pd.Series(arrival).duplicated().to_numpy() & (arrival >= 0)
    has_figures = np.append(figures > 0, True)[arrival]
    return {
        "return_has_figures": verdict(is_first, has_figures),
        "return_cells": np.append(counts, 0)[arrival],
    }
