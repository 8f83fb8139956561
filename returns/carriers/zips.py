"""ZIPs of returns, as they are mailed: each member is read by what it is, a ZIP in the ZIP once. Not here: the guards of
a ZIP (:mod:`returns.carriers.package`), workbooks that are ZIPs themselves.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace

from returns.carriers.allowance import Allowance
from returns.carriers.grid import CarrierKind, Grid, Sheet
from returns.carriers.package import expand_return
from returns.errors import CarrierError, NoTableError, NotAWorkbookError, TooLargeError

MAX_MEMBERS = 100

ReadMember = Callable[[bytes], Grid]

# What archivers and desktops leave beside the files that a person put in.
_LITTER = ("__macosx", "thumbs.db", ".ds_store", "desktop.ini")


def read_zip(
    content: bytes, members: Mapping[str, zipfile.ZipInfo], read_member: ReadMember, allowance: Allowance
) -> Grid:
    """The sheets of all members; addresses are ``附件.xlsx/表1!C7``, of a member with one nameless table
    ``附件.csv!row 7 col 3``.

    Members that hold no table (a scan, a letter) are left out and named in ``facts["skipped"]``; a member that is broken,
    encrypted or hostile fails the whole, since its figures would be missing.
    Raises a :class:`returns.errors.CarrierError`.
    """
    names = [name for name in members if not any(part.lower() in _LITTER for part in name.split("/"))]
    if len(names) > MAX_MEMBERS:
        raise TooLargeError(f"the ZIP has {len(names):,} members, at most {MAX_MEMBERS} are read")
    grids: dict[str, Grid] = {}
    skipped: list[str] = []
    for name in names:
        try:
            grids[name] = read_member(expand_return(content, members[name], name, allowance))
        except NoTableError as error:
            skipped.append(f"{name}: {error.explanation}")
        except CarrierError as error:
            raise type(error)(f"{name}: {error.explanation}") from error
    return _join(grids, skipped)


def _join(grids: Mapping[str, Grid], skipped: list[str]) -> Grid:
    if not grids:
        raise NotAWorkbookError("the ZIP holds no workbook or other table" + "".join(f"; {text}" for text in skipped))
    kinds: dict[CarrierKind, str] = {}
    for name, grid in grids.items():
        kinds.setdefault(grid.carrier, name)
    if len(kinds) > 1:
        mixed = ", ".join(f"{kind} ({name})" for kind, name in kinds.items())
        raise NotAWorkbookError(f"the members of the ZIP are of different kinds: {mixed}")
    sheets = tuple(_within(name, sheet) for name, grid in grids.items() for sheet in grid.sheets)
    return Grid(next(iter(kinds)), sheets, _join_facts(grids, skipped))


def _join_facts(grids: Mapping[str, Grid], skipped: list[str]) -> dict[str, str]:
    """What all members say alike; what they say differently is said of none."""
    told = [dict(grid.facts) for grid in grids.values()]
    inner = [facts.pop("skipped") for facts in told if "skipped" in facts]
    facts = {key: text for key, text in told[0].items() if all(other.get(key) == text for other in told)}
    return facts | ({"skipped": "; ".join([*inner, *skipped])} if inner or skipped else {})


def _within(member: str, sheet: Sheet) -> Sheet:
    """The sheet, its name and addresses beginning with the member it stands in."""
    joint = "/" if sheet.name else "!"
    labels = [(f"{member}{joint}{before}", after) for before, after in sheet.column_labels]
    return replace(sheet, name=f"{member}/{sheet.name}" if sheet.name else member, column_labels=labels)
