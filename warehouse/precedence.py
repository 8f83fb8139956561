"""Which source prevails: a province's own return owns its figures, the public portal lends one where nobody holds it.

Here: what is lent and what is owned, read from the fact (docs/decisions/0012). Not here: setting figures aside.
"""

from __future__ import annotations

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection

from warehouse.catalogue import Catalogue
from warehouse.coding import KEYS, to_codes
from warehouse.periods import parse_period
from warehouse.schema import return_receipt

PORTAL = "portal"
OWNED = ("indicator_code", "region_code", "period_code", "area_type")


def lent_receipts(connection: Connection) -> list[int]:
    """Receipts of the portal: figures that came by them are lent, and yield to a province's own."""
    lending = (return_receipt.c.sector == PORTAL, return_receipt.c.loaded > 0)
    return list(connection.scalars(sa.select(return_receipt.c.receipt_id).where(*lending)))


def owned_figures(connection: Connection, observations: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Figures that provinces' own returns hold, of the indicators and periods of ``observations``.

    Columns :data:`OWNED`, ``owned_value`` (NaN: the return leaves it blank), ``owned_last_digit``.
    """
    indicators = [catalogue.indicators[str(code)].indicator_key for code in observations["indicator_code"].unique()]
    periods = [parse_period(str(code)).key for code in observations["period_code"].unique()]
    rows = connection.execute(_OWNED, {"indicators": indicators, "periods": periods, "lent": lent_receipts(connection)})
    frame = pd.DataFrame(rows.all(), columns=[*KEYS, "owned_value", "owned_last_digit"])
    coded = to_codes(frame.astype(dict.fromkeys(KEYS, "int64")), catalogue)
    numbers = dict.fromkeys(("owned_value", "owned_last_digit"), "float64")
    return coded[[*OWNED, *numbers]].astype(dict.fromkeys(OWNED, "str") | numbers)


_OWNED = sa.text(
    "SELECT indicator_key, period_key, region_key, area_key, value, last_digit FROM core.observation"
    " WHERE superseded_at = 'infinity' AND receipt_id IS NOT NULL AND NOT receipt_id = ANY(CAST(:lent AS bigint[]))"
    " AND period_key = ANY(CAST(:periods AS integer[])) AND indicator_key = ANY(CAST(:indicators AS smallint[]))"
    " AND region_key % 10000 = 0"
)
