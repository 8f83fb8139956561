"""Codes: indicators, regions, periods, area types and statuses are known and belong where they stand.

Here: the rules and the verdict columns they read. Not here: whether a figure is believable (``ranges``, ``units``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from expectations.cells import AREA_TYPES, Booleans, Cells, table_of
from expectations.model import Check, verdict
from warehouse.errors import JunhengError
from warehouse.panels import STATUSES
from warehouse.periods import parse_period

RULES: tuple[Check, ...] = (
    Check(
        check_id="codes.indicator_in_form",
        subject="codes",
        severity="blocking",
        kind="verdict",
        column="indicator_is_carried",
        reason="{indicator_code} is not carried by the form of this return",
        explanation_zh="指标必须属于该报表制度。",
        explanation_en="A return carries the base indicators of its form and no other.",
        action_zh="核对报表制度与版式；如为新指标，请先登记到指标目录。",
        action_en="Compare the layout with `forms` in indicators.csv; a new indicator is added there first.",
        source="catalogue: indicators.csv, column forms",
    ),
    Check(
        check_id="codes.region_known",
        subject="codes",
        severity="blocking",
        kind="verdict",
        column="region_is_known",
        reason="region {region_code} stands in no list of codes",
        explanation_zh="地区代码必须在行政区划代码表中（含历史代码）。",
        explanation_en="A region code stands in the list of administrative divisions, of today or of former years.",
        action_zh="核对代码；如为新设区划，请补充区划变更表。",
        action_en="Correct the code, or add the new division to regions.csv and region_changes.csv. Never guess it.",
        source="GB/T 2260; catalogue: regions.csv",
    ),
    Check(
        check_id="codes.region_in_province",
        subject="codes",
        severity="blocking",
        kind="verdict",
        column="region_is_in_province",
        reason="region {region_code} is not inside the platform's province",
        explanation_zh="报表只能包含本省及其下辖地区。",
        explanation_en="A platform reports its own province and the places in it.",
        action_zh="可能是错发了其他省的文件，请报送单位核对。",
        action_en="The file is probably another province's: ask the platform to look and to deliver its own.",
        source="docs/architecture.md: a platform is one province's system",
    ),
    Check(
        check_id="codes.area_type_known",
        subject="codes",
        severity="blocking",
        kind="in_set",
        column="area_type",
        values=AREA_TYPES,
        reason="{area_type} is no area type",
        explanation_zh="城乡类型只能是合计、城镇、乡村之一。",
        explanation_en="An area type is total, urban or rural.",
        action_zh="检查版式中的城乡表头。",
        action_en="Look at the area labels of the layout.",
        source="docs/architecture.md: words, area type",
    ),
    Check(
        check_id="codes.area_type_allowed",
        subject="codes",
        severity="blocking",
        kind="verdict",
        column="area_type_is_allowed",
        reason="{indicator_code} has no {area_type} figure",
        explanation_zh="该指标没有此城乡口径。",
        explanation_en="The indicator is not defined for this area type.",
        action_zh="可能错列，请核对表头。",
        action_en="Columns may be shifted: compare the header with the layout.",
        source="catalogue: indicators.csv, column area_types",
    ),
    Check(
        check_id="codes.period_known",
        subject="codes",
        severity="blocking",
        kind="verdict",
        column="period_is_known",
        reason="{period_code} is no period code",
        explanation_zh="时期代码必须符合约定写法，如 2024、2024-Q1、2024-03、2024-M01-M03、SY2024。",
        explanation_en="A period is written as 2024, 2024-Q1, 2024-03, 2024-M01-M03 or SY2024.",
        action_zh="检查版式中的时期识别。",
        action_en="Look at how the layout reads the period from title or file name.",
        source="docs/architecture.md: pinned period codes",
    ),
    Check(
        check_id="codes.period_fits_return",
        subject="codes",
        severity="blocking",
        kind="verdict",
        column="period_fits",
        reason="period {period_code} of {indicator_code} does not fit the period of the return",
        explanation_zh="存量指标用报表本期，累计指标用 1 月至本期。",
        explanation_en="A stock carries the period of its return, a cumulated flow January to that period's end.",
        action_zh="可能报送了往期文件，请核对标题中的时期。",
        action_en="A stale file, or a title with another period: ask the platform for the right one.",
        source="docs/architecture.md: one span has one code",
    ),
    Check(
        check_id="codes.status_known",
        subject="codes",
        severity="blocking",
        kind="in_set",
        column="obs_status",
        values=tuple(STATUSES),
        reason="{obs_status} is no observation status",
        explanation_zh="观测状态必须在 SDMX 代码表内。",
        explanation_en="The status of an observation is a code of SDMX's list.",
        action_zh="检查版式中的标记符号。",
        action_en="Look at the marks the layout translates to a status.",
        source="SDMX CL_OBS_STATUS 2.2; the warehouse ranks these by strength (warehouse/panels.py)",
    ),
)


def prepare(cells: Cells) -> dict[str, npt.NDArray[Any]]:
    """The verdict columns of this subject."""
    region_asked = cells.codes["region_code"] >= 0
    period_asked = cells.codes["period_code"] >= 0
    regions = {row.region_code for row in cells.catalogue.region_rows}
    period_is_known = cells.spread("period_code", is_period, False, np.bool_)
    return {
        "indicator_is_carried": _judge_form(cells),
        "region_is_known": verdict(region_asked, cells.spread("region_code", regions.__contains__, False, np.bool_)),
        "region_is_in_province": _judge_province(cells),
        "area_type_is_allowed": _judge_area(cells),
        "period_is_known": verdict(period_asked, period_is_known),
        "period_fits": _judge_period(cells, period_is_known),
    }


def is_period(text: str) -> bool:
    """Whether ``text`` is a period code."""
    try:
        parse_period(text)
    except JunhengError:
        return False
    return True


def _judge_form(cells: Cells) -> npt.NDArray[np.int8]:
    """Against the form of the return where it is listed, else against all forms of the sector."""
    indicators = cells.catalogue.indicators
    forms = list(cells.catalogue.forms)
    codes = cells.categories["indicator_code"]
    carried = table_of(
        len(forms),
        len(codes),
        (
            (forms.index(form), number)
            for number, code in enumerate(codes)
            if code in indicators
            for form in indicators[code].forms
        ),
    )
    of_sector = [number for number, form in enumerate(forms) if _is_of_sector(cells, form)]
    carried[-1] = carried[of_sector].any(axis=0)
    return verdict(
        cells.codes["indicator_code"] >= 0, carried[_form_of_row(cells, forms), cells.codes["indicator_code"]]
    )


def _is_of_sector(cells: Cells, form: str) -> bool:
    return cells.sector is None or cells.catalogue.forms[form].sector == cells.sector


def _form_of_row(cells: Cells, forms: list[str]) -> npt.NDArray[np.int64]:
    """The position of each row's form in ``forms``, -1 where the return is not listed."""
    if cells.arrivals is None:
        return cells.return_of_row
    of_return = [forms.index(form) if form in forms else -1 for form in cells.arrivals["form"].astype(str)]
    return np.array([*of_return, -1], dtype=np.int64)[cells.return_of_row]


