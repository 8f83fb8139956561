"""The suites of the marts: what must hold before a release is published. One suite a table, ``marts.<table>``.

One module a mart: rules and verdicts over derived frames. Not here: how the measures are computed (warehouse); the
rules restate their definitions independently, from the columns of the same row. A broken blocking check holds the
release.
"""

from __future__ import annotations

import pandas as pd

from expectations.marts import (
    attainment,
    change_attribution,
    composite_index,
    convergence,
    cost_to_floor,
    county_balance,
    coupling,
    index_weight,
    inequality,
    inequality_bounds,
    observation,
    observation_harmonised,
    peer,
    resource_agglomeration,
    shortfall,
    shortfall_risk,
    trend,
    urban_rural_gap,
)
from expectations.marts.common import Mart, judge_key
from expectations.suite import Suite
from warehouse.catalogue import Catalogue

MARTS: dict[str, Mart] = {
    module.MART.name: module.MART
    for module in (
        observation,
        attainment,
        urban_rural_gap,
        inequality,
        observation_harmonised,
        shortfall,
        cost_to_floor,
        shortfall_risk,
        change_attribution,
        composite_index,
        index_weight,
        coupling,
        resource_agglomeration,
        peer,
        inequality_bounds,
        convergence,
        trend,
        county_balance,
    )
}

SUITES = tuple(
    Suite(f"marts.{mart.name}", mart.title_zh, tuple(rule.bind(f"marts.{mart.name}") for rule in mart.rules))
    for mart in MARTS.values()
)


def prepare_mart(suite: str, frame: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """The check table of a mart (``suite`` is ``marts.<table>``): its frame with verdicts beside it.

    A mart without one of its columns is given back as it is: its other rules are then not evaluated.
    """
    mart = MARTS[suite.removeprefix("marts.")]
    if not set(mart.columns) <= set(frame.columns):
        return frame
    columns = {"key_unique_holds": judge_key(frame, mart.key), **mart.prepare(frame, catalogue)}
    return pd.concat([frame, pd.DataFrame(columns, index=frame.index)], axis=1)
