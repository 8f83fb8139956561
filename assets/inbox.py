"""Taking in the inbox: whose return each file is, its bytes into the archive, and its arrival into the ledger.

In this order, so that a crash anywhere loses and doubles nothing: archive, record (one transaction a batch), move. A file that
is still there although it was recorded is known by its bytes and its time, and is only moved. Joins the inbox, the returns
room, the archive and the ledger; knows no Dagster. Not here: reading figures.
"""

from __future__ import annotations

import datetime
import hashlib
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice

from sqlalchemy import Connection, Engine

from assets.collecting import manifest_entry
from resources.archive import Archive
from resources.inbox import Dropped, DroppedFileChanged, DroppedFileTooLarge, Inbox, media_type_of
from returns.carriers.allowance import Allowance
from returns.carriers.package import expand_return, open_package
from returns.carriers.sheet_xml import WORKBOOK_PART
from returns.errors import CarrierError, HostileFileError, TooLargeError
from returns.identifying import Identity, Unidentified, identify
from returns.reasons import MEANINGS, ReturnReason
from warehouse.calendar import due_on
from warehouse.catalogue import Catalogue, Form
from warehouse.errors import PeriodError
from warehouse.periods import parse_period
from warehouse.quarantining import record_unplaced as record_unplaced_files
from warehouse.quarantining import resolve_unplaced
from warehouse.receipts import Collected, Refresh, known_deliveries, lock_writing, read_collected, record_arrivals

log = logging.getLogger(__name__)

BATCH_FILES = 16
"""Files in memory at a time, and recorded in one transaction."""
MAX_MEMBERS = 100
NESTED_ZIPS = 1
ZIP_MARK = b"PK\x03\x04"
# What archivers and desktops leave beside the files that a person put in.
LITTER = ("__macosx", "thumbs.db", ".ds_store", "desktop.ini")

Identify = Callable[..., Identity | Unidentified]
"""As :func:`returns.identifying.identify`."""


@dataclass(frozen=True)
class Unplaced:
    """What nobody could place: a file, or a member of a ZIP (``mail.zip/letter.docx``)."""

    file_name: str
    sha256: str
    bytes: int
    reason: ReturnReason
    explanation: str
    explanation_zh: str


RecordUnplaced = Callable[[Connection, Refresh, Sequence[Unplaced]], None]


@dataclass
class InboxResult:
    """What became of the files that were ready."""

    placed: list[Collected] = field(default_factory=list)
    """New arrivals, recorded."""
    unplaced: list[Unplaced] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    """Files (or members) that a refresh recorded before it was killed: moved, and no second delivery."""
    waiting: list[str] = field(default_factory=list)
    """Files left in the inbox: returns of forms that were not asked for, or changed while they were taken."""


@dataclass(frozen=True)
class _Piece:
    """One return in a file: the file itself or a member of it."""

    path: str
    content: bytes
    sha256: str
    placed: Collected | Unplaced


@dataclass(frozen=True)
class _Taken:
    """A file with its pieces."""

    file: Dropped
    sha256: str
    pieces: tuple[_Piece, ...]


@dataclass(frozen=True)
class Hints:
    """What the names of folders say: ``inbox/510000/health/2024/…``; ``""`` is not told."""

    region_code: str = ""
    sector: str = ""
    form: str = ""
    period_code: str = ""


def take_in(
    inbox: Inbox,
    archive: Archive,
    engine: Engine,
    refresh: Refresh,
    catalogue: Catalogue,
    now: Callable[[], datetime.datetime],
    forms: Collection[str],
    *,
    identify: Identify = identify,
    record_unplaced: RecordUnplaced | None = None,
) -> InboxResult:
    """Take in every ready file that holds a return of ``forms``; what is of other forms is left for who asks for those.

    What nobody can place is archived too, told to ``record_unplaced`` within the transaction, and set aside.
    """
    result = InboxResult()
    waiting = iter(inbox.ready())
    while batch := list(islice(waiting, BATCH_FILES)):
        taken = [each for file in batch if (each := _take(inbox, file, catalogue, now(), identify, result))]
        archive.put_many(piece.content for each in taken for piece in each.pieces if piece.content)
        with engine.begin() as connection:
            lock_writing(connection, refresh)
            known = _Known(connection, refresh, catalogue)
            new, again, left = _sort(taken, known, forms)
            _record(connection, archive, refresh, new)
            done = [each for each in taken if each.file.shown_path not in left]
            set_aside = [piece.placed for each in done for piece in each.pieces if isinstance(piece.placed, Unplaced)]
            if set_aside and record_unplaced is not None:
                record_unplaced(connection, refresh, set_aside)
            resolve_unplaced(connection, refresh, {each.sha256 for each in new})
        result.placed += new
        result.again += again
        result.unplaced += set_aside
        result.waiting += sorted(left)
        for each in done:
            _put_away(inbox, each, now().date(), result)
    return result