def _judge_province(cells: Cells) -> npt.NDArray[np.int8]:
    """The first two digits of a code are its province's."""
    if cells.arrivals is None:
        return verdict(np.zeros(len(cells), np.bool_), np.ones(len(cells), np.bool_))
    of_return = [int(str(code)[:2]) for code in cells.arrivals["region_code"]]
    expected = np.array([*of_return, -1], dtype=np.int64)[cells.return_of_row]
    found = cells.spread("region_code", lambda code: int(code[:2]) if code[:2].isdigit() else -2, -2, np.int64)
    return verdict((cells.return_of_row >= 0) & (cells.codes["region_code"] >= 0), found == expected)


def _judge_area(cells: Cells) -> npt.NDArray[np.int8]:
    """Only where indicator and area type are known at all: other rules speak of those."""
    indicators = cells.catalogue.indicators
    codes = cells.categories["indicator_code"]
    allowed = table_of(
        len(codes),
        len(AREA_TYPES),
        (
            (number, AREA_TYPES.index(area))
            for number, code in enumerate(codes)
            if code in indicators
            for area in indicators[code].area_types
        ),
    )
    known = cells.is_indicator(lambda indicator: True) & (cells.area < len(AREA_TYPES))
    return verdict(known, allowed[cells.codes["indicator_code"], cells.area])


def _judge_period(cells: Cells, period_is_known: Booleans) -> npt.NDArray[np.int8]:
    """Each (form, period) of a return allows one period for stocks and one for cumulated flows."""
    if cells.arrivals is None:
        return verdict(np.zeros(len(cells), np.bool_), np.ones(len(cells), np.bool_))
    spans = list(zip(cells.arrivals["form"].astype(str), cells.arrivals["period_code"].astype(str), strict=True))
    distinct = list(dict.fromkeys(spans))
    positions = {span: number for number, span in enumerate(distinct)}
    stock, flow = [], []
    for form, period in distinct:
        stock.append(cells.code_of("period_code", period))
        flow.append(cells.code_of("period_code", _flow_period(cells, form, period)))
    span_of_row = np.array([*(positions[span] for span in spans), -1], dtype=np.int64)[cells.return_of_row]
    is_cumulative = cells.is_indicator(lambda indicator: indicator.is_cumulative)
    expected = np.where(is_cumulative, np.array([*flow, -1])[span_of_row], np.array([*stock, -1])[span_of_row])
    asked = period_is_known & (cells.return_of_row >= 0) & (cells.codes["period_code"] >= 0)
    return verdict(asked, cells.codes["period_code"] == expected)


def _flow_period(cells: Cells, form: str, period: str) -> str:
    """Monthly and quarterly returns cumulate from January; a year's is the year itself."""
    known = cells.catalogue.forms.get(form)
    cumulates = known is not None and known.frequency in ("M", "Q") and is_period(period)
    return parse_period(period).cumulated().code if cumulates else period
