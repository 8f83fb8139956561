"""The annual figures of the provinces: published where published, made by rule where not.

What is here: one table of series × province × year with each figure's status and printed text, and the rounding of
made figures. What is not here: months and quarters (`spans`), counties (`counties`), how a method works (`methods`).
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from sandbox.methods import MAKERS
from sandbox.published import FIRST_YEAR, load_published
from sandbox.reference import Flags, Reference, Series
from sandbox.rules import Rule, load_rules
from sandbox.seeds import Floats

HORIZON = 2036
"""The last year made; a sandbox that lives longer must raise it (the figures before do not move)."""
STATUS_BLANK, STATUS_PUBLISHED, STATUS_ESTIMATED = 0, 1, 2


@dataclasses.dataclass(frozen=True)
class Rounding:
    """How figures of one series are printed: in the printed unit, whole base units or `decimals`."""

    factor: float
    decimals: int
    step: float
    """Made provincial figures are multiples of this (catalogue's unit)."""
    county_decimals: int


def rounding_of(series: Series, rule: Rule, reference: Reference) -> Rounding:
    """Counts: whole base units for counties, at most four printed decimals for provinces; rates: the catalogue's."""
    factor = reference.unit_factors[rule.printed_unit, series.indicator.unit]
    if not series.indicator.is_counted:
        decimals = series.indicator.decimals
        return Rounding(factor, decimals, 10.0**-decimals, decimals)
    zeros = round(np.log10(factor))
    decimals = min(4, zeros)
    return Rounding(factor, decimals, factor / 10**decimals, zeros)


class AnnualTable:
    """Series × province × year: `values` (catalogue's unit), `status`, and `texts` of published figures."""

    def __init__(self, reference: Reference, seed: int) -> None:
        self.reference = reference
        self.seed = seed
        self.years: Floats = np.arange(FIRST_YEAR, HORIZON + 1, dtype=np.float64)
        published = load_published(reference, self.years.size)
        self.texts: npt.NDArray[np.object_] = published.texts
        self.values: Floats = np.full(published.values.shape, np.nan)
        self.rules: dict[str, Rule] = {}
        self.roundings: dict[str, Rounding] = {}
        self._known = fill_gaps(published.values)
        self._absent = absent_cells(reference, self.years)
        for rule in load_rules(reference):
            self._make(rule, published.values)
        self.values.setflags(write=False)
        is_published = ~np.isnan(published.values)
        self.status: npt.NDArray[np.int8] = np.where(
            is_published, STATUS_PUBLISHED, np.where(np.isnan(self.values), STATUS_BLANK, STATUS_ESTIMATED)
        ).astype(np.int8)

    def of(self, label: str) -> Floats:
        """Province × year of a series, or of `county_units` or `county_seats` (counties and county-level cities)."""
        if label in ("county_units", "county_seats"):
            counts = [county_count(self.reference, p.counties, label) for p in self.reference.provinces]
            return np.repeat(np.array(counts, dtype=np.float64)[:, None], self.years.size, axis=1)
        made: Floats = self.values[self.reference.by_label[label].position]
        return made

    def known(self, label: str) -> Floats:
        """Province × year of what is published of a series, gaps between published years interpolated."""
        known: Floats = self._known[self.reference.by_label[label].position]
        return known

    def _make(self, rule: Rule, published: Floats) -> None:
        """Fill one series: published first, then interpolated gaps, then the rule, never before the series begins."""
        series = self.reference.by_label[rule.label]
        rounding = rounding_of(series, rule, self.reference)
        self.rules[rule.label], self.roundings[rule.label] = rule, rounding
        own, known = published[series.position], self.known(rule.label)
        made = MAKERS[rule.method](self, rule, series)
        first = np.where(~np.isnan(known), self.years, np.inf).min(axis=1)[:, None]
        if np.isnan(known).all():
            first = np.full_like(first, rule.first_year or FIRST_YEAR)
        elif rule.first_year:
            first = np.minimum(first, rule.first_year)
        if rule.method != "rest":  # a rest keeps what its total keeps, or the parts would not sum
            made = round_to(made, rounding)
        made = np.where(np.isnan(known), made, round_to(known, rounding))
        made[(self.years < first) | self._absent[series.position]] = np.nan
        self.values[series.position] = np.where(np.isnan(own), made, own)


def round_to(values: Floats, rounding: Rounding) -> Floats:
    """Values at the nearest multiple of the step, free of binary noise."""
    if rounding.step >= 1.0:
        return np.rint(values / rounding.step) * rounding.step
    return np.round(values, rounding.decimals)


def fill_gaps(values: Floats) -> Floats:
    """Figures between two published years of a series, linearly interpolated."""
    filled = values.copy()
    years = np.arange(values.shape[-1])
    is_known = ~np.isnan(values)
    counts = is_known.sum(axis=-1)
    spans = np.where(is_known.any(axis=-1), values.shape[-1] - is_known[..., ::-1].argmax(-1) - is_known.argmax(-1), 0)
    for place in zip(*np.nonzero(spans > counts), strict=True):
        known = np.flatnonzero(is_known[place])
        inside = slice(known[0], known[-1] + 1)
        filled[place][inside] = np.interp(years[inside], known, values[place][known])
    return filled


def absent_cells(reference: Reference, years: Floats) -> Flags:
    """Series × province × year that cannot exist (`not_applicable.csv`)."""
    absent = np.zeros((len(reference.series), len(reference.provinces), years.size), dtype=np.bool_)
    for row in reference.not_applicable:
        series = reference.by_label.get(f"{row['indicator_code']}@{row['area_type']}")
        province = reference.province_by_code.get(row["region_code"])
        if series and province:
            is_out = (years >= int(row["year_from"])) & (years <= int(row["year_to"] or HORIZON))
            absent[series.position, province.position] |= is_out
    return absent


def county_count(reference: Reference, counties: slice, label: str) -> int:
    """Number of county units, or of those that are no districts (of all, where no other is left)."""
    units = counties.stop - counties.start
    seats = int((~reference.counties.is_district[counties]).sum())
    return int(units) if label == "county_units" or not seats else seats
