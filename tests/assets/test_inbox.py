"""Taking in the inbox, with a real folder, archive and ledger: whose a file is, once and only once, and what is not placed."""

import datetime
import io
import os
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from assets.inbox import Hints, InboxResult, Unplaced, place, read_hints, take_in, unpack
from resources.archive import Archive
from resources.inbox import Inbox
from returns.errors import HostileFileError, TooLargeError
from returns.identifying import Identity, Unidentified
from sandbox.carriers import encode_table
from sandbox.periods import ReturnPeriod
from sandbox.reference import load_reference
from sandbox.tables import TableMaker
from tests.warehouse.centre import Centre
from warehouse.catalogue import load_catalogue
from warehouse.receipts import Refresh, open_refresh

CATALOGUE = load_catalogue()
NOW = datetime.datetime(2026, 11, 24, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=8)))
FORMS = tuple(CATALOGUE.forms)
HEALTH = Identity("health_annual", "510000", "2024")


def say(found: Identity | Unidentified) -> Callable[..., Identity | Unidentified]:
    """An identifier that says the same of every file."""
    return lambda *_, **__: found


def by_name(content: bytes, file_name: str, *_: object, **__: object) -> Identity | Unidentified:
    """An identifier that trusts names: ``health_annual 510000 2024.csv``."""
    words = file_name.rpartition(".")[0].split()
    return Identity(*words) if len(words) == 3 else Unidentified("unidentified", f"{file_name} says nothing")


@dataclass
class Desk:
    """An inbox, an archive and a ledger; ``night`` takes in what lies there."""

    root: Path
    engine: Engine
    archive: Archive
    told: list[Unplaced]

    def drop(self, name: str, content: bytes = b"1,2") -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def refresh(self, run: str) -> Refresh:
        with self.engine.begin() as connection:
            return open_refresh(connection, run, NOW, "hash")

    def night(
        self, run: str = "one", forms: Sequence[str] = FORMS, identify: Any = by_name, inbox: Inbox | None = None
    ) -> InboxResult:
        def tell(_: Connection, __: Refresh, unplaced: Sequence[Unplaced]) -> None:
            self.told += unplaced

        return take_in(
            inbox or self.inbox(),
            self.archive,
            self.engine,
            self.refresh(run),
            CATALOGUE,
            lambda: NOW,
            forms,
            identify=identify,
            record_unplaced=tell,
        )

    def inbox(self, **options: Any) -> Inbox:
        return Inbox(self.root, clock=lambda: time.time() + 60, **options)

    def arrivals(self) -> list[tuple[Any, ...]]:
        query = "SELECT platform, form, period_code, sequence, file_name FROM ops.arrival ORDER BY arrival_id"
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def files(self) -> list[str]:
        found = [path.relative_to(self.root) for path in self.root.rglob("*") if path.is_file()]
        return sorted(str(path.parent / path.name.split("-", 1)[-1]) for path in found)


@pytest.fixture
def desk(tmp_path: Path, centre_engine: Engine) -> Desk:
    Centre(centre_engine).empty()
    return Desk(tmp_path / "inbox", centre_engine, Archive(tmp_path / "archive"), [])