def record_mailed(connection: Connection, refresh: Refresh, files: Sequence[Unplaced]) -> None:
    """Write what nobody could place to ``ops.unplaced_file``."""
    record_unplaced_files(connection, refresh, [asdict(file) for file in files])


def read_hints(folders: Sequence[str], catalogue: Catalogue) -> Hints:
    """What the names of folders say of the files in them; a name that says nothing is passed over."""
    found = Hints()
    sectors = {form.sector for form in catalogue.forms.values()}
    for name in folders:
        if name in catalogue.provinces:
            found = replace(found, region_code=name)
        elif name in sectors:
            found = replace(found, sector=name)
        elif name in catalogue.forms:
            found = replace(found, form=name, sector=catalogue.forms[name].sector)
        elif _is_period(name):
            found = replace(found, period_code=name)
    of_sector = [form.form for form in catalogue.forms.values() if form.sector == found.sector]
    return replace(found, form=of_sector[0]) if not found.form and len(of_sector) == 1 else found


def unpack(content: bytes, name: str, depth: int = 0) -> Iterator[tuple[str, bytes]]:
    """The files in ``content`` with their paths: those of a ZIP (nested once), else itself. Raises a CarrierError."""
    if not content.startswith(ZIP_MARK):
        yield name, content
        return
    members = open_package(content)
    is_document = WORKBOOK_PART in members or "[Content_Types].xml" in members or "META-INF/manifest.xml" in members
    if is_document:
        yield name, content
        return
    if depth > NESTED_ZIPS:
        raise HostileFileError("a ZIP stands in a ZIP that stands in a ZIP")
    wanted = [member for member in members if not any(part.lower() in LITTER for part in member.split("/"))]
    if len(wanted) > MAX_MEMBERS:
        raise TooLargeError(f"the ZIP has {len(wanted):,} members, at most {MAX_MEMBERS} are read")
    allowance = Allowance()
    for member in wanted:
        inner = expand_return(content, members[member], member, allowance)
        yield from unpack(inner, f"{name}/{member}", depth + 1)


def place(content: bytes, path: str, hints: Hints, catalogue: Catalogue, identify: Identify) -> Identity | Unidentified:
    """Form, province and period of a file: from its folder where that says all, else from its title too."""
    if hints.form and hints.region_code and hints.period_code:
        found: Identity | Unidentified = Identity(hints.form, hints.region_code, hints.period_code)
    else:
        found = identify(content, path.rpartition("/")[2], catalogue, region_code=hints.region_code, form=hints.form)
    return found if isinstance(found, Unidentified) else _checked(found, hints, catalogue)


def _checked(found: Identity, hints: Hints, catalogue: Catalogue) -> Identity | Unidentified:
    """``found`` if it is one return of a form that exists and agrees with the folder."""
    form = catalogue.forms.get(found.form)
    lacking = [
        name
        for name, text in (("form", found.form), ("province", found.region_code), ("period", found.period_code))
        if not text
    ]
    if form is None or lacking:
        return Unidentified(
            "unidentified", f"neither its folder nor its title says the {' and '.join(lacking or ['form'])}"
        )
    if found.region_code not in catalogue.provinces:
        return Unidentified("wrong_province", f"{found.region_code} is not one of the provinces")
    if hints.sector and form.sector != hints.sector:
        return Unidentified("wrong_form", f"it is of {form.form}, and lies in a folder of {hints.sector}")
    if hints.period_code and hints.period_code != found.period_code:
        return Unidentified(
            "wrong_period", f"it is of {found.period_code}, and lies in a folder of {hints.period_code}"
        )
    if not _is_period(found.period_code) or parse_period(found.period_code).kind != form.period_kind:
        return Unidentified("wrong_period", f"{found.period_code} is no period of {form.form}")
    return found


def _take(
    inbox: Inbox, file: Dropped, catalogue: Catalogue, now: datetime.datetime, identify: Identify, result: InboxResult
) -> _Taken | None:
    """``file`` with its pieces placed; None where it changed and waits for the next time."""
    try:
        content = inbox.read(file)
    except DroppedFileChanged:
        result.waiting.append(file.shown_path)
        return None
    except DroppedFileTooLarge as error:
        why = _unplaced(file.shown_path, error.sha256, file.size, Unidentified("too_large", str(error)))
        return _Taken(file, error.sha256, (_Piece(file.shown_path, b"", error.sha256, why),))
    try:
        members = list(unpack(content, file.shown_path))
    except CarrierError as error:
        members = [(file.shown_path, content)]
        found: Unidentified | None = Unidentified(error.reason, error.explanation)
    else:
        found = None if members else Unidentified("not_a_workbook", "the ZIP is empty")
        members = members or [(file.shown_path, content)]
    pieces: list[_Piece] = []
    for path, inner in members:
        sha256 = hashlib.sha256(inner).hexdigest()
        hints = read_hints(path.split("/")[:-1], catalogue)
        placed = found or place(inner, path, hints, catalogue, identify)
        if isinstance(placed, Unidentified):
            pieces.append(_Piece(path, inner, sha256, _unplaced(path, sha256, len(inner), placed)))
        else:
            collected = _collected(catalogue.forms[placed.form], placed, file, path, inner, sha256, now)
            pieces.append(_Piece(path, inner, sha256, collected))
    return _Taken(file, hashlib.sha256(content).hexdigest(), tuple(pieces))


