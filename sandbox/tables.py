"""A return as a table of text: title, columns, and the figures of the province and its counties as printed.

What is here: names, labels, printed figures. What is not here: the carrier (`carriers`), faults (`faults`), the schools of
an education return (`rosters`).
"""

import dataclasses
import datetime as dt

import numpy as np

from sandbox.annual import STATUS_BLANK, STATUS_PUBLISHED, AnnualTable, Rounding
from sandbox.counties import CountyModel
from sandbox.periods import ReturnPeriod, published_at
from sandbox.reference import Form, Province, Reference, Series, load_reference
from sandbox.rosters import ESTIMATED_MARK, Roster, make_roster
from sandbox.seeds import Floats, hash_key
from sandbox.spans import province_figures

FIRST_COUNTY_YEAR = 2024
AREA_LABELS = {
    "employment": {"total": "合计", "urban": "城镇", "rural": "农村"},
    "health": {"total": "合计", "urban": "城市", "rural": "农村"},
    "education": {"total": "合计", "urban": "城镇", "rural": "乡村"},
}
SURNAMES, GIVEN_NAMES = "王李张刘陈杨赵黄周吴", "芳敏静丽强磊军洋勇艳"


@dataclasses.dataclass(frozen=True)
class Column:
    """One column of figures: the indicator's name, the area's label and the printed unit."""

    name: str
    area: str
    unit: str


@dataclasses.dataclass(frozen=True)
class ReturnTable:
    """A return, ready for a carrier. Figures are text: "" blank, `1234.5678e` estimated, else as published."""

    form: str
    period_code: str
    title: str
    columns: tuple[Column, ...]
    region_codes: tuple[str, ...]
    region_names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """One tuple a region, parallel to `columns`: the province first."""
    footnotes: tuple[str, ...]
    roster: Roster | None = None
    """The schools of the pilot counties, on a sheet of their own."""


def format_figure(value: float, factor: float, decimals: int) -> str:
    """A made figure in its printed unit, with the mark of an estimate; "" for NaN."""
    return "" if np.isnan(value) else f"{value / factor:.{decimals}f}{ESTIMATED_MARK}"


def format_column(values: Floats, rounding: Rounding) -> list[str]:
    """County figures of one column as text."""
    pattern = f"%.{rounding.county_decimals}f{ESTIMATED_MARK}"
    printed = [pattern % value for value in (values / rounding.factor).tolist()]
    blanks = np.flatnonzero(np.isnan(values))
    for blank in blanks.tolist():
        printed[blank] = ""
    return printed


class TableMaker:
    """Makes the table of any return, and tells the truth of any figure in it."""

    def __init__(self, seed: int, reference: Reference | None = None) -> None:
        self.reference = reference or load_reference()
        self.annual = AnnualTable(self.reference, seed)
        self.county_model = CountyModel(self.annual)
        self.seed = seed

    def has_counties(self, period: ReturnPeriod) -> bool:
        """Whether returns of the period carry county rows."""
        return period.year >= FIRST_COUNTY_YEAR

    def make(self, form: Form, province: Province, period: ReturnPeriod) -> ReturnTable:
        """The table of one return."""
        own = province_figures(self.annual, form.code, province, period)
        columns: list[list[str]] = []
        counties = self.county_model.figures(own, province, period) if self.has_counties(period) else None
        for place, series in enumerate(own.series):
            rounding = self.annual.roundings[series.label]
            if own.status[place] == STATUS_PUBLISHED:
                first = own.texts[place]
            else:
                first = format_figure(float(own.values[place]), rounding.factor, rounding.decimals)
            columns.append([first] if counties is None else [first, *format_column(counties[place], rounding)])
        codes, names = [province.code], [province.name_zh]
        if counties is not None:
            codes += [str(code) for code in self.reference.counties.codes[province.counties]]
            names += self.reference.counties.names[province.counties]
        return ReturnTable(
            form=form.code,
            period_code=period.code,
            title=title_of(form, province, period),
            columns=tuple(self._column(form, each) for each in own.series),
            region_codes=tuple(codes),
            region_names=tuple(names),
            rows=tuple(zip(*columns, strict=True)),
            footnotes=footnotes_of(form, province, period, self.seed),
            roster=self._roster(form, province, period)
            if form.sector == "education" and counties is not None
            else None,
        )

    def _roster(self, form: Form, province: Province, period: ReturnPeriod) -> Roster:
        title, notes = title_of(form, province, period), footnotes_of(form, province, period, self.seed)
        return make_roster(self.seed, self.reference, province, period, title, notes)

    def _column(self, form: Form, series: Series) -> Column:
        unit = self.annual.rules[series.label].printed_unit
        return Column(series.indicator.name_zh, AREA_LABELS[form.sector][series.area_type], unit)

    def truth(
        self, form: Form, province: Province, period: ReturnPeriod, series: Series, region_code: str
    ) -> dict[str, object]:
        """Value (catalogue's unit, null where blank), status and origin of one figure as served without faults.

        Raises `LookupError` where the return has no such series or region.
        """
        own = province_figures(self.annual, form.code, province, period)
        labels = [each.label for each in own.series]
        if series.label not in labels:
            raise LookupError(f"{form.code} {period.code} has no {series.label}")
        place = labels.index(series.label)
        rule = self.annual.rules[series.label]
        value, status, made = float(own.values[place]), int(own.status[place]), rule.why
        if status == STATUS_PUBLISHED:
            made = f"published: {own.texts[place]} {rule.printed_unit}"
        if region_code != province.code:
            codes = self.reference.counties.codes[province.counties].tolist()
            if not self.has_counties(period) or int(region_code) not in codes:
                raise LookupError(f"{form.code} {period.code} has no region {region_code}")
            figures = self.county_model.figures(own, province, period)
            value, made = float(figures[place, codes.index(int(region_code))]), f"county: {rule.county_method}"
            status = STATUS_BLANK if np.isnan(value) else -1
        obs_status = "M" if np.isnan(value) else "A" if status == STATUS_PUBLISHED else "E"
        return {"value": None if np.isnan(value) else value, "obs_status": obs_status, "made": made}


def title_of(form: Form, province: Province, period: ReturnPeriod) -> str:
    """`四川省2024年卫生健康统计年报`."""
    return f"{province.name_zh}{period.title_zh}{form.name_zh}"


def footnotes_of(form: Form, province: Province, period: ReturnPeriod, seed: int) -> tuple[str, ...]:
    """The lines below the figures: what a mark means, rounding, who filled it in and when."""

    def person(part: str) -> str:
        draw = hash_key(seed, part, form.sector, province.code)
        return SURNAMES[draw % 10] + GIVEN_NAMES[draw // 10 % 10]

    day: dt.datetime = published_at(form, period)
    return (
        "注：1. 数字后的 e 表示估计数。",
        "2. 部分数据因四舍五入，分项合计与总计可能略有出入。",
        f"填表人：{person('clerk')}　审核人：{person('auditor')}　填报日期：{day.year}年{day.month}月{day.day}日",
    )
