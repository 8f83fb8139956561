"""Random histories of refreshes: whatever arrives, is revised, withdrawn, late, repeated or killed, three things hold.

The same returns again change nothing; every past release can be computed again and is shown as of its time; an emptied
warehouse into which the deliveries go again, refresh by refresh, holds the same marts.
"""

import datetime
import os
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from sqlalchemy import Engine, text

from tests.warehouse.centre import CATALOGUE, Cell, Centre, Return
from warehouse.publishing import discard_unpublished, next_release_id
from warehouse.releases import withdraw
from warehouse.reproducing import reproduce

PROVINCES = ("110000", "510000", "540000")
COUNTIES = {"110000": "110101", "510000": "510104", "540000": "540102"}
OTHERS = {"110000": "110102", "510000": "510105", "540000": "542221"}
"""Another county; that of Tibet under the code it had before 2016."""
INDICATORS = {
    "health_annual": ("HLT_BEDS", "HLT_BEDS_PER_10K", "HLT_PHYSICIANS"),
    "employment_annual": ("POP_RESIDENT", "INC_DISPOSABLE", "GDP"),
}
PERIODS = ("2014", "2023", "2024")
MARTS = ("observation", "attainment", "urban_rural_gap", "inequality")
LONG_STEPS = int(os.environ.get("JUNHENG_REFRESHES", "200"))


@dataclass
class Played:
    """A refresh as it went: its deliveries, in which stage it was killed (None: it ended), what readers saw after it."""

    deliveries: list[Return]
    killed_in: str | None
    moment: datetime.datetime
    shown: dict[str, list[str]] = field(default_factory=dict)
    withdrawn: int | None = None


figures = st.integers(1, 10_000).map(float)
drawn_cells = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["total", "urban", "rural"]), st.integers(0, 2), st.none() | figures,
              st.sampled_from([1.0, 10.0, 1000.0])),
    min_size=1, max_size=5, unique_by=lambda cell: cell[:3],
)  # fmt: skip


