"""Schema ``core``: what is known. Catalogue, the fact with its vintages, rules of lineage."""

from __future__ import annotations

from sqlalchemy import CHAR, BigInteger, Boolean, Date, Double, Index, Integer, SmallInteger, Table, Text, text

from warehouse.schema.base import UTC, column, metadata, place_columns, slice_columns

indicator = Table(
    "indicator",
    metadata,
    column("indicator_key", SmallInteger, "integer key, from the catalogue", primary_key=True, autoincrement=False),
    column("code", Text, "indicator code", unique=True),
    column("name_zh", Text, "Chinese name"),
    column("name_en", Text, "English name"),
    column("sector", Text, "context, employment, education or health; overall: an index over all"),
    column("kind", Text, "base (a return carries it), derived (computed), or index (a composite score of several)"),
    column("unit", Text, "unit of every stored value"),
    column("numerator", Text, "derived: what is counted (CODE@area names another area type)", null=True),
    column("denominator", Text, "derived: what it is divided by", null=True),
    column("multiplier", Double, "derived: factor of the quotient", null=True),
    column("frequency", Text, "M, Q, A or S (school year)"),
    column("area_types", Text, "area types it has, separated by ;"),
    column("area_definition", Text, "what urban and rural mean for it", null=True),
    column("finest_level", Text, "finest region level"),
    column("direction", Text, "higher or lower is better, or neutral"),
    column("aggregation", Text, "how members make a group: sum, ratio_of_sums, weighted_mean, none"),
    column("is_cumulative", Boolean, "whether a flow that is reported January-to-month"),
    column("is_comparable", Boolean, "whether it may be compared between places"),
    column("weight_indicator", Text, "indicator whose value weighs a region", null=True),
    column("plausible_min", Double, "values below it warn", null=True),
    column("plausible_max", Double, "values above it warn", null=True),
    column("decimals", SmallInteger, "decimals for display, never for storage"),
    schema="core",
    comment="The catalogue's indicators, one definition each",
)

region = Table(
    "region",
    metadata,
    column("region_key", Integer, "the code as a number, the nation 0", primary_key=True, autoincrement=False),
    column("region_code", Text, "code of GB/T 2260", unique=True),
    column("name_zh", Text, "Chinese name"),
    column("name_en", Text, "English name", null=True),
    column("region_level", Text, "nation, province, prefecture, county"),
    column("parent_code", Text, "code of the region above", null=True),
    column("region_group", Text, "East, Central, West, Northeast", null=True),
    column("is_county_unit", Boolean, "whether it counts as one of the 2,845 county units"),
    column("valid_from", Date, "first day of the code, null: before 1981", null=True),
    column("valid_to", Date, "day from which the code is no longer valid", null=True),
    schema="core",
    comment="Regions by code, historical ones included",
)

