"""The findings as one Markdown document: a table over all services, then a section each. Not here: numbers, words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from warehouse.catalogue import Catalogue
from warehouse.findings.measuring import Finding, find
from warehouse.findings.source import published_figures
from warehouse.findings.subjects import SUBJECTS
from warehouse.findings.wording import (
    caveat_sentences,
    convergence_sentences,
    gap_sentences,
    number,
    percent,
    spread_sentences,
    standard_sentences,
)
from warehouse.panels import FIGURE_COLUMNS
from warehouse.periods import period_from_key

_NOTHING = "–"
_HEAD = """\
# Findings

What the published figures say of basic public services in 31 provinces, in words made from the numbers by rule. Made by

    junheng findings --out docs/findings.md

from the release in force of a refreshed warehouse (`make refresh`); the same figures give the same text. Only published
figures count (status A normal, P provisional, B break): what is estimated or weaker is left out, and nothing is compared
across a break of definition. Methods: [methods.md](methods.md).

Read with care: the average of a province hides its counties; provinces as equals and people as equals answer different
questions; no number here says why. *Town* and *country* are as each indicator defines them ([dictionary.md](dictionary.md)).
Arrows lead from the first comparable year to the last."""


def findings_document(figures: pd.DataFrame, catalogue: Catalogue) -> str:
    """The whole document, of annual figures of provinces and the nation (estimates may be among them, and are counted)."""
    found = [find(subject, figures, catalogue) for subject in SUBJECTS]
    blocks = [_HEAD, _basis(figures), "\n".join(_overview(found)), *(_section(each, catalogue) for each in found)]
    return "\n\n".join(blocks) + "\n"


def _basis(figures: pd.DataFrame) -> str:
    """Which figures, so that two documents can be told apart."""
    published = published_figures(figures)
    rows = published[list(FIGURE_COLUMNS)].astype({"obs_status": str}).sort_values(list(FIGURE_COLUMNS[:4]))
    text = rows.to_csv(index=False, float_format="%.12g", lineterminator="\n")
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return f"Basis: {len(published):,} published figures (sha256 {digest}), weights among them."


def _overview(found: Iterable[Finding]) -> Iterator[str]:
    yield "| service | indicator | published | town ÷ country | Gini | between groups | CV a year | meeting the standard |"
    yield "|---|---|---|---|---|---|---|---|"
    for each in found:
        cells = [each.subject.title, f"`{each.level.code}`", _span(each.periods), *_numbers(each)]
        yield f"| {' | '.join(cells)} |"


def _numbers(found: Finding) -> Iterator[str]:
    gap = found.town_and_country
    yield _NOTHING if gap is None else _arrow(*(gap.nation or gap.median))
    years = None if found.spread is None else found.spread.years
    yield _NOTHING if years is None else _arrow(years["gini"].iloc[0], years["gini"].iloc[-1])
    yield _NOTHING if years is None else percent(years["between"].iloc[-1])
    yield _NOTHING if found.convergence is None else number(found.convergence.sigma_slope, 2)
    yield "; ".join(f"{each.standard.kind} {each.met} of {each.provinces}" for each in found.standards) or _NOTHING


def _arrow(before: float, after: float) -> str:
    return f"{number(before)} → {number(after)}"


def _span(periods: tuple[str, str] | None) -> str:
    return _NOTHING if periods is None else "–".join(dict.fromkeys(periods))


def _section(found: Finding, catalogue: Catalogue) -> str:
    level, gap = found.level, found.gap
    blocks = [
        f"## {found.subject.title}",
        f"{level.name_en} ({level.name_zh}), {level.unit}, `{level.code}`; {found.figures:,} published figures,"
        f" {_span(found.periods)}.",
    ]
    if gap is not None:
        named = "" if gap is level else f" By `{gap.code}`."
        sentences = (
            ["No figures by town and country are published for enough provinces."]
            if found.town_and_country is None
            else list(gap_sentences(found.town_and_country, gap, catalogue))
        )
        blocks.append(f"**Town and country.** {' '.join(sentences)}{named}")
    if found.spread is None:
        blocks.append("**Between provinces.** No year has published figures of enough provinces.")
    else:
        blocks.append(f"**Between provinces.** {' '.join(spread_sentences(found.spread, catalogue, level.unit))}")
        blocks.append("\n".join(_years(found.spread.years)))
    if found.convergence is not None:
        blocks.append(f"**Convergence.** {' '.join(convergence_sentences(found.convergence))}")
    for each in found.standards:
        blocks.append(f"**Standard.** {' '.join(standard_sentences(each, catalogue))}")
    years = None if found.periods is None else (_year(found.periods[0]), _year(found.periods[1]))
    caveats = list(caveat_sentences(found.caveats, years, catalogue))
    if caveats:
        blocks.append("\n".join(["Caveats:", "", *(f"- {sentence}" for sentence in caveats)]))
    return "\n\n".join(blocks)


def _year(period_code: str) -> int:
    return int(period_code.removeprefix("SY")[:4])


def _years(years: pd.DataFrame) -> Iterator[str]:
    yield "| year | provinces | mean | CV | Gini | Theil T | between groups | Gini by people |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in years.to_dict("records"):
        between = percent(row["between"]) if np.isfinite(row["between"]) else _NOTHING
        numbers = [number(row[name]) for name in ("mean", "cv", "gini", "theil_t")]
        people = number(row["gini_people"])
        code = period_from_key(int(row["period_key"])).code
        yield f"| {code} | {int(row['units'])} | {' | '.join(numbers)} | {between} | {people} |"
