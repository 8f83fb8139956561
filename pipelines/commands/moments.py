"""Moments as commands read and show them: in Asia/Shanghai. Not here: any command."""

from __future__ import annotations

import datetime
from typing import Any

import click

from pipelines.settings import SHANGHAI


def end_of(text: str | None) -> datetime.datetime | None:
    """The moment an ISO text means: the end of a day, or the moment itself; None for None."""
    if text is None:
        return None
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r} is no date; write 2026-03-01 or 2026-03-01T09:00", param_hint="--as-of"
        ) from error
    if not any(mark in text for mark in "T :"):  # a day, however it is written
        moment = datetime.datetime.combine(moment.date(), datetime.time.max)
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def shown(moment: Any) -> str:
    """A moment of the database for a person; nothing for null."""
    if moment is None or moment != moment:
        return ""
    return str(moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M"))
