"""The tables of the warehouse, as SQLAlchemy Core. Migrations create them; this module is what queries are built from.

Schemas: ``ops`` (how it ran), ``core`` (what is known), ``mart`` (what is published: views, the only thing BI reads),
``staging`` (unlogged, per refresh). Not here: any query, any DDL that is run (``migrations/``). A test keeps this module
and the migrations equal.

Keys: indicator_key from the catalogue, period_key as :mod:`warehouse.periods`, region_key the code as a number (the nation
is 0), area_key 0 total, 1 urban, 2 rural.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    CHAR,
    BigInteger,
    Boolean,
    Column,
    ColumnClause,
    Date,
    DateTime,
    Double,
    Identity,
    Index,
    Integer,
    MetaData,
    Sequence,
    SmallInteger,
    Table,
    TableClause,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

AREA_TYPES: tuple[str, ...] = ("total", "urban", "rural")
"""Area types by their key."""

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)

_UTC = DateTime(timezone=True)


def _column(name: str, kind: Any, comment: str, *extras: Any, null: bool = False, **options: Any) -> Column[Any]:
    return Column(name, kind, *extras, nullable=null, comment=comment, **options)


def _slice(*, key: bool) -> list[Column[Any]]:
    return [
        _column("indicator_key", SmallInteger, "indicator (core.indicator)", primary_key=key),
        _column("period_key", Integer, "period (core.period); sorts by start", primary_key=key),
    ]


def _place(*, key: bool) -> list[Column[Any]]:
    return [
        _column("region_key", Integer, "region: its code as a number, the nation 0", primary_key=key),
        _column("area_key", SmallInteger, "area type: 0 total, 1 urban, 2 rural", primary_key=key),
    ]


def _validity() -> list[Column[Any]]:
    return [
        _column("release_from", Integer, "first release that shows this row", primary_key=True),
        _column("release_to", Integer, "first release that no longer shows it; null: still shown", null=True),
    ]


# --- core: what is known -----------------------------------------------------------------------------------------------

indicator = Table(
    "indicator",
    metadata,
    _column("indicator_key", SmallInteger, "integer key, from the catalogue", primary_key=True, autoincrement=False),
    _column("code", Text, "indicator code", unique=True),
    _column("name_zh", Text, "Chinese name"),
    _column("name_en", Text, "English name"),
    _column("sector", Text, "context, employment, education or health"),
    _column("kind", Text, "base (a return carries it) or derived (computed)"),
    _column("unit", Text, "unit of every stored value"),
    _column("numerator", Text, "derived: what is counted (CODE@area names another area type)", null=True),
    _column("denominator", Text, "derived: what it is divided by", null=True),
    _column("multiplier", Double, "derived: factor of the quotient", null=True),
    _column("frequency", Text, "M, Q, A or S (school year)"),
    _column("area_types", Text, "area types it has, separated by ;"),
    _column("area_definition", Text, "what urban and rural mean for it", null=True),
    _column("finest_level", Text, "finest region level"),
    _column("direction", Text, "higher or lower is better, or neutral"),
    _column("aggregation", Text, "how members make a group: sum, ratio_of_sums, weighted_mean, none"),
    _column("is_cumulative", Boolean, "whether a flow that is reported January-to-month"),
    _column("is_comparable", Boolean, "whether it may be compared between places"),
    _column("weight_indicator", Text, "indicator whose value weighs a region", null=True),
    _column("plausible_min", Double, "values below it warn", null=True),
    _column("plausible_max", Double, "values above it warn", null=True),
    _column("decimals", SmallInteger, "decimals for display, never for storage"),
    schema="core",
    comment="The catalogue's indicators, one definition each",
)

region = Table(
    "region",
    metadata,
    _column("region_key", Integer, "the code as a number, the nation 0", primary_key=True, autoincrement=False),
    _column("region_code", Text, "code of GB/T 2260", unique=True),
    _column("name_zh", Text, "Chinese name"),
    _column("name_en", Text, "English name", null=True),
    _column("region_level", Text, "nation, province, prefecture, county"),
    _column("parent_code", Text, "code of the region above", null=True),
    _column("region_group", Text, "East, Central, West, Northeast", null=True),
    _column("is_county_unit", Boolean, "whether it counts as one of the 2,845 county units"),
    _column("valid_from", Date, "first day of the code, null: before 1981", null=True),
    _column("valid_to", Date, "day from which the code is no longer valid", null=True),
    schema="core",
    comment="Regions by code, historical ones included",
)

region_change = Table(
    "region_change",
    metadata,
    _column("effective_date", Date, "first day of the new code", primary_key=True),
    _column("from_code", Text, "code before the change", primary_key=True),
    _column("to_code", Text, "code after it", primary_key=True),
    _column("kind", Text, "rename, merge, split, transfer or upgrade"),
    _column("from_name", Text, "Chinese name before the change"),
    _column("to_name", Text, "Chinese name after it"),
    _column(
        "share",
        Double,
        "how much of the former region went there, by residents; null: all of it where it is the only change of a code that"
        " ends, else unknown",
        null=True,
    ),
    schema="core",
    comment="Dated changes of region codes",
)

period = Table(
    "period",
    metadata,
    _column(
        "period_key",
        Integer,
        "YYYYMM of the start × 100 + months (+ 20 cumulative)",
        primary_key=True,
        autoincrement=False,
    ),
    _column("period_code", Text, "code as marts show it", unique=True),
    _column("kind", Text, "year, half, quarter, month, cumulative, school_year"),
    _column("period_start", Date, "first day"),
    _column("period_end", Date, "last day"),
    schema="core",
    comment="Spans of time, one code each",
)

standard = Table(
    "standard",
    metadata,
    _column("item_number", SmallInteger, "number of the item in the edition", primary_key=True, autoincrement=False),
    _column("item", Text, "name of the service"),
    _column("category_number", SmallInteger, "number of its category"),
    _column("category", Text, "name of the category"),
    _column("area_number", SmallInteger, "number of its area of life"),
    _column("area", Text, "name of the area"),
    _column("area_en", Text, "English name of the area"),
    _column("edition", SmallInteger, "year of the edition of the standard"),
    _column("indicator_codes", Text, "indicators that observe the item, separated by ;"),
    _column("is_verified", Boolean, "whether the name was compared with the published text; false: from memory"),
    schema="core",
    comment="Items of the national basic public service standard, by category and area",
)

standard_value = Table(
    "standard_value",
    metadata,
    _column("standard_key", Integer, "row of the catalogue's standards", primary_key=True, autoincrement=False),
    _column("indicator_key", SmallInteger, "indicator"),
    _column("kind", Text, "floor (binds), target (planned for a year), reference (a remark)"),
    _column("op", Text, ">= or <="),
    _column("value", Double, "value in the indicator's unit"),
    _column("valid_from", Date, "first day in force"),
    _column("valid_to", Date, "last day in force, null: open", null=True),
    _column("target_year", SmallInteger, "year a target is planned for", null=True),
    _column("region_group", Text, "group it is for, null: all", null=True),
    _column("document", Text, "document it comes from"),
    _column("certainty", Text, "how sure the catalogue is"),
    _column("area_type", Text, "area type it is for, null: all", null=True),
    _column("item_number", SmallInteger, "item it belongs to (core.standard), null: none", null=True),
    _column("is_binding", Boolean, "whether it must be met"),
    _column(
        "region_code",
        Text,
        "place that set it, for itself and all within it; 000000: for the nation alone; null: national",
        null=True,
    ),
    _column(
        "is_withdrawn",
        Boolean,
        "whether the catalogue no longer has it; the row stays for the releases that rest on it",
        server_default=text("false"),
    ),
    schema="core",
    comment="Floors, targets and reference values, one step a row; national ones and those that places set themselves",
)

indicator_break = Table(
    "indicator_break",
    metadata,
    _column("break_number", SmallInteger, "running number", primary_key=True, autoincrement=False),
    _column("indicator_key", SmallInteger, "indicator"),
    _column("region_code", Text, "region whose figures break, null: all", null=True),
    _column("area_type", Text, "area type whose figures break, null: all", null=True),
    _column("first_year", SmallInteger, "first year of the new definition; figures before it mean something else"),
    _column("what_changed", Text, "what changed"),
    _column("part_code", Text, "part of a derived indicator whose definition changed, null: its own", null=True),
    schema="core",
    comment="Breaks of definition, those of derived indicators through their parts included",
)

recomputed_rate = Table(
    "recomputed_rate",
    metadata,
    _column("reported_key", SmallInteger, "rate that returns carry", primary_key=True, autoincrement=False),
    _column("recomputed_key", SmallInteger, "derived indicator it stands beside"),
    _column("factor", Double, "what the derived indicator is multiplied by to have the unit of the reported rate"),
    schema="core",
    comment="Which computed rate stands beside which reported one",
)

observation = Table(
    "observation",
    metadata,
    *_slice(key=True),
    *_place(key=True),
    _column("recorded_at", _UTC, "moment of the refresh that recorded this vintage", primary_key=True),
    _column(
        "superseded_at",
        _UTC,
        "moment of the refresh that replaced it; infinity: current",
        server_default=text("'infinity'"),
    ),
    _column("value", Double, "figure in the indicator's unit, as printed; null: blank (status M)", null=True),
    _column(
        "obs_status",
        CHAR(1),
        "SDMX OBS_STATUS: A normal, P provisional, E estimated, M missing, B break, L below detection, N not significant,"
        " F forecast",
    ),
    _column("last_digit", Double, "one unit of the last printed digit, in the indicator's unit", null=True),
    _column("receipt_id", BigInteger, "return it comes from (ops.return_receipt); null: computed", null=True),
    _column("address", Text, "cell in the return; null: computed", null=True),
    _column(
        "end_reason",
        Text,
        "why it ended: revision, precision, status, source, withdrawn, misread, recomputed; null: current",
        null=True,
    ),
    _column("ended_by", BigInteger, "return that ended it (ops.return_receipt); null: computed, or current", null=True),
    schema="core",
    comment="The fact: every vintage of every figure, reported, derived and national",
    postgresql_partition_by="RANGE (period_key)",
)
Index(
    "observation_superseded_at_idx",
    observation.c.superseded_at,
    postgresql_where=observation.c.superseded_at < text("'infinity'"),
)
Index(
    "observation_receipt_id_idx",
    observation.c.receipt_id,
    postgresql_using="brin",
    postgresql_with={"autosummarize": "on"},
)

lineage_part = Table(
    "lineage_part",
    metadata,
    *_slice(key=True),
    _column("area_key", SmallInteger, "area type: 0 total, 1 urban, 2 rural", primary_key=True),
    _column(
        "result",
        Text,
        "what is computed: figure (of a region, of its own parts), nation (of the provinces' parts), inequality",
        primary_key=True,
    ),
    _column("place", SmallInteger, "place of the part in the formula, from 1", primary_key=True),
    _column(
        "choice",
        SmallInteger,
        "order of what may stand in this place, from 1: the first that a region has a value of does",
        primary_key=True,
    ),
    _column(
        "recorded_at",
        _UTC,
        "moment of the refresh from which the rule holds; -infinity: it held before rules were kept",
        primary_key=True,
    ),
    _column(
        "superseded_at",
        _UTC,
        "moment of the refresh from which it no longer holds; infinity: it does",
        server_default=text("'infinity'"),
    ),
    _column("role", Text, "numerator, denominator, longer, shorter (spans of a difference), member or weight"),
    _column(
        "factor",
        Double,
        "what the part is multiplied by: the multiplier of a rate, -1 for the shorter span, else 1",
    ),
    _column("part_indicator_key", SmallInteger, "indicator of the part"),
    _column("part_period_key", Integer, "period of the part"),
    _column("part_area_key", SmallInteger, "area type of the part"),
    schema="core",
    comment="Rules, a slice at a time: which parts a computed figure takes, and which period stands in where one has none",
)

attainment = Table(
    "attainment",
    metadata,
    *_slice(key=True),
    *_place(key=True),
    _column("standard_key", Integer, "step of the standard (core.standard_value)", primary_key=True),
    *_validity(),
    _column("value", Double, "observed value"),
    _column("obs_status", CHAR(1), "status of the observation"),
    _column("floor_value", Double, "value of the standard in force"),
    _column("floor_kind", Text, "floor, target or reference"),
    _column("margin", Double, "(value - floor) / floor, positive on the good side"),
    _column("attained", Boolean, "whether the standard is met: margin >= 0"),
    schema="core",
    comment="mart.attainment with its history by release",
)

urban_rural_gap = Table(
    "urban_rural_gap",
    metadata,
    *_slice(key=True),
    _column("region_key", Integer, "region: its code as a number, the nation 0", primary_key=True),
    *_validity(),
    _column("urban_value", Double, "urban figure"),
    _column("rural_value", Double, "rural figure"),
    _column("ratio", Double, "urban / rural; null where rural <= 0", null=True),
    _column("difference", Double, "urban - rural"),
    _column("disadvantaged", Text, "side that is worse off by the indicator's direction: urban, rural, none"),
    _column("obs_status", CHAR(1), "weakest status of the two"),
    _column("status", Text, "ok, or why the ratio is null"),
    schema="core",
    comment="mart.urban_rural_gap with its history by release",
)

inequality = Table(
    "inequality",
    metadata,
    *_slice(key=True),
    _column("area_key", SmallInteger, "area type: 0 total, 1 urban, 2 rural", primary_key=True),
    _column("scope", Text, "units compared: nation:province, nation:county, 510000:county", primary_key=True),
    _column("weighting", Text, "none (regions as equals) or population (people)", primary_key=True),
    *_validity(),
    _column("units", Integer, "units the measures rest on"),
    _column("units_missing", Integer, "units that exist and have no value (or weight)"),
    _column("units_estimated", Integer, "units whose figure is estimated"),
    _column("coverage", Double, "share of units (of weight, where weighted) that have a value"),
    _column("mean", Double, "(weighted) mean", null=True),
    _column("cv", Double, "coefficient of variation, population form", null=True),
    _column("gini", Double, "Gini coefficient", null=True),
    _column("theil_t", Double, "Theil T", null=True),
    _column("theil_t_within", Double, "part of Theil T within groups", null=True),
    _column("theil_t_between", Double, "part of Theil T between groups", null=True),
    _column("max_min_ratio", Double, "largest over smallest", null=True),
    _column("grade", CHAR(1), "A all checks passed, B warnings, C estimated or partial coverage"),
    _column("status", Text, "ok, or why the measures are null"),
    _column("theil_l", Double, "Theil L, the mean log deviation; null where a value is 0", null=True),
    _column("theil_l_within", Double, "part of Theil L within groups", null=True),
    _column("theil_l_between", Double, "part of Theil L between groups", null=True),
    _column("atkinson_05", Double, "Atkinson index, aversion 0.5", null=True),
    _column("atkinson_1", Double, "Atkinson index, aversion 1", null=True),
    _column("atkinson_2", Double, "Atkinson index, aversion 2", null=True),
    _column("dagum_within", Double, "part of the Gini within groups (Dagum)", null=True),
    _column("dagum_between", Double, "part of the Gini between groups, net of overlap (Dagum)", null=True),
    _column("dagum_transvariation", Double, "part of the Gini where groups overlap (Dagum)", null=True),
    _column("p90_p10_ratio", Double, "ninth decile over first; null where the first is 0", null=True),
    _column("max_min_difference", Double, "largest minus smallest, in the unit (WHO D)", null=True),
    _column("mdmu", Double, "mean difference from the mean, units as equals, in the unit (WHO MDMU)", null=True),
    _column("mdmw", Double, "mean difference from the mean by weight, in the unit (WHO MDMW)", null=True),
    _column(
        "mdbu",
        Double,
        "mean difference from the best unit, units as equals (WHO MDBU); null if neutral",
        null=True,
    ),
    _column(
        "mdbw",
        Double,
        "mean difference from the best unit by weight (WHO MDBW); null if neutral",
        null=True,
    ),
    _column("idisu", Double, "index of disparity, units as equals, percent of the mean (WHO IDISU)", null=True),
    _column("idisw", Double, "index of disparity by weight, percent of the mean (WHO IDISW)", null=True),
    _column("bgv", Double, "between-group variance, in the square of the unit (WHO BGV)", null=True),
    _column("bgsd", Double, "between-group standard deviation, in the unit (WHO BGSD)", null=True),
    _column(
        "par",
        Double,
        "attributable risk: the best unit minus the mean, in the unit (WHO PAR); null if neutral",
        null=True,
    ),
    _column(
        "paf",
        Double,
        "attributable fraction: PAR in percent of the mean (WHO PAF); null if neutral",
        null=True,
    ),
    schema="core",
    comment="mart.inequality with its history by release",
)

observation_harmonised = Table(
    "observation_harmonised",
    metadata,
    *_slice(key=True),
    *_place(key=True),
    *_validity(),
    _column("value", Double, "figure on today's map, in the indicator's unit; null: blank", null=True),
    _column("obs_status", CHAR(1), "weakest status of its parts; E where a region was split by a share"),
    _column(
        "map_status",
        Text,
        "renamed, merged, split, recomputed, left_… (stays at the reported code, and why), unmapped, moved (its figure is"
        " part of another row: not shown)",
    ),
    _column("reported_codes", Text, "codes whose reported figures make it, separated by ;"),
    schema="core",
    comment="Where figures differ on today's map from those as reported, with its history by release",
)

# --- ops: how it ran ---------------------------------------------------------------------------------------------------

receipt_id_sequence = Sequence("receipt_id_seq", schema="ops", metadata=metadata)
_NEXT_RECEIPT = text("nextval('ops.receipt_id_seq')")

refresh = Table(
    "refresh",
    metadata,
    _column("refresh_id", Integer, "number of the refresh", primary_key=True, autoincrement=True),
    _column("run_id", Text, "Dagster run", unique=True),
    _column("started_at", _UTC, "when it began"),
    _column("recorded_at", _UTC, "moment its observations are recorded at", unique=True),
    _column("finished_at", _UTC, "when it ended", null=True),
    _column(
        "status",
        Text,
        "running, published, prepared (its release is held or under embargo), unchanged, failed, or incomplete (killed, or"
        " only part of the assets was run)",
    ),
    _column("release_id", Integer, "release that first shows what it loaded", null=True),
    _column("catalogue_sha256", Text, "hash of the catalogue it used"),
    _column("summary", JSONB, "counts of the run", null=True),
    schema="ops",
    comment="One run from platforms to release",
)


def _delivery() -> list[Column[Any]]:
    return [
        _column("refresh_id", Integer, "refresh that collected it"),
        _column("platform", Text, "province code / sector"),
        _column("sector", Text, "employment, education or health"),
        _column("form", Text, "form it answers"),
        _column("region_code", Text, "province that owes it"),
        _column("period_code", Text, "period it is of"),
        _column("sequence", Integer, "number of the delivery for this form and period, 0: none arrived"),
        _column("sha256", Text, "its bytes in the archive", null=True),
        _column("bytes", BigInteger, "size", null=True),
        _column("file_name", Text, "name the platform gave it", null=True),
        _column("media_type", Text, "media type the platform gave it", null=True),
        _column("etag", Text, "entity tag, for conditional requests", null=True),
        _column("modified_at", _UTC, "modified time on the platform", null=True),
        _column("fetched_at", _UTC, "when it was fetched, or last asked for"),
        _column("due_on", Date, "day it is due"),
    ]


arrival = Table(
    "arrival",
    metadata,
    _column("arrival_id", BigInteger, "becomes the receipt's id", primary_key=True, server_default=_NEXT_RECEIPT),
    *_delivery(),
    _column(
        "is_reread",
        Boolean,
        "whether a person asked to read the bytes once more; they are read, known or not",
        server_default=text("false"),
    ),
    UniqueConstraint("platform", "form", "period_code", "sequence"),
    schema="ops",
    comment="Deliveries that are archived and not yet read: what a killed refresh left for the next",
)

return_receipt = Table(
    "return_receipt",
    metadata,
    _column("receipt_id", BigInteger, "number of the receipt", primary_key=True, server_default=_NEXT_RECEIPT),
    *_delivery(),
    _column("state", Text, "loaded, unchanged, quarantined, partly_quarantined, failed or missing"),
    _column("cells", Integer, "cells read = loaded + unchanged + quarantined", server_default=text("0")),
    _column("loaded", Integer, "cells that made a new vintage", server_default=text("0")),
    _column("unchanged", Integer, "cells that say what was known", server_default=text("0")),
    _column("quarantined", Integer, "cells set aside with a reason", server_default=text("0")),
    _column("message", Text, "what happened, where something did", null=True),
    _column("layout", Text, "layout and version it was read by", null=True),
    UniqueConstraint("platform", "form", "period_code", "sequence"),
    schema="ops",
    comment="The ledger: one row a delivery; sequence 0 stands for a return that is missing or failed",
)

platform_failure = Table(
    "platform_failure",
    metadata,
    _column("refresh_id", Integer, "refresh", primary_key=True),
    _column("platform", Text, "province code / sector", primary_key=True),
    _column("asked_at", _UTC, "when it was asked"),
    _column("message", Text, "why it could not be asked"),
    schema="ops",
    comment="Platforms that could not be asked what they offer",
)

platform_incident = Table(
    "platform_incident",
    metadata,
    _column("refresh_id", Integer, "refresh", primary_key=True),
    _column("platform", Text, "province code / sector", primary_key=True),
    _column("kind", Text, "kind of trouble in one word", primary_key=True),
    _column("count", Integer, "how often"),
    _column("first_at", _UTC, "when it was first met"),
    _column("last_at", _UTC, "when it was last met"),
    _column("message", Text, "the last one in a sentence"),
    schema="ops",
    comment="Trouble with a platform that was overcome: waiting, asking again, going on where an answer broke off",
)

unplaced_file = Table(
    "unplaced_file",
    metadata,
    _column("sha256", Text, "its bytes in the archive", primary_key=True),
    _column("file_name", Text, "name under which it lay in the inbox", primary_key=True),
    _column("refresh_id", Integer, "refresh that found it"),
    _column("bytes", BigInteger, "size"),
    _column("reason", Text, "reason in one word"),
    _column("explanation", Text, "reason in a sentence"),
    _column("explanation_zh", Text, "reason in a sentence, in Chinese"),
    _column("created_at", _UTC, "when it was set aside"),
    _column("resolved_at", _UTC, "when the same bytes could be placed", null=True),
    schema="ops",
    comment="Files of the inbox that name no platform, form and period: archived, and waiting for a person",
)

quarantine = Table(
    "quarantine",
    metadata,
    _column("quarantine_id", BigInteger, "number", Identity(), primary_key=True),
    _column("receipt_id", BigInteger, "receipt (ops.return_receipt)", index=True),
    _column("sha256", Text, "bytes of the return in the archive"),
    _column("address", Text, "cell; empty: the whole return"),
    _column("raw_text", Text, "what stands there", null=True),
    _column("reason", Text, "reason in one word"),
    _column("explanation", Text, "reason in a sentence"),
    _column("explanation_zh", Text, "reason in a sentence, in Chinese"),
    _column("created_at", _UTC, "when it was set aside"),
    _column("resolved_at", _UTC, "when a later delivery of the return replaced it", null=True),
    schema="ops",
    comment="Every cell and return that could not be used, with the reason",
)

quarantine_waiver = Table(
    "quarantine_waiver",
    metadata,
    _column("sha256", Text, "bytes of the return in the archive", primary_key=True),
    _column("check_id", Text, "blocking check that no longer holds it back", primary_key=True),
    _column("operator", Text, "who let it pass"),
    _column("why", Text, "the reason given"),
    _column("created_at", _UTC, "when"),
    schema="ops",
    comment="Returns that a person let pass although a blocking check holds them back; of these very bytes only",
)

check_result = Table(
    "check_result",
    metadata,
    _column("check_result_id", BigInteger, "number", Identity(), primary_key=True),
    _column("refresh_id", Integer, "refresh", index=True),
    _column("target", Text, "form or mart that was checked"),
    _column(
        "subject", Text, "family of the check: structure, codes, ranges, units, arithmetic, keys, values, measures"
    ),
    _column("suite", Text, "suite of expectations"),
    _column("check_id", Text, "check"),
    _column("severity", Text, "blocking, warning or info"),
    _column("success", Boolean, "whether it holds"),
    _column("evaluated", BigInteger, "rows looked at"),
    _column("unexpected", BigInteger, "rows that do not hold"),
    _column("explanation", Text, "what the check means and what was found"),
    _column("sample", JSONB, "up to five of those rows", null=True),
    _column("receipts", JSONB, "receipts that have such rows", null=True),
    _column("created_at", _UTC, "when"),
    schema="ops",
    comment="Every result of every check",
)

changed_slice = Table(
    "changed_slice",
    metadata,
    _column("refresh_id", Integer, "refresh that changed it", primary_key=True),
    *_slice(key=True),
    _column("revisions", Integer, "figures of it that were revised", server_default=text("0")),
    _column("warnings", Integer, "figures of it that broke a check that warns", server_default=text("0")),
    _column("candidate", Integer, "coming release whose checked marts cover it; null: none yet", null=True),
    _column("release_id", Integer, "release that shows the change; null: not published yet", null=True),
    schema="ops",
    comment="(indicator, period) pairs that a load changed, until a release shows them",
)
Index("changed_slice_open_idx", changed_slice.c.refresh_id, postgresql_where=changed_slice.c.release_id.is_(None))

slice_digest = Table(
    "slice_digest",
    metadata,
    _column("mart", Text, "mart", primary_key=True),
    *_slice(key=True),
    *_validity(),
    _column("rows", Integer, "rows of the slice"),
    _column("sha256", Text, "hash of the slice's contents"),
    schema="ops",
    comment="Hash of each (mart, indicator, period): a release's hash is made of those in force",
)

# What a refresh that broke off has to undo is found without a scan: rows stand in the order of their release.
for _table in (attainment, urban_rural_gap, inequality, slice_digest):
    Index(f"{_table.name}_release_from_idx", _table.c.release_from, postgresql_using="brin")
    Index(f"{_table.name}_release_to_idx", _table.c.release_to, postgresql_where=_table.c.release_to.is_not(None))

release = Table(
    "release",
    metadata,
    _column("release_id", Integer, "number of the release", primary_key=True, autoincrement=False),
    _column("published_at", _UTC, "when it went live, or will; null: held and not approved", null=True),
    _column("refresh_id", Integer, "refresh that made it"),
    _column("recorded_at", _UTC, "observations recorded up to here are in it"),
    _column("status", Text, "published, held, refused or withdrawn"),
    _column("observations", BigInteger, "rows of mart.observation"),
    _column("revisions", BigInteger, "figures revised since the release before"),
    _column("checks_passed", Integer, "checks that passed"),
    _column("checks_warned", Integer, "checks that warned"),
    _column("checks_failed", Integer, "blocking checks that failed (their returns were held back)"),
    _column("marts_sha256", Text, "hash of the marts' contents"),
    _column("catalogue_sha256", Text, "hash of the catalogue it was computed with"),
    _column("held_because", Text, "why it waited for a person; null: it did not", null=True),
    schema="ops",
    comment="Prepared states of the marts; the pointer says which one readers see",
)

release_pointer = Table(
    "release_pointer",
    metadata,
    _column("pointer_id", Integer, "number of the move", Identity(), primary_key=True),
    _column("in_force_from", _UTC, "from when readers see the release"),
    _column("release_id", Integer, "release that readers see"),
    _column("recorded_at", _UTC, "its observations are those recorded up to here"),
    _column(
        "is_embargoed",
        Boolean,
        "whether it was moved ahead of time and goes live by the database's clock",
        server_default=text("false"),
    ),
    schema="ops",
    comment="The pointer with its history: a row a move; the latest that is due is the release in force",
)

release_in_force = TableClause(
    "release_in_force", ColumnClause("release_id"), ColumnClause("recorded_at"), schema="mart"
)
"""The view of the one release that readers see."""

release_decision = Table(
    "release_decision",
    metadata,
    _column("decision_id", Integer, "number", Identity(), primary_key=True),
    _column("release_id", Integer, "release", index=True),
    _column("action", Text, "publish, hold, embargo, approve, refuse or withdraw"),
    _column("operator", Text, "who decided; policy: the setting did"),
    _column("why", Text, "the reason given", null=True),
    _column("decided_at", _UTC, "when"),
    _column("live_at", _UTC, "from when readers see it; null: they do not", null=True),
    schema="ops",
    comment="What people and the policy decided about releases",
)

staged_observation = Table(
    "observation",
    metadata,
    _column("arrival_id", BigInteger, "delivery", null=True),
    *_slice(key=False),
    *_place(key=False),
    _column("value", Double, "figure", null=True),
    _column("obs_status", CHAR(1), "status"),
    _column("last_digit", Double, "one unit of the last printed digit", null=True),
    _column("address", Text, "cell", null=True),
    schema="staging",
    comment="What is being loaded, emptied before each load",
    prefixes=["UNLOGGED"],
)
