"""``docs/dictionary.md``: marts, indicators, standards, codes, from the catalogue and the schema."""

from __future__ import annotations

from collections.abc import Iterator

from docs.generators.tables import HEAD, code, table
from expectations.marts.common import METRIC_STATUSES as KNOWN_METRIC_STATUSES
from returns.reasons import MEANINGS as QUARANTINE_MEANINGS
from warehouse.catalogue import Catalogue, Form, Indicator, Standard, load_catalogue
from warehouse.describing import read_views
from warehouse.panels import STATUSES
from warehouse.periods import PeriodKind, parse_period

EXAMPLE_PERIODS: dict[PeriodKind, tuple[str, str]] = {
    "year": ("2024", "the calendar year, from annual returns only"),
    "half": ("2024-H1", "the half-year alone"),
    "quarter": ("2024-Q2", "the quarter alone"),
    "month": ("2024-03", "the month alone; of a stock, its end"),
    "cumulative": ("2024-M01-M03", "January to March cumulated, in monthly and quarterly returns alike"),
    "school_year": ("SY2024", "the school year from 1 September; a published year Y of education is SYY"),
}

OBS_STATUSES = {
    "A": "normal",
    "B": "break: from here on the definition is another",
    "D": "another definition",
    "E": "estimated",
    "F": "forecast",
    "H": "missing, a holiday",
    "I": "imputed",
    "L": "below detection",
    "M": "missing: the cell is blank, the value null",
    "N": "not significant",
    "O": "missing",
    "P": "provisional",
    "Q": "suppressed",
    "U": "low reliability",
}

METRIC_STATUSES = {
    "ok": "the value holds",
    "insufficient_coverage": "too few of the units that exist have a figure",
    "undefined_negative": "the measure is not defined for negative values",
    "undefined_zero_mean": "the mean is 0",
    "undefined_zero_value": "the measure is not defined where a value is 0",
    "too_few_units": "fewer units than the measure needs",
    "no_ranking_variable": "there is nothing to rank by",
    "across_break": "a break of definition lies between the figures",
    "too_few_years": "the series since the last break of definition is too short",
    "not_applicable": "it cannot exist there",
}

GRADES = {
    "A": "all units there, observed figures only, no check warned",
    "B": "a check of these figures warned",
    "C": "it rests on estimated or provisional figures, or units are missing",
}

AREA_DEFINITIONS = {
    "residence": "urban and rural by where people live (the statistical division of town and country)",
    "administrative": "city districts are urban, counties and county-level cities rural: a county unit has one of the two",
    "school_place": "by the place of the school",
    "scheme": "the word in a scheme's name",
}

RECEIPT_STATES = {
    "loaded": "every cell was loaded, at least one made a new vintage",
    "unchanged": "every cell says what was known",
    "partly_quarantined": "some cells are in quarantine, the others are loaded",
    "quarantined": "all of it is in quarantine",
    "failed": "it could not be had: the platform was down or refused",
    "missing": "it is due and the platform does not list it",
}


def render() -> str:
    """The document."""
    catalogue = load_catalogue()
    return "\n".join(
        [
            HEAD,
            "# Data dictionary",
            "",
            "Marts are what BI tools and `junheng query` read. Every table below is generated, so it cannot lag behind.",
            "",
            *_marts(),
            *_indicators(catalogue),
            *_indices(catalogue),
            *_standards(catalogue),
            *_schools(catalogue),
            *_breaks(catalogue),
            *_codes(),
            *_forms(catalogue),
        ]
    )


def _marts() -> Iterator[str]:
    yield from ("## Marts", "")
    yield "`SET junheng.as_of = '2026-03-01 23:59:59+08'` shows every mart as readers saw it then; so does the function"
    yield "`mart.<name>_as_of(moment)` of every mart that has a `…_history`, which holds every release."
    yield ""
    for view in read_views().values():
        yield from (f"### mart.{view.name}", "", f"{view.comment}.", "")
        rows = [(code(column.name), column.type, column.meaning) for column in view.columns]
        yield from table(("column", "type", "meaning"), rows)


