"""What of the portal's figures may be loaded, by what the provinces' returns hold."""

from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Connection

from assets import yielding
from returns import ReadResult
from warehouse.catalogue import load_catalogue

CATALOGUE = load_catalogue()
BLANK = float("nan")


def held_against(owned: float, portal: float, monkeypatch: pytest.MonkeyPatch, code: str = "GDP") -> ReadResult:
    """One figure of Sichuan 2024 that a return holds as ``owned``, in whole hundreds, and the portal as ``portal``."""
    key = {"indicator_code": [code], "region_code": ["510000"], "period_code": ["2024"], "area_type": ["total"]}
    own = pd.DataFrame(key | {"owned_value": [owned], "owned_last_digit": [100.0]})
    monkeypatch.setattr(yielding, "owned_figures", lambda *_: own[own["indicator_code"] == "GDP"])
    said = {"arrival_id": [7], "value": [portal], "obs_status": ["A"], "last_digit": [1.0]}
    figures = pd.DataFrame(key | said | {"address": ["line 1"], "raw_text": [str(portal)]})
    verdicts = pd.DataFrame({"arrival_id": [7], "cells": [1], "duplicates": [0]})
    nothing = pd.DataFrame(columns=["arrival_id", "address", "raw_text", "reason", "explanation", "explanation_zh"])
    result = ReadResult(figures.astype(dict.fromkeys(key, "category")), nothing, verdicts)
    form = CATALOGUE.portal_forms["portal_annual"]
    return yielding.yield_to_returns(cast(Connection, None), form, result, CATALOGUE)


def counts(result: ReadResult) -> dict[str, int]:
    agreed = int(result.verdicts["agreed"].sum())
    return {"loaded": len(result.observations), "agreed": agreed, "aside": len(result.quarantined)}


@pytest.mark.parametrize(
    ("owned", "portal"),
    [(12_300.0, 12_300.0), (12_300.0, 12_349.0), (12_300.0, BLANK)],
    ids=["equal", "rounded", "the portal says nothing"],
)
def test_what_says_the_same_is_counted(owned: float, portal: float, monkeypatch: pytest.MonkeyPatch) -> None:
    assert counts(held_against(owned, portal, monkeypatch)) == {"loaded": 0, "agreed": 1, "aside": 0}


@pytest.mark.parametrize(
    ("owned", "told"),
    [(12_300.0, "holds 12300, the portal says 12400."), (BLANK, "holds a blank, the portal says 12400.")],
    ids=["another figure", "a return leaves it blank"],
)
def test_what_says_something_else_is_set_aside_with_both(
    owned: float, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = held_against(owned, 12_400.0, monkeypatch)
    assert counts(result) == {"loaded": 0, "agreed": 0, "aside": 1}
    (row,) = cast("list[dict[str, Any]]", result.quarantined.to_dict("records"))
    assert (row["arrival_id"], row["reason"], row["address"]) == (7, "held_by_province", "line 1")
    assert row["explanation"] == f"510000 GDP: the province's own return {told}"


def test_what_no_return_holds_may_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    result = held_against(BLANK, 12_400.0, monkeypatch, code="FIS_EXPENDITURE")
    assert counts(result) == {"loaded": 1, "agreed": 0, "aside": 0}
    assert np.isclose(result.observations["value"].iloc[0], 12_400.0)


def test_what_the_form_does_not_carry_is_set_aside_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    result = held_against(BLANK, 12_400.0, monkeypatch, code="EDU_PRIMARY_PUPILS")
    assert counts(result) == {"loaded": 0, "agreed": 0, "aside": 1}
    assert result.quarantined["reason"].tolist() == ["unknown_indicator"]
    assert result.quarantined["explanation"].tolist() == [
        "510000 EDU_PRIMARY_PUPILS: the indicator is not loaded from portal_annual."
    ]
