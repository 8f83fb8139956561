"""What the published figures say, in words made from the numbers: gaps, inequality, convergence, standards, and their caveats.

Here: which services are told of (``subjects``), what is found of each (``measuring``, by the functions of the marts), how a
number reads (``wording``), and the document (``document``). Not here: any formula (``warehouse.measures``), any command.

No outcome stands in the code: each sentence is chosen by the numbers it tells. Published figures only (status A, P, B).
"""

from warehouse.findings.document import findings_document
from warehouse.findings.measuring import Finding, find
from warehouse.findings.source import published_figures, read_figures_in_force
from warehouse.findings.subjects import SUBJECTS, Subject

__all__ = [
    "SUBJECTS",
    "Finding",
    "Subject",
    "find",
    "findings_document",
    "published_figures",
    "read_figures_in_force",
]
