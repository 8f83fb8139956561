"""``docs/methods.md``: every measure with its formula, edges, source and worked example, from the code's docstrings."""

from __future__ import annotations

import inspect
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from types import FunctionType

from docs.generators.tables import HEAD, code, table
from warehouse import measures
from warehouse.measures.statuses import SAMPLE_MEASURES, Needs

#: Title → module of ``warehouse.measures``, in the order of the document.
SECTIONS = {
    "Level and simple spread": "spread",
    "Gini and Lorenz": "concentration",
    "Gini by group": "dagum",
    "Theil T and L": "theil",
    "Atkinson": "atkinson",
    "WHO HEAT": "disparity",
    "Along a ranking": "gradient",
    "Ranks and lines": "ranking",
    "Town and country": "gap",
    "Shortfall": "shortfall",
    "Shares against shares": "agglomeration",
    "Convergence": "convergence",
    "Trend": "trend",
    "Projection and risk": "projection",
    "Composite scores": "composite",
    "Ranks of scores": "ranks",
    "Coupling of sectors": "coupling",
    "Schools of a county": "schools",
    "Bounds under missing units": "bounds",
    "Attribution of change": "attribution",
    "Peers": "peers",
    "Why there is no value": "statuses",
}
#: Modules without a measure of their own.
_PLUMBING = {"sample", "scalar", "forms", "distributions"}

_NEEDS = {
    "no_negative": "no negative value",
    "mean_above_zero": "mean above 0",
    "least_above_zero": "no value at 0 or below",
    "ranking": "a ranking variable",
    "distinct_ranks": "two distinct ranks",
}


def render() -> str:
    """The document."""
    unlisted = {found.name for found in pkgutil.iter_modules(measures.__path__)} - _PLUMBING - set(SECTIONS.values())
    if unlisted:
        raise ValueError(f"docs/generators/methods.py has no section for {', '.join(sorted(unlisted))}")
    parts = [*_opening(), *(line for title, module in SECTIONS.items() for line in _section(title, module))]
    return "\n".join(parts)


def _opening() -> Iterator[str]:
    yield from (HEAD, "# Methods", "")
    yield "Every measure as the code computes it: the text stands in the functions' docstrings, and each example is a test."
    yield "Units i have values x and weights w (resident population unless the indicator says otherwise), W = Σw, μ = Σwx/W."
    yield "All functions work on many slices at once; NaN is *null*, never 0."
    yield ""
    yield from _paragraphs(inspect.getdoc(import_module("warehouse.measures.sample")) or "")
    yield from ("## Measures of a sample", "")
    yield "A slice that lacks what a measure needs has no value and a status that says so ([undefined](#undefined))."
    yield ""
    yield from table(("measure", "needs"), [(code(name), _needs(row.needs)) for name, row in SAMPLE_MEASURES.items()])


def _needs(needs: Needs) -> str:
    said = [text for name, text in _NEEDS.items() if getattr(needs, name)]
    if needs.least_quantile is not None:
        said = [f"{needs.least_quantile:.0%} quantile above 0"]
    return ", ".join(said) or "a unit, no negative weight"


def _section(title: str, module_name: str) -> Iterator[str]:
    module = import_module(f"warehouse.measures.{module_name}")
    yield from (f"## {title}", "", f"`warehouse/measures/{module_name}.py`", "")
    yield from _paragraphs(inspect.getdoc(module) or "")
    for name, member in vars(module).items():
        is_own = isinstance(member, FunctionType) and member.__module__ == module.__name__
        if is_own and name in measures.__all__:
            yield from _function(name, member)


def _function(name: str, function: FunctionType) -> Iterator[str]:
    yield from (f"### {name}", "", code(f"{name}({', '.join(inspect.signature(function).parameters)})"), "")
    yield from _paragraphs(inspect.getdoc(function) or "")
    gives = function.__annotations__.get("return")
    fields = vars(import_module(function.__module__)).get(str(gives))
    if fields is not None and hasattr(fields, "_fields"):
        yield f"Gives {', '.join(map(code, fields._fields))}: {_prose(inspect.getdoc(fields) or '')}"
        yield ""


def _paragraphs(text: str) -> Iterator[str]:
    """Paragraphs of a docstring as Markdown; an example is a block of code."""
    for block in text.split("\n\n"):
        if block.startswith(">>>"):
            yield from ("```python", block, "```", "")
        else:
            yield from (_prose(block), "")


def _prose(text: str) -> str:
    """reStructuredText as the docstrings have it, in Markdown."""
    pieces = re.split(r"(``.+?``|:\w+:`[^`]+`)", text, flags=re.DOTALL)
    return "".join(_inline(piece) for piece in pieces)


def _inline(piece: str) -> str:
    if piece.startswith("``"):
        return f"`{piece.strip('`')}`"
    role = re.fullmatch(r":(\w+):`([^`]+)`", piece)
    if role is None:
        return piece.replace("<", "&lt;")  # i<j is no tag
    kind, name = role.groups()
    return f"[{name}](#{name})" if kind == "func" else f"`{name}`"
