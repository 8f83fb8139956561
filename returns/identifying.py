"""What a file is that nobody announced: form, province and period as its own title says. Not here: reading its figures.

A file that a form's layout fits is a return, also where its header is then wrong: it is known whose it is, and reading it
tells the rest. A table of other offices is none, however well it can be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from returns.carriers import read_grid
from returns.errors import CarrierError
from returns.layouts import Layout, load_layouts
from returns.layouts.matching import Expected, Matcher, Mismatch
from returns.reasons import MEANINGS, ReturnReason
from warehouse.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Identity:
    """What a return is."""

    form: str
    region_code: str
    period_code: str


@dataclass(frozen=True, slots=True)
class Unidentified:
    """Why nobody can tell what a file is."""

    reason: ReturnReason
    explanation: str

    @property
    def explanation_zh(self) -> str:
        """The reason in Chinese."""
        return MEANINGS[self.reason].zh


def identify(
    content: bytes,
    file_name: str,
    catalogue: Catalogue,
    layouts: Sequence[Layout] | None = None,
    *,
    region_code: str = "",
    form: str = "",
) -> Identity | Unidentified:
    """The form, province and period of a file, by its title; ``region_code`` and ``form`` are what is known already."""
    grid = read_grid(content, file_name=file_name)
    if isinstance(grid, CarrierError):
        return Unidentified(grid.reason, grid.explanation)
    of_forms = [layout for layout in (load_layouts() if layouts is None else layouts) if layout.forms]
    match = Matcher(of_forms, catalogue).match(grid, Expected(form, region_code, "", file_name))
    if isinstance(match, Mismatch) and match.stated is None:
        return Unidentified("unidentified" if match.stage < 3 else match.reason, match.explanation)
    stated = match.stated
    assert stated is not None, "a match states what it is of"
    return Identity(stated.form, stated.region_code, stated.period_code)
