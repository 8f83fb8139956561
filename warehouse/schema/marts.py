"""The tables behind the marts, in schema ``core`` with their history by release; ``mart`` has the views."""

from __future__ import annotations

from sqlalchemy import CHAR, Boolean, Double, Integer, SmallInteger, Table, Text

from warehouse.schema.base import column, metadata, place_columns, release_indexes, slice_columns, validity_columns

attainment = Table(
    "attainment",
    metadata,
    *slice_columns(key=True),
    *place_columns(key=True),
    column("standard_key", Integer, "step of the standard (core.standard_value)", primary_key=True),
    *validity_columns(),
    column("value", Double, "observed value"),
    column("obs_status", CHAR(1), "status of the observation"),
    column("floor_value", Double, "value of the standard in force"),
    column("floor_kind", Text, "floor, target or reference"),
    column("margin", Double, "(value - floor) / floor, positive on the good side"),
    column("attained", Boolean, "whether the standard is met: margin >= 0"),
    schema="core",
    comment="mart.attainment with its history by release",
)

urban_rural_gap = Table(
    "urban_rural_gap",
    metadata,
    *slice_columns(key=True),
    column("region_key", Integer, "region: its code as a number, the nation 0", primary_key=True),
    *validity_columns(),
    column("urban_value", Double, "urban figure"),
    column("rural_value", Double, "rural figure"),
    column("ratio", Double, "urban / rural; null where rural <= 0", null=True),
    column("difference", Double, "urban - rural"),
    column("disadvantaged", Text, "side that is worse off by the indicator's direction: urban, rural, none"),
    column("obs_status", CHAR(1), "weakest status of the two"),
    column("status", Text, "ok, or why the ratio is null"),
    schema="core",
    comment="mart.urban_rural_gap with its history by release",
)

inequality = Table(
    "inequality",
    metadata,
    *slice_columns(key=True),
    column("area_key", SmallInteger, "area type: 0 total, 1 urban, 2 rural", primary_key=True),
    column("scope", Text, "units compared: nation:province, nation:county, 510000:county", primary_key=True),
    column("weighting", Text, "none (regions as equals) or population (people)", primary_key=True),
    *validity_columns(),
    column("units", Integer, "units the measures rest on"),
    column("units_missing", Integer, "units that exist and have no value (or weight)"),
    column("units_estimated", Integer, "units whose figure is estimated"),
    column("coverage", Double, "share of units (of weight, where weighted) that have a value"),
    column("mean", Double, "(weighted) mean", null=True),
    column("cv", Double, "coefficient of variation, population form", null=True),
    column("gini", Double, "Gini coefficient", null=True),
    column("theil_t", Double, "Theil T", null=True),
    column("theil_t_within", Double, "part of Theil T within groups", null=True),
    column("theil_t_between", Double, "part of Theil T between groups", null=True),
    column("max_min_ratio", Double, "largest over smallest", null=True),
    column("grade", CHAR(1), "A all checks passed, B warnings, C estimated or partial coverage"),
    column("status", Text, "ok, or why the measures are null"),
    column("theil_l", Double, "Theil L, the mean log deviation; null where a value is 0", null=True),
    column("theil_l_within", Double, "part of Theil L within groups", null=True),
    column("theil_l_between", Double, "part of Theil L between groups", null=True),
    column("atkinson_05", Double, "Atkinson index, aversion 0.5", null=True),
    column("atkinson_1", Double, "Atkinson index, aversion 1", null=True),
    column("atkinson_2", Double, "Atkinson index, aversion 2", null=True),
    column("dagum_within", Double, "part of the Gini within groups (Dagum)", null=True),
    column("dagum_between", Double, "part of the Gini between groups, net of overlap (Dagum)", null=True),
    column("dagum_transvariation", Double, "part of the Gini where groups overlap (Dagum)", null=True),
    column("p90_p10_ratio", Double, "ninth decile over first; null where the first is 0", null=True),
    column("max_min_difference", Double, "largest minus smallest, in the unit (WHO D)", null=True),
    column("mdmu", Double, "mean difference from the mean, units as equals, in the unit (WHO MDMU)", null=True),
    column("mdmw", Double, "mean difference from the mean by weight, in the unit (WHO MDMW)", null=True),
    column(
        "mdbu",
        Double,
        "mean difference from the best unit, units as equals (WHO MDBU); null if neutral",
        null=True,
    ),
    column(
        "mdbw",
        Double,
        "mean difference from the best unit by weight (WHO MDBW); null if neutral",
        null=True,
    ),
    column("idisu", Double, "index of disparity, units as equals, percent of the mean (WHO IDISU)", null=True),
    column("idisw", Double, "index of disparity by weight, percent of the mean (WHO IDISW)", null=True),
    column("bgv", Double, "between-group variance, in the square of the unit (WHO BGV)", null=True),
    column("bgsd", Double, "between-group standard deviation, in the unit (WHO BGSD)", null=True),
    column(
        "par",
        Double,
        "attributable risk: the best unit minus the mean, in the unit (WHO PAR); null if neutral",
        null=True,
    ),
    column(
        "paf",
        Double,
        "attributable fraction: PAR in percent of the mean (WHO PAF); null if neutral",
        null=True,
    ),
    schema="core",
    comment="mart.inequality with its history by release",
)

