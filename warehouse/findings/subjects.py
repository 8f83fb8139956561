"""The services that the findings tell of, and the indicators that show them. Not here: any number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AreaType = Literal["total", "urban", "rural"]


@dataclass(frozen=True)
class Subject:
    """A service: ``level_code`` compares places (of ``area_type``), ``gap_code`` town and country (None: no such figures).

    The two differ where a rate is computed for all of a place and only reported for its town and country.
    """

    title: str
    level_code: str
    gap_code: str | None
    area_type: AreaType = "total"


SUBJECTS: tuple[Subject, ...] = (
    Subject("Physicians", "HLT_PHYSICIANS_PER_1000", "HLT_PHYSICIANS_PER_10K"),
    Subject("Nurses", "HLT_NURSES_PER_1000", "HLT_NURSES_PER_10K"),
    Subject("Hospital beds", "HLT_BEDS_PER_1000", "HLT_BEDS_PER_10K"),
    Subject("Village clinics", "HLT_VILLAGES_WITH_CLINIC_SHARE", None, "rural"),
    Subject("Primary schools", "EDU_PRIMARY_PUPILS_PER_TEACHER", "EDU_PRIMARY_PUPILS_PER_TEACHER"),
    Subject("Junior secondary schools", "EDU_JUNIOR_PUPILS_PER_TEACHER", "EDU_JUNIOR_PUPILS_PER_TEACHER"),
    Subject("Residents' pension", "PEN_RESIDENT_MONTHLY", None),
    Subject("Disposable income", "INC_DISPOSABLE", "INC_DISPOSABLE"),
    Subject("Broadband", "DIG_BROADBAND_PER_100", "DIG_BROADBAND_PER_100"),
)

#: Years whose total population was re-based after the census of 2020, while rates as reported and population by town and
#: country kept the old base (``sandbox/figures/README.md``, published figures of the statistics office).
REBASED_YEARS = (2011, 2019)
REBASED_CODE = "POP_RESIDENT"