def zipped(members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in members.items():
            package.writestr(name, content)
    return made.getvalue()


def workbook(form: str = "health_annual", province: str = "510000", year: int = 2024) -> bytes:
    """A return as the sandbox's platforms make it."""
    reference = load_reference()
    table = TableMaker(1).make(
        reference.forms[form],
        reference.province_by_code[province],
        ReturnPeriod(year, 12, reference.forms[form].frequency),
    )
    (content,) = encode_table(table, "xlsx", 500)
    return content


# --- whose a file is ---


@pytest.mark.parametrize(
    ("folders", "hints"),
    [
        ((), Hints()),
        (("510000",), Hints(region_code="510000")),
        (("510000", "health"), Hints("510000", "health")),
        (("四川", "health_annual", "2024"), Hints("", "health", "health_annual", "2024")),
        (("110000", "education", "SY2024"), Hints("110000", "education", "education_school_year", "SY2024")),
        (("510100",), Hints()),
    ],
    ids=["none", "province", "sector", "form and period", "only form of its sector", "no province"],
)
def test_folders_say_whose_a_file_is(folders: tuple[str, ...], hints: Hints) -> None:
    assert read_hints(folders, CATALOGUE) == hints


def test_a_folder_that_says_all_is_believed_without_a_look_at_the_title() -> None:
    hints = Hints("510000", "health", "health_annual", "2024")
    assert place(b"x", "a.xlsx", hints, CATALOGUE, say(Unidentified("unidentified", "no title"))) == HEALTH


def test_what_the_folder_says_is_told_to_whoever_reads_the_title() -> None:
    told: dict[str, Any] = {}

    def identify(content: bytes, file_name: str, catalogue: object, **known: str) -> Identity:
        told.update(known, content=content, file_name=file_name)
        return HEALTH

    place(b"x", "510000/health/a.xlsx", Hints("510000", "health"), CATALOGUE, identify)
    assert told == {"content": b"x", "file_name": "a.xlsx", "region_code": "510000", "form": ""}


@pytest.mark.parametrize(
    ("found", "hints", "reason", "explanation"),
    [
        (Identity("", "510000", "2024"), Hints(), "unidentified", "says the form"),
        (Identity("health_annual", "", ""), Hints(), "unidentified", "says the province and period"),
        (Identity("nothing", "510000", "2024"), Hints(), "unidentified", "says the form"),
        (Identity("health_annual", "519900", "2024"), Hints(), "wrong_province", "519900 is not one of the provinces"),
        (HEALTH, Hints("510000", "education"), "wrong_form", "health_annual, and lies in a folder of education"),
        (HEALTH, Hints(period_code="2023"), "wrong_period", "is of 2024, and lies in a folder of 2023"),
        (Identity("health_annual", "510000", "2024-Q1"), Hints(), "wrong_period", "no period of health_annual"),
        (Identity("health_annual", "510000", "soon"), Hints(), "wrong_period", "no period of health_annual"),
    ],
    ids=[
        "no form",
        "no place",
        "unknown form",
        "no province",
        "other sector",
        "other period",
        "frequency",
        "no period",
    ],
)
def test_what_cannot_be_one_of_our_returns_is_not_placed(
    found: Identity, hints: Hints, reason: str, explanation: str
) -> None:
    placed = place(b"x", "a.xlsx", hints, CATALOGUE, say(found))
    assert isinstance(placed, Unidentified)
    assert placed.reason == reason
    assert explanation in placed.explanation


def test_a_real_workbook_says_itself_whose_it_is(desk: Desk) -> None:
    desk.drop("邮件附件.xlsx", workbook())
    result = take_in(desk.inbox(), desk.archive, desk.engine, desk.refresh("one"), CATALOGUE, lambda: NOW, FORMS)
    assert [(item.platform, item.form, item.period_code) for item in result.placed] == [
        ("510000/health", "health_annual", "2024")
    ]


def test_a_real_workbook_in_another_province_s_folder_is_not_placed(desk: Desk) -> None:
    desk.drop("110000/health/邮件附件.xlsx", workbook())
    result = take_in(desk.inbox(), desk.archive, desk.engine, desk.refresh("one"), CATALOGUE, lambda: NOW, FORMS)
    assert [item.reason for item in result.unplaced] == ["wrong_province"]


# --- ZIPs ---


def test_a_zip_is_its_members_a_zip_in_it_too_and_a_workbook_is_no_zip() -> None:
    book = workbook()
    content = zipped(
        {"a.csv": b"1", "附件/b.xlsx": book, "inner.zip": zipped({"c.csv": b"2"}), "__MACOSX/._a.csv": b"x"}
    )
    assert dict(unpack(content, "mail.zip")) == {
        "mail.zip/a.csv": b"1",
        "mail.zip/附件/b.xlsx": book,
        "mail.zip/inner.zip/c.csv": b"2",
    }


def test_a_zip_in_a_zip_in_a_zip_is_refused() -> None:
    with pytest.raises(HostileFileError):
        list(unpack(zipped({"b.zip": zipped({"c.zip": zipped({"d.csv": b"1"})})}), "a.zip"))


def test_a_zip_with_more_members_than_an_office_mails_is_refused() -> None:
    with pytest.raises(TooLargeError, match="101 members"):
        list(unpack(zipped({f"{number}.csv": b"1" for number in range(101)}), "a.zip"))


def test_a_zip_of_several_returns_becomes_several_deliveries(desk: Desk) -> None:
    desk.drop("mail.zip", zipped({"health_annual 510000 2024.csv": b"1", "employment_annual 110000 2023.csv": b"2"}))
    result = desk.night()
    assert desk.arrivals() == [
        ("510000/health", "health_annual", "2024", 1, "health_annual 510000 2024.csv"),
        ("110000/employment", "employment_annual", "2023", 1, "employment_annual 110000 2023.csv"),
    ]
    assert [desk.archive.get(item.sha256) for item in result.placed] == [b"1", b"2"]
    assert desk.files() == ["accepted/2026-11-24/mail.zip"]


def test_a_letter_in_a_zip_is_set_aside_and_the_returns_are_taken(desk: Desk) -> None:
    desk.drop("mail.zip", zipped({"health_annual 510000 2024.csv": b"1", "letter.csv": b"Dear"}))
    result = desk.night()
    assert (len(result.placed), [item.file_name for item in result.unplaced]) == (1, ["mail.zip/letter.csv"])
    assert desk.files() == [
        "accepted/2026-11-24/mail.zip",
        "unplaced/2026-11-24/letter.csv",
        "unplaced/2026-11-24/letter.csv.why.txt",
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04 cut off", "not_a_workbook"),
        (zipped({"../up.csv": b"1"}), "hostile_file"),
        (zipped({}), "unidentified"),
        (zipped({"__MACOSX/x": b"1"}), "not_a_workbook"),
    ],
    ids=["broken", "traversal", "empty", "litter only"],
)
def test_a_zip_that_cannot_be_opened_is_set_aside_whole(desk: Desk, content: bytes, reason: str) -> None:
    desk.drop("mail.zip", content)
    result = desk.night()
    assert [item.reason for item in result.unplaced] == [reason]
    assert desk.archive.get(result.unplaced[0].sha256) == content


