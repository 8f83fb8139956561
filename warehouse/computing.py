"""From changed figures to the marts of the coming release: reads what is needed, calls the pure functions, writes.

Here: the I/O around :mod:`warehouse.differencing`, :mod:`warehouse.deriving` and :mod:`warehouse.marts`, for the slices
that changed and what depends on them, nothing more, a batch at a time. Not here: any formula.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
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
#: Of each figure that has an earlier vintage, the first that stood in a release: a value, and no estimate. Whether the release
#: was withdrawn since does not count, or a later one could not be reproduced.
_READ_FIRST = sql.SQL(
    "SELECT DISTINCT ON (o.indicator_key, o.period_key, o.region_key, o.area_key) o.indicator_key, o.period_key,"
    " o.region_key, o.area_key, o.value, o.obs_status FROM core.observation o JOIN pg_temp.wanted w"
    " USING (indicator_key, period_key) WHERE o.superseded_at <= {moment} AND o.superseded_at < 'infinity'"
    " AND o.value IS NOT NULL AND o.obs_status IN ('A', 'P', 'B') AND EXISTS (SELECT FROM ops.release l"
    " WHERE l.recorded_at >= o.recorded_at AND l.recorded_at < o.superseded_at)"
    " ORDER BY o.indicator_key, o.period_key, o.region_key, o.area_key, o.recorded_at"
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
    return {pair for pair in pairs if pair[0] in catalogue.code_by_key}


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
    connection: Connection,
    slices: Collection[Slice],
    *,
    only_reported: bool = False,
    as_of: Moment = None,
    regions: Collection[int] | None = None,
) -> pd.DataFrame:
    """Figures of these slices (and ``regions``; None: all), current or as known at ``as_of``: indicator_key, period_key,
    region_key, area_key, value (NaN blank), obs_status."""
    want(connection, slices)
    condition = _CURRENT if as_of is None else _KNOWN_THEN.format(moment=sql.Literal(as_of))
    if only_reported:
        condition += sql.SQL(" AND o.receipt_id IS NOT NULL")
    if regions is not None:
        condition += sql.SQL(" AND o.region_key = ANY({})").format(sql.Literal(sorted(regions)))
    return _typed(read_fixed(connection, _READ_FIGURES + condition, _FIGURE_COLUMNS))


def read_first_figures(connection: Connection, slices: Collection[Slice], *, as_of: Moment = None) -> pd.DataFrame:
    """Of the figures of these slices that were revised (till ``as_of``), the first published; columns as figures have."""
    want(connection, slices)
    moment = sql.Literal("infinity" if as_of is None else as_of)
    return _typed(read_fixed(connection, _READ_FIRST.format(moment=moment), _FIGURE_COLUMNS))


def read_inputs(
    connection: Connection,
    catalogue: Catalogue,
    wanted: Mapping[str, Collection[Slice]],
    known: Mapping[int, Collection[int]],
    warned: Collection[Slice],
) -> Inputs:
    """What the wanted slices of each mart are computed from; of what only provincial marts need, the provinces' figures."""
    whole: set[Slice] = set()
    provincial: set[Slice] = set()
    asked: set[Slice] = set()
    for name, slices in wanted.items():
        mart = MARTS[name]
        needed = reach.needed(slices, mart.rests_on, catalogue, known)
        (provincial if mart.is_provincial else whole).update(needed)
        asked |= needed if mart.asks_first else set()
    figures = read_figures(connection, whole)
    if not provincial <= whole:
        provinces = [int(code) for code in catalogue.provinces]
        figures = _join([figures, read_figures(connection, provincial - whole, regions=provinces)])
    first = read_first_figures(connection, asked)
    return Inputs(figures, catalogue, warned, first, lambda slices: read_schools(connection, slices, catalogue))


def _typed(figures: pd.DataFrame) -> pd.DataFrame:
    """Figures with small keys and a categorical status."""
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
    slices = [(key, period) for key, periods in known.items() if key in catalogue.code_by_key for period in periods]
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
    wanted: Set[Slice],
    known: Mapping[int, Collection[int]],
    as_of: Moment = None,
) -> pd.DataFrame:
    """All computed figures of ``wanted``, of what is known now or was at ``as_of``.

    Differences come first: the nation and the rates are made of them too.
    """
    spans = {key for key in wanted if is_single_span(key, catalogue)}
    rates = {key for key in wanted if catalogue.by_key[key[0]].kind == "derived"}
    everywhere = (required_slices(rates, catalogue, known) | span_parts(spans, known)) - rates - spans
    # The nation is made of provinces; what only it needs is a hundredth of the figures.
    at_home = required_slices(wanted - rates, catalogue, known) - everywhere - spans
    provinces = [int(code) for code in catalogue.provinces]
    figures = _join(
        [
            read_figures(connection, everywhere, as_of=as_of),
            read_figures(connection, at_home, as_of=as_of, regions=provinces),
        ]
    )
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


def compute_marts(connection: Connection, catalogue: Catalogue) -> Iterator[dict[str, MartRows]]:
    """The marts of the changed slices and of what rests on them, by mart, batch after batch; nothing is written.

    A slice of a mart is in one batch. There is one batch at least, with every mart in it.
    """
    changed = changed_slices(connection, catalogue)
    shown = shown_slices(connection)
    facts = [key for name in FACTS for key in shown.get(name, {})]
    known = {key: frozenset(periods) for key, periods in _with(changed, facts).items()}
    warned = warned_slices(connection)
    wanted: dict[str, set[Slice]] = {}
    for mart in MARTS.values():
        possible = mart.slices(catalogue, known)
        # What an indicator is no longer compared for goes; of one that the catalogue no longer has, what was published stays.
        stale = {key for key in shown.get(mart.name, {}).keys() - possible if key[0] in catalogue.code_by_key}
        wanted[mart.name] = reach.touched(changed, possible, mart.rests_on, catalogue, known) | stale
    for batch in _batches(wanted, shown.get("observation", {})):
        frames = compute_metrics(read_inputs(connection, catalogue, batch, known, warned), batch)
        yield {name: MartRows(frame, frozenset(batch[name])) for name, frame in frames.items()}


def join_batches(batches: Collection[Mapping[str, MartRows]]) -> dict[str, pd.DataFrame]:
    """All rows of each mart."""
    return {mart: _join([batch[mart].frame for batch in batches]) for mart in MARTS}


def write_marts(connection: Connection, computed: Mapping[str, MartRows], release_id: int) -> None:
    """Write and hash a batch of what was computed, for release ``release_id``."""
    # Of an index's year there may be figures of the school year alone.
    ensure_periods(connection, {period for rows in computed.values() if len(rows.frame) for _, period in rows.slices})
    for mart, rows in computed.items():
        want(connection, rows.slices)
        write_mart(connection, mart, rows.frame, release_id)
        digest_slices(connection, mart, release_id)


def digest_observations(connection: Connection, release_id: int, catalogue: Catalogue) -> None:
    """Hash the figures and rosters that changed, as release ``release_id`` will show them."""
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
