"""What each column of a mart means: read from the migrations' SQL, written to the database and into the data dictionary.

A column that shows a table's column has that column's type and, unless :data:`MEANINGS` says otherwise, its comment in
``warehouse/schema/``; so a column is described once. One without either raises :class:`NoMeaningError`. Not here: making
the views (``migrations/``), rendering the dictionary (docs).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql
from sqlalchemy import Connection

from warehouse.schema import metadata

VERSIONS = Path(__file__).parent / "migrations" / "versions"

MEANINGS: dict[str, str] = {
    "indicator_name": "Chinese name of the indicator",
    "indicator_name_en": "English name of the indicator",
    "region_name": "Chinese name of the region",
    "region_name_en": "English name of the region; provinces and the nation have one",
    "area_type": "total, urban or rural, as the indicator's area definition says",
    "floor_kind": "floor (binds), target (planned for a year), reference (a remark)",
    "floor_value": "value of the standard, in the indicator's unit",
    "unit": "unit of the value, the catalogue's",
    "is_computed": "whether it was computed here (derived or national) and not reported",
    "source_cell": "cell in the return, e.g. 表1!B7; null: computed",
    "is_late": "whether it is missing, or its first delivery came after due_on; null: a later delivery, or failed",
    "release.status": "in_force (what every other mart shows), embargoed, held, refused, withdrawn or published before",
    "observation.release_id": "release that first showed this vintage",
    "observation_history.release_id": "release that first showed this vintage",
    "release_horizon.release_id": "newest release that readers have ever seen",
    "release_horizon.recorded_at": "its observations are those recorded up to here",
    "release_to": "first release that no longer shows it; null: still shown",
    "observation_history.end_reason": "why it ended: revision, precision, status, source, withdrawn, misread, recomputed",
    "observation_history.superseded_at": "moment of the refresh that replaced it; null: current",
    "attainment.release_id": "release in which this row was last computed",
    "change_attribution.release_id": "release in which this row was last computed",
    "base_period_code": "earlier period that it is compared with; null: nothing is compared",
    "change_attribution.scope": "units compared: nation:province",
    "change_attribution_history.scope": "units compared: nation:province",
    "milestone_name": "Chinese name of the reform",
    "milestone_name_en": "English name of the reform",
    "milestone_year": "year of the reform",
    "years_since": "years since the reform, negative before it; a school year counts as the year in which it begins",
    "reform_milestone.measure": "urban_rural_ratio (of the place) or cv (of the provinces)",
    "reform_milestone_summary.measure": "urban_rural_ratio (of the place) or cv (of the provinces)",
    "reform_milestone.value": "urban_value / rural_value, or the CV of the provinces; null where the status is not ok",
    "reform_milestone.region_code": "place; the nation for the CV of its provinces",
    "reform_milestone.urban_value": "urban figure; null for the CV",
    "reform_milestone.rural_value": "rural figure; null for the CV",
    "reform_milestone.difference": "urban - rural; null for the CV",
    "reform_milestone.unit": "unit of the urban and rural values",
    "reform_milestone.is_published": "whether nothing in it is estimated or weaker",
    "is_comparable": "whether no break of definition lies between its year and the year of the reform",
    "reform_milestone.release_id": "release in which the value was last computed",
    "years_before": "years before the reform that count",
    "years_after": "years from that of the reform on that count",
    "mean_before": "mean of the measure over the years before",
    "mean_after": "mean of the measure from the year of the reform on",
    "reform_milestone_summary.difference": "mean_after - mean_before",
    "slope_before": "least-squares slope of the measure a year before the reform; null under three years",
    "slope_after": "least-squares slope of the measure a year from the reform on; null under three years",
    "reform_milestone_summary.status": "ok, or too_few_years where there is no year on one of the two sides",
    "release_number": "releases since the first that changed a figure of the indicator and period; 0 is the first",
    "first_release_id": "first release that showed the indicator and period",
    "revision_triangle.release_id": "release that is compared with the first",
    "revision_triangle.revised": "figures whose value was then another than the first released",
    "revision_triangle.withdrawn": "figures that were then gone",
    "mean_change": "mean relative change from the first released value, with its sign, over the revised figures",
    "revision_triangle.mean_absolute_change": "mean relative change without its sign, over the revised figures",
    "revision_triangle.largest_change": "largest relative change without its sign",
    "periods": "periods of which a figure ever changed",
    "most_releases": "most releases that changed figures of one period after its first",
    "revision_triangle_summary.revised": "figures whose newest value is another than the first released",
    "revision_triangle_summary.mean_absolute_change": "mean relative change without its sign, first to newest, of the revised",
    "revision_triangle_summary.largest_change": "largest relative change without its sign, first to newest",
    "urban_rural_gap.release_id": "release in which this row was last computed",
    "inequality.release_id": "release in which this row was last computed",
    "cost_to_floor.release_id": "release in which this row was last computed",
    "revenue_region_code": "region whose revenue that is: its own, else the one above it",
    "shortfall.release_id": "release in which this row was last computed",
    "shortfall_risk.release_id": "release in which this row was last computed",
    "ranking_period_code": "period whose income ranks the units; null where none does",
    "inequality_bounds.release_id": "release in which this row was last computed",
    "convergence.release_id": "release in which this row was last computed",
    "trend.release_id": "release in which this row was last computed",
    "first_period_code": "first period that counts",
    "county_balance.release_id": "release in which this row was last computed",
    "stage": "primary or junior_secondary",
    "resource_code": "one of the seven resources of the rule; ALL: the verdict on the county",
    "resource_name": "Chinese name of the resource; ALL: that of the indicator",
    "county_balance.unit": "unit of mean and line",
    "county_balance_history.unit": "unit of mean and line",
    "school_resource.release_id": "release that first showed this vintage",
    "school_resource_history.release_id": "release that first showed this vintage",
    "school_resource_history.superseded_at": "moment of the refresh that replaced it; null: current",
    "school_resource_history.end_reason": "why it ended: revision, withdrawn, misread; null: current",
    "source_cells": "cells of pupils and the seven amounts in the return, in the order of the columns, separated by |; empty:"
    " the cell is in quarantine",
    "release_in_force.release_id": "release that every other mart shows",
    "release_history.in_force_to": "until when readers saw it; null: they still do",
    "old_value": "figure before; null: blank",
    "new_value": "figure since then; null: blank, or gone",
    "old_status": "status before",
    "new_status": "status since then; null: the figure is gone",
    "difference": "new_value - old_value",
    "rate_comparison.value": "rate as the return reports it",
    "rate_comparison.recomputed_code": "indicator of the same rate computed from reported numbers",
    "rate_comparison.recomputed_value": "the computed rate, in the reported one's unit",
    "rate_comparison.obs_status": "status of the reported rate",
    "rate_comparison.recomputed_status": "status of the computed rate: the weakest of its parts",
    "rate_comparison.receipt_id": "return the reported rate comes from",
    "rate_comparison.difference": "value - recomputed_value",
    "relative_difference": "(value - recomputed_value) / |recomputed_value|",
    "standard.area_type": "area type it is for; null: all",
    "indicator_break.area_type": "area type whose definition broke; null: all",
    "region_step.share": "how much of it the other code took, by residents; null: nobody tells",
    "region_today.until": "day until which the region had its former extent; null: it has it",
    "today_code": "code that its region has today",
    "today_name": "Chinese name of that region",
    "region_today.share": "how much of it is there today; null: nobody tells",
    "region_today.kinds": "kinds of the changes on the way",
    "map_status": "how it stands on today's map: as_reported, renamed, merged, split, recomputed, left_… (and why), unmapped",
    "reported_codes": "codes whose reported figures make it, separated by ;",
    "observation_harmonised.release_id": "release in which this figure was first shown, or last computed",
    "region_coverage.figures": "how many figures",
    "region_coverage.regions": "how many regions they are of",
    "floor_region_code": "place that set the standard; null: the nation, for all",
    "urban_rural_gap.difference": "urban - rural",
    "urban_rural_gap_history.difference": "urban - rural",
    "relative_change": "(new_value - old_value) / |old_value|; null where the old one is 0",
    "revision.kind": "revision, withdrawn (a later return no longer holds it) or misread (the same bytes read anew)",
    "precision_change.kind": "precision (of print), status (another status only) or source (a return for the portal's figure)",
    "revised_at": "moment of the refresh that found the change",
    "old_receipt_id": "return the figure came from",
    "new_receipt_id": "return that changed it",
    "old_cell": "cell it came from",
    "new_cell": "cell that changed it",
    "release_before": "last release before the change",
    "lineage.role": "what the part does: reported (itself), numerator, denominator, longer, shorter, member or weight",
    "lineage.place": "place of the part in the formula, from 1",
    "lineage.factor": "what the part is multiplied by: the multiplier of a rate, -1 for the shorter span, else 1",
    "lineage.value": "the figure that is explained",
    "lineage.obs_status": "status of the figure that is explained",
    "lineage.release_id": "release that first showed the part's vintage",
    "lineage.receipt_id": "return the part comes from; null: computed, ask for its own parts",
    "part_indicator_code": "indicator of the part",
    "part_indicator_name": "Chinese name of the part's indicator",
    "part_period_code": "period of the part",
    "part_region_code": "region of the part",
    "part_region_name": "Chinese name of the part's region",
    "part_area_type": "area type of the part",
    "part_value": "value of the part",
    "part_unit": "unit of the part",
    "part_status": "status of the part",
    "return_period_code": "period of the return the part comes from",
    "revision.release_id": "first release with the change",
    "revisions": "how often figures were revised or withdrawn",
    "release.revisions": "figures revised since the release before",
    "withdrawn": "how often a figure was withdrawn",
    "bias": "mean relative change, with its sign: where a platform's first figures tend to err",
    "mean_absolute_change": "mean of the relative changes without their signs",
    "largest_change": "largest relative change without its sign",
    "share_upward": "share of the revisions that went up",
    "last_revised_at": "when one was last found",
    "composite_index.release_id": "release in which this row was last computed",
    "coupling.release_id": "release in which this row was last computed",
    "index_weight.release_id": "release in which this row was last computed",
    "peer.release_id": "release in which this row was last computed",
    "resource_agglomeration.release_id": "release in which this row was last computed",
    "best_peer_code": "best of the peers; of equally good ones the nearest",
    "best_peer_name": "Chinese name of the best peer",
    "rank_text": "rank_entropy with the 5th and 95th percentile of the drawn ranks: 9 (90 %: 6–13)",
    "member_code": "member of the index: an indicator",
    "member_name": "Chinese name of the member",
    **dict.fromkeys(
        ("index_weight.area_type", "index_weight_history.area_type"), "area type of the member: total, urban or rural"
    ),
    **dict.fromkeys(("index_weight.unit", "index_weight_history.unit"), "unit of the member's figures"),
}
"""Meaning of ``column`` or ``mart.column`` where the table's comment is missing or speaks of the key behind it."""

