"""Which returns are owed when: the due rule of a form applied to periods. Pure; not here: what arrived."""

from __future__ import annotations

import calendar
import datetime
from collections.abc import Iterator

from warehouse import periods
from warehouse.catalogue import Form
from warehouse.periods import Period

FIRST_YEAR = 2010
"""Annual and school-year returns are asked for from this year on, unless a setting says otherwise."""

MONTHS_BACK, QUARTERS_BACK = 12, 4
"""How many due months and quarters a refresh asks for, unless a setting says otherwise."""


def due_on(form: Form, period: Period) -> datetime.date:
    """Day a return of ``period`` is due; a day the month does not have is its last."""
    anchor = period.start if form.due_anchor == "start" else period.end
    year, month0 = divmod(anchor.year * 12 + anchor.month - 1 + form.due_months, 12)
    last = calendar.monthrange(year, month0 + 1)[1]
    return datetime.date(year, month0 + 1, min(form.due_day, last))


def due_periods(form: Form, today: datetime.date, since: datetime.date | None = None) -> list[Period]:
    """Periods whose return is due by ``today``, oldest first.

    Without ``since``: years and school years from :data:`FIRST_YEAR`, the last 12 months, the last 4 quarters. With it:
    every period that begins on that day or later.
    """
    first = since or datetime.date(FIRST_YEAR, 1, 1)
    due = [p for p in _all_periods(form, first, today) if due_on(form, p) <= today]
    back = {"M": MONTHS_BACK, "Q": QUARTERS_BACK}.get(form.frequency)
    return due[-back:] if back and since is None else due


def _all_periods(form: Form, first: datetime.date, today: datetime.date) -> Iterator[Period]:
    starts = {
        "M": periods.month(first.year, first.month),
        "Q": periods.quarter(first.year, (first.month + 2) // 3),
        "A": periods.year(first.year),
        "S": periods.school_year(first.year),
    }
    period = starts[form.frequency]
    while period.start <= today:
        if period.start >= first:
            yield period
        period = period.next()
