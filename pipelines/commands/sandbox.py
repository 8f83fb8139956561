"""``junheng sandbox``: the stand-in platforms for a person: serve them, ask for the truth, switch faults.

The sandbox is a process of its own (``python -m sandbox``); this module only talks to it.
"""

from __future__ import annotations

import json
import subprocess
import sys

import click
import requests

DEFAULT_URL = "http://127.0.0.1:8931"
_url = click.option("--url", default=DEFAULT_URL, show_default=True, help="Where the sandbox listens.")


@click.group()
def sandbox() -> None:
    """The 93 stand-in platforms: real HTTP, published figures, switchable faults, known truth."""


@sandbox.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def serve(options: tuple[str, ...]) -> None:
    """Serve until Ctrl-C; options as of python -m sandbox (--port, --seed, --today, --faults nasty, --help)."""
    sys.exit(subprocess.call([sys.executable, "-m", "sandbox", *options]))


@sandbox.command()
@click.argument("indicator_code")
@click.argument("region_code")
@click.argument("period_code")
@click.argument("area_type", default="total")
@_url
def truth(indicator_code: str, region_code: str, period_code: str, area_type: str, url: str) -> None:
    """The true value of a figure it serves: junheng sandbox truth HLT_BEDS 510000 2024."""
    keys = {"indicator_code": indicator_code, "region_code": region_code, "period_code": period_code}
    _show(_ask("GET", f"{url}/control/truth", params=keys | {"area_type": area_type}))


@sandbox.command()
@click.argument("platform", required=False)
@click.argument("fault", required=False)
@click.option("--return-id", help="Only this return of the platform.")
@click.option("--preset", help="A whole night of faults, e.g. nasty.")
@click.option("--clear", is_flag=True, help="End all faults.")
@_url
def fault(
    platform: str | None, fault: str | None, return_id: str | None, preset: str | None, clear: bool, url: str
) -> None:
    """Switch a fault on: junheng sandbox fault 510000/health down; or a night of them: --preset nasty."""
    if clear:
        _show(_ask("DELETE", f"{url}/control/faults"))
    elif preset:
        _show(_ask("POST", f"{url}/control/faults", json={"preset": preset}))
    elif platform and fault:
        body = {"platform": platform, "fault": fault, "return_id": return_id}
        _show(_ask("POST", f"{url}/control/faults", json=body))
    else:
        raise click.UsageError("name a platform and a fault, or --preset, or --clear")


@sandbox.command()
@_url
def verdicts(url: str) -> None:
    """Every fault that is on, and what a right reader makes of the return."""
    _show(_ask("GET", f"{url}/control/verdicts"))


def _ask(method: str, url: str, **options: object) -> object:
    try:
        answer = requests.request(method, url, timeout=30, **options)  # type: ignore[arg-type]
        answer.raise_for_status()
    except requests.HTTPError as error:
        raise click.ClickException(f"the sandbox refused: {error.response.text.strip()}") from error
    except requests.ConnectionError as error:
        raise click.ClickException(f"no sandbox answers at {url}: start one by 'junheng sandbox serve'") from error
    return answer.json()


def _show(answer: object) -> None:
    click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
