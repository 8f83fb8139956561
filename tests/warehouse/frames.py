"""Little frames of figures for the tests of this folder."""

from collections.abc import Iterable

import pandas as pd

from warehouse.catalogue import Catalogue, load_catalogue
from warehouse.panels import AREA_KEYS, AREA_TYPES
from warehouse.periods import parse_period, period_from_key

CATALOGUE: Catalogue = load_catalogue()
PROVINCES = sorted(CATALOGUE.provinces)

#: (indicator code, period code, region code, area type, value or None, obs_status)
Row = tuple[str, str, str, str, float | None, str]


def key_of(indicator_code: str) -> int:
    return CATALOGUE.indicators[indicator_code].indicator_key


def slice_of(indicator_code: str, period_code: str) -> tuple[int, int]:
    return key_of(indicator_code), parse_period(period_code).key


def figures(rows: Iterable[Row]) -> pd.DataFrame:
    """The frame of figures of literal rows."""
    frame = pd.DataFrame(list(rows), columns=["indicator", "period", "region", "area", "value", "obs_status"])
    return pd.DataFrame(
        {
            "indicator_key": frame["indicator"].map(key_of).astype("int16"),
            "period_key": frame["period"].map(lambda code: parse_period(code).key).astype("int32"),
            "region_key": frame["region"].astype("int32"),
            "area_key": frame["area"].map(AREA_KEYS).astype("int8"),
            "value": frame["value"].astype("float64"),
            "obs_status": frame["obs_status"].astype("category"),
        }
    )


def rows_of(frame: pd.DataFrame) -> set[tuple[str, str, str, str, float, str]]:
    """A frame of figures as literal rows again."""
    return {
        (
            CATALOGUE.by_key[row.indicator_key].code,
            period_from_key(row.period_key).code,
            f"{row.region_key:06d}",
            AREA_TYPES[row.area_key],
            row.value,
            row.obs_status,
        )
        for row in frame.itertuples()
    }


def everywhere(
    indicator: str, period: str, area: str, values: Iterable[float | None] | float, status: str = "A"
) -> list[Row]:
    """One figure for each of the 31 provinces, in the order of their codes (one number: the same for all)."""
    each = [values] * len(PROVINCES) if isinstance(values, int | float) else list(values)
    return [(indicator, period, code, area, value, status) for code, value in zip(PROVINCES, each, strict=True)]
