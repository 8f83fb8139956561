"""The portal yields: what it says is held against the provinces' own returns before it is loaded.

Here: moving figures of the portal that may not be loaded; pure but for one query. Not here: which source prevails
(:mod:`warehouse.precedence`, docs/decisions/0012).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from returns import ReadResult
from returns.reasons import MEANINGS, CellReason
from warehouse.catalogue import Catalogue, Form
from warehouse.precedence import OWNED, owned_figures


def yield_to_returns(connection: Connection, form: Form, result: ReadResult, catalogue: Catalogue) -> ReadResult:
    """What of the portal's figures may be loaded: those that its form carries and that no province's return holds.

    One that a return holds and that says the same is counted (``agreed`` of the verdicts: it is unchanged); one that says
    something else is set aside with both figures, and so is one that the form does not carry. No cell is lost.
    """
    carried = {indicator.code for indicator in catalogue.indicators_of(form.form)}
    figures = result.observations.reset_index(drop=True)
    is_foreign = ~figures["indicator_code"].astype("str").isin(carried)
    foreign = _set_aside(
        figures[is_foreign],
        "unknown_indicator",
        [f"the indicator is not loaded from {form.form}"] * int(is_foreign.sum()),
    )
    figures = figures[~is_foreign].reset_index(drop=True)
    keys = figures[["arrival_id", *OWNED]].astype(dict.fromkeys(OWNED, "str"))
    held = keys.merge(owned_figures(connection, figures, catalogue).assign(is_owned=True), on=list(OWNED), how="left")
    is_owned = held["is_owned"].notna()
    agrees = is_owned & _agree(figures, held)
    contradicts = is_owned & ~agrees
    pairs = zip(held.loc[contradicts, "owned_value"], figures.loc[contradicts, "value"], strict=True)
    told = [f"the province's own return holds {_shown(owned)}, the portal says {_shown(said)}" for owned, said in pairs]
    contradicted = _set_aside(figures[contradicts], "held_by_province", told)
    agreed = figures.loc[agrees, "arrival_id"].value_counts()
    verdicts = result.verdicts.assign(agreed=result.verdicts["arrival_id"].map(agreed).fillna(0).astype("int64"))
    return ReadResult(
        figures[~is_owned].reset_index(drop=True),
        pd.concat([result.quarantined, foreign, contradicted], ignore_index=True),
        verdicts,
    )


def _agree(figures: pd.DataFrame, held: pd.DataFrame) -> pd.Series[bool]:
    """Whether each figure of the portal says what the return says, to half a unit of the coarser last digit; a blank one
    says nothing against it."""
    value, owned = figures["value"].to_numpy(), held["owned_value"].to_numpy()
    digits = np.fmax(
        np.nan_to_num(figures["last_digit"].to_numpy()), np.nan_to_num(held["owned_last_digit"].to_numpy())
    )
    noise = np.maximum(np.abs(value), np.abs(owned)) * 1e-14
    return pd.Series(np.isnan(value) | (np.abs(value - owned) <= digits / 2 + noise), index=figures.index)


def _shown(value: float) -> str:
    return "a blank" if np.isnan(value) else f"{value:.12g}"


def _set_aside(figures: pd.DataFrame, reason: CellReason, told: Sequence[str]) -> pd.DataFrame:
    """Figures as quarantined cells, each with what is told of it."""
    places = zip(figures["region_code"], figures["indicator_code"], strict=True)
    where = [f"{region} {indicator}" for region, indicator in places]
    return pd.DataFrame(
        {
            "arrival_id": figures["arrival_id"],
            "address": figures["address"],
            "raw_text": figures["raw_text"],
            "reason": pd.Series(reason, index=figures.index, dtype="str"),
            "explanation": _texts([f"{place}: {text}." for place, text in zip(where, told, strict=True)], figures),
            "explanation_zh": _texts([f"{place}：{MEANINGS[reason].zh}。" for place in where], figures),
        }
    )


def _texts(texts: Sequence[str], figures: pd.DataFrame) -> pd.Series[str]:
    return pd.Series(texts, index=figures.index, dtype="str")
