"""From changed figures to the marts of the coming release: reads what is needed, calls the pure functions, writes.

Here: the I/O around :mod:`warehouse.differencing`, :mod:`warehouse.deriving` and :mod:`warehouse.marts`, for the slices
that changed and what depends on them, nothing more, a batch at a time. Not here: any formula.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy import Connection

from warehouse.bulk import read_fixed, replace_temporary
from warehouse.catalogue import Catalogue
from warehouse.dependencies import dependent_slices, required_slices
from warehouse.deriving import aggregate_nation, derive_indicators
from warehouse.differencing import difference_flows, is_single_span, span_parts, touched_spans
from warehouse.loading import record_changes
from warehouse.marts import reach
from warehouse.marts.registry import MARTS, Inputs
from warehouse.merging import Merged, merge
from warehouse.panels import STATUSES, Slice
from warehouse.parts import are_rules_missing, figure_rules, inequality_rules, record_missing_rules, record_rules
from warehouse.publishing import FACTS, digest_slices, unpublished_slices, write_mart
from warehouse.receipts import Refresh
from warehouse.reference import ensure_periods
from warehouse.schema import changed_slice, release, slice_digest
from warehouse.schools import read_schools, slices_of

_FIGURE_COLUMNS = (
    ("indicator_key", "int2"),
    ("period_key", "int4"),
    ("region_key", "int4"),
    ("area_key", "int2"),
    ("value", "float8"),
    ("obs_status", "char"),
)
_READ_FIGURES = sql.SQL(
    "SELECT o.indicator_key, o.period_key, o.region_key, o.area_key, coalesce(o.value, 'NaN') AS value, o.obs_status"
    " FROM core.observation o JOIN pg_temp.wanted w USING (indicator_key, period_key)"
)
_CURRENT = sql.SQL(" WHERE o.superseded_at = 'infinity'")
_KNOWN_THEN = sql.SQL(" WHERE o.recorded_at <= {moment} AND o.superseded_at > {moment}")

_CHANGED = ("indicator_key", "period_key", "revisions")
#: Figures read together: 2,000,000 are some 50 MB, and the tables a mart makes of them a few times that.
_FIGURES_AT_ONCE = 2_000_000
#: What a slice of which nothing was published yet is taken to hold: all counties, and some areas.
_FIGURES_OF_A_SLICE = 5_000

Moment = datetime.datetime | None
"""When figures were known; None: now."""


def changed_slices(connection: Connection, catalogue: Catalogue) -> set[Slice]:
    """The (indicator_key, period_key) pairs that no release shows yet as they are now.

    Figures of an indicator that the catalogue no longer has stay as they were published. Slices of rosters are among them
    (:func:`warehouse.schools.slices_of`): of those there is no figure to compute.
    """
    rows = unpublished_slices(connection)
    pairs = zip(rows["indicator_key"].tolist(), rows["period_key"].tolist(), strict=True)
    return {pair for pair in pairs if pair[0] in catalogue.codes_by_key}


def shown_slices(connection: Connection) -> dict[str, dict[Slice, int]]:
    """The slices that the newest release has, with how many rows each, by mart (``observation`` among them)."""
    digests = slice_digest
    columns = (digests.c.mart, digests.c.indicator_key, digests.c.period_key, digests.c.rows)
    found: dict[str, dict[Slice, int]] = {}
    for mart, indicator_key, period_key, rows in connection.execute(
        sa.select(*columns).where(digests.c.release_to.is_(None))
    ):
        found.setdefault(mart, {})[indicator_key, period_key] = rows
    return found


def _with(changed: Iterable[Slice], shown: Iterable[Slice]) -> dict[int, set[int]]:
    """Periods by indicator of both."""
    known: dict[int, set[int]] = {}
    for indicator_key, period_key in (*shown, *changed):
        known.setdefault(indicator_key, set()).add(period_key)
    return known


def known_periods(
    connection: Connection, changed: Collection[Slice], release_id: int | None = None
) -> dict[int, set[int]]:
    """Periods each indicator has figures for, or rosters: those of the last release (or ``release_id``), and what changed
    since."""
    digests = slice_digest
    is_shown: sa.ColumnElement[bool] = digests.c.release_to.is_(None)
    if release_id is not None:
        is_shown = sa.and_(digests.c.release_from <= release_id, is_shown | (digests.c.release_to > release_id))
    rows = connection.execute(
        sa.select(digests.c.indicator_key, digests.c.period_key).where(digests.c.mart.in_(FACTS), is_shown)
    )
    return _with(changed, [(row.indicator_key, row.period_key) for row in rows])


def want(connection: Connection, slices: Collection[Slice]) -> None:
    """Make ``pg_temp.wanted`` hold these slices: what is read, replaced and hashed next."""
    frame = pd.DataFrame(sorted(slices), columns=["indicator_key", "period_key"])
    replace_temporary(connection, "wanted", (("indicator_key", "smallint"), ("period_key", "integer")), frame)


def read_figures(
    connection: Connection, slices: Collection[Slice], *, only_reported: bool = False, as_of: Moment = None
) -> pd.DataFrame:
    """Figures of these slices, current or as known at ``as_of``: indicator_key, period_key, region_key, area_key, value (NaN
    blank), obs_status."""
    want(connection, slices)
    condition = _CURRENT if as_of is None else _KNOWN_THEN.format(moment=sql.Literal(as_of))
    reported = sql.SQL(" AND o.receipt_id IS NOT NULL" if only_reported else "")
    figures = read_fixed(connection, _READ_FIGURES + condition + reported, _FIGURE_COLUMNS)
    status = figures["obs_status"].astype("category")
    names = [name.decode() for name in status.cat.categories]
    # The same categories whatever was read, so that frames of several reads concatenate; an unknown status is kept.
    others = sorted(set(names) - set(STATUSES))
    return figures.assign(
        area_key=figures["area_key"].astype("int8"),
        obs_status=status.cat.rename_categories(names).cat.set_categories([*STATUSES, *others]),
    )


def note_catalogue_change(connection: Connection, refresh: Refresh, catalogue: Catalogue) -> bool:
    """Put every slice into the changed set where the last release was computed with another catalogue.

    A new floor, formula or indicator then reaches periods that are loaded already. True where that was so.
    """
    newest = sa.select(release.c.catalogue_sha256).order_by(release.c.release_id.desc()).limit(1)
    last = connection.scalar(newest)
    if last is None or last == catalogue.sha256:
        return False
    known = known_periods(connection, ())
    slices = [(key, period) for key, periods in known.items() if key in catalogue.codes_by_key for period in periods]
    frame = pd.DataFrame(slices, columns=["indicator_key", "period_key"]).assign(revisions=0)
    record_changes(connection, refresh, frame)
    return True


def warned_slices(connection: Connection) -> set[Slice]:
    """Slices of which some load warned. Conservative: a warning counts until the figures' history is rebuilt."""
    columns = (changed_slice.c.indicator_key, changed_slice.c.period_key)
    rows = connection.execute(sa.select(*columns).where(changed_slice.c.warnings > 0).distinct())
    return {(row.indicator_key, row.period_key) for row in rows}


