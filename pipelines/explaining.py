"""An explanation as text for a terminal and as JSON. Not here: what it says (:mod:`warehouse.explanations`), HTML."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pipelines.commands.moments import shown as moment
from pipelines.commands.printing import printable
from warehouse.explanations import Explanation, Unit
from warehouse.formulas import number
from warehouse.lineage import Figure, Source, Vintage

_SHORT = 12
_QUIET = ("indicator_code", "indicator_name", "sector", "region_code", "region_name", "region_level", "region_group",
          "period_code", "period_start", "period_end", "area_type", "scope", "weighting", "receipt_id", "source_cell",
          "release_id")  # fmt: skip
"""Columns of a mart that the headline or the figures tell."""


def text_lines(explanation: Explanation) -> Iterator[str]:
    """The explanation line by line: the row, its formula, its figures down to their cells, their returns."""
    yield headline(explanation)
    yield f"  {release_line(explanation)}"
    for name, value in shown_columns(explanation.row):
        yield f"  {name:<16} {value}"
    yield "Formula"
    for line in explanation.formula:
        yield f"  {line}"
    yield f"Rests on{counted(explanation)}"
    for unit in explanation.units:
        yield from _unit_lines(unit, explanation.formula)
    yield "Returns"
    for source in sources_of(explanation):
        yield from _source_lines(source)


def headline(explanation: Explanation) -> str:
    """Which row of which mart it is."""
    row = explanation.row
    places = [row["scope"]] if "scope" in row else []
    places += [f"weighting {row['weighting']}"] if "weighting" in row else []
    places += [f"{row['region_code']} {row['region_name']}"] if "region_code" in row else []
    more = ("member_code", "floor_kind", "measure", "part", "resource_code", "school_code")
    parts = [row["period_code"], row.get("area_type"), *places, *(row.get(name) for name in more)]
    told = ", ".join(str(part) for part in parts if part is not None)
    named = " ".join([row["indicator_code"], *([row["indicator_name"]] if "indicator_name" in row else [])])
    return f"mart.{explanation.mart}: {named}, {told}"


def release_line(explanation: Explanation) -> str:
    """Which release shows it, and since which it is so."""
    release, since = explanation.release, explanation.row["release_id"]
    told = f"release {release['release_id']}, in force from {moment(release['in_force_from'])}"
    return told if since is None else f"{told}; so since release {since}"


def shown_columns(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The columns that say something of their own, as texts."""
    return [
        (name, number(value) if isinstance(value, float) else str(value))
        for name, value in row.items()
        if name not in _QUIET and value is not None
    ]


def counted(explanation: Explanation) -> str:
    """How many figures it rests on, and which are shown."""
    total, shown = explanation.unit_count, explanation.shown_count
    is_of_schools = any(unit.figure.school_code is not None for unit in explanation.units)
    many = "schools" if is_of_schools else "places, of each its figures"
    what = "figures" if shown == len(explanation.units) and not is_of_schools else many
    if total == shown:
        return f" {total:,} {what}" if total > 1 else ""
    return f" {total:,} {what}; the {shown - shown // 2} largest and the {shown // 2} smallest (--all shows every one)"


def sources_of(explanation: Explanation) -> list[Source]:
    """The returns behind what is shown, each once, by platform, form and period."""
    found = {leaf.source.receipt_id: leaf.source for leaf in explanation.leaves if leaf.source is not None}
    return sorted(
        found.values(), key=lambda source: (source.platform, source.form, source.period_code, source.sequence)
    )


def figure_name(figure: Figure) -> str:
    """A figure by its codes."""
    place = f"{figure.region_code} {figure.region_name}"
    if figure.school_code is not None:
        return f"{figure.indicator_code} {place} ({figure.school_code}) {figure.period_code}"
    return f"{figure.indicator_code} {place} {figure.period_code} {figure.area_type}"


