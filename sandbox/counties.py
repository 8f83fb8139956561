"""County figures: a province's figure shared among its county units, on the map of 2020.

What is here: the methods of `county_method` in `figures/rules.csv`, vectorised over the columns of one return. A count
is shared in whole base units by largest remainder, so that the counties sum exactly; a rate deviates and is centred
again on the province. What is not here: the provincial figure itself (`annual`, `spans`), printing (`tables`).
"""

from collections.abc import Sequence

import numpy as np

from sandbox.annual import AnnualTable
from sandbox.methods import CENSUS_YEAR
from sandbox.periods import ReturnPeriod
from sandbox.published import FIRST_YEAR
from sandbox.reference import AREA_TYPES, Flags, Province, Series
from sandbox.rules import Rule
from sandbox.seeds import Floats, Hashes, draw_normals, hash_key, hash_keys
from sandbox.spans import ProvinceFigures

TIME_SPREAD = 0.006
"""Yearly noise of a county's share: small, so that its series look like one place's."""
CENTRING_PASSES = 20
DENSITY_YEAR = 2024
"""The urban to rural ratio of this year's reported rates tells where the staff of a province work."""


def share_whole(totals: Floats, weights: Floats) -> Floats:
    """Each total (k) shared among n units by its weights (k × n) in whole units, by largest remainder.

    Sums are exact for whole totals; of a total with a fraction the largest unit takes what is below one. A row whose
    weights are all zero gives all to its first unit.
    """
    whole = np.floor(totals)
    sums = weights.sum(axis=1, keepdims=True)
    safe = np.where(sums > 0, weights, 0.0)
    safe[:, 0] += sums[:, 0] <= 0
    exact = whole[:, None] * safe / safe.sum(axis=1, keepdims=True)
    shares = np.floor(exact)
    ranks = np.argsort(np.argsort(-(exact - shares), axis=1, kind="stable"), axis=1)
    left = whole - shares.sum(axis=1)
    shares += ranks < left[:, None]
    rows = np.arange(len(totals))
    shares[rows, shares.argmax(axis=1)] += totals - shares.sum(axis=1)
    return np.asarray(shares, dtype=np.float64)


def take_from(wholes: Floats, taken: Floats, weights: Floats) -> Floats:
    """What is left of whole counts (k × n) after `taken` (k) units were taken by weights, never more than there are."""
    caps = wholes.copy()
    given = np.zeros_like(caps)
    for _ in range(6):  # each pass fills at least one more unit; a few suffice, the rest is settled below
        open_weights = np.where(given < caps, weights * caps, 0.0)
        rest = taken - given.sum(axis=1)
        sums = open_weights.sum(axis=1)
        scale = np.divide(rest, sums, out=np.zeros_like(rest), where=sums > 0)
        given = np.minimum(given + open_weights * scale[:, None], caps)
    base = np.floor(given)
    fractions = np.where(base < caps, given - base, -1.0)
    ranks = np.argsort(np.argsort(-fractions, axis=1, kind="stable"), axis=1)
    base = np.minimum(base + (ranks < np.rint(taken - base.sum(axis=1))[:, None]), caps)
    for row in np.flatnonzero(base.sum(axis=1) < np.floor(taken)):  # very uneven caps: fill from the largest gap
        order = np.argsort(base[row] - caps[row], kind="stable")
        gaps = (caps - base)[row, order]
        before = np.cumsum(gaps) - gaps
        base[row, order] += np.clip(np.floor(taken[row]) - base[row].sum() - before, 0, gaps)
    return np.asarray(caps - base, dtype=np.float64)


def centre(values: Floats, target: float, weights: Floats, low: float, high: float) -> Floats:
    """Rates (n) scaled so that their weighted mean is the target, within bounds."""
    if weights.sum() <= 0:
        weights = np.ones_like(values)
    for _ in range(CENTRING_PASSES):
        mean = float(np.average(values, weights=weights))
        if mean <= 0 or abs(mean - target) <= 1e-9 * target:
            break
        values = np.clip(values * (target / mean), low, high)  # clipping moves the mean a little; less each pass
    return values


