"""What each fault of structure and figures does to a return, and what is left to believe of it.

What is here: one small function a fault, by name in `SPOILERS`; a fault that has nothing to change in a return gives its
draft back as it came. What is not here: faults of bytes (`printing`), of answers (`transport`) and of listings
(`platforms`); that another return is made in the place of this one (`making`).
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from sandbox.drafts import (
    Draft,
    append_row,
    choose,
    choose_figure,
    columns_of_indicator,
    map_figures,
    replace_columns,
    replace_figure,
    replace_region,
    scale_text,
    split_mark,
)
from sandbox.faults import ActiveFaults
from sandbox.reference import CATALOGUE, Reference, read_rows
from sandbox.seeds import hash_key

NOT_A_NUMBER = "约12"
UNKNOWN_REGION, UNKNOWN_REGION_NAME = "999999", "未名县"
UNDER_ZERO, UNKNOWN_STAGE = "-3", "高中"
UNKNOWN_UNIT, UNKNOWN_NAME, RENAMING = "斤", "未知指标", "（新口径）"
SLIP = Decimal("0.0001")
OLD_CODES_UNTIL = "2022-01-01"
"""Codes that ended before are outdated in every return with counties (2024 on), whatever grace a reader gives."""
SECOND_SHARE = 2
"""A table is cut in the middle where it goes on elsewhere."""

Spoiler = Callable[[Draft, Reference], Draft]


def revise(draft: Draft, purpose: str, times: int, row: int = 0) -> Draft:
    """One figure of a row raised by two percent a time, at least one unit of its last printed digit; none in a blank row."""
    if not any(draft.table.rows[row]):
        return draft
    place = choose_figure(draft, purpose) if row == 0 else _first_filled(draft, row)
    number, mark = split_mark(draft.table.rows[row][place])
    decimals = len(number.partition(".")[2])
    step = max(abs(float(number)) * 0.02, 10.0**-decimals) * times
    text = f"{float(number) + step:.{decimals}f}{mark}"
    return replace_figure(draft, row, place, text, text)


def _first_filled(draft: Draft, row: int) -> int:
    return next(place for place, text in enumerate(draft.table.rows[row]) if text)


def spoil_number(draft: Draft, _: Reference) -> Draft:
    """One published figure becomes 约12."""
    if not any(draft.table.rows[0]):
        return draft
    return replace_figure(draft, 0, choose_figure(draft, "not_a_number"), NOT_A_NUMBER, None)


def add_unknown_region(draft: Draft, _: Reference) -> Draft:
    """A row of a region that is in no list."""
    texts = draft.table.rows[-1]
    return append_row(draft, UNKNOWN_REGION, UNKNOWN_REGION_NAME, texts, (None,) * len(texts))


def repeat_row(draft: Draft, _: Reference) -> Draft:
    """The last row twice."""
    table = draft.table
    return append_row(draft, table.region_codes[-1], table.region_names[-1], table.rows[-1], draft.says[-1])


def repeat_row_unequally(draft: Draft, reference: Reference) -> Draft:
    """The last row twice, one figure of the second one changed: neither figure may be believed."""
    last = len(draft.says) - 1
    if not any(draft.table.rows[last]):
        return draft
    changed = revise(repeat_row(draft, reference), "unequal_duplicates", 1, last + 1)
    place = next(place for place, text in enumerate(changed.table.rows[-1]) if text != draft.table.rows[last][place])
    for row in (last, last + 1):
        changed = replace_figure(changed, row, place, changed.table.rows[row][place], None)
    return changed


def forget_header(draft: Draft, _: Reference) -> Draft:
    """The first column gets a name nobody knows."""
    return replace_columns(draft, [0], name=UNKNOWN_NAME)


def rename_header(draft: Draft, _: Reference) -> Draft:
    """The columns of one indicator get a longer name, as after a change of definition."""
    place = choose(draft, "renamed_header", range(len(draft.series)))
    places = columns_of_indicator(draft, draft.series[place].indicator.code)
    return replace_columns(draft, places, name=draft.table.columns[place].name + RENAMING)


def drop_column(draft: Draft, _: Reference) -> Draft:
    """One column is not there."""
    place = choose(draft, "dropped_column", range(len(draft.series)))
    if len(draft.series) == 1:
        return draft
    table = draft.table
    rows = tuple((*row[:place], *row[place + 1 :]) for row in table.rows)
    columns = (*table.columns[:place], *table.columns[place + 1 :])
    says = tuple((*row[:place], *row[place + 1 :]) for row in draft.says)
    series = (*draft.series[:place], *draft.series[place + 1 :])
    table = dataclasses.replace(table, rows=rows, columns=columns)
    return dataclasses.replace(draft, table=table, says=says, series=series)


def forget_unit(draft: Draft, _: Reference) -> Draft:
    """The first column is printed in a unit that is none for it."""
    return replace_columns(draft, [0], unit=UNKNOWN_UNIT)


def change_unit(draft: Draft, reference: Reference) -> Draft:
    """One indicator in another unit that it has, header and figures alike."""
    found = []
    for place, series in enumerate(draft.series):
        own = draft.table.columns[place].unit
        units = sorted(
            printed for (printed, unit), factor in reference.unit_factors.items()
            if unit == series.indicator.unit and factor != reference.unit_factors[own, unit]
        )  # fmt: skip
        if units:
            found.append((place, units[0]))
    if not found:
        return draft
    place, printed = found[choose(draft, "unit_in_header", range(len(found)))]
    unit = draft.series[place].indicator.unit
    before, after = (reference.unit_factors[name, unit] for name in (draft.table.columns[place].unit, printed))
    places = columns_of_indicator(draft, draft.series[place].indicator.code)
    factor = Decimal(before) / Decimal(after)
    changed = map_figures(draft, lambda _, at, text: scale_text(text, factor) if at in places else text)
    return replace_columns(changed, places, unit=printed)


def write_as_text(draft: Draft, _: Reference) -> Draft:
    """Figures as people type them, each readable: thousands, full-width, blanks around, a footnote sign."""

    def write(row: int, place: int, text: str) -> str:
        number, mark = split_mark(text)
        if not number:
            return text
        match hash_key("numbers_as_text", row, place) % 4:
            case 0 if number.removeprefix("-").partition(".")[0].isdigit():
                whole, point, rest = number.partition(".")
                return f"{int(whole):,}{point}{rest}{mark}"
            case 1:
                return number.translate(FULL_WIDTH) + mark
            case 2:
                return f" {number}{mark} "
            case _:
                return f"{number}{mark}①"

    changed = map_figures(draft, write, is_said=False)
    return dataclasses.replace(changed, layout=dataclasses.replace(changed.layout, are_figures_text=True))


FULL_WIDTH = str.maketrans("0123456789.-", "０１２３４５６７８９．－")


def use_old_code(draft: Draft, _: Reference) -> Draft:
    """One county under the code and name that it had before a change long ago; never under another row's."""
    own = set(draft.table.region_codes)
    old = {
        row["to_code"]: (row["from_code"], row["from_name"])
        for row in read_rows(CATALOGUE / "region_changes.csv")
        if row["effective_date"] < OLD_CODES_UNTIL
        and row["from_code"][:2] == row["to_code"][:2]
        and row["from_code"] not in own
    }
    rows = [row for row, code in enumerate(draft.table.region_codes) if code in old]
    if not rows:
        return draft
    row = choose(draft, "old_region_code", rows)
    return replace_region(draft, row, *old[draft.table.region_codes[row]])


