"""The closed list of quarantine reasons, and what each means to a person. Not here: deciding which one applies."""

from __future__ import annotations

from typing import Literal, get_args

ReturnReason = Literal[
    "unknown_carrier",
    "not_a_workbook",
    "hostile_file",
    "too_large",
    "unreadable_text",
    "broken_page",
    "error_answer",
    "incomplete_pages",
    "unknown_layout",
    "ambiguous_layout",
    "unknown_sheet",
    "wrong_form",
    "wrong_period",
    "wrong_province",
    "unknown_header",
    "missing_header",
    "unknown_unit",
    "no_rows",
    "truncated",
]
CellReason = Literal[
    "not_a_number",
    "unknown_dash",
    "ambiguous_scale",
    "unknown_region",
    "wrong_region_name",
    "wrong_province",
    "short_row",
    "unequal_duplicates",
]
Reason = ReturnReason | CellReason

RETURN_REASONS: tuple[str, ...] = get_args(ReturnReason)
CELL_REASONS: tuple[str, ...] = get_args(CellReason)

MEANINGS: dict[str, str] = {
    "unknown_carrier": "the bytes are of a kind that no reader knows",
    "not_a_workbook": "the bytes are no workbook, whatever the file is named",
    "hostile_file": "the file is built to do harm and was not opened",
    "too_large": "the file, or what it expands to, is larger than any return",
    "unreadable_text": "the text is in no known encoding, or its quoting is broken",
    "broken_page": "a page of the answer is not of the agreed shape",
    "error_answer": "the platform answered with an error",
    "incomplete_pages": "the pages do not make up the announced total",
    "unknown_layout": "no layout fits",
    "ambiguous_layout": "more than one layout, or more than one sheet, fits",
    "unknown_sheet": "a sheet holds cells that the layout does not know",
    "wrong_form": "the title is of another form",
    "wrong_period": "the title is of another period",
    "wrong_province": "the title, or the row, is of another province",
    "unknown_header": "a column's header is unknown to layout and catalogue",
    "missing_header": "a column that the form owes is not there",
    "unknown_unit": "a column's unit is unknown or does not fit its indicator",
    "no_rows": "there is no data row under the header",
    "truncated": "the text that ends the table is not there, so rows may be missing",
    "not_a_number": "the figure is no number (text, a formula without a result, a spreadsheet error, beyond all sizes)",
    "unknown_dash": "a dash whose meaning the layout does not state",
    "ambiguous_scale": "the figure and its column both carry a scale",
    "unknown_region": "the region code is in no list",
    "wrong_region_name": "the region's name is not the name of its code",
    "short_row": "the row ends before its header does",
    "unequal_duplicates": "the same figure stands twice with different values",
}