county_balance = Table(
    "county_balance",
    metadata,
    *slice_columns(key=True),
    column("region_key", Integer, "county: its code as a number", primary_key=True),
    column("resource_code", Text, "one of the seven resources, or ALL: the verdict on the county", primary_key=True),
    *validity_columns(),
    column("schools", Integer, "schools with pupils that the row rests on"),
    column("schools_missing", Integer, "schools that have no known pupils, or pupils and no figure"),
    column("schools_estimated", Integer, "schools whose figures are estimated or provisional"),
    column("pupils", Double, "pupils of those schools"),
    column("coverage", Double, "share of schools that have a figure, or of pupils in them, whichever is less"),
    column("mean", Double, "resource a pupil (or 100 pupils) in the county; ALL: null", null=True),
    column("line", Double, "least a school of the stage should have; ALL: null", null=True),
    column(
        "schools_meeting", Integer, "schools at the line; ALL: at 6 of the 7 lines or more, and at 0.85 of the other"
    ),
    column("cv", Double, "CV between schools, weighted by pupils; ALL: the largest of the seven", null=True),
    column("cv_limit", Double, "largest CV allowed; ALL: null where it is not the same for all seven", null=True),
    column("passes_cv", Boolean, "whether the CV is within its limit; ALL: whether all seven are", null=True),
    column("passes", Boolean, "ALL: whether the county passes, all CVs and every school; else null", null=True),
    column("grade", CHAR(1), "A all checks passed, B warnings, C estimated or schools missing"),
    column("status", Text, "ok, or why nothing is said"),
    schema="core",
    comment="mart.county_balance with its history by release",
)

for _table in (attainment, urban_rural_gap, inequality, county_balance):
    release_indexes(_table)

observation_harmonised = Table(
    "observation_harmonised",
    metadata,
    *slice_columns(key=True),
    *place_columns(key=True),
    *validity_columns(),
    column("value", Double, "figure on today's map, in the indicator's unit; null: blank", null=True),
    column("obs_status", CHAR(1), "weakest status of its parts; E where a region was split by a share"),
    column(
        "map_status",
        Text,
        "renamed, merged, split, recomputed, left_… (stays at the reported code, and why), unmapped, moved (its figure is"
        " part of another row: not shown)",
    ),
    column("reported_codes", Text, "codes whose reported figures make it, separated by ;"),
    schema="core",
    comment="Where figures differ on today's map from those as reported, with its history by release",
)
