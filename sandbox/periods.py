"""Periods of returns: their codes, what stands in a title, when a return is due and when its platform publishes it.

What is here: calendar arithmetic on `forms.csv`. What is not here: any figure.
"""

import calendar
import dataclasses
import datetime as dt

from sandbox.reference import Form

SHANGHAI = dt.timezone(dt.timedelta(hours=8), "Asia/Shanghai")
"""China keeps one time all year, so that no time-zone database is needed."""
FIRST_YEAR = 2010
FIRST_SHORT_YEAR = 2024
"""Months and quarters are served from here on."""
DAYS_BEFORE_DUE = 5
PUBLISHING_HOUR = 9
QUARTERS_ZH = "一二三四"


@dataclasses.dataclass(frozen=True, order=True)
class ReturnPeriod:
    """The period of a return; `month` is its last month (12 for a year and a school year)."""

    year: int
    month: int
    frequency: str

    @property
    def code(self) -> str:
        """`2024`, `SY2024`, `2024-Q2` or `2024-03`."""
        match self.frequency:
            case "A":
                return f"{self.year}"
            case "S":
                return f"SY{self.year}"
            case "Q":
                return f"{self.year}-Q{self.month // 3}"
            case _:
                return f"{self.year}-{self.month:02d}"

    @property
    def cumulative_code(self) -> str:
        """The period of a cumulated flow in this return: `2024-M01-M03`, or the year's own code."""
        return self.code if self.frequency in "AS" else f"{self.year}-M01-M{self.month:02d}"

    @property
    def title_zh(self) -> str:
        """How a title names it: `2024年`, `2024/2025学年初`, `2024年一季度`, `2024年3月`."""
        match self.frequency:
            case "A":
                return f"{self.year}年"
            case "S":
                return f"{self.year}/{self.year + 1}学年初"
            case "Q":
                return f"{self.year}年{QUARTERS_ZH[self.month // 3 - 1]}季度"
            case _:
                return f"{self.year}年{self.month}月"

    @property
    def previous(self) -> "ReturnPeriod":
        """The period before this one, of the same frequency."""
        step = {"A": 12, "S": 12, "Q": 3, "M": 1}[self.frequency]
        months = self.year * 12 + self.month - 1 - step
        return ReturnPeriod(months // 12, months % 12 + 1, self.frequency)


def due_date(form: Form, period: ReturnPeriod) -> dt.date:
    """The day a return is due: `due_day` of the month `due_months` after the anchor's month."""
    is_from_start = form.due_anchor == "start"
    anchor = 9 if form.frequency == "S" and is_from_start else period.month
    months = period.year * 12 + anchor - 1 + form.due_months
    year, month = divmod(months, 12)
    return dt.date(year, month + 1, min(form.due_day, calendar.monthrange(year, month + 1)[1]))


def published_at(form: Form, period: ReturnPeriod) -> dt.datetime:
    """When the platform publishes it: 09:00 Asia/Shanghai, five days before it is due."""
    day = due_date(form, period) - dt.timedelta(days=DAYS_BEFORE_DUE)
    return dt.datetime(day.year, day.month, day.day, PUBLISHING_HOUR, tzinfo=SHANGHAI)


def published_periods(form: Form, now: dt.datetime) -> list[ReturnPeriod]:
    """All periods of a form that are published at `now`, oldest first."""
    match form.frequency:
        case "A" | "S":
            first, months = FIRST_YEAR, [12]
        case "Q":
            first, months = FIRST_SHORT_YEAR, [3, 6, 9, 12]
        case _:
            first, months = FIRST_SHORT_YEAR, list(range(1, 13))
    candidates = (ReturnPeriod(year, month, form.frequency) for year in range(first, now.year + 1) for month in months)
    return [period for period in candidates if published_at(form, period) <= now]


def parse_return_period(form: Form, code: str) -> ReturnPeriod:
    """The period of a code such as `2024-Q2`; raises `ValueError` where the form has no such period."""
    text = code.removeprefix("SY")
    year = int(text[:4])
    month = 12
    if form.frequency == "Q":
        month = 3 * int(text[6:])
    elif form.frequency == "M":
        month = int(text[5:])
    period = ReturnPeriod(year, month, form.frequency)
    if period.code != code or not 1 <= month <= 12:
        raise ValueError(f"{code} is no period of {form.code}")
    return period
