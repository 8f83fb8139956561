"""``junheng archive``: the raw bytes for a person: is it sound, what is there, show one, what nothing names.

Here: commands. Not here: keeping bytes (resources.archive). No database is needed: the manifests tell all.
Exit codes: 0 done, 1 something is not as it should be, 2 the call was wrong.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.commands.printing import printable
from pipelines.settings import SHANGHAI, Settings

if TYPE_CHECKING:
    from resources.archive import Archive, ManifestEntry, Stored

OUTPUT = click.Choice(["table", "csv", "json"])
_SHORT, _HEAD_BYTES = 12, 48


@click.group()
def archive() -> None:
    """The archive of raw returns: every delivery, for ever, by the hash of its bytes.

    \b
    junheng archive verify                                       are all bytes what they were?
    junheng archive list --platform 510000/health                what was delivered
    junheng archive show 510000/health/health_annual/2024        one return: its deliveries
    junheng archive show 3f9a2c --save return.xlsx               the bytes themselves
    """


@archive.command()
@click.option("--sample", type=click.IntRange(1), help="Read only so many objects again, chosen by chance.")
def verify(sample: int | None) -> None:
    """Read the bytes again and hold them against their hashes and the manifests."""
    found = _archive().verify(sample)
    click.echo(
        f"{found.objects:,} objects of {found.bytes:,} bytes, {found.read:,} read again;"
        f" {found.manifest_lines:,} lines of manifests; {found.unnamed:,} objects that none names, of killed refreshes"
    )
    for sha256 in found.corrupt:
        click.echo(f"CORRUPT  {sha256}: restore it from a backup", err=True)
    for sha256 in found.missing:
        click.echo(f"MISSING  {sha256}: a manifest names it; restore it from a backup", err=True)
    if not found.is_sound:
        raise SystemExit(1)
    click.echo("sound")


@archive.command("list")
@click.option("--platform", metavar="CODE/SECTOR", help="Only this platform, e.g. 510000/health.")
@click.option("--form", help="Only this form.")
@click.option("--period", metavar="CODE", help="Only this period.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Fetched on this day or later.")
@click.option("--limit", default=50, show_default=True, help="Deliveries shown.")
@click.option("--format", "output", type=OUTPUT, default="table", show_default=True)
def list_(
    platform: str | None, form: str | None, period: str | None, since: datetime.datetime | None, limit: int, output: str
) -> None:
    """List deliveries, the newest first."""
    first = since.replace(tzinfo=SHANGHAI) if since else None
    found = [
        entry
        for entry in reversed(_archive().receipts())
        if platform in (None, entry.platform)
        and form in (None, entry.form)
        and period in (None, entry.period_code)
        and (first is None or entry.fetched_at >= first)
    ]
    click.echo(_render(found[:limit], output))
    if len(found) > limit:
        click.echo(f"(the newest {limit} of {len(found):,}; --limit shows more)", err=True)


@archive.command()
@click.option("--format", "output", type=OUTPUT, default="csv", show_default=True)
def receipts(output: str) -> None:
    """Print every delivery from the manifests alone: what receipts are rebuilt from where a database is lost."""
    click.echo(_render(_archive().receipts(), output, whole=True))


@archive.command()
@click.argument("what")
@click.option("--save", type=click.Path(path_type=Path), help="Write the bytes to this file, which must not exist.")
def show(what: str, save: Path | None) -> None:
    """Show one delivery, or all of one's bytes: WHAT is a hash, its beginning, or PLATFORM/FORM/PERIOD[#SEQUENCE]."""
    kept = _archive()
    entries = kept.receipts()
    sha256 = _find(kept, entries, what)
    named = [entry for entry in entries if entry.sha256 == sha256]
    content = kept.get(sha256)
    click.echo(f"sha256  {sha256}")
    click.echo(f"bytes   {len(content):,}, beginning {content[:_HEAD_BYTES]!r}")
    click.echo(_render(named, "table") if named else "no manifest names these bytes")
    if save is not None:
        try:
            with save.open("xb") as file:
                file.write(content)
        except FileExistsError as error:
            raise click.ClickException(f"{save} exists and is not overwritten") from error
        click.echo(f"written to {save}")


@archive.command()
@click.option("--dry-run", is_flag=True, help="Count what nothing names. There is no other way to run this command.")
def gc(dry_run: bool) -> None:
    """Count what nothing names. Nothing is deleted: the archive keeps its bytes for ever."""
    if not dry_run:
        raise click.UsageError("the archive keeps its bytes for ever: gc only counts, with --dry-run")
    now = Settings.load().clock()
    found = _archive().find_garbage(now)
    for title, group in (("objects that no manifest names", found.unnamed), ("unfinished writes", found.leftovers)):
        click.echo(f"{len(group):,} {title}, {sum(each.size for each in group):,} bytes{_ages(group, now)}")


def _archive() -> Archive:
    from resources.archive import open_archive

    return open_archive(Settings.load().archive_location)


def _find(kept: Archive, entries: Sequence[ManifestEntry], what: str) -> str:
    """The one hash that WHAT means."""
    if "/" in what:
        name, _, sequence = what.partition("#")
        fitting = [
            entry
            for entry in entries
            if f"{entry.platform}/{entry.form}/{entry.period_code}" == name
            and (not sequence or str(entry.sequence) == sequence)
        ]
        if not fitting:
            raise click.ClickException(f"the archive has no delivery {what}; 'junheng archive list' shows them")
        return max(fitting, key=lambda entry: entry.sequence).sha256
    found = kept.find(what.lower())
    if len(found) != 1:
        told = "no object has a hash" if not found else f"{len(found):,} objects have hashes"
        raise click.ClickException(f"{told} that begins with {printable(what)}")
    return found[0]


def _render(entries: Sequence[ManifestEntry], output: str, *, whole: bool = False) -> str:
    import pandas as pd

    from pipelines.formats import render

    if whole:
        return render(pd.DataFrame([_flat(entry) for entry in entries]), output)
    columns = ["fetched_at", "platform", "form", "period_code", "sequence", "bytes", "sha256", "file_name"]
    frame = pd.DataFrame([{name: _flat(entry)[name] for name in columns} for entry in entries], columns=columns)
    if output == "table":
        frame["sha256"] = frame["sha256"].str[:_SHORT]
        frame["file_name"] = frame["file_name"].map(printable)
    return render(frame, output)


def _flat(entry: ManifestEntry) -> dict[str, object]:
    """An entry with its times as ISO texts."""
    return {
        name: value.isoformat() if isinstance(value, datetime.datetime) else value
        for name, value in asdict(entry).items()
    }


def _ages(group: Sequence[Stored], now: datetime.datetime) -> str:
    if not group:
        return ""
    oldest = min(each.written_at for each in group)
    return f", the oldest {(now - oldest).days} days old"
