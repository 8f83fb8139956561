"""What a text in a return says of time, and the period of a column. Not here: the grammar of codes (warehouse)."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from returns.conform.texts import squash
from warehouse.errors import PeriodError
from warehouse.periods import parse_period

_QUARTERS = {"一": 1, "二": 2, "三": 3, "四": 4, "1": 1, "2": 2, "3": 3, "4": 4}
_HALVES = {"上": 1, "下": 2}
_DASH = "[-—–~至]"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_MONTH = r"(?P<month>1[0-2]|0?[1-9])"

_CHINESE_MONTHS = dict(zip((*"一二三四五六七八九十", "十一", "十二"), range(1, 13), strict=True))

# In order: the first that fits the whole text, without white space, decides. ``2019A`` is left out on purpose: it is a
# quarter in one source and a year in another.
_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"{_YEAR}[/—–~-](?P<next>\d{{4}})学年(?:初|度)?"), "school_year"),
    (re.compile(rf"{_YEAR}年1月?{_DASH}{_MONTH}月份?(?:累计)?"), "cumulative"),
    (re.compile(rf"{_YEAR}年前(?P<quarters>[二三两])季度"), "cumulative"),
    (re.compile(rf"{_YEAR}年?(?:第?(?P<quarter>[一二三四1-4])季度?|[Qq](?P<q>[1-4]))"), "quarter"),
    (re.compile(rf"{_YEAR}0(?P<quarter>[1-4])SS"), "quarter"),
    (re.compile(rf"{_YEAR}年(?P<half>[上下])半年"), "half"),
    (re.compile(rf"{_YEAR}年{_MONTH}月份?(?:末|底)?"), "month"),
    (re.compile(rf"{_YEAR}年(?P<chinese>十[一二]?|[一二三四五六七八九])月份?"), "month"),
    (re.compile(rf"(?:截至|截止)?{_YEAR}年{_MONTH}月(?:[12]?\d|3[01])日"), "month"),
    (re.compile(rf"{_YEAR}[-/.]{_MONTH}(?:[-/.]0?1(?:T?00:00(?::00)?)?)?"), "month"),
    (re.compile(rf"{_YEAR}(?P<month>0[1-9]|1[0-2])(?:MM)?"), "month"),
    (re.compile(rf"{_YEAR}(?:年度?|年[末底]|YY)?(?:\.0)?"), "year"),
)
_EASYQUERY_QUARTER = re.compile(rf"{_YEAR}(?P<letter>[A-D])")
# A period within other text: the longest reading at each year counts, and no digit may touch it.
_WITHIN = re.compile(
    rf"(?<!\d)(?:(?:19|20)\d\d[/—–~-]\d{{4}}学年(?:初|度)?|(?:19|20)\d\d年1月?{_DASH}(?:1[0-2]|0?[1-9])月份?"
    r"|(?:19|20)\d\d年前[二三两]季度|(?:19|20)\d\d年第?[一二三四1-4]季度|(?:19|20)\d\d[Qq][1-4]|(?:19|20)\d\d年[上下]半年"
    r"|(?:19|20)\d\d年(?:1[0-2]|0?[1-9])月份?|(?:19|20)\d\d[-.](?:1[0-2]|0?[1-9])(?!\d)|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?!\d)"
    r"|(?:19|20)\d\d(?:年度?)?(?!\d))"
)


@lru_cache(maxsize=4096)
def read_period(text: str, style: str = "text") -> str | None:
    """The period code that ``text`` states, or None where it states none.

    ``2024年1-3月`` → ``2024-M01-M03``, ``2024年一季度`` → ``2024-Q1``, ``2023/2024学年初`` → ``SY2023``; a code of
    the warehouse is itself. With ``style`` ``easyquery`` also ``2019A`` → ``2019-Q1``.
    """
    label = squash(text)
    if style == "easyquery" and (match := _EASYQUERY_QUARTER.fullmatch(label)):
        return f"{match['year']}-Q{'ABCD'.index(match['letter']) + 1}"
    for pattern, kind in _FORMS:
        if match := pattern.fullmatch(label):
            return _to_code(match, kind)
    try:
        return parse_period(label).code
    except PeriodError:
        return None


def find_period(text: str) -> str | None:
    """The one period that stands within a longer text, such as a file's name; None where none stands there, or two."""
    # Blanks stay: in 表3-2 2024年 they keep the table's number from the year.
    label = unicodedata.normalize("NFKC", text)
    found = {code for match in _WITHIN.findall(label) if (code := read_period(match)) is not None}
    return next(iter(found)) if len(found) == 1 else None


def _to_code(match: re.Match[str], kind: str) -> str | None:
    year, groups = int(match["year"]), match.groupdict()
    if kind == "school_year":
        return f"SY{year}" if int(match["next"]) == year + 1 else None
    if kind == "quarter":
        return f"{year}-Q{_QUARTERS[groups['quarter'] or groups.get('q', '')]}"
    if kind == "half":
        return f"{year}-H{_HALVES[match['half']]}"
    if kind == "year":
        return str(year)
    if groups.get("quarters"):
        return f"{year}-M01-M{9 if groups['quarters'] == '三' else 6:02d}"
    month = _CHINESE_MONTHS[match["chinese"]] if groups.get("chinese") else int(match["month"])
    return f"{year}-M01-M{month:02d}" if kind == "cumulative" else f"{year}-{month:02d}"


def states_period(title: str, expected: str) -> bool:
    """Whether a title's period is that of the return; a monthly return may name itself by its January-to-month sums."""
    stated = read_period(title)
    period = parse_period(expected)
    return stated is not None and stated in (expected, period.cumulated().code if period.kind == "month" else expected)


def column_period(return_period: str, *, is_cumulative: bool) -> str:
    """The period of a column: January to month for a flow that a monthly or quarterly return cumulates."""
    period = parse_period(return_period)
    if is_cumulative and period.kind in ("month", "quarter"):
        return period.cumulated().code
    return period.code


def owes_cumulative(return_period: str) -> bool:
    """Whether a return of that period carries cumulated columns: January's monthly one does not."""
    period = parse_period(return_period)
    return not (period.kind == "month" and period.month == 1)
