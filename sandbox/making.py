"""A return as its faults make it: another one in its place, then spoiled.

What is here: whose table is printed under whose name. What is not here: the faults within a table (`spoiling`).
"""

import dataclasses

from sandbox.drafts import Draft, begin_draft
from sandbox.faults import ActiveFaults
from sandbox.periods import FIRST_SHORT_YEAR, ReturnPeriod
from sandbox.published import FIRST_YEAR
from sandbox.reference import Form, Province
from sandbox.spans import columns_of
from sandbox.spoiling import spoil
from sandbox.tables import TableMaker, footnotes_of, title_of


def neighbour(period: ReturnPeriod) -> ReturnPeriod:
    """The period before, or after for the first one served."""
    first_year = FIRST_YEAR if period.frequency in "AS" else FIRST_SHORT_YEAR
    if period.previous.year >= first_year:
        return period.previous
    step = {"A": 12, "S": 12, "Q": 3, "M": 1}[period.frequency]
    months = period.year * 12 + period.month - 1 + step
    return ReturnPeriod(months // 12, months % 12 + 1, period.frequency)


def other_form(form: Form, period: ReturnPeriod, forms: dict[str, Form]) -> tuple[Form, ReturnPeriod]:
    """Another form of the same sector, else of another one, with its period of the same year."""
    others = [each for each in forms.values() if each.code != form.code]
    other = next((each for each in others if each.sector == form.sector), others[0])
    return other, ReturnPeriod(period.year, 12 if other.frequency in "AS" else 3, other.frequency)


def draft_return(
    maker: TableMaker, form: Form, province: Province, period: ReturnPeriod, active: ActiveFaults
) -> Draft:
    """What a platform prints as a return under faults. `says` is of what is printed, whoever's it is."""
    title = title_of(form, province, period)
    notes = footnotes_of(form, province, period, maker.seed)
    own = (form, period)
    if "wrong_form" in active.names:
        form, period = other_form(form, period, maker.reference.forms)
    if "wrong_period" in active.names:
        period = neighbour(period)
    if "wrong_province" in active.names:
        provinces = maker.reference.provinces
        province = provinces[(province.position + 1) % len(provinces)]
    if "stale_figures" in active.names and (form, period) == own:
        draft = _stale(maker, form, province, period, title, notes)
    else:
        draft = begin_draft(maker.make(form, province, period), columns_of(maker.annual, form.code, period))
    return spoil(draft, active, maker.reference)


def _stale(
    maker: TableMaker, form: Form, province: Province, period: ReturnPeriod, title: str, notes: tuple[str, ...]
) -> Draft:
    """The figures of the period before, where both have the same rows and columns; else this period's."""
    own = maker.make(form, province, period)
    before = maker.make(form, province, neighbour(period))
    series = columns_of(maker.annual, form.code, period)
    if (own.columns, own.region_codes) != (before.columns, before.region_codes):
        return begin_draft(own, series)
    roster = before.roster
    if roster is not None and own.roster is not None:
        roster = dataclasses.replace(roster, title=own.roster.title, footnotes=own.roster.footnotes)
    table = dataclasses.replace(before, title=title, footnotes=notes, period_code=period.code, roster=roster)
    return begin_draft(table, series)