def _indicators(catalogue: Catalogue) -> Iterator[str]:
    yield from ("## Indicators", "")
    yield "A derived indicator is multiplier × numerator / denominator; `CODE@area` takes another area type than the row's."
    yield "Only comparable ones (rates, ratios, amounts a head) enter inequality and gaps."
    yield ""
    header = (
        "code",
        "name",
        "unit",
        "formula or forms",
        "areas",
        "area definition",
        "better",
        "aggregation",
        "comparable",
    )
    for sector in ("context", "employment", "education", "health"):
        yield from (f"### {sector}", "")
        rows = [_indicator_row(row) for row in catalogue.indicators.values() if row.sector == sector]
        yield from table((*header, "finest level"), rows)


def _indices(catalogue: Catalogue) -> Iterator[str]:
    yield from ("### Indices", "")
    yield "Composite scores of 0 to 1 (`mart.composite_index`), by their own code where marts show an indicator's."
    yield ""
    rows = [
        (code(row.code), f"{row.name_zh}<br>{row.name_en}", row.sector, ", ".join(map(code, row.members)))
        for row in catalogue.indices.values()
    ]
    yield from table(("code", "name", "sector", "members"), rows)
    resources = ", ".join(code(row.indicator_code) for row in catalogue.resources)
    yield from (f"Resources of which `mart.resource_agglomeration` is computed: {resources}.", "")


def _indicator_row(row: Indicator) -> tuple[object, ...]:
    return (
        code(row.code),
        f"{row.name_zh}<br>{row.name_en}",
        row.unit,
        _formula(row) if row.kind == "derived" else ", ".join(row.forms),
        ", ".join(row.area_types),
        row.area_definition,
        row.direction,
        row.aggregation,
        "yes" if row.is_comparable else "no",
        row.finest_level,
    )


def _formula(row: Indicator) -> str:
    terms = [f"{item}@{area}" if area else item for item, area in row.terms("numerator")]
    numerator = f"({' + '.join(terms)})" if len(terms) > 1 else terms[0]
    return code(f"{_factor(row.multiplier or 1)}{numerator} / {row.denominator}")


def _factor(multiplier: float) -> str:
    """``100 ×``; one over a whole number as such (a twelfth is written ``1/12 ×``); nothing for 1."""
    if multiplier == 1:
        return ""
    inverse = round(1 / multiplier)
    is_part = multiplier < 1 and abs(multiplier * inverse - 1) < 1e-9
    return f"{f'1/{inverse}' if is_part else f'{multiplier:g}'} × "


def _standards(catalogue: Catalogue) -> Iterator[str]:
    yield from ("## Standards", "")
    yield "In force on the period's last day (a school year: its 1 September). A *floor* binds; a *target* is planned for a"
    yield "year and shown as the distance to it; a *reference* is a remark. `mart.standard` shows local ones too."
    yield ""
    header = ("indicator", "item", "kind", "binds", "value", "from", "to", "for", "document", "how sure")
    yield from table(header, [_standard_row(row) for row in catalogue.standards])
    yield from ("### Items of the national standard", "")
    yield "Names that are not verified are written from memory; the counts of areas, categories and items are sure."
    yield ""
    rows = [
        (row.item_number, f"{row.area}<br>{row.area_en}", row.category, row.item, "yes" if row.is_verified else "no",
         ", ".join(map(code, row.indicator_codes)))
        for row in catalogue.items.values()
    ]  # fmt: skip
    yield from table(("item", "area", "category", "name", "verified", "observed by"), rows)


def _standard_row(row: Standard) -> tuple[object, ...]:
    place = "the nation alone" if row.region_code else row.region_group
    scope = ", ".join(part for part in (place, row.area_type, row.target_year and f"by {row.target_year}") if part)
    return (code(row.indicator_code), row.item_number or "", row.kind, "yes" if row.is_binding else "no",
            f"{row.op} {row.value:g}", row.valid_from, row.valid_to or "", scope or "all", row.document,
            row.certainty)  # fmt: skip


