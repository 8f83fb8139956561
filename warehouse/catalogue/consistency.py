"""What must hold between the rows of standards, items, rates, indices, resources and schools; local standards are refused here.

Every check raises :class:`warehouse.errors.CatalogueError` with file, line and column (the header is line 1). Not here: the
shape of a row (``models.py``), codes that stand in no file (``__init__.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from warehouse.catalogue.models import Region, Standard, StandardItem
from warehouse.catalogue.standards import LAST_NATIONAL_KEY, first_day_under
from warehouse.errors import CatalogueError, LocalStandardRefusedError

if TYPE_CHECKING:
    from warehouse.catalogue import Catalogue

STANDARDS, ITEMS, RATES = "standards.csv", "standard_items.csv", "recomputed_rates.csv"
COSTS = "cost_rules.csv"
INDICES, RESOURCES = "indices.csv", "resources.csv"
STAGES, LINES = "school_stages.csv", "school_balance_lines.csv"
NATION = "000000"
_SECTORS = ("education", "employment", "health")
_LEVELS = ("nation", "province", "prefecture", "county", "township", "village")


def check_items(catalogue: Catalogue) -> None:
    """A category has one name and one area, an area one name, and what observes an item is an indicator."""
    categories: dict[int, tuple[str, int]] = {}
    areas: dict[int, tuple[str, str]] = {}
    for line, row in enumerate(catalogue.items.values(), start=2):
        category, area = (row.category, row.area_number), (row.area, row.area_en)
        if categories.setdefault(row.category_number, category) != category:
            raise CatalogueError(ITEMS, line, "category_number", f"category {row.category_number} is another one above")
        if areas.setdefault(row.area_number, area) != area:
            raise CatalogueError(ITEMS, line, "area_number", f"area {row.area_number} has another name above")
        for code in row.indicator_codes:
            if code not in catalogue.indicators:
                raise CatalogueError(ITEMS, line, "indicator_codes", f"no indicator {code!r}")


def check_standards(catalogue: Catalogue) -> None:
    """The catalogue's own steps: numbered as such, of no place but the nation, and each fit for its indicator."""
    for line, row in enumerate(catalogue.standards, start=2):
        if row.standard_key > LAST_NATIONAL_KEY:
            reason = f"numbers above {LAST_NATIONAL_KEY} are for local standards"
            raise CatalogueError(STANDARDS, line, "standard_key", reason)
        if row.region_code not in (None, NATION):
            reason = "a local standard stands in the file that JUNHENG_LOCAL_STANDARDS names"
            raise CatalogueError(STANDARDS, line, "region_code", reason)
        _check_step(catalogue, STANDARDS, line, row)


def check_rates(catalogue: Catalogue) -> None:
    """A rate that is reported stands beside one that is computed, in the same kind of period."""
    for line, row in enumerate(catalogue.recomputed_rates, start=2):
        for column, kind in (("reported_code", "base"), ("recomputed_code", "derived")):
            found = catalogue.indicators.get(getattr(row, column))
            if found is None or found.kind != kind:
                raise CatalogueError(RATES, line, column, f"no {kind} indicator {getattr(row, column)!r}")
        if catalogue.indicators[row.reported_code].frequency != catalogue.indicators[row.recomputed_code].frequency:
            raise CatalogueError(RATES, line, "recomputed_code", "its periods are of another kind")


def check_costs(catalogue: Catalogue) -> None:
    """An amount a head of which more is better, people who can be counted for each of its area types, and a budget."""
    for line, row in enumerate(catalogue.cost_rules.values(), start=2):
        units = {"indicator_code": "CNY per person", "heads_indicator": "person", "budget_indicator": "CNY"}
        for column, unit in units.items():
            code = getattr(row, column)
            if code not in catalogue.indicators:
                raise CatalogueError(COSTS, line, column, f"no indicator {code!r}")
            if catalogue.indicators[code].unit != unit:
                raise CatalogueError(COSTS, line, column, f"{code} is not in {unit}")
        amount, heads = catalogue.indicators[row.indicator_code], catalogue.indicators[row.heads_indicator]
        if amount.direction != "higher":
            raise CatalogueError(
                COSTS, line, "indicator_code", f"of {amount.code} more is not better: nothing is to be paid"
            )
        if not {row.heads_area} - {None} <= set(heads.area_types):
            raise CatalogueError(COSTS, line, "heads_area", f"{heads.code} has no figures of {row.heads_area}")
        if row.heads_area is None and not set(amount.area_types) <= set(heads.area_types):
            reason = f"{heads.code} has not the area types of {amount.code}: name the one to count"
            raise CatalogueError(COSTS, line, "heads_area", reason)


def check_indices(catalogue: Catalogue) -> None:
    """Keys are used once; a member is a comparable indicator that has a better side, or an index of such ones alone."""
    keys: dict[int, str] = {}
    for line, row in enumerate(catalogue.indices.values(), start=2):
        if keys.setdefault(row.index_key, row.code) != row.code or row.index_key in catalogue.by_key:
            raise CatalogueError(INDICES, line, "index_key", f"{row.index_key} is used twice")
        named = [code for code in row.members if code in catalogue.indices]
        if named and (len(named) < len(row.members) or any(_has_indices(catalogue, code) for code in named)):
            raise CatalogueError(INDICES, line, "members", "all are indicators, or all are indices of indicators")
        if (row.sector == "overall") != (sorted(catalogue.indices[code].sector for code in named) == list(_SECTORS)):
            raise CatalogueError(INDICES, line, "members", f"an overall index is of one index each of {_SECTORS}")
        for term in () if named else row.members:
            _check_member(catalogue, line, term)
        if len(set(row.members)) < len(row.members):
            raise CatalogueError(INDICES, line, "members", "a member is named twice")


