"""The root of every error of Junheng, and the errors of the warehouse room.

An exception is a fault that someone must act on; a wrong cell is data and goes to quarantine instead. Each class
says who must act; the facts are attributes, so that a log, an alert or a test need not parse the text.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warehouse.catalogue.models import Standard


class JunhengError(Exception):
    """Any fault Junheng knows by name. The text says what happened and what to do next."""


class CatalogueError(JunhengError):
    """A row of the catalogue is wrong: whoever edited the file must mend it."""

    def __init__(self, file: str, line: int, column: str, reason: str) -> None:
        super().__init__(f"{file}, line {line}, column {column}: {reason}")
        self.file = file
        self.line = line
        self.column = column
        self.reason = reason


class LocalStandardRefusedError(CatalogueError):
    """A local standard is lower than the national floor: the office that set it must raise it, or end it in time."""

    def __init__(self, file: str, line: int, region: str, local: Standard, floor: Standard, day: datetime.date) -> None:
        super().__init__(
            file,
            line,
            "value",
            f"{region} sets {local.indicator_code} {local.op} {local.value:g} ({local.document}), which is weaker than the"
            f" national floor {floor.op} {floor.value:g} ({floor.document}) in force on {day}; no place's standard may be"
            " lower than the national one: change the value, or end it (valid_to) before that day",
        )
        self.region = region
        self.local = local
        self.floor = floor
        self.day = day


class PeriodError(JunhengError, ValueError):
    """A text is no period code: the one who asked must write it as the data dictionary does."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is no period code; write 2024, 2024-H1, 2024-Q1, 2024-03, 2024-M01-M03 or SY2024")
        self.text = text


class SchemaOutdatedError(JunhengError):
    """The warehouse was written by another version of Junheng: the operator must migrate it or upgrade the code."""

    def __init__(self, found: str | None, expected: str) -> None:
        super().__init__(
            f"the warehouse is at schema revision {found or 'none'}, this Junheng needs {expected}; "
            "run 'junheng db migrate'"
        )
        self.found = found
        self.expected = expected


class QueryRefusedError(JunhengError):
    """A query of a reader failed or is not allowed: the reader must change it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ConservationError(JunhengError):
    """Cells of a return are neither loaded, nor unchanged, nor quarantined: a fault of this code; nothing was loaded."""

    def __init__(self, receipt_id: int, counts: dict[str, int]) -> None:
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        super().__init__(f"receipt {receipt_id} does not add up: {told}; nothing of its form was loaded, report this")
        self.receipt_id = receipt_id
        self.counts = counts


class RefreshOvertakenError(JunhengError):
    """Another refresh published while this one ran: nothing is lost, the next refresh loads what waits."""

    def __init__(self, refresh_id: int, release_id: int) -> None:
        super().__init__(
            f"refresh {refresh_id} was overtaken: release {release_id} was published by another refresh since it began; "
            "what it collected waits in the archive, run 'junheng refresh' again"
        )
        self.refresh_id = refresh_id
        self.release_id = release_id


class PublishRefusedError(JunhengError):
    """The marts do not cover all that changed, or their checks did not hold: compute them (again) first."""

    def __init__(self, release_id: int, uncovered: int) -> None:
        reason = f"{uncovered} changed (indicator, period) pairs are in no mart that passed its checks"
        super().__init__(
            f"release {release_id} is not published: {reason if uncovered else 'no marts were computed for it'}; "
            "run 'junheng refresh', or materialize the marts before the release"
        )
        self.release_id = release_id
        self.uncovered = uncovered


class UnknownReceiptError(JunhengError):
    """No receipt has this number: the one who asked must look it up."""

    def __init__(self, receipt_id: int) -> None:
        super().__init__(f"there is no receipt {receipt_id}; 'junheng quarantine list' shows the numbers")
        self.receipt_id = receipt_id


class NothingToWaiveError(JunhengError):
    """No check holds the return back: what could not be read needs a layout or an alias, and then to be read again."""

    def __init__(self, receipt_id: int, reasons: list[str]) -> None:
        told = f"it is in quarantine for {', '.join(reasons)}" if reasons else "nothing of it is in quarantine"
        super().__init__(
            f"no blocking check holds back receipt {receipt_id}; {told}. Mend the layout or the catalogue and run "
            f"'junheng reread --receipt {receipt_id}'"
        )
        self.receipt_id = receipt_id
        self.reasons = reasons


class NothingToRereadError(JunhengError):
    """No delivery is what the person meant, or a newer one of each waits to be read already."""

    def __init__(self, chosen: object) -> None:
        super().__init__(
            "no delivery fits, or a newer one waits already; 'junheng archive list' shows what there is, 'junheng refresh' "
            "reads what waits"
        )
        self.chosen = chosen


class NoSuchMartRowError(JunhengError):
    """A mart has no row of what was asked: the one who asked must choose among what there is."""

    def __init__(self, mart: str, asked: dict[str, str], nearby: dict[str, list[str]]) -> None:
        told = ", ".join(f"{name} {value}" for name, value in asked.items())
        there = "; ".join(f"{name}: {', '.join(values)}" for name, values in nearby.items())
        hint = f"near it there is {there}" if there else "the mart is empty; 'junheng status' says what is published"
        super().__init__(f"mart.{mart} has no row of {told}; {hint}")
        self.mart = mart
        self.asked = asked
        self.nearby = nearby


class AmbiguousMartRowError(JunhengError):
    """A mart has several rows of what was asked: the one who asked must name one."""

    def __init__(self, mart: str, asked: dict[str, str], choices: dict[str, list[str]]) -> None:
        told = ", ".join(f"{name} {value}" for name, value in asked.items())
        there = "; ".join(f"{name}: {', '.join(values)}" for name, values in choices.items())
        super().__init__(f"mart.{mart} has several rows of {told}; name one by {there}")
        self.mart = mart
        self.asked = asked
        self.choices = choices


class NoFiguresError(JunhengError):
    """The release in force has no such figures to judge: the one who asked must name others."""

    def __init__(self, indicator: str, area_type: str, level: str, periods: list[str]) -> None:
        known = f"; the newest periods it has figures of are {', '.join(periods)}" if periods else ""
        super().__init__(f"no figures of {indicator}, {area_type}, of any {level} in that period{known}")
        self.indicator = indicator
        self.periods = periods


class NothingInForceError(JunhengError):
    """No release was in force at the moment asked for: the one who asked must choose a later one, or publish."""

    def __init__(self) -> None:
        super().__init__(
            "no release was in force; 'junheng query \"select * from release_history\"' says which was when"
        )


class NoSuchReleaseError(JunhengError):
    """No release has this number: the one who asked must look it up."""

    def __init__(self, release_id: int, newest: int | None) -> None:
        told = f"the newest is {newest}" if newest else "nothing was published yet"
        super().__init__(f"there is no release {release_id}; {told} ('junheng release list' shows all)")
        self.release_id = release_id
        self.newest = newest


class ReleaseDecisionError(JunhengError):
    """A release cannot be approved, refused or withdrawn as it stands: the operator must choose another."""

    def __init__(self, release_id: int, action: str, reason: str) -> None:
        super().__init__(
            f"release {release_id} cannot be {action}: {reason}; 'junheng release list' shows where each stands"
        )
        self.release_id = release_id
        self.action = action
        self.reason = reason