COMPUTED_TYPES: dict[str, str] = {
    "area_type": "text",
    "is_computed": "boolean",
    "is_late": "boolean",
    "release.status": "text",
    "superseded_at": "timestamptz",
    **dict.fromkeys(("milestone_series.measure", "reform_milestone_summary.status"), "text"),
    "years_since": "integer",
    **dict.fromkeys(("release_number", "most_releases", "periods"), "bigint"),
    "moved_slice.revised": "bigint",
    "revision_triangle_summary.revised": "numeric",
    "mean_change": "double",
    **dict.fromkeys(("first_release_id", "slice_state.release_id"), "integer"),
    **dict.fromkeys(("is_published", "is_comparable"), "boolean"),
    **dict.fromkeys(("years_before", "years_after"), "bigint"),
    **dict.fromkeys(("mean_before", "mean_after", "slope_before", "slope_after"), "double"),
    **dict.fromkeys(("change_attribution.scope", "change_attribution_history.scope"), "text"),
    **dict.fromkeys(("stage", "resource_name", "school_resource_history.end_reason"), "text"),
    "release_to": "integer",
    "release_horizon.release_id": "integer",
    "release_horizon.recorded_at": "timestamptz",
    "observation_history.end_reason": "text",
    "in_force_to": "timestamptz",
    "release_before": "integer",
    "revision.release_id": "integer",
    "revisions": "bigint",
    "withdrawn": "bigint",
    "last_revised_at": "timestamptz",
    **dict.fromkeys(("difference", "relative_change", "bias", "mean_absolute_change", "largest_change"), "double"),
    "share_upward": "numeric",
    **dict.fromkeys(("region_step.share", "region_today.share"), "double"),
    **dict.fromkeys(("today_code", "region_today.kinds", "map_status", "reported_codes"), "text"),
    "region_today.until": "date",
    **dict.fromkeys(("region_coverage.figures", "region_coverage.regions"), "bigint"),
    **dict.fromkeys(("lineage.role", "lineage.source_cell", "part_area_type", "part_status"), "text"),
    "lineage.place": "smallint",
    **dict.fromkeys(("lineage.factor", "part_value"), "double"),
    "lineage.receipt_id": "bigint",
    **dict.fromkeys(("recomputed_value", "relative_difference", "rate_comparison.value"), "double"),
    **dict.fromkeys(("rate_comparison.obs_status", "rate_comparison.recomputed_status"), "char(1)"),
    "rate_comparison.receipt_id": "bigint",
    "rate_comparison.source_cell": "text",
    "rank_text": "text",
}
"""Types of columns that are expressions."""


