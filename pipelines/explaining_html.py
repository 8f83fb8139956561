"""An explanation as one HTML page: everything escaped, no script, nothing from outside.

Here: the page, with each cell shown in its sheet. Not here: what is explained, opening the archive (a function given).
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from pipelines import explaining
from pipelines.commands.printing import printable

if TYPE_CHECKING:
    from returns.locating import Window
    from warehouse.explanations import Explanation
    from warehouse.lineage import Figure, Source

FindWindow = Callable[["Source", str], "Window | None"]
"""A cell of a return in its sheet; None where the bytes cannot be opened or hold no such cell."""

_CELL_LETTERS = 40
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1c2733; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin-top: 2rem; border-bottom: 1px solid #ccd5de; }
code { font: 0.92em ui-monospace, monospace; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.1rem 1rem; } dt { color: #5a6b7b; } dd { margin: 0; }
ul { list-style: none; padding-left: 1.2rem; border-left: 2px solid #e3e9ef; } .note { color: #5a6b7b; }
.held { color: #a11; } .warned { color: #8a5a00; }
table { border-collapse: collapse; margin: 0.3rem 0 0.8rem; font-size: 0.85em; }
th, td { border: 1px solid #ccd5de; padding: 0.1rem 0.5rem; } th { background: #f2f5f8; font-weight: normal; color: #5a6b7b; }
.cell { background: #ffe08a; outline: 2px solid #c98a00; font-weight: bold; }
"""


def render_page(explanations: Sequence[Explanation], find_window: FindWindow) -> str:
    """The page."""
    title = explaining.headline(explanations[0])
    body = "\n".join(line for explanation in explanations for line in _explanation(explanation, find_window))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{_text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _text(text: object) -> str:
    return html.escape(printable(text, 2000))


def _explanation(explanation: Explanation, find_window: FindWindow) -> Iterator[str]:
    yield f"<h1>{_text(explaining.headline(explanation))}</h1>"
    yield f'<p class="note">{_text(explaining.release_line(explanation))}</p>'
    yield "<dl>"
    for name, value in explaining.shown_columns(explanation.row):
        yield f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>"
    yield "</dl><h2>Formula</h2>"
    for line in explanation.formula:
        yield f"<p><code>{_text(line)}</code></p>"
    yield f"<h2>{_text('Rests on' + explaining.counted(explanation))}</h2><ul>"
    for unit in explanation.units:
        yield from _figure(unit.figure, f"{unit.role} " if unit.role else "", find_window)
        if unit.weight is not None:
            yield from _figure(unit.weight, "weight ", find_window)
    yield "</ul><h2>Returns</h2><ul>"
    for source in explaining.sources_of(explanation):
        yield from _source(source)
    yield "</ul>"


def _figure(figure: Figure, role: str, find_window: FindWindow) -> Iterator[str]:
    value = _text(explaining.figure_value(figure))
    yield f"<li>{_text(role)}{_text(explaining.figure_name(figure))} = <strong>{value}</strong>"
    for vintage in figure.earlier:
        yield f'<br><span class="note">{_text(explaining.vintage_line(vintage))}</span>'
    if figure.source is not None:
        yield from _cell(figure, figure.source, find_window)
    elif figure.formula is None:
        yield f'<br><span class="note">{_text(explaining.cell_line(figure))}</span>'
    else:
        yield f"<br><code>= {_text(figure.formula)}</code>"
        more = explaining.part_count(figure)
        if more is not None:
            yield f'<br><span class="note">{_text(more)}</span>'
        yield "<ul>"
        for part in figure.parts:
            yield from _figure(part.figure, f"{part.role} ", find_window)
        yield "</ul>"
    yield "</li>"


def _cell(figure: Figure, source: Source, find_window: FindWindow) -> Iterator[str]:
    name = f'<a href="#receipt-{source.receipt_id}">receipt {source.receipt_id}</a>'
    yield f"<br>{name}, <code>{_text(source.sha256)} / {_text(figure.source_cell or '')}</code>"
    window = find_window(source, figure.source_cell or "")
    if window is None:
        yield '<p class="note">The archived bytes do not show this cell.</p>'
        return
    heads = "".join(f"<th>{_short(label)}</th>" for label in window.column_labels)
    yield f"<table><tr><th>{_short(window.sheet)}</th>{heads}</tr>"
    for number, (label, texts) in enumerate(zip(window.row_labels, window.texts, strict=True)):
        cells = "".join(
            f'<td class="cell">{_short(text)}</td>' if (number, column) == window.marked else f"<td>{_short(text)}</td>"
            for column, text in enumerate(texts)
        )
        yield f"<tr><th>{_short(label)}</th>{cells}</tr>"
    yield "</table>"


def _short(text: str) -> str:
    return html.escape(printable(text, _CELL_LETTERS))


def _source(source: Source) -> Iterator[str]:
    yield f'<li id="receipt-{source.receipt_id}">{_text(explaining.source_line(source))}'
    yield f"<br><code>sha256 {_text(source.sha256)}</code>"
    outcomes = [finding.outcome for finding in source.findings] or [""]
    for line, outcome in zip(explaining.check_lines(source), outcomes, strict=True):
        yield f'<br><span class="note {outcome}">{_text(line)}</span>'
    yield "</li>"