def compute_observations(connection: Connection, refresh: Refresh, catalogue: Catalogue) -> Merged | None:
    """Single spans, derived indicators and national figures of whatever the changed slices reach.

    None where nothing changed; where only rosters did, no figure is computed.
    """
    note_catalogue_change(connection, refresh, catalogue)
    if are_rules_missing(connection):
        record_missing_rules(connection, catalogue, known_periods(connection, ()))
    everything = changed_slices(connection, catalogue)
    if not everything:
        return None
    changed = everything - slices_of(everything, catalogue)
    if not changed:
        return Merged(
            *(pd.DataFrame(columns=[*columns]) for columns in (("arrival_id", "loaded", "unchanged"), _CHANGED))
        )
    known = known_periods(connection, changed)
    spans = touched_spans(changed, catalogue, known)
    for indicator_key, period_key in spans:
        known[indicator_key].add(period_key)
    dependents = dependent_slices(changed | spans, catalogue, known)
    wanted = dependents.observations | spans
    computed = compute_figures(connection, catalogue, wanted, known)
    ensure_periods(connection, computed["period_key"].unique().tolist())
    want(connection, wanted)
    staged = computed.assign(
        obs_status=computed["obs_status"].astype(str),
        arrival_id=pd.Series(pd.NA, index=computed.index, dtype="Int64"),
        last_digit=float("nan"),
        address=pd.Series(None, index=computed.index, dtype="str"),
    )
    merged = merge(connection, refresh, staged, is_complete=True)
    moment = refresh.recorded_at
    record_rules(connection, moment, wanted, ("figure", "nation"), figure_rules(computed, catalogue, known))
    weighed = inequality_rules(dependents.metrics, catalogue, known)
    record_rules(connection, moment, dependents.metrics, ("inequality",), weighed)
    # A release counts the reported figures that were revised, not again each figure that follows from them.
    record_changes(connection, refresh, merged.changed.assign(revisions=0))
    return merged