def _unplaced(path: str, sha256: str, size: int, why: Unidentified) -> Unplaced:
    return Unplaced(path, sha256, size, why.reason, why.explanation, MEANINGS[why.reason].zh)


def _collected(
    form: Form, found: Identity, file: Dropped, path: str, content: bytes, sha256: str, now: datetime.datetime
) -> Collected:
    name = path.rpartition("/")[2]
    return Collected(
        platform=f"{found.region_code}/{form.sector}",
        sector=form.sector,
        form=form.form,
        region_code=found.region_code,
        period_code=found.period_code,
        sha256=sha256,
        bytes=len(content),
        file_name=name,
        media_type=media_type_of(name),
        etag=f'"inbox-{sha256[:16]}-{file.mtime_ns:x}"',
        modified_at=file.modified_at,
        fetched_at=now,
        due_on=due_on(form, parse_period(found.period_code)),
    )


class _Known:
    """Deliveries that need no second arrival: recorded by this refresh or by one that broke off, or the newest there is."""

    def __init__(self, connection: Connection, refresh: Refresh, catalogue: Catalogue) -> None:
        self._newest = known_deliveries(connection)
        self._recorded = {
            (form, row["region_code"], row["period_code"], row["sha256"], row["modified_at"])
            for form in catalogue.forms
            for row in read_collected(connection, refresh.refresh_id, form)
        }

    def has(self, item: Collected) -> bool:
        """Whether this very file was recorded already."""
        newest = self._newest.get((item.platform, item.form, item.period_code))
        key = (item.form, item.region_code, item.period_code, item.sha256, item.modified_at)
        return key in self._recorded or (newest is not None and newest.etag == item.etag)


def _sort(
    taken: Sequence[_Taken], known: _Known, forms: Collection[str]
) -> tuple[list[Collected], list[str], set[str]]:
    """What to record, what was recorded already, and the files that hold something nobody asked for yet."""
    new: dict[tuple[str, str, str, str], Collected] = {}
    again: list[str] = []
    left: set[str] = set()
    for each in taken:
        for piece in each.pieces:
            item = piece.placed
            if isinstance(item, Unplaced):
                continue
            key = (item.platform, item.form, item.period_code, item.sha256)
            if known.has(item) or key in new:
                again.append(piece.path)
            elif item.form in forms:
                new[key] = item
            else:
                left.add(each.file.shown_path)
    return list(new.values()), again, left


def _record(connection: Connection, archive: Archive, refresh: Refresh, new: Sequence[Collected]) -> None:
    """Arrivals form by form, and the manifest's lines before they are committed."""
    for form in dict.fromkeys(item.form for item in new):
        own = [item for item in new if item.form == form]
        sequences = record_arrivals(connection, refresh, own)
        archive.append_manifest(
            [
                manifest_entry(asdict(item) | {"sequence": number}, refresh)
                for item, number in zip(own, sequences, strict=True)
            ]
        )


def _put_away(inbox: Inbox, each: _Taken, day: datetime.date, result: InboxResult) -> None:
    """Move a file that was dealt with; of an accepted ZIP, what nobody could place is written out by itself."""
    wrong = [piece for piece in each.pieces if isinstance(piece.placed, Unplaced)]
    try:
        if len(wrong) == len(each.pieces):
            inbox.set_aside(each.file, each.sha256, day, "\n".join(_why(piece) for piece in wrong))
            return
        for piece in wrong:
            inbox.set_aside_member(piece.content, piece.path, piece.sha256, day, _why(piece))
        inbox.accept(each.file, each.sha256, day)
    except DroppedFileChanged:
        result.waiting.append(each.file.shown_path)
    except OSError as error:  # it is recorded, and only its place is wrong: the next refresh knows it by its bytes
        log.warning("inbox file %s cannot be moved: %s", each.file.shown_path, error)
        result.waiting.append(each.file.shown_path)


def _why(piece: _Piece) -> str:
    assert isinstance(piece.placed, Unplaced), "only these are set aside"
    why = piece.placed
    told = f"{piece.path}\n{why.reason}: {why.explanation}\n{why.explanation_zh}\nSHA-256 {why.sha256}\n"
    advice = "inbox/<province code>/<sector or form>/<period>/"
    return f"{told}Put it into {advice} to say whose it is.\n请放入 {advice} 以注明省份、报表和时期。\n"


def _is_period(text: str) -> bool:
    try:
        parse_period(text)
    except PeriodError:
        return False
    return True
