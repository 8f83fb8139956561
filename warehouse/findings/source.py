"""The figures that findings rest on: annual, of provinces and the nation, published. Not here: what they say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection

from warehouse.catalogue import Catalogue
from warehouse.computing import known_periods, read_figures
from warehouse.errors import NothingInForceError
from warehouse.findings.subjects import SUBJECTS
from warehouse.marts.reach import is_annual
from warehouse.panels import NATION, is_published, status_ranks
from warehouse.publishing import in_force_release
from warehouse.schema import release


def read_figures_in_force(connection: Connection, catalogue: Catalogue) -> pd.DataFrame:
    """The annual figures of the subjects and their weights that the release in force shows, estimates included.

    Raises :class:`warehouse.errors.NothingInForceError` where there is no release.
    """
    number = in_force_release(connection)
    if number is None:
        raise NothingInForceError
    codes = {code for subject in SUBJECTS for code in (subject.level_code, subject.gap_code) if code}
    codes |= {weight for code in codes if (weight := catalogue.indicators[code].weight_indicator)}
    known = known_periods(connection, (), number)
    wanted = {
        (key, period)
        for key in (catalogue.indicators[code].indicator_key for code in codes)
        for period in known.get(key, ())
        if is_annual(period)
    }
    moment = connection.scalar(sa.select(release.c.recorded_at).where(release.c.release_id == number))
    return of_provinces(read_figures(connection, wanted, as_of=moment), catalogue)


def of_provinces(figures: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """The figures of provinces and of the nation that have a value."""
    places = [NATION, *(int(code) for code in catalogue.provinces)]
    is_kept = np.isin(figures["region_key"].to_numpy(), places) & figures["value"].notna().to_numpy()
    return figures[is_kept].reset_index(drop=True)


def published_figures(figures: pd.DataFrame) -> pd.DataFrame:
    """Those that are published: nothing estimated or weaker."""
    return figures[is_published(status_ranks(figures["obs_status"]))].reset_index(drop=True)