def _has_indices(catalogue: Catalogue, code: str) -> bool:
    return any(member in catalogue.indices for member in catalogue.indices[code].members)


def _check_member(catalogue: Catalogue, line: int, term: str) -> None:
    code, _, area = term.partition("@")
    indicator = catalogue.indicators.get(code)
    if indicator is None:
        raise CatalogueError(INDICES, line, "members", f"no indicator or index {code!r}")
    if area not in indicator.area_types:
        raise CatalogueError(INDICES, line, "members", f"{code} has no figures of {area!r} (write CODE@area)")
    if not indicator.is_comparable or indicator.direction == "neutral":
        raise CatalogueError(INDICES, line, "members", f"{code} is not comparable, or neither more nor less is better")


def check_resources(catalogue: Catalogue) -> None:
    """A resource is a stock that sums over places."""
    for line, row in enumerate(catalogue.resources, start=2):
        indicator = catalogue.indicators.get(row.indicator_code)
        if indicator is None:
            raise CatalogueError(RESOURCES, line, "indicator_code", f"no indicator {row.indicator_code!r}")
        if indicator.aggregation != "sum" or indicator.is_cumulative or "total" not in indicator.area_types:
            raise CatalogueError(RESOURCES, line, "indicator_code", f"{indicator.code} is no stock with a total")


def check_local(catalogue: Catalogue, local: Sequence[Standard], file: str) -> None:
    """Local standards beside the ``catalogue`` without them.

    Raises :class:`LocalStandardRefusedError` where one is under the national floor on any day of its validity.
    """
    regions = {row.region_code: row for row in catalogue.region_rows}
    for line, row in enumerate(local, start=2):
        if row.standard_key <= LAST_NATIONAL_KEY:
            reason = f"numbers up to {LAST_NATIONAL_KEY} are the national catalogue's own"
            raise CatalogueError(file, line, "standard_key", reason)
        if row.kind == "reference":
            raise CatalogueError(file, line, "kind", "a local standard is a floor or a target")
        if row.region_group is not None:
            raise CatalogueError(file, line, "region_group", "a local standard is of one region, not of a group")
        region = regions.get(row.region_code or "")
        if region is None or region.region_level not in ("province", "prefecture", "county"):
            reason = f"{row.region_code or ''!r} is no province, prefecture or county of regions.csv"
            raise CatalogueError(file, line, "region_code", reason)
        _check_step(catalogue, file, line, row)
        finest = catalogue.indicators[row.indicator_code].finest_level
        if _LEVELS.index(region.region_level) > _LEVELS.index(finest):
            reason = f"{row.indicator_code} has no figures below the level {finest}"
            raise CatalogueError(file, line, "region_code", reason)
        _refuse_under_floor(catalogue, file, line, row, region)


def _check_step(catalogue: Catalogue, file: str, line: int, row: Standard) -> None:
    indicator = catalogue.indicators.get(row.indicator_code)
    if indicator is None:
        raise CatalogueError(file, line, "indicator_code", f"no indicator {row.indicator_code!r}")
    if row.area_type is not None and row.area_type not in indicator.area_types:
        raise CatalogueError(file, line, "area_type", f"{indicator.code} has no figures of {row.area_type}")
    if indicator.direction == "neutral":
        raise CatalogueError(file, line, "indicator_code", f"neither more nor less of {indicator.code} is better")
    if row.op != (">=" if indicator.direction == "higher" else "<="):
        reason = f"of {indicator.code} {indicator.direction} is better, so it cannot be {row.op}"
        raise CatalogueError(file, line, "op", reason)
    if row.value == 0:
        raise CatalogueError(file, line, "value", "0 is no standard: the margin is a share of it")
    if row.item_number is not None:
        _check_item(catalogue.items.get(row.item_number), file, line, row)


def _check_item(item: StandardItem | None, file: str, line: int, row: Standard) -> None:
    if item is None:
        raise CatalogueError(file, line, "item_number", f"no item {row.item_number}")
    if row.indicator_code not in item.indicator_codes:
        reason = f"item {item.item_number} ({item.item}) does not name {row.indicator_code}"
        raise CatalogueError(file, line, "item_number", reason)


def _refuse_under_floor(catalogue: Catalogue, file: str, line: int, row: Standard, region: Region) -> None:
    floors = [
        step
        for step in catalogue.standards
        if step.kind == "floor" and step.region_code is None and step.indicator_code == row.indicator_code
    ]
    undercut = first_day_under(row, floors, region.region_group, catalogue.indicators[row.indicator_code].area_types)
    if undercut is not None:
        raise LocalStandardRefusedError(
            file, line, f"{region.name_zh} ({region.region_code})", row, undercut.floor, undercut.day
        )


def check_schools(catalogue: Catalogue) -> None:
    """What is computed from rosters has keys and codes of its own, and amounts are in a unit that can be printed."""
    keys, codes = set(catalogue.by_key), set(catalogue.indicators)
    for line, stage in enumerate(catalogue.school_stages.values(), start=2):
        if stage.indicator_key in keys:
            raise CatalogueError(STAGES, line, "indicator_key", f"{stage.indicator_key} is used twice")
        if stage.indicator_code in codes:
            raise CatalogueError(STAGES, line, "indicator_code", f"{stage.indicator_code} is used twice")
        keys.add(stage.indicator_key)
        codes.add(stage.indicator_code)
    units = {unit for _, unit in catalogue.units}
    for line, row in enumerate(catalogue.school_lines, start=2):
        if row.amount_unit not in units:
            raise CatalogueError(LINES, line, "amount_unit", f"no unit {row.amount_unit!r} in units.csv")
