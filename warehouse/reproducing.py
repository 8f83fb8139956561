"""Computing a past release again: from the figures known then, by today's code, and comparing hash with hash.

Here: the proof that a release says what its observations say. Nothing is written but temporary tables. Not here: how
anything is computed (:mod:`warehouse.computing`).
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection, Table

from warehouse import schema
from warehouse.bulk import copy_frame
from warehouse.catalogue import Catalogue
from warehouse.computing import compute_figures, compute_metrics, known_periods, read_figures, read_first_figures
from warehouse.marts.registry import MARTS, Inputs
from warehouse.panels import Slice
from warehouse.publishing import FACTS, MART_TABLES, digest_of, hash_of_slices, slice_codes
from warehouse.releases import read_release
from warehouse.schools import read_schools, slices_of

Digests = dict[tuple[str, int, int], str]


@dataclass(frozen=True)
class Reproduction:
    """A release beside itself. Slices are (mart, indicator_code, period_code).

    ``stored_sha256``: the hash of the rows that are kept, ``computed_sha256`` that of the rows computed again from the
    reported figures of then, None where the catalogue is another by now and nothing was computed. ``differing``: slices
    that were not as recorded.
    """

    release_id: int
    recorded_sha256: str
    stored_sha256: str
    computed_sha256: str | None
    differing: tuple[tuple[str, str, str], ...]

    @property
    def holds(self) -> bool:
        """Whether all that could be compared is equal."""
        return self.recorded_sha256 == self.stored_sha256 and self.computed_sha256 in (None, self.recorded_sha256)


def reproduce(connection: Connection, release_id: int, catalogue: Catalogue) -> Reproduction:
    """Hash what is kept of a release, and compute it again from the reported figures known then.

    Raises :class:`warehouse.errors.NoSuchReleaseError`.
    """
    found = read_release(connection, release_id)
    recorded = _recorded(connection, release_id)
    stored = _stored(connection, release_id, found["recorded_at"])
    computed = None
    if found["catalogue_sha256"] == catalogue.sha256:
        computed = _computed(connection, release_id, found["recorded_at"], catalogue)
    differing = {key for other in (stored, computed) if other is not None for key in _differing(recorded, other)}
    return Reproduction(
        release_id,
        found["marts_sha256"],
        _total(connection, stored),
        None if computed is None else _total(connection, computed),
        tuple(sorted(_named(connection, differing))),
    )


def _recorded(connection: Connection, release_id: int) -> Digests:
    digests = schema.slice_digest
    columns = (digests.c.mart, digests.c.indicator_key, digests.c.period_key, digests.c.sha256)
    rows = connection.execute(sa.select(*columns).where(_shown(digests, release_id)))
    return {(row.mart, row.indicator_key, row.period_key): row.sha256 for row in rows}


def _stored(connection: Connection, release_id: int, moment: datetime.datetime) -> Digests:
    found: Digests = {}
    for name, facts in FACTS.items():
        is_known = sa.and_(facts.c.recorded_at <= moment, facts.c.superseded_at > moment)
        found |= _run(connection, digest_of(name, facts).where(is_known))
    for mart, table in MART_TABLES.items():
        found |= _run(connection, digest_of(mart, table).where(_shown(table, release_id)))
    return found


def _computed(connection: Connection, release_id: int, moment: datetime.datetime, catalogue: Catalogue) -> Digests:
    """Everything from the reported figures and rosters of then: single spans, rates, the nation, the metrics on top."""
    known = known_periods(connection, (), release_id)
    everything: set[Slice] = {(key, period) for key, periods in known.items() for period in periods}
    wanted = {key for key in everything if key[0] in catalogue.by_key}
    reported = read_figures(connection, everything, only_reported=True, as_of=moment)
    computed = compute_figures(connection, catalogue, wanted, known, as_of=moment)
    figures = pd.concat([frame.astype({"obs_status": str}) for frame in (reported, computed)], ignore_index=True)
    figures["obs_status"] = figures["obs_status"].astype("category")
    found = _digest_frame(connection, "observation", figures.astype({"obs_status": str}), recorded_at=moment)
    slices = {mart.name: mart.slices(catalogue, known) for mart in MARTS.values()}
    first = read_first_figures(connection, wanted, as_of=moment)
    schools = read_schools(connection, slices_of(everything, catalogue), catalogue, as_of=moment)
    found |= _digest_frame(connection, "school_resource", schools, recorded_at=moment, receipt_id=0, addresses="")
    given = Inputs(figures, catalogue, first_figures=first, schools=lambda _: schools)
    for mart, frame in compute_metrics(given, slices).items():
        found |= _digest_frame(connection, mart, frame, release_from=release_id)
    return found


def _digest_frame(connection: Connection, mart: str, frame: pd.DataFrame, **constants: Any) -> Digests:
    """Hashes of a frame by slice, made by the same database function as the recorded ones."""
    table = MART_TABLES[mart] if mart in MART_TABLES else FACTS[mart]
    twin = table.to_metadata(sa.MetaData(), schema="pg_temp", name=f"again_{mart}")
    connection.execute(sa.text(f"DROP TABLE IF EXISTS pg_temp.again_{mart}"))
    connection.execute(
        sa.text(f"CREATE TEMPORARY TABLE again_{mart} (LIKE core.{mart} INCLUDING DEFAULTS) ON COMMIT DROP")
    )
    columns = [column.name for column in table.columns if column.name in frame.columns]
    copy_frame(connection, twin, frame[columns].assign(**constants))
    return _run(connection, digest_of(mart, twin))


def _run(connection: Connection, query: sa.Select[Any]) -> Digests:
    return {(row[0], row[1], row[2]): row[4] for row in connection.execute(query)}


def _shown(table: Table, release_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(
        table.c.release_from <= release_id,
        table.c.release_to.is_(None) | (table.c.release_to > release_id),
    )


def _differing(one: Digests, other: Digests) -> set[tuple[str, int, int]]:
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


def _total(connection: Connection, digests: Digests) -> str:
    return hash_of_slices(connection, ((*key, sha256) for key, sha256 in digests.items()))


def _named(connection: Connection, keys: set[tuple[str, int, int]]) -> list[tuple[str, str, str]]:
    """Slices by codes."""
    codes, periods = slice_codes(connection)
    return [(mart, codes[key], periods[when]) for mart, key, when in keys]