class Histories(RuleBasedStateMachine):
    """One step is one refresh."""

    engine: Engine

    @initialize()
    def begin(self) -> None:
        self.centre = Centre(self.engine)
        self.centre.empty()
        self.played: list[Played] = []
        self.known: dict[tuple[str, str, str], Return] = {}

    # --- what may arrive ---

    @rule(form=st.sampled_from(sorted(INDICATORS)), province=st.sampled_from(PROVINCES), period=st.sampled_from(PERIODS),
          cells=drawn_cells, killed=st.sampled_from([None, None, None, "loading", "computing", "publishing"]))  # fmt: skip
    def something_arrives(self, form: str, province: str, period: str, cells: list[Any], killed: str | None) -> None:
        """A new return, or another version of a known one: figures revised, withdrawn, added, late."""
        returned = Return(form, province, period, tuple(self._cell(form, province, *cell) for cell in cells))
        self._night([returned], killed)

    @precondition(lambda self: self.known)
    @rule(data=st.data(), factor=st.sampled_from([1.0, 1.0001, 1.5]), digit=st.sampled_from([0.01, 1.0, 100.0]))
    def figures_are_revised(self, data: st.DataObject, factor: float, digit: float) -> None:
        """The figures of a known return a little or a lot higher, or printed with another precision."""
        known = self._any_known(data)
        cells = (replace(cell, value=cell.value and cell.value * factor, last_digit=digit) for cell in known.cells)
        self._night([replace(known, cells=tuple(cells))], None)

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def figures_are_withdrawn(self, data: st.DataObject) -> None:
        known = self._any_known(data)
        self._night([replace(known, cells=known.cells[:-1])] if len(known.cells) > 1 else [], None)

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def a_cell_cannot_be_read(self, data: st.DataObject) -> None:
        known = self._any_known(data)
        self._night([replace(known, cells=known.cells[1:], bad=(("表1!D5", "约12", "not_a_number"),))], None)

    @precondition(lambda self: self.known)
    @rule(data=st.data(), killed=st.sampled_from([None, "loading", "publishing"]))
    def a_return_is_repeated(self, data: st.DataObject, killed: str | None) -> None:
        self._night([self._any_known(data)], killed)

    @precondition(lambda self: len(self.known) > 1)
    @rule(data=st.data())
    def one_return_comes_twice_in_a_night(self, data: st.DataObject) -> None:
        first, second = self._any_known(data), self._any_known(data)
        doubled = tuple(replace(cell, value=cell.value and cell.value * 2) for cell in first.cells)
        later = self.centre.now() + datetime.timedelta(days=2)
        self._night([replace(first, cells=doubled), replace(first, modified_at=later), second], None)

    @rule()
    def nothing_arrives(self) -> None:
        self._night([], None)

    @precondition(lambda self: self._in_force() > 1)
    @rule()
    def a_release_is_withdrawn(self) -> None:
        before = self.centre.values("SELECT count(*) FROM mart.release WHERE status = 'published'")[0]
        number = self._in_force()
        if before and not self.played[-1].killed_in:
            with self.engine.begin() as connection:
                withdraw(connection, number, "Zhang", "a test", self.centre.now() + datetime.timedelta(hours=1))
            self.played[-1].withdrawn = number

    # --- what holds at the end ---

    def teardown(self) -> None:
        if not hasattr(self, "centre") or not self.played:
            return
        self._night([], None)  # whatever a killed refresh left is taken up
        self._hold_idempotence()
        self._hold_as_of()
        self._hold_reproduction()
        self._hold_rebuild()

    def _hold_idempotence(self) -> None:
        before, releases = self._contents(), self.centre.values("SELECT count(*) FROM ops.release")
        newest = list(self.known.values())
        self._night(newest, None)
        assert self._contents() == before
        assert self.centre.values("SELECT count(*) FROM ops.release") == releases

    def _hold_as_of(self) -> None:
        """As of the moment after each refresh every mart shows what it showed then."""
        for played in self.played:
            if played.shown:
                assert self._shown(played.moment) == played.shown

    def _hold_reproduction(self) -> None:
        with self.engine.begin() as connection:
            for number in connection.scalars(text("SELECT release_id FROM ops.release")).all():
                found = reproduce(connection, number, CATALOGUE)
                assert found.recorded_sha256 == found.stored_sha256 == found.computed_sha256, found

    def _hold_rebuild(self) -> None:
        """The deliveries again, refresh by refresh and killed by none, into an empty warehouse."""
        expected = self._contents()
        played, self.played = self.played, []
        self.centre.empty()
        self.centre.nights = 0
        waiting: list[Return] = []
        for each in played:
            refresh = self.centre.open()
            # What a killed refresh had collected and not read, the next one read.
            deliveries = [*waiting, *each.deliveries]
            waiting = deliveries if each.killed_in == "loading" else []
            if not waiting:
                self.centre.load(*deliveries, refresh=refresh)
                self.centre.compute(refresh)
        assert self._contents() == expected

    # --- the machine ---

    def _night(self, deliveries: list[Return], killed_in: str | None) -> None:
        centre = self.centre
        refresh = centre.open()
        deliveries = [replace(item, modified_at=item.modified_at or centre.now()) for item in deliveries]
        centre.collect(refresh, *deliveries)
        played = Played(deliveries, killed_in, centre.now())
        self.played.append(played)
        for item in sorted(deliveries, key=lambda each: each.modified_at or centre.now()):
            self.known[item.form, item.province, item.period] = replace(item, modified_at=None)
        if killed_in == "loading":
            return
        for form in INDICATORS:
            centre.accept(refresh, form)
        if killed_in == "computing":
            return
        centre.compute(refresh)
        if centre.values("SELECT count(*) FROM ops.changed_slice WHERE release_id IS NULL")[0]:
            centre.prepare()
            if killed_in == "publishing":
                with self.engine.begin() as connection:
                    discard_unpublished(connection, next_release_id(connection))
                return
            centre.publish(refresh)
        played.shown = self._shown()

    def _cell(self, form: str, province: str, which: int, area: str, place: int, value: Any, digit: float) -> Cell:
        region = (province, COUNTIES[province], OTHERS[province])[place]
        return Cell(INDICATORS[form][which], region, value, area, last_digit=digit)

    def _any_known(self, data: st.DataObject) -> Return:
        return self.known[data.draw(st.sampled_from(sorted(self.known)))]

    def _in_force(self) -> int:
        found = self.centre.values("SELECT release_id FROM mart.release_in_force") if hasattr(self, "centre") else []
        return found[0] if found else 0

    def _contents(self) -> list[tuple[Any, ...]]:
        """Every current figure, reported and computed, without times and numbers."""
        return self.centre.rows(
            "SELECT indicator_key, period_key, region_key, area_key, value, obs_status, receipt_id IS NULL"
            " FROM core.observation WHERE superseded_at = 'infinity' ORDER BY 1, 2, 3, 4"
        )

    def _shown(self, as_of: datetime.datetime | None = None) -> dict[str, list[str]]:
        with self.engine.begin() as connection:
            if as_of is not None:
                setting = text("SELECT set_config('junheng.as_of', :moment, true)")
                connection.execute(setting, {"moment": as_of.isoformat()})
            return {
                mart: [str(row) for row in connection.scalars(text(f"SELECT m::text FROM mart.{mart} m ORDER BY 1"))]
                for mart in MARTS
            }


def play(engine: Engine, steps: int, examples: int) -> None:
    machine = type("HistoriesHere", (Histories,), {"engine": engine})
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=checks,
                          derandomize=True, print_blob=False),
    )  # fmt: skip


def test_a_history_of_twenty_refreshes(centre_engine: Engine) -> None:
    play(centre_engine, 20, 2)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_histories_of_two_hundred_refreshes(centre_engine: Engine) -> None:
    play(centre_engine, LONG_STEPS, 5)