def use_old_name(draft: Draft, _: Reference) -> Draft:
    """One county under its own code and a name it once had."""
    aliases = {row["region_code"]: row["alias"] for row in read_rows(CATALOGUE / "region_aliases.csv")}
    rows = [row for row, code in enumerate(draft.table.region_codes) if code in aliases and not code.endswith("0000")]
    if not rows:
        return draft
    row = choose(draft, "old_region_name", rows)
    code = draft.table.region_codes[row]
    return replace_region(draft, row, code, aliases[code])


def space_names(draft: Draft, _: Reference) -> Draft:
    """Short names with a full-width blank between their characters, counties indented by two."""
    names = tuple(
        ("" if code.endswith("0000") else "　　") + ("　".join(name) if len(name) <= 3 else name)
        for code, name in zip(draft.table.region_codes, draft.table.region_names, strict=True)
    )
    return dataclasses.replace(draft, table=dataclasses.replace(draft.table, region_names=names))


def spoil_schools(draft: Draft, _: Reference) -> Draft:
    """In the roster a figure becomes 约12 and another is under 0, a stage and a county are none, a school stands twice with
    different figures."""
    roster = draft.table.roster
    if roster is None:
        return draft
    first, second, third, fourth, *others, last = roster.schools
    printed = [
        dataclasses.replace(first, figures=(first.figures[0], NOT_A_NUMBER, *first.figures[2:])),
        dataclasses.replace(second, figures=(*second.figures[:2], UNDER_ZERO, *second.figures[3:])),
        dataclasses.replace(third, stage=UNKNOWN_STAGE),
        dataclasses.replace(fourth, region_code=UNKNOWN_REGION, region_name=UNKNOWN_REGION_NAME),
        *others,
        last,
        dataclasses.replace(last, figures=(f"1{last.figures[0]}", *last.figures[1:])),
    ]
    held = (
        dataclasses.replace(first, figures=(first.figures[0], "", *first.figures[2:])),
        dataclasses.replace(second, figures=(*second.figures[:2], "", *second.figures[3:])),
        *others,
    )
    roster = dataclasses.replace(roster, schools=tuple(printed), held=held)
    return dataclasses.replace(draft, table=dataclasses.replace(draft.table, roster=roster))


def shift_columns(draft: Draft, _: Reference) -> Draft:
    """Every figure one column to the right of its header; the last one falls off."""
    if len(draft.series) == 1:
        return draft
    return map_figures(draft, lambda row, place, _: draft.table.rows[row][place - 1] if place else "")


