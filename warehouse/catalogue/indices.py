"""What an index is made of: its members in order, with their side. Not here: scores, the rows' shape (``models``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from warehouse.catalogue.models import AreaType, Index, Indicator


class Member(NamedTuple):
    """A member of an index: an indicator and the area type it is taken from."""

    indicator: Indicator
    area_type: AreaType

    @property
    def sign(self) -> int:
        """+1 where higher is better, −1 where lower is."""
        return 1 if self.indicator.direction == "higher" else -1


def members_of(index: Index, indices: Mapping[str, Index], indicators: Mapping[str, Indicator]) -> tuple[Member, ...]:
    """The members of an index in the order of its row; an index among them stands for its own members, each once."""
    found: dict[Member, None] = {}
    for term in index.members:
        if term in indices:
            found |= dict.fromkeys(members_of(indices[term], indices, indicators))
        else:
            code, _, area = term.partition("@")
            found[Member(indicators[code], area)] = None  # type: ignore[arg-type]
    return tuple(found)
