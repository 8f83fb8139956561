"""Codes to integer keys and back, over whole frames. Not here: what a code means (catalogue, periods)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from warehouse.catalogue import Catalogue
from warehouse.periods import parse_period, period_from_key
from warehouse.schema import AREA_TYPES

KEYS = ("indicator_key", "period_key", "region_key", "area_key")


def to_keys(observations: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Observations by codes as rows of ``staging.observation``, sorted by key.

    Takes arrival_id, indicator_code, region_code, period_code, area_type, value, obs_status, last_digit, address.
    """
    indicator_keys = {code: row.indicator_key for code, row in catalogue.indicators.items()}
    area_keys = {area: key for key, area in enumerate(AREA_TYPES)}
    frame = pd.DataFrame(
        {
            "arrival_id": observations["arrival_id"],
            "indicator_key": _map(observations["indicator_code"], indicator_keys.__getitem__, "int16"),
            "period_key": _map(observations["period_code"], lambda code: parse_period(code).key, "int32"),
            "region_key": _map(observations["region_code"], int, "int32"),
            "area_key": _map(observations["area_type"], area_keys.__getitem__, "int16"),
            "value": observations["value"],
            "obs_status": observations["obs_status"],
            "last_digit": observations["last_digit"],
            "address": observations["address"],
        }
    )
    return frame.sort_values(list(KEYS), ignore_index=True)


def to_codes(frame: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """A frame by keys with the codes beside them (indicator_code, period_code, region_code, area_type), as categories."""
    code_of: dict[str, tuple[str, Callable[[int], str]]] = {
        "indicator_key": ("indicator_code", catalogue.codes_by_key.__getitem__),
        "period_key": ("period_code", lambda key: period_from_key(key).code),
        "region_key": ("region_code", "{:06d}".format),
        "area_key": ("area_type", AREA_TYPES.__getitem__),
    }
    coded = {}
    for column, (name, code) in code_of.items():
        if column in frame.columns:
            keys, codes = np.unique(frame[column].to_numpy(), return_inverse=True)
            coded[name] = pd.Categorical.from_codes(codes, pd.Index([code(int(key)) for key in keys]))
    return frame.assign(**coded)


def _map(codes: pd.Series[Any], key_of: Callable[[str], int], dtype: str) -> npt.NDArray[Any]:
    """Keys of a categorical column: the function is called once a category, not once a row."""
    categorical = codes.astype("category").cat.remove_unused_categories()  # a row set aside leaves its category behind
    keys = np.array([key_of(code) for code in categorical.cat.categories], dtype=dtype)
    return keys[categorical.cat.codes.to_numpy()] if len(keys) else np.empty(0, dtype)
