"""``junheng platforms``: who is asked and how, whether all is there to ask them, and whether they answer.

Here: commands. Not here: the register (``resources.platforms``). Exit codes: 0 done, 1 something must be done (``check``),
2 the call was wrong. ``probe`` ends with 0 whatever platforms do: its page is the result.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.commands.printing import printable
from pipelines.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from resources.platforms import Delivery
    from resources.platforms.checking import Problem
    from resources.platforms.register import Platform

OUTPUT = click.Choice(["table", "csv", "json"])
SECTORS = click.Choice(["employment", "education", "health", "portal"])
NOT_CONFIGURED = "not configured"
PROBES_FILE = "probes.jsonl"
_NAMES_SHOWN = 3


@click.group()
def platforms() -> None:
    """The 94 platforms: who they are, whether all is there to ask them, whether they answer.

    \b
    junheng platforms list --sector health     how each is asked, where, when its returns are due, whom to call
    junheng platforms check                    what is lacking before they can be asked
    junheng platforms probe --province 510000  which endpoint works, how fast, since when
    junheng platforms fetch 510000/health      what it offers, as files to look at
    """


def _choosing(command: Callable[..., None]) -> Callable[..., None]:
    """The options that choose platforms and the form of the output."""
    for option in (
        click.option("--format", "output", type=OUTPUT, default="table", show_default=True),
        click.option("--province", "provinces", multiple=True, metavar="CODE", help="Only this one, e.g. 510000."),
        click.option("--sector", "sectors", multiple=True, type=SECTORS, help="Only this sector (may be repeated)."),
    ):
        command = option(command)
    return command


@platforms.command("list")
@_choosing
def list_(sectors: tuple[str, ...], provinces: tuple[str, ...], output: str) -> None:
    """List platforms: transport, auth, address, calendar, contact."""
    import pandas as pd

    from pipelines.formats import render

    template = Settings.load().platform_url
    rows = [_row(platform, template) for platform in _chosen(sectors, provinces)]
    click.echo(render(pd.DataFrame(rows), output))


@platforms.command()
@click.option("--format", "output", type=OUTPUT, default="table", show_default=True)
def check(output: str) -> None:
    """Check the register against its surroundings: variables, files, hooks, forms, layouts. Nothing is asked."""
    import pandas as pd

    from pipelines.formats import render
    from resources.platforms.checking import check_register
    from returns.layouts import load_layouts

    template = Settings.load().platform_url
    known = _chosen((), ())
    problems = check_register(known, template, os.environ, {each.layout for each in load_layouts()})
    bare = sum(platform.address(template) is None for platform in known)
    if output == "table":
        for problem in problems:
            click.echo(_told(problem))
        click.echo(f"{len(known)} platforms, {len(problems)} things to do, {bare} {NOT_CONFIGURED}", err=bool(problems))
        if bare:
            click.echo(
                "An address comes from JUNHENG_PLATFORM_URL (of the portal: JUNHENG_PORTAL_URL) or from base_url in "
                "resources/platforms/*.yaml."
            )
    else:
        columns = ["file", "key", "what", "platforms"]
        rows = [[each.file, each.key, each.what, " ".join(each.platforms)] for each in problems]
        click.echo(render(pd.DataFrame(rows, columns=columns), output))
    if problems:
        raise SystemExit(1)


@platforms.command()
@_choosing
def probe(sectors: tuple[str, ...], provinces: tuple[str, ...], output: str) -> None:
    """Ask each platform's endpoints once: what works, in how many milliseconds, since when.

    Answers are kept in probes.jsonl of the data folder, so that "since" holds over calls.
    """
    import pandas as pd

    from pipelines.formats import render
    from resources.platforms import PlatformClient, load_register
    from resources.platforms.probing import ProbeHistory, probe_platforms

    settings = Settings.load()
    chosen = _chosen(sectors, provinces)
    asked = [platform for platform in chosen if platform.address(settings.platform_url) is not None]
    secret = settings.client_secret.get_secret_value() if settings.client_secret else None
    with PlatformClient(
        load_register(portal_url=settings.portal_url),
        settings.platform_url,
        settings.client_id,
        secret,
        threads=16,
        clock=settings.clock,
    ) as client:
        probes = ProbeHistory(settings.home / PROBES_FILE).add(probe_platforms(client, asked))
    columns = ["platform", "endpoint", "result", "milliseconds", "since", "message"]
    rows = [[getattr(each, column) for column in columns] for each in probes]
    frame = pd.DataFrame(rows, columns=columns)
    if output == "table":
        frame["message"] = frame["message"].map(printable)
    click.echo(render(frame, output))
    if output == "table":
        well = len({each.platform for each in probes} - {each.platform for each in probes if each.result != "ok"})
        click.echo(f"{well} of {len(asked)} platforms answer well; {len(chosen) - len(asked)} {NOT_CONFIGURED}")


@platforms.command()
@click.argument("name", metavar="PLATFORM")
@click.option("--form", help="Only this form, e.g. health_annual or portal_annual.")
@click.option("--period", metavar="CODE", help="Only this period, e.g. 2024.")
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Folder for the files.")
@click.option("--limit", default=10, show_default=True, help="Returns fetched, the newest first.")
def fetch(name: str, form: str | None, period: str | None, into: Path, limit: int) -> None:
    """Fetch what PLATFORM (510000/health, 000000/portal) offers into files, to be looked at: nothing is archived or loaded.

    junheng read shows what would be read of a file. Exit code 1 where something could not be had, or nothing is offered.
    """
    from resources.platforms import Delivery, PlatformClient, load_register

    settings = Settings.load()
    province, _, sector = name.partition("/")
    if not _chosen((sector,), (province,)):
        raise click.BadParameter(f"{name!r} is no platform; 'junheng platforms list' shows them", param_hint="PLATFORM")
    secret = settings.client_secret.get_secret_value() if settings.client_secret else None
    register = load_register(portal_url=settings.portal_url)
    client = PlatformClient(register, settings.platform_url, settings.client_id, secret, clock=settings.clock)
    with client:
        offers = [
            offer
            for offer in client.list_returns(province, sector, form=form).rows
            if form in (None, offer.form) and period in (None, offer.period_code)
        ]
        if not offers:
            raise click.ClickException(f"{name} offers nothing of {form or 'any form'} and {period or 'any period'}")
        into.mkdir(parents=True, exist_ok=True)
        for offer in sorted(offers, key=lambda each: each.period_code, reverse=True)[:limit]:
            delivery = client.fetch(offer)
            if isinstance(delivery, Delivery):
                click.echo(
                    f"{_write(into, delivery)}   {offer.form} {offer.period_code}, {len(delivery.content):,} bytes"
                )


def _write(folder: Path, delivery: Delivery) -> Path:
    """Write a delivery under its own name, which may name no other folder and no file that is there."""
    plain = re.sub(r"[^\w.()（）-]+", "_", delivery.file_name).strip(".") or "return"
    path = folder / plain
    try:
        with path.open("xb") as file:
            file.write(delivery.content)
    except FileExistsError as error:
        raise click.ClickException(f"{path} exists and is not overwritten") from error
    return path


def _chosen(sectors: tuple[str, ...], provinces: tuple[str, ...]) -> list[Platform]:
    from resources.platforms import load_register

    known = load_register(portal_url=Settings.load().portal_url).platforms()
    unknown = sorted(set(provinces) - {platform.province for platform in known})
    if unknown:
        raise click.BadParameter(f"no platform of a province {', '.join(unknown)}", param_hint="--province")
    return [
        platform
        for platform in known
        if (not sectors or platform.sector in sectors) and (not provinces or platform.province in provinces)
    ]


def _row(platform: Platform, template: str | None) -> dict[str, str]:
    access = platform.access
    return {
        "platform": platform.name,
        "transport": access.transport,
        "auth": access.auth.kind,
        "address": platform.address(template) or NOT_CONFIGURED,
        "calendar": _calendar(platform),
        "contact": printable(access.contact),
    }


def _calendar(platform: Platform) -> str:
    """When its returns are due: ``health_annual +3 months day 31``; the catalogue's where the register says nothing."""
    from resources.platforms.register import OFFICES
    from warehouse.catalogue import load_catalogue

    texts = []
    if platform.sector not in OFFICES:
        return "owes nothing"
    for form in load_catalogue().forms.values():
        if form.sector != platform.sector:
            continue
        rule, days = platform.due_rule(form), platform.open_days(form.form)
        still_open = f", open {days} days" if days is not None else ""
        texts.append(f"{form.form} +{rule.due_months} months day {rule.due_day}{still_open}")
    return "; ".join(texts)


def _told(problem: Problem) -> str:
    names = ", ".join(problem.platforms[:_NAMES_SHOWN])
    more = f" and {len(problem.platforms) - _NAMES_SHOWN} more" if len(problem.platforms) > _NAMES_SHOWN else ""
    return f"{problem.file}: {problem.key}: {problem.what} (for {names}{more})"
