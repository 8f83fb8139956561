"""A little statistics centre on a real database: returns arrive, are loaded, computed and published, night after night.

It joins the functions of the warehouse room as the assets do. Not here: platforms, archives, checks, Dagster.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine, text

from warehouse.calendar import due_on
from warehouse.catalogue import Catalogue, load_catalogue
from warehouse.computing import compute_marts, compute_observations, digest_observations, write_marts
from warehouse.loading import load_returns
from warehouse.merging import Merged
from warehouse.periods import parse_period
from warehouse.publishing import (
    AUTOMATIC,
    Release,
    ReleasePolicy,
    discard_unpublished,
    next_release_id,
    nominate,
    publish,
    unpublished_slices,
)
from warehouse.receipts import (
    Collected,
    Refresh,
    lock_writing,
    open_refresh,
    pending_arrivals,
    record_arrivals,
    settle_repeats,
)
from warehouse.schools import ROSTER_COLUMNS, empty_roster

CATALOGUE: Catalogue = load_catalogue()
PROVINCES = sorted(CATALOGUE.provinces)
ZONE = datetime.timezone(datetime.timedelta(hours=8))
FIRST_NIGHT = datetime.datetime(2026, 11, 24, 2, 0, tzinfo=ZONE)

_FILLED = [
    "core.observation",
    "core.lineage_part",
    "core.attainment",
    "core.urban_rural_gap",
    "core.inequality",
    "core.inequality_bounds",
    "core.convergence",
    "core.trend",
    "core.observation_harmonised",
    "core.cost_to_floor",
    "core.shortfall",
    "core.shortfall_risk",
    "core.change_attribution",
    "core.composite_index",
    "core.coupling",
    "core.index_weight",
    "core.peer",
    "core.resource_agglomeration",
    "core.county_balance",
    "core.school_resource",
    "core.period",
    "ops.refresh",
    "ops.arrival",
    "ops.return_receipt",
    "ops.quarantine",
    "ops.check_result",
    "ops.changed_slice",
    "ops.slice_digest",
    "ops.release",
    "ops.release_pointer",
    "ops.release_decision",
    "ops.platform_failure",
    "ops.platform_incident",
    "ops.unplaced_file",
    "ops.quarantine_waiver",
]


@dataclass(frozen=True)
class Cell:
    """A figure of a return, blank where ``value`` is None; of the return's period, unless it says another."""

    indicator: str
    region: str
    value: float | None
    area: str = "total"
    status: str = "A"
    last_digit: float = 1.0
    period: str | None = None


@dataclass(frozen=True)
class School:
    """A school of a roster with ``times`` what the lines ask for; ``amounts`` are others, by resource code (None: blank);
    ``aside`` names items whose cell is in quarantine."""

    code: str
    county: str = "510104"
    pupils: float | None = 100.0
    times: float = 1.0
    stage: str = "primary"
    name: str = "学校"
    status: str = "A"
    amounts: tuple[tuple[str, float | None], ...] = ()
    aside: tuple[str, ...] = ()

    def cells(self) -> dict[str, float | None]:
        """Figures by item, those in quarantine left out."""
        people = self.pupils or 0.0
        made: dict[str, float | None] = {"PUPILS": self.pupils}
        for line in CATALOGUE.school_lines:
            made[line.resource_code] = line.line(self.stage) * people / line.scale * self.times
        return {item: value for item, value in (made | dict(self.amounts)).items() if item not in self.aside}


@dataclass(frozen=True)
class Return:
    """A delivery. ``bad``: cells to quarantine (address, text, reason); ``cells_read`` where it is not what adds up."""

    form: str
    province: str
    period: str
    cells: tuple[Cell, ...] = ()
    bad: tuple[tuple[str, str, str], ...] = ()
    schools: tuple[School, ...] = ()
    duplicates: int = 0
    cells_read: int | None = None
    modified_at: datetime.datetime | None = None

    @property
    def sector(self) -> str:
        return CATALOGUE.all_forms[self.form].sector

    @property
    def platform(self) -> str:
        return f"{self.province}/{self.sector}"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(repr(replace(self, modified_at=None)).encode()).hexdigest()


def health(*cells: Cell, province: str = "510000", period: str = "2024", **more: Any) -> Return:
    """An annual health return of Sichuan, unless said otherwise."""
    return Return("health_annual", province, period, cells, **more)


def employment(*cells: Cell, province: str = "510000", period: str = "2024", **more: Any) -> Return:
    """An annual employment return of Sichuan, unless said otherwise."""
    return Return("employment_annual", province, period, cells, **more)