# --- the order of things ---


def test_a_file_is_archived_recorded_and_moved(desk: Desk) -> None:
    desk.drop("510000/health_annual/2024/四川.csv", b"1,2")
    (item,) = desk.night().placed
    assert desk.arrivals() == [("510000/health", "health_annual", "2024", 1, "四川.csv")]
    assert (item.bytes, item.media_type, item.fetched_at) == (3, "text/csv", NOW)
    assert item.due_on == datetime.date(2025, 3, 31)
    assert desk.archive.get(item.sha256) == b"1,2"
    (line,) = desk.archive.read_manifest()
    assert (line.sha256, line.sequence, line.modified_at) == (item.sha256, 1, item.modified_at)
    assert desk.files() == ["accepted/2026-11-24/四川.csv"]


def test_what_nobody_can_place_is_archived_told_and_set_aside_with_a_reason_in_both_languages(desk: Desk) -> None:
    desk.drop("letter.csv", b"Dear colleagues")
    (item,) = desk.night().unplaced
    assert desk.told == [item]
    assert desk.archive.get(item.sha256) == b"Dear colleagues"
    (note,) = (desk.root / "unplaced/2026-11-24").glob("*.why.txt")
    told = note.read_text(encoding="utf-8")
    assert "unidentified: letter.csv says nothing" in told
    assert "文件未注明" in told
    assert desk.arrivals() == []


def test_a_file_too_large_is_set_aside_unread(desk: Desk) -> None:
    desk.drop("health_annual 510000 2024.csv", b"x" * 11)
    result = desk.night(inbox=desk.inbox(max_bytes=10))
    assert [(item.reason, item.bytes) for item in result.unplaced] == [("too_large", 11)]
    assert list(desk.archive.read_manifest()) == []


def test_files_of_other_forms_wait_for_those_who_ask_for_them(desk: Desk) -> None:
    desk.drop("health_annual 510000 2024.csv")
    desk.drop("employment_annual 510000 2024.csv")
    first = desk.night(forms=["health_annual"])
    assert ([item.form for item in first.placed], first.waiting) == (
        ["health_annual"],
        ["employment_annual 510000 2024.csv"],
    )
    second = desk.night(forms=["employment_annual"])
    assert ([item.form for item in second.placed], second.waiting) == (["employment_annual"], [])


