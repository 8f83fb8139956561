"""Inequality along income: the measures of WHO that need an order of the units. Not here: those that need none.

Provinces are ranked by disposable income per person, the poorest first. Counties have no income figure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from warehouse.catalogue import Catalogue, Indicator
from warehouse.measures import Sample, absolute_concentration_index, concentration_index, sii_rii, sii_rii_logistic
from warehouse.measures.sample import BoolArray, FloatArray, IntArray
from warehouse.panels import Panel, weight_area
from warehouse.stocks import weight_periods

RANKED_BY = "INC_DISPOSABLE"
"""What orders the units."""

ORDERED_MEASURES = ("aci", "rci", "sii", "rii")
_LOGISTIC_UNIT = "percent"


@dataclass(frozen=True, eq=False)
class Ordering:
    """What a chunk of slices over the provinces is ordered by: ``income`` over the same regions."""

    slices: Panel
    income: Panel
    catalogue: Catalogue

    def measured(self, is_used: BoolArray, weights: FloatArray | None) -> pd.DataFrame:
        """A row a slice: :data:`ORDERED_MEASURES`, ``sii_model``, ``ranking_period_key``, ``ranking_status``.

        All used units are ranked by income of one and the same period, the latest (at most two years old) in which each of
        them has one: ranks of different years are not compared, and the measures rest on the units of the others.
        Income is of the slice's area type where both have one area definition, else of all residents. Without such a
        period: ``no_ranking_variable``. Where all incomes are equal the indices are 0 and SII and RII null.

        SII and RII of an indicator in percent are of the logistic fit, as WHO has them, unless a value is over 100, and of
        the line otherwise; ``sii_model`` says which. A logistic fit that does not settle leaves both null.
        """
        ranking, periods = self._ranking(is_used)
        sample = _sample(self.slices.values, weights, is_used & (periods > 0)[:, None], ranking)
        line, is_logistic = sii_rii(sample), self._is_percent(is_used)
        curve = sii_rii_logistic(
            _sample(self.slices.values, weights, is_used & ((periods > 0) & is_logistic)[:, None], ranking)
        )
        is_tied = sample.greatest(sample.mid_rank) == sample.least(sample.mid_rank)
        model = np.where(is_logistic, "logistic", "linear").astype(object)
        model[(periods == 0) | is_tied] = None
        return pd.DataFrame(
            {
                "aci": absolute_concentration_index(sample),
                "rci": concentration_index(sample),
                "sii": np.where(is_logistic, curve.sii, line.sii),
                "rii": np.where(is_logistic, curve.rii, line.rii),
                "sii_model": model,
                "ranking_period_key": pd.array(periods, dtype="Int32"),
                "ranking_status": np.where(periods == 0, "no_ranking_variable", "ok"),
            }
        )

    def _is_percent(self, is_used: BoolArray) -> BoolArray:
        """Which slices a logistic curve fits: a share of 100, none of its values above."""
        units = [self.catalogue.by_key[key].unit for key in self.slices.indicator_keys.tolist()]
        largest = np.max(np.where(is_used, self.slices.values, -np.inf), axis=1, initial=-np.inf)
        is_share: BoolArray = np.array(units) == _LOGISTIC_UNIT
        fits: BoolArray = is_share & (largest <= 100)
        return fits

    def _ranking(self, is_used: BoolArray) -> tuple[FloatArray, IntArray]:
        """Income by slice and unit, and the period it is of by slice (0: none)."""
        ranking = np.full(is_used.shape, np.nan)
        periods = np.zeros(is_used.shape[0], dtype=np.int64)
        income = self.catalogue.indicators.get(RANKED_BY)
        if income is None:
            return ranking, periods
        for rows, period, area in self._alike(income):
            for chosen in weight_periods(income, period, self.income.periods.get((income.indicator_key, area), [])):
                incomes = self.income.values[self.income.rows[income.indicator_key, chosen, area]]
                is_whole = ~np.any(is_used[rows] & np.isnan(incomes), axis=1) & (periods[rows] == 0)
                ranking[rows[is_whole]], periods[rows[is_whole]] = incomes, chosen
        return ranking, periods

    def _alike(self, income: Indicator) -> Iterator[tuple[IntArray, int, int]]:
        """Slices that have the same incomes to choose from: their rows, their period, the incomes' area type."""
        found: dict[tuple[int, int], list[int]] = {}
        for (indicator_key, period, area), row in self.slices.rows.items():
            own = weight_area(self.catalogue.by_key[indicator_key], income, area)
            found.setdefault((period, own), []).append(row)
        for (period, area), rows in found.items():
            yield np.array(rows, dtype=np.int64), period, area


def unordered(rows: int) -> pd.DataFrame:
    """The columns of :meth:`Ordering.measured` for units that nothing ranks."""
    nothing = np.full(rows, np.nan)
    return pd.DataFrame(
        {
            **dict.fromkeys(ORDERED_MEASURES, nothing),
            "sii_model": np.full(rows, None, dtype=object),
            "ranking_period_key": pd.array(np.zeros(rows, dtype=np.int64), dtype="Int32"),
            "ranking_status": np.full(rows, "no_ranking_variable", dtype=object),
        }
    )


def _sample(
    values: FloatArray, weights: FloatArray | None, is_used: npt.NDArray[np.bool_], ranking: FloatArray
) -> Sample:
    row, column = np.nonzero(is_used)
    weight = None if weights is None else weights[row, column]
    return Sample.of(values[row, column], weight, row, count=is_used.shape[0], ranking=ranking[row, column])