def school(*cells: Cell, province: str = "510000", period: str = "SY2024", **more: Any) -> Return:
    """A school-year return of Sichuan, unless said otherwise."""
    return Return("education_school_year", province, period, cells, **more)


def beds(value: float | None, region: str = "510000", **more: Any) -> Cell:
    """A number of beds in all of a region."""
    return Cell("HLT_BEDS", region, value, **more)


def people(value: float | None, region: str = "510000", **more: Any) -> Cell:
    """A number of residents in all of a region."""
    return Cell("POP_RESIDENT", region, value, **more)


def everywhere(
    form: str, period: str, indicator: str, values: Iterable[float | None] | float, area: str = "total"
) -> list[Return]:
    """31 returns of one figure each, in the order of the provinces' codes (one number: the same for all)."""
    each = [values] * len(PROVINCES) if isinstance(values, int | float) else list(values)
    return [
        Return(form, code, period, (Cell(indicator, code, value, area),))
        for code, value in zip(PROVINCES, each, strict=True)
    ]


@dataclass
class Centre:
    """The database, the archive, and the clock: every refresh is a night later."""

    engine: Engine
    archive: dict[str, Return] = field(default_factory=dict)
    nights: int = 0
    catalogue: Catalogue = CATALOGUE

    def empty(self) -> None:
        """Forget everything but the catalogue; ids and the clock go on."""
        with self.engine.begin() as connection:
            for table in _FILLED:
                connection.execute(text(f"DELETE FROM {table}"))

    def open(self) -> Refresh:
        """A refresh of the next night."""
        self.nights += 1
        with self.engine.begin() as connection:
            return open_refresh(connection, f"run {self.nights}", self.now(), self.catalogue.sha256)

    def now(self) -> datetime.datetime:
        return FIRST_NIGHT + datetime.timedelta(days=self.nights)

    def collect(self, refresh: Refresh, *returns: Return) -> list[int]:
        """Queue deliveries, form by form; their sequence numbers in that order."""
        self.archive |= {item.sha256: item for item in returns}
        numbers: list[int] = []
        for form in dict.fromkeys(item.form for item in returns):
            collected = [self._collected(item) for item in returns if item.form == form]
            with self.engine.begin() as connection:
                numbers += record_arrivals(connection, refresh, collected)
        return numbers

    def accept(self, refresh: Refresh, form: str) -> pd.DataFrame:
        """Load what waits of a form, in one transaction: a row a delivery that was read."""
        with self.engine.begin() as connection:
            return self.accept_within(connection, refresh, form)

    def accept_within(self, connection: Connection, refresh: Refresh, form: str) -> pd.DataFrame:
        lock_writing(connection, refresh)
        settle_repeats(connection, form, refresh)
        arrivals = pending_arrivals(connection, form)
        if arrivals.empty:
            return pd.DataFrame(columns=["arrival_id", "state", "cells", "loaded", "unchanged", "quarantined"])
        returns = {row.arrival_id: self.archive[row.sha256] for row in arrivals.itertuples()}
        return load_returns(connection, refresh, arrivals, *_read(returns), self.catalogue, _roster(returns))

    def load(self, *returns: Return, refresh: Refresh | None = None) -> list[dict[str, Any]]:
        """A night that collects and loads, and computes nothing: what became of each delivery, in order."""
        refresh = refresh or self.open()
        self.collect(refresh, *returns)
        frames = [self.accept(refresh, form) for form in sorted({item.form for item in returns})]
        if not frames:
            return []
        receipts = pd.concat(frames).sort_values("arrival_id")
        return receipts[["state", "cells", "loaded", "unchanged", "quarantined"]].to_dict("records")

    def compute(self, refresh: Refresh) -> Merged | None:
        """Derived and national figures of what changed."""
        with self.engine.begin() as connection:
            return compute_observations(connection, refresh, self.catalogue)

    def prepare(self) -> int:
        """Write the marts of the coming release, which nobody sees yet; its number."""
        with self.engine.begin() as connection:
            number = next_release_id(connection)
            discard_unpublished(connection, number)
            for batch in compute_marts(connection, self.catalogue):
                write_marts(connection, batch, number)
            digest_observations(connection, number, self.catalogue)
            nominate(connection, number)
            return number

    def publish(self, refresh: Refresh, policy: ReleasePolicy = AUTOMATIC) -> Release | None:
        """Move the pointer to what was prepared; None where that is the newest state already."""
        with self.engine.begin() as connection:
            number = next_release_id(connection)
            return publish(connection, refresh, number, self.now(), self.catalogue, policy)

    def night(self, *returns: Return, policy: ReleasePolicy = AUTOMATIC) -> Release | None:
        """A whole refresh; None where nothing changed and nothing was published."""
        refresh = self.open()
        self.load(*returns, refresh=refresh)
        self.compute(refresh)
        with self.engine.connect() as connection:
            if unpublished_slices(connection).empty:
                return None
        self.prepare()
        return self.publish(refresh, policy)

    def rows(self, statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """What a query gives."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement), parameters)]

    def values(self, statement: str, **parameters: Any) -> list[Any]:
        """The first column of what a query gives."""
        return [row[0] for row in self.rows(statement, **parameters)]

    def execute(self, statement: str, **parameters: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement), parameters)

    def figures(self, as_of: Refresh | None = None) -> set[tuple[str, str, str, str, float | None, str]]:
        """Figures known now, or at a refresh: (indicator, period, region, area, value, status)."""
        moment = "infinity" if as_of is None else as_of.recorded_at.isoformat()
        rows = self.rows(
            "SELECT code, period_code, to_char(region_key, 'FM000000'), (ARRAY['total', 'urban', 'rural'])[area_key + 1],"
            " value, obs_status FROM core.observation JOIN core.indicator USING (indicator_key)"
            " JOIN core.period USING (period_key) WHERE recorded_at <= :moment"
            " AND (superseded_at > :moment OR superseded_at = 'infinity')",
            moment=moment,
        )
        return set(rows)  # type: ignore[arg-type]

    def values_of(self, indicator: str, region: str = "510000", area: str = "total") -> dict[str, float | None]:
        """Current values of an indicator in a region by period code."""
        return {row[1]: row[4] for row in self.figures() if (row[0], row[2], row[3]) == (indicator, region, area)}

    def _collected(self, item: Return) -> Collected:
        return Collected(
            platform=item.platform,
            sector=item.sector,
            form=item.form,
            region_code=item.province,
            period_code=item.period,
            sha256=item.sha256,
            bytes=1,
            file_name="return.xlsx",
            media_type="application/octet-stream",
            etag=None,
            modified_at=item.modified_at or self.now(),
            fetched_at=self.now(),
            due_on=due_on(CATALOGUE.all_forms[item.form], parse_period(item.period)),
        )


def _roster(returns: dict[int, Return]) -> pd.DataFrame:
    """The cells of the schools, as the returns room gives them."""
    rows = [
        (
            arrival,
            school.county,
            item.period,
            school.code,
            school.name,
            school.stage,
            what,
            float("nan") if value is None else value,
            "M" if value is None else school.status,
            f"学校名册!{what}{row}",
            "" if value is None else f"{value:g}",
        )
        for arrival, item in returns.items()
        for row, school in enumerate(item.schools, start=4)
        for what, value in school.cells().items()
    ]
    frame = pd.DataFrame(rows, columns=list(ROSTER_COLUMNS))
    return frame.astype({"value": "float64"}) if len(frame) else empty_roster()


def _read(returns: dict[int, Return]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Frames as the returns room gives them: observations, quarantined, verdicts."""
    observations = [
        (
            arrival,
            cell.indicator,
            cell.region,
            cell.period or item.period,
            cell.area,
            float("nan") if cell.value is None else cell.value,
            "M" if cell.value is None else cell.status,
            float("nan") if cell.value is None else cell.last_digit,
            f"表1!C{row}",
        )
        for arrival, item in returns.items()
        for row, cell in enumerate(item.cells, start=5)
    ]
    columns = ["arrival_id", "indicator_code", "region_code", "period_code", "area_type", "value", "obs_status"]
    figures = pd.DataFrame(observations, columns=[*columns, "last_digit", "address"])
    types = dict.fromkeys(columns[1:5], "category") | {"value": "float64", "last_digit": "float64"}
    bad = [
        (arrival, *cell, f"cannot be used: {cell[2]}", f"不能使用：{cell[2]}")
        for arrival, item in returns.items()
        for cell in item.bad
    ]
    told = ["arrival_id", "address", "raw_text", "reason", "explanation", "explanation_zh"]
    quarantined = pd.DataFrame(bad, columns=told)
    verdicts = [
        (
            arrival,
            len(item.cells) + len(item.bad) + item.duplicates + sum(len(school.cells()) for school in item.schools)
            if item.cells_read is None
            else item.cells_read,
            item.duplicates,
            None,
            None,
            "health_table v1",
        )
        for arrival, item in returns.items()
    ]
    read = pd.DataFrame(verdicts, columns=["arrival_id", "cells", "duplicates", "problem", "explanation", "layout"])
    return figures.astype({"arrival_id": "int64", "obs_status": "category"} | types), quarantined, read