def slip_unit(draft: Draft, _: Reference) -> Draft:
    """Figures of one indicator as if they were counted in ten thousands, under the old header."""
    counted = [place for place, series in enumerate(draft.series) if series.indicator.is_counted]
    if not counted:
        return draft
    chosen = draft.series[choose(draft, "unit_slip", counted)].indicator.code
    places = columns_of_indicator(draft, chosen)
    return map_figures(draft, lambda _, place, text: scale_text(text, SLIP) if place in places else text)


def swap_areas(draft: Draft, _: Reference) -> Draft:
    """Urban and rural figures of one indicator under each other's header."""
    places = {(series.indicator.code, series.area_type): place for place, series in enumerate(draft.series)}
    pairs = [(at, places[code, "rural"]) for (code, area), at in places.items()
             if area == "urban" and (code, "rural") in places]  # fmt: skip
    pairs = [pair for pair in pairs if any(row[pair[0]] != row[pair[1]] for row in draft.table.rows)]
    if not pairs:
        return draft
    urban, rural = pairs[choose(draft, "swapped_areas", range(len(pairs)))]
    other = {urban: rural, rural: urban}
    return map_figures(draft, lambda row, place, _: draft.table.rows[row][other.get(place, place)])


def break_total(draft: Draft, _: Reference) -> Draft:
    """The province's total of one indicator a tenth larger than its parts."""
    codes = {series.indicator.code for series in draft.series if series.area_type == "urban"}
    totals = [
        place for place, series in enumerate(draft.series)
        if series.area_type == "total" and series.indicator.code in codes and series.indicator.is_counted
        and draft.table.rows[0][place]
    ]  # fmt: skip
    if not totals:
        return draft
    place = choose(draft, "total_not_sum", totals)
    text = scale_text(draft.table.rows[0][place], Decimal("1.1"))
    return replace_figure(draft, 0, place, text, text)


def write_zeros(draft: Draft, _: Reference) -> Draft:
    """0 where there is no figure."""
    return map_figures(draft, lambda _row, _place, text: text or "0")


def _lay_out(draft: Draft, **changes: object) -> Draft:
    return dataclasses.replace(draft, layout=dataclasses.replace(draft.layout, **changes))  # type: ignore[arg-type]


def _in_the_middle(change: str, **more: object) -> Spoiler:
    """A spoiler that lays a table out otherwise from its middle on; one of a single row has no middle."""

    def spoil(draft: Draft, _: Reference) -> Draft:
        middle = len(draft.says) // SECOND_SHARE
        return _lay_out(draft, **{change: middle}, **more) if middle else draft

    return spoil


def add_notes(draft: Draft, _: Reference) -> Draft:
    """Two notes more above the line that ends the table."""
    *notes, end = draft.table.footnotes
    more = ("3. 本表不含新设立的开发区。", "4. 上年同期数已按同口径调整。")
    return dataclasses.replace(draft, table=dataclasses.replace(draft.table, footnotes=(*notes, *more, end)))


SPOILERS: Mapping[str, Spoiler] = {
    "shifted_column": shift_columns,
    "swapped_areas": swap_areas,
    "total_not_sum": break_total,
    "zero_for_blank": write_zeros,
    "unit_slip": slip_unit,
    "unit_in_header": change_unit,
    "not_a_number": spoil_number,
    "old_region_code": use_old_code,
    "old_region_name": use_old_name,
    "unknown_region": add_unknown_region,
    "repeated_row": repeat_row,
    "unequal_duplicates": repeat_row_unequally,
    "bad_schools": spoil_schools,
    "numbers_as_text": write_as_text,
    "spaced_names": space_names,
    "unknown_header": forget_header,
    "unknown_unit": forget_unit,
    "renamed_header": rename_header,
    "dropped_column": drop_column,
    "extra_notes": add_notes,
    "stray_text": lambda draft, _: _lay_out(draft, stray_text="见附件"),
    "repeated_header": _in_the_middle("header_again_at"),
    "continued_table": _in_the_middle("header_again_at", again_label="续表"),
    "continued_sheet": _in_the_middle("second_sheet_at"),
    "sheet_lost": _in_the_middle("second_sheet_at", is_second_sheet_lost=True),
    "missing_sheet": lambda draft, _: _lay_out(draft, is_only_remarks=True),
}
"""In the order in which they are done: figures first, then rows, then how all is written, then headers."""


def spoil(draft: Draft, active: ActiveFaults, reference: Reference) -> Draft:
    """The draft as its faults leave it."""
    if active.revision:
        draft = revise(draft, "revised", active.revision)
    if active.quiet_revision:
        draft = revise(draft, "quiet_revision", active.quiet_revision)
    for name in _in_order(active.names):
        draft = SPOILERS[name](draft, reference)
    return draft


def _in_order(names: Iterable[str]) -> list[str]:
    wanted = set(names)
    return [name for name in SPOILERS if name in wanted]
