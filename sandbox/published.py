"""The published provincial figures, 2010 to 2024, as printed.

What is here: `figures/published.csv` as arrays (values in the catalogue's unit, and the printed text). What is not
here: any figure that was not published.
"""

import csv
import dataclasses
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sandbox.reference import FIGURES, Reference
from sandbox.seeds import Floats

FIRST_YEAR = 2010
SIGNIFICANT_DIGITS = 12
"""What is kept of a printed figure times its unit's factor: everything but the noise of binary fractions."""


@dataclasses.dataclass(frozen=True)
class Published:
    """Arrays of series × province × year (from `FIRST_YEAR`); NaN and "" where nothing is published."""

    values: Floats
    texts: npt.NDArray[np.object_]


def trim_noise(value: float) -> float:
    """The value at `SIGNIFICANT_DIGITS` significant digits."""
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")


def load_published(reference: Reference, years: int, path: Path = FIGURES / "published.csv") -> Published:
    """Read the published figures into arrays `years` wide; raises `KeyError` for an unknown series, region or unit."""
    shape = (len(reference.series), len(reference.provinces), years)
    values = np.full(shape, np.nan)
    texts = np.full(shape, "", dtype=object)
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines)
        first = int(next(reader)[4]) - FIRST_YEAR
        for indicator_code, area_type, region_code, printed_unit, *printed in reader:
            series = reference.by_label[f"{indicator_code}@{area_type}"]
            factor = reference.unit_factors[printed_unit, series.indicator.unit]
            place = (series.position, reference.province_by_code[region_code].position)
            for offset, text in enumerate(printed, start=first):
                if text:
                    values[(*place, offset)] = trim_noise(float(text) * factor)
                    texts[(*place, offset)] = text
    return Published(values, texts)