def _schools(catalogue: Catalogue) -> Iterator[str]:
    yield from ("## Balance of compulsory education", "")
    yield "What `mart.county_balance` judges, as indicators of their own; no return carries a figure of them."
    yield ""
    stages = list(catalogue.school_stages.values())
    rows = [(code(row.indicator_code), f"{row.name_zh}<br>{row.name_en}", code(row.stage)) for row in stages]
    yield from table(("indicator", "name", "stage"), rows)
    yield "The seven resources: the least a school of each stage should have, and the largest CV between schools."
    yield ""
    header = (
        "resource",
        "name",
        "unit",
        "amount in a roster",
        *(f"line, limit: {row.stage}" for row in stages),
        "document",
    )
    lines = [
        (code(row.resource_code), f"{row.name_zh}<br>{row.name_en}", row.unit, row.amount_zh,
         *(f"{row.line(each.stage):g}, {row.cv_limit(each.stage):g}" for each in stages), row.source)
        for row in catalogue.school_lines
    ]  # fmt: skip
    yield from table(header, lines)


def _breaks(catalogue: Catalogue) -> Iterator[str]:
    yield from ("## Breaks of definition", "")
    rows = [
        (code(row.indicator_code), row.region_code or "all", row.area_type or "all", row.first_year_of_new_definition,
         row.what_changed)
        for row in catalogue.breaks
    ]  # fmt: skip
    yield from table(("indicator", "region", "area type", "from", "what changed"), rows)


def _codes() -> Iterator[str]:
    unknown = (set(STATUSES) ^ set(OBS_STATUSES)) | (set(KNOWN_METRIC_STATUSES) ^ set(METRIC_STATUSES))
    if unknown:
        raise ValueError(f"docs/generators/dictionary.py does not explain the statuses {', '.join(sorted(unknown))}")
    yield from ("## Codes", "", "### Periods", "")
    periods = [(kind, parse_period(text), meaning) for kind, (text, meaning) in EXAMPLE_PERIODS.items()]
    rows = [(code(period.code), kind, f"{period.start} to {period.end}", meaning) for kind, period, meaning in periods]
    yield from table(("code", "kind", "span", "meaning"), rows)
    yield from _coded("Area definitions", AREA_DEFINITIONS)
    yield from (
        "### Status of an observation (`obs_status`, SDMX)",
        "",
        "Weakest first; a computed figure is as weak as the",
    )
    yield from ("weakest of its parts.", "")
    yield from table(("code", "meaning"), [(code(letter), OBS_STATUSES[letter]) for letter in STATUSES])
    yield from _coded("Status of a metric (`status`); where it is not `ok`, the value is null", METRIC_STATUSES)
    yield from _coded("Grade of a metric", GRADES)
    yield from _coded("State of a receipt (`mart.reporting.state`)", RECEIPT_STATES)
    reasons = {reason: f"{meaning.en} ({meaning.zh})" for reason, meaning in QUARANTINE_MEANINGS.items()}
    yield from _coded("Reasons of quarantine (`ops.quarantine.reason`), besides ids of checks", reasons)


def _coded(title: str, meanings: dict[str, str]) -> Iterator[str]:
    yield from (f"### {title}", "")
    yield from table(("code", "meaning"), [(code(name), meaning) for name, meaning in meanings.items()])


def _forms(catalogue: Catalogue) -> Iterator[str]:
    yield from ("## Forms", "")
    rows = [
        (code(row.form), row.name_zh, row.frequency, _due(row), len(catalogue.indicators_of(row.form)))
        for row in catalogue.all_forms.values()
    ]
    yield from table(("form", "name", "frequency", "due", "indicators"), rows)


def _due(row: Form) -> str:
    if not row.is_owed:
        return "never: published, and taken when it comes"
    months = "a month" if row.due_months == 1 else f"{row.due_months} months"
    return f"on day {row.due_day}, {months} after the month in which the period {row.due_anchor}s"