def test_a_zip_of_two_forms_stays_until_both_were_asked_for_and_doubles_nothing(desk: Desk) -> None:
    desk.drop("mail.zip", zipped({"health_annual 510000 2024.csv": b"1", "employment_annual 510000 2024.csv": b"2"}))
    assert desk.night(forms=["health_annual"]).waiting == ["mail.zip"]
    second = desk.night(forms=["employment_annual"])
    assert (second.waiting, second.again) == ([], ["mail.zip/health_annual 510000 2024.csv"])
    assert [row[1] for row in desk.arrivals()] == ["health_annual", "employment_annual"]


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("run", ["one", "two"], ids=["same refresh", "next refresh"])
def test_killed_before_the_move_the_next_night_moves_and_records_nothing_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, run: str
) -> None:
    desk.drop("mail.zip", zipped({"1/health_annual 510000 2024.csv": b"1", "2/health_annual 510000 2024.csv": b"2"}))

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Inbox, "accept", die)
        with pytest.raises(Killed):
            desk.night("one")
    before = desk.arrivals()
    result = desk.night(run)
    assert len(before) == 2
    assert desk.arrivals() == before
    assert (result.placed, len(result.again)) == ([], 2)
    assert desk.files() == ["accepted/2026-11-24/mail.zip"]


def test_a_file_that_cannot_be_moved_is_recorded_once_and_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    desk.drop("health_annual 510000 2024.csv")

    def refuse(*_: object) -> None:
        raise PermissionError("read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(Inbox, "accept", refuse)
        result = desk.night("one")
    assert (len(result.placed), result.waiting) == (1, ["health_annual 510000 2024.csv"])
    assert "cannot be moved: read-only file system" in caplog.text
    assert desk.night("two").placed == []
    assert len(desk.arrivals()) == 1


def test_killed_before_the_record_the_next_night_records_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.drop("health_annual 510000 2024.csv")

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("assets.inbox.record_arrivals", die)
        with pytest.raises(Killed):
            desk.night("one")
    assert desk.arrivals() == []
    assert len(desk.night("two").placed) == 1
    assert [row[3] for row in desk.arrivals()] == [1]


def test_the_same_bytes_mailed_again_are_a_second_delivery(desk: Desk) -> None:
    for run in ("one", "two"):
        desk.drop("health_annual 510000 2024.csv", b"1,2")
        time.sleep(0.01)  # another time of modification
        desk.night(run)
    assert [row[3] for row in desk.arrivals()] == [1, 2]


def test_the_same_return_twice_in_a_batch_is_one_delivery_where_its_bytes_are_the_same(desk: Desk) -> None:
    desk.drop("a/health_annual 510000 2024.csv", b"1")
    desk.drop("b/health_annual 510000 2024.csv", b"1")
    desk.drop("c/health_annual 510000 2024.csv", b"2")
    result = desk.night()
    assert (len(result.placed), len(result.again)) == (2, 1)
    assert desk.files() == ["accepted/2026-11-24/health_annual 510000 2024.csv"] * 2


def test_more_files_than_a_batch_are_all_taken(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assets.inbox.BATCH_FILES", 2)
    for year in range(2020, 2025):
        desk.drop(f"health_annual 510000 {year}.csv", str(year).encode())
    assert len(desk.night().placed) == 5
    assert len(desk.arrivals()) == 5


def test_a_file_that_changes_meanwhile_waits(desk: Desk) -> None:
    path = desk.drop("health_annual 510000 2024.csv", b"1")

    def identify(*question: Any, **known: Any) -> Identity | Unidentified:
        path.write_bytes(b"12")
        return by_name(*question, **known)

    result = desk.night(identify=identify)
    assert result.waiting == ["health_annual 510000 2024.csv"]  # recorded as it was read, left as it is now
    assert path.read_bytes() == b"12"
    assert [row[3] for row in desk.arrivals()] == [1]
    desk.night("two")
    assert [row[3] for row in desk.arrivals()] == [1, 2]


def test_a_name_in_gbk_is_recorded_as_it_was_meant(desk: Desk) -> None:
    path = desk.root / "510000/health_annual/2024" / os.fsdecode("四川省.csv".encode("gb18030"))
    path.parent.mkdir(parents=True)
    path.write_bytes(b"1,2")
    desk.night()
    assert [row[4] for row in desk.arrivals()] == ["四川省.csv"]
    assert desk.files() == ["accepted/2026-11-24/四川省.csv"]


def test_an_empty_inbox_is_no_work(desk: Desk) -> None:
    assert desk.night() == InboxResult()