def figure_value(figure: Figure) -> str:
    """Its value with unit, and its status where that is not normal."""
    status = "" if figure.obs_status == "A" else f" [{figure.obs_status}]"
    return f"{number(figure.value)} {figure.unit}{status}" if figure.value is not None else f"blank{status}"


def part_count(figure: Figure) -> str | None:
    """Which of its parts are shown, where not all are."""
    shown = len({part.figure.region_code for part in figure.parts})
    if shown == figure.regions:
        return None
    return f"of {figure.regions} regions the {shown - shown // 2} largest and the {shown // 2} smallest (--all shows every one)"


def vintage_line(vintage: Vintage) -> str:
    """An earlier value, until when and why."""
    where = f", from {vintage.sha256[:_SHORT]} / {vintage.source_cell}" if vintage.sha256 else ""
    return (
        f"before: {number(vintage.value)} [{vintage.obs_status}] from {moment(vintage.recorded_at)}"
        f" to {moment(vintage.superseded_at)} ({vintage.end_reason or 'replaced'}){where}"
    )


def cell_line(figure: Figure) -> str:
    """The cell of a reported figure: ``sha256 / sheet!cell``, the hash short as the list of returns explains it."""
    source = figure.source
    if source is None:
        return "computed, and what it was computed from is not recorded: run 'junheng refresh'"
    return f"receipt {source.receipt_id}, {source.sha256[:_SHORT]} / {printable(figure.source_cell or '')}"


def source_line(source: Source) -> str:
    """A return: who, which, when."""
    return (
        f"receipt {source.receipt_id}: {source.platform} {source.form} {source.period_code}, delivery {source.sequence}"
        f" ({printable(source.file_name or 'no name')}), fetched {moment(source.fetched_at)}, {source.state}"
    )


def check_lines(source: Source) -> Iterator[str]:
    """What the checks of the refresh that loaded it said of it."""
    if not source.findings:
        yield (
            f"checks: none of {source.checks_passed} has anything against it"
            if source.checks_passed
            else "checks: none"
        )
        return
    for finding in source.findings:
        yield f"check {finding.outcome}: {finding.check_id}: {printable(finding.explanation, 400)}"


def _unit_lines(unit: Unit, told: Collection[str]) -> Iterator[str]:
    yield from _figure_lines(unit.figure, f"{unit.role} " if unit.role else "", 1, told)
    if unit.weight is not None:
        yield from _figure_lines(unit.weight, "weight ", 2, told)


def _figure_lines(figure: Figure, role: str, depth: int, told: Collection[str]) -> Iterator[str]:
    """A figure and all it rests on; a formula that is ``told`` already is not told again."""
    indent = "  " * depth
    is_reported = figure.source is not None or not figure.parts
    cell = f" ← {cell_line(figure)}" if is_reported else ""
    yield f"{indent}{role}{figure_name(figure)} = {figure_value(figure)}{cell}"
    for vintage in figure.earlier:
        yield f"{indent}  {vintage_line(vintage)}"
    if figure.formula is not None and figure.formula not in told:
        yield f"{indent}  = {figure.formula}"
    more = part_count(figure)
    if more is not None:
        yield f"{indent}  {more}"
    for part in figure.parts:
        yield from _figure_lines(part.figure, f"{part.role} ", depth + 1, told)


def _source_lines(source: Source) -> Iterator[str]:
    yield f"  {source_line(source)}"
    yield f"    sha256 {source.sha256}"
    for line in check_lines(source):
        yield f"    {line}"


def as_data(explanations: Sequence[Explanation]) -> list[dict[str, Any]]:
    """The explanations as what JSON can hold; a reported figure ends in ``cell``: ``sha256 / sheet!cell``."""
    return [_plain(explanation) for explanation in explanations]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.date):  # a moment is a date too
        return value.isoformat()
    if isinstance(value, float) and value != value:
        return None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        made = {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        if isinstance(value, Figure) and value.source is not None:
            made["cell"] = f"{value.source.sha256} / {value.source_cell}"
        return made
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
