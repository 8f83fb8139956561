"""How a suite of a sector is composed of subjects. Not here: which subjects a sector takes (its own module says so)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from expectations.cells import Cells
from expectations.model import Check

Prepare = Callable[[Cells], dict[str, npt.NDArray[Any]]]


@dataclass(frozen=True)
class Suite:
    """A named list of checks over one kind of table."""

    name: str
    title_zh: str
    checks: tuple[Check, ...]


def compose(name: str, title_zh: str, *subjects: Sequence[Check], without: frozenset[str] = frozenset()) -> Suite:
    """A suite of the rules of ``subjects``, in order; ``without`` names rules with nothing to judge in it."""
    rules = [rule for subject in subjects for rule in subject if rule.check_id not in without]
    return Suite(name, title_zh, tuple(rule.bind(name) for rule in rules))
