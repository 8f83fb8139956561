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

for _table in (attainment, urban_rural_gap, inequality):
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

cost_to_floor = Table(
    "cost_to_floor",
    metadata,
    *slice_columns(key=True),
    *place_columns(key=True),
    column("floor_kind", Text, "floor, target or reference", primary_key=True),
    *validity_columns(),
    column("value", Double, "amount a head; of the nation its mean, null where there is none", null=True),
    column("floor_value", Double, "the floor; of the nation null where its provinces have several", null=True),
    column("heads", Double, "people it is paid to; null where nobody counted them", null=True),
    column(
        "cost",
        Double,
        "CNY a year to lift them to the floor, 0 at or above it; of the nation its provinces' sum",
        null=True,
    ),
    column("revenue", Double, "general public budget revenue it would be paid from, CNY", null=True),
    column("revenue_region_key", Integer, "region whose revenue that is: its own, else the one above it", null=True),
    column("share_of_revenue", Double, "cost / revenue; null where there is no revenue", null=True),
    column("units", Integer, "regions the cost rests on: 1, of the nation its provinces"),
    column("units_missing", Integer, "regions that ought to be in it and have no cost"),
    column("units_estimated", Integer, "regions of them with an estimate among value, heads and revenue"),
    column("coverage", Double, "share of those regions that have a cost"),
    column("grade", CHAR(1), "A all checks passed, B warnings, C estimated or partial coverage"),
    column("status", Text, "ok, or why the cost is null"),
    schema="core",
    comment="mart.cost_to_floor with its history by release",
)
release_indexes(cost_to_floor)

shortfall = Table(
    "shortfall",
    metadata,
    *slice_columns(key=True),
    column("area_key", SmallInteger, "area type: 0 total, 1 urban, 2 rural", primary_key=True),
    column("floor_kind", Text, "floor, target or reference", primary_key=True),
    column("scope", Text, "units judged: nation:province, nation:county, 510000:county", primary_key=True),
    column("weighting", Text, "none (regions as equals) or population (people)", primary_key=True),
    *validity_columns(),
    column("floor_value", Double, "the floor where one holds for all units; null: each has its own", null=True),
    column("p0", Double, "share of units (of people, where weighted) below their floor", null=True),
    column("p1", Double, "mean gap below the floor, as a share of it; 0 where not below", null=True),
    column("p2", Double, "mean squared gap: the worst count more", null=True),
    column("population_below", Double, "people who belong to the units below; null where not weighted", null=True),
    column("units_below", Integer, "units below their floor", null=True),
    column("units", Integer, "units the measures rest on"),
    column("units_missing", Integer, "units that have a floor and no value (or weight)"),
    column("units_estimated", Integer, "units whose figure is estimated"),
    column("coverage", Double, "share of units (of weight, where weighted) that have a value"),
    column("grade", CHAR(1), "A all checks passed, B warnings, C estimated or partial coverage"),
    column("status", Text, "ok, or why the measures are null"),
    schema="core",
    comment="mart.shortfall with its history by release",
)
release_indexes(shortfall)

shortfall_risk = Table(
    "shortfall_risk",
    metadata,
    *slice_columns(key=True),
    *place_columns(key=True),
    column("floor_kind", Text, "floor, target or reference", primary_key=True),
    *validity_columns(),
    column("value", Double, "figure of the period, the last the line goes through"),
    column("floor_value", Double, "standard in force at the period"),
    column("years", SmallInteger, "years the line goes through: the last five observed ones without a break"),
    column("first_year", SmallInteger, "the oldest of them"),
    column("slope", Double, "the line's change a year, in the indicator's unit; null under three years", null=True),
    column(
        "attainment_status",
        Text,
        "insufficient (under three years), attained, not_approaching, beyond_horizon (over 100 years), projected",
    ),
    column("attainment_year", Double, "first observed year at the standard, or where the line reaches it", null=True),
    column("next_value", Double, "what the line expects a period later", null=True),
    column("next_error", Double, "standard error of that expectation", null=True),
    column(
        "next_floor_value", Double, "standard already set for that period; where there is none, that of this period"
    ),
    column("probability", Double, "that the next figure is short of it", null=True),
    column("band", Text, "low (under 0.10), watch (under 0.33), high (under 0.67), severe", null=True),
    column("grade", CHAR(1), "A all checks passed, B warnings, C provisional figures among them"),
    column("status", Text, "ok, or why there is no probability"),
    schema="core",
    comment="mart.shortfall_risk with its history by release",
)
release_indexes(shortfall_risk)
change_attribution = Table(
    "change_attribution",
    metadata,
    *slice_columns(key=True),
    column("area_key", SmallInteger, "area type: 0 total, 1 urban, 2 rural", primary_key=True),
    column("weighting", Text, "none (provinces as equals) or population (people)", primary_key=True),
    column("measure", Text, "index that changed: cv_squared or theil_t, over provinces", primary_key=True),
    column(
        "region_key", Integer, "province whose line it is; the nation 0 where nothing is compared", primary_key=True
    ),
    column(
        "part",
        Text,
        "numerator, denominator, value (of an indicator that is no rate), weight, entered, left, revision; none where nothing"
        " is compared",
        primary_key=True,
    ),
    *validity_columns(),
    column("base_period_key", Integer, "earlier period (core.period); null: nothing is compared", null=True),
    column("contribution", Double, "what this part of this province adds to the change", null=True),
    column("change", Double, "index_after - index_before, the sum of all contributions", null=True),
    column("index_before", Double, "index of the earlier period, of its figures as first published", null=True),
    column("index_after", Double, "index of the period, of its figures as known", null=True),
    column("units", Integer, "provinces with published figures in both periods"),
    column("units_missing", Integer, "provinces whose figures can exist and are not published in one of them"),
    column("units_estimated", Integer, "provinces left out since a figure of theirs is estimated or weaker"),
    column("coverage", Double, "lesser share of provinces (of weight, where weighted) of the two periods"),
    column("grade", CHAR(1), "A all checks passed, B warnings, C provisional or partial coverage"),
    column("status", Text, "ok, or why nothing is compared"),
    schema="core",
    comment="mart.change_attribution with its history by release",
)
release_indexes(change_attribution)