class CountyModel:
    """Stable shares of all county units in all series, and the county figures of any return."""

    def __init__(self, annual: AnnualTable) -> None:
        self.annual = annual
        reference = annual.reference
        self.counties = reference.counties
        codes = self.counties.codes
        shape = (len(reference.series), codes.size)
        self.exists: Flags = np.zeros(shape, dtype=np.bool_)
        self.population: Floats = np.zeros(shape)
        self.weights: Floats = np.zeros(shape)
        self.scores: Floats = np.zeros(shape)
        self.time_keys: Hashes = hash_keys(*((annual.seed, "county time", each.label) for each in reference.series))
        own_keys = hash_keys(*((annual.seed, "county", each.label) for each in reference.series))
        self.scores[:] = draw_normals(own_keys[:, None], codes[None, :])
        for series in reference.series:
            self._prepare(series)

    def _prepare(self, series: Series) -> None:
        """Population, existence and stable weight of one series in every county."""
        rule = self.annual.rules[series.label]
        at, area = series.position, series.area_type
        if rule.county_method == "none":
            return
        if series.indicator.area_definition == "administrative":
            inside = {
                "total": np.ones_like(self.counties.is_district),
                "urban": self.counties.is_district,
                "rural": ~self.counties.is_district,
            }[area]
            self.exists[at] = inside
            self.population[at] = np.where(inside, self.counties.population["total"], 0.0)
        else:
            self.exists[at] = True
            self.population[at] = self.counties.population[area]
        factor = rule.county_spread * self.scores[at]
        if rule.county_group:
            key = hash_key(self.annual.seed, "county group", rule.county_group)
            factor = factor + rule.group_spread * draw_normals(key, self.counties.codes)
        self.weights[at] = self.population[at] * np.exp(factor)
        if rule.county_method == "share" and rule.county_basis:
            self.weights[at] *= self._densities(rule.county_basis)

    def _densities(self, rate: str) -> Floats:
        """How much denser than in its rural counties a province's city districts are by a reported rate."""
        year = DENSITY_YEAR - FIRST_YEAR
        with np.errstate(invalid="ignore"):
            ratios = (self.annual.of(f"{rate}@urban") / self.annual.of(f"{rate}@rural"))[:, year]
        densities = np.ones(self.counties.codes.size)
        for province in self.annual.reference.provinces:
            if not np.isnan(ratios[province.position]):
                densities[province.counties] = ratios[province.position]
        return np.where(self.counties.is_district, densities, 1.0)

    def _time_noise(self, positions: Sequence[int], province: Province, period: ReturnPeriod) -> Floats:
        """Noise of the year-ends, and in between in proportion, so that December is the year's."""
        codes = self.counties.codes[province.counties][None, :]
        keys = self.time_keys[list(positions)][:, None]
        end = draw_normals(keys + np.uint64(period.year), codes)
        if period.month == 12:
            return end
        start = draw_normals(keys + np.uint64(period.year - 1), codes)
        flows = np.array([self.annual.reference.series[at].indicator.is_cumulative for at in positions])
        fraction = np.where(flows, 1.0, period.month / 12)[:, None]  # a flow's shares hold for its whole year
        return (1.0 - fraction) * start + fraction * end

    def figures(self, own: ProvinceFigures, province: Province, period: ReturnPeriod) -> Floats:
        """County figures (columns × counties of the province) in the catalogue's unit, NaN where blank."""
        positions = [each.position for each in own.series]
        noise = np.exp(TIME_SPREAD * self._time_noise(positions, province, period))
        weights = self.weights[positions, province.counties] * noise
        made = np.full(weights.shape, np.nan)
        places = {each.label: place for place, each in enumerate(own.series)}
        absent = ~self.exists[positions, province.counties]

        shared = self._places(own, "share")
        made[shared] = share_whole(own.values[shared], weights[shared])
        self._add_parts(own, places, made, shared)
        parts = self._places(own, "of_which")
        if parts:
            made[parts] = self._take_parts(own, places, made, parts, province)
            self._add_parts(own, places, made, parts)
        made[absent] = np.nan
        self._own_area(own, places, made, province)
        for place in self._places(own, "zero_one"):
            made[place] = self._zero_one(own, place, province)
        for place in self._places(own, "count_rate", "census", "deviation"):
            counts = places.get(f"{self._rule(own, place).county_basis}@total")
            pattern = self._pattern(
                own.series[place], None if counts is None else made[counts], weights[place], noise[place],
                province, period,
            )  # fmt: skip
            made[place] = self._centred(own, place, pattern, province)
        made[absent] = np.nan
        self._own_area(own, places, made, province)
        return made

    def _places(self, own: ProvinceFigures, *methods: str) -> list[int]:
        """The columns that are made by these methods and have a figure to share."""
        return [
            place
            for place in range(len(own.series))
            if self._rule(own, place).county_method in methods and not np.isnan(own.values[place])
        ]

    def _rule(self, own: ProvinceFigures, place: int) -> Rule:
        return self.annual.rules[own.series[place].label]

    def _add_parts(self, own: ProvinceFigures, places: dict[str, int], made: Floats, among: list[int]) -> None:
        """Total = urban + rural in each county, where the province's do."""
        for place in among:
            each = own.series[place]
            is_whole = each.area_type == "total" and len(each.indicator.area_types) == len(AREA_TYPES)
            if not is_whole or each.indicator.area_definition == "administrative":
                continue
            urban, rural = (places[f"{each.indicator.code}@{area}"] for area in ("urban", "rural"))
            if own.values[urban] + own.values[rural] == own.values[place]:
                made[place] = made[urban] + made[rural]

    def _own_area(self, own: ProvinceFigures, places: dict[str, int], made: Floats, province: Province) -> None:
        """By administrative definition a county is urban or rural: its total is that figure, where the parts sum."""
        is_district = self.counties.is_district[province.counties]
        for place, each in enumerate(own.series):
            if each.area_type != "total" or each.indicator.area_definition != "administrative":
                continue
            urban, rural = (places[f"{each.indicator.code}@{area}"] for area in ("urban", "rural"))
            parts = np.where(is_district, made[urban], made[rural])
            is_whole = np.nansum(own.values[[urban, rural]]) == own.values[place]
            if not np.isnan(parts).any() and (is_whole or not each.indicator.is_counted):
                made[place] = parts

    def _take_parts(
        self, own: ProvinceFigures, places: dict[str, int], made: Floats, parts: list[int], province: Province
    ) -> Floats:
        """Of-which counts: what each county's whole keeps after the province's shortfall is spread unevenly."""
        wholes = [places[f"{self._rule(own, i).county_basis}@{own.series[i].area_type}"] for i in parts]
        spreads = np.array([[self._rule(own, i).county_spread] for i in parts])
        scores = self.scores[[own.series[i].position for i in parts], province.counties]
        return take_from(made[wholes], own.values[wholes] - own.values[parts], np.exp(spreads * scores))

    def _zero_one(self, own: ProvinceFigures, place: int, province: Province) -> Floats:
        """As many ones as the province counts: the first by a stable score, districts last."""
        score = self.scores[own.series[place].position, province.counties]
        score = score - 10.0 * self.counties.is_district[province.counties]
        ranks = np.argsort(np.argsort(-score, kind="stable"))
        return np.where(ranks < own.values[place], 1.0, 0.0)

    def _pattern(
        self, series: Series, counts: Floats | None, weight: Floats, noise: Floats, province: Province,
        period: ReturnPeriod,
    ) -> Floats:  # fmt: skip
        """How a rate differs between counties, before it is centred: by its counts, by the census, or by seed."""
        rule = self.annual.rules[series.label]
        if counts is not None:
            return counts / self.counties.population["total"][province.counties]
        if rule.county_method == "census":
            census = self.counties.census[rule.county_basis][province.counties] * noise
            is_step = series.indicator.unit == "year"  # years move by a step, a percentage by a factor
            return census + rule.growth * (period.year - CENSUS_YEAR) if is_step else census
        people = self.population[series.position, province.counties]
        return np.divide(weight, people, out=np.ones_like(people), where=people > 0)

    def _centred(self, own: ProvinceFigures, place: int, pattern: Floats, province: Province) -> Floats:
        """The pattern scaled to the province's rate, within the rule's bounds, at the printed decimals."""
        series, rule = own.series[place], self._rule(own, place)
        is_free = rule.county_method == "count_rate"
        ceiling = 100.0 if series.indicator.unit == "percent" else np.inf
        low, high = (0.0, np.inf) if is_free else (max(rule.low, 0.0), min(ceiling, rule.high))
        target = float(own.values[place])
        people = self.population[series.position, province.counties]
        rates = centre(pattern, target, people, min(low, target), max(high, target))
        return np.round(rates, series.indicator.decimals)