region_change = Table(
    "region_change",
    metadata,
    column("effective_date", Date, "first day of the new code", primary_key=True),
    column("from_code", Text, "code before the change", primary_key=True),
    column("to_code", Text, "code after it", primary_key=True),
    column("kind", Text, "rename, merge, split, transfer or upgrade"),
    column("from_name", Text, "Chinese name before the change"),
    column("to_name", Text, "Chinese name after it"),
    column(
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
    column(
        "period_key",
        Integer,
        "YYYYMM of the start × 100 + months (+ 20 cumulative)",
        primary_key=True,
        autoincrement=False,
    ),
    column("period_code", Text, "code as marts show it", unique=True),
    column("kind", Text, "year, half, quarter, month, cumulative, school_year"),
    column("period_start", Date, "first day"),
    column("period_end", Date, "last day"),
    schema="core",
    comment="Spans of time, one code each",
)

standard = Table(
    "standard",
    metadata,
    column("item_number", SmallInteger, "number of the item in the edition", primary_key=True, autoincrement=False),
    column("item", Text, "name of the service"),
    column("category_number", SmallInteger, "number of its category"),
    column("category", Text, "name of the category"),
    column("area_number", SmallInteger, "number of its area of life"),
    column("area", Text, "name of the area"),
    column("area_en", Text, "English name of the area"),
    column("edition", SmallInteger, "year of the edition of the standard"),
    column("indicator_codes", Text, "indicators that observe the item, separated by ;"),
    column("is_verified", Boolean, "whether the name was compared with the published text; false: from memory"),
    schema="core",
    comment="Items of the national basic public service standard, by category and area",
)

standard_value = Table(
    "standard_value",
    metadata,
    column("standard_key", Integer, "row of the catalogue's standards", primary_key=True, autoincrement=False),
    column("indicator_key", SmallInteger, "indicator"),
    column("kind", Text, "floor (binds), target (planned for a year), reference (a remark)"),
    column("op", Text, ">= or <="),
    column("value", Double, "value in the indicator's unit"),
    column("valid_from", Date, "first day in force"),
    column("valid_to", Date, "last day in force, null: open", null=True),
    column("target_year", SmallInteger, "year a target is planned for", null=True),
    column("region_group", Text, "group it is for, null: all", null=True),
    column("document", Text, "document it comes from"),
    column("certainty", Text, "how sure the catalogue is"),
    column("area_type", Text, "area type it is for, null: all", null=True),
    column("item_number", SmallInteger, "item it belongs to (core.standard), null: none", null=True),
    column("is_binding", Boolean, "whether it must be met"),
    column(
        "region_code",
        Text,
        "place that set it, for itself and all within it; 000000: for the nation alone; null: national",
        null=True,
    ),
    column(
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
    column("break_number", SmallInteger, "running number", primary_key=True, autoincrement=False),
    column("indicator_key", SmallInteger, "indicator"),
    column("region_code", Text, "region whose figures break, null: all", null=True),
    column("area_type", Text, "area type whose figures break, null: all", null=True),
    column("first_year", SmallInteger, "first year of the new definition; figures before it mean something else"),
    column("what_changed", Text, "what changed"),
    column("part_code", Text, "part of a derived indicator whose definition changed, null: its own", null=True),
    schema="core",
    comment="Breaks of definition, those of derived indicators through their parts included",
)

milestone = Table(
    "milestone",
    metadata,
    column("milestone_code", Text, "code of the reform", primary_key=True),
    column("indicator_key", SmallInteger, "indicator on whose gap it should show", primary_key=True),
    column("year", SmallInteger, "year of the reform"),
    column("name_zh", Text, "Chinese name of the reform"),
    column("name_en", Text, "English name of the reform"),
    column("document", Text, "document it comes from"),
    schema="core",
    comment="Reforms and the indicators they should show on",
)

recomputed_rate = Table(
    "recomputed_rate",
    metadata,
    column("reported_key", SmallInteger, "rate that returns carry", primary_key=True, autoincrement=False),
    column("recomputed_key", SmallInteger, "derived indicator it stands beside"),
    column("factor", Double, "what the derived indicator is multiplied by to have the unit of the reported rate"),
    schema="core",
    comment="Which computed rate stands beside which reported one",
)

measure = Table(
    "measure",
    metadata,
    column("mart", Text, "mart that has it", primary_key=True),
    column("measure", Text, "function that computes it (docs/methods.md has its formula)", primary_key=True),
    column("name_zh", Text, "Chinese name"),
    column("name_en", Text, "English name"),
    column("columns", Text, "columns of the mart that hold it, separated by ;"),
    column("unit", Text, "unit, of each column where they differ"),
    column("null_when", Text, "statuses of a row in which it is null, separated by ;"),
    column("not_for", Text, "what it must not be used for"),
    schema="core",
    comment="Measures of the marts: where they stand, when they are null, and what they are not for",
)

observation = Table(
    "observation",
    metadata,
    *slice_columns(key=True),
    *place_columns(key=True),
    column("recorded_at", UTC, "moment of the refresh that recorded this vintage", primary_key=True),
    column(
        "superseded_at",
        UTC,
        "moment of the refresh that replaced it; infinity: current",
        server_default=text("'infinity'"),
    ),
    column("value", Double, "figure in the indicator's unit, as printed; null: blank (status M)", null=True),
    column(
        "obs_status",
        CHAR(1),
        "SDMX OBS_STATUS: A normal, P provisional, E estimated, M missing, B break, L below detection, N not significant,"
        " F forecast",
    ),
    column("last_digit", Double, "one unit of the last printed digit, in the indicator's unit", null=True),
    column("receipt_id", BigInteger, "return it comes from (ops.return_receipt); null: computed", null=True),
    column("address", Text, "cell in the return; null: computed", null=True),
    column(
        "end_reason",
        Text,
        "why it ended: revision, precision, status, source, withdrawn, misread, recomputed; null: current",
        null=True,
    ),
    column("ended_by", BigInteger, "return that ended it (ops.return_receipt); null: computed, or current", null=True),
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

school_balance_line = Table(
    "school_balance_line",
    metadata,
    column(
        "resource_number", SmallInteger, "number of the resource in the rule", primary_key=True, autoincrement=False
    ),
    column("resource_code", Text, "resource code", unique=True),
    column("name_zh", Text, "Chinese name"),
    column("name_en", Text, "English name"),
    column("unit", Text, "unit of lines and means"),
    column("primary_line", Double, "least for a primary school"),
    column("junior_secondary_line", Double, "least for a junior secondary school"),
    column("primary_cv_limit", Double, "largest CV between the primary schools of a county"),
    column("junior_secondary_cv_limit", Double, "largest CV between the junior secondary schools of a county"),
    column("source", Text, "document they come from"),
    schema="core",
    comment="Resources of a school, with the lines and limits of the balance of compulsory education",
)

school_resource = Table(
    "school_resource",
    metadata,
    *slice_columns(key=True),
    column("region_key", Integer, "county the school is of: its code as a number", primary_key=True),
    column("school_code", Text, "code of the school, as its return has it", primary_key=True),
    column("recorded_at", UTC, "moment of the refresh that recorded this vintage", primary_key=True),
    column(
        "superseded_at",
        UTC,
        "moment of the refresh that replaced it; infinity: current",
        server_default=text("'infinity'"),
    ),
    column("school_name", Text, "name of the school"),
    column("pupils", Double, "pupils of the stage; null: blank, or its cell is in quarantine", null=True),
    column("qualified_teachers", Double, "teachers above the required degree; null: as of pupils", null=True),
    column("key_teachers", Double, "key teachers of county level or higher; null: as of pupils", null=True),
    column("arts_sports_teachers", Double, "full-time teachers of sports and arts; null: as of pupils", null=True),
    column("teaching_area", Double, "floor area for teaching, m2; null: as of pupils", null=True),
    column("sports_area", Double, "area for sports, m2; null: as of pupils", null=True),
    column("equipment_value", Double, "value of teaching equipment, CNY; null: as of pupils", null=True),
    column("networked_rooms", Double, "networked multimedia rooms; null: as of pupils", null=True),
    column("obs_status", CHAR(1), "weakest SDMX OBS_STATUS of its figures; M: none has a value"),
    column("receipt_id", BigInteger, "return it comes from (ops.return_receipt)"),
    column(
        "addresses",
        Text,
        "cells of pupils and the seven amounts, in the order of the columns, separated by |; empty: in quarantine",
    ),
    column("end_reason", Text, "why it ended: revision, withdrawn, misread; null: current", null=True),
    column("ended_by", BigInteger, "return that ended it (ops.return_receipt); null: current", null=True),
    schema="core",
    comment="Rosters of schools: every vintage of every school and stage, with its pupils and seven amounts",
)
Index("school_resource_receipt_id_idx", school_resource.c.receipt_id)

lineage_part = Table(
    "lineage_part",
    metadata,
    *slice_columns(key=True),
    column("area_key", SmallInteger, "area type: 0 total, 1 urban, 2 rural", primary_key=True),
    column(
        "result",
        Text,
        "what is computed: figure (of a region, of its own parts), nation (of the provinces' parts), inequality",
        primary_key=True,
    ),
    column("place", SmallInteger, "place of the part in the formula, from 1", primary_key=True),
    column(
        "choice",
        SmallInteger,
        "order of what may stand in this place, from 1: the first that a region has a value of does",
        primary_key=True,
    ),
    column(
        "recorded_at",
        UTC,
        "moment of the refresh from which the rule holds; -infinity: it held before rules were kept",
        primary_key=True,
    ),
    column(
        "superseded_at",
        UTC,
        "moment of the refresh from which it no longer holds; infinity: it does",
        server_default=text("'infinity'"),
    ),
    column("role", Text, "numerator, denominator, longer, shorter (spans of a difference), member or weight"),
    column(
        "factor",
        Double,
        "what the part is multiplied by: the multiplier of a rate, -1 for the shorter span, else 1",
    ),
    column("part_indicator_key", SmallInteger, "indicator of the part"),
    column("part_period_key", Integer, "period of the part"),
    column("part_area_key", SmallInteger, "area type of the part"),
    schema="core",
    comment="Rules, a slice at a time: which parts a computed figure takes, and which period stands in where one has none",
)