class NoMeaningError(Exception):
    """A mart column has no meaning or no type: whoever added it must say in this module what it is."""


@dataclass(frozen=True)
class ViewColumn:
    """A column of a mart."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True)
class View:
    """A mart: its name without schema, its comment, its columns in order."""

    name: str
    comment: str
    columns: tuple[ViewColumn, ...]


_VIEW = re.compile(
    r"CREATE (?:OR REPLACE )?VIEW (?P<schema>core|mart)\.(?P<created>\w+) AS\s+SELECT\s+(?P<body>.+?);"
    r"|COMMENT ON VIEW mart\.(?P<commented>\w+) IS '(?P<comment>(?:[^']|'')+)';"
    r"|DROP VIEW (?:IF EXISTS )?(?P<dropped>mart\.[\w., ]+)",
    re.DOTALL,
)
_SOURCE = re.compile(
    r"(?:^|\bJOIN\s+)(?P<table>(?:core|ops|mart)\.\w+)(?:\s+(?!ON\b|USING\b|JOIN\b|LEFT\b)(?P<alias>\w+))?"
)
_PLAIN = re.compile(r"(?:(?P<alias>\w+)\.)?(?P<column>\w+)")


def describe_marts(connection: Connection) -> None:
    """Write the meaning of every column as its comment, where BI tools show it."""
    for view in read_views().values():
        for column in view.columns:
            name = sql.Identifier("mart", view.name, column.name)
            statement = sql.SQL("COMMENT ON COLUMN {} IS {}").format(name, sql.Literal(column.meaning))
            connection.exec_driver_sql(statement.as_string().replace("%", "%%"))  # a meaning may be of percents


def read_views(folder: Path = VERSIONS) -> dict[str, View]:
    """Every mart after all migrations, by name; scripts are read in the order of their names."""
    selects: dict[str, tuple[str, str]] = {}
    comments: dict[str, str] = {}
    for path in sorted(folder.glob("*.sql")):
        if ".down." in path.name:
            continue
        for found in _VIEW.finditer(path.read_text(encoding="utf-8")):
            if found["created"]:
                selects.pop(f"{found['schema']}.{found['created']}", None)  # made anew, it stands behind what it shows
                selects[f"{found['schema']}.{found['created']}"] = _split_from(found["body"])
            elif found["commented"]:
                comments[found["commented"]] = found["comment"].replace("''", "'")
            else:
                for name in found["dropped"].split(","):
                    selects.pop(name.strip(), None)
    known: dict[str, dict[str, ViewColumn]] = {}
    views: dict[str, View] = {}
    for full_name, (select, sources) in selects.items():
        schema, _, name = full_name.partition(".")
        columns = tuple(_columns(name, select, sources, known, is_shown=schema == "mart"))
        known[full_name] = {column.name: column for column in columns}
        if schema == "mart":
            views[name] = View(name, comments.get(name, ""), columns)
    return views


def _columns(
    view: str, select: str, sources: str, known: dict[str, dict[str, ViewColumn]], *, is_shown: bool
) -> Iterator[ViewColumn]:
    tables = {found["alias"] or found["table"].split(".")[1]: found["table"] for found in _SOURCE.finditer(sources)}
    for item in _split_items(select):
        expression, _, alias = item.rpartition(" AS ") if " AS " in item else (item, "", "")
        plain = _PLAIN.fullmatch(expression)
        name = alias or (plain["column"] if plain else "")
        kind, comment = _described(plain, tables, known) if plain else ("", "")
        meaning = MEANINGS.get(f"{view}.{name}") or MEANINGS.get(name) or comment
        kind = kind or COMPUTED_TYPES.get(f"{view}.{name}") or COMPUTED_TYPES.get(name, "")
        if is_shown and not (name and kind and meaning):
            raise NoMeaningError(
                f"mart.{view}, column {name or expression!r}: give it a meaning"
                f"{'' if kind else ' and a type'} in warehouse/describing.py"
            )
        yield ViewColumn(name, kind, meaning)


def _described(
    plain: re.Match[str], tables: dict[str, str], known: dict[str, dict[str, ViewColumn]]
) -> tuple[str, str]:
    """Type and comment of the column of a table, or of a view described before, behind a plain expression."""
    table = tables.get(plain["alias"] or next(iter(tables), ""), "")
    if table in known:
        shown = known[table].get(plain["column"])
        return (shown.type, shown.meaning) if shown else ("", "")
    column = metadata.tables[table].columns.get(plain["column"]) if table in metadata.tables else None
    if column is None:
        return "", ""
    kind = str(column.type).lower()
    return ("timestamptz" if kind in ("datetime", "timestamp") else kind), column.comment or ""


def _split_from(body: str) -> tuple[str, str]:
    """Select list and sources of a query: what stands before and behind the FROM that is in no parentheses."""
    depth = 0
    for found in re.finditer(r"[(\[)\]]|\bFROM\b", body):
        depth += (found.group() in "([") - (found.group() in ")]")
        if found.group() == "FROM" and depth == 0:
            return body[: found.start()].strip(), body[found.end() :].strip()
    raise NoMeaningError(f"a view without FROM: {body[:80]}")


def _split_items(select: str) -> Iterator[str]:
    """The items of a select list, split at the commas outside parentheses and brackets."""
    depth, item = 0, ""
    for letter in f"{select},":
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            yield " ".join(item.split())
            item = ""
        else:
            item += letter