def compute_figures(
    connection: Connection,
    catalogue: Catalogue,
    wanted: Collection[Slice],
    known: Mapping[int, Collection[int]],
    as_of: Moment = None,
) -> pd.DataFrame:
    """All computed figures of ``wanted``, of what is known now or was at ``as_of``.

    Differences come first: the nation and the rates are made of them too.
    """
    spans = {key for key in wanted if is_single_span(key, catalogue)}
    needed = (required_slices(wanted, catalogue, known) | span_parts(spans, known)) - spans
    figures = read_figures(connection, needed, as_of=as_of)
    differences = []
    if spans:
        figures = _join([figures, read_figures(connection, spans, only_reported=True, as_of=as_of)])
        differences.append(difference_flows(figures, catalogue, spans))
        figures = _join([figures, *differences])
    derived = derive_indicators(figures, catalogue, wanted)
    return pd.concat([*differences, derived, aggregate_nation(figures, catalogue, wanted)], ignore_index=True)


def _join(frames: Collection[pd.DataFrame]) -> pd.DataFrame:
    """The frames that have rows, one after the other; the first where none has."""
    return pd.concat([frame for frame in frames if len(frame)] or list(frames)[:1], ignore_index=True)


def count_vintages(connection: Connection) -> int:
    """About how many vintages the fact holds, by the planner's statistics: counting them would cost a full scan."""
    query = "SELECT coalesce(sum(greatest(c.reltuples, 0)), 0) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
    return int(connection.scalar(sa.text(query + " WHERE i.inhparent = CAST('core.observation' AS regclass)")) or 0)


@dataclass(frozen=True)
class MartRows:
    """What was computed of a mart: the rows, and the slices that they replace (some may have none)."""

    frame: pd.DataFrame
    slices: frozenset[Slice]


def compute_marts(connection: Connection, catalogue: Catalogue) -> dict[str, MartRows]:
    """The marts of the changed slices and of what rests on them, by mart; nothing is written."""
    changed = changed_slices(connection, catalogue)
    shown = shown_slices(connection)
    facts = [key for name in FACTS for key in shown.get(name, {})]
    known = _with(changed, facts)
    warned = warned_slices(connection)
    wanted: dict[str, set[Slice]] = {}
    for mart in MARTS.values():
        possible = mart.slices(catalogue, known)
        # What an indicator is no longer compared for goes; of one that the catalogue no longer has, what was published stays.
        stale = {key for key in shown.get(mart.name, {}).keys() - possible if key[0] in catalogue.codes_by_key}
        wanted[mart.name] = reach.touched(changed, possible, mart.rests_on, catalogue, known) | stale
    found: dict[str, list[pd.DataFrame]] = {mart: [] for mart in wanted}
    for batch in _batches(wanted, shown.get("observation", {})):
        needed = {
            key
            for name, slices in batch.items()
            for key in reach.needed(slices, MARTS[name].rests_on, catalogue, known)
        }
        figures = read_figures(connection, needed)
        given = Inputs(figures, catalogue, warned, lambda slices: read_schools(connection, slices, catalogue))
        frames = compute_metrics(given, batch)
        for name, frame in frames.items():
            found[name].append(frame)
    return {mart: MartRows(_join(frames), frozenset(wanted[mart])) for mart, frames in found.items()}


def write_marts(
    connection: Connection, computed: Mapping[str, MartRows], release_id: int, catalogue: Catalogue
) -> None:
    """Write and hash what was computed, and hash the figures and rosters that changed, for release ``release_id``."""
    for mart, rows in computed.items():
        want(connection, rows.slices)
        write_mart(connection, mart, rows.frame, release_id)
        digest_slices(connection, mart, release_id)
    want(connection, changed_slices(connection, catalogue))
    for fact in FACTS:
        digest_slices(connection, fact, release_id)


def compute_metrics(given: Inputs, wanted: Mapping[str, Collection[Slice]]) -> dict[str, pd.DataFrame]:
    """The rows of each mart's wanted slices, from the figures they rest on, as frames by mart."""
    return {mart: MARTS[mart].compute(given, slices) for mart, slices in wanted.items()}


def _batches(wanted: Mapping[str, set[Slice]], sizes: Mapping[Slice, int]) -> Iterator[dict[str, set[Slice]]]:
    """The wanted slices by mart, an indicator's together, in parts whose figures fit into memory; one part at least."""
    batch: dict[str, set[Slice]] = {mart: set() for mart in wanted}
    held = 0
    for indicator_key in sorted({key for slices in wanted.values() for key, _ in slices}):
        own = {mart: {key for key in slices if key[0] == indicator_key} for mart, slices in wanted.items()}
        figures = sum(sizes.get(key, _FIGURES_OF_A_SLICE) for key in set().union(*own.values()))
        if held and held + figures > _FIGURES_AT_ONCE:
            yield batch
            batch, held = {mart: set() for mart in wanted}, 0
        for mart, slices in own.items():
            batch[mart] |= slices
        held += figures
    yield batch
