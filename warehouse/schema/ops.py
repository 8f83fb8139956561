"""Schemas ``ops`` (how it ran) and ``staging`` (unlogged, per refresh)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    CHAR,
    BigInteger,
    Boolean,
    Column,
    ColumnClause,
    Date,
    Double,
    Identity,
    Index,
    Integer,
    Sequence,
    Table,
    TableClause,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from warehouse.schema.base import UTC, column, metadata, place_columns, release_indexes, slice_columns, validity_columns

receipt_id_sequence = Sequence("receipt_id_seq", schema="ops", metadata=metadata)
_NEXT_RECEIPT = text("nextval('ops.receipt_id_seq')")

refresh = Table(
    "refresh",
    metadata,
    column("refresh_id", Integer, "number of the refresh", primary_key=True, autoincrement=True),
    column("run_id", Text, "Dagster run", unique=True),
    column("started_at", UTC, "when it began"),
    column("recorded_at", UTC, "moment its observations are recorded at", unique=True),
    column("finished_at", UTC, "when it ended", null=True),
    column(
        "status",
        Text,
        "running, published, prepared (its release is held or under embargo), unchanged, failed, or incomplete (killed, or"
        " only part of the assets was run)",
    ),
    column("release_id", Integer, "release that first shows what it loaded", null=True),
    column("catalogue_sha256", Text, "hash of the catalogue it used"),
    column("summary", JSONB, "counts of the run", null=True),
    schema="ops",
    comment="One run from platforms to release",
)


def _delivery() -> list[Column[Any]]:
    return [
        column("refresh_id", Integer, "refresh that collected it"),
        column("platform", Text, "province code / sector"),
        column("sector", Text, "employment, education or health"),
        column("form", Text, "form it answers"),
        column("region_code", Text, "province that owes it"),
        column("period_code", Text, "period it is of"),
        column("sequence", Integer, "number of the delivery for this form and period, 0: none arrived"),
        column("sha256", Text, "its bytes in the archive", null=True),
        column("bytes", BigInteger, "size", null=True),
        column("file_name", Text, "name the platform gave it", null=True),
        column("media_type", Text, "media type the platform gave it", null=True),
        column("etag", Text, "entity tag, for conditional requests", null=True),
        column("modified_at", UTC, "modified time on the platform", null=True),
        column("fetched_at", UTC, "when it was fetched, or last asked for"),
        column("due_on", Date, "day it is due"),
    ]


arrival = Table(
    "arrival",
    metadata,
    column("arrival_id", BigInteger, "becomes the receipt's id", primary_key=True, server_default=_NEXT_RECEIPT),
    *_delivery(),
    column(
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
    column("receipt_id", BigInteger, "number of the receipt", primary_key=True, server_default=_NEXT_RECEIPT),
    *_delivery(),
    column("state", Text, "loaded, unchanged, quarantined, partly_quarantined, failed or missing"),
    column("cells", Integer, "cells read = loaded + unchanged + quarantined", server_default=text("0")),
    column("loaded", Integer, "cells that made a new vintage", server_default=text("0")),
    column("unchanged", Integer, "cells that say what was known", server_default=text("0")),
    column("quarantined", Integer, "cells set aside with a reason", server_default=text("0")),
    column("message", Text, "what happened, where something did", null=True),
    column("layout", Text, "layout and version it was read by", null=True),
    UniqueConstraint("platform", "form", "period_code", "sequence"),
    schema="ops",
    comment="The ledger: one row a delivery; sequence 0 stands for a return that is missing or failed",
)

platform_failure = Table(
    "platform_failure",
    metadata,
    column("refresh_id", Integer, "refresh", primary_key=True),
    column("platform", Text, "province code / sector", primary_key=True),
    column("asked_at", UTC, "when it was asked"),
    column("message", Text, "why it could not be asked"),
    schema="ops",
    comment="Platforms that could not be asked what they offer",
)

platform_incident = Table(
    "platform_incident",
    metadata,
    column("refresh_id", Integer, "refresh", primary_key=True),
    column("platform", Text, "province code / sector", primary_key=True),
    column("kind", Text, "kind of trouble in one word", primary_key=True),
    column("count", Integer, "how often"),
    column("first_at", UTC, "when it was first met"),
    column("last_at", UTC, "when it was last met"),
    column("message", Text, "the last one in a sentence"),
    schema="ops",
    comment="Trouble with a platform that was overcome: waiting, asking again, going on where an answer broke off",
)

unplaced_file = Table(
    "unplaced_file",
    metadata,
    column("sha256", Text, "its bytes in the archive", primary_key=True),
    column("file_name", Text, "name under which it lay in the inbox", primary_key=True),
    column("refresh_id", Integer, "refresh that found it"),
    column("bytes", BigInteger, "size"),
    column("reason", Text, "reason in one word"),
    column("explanation", Text, "reason in a sentence"),
    column("explanation_zh", Text, "reason in a sentence, in Chinese"),
    column("created_at", UTC, "when it was set aside"),
    column("resolved_at", UTC, "when the same bytes could be placed", null=True),
    schema="ops",
    comment="Files of the inbox that name no platform, form and period: archived, and waiting for a person",
)

quarantine = Table(
    "quarantine",
    metadata,
    column("quarantine_id", BigInteger, "number", Identity(), primary_key=True),
    column("receipt_id", BigInteger, "receipt (ops.return_receipt)", index=True),
    column("sha256", Text, "bytes of the return in the archive"),
    column("address", Text, "cell; empty: the whole return"),
    column("raw_text", Text, "what stands there", null=True),
    column("reason", Text, "reason in one word"),
    column("explanation", Text, "reason in a sentence"),
    column("explanation_zh", Text, "reason in a sentence, in Chinese"),
    column("created_at", UTC, "when it was set aside"),
    column("resolved_at", UTC, "when a later delivery of the return replaced it", null=True),
    schema="ops",
    comment="Every cell and return that could not be used, with the reason",
)

quarantine_waiver = Table(
    "quarantine_waiver",
    metadata,
    column("sha256", Text, "bytes of the return in the archive", primary_key=True),
    column("check_id", Text, "blocking check that no longer holds it back", primary_key=True),
    column("operator", Text, "who let it pass"),
    column("why", Text, "the reason given"),
    column("created_at", UTC, "when"),
    schema="ops",
    comment="Returns that a person let pass although a blocking check holds them back; of these very bytes only",
)

check_result = Table(
    "check_result",
    metadata,
    column("check_result_id", BigInteger, "number", Identity(), primary_key=True),
    column("refresh_id", Integer, "refresh", index=True),
    column("target", Text, "form or mart that was checked"),
    column("subject", Text, "family of the check: structure, codes, ranges, units, arithmetic, keys, values, measures"),
    column("suite", Text, "suite of expectations"),
    column("check_id", Text, "check"),
    column("severity", Text, "blocking, warning or info"),
    column("success", Boolean, "whether it holds"),
    column("evaluated", BigInteger, "rows looked at"),
    column("unexpected", BigInteger, "rows that do not hold"),
    column("explanation", Text, "what the check means and what was found"),
    column("sample", JSONB, "up to five of those rows", null=True),
    column("receipts", JSONB, "receipts that have such rows", null=True),
    column("created_at", UTC, "when"),
    schema="ops",
    comment="Every result of every check",
)

changed_slice = Table(
    "changed_slice",
    metadata,
    column("refresh_id", Integer, "refresh that changed it", primary_key=True),
    *slice_columns(key=True),
    column("revisions", Integer, "figures of it that were revised", server_default=text("0")),
    column("warnings", Integer, "figures of it that broke a check that warns", server_default=text("0")),
    column("candidate", Integer, "coming release whose checked marts cover it; null: none yet", null=True),
    column("release_id", Integer, "release that shows the change; null: not published yet", null=True),
    schema="ops",
    comment="(indicator, period) pairs that a load changed, until a release shows them",
)
Index("changed_slice_open_idx", changed_slice.c.refresh_id, postgresql_where=changed_slice.c.release_id.is_(None))

slice_digest = Table(
    "slice_digest",
    metadata,
    column("mart", Text, "mart", primary_key=True),
    *slice_columns(key=True),
    *validity_columns(),
    column("rows", Integer, "rows of the slice"),
    column("sha256", Text, "hash of the slice's contents"),
    schema="ops",
    comment="Hash of each (mart, indicator, period): a release's hash is made of those in force",
)

release_indexes(slice_digest)

release = Table(
    "release",
    metadata,
    column("release_id", Integer, "number of the release", primary_key=True, autoincrement=False),
    column("published_at", UTC, "when it went live, or will; null: held and not approved", null=True),
    column("refresh_id", Integer, "refresh that made it"),
    column("recorded_at", UTC, "observations recorded up to here are in it"),
    column("status", Text, "published, held, refused or withdrawn"),
    column("observations", BigInteger, "rows of mart.observation"),
    column("revisions", BigInteger, "figures revised since the release before"),
    column("checks_passed", Integer, "checks that passed"),
    column("checks_warned", Integer, "checks that warned"),
    column("checks_failed", Integer, "blocking checks that failed (their returns were held back)"),
    column("marts_sha256", Text, "hash of the marts' contents"),
    column("catalogue_sha256", Text, "hash of the catalogue it was computed with"),
    column("held_because", Text, "why it waited for a person; null: it did not", null=True),
    schema="ops",
    comment="Prepared states of the marts; the pointer says which one readers see",
)

release_pointer = Table(
    "release_pointer",
    metadata,
    column("pointer_id", Integer, "number of the move", Identity(), primary_key=True),
    column("in_force_from", UTC, "from when readers see the release"),
    column("release_id", Integer, "release that readers see"),
    column("recorded_at", UTC, "its observations are those recorded up to here"),
    column(
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
    column("decision_id", Integer, "number", Identity(), primary_key=True),
    column("release_id", Integer, "release", index=True),
    column("action", Text, "publish, hold, embargo, approve, refuse or withdraw"),
    column("operator", Text, "who decided; policy: the setting did"),
    column("why", Text, "the reason given", null=True),
    column("decided_at", UTC, "when"),
    column("live_at", UTC, "from when readers see it; null: they do not", null=True),
    schema="ops",
    comment="What people and the policy decided about releases",
)

staged_observation = Table(
    "observation",
    metadata,
    column("arrival_id", BigInteger, "delivery", null=True),
    *slice_columns(key=False),
    *place_columns(key=False),
    column("value", Double, "figure", null=True),
    column("obs_status", CHAR(1), "status"),
    column("last_digit", Double, "one unit of the last printed digit", null=True),
    column("address", Text, "cell", null=True),
    schema="staging",
    comment="What is being loaded, emptied before each load",
    prefixes=["UNLOGGED"],
)
