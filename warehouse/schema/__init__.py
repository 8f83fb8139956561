"""The tables of the warehouse, as SQLAlchemy Core. Migrations create them; this room is what queries are built from.

Schemas: ``ops`` (how it ran), ``core`` (what is known), ``mart`` (what is published: views, the only thing BI reads),
``staging`` (unlogged, per refresh). Not here: any query, any DDL that is run (``migrations/``). A test keeps this room
and the migrations equal.

Keys: indicator_key from the catalogue, period_key as :mod:`warehouse.periods`, region_key the code as a number (the nation
is 0), area_key 0 total, 1 urban, 2 rural.
"""

from warehouse.schema.base import AREA_TYPES, metadata
from warehouse.schema.core import (
    indicator,
    indicator_break,
    lineage_part,
    observation,
    period,
    recomputed_rate,
    region,
    region_change,
    school_balance_line,
    school_resource,
    standard,
    standard_value,
)
from warehouse.schema.marts import attainment, county_balance, inequality, observation_harmonised, urban_rural_gap
from warehouse.schema.ops import (
    arrival,
    changed_slice,
    check_result,
    platform_failure,
    platform_incident,
    quarantine,
    quarantine_waiver,
    receipt_id_sequence,
    refresh,
    release,
    release_decision,
    release_in_force,
    release_pointer,
    return_receipt,
    slice_digest,
    staged_observation,
    unplaced_file,
)

__all__ = [
    "AREA_TYPES",
    "arrival",
    "attainment",
    "changed_slice",
    "check_result",
    "county_balance",
    "indicator",
    "indicator_break",
    "inequality",
    "lineage_part",
    "metadata",
    "observation",
    "observation_harmonised",
    "period",
    "platform_failure",
    "platform_incident",
    "quarantine",
    "quarantine_waiver",
    "receipt_id_sequence",
    "recomputed_rate",
    "refresh",
    "region",
    "region_change",
    "release",
    "release_decision",
    "release_in_force",
    "release_pointer",
    "return_receipt",
    "school_balance_line",
    "school_resource",
    "slice_digest",
    "staged_observation",
    "standard",
    "standard_value",
    "unplaced_file",
    "urban_rural_gap",
]
