"""The same figure twice in one return. Not here: the same figure in two returns (vintages, warehouse room)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Per cell: ``is_repeated``, a later one that equals the first; ``is_unequal``, one of several that differ."""

    is_repeated: Flags
    is_unequal: Flags


def find_duplicates(keys: pd.DataFrame, values: pd.DataFrame, is_rejected: Flags) -> Duplicates:
    """Compare the cells that share a key.

    ``keys`` and ``values`` have one row a cell. Cells of one key are equal where all their ``values`` are (two blanks
    are equal); a cell that is rejected already makes the others of its key unequal: what it says is unknown.
    """
    shared = keys.duplicated(keep=False).to_numpy()
    is_repeated = np.zeros(len(keys), np.bool_)
    is_unequal = np.zeros(len(keys), np.bool_)
    if not shared.any():
        return Duplicates(is_repeated, is_unequal)
    where = np.flatnonzero(shared)
    group = keys.iloc[where].groupby(list(keys.columns), sort=False, observed=True).ngroup().to_numpy()
    frame = values.iloc[where].assign(rejected=is_rejected[where])
    distinct = frame.groupby(group).nunique(dropna=False).max(axis=1).to_numpy()
    rejected = frame.groupby(group)["rejected"].any().to_numpy()
    unequal = (distinct > 1) | rejected
    is_unequal[where] = unequal[group] & ~is_rejected[where]
    is_repeated[where] = ~unequal[group] & pd.Series(group).duplicated().to_numpy()
    return Duplicates(is_repeated, is_unequal)
